//! Requests by hand over raw rtnetlink, so that these tests rest on no codec.
#![allow(dead_code, reason = "each test file uses its part")]

use std::net::Ipv4Addr;
use std::time::Duration;

use nl_socket::Connection;
use nl_wire::error::Problem;
use nl_wire::table::{Layout, Protocol, Table};
use nl_wire::value::Family;
use nl_wire::{Attrs, Error, Flags, Message, Mode, Request, Writer};

nl_wire::attributes! {
    pub(crate) static LINK: "IFLA" {
        IFLA_IFNAME = 3: Text;
        IFLA_LINKINFO = 18: Nest(&LINK_INFO);
        IFLA_IFALIAS = 20: Text;
        IFLA_EXT_MASK = 29: U32;
        IFLA_PROP_LIST = 52: Nest(&PROPERTIES);
    }
    pub(crate) static LINK_INFO: "IFLA_INFO" {
        IFLA_INFO_KIND = 1: Text;
    }
    pub(crate) static PROPERTIES: "IFLA" {
        IFLA_ALT_IFNAME = 53: Text;
    }
    pub(crate) static ROUTE: "RTA" {
        RTA_DST = 1: Ip;
        RTA_OIF = 4: U32;
        RTA_GATEWAY = 5: Ip;
        RTA_TABLE = 15: U32;
    }
}

nl_wire::layouts! {
    static IFINFOMSG: "ifinfomsg" {
        "ifi_family": U8; "": U8; "ifi_type": U16; "ifi_index": I32; "ifi_flags": U32;
        "ifi_change": U32;
    }
    static RTMSG: "rtmsg" {
        "rtm_family": U8; "rtm_dst_len": U8; "rtm_src_len": U8; "rtm_tos": U8; "rtm_table": U8;
        "rtm_protocol": U8; "rtm_scope": U8; "rtm_type": U8; "rtm_flags": U32;
    }
}

nl_wire::protocol! {
    pub(crate) static RTNETLINK: Family::ROUTE {
        RTM_NEWLINK = 16: New, &IFINFOMSG, &LINK;
        RTM_DELLINK = 17: Delete, &IFINFOMSG, &LINK;
        RTM_GETLINK = 18: Get, &IFINFOMSG, &LINK;
        RTM_NEWROUTE = 24: New, &RTMSG, &ROUTE;
        RTM_DELROUTE = 25: Delete, &RTMSG, &ROUTE;
        RTM_GETROUTE = 26: Get, &RTMSG, &ROUTE;
    }
}

nl_wire::protocol! {
    pub(crate) static NETFILTER: Family::NETFILTER {
        CT_GET = 257: Get, Layout::NONE, Table::EMPTY;
    }
}

/// `RTEXT_FILTER_SKIP_STATS`: shorter messages, and room for long ones.
const SKIP_STATS: u32 = 8;

fn ifinfomsg(index: u32) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[4..8].copy_from_slice(&index.to_ne_bytes());
    bytes
}

/// What these tests want to know of a link.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Link {
    pub(crate) index: u32,
    pub(crate) name: String,
    /// Length of its message in bytes.
    pub(crate) length: usize,
    pub(crate) alternative_names: usize,
}

pub(crate) fn read_link(message: &Message<'_>) -> Result<Option<Link>, Error> {
    if message.header.message_type != RTM_NEWLINK {
        return Ok(None);
    }
    let (fixed, attrs) = Attrs::behind(message.body(), 16)?;
    let index = u32::from_ne_bytes([fixed[4], fixed[5], fixed[6], fixed[7]]);
    let (mut name, mut alternative_names) = (None, 0);
    for attr in attrs {
        let attr = attr?;
        match attr.number() {
            IFLA_IFNAME => name = Some(String::from_utf8_lossy(attr.text()).into_owned()),
            IFLA_PROP_LIST => alternative_names = attr.nested().count(),
            _ => {}
        }
    }
    let name = name.ok_or_else(|| Error::missing(IFLA_IFNAME))?;
    Ok(Some(Link { index, name, length: message.bytes.len(), alternative_names }))
}

