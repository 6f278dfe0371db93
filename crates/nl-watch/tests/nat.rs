//! The translation table against a plain map, and its text.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nl_conntrack::{Event, EventKind, Flow, IpProtocol, L4, Tuple};
use nl_testkit::Rng;
use nl_watch::nat::{NatDump, NatEntry, NatOptions, NatTable, Origin, Tracker};
use proptest::prelude::*;

const FOREVER: NatOptions =
    NatOptions { bytes: 1 << 17, grace: Duration::ZERO, orphan_lifetime: None };

fn address(v6: bool, number: u8) -> IpAddr {
    if v6 { [0xfd00, 0, 0, 0, 0, 0, 1, number.into()].into() } else { [10, 0, 1, number].into() }
}

/// One of few tuples of each protocol, so that they meet.
fn tuple(protocol: IpProtocol, v6: bool, source: u8, destination: u8, number: u16) -> Tuple {
    let l4 = match protocol {
        IpProtocol::ICMP => L4::Icmp { id: number, kind: 8, code: 0 },
        IpProtocol::ICMPV6 => L4::Icmp { id: number, kind: 128, code: 0 },
        protocol if protocol.has_ports() => L4::Ports { source: number, destination: 80 },
        _ => L4::None,
    };
    Tuple::new(protocol, address(v6, source), address(v6, destination), l4)
}

const PROTOCOLS: [IpProtocol; 9] = [
    IpProtocol::TCP,
    IpProtocol::UDP,
    IpProtocol::UDPLITE,
    IpProtocol::SCTP,
    IpProtocol::DCCP,
    IpProtocol::GRE,
    IpProtocol::ICMP,
    IpProtocol::ICMPV6,
    IpProtocol::ESP,
];

/// A flow from `original` that looks like an answer to `translated`.
fn flow(original: Tuple, translated: Tuple, zone: Option<u16>) -> Flow {
    Flow { reply: translated.reversed(), zone, ..Flow::new(original) }
}

#[test]
fn every_protocol_in_both_directions() {
    let mut table = NatTable::new(FOREVER);
    let now = Instant::now();
    for protocol in PROTOCOLS {
        for v6 in [false, true] {
            let original = tuple(protocol, v6, 1, 2, 4000);
            // The source is translated, with its port or id; then the destination.
            for translated in [tuple(protocol, v6, 3, 2, 5000), tuple(protocol, v6, 1, 4, 4000)] {
                let flow = flow(original, translated, None);
                assert!(flow.is_nat(), "{flow:?}");
                assert!(table.insert(7, &flow, Origin::Announced, now));
                assert_eq!(table.lookup(7, 0, &flow.original), Some(flow.reply));
                assert_eq!(table.lookup(7, 0, &flow.reply), Some(flow.original));
                assert_eq!(table.lookup(8, 0, &flow.original), None, "another namespace");
                assert_eq!(table.lookup(7, 1, &flow.original), None, "another zone");
                let other = Tuple { protocol: IpProtocol(250), ..flow.original };
                assert_eq!(table.lookup(7, 0, &other), None, "another protocol");
                assert!(table.end(7, &flow, now));
                assert_eq!(table.lookup(7, 0, &flow.original), None);
                assert_eq!(table.lookup(7, 0, &flow.reply), None);
            }
        }
    }
    assert!(table.is_empty());
    assert_eq!(table.counters().registered, 2 * 2 * 9);
    assert_eq!(table.counters().unregistered, 2 * 2 * 9);
    assert_eq!(table.lookups().total, 7 * 2 * 2 * 9);
    assert_eq!(table.lookups().hits, 2 * 2 * 2 * 9);
}

#[test]
fn a_port_of_zero_is_a_port() {
    let mut table = NatTable::new(FOREVER);
    let original = tuple(IpProtocol::UDP, false, 1, 2, 0);
    let flow = flow(original, tuple(IpProtocol::UDP, false, 3, 2, 0), None);
    assert!(table.insert(1, &flow, Origin::Listed, Instant::now()));
    assert_eq!(table.lookup(1, 0, &original), Some(flow.reply));
}

