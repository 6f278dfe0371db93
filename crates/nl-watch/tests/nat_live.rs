//! The translation table beside a living kernel: real connections through rules of nft(8).

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nl_conntrack::{
    Change, Event as FlowEvent, Flow, IpProtocol, L4, List, NatRange, Tuple, groups,
};
use nl_socket::{Connection, Event, Events, Loss, Netns, Socket, Wait};
use nl_testkit::{live, need, sh, skip, try_sh};
use nl_watch::consumer::{Consumer, Options, Told};
use nl_watch::nat::{NatDump, NatEntry, NatOptions, Tracker};
use nl_watch::{Flows, Item, Object, Watch};
use nl_wire::value::Family;

/// This namespace, as the tests number it.
const HERE: u64 = 1;

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(10, 77, 9, 9);
/// An address of this host that nobody else knows: connections from it are masqueraded.
const HIDDEN: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);

/// Where both servers listen, here and in the server's namespace.
const PORT: u16 = 8000;
/// Ports that rules are about.
const SNAT: u16 = 8001;
const DNAT: u16 = 8002;
const MASQUERADE: u16 = 8003;
const REDIRECT: u16 = 8004;

const RULES: &str = "nft -f - <<END
table inet track {
    chain out {
        type filter hook output priority 0;
        ct state new accept
    }
}
table ip trans {
    chain out {
        type nat hook output priority -100;
        tcp dport 8002 dnat to 10.77.0.2:8000
        udp dport 8002 dnat to 10.77.0.2:8000
        tcp dport 8004 redirect to :8000
        udp dport 8004 redirect to :8000
    }
    chain post {
        type nat hook postrouting priority 100;
        tcp dport 8001 snat to 10.77.0.100
        udp dport 8001 snat to 10.77.0.100
        ip saddr 10.99.0.1 masquerade
    }
}
END";

/// Two namespaces joined by a cable, rules in this one. `None` where the kernel can't.
fn lab() -> Option<Netns> {
    if !need(&["ip", "nft"]) {
        return None;
    }
    sh("ip netns add server
        ip link add uplink type veth peer name uplink netns server
        ip addr add 10.77.0.1/16 dev uplink; ip addr add 10.77.0.100/16 dev uplink
        ip addr add 10.99.0.1/32 dev lo; ip link set lo up; ip link set uplink up
        ip -n server addr add 10.77.0.2/16 dev uplink
        ip -n server link set uplink up; ip -n server link set lo up");
    if let Err(failure) = try_sh(RULES) {
        skip(&format!("the kernel can't translate: {failure}"));
        return None;
    }
    Some(Netns::named("server").unwrap())
}

/// A connection as its two ends see it.
#[derive(Clone, Copy, Debug)]
struct Seen {
    protocol: IpProtocol,
    /// The client's address, and the one it connected to.
    client: (SocketAddr, SocketAddr),
    /// The server's address, and the one it was reached from.
    server: (SocketAddr, SocketAddr),
}

fn tuple(protocol: IpProtocol, (from, to): (SocketAddr, SocketAddr)) -> Tuple {
    Tuple::with_ports(protocol, (from.ip(), from.port()), (to.ip(), to.port()))
}

impl Seen {
    fn original(&self) -> Tuple {
        tuple(self.protocol, self.client)
    }

    fn reply(&self) -> Tuple {
        tuple(self.protocol, self.server)
    }
}

/// Servers that tell each client how they see it: on all ports that rules lead to.
fn serve(netns: &Netns, address: Ipv4Addr) {
    for port in [PORT, SNAT, MASQUERADE] {
        let listener = netns.run(|| TcpListener::bind(("0.0.0.0", port))).unwrap().unwrap();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let ends =
                    format!("{} {}", stream.local_addr().unwrap(), stream.peer_addr().unwrap());
                let _ = stream.write_all(ends.as_bytes());
            }
        });
        // Bound, or answers might come from another address than the one asked.
        let socket = netns.run(|| UdpSocket::bind((address, port))).unwrap().unwrap();
        std::thread::spawn(move || {
            let mut bytes = [0; 64];
            while let Ok((_, from)) = socket.recv_from(&mut bytes) {
                let _ = socket.send_to(from.to_string().as_bytes(), from);
            }
        });
    }
}

/// The server behind a port, for UDP.
fn behind(port: u16) -> SocketAddr {
    match port {
        DNAT => (SERVER, PORT).into(),
        REDIRECT => (Ipv4Addr::LOCALHOST, PORT).into(),
        port => (SERVER, port).into(),
    }
}

