//! Whatever neighbours, rules and nexthop objects can hold comes back from its bytes, and requests
//! say no more than the kernel takes.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nl_route::filter::Filter;
use nl_route::neighbour::{GetNeighbour, NeighbourCacheInfo, NeighbourFilter};
use nl_route::nexthop::{Member, MemberStatistics, NexthopFilter, Resilience};
use nl_route::object::Object;
use nl_route::route::Encap;
use nl_route::rule::RuleFilter;
use nl_route::value::{
    EncapType, GroupType, NeighbourExtFlags, NeighbourFlags, NeighbourState, RuleAction, RuleFlags,
};
use nl_route::{
    Action, AddressFamily, Change, Neighbour, Nexthop, NexthopBucket, Prefix, RouteFlags,
    RouteProtocol, RouteType, Rule, Scope, TableId,
};
use nl_wire::{Header, Message, RawAttr, Request, write};
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

fn any_ip() -> impl Strategy<Value = IpAddr> {
    any::<bool>().prop_flat_map(ip)
}

fn prefix(v4: bool) -> impl Strategy<Value = Prefix> {
    let most = if v4 { 32_u8 } else { 128 };
    (ip(v4), 0_u8..=most).prop_map(|(address, length)| Prefix::new(address, length).unwrap())
}

fn raw() -> impl Strategy<Value = Vec<RawAttr>> {
    vec(
        (60_u16..80, vec(any::<u8>(), 0..9))
            .prop_map(|(raw_type, payload)| RawAttr { raw_type, payload }),
        0..3,
    )
}

fn neighbour() -> impl Strategy<Value = Neighbour> {
    let head = (any::<u8>(), any::<u32>(), any::<u16>(), any::<u8>(), any::<u8>());
    let rest = (of(any_ip()), of(vec(any::<u8>(), 0..21)), of(any::<[u32; 4]>()), raw());
    let numbers = (vec(of(any::<u32>()), 7), of(any::<[u16; 3]>()), of(any::<[u8; 3]>()));
    (head, rest, numbers, any::<bool>(), of(any::<i32>())).prop_map(
        |(head, (destination, link_address, cache, unknown), (n, halves, bytes), flag, id)| {
            Neighbour {
                family: AddressFamily(head.0),
                index: head.1,
                state: NeighbourState(head.2),
                flags: NeighbourFlags(head.3),
                kind: RouteType(head.4),
                destination,
                link_address,
                cache_info: cache.map(|n| NeighbourCacheInfo {
                    confirmed: n[0],
                    used: n[1],
                    updated: n[2],
                    references: n[3],
                }),
                probes: n[0],
                vlan: halves.map(|halves| halves[0]),
                port: halves.map(|halves| halves[1]),
                vni: n[1],
                via: n[2],
                master: n[3],
                link_netnsid: id,
                source_vni: n[4],
                protocol: bytes.map(|bytes| RouteProtocol(bytes[0])),
                nexthop_id: n[5],
                activity_notify: bytes.map(|bytes| bytes[1]),
                dont_refresh: flag,
                ext_flags: n[6].map(NeighbourExtFlags),
                state_mask: halves.map(|halves| NeighbourState(halves[2])),
                flags_mask: bytes.map(|bytes| NeighbourFlags(bytes[2])),
                unknown,
            }
        },
    )
}

