//! Tracked connections beside conntrack(8), in namespaces of their own.
#![cfg(target_os = "linux")]

mod common;
mod conntrack_common;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{command, nlctl, run, run_with};
use conntrack_common::{OURS, Watcher, all_read, anonymous, masks};
use nl_conntrack::{Change, Flow, Helper, IpProtocol, List, ProtocolInfo, TcpState, Tuple, groups};
use nl_socket::{Connection, Event, Events, Socket, Wait};
use nl_testkit::{Running, between, live, need, sh, skip, try_sh, wait_until};
use nl_wire::value::Family;
use nl_wire::{Messages, Request as _, header};
use serde_json::Value;

/// Flows of many kinds, made by conntrack(8).
fn zoo() {
    sh("sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1");
    for words in [
        "-s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 1 --dport 80 --state ESTABLISHED \
         -u SEEN_REPLY,ASSURED -m 5",
        "-s 10.0.0.1 -d 10.0.0.2 -p tcp --sport 2 --dport 80 --state SYN_SENT -n 192.0.2.1:7000",
        "-s 10.0.0.1 -d 10.0.0.2 -p udp --sport 3 --dport 53 -m 0x15",
        "-s 10.0.0.1 -d 10.0.0.2 -p udp --sport 4 --dport 53 -w 7",
        "-s 10.0.0.1 -d 10.0.0.2 -p udp --sport 5 --dport 53 --orig-zone 3",
        "-s 10.0.1.1 -d 10.0.0.2 -p udplite --sport 6 --dport 53",
        "-s 10.0.1.1 -d 10.0.0.2 -p sctp --sport 7 --dport 8 --state ESTABLISHED \
         --orig-vtag 1 --reply-vtag 2",
        "-s 10.0.1.1 -d 10.0.0.2 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 77",
        "-s 10.0.1.1 -d 10.0.0.2 -p gre --srckey 1 --dstkey 0xabcd",
        "-s 10.0.1.1 -d 10.0.0.2 -p 50",
        "-s 2001:db8::1 -d 2001:db8::2 -p udp --sport 9 --dport 53",
        "-s 2001:db8::1 -d 2001:db8::2 -p icmpv6 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 7",
    ] {
        sh(&format!("conntrack -I -t 1000 {words}"));
    }
}

/// A flow with a label, which needs a rule about labels.
fn labelled() {
    let rule = "nft add table t; nft add chain t c '{ type filter hook output priority 0; }'
                nft add rule t c ct state new ct label set 3";
    if let Err(error) = try_sh(rule) {
        skip(&format!("no labels: {error}"));
    }
    let flow = Flow { labels: Some([3, 17].into_iter().collect()), ..flow(3001) };
    Connection::open(Family::NETFILTER).unwrap().run(Change::create(flow)).unwrap();
}

/// conntrack(8) and we find the names of labels in /etc, which the mount namespace makes our own.
fn own_etc() {
    sh("mkdir -p /run/etc/xtables; cp -L /etc/ld.so.cache /etc/localtime /run/etc || true");
    fs::write("/run/etc/xtables/connlabel.conf", "0 zero\n3 three\n").unwrap();
    sh("mount --bind /run/etc /etc");
}

/// Asserts that both print the same, though timeouts count down between the two.
fn same(ours: &[&str], theirs: &str) -> String {
    between(|| nlctl(ours), || sh(theirs))
}

#[test]
fn lists_are_those_of_conntrack_in_every_form() {
    live(|| {
        if !need(&["conntrack", "nft"]) {
            return;
        }
        own_etc();
        zoo();
        labelled();
        let words = ["extended", "id", "ktimestamp", "timestamp", "labels"];
        for bits in 0..1 << words.len() {
            let chosen: Vec<&str> = words
                .iter()
                .enumerate()
                .filter(|(i, _)| bits >> i & 1 == 1)
                .map(|w| *w.1)
                .collect();
            let list = chosen.join(",");
            if chosen.is_empty() {
                assert_eq!(same(&["conntrack", "list"], "conntrack -L").lines().count(), 13);
            } else {
                same(&["conntrack", "list", "-o", &list], &format!("conntrack -L -o {list}"));
            }
        }
        let labelled = nlctl(&["conntrack", "list", "-o", "labels"]);
        assert!(labelled.contains(" labels=three"), "{labelled}");
    });
}