macro_rules! request {
    ($name:ty, $mode:ident, $protocol:ident, $type:expr, $item:ty) => {
        type Item = $item;
        const MODE: Mode = Mode::$mode;
        fn protocol(&self) -> &'static Protocol {
            &$protocol
        }
        fn message_type(&self) -> u16 {
            $type
        }
    };
}

/// All links.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListLinks;

impl Request for ListLinks {
    request!(ListLinks, Dump, RTNETLINK, RTM_GETLINK, Link);
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&ifinfomsg(0));
        writer.u32(IFLA_EXT_MASK, SKIP_STATS);
        Ok(())
    }
    fn read(&self, message: &Message<'_>) -> Result<Option<Link>, Error> {
        read_link(message)
    }
}

/// All links, asked for in a way that strict checking refuses.
#[derive(Debug)]
pub(crate) struct ListLinksLoosely;

impl Request for ListLinksLoosely {
    request!(ListLinksLoosely, Dump, RTNETLINK, RTM_GETLINK, Link);
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&ifinfomsg(1));
        Ok(())
    }
    fn read(&self, message: &Message<'_>) -> Result<Option<Link>, Error> {
        read_link(message)
    }
}

/// One link; by default with what the request of a real codec would do.
#[derive(Debug, Default)]
pub(crate) struct GetLink {
    pub(crate) index: u32,
    /// Ask for an ack, too.
    pub(crate) acked: bool,
    /// Find fault with every reply.
    pub(crate) picky: bool,
    /// Take no reply for an answer.
    pub(crate) deaf: bool,
}

impl Request for GetLink {
    request!(GetLink, Get, RTNETLINK, RTM_GETLINK, Link);
    fn flags(&self) -> Flags {
        if self.acked { Flags::ACK } else { Flags(0) }
    }
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&ifinfomsg(self.index));
        Ok(())
    }
    fn read(&self, message: &Message<'_>) -> Result<Option<Link>, Error> {
        if self.picky {
            return Err(Problem::Value.into());
        }
        Ok(read_link(message)?.filter(|_| !self.deaf))
    }
}

/// Makes a link without an end of its own.
#[derive(Debug)]
pub(crate) struct AddLink<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) flags: Flags,
    /// Find fault with every echo.
    pub(crate) picky: bool,
}

impl<'a> AddLink<'a> {
    pub(crate) fn bridge(name: &'a str) -> Self {
        Self { name, kind: "bridge", flags: Flags::CREATE | Flags::EXCL, picky: false }
    }
}

impl Request for AddLink<'_> {
    request!(AddLink, Change, RTNETLINK, RTM_NEWLINK, Link);
    fn flags(&self) -> Flags {
        self.flags
    }
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&ifinfomsg(0));
        writer.text(IFLA_IFNAME, self.name.as_bytes())?;
        writer.nest(IFLA_LINKINFO, |writer| writer.text(IFLA_INFO_KIND, self.kind.as_bytes()))
    }
    fn read(&self, message: &Message<'_>) -> Result<Option<Link>, Error> {
        if self.picky { Err(Problem::Value.into()) } else { read_link(message) }
    }
}

/// Makes an IPv4 host route over an interface.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct AddRoute {
    pub(crate) destination: Ipv4Addr,
    pub(crate) interface: u32,
    /// A gateway as bytes, so that it may be wrong.
    pub(crate) gateway: Option<Vec<u8>>,
    /// Padding in front, to make the request long: an attribute that the kernel passes over.
    pub(crate) ballast: usize,
    /// Can't be written.
    pub(crate) unencodable: bool,
}

impl AddRoute {
    /// Route number `n` of many.
    pub(crate) fn number(n: u32) -> Self {
        Self {
            destination: Ipv4Addr::from(0x0a00_0000 + n),
            interface: 1,
            gateway: None,
            ballast: 0,
            unencodable: false,
        }
    }