#[test]
fn mapped_addresses_are_ipv4() {
    let mut table = NatTable::new(FOREVER);
    let original = tuple(IpProtocol::TCP, false, 1, 2, 4000);
    let flow = flow(original, tuple(IpProtocol::TCP, false, 3, 2, 4000), None);
    table.insert(1, &flow, Origin::Listed, Instant::now());
    let map = |address: IpAddr| match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().into(),
        v6 @ IpAddr::V6(_) => v6,
    };
    let (source, destination) = (map(original.source), map(original.destination));
    let mapped = Tuple { source, destination, ..original };
    assert_eq!(table.lookup(1, 0, &mapped), Some(flow.reply));
    let mixed = Tuple { source: address(true, 1), ..original };
    assert_eq!(table.lookup(1, 0, &mixed), None);
}

#[test]
fn each_direction_has_its_zone() {
    let mut table = NatTable::new(FOREVER);
    let now = Instant::now();
    let original = tuple(IpProtocol::TCP, false, 1, 2, 4000);
    let mut flow = flow(original, tuple(IpProtocol::TCP, false, 3, 2, 4000), None);
    flow.original.zone = Some(5);
    table.insert(1, &flow, Origin::Announced, now);
    assert_eq!(table.lookup(1, 0, &flow.original), None);
    let found = table.lookup(1, 5, &flow.original).unwrap();
    assert_eq!(found, Tuple { zone: Some(0), ..flow.reply });
    assert_eq!(table.lookup(1, 0, &flow.reply).unwrap().zone, Some(5));
    // The same tuples in a zone of both directions are another flow.
    let both = Flow { zone: Some(9), original, ..flow.clone() };
    assert!(table.insert(1, &both, Origin::Announced, now));
    assert_eq!(table.lookup(1, 9, &original), Some(flow.reply));
    assert_eq!(table.len(), 2);
}

#[test]
fn grace_and_orphans() {
    let options = NatOptions {
        grace: Duration::from_secs(10),
        orphan_lifetime: Some(Duration::from_secs(120)),
        ..FOREVER
    };
    let mut table = NatTable::new(options);
    let start = Instant::now();
    let at = |seconds| start + Duration::from_secs(seconds);
    let flows: Vec<Flow> = (1..=4)
        .map(|number| {
            let original = tuple(IpProtocol::TCP, number % 2 == 0, 1, 2, number);
            flow(original, tuple(IpProtocol::TCP, number % 2 == 0, 3, 2, number), None)
        })
        .collect();
    table.insert(1, &flows[0], Origin::Listed, start);
    for flow in &flows[1..] {
        table.insert(1, flow, Origin::Announced, start);
    }
    assert_eq!(table.orphans(), 3);
    assert!(table.lookup(1, 0, &flows[1].reply).is_some());
    // One ends, and is found for ten seconds more.
    assert!(table.end(1, &flows[2], at(5)));
    assert_eq!((table.orphans(), table.leaving(), table.expire(at(14))), (2, 1, 0));
    assert!(table.lookup(1, 0, &flows[2].original).is_some());
    assert_eq!(table.expire(at(16)), 1);
    assert!(table.lookup(1, 0, &flows[2].original).is_none());
    // Two minutes on, of those announced only the one that was asked for is left.
    assert_eq!(table.expire(at(121)), 1);
    assert_eq!((table.len(), table.orphans(), table.counters().orphans_expired), (2, 0, 1));
    assert!(table.lookup(1, 0, &flows[0].original).is_some());
    assert!(table.lookup(1, 0, &flows[1].original).is_some());
    // What ended and began anew stays.
    assert!(table.end(1, &flows[0], at(130)));
    assert!(table.insert(1, &flows[0], Origin::Announced, at(131)));
    assert_eq!(table.expire(at(200)), 0);
    assert_eq!((table.len(), table.leaving()), (2, 0));
}

