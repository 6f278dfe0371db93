//! `alias conntrack='nlctl conntrack'`: the same lines, exit codes and errors as conntrack(8), and the
//! same table afterwards.
#![cfg(target_os = "linux")]

mod common;
mod conntrack_common;
mod conntrack_lines;

use std::fs;
use std::time::Duration;

use common::{Ran, nlctl, run, run_with};
use conntrack_common::{OURS, Watcher, anonymous, masks, own_etc, same, shell};
use conntrack_lines::{BEGINNING, CHANGING, SHOWING, ZOO};
use nl_conntrack::{Change, Flow, Helper, IpProtocol, ProtocolInfo, TcpState, Tuple};
use nl_socket::Connection;
use nl_testkit::{agree, is_between, linux, live, live_within, need, sh, skip, try_sh, wait_until};
use nl_wire::value::Family;

fn ours(line: &str) -> Ran {
    shell(OURS, line)
}

/// Flows that differ in all that can be chosen by.
fn zoo() {
    own_etc();
    sh("sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1");
    if let Err(error) = try_sh(LABEL_RULE) {
        skip(&format!("no labels: {error}"));
    }
    for words in ZOO.lines().filter(|line| !line.is_empty()) {
        sh(&format!("conntrack -I -t 1000 {words}"));
    }
}

/// Without a rule about labels flows get none.
const LABEL_RULE: &str = "
    nft add table t; nft add chain t c '{ type filter hook output priority 0; }'
    nft add rule t c ct state new ct label set 3";

#[test]
fn what_shows_says_the_same() {
    live_within(Duration::from_secs(240), || {
        if !need(&["conntrack", "nft"]) {
            return;
        }
        zoo();
        let lines = SHOWING.lines().filter(|line| !line.is_empty());
        let different: String = lines.filter_map(|line| same(line).err()).collect();
        assert!(different.is_empty(), "{different}");
    });
}

/// The table as conntrack(8) shows it, without what differs from one making to the next.
fn table() -> String {
    let text = sh("conntrack -L -o extended,labels 2>/dev/null; conntrack -L expect 2>/dev/null");
    stable(&text)
}

/// Lines without use counts and ids, sorted, and with the timeouts that they had at first.
fn stable(text: &str) -> String {
    let changing = |word: &&str| !word.starts_with("use=") && !word.starts_with("id=");
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| {
            let mut words: Vec<&str> = line.split(' ').filter(changing).collect();
            let key = words.iter().position(|word| word.contains('=')).unwrap_or(words.len());
            let timeout = match words.iter().position(|word| *word == "-t") {
                Some(option) => words.get_mut(option + 1),
                None => words[..key].iter_mut().rfind(|word| word.parse::<u32>().is_ok()),
            };
            if let Some(word) = timeout {
                *word = at_first(word);
            }
            words.join(" ")
        })
        .map(|line| line.split("<use>").next().unwrap_or_default().to_owned())
        .map(|line| match line.split_once("<timeout>").map(|(a, b)| (a, b.split_once('<'))) {
            Some((before, Some((seconds, rest)))) => {
                format!("{before}<timeout>{}<{rest}", at_first(seconds))
            }
            _ => line,
        })
        .collect();
    lines.sort();
    lines.join("\n")
}

/// The timeout that was given, of those of the lines, when so much of it is left.
fn at_first(seconds: &str) -> &str {
    match seconds.parse().unwrap_or_default() {
        801..=900 => "900",
        60..=99 => "99",
        20..=50 => "50",
        _ => seconds,
    }
}

fn begin() {
    sh("conntrack -F 2>/dev/null; conntrack -F expect 2>/dev/null");
    for line in BEGINNING.lines().filter(|line| !line.is_empty()) {
        sh(&format!("conntrack {line} 2>/dev/null"));
    }
}

