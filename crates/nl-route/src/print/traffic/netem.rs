//! The options of `netem` as tc(8) prints them: each behind a blank, in JSON objects.

use super::Out;
use super::units::{General, Microseconds, Nanoseconds, Rate, microseconds, signed};
use crate::traffic::options::{Netem, NetemGilbert, NetemSlot, NetemStates};

/// A part of 4,294,967,295, in text behind `label` and in percent.
fn percent(out: &mut Out<'_, '_>, key: &str, label: &str, part: u32) {
    let part = f64::from(part) / f64::from(u32::MAX);
    out.text(format_args!("{label}{}%", General(100.0 * part, 6)));
    out.json(|json| {
        json.key(key);
        json.number(General(part, 6));
    });
}

/// How much depends on the packet before; in text only if that is something.
fn correlation(out: &mut Out<'_, '_>, part: u32) {
    if part == 0 {
        out.json(|json| json.field("correlation", 0_u32));
    } else {
        percent(out, "correlation", " ", part);
    }
}

/// A probability and a correlation.
fn chance(out: &mut Out<'_, '_>, object: &str, (key, label): (&str, &str), parts: (u32, u32)) {
    if parts.0 != 0 {
        out.begin_object(object);
        percent(out, key, label, parts.0);
        correlation(out, parts.1);
        out.end_object();
    }
}

pub(super) fn netem(out: &mut Out<'_, '_>, options: &Netem) {
    let parameters = &options.parameters;
    let correlations = options.correlations.unwrap_or_default();
    out.number_with("limit", "limit ", signed(parameters.limit), "");
    if parameters.latency != 0 {
        delay(out, options);
    }
    let words = ("loss", " loss ");
    chance(out, "loss-random", words, (parameters.loss, correlations.loss_corr));
    if let Some(loss) = &options.loss {
        if let Some(NetemStates { p13, p31, p32, p14, p23 }) = loss.states {
            out.begin_object("loss-state");
            percent(out, "p13", " loss state p13 ", p13);
            percent(out, "p31", " p31 ", p31);
            percent(out, "p32", " p32 ", p32);
            percent(out, "p23", " p23 ", p23);
            percent(out, "p14", " p14 ", p14);
            out.end_object();
        }
        if let Some(NetemGilbert { p, r, h, k1 }) = loss.gilbert {
            out.begin_object("loss-gemodel");
            percent(out, "p", " loss gemodel p ", p);
            percent(out, "r", " r ", r);
            percent(out, "1-h", " 1-h ", u32::MAX - h);
            percent(out, "1-k", " 1-k ", k1);
            out.end_object();
        }
    }
    let words = ("duplicate", " duplicate ");
    chance(out, "duplicate", words, (parameters.duplicate, correlations.dup_corr));
    if let Some(reorder) = options.reorder {
        let parts = (reorder.probability, reorder.correlation);
        chance(out, "reorder", ("reorder", " reorder "), parts);
    }
    if let Some(corrupt) = options.corrupt {
        let parts = (corrupt.probability, corrupt.correlation);
        chance(out, "corrupt", ("corrupt", " corrupt "), parts);
    }
    if let Some(rate) = options.rate.filter(|rate| rate.rate != 0) {
        let bytes = options.rate64.filter(|rate| *rate != 0).unwrap_or(rate.rate.into());
        out.begin_object("rate");
        out.text(format_args!(" rate {}", Rate(bytes)));
        out.json(|json| json.field("rate", bytes));
        optional(out, "packetoverhead", " packetoverhead ", rate.packet_overhead.into());
        optional(out, "cellsize", " cellsize ", rate.cell_size.into());
        optional(out, "celloverhead", " celloverhead ", rate.cell_overhead.into());
        out.end_object();
    }
    if let Some(slot) = &options.slot {
        self::slot(out, slot);
    }
    // The kernel tells of it where it is so.
    out.either("ecn", options.ecn.is_some(), " ecn ", "");
    if parameters.gap != 0 {
        out.text(format_args!(" gap {}", parameters.gap));
    }
    out.json(|json| json.field("gap", parameters.gap));
}

/// A number that text leaves out where it is 0.
fn optional(out: &mut Out<'_, '_>, key: &str, label: &str, number: i64) {
    if number != 0 {
        out.text(format_args!("{label}{number}"));
    }
    out.json(|json| json.field(key, number));
}

fn delay(out: &mut Out<'_, '_>, options: &Netem) {
    let [latency, jitter] =
        [options.parameters.latency, options.parameters.jitter].map(microseconds);
    let part = options.correlations.unwrap_or_default().delay_corr;
    out.begin_object("delay");
    out.text(format_args!(" delay {}", Microseconds(latency)));
    if options.parameters.jitter != 0 {
        out.text(format_args!("  {}", Microseconds(jitter)));
    }
    out.json(|json| {
        for (key, time) in [("delay", latency), ("jitter", jitter)] {
            json.key(key);
            json.number(General(f64::from(time) / 1_000_000.0, 6));
        }
    });
    correlation(out, if options.parameters.jitter == 0 { 0 } else { part });
    out.end_object();
}

fn slot(out: &mut Out<'_, '_>, slot: &NetemSlot) {
    let by_distribution = [
        ("distribution", " slot distribution ", slot.dist_delay),
        ("jitter", " ", slot.dist_jitter),
    ];
    let between = [("min-delay", " slot ", slot.min_delay), ("max-delay", " ", slot.max_delay)];
    out.begin_object("slot");
    for (key, label, time) in if slot.dist_jitter > 0 { by_distribution } else { between } {
        out.text(format_args!("{label}{}", Nanoseconds(u64::from_ne_bytes(time.to_ne_bytes()))));
        #[allow(clippy::cast_precision_loss)] // six digits are told
        out.json(|json| {
            json.key(key);
            json.number(General(time as f64 / 1_000_000_000.0, 6));
        });
    }
    optional(out, "packets", " packets ", slot.max_packets.into());
    optional(out, "bytes", " bytes ", slot.max_bytes.into());
    out.end_object();
}
