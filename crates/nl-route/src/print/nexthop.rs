//! Nexthop objects as `ip nexthop` prints them.

use core::fmt;

use nl_wire::prefix::Shown;

use super::encap::encap;
use super::route::flags;
use super::{Context, Ink, Out};
use crate::names::NameKind;
use crate::nexthop::{Nexthop, NexthopBucket, Resilience};
use crate::value::{GroupType, RouteProtocol, Scope};

/// Appends one nexthop object or group.
pub(crate) fn nexthop(out: &mut Out<'_, '_>, nexthop: &Nexthop, context: &Context<'_>) {
    out.begin(context);
    fields(out, nexthop, context);
    out.text("\n");
    out.end_object();
}

/// Appends, with details, the nexthop object that a route uses, if it is known.
pub(super) fn info(out: &mut Out<'_, '_>, id: Option<u32>, context: &Context<'_>) {
    let nexthop = id.filter(|_| context.details).and_then(|id| context.names.nexthop(id));
    if let Some(nexthop) = nexthop {
        out.text("\n\tnh_info ");
        out.begin_object("nh_info");
        fields(out, nexthop, context);
        out.end_object();
    }
}

fn fields(out: &mut Out<'_, '_>, nexthop: &Nexthop, context: &Context<'_>) {
    let names = context.names;
    if let Some(id) = nexthop.id {
        out.number("id", "id ", id);
    }
    if nexthop.is_group() {
        group(out, nexthop);
    }
    match nexthop.group_type {
        None | Some(GroupType::MPATH) => {}
        Some(GroupType::RES) => out.string("type", "type ", "resilient"),
        Some(_) => out.string("type", "type ", "<unknown type>"),
    }
    if let Some(resilience) = &nexthop.resilience {
        resilient(out, resilience);
    }
    if let Some(info) = &nexthop.encap {
        encap(out, info, context);
    }
    if let Some(gateway) = nexthop.gateway {
        out.inked("gateway", "via ", Ink::of(gateway), Shown(gateway), context);
    }
    if let Some(oif) = nexthop.oif {
        out.inked("dev", "dev ", Ink::Link, names.link(oif), context);
    }
    if nexthop.scope != Scope::UNIVERSE || context.details {
        out.string("scope", "scope ", names.name(NameKind::Scope, nexthop.scope.0.into()));
    }
    if nexthop.blackhole {
        out.null("blackhole", "blackhole ");
    }
    if nexthop.protocol != RouteProtocol::UNSPEC || context.details {
        out.string("protocol", "proto ", names.name(NameKind::Protocol, nexthop.protocol.0.into()));
    }
    flags(out, nexthop.flags);
    if nexthop.fdb {
        out.null("fdb", "fdb");
    }
    if context.statistics > 0 {
        statistics(out, nexthop, context);
    }
}

fn group(out: &mut Out<'_, '_>, nexthop: &Nexthop) {
    out.text("group ");
    out.begin_array("group");
    let mut separator = "";
    for member in &nexthop.group {
        out.begin_entry();
        out.text(separator);
        out.number_with("id", "", member.id, "");
        if member.weight != 1 {
            out.number_with("weight", ",", member.weight, "");
        }
        out.end_object();
        separator = "/";
    }
    out.text(" ");
    out.end_array();
}

fn resilient(out: &mut Out<'_, '_>, resilience: &Resilience) {
    out.begin_object("resilient_args");
    if let Some(buckets) = resilience.buckets {
        out.number("buckets", "buckets ", buckets);
    }
    let times = [
        ("idle_timer", "idle_timer ", resilience.idle_timer.map(u64::from)),
        ("unbalanced_timer", "unbalanced_timer ", resilience.unbalanced_timer.map(u64::from)),
        ("unbalanced_time", "unbalanced_time ", resilience.unbalanced_time),
    ];
    for (key, label, ticks) in times {
        if let Some(ticks) = ticks {
            out.number(key, label, Seconds(ticks));
        }
    }
    out.end_object();
}

fn statistics(out: &mut Out<'_, '_>, nexthop: &Nexthop, context: &Context<'_>) {
    if let (Some(enabled), Some(used)) = (nexthop.hw_stats, nexthop.hw_stats_used) {
        out.begin_object("hw_stats");
        let words = |on: u32| if on != 0 { "on" } else { "off" };
        out.text(format_args!("hw_stats {} used {} ", words(enabled), words(used)));
        out.json(|json| {
            json.field("enabled", enabled != 0);
            json.field("used", used != 0);
        });
        out.end_object();
    }
    if nexthop.statistics.is_empty() {
        return;
    }
    out.line(context);
    out.text("  stats:");
    out.begin_array("group_stats");
    for member in &nexthop.statistics {
        out.line(context);
        out.begin_entry();
        out.number_with("id", "    id ", member.id.unwrap_or(0), "");
        out.number_with("packets", " packets ", member.packets.unwrap_or(0), "");
        if let Some(packets) = member.packets_hw {
            out.number_with("packets_hw", " packets_hw ", packets, "");
        }
        out.end_object();
    }
    out.end_array();
}

/// Appends one bucket of a resilient group.
pub(crate) fn bucket(out: &mut Out<'_, '_>, bucket: &NexthopBucket, context: &Context<'_>) {
    out.begin(context);
    if let Some(id) = bucket.id {
        out.number("id", "id ", id);
    }
    out.begin_object("bucket");
    if let Some(index) = bucket.index {
        out.number("index", "index ", index);
    }
    if let Some(ticks) = bucket.idle_time {
        out.number("idle_time", "idle_time ", Seconds(ticks));
    }
    if let Some(id) = bucket.nexthop_id {
        out.number("nhid", "nhid ", id);
    }
    out.end_object();
    flags(out, bucket.flags);
    out.text("\n");
    out.end_object();
}

/// Hundredths of a second as seconds, as C's `%g` prints them: at most six digits.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.checked_ilog10().map_or(1, |digits| digits + 1);
        let mut dropped = digits.saturating_sub(6);
        let scale = 10_u64.pow(dropped);
        let mut kept = self.0 / scale + u64::from(self.0 % scale * 2 >= scale && scale > 1);
        if kept == 1_000_000 {
            (kept, dropped) = (100_000, dropped + 1);
        }
        // What is kept counts 10^(dropped - 2) seconds.
        let exponent = dropped + 3;
        let mut decimals = if dropped > 2 { 5 } else { 2 - dropped };
        while decimals > 0 && kept % 10 == 0 {
            (kept, decimals) = (kept / 10, decimals - 1);
        }
        let unit = 10_u64.pow(decimals);
        write!(f, "{}", kept / unit)?;
        if decimals > 0 {
            write!(f, ".{:0width$}", kept % unit, width = decimals as usize)?;
        }
        if dropped > 2 { write!(f, "e+{exponent:02}") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn seconds() {
        let cases = [
            (0, "0"),
            (1, "0.01"),
            (42, "0.42"),
            (50, "0.5"),
            (100, "1"),
            (6000, "60"),
            (123_456, "1234.56"),
            (1_234_567, "12345.7"),
            (12_345_678, "123457"),
            (99_999_949, "999999"),
            (99_999_950, "1e+06"),
            (123_456_789, "1.23457e+06"),
            (u64::MAX, "1.84467e+17"),
        ];
        for (ticks, text) in cases {
            assert_eq!(Seconds(ticks).to_string(), text);
        }
    }
}
