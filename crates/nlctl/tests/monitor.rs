//! Events beside ip(8) and tc(8), in namespaces of their own.
#![cfg(target_os = "linux")]

mod common;

use std::process::Command;

use common::beside::{same, value, words};
use common::command;
use common::listening::{Listening, both_tell, program};
use nl_testkit::{listeners, live, need, quiet, sh, wait_until};
use serde_json::Value;

const LINKS: &str = "ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up
    ip link set lo up; ip addr add 10.0.0.1/24 dev v0; ip addr add 2001:db8::1/64 dev v0 nodad";

/// Changes of everything that ip tells of, and back again. `NAME` is another one each time.
const CHANGES: &str = "echo 1 > /proc/sys/net/ipv4/conf/v0/forwarding
    echo 1 > /proc/sys/net/ipv6/conf/v1/forwarding; echo 2 > /proc/sys/net/ipv4/conf/v0/rp_filter
    ip netns add NAME; ip netns set NAME 7; ip -n NAME link set lo up
    ip link set v1 mtu 1400; ip link add NAME type bridge; ip link set NAME up
    ip addr add 10.9.0.1/24 dev NAME; ip addr del 10.9.0.1/24 dev NAME
    ip nexthop add id 1 via 10.0.0.2 dev v0; ip nexthop add id 2 via 10.0.0.3 dev v0
    ip nexthop add id 3 group 1/2; ip nexthop add id 4 group 1/2 type resilient buckets 2
    ip route add 10.8.0.0/16 nhid 2; ip route replace 10.8.0.0/16 via 10.0.0.9
    ip route add 10.7.0.0/16 nexthop via 10.0.0.2 nexthop via 10.0.0.3 dev v0
    ip -6 route add 2001:db8:5::/48 dev v0; ip -6 route del 2001:db8:5::/48 dev v0
    ip route del 10.8.0.0/16; ip route del 10.7.0.0/16; ip nexthop flush
    ip neigh add 10.0.0.7 lladdr 2:0:0:0:0:7 dev v0; ip neigh del 10.0.0.7 dev v0
    ip rule add from 10.0.0.0/8 table 77; ip -6 rule add from 2001:db8::/32 table 7
    ip rule del table 77; ip -6 rule del table 7
    echo 0 > /proc/sys/net/ipv4/conf/v0/forwarding; echo 0 > /proc/sys/net/ipv6/conf/v1/forwarding
    echo 0 > /proc/sys/net/ipv4/conf/v0/rp_filter; ip link set v1 mtu 1500";

#[test]
fn everything_is_told_as_ip_tells_it() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        quiet();
        sh(LINKS);
        let lines = [
            "monitor",
            "monitor all",
            "-d monitor label",
            "-s monitor",
            "-o monitor label",
            "-4 monitor",
            "-6 monitor all",
            "monitor dev v0",
            "monitor label all-nsid",
            "monitor netconf rule",
            "monitor nsid rule label",
            "-d monitor nexthop route rule",
        ];
        for (index, line) in lines.into_iter().enumerate() {
            let name = format!("n{index}");
            let family = if line.starts_with("-6") { "-6" } else { "-4" };
            let mark = |pref| {
                sh(&format!(
                    "ip {family} rule add pref {pref} table 7; ip {family} rule del pref {pref}"
                ));
            };
            let [ours, theirs, json] =
                both_tell(line, mark, || drop(sh(&CHANGES.replace("NAME", &name))));
            same(&ours, &theirs, line);
            assert!(ours.lines().count() > 1, "{line}: {ours}");
            let told: Vec<Value> = json.lines().map(value).collect();
            assert!(told.iter().all(|item| item["object"].is_object()), "{line}");
            let foreign = told.iter().filter(|item| item["nsid"] == 7).count();
            assert_eq!(foreign > 0, line.contains("all-nsid"), "{line}");
            sh(&format!("ip link del {name}; ip netns del {name}"));
            wait_until("the id to be free", || sh("ip netns list-id").is_empty());
        }
    });
}

