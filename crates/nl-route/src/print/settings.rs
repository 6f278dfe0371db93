//! Address labels, settings of interfaces, neighbour tables, and prefixes of routers as ip prints
//! them.

use core::fmt;

use nl_wire::prefix::Shown;
use nl_wire::value::AddressFamily;

use super::{Context, Ink, Out};
use crate::address_label::AddressLabel;
use crate::link::Link;
use crate::neighbour_table::{
    NeighbourParameters, NeighbourTable, NeighbourTableConfig, NeighbourTableStatistics,
};
use crate::netconf::Netconf;
use crate::nsid::Nsid;
use crate::router_prefix::RouterPrefix;

/// A family as ip calls it.
pub(super) fn family_name(family: AddressFamily) -> &'static str {
    match family {
        AddressFamily::INET => "inet",
        AddressFamily::INET6 => "inet6",
        AddressFamily::MPLS => "mpls",
        AddressFamily::PACKET => "link",
        AddressFamily::BRIDGE => "bridge",
        _ => "???",
    }
}

/// Appends one label.
pub(crate) fn address_label(out: &mut Out<'_, '_>, label: &AddressLabel, context: &Context<'_>) {
    out.begin(context);
    if let Some(prefix) = label.prefix {
        let ink = Ink::of(prefix.address);
        out.text("prefix ");
        out.colored(ink, context, |out| out.value("address", "", Shown(prefix.address)));
        out.number("prefixlen", "/", prefix.length);
    }
    if label.index != 0 {
        out.inked("ifname", "dev ", Ink::Link, context.names.link(label.index), context);
    }
    if let Some(label) = label.label {
        out.number("label", "label ", label);
    }
    out.text("\n");
    out.end_object();
}

/// Appends the settings of one interface.
pub(crate) fn netconf(out: &mut Out<'_, '_>, netconf: &Netconf, context: &Context<'_>) {
    out.begin(context);
    out.string("family", "", family_name(netconf.family));
    match netconf.index {
        None => {}
        Some(Netconf::ALL) => out.inked("interface", "", Ink::Link, "all", context),
        Some(Netconf::DEFAULT) => out.inked("interface", "", Ink::Link, "default", context),
        Some(index) => {
            let name = context.names.link(index.unsigned_abs());
            out.inked("interface", "", Ink::Link, name, context);
        }
    }
    switch(out, "forwarding", netconf.forwarding);
    if let Some(filter) = netconf.rp_filter {
        let words = ["off", "strict", "loose"];
        let word = usize::try_from(filter).ok().and_then(|index| words.get(index));
        out.string("rp_filter", "rp_filter ", word.unwrap_or(&"unknown mode"));
    }
    switch(out, "mc_forwarding", netconf.mc_forwarding);
    switch(out, "proxy_neigh", netconf.proxy_neigh);
    switch(out, "ignore_routes_with_linkdown", netconf.ignore_routes_with_linkdown);
    switch(out, "input", netconf.input);
    out.text("\n");
    out.end_object();
}

fn switch(out: &mut Out<'_, '_>, key: &str, value: Option<i32>) {
    if let Some(value) = value {
        out.text(format_args!("{key} "));
        out.either(key, value != 0, "on ", "off ");
    }
}

/// How far lines behind the first begin.
const INDENT: &str = "    ";

/// Appends a neighbour table, or its parameters for one interface.
pub(crate) fn neighbour_table(
    out: &mut Out<'_, '_>,
    table: &NeighbourTable,
    context: &Context<'_>,
) {
    out.begin(context);
    out.string("family", "", family_name(table.family));
    if let Some(name) = &table.name {
        out.string("name", "", name);
    }
    out.line(context);
    let limits = [
        ("thresh1", "thresh1 ", table.threshold1.map(u64::from)),
        ("thresh2", "thresh2 ", table.threshold2.map(u64::from)),
        ("thresh3", "thresh3 ", table.threshold3.map(u64::from)),
        ("gc_interval", "gc_int ", table.gc_interval),
    ];
    if limits.iter().any(|limit| limit.2.is_some()) {
        out.text(INDENT);
        numbers(out, &limits);
        out.line(context);
    }
    if let Some(config) = table.config.filter(|_| context.statistics > 0) {
        layout(out, &config, context);
    }
    if let Some(parameters) = &table.parameters {
        self::parameters(out, parameters, context);
    }
    if let Some(statistics) = table.statistics.as_ref().filter(|_| context.statistics > 0) {
        self::statistics(out, statistics, context);
    }
    out.text("\n");
    out.end_object();
}