/// What takes a direction is right, and what had it is gone: also if it is not translated.
#[test]
fn the_newer_flow_is_right() {
    let mut table = NatTable::new(FOREVER);
    let now = Instant::now();
    let original = tuple(IpProtocol::TCP, false, 1, 2, 4000);
    let old = flow(original, tuple(IpProtocol::TCP, false, 3, 2, 4000), None);
    let new = flow(original, tuple(IpProtocol::TCP, false, 4, 2, 4000), None);
    table.insert(1, &old, Origin::Announced, now);
    table.insert(1, &new, Origin::Announced, now);
    assert_eq!(table.lookup(1, 0, &original), Some(new.reply));
    assert_eq!(table.lookup(1, 0, &old.reply), None);
    assert!(!table.insert(1, &Flow::new(original), Origin::Announced, now));
    assert!(table.is_empty());
    assert_eq!((table.counters().replaced, table.counters().not_translated), (2, 1));
}

/// Entries that were looked up since are spared; memory stays within the budget.
#[test]
fn eviction_spares_what_is_used() {
    let mut table = NatTable::new(NatOptions { bytes: 128 * 100, ..FOREVER });
    let now = Instant::now();
    let numbered = |number: u16| {
        let original = tuple(IpProtocol::TCP, false, 1, 2, number);
        flow(original, tuple(IpProtocol::TCP, false, 3, 2, number), None)
    };
    for number in 0..100 {
        table.insert(1, &numbered(number), Origin::Announced, now);
    }
    assert_eq!((table.len(), table.counters().evicted), (100, 0));
    for round in 0_u16..50 {
        for number in 0..50 {
            assert!(table.lookup(1, 0, &numbered(number).original).is_some(), "{round} {number}");
        }
        for number in 0..40 {
            table.insert(1, &numbered(1000 + round * 40 + number), Origin::Announced, now);
        }
        assert_eq!(table.len(), 100);
    }
    assert_eq!(table.counters().evicted, 50 * 40);
    // IPv6 takes twice as much.
    for number in 0..1000 {
        let original = tuple(IpProtocol::TCP, true, 1, 2, number);
        let flow = flow(original, tuple(IpProtocol::TCP, true, 3, 2, number), None);
        table.insert(1, &flow, Origin::Announced, now);
        assert_eq!(table.lookup(1, 0, &flow.reply), Some(original));
    }
    assert!((50..100).contains(&table.len()), "{}", table.len());
    assert!(table.bytes() <= 128 * 100 + 512, "{}", table.bytes());
}

/// What ends while a list is under way does not come back with the list, whatever the order; what
/// the list does not have goes; what was announced meanwhile stays.
#[test]
fn lists_and_events_in_any_order() {
    let mut tracker = Tracker::new(FOREVER);
    let now = Instant::now();
    let numbered = |number: u16| {
        let original = tuple(IpProtocol::TCP, false, 1, 2, number);
        flow(original, tuple(IpProtocol::TCP, false, 3, 2, number), None)
    };
    let event = |kind, number| Event { kind, port: 0, flow: numbered(number) };
    let has = |tracker: &mut Tracker, namespace, number| {
        tracker.table_mut().lookup(namespace, 0, &numbered(number).original).is_some()
    };
    for number in [1, 2] {
        tracker.event(1, &event(EventKind::New, number), now);
        tracker.event(2, &event(EventKind::New, number), now);
    }
    let listing = tracker.begin_list(1);
    let other = tracker.begin_list(2);
    tracker.event(1, &event(EventKind::Destroy, 3), now); // not even known
    tracker.event(1, &event(EventKind::New, 4), now);
    tracker.event(1, &event(EventKind::New, 5), now);
    tracker.event(1, &event(EventKind::Destroy, 5), now);
    for number in [2, 3, 5, 6] {
        tracker.listed(&listing, &numbered(number), now);
    }
    tracker.expire(now);
    assert_eq!(tracker.end_list(listing, true), 1);
    assert_eq!(tracker.end_list(other, false), 0, "a list that failed takes nothing away");
    tracker.expire(now);
    let there: Vec<u16> = (0..10).filter(|number| has(&mut tracker, 1, *number)).collect();
    assert_eq!(there, [2, 4, 6]);
    assert!(has(&mut tracker, 2, 1) && has(&mut tracker, 2, 2));
    assert_eq!(tracker.table_mut().remove_namespace(1), 3);
    assert_eq!(tracker.table().len(), 2);
}

