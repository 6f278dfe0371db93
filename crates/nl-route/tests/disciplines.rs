//! Options and counters of queueing disciplines and classes, beside tc(8), whether or not the kernel
//! at hand has the kind.

mod common;

use std::fs;

use common::beside::same_text;
use nl_route::names::Names;
#[allow(clippy::wildcard_imports)]
use nl_route::tables::counters::*;
use nl_route::tables::other::{TCA, TCA_OPTIONS, TCA_STAB, TCA_STATS_APP};
use nl_route::tables::traffic::{
    HFSC, TC_HFSC_QOPT, TC_SIZESPEC, TCA_ETS_PRIOMAP_BAND, TCA_ETS_QUANTA_BAND,
    TCA_MQPRIO_MAX_RATE64, TCA_MQPRIO_MIN_RATE64, TCA_STAB_BASE,
};
use nl_route::tables::{RTM_NEWQDISC, RTM_NEWTCLASS};
use nl_route::traffic::{Handle, QueueStatistics, Traffic, TrafficStatistics};
use nl_route::{Class, Context, Object, Qdisc, json, text};
use nl_testkit::{Rng, live, need, parse_hex, tool};
use nl_wire::json::Json;
use nl_wire::table::{Key, Layout, Payload, Table};
use nl_wire::{Header, RawAttr, Writer, write};
use proptest::prelude::*;
use serde_json::Value;

/// One or the other.
#[derive(Clone, PartialEq, Debug)]
enum Item {
    Qdisc(Qdisc),
    Class(Class),
}

impl Item {
    fn of(what: &str, kind: &str, payload: Vec<u8>) -> Self {
        let mut traffic = Traffic {
            index: 1,
            handle: Handle::new(5, 0),
            parent: Handle::ROOT,
            kind: Some(kind.into()),
            options: Some(RawAttr { raw_type: 2, payload }),
            ..Traffic::default()
        };
        match what {
            "qdisc" => Self::Qdisc(Qdisc(traffic)),
            "class" => {
                (traffic.parent, traffic.handle) = (Handle::new(5, 0), Handle::new(5, 7));
                traffic.info = 0x20_0000;
                Self::Class(Class(traffic))
            }
            _ => panic!("{what}"),
        }
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        let header = |message_type| Header { message_type, ..Header::default() };
        match self {
            Self::Qdisc(qdisc) => {
                write::message(bytes, header(RTM_NEWQDISC), |writer| qdisc.encode(writer))
            }
            Self::Class(class) => {
                write::message(bytes, header(RTM_NEWTCLASS), |writer| class.encode(writer))
            }
        }
        .unwrap();
    }

    fn text(&self, out: &mut String, context: &Context<'_>) {
        match self {
            Self::Qdisc(qdisc) => text::qdisc(out, qdisc, context),
            Self::Class(class) => text::class(out, class, context),
        }
    }

    fn json(&self, context: &Context<'_>) -> Value {
        let mut out = String::new();
        let mut writer = Json::new(&mut out);
        match self {
            Self::Qdisc(qdisc) => json::qdisc(&mut writer, qdisc, context),
            Self::Class(class) => json::class(&mut writer, class, context),
        }
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }
}

/// What tc asks for, with the words.
fn requests() -> Vec<(&'static str, Item)> {
    let lines = include_str!("traffic_data/requests.txt").lines();
    let lines: Vec<_> = lines.filter(|line| !line.starts_with('#')).collect();
    let pairs = lines.chunks(2).map(|pair| {
        let mut words = pair[0].split(' ');
        let (what, kind) = (words.next().unwrap(), words.next().unwrap());
        (pair[0], Item::of(what, kind, parse_hex(pair[1]).unwrap()))
    });
    pairs.collect()
}

fn names() -> Names {
    let mut names = Names::default();
    names.set_link(1, "lo");
    names
}

/// Asserts that some print as tc prints them from a file.
fn as_tc(items: &[Item]) {
    let mut bytes = Vec::new();
    for item in items {
        item.encode(&mut bytes);
    }
    fs::write("/run/traffic", bytes).unwrap();
    let names = names();
    let plain = Context::new(&names);
    for (options, context) in [
        (&[][..], plain),
        (&["-d"], Context { details: true, ..plain }),
        (&["-s"], Context { statistics: 1, ..plain }),
        (&["-s", "-d"], Context { details: true, statistics: 1, ..plain }),
    ] {
        let theirs = tool("tc", &[options, &["monitor", "file", "/run/traffic"]].concat());
        let mut ours = String::new();
        for item in items {
            item.text(&mut ours, &context);
        }
        same_text(&ours, &theirs, &options.join(" "));
    }
}