#[test]
fn filters_are_those_of_conntrack() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        zoo();
        for (words, count) in [
            ("-f ipv4", 10),
            ("-f ipv6", 2),
            ("-m 5", 1),
            ("-m 5/0xf", 2),
            ("-m 0x15/0xf", 0),
            ("-w 7", 1),
            ("-p tcp", 2),
            ("-p 17", 4),
            ("-s 10.0.1.1", 5),
            ("-s 10.0.0.0/23", 10),
            ("-s 10.0.0.0/24 -d 10.0.0.2/32 -p udp", 3),
            ("-s 2001:db8::/32", 2),
            ("-r 10.0.0.2 -q 192.0.2.1", 1),
            ("-p udp --sport 3", 1),
            ("-p tcp --dport 80", 2),
            ("-p tcp --dport 80 -s 10.9.9.9", 0),
        ] {
            let ours: Vec<&str> =
                ["conntrack", "list"].into_iter().chain(words.split(' ')).collect();
            let shown = same(&ours, &format!("conntrack -L {words}"));
            assert_eq!(shown.lines().count(), count, "{words}:\n{shown}");
        }
        // The family may be named before the command.
        for words in [&["-6"][..], &["-f", "inet6"], &["-f", "ipv6"]] {
            assert_eq!(nlctl(&[words, &["conntrack", "list"]].concat()).lines().count(), 2);
        }
        assert_eq!(run(&["-f", "mpls", "conntrack", "delete"]).code, 2);
    });
}

#[test]
fn summaries_json_and_expectations() {
    live(|| {
        if !need(&["conntrack", "nft"]) {
            return;
        }
        let ran = run(&["conntrack", "list"]);
        let head = format!("nlctl v{} (conntrack): ", env!("CARGO_PKG_VERSION"));
        assert_eq!((ran.code, &*ran.out), (0, ""));
        assert_eq!(ran.err, format!("{head}0 flow entries have been shown.\n"));
        assert_eq!(run(&["conntrack", "list", "--json"]).out, "[]\n");
        zoo();
        let ran = run(&["conntrack", "list"]);
        assert_eq!(ran.err, format!("{head}12 flow entries have been shown.\n"));
        let json: Value = serde_json::from_str(&nlctl(&["-j", "conntrack", "list"])).unwrap();
        let pretty: Value = serde_json::from_str(&nlctl(&["-jp", "conntrack", "list"])).unwrap();
        let flows = json.as_array().unwrap();
        assert_eq!((flows.len(), pretty.as_array().unwrap().len()), (12, 12));
        assert!(flows.iter().any(|flow| flow["zone"] == 7 && flow["original"]["source_port"] == 4));
        // What a helper expects.
        let helper = Helper { name: "ftp".into(), info: None };
        let master = Flow { helper: Some(Box::new(helper)), ..flow(3000) };
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        if let Err(error) = connection.run(Change::create(master)) {
            return skip(&format!("no helper ftp: {error}"));
        }
        sh("conntrack -I expect -t 300 -p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 3000 --dport 80 \
            --tuple-src 10.0.0.2 --tuple-dst 10.0.0.1 --tuple-port-src 0 --tuple-port-dst 4000 \
            --mask-src 255.255.255.255 --mask-dst 255.255.255.255 \
            --mask-port-src 0 --mask-port-dst 65535");
        assert_eq!(nlctl(&["conntrack", "list", "expect"]).lines().count(), 1);
        same(&["conntrack", "list", "expect"], "conntrack -L expect");
        let ran = run(&["conntrack", "list", "exp"]);
        assert!(ran.err.ends_with(" expectations have been shown.\n"), "{}", ran.err);
    });
}

