//! Netlink messages and attributes: reading, writing, extended acks, listings and captures.
//!
//! `no_std` with `alloc`, no unsafe code, no dependency. Nothing here performs I/O: bytes come in,
//! values go out, and the other way round.
//!
//! # Features
//!
//! All are on by default. Without them the crate reads and writes messages and attributes, resolves
//! refusals, and is soon built.
//!
//! - `names`: the kernel's names of attributes, messages, numbers and errors. Without it the tables
//!   hold what attributes contain, paths, flags and errors print as numbers, and refusals tell the
//!   byte of the request instead of the attribute ([`Failure`]).
//! - `listing` (with `names`): the annotated listing of any message, [`listing`].
//! - `json`: the JSON writer [`json`] and, for it and text output, [`number`].
//! - `pcap`: captures, [`pcap`].
//! - `bpf`: classic BPF, [`bpf`].

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod ack;
pub mod attr;
#[cfg(feature = "bpf")]
pub mod bpf;
pub mod datagram;
pub mod errno;
pub mod error;
pub mod header;
#[cfg(feature = "json")]
pub mod json;
#[cfg(feature = "listing")]
pub mod listing;
#[cfg(feature = "json")]
pub mod number;
#[cfg(feature = "pcap")]
pub mod pcap;
pub mod policy;
pub mod prefix;
pub mod request;
pub mod shape;
pub mod table;
pub mod text;
pub mod value;
pub mod words;
pub mod write;

pub use ack::{Ack, Failure};
pub use attr::{Attr, Attrs, RawAttr};
pub use datagram::{Message, Messages};
pub use errno::Errno;
pub use error::{Error, Expected, Problem};
pub use header::{Flags, Header};
pub use prefix::Prefix;
pub use request::{Mode, Request};
pub use write::Writer;
