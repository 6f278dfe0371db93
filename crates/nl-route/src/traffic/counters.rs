//! What some kinds of queueing disciplines and classes count of their own (`TCA_STATS_APP`,
//! `TCA_XSTATS`; linux/pkt_sched.h).

use super::Traffic;
use super::value::record;
use crate::tables::counters;
use crate::tables::other::{TCA_STATS_APP, TCA_XSTATS};
use crate::tables::record::Record as _;
pub use counters::{
    CodelCounters, DrrCounters, FqCodelCounters, FqCodelFlow, FqCounters, FqPieCounters,
    HfscCounters, HtbCounters, PieCounters, RedCounters, SfqCounters,
};

/// Declares the counters by kind: their structure, and how many bytes of it there must be.
macro_rules! by_kind {
    ($($(#[$doc:meta])* $variant:ident($type:ident) = $kind:literal, $least:expr;)*) => {
        /// Counters of a kind, as of a discipline or of a class.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[non_exhaustive]
        pub enum Counters {
            $($(#[$doc])* $variant($type),)*
            /// A flow of `fq_codel`, which prints as a class.
            FqCodelFlow(FqCodelFlow),
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
        if kind != b"fq_codel" {
            return Counters::read(kind, payload);
        }
        // A number before the structure tells which it is.
        match payload.split_first_chunk().map(|(which, rest)| (u32::from_ne_bytes(*which), rest))? {
            (0, counters) => Counters::read(kind, counters),
            (1, flow) => record(flow, 0).ok().map(Counters::FqCodelFlow),
            _ => None,
        }
    }
}
