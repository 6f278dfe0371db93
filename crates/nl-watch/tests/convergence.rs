//! A hundred seeded rounds of churn with provoked overruns for each kind of table: after each the
//! mirror equals the kernel's table, and the losses told equal the kernel's counter.

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use common::{all, proven, udp};
use nl_conntrack::{
    Change, Expectation, ExpectationChange, Flow, Helper, IpProtocol, ProtocolInfo, TcpState, Tuple,
};
use nl_socket::{Connection, Events, Loss, Socket};
use nl_testkit::{Rng, live, need, sh, skip};
use nl_watch::{
    Addresses, Expectations, Flows, Forwarding, Item, Links, Neighbours, Nexthops, Object, Routes,
    Rules, Watch,
};
use nl_wire::value::{AddressFamily, Family};

const ROUNDS: usize = 100;

/// Rounds of `churn`, which the watch does not read before it is over.
fn rounds<O: Object>(object: O, receive_buffer: usize, mut churn: impl FnMut(&mut Rng)) {
    let socket = Socket::open(O::FAMILY.0).unwrap();
    socket.set_receive_buffer(receive_buffer).unwrap();
    let events = Events::new(socket, O::GROUPS).unwrap();
    let mut watch = Watch::new(object, events, Connection::open(O::FAMILY).unwrap());
    all(&mut watch);
    let (mut rng, mut overruns, mut dropped) = (Rng::new(0x00c0_ffee), 0, 0_u64);
    for round in 0..ROUNDS {
        churn(&mut rng);
        for item in proven(&mut watch, &format!("round {round}")) {
            if let Item::Lost(Loss::Overrun { dropped: lost }) = item {
                (overruns, dropped) = (overruns + 1, dropped + u64::from(lost));
            } else if let Item::Lost(loss) = item {
                assert_eq!(loss, Loss::Interrupted, "round {round}");
            }
        }
        let counted = watch.events().socket().drops().unwrap();
        assert_eq!(dropped, u64::from(counted), "round {round}");
    }
    let counters = watch.counters();
    assert_eq!((counters.dropped, counters.undecodable), (dropped, 0));
    assert!(overruns >= ROUNDS / 4, "{overruns} overruns");
    assert!(counters.resyncs >= overruns as u64, "{counters:?}");
}

/// Runs commands of ip(8), of which many fail, as they should.
fn ip(script: &str) {
    sh(&format!("ip -force -batch - 2>/dev/null <<'EOF' || true\n{script}EOF\n"));
}

#[test]
fn flows() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        let mut there = BTreeSet::new();
        rounds(Flows::default(), 8192, |rng| {
            let changes: Vec<_> = (0..60)
                .map(|_| {
                    let port = u16::try_from(rng.below(150)).unwrap() + 1;
                    if there.insert(port) {
                        return Change::create(udp(port));
                    }
                    if rng.one_in(2) {
                        let mark = Some(rng.next_u32());
                        return Change::update(Flow { mark, ..udp(port) });
                    }
                    there.remove(&port);
                    Change::delete(udp(port))
                })
                .collect();
            for result in connection.batch(changes) {
                result.unwrap();
            }
        });
    });
}

/// Two pairs of links with an address each.
fn lab() {
    sh("ip link add v0 type veth peer name v1
        ip link add v2 type veth peer name v3
        for i in v0 v1 v2 v3; do ip link set $i up; done
        ip address add 10.0.0.1/24 dev v0
        ip address add 10.1.0.1/24 dev v2");
}

#[test]
fn routes() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        lab();
        rounds(Routes::default(), 4096, |rng| {
            let mut script = String::new();
            for _ in 0..30 {
                let verb = *rng.pick(&["add", "replace", "append", "prepend", "del", "change"]);
                let (net, metric) = (rng.below(6), rng.below(3));
                let via = *rng.pick(&["10.0.0.2", "10.0.0.3", "10.1.0.2"]);
                writeln!(script, "route {verb} 192.0.{net}.0/24 via {via} metric {metric}")
                    .unwrap();
            }
            match rng.below(8) {
                0 => script += "link set v0 down\nlink set v0 up\n",
                1 => script += "address del 10.0.0.1/24 dev v0\naddress add 10.0.0.1/24 dev v0\n",
                2 => script += "route flush 192.0.2.0/24\n",
                _ => {}
            }
            ip(&script);
        });
    });
}

