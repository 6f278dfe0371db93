//! Tunnels over IPv4 as `ip tunnel` prints them.

use core::net::{IpAddr, Ipv4Addr};

use nl_wire::attr::Attrs;
use nl_wire::prefix::Shown;

use super::View;
use super::tunnel::{CSUM, KEY, SEQ};
use crate::link::Link;
use crate::names::NameKind;
use crate::print::{Context, Ink, Out};
// The tables below name nearly every one of them.
#[allow(clippy::wildcard_imports)]
use crate::tables::tunnel::*;

/// Where a kind keeps what all have.
struct Places {
    kind: &'static str,
    remote: u16,
    local: u16,
    link: u16,
    ttl: u16,
    tos: u16,
    discovery: u16,
    keys: [u16; 4],
}

/// No attribute has this number.
const NOWHERE: u16 = 0;

const GRE: Places = Places {
    kind: "gre",
    remote: IFLA_GRE_REMOTE,
    local: IFLA_GRE_LOCAL,
    link: IFLA_GRE_LINK,
    ttl: IFLA_GRE_TTL,
    tos: IFLA_GRE_TOS,
    discovery: IFLA_GRE_PMTUDISC,
    keys: [IFLA_GRE_IFLAGS, IFLA_GRE_OFLAGS, IFLA_GRE_IKEY, IFLA_GRE_OKEY],
};

const IPIP: Places = Places {
    kind: "ipip",
    remote: IFLA_IPTUN_REMOTE,
    local: IFLA_IPTUN_LOCAL,
    link: IFLA_IPTUN_LINK,
    ttl: IFLA_IPTUN_TTL,
    tos: IFLA_IPTUN_TOS,
    discovery: IFLA_IPTUN_PMTUDISC,
    keys: [NOWHERE; 4],
};

const VTI: Places = Places {
    kind: "vti",
    remote: IFLA_VTI_REMOTE,
    local: IFLA_VTI_LOCAL,
    link: IFLA_VTI_LINK,
    ttl: NOWHERE,
    tos: NOWHERE,
    discovery: NOWHERE,
    keys: [NOWHERE, NOWHERE, IFLA_VTI_IKEY, IFLA_VTI_OKEY],
};

const KINDS: [Places; 4] = [GRE, IPIP, Places { kind: "sit", ..IPIP }, VTI];

/// Appends a tunnel; nothing, if the link is none.
pub(crate) fn tunnel(out: &mut Out<'_, '_>, link: &Link, context: &Context<'_>) {
    let Some(kind) = link.info_kind() else { return };
    let Some(places) = KINDS.iter().find(|places| *kind == places.kind) else { return };
    let view = View(link.info.as_ref().map_or(Attrs::new(&[]), |info| info.data()));
    let mode = match (places.kind, view.get(IFLA_IPTUN_PROTO)) {
        ("gre", _) => "gre",
        ("ipip" | "sit", Some(protocol)) => match protocol.u8().unwrap_or(0) {
            0 => "any",
            4 => "ip",
            41 => "ipv6",
            _ => "unknown",
        },
        ("sit", None) => "ipv6",
        _ => "ip",
    };
    out.begin_entry();
    out.colored(Ink::Link, context, |out| {
        out.value("ifname", "", context.names.link(link.index));
        out.text(": ");
    });
    out.value("mode", "", format_args!("{mode}/ip"));
    for (key, label, number, end) in
        [("remote", " remote ", places.remote, " "), ("local", "local ", places.local, "")]
    {
        let address = view.get(number).and_then(|attr| attr.ip().ok());
        let address = address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        out.text(label);
        out.colored(Ink::Inet, context, |out| {
            if address.is_unspecified() {
                out.text("any");
            } else {
                out.text(Shown(address));
            }
            out.text(end);
        });
        out.json(|json| json.field(key, address));
    }
    if let Ok(lower @ 1..) = u32::try_from(view.number(places.link)) {
        out.value("dev", " dev ", context.names.link(lower));
    }
    match view.number(places.ttl) {
        0 => out.text(" ttl inherit"),
        ttl => out.number_with("ttl", " ttl ", ttl, ""),
    }
    tos(out, u32::try_from(view.number(places.tos)).unwrap_or(0), context);
    if view.number(places.discovery) == 0 {
        out.null("nopmtudisc", " nopmtudisc");
    }
    if places.kind == "sit" {
        six_rd(out, &view);
    }
    keys(out, &view, places, context);
    out.text("\n");
    out.end_object();
}

fn tos(out: &mut Out<'_, '_>, tos: u32, context: &Context<'_>) {
    let name = |tos| context.names.name(NameKind::Tos, tos);
    match tos {
        0 => {}
        1 => out.text(" tos inherit"),
        _ => {
            let inherit = if tos & 1 != 0 { "inherit/" } else { "" };
            out.text(format_args!(" tos {inherit}{}", name(tos & !1)));
            out.json(|json| json.field("tos", name(tos)));
        }
    }
}

/// What a tunnel of IPv6 Rapid Deployment (RFC 5969) has.
fn six_rd(out: &mut Out<'_, '_>, view: &View<'_>) {
    let address = |number| view.get(number).and_then(|attr| attr.ip().ok());
    let length = view.number(IFLA_IPTUN_6RD_PREFIXLEN);
    let Some(prefix) = address(IFLA_IPTUN_6RD_PREFIX).filter(|_| length != 0) else { return };
    out.value("6rd-prefix", " 6rd-prefix ", Shown(prefix));
    out.number_with("6rd-prefixlen", "/", length, "");
    let relay = address(IFLA_IPTUN_6RD_RELAY_PREFIX).filter(|relay| !relay.is_unspecified());
    if let Some(relay) = relay {
        out.value("6rd-relay_prefix", " 6rd-relay_prefix ", relay);
        let length = view.number(IFLA_IPTUN_6RD_RELAY_PREFIXLEN);
        out.number_with("6rd-relay_prefixlen", "/", length, "");
    }
}

fn keys(out: &mut Out<'_, '_>, view: &View<'_>, places: &Places, context: &Context<'_>) {
    let [iflags, oflags, ikey, okey] = places.keys;
    let flags = |number| match places.kind {
        // These always have keys, of which 0 is one.
        "vti" => KEY,
        _ => view.get(number).and_then(|attr| attr.u16_be().ok()).unwrap_or(0),
    };
    let (iflags, oflags) = (flags(iflags), flags(oflags));
    let key = |flags, number| {
        let key = view.get(number).and_then(|attr| attr.u32_be().ok()).unwrap_or(0);
        (flags & KEY != 0).then_some(key)
    };
    match (key(iflags, ikey), key(oflags, okey)) {
        (Some(ikey), Some(okey)) if ikey == okey => out.number_with("key", " key ", ikey, ""),
        (ikey, okey) => {
            for (name, label, key) in [("ikey", " ikey ", ikey), ("okey", " okey ", okey)] {
                if let Some(key) = key {
                    out.number_with(name, label, key, "");
                }
            }
        }
    }
    if places.kind != "gre" {
        return;
    }
    out.begin_array("flags");
    for (on, word, text) in [
        (iflags & SEQ, "rx_drop_ooseq", "Drop packets out of sequence."),
        (iflags & CSUM, "rx_csum", "Checksum in received packet is required."),
        (oflags & SEQ, "tx_seq", "Sequence packets on output."),
        (oflags & CSUM, "tx_csum", "Checksum output packets."),
    ] {
        if on != 0 {
            out.line(context);
            out.text(format_args!("  {text}"));
            out.json(|json| json.string(word));
        }
    }
    out.end_array();
}
