//! Routes: `struct rtmsg` and `RTA_*` (linux/rtnetlink.h).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nl_wire::attr::{Attr, Attrs, Records};
use nl_wire::error::{Error, Problem};
use nl_wire::value::AddressFamily;
use nl_wire::{Message, RawAttr, Writer, shape};

use crate::prefix::Prefix;
use crate::tables::route::{
    RTA, RTA_CACHEINFO, RTA_DPORT, RTA_DST, RTA_ENCAP, RTA_ENCAP_TYPE, RTA_EXPIRES, RTA_FLOW,
    RTA_GATEWAY, RTA_IIF, RTA_IP_PROTO, RTA_MARK, RTA_METRICS, RTA_MULTIPATH, RTA_NH_ID, RTA_OIF,
    RTA_PREF, RTA_PREFSRC, RTA_PRIORITY, RTA_SPORT, RTA_SRC, RTA_TABLE, RTA_TTL_PROPAGATE, RTA_UID,
    RTA_VIA,
};
use crate::tables::{RTM_DELROUTE, RTM_GETROUTE, RTM_NEWROUTE};
use crate::value::{
    EncapType, HopFlags, Preference, RouteFlags, RouteProtocol, RouteType, Scope, TableId,
};

mod hop;
mod metrics;
mod usual;
mod view;

pub use hop::{Encap, Hop, Realms};
pub use metrics::Metrics;
pub use view::RouteView;

pub(crate) use hop::{encap, ip_family, via, write_gateway};

/// What `rtm_table` says of a table above 255.
const RT_TABLE_COMPAT: u8 = 252;

/// Length of `struct rtmsg` in bytes.
pub(crate) const RTMSG_LEN: usize = 12;

/// An entry of a routing table, or what a lookup answers.
///
/// The default is a route of which nothing is said: what is left so is chosen by [`Change`] as ip
/// does where a route is made, and matches everything where one is deleted.
///
/// ```
/// use nl_route::{Route, TableId};
///
/// let route = Route {
///     destination: Some("10.1.0.0/16".parse().unwrap()),
///     gateway: Some([192, 0, 2, 1].into()),
///     table: TableId(100),
///     ..Route::default()
/// };
/// ```
///
/// So a destination that could not be read must not become `None` (by `.ok()`): that is a default
/// route.
///
/// [`Change`]: crate::request::Change
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Route {
    /// The address family; where it is `UNSPEC` a request takes that of the addresses.
    pub family: AddressFamily,
    /// Where packets go to; `None` is anywhere: a default route.
    pub destination: Option<Prefix>,
    /// Where packets come from (IPv6 source routing, lookups); `None` is anywhere.
    pub source: Option<Prefix>,
    /// The type of service that packets must have; 0 is any.
    pub tos: u8,
    /// The table: `RTA_TABLE`, or without it `rtm_table`.
    pub table: TableId,
    /// Who made the route.
    pub protocol: RouteProtocol,
    /// How far away the destination is.
    pub scope: Scope,
    /// What happens to the packets.
    pub kind: RouteType,
    /// The flags of the route and of its only next hop.
    pub flags: RouteFlags,
    /// The gateway; of another family than the route's it goes as `RTA_VIA`.
    pub gateway: Option<IpAddr>,
    /// The index of the interface that packets leave by.
    pub oif: Option<u32>,
    /// The index of the interface that the packet of a lookup came in by.
    pub iif: Option<u32>,
    /// The metric: of several routes to one prefix the lowest wins.
    pub priority: Option<u32>,
    /// The source address for packets of this host.
    pub prefsrc: Option<IpAddr>,
    /// Properties of the path.
    pub metrics: Metrics,
    /// The next hops, where there are several; `gateway` and `oif` are `None` then.
    pub multipath: Vec<Hop>,
    /// What the kernel knows of the route's use and end.
    pub cache_info: Option<CacheInfo>,
    /// The firewall mark (lookups).
    pub mark: Option<u32>,
    /// The user (lookups).
    pub uid: Option<u32>,
    /// The preference of an IPv6 router.
    pub preference: Option<Preference>,
    /// How long an IPv6 route to be made shall live, in seconds; a route that was read tells it in
    /// [`Route::cache_info`].
    pub expires: Option<u32>,
    /// The nexthop object that the route uses.
    pub nexthop_id: Option<u32>,
    /// The realms.
    pub realms: Option<Realms>,
    /// Whether the time to live goes on in an MPLS label (`RTA_TTL_PROPAGATE`).
    pub ttl_propagate: Option<u8>,
    /// The transport protocol (lookups).
    pub ip_proto: Option<u8>,
    /// The source port (lookups).
    pub source_port: Option<u16>,
    /// The destination port (lookups).
    pub destination_port: Option<u16>,
    /// How packets are wrapped.
    pub encap: Option<Box<Encap>>,
    /// Attributes that this crate does not know, in order.
    pub unknown: Vec<RawAttr>,
}

