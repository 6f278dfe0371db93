//! Neighbours as `ip neighbour` prints them.

use nl_wire::prefix::Shown;

use super::link::LinkAddress;
use super::{Context, Hidden, Ink, Out, Word};
use crate::names::NameKind;
use crate::neighbour::Neighbour;
use crate::route::TICKS_PER_SECOND;
use crate::value::{NeighbourExtFlags, NeighbourFlags, NeighbourState};

/// The words of states in the order in which ip prints them.
pub(crate) const STATES: [(NeighbourState, &str); 8] = [
    (NeighbourState::INCOMPLETE, "INCOMPLETE"),
    (NeighbourState::REACHABLE, "REACHABLE"),
    (NeighbourState::STALE, "STALE"),
    (NeighbourState::DELAY, "DELAY"),
    (NeighbourState::PROBE, "PROBE"),
    (NeighbourState::FAILED, "FAILED"),
    (NeighbourState::NOARP, "NOARP"),
    (NeighbourState::PERMANENT, "PERMANENT"),
];

/// Appends one neighbour in one line of columns.
pub(crate) fn brief_neighbour(out: &mut Out<'_, '_>, neighbour: &Neighbour, context: &Context<'_>) {
    out.begin(context);
    if let Some(address) = neighbour.destination {
        column(out, "dst", 39, Ink::of(address), Shown(address), context);
    }
    if neighbour.index != 0 && context.shows(Hidden::OIF) {
        column(out, "dev", 16, Ink::Link, context.names.link(neighbour.index), context);
    }
    if let Some(address) = &neighbour.link_address {
        let address = LinkAddress(context.names.link_type(neighbour.index), address);
        out.colored(Ink::LinkAddress, context, |out| out.value("lladdr", "", address));
    }
    out.text("\n");
    out.end_object();
}

/// A word that is filled up to a width, with a blank behind it.
fn column(
    out: &mut Out<'_, '_>,
    key: &str,
    width: usize,
    ink: Ink,
    word: impl Word,
    context: &Context<'_>,
) {
    out.colored(ink, context, |out| {
        let start = out.length();
        out.value(key, "", word);
        out.pad(start, width);
    });
}

/// Appends one neighbour.
pub(crate) fn neighbour(out: &mut Out<'_, '_>, neighbour: &Neighbour, context: &Context<'_>) {
    out.begin(context);
    if let Some(address) = neighbour.destination {
        out.inked("dst", "", Ink::of(address), Shown(address), context);
    }
    if neighbour.index != 0 && context.shows(Hidden::OIF) {
        let name = context.names.link(neighbour.index);
        out.inked("dev", "dev ", Ink::Link, name, context);
    }
    if let Some(address) = &neighbour.link_address {
        let kind = context.names.link_type(neighbour.index);
        let address = LinkAddress(kind, address);
        out.inked("lladdr", "lladdr ", Ink::LinkAddress, address, context);
    }
    let flag = |flag| neighbour.flags.contains(flag);
    let managed = neighbour.ext_flags.unwrap_or_default().contains(NeighbourExtFlags::MANAGED);
    let words = [
        ("router", flag(NeighbourFlags::ROUTER)),
        ("proxy", flag(NeighbourFlags::PROXY)),
        ("managed", managed),
        ("extern_learn", flag(NeighbourFlags::EXT_LEARNED)),
        ("offload", flag(NeighbourFlags::OFFLOADED)),
    ];
    for (word, _) in words.iter().filter(|row| row.1) {
        out.null(word, format_args!("{word} "));
    }
    if context.statistics > 0 {
        statistics(out, neighbour);
    }
    if !neighbour.state.is_empty() {
        out.begin_array("state");
        for (_, word) in STATES.iter().filter(|row| neighbour.state.contains(row.0)) {
            out.entry(word);
        }
        out.end_array();
    }
    if let Some(protocol) = neighbour.protocol.filter(|protocol| protocol.0 != 0) {
        let name = context.names.name(NameKind::Protocol, protocol.0.into());
        out.string("protocol", "proto ", name);
    }
    out.text("\n");
    out.end_object();
}

fn statistics(out: &mut Out<'_, '_>, neighbour: &Neighbour) {
    if let Some(info) = &neighbour.cache_info {
        if info.references != 0 {
            out.number_with("refcnt", " ref ", info.references, "");
        }
        out.number_with("used", " used ", info.used / TICKS_PER_SECOND, "");
        out.number_with("confirmed", "/", info.confirmed / TICKS_PER_SECOND, "");
        out.number_with("updated", "/", info.updated / TICKS_PER_SECOND, "");
    }
    if let Some(probes) = neighbour.probes {
        out.number("probes", "probes ", probes);
    }
}
