//! Against a living kernel and conntrack(8): the same flows, the same lines.

#![cfg(all(target_os = "linux", not(miri)))]

use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{SystemTime, UNIX_EPOCH};

use nl_conntrack::stats::{GetGlobalStats, ListCpuStats, ListExpectStats};
use nl_conntrack::text::{self, LabelNames, Options};
use nl_conntrack::{
    Change, Event, ExpectFlags, Expectation, ExpectationEvent, Filter, Flow, Flush, Get, Helper,
    IpProtocol, List, ListExpectations, Masked, NatRange, ProtocolInfo, Sctp, SctpState, Status,
    TcpState, Tuple, groups, tables,
};
use nl_socket::{Connection, Events, Wait};
use nl_testkit::{between, listeners, live, need, sh, skip, try_sh, wait_until};
use nl_wire::table::Protocol;
use nl_wire::value::{AddressFamily, Family};
use nl_wire::{Errno, Flags, Message, Mode, Request, Writer};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn tuple(protocol: IpProtocol, source_port: u16) -> Tuple {
    Tuple::with_ports(protocol, (ip("10.0.0.1"), source_port), (ip("10.0.0.2"), 80))
}

fn open() -> Connection {
    Connection::open(Family::NETFILTER).unwrap()
}

fn list(connection: &mut Connection, list: List) -> Vec<Flow> {
    connection.dump(list).unwrap().collect::<Result<_, _>>().unwrap()
}

