//! Routes of the usual shape: what the kernel writes of most, in its order.

use alloc::vec::Vec;
use core::net::IpAddr;

use nl_wire::attr::{Attr, Attrs};
use nl_wire::shape;
use nl_wire::value::AddressFamily;

use super::metrics::Few;
use super::{CacheInfo, Hop, Metrics, RTMSG_LEN, Route};
use crate::prefix::Prefix;
use crate::tables::route::{
    RTA_CACHEINFO, RTA_DST, RTA_GATEWAY, RTA_METRICS, RTA_MULTIPATH, RTA_OIF, RTA_PREF,
    RTA_PREFSRC, RTA_PRIORITY, RTA_TABLE,
};
use crate::value::{Preference, TableId};

/// The fields that usual routes have; all are kept apart until the end, where a route is made at
/// once: one that is filled step by step is moved when it is done.
#[derive(Default)]
struct Fields {
    table: Option<u32>,
    destination: Option<Prefix>,
    priority: Option<u32>,
    gateway: Option<IpAddr>,
    prefsrc: Option<IpAddr>,
    oif: Option<u32>,
    metrics: Few,
    cache_info: Option<CacheInfo>,
    preference: Option<Preference>,
}

impl Route {
    /// Reads a route with a destination, unless there is anything unusual to it.
    #[inline]
    pub(super) fn usual(head: &[u8; RTMSG_LEN], mut attrs: Attrs<'_>) -> Option<Self> {
        let &[family, length, 0, ..] = head else { return None };
        let (mut fields, family) = (Fields::default(), AddressFamily(family));
        match family {
            AddressFamily::INET => fields.take_v4(&mut attrs, length)?,
            AddressFamily::INET6 => fields.take_v6(&mut attrs, length)?,
            _ => return None,
        }
        let multipath = if attrs.rest().is_empty() {
            Vec::new()
        } else {
            let hops = match attribute(&mut attrs, RTA_MULTIPATH) {
                Some(attr) => Hop::usual(attr.payload, family)?,
                None => Vec::new(),
            };
            fields.take_end(&mut attrs);
            if !attrs.rest().is_empty() {
                return None;
            }
            hops
        };
        let bare = Self::of(head, Metrics::few(fields.metrics), multipath);
        Some(Self {
            table: fields.table.map_or(bare.table, TableId),
            destination: fields.destination,
            priority: fields.priority,
            gateway: fields.gateway,
            prefsrc: fields.prefsrc,
            oif: fields.oif,
            cache_info: fields.cache_info,
            preference: fields.preference,
            ..bare
        })
    }
}

/// Takes one number off the front of a walk.
macro_rules! number {
    ($attrs:ident, $number:ident) => {
        shape::take::<8, 1>($attrs, [(0, 8, $number)]).map(|bytes| shape::u32(bytes, 4))
    };
}

/// Takes an attribute off the front of a walk, whatever its length.
#[inline]
fn attribute<'a>(attrs: &mut Attrs<'a>, number: u16) -> Option<Attr<'a>> {
    let mut ahead = attrs.clone();
    let attr = ahead.step().filter(|attr| attr.number() == number)?;
    *attrs = ahead;
    Some(attr)
}

impl Fields {
    #[inline]
    fn take_v4(&mut self, attrs: &mut Attrs<'_>, length: u8) -> Option<()> {
        let address = |bytes, at| IpAddr::from(shape::bytes::<16, 4>(bytes, at));
        let bytes = shape::take(attrs, [(0, 8, RTA_TABLE), (8, 8, RTA_DST)])?;
        self.table = Some(shape::u32(bytes, 4));
        self.destination = Some(Prefix::new(address(bytes, 12), length)?);
        self.priority = number!(attrs, RTA_PRIORITY);
        self.take_metrics(attrs)?;
        let away = [(0, 8, RTA_GATEWAY), (8, 8, RTA_OIF)];
        let local = [(0, 8, RTA_PREFSRC), (8, 8, RTA_OIF)];
        if let Some(bytes) = shape::take(attrs, away) {
            self.gateway = Some(address(bytes, 4));
            self.oif = Some(shape::u32(bytes, 12));
        } else if let Some(bytes) = shape::take(attrs, local) {
            self.prefsrc = Some(address(bytes, 4));
            self.oif = Some(shape::u32(bytes, 12));
        } else {
            self.oif = number!(attrs, RTA_OIF);
        }
        Some(())
    }

    #[inline]
    fn take_v6(&mut self, attrs: &mut Attrs<'_>, length: u8) -> Option<()> {
        let address = |bytes, at| IpAddr::from(shape::bytes::<28, 16>(bytes, at));
        let bytes = shape::take(attrs, [(0, 8, RTA_TABLE), (8, 20, RTA_DST)])?;
        self.table = Some(shape::u32(bytes, 4));
        self.destination = Some(Prefix::new(address(bytes, 12), length)?);
        self.take_metrics(attrs)?;
        self.priority = number!(attrs, RTA_PRIORITY);
        let away = [(0, 20, RTA_GATEWAY), (20, 8, RTA_OIF)];
        if let Some(bytes) = shape::take(attrs, away) {
            self.gateway = Some(address(bytes, 4));
            self.oif = Some(shape::u32(bytes, 24));
        } else {
            self.oif = number!(attrs, RTA_OIF);
        }
        Some(())
    }

    /// Takes the metrics if they come next; `None` if they are not of the usual kind.
    #[inline]
    fn take_metrics(&mut self, attrs: &mut Attrs<'_>) -> Option<()> {
        if let Some(attr) = attribute(attrs, RTA_METRICS) {
            self.metrics = Few::read(attr.nested())?;
        }
        Some(())
    }

