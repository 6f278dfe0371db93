//! Tracked connections of many namespaces at once, against a living kernel.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::udp;
use nl_conntrack::{Change, Flow, NatRange};
use nl_route::nsid::{AssignNsid, NsidTarget};
use nl_socket::host::wait_readable;
use nl_socket::{Connection, Loss, Netns, Wait};
use nl_testkit::{Rng, Running, live, need, sh, wait_until};
use nl_watch::consumer::{Consumer, Options, Strategy, Told};
use nl_watch::metrics::Metrics;
use nl_watch::nat::{NatOptions, Tracker};
use nl_watch::{Change as What, Flows, Item, Namespace, Object as _, Watch};
use nl_wire::value::Family;

fn options(strategy: Strategy) -> Options {
    let scan = Duration::from_millis(200);
    Options { strategy, processes: false, scan, ..Options::default() }
}

const BOTH: [Strategy; 2] = [Strategy::Shared, Strategy::Separate];

/// Everything there is to tell, until there is nothing more for a while and all is right.
fn all(consumer: &mut Consumer<Flows>) -> Vec<Told<Flow>> {
    let (mut told, limit) = (Vec::new(), Instant::now() + Duration::from_secs(20));
    loop {
        match consumer.next(Wait::at_most(Duration::from_millis(20))).unwrap() {
            Some(item) => told.push(item),
            None if consumer.is_converged() => return told,
            None => assert!(Instant::now() < limit, "never right: {consumer:?}"),
        }
    }
}

fn name(namespace: &Namespace) -> String {
    if namespace.own {
        return "own".to_owned();
    }
    namespace.name().map_or_else(|| "?".to_owned(), |name| name.to_str().unwrap().to_owned())
}

/// The changes told: namespace, `+` or `-`, port.
fn changes(told: &[Told<Flow>]) -> Vec<(String, char, u16)> {
    let port = |flow: &Flow| flow.original.source_port().unwrap();
    told.iter()
        .filter_map(|told| match told {
            Told::Item { namespace, item: Item::Change(change) } => Some(match change {
                What::Added(flow) => (name(namespace), '+', port(flow)),
                What::Removed(flow) => (name(namespace), '-', port(flow)),
                What::Changed { new, .. } => (name(namespace), '=', port(new)),
            }),
            _ => None,
        })
        .collect()
}

fn connect(netns: &str) -> Connection {
    Connection::open_in(Family::NETFILTER, &Netns::named(netns).unwrap()).unwrap()
}

fn run(connection: &mut Connection, changes: impl IntoIterator<Item = Change>) {
    for result in connection.batch(changes) {
        result.unwrap();
    }
}

/// What the mirrors hold, by name.
fn mirrors(consumer: &Consumer<Flows>) -> BTreeMap<String, usize> {
    consumer.namespaces().map(|(space, engine)| (name(space), engine.mirror().len())).collect()
}

