//! What some kinds of queueing disciplines and classes count of their own (`TCA_STATS_APP`,
//! `TCA_XSTATS`; linux/pkt_sched.h).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Traffic;
use super::value::{Body, Value, options, record};
pub use crate::tables::counters::{
    CodelCounters, DrrCounters, FqCodelCounters, FqCodelFlow, FqCounters, FqPieCounters,
    HfscCounters, HtbCounters, PieCounters, RedCounters, SfqCounters,
};
use crate::tables::other::{TCA_STATS_APP, TCA_XSTATS};
use crate::tables::record::Record as _;

// The structures below name nearly every one of them.
#[allow(clippy::wildcard_imports)]
use crate::tables::counters::*;

options! {
    /// What `cake` counts, of the discipline or of a flow, which prints as a class.
    CakeCounters {
        /// Bytes a second that were estimated
        capacity_estimate: u64 = TCA_CAKE_STATS_CAPACITY_ESTIMATE64;
        /// Most bytes of memory
        memory_limit: u32 = TCA_CAKE_STATS_MEMORY_LIMIT;
        /// Bytes of it that were in use at most
        memory_used: u32 = TCA_CAKE_STATS_MEMORY_USED;
        /// Bytes before the network header, on average
        average_offset: u32 = TCA_CAKE_STATS_AVG_NETOFF;
        /// Bytes of the smallest packet
        least_length: u32 = TCA_CAKE_STATS_MIN_NETLEN;
        /// Bytes of the largest
        greatest_length: u32 = TCA_CAKE_STATS_MAX_NETLEN;
        /// The same with overhead
        least_adjusted: u32 = TCA_CAKE_STATS_MIN_ADJLEN;
        /// The same with overhead
        greatest_adjusted: u32 = TCA_CAKE_STATS_MAX_ADJLEN;
        /// Each class of traffic, the least important first
        tins: Vec<CakeTin> = TCA_CAKE_STATS_TIN_STATS;
        /// Bytes that a flow may still send this round
        deficit: i32 = TCA_CAKE_STATS_DEFICIT;
        /// Packets dropped since dropping began
        count: u32 = TCA_CAKE_STATS_COBALT_COUNT;
        /// Whether packets are being dropped
        dropping: u32 = TCA_CAKE_STATS_DROPPING;
        /// Microseconds until the next packet is dropped
        drop_next: i32 = TCA_CAKE_STATS_DROP_NEXT_US;
        /// Probability of dropping, in parts of 4,294,967,295
        probability: u32 = TCA_CAKE_STATS_P_DROP;
        /// Microseconds until that is computed anew
        blue_timer: i32 = TCA_CAKE_STATS_BLUE_TIMER_US;
    }
    /// What `cake` counts of a class of traffic; times in microseconds.
    CakeTin {
        /// Packets sent
        packets: u32 = TCA_CAKE_TIN_STATS_SENT_PACKETS;
        /// Bytes sent
        bytes: u64 = TCA_CAKE_TIN_STATS_SENT_BYTES64;
        /// Packets dropped
        dropped: u32 = TCA_CAKE_TIN_STATS_DROPPED_PACKETS;
        /// Acknowledgements dropped
        acks_dropped: u32 = TCA_CAKE_TIN_STATS_ACKS_DROPPED_PACKETS;
        /// Packets marked
        marked: u32 = TCA_CAKE_TIN_STATS_ECN_MARKED_PACKETS;
        /// Bytes that wait
        backlog: u32 = TCA_CAKE_TIN_STATS_BACKLOG_BYTES;
        /// Bytes a second from which on it comes behind others
        threshold: u64 = TCA_CAKE_TIN_STATS_THRESHOLD_RATE64;
        /// How long packets may wait
        target: u32 = TCA_CAKE_TIN_STATS_TARGET_US;
        /// Within which the least wait counts
        interval: u32 = TCA_CAKE_TIN_STATS_INTERVAL_US;
        /// Flows found in another place than theirs
        way_indirect: u32 = TCA_CAKE_TIN_STATS_WAY_INDIRECT_HITS;
        /// Flows that were not found
        way_misses: u32 = TCA_CAKE_TIN_STATS_WAY_MISSES;
        /// Flows that share a place
        way_collisions: u32 = TCA_CAKE_TIN_STATS_WAY_COLLISIONS;
        /// The longest wait
        peak_delay: u32 = TCA_CAKE_TIN_STATS_PEAK_DELAY_US;
        /// The average wait
        average_delay: u32 = TCA_CAKE_TIN_STATS_AVG_DELAY_US;
        /// The least wait
        base_delay: u32 = TCA_CAKE_TIN_STATS_BASE_DELAY_US;
        /// Flows that send little
        sparse_flows: u32 = TCA_CAKE_TIN_STATS_SPARSE_FLOWS;
        /// Flows that send much
        bulk_flows: u32 = TCA_CAKE_TIN_STATS_BULK_FLOWS;
        /// Flows that do not send less when packets are dropped
        unresponsive_flows: u32 = TCA_CAKE_TIN_STATS_UNRESPONSIVE_FLOWS;
        /// Bytes of the largest packet
        greatest_length: u32 = TCA_CAKE_TIN_STATS_MAX_SKBLEN;
        /// Bytes that a flow may send a round
        quantum: u32 = TCA_CAKE_TIN_STATS_FLOW_QUANTUM;
    }
}

