//! What narrows a list.
//!
//! The kernel applies a part of each filter, and only on a socket with strict checking; older
//! kernels ignore them silently. So a list checks every entry itself as well.

use core::net::IpAddr;

use nl_wire::value::AddressFamily;
use nl_wire::{Error, Message, Writer};

use crate::prefix::Prefix;
use crate::route::{RTMSG_LEN, Route};
use crate::tables::route::{RTA_OIF, RTA_TABLE};
use crate::value::{RouteFlags, RouteProtocol, RouteType, Scope, TableId};

#[cfg(feature = "link")]
pub use crate::{address::filter::AddressFilter, link::filter::LinkFilter};
#[cfg(feature = "objects")]
pub use crate::{
    address_label::AddressLabelFilter,
    neighbour::NeighbourFilter,
    neighbour_table::NeighbourTableFilter,
    netconf::NetconfFilter,
    nexthop::{NexthopBucketFilter, NexthopFilter},
    rule::RuleFilter,
    traffic::TrafficFilter,
};

/// Narrows a list of `T`.
pub trait Filter<T>: Default {
    /// Writes the body of the request to list: the fixed part and what the kernel can filter by.
    ///
    /// # Errors
    /// If a value can't be expressed on the wire.
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error>;

    /// Whether `object` is one of those asked for.
    fn admits(&self, object: &T) -> bool;

    /// Whether it admits whatever this message may hold, as far as can be told at a glance.
    #[inline]
    fn admits_any(&self, message: &Message<'_>) -> bool {
        let _ = message;
        false
    }
}

/// Which routes; by default all of all tables and both families, but not the cache.
///
/// The kernel filters by family, table, protocol, type, cache and interface, the rest is done here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct RouteFilter {
    /// The family; `UNSPEC` is all.
    pub family: AddressFamily,
    /// The table. Where a family is given, a table that does not exist is the kernel's `ENOENT`.
    pub table: Option<TableId>,
    /// Who made the route.
    pub protocol: Option<RouteProtocol>,
    /// What happens to the packets.
    pub kind: Option<RouteType>,
    /// How far away the destination is.
    pub scope: Option<Scope>,
    /// The interface of the only next hop (ip's `dev`): routes with several are left out. One that
    /// does not exist is the kernel's `ENODEV`.
    pub oif: Option<u32>,
    /// An interface that a next hop uses, be it the only one or one of several.
    pub link: Option<u32>,
    /// `true`: only the cache of exceptions, such as path MTUs; `false`: only the table.
    pub cloned: bool,
    /// The type of service.
    pub tos: Option<u8>,
    /// The metric; that of a route without one is 0.
    pub priority: Option<u32>,
    /// What the gateway of the only next hop lies in (ip's `via`).
    pub gateway: Option<Prefix>,
    /// What the preferred source address lies in.
    pub prefsrc: Option<Prefix>,
    /// Only routes to this prefix or a part of it (ip's `root`).
    pub within: Option<Prefix>,
    /// Only routes to this prefix or one that it is a part of (ip's `match`); together with the
    /// same [`RouteFilter::within`] it is ip's `exact`.
    pub covering: Option<Prefix>,
    /// As `within`, for the prefix that packets come from.
    pub source_within: Option<Prefix>,
    /// As `covering`, for the prefix that packets come from.
    pub source_covering: Option<Prefix>,
    /// The interface that packets come in by (lookups, multicast routes).
    pub iif: Option<u32>,
    /// The firewall mark (lookups).
    pub mark: Option<u32>,
    /// The realm of the source; that of a route without one is 0.
    pub realm_from: Option<u16>,
    /// The realm of the destination; that of a route without one is 0.
    pub realm_to: Option<u16>,
}

/// A family, unless it is `UNSPEC`, which is any.
pub(crate) fn known(family: AddressFamily) -> Option<AddressFamily> {
    Some(family).filter(|family| *family != AddressFamily::UNSPEC)
}

/// Whether a filter's value, if it has one, is `found`.
pub(crate) fn agrees<T: PartialEq>(wanted: Option<T>, found: &T) -> bool {
    wanted.is_none_or(|wanted| wanted == *found)
}

/// Whether `found` (`None` being all of `family`) lies within the one and covers the other prefix.
pub(crate) fn lies(
    found: Option<Prefix>,
    family: AddressFamily,
    within: Option<Prefix>,
    covering: Option<Prefix>,
) -> bool {
    let same_family = |wanted: Prefix| AddressFamily::of(wanted.address) == family;
    within.is_none_or(|wanted| match found {
        Some(found) => wanted.covers(&found),
        None => wanted.length == 0 && same_family(wanted),
    }) && covering.is_none_or(|wanted| match found {
        Some(found) => found.covers(&wanted),
        None => same_family(wanted),
    })
}

impl Filter<Route> for RouteFilter {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let mut header = [0; RTMSG_LEN];
        header[0] = self.family.0;
        header[5] = self.protocol.unwrap_or_default().0;
        header[7] = self.kind.unwrap_or_default().0;
        let flags = if self.cloned { RouteFlags::CLONED.0 } else { 0 };
        header[8..].copy_from_slice(&flags.to_ne_bytes());
        writer.fixed(&header);
        if let Some(table) = self.table {
            writer.u32(RTA_TABLE, table.0);
        }
        if let Some(oif) = self.oif.or(self.link) {
            writer.u32(RTA_OIF, oif);
        }
        Ok(())
    }

    fn admits(&self, route: &Route) -> bool {
        let is_in = |wanted: Option<Prefix>, found: Option<IpAddr>| {
            wanted.is_none_or(|prefix| found.is_some_and(|found| prefix.contains(found)))
        };
        agrees(known(self.family), &route.family)
            && self.cloned == route.flags.contains(RouteFlags::CLONED)
            && agrees(self.table, &route.table)
            && agrees(self.protocol, &route.protocol)
            && agrees(self.kind, &route.kind)
            && agrees(self.scope, &route.scope)
            && agrees(self.oif.map(Some), &route.oif)
            && self.link.is_none_or(|link| route.uses_link(link))
            && agrees(self.tos, &route.tos)
            && agrees(self.priority, &route.priority.unwrap_or(0))
            && is_in(self.gateway, route.gateway)
            && is_in(self.prefsrc, route.prefsrc)
            && lies(route.destination, route.family, self.within, self.covering)
            && lies(route.source, route.family, self.source_within, self.source_covering)
            && agrees(self.iif.map(Some), &route.iif)
            && agrees(self.mark.map(Some), &route.mark)
            && agrees(self.realm_from, &route.realms.map_or(0, |realms| realms.from))
            && agrees(self.realm_to, &route.realms.map_or(0, |realms| realms.to))
    }

    // Most lists have no filter.
    #[inline]
    fn admits_any(&self, message: &Message<'_>) -> bool {
        let flags = message.body().get(8..RTMSG_LEN).and_then(|flags| flags.first_chunk());
        let is_cloned = |flags: &[u8; 4]| u32::from_ne_bytes(*flags) & RouteFlags::CLONED.0 != 0;
        flags.is_some_and(|flags| !is_cloned(flags)) && *self == Self::default()
    }
}
