//! Our output beside that of ip, in a namespace of its own.

mod common;
#[path = "common/routes.rs"]
mod routes;

use std::cell::RefCell;
use std::fs::File;
use std::net::IpAddr;

use common::beside::{Printer, beside_ip, forms, same_text, same_values, value};
use common::{ZOO, list, names};
use nl_route::filter::{AddressFilter, LinkFilter, RouteFilter};
use nl_route::tables::route::{RTAX_FASTOPEN_NO_COOKIE, RTAX_LOCK};
use nl_route::{
    Address, AddressFamily, Context, GetLink, GetRoute, Hidden, Link, List, Prefix, Route,
    RouteProtocol, Scope, TableId, json, tables, text,
};
use nl_socket::Connection;
use nl_testkit::{agree, live, need, quiet, settle, sh, tool};
use nl_wire::value::Family;
use nl_wire::{Header, write};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

const ROUTE: Printer<Route> = Printer { text: text::route, json: json::route };
const LINK: Printer<Link> = Printer { text: text::link, json: json::link };
const ADDRESS: Printer<Address> = Printer { text: text::address, json: json::address };

/// What ip prints.
fn ip(options: &[&str], more: &[&str]) -> String {
    tool("ip", &[options, more].concat())
}

/// Of routes over a nexthop object ip -d asks for the object too.
fn has_no_nexthop(route: &Route) -> bool {
    route.nexthop_id.is_none()
}

/// Without nexthop objects, and with both ends of the pair up.
const NO_OBJECTS: &str = "ip nexthop flush >/dev/null 2>&1 || true; ip link set v1 up";

fn with_zoo(more: &str) -> String {
    format!("{ZOO}\n{more}")
}

#[test]
fn routes_are_listed_as_ip_lists_them() {
    beside_ip(&with_zoo(NO_OBJECTS), |(mut connection, names)| {
        for (word, family) in [("-4", AddressFamily::INET), ("-6", AddressFamily::INET6)] {
            for (all, table) in [(true, None), (false, Some(TableId::MAIN))] {
                let filter = RouteFilter { family, table, ..RouteFilter::default() };
                for (arguments, context) in forms(Context::new(&names)) {
                    let hidden = if all { Hidden(0) } else { Hidden::TABLE };
                    let context = Context { hidden, ..context };
                    let show: &[&str] =
                        if all { &["route", "show", "table", "all"] } else { &["route"] };
                    let arguments = [&arguments, &[word][..]].concat();
                    let what = format!("{arguments:?} {show:?}");
                    let connection = RefCell::new(&mut connection);
                    // How ip prints encapsulations is another test's.
                    let routes = || {
                        let mut all = list(&mut connection.borrow_mut(), List::<Route> { filter });
                        all.retain(|route| route.encap.is_none());
                        assert!(all.len() > 10 && all.iter().all(has_no_nexthop));
                        all
                    };
                    let (ours, theirs) = agree(
                        || ROUTE.texts(&routes(), &context),
                        || {
                            let text = ip(&arguments, show);
                            text.split_inclusive('\n').filter(|l| !l.contains("encap")).collect()
                        },
                    );
                    same_text(&ours, &theirs, &what);
                    let (ours, theirs) = agree(
                        || ROUTE.values(&routes(), &context),
                        || {
                            let mut all = value(&ip(&arguments, &[&["-j"], show].concat()));
                            let routes = all.as_array_mut().unwrap();
                            routes.retain(|route| route.get("encap").is_none());
                            all
                        },
                    );
                    same_values(&ours, &theirs, &what);
                }
            }
        }
    });
}

