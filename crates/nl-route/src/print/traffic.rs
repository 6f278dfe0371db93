//! Queueing disciplines and classes as tc(8) prints them: the header, options and counters.

use core::fmt;

use nl_wire::error::Error;
use nl_wire::text::Text;

use super::{Context, Hidden, Out};
use crate::traffic::{Class, Handle, Qdisc, Traffic, TrafficStatistics};
use units::{Rate, Size};

mod cake;
mod counters;
mod netem;
mod options;
mod shape;
mod taprio;
mod units;

/// Appends one queueing discipline.
pub(crate) fn qdisc(out: &mut Out<'_, '_>, qdisc: &Qdisc, context: &Context<'_>) {
    let traffic = &qdisc.0;
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
    match traffic.kind.as_ref().map(Text::as_bytes) {
        Some(b"noqueue" | b"mq" | b"clsact") => {}
        Some(b"ingress") => out.text("---------------- "),
        _ => own(out, traffic, qdisc.options(), |out, kind, read| {
            options::qdisc(out, kind, read, context);
        }),
    }
    out.end_object();
    out.line(context);
    if let Some(table) = traffic.size_table().filter(|_| context.details) {
        shape::size_table(out, &table, context);
    }
    end(out, traffic, context);
}

/// Appends one class.
pub(crate) fn class(out: &mut Out<'_, '_>, class: &Class, context: &Context<'_>) {
    let traffic = &class.0;
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
    own(out, traffic, class.options(), |out, _, read| options::class(out, read, context));
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
        if let Some(counters) = traffic.counters() {
            counters::counters(out, &counters, context);
        }
    }
    if context.oneline {
        out.text("\n");
    }
    out.end_object();
}

/// Options that `read` tells: as tc prints them, or else as they are.
fn own<T>(
    out: &mut Out<'_, '_>,
    traffic: &Traffic,
    read: Result<Option<T>, Error>,
    print: impl FnOnce(&mut Out<'_, '_>, &Text, &T),
) {
    match (read, &traffic.kind, &traffic.options) {
        (Ok(Some(read)), Some(kind), _) => print(out, kind, &read),
        (_, _, Some(options)) if !options.payload.is_empty() => raw(out, &options.payload),
        _ => {}
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
        // As tc does, behind a rate of 32 bits on the same line.
        if statistics.rate.is_none() {
            out.line(context);
        }
        out.text(format_args!(" backlog {}", Size(queue.backlog.into())));
        out.json(|json| json.field("backlog", queue.backlog));
        out.number_with("qlen", " ", queue.length, "p");
        out.text(format_args!(" requeues {}", queue.requeues));
    }
}
