//! VLANs, multicast groups and forwarding entries beside bridge(8), in namespaces of their own.
#![cfg(target_os = "linux")]

mod common;

use std::process::Command;

use common::beside::{same, value, words};
use common::{Ran, run};
use nl_testkit::{live, need, quiet, settle, sh, try_sh};

/// A bridge and a tunnel, without addresses that would make entries of their own.
const SETUP: &str = "
    ip link add br0 type bridge mcast_igmp_version 3
    ip link add v0 type veth peer name v1; ip link set v0 master br0
    ip link add x0 type vxlan id 7 dstport 4789 local 127.0.0.1
    for link in br0 v0 v1 x0; do ip link set $link addrgenmode none; ip link set $link up; done
    bridge fdb add 02:00:00:00:00:01 dev v0 master static
    bridge fdb add 02:00:00:00:00:02 dev v0 master dynamic
    bridge fdb add 02:00:00:00:00:03 dev v0 master permanent
    bridge fdb add 02:00:00:00:00:04 dev v0 master static sticky";

/// Entries, of which older kernels take some only.
const ENTRIES: [&str; 7] = [
    "bridge fdb append 02:00:00:00:00:05 dev x0 dst 10.0.0.1 port 99 vni 5 via v0",
    "bridge fdb append 00:00:00:00:00:00 dev x0 dst 10.0.0.2",
    "bridge mdb add dev br0 port v0 grp 239.1.1.1 permanent",
    "bridge mdb add dev br0 port v0 grp 239.1.1.2 temp",
    "bridge mdb add dev br0 port v0 grp ff05::1:3 permanent",
    "bridge mdb add dev br0 port v0 grp 239.1.1.7 src 10.0.0.1 permanent",
    "ip link set v0 type bridge_slave mcast_router 2",
];

const SHOW: &[&str] = &[
    "bridge fdb",
    "bridge fdb show dev v0",
    "bridge fdb show brport x0",
    "bridge fdb list br br0",
    "bridge fdb show state permanent",
    "bridge fdb show state static state stale",
    "bridge fdb show vlan 3",
    "bridge fdb show dynamic",
    "bridge fdb show dev nope",
    "bridge fdb show br nope",
    "bridge fdb show state nope",
    "bridge mdb",
    "bridge mdb show dev br0",
    "bridge mdb show dev v1",
    "bridge mdb show dev nope",
    "bridge vlan",
    "bridge vlan show dev v0",
    "bridge vlan show dev nope",
];

/// What bridge gives; `line` is nlctl's.
fn theirs(options: &str, line: &str) -> Ran {
    let line = format!("{options}{}", line.strip_prefix("bridge ").unwrap());
    Command::new("bridge").args(words(&line)).env("LC_ALL", "C").output().unwrap().into()
}

#[test]
fn what_bridges_know_is_shown_as_bridge_shows_it() {
    live(|| {
        if !need(&["ip", "bridge"]) {
            return;
        }
        quiet();
        sh("for all in all default; do
                echo 1 > /proc/sys/net/ipv6/conf/$all/disable_ipv6
            done 2>/dev/null || true");
        if let Err(error) = try_sh(SETUP) {
            return nl_testkit::skip(&error);
        }
        for line in ENTRIES {
            let _ = try_sh(line);
        }
        settle();
        for line in SHOW {
            // The details of VLANs are another list.
            let forms: &[&str] = if line.contains("vlan") {
                &["", "-o "]
            } else {
                &["", "-d ", "-o ", "-c ", "-s "]
            };
            for options in forms {
                let what = format!("{options}{line}");
                let first = |ran: Ran| {
                    let err = ran.err.lines().find(|line| !line.is_empty()).unwrap_or_default();
                    (ran.code == 0, steady(&ran.out), err.to_owned())
                };
                let (ours, theirs) = nl_testkit::agree(
                    || first(run(&words(&what))),
                    || first(theirs(options, line)),
                );
                assert_eq!((ours.0, ours.2), (theirs.0, theirs.2), "{what}");
                same(&ours.1, &theirs.1, &what);
            }
            if line.contains("nope") {
                continue;
            }
            let options = if line.contains("vlan") { "-j " } else { "-j -d " };
            let (ours, theirs) = nl_testkit::agree(
                || value(&run(&words(&format!("{options}{line}"))).out),
                || value(&theirs(options, line).out),
            );
            assert_eq!(ours, theirs, "{options}{line}");
        }
    });
}

/// Without what counts down or up: timers and times of use.
fn steady(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let mut words: Vec<&str> = line.split(' ').collect();
        for word in &mut words {
            let number = word.split(['.', '/']).all(|part| part.parse::<u32>().is_ok());
            if number && word.contains(['.', '/']) && word.matches('.').count() < 2 {
                *word = "N";
            }
        }
        words.join(" ") + "\n"
    });
    lines.collect()
}
