//! Our output beside that of ip, in a namespace of its own.

mod common;
#[path = "common/routes.rs"]
mod routes;

use std::net::IpAddr;

use common::{ZOO, list, names};
use nl_route::filter::{AddressFilter, LinkFilter, RouteFilter};
use nl_route::names::Names;
use nl_route::{
    Address, AddressFamily, Context, GetLink, GetRoute, Hidden, Link, List, Prefix, Route,
    RouteProtocol, Scope, TableId, json, tables, text,
};
use nl_socket::Connection;
use nl_testkit::{live, need, sh, tool};
use nl_wire::json::Json;
use nl_wire::value::Family;
use nl_wire::{Header, write};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::Value;

/// The options of ip that change output, as arguments and as a context.
fn options(names: &Names) -> Vec<(Vec<&'static str>, Context<'_>)> {
    let plain = Context::new(names);
    vec![
        (vec![], plain),
        (vec!["-d"], Context { details: true, ..plain }),
        (vec!["-s"], Context { statistics: 1, ..plain }),
        (vec!["-d", "-s", "-s"], Context { details: true, statistics: 2, ..plain }),
        (vec!["-o"], Context { oneline: true, ..plain }),
    ]
}

fn texts<T>(
    items: &[T],
    context: &Context<'_>,
    print: fn(&mut String, &T, &Context<'_>),
) -> String {
    let mut out = String::new();
    for item in items {
        print(&mut out, item, context);
    }
    out
}

fn values<T>(
    items: &[T],
    context: &Context<'_>,
    print: fn(&mut Json<'_>, &T, &Context<'_>),
) -> Value {
    let mut out = String::new();
    let mut json = Json::new(&mut out);
    json.begin_array();
    for item in items {
        print(&mut json, item, context);
    }
    json.end_array();
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

/// What ip prints, with its own values for what passes between two looks.
fn ip(options: &[&str], more: &[&str]) -> String {
    tool("ip", &[options, more].concat())
}

fn same_text(ours: &str, theirs: &str, what: &str) {
    for (line, (ours, theirs)) in ours.lines().zip(theirs.lines()).enumerate() {
        assert_eq!(ours, theirs, "{what}, line {}", line + 1);
    }
    assert_eq!(ours, theirs, "{what}");
}

fn same_values(ours: &Value, theirs: &str, what: &str) {
    let theirs: Value = serde_json::from_str(theirs).unwrap();
    let (ours, theirs) = (ours.as_array().unwrap(), theirs.as_array().unwrap());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(ours, theirs, "{what}");
    }
    assert_eq!(ours.len(), theirs.len(), "{what}");
}

/// Of routes over a nexthop object ip -d asks for the object too.
fn has_no_nexthop(route: &Route) -> bool {
    route.nexthop_id.is_none()
}

#[test]
fn routes_are_listed_as_ip_lists_them() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh(ZOO);
        sh("ip nexthop flush >/dev/null 2>&1 || true; ip link set v1 up; sleep 0.1");
        let mut connection = Connection::open(Family::ROUTE).unwrap();
        let names = names(&mut connection);
        for (word, family) in [("-4", AddressFamily::INET), ("-6", AddressFamily::INET6)] {
            for (all, table) in [(true, None), (false, Some(TableId::MAIN))] {
                let filter = RouteFilter { family, table, ..RouteFilter::default() };
                for (arguments, context) in options(&names) {
                    // The seconds of a lifetime may pass between the two: try again.
                    for attempt in 0.. {
                        let mut routes = list(&mut connection, List::<Route> { filter });
                        routes.retain(|route| route.encap.is_none());
                        assert!(routes.len() > 10 && routes.iter().all(has_no_nexthop));
                        let hidden = if all { Hidden(0) } else { Hidden::TABLE };
                        let context = Context { hidden, ..context };
                        let mut arguments = arguments.clone();
                        arguments.push(word);
                        let show: &[&str] =
                            if all { &["route", "show", "table", "all"] } else { &["route"] };
                        let theirs = ip(&arguments, show);
                        let theirs: String =
                            theirs.split_inclusive('\n').filter(|l| !l.contains("encap")).collect();
                        arguments.push("-j");
                        let their_json = ip(&arguments, show);
                        let mut their_json: Vec<Value> = serde_json::from_str(&their_json).unwrap();
                        their_json.retain(|route| route.get("encap").is_none());
                        let their_json = serde_json::to_string(&their_json).unwrap();
                        let ours = texts(&routes, &context, text::route);
                        let our_json = values(&routes, &context, json::route);
                        if attempt < 3 && ours != theirs {
                            continue;
                        }
                        let what = format!("{arguments:?} {show:?}");
                        same_text(&ours, &theirs, &what);
                        let changed =
                            serde_json::from_str(&their_json).ok() != Some(our_json.clone());
                        if attempt < 3 && changed {
                            continue;
                        }
                        same_values(&our_json, &their_json, &what);
                        break;
                    }
                }
            }
        }
    });
}

#[test]
fn lookups_are_answered_as_ip_route_get_answers_them() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh(ZOO);
        sh("ip link set v1 up; sleep 0.1");
        let mut connection = Connection::open(Family::ROUTE).unwrap();
        let names = names(&mut connection);
        let v2 = names.link_index("v2").unwrap();
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
            let route = connection.get(request).unwrap_or_else(|error| panic!("{words}: {error}"));
            let arguments: Vec<_> = ["route", "get"].into_iter().chain(words.split(' ')).collect();
            let plain = Context::new(&names);
            for (options, context) in
                [(&[][..], plain), (&["-d"], Context { details: true, ..plain })]
            {
                let routes = std::slice::from_ref(&route);
                same_text(&texts(routes, &context, text::route), &ip(options, &arguments), words);
                let theirs = ip(&[options, &["-j"]].concat(), &arguments);
                same_values(&values(routes, &context, json::route), &theirs, words);
            }
        }
    });
}

