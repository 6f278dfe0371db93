//! Without `CAP_NET_ADMIN`: what only looks works all the same, and what changes or may not be seen
//! is refused in a line that names the remedy.

mod common;

use std::io::Read as _;
use std::process::{Command, Stdio};

use common::{Ran, command, fixture};
use nl_testkit::{Running, agree, listeners, live, need, quiet, sh, wait_until};

/// The program without any capability, though started by root of a namespace.
fn weak(arguments: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", env!("CARGO_BIN_EXE_nlctl")]);
    command.args(arguments);
    command
}

fn run_weak(line: &str) -> Ran {
    let arguments: Vec<_> = line.split(' ').collect();
    let ran = weak(&arguments).stdin(Stdio::null()).output().expect("setpriv starts");
    // What is saved is no text.
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = ran.status.code().unwrap_or(-1);
    Ran { code, out: text(&ran.stdout), err: text(&ran.stderr) }
}

#[test]
fn looking_needs_no_privilege() {
    live(|| {
        if !need(&["setpriv", "ip"]) {
            return;
        }
        quiet();
        sh("ip link set lo up
            ip link add v0 type veth peer name v1
            ip link set v0 up; ip link set v1 up
            ip address add 192.0.2.1/24 dev v0
            ip address add 2001:db8::1/64 dev v0 nodad
            ip route add 198.51.100.0/24 via 192.0.2.9
            ip rule add fwmark 7 lookup 100
            ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev v0
            ip nexthop add id 5 via 192.0.2.9 dev v0
            ip netns add n
            ip netns set n 7");
        for line in [
            "link",
            "-d -j link show v0",
            "address",
            "-6 address",
            "route",
            "-6 -j route",
            "route get 198.51.100.1",
            "rule",
            "rule show table 100",
            "neigh",
            "neigh get 192.0.2.9 dev v0",
            "nexthop",
            "nexthop get id 5",
            "addrlabel",
            "addrlabel get 2001:db8::1",
            "ntable show dev v0",
            "netns",
            "netns list-id",
            "netconf",
            "qdisc",
            "address save",
            "route save",
            "rule save",
            "-j -br address",
        ] {
            let arguments: Vec<_> = line.split(' ').collect();
            let ours = || {
                let ran = run_weak(line);
                assert_eq!((ran.code, &*ran.err), (0, ""), "{line}");
                ran.out
            };
            let theirs = || {
                let ran = command(&arguments).output().expect("it starts");
                String::from_utf8_lossy(&ran.stdout).into_owned()
            };
            let (weak, strong) = agree(ours, theirs);
            assert_eq!(weak, strong, "{line}");
            assert!(!weak.is_empty(), "{line}");
        }
        // There is nothing of these, which is no failure.
        for line in ["mroute", "class show dev v0", "nexthop bucket"] {
            let ran = run_weak(line);
            assert_eq!((ran.code, &*ran.out, &*ran.err), (0, "", ""), "{line}");
        }
        // What is wanting is told, with the remedy; so is what a capture holds.
        let doctor = run_weak("doctor");
        assert_eq!((doctor.code, &*doctor.err), (1, ""));
        for wanted in ["missing  CAP_NET_ADMIN", "ok       NETLINK_ROUTE", "setcap"] {
            assert!(doctor.out.contains(wanted), "{wanted}: {}", doctor.out);
        }
        let file = "/run/capture";
        std::fs::write(file, nl_testkit::fixture(fixture("route.hex"))).unwrap();
        let decoded = run_weak(&format!("decode --protocol route {file}"));
        assert_eq!((decoded.code, &*decoded.err), (0, ""));
        assert!(decoded.out.lines().count() > 10, "{}", decoded.out);
    });
}

/// Each kind of object that can be followed, and what changes one.
const FOLLOWED: [(&str, &str, &str); 9] = [
    ("link", "ip link set v0 mtu 1400", "ip link set v0 mtu 1500"),
    ("address", "ip address add 192.0.2.7/32 dev v0", "ip address del 192.0.2.7/32 dev v0"),
    ("route", "ip route add 203.0.113.0/24 dev v0", "ip route del 203.0.113.0/24 dev v0"),
    (
        "neigh",
        "ip neigh add 192.0.2.8 lladdr 02:00:00:00:00:08 dev v0",
        "ip neigh del 192.0.2.8 dev v0",
    ),
    ("rule", "ip rule add fwmark 9 lookup 100", "ip rule del fwmark 9 lookup 100"),
    ("nexthop", "ip nexthop add id 9 blackhole", "ip nexthop del id 9"),
    (
        "netconf",
        "echo 1 > /proc/sys/net/ipv4/conf/v0/forwarding",
        "echo 0 > /proc/sys/net/ipv4/conf/v0/forwarding",
    ),
    ("nsid", "ip netns add n; ip netns set n 9", "ip netns del n"),
    ("qdisc", "tc qdisc add dev v0 root pfifo", "tc qdisc del dev v0 root"),
];

#[test]
fn every_kind_of_object_can_be_followed_without_privilege() {
    live(|| {
        if !need(&["setpriv", "ip", "tc"]) {
            return;
        }
        quiet();
        sh("ip link set lo up
            ip link add v0 type veth peer name v1
            ip link set v0 up; ip link set v1 up; ip address add 192.0.2.1/24 dev v0");
        let heard = |name: &str| std::fs::read_to_string(format!("/run/{name}")).unwrap();
        let mut monitors = Vec::new();
        for (name, ..) in FOLLOWED {
            let file = std::fs::File::create(format!("/run/{name}")).unwrap();
            monitors.push(Running::start(weak(&["monitor", name]).stdout(file)));
        }
        for (name, change, back) in FOLLOWED {
            // When it listens it tells what happens.
            wait_until(name, || {
                sh(change);
                sh(back);
                !heard(name).is_empty()
            });
        }
        for monitor in &mut monitors {
            assert!(monitor.try_wait().unwrap().is_none(), "a monitor ended");
        }
    });
}

#[test]
fn listening_needs_no_privilege() {
    live(|| {
        if !need(&["setpriv", "ip"]) {
            return;
        }
        let mut monitor = Running::start(weak(&["monitor", "link"]).stdout(Stdio::piped()));
        wait_until("the monitor", || listeners(0, 1) > 0);
        sh("ip link add v0 type veth peer name v1");
        let mut heard = String::new();
        let mut out = monitor.stdout.take().unwrap();
        while !heard.contains(": v0@v1: ") {
            let mut bytes = [0; 4096];
            let length = out.read(&mut bytes).unwrap();
            assert_ne!(length, 0, "the monitor ended: {heard}");
            heard += &String::from_utf8_lossy(&bytes[..length]);
        }
    });
}

#[test]
fn what_needs_privilege_says_so() {
    live(|| {
        if !need(&["setpriv", "ip"]) {
            return;
        }
        sh("ip link set lo up; ip netns add n");
        for (line, code) in [
            ("link add v0 type veth", 2),
            ("link set lo down", 2),
            ("address add 192.0.2.1/32 dev lo", 2),
            ("route add 192.0.2.0/24 dev lo", 2),
            ("rule add fwmark 7 lookup 100", 2),
            ("neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev lo", 2),
            ("nexthop add id 5 blackhole", 2),
            ("link property add dev lo altname x", 2),
            ("addrlabel add prefix 2001:db8::/32 label 9", 2),
            ("ntable change name arp_cache thresh1 7", 2),
            ("qdisc add dev lo root pfifo", 2),
            ("netns set n 7", 2),
            ("--netns n link", 1),
            ("conntrack timeout", 1),
            ("nat watch", 1),
            ("metrics", 1),
            ("conntrack -L", 1),
            ("conntrack -L expect", 1),
            ("conntrack -E", 1),
            ("conntrack -S", 1),
            ("conntrack -C", 1),
            ("conntrack -F", 1),
            ("conntrack -D -p tcp", 1),
            ("conntrack watch", 1),
            ("nat list", 1),
        ] {
            let ran = run_weak(line);
            assert_eq!((ran.code, &*ran.out), (code, ""), "{line}: {}", ran.err);
            assert_eq!(ran.err.trim_end().lines().count(), 1, "{line}: {}", ran.err);
            assert!(ran.err.contains("CAP_NET_ADMIN"), "{line}: {}", ran.err);
        }
        // Nothing of that was done.
        assert!(!sh("ip link; ip rule; ip address; ip route").contains("192.0.2."));
        assert!(sh("ip link show lo").contains("LOWER_UP"));
    });
}
