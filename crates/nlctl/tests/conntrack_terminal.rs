//! What a terminal is shown of long lists and deletions.
#![cfg(target_os = "linux")]

mod common;

use std::fs::{self, File};
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use nl_conntrack::{Change, Flow, IpProtocol, Tuple};
use nl_socket::Connection;
use nl_testkit::{Running, live, need, sh};
use nl_wire::value::Family;

const FLOWS: u16 = 5000;

fn fill() {
    let flows = (1..=FLOWS).map(|port| {
        let host = |last| [10, 0, 0, last].into();
        let tuple = Tuple::with_ports(IpProtocol::UDP, (host(1), port), (host(2), 53));
        Change::create(Flow { timeout: Some(600), ..Flow::new(tuple) })
    });
    let mut connection = Connection::open(Family::NETFILTER).unwrap();
    for result in connection.batch(flows) {
        result.unwrap();
    }
}

/// Runs a command with a terminal as standard error, and as standard output a pipe that nobody reads
/// for more than half a second; gives what the terminal got, and what went through the pipe.
fn on_a_terminal(words: &str) -> (String, String) {
    sh("rm -f /run/pipe; mkfifo /run/pipe");
    let line = format!("{} conntrack {words} > /run/pipe", env!("CARGO_BIN_EXE_nlctl"));
    let mut script = Command::new("script");
    script.args(["-q", "-e", "-c", &line, "/run/typescript"]);
    script.stdin(Stdio::null()).stdout(Stdio::null());
    let mut script = Running::start(&mut script);
    let (mut pipe, mut first) = (File::open("/run/pipe").unwrap(), [0]);
    // It has begun, and will wait for room long before its end.
    pipe.read_exact(&mut first).unwrap();
    sleep(Duration::from_millis(700));
    let mut rest = String::new();
    pipe.read_to_string(&mut rest).unwrap();
    assert!(script.wait().unwrap().success());
    let shown = fs::read_to_string("/run/typescript").unwrap();
    // Around what the command said, script(1) says when.
    let shown = shown.lines().filter(|line| !line.starts_with("Script ")).collect();
    (shown, char::from(first[0]).to_string() + &rest)
}

/// Counts are shown over one another and taken away before the sum; of what is over soon, and where
/// lines scroll by anyway, none.
#[test]
fn long_commands_tell_how_far_they_are() {
    live(|| {
        if !need(&["script"]) {
            return;
        }
        fill();
        for (words, what) in [
            ("-L", "listed"),
            ("-L -o xml", "listed"),
            ("list --json", "listed"),
            ("-D -p udp", "deleted"),
        ] {
            let (shown, out) = on_a_terminal(words);
            assert!(out.matches("10.0.0.1").count() >= usize::from(FLOWS), "{words}");
            let (counts, sum) = shown.rsplit_once("\r\x1b[K").expect(&shown);
            let done = if what == "listed" { "shown" } else { "deleted" };
            let told = format!("{FLOWS} flow entries have been {done}.");
            assert!(sum.trim_end().ends_with(&told), "{words}: {shown:?}");
            let counts: Vec<u16> = counts
                .split('\r')
                .skip(1)
                .map(|count| {
                    let (number, rest) = count.split_once(' ').unwrap();
                    assert_eq!(rest, format!("{what} "), "{shown:?}");
                    number.parse().unwrap()
                })
                .collect();
            assert!(!counts.is_empty() && counts.is_sorted(), "{shown:?}");
            assert!(counts.iter().all(|count| count % 256 == 0 && *count <= FLOWS), "{shown:?}");
        }
        fill();
        // Standard output is the terminal too.
        let line = format!(
            "script -q -e -c '{} conntrack -D -p udp' /run/typescript < /dev/null > /dev/null",
            env!("CARGO_BIN_EXE_nlctl")
        );
        sh(&line);
        let shown = fs::read_to_string("/run/typescript").unwrap();
        assert!(!shown.contains("\x1b[K"));
        assert_eq!(shown.matches("udp      17 ").count(), usize::from(FLOWS));
    });
}