/// Numbers, each with its key and what text puts before it.
fn numbers(out: &mut Out<'_, '_>, rows: &[(&str, &str, Option<u64>)]) {
    for (key, label, value) in rows {
        if let Some(value) = value {
            out.number(key, label, value);
        }
    }
}

fn layout(out: &mut Out<'_, '_>, config: &NeighbourTableConfig, context: &Context<'_>) {
    out.text(format_args!("{INDENT}config "));
    numbers(
        out,
        &[
            ("key_length", "key_len ", Some(config.key_length.into())),
            ("entry_size", "entry_size ", Some(config.entry_size.into())),
            ("entries", "entries ", Some(config.entries.into())),
        ],
    );
    out.line(context);
    if let Some(now) = context.now {
        out.text(format_args!("{INDENT}{INDENT}"));
        let ago = |milliseconds: u32| Date(now - i64::from(milliseconds / 1000));
        out.string("last_flush", "last_flush ", ago(config.last_flush));
        out.string("last_rand", "last_rand ", ago(config.last_rand));
        out.line(context);
    }
    out.text(format_args!("{INDENT}{INDENT}"));
    out.number("hash_rnd", "hash_rnd ", config.hash_rnd);
    out.text(format_args!("hash_mask {:08x} ", config.hash_mask));
    out.json(|json| {
        json.key("hash_mask");
        json.display(format_args!("{:#x}", config.hash_mask));
    });
    out.number("hash_chain_gc", "hash_chain_gc ", config.hash_chain_gc);
    out.number("proxy_qlen", "proxy_qlen ", config.proxy_queue_length);
    out.line(context);
}

fn parameters(out: &mut Out<'_, '_>, parameters: &NeighbourParameters, context: &Context<'_>) {
    if let Some(index) = parameters.index {
        out.text(INDENT);
        out.inked("dev", "dev ", Ink::Link, context.names.link(index), context);
        out.line(context);
    }
    let wide = |number: Option<u32>| number.map(u64::from);
    let lines: [&[(&str, &str, Option<u64>)]; 4] = [
        &[
            ("refcnt", "refcnt ", wide(parameters.references)),
            ("reachable", "reachable ", parameters.reachable_time),
            ("base_reachable", "base_reachable ", parameters.base_reachable_time),
            ("retrans", "retrans ", parameters.retrans_time),
        ],
        &[
            ("gc_stale", "gc_stale ", parameters.gc_stale_time),
            ("delay_probe", "delay_probe ", parameters.delay_probe_time),
            ("queue", "queue ", wide(parameters.queue_length)),
        ],
        &[
            ("app_probes", "app_probes ", wide(parameters.app_probes)),
            ("ucast_probes", "ucast_probes ", wide(parameters.ucast_probes)),
            ("mcast_probes", "mcast_probes ", wide(parameters.mcast_probes)),
        ],
        &[
            ("anycast_delay", "anycast_delay ", parameters.anycast_delay),
            ("proxy_delay", "proxy_delay ", parameters.proxy_delay),
            ("proxy_queue", "proxy_queue ", wide(parameters.proxy_queue_length)),
            ("locktime", "locktime ", parameters.lock_time),
        ],
    ];
    for line in lines {
        out.text(INDENT);
        numbers(out, line);
        out.line(context);
    }
}

