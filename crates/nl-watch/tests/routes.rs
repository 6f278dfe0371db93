//! Mirrors of routes, links and addresses against a living kernel, changed by ip(8) and by
//! ourselves.

mod common;

use std::fmt::Write as _;

use common::{all, proven};

use nl_route::{AddressFamily, Prefix, Route};
use nl_socket::{Connection, Events, Socket};
use nl_testkit::{Rng, live, need, sh};
use nl_watch::{Addresses, Change, Item, Links, Object, Routes, Watch};
use nl_wire::value::Family;

fn lab() {
    sh("ip link set lo up
        ip link add v0 type veth peer name v1
        ip link add v2 type veth peer name v3
        for i in v0 v1 v2 v3; do ip link set $i up; done
        ip address add 10.0.0.1/24 dev v0
        ip address add 10.1.0.1/24 dev v2
        ip address add 2001:db8::1/64 dev v0 nodad
        ip address add 2001:db8:1::1/64 dev v2 nodad");
}

#[test]
fn routes_that_vanish_silently_are_missed() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        lab();
        sh("ip route add 192.0.2.0/24 via 10.0.0.2
            ip nexthop add id 5 via 10.1.0.2 dev v2
            ip route add 198.51.100.0/24 nhid 5
            ip route add 203.0.113.0/24 nexthop via 10.0.0.2 nexthop via 10.1.0.2");
        let mut watch = Watch::open(Routes::default()).unwrap();
        let items = all(&mut watch);
        assert!(matches!(items.first(), Some(Item::Listed { .. })), "{items:?}");
        let steps = [
            "ip nexthop del id 5",
            "ip link set v0 down",
            "ip link set v0 up",
            "ip address del 10.1.0.1/24 dev v2",
            "ip link del v2",
        ];
        for step in steps {
            sh(step);
            let items = proven(&mut watch, step);
            let removed = items.iter().any(|item| matches!(item, Item::Change(_)));
            assert!(removed, "{step}: {items:?}");
        }
    });
}

#[test]
fn ipv6_hops_come_and_go_one_by_one() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        lab();
        let mut watch = Watch::open(Routes::default()).unwrap();
        all(&mut watch);
        for step in [
            "ip -6 route add 2001:db8:5::/48 via 2001:db8::2",
            "ip -6 route append 2001:db8:5::/48 via 2001:db8:1::2",
            "ip -6 route append 2001:db8:5::/48 via 2001:db8:1::3",
            "ip -6 route del 2001:db8:5::/48 via 2001:db8::2",
            "ip -6 route del 2001:db8:5::/48 via 2001:db8:1::3",
            "ip -6 route add 2001:db8:5::/48 dev v0 metric 2048",
            "ip -6 route replace 2001:db8:5::/48 nexthop via 2001:db8::7 nexthop via 2001:db8::8",
            "ip -6 route replace 2001:db8:5::/48 via 2001:db8::9",
            "ip -6 route del 2001:db8:5::/48",
        ] {
            sh(step);
            assert!(!proven(&mut watch, step).is_empty(), "{step}");
        }
    });
}