impl Default for Route {
    #[inline]
    fn default() -> Self {
        let scope = Scope::NOWHERE.0;
        Self::of(&[0, 0, 0, 0, 0, 0, scope, 0, 0, 0, 0, 0], Metrics::default(), Vec::new())
    }
}

/// `struct rta_cacheinfo`; times in clock ticks, of which there are 100 a second.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct CacheInfo {
    /// Users of the entry.
    pub references: u32,
    /// Ticks since the last use.
    pub last_use: u32,
    /// Ticks until the route ends; 0 is never, negative is past.
    pub expires: i32,
    /// The errno, as the kernel counts it (negative), that packets meet.
    pub error: i32,
    /// How often it was used.
    pub used: u32,
    /// The last IP identification sent.
    pub id: u32,
    /// The last TCP timestamp.
    pub timestamp: u32,
    /// Its age in seconds.
    pub timestamp_age: u32,
}

/// Clock ticks a second in netlink messages (`USER_HZ`).
pub const TICKS_PER_SECOND: u32 = 100;

impl CacheInfo {
    #[inline]
    fn of(bytes: &[u8; 32]) -> Self {
        let signed = |at| i32::from_ne_bytes(shape::bytes(bytes, at));
        Self {
            references: shape::u32(bytes, 0),
            last_use: shape::u32(bytes, 4),
            expires: signed(8),
            error: signed(12),
            used: shape::u32(bytes, 16),
            id: shape::u32(bytes, 20),
            timestamp: shape::u32(bytes, 24),
            timestamp_age: shape::u32(bytes, 28),
        }
    }

    fn encode(&self) -> [u8; 32] {
        let words = [
            self.references.to_ne_bytes(),
            self.last_use.to_ne_bytes(),
            self.expires.to_ne_bytes(),
            self.error.to_ne_bytes(),
            self.used.to_ne_bytes(),
            self.id.to_ne_bytes(),
            self.timestamp.to_ne_bytes(),
            self.timestamp_age.to_ne_bytes(),
        ];
        let mut bytes = [0; 32];
        for (slot, word) in bytes.chunks_exact_mut(4).zip(words) {
            slot.copy_from_slice(&word);
        }
        bytes
    }
}

impl Route {
    /// Reads an `RTM_NEWROUTE`, `RTM_DELROUTE` or `RTM_GETROUTE`.
    ///
    /// # Errors
    /// [`Problem::MessageType`] for any other message; else what is wrong with the bytes, and
    /// where.
    #[inline]
    pub fn decode(message: &Message<'_>) -> Result<Self, Error> {
        Self::decode_as(message, |route| route)
    }

