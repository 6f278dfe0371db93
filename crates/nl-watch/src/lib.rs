//! Mirrors of kernel tables kept right: list, watch, resync.
//!
//! A [`Watch`] subscribes to the events of a table, lists it, merges both and follows. What was
//! lost on the way is told as an item of its stream, and repaired by listing again: exactly the
//! differences are told. [`Watch::mirror`] is the table as far as it is known. [`Watch::spawn`] runs
//! it on a thread, and [`Engine`] is what it does without its sockets.
//!
//! A [`Consumer`] does the same for all network namespaces of a host at once.
//!
//! What can be watched is an [`Object`]: [`Flows`], [`Expectations`], [`Routes`], [`Links`],
//! [`Addresses`], [`Neighbours`], [`Forwarding`], [`Rules`], [`Nexthops`].
//!
//! ```
//! use std::time::Duration;
//!
//! use nl_socket::Wait;
//! use nl_watch::{Item, Links, Watch};
//!
//! let mut watch = Watch::open(Links)?;
//! while let Some(item) = watch.next(Wait::at_most(Duration::from_secs(10)))? {
//!     match item {
//!         Item::Change(change) => println!("{change:?}"),
//!         Item::Lost(loss) => println!("{loss}"), // receive queue overrun: 312 messages lost
//!         Item::Resynced { added, removed, .. } => println!("repaired: +{added} -{removed}"),
//!         Item::Listed { entries, .. } => {
//!             println!("{entries} links");
//!             break; // a program would go on
//!         }
//!         _ => {}
//!     }
//! }
//! assert_eq!(watch.mirror().get(&1).len(), 1, "the loopback device");
//! # Ok::<(), nl_socket::Error>(())
//! ```

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod consumer;
mod engine;
pub mod metrics;
mod mirror;
pub mod nat;
mod object;
pub mod pressure;
mod spawn;
mod watch;

pub use consumer::{Consumer, Namespace};
pub use engine::{Counters, Engine, Item};
pub use mirror::{Budget, Change, Mirror};
pub use object::{
    Addresses, Expectations, Flows, Forwarding, Links, Neighbours, Nexthops, Notice, Object,
    RouteKey, Routes, Rules,
};
pub use spawn::Handle;
pub use watch::{RECEIVE_BUFFER, Watch};

/// The examples of the README, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// The examples of the guide to routes.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/route.md")]
struct RouteGuide;
