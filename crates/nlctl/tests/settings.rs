//! Address labels, settings of interfaces, neighbour tables and namespace ids beside ip(8), queueing
//! disciplines and classes beside tc(8), in namespaces of their own.
#![cfg(target_os = "linux")]

mod common;

use std::process::Command;

use common::beside::{agree, agree_json, ip, same, value, words};
use common::{Ran, nlctl, run};
use nl_testkit::{live, need, quiet, sh, try_sh};

/// Links whose packets are few, and namespaces with names and ids.
const SETUP: &str = "ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up
    ip link set lo up; ip addr add 10.0.0.1/24 dev v0
    ip netns add foo; ip netns add bar; ip netns set foo 4";

/// Changes, in an order in which all succeed.
const CHANGES: &[&str] = &[
    "addrlabel add prefix 2001:db8::/32 dev v0 label 77",
    "addrlabel add prefix 2001:db8:1::/48 label 0x12",
    "addrl add prefix 2001:db8:2::1 label 9",
    "addrlabel del prefix 2001:db8:1::/48 label 0x12",
    "ntable change name arp_cache dev v0 queue 9",
    "ntable chg name arp_cache dev v0 retrans 900 ucast_probes 5 gc_stale 70000",
    "-6 ntable change name ndisc_cache dev v1 locktime 4 delay_probe 6000 proxy_queue 7 app_probes 1",
    "netns set bar 9",
];

/// What shows all of it.
const SHOW: &[&str] = &[
    "addrlabel",
    "addrl list",
    "netconf",
    "-4 netconf",
    "-6 netconf show dev v1",
    "netc show dev lo",
    "ntable",
    "-6 nt show",
    "ntable show dev v0",
    "ntable show name ndisc_cache dev lo",
    "ntable show name nope",
    "netns list-id",
    "netns list-id nsid 4",
    "netns list-id target-nsid 4",
];

/// What is asked in vain, and what makes no sense.
const REFUSED: &[&str] = &[
    "addrlabel add",
    "addrlabel add prefix 2001:db8:3::/48",
    "addrlabel add prefix 2001:db8::/32 label x",
    "addrlabel add prefix 2001:db8::/32 dev v0 label 5",
    "addrlabel add prefix 10.0.0.0/8 label 3",
    "addrlabel del prefix 2001:db8:9::/48 label 5",
    "addrlabel list foo",
    "addrlabel flush foo",
    "addrlabel foo",
    "-4 addrlabel",
    "netconf show dev",
    "netconf show dev nope",
    "ntable show foo",
    "ntable show dev nope",
    "ntable change",
    "ntable change name arp_cache",
    "ntable change name arp_cache foo",
    "ntable change name arp_cache gc_stale x",
    "ntable change name nope gc_stale 3",
    "ntable change name arp_cache thresh1 9",
    "netns set",
    "netns set foo",
    "netns set foo x",
    "netns list-id nsid x",
    "netns list-id nsid 77",
    "netns list-id target-nsid 77",
];

/// All that ip shows.
fn shown() -> String {
    let parts: Vec<_> = SHOW.iter().map(|line| format!("{line}\n{}\n", ip(line).out)).collect();
    parts.concat()
}

/// Without what is drawn at random every few minutes.
fn settled(text: &str) -> String {
    let mut words: Vec<_> = text.split(' ').collect();
    for index in 1..words.len() {
        if words[index - 1] == "reachable" {
            words[index] = "N";
        }
    }
    words.join(" ")
}

#[test]
fn lists_changes_and_refusals_are_those_of_ip() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        quiet();
        sh(SETUP);
        for line in CHANGES {
            let ran = run(&words(line));
            assert_eq!((ran.code, &*ran.out, &*ran.err), (0, "", ""), "{line}");
        }
        let ours = shown();
        // The same from the beginning, by ip.
        sh("ip addrlabel del prefix 2001:db8::/32 dev v0 label 77
            ip addrlabel del prefix 2001:db8:2::1 label 9
            ip netns del bar; ip netns add bar
            ip ntable change name arp_cache dev v0 queue 1 retrans 1 ucast_probes 1 gc_stale 1
            ip ntable change name ndisc_cache dev v1 locktime 1 delay_probe 1 proxy_queue 1 app_probes 2");
        nl_testkit::wait_until("an id to be free", || !ip("netns list-id").out.contains("nsid 9"));
        for line in CHANGES {
            let ran = ip(line);
            assert_eq!((ran.code, &*ran.err), (0, ""), "ip {line}");
        }
        same(&settled(&ours), &settled(&shown()), "what ip shows of our changes and of its own");

        for line in SHOW {
            for options in ["", "-d ", "-s ", "-o ", "-c "] {
                agree(&format!("{options}{line}"));
            }
            // ip forgets of JSON where it asks for one interface and family.
            if !line.starts_with("-6 netconf") {
                agree_json(&format!("-j -s {line}"));
            }
        }
        for line in REFUSED {
            let (ours, theirs) = (run(&words(line)), ip(line));
            let first = |ran: &Ran| ran.err.lines().next().unwrap_or_default().to_owned();
            let theirs_first = first(&theirs).replace("ip addrlabel help", "nlctl addrlabel help");
            assert_eq!((ours.code, first(&ours)), (theirs.code, theirs_first), "{line}");
        }
        // Beyond ip: the label of an address, by the entry that decides.
        assert_eq!(nlctl(&["addrlabel", "get", "2001:db8::5"]).trim_end(), "prefix ::/0 label 1");
        assert!(nlctl(&["addrlabel", "get", "2001:db8::5", "dev", "v0"]).contains(" label 77"));
        assert_eq!(run(&["addrlabel", "flush"]).code, 0);
        assert_eq!(ip("addrlabel").out, "");
        let names: Vec<_> = nlctl(&["netns"]).lines().map(str::to_owned).collect();
        assert!(names.contains(&"foo (id: 4)".into()) && names.contains(&"bar (id: 9)".into()));
    });
}

