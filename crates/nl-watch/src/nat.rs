//! What NAT makes of connections: from each direction of a translated flow to the other.
//!
//! A [`NatTable`] is written by one thread; any number of [`NatReader`]s look translations up beside
//! it without a lock. A [`Tracker`] fills the table from what the kernel lists and announces.
//!
//! Entries are told apart by namespace, zone, protocol, addresses, and ports, keys (GRE) or ICMP
//! ids. A flow is one record, found by both of its directions; when it ends both are gone.

mod dump;
mod ended;
mod index;
mod key;
mod list;
mod memory;
mod options;
mod reader;
mod table;
mod tracker;

pub use dump::{NatDump, NatEntry};
pub use options::{NatCounters, NatOptions};
pub use reader::{Lookups, NatReader};
pub use table::{Listing, NatTable, Origin};
pub use tracker::Tracker;

/// The examples of the guide, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/nat-tracking.md")]
struct Guide;
