//! How `ip route` prints the wrapping of packets.

use core::fmt;
use core::net::Ipv6Addr;

use nl_wire::prefix::Shown;
use nl_wire::text::Hex;

use super::{Context, Out, Word};
use crate::encap::{
    Bpf, Encap, Encapsulation, Flavours, Ila, Ioam6, IpTunnel, Mpls, Rpl, Seg6, Seg6Local,
    SegmentHeader, TunnelFlags, TunnelOption, Xfrm,
};
use crate::names::NameKind;

/// ip's words of the kinds, by number.
pub(crate) const KINDS: [&str; 11] =
    ["none", "mpls", "ip", "ila", "ip6", "seg6", "bpf", "seg6local", "rpl", "ioam6", "xfrm"];

/// Words of segment routing, by number.
pub(crate) const SEG6_MODES: [&str; 5] = ["inline", "encap", "l2encap", "encap.red", "l2encap.red"];
pub(crate) const SEG6_ACTIONS: [&str; 17] = [
    "<unknown>",
    "End",
    "End.X",
    "End.T",
    "End.DX2",
    "End.DX6",
    "End.DX4",
    "End.DT6",
    "End.DT4",
    "End.B6",
    "End.B6.Encaps",
    "End.BM",
    "End.S",
    "End.AS",
    "End.AM",
    "End.BPF",
    "End.DT46",
];
pub(crate) const FLAVOURS: [(Flavours, &str); 4] = [
    (Flavours::PSP, "psp"),
    (Flavours::USP, "usp"),
    (Flavours::USD, "usd"),
    (Flavours::NEXT_CSID, "next-csid"),
];

/// Words of identifier-locator addressing, by number.
pub(crate) const CHECKSUM_MODES: [&str; 4] =
    ["adj-transport", "neutral-map", "no-action", "neutral-map-auto"];
pub(crate) const IDENTIFIERS: [&str; 6] =
    ["iid", "luid", "virt-v4", "virt-uni-v6", "virt-multi-v6", "nonlocal-addr"];
pub(crate) const HOOKS: [&str; 2] = ["output", "input"];

/// Words of in-situ OAM, by number.
pub(crate) const IOAM6_MODES: [&str; 4] = ["", "inline", "encap", "auto"];

fn word(words: &[&'static str], number: u8, unknown: &'static str) -> &'static str {
    words.get(usize::from(number)).copied().filter(|word| !word.is_empty()).unwrap_or(unknown)
}

/// Appends how packets are wrapped; what can't be read is shown as bytes.
pub(super) fn encap(out: &mut Out<'_, '_>, encap: &Encap, context: &Context<'_>) {
    match KINDS.get(usize::from(encap.kind.0)) {
        Some(word) => out.string("encap", " encap ", word),
        None => out.string("encap", " encap ", format_args!("{}", encap.kind.0)),
    }
    match encap.decode() {
        Ok(Some(Encapsulation::Mpls(labels))) => mpls(out, &labels),
        Ok(Some(Encapsulation::Ip(tunnel))) => ip(out, &tunnel, ["ttl", "tos"], context),
        Ok(Some(Encapsulation::Ip6(tunnel))) => ip(out, &tunnel, ["hoplimit", "tc"], context),
        Ok(Some(Encapsulation::Ila(locator))) => ila(out, locator),
        Ok(Some(Encapsulation::Seg6(header))) => seg6(out, &header),
        Ok(Some(Encapsulation::Bpf(programs))) => bpf(out, &programs),
        Ok(Some(Encapsulation::Seg6Local(local))) => seg6_local(out, &local, context),
        Ok(Some(Encapsulation::Rpl(way))) => rpl(out, &way),
        Ok(Some(Encapsulation::Ioam6(ioam))) => ioam6(out, ioam),
        Ok(Some(Encapsulation::Xfrm(id))) => xfrm(out, id, context),
        Ok(None) | Err(_) => out.string("raw", "", format_args!("{:#}", Hex(&encap.payload))),
    }
}

/// A stack of labels: `100/200`.
struct Labels<'a>(&'a [u32]);

words!(Labels<'_> Half);

impl fmt::Display for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, label) in self.0.iter().enumerate() {
            write!(f, "{}{label}", if index == 0 { "" } else { "/" })?;
        }
        Ok(())
    }
}

fn mpls(out: &mut Out<'_, '_>, mpls: &Mpls) {
    if !mpls.labels.is_empty() {
        out.string("dst", " ", Labels(&mpls.labels));
    }
    if let Some(ttl) = mpls.ttl {
        out.number("ttl", "ttl ", ttl);
    }
}