#[test]
fn times_stand_before_events() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        let short = Listening::start(command(&["-ts", "monitor", "rule", "--all-netns"]), "short");
        let long = Listening::start(command(&["-t", "monitor", "rule"]), "long");
        let theirs = Listening::start(program("ip", "-ts monitor rule"), "theirs");
        let long_theirs = Listening::start(program("ip", "-t monitor rule"), "long_theirs");
        wait_until("four that listen", || listeners(0, 0x80) == 4);
        wait_until("ours", || listeners(0, 0x81) == 2);
        // ip forgets what comes while it lists links at first.
        let all = [&short, &long, &theirs, &long_theirs];
        wait_until("all to tell", || {
            sh("ip rule add pref 777 table 7; ip rule del pref 777");
            all.iter().all(|listening| listening.said().contains("Deleted "))
        });
        // Digits are other ones, a second later, or a day.
        let shape = |text: &str| -> String {
            let blank = |c: char| if c.is_ascii_digit() { '0' } else { c };
            text.replace("[nsid current]", "").chars().map(blank).collect()
        };
        assert!(short.said().contains("] [nsid current]777:\t"), "{}", short.said());
        let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        assert_eq!(shape(&first(&short.said())), shape(&first(&theirs.said())));
        // So are names of days and months, and how many digits microseconds have.
        let words = |text: &str| first(text).split(' ').count();
        assert_eq!(words(&long.said()), words(&long_theirs.said()), "{}", long.said());
        assert!(long.said().starts_with("Timestamp: ") && long.said().contains(" usec\n777:\t"));
    });
}

#[test]
fn disciplines_and_classes_are_told_as_tc_tells_them() {
    live(|| {
        if !need(&["ip", "tc"]) {
            return;
        }
        quiet();
        sh(LINKS);
        let theirs = Listening::start(program("tc", "monitor"), "theirs");
        let ours = Listening::start(command(&["monitor", "qdisc", "class"]), "ours");
        wait_until("two that listen", || listeners(0, 0x8) == 2 && listeners(0, 0x9) == 1);
        // tc forgets what comes while it lists links at first.
        wait_until("all to tell", || {
            sh("tc qdisc add dev lo root handle 9: pfifo; tc qdisc del dev lo root");
            [&theirs, &ours]
                .iter()
                .all(|listening| listening.said().contains("deleted qdisc pfifo 9:"))
        });
        sh("tc qdisc add dev v0 root handle 1: pfifo limit 7
            tc qdisc replace dev v0 root handle 1: pfifo limit 8
            tc qdisc change dev v0 root handle 1: pfifo limit 9
            tc qdisc add dev v1 clsact; tc qdisc del dev v1 clsact
            tc qdisc add dev v1 handle 2: root bfifo limit 20480; tc qdisc del dev v1 root
            tc qdisc del dev v0 root");
        let last = "deleted qdisc pfifo 1:";
        for listening in [&theirs, &ours] {
            wait_until(last, || {
                listening.said().contains(last) && listening.said().ends_with('\n')
            });
        }
        let changed = |said: String| -> String {
            let lines = said.split_inclusive('\n').filter(|line| !line.contains(" dev lo "));
            lines.collect()
        };
        same(&changed(ours.said()), &changed(theirs.said()), "monitor qdisc class");
        assert!(changed(ours.said()).lines().count() >= 9, "{}", ours.said());
    });
}

#[test]
fn words_and_refusals_are_those_of_ip() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        for line in ["monitor x", "monitor dev nope", "monitor dev", "monitor d v0"] {
            let run = |mut command: Command| {
                let output = command.env("LC_ALL", "C").output().unwrap();
                let said = String::from_utf8(output.stderr).unwrap();
                (
                    output.status.code(),
                    said.lines().next().unwrap_or_default().replace("nlctl", "ip"),
                )
            };
            assert_eq!(run(command(&words(line))), run(program("ip", line)), "{line}");
        }
    });
}