#[test]
fn selectors_hide_what_they_settle() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh(ZOO);
        sh("ip nexthop flush >/dev/null 2>&1 || true; ip link set v1 up; sleep 0.1");
        let mut connection = Connection::open(Family::ROUTE).unwrap();
        let names = names(&mut connection);
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
            let routes = list(&mut connection, List::<Route> { filter });
            assert!(!routes.is_empty(), "{words}");
            let show: Vec<_> =
                ["-4", "-d", "route", "show"].into_iter().chain(words.split(' ')).collect();
            let hidden = hidden | Hidden::TABLE;
            let context = Context { details: true, hidden, ..Context::new(&names) };
            same_text(&texts(&routes, &context, text::route), &ip(&[], &show), words);
        }
    });
}

#[test]
fn links_are_listed_as_ip_lists_them() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh(ZOO);
        sh("ip link add v8 type veth peer name v9 2>/dev/null || true
            ip link add vx6 type vxlan id 6 local ::1 group ff05::1 dev v0 dstport 0 ttl 5 tos 4 \
                ageing 5 nolearning proxy rsc l2miss l3miss gbp maxaddress 50 srcport 1 50 || true
            ip link add if0 type ifb || true; ip tuntap add t0 mode tun || true
            ip tuntap add t1 mode tap || true; ip link set t0 up || true
            ip link set v8 group 5 promisc on mtu 1400 txqueuelen 0 || true
            unshare -n sh -c 'ip link add p0 type veth peer name p1 netns '$$'; sleep 9' >/dev/null 2>&1 &
            sleep 1.5");
        let mut connection = Connection::open(Family::ROUTE).unwrap();
        let names = names(&mut connection);
        for (mut arguments, context) in options(&names) {
            let filter = LinkFilter { statistics: true, ..LinkFilter::default() };
            let links = list(&mut connection, List::<Link> { filter });
            assert!(links.len() > 8);
            let ours = texts(&links, &context, text::link);
            let theirs = ip(&arguments, &["link"]);
            same_text(&ours, &theirs, &format!("{arguments:?}"));
            arguments.push("-j");
            let theirs = ip(&arguments, &["link"]);
            same_values(&values(&links, &context, json::link), &theirs, &format!("{arguments:?}"));
        }
    });
}

#[test]
fn a_link_with_many_names_does_not_end_the_list() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh("ip link add v0 type veth peer name v1
            for number in $(seq 300); do
                echo link property add dev v1 altname \
                    a-rather-long-name-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-\
0123456789-0123456789-$number
            done | ip -b -");
        let mut connection = Connection::open(Family::ROUTE).unwrap();
        let links = list(&mut connection, List::<Link>::default());
        assert_eq!(links.len(), 3);
        assert_eq!(links.iter().map(|link| link.altnames.len()).max(), Some(300));
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
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh(ZOO);
        sh("sleep 1");
        let mut connection = Connection::open(Family::ROUTE).unwrap();
        let names = names(&mut connection);
        for (word, family) in [("-4", AddressFamily::INET), ("-6", AddressFamily::INET6)] {
            let filter = AddressFilter { family, ..AddressFilter::default() };
            for attempt in 0.. {
                let addresses = list(&mut connection, List::<Address> { filter });
                let context = Context { oneline: true, ..Context::new(&names) };
                let ours = texts(&addresses, &context, text::address);
                let theirs = ip(&["-o", word], &["addr"]);
                let json = ip(&["-j", word], &["addr"]);
                if attempt < 3 && ours != theirs {
                    continue;
                }
                same_text(&ours, &theirs, word);
                let links: Vec<Value> = serde_json::from_str(&json).unwrap();
                let theirs: Vec<&Value> =
                    links.iter().flat_map(|l| l["addr_info"].as_array().unwrap()).collect();
                let ours = values(&addresses, &context, json::address);
                let ours: Vec<&Value> = ours.as_array().unwrap().iter().collect();
                if attempt < 3 && ours != theirs {
                    continue;
                }
                assert_eq!(ours, theirs);
                break;
            }
        }
    });
}

#[test]
fn any_route_is_printed_as_ip_prints_it() {
    /// What begins the files of `ip route save`.
    const MAGIC: u32 = 0x4531_1224;
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        let mut connection = Connection::open(Family::ROUTE).unwrap();
        let names = names(&mut connection);
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
            if let Some(metrics) = &mut route.metrics {
                metrics.unknown.clear();
                // ip crashes where an algorithm is locked but not named.
                let named = if metrics.congestion_control.is_some() { 0 } else { 1 << 16 };
                metrics.lock = metrics.lock.map(|lock| lock & 0x3fffc & !named);
            }
            route.kind.0 %= 12;
            let header = Header { message_type: tables::RTM_NEWROUTE, ..Header::default() };
            write::message(&mut saved, header, |writer| route.encode(writer)).unwrap();
            routes.push(route);
        }
        std::fs::write("/run/saved", saved).unwrap();
        for (option, details, statistics) in [("", false, 0), ("-d", true, 0), ("-s", false, 1)] {
            let context = Context { details, statistics, ..Context::new(&names) };
            let theirs = sh(&format!("ip {option} route showdump < /run/saved"));
            same_text(&texts(&routes, &context, text::route), &theirs, option);
        }
    });
}