#[test]
fn what_changes_does_the_same() {
    live_within(Duration::from_secs(240), || {
        if !need(&["conntrack", "nft"]) {
            return;
        }
        own_etc();
        if let Err(error) = try_sh(LABEL_RULE) {
            return skip(&format!("no labels: {error}"));
        }
        let after = |run: &dyn Fn() -> Ran| {
            begin();
            let ran = run();
            (ran.code, stable(&ran.out), anonymous(&ran.err), table())
        };
        let mut different = String::new();
        for line in CHANGING.lines().filter(|line| !line.is_empty()) {
            let (ours, theirs) =
                agree(|| after(&|| ours(line)), || after(&|| shell("conntrack", line)));
            if ours != theirs {
                different.extend([format!("{line}\n{theirs:#?}\n{ours:#?}\n")]);
            }
        }
        assert!(different.is_empty(), "{different}");
    });
}

#[test]
fn where_conntrack_errs() {
    live(|| {
        if !need(&["conntrack", "nft"]) {
            return;
        }
        own_etc();
        begin();
        // It deletes all flows here.
        assert_eq!(ours("-D -u '!ASSURED'").out.lines().count(), 4);
        assert!(table().contains("[ASSURED]"));
        begin();
        // It can't change a flow of a zone, nor one without naming an address.
        let ran = ours("-U -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 4 --dport 53 -m 4");
        assert!(ran.out.contains(" mark=4 zone=7"), "{ran:?}");
        let ran = ours("-U -p udp -m 9");
        assert_eq!((ran.code, ran.out.matches(" mark=9 ").count()), (0, 4), "{ran:?}");
        // It compares no IPv6 addresses of translations, and reads rubbish as 0.
        assert_eq!(ours("-L -n ::1").out, "");
        for rubbish in ["-m x", "-m 5/", "-w x", "-w 65536", "-p udp --sport x", "-c x"] {
            assert_eq!(ours(&format!("-L {rubbish}")).code, 2, "{rubbish}");
        }
        assert_eq!(ours("-D conntrack 10.0.0.1").code, 2);
        // It crashes.
        let ran = ours("-L -p sctp --state FOO");
        assert!(ran.code == 2 && ran.err.contains("unknown SCTP state `FOO'"), "{ran:?}");
        // It finds nothing by a reply direction.
        let ran = ours("-G -r 10.0.0.2 -q 10.0.0.1 -p tcp --reply-port-src 80 --reply-port-dst 1");
        assert_eq!((ran.code, ran.out.lines().count()), (0, 1), "{ran:?}");
        // Its flush is of both families, whatever is said.
        assert_eq!(ours("-F -f ipv6").code, 0);
        assert!(table().contains("ipv4") && !table().contains("ipv6"));
        // It deletes whatever the timeout, and lets a status spoil a mark.
        begin();
        assert_eq!(ours("-D -t 5").code, 1);
        let words = "-p 99 -s 1.1.1.1 -d 1.1.1.2 -t 9 -m 5 -u ASSURED,SEEN_REPLY";
        assert_eq!(ours(&format!("-I {words}")).code, 0);
        assert!(table().contains("[ASSURED] mark=5"), "{}", table());
        // It passes on what the kernel refuses.
        assert_eq!(ours("-L -u UNSET").out.lines().count(), 6);
        // It overlooks what is attached to -n.
        assert_eq!(ours("-L -n192.0.2.9").out, "");
        assert_eq!(ours("-L -nj").code, 2);
        // It does not update what is there.
        let add = "-A -t 900 -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 80 --state CLOSE";
        assert_eq!(ours(&format!("{add} -m 77")).code, 0);
        assert!(table().contains("CLOSE") && table().contains(" mark=77"), "{}", table());
    });
}