#[test]
fn addresses() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        lab();
        rounds(Addresses, 4096, |rng| {
            let mut script = String::new();
            for _ in 0..40 {
                let verb = *rng.pick(&["add", "add", "replace", "del"]);
                let (device, net, host) = (rng.below(4), rng.below(3), rng.below(8) + 1);
                if rng.one_in(2) {
                    writeln!(script, "address {verb} 10.2.{net}.{host}/24 dev v{device}").unwrap();
                } else {
                    let nodad = if verb == "del" { "" } else { "nodad" };
                    let address = format!("2001:db8:{net}::{host}/64");
                    writeln!(script, "address {verb} {address} dev v{device} {nodad}").unwrap();
                }
            }
            ip(&script);
        });
    });
}

#[test]
fn links() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        lab();
        rounds(Links, 4096, |rng| {
            let mut script = String::new();
            for _ in 0..12 {
                let device = rng.below(4);
                let what = match rng.below(8) {
                    0 => "down".to_owned(),
                    1 | 2 => "up".to_owned(),
                    3 => format!("alias text-{}", rng.below(100)),
                    4 => format!("group {}", rng.below(4)),
                    _ => format!("mtu {}", 1300 + rng.below(200)),
                };
                writeln!(script, "link set v{device} {what}").unwrap();
            }
            match rng.below(10) {
                0 => script += "link add b0 type bridge\nlink set v1 master b0\n",
                1 => script += "link del b0\n",
                _ => {}
            }
            ip(&script);
        });
    });
}

#[test]
fn neighbours() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        lab();
        rounds(Neighbours, 4096, |rng| {
            let mut script = String::new();
            for _ in 0..40 {
                let (device, host) = (rng.below(4), rng.below(20) + 2);
                let address = match rng.below(2) {
                    0 => format!("10.0.0.{host}"),
                    _ => format!("2001:db8::{host}"),
                };
                let state = *rng.pick(&["permanent", "stale", "reachable", "noarp"]);
                let what = match rng.below(4) {
                    0 => format!("del {address} dev v{device}"),
                    _ => format!(
                        "replace {address} lladdr 02:00:00:00:00:0{} nud {state} dev v{device}",
                        rng.below(3)
                    ),
                };
                writeln!(script, "neigh {what}").unwrap();
            }
            if rng.one_in(8) {
                script += "link set v0 down\nlink set v0 up\n";
            }
            ip(&script);
        });
    });
}

