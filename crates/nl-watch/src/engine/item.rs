//! What an engine tells, and counts.

use std::time::Duration;

use nl_socket::Loss;

use crate::mirror::Change;
use crate::pressure::EventFilter;

/// One item of a stream that tells of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Item<T> {
    /// The first list is complete and the mirror holds it; from here on changes follow.
    Listed {
        /// How many entries there are.
        entries: usize,
        /// How long it took.
        took: Duration,
    },
    /// An entry came, went or changed.
    Change(Change<T>),
    /// Something was lost; the mirror may be wrong until [`Item::Resynced`].
    Lost(Loss),
    /// The table was listed again. The differences were told as changes before this item.
    Resynced {
        /// Entries found that nobody had announced.
        added: usize,
        /// Entries gone without announcement.
        removed: usize,
        /// Entries found in another state.
        changed: usize,
        /// How long it took, all attempts together.
        took: Duration,
    },
    /// Overload control changed the filter of the events: from here on the mirror holds the entries
    /// whose beginnings pass, and of others that it holds already those whose ends pass. Where more
    /// passes than before, a [`Item::Resynced`] follows.
    Filtered(EventFilter),
    /// This entry lives, but is not followed any more, because nobody will tell of its end.
    Forgotten(T),
    /// An entry was not taken in, because the mirror has reached its [`Budget`](crate::Budget); nor will others be.
    /// It is incomplete until a [`Item::Resynced`] after which the engine is no longer
    /// [full](crate::Engine::is_full).
    Full {
        /// How many entries there are.
        entries: usize,
        /// How many bytes they take, about.
        bytes: usize,
    },
}

/// What befell a mirror since it was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Events received, those included that meant nothing for the table.
    pub events: u64,
    /// Losses of any kind, in events and in lists.
    pub losses: u64,
    /// Messages that the kernel dropped because the receive queue was full.
    pub dropped: u64,
    /// Messages that could not be decoded.
    pub undecodable: u64,
    /// Entries not taken in because the mirror was full.
    pub refused: u64,
    /// Entries that live, but were given up because their ends no longer pass the filter.
    pub forgotten: u64,
    /// Times that a list was begun.
    pub lists: u64,
    /// Lists during which the table changed in a way that makes them untrustworthy.
    pub interrupted: u64,
    /// Lists that failed.
    pub failed: u64,
    /// Resyncs: lists after the first that were complete.
    pub resyncs: u64,
    /// The time all of these took.
    pub resync_time: Duration,
    /// What resyncs found to be different from what was announced.
    pub repaired: u64,
}
