//! Routes and events beside ip(8), in namespaces of their own.
#![cfg(target_os = "linux")]

mod common;

use std::fs::File;
use std::net::Ipv4Addr;

use common::beside::{agree, agree_json, ip, same, value, words};
use common::listening::{Listening, both_tell};
use common::{Ran, command, nlctl, run};
use nl_route::{Change, Prefix, Route};
use nl_socket::Connection;
use nl_testkit::{listeners, live, need, quiet, settle, sh, wait_until};
use nl_wire::value::Family;

/// Links, addresses and routes of many kinds.
const ZOO: &str = include_str!("../../nl-route/tests/common/zoo.sh");

fn zoo() {
    quiet();
    // Of segment routing only the type is named so far.
    let lines: Vec<&str> = ZOO.lines().filter(|line| !line.contains("encap seg6")).collect();
    sh(&lines.join("\n"));
    settle();
}

#[test]
fn text_is_that_of_ip() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        zoo();
        for options in [
            "",
            "-s ",
            "-6 ",
            "-o ",
            "-f inet6 ",
            "-d ",
            "-6 -d ",
            "-4 -d -s ",
            "-c ",
            "-c -6 -d ",
            "-N -d ",
        ] {
            assert!(agree(&format!("{options}route list")).out.lines().count() > 10);
            agree(&format!("{options}route list table all"));
        }
        for selector in [
            "",
            "table local",
            "table 1000",
            "table 100",
            "table all proto kernel",
            "proto static",
            "scope link",
            "type blackhole",
            "dev v0",
            "table all dev lo",
            "via 10.0.0.2",
            "src 10.0.0.1",
            "metric 50",
            "root 10.0.0.0/8",
            "match 10.2.3.4",
            "exact 10.6.0.0/16",
            "10.6.0.0/16",
            "10.6.0.0/17",
            "root 10.6.0.0/15 proto boot",
            "default",
            "all",
            "match any",
            "tos zz",
            "cache",
        ] {
            agree(&format!("route show {selector}"));
            agree(&format!("-6 route show {selector}"));
        }
        for selector in ["2001:db8:1::/48", "root 2001:db8::/32", "match 2001:db8:1::1"] {
            agree(&format!("-6 route show {selector}"));
        }
        for short in ["r", "ro l", "rou sh table all", "route lst", "route ls"] {
            agree(short);
        }
    });
}

#[test]
fn json_is_that_of_ip() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        zoo();
        for options in ["-j", "-j -s", "-6 -j", "-d -j", "-6 -d -j", "-json -details"] {
            for selector in
                ["list", "list table all", "list dev v0", "show proto static", "show root default"]
            {
                let line = format!("{options} route {selector}");
                agree_json(&line);
            }
        }
        agree("-j -p route list proto static");
    });
}

#[test]
fn lookups_are_those_of_ip() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        zoo();
        for target in [
            "10.1.2.3",
            "10.0.0.1",
            "127.0.0.1",
            "10.8.0.1",
            "10.9.0.1",
            "8.8.8.8",
            "8.8.8.8 from 10.0.0.1",
            "10.1.2.3 mark 5 uid 3",
            "10.1.2.3 dev v0",
            "10.1.2.3 fibmatch",
            "10.6.1.1 fibmatch",
            "2001:db8:1::1",
            "2001:db8:1::1 fibmatch",
            "2001:db8:5::1",
            "::1",
            "default",
            "10.1.2.3 sport x",
            "fe80::9 dev v0",
            "10.1.2.3 ipproto tcp sport 5 dport 80",
            "10.1.2.3 oif nosuch",
            "",
            "nonsense",
        ] {
            agree(&format!("route get {target}"));
            agree_json(&format!("-d -j route get {target}"));
        }
    });
}

