//! Event streams of a living kernel.

mod requests;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::time::{Duration, Instant};

use nl_socket::filter::{Insn, Program};
use nl_socket::{
    Connection, Event, Events, Loss, NetlinkOption, Netns, Received, Ring, Socket, Wait,
};
use nl_testkit::{live, sh};
use nl_wire::attr::Attrs;
use nl_wire::value::Family;
use nl_wire::{Flags, Header, Request as _};

use requests::*;

/// `RTNLGRP_LINK`, `RTNLGRP_IPV4_ROUTE` (linux/rtnetlink.h).
const LINKS: u32 = 1;
const ROUTES: u32 = 7;
/// `NFNLGRP_CONNTRACK_NEW` and `_DESTROY` (linux/netfilter/nfnetlink_compat.h).
const FLOW_NEW: u32 = 1;
const FLOW_DESTROY: u32 = 3;

/// An item without what borrows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Item {
    /// A message of this type, with the namespace it comes from.
    Message(u16, Option<i32>),
    /// A new route of [`AddRoute::number`].
    Route(u32),
    Loss(Loss),
}

fn item(event: &Event<'_>) -> Item {
    match event {
        Event::Loss(loss) => Item::Loss(*loss),
        Event::Message { message, .. } if message.header.message_type == RTM_NEWROUTE => {
            let (_, mut attrs) = Attrs::behind(message.body(), 12).unwrap();
            let address = attrs.find_map(|attr| {
                let attr = attr.unwrap();
                (attr.number() == RTA_DST).then(|| attr.ipv4().unwrap())
            });
            Item::Route(u32::from(address.unwrap()) - u32::from(Ipv4Addr::new(10, 0, 0, 0)))
        }
        Event::Message { message, nsid } => Item::Message(message.header.message_type, *nsid),
    }
}

/// All that is there now.
fn items(events: &mut Events) -> Vec<Item> {
    let mut found = Vec::new();
    while let Some(event) = events.next(Wait::Never).unwrap() {
        found.push(item(&event));
    }
    found
}

/// Makes routes of these numbers.
fn make(connection: &mut Connection, numbers: std::ops::Range<u32>) {
    for result in connection.batch(numbers.map(AddRoute::number)) {
        result.unwrap();
    }
}

fn routes_in(items: &[Item]) -> BTreeSet<u32> {
    items.iter().filter_map(|it| if let Item::Route(n) = it { Some(*n) } else { None }).collect()
}

/// A stream of route events with a receive buffer of about `bytes`.
fn small(bytes: usize) -> Events {
    sh("ip link set lo up");
    let events = Events::open(Family::ROUTE, &[ROUTES]).unwrap();
    events.socket().set_receive_buffer(bytes).unwrap();
    events
}

#[test]
fn links_and_routes_are_followed_in_order() {
    live(|| {
        let mut events = Events::open(Family::ROUTE, &[LINKS, ROUTES]).unwrap();
        assert_eq!(events.next(Wait::Never).unwrap(), None);
        sh("ip link add br0 type bridge; ip link set lo up; ip link del br0");
        make(&mut rtnetlink(), 5..8);
        let found = items(&mut events);
        let (new, gone) = (Item::Message(RTM_NEWLINK, None), Item::Message(RTM_DELLINK, None));
        let links: Vec<Item> =
            found.iter().copied().filter(|it| [new, gone].contains(it)).collect();
        assert_eq!(links, [new, new, gone], "{found:?}");
        assert_eq!(found[found.len() - 3..], [5, 6, 7].map(Item::Route));
    });
}

#[test]
fn flows_are_followed() {
    live(|| {
        sh("ip link set lo up");
        let groups = [FLOW_NEW, FLOW_DESTROY];
        let mut events = Events::open(Family::NETFILTER, &groups).unwrap();
        sh("conntrack -I -p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1 --dport 2 -t 60; conntrack -F");
        let new = Item::Message(0x100, None);
        assert_eq!(items(&mut events), [new, Item::Message(0x102, None)]);
    });
}

#[test]
fn groups_may_be_joined_while_it_runs() {
    live(|| {
        let mut events = Events::open::<u32>(Family::ROUTE, &[]).unwrap();
        sh("ip link add br0 type bridge");
        assert_eq!(items(&mut events), []);
        events.socket().join(LINKS).unwrap();
        sh("ip link del br0");
        assert_eq!(items(&mut events), [Item::Message(RTM_DELLINK, None)]);
        let port = events.socket().port();
        assert!(Events::open(Family::ROUTE, &[LINKS, 12_345]).is_err(), "no such group");
        assert_ne!(port, 0);
    });
}