fn statistics(out: &mut Out<'_, '_>, statistics: &NeighbourTableStatistics, context: &Context<'_>) {
    let s = statistics;
    let lines: [&[(&str, u64)]; 5] = [
        &[("allocs", s.allocations), ("destroys", s.destroys), ("hash_grows", s.hash_grows)],
        &[("res_failed", s.failed), ("lookups", s.lookups), ("hits", s.hits)],
        &[
            ("rcv_probes_mcast", s.received_probes_mcast),
            ("rcv_probes_ucast", s.received_probes_ucast),
        ],
        &[("periodic_gc_runs", s.periodic_gc_runs), ("forced_gc_runs", s.forced_gc_runs)],
        &[("table_fulls", s.table_fulls)],
    ];
    out.text(format_args!("{INDENT}stats "));
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            out.text(INDENT);
        }
        for (key, value) in *line {
            out.text(format_args!("{key} "));
            out.number(key, "", value);
        }
        out.line(context);
    }
}

/// A date and time of day as ip prints them, from local time in seconds since 1970.
///
/// ```
/// assert_eq!(nl_route::text::Date(1_795_233_661).to_string(), "2026-11-21 04:01:01");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Date(
    /// The seconds.
    pub i64,
);

words!(Date);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (day, second) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        // Years of 400 repeat themselves; counted from 1 March of year 0, leap days come last.
        let day = day + 719_468;
        let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let of_year = day - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let of_month = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + 400 * era + i64::from(month <= 2);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{of_month:02} {hour:02}:{minute:02}:{second:02}")
    }
}

/// Appends a prefix as `ip monitor` prints it; its JSON has the same words for keys.
pub(crate) fn router_prefix(out: &mut Out<'_, '_>, prefix: &RouterPrefix, context: &Context<'_>) {
    out.begin(context);
    out.text("prefix ");
    if let Some(address) = prefix.address {
        out.value("prefix", "", Shown(address.into()));
    }
    out.number_with("prefixlen", "/", prefix.length, "");
    out.string("dev", "dev ", context.names.link(prefix.index));
    for (flag, word) in [(RouterPrefix::ON_LINK, "onlink"), (RouterPrefix::AUTOCONF, "autoconf")] {
        if prefix.flags & flag != 0 {
            out.text(format_args!("{word} "));
            out.json(|json| json.field(word, true));
        }
    }
    if let Some([preferred, valid]) = prefix.lifetimes {
        out.number("valid", "valid ", valid);
        out.number("preferred", "preferred ", preferred);
    }
    out.text("\n");
    out.end_object();
}

/// Appends the token of a link, if IPv6 has one.
pub(crate) fn token(out: &mut Out<'_, '_>, link: &Link, context: &Context<'_>) {
    let Some(token) = link.token() else { return };
    out.begin_entry();
    out.text("token ");
    out.colored(Ink::Inet6, context, |out| out.value("token", "", Shown(token.into())));
    out.text(" dev ");
    out.colored(Ink::Link, context, |out| {
        out.value("ifname", "", context.names.link(link.index));
        out.text("\n");
    });
    out.end_object();
}

/// Appends the id of a namespace.
pub(crate) fn nsid(out: &mut Out<'_, '_>, nsid: &Nsid, context: &Context<'_>) {
    out.begin(context);
    if let Some(id) = nsid.id {
        out.number("nsid", "nsid ", id);
    }
    if let Some(current) = nsid.current {
        out.number("current-nsid", "current-nsid ", current);
    }
    if let Some(name) = nsid.current.or(nsid.id).and_then(|id| context.names.netns(id)) {
        // As `ip -j netns` has it: in JSON the name is the name, whatever it holds.
        out.json(|json| json.field("name", name));
        out.text(format_args!("(iproute2 netns name: {name})"));
    }
    out.text("\n");
    out.end_object();
}

#[cfg(test)]
mod tests {
    use super::Date;
    use alloc::string::ToString;

    #[test]
    fn dates() {
        let rows = [
            (0, "1970-01-01 00:00:00"),
            (-1, "1969-12-31 23:59:59"),
            (951_782_399, "2000-02-28 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (1_709_251_199, "2024-02-29 23:59:59"),
            (4_107_542_400, "2100-03-01 00:00:00"),
            (1_795_233_661, "2026-11-21 04:01:01"),
        ];
        for (seconds, text) in rows {
            assert_eq!(Date(seconds).to_string(), text);
        }
    }
}
