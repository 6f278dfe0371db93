//! Nexthop objects and their groups: `struct nhmsg` and `NHA_*` (linux/nexthop.h).

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use nl_wire::attr::{Attr, Attrs, NLA_F_NESTED};
use nl_wire::error::{Error, Problem};
use nl_wire::request::{Mode, Request};
use nl_wire::table::Protocol;
use nl_wire::value::AddressFamily;
use nl_wire::{Message, RawAttr, Writer};

use crate::object::{Action, Object};
use crate::route::{Encap, encap};
use crate::tables::other::{
    NHA, NHA_BLACKHOLE, NHA_ENCAP, NHA_ENCAP_TYPE, NHA_FDB, NHA_GATEWAY, NHA_GROUP,
    NHA_GROUP_STATS, NHA_GROUP_TYPE, NHA_HW_STATS_ENABLE, NHA_HW_STATS_USED, NHA_ID, NHA_OIF,
    NHA_OP_FLAGS, NHA_RES_GROUP,
};
use crate::tables::{NEXTHOPS, RTM_DELNEXTHOP, RTM_GETNEXTHOP, RTM_NEWNEXTHOP};
use crate::value::{EncapType, GroupType, RouteFlags, RouteProtocol, Scope};

mod bucket;
mod filter;
mod group;

pub use bucket::{GetNexthopBucket, NexthopBucket};
pub use filter::{NexthopBucketFilter, NexthopFilter};
pub use group::{Member, MemberStatistics, Resilience};

/// Length of `struct nhmsg` in bytes.
const NHMSG_LEN: usize = 8;

/// `NHA_OP_FLAG_DUMP_STATS`: a reply shall hold statistics.
const OP_STATISTICS: u32 = 1;

/// A nexthop object, which routes name by its id, or a group of them.
///
/// ```
/// use nl_route::nexthop::Member;
/// use nl_route::{Nexthop, request::Change};
///
/// let one = |id: u32, gateway: [u8; 4]| Nexthop {
///     id: Some(id),
///     gateway: Some(gateway.into()),
///     oif: Some(2),
///     ..Nexthop::default()
/// };
/// let group = Nexthop {
///     id: Some(10),
///     group: vec![Member::new(1), Member { weight: 3, ..Member::new(2) }],
///     ..Nexthop::default()
/// };
/// let batch = [one(1, [192, 0, 2, 1]), one(2, [192, 0, 2, 2]), group].map(Change::replace);
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Nexthop {
    /// The address family; where it is `UNSPEC` a request takes that of the gateway, without one
    /// IPv4. Groups have none.
    pub family: AddressFamily,
    /// The id; without one the kernel chooses.
    pub id: Option<u32>,
    /// How far away the gateway is; the kernel's to tell.
    pub scope: Scope,
    /// Who made it.
    pub protocol: RouteProtocol,
    /// Its flags, `RouteFlags::HOP_*`. Requests say `HOP_ONLINK` only, the others are the kernel's.
    pub flags: RouteFlags,
    /// The gateway; of one with [`Nexthop::fdb`] the tunnel's other end.
    pub gateway: Option<IpAddr>,
    /// The index of the interface that packets leave by.
    pub oif: Option<u32>,
    /// Whether packets are dropped.
    pub blackhole: bool,
    /// Whether it is for forwarding entries, not for routes.
    pub fdb: bool,
    /// How packets are wrapped.
    pub encap: Option<Box<Encap>>,
    /// The members of a group.
    pub group: Vec<Member>,
    /// How a group shares the load; a request that says nothing means `MPATH`.
    pub group_type: Option<GroupType>,
    /// The settings and state of a resilient group.
    pub resilience: Option<Resilience>,
    /// How much each member was used; only where it was asked for.
    pub statistics: Vec<MemberStatistics>,
    /// Whether hardware shall count (`NHA_HW_STATS_ENABLE`).
    pub hw_stats: Option<u32>,
    /// Whether hardware counts (`NHA_HW_STATS_USED`).
    pub hw_stats_used: Option<u32>,
    /// What the kernel says of its reply (`NHA_OP_FLAGS`).
    pub op_flags: Option<u32>,
    /// Attributes that this crate does not know, in order.
    pub unknown: Vec<RawAttr>,
}

