//! Forwarding entries, VLANs and multicast groups as bridge(8) prints them.

use core::fmt;

use nl_wire::json::ToJson;
use nl_wire::text::Colons;

use super::link::LinkAddress;
use super::{Context, Hidden, Ink, Out};
use crate::bridge::{BridgeGroups, GroupAddress, GroupEntry, PortVlans, RouterPort, VlanFlags};
use crate::names::NameKind;
use crate::neighbour::Neighbour;
use crate::route::TICKS_PER_SECOND;
use crate::value::{NeighbourFlags, NeighbourState};

/// Appends a forwarding entry.
pub(crate) fn forwarding(out: &mut Out<'_, '_>, entry: &Neighbour, context: &Context<'_>) {
    out.begin(context);
    if let Some(address) = &entry.link_address {
        let address = LinkAddress(context.names.link_type(entry.index), address);
        out.inked("mac", "", Ink::LinkAddress, address, context);
    }
    if entry.index != 0 && context.shows(Hidden::OIF) {
        out.inked("ifname", "dev ", Ink::Link, context.names.link(entry.index), context);
    }
    if let Some(address) = entry.destination {
        out.inked("dst", "dst ", Ink::of(address), format_args!("{address}"), context);
    }
    for (key, label, number) in [
        ("vlan", "vlan ", entry.vlan.filter(|vlan| *vlan != 0).map(u32::from)),
        ("port", "port ", entry.port.map(u32::from)),
        ("vni", "vni ", entry.vni),
        ("src_vni", "src_vni ", entry.source_vni),
    ] {
        if let Some(number) = number {
            out.number(key, label, number);
        }
    }
    if let Some(via) = entry.via.filter(|via| *via != 0) {
        match entry.link_netnsid {
            None => out.string("viaIf", "via ", context.names.link(via)),
            Some(_) => out.number("viaIfIndex", "via ifindex ", via),
        }
    }
    if let Some(id) = entry.nexthop_id {
        out.number("nhid", "nhid ", id);
    }
    if let Some(id) = entry.link_netnsid {
        out.number("linkNetNsId", "link-netnsid ", id);
    }
    if let (Some(info), 1..) = (entry.cache_info, context.statistics) {
        out.number_with("used", "used ", info.used / TICKS_PER_SECOND, "/");
        out.number("updated", "", info.updated / TICKS_PER_SECOND);
    }
    out.begin_array("flags");
    for (flag, word) in [
        (NeighbourFlags::SELF, "self"),
        (NeighbourFlags::ROUTER, "router"),
        (NeighbourFlags::EXT_LEARNED, "extern_learn"),
        (NeighbourFlags::OFFLOADED, "offload"),
        (NeighbourFlags::MASTER, "master"),
        (NeighbourFlags::STICKY, "sticky"),
    ] {
        if entry.flags.contains(flag) {
            out.entry(word);
        }
    }
    out.end_array();
    if let Some(master) = entry.master {
        out.string("master", "master ", context.names.link(master));
    }
    state(out, entry.state);
    out.text("\n");
    out.end_object();
}

fn state(out: &mut Out<'_, '_>, state: NeighbourState) {
    let word = [
        (NeighbourState::PERMANENT, "permanent"),
        (NeighbourState::NOARP, "static"),
        (NeighbourState::STALE, "stale"),
        (NeighbourState::REACHABLE, ""),
    ]
    .into_iter()
    .find(|(bit, _)| state.contains(*bit));
    match (word, state.0) {
        (Some((_, word)), _) => out.value("state", "", word),
        (None, 0) => out.value("state", "state=", "0"),
        (None, other) => out.value("state", "state=", format_args!("{other:#x}")),
    }
}

/// Appends the VLANs of a port, a line each; the port stands in the first.
pub(crate) fn vlans(out: &mut Out<'_, '_>, port: &PortVlans, context: &Context<'_>) {
    out.begin_entry();
    let name = context.names.link(port.index);
    out.colored(Ink::Link, context, |out| {
        let name = alloc::format!("{name}");
        out.text(format_args!("{name:<16}  "));
    });
    out.json(|json| json.field("ifname", name));
    out.begin_array("vlans");
    for (nth, range) in port.vlans.iter().enumerate() {
        if nth != 0 {
            out.text(format_args!("{:<16}  ", ""));
        }
        out.begin_entry();
        out.number_with("vlan", "", range.first, "");
        let several = range.last != range.first;
        if several {
            out.number_with("vlanEnd", "-", range.last, "");
        }
        let words = [(VlanFlags::PVID, "PVID"), (VlanFlags::UNTAGGED, "Egress Untagged")];
        let words = words.into_iter().filter(|(flag, _)| range.flags.contains(*flag));
        if several || words.clone().next().is_some() {
            out.begin_array("flags");
            for (_, word) in words {
                out.text(format_args!(" {word}"));
                out.json(|json| json.value(word));
            }
            out.end_array();
        }
        out.end_object();
        out.line(context);
    }
    out.end_array();
    out.end_object();
}

/// Hundredths of a second.
struct Timer(u32);

