//! Links.

use std::collections::BTreeMap;

use nl_route::{Action, AddressFamily, Event, GetLink, Group, Link, LinkFlags, List};
use nl_socket::Connection;
use nl_wire::value::Family;
use nl_wire::{Error, Message};

use super::{Notice, Object};

/// The links of a namespace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Links;

impl Object for Links {
    type Item = Link;
    /// The index.
    type Key = u32;
    type List = List<Link>;

    const FAMILY: Family = Family::ROUTE;
    const GROUPS: &'static [u32] = &[Group::LINK.0];

    fn list(&self) -> List<Link> {
        List::default()
    }

    fn key(link: &Link) -> u32 {
        link.index
    }

    fn is_equal(a: &Link, b: &Link) -> bool {
        a.flags == b.flags
            && a.name == b.name
            && a.altnames == b.altnames
            && a.alias == b.alias
            && a.mtu == b.mtu
            && a.master == b.master
            && a.link == b.link
            && a.operstate == b.operstate
            && a.group == b.group
            && a.address == b.address
            && a.info.as_deref().map(|info| &info.kind) == b.info.as_deref().map(|info| &info.kind)
    }

    fn merge(old: &mut Link, new: Link) {
        *old = new;
    }

    fn notice(&mut self, message: &Message<'_>) -> Result<Notice<Link>, Error> {
        let Some(Event::Link(change)) = Event::decode(message)? else { return Ok(Notice::Nothing) };
        let (action, link) = (change.action, change.object);
        Ok(if link.family != AddressFamily::UNSPEC {
            // A bridge tells of its ports in its own family: a port that leaves is no link that ends.
            Notice::Nothing
        } else if action == Action::Delete {
            Notice::Remove(link)
        } else {
            Notice::Put(link)
        })
    }
}

/// The flags of each link that was heard of: a change of them may touch other objects silently.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Seen(BTreeMap<u32, LinkFlags>);

/// The `ifi_change` of a link that was just made.
const NEW_LINK: LinkFlags = LinkFlags(u32::MAX);

impl Seen {
    /// Whether an event tells of more than a new link, or of what is known already.
    pub(super) fn is_news(&mut self, action: Action, link: &Link) -> bool {
        // Bridges tell of their ports in messages of their own family.
        if link.family != AddressFamily::UNSPEC {
            return false;
        }
        if action == Action::Delete {
            self.0.remove(&link.index);
            return true;
        }
        let before = self.0.insert(link.index, link.flags);
        before != Some(link.flags) && (before.is_some() || link.change != NEW_LINK)
    }
}

/// Waits until nobody is changing links: a question about one is answered under the lock under which
/// they change, and what depends on them.
pub(super) fn settle(connection: &mut Connection) -> Result<(), nl_socket::Error> {
    match connection.get(GetLink::Index(LOOPBACK)) {
        // Whatever the answer.
        Ok(_) | Err(nl_socket::Error::Refused(_) | nl_socket::Error::Lost(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The index of the loopback device in every namespace.
const LOOPBACK: u32 = 1;
