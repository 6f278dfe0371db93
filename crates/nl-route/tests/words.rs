//! The words of `ip route` beside ip itself: the same routes, the same refusals.

mod common;

use common::beside::{Printer, beside_ip, refused, same_text, split};
use common::list;
use nl_route::{AddressFamily, Change, Context, List, Route, json, parse, text};
use nl_socket::Connection;
use nl_testkit::{agree, sh};

const ROUTE: Printer<Route> = Printer { text: text::route, json: json::route };

const SETUP: &str = "ip link set lo up
    ip link add v0 type veth peer name v1; ip link add v2 type veth peer name v3
    ip addr add 10.0.0.1/24 dev v0; ip addr add 10.0.1.1/24 dev v2
    ip addr add 2001:db8::1/64 dev v0 nodad
    for link in v0 v1 v2 v3; do
        echo 1 > /proc/sys/net/ipv6/conf/$link/addr_gen_mode; ip link set $link up
    done
    ip nexthop add id 1 via 10.0.0.2 dev v0 || true";

/// Routes of which nobody but the kernel's clock changes anything between two looks.
fn routes(connection: &mut Connection) -> Vec<Route> {
    let mut routes = list(connection, List::<Route>::default());
    for route in &mut routes {
        if let Some(info) = &mut route.cache_info {
            (info.last_use, info.expires) = (0, (info.expires + 500) / 1000);
        }
    }
    routes
}

#[test]
fn the_same_words_make_the_same_routes() {
    const WORDS: &[&str] = &[
        "10.1.0.0/16 via 10.0.0.2",
        "10.1.0.0/16 via 10.0.0.2 metric 5 proto static src 10.0.0.1",
        "default via 10.0.0.2 dev v0",
        "to default dev v0 table 200",
        "10.7/16 dev v0 scope link table 1000 prot 7",
        "10.1.0.0/16 via 192.168.7.1 dev v0 onlink",
        "10.1.0.0/16 nexthop via 10.0.0.2 weight 3 nexthop dev v2 weight 256",
        "10.1.0.0/16 nexthop via 10.0.0.2 realms 3 nexthop via 10.7.0.1 dev v2 onlink",
        "10.1.0.0/16 via 10.0.0.2 mtu lock 1400 advmss 1300 window 1000 rtt 1200ms rttvar 10ms \
         ssthresh 5 cwnd lock 7 initcwnd 10 initrwnd 11 hoplimit 33 quickack 1 rto_min 300ms \
         features ecn congctl lock cubic reordering 4 fastopen_no_cookie 1",
        "10.1.0.0/16 via 10.0.0.2 rtt 1.5s rto_min 2 rttvar 7",
        "blackhole 10.1.0.0/16",
        "unreachable 10.1.0.0/16 metric 0x10",
        "prohibit 10.1.0.0/16",
        "throw 10.1.0.0/16",
        "local 10.1.0.0/16 dev lo",
        "broadcast 10.1.0.0/16 dev v0",
        "multicast 239.0.0.0/8 dev v0",
        "10.1.0.0/16 dev v0 scope host",
        "10.1.0.0/16 dev v0 tos 0x10",
        "10.1.0.0/16 dev v0 dsfield 20 preference 3",
        "10.1.0.0/16 via 10.0.0.2 realms 5/7",
        "10.1.0.0/16 via inet6 fe80::1 dev v0",
        "10.1.0.0/16 via inet 10.0.0.2",
        "10.1.0.0/16 nexthop via inet6 fe80::1 dev v0 weight 2 nexthop via 10.0.1.2",
        "10.1.0.0/16 via 10.0.0.2 ttl-propagate enabled",
        "10.1.0.0/16 nhid 1",
        "10.1.0.1 dev v0 metric 1 metric 2",
        "2001:db8:1::/48 via 2001:db8::2",
        "2001:db8:1::/48 via 2001:db8::2 metric 5 pref high",
        "2001:db8:1::/48 dev v0 pref low expires 300",
        "2001:db8:1::/48 nexthop via 2001:db8::2 nexthop via 2001:db8::3 weight 5",
        "2001:db8:1::/48 from 2001:db8:c::/48 dev v0",
        "blackhole 2001:db8:1::/48",
        "unreachable 2001:db8:1::/48 metric 9",
        "anycast 2001:db8:1::1 dev v0",
        "2001:db8:1::/48 dev v0 mtu 1400 hoplimit 9 table 99",
    ];
    beside_ip(SETUP, |(mut connection, names)| {
        let before = routes(&mut connection);
        for line in WORDS {
            let words = split(line);
            sh(&format!("ip route add {line}"));
            let theirs = routes(&mut connection);
            sh(&format!("ip route del {line}"));
            assert_eq!(routes(&mut connection), before, "{line}");

            let route = parse::route(&words, AddressFamily::UNSPEC, &names).unwrap();
            connection.run(Change::add(route.clone())).unwrap_or_else(|e| panic!("{line}: {e}"));
            let ours = routes(&mut connection);
            assert_eq!(ours, theirs, "{line}");

            // What was read can be deleted exactly, and made again.
            let made: Vec<Route> =
                list(&mut connection, List::<Route>::default()).into_iter().collect();
            let made = made.into_iter().find(|made| {
                made.destination == route.destination
                    && !before.iter().any(|old| old.destination == made.destination)
            });
            let made = made.unwrap_or_else(|| panic!("{line}: not found"));
            connection.run(Change::delete(made.clone())).unwrap_or_else(|e| panic!("{line}: {e}"));
            assert_eq!(routes(&mut connection), before, "{line}");
            connection.run(Change::add(made)).unwrap_or_else(|e| panic!("{line}: {e}"));
            assert_eq!(routes(&mut connection), theirs, "{line}");
            connection.run(Change::delete(route)).unwrap_or_else(|e| panic!("{line}: {e}"));
            assert_eq!(routes(&mut connection), before, "{line}");
        }
    });
}