/// Opens a connection; both ends of TCP ones stay open in `open`.
fn connect(protocol: IpProtocol, port: u16, open: &mut Vec<TcpStream>) -> Seen {
    let to: IpAddr = match port {
        DNAT | REDIRECT => ELSEWHERE.into(),
        _ => SERVER.into(),
    };
    let to = SocketAddr::from((to, port));
    let from: Ipv4Addr = if port == MASQUERADE { HIDDEN } else { Ipv4Addr::UNSPECIFIED };
    let patience = Some(Duration::from_secs(5));
    if protocol == IpProtocol::UDP {
        let socket = UdpSocket::bind((from, 0)).unwrap();
        socket.connect(to).unwrap();
        socket.set_read_timeout(patience).unwrap();
        let client = (socket.local_addr().unwrap(), to);
        socket.send(b"who am I?").unwrap();
        let mut bytes = [0; 64];
        let length = socket.recv(&mut bytes).unwrap();
        let peer = std::str::from_utf8(&bytes[..length]).unwrap().parse().unwrap();
        return Seen { protocol, client, server: (behind(port), peer) };
    }
    let mut stream = if port == MASQUERADE {
        // The standard library can't bind before connecting: a route says where to come from.
        TcpStream::connect((Ipv4Addr::new(10, 77, 3, 3), port)).unwrap()
    } else {
        TcpStream::connect(to).unwrap()
    };
    stream.set_read_timeout(patience).unwrap();
    let mut text = String::new();
    let mut bytes = [0; 64];
    let length = stream.read(&mut bytes).unwrap();
    text.push_str(std::str::from_utf8(&bytes[..length]).unwrap());
    let (local, peer) = text.split_once(' ').unwrap();
    let client = (stream.local_addr().unwrap(), stream.peer_addr().unwrap());
    open.push(stream);
    Seen { protocol, client, server: (local.parse().unwrap(), peer.parse().unwrap()) }
}

fn connect_all(rounds: usize, open: &mut Vec<TcpStream>) -> Vec<Seen> {
    let mut seen = Vec::new();
    for _ in 0..rounds {
        for protocol in [IpProtocol::TCP, IpProtocol::UDP] {
            for port in [SNAT, DNAT, MASQUERADE, REDIRECT] {
                seen.push(connect(protocol, port, open));
            }
        }
    }
    seen
}

