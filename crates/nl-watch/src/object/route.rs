//! Routes.

use nl_route::filter::RouteFilter;
use nl_route::tables::{RTM_DELNEXTHOP, RTM_NEWNEXTHOP};
use nl_route::{Action, AddressFamily, Event, Group, List, Prefix, Route, TableId};
use nl_socket::Connection;
use nl_wire::value::Family;
use nl_wire::{Error, Message};

use super::link::{self, Seen};
use super::{Notice, Object};

/// The IPv4 and IPv6 routes of a namespace, of all tables, without the cache.
///
/// What the kernel does to routes without announcing it makes the table be listed again: IPv4 routes
/// vanish with their link, with the last address of the link and with their nexthop object; a hop
/// is marked dead when its link goes down; events of several routes with one key do not say which
/// of them was replaced.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Routes {
    /// The flags of each link that was heard of: a change of them may touch routes.
    links: Seen,
}

/// What several routes may share.
pub type RouteKey = (AddressFamily, TableId, Option<Prefix>, Option<Prefix>, u8, u32);

impl Object for Routes {
    type Item = Route;
    type Key = RouteKey;
    type List = List<Route>;

    const FAMILY: Family = Family::ROUTE;
    const GROUPS: &'static [u32] = &[
        Group::LINK.0,
        Group::IPV4_IFADDR.0,
        Group::IPV4_ROUTE.0,
        Group::IPV6_ROUTE.0,
        Group::NEXTHOP.0,
    ];

    /// The dump of IPv6 routes counts them.
    const REMOVAL_UPSETS_LIST: bool = true;

    fn settle(&self, connection: &mut Connection) -> Result<(), nl_socket::Error> {
        link::settle(connection)
    }

    fn list(&self) -> List<Route> {
        List { filter: RouteFilter::default() }
    }

    fn covers(&self, route: &Route) -> bool {
        // A list of all families brings MPLS routes too, whose events are another group's.
        matches!(route.family, AddressFamily::INET | AddressFamily::INET6)
    }

    fn key(route: &Route) -> RouteKey {
        let Route { family, table, destination, source, tos, .. } = *route;
        (family, table, destination, source, tos, route.priority.unwrap_or_default())
    }

    fn is_same(a: &Route, b: &Route) -> bool {
        a == b || lasting(a) == lasting(b)
    }

    fn is_equal(a: &Route, b: &Route) -> bool {
        if a == b {
            return true;
        }
        let hop_flags =
            |route: &Route| -> Vec<_> { route.multipath.iter().map(|hop| hop.flags).collect() };
        a.flags == b.flags && hop_flags(a) == hop_flags(b) && lasting(a) == lasting(b)
    }

    fn merge(old: &mut Route, new: Route) {
        *old = new;
    }

    fn bytes(route: &Route) -> usize {
        size_of::<Route>()
            + size_of_val(route.multipath.as_slice())
            + route.metrics.allocated()
            + route.encap.as_deref().map_or(0, size_of_val)
            + size_of_val(route.unknown.as_slice())
    }

    fn forget(&mut self) {
        self.links = Seen::default();
    }

    fn notice(&mut self, message: &Message<'_>) -> Result<Notice<Route>, Error> {
        if matches!(message.header.message_type, RTM_DELNEXTHOP | RTM_NEWNEXTHOP) {
            return Ok(Notice::Stale);
        }
        Ok(match Event::decode(message)? {
            Some(Event::Route(change)) if self.covers(&change.object) => route(change),
            Some(Event::Link(change)) if self.links.is_news(change.action, &change.object) => {
                Notice::Stale
            }
            // The last address of a link takes the IPv4 routes over it along.
            Some(Event::Address(change))
                if change.action == Action::Delete
                    && change.object.family == AddressFamily::INET =>
            {
                Notice::Stale
            }
            _ => Notice::Nothing,
        })
    }
}

/// What makes a route this route: all but lifetimes and the flags that follow the state of links.
fn lasting(route: &Route) -> Route {
    let mut route =
        Route { flags: nl_route::RouteFlags(0), cache_info: None, expires: None, ..route.clone() };
    for hop in &mut route.multipath {
        hop.flags = nl_route::value::HopFlags(0);
    }
    route
}

fn route(change: nl_route::Change<Route>) -> Notice<Route> {
    let nl_route::Change { action, object: route } = change;
    if route.flags.contains(nl_route::RouteFlags::CLONED) {
        return Notice::Nothing;
    }
    let merges = route.family == AddressFamily::INET6 && !route.multipath.is_empty();
    match action {
        Action::Delete => Notice::Remove(route),
        Action::Replace => Notice::Replace(route),
        // An IPv6 route added to others becomes one with all their hops, but only if those have
        // a gateway each. Which of them it took in, the event does not say.
        Action::Append | Action::Prepend | Action::Change if merges => Notice::Stale,
        Action::Add | Action::Append | Action::Prepend | Action::Change => Notice::Put(route),
    }
}