/// The messages of a dump, as the kernel sends them.
fn recorded_dump() -> Vec<u8> {
    let socket = Socket::open(Family::NETFILTER.0).unwrap();
    let mut request = Vec::new();
    List::default().encode(1, &mut request).unwrap();
    socket.send(&request).unwrap();
    let (mut ring, mut bytes) = (nl_socket::Ring::default(), Vec::new());
    loop {
        for slot in 0..ring.receive(&socket, Wait::at_most(Duration::from_secs(5))).unwrap() {
            bytes.extend(ring.datagram(slot).unwrap().bytes);
        }
        if Messages::new(&bytes).any(|m| m.unwrap().header.message_type == header::NLMSG_DONE) {
            return bytes;
        }
    }
}

#[test]
fn a_recorded_dump_decodes_to_the_lines_of_conntrack() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        zoo();
        for words in ["conntrack", "conntrack,extended,id,ktimestamp"] {
            let theirs = match words.split_once(',') {
                None => "conntrack -L".to_owned(),
                Some((_, words)) => format!("conntrack -L -o {words}"),
            };
            let decode = ["decode", "--protocol", "netfilter", "-o", words, "-"];
            between(|| run_with(&decode, &recorded_dump()).out, || sh(&theirs));
        }
    });
}

/// Packets are tracked, their flows announced.
fn track() {
    sh("ip link set lo up
        nft add table t; nft add chain t c '{ type filter hook output priority 0; }'
        nft add rule t c ct state new counter");
}

#[test]
fn events_are_those_of_conntrack() {
    live(|| {
        if !need(&["conntrack", "nft"]) {
            return;
        }
        track();
        let theirs = Watcher::start("conntrack", "-E -o id,extended");
        let ours = Watcher::start(OURS, "watch -o id,extended");
        let json = Watcher::start(OURS, "watch --json");
        let mut events = Events::open(Family::NETFILTER, &groups::FLOWS).unwrap();
        wait_until("listeners", || masks() == [7; 4]);
        let mut count = 0;
        // Lets all read before more is sent, so that no queue overflows.
        let mut pause = || {
            while let Some(event) = events.next(Wait::Never).unwrap() {
                assert!(matches!(event, Event::Message { .. }), "{event:?}");
                count += 1;
            }
            all_read();
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        for _ in 0..20 {
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut server, _) = listener.accept().unwrap();
            client.write_all(b"x").unwrap();
            server.read_exact(&mut [0]).unwrap();
            pause();
        }
        let (one, two) = (UdpSocket::bind("[::1]:0").unwrap(), UdpSocket::bind("[::1]:0").unwrap());
        one.send_to(b"x", two.local_addr().unwrap()).unwrap();
        two.send_to(b"x", one.local_addr().unwrap()).unwrap();
        // The state of the last packets: no more events but the ends.
        wait_until("ends of conversations", || {
            pause();
            sh("conntrack -L -p tcp --state TIME_WAIT").lines().count() == 20
        });
        sh("conntrack -F");
        pause();
        assert!(count >= 20 * 4, "{count}");
        let [theirs, ours, json] = [theirs, ours, json].map(|watcher| {
            wait_until("all events", || watcher.lines() >= count);
            watcher.end()
        });
        assert_eq!(anonymous(&ours.out), anonymous(&theirs.out));
        assert_eq!(anonymous(&ours.err), anonymous(&theirs.err));
        assert!(ours.err.ends_with(&format!(": {count} flow events have been shown.\n")));
        for (line, event) in ours.out.lines().zip(json.out.lines()) {
            let event: Value = serde_json::from_str(event).unwrap();
            let tag = event["event"].as_str().unwrap().to_uppercase();
            assert!(line.contains(&format!("[{tag}]")), "{line}");
        }
    });
}

/// A flow of its own for every number.
fn flow(number: u16) -> Flow {
    let tuple = Tuple::with_ports(
        IpProtocol::TCP,
        (Ipv4Addr::new(10, 0, 0, 1).into(), number),
        (Ipv4Addr::new(10, 0, 0, 2).into(), 80),
    );
    Flow {
        timeout: Some(600),
        protocol_info: Some(ProtocolInfo::tcp(TcpState::ESTABLISHED)),
        ..Flow::new(tuple)
    }
}

#[test]
fn lost_events_are_counted() {
    live(|| {
        const FLOWS: u16 = 3000;
        if !need(&["conntrack"]) {
            return;
        }
        let watch = Watcher::start(OURS, "watch --json -b 100000");
        wait_until("a listener", || masks() == [7]);
        watch.stop();
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        for result in connection.batch((1..=FLOWS).map(|number| Change::create(flow(number)))) {
            result.unwrap();
        }
        watch.signal("CONT");
        let (mut seen, mut lost) = (0, 0);
        wait_until("all events, seen or lost", || {
            (seen, lost) = (0, 0);
            let out = watch.out();
            for line in out.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
                let event: Value = serde_json::from_str(line).unwrap();
                match event["event"].as_str().unwrap() {
                    "new" => seen += 1,
                    "loss" => {
                        assert_eq!(event["reason"], "overrun");
                        lost += event["dropped"].as_u64().unwrap();
                    }
                    other => panic!("{other}: {line}"),
                }
            }
            seen + lost >= u64::from(FLOWS)
        });
        let err = watch.end().err;
        assert!(lost > 0 && seen > 0, "{seen} seen, {lost} lost");
        assert_eq!(seen + lost, u64::from(FLOWS), "{err}");
        assert!(err.contains(&format!("overrun: {lost} messages lost")), "{err}");
        assert!(err.starts_with("NOTICE: Netlink socket buffer size has been set to "), "{err}");
    });
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        for result in connection.batch((1..5000).map(|number| Change::create(flow(number)))) {
            result.unwrap();
        }
        for form in [&["conntrack", "list"][..], &["-j", "conntrack", "list"]] {
            let mut child =
                Running::start(command(form).stdout(Stdio::piped()).stderr(Stdio::piped()));
            let mut reader = BufReader::new(child.stdout.take().unwrap());
            let mut byte = [0];
            reader.read_exact(&mut byte).unwrap();
            assert!(byte == *b"t" || reader.fill_buf().is_ok());
            drop(reader);
            let output = child.output();
            assert_eq!(output.status.code(), Some(0));
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        }
    });
}