/// Entries made by hand, and those that ports and their changes bring.
#[test]
fn forwarding() {
    live(|| {
        if !need(&["ip", "bridge"]) {
            return;
        }
        // Nobody but us makes entries.
        sh("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1");
        lab();
        // Where the kernel has VLANs of bridges these are tried too.
        sh("ip link add b0 type bridge
            ip link set b0 up
            ip link set b0 type bridge vlan_filtering 1 2>/dev/null || true
            for i in v0 v2; do ip link set $i master b0; done");
        rounds(Forwarding, 4096, |rng| {
            let mut script = String::new();
            for _ in 0..40 {
                let (port, host) = (2 * rng.below(2), rng.below(12));
                let how = *rng.pick(&["add", "add", "replace", "del"]);
                let what = match rng.below(4) {
                    _ if how == "del" => "",
                    0 => "permanent",
                    1 => "static sticky",
                    2 => "static",
                    _ => "dynamic",
                };
                let vlan = *rng.pick(&["", "", "vlan 1", "vlan 7"]);
                let address = format!("02:00:00:00:01:{host:02}");
                writeln!(script, "fdb {how} {address} dev v{port} master {what} {vlan}").unwrap();
                if rng.one_in(20) {
                    let verb = *rng.pick(&["add", "del"]);
                    writeln!(script, "vlan {verb} vid 7 dev v{port}").unwrap();
                }
            }
            sh(&format!("bridge -force -batch - 2>/dev/null <<'EOF' || true\n{script}EOF\n"));
            let port = 2 * rng.below(2);
            let script = match rng.below(8) {
                0 => format!("link set v{port} nomaster\nlink set v{port} master b0\n"),
                1 => format!("link set v{port} address 02:00:00:00:02:0{}\n", rng.below(3)),
                2 => format!("link set v{port} down\nlink set v{port} up\n"),
                3 => "link set b0 type bridge fdb_flush\n".to_owned(),
                _ => return,
            };
            ip(&script);
        });
    });
}

#[test]
fn rules() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        lab();
        rounds(Rules, 4096, |rng| {
            for family in ["-4", "-6"] {
                let mut script = String::new();
                for _ in 0..15 {
                    let (verb, not) = (*rng.pick(&["add", "add", "del"]), *rng.pick(&["", "not"]));
                    let (mark, device, priority) = (rng.below(4) + 1, rng.below(2), rng.below(4));
                    let selector = format!("{not} fwmark {mark} iif v{device}");
                    writeln!(script, "rule {verb} {selector} table 7 pref 10{priority}").unwrap();
                }
                sh(&format!(
                    "ip {family} -force -batch - 2>/dev/null <<'EOF' || true\n{script}EOF\n"
                ));
            }
        });
    });
}

#[test]
fn nexthops() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        lab();
        rounds(Nexthops::default(), 4096, |rng| {
            let mut script = String::new();
            for _ in 0..30 {
                let (id, other, host) = (rng.below(8) + 1, rng.below(8) + 1, rng.below(5) + 2);
                let what = match rng.below(6) {
                    0 | 1 => format!("del id {id}"),
                    2 => format!("replace id {} group {id}/{other}", id + 20),
                    3 => format!("replace id {id} via 10.1.0.{host} dev v2"),
                    _ => format!("replace id {id} via 10.0.0.{host} dev v0"),
                };
                writeln!(script, "nexthop {what}").unwrap();
            }
            if rng.one_in(6) {
                script += "link set v0 down\nlink set v0 up\n";
            }
            ip(&script);
        });
    });
}

/// One for each of some flows, whose helper allows no more.
#[test]
fn expectations() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        // The kernel tells of expectations only if somebody listened when their master was made.
        let _listener = Events::open(Family::NETFILTER, Expectations::GROUPS).unwrap();
        let tuple = |port| {
            let server = ([10, 0, 0, 2].into(), 21);
            Tuple::with_ports(IpProtocol::TCP, ([10, 0, 0, 1].into(), port), server)
        };
        for port in 1..=60 {
            let helper = Some(Box::new(Helper { name: "ftp".into(), info: None }));
            let protocol_info = Some(ProtocolInfo::tcp(TcpState::ESTABLISHED));
            let timeout = Some(600);
            let flow = Flow { timeout, protocol_info, helper, ..Flow::new(tuple(port)) };
            if let Err(error) = connection.run(Change::create(flow)) {
                return skip(&format!("no helper ftp: {error}"));
            }
        }
        let expectation = |port: u16| {
            let ones = (std::net::IpAddr::from([255; 4]), u16::MAX);
            let (source, destination) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
            Expectation {
                family: AddressFamily::INET,
                tuple: Tuple::with_ports(IpProtocol::TCP, (source, 0), (destination, 1000 + port)),
                mask: Tuple::with_ports(IpProtocol::TCP, (ones.0, 0), ones),
                master: tuple(port),
                timeout: Some(500),
                ..Expectation::default()
            }
        };
        let mut there = BTreeSet::new();
        rounds(Expectations::default(), 8192, |rng| {
            for _ in 0..40 {
                let port = u16::try_from(rng.below(60)).unwrap() + 1;
                let change = if there.insert(port) {
                    ExpectationChange::Create(expectation(port))
                } else {
                    there.remove(&port);
                    ExpectationChange::Delete((&expectation(port)).into())
                };
                connection.run(change).unwrap();
            }
        });
    });
}