/// A list has a flow that ended meanwhile, whose directions another one took and lost again.
#[test]
fn what_ended_stays_away_though_others_took_its_place() {
    let mut tracker = Tracker::new(FOREVER);
    let now = Instant::now();
    let numbered = |number, answers| {
        let original = tuple(IpProtocol::TCP, false, 1, 2, number);
        flow(original, tuple(IpProtocol::TCP, false, 3, 2, answers), None)
    };
    let event = |kind, flow: &Flow| Event { kind, port: 0, flow: flow.clone() };
    let [ended, taker] = [1, 2].map(|number| numbered(number, 9));
    // The end is heard before the other one begins, or after.
    for order in [[&ended, &taker], [&taker, &ended]] {
        let listing = tracker.begin_list(1);
        for flow in order {
            let kind = if *flow == ended { EventKind::Destroy } else { EventKind::New };
            tracker.event(1, &event(kind, flow), now);
        }
        tracker.event(1, &event(EventKind::New, &numbered(2, 8)), now);
        tracker.listed(&listing, &ended, now);
        assert_eq!(tracker.table_mut().lookup(1, 0, &ended.original), None);
        // It begins anew, and was listed rightly.
        tracker.event(1, &event(EventKind::New, &ended), now);
        tracker.listed(&listing, &ended, now);
        assert_eq!(tracker.table_mut().lookup(1, 0, &ended.original), Some(ended.reply));
        tracker.end_list(listing, true);
        tracker.table_mut().remove_namespace(1);
    }
}

/// A list that is heard late has flows that ended meanwhile. They don't take the place of newer ones,
/// whether they are translated or not.
#[test]
fn a_late_list_displaces_nobody() {
    let mut tracker = Tracker::new(FOREVER);
    let now = Instant::now();
    let [first, second, third, before] = [1, 2, 3, 4].map(|number| {
        let original = tuple(IpProtocol::TCP, false, 1, 2, number);
        flow(original, tuple(IpProtocol::TCP, false, 3, 2, 9), None)
    });
    let event = |kind, flow: &Flow| Event { kind, port: 0, flow: flow.clone() };
    let find = |tracker: &mut Tracker, tuple| tracker.table_mut().lookup(1, 0, tuple);
    let answers = first.reply;
    tracker.event(1, &event(EventKind::New, &before), now); // its end is lost
    let listing = tracker.begin_list(1);
    tracker.event(1, &event(EventKind::Destroy, &first), now);
    tracker.event(1, &event(EventKind::New, &second), now);
    tracker.listed(&listing, &first, now);
    tracker.listed(&listing, &Flow { reply: answers, ..Flow::new(answers.reversed()) }, now);
    assert_eq!(find(&mut tracker, &answers), Some(second.original));
    assert_eq!(find(&mut tracker, &first.original), None);
    // One that ended stands in the way as well.
    tracker.event(1, &event(EventKind::Destroy, &second), now);
    tracker.listed(&listing, &first, now);
    assert_eq!(find(&mut tracker, &first.original), None);
    assert_eq!(tracker.end_list(listing, true), 0);
    tracker.expire(now);
    assert!(tracker.table().is_empty());
    // What was announced before the list and ended unheard does not let an ended one in either.
    tracker.event(1, &event(EventKind::New, &before), now);
    let listing = tracker.begin_list(1);
    tracker.event(1, &event(EventKind::Destroy, &first), now);
    tracker.listed(&listing, &first, now);
    tracker.end_list(listing, true);
    tracker.expire(now);
    assert!(tracker.table().is_empty());
    // What was announced before the list gives way, and within a list the later one is newer.
    tracker.event(1, &event(EventKind::New, &before), now);
    let listing = tracker.begin_list(1);
    tracker.listed(&listing, &first, now);
    assert_eq!(find(&mut tracker, &answers), Some(first.original));
    tracker.listed(&listing, &third, now);
    assert_eq!(find(&mut tracker, &answers), Some(third.original));
    // The word that the first ended comes last.
    tracker.event(1, &event(EventKind::Destroy, &first), now);
    assert_eq!(find(&mut tracker, &answers), Some(third.original));
    assert_eq!((tracker.end_list(listing, true), tracker.table().len()), (0, 1));
}

