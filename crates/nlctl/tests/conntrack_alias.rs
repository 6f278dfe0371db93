//! `alias conntrack='nlctl conntrack'`: the same lines, exit codes and errors as conntrack(8), and the
//! same table afterwards.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use common::{Ran, command, nlctl, run, run_with};
use nl_conntrack::{Change, Flow, Helper, IpProtocol, ProtocolInfo, TcpState, Tuple};
use nl_socket::Connection;
use nl_testkit::{live, live_within, need, sh, skip, try_sh};
use nl_wire::value::Family;

/// Runs a line of shell that begins with conntrack(8), or us in its place.
fn shell(program: &str, line: &str) -> Ran {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{program} {line}")]).stdin(Stdio::null());
    command.env("LC_ALL", "C").output().unwrap().into()
}

fn ours(line: &str) -> Ran {
    shell(&format!("{} conntrack", env!("CARGO_BIN_EXE_nlctl")), line)
}

/// What may differ: who speaks.
fn anonymous(text: &str) -> String {
    let name = format!("nlctl v{} (conntrack)", env!("CARGO_PKG_VERSION"));
    let text = text.replace(&name, "conntrack").replace("nlctl conntrack", "conntrack");
    let words = text.split_inclusive(' ').filter(|word| !word.starts_with("portid="));
    let words = words.filter(|word| !word.starts_with("progname="));
    let text: String = words.collect();
    text.replace("conntrack v1.4.7 (conntrack-tools)", "conntrack")
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

/// conntrack(8) and we find the names of labels in /etc, which the mount namespace makes our own.
fn own_etc() {
    sh(
        "mkdir -p /run/etc/xtables; cp -L /etc/ld.so.cache /etc/localtime /etc/protocols /run/etc || true",
    );
    fs::write("/run/etc/xtables/connlabel.conf", "0 foo\n1 bar\n2 baz\n").unwrap();
    sh("mount --bind /run/etc /etc");
}

/// One flow a line.
const ZOO: &str = r"
-s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 80 --state ESTABLISHED -u SEEN_REPLY,ASSURED -m 5
-s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 2 --dport 80 --state SYN_SENT -n 192.0.2.1:7000
-s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 2 --dport 81 --state SYN_SENT -g 192.0.2.1:7000
-s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 2 --dport 82 --state SYN_SENT -g 192.0.2.1:7000 -n 192.0.2.9
-s 10.0.0.1 -d 10.0.0.2 -p udp --sport 4 --dport 53 -w 7
-s 10.0.0.1 -d 10.0.0.2 -p udp --sport 5 --dport 53 --orig-zone 3
-s 10.0.0.1 -d 10.0.0.2 -p udp --sport 5 --dport 54 --reply-zone 3
-s 10.0.1.1 -d 10.0.0.2 -p udplite --sport 6 --dport 53 -u FIXED_TIMEOUT
-s 10.0.1.1 -d 10.0.0.2 -p sctp --sport 7 --dport 8 --state ESTABLISHED --orig-vtag 1 --reply-vtag 2
-s 10.0.1.1 -d 10.0.0.2 -p dccp --sport 7 --dport 8 --state OPEN --role client
-s 10.0.1.1 -d 10.0.0.2 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 77
-s 10.0.1.1 -d 10.0.0.2 -p gre --srckey 1 --dstkey 0xabcd
-s 10.0.1.1 -d 10.0.0.2 -p 50
-s 2001:db8::1 -d 2001:db8::2 -p udp --sport 9 --dport 53
-s 2001:db8::1 -d 2001:db8::2 -p tcp --sport 9 --dport 53 --state NONE -n [2001:db8::9]:77
-s 2001:db8::1 -d 2001:db8::2 -p icmpv6 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 7
-s 10.0.0.1 -d 10.0.0.2 -p udp --sport 3 --dport 59 -m 0x15 --label-add foo,baz
-s 10.0.0.1 -d 10.0.0.2 -p udp --sport 3 --dport 60 -n 10.0.0.1:77
";

#[test]
fn what_shows_says_the_same() {
    live_within(Duration::from_secs(240), || {
        if !need(&["conntrack", "nft"]) {
            return;
        }
        zoo();
        let mut different = String::new();
        for line in SHOWING.lines().filter(|line| !line.is_empty()) {
            // Timeouts count down between the two.
            let agrees = (0..5).any(|_| {
                let (theirs, ours) = (shell("conntrack", line), ours(line));
                theirs.code == ours.code
                    && theirs.out == ours.out
                    && anonymous(&theirs.err) == anonymous(&ours.err)
            });
            if !agrees {
                let (theirs, ours) = (shell("conntrack", line), ours(line));
                different.extend([format!("{line}\n{theirs:#?}\n{ours:#?}\n")]);
            }
        }
        assert!(different.is_empty(), "{different}");
    });
}

/// What changes nothing.
const SHOWING: &str = r"
-L
-L conntrack
-L -o xml
-L -o xml,labels,ktimestamp,timestamp
-L -o save
-L -o id,extended,ktimestamp,labels
-L -o x
-L -o ext
-L -o userspace
-L -o foo
-L -o id,foo
-L -o foo,save
-L -o id,save
-L -o ''
-L -w 0
-L -w 3
-L -w 7
-L --orig-zone 0
-L --orig-zone 3
-L --reply-zone 3
-L --reply-zone 0
-L -n
-L -g
-L -n -g
-L -n 192.0.2.1
-L -n 192.0.2.1:7000
-L -n 192.0.2.1:80
-L -n 192.0.2.9
-L -g 192.0.2.1
-L -g 192.0.2.1:7000
-L -g 10.0.0.2
-L -n 10.0.0.1
-L -n 10.0.0.1:77
-L -n 2001:db8::9
-L -n 192.0.2.1 -j
-L -l foo
-L -l foo,baz
-L -l bar
-L -l nope
-L -l
-L -c 0
-L -u UNREPLIED
-L -u ASSURED
-L -u assur
-L -u '!ASSURED'
-L -u FIXED_TIMEOUT
-L -u SEEN_REPLY,ASSURED
-L -u foo
-L -u ''
-L -u ASSURED,
-L -u EXPECTED
-L -u UNREPLIED,ASSURED
-L -u ASSURED,DST_NAT
-L -u CONFIRMED
-L -s 10.0.1.1
-L -s 10.0.0.0/24
-L -s 10.0.0.0/23 -d 10.0.0.2/32
-L -s 10.0.0.1 --mask-src 255.0.255.0
-L -s 1.1.1
-L -s 1.1.1.1.1
-L -s 1.1.1.1/33
-L -s 1.1.1.1/x
-L -s ::1/129
-L -s 2001:db8::/32
-L -s 2001:db8::1 -d 2001:db8::2
-L -r 10.0.0.0/24
-L -r 10.0.0.2
-L -q 192.0.2.1
-L -s ::1 -d 1.1.1.1
-L -d foo
-L -f ipv4
-L -f ipv6
-L -f ipv5
-L -f ipv6 -s 1.1.1.1
-L -p tcp
-L -p TCP
-L -p 17
-L -p foo
-L -p 256
-L -p -1
-L -p ip
-L -p udp --sport 5
-L -p udp --reply-port-dst 77
-L -p tcp --reply-port-src 7000
-L -p tcp --state ESTABLISHED
-L -p tcp --state SYN_SENT
-L -p tcp --state FOO
-L -p tcp --state est
-L -p tcp --state LISTEN
-L -p sctp --state ESTABLISHED
-L -p dccp --state FOO
-L -p dccp --role foo
-L -p dccp --role client
-L -p sctp --orig-vtag 7
-L -p icmp --icmp-type 8
-L -p icmp --icmp-type 0
-L -p icmp --icmp-id 77
-L -p icmpv6 --icmpv6-type 128
-L -p icmp --sport 8
-L -p gre --srckey 1
-L -p udp --tuple-port-src 5
-L -p udp --mask-port-src 5
-L -p udp --foo
-L --sport 5
-L --foo
-L -Y
-L -s
-L --src
-L foo
-L -D
-L -m
-L -m 5
-L -m 0x15
-L -m 5/0xf
-L -m 0
-L -m 0/0
-L -m 1/0
-L -z
-L -z -p tcp
-L -z -m 1
-L -z -w 1
-L -z -o id
-L -z -f ipv4
-L --ze
-L -s10.0.1.1
-L --mark=5
-L --sr 1.1.1.1
-L --orig 1.1.1.1
-L --orig-s 10.0.1.1
-L -a 1.1.1.1
-L -t 5
-L -i 5
-L -e NEW
-L -b 5
-L --label-add foo
-L --mask-src 1.1.1.1
-L exp
-L dying
-L unconfirmed
-L d -o xml
-L x
-L expect -p tcp
-L expect -o timestamp
-D dying
-U expect
-A expect
-U -m 1 --label-add foo --label-del bar
-U -z
-U -w 1
-U -j
-G
-G -p udp
-G -s 1.1.1.1 -d 1.1.1.2 -p udp
-G -s 1.1.1.1 -d 1.1.1.2 -p tcp --reply-port-src 1
-G -s 1.1.1.1 -d 1.1.1.2 -p icmp --icmp-code 0
-G -s 1.1.1.1 -d 1.1.1.2 -p gre --srckey 1
-G -s 9.9.9.9 -d 1.1.1.2 -p tcp --sport 1 --dport 2
-G -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 80
-G -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 80 -o xml
-G -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 80 -o save
-G -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 80 -o id,extended
-G -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 3 --dport 59 -l foo -o labels
-G -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 3 --dport 59 -l bar
-G -s 2001:db8::1 -d 2001:db8::2 -p icmpv6 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 7
-G -w 7
-I
-I -p udp
-I -s 1.1.1.1 -p udp -t 5
-I -s 1.1.1.1 -d 1.1.1.1 -p udp -t 5
-I -s 1.1.1.1 -d 1.1.1.1 -p tcp -t 5
-I -s 1.1.1.1 -d 1.1.1.1 -p tcp -t 5 --state NONE
-I -s 1.1.1.1 -d 1.1.1.1 -p sctp -t 5 --state CLOSED
-I -s 1.1.1.1 -d 1.1.1.1 -p sctp -t 5 --orig-vtag 1
-I -s 1.1.1.1 -d 1.1.1.1 -p dccp -t 5 --state OPEN
-I -s 1.1.1.1 -d 1.1.1.1 -p icmp -t 5
-I -s 1.1.1.1 -d 1.1.1.1 -p icmp -t 5 --icmp-type 8
-I -s 1.1.1.1 -d 1.1.1.1 -p gre -t 5 --srckey 1
-I -s 1.1.1.1 -d 1.1.1.1 -p udp -t 5 --mask-port-src 1
-I -s 1.1.1.1 -d ::1 -p 99 -t 5
-I -s 1.1.1.1 -d 1.1.1.3 -p 99 -t 5 -n 1.2.3.4:
-I -s 1.1.1.1 -d 1.1.1.3 -p udp --sport 1 --dport 3 -t 5 -n 1.2.3.4:1:2
-I -s 1.1.1.1 -d 1.1.1.3 -p udp --sport 1 --dport 3 -t 5 -n x
-I -s 1.1.1.1 -d 1.1.1.3 -p udp --sport 1 --dport 3 -t 5 -g 1.1.1.7:80-90
-I -s 1.1.1.1 -d 1.1.1.3 -p 97 -t 5 -u EXPECTED
-I -s 1.1.1.1/24 -d 1.1.1.3 -p 96 -t 5
-I -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 80 --state NONE -t 5
-I -s 1.1.1.1 -d 1.1.1.2 -p udp --sport 1 --dport 2 -t 5 -w 1 --orig-zone 1
-I -f ipv4 -p udp -t 5
-A
-D -m 99
-D -f ipv6 -p tcp --sport 1
-D -i 5
-D -z
-D -j
-F -w 1
-F -o id
-F -m 1
-F foo
-F -c 1
-F -n 1.1.1.1
-F -w 1 -j
-F -l foo -w 1
-F --orig-zone 1 --label-add foo
-F --reply-zone 1 --orig-zone 2
-C
-C expect
-C -p udp
-S
-S expect
-S -p udp
-E -u ASSURED
-E -e foo
-E -e NEW,
-E -e ''
-E -t 5
-I expect
-I expect -s 1.1.1.1 -d 1.1.1.2 -p tcp
-I expect -s 1.1.1.1 -d 1.1.1.2 -t 9 --tuple-src 1.1.1.1 --tuple-dst 1.1.1.2 --mask-src 1.1.1.1 --mask-dst 1.1.1.2 -p tcp --sport 1 --dport 2
-I expect -s 1.1.1.1 -d 1.1.1.2 -t 9 --tuple-src 1.1.1.1 --tuple-dst 1.1.1.2 --mask-src 1.1.1.1 --mask-dst 1.1.1.2 -p tcp --sport 1 --dport 2 --tuple-port-src 1 --tuple-port-dst 2 --mask-port-src 0 --mask-port-dst 1
-I expect -s 1.1.1.1 -d 1.1.1.2 -t 9 --tuple-src 1.1.1.1 --tuple-dst 1.1.1.2 --mask-src 1.1.1.1 --mask-dst 1.1.1.2 -p icmp --icmp-type 8
-D expect
-D expect -s 1.1.1.1 -d 1.1.1.2 -p tcp
-D expect -s 1.1.1.1 -d 1.1.1.2 -p tcp --sport 1 --dport 2 --reply-port-src 3 --reply-port-dst 4
-G expect -s 1.1.1.1 -d 1.1.1.2 -p tcp --sport 1 --dport 2 --reply-port-src 3 --reply-port-dst 4
-G expect -s 1.1.1.1 -d 1.1.1.2 -p icmp --icmp-type 8
-F expect
-R /nonexistent
-L -R x
-h -L
-V -L
-h -p foo
-zL
";

/// The table as conntrack(8) shows it, without what differs from one making to the next.
fn table() -> String {
    let text = sh("conntrack -L -o extended,labels 2>/dev/null; conntrack -L expect 2>/dev/null");
    stable(&text)
}

/// Lines without use counts and ids, sorted.
fn stable(text: &str) -> String {
    let changing = |word: &&str| !word.starts_with("use=") && !word.starts_with("id=");
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| line.split(' ').filter(changing).collect::<Vec<_>>().join(" "))
        .map(|line| line.split("<use>").next().unwrap_or_default().to_owned())
        .collect();
    lines.sort();
    lines.join("\n")
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
            let agrees =
                (0..5).any(|_| after(&|| shell("conntrack", line)) == after(&|| ours(line)));
            if !agrees {
                let (theirs, ours) = (after(&|| shell("conntrack", line)), after(&|| ours(line)));
                different.extend([format!("{line}\n{theirs:#?}\n{ours:#?}\n")]);
            }
        }
        assert!(different.is_empty(), "{different}");
    });
}

