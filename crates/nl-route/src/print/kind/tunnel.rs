//! Tunnels: VXLAN, Geneve, the GRE family, IP in IP and VTI.

use core::net::{IpAddr, Ipv4Addr};

use nl_wire::prefix::Shown;

use super::How::{Hex, HexNonZero, IfSet, Link, NonZero, Number, Port, Prefixed};
use super::{Row, View, rows, word};
use crate::link::words;
use crate::print::{Context, Out};
// The tables below name nearly every one of them.
#[allow(clippy::wildcard_imports)]
use crate::tables::tunnel::*;

/// Flags of GRE: what the header has.
pub(super) const CSUM: u16 = 0x8000;
pub(super) const KEY: u16 = 0x2000;
pub(super) const SEQ: u16 = 0x1000;

/// `IP6_TNL_F_*` (linux/ip6_tunnel.h).
const IGN_ENCAP_LIMIT: u64 = 1;
const USE_ORIG_TCLASS: u64 = 2;
const USE_ORIG_FLOWLABEL: u64 = 4;
const USE_ORIG_FWMARK: u64 = 0x20;

/// Whether a flag is there, or a number that is not 0.
fn is_on(view: &View<'_>, number: u16) -> bool {
    view.get(number).is_some_and(|attr| attr.payload.is_empty() || view.number(number) != 0)
}

/// Says that each packet brings its own addresses.
fn external(out: &mut Out<'_, '_>, view: &View<'_>, number: u16) {
    if is_on(view, number) {
        out.either("external", true, "external ", "");
    }
}

fn address(view: &View<'_>, number: u16) -> Option<IpAddr> {
    view.get(number)?.ip().ok().filter(|address| !address.is_unspecified())
}

/// Both ends; one that is not given is any.
fn ends(out: &mut Out<'_, '_>, view: &View<'_>, remote: u16, local: u16) {
    for (key, label, number) in [("remote", "remote ", remote), ("local", "local ", local)] {
        match address(view, number) {
            Some(address) => out.string(key, label, Shown(address)),
            None => out.string(key, label, "any"),
        }
    }
}

fn ttl(out: &mut Out<'_, '_>, view: &View<'_>, number: u16, label: &str, zero: &str) {
    match view.number(number) {
        0 => {
            out.text(format_args!("{label} {zero} "));
            out.json(|json| json.field("ttl", 0));
        }
        ttl => {
            out.text(format_args!("{label} "));
            out.number("ttl", "", ttl);
        }
    }
}

fn tos(out: &mut Out<'_, '_>, view: &View<'_>, number: u16) {
    let tos = view.number(number);
    if tos == 1 {
        out.text("tos inherit ");
        out.json(|json| json.field("tos", "0x1"));
    } else if tos != 0 {
        out.string("tos", "tos ", format_args!("{tos:#x}"));
    }
}

/// What carries the tunnel further: `fou` or `gue`, the attributes in the order of the header.
fn carrier(out: &mut Out<'_, '_>, view: &View<'_>, first: u16) {
    let kind = view.number(first);
    if kind == 0 {
        return;
    }
    let port = |number| view.get(number).and_then(|attr| attr.u16_be().ok()).unwrap_or(0);
    let (flags, source, destination) = (view.number(first + 1), port(first + 2), port(first + 3));
    out.begin_object("encap");
    out.text("encap ");
    match word(&["", "fou", "gue"], kind) {
        Some(word) => out.string("type", "", word),
        None => out.null("type", "unknown "),
    }
    out.json(|json| json.field("sport", source));
    if source == 0 {
        out.text("encap-sport auto ");
    } else {
        out.text(format_args!("encap-sport {source} "));
    }
    out.number("dport", "encap-dport ", destination);
    for (bit, key) in ["csum", "csum6", "remcsum"].into_iter().enumerate() {
        let on = flags >> bit & 1 != 0;
        out.text(format_args!("{}encap-{key} ", if on { "" } else { "no" }));
        out.json(|json| json.field(key, on));
    }
    out.end_object();
}

