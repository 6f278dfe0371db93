//! Links, addresses and batches beside ip(8), in namespaces of their own.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::process::Command;

use common::beside::{agree, agree_but_for, ip, same, value, words};
use common::{run, run_with};
use nl_testkit::{Running, live, need, quiet, sh, wait_until};

/// What of ours makes links and addresses, in an order in which all succeed.
const CHANGES: [&str; 24] = [
    "link set lo up",
    "link add br0 type bridge forward_delay 400 ageing_time 1000",
    "link add v0 mtu 1400 type veth peer name v1 mtu 1300",
    "link add w0 type veth peer name w1",
    "link add link w0 mv0 type macvlan mode bridge",
    "link add vx0 type vxlan id 42 remote 10.0.0.9 local 10.0.0.1 dev v1 dstport 4789 nolearning ttl 5",
    "link add if0 type ifb",
    "link set v0 master br0 up alias some-words",
    "l set dev v1 up address 02:00:00:00:00:01 txqueuelen 77 group 5",
    "link set br0 addrgenmode none",
    "link set v0 addrgenmode none",
    "link set br0 up",
    "link property add dev v1 altname another-name-of-v1 altname x1",
    "link property del dev v1 altname x1",
    "link set if0 name ifx",
    "link set v0 type bridge_slave cost 50 priority 8 hairpin on",
    "link set w1 arp off multicast off promisc on",
    "addr add 10.0.0.1/24 brd + dev v1",
    "a a 10.0.0.2 peer 10.9.0.1/32 dev v1 label v1:x",
    "addr add fc00::1/64 dev v1 nodad valid_lft 1000000 preferred_lft 500000",
    "addr add 127.0.0.5/8 dev lo",
    "addr replace 10.0.0.1/24 dev v1 metric 7",
    "addr add 10.4.0.1/24 dev w1 noprefixroute",
    "addr del 10.4.0.1/24 dev w1",
];

fn make() {
    quiet();
    for line in CHANGES {
        let ran = run(&words(line));
        assert_eq!((ran.code, &*ran.err), (0, ""), "{line}");
    }
    sh("ip link set w0 up");
}

/// A text without the timers of bridges, which never stand still.
fn without_timers(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("_timer") {
        let (before, behind) = rest.split_at(at + "_timer".len());
        out.push_str(before);
        rest = behind.trim_start_matches(['"', ':', ' ', '.']);
        rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    }
    out + rest
}

fn alike(line: &str) {
    assert!(agree_but_for(line, without_timers).out.contains("v1"), "{line}");
}

#[test]
fn what_we_make_is_shown_as_ip_shows_it() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        make();
        for options in [
            "",
            "-d",
            "-s",
            "-s -s",
            "-o",
            "-br",
            "-4",
            "-6",
            "-4 -d",
            "-o -4",
            "-o -d",
            "-br -4",
            "-br -o",
            "-j",
            "-j -d",
            "-j -br",
            "-j -4",
            "-j -s",
            "-j -4 -d",
            "-j -6 -br",
            "-c",
            "-color=always -d",
            "-c -br",
            "-c=auto",
            "-c -j",
            "-N -d",
            "-h -s -s",
            "-human -iec -s",
        ] {
            alike(&format!("{options} link"));
            alike(&format!("{options} addr"));
        }
        for line in [
            "addr show dev v1",
            "addr show another-name-of-v1",
            "addr show up",
            "addr show to 10.0.0.0/24",
            "addr show scope link",
            "addr show type veth",
            "addr show master br0",
            "addr show dynamic",
            "addr show permanent",
            "addr show secondary",
            "link show type vxlan",
            "link show master br0",
            "link show up",
            "link show group 5",
            "link l v0",
        ] {
            assert_eq!(agree(line).code, 0, "{line}");
        }
    });
}

#[test]
fn refusals_are_told_as_ip_tells_them() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        make();
        for line in [
            "addr show nothing",
            "link show nothing",
            "addr add 10.0.0.2 peer 10.9.0.1/32 dev v1",
            "addr add 10.0.0.300/24 dev v1",
            "addr del 10.77.0.1/24 dev v1",
            "addr add 10.0.0.1/24",
            "addr add 10.3.3.3/24 dev nothing",
            "addr flush",
            "link set nothing up",
            "link del nothing",
            "link add foo type nonsense",
            "link add v0 type veth",
            "link set v0 mtu xx",
            "link set v0 master nothing",
            "link set v1 promisc maybe",
            "link set v0 netns nothing",
            "route flush",
        ] {
            assert_ne!(agree(line).code, 0, "{line}");
        }
    });
}