/// The table before each change.
const BEGINNING: &str = r"
-I -t 900 -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 80 --state ESTABLISHED -u SEEN_REPLY,ASSURED -m 5
-I -t 900 -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 3 --dport 53 -m 0x15 --label-add foo,baz
-I -t 900 -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 4 --dport 53 -w 7
-I -t 900 -s 10.0.0.9 -d 10.0.0.2 -p udp --sport 4 --dport 53 -n 192.0.2.1
-I -t 900 -s 2001:db8::1 -d 2001:db8::2 -p udp --sport 9 --dport 53
";

/// Changes, each of the same table.
const CHANGING: &str = r"
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p tcp --sport 1 --dport 80 --state ESTABLISHED -u SEEN_REPLY,ASSURED
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p tcp --sport 1 --dport 80 --state NONE -n 9.9.9.9
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p tcp --sport 1 --dport 80 --state NONE -n 9.9.9.9:77
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p tcp --sport 1 --dport 80 --state NONE -g 9.9.9.9:77
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p tcp --sport 1 --dport 80 --state NONE -g 9.9.9.9 -n 8.8.8.8:7
-I -t 99 -s ::1 -d ::2 -p tcp --sport 1 --dport 80 --state NONE -g ::9 -n [::8]:7
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p udp --sport 1 --dport 80 -w 9
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p udp --sport 1 --dport 80 --orig-zone 9
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p udp --sport 1 --dport 80 --reply-zone 9
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p udp --sport 1 --dport 80 -m 0xffffffff
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p udp --sport 1 --dport 80 -m 5/3
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p udp --sport 1 --dport 80 --label-add bar,baz
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p udp --sport 1 --dport 80 -u FIXED_TIMEOUT
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p udp --sport 1 --dport 80 -u UNSET
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p udplite --sport 1 --dport 80
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p sctp --sport 1 --dport 80 --state ESTABLISHED --orig-vtag 1 --reply-vtag 2
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p dccp --sport 1 --dport 80 --state OPEN --role server
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 7
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p icmp --icmp-type 13 --icmp-code 0
-I -t 99 -s ::1 -d ::2 -p icmpv6 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 7
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p gre --srckey 1 --dstkey 0xabcd
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p 50
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -p esp
-I -t 99 -r 1.1.1.1 -q 1.1.1.2 -p udp --reply-port-src 1 --reply-port-dst 2
-I -t 99 -s 1.1.1.1 -d 1.1.1.2 -r 1.1.1.3 -q 1.1.1.1 -p udp --sport 1 --dport 2 --reply-port-src 2 --reply-port-dst 1
-A -t 99 -s 1.1.1.1 -d 1.1.1.2 -p udp --sport 1 --dport 80
-A -t 99 -u UNSET -s 10.0.0.1 -d 10.0.0.2 -r 10.0.0.2 -n 192.0.2.1 -p udp --sport 2 --dport 80 --reply-port-src 80 --reply-port-dst 7000
-A -t 99 -u SEEN_REPLY -s 10.0.0.1 -d 10.0.0.2 -r 10.0.0.2 -q 10.0.0.1 -p udp --sport 2 --dport 88 --reply-port-src 88 --reply-port-dst 7000
-I -t 99 -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 3 --dport 53
-D
-D -p udp
-D -f ipv6
-D -f ipv4
-D -m 5
-D -m 5/0xf
-D -w 7
-D -n
-D -n 192.0.2.1
-D -g
-D -l foo
-D -s 10.0.0.0/24 -p tcp -o save
-D -s 10.0.0.9 -o xml
-D -s 10.0.0.9 -o id,extended
-D -u ASSURED
-D -s 2001:db8::1 -d 2001:db8::2
-D -d 2001:db8::2
-D -s 2001:db8::7
-D -q 192.0.2.1
-D -p tcp --state ESTABLISHED
-D -p tcp --state CLOSE
-D -p udp --sport 4
-F
-F conntrack
-F expect
-U -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 80 -m 7
-U -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 80 -m 8/0xf -o save
-U -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 80 -t 50
-U -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 80 --state TIME_WAIT
-U -s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 80 -u FIXED_TIMEOUT -o extended
-U -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 3 --dport 53 -u SEEN_REPLY,ASSURED
-U -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 3 --dport 53 --label-add bar
-U -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 3 --dport 53 --label-del foo
-U -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 3 --dport 53 --label-del
-U -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 99 --dport 53 -m 4
-U -s 2001:db8::1 -d 2001:db8::2 -p udp --sport 9 --dport 53 -m 4
-U -s 10.0.0.9 -d 10.0.0.2 -p udp --sport 4 --dport 53 -m 4
";

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
        sh("sysctl -qw net.netfilter.nf_conntrack_events=1");
        for form in ["xml", "save", "id,extended", "xml,labels,ktimestamp"] {
            let start = |program: &mut Command| {
                program.args(["-E", "-o", form, "-p", "udp"]);
                program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            };
            let theirs = start(&mut Command::new("conntrack"));
            let our = start(&mut command(&["conntrack"]));
            sleep(Duration::from_millis(400));
            sh("conntrack -F
                conntrack -I -t 100 -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 1 --dport 2 -m 3
                conntrack -U -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 1 --dport 2 -m 4
                conntrack -I -t 100 -s 10.0.0.1 -d 10.0.0.2 -p 99
                conntrack -D -p udp");
            sleep(Duration::from_millis(300));
            sh(&format!("kill -INT {} {}", theirs.id(), our.id()));
            let (theirs, our): (Ran, Ran) =
                (theirs.wait_with_output().unwrap().into(), our.wait_with_output().unwrap().into());
            // Whether the program is still there to be named is a matter of luck.
            let plain = |text: &str| {
                let lines = text.lines().map(|line| line.split(" [USERSPACE]").next().unwrap());
                lines.map(str::to_owned).collect::<Vec<_>>()
            };
            assert_eq!(plain(&our.out), plain(&theirs.out), "{form}");
            assert_eq!(our.out.matches(" [USERSPACE] portid=").count(), 3, "{}", our.out);
            assert_eq!(anonymous(&our.err), anonymous(&theirs.err));
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
        let got = ours(&format!("-G {key}"));
        assert_eq!((got.code, &*got.out), (0, &*sh("conntrack -L expect 2>/dev/null")));
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
