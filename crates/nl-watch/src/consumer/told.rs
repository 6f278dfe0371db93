//! What a consumer is told to do, and what it tells.

use std::sync::Arc;
use std::time::Duration;

use nl_socket::{Connection, Loss, Trace};

use super::namespace::{Namespace, NamespaceError};
use crate::engine::Item;
use crate::mirror::Budget;
use crate::pressure::GovernorOptions;
use crate::watch::RECEIVE_BUFFER;

/// How the events of other namespaces are heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Strategy {
    /// By one socket (`NETLINK_LISTEN_ALL_NSID`). The kernel delivers the events of namespaces that
    /// have an id in ours; those without are given one. Keeps no namespace alive, and hears also
    /// those to which no path leads. An overrun concerns all.
    #[default]
    Shared,
    /// By a socket in each. An overrun concerns one only. The sockets keep a namespace alive until
    /// the next scan after the last path to it is gone.
    Separate,
}

/// How a [`Consumer`](super::Consumer) works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How events are heard.
    pub strategy: Strategy,
    /// Whether to look for namespaces of processes also, not only for mounted ones.
    pub processes: bool,
    /// How often to look for namespaces. Mounts and ids are also told as they come and go.
    pub scan: Duration,
    /// The receive buffer of each event socket to ask for, in bytes, [`RECEIVE_BUFFER`] by default;
    /// `None`: the kernel's default, which has room for some hundred events.
    pub receive_buffer: Option<usize>,
    /// What the mirror of each namespace may hold; all together that many times it.
    pub budget: Budget,
    /// How long to wait for the next part of a list, [`Connection::TIMEOUT`] by default.
    pub timeout: Duration,
    /// How many events may come, of all namespaces together, before fewer entries are followed in
    /// each ([`Item::Filtered`]), if the events of this table can be filtered, by default those of
    /// [`GovernorOptions`]; `None`: they may overrun the queue, and whoever reads.
    pub pressure: Option<GovernorOptions>,
    /// What sees every message, events and lists.
    pub tracer: Option<fn(&Trace<'_>)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            processes: true,
            scan: Duration::from_secs(1),
            receive_buffer: Some(RECEIVE_BUFFER),
            budget: Budget::default(),
            timeout: Connection::TIMEOUT,
            pressure: Some(GovernorOptions::default()),
            tracer: None,
        }
    }
}

/// One item of a consumer's stream.
#[derive(Debug)]
#[non_exhaustive]
pub enum Told<T> {
    /// A namespace was found, or came into being. Its list and its changes follow.
    Found(Arc<Namespace>),
    /// What there is to tell of the table of one namespace, as by a [`Watch`](crate::Watch).
    Item {
        /// The namespace.
        namespace: Arc<Namespace>,
        /// What there is to tell.
        item: Item<T>,
    },
    /// A namespace ended, or nothing leads to it any more; its entries are gone with it.
    Gone {
        /// As it was last known.
        namespace: Arc<Namespace>,
        /// How many entries were dropped.
        entries: usize,
    },
    /// Something could not be done in a namespace. Without permission it is not tried again; what
    /// can be heard of its events is told none the less.
    Failed {
        /// The namespace.
        namespace: Arc<Namespace>,
        /// What, and why.
        error: NamespaceError,
    },
    /// Something was lost that may concern each namespace that has no socket of its own: all of
    /// these are listed again. What a socket of one namespace's own loses, or a list, is told as
    /// [`Item::Lost`].
    Lost(Loss),
    /// Events that may be of either of two namespaces, since one ended and the other was given its
    /// id in the meantime. The one that lives is listed again.
    Unattributed {
        /// The id.
        nsid: i32,
        /// How many events.
        events: usize,
    },
}