#[test]
fn waiting_ends_in_time_or_with_an_event() {
    live(|| {
        let mut events = small(1 << 20);
        let (start, time) = (Instant::now(), Duration::from_millis(80));
        assert_eq!(events.next(Wait::at_most(time)).unwrap(), None);
        assert!((time..time * 250).contains(&start.elapsed()));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(time);
                make(&mut rtnetlink(), 3..4);
            });
            assert_eq!(item(&events.next(Wait::Forever).unwrap().unwrap()), Item::Route(3));
        });
    });
}

#[test]
fn an_overrun_is_told_behind_what_was_queued_with_its_number() {
    live(|| {
        let mut events = small(16_384);
        let mut connection = rtnetlink();
        make(&mut connection, 0..1000);
        let found = items(&mut events);
        let Some((Item::Loss(Loss::Overrun { dropped }), before)) = found.split_last() else {
            panic!("{:?}", found.last())
        };
        // Those before the loss are the first ones, in order, and the number is exact.
        let queued = u32::try_from(before.len()).unwrap();
        assert!((5..500).contains(&queued), "{queued}");
        assert!(before.iter().copied().eq((0..queued).map(Item::Route)));
        assert_eq!(queued + dropped, 1000);
        assert_eq!(*dropped, events.socket().drops().unwrap());
    });
}

#[test]
fn after_an_overrun_the_stream_is_whole_again() {
    live(|| {
        let mut events = small(16_384);
        let mut connection = rtnetlink();
        for round in 0..5 {
            let first = round * 1000;
            make(&mut connection, first..first + 500);
            // Half read: there is room, yet the kernel stays mute until the queue was empty.
            let mut found: Vec<Item> =
                (0..5).map(|_| item(&events.next(Wait::Never).unwrap().unwrap())).collect();
            make(&mut connection, first + 500..first + 505);
            found.extend(items(&mut events));
            let losses: Vec<&Item> =
                found.iter().filter(|item| matches!(item, Item::Loss(_))).collect();
            let [Item::Loss(Loss::Overrun { dropped })] = losses[..] else { panic!("{losses:?}") };
            assert_eq!(found.last(), Some(losses[0]));
            assert_eq!(routes_in(&found).len() + *dropped as usize, 505);
            make(&mut connection, first + 505..first + 510);
            let found = items(&mut events);
            assert!(found.into_iter().eq((first + 505..first + 510).map(Item::Route)));
        }
    });
}

#[test]
fn without_enobufs_losses_are_told_all_the_same() {
    live(|| {
        let mut events = small(16_384);
        events.socket().set_option(NetlinkOption::NoEnobufs, true).unwrap();
        let mut connection = rtnetlink();
        make(&mut connection, 0..300);
        // With room again, events enter behind those lost.
        for _ in 0..5 {
            events.next(Wait::Never).unwrap();
        }
        make(&mut connection, 300..302);
        let found = items(&mut events);
        let Some(Item::Loss(Loss::Overrun { dropped })) = found.last() else { panic!("{found:?}") };
        let seen = routes_in(&found);
        assert!(seen.contains(&301));
        assert_eq!(5 + seen.len() + *dropped as usize, 302);
        make(&mut connection, 302..304);
        assert_eq!(items(&mut events), [302, 303].map(Item::Route));
    });
}

#[test]
fn made_is_received_plus_lost_however_fast_they_come() {
    live(|| {
        for silent in [false, true] {
            let mut events = small(16_384);
            events.socket().set_option(NetlinkOption::NoEnobufs, silent).unwrap();
            let mut received = BTreeSet::new();
            let (mut lost, mut losses) = (0_u32, 0);
            let mut take = |event: &Event<'_>| match item(event) {
                Item::Route(number) => {
                    // All before it were received or lost; no loss is told before its place.
                    assert!(received.len() + lost as usize <= number as usize);
                    assert!(received.insert(number));
                }
                Item::Loss(Loss::Overrun { dropped }) => {
                    lost += dropped;
                    losses += 1;
                }
                other => panic!("{other:?}"),
            };
            std::thread::scope(|scope| {
                let maker = scope.spawn(|| make(&mut rtnetlink(), 0..30_000));
                while !maker.is_finished() {
                    let wait = Wait::at_most(Duration::from_millis(5));
                    if let Some(event) = events.next(wait).unwrap() {
                        take(&event);
                    }
                }
            });
            while let Some(event) = events.next(Wait::Never).unwrap() {
                take(&event);
            }
            assert_eq!(received.len() + lost as usize, 30_000, "{losses} losses");
            assert_eq!(lost, events.socket().drops().unwrap());
            sh("ip route flush dev lo");
        }
    });
}

