//! `TCA_STATS_APP` and `TCA_XSTATS`: what disciplines and classes count of their own
//! (linux/pkt_sched.h).
//!
//! Numbers are in host byte order, sizes in bytes, times in microseconds where nothing else is said.

use super::record::structs;

structs! {
    /// A class of `htb`
    HtbCounters = TC_HTB_XSTATS "tc_htb_xstats" {
        /// Packets sent within its rate.
        lends: u32,
        /// Packets sent by what others left.
        borrows: u32,
        /// Not used.
        giants: u32,
        /// What may be sent now, in ticks of 64 nanoseconds.
        tokens: i32,
        /// The same of what may be borrowed.
        ctokens: i32,
    }
    /// `red`
    RedCounters = TC_RED_XSTATS "tc_red_xstats" {
        /// Packets dropped early.
        early: u32,
        /// Packets dropped at the limit.
        pdrop: u32,
        /// Packets dropped otherwise.
        other: u32,
        /// Packets marked.
        marked: u32,
    }
    /// A class of `sfq`
    SfqCounters = TC_SFQ_XSTATS "tc_sfq_xstats" {
        /// Bytes that it may still send this round.
        allot: i32,
    }
    /// A class of `hfsc`
    HfscCounters = TC_HFSC_STATS "tc_hfsc_stats" {
        /// Bytes sent.
        work: u64,
        /// Bytes of them that were sent for sure.
        rtwork: u64,
        /// The current period.
        period: u32,
        /// How many levels of classes are below.
        level: u32,
    }
    /// A class of `drr`
    DrrCounters = TC_DRR_STATS "tc_drr_stats" {
        /// Bytes that it may still send this round.
        deficit: u32,
    }
    /// `codel`
    CodelCounters = TC_CODEL_XSTATS "tc_codel_xstats" {
        /// The largest packet.
        maxpacket: u32,
        /// Packets dropped since dropping began.
        count: u32,
        /// The same when it began.
        lastcount: u32,
        /// How long the last packet waited.
        ldelay: u32,
        /// Until the next packet is dropped.
        drop_next: i32,
        /// Packets dropped at the limit.
        drop_overlimit: u32,
        /// Packets marked instead of dropped.
        ecn_mark: u32,
        /// Whether packets are being dropped.
        dropping: u32,
        /// Packets marked above the threshold.
        ce_mark: u32,
    }
    /// `fq_codel`
    FqCodelCounters = TC_FQ_CODEL_QD_STATS "tc_fq_codel_qd_stats" {
        /// The largest packet.
        maxpacket: u32,
        /// Packets dropped at the limit.
        drop_overlimit: u32,
        /// Packets marked instead of dropped.
        ecn_mark: u32,
        /// How often a flow was new.
        new_flow_count: u32,
        /// Flows that are new.
        new_flows_len: u32,
        /// Flows that are not.
        old_flows_len: u32,
        /// Packets marked above the threshold.
        ce_mark: u32,
        /// Bytes of memory in use.
        memory_usage: u32,
        /// Packets dropped at the limit of memory.
        drop_overmemory: u32,
    }
    /// A flow of `fq_codel`
    FqCodelFlow = TC_FQ_CODEL_CL_STATS "tc_fq_codel_cl_stats" {
        /// Bytes that it may still send this round.
        deficit: i32,
        /// How long the last packet waited.
        ldelay: u32,
        /// Packets dropped since dropping began.
        count: u32,
        /// The same when it began.
        lastcount: u32,
        /// Whether packets are being dropped.
        dropping: u32,
        /// Until the next packet is dropped.
        drop_next: i32,
    }
    /// `fq`
    FqCounters = TC_FQ_QD_STATS "tc_fq_qd_stats" {
        /// Flows forgotten.
        gc_flows: u64,
        /// Packets of those that go first.
        highprio_packets: u64,
        /// Packets that TCP sent again.
        tcp_retrans: u64,
        /// How often a flow had to wait.
        throttled: u64,
        /// Packets dropped at the limit of their flow.
        flows_plimit: u64,
        /// Packets that were too long.
        pkts_too_long: u64,
        /// Packets for which there was no memory.
        allocation_errors: u64,
        /// Nanoseconds until the next packet is due.
        time_next_delayed_flow: i64,
        /// Flows.
        flows: u32,
        /// Flows without packets.
        inactive_flows: u32,
        /// Flows that wait.
        throttled_flows: u32,
        /// Nanoseconds by which flows are woken late.
        unthrottle_latency_ns: u32,
        /// Packets marked above the threshold.
        ce_mark: u64,
        /// Packets dropped beyond the horizon.
        horizon_drops: u64,
        /// Packets that were sent at the horizon.
        horizon_caps: u64,
        /// Packets that needed no flow.
        fastpath_packets: u64,
        /// Packets dropped of each band.
        band_drops: [u64; 3],
        /// Packets that wait of each band.
        band_pkt_count: [u32; 3],
        /// Nothing.
        pad: u32,
    }
    /// `pie`
    PieCounters = TC_PIE_XSTATS "tc_pie_xstats" {
        /// The probability, in parts of 18,446,744,073,709,551,615.
        prob: u64,
        /// The delay.
        delay: u32,
        /// Bytes a second that are sent.
        avg_dq_rate: u32,
        /// Whether that is being measured.
        dq_rate_estimating: u32,
        /// Packets that came.
        packets_in: u32,
        /// Packets dropped.
        dropped: u32,
        /// Packets dropped at the limit.
        overlimit: u32,
        /// Most packets that waited.
        maxq: u32,
        /// Packets marked instead of dropped.
        ecn_mark: u32,
    }
    /// `fq_pie`
    FqPieCounters = TC_FQ_PIE_XSTATS "tc_fq_pie_xstats" {
        /// Packets that came.
        packets_in: u32,
        /// Packets dropped.
        dropped: u32,
        /// Packets dropped at the limit.
        overlimit: u32,
        /// Packets dropped at the limit of memory.
        overmemory: u32,
        /// Packets marked instead of dropped.
        ecn_mark: u32,
        /// How often a flow was new.
        new_flow_count: u32,
        /// Flows that are new.
        new_flows_len: u32,
        /// Flows that are not.
        old_flows_len: u32,
        /// Bytes of memory in use.
        memory_usage: u32,
    }
}