#[test]
fn every_event_has_its_namespace() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        for strategy in BOTH {
            // The id 0 is that of another namespace than our own.
            sh("ip netns add a; ip netns add b; ip netns set b 0");
            let mut own = Connection::open(Family::NETFILTER).unwrap();
            let (mut a, mut b) = (connect("a"), connect("b"));
            run(&mut own, [Change::create(udp(1))]);
            run(&mut b, (1..=300).map(|port| Change::create(udp(port))));
            let mut consumer = Consumer::open(Flows::default(), options(strategy)).unwrap();
            let told = all(&mut consumer);
            assert!(changes(&told).is_empty(), "{told:?}");
            let expected = [("a", 0), ("b", 300), ("own", 1)].map(|(n, c)| (n.to_owned(), c));
            assert_eq!(mirrors(&consumer), BTreeMap::from(expected), "{strategy:?}");
            let ids: BTreeSet<_> = consumer.namespaces().map(|(space, _)| space.id).collect();
            assert_eq!(ids.len(), 3);
            for (space, _) in consumer.namespaces().filter(|(space, _)| !space.own) {
                let inode = Netns::named(&name(space)).unwrap().id().unwrap();
                assert_eq!(space.id, Some(inode));
                assert_eq!(space.nsid == Some(0), name(space) == "b");
            }

            // One flow in three namespaces.
            for connection in [&mut own, &mut a, &mut b] {
                run(connection, [Change::create(udp(1000))]);
            }
            let mut found = changes(&all(&mut consumer));
            found.sort();
            let expected = ["a", "b", "own"].map(|name| (name.to_owned(), '+', 1000));
            assert_eq!(found, expected, "{strategy:?}");
            run(&mut b, [Change::delete(udp(1000))]);
            assert_eq!(changes(&all(&mut consumer)), [("b".to_owned(), '-', 1000)]);

            // Births and deaths.
            sh("ip netns add c");
            run(&mut connect("c"), [Change::create(udp(3))]);
            let told = all(&mut consumer);
            assert!(told.iter().any(|told| matches!(told, Told::Found(it) if name(it) == "c")));
            assert_eq!(mirrors(&consumer)["c"], 1);
            drop((a, b));
            sh("ip netns del b");
            let gone = loop {
                match consumer.next(Wait::at_most(Duration::from_secs(5))).unwrap() {
                    Some(Told::Gone { namespace, entries }) => break (namespace, entries),
                    Some(_) => {}
                    None => panic!("the end was not told: {consumer:?}"),
                }
            };
            // By the shared socket the ends of its flows are heard before.
            assert_eq!(gone.0.id, ids.iter().copied().find(|id| *id == gone.0.id).unwrap());
            let expected = if strategy == Strategy::Shared { 0 } else { 300 };
            assert!(gone.1 == expected || gone.1 == 300, "{gone:?}");
            all(&mut consumer);
            assert!(!mirrors(&consumer).contains_key("b"));
            let counts = consumer.discard().unwrap();
            let sum: u64 = counts.iter().map(|(_, count)| *count.as_ref().unwrap()).sum();
            assert_eq!((counts.len(), sum), (3, 2 + 1 + 1));
            drop(consumer);
            run(&mut own, [Change::delete(udp(1)), Change::delete(udp(1000))]);
            sh("ip netns del a; ip netns del c");
        }
    });
}

/// What is made between the start of a list and its end, and between two lists, is in neither's gap.
#[test]
fn nothing_falls_between_list_and_events() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh("ip netns add a");
        for strategy in BOTH {
            let mut a = connect("a");
            let mut consumer = Consumer::open(Flows::default(), options(strategy)).unwrap();
            let writer = std::thread::spawn(move || {
                for port in 1..=4000 {
                    a.run(Change::create(udp(port))).unwrap();
                }
                for port in (1..=4000).step_by(3) {
                    a.run(Change::delete(udp(port))).unwrap();
                }
                a
            });
            while !writer.is_finished() {
                consumer.next(Wait::at_most(Duration::from_millis(1))).unwrap();
            }
            let mut a = writer.join().unwrap();
            all(&mut consumer);
            let kernel: BTreeSet<_> = a
                .dump(Flows::default().list())
                .unwrap()
                .map(|flow| Flows::key(&flow.unwrap()))
                .collect();
            let (_, engine) = consumer.namespaces().find(|(space, _)| name(space) == "a").unwrap();
            let ours: BTreeSet<_> = engine.mirror().iter().map(Flows::key).collect();
            assert_eq!(ours.len(), 2666, "{strategy:?}");
            assert_eq!(ours, kernel);
            run(&mut a, ours.iter().map(|key| Change::delete(udp(key.1.source_port().unwrap()))));
        }
    });
}

