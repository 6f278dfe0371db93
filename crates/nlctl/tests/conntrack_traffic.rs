//! Flows and expectations that packets made, as conntrack(8) shows them.
#![cfg(target_os = "linux")]

mod common;
mod conntrack_common;

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use common::{Ran, nlctl};
use conntrack_common::{OURS, Watcher, anonymous, masks, same, shell};
use nl_conntrack::{Change, Flow, IpProtocol, Tuple, groups};
use nl_socket::{Connection, Event, Events, NetlinkOption, Socket, Wait};
use nl_testkit::{agree, live, live_within, need, sh, skip, try_sh, wait_until};
use nl_wire::value::Family;
use serde_json::Value;

/// How both differ, line by line.
fn different(lines: &[String]) -> String {
    lines.iter().filter_map(|line| same(line).err()).collect()
}

/// Packets are tracked, and some of them lost behind the tracking, so that connections stay in the
/// states that they are in. Each state has a port of its own.
const RULES: &str = "
    ip link set lo up
    cd /proc/sys/net/netfilter
    for what in acct timestamp events; do echo 1 > nf_conntrack_$what; done
    for what in syn_sent syn_recv fin_wait close_wait last_ack time_wait close; do
        echo 1000 > nf_conntrack_tcp_timeout_$what
    done
    nft -f - <<'END'
    table inet t {
        chain in {
            type filter hook input priority 0
            tcp dport 1001 drop
            tcp sport 1002 drop
            tcp dport 1003 tcp flags & fin == fin drop
            tcp sport 1004 tcp flags & fin == fin drop
            udp dport 1009 ct mark set 0x77
        }
        chain once {
            type filter hook output priority -300
            tcp dport 1003 tcp flags & fin == fin numgen inc mod 1000000 > 0 drop
            tcp dport 1004 tcp flags & fin == fin numgen inc mod 1000000 > 0 drop
        }
        chain out {
            type nat hook output priority -100
            tcp dport 8080 redirect to :1008
        }
        chain from {
            type nat hook postrouting priority 100
            ip daddr 127.0.0.1 tcp dport 1010 snat ip to 127.0.0.9:5000-6000
        }
    }\nEND\n";

/// What keeps connections alive.
type Ends = Vec<(TcpStream, TcpStream)>;

fn tcp(to: &str) -> (TcpStream, TcpStream) {
    // The port where 8080 leads.
    let at: SocketAddr = to.replace(":8080", ":1008").parse().unwrap();
    let server = TcpListener::bind(at).unwrap();
    let client = TcpStream::connect(to).unwrap();
    (client, server.accept().unwrap().0)
}

/// A connection in each state that packets bring it to.
fn states() -> Ends {
    let soon = Duration::from_millis(100);
    let server = TcpListener::bind("127.0.0.1:1002").unwrap();
    for to in ["127.0.0.1:1001", "127.0.0.1:1002"] {
        assert!(TcpStream::connect_timeout(&to.parse().unwrap(), soon).is_err());
    }
    drop(server);
    let mut ends: Ends = ["127.0.0.1:1003", "127.0.0.1:1004", "127.0.0.1:1005"].map(tcp).into();
    for (client, _) in &ends {
        client.shutdown(Shutdown::Write).unwrap();
    }
    let last = &mut ends[1].1;
    assert_eq!(last.read(&mut [0]).unwrap(), 0);
    last.shutdown(Shutdown::Write).unwrap();
    // Both ends closed, one after the other; and one with something unread.
    let (client, mut peer) = tcp("127.0.0.1:1006");
    drop(client);
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
    drop(peer);
    let (mut client, peer) = tcp("127.0.0.1:1007");
    client.write_all(b"x").unwrap();
    peer.peek(&mut [0]).unwrap();
    drop(peer);
    for to in ["127.0.0.1:8080", "127.0.0.1:1010", "[::1]:1008", "[::1]:8080"] {
        let (mut client, mut peer) = tcp(to);
        client.write_all(b"request").unwrap();
        peer.read_exact(&mut [0; 7]).unwrap();
        peer.write_all(b"answer").unwrap();
        client.read_exact(&mut [0; 6]).unwrap();
        ends.push((client, peer));
    }
    for host in ["127.0.0.1", "::1"] {
        let [one, two] = [0, 1009].map(|port| UdpSocket::bind((host, port)).unwrap());
        one.send_to(b"ask", (host, 1009)).unwrap();
        let (_, from) = two.recv_from(&mut [0; 3]).unwrap();
        two.send_to(b"answer", from).unwrap();
        one.send_to(b"nobody", (host, 1011)).unwrap();
    }
    ends
}