/// A fresh pair of links.
fn links() {
    quiet();
    sh("ip link set lo up
        ip link add v0 type veth peer name v1
        ip addr add 10.0.0.1/24 dev v0; ip addr add 2001:db8::1/64 dev v0 nodad
        ip link set v0 up; ip link set v1 up");
    settle();
}

/// Commands that ip and we carry out alike: of exit code, words and effect.
const CHANGES: &str = "
route add 10.1.0.0/16 via 10.0.0.2
route add 10.1.0.0/16 via 10.0.0.2
route replace 10.1.0.0/16 via 10.0.0.3 mtu 1400
route append 10.1.0.0/16 via 10.0.0.4
route prepend 10.1.0.0/16 via 10.0.0.5
route change 10.1.0.0/16 via 10.0.0.6 advmss 1300
route change 10.77.0.0/16 via 10.0.0.6
route add default via 10.0.0.2 metric 100 proto static src 10.0.0.1
route add default via 10.0.0.2 metric 100
route add 10.2.0.0/16 nexthop via 10.0.0.2 weight 2 nexthop via 10.0.0.3
route add blackhole 10.3.0.0/16
route add unreachable 10.4.0.0/16 metric 7
route add 10.5.0.0/16 dev v0 table 500
route add 10.6.0.1/16 dev v0
route add 10.7.0.0/16 via 192.0.2.1
route add 10.8.0.0/16 dev nosuch
route add 10.9.0.0/16
route add 10.9.0.0/16 dev v0 metric x
route add 10.9.0.0/16 dev v0 nonsense
route add 10.9.0.0/33 dev v0
route add nonsense dev v0
route add 10.9.0.0/16 dev v0 table nosuch
route add 10.9.0.0/16 dev v0 proto nosuch
route add 10.9.0.0/16 dev v0 scope nosuch
route add 10.9.0.0/16 dev v0 src nonsense
route add 10.9.0.0/16 dev v0 src 10.9.9.9
route add 10.9.0.0/16 via
route add 2001:db8:1::/48 via 2001:db8::2
route add 2001:db8:1::/48 via 2001:db8::2
-6 route add default via 2001:db8::2 metric 5 pref high
-6 route append 2001:db8:1::/48 via 2001:db8::3
-6 route replace 2001:db8:1::/48 via 2001:db8::4 mtu 1300
-4 route add 2001:db8:2::/48 dev v0
-6 route add 10.9.0.0/16 dev v0
route del 10.99.0.0/16
route del 10.1.0.0/16 via 10.0.0.99
route del 10.3.0.0/16
route del blackhole 10.3.0.0/16
route del 10.2.0.0/16
route del 10.1.0.0/16 via 10.0.0.4
route del default metric 100
route del 10.5.0.0/16
route del 10.5.0.0/16 table 500
-6 route del 2001:db8:1::/48
-6 route del 2001:db8:77::/48
route list table 77
route list table nosuch
route list dev nosuch
route list proto nosuch
route list nonsense
route nonsense
";

#[test]
fn changes_and_refusals_are_those_of_ip() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        let tables = || sh("ip -d route list table all; ip -d -6 route list table all");
        let carry_out = |run: &dyn Fn(&str) -> Ran| -> Vec<(String, i32, String, String)> {
            links();
            let done = CHANGES.trim().lines().map(|line| {
                let ran = run(line);
                // Our own name, and what we add of the attribute at fault.
                let said = ran.err.replace("nlctl", "ip");
                let mut said =
                    said.lines().filter(|line| !line.starts_with("  at ") && !line.is_empty());
                let said = said.next().unwrap_or_default().to_owned();
                (line.to_owned(), ran.code, said, tables())
            });
            let done = done.collect();
            sh("ip link del v0; ip route flush table main");
            done
        };
        let mask = |text: &str| -> String {
            // Interface indexes differ, and the addresses that the kernel makes from them.
            text.lines().filter(|line| !line.contains("fe80:")).collect::<Vec<_>>().join("\n")
        };
        let theirs = carry_out(&ip);
        let ours = carry_out(&|line| run(&words(line)));
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!((ours.1, &ours.2), (theirs.1, &theirs.2), "{}", ours.0);
            same(&mask(&ours.3), &mask(&theirs.3), &ours.0);
        }
    });
}

