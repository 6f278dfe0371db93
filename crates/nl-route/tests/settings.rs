//! Address labels, settings of interfaces, neighbour tables, queueing disciplines, namespace ids,
//! multicast routes and prefixes of routers: recorded, made up, cut short, and printed.

use core::net::{IpAddr, Ipv6Addr};

use nl_route::address_label::AddressLabelFilter;
use nl_route::filter::Filter;
use nl_route::names::Names;
use nl_route::neighbour_table::{
    NeighbourParameters, NeighbourTableConfig, NeighbourTableFilter, NeighbourTableStatistics,
};
use nl_route::netconf::NetconfFilter;
use nl_route::nsid::Nsid;
use nl_route::tables::*;
use nl_route::traffic::{Handle, QueueStatistics, Traffic, TrafficFilter, TrafficStatistics};
use nl_route::{
    Action, AddressFamily, AddressLabel, Change, Class, Context, Event, GetAddressLabel,
    GetNetconf, GetQdisc, List, NeighbourTable, Netconf, Object, Prefix, Qdisc, Route,
    RouterPrefix, json, text,
};
use nl_wire::json::Json;
use nl_wire::{Error, Flags, Header, Message, RawAttr, Request, Writer, write};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

/// What can be done with any of them.
struct Kind<T> {
    decode: fn(&Message<'_>) -> Result<T, Error>,
    encode: fn(&T, &mut Writer<'_>) -> Result<(), Error>,
    text: fn(&mut String, &T, &Context<'_>),
    json: fn(&mut Json<'_>, &T, &Context<'_>),
}

const LABEL: Kind<AddressLabel> = Kind {
    decode: AddressLabel::decode,
    encode: Object::encode,
    text: text::address_label,
    json: json::address_label,
};
const NETCONF: Kind<Netconf> = Kind {
    decode: Netconf::decode,
    encode: Netconf::encode,
    text: text::netconf,
    json: json::netconf,
};
const TABLE: Kind<NeighbourTable> = Kind {
    decode: NeighbourTable::decode,
    encode: NeighbourTable::encode,
    text: text::neighbour_table,
    json: json::neighbour_table,
};
const QDISC: Kind<Qdisc> = Kind {
    decode: <Qdisc as Object>::decode,
    encode: Object::encode,
    text: text::qdisc,
    json: json::qdisc,
};
const CLASS: Kind<Class> = Kind {
    decode: <Class as Object>::decode,
    encode: Object::encode,
    text: text::class,
    json: json::class,
};
const ROUTE: Kind<Route> =
    Kind { decode: Route::decode, encode: Route::encode, text: text::route, json: json::route };
const NSID: Kind<Nsid> = Kind {
    decode: Nsid::decode,
    encode: |nsid, writer| {
        nsid.encode(writer);
        Ok(())
    },
    text: text::nsid,
    json: json::nsid,
};
const PREFIX: Kind<RouterPrefix> = Kind {
    decode: RouterPrefix::decode,
    encode: RouterPrefix::encode,
    text: text::router_prefix,
    json: json::router_prefix,
};

impl<T: PartialEq + std::fmt::Debug> Kind<T> {
    fn bytes(&self, message_type: u16, object: &T) -> Vec<u8> {
        let mut out = Vec::new();
        let header = Header { message_type, ..Header::default() };
        write::message(&mut out, header, |writer| (self.encode)(object, writer)).unwrap();
        out
    }

    /// Decodes, prints, and writes once more: the bytes.
    fn exercise(&self, bytes: &[u8]) -> Result<Vec<u8>, Error> {
        let message = Message::decode(bytes)?;
        let object = (self.decode)(&message)?;
        let names = Names::default();
        let plain = Context { now: Some(0), ..Context::new(&names) };
        for context in [plain, Context { details: true, statistics: 2, oneline: true, ..plain }] {
            let mut out = String::new();
            (self.text)(&mut out, &object, &context);
            assert!(out.ends_with('\n') && (!context.oneline || out.matches('\n').count() == 1));
            out.clear();
            (self.json)(&mut Json::new(&mut out), &object, &context);
            serde_json::from_str::<serde_json::Value>(&out)
                .unwrap_or_else(|e| panic!("{e}: {out}"));
        }
        let again = self.bytes(message.header.message_type, &object);
        assert_eq!((self.decode)(&Message::decode(&again)?)?, object);
        Ok(again)
    }

    fn printed(&self, bytes: &[u8], context: &Context<'_>) -> String {
        let mut out = String::new();
        let message = Message::decode(bytes).unwrap();
        (self.text)(&mut out, &(self.decode)(&message).unwrap(), context);
        out
    }
}

/// [`Kind::exercise`] for the kind that the type of the message tells.
fn exercise(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    match Message::decode(bytes)?.header.message_type {
        RTM_NEWADDRLABEL => LABEL.exercise(bytes),
        RTM_NEWNETCONF | RTM_DELNETCONF => NETCONF.exercise(bytes),
        RTM_NEWNEIGHTBL => TABLE.exercise(bytes),
        RTM_NEWQDISC => QDISC.exercise(bytes),
        RTM_NEWTCLASS => CLASS.exercise(bytes),
        RTM_NEWROUTE => ROUTE.exercise(bytes),
        RTM_NEWNSID | RTM_DELNSID => NSID.exercise(bytes),
        RTM_NEWPREFIX => PREFIX.exercise(bytes),
        other => panic!("{other}"),
    }
}

#[cfg(target_endian = "little")]
mod recorded {
    use super::*;
    use nl_testkit::{every_truncation, fixture, fixtures};
    use nl_wire::listing::Listing;

    const FOLDER: &str = "tests/fixtures_settings";

    fn bytes(name: &str) -> Vec<u8> {
        fixture(format!("{FOLDER}/{name}.hex"))
    }

    #[test]
    fn all_are_decoded_and_written_again() {
        let all = fixtures(FOLDER);
        assert_eq!(all.len(), 23);
        for (name, bytes) in all {
            let again = exercise(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            // The kernel writes multicast routes in another order than routes.
            if !name.starts_with("mroute") {
                assert_eq!(again[16..], bytes[16..], "{name}");
            }
            let message = Message::decode(&bytes).unwrap();
            let listing = Listing::new(&message, &PROTOCOL).to_string();
            let unnamed = |line: &&str| line.trim_start().starts_with(|c: char| c.is_ascii_digit());
            assert_eq!(listing.lines().find(unnamed), None, "{name}");
        }
    }

    #[test]
    fn all_survive_every_truncation() {
        for (name, bytes) in fixtures(FOLDER) {
            every_truncation(&bytes, |cut| {
                assert!(exercise(cut).is_err(), "{name}");
                // A whole message whose attributes end early.
                if cut.len() >= 16 {
                    let mut whole = cut.to_vec();
                    let length = u32::try_from(cut.len()).unwrap();
                    whole[..4].copy_from_slice(&length.to_ne_bytes());
                    let _ = exercise(&whole);
                }
            });
        }
    }

    #[test]
    fn they_hold_what_was_sent() {
        let mut names = Names::default();
        for (index, name) in [(1, "lo"), (2, "v1"), (3, "v0"), (4, "br0"), (5, "br1")] {
            names.set_link(index, name);
        }
        names.set_netns(4, Some("foo".into()));
        let plain = Context::new(&names);
        let counted = Context { statistics: 1, ..plain };
        let gone = Context { deleted: true, ..plain };
        let rows: [(String, &str); 15] = [
            (
                LABEL.printed(&bytes("label6_link"), &plain),
                "prefix 2001:db8::/32 dev v0 label 77 \n",
            ),
            (
                NETCONF.printed(&bytes("netconf4_default"), &plain),
                "inet default forwarding off rp_filter off mc_forwarding off proxy_neigh off \
                 ignore_routes_with_linkdown off \n",
            ),
            (NETCONF.printed(&bytes("netconf4_event"), &plain), "inet v0 forwarding on \n"),
            (NETCONF.printed(&bytes("netconf4_gone"), &gone), "Deleted inet v0 \n"),
            (
                TABLE.printed(&bytes("table6"), &plain),
                "inet6 ndisc_cache \n    thresh1 128 thresh2 512 thresh3 1024 gc_int 30000 \n    \
                 refcnt 1 reachable 31400 base_reachable 30000 retrans 1000 \n    gc_stale 60000 \
                 delay_probe 5000 queue 101 \n    app_probes 0 ucast_probes 3 mcast_probes 3 \n    \
                 anycast_delay 1000 proxy_delay 800 proxy_queue 64 locktime 0 \n\n",
            ),
            (
                QDISC.printed(&bytes("qdisc_bfifo"), &counted),
                "qdisc bfifo 8006: dev v1 root refcnt 3 limit 20Kb\n Sent 176 bytes 2 pkt \
                 (dropped 0, overlimits 0 requeues 0) \n backlog 0b 0p requeues 0\n",
            ),
            (
                QDISC.printed(&bytes("qdisc_pfifo"), &plain),
                "qdisc pfifo 20: dev v0 parent 1:10 limit 77p\n",
            ),
            (
                QDISC.printed(&bytes("qdisc_clsact"), &plain),
                "qdisc clsact ffff: dev v0 parent ffff:fff1 \n",
            ),
            (
                QDISC.printed(&bytes("qdisc_tbf"), &plain),
                "qdisc tbf 5: dev v0 root refcnt 3 rate 1Mbit burst 5Kb peakrate 2Mbit minburst 2Kb \
                 lat 70ms \n",
            ),
            (
                CLASS.printed(&bytes("class_htb"), &plain),
                "class htb 1:10 dev v0 root leaf 20: prio 0 rate 1Mbit ceil 1Mbit burst 1600b \
                 cburst 1600b \n",
            ),
            (NSID.printed(&bytes("nsid"), &plain), "nsid 4 (iproute2 netns name: foo)\n"),
            (NSID.printed(&bytes("nsid_gone"), &gone), "Deleted nsid 9 \n"),
            (
                ROUTE.printed(&bytes("mroute4"), &counted),
                "(10.0.0.5,239.1.1.1)             Iif: v0         Oifs: br0 br1(ttl 3)  State: \
                 resolved\n  0 packets, 0 bytes, Age 0.21 Table: default\n",
            ),
            (
                ROUTE.printed(&bytes("mroute4_nowhere"), &gone),
                "Deleted (10.0.0.7,239.1.1.3)             Iif: v0          State: resolved Table: \
                 default\n",
            ),
            (
                PREFIX.printed(&bytes("prefix6"), &plain),
                "prefix 2001:db8:7::/64dev v1 valid 3600 preferred 1800 \n",
            ),
        ];
        for (ours, expected) in rows {
            assert_eq!(ours, expected);
        }
        let message = bytes("netconf4_gone");
        let event = Event::decode(&Message::decode(&message).unwrap()).unwrap();
        let Some(Event::Netconf(change)) = event else { panic!("{event:?}") };
        assert_eq!((change.action, change.object.index), (Action::Delete, Some(3)));
    }
}

fn raw() -> impl Strategy<Value = Vec<RawAttr>> {
    let payload = vec(any::<u8>(), 0..9);
    vec((60_u16..80, payload).prop_map(|(raw_type, payload)| RawAttr { raw_type, payload }), 0..3)
}

fn label() -> impl Strategy<Value = AddressLabel> {
    let prefix = (any::<u128>(), 0_u8..=128)
        .prop_map(|(bits, length)| Prefix::new(Ipv6Addr::from(bits).into(), length).unwrap());
    let numbers = (any::<u8>(), any::<u32>(), any::<u32>(), of(any::<u32>()));
    (of(prefix), numbers, raw()).prop_map(|(prefix, (flags, index, sequence, label), unknown)| {
        AddressLabel {
            family: AddressFamily::INET6,
            // A length of bits without an address says nothing.
            prefix,
            flags,
            index,
            sequence,
            label,
            unknown,
        }
    })
}

fn netconf() -> impl Strategy<Value = Netconf> {
    (any::<u8>(), vec(of(any::<i32>()), 9), raw()).prop_map(|(family, n, unknown)| Netconf {
        family: AddressFamily(family),
        index: n[0],
        forwarding: n[1],
        rp_filter: n[2],
        mc_forwarding: n[3],
        proxy_neigh: n[4],
        ignore_routes_with_linkdown: n[5],
        input: n[6],
        bc_forwarding: n[7],
        force_forwarding: n[8],
        unknown,
    })
}

fn parameters() -> impl Strategy<Value = NeighbourParameters> {
    (vec(of(any::<u32>()), 9), vec(of(any::<u64>()), 9), raw()).prop_map(|(n, t, unknown)| {
        NeighbourParameters {
            index: n[0],
            references: n[1],
            queue_length_bytes: n[2],
            queue_length: n[3],
            proxy_queue_length: n[4],
            app_probes: n[5],
            ucast_probes: n[6],
            mcast_probes: n[7],
            mcast_reprobes: n[8],
            reachable_time: t[0],
            base_reachable_time: t[1],
            gc_stale_time: t[2],
            delay_probe_time: t[3],
            retrans_time: t[4],
            anycast_delay: t[5],
            proxy_delay: t[6],
            lock_time: t[7],
            interval_probe_time: t[8],
            unknown,
        }
    })
}

fn table() -> impl Strategy<Value = NeighbourTable> {
    let config = (any::<[u16; 2]>(), any::<[u32; 7]>()).prop_map(|(h, n)| NeighbourTableConfig {
        key_length: h[0],
        entry_size: h[1],
        entries: n[0],
        last_flush: n[1],
        last_rand: n[2],
        hash_rnd: n[3],
        hash_mask: n[4],
        hash_chain_gc: n[5],
        proxy_queue_length: n[6],
    });
    let statistics = any::<[u64; 11]>().prop_map(|n| NeighbourTableStatistics {
        allocations: n[0],
        destroys: n[1],
        hash_grows: n[2],
        failed: n[3],
        lookups: n[4],
        hits: n[5],
        received_probes_mcast: n[6],
        received_probes_ucast: n[7],
        periodic_gc_runs: n[8],
        forced_gc_runs: n[9],
        table_fulls: n[10],
    });
    let head = (any::<u8>(), of("[a-z_]{1,12}"), of(any::<[u32; 3]>()), of(any::<u64>()));
    (head, of(config), of(parameters()), of(statistics), raw()).prop_map(
        |((family, name, limits, gc_interval), config, parameters, statistics, unknown)| {
            NeighbourTable {
                family: AddressFamily(family),
                name: name.map(|name| name.as_str().into()),
                threshold1: limits.map(|limits| limits[0]),
                threshold2: limits.map(|limits| limits[1]),
                threshold3: limits.map(|limits| limits[2]),
                gc_interval,
                config,
                parameters: parameters.map(Box::new),
                statistics: statistics.map(Box::new),
                unknown,
            }
        },
    )
}

fn traffic() -> impl Strategy<Value = Traffic> {
    let queue = any::<[u32; 5]>().prop_map(|n| QueueStatistics {
        length: n[0],
        backlog: n[1],
        drops: n[2],
        requeues: n[3],
        overlimits: n[4],
    });
    let rates = (of(any::<(u32, u32)>()), of(any::<(u64, u64)>()));
    let statistics = (of(any::<(u64, u32)>()), of(any::<u64>()), of(queue), rates, raw());
    let statistics = statistics.prop_map(|(basic, packets, queue, (rate, rate64), unknown)| {
        TrafficStatistics { basic, packets, queue, rate, rate64, unknown }
    });
    let head = (any::<u8>(), any::<[u32; 4]>(), of("[a-z_]{1,15}"), of(vec(any::<u8>(), 0..40)));
    let more = (of(any::<u8>()), of(any::<u32>()), of(any::<u32>()), of(statistics), raw());
    (head, more).prop_map(|((family, n, kind, options), more)| Traffic {
        family,
        index: n[0],
        handle: Handle(n[1]),
        parent: Handle(n[2]),
        info: n[3],
        kind: kind.map(|kind| kind.as_str().into()),
        options: options.map(|payload| RawAttr { raw_type: 2, payload }),
        hw_offload: more.0,
        ingress_block: more.1,
        egress_block: more.2,
        statistics: more.3.map(Box::new),
        unknown: more.4,
    })
}

fn router_prefix() -> impl Strategy<Value = RouterPrefix> {
    let head = (any::<u8>(), any::<u32>(), any::<[u8; 3]>());
    (head, of(any::<u128>()), of(any::<[u32; 2]>()), raw()).prop_map(
        |((family, index, bytes), address, lifetimes, unknown)| RouterPrefix {
            family: AddressFamily(family),
            index,
            kind: bytes[0],
            length: bytes[1],
            flags: bytes[2],
            address: address.map(Ipv6Addr::from),
            lifetimes,
            unknown,
        },
    )
}

/// Asserts that an object comes back from its bytes, and that no cut of them makes anything panic.
fn comes_back<T: PartialEq + std::fmt::Debug>(
    kind: &Kind<T>,
    message_type: u16,
    object: &T,
) -> Result<(), TestCaseError> {
    let bytes = kind.bytes(message_type, object);
    let read = (kind.decode)(&Message::decode(&bytes).unwrap());
    prop_assert_eq!(read.as_ref(), Ok(object));
    prop_assert_eq!(exercise(&bytes), Ok(bytes));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn labels_come_back(label in label()) {
        comes_back(&LABEL, RTM_NEWADDRLABEL, &label)?;
    }

    #[test]
    fn netconfs_come_back(netconf in netconf()) {
        comes_back(&NETCONF, RTM_NEWNETCONF, &netconf)?;
    }

    #[test]
    fn tables_come_back(table in table()) {
        comes_back(&TABLE, RTM_NEWNEIGHTBL, &table)?;
    }

    #[test]
    fn disciplines_and_classes_come_back(traffic in traffic()) {
        comes_back(&QDISC, RTM_NEWQDISC, &Qdisc(traffic.clone()))?;
        comes_back(&CLASS, RTM_NEWTCLASS, &Class(traffic))?;
    }

    #[test]
    fn prefixes_come_back(prefix in router_prefix()) {
        comes_back(&PREFIX, RTM_NEWPREFIX, &prefix)?;
    }

    #[test]
    fn ids_come_back(id in of(0..i32::MAX), current in of(0..i32::MAX)) {
        comes_back(&NSID, RTM_NEWNSID, &Nsid { id, current })?;
    }

    #[test]
    fn no_bytes_panic(number in 0_usize..8, body in vec(any::<u8>(), 0..120)) {
        let types = [
            RTM_NEWADDRLABEL, RTM_NEWNETCONF, RTM_NEWNEIGHTBL, RTM_NEWQDISC, RTM_NEWTCLASS,
            RTM_NEWROUTE, RTM_NEWNSID, RTM_NEWPREFIX,
        ];
        let header = Header { message_type: types[number], ..Header::default() };
        let mut bytes = Vec::new();
        write::message(&mut bytes, header, |writer| {
            writer.fixed(&body);
            Ok(())
        })
        .unwrap();
        if number != 5 {
            let _ = exercise(&bytes);
        }
    }

    #[test]
    fn handles_come_back(number: u32) {
        prop_assert_eq!(Handle(number).to_string().parse(), Ok(Handle(number)));
    }
}

/// Type, flags and body of a request.
fn sent<R: Request>(request: &R) -> (u16, Flags, Vec<u8>) {
    let mut bytes = Vec::new();
    request.encode(1, &mut bytes).unwrap();
    let header = Message::decode(&bytes).unwrap().header;
    (header.message_type, header.flags, bytes.split_off(16))
}

#[test]
fn requests_say_what_the_kernel_takes() {
    let attr = |number: u16, value: u32| {
        [&8_u16.to_ne_bytes()[..], &number.to_ne_bytes(), &value.to_ne_bytes()].concat()
    };
    let label =
        AddressLabel { prefix: "2001:db8::/32".parse().ok(), label: Some(9), ..Default::default() };
    let (kind, flags, body) = sent(&Change::add(label.clone()));
    assert_eq!((kind, flags), (RTM_NEWADDRLABEL, Flags::REQUEST | Flags::CREATE | Flags::EXCL));
    assert_eq!((body[0], body[2], body.len()), (10, 32, 12 + 20 + 8));
    assert_eq!(sent(&Change::delete(label)).0, RTM_DELADDRLABEL);
    assert_eq!(sent(&List::<AddressLabel>::default()).2[0], 10);
    let address: IpAddr = "2001:db8::1".parse().unwrap();
    let (kind, _, body) = sent(&GetAddressLabel { address, index: 3 });
    assert_eq!((kind, body[2], body.len()), (RTM_GETADDRLABEL, 128, 12 + 20));

    let get = GetNetconf { family: AddressFamily::INET, index: Netconf::ALL };
    let (kind, _, body) = sent(&get);
    assert_eq!((kind, body), (RTM_GETNETCONF, [vec![2, 0, 0, 0], attr(1, u32::MAX)].concat()));

    let table = NeighbourTable {
        name: Some("arp_cache".into()),
        parameters: Some(Box::new(NeighbourParameters {
            index: Some(7),
            queue_length: Some(9),
            ..NeighbourParameters::default()
        })),
        ..NeighbourTable::default()
    };
    let (kind, flags, body) = sent(&Change::change(table));
    assert_eq!((kind, flags), (RTM_SETNEIGHTBL, Flags::REQUEST | Flags::REPLACE));
    assert!(body.ends_with(&[attr(1, 7), attr(8, 9)].concat()));

    let discipline = Qdisc(Traffic { index: 2, parent: Handle::ROOT, ..Traffic::default() });
    let (kind, flags, body) = sent(&Change::replace(discipline.clone()));
    assert_eq!((kind, flags), (RTM_NEWQDISC, Flags::REQUEST | Flags::CREATE | Flags::REPLACE));
    assert_eq!((body.len(), &body[12..16]), (20, &[0xff; 4][..]));
    assert_eq!(sent(&Change::change(discipline)).1, Flags::REQUEST);
    let get = GetQdisc { index: 2, handle: Handle::NONE, parent: Handle::ROOT };
    assert_eq!(sent(&get).1, Flags::REQUEST | Flags::ECHO);
}

#[test]
fn filters_choose() {
    let netconf = Netconf { family: AddressFamily::INET, index: Some(2), ..Netconf::default() };
    let by = |family, index| NetconfFilter { family, index };
    assert!(by(AddressFamily::UNSPEC, None).admits(&netconf));
    assert!(by(AddressFamily::INET, Some(2)).admits(&netconf));
    assert!(!by(AddressFamily::INET6, None).admits(&netconf));
    assert!(!by(AddressFamily::UNSPEC, Some(Netconf::ALL)).admits(&netconf));

    let label = AddressLabel { family: AddressFamily::INET6, index: 3, ..Default::default() };
    let by = |index| AddressLabelFilter { index, ..AddressLabelFilter::default() };
    assert!(by(None).admits(&label) && by(Some(3)).admits(&label) && !by(Some(0)).admits(&label));

    let table = NeighbourTable { name: Some("arp_cache".into()), ..NeighbourTable::default() };
    let by = |name: &str, index| NeighbourTableFilter {
        name: Some(name.into()),
        index,
        ..NeighbourTableFilter::default()
    };
    assert!(by("arp_cache", None).admits(&table) && !by("ndisc_cache", None).admits(&table));
    assert!(!by("arp_cache", Some(1)).admits(&table));

    let (handle, parent) = (Handle::new(1, 0x20), Handle::new(1, 0));
    let traffic =
        Traffic { index: 2, handle, parent, kind: Some("htb".into()), ..Traffic::default() };
    let filter = TrafficFilter { handle: Some(Handle::new(1, 0)), ..TrafficFilter::default() };
    // Of a class the number is that of its discipline.
    assert!(Filter::<Class>::admits(&filter, &Class(traffic.clone())));
    assert!(!Filter::<Qdisc>::admits(&filter, &Qdisc(traffic.clone())));
    for filter in [
        TrafficFilter { index: Some(3), ..TrafficFilter::default() },
        TrafficFilter { parent: Some(Handle::ROOT), ..TrafficFilter::default() },
        TrafficFilter { kind: Some("tbf".into()), ..TrafficFilter::default() },
    ] {
        assert!(!Filter::<Class>::admits(&filter, &Class(traffic.clone())), "{filter:?}");
    }
}
