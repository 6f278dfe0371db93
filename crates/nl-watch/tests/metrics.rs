//! Counters and their text.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use nl_conntrack::{EventKind, Flow, IpProtocol, Tuple};
use nl_socket::{Error, Loss};
use nl_watch::consumer::Told;
use nl_watch::metrics::{Histogram, Metrics};
use nl_watch::nat::{NatOptions, NatTable, Origin};
use nl_watch::pressure::{Governor, GovernorOptions, Level};
use nl_watch::{Change, Item};

/// Reads the format strictly: HELP, TYPE, then the samples of that name. Names and labels to
/// values.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    let mut names = BTreeSet::new();
    let (mut name, mut kind) = ("", "");
    let mut lines = text.lines().peekable();
    assert!(text.ends_with('\n'));
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (of, words) = help.split_once(' ').unwrap();
            assert!(!words.is_empty() && names.insert(of.to_owned()), "{line}");
            let types = lines.next().unwrap().strip_prefix("# TYPE ").unwrap();
            (name, kind) = types.split_once(' ').unwrap();
            assert_eq!(of, name);
            assert!(["counter", "gauge", "histogram"].contains(&kind));
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').unwrap();
        let of = sample.split('{').next().unwrap();
        let of = match kind {
            "histogram" => ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|ending| of.strip_suffix(ending))
                .unwrap(),
            _ => of,
        };
        assert_eq!(of, name, "{line}");
        assert!(of.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
        assert!(samples.insert(sample.to_owned(), value.parse().unwrap()).is_none(), "{line}");
    }
    samples
}