#[test]
fn the_same_words_are_refused() {
    const ADD: &[&str] = &[
        "10.0.0.300 dev v0",
        "x dev v0",
        "10.1.0.0/33 dev v0",
        "10.1.0.0/16 dev nope",
        "10.1.0.0/16 via",
        "10.1.0.0/16 via x",
        "10.1.0.0/16 via 10.0.0.2 via 10.0.0.3",
        "10.1.0.0/16 10.2.0.0/16",
        "10.1.0.0/16 bogus",
        "10.1.0.0/16 dev v0 metric x",
        "10.1.0.0/16 dev v0 table x",
        "10.1.0.0/16 dev v0 proto x",
        "10.1.0.0/16 dev v0 proto 256",
        "10.1.0.0/16 dev v0 scope x",
        "10.1.0.0/16 dev v0 mtu x",
        "10.1.0.0/16 dev v0 mtu lock x",
        "10.1.0.0/16 dev v0 tos x",
        "10.1.0.0/16 dev v0 tos 0x104",
        "10.1.0.0/16 dev v0 src x",
        "10.1.0.0/16 dev v0 features x",
        "10.1.0.0/16 dev v0 pref x",
        "10.1.0.0/16 dev v0 expires x",
        "10.1.0.0/16 dev v0 realms x",
        "10.1.0.0/16 dev v0 nhid x",
        "10.1.0.0/16 dev v0 weight 3",
        "10.1.0.0/16 nexthop dev v0 weight 0",
        "10.1.0.0/16 nexthop dev nope",
        "10.1.0.0/16 nexthop via x",
        "10.1.0.0/16 nexthop bogus",
        "10.1.0.0/16 rtt x",
        "10.1.0.0/16 hoplimit 300 dev v0",
        "10.1.0.0/16 quickack 2 dev v0",
        "10.1.0.0/16 ttl-propagate x dev v0",
        "10.1.0.0/16 via inet6 x dev v0",
        "10.1.0.0/16 via fe80::1 dev v0",
        "fe90::/16 via 10.0.0.2 dev v0",
        "10.1.0.0/16 dev v0 encap foo",
        "10.1.0.0/16 vrf x",
        "blackhole",
    ];
    const GET: &[&str] = &[
        "",
        "x",
        "10.0.0.2 dev nope",
        "10.0.0.2 iif nope",
        "10.0.0.2 oif",
        "10.0.0.2 mark x",
        "10.0.0.2 bogus",
    ];
    const SHOW: &[&str] = &[
        "x",
        "table x",
        "proto x",
        "scope x",
        "root",
        "metric x",
        "via x",
        "src x",
        "dev nope",
        "match 10.0.0.0/40",
        "exact",
    ];
    beside_ip(SETUP, |(_, names)| {
        let family = AddressFamily::UNSPEC;
        let check = |command: &str, line: &str, error: Option<parse::WordError>| {
            refused(&format!("route {command} {line}"), error);
        };
        for line in ADD {
            check("add", line, parse::route(&split(line), family, &names).err());
        }
        for line in GET {
            check("get", line, parse::get(&split(line), family, &names).err());
        }
        for line in SHOW {
            check("show", line, parse::selector(&split(line), family, &names).err());
        }
    });
}

#[test]
fn selectors_choose_what_ip_shows() {
    const SHOW: &[&str] = &[
        "",
        "table all",
        "table 0",
        "dev v0",
        "proto kernel",
        "protocol static",
        "scope link",
        "type blackhole",
        "via 10.0.0.2",
        "src 10.0.0.1",
        "metric 50",
        "root 10.4.0.0/14",
        "match 10.4.1.1",
        "exact 10.4.0.0/16",
        "10.4.0.0/16",
        "default",
        "table 1000",
        "table local",
        "table local type local",
        "tos 0x10",
        "cached",
        "table all dev lo",
        "table all 2001:db8:4::/48",
        "prot 77 dev v0",
    ];
    const REDUCED: &str = "ip nexthop flush >/dev/null 2>&1 || true; ip link set v1 up
        ip -6 route del 2001:db8:3::/48; ip -6 route del 2001:db8:e::/48 2>/dev/null || true
        ip -6 route del 2001:db8:f::/48 2>/dev/null || true";
    beside_ip(&format!("{}\n{REDUCED}", common::ZOO), |(mut connection, names)| {
        for line in SHOW {
            let selector = parse::selector(&split(line), AddressFamily::UNSPEC, &names).unwrap();
            let request = List::<Route> { filter: selector.filter };
            let context =
                Context { details: true, hidden: selector.hidden, ..Context::new(&names) };
            let (ours, theirs) = agree(
                || ROUTE.texts(&list(&mut connection, request.clone()), &context),
                || sh(&format!("ip -d route show {line}")),
            );
            same_text(&ours, &theirs, line);
        }
    });
}
