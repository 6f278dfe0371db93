//! Netlink messages and attributes: reading, writing, extended acks, listings and captures.
//!
//! `no_std` with `alloc`, no unsafe code, no dependency. Nothing here performs I/O: bytes come in,
//! values go out, and the other way round.

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod ack;
pub mod attr;
pub mod bpf;
pub mod datagram;
pub mod errno;
pub mod error;
pub mod header;
pub mod json;
pub mod listing;
pub mod number;
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
