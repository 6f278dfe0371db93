//! Neighbours and forwarding entries: `struct ndmsg` and `NDA_*` (linux/neighbour.h).

use alloc::vec::Vec;
use core::net::IpAddr;

use nl_wire::attr::{Attr, Attrs};
use nl_wire::error::{Error, Problem};
use nl_wire::request::{Mode, Request};
use nl_wire::table::Protocol;
use nl_wire::value::AddressFamily;
use nl_wire::{Message, RawAttr, Writer};

use crate::object::{Action, Object};
use crate::tables::other::{
    NDA, NDA_CACHEINFO, NDA_DST, NDA_FDB_EXT_ATTRS, NDA_FLAGS_EXT, NDA_IFINDEX, NDA_LINK_NETNSID,
    NDA_LLADDR, NDA_MASTER, NDA_NDM_FLAGS_MASK, NDA_NDM_STATE_MASK, NDA_NH_ID, NDA_PORT,
    NDA_PROBES, NDA_PROTOCOL, NDA_SRC_VNI, NDA_VLAN, NDA_VNI, NFEA_ACTIVITY_NOTIFY,
    NFEA_DONT_REFRESH,
};
use crate::tables::{NEIGHBOURS, RTM_DELNEIGH, RTM_GETNEIGH, RTM_NEWNEIGH};
use crate::value::{NeighbourExtFlags, NeighbourFlags, NeighbourState, RouteProtocol, RouteType};

mod filter;

pub use filter::NeighbourFilter;

/// Length of `struct ndmsg` in bytes.
const NDMSG_LEN: usize = 12;

/// What is known of a neighbour: the link-layer address behind an IP address. Of the family
/// `BRIDGE` it is an entry of a forwarding database: the port behind a link-layer address.
///
/// The default is a permanent one without addresses, as ip makes them.
///
/// ```
/// use nl_route::{Neighbour, request::Change};
///
/// let neighbour = Neighbour {
///     index: 2,
///     destination: Some([192, 0, 2, 7].into()),
///     link_address: Some(vec![2, 0, 0, 0, 0, 7]),
///     ..Neighbour::default()
/// };
/// let request = Change::replace(neighbour);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Neighbour {
    /// The address family; where it is `UNSPEC` a request takes that of the destination.
    pub family: AddressFamily,
    /// The link's index (`ndm_ifindex`); of a proxy entry 0 is any link.
    pub index: u32,
    /// How far it can be relied on; no bit is `NUD_NONE`.
    pub state: NeighbourState,
    /// The flags (`ndm_flags`).
    pub flags: NeighbourFlags,
    /// What the destination is to this host (`ndm_type`).
    pub kind: RouteType,
    /// The neighbour's address; of a forwarding entry the tunnel's other end.
    pub destination: Option<IpAddr>,
    /// The link-layer address.
    pub link_address: Option<Vec<u8>>,
    /// What the kernel knows of its use.
    pub cache_info: Option<NeighbourCacheInfo>,
    /// How many requests went unanswered so far.
    pub probes: Option<u32>,
    /// The VLAN of a forwarding entry.
    pub vlan: Option<u16>,
    /// The UDP port of the tunnel's other end.
    pub port: Option<u16>,
    /// The VXLAN network identifier to send with.
    pub vni: Option<u32>,
    /// The index of the link that leads to the tunnel's other end (`NDA_IFINDEX`).
    pub via: Option<u32>,
    /// The index of the bridge.
    pub master: Option<u32>,
    /// The id of the namespace in which `via` is.
    pub link_netnsid: Option<i32>,
    /// The VXLAN network identifier that packets come with.
    pub source_vni: Option<u32>,
    /// Who made the entry.
    pub protocol: Option<RouteProtocol>,
    /// The nexthop object that a forwarding entry uses.
    pub nexthop_id: Option<u32>,
    /// Whether a forwarding entry's activity is announced (`NFEA_ACTIVITY_NOTIFY`, `FDB_NOTIFY_*`).
    pub activity_notify: Option<u8>,
    /// A change shall not count as use (`NFEA_DONT_REFRESH`).
    pub dont_refresh: bool,
    /// Further flags (`NDA_FLAGS_EXT`).
    pub ext_flags: Option<NeighbourExtFlags>,
    /// Which bits of the state a bulk deletion looks at.
    pub state_mask: Option<NeighbourState>,
    /// Which flags a bulk deletion looks at.
    pub flags_mask: Option<NeighbourFlags>,
    /// Attributes that this crate does not know, in order.
    pub unknown: Vec<RawAttr>,
}