/// Seeded churn of all verbs over few keys, so that they collide; with a receive buffer that
/// overruns in half of the runs.
#[test]
fn churn_converges() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        lab();
        let mut rng = Rng::new(42);
        for small in [false, true] {
            let socket = Socket::open(Family::ROUTE.0).unwrap();
            if small {
                socket.set_receive_buffer(4096).unwrap();
            }
            let events = Events::new(socket, Routes::GROUPS).unwrap();
            let connection = Connection::open(Family::ROUTE).unwrap();
            let mut watch = Watch::new(Routes::default(), events, connection);
            all(&mut watch);
            let mut overruns = 0;
            for round in 0..25 {
                let mut script = String::new();
                for _ in 0..40 {
                    let verb = *rng.pick(&["add", "replace", "append", "prepend", "del", "change"]);
                    let n = rng.below(6);
                    let metric = rng.below(3);
                    let (prefix, gateways) = if rng.one_in(2) {
                        (format!("192.0.{n}.0/24"), ["10.0.0.2", "10.0.0.3", "10.1.0.2"])
                    } else {
                        (
                            format!("2001:db8:{:x}::/48", n + 16),
                            ["2001:db8::2", "2001:db8::3", "2001:db8:1::2"],
                        )
                    };
                    let via = *rng.pick(&gateways);
                    let other = *rng.pick(&gateways);
                    let hops = match rng.below(4) {
                        0 if verb != "del" => {
                            format!("nexthop via {via} nexthop via {other} weight 3")
                        }
                        1 if verb == "del" => String::new(),
                        2 => format!("via {via} mtu 1400 table 1000"),
                        _ => format!("via {via}"),
                    };
                    writeln!(script, "route {verb} {prefix} {hops} metric {metric}\n").unwrap();
                }
                match rng.below(6) {
                    0 => {
                        script += "link set v0 down\nlink set v0 up\naddress add 2001:db8::1/64 dev v0 nodad\n";
                    }
                    1 => {
                        script +=
                            "address del 10.0.0.1/24 dev v0\naddress add 10.0.0.1/24 dev v0\n";
                    }
                    2 => script += "route flush 192.0.2.0/24\n",
                    _ => {}
                }
                // Half of the commands fail, as they should.
                sh(&format!("ip -force -batch - 2>/dev/null <<'EOF' || true\n{script}EOF\n"));
                let items = proven(&mut watch, &format!("round {round}, small {small}"));
                overruns += items.iter().filter(|item| matches!(item, Item::Lost(_))).count();
            }
            assert_eq!(overruns > 0, small);
        }
    });
}

#[test]
fn links_and_addresses_are_followed() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        lab();
        let mut links = Watch::open(Links).unwrap();
        let mut addresses = Watch::open(Addresses).unwrap();
        all(&mut links);
        all(&mut addresses);
        for step in [
            "ip link add br0 type bridge",
            "ip link set v1 master br0",
            "ip link set br0 up",
            "ip link set v1 nomaster",
            "ip link set v2 mtu 1400",
            "ip link set v3 down",
            "ip link property add dev v2 altname long-name-of-v2",
            // An interface that is down, for Linux before 6.2 renames no other.
            "ip link set v3 name v9",
            "ip address add 10.9.0.1/24 dev br0",
            "ip address add 10.9.0.2/24 dev br0",
            "ip address add 2001:db8:9::1/64 dev br0 nodad",
            "ip address del 10.9.0.1/24 dev br0",
            "ip link del br0",
            "ip link del v0",
        ] {
            sh(step);
            proven(&mut links, step);
            proven(&mut addresses, step);
        }
        assert!(links.mirror().iter().all(|link| link.name.as_ref().unwrap() != "br0"));
    });
}

#[test]
fn our_own_changes_are_told_exactly() {
    live(|| {
        let mut connection = Connection::open(Family::ROUTE).unwrap();
        let lo = nl_route::Link {
            index: 1,
            flags: nl_route::LinkFlags::UP,
            change: nl_route::LinkFlags::UP,
            ..nl_route::Link::default()
        };
        connection.run(nl_route::Change::change(lo)).unwrap();
        let mut watch = Watch::open(Routes::default()).unwrap();
        all(&mut watch);
        let route = Route {
            destination: Some("192.0.2.0/24".parse::<Prefix>().unwrap()),
            oif: Some(1),
            ..Route::default()
        };
        connection.run(nl_route::Change::add(route.clone())).unwrap();
        let items = all(&mut watch);
        let [Item::Change(Change::Added(added))] = &items[..] else { panic!("{items:?}") };
        assert_eq!((added.family, added.destination), (AddressFamily::INET, route.destination));
        connection.run(nl_route::Change::delete(added.clone())).unwrap();
        assert_eq!(all(&mut watch), [Item::Change(Change::Removed(added.clone()))]);
    });
}
