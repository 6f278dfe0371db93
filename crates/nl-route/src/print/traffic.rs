//! Queueing disciplines and classes as tc(8) prints them: the header, the options of the simplest
//! kinds, and counters.

use core::fmt;

use super::{Context, Hidden, Out};
use crate::traffic::{Class, Handle, Qdisc, Traffic, TrafficStatistics};

/// Appends one queueing discipline.
pub(crate) fn qdisc(out: &mut Out<'_, '_>, Qdisc(traffic): &Qdisc, context: &Context<'_>) {
    begin(out, context);
    if let Some(kind) = &traffic.kind {
        out.value("kind", "qdisc ", kind);
    }
    out.value("handle", " ", format_args!("{:x}:", traffic.handle.major()));
    out.text(" ");
    if context.shows(Hidden::OIF) {
        out.string("dev", "dev ", context.names.link(traffic.index));
    }
    match traffic.parent {
        Handle::ROOT => out.either("root", true, "root ", ""),
        Handle::NONE => {}
        parent => out.string("parent", "parent ", parent),
    }
    if traffic.info != 1 {
        out.number("refcnt", "refcnt ", traffic.info);
    }
    if traffic.hw_offload.is_some_and(|offload| offload != 0) {
        out.either("offloaded", true, "offloaded ", "");
    }
    for (key, label, block) in [
        ("ingress_block", "ingress_block ", traffic.ingress_block),
        ("egress_block", "egress_block ", traffic.egress_block),
    ] {
        if let Some(block) = block.filter(|block| *block != 0) {
            out.number(key, label, block);
        }
    }
    out.begin_object("options");
    options(out, traffic);
    out.end_object();
    out.line(context);
    end(out, traffic, context);
}

/// Appends one class.
pub(crate) fn class(out: &mut Out<'_, '_>, Class(traffic): &Class, context: &Context<'_>) {
    begin(out, context);
    if let Some(kind) = &traffic.kind {
        out.string("class", "class ", kind);
    }
    match traffic.handle {
        Handle::NONE => out.string("handle", "", ""),
        handle => out.string("handle", "", handle),
    }
    if context.shows(Hidden::OIF) {
        out.string("dev", "dev ", context.names.link(traffic.index));
    }
    match traffic.parent {
        Handle::ROOT => out.either("root", true, "root ", ""),
        parent => out.string("parent", "parent ", parent),
    }
    if traffic.info != 0 {
        let leaf = traffic.info >> 16;
        out.text(format_args!("leaf {leaf:x}: "));
        out.json(|json| {
            json.key("leaf");
            json.display(format_args!("{leaf:#x}"));
        });
    }
    if let Some(options) = traffic.options.as_ref().filter(|options| !options.payload.is_empty()) {
        raw(out, &options.payload);
    }
    out.line(context);
    end(out, traffic, context);
}

fn begin(out: &mut Out<'_, '_>, context: &Context<'_>) {
    out.begin_entry();
    if context.deleted {
        out.either("deleted", true, "deleted ", "");
    }
}

fn end(out: &mut Out<'_, '_>, traffic: &Traffic, context: &Context<'_>) {
    if let Some(statistics) = traffic.statistics.as_ref().filter(|_| context.statistics > 0) {
        self::statistics(out, statistics, context);
        out.line(context);
    }
    if context.oneline {
        out.text("\n");
    }
    out.end_object();
}

/// The options of a discipline, as far as its kind is known here.
fn options(out: &mut Out<'_, '_>, traffic: &Traffic) {
    let Some(options) = &traffic.options else { return };
    let kind = traffic.kind.as_ref().map(nl_wire::text::Text::as_bytes).unwrap_or_default();
    match (kind, options.payload.first_chunk::<4>()) {
        (b"noqueue" | b"mq" | b"clsact", _) => {}
        (b"ingress", _) => out.text("---------------- "),
        (b"pfifo" | b"pfifo_head_drop", Some(limit)) => {
            out.number_with("limit", "limit ", u32::from_ne_bytes(*limit), "p");
        }
        (b"bfifo", Some(limit)) => {
            let limit = u32::from_ne_bytes(*limit);
            out.text(format_args!("limit {}", Size(limit.into())));
            out.json(|json| json.field("limit", limit));
        }
        (b"pfifo_fast" | b"prio", Some(bands)) => {
            out.number("bands", "bands ", u32::from_ne_bytes(*bands));
            out.begin_array("priomap");
            out.text("priomap ");
            for band in options.payload.iter().skip(4).take(16) {
                out.text(format_args!(" {band}"));
                out.json(|json| json.value(*band));
            }
            out.end_array();
        }
        _ => raw(out, &options.payload),
    }
}

/// Options that this crate doesn't read: hexadecimal digits.
fn raw(out: &mut Out<'_, '_>, payload: &[u8]) {
    out.string("raw", "options ", Hex(payload));
}

struct Hex<'a>(&'a [u8]);

words!(Handle Hex<'_>);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn statistics(out: &mut Out<'_, '_>, statistics: &TrafficStatistics, context: &Context<'_>) {
    if let Some((bytes, packets)) = statistics.basic {
        out.number_with("bytes", " Sent ", bytes, " bytes");
        out.number_with("packets", " ", statistics.packets.unwrap_or(packets.into()), " pkt");
    }
    if let Some(queue) = statistics.queue {
        out.number_with("drops", " (dropped ", queue.drops, "");
        out.number_with("overlimits", ", overlimits ", queue.overlimits, "");
        out.number_with("requeues", " requeues ", queue.requeues, ") ");
    }
    let rate = statistics.rate64.or(statistics.rate.map(|(b, p)| (b.into(), p.into())));
    if let Some((bytes, packets)) = rate {
        out.line(context);
        out.text(format_args!(" rate {}", Rate(bytes)));
        out.json(|json| json.field("rate", bytes));
        out.number_with("pps", " ", packets, "pps");
    }
    if let Some(queue) = statistics.queue {
        out.line(context);
        out.text(format_args!(" backlog {}", Size(queue.backlog.into())));
        out.json(|json| json.field("backlog", queue.backlog));
        out.number_with("qlen", " ", queue.length, "p");
        out.text(format_args!(" requeues {}", queue.requeues));
    }
}

/// Bytes, in the unit in which they are nearly a whole number.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let near = |unit: u64, slack: u64| {
            let count = (self.0 + unit / 2) / unit;
            (self.0 >= unit && (count * unit).abs_diff(self.0) < slack).then_some(count)
        };
        if let Some(count) = near(1 << 20, 1024) {
            write!(f, "{count}Mb")
        } else if let Some(count) = near(1 << 10, 16) {
            write!(f, "{count}Kb")
        } else {
            write!(f, "{}b", self.0)
        }
    }
}

/// Bytes a second, told as bits a second.
struct Rate(u64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["", "K", "M", "G", "T"];
        let mut bits = u128::from(self.0) * 8;
        let mut unit = 0;
        // As tc does: a greater unit where nothing is lost by it, or the number is long.
        while unit + 1 < UNITS.len() && bits >= 1000 && (bits % 1000 == 0 || bits >= 1_000_000) {
            bits /= 1000;
            unit += 1;
        }
        write!(f, "{bits}{}bit", UNITS[unit])
    }
}
