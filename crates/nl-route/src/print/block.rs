//! Links with their addresses as `ip address` prints them, and both in brief.

use nl_wire::prefix::Shown;

use super::link::{LinkAddress, altnames, flags, head, link_name, rest, state_ink, statistics};
use super::{Context, Hidden, Ink, Out, address};
use crate::address::Address;
use crate::link::Link;

/// How a link is printed with its addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Layout {
    /// Everything.
    #[default]
    Full,
    /// Addresses of one family: of the link only its first line, unless details are asked for.
    OneFamily,
    /// `ip -br`: one line for all.
    Brief,
}

/// Name and state, in columns.
fn columns(out: &mut Out<'_, '_>, link: &Link, context: &Context<'_>) {
    out.colored(Ink::Link, context, |out| {
        let start = out.length();
        link_name(out, link, context);
        out.pad(start, 16);
    });
    if let Some(state) = link.operstate {
        if let Some(word) = state.word() {
            out.colored(state_ink(state), context, |out| out.text(format_args!("{word:<14} ")));
            out.json(|json| json.field("operstate", word));
        } else {
            out.text(format_args!("{:<#14x} ", state.0));
            out.json(|json| json.field("operstate_index", state.0));
        }
    }
}

/// Appends a link in one line.
pub(crate) fn brief_link(out: &mut Out<'_, '_>, link: &Link, context: &Context<'_>) {
    out.begin(context);
    columns(out, link, context);
    if let Some(bytes) = &link.address {
        if !bytes.is_empty() {
            let address = LinkAddress(link.link_type, bytes);
            out.inked("address", "", Ink::LinkAddress, address, context);
        }
    }
    let lower = link.link.filter(|lower| *lower != 0 && link.link_netnsid.is_none());
    let lower_down = lower.is_some_and(|lower| context.names.is_down(lower));
    flags(out, link.flags, lower_down);
    out.text("\n");
    out.end_object();
}

/// Appends a link and its addresses.
pub(crate) fn link_with_addresses(
    out: &mut Out<'_, '_>,
    link: &Link,
    addresses: &[Address],
    layout: Layout,
    context: &Context<'_>,
) {
    out.begin(context);
    let oneline = context.oneline && layout != Layout::Brief;
    if oneline || !context.shows(Hidden::LINK) {
        addresses_alone(out, addresses, layout, context);
        return out.end_object();
    }
    if layout == Layout::Brief {
        columns(out, link, context);
    } else {
        // What is of the link alone is left to `ip link`.
        let mut shown = link.clone();
        (shown.link_mode, shown.af_spec, shown.stats) = (None, None, None);
        if !context.details {
            shown.alias = None;
        }
        let context = &Context { hidden: context.hidden | Hidden::PROGRAMS, ..*context };
        head(out, &shown, context);
        if layout == Layout::Full || context.details {
            rest(out, &shown, context);
        } else {
            altnames(out, &shown, context);
        }
    }
    out.begin_array("addr_info");
    for one in addresses {
        out.begin_entry();
        if layout == Layout::Brief {
            brief_address(out, one, context);
        } else {
            out.line(context);
            address::fields(out, one, context);
        }
        out.end_object();
    }
    out.end_array();
    if let (Some(stats), 1.., true) = (&link.stats, context.statistics, layout != Layout::Brief) {
        statistics(out, stats, link, context);
    }
    out.text("\n");
    out.end_object();
}

/// Addresses whose link is not told, or only by its name: so many of them, so many lines.
fn addresses_alone(
    out: &mut Out<'_, '_>,
    addresses: &[Address],
    layout: Layout,
    context: &Context<'_>,
) {
    out.begin_array("addr_info");
    for one in addresses {
        if layout != Layout::Brief && context.oneline {
            address::address(out, one, context);
            continue;
        }
        out.begin_entry();
        if layout == Layout::Brief {
            brief_address(out, one, context);
        } else {
            address::fields(out, one, context);
            out.text("\n");
        }
        out.end_object();
    }
    out.end_array();
    out.text(if layout == Layout::Brief { "\n" } else { "" });
}

fn brief_address(out: &mut Out<'_, '_>, address: &Address, context: &Context<'_>) {
    let Some(own) = address.own() else { return };
    out.colored(Ink::of(own), context, |out| out.text(Shown(own)));
    out.json(|json| json.field("local", own));
    if let Some(peer) = address.address.filter(|peer| *peer != own) {
        out.text(" peer ");
        out.colored(Ink::of(peer), context, |out| out.text(Shown(peer)));
        out.json(|json| json.field("address", peer));
    }
    out.number("prefixlen", "/", address.prefix_length);
    if let Some(metric) = address.rt_priority {
        out.number("metric", "metric ", metric);
    }
}