/// The way to another address of the server, from the hidden one.
fn hidden_route() {
    sh("ip -n server addr add 10.77.3.3/16 dev uplink
        ip route add 10.77.3.3/32 dev uplink src 10.99.0.1");
}

fn check(tracker: &mut Tracker, seen: &[Seen]) {
    for connection in seen {
        let (original, reply) = (connection.original(), connection.reply());
        assert_ne!(original.reversed(), reply, "{connection:?} is translated");
        let table = tracker.table_mut();
        assert_eq!(table.lookup(HERE, 0, &original), Some(reply), "{connection:?}");
        assert_eq!(table.lookup(HERE, 0, &reply), Some(original), "{connection:?}");
        assert_eq!(table.lookup(HERE + 1, 0, &original), None);
    }
}

fn follow(tracker: &mut Tracker, watch: &mut Watch<Flows>) -> Vec<Item<Flow>> {
    let wait = || Wait::at_most(Duration::from_millis(200));
    std::iter::from_fn(|| tracker.follow(HERE, watch, wait()).unwrap()).collect()
}

/// What a fresh list says of translated flows.
fn listed() -> BTreeSet<String> {
    let mut connection = Connection::open(Family::NETFILTER).unwrap();
    let flows = connection.dump(List::default()).unwrap();
    flows.filter_map(|flow| NatEntry::of(HERE, &flow.unwrap())).map(|e| e.to_string()).collect()
}

fn held(tracker: &Tracker) -> BTreeSet<String> {
    tracker.entries().iter().map(ToString::to_string).collect()
}

/// Connections made before, during and after the first list, through all four kinds of rules: the
/// table answers for each, in both directions, and forgets those that end.
#[test]
fn the_table_answers_for_every_connection() {
    live(|| {
        let Some(server) = lab() else { return };
        hidden_route();
        serve(&server, SERVER);
        serve(&Netns::current().unwrap(), Ipv4Addr::LOCALHOST);
        let mut open = Vec::new();
        let mut seen = connect_all(5, &mut open);
        let mut tracker =
            Tracker::new(NatOptions { grace: Duration::ZERO, ..NatOptions::default() });
        let (send, receive) = mpsc::channel();
        let busy = std::thread::spawn(move || {
            let mut open = Vec::new();
            send.send(()).unwrap();
            (connect_all(10, &mut open), open)
        });
        receive.recv().unwrap();
        // Made between the subscription and the list, or during it, or after: none is missed.
        let mut watch = Watch::open(Flows::default()).unwrap();
        follow(&mut tracker, &mut watch);
        let (during, still_open) = busy.join().unwrap();
        seen.extend(during);
        open.extend(still_open);
        seen.extend(connect_all(5, &mut open));
        follow(&mut tracker, &mut watch);
        assert_eq!(seen.len(), 20 * 8);
        check(&mut tracker, &seen);
        assert_eq!(held(&tracker), listed());
        let dump = NatDump::new("cached", HERE, tracker.entries()).to_string();
        // UDP ports of closed sockets may have been given again.
        let flows: BTreeSet<Tuple> = seen.iter().map(Seen::original).collect();
        assert!(dump.contains(&format!("totalEntries={}", flows.len())), "{dump}");

        // All end.
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        connection.run(nl_conntrack::Flush::default()).unwrap();
        follow(&mut tracker, &mut watch);
        assert!(tracker.table().is_empty(), "{:?}", tracker.entries());
    });
}

/// The other protocols, made over netlink: ids of ICMP, keys of GRE, ports of SCTP. (Linux 7 has no
/// UDP-Lite: of its packets it knows no ports.)
#[test]
fn other_protocols() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        let mut watch = Watch::open(Flows::default()).unwrap();
        let mut tracker = Tracker::new(NatOptions::default());
        follow(&mut tracker, &mut watch);
        let ports = |protocol| {
            Tuple::with_ports(protocol, ([10, 0, 0, 1].into(), 7), ([10, 0, 0, 2].into(), 9))
        };
        let icmp = |protocol, source: IpAddr, destination: IpAddr, kind| {
            Tuple::new(protocol, source, destination, L4::Icmp { id: 77, kind, code: 0 })
        };
        let v6 = |last| IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, last]);
        let tuples = [
            ports(IpProtocol::SCTP),
            ports(IpProtocol::TCP),
            ports(IpProtocol::GRE),
            ports(IpProtocol::UDP),
            icmp(IpProtocol::ICMP, [10, 0, 0, 1].into(), [10, 0, 0, 2].into(), 8),
            icmp(IpProtocol::ICMPV6, v6(1), v6(2), 128),
        ];
        let mut made = Vec::new();
        for tuple in tuples {
            let to: IpAddr = if tuple.source.is_ipv6() { v6(9) } else { [10, 9, 9, 9].into() };
            for source in [true, false] {
                let mut tuple = tuple;
                // Another flow of the same kind.
                if !source {
                    match &mut tuple.destination {
                        IpAddr::V4(address) => *address = [10, 0, 0, 3].into(),
                        IpAddr::V6(address) => *address = [0xfd00, 0, 0, 0, 0, 0, 0, 3].into(),
                    }
                }
                let range = Some(NatRange::from(to));
                let (nat_source, nat_destination) =
                    if source { (range, None) } else { (None, range) };
                let create = Change::create(Flow { timeout: Some(60), ..Flow::new(tuple) });
                match connection.run(Change { nat_source, nat_destination, ..create }) {
                    Ok(()) => made.push((tuple, source, to)),
                    Err(error) => println!("the kernel does not know {tuple:?}: {error}"),
                }
            }
        }
        assert!(made.len() >= 6, "{made:?}");
        follow(&mut tracker, &mut watch);
        for (tuple, source, to) in made {
            let found = tracker.table_mut().lookup(HERE, 0, &tuple);
            let found = found.unwrap_or_else(|| panic!("{tuple:?} is not there"));
            let reply = tuple.reversed();
            assert_eq!(found.protocol, tuple.protocol);
            assert_eq!(if source { found.destination } else { found.source }, to);
            if let (L4::Icmp { kind, .. }, L4::Icmp { kind: expected, .. }) = (found.l4, reply.l4) {
                assert_eq!(kind, expected);
            }
            assert_eq!(tracker.table_mut().lookup(HERE, 0, &found), Some(tuple));
        }
        assert_eq!(held(&tracker), listed());
    });
}

fn translated(number: u16) -> Change {
    let tuple = Tuple::with_ports(
        IpProtocol::UDP,
        ([10, 0, 0, 1].into(), number),
        ([10, 0, 0, 2].into(), 53),
    );
    let create = Change::create(Flow { timeout: Some(600), ..Flow::new(tuple) });
    Change { nat_source: Some(NatRange::from(IpAddr::from([10, 9, 9, 9]))), ..create }
}

