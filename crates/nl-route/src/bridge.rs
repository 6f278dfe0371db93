//! Bridges: the VLANs of their ports, and the multicast groups that ports have joined
//! (linux/if_bridge.h, bridge(8)). Their forwarding entries are [`Neighbour`](crate::Neighbour)s of
//! the family `BRIDGE`.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nl_wire::attr::{Attr, Attrs};
use nl_wire::error::Problem;
use nl_wire::request::{Mode, Request};
use nl_wire::table::Protocol;
use nl_wire::value::AddressFamily;
use nl_wire::{Error, Message, RawAttr, Writer};

use crate::link::Link;
use crate::tables::bridge::{
    BridgeGroup, IFLA_BRIDGE_VLAN_INFO, MDBA, MDBA_MDB, MDBA_MDB_EATTR_GROUP_MODE,
    MDBA_MDB_EATTR_RTPROT, MDBA_MDB_EATTR_SOURCE, MDBA_MDB_EATTR_SRC_LIST, MDBA_MDB_EATTR_TIMER,
    MDBA_MDB_ENTRY, MDBA_MDB_ENTRY_INFO, MDBA_MDB_SRCATTR_ADDRESS, MDBA_MDB_SRCATTR_TIMER,
    MDBA_MDB_SRCLIST_ENTRY, MDBA_ROUTER, MDBA_ROUTER_PATTR_TIMER, MDBA_ROUTER_PATTR_TYPE,
    MDBA_ROUTER_PORT,
};
use crate::tables::link::IFLA_EXT_MASK;
use crate::tables::record::Record as _;
use crate::tables::{
    LINKS, MULTICAST_GROUPS, RTM_DELMDB, RTM_GETLINK, RTM_GETMDB, RTM_NEWLINK, RTM_NEWMDB,
};
use crate::value::{ExtMask, RouteProtocol};

/// `struct ifinfomsg` in bytes.
const IFINFOMSG_LEN: usize = 16;
/// `struct br_port_msg` in bytes.
const BR_PORT_MSG_LEN: usize = 8;

nl_wire::flag_set! {
    /// What becomes of packets of a VLAN (`BRIDGE_VLAN_INFO_*`, linux/if_bridge.h).
    pub struct VlanFlags(u16) "BRIDGE_VLAN_INFO_" {
        /// Of the bridge itself, not of the port.
        MASTER = 0x1,
        /// Packets without a tag belong to it.
        PVID = 0x2,
        /// Packets leave without a tag.
        UNTAGGED = 0x4,
        /// The first of several.
        RANGE_BEGIN = 0x8,
        /// The last of several.
        RANGE_END = 0x10,
        /// The bridge has it for itself.
        BRENTRY = 0x20,
        /// Only options change.
        ONLY_OPTS = 0x40,
    }
}

/// VLANs of a port that are treated alike.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct VlanRange {
    /// The first.
    pub first: u16,
    /// The last; the same where it is one alone.
    pub last: u16,
    /// What becomes of their packets; the bits of ranges are left out.
    pub flags: VlanFlags,
}

/// The VLANs of a port, or of a bridge itself.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct PortVlans {
    /// The link's index.
    pub index: u32,
    /// Its VLANs, in order.
    pub vlans: Vec<VlanRange>,
}

impl PortVlans {
    /// Reads those of a link as [`ListVlans`] asks for them; `None` if the answer has none.
    ///
    /// # Errors
    /// What is wrong with the bytes, and where.
    fn decode(message: &Message<'_>) -> Result<Option<Self>, Error> {
        let link = Link::decode(message)?;
        let Some(spec) = &link.af_spec else { return Ok(None) };
        let mut port = Self { index: link.index, vlans: Vec::new() };
        let mut first = None;
        let mut attrs = Attrs::new(spec);
        while let Some(attr) = attrs.step() {
            if attr.number() != IFLA_BRIDGE_VLAN_INFO {
                continue;
            }
            let [f0, f1, v0, v1] = attr.array::<4>()?;
            let flags = VlanFlags(u16::from_ne_bytes([f0, f1]));
            let vlan = u16::from_ne_bytes([v0, v1]);
            if flags.contains(VlanFlags::RANGE_BEGIN) {
                first = Some(vlan);
                continue;
            }
            let ends = flags.contains(VlanFlags::RANGE_END);
            let start = first.take().filter(|_| ends).unwrap_or(vlan);
            let flags = flags.without(VlanFlags::RANGE_END);
            port.vlans.push(VlanRange { first: start, last: vlan, flags });
        }
        attrs.finish()?;
        Ok(Some(port).filter(|port| !port.vlans.is_empty()))
    }
}

/// Lists the VLANs of all ports that have any, and of bridges.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct ListVlans {
    /// Only of the link of this index.
    pub index: Option<u32>,
    /// Only ports that have this VLAN, and of these only what holds it.
    pub vlan: Option<u16>,
}

