//! Neighbours, rules and nexthop objects beside ip(8), in namespaces of their own.
#![cfg(target_os = "linux")]

mod common;

use common::beside::{agree, agree_json, ip, same, value, words};
use common::listening::both_tell;
use common::{Ran, run};
use nl_testkit::{linux, live, need, quiet, settle, sh};

/// Links, so that they have no addresses that chance chose.
const LINKS: &str = "ip link set lo up
    ip link add v0 type veth peer name v1; ip link add br0 type bridge
    for link in v0 v1 br0; do
        echo 1 > /proc/sys/net/ipv6/conf/$link/addr_gen_mode; ip link set $link up
    done
    ip addr add 10.0.0.1/24 dev v0; ip addr add 2001:db8::1/64 dev v0 nodad
    # Some kernels let a namespace inherit those that an earlier one left behind.
    ip neigh show proxy | while read address rest; do ip neigh del proxy $address || true; done";

fn links() {
    quiet();
    sh(LINKS);
    settle();
}

/// Changes, in an order in which all succeed.
const CHANGES: &[&str] = &[
    "neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev v0",
    "neighbor add 10.0.0.10 lladdr 2:0:0:0:0:a dev v0 nud stale protocol static",
    "neigh replace 10.0.0.10 lladdr 2:0:0:0:0:b dev v0",
    "neigh change 10.0.0.10 lladdr 2:0:0:0:0:c dev v0 nud noarp",
    "neigh add 10.0.0.11 lladdr 2:0:0:0:0:d dev v0 extern_learn",
    "neigh add proxy 10.0.0.20 dev v0",
    "neigh add proxy 10.0.0.21",
    "-6 neigh add 2001:db8::9 lladdr 2:0:0:0:0:d dev v0 router",
    "neigh del 10.0.0.9 dev v0",
    "neigh del proxy 10.0.0.21",
    "rule add from 10.0.0.0/8 table 100 pref 10",
    "rule add not to 10.1.2.3 lookup main pref 11",
    "rule add fwmark 0x10/0xff iif v0 oif v1 table 5000 pref 13",
    "rule add ipproto tcp sport 80 dport 1000-2000 table 7",
    "rule add from 10.0.0.1 goto 30 pref 20",
    "rule add blackhole pref 23",
    "-6 rule add from 2001:db8::/32 table 100 pref 10",
    "rule del pref 23",
    "rule del from 10.0.0.0/8",
    "nexthop add id 1 via 10.0.0.2 dev v0",
    "nexthop add id 2 via 10.0.0.3 dev v0 proto static",
    "-6 nexthop add id 3 blackhole",
    "nexthop add id 4 via 2001:db8::2 dev v0 onlink",
    "nexthop add id 10 group 1,5/2",
    "nexthop add id 11 group 1/2 type resilient buckets 4 idle_timer 60",
    "nexthop replace id 2 via 10.0.0.4 dev v0",
    "nexthop replace id 10 group 1/2,7",
    "nexthop del id 3",
];

/// What shows all of it.
const SHOW: &[&str] = &[
    "neigh",
    "neigh show nud all",
    "-4 neigh list nud permanent",
    "-6 neigh",
    "n show dev v0",
    "neigh show proxy",
    "neigh show 10.0.0.0/24 nud noarp",
    "neigh get 10.0.0.10 dev v0",
    "neigh get proxy 10.0.0.20 dev v0",
    "rule",
    "ru ls",
    "-6 rule show",
    "rule show table 7",
    "rule list iif v0",
    "nexthop",
    "nex list",
    "-6 nexthop",
    "nexthop list groups",
    "nexthop show dev v0",
    "nexthop list id 10",
    "nexthop get id 11",
];

/// What is asked in vain, and what makes no sense.
const REFUSED: &[&str] = &[
    "neigh add 10.0.0.10 lladdr 2:0:0:0:0:a dev v0",
    "neigh add 10.0.0.9",
    "neigh add 10.0.0.9 dev nope",
    "neigh add x dev v0",
    "neigh change 10.0.0.99 dev v0",
    "neigh del 10.0.0.99 dev v0",
    "neigh get 10.0.0.99 dev v0",
    "neigh get",
    "neigh flush",
    "neigh show dev nope",
    "neigh show nud x",
    "rule add bogus",
    "rule add from x",
    "rule del from 99.0.0.0/8",
    "rule add not to 10.1.2.3 lookup main pref 11",
    "rule show bogus",
    "rule add l3mdev table 5",
    "nexthop add id 1 via 10.0.0.2 dev v0",
    "nexthop add id 50 via 10.0.0.2 dev nope",
    "nexthop add id 50 group 99",
    "nexthop del id 99",
    "nexthop del",
    "nexthop get id 99",
    "nexthop list id 99",
    "nexthop flush id 99",
    "nexthop list bogus",
    "nexthop bucket list bogus",
];

/// All that ip shows of it, without the groups that links join and the order of hash tables.
fn shown() -> String {
    let mut lines: Vec<_> = SHOW
        .iter()
        .flat_map(|line| {
            let ran = ip(line);
            let text = format!("exit code {}\n{}", ran.code, ran.out);
            text.lines().map(|text| format!("{line}: {text}\n")).collect::<Vec<_>>()
        })
        .filter(|line| !line.contains("224.0.0.") && !line.contains("ff02::"))
        .collect();
    lines.sort();
    lines.concat()
}