fn errno<T: std::fmt::Debug>(result: Result<T, nl_socket::Error>) -> Errno {
    result.unwrap_err().errno().unwrap()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Asserts that our lines are those of conntrack(8), but for timeouts that count down meanwhile.
fn agree(ours: impl Fn() -> Vec<String>, theirs: &str) {
    let lines = |lines: Vec<String>| lines.into_iter().map(|line| line + "\n").collect();
    between(|| lines(ours()), || sh(theirs));
}

/// Flows of all kinds, made by conntrack(8) and by us; times and counters are on.
fn zoo() {
    sh("sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1");
    let words = [
        "-p tcp --sport 1000 --dport 80 --state ESTABLISHED -u SEEN_REPLY,ASSURED -m 5",
        "-p tcp --sport 1001 --dport 80 --state SYN_SENT2 -u SEEN_REPLY,FIXED_TIMEOUT",
        "-p udp --sport 1000 --dport 53 -m 4294967295",
        "-p udplite --sport 1000 --dport 53",
        "-p sctp --sport 1 --dport 2 --state ESTABLISHED --orig-vtag 1 --reply-vtag 2",
        "-p dccp --sport 1 --dport 2 --state OPEN --role client",
        "-p icmp --icmp-type 8 --icmp-code 0 --icmp-id 77",
        "-p icmp --icmp-type 13 --icmp-code 0 --icmp-id 65535",
        "-p gre --srckey 1 --dstkey 0xabcd",
        "-p 50",
        "-p udp --sport 9 --dport 53 --orig-zone 3",
        "-p udp --sport 9 --dport 54 --reply-zone 4",
        "-p udp --sport 9 --dport 55 -w 5",
        "-p tcp --sport 9 --dport 56 --state SYN_SENT -n 192.0.2.1:7000",
        "-p tcp --sport 9 --dport 57 --state SYN_SENT -g 192.0.2.2",
    ];
    for words in words {
        sh(&format!("conntrack -I -s 10.0.0.1 -d 10.0.0.2 -t 1000 {words}"));
    }
    let words6 = [
        "-s 2001:db8::1 -d ::1.2.3.4 -p icmpv6 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 7",
        "-s ::ffff:1.2.3.4 -d 2001:db8:0:0:1:0:0:1 -p 41",
        "-s fe80::1 -d ff02::1 -p tcp --sport 5 --dport 6 --state TIME_WAIT -w 9",
        "-s ::1 -d ::2 -p udp --sport 5 --dport 6",
        "-s 1:0:0:2:0:0:0:3 -d 1:0:2:3:4:5:6:7 -p udp --sport 5 --dport 6",
    ];
    for words in words6 {
        sh(&format!("conntrack -I -t 1000 {words}"));
    }
    let mut connection = open();
    // States that conntrack(8) prints and does not take.
    for state in 0..=8 {
        let info =
            Sctp { state: Some(SctpState(state)), tag_original: Some(1), tag_reply: Some(2) };
        let flow = Flow {
            timeout: Some(1000),
            protocol_info: Some(ProtocolInfo::Sctp(info)),
            ..Flow::new(tuple(IpProtocol::SCTP, 3000 + u16::from(state)))
        };
        connection.run(Change::create(flow)).unwrap();
    }
    let with = |port, helper: &str| Flow {
        timeout: Some(1000),
        protocol_info: Some(ProtocolInfo::tcp(TcpState::ESTABLISHED)),
        helper: Some(Box::new(Helper { name: helper.into(), info: None })),
        ..Flow::new(tuple(IpProtocol::TCP, port))
    };
    if let Err(error) = connection.run(Change::create(with(2000, "ftp"))) {
        skip(&format!("no helper ftp: {error}"));
    }
    if let Err(error) = try_sh(
        "nft add table t; nft add chain t c '{ type filter hook output priority 0; }'
         nft add rule t c ct state new ct label set 3",
    ) {
        skip(&format!("no labels: {error}"));
    }
    let labelled = Flow {
        timeout: Some(1000),
        labels: Some([0, 17, 18, 127].into_iter().collect()),
        ..Flow::new(tuple(IpProtocol::UDP, 2001))
    };
    connection.run(Change::create(labelled)).unwrap();
}

const LABELS: &str = "# names\n0 zero\n\n 17\tseventeen \n127 last\n3 three\n";

/// conntrack(8) finds its label names in /etc, which the mount namespace makes our own.
fn install_labels() {
    sh("mkdir -p /run/etc/xtables; cp -L /etc/ld.so.cache /etc/localtime /run/etc || true");
    std::fs::write("/run/etc/xtables/connlabel.conf", LABELS).unwrap();
    sh("mount --bind /run/etc /etc");
}

#[test]
fn lists_are_those_of_conntrack() {
    live(|| {
        if !need(&["conntrack", "nft"]) {
            return;
        }
        zoo();
        install_labels();
        let names = LabelNames::parse(LABELS).unwrap();
        for bits in 0..16 {
            let [extended, id, ktimestamp, labels] = [1, 2, 4, 8].map(|bit| bits & bit != 0);
            let words = [
                (extended, "extended"),
                (id, "id"),
                (ktimestamp, "ktimestamp"),
                (labels, "labels"),
            ];
            let words: Vec<_> = words.iter().filter(|word| word.0).map(|word| word.1).collect();
            let option = match words[..] {
                [] => String::new(),
                _ => format!("-o {}", words.join(",")),
            };
            let ours = || {
                let options = Options {
                    extended,
                    id,
                    ktimestamp,
                    labels: labels.then_some(&names),
                    now: now(),
                    ..Options::default()
                };
                let flows = list(&mut open(), List::default());
                assert!(flows.len() >= 22, "{}", flows.len());
                flows.iter().map(|flow| line(flow, &options)).collect()
            };
            agree(ours, &format!("TZ=UTC conntrack -L {option}"));
        }
    });
}

fn line(flow: &Flow, options: &Options<'_>) -> String {
    let mut line = String::new();
    text::flow(&mut line, flow, options);
    line
}

#[test]
fn expectations_are_those_of_conntrack() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        let mut connection = open();
        let Some(made) = expectations(&mut connection) else { return };
        let ours = || {
            let mut connection = open();
            let expectations = connection.dump(ListExpectations::default()).unwrap();
            let lines = expectations.map(|expectation| {
                let mut line = String::new();
                text::expectation(&mut line, &expectation.unwrap());
                line
            });
            lines.collect::<Vec<_>>()
        };
        assert_eq!(ours().len(), made.len());
        agree(ours, "conntrack -L expect");
        let of = |master| ListExpectations { master: Some((master, None)), ..Default::default() };
        let listed = open().dump(of(made[1].master)).unwrap().collect::<Result<Vec<_>, _>>();
        let listed = listed.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!((listed[0].tuple, listed[0].mask), (made[1].tuple, made[1].mask));
        assert_eq!(listed[0].flags, made[1].flags);
        assert_eq!(listed[0].unknown, []);
        let absent = of(tuple(IpProtocol::TCP, 1));
        assert_eq!(errno(open().dump(absent).unwrap().next().unwrap()), Errno::ENOENT);
    });
}

