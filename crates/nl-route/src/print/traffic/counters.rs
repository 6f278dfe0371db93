//! What kinds count of their own, as tc(8) prints it.

use super::units::{General, Microseconds, Nanoseconds, Size};
use super::{Context, Out};
use crate::traffic::counters::{
    CodelCounters, Counters, FqCodelCounters, FqCodelFlow, FqCounters, PieCounters,
};

/// Numbers behind their names, each with a blank before it.
pub(super) fn numbers<N: Copy + core::fmt::Display>(out: &mut Out<'_, '_>, rows: &[(&str, N)]) {
    for (key, number) in rows {
        out.text(format_args!(" {key} "));
        out.number_with(key, "", number, "");
    }
}

/// The same of one that is not told where it is 0.
fn some(out: &mut Out<'_, '_>, key: &str, number: u64) {
    if number != 0 {
        numbers(out, &[(key, number)]);
    }
}

/// A time in microseconds.
fn time(out: &mut Out<'_, '_>, key: &str, time: u32) {
    out.text(format_args!(" {key} {}", Microseconds(time)));
    out.json(|json| json.field(key, time));
}

/// A time that may be over.
pub(super) fn until(out: &mut Out<'_, '_>, key: &str, time: i32) {
    let sign = if time < 0 { "-" } else { "" };
    out.text(format_args!(" {key} {sign}{}", Microseconds(time.unsigned_abs())));
    out.json(|json| json.field(key, time));
}

/// Appends the counters and the end of their line.
pub(super) fn counters(out: &mut Out<'_, '_>, counters: &Counters, context: &Context<'_>) {
    match counters {
        Counters::Htb(htb) => {
            out.number("lended", " lended: ", htb.lends);
            out.number("borrowed", "borrowed: ", htb.borrows);
            out.number_with("giants", "giants: ", htb.giants, "");
            out.line(context);
            out.number("tokens", " tokens: ", htb.tokens);
            out.number_with("ctokens", "ctokens: ", htb.ctokens, "");
            out.line(context);
        }
        Counters::Red(red) => {
            out.text(" ");
            for (key, number) in [
                ("marked", red.marked),
                ("early", red.early),
                ("pdrop", red.pdrop),
                ("other", red.other),
            ] {
                numbers(out, &[(key, number)]);
            }
            out.text(" ");
        }
        Counters::Sfq(sfq) => {
            out.text(" ");
            numbers(out, &[("allot", sfq.allot)]);
        }
        Counters::Hfsc(hfsc) => {
            out.number("period", " period ", hfsc.period);
            for (key, label, bytes) in
                [("work", "work ", hfsc.work), ("rtwork", "rtwork ", hfsc.rtwork)]
            {
                if bytes != 0 {
                    out.number_with(key, label, bytes, " bytes ");
                }
            }
            out.number("level", "level ", hfsc.level);
            out.line(context);
        }
        Counters::Drr(drr) => {
            out.text(format_args!(" deficit {} ", Size(drr.deficit.into())));
            out.json(|json| json.field("deficit", drr.deficit));
        }
        Counters::Codel(of) => codel(out, of, context),
        Counters::FqCodel(of) => fq_codel(out, of, context),
        Counters::FqCodelFlow(of) => flow(out, of),
        Counters::Cake(of) => super::cake::counters(out, of),
        Counters::Fq(of) => fq(out, of, context),
        Counters::Pie(of) => pie(out, of, context),
        Counters::FqPie(of) => {
            out.text(" ");
            numbers(
                out,
                &[
                    ("pkts_in", of.packets_in),
                    ("overlimit", of.overlimit),
                    ("overmemory", of.overmemory),
                    ("dropped", of.dropped),
                    ("ecn_mark", of.ecn_mark),
                ],
            );
            out.line(context);
            out.text(" ");
            numbers(
                out,
                &[
                    ("new_flow_count", of.new_flow_count),
                    ("new_flows_len", of.new_flows_len),
                    ("old_flows_len", of.old_flows_len),
                    ("memory_used", of.memory_usage),
                ],
            );
        }
    }
    out.line(context);
}

