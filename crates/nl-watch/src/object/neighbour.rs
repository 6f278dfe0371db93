//! Neighbours.

use std::net::IpAddr;

use nl_route::value::{NeighbourFlags, NeighbourState};
use nl_route::{Action, AddressFamily, Event, Group, List, Neighbour};
use nl_wire::value::Family;
use nl_wire::{Error, Message};

use super::{Notice, Object};

/// The IPv4 and IPv6 neighbours of a namespace whose link-layer address is known.
///
/// The kernel makes entries that it still resolves, and those that need no address, without a word;
/// so these, and those that failed, are left out. Nor does it tell of each step from one valid state
/// to another, nor of who made an entry where nothing else changes: a state may be older than it
/// says, but is valid, and a protocol may be that of before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Neighbours;

/// The states with a usable link-layer address, `NUD_NOARP` excepted.
const VALID: NeighbourState = NeighbourState(
    NeighbourState::PERMANENT.0
        | NeighbourState::REACHABLE.0
        | NeighbourState::STALE.0
        | NeighbourState::DELAY.0
        | NeighbourState::PROBE.0,
);

impl Object for Neighbours {
    type Item = Neighbour;
    /// Family, link, address.
    type Key = (AddressFamily, u32, Option<IpAddr>);
    type List = List<Neighbour>;

    const FAMILY: Family = Family::ROUTE;
    const GROUPS: &'static [u32] = &[Group::NEIGH.0];
    /// The dump counts the entries of a hash chain.
    const REMOVAL_UPSETS_LIST: bool = true;

    fn list(&self) -> List<Neighbour> {
        List::default()
    }

    fn covers(&self, neighbour: &Neighbour) -> bool {
        is_ours(neighbour) && neighbour.state.0 & VALID.0 != 0
    }

    fn key(neighbour: &Neighbour) -> Self::Key {
        (neighbour.family, neighbour.index, neighbour.destination)
    }

    fn is_equal(a: &Neighbour, b: &Neighbour) -> bool {
        let permanent = |neighbour: &Neighbour| neighbour.state.0 & NeighbourState::PERMANENT.0;
        a.link_address == b.link_address
            && permanent(a) == permanent(b)
            && a.flags == b.flags
            && a.ext_flags == b.ext_flags
    }

    fn merge(old: &mut Neighbour, new: Neighbour) {
        *old = new;
    }

    fn notice(&mut self, message: &Message<'_>) -> Result<Notice<Neighbour>, Error> {
        let Some(Event::Neighbour(change)) = Event::decode(message)? else {
            return Ok(Notice::Nothing);
        };
        let neighbour = change.object;
        Ok(if !is_ours(&neighbour) {
            Notice::Nothing
        } else if change.action != Action::Delete && self.covers(&neighbour) {
            Notice::Put(neighbour)
        } else {
            Notice::Remove(neighbour)
        })
    }
}

/// Whether it is a neighbour in the sense of this module: no entry of a bridge, and no proxy.
fn is_ours(neighbour: &Neighbour) -> bool {
    matches!(neighbour.family, AddressFamily::INET | AddressFamily::INET6)
        && neighbour.flags.0 & NeighbourFlags::PROXY.0 == 0
}
