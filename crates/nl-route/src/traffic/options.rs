//! The options of each kind of queueing discipline and class, read and made
//! (`TCA_OPTIONS`, linux/pkt_sched.h).
//!
//! A discipline keeps the bytes as they came ([`Traffic::options`]); they are read where somebody
//! wants to know. So nothing is lost of kinds and attributes that this crate does not know.
//!
//! ```
//! use nl_route::traffic::options::{Codel, QdiscOptions};
//! use nl_route::traffic::{Qdisc, Traffic};
//!
//! let options = QdiscOptions::Codel(Codel { limit: Some(1000), ..Codel::default() });
//! let discipline = Qdisc(Traffic {
//!     kind: Some("codel".into()),
//!     options: Some(options.to_attribute()?),
//!     ..Traffic::default()
//! });
//! assert_eq!(discipline.options()?, Some(options));
//! # Ok::<(), nl_wire::Error>(())
//! ```

use alloc::boxed::Box;
use alloc::vec::Vec;

use nl_wire::{Attr, Error, RawAttr};

use super::value::{Body, Value, options, record};
use super::{Class, Qdisc, Traffic};
use crate::tables::other::{TCA_OPTIONS, TCA_STAB};
use crate::tables::record::Record;
pub use crate::tables::traffic::{
    CbsParameters, EtfParameters, Fifo, Hfsc, HtbDefaults, HtbParameters, NetemCorrelations,
    NetemCorrupt, NetemGilbert, NetemParameters, NetemRate, NetemReorder, NetemSlot, NetemStates,
    Prio, Queues, RateSpec, RedParameters, ServiceCurve, Sfq, SfqBase, SfqRedCounters, SizeTable,
    TbfParameters,
};
// The structures below name nearly every one of them.
#[allow(clippy::wildcard_imports)]
use crate::tables::traffic::*;

