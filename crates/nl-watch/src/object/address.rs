//! Addresses.

use std::net::IpAddr;

use nl_route::{Action, Address, AddressFamily, Event, Group, List};
use nl_wire::value::Family;
use nl_wire::{Error, Message};

use super::{Notice, Object};

/// The IPv4 and IPv6 addresses of a namespace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Addresses;

impl Object for Addresses {
    type Item = Address;
    /// The link's index, the prefix length, the link's own address and the peer's.
    type Key = (u32, u8, Option<IpAddr>, Option<IpAddr>);
    type List = List<Address>;

    const FAMILY: Family = Family::ROUTE;
    const GROUPS: &'static [u32] = &[Group::IPV4_IFADDR.0, Group::IPV6_IFADDR.0];

    fn list(&self) -> List<Address> {
        List::default()
    }

    fn covers(&self, address: &Address) -> bool {
        matches!(address.family, AddressFamily::INET | AddressFamily::INET6)
    }

    fn key(address: &Address) -> Self::Key {
        (address.index, address.prefix_length, address.local, address.address)
    }

    fn is_equal(a: &Address, b: &Address) -> bool {
        // Lifetimes run down without a word.
        Address { cache_info: None, ..a.clone() } == Address { cache_info: None, ..b.clone() }
    }

    fn merge(old: &mut Address, new: Address) {
        *old = new;
    }

    fn notice(&mut self, message: &Message<'_>) -> Result<Notice<Address>, Error> {
        Ok(match Event::decode(message)? {
            Some(Event::Address(change)) if self.covers(&change.object) => match change.action {
                Action::Delete => Notice::Remove(change.object),
                _ => Notice::Put(change.object),
            },
            _ => Notice::Nothing,
        })
    }
}
