//! `TCA_OPTIONS` of queueing disciplines and their classes (linux/pkt_sched.h): attributes and
//! structures.
//!
//! Numbers are in host byte order, sizes in bytes, rates in bytes a second, probabilities in parts of
//! 4,294,967,295. A tick is 64 nanoseconds (`/proc/net/psched` tells the kernel's).

use nl_wire::table::{Key, Payload};

use super::record::{Record, structs};

structs! {
    /// A rate, and what a packet costs beyond its bytes
    RateSpec = TC_RATESPEC "tc_ratespec" {
        /// Logarithm of the granularity of packet sizes.
        cell_log: u8,
        /// The framing of the link, in the lower four bits: 1 Ethernet, 2 ATM.
        linklayer: u8,
        /// Bytes that each packet has besides.
        overhead: u16,
        /// Offset of the granularity.
        cell_align: i16,
        /// Bytes that the smallest packet counts as.
        mpu: u16,
        /// The rate; all bits set where it takes 64 bits.
        rate: u32,
    }
    /// What a packet counts as
    SizeTable = TC_SIZESPEC "tc_sizespec" {
        /// Logarithm of the granularity of sizes.
        cell_log: u8,
        /// Logarithm of the granularity of what the table holds.
        size_log: u8,
        /// Offset of the granularity.
        cell_align: i16,
        /// Bytes that each packet has besides.
        overhead: i32,
        /// The framing of the link: 1 Ethernet, 2 ATM.
        linklayer: u32,
        /// Bytes that the smallest packet counts as; 0 is its own size.
        mpu: u32,
        /// Bytes of the largest packet that the table holds; 0 is no table.
        mtu: u32,
        /// How many sizes it holds.
        tsize: u32,
    }
    /// `pfifo`, `bfifo`, `pfifo_head_drop`
    Fifo = TC_FIFO_QOPT "tc_fifo_qopt" {
        /// Most that wait: bytes of `bfifo`, else packets.
        limit: u32,
    }
    /// `prio`, `pfifo_fast`
    Prio = TC_PRIO_QOPT "tc_prio_qopt" {
        /// How many bands there are.
        bands: u32,
        /// The band of each priority.
        priomap: [u8; 16],
    }
    /// Parameters of `tbf`
    TbfParameters = TC_TBF_QOPT "tc_tbf_qopt" {
        /// The rate.
        rate: RateSpec,
        /// The rate of bursts; 0 is none.
        peakrate: RateSpec,
        /// Most bytes that wait.
        limit: u32,
        /// Ticks that a burst takes at `rate`.
        buffer: u32,
        /// Ticks that a burst takes at `peakrate`.
        mtu: u32,
    }
    /// What `sfq` did early
    SfqRedCounters = TC_SFQRED_STATS "tc_sfqred_stats" {
        /// Packets dropped below the upper threshold.
        prob_drop: u32,
        /// Packets dropped above it.
        forced_drop: u32,
        /// Packets marked below it.
        prob_mark: u32,
        /// Packets marked above it.
        forced_mark: u32,
        /// Packets marked below it at the head.
        prob_mark_head: u32,
        /// Packets marked above it at the head.
        forced_mark_head: u32,
    }
    /// The older half of `sfq`
    SfqBase = TC_SFQ_QOPT "tc_sfq_qopt" {
        /// Bytes that a flow may send a round.
        quantum: u32,
        /// Seconds until flows are spread anew; 0 is never.
        perturb_period: i32,
        /// Most packets that wait.
        limit: u32,
        /// How many values the hash has.
        divisor: u32,
        /// Most flows.
        flows: u32,
    }
    /// `sfq`
    Sfq = TC_SFQ_QOPT_V1 "tc_sfq_qopt_v1" {
        /// What older kernels have.
        v0: SfqBase,
        /// Most packets of a flow.
        depth: u32,
        /// Whether the oldest packet is dropped instead of the newest.
        headdrop: u32,
        /// Most bytes of a flow.
        limit: u32,
        /// Bytes from which on packets are marked or dropped; 0 is none of this.
        qth_min: u32,
        /// Bytes from which on all are.
        qth_max: u32,
        /// Logarithm of the weight of the average.
        Wlog: u8,
        /// Logarithm of the greatest probability over the width of thresholds.
        Plog: u8,
        /// Logarithm of the granularity of idle times.
        Scell_log: u8,
        /// 1 marks instead of dropping, 2 drops above the upper threshold.
        flags: u8,
        /// The greatest probability.
        max_P: u32,
        /// What it did.
        stats: SfqRedCounters,
    }
    /// Parameters of `red`
    RedParameters = TC_RED_QOPT "tc_red_qopt" {
        /// Most bytes that wait.
        limit: u32,
        /// Bytes from which on packets are marked or dropped.
        qth_min: u32,
        /// Bytes from which on all are.
        qth_max: u32,
        /// Logarithm of the weight of the average.
        Wlog: u8,
        /// Logarithm of the greatest probability over the width of thresholds.
        Plog: u8,
        /// Logarithm of the granularity of idle times.
        Scell_log: u8,
        /// 1 `ecn`, 2 `harddrop`, 4 `adaptive`.
        flags: u8,
    }
    /// A class of `htb`
    HtbParameters = TC_HTB_OPT "tc_htb_opt" {
        /// What it has for sure.
        rate: RateSpec,
        /// What it may borrow up to.
        ceil: RateSpec,
        /// Ticks that a burst takes at `rate`.
        buffer: u32,
        /// Ticks that a burst takes at `ceil`.
        cbuffer: u32,
        /// Bytes that it may send a round.
        quantum: u32,
        /// How many levels of classes are below.
        level: u32,
        /// Who is served first; 0 before all others.
        prio: u32,
    }
    /// What `htb` has for all classes
    HtbDefaults = TC_HTB_GLOB "tc_htb_glob" {
        /// The version: 16 bits each of two numbers.
        version: u32,
        /// By what a rate is divided to get a quantum.
        rate2quantum: u32,
        /// The minor number of the class of all other packets; 0 is none.
        defcls: u32,
        /// Not used.
        debug: u32,
        /// Packets that went by no class.
        direct_pkts: u32,
    }
    /// `hfsc`
    Hfsc = TC_HFSC_QOPT "tc_hfsc_qopt" {
        /// The minor number of the class of all other packets; 0 is none.
        defcls: u16,
    }
    /// A curve of service of two straight pieces
    ServiceCurve = TC_SERVICE_CURVE "tc_service_curve" {
        /// The rate of the first piece.
        m1: u32,
        /// Microseconds that it lasts.
        d: u32,
        /// The rate of the second piece.
        m2: u32,
    }
    /// Parameters of `netem`
    NetemParameters = TC_NETEM_QOPT "tc_netem_qopt" {
        /// Ticks that packets are kept.
        latency: u32,
        /// Most packets that wait.
        limit: u32,
        /// Probability of loss.
        loss: u32,
        /// Of so many packets one is sent at once; 0 is none.
        gap: u32,
        /// Probability of a copy.
        duplicate: u32,
        /// Ticks by which `latency` varies.
        jitter: u32,
    }
    /// How much depends on the packet before
    NetemCorrelations = TC_NETEM_CORR "tc_netem_corr" {
        /// Of the latency.
        delay_corr: u32,
        /// Of loss.
        loss_corr: u32,
        /// Of copies.
        dup_corr: u32,
    }
    /// Packets that are sent before their time
    NetemReorder = TC_NETEM_REORDER "tc_netem_reorder" {
        /// How probable that is.
        probability: u32,
        /// How much it depends on the packet before.
        correlation: u32,
    }
    /// Packets of which a bit is flipped
    NetemCorrupt = TC_NETEM_CORRUPT "tc_netem_corrupt" {
        /// How probable that is.
        probability: u32,
        /// How much it depends on the packet before.
        correlation: u32,
    }
    /// The rate of a link, and what its packets have besides
    NetemRate = TC_NETEM_RATE "tc_netem_rate" {
        /// The rate; all bits set where it takes 64 bits.
        rate: u32,
        /// Bytes that each packet has besides.
        packet_overhead: i32,
        /// Bytes of a cell; 0 is no cells.
        cell_size: u32,
        /// Bytes that each cell has besides.
        cell_overhead: i32,
    }
    /// Times in which packets come together; in nanoseconds
    NetemSlot = TC_NETEM_SLOT "tc_netem_slot" {
        /// The least time between them.
        min_delay: i64,
        /// The greatest.
        max_delay: i64,
        /// Most packets of one; 0 is unlimited.
        max_packets: i32,
        /// Most bytes of one; 0 is unlimited.
        max_bytes: i32,
        /// The time between them by a distribution.
        dist_delay: i64,
        /// How much that varies; 0 is no distribution.
        dist_jitter: i64,
    }
    /// Loss by a model of four states: probabilities of going from one to another
    NetemStates = TC_NETEM_GIMODEL "tc_netem_gimodel" {
        /// From fine to lossy.
        p13: u32,
        /// From lossy to fine.
        p31: u32,
        /// From lossy to fine within a burst.
        p32: u32,
        /// From fine to a single loss.
        p14: u32,
        /// From fine within a burst to lossy.
        p23: u32,
    }
    /// Loss by the model of Gilbert and Elliott
    NetemGilbert = TC_NETEM_GEMODEL "tc_netem_gemodel" {
        /// Probability of becoming bad.
        p: u32,
        /// Probability of becoming good.
        r: u32,
        /// Probability that a packet passes where it is bad.
        h: u32,
        /// Probability that a packet is lost where it is good.
        k1: u32,
    }
    /// Traffic classes and their queues, of `mqprio` and `taprio`
    Queues = TC_MQPRIO_QOPT "tc_mqprio_qopt" {
        /// How many classes there are.
        num_tc: u8,
        /// The class of each priority.
        prio_tc_map: [u8; 16],
        /// Whether hardware does it.
        hw: u8,
        /// How many queues each class has.
        count: [u16; 16],
        /// The first queue of each class.
        offset: [u16; 16],
    }
    /// Parameters of `cbs`
    CbsParameters = TC_CBS_QOPT "tc_cbs_qopt" {
        /// Whether hardware does it.
        offload: u8,
        /// Nothing.
        pad: [u8; 3],
        /// Most credit, in bytes.
        hicredit: i32,
        /// Least credit, in bytes.
        locredit: i32,
        /// Kilobits a second that credit grows by while nothing is sent.
        idleslope: i32,
        /// Kilobits a second that it shrinks by while something is.
        sendslope: i32,
    }
    /// Parameters of `etf`
    EtfParameters = TC_ETF_QOPT "tc_etf_qopt" {
        /// Nanoseconds before its time that a packet is given to the link.
        delta: i32,
        /// The clock: 0 `REALTIME`, 1 `MONOTONIC`, 7 `BOOTTIME`, 11 `TAI`.
        clockid: i32,
        /// 1 times are deadlines, 2 hardware does it, 4 sockets are not checked.
        flags: u32,
    }
}

