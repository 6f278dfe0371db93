//! Rules as `ip rule` prints them.

use core::fmt;
use core::ops::RangeInclusive;

use nl_wire::prefix::Shown;
use nl_wire::text::Escaped;

use super::route::TYPES;
use super::{Context, Ink, Out};
use crate::names::NameKind;
use crate::prefix::Prefix;
use crate::rule::Rule;
use crate::value::{RouteProtocol, RuleAction, RuleFlags, TableId};

/// The action that only printing knows: translated addresses, long gone.
const NAT: RuleAction = RuleAction(10);

/// Appends one rule.
pub(crate) fn rule(out: &mut Out<'_, '_>, rule: &Rule, context: &Context<'_>) {
    let names = context.names;
    out.begin(context);
    out.number_with("priority", "", rule.priority.unwrap_or(0), ":\t");
    if rule.is_inverted() {
        out.null("not", "not ");
    }
    if rule.source.is_none() {
        out.value("src", "from ", "all");
    }
    prefix(out, ["src", "srclen"], "from ", rule.source, context);
    prefix(out, ["dst", "dstlen"], " to ", rule.destination, context);
    if rule.tos != 0 {
        out.value("tos", " tos ", names.name(NameKind::Tos, rule.tos.into()));
    }
    match (rule.dscp, rule.dscp_mask.filter(|mask| *mask != 0x3f)) {
        (Some(dscp), Some(mask)) => {
            out.value("dscp", " dscp ", CHex(dscp.into()));
            out.value("dscp_mask", "/", CHex(mask.into()));
        }
        (Some(dscp), None) => match names.known(NameKind::Tos, u32::from(dscp) << 2) {
            Some(name) => out.value("dscp", " dscp ", Escaped(name.as_bytes())),
            None => out.value("dscp", " dscp ", format_args!("{dscp}")),
        },
        _ => {}
    }
    if rule.fwmark.is_some() || rule.fwmask.is_some() {
        out.value("fwmark", " fwmark ", CHex(rule.fwmark.unwrap_or(0)));
        if let Some(mask) = rule.fwmask.filter(|mask| *mask != u32::MAX) {
            out.value("fwmask", "/", CHex(mask));
        }
    }
    let links = [
        ("iif", " iif ", &rule.iif, "iif_detached", RuleFlags::IIF_DETACHED),
        ("oif", " oif ", &rule.oif, "oif_detached", RuleFlags::OIF_DETACHED),
    ];
    for (key, label, name, detached, flag) in links {
        let Some(name) = name else { continue };
        out.text(label);
        out.colored(Ink::Link, context, |out| out.value(key, "", name));
        if rule.flags.contains(flag) {
            out.null(detached, " [detached]");
        }
    }
    if rule.l3mdev {
        out.null("l3mdev", " lookup [l3mdev-table]");
    }
    if let Some(range) = &rule.uid_range {
        out.number_with("uid_start", " uidrange ", range.start(), "");
        out.number_with("uid_end", "-", range.end(), "");
    }
    if let Some(protocol) = rule.ip_proto {
        out.value("ipproto", " ipproto ", names.name(NameKind::IpProtocol, protocol.into()));
    }
    let keys = ["sport", "sport_start", "sport_end", "sport_mask"];
    ports(out, keys, rule.source_ports.as_ref(), rule.source_port_mask);
    let keys = ["dport", "dport_start", "dport_end", "dport_mask"];
    ports(out, keys, rule.destination_ports.as_ref(), rule.destination_port_mask);
    if let Some(id) = rule.tun_id {
        out.number_with("tun_id", " tun_id ", id, "");
    }
    if let Some(label) = rule.flow_label {
        out.value("flowlabel", " flowlabel ", CHex(label));
        if let Some(mask) = rule.flow_label_mask.filter(|mask| *mask != 0xf_ffff) {
            out.value("flowlabel_mask", "/", CHex(mask));
        }
    }
    if rule.table != TableId::UNSPEC {
        out.value("table", " lookup ", names.name(NameKind::Table, rule.table.0));
        if let Some(length) = rule.suppress_prefix_length {
            out.number_with("suppress_prefixlen", " suppress_prefixlength ", length, "");
        }
        if let Some(group) = rule.suppress_ifgroup {
            let name = names.name(NameKind::Group, group);
            out.value("suppress_ifgroup", " suppress_ifgroup ", name);
        }
    }
    if let Some(realms) = rule.realms {
        let name = |realm: u16| names.name(NameKind::Realm, realm.into());
        out.text(" realms ");
        if realms.from != 0 {
            out.value("flow_from", "", name(realms.from));
            out.text("/");
        }
        out.value("flow_to", "", name(realms.to));
    }
    action(out, rule, context);
    let usual = [RouteProtocol::UNSPEC, RouteProtocol::KERNEL];
    if let Some(protocol) =
        rule.protocol.filter(|protocol| context.details || !usual.contains(protocol))
    {
        out.value("protocol", " proto ", names.name(NameKind::Protocol, protocol.0.into()));
    }
    out.text("\n");
    out.end_object();
}

fn prefix(
    out: &mut Out<'_, '_>,
    [key, length]: [&str; 2],
    label: &str,
    prefix: Option<Prefix>,
    context: &Context<'_>,
) {
    let Some(prefix) = prefix else { return };
    out.text(label);
    let ink = Ink::of(prefix.address);
    out.colored(ink, context, |out| out.value(key, "", Shown(prefix.address)));
    if !prefix.is_host() {
        out.number_with(length, "/", prefix.length, "");
    }
}

/// Ports; the keys are those of a single one, of the ends of a range and of a mask.
fn ports(
    out: &mut Out<'_, '_>,
    [single, start, end, mask_key]: [&str; 4],
    range: Option<&RangeInclusive<u16>>,
    mask: Option<u16>,
) {
    let Some(range) = range else { return };
    out.text(format_args!(" {single} "));
    let whole = mask.is_none_or(|mask| mask == u16::MAX);
    if let (Some(mask), false) = (mask, whole) {
        out.value(single, "", CHex((*range.start()).into()));
        out.value(mask_key, "/", CHex(mask.into()));
    } else if range.start() == range.end() {
        out.number_with(single, "", range.start(), "");
    } else {
        out.number_with(start, "", range.start(), "");
        out.number_with(end, "-", range.end(), "");
    }
}

fn action(out: &mut Out<'_, '_>, rule: &Rule, context: &Context<'_>) {
    match rule.action {
        RuleAction::GOTO => {
            match rule.goto {
                Some(target) => out.number_with("goto", " goto ", target, ""),
                None => out.value("goto", " goto ", "none"),
            }
            if rule.flags.contains(RuleFlags::UNRESOLVED) {
                out.null("unresolved", " [unresolved]");
            }
        }
        RuleAction::NOP => out.null("nop", " nop"),
        RuleAction::TO_TBL => {}
        NAT => out.null("masquerade", " masquerade"),
        RuleAction(number) => {
            let word = TYPES.get(usize::from(number)).filter(|_| !context.names.is_numeric());
            match word {
                Some(word) => out.value("action", " ", word),
                None => out.value("action", " ", format_args!("{number}")),
            }
        }
    }
}

/// A number as C's `%#x` prints it: 0 has no `0x`.
struct CHex(u32);

words!(CHex);

impl fmt::Display for CHex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { f.write_str("0") } else { write!(f, "{:#x}", self.0) }
    }
}
