//! What is measured: one list for the benchmarks by the clock, for the ratios and for the counts of
//! instructions.

use std::fmt::Debug;
use std::hint::black_box;

use nl_conntrack::text::{self, Options};
use nl_conntrack::{Flow, FlowView, Tuple};
use nl_route::names::Names;
use nl_route::route::RouteView;
use nl_route::{Address, Context, Link, Neighbour, Nexthop, Object, Route, Rule};
use nl_watch::nat::NatReader;
use nl_wire::attr::Attrs;
use nl_wire::json::Json;
use nl_wire::listing::Listing;
use nl_wire::table::Protocol;
use nl_wire::{Error, Message, Messages, Request};

use crate::floor::{self, Seen};
use crate::{COUNT, FLOWS, ROUTES, captured, flow, flows, links, nat, route, routes};

/// What the name of a case ends with that does by hand what the case without the ending does.
pub const FLOOR: &str = "/floor";

/// Something to measure.
pub struct Case {
    /// What it is called: `group/input` and perhaps what of it.
    pub name: String,
    /// Bytes on the wire that a run handles, of the text that it prints, or of the tuples looked up.
    pub wire: usize,
    /// Messages that a run handles.
    pub messages: usize,
    run: Box<dyn FnMut() -> usize>,
}

impl Case {
    /// Does it once.
    pub fn run(&mut self) {
        black_box((self.run)());
    }
}

/// All cases, each run once and found to do what it says.
pub fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    walk(&mut cases);
    decode(&mut cases);
    encode(&mut cases);
    print(&mut cases);
    listing(&mut cases);
    translate(&mut cases);
    cases
}

/// Adds a case that reads `bytes`, after checking what it counts.
fn reading<T: PartialEq + Debug + 'static>(
    cases: &mut Vec<Case>,
    name: String,
    bytes: &[u8],
    expected: &T,
    mut run: impl FnMut(&[u8]) -> T + 'static,
) {
    assert_eq!(run(bytes), *expected, "{name}");
    let (bytes, wire) = (bytes.to_vec(), bytes.len());
    let run = Box::new(move || {
        black_box(run(black_box(&bytes)));
        bytes.len()
    });
    cases.push(Case { name, wire, messages: COUNT, run });
}

/// Walks all messages of a stream, reads each and counts those that are `whole`.
///
/// What was read is looked at where it is: a `?` may move it, and moving hundreds of bytes that were
/// just written costs as much as writing them.
#[inline]
fn each<'a, T>(
    bytes: &'a [u8],
    mut read: impl FnMut(&Message<'a>) -> Result<T, Error>,
    whole: impl Fn(&T) -> bool,
) -> usize {
    let mut count = 0;
    for message in Messages::new(bytes) {
        let message = message.expect("a message");
        match black_box(&read(&message)) {
            Ok(value) => count += usize::from(whole(value)),
            Err(error) => panic!("{error}"),
        }
    }
    count
}

/// As [`floor::attributes`], by the walk of nl-wire.
fn attributes(mut attrs: Attrs<'_>, seen: &mut Seen) {
    while let Some(attr) = attrs.step() {
        seen.attributes += 1;
        if attr.is_flagged_nested() {
            attributes(attr.nested(), seen);
        } else {
            seen.bytes += attr.payload.len();
        }
    }
}

fn walk(cases: &mut Vec<Case>) {
    for (name, bytes, fixed) in [
        ("flow_tcp", flows("flow_tcp"), 4),
        ("route_v4", routes("route_v4"), 12),
        ("link", links(), 16),
    ] {
        let seen = floor::messages(&bytes, None);
        assert_eq!(seen.messages, COUNT);
        let part = format!("walk/{name}/messages");
        reading(cases, format!("{part}{FLOOR}"), &bytes, &seen, |b| floor::messages(b, None));
        reading(cases, part, &bytes, &COUNT, |bytes| each(bytes, |_| Ok(()), |()| true));

        let seen = floor::messages(&bytes, Some(fixed));
        assert!(seen.attributes > 4 * COUNT && seen.bytes > seen.attributes);
        let part = format!("walk/{name}/attributes");
        let by_hand = move |bytes: &[u8]| floor::messages(bytes, Some(fixed));
        reading(cases, format!("{part}{FLOOR}"), &bytes, &seen, by_hand);
        reading(cases, part, &bytes, &seen, move |bytes| {
            let mut seen = Seen::default();
            let mut read = |message: &Message<'_>| {
                attributes(Attrs::behind(message.body(), fixed)?.1, &mut seen);
                Ok(())
            };
            let messages = each(bytes, &mut read, |()| true);
            Seen { messages, ..seen }
        });
    }
}

