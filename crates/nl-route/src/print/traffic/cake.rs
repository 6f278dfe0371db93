//! The options and counters of `cake` as tc(8) prints them.

use core::fmt;

use super::Out;
use super::counters::{numbers, until};
use super::options::{Alternate, rate, size};
use super::units::{Microseconds, Rate, Size};
use crate::traffic::counters::{CakeCounters, CakeTin};
use crate::traffic::options::Cake;

/// A mode of `cake` by its word.
fn mode(out: &mut Out<'_, '_>, key: &str, value: Option<u32>, words: &[&str]) {
    let Some(value) = value else { return };
    if let Some(word) = usize::try_from(value).ok().and_then(|index| words.get(index)) {
        out.string(key, "", word);
    } else {
        out.text(format_args!("(?{key}?)"));
        out.json(|json| json.field(key, "unknown"));
    }
}

pub(super) fn options(out: &mut Out<'_, '_>, options: &Cake) {
    let set = |value: Option<u32>| value.is_some_and(|value| value != 0);
    match options.rate {
        Some(0) => out.string("bandwidth", "bandwidth ", "unlimited"),
        Some(bytes) => rate(out, "bandwidth", "bandwidth ", bytes),
        None => {}
    }
    match options.autorate {
        None | Some(0) => {}
        Some(1) => out.string("autorate", "", "autorate-ingress"),
        Some(_) => {
            out.text("(?autorate?) ");
            out.json(|json| json.field("autorate", "unknown"));
        }
    }
    let words = ["diffserv3", "diffserv4", "diffserv8", "besteffort", "precedence"];
    mode(out, "diffserv", options.diffserv, &words);
    let words = [
        "flowblind",
        "srchost",
        "dsthost",
        "hosts",
        "flows",
        "dual-srchost",
        "dual-dsthost",
        "triple-isolate",
    ];
    mode(out, "flowmode", options.flow_mode, &words);
    out.either("nat", set(options.nat), "nat ", "nonat ");
    out.either("wash", set(options.wash), "wash ", "nowash ");
    out.either("ingress", set(options.ingress), "ingress ", "");
    let (word, text) = match options.ack_filter {
        Some(1) => ("enabled", "ack-filter "),
        Some(2) => ("aggressive", "ack-filter-aggressive "),
        _ => ("disabled", "no-ack-filter "),
    };
    out.text(text);
    out.json(|json| json.field("ack-filter", word));
    out.either("split_gso", set(options.split_gso), "split-gso ", "no-split-gso ");
    let rtt = options.rtt.unwrap_or_default();
    if rtt != 0 {
        out.text(format_args!("rtt {} ", Microseconds(rtt)));
    }
    out.json(|json| json.field("rtt", rtt));
    out.either("raw", options.raw.is_some(), "raw ", "");
    match options.atm {
        Some(1) => out.string("atm", "", "atm"),
        Some(2) => out.string("atm", "", "ptm"),
        _ if options.raw.is_none() => out.string("atm", "", "noatm"),
        _ => {}
    }
    out.number("overhead", "overhead ", options.overhead.unwrap_or_default());
    if let Some(mpu) = options.mpu.filter(|mpu| *mpu != 0) {
        out.number("mpu", "mpu ", mpu);
    }
    if let Some(memory) = options.memory.filter(|memory| *memory != 0) {
        size(out, "memlimit", "memlimit ", memory);
    }
    let mark = options.fwmark.unwrap_or_default();
    if mark != 0 {
        out.text(format_args!("fwmark {mark:#x} "));
    }
    out.json(|json| {
        json.key("fwmark");
        json.display(Alternate(mark));
    });
}

/// How the value of a row is written.
enum How {
    Rate,
    Time,
    Size,
    Number,
}

/// A value of a class of traffic: its name in the table and in JSON, and what it is.
type Row = (&'static str, &'static str, How, fn(&CakeTin) -> Option<u64>);

/// In the order of the table.
const ROWS: [Row; 20] = [
    ("thresh", "threshold_rate", How::Rate, |tin| tin.threshold),
    ("target", "target_us", How::Time, |tin| tin.target.map(u64::from)),
    ("interval", "interval_us", How::Time, |tin| tin.interval.map(u64::from)),
    ("pk_delay", "peak_delay_us", How::Time, |tin| tin.peak_delay.map(u64::from)),
    ("av_delay", "avg_delay_us", How::Time, |tin| tin.average_delay.map(u64::from)),
    ("sp_delay", "base_delay_us", How::Time, |tin| tin.base_delay.map(u64::from)),
    ("backlog", "backlog_bytes", How::Size, |tin| tin.backlog.map(u64::from)),
    ("pkts", "sent_packets", How::Number, |tin| tin.packets.map(u64::from)),
    ("bytes", "sent_bytes", How::Number, |tin| tin.bytes),
    ("way_inds", "way_indirect_hits", How::Number, |tin| tin.way_indirect.map(u64::from)),
    ("way_miss", "way_misses", How::Number, |tin| tin.way_misses.map(u64::from)),
    ("way_cols", "way_collisions", How::Number, |tin| tin.way_collisions.map(u64::from)),
    ("drops", "drops", How::Number, |tin| tin.dropped.map(u64::from)),
    ("marks", "ecn_mark", How::Number, |tin| tin.marked.map(u64::from)),
    ("ack_drop", "ack_drops", How::Number, |tin| tin.acks_dropped.map(u64::from)),
    ("sp_flows", "sparse_flows", How::Number, |tin| tin.sparse_flows.map(u64::from)),
    ("bk_flows", "bulk_flows", How::Number, |tin| tin.bulk_flows.map(u64::from)),
    ("un_flows", "unresponsive_flows", How::Number, |tin| tin.unresponsive_flows.map(u64::from)),
    ("max_len", "max_pkt_len", How::Number, |tin| tin.greatest_length.map(u64::from)),
    ("quantum", "flow_quantum", How::Number, |tin| tin.quantum.map(u64::from)),
];

