//! Captured messages: decoded, written again, cut short at every byte.
#![cfg(target_endian = "little")]

use nl_route::filter::RouteFilter;
use nl_route::names::Names;
use nl_route::nexthop::Member;
use nl_route::request::List;
use nl_route::route::{CacheInfo, Hop, Metrics, RouteView};
use nl_route::tables::route::{
    RTAX_ADVMSS, RTAX_CWND, RTAX_FASTOPEN_NO_COOKIE, RTAX_FEATURES, RTAX_HOPLIMIT, RTAX_INITCWND,
    RTAX_INITRWND, RTAX_LOCK, RTAX_MTU, RTAX_QUICKACK, RTAX_REORDERING, RTAX_RTO_MIN, RTAX_RTT,
    RTAX_RTTVAR, RTAX_SSTHRESH, RTAX_WINDOW,
};
use nl_route::value::{
    HopFlags, NeighbourExtFlags, NeighbourState, PathFeatures, Preference, RuleAction, RuleFlags,
};
use nl_route::{
    Address, AddressFamily, AddressFlags, Context, Link, LinkFlags, Neighbour, Nexthop,
    NexthopBucket, Object, OperState, PROTOCOL, Route, RouteFlags, RouteProtocol, RouteType, Rule,
    Scope, TableId, json, text,
};
use nl_testkit::{every_truncation, fixture, fixtures};
use nl_wire::json::Json;
use nl_wire::listing::Listing;
use nl_wire::{Error, Message, Request as _, write};

const FOLDER: &str = "tests/fixtures";

fn one<T: Object>(name: &str) -> T {
    let bytes = fixture(format!("{FOLDER}/{name}.hex"));
    T::decode(&Message::decode(&bytes).unwrap()).unwrap()
}

fn encode<T: Object>(message: &Message<'_>, object: &T) -> Vec<u8> {
    let mut out = Vec::new();
    write::message(&mut out, message.header, |writer| object.encode(writer)).unwrap();
    out
}