impl Request for ListVlans {
    type Item = PortVlans;
    const MODE: Mode = Mode::Dump;

    fn protocol(&self) -> &'static Protocol {
        &LINKS
    }

    fn message_type(&self) -> u16 {
        RTM_GETLINK
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let mut head = [0; IFINFOMSG_LEN];
        head[0] = AddressFamily::BRIDGE.0;
        writer.fixed(&head);
        writer.u32(IFLA_EXT_MASK, ExtMask::BRVLAN_COMPRESSED.0);
        Ok(())
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<PortVlans>, Error> {
        if message.header.message_type != RTM_NEWLINK {
            return Err(Problem::MessageType { found: message.header.message_type }.into());
        }
        let Some(mut port) = PortVlans::decode(message)? else { return Ok(None) };
        if let Some(vlan) = self.vlan {
            port.vlans.retain(|range| (range.first..=range.last).contains(&vlan));
        }
        let wanted = self.index.is_none_or(|index| index == port.index);
        Ok(Some(port).filter(|port| wanted && !port.vlans.is_empty()))
    }
}

/// What a port of a bridge has joined.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum GroupAddress {
    /// A group of IP.
    Ip(IpAddr),
    /// A group of link-layer addresses.
    Link([u8; 6]),
}

/// A source of a group.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GroupSource {
    /// Its address.
    pub address: IpAddr,
    /// Hundredths of a second until it is forgotten.
    pub timer: u32,
}

/// A multicast group that a port has joined (`struct br_mdb_entry`, `MDBA_MDB_EATTR_*`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct GroupEntry {
    /// The index of the port; of the bridge where it has joined itself.
    pub port: u32,
    /// Whether it stays; else it ends with its timer.
    pub permanent: bool,
    /// 1 hardware does it, 2 leaves at once, 4 added for another, 8 blocked (`MDB_FLAGS_*`).
    pub flags: u8,
    /// The VLAN; 0 is none.
    pub vlan: u16,
    /// The group.
    pub group: GroupAddress,
    /// The source, if it is joined for one.
    pub source: Option<IpAddr>,
    /// Hundredths of a second until it ends; 0 where it stays.
    pub timer: Option<u32>,
    /// Whether `sources` are those that are wanted (1) or those that are not (0).
    pub mode: Option<u8>,
    /// Sources that are wanted or not.
    pub sources: Option<Vec<GroupSource>>,
    /// Who made it.
    pub protocol: Option<RouteProtocol>,
    /// Attributes that this crate does not read, in order.
    pub unknown: Vec<RawAttr>,
}

/// A port behind which a multicast router is.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct RouterPort {
    /// Its index.
    pub port: u32,
    /// Hundredths of a second until it is forgotten.
    pub timer: Option<u32>,
    /// How that is known: 0 never, 1 for as long as there are queries, 2 always, 3 for a time
    /// (`MDB_RTR_TYPE_*`).
    pub kind: Option<u8>,
    /// Attributes that this crate does not read, in order.
    pub unknown: Vec<RawAttr>,
}

/// Multicast groups and routers of a bridge (`RTM_NEWMDB`, `MDBA_*`).
///
/// A large database comes in several messages, each with a part.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct BridgeGroups {
    /// The index of the bridge.
    pub index: u32,
    /// Groups of ports, in the kernel's order.
    pub entries: Vec<GroupEntry>,
    /// Ports with routers.
    pub routers: Vec<RouterPort>,
}

