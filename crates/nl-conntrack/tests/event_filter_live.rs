//! Event filters in a living kernel: what they deliver is what user space picks of all.

#![cfg(target_os = "linux")]

use std::net::{IpAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use nl_conntrack::event_filter::{End, EventFilter, FlowSampler, Share};
use nl_conntrack::{
    Change, EventKind, Flow, Flush, Get, IpProtocol, L4, Masked, NatRange, ProtocolInfo, Sctp,
    SctpState, Status, TcpState, Tuple, groups,
};
use nl_socket::{Connection, Event, Events, Socket, Wait};
use nl_testkit::{live, need, sh};
use nl_wire::value::{AddressFamily, Family};
use nl_wire::{Message, Prefix};

fn open() -> Connection {
    Connection::open(Family::NETFILTER).unwrap()
}

/// A stream of events through a filter, and what it brought.
struct Heard {
    events: Events,
    all: Vec<Vec<u8>>,
}

fn events(filter: &EventFilter) -> Heard {
    let socket = Socket::open(Family::NETFILTER.0).unwrap();
    socket.attach_filter(&filter.compile().unwrap()).unwrap();
    Heard { events: Events::new(socket, &groups::FLOWS).unwrap(), all: Vec::new() }
}

/// As many changes of flows as the smallest receive buffer of a host has room for.
const FEW: usize = 50;

impl Heard {
    fn hear(&mut self, wait: Wait) {
        while let Some(event) = self.events.next(wait).unwrap() {
            match event {
                Event::Message { message, .. } => self.all.push(message.bytes.to_vec()),
                Event::Loss(loss) => panic!("{loss}"),
            }
        }
    }

    /// What has arrived by now: the events of changes are there when these are acked.
    fn catch_up(&mut self) {
        self.hear(Wait::Never);
    }

    /// All events that have arrived, as bytes.
    fn drain(&mut self) -> Vec<Vec<u8>> {
        self.hear(Wait::at_most(Duration::from_millis(50)));
        std::mem::take(&mut self.all)
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn tuple(six: bool, protocol: IpProtocol, n: u16) -> Tuple {
    let host = |last: u16| {
        ip(&if six { format!("2001:db8::{last:x}") } else { format!("10.0.{}.{last}", last % 3) })
    };
    let mut tuple = Tuple::with_ports(protocol, (host(n % 7 + 1), 1000 + n), (host(n % 5 + 9), 53));
    match protocol {
        IpProtocol::ICMP => tuple.l4 = L4::Icmp { id: n, kind: 8, code: 0 },
        IpProtocol::ICMPV6 => tuple.l4 = L4::Icmp { id: n, kind: 128, code: 0 },
        IpProtocol::ESP => tuple.l4 = L4::None,
        _ => {}
    }
    tuple
}

/// Flows of all kinds over netlink: made, changed, deleted, flushed; `between` comes after every few.
fn injected(mut between: impl FnMut()) {
    let mut connection = open();
    let mut flows = Vec::new();
    for n in 0..60_u16 {
        for six in [false, true] {
            let icmp = if six { IpProtocol::ICMPV6 } else { IpProtocol::ICMP };
            let protocols =
                [IpProtocol::TCP, IpProtocol::UDP, icmp, IpProtocol::SCTP, IpProtocol::GRE];
            let protocol = protocols[usize::from(n) % protocols.len()];
            let tuple = tuple(six, protocol, n);
            let state = (n % 8).to_ne_bytes()[0].max(n.to_ne_bytes()[1]);
            let (mut original, mut flow) = (tuple, Flow::new(tuple));
            flow.timeout = Some(1000);
            flow.mark = [None, Some(7), Some(u32::from(n)), Some(u32::MAX)][usize::from(n) % 4];
            match n % 6 {
                0 => flow.zone = Some(n % 4),
                1 => original.zone = Some(n % 4),
                2 => flow.reply.zone = Some(n % 4),
                _ => {}
            }
            flow.original = original;
            if n % 2 == 0 {
                flow.status = Some(Status::CONFIRMED | Status::SEEN_REPLY | Status::ASSURED);
            }
            flow.protocol_info = match protocol {
                IpProtocol::TCP => Some(ProtocolInfo::tcp(TcpState(state))),
                IpProtocol::SCTP => Some(ProtocolInfo::Sctp(Sctp {
                    state: Some(SctpState(state)),
                    tag_original: Some(1),
                    tag_reply: Some(2),
                })),
                _ => None,
            };
            flows.push((n, flow));
        }
    }
    for (index, (n, flow)) in flows.iter().enumerate() {
        if index % FEW == 0 {
            between();
        }
        let mut change = Change::create(flow.clone());
        // Translation is asked for with the reply of a flow without.
        if n % 5 == 1 && flow.original.family() == AddressFamily::INET {
            change.nat_source = Some(NatRange::from(ip("192.0.2.1")));
        }
        connection.run(change).unwrap_or_else(|error| panic!("{error}: {flow:?}"));
    }
    for (index, (n, flow)) in flows.iter().enumerate() {
        if index % FEW == 0 {
            between();
        }
        if n % 3 == 0 {
            let update = Flow { mark: Some(u32::from(*n) << 8), status: None, ..flow.clone() };
            connection.run(Change::update(update)).unwrap();
        }
        if n % 3 == 1 {
            connection.run(Change::delete(Flow { id: None, ..flow.clone() })).unwrap();
        }
    }
    between();
    connection.run(Flush::default()).unwrap();
    between();
}

/// Real packets of both families.
fn traffic() {
    for (host, nobody) in [("127.0.0.1", "127.0.0.1:9"), ("[::1]", "[::1]:9")] {
        let any = format!("{host}:0");
        let server = TcpListener::bind(&any).unwrap();
        for _ in 0..3 {
            let client = TcpStream::connect(server.local_addr().unwrap()).unwrap();
            drop((server.accept().unwrap(), client));
        }
        for _ in 0..5 {
            let (one, two) = (UdpSocket::bind(&any).unwrap(), UdpSocket::bind(&any).unwrap());
            one.send_to(b"ask", two.local_addr().unwrap()).unwrap();
            two.send_to(b"answer", one.local_addr().unwrap()).unwrap();
            one.send_to(b"nobody", nobody).unwrap();
        }
    }
}

/// Descriptions of every kind, each with an answer of its own.
fn descriptions() -> Vec<EventFilter> {
    use EventFilter as F;
    let at = |end, prefix: &str| F::address(end, prefix.parse().unwrap());
    let some: Vec<_> = (0..2000_u32)
        .map(|n| {
            let six = u128::from(n) << 16 | 0x2001_0db8 << 96 | u128::from(n % 16);
            let four = 0x0a00_0000 | (n % 3) << 8 | (n % 16);
            let host =
                if n % 2 == 0 { IpAddr::from(four.to_be_bytes()) } else { IpAddr::V6(six.into()) };
            F::Address(End::ReplyDestination, Prefix::host(host))
        })
        .collect();
    let sample = |rate| F::Sample(FlowSampler { key: 11, share: Share::new(rate).unwrap() });
    let mut all = vec![
        F::default(),
        F::Any(vec![]),
        F::Kind(EventKind::New),
        F::Kind(EventKind::Update),
        F::Kind(EventKind::Destroy),
        F::Family(AddressFamily::INET),
        F::Protocol(IpProtocol::UDP),
        F::Protocol(IpProtocol::ICMPV6) | F::Protocol(IpProtocol::GRE),
        // The source of the other family is nowhere in a flow.
        at(End::OriginalSource, "::1"),
        at(End::OriginalSource, "2001:db8::/64"),
        at(End::OriginalSource, "10.0.0.0/23"),
        F::Family(AddressFamily::INET) & !at(End::OriginalSource, "127.0.0.0/8"),
        at(End::ReplySource, "2001:db8::9") | at(End::ReplySource, "10.0.0.9"),
        F::Any(some),
        F::Port(End::OriginalSource, 1010..=1030),
        F::port(End::OriginalDestination, 9),
        F::port(End::ReplySource, 53) & F::Protocol(IpProtocol::TCP),
        F::Port(End::ReplyDestination, 0..=u16::MAX),
        F::TcpState(TcpState::ESTABLISHED) | F::TcpState(TcpState::TIME_WAIT),
        F::SctpState(SctpState::ESTABLISHED),
        F::Mark(Masked::exact(0)),
        F::Mark(Masked::exact(u32::MAX)) | F::Mark(Masked { value: 2, mask: 0x3 }),
        F::Status(Masked::all(Status::ASSURED)),
        F::Status(Masked { value: Status::default(), mask: Status::SEEN_REPLY }),
        F::nat(),
        F::Zone(0),
        F::Any(vec![F::Zone(1), F::Zone(3)]),
        sample(0.5),
        sample(0.1) & !F::Kind(EventKind::Update),
        F::Random(Share::NONE),
        F::Random(Share::ALL),
    ];
    all.extend(all.clone().into_iter().map(|filter| !filter));
    all
}

#[test]
fn kernel_and_user_space_agree() {
    live(|| {
        if !need(&["nft"]) {
            return;
        }
        sh("ip link set lo up
            nft add table inet t
            nft add chain inet t c '{ type filter hook output priority 0; }'
            nft add rule inet t c ct state invalid drop");
        let filters = descriptions();
        let mut all = events(&EventFilter::default());
        let mut filtered: Vec<_> = filters.iter().map(events).collect();
        injected(|| {
            all.catch_up();
            filtered.iter_mut().for_each(Heard::catch_up);
        });
        traffic();
        let all = all.drain();
        assert!(all.len() > 300, "{}", all.len());
        let mut partial = 0;
        for (filter, events) in filters.iter().zip(&mut filtered) {
            let expected: Vec<_> = all
                .iter()
                .filter(|bytes| filter.passes(&Message::decode(bytes).unwrap()).unwrap())
                .cloned()
                .collect();
            let delivered = events.drain();
            assert!(
                delivered == expected,
                "{} delivered, {} expected of {}: {filter:?}\n{}",
                delivered.len(),
                expected.len(),
                all.len(),
                filter.compile().unwrap()
            );
            partial += usize::from((1..all.len()).contains(&delivered.len()));
        }
        // All but the few that are meant to keep everything or nothing.
        assert!(partial >= filters.len() - 8, "{partial} of {}", filters.len());
    });
}

/// What is no event passes even the narrowest filter: requests are answered.
#[test]
fn acks_and_refusals_pass() {
    live(|| {
        let mut connection = open();
        let nothing = EventFilter::Any(vec![]).compile().unwrap();
        connection.socket().attach_filter(&nothing).unwrap();
        let flow = Flow { timeout: Some(100), ..Flow::new(tuple(false, IpProtocol::UDP, 1)) };
        connection.run(Change::create(flow.clone())).unwrap();
        let error = connection.run(Change::create(flow.clone())).unwrap_err();
        assert_eq!(error.errno().map(|errno| errno.0), Some(17), "EEXIST");
        let unknown = connection.get(Get::original(tuple(true, IpProtocol::UDP, 2))).unwrap_err();
        assert_eq!(unknown.errno().map(|errno| errno.0), Some(2), "ENOENT");
        assert_eq!(open().get(Get::original(flow.original)).unwrap().original, flow.original);
    });
}

#[test]
fn random_shares_are_fair() {
    live(|| {
        let mut filtered: Vec<_> = [0.0, 0.25, 1.0]
            .map(|rate| events(&EventFilter::Random(Share::new(rate).unwrap())))
            .into();
        let mut connection = open();
        let flow = |n: u16| {
            let tuple = tuple(n % 2 == 0, IpProtocol::UDP, n);
            Change::create(Flow { timeout: Some(10_000), ..Flow::new(tuple) })
        };
        for first in (0..2000_u16).step_by(FEW) {
            for result in connection.batch((first..).take(FEW).map(flow)) {
                result.unwrap();
            }
            filtered.iter_mut().for_each(Heard::catch_up);
        }
        let counts: Vec<_> = filtered.iter_mut().map(|heard| heard.drain().len()).collect();
        assert_eq!((counts[0], counts[2]), (0, 2000));
        // A quarter of 2,000; six standard deviations are 116.
        assert!((384..616).contains(&counts[1]), "{counts:?}");
    });
}

/// A running socket gets another filter; what is queued stays, to be checked again.
#[test]
fn filters_are_exchanged_while_events_arrive() {
    live(|| {
        let mut events = events(&EventFilter::default());
        let mut connection = open();
        let mut create = |n| {
            let timeout = Some(100);
            let flow = Flow { timeout, ..Flow::new(tuple(n % 2 == 0, IpProtocol::UDP, n)) };
            connection.run(Change::create(flow)).unwrap();
        };
        (0..20).for_each(&mut create);
        let filter = EventFilter::Family(AddressFamily::INET6);
        events.events.socket().attach_filter(&filter.compile().unwrap()).unwrap();
        (20..40).for_each(&mut create);
        let delivered = events.drain();
        assert_eq!(delivered.len(), 20 + 10);
        let again = |bytes: &&Vec<u8>| filter.passes(&Message::decode(bytes).unwrap()).unwrap();
        assert_eq!(delivered.iter().filter(again).count(), 20);
    });
}