options! {
    /// A token bucket.
    Tbf {
        /// Rates and limits
        parameters: TbfParameters = TCA_TBF_PARMS;
        /// Bytes a second, where that takes 64 bits
        rate64: u64 = TCA_TBF_RATE64;
        /// Bytes a second of bursts, likewise
        peakrate64: u64 = TCA_TBF_PRATE64;
        /// Bytes of a burst; of requests only
        burst: u32 = TCA_TBF_BURST;
        /// Bytes of a burst at the rate of bursts; of requests only
        peak_burst: u32 = TCA_TBF_PBURST;
    }
    /// Random early detection.
    Red {
        /// Thresholds
        parameters: RedParameters = TCA_RED_PARMS;
        /// The greatest probability, in parts of 4,294,967,295
        max_probability: u32 = TCA_RED_MAX_P;
        /// 1 `ecn`, 2 `harddrop`, 4 `adaptive`, 8 `nodrop`: the bits, and which of them count
        flags: [u32; 2] = TCA_RED_FLAGS;
        /// The block of filters that sees what is dropped early; 0 is none
        early_drop_block: u32 = TCA_RED_EARLY_DROP_BLOCK;
        /// The block of filters that sees what is marked; 0 is none
        mark_block: u32 = TCA_RED_MARK_BLOCK;
    }
    /// A hierarchy of token buckets, and each of its classes.
    Htb {
        /// Of a class
        parameters: HtbParameters = TCA_HTB_PARMS;
        /// Of the discipline
        defaults: HtbDefaults = TCA_HTB_INIT;
        /// Most packets that wait of those that go by no class
        direct_queue: u32 = TCA_HTB_DIRECT_QLEN;
        /// Bytes a second, where that takes 64 bits
        rate64: u64 = TCA_HTB_RATE64;
        /// Bytes a second that it may borrow up to, likewise
        ceil64: u64 = TCA_HTB_CEIL64;
        /// Hardware does it
        offload: () = TCA_HTB_OFFLOAD;
    }
    /// A class of a hierarchical fair service curve.
    HfscClass {
        /// What it has for sure
        real_time: ServiceCurve = TCA_HFSC_RSC;
        /// Its share of what is left
        link_share: ServiceCurve = TCA_HFSC_FSC;
        /// What it has at most
        upper_limit: ServiceCurve = TCA_HFSC_USC;
    }
    /// Delay, loss and whatever else long ways do to packets.
    Netem behind NetemParameters {
        /// How much depends on the packet before
        correlations: NetemCorrelations = TCA_NETEM_CORR;
        /// Packets that are sent before their time
        reorder: NetemReorder = TCA_NETEM_REORDER;
        /// Packets of which a bit is flipped
        corrupt: NetemCorrupt = TCA_NETEM_CORRUPT;
        /// Loss by a model
        loss: NetemLoss = TCA_NETEM_LOSS;
        /// The rate
        rate: NetemRate = TCA_NETEM_RATE;
        /// Whether packets are marked instead of lost
        ecn: u32 = TCA_NETEM_ECN;
        /// The rate in bytes a second, where that takes 64 bits
        rate64: u64 = TCA_NETEM_RATE64;
        /// Nanoseconds that packets are kept
        latency64: i64 = TCA_NETEM_LATENCY64;
        /// Nanoseconds by which that varies
        jitter64: i64 = TCA_NETEM_JITTER64;
        /// Times in which packets come together
        slot: NetemSlot = TCA_NETEM_SLOT;
        /// Where random numbers begin
        seed: u64 = TCA_NETEM_PRNG_SEED;
    }
    /// How [`Netem`] loses packets.
    NetemLoss {
        /// By four states
        states: NetemStates = NETEM_LOSS_GI;
        /// By two
        gilbert: NetemGilbert = NETEM_LOSS_GE;
    }
    /// A class of `drr`.
    Drr {
        /// Bytes that it may send a round
        quantum: u32 = TCA_DRR_QUANTUM;
    }
    /// Traffic classes by priority, each with queues of the device.
    Mqprio behind Queues {
        /// 0 `dcb`, 1 `channel`
        mode: u16 = TCA_MQPRIO_MODE;
        /// 0 `dcb`, 1 `bw_rlimit`
        shaper: u16 = TCA_MQPRIO_SHAPER;
        /// Bytes a second that each class has for sure
        min_rates: Vec<u64> = TCA_MQPRIO_MIN_RATE64 [TCA_MQPRIO_MIN_RATE64];
        /// Bytes a second that each class has at most
        max_rates: Vec<u64> = TCA_MQPRIO_MAX_RATE64 [TCA_MQPRIO_MAX_RATE64];
    }
    /// Controlled delay.
    Codel {
        /// Microseconds that packets may wait
        target: u32 = TCA_CODEL_TARGET;
        /// Most packets that wait
        limit: u32 = TCA_CODEL_LIMIT;
        /// Microseconds within which the least wait counts
        interval: u32 = TCA_CODEL_INTERVAL;
        /// Whether packets are marked instead of dropped
        ecn: u32 = TCA_CODEL_ECN;
        /// Microseconds from which on all are marked
        ce_threshold: u32 = TCA_CODEL_CE_THRESHOLD;
    }
    /// Controlled delay of many flows.
    FqCodel {
        /// Microseconds that packets may wait
        target: u32 = TCA_FQ_CODEL_TARGET;
        /// Most packets that wait
        limit: u32 = TCA_FQ_CODEL_LIMIT;
        /// Microseconds within which the least wait counts
        interval: u32 = TCA_FQ_CODEL_INTERVAL;
        /// Whether packets are marked instead of dropped
        ecn: u32 = TCA_FQ_CODEL_ECN;
        /// Over how many queues flows are spread
        flows: u32 = TCA_FQ_CODEL_FLOWS;
        /// Bytes that a flow may send a round
        quantum: u32 = TCA_FQ_CODEL_QUANTUM;
        /// Microseconds from which on all are marked
        ce_threshold: u32 = TCA_FQ_CODEL_CE_THRESHOLD;
        /// Most packets that are dropped at once
        drop_batch: u32 = TCA_FQ_CODEL_DROP_BATCH_SIZE;
        /// Most bytes that wait
        memory_limit: u32 = TCA_FQ_CODEL_MEMORY_LIMIT;
        /// The field of traffic classes that packets have which `ce_threshold` is for
        ce_threshold_selector: u8 = TCA_FQ_CODEL_CE_THRESHOLD_SELECTOR;
        /// Which bits of it count
        ce_threshold_mask: u8 = TCA_FQ_CODEL_CE_THRESHOLD_MASK;
    }
    /// Fair queueing with pacing.
    Fq {
        /// Most packets that wait
        limit: u32 = TCA_FQ_PLIMIT;
        /// Most packets that wait of a flow
        flow_limit: u32 = TCA_FQ_FLOW_PLIMIT;
        /// Bytes that a flow may send a round
        quantum: u32 = TCA_FQ_QUANTUM;
        /// Bytes that it may send in its first
        initial_quantum: u32 = TCA_FQ_INITIAL_QUANTUM;
        /// Whether rates of flows are kept
        pacing: u32 = TCA_FQ_RATE_ENABLE;
        /// Bytes a second of a flow that has no rate; no longer used
        default_rate: u32 = TCA_FQ_FLOW_DEFAULT_RATE;
        /// Most bytes a second of a flow; all bits set is unlimited
        max_rate: u32 = TCA_FQ_FLOW_MAX_RATE;
        /// Logarithm of the number of buckets
        buckets_log: u32 = TCA_FQ_BUCKETS_LOG;
        /// Microseconds of rest after which a flow counts as new
        refill_delay: u32 = TCA_FQ_FLOW_REFILL_DELAY;
        /// Which bits of the hash tell flows without a socket apart
        orphan_mask: u32 = TCA_FQ_ORPHAN_MASK;
        /// Bytes a second below which each packet is delayed
        low_rate_threshold: u32 = TCA_FQ_LOW_RATE_THRESHOLD;
        /// Microseconds from which on packets are marked; all bits set is never
        ce_threshold: u32 = TCA_FQ_CE_THRESHOLD;
        /// Nanoseconds by which timers may be late
        timer_slack: u32 = TCA_FQ_TIMER_SLACK;
        /// Microseconds ahead that packets may be timed
        horizon: u32 = TCA_FQ_HORIZON;
        /// Whether those beyond are dropped instead of sent then
        horizon_drop: u8 = TCA_FQ_HORIZON_DROP;
        /// The band of each priority
        priomap: Prio = TCA_FQ_PRIOMAP;
        /// Bytes that each of three bands may send a round
        weights: [i32; 3] = TCA_FQ_WEIGHTS;
        /// Nanoseconds ahead that timed packets are given to the device
        offload_horizon: u32 = TCA_FQ_OFFLOAD_HORIZON;
    }
    /// Proportional control of delay.
    Pie {
        /// Microseconds that packets may wait
        target: u32 = TCA_PIE_TARGET;
        /// Most packets that wait
        limit: u32 = TCA_PIE_LIMIT;
        /// Microseconds between computations
        update: u32 = TCA_PIE_TUPDATE;
        /// Weight of the delay
        alpha: u32 = TCA_PIE_ALPHA;
        /// Weight of its change
        beta: u32 = TCA_PIE_BETA;
        /// Whether packets are marked instead of dropped
        ecn: u32 = TCA_PIE_ECN;
        /// Whether the probability is by size
        bytemode: u32 = TCA_PIE_BYTEMODE;
        /// Whether the delay is estimated by the rate
        dq_rate_estimator: u32 = TCA_PIE_DQ_RATE_ESTIMATOR;
    }
    /// The same for many flows.
    FqPie {
        /// Most packets that wait
        limit: u32 = TCA_FQ_PIE_LIMIT;
        /// Over how many queues flows are spread
        flows: u32 = TCA_FQ_PIE_FLOWS;
        /// Microseconds that packets may wait
        target: u32 = TCA_FQ_PIE_TARGET;
        /// Microseconds between computations
        update: u32 = TCA_FQ_PIE_TUPDATE;
        /// Weight of the delay
        alpha: u32 = TCA_FQ_PIE_ALPHA;
        /// Weight of its change
        beta: u32 = TCA_FQ_PIE_BETA;
        /// Bytes that a flow may send a round
        quantum: u32 = TCA_FQ_PIE_QUANTUM;
        /// Most bytes that wait
        memory_limit: u32 = TCA_FQ_PIE_MEMORY_LIMIT;
        /// Percent of probability below which packets are marked
        ecn_probability: u32 = TCA_FQ_PIE_ECN_PROB;
        /// Whether packets are marked instead of dropped
        ecn: u32 = TCA_FQ_PIE_ECN;
        /// Whether the probability is by size
        bytemode: u32 = TCA_FQ_PIE_BYTEMODE;
        /// Whether the delay is estimated by the rate
        dq_rate_estimator: u32 = TCA_FQ_PIE_DQ_RATE_ESTIMATOR;
    }
    /// A shaper by credit (IEEE 802.1Qav).
    Cbs {
        /// Slopes and limits
        parameters: CbsParameters = TCA_CBS_PARMS;
    }
    /// Packets by the time that they bring.
    Etf {
        /// Clock and flags
        parameters: EtfParameters = TCA_ETF_PARMS;
    }
    /// Gates that open and close by a schedule (IEEE 802.1Qbv); times in nanoseconds.
    Taprio {
        /// Traffic classes and their queues
        queues: Queues = TCA_TAPRIO_ATTR_PRIOMAP;
        /// The schedule
        entries: Vec<TaprioEntry> = TCA_TAPRIO_ATTR_SCHED_ENTRY_LIST [TCA_TAPRIO_SCHED_ENTRY];
        /// When it begins
        base_time: i64 = TCA_TAPRIO_ATTR_SCHED_BASE_TIME;
        /// The clock: 0 `REALTIME`, 1 `MONOTONIC`, 7 `BOOTTIME`, 11 `TAI`
        clockid: i32 = TCA_TAPRIO_ATTR_SCHED_CLOCKID;
        /// The schedule that is to come
        next: TaprioSchedule = TCA_TAPRIO_ATTR_ADMIN_SCHED;
        /// After which it begins anew
        cycle_time: i64 = TCA_TAPRIO_ATTR_SCHED_CYCLE_TIME;
        /// By which the last one before a change may be longer
        cycle_time_extension: i64 = TCA_TAPRIO_ATTR_SCHED_CYCLE_TIME_EXTENSION;
        /// 1 packets get times, 2 hardware does it
        flags: u32 = TCA_TAPRIO_ATTR_FLAGS;
        /// How long a packet needs to the link
        txtime_delay: u32 = TCA_TAPRIO_ATTR_TXTIME_DELAY;
    }
    /// A schedule of [`Taprio`].
    TaprioSchedule {
        /// The schedule
        entries: Vec<TaprioEntry> = TCA_TAPRIO_ATTR_SCHED_ENTRY_LIST [TCA_TAPRIO_SCHED_ENTRY];
        /// When it begins
        base_time: i64 = TCA_TAPRIO_ATTR_SCHED_BASE_TIME;
        /// After which it begins anew
        cycle_time: i64 = TCA_TAPRIO_ATTR_SCHED_CYCLE_TIME;
        /// By which the last one before a change may be longer
        cycle_time_extension: i64 = TCA_TAPRIO_ATTR_SCHED_CYCLE_TIME_EXTENSION;
    }
    /// A part of a schedule of [`Taprio`].
    TaprioEntry {
        /// Its place
        index: u32 = TCA_TAPRIO_SCHED_ENTRY_INDEX;
        /// 0 gates are set, 1 and packets held, 2 and packets released
        command: u8 = TCA_TAPRIO_SCHED_ENTRY_CMD;
        /// Which classes may send
        gates: u32 = TCA_TAPRIO_SCHED_ENTRY_GATE_MASK;
        /// How long
        interval: u32 = TCA_TAPRIO_SCHED_ENTRY_INTERVAL;
    }
    /// Shaping, fairness and control of delay in one.
    Cake {
        /// Bytes a second; 0 is unlimited
        rate: u64 = TCA_CAKE_BASE_RATE64;
        /// 0 `diffserv3`, 1 `diffserv4`, 2 `diffserv8`, 3 `besteffort`, 4 `precedence`
        diffserv: u32 = TCA_CAKE_DIFFSERV_MODE;
        /// The framing of the link: 0 none, 1 `atm`, 2 `ptm`
        atm: u32 = TCA_CAKE_ATM;
        /// What is a flow: bits 1 source, 2 destination, 4 ports
        flow_mode: u32 = TCA_CAKE_FLOW_MODE;
        /// Bytes that each packet has besides
        overhead: i32 = TCA_CAKE_OVERHEAD;
        /// Microseconds that a packet and its answer take
        rtt: u32 = TCA_CAKE_RTT;
        /// Microseconds that packets may wait
        target: u32 = TCA_CAKE_TARGET;
        /// Whether the rate is estimated
        autorate: u32 = TCA_CAKE_AUTORATE;
        /// Most bytes that wait; 0 is by the rate
        memory: u32 = TCA_CAKE_MEMORY;
        /// Whether addresses count as they are before translation
        nat: u32 = TCA_CAKE_NAT;
        /// Sizes are counted as the device does
        raw: u32 = TCA_CAKE_RAW;
        /// Whether marks of classes are taken off
        wash: u32 = TCA_CAKE_WASH;
        /// Bytes that the smallest packet counts as
        mpu: u32 = TCA_CAKE_MPU;
        /// Whether what is dropped counts, too
        ingress: u32 = TCA_CAKE_INGRESS;
        /// Whether redundant acknowledgements are dropped: 0 no, 1 yes, 2 more of them
        ack_filter: u32 = TCA_CAKE_ACK_FILTER;
        /// Whether large packets are taken apart
        split_gso: u32 = TCA_CAKE_SPLIT_GSO;
        /// Bits of the firewall mark that choose the class
        fwmark: u32 = TCA_CAKE_FWMARK;
    }
    /// Enhanced transmission selection (IEEE 802.1Qaz), and each of its classes.
    Ets {
        /// How many bands there are
        bands: u8 = TCA_ETS_NBANDS;
        /// How many of them come before all others
        strict: u8 = TCA_ETS_NSTRICT;
        /// Bytes that each of the others may send a round
        quanta: Vec<u32> = TCA_ETS_QUANTA [TCA_ETS_QUANTA_BAND];
        /// The same of a class
        quantum: u32 = TCA_ETS_QUANTA_BAND;
        /// The band of each priority
        priomap: Vec<u8> = TCA_ETS_PRIOMAP [TCA_ETS_PRIOMAP_BAND];
    }
}