#[test]
fn lookups_are_answered_as_ip_route_get_answers_them() {
    beside_ip(&with_zoo("ip link set v1 up"), |(mut connection, names)| {
        let v2 = names.link_index("v2").unwrap();
        let connection = RefCell::new(&mut connection);
        let get = |to: &str| GetRoute::new(to.parse::<IpAddr>().unwrap());
        let cases = [
            ("10.1.0.5", get("10.1.0.5")),
            ("127.0.0.1", get("127.0.0.1")),
            ("10.0.0.255", get("10.0.0.255")),
            ("10.6.0.1", get("10.6.0.1")),
            ("10.16.0.1", get("10.16.0.1")),
            ("10.18.0.1", get("10.18.0.1")),
            ("10.4.0.1 fibmatch", GetRoute { fib_match: true, ..get("10.4.0.1") }),
            ("10.1.0.5 mark 5", GetRoute { mark: Some(5), ..get("10.1.0.5") }),
            ("10.1.0.5 mark 17", GetRoute { mark: Some(17), ..get("10.1.0.5") }),
            (
                "10.1.0.5 from 10.0.0.1",
                GetRoute { source: "10.0.0.1".parse().ok(), ..get("10.1.0.5") },
            ),
            ("10.1.0.5 tos 0x10", GetRoute { tos: 16, ..get("10.1.0.5") }),
            (
                "10.1.0.5 ipproto udp sport 3 dport 5",
                GetRoute {
                    ip_proto: Some(17),
                    source_port: Some(3),
                    destination_port: Some(5),
                    ..get("10.1.0.5")
                },
            ),
            (
                "10.0.0.1 from 10.0.1.9 iif v2",
                GetRoute { source: "10.0.1.9".parse().ok(), iif: Some(v2), ..get("10.0.0.1") },
            ),
            ("2001:db8:1::5", get("2001:db8:1::5")),
            ("2001:db8::1", get("2001:db8::1")),
            ("2001:db8:4::1 fibmatch", GetRoute { fib_match: true, ..get("2001:db8:4::1") }),
            ("fe80::77 oif v2", GetRoute { oif: Some(v2), ..get("fe80::77") }),
            (
                "2001:db8:2::9 from 2001:db8::1",
                GetRoute { source: "2001:db8::1".parse().ok(), ..get("2001:db8:2::9") },
            ),
        ];
        for (words, request) in cases {
            let route = || {
                let answer = connection.borrow_mut().get(request);
                [answer.unwrap_or_else(|error| panic!("{words}: {error}"))]
            };
            let arguments: Vec<_> = ["route", "get"].into_iter().chain(words.split(' ')).collect();
            let plain = Context::new(&names);
            for (options, context) in
                [(&[][..], plain), (&["-d"], Context { details: true, ..plain })]
            {
                let (ours, theirs) =
                    agree(|| ROUTE.texts(&route(), &context), || ip(options, &arguments));
                same_text(&ours, &theirs, words);
                let (ours, theirs) = agree(
                    || ROUTE.values(&route(), &context),
                    || value(&ip(options, &[&["-j"], &arguments[..]].concat())),
                );
                same_values(&ours, &theirs, words);
            }
        }
    });
}

#[test]
fn selectors_hide_what_they_settle() {
    beside_ip(&with_zoo(NO_OBJECTS), |(mut connection, names)| {
        let v0 = names.link_index("v0");
        let main = RouteFilter {
            family: AddressFamily::INET,
            table: Some(TableId::MAIN),
            ..RouteFilter::default()
        };
        let prefix = |text: &str| text.parse::<Prefix>().ok();
        let cases = [
            ("dev v0", RouteFilter { oif: v0, ..main }, Hidden::OIF),
            (
                "proto static",
                RouteFilter { protocol: Some(RouteProtocol::STATIC), ..main },
                Hidden::PROTOCOL,
            ),
            ("scope link", RouteFilter { scope: Some(Scope::LINK), ..main }, Hidden::SCOPE),
            ("via 10.0.0.2", RouteFilter { gateway: prefix("10.0.0.2"), ..main }, Hidden::GATEWAY),
            ("src 10.0.0.1", RouteFilter { prefsrc: prefix("10.0.0.1"), ..main }, Hidden::PREFSRC),
            ("metric 50", RouteFilter { priority: Some(50), ..main }, Hidden::PRIORITY),
            ("tos 0x10", RouteFilter { tos: Some(16), ..main }, Hidden::TOS),
            ("root 10.4.0.0/14", RouteFilter { within: prefix("10.4.0.0/14"), ..main }, Hidden(0)),
            ("match 10.4.1.1", RouteFilter { covering: prefix("10.4.1.1"), ..main }, Hidden(0)),
            (
                "exact 10.4.0.0/16",
                RouteFilter {
                    within: prefix("10.4.0.0/16"),
                    covering: prefix("10.4.0.0/16"),
                    ..main
                },
                Hidden(0),
            ),
            ("table 1000", RouteFilter { table: Some(TableId(1000)), ..main }, Hidden(0)),
        ];
        for (words, filter, hidden) in cases {
            let hidden = hidden | Hidden::TABLE;
            let context = Context { details: true, hidden, ..Context::new(&names) };
            let show: Vec<_> =
                ["-4", "-d", "route", "show"].into_iter().chain(words.split(' ')).collect();
            let (ours, theirs) = agree(
                || ROUTE.texts(&list(&mut connection, List::<Route> { filter }), &context),
                || ip(&[], &show),
            );
            assert!(!ours.is_empty(), "{words}");
            same_text(&ours, &theirs, words);
        }
    });
}

#[test]
fn links_are_listed_as_ip_lists_them() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        quiet();
        sh(ZOO);
        sh("ip link add v8 type veth peer name v9 2>/dev/null || true
            ip link add vx6 type vxlan id 6 local ::1 group ff05::1 dev v0 dstport 0 ttl 5 tos 4 \
                ageing 5 nolearning proxy rsc l2miss l3miss gbp maxaddress 50 srcport 1 50 || true
            ip link add if0 type ifb || true; ip tuntap add t0 mode tun || true
            ip tuntap add t1 mode tap || true; ip link set t0 up || true
            ip link set v8 group 5 promisc on mtu 1400 txqueuelen 0 || true
            ip netns add there || true; ip link add p0 type veth peer name p1 netns there || true");
        // Without its name it still has a number.
        let there = File::open("/run/netns/there");
        sh("ip netns del there || true");
        settle();
        let mut connection = Connection::open(Family::ROUTE).unwrap();
        let names = names(&mut connection);
        let filter = LinkFilter { statistics: true, ..LinkFilter::default() };
        let count = LINK.compare(&mut connection, || filter.clone(), Context::new(&names), "link");
        assert!(count > 8);
        drop(there);
    });
}

