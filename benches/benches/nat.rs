//! The translation table at a million flows: lookups, changes, memory.
//!
//! Before times it prints the bytes that a flow takes, what an access to memory takes, and the least
//! time of a lookup in tables of several sizes: of many short runs the one that nothing disturbed,
//! which is what to compare on a machine that does other things too. With the argument `least` it
//! ends there.

use std::hint::black_box;
use std::time::{Duration, Instant};

use benches::nat::{HERE, absent, flow, full, lookup_all, lookup_at_once, queries};
use criterion::{Criterion, Throughput};
use nl_conntrack::{Flow, L4, Tuple};
use nl_socket::{Pages, Zeroed};
use nl_testkit::Rng;
use nl_watch::nat::{NatOptions, NatReader, NatTable, Origin};

const FLOWS: u32 = 1_000_000;

/// Lookups of a short run: it fits between two interruptions.
const SHORT: u16 = 1 << 10;

/// How many lookups are prepared: more than what caches hold of the table.
const QUERIES: usize = 1 << 18;

/// Each lookup waits for the one before: what a single one takes.
fn lookup_chain(reader: &mut NatReader, queries: &[Tuple]) -> usize {
    let wait = |(hits, zone), tuple| {
        let found = reader.lookup(HERE, zone, tuple);
        let port = match found.as_ref().map(|found| found.l4) {
            Some(L4::Ports { source, .. }) => source,
            _ => 0,
        };
        // The zone is 0, and known only when the answer is: whether there is one could be foreseen.
        let port = black_box(port);
        (hits + usize::from(found.is_some()), port ^ black_box(port))
    };
    queries.iter().fold((0, 0), wait).0
}

/// Ways to look up all of some tuples.
type Way = fn(&mut NatReader, &[Tuple]) -> usize;

/// Prints what one access to memory takes that depends on the one before, and one that does not: no
/// table of this size can be read faster. Large pages are asked for as the table asks for them; how
/// much was given is told.
fn floor() {
    for (name, pages) in [("large", Pages::Large), ("small", Pages::Small)] {
        // A million IPv4 flows.
        let lines = 112 * FLOWS as usize / 64;
        let mut memory = Zeroed::<u8>::new(lines * 64, pages).expect("memory");
        // One circle through all lines.
        let mut order: Vec<u32> = (0..).take(lines).collect();
        let mut rng = Rng::new(2);
        for last in (1..lines).rev() {
            order.swap(last, rng.below(last));
        }
        for (line, next) in order.iter().enumerate() {
            memory[line * 64..][..4].copy_from_slice(&next.to_ne_bytes());
        }
        let follow = |line: usize| {
            let bytes = memory[line * 64..].first_chunk().copied().unwrap_or_default();
            u32::from_ne_bytes(bytes) as usize
        };
        let mut line = 0;
        let mut times = [Duration::MAX; 2];
        for begin in (0..1000).map(|_| Instant::now()) {
            line = (0..SHORT).fold(line, |line, _| follow(line));
            times[0] = times[0].min(begin.elapsed());
            let begin = Instant::now();
            let lines = order.iter().skip(rng.below(lines / 2)).take(SHORT.into());
            black_box(lines.fold(0, |sum, line| sum ^ follow(*line as usize)));
            times[1] = times[1].min(begin.elapsed());
        }
        black_box(line);
        let [waits, free] = times.map(|time| time.as_secs_f64() * 1e9 / f64::from(SHORT));
        println!(
            "one access, {name} pages ({} MB large): {waits:.1} ns each waiting, {free:.1} not",
            large_pages() >> 20,
        );
    }
}

/// Bytes of this process in large pages.
fn large_pages() -> usize {
    field("/proc/self/smaps_rollup", "AnonHugePages:")
}

/// Prints the least times.
fn least() {
    let ways: [(&str, Way); 4] = [
        ("one after another", lookup_all),
        ("each waits for the one before", lookup_chain),
        ("many at once", lookup_at_once),
        ("absent", lookup_all),
    ];
    println!("| ns a lookup, least | {} |", ways.map(|(name, _)| name).join(" | "));
    println!("|---|---|---|---|---|");
    for ipv6 in [false, true] {
        for flows in [1000, 10_000, 100_000, FLOWS] {
            let table = full(flows, ipv6);
            let queries = queries(flows, ipv6, QUERIES);
            let absent = absent(&queries);
            let mut reader = table.reader();
            print!("| {flows} IPv{} flows |", if ipv6 { 6 } else { 4 });
            for (name, way) in ways {
                let queries = if name == "absent" { &absent } else { &queries };
                let mut least = Duration::MAX;
                for queries in queries
                    .chunks_exact(SHORT.into())
                    .cycle()
                    .take(3 * QUERIES / usize::from(SHORT))
                {
                    let begin = Instant::now();
                    black_box(way(&mut reader, queries));
                    least = least.min(begin.elapsed());
                }
                print!(" {:.1} |", least.as_secs_f64() * 1e9 / f64::from(SHORT));
            }
            println!();
        }
    }
}