    /// What `make` makes of [`Route::decode`].
    #[inline]
    pub(crate) fn decode_as<O>(
        message: &Message<'_>,
        make: impl FnOnce(Result<Self, Error>) -> O,
    ) -> O {
        match message.header.message_type {
            RTM_NEWROUTE | RTM_DELROUTE | RTM_GETROUTE => {}
            found => return make(Err(Problem::MessageType { found }.into())),
        }
        let body = message.body();
        let Some((head, attrs)) = body.split_first_chunk() else {
            let problem = Problem::FixedHeader { expected: RTMSG_LEN, actual: body.len() };
            return make(Err(problem.into()));
        };
        Self::read_whole(head, Attrs::new(attrs), make)
    }

    // Not inlined: what it returns is made where the caller wants it, and only there.
    #[inline(never)]
    fn read_whole<O>(
        head: &[u8; RTMSG_LEN],
        attrs: Attrs<'_>,
        make: impl FnOnce(Result<Self, Error>) -> O,
    ) -> O {
        match Self::usual(head, attrs.clone()) {
            Some(route) => make(Ok(route)),
            None => make(Self::walked(head, attrs)),
        }
    }

    /// What `struct rtmsg` says, with what owns memory: nothing that must be dropped is replaced
    /// afterwards.
    #[inline]
    fn of(head: &[u8; RTMSG_LEN], metrics: Metrics, multipath: Vec<Hop>) -> Self {
        let &[family, _, _, tos, table, protocol, scope, kind, f0, f1, f2, f3] = head;
        Self {
            family: AddressFamily(family),
            destination: None,
            source: None,
            tos,
            table: TableId(table.into()),
            protocol: RouteProtocol(protocol),
            scope: Scope(scope),
            kind: RouteType(kind),
            flags: RouteFlags(u32::from_ne_bytes([f0, f1, f2, f3])),
            gateway: None,
            oif: None,
            iif: None,
            priority: None,
            prefsrc: None,
            metrics,
            multipath,
            cache_info: None,
            mark: None,
            uid: None,
            preference: None,
            expires: None,
            nexthop_id: None,
            realms: None,
            ttl_propagate: None,
            ip_proto: None,
            source_port: None,
            destination_port: None,
            encap: None,
            unknown: Vec::new(),
        }
    }

    /// Reads a route of whatever shape.
    #[inline(never)]
    fn walked(head: &[u8; RTMSG_LEN], attrs: Attrs<'_>) -> Result<Self, Error> {
        // Filled inside what is returned: a route is large enough for moves to cost.
        let mut result = Ok(Self::of(head, Metrics::default(), Vec::new()));
        let walk = |route: &mut Self| route.walk(attrs, head[1], head[2]);
        if let Err(error) = result.as_mut().map_or(Ok(()), walk) {
            result = Err(error.in_table(&RTA));
        }
        result
    }

    fn walk(&mut self, mut attrs: Attrs<'_>, dst_len: u8, src_len: u8) -> Result<(), Error> {
        while let Some(attr) = attrs.step() {
            self.read(&attr, dst_len, src_len)?;
        }
        attrs.finish()?;
        // A length alone means that many zero bits.
        if dst_len != 0 && self.destination.is_none() {
            self.destination = zeros(self.family, dst_len, RTA_DST)?;
        }
        if src_len != 0 && self.source.is_none() {
            self.source = zeros(self.family, src_len, RTA_SRC)?;
        }
        Ok(())
    }