/// An overrun of the shared socket concerns all namespaces, and one of its own only one.
#[test]
fn overruns_are_repaired_in_every_namespace() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh("ip netns add a; ip netns add b");
        for strategy in BOTH {
            let options = Options { receive_buffer: Some(8192), ..options(strategy) };
            let mut consumer = Consumer::open(Flows::default(), options).unwrap();
            all(&mut consumer);
            let (mut a, mut b) = (connect("a"), connect("b"));
            let mut there = [BTreeSet::new(), BTreeSet::new()];
            let (mut rng, mut losses, mut dropped) = (Rng::new(7), 0, 0);
            for round in 0..20 {
                for (connection, there) in [&mut a, &mut b].into_iter().zip(&mut there) {
                    let ports = (0..40).map(|_| u16::try_from(rng.below(100)).unwrap() + 1);
                    let changes: Vec<_> = ports
                        .map(|port| {
                            if there.insert(port) {
                                return Change::create(udp(port));
                            }
                            there.remove(&port);
                            Change::delete(udp(port))
                        })
                        .collect();
                    run(connection, changes);
                }
                for told in all(&mut consumer) {
                    match told {
                        Told::Lost(nl_socket::Loss::Overrun { dropped: lost }) => {
                            losses += 1;
                            dropped += lost;
                        }
                        Told::Item { item: Item::Lost(_), .. } => losses += 1,
                        _ => {}
                    }
                }
                let held = mirrors(&consumer);
                assert_eq!((held["a"], held["b"]), (there[0].len(), there[1].len()), "{round}");
            }
            assert!(losses >= 20, "{losses}");
            if strategy == Strategy::Shared {
                assert_eq!(consumer.events().unwrap().socket().drops().unwrap(), dropped);
            }
            run(&mut a, there[0].iter().map(|port| Change::delete(udp(*port))));
            run(&mut b, there[1].iter().map(|port| Change::delete(udp(*port))));
        }
    });
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Resident memory in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// 200 namespaces, and 100 with sockets of their own, come and go under traffic; each has flows that
/// tell which it is.
#[test]
fn namespaces_come_and_go_under_traffic() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        for strategy in BOTH {
            let mut consumer = Consumer::open(Flows::default(), options(strategy)).unwrap();
            all(&mut consumer);
            let (mut before, mut attributed) = ((descriptors(), resident()), 0);
            for wave in 0..if strategy == Strategy::Shared { 10 } else { 5_u16 } {
                let lasting = Arc::new(AtomicUsize::new(0));
                let followed = Arc::clone(&lasting);
                let writer = std::thread::spawn(move || {
                    for turn in 1..=20_u16 {
                        let port = wave * 20 + turn;
                        let name = format!("n{port}");
                        sh(&format!("ip netns add {name}"));
                        let mut inside = connect(&name);
                        // Each namespace has flows of one port's hundred only.
                        let flows = || (0..50).map(|more| udp(port * 100 + more));
                        run(&mut inside, flows().map(Change::create));
                        run(&mut inside, flows().step_by(2).map(Change::delete));
                        if turn % 4 != 0 {
                            drop(inside);
                            sh(&format!("ip netns del {name}"));
                        }
                    }
                    // How many of those that are gone were followed in time is not ours to say.
                    wait_until("those that last", || followed.load(Ordering::Relaxed) == 5);
                    for turn in (4..=20).step_by(4) {
                        let port = wave * 20 + turn;
                        let flows = (50..100).map(|more| udp(port * 100 + more));
                        run(&mut connect(&format!("n{port}")), flows.map(Change::create));
                        sh(&format!("ip netns del n{port}"));
                    }
                });
                let (mut found, mut gone) = (BTreeSet::new(), 0);
                let limit = Instant::now() + Duration::from_secs(60);
                while !writer.is_finished() || consumer.namespaces().count() > 1 {
                    assert!(Instant::now() < limit, "{consumer:?}");
                    if consumer.is_converged() {
                        let number = |space| name(space).trim_start_matches('n').parse::<u16>();
                        let lasts = |space| number(space).is_ok_and(|port| port % 4 == 0);
                        let count = consumer.namespaces().filter(|(space, _)| lasts(space)).count();
                        lasting.store(count, Ordering::Relaxed);
                    }
                    match consumer.next(Wait::at_most(Duration::from_millis(10))).unwrap() {
                        Some(Told::Found(space)) => {
                            found.insert(space.id);
                        }
                        Some(Told::Gone { .. }) => gone += 1,
                        Some(Told::Item { namespace, item: Item::Change(change) }) => {
                            let (What::Added(flow) | What::Removed(flow)) = change else {
                                continue;
                            };
                            let port = flow.original.source_port().unwrap();
                            attributed += 1;
                            assert_eq!(name(&namespace), format!("n{}", port / 100));
                        }
                        Some(Told::Failed { error, .. }) => panic!("{error}"),
                        _ => {}
                    }
                }
                writer.join().unwrap();
                let rest = all(&mut consumer);
                gone += rest.iter().filter(|told| matches!(told, Told::Gone { .. })).count();
                assert!(gone >= 5, "{gone} of {}", found.len());
                if wave == 0 {
                    before = (descriptors(), resident());
                }
            }
            assert_eq!(descriptors(), before.0, "{strategy:?}");
            // The buffers of one connection have 4 MiB, and may be freed or not.
            assert!(resident() < before.1 + 8192, "{} KiB, before {}", resident(), before.1);
            assert!(attributed > 100, "{attributed}");
        }
    });
}