#[derive(Clone, Debug)]
enum Step {
    Put {
        namespace: u64,
        protocol: usize,
        v6: bool,
        addresses: [u8; 4],
        numbers: [u16; 2],
        zone: u16,
    },
    End(usize),
    Remove(usize, bool),
}

fn step() -> impl Strategy<Value = Step> {
    let few = || prop::array::uniform4(0_u8..3);
    prop_oneof![
        4 => (0_u64..2, 0..PROTOCOLS.len(), any::<bool>(), few(), prop::array::uniform2(0_u16..3), 0_u16..2)
            .prop_map(|(namespace, protocol, v6, addresses, numbers, zone)| Step::Put {
                namespace, protocol, v6, addresses, numbers, zone,
            }),
        2 => (0_usize..64).prop_map(Step::End),
        1 => (0_usize..64, any::<bool>()).prop_map(|(which, reply)| Step::Remove(which, reply)),
    ]
}

type Key = (u64, u16, Tuple);

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 256 }, ..ProptestConfig::default() })]

    /// The table is a map from each direction to the other.
    #[test]
    fn the_table_is_a_map(steps in prop::collection::vec(step(), 1..200)) {
        let mut table = NatTable::new(FOREVER);
        let now = Instant::now();
        let mut model = BTreeMap::<Key, (Tuple, Flow)>::new();
        let mut all = Vec::new();
        let forget = |model: &mut BTreeMap<Key, (Tuple, Flow)>, key: &Key| {
            if let Some((other, _)) = model.remove(key) {
                model.remove(&(key.0, key.1, other));
            }
        };
        for step in steps {
            match step {
                Step::Put { namespace, protocol, v6, addresses, numbers, zone } => {
                    let protocol = PROTOCOLS[protocol];
                    let [a, b, c, d] = addresses;
                    let flow = flow(
                        tuple(protocol, v6, a, b, numbers[0]),
                        tuple(protocol, v6, c, d, numbers[1]),
                        Some(zone),
                    );
                    let keys = [(namespace, zone, flow.original), (namespace, zone, flow.reply)];
                    let entered = table.insert(namespace, &flow, Origin::Announced, now);
                    // A flow that is its own answer can't be.
                    if flow.original == flow.reply {
                        prop_assert!(!entered);
                        continue;
                    }
                    prop_assert_eq!(entered, flow.is_nat());
                    for key in &keys {
                        forget(&mut model, key);
                    }
                    if flow.is_nat() {
                        model.insert(keys[0], (flow.reply, flow.clone()));
                        model.insert(keys[1], (flow.original, flow.clone()));
                        all.push((namespace, flow));
                    }
                }
                Step::End(which) if !all.is_empty() => {
                    let (namespace, flow) = &all[which % all.len()];
                    let key = (*namespace, flow.zone.unwrap(), flow.original);
                    let there = model.get(&key).is_some_and(|(_, there)| there == flow);
                    prop_assert_eq!(table.end(*namespace, flow, now), there);
                    forget(&mut model, &key);
                }
                Step::Remove(which, reply) if !all.is_empty() => {
                    let (namespace, flow) = &all[which % all.len()];
                    let tuple = if reply { flow.reply } else { flow.original };
                    let key = (*namespace, flow.zone.unwrap(), tuple);
                    let removed = table.remove(key.0, key.1, &tuple);
                    prop_assert_eq!(removed, model.contains_key(&key));
                    forget(&mut model, &key);
                }
                _ => {}
            }
            prop_assert_eq!(table.len() * 2, model.len());
        }
        for (namespace, flow) in &all {
            for tuple in [flow.original, flow.reply] {
                let zone = flow.zone.unwrap();
                let expected = model.get(&(*namespace, zone, tuple)).map(|(other, _)| *other);
                prop_assert_eq!(table.lookup(*namespace, zone, &tuple), expected);
            }
        }
        prop_assert_eq!(table.entries().len(), table.len());
        // Many at once are the same as one by one.
        let tuples: Vec<Tuple> = all.iter().map(|(_, flow)| flow.reply).collect();
        let mut reader = table.reader();
        let mut answers = Vec::new();
        reader.lookup_all(1, 1, &tuples, |tuple, found| answers.push((*tuple, found)));
        prop_assert_eq!(answers.len(), tuples.len());
        for ((asked, found), tuple) in answers.into_iter().zip(&tuples) {
            prop_assert_eq!(asked, *tuple);
            prop_assert_eq!(found, model.get(&(1, 1, *tuple)).map(|(other, _)| *other));
        }
    }
}

