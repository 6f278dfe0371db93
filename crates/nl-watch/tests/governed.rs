//! Watches and consumers that govern themselves: as a model, and with a living kernel.

mod common;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use common::mixed;
use nl_conntrack::tables::{IPCTNL_MSG_CT_DELETE, IPCTNL_MSG_CT_NEW};
use nl_conntrack::{Change, EventKind, Flow, Flush, IpProtocol, List, Status, Tuple};
use nl_socket::{Connection, Event, Netns, Wait};
use nl_testkit::{Rng, live, need, sh};
use nl_watch::consumer::{Consumer, Options, Strategy, Told};
use nl_watch::nat::{NatOptions, Tracker};
use nl_watch::pressure::{EventFilter, Gate, GovernorOptions, Level};
use nl_watch::{Change as What, Engine, Flows, Item, Watch};
use nl_wire::value::Family;
use nl_wire::{Flags, Header, Messages, write};

/// Who believes what an engine tells.
#[derive(Default)]
struct Believer {
    held: BTreeMap<Tuple, Flow>,
    born: usize,
    died: usize,
    given_up: usize,
    /// He came after the first list.
    late: bool,
}

impl Believer {
    fn hear(&mut self, item: &Item<Flow>) {
        match item {
            Item::Change(What::Added(flow)) => {
                assert!(self.held.insert(flow.original, flow.clone()).is_none(), "{flow:?}");
                self.born += 1;
            }
            Item::Change(What::Changed { new, .. }) => {
                let before = self.held.insert(new.original, new.clone());
                assert!(before.is_some() || self.late, "{new:?}");
            }
            Item::Change(What::Removed(flow)) => {
                let known = self.held.remove(&flow.original).is_some();
                assert!(known || self.late, "{flow:?}");
                self.died += usize::from(known);
            }
            Item::Forgotten(flow) => {
                assert!(self.held.remove(&flow.original).is_some() || self.late, "{flow:?}");
                self.given_up += 1;
            }
            _ => {}
        }
    }
}

fn message(kind: EventKind, flow: &Flow) -> Vec<u8> {
    let (message_type, flags) = match kind {
        EventKind::New => (IPCTNL_MSG_CT_NEW, Flags::CREATE | Flags::EXCL),
        EventKind::Update => (IPCTNL_MSG_CT_NEW, Flags(0)),
        EventKind::Destroy => (IPCTNL_MSG_CT_DELETE, Flags(0)),
    };
    let mut bytes = Vec::new();
    write::message(&mut bytes, Header { message_type, flags, ..Header::default() }, |writer| {
        writer.fixed(&[flow.family.0, 0, 0, 0]);
        flow.write_attributes(writer)
    })
    .unwrap();
    bytes
}

/// A kernel whose socket has a filter, an engine, and who believes it.
struct Model {
    table: BTreeMap<Tuple, Flow>,
    filter: EventFilter,
    queue: VecDeque<Vec<u8>>,
    engine: Engine<Flows>,
    /// What is left of the dump that is read.
    dump: Option<VecDeque<Flow>>,
    believer: Believer,
    now: Instant,
    ids: u32,
}

impl Model {
    fn announce(&mut self, kind: EventKind, flow: &Flow) {
        let EventFilter { births, deaths } = &self.filter;
        if (if kind == EventKind::Destroy { deaths } else { births }).passes(flow) {
            self.queue.push_back(message(kind, flow));
        }
    }

    fn step(&mut self, rng: &mut Rng) {
        self.now += Duration::from_millis(10);
        let port = u16::try_from(rng.below(12)).unwrap();
        let ends = (([10, 0, 0, 1].into(), port), ([10, 0, 0, 2].into(), 53));
        let tuple = Tuple::with_ports(IpProtocol::UDP, ends.0, ends.1);
        match rng.below(16) {
            0..=3 => {
                if let Some(flow) = self.table.remove(&tuple) {
                    self.announce(EventKind::Destroy, &flow);
                }
                self.ids += 1;
                let status = Some(if rng.one_in(2) { Status::SRC_NAT } else { Status(0) });
                let flow = Flow { id: Some(self.ids), status, ..Flow::new(tuple) };
                self.announce(EventKind::New, &flow);
                self.table.insert(tuple, flow);
            }
            4 | 5 => {
                if let Some(mut flow) = self.table.remove(&tuple) {
                    flow.mark = Some(rng.next_u32());
                    self.announce(EventKind::Update, &flow);
                    self.table.insert(tuple, flow);
                }
            }
            6 | 7 => {
                if let Some(flow) = self.table.remove(&tuple) {
                    self.announce(EventKind::Destroy, &flow);
                }
            }
            8 => self.refilter(random_filter(rng, self.filter)),
            9..=11 => (0..rng.below(4)).for_each(|_| self.hear_one()),
            12 | 13 => self.begin(),
            _ => (0..rng.below(6)).for_each(|_| self.dump_one()),
        }
        self.listen();
    }

