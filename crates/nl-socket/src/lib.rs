//! Netlink sockets for Linux.
//!
//! The lower half of this crate moves bytes and knows no message: [`socket`]
//! opens, joins and sends, [`options`] holds the socket options, [`ring`]
//! receives many datagrams with one system call, [`filter`] (`bpf` of nl-wire)
//! makes classic BPF, [`netns`] names, enters and makes network namespaces, [`poll`] waits for
//! many descriptors, [`host`] for signals beside a socket.
//!
//! The upper half speaks netlink, of no particular family: [`connection`] runs requests, [`events`]
//! follows announcements, [`exchange`] is the engine beneath, without I/O, and [`trace`] shows every
//! message. What is asked and answered is said by values that implement
//! [`Request`](nl_wire::Request): nl-route and nl-conntrack have many, and one's own is short.
//!
//! ```
//! use nl_socket::Connection;
//! use nl_wire::table::{Layout, Protocol, Table};
//! use nl_wire::{Error, Message, Mode, Request, Writer, value::Family};
//!
//! nl_wire::protocol! {
//!     /// As much of rtnetlink as this needs.
//!     static RTNETLINK: Family::ROUTE {
//!         RTM_GETLINK = 18: Get, Layout::NONE, Table::EMPTY;
//!     }
//! }
//!
//! /// Asks for the index of every interface.
//! struct Indexes;
//!
//! impl Request for Indexes {
//!     type Item = u32;
//!     const MODE: Mode = Mode::Dump;
//!
//!     fn protocol(&self) -> &'static Protocol {
//!         &RTNETLINK
//!     }
//!
//!     fn message_type(&self) -> u16 {
//!         RTM_GETLINK
//!     }
//!
//!     fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
//!         writer.fixed(&[0; 16]); // struct ifinfomsg
//!         Ok(())
//!     }
//!
//!     fn read(&self, message: &Message<'_>) -> Result<Option<u32>, Error> {
//!         let index = message.body().get(4..).and_then(|rest| rest.first_chunk());
//!         Ok(index.map(|bytes| u32::from_ne_bytes(*bytes)))
//!     }
//! }
//!
//! let mut connection = Connection::open(Family::ROUTE)?;
//! let indexes = connection.dump(Indexes)?.collect::<Result<Vec<u32>, _>>()?;
//! assert!(indexes.contains(&1), "the loopback device");
//! # Ok::<(), nl_socket::Error>(())
//! ```
//!
//! # Features
//!
//! All are on by default.
//!
//! - `names`: refusals name attributes and errors. Without it they tell the byte of the request, and
//!   numbers.
//! - `listing` (with `names`): [`Trace`]s print themselves.
//! - `bpf`: socket filters ([`filter`], `Socket::attach_filter`).
//! - `events`: following announcements ([`events`]).
//! - `netns`: network namespaces ([`netns`], `open_in`).
//! - `host`: waiting for many descriptors ([`poll`]), signals and the local time ([`host`]).
//! - `threads`: dumps side by side ([`parallel`]) and ahead of their reader
//!   (`Connection::read_ahead`).
//!
//! Linux only. Every `unsafe` line of the workspace is in the private module
//! `sys`.
#![cfg_attr(docsrs, feature(doc_cfg))]
// What is left out can't be linked to.
#![cfg_attr(
    not(all(
        feature = "listing",
        feature = "bpf",
        feature = "events",
        feature = "netns",
        feature = "host",
        feature = "threads"
    )),
    allow(rustdoc::broken_intra_doc_links)
)]
#![deny(unsafe_code)]

#[cfg(not(target_os = "linux"))]
compile_error!("netlink sockets exist on Linux only");

pub mod connection;
pub mod error;
#[cfg(feature = "events")]
pub mod events;
pub mod exchange;
#[cfg(feature = "host")]
pub mod host;
#[cfg(feature = "netns")]
pub mod netns;
pub mod options;
#[cfg(feature = "host")]
pub mod poll;
pub mod ring;
pub mod socket;
#[allow(unsafe_code)]
mod sys;
pub mod trace;

#[cfg(feature = "threads")]
#[doc(inline)]
pub use connection::parallel;
#[doc(inline)]
pub use connection::{Batch, Connection, Counters, Replies};
#[doc(inline)]
pub use error::{Error, Loss};
#[cfg(feature = "events")]
#[doc(inline)]
pub use events::{Event, Events, Received};
#[cfg(feature = "netns")]
#[doc(inline)]
pub use netns::Netns;
#[cfg(feature = "bpf")]
#[doc(inline)]
pub use nl_wire::bpf as filter;
#[doc(inline)]
pub use options::{MemInfo, NetlinkOption};
#[cfg(feature = "host")]
#[doc(inline)]
pub use poll::Poller;
#[doc(inline)]
pub use ring::{Datagram, Ring};
#[doc(inline)]
pub use socket::{Socket, Wait};
#[doc(inline)]
pub use sys::memory::{Pages, Zeroed};
#[doc(inline)]
pub use trace::{Direction, Trace, Tracer};
