//! Events: what changed.

use alloc::boxed::Box;

use nl_wire::{Error, Message};

use crate::address::Address;
use crate::link::Link;
use crate::neighbour::Neighbour;
use crate::netconf::Netconf;
use crate::nexthop::{Nexthop, NexthopBucket};
use crate::object::{Action, Object};
use crate::request::Change;
use crate::route::Route;
use crate::router_prefix::RouterPrefix;
use crate::rule::Rule;
use crate::tables::{
    RTM_DELADDR, RTM_DELLINK, RTM_DELNEIGH, RTM_DELNETCONF, RTM_DELNEXTHOP, RTM_DELNEXTHOPBUCKET,
    RTM_DELQDISC, RTM_DELROUTE, RTM_DELRULE, RTM_DELTCLASS, RTM_NEWADDR, RTM_NEWLINK, RTM_NEWNEIGH,
    RTM_NEWNETCONF, RTM_NEWNEXTHOP, RTM_NEWNEXTHOPBUCKET, RTM_NEWPREFIX, RTM_NEWQDISC,
    RTM_NEWROUTE, RTM_NEWRULE, RTM_NEWTCLASS,
};
use crate::traffic::{Class, Qdisc};
use crate::value::Group;

/// A change that the kernel told the members of a group of.
///
/// The event of a route tells whether it was added, replaced another, or stands before or behind
/// others of its key, that of a nexthop object whether it was added or replaced another. For all
/// else the kernel makes no difference between new and changed: both are [`Action::Change`].
///
/// IPv4 routes also vanish without an event: with the link or the last address of the link, and
/// with their nexthop object. So who follows routes alone misses that a default route is gone: list
/// them again when a link goes down and after each loss, or have nl-watch do all of this.
///
/// ```
/// use nl_route::{Event, Group, LinkFlags};
/// use nl_socket::{Events, Wait};
/// use nl_wire::value::Family;
///
/// let groups = [Group::LINK, Group::IPV4_ROUTE, Group::IPV6_ROUTE];
/// let mut events = Events::open(Family::ROUTE, &groups)?;
/// while let Some(event) = events.next(Wait::Never)? {
///     let message = match event {
///         nl_socket::Event::Message { message, .. } => message,
///         nl_socket::Event::Loss(loss) => {
///             println!("{loss}: list again");
///             continue;
///         }
///     };
///     match Event::decode(&message)? {
///         Some(Event::Link(link)) if !link.object.flags.contains(LinkFlags::LOWER_UP) => {
///             println!("link {} is down: list again", link.object.index);
///         }
///         Some(Event::Route(route)) if route.object.destination.is_none() => {
///             println!("default route {:?}: {:?}", route.action, route.object.gateway);
///         }
///         _ => {}
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// A route, of unicast or, with the families `IPMR` and `IP6MR`, of multicast.
    Route(Change<Route>),
    /// A link.
    Link(Box<Change<Link>>),
    /// An address.
    Address(Change<Address>),
    /// A neighbour, proxy entry or forwarding entry.
    Neighbour(Box<Change<Neighbour>>),
    /// A rule.
    Rule(Box<Change<Rule>>),
    /// A nexthop object.
    Nexthop(Box<Change<Nexthop>>),
    /// A bucket of a resilient group.
    NexthopBucket(Change<NexthopBucket>),
    /// Settings of an interface; only those that changed.
    Netconf(Box<Change<Netconf>>),
    /// A prefix that a router advertised.
    RouterPrefix(Box<RouterPrefix>),
    /// A queueing discipline.
    Qdisc(Box<Change<Qdisc>>),
    /// A class of one.
    Class(Box<Change<Class>>),
}

impl Event {
    /// The groups that tell the events that [`Event::decode`] reads.
    pub const GROUPS: [Group; 16] = [
        Group::LINK,
        Group::IPV4_IFADDR,
        Group::IPV6_IFADDR,
        Group::IPV4_ROUTE,
        Group::IPV6_ROUTE,
        Group::NEIGH,
        Group::IPV4_RULE,
        Group::IPV6_RULE,
        Group::NEXTHOP,
        Group::IPV4_MROUTE,
        Group::IPV6_MROUTE,
        Group::IPV4_NETCONF,
        Group::IPV6_NETCONF,
        Group::MPLS_NETCONF,
        Group::IPV6_PREFIX,
        Group::TC,
    ];

    /// Reads an event; `None` if it is about another kind of object.
    ///
    /// # Errors
    /// If the message is damaged.
    pub fn decode(message: &Message<'_>) -> Result<Option<Self>, Error> {
        Ok(Some(match message.header.message_type {
            RTM_NEWROUTE | RTM_DELROUTE => Self::Route(change(message)?),
            RTM_NEWLINK | RTM_DELLINK => Self::Link(Box::new(change(message)?)),
            RTM_NEWADDR | RTM_DELADDR => Self::Address(change(message)?),
            RTM_NEWNEIGH | RTM_DELNEIGH => Self::Neighbour(Box::new(change(message)?)),
            RTM_NEWRULE | RTM_DELRULE => Self::Rule(Box::new(change(message)?)),
            RTM_NEWNEXTHOP | RTM_DELNEXTHOP => Self::Nexthop(Box::new(change(message)?)),
            RTM_NEWNEXTHOPBUCKET | RTM_DELNEXTHOPBUCKET => Self::NexthopBucket(change(message)?),
            RTM_NEWNETCONF | RTM_DELNETCONF => Self::Netconf(Box::new(change(message)?)),
            RTM_NEWPREFIX => Self::RouterPrefix(Box::new(RouterPrefix::decode(message)?)),
            RTM_NEWQDISC | RTM_DELQDISC => Self::Qdisc(Box::new(change(message)?)),
            RTM_NEWTCLASS | RTM_DELTCLASS => Self::Class(Box::new(change(message)?)),
            _ => return Ok(None),
        }))
    }
}

fn change<T: Object>(message: &Message<'_>) -> Result<Change<T>, Error> {
    Ok(Change { action: Action::of_event(message, T::DELETE), object: T::decode(message)? })
}