fn ip(out: &mut Out<'_, '_>, tunnel: &IpTunnel, [ttl, tos]: [&str; 2], context: &Context<'_>) {
    if let Some(id) = tunnel.id {
        out.number("id", "id ", id);
    }
    for (key, address) in [("src", tunnel.source), ("dst", tunnel.destination)] {
        if let Some(address) = address {
            labelled(out, key, Shown(address));
        }
    }
    for (key, value) in [(ttl, tunnel.ttl), (tos, tunnel.tos)] {
        if let Some(value) = value {
            out.text(format_args!("{key} "));
            out.number(key, "", value);
        }
    }
    let flags = tunnel.flags.unwrap_or_default();
    for (flag, key) in
        [(TunnelFlags::KEY, "key"), (TunnelFlags::CSUM, "csum"), (TunnelFlags::SEQ, "seq")]
    {
        if flags.contains(flag) {
            out.text(format_args!("{key} "));
            out.json(|json| json.field(key, true));
        }
    }
    options(out, &tunnel.options, context);
}

fn labelled(out: &mut Out<'_, '_>, key: &str, value: impl Word) {
    out.text(format_args!("{key} "));
    out.string(key, "", value);
}

fn options(out: &mut Out<'_, '_>, options: &[TunnelOption], context: &Context<'_>) {
    let geneve = |option: &&TunnelOption| matches!(option, TunnelOption::Geneve { .. });
    let count = options.iter().filter(geneve).count();
    if count > 0 {
        out.line(context);
        out.text("\tgeneve_opts ");
        out.begin_array("geneve_opts");
    }
    for (index, option) in options.iter().filter(geneve).enumerate() {
        if let TunnelOption::Geneve { class, kind, data } = option {
            out.begin_entry();
            out.number_with("class", "", class, "");
            out.number_with("type", ":", kind, "");
            out.text(format_args!(":{:#}{}", Hex(data), if index + 1 < count { "," } else { " " }));
            out.json(|json| json.field("data", format_args!("{:#}", Hex(data))));
            out.end_object();
        }
    }
    if count > 0 {
        out.end_array();
    }
    for option in options {
        match option {
            TunnelOption::Geneve { .. } => {}
            TunnelOption::Vxlan { group } => {
                out.line(context);
                out.begin_object("vxlan_opts");
                out.number("gbp", "\tvxlan_opts ", group);
                out.end_object();
            }
            TunnelOption::Erspan { version, index, direction, hardware } => {
                out.line(context);
                out.begin_object("erspan_opts");
                out.number_with("ver", "\terspan_opts ", version, "");
                out.number_with("index", ":", index, "");
                out.number_with("dir", ":", direction, "");
                out.number("hwid", ":", hardware);
                out.end_object();
            }
        }
    }
}

/// A half of an IPv6 address.
struct Half(u64);

impl fmt::Display for Half {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, shift) in [48, 32, 16, 0].into_iter().enumerate() {
            let separator = if index == 0 { "" } else { ":" };
            write!(f, "{separator}{:x}", self.0 >> shift & 0xffff)?;
        }
        Ok(())
    }
}

fn ila(out: &mut Out<'_, '_>, ila: Ila) {
    if let Some(locator) = ila.locator {
        out.string("locator", " ", Half(locator));
    }
    let rows = [
        ("csum_mode", " csum-mode ", ila.checksum_mode, &CHECKSUM_MODES[..]),
        ("ident_type", " ident-type ", ila.identifier_type, &IDENTIFIERS),
        ("hook_type", " hook-type ", ila.hook, &HOOKS),
    ];
    for (key, label, value, words) in rows {
        if let Some(value) = value {
            out.string(key, label, word(words, value, "unknown"));
        }
    }
}

fn segments(out: &mut Out<'_, '_>, segments: &[Ipv6Addr]) {
    out.text(format_args!("segs {} [ ", segments.len()));
    out.begin_array("segs");
    for segment in segments {
        out.entry(Shown((*segment).into()));
    }
    out.end_array();
    out.text("] ");
}

fn header(out: &mut Out<'_, '_>, header: &SegmentHeader) {
    segments(out, &header.segments);
    if let Some(key) = header.hmac {
        out.text(format_args!("hmac {key:X} "));
        out.json(|json| json.field("hmac", format_args!("{key:#x}")));
    }
}

fn seg6(out: &mut Out<'_, '_>, seg6: &Seg6) {
    let mode = u8::try_from(seg6.mode.0).unwrap_or(u8::MAX);
    out.string("mode", "mode ", word(&SEG6_MODES, mode, "<unknown>"));
    header(out, &seg6.header);
    if let Some(source) = seg6.source {
        out.string("tunsrc", "tunsrc ", Shown(source.into()));
    }
}