#[test]
#[cfg(target_endian = "little")]
fn options_are_printed_as_tc_prints_them() {
    live(|| {
        if need(&["tc"]) {
            as_tc(&requests().into_iter().map(|(_, item)| item).collect::<Vec<_>>());
        }
    });
}

/// tc writes no JSON of classes, and none that can be read of `hfsc`.
#[test]
#[cfg(target_endian = "little")]
fn options_are_told_in_json_as_tc_tells_them() {
    let names = names();
    let plain = Context::new(&names);
    for (theirs, context) in [
        (include_str!("traffic_data/plain.json"), plain),
        (include_str!("traffic_data/details.json"), Context { details: true, ..plain }),
    ] {
        let theirs: Vec<Value> = serde_json::from_str(theirs).unwrap();
        let told = |line: &str| line.starts_with("qdisc ") && !line.starts_with("qdisc hfsc");
        let items: Vec<_> = requests().into_iter().filter(|(line, _)| told(line)).collect();
        assert_eq!(items.len(), theirs.len());
        for ((line, item), theirs) in items.iter().zip(theirs) {
            let mut ours = item.json(&Context { statistics: 1, ..context });
            // Of the rate of bursts tc does not tell, or by a key that it gives twice.
            let options = ours["options"].as_object_mut().unwrap();
            options.remove("peakrate");
            options.remove("peakrate_mpu");
            assert_eq!(ours, theirs, "{line}");
        }
    }
}

/// A number that is often small, so that words are met.
fn number(rng: &mut Rng) -> u64 {
    match rng.below(4) {
        0 => rng.next_u64(),
        1 => rng.below(256) as u64,
        2 => rng.below(1 << 20) as u64,
        _ => rng.below(5) as u64,
    }
}

/// Something for an attribute or a field of a structure.
fn value(rng: &mut Rng, payload: &Payload, name: &str) -> Vec<u8> {
    let number = match name {
        // Of these tc shifts something.
        "cell_log" | "TCA_FQ_BUCKETS_LOG" => rng.below(31) as u64,
        "num_tc" => rng.below(17) as u64,
        // tc computes rates in 64 bits and times in 32, both of which may be too few.
        "rate" | "TCA_TBF_RATE64" | "TCA_TBF_PRATE64" => 1_000_000 + number(rng) % (1 << 31),
        "level" => number(rng) % 2,
        // It prints times that are over as if they were to come.
        "TCA_CAKE_STATS_DROP_NEXT_US" | "TCA_CAKE_STATS_BLUE_TIMER_US" => number(rng) % (1 << 31),
        "TCA_CAKE_STATS_CAPACITY_ESTIMATE64" => number(rng) % (1 << 40),
        _ if name.ends_with("RATE64") || name.ends_with("CEIL64") => number(rng) % (1 << 40),
        "min_delay" | "max_delay" | "dist_delay" | "dist_jitter" => number(rng) % (1 << 62),
        _ => number(rng),
    };
    let bytes = number.to_ne_bytes();
    let low = |width: usize| {
        let start = if cfg!(target_endian = "little") { 0 } else { 8 - width };
        bytes[start..][..width].to_vec()
    };
    match payload {
        Payload::Flag => Vec::new(),
        Payload::Struct(layout) => {
            let field = |field: &nl_wire::table::Field| value(rng, &field.payload, field.name);
            layout.fields.iter().flat_map(field).collect()
        }
        Payload::Array(item) => (0..3).flat_map(|_| value(rng, item, name)).collect(),
        Payload::List(item) => {
            let number = match name {
                "TCA_ETS_QUANTA" => TCA_ETS_QUANTA_BAND,
                "TCA_ETS_PRIOMAP" => TCA_ETS_PRIOMAP_BAND,
                "TCA_MQPRIO_MIN_RATE64" => TCA_MQPRIO_MIN_RATE64,
                "TCA_MQPRIO_MAX_RATE64" => TCA_MQPRIO_MAX_RATE64,
                _ => panic!("{name}"),
            };
            let mut out = Vec::new();
            for _ in 0..rng.below(17) {
                let value = value(rng, item, name);
                Writer::attributes(&mut out).bytes(number, &value).unwrap();
            }
            out
        }
        Payload::Nest(table) => attributes(rng, table),
        Payload::Headed(layout, table) => {
            let mut out = value(rng, &Payload::Struct(layout), name);
            out.resize(out.len().next_multiple_of(4), 0);
            [out, attributes(rng, table)].concat()
        }
        Payload::Bytes => rng.bytes(8),
        other => low(other.width().unwrap_or_else(|| panic!("{name}: {other:?}"))),
    }
}