impl Default for Neighbour {
    fn default() -> Self {
        Self {
            family: AddressFamily::UNSPEC,
            index: 0,
            state: NeighbourState::PERMANENT,
            flags: NeighbourFlags(0),
            kind: RouteType::UNSPEC,
            destination: None,
            link_address: None,
            cache_info: None,
            probes: None,
            vlan: None,
            port: None,
            vni: None,
            via: None,
            master: None,
            link_netnsid: None,
            source_vni: None,
            protocol: None,
            nexthop_id: None,
            activity_notify: None,
            dont_refresh: false,
            ext_flags: None,
            state_mask: None,
            flags_mask: None,
            unknown: Vec::new(),
        }
    }
}

/// `struct nda_cacheinfo`; times in clock ticks, of which there are
/// [`TICKS_PER_SECOND`](crate::route::TICKS_PER_SECOND).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct NeighbourCacheInfo {
    /// Ticks since it was last confirmed.
    pub confirmed: u32,
    /// Ticks since it was last used.
    pub used: u32,
    /// Ticks since it last changed.
    pub updated: u32,
    /// How many parts of the kernel hold it, the table not counted.
    pub references: u32,
}

impl NeighbourCacheInfo {
    fn decode(attr: &Attr<'_>) -> Result<Self, Error> {
        let [c0, c1, c2, c3, u0, u1, u2, u3, m0, m1, m2, m3, r0, r1, r2, r3] =
            attr.array::<16>()?;
        Ok(Self {
            confirmed: u32::from_ne_bytes([c0, c1, c2, c3]),
            used: u32::from_ne_bytes([u0, u1, u2, u3]),
            updated: u32::from_ne_bytes([m0, m1, m2, m3]),
            references: u32::from_ne_bytes([r0, r1, r2, r3]),
        })
    }

    fn encode(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        let numbers = [self.confirmed, self.used, self.updated, self.references];
        for (slot, number) in bytes.chunks_exact_mut(4).zip(numbers) {
            slot.copy_from_slice(&number.to_ne_bytes());
        }
        bytes
    }
}

impl Neighbour {
    /// Reads an `RTM_NEWNEIGH`, `RTM_DELNEIGH` or `RTM_GETNEIGH`.
    ///
    /// # Errors
    /// [`Problem::MessageType`] for any other message; else what is wrong with the bytes, and
    /// where.
    pub fn decode(message: &Message<'_>) -> Result<Self, Error> {
        match message.header.message_type {
            RTM_NEWNEIGH | RTM_DELNEIGH | RTM_GETNEIGH => {}
            found => return Err(Problem::MessageType { found }.into()),
        }
        Self::decode_body(message.body()).map_err(|error| error.in_table(&NDA))
    }

    fn decode_body(body: &[u8]) -> Result<Self, Error> {
        let (_, mut attrs) = Attrs::behind(body, NDMSG_LEN)?;
        let Some(&[family, _, _, _, i0, i1, i2, i3, s0, s1, flags, kind]) =
            body.first_chunk::<NDMSG_LEN>()
        else {
            return Err(Problem::FixedHeader { expected: NDMSG_LEN, actual: body.len() }.into());
        };
        let mut neighbour = Self {
            family: AddressFamily(family),
            index: u32::from_ne_bytes([i0, i1, i2, i3]),
            state: NeighbourState(u16::from_ne_bytes([s0, s1])),
            flags: NeighbourFlags(flags),
            kind: RouteType(kind),
            ..Self::default()
        };
        while let Some(attr) = attrs.step() {
            neighbour.read(&attr)?;
        }
        attrs.finish()?;
        Ok(neighbour)
    }