fn codel(out: &mut Out<'_, '_>, of: &CodelCounters, context: &Context<'_>) {
    out.text(" ");
    numbers(out, &[("count", of.count), ("lastcount", of.lastcount)]);
    time(out, "ldelay", of.ldelay);
    if of.dropping != 0 {
        out.either("dropping", true, " dropping", "");
    }
    until(out, "drop_next", of.drop_next);
    out.line(context);
    out.text(" ");
    numbers(
        out,
        &[
            ("maxpacket", of.maxpacket),
            ("ecn_mark", of.ecn_mark),
            ("drop_overlimit", of.drop_overlimit),
        ],
    );
    some(out, "ce_mark", of.ce_mark.into());
}

fn fq_codel(out: &mut Out<'_, '_>, of: &FqCodelCounters, context: &Context<'_>) {
    out.text(" ");
    numbers(
        out,
        &[
            ("maxpacket", of.maxpacket),
            ("drop_overlimit", of.drop_overlimit),
            ("new_flow_count", of.new_flow_count),
            ("ecn_mark", of.ecn_mark),
        ],
    );
    some(out, "ce_mark", of.ce_mark.into());
    some(out, "memory_used", of.memory_usage.into());
    some(out, "drop_overmemory", of.drop_overmemory.into());
    out.line(context);
    out.text(" ");
    numbers(out, &[("new_flows_len", of.new_flows_len), ("old_flows_len", of.old_flows_len)]);
}

fn flow(out: &mut Out<'_, '_>, of: &FqCodelFlow) {
    out.text(" ");
    numbers(out, &[("deficit", of.deficit)]);
    numbers(out, &[("count", of.count), ("lastcount", of.lastcount)]);
    time(out, "ldelay", of.ldelay);
    if of.dropping != 0 {
        out.either("dropping", true, " dropping", "");
        until(out, "drop_next", of.drop_next);
    }
}

fn fq(out: &mut Out<'_, '_>, of: &FqCounters, context: &Context<'_>) {
    out.number_with("flows", "  flows ", of.flows, "");
    out.number_with("inactive", " (inactive ", of.inactive_flows, "");
    // tc gives this key twice.
    out.number_with("throttled_flows", " throttled ", of.throttled_flows, ")");
    if let Ok(due @ 1..) = u64::try_from(of.time_next_delayed_flow) {
        out.text(format_args!(" next_packet_delay {}", Nanoseconds(due)));
        out.json(|json| json.field("next_packet_delay", due));
    }
    out.line(context);
    out.text(" ");
    numbers(out, &[("gc", of.gc_flows), ("highprio", of.highprio_packets)]);
    some(out, "retrans", of.tcp_retrans);
    numbers(out, &[("throttled", of.throttled)]);
    if of.unthrottle_latency_ns != 0 {
        let late = of.unthrottle_latency_ns;
        out.text(format_args!(" latency {}", Nanoseconds(late.into())));
        out.json(|json| json.field("latency", late));
    }
    some(out, "ce_mark", of.ce_mark);
    some(out, "flows_plimit", of.flows_plimit);
    let last = [
        ("pkts_too_long", of.pkts_too_long),
        ("alloc_errors", of.allocation_errors),
        ("horizon_drops", of.horizon_drops),
        ("horizon_caps", of.horizon_caps),
    ];
    if last.iter().any(|(_, number)| *number != 0) {
        out.line(context);
    }
    for (key, number) in last {
        if number != 0 && key == "horizon_caps" {
            out.text(" ");
        }
        some(out, key, number);
    }
}

#[allow(clippy::cast_precision_loss)] // six digits are told
fn pie(out: &mut Out<'_, '_>, of: &PieCounters, context: &Context<'_>) {
    let probability = of.prob as f64 / u64::MAX as f64;
    out.number_with("prob", "  prob ", General(probability, 6), "");
    time(out, "delay", of.delay);
    if of.dq_rate_estimating != 0 {
        numbers(out, &[("avg_dq_rate", of.avg_dq_rate)]);
    }
    out.line(context);
    out.text(" ");
    numbers(
        out,
        &[
            ("pkts_in", of.packets_in),
            ("overlimit", of.overlimit),
            ("dropped", of.dropped),
            ("maxq", of.maxq),
            ("ecn_mark", of.ecn_mark),
        ],
    );
}