    /// Refused with a text, the place and the policy: a gateway of two bytes.
    pub(crate) fn misfit(n: u32) -> Self {
        Self { gateway: Some(vec![1, 2]), ..Self::number(n) }
    }
}

/// Unknown to every kernel.
const BALLAST: u16 = 1000;

impl Request for AddRoute {
    request!(AddRoute, Change, RTNETLINK, RTM_NEWROUTE, ());
    fn flags(&self) -> Flags {
        Flags::CREATE | Flags::EXCL
    }
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        // AF_INET, /32, table main, protocol static, scope link, unicast.
        writer.fixed(&[2, 32, 0, 0, 254, 4, 253, 1, 0, 0, 0, 0]);
        if self.ballast > 0 {
            writer.bytes(BALLAST, &vec![0; self.ballast])?;
        }
        if self.unencodable {
            return Err(Error::at(Problem::Value, RTA_DST));
        }
        writer.bytes(RTA_DST, &self.destination.octets())?;
        writer.u32(RTA_OIF, self.interface);
        match &self.gateway {
            Some(gateway) => writer.bytes(RTA_GATEWAY, gateway),
            None => Ok(()),
        }
    }
    fn read(&self, _: &Message<'_>) -> Result<Option<()>, Error> {
        Ok(Some(()))
    }
}

/// The destinations of all routes of the main table.
#[derive(Debug)]
pub(crate) struct ListRoutes;

impl Request for ListRoutes {
    request!(ListRoutes, Dump, RTNETLINK, RTM_GETROUTE, Ipv4Addr);
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&[2, 0, 0, 0, 254, 0, 0, 0, 0, 0, 0, 0]);
        Ok(())
    }
    fn read(&self, message: &Message<'_>) -> Result<Option<Ipv4Addr>, Error> {
        let (_, attrs) = Attrs::behind(message.body(), 12)?;
        for attr in attrs {
            let attr = attr?;
            if attr.number() == RTA_DST {
                return attr.ipv4().map(Some);
            }
        }
        Ok(None)
    }
}

/// A conntrack dump that lacks its `struct nfgenmsg`: no kernel answers it.
#[derive(Debug)]
pub(crate) struct Unanswered;

impl Request for Unanswered {
    request!(Unanswered, Dump, NETFILTER, CT_GET, ());
    fn write(&self, _: &mut Writer<'_>) -> Result<(), Error> {
        Ok(())
    }
    fn read(&self, _: &Message<'_>) -> Result<Option<()>, Error> {
        Ok(None)
    }
}

/// All connections, counted.
#[derive(Debug)]
pub(crate) struct ListFlows;

impl Request for ListFlows {
    request!(ListFlows, Dump, NETFILTER, CT_GET, ());
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&[0; 4]);
        Ok(())
    }
    fn read(&self, _: &Message<'_>) -> Result<Option<()>, Error> {
        Ok(Some(()))
    }
}

/// A connection to rtnetlink that waits no longer than a test may.
pub(crate) fn rtnetlink() -> Connection {
    let mut connection = Connection::open(Family::ROUTE).unwrap();
    connection.set_timeout(Some(Duration::from_secs(5)));
    connection
}

/// Every link, by a dump that must be whole.
pub(crate) fn links(connection: &mut Connection) -> Vec<Link> {
    connection.dump(ListLinks).unwrap().collect::<Result<_, _>>().unwrap()
}

nl_wire::protocol! {
    pub(crate) static DOORS: Family::USERSOCK {
        DOOR_KNOCK = 16: New, Layout::NONE, Table::EMPTY;
    }
}

/// A change of a protocol that has no kernel side.
#[derive(Debug)]
pub(crate) struct Knock(pub(crate) u32);

impl Request for Knock {
    request!(Knock, Change, DOORS, DOOR_KNOCK, ());
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&self.0.to_ne_bytes());
        Ok(())
    }
    fn read(&self, _: &Message<'_>) -> Result<Option<()>, Error> {
        Ok(None)
    }
}