nl_wire::attributes! {
    /// What `cake` counts.
    pub static CAKE_STATS: "TCA_CAKE_STATS" {
        TCA_CAKE_STATS_PAD = 1: Bytes;
        TCA_CAKE_STATS_CAPACITY_ESTIMATE64 = 2: U64;
        TCA_CAKE_STATS_MEMORY_LIMIT = 3: U32;
        TCA_CAKE_STATS_MEMORY_USED = 4: U32;
        TCA_CAKE_STATS_AVG_NETOFF = 5: U32;
        TCA_CAKE_STATS_MIN_NETLEN = 6: U32;
        TCA_CAKE_STATS_MAX_NETLEN = 7: U32;
        TCA_CAKE_STATS_MIN_ADJLEN = 8: U32;
        TCA_CAKE_STATS_MAX_ADJLEN = 9: U32;
        TCA_CAKE_STATS_TIN_STATS = 10: List(&Nest(&CAKE_TIN_STATS));
        TCA_CAKE_STATS_DEFICIT = 11: I32;
        TCA_CAKE_STATS_COBALT_COUNT = 12: U32;
        TCA_CAKE_STATS_DROPPING = 13: U32;
        TCA_CAKE_STATS_DROP_NEXT_US = 14: I32;
        TCA_CAKE_STATS_P_DROP = 15: U32;
        TCA_CAKE_STATS_BLUE_TIMER_US = 16: I32;
    }

    /// What `cake` counts of a class of traffic.
    pub static CAKE_TIN_STATS: "TCA_CAKE_TIN_STATS" {
        TCA_CAKE_TIN_STATS_PAD = 1: Bytes;
        TCA_CAKE_TIN_STATS_SENT_PACKETS = 2: U32;
        TCA_CAKE_TIN_STATS_SENT_BYTES64 = 3: U64;
        TCA_CAKE_TIN_STATS_DROPPED_PACKETS = 4: U32;
        TCA_CAKE_TIN_STATS_DROPPED_BYTES64 = 5: U64;
        TCA_CAKE_TIN_STATS_ACKS_DROPPED_PACKETS = 6: U32;
        TCA_CAKE_TIN_STATS_ACKS_DROPPED_BYTES64 = 7: U64;
        TCA_CAKE_TIN_STATS_ECN_MARKED_PACKETS = 8: U32;
        TCA_CAKE_TIN_STATS_ECN_MARKED_BYTES64 = 9: U64;
        TCA_CAKE_TIN_STATS_BACKLOG_PACKETS = 10: U32;
        TCA_CAKE_TIN_STATS_BACKLOG_BYTES = 11: U32;
        TCA_CAKE_TIN_STATS_THRESHOLD_RATE64 = 12: U64;
        TCA_CAKE_TIN_STATS_TARGET_US = 13: U32;
        TCA_CAKE_TIN_STATS_INTERVAL_US = 14: U32;
        TCA_CAKE_TIN_STATS_WAY_INDIRECT_HITS = 15: U32;
        TCA_CAKE_TIN_STATS_WAY_MISSES = 16: U32;
        TCA_CAKE_TIN_STATS_WAY_COLLISIONS = 17: U32;
        TCA_CAKE_TIN_STATS_PEAK_DELAY_US = 18: U32;
        TCA_CAKE_TIN_STATS_AVG_DELAY_US = 19: U32;
        TCA_CAKE_TIN_STATS_BASE_DELAY_US = 20: U32;
        TCA_CAKE_TIN_STATS_SPARSE_FLOWS = 21: U32;
        TCA_CAKE_TIN_STATS_BULK_FLOWS = 22: U32;
        TCA_CAKE_TIN_STATS_UNRESPONSIVE_FLOWS = 23: U32;
        TCA_CAKE_TIN_STATS_MAX_SKBLEN = 24: U32;
        TCA_CAKE_TIN_STATS_FLOW_QUANTUM = 25: U32;
    }
}