    /// The socket gets another filter, and the engine is told.
    fn refilter(&mut self, filter: EventFilter) {
        self.filter = filter;
        self.engine.set_filter(filter);
    }

    fn hear_one(&mut self) {
        let Some(bytes) = self.queue.pop_front() else { return };
        let message = Messages::new(&bytes).next().unwrap().unwrap();
        self.engine.hear(&Event::Message { message, nsid: None }, self.now);
    }

    fn begin(&mut self) {
        let may = self.queue.is_empty() || self.engine.is_impatient();
        let due = self.engine.until_list(self.now) == Some(Duration::ZERO);
        if self.dump.is_none() && due && may {
            self.engine.begin(self.now);
            self.dump = Some(self.table.values().cloned().collect());
        }
    }

    /// What is gone before the dump comes to it is not in it, what has changed is as it is.
    fn dump_one(&mut self) {
        let Some(dump) = &mut self.dump else { return };
        if let Some(flow) = dump.pop_front() {
            if let Some(flow) = self.table.get(&flow.original) {
                self.engine.listed(flow.clone());
            }
        } else {
            self.dump = None;
            self.engine.end(self.now);
        }
    }

    fn listen(&mut self) {
        while let Some(item) = self.engine.next() {
            if let Item::Listed { .. } = item {
                let flows = self.engine.mirror().iter();
                self.believer.held = flows.map(|flow| (flow.original, flow.clone())).collect();
            }
            self.believer.hear(&item);
        }
    }

    /// All that is under way arrives, and nothing else happens.
    fn rest(&mut self) {
        for _ in 0..200 {
            self.hear_one();
            self.begin();
            self.dump_one();
            self.listen();
            self.now += Duration::from_secs(1);
        }
        assert!(self.engine.is_converged() && self.queue.is_empty(), "{:?}", self.engine);
        let mirror: BTreeMap<_, _> =
            self.engine.mirror().iter().map(|flow| (flow.original, flow.clone())).collect();
        // One that ended and was made again, alike but for its id, is not told to have changed.
        let state = |(_, flow): (&Tuple, &Flow)| (flow.original, flow.status, flow.mark);
        let states = |held: &BTreeMap<_, _>| held.iter().map(state).collect::<Vec<_>>();
        assert_eq!(states(&mirror), states(&self.believer.held));
        for flow in self.table.values().filter(|flow| self.engine.follows(flow)) {
            let held = mirror.get(&flow.original);
            assert_eq!(held, Some(flow), "{:?}", self.filter);
        }
        for flow in mirror.values() {
            assert!(self.table.contains_key(&flow.original), "{flow:?} has ended");
            assert!(self.filter.deaths.passes(flow), "nobody will tell of the end of {flow:?}");
        }
    }
}

/// As a governor makes them: ends pass where beginnings do, and mostly where these did before.
fn random_filter(rng: &mut Rng, before: EventFilter) -> EventFilter {
    let rate = *rng.pick(&[0.1, 0.5, 0.5, 1.0, 1.0]);
    let births = Gate { nat_only: rng.one_in(2), ..before.births };
    let births = Gate { sampler: births.sampler.at(rate).unwrap(), ..births };
    let deaths = if rng.one_in(3) { births } else { before.deaths.union(births) };
    EventFilter { births, deaths }
}

/// Whatever the order of events, lists and changes of the filter: what passes is right.
#[test]
fn what_passes_is_mirrored() {
    let mut rng = Rng::new(4);
    let mut all = Believer::default();
    for _ in 0..if cfg!(miri) { 5 } else { 3000 } {
        let mut model = Model {
            table: BTreeMap::new(),
            filter: EventFilter::open(rng.next_u32()),
            queue: VecDeque::new(),
            engine: Engine::new(Flows::default()),
            dump: None,
            believer: Believer::default(),
            now: Instant::now(),
            ids: rng.next_u32(),
        };
        for _ in 0..rng.below(80) {
            model.step(&mut rng);
        }
        model.rest();
        all.born += model.believer.born;
        all.given_up += model.believer.given_up;
    }
    assert!(cfg!(miri) || all.born > 5000 && all.given_up > 500, "{}", all.given_up);
}