/// Structures without attributes, and how many bytes of them kernels send at least.
macro_rules! structures {
    ($($name:ident: $least:expr;)*) => {$(
        impl Body for $name {
            fn decode(payload: &[u8]) -> Result<Self, Error> {
                record(payload, $least)
            }

            fn encode(&self, out: &mut Vec<u8>) -> Result<(), Error> {
                self.put(out);
                Ok(())
            }
        }
    )*};
}

structures! {
    Fifo: Fifo::WIDTH;
    Prio: Prio::WIDTH;
    Sfq: SfqBase::WIDTH;
    Hfsc: Hfsc::WIDTH;
}

/// Declares an enumeration of options by kind.
macro_rules! by_kind {
    ($(
        $(#[$doc:meta])* $name:ident of $object:ident {
            $($(#[$variant_doc:meta])* $variant:ident($type:ty) = $first:literal $(| $kind:literal)*;)*
        }
    )*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum $name {
            $(
                $(#[$variant_doc])*
                #[doc = concat!("`", $first, "`" $(, ", `", $kind, "`")*)]
                $variant($type),
            )*
        }

        impl $name {
            fn decode(kind: &[u8], payload: &[u8]) -> Result<Option<Self>, Error> {
                $(
                    if kind == $first.as_bytes() $(|| kind == $kind.as_bytes())* {
                        return Ok(Some(Self::$variant(Body::decode(payload)?)));
                    }
                )*
                Ok(None)
            }

            /// The attribute that holds them.
            ///
            /// # Errors
            /// If a list is too long for it.
            pub fn to_attribute(&self) -> Result<RawAttr, Error> {
                let mut payload = Vec::new();
                match self {
                    $(Self::$variant(options) => options.encode(&mut payload),)*
                }?;
                Ok(RawAttr { raw_type: TCA_OPTIONS, payload })
            }
        }

        impl $object {
            /// The options of its kind; `None` if it has none, or this crate does not know the kind.
            ///
            /// # Errors
            /// What is wrong with the bytes, and where.
            pub fn options(&self) -> Result<Option<$name>, Error> {
                let Traffic { kind, options, .. } = &self.0;
                let (Some(kind), Some(options)) = (kind, options) else { return Ok(None) };
                let read = $name::decode(kind.as_bytes(), &options.payload);
                read.map_err(|error| error.within(TCA_OPTIONS))
            }
        }
    )*};
}

impl Traffic {
    /// What packets count as, if that is not their size (`TCA_STAB_BASE`).
    pub fn size_table(&self) -> Option<SizeTable> {
        let found = self.unknown.iter().find(|attr| attr.as_attr().number() == TCA_STAB);
        let base = |attr: &Attr<'_>| attr.number() == TCA_STAB_BASE;
        let table = found?.as_attr().nested().flatten().find(base)?;
        Value::read(&table).ok()
    }
}

by_kind! {
    /// The options of a queueing discipline.
    QdiscOptions of Qdisc {
        /// First in, first out
        Fifo(Fifo) = "pfifo" | "bfifo" | "pfifo_head_drop";
        /// Bands by priority
        Prio(Prio) = "pfifo_fast" | "prio";
        /// A token bucket
        Tbf(Box<Tbf>) = "tbf";
        /// A hierarchy of token buckets
        Htb(Box<Htb>) = "htb";
        /// Controlled delay of many flows
        FqCodel(Box<FqCodel>) = "fq_codel";
        /// Controlled delay
        Codel(Codel) = "codel";
        /// Fair queueing with pacing
        Fq(Box<Fq>) = "fq";
        /// Stochastic fairness
        Sfq(Box<Sfq>) = "sfq";
        /// Random early detection
        Red(Box<Red>) = "red";
        /// What long ways do to packets
        Netem(Box<Netem>) = "netem";
        /// Traffic classes with queues of the device
        Mqprio(Box<Mqprio>) = "mqprio";
        /// Shaping, fairness and control of delay in one
        Cake(Box<Cake>) = "cake";
        /// Hierarchical fair service curves
        Hfsc(Hfsc) = "hfsc";
        /// Enhanced transmission selection
        Ets(Box<Ets>) = "ets";
        /// Proportional control of delay
        Pie(Box<Pie>) = "pie";
        /// The same for many flows
        FqPie(Box<FqPie>) = "fq_pie";
        /// A shaper by credit
        Cbs(Cbs) = "cbs";
        /// Packets by their time
        Etf(Etf) = "etf";
        /// Gates by a schedule
        Taprio(Box<Taprio>) = "taprio";
    }
    /// The options of a class.
    ClassOptions of Class {
        /// Of a hierarchy of token buckets
        Htb(Box<Htb>) = "htb";
        /// Of hierarchical fair service curves
        Hfsc(HfscClass) = "hfsc";
        /// Of deficit round robin
        Drr(Drr) = "drr";
        /// Of enhanced transmission selection
        Ets(Box<Ets>) = "ets";
    }
}
