//! Settings of interfaces that decide how packets are forwarded
//! (`struct netconfmsg`, `NETCONFA_*`, linux/netconf.h).

use alloc::vec::Vec;

use nl_wire::attr::Attrs;
use nl_wire::error::{Error, Problem};
use nl_wire::request::{Mode, Request};
use nl_wire::table::Protocol;
use nl_wire::value::AddressFamily;
use nl_wire::{Message, RawAttr, Writer};

use crate::filter::{Filter, agrees, known};
use crate::object::{Action, Object};
use crate::tables::other::{
    NETCONFA, NETCONFA_BC_FORWARDING, NETCONFA_FORCE_FORWARDING, NETCONFA_FORWARDING,
    NETCONFA_IFINDEX, NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN, NETCONFA_INPUT, NETCONFA_MC_FORWARDING,
    NETCONFA_PROXY_NEIGH, NETCONFA_RP_FILTER,
};
use crate::tables::{NETCONF, RTM_DELNETCONF, RTM_GETNETCONF, RTM_NEWNETCONF};

/// `struct netconfmsg` and its padding.
const NETCONFMSG_LEN: usize = 4;

/// The settings of an interface for one address family: what sysctl shows below
/// `net/ipv4/conf`, `net/ipv6/conf` and `net/mpls/conf`.
///
/// They are listed, got and announced only: they are changed by sysctl. An event tells only what
/// changed.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Netconf {
    /// The address family: IPv4, IPv6 or MPLS.
    pub family: AddressFamily,
    /// The index of the interface, [`Netconf::ALL`] or [`Netconf::DEFAULT`].
    pub index: Option<i32>,
    /// Whether packets of others are forwarded.
    pub forwarding: Option<i32>,
    /// How sources are checked: 0 not, 1 strictly (by the way back), 2 loosely (by any way back).
    pub rp_filter: Option<i32>,
    /// Whether multicast packets are forwarded.
    pub mc_forwarding: Option<i32>,
    /// Whether questions for neighbours elsewhere are answered.
    pub proxy_neigh: Option<i32>,
    /// Whether routes are passed over whose link has no carrier.
    pub ignore_routes_with_linkdown: Option<i32>,
    /// Whether labelled packets are accepted (MPLS).
    pub input: Option<i32>,
    /// Whether directed broadcasts are forwarded (IPv4).
    pub bc_forwarding: Option<i32>,
    /// Whether packets are forwarded whatever `forwarding` of all interfaces says (IPv6).
    pub force_forwarding: Option<i32>,
    /// Attributes that this crate does not know, in order.
    pub unknown: Vec<RawAttr>,
}

impl Netconf {
    /// The index that stands for the settings of all interfaces (`NETCONFA_IFINDEX_ALL`).
    pub const ALL: i32 = -1;
    /// The index that stands for the settings of interfaces to come (`NETCONFA_IFINDEX_DEFAULT`).
    pub const DEFAULT: i32 = -2;

    /// Reads an `RTM_NEWNETCONF`, `RTM_DELNETCONF` or `RTM_GETNETCONF`.
    ///
    /// # Errors
    /// [`Problem::MessageType`] for any other message; else what is wrong with the bytes, and
    /// where.
    pub fn decode(message: &Message<'_>) -> Result<Self, Error> {
        match message.header.message_type {
            RTM_NEWNETCONF | RTM_DELNETCONF | RTM_GETNETCONF => {}
            found => return Err(Problem::MessageType { found }.into()),
        }
        Self::decode_body(message.body()).map_err(|error| error.in_table(&NETCONFA))
    }

    fn decode_body(body: &[u8]) -> Result<Self, Error> {
        let (_, mut attrs) = Attrs::behind(body, NETCONFMSG_LEN)?;
        let family = AddressFamily(body.first().copied().unwrap_or_default());
        let mut netconf = Self { family, ..Self::default() };
        while let Some(attr) = attrs.step() {
            match netconf.field(attr.number()) {
                Some(field) => *field = Some(attr.i32()?),
                None => netconf.unknown.push(attr.into()),
            }
        }
        attrs.finish()?;
        Ok(netconf)
    }

