//! The options of `taprio` as tc(8) prints them: several lines.

use super::options::{Alternate, clock, numbers};
use super::units::signed;
use super::{Context, Out};
use crate::traffic::options::{Taprio, TaprioEntry};

pub(super) fn taprio(out: &mut Out<'_, '_>, options: &Taprio, context: &Context<'_>) {
    let Some(queues) = &options.queues else { return };
    out.number("tc", "tc ", queues.num_tc);
    numbers(out, "map", "map", &queues.prio_tc_map);
    out.line(context);
    out.text("queues");
    out.begin_array("queues");
    let all = queues.offset.into_iter().zip(queues.count);
    for (offset, count) in all.take(queues.num_tc.into()) {
        out.begin_entry();
        out.number_with("offset", " offset ", offset, "");
        out.number_with("count", " count ", count, "");
        out.end_object();
    }
    out.end_array();
    out.line(context);
    out.value("clockid", "clockid ", clock(options.clockid.unwrap_or(-1)));
    if let Some(flags) = options.flags {
        out.value("flags", " flags ", format_args!("{}", Alternate(flags)));
    }
    if let Some(delay) = options.txtime_delay {
        out.text(format_args!(" txtime delay {}", signed(delay)));
        out.json(|json| json.field("txtime_delay", delay));
    }
    let Taprio { base_time, cycle_time, cycle_time_extension, .. } = *options;
    let times = [base_time, cycle_time, cycle_time_extension];
    schedule(out, times, options.entries.as_deref(), context);
    if let Some(next) = &options.next {
        let times = [next.base_time, next.cycle_time, next.cycle_time_extension];
        out.begin_object("admin");
        schedule(out, times, next.entries.as_deref(), context);
        out.end_object();
    }
}

fn schedule(
    out: &mut Out<'_, '_>,
    times: [Option<i64>; 3],
    entries: Option<&[TaprioEntry]>,
    context: &Context<'_>,
) {
    let keys = [
        ("base_time", "\tbase-time "),
        ("cycle_time", " cycle-time "),
        ("cycle_time_extension", " cycle-time-extension "),
    ];
    for ((key, label), time) in keys.into_iter().zip(times) {
        out.number_with(key, label, time.unwrap_or_default(), "");
    }
    let Some(entries) = entries else { return };
    out.begin_array("schedule");
    out.line(context);
    for entry in entries {
        let TaprioEntry { index, command, gates, interval, .. } = *entry;
        // tc has no words of the others.
        let command = if command.unwrap_or_default() == 0 { "S" } else { "Invalid" };
        out.begin_entry();
        out.number_with("index", "\tindex ", index.unwrap_or_default(), "");
        out.value("cmd", " cmd ", command);
        let gates = Alternate(gates.unwrap_or_default());
        out.value("gatemask", " gatemask ", format_args!("{gates}"));
        out.number_with("interval", " interval ", interval.unwrap_or_default(), "");
        out.end_object();
        out.line(context);
    }
    out.end_array();
}