/// A small receive buffer overruns: the table is right again after the watch's resync, also of ends
/// that nobody told.
#[test]
fn right_after_an_overrun() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        let socket = Socket::open(Family::NETFILTER.0).unwrap();
        socket.set_receive_buffer(16 * 1024).unwrap();
        let events = Events::new(socket, Flows::GROUPS).unwrap();
        let listing = Connection::open(Family::NETFILTER).unwrap();
        let mut watch = Watch::new(Flows::default(), events, listing);
        let options = NatOptions { grace: Duration::ZERO, ..NatOptions::default() };
        let mut tracker = Tracker::new(options);
        follow(&mut tracker, &mut watch);
        let mut overruns = 0;
        for round in 0..10_u16 {
            let (first, end) = (1 + round * 200, 201 + round * 200);
            for result in connection.batch((first..end).map(translated)) {
                result.unwrap();
            }
            if round > 0 {
                let ends = (first - 200..first)
                    .map(|number| Change::delete_tuple(translated(number).flow.original, None));
                for result in connection.batch(ends) {
                    result.unwrap();
                }
            }
            let items = follow(&mut tracker, &mut watch);
            overruns += items
                .iter()
                .filter(|item| matches!(item, Item::Lost(Loss::Overrun { .. })))
                .count();
            assert_eq!(tracker.table().len(), 200, "round {round}");
            assert_eq!(held(&tracker), listed());
        }
        assert!(overruns >= 5, "{overruns}");
    });
}

/// Without a mirror: events and lists of the caller's, in any order with each other.
#[test]
fn from_events_and_lists() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        let socket = Socket::open(Family::NETFILTER.0).unwrap();
        socket.set_receive_buffer(32 * 1024).unwrap();
        let mut events = Events::new(socket, &groups::FLOWS).unwrap();
        let options = NatOptions { grace: Duration::ZERO, ..NatOptions::default() };
        let mut tracker = Tracker::new(options);
        let mut losses = 0;
        let mut lists = Connection::open(Family::NETFILTER).unwrap();
        // As many as the table has to have in the end.
        for round in 0..20_u16 {
            let (first, end) = (1 + round * 60, 61 + round * 60);
            for result in connection.batch((first..end).map(translated)) {
                result.unwrap();
            }
            if round > 0 {
                let ends = (first - 60..first)
                    .map(|number| Change::delete_tuple(translated(number).flow.original, None));
                for result in connection.batch(ends) {
                    result.unwrap();
                }
            }
            let drain = |tracker: &mut Tracker, events: &mut Events| {
                let mut lost = false;
                while let Some(event) = events.next(Wait::Never).unwrap() {
                    match event {
                        Event::Message { message, .. } => {
                            let event = FlowEvent::decode(&message).unwrap().unwrap();
                            tracker.event(HERE, &event, Instant::now());
                        }
                        Event::Loss(_) => lost = true,
                    }
                }
                lost
            };
            let mut again = round == 0;
            while drain(&mut tracker, &mut events) || again {
                losses += 1;
                let listing = tracker.begin_list(HERE);
                again = false;
                for (index, flow) in lists.dump(List::default()).unwrap().enumerate() {
                    tracker.listed(&listing, &flow.unwrap(), Instant::now());
                    if index == 30 {
                        again = drain(&mut tracker, &mut events);
                    }
                }
                tracker.end_list(listing, true);
                tracker.expire(Instant::now());
            }
            assert_eq!(tracker.table().len(), 60, "round {round}");
            assert_eq!(held(&tracker), listed());
        }
        assert!(losses >= 3, "{losses}");
    });
}

/// The same connection in two namespaces, translated differently: each is looked up in its own, and
/// a namespace that ends takes its entries with it.
#[test]
fn every_namespace_has_its_own_translations() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh("ip netns add red; ip netns add blue");
        let create = |name: &str, last| {
            let nat_source = Some(NatRange::from(IpAddr::from([10, 9, 9, last])));
            let netns = Netns::named(name).unwrap();
            let mut connection = Connection::open_in(Family::NETFILTER, &netns).unwrap();
            connection.run(Change { nat_source, ..translated(1) }).unwrap();
            netns.id().unwrap().inode
        };
        // One before the consumer listens, one after.
        let red = create("red", 1);
        let mut consumer = Consumer::open(Flows::default(), Options::default()).unwrap();
        let mut tracker = Tracker::new(NatOptions::default());
        let mut follow = |tracker: &mut Tracker| {
            let wait = || Wait::at_most(Duration::from_secs(2));
            while let Some(told) = tracker.consume(&mut consumer, wait()).unwrap() {
                let expected =
                    matches!(told, Told::Item { .. } | Told::Found(_) | Told::Gone { .. });
                assert!(expected, "{told:?}");
            }
        };
        follow(&mut tracker);
        let blue = create("blue", 2);
        follow(&mut tracker);
        let tuple = translated(1).flow.original;
        let table = tracker.table_mut();
        assert_eq!(table.len(), 2);
        for (namespace, last) in [(red, 1), (blue, 2)] {
            let found = table.lookup(namespace, 0, &tuple).unwrap();
            assert_eq!(found.destination, IpAddr::from([10, 9, 9, last]));
        }
        sh("ip netns del blue");
        follow(&mut tracker);
        assert_eq!(tracker.table().len(), 1);
        assert!(tracker.table_mut().lookup(blue, 0, &tuple).is_none());
        assert!(tracker.table_mut().lookup(red, 0, &tuple).is_some());
    });
}