impl Nexthop {
    /// Reads an `RTM_NEWNEXTHOP`, `RTM_DELNEXTHOP` or `RTM_GETNEXTHOP`.
    ///
    /// # Errors
    /// [`Problem::MessageType`] for any other message; else what is wrong with the bytes, and
    /// where.
    pub fn decode(message: &Message<'_>) -> Result<Self, Error> {
        match message.header.message_type {
            RTM_NEWNEXTHOP | RTM_DELNEXTHOP | RTM_GETNEXTHOP => {}
            found => return Err(Problem::MessageType { found }.into()),
        }
        Self::decode_body(message.body()).map_err(|error| error.in_table(&NHA))
    }

    fn decode_body(body: &[u8]) -> Result<Self, Error> {
        let (head, mut attrs) = Head::decode(body)?;
        let Head { family, scope, protocol, flags } = head;
        let mut nexthop = Self { family, scope, protocol, flags, ..Self::default() };
        while let Some(attr) = attrs.step() {
            nexthop.read(&attr)?;
        }
        attrs.finish()?;
        Ok(nexthop)
    }

    fn read(&mut self, attr: &Attr<'_>) -> Result<(), Error> {
        match attr.number() {
            NHA_ID => self.id = Some(attr.u32()?),
            NHA_GROUP => self.group = group::members(attr)?,
            NHA_GROUP_TYPE => self.group_type = Some(GroupType(attr.u16()?)),
            NHA_BLACKHOLE => self.blackhole = true,
            NHA_OIF => self.oif = Some(attr.u32()?),
            NHA_GATEWAY => self.gateway = Some(attr.ip()?),
            NHA_ENCAP_TYPE => encap(&mut self.encap).kind = EncapType(attr.u16()?),
            NHA_ENCAP => encap(&mut self.encap).payload = attr.payload.to_vec(),
            NHA_FDB => self.fdb = true,
            NHA_RES_GROUP => {
                let resilience = Resilience::decode(attr.nested());
                self.resilience = Some(resilience.map_err(|error| error.within(NHA_RES_GROUP))?);
            }
            NHA_GROUP_STATS => {
                let statistics = group::statistics(attr.nested());
                self.statistics = statistics.map_err(|error| error.within(NHA_GROUP_STATS))?;
            }
            NHA_HW_STATS_ENABLE => self.hw_stats = Some(attr.u32()?),
            NHA_OP_FLAGS => self.op_flags = Some(attr.u32()?),
            NHA_HW_STATS_USED => self.hw_stats_used = Some(attr.u32()?),
            _ => self.unknown.push((*attr).into()),
        }
        Ok(())
    }

    /// Writes `struct nhmsg` and all attributes, as the kernel orders them.
    ///
    /// # Errors
    /// If a member's weight is not between 1 and 65,536, or an attribute is too long.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let Self { family, scope, protocol, flags, .. } = *self;
        writer.fixed(&Head { family, scope, protocol, flags }.encode());
        self.write(writer, true)
    }

    fn write(&self, writer: &mut Writer<'_>, state: bool) -> Result<(), Error> {
        if let Some(id) = self.id {
            writer.u32(NHA_ID, id);
        }
        if self.fdb {
            writer.flag(NHA_FDB);
        }
        if let Some(kind) = self.group_type {
            writer.u16(NHA_GROUP_TYPE, kind.0);
        }
        if !self.group.is_empty() {
            group::write(writer, &self.group)?;
        }
        if let Some(resilience) = &self.resilience {
            resilience.encode(writer, state)?;
        }
        if let Some(enabled) = self.hw_stats {
            writer.u32(NHA_HW_STATS_ENABLE, enabled);
        }
        if state {
            if let Some(used) = self.hw_stats_used {
                writer.u32(NHA_HW_STATS_USED, used);
            }
            if !self.statistics.is_empty() {
                group::write_statistics(writer, &self.statistics)?;
            }
            if let Some(flags) = self.op_flags {
                writer.u32(NHA_OP_FLAGS, flags);
            }
        }
        if self.blackhole {
            writer.flag(NHA_BLACKHOLE);
        }
        if let Some(oif) = self.oif {
            writer.u32(NHA_OIF, oif);
        }
        if let Some(gateway) = self.gateway {
            writer.ip(NHA_GATEWAY, gateway);
        }
        if let Some(encap) = &self.encap {
            // The kernel wants the flag, and does not set it itself.
            let number = if state { NHA_ENCAP } else { NHA_ENCAP | NLA_F_NESTED };
            writer.bytes(number, &encap.payload)?;
            writer.u16(NHA_ENCAP_TYPE, encap.kind.0);
        }
        self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
    }

    /// The family, or where it is `UNSPEC` that of the gateway, without one IPv4; of a group
    /// `UNSPEC`.
    pub fn known_family(&self) -> AddressFamily {
        if self.family != AddressFamily::UNSPEC || self.is_group() {
            return self.family;
        }
        self.gateway.map_or(AddressFamily::INET, AddressFamily::of)
    }

    /// Whether it is a group.
    pub fn is_group(&self) -> bool {
        !self.group.is_empty()
    }
}