/// Declares the counters by kind: their structure, and how many bytes of it there must be.
macro_rules! by_kind {
    ($($(#[$doc:meta])* $variant:ident($type:ident) = $kind:literal, $least:expr;)*) => {
        /// Counters of a kind, as of a discipline or of a class.
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum Counters {
            $($(#[$doc])* $variant($type),)*
            /// A flow of `fq_codel`, which prints as a class.
            FqCodelFlow(FqCodelFlow),
            /// `cake`, or a flow of it.
            Cake(Box<CakeCounters>),
        }

        impl Counters {
            fn read(kind: &[u8], payload: &[u8]) -> Option<Self> {
                $(
                    if kind == $kind.as_bytes() {
                        return record(payload, $least).ok().map(Self::$variant);
                    }
                )*
                None
            }
        }
    };
}

by_kind! {
    /// A class of `htb`.
    Htb(HtbCounters) = "htb", HtbCounters::WIDTH;
    /// `red`.
    Red(RedCounters) = "red", RedCounters::WIDTH;
    /// A class of `sfq`.
    Sfq(SfqCounters) = "sfq", SfqCounters::WIDTH;
    /// A class of `hfsc`.
    Hfsc(HfscCounters) = "hfsc", HfscCounters::WIDTH;
    /// A class of `drr`.
    Drr(DrrCounters) = "drr", DrrCounters::WIDTH;
    /// `codel`.
    Codel(CodelCounters) = "codel", 0;
    /// `fq_codel`.
    FqCodel(FqCodelCounters) = "fq_codel", 0;
    /// `fq`.
    Fq(FqCounters) = "fq", 0;
    /// `pie`.
    Pie(PieCounters) = "pie", PieCounters::WIDTH;
    /// `fq_pie`.
    FqPie(FqPieCounters) = "fq_pie", 0;
}

impl Traffic {
    /// What its kind counts of its own; `None` if that is nothing, or this crate does not know it.
    pub fn counters(&self) -> Option<Counters> {
        let app = self.statistics.as_ref().map(|statistics| (&statistics.unknown, TCA_STATS_APP));
        let payload = app.into_iter().chain([(&self.unknown, TCA_XSTATS)]).find_map(
            |(attributes, number)| {
                let found = attributes.iter().find(|attr| attr.as_attr().number() == number);
                Some(&found?.payload[..])
            },
        )?;
        let kind = self.kind.as_ref()?.as_bytes();
        match kind {
            b"fq_codel" => {}
            b"cake" => return CakeCounters::decode(payload).ok().map(Box::new).map(Counters::Cake),
            _ => return Counters::read(kind, payload),
        }
        // A number before the structure tells which it is.
        match payload.split_first_chunk().map(|(which, rest)| (u32::from_ne_bytes(*which), rest))? {
            (0, counters) => Counters::read(kind, counters),
            (1, flow) => record(flow, 0).ok().map(Counters::FqCodelFlow),
            _ => None,
        }
    }
}