    fn read(&mut self, attr: &Attr<'_>) -> Result<(), Error> {
        match attr.number() {
            NDA_DST => self.destination = Some(attr.ip()?),
            NDA_LLADDR => self.link_address = Some(attr.payload.to_vec()),
            NDA_CACHEINFO => self.cache_info = Some(NeighbourCacheInfo::decode(attr)?),
            NDA_PROBES => self.probes = Some(attr.u32()?),
            NDA_VLAN => self.vlan = Some(attr.u16()?),
            NDA_PORT => self.port = Some(attr.u16_be()?),
            NDA_VNI => self.vni = Some(attr.u32()?),
            NDA_IFINDEX => self.via = Some(attr.u32()?),
            NDA_MASTER => self.master = Some(attr.u32()?),
            NDA_LINK_NETNSID => self.link_netnsid = Some(attr.i32()?),
            NDA_SRC_VNI => self.source_vni = Some(attr.u32()?),
            NDA_PROTOCOL => self.protocol = Some(RouteProtocol(attr.u8()?)),
            NDA_NH_ID => self.nexthop_id = Some(attr.u32()?),
            NDA_FLAGS_EXT => self.ext_flags = Some(NeighbourExtFlags(attr.u32()?)),
            NDA_NDM_STATE_MASK => self.state_mask = Some(NeighbourState(attr.u16()?)),
            NDA_NDM_FLAGS_MASK => self.flags_mask = Some(NeighbourFlags(attr.u8()?)),
            NDA_FDB_EXT_ATTRS if plain_extension(attr) => {
                for part in attr.nested() {
                    let part = part?;
                    match part.number() {
                        NFEA_ACTIVITY_NOTIFY => self.activity_notify = Some(part.u8()?),
                        _ => self.dont_refresh = true,
                    }
                }
            }
            _ => self.unknown.push((*attr).into()),
        }
        Ok(())
    }

    /// Writes `struct ndmsg` and all attributes, as the kernel orders them for IP neighbours.
    ///
    /// # Errors
    /// If an attribute is too long.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.write(writer, self.family, self.flags, true)
    }

    fn write(
        &self,
        writer: &mut Writer<'_>,
        family: AddressFamily,
        flags: NeighbourFlags,
        state: bool,
    ) -> Result<(), Error> {
        writer.fixed(&header(family, self.index, self.state, flags, self.kind));
        if let Some(address) = self.destination {
            writer.ip(NDA_DST, address);
        }
        if let Some(address) = &self.link_address {
            writer.bytes(NDA_LLADDR, address)?;
        }
        if let (Some(probes), true) = (self.probes, state) {
            writer.u32(NDA_PROBES, probes);
        }
        if let (Some(info), true) = (&self.cache_info, state) {
            writer.bytes(NDA_CACHEINFO, &info.encode())?;
        }
        if let Some(vlan) = self.vlan {
            writer.u16(NDA_VLAN, vlan);
        }
        if let Some(port) = self.port {
            writer.u16_be(NDA_PORT, port);
        }
        let numbers = [
            (NDA_VNI, self.vni),
            (NDA_IFINDEX, self.via),
            (NDA_MASTER, self.master.filter(|_| state)),
            (NDA_SRC_VNI, self.source_vni),
            (NDA_NH_ID, self.nexthop_id),
        ];
        for (number, value) in numbers {
            if let Some(value) = value {
                writer.u32(number, value);
            }
        }
        if let Some(id) = self.link_netnsid {
            writer.i32(NDA_LINK_NETNSID, id);
        }
        if let Some(protocol) = self.protocol {
            writer.u8(NDA_PROTOCOL, protocol.0);
        }
        if self.activity_notify.is_some() || self.dont_refresh {
            writer.nest(NDA_FDB_EXT_ATTRS, |writer| {
                if let Some(notify) = self.activity_notify {
                    writer.u8(NFEA_ACTIVITY_NOTIFY, notify);
                }
                if self.dont_refresh {
                    writer.flag(NFEA_DONT_REFRESH);
                }
                Ok(())
            })?;
        }
        if let Some(flags) = self.ext_flags {
            writer.u32(NDA_FLAGS_EXT, flags.0);
        }
        if let Some(mask) = self.state_mask {
            writer.u16(NDA_NDM_STATE_MASK, mask.0);
        }
        if let Some(mask) = self.flags_mask {
            writer.u8(NDA_NDM_FLAGS_MASK, mask.0);
        }
        self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
    }

    /// The family, or where it is `UNSPEC` that of the destination; without one, `BRIDGE`.
    pub fn known_family(&self) -> AddressFamily {
        if self.family != AddressFamily::UNSPEC {
            return self.family;
        }
        self.destination.map_or(AddressFamily::BRIDGE, AddressFamily::of)
    }

    /// Whether this host answers for the address in the neighbour's place.
    pub const fn is_proxy(&self) -> bool {
        self.flags.contains(NeighbourFlags::PROXY)
    }
}