/// The `number`s in a nest, each read.
fn each<T>(
    nest: &Attr<'_>,
    number: u16,
    out: &mut Vec<T>,
    read: impl Fn(&Attr<'_>) -> Result<T, Error>,
) -> Result<(), Error> {
    let mut attrs = nest.nested();
    while let Some(attr) = attrs.step() {
        if attr.number() == number {
            out.push(read(&attr)?);
        }
    }
    attrs.finish()
}

impl BridgeGroups {
    /// Reads a reply or an event.
    ///
    /// # Errors
    /// What is wrong with the bytes, and where.
    pub fn decode(message: &Message<'_>) -> Result<Self, Error> {
        let found = message.header.message_type;
        // Entries of lists have the type of the question.
        if ![RTM_NEWMDB, RTM_DELMDB, RTM_GETMDB].contains(&found) {
            return Err(Problem::MessageType { found }.into());
        }
        Self::decode_body(message.body()).map_err(|error| error.in_table(&MDBA))
    }

    fn decode_body(body: &[u8]) -> Result<Self, Error> {
        let (head, mut attrs) = Attrs::behind(body, BR_PORT_MSG_LEN)?;
        let mut groups = Self { index: u32::take(&mut &head[4..]), ..Self::default() };
        while let Some(attr) = attrs.step() {
            let within = |error: Error| error.within(attr.number());
            match attr.number() {
                MDBA_MDB => {
                    let mut lists = attr.nested();
                    while let Some(list) = lists.step() {
                        if list.number() == MDBA_MDB_ENTRY {
                            let entries = &mut groups.entries;
                            each(&list, MDBA_MDB_ENTRY_INFO, entries, GroupEntry::decode)
                                .map_err(|error| within(error.within(MDBA_MDB_ENTRY)))?;
                        }
                    }
                    lists.finish().map_err(within)?;
                }
                MDBA_ROUTER => {
                    each(&attr, MDBA_ROUTER_PORT, &mut groups.routers, RouterPort::decode)
                        .map_err(within)?;
                }
                _ => {}
            }
        }
        attrs.finish()?;
        Ok(groups)
    }
}

/// The first bytes of an address that is shorter than its place.
fn first<const N: usize>(bytes: [u8; 16]) -> [u8; N] {
    bytes.first_chunk().copied().unwrap_or([0; N])
}

impl GroupEntry {
    fn decode(info: &Attr<'_>) -> Result<Self, Error> {
        Self::decode_info(info.payload).map_err(|error| error.within(info.number()))
    }

    fn decode_info(mut payload: &[u8]) -> Result<Self, Error> {
        let (_, mut attrs) = Attrs::behind(payload, BridgeGroup::WIDTH)?;
        let base = BridgeGroup::take(&mut payload);
        let mut entry = Self {
            port: base.ifindex,
            permanent: base.state & 1 != 0,
            flags: base.flags,
            vlan: base.vid,
            group: match u16::from_be(base.proto) {
                0x0800 => GroupAddress::Ip(Ipv4Addr::from(first::<4>(base.addr)).into()),
                0x86dd => GroupAddress::Ip(Ipv6Addr::from(base.addr).into()),
                _ => GroupAddress::Link(first(base.addr)),
            },
            source: None,
            timer: None,
            mode: None,
            sources: None,
            protocol: None,
            unknown: Vec::new(),
        };
        while let Some(attr) = attrs.step() {
            match attr.number() {
                MDBA_MDB_EATTR_TIMER => entry.timer = Some(attr.u32()?),
                MDBA_MDB_EATTR_GROUP_MODE => entry.mode = Some(attr.u8()?),
                MDBA_MDB_EATTR_SOURCE => entry.source = Some(attr.ip()?),
                MDBA_MDB_EATTR_RTPROT => entry.protocol = Some(RouteProtocol(attr.u8()?)),
                MDBA_MDB_EATTR_SRC_LIST => {
                    let sources = entry.sources.get_or_insert_default();
                    each(&attr, MDBA_MDB_SRCLIST_ENTRY, sources, GroupSource::decode)
                        .map_err(|error| error.within(attr.number()))?;
                }
                _ => entry.unknown.push(attr.into()),
            }
        }
        attrs.finish()?;
        Ok(entry)
    }
}

impl GroupSource {
    fn decode(nest: &Attr<'_>) -> Result<Self, Error> {
        let mut source = Self { address: Ipv4Addr::UNSPECIFIED.into(), timer: 0 };
        let mut attrs = nest.nested();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                MDBA_MDB_SRCATTR_ADDRESS => source.address = attr.ip()?,
                MDBA_MDB_SRCATTR_TIMER => source.timer = attr.u32()?,
                _ => {}
            }
        }
        attrs.finish()?;
        Ok(source)
    }
}

impl RouterPort {
    fn decode(nest: &Attr<'_>) -> Result<Self, Error> {
        let (mut head, mut attrs) =
            Attrs::behind(nest.payload, 4).map_err(|error| error.within(nest.number()))?;
        let mut router = Self { port: u32::take(&mut head), ..Self::default() };
        while let Some(attr) = attrs.step() {
            match attr.number() {
                MDBA_ROUTER_PATTR_TIMER => router.timer = Some(attr.u32()?),
                MDBA_ROUTER_PATTR_TYPE => router.kind = Some(attr.u8()?),
                _ => router.unknown.push(attr.into()),
            }
        }
        attrs.finish()?;
        Ok(router)
    }
}

/// Lists multicast groups and routers of all bridges.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct ListGroups {
    /// Only of the bridge of this index.
    pub index: Option<u32>,
    /// Only groups of this VLAN.
    pub vlan: Option<u16>,
}

impl Request for ListGroups {
    type Item = BridgeGroups;
    const MODE: Mode = Mode::Dump;

    fn protocol(&self) -> &'static Protocol {
        &MULTICAST_GROUPS
    }

    fn message_type(&self) -> u16 {
        RTM_GETMDB
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&[AddressFamily::BRIDGE.0, 0, 0, 0, 0, 0, 0, 0]);
        Ok(())
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<BridgeGroups>, Error> {
        let mut groups = BridgeGroups::decode(message)?;
        groups.entries.retain(|entry| self.vlan.is_none_or(|vlan| vlan == entry.vlan));
        Ok(Some(groups).filter(|groups| self.index.is_none_or(|index| index == groups.index)))
    }
}