fn rule() -> impl Strategy<Value = Rule> {
    any::<bool>().prop_flat_map(|v4| {
        let head = (any::<u8>(), any::<u32>(), any::<u8>(), any::<u32>());
        let prefixes = (of(prefix(v4)), of(prefix(v4)));
        let names = (of("[a-z]{1,15}"), of("[a-z]{1,15}"));
        let ranges = (of(any::<[u32; 2]>()), of(any::<[u16; 3]>()), of(any::<[u16; 3]>()));
        let numbers = (vec(of(any::<u32>()), 7), of(any::<u64>()), of(any::<[u8; 4]>()));
        (head, prefixes, names, ranges, numbers, any::<bool>(), raw()).prop_map(
            move |(
                head,
                prefixes,
                names,
                (users, sport, dport),
                (n, tun_id, bytes),
                l3mdev,
                unknown,
            )| Rule {
                family: if v4 { AddressFamily::INET } else { AddressFamily::INET6 },
                destination: prefixes.0,
                source: prefixes.1,
                tos: head.0,
                table: TableId(head.1),
                action: RuleAction(head.2),
                flags: RuleFlags(head.3),
                priority: n[0],
                iif: names.0.map(|name| name.as_str().into()),
                oif: names.1.map(|name| name.as_str().into()),
                goto: n[1],
                fwmark: n[2],
                fwmask: n[3],
                realms: n[4].map(Into::into),
                tun_id,
                suppress_ifgroup: n[5],
                suppress_prefix_length: n[6].filter(|length| *length != u32::MAX),
                l3mdev,
                uid_range: users.map(|[first, last]| first..=last),
                protocol: bytes.map(|bytes| RouteProtocol(bytes[0])),
                ip_proto: bytes.map(|bytes| bytes[1]),
                source_ports: sport.map(|[first, last, _]| first..=last),
                destination_ports: dport.map(|[first, last, _]| first..=last),
                source_port_mask: sport.map(|ports| ports[2]),
                destination_port_mask: dport.map(|ports| ports[2]),
                dscp: bytes.map(|bytes| bytes[2]),
                dscp_mask: bytes.map(|bytes| bytes[3]),
                flow_label: n[0],
                flow_label_mask: n[1],
                unknown,
            },
        )
    })
}

fn nexthop() -> impl Strategy<Value = Nexthop> {
    let head = (any::<u8>(), any::<u8>(), any::<u8>(), any::<u32>());
    let encap = of((any::<u16>(), vec(any::<u8>(), 0..20))
        .prop_map(|(kind, payload)| Box::new(Encap { kind: EncapType(kind), payload })));
    let group = vec((any::<u32>(), 1_u32..=65_536), 0..5);
    let resilience =
        of((of(any::<u16>()), of(any::<u32>()), of(any::<u32>()), of(any::<u64>()), raw()));
    let statistics = vec((of(any::<u32>()), of(any::<u64>()), of(any::<u64>()), raw()), 0..3);
    let rest =
        (of(any_ip()), vec(of(any::<u32>()), 5), of(any::<u16>()), any::<[bool; 2]>(), raw());
    (head, encap, group, resilience, statistics, rest).prop_map(
        |(head, encap, group, resilience, statistics, (gateway, n, kind, flags, unknown))| {
            Nexthop {
                family: AddressFamily(head.0),
                scope: Scope(head.1),
                protocol: RouteProtocol(head.2),
                flags: RouteFlags(head.3),
                id: n[0],
                gateway,
                oif: n[1],
                blackhole: flags[0],
                fdb: flags[1],
                encap,
                group: group.into_iter().map(|(id, weight)| Member { id, weight }).collect(),
                group_type: kind.map(GroupType),
                resilience: resilience.map(
                    |(buckets, idle_timer, unbalanced_timer, unbalanced_time, unknown)| {
                        Resilience {
                            buckets,
                            idle_timer,
                            unbalanced_timer,
                            unbalanced_time,
                            unknown,
                        }
                    },
                ),
                statistics: statistics
                    .into_iter()
                    .map(|(id, packets, packets_hw, unknown)| MemberStatistics {
                        id,
                        packets,
                        packets_hw,
                        unknown,
                    })
                    .collect(),
                hw_stats: n[2],
                hw_stats_used: n[3],
                op_flags: n[4],
                unknown,
            }
        },
    )
}

fn bucket() -> impl Strategy<Value = NexthopBucket> {
    let numbers = (of(any::<u32>()), of(any::<u16>()), of(any::<u64>()), of(any::<u32>()));
    (any::<u8>(), any::<u32>(), numbers, raw()).prop_map(
        |(family, flags, (id, index, idle_time, nexthop_id), unknown)| NexthopBucket {
            family: AddressFamily(family),
            flags: RouteFlags(flags),
            id,
            index,
            idle_time,
            nexthop_id,
            unknown,
        },
    )
}