#[test]
fn the_attribute_at_fault_and_the_remedy_are_named() {
    live(|| {
        if !need(&["ip", "setpriv"]) {
            return;
        }
        links();
        let program = env!("CARGO_BIN_EXE_nlctl");
        let text = sh(&format!(
            "setpriv --bounding-set -all --inh-caps -all {program} route add 10.1.0.0/16 dev v0 2>&1 || true"
        ));
        assert!(text.starts_with("RTNETLINK answers: Operation not permitted ("), "{text}");
        assert!(text.contains("CAP_NET_ADMIN") && text.lines().count() == 1, "{text}");
    });
}

#[test]
fn events_are_those_of_ip() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh("ip link set lo up");
        for line in [
            "monitor link address route",
            "-4 monitor route",
            "-d monitor route",
            "monitor route address label",
        ] {
            let mark = |number| {
                let route = format!("blackhole 192.0.2.1 metric {number}");
                sh(&format!("ip route add {route}; ip route del {route}"));
            };
            let [ours, theirs, json] = both_tell(line, mark, || {
                sh("ip link add v0 type veth peer name v1
                    ip addr add 10.0.0.1/24 dev v0
                    ip link set v0 up; ip link set v1 up
                    ip route add 10.9.0.0/16 via 10.0.0.2
                    ip route replace 10.9.0.0/16 via 10.0.0.3 mtu 1400
                    ip route add 10.8.0.0/16 nexthop via 10.0.0.2 nexthop via 10.0.0.3
                    ip route del 10.9.0.0/16
                    ip -6 route add 2001:db8::/64 dev v0
                    ip addr del 10.0.0.1/24 dev v0
                    ip -6 route del 2001:db8::/64");
            });
            sh("ip link del v1");
            assert!(theirs.lines().count() > 5, "{theirs}");
            same(&ours, &theirs, line);
            for item in json.lines().map(value) {
                let object = &item["object"];
                assert!(object.is_object());
                let deleted = item["type"].as_str().unwrap().starts_with("RTM_DEL");
                assert_eq!(object["deleted"] == true, deleted, "{item}");
            }
        }
    });
}

/// ip goes on with the old name.
#[test]
fn events_follow_a_link_that_is_renamed() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        links();
        let ours = Listening::start(command(&["monitor", "route"]), "out");
        wait_until("ours", || listeners(0, 0x41) == 1);
        sh("ip route add 10.9.0.0/16 dev v0");
        wait_until("the old name", || ours.said().contains("10.9.0.0/16 dev v0"));
        // Linux before 6.2 renames no link that is up, and what goes down takes its routes along.
        sh("ip link set v0 down; ip link set v0 name w0; ip link set w0 up
            ip route add 10.9.0.0/16 dev w0; ip route del 10.9.0.0/16");
        wait_until("the end", || ours.said().contains("Deleted 10.9.0.0/16"));
        let text = ours.said();
        let of_ours: Vec<&str> = text.lines().filter(|line| line.contains("10.9.0.0/16")).collect();
        let [old, new] = ["10.9.0.0/16 dev v0 scope link ", "10.9.0.0/16 dev w0 scope link "];
        assert_eq!(of_ours, [old, new, &format!("Deleted {new}")]);
    });
}