/// Some of the attributes of a table.
fn attributes(rng: &mut Rng, table: &Table) -> Vec<u8> {
    let mut out = Vec::new();
    let much = 1 + rng.below(6);
    for row in table.rows().filter(|row| !row.name.ends_with("_PAD")) {
        // Without these tc prints nothing, or half.
        let needed = ["TCA_ETS_NBANDS", "TCA_ETS_PRIOMAP"].contains(&row.name);
        if needed
            || ["_PARMS", "_PRIOMAP"].iter().any(|end| row.name.ends_with(end))
            || rng.below(6) < much
        {
            let value = value(rng, &row.payload, row.name);
            Writer::attributes(&mut out).bytes(row.number, &value).unwrap();
        }
    }
    out
}

/// Disciplines and classes of each kind, with anything for options.
fn any(rng: &mut Rng) -> Vec<Item> {
    let row = TCA.row(TCA_OPTIONS).unwrap();
    let Payload::Choice { cases, .. } = row.payload else { panic!("{row:?}") };
    let mut items = Vec::new();
    for (key, payload) in cases {
        let Key::Text(kind) = key else { panic!("{key:?}") };
        if *kind != "drr" {
            items.push(Item::of("qdisc", kind, value(rng, payload, kind)));
        }
        if ["htb", "drr", "ets"].contains(kind) {
            items.push(Item::of("class", kind, value(rng, payload, kind)));
        }
    }
    let payload = value(rng, &Payload::Struct(&TC_HFSC_QOPT), "hfsc");
    items.push(Item::of("qdisc", "hfsc", payload));
    items.push(Item::of("class", "hfsc", value(rng, &Payload::Nest(&HFSC), "hfsc")));
    items
}

/// With a table of sizes, of which tc tells at disciplines alone.
fn sized(rng: &mut Rng, mut item: Item) -> Item {
    if let Item::Qdisc(Qdisc(traffic)) = &mut item {
        let mut payload = Vec::new();
        let table = value(rng, &Payload::Struct(&TC_SIZESPEC), "");
        Writer::attributes(&mut payload).bytes(TCA_STAB_BASE, &table).unwrap();
        traffic.unknown.push(RawAttr { raw_type: TCA_STAB, payload });
    }
    item
}