/// While nobody listens, a namespace ends and its id goes to another one.
#[test]
fn an_id_that_changes_hands_misleads_nobody() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh("ip netns add a; ip netns set a 5");
        let mut consumer = Consumer::open(Flows::default(), options(Strategy::Shared)).unwrap();
        all(&mut consumer);
        run(&mut connect("a"), [Change::create(udp(1)), Change::create(udp(2))]);
        assert_eq!(changes(&all(&mut consumer)).len(), 2);
        run(&mut connect("a"), [Change::create(udp(3))]);
        sh("ip netns del a
            ip netns add b
            for i in $(seq 100); do ip netns set b 5 2>/dev/null && break; sleep 0.05; done");
        run(&mut connect("b"), [Change::create(udp(4))]);
        let told = all(&mut consumer);
        assert!(
            told.iter().any(|told| matches!(told, Told::Unattributed { nsid: 5, events: 2.. }))
        );
        assert!(changes(&told).is_empty(), "{told:?}");
        assert!(told.iter().any(|told| {
            matches!(told, Told::Gone { namespace, entries: 2 } if name(namespace) == "?"
                || name(namespace) == "a")
        }));
        let b = consumer.namespaces().find(|(space, _)| name(space) == "b").unwrap();
        assert_eq!((b.0.nsid, b.1.mirror().len()), (Some(5), 1));
    });
}

/// Set for the part of a test that runs without a capability.
const BARE: &str = "NL_BARE";

#[test]
fn a_missing_capability_is_named() {
    live(|| {
        if std::env::var_os(BARE).is_some() {
            let error = Consumer::open(Flows::default(), options(Strategy::Shared)).unwrap_err();
            assert!(error.is_permission());
            assert!(error.to_string().contains("needs CAP_NET_BROADCAST"), "{error}");
            Consumer::open(Flows::default(), options(Strategy::Separate)).unwrap();
            return;
        }
        if !need(&["setpriv"]) {
            return;
        }
        let status = std::process::Command::new("setpriv")
            .arg("--bounding-set=-net_broadcast")
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "a_missing_capability_is_named", "--nocapture"])
            .env(BARE, "1")
            .status();
        assert!(status.unwrap().success());
    });
}