nl_wire::attributes! {
    /// What packets count as.
    pub static STAB: "TCA_STAB" {
        TCA_STAB_BASE = 1: Struct(&TC_SIZESPEC);
        TCA_STAB_DATA = 2: Array(&U16);
    }

    /// `tbf`.
    pub static TBF: "TCA_TBF" {
        TCA_TBF_PARMS = 1: Struct(&TC_TBF_QOPT);
        TCA_TBF_RTAB = 2: Bytes;
        TCA_TBF_PTAB = 3: Bytes;
        TCA_TBF_RATE64 = 4: U64;
        TCA_TBF_PRATE64 = 5: U64;
        TCA_TBF_BURST = 6: U32;
        TCA_TBF_PBURST = 7: U32;
        TCA_TBF_PAD = 8: Bytes;
    }

    /// `red`.
    pub static RED: "TCA_RED" {
        TCA_RED_PARMS = 1: Struct(&TC_RED_QOPT);
        TCA_RED_STAB = 2: Bytes;
        TCA_RED_MAX_P = 3: U32;
        TCA_RED_FLAGS = 4: Bitfield32;
        TCA_RED_EARLY_DROP_BLOCK = 5: U32;
        TCA_RED_MARK_BLOCK = 6: U32;
    }

    /// `htb` and its classes.
    pub static HTB: "TCA_HTB" {
        TCA_HTB_PARMS = 1: Struct(&TC_HTB_OPT);
        TCA_HTB_INIT = 2: Struct(&TC_HTB_GLOB);
        TCA_HTB_CTAB = 3: Bytes;
        TCA_HTB_RTAB = 4: Bytes;
        TCA_HTB_DIRECT_QLEN = 5: U32;
        TCA_HTB_RATE64 = 6: U64;
        TCA_HTB_CEIL64 = 7: U64;
        TCA_HTB_PAD = 8: Bytes;
        TCA_HTB_OFFLOAD = 9: Flag;
    }

    /// Classes of `hfsc`.
    pub static HFSC: "TCA_HFSC" {
        TCA_HFSC_RSC = 1: Struct(&TC_SERVICE_CURVE);
        TCA_HFSC_FSC = 2: Struct(&TC_SERVICE_CURVE);
        TCA_HFSC_USC = 3: Struct(&TC_SERVICE_CURVE);
    }

    /// `netem`, behind its structure.
    pub static NETEM: "TCA_NETEM" {
        TCA_NETEM_CORR = 1: Struct(&TC_NETEM_CORR);
        TCA_NETEM_DELAY_DIST = 2: Bytes;
        TCA_NETEM_REORDER = 3: Struct(&TC_NETEM_REORDER);
        TCA_NETEM_CORRUPT = 4: Struct(&TC_NETEM_CORRUPT);
        TCA_NETEM_LOSS = 5: Nest(&NETEM_LOSS);
        TCA_NETEM_RATE = 6: Struct(&TC_NETEM_RATE);
        TCA_NETEM_ECN = 7: U32;
        TCA_NETEM_RATE64 = 8: U64;
        TCA_NETEM_PAD = 9: Bytes;
        /// Nanoseconds.
        TCA_NETEM_LATENCY64 = 10: I64;
        /// Nanoseconds.
        TCA_NETEM_JITTER64 = 11: I64;
        TCA_NETEM_SLOT = 12: Struct(&TC_NETEM_SLOT);
        TCA_NETEM_SLOT_DIST = 13: Bytes;
        TCA_NETEM_PRNG_SEED = 14: U64;
    }

    /// How `netem` loses packets.
    pub static NETEM_LOSS: "NETEM_LOSS" {
        NETEM_LOSS_GI = 1: Struct(&TC_NETEM_GIMODEL);
        NETEM_LOSS_GE = 2: Struct(&TC_NETEM_GEMODEL);
    }

    /// Classes of `drr`.
    pub static DRR: "TCA_DRR" {
        TCA_DRR_QUANTUM = 1: U32;
    }

    /// `mqprio`, behind its structure.
    pub static MQPRIO: "TCA_MQPRIO" {
        TCA_MQPRIO_MODE = 1: U16;
        TCA_MQPRIO_SHAPER = 2: U16;
        /// Attributes of this number themselves, one a class.
        TCA_MQPRIO_MIN_RATE64 = 3: List(&U64);
        TCA_MQPRIO_MAX_RATE64 = 4: List(&U64);
        TCA_MQPRIO_TC_ENTRY = 5: Bytes;
    }

    /// `codel`; times in microseconds.
    pub static CODEL: "TCA_CODEL" {
        TCA_CODEL_TARGET = 1: U32;
        TCA_CODEL_LIMIT = 2: U32;
        TCA_CODEL_INTERVAL = 3: U32;
        TCA_CODEL_ECN = 4: U32;
        TCA_CODEL_CE_THRESHOLD = 5: U32;
    }

    /// `fq_codel`; times in microseconds.
    pub static FQ_CODEL: "TCA_FQ_CODEL" {
        TCA_FQ_CODEL_TARGET = 1: U32;
        TCA_FQ_CODEL_LIMIT = 2: U32;
        TCA_FQ_CODEL_INTERVAL = 3: U32;
        TCA_FQ_CODEL_ECN = 4: U32;
        TCA_FQ_CODEL_FLOWS = 5: U32;
        TCA_FQ_CODEL_QUANTUM = 6: U32;
        TCA_FQ_CODEL_CE_THRESHOLD = 7: U32;
        TCA_FQ_CODEL_DROP_BATCH_SIZE = 8: U32;
        TCA_FQ_CODEL_MEMORY_LIMIT = 9: U32;
        TCA_FQ_CODEL_CE_THRESHOLD_SELECTOR = 10: U8;
        TCA_FQ_CODEL_CE_THRESHOLD_MASK = 11: U8;
    }

    /// `fq`.
    pub static FQ: "TCA_FQ" {
        TCA_FQ_PLIMIT = 1: U32;
        TCA_FQ_FLOW_PLIMIT = 2: U32;
        TCA_FQ_QUANTUM = 3: U32;
        TCA_FQ_INITIAL_QUANTUM = 4: U32;
        TCA_FQ_RATE_ENABLE = 5: U32;
        TCA_FQ_FLOW_DEFAULT_RATE = 6: U32;
        TCA_FQ_FLOW_MAX_RATE = 7: U32;
        TCA_FQ_BUCKETS_LOG = 8: U32;
        /// Microseconds.
        TCA_FQ_FLOW_REFILL_DELAY = 9: U32;
        TCA_FQ_ORPHAN_MASK = 10: U32;
        TCA_FQ_LOW_RATE_THRESHOLD = 11: U32;
        /// Microseconds.
        TCA_FQ_CE_THRESHOLD = 12: U32;
        /// Nanoseconds.
        TCA_FQ_TIMER_SLACK = 13: U32;
        /// Microseconds.
        TCA_FQ_HORIZON = 14: U32;
        TCA_FQ_HORIZON_DROP = 15: U8;
        TCA_FQ_PRIOMAP = 16: Struct(&TC_PRIO_QOPT);
        TCA_FQ_WEIGHTS = 17: Array(&I32);
        /// Nanoseconds.
        TCA_FQ_OFFLOAD_HORIZON = 18: U32;
    }

    /// `pie`; times in microseconds.
    pub static PIE: "TCA_PIE" {
        TCA_PIE_TARGET = 1: U32;
        TCA_PIE_LIMIT = 2: U32;
        TCA_PIE_TUPDATE = 3: U32;
        TCA_PIE_ALPHA = 4: U32;
        TCA_PIE_BETA = 5: U32;
        TCA_PIE_ECN = 6: U32;
        TCA_PIE_BYTEMODE = 7: U32;
        TCA_PIE_DQ_RATE_ESTIMATOR = 8: U32;
    }

    /// `fq_pie`; times in microseconds.
    pub static FQ_PIE: "TCA_FQ_PIE" {
        TCA_FQ_PIE_LIMIT = 1: U32;
        TCA_FQ_PIE_FLOWS = 2: U32;
        TCA_FQ_PIE_TARGET = 3: U32;
        TCA_FQ_PIE_TUPDATE = 4: U32;
        TCA_FQ_PIE_ALPHA = 5: U32;
        TCA_FQ_PIE_BETA = 6: U32;
        TCA_FQ_PIE_QUANTUM = 7: U32;
        TCA_FQ_PIE_MEMORY_LIMIT = 8: U32;
        TCA_FQ_PIE_ECN_PROB = 9: U32;
        TCA_FQ_PIE_ECN = 10: U32;
        TCA_FQ_PIE_BYTEMODE = 11: U32;
        TCA_FQ_PIE_DQ_RATE_ESTIMATOR = 12: U32;
    }

    /// `cbs`.
    pub static CBS: "TCA_CBS" {
        TCA_CBS_PARMS = 1: Struct(&TC_CBS_QOPT);
    }

    /// `etf`.
    pub static ETF: "TCA_ETF" {
        TCA_ETF_PARMS = 1: Struct(&TC_ETF_QOPT);
    }

    /// `taprio`; times in nanoseconds.
    pub static TAPRIO: "TCA_TAPRIO_ATTR" {
        TCA_TAPRIO_ATTR_PRIOMAP = 1: Struct(&TC_MQPRIO_QOPT);
        TCA_TAPRIO_ATTR_SCHED_ENTRY_LIST = 2: Nest(&TAPRIO_SCHED);
        TCA_TAPRIO_ATTR_SCHED_BASE_TIME = 3: I64;
        TCA_TAPRIO_ATTR_SCHED_SINGLE_ENTRY = 4: Nest(&TAPRIO_ENTRY);
        TCA_TAPRIO_ATTR_SCHED_CLOCKID = 5: I32;
        TCA_TAPRIO_PAD = 6: Bytes;
        /// The schedule that is to come.
        TCA_TAPRIO_ATTR_ADMIN_SCHED = 7: Nest(&TAPRIO);
        TCA_TAPRIO_ATTR_SCHED_CYCLE_TIME = 8: I64;
        TCA_TAPRIO_ATTR_SCHED_CYCLE_TIME_EXTENSION = 9: I64;
        TCA_TAPRIO_ATTR_FLAGS = 10: U32;
        TCA_TAPRIO_ATTR_TXTIME_DELAY = 11: U32;
        TCA_TAPRIO_ATTR_TC_ENTRY = 12: Bytes;
    }

    /// A schedule.
    pub static TAPRIO_SCHED: "TCA_TAPRIO_SCHED" {
        TCA_TAPRIO_SCHED_ENTRY = 1: Nest(&TAPRIO_ENTRY);
    }

    /// A part of one.
    pub static TAPRIO_ENTRY: "TCA_TAPRIO_SCHED_ENTRY" {
        TCA_TAPRIO_SCHED_ENTRY_INDEX = 1: U32;
        TCA_TAPRIO_SCHED_ENTRY_CMD = 2: U8;
        TCA_TAPRIO_SCHED_ENTRY_GATE_MASK = 3: U32;
        TCA_TAPRIO_SCHED_ENTRY_INTERVAL = 4: U32;
    }

    /// `cake`; times in microseconds.
    pub static CAKE: "TCA_CAKE" {
        TCA_CAKE_PAD = 1: Bytes;
        TCA_CAKE_BASE_RATE64 = 2: U64;
        TCA_CAKE_DIFFSERV_MODE = 3: U32;
        TCA_CAKE_ATM = 4: U32;
        TCA_CAKE_FLOW_MODE = 5: U32;
        TCA_CAKE_OVERHEAD = 6: I32;
        TCA_CAKE_RTT = 7: U32;
        TCA_CAKE_TARGET = 8: U32;
        TCA_CAKE_AUTORATE = 9: U32;
        TCA_CAKE_MEMORY = 10: U32;
        TCA_CAKE_NAT = 11: U32;
        TCA_CAKE_RAW = 12: U32;
        TCA_CAKE_WASH = 13: U32;
        TCA_CAKE_MPU = 14: U32;
        TCA_CAKE_INGRESS = 15: U32;
        TCA_CAKE_ACK_FILTER = 16: U32;
        TCA_CAKE_SPLIT_GSO = 17: U32;
        TCA_CAKE_FWMARK = 18: U32;
    }

    /// `ets` and its classes.
    pub static ETS: "TCA_ETS" {
        TCA_ETS_NBANDS = 1: U8;
        TCA_ETS_NSTRICT = 2: U8;
        TCA_ETS_QUANTA = 3: List(&U32);
        TCA_ETS_QUANTA_BAND = 4: U32;
        TCA_ETS_PRIOMAP = 5: List(&U8);
        TCA_ETS_PRIOMAP_BAND = 6: U8;
    }
}