#[test]
fn a_stranger_is_a_loss_and_nothing_else() {
    live(|| {
        let mut events = small(1 << 20);
        let mut connection = rtnetlink();
        make(&mut connection, 0..1);
        let impostor = Socket::open(0).unwrap();
        let mut forged = Vec::new();
        AddRoute::number(77).encode(0, &mut forged).unwrap();
        // To us alone, and to everybody in the group.
        impostor.send_to(&forged, events.socket().port(), 0).unwrap();
        impostor.send_to(&forged, events.socket().port(), 1 << (ROUTES - 1)).unwrap();
        make(&mut connection, 1..2);
        let foreign = Item::Loss(Loss::Foreign { port: impostor.port() });
        let found = items(&mut events);
        assert_eq!(found.first(), Some(&Item::Route(0)));
        assert_eq!(found.last(), Some(&Item::Route(1)));
        assert!(found.len() >= 3);
        assert!(found[1..found.len() - 1].iter().all(|it| *it == foreign), "{found:?}");
    });
}

/// Datagrams, messages and bytes, against a socket that hears the same and is read by hand.
#[test]
fn what_came_is_counted() {
    live(|| {
        let mut events = small(1 << 20);
        let mut cut = Events::with_ring(Socket::open(0).unwrap(), &[ROUTES], Ring::new(4, 32));
        let cut = cut.as_mut().unwrap();
        let beside = Socket::open(0).unwrap();
        beside.set_receive_buffer(1 << 20).unwrap();
        beside.join(ROUTES).unwrap();
        assert_eq!(events.received(), Received::default());
        make(&mut rtnetlink(), 0..40);
        // What strangers send is not the kernel's.
        let impostor = Socket::open(0).unwrap();
        let mut forged = Vec::new();
        AddRoute::number(77).encode(0, &mut forged).unwrap();
        impostor.send_to(&forged, events.socket().port(), 0).unwrap();
        let (mut ring, mut datagrams, mut bytes) = (Ring::default(), 0, 0);
        while let Ok(count) = ring.receive(&beside, Wait::Never) {
            datagrams += count as u64;
            bytes += ring.datagrams().map(|datagram| datagram.bytes.len() as u64).sum::<u64>();
        }
        assert_eq!(datagrams, 40);
        assert_eq!(items(&mut events).len(), 41);
        let told = events.received();
        assert_eq!((told.datagrams, told.messages, told.bytes), (40, 40, bytes));
        // Of those that were cut the whole length counts.
        items(cut);
        let told = cut.received();
        assert_eq!((told.datagrams, told.messages, told.bytes), (40, 0, bytes));
        let mut both = told;
        both += events.received();
        assert_eq!((both.datagrams, both.messages, both.bytes), (80, 40, 2 * bytes));
    });
}

/// Numbers a namespace in ours: `RTM_NEWNSID` with `NETNSA_NSID` and `NETNSA_FD`
/// (linux/net_namespace.h).
fn give_id(netns: &Netns, id: i32) {
    let header = Header { message_type: 88, flags: Flags::REQUEST, ..Header::default() };
    let mut bytes = Vec::new();
    nl_wire::write::message(&mut bytes, header, |writer| {
        writer.fixed(&[0]);
        writer.i32(1, id);
        writer.i32(3, netns.as_fd().as_raw_fd());
        Ok(())
    })
    .unwrap();
    Socket::open(0).unwrap().send(&bytes).unwrap();
}

/// `BPF_RET` of a constant (linux/bpf_common.h).
const BPF_RET: u16 = 6;

#[test]
fn events_tell_their_namespace() {
    live(|| {
        let there = Netns::create().unwrap();
        give_id(&there, 7);
        let socket = Socket::open(0).unwrap();
        socket.set_option(NetlinkOption::ListenAllNsid, true).unwrap();
        let mut events = Events::new(socket, &[LINKS]).unwrap();
        there.run(|| sh("ip link add br0 type bridge")).unwrap();
        sh("ip link add br1 type bridge");
        assert_eq!(
            items(&mut events),
            [Item::Message(RTM_NEWLINK, Some(7)), Item::Message(RTM_NEWLINK, None)]
        );
        let mut only_there = Events::open_in(Family::ROUTE, &there, &[LINKS]).unwrap();
        sh("ip link del br1");
        there.run(|| sh("ip link del br0")).unwrap();
        assert_eq!(items(&mut only_there), [Item::Message(RTM_DELLINK, None)]);
    });
}

#[test]
fn an_event_that_a_filter_cut_is_damaged() {
    live(|| {
        let mut events = small(1 << 20);
        // A filter that keeps 50 bytes of each: the message's own length stays as it was.
        let cut = Program::new(vec![Insn::new(BPF_RET, 50)]).unwrap();
        events.socket().attach_filter(&cut).unwrap();
        let mut connection = rtnetlink();
        make(&mut connection, 0..1);
        let found = items(&mut events);
        assert!(matches!(found[..], [Item::Loss(Loss::Damaged(_))]), "{found:?}");
        events.socket().detach_filter().unwrap();
        make(&mut connection, 1..2);
        assert_eq!(items(&mut events), [Item::Route(1)]);
    });
}
