//! Which neighbours a list holds.

use nl_wire::value::AddressFamily;
use nl_wire::{Error, Writer};

use super::{Neighbour, header};
use crate::filter::{Filter, agrees, known};
use crate::prefix::Prefix;
use crate::tables::other::{NDA_IFINDEX, NDA_MASTER};
use crate::value::{NeighbourFlags, NeighbourState, RouteProtocol, RouteType};

/// Which neighbours; by default all IP neighbours, without proxy entries.
///
/// The kernel filters by family, proxy, link and master, the rest is done here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct NeighbourFilter {
    /// The family; `UNSPEC` is IPv4 and IPv6, `BRIDGE` the forwarding databases.
    pub family: AddressFamily,
    /// `true`: only the entries by which this host answers for others; `false`: none of these.
    pub proxy: bool,
    /// The link's index. One that does not exist finds nothing.
    pub index: Option<u32>,
    /// The index of the bridge, bond or VRF that the link belongs to; [`NeighbourFilter::NO_MASTER`]
    /// is links without one. Only the kernel knows this of IP neighbours, so entries are not
    /// checked.
    pub master: Option<u32>,
    /// The states of which an entry must have one; no bit is any state. As in ip, entries that are
    /// proxies or were learned elsewhere are never left out for their state.
    pub states: NeighbourState,
    /// Who made the entry; `UNSPEC` is nobody in particular.
    pub protocol: Option<RouteProtocol>,
    /// What the neighbour's address lies in.
    pub within: Option<Prefix>,
    /// Only entries that no other part of the kernel holds.
    pub unused: bool,
}

impl NeighbourFilter {
    /// The master of links that have none.
    pub const NO_MASTER: u32 = u32::MAX;

    /// The bit of [`NeighbourFilter::states`] for entries whose state has no bit (`NUD_NONE`).
    pub const STATELESS: NeighbourState = NeighbourState(0x100);

    fn admits_state(&self, neighbour: &Neighbour) -> bool {
        let exempt = NeighbourFlags::PROXY | NeighbourFlags::EXT_LEARNED;
        let state = match neighbour.state {
            NeighbourState(0) => Self::STATELESS,
            state => state,
        };
        self.states.is_empty() || self.states.0 & state.0 != 0 || neighbour.flags.0 & exempt.0 != 0
    }
}

impl Filter<Neighbour> for NeighbourFilter {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let flags = if self.proxy { NeighbourFlags::PROXY } else { NeighbourFlags(0) };
        writer.fixed(&header(self.family, 0, NeighbourState(0), flags, RouteType::UNSPEC));
        for (number, value) in [(NDA_IFINDEX, self.index), (NDA_MASTER, self.master)] {
            if let Some(value) = value {
                writer.u32(number, value);
            }
        }
        Ok(())
    }

    fn admits(&self, neighbour: &Neighbour) -> bool {
        let unused = || neighbour.cache_info.is_none_or(|info| info.references == 0);
        agrees(known(self.family), &neighbour.family)
            && self.proxy == neighbour.is_proxy()
            && agrees(self.index, &neighbour.index)
            && self.admits_state(neighbour)
            && agrees(self.protocol, &neighbour.protocol.unwrap_or_default())
            && self.within.is_none_or(|prefix| {
                neighbour.destination.is_some_and(|address| prefix.contains(address))
            })
            && (!self.unused || unused())
    }
}