#[test]
fn what_is_saved_is_made_again() {
    live(|| {
        if !need(&["conntrack", "nft"]) {
            return;
        }
        zoo();
        // The kernel of today does not track DCCP; made with ports it has none.
        sh("conntrack -D -p dccp");
        // Nor does Linux 7 track UDP-Lite.
        if linux() >= (7, 0) {
            sh("conntrack -D -p udplite");
        }
        for (words, way) in [("save", 0), ("restore", 1)] {
            let whole = |text: &str| {
                let of = |line: &str| way == 1 || !line.contains("labels=");
                stable(text).lines().filter(|line| of(line)).collect::<Vec<_>>().join("\n")
            };
            let list = || whole(&nlctl(&["conntrack", "list", "-o", "extended,labels"]));
            let saved = nlctl(&["conntrack", "list", "-o", words]);
            let before = list();
            sh("conntrack -F");
            let ran = run_with(&["conntrack", "--load-file", "-"], saved.as_bytes());
            assert_eq!((ran.code, &*ran.out, &*ran.err), (0, "", ""));
            let forget = |text: &str| {
                let gone = |word: &&str| {
                    let key = word.split('=').next().unwrap_or_default();
                    // Seconds go by; marks are saved by one of the two.
                    !(word.parse::<u32>().is_ok_and(|n| n > 900) || key == "delta-time")
                        && (way == 1 || key != "mark")
                };
                let lines = text
                    .lines()
                    .map(|line| line.split(' ').filter(gone).collect::<Vec<_>>().join(" "));
                let mut lines: Vec<String> = lines.collect();
                lines.sort();
                lines
            };
            if way == 1 {
                assert_eq!(forget(&before), forget(&list()));
            } else {
                let again = nlctl(&["conntrack", "list", "-o", words]);
                assert_eq!(forget(&saved), forget(&again));
            }
        }
        // conntrack(8) reads it as well.
        let saved = nlctl(&["conntrack", "-L", "-p", "tcp", "-o", "restore"]);
        fs::write("/run/saved", saved).unwrap();
        sh("conntrack -F; conntrack -R /run/saved");
        let bad = run_with(&["conntrack", "load", "-"], b"-L\n");
        assert!(bad.code == 2 && bad.err.contains("Cannot use command `-L' with --load-file"));
        assert_eq!(run(&["conntrack", "-R", "/nonexistent"]).code, 2);
        let quoted = b"# comment\n\n conntrack -A -t 9 -s '1.1.1.1' -d \"1.1.1.2\" -p 99 # end\n";
        assert_eq!(run_with(&["conntrack", "-R", "-"], quoted).code, 0);
        assert!(table().contains("unknown  99 "));
        // conntrack(8) makes this one with the port 82.
        let nat = b"-A -t 99 -s 10.0.0.1 -d 10.0.0.2 -g 192.0.2.1 -q 10.0.0.1 -p udp --sport 2 \
            --dport 82 --reply-port-src 7000 --reply-port-dst 2";
        assert_eq!(run_with(&["conntrack", "-R", "-"], nat).code, 0);
        assert!(table().contains("src=192.0.2.1 dst=10.0.0.1 sport=7000 dport=2"), "{}", table());
    });
}