#[test]
fn any_options_are_printed_as_tc_prints_them() {
    live(|| {
        if need(&["tc"]) {
            let mut rng = Rng::new(1);
            let mut items: Vec<_> = (0..300).flat_map(|_| any(&mut rng)).collect();
            items.extend(any(&mut Rng::new(2)).into_iter().map(|item| sized(&mut rng, item)));
            as_tc(&items);
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 48 }))]

    #[test]
    fn all_that_options_have_comes_back(seed: u64) {
        for item in any(&mut Rng::new(seed)) {
            match item {
                Item::Qdisc(mut qdisc) => {
                    let read = qdisc.options().unwrap().expect("a kind that is known");
                    qdisc.0.options = Some(read.to_attribute().unwrap());
                    prop_assert_eq!(qdisc.options().unwrap(), Some(read));
                }
                Item::Class(mut class) => {
                    let read = class.options().unwrap().expect("a kind that is known");
                    class.0.options = Some(read.to_attribute().unwrap());
                    prop_assert_eq!(class.options().unwrap(), Some(read));
                }
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "prints some thousand disciplines")]
fn nothing_breaks_where_options_end_early() {
    let names = names();
    let context = Context { details: true, statistics: 1, ..Context::new(&names) };
    for mut item in any(&mut Rng::new(3)) {
        let traffic = match &mut item {
            Item::Qdisc(Qdisc(traffic)) | Item::Class(Class(traffic)) => traffic,
        };
        let whole = traffic.options.take().unwrap().payload;
        for length in 0..whole.len() {
            let mut item = item.clone();
            let options = RawAttr { raw_type: TCA_OPTIONS, payload: whole[..length].to_vec() };
            match &mut item {
                Item::Qdisc(Qdisc(traffic)) | Item::Class(Class(traffic)) => {
                    traffic.options = Some(options);
                }
            }
            item.text(&mut String::new(), &context);
            item.json(&context);
        }
    }
}

/// What counts something of its own.
static COUNTING: [(&str, &str, &Layout); 12] = [
    ("class", "htb", &TC_HTB_XSTATS),
    ("qdisc", "red", &TC_RED_XSTATS),
    ("class", "sfq", &TC_SFQ_XSTATS),
    ("class", "hfsc", &TC_HFSC_STATS),
    ("class", "drr", &TC_DRR_STATS),
    ("qdisc", "codel", &TC_CODEL_XSTATS),
    ("qdisc", "fq_codel", &TC_FQ_CODEL_QD_STATS),
    ("class", "fq_codel", &TC_FQ_CODEL_CL_STATS),
    ("qdisc", "fq", &TC_FQ_QD_STATS),
    ("qdisc", "pie", &TC_PIE_XSTATS),
    ("qdisc", "fq_pie", &TC_FQ_PIE_XSTATS),
    ("qdisc", "pfifo", Layout::NONE),
];

/// Disciplines and classes that have counted something.
fn counted(rng: &mut Rng) -> Vec<Item> {
    let item = |(what, kind, layout): &(&str, &str, &'static Layout)| {
        let mut counters = value(rng, &Payload::Struct(layout), "");
        if *kind == "fq_codel" {
            let which = u32::from(*what == "class").to_ne_bytes();
            counters = [&which[..], &counters].concat();
        }
        let mut any = || u32::try_from(number(rng) % (1 << 31)).unwrap();
        let rate = (any() % 2 == 0).then(|| (any(), any()));
        let statistics = TrafficStatistics {
            basic: Some((any().into(), any())),
            queue: Some(QueueStatistics {
                length: any(),
                backlog: any(),
                drops: any(),
                requeues: any(),
                overlimits: any(),
            }),
            rate,
            unknown: vec![RawAttr { raw_type: TCA_STATS_APP, payload: counters }],
            ..TrafficStatistics::default()
        };
        let mut item = Item::of(what, kind, Vec::new());
        match &mut item {
            Item::Qdisc(Qdisc(traffic)) | Item::Class(Class(traffic)) => {
                (traffic.options, traffic.statistics) = (None, Some(statistics.into()));
                assert_eq!(traffic.counters().is_some(), *kind != "pfifo");
            }
        }
        item
    };
    COUNTING.iter().map(item).collect()
}

/// A discipline of the kind `cake` that has counted something, with so many classes of traffic; a flow
/// of one if there is none.
fn cake(rng: &mut Rng, tins: u16) -> Item {
    let mut app = Vec::new();
    let mut writer = Writer::attributes(&mut app);
    let flow = |name: &str| {
        ["DEFICIT", "COUNT", "DROPPING", "DROP_NEXT_US", "P_DROP", "TIMER_US"]
            .iter()
            .any(|end| name.ends_with(end))
    };
    for row in CAKE_STATS.rows().filter(|row| !row.name.ends_with("_PAD")) {
        if flow(row.name) != (tins == 0) {
            continue;
        }
        if let Payload::List(_) = row.payload {
            let all = writer.nest_unflagged(row.number, |writer| {
                (1..=tins).try_for_each(|tin| {
                    writer.nest_unflagged(tin, |writer| {
                        let rows = CAKE_TIN_STATS.rows();
                        rows.filter(|row| !row.name.ends_with("_PAD")).try_for_each(|row| {
                            writer.bytes(row.number, &value(rng, &row.payload, row.name))
                        })
                    })
                })
            });
            all.unwrap();
        } else {
            let value = value(rng, &row.payload, row.name);
            writer.bytes(row.number, &value).unwrap();
        }
    }
    let unknown = vec![RawAttr { raw_type: TCA_STATS_APP, payload: app }];
    let statistics = TrafficStatistics { basic: Some((1, 2)), unknown, ..Default::default() };
    let mut item = Item::of("qdisc", "cake", Vec::new());
    match &mut item {
        Item::Qdisc(Qdisc(traffic)) | Item::Class(Class(traffic)) => {
            (traffic.options, traffic.statistics) = (None, Some(statistics.into()));
        }
    }
    item
}

#[test]
fn counters_are_printed_as_tc_prints_them() {
    live(|| {
        if need(&["tc"]) {
            let mut rng = Rng::new(1);
            let mut items: Vec<_> = (0..300).flat_map(|_| counted(&mut rng)).collect();
            items.extend((0..8).map(|tins| cake(&mut rng, tins)));
            as_tc(&items);
        }
    });
}