    #[inline]
    fn read(&mut self, attr: &Attr<'_>, dst_len: u8, src_len: u8) -> Result<(), Error> {
        match attr.number() {
            RTA_TABLE => self.table = TableId(attr.u32()?),
            RTA_DST if has_ip(self.family) => self.destination = Some(prefix(attr, dst_len)?),
            RTA_OIF => self.oif = Some(attr.u32()?),
            RTA_GATEWAY => self.gateway = Some(attr.ip()?),
            RTA_PRIORITY => self.priority = Some(attr.u32()?),
            RTA_PREFSRC => self.prefsrc = Some(attr.ip()?),
            RTA_CACHEINFO => self.cache_info = Some(CacheInfo::of(&attr.array()?)),
            RTA_PREF => self.preference = Some(Preference(attr.u8()?)),
            RTA_SRC if has_ip(self.family) => self.source = Some(prefix(attr, src_len)?),
            RTA_METRICS => {
                let metrics = Metrics::decode(attr.nested());
                self.metrics = metrics.map_err(|error| error.within(RTA_METRICS))?;
            }
            RTA_MULTIPATH => {
                self.multipath =
                    hops(attr, self.family).map_err(|error| error.within(RTA_MULTIPATH))?;
            }
            RTA_NH_ID => self.nexthop_id = Some(attr.u32()?),
            RTA_IIF => self.iif = Some(attr.u32()?),
            RTA_FLOW => self.realms = Some(attr.u32()?.into()),
            RTA_MARK => self.mark = Some(attr.u32()?),
            RTA_UID => self.uid = Some(attr.u32()?),
            // Of a multicast route it is its age, in 64 bits.
            RTA_EXPIRES if attr.payload.len() != 8 => self.expires = Some(attr.u32()?),
            RTA_TTL_PROPAGATE => self.ttl_propagate = Some(attr.u8()?),
            RTA_IP_PROTO => self.ip_proto = Some(attr.u8()?),
            RTA_SPORT => self.source_port = Some(attr.u16_be()?),
            RTA_DPORT => self.destination_port = Some(attr.u16_be()?),
            RTA_VIA => match via(attr, self.family)? {
                Some(gateway) => self.gateway = Some(gateway),
                None => self.unknown.push((*attr).into()),
            },
            RTA_ENCAP_TYPE => encap(&mut self.encap).kind = EncapType(attr.u16()?),
            RTA_ENCAP => encap(&mut self.encap).payload = attr.payload.to_vec(),
            _ => self.unknown.push((*attr).into()),
        }
        Ok(())
    }

