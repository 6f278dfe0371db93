//! What a table keeps to, and what it counts.

use std::time::Duration;

use crate::metrics::Histogram;

/// What a table keeps to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NatOptions {
    /// Bytes of memory, at least 4096. There is room for an IPv4 flow in each 128, for an IPv6 one in
    /// each 256. All of it is reserved at once and taken as it is touched, 2 MiB at a time where the
    /// system has large pages (transparent huge pages on `madvise` or `always`): five eighths, the
    /// index, soon.
    pub bytes: usize,
    /// How long a flow can still be looked up after it ended, rounded up to a tenth of a second.
    pub grace: Duration,
    /// How long a flow that was announced waits for its first lookup before it is dropped, rounded
    /// up to a tenth of a second: connections that pass through the host, and that nobody here asks
    /// for. `None` keeps all. Listed flows are kept always.
    pub orphan_lifetime: Option<Duration>,
}

impl Default for NatOptions {
    /// 16 MiB, which is 131,072 IPv4 flows; ten seconds of grace; two minutes for orphans.
    fn default() -> Self {
        let orphan_lifetime = Some(Duration::from_secs(120));
        Self { bytes: 16 << 20, grace: Duration::from_secs(10), orphan_lifetime }
    }
}

/// What happened to a table so far.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NatCounters {
    /// Translated flows that were entered.
    pub registered: u64,
    /// Flows that were there already, and the same.
    pub known: u64,
    /// Flows that were not entered because they are not translated.
    pub not_translated: u64,
    /// Entries removed because their flow ended, or somebody asked.
    pub unregistered: u64,
    /// Entries removed because another flow has one of their directions now: the word of their end
    /// was lost.
    pub replaced: u64,
    /// Entries removed because a list did not have them.
    pub swept: u64,
    /// Entries removed because nobody ever looked them up.
    pub orphans_expired: u64,
    /// Entries removed for want of room.
    pub evicted: u64,
    /// How long entering took: of every 64th flow.
    pub register_durations: Histogram,
    /// How long removing took: of every 64th flow.
    pub unregister_durations: Histogram,
}