/// Everything gone but the rules that there are at first.
const CLEAN: &str = "ip neigh flush all nud all; ip neigh flush all nud noarp
    ip neigh flush proxy; ip nexthop flush; ip rule flush; ip -6 rule flush
    ip rule add table main pref 32766 proto kernel; ip rule add table default pref 32767 proto kernel
    ip -6 rule add table main pref 32766 proto kernel";

#[test]
fn changes_lists_and_refusals_are_those_of_ip() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        // Each in a namespace of its own, seen by ip.
        let tables = |change: &dyn Fn(&str) -> Ran| -> Vec<String> {
            links();
            let mut seen = Vec::new();
            for line in CHANGES {
                let ran = change(line);
                assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line}");
                seen.push(format!("{line}\n{}", shown()));
            }
            seen
        };
        let theirs = tables(&|line| ip(line));
        sh(CLEAN);
        sh("ip link del v0; ip link del br0");
        let ours = tables(&|line| run(&words(line)));
        for (ours, theirs) in ours.iter().zip(&theirs) {
            same(ours, theirs, "after each change");
        }
        for line in SHOW {
            for options in
                ["", "-d ", "-s ", "-d -s -s ", "-j ", "-j -d ", "-j -s -p ", "-c ", "-N -d "]
            {
                let line = format!("{options}{line}");
                if line.contains("-s") && line.contains("nexthop get") {
                    // Younger than the oldest ip that this shall agree with, and than some kernels.
                    let code = if linux() < (6, 9) { 2 } else { 0 };
                    assert_eq!(run(&words(&line)).code, code, "{line}");
                    continue;
                }
                if !options.contains('j') {
                    agree(&line);
                    continue;
                }
                if line.contains("neigh get") {
                    // ip knows no JSON of it.
                    continue;
                }
                agree_json(&line);
            }
        }
        let both = |line: &str| {
            let told = |ran: Ran| {
                let first = ran.err.lines().next().unwrap_or_default().to_owned();
                format!("{line}: {} {first} {}", ran.code, ran.out)
            };
            (told(run(&words(line))), told(ip(line)))
        };
        let (ours, theirs): (Vec<_>, Vec<_>) = REFUSED.iter().map(|line| both(line)).unzip();
        assert_eq!(ours, theirs);
        assert!(run(&words("neigh fdb dev v0")).out.contains("lladdr 33:33:00:00:00:01"));
        assert_eq!(run(&words("nexthop bucket list id 11")).out.lines().count(), 4);
        assert!(run(&words("nexthop bucket get id 11 index 2")).out.contains("index 2 "));
        assert_eq!(run(&words("neigh fdb dev nope")).code, 1);
    });
}

#[test]
fn what_is_flushed_is_gone() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        links();
        let make = || {
            for line in CHANGES {
                assert_eq!(ip(line).code, 0, "{line}");
            }
            sh(
                "for i in 1 2 3; do ip neigh add 10.0.0.3$i lladdr 2:0:0:0:0:$i dev v0 nud stale; done",
            );
        };
        for line in [
            "neigh flush all",
            "neigh flush dev v0",
            "-s neigh flush dev v0",
            "-s -s neigh flush 10.0.0.0/24",
            "-s neigh flush nud permanent",
            "neigh flush proxy",
            "-s neigh flush nud all",
            "rule flush from 10.0.0.0/8",
            "rule flush table 7",
            "-6 rule flush",
            "nexthop flush groups",
            "nexthop flush dev v0",
            "nexthop flush id 4",
            "nexthop flush",
        ] {
            let mut seen = Vec::new();
            let ours = |line: &str| run(&words(line));
            for change in [&ip as &dyn Fn(&str) -> Ran, &ours] {
                make();
                let ran = change(line);
                assert_eq!(ran.code, 0, "{line}: {}", ran.err);
                // Again, so that there is nothing left.
                let again = change(line);
                seen.push(format!("{}{}{}", ran.out, again.out, shown()));
                sh(CLEAN);
            }
            // Without the seconds since each was used, confirmed and updated.
            let ageless = |line: &str| {
                let (before, ages) = line.split_once(" used ")?;
                Some(
                    before.to_owned()
                        + ages.trim_start_matches(|c: char| "0123456789/".contains(c)),
                )
            };
            let lines = |text: &str| {
                let lines = text.lines().map(|line| ageless(line).unwrap_or(line.to_owned()));
                let mut lines: Vec<_> = lines.collect();
                lines.sort();
                lines
            };
            assert_eq!(lines(&seen[1]), lines(&seen[0]), "{line}");
        }
    });
}

#[test]
fn events_are_those_of_ip() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        links();
        for line in [
            "monitor neigh rule nexthop",
            "-d monitor rule nexthop neigh",
            "monitor label neigh rule nexthop",
            "-6 monitor neigh rule nexthop",
            "-4 monitor rule",
        ] {
            let family = if line.starts_with("-6") { "-6" } else { "-4" };
            let mark = |pref| {
                sh(&format!(
                    "ip {family} rule add pref {pref} table 7; ip {family} rule del pref {pref}"
                ));
            };
            let [ours, theirs, json] = both_tell(line, mark, || {
                for change in CHANGES {
                    assert_eq!(ip(change).code, 0, "{change}");
                }
                sh(CLEAN);
            });
            assert!(theirs.lines().count() > 2, "{line}: {theirs}");
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
