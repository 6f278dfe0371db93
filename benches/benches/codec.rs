//! Walking, decoding, encoding and listing of messages in memory.
//!
//! Every iteration handles [`COUNT`] messages: µs an iteration are ns a message, and the rate is
//! that of the bytes on the wire. Before a rate is measured, what it counts is checked.

use std::hint::black_box;
use std::time::Duration;

use benches::floor::{self, Seen};
use benches::{COUNT, FLOWS, ROUTES, captured, flow, flows, links, route, routes};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use nl_conntrack::{Flow, FlowView};
use nl_route::route::RouteView;
use nl_route::{Link, Route};
use nl_wire::attr::Attrs;
use nl_wire::listing::Listing;
use nl_wire::{Error, Message, Messages, Request};

type Group<'c> = BenchmarkGroup<'c, WallTime>;

/// Walks all messages of a stream and counts what `read` finds in each.
fn each<'a>(bytes: &'a [u8], mut read: impl FnMut(Message<'a>) -> Result<usize, Error>) -> usize {
    Messages::new(bytes).map(|message| message.and_then(&mut read).expect("it decodes")).sum()
}

/// Measures `run` over `bytes` after checking what it counts.
fn measure<T: PartialEq + std::fmt::Debug>(
    group: &mut Group<'_>,
    name: &str,
    bytes: &[u8],
    expected: &T,
    run: impl Fn(&[u8]) -> T,
) {
    assert_eq!(run(bytes), *expected, "{name}");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function(name, |bencher| bencher.iter(|| run(black_box(bytes))));
}

/// As [`floor::attributes`], by the walk of nl-wire.
fn attributes(attrs: Attrs<'_>, seen: &mut Seen) {
    for attr in attrs.flatten() {
        seen.attributes += 1;
        if attr.is_flagged_nested() {
            attributes(attr.nested(), seen);
        } else {
            seen.bytes += attr.payload.len();
        }
    }
}

fn walk(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("walk");
    for (name, bytes, fixed) in [
        ("flow_tcp", flows("flow_tcp"), 4),
        ("route_v4", routes("route_v4"), 12),
        ("link", links(), 16),
    ] {
        let seen = floor::messages(&bytes, None);
        assert_eq!(seen.messages, COUNT);
        measure(&mut group, &format!("{name}/messages"), &bytes, &seen, |bytes| Seen {
            messages: each(bytes, |_| Ok(1)),
            ..Seen::default()
        });
        measure(&mut group, &format!("{name}/messages/floor"), &bytes, &seen, |bytes| {
            floor::messages(bytes, None)
        });
        let seen = floor::messages(&bytes, Some(fixed));
        assert!(seen.attributes > 4 * COUNT && seen.bytes > seen.attributes);
        measure(&mut group, &format!("{name}/attributes"), &bytes, &seen, |bytes| {
            let mut seen = Seen::default();
            seen.messages = each(bytes, |message| {
                attributes(Attrs::behind(message.body(), fixed)?.1, &mut seen);
                Ok(1)
            });
            seen
        });
        measure(&mut group, &format!("{name}/attributes/floor"), &bytes, &seen, |bytes| {
            floor::messages(bytes, Some(fixed))
        });
    }
    group.finish();
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for name in FLOWS {
        let bytes = flows(name);
        measure(&mut group, name, &bytes, &COUNT, |bytes| {
            each(bytes, |message| Ok(usize::from(black_box(Flow::decode(&message)?).id.is_some())))
        });
        measure(&mut group, &format!("{name}/tuples"), &bytes, &COUNT, |bytes| {
            each(bytes, |message| {
                let view = FlowView::new(&message)?;
                let tuples = black_box((view.original()?, view.reply()?));
                Ok(usize::from(tuples.0.is_some() && tuples.1.is_some()))
            })
        });
    }
    for name in ROUTES {
        let bytes = routes(name);
        measure(&mut group, name, &bytes, &COUNT, |bytes| {
            each(bytes, |message| {
                Ok(usize::from(black_box(Route::decode(&message)?).destination.is_some()))
            })
        });
        measure(&mut group, &format!("{name}/destination"), &bytes, &COUNT, |bytes| {
            each(bytes, |message| {
                Ok(usize::from(black_box(RouteView::new(&message)?.destination()?).is_some()))
            })
        });
    }
    measure(&mut group, "link", &links(), &COUNT, |bytes| {
        each(bytes, |message| Ok(usize::from(black_box(Link::decode(&message)?).name.is_some())))
    });
    group.finish();
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    for name in FLOWS {
        let mut flow = flow(name);
        flow.timeout = Some(60);
        requests(&mut group, name, &nl_conntrack::Change::create(flow));
    }
    for name in ROUTES {
        requests(&mut group, name, &nl_route::Change::add(route(name)));
    }
    group.finish();
}

/// [`COUNT`] requests into a warm buffer.
fn requests(group: &mut Group<'_>, name: &str, request: &impl Request) {
    let mut out = Vec::new();
    let mut run = || {
        out.clear();
        for sequence in 1..=COUNT {
            let sequence = u32::try_from(sequence).unwrap_or_default();
            black_box(request).encode(sequence, &mut out).expect("it encodes");
        }
        black_box(out.len())
    };
    let length = run();
    group.throughput(Throughput::Bytes(length as u64));
    group.bench_function(name, |bencher| bencher.iter(&mut run));
    assert_eq!(Messages::new(&out).flatten().count(), COUNT, "{name}");
}

fn listing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("listing");
    for (name, protocol) in [
        ("flow_tcp", &nl_conntrack::tables::PROTOCOL),
        ("route_v4", &nl_route::tables::PROTOCOL),
        ("link", &nl_route::tables::PROTOCOL),
    ] {
        let bytes = captured(name);
        let message = Message::decode(&bytes).expect("a message");
        let listing = Listing::new(&message, protocol);
        assert!(listing.to_string().lines().count() > 5);
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| black_box(listing).to_string()));
        group.bench_function(format!("{name}/hex"), |bencher| {
            bencher.iter(|| black_box(listing).hex().to_string());
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    walk(&mut criterion);
    decode(&mut criterion);
    encode(&mut criterion);
    listing(&mut criterion);
    criterion.final_summary();
}