/// Long churn at the limit of the budget: everything found is right, nothing leaks.
#[test]
#[cfg_attr(miri, ignore = "long")]
fn churn() {
    let mut table = NatTable::new(NatOptions { bytes: 128 * 2000, ..FOREVER });
    let now = Instant::now();
    let mut rng = Rng::new(9);
    let numbered = |number: usize| {
        let [.., a, b, c] = u32::try_from(number).unwrap().to_be_bytes();
        let v6 = number % 3 == 0;
        let mut original = tuple(IpProtocol::UDP, v6, a, b, u16::from(c) << 8 | 1);
        original.l4 = L4::Ports { source: u16::from_be_bytes([b, c]), destination: a.into() };
        let translated = Tuple { source: address(v6, 250), ..original };
        flow(original, translated, None)
    };
    for _ in 0..300_000 {
        let flow = numbered(rng.below(5000));
        match rng.below(3) {
            0 => drop(table.insert(1, &flow, Origin::Announced, now)),
            1 => drop(table.end(1, &flow, now)),
            _ => {
                let found = table.lookup(1, 0, &flow.original);
                assert!(found.is_none_or(|found| found == flow.reply), "{flow:?} {found:?}");
            }
        }
    }
    let before = table.len();
    assert!(before > 500, "{before}");
    let ended = (0..5000).filter(|number| table.end(1, &numbered(*number), now)).count();
    assert_eq!(ended, before);
    assert!(table.is_empty() && table.entries().is_empty());
}

/// Readers beside a writer see each flow whole or not at all, and those that stay always.
#[test]
fn readers_beside_a_writer() {
    let mut table = NatTable::new(NatOptions { bytes: 128 * 200, ..FOREVER });
    let now = Instant::now();
    // A flow's translation is told by its number, so any mixture shows. A fourth are IPv6.
    // All of them have just the room that there is, so entries move to make some.
    let numbered = |number: u16| {
        let v6 = number % 4 == 0;
        let original = tuple(IpProtocol::TCP, v6, 1, 2, number);
        let [high, low] = number.to_be_bytes();
        let mut translated = tuple(IpProtocol::TCP, v6, high, low, number.wrapping_mul(31));
        translated.destination = address(v6, low);
        flow(original, translated, None)
    };
    for number in 0..20 {
        table.insert(1, &numbered(number), Origin::Listed, now);
    }
    let done = AtomicBool::new(false);
    let lookups: u64 = std::thread::scope(|scope| {
        let done = &done;
        let readers: Vec<_> = (0_u64..2)
            .map(|seed| {
                let mut reader = table.reader();
                scope.spawn(move || {
                    let mut rng = Rng::new(seed);
                    let mut hits = 0;
                    while !done.load(Ordering::Relaxed) {
                        let number = u16::try_from(rng.below(200)).unwrap();
                        let flow = numbered(number);
                        let found = reader.lookup(1, 0, &flow.original);
                        assert!(found.is_none_or(|found| found == flow.reply), "{found:?}");
                        assert!(found.is_some() || number >= 20, "{number} was always there");
                        hits += u64::from(found.is_some());
                    }
                    hits
                })
            })
            .collect();
        let mut rng = Rng::new(77);
        let rounds = if cfg!(miri) { 300 } else { 400_000 };
        for _ in 0..rounds {
            let flow = numbered(u16::try_from(20 + rng.below(180)).unwrap());
            if rng.one_in(4) {
                table.end(1, &flow, now);
            } else {
                table.insert(1, &flow, Origin::Announced, now);
            }
        }
        done.store(true, Ordering::Relaxed);
        readers.into_iter().map(|reader| reader.join().unwrap()).sum()
    });
    assert_eq!(table.counters().evicted, 0);
    assert_eq!(table.lookups().hits, lookups, "readers that are gone count");
}

