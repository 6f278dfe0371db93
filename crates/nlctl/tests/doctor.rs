//! What the doctor says of private namespaces.
#![cfg(target_os = "linux")]

mod common;

use common::{Ran, nlctl, run};
use nl_testkit::{live, need, sh, tool};
use serde_json::Value;

/// State, finding and remedy of a check.
fn check(checks: &Value, name: &str) -> (String, String, Option<String>) {
    let found = checks.as_array().unwrap().iter().find(|check| check["check"] == name);
    let found = found.unwrap_or_else(|| panic!("no {name} in {checks}"));
    let text = |key: &str| found[key].as_str().map(str::to_owned);
    (text("state").unwrap(), text("found").unwrap(), text("remedy"))
}

fn examine(arguments: &[&str]) -> (i32, Value) {
    let Ran { code, out, err } = run(&[&["-j"], arguments].concat());
    assert_eq!(err, "");
    (code, serde_json::from_str(&out).unwrap())
}

#[test]
fn root_of_a_namespace_lacks_nothing() {
    live(|| {
        sh("sysctl -qw net.netfilter.nf_conntrack_events=1 net.netfilter.nf_conntrack_acct=0");
        let (code, checks) = examine(&["doctor"]);
        assert_eq!(code, 0, "{checks}");
        for name in ["NETLINK_ROUTE", "NETLINK_NETFILTER", "nf_conntrack_netlink", "CAP_NET_ADMIN"]
        {
            assert_eq!(check(&checks, name).0, "ok", "{checks}");
        }
        assert_eq!(check(&checks, "NETLINK_ROUTE").1, "answers: 1 links");
        assert_eq!(check(&checks, "events of all namespaces").0, "ok");
        let (state, found, remedy) = check(&checks, "nf_conntrack_acct");
        assert_eq!((&*state, &found[..2]), ("warn", "0:"));
        assert_eq!(remedy.unwrap(), "sysctl -w net.netfilter.nf_conntrack_acct=1");
        // Root of the host alone may have any buffer.
        assert!(check(&checks, "receive buffer").1.contains("SO_RCVBUFFORCE refused"));
        let release = sh("uname -r");
        assert_eq!(check(&checks, "kernel").1, format!("Linux {}", release.trim()));

        // What it asks for leaves no trace.
        let before = sh("sysctl -a --pattern netfilter 2>/dev/null; ip -s link; ip route");
        let text = nlctl(&["doctor"]);
        assert_eq!(before, sh("sysctl -a --pattern netfilter 2>/dev/null; ip -s link; ip route"));
        let warnings =
            checks.as_array().unwrap().iter().filter(|check| check["remedy"].is_string());
        assert_eq!(text.matches(" -> ").count(), warnings.count(), "{text}");
        assert!(text.contains("\nok       NETLINK_ROUTE            answers: 1 links\n"), "{text}");
    });
}

#[test]
fn what_is_missing_decides_the_exit_code() {
    live(|| {
        sh("sysctl -qw net.netfilter.nf_conntrack_events=0");
        let (code, checks) = examine(&["doctor"]);
        assert_eq!(code, 1);
        let (state, found, remedy) = check(&checks, "nf_conntrack_events");
        assert_eq!((&*state, &*found), ("missing", "0: never any event"));
        sh(&remedy.unwrap());
        assert_eq!(examine(&["doctor"]).0, 0);
    });
}

#[test]
fn another_namespace_can_be_examined() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh("ip netns add there
            ip netns exec there sysctl -qw net.netfilter.nf_conntrack_events=0
            sysctl -qw net.netfilter.nf_conntrack_events=1");
        assert_eq!(examine(&["doctor"]).0, 0);
        let (code, checks) = examine(&["-n", "there", "doctor"]);
        assert_eq!((code, &*check(&checks, "nf_conntrack_events").0), (1, "missing"));
        let ran = run(&["-n", "nowhere", "doctor"]);
        assert_eq!((ran.code, &*ran.out), (255, ""), "{}", ran.err);
    });
}

#[test]
fn without_privilege_the_remedies_are_told() {
    live(|| {
        if !need(&["setpriv"]) {
            return;
        }
        let nlctl = env!("CARGO_BIN_EXE_nlctl");
        let script =
            format!("setpriv --bounding-set=-all --inh-caps=-all {nlctl} -j doctor || echo $?");
        let text = tool("sh", &["-c", &script]);
        let (checks, code) = text.trim_end().rsplit_once('\n').unwrap();
        assert_eq!(code, "1");
        let checks: Value = serde_json::from_str(checks).unwrap();
        assert_eq!(check(&checks, "NETLINK_ROUTE").0, "ok");
        for name in ["CAP_NET_ADMIN", "nf_conntrack_netlink"] {
            let (state, _, remedy) = check(&checks, name);
            assert_eq!(state, "missing", "{checks}");
            assert!(remedy.unwrap().starts_with("run as root"), "{checks}");
        }
        for name in ["entering namespaces", "events of all namespaces", "nf_tables"] {
            assert_eq!(check(&checks, name).0, "warn", "{checks}");
        }
    });
}

#[test]
fn words_are_refused() {
    let ran = run(&["doctor", "who\u{1b}"]);
    assert_eq!(
        (ran.code, &*ran.err),
        (255, "Argument \"who\\x1b\" is unknown, try \"nlctl doctor help\".\n")
    );
}
