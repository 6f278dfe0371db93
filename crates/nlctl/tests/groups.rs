//! Multicast groups, tokens, virtual routers and words of tunnels beside ip(8), in namespaces of their own.
#![cfg(target_os = "linux")]

mod common;

use std::fs;

use common::beside::{agree, agree_json, words};
use common::{nlctl, run};
use nl_testkit::{live, need, quiet, sh};

/// What changes nothing, whether it makes sense or not.
const LINES: &str = "
maddr
maddress show
-4 maddr list
-6 maddr
-0 maddr
-M maddr
-o maddr
-c maddr
-s -d maddr
maddr show dev v0
maddr show v0
maddr show nope
maddr show v0 v1
maddr show dev v0 dev v1
maddr show dev v0 dev
token
-4 token
-c token
-o token list dev v1
token get dev v0
token get v0
token list dev lo
token list dev nope
token list dev
token set
token set ::1
token set dev v0
token set 192.0.2.1 dev v0
token set ::1 dev lo
token set ::1 dev nope
token del
token frob dev
vrf
vrf show
vrf s
vrf list nope
vrf show lo
tunnel add t0
tunnel add t0 mode foo
tunnel add t0 mode
";

#[test]
fn lists_and_refusals_are_those_of_ip() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        quiet();
        sh("ip link set lo up; ip link add v0 type veth peer name v1
            ip link set v0 up; ip addr add 192.0.2.1/24 dev v0
            ip maddr add 33:33:00:00:00:01 dev v0; ip maddr add 01:00:5e:00:00:07 dev v0");
        let frob = "token frob dev";
        for line in LINES.lines().filter(|line| !line.is_empty() && *line != frob) {
            agree(line);
        }
        assert_eq!(run(&words(frob)).code, 255);
        for line in
            ["-j maddr", "-j -o maddr show dev v0", "-j token", "-j token get dev v0", "-j vrf"]
        {
            agree_json(line);
        }
        let shown = nlctl(&["maddr", "show", "dev", "v0"]);
        assert!(shown.contains("\tlink  33:33:00:00:00:01 users 2 static\n"), "{shown}");
    });
}

#[test]
fn tokens_are_given_and_taken() {
    live(|| {
        if !need(&["ip"]) || fs::metadata("/proc/sys/net/ipv6").is_err() {
            return;
        }
        quiet();
        // Links that are switched off solicit nobody, but there must be solicitations for a token.
        sh("ip link add v0 type veth peer name v1");
        for link in ["v0", "v1"] {
            for (setting, value) in [("router_solicitations", "3"), ("accept_ra", "1")] {
                fs::write(format!("/proc/sys/net/ipv6/conf/{link}/{setting}"), value).unwrap();
            }
        }
        for (line, token) in [
            ("token set ::1a dev v0", "::1a"),
            ("token add ::1:2:3 ::9 dev v0 dev v1", "::1:2:3"),
            ("token delete dev v0", "::"),
            ("token set ::7/64 dev v0", "::7"),
            ("token del ::7 dev v0", "::7"),
        ] {
            assert_eq!(nlctl(&words(line)), "", "{line}");
            agree("token");
            assert_eq!(sh("ip token get dev v0"), format!("token {token} dev v0\n"), "{line}");
        }
        fs::write("/proc/sys/net/ipv6/conf/v1/accept_ra", "0").unwrap();
        agree("token set ::1 dev v1");
    });
}

/// Groups of another namespace are those of its own files.
#[test]
fn groups_of_other_namespaces() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh("ip netns add foo; ip -n foo link add only type veth peer name there");
        let here = nlctl(&["maddr"]);
        let there = nlctl(&["-n", "foo", "maddr"]);
        assert!(!here.contains("\tonly\n") && there.contains("\tonly\n"), "{here}{there}");
        assert_eq!(there, sh("ip -n foo maddr"));
    });
}