/// What `TCA_OPTIONS` holds, by `TCA_KIND`.
pub(crate) static DISCIPLINES: [(Key, Payload); 22] = [
    (Key::Text("pfifo"), Fifo::PAYLOAD),
    (Key::Text("bfifo"), Fifo::PAYLOAD),
    (Key::Text("pfifo_head_drop"), Fifo::PAYLOAD),
    (Key::Text("pfifo_fast"), Prio::PAYLOAD),
    (Key::Text("prio"), Prio::PAYLOAD),
    (Key::Text("sfq"), Sfq::PAYLOAD),
    (Key::Text("tbf"), Payload::Nest(&TBF)),
    (Key::Text("red"), Payload::Nest(&RED)),
    (Key::Text("htb"), Payload::Nest(&HTB)),
    (Key::Text("netem"), Payload::Headed(&TC_NETEM_QOPT, &NETEM)),
    (Key::Text("drr"), Payload::Nest(&DRR)),
    (Key::Text("mqprio"), Payload::Headed(&TC_MQPRIO_QOPT, &MQPRIO)),
    (Key::Text("codel"), Payload::Nest(&CODEL)),
    (Key::Text("fq_codel"), Payload::Nest(&FQ_CODEL)),
    (Key::Text("fq"), Payload::Nest(&FQ)),
    (Key::Text("pie"), Payload::Nest(&PIE)),
    (Key::Text("fq_pie"), Payload::Nest(&FQ_PIE)),
    (Key::Text("cbs"), Payload::Nest(&CBS)),
    (Key::Text("etf"), Payload::Nest(&ETF)),
    (Key::Text("taprio"), Payload::Nest(&TAPRIO)),
    (Key::Text("cake"), Payload::Nest(&CAKE)),
    (Key::Text("ets"), Payload::Nest(&ETS)),
];
