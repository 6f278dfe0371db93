//! What an operator types all day, well or badly: ip(8) and this program say the same and end the same.
#![cfg(target_os = "linux")]

mod common;

use std::fs::{self, File};

use common::beside::{agree, agree_json, words};
use common::listening::Listening;
use common::{command, run};
use nl_testkit::{listeners, live, need, quiet, settle, sh, wait_until};

/// Links that nothing speaks on, addresses, routes, a neighbour and a rule.
const HOST: &str = "
    ip link set lo up
    ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up
    ip address add 192.0.2.1/24 dev v0; ip address add 192.0.2.2/32 dev v1 label v1:x
    ip route add default via 192.0.2.9; ip route add blackhole 203.0.113.0/24
    ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev v0
    ip rule add from 192.0.2.0/24 lookup 100";

/// What changes nothing, whether it makes sense or not.
const LINES: &str = "
a
-br a
-br l
-c=never -br addr show up
-4 a
a s v0
-0 a
-0 -br a
-0 -o a
-0 -d a s v0
-0 a s up
-0 addr flush dev v0
r
r s t all
r l type blackhole
route get 10.1.1.1
r g 10.1.1.1 from 192.0.2.1
r get 8.8.8.8 oif nope
r get foo
link show v9
l s
l s v0
l s v9
link set
link set v9 up
link set v0 mtu
link set v0 mtu x
link set v0 mtu 1500 mtu 1400
link set v0 txqueuelen 5 qlen 6
link set v0 up down frob
link set v0 nomaster x
link set v0 name a name b
link add
link add x
link add name a name b
link del
link del nope
link show group nope
n s dev v0
neigh show nud permanent
neigh flush
ru s
rule del pref 5
rule add from
route add 10.0.0.0/8 via 8.8.8.8
route add 10.0.0.0/33 dev v0
route add 10.0.0.0/8 dev nope
route add 1.2.3.4 nexthop
route add 1.2.3.4 via 192.0.2.9 frob
route del 1.2.3.0/24
route flush
addr add 1.2.3.4/24
addr add 192.0.2.3/24 dev v0 frob
addr del 9.9.9.9/32 dev v0
addr show dev v0 dev v1
addr show v0 v1
addr flush
addr show label v1:x
addr show label v*
-4 addr show label v*
-br addr show label v1*
-o addr show label v0
-s -d addr show label v0
addr show dev v1 label v0
-0 addr show label v0
a s -permanent
a s -dynamic -tentative
a s dynamic permanent
a s permanent dynamic
a s autojoin
a s -primary
-br a s nomaster
-br l s nomaster
l l vrf v0
l l type bridge_slave
n s vrf v0
nexthop show vrf v0
a s v1:x
link set v0 address 1:2
link set v0 state frob
route add 10.20.0.0/16 nexthop dev nope
r s dev v0:1
a add 192.0.2.5/24 dev v0 valid_lft 0
a add 192.0.2.1/24 nodad dev v0
a add 192.0.2.1/24 permanent dev v0
a add 192.0.2.1/24 home mngtmpaddr dev v0
a add 192.0.2.1/24 tentative dev v0
a add 192.0.2.1/24 autojoin dev v0
a add 192.0.2.1/24 primary dev v0
-6 a s v0
-6 a
a s to fe80::/10
r g 10.1.1.1/16
r g 10.1.1.1 oif v0:1
r g 10.1.1.1 oif v9:1
-s route flush 203.0.114.0/24
route flush table 999
-br n
-br n s dev v0
-br -c n s 192.0.2.9
-br n s proxy
-one l s v0
-det l s v0
-sta a s v0
-pre -js l s v0
-fam inet r
-col l s v0
-Num r
-lo 5 a s v0
--det l s v0
-brie a
-f foo a
-rc 100000 r
-rcvbuf x r
-l 3 a
-loops 3 a
nexthop del id 77
";

#[test]
fn lines_that_change_nothing() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        quiet();
        sh(HOST);
        for line in LINES.lines().filter(|line| !line.is_empty()) {
            agree(line);
        }
        for line in [
            "-j -0 a",
            "-j a",
            "-j -d l",
            "-j -o a",
            "-j -o -4 a",
            "-j a s label v*",
            "-j -br a s label v0",
            "-j -br n",
            "-j r",
            "-j n",
            "-j ru",
        ] {
            agree_json(line);
        }
    });
}

/// A monitor with a small buffer loses what one with the usual buffer would not.
#[test]
fn the_receive_buffer_has_the_size_that_was_asked_for() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh("ip link set lo up");
        let mut monitor = command(&["-rc", "1", "monitor", "route"]);
        monitor.stderr(File::create("/run/err").unwrap());
        let ours = Listening::start(monitor, "out");
        wait_until("ours", || listeners(0, 0x40) == 1);
        sh(&format!("kill -STOP {}", ours.id()));
        sh("for i in $(seq 1 50); do echo route add 10.0.$i.0/24 dev lo; done | ip -batch -");
        sh(&format!("kill -CONT {}", ours.id()));
        wait_until("a loss", || fs::read_to_string("/run/err").unwrap().contains("overrun"));
    });
}