/// Keeps to little, and decides fast.
const LITTLE: GovernorOptions =
    GovernorOptions { limit: 300.0, interval: Duration::from_millis(100), nat_only: false };

/// How long it may take until the load has had its effect.
const LIMIT: Duration = Duration::from_secs(40);

/// Flows that come and go.
struct Load {
    connection: Connection,
    next: u32,
}

impl Load {
    fn new(connection: Connection) -> Self {
        Self { connection, next: 0 }
    }

    /// Those of the turn before end, new ones begin: every flow lives across a turn.
    fn turn(&mut self, flows: u32) {
        let old = self.next.saturating_sub(flows)..self.next;
        for number in self.next..self.next + flows {
            self.connection.run(mixed(number)).unwrap();
        }
        for number in old {
            // Of turns with fewer flows some ended before.
            let _ = self.connection.run(Change::delete_tuple(mixed(number).flow.original, None));
        }
        self.next += flows;
    }

    fn listed(&mut self) -> BTreeSet<Tuple> {
        let list = self.connection.dump(List::default()).unwrap();
        list.map(|flow| flow.unwrap().original).collect()
    }
}

/// A watch by itself: the share goes down, and up again when the load falls; at any time the mirror
/// is what the filter lets pass; at the end it is the kernel's table; and every flow that was told to
/// begin was told to end or to be given up.
#[test]
fn a_watch_governs_itself() {
    live(|| {
        let mut load = Load::new(Connection::open(Family::NETFILTER).unwrap());
        let mut watch = Watch::open(Flows::default()).unwrap();
        assert!(watch.governor().is_some(), "by default");
        watch.set_pressure(Some(LITTLE)).unwrap();
        let mut tracker = Tracker::new(NatOptions::default());
        let (mut believer, mut lowest, mut levels) = (Believer::default(), 1.0_f64, Vec::new());
        let mut hear = |watch: &mut Watch<Flows>, wait| {
            while let Some(item) = tracker.follow(1, watch, wait).unwrap() {
                believer.hear(&item);
                if let Item::Filtered(filter) = item {
                    levels.push(filter.level());
                    lowest = lowest.min(filter.rate());
                }
            }
        };
        hear(&mut watch, Wait::at_most(Duration::from_millis(1)));
        let start = Instant::now();
        while watch.filter().rate() > 0.5 {
            assert!(start.elapsed() < LIMIT, "{:?}", watch.governor());
            load.turn(60);
            hear(&mut watch, Wait::Never);
        }
        // At rest what is mirrored is what passes.
        watch.set_pressure(Some(GovernorOptions { limit: 1e9, ..LITTLE })).unwrap();
        hear(&mut watch, Wait::at_most(Duration::from_millis(5)));
        assert!(watch.is_converged());
        assert_eq!(watch.compare().unwrap(), []);
        watch.set_pressure(Some(LITTLE)).unwrap();

        let start = Instant::now();
        while watch.filter().level() != Level::Sampled {
            assert!(start.elapsed() < LIMIT, "{:?}", watch.governor());
            load.turn(60);
            hear(&mut watch, Wait::Never);
            if watch.is_converged() {
                assert_eq!(watch.compare().unwrap(), [], "{:?}", watch.filter());
            }
        }
        let start = Instant::now();
        while watch.filter().level() != Level::Everything || !watch.is_converged() {
            assert!(start.elapsed() < LIMIT, "{:?}", watch.governor());
            load.turn(2);
            hear(&mut watch, Wait::at_most(Duration::from_millis(20)));
        }
        assert_eq!(watch.compare().unwrap(), []);
        hear(&mut watch, Wait::at_most(Duration::from_millis(20)));
        let held: BTreeSet<_> = watch.mirror().iter().map(|flow| flow.original).collect();
        assert_eq!(held, load.listed());
        let plain = |tuple: &&Tuple| matches!(tuple.source, std::net::IpAddr::V4(it) if it.octets()[3] % 2 == 0);
        assert!(held.iter().any(|tuple| plain(&tuple)), "what was kept back is there again");
        load.connection.run(Flush::default()).unwrap();
        while !watch.mirror().is_empty() {
            assert!(start.elapsed() < LIMIT);
            hear(&mut watch, Wait::at_most(Duration::from_millis(20)));
        }
        println!("lowest {lowest}; {levels:?}");
        assert!(lowest < 0.5 && levels.contains(&Level::NatOnly), "{lowest} {levels:?}");
        assert_eq!(levels.last(), Some(&Level::Everything));
        let Believer { held, born, died, given_up, .. } = believer;
        assert!(held.is_empty() && born == died + given_up && died > 100, "{born} {died}");
        assert!(watch.counters().forgotten >= given_up as u64);
        assert_eq!(tracker.table().len(), tracker.table().leaving(), "those that ended, no others");
    });
}