#[test]
fn flows_are_monitored_beside_routes() {
    live(|| {
        if !need(&["ip", "conntrack"]) {
            return;
        }
        sh("ip link set lo up");
        let ours = Listening::start(command(&["monitor", "route", "conntrack", "label"]), "out");
        wait_until("ours", || listeners(0, 0x41) == 1 && listeners(12, 0x7) == 1);
        sh("ip route add 10.9.0.0/16 dev lo");
        // The events of two sockets have no order.
        wait_until("a route", || ours.said().ends_with('\n'));
        sh("conntrack -I -t 100 -s 10.0.0.1 -d 10.0.0.2 -p 99");
        wait_until("a flow", || ours.said().lines().count() == 2);
        let text = ours.said();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert_eq!(lines[0], "[ROUTE]10.9.0.0/16 dev lo scope link ");
        assert!(
            lines[1].starts_with("[CONNTRACK]    [NEW] unknown  99 100 src=10.0.0.1 "),
            "{text}"
        );
    });
}

#[test]
fn lost_events_are_counted() {
    live(|| {
        const ROUTES: u32 = 3000;
        sh("ip link set lo up");
        let err = File::create("/run/err").unwrap();
        let mut program = command(&["-j", "monitor", "route"]);
        program.stderr(err);
        let ours = Listening::start(program, "out");
        wait_until("ours", || listeners(0, 0x41) == 1);
        let signal = |signal: &str| sh(&format!("kill -{signal} {}", ours.id()));
        signal("STOP");
        let mut connection = Connection::open(Family::ROUTE).unwrap();
        let routes = (0..ROUTES).map(|number| {
            let destination = Prefix::host(Ipv4Addr::from((10 << 24) + number).into());
            let oif = Some(1);
            Change::add(Route { destination: Some(destination), oif, ..Route::default() })
        });
        connection.batch(routes).for_each(|result| result.unwrap());
        signal("CONT");
        let count = || {
            let (mut seen, mut lost) = (0, 0);
            for item in ours.said().lines().filter(|line| line.ends_with('}')).map(value) {
                match item["type"].as_str().unwrap() {
                    "RTM_NEWROUTE" => seen += 1,
                    "loss" => lost += item["dropped"].as_u64().unwrap(),
                    other => panic!("{other}: {item}"),
                }
            }
            (seen, lost)
        };
        wait_until("all to be told", || {
            let (seen, lost) = count();
            seen + lost >= u64::from(ROUTES)
        });
        let (seen, lost) = count();
        assert!(seen > 0 && lost > 0, "{seen} seen, {lost} lost");
        assert_eq!(seen + lost, u64::from(ROUTES));
        let err = std::fs::read_to_string("/run/err").unwrap();
        let line = format!("nlctl: WARNING: receive queue overrun: {lost} messages lost\n");
        assert_eq!(err, line);
    });
}

#[test]
fn other_namespaces() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh(
            "ip netns add there; ip -n there link set lo up; ip -n there route add 10.9.0.0/16 dev lo",
        );
        assert_eq!(nlctl(&["route"]), "");
        agree("-n there route");
        let monitor = Listening::start(command(&["-n", "there", "monitor", "route"]), "out");
        wait_until("it to tell", || {
            sh("ip -n there route add 10.8.0.0/16 dev lo; ip -n there route del 10.8.0.0/16");
            monitor.said().contains("Deleted 10.8.0.0/16")
        });
        assert_eq!(nlctl(&["-netns", "there", "route", "del", "10.9.0.0/16"]), "");
        wait_until("the end", || {
            monitor.said().ends_with("\nDeleted 10.9.0.0/16 dev lo scope link \n")
        });
        let ran = run(&["-n", "nowhere", "route"]);
        assert_eq!((ran.code, ran.err.lines().count()), (255, 1));
    });
}

#[test]
fn trace_shows_requests_and_answers() {
    live(|| {
        links();
        let ran = run(&["--trace", "route", "add", "10.9.0.0/16", "via", "192.0.2.1"]);
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains("> RTM_NEWROUTE, ") && ran.err.contains("< NLMSG_ERROR, "));
        assert!(
            ran.err.ends_with("Error: Nexthop has invalid gateway.\n  ENETUNREACH\n"),
            "{}",
            ran.err
        );
    });
}