fn keys_and_checks(out: &mut Out<'_, '_>, view: &View<'_>) {
    let flags = |number| view.get(number).and_then(|attr| attr.u16_be().ok()).unwrap_or(0);
    let sides = [
        (flags(IFLA_GRE_IFLAGS), IFLA_GRE_IKEY, "i"),
        (flags(IFLA_GRE_OFLAGS), IFLA_GRE_OKEY, "o"),
    ];
    for (flags, number, side) in sides {
        let key = view.get(number).filter(|_| flags & KEY != 0);
        if let Some(key) = key.and_then(|attr| attr.u32_be().ok()) {
            let name = if side == "i" { "ikey" } else { "okey" };
            out.text(format_args!("{name} "));
            out.string(name, "", Ipv4Addr::from(key));
        }
    }
    for (flag, names) in [
        (SEQ, [("iseq", "iseq "), ("oseq", "oseq ")]),
        (CSUM, [("icsum", "icsum "), ("ocsum", "ocsum ")]),
    ] {
        for ((flags, ..), (key, label)) in sides.into_iter().zip(names) {
            if flags & flag != 0 {
                out.either(key, true, label, "");
            }
        }
    }
}

const ERSPAN: &[Row] = &[
    (IFLA_GRE_ERSPAN_INDEX, "erspan_index", "erspan_index ", Number),
    (IFLA_GRE_ERSPAN_VER, "erspan_ver", "erspan_ver ", Number),
];

fn erspan(out: &mut Out<'_, '_>, view: &View<'_>, context: &Context<'_>) {
    rows(out, ERSPAN, view, context);
    if view.get(IFLA_GRE_ERSPAN_DIR).is_some() {
        let word = if view.number(IFLA_GRE_ERSPAN_DIR) == 0 { "ingress" } else { "egress" };
        // ip writes the whole of it into JSON.
        out.text(format_args!("erspan_dir {word} "));
        out.json(|json| json.field("erspan_dir", word));
    }
    rows(out, &[(IFLA_GRE_ERSPAN_HWID, "erspan_hwid", "erspan_hwid ", Hex)], view, context);
}

pub(super) fn gre(out: &mut Out<'_, '_>, view: &View<'_>, context: &Context<'_>) {
    external(out, view, IFLA_GRE_COLLECT_METADATA);
    ends(out, view, IFLA_GRE_REMOTE, IFLA_GRE_LOCAL);
    rows(out, &[(IFLA_GRE_LINK, "link", "dev ", Link)], view, context);
    ttl(out, view, IFLA_GRE_TTL, "ttl", "inherit");
    tos(out, view, IFLA_GRE_TOS);
    if view.get(IFLA_GRE_PMTUDISC).is_some() {
        out.either("pmtudisc", view.number(IFLA_GRE_PMTUDISC) != 0, "", "nopmtudisc ");
    }
    rows(out, &[(IFLA_GRE_IGNORE_DF, "ignore_df", "ignore-df ", IfSet)], view, context);
    keys_and_checks(out, view);
    rows(out, &[(IFLA_GRE_FWMARK, "fwmark", "fwmark ", HexNonZero)], view, context);
    erspan(out, view, context);
    carrier(out, view, IFLA_GRE_ENCAP_TYPE);
}

/// Which attributes of a tunnel over IPv6 have which numbers.
struct Six {
    link: u16,
    ttl: u16,
    limit: u16,
    flow: u16,
    flags: u16,
    mark: u16,
    /// What else it can do, as bits of its flags.
    more: &'static [Flag],
}

/// A bit of the flags, its key, its label.
type Flag = (u64, &'static str, &'static str);

const LOCAL_REMOTE: Flag = (0x40, "ip6_tnl_f_allow_local_remote", "allow-localremote ");
const DSCP: Flag = (0x10, "ip6_tnl_f_rcv_dscp_copy", "dscp inherit ");

/// What tunnels over IPv6 have in common, up to their flags.
fn six(out: &mut Out<'_, '_>, view: &View<'_>, numbers: &Six, context: &Context<'_>) {
    let flags = view.number(numbers.flags);
    rows(out, &[(numbers.link, "link", "dev ", Link)], view, context);
    ttl(out, view, numbers.ttl, "hoplimit", "inherit");
    if flags & IGN_ENCAP_LIMIT != 0 {
        out.either("ip6_tnl_f_ign_encap_limit", true, "encaplimit none ", "");
    } else {
        rows(out, &[(numbers.limit, "encap_limit", "encaplimit ", Number)], view, context);
    }
    let flow = view.get(numbers.flow).and_then(|attr| attr.u32_be().ok());
    if flags & USE_ORIG_TCLASS != 0 {
        out.either("ip6_tnl_f_use_orig_tclass", true, "tclass inherit ", "");
    } else if let Some(flow) = flow {
        out.string("tclass", "tclass ", format_args!("{:#04x}", flow >> 20 & 0xff));
    }
    if flags & USE_ORIG_FLOWLABEL != 0 {
        out.either("ip6_tnl_f_use_orig_flowlabel", true, "flowlabel inherit ", "");
    } else if let Some(flow) = flow {
        out.string("flowlabel", "flowlabel ", format_args!("{:#07x}", flow & 0xf_ffff));
    }
    for (flag, key, label) in numbers.more {
        if flags & flag != 0 {
            out.either(key, true, label, "");
        }
    }
}