/// Decodes, prints and writes again whatever `bytes` hold; only panics matter.
fn exercise<T: Object>(
    bytes: &[u8],
    text: fn(&mut String, &T, &Context<'_>),
    json: fn(&mut Json<'_>, &T, &Context<'_>),
) -> Result<(), Error> {
    let message = Message::decode(bytes)?;
    let object = T::decode(&message)?;
    let names = Names::default();
    let context = Context { details: true, statistics: 2, ..Context::new(&names) };
    let mut out = String::new();
    text(&mut out, &object, &context);
    out.clear();
    json(&mut Json::new(&mut out), &object, &context);
    serde_json::from_str::<serde_json::Value>(&out).unwrap_or_else(|e| panic!("{e}: {out}"));
    encode(&message, &object);
    Ok(())
}

/// What the name of a fixture says that it holds.
fn kind(name: &str) -> &str {
    name.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or_default()
}

fn exercise_any(name: &str, bytes: &[u8]) -> Result<(), Error> {
    match kind(name) {
        "route" => exercise::<Route>(bytes, text::route, json::route),
        "link" => exercise::<Link>(bytes, text::link, json::link),
        "address" => exercise::<Address>(bytes, text::address, json::address),
        "neighbour" => exercise::<Neighbour>(bytes, text::neighbour, json::neighbour),
        "rule" => exercise::<Rule>(bytes, text::rule, json::rule),
        "nexthop" => exercise::<Nexthop>(bytes, text::nexthop, json::nexthop),
        "bucket" => exercise::<NexthopBucket>(bytes, text::nexthop_bucket, json::nexthop_bucket),
        other => panic!("{other}"),
    }
}

/// Decodes, writes and decodes again; whether the bytes stay the same.
fn again<T: Object + PartialEq + std::fmt::Debug>(name: &str, message: &Message<'_>) -> bool {
    let object = T::decode(message).unwrap();
    let out = encode(message, &object);
    assert_eq!(T::decode(&Message::decode(&out).unwrap()).unwrap(), object, "{name}");
    out == message.bytes
}

#[test]
fn all_are_decoded_and_written_again() {
    let (mut same, mut all) = (0, 0);
    for (name, bytes) in fixtures(FOLDER) {
        let message = Message::decode(&bytes).unwrap();
        exercise_any(&name, &bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let identical = match kind(&name) {
            "route" => again::<Route>(&name, &message),
            "link" => again::<Link>(&name, &message),
            "address" => again::<Address>(&name, &message),
            "neighbour" => again::<Neighbour>(&name, &message),
            "rule" => again::<Rule>(&name, &message),
            "nexthop" => again::<Nexthop>(&name, &message),
            _ => again::<NexthopBucket>(&name, &message),
        };
        // The kernel orders the answers to IPv4 lookups, links, IPv6 addresses and forwarding
        // entries otherwise.
        let other_order = match kind(&name) {
            "route" => name.starts_with("route4_get") || !name.contains('4'),
            "link" => true,
            "address" => !name.contains('4'),
            _ => name.starts_with("neighbour_fdb"),
        };
        assert!(identical || other_order, "{name}");
        same += usize::from(identical);
        all += 1;
        let listing = Listing::new(&message, &PROTOCOL).to_string();
        let unnamed = |line: &&str| line.trim_start().starts_with(|c: char| c.is_ascii_digit());
        assert_eq!(listing.lines().find(unnamed), None, "{name}");
    }
    assert!(all >= 68 && same >= 55, "{same} of {all}");
}

#[test]
fn all_survive_every_truncation() {
    for (name, bytes) in fixtures(FOLDER) {
        every_truncation(&bytes, |cut| {
            assert!(exercise_any(&name, cut).is_err(), "{name}");
            // A whole message whose attributes end early.
            if cut.len() >= 16 {
                let mut whole = cut.to_vec();
                let length = u32::try_from(cut.len()).unwrap();
                whole[..4].copy_from_slice(&length.to_ne_bytes());
                let _ = exercise_any(&name, &whole);
                if let Ok(view) = RouteView::new(&Message::decode(&whole).unwrap()) {
                    let _ = (view.destination(), view.source(), view.gateway(), view.oif());
                    let _ = view.multipath().map(Iterator::count);
                }
            }
        });
    }
}

/// What a list takes without a look is what it takes, and read the same.
#[test]
fn plain_replies_are_what_was_asked_for() {
    let lists = [
        RouteFilter::default(),
        RouteFilter { cloned: true, ..RouteFilter::default() },
        RouteFilter { family: AddressFamily::INET6, ..RouteFilter::default() },
        RouteFilter { oif: Some(1), ..RouteFilter::default() },
    ];
    let mut plain = 0;
    let mut check = |bytes: &[u8]| {
        let Ok(message) = Message::decode(bytes) else { return };
        for filter in lists {
            let list = List::<Route> { filter };
            let read = list.read(&message);
            assert_eq!(list.read_as(&message, |read| read), read);
            if list.is_plain(&message) {
                assert_ne!(read, Ok(None), "{message:?}");
                plain += 1;
            }
        }
    };
    for (_, bytes) in fixtures(FOLDER) {
        check(&bytes);
        for end in 16..bytes.len() {
            let mut whole = bytes[..end].to_vec();
            whole[..4].copy_from_slice(&u32::try_from(end).unwrap().to_ne_bytes());
            check(&whole);
        }
    }
    assert_ne!(plain, 0);
}

#[test]
fn views_agree_with_routes() {
    for (name, bytes) in fixtures(FOLDER) {
        let message = Message::decode(&bytes).unwrap();
        let Ok(view) = RouteView::new(&message) else {
            assert!(!name.starts_with("route"), "{name}");
            continue;
        };
        let route = Route::decode(&message).unwrap();
        assert_eq!(view.family(), route.family);
        assert_eq!(view.tos(), route.tos);
        assert_eq!(view.protocol(), route.protocol);
        assert_eq!(view.scope(), route.scope);
        assert_eq!(view.kind(), route.kind);
        assert_eq!(view.flags(), route.flags);
        assert_eq!(view.table(), Ok(route.table));
        assert_eq!(view.destination(), Ok(route.destination));
        assert_eq!(view.source(), Ok(route.source));
        assert_eq!(view.gateway(), Ok(route.gateway));
        assert_eq!(view.oif(), Ok(route.oif));
        assert_eq!(view.iif(), Ok(route.iif));
        assert_eq!(view.priority(), Ok(route.priority));
        assert_eq!(view.prefsrc(), Ok(route.prefsrc));
        assert_eq!(view.nexthop_id(), Ok(route.nexthop_id));
        let hops: Result<Vec<_>, _> = view.multipath().unwrap().collect();
        assert_eq!(hops, Ok(route.multipath));
    }
}

#[test]
fn routes_hold_what_was_sent() {
    let main = Route {
        family: AddressFamily::INET,
        table: TableId::MAIN,
        protocol: RouteProtocol::BOOT,
        scope: Scope::UNIVERSE,
        kind: RouteType::UNICAST,
        ..Route::default()
    };
    let down = RouteFlags::HOP_LINKDOWN;
    assert_eq!(
        one::<Route>("route4_static"),
        Route {
            destination: "10.2.0.0/16".parse().ok(),
            protocol: RouteProtocol::STATIC,
            gateway: "10.0.0.2".parse().ok(),
            oif: Some(3),
            priority: Some(50),
            prefsrc: "10.0.0.1".parse().ok(),
            flags: down,
            ..main.clone()
        }
    );
    assert_eq!(
        one::<Route>("route4_table1000"),
        Route {
            destination: "10.7.0.0/16".parse().ok(),
            table: TableId(1000),
            scope: Scope::LINK,
            oif: Some(3),
            flags: down,
            ..main.clone()
        }
    );
    assert_eq!(
        one::<Route>("route4_via_inet6"),
        Route {
            destination: "10.18.0.0/16".parse().ok(),
            gateway: "fe80::1".parse().ok(),
            oif: Some(3),
            flags: down,
            ..main.clone()
        }
    );
    let hop = Hop { ifindex: 3, flags: HopFlags::LINKDOWN, ..Hop::default() };
    assert_eq!(
        one::<Route>("route4_multipath"),
        Route {
            destination: "10.4.0.0/16".parse().ok(),
            multipath: vec![
                Hop { gateway: "10.0.0.2".parse().ok(), weight: 3, ..hop.clone() },
                Hop {
                    gateway: "10.0.1.2".parse().ok(),
                    weight: 200,
                    ifindex: 5,
                    flags: HopFlags(0),
                    ..hop
                },
            ],
            ..main.clone()
        }
    );
    let mut metrics = Metrics::from([
        (RTAX_LOCK, 1 << 2 | 1 << 7 | 1 << 13 | 1 << 16),
        (RTAX_MTU, 1400),
        (RTAX_WINDOW, 1000),
        (RTAX_RTT, 1200 * 8),
        (RTAX_RTTVAR, 10 * 4),
        (RTAX_SSTHRESH, 5),
        (RTAX_CWND, 7),
        (RTAX_ADVMSS, 1300),
        (RTAX_REORDERING, 4),
        (RTAX_HOPLIMIT, 33),
        (RTAX_INITCWND, 10),
        (RTAX_FEATURES, PathFeatures::ECN.0),
        (RTAX_RTO_MIN, 300),
        (RTAX_INITRWND, 11),
        (RTAX_QUICKACK, 1),
        (RTAX_FASTOPEN_NO_COOKIE, 1),
    ]);
    metrics.set_congestion_control("cubic");
    assert_eq!(
        one::<Route>("route4_metrics"),
        Route {
            destination: "10.6.0.0/16".parse().ok(),
            gateway: "10.0.0.2".parse().ok(),
            oif: Some(3),
            flags: down,
            metrics,
            ..main.clone()
        }
    );
    assert_eq!(
        one::<Route>("route6_pref_high"),
        Route {
            family: AddressFamily::INET6,
            destination: "2001:db8:2::/48".parse().ok(),
            gateway: "2001:db8::2".parse().ok(),
            oif: Some(3),
            priority: Some(5),
            flags: down,
            cache_info: Some(CacheInfo::default()),
            preference: Some(Preference::HIGH),
            ..main
        }
    );
    let expires = one::<Route>("route6_expires");
    assert!(expires.cache_info.is_some_and(|info| (29_000..=30_000).contains(&info.expires)));
    assert_eq!(one::<Route>("route6_source").source, "2001:db8:c::/48".parse().ok());
    let get = one::<Route>("route4_get_local");
    assert!(get.flags.contains(RouteFlags::CLONED) && get.uid == Some(0));
    assert!(one::<Route>("route4_nexthop_group").nexthop_id == Some(10));
    assert_eq!(one::<Route>("route6_encap_seg6").encap.unwrap().attributes().count(), 1);
}

#[test]
fn links_and_addresses_hold_what_was_sent() {
    let link = one::<Link>("link_vxlan");
    assert_eq!(link.name, Some("vx".into()));
    assert_eq!(link.info_kind().map(ToString::to_string).as_deref(), Some("vxlan"));
    assert_eq!(link.alias, Some("hello \"x\"".into()));
    assert_eq!(link.altnames, ["another-long-name-of-vxlan"]);
    assert_eq!(link.operstate, Some(OperState::DOWN));
    assert_eq!(link.mtu, Some(1500));
    assert!(link.flags.contains(LinkFlags::MULTICAST) && !link.flags.contains(LinkFlags::UP));
    assert!(link.stats.is_some());
    let port = one::<Link>("link_bridge_port");
    assert_eq!(port.info.unwrap().slave_kind, Some("bridge".into()));
    assert_eq!(port.master, Some(one::<Link>("link_bridge").index));

    let address = one::<Address>("address4_peer");
    assert_eq!(address.own(), "10.9.9.1".parse().ok());
    assert_eq!(address.address, "10.9.9.2".parse().ok());
    assert_eq!(address.prefix_length, 32);
    assert!(address.flags.contains(AddressFlags::PERMANENT));
    let address = one::<Address>("address4_lifetime");
    assert_eq!(address.label, Some("mv:x".into()));
    assert_eq!(address.rt_priority, Some(77));
    assert!(address.cache_info.is_some_and(|info| info.valid <= 100 && info.preferred <= 50));
    assert!(one::<Address>("address6").flags.contains(AddressFlags::NODAD));
}

#[test]
fn neighbours_rules_and_nexthops_hold_what_was_sent() {
    let neighbour = one::<Neighbour>("neighbour4_stale_protocol");
    assert_eq!(
        Neighbour { cache_info: None, ..neighbour },
        Neighbour {
            family: AddressFamily::INET,
            index: 3,
            state: NeighbourState::STALE,
            kind: RouteType::UNICAST,
            destination: "10.0.0.11".parse().ok(),
            link_address: Some(vec![2, 0, 0, 0, 0, 11]),
            probes: Some(0),
            protocol: Some(RouteProtocol::STATIC),
            ..Neighbour::default()
        }
    );
    assert!(neighbour.cache_info.is_some_and(|info| info.references == 0));
    let managed = one::<Neighbour>("neighbour4_managed");
    assert_eq!(managed.ext_flags, Some(NeighbourExtFlags::MANAGED));
    assert!(one::<Neighbour>("neighbour4_proxy").is_proxy());
    let entry = one::<Neighbour>("neighbour_fdb_vxlan");
    assert_eq!((entry.port, entry.vni, entry.via), (Some(99), Some(7), Some(3)));
    assert_eq!(entry.destination, "10.0.0.9".parse().ok());

    let main = Rule {
        family: AddressFamily::INET,
        action: RuleAction::TO_TBL,
        table: TableId(7),
        protocol: Some(RouteProtocol::UNSPEC),
        ..Rule::default()
    };
    assert_eq!(
        one::<Rule>("rule4_users_ports"),
        Rule {
            priority: Some(16),
            uid_range: Some(0..=0),
            ip_proto: Some(6),
            source_ports: Some(80..=80),
            source_port_mask: Some(0xffff),
            destination_ports: Some(1000..=2000),
            ..main.clone()
        }
    );
    assert_eq!(
        one::<Rule>("rule4_mark_links"),
        Rule {
            priority: Some(13),
            fwmark: Some(0x10),
            fwmask: Some(0xff),
            iif: Some("v0".into()),
            oif: Some("nope".into()),
            flags: RuleFlags::OIF_DETACHED,
            table: TableId(5000),
            ..main.clone()
        }
    );
    assert_eq!(
        one::<Rule>("rule4_goto"),
        Rule {
            priority: Some(20),
            source: "10.0.0.1".parse().ok(),
            action: RuleAction::GOTO,
            goto: Some(30),
            flags: RuleFlags::UNRESOLVED,
            table: TableId::UNSPEC,
            ..main.clone()
        }
    );
    assert_eq!(one::<Rule>("rule4_tunnel"), Rule { priority: Some(18), tun_id: Some(99), ..main });
    let label = one::<Rule>("rule6_flow_label");
    assert_eq!((label.flow_label, label.flow_label_mask), (Some(5), Some(255)));
    assert_eq!(one::<Rule>("rule4_suppress_length").suppress_prefix_length, Some(0));
    assert!(
        one::<Rule>("rule4_l3mdev").l3mdev && one::<Rule>("rule4_not_destination").is_inverted()
    );

    assert_eq!(
        one::<Nexthop>("nexthop4_onlink"),
        Nexthop {
            family: AddressFamily::INET,
            id: Some(2),
            scope: Scope::LINK,
            protocol: RouteProtocol::STATIC,
            flags: RouteFlags::HOP_ONLINK,
            gateway: "192.168.7.1".parse().ok(),
            oif: Some(3),
            ..Nexthop::default()
        }
    );
    let group = one::<Nexthop>("nexthop_group_resilient");
    assert_eq!(group.group, [Member::new(1), Member::new(2)]);
    let resilience = group.resilience.unwrap();
    assert_eq!((resilience.buckets, resilience.idle_timer), (Some(4), Some(6000)));
    assert_eq!(group.statistics.len(), 2);
    let wide = one::<Nexthop>("nexthop_group_wide");
    assert_eq!(wide.group.first(), Some(&Member { id: 1, weight: 300 }));
    let bucket = one::<NexthopBucket>("bucket4");
    assert_eq!((bucket.id, bucket.index, bucket.nexthop_id), (Some(13), Some(0), Some(2)));
}
