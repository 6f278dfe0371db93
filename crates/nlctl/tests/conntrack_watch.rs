//! Events that are wanted, picked by the kernel and again by this program, beside `conntrack -E`.
#![cfg(target_os = "linux")]

mod common;
mod conntrack_common;
mod conntrack_lines;

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, SystemTime};

use common::Ran;
use conntrack_common::{OURS, Watcher, all_read, anonymous, masks, own_etc, queues};
use conntrack_lines::ZOO;
use nl_conntrack::parse::{Command, Line, words};
use nl_conntrack::text::LabelNames;
use nl_conntrack::{Change, Event, Flow, IpProtocol, ProtocolInfo, TcpState, Tuple, groups};
use nl_socket::netns::Netns;
use nl_socket::{Connection, Events, Wait};
use nl_testkit::{live, live_within, need, sh, skip, try_sh, wait_until};
use nl_wire::value::Family;

/// What to pick.
const PICKS: &str = r"
-p udp
-p 50
-p tcp --state ESTABLISHED
-p tcp --state TIME_WAIT
-p tcp --state SYN_SENT
-p tcp --dport 80
-p tcp --reply-port-dst 7000
-p udp --sport 4 --dport 53
-p sctp --state ESTABLISHED
-p sctp --sport 7
-p icmp
-p icmp --icmp-type 8
-p icmp --icmp-type 0
-p gre
-s 10.0.0.1
-s 10.0.0.0/24
-s 10.0.0.0/23 -d 10.0.0.2/32
-s 10.0.0.1 --mask-src 255.0.255.0
-s 127.0.0.0/8
-d 2001:db8::/32
-d ::1
-s ::/0
-r 10.0.0.2
-q 192.0.2.1
-r 192.0.2.1
-f ipv4
-f ipv6
-f ipv6 -p tcp
-m 5
-m 5/0xf
-m 77
-w 7
-w 0
--orig-zone 3
--reply-zone 3
--orig-zone 0
-n
-g
-j
-n 192.0.2.1
-n 192.0.2.1:7000
-g 192.0.2.1:7000
-g 192.0.2.1
-n -g
-j 192.0.2.1
-l foo
-l foo,baz
-e NEW
-e NEW -p tcp
-e DESTROY,UPDATES -s 10.0.0.0/23
-e UPDATES -m 77
-e UPDATES -p tcp --state ESTABLISHED
-o id,extended -p udp -s 10.0.0.1
-o xml -p udp -d 10.0.0.2
-o save -p tcp -f ipv4
";

/// Conversations over TCP, one of them with a translated port, and over UDP.
fn talk(host: &str, pause: &mut dyn FnMut()) {
    let server = TcpListener::bind((host, 0)).unwrap();
    let port = server.local_addr().unwrap().port();
    sh(&format!(
        "nft flush chain inet t out
         nft add rule inet t out tcp dport 8080 redirect to :{port}"
    ));
    for port in [port, 8080] {
        let mut client = TcpStream::connect((host, port)).unwrap();
        let (mut peer, _) = server.accept().unwrap();
        client.write_all(b"x").unwrap();
        peer.read_exact(&mut [0]).unwrap();
        pause();
    }
    let one = UdpSocket::bind((host, 0)).unwrap();
    let two = UdpSocket::bind((host, 0)).unwrap();
    one.send_to(b"x", two.local_addr().unwrap()).unwrap();
    two.send_to(b"x", one.local_addr().unwrap()).unwrap();
    pause();
}

/// Of these conntrack(8) shows next to nothing: it does not take a mark that the kernel does not tell
/// for 0.
const UNMARKED: [&str; 2] = ["-m 0", "-m 0/0"];

/// The groups that a line of options listens to, as bits.
fn mask(line: &Line) -> u32 {
    let wanted = line.options.events.unwrap_or([true; 3]);
    wanted.iter().zip([1, 2, 4]).filter(|row| *row.0).map(|row| row.1).sum()
}