/// What is written of an object reads as the same.
fn round_trip<T: Object + PartialEq + std::fmt::Debug>(object: &T) {
    for message_type in [T::NEW, T::DELETE] {
        let mut out = Vec::new();
        let header = Header { message_type, ..Header::default() };
        write::message(&mut out, header, |writer| object.encode(writer)).unwrap();
        assert_eq!(&T::decode(&Message::decode(&out).unwrap()).unwrap(), object);
    }
}

proptest! {
    #[test]
    fn neighbours(object in neighbour()) {
        round_trip(&object);
    }

    #[test]
    fn rules(object in rule()) {
        round_trip(&object);
    }

    #[test]
    fn nexthops(object in nexthop()) {
        round_trip(&object);
    }

    #[test]
    fn buckets(object in bucket()) {
        round_trip(&object);
    }
}

/// What a request to do `action` to an object says, read as an object.
fn asked<T: Object>(action: Action, object: T) -> T {
    let mut out = Vec::new();
    Change { action, object }.encode(1, &mut out).unwrap();
    T::decode(&Message::decode(&out).unwrap()).unwrap()
}

#[test]
fn requests_leave_out_what_only_the_kernel_knows() {
    let read = Neighbour {
        destination: "192.0.2.1".parse().ok(),
        cache_info: Some(NeighbourCacheInfo::default()),
        probes: Some(3),
        ..Neighbour::default()
    };
    let sent = asked(Action::Replace, read);
    assert_eq!((sent.family, sent.state), (AddressFamily::INET, NeighbourState::PERMANENT));
    assert_eq!((sent.cache_info, sent.probes), (None, None));
    // Of a bridge's entries requests say by a flag where they are.
    let entry = Neighbour { index: 5, master: Some(7), ..Neighbour::default() };
    let sent = asked(Action::Delete, entry.clone());
    assert_eq!((sent.family, sent.flags), (AddressFamily::BRIDGE, NeighbourFlags::MASTER));
    let sent = asked(Action::Delete, Neighbour { index: 7, ..entry.clone() });
    assert_eq!((sent.flags, sent.master), (NeighbourFlags::SELF, None));
    let sent = asked(Action::Delete, Neighbour { flags: NeighbourFlags::SELF, ..entry });
    assert_eq!(sent.flags, NeighbourFlags::SELF);

    let read = Rule {
        flags: RuleFlags::INVERT | RuleFlags::UNRESOLVED | RuleFlags::IIF_DETACHED,
        ..Rule::default()
    };
    let sent = asked(Action::Add, read.clone());
    assert_eq!((sent.flags, sent.action), (RuleFlags::INVERT, RuleAction::TO_TBL));
    assert_eq!((sent.family, sent.table), (AddressFamily::INET, TableId::MAIN));
    let sent = asked(Action::Delete, read);
    assert_eq!((sent.action, sent.table), (RuleAction::UNSPEC, TableId::UNSPEC));
    let sent = asked(Action::Add, Rule { goto: Some(5), ..Rule::default() });
    assert_eq!((sent.action, sent.table), (RuleAction::GOTO, TableId::UNSPEC));
    let sent = asked(Action::Add, Rule { l3mdev: true, ..Rule::default() });
    assert_eq!(sent.table, TableId::UNSPEC);
    let source = "2001:db8::/32".parse().ok();
    assert_eq!(asked(Action::Add, Rule { source, ..Rule::default() }).family, AddressFamily::INET6);

    let read = Nexthop {
        id: Some(5),
        family: AddressFamily::INET,
        scope: Scope::LINK,
        flags: RouteFlags::HOP_ONLINK | RouteFlags::HOP_LINKDOWN,
        gateway: "192.0.2.1".parse().ok(),
        statistics: vec![MemberStatistics::default()],
        hw_stats_used: Some(1),
        op_flags: Some(1),
        resilience: Some(Resilience { unbalanced_time: Some(5), ..Resilience::default() }),
        ..Nexthop::default()
    };
    let sent = asked(Action::Add, read.clone());
    assert_eq!((sent.scope, sent.flags), (Scope::UNIVERSE, RouteFlags::HOP_ONLINK));
    assert_eq!((sent.hw_stats_used, sent.op_flags, sent.statistics.len()), (None, None, 0));
    assert_eq!(sent.resilience, Some(Resilience::default()));
    assert_eq!(asked(Action::Delete, read), Nexthop { id: Some(5), ..Nexthop::default() });
    for weight in [0, 65_537] {
        let object = Nexthop { group: vec![Member { id: 1, weight }], ..Nexthop::default() };
        let error = Change::add(object).encode(1, &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "NHA_GROUP: value out of range");
    }
    let get = GetNeighbour::Forwarding {
        index: 1,
        master: true,
        link_address: [2, 0, 0, 0, 0, 1],
        vlan: Some(7),
    };
    let mut out = Vec::new();
    get.encode(1, &mut out).unwrap();
    let asked = Neighbour::decode(&Message::decode(&out).unwrap()).unwrap();
    assert_eq!((asked.vlan, asked.flags), (Some(7), NeighbourFlags::MASTER));
}