#[test]
fn states_of_real_connections() {
    live(|| {
        if !need(&["conntrack", "nft"]) {
            return;
        }
        if let Err(error) = try_sh(RULES) {
            return skip(&format!("no rules: {error}"));
        }
        let ends = states();
        let states = [
            "SYN_SENT",
            "SYN_RECV",
            "FIN_WAIT",
            "LAST_ACK",
            "CLOSE_WAIT",
            "TIME_WAIT",
            "CLOSE",
            "ESTABLISHED",
        ];
        wait_until("a connection in each state", || {
            let table = sh("conntrack -L -p tcp");
            states.iter().all(|state| table.contains(&format!(" {state} ")))
        });
        let mut lines: Vec<String> =
            states.map(|state| format!("-L -p tcp --state {state}")).into();
        lines.extend(
            [
                "-L",
                "-L -o extended,id,ktimestamp",
                "-L -o xml",
                "-L -o xml,ktimestamp",
                "-L -o save",
                "-L -u ASSURED",
                "-L -u SEEN_REPLY,ASSURED -o xml",
                "-L -u UNREPLIED",
                "-L -j",
                "-L -n",
                "-L -g",
                "-L -g 127.0.0.1",
                "-L -g 127.0.0.1:1008",
                "-L -n 127.0.0.9",
                "-L -f ipv6",
                "-L -m 0x77",
                "-L -p udp",
                "-L -p tcp --dport 1005",
                "-C",
                "-S",
                "-D -p tcp --dport 1",
            ]
            .map(str::to_owned),
        );
        let different = different(&lines);
        assert!(different.is_empty(), "{different}");

        let flows: Value = serde_json::from_str(&nlctl(&["conntrack", "list", "--json"])).unwrap();
        let of = |port: u64| {
            let port = Value::from(port);
            let mut flows = flows.as_array().unwrap().iter();
            flows.find(|flow| flow["original"]["destination_port"] == port).unwrap()
        };
        for (port, state) in (1001..).zip(states) {
            assert_eq!(of(port)["protocol_info"]["tcp"]["state"], state, "{port}");
        }
        for key in ["window_scale_original", "flags_reply"] {
            assert!(!of(8080)["protocol_info"]["tcp"][key].is_null(), "{key}: {}", of(8080));
        }
        assert_eq!(of(1009)["mark"], 0x77);

        // Counters of what is not shown are kept; conntrack(8) sets them all to zero.
        let zeroed = nlctl(&["conntrack", "-L", "-n", "-z"]);
        assert!(zeroed.contains("dport=1010 packets=") && zeroed.lines().count() == 1, "{zeroed}");
        let table = sh("conntrack -L");
        let line = |port: &str| table.lines().find(|line| line.contains(port)).unwrap().to_owned();
        assert!(line("dport=1010 ").contains(" packets=0 bytes=0 "), "{}", line("dport=1010 "));
        assert!(!line("dport=1005 ").contains(" packets=0 bytes=0 "), "{}", line("dport=1005 "));
        // Translated flows of both kinds, each once.
        let mut zeroed: Vec<_> =
            nlctl(&["conntrack", "-L", "-j", "-z"]).lines().map(port).collect();
        zeroed.sort();
        assert_eq!(zeroed, ["dport=1010", "dport=8080", "dport=8080"]);
        drop(ends);
    });
}