    /// Writes `struct rtmsg` and all attributes, as the kernel orders them.
    ///
    /// What was decoded is written completely, state of the kernel's own included (dead hops,
    /// cache information): this makes fixtures and captures. A request to change the table is
    /// [`Change`](crate::request::Change).
    ///
    /// # Errors
    /// If a hop's weight is not between 1 and 256, or an attribute is too long.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.write(writer, &Head::of(self), true)
    }

    /// Writes the body of a request that makes or deletes this route: what the caller left open
    /// is chosen as ip does, and what only the kernel can know is left out.
    pub(crate) fn encode_change(&self, writer: &mut Writer<'_>, make: bool) -> Result<(), Error> {
        self.write(writer, &Head::of(self).completed(self, make), false)
    }

    fn write(&self, writer: &mut Writer<'_>, head: &Head, state: bool) -> Result<(), Error> {
        writer.fixed(&head.encode());
        if head.table != TableId::UNSPEC {
            writer.u32(RTA_TABLE, head.table.0);
        }
        if let Some(destination) = self.destination {
            writer.ip(RTA_DST, destination.address);
        }
        if let Some(source) = self.source {
            writer.ip(RTA_SRC, source.address);
        }
        if let Some(iif) = self.iif {
            writer.u32(RTA_IIF, iif);
        }
        if head.family == AddressFamily::INET6 {
            self.write_prefsrc(writer);
            self.metrics.encode(writer)?;
            self.write_priority(writer);
        } else {
            self.write_priority(writer);
            self.metrics.encode(writer)?;
            self.write_prefsrc(writer);
        }
        if let Some(id) = self.nexthop_id {
            writer.u32(RTA_NH_ID, id);
        }
        // The kernel tells the hops of a nexthop object, and refuses to be told them.
        if state || self.nexthop_id.is_none() {
            self.write_hops(writer, head.family, if state { HopFlags(!0) } else { HOP_CONFIG })?;
        }
        if state {
            if let Some(info) = &self.cache_info {
                writer.bytes(RTA_CACHEINFO, &info.encode())?;
            }
        }
        if let Some(preference) = self.preference {
            writer.u8(RTA_PREF, preference.0);
        }
        // A route with an end that was read is made again with what is left of its life.
        let left = self.cache_info.filter(|info| !state && info.expires > 0);
        let left = left.map(|info| info.expires.unsigned_abs().div_ceil(TICKS_PER_SECOND));
        let numbers =
            [(RTA_EXPIRES, self.expires.or(left)), (RTA_MARK, self.mark), (RTA_UID, self.uid)];
        for (number, value) in numbers {
            if let Some(value) = value {
                writer.u32(number, value);
            }
        }
        for (number, value) in
            [(RTA_TTL_PROPAGATE, self.ttl_propagate), (RTA_IP_PROTO, self.ip_proto)]
        {
            if let Some(value) = value {
                writer.u8(number, value);
            }
        }
        for (number, value) in [(RTA_SPORT, self.source_port), (RTA_DPORT, self.destination_port)] {
            if let Some(value) = value {
                writer.u16_be(number, value);
            }
        }
        self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
    }

    fn write_priority(&self, writer: &mut Writer<'_>) {
        if let Some(priority) = self.priority {
            writer.u32(RTA_PRIORITY, priority);
        }
    }

    fn write_prefsrc(&self, writer: &mut Writer<'_>) {
        if let Some(address) = self.prefsrc {
            writer.ip(RTA_PREFSRC, address);
        }
    }

    fn write_hops(
        &self,
        writer: &mut Writer<'_>,
        family: AddressFamily,
        flags: HopFlags,
    ) -> Result<(), Error> {
        if let Some(gateway) = self.gateway {
            write_gateway(writer, gateway, family);
        }
        if let Some(oif) = self.oif {
            writer.u32(RTA_OIF, oif);
        }
        if let Some(realms) = self.realms {
            writer.u32(RTA_FLOW, realms.into());
        }
        if let Some(encap) = &self.encap {
            encap.encode(writer)?;
        }
        if self.multipath.is_empty() {
            return Ok(());
        }
        writer.nest_unflagged(RTA_MULTIPATH, |writer| {
            self.multipath.iter().enumerate().try_for_each(|(index, hop)| {
                hop.encode(writer, family, HopFlags(hop.flags.0 & flags.0))
                    .map_err(|error| error.within_index(index))
            })
        })
    }

    /// Whether a packet may leave by interface `index`: as the only next hop or one of several.
    pub fn uses_link(&self, index: u32) -> bool {
        self.oif == Some(index) || self.multipath.iter().any(|hop| hop.ifindex == index)
    }

    /// The family, or where it is `UNSPEC` that of the first address; without any, IPv4.
    pub fn known_family(&self) -> AddressFamily {
        if self.family != AddressFamily::UNSPEC {
            return self.family;
        }
        let prefix = |prefix: Option<Prefix>| prefix.map(|prefix| prefix.address);
        let hop = self.multipath.iter().find_map(|hop| hop.gateway);
        [prefix(self.destination), prefix(self.source), self.prefsrc, self.gateway, hop]
            .into_iter()
            .flatten()
            .next()
            .map_or(AddressFamily::INET, AddressFamily::of)
    }
}

/// What a request may say of a next hop; the rest of the flags is the kernel's.
const HOP_CONFIG: HopFlags = HopFlags(HopFlags::ONLINK.0 | HopFlags::PERVASIVE.0);

/// The fields of `struct rtmsg`.
struct Head {
    family: AddressFamily,
    destination_length: u8,
    source_length: u8,
    tos: u8,
    table: TableId,
    protocol: RouteProtocol,
    scope: Scope,
    kind: RouteType,
    flags: RouteFlags,
}