#[test]
fn create_get_update_delete() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        let mut connection = open();
        let original = tuple(IpProtocol::TCP, 1000);
        let flow = Flow {
            timeout: Some(600),
            mark: Some(0xff00),
            zone: Some(7),
            status: Some(Status::ASSURED | Status::SEEN_REPLY),
            protocol_info: Some(ProtocolInfo::tcp(TcpState::ESTABLISHED)),
            ..Flow::new(original)
        };
        let timeless = Flow { timeout: None, ..flow.clone() };
        assert!(connection.run(Change::create(timeless)).is_err());
        connection.run(Change::create(flow.clone())).unwrap();
        assert_eq!(errno(connection.run(Change::create(flow.clone()))), Errno::EEXIST);
        assert!(sh("conntrack -L -w 7").contains(" sport=1000 "));

        // Found by either direction, in its zone only.
        assert_eq!(errno(connection.get(Get::original(original))), Errno::ENOENT);
        let get = Get { zone: Some(7), ..Get::original(original) };
        let found = connection.get(get).unwrap();
        assert_eq!((found.original, found.reply), (flow.original, flow.reply));
        assert_eq!((found.mark, found.zone, found.zone_id()), (flow.mark, flow.zone, 7));
        assert!(found.status.unwrap().contains(Status::ASSURED | Status::CONFIRMED));
        assert!(found.unknown.is_empty());
        let by_reply = Get { zone: Some(7), ..Get::reply(flow.reply) };
        assert_eq!(connection.get(by_reply).unwrap().id, found.id);

        // Updates: the mark under a mask; what is set can't be cleared.
        let bare = Flow { zone: Some(7), ..Flow::new(original) };
        let change = Change {
            mark_mask: Some(0xff),
            ..Change::update(Flow { mark: Some(5), timeout: Some(900), ..bare.clone() })
        };
        connection.run(change).unwrap();
        let updated = connection.get(get).unwrap();
        assert_eq!(updated.mark, Some(0xff05));
        assert!(updated.timeout.unwrap() > 600);
        let clear = Change::update(Flow { status: Some(Status::CONFIRMED), ..bare.clone() });
        assert_eq!(errno(connection.run(clear)), Errno::EBUSY);
        // A listed flow can be sent back as it is.
        connection.run(Change::update(updated.clone())).unwrap();
        connection.run(Change::upsert(Flow { mark: Some(9), ..flow.clone() })).unwrap();
        assert!(sh("conntrack -L -w 7").contains(" mark=9 "));

        // A delete names one flow: neither another zone nor another id will do.
        let other = Flow { zone: None, ..flow.clone() };
        connection.run(Change::create(other)).unwrap();
        let wrong_id = Flow { id: found.id.map(|id| id ^ 1), ..found.clone() };
        assert_eq!(errno(connection.run(Change::delete(wrong_id))), Errno::ENOENT);
        let wrong_zone = Flow { zone: Some(8), ..found.clone() };
        assert_eq!(errno(connection.run(Change::delete(wrong_zone))), Errno::ENOENT);
        connection.run(Change::delete(found)).unwrap();
        assert_eq!(list(&mut connection, List::default()).len(), 1);
        let nothing = Change::delete(Flow::default());
        assert!(connection.run(nothing).is_err());
        assert_eq!(list(&mut connection, List::default()).len(), 1);
        connection.run(Change::delete_tuple(original, None)).unwrap();
        assert!(sh("conntrack -L").is_empty());
    });
}