fn by_hand<T>(bytes: &[u8], read: impl Fn(&[u8]) -> T, whole: impl Fn(&T) -> bool) -> usize {
    let mut count = 0;
    floor::each_message(bytes, |message| {
        count += usize::from(whole(black_box(&read(message))));
    });
    count
}

fn decode(cases: &mut Vec<Case>) {
    for name in FLOWS {
        let bytes = flows(name);
        let part = format!("decode/{name}");
        reading(cases, part.clone(), &bytes, &COUNT, |bytes| {
            each(bytes, Flow::decode, |flow| flow.id.is_some())
        });
        reading(cases, format!("{part}{FLOOR}"), &bytes, &COUNT, |bytes| {
            by_hand(bytes, floor::flow, |flow| flow.seen & 1 << 12 != 0)
        });
        let part = format!("{part}/tuples");
        reading(cases, part.clone(), &bytes, &COUNT, |bytes| {
            each(
                bytes,
                |message| FlowView::new(message)?.tuples(),
                |tuples| tuples.0.source != tuples.0.destination,
            )
        });
        reading(cases, format!("{part}{FLOOR}"), &bytes, &COUNT, |bytes| {
            by_hand(bytes, floor::tuples, |tuples| tuples[0].source != tuples[0].destination)
        });
    }
    for name in ROUTES {
        let bytes = routes(name);
        let part = format!("decode/{name}");
        reading(cases, part.clone(), &bytes, &COUNT, |bytes| {
            each(bytes, Route::decode, |route| route.destination.is_some())
        });
        reading(cases, format!("{part}{FLOOR}"), &bytes, &COUNT, |bytes| {
            by_hand(bytes, floor::route, |route| route.seen & 1 << 1 != 0)
        });
        reading(cases, format!("{part}/destination"), &bytes, &COUNT, |bytes| {
            each(bytes, |message| RouteView::new(message)?.destination(), Option::is_some)
        });
    }
    reading(cases, "decode/link".into(), &links(), &COUNT, |bytes| {
        each(bytes, Link::decode, |link| link.name.is_some())
    });
    others(cases, "address4", |it: &Address| it.address.is_some());
    others(cases, "neighbour4_permanent", |it: &Neighbour| it.link_address.is_some());
    others(cases, "rule4_users_ports", |it: &Rule| it.destination_ports.is_some());
    others(cases, "nexthop4_gateway", |it: &Nexthop| it.gateway.is_some());
}

/// Reads a captured message of another kind again and again.
fn others<T: Object + 'static>(
    cases: &mut Vec<Case>,
    name: &str,
    whole: impl Fn(&T) -> bool + 'static,
) {
    let bytes = captured(name).repeat(COUNT);
    reading(cases, format!("decode/{name}"), &bytes, &COUNT, move |bytes| {
        each(bytes, T::decode, &whole)
    });
}

fn encode(cases: &mut Vec<Case>) {
    for name in FLOWS.into_iter().filter(|name| *name != "flows_mixed") {
        let mut flow = flow(name);
        flow.timeout = Some(60);
        requests(cases, name, nl_conntrack::Change::create(flow));
    }
    for name in ROUTES.into_iter().filter(|name| *name != "routes_mixed") {
        requests(cases, name, nl_route::Change::add(route(name)));
    }
}

