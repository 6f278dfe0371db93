//! Routes of the usual shape: what the kernel writes of most, in its order.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use nl_wire::attr::{Attr, Attrs};
use nl_wire::shape;
use nl_wire::value::AddressFamily;

use super::{CacheInfo, Hop, Metrics, RTMSG_LEN, Route, hops};
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
    cache_info: Option<CacheInfo>,
    preference: Option<Preference>,
}

/// The fields that own memory: apart, for they have an address, which keeps what stands beside them
/// out of registers.
#[derive(Default)]
struct Lists {
    metrics: Option<Box<Metrics>>,
    multipath: Vec<Hop>,
}

impl Route {
    /// Reads a route with a destination, unless there is anything unusual to it.
    #[inline]
    pub(super) fn usual(head: &[u8; RTMSG_LEN], mut attrs: Attrs<'_>) -> Option<Self> {
        let &[family, length, 0, ..] = head else { return None };
        let (mut fields, mut lists) = (Fields::default(), Lists::default());
        match AddressFamily(family) {
            AddressFamily::INET => fields.take_v4(&mut lists, &mut attrs, length)?,
            AddressFamily::INET6 => fields.take_v6(&mut lists, &mut attrs, length)?,
            _ => return None,
        }
        if !attrs.rest().is_empty() {
            return None;
        }
        let Fields { table, destination, priority, gateway, prefsrc, oif, cache_info, preference } =
            fields;
        let bare = Self::of(head, lists.metrics, lists.multipath);
        Some(Self {
            table: table.map_or(bare.table, TableId),
            destination,
            priority,
            gateway,
            prefsrc,
            oif,
            cache_info,
            preference,
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

impl Lists {
    /// Takes the metrics if they come next; `None` if they are damaged.
    #[inline]
    fn take_metrics(&mut self, attrs: &mut Attrs<'_>) -> Option<()> {
        if let Some(attr) = attribute(attrs, RTA_METRICS) {
            self.metrics = Some(Metrics::decode(attr.nested()).ok()?);
        }
        Some(())
    }

    /// Takes the hops if they come next; `None` if they are damaged.
    #[inline]
    fn take_hops(&mut self, attrs: &mut Attrs<'_>, family: AddressFamily) -> Option<()> {
        if let Some(attr) = attribute(attrs, RTA_MULTIPATH) {
            self.multipath = hops(&attr, family).ok()?;
        }
        Some(())
    }
}

impl Fields {
    #[inline]
    fn take_v4(&mut self, lists: &mut Lists, attrs: &mut Attrs<'_>, length: u8) -> Option<()> {
        let address = |bytes, at| IpAddr::from(shape::bytes::<16, 4>(bytes, at));
        let bytes = shape::take(attrs, [(0, 8, RTA_TABLE), (8, 8, RTA_DST)])?;
        self.table = Some(shape::u32(bytes, 4));
        self.destination = Some(Prefix::new(address(bytes, 12), length)?);
        self.priority = number!(attrs, RTA_PRIORITY);
        lists.take_metrics(attrs)?;
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
            lists.take_hops(attrs, AddressFamily::INET)?;
        }
        Some(())
    }

    #[inline]
    fn take_v6(&mut self, lists: &mut Lists, attrs: &mut Attrs<'_>, length: u8) -> Option<()> {
        let address = |bytes, at| IpAddr::from(shape::bytes::<28, 16>(bytes, at));
        let bytes = shape::take(attrs, [(0, 8, RTA_TABLE), (8, 20, RTA_DST)])?;
        self.table = Some(shape::u32(bytes, 4));
        self.destination = Some(Prefix::new(address(bytes, 12), length)?);
        lists.take_metrics(attrs)?;
        self.priority = number!(attrs, RTA_PRIORITY);
        let away = [(0, 20, RTA_GATEWAY), (20, 8, RTA_OIF)];
        if let Some(bytes) = shape::take(attrs, away) {
            self.gateway = Some(address(bytes, 4));
            self.oif = Some(shape::u32(bytes, 24));
        } else {
            self.oif = number!(attrs, RTA_OIF);
            lists.take_hops(attrs, AddressFamily::INET6)?;
        }
        let end = [(0, 36, RTA_CACHEINFO), (36, 5, RTA_PREF)];
        if let Some(bytes) = shape::take::<44, 2>(attrs, end) {
            self.cache_info = Some(CacheInfo::of(&shape::bytes(bytes, 4)));
            self.preference = Some(Preference(bytes[40]));
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use nl_wire::{RawAttr, Writer};

    use super::*;
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
        let metrics = Some(Box::new(Metrics {
            mtu: Some(1400),
            advmss: Some(1360),
            lock: Some(4),
            congestion_control: Some(b"reno"[..].into()),
            ..Metrics::default()
        }));
        let hops = |gateway: IpAddr| {
            let hop = Hop { ifindex: 4, flags: HopFlags(1), weight: 3, ..Hop::default() };
            [Hop { gateway: Some(gateway), ..hop.clone() }, hop].into()
        };
        [
            Route { gateway: Some([10, 0, 0, 1].into()), ..v4.clone() },
            Route { prefsrc: Some([10, 0, 0, 1].into()), priority: None, ..v4.clone() },
            Route { gateway: Some([1; 16].into()), ..v6.clone() },
            Route { metrics: metrics.clone(), gateway: Some([10, 0, 0, 1].into()), ..v4.clone() },
            Route { metrics, ..v6.clone() },
            Route { multipath: hops([10, 0, 0, 1].into()), oif: None, ..v4.clone() },
            Route { multipath: hops([1; 16].into()), oif: None, ..v6.clone() },
            v4,
            v6,
        ]
        .into()
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
        for mut route in routes() {
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