fn six_mark(out: &mut Out<'_, '_>, view: &View<'_>, numbers: &Six, context: &Context<'_>) {
    if view.number(numbers.flags) & USE_ORIG_FWMARK != 0 {
        out.either("ip6_tnl_f_use_orig_fwmark", true, "fwmark inherit ", "");
    } else {
        rows(out, &[(numbers.mark, "fwmark", "fwmark ", HexNonZero)], view, context);
    }
}

pub(super) fn gre6(out: &mut Out<'_, '_>, view: &View<'_>, context: &Context<'_>) {
    const NUMBERS: Six = Six {
        link: IFLA_GRE_LINK,
        ttl: IFLA_GRE_TTL,
        limit: IFLA_GRE_ENCAP_LIMIT,
        flow: IFLA_GRE_FLOWINFO,
        flags: IFLA_GRE_FLAGS,
        mark: IFLA_GRE_FWMARK,
        more: &[DSCP],
    };
    external(out, view, IFLA_GRE_COLLECT_METADATA);
    ends(out, view, IFLA_GRE_REMOTE, IFLA_GRE_LOCAL);
    six(out, view, &NUMBERS, context);
    keys_and_checks(out, view);
    if view.number(IFLA_GRE_FLAGS) & LOCAL_REMOTE.0 != 0 {
        out.either(LOCAL_REMOTE.1, true, LOCAL_REMOTE.2, "");
    }
    six_mark(out, view, &NUMBERS, context);
    erspan(out, view, context);
    carrier(out, view, IFLA_GRE_ENCAP_TYPE);
}

/// What is carried.
fn protocol(out: &mut Out<'_, '_>, view: &View<'_>, words: [(u64, &str); 4]) {
    let Some(number) = view.get(IFLA_IPTUN_PROTO).map(|_| view.number(IFLA_IPTUN_PROTO)) else {
        return;
    };
    if let Some((_, word)) = words.iter().find(|row| row.0 == number) {
        out.string("proto", "", word);
    }
}

const IPIP: u64 = 4;
const IPV6: u64 = 41;
const MPLS: u64 = 137;

pub(super) fn ipip(out: &mut Out<'_, '_>, view: &View<'_>, context: &Context<'_>) {
    external(out, view, IFLA_IPTUN_COLLECT_METADATA);
    protocol(out, view, [(IPIP, "ipip"), (IPV6, "ip6ip"), (MPLS, "mplsip"), (0, "any")]);
    ends(out, view, IFLA_IPTUN_REMOTE, IFLA_IPTUN_LOCAL);
    rows(out, &[(IFLA_IPTUN_LINK, "link", "dev ", Link)], view, context);
    ttl(out, view, IFLA_IPTUN_TTL, "ttl", "inherit");
    tos(out, view, IFLA_IPTUN_TOS);
    let discovery = view.number(IFLA_IPTUN_PMTUDISC) != 0;
    out.either("pmtudisc", discovery, "pmtudisc ", "nopmtudisc ");
    if view.number(IFLA_IPTUN_FLAGS) & 1 != 0 {
        out.either("isatap", true, "isatap ", "");
    }
    let length = view.number(IFLA_IPTUN_6RD_PREFIXLEN);
    let prefix = view.get(IFLA_IPTUN_6RD_PREFIX).and_then(|attr| attr.ip().ok());
    if let (1.., Some(prefix)) = (length, prefix) {
        out.text(format_args!("6rd-prefix {}/{length} ", Shown(prefix)));
        out.json(|json| {
            json.field("prefix", prefix);
            json.field("prefixlen", length);
        });
        if let Some(relay) = address(view, IFLA_IPTUN_6RD_RELAY_PREFIX) {
            let length = view.number(IFLA_IPTUN_6RD_RELAY_PREFIXLEN);
            out.text(format_args!("6rd-relay_prefix {relay}/{length} "));
            out.json(|json| {
                json.field("relay_prefix", format_args!("{relay}"));
                json.field("relay_prefixlen", length);
            });
        }
    }
    rows(out, &[(IFLA_IPTUN_FWMARK, "fwmark", "fwmark ", HexNonZero)], view, context);
    carrier(out, view, IFLA_IPTUN_ENCAP_TYPE);
}

