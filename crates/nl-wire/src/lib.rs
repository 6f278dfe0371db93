//! Netlink messages and attributes: reading, writing, extended acks, listings and captures.
//!
//! `no_std` with `alloc`, no unsafe code, no dependency. Nothing here performs I/O: bytes come in,
//! values go out, and the other way round.
//!
//! ```
//! use nl_wire::{Attrs, Error, Flags, Header, Message, write};
//!
//! nl_wire::attributes! {
//!     /// Attributes of a route, as many as are needed here.
//!     pub static RTA: "RTA" {
//!         RTA_OIF = 4: U32;
//!         RTA_METRICS = 8: Nest(&METRICS);
//!     }
//!     /// Properties of the path.
//!     pub static METRICS: "RTAX" {
//!         RTAX_MTU = 2: U32;
//!     }
//! }
//!
//! // A message is written in place; lengths and padding are looked after.
//! let mut bytes = Vec::new();
//! let header = Header { message_type: 24, flags: Flags::REQUEST, ..Header::default() };
//! write::message(&mut bytes, header, |w| {
//!     w.fixed(&[2, 0, 0, 0, 254, 0, 0, 0, 0, 0, 0, 0]); // struct rtmsg
//!     w.u32(RTA_OIF, 2);
//!     w.nest(RTA_METRICS, |w| Ok(w.u32(RTAX_MTU, 1400)))
//! })?;
//!
//! // What is read is borrowed, and every length is checked.
//! let mtu = |bytes: &[u8]| -> Result<Option<u32>, Error> {
//!     let (_, attrs) = Attrs::behind(Message::decode(bytes)?.body(), 12)?;
//!     for attr in attrs {
//!         let attr = attr?;
//!         if attr.number() == RTA_METRICS {
//!             for metric in attr.nested() {
//!                 let metric = metric.map_err(|error| error.within(RTA_METRICS))?;
//!                 if metric.number() == RTAX_MTU {
//!                     return Ok(Some(metric.u32().map_err(|error| error.within(RTA_METRICS))?));
//!                 }
//!             }
//!         }
//!     }
//!     Ok(None)
//! };
//! assert_eq!(mtu(&bytes)?, Some(1400));
//!
//! // Errors tell where: the path of attributes, by the names of the table.
//! let last = bytes.len() - 8; // the header of the MTU
//! bytes[last] = 7;
//! let error = mtu(&bytes).unwrap_err().in_table(&RTA);
//! assert_eq!(error.to_string(), "RTA_METRICS/RTAX_MTU: 3 bytes, expected 4");
//! # Ok::<(), Error>(())
//! ```
//!
//! A [`Request`] is a value that writes itself and reads its reply; nl-socket runs it. nl-route and
//! nl-conntrack have those of their protocols.
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
//! - `json`: the JSON writer [`json`].
//! - `pcap`: captures, [`pcap`].
//! - `bpf`: classic BPF, [`bpf`].

#![cfg_attr(docsrs, feature(doc_cfg))]
// What is left out can't be linked to.
#![cfg_attr(
    not(all(feature = "listing", feature = "json", feature = "pcap", feature = "bpf")),
    allow(rustdoc::broken_intra_doc_links)
)]
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

#[doc(inline)]
pub use ack::{Ack, Failure};
#[doc(inline)]
pub use attr::{Attr, Attrs, RawAttr};
#[doc(inline)]
pub use datagram::{Message, Messages};
#[doc(inline)]
pub use errno::Errno;
#[doc(inline)]
pub use error::{Error, Expected, Problem};
#[doc(inline)]
pub use header::{Flags, Header};
#[doc(inline)]
pub use prefix::Prefix;
#[doc(inline)]
pub use request::{Mode, Request};
#[doc(inline)]
pub use write::Writer;

/// The example of the README is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
