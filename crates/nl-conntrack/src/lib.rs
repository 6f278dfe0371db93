//! Connection tracking over netlink (`nfnetlink_conntrack`): flows from bytes and back, requests as
//! values.
//!
//! No I/O: bytes come in, values go out, and the other way round. With a connection of `nl-socket`
//! the requests run against the kernel; without, everything works on recorded bytes.
//!
//! - [`Flow`] is a flow with all its attributes, [`Expectation`] one that a helper announced,
//!   [`Event`] what happened to one. [`FlowView`] reads single fields without decoding the others.
//! - [`List`], [`Get`], [`Change`] (create, update, delete) and [`Flush`] are requests about flows,
//!   [`ExpectationChange`] and its like about expectations, [`TimeoutChange`] about timeouts;
//!   [`stats`] holds those for statistics.
//! - [`EventFilter`] says which events are wanted, and compiles it to a program for the kernel.
//! - [`text`] prints the lines of conntrack(8), [`json`] our own JSON; [`parse`] reads conntrack(8)'s
//!   options.
//! - [`tables`] names every attribute, for listings and errors.
//!
//! Decoding an ordinary flow allocates nothing.
//!
//! ```
//! use nl_conntrack::{Change, Event, EventKind, Flow, IpProtocol, Status, Tuple, tables, text};
//! use nl_wire::{Flags, Header, Message, Request, write};
//!
//! // A request: encode it, send it, and the kernel makes the flow.
//! let client = ("10.0.0.1".parse()?, 4000);
//! let tuple = Tuple::with_ports(IpProtocol::UDP, client, ("10.0.0.2".parse()?, 53));
//! let flow = Flow { timeout: Some(60), mark: Some(7), ..Flow::new(tuple) };
//! let mut request = Vec::new();
//! Change::create(flow.clone()).encode(1, &mut request)?;
//! let message = Message::decode(&request)?;
//! assert_eq!(message.header.message_type, tables::IPCTNL_MSG_CT_NEW);
//! assert_eq!(message.header.flags, Flags::REQUEST | Flags::CREATE | Flags::EXCL);
//!
//! // Bytes as the kernel sends them, here an event that we write ourselves.
//! let mut bytes = Vec::new();
//! let header = Header {
//!     message_type: tables::IPCTNL_MSG_CT_NEW,
//!     flags: Flags::CREATE | Flags::EXCL,
//!     ..Header::default()
//! };
//! let reported = Flow { status: Some(Status::CONFIRMED), ..flow };
//! write::message(&mut bytes, header, |writer| reported.write(writer))?;
//!
//! let event = Event::decode(&Message::decode(&bytes)?)?.expect("an event of flows");
//! assert_eq!((event.kind, &event.flow), (EventKind::New, &reported));
//! let mut line = String::new();
//! text::event(&mut line, &event, None, None, &text::Options::default());
//! assert_eq!(
//!     line,
//!     "    [NEW] udp      17 60 src=10.0.0.1 dst=10.0.0.2 sport=4000 dport=53 [UNREPLIED] \
//!      src=10.0.0.2 dst=10.0.0.1 sport=53 dport=4000 mark=7",
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! `examples/port_mapper` shows it with a connection: lists that the kernel filters, marks, deletions,
//! and the ends of flows as they are announced.
//!
//! # Features
//!
//! All are on by default. Without them all objects, requests and events are left.
//!
//! - `names`: the kernel's names of attributes, messages and numbers. Without it errors tell the
//!   numbers of attributes, refusals the byte of the request, `Debug` of numbers prints numbers, and
//!   the states of [`Timeouts`] go by number alone ([`Timeouts::seconds`]).
//! - `bpf`: [`EventFilter`].
//! - `text` (with both): lines of conntrack(8), XML ([`text`]), JSON ([`json`]), and the options of
//!   conntrack(8) ([`parse`]).

#![cfg_attr(docsrs, feature(doc_cfg))]
// What is left out can't be linked to.
#![cfg_attr(not(feature = "text"), allow(rustdoc::broken_intra_doc_links))]
#![no_std]

extern crate alloc;

pub mod change;
mod encode;
pub mod event;
#[cfg(feature = "bpf")]
pub mod event_filter;
pub mod expect;
pub mod expect_request;
pub mod extension;
pub mod flow;
#[cfg(feature = "text")]
pub mod json;
#[cfg(feature = "text")]
pub mod parse;
pub mod protocol_info;
pub mod request;
#[cfg(test)]
mod shaped;
pub mod stats;
pub mod tables;
#[cfg(feature = "text")]
pub mod text;
pub mod timeout;
pub mod tuple;
pub mod tuple_filter;
mod unknown;
pub mod value;
pub mod view;

#[doc(inline)]
pub use change::{Action, Change, NatRange};
#[doc(inline)]
pub use event::{Event, EventKind, ExpectationEvent, groups};
#[cfg(feature = "bpf")]
#[doc(inline)]
pub use event_filter::EventFilter;
#[doc(inline)]
pub use expect::Expectation;
#[doc(inline)]
pub use expect_request::{ExpectationChange, ExpectationKey, GetExpectation, ListExpectations};
#[doc(inline)]
pub use extension::{Counters, Helper, Labels, SeqAdj, Synproxy};
#[doc(inline)]
pub use flow::Flow;
#[doc(inline)]
pub use protocol_info::{Dccp, ProtocolInfo, Sctp, Tcp, TcpFlagChange};
#[doc(inline)]
pub use request::{Filter, Flush, Get, List, ListDying, ListUnconfirmed, Lookup, Masked};
#[doc(inline)]
pub use timeout::{GetTimeouts, ListTimeouts, TimeoutChange, Timeouts};
#[doc(inline)]
pub use tuple::{L4, Tuple};
#[doc(inline)]
pub use tuple_filter::TupleFilter;
#[doc(inline)]
pub use value::{
    DccpRole, DccpState, ExpectFlags, IpProtocol, SctpState, Status, TcpFlags, TcpState,
};
#[doc(inline)]
pub use view::FlowView;

/// The examples of the manual are tests.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/conntrack.md")]
struct Manual;

/// The example of the README is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