impl fmt::Display for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:4}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// A string: in text behind a blank, and with no blank behind it.
fn word(out: &mut Out<'_, '_>, key: &str, label: &str, value: impl fmt::Display + ToJson) {
    out.text(format_args!(" {label}"));
    out.value(key, "", value);
}

/// Appends the groups of a bridge, and with details the ports that have routers.
pub(crate) fn groups(out: &mut Out<'_, '_>, groups: &BridgeGroups, context: &Context<'_>) {
    for one in &groups.entries {
        group(out, groups.index, one, context);
    }
    if !context.details || groups.routers.is_empty() {
        return;
    }
    let bridge = context.names.link(groups.index);
    if context.statistics == 0 {
        out.text(format_args!("router ports on {bridge}: "));
    }
    for router in &groups.routers {
        if context.statistics == 0 {
            out.text(format_args!("{} ", context.names.link(router.port)));
            continue;
        }
        out.text(format_args!("router ports on {bridge}: {}", context.names.link(router.port)));
        router_state(out, router);
        out.line(context);
    }
    if context.statistics == 0 {
        out.line(context);
    }
}

fn router_state(out: &mut Out<'_, '_>, router: &RouterPort) {
    if let Some(timer) = router.timer {
        word(out, "timer", "", format_args!("{}", Timer(timer)));
    }
    if let Some(kind) = router.kind {
        word(out, "type", "", if matches!(kind, 1 | 3) { "temp" } else { "permanent" });
    }
}

/// A group that a port has joined.
pub(crate) fn group(out: &mut Out<'_, '_>, bridge: u32, entry: &GroupEntry, context: &Context<'_>) {
    out.begin(context);
    out.json(|json| json.field("index", bridge));
    out.colored(Ink::Link, context, |out| {
        out.value("dev", "dev ", context.names.link(bridge));
    });
    word(out, "port", "port ", context.names.link(entry.port));
    match entry.group {
        GroupAddress::Ip(address) => out.colored(Ink::of(address), context, |out| {
            word(out, "grp", "grp ", format_args!("{address}"));
        }),
        GroupAddress::Link(address) => word(out, "grp", "grp ", Colons(&address)),
    }
    if let Some(source) = entry.source {
        out.colored(Ink::of(source), context, |out| {
            word(out, "src", "src ", format_args!("{source}"));
        });
    }
    word(out, "state", "", if entry.permanent { "permanent" } else { "temp" });
    if context.details {
        details(out, entry, context);
    }
    out.begin_array("flags");
    for (bit, flag) in ["offload", "fast_leave", "added_by_star_ex", "blocked"].iter().enumerate() {
        if entry.flags >> bit & 1 != 0 {
            out.text(format_args!(" {flag}"));
            out.json(|json| json.value(*flag));
        }
    }
    out.end_array();
    if entry.vlan != 0 {
        out.number_with("vid", " vid ", entry.vlan, "");
    }
    if let (Some(timer), 1..) = (entry.timer, context.statistics) {
        word(out, "timer", "", format_args!("{}", Timer(timer)));
    }
    out.line(context);
    out.end_object();
}

fn details(out: &mut Out<'_, '_>, entry: &GroupEntry, context: &Context<'_>) {
    if let Some(mode) = entry.mode {
        let mode = if mode == 1 { "include" } else { "exclude" };
        word(out, "filter_mode", "filter_mode ", mode);
    }
    if let Some(sources) = &entry.sources {
        out.text(" source_list");
        out.begin_array("source_list");
        for (nth, source) in sources.iter().enumerate() {
            out.begin_entry();
            let address = source.address;
            out.text(if nth == 0 { " " } else { "," });
            out.colored(Ink::of(address), context, |out| {
                out.value("address", "", format_args!("{address}"));
            });
            out.text("/");
            let (seconds, rest) = (source.timer / 100, source.timer % 100);
            out.value("timer", "", format_args!("{seconds}.{rest:02}"));
            out.end_object();
        }
        out.end_array();
    }
    if let Some(protocol) = entry.protocol {
        let name = context.names.name(NameKind::Protocol, protocol.0.into());
        out.text(" ");
        out.string("protocol", "proto ", name);
    }
}

/// Writes all groups of some bridges and all their routers: what the array of `bridge -j mdb` holds.
pub(crate) fn all_groups(out: &mut Out<'_, '_>, all: &[BridgeGroups], context: &Context<'_>) {
    out.begin_entry();
    out.begin_array("mdb");
    for groups in all {
        for one in &groups.entries {
            group(out, groups.index, one, context);
        }
    }
    out.end_array();
    out.begin_object("router");
    if context.details {
        for groups in all.iter().filter(|groups| !groups.routers.is_empty()) {
            out.begin_array(&alloc::format!("{}", context.names.link(groups.index)));
            for router in &groups.routers {
                out.begin_entry();
                out.json(|json| json.field("port", context.names.link(router.port)));
                if context.statistics > 0 {
                    router_state(out, router);
                }
                out.end_object();
            }
            out.end_array();
        }
    }
    out.end_object();
    out.end_object();
}
