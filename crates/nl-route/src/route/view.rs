//! A borrowed route, for those who want single fields.

use core::net::IpAddr;

use nl_wire::Message;
use nl_wire::attr::{Attr, Attrs, Records};
use nl_wire::error::{Error, Problem};
use nl_wire::value::AddressFamily;

use super::hop::{self, Hop};
use super::{RTMSG_LEN, has_ip, prefix, via, zeros};
use crate::prefix::Prefix;
use crate::tables::route::{
    RTA, RTA_DST, RTA_GATEWAY, RTA_IIF, RTA_MULTIPATH, RTA_NH_ID, RTA_OIF, RTA_PREFSRC,
    RTA_PRIORITY, RTA_SRC, RTA_TABLE, RTA_VIA,
};
use crate::tables::{RTM_DELROUTE, RTM_GETROUTE, RTM_NEWROUTE};
use crate::value::{RouteFlags, RouteProtocol, RouteType, Scope, TableId};

/// A route in its message: each getter reads its field from the bytes when it is called.
///
/// For those who look at one field of many routes; [`Route`](super::Route) is the whole.
#[derive(Clone, Copy, Debug)]
pub struct RouteView<'a> {
    head: [u8; RTMSG_LEN],
    attrs: &'a [u8],
}

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $number:ident, $get:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// If the attributes, or this one, can't be read.
            #[inline]
            pub fn $name(&self) -> Result<Option<$type>, Error> {
                match self.find($number)? {
                    Some(attr) => attr.$get().map(Some).map_err(|error| error.in_table(&RTA)),
                    None => Ok(None),
                }
            }
        )*
    };
}

impl<'a> RouteView<'a> {
    /// Looks at an `RTM_NEWROUTE`, `RTM_DELROUTE` or `RTM_GETROUTE`.
    ///
    /// # Errors
    /// [`Problem::MessageType`] for any other message, [`Problem::FixedHeader`] if it is shorter
    /// than `struct rtmsg`. Attributes are judged by the getters.
    #[inline]
    pub fn new(message: &Message<'a>) -> Result<Self, Error> {
        match message.header.message_type {
            RTM_NEWROUTE | RTM_DELROUTE | RTM_GETROUTE => {}
            found => return Err(Problem::MessageType { found }.into()),
        }
        let body = message.body();
        match body.split_first_chunk::<RTMSG_LEN>() {
            Some((head, attrs)) => Ok(Self { head: *head, attrs }),
            None => Err(Problem::FixedHeader { expected: RTMSG_LEN, actual: body.len() }.into()),
        }
    }

    /// The address family.
    #[inline]
    pub const fn family(&self) -> AddressFamily {
        AddressFamily(self.head[0])
    }

    /// The type of service.
    #[inline]
    pub const fn tos(&self) -> u8 {
        self.head[3]
    }

    /// Who made the route.
    #[inline]
    pub const fn protocol(&self) -> RouteProtocol {
        RouteProtocol(self.head[5])
    }

    /// How far away the destination is.
    #[inline]
    pub const fn scope(&self) -> Scope {
        Scope(self.head[6])
    }

    /// What happens to the packets.
    #[inline]
    pub const fn kind(&self) -> RouteType {
        RouteType(self.head[7])
    }

    /// The flags.
    #[inline]
    pub const fn flags(&self) -> RouteFlags {
        let [.., f0, f1, f2, f3] = self.head;
        RouteFlags(u32::from_ne_bytes([f0, f1, f2, f3]))
    }

    /// The attributes.
    #[inline]
    pub const fn attributes(&self) -> Attrs<'a> {
        Attrs::new(self.attrs)
    }

    fields! {
        /// The index of the interface that packets leave by.
        oif: u32 = RTA_OIF, u32;
        /// The index of the interface that the packet of a lookup came in by.
        iif: u32 = RTA_IIF, u32;
        /// The metric.
        priority: u32 = RTA_PRIORITY, u32;
        /// The source address for packets of this host.
        prefsrc: IpAddr = RTA_PREFSRC, ip;
        /// The nexthop object.
        nexthop_id: u32 = RTA_NH_ID, u32;
    }

    /// The table: `RTA_TABLE`, or without it `rtm_table`.
    ///
    /// # Errors
    /// If the attributes, or this one, can't be read.
    #[inline]
    pub fn table(&self) -> Result<TableId, Error> {
        match self.find(RTA_TABLE)? {
            Some(attr) => attr.u32().map(TableId).map_err(|error| error.in_table(&RTA)),
            None => Ok(TableId(self.head[4].into())),
        }
    }

    /// Where packets go to; `None` is anywhere.
    ///
    /// # Errors
    /// If the attributes, or this one, can't be read.
    pub fn destination(&self) -> Result<Option<Prefix>, Error> {
        self.prefix(RTA_DST, self.head[1]).map_err(|error| error.in_table(&RTA))
    }

    /// Where packets come from; `None` is anywhere.
    ///
    /// # Errors
    /// If the attributes, or this one, can't be read.
    pub fn source(&self) -> Result<Option<Prefix>, Error> {
        self.prefix(RTA_SRC, self.head[2]).map_err(|error| error.in_table(&RTA))
    }

    /// The gateway, of the route's family or another.
    ///
    /// # Errors
    /// If the attributes, or this one, can't be read.
    pub fn gateway(&self) -> Result<Option<IpAddr>, Error> {
        let mut found = None;
        for attr in self.attributes() {
            let attr = attr.map_err(|error| error.in_table(&RTA))?;
            let gateway = match attr.number() {
                RTA_GATEWAY => attr.ip().map(Some),
                RTA_VIA => via(&attr, self.family()),
                _ => continue,
            };
            found = gateway.map_err(|error| error.in_table(&RTA))?.or(found);
        }
        Ok(found)
    }

    /// The next hops, where there are several.
    ///
    /// # Errors
    /// If the attributes can't be read; each hop tells its own damage.
    pub fn multipath(&self) -> Result<impl Iterator<Item = Result<Hop, Error>> + use<'a>, Error> {
        let family = self.family();
        let payload = self.find(RTA_MULTIPATH)?.map_or(&[][..], |attr| attr.payload);
        let records = Records::new(payload, hop::RTNEXTHOP_LEN).enumerate();
        Ok(records.map(move |(index, record)| {
            record
                .and_then(|record| Hop::decode(record, family))
                .map_err(|error| error.within_index(index).within(RTA_MULTIPATH).in_table(&RTA))
        }))
    }

    fn prefix(&self, number: u16, length: u8) -> Result<Option<Prefix>, Error> {
        match self.find(number)? {
            Some(attr) if has_ip(self.family()) => prefix(&attr, length).map(Some),
            None if length != 0 => zeros(self.family(), length, number),
            _ => Ok(None),
        }
    }

    /// The last attribute `number`.
    #[inline]
    fn find(&self, number: u16) -> Result<Option<Attr<'a>>, Error> {
        let mut found = None;
        for attr in self.attributes() {
            let attr = attr.map_err(|error| error.in_table(&RTA))?;
            if attr.number() == number {
                found = Some(attr);
            }
        }
        Ok(found)
    }
}