impl Head {
    fn of(route: &Route) -> Self {
        // Of an MPLS route the label is kept raw; it always counts whole.
        let label = if route.family == AddressFamily::MPLS { 20 } else { 0 };
        Self {
            family: route.family,
            destination_length: route.destination.map_or(label, |prefix| prefix.length),
            source_length: route.source.map_or(0, |prefix| prefix.length),
            tos: route.tos,
            table: route.table,
            protocol: route.protocol,
            scope: route.scope,
            kind: route.kind,
            flags: route.flags,
        }
    }

    /// Fills what is open, in the way of ip: for a request that makes the route, or deletes it.
    fn completed(mut self, route: &Route, make: bool) -> Self {
        const ASKED: u32 = RouteFlags::HOP_ONLINK.0
            | RouteFlags::HOP_PERVASIVE.0
            | RouteFlags::NOTIFY.0
            | RouteFlags::CLONED.0
            | RouteFlags::PREFIX.0;
        self.family = route.known_family();
        self.flags = RouteFlags(self.flags.0 & ASKED);
        if self.table == TableId::UNSPEC {
            self.table = match self.kind {
                RouteType::LOCAL | RouteType::BROADCAST | RouteType::ANYCAST | RouteType::NAT => {
                    TableId::LOCAL
                }
                _ => TableId::MAIN,
            };
        }
        if !make {
            return self;
        }
        if self.kind == RouteType::UNSPEC {
            self.kind = RouteType::UNICAST;
        }
        if self.protocol == RouteProtocol::UNSPEC {
            self.protocol = RouteProtocol::BOOT;
        }
        if self.scope == Scope::NOWHERE {
            let direct = route.gateway.is_none() && route.multipath.is_empty();
            self.scope = match self.kind {
                _ if self.family != AddressFamily::INET => Scope::UNIVERSE,
                RouteType::LOCAL | RouteType::NAT => Scope::HOST,
                RouteType::BROADCAST | RouteType::MULTICAST | RouteType::ANYCAST => Scope::LINK,
                RouteType::UNICAST if direct && route.nexthop_id.is_none() => Scope::LINK,
                _ => Scope::UNIVERSE,
            };
        }
        self
    }

    fn encode(&self) -> [u8; RTMSG_LEN] {
        let table = u8::try_from(self.table.0).unwrap_or(RT_TABLE_COMPAT);
        let [f0, f1, f2, f3] = self.flags.0.to_ne_bytes();
        let (dst, src) = (self.destination_length, self.source_length);
        let (protocol, scope, kind) = (self.protocol.0, self.scope.0, self.kind.0);
        [self.family.0, dst, src, self.tos, table, protocol, scope, kind, f0, f1, f2, f3]
    }
}

/// Whether the destinations of a family are IP addresses.
#[inline]
pub(crate) fn has_ip(family: AddressFamily) -> bool {
    matches!(ip_family(family), AddressFamily::INET | AddressFamily::INET6)
}

#[inline]
pub(crate) fn prefix(attr: &Attr<'_>, length: u8) -> Result<Prefix, Error> {
    match Prefix::new(attr.ip()?, length) {
        Some(prefix) => Ok(prefix),
        None => Err(Error::at(Problem::Value, attr.number())),
    }
}

/// The prefix that a length without an address means.
#[cold]
pub(crate) fn zeros(
    family: AddressFamily,
    length: u8,
    number: u16,
) -> Result<Option<Prefix>, Error> {
    let address = match ip_family(family) {
        AddressFamily::INET => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        AddressFamily::INET6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => return Ok(None),
    };
    Prefix::new(address, length).map(Some).ok_or(Error::at(Problem::Value, number))
}

/// Reads a `RTA_MULTIPATH`.
#[inline(never)]
fn hops(attr: &Attr<'_>, family: AddressFamily) -> Result<Vec<Hop>, Error> {
    let mut hops = Vec::new();
    for record in Records::new(attr.payload, hop::RTNEXTHOP_LEN) {
        match record.and_then(|record| Hop::decode(record, family)) {
            Ok(hop) => hops.push(hop),
            Err(error) => return Err(error.within_index(hops.len())),
        }
    }
    Ok(hops)
}
