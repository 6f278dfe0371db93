//! Translated connections listed, asked for and followed, in namespaces of their own.
#![cfg(target_os = "linux")]

mod common;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{ChildStdout, Stdio};
use std::time::SystemTime;

use common::{command, nlctl, run};
use nl_testkit::{Running, live, need, sh, tool};
use serde_json::Value;

const SOURCE: &str = "conntrack -I -t 1000 -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 2 --dport 80 --state SYN_SENT \
     -n 192.0.2.1:7000";
const DESTINATION: &str =
    "conntrack -I -t 1000 -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 3 --dport 53 -g 192.0.2.2:5353";
const PLAIN: &str = "conntrack -I -t 1000 -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 4 --dport 53";

const SOURCE_LINE: &str = "TCP v4 src=10.0.0.1 dst=10.0.0.2 sport=2 dport=80 \
                           src=10.0.0.2 dst=192.0.2.1 sport=80 dport=7000";
const DESTINATION_LINE: &str = "UDP v4 src=10.0.0.1 dst=10.0.0.2 sport=3 dport=53 \
                                src=192.0.2.2 dst=10.0.0.1 sport=5353 dport=3";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn translated_connections_are_listed_alone() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        assert_eq!(nlctl(&["nat", "list"]), "");
        assert_eq!(nlctl(&["-j", "nat"]), "[]\n");
        for line in [SOURCE, DESTINATION, PLAIN] {
            sh(line);
        }
        sh("conntrack -I -t 1000 -s 10.0.0.9 -d 10.0.0.2 -p udp --sport 4 --dport 53 -w 7 \
            -n 192.0.2.9:9");
        let text = nlctl(&["nat"]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines.contains(&SOURCE_LINE) && lines.contains(&DESTINATION_LINE), "{text}");
        assert_eq!(nlctl(&["-6", "nat"]), "");
        let zoned = nlctl(&["nat", "list", "--zone", "7"]);
        assert!(zoned.starts_with("UDP v4 src=10.0.0.9 ") && zoned.contains(" zone=7"), "{zoned}");
        assert_eq!(zoned.lines().count(), 1);
        let list = json(&nlctl(&["-j", "nat", "list"]));
        let source = list.as_array().unwrap().iter().find(|e| e["original"]["protocol"] == "tcp");
        let source = source.unwrap();
        assert_eq!(source["nat"], json("[\"source\"]"), "{list}");
        assert_eq!(source["reply"]["destination_port"], 7000);
    });
}

#[test]
fn a_connection_is_found_by_either_direction() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        for line in [SOURCE, DESTINATION, PLAIN] {
            sh(line);
        }
        for (words, line, given, nat) in [
            (["tcp", "10.0.0.1:2", "10.0.0.2:80"], SOURCE_LINE, "original", "source"),
            (["6", "10.0.0.2:80", "192.0.2.1:7000"], SOURCE_LINE, "reply", "source"),
            (["udp", "10.0.0.1:3", "10.0.0.2:53"], DESTINATION_LINE, "original", "destination"),
            (["udp", "192.0.2.2:5353", "10.0.0.1:3"], DESTINATION_LINE, "reply", "destination"),
        ] {
            let arguments = [&["nat", "get"][..], &words].concat();
            assert_eq!(nlctl(&arguments), format!("{line}\n"));
            let object = json(&nlctl(&[&["-j"], &*arguments].concat()));
            assert_eq!((&object["given"], &object["nat"][0]), (&given.into(), &nat.into()));
        }
        for (arguments, code, text) in [
            (&["udp", "10.0.0.1:4", "10.0.0.2:53"][..], 1, "not translated"),
            (&["udp", "10.0.0.1:5", "10.0.0.2:53"], 1, "no such connection"),
            (&["icmp", "10.0.0.1", "10.0.0.2", "5"], 1, "no such connection"),
            (&["udp", "[::1]:5", "[::1]:53"], 1, "no such connection"),
            (&["udp", "10.0.0.1:5"], 255, "are needed"),
            (&["udp", "10.0.0.1:5", "10.0.0.2"], 255, "\"10.0.0.2\" is wrong"),
            (&["udp", "10.0.0.1:5", "[::1]:53"], 255, "of the same address family"),
            (&["udp", "10.0.0.1:5", "10.0.0.2:65536"], 255, "\"10.0.0.2:65536\" is wrong"),
            (&["\u{1b}", "10.0.0.1:5", "10.0.0.2:53"], 255, "\"\\x1b\" is wrong: not a protocol"),
            (&["udp", "10.0.0.1:5", "10.0.0.2:53", "7"], 255, "\"7\" is wrong"),
        ] {
            let ran = run(&[&["nat", "get"], arguments].concat());
            assert_eq!((ran.code, &*ran.out), (code, ""), "{arguments:?}: {}", ran.err);
            assert!(ran.err.contains(text), "{arguments:?}: {}", ran.err);
        }
    });
}