/// Both pick the same events, and as many as are picked here of all.
#[test]
fn picked_events_are_those_of_conntrack() {
    live_within(Duration::from_secs(120), || {
        if !need(&["conntrack", "nft"]) {
            return;
        }
        own_etc();
        sh("ip link set lo up
            nft add table inet t
            nft add chain inet t out '{ type nat hook output priority -100; }'");
        let rule = "nft add chain inet t labels '{ type filter hook output priority 0; }'
                    nft add rule inet t labels udp dport 9 ct label set 3";
        if let Err(error) = try_sh(rule) {
            return skip(&format!("no labels: {error}"));
        }
        let labels = LabelNames::parse("0 foo\n1 bar\n2 baz\n").unwrap();
        let lines: Vec<(String, Line)> = PICKS
            .lines()
            .filter(|pick| !pick.is_empty())
            .chain(UNMARKED)
            .map(|pick| format!("-E {pick}"))
            .map(|line| {
                let parsed = Line::parse(words(&line).unwrap(), Some(&labels)).unwrap();
                (line, parsed)
            })
            .collect();
        let mut all = Events::open(Family::NETFILTER, &groups::FLOWS).unwrap();
        let watchers: Vec<Vec<Watcher>> = lines
            .iter()
            .map(|(line, _)| {
                let unmarked = UNMARKED.iter().any(|pick| line.ends_with(pick));
                let programs = ["conntrack", OURS].into_iter().skip(usize::from(unmarked));
                programs.map(|program| Watcher::start(program, line)).collect()
            })
            .collect();
        let pairs = watchers.iter().zip(&lines);
        let mut expected: Vec<u32> =
            pairs.flat_map(|(watchers, line)| vec![mask(&line.1); watchers.len()]).collect();
        expected.push(7);
        expected.sort_unstable();
        wait_until("listeners", || masks() == expected);

        let (mut counts, mut total) = (vec![0; lines.len()], 0);
        // Lets all read before more is sent, so that no queue overflows.
        let mut pause = || {
            while let Some(event) = all.next(Wait::Never).unwrap() {
                let nl_socket::Event::Message { message, .. } = event else { panic!("{event:?}") };
                let event = Event::decode(&message).unwrap().unwrap();
                total += 1;
                for ((_, line), count) in lines.iter().zip(&mut counts) {
                    let wanted = line.options.events.unwrap_or([true; 3])[event.kind as usize];
                    let wanted = wanted && line.options.matches(&event.flow, Command::Event);
                    *count += usize::from(wanted);
                }
            }
            all_read();
        };
        for line in ZOO.lines().filter(|line| !line.is_empty()) {
            sh(&format!("conntrack -I -t 1000 {line}"));
            pause();
        }
        for line in [
            "-U -s 10.0.0.1 -d 10.0.0.2 -p tcp -m 77",
            "-U -s 2001:db8::1 -d 2001:db8::2 -m 77",
            "-D -p tcp",
            "-D -f ipv6",
            "-F",
        ] {
            // conntrack(8) fails where some of the flows can't be changed.
            let _ = try_sh(&format!("conntrack {line}"));
            pause();
        }
        talk("127.0.0.1", &mut pause);
        talk("::1", &mut pause);
        // The state of the last packets: no more events but the ends.
        wait_until("ends of conversations", || {
            sh("conntrack -L -p tcp --state TIME_WAIT").lines().count() == 4
        });
        sh("conntrack -F");
        pause();
        assert!(total >= 70, "{total}");

        let (mut different, mut empty) = (String::new(), Vec::new());
        for ((watchers, count), (line, _)) in watchers.into_iter().zip(counts).zip(&lines) {
            let head = if line.contains("xml") { 2 } else { 0 };
            let ends = watchers.into_iter().map(|watcher| {
                wait_until(line, || watcher.lines() >= head + count);
                let Ran { code, out, err } = watcher.end();
                Ran { code, out: anonymous(&out), err: anonymous(&err) }
            });
            let ends: Vec<Ran> = ends.collect();
            if count == 0 {
                empty.push(line);
            }
            let told = format!("conntrack: {count} flow events have been shown.\n");
            if ends.iter().any(|ran| *ran != ends[0] || ran.err != told) {
                different.extend([format!("{line} {count}\n{ends:#?}\n")]);
            }
        }
        assert!(different.is_empty(), "{different}");
        // One is meant to find nothing.
        assert_eq!(empty, ["-E -p icmp --icmp-type 0"]);
    });
}

/// What is not wanted takes no place in the queue: that does not overflow even while nobody reads.
#[test]
fn the_kernel_leaves_out_what_is_not_wanted() {
    live(|| {
        const FLOWS: u16 = 3000;
        let start = |line: &str| Watcher::start(OURS, line);
        let all = start("-E");
        let picky =
            ["-E -s 10.9.9.0/24", "-E -p tcp --dport 9", "-E -j 10.9.9.9 --json"].map(start);
        wait_until("listeners", || masks() == [7; 4]);
        picky.iter().chain([&all]).for_each(Watcher::stop);
        let flow = |source: [u8; 4], source_port, port| {
            let (source, destination) = (source.into(), [10, 0, 0, 2].into());
            let ends = ((source, source_port), (destination, port));
            let timeout = Some(600);
            let protocol_info = Some(ProtocolInfo::tcp(TcpState::ESTABLISHED));
            let tuple = Tuple::with_ports(IpProtocol::TCP, ends.0, ends.1);
            Change::create(Flow { timeout, protocol_info, ..Flow::new(tuple) })
        };
        let wanted = (1..=3_u8).map(|host| Change {
            nat_source: Some(IpAddr::from([10, 9, 9, 9]).into()),
            ..flow([10, 9, 9, host], 1, 9)
        });
        let others = (1..=FLOWS).map(|port| flow([10, 0, 0, 1], port, 80));
        let changes: Vec<_> = others.clone().chain(wanted).collect();
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        for result in connection.batch(changes) {
            result.unwrap();
        }
        assert!(all.queue().1 > 100, "{:?}", all.queue());
        for watcher in &picky {
            let (bytes, drops) = watcher.queue();
            assert!(bytes > 0 && drops == 0, "{bytes} {drops}");
        }
        for watcher in picky {
            watcher.signal("CONT");
            wait_until("three events", || watcher.lines() == 3);
            let ran = watcher.end();
            assert_eq!(anonymous(&ran.err), "conntrack: 3 flow events have been shown.\n");
        }
        all.signal("CONT");
        wait_until("a loss", || all.err().contains("overrun: "));
    });
}

/// The same of one that hears all namespaces: of another, too, what is not wanted does not arrive;
/// what may change while a flow lives is looked at here.
#[test]
fn the_kernel_leaves_out_what_is_not_wanted_of_any_namespace() {
    live(|| {
        if !need(&["ip", "conntrack"]) {
            return;
        }
        sh("ip netns add blue
            ip netns exec blue sysctl -qw net.netfilter.nf_conntrack_events=1");
        let blue = Netns::named("blue").unwrap();
        let mut connection = Connection::open_in(Family::NETFILTER, &blue).unwrap();
        let flow = |host, port, to, mark| {
            let ends = (([10, 0, 0, host].into(), port), ([10, 0, 0, 2].into(), to));
            let protocol_info = Some(ProtocolInfo::tcp(TcpState::ESTABLISHED));
            let tuple = Tuple::with_ports(IpProtocol::TCP, ends.0, ends.1);
            Flow { timeout: Some(600), protocol_info, mark: Some(mark), ..Flow::new(tuple) }
        };
        let mut waited = [0; 2];
        for (line, waited) in ["", " -p tcp --dport 9 -m 4 -e NEW,DESTROY"].iter().zip(&mut waited)
        {
            let there = flow(9, 1, 9, 4);
            connection.run(Change::create(there)).unwrap();
            let watcher = Watcher::start(OURS, &format!("watch --all-netns{line}"));
            wait_until("a listener", || masks() == [7]);
            // It follows the other namespace, and has listed it.
            let mut port = 100;
            wait_until("an event", || {
                port += 1;
                connection.run(Change::create(flow(7, port, 9, 4))).unwrap();
                connection.run(Change::delete(flow(7, port, 9, 4))).unwrap();
                watcher.out().contains("[DESTROY]")
            });
            watcher.stop();
            let queue = || match queues()[..] {
                [(bytes, 0)] => bytes,
                ref other => panic!("{other:?}"),
            };
            let before = queue();
            for result in
                connection.batch((1..=50).map(|port| Change::create(flow(1, port, 80, 4))))
            {
                result.unwrap();
            }
            *waited = queue() - before;
            // Of four that may be wanted two are; the mark of one changes.
            for (port, mark) in [(1, 4), (2, 5), (3, 4), (4, 5)] {
                connection.run(Change::create(flow(1, port, 9, mark))).unwrap();
            }
            connection.run(Change::update(flow(1, 4, 9, 4))).unwrap();
            connection.run(Change::delete(flow(1, 4, 9, 4))).unwrap();
            sh("ip netns exec blue conntrack -F");
            watcher.signal("CONT");
            let count = |what: &str| {
                let out = watcher.out();
                let lines = out.lines().filter(|line| !line.contains(" src=10.0.0.7 "));
                lines.filter(|line| line.contains(what)).count()
            };
            if line.is_empty() {
                wait_until("all ends", || count("[DESTROY]") == 55);
                assert_eq!((count("[NEW]"), count("[UPDATE]"), count("dport=80 ")), (54, 1, 100));
            } else {
                // One was there before, and one has become what is wanted: of both the end is shown.
                wait_until("all ends", || count("[DESTROY]") == 4);
                assert_eq!((count("[NEW]"), count("[UPDATE]"), count("dport=80 ")), (2, 0, 0));
                assert_eq!((count("mark=4"), count("mark=5")), (6, 0), "{}", watcher.out());
            }
            let ran = watcher.end();
            assert_eq!((ran.code, &*ran.err), (0, ""));
        }
        assert!(waited[0] > 10_000 && waited[1] == 0, "{waited:?}");
    });
}

/// An event with a time in front, cut in two.
fn timed(text: &str) -> (f64, &str) {
    let (time, rest) = text.split_once("]\t").unwrap();
    let time = time.strip_prefix('[').unwrap();
    let (_, fraction) = time.split_once('.').unwrap();
    assert_eq!(fraction.len(), 6, "{text}");
    (time.parse().unwrap(), rest)
}

fn clock() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64()
}

/// `-o timestamp`: when it was shown, in the forms of conntrack(8).
#[test]
fn times_of_events() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        let forms = [("timestamp,id", 0), ("timestamp,xml", 2)];
        let watchers = forms.map(|(form, head)| {
            let line = format!("-E -e NEW -o {form}");
            (["conntrack", OURS].map(|program| Watcher::start(program, &line)), head)
        });
        wait_until("listeners", || masks() == [1; 4]);
        let (before, mut made) = (clock(), 0);
        // Both see the same second, if not this time then the next.
        wait_until("the same second", || {
            made += 1;
            sh(&format!("conntrack -I -t 100 -s 10.0.0.1 -d 10.0.0.2 -p {}", 150 + made));
            let last = |watcher: &Watcher, head: usize| {
                wait_until("an event", || watcher.lines() == made + head);
                anonymous(watcher.out().lines().last().unwrap())
            };
            let [text, xml] = watchers
                .each_ref()
                .map(|(pair, head)| pair.each_ref().map(|watcher| last(watcher, *head)));
            let [theirs, ours] = text.each_ref().map(|line| {
                let (time, rest) = timed(line);
                assert!((before - 1.0..clock() + 1.0).contains(&time), "{line}");
                rest
            });
            assert_eq!(theirs, ours);
            let plain = |line: &str| {
                let (before, rest) = line.split_once("<when>").unwrap();
                before.to_owned() + rest.split_once("</when>").unwrap().1
            };
            assert_eq!(plain(&xml[0]), plain(&xml[1]));
            xml[0] == xml[1]
        });
    });
}