#[test]
fn other_namespaces() {
    live(|| {
        if !need(&["conntrack", "ip"]) {
            return;
        }
        sh("ip netns add there
            ip netns exec there conntrack -I -t 100 -s 10.0.0.1 -d 10.0.0.2 -p 99");
        let count = |words: &[&str]| nlctl(words).lines().count();
        assert_eq!(count(&["conntrack", "list"]), 0);
        assert_eq!(count(&["-n", "there", "conntrack", "list"]), 1);
        assert_eq!(count(&["conntrack", "list", "--netns", "/run/netns/there"]), 1);
        let asleep = ["netns", "exec", "there", "sleep", "30"];
        let asleep = Running::start(Command::new("ip").args(asleep));
        // It is in the other namespace soon.
        let there = asleep.id().to_string();
        wait_until("a process there", || count(&["-netns", &there, "conntrack", "list"]) == 1);
    });
}

#[test]
fn without_privilege_one_line_says_what_helps() {
    live(|| {
        if !need(&["setpriv"]) {
            return;
        }
        let program = env!("CARGO_BIN_EXE_nlctl");
        let fails = |words: &str| {
            let script = format!(
                "setpriv --bounding-set -all --inh-caps -all {program} {words} 2>&1 || true"
            );
            let text = sh(&script);
            assert_eq!(text.lines().count(), 1, "{text}");
            assert!(text.contains("CAP_NET_ADMIN") && text.contains("root"), "{text}");
        };
        fails("conntrack list");
        fails("conntrack watch");
    });
}

#[test]
fn trace_shows_the_messages() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        connection.run(Change::create(flow(1))).unwrap();
        let ran = run(&["--trace", "conntrack", "list"]);
        assert!(ran.err.starts_with("> IPCTNL_MSG_CT_GET, "), "{}", ran.err);
        assert!(ran.err.contains("\n< IPCTNL_MSG_CT_NEW, ") && ran.err.contains("\n< NLMSG_DONE"));
        assert_eq!(ran.out.lines().count(), 1);
    });
}
