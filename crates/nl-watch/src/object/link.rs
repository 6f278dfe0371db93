//! Links.

use nl_route::{Action, AddressFamily, Event, Group, Link, List};
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