#[test]
fn every_number_is_told() {
    let mut metrics = Metrics::default();
    let losses = [
        Loss::Overrun { dropped: 12 },
        Loss::Overrun { dropped: 3 },
        Loss::Truncated { length: 2, kept: 1 },
        Loss::Foreign { port: 7 },
        Loss::Interrupted,
        Loss::Stale { sequence: 9 },
        Loss::Damaged(nl_wire::Error::missing(1)),
        Loss::Undecodable(nl_wire::Error::missing(1)),
    ];
    for loss in losses {
        metrics.item::<Flow>(1, &Item::Lost(loss));
    }
    metrics.error(&Error::Lost(Loss::Interrupted));
    metrics.error(&Error::TimedOut);
    for took in [3, 5] {
        let took = Duration::from_millis(took);
        metrics.item::<Flow>(1, &Item::Resynced { added: 4, removed: 2, changed: 1, took });
    }
    metrics.item::<Flow>(1, &Item::Full { entries: 1, bytes: 1 });
    metrics.item(1, &Item::Change(Change::Added(Flow::default())));
    metrics.item(1, &Item::Change(Change::Removed(Flow::default())));
    metrics.event(2, EventKind::Update);
    metrics.namespaces.get_mut(&2).unwrap().name = "a \"b\" \\ c\nd\u{1b}[0m".to_owned();

    let mut table = NatTable::new(NatOptions::default());
    let mut reader = table.reader();
    let original =
        Tuple::with_ports(IpProtocol::TCP, ([10, 0, 0, 1].into(), 1), ([10, 0, 0, 2].into(), 2));
    let mut flow = Flow::new(original);
    table.insert(1, &flow, Origin::Announced, Instant::now());
    flow.reply.source = [10, 0, 0, 3].into();
    table.insert(1, &flow, Origin::Announced, Instant::now());
    for _ in 0..200 {
        reader.lookup(1, 0, &original);
        reader.lookup(2, 0, &original);
    }
    let now = Instant::now();
    let mut governor = Governor::new(GovernorOptions { limit: 10.0, ..Default::default() }, now);
    governor.poll(now + Duration::from_secs(1), 100);
    metrics.item(1, &Item::Forgotten(Flow::default()));
    for (entries, took) in [(2, 3), (3, 1)] {
        metrics.item::<Flow>(1, &Item::Listed { entries, took: Duration::from_millis(took) });
    }
    // One that is no more, and two of one name.
    metrics.event(7, EventKind::New);
    metrics.namespace_gone(7);
    for number in [8, 9] {
        metrics.event(number, EventKind::Update);
        metrics.namespaces.get_mut(&number).unwrap().name = "twice".to_owned();
    }
    metrics.told::<Flow>(|_| 0, &Told::Unattributed { nsid: 4, events: 3 });
    metrics.coverage.namespaces = 2;
    metrics.take_nat(&table);
    metrics.take_filter(&governor);
    assert_eq!(metrics.filter.level, Level::NatOnly);

    let text = metrics.to_string();
    let samples = parse(&text);
    for (name, value) in [
        ("overruns_total", 2.0),
        ("dropped_messages_total", 15.0),
        ("truncated_total", 1.0),
        ("foreign_total", 1.0),
        ("interrupted_total", 2.0),
        ("stale_total", 1.0),
        ("damaged_total", 1.0),
        ("undecodable_total", 1.0),
        ("read_errors_total", 1.0),
        ("mirror_full_total", 1.0),
        ("resyncs_total", 2.0),
        ("resync_seconds_total", 0.008),
        ("resync_last_seconds", 0.005),
        ("resync_added_total", 8.0),
        ("sampling_ratio", 1.0),
        ("event_rate", 100.0),
        ("filter_steps_total", 1.0),
        ("lists_total", 2.0),
        ("list_entries_total", 5.0),
        ("list_longest_seconds", 0.003),
        ("namespaces", 2.0),
        ("converged", 0.0),
        ("unattributed_events_total", 3.0),
        ("events_total{namespace=\"(gone)\",kind=\"new\"}", 1.0),
        ("events_total{namespace=\"twice\",kind=\"update\"}", 2.0),
        ("filter_forgotten_total", 1.0),
        ("filter_everything", 0.0),
        ("filter_nat_only", 1.0),
        ("nat_flows", 1.0),
        ("nat_orphans", 1.0),
        ("nat_registers_total", 1.0),
        ("nat_registers_dropped_total", 1.0),
        ("nat_gets_total", 400.0),
        ("nat_hits_total", 200.0),
        ("nat_gets_duration_nanoseconds_count", 6.0),
        ("nat_gets_duration_nanoseconds_bucket{le=\"+Inf\"}", 6.0),
        ("events_total{namespace=\"1\",kind=\"new\"}", 1.0),
        ("events_total{namespace=\"1\",kind=\"destroy\"}", 1.0),
        ("events_total{namespace=\"a \\\"b\\\" \\\\ c\\nd\u{fffd}[0m\",kind=\"update\"}", 1.0),
    ] {
        let found = samples.get(&format!("nl_{name}"));
        assert!(
            found.is_some_and(|found| (found - value).abs() < 1e-9),
            "{name}: {found:?}\n{text}"
        );
    }
    for name in ["datagrams", "messages", "bytes"] {
        assert!(samples[&format!("nl_received_{name}_total")].abs() < 1e-9);
    }
    let bytes = samples["nl_nat_bytes"];
    assert!(bytes > 1e6 && bytes < f64::from(16 << 20));
}

#[test]
fn buckets_add_up() {
    let mut histogram = Histogram::default();
    for nanoseconds in [1, 10, 11, 10_000, 10_001, 7_000_000] {
        histogram.observe(Duration::from_nanos(nanoseconds));
    }
    assert_eq!(histogram.buckets, [2, 1, 0, 0, 0, 0, 0, 0, 1, 2]);
    assert_eq!((histogram.count(), histogram.nanoseconds), (6, 7_020_023));
    let mut metrics = Metrics::default();
    metrics.nat.counters.register_durations = histogram;
    let samples = parse(&metrics.to_string());
    let mut last = 0.0;
    for bound in Histogram::BOUNDS {
        let name = format!("nl_nat_registers_duration_nanoseconds_bucket{{le=\"{bound}\"}}");
        assert!(samples[&name] >= last);
        last = samples[&name];
    }
    assert!((last - 4.0).abs() < 1e-9);
}