/// A run of `nat watch`, and its lines.
struct Watching {
    child: Running,
    lines: BufReader<ChildStdout>,
}

impl Watching {
    fn start(arguments: &[&str]) -> Self {
        let mut command = command(arguments);
        let mut child = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Interrupts it; gives what it still printed, and what it said.
    fn end(mut self) -> (String, String) {
        self.child.signal("INT");
        let (mut rest, mut said) = (String::new(), String::new());
        self.lines.read_to_string(&mut rest).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{said}");
        (rest, said)
    }
}

#[test]
fn what_begins_and_ends_is_shown() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        sh(SOURCE);
        let mut text = Watching::start(&["nat", "watch"]);
        let mut objects = Watching::start(&["-j", "nat", "watch"]);
        assert_eq!(text.line(), format!("[LIST] {SOURCE_LINE}"));
        assert_eq!(json(&objects.line())["event"], "list");
        sh(PLAIN);
        sh(DESTINATION);
        assert_eq!(text.line(), format!("[NEW]  {DESTINATION_LINE}"));
        let object = json(&objects.line());
        assert_eq!((&object["event"], &object["nat"][0]), (&"new".into(), &"destination".into()));
        assert_eq!(object.get("namespace"), None);
        sh("conntrack -D -p tcp");
        assert_eq!(text.line(), format!("[END]  {SOURCE_LINE}"));
        assert_eq!(json(&objects.line())["event"], "end");
        assert_eq!(text.end(), (String::new(), String::new()));
        assert_eq!(objects.end(), (String::new(), String::new()));
    });
}

/// The seconds since 1970 that date(1) finds in a local time.
fn seconds(local: &str) -> u64 {
    let text = tool("date", &["-d", local, "+%s"]);
    text.trim().parse().unwrap_or_else(|error| panic!("{error}: {local}: {text}"))
}

#[test]
fn the_time_stands_before_each() {
    live(|| {
        if !need(&["conntrack", "date"]) {
            return;
        }
        let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        sh(SOURCE);
        let before = now();
        let mut long = Watching::start(&["-t", "nat", "watch"]);
        let mut short = Watching::start(&["nat", "watch", "--tshort"]);
        let mut objects = Watching::start(&["-t", "-j", "nat", "watch"]);
        for event in [format!("[LIST] {SOURCE_LINE}"), format!("[NEW]  {DESTINATION_LINE}")] {
            // Timestamp: Sat Nov 21 11:31:16 2026 123456 usec
            let line = long.line();
            let time = line.strip_prefix("Timestamp: ").and_then(|line| line.strip_suffix(" usec"));
            let (time, micros) = time.and_then(|time| time.rsplit_once(' ')).expect(&line);
            assert_eq!(long.line(), event);
            // [2026-11-21T11:31:16.123456] [NEW]  …
            let line = short.line();
            let told = line.strip_prefix('[').and_then(|line| line.split_once("] "));
            let (stamp, told) = told.expect(&line);
            assert_eq!(told, event);
            let (second, fraction) = stamp.split_once('.').expect(&line);
            assert!(micros.parse::<u32>().unwrap() < 1_000_000 && fraction.len() == 6, "{line}");
            for second in [seconds(time), seconds(second)] {
                assert!((before..=now()).contains(&second), "{second}: {time}, {line}");
            }
            // JSON is the same with it.
            assert!(json(&objects.line())["event"].is_string());
            if event.starts_with("[LIST]") {
                sh(DESTINATION);
            }
        }
        for watching in [long, short, objects] {
            assert_eq!(watching.end(), (String::new(), String::new()));
        }
    });
}