/// Both follow the same events, in each form.
#[test]
fn events_in_every_form() {
    live(|| {
        if !need(&["conntrack", "nft"]) {
            return;
        }
        own_etc();
        let forms = [("xml", 2), ("save", 0), ("id,extended", 0), ("xml,labels,ktimestamp", 2)];
        let watchers = forms.map(|(form, head)| {
            let line = format!("-E -o {form} -p udp");
            (form, head, ["conntrack", OURS].map(|program| Watcher::start(program, &line)))
        });
        wait_until("listeners", || masks() == [7; 8]);
        sh("conntrack -I -t 100 -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 1 --dport 2 -m 3
            conntrack -U -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 1 --dport 2 -m 4
            conntrack -I -t 100 -s 10.0.0.1 -d 10.0.0.2 -p 99
            conntrack -D -p udp");
        for (form, head, pair) in watchers {
            let [theirs, ours] = pair.map(|watcher| {
                wait_until(form, || watcher.lines() >= head + 3);
                let Ran { code, out, err } = watcher.end();
                assert_eq!(out.matches(" [USERSPACE] portid=").count(), 3, "{out}");
                Ran { code, out: anonymous(&out), err: anonymous(&err) }
            });
            assert_eq!(ours, theirs, "{form}");
        }
    });
}

#[test]
fn expectations() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        let helper = Some(Box::new(Helper { name: "ftp".into(), info: None }));
        let (client, server) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        let tuple = Tuple::with_ports(IpProtocol::TCP, (client, 3000), (server, 21));
        let master = Flow {
            helper,
            timeout: Some(600),
            protocol_info: Some(ProtocolInfo::tcp(TcpState::ESTABLISHED)),
            ..Flow::new(tuple)
        };
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        if let Err(error) = connection.run(Change::create(master)) {
            return skip(&format!("no helper ftp: {error}"));
        }
        let words = "expect -t 300 -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 3000 --dport 21 \
             --tuple-src 10.0.0.2 --tuple-dst 10.0.0.1 --tuple-port-src 0 --tuple-port-dst 4000 \
             --mask-src 255.255.255.255 --mask-dst 255.255.255.255 \
             --mask-port-src 0 --mask-port-dst 65535";
        // conntrack(8) says nothing here, and makes one of another protocol, without ports.
        let ran = ours(&format!("-I {words}"));
        assert!(ran.code == 0 && ran.err.ends_with(": 1 expectations have been created.\n"));
        assert!(
            table().contains(" proto=6 src=10.0.0.2 dst=10.0.0.1 sport=0 dport=4000 mask-src=")
        );
        let key = "expect -p tcp -s 10.0.0.2 -d 10.0.0.1 --sport 0 --dport 4000";
        let list = || sh("conntrack -L expect");
        let (before, got, after) = (list(), ours(&format!("-G {key}")), list());
        assert!(got.code == 0 && is_between(&before, &got.out, &after), "{got:?}\n{after}");
        let deleted = ours(&format!("-D {key}"));
        assert_eq!((deleted.code, sh("conntrack -L expect 2>/dev/null").len()), (0, 0));
        assert_eq!(ours(&format!("-D {key}")).code, 1);
        assert_eq!(ours(&format!("-I {words}")).code, 0);
        assert_eq!(nlctl(&["conntrack", "expect"]).lines().count(), 1);
        assert_eq!(nlctl(&["conntrack", "expect", "count"]), "1\n");
        assert_eq!(run(&["conntrack", "expect", "flush"]).code, 0);
        assert_eq!(nlctl(&["conntrack", "expect", "count"]), "0\n");
        assert_eq!(nlctl(&["conntrack", "count"]), "1\n");
    });
}

#[test]
fn timeouts() {
    live(|| {
        let ran = run(&["conntrack", "timeout", "list"]);
        if ran.code != 0 {
            return skip(&format!("no timeout policies: {}", ran.err));
        }
        assert_eq!(ran.out, "");
        let add = "timeout add web ipv4 tcp established=77 close_wait=5";
        assert_eq!(ours(add).code, 0);
        let shown = ours("timeout").out;
        assert!(
            shown.starts_with("web ipv4 tcp ") && shown.contains(" established=77 "),
            "{shown}"
        );
        assert_eq!(ours("timeout get web").out, shown);
        assert!(ours(add).err.contains("File exists"));
        assert_eq!(ours("timeout replace web ipv4 tcp established=78").code, 0);
        assert!(ours("timeout list --json").out.contains("\"established\":78"));
        assert_eq!(ours("timeout default udp replied=66").code, 0);
        assert!(ours("timeout default udp").out.contains(" replied=66"));
        assert_eq!(ours("timeout delete web").code, 0);
        assert_eq!(ours("timeout").out, "");
        for bad in ["x", "add", "delete ''", "add a ipv4 tcp replied=5", "add a ipv5 tcp"] {
            assert_eq!(ours(&format!("timeout {bad}")).code, 2, "{bad}");
        }
    });
}
