//! Addresses as `ip address` and `ip monitor` print them.

use nl_wire::prefix::Shown;
use nl_wire::value::AddressFamily;

use super::{Context, Ink, Out};
use crate::address::{Address, AddressCacheInfo};
use crate::names::NameKind;
use crate::value::AddressFlags;

/// The words of flags in the order in which ip prints them.
const FLAGS: [(AddressFlags, &str); 11] = [
    (AddressFlags::SECONDARY, "secondary"),
    (AddressFlags::NODAD, "nodad"),
    (AddressFlags::OPTIMISTIC, "optimistic"),
    (AddressFlags::DADFAILED, "dadfailed"),
    (AddressFlags::HOMEADDRESS, "home"),
    (AddressFlags::DEPRECATED, "deprecated"),
    (AddressFlags::TENTATIVE, "tentative"),
    (AddressFlags::MANAGETEMPADDR, "mngtmpaddr"),
    (AddressFlags::NOPREFIXROUTE, "noprefixroute"),
    (AddressFlags::MCAUTOJOIN, "autojoin"),
    (AddressFlags::STABLE_PRIVACY, "stable-privacy"),
];

/// Appends one address with its link, as `ip monitor` and `ip -o address` print it.
pub(crate) fn address(out: &mut Out<'_, '_>, address: &Address, context: &Context<'_>) {
    out.begin(context);
    let link = context.names.link(address.index);
    out.text(format_args!("{}: {link}", address.index));
    out.json(|json| {
        json.field("index", address.index);
        json.field("dev", &link);
    });
    fields(out, address, context);
    out.text("\n");
    out.end_object();
}

/// Appends one address of those that were saved, as `ip address showdump` prints it.
pub(crate) fn saved_address(out: &mut Out<'_, '_>, address: &Address, context: &Context<'_>) {
    out.begin_entry();
    out.text(format_args!("if{}:", address.index));
    out.json(|json| json.field("index", address.index));
    out.line(context);
    fields(out, address, context);
    out.text("\n");
    out.end_object();
}

/// All of it but what is around: of a list below a link that is enough.
pub(super) fn fields(out: &mut Out<'_, '_>, address: &Address, context: &Context<'_>) {
    match address.family {
        AddressFamily::INET => out.string("family", "    ", "inet"),
        AddressFamily::INET6 => out.string("family", "    ", "inet6"),
        AddressFamily(other) => {
            out.text(format_args!("    family {other} "));
            out.json(|json| json.field("family_index", other));
        }
    }
    if let Some(own) = address.own() {
        out.json(|json| json.field("local", own));
        out.colored(Ink::of(own), context, |out| out.text(Shown(own)));
        if let Some(peer) = address.address.filter(|peer| *peer != own) {
            out.text(" peer ");
            out.colored(Ink::of(peer), context, |out| out.text(Shown(peer)));
            out.json(|json| json.field("address", peer));
        }
        out.number_with("prefixlen", "/", address.prefix_length, " ");
        if let Some(metric) = address.rt_priority {
            out.number("metric", "metric ", metric);
        }
    }
    if let Some(broadcast) = address.broadcast {
        out.inked("broadcast", "brd ", Ink::of(broadcast), Shown(broadcast), context);
    }
    if let Some(anycast) = address.anycast {
        out.inked("anycast", "any ", Ink::of(anycast), Shown(anycast), context);
    }
    let scope = context.names.name(NameKind::Scope, address.scope.0.into());
    out.string("scope", "scope ", scope);
    flags(out, address);
    if let Some(label) = &address.label {
        out.text(label);
        out.json(|json| json.field("label", label));
    }
    if let Some(info) = &address.cache_info {
        out.line(context);
        out.text("       ");
        lifetime(out, "valid_life_time", "valid_lft ", info.valid, " ");
        lifetime(out, "preferred_life_time", "preferred_lft ", info.preferred, "");
    }
}

fn flags(out: &mut Out<'_, '_>, address: &Address) {
    let permanent = address.flags.contains(AddressFlags::PERMANENT);
    let mut rest = address.flags.without(AddressFlags::PERMANENT);
    for (flag, word) in FLAGS {
        // ip tells of this where the bit for permanence has its place.
        if flag == AddressFlags::MANAGETEMPADDR && !permanent {
            out.either("dynamic", true, "dynamic ", "");
        }
        if rest.contains(flag) {
            rest = rest.without(flag);
            let ipv6 = address.family == AddressFamily::INET6;
            let word = if flag == AddressFlags::SECONDARY && ipv6 { "temporary" } else { word };
            out.text(format_args!("{word} "));
            out.json(|json| json.field(word, true));
        }
    }
    if !rest.is_empty() {
        out.text(format_args!("flags {:02x} ", rest.0));
        out.json(|json| json.field("ifa_flags", format_args!("{:02x}", rest.0)));
    }
}

fn lifetime(out: &mut Out<'_, '_>, key: &str, label: &str, seconds: u32, end: &str) {
    out.json(|json| json.field(key, seconds));
    if seconds == AddressCacheInfo::FOREVER {
        out.text(format_args!("{label}forever{end}"));
    } else {
        out.text(format_args!("{label}{seconds}sec{end}"));
    }
}