#[test]
fn the_flows_of_a_host() {
    live(|| {
        sh("ip link set lo up");
        let mut connection = open();
        // One that the host opened, two that it answers, and a stranger's.
        let web = |client: &str, server: &str| {
            let tuple = Tuple::with_ports(IpProtocol::TCP, (ip(client), 4000), (ip(server), 80));
            Flow { timeout: Some(1000), ..Flow::new(tuple) }
        };
        let translated = Change {
            nat_destination: Some(ip("10.0.0.1").into()),
            ..Change::create(web("10.0.0.8", "192.0.2.1"))
        };
        let others = [("10.0.0.1", "10.0.0.2"), ("10.0.0.9", "10.0.0.1"), ("10.0.0.8", "10.0.0.2")]
            .map(|(client, server)| Change::create(web(client, server)));
        connection.run(translated).unwrap();
        connection.batch(others).collect::<Result<(), _>>().unwrap();

        let [opened, answered] = List::of_host(ip("10.0.0.1")).map(|of| list(&mut connection, of));
        let clients = |flows: &[Flow]| {
            let mut all: Vec<_> = flows.iter().map(|flow| flow.original.source).collect();
            all.sort();
            all
        };
        assert_eq!(clients(&opened), [ip("10.0.0.1")]);
        assert_eq!(clients(&answered), [ip("10.0.0.8"), ip("10.0.0.9")]);

        // Marked, each is as it was.
        for flow in answered {
            connection.run(Change { mark_mask: Some(0xff), ..Change::mark(&flow, 5) }).unwrap();
            let marked = connection.get(Get::original(flow.original)).unwrap();
            assert_eq!((marked.mark, marked.status), (Some(5), flow.status));
            assert!(marked.timeout > Some(900));
        }
        assert_eq!(list(&mut connection, List::default()).len(), 4);
    });
}

#[test]
fn labels_change_under_a_mask() {
    live(|| {
        if !need(&["nft"]) {
            return;
        }
        if let Err(error) = try_sh(
            "nft add table t; nft add chain t c '{ type filter hook output priority 0; }'
             nft add rule t c ct state new ct label set 3",
        ) {
            return skip(&format!("no labels: {error}"));
        }
        let mut connection = open();
        let with = |bits: &[u32]| Flow {
            timeout: Some(1000),
            labels: Some(bits.iter().copied().collect()),
            ..Flow::new(tuple(IpProtocol::UDP, 1))
        };
        connection.run(Change::create(with(&[0, 17]))).unwrap();
        let get = Get::original(tuple(IpProtocol::UDP, 1));
        let mut bits = |change: Change| {
            connection.run(change).unwrap();
            let flow = connection.get(get).unwrap();
            flow.labels.map(|labels| labels.bits().collect::<Vec<_>>()).unwrap_or_default()
        };
        let mask = Some([0, 3].into_iter().collect());
        assert_eq!(bits(Change { labels_mask: mask, ..Change::update(with(&[3])) }), [3, 17]);
        assert_eq!(bits(Change::update(with(&[100]))), [100]);
    });
}

