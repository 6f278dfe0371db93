//! What the kernel does to neighbours, rules and nexthop objects without a word, step by step.

mod common;

use common::{all, proven};
use nl_testkit::{live, need, sh};
use nl_watch::{Neighbours, Nexthops, Object, Rules, Watch};

/// After each step the mirror is the kernel's table.
fn follow<O: Object>(object: O, steps: &[&str]) {
    sh("ip link set lo up
        ip link add v0 type veth peer name v1; ip link add v2 type veth peer name v3
        for i in v0 v1 v2 v3; do ip link set $i up; done
        ip address add 10.0.0.1/24 dev v0; ip address add 10.1.0.1/24 dev v2
        ip address add 2001:db8::1/64 dev v0 nodad");
    let mut watch = Watch::open(object).unwrap();
    all(&mut watch);
    for step in steps {
        sh(step);
        proven(&mut watch, step);
    }
}

#[test]
fn neighbours() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        follow(
            Neighbours,
            &[
                "ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev v0",
                "ip neigh replace 10.0.0.9 lladdr 02:00:00:00:00:09 dev v0 protocol static",
                "ip neigh replace 10.0.0.9 lladdr 02:00:00:00:00:09 dev v0 extern_learn",
                "ip neigh replace 10.0.0.9 lladdr 02:00:00:00:00:0a dev v0 router",
                "ip neigh replace 10.0.0.9 lladdr 02:00:00:00:00:0a dev v0 nud stale",
                "ip neigh add 10.0.0.10 dev v0 use",
                "ip neigh add 10.0.0.11 dev v0 managed",
                "ip neigh replace 10.0.0.9 dev v0 use; sleep 1",
                "ip neigh add proxy 10.0.0.20 dev v0",
                "ip neigh replace 10.0.0.9 lladdr 02:00:00:00:00:0a dev v0 nud failed",
                "ip neigh add 2001:db8::9 lladdr 02:00:00:00:00:09 dev v0 nud noarp",
                "ip neigh replace 2001:db8::9 lladdr 02:00:00:00:00:09 dev v0 nud reachable",
                "ip link set v1 down; sleep 0.3",
                "ip link set v1 up; sleep 0.3",
                "ip neigh add 10.0.0.30 lladdr 02:00:00:00:00:09 dev v0; ip link del v0",
            ],
        );
    });
}

#[test]
fn rules() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        follow(
            Rules,
            &[
                "ip rule add from 10.0.0.1 goto 100 pref 10",
                "ip rule add blackhole pref 100",
                "ip rule del pref 100",
                "ip rule add iif w0 table 7 pref 20",
                "ip link add w0 type veth peer name w1",
                "ip link set w0 name w9",
                "ip link del w9",
                "ip -6 rule add from 2001:db8::/32 table 7",
                "ip rule add from 10.0.0.2 table 7; ip rule add from 10.0.0.2 table 7 || true",
                "ip rule flush; ip -6 rule flush",
            ],
        );
    });
}

#[test]
fn nexthops() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        follow(
            Nexthops::default(),
            &[
                "ip nexthop add id 1 via 10.0.0.2 dev v0; ip nexthop add id 2 via 10.1.0.2 dev v2",
                "ip nexthop add id 3 via 2001:db8::2 dev v0; ip nexthop add id 4 blackhole",
                "ip nexthop add id 10 group 1/2; ip nexthop add id 11 group 1,5/2,7 type resilient \
                 buckets 8",
                "ip nexthop replace id 10 group 1,9/2",
                "ip nexthop replace id 2 via 10.1.0.3 dev v2 proto static",
                "ip nexthop del id 1",
                "ip nexthop add id 1 via 10.0.0.2 dev v0; ip nexthop replace id 10 group 1/2",
                "ip link set v3 down; sleep 0.3",
                "ip link set v3 up; sleep 0.3",
                "ip link set v0 down",
                "ip link set v0 up; sleep 0.2; ip nexthop add id 5 via 10.0.0.2 dev v0",
                "ip link del v0",
                "ip nexthop flush",
            ],
        );
    });
}