pub(super) fn ip6tnl(out: &mut Out<'_, '_>, view: &View<'_>, context: &Context<'_>) {
    const NUMBERS: Six = Six {
        link: IFLA_IPTUN_LINK,
        ttl: IFLA_IPTUN_TTL,
        limit: IFLA_IPTUN_ENCAP_LIMIT,
        flow: IFLA_IPTUN_FLOWINFO,
        flags: IFLA_IPTUN_FLAGS,
        mark: IFLA_IPTUN_FWMARK,
        more: &[DSCP, (8, "ip6_tnl_f_mip6_dev", "mip6 "), LOCAL_REMOTE],
    };
    external(out, view, IFLA_IPTUN_COLLECT_METADATA);
    protocol(out, view, [(IPIP, "ipip6"), (IPV6, "ip6ip6"), (0, "any"), (0, "any")]);
    ends(out, view, IFLA_IPTUN_REMOTE, IFLA_IPTUN_LOCAL);
    six(out, view, &NUMBERS, context);
    six_mark(out, view, &NUMBERS, context);
    carrier(out, view, IFLA_IPTUN_ENCAP_TYPE);
}

pub(super) fn vti(out: &mut Out<'_, '_>, view: &View<'_>, context: &Context<'_>) {
    ends(out, view, IFLA_VTI_REMOTE, IFLA_VTI_LOCAL);
    rows(out, &[(IFLA_VTI_LINK, "link", "dev ", Link)], view, context);
    for (number, key, label) in [(IFLA_VTI_IKEY, "ikey", "ikey "), (IFLA_VTI_OKEY, "okey", "okey ")]
    {
        let bits = view.get(number).and_then(|attr| attr.u32_be().ok()).unwrap_or(0);
        if bits != 0 {
            out.string(key, label, Ipv4Addr::from(bits));
        }
    }
    rows(out, &[(IFLA_VTI_FWMARK, "fwmark", "fwmark ", HexNonZero)], view, context);
}

/// The far end, called after whether it is a group, and whether it is of IPv6.
fn far(out: &mut Out<'_, '_>, view: &View<'_>, numbers: [u16; 2], groups: bool) {
    let [v4, v6] = numbers;
    let number = if view.get(v4).is_some() { v4 } else { v6 };
    let Some(address) = address(view, number) else { return };
    let six = address.is_ipv6();
    match (address.is_multicast(), six) {
        (true, _) if !groups && six => {}
        (true, false) if groups => out.string("group", "group ", Shown(address)),
        (true, true) => out.string("group6", "group ", Shown(address)),
        (_, true) => out.string("remote6", "remote ", Shown(address)),
        (_, false) => out.string("remote", "remote ", Shown(address)),
    }
}

fn df(out: &mut Out<'_, '_>, view: &View<'_>, number: u16) {
    if view.get(number).is_none() {
        return;
    }
    let number = view.number(number);
    let Some(word) = word(&words::DF, number) else { return };
    out.json(|json| json.field("df", word));
    if number != 0 {
        out.text(format_args!("df {word} "));
    }
}

fn label(out: &mut Out<'_, '_>, view: &View<'_>, number: u16) {
    let label = view.get(number).and_then(|attr| attr.u32_be().ok()).unwrap_or(0);
    if label != 0 {
        out.string("label", "flowlabel ", format_args!("{label:#x}"));
    }
}

