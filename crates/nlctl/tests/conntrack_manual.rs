//! The commands of the cookbook in docs/conntrack.md, run as they stand there.
#![cfg(target_os = "linux")]

mod common;
mod conntrack_common;

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use common::{Ran, nlctl};
use conntrack_common::{all_read, masks};
use nl_testkit::{Running, live, need, sh, wait_until};
use serde_json::Value;

const MANUAL: &str = include_str!("../../../docs/conntrack.md");

/// The commands of a task.
fn commands(task: &str) -> Option<&str> {
    task.split_once("```sh\n")?.1.split_once("\n```").map(|(block, _)| block)
}

/// Flows for the tasks to find.
fn fill() {
    sh("conntrack -F
        for port in 1 2 3; do
            conntrack -I -t 1000 -s 10.0.0.$port -d 10.0.0.2 -p tcp --sport $port --dport 8080 \
                --state ESTABLISHED -u SEEN_REPLY,ASSURED
        done
        conntrack -I -t 1000 -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 4000 --dport 53 -m 3
        conntrack -I -t 1000 -s 10.0.0.9 -d 10.0.0.2 -p tcp --sport 9 --dport 8080 \
            --state SYN_SENT -n 192.0.2.1:7000");
}

/// Runs a block; one that follows events is ended as soon as it listens.
fn run(block: &str) -> Ran {
    let mut command = Command::new("sh");
    command.args(["-e", "-c", block]).current_dir("/run").env("PATH", path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = Running::start(&mut command);
    if block.contains(" watch ") {
        // To all groups, or without updates.
        wait_until("a listener", || matches!(masks()[..], [5 | 7]));
        sh("conntrack -F");
        all_read();
        // A program's first netlink socket has its process id as port.
        sh("kill -INT $(awk '$2 == 12 && $4 != \"00000000\" { print $3 }' /proc/net/netlink)");
    }
    child.output().into()
}

/// With a directory in front that holds this program.
fn path() -> String {
    format!("/run/bin:{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap())
}

#[test]
fn tasks_of_the_cookbook() {
    live(|| {
        if !need(&["conntrack", "nft", "jq", "awk"]) {
            return;
        }
        fs::create_dir("/run/bin").unwrap();
        symlink(env!("CARGO_BIN_EXE_nlctl"), "/run/bin/nlctl").unwrap();
        sh("ip netns add blue
            ip netns exec blue conntrack -I -t 99 -s 10.0.0.1 -d 10.0.0.2 -p 99");
        let cookbook = MANUAL.split_once("\n## Cookbook\n").unwrap().1;
        let tasks: Vec<&str> = cookbook.split("\n### ").skip(1).collect();
        assert!(tasks.len() >= 10);
        // What each prints that shows that it did its work.
        let expected = [
            "dport=8080 src=",
            "dst=192.0.2.1 ",
            "ESTABLISHED 3",
            "2 10.0.0.1",
            "",
            " mark=19 ",
            "src=10.0.0.9 ",
            "[DESTROY] tcp ",
            "web ipv4 tcp ",
            "",
            "unknown  99 ",
        ];
        assert_eq!(tasks.len(), expected.len());
        for (task, expected) in tasks.into_iter().zip(expected) {
            assert!(task.contains("```\nuse ") || task.contains("```no_run\nuse "), "{task}");
            fill();
            let Ran { code, out, err } = run(commands(task).unwrap());
            assert_eq!(code, 0, "{task}\n{out}{err}");
            assert!(out.contains(expected), "{task}\n{out}{err}");
            if task.starts_with("5.") {
                assert_eq!(nlctl(&["conntrack", "list"]).lines().count(), 5);
            }
        }
    });
}

/// Every key that the JSON of flows has is in the manual.
#[test]
fn keys_of_json() {
    fn keys(value: &Value, all: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                all.extend(map.keys().cloned());
                map.values().for_each(|value| keys(value, all));
            }
            Value::Array(list) => list.iter().for_each(|value| keys(value, all)),
            _ => {}
        }
    }
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        sh("sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1");
        fill();
        let mut all = Vec::new();
        let flows = nlctl(&["conntrack", "list", "--json"]);
        keys(&serde_json::from_str(&flows).unwrap(), &mut all);
        assert!(all.len() > 50);
        let section = MANUAL.split_once("\n## JSON\n").unwrap().1;
        let section = section.split_once("\n## ").unwrap().0;
        for key in all {
            let quoted = ['`', '"'].map(|quote| format!("{quote}{key}{quote}"));
            assert!(quoted.iter().any(|quoted| section.contains(quoted)), "{key}");
        }
    });
}
