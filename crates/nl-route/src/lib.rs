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

#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod address;
pub mod address_label;
pub mod encap;
pub mod event;
pub mod filter;
pub mod json;
pub mod link;
pub mod names;
pub mod neighbour;
pub mod neighbour_table;
pub mod netconf;
pub mod nexthop;
pub mod nsid;
pub mod object;
pub mod parse;
pub mod prefix;
mod print;
pub mod request;
pub mod route;
pub mod router_prefix;
pub mod rule;
pub mod tables;
pub mod text;
pub mod traffic;
pub mod value;

pub use address::Address;
pub use address_label::{AddressLabel, GetAddressLabel};
pub use event::Event;
pub use link::Link;
pub use neighbour::{GetNeighbour, Neighbour};
pub use neighbour_table::NeighbourTable;
pub use netconf::{GetNetconf, Netconf};
pub use nexthop::{GetNexthop, Nexthop, NexthopBucket};
pub use nl_wire::value::AddressFamily;
pub use object::{Action, Object};
pub use prefix::Prefix;
pub use print::{Context, Hidden};
pub use request::{Change, GetLink, GetRoute, List};
pub use route::Route;
pub use router_prefix::RouterPrefix;
pub use rule::Rule;
pub use tables::PROTOCOL;
pub use traffic::{Class, GetClass, GetQdisc, Qdisc};
pub use value::{
    AddressFlags, Group, LinkFlags, OperState, RouteFlags, RouteProtocol, RouteType, Scope, TableId,
};
