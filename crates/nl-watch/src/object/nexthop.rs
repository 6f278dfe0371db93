//! Nexthop objects.

use nl_route::nexthop::Resilience;
use nl_route::{Action, Event, Group, List, Nexthop, RouteFlags};
use nl_socket::Connection;
use nl_wire::value::Family;
use nl_wire::{Error, Message};

use super::link::{self, Seen};
use super::{Notice, Object};

/// The nexthop objects of a namespace, groups included.
///
/// They vanish silently with their link; so a link that changes makes them be listed again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Nexthops {
    links: Seen,
}

impl Object for Nexthops {
    type Item = Nexthop;
    /// The id.
    type Key = u32;
    type List = List<Nexthop>;

    const FAMILY: Family = Family::ROUTE;
    const GROUPS: &'static [u32] = &[Group::LINK.0, Group::NEXTHOP.0];

    fn settle(&self, connection: &mut Connection) -> Result<(), nl_socket::Error> {
        link::settle(connection)
    }

    fn list(&self) -> List<Nexthop> {
        List::default()
    }

    fn key(nexthop: &Nexthop) -> u32 {
        nexthop.id.unwrap_or_default()
    }

    fn is_equal(a: &Nexthop, b: &Nexthop) -> bool {
        a == b || lasting(a) == lasting(b)
    }

    fn merge(old: &mut Nexthop, new: Nexthop) {
        *old = new;
    }

    fn forget(&mut self) {
        self.links = Seen::default();
    }

    fn notice(&mut self, message: &Message<'_>) -> Result<Notice<Nexthop>, Error> {
        Ok(match Event::decode(message)? {
            Some(Event::Nexthop(change)) if change.action == Action::Delete => {
                Notice::Remove(change.object)
            }
            Some(Event::Nexthop(change)) => Notice::Put(change.object),
            Some(Event::Link(change)) if self.links.is_news(change.action, &change.object) => {
                Notice::Stale
            }
            _ => Notice::Nothing,
        })
    }
}

/// All but what changes by itself: statistics, times, and the flags that follow the link.
fn lasting(nexthop: &Nexthop) -> Nexthop {
    let resilience = nexthop.resilience.clone();
    Nexthop {
        flags: RouteFlags(0),
        statistics: Vec::new(),
        hw_stats_used: None,
        resilience: resilience.map(|this| Resilience { unbalanced_time: None, ..this }),
        ..nexthop.clone()
    }
}