/// The destination port of a line.
fn port(line: &str) -> String {
    line.split(' ').find(|word| word.starts_with("dport=")).unwrap_or_default().to_owned()
}

/// Helpers that the kernel runs over packets, what they expect, and what came of it.
#[test]
fn helpers_and_what_they_expect() {
    live_within(Duration::from_secs(90), || {
        if !need(&["conntrack", "nft"]) {
            return;
        }
        let rules = "ip link set lo up
            nft -f - <<'END'
            table ip t {
                ct helper f { type \"ftp\" protocol tcp; }
                ct helper g { type \"tftp\" protocol udp; }
                chain out {
                    type filter hook output priority 0
                    tcp dport 2121 ct helper set \"f\"
                    udp dport 69 ct helper set \"g\"
                }
            }
            table ip6 t {
                ct helper f { type \"ftp\" protocol tcp; l3proto ip6; }
                chain out {
                    type filter hook output priority 0
                    tcp dport 2121 ct helper set \"f\"
                }
            }\nEND\n";
        if let Err(error) = try_sh(rules) {
            return skip(&format!("no helpers: {error}"));
        }
        let watchers = ["conntrack", OURS].map(|program| Watcher::start(program, "-E expect"));
        let mut events = Events::open(Family::NETFILTER, &groups::EXPECTATIONS).unwrap();
        wait_until("listeners", || masks() == [0x38; 3]);

        let (mut client, mut server) = tcp("127.0.0.1:2121");
        let data = TcpListener::bind("127.0.0.1:1234").unwrap();
        for line in ["220 ready\r\n", "227 Entering Passive Mode (127,0,0,1,4,210)\r\n"] {
            server.write_all(line.as_bytes()).unwrap();
            client.read_exact(&mut vec![0; line.len()]).unwrap();
        }
        let one = UdpSocket::bind("127.0.0.1:0").unwrap();
        one.send_to(b"\0\x01file\0octet\0", "127.0.0.1:69").unwrap();
        let (mut client6, mut server6) = tcp("[::1]:2121");
        for line in ["220 ready\r\n", "229 Entering Extended Passive Mode (|||1235|)\r\n"] {
            server6.write_all(line.as_bytes()).unwrap();
            client6.read_exact(&mut vec![0; line.len()]).unwrap();
        }
        wait_until("expectations", || {
            let count =
                |family: &str| sh(&format!("conntrack -L expect -f {family}")).lines().count();
            count("ipv4") == 2 && count("ipv6") == 1
        });
        let lines =
            |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let both = lines(&[
            "-L expect -f ipv4",
            "-L exp -f ipv6",
            "-L",
            "-L -o xml",
            "-L -o extended,id",
            "-S expect",
        ]);
        let before = different(&both);
        assert!(before.is_empty(), "{before}");
        let shown = nlctl(&["conntrack", "-L", "-p", "tcp"]);
        assert!(shown.contains(" helper=ftp "), "{shown}");
        let expected: Value =
            serde_json::from_str(&nlctl(&["conntrack", "list", "expect", "--json"])).unwrap();
        let mut helpers: Vec<_> =
            expected.as_array().unwrap().iter().map(|one| one["helper"].as_str()).collect();
        helpers.sort_unstable();
        assert_eq!(helpers, [Some("ftp"), Some("ftp"), Some("tftp")], "{expected}");

        // With the time of day: as many columns, and the same behind.
        let timed = |program: &str| {
            let lines = shell(program, "-L exp -f ipv4 -o timestamp").out;
            let rest = |line: &str| {
                line.split_once("]\t").map(|(time, rest)| (time.len(), rest.to_owned()))
            };
            lines.lines().map(rest).collect::<Vec<_>>()
        };
        let (ours, theirs) = agree(|| timed(OURS), || timed("conntrack"));
        assert_eq!(ours, theirs);
        assert_eq!(ours.iter().flatten().map(|row| row.0).collect::<Vec<_>>(), [18; 2]);
        // conntrack(8) lists and counts those of IPv4 if no family is named.
        assert_eq!(nlctl(&["conntrack", "-L", "expect"]).lines().count(), 3);
        assert_eq!(nlctl(&["conntrack", "-C", "expect"]), "3\n");
        // What was expected came.
        let (other, _peer) =
            (TcpStream::connect("127.0.0.1:1234").unwrap(), data.accept().unwrap());
        wait_until("an expected flow", || sh("conntrack -L -u EXPECTED").lines().count() == 1);
        let after = different(&lines(&[
            "-L -u EXPECTED",
            "-L -u EXPECTED -o save",
            "-L -u EXPECTED -o xml",
            "-L expect -f ipv4",
            "-L",
            "-L -p tcp -o extended,id",
        ]));
        assert!(after.is_empty(), "{after}");
        let child: Value =
            serde_json::from_str(&nlctl(&["conntrack", "list", "-u", "EXPECTED", "--json"]))
                .unwrap();
        assert_eq!(child[0]["master"]["destination_port"], 2121, "{child}");

        assert_eq!(nlctl(&["conntrack", "flush", "expect"]), "");
        drop(other);
        let mut count = 0;
        while let Some(event) = events.next(Wait::Never).unwrap() {
            assert!(matches!(event, Event::Message { .. }), "{event:?}");
            count += 1;
        }
        let [theirs, ours] = watchers.map(|watcher| {
            wait_until("expectations that came and went", || watcher.lines() >= count);
            let Ran { code, out, err } = watcher.end();
            Ran { code, out: anonymous(&out), err: anonymous(&err) }
        });
        assert_eq!(ours, theirs);
        let told = format!("conntrack: {count} expectation events have been shown.\n");
        assert!(ours.err == told && count >= 6, "{} {count}", ours.err);
    });
}

/// Flows whose end a listener waits for that has no room for it.
#[test]
fn lists_of_the_dying() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        let full = Socket::open(Family::NETFILTER.0).unwrap();
        full.set_option(NetlinkOption::BroadcastError, true).unwrap();
        full.set_receive_buffer(1).unwrap();
        full.join(groups::FLOWS[2]).unwrap();
        let flows = (1..=40_u8).map(|n| {
            let port = u16::from(n);
            let protocol = if port % 2 == 0 { IpProtocol::UDP } else { IpProtocol::UDPLITE };
            // Linux 7 knows no ports of UDP-Lite.
            let server = [10, 1, 0, n].into();
            let tuple = Tuple::with_ports(protocol, ([10, 0, 0, 1].into(), port), (server, 53));
            Flow { timeout: Some(600), mark: Some(port.into()), ..Flow::new(tuple) }
        });
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        for change in [Change::create, Change::delete] {
            for result in connection.batch(flows.clone().map(change)) {
                result.unwrap();
            }
        }
        let dying = sh("conntrack -L dying").lines().count();
        assert!((30..40).contains(&dying), "{dying}");
        assert_eq!(sh("conntrack -L"), "");
        let lines = [
            "-L dying",
            "-L dying -o id,extended",
            "-L dying -o save",
            "-L dying -p udp",
            "-L dying -f ipv6",
            "-L dying -m 20",
            "-L dying -s 10.0.0.1 -m 0",
            "-L unconfirmed",
            "-L",
            "-C",
        ];
        let different = different(&lines.map(str::to_owned));
        assert!(different.is_empty(), "{different}");
        let json: Value =
            serde_json::from_str(&nlctl(&["conntrack", "list", "dying", "--json"])).unwrap();
        assert_eq!(json.as_array().unwrap().len(), dying);
        // conntrack(8) forgets the end of this document.
        let (ours, theirs) = agree(
            || nlctl(&["conntrack", "-L", "dying", "-o", "xml"]),
            || sh("conntrack -L dying -o xml") + "</conntrack>\n",
        );
        assert_eq!(ours, theirs);
        drop(full);
    });
}