#[test]
fn a_link_with_many_names_does_not_end_the_list() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh("ip link add v0 type veth peer name v1
            for number in $(seq 400); do
                echo link property add dev v1 altname \
                    a-rather-long-name-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-\
0123456789-0123456789-$number
            done | ip -b -");
        let mut connection = Connection::open(Family::ROUTE).unwrap();
        let links = list(&mut connection, List::<Link>::default());
        assert_eq!(links.len(), 3);
        assert_eq!(links.iter().map(|link| link.altnames.len()).max(), Some(400));
        let mut size = Vec::new();
        let longest = links.iter().max_by_key(|link| link.altnames.len()).unwrap();
        write::message(&mut size, Header::default(), |writer| longest.encode(writer)).unwrap();
        assert!(size.len() > 41_000, "{}", size.len());
        let names = names(&mut connection);
        let last = links.iter().find_map(|link| link.altnames.last()).unwrap();
        assert_eq!(names.link_index(&last.to_string()), names.link_index("v1"));
        let one = connection.get(GetLink::Name(last.clone())).unwrap();
        assert_eq!(one.name, Some("v1".into()));
        // The kinds that a kernel does not know do not filter; we do.
        let filter = LinkFilter { kind: Some("nonsense".into()), ..LinkFilter::default() };
        assert_eq!(list(&mut connection, List::<Link> { filter }), []);
        let filter = LinkFilter { kind: Some("veth".into()), ..LinkFilter::default() };
        assert_eq!(list(&mut connection, List::<Link> { filter }).len(), 2);
    });
}

#[test]
fn addresses_are_listed_as_ip_lists_them() {
    beside_ip(ZOO, |(mut connection, names)| {
        for (word, family) in [("-4", AddressFamily::INET), ("-6", AddressFamily::INET6)] {
            let filter = AddressFilter { family, ..AddressFilter::default() };
            let connection = RefCell::new(&mut connection);
            let addresses = || list(&mut connection.borrow_mut(), List::<Address> { filter });
            let context = Context { oneline: true, ..Context::new(&names) };
            let (ours, theirs) =
                agree(|| ADDRESS.texts(&addresses(), &context), || ip(&["-o", word], &["addr"]));
            same_text(&ours, &theirs, word);
            let (ours, theirs) = agree(
                || ADDRESS.values(&addresses(), &context),
                || {
                    let links = value(&ip(&["-j", "-o", word], &["addr"]));
                    let infos = links.as_array().unwrap().iter().map(|link| &link["addr_info"]);
                    infos.flat_map(|info| info.as_array().unwrap()).cloned().collect()
                },
            );
            same_values(&ours, &theirs, word);
        }
    });
}

#[test]
fn any_route_is_printed_as_ip_prints_it() {
    /// What begins the files of `ip route save`.
    const MAGIC: u32 = 0x4531_1224;
    beside_ip("", |(_, names)| {
        let mut runner = TestRunner::deterministic();
        let mut saved = MAGIC.to_ne_bytes().to_vec();
        let mut routes = Vec::new();
        for _ in 0..500 {
            let mut route = routes::route().new_tree(&mut runner).unwrap().current();
            // ip leaves out the cache here, prints encapsulations in its own way, and with -d asks
            // the kernel for nexthop objects.
            route.flags = route.flags.without(nl_route::RouteFlags::CLONED);
            route.encap = None;
            route.nexthop_id = None;
            route.unknown.clear();
            for hop in &mut route.multipath {
                hop.encap = None;
                hop.unknown.clear();
            }
            let all = std::mem::take(&mut route.metrics);
            for number in RTAX_LOCK..=RTAX_FASTOPEN_NO_COOKIE {
                all.get(number).map(|value| route.metrics.set(number, value));
            }
            if let Some(name) = all.congestion_control() {
                route.metrics.set_congestion_control(name.clone());
            }
            // ip crashes where an algorithm is locked but not named.
            let named = if all.congestion_control().is_some() { 0 } else { 1 << 16 };
            all.locks().map(|lock| route.metrics.set(RTAX_LOCK, lock & 0x3fffc & !named));
            route.kind.0 %= 12;
            let header = Header { message_type: tables::RTM_NEWROUTE, ..Header::default() };
            write::message(&mut saved, header, |writer| route.encode(writer)).unwrap();
            routes.push(route);
        }
        std::fs::write("/run/saved", saved).unwrap();
        for (option, details, statistics) in [("", false, 0), ("-d", true, 0), ("-s", false, 1)] {
            let context = Context { details, statistics, ..Context::new(&names) };
            let theirs = sh(&format!("ip {option} route showdump < /run/saved"));
            same_text(&ROUTE.texts(&routes, &context), &theirs, option);
        }
    });
}