#[test]
fn what_is_deleted_is_gone() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        make();
        for line in [
            "addr flush dev v1 scope global",
            "link set v0 nomaster",
            "link set v0 down",
            "link del vx0",
            "-6 addr flush dev lo",
        ] {
            assert_eq!(run(&words(line)).code, 0, "{line}");
        }
        assert_eq!(ip("-o addr show dev v1 scope global").out, "");
        assert_eq!(ip("-o -6 addr show dev lo").out, "");
        assert_ne!(ip("link show vx0").code, 0);
        let shown = ip("link show v0").out;
        assert!(!shown.contains("master") && !shown.contains(",UP"), "{shown}");
    });
}

#[test]
fn links_move_between_namespaces() {
    live(|| {
        if !need(&["ip", "unshare"]) {
            return;
        }
        let other = Running::start(Command::new("unshare").args(["-n", "sleep", "30"]));
        let pid = other.id();
        let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).unwrap();
        wait_until("unshare", || namespace(&pid.to_string()) != namespace("self"));
        let peer = format!("link add p0 type veth peer name p1 netns {pid}");
        assert_eq!(run(&words(&peer)).err, "");
        assert_eq!(run(&words("link add q0 type veth peer name q1")).code, 0);
        assert_eq!(run(&words(&format!("link set q1 netns {pid}"))).err, "");
        let there = run(&words(&format!("-n {pid} -br link"))).out;
        assert!(there.contains("p1@if") && there.contains("q1@if"), "{there}");
        assert!(agree("-d link show p0").out.contains("veth"));
        sh("ip netns add there");
        assert_eq!(run(&words("link add n0 type veth peer name n1 netns there")).err, "");
        assert!(agree("link show n0").out.contains("link-netns there"));
        assert!(agree("addr show n0").out.contains("link-netns there"));
        assert!(agree("-n there link show n1").out.contains("n1@if"));
    });
}

const BATCH: &str = "# links first
link add v0 type veth peer name v1
link set v0 up
link set v1 up
addr add 10.0.0.1/24 dev v0   # an address
route add 10.1.0.0/16 via 10.0.0.2
route add 10.2.0.0/16 \\
  via 10.0.0.2 dev v0

-6 route add fc00:1::/64 dev v0
ro rep 10.3.0.0/16 nexthop via 10.0.0.2 nexthop via 10.0.0.3 weight 2
neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev v0
rule add from 10.7.0.0/16 table 100
";

#[test]
fn batches_do_as_those_of_ip() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        let ran = run_with(&["-batch", "-"], BATCH.as_bytes());
        assert_eq!((ran.code, &*ran.err), (0, ""));
        for line in ["route", "-6 route show fc00:1::/64", "rule", "neigh show 10.0.0.9"] {
            assert!(!agree(line).out.is_empty());
        }
        let lines: Vec<String> = (0..2500)
            .map(|n| format!("10.{}.{}.0/24 via 10.0.0.2\n", 100 + n / 250, n % 250))
            .collect();
        let many = lines.concat();
        let ran = run_with(&["route", "replace", "--batch", "-"], many.as_bytes());
        assert_eq!((ran.code, &*ran.err), (0, ""));
        assert_eq!(
            ip("route show root 10.0.0.0/8 proto boot").out.matches("10.0.0.2 dev").count(),
            2503
        );

        let wrong = "route add 10.50.0.0/16 via 10.0.0.2
