//! Mirrors of kernel tables kept right: list, watch, resync.
//!
//! A [`Watch`] subscribes to the events of a table, lists it, merges both and follows. What was
//! lost on the way is told as an item of its stream, and repaired by listing again: exactly the
//! differences are told. [`Watch::mirror`] is the table as far as it is known.
//!
//! What can be watched is an [`Object`]: [`Flows`], [`Routes`], [`Links`], [`Addresses`].

mod mirror;
mod object;
pub mod pressure;
mod watch;

pub use mirror::{Change, Mirror};
pub use object::{Addresses, Flows, Links, Notice, Object, RouteKey, Routes};
pub use watch::{Item, Watch};

/// The examples of the README, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
