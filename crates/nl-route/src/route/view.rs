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

/// A route in its message: where each attribute is, each read when its getter is called.
///
/// For those who look at some fields of many routes; [`Route`](super::Route) is the whole.
#[derive(Clone, Copy, Debug)]
pub struct RouteView<'a> {
    head: [u8; RTMSG_LEN],
    attrs: &'a [u8],
    /// How many bytes are left where the last attribute of each of [`READ`] begins; 0: there is none.
    left: [u32; READ.len() + 1],
    /// Whether the attributes can be walked to their end.
    sound: bool,
}

/// Attributes that have a getter.
const READ: [u16; 11] = [
    RTA_DST,
    RTA_SRC,
    RTA_IIF,
    RTA_OIF,
    RTA_GATEWAY,
    RTA_PRIORITY,
    RTA_PREFSRC,
    RTA_MULTIPATH,
    RTA_TABLE,
    RTA_VIA,
    RTA_NH_ID,
];

/// Their places in it; that behind it is of all others.
#[allow(clippy::cast_possible_truncation)] // all are small
const PLACES: [u8; 32] = {
    let (mut places, mut place) = ([READ.len() as u8; 32], 0);
    while place < READ.len() {
        places[READ[place] as usize] = place as u8;
        place += 1;
    }
    places
};

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $number:ident, $get:ident;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// If the attributes, or this one, can't be read.
            #[inline]
            pub fn $name(&self) -> Result<Option<$type>, Error> {
                self.read($number, Attr::$get)
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
        let Some((head, attrs)) = body.split_first_chunk::<RTMSG_LEN>() else {
            return Err(Problem::FixedHeader { expected: RTMSG_LEN, actual: body.len() }.into());
        };
        let (mut left, mut walk) = ([0; READ.len() + 1], Attrs::new(attrs));
        loop {
            #[allow(clippy::cast_possible_truncation)] // the length of a message has 32 bits
            let before = walk.rest().len() as u32;
            let Some(attr) = walk.step() else { break };
            let place = PLACES.get(usize::from(attr.number()));
            if let Some(left) = place.and_then(|&place| left.get_mut(usize::from(place))) {
                *left = before;
            }
        }
        Ok(Self { head: *head, attrs, left, sound: walk.rest().is_empty() })
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
        let of_header = TableId(self.head[4].into());
        Ok(self.read(RTA_TABLE, Attr::u32)?.map_or(of_header, TableId))
    }

    /// Where packets go to; `None` is anywhere.
    ///
    /// # Errors
    /// If the attributes, or this one, can't be read.
    #[inline]
    pub fn destination(&self) -> Result<Option<Prefix>, Error> {
        self.prefix(RTA_DST, self.head[1]).map_err(|error| error.in_table(&RTA))
    }

    /// Where packets come from; `None` is anywhere.
    ///
    /// # Errors
    /// If the attributes, or this one, can't be read.
    #[inline]
    pub fn source(&self) -> Result<Option<Prefix>, Error> {
        self.prefix(RTA_SRC, self.head[2]).map_err(|error| error.in_table(&RTA))
    }

    /// The gateway, of the route's family or another.
    ///
    /// # Errors
    /// If the attributes, or this one, can't be read.
    #[inline]
    pub fn gateway(&self) -> Result<Option<IpAddr>, Error> {
        if self.find(RTA_VIA).is_some() {
            return self.last_gateway().map_err(|error| error.in_table(&RTA));
        }
        self.read(RTA_GATEWAY, Attr::ip)
    }

    /// The last of both attributes that holds one.
    #[cold]
    fn last_gateway(&self) -> Result<Option<IpAddr>, Error> {
        let mut found = None;
        for attr in self.attributes() {
            let attr = attr?;
            let gateway = match attr.number() {
                RTA_GATEWAY => attr.ip().map(Some),
                RTA_VIA => via(&attr, self.family()),
                _ => continue,
            };
            found = gateway?.or(found);
        }
        Ok(found)
    }

    /// The next hops, where there are several.
    ///
    /// # Errors
    /// If the attributes can't be read; each hop tells its own damage.
    pub fn multipath(&self) -> Result<impl Iterator<Item = Result<Hop, Error>> + use<'a>, Error> {
        let family = self.family();
        let payload = self.read(RTA_MULTIPATH, |attr| Ok(attr.payload))?.unwrap_or_default();
        let records = Records::new(payload, hop::RTNEXTHOP_LEN).enumerate();
        Ok(records.map(move |(index, record)| {
            record
                .and_then(|record| Hop::decode(record, family))
                .map_err(|error| error.within_index(index).within(RTA_MULTIPATH).in_table(&RTA))
        }))
    }

    #[inline(never)]
    fn prefix(&self, number: u16, length: u8) -> Result<Option<Prefix>, Error> {
        if !self.sound {
            self.judge()?;
        }
        match self.find(number) {
            Some(attr) if has_ip(self.family()) => prefix(&attr, length).map(Some),
            None if length != 0 => zeros(self.family(), length, number),
            _ => Ok(None),
        }
    }

    #[inline]
    fn read<T>(
        &self,
        number: u16,
        read: impl FnOnce(&Attr<'a>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        if !self.sound {
            self.judge()?;
        }
        match self.find(number).as_ref().map(read) {
            None => Ok(None),
            Some(Ok(value)) => Ok(Some(value)),
            Some(Err(error)) => Err(error.in_table(&RTA)),
        }
    }

    /// The last attribute `number`.
    #[inline]
    fn find(&self, number: u16) -> Option<Attr<'a>> {
        let left = self.left[usize::from(PLACES[usize::from(number)])] as usize;
        let begin = self.attrs.len().saturating_sub(left);
        Attrs::new(self.attrs.get(begin..).unwrap_or_default()).step()
    }

    /// What is wrong with the attributes.
    #[cold]
    fn judge(&self) -> Result<(), Error> {
        let mut attrs = self.attributes();
        while attrs.step().is_some() {}
        attrs.finish().map_err(|error| error.in_table(&RTA))
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use nl_wire::{Flags, Header, Writer, write};

    use super::*;
    use crate::route::Route;

    /// The last attribute of a number, by the walk alone.
    fn last<T>(
        view: &RouteView<'_>,
        number: u16,
        read: impl Fn(&Attr<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let mut found = None;
        for attr in view.attributes() {
            let attr = attr.map_err(|error| error.in_table(&RTA))?;
            if attr.number() == number {
                found = Some(attr);
            }
        }
        found.map(|attr| read(&attr).map_err(|error| error.in_table(&RTA))).transpose()
    }

    #[allow(clippy::redundant_closure_for_method_calls)] // a method's path is of one lifetime
    fn check(bytes: &[u8]) {
        let message = Message::decode(bytes).unwrap();
        let Ok(view) = RouteView::new(&message) else { return };
        assert_eq!(view.oif(), last(&view, RTA_OIF, |attr| attr.u32()));
        assert_eq!(view.iif(), last(&view, RTA_IIF, |attr| attr.u32()));
        assert_eq!(view.priority(), last(&view, RTA_PRIORITY, |attr| attr.u32()));
        assert_eq!(view.prefsrc(), last(&view, RTA_PREFSRC, |attr| attr.ip()));
        assert_eq!(view.nexthop_id(), last(&view, RTA_NH_ID, |attr| attr.u32()));
        let table = last(&view, RTA_TABLE, |attr| attr.u32());
        assert_eq!(view.table(), table.map(|it| TableId(it.unwrap_or(view.head[4].into()))));
        // Prefixes, gateways and hops are judged by more than one attribute, as routes are.
        if let Ok(route) = Route::decode(&message) {
            assert_eq!(view.destination(), Ok(route.destination));
            assert_eq!(view.source(), Ok(route.source));
            assert_eq!(view.gateway(), Ok(route.gateway));
            let hops: Result<Vec<_>, _> = view.multipath().unwrap().collect();
            assert_eq!(hops, Ok(route.multipath));
        }
    }

    /// Whatever one bit is changed to, and wherever it is cut: what the places say is what the walk
    /// says.
    #[test]
    fn places_and_walk_agree() {
        let v4 = Route {
            family: AddressFamily::INET,
            destination: Some("10.1.0.0/16".parse().unwrap()),
            source: Some("10.2.0.0/16".parse().unwrap()),
            gateway: Some([10, 0, 0, 1].into()),
            prefsrc: Some([10, 0, 0, 2].into()),
            priority: Some(5),
            oif: Some(3),
            table: TableId(1000),
            ..Route::default()
        };
        let via = Route { gateway: Some([1; 16].into()), priority: None, ..v4.clone() };
        for route in [v4, via] {
            let mut bytes = Vec::new();
            let body = |writer: &mut Writer<'_>| {
                route.encode(writer)?;
                // Once more, and what nobody asks for.
                writer.u32(RTA_OIF, 4);
                writer.u32(RTA_NH_ID, 7);
                writer.u32(500, 1);
                writer.u32(0, 1);
                Ok(())
            };
            let header =
                Header { message_type: RTM_NEWROUTE, flags: Flags::MULTI, ..Header::default() };
            write::message(&mut bytes, header, body).unwrap();
            check(&bytes);
            // Miri is here for the byte order, not for all of them.
            let step = if cfg!(miri) { 7 } else { 1 };
            for bit in (16 * 8..bytes.len() * 8).step_by(step) {
                bytes[bit / 8] ^= 1 << (bit % 8);
                check(&bytes);
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            for length in (16..bytes.len()).step_by(step) {
                let mut cut = bytes[..length].to_vec();
                cut[..4].copy_from_slice(&u32::try_from(length).unwrap().to_ne_bytes());
                check(&cut);
            }
        }
    }
}