#[test]
fn losses_are_told_and_repaired() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        sh(SOURCE);
        let mut watching = Watching::start(&["-j", "nat", "watch", "--buffer-size", "16384"]);
        assert_eq!(json(&watching.line())["event"], "list");
        // More than fits the queue of a program that stands still.
        let id = watching.child.id();
        sh(&format!("kill -STOP {id}"));
        sh(
            "for i in $(seq 1 400); do echo \"-I -t 1000 -s 10.0.1.1 -d 10.0.0.2 -p udp --sport $i \
            --dport 53 -n 192.0.2.3:$i\"; done | conntrack -R - >/dev/null",
        );
        sh(&format!("kill -CONT {id}"));
        let (mut new, mut dropped) = (0, 0);
        loop {
            let object = json(&watching.line());
            match object["event"].as_str().unwrap() {
                "new" => new += 1,
                "loss" => {
                    assert_eq!(object["loss"]["reason"], "overrun");
                    dropped += object["loss"]["dropped"].as_u64().unwrap();
                }
                "resync" => {
                    assert!(object["added"].as_u64().unwrap() >= dropped, "{object}");
                    break;
                }
                other => panic!("{other}"),
            }
        }
        assert!(dropped > 0);
        assert_eq!(new, 400);
        let said = watching.end().1;
        assert!(said.contains("overrun") && said.contains("receive buffer has"), "{said}");
    });
}

#[test]
fn all_namespaces_are_followed_and_named() {
    live(|| {
        if !need(&["conntrack", "ip"]) {
            return;
        }
        sh("ip netns add blue; ip netns exec blue sysctl -qw net.netfilter.nf_conntrack_events=1");
        sh(SOURCE);
        sh(&format!("ip netns exec blue {DESTINATION}"));
        let mut text = Watching::start(&["nat", "watch", "--all-netns"]);
        let mut found = Vec::new();
        while found.iter().filter(|line: &&String| line.starts_with("[LIST]")).count() < 2 {
            found.push(text.line());
        }
        let all = found.join("\n");
        assert!(all.contains("[FOUND] namespace blue nsid "), "{all}");
        assert!(all.contains("[LIST] own namespace"), "{all}");
        assert!(all.contains("[LIST] namespace blue nsid "), "{all}");
        let mut objects = Watching::start(&["-j", "nat", "watch", "--all-netns"]);
        let mut listed = 0;
        while listed < 2 {
            listed += usize::from(json(&objects.line())["event"] == "list");
        }
        sh("ip netns exec blue conntrack -D -p udp");
        let line = text.line();
        assert!(line.starts_with("[END]  namespace blue nsid "), "{line}");
        assert!(line.ends_with(&format!(": {DESTINATION_LINE}")), "{line}");
        let object = json(&objects.line());
        assert_eq!(
            (&object["event"], &object["namespace"]["name"]),
            (&"end".into(), &"blue".into())
        );
        assert_eq!(object["namespace"]["own"], false);
        sh("ip netns del blue");
        assert!(text.line().starts_with("[GONE] namespace blue"));
        assert_eq!(json(&objects.line())["event"], "gone");
        assert_eq!(text.end().0, "");
        assert_eq!(objects.end().0, "");
        let ran = run(&["-n", "/proc/self/ns/net", "nat", "watch", "--all-netns"]);
        assert_eq!((ran.code, ran.err.contains("exclude each other")), (255, true), "{}", ran.err);
    });
}

#[test]
fn connections_of_all_namespaces_are_followed() {
    live(|| {
        if !need(&["conntrack", "ip"]) {
            return;
        }
        sh("ip netns add blue; ip netns exec blue sysctl -qw net.netfilter.nf_conntrack_events=1");
        let mut text = Watching::start(&["conntrack", "watch", "--all-netns"]);
        let mut objects = Watching::start(&["conntrack", "watch", "--all-netns", "--json"]);
        // What is made before they listen is not shown; so some are made until both do.
        sh("for port in 1 2 3 4 5 6 7 8 9 10; do
                ip netns exec blue conntrack -I -t 100 -s 10.0.0.1 -d 10.0.0.2 -p udp \
                    --sport $port --dport 53
                sleep 0.2
            done");
        let line = text.line();
        assert!(line.starts_with("namespace blue nsid "), "{line}");
        assert!(line.contains(":     [NEW] udp      17 100 src=10.0.0.1 dst=10.0.0.2"), "{line}");
        let object = json(&objects.line());
        assert_eq!(
            (&object["namespace"]["name"], &object["object"]["event"]),
            (&"blue".into(), &"new".into())
        );
    });
}