/// A cell of the table.
fn cell(out: &mut Out<'_, '_>, text: fmt::Arguments<'_>) {
    out.text(format_args!(" {:>12}", alloc::format!("{text}")));
}

fn tins(out: &mut Out<'_, '_>, tins: &[CakeTin]) {
    match tins.len() {
        3 => out.text("                   Bulk  Best Effort        Voice\n"),
        4 => out.text("                   Bulk  Best Effort        Video        Voice\n"),
        count => {
            out.text("          ");
            for index in 0..count {
                out.text(format_args!("        Tin {index}"));
            }
            out.text("\n");
        }
    }
    for (name, _, how, value) in &ROWS {
        if tins.first().and_then(value).is_none() {
            continue;
        }
        out.text(format_args!("  {name:<8}"));
        for tin in tins {
            let value = value(tin).unwrap_or_default();
            match how {
                How::Rate => cell(out, format_args!("{}", Rate(value))),
                How::Time => {
                    let time = Microseconds(u32::try_from(value).unwrap_or(u32::MAX));
                    cell(out, format_args!("{time}"));
                }
                How::Size => cell(out, format_args!("{}", Size(value))),
                How::Number => cell(out, format_args!("{value}")),
            }
        }
        out.text("\n");
    }
    out.json(|json| {
        json.key("tins");
        json.begin_array();
        for tin in tins {
            json.begin_object();
            for (_, key, _, value) in &ROWS {
                json.optional(key, value(tin));
            }
            json.end_object();
        }
        json.end_array();
    });
}

/// Appends the counters, but not the end of their last line.
pub(super) fn counters(out: &mut Out<'_, '_>, of: &CakeCounters) {
    if let (Some(used), Some(limit)) = (of.memory_used, of.memory_limit) {
        let (used_size, limit_size) = (Size(used.into()), Size(limit.into()));
        out.text(format_args!(" memory used: {used_size} of {limit_size}\n"));
        out.json(|json| {
            json.field("memory_used", used);
            json.field("memory_limit", limit);
        });
    }
    if let Some(estimate) = of.capacity_estimate {
        out.text(format_args!(" capacity estimate: {}\n", Rate(estimate)));
        out.json(|json| json.field("capacity_estimate", estimate));
    }
    if let (Some(least), Some(greatest)) = (of.least_length, of.greatest_length) {
        out.text(format_args!(" min/max network layer size: {least:12} /{greatest:8}\n"));
        out.json(|json| {
            json.field("min_network_size", least);
            json.field("max_network_size", greatest);
        });
    }
    if let (Some(least), Some(greatest)) = (of.least_adjusted, of.greatest_adjusted) {
        out.text(format_args!(" min/max overhead-adjusted size: {least:8} /{greatest:8}\n"));
        out.json(|json| {
            json.field("min_adj_size", least);
            json.field("max_adj_size", greatest);
        });
    }
    if let Some(offset) = of.average_offset {
        out.text(format_args!(" average network hdr offset: {offset:12}\n\n"));
        out.json(|json| json.field("avg_hdr_offset", offset));
    }
    flow(out, of);
    if let Some(all) = of.tins.as_ref().filter(|tins| !tins.is_empty()) {
        tins(out, all);
    }
}

/// What is told of a flow.
fn flow(out: &mut Out<'_, '_>, of: &CakeCounters) {
    if let Some(deficit) = of.deficit {
        out.number_with("deficit", "  deficit ", deficit, "");
    }
    if let Some(count) = of.count {
        numbers(out, &[("count", count)]);
    }
    if of.dropping.is_some_and(|dropping| dropping != 0) {
        out.either("dropping", true, " dropping", "");
        if let Some(time) = of.drop_next {
            until(out, "drop_next", time);
        }
    }
    if let Some(probability) = of.probability {
        numbers(out, &[("blue_prob", probability)]);
        if let Some(time) = of.blue_timer {
            until(out, "blue_timer", time);
        }
    }
}