fn bpf(out: &mut Out<'_, '_>, bpf: &Bpf) {
    for (key, program) in [("in", &bpf.input), ("out", &bpf.output), ("xmit", &bpf.transmit)] {
        let Some(program) = program else { continue };
        out.text(format_args!("{key} "));
        match &program.name {
            Some(name) => out.string(key, "", name),
            None => out.json(|json| json.field(key, "<unknown>")),
        }
    }
    if let Some(headroom) = bpf.headroom {
        out.number("headroom", " ", headroom);
    }
}

fn seg6_local(out: &mut Out<'_, '_>, local: &Seg6Local, context: &Context<'_>) {
    let action = u8::try_from(local.action.0).unwrap_or(u8::MAX);
    out.string("action", "action ", word(&SEG6_ACTIONS, action, "<invalid>"));
    if let Some(srh) = &local.header {
        out.begin_object("srh");
        header(out, srh);
        out.end_object();
    }
    for (key, table) in [("table", local.table), ("vrftable", local.vrf_table)] {
        if let Some(table) = table {
            labelled(out, key, context.names.name(NameKind::Table, table.0));
        }
    }
    if let Some(address) = local.next_hop4 {
        out.string("nh4", "nh4 ", address);
    }
    if let Some(address) = local.next_hop6 {
        out.string("nh6", "nh6 ", Shown(address.into()));
    }
    for (key, index) in [("iif", local.iif), ("oif", local.oif)] {
        if let Some(index) = index {
            labelled(out, key, context.names.link(index));
        }
    }
    if let Some((_, name)) = &local.program {
        out.text("endpoint ");
        match name {
            Some(name) => out.string("endpoint", "", name),
            None => out.json(|json| json.field("endpoint", "<unknown>")),
        }
    }
    if let (Some(counters), 1..) = (local.counters, context.statistics) {
        out.begin_object("stats64");
        out.number("packets", "packets ", counters.packets);
        out.number("bytes", "bytes ", counters.bytes);
        out.number("errors", "errors ", counters.errors);
        out.end_object();
    }
    let Some(flavours) = local.flavours else { return };
    if let Some(operations) = flavours.operations {
        out.text("flavors ");
        out.begin_array("flavors");
        let mut separator = "";
        for (_, word) in FLAVOURS.iter().filter(|row| operations.contains(row.0)) {
            out.text(format_args!("{separator}{word}"));
            out.json(|json| json.string(word));
            separator = ",";
        }
        out.end_array();
        out.text(" ");
    }
    let bits = [("lblen", flavours.block_bits), ("nflen", flavours.node_function_bits)];
    for (key, bits) in bits {
        if let Some(bits) = bits {
            out.text(format_args!("{key} "));
            out.number(key, "", bits);
        }
    }
}

fn rpl(out: &mut Out<'_, '_>, rpl: &Rpl) {
    if !rpl.segments.is_empty() {
        segments(out, &rpl.segments);
    }
}

/// All of it or, as ip does, nothing.
fn ioam6(out: &mut Out<'_, '_>, ioam: Ioam6) {
    let (Some(mode), Some(trace), Some(k), Some(n)) =
        (ioam.mode, ioam.trace, ioam.frequency, ioam.frequency_of)
    else {
        return;
    };
    out.number_with("freqk", "freq ", k, "");
    out.number("freqn", "/", n);
    out.string("mode", "mode ", word(&IOAM6_MODES, mode, "<unknown>"));
    if mode != 1 {
        if let Some(source) = ioam.source {
            out.string("tunsrc", "tunsrc ", Shown(source.into()));
        }
        if let Some(destination) = ioam.destination {
            out.string("tundst", "tundst ", Shown(destination.into()));
        }
    }
    out.null("trace", "trace ");
    out.null("prealloc", "prealloc ");
    out.text(format_args!("type {:#08x} ", trace.kind));
    out.json(|json| json.field("type", format_args!("{:x}", trace.kind)));
    out.number("ns", "ns ", trace.namespace);
    out.number("size", "size ", trace.size);
}

fn xfrm(out: &mut Out<'_, '_>, xfrm: Xfrm, context: &Context<'_>) {
    if let Some(id) = xfrm.if_id {
        out.number("if_id", "if_id ", id);
    }
    if let Some(link) = xfrm.link {
        out.string("link_dev", "link_dev ", context.names.link(link));
    }
}