#[test]
fn processes_have_namespaces_too() {
    live(|| {
        if !need(&["unshare", "sleep"]) {
            return;
        }
        let options = Options { processes: true, ..options(Strategy::Shared) };
        let mut consumer = Consumer::open(Flows::default(), options).unwrap();
        all(&mut consumer);
        let child = Running::start(Command::new("unshare").args(["-n", "sleep", "60"]));
        let pid = child.id();
        let path = format!("/proc/{pid}/ns/net");
        let mut wait_for = |what: &dyn Fn(&Told<Flow>) -> bool| {
            let limit = Instant::now() + Duration::from_secs(10);
            loop {
                assert!(Instant::now() < limit);
                let told = consumer.next(Wait::at_most(Duration::from_millis(50))).unwrap();
                if told.as_ref().is_some_and(what) {
                    return;
                }
            }
        };
        let is_it = |space: &Namespace| space.paths.iter().any(|found| found.ends_with(&path));
        wait_for(&|told| matches!(told, Told::Found(space) if is_it(space)));
        let mut inside =
            Connection::open_in(Family::NETFILTER, &Netns::of_process(pid).unwrap()).unwrap();
        wait_for(&|told| matches!(told, Told::Item { item: Item::Listed { .. }, .. }));
        run(&mut inside, [Change::create(udp(9))]);
        wait_for(
            &|told| matches!(told, Told::Item { namespace, item: Item::Change(_) } if is_it(namespace)),
        );
        drop(inside);
        drop(child);
        wait_for(&|told| matches!(told, Told::Gone { .. }));
    });
}

/// A turn hears so many events of one socket; what is behind them, be it nothing but a loss, is heard
/// all the same, though the descriptor is not readable.
#[test]
fn what_a_turn_leaves_is_heard_without_further_events() {
    live(|| {
        let mut kernel = Connection::open(Family::NETFILTER).unwrap();
        let mut consumer = Consumer::open(Flows::default(), options(Strategy::Separate)).unwrap();
        all(&mut consumer);
        run(&mut kernel, [Change::create(udp(1))]);
        let event = consumer.sockets().next().unwrap().mem_info().unwrap().receive_queued as usize;
        assert_eq!(all(&mut consumer).len(), 1);
        let mut turns = BTreeSet::new();
        // Kernels let as many in as have room, or one more.
        for room in 253..=257 {
            let socket = consumer.sockets().next().unwrap();
            // Half an event more; the kernel doubles what is asked.
            socket.set_receive_buffer(event * (2 * room + 1) / 4).unwrap();
            let before = consumer.received().messages;
            run(&mut kernel, (2..=401).map(|port| Change::create(udp(port))));
            let told = all(&mut consumer);
            let received = consumer.received().messages - before;
            let lost: Vec<u32> = told
                .iter()
                .filter_map(|told| match told {
                    Told::Item { item: Item::Lost(Loss::Overrun { dropped }), .. } => {
                        Some(*dropped)
                    }
                    _ => None,
                })
                .collect();
            assert_eq!(lost.iter().copied().map(u64::from).sum::<u64>(), 400 - received);
            assert_eq!(mirrors(&consumer)["own"], 401);
            turns.insert(received);
            consumer.sockets().next().unwrap().set_receive_buffer(1 << 20).unwrap();
            run(&mut kernel, (2..=401).map(|port| Change::delete(udp(port))));
            all(&mut consumer);
        }
        assert!(turns.contains(&256), "no turn was full: {turns:?}");
        let mut metrics = Metrics::default();
        metrics.take_consumer(&consumer);
        assert!(metrics.coverage.converged && metrics.queue.limit > 0);
        assert_eq!(metrics.received, consumer.received());
    });
}

/// Who stops before there is nothing left to be told is not made to wait for a descriptor.
#[test]
fn what_is_left_to_be_told_is_due() {
    live(|| {
        let mut kernel = Connection::open(Family::NETFILTER).unwrap();
        let mut consumer = Consumer::open(Flows::default(), options(Strategy::Shared)).unwrap();
        let mut watch = Watch::open(Flows::default()).unwrap();
        all(&mut consumer);
        assert!(watch.next(Wait::Never).unwrap().is_some());
        run(&mut kernel, (1..=3).map(|port| Change::create(udp(port))));
        for _ in 0..3 {
            assert!(consumer.next(Wait::Never).unwrap().is_some());
            assert!(watch.next(Wait::Never).unwrap().is_some());
            let due = [consumer.deadline(), watch.deadline().unwrap()];
            assert!(due.iter().all(|due| *due <= Instant::now()));
        }
        assert!(consumer.next(Wait::Never).unwrap().is_none());
        assert!(watch.next(Wait::Never).unwrap().is_none());
        let mut metrics = Metrics::default();
        metrics.take_watch(&watch);
        assert!(metrics.coverage.converged && metrics.queue.limit > 0);
        assert_eq!(metrics.received.messages, 3);
        // Not before the next look at the load, and the next list.
        watch.set_pressure(None).unwrap();
        assert!(watch.deadline().unwrap() > Instant::now() + Duration::from_secs(60));
    });
}