pub(super) fn vxlan(out: &mut Out<'_, '_>, view: &View<'_>, context: &Context<'_>) {
    const FIRST: &[Row] = &[
        (IFLA_VXLAN_PROXY, "proxy", "proxy ", IfSet),
        (IFLA_VXLAN_RSC, "rsc", "rsc ", IfSet),
        (IFLA_VXLAN_L2MISS, "l2miss", "l2miss ", IfSet),
        (IFLA_VXLAN_L3MISS, "l3miss", "l3miss ", IfSet),
    ];
    const LAST: &[Row] = &[
        (IFLA_VXLAN_LIMIT, "limit", "maxaddr ", NonZero),
        (IFLA_VXLAN_UDP_CSUM, "udp_csum", "udpcsum ", Prefixed),
        (IFLA_VXLAN_UDP_ZERO_CSUM6_TX, "udp_zero_csum6_tx", "udp6zerocsumtx ", Prefixed),
        (IFLA_VXLAN_UDP_ZERO_CSUM6_RX, "udp_zero_csum6_rx", "udp6zerocsumrx ", Prefixed),
        (IFLA_VXLAN_REMCSUM_TX, "remcsum_tx", "remcsumtx ", IfSet),
        (IFLA_VXLAN_REMCSUM_RX, "remcsum_rx", "remcsumrx ", IfSet),
        (IFLA_VXLAN_GBP, "gbp", "gbp ", IfSet),
        (IFLA_VXLAN_GPE, "gpe", "gpe ", IfSet),
    ];
    external(out, view, IFLA_VXLAN_COLLECT_METADATA);
    rows(out, &[(IFLA_VXLAN_VNIFILTER, "vnifilter", "vnifilter", IfSet)], view, context);
    rows(out, &[(IFLA_VXLAN_ID, "id", "id ", Number)], view, context);
    far(out, view, [IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6], true);
    let (key, number) = if view.get(IFLA_VXLAN_LOCAL).is_some() {
        ("local", IFLA_VXLAN_LOCAL)
    } else {
        ("local6", IFLA_VXLAN_LOCAL6)
    };
    if let Some(address) = address(view, number) {
        out.string(key, "local ", Shown(address));
    }
    rows(out, &[(IFLA_VXLAN_LINK, "link", "dev ", Link)], view, context);
    if let Some(&[l0, l1, h0, h1]) = view.get(IFLA_VXLAN_PORT_RANGE).map(|attr| attr.payload) {
        out.begin_object("port_range");
        out.number("low", "srcport ", u16::from_be_bytes([l0, l1]));
        out.number("high", "", u16::from_be_bytes([h0, h1]));
        out.end_object();
    }
    rows(out, &[(IFLA_VXLAN_PORT, "port", "dstport ", Port)], view, context);
    if view.get(IFLA_VXLAN_LEARNING).is_some() {
        out.either("learning", view.number(IFLA_VXLAN_LEARNING) != 0, "", "nolearning ");
    }
    rows(out, FIRST, view, context);
    tos(out, view, IFLA_VXLAN_TOS);
    if is_on(view, IFLA_VXLAN_TTL_INHERIT) {
        out.text("ttl inherit ");
    } else if view.get(IFLA_VXLAN_TTL).is_some() {
        ttl(out, view, IFLA_VXLAN_TTL, "ttl", "auto");
    }
    df(out, view, IFLA_VXLAN_DF);
    label(out, view, IFLA_VXLAN_LABEL);
    if view.get(IFLA_VXLAN_AGEING).is_some() {
        let seconds = view.number(IFLA_VXLAN_AGEING);
        out.json(|json| json.field("ageing", seconds));
        if seconds == 0 {
            out.text("ageing none ");
        } else {
            out.text(format_args!("ageing {seconds} "));
        }
    }
    rows(out, LAST, view, context);
}

pub(super) fn geneve(out: &mut Out<'_, '_>, view: &View<'_>, context: &Context<'_>) {
    const LAST: &[Row] = &[
        (IFLA_GENEVE_PORT, "port", "dstport ", Port),
        (IFLA_GENEVE_UDP_CSUM, "udp_csum", "udpcsum ", Prefixed),
        (IFLA_GENEVE_UDP_ZERO_CSUM6_TX, "udp_zero_csum6_tx", "udp6zerocsumtx ", Prefixed),
        (IFLA_GENEVE_UDP_ZERO_CSUM6_RX, "udp_zero_csum6_rx", "udp6zerocsumrx ", Prefixed),
        (IFLA_GENEVE_INNER_PROTO_INHERIT, "inner_proto_inherit", "innerprotoinherit ", IfSet),
    ];
    external(out, view, IFLA_GENEVE_COLLECT_METADATA);
    rows(out, &[(IFLA_GENEVE_ID, "id", "id ", Number)], view, context);
    far(out, view, [IFLA_GENEVE_REMOTE, IFLA_GENEVE_REMOTE6], false);
    if is_on(view, IFLA_GENEVE_TTL_INHERIT) {
        out.text("ttl inherit ");
    } else if view.get(IFLA_GENEVE_TTL).is_some() {
        ttl(out, view, IFLA_GENEVE_TTL, "ttl", "auto");
    }
    tos(out, view, IFLA_GENEVE_TOS);
    df(out, view, IFLA_GENEVE_DF);
    label(out, view, IFLA_GENEVE_LABEL);
    rows(out, LAST, view, context);
}