/// [`COUNT`] requests into a warm buffer.
fn requests(cases: &mut Vec<Case>, name: &str, request: impl Request + 'static) {
    let mut out = Vec::new();
    let mut run: Box<dyn FnMut() -> usize> = Box::new(move || {
        out.clear();
        for sequence in 1..=COUNT {
            let sequence = u32::try_from(sequence).unwrap_or_default();
            black_box(&request).encode(sequence, &mut out).expect("it encodes");
        }
        black_box(&out).len()
    });
    let wire = run();
    cases.push(Case { name: format!("encode/{name}"), wire, messages: COUNT, run });
}

/// Lines as conntrack(8) and ip(8) print them, and JSON.
fn print(cases: &mut Vec<Case>) {
    let tcp = flow("flow_tcp");
    let line = |out: &mut String, flow: &Flow| text::flow(out, flow, &Options::default());
    lines(cases, "flow_tcp", tcp.clone(), line);
    lines(cases, "flow_tcp/json", tcp, |out, flow| {
        Json::new(out).value(flow);
    });
    let (names, v4) = (Names::default(), route("route_v4"));
    let (more, same) = (names.clone(), v4.clone());
    lines(cases, "route_v4", v4, move |out, route| {
        nl_route::text::route(out, route, &Context::new(&names));
    });
    lines(cases, "route_v4/json", same, move |out, route| {
        nl_route::json::route(&mut Json::new(out), route, &Context::new(&more));
    });
}

/// [`COUNT`] lines into a warm buffer.
fn lines<T: 'static>(
    cases: &mut Vec<Case>,
    name: &str,
    object: T,
    line: impl Fn(&mut String, &T) + 'static,
) {
    let mut out = String::new();
    let mut run: Box<dyn FnMut() -> usize> = Box::new(move || {
        out.clear();
        for _ in 0..COUNT {
            line(&mut out, black_box(&object));
        }
        black_box(&out).len()
    });
    let wire = run();
    assert!(wire > 20 * COUNT, "{name}");
    cases.push(Case { name: format!("print/{name}"), wire, messages: COUNT, run });
}

fn listing(cases: &mut Vec<Case>) {
    let protocols: [(&str, &'static Protocol); 3] = [
        ("flow_tcp", &nl_conntrack::tables::PROTOCOL),
        ("route_v4", &nl_route::tables::PROTOCOL),
        ("link", &nl_route::tables::PROTOCOL),
    ];
    for (name, protocol) in protocols {
        for (ending, hex) in [("", false), ("/hex", true)] {
            let bytes = captured(name);
            let wire = bytes.len();
            let run = Box::new(move || {
                let message = Message::decode(black_box(&bytes)).expect("a message");
                let listing = Listing::new(&message, protocol);
                let text = if hex { listing.hex().to_string() } else { listing.to_string() };
                assert!(text.lines().nth(5).is_some());
                text.len()
            });
            cases.push(Case { name: format!("listing/{name}{ending}"), wire, messages: 1, run });
        }
    }
}

/// Lookups in a table that the caches hold.
fn translate(cases: &mut Vec<Case>) {
    type Way = fn(&mut NatReader, &[Tuple]) -> usize;
    let ways: [(&str, Way); 2] = [("", nat::lookup_all), ("/at_once", nat::lookup_at_once)];
    for (name, ipv6) in [("nat/v4", false), ("nat/v6", true)] {
        let table = nat::full(1000, ipv6);
        let queries = nat::queries(1000, ipv6, COUNT);
        let absent = nat::absent(&queries);
        for (what, way) in ways {
            for (hit, tuples, expected) in [("", &queries, COUNT), ("/absent", &absent, 0)] {
                let (mut reader, tuples) = (table.reader(), tuples.clone());
                let wire = size_of_val(&*tuples);
                let mut run = move || way(&mut reader, black_box(&tuples));
                assert_eq!(run(), expected, "{name}{what}{hit}");
                let name = format!("{name}{what}{hit}");
                cases.push(Case { name, wire, messages: COUNT, run: Box::new(run) });
            }
        }
    }
}
