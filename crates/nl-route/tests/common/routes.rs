//! Routes with anything in them.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nl_route::route::{CacheInfo, Encap, Hop, Metrics, Realms};
use nl_route::value::{EncapType, HopFlags, Preference};
use nl_route::{
    AddressFamily, Prefix, Route, RouteFlags, RouteProtocol, RouteType, Scope, TableId,
};
use nl_wire::RawAttr;
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

fn ip(v4: bool) -> BoxedStrategy<IpAddr> {
    if v4 {
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from(bits))).boxed()
    } else {
        any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from(bits))).boxed()
    }
}

fn prefix(v4: bool) -> impl Strategy<Value = Prefix> {
    let most = if v4 { 32_u8 } else { 128 };
    (ip(v4), 0_u8..=most).prop_map(|(address, length)| Prefix::new(address, length).unwrap())
}

fn raw(numbers: core::ops::Range<u16>) -> impl Strategy<Value = RawAttr> {
    (numbers, vec(any::<u8>(), 0..9)).prop_map(|(raw_type, payload)| RawAttr { raw_type, payload })
}

fn encap() -> impl Strategy<Value = Option<Box<Encap>>> {
    of((any::<u16>(), vec(any::<u8>(), 0..20))
        .prop_map(|(kind, payload)| Box::new(Encap { kind: EncapType(kind), payload })))
}

fn metrics() -> impl Strategy<Value = Metrics> {
    let numbers = vec((1..=17_u16, any::<u32>()), 0..8);
    (numbers, of("[a-z]{1,15}"), vec(raw(40..60), 0..2)).prop_map(|(numbers, name, unknown)| {
        let mut metrics = Metrics::default();
        for (number, value) in numbers {
            metrics.set(number, value);
        }
        if let Some(name) = name {
            metrics.set_congestion_control(name.as_str());
        }
        for attr in unknown {
            metrics.push_unknown(attr);
        }
        metrics
    })
}

fn realms() -> impl Strategy<Value = Option<Realms>> {
    of((any::<u16>(), any::<u16>()).prop_map(|(from, to)| Realms { from, to }))
}

fn hop(v4: bool) -> impl Strategy<Value = Hop> {
    let gateway = any::<bool>().prop_flat_map(move |same| of(ip(v4 == same)));
    let rest = (1..=256_u16, gateway, realms(), encap(), vec(raw(40..60), 0..2));
    (any::<u32>(), any::<u8>(), rest).prop_map(
        |(ifindex, flags, (weight, gateway, realms, encap, unknown))| Hop {
            ifindex,
            flags: HopFlags(flags),
            weight,
            gateway,
            realms,
            encap,
            unknown,
        },
    )
}

/// Any route of IPv4 or IPv6.
pub(crate) fn route() -> impl Strategy<Value = Route> {
    any::<bool>().prop_flat_map(|v4| {
        let head = (any::<u8>(), 1..=u32::MAX, any::<u8>(), any::<u8>(), any::<u8>(), any::<u32>());
        let gateway = any::<bool>().prop_flat_map(move |same| of(ip(v4 == same)));
        let addresses = (of(prefix(v4)), of(prefix(v4)), gateway, of(ip(v4)));
        let numbers = vec(of(any::<u32>()), 7);
        let lists = (metrics(), vec(hop(v4), 0..4), vec(raw(40..60), 0..3), encap());
        let small = (of(any::<[u8; 3]>()), of(any::<[u16; 2]>()), realms());
        let cache = of(any::<[i32; 8]>());
        (head, addresses, numbers, lists, small, cache).prop_map(
            move |(head, addresses, n, lists, (bytes, ports, realms), cache)| Route {
                family: if v4 { AddressFamily::INET } else { AddressFamily::INET6 },
                tos: head.0,
                table: TableId(head.1),
                protocol: RouteProtocol(head.2),
                scope: Scope(head.3),
                kind: RouteType(head.4),
                flags: RouteFlags(head.5),
                destination: addresses.0,
                source: addresses.1,
                gateway: addresses.2,
                prefsrc: addresses.3,
                oif: n[0],
                iif: n[1],
                priority: n[2],
                mark: n[3],
                uid: n[4],
                expires: n[5],
                nexthop_id: n[6],
                metrics: lists.0,
                multipath: lists.1,
                unknown: lists.2,
                encap: lists.3,
                preference: bytes.map(|bytes| Preference(bytes[0])),
                ttl_propagate: bytes.map(|bytes| bytes[1]),
                ip_proto: bytes.map(|bytes| bytes[2]),
                source_port: ports.map(|ports| ports[0]),
                destination_port: ports.map(|ports| ports[1]),
                realms,
                cache_info: cache.map(|n| CacheInfo {
                    references: n[0].unsigned_abs(),
                    last_use: n[1].unsigned_abs(),
                    expires: n[2],
                    error: n[3],
                    used: n[4].unsigned_abs(),
                    id: n[5].unsigned_abs(),
                    timestamp: n[6].unsigned_abs(),
                    timestamp_age: n[7].unsigned_abs(),
                }),
            },
        )
    })
}