fn lookups(c: &mut Criterion) {
    let mut group = c.benchmark_group("nat");
    group.throughput(Throughput::Elements(QUERIES as u64));
    for (name, ipv6) in [("v4", false), ("v6", true)] {
        let mut table = full(FLOWS, ipv6);
        let queries = queries(FLOWS, ipv6, QUERIES);
        let mut reader = table.reader();
        assert_eq!(lookup_all(&mut reader, &queries), QUERIES, "every lookup finds its flow");
        group.bench_function(format!("hit_{name}"), |b| {
            b.iter(|| lookup_all(&mut reader, &queries));
        });
        group.bench_function(format!("hit_all_{name}"), |b| {
            b.iter(|| lookup_at_once(&mut reader, &queries));
        });
        group.bench_function(format!("chain_{name}"), |b| {
            b.iter(|| lookup_chain(&mut reader, &queries));
        });
        let absent = absent(&queries);
        assert_eq!(lookup_all(&mut reader, &absent), 0);
        group.bench_function(format!("miss_{name}"), |b| {
            b.iter(|| lookup_all(&mut reader, &absent));
        });
        // A flow ends, another begins.
        let now = Instant::now();
        let changes: Vec<Flow> = (0..1 << 16).map(|number| flow(number, ipv6)).collect();
        group.throughput(Throughput::Elements(changes.len() as u64));
        group.bench_function(format!("end_and_insert_{name}"), |b| {
            b.iter(|| {
                for flow in &changes {
                    table.end(HERE, flow, now);
                    table.insert(HERE, flow, Origin::Announced, now);
                }
            });
        });
        group.throughput(Throughput::Elements(QUERIES as u64));
        assert_eq!(table.len(), FLOWS as usize);
    }
    group.finish();
}

/// Lookups of one thread while another writes without pause.
fn beside_a_writer(c: &mut Criterion) {
    let mut table = full(FLOWS, false);
    let queries = queries(FLOWS, false, QUERIES);
    let mut reader = table.reader();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let now = Instant::now();
            let mut number = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let flow = flow(number % FLOWS, false);
                table.end(HERE, &flow, now);
                table.insert(HERE, &flow, Origin::Announced, now);
                number += 1;
            }
        });
        let mut group = c.benchmark_group("nat");
        group.throughput(Throughput::Elements(QUERIES as u64));
        group.bench_function("hit_v4_beside_a_writer", |b| {
            b.iter(|| lookup_all(&mut reader, &queries));
        });
        group.finish();
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

/// Resident memory of this process, in bytes.
fn resident() -> usize {
    field("/proc/self/status", "VmRSS:")
}

/// A number of kilobytes that a file tells, in bytes.
fn field(path: &str, name: &str) -> usize {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<usize>().ok());
    kilobytes.unwrap_or_default() * 1024
}

/// Prints what a million flows take, in a table with just the room for them.
fn memory() {
    for (name, ipv6) in [("IPv4", false), ("IPv6", true)] {
        let before = resident();
        let bytes = if ipv6 { 256 } else { 128 } * FLOWS as usize;
        let mut table = NatTable::new(NatOptions { bytes, ..NatOptions::default() });
        let empty = resident();
        for number in 0..FLOWS {
            table.insert(HERE, &flow(number, ipv6), Origin::Announced, Instant::now());
        }
        assert_eq!((table.len(), table.counters().evicted), (FLOWS as usize, 0));
        println!(
            "{name}: {FLOWS} flows in {} bytes, {} a flow; resident {} empty, {} full",
            table.bytes(),
            table.bytes() / FLOWS as usize,
            empty - before,
            resident() - before,
        );
    }
}

fn main() {
    memory();
    floor();
    least();
    if std::env::args().any(|argument| argument == "least") {
        return;
    }
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    lookups(&mut criterion);
    beside_a_writer(&mut criterion);
    criterion.final_summary();
}
