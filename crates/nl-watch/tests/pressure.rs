//! Overload control: arithmetic, filters against the machine and the decoder, a living kernel.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use common::mixed;
use nl_conntrack::tables::{CTA_IP_V6_SRC, CTA_STATUS, IPCTNL_MSG_CT_DELETE, IPCTNL_MSG_CT_NEW};
use nl_conntrack::{
    Change, EventKind, Flow, IpProtocol, L4, ProtocolInfo, Status, TcpState, Tuple, groups,
};
use nl_socket::filter::{ACCEPT, Assembler, REJECT, run};
use nl_socket::{Connection, Event, Events, Loss, Wait};
use nl_testkit::{Rng, live};
use nl_watch::pressure::{
    Breaker, EventFilter, FlowSampler, Gate, Governor, GovernorOptions, Level, Share, throttled,
};
use nl_wire::value::Family;
use nl_wire::{Flags, Header, Message, Messages, write};

/// Milliseconds since the update before, events, then rate and state after the update.
type Series = (i64, &'static [(u64, i64, i64, bool)]);

const SERIES: [Series; 9] = [
    // Exactly the limit: stays closed.
    (100, &[(0, 100, 100, false), (1000, 100, 100, false), (1000, 100, 100, false)]),
    // A burst is forgiven, a lasting excess is not; frozen while open.
    (
        100,
        &[
            (0, 80, 80, false),
            (1000, 105, 85, false),
            (1000, 105, 89, false),
            (1000, 105, 92, false),
            (1000, 110, 95, false),
            (1000, 110, 98, false),
            (1000, 110, 100, false),
            (1000, 110, 102, true),
            (1000, 110, 102, true),
            (1000, 110, 102, true),
        ],
    ),
    (100, &[(0, 200, 200, true)]),
    // The first interval is not averaged.
    (100, &[(0, 101, 101, true)]),
    // Cut to an integer after each update.
    (
        60,
        &[
            (0, 50, 50, false),
            (1000, 80, 56, false),
            (1000, 80, 60, false),
            (1000, 80, 64, true),
            (1000, 80, 64, true),
        ],
    ),
    // Longer intervals.
    (
        500,
        &[
            (3000, 900, 300, false),
            (3000, 1500, 340, false),
            (3000, 2400, 432, false),
            (3000, 3000, 545, true),
            (3000, 3000, 545, true),
        ],
    ),
    // No limit.
    (-1, &[(0, 1_000_000_000, 1_000_000_000, false), (1000, 1_000_000_000, 1_000_000_000, false)]),
    // Intervals shorter than a second count as one.
    (100, &[(100, 90, 90, false), (100, 90, 90, false)]),
    // A rate of 0 begins anew.
    (
        100,
        &[
            (0, 3, 3, false),
            (1000, 0, 2, false),
            (1000, 0, 1, false),
            (1000, 0, 0, false),
            (1000, 0, 0, false),
            (1000, 101, 101, true),
        ],
    ),
];

#[test]
fn the_breaker_keeps_its_arithmetic() {
    for (limit, series) in SERIES {
        let mut now = Instant::now();
        let mut breaker = Breaker::new(limit, now);
        for &(milliseconds, events, rate, open) in series {
            now += Duration::from_millis(milliseconds);
            breaker.add(events);
            breaker.update(now);
            assert_eq!((breaker.rate(), breaker.is_open()), (rate, open), "{limit}: {series:?}");
        }
        breaker.reset(now);
        assert_eq!((breaker.rate(), breaker.is_open()), (0, false));
    }
}

#[test]
fn the_sampling_rate_keeps_its_arithmetic() {
    for (limit, rate, current, new, below) in [
        (500, 1000, 1.0, 0.475, 2_040_109_465),
        (500, 750, 0.475, 0.300_833_333_333_333_3, 1_292_069_328),
        (500, 501, 0.300_833_333_333_333_3, 0.285_221_224_218_230_15, 1_225_015_830),
        (1, 4, 1.0, 0.2375, 1_020_054_732),
    ] {
        let found = throttled(limit, rate, current);
        assert!((found - new).abs() < 1e-15, "{found}");
        assert_eq!(Share::new(found).map(Share::cutoff), Ok(below));
    }
    assert_eq!((Share::new(0.0), Share::new(1.0)), (Ok(Share::NONE), Ok(Share::ALL)));
    for wrong in [-0.1, 1.000_001, f64::NAN, f64::INFINITY] {
        assert!(Share::new(wrong).is_err(), "{wrong}");
        assert!(FlowSampler::all(1).at(wrong).is_err());
    }
}

#[test]
fn a_sampler_is_exact_at_both_ends_and_fair_between() {
    let mut rng = Rng::new(1);
    let sampler = FlowSampler::all(rng.next_u32());
    let [none, half, all] = [0.0, 0.5, 1.0].map(|rate| sampler.at(rate).unwrap());
    assert!((half.rate() - 0.5).abs() < 1e-9);
    let mut taken = 0_u32;
    // Ids as old kernels make them of addresses, and hashes.
    for index in 0..100_000 {
        let id = if index % 2 == 0 { index * 256 } else { rng.next_u32() };
        assert!(all.takes(Some(id)) && !none.takes(Some(id)));
        taken += u32::from(half.takes(Some(id)));
    }
    assert!(all.takes(None) && half.takes(None) && !none.takes(None));
    assert!((49_000..51_000).contains(&taken), "{taken} of 100000");
}

/// A flow with anything or nothing in the fields that filters look at, and in others.
fn random_flow(rng: &mut Rng) -> Flow {
    let v6 = rng.one_in(2);
    let mut address = || -> std::net::IpAddr {
        if v6 {
            <[u8; 16]>::try_from(rng.bytes(16)).unwrap().into()
        } else {
            rng.next_u32().to_be_bytes().into()
        }
    };
    let (source, destination) = (address(), address());
    let ports = rng.next_u32().to_be_bytes();
    let tuple = match rng.below(3) {
        0 => Tuple::new(IpProtocol(rng.bytes(1)[0]), source, destination, L4::None),
        1 => Tuple::new(
            IpProtocol::ICMP,
            source,
            destination,
            L4::Icmp { id: u16::from_be_bytes([ports[0], ports[1]]), kind: 8, code: 0 },
        ),
        _ => Tuple::with_ports(
            IpProtocol::TCP,
            (source, u16::from_be_bytes([ports[0], ports[1]])),
            (destination, u16::from_be_bytes([ports[2], ports[3]])),
        ),
    };
    let mut some = |share| (!rng.one_in(share)).then(|| rng.next_u32());
    Flow {
        status: some(8).map(Status),
        timeout: some(2),
        mark: some(2),
        id: some(8),
        protocol_info: some(2).map(|_| ProtocolInfo::tcp(TcpState::ESTABLISHED)),
        zone: some(2).map(|zone| u16::try_from(zone >> 16).unwrap()),
        event_time: some(2).map(u64::from),
        ..Flow::new(tuple)
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

fn random_gate(rng: &mut Rng, key: u32) -> Gate {
    let rate = *rng.pick(&[0.0, 1e-9, 0.1, 0.25, 0.5, 0.9, 1.0]);
    Gate { nat_only: rng.one_in(2), sampler: FlowSampler::all(key).at(rate).unwrap() }
}

/// The kernel's machine, on the bytes, and the gate, on the decoded flow, judge alike.
#[test]
fn programs_do_what_the_gates_say() {
    let mut rng = Rng::new(2);
    let mut passed = 0;
    let rounds = if cfg!(miri) { 30 } else { 20_000 };
    for _ in 0..rounds {
        let key = rng.next_u32();
        let filter =
            EventFilter { births: random_gate(&mut rng, key), deaths: random_gate(&mut rng, key) };
        let kind = *rng.pick(&[EventKind::New, EventKind::Update, EventKind::Destroy]);
        let flow = random_flow(&mut rng);
        let bytes = message(kind, &flow);
        let decoded = Flow::decode(&Messages::new(&bytes).next().unwrap().unwrap()).unwrap();
        assert_eq!(decoded, flow);
        let gate = if kind == EventKind::Destroy { filter.deaths } else { filter.births };
        let program = filter.program().unwrap();
        let verdict = run(&program, &bytes);
        let expected = if gate.passes(&decoded) { ACCEPT } else { REJECT };
        assert_eq!(verdict, expected, "{filter:?}\n{kind:?} {flow:?}\n{program}");
        passed += usize::from(verdict == ACCEPT);
        // Cut anywhere, it is judged without a panic, and kept whole or dropped.
        let cut = rng.below(bytes.len());
        assert!([ACCEPT, REJECT].contains(&run(&program, &bytes[..cut])));
    }
    assert!(passed > rounds / 10 && passed < rounds * 9 / 10, "{passed}");
}

/// What begins in a wider gate ends in it too.
#[test]
fn gates_nest() {
    let mut rng = Rng::new(3);
    for _ in 0..5_000 {
        let key = rng.next_u32();
        let (a, b) = (random_gate(&mut rng, key), random_gate(&mut rng, key));
        let both = a.union(b);
        assert!(both.covers(&a) && both.covers(&b));
        let flow = random_flow(&mut rng);
        assert!(!(a.passes(&flow) || b.passes(&flow)) || both.passes(&flow));
        assert!(!a.covers(&b) || !b.passes(&flow) || a.passes(&flow));
    }
}

/// What is no event of a flow passes every filter: acks, the ends of dumps, expectations.
#[test]
fn other_messages_pass() {
    let shut = Gate { nat_only: true, sampler: FlowSampler::all(0).at(0.0).unwrap() };
    let program = EventFilter { births: shut, deaths: shut }.program().unwrap();
    for message_type in [2, 3, 0x0200, 0x0202, 0x0103] {
        let mut bytes = Vec::new();
        let header = Header { message_type, ..Header::default() };
        write::message(&mut bytes, header, |writer| {
            writer.fixed(&[0; 4]);
            Ok(())
        })
        .unwrap();
        assert_eq!(run(&program, &bytes), ACCEPT, "{message_type:#x}");
    }
}

/// `CTA_STATUS` and `CTA_IP_V6_SRC` are both 3, one beside the tuples, the other deep inside them. A
/// search must neither leave its nest nor enter one.
#[test]
fn filters_stay_in_their_nest() {
    assert_eq!(CTA_STATUS, CTA_IP_V6_SRC);
    let nat = Gate { nat_only: true, ..Gate::open(0) };
    let program = EventFilter { births: nat, deaths: nat }.program().unwrap();
    // All bits of the address that a status could be mistaken for are set, and none of the status.
    let v6 = Tuple::with_ports(
        IpProtocol::TCP,
        ([0xffff_u16; 8].into(), 1),
        ([0xffff_u16; 8].into(), 2),
    );
    let v4 = Tuple::with_ports(IpProtocol::TCP, ([255; 4].into(), 1), ([255; 4].into(), 2));
    for tuple in [v6, v4] {
        for (status, expected) in [
            (Status::CONFIRMED | Status::SRC_NAT_DONE | Status::DST_NAT_DONE, REJECT),
            (Status::CONFIRMED | Status::SRC_NAT, ACCEPT),
            (Status::DST_NAT, ACCEPT),
        ] {
            let flow = Flow { status: Some(status), ..Flow::new(tuple) };
            let bytes = message(EventKind::New, &flow);
            assert_eq!(run(&program, &bytes), expected, "{flow:?}");
        }
    }
    // The other way round: the search for an IPv6 source in an IPv4 flow does not find the status.
    let mut search = Assembler::new();
    let absent = search.label();
    search.find_path(20, &[1, 1, CTA_IP_V6_SRC], absent);
    search.ret(ACCEPT);
    search.bind(absent);
    search.ret(REJECT);
    let search = search.finish().unwrap();
    let status = Some(Status(0xffff));
    for (tuple, expected) in [(v4, REJECT), (v6, ACCEPT)] {
        let bytes = message(EventKind::New, &Flow { status, ..Flow::new(tuple) });
        assert_eq!(run(&search, &bytes), expected);
    }
}

struct Load {
    governor: Governor,
    now: Instant,
    received: u64,
}

impl Load {
    fn new(nat_only: bool) -> Self {
        let now = Instant::now();
        let options = GovernorOptions { limit: 1000.0, nat_only, ..GovernorOptions::default() };
        Self { governor: Governor::new(options, now), now, received: 0 }
    }

    /// A second with `flows` flows that begin and end, each with two changes, of which one in
    /// `nat` is translated. What arrives is what the filter makes of it.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn second(&mut self, flows: u32, nat: u32) -> (Level, f64) {
        let EventFilter { births, deaths } = *self.governor.filter();
        let share =
            |gate: Gate| gate.sampler.rate() / if gate.nat_only { f64::from(nat) } else { 1.0 };
        let events = f64::from(flows) * (3.0 * share(births) + share(deaths));
        self.received += events as u64;
        self.now += Duration::from_secs(1);
        if let Some(step) = self.governor.poll(self.now, self.received) {
            assert!(step.filter.deaths.covers(&step.filter.births));
        }
        (self.governor.level(), self.governor.measured())
    }
}

#[test]
fn a_governor_goes_down_and_up_again() {
    let mut load = Load::new(false);
    assert_eq!(load.governor.level(), Level::Everything);
    for _ in 0..5 {
        assert_eq!(load.second(100, 1).0, Level::Everything);
    }
    // Ten times the limit: at most four steps until what arrives is below it.
    let seconds = (0..20).take_while(|_| load.second(2500, 1).1 > 1000.0).count();
    assert!((1..=4).contains(&seconds), "{seconds}");
    assert_eq!(load.governor.level(), Level::Sampled);
    let rate = load.governor.rate();
    assert!((0.01..0.15).contains(&rate), "{rate}");
    // The same load for ten minutes: never again above the limit, never below a third of it.
    for _ in 0..600 {
        let (level, measured) = load.second(2500, 1);
        assert_eq!(level, Level::Sampled);
        assert!((300.0..=1000.0).contains(&measured), "{measured}");
    }
    // The load falls: everything again, within half a minute.
    let seconds = (0..60).take_while(|_| load.second(50, 1).0 != Level::Everything).count();
    assert!(seconds <= 30, "{seconds}");
    assert!((load.governor.rate() - 1.0).abs() < f64::EPSILON);
    assert_eq!(load.governor.filter().births, load.governor.filter().deaths);
}

#[test]
fn a_governor_asks_for_a_list_when_what_passes_is_not_what_passed() {
    let start = Instant::now();
    let options = GovernorOptions { limit: 100.0, ..GovernorOptions::default() };
    let mut governor = Governor::new(options, start);
    let (mut seconds, mut received) = (0, 0);
    let mut after = |events| {
        seconds += 1;
        received += events;
        governor.poll(start + Duration::from_secs(seconds), received)
    };
    assert_eq!(after(100), None, "the limit itself is not too much");
    let step = after(1000).unwrap();
    assert!(step.filter.births.nat_only && !step.filter.deaths.nat_only && !step.relist);
    let step = after(1000).unwrap();
    assert!(step.filter.deaths.nat_only && step.relist, "ends are no longer told");
    let step = after(1000).unwrap();
    assert!(step.filter.births.sampler.rate() < 0.1 && !step.relist);
    assert_eq!((after(60), after(10), after(10)), (None, None, None));
    let step = after(10).unwrap();
    assert!(step.relist, "flows live that nobody told of");
    assert_eq!(governor.steps(), 4);
}

/// Where everything is too much and the translated flows alone are not, attempts to let everything
/// through become rare.
#[test]
fn a_governor_does_not_flap() {
    let mut load = Load::new(false);
    let mut too_much = 0;
    for _ in 0..3600 {
        too_much += usize::from(load.second(1000, 20).1 > 1000.0);
    }
    assert!(too_much < 60, "{too_much} of 3600 seconds above the limit");
    // Once the load falls for good, everything passes, late but surely.
    let seconds = (0..1000).take_while(|_| load.second(100, 20).0 != Level::Everything).count();
    assert!(seconds <= 256 + 10, "{seconds}");
}

#[test]
fn translated_flows_only_where_nothing_else_is_wanted() {
    let mut load = Load::new(true);
    assert_eq!(load.governor.level(), Level::NatOnly);
    for flows in [10, 2500, 2500, 2500, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10]
    {
        assert_ne!(load.second(flows, 1).0, Level::Everything);
        assert!(load.governor.filter().deaths.nat_only);
    }
    for _ in 0..30 {
        load.second(0, 1);
    }
    assert_eq!(load.governor.level(), Level::NatOnly);
}

/// What one listener hears.
#[derive(Default)]
struct Heard {
    received: u64,
    /// Of each flow: told to begin, told to end; and whether a step gave it up.
    flows: BTreeMap<Tuple, (u32, u32, bool)>,
    ids: BTreeMap<Tuple, BTreeSet<u32>>,
}

impl Heard {
    fn drain(&mut self, events: &mut Events) {
        while let Some(event) = events.next(Wait::Never).unwrap() {
            match event {
                Event::Message { message, .. } => self.message(&message),
                Event::Loss(Loss::Overrun { dropped }) => panic!("{dropped} lost"),
                Event::Loss(loss) => panic!("{loss}"),
            }
        }
    }

    fn message(&mut self, message: &Message<'_>) {
        self.received += 1;
        let event = nl_conntrack::Event::decode(message).unwrap().unwrap();
        let told = self.flows.entry(event.flow.original).or_default();
        match event.kind {
            EventKind::New => told.0 += 1,
            EventKind::Update => {}
            EventKind::Destroy => told.1 += 1,
        }
        self.ids.entry(event.flow.original).or_default().extend(event.flow.id);
    }
}

/// Real events of a real table, more and then less of them: the share goes down and up again, no
/// event is lost over the changes of the filter, and each flow that was told to begin is told to
/// end, unless a step said that it is given up.
#[test]
fn load_on_a_living_kernel() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        let mut all = Events::open(Family::NETFILTER, &groups::FLOWS).unwrap();
        let mut events = Events::open(Family::NETFILTER, &groups::FLOWS).unwrap();
        let (mut everything, mut heard) = (Heard::default(), Heard::default());
        let governor = |limit| {
            let interval = Duration::from_millis(100);
            Governor::new(GovernorOptions { limit, interval, nat_only: false }, Instant::now())
        };
        let mut steps = Vec::new();
        let (mut next, mut lowest) = (0_u32, 1.0_f64);
        // A turn's events fit the least receive buffer.
        let mut turn = |flows: u32, heard: &mut Heard, governor: &mut Governor| {
            // Flows of the turn before end, new ones begin: every flow lives across a turn.
            let old = next.saturating_sub(flows)..next;
            let new = next..next + flows;
            next += flows;
            for flow in new.map(mixed).map(|create| (create, None)).chain(old.map(|number| {
                (Change::delete_tuple(mixed(number).flow.original, None), Some(number))
            })) {
                // Ends may be refused: of turns with fewer flows some ended before.
                let _ = connection.run(flow.0);
            }
            everything.drain(&mut all);
            heard.drain(&mut events);
            if let Some(step) = governor.poll(Instant::now(), heard.received) {
                step.filter.attach(events.socket()).unwrap();
                // Queued before the filter changed.
                heard.drain(&mut events);
                steps.push(governor.level());
                return Some(step);
            }
            None
        };
        // What this machine can do just now, of which a fraction is too much.
        let start = Instant::now();
        let mut unbound = governor(f64::INFINITY);
        for _ in 0..20 {
            turn(60, &mut heard, &mut unbound);
        }
        let limit = 20.0 * 120.0 / start.elapsed().as_secs_f64() / 8.0;
        let mut governor = governor(limit);
        let (mut turns, mut given_up) = (0, 0);
        let start = Instant::now();
        while governor.level() != Level::Sampled || lowest > 0.4 || turns < 200 {
            assert!(start.elapsed() < Duration::from_secs(60), "{}", governor.measured());
            turns += 1;
            if let Some(step) = turn(60, &mut heard, &mut governor) {
                if step.relist {
                    for (tuple, told) in &mut heard.flows {
                        let id = everything_id(&heard.ids, tuple);
                        let status = if is_translated(tuple) { Status::SRC_NAT } else { Status(0) };
                        let flow = Flow { id, status: Some(status), ..Flow::new(*tuple) };
                        if told.1 < told.0 && !step.filter.deaths.passes(&flow) {
                            told.2 = true;
                            given_up += 1;
                        }
                    }
                }
            }
            lowest = lowest.min(governor.rate());
        }
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(30) && governor.level() != Level::Everything {
            turn(2, &mut heard, &mut governor);
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(governor.level(), Level::Everything);
        // The table ends.
        connection.run(nl_conntrack::Flush::default()).unwrap();
        everything.drain(&mut all);
        heard.drain(&mut events);
        println!(
            "{} events, {} passed; lowest share {lowest}; {given_up} given up; {steps:?}",
            everything.received, heard.received
        );
        assert!(heard.received < everything.received * 3 / 4);
        let mut whole = 0;
        for (tuple, &(born, died, given_up)) in &heard.flows {
            assert!(born <= 1 && died <= 1, "{tuple:?}");
            assert!(born == 0 || died == 1 || given_up, "{tuple:?} began and never ended");
            whole += u32::from(born == 1 && died == 1);
        }
        assert!(whole > 1000, "{whole} sampled flows");
        for (tuple, ids) in &everything.ids {
            assert_eq!(ids.len(), 1, "{tuple:?} has one id for life");
        }
    });
}

fn everything_id(ids: &BTreeMap<Tuple, BTreeSet<u32>>, tuple: &Tuple) -> Option<u32> {
    ids.get(tuple)?.first().copied()
}

fn is_translated(tuple: &Tuple) -> bool {
    let std::net::IpAddr::V4(source) = tuple.source else { return false };
    source.octets()[3] % 2 == 1
}