#[test]
fn statistics_are_those_of_conntrack() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        let mut connection = open();
        let flow = Flow { timeout: Some(60), ..Flow::new(tuple(IpProtocol::UDP, 1)) };
        connection.run(Change::create(flow)).unwrap();
        let global = connection.get(GetGlobalStats).unwrap();
        assert_eq!(global.entries, Some(1));
        assert_eq!(sh("conntrack -C").trim(), "1");
        let ours = || {
            let mut connection = open();
            let stats = connection.dump(ListCpuStats).unwrap();
            let lines = stats.map(|stats| {
                let mut line = String::new();
                text::cpu_stats(&mut line, &stats.unwrap());
                line
            });
            lines.collect()
        };
        agree(ours, "conntrack -S");
        let ours = || {
            let mut connection = open();
            let stats = connection.dump(ListExpectStats).unwrap();
            let lines = stats.map(|stats| {
                let mut line = String::new();
                text::expect_stats(&mut line, &stats.unwrap());
                line
            });
            lines.collect()
        };
        agree(ours, "conntrack -S expect");
    });
}

#[test]
fn nat_at_creation() {
    live(|| {
        let mut connection = open();
        let flow = |port| Flow {
            timeout: Some(600),
            protocol_info: Some(ProtocolInfo::tcp(TcpState::ESTABLISHED)),
            ..Flow::new(tuple(IpProtocol::TCP, port))
        };
        let range = NatRange { ports: Some(5000..=5000), ..ip("192.0.2.1").into() };
        let source = Change { nat_source: Some(range.clone()), ..Change::create(flow(1)) };
        connection.run(source).unwrap();
        let found = connection.get(Get::original(tuple(IpProtocol::TCP, 1))).unwrap();
        assert_eq!(
            (found.reply.destination, found.reply.destination_port()),
            (ip("192.0.2.1"), Some(5000))
        );
        assert!(found.is_source_nat() && !found.is_destination_nat() && found.is_nat());
        assert!(found.status.unwrap().contains(Status::SRC_NAT));

        let taken = Change { nat_source: Some(range), ..Change::create(flow(2)) };
        assert_eq!(errno(connection.run(taken)), Errno::EEXIST);

        let destination = Some(ip("192.0.2.9").into());
        let change = Change { nat_destination: destination, ..Change::create(flow(3)) };
        connection.run(change).unwrap();
        let found = connection.get(Get::original(tuple(IpProtocol::TCP, 3))).unwrap();
        assert_eq!(found.reply.source, ip("192.0.2.9"));
        assert!(!found.is_source_nat() && found.is_destination_nat());
        assert!(found.status.unwrap().contains(Status::DST_NAT));

        let other_family = Some(ip("2001:db8::1").into());
        let change = Change { nat_source: other_family, ..Change::create(flow(4)) };
        let error = change.encode(1, &mut Vec::new()).unwrap_err();
        assert_eq!(error.to_string(), "CTA_NAT_SRC/CTA_NAT_V4_MINIP: value out of range");
        let empty = Change { nat_source: Some(NatRange::default()), ..Change::create(flow(4)) };
        assert_eq!(
            empty.encode(1, &mut Vec::new()).unwrap_err().to_string(),
            "CTA_NAT_SRC: missing"
        );
    });
}