#[test]
fn addresses_are_flushed_in_as_many_rounds_as_asked() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        quiet();
        for (line, code) in [("-l 1 addr flush dev lo", 255), ("-l 0 addr flush dev lo", 0)] {
            sh("ip link set lo up; ip address replace 192.0.2.1/24 dev lo");
            let ran = run(&words(line));
            assert_eq!((ran.code, sh("ip address show dev lo").contains("inet ")), (code, false));
            assert_eq!(ran.err.contains("after 1 rounds"), code != 0, "{ran:?}");
        }
        assert_eq!(run(&words("-l x addr flush dev lo")).code, 255);
    });
}

#[test]
fn what_is_cut_short_does_what_it_does_in_ip() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        quiet();
        sh(HOST);
        for (line, mtu) in [("l s v0 mtu 1400", "1400"), ("l se v0 mtu 1300", "1300")] {
            let ran = run(&words(line));
            assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""), "{line}");
            assert!(sh("ip link show v0").contains(&format!(" mtu {mtu} ")), "{line}");
        }
    });
}

#[test]
fn what_is_missing_is_named() {
    let missing = |line: &str| {
        let ran = run(&words(line));
        assert_eq!((ran.code, ran.out.as_str()), (255, ""), "{line}: {ran:?}");
        ran.err
    };
    assert!(missing("-batch").starts_with("Option \"--batch\" requires an argument, try"));
    assert!(missing("-b").starts_with("Option \"-b\" requires an argument, try"));
    assert!(missing("-netns").starts_with("Option \"--netns\" requires an argument, try"));
    assert!(missing("-n nowhere route").contains("no network namespace is named \"nowhere\""));
    let ran = run(&words("conntrack -L --netns"));
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{ran:?}");
    assert!(ran.err.contains("option `--netns' requires an argument"), "{ran:?}");
}

#[test]
fn help_is_found_wherever_it_is_looked_for() {
    let shown = |line: &str| {
        let ran = run(&words(line));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line}");
        ran.out
    };
    for (before, behind) in [
        ("help", "--help"),
        ("help route", "route help"),
        ("help r a", "route add --help"),
        ("route help get", "route get help"),
        ("help link property add", "link property add help"),
        ("help conntrack", "conntrack -h"),
        ("help conntrack list", "conntrack help"),
        ("-4 help monitor", "monitor help"),
    ] {
        assert_eq!(shown(before), shown(behind), "{before}");
    }
    let ran = run(&words("help frobnicate"));
    assert_eq!(ran.err, "Object \"frobnicate\" is unknown, try \"nlctl help\".\n");
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
}

#[test]
fn expectations_are_asked_for_by_letter_too() {
    live(|| {
        for line in ["conntrack expect -L", "conntrack expect list", "conntrack -L expect"] {
            let ran = run(&words(line));
            assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{line}: {ran:?}");
            assert!(ran.err.ends_with("0 expectations have been shown.\n"), "{line}: {ran:?}");
        }
    });
}

/// glibc writes addresses that hold one of IPv4 with dots; Rust does so only for mapped ones.
#[test]
fn addresses_that_hold_one_of_ipv4() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        quiet();
        sh("ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up
            ip -6 address add ::192.0.2.1/120 dev v0 nodad
            ip -6 route add ::198.51.100.0/120 via ::192.0.2.9 dev v0
            ip -6 rule add from ::203.0.113.0/120 lookup 100
            ip -6 neigh add ::192.0.2.9 lladdr 02:00:00:00:00:09 dev v0");
        settle();
        for line in ["-6 a s v0", "-br -6 a s v0", "-6 r", "-6 ru", "-6 n", "-6 r g ::192.0.2.7"] {
            assert!(agree(line).out.contains("::192.0.2.") || line.contains("ru"), "{line}");
            agree_json(&format!("-j {line}"));
        }
    });
}

/// Without a length the first address is meant that has the local part, whatever its length is.
#[test]
fn an_address_goes_without_its_length() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        quiet();
        let deleted = |program: &str| {
            sh("ip address add 192.0.2.1/24 dev lo; ip address add 198.51.100.1/30 dev lo");
            let line = "addr del 192.0.2.1 dev lo";
            let err = if program == "ip" {
                sh(&format!("ip {line} 2>&1"))
            } else {
                let ran = run(&words(line));
                assert_eq!((ran.code, ran.out.as_str()), (0, ""));
                ran.err
            };
            let left = sh("ip -4 -br address show dev lo");
            sh("ip address flush dev lo");
            (err, left)
        };
        let ours = deleted("nlctl");
        assert_eq!(ours, deleted("ip"));
        assert!(ours.0.starts_with("Warning") && !ours.1.contains("192.0.2.1"), "{ours:?}");
    });
}
