//! Forwarding databases of bridges.

use nl_route::neighbour::NeighbourFilter;
use nl_route::value::{NeighbourFlags, NeighbourState};
use nl_route::{Action, AddressFamily, Event, Group, List, Neighbour};
use nl_wire::value::Family;
use nl_wire::{Error, Message};

use super::{Notice, Object};

/// The forwarding databases of all bridges of a namespace: behind which port a link-layer address
/// is, as bridge(8) tells it of `master` entries.
///
/// What a device keeps for itself (`self`) is left out: the kernel does not announce all of it, such
/// as the groups that a link listens to, nor whether another end of a VXLAN tunnel is one more or
/// takes the place of another. Of addresses learned it does not tell when they were last seen, and
/// of the bridge's own (`permanent`) not always of which port they are: there the port may be that
/// of before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Forwarding;

/// What the state says of where an entry comes from; a learned one has neither.
const MADE: NeighbourState = NeighbourState(NeighbourState::PERMANENT.0 | NeighbourState::NOARP.0);

impl Object for Forwarding {
    type Item = Neighbour;
    /// Bridge, address, VLAN.
    type Key = (u32, Vec<u8>, u16);
    type List = List<Neighbour>;

    const FAMILY: Family = Family::ROUTE;
    const GROUPS: &'static [u32] = &[Group::NEIGH.0];
    /// The dump counts the entries of a bridge.
    const REMOVAL_UPSETS_LIST: bool = true;

    fn list(&self) -> List<Neighbour> {
        let filter = NeighbourFilter { family: AddressFamily::BRIDGE, ..Default::default() };
        List { filter }
    }

    fn covers(&self, entry: &Neighbour) -> bool {
        entry.family == AddressFamily::BRIDGE
            && entry.master.is_some()
            && entry.flags.0 & NeighbourFlags::SELF.0 == 0
    }

    fn key(entry: &Neighbour) -> Self::Key {
        let address = entry.link_address.clone().unwrap_or_default();
        (entry.master.unwrap_or_default(), address, entry.vlan.unwrap_or_default())
    }

    fn is_equal(a: &Neighbour, b: &Neighbour) -> bool {
        let made = |entry: &Neighbour| entry.state.0 & MADE.0;
        made(a) == made(b)
            && (a.index == b.index || made(a) == NeighbourState::PERMANENT.0)
            && a.flags == b.flags
            && a.ext_flags == b.ext_flags
    }

    fn merge(old: &mut Neighbour, new: Neighbour) {
        *old = new;
    }

    fn bytes(entry: &Neighbour) -> usize {
        // Twice, for the key has it too.
        size_of_val(entry) + 2 * entry.link_address.as_ref().map_or(0, Vec::len)
    }

    fn notice(&mut self, message: &Message<'_>) -> Result<Notice<Neighbour>, Error> {
        let Some(Event::Neighbour(change)) = Event::decode(message)? else {
            return Ok(Notice::Nothing);
        };
        Ok(match change.action {
            _ if !self.covers(&change.object) => Notice::Nothing,
            Action::Delete => Notice::Remove(change.object),
            _ => Notice::Put(change.object),
        })
    }
}