#[test]
fn filters_and_flush() {
    live(|| {
        let mut connection = open();
        for (port, mark, zone) in [(1, 1, None), (2, 2, None), (3, 0x12, Some(7)), (4, 0, None)] {
            let status = (port == 1).then_some(Status::ASSURED | Status::SEEN_REPLY);
            let original = tuple(IpProtocol::UDP, port);
            let flow =
                Flow { timeout: Some(600), mark: Some(mark), zone, status, ..Flow::new(original) };
            connection.run(Change::create(flow)).unwrap();
        }
        let original = Tuple::with_ports(IpProtocol::UDP, (ip("::1"), 5), (ip("::2"), 6));
        let six = Flow { timeout: Some(600), ..Flow::new(original) };
        connection.run(Change::create(six)).unwrap();
        let zoned = Tuple { zone: Some(9), ..tuple(IpProtocol::UDP, 10) };
        connection.run(Change::create(Flow { timeout: Some(600), ..Flow::new(zoned) })).unwrap();

        let mut ports = |filter, family| {
            let request = List { family, filter, ..List::default() };
            let mut ports: Vec<_> = list(&mut connection, request)
                .iter()
                .map(|flow| flow.original.source_port().unwrap())
                .collect();
            ports.sort_unstable();
            ports
        };
        let all = Filter::default();
        let mark = |value, mask| Filter { mark: Some(Masked { value, mask }), ..all };
        let (both, four, six) = (AddressFamily::UNSPEC, AddressFamily::INET, AddressFamily::INET6);
        assert_eq!(ports(all, both), [1, 2, 3, 4, 5, 10]);
        assert_eq!(ports(all, four), [1, 2, 3, 4, 10]);
        assert_eq!(ports(all, six), [5]);
        assert_eq!(ports(Filter { mark: Some(Masked::exact(2)), ..all }, both), [2]);
        assert_eq!(ports(mark(2, 0xf), both), [2, 3]);
        assert_eq!(ports(mark(0x12, 0xf), both), []);
        assert_eq!(ports(mark(0, 0), four), [1, 2, 3, 4, 10]);
        assert_eq!(ports(mark(0, u32::MAX), four), [4, 10]);
        let status = |status| Filter { status: Some(status), ..all };
        assert_eq!(ports(status(Masked::all(Status::ASSURED)), both), [1]);
        let unreplied = Masked { value: Status(0), mask: Status::SEEN_REPLY };
        assert_eq!(ports(status(unreplied), both), [2, 3, 4, 5, 10]);
        assert_eq!(ports(status(Masked::default()), both), [1, 2, 3, 4, 5, 10]);
        assert_eq!(ports(Filter { zone: Some(7), ..all }, both), [3]);
        assert_eq!(ports(Filter { zone: Some(9), ..all }, both), [10]);
        assert_eq!(ports(Filter { zone: Some(0), ..all }, both), [1, 2, 4, 5]);

        connection
            .run(Flush { filter: Filter { zone: Some(7), ..all }, ..Flush::default() })
            .unwrap();
        let left = list(&mut connection, List::default()).len();
        if left == 0 {
            return skip("this kernel flushes all zones: Linux honours one since 6.8");
        }
        assert_eq!(left, 5);
        connection.run(Flush { family: six, ..Flush::default() }).unwrap();
        assert_eq!(list(&mut connection, List::default()).len(), 4);
        connection.run(Flush::default()).unwrap();
        assert!(list(&mut connection, List::default()).is_empty());
    });
}

