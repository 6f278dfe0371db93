//! What a mirror can hold.

use std::fmt::Debug;
use std::time::Duration;

use nl_socket::Connection;
use nl_wire::table::Protocol;
use nl_wire::value::Family;
use nl_wire::{Error, Message, Request};

use crate::pressure::Gate;

mod address;
mod expectation;
mod flow;
mod forwarding;
mod link;
mod neighbour;
mod nexthop;
mod route;
mod rule;

pub use address::Addresses;
pub use expectation::Expectations;
pub use flow::Flows;
pub use forwarding::Forwarding;
pub use link::Links;
pub use neighbour::Neighbours;
pub use nexthop::Nexthops;
pub use route::{RouteKey, Routes};
pub use rule::Rules;

/// The tables that name every message of a netlink protocol: what a list asks for has fewer than
/// the groups bring that are heard beside it.
pub(crate) fn protocol(family: Family) -> &'static Protocol {
    match family {
        Family::NETFILTER => &nl_conntrack::tables::PROTOCOL,
        _ => &nl_route::PROTOCOL,
    }
}

/// One of the kernel's tables: how to list it, and what its events mean.
///
/// The value itself selects a part of the table (a family, a filter) and keeps what is needed to
/// understand events.
pub trait Object {
    /// An entry.
    type Item: Clone + Debug;
    /// What tells entries apart.
    type Key: Ord + Debug;
    /// The request that lists the table.
    type List: Request<Item = Self::Item>;

    /// The netlink protocol.
    const FAMILY: Family;
    /// The multicast groups whose events tell of changes.
    const GROUPS: &'static [u32];

    /// Whether an entry that is removed while the table is listed may make the kernel pass over
    /// another one: it counts entries to find where it was. It does not say so
    /// (`NLM_F_DUMP_INTR`), so the table is then listed again.
    const REMOVAL_UPSETS_LIST: bool = false;

    /// How often the table is listed again though nothing hints at a change, where entries vanish
    /// without any sign.
    const RELIST: Option<Duration> = None;

    /// How a gate of overload control judges an entry, if the kernel can filter the events of this
    /// table so (see [`pressure`](crate::pressure)).
    const GATE: Option<fn(&Gate, &Self::Item) -> bool> = None;

    /// The request that lists the table.
    fn list(&self) -> Self::List;

    /// Waits until the kernel has carried out what it announced already: called before each list, on
    /// its connection. The event of a link that goes up or down is sent before other tables change
    /// accordingly.
    ///
    /// # Errors
    /// If the connection fails.
    fn settle(&self, _: &mut Connection) -> Result<(), nl_socket::Error> {
        Ok(())
    }

    /// Whether a listed entry belongs to what is watched.
    fn covers(&self, _: &Self::Item) -> bool {
        true
    }

    /// The key of an entry.
    fn key(item: &Self::Item) -> Self::Key;

    /// Whether two entries of one key are the same entry, perhaps in different states.
    fn is_same(_: &Self::Item, _: &Self::Item) -> bool {
        true
    }

    /// Whether the two states of an entry differ in nothing that the kernel announces. What changes
    /// without an event (counters, remaining lifetimes) does not count.
    fn is_equal(a: &Self::Item, b: &Self::Item) -> bool;

    /// Brings an entry up to date with what an event or a list says. Events may be partial.
    fn merge(old: &mut Self::Item, new: Self::Item);

    /// Brings an entry up to date with what the event of its end says of it, for those who are told
    /// that it is gone. Of most tables that is nothing new.
    fn conclude(_: &mut Self::Item, _end: &Self::Item) {}

    /// About how many bytes of memory an entry takes.
    fn bytes(item: &Self::Item) -> usize {
        size_of_val(item)
    }

    /// Events were lost: forgets what earlier ones said, where later ones are compared with it.
    fn forget(&mut self) {}

    /// What an event means.
    ///
    /// # Errors
    /// If the message can't be decoded.
    fn notice(&mut self, message: &Message<'_>) -> Result<Notice<Self::Item>, Error>;
}

/// What an event means for a mirror.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Notice<T> {
    /// Nothing.
    Nothing,
    /// This entry exists, in this state.
    Put(T),
    /// This entry took the place of the one that had its key.
    Replace(T),
    /// This entry is gone.
    Remove(T),
    /// Entries may have changed without being announced: list again.
    Stale,
}