/// `struct nhmsg`.
#[derive(Default)]
struct Head {
    family: AddressFamily,
    scope: Scope,
    protocol: RouteProtocol,
    flags: RouteFlags,
}

impl Head {
    fn decode(body: &[u8]) -> Result<(Self, Attrs<'_>), Error> {
        let (_, attrs) = Attrs::behind(body, NHMSG_LEN)?;
        let Some(&[family, scope, protocol, _, f0, f1, f2, f3]) = body.first_chunk::<NHMSG_LEN>()
        else {
            return Err(Problem::FixedHeader { expected: NHMSG_LEN, actual: body.len() }.into());
        };
        let head = Self {
            family: AddressFamily(family),
            scope: Scope(scope),
            protocol: RouteProtocol(protocol),
            flags: RouteFlags(u32::from_ne_bytes([f0, f1, f2, f3])),
        };
        Ok((head, attrs))
    }

    fn encode(&self) -> [u8; NHMSG_LEN] {
        let [f0, f1, f2, f3] = self.flags.0.to_ne_bytes();
        [self.family.0, self.scope.0, self.protocol.0, 0, f0, f1, f2, f3]
    }
}

impl Object for Nexthop {
    type Filter = NexthopFilter;
    const PROTOCOL: &'static Protocol = &NEXTHOPS;
    const NEW: u16 = RTM_NEWNEXTHOP;
    const DELETE: u16 = RTM_DELNEXTHOP;
    const GET: u16 = RTM_GETNEXTHOP;

    fn decode(message: &Message<'_>) -> Result<Self, Error> {
        Self::decode(message)
    }

    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.encode(writer)
    }

    /// The kernel refuses everything that it does not expect: a deletion says the id alone.
    fn encode_change(&self, action: Action, writer: &mut Writer<'_>) -> Result<(), Error> {
        if action == Action::Delete {
            writer.fixed(&Head::default().encode());
            if let Some(id) = self.id {
                writer.u32(NHA_ID, id);
            }
            return Ok(());
        }
        let head = Head {
            family: self.known_family(),
            scope: Scope::UNIVERSE,
            protocol: self.protocol,
            flags: RouteFlags(self.flags.0 & RouteFlags::HOP_ONLINK.0),
        };
        writer.fixed(&head.encode());
        self.write(writer, false)
    }
}

/// Asks for one nexthop object.
///
/// None of that id is the kernel's `ENOENT`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GetNexthop {
    /// The id.
    pub id: u32,
    /// Whether the statistics of a group shall come with it. Kernels before 6.9 refuse to be asked.
    pub statistics: bool,
}

impl Request for GetNexthop {
    type Item = Nexthop;
    const MODE: Mode = Mode::Get;

    fn protocol(&self) -> &'static Protocol {
        &NEXTHOPS
    }

    fn message_type(&self) -> u16 {
        RTM_GETNEXTHOP
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&Head::default().encode());
        writer.u32(NHA_ID, self.id);
        if self.statistics {
            writer.u32(NHA_OP_FLAGS, OP_STATISTICS);
        }
        Ok(())
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<Nexthop>, Error> {
        Nexthop::decode(message).map(Some)
    }
}