/// All namespaces are governed together, also those that come later.
#[test]
fn a_consumer_governs_all_namespaces() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        for (strategy, names) in [(Strategy::Shared, ["a", "b"]), (Strategy::Separate, ["c", "d"])]
        {
            sh(&format!("ip netns add {}", names[0]));
            let options = Options {
                strategy,
                processes: false,
                scan: Duration::from_millis(200),
                pressure: Some(LITTLE),
                ..Options::default()
            };
            let mut consumer = Consumer::open(Flows::default(), options).unwrap();
            let mut believers = BTreeMap::<_, Believer>::new();
            let mut hear = |consumer: &mut Consumer<Flows>, wait| {
                while let Some(told) = consumer.next(wait).unwrap() {
                    match told {
                        Told::Item { namespace, item } => {
                            let late = Believer { late: true, ..Believer::default() };
                            believers.entry(namespace.id).or_insert(late).hear(&item);
                        }
                        Told::Failed { error, .. } => panic!("{error}"),
                        _ => {}
                    }
                }
            };
            hear(&mut consumer, Wait::at_most(Duration::from_millis(50)));
            let inside = |name| {
                let netns = Netns::named(name).unwrap();
                Load::new(Connection::open_in(Family::NETFILTER, &netns).unwrap())
            };
            let mut load = inside(names[0]);
            let start = Instant::now();
            while consumer.governor().unwrap().rate() > 0.5 {
                assert!(start.elapsed() < LIMIT, "{:?}", consumer.governor());
                load.turn(60);
                hear(&mut consumer, Wait::Never);
            }
            sh(&format!("ip netns add {}", names[1]));
            let mut late = inside(names[1]);
            late.turn(50);
            while consumer.namespaces().count() < 3 {
                assert!(start.elapsed() < LIMIT);
                load.turn(60);
                hear(&mut consumer, Wait::Never);
            }
            let filter = *consumer.governor().unwrap().filter();
            for (namespace, engine) in consumer.namespaces() {
                assert_eq!(*engine.filter(), filter, "{namespace}");
            }
            let start = Instant::now();
            let everything = |consumer: &Consumer<Flows>| {
                consumer.governor().unwrap().level() == Level::Everything && consumer.is_converged()
            };
            while !everything(&consumer) {
                assert!(start.elapsed() < LIMIT, "{:?}", consumer.governor());
                load.turn(2);
                hear(&mut consumer, Wait::at_most(Duration::from_millis(20)));
            }
            for (namespace, engine) in consumer.namespaces() {
                let held: BTreeSet<_> = engine.mirror().iter().map(|it| it.original).collect();
                let there = match namespace.name().map(|name| name.to_str().unwrap()) {
                    Some(name) if name == names[0] => load.listed(),
                    Some(_) => late.listed(),
                    None => BTreeSet::new(),
                };
                assert_eq!(held, there, "{namespace} {strategy:?}");
                assert_eq!(there.is_empty(), namespace.own);
            }
            for load in [&mut load, &mut late] {
                load.connection.run(Flush::default()).unwrap();
            }
            hear(&mut consumer, Wait::at_most(Duration::from_millis(100)));
            while !consumer.namespaces().all(|(_, engine)| engine.mirror().is_empty()) {
                assert!(start.elapsed() < LIMIT);
                hear(&mut consumer, Wait::at_most(Duration::from_millis(20)));
            }
            // What the first list held is not told to begin.
            let told: usize = believers.values().map(|it| it.born).sum();
            assert!(told > 100, "{told}");
            let received = consumer.received();
            assert!(received.messages >= received.datagrams && received.bytes > 10_000);
            drop((load, late, consumer));
            sh(&format!("ip netns del {}; ip netns del {}", names[0], names[1]));
        }
    });
}