    /// Takes what stands at the end of IPv6 routes.
    #[inline]
    fn take_end(&mut self, attrs: &mut Attrs<'_>) {
        let end = [(0, 36, RTA_CACHEINFO), (36, 5, RTA_PREF)];
        if let Some(bytes) = shape::take::<44, 2>(attrs, end) {
            self.cache_info = Some(CacheInfo::of(&shape::bytes(bytes, 4)));
            self.preference = Some(Preference(bytes[40]));
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use nl_wire::{RawAttr, Writer};

    use super::*;
    use crate::tables::route::{RTAX_ADVMSS, RTAX_LOCK, RTAX_MTU};
    use crate::value::{HopFlags, RouteFlags, Scope};

    fn routes() -> Vec<Route> {
        let common = Route {
            table: TableId(1000),
            scope: Scope::UNIVERSE,
            flags: RouteFlags(1),
            priority: Some(5),
            oif: Some(3),
            ..Route::default()
        };
        let v4 = Route {
            family: AddressFamily::INET,
            destination: Some("10.1.0.0/16".parse().unwrap()),
            ..common.clone()
        };
        let v6 = Route {
            family: AddressFamily::INET6,
            destination: Some("2001:db8::/32".parse().unwrap()),
            cache_info: Some(CacheInfo {
                references: 1,
                expires: -1,
                error: -2,
                timestamp_age: 3,
                ..CacheInfo::default()
            }),
            preference: Some(Preference(3)),
            ..common
        };
        let few = Metrics::from([(RTAX_LOCK, 4), (RTAX_MTU, 1400), (RTAX_ADVMSS, 1360)]);
        let hops = |gateway: IpAddr| {
            let hop = Hop { ifindex: 4, flags: HopFlags(1), weight: 3, ..Hop::default() };
            let hop = Hop { gateway: Some(gateway), ..hop };
            [hop.clone(), Hop { weight: 256, ..hop }].into()
        };
        [
            Route { gateway: Some([10, 0, 0, 1].into()), ..v4.clone() },
            Route { prefsrc: Some([10, 0, 0, 1].into()), priority: None, ..v4.clone() },
            Route { gateway: Some([1; 16].into()), ..v6.clone() },
            Route { metrics: few.clone(), gateway: Some([10, 0, 0, 1].into()), ..v4.clone() },
            Route { metrics: few, ..v6.clone() },
            Route { multipath: hops([10, 0, 0, 1].into()), oif: None, ..v4.clone() },
            Route { multipath: hops([1; 16].into()), oif: None, ..v6.clone() },
            v4,
            v6,
        ]
        .into()
    }

    /// As far as metrics and hops are concerned.
    fn unusual_routes() -> [Route; 3] {
        let [.., route] = &routes()[..] else { unreachable!("there are some") };
        let mut named = Metrics::from([(RTAX_MTU, 1400)]);
        named.set_congestion_control(&b"reno"[..]);
        let many = Metrics::from([1, 2, 3, 4, 5].map(|number| (number, 7)));
        let gateway = Some([1; 16].into());
        let hops = [Hop { gateway, ..Hop::default() }, Hop::default()].into();
        [
            Route { metrics: named, ..route.clone() },
            Route { metrics: many, ..route.clone() },
            Route { multipath: hops, oif: None, ..route.clone() },
        ]
    }

    fn parts(route: &Route) -> ([u8; RTMSG_LEN], Vec<u8>) {
        let mut bytes = Vec::new();
        route.encode(&mut Writer::attributes(&mut bytes)).unwrap();
        let attrs = bytes.split_off(RTMSG_LEN);
        (bytes.try_into().unwrap(), attrs)
    }

    #[test]
    fn usual_routes_are_read_whole() {
        for route in routes() {
            let (head, attrs) = parts(&route);
            assert_eq!(Route::usual(&head, Attrs::new(&attrs)), Some(route));
        }
        for route in unusual_routes() {
            let (head, attrs) = parts(&route);
            assert_eq!(Route::usual(&head, Attrs::new(&attrs)), None);
            assert_eq!(Route::walked(&head, Attrs::new(&attrs)), Ok(route));
        }
    }

    /// Whatever one bit is changed to, cut off or added: what is read by the shape is what the walk
    /// reads.
    #[test]
    fn shape_and_walk_agree() {
        let check = |head: &[u8; RTMSG_LEN], attrs: &[u8]| {
            if let Some(route) = Route::usual(head, Attrs::new(attrs)) {
                assert_eq!(Route::walked(head, Attrs::new(attrs)), Ok(route));
            }
        };
        for mut route in routes().into_iter().chain(unusual_routes()) {
            for unknown in [false, true] {
                if unknown {
                    route.unknown.push(RawAttr { raw_type: 500, payload: [1, 2].into() });
                }
                let (mut head, mut attrs) = parts(&route);
                for bit in 0..head.len() * 8 {
                    head[bit / 8] ^= 1 << (bit % 8);
                    check(&head, &attrs);
                    head[bit / 8] ^= 1 << (bit % 8);
                }
                for bit in 0..attrs.len() * 8 {
                    attrs[bit / 8] ^= 1 << (bit % 8);
                    check(&head, &attrs);
                    attrs[bit / 8] ^= 1 << (bit % 8);
                }
                for length in 0..attrs.len() {
                    check(&head, &attrs[..length]);
                }
            }
        }
    }
}