/// A namespace of which a path is found has another number from then on, and its translations go with
/// it.
#[test]
fn translations_go_with_the_number_of_their_namespace() {
    live(|| {
        let mut consumer = Consumer::open(Flows::default(), options(Strategy::Shared)).unwrap();
        let mut tracker = Tracker::new(NatOptions::default());
        // Nothing leads to it but this, and an id.
        let netns = Netns::create().unwrap();
        let to = NsidTarget::Fd(netns.as_fd().as_raw_fd());
        Connection::open(Family::ROUTE).unwrap().run(AssignNsid { to, id: Some(3) }).unwrap();
        let limit = Instant::now() + Duration::from_secs(20);
        let mut until = |tracker: &mut Tracker, so: &dyn Fn(&Tracker, &Told<Flow>) -> bool| {
            loop {
                assert!(Instant::now() < limit, "{consumer:?}");
                let wait = Wait::at_most(Duration::from_millis(50));
                let told = tracker.consume(&mut consumer, wait).unwrap();
                if told.is_some_and(|told| so(tracker, &told)) {
                    return;
                }
            }
        };
        let met = |told: &Told<Flow>, number: u64| matches!(told, Told::Found(space) if space.nsid == Some(3) && space.number() == number);
        until(&mut tracker, &|_, told| met(told, 1 << 32 | 3));
        let nat_source = Some(NatRange::from(IpAddr::from([198, 51, 100, 1])));
        let mut inside = Connection::open_in(Family::NETFILTER, &netns).unwrap();
        run(&mut inside, [Change { nat_source, ..Change::create(udp(7)) }]);
        until(&mut tracker, &|tracker, _| tracker.table().len() == 1);
        let mut reader = tracker.reader();
        let mut is_known = |number| reader.lookup(number, 0, &udp(7).original).is_some();
        let number = netns.id().unwrap().inode;
        assert!(is_known(1 << 32 | 3) && !is_known(number));

        let (process, fd) = (std::process::id(), netns.as_fd().as_raw_fd());
        sh(&format!("touch /run/late; mount --bind /proc/{process}/fd/{fd} /run/late"));
        until(&mut tracker, &|_, told| met(told, number));
        assert!(is_known(number) && !is_known(1 << 32 | 3));
    });
}

/// Who waits for the descriptor in a loop of his own is told of namespaces as soon as who waits by
/// `next`: not only by the next scan.
#[test]
fn mounts_are_heard_by_who_waits_for_the_descriptor() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        let scan = Duration::from_secs(3600);
        for strategy in BOTH {
            let options = Options { scan, ..options(strategy) };
            let mut consumer = Consumer::open(Flows::default(), options).unwrap();
            all(&mut consumer);
            for turn in 0..5 {
                sh(&format!("ip netns add short{turn}"));
                let limit = Instant::now() + Duration::from_secs(20);
                let mut found = false;
                while !found {
                    assert!(Instant::now() < limit, "{consumer:?}");
                    let wait = Wait::Until(consumer.deadline().min(limit));
                    wait_readable([consumer.as_fd()], wait).unwrap();
                    while let Some(told) = consumer.next(Wait::Never).unwrap() {
                        found |= matches!(told, Told::Found(_));
                    }
                }
                sh(&format!("ip netns del short{turn}"));
            }
        }
    });
}