#[test]
fn lists_check_every_entry() {
    let neighbour = Neighbour {
        family: AddressFamily::INET,
        index: 3,
        state: NeighbourState::STALE,
        destination: "10.0.0.9".parse().ok(),
        ..Neighbour::default()
    };
    let all = NeighbourFilter::default();
    assert!(all.admits(&neighbour));
    assert!(!NeighbourFilter { proxy: true, ..all }.admits(&neighbour));
    assert!(!NeighbourFilter { family: AddressFamily::INET6, ..all }.admits(&neighbour));
    assert!(!NeighbourFilter { index: Some(4), ..all }.admits(&neighbour));
    assert!(!NeighbourFilter { within: "10.1.0.0/16".parse().ok(), ..all }.admits(&neighbour));
    let states = NeighbourState::REACHABLE | NeighbourFilter::STATELESS;
    let some = NeighbourFilter { states, ..all };
    assert!(!some.admits(&neighbour));
    assert!(some.admits(&Neighbour { state: NeighbourState(0), ..neighbour.clone() }));
    let flags = NeighbourFlags::EXT_LEARNED;
    assert!(some.admits(&Neighbour { flags, ..neighbour.clone() }));
    let info = NeighbourCacheInfo { references: 1, ..NeighbourCacheInfo::default() };
    let used = Neighbour { cache_info: Some(info), ..neighbour };
    assert!(!NeighbourFilter { unused: true, ..all }.admits(&used));

    let rule = Rule {
        family: AddressFamily::INET,
        source: "10.0.0.0/8".parse().ok(),
        table: TableId(7),
        ..Rule::default()
    };
    let all = RuleFilter::default();
    assert!(all.admits(&rule));
    let admits = |filter: RuleFilter| filter.admits(&rule);
    assert!(admits(RuleFilter { within: "0.0.0.0/0".parse().ok(), ..all.clone() }));
    assert!(!admits(RuleFilter { within: "::/0".parse().ok(), ..all.clone() }));
    assert!(!admits(RuleFilter { within: "10.0.0.0/8".parse().ok(), ..all.clone() }));
    assert!(admits(RuleFilter { source_within: "10.0.0.0/7".parse().ok(), ..all.clone() }));
    assert!(!admits(RuleFilter { source_within: "10.0.0.0/9".parse().ok(), ..all.clone() }));
    assert!(admits(RuleFilter { fwmark: Some(0), priority: Some(0), ..all.clone() }));
    assert!(!admits(RuleFilter { iif: Some("lo".into()), ..all.clone() }));
    assert!(!admits(RuleFilter { inverted: true, ..all.clone() }));
    assert!(!admits(RuleFilter { uid_range: Some(1..=2), ..all }));

    let nexthop = Nexthop { oif: Some(2), ..Nexthop::default() };
    let all = NexthopFilter::default();
    assert!(all.admits(&nexthop));
    assert!(!NexthopFilter { groups: true, ..all }.admits(&nexthop));
    assert!(!NexthopFilter { fdb: true, ..all }.admits(&nexthop));
    assert!(!NexthopFilter { oif: Some(3), ..all }.admits(&nexthop));
    assert!(!NexthopFilter { protocol: Some(RouteProtocol::BGP), ..all }.admits(&nexthop));
}