/// What `conntrack -E` prints and what we print of the same events.
#[test]
fn events_are_those_of_conntrack() {
    live(|| {
        if !need(&["conntrack", "nft"]) {
            return;
        }
        sh("ip link set lo up
            sysctl -qw net.netfilter.nf_conntrack_acct=1 \
                net.netfilter.nf_conntrack_timestamp=1
            nft add table inet t
            nft add chain inet t c '{ type filter hook output priority 0; }'
            nft add rule inet t c ct state invalid drop");
        sh("conntrack -E -o id,extended > /run/flows 2> /dev/null & echo $! > /run/pid
            conntrack -E expect > /run/expectations 2> /dev/null & echo $! >> /run/pid");
        // Either of them to the three groups of its own.
        wait_until("listeners", || [7, 0x38].map(|groups| listeners(12, groups)) == [1, 1]);
        let all = [groups::FLOWS, groups::EXPECTATIONS].concat();
        let mut events = Events::open(Family::NETFILTER, &all).unwrap();

        traffic();
        let mut connection = open();
        expectations(&mut connection);
        connection.run(Flush::default()).unwrap();
        let mut flows = String::new();
        let mut expectations = String::new();
        let program = std::fs::read("/proc/self/comm").unwrap().trim_ascii().to_vec();
        let options = Options { id: true, extended: true, now: now(), ..Options::default() };
        let theirs = |path| std::fs::read_to_string(path).unwrap();
        wait_until("the same events", || {
            while let Some(event) = events.next(Wait::Never).unwrap() {
                let nl_socket::Event::Message { message, .. } = event else { panic!("{event:?}") };
                if let Some(event) = Event::decode(&message).unwrap() {
                    assert_eq!(event.flow.unknown, []);
                    let program = (event.port != 0).then_some(program.as_slice());
                    text::event(&mut flows, &event, None, program, &options);
                    flows.push('\n');
                } else {
                    let event = ExpectationEvent::decode(&message).unwrap().unwrap();
                    text::expectation_event(&mut expectations, &event, None);
                    expectations.push('\n');
                }
            }
            let lengths = ["/run/flows", "/run/expectations"].map(|path| theirs(path).len());
            lengths == [flows.len(), expectations.len()]
        });
        sh("kill $(cat /run/pid)");
        assert!(flows.lines().count() >= 12, "{flows}");
        assert_eq!(flows, theirs("/run/flows"));
        assert_eq!(expectations, theirs("/run/expectations"));
    });
}

/// Flows with the helper ftp, and of each an expectation; it may have one only. `None` where the
/// kernel lacks the helper.
fn expectations(connection: &mut Connection) -> Option<Vec<Expectation>> {
    let mut made = Vec::new();
    let flags = ExpectFlags::PERMANENT | ExpectFlags::INACTIVE;
    for (flags, port) in [None, Some(flags)].into_iter().zip(3000..) {
        let master = Flow {
            timeout: Some(1000),
            protocol_info: Some(ProtocolInfo::tcp(TcpState::ESTABLISHED)),
            helper: Some(Box::new(Helper { name: "ftp".into(), info: None })),
            ..Flow::new(tuple(IpProtocol::TCP, port))
        };
        if let Err(error) = connection.run(Change::create(master.clone())) {
            skip(&format!("no helper ftp: {error}"));
            return None;
        }
        let ones = (IpAddr::from([255; 4]), u16::MAX);
        let (source, destination) = (master.original.source, master.original.destination);
        let expectation = Expectation {
            family: AddressFamily::INET,
            tuple: Tuple::with_ports(IpProtocol::TCP, (source, 0), (destination, port + 1000)),
            mask: Tuple::with_ports(IpProtocol::TCP, (ones.0, 0), ones),
            master: master.original,
            timeout: Some(500),
            flags,
            ..Expectation::default()
        };
        connection.run(NewExpectation(expectation.clone())).unwrap();
        made.push(expectation);
    }
    Some(made)
}

/// Makes an expectation.
struct NewExpectation(Expectation);

impl Request for NewExpectation {
    type Item = ();
    const MODE: Mode = Mode::Change;

    fn protocol(&self) -> &'static Protocol {
        &tables::PROTOCOL
    }

    fn message_type(&self) -> u16 {
        tables::IPCTNL_MSG_EXP_NEW
    }

    fn flags(&self) -> Flags {
        Flags::CREATE | Flags::EXCL
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), nl_wire::Error> {
        self.0.write(writer)
    }

    fn read(&self, _: &Message<'_>) -> Result<Option<()>, nl_wire::Error> {
        Ok(None)
    }
}

/// A TCP connection, UDP with an answer, UDP to a closed port, an echo.
fn traffic() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(server.local_addr().unwrap()).unwrap();
    drop((server.accept().unwrap(), client));
    let (one, two) = (UdpSocket::bind("[::1]:0").unwrap(), UdpSocket::bind("[::1]:0").unwrap());
    one.send_to(b"ask", two.local_addr().unwrap()).unwrap();
    two.send_to(b"answer", one.local_addr().unwrap()).unwrap();
    one.send_to(b"nobody", "[::1]:9").unwrap();
}