/// Whether `NDA_FDB_EXT_ATTRS` holds nothing but what [`Neighbour`] has fields for.
fn plain_extension(attr: &Attr<'_>) -> bool {
    attr.nested().all(|part| {
        part.is_ok_and(|part| matches!(part.number(), NFEA_ACTIVITY_NOTIFY | NFEA_DONT_REFRESH))
    })
}

/// `struct ndmsg`.
fn header(
    AddressFamily(family): AddressFamily,
    index: u32,
    state: NeighbourState,
    flags: NeighbourFlags,
    kind: RouteType,
) -> [u8; NDMSG_LEN] {
    let [i0, i1, i2, i3] = index.to_ne_bytes();
    let [s0, s1] = state.0.to_ne_bytes();
    [family, 0, 0, 0, i0, i1, i2, i3, s0, s1, flags.0, kind.0]
}

impl Object for Neighbour {
    type Filter = NeighbourFilter;
    const PROTOCOL: &'static Protocol = &NEIGHBOURS;
    const NEW: u16 = RTM_NEWNEIGH;
    const DELETE: u16 = RTM_DELNEIGH;
    const GET: u16 = RTM_GETNEIGH;

    fn decode(message: &Message<'_>) -> Result<Self, Error> {
        Self::decode(message)
    }

    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.encode(writer)
    }

    /// Forwarding entries that were read say by `NDA_MASTER` whether the bridge has them, requests
    /// by a flag.
    fn encode_change(&self, _: Action, writer: &mut Writer<'_>) -> Result<(), Error> {
        let side = NeighbourFlags::SELF | NeighbourFlags::MASTER;
        let flags = match self.master {
            Some(master) if (self.flags.0 & side.0) == 0 && master == self.index => {
                self.flags | NeighbourFlags::SELF
            }
            Some(_) if (self.flags.0 & side.0) == 0 => self.flags | NeighbourFlags::MASTER,
            _ => self.flags,
        };
        self.write(writer, self.known_family(), flags, false)
    }
}

/// Asks for one neighbour, proxy entry or forwarding entry.
///
/// None is the kernel's `ENOENT`.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum GetNeighbour {
    /// The neighbour of that address.
    Neighbour {
        /// The link's index.
        index: u32,
        /// The address.
        destination: IpAddr,
    },
    /// The entry that makes this host answer for an address.
    Proxy {
        /// The link's index; 0 is the entry for all links.
        index: u32,
        /// The address.
        destination: IpAddr,
    },
    /// The forwarding entry of that link-layer address.
    Forwarding {
        /// The index of the bridge, or of the device that has a forwarding database of its own.
        index: u32,
        /// Whether `index` is a port and its bridge is meant.
        master: bool,
        /// The link-layer address.
        link_address: [u8; 6],
        /// The VLAN.
        vlan: Option<u16>,
    },
}

impl Request for GetNeighbour {
    type Item = Neighbour;
    const MODE: Mode = Mode::Get;

    fn protocol(&self) -> &'static Protocol {
        &NEIGHBOURS
    }

    fn message_type(&self) -> u16 {
        RTM_GETNEIGH
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let start = |writer: &mut Writer<'_>, family, index, flags| {
            writer.fixed(&header(family, index, NeighbourState(0), flags, RouteType::UNSPEC));
        };
        match *self {
            Self::Neighbour { index, destination } => {
                start(writer, AddressFamily::of(destination), index, NeighbourFlags(0));
                writer.ip(NDA_DST, destination);
            }
            Self::Proxy { index, destination } => {
                start(writer, AddressFamily::of(destination), index, NeighbourFlags::PROXY);
                writer.ip(NDA_DST, destination);
            }
            Self::Forwarding { index, master, link_address, vlan } => {
                let flags = if master { NeighbourFlags::MASTER } else { NeighbourFlags::SELF };
                start(writer, AddressFamily::BRIDGE, index, flags);
                writer.bytes(NDA_LLADDR, &link_address)?;
                if let Some(vlan) = vlan {
                    writer.u16(NDA_VLAN, vlan);
                }
            }
        }
        Ok(())
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<Neighbour>, Error> {
        Neighbour::decode(message).map(Some)
    }
}