route add 10.1.0.0/16 via 10.0.0.2
route add 10.51.0.0/16 nexthop via 10.0.0.2 nexthop via 99.0.0.2
route add 10.500.0.0/16 via 1.1.1.1
link set nothing up
route add 10.52.0.0/16 via 10.0.0.2
";
        let ran = run_with(&["-force", "-b", "-"], wrong.as_bytes());
        assert_eq!(ran.code, 1);
        let failed: Vec<&str> =
            ran.err.lines().filter(|line| line.starts_with("Command failed")).collect();
        let expected: Vec<String> = (2..=5).map(|n| format!("Command failed -:{n}")).collect();
        assert_eq!(failed, expected, "{}", ran.err);
        assert!(ran.err.contains("Nexthop has invalid gateway"), "{}", ran.err);
        assert!(ip("route show 10.52.0.0/16").out.contains("10.0.0.2"));
        // Without -force it ends there.
        sh("ip route del 10.50.0.0/16; ip route del 10.52.0.0/16");
        let ran = run_with(&["-b", "-"], wrong.as_bytes());
        assert_eq!(ran.code, 1);
        assert!(!ran.err.contains(":5"), "{}", ran.err);
        assert_eq!(ip("route show 10.52.0.0/16").out, "");
    });
}

#[test]
fn routes_are_saved_and_restored_by_both() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        assert_eq!(run_with(&["-b", "-"], BATCH.as_bytes()).code, 0);
        let before = ip("route").out;
        let folder = std::env::temp_dir();
        let path = |name: &str| folder.join(format!("nlctl-{name}-{}", std::process::id()));
        let (ours, theirs) = (path("ours"), path("theirs"));
        let program = env!("CARGO_BIN_EXE_nlctl");
        sh(&format!("{program} route save > {}", ours.display()));
        sh(&format!("ip route save > {}", theirs.display()));
        let flush = ["-s", "route", "flush", "root", "10.0.0.0/8", "proto", "boot"];
        let told =
            "\n*** Round 1, deleting 3 entries ***\n*** Flush is complete after 1 round ***\n";
        assert_eq!(run(&flush).out, told);
        assert_eq!(ip("route").out.lines().count(), 1);
        // Of what is there already ip tells, and goes on.
        sh(&format!("ip route restore < {} || true", ours.display()));
        same(&ip("route").out, &before, "restored by ip");
        run(&flush);
        let saved = fs::read(&theirs).unwrap();
        let ran = run_with(&["route", "restore"], &saved);
        assert_eq!((ran.code, &*ran.err), (0, ""));
        same(&ip("route").out, &before, "restored by us");
        assert_eq!(run_with(&["route", "restore"], b"nothing").code, 255);
        assert_ne!(run_with(&["route", "restore"], &saved[..saved.len() - 2]).code, 0);
        fs::remove_file(ours).unwrap();
        fs::remove_file(theirs).unwrap();
    });
}

#[test]
fn addresses_are_saved_and_restored_by_both() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        quiet();
        sh("ip link set lo up; ip link add v0 type veth peer name v1; ip link set v0 up
            ip addr add 10.0.0.1/24 dev v0; ip addr add 2001:db8::1/64 dev v0 nodad
            ip addr add 10.9.0.1 peer 10.9.0.2/32 dev v0 label v0:x metric 7
            ip addr add 10.8.0.1/24 brd + dev v1 noprefixroute");
        let program = env!("CARGO_BIN_EXE_nlctl");
        let before = ip("-o addr").out;
        sh(&format!("{program} address save > /run/ours; ip address save > /run/theirs"));
        let shown = sh("ip address showdump < /run/ours");
        assert_eq!(shown, sh("ip address showdump < /run/theirs"));
        assert_eq!(shown, sh(&format!("{program} addr showdump < /run/theirs")));
        let json = |program: &str| value(&sh(&format!("{program} -j addr showdump < /run/ours")));
        assert_eq!(json(program), json("ip"));
        // Of what is there already ip tells, and goes on.
        for restore in [
            format!("{program} addr restore < /run/theirs"),
            "ip addr restore < /run/ours".to_owned(),
        ] {
            sh("ip addr flush dev v0 scope global; ip addr flush dev v1");
            assert!(!ip("-o addr").out.contains("10.8.0.1"));
            sh(&restore);
            same(&ip("-o addr").out, &before, &restore);
        }
        assert_eq!(
            sh(&format!("{program} addr save dev v1 | {program} -o addr showdump | wc -l")),
            "1\n"
        );
        assert_eq!(run_with(&["addr", "restore"], b"nothing").code, 255);
    });
}
