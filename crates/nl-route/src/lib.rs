//! The rtnetlink codec: routes, links and addresses from bytes and back, requests as values.
//!
//! Nothing here performs I/O: a connection of nl-socket runs the [`request`]s, or anything else
//! that carries bytes.
//!
//! ```
//! use nl_route::request::{Change, List};
//! use nl_route::{Prefix, Route, RouteProtocol, TableId};
//! use nl_wire::{Message, Request};
//!
//! // A request is a value that writes itself …
//! let route = Route {
//!     destination: Some("10.1.0.0/16".parse::<Prefix>()?),
//!     gateway: Some("192.0.2.1".parse()?),
//!     protocol: RouteProtocol::STATIC,
//!     ..Route::default()
//! };
//! let mut bytes = Vec::new();
//! Change::add(route.clone()).encode(1, &mut bytes)?;
//!
//! // … and what the kernel sends is read back into the same type.
//! let read = Route::decode(&Message::decode(&bytes)?)?;
//! assert_eq!(read.destination, route.destination);
//! assert_eq!(read.table, TableId::MAIN);
//!
//! // A list checks each entry of the answer.
//! let item = List::<Route>::default().read(&Message::decode(&bytes)?)?;
//! assert_eq!(item, Some(read));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With a connection of nl-socket:
//!
//! ```
//! use nl_route::{Address, GetLink, filter::AddressFilter, request::List};
//! use nl_socket::Connection;
//! use nl_wire::value::Family;
//!
//! let mut kernel = Connection::open(Family::ROUTE)?;
//! let loopback = kernel.get(GetLink::named("lo"))?;
//! let filter = AddressFilter { index: Some(loopback.index), ..AddressFilter::default() };
//! for address in kernel.dump(List::<Address> { filter })? {
//!     println!("{:?}", address?.own());
//! }
//! # Ok::<(), nl_socket::Error>(())
//! ```
//!
//! The programs in `examples` do more, each in a network namespace of its own: `cni` connects a
//! container as a CNI plugin does, `vpn` sends packets through a tunnel by rules and a table of 5,000
//! routes, and follows what changes.
//!
//! # Features
//!
//! All are on by default. Without them routes are left, with all that concerns them: a crate that
//! is soon built.
//!
//! - `link`: links and addresses; and the tables of all objects, [`PROTOCOL`] among them.
//! - `objects` (with `link`): all other objects, the contents of [`encap`], and [`Event`]s.
//! - `names`: the kernel's names of attributes, messages and numbers. Without it errors tell the
//!   numbers of attributes, refusals the byte of the request, and `Debug` of numbers prints numbers.
//! - `text` (with `objects` and `names`): output as ip(8) prints it and as JSON ([`text`],
//!   [`json`]), names from files ([`names`]), and the words of ip(8) ([`parse`]).

#![cfg_attr(docsrs, feature(doc_cfg))]
// What is left out can't be linked to.
#![cfg_attr(not(feature = "text"), allow(rustdoc::broken_intra_doc_links))]
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

#[cfg(feature = "link")]
pub mod address;
#[cfg(feature = "objects")]
pub mod address_label;
#[cfg(feature = "objects")]
pub mod bridge;
#[cfg(feature = "objects")]
pub mod encap;
#[cfg(feature = "objects")]
pub mod event;
pub mod filter;
#[cfg(feature = "text")]
pub mod json;
#[cfg(feature = "link")]
pub mod link;
#[cfg(feature = "text")]
pub mod membership;
#[cfg(feature = "text")]
pub mod names;
#[cfg(feature = "objects")]
pub mod neighbour;
#[cfg(feature = "objects")]
pub mod neighbour_table;
#[cfg(feature = "objects")]
pub mod netconf;
#[cfg(feature = "objects")]
pub mod nexthop;
#[cfg(feature = "objects")]
pub mod nsid;
pub mod object;
#[cfg(feature = "text")]
pub mod parse;
pub mod prefix;
#[cfg(feature = "text")]
mod print;
pub mod request;
pub mod route;
#[cfg(feature = "objects")]
pub mod router_prefix;
#[cfg(feature = "objects")]
pub mod rule;
pub mod tables;
#[cfg(feature = "text")]
pub mod text;
#[cfg(feature = "objects")]
pub mod traffic;
pub mod value;

#[cfg(feature = "link")]
#[doc(inline)]
pub use address::Address;
#[cfg(feature = "objects")]
#[doc(inline)]
pub use address_label::{AddressLabel, GetAddressLabel};
#[cfg(feature = "objects")]
#[doc(inline)]
pub use event::Event;
#[cfg(feature = "link")]
#[doc(inline)]
pub use link::Link;
#[cfg(feature = "objects")]
#[doc(inline)]
pub use neighbour::{GetNeighbour, Neighbour};
#[cfg(feature = "objects")]
#[doc(inline)]
pub use neighbour_table::NeighbourTable;
#[cfg(feature = "objects")]
#[doc(inline)]
pub use netconf::{GetNetconf, Netconf};
#[cfg(feature = "objects")]
#[doc(inline)]
pub use nexthop::{GetNexthop, Nexthop, NexthopBucket};
#[doc(inline)]
pub use nl_wire::value::AddressFamily;
#[doc(inline)]
pub use object::{Action, Object};
#[doc(inline)]
pub use prefix::Prefix;
#[cfg(feature = "text")]
#[doc(inline)]
pub use print::{Context, Hidden};
#[cfg(feature = "link")]
#[doc(inline)]
pub use request::GetLink;
#[doc(inline)]
pub use request::{Change, GetRoute, List};
#[doc(inline)]
pub use route::Route;
#[cfg(feature = "objects")]
#[doc(inline)]
pub use router_prefix::RouterPrefix;
#[cfg(feature = "objects")]
#[doc(inline)]
pub use rule::Rule;
#[cfg(feature = "link")]
#[doc(inline)]
pub use tables::PROTOCOL;
#[cfg(feature = "objects")]
#[doc(inline)]
pub use traffic::{Class, GetClass, GetQdisc, Qdisc};
#[cfg(feature = "link")]
#[doc(inline)]
pub use value::{AddressFlags, LinkFlags, OperState};
#[doc(inline)]
pub use value::{Group, RouteFlags, RouteProtocol, RouteType, Scope, TableId};
#[cfg(feature = "objects")]
#[doc(inline)]
pub use value::{NeighbourFlags, NeighbourState, RuleAction, RuleFlags};

/// The examples of the README are tests; so is that of nl-socket's, which sends our requests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../../nl-socket/README.md")]
struct Readme;