/// What tc gives.
fn tc(line: &str) -> Ran {
    Command::new("tc").args(words(line)).env("LC_ALL", "C").output().unwrap().into()
}

#[test]
fn disciplines_and_classes_are_those_of_tc() {
    live(|| {
        if !need(&["ip", "tc"]) {
            return;
        }
        quiet();
        // Each queue for sending holds the discipline, and there are as many as processors.
        sh("ip link add v0 numtxqueues 2 type veth peer name v1
            ip link set v0 up; ip link set v1 up");
        for line in [
            "qdisc add dev v0 root handle 5: pfifo limit 7",
            "qdisc replace dev v0 root handle 5: pfifo limit 8",
            "qdisc change dev v0 handle 5: root pfifo limit 9",
            "qdisc add dev v1 handle 6: root bfifo limit 20480",
            "qdisc add dev lo clsact",
            "qdisc add dev v1 ingress",
        ] {
            let ran = run(&words(line));
            assert_eq!((ran.code, &*ran.out, &*ran.err), (0, "", ""), "{line}");
        }
        let htb = try_sh("tc qdisc add dev lo root handle 1: htb default 10").is_ok();
        let lines = [
            "qdisc",
            "qdisc show dev v0",
            "qdisc list dev v1 root",
            "qdisc show dev v1 ingress",
            "qdisc show dev lo clsact",
            "qdisc show dev nope",
            "class show dev v0",
        ];
        for line in lines {
            for options in ["", "-d ", "-s "] {
                same_as_tc(&format!("{options}{line}"));
            }
        }
        let line = ["-j", "-s", "qdisc", "show", "dev", "v0"];
        let (ours, theirs) =
            nl_testkit::agree(|| value(&run(&line).out), || value(&tc(&line.join(" ")).out));
        assert_eq!(ours, theirs);

        let got = nlctl(&["qdisc", "get", "dev", "v0", "root"]);
        assert_eq!(got, "qdisc pfifo 5: dev v0 root refcnt 3 limit 9p\n");
        // The kernel repeats where the question said that it hangs.
        let got = nlctl(&["qdisc", "get", "dev", "v0", "handle", "5:"]);
        assert_eq!(got, "qdisc pfifo 5: dev v0 refcnt 3 limit 9p\n");
        if htb {
            sh("tc class add dev lo parent 1: classid 1:10 htb rate 1mbit ceil 2mbit prio 3
                tc class add dev lo parent 1:10 classid 1:11 htb rate 8kbit quantum 3000");
            for options in ["", "-d ", "-s ", "-d -s "] {
                same_as_tc(&format!("{options}class show dev lo"));
                same_as_tc(&format!("{options}qdisc show dev lo"));
            }
            // Options as digits: those of 1:10.
            if cfg!(target_endian = "little") {
                let parameters = "0301000000000000 48e80100 0301000000000000 90d00300 004c1d00
                    a0860100 b80b0000 00000000 03000000";
                let options = format!("30000100{parameters}").replace(char::is_whitespace, "");
                let line = format!("class add dev lo parent 1: classid 1:20 htb options {options}");
                assert_eq!(run(&words(&line)).code, 0, "{line}");
                let shown = nlctl(&["class", "get", "dev", "lo", "classid", "1:20"]);
                assert!(
                    shown.starts_with("class htb 1:20 dev lo root prio 3 rate 1Mbit ceil 2Mbit "),
                    "{shown}"
                );
                same_as_tc("-d class show dev lo");
            }
            assert_eq!(run(&words("class del dev lo classid 1:11")).code, 0);
            assert_eq!(run(&words("class get dev lo classid 1:11")).code, 2);
        }
        for line in ["qdisc del dev v0 root", "qdisc del dev v1 ingress", "qdisc del dev lo clsact"]
        {
            assert_eq!(run(&words(line)).code, 0, "{line}");
        }
        for line in [
            "qdisc del dev v0 root",
            "qdisc add dev v0 root nosuchkind",
            "qdisc add dev nope root pfifo",
            "qdisc add dev lo parent x pfifo",
        ] {
            let (ours, theirs) = (run(&words(line)), tc(line));
            assert!(ours.code != 0 && theirs.code != 0, "{line}");
            if ours.code == 2 {
                let first = |ran: &Ran| ran.err.lines().next().unwrap_or_default().to_owned();
                assert_eq!(first(&ours), first(&theirs), "{line}");
            }
        }
        assert!(!tc("qdisc").out.contains("clsact") && !tc("qdisc").out.contains("pfifo 5:"));
    });
}

/// Asserts that nlctl gives what tc does.
fn same_as_tc(line: &str) {
    let of = |ran: Ran| (ran.code, ran.out, ran.err);
    let (ours, theirs) = nl_testkit::agree(|| of(run(&words(line))), || of(tc(line)));
    assert_eq!((ours.0, ours.2), (theirs.0, theirs.2), "{line}");
    same(&ours.1, &theirs.1, line);
}