    fn field(&mut self, number: u16) -> Option<&mut Option<i32>> {
        Some(match number {
            NETCONFA_IFINDEX => &mut self.index,
            NETCONFA_FORWARDING => &mut self.forwarding,
            NETCONFA_RP_FILTER => &mut self.rp_filter,
            NETCONFA_MC_FORWARDING => &mut self.mc_forwarding,
            NETCONFA_PROXY_NEIGH => &mut self.proxy_neigh,
            NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN => &mut self.ignore_routes_with_linkdown,
            NETCONFA_INPUT => &mut self.input,
            NETCONFA_BC_FORWARDING => &mut self.bc_forwarding,
            NETCONFA_FORCE_FORWARDING => &mut self.force_forwarding,
            _ => return None,
        })
    }

    /// Writes `struct netconfmsg` and all attributes, as the kernel orders them for IPv4.
    ///
    /// # Errors
    /// If an attribute is too long.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&[self.family.0]);
        let numbers = [
            (NETCONFA_IFINDEX, self.index),
            (NETCONFA_FORWARDING, self.forwarding),
            (NETCONFA_RP_FILTER, self.rp_filter),
            (NETCONFA_MC_FORWARDING, self.mc_forwarding),
            (NETCONFA_BC_FORWARDING, self.bc_forwarding),
            (NETCONFA_PROXY_NEIGH, self.proxy_neigh),
            (NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN, self.ignore_routes_with_linkdown),
            (NETCONFA_FORCE_FORWARDING, self.force_forwarding),
            (NETCONFA_INPUT, self.input),
        ];
        for (number, value) in numbers {
            if let Some(value) = value {
                writer.i32(number, value);
            }
        }
        self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
    }
}

impl Object for Netconf {
    type Filter = NetconfFilter;
    const PROTOCOL: &'static Protocol = &NETCONF;
    const NEW: u16 = RTM_NEWNETCONF;
    const DELETE: u16 = RTM_DELNETCONF;
    const GET: u16 = RTM_GETNETCONF;

    fn decode(message: &Message<'_>) -> Result<Self, Error> {
        Self::decode(message)
    }

    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.encode(writer)
    }

    /// Any change is the kernel's `EOPNOTSUPP`.
    fn encode_change(&self, _: Action, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.encode(writer)
    }
}

/// Which settings; by default those of all interfaces and families.
///
/// The kernel filters by family, the rest is done here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct NetconfFilter {
    /// The family; `UNSPEC` is all.
    pub family: AddressFamily,
    /// The index of the interface, [`Netconf::ALL`] or [`Netconf::DEFAULT`].
    pub index: Option<i32>,
}

impl Filter<Netconf> for NetconfFilter {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&[self.family.0]);
        Ok(())
    }

    fn admits(&self, netconf: &Netconf) -> bool {
        agrees(known(self.family), &netconf.family) && agrees(self.index.map(Some), &netconf.index)
    }
}

/// Asks for the settings of one interface.
///
/// An interface that has none of that family is the kernel's `EINVAL`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GetNetconf {
    /// The address family.
    pub family: AddressFamily,
    /// The index of the interface, [`Netconf::ALL`] or [`Netconf::DEFAULT`].
    pub index: i32,
}

impl Request for GetNetconf {
    type Item = Netconf;
    const MODE: Mode = Mode::Get;

    fn protocol(&self) -> &'static Protocol {
        &NETCONF
    }

    fn message_type(&self) -> u16 {
        RTM_GETNETCONF
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&[self.family.0]);
        writer.i32(NETCONFA_IFINDEX, self.index);
        Ok(())
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<Netconf>, Error> {
        Netconf::decode(message).map(Some)
    }
}