#[test]
fn text_in_order_and_with_a_limit() {
    let tcp = |a, b, c, d, first: u16| {
        let original = Tuple::with_ports(IpProtocol::TCP, (a, first), (b, first + 1));
        let reply = Tuple::with_ports(IpProtocol::TCP, (c, first + 2), (d, first + 3));
        Flow { reply, ..Flow::new(original) }
    };
    let v4 = |a: u8, b: u8, c: u8, d: u8| IpAddr::from([a, b, c, d]);
    let flows = [
        tcp(v4(127, 0, 0, 1), v4(127, 0, 0, 2), v4(127, 0, 0, 3), v4(127, 0, 0, 4), 10000),
        tcp(v4(10, 0, 0, 1), v4(10, 0, 0, 2), v4(10, 0, 0, 3), v4(10, 0, 0, 4), 11000),
        flow(
            tuple(IpProtocol::ICMP, false, 1, 2, 9),
            tuple(IpProtocol::ICMP, false, 3, 2, 8),
            Some(4),
        ),
        flow(tuple(IpProtocol::UDP, true, 1, 2, 9), tuple(IpProtocol::UDP, true, 3, 2, 9), None),
        flow(tuple(IpProtocol(250), false, 1, 2, 9), tuple(IpProtocol(250), false, 3, 2, 9), None),
        Flow::new(tuple(IpProtocol::UDP, true, 1, 2, 10)),
    ];
    let mut entries: Vec<NatEntry> =
        flows.iter().filter_map(|flow| NatEntry::of(1234, flow)).collect();
    entries.extend(NatEntry::of(9999, &flows[3]));
    let mut table = NatTable::new(FOREVER);
    for flow in &flows {
        table.insert(1234, flow, Origin::Listed, Instant::now());
    }
    table.insert(9999, &flows[3], Origin::Listed, Instant::now());
    let lines = "\
namespace 1234, size=5:
ICMP v4 src=10.0.1.1 dst=10.0.1.2 type=8 code=0 id=9 zone=4 src=10.0.1.2 dst=10.0.1.3 type=0 code=0 id=8 zone=4
TCP v4 src=10.0.0.1 dst=10.0.0.2 sport=11000 dport=11001 src=10.0.0.3 dst=10.0.0.4 sport=11002 dport=11003
TCP v4 src=127.0.0.1 dst=127.0.0.2 sport=10000 dport=10001 src=127.0.0.3 dst=127.0.0.4 sport=10002 dport=10003
UDP v6 src=fd00::1:1 dst=fd00::1:2 sport=9 dport=80 src=fd00::1:2 dst=fd00::1:3 sport=80 dport=9
250 v4 src=10.0.1.1 dst=10.0.1.2 src=10.0.1.2 dst=10.0.1.3
namespace 9999, size=1:
UDP v6 src=fd00::1:1 dst=fd00::1:2 sport=9 dport=80 src=fd00::1:2 dst=fd00::1:3 sport=80 dport=9
";
    let host = NatDump::new("host", 1234, entries.iter().copied());
    assert_eq!(
        host.to_string(),
        format!("conntrack dump, kind=host rootNS=1234\ntotalEntries=6\n{lines}")
    );
    let cached = NatDump::new("cached", 1234, table.reader().entries());
    assert_eq!(cached.to_string(), host.to_string().replace("host", "cached"));

    entries.reverse();
    let mut capped = NatDump::new("cached", 1234, entries);
    assert_eq!(capped.limit, 3000);
    capped.limit = 2;
    capped.partial = true;
    let text = capped.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[1], "totalEntries=6, capped to 2 to reduce output size");
    assert!(lines[2].starts_with("netlink table truncated"));
    assert!(lines[4].starts_with("ICMP") && lines[5].starts_with("TCP"));
    assert_eq!(lines[6], "<reached max entries, skipping remaining 3 entries...>");
    assert_eq!(lines[7], "namespace 9999, size=1:");
    assert_eq!(lines[8], "<reached max entries, skipping remaining 1 entries...>");
    assert_eq!(lines.len(), 9);
}
