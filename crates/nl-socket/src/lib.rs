//! Netlink sockets for Linux.
//!
//! The lower half of this crate moves bytes and knows no message: [`socket`]
//! opens, joins and sends, [`options`] holds the socket options, [`ring`]
//! receives many datagrams with one system call, [`filter`] (`bpf` of nl-wire)
//! makes classic BPF, [`netns`] names, enters and makes network namespaces, [`host`] waits
//! for signals beside a socket.
//!
//! Linux only. Every `unsafe` line of the workspace is in the private module
//! `sys`.
#![deny(unsafe_code)]

#[cfg(not(target_os = "linux"))]
compile_error!("netlink sockets exist on Linux only");

pub mod connection;
pub mod error;
pub mod events;
pub mod exchange;
pub mod host;
pub mod netns;
pub mod options;
pub mod ring;
pub mod socket;
#[allow(unsafe_code)]
mod sys;
pub mod trace;

pub use connection::{Batch, Connection, Counters, Replies};
pub use error::{Error, Loss};
pub use events::{Event, Events};
pub use netns::Netns;
pub use nl_wire::bpf as filter;
pub use options::{MemInfo, NetlinkOption};
pub use ring::{Datagram, Ring};
pub use socket::{Socket, Wait};
pub use trace::{Direction, Trace, Tracer};
