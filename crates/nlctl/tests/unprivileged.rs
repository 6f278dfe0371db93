//! Without `CAP_NET_ADMIN`: what only looks works all the same, and what changes or may not be seen
//! is refused in a line that names the remedy.

mod common;

use std::io::Read as _;
use std::process::{Command, Stdio};

use common::{Ran, nlctl};
use nl_testkit::{agree, listeners, live, need, quiet, sh, wait_until};

/// The program without any capability, though started by root of a namespace.
fn weak(arguments: &[&str]) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", env!("CARGO_BIN_EXE_nlctl")]);
    command.args(arguments);
    command
}

fn run_weak(line: &str) -> Ran {
    let arguments: Vec<_> = line.split(' ').collect();
    weak(&arguments).stdin(Stdio::null()).output().expect("setpriv starts").into()
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
            ip nexthop add id 5 via 192.0.2.9 dev v0");
        for line in [
            "link",
            "-d -j link show v0",
            "address",
            "-6 address",
            "route",
            "-6 -j route",
            "route get 198.51.100.1",
            "rule",
            "neigh",
            "nexthop",
        ] {
            let arguments: Vec<_> = line.split(' ').collect();
            let ours = || {
                let ran = run_weak(line);
                assert_eq!((ran.code, &*ran.err), (0, ""), "{line}");
                ran.out
            };
            let (weak, strong) = agree(ours, || nlctl(&arguments));
            assert_eq!(weak, strong, "{line}");
            assert!(!weak.is_empty(), "{line}");
        }
    });
}

#[test]
fn listening_needs_no_privilege() {
    live(|| {
        if !need(&["setpriv", "ip"]) {
            return;
        }
        let mut monitor = weak(&["monitor", "link"]).stdout(Stdio::piped()).spawn().unwrap();
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
        monitor.kill().unwrap();
        monitor.wait().unwrap();
    });
}

#[test]
fn what_needs_privilege_says_so() {
    live(|| {
        if !need(&["setpriv", "ip"]) {
            return;
        }
        sh("ip link set lo up");
        for (line, code) in [
            ("link add v0 type veth", 2),
            ("link set lo down", 2),
            ("address add 192.0.2.1/32 dev lo", 2),
            ("route add 192.0.2.0/24 dev lo", 2),
            ("rule add fwmark 7 lookup 100", 2),
            ("neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev lo", 2),
            ("nexthop add id 5 blackhole", 2),
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
