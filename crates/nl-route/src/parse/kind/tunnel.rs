//! Options of tunnels.

use nl_wire::value::AddressFamily;

use super::Value::{
    Bit16, Bit32, BitsBe, Byte, Choice, Choice16, Flag, Flow, Inherit, Inherited, Ip, Ipv4, Ipv6,
    Key, Keys, Lifetime, Link, Port, PortRange, Prefix, Reset, Tos, U8, U16, U16Be, U32, U32Be,
    U32Or, Unless, Word,
};
use super::{Data, Preset, Row};
use crate::link::words;
// The tables below name most of them.
#[allow(clippy::wildcard_imports)]
use crate::tables::tunnel::*;

pub(super) const VXLAN: &[Row] = &[
    ("id", IFLA_VXLAN_ID, U32),
    ("vni", IFLA_VXLAN_ID, U32),
    ("group", IFLA_VXLAN_GROUP, Ip(IFLA_VXLAN_GROUP6)),
    ("remote", IFLA_VXLAN_GROUP, Ip(IFLA_VXLAN_GROUP6)),
    ("local", IFLA_VXLAN_LOCAL, Ip(IFLA_VXLAN_LOCAL6)),
    ("dev", IFLA_VXLAN_LINK, Link),
    ("ttl", IFLA_VXLAN_TTL, Lifetime(IFLA_VXLAN_TTL_INHERIT, &[])),
    ("hoplimit", IFLA_VXLAN_TTL, Lifetime(IFLA_VXLAN_TTL_INHERIT, &[])),
    ("tos", IFLA_VXLAN_TOS, Tos),
    ("dsfield", IFLA_VXLAN_TOS, Tos),
    ("df", IFLA_VXLAN_DF, Word(&words::DF)),
    ("label", IFLA_VXLAN_LABEL, U32Be),
    ("flowlabel", IFLA_VXLAN_LABEL, U32Be),
    ("ageing", IFLA_VXLAN_AGEING, U32Or("none")),
    ("maxaddress", IFLA_VXLAN_LIMIT, U32Or("unlimited")),
    ("srcport", IFLA_VXLAN_PORT_RANGE, PortRange),
    ("port", IFLA_VXLAN_PORT_RANGE, PortRange),
    ("dstport", IFLA_VXLAN_PORT, U16Be),
    ("novnifilter", IFLA_VXLAN_VNIFILTER, Byte(0)),
    ("localbypass", IFLA_VXLAN_LOCALBYPASS, Byte(1)),
    ("nolocalbypass", IFLA_VXLAN_LOCALBYPASS, Byte(0)),
    ("learning", IFLA_VXLAN_LEARNING, Byte(1)),
    ("nolearning", IFLA_VXLAN_LEARNING, Byte(0)),
    ("proxy", IFLA_VXLAN_PROXY, Byte(1)),
    ("noproxy", IFLA_VXLAN_PROXY, Byte(0)),
    ("rsc", IFLA_VXLAN_RSC, Byte(1)),
    ("norsc", IFLA_VXLAN_RSC, Byte(0)),
    ("l2miss", IFLA_VXLAN_L2MISS, Byte(1)),
    ("nol2miss", IFLA_VXLAN_L2MISS, Byte(0)),
    ("l3miss", IFLA_VXLAN_L3MISS, Byte(1)),
    ("nol3miss", IFLA_VXLAN_L3MISS, Byte(0)),
    ("udpcsum", IFLA_VXLAN_UDP_CSUM, Byte(1)),
    ("noudpcsum", IFLA_VXLAN_UDP_CSUM, Byte(0)),
    ("udp6zerocsumtx", IFLA_VXLAN_UDP_ZERO_CSUM6_TX, Byte(1)),
    ("noudp6zerocsumtx", IFLA_VXLAN_UDP_ZERO_CSUM6_TX, Byte(0)),
    ("udp6zerocsumrx", IFLA_VXLAN_UDP_ZERO_CSUM6_RX, Byte(1)),
    ("noudp6zerocsumrx", IFLA_VXLAN_UDP_ZERO_CSUM6_RX, Byte(0)),
    ("remcsumtx", IFLA_VXLAN_REMCSUM_TX, Byte(1)),
    ("noremcsumtx", IFLA_VXLAN_REMCSUM_TX, Byte(0)),
    ("remcsumrx", IFLA_VXLAN_REMCSUM_RX, Byte(1)),
    ("noremcsumrx", IFLA_VXLAN_REMCSUM_RX, Byte(0)),
    ("external", IFLA_VXLAN_COLLECT_METADATA, Byte(1)),
    ("noexternal", IFLA_VXLAN_COLLECT_METADATA, Byte(0)),
    ("vnifilter", IFLA_VXLAN_VNIFILTER, Byte(1)),
    ("gbp", IFLA_VXLAN_GBP, Flag),
    ("gpe", IFLA_VXLAN_GPE, Flag),
];

pub(super) const VXLAN_PRESETS: &[Preset] = &[(IFLA_VXLAN_LEARNING, &[1])];

pub(super) const GENEVE: &[Row] = &[
    ("id", IFLA_GENEVE_ID, U32),
    ("vni", IFLA_GENEVE_ID, U32),
    ("remote", IFLA_GENEVE_REMOTE, Ip(IFLA_GENEVE_REMOTE6)),
    ("ttl", IFLA_GENEVE_TTL, Lifetime(IFLA_GENEVE_TTL_INHERIT, &[1])),
    ("hoplimit", IFLA_GENEVE_TTL, Lifetime(IFLA_GENEVE_TTL_INHERIT, &[1])),
    ("tos", IFLA_GENEVE_TOS, Tos),
    ("dsfield", IFLA_GENEVE_TOS, Tos),
    ("df", IFLA_GENEVE_DF, Word(&words::DF)),
    ("label", IFLA_GENEVE_LABEL, U32Be),
    ("flowlabel", IFLA_GENEVE_LABEL, U32Be),
    ("dstport", IFLA_GENEVE_PORT, U16Be),
    ("external", IFLA_GENEVE_COLLECT_METADATA, Flag),
    ("udpcsum", IFLA_GENEVE_UDP_CSUM, Byte(1)),
    ("noudpcsum", IFLA_GENEVE_UDP_CSUM, Byte(0)),
    ("udp6zerocsumtx", IFLA_GENEVE_UDP_ZERO_CSUM6_TX, Byte(1)),
    ("noudp6zerocsumtx", IFLA_GENEVE_UDP_ZERO_CSUM6_TX, Byte(0)),
    ("udp6zerocsumrx", IFLA_GENEVE_UDP_ZERO_CSUM6_RX, Byte(1)),
    ("noudp6zerocsumrx", IFLA_GENEVE_UDP_ZERO_CSUM6_RX, Byte(0)),
    ("innerprotoinherit", IFLA_GENEVE_INNER_PROTO_INHERIT, Flag),
];

pub(super) const GENEVE_PRESETS: &[Preset] = &[
    (IFLA_GENEVE_ID, &[0; 4]),
    (IFLA_GENEVE_LABEL, &[0; 4]),
    (IFLA_GENEVE_TTL, &[0]),
    (IFLA_GENEVE_TOS, &[0]),
];

/// Flags of GRE: what the header has.
const CSUM: u16 = 0x8000;
const KEY: u16 = 0x2000;
const SEQ: u16 = 0x1000;

/// Words of what carries the tunnel further.
const CARRIERS: &[(&str, u16)] = &[("none", 0), ("fou", 1), ("gue", 2)];

/// `IP6_TNL_F_*` (linux/ip6_tunnel.h).
const IGN_ENCAP_LIMIT: u32 = 1;
const USE_ORIG_TCLASS: u32 = 2;
const USE_ORIG_FLOWLABEL: u32 = 4;
const RCV_DSCP_COPY: u32 = 0x10;
const USE_ORIG_FWMARK: u32 = 0x20;
const ALLOW_LOCAL_REMOTE: u32 = 0x40;

const TCLASS: u32 = 0x0ff0_0000;
const FLOW_LABEL: u32 = 0x000f_ffff;

const DIRECTIONS: &[(&str, u8)] = &[("ingress", 0), ("egress", 1)];

pub(super) const GRE: &[Row] = &[
    ("key", IFLA_GRE_IKEY, Keys(IFLA_GRE_OKEY)),
    ("ikey", IFLA_GRE_IKEY, Key),
    ("okey", IFLA_GRE_OKEY, Key),
    ("seq", IFLA_GRE_IFLAGS, BitsBe(IFLA_GRE_OFLAGS, SEQ)),
    ("iseq", IFLA_GRE_IFLAGS, BitsBe(IFLA_GRE_IFLAGS, SEQ)),
    ("oseq", IFLA_GRE_OFLAGS, BitsBe(IFLA_GRE_OFLAGS, SEQ)),
    ("csum", IFLA_GRE_IFLAGS, BitsBe(IFLA_GRE_OFLAGS, CSUM)),
    ("icsum", IFLA_GRE_IFLAGS, BitsBe(IFLA_GRE_IFLAGS, CSUM)),
    ("ocsum", IFLA_GRE_OFLAGS, BitsBe(IFLA_GRE_OFLAGS, CSUM)),
    ("dev", IFLA_GRE_LINK, Link),
    ("ttl", IFLA_GRE_TTL, Inherit(0)),
    ("hoplimit", IFLA_GRE_TTL, Inherit(0)),
    ("hlim", IFLA_GRE_TTL, Inherit(0)),
    ("noencap", IFLA_GRE_ENCAP_TYPE, Bit16(u16::MAX, false)),
    ("encap", IFLA_GRE_ENCAP_TYPE, Choice16(CARRIERS)),
    ("encap-sport", IFLA_GRE_ENCAP_SPORT, Port),
    ("encap-dport", IFLA_GRE_ENCAP_DPORT, U16Be),
    ("encap-csum", IFLA_GRE_ENCAP_FLAGS, Bit16(1, true)),
    ("noencap-csum", IFLA_GRE_ENCAP_FLAGS, Bit16(1, false)),
    ("encap-udp6-csum", IFLA_GRE_ENCAP_FLAGS, Bit16(2, true)),
    ("noencap-udp6-csum", IFLA_GRE_ENCAP_FLAGS, Bit16(2, false)),
    ("encap-remcsum", IFLA_GRE_ENCAP_FLAGS, Bit16(4, true)),
    ("noencap-remcsum", IFLA_GRE_ENCAP_FLAGS, Bit16(4, false)),
    ("external", IFLA_GRE_COLLECT_METADATA, Flag),
    ("erspan", IFLA_GRE_ERSPAN_INDEX, U32),
    ("erspan_ver", IFLA_GRE_ERSPAN_VER, U8),
    ("erspan_dir", IFLA_GRE_ERSPAN_DIR, Choice(DIRECTIONS)),
    ("erspan_hwid", IFLA_GRE_ERSPAN_HWID, U16),
];

pub(super) const GRE4: &[Row] = &[
    ("remote", IFLA_GRE_REMOTE, Ipv4),
    ("local", IFLA_GRE_LOCAL, Ipv4),
    ("tos", IFLA_GRE_TOS, Tos),
    ("tclass", IFLA_GRE_TOS, Tos),
    ("dsfield", IFLA_GRE_TOS, Tos),
    ("pmtudisc", IFLA_GRE_PMTUDISC, Byte(1)),
    ("nopmtudisc", IFLA_GRE_PMTUDISC, Byte(0)),
    ("ignore-df", IFLA_GRE_IGNORE_DF, Byte(1)),
    ("noignore-df", IFLA_GRE_IGNORE_DF, Byte(0)),
    ("fwmark", IFLA_GRE_FWMARK, U32),
];

pub(super) const GRE6: &[Row] = &[
    ("remote", IFLA_GRE_REMOTE, Ipv6),
    ("local", IFLA_GRE_LOCAL, Ipv6),
    ("tos", IFLA_GRE_FLOWINFO, Flow(TCLASS, 20, IFLA_GRE_FLAGS, USE_ORIG_TCLASS)),
    ("tclass", IFLA_GRE_FLOWINFO, Flow(TCLASS, 20, IFLA_GRE_FLAGS, USE_ORIG_TCLASS)),
    ("dsfield", IFLA_GRE_FLOWINFO, Flow(TCLASS, 20, IFLA_GRE_FLAGS, USE_ORIG_TCLASS)),
    ("flowlabel", IFLA_GRE_FLOWINFO, Flow(FLOW_LABEL, 0, IFLA_GRE_FLAGS, USE_ORIG_FLOWLABEL)),
    ("fl", IFLA_GRE_FLOWINFO, Flow(FLOW_LABEL, 0, IFLA_GRE_FLAGS, USE_ORIG_FLOWLABEL)),
    ("dscp", IFLA_GRE_FLAGS, Inherited(RCV_DSCP_COPY)),
    ("encaplimit", IFLA_GRE_ENCAP_LIMIT, Unless("none", IFLA_GRE_FLAGS, IGN_ENCAP_LIMIT)),
    ("fwmark", IFLA_GRE_FWMARK, Unless("inherit", IFLA_GRE_FLAGS, USE_ORIG_FWMARK)),
    ("allow-localremote", IFLA_GRE_FLAGS, Bit32(ALLOW_LOCAL_REMOTE, true)),
    ("noallow-localremote", IFLA_GRE_FLAGS, Bit32(ALLOW_LOCAL_REMOTE, false)),
];

pub(super) const GRE4_PRESETS: &[Preset] = &[
    (IFLA_GRE_IKEY, &[0; 4]),
    (IFLA_GRE_OKEY, &[0; 4]),
    (IFLA_GRE_IFLAGS, &[0; 2]),
    (IFLA_GRE_OFLAGS, &[0; 2]),
    (IFLA_GRE_PMTUDISC, &[1]),
    (IFLA_GRE_TTL, &[0]),
    (IFLA_GRE_TOS, &[0]),
    (IFLA_GRE_FWMARK, &[0; 4]),
    (IFLA_GRE_ENCAP_TYPE, &[0; 2]),
    (IFLA_GRE_ENCAP_FLAGS, &[0; 2]),
    (IFLA_GRE_ENCAP_SPORT, &[0; 2]),
    (IFLA_GRE_ENCAP_DPORT, &[0; 2]),
];

/// The checksum of UDP over IPv6 is on where nothing is said.
const CSUM6: &[u8] = &2_u16.to_ne_bytes();

pub(super) const GRE6_PRESETS: &[Preset] = &[
    (IFLA_GRE_IKEY, &[0; 4]),
    (IFLA_GRE_OKEY, &[0; 4]),
    (IFLA_GRE_IFLAGS, &[0; 2]),
    (IFLA_GRE_OFLAGS, &[0; 2]),
    (IFLA_GRE_TTL, &[64]),
    (IFLA_GRE_ENCAP_LIMIT, &[4]),
    (IFLA_GRE_FLOWINFO, &[0; 4]),
    (IFLA_GRE_FLAGS, &[0; 4]),
    (IFLA_GRE_FWMARK, &[0; 4]),
    (IFLA_GRE_ERSPAN_VER, &[1]),
    (IFLA_GRE_ENCAP_TYPE, &[0; 2]),
    (IFLA_GRE_ENCAP_FLAGS, CSUM6),
    (IFLA_GRE_ENCAP_SPORT, &[0; 2]),
    (IFLA_GRE_ENCAP_DPORT, &[0; 2]),
];

const MODES4: &[(&str, u8)] = &[
    ("ipv6/ipv4", 41),
    ("ip6ip", 41),
    ("ipv4/ipv4", 4),
    ("ipip", 4),
    ("ip4ip4", 4),
    ("mpls/ipv4", 137),
    ("mplsip", 137),
    ("any/ipv4", 0),
    ("any", 0),
];

const MODES6: &[(&str, u8)] = &[
    ("ipv6/ipv6", 41),
    ("ip6ip6", 41),
    ("ip/ipv6", 4),
    ("ipv4/ipv6", 4),
    ("ipip6", 4),
    ("ip4ip6", 4),
    ("any/ipv6", 0),
    ("any", 0),
];

pub(super) const IPTUN: &[Row] = &[
    ("dev", IFLA_IPTUN_LINK, Link),
    ("ttl", IFLA_IPTUN_TTL, Inherit(0)),
    ("hoplimit", IFLA_IPTUN_TTL, Inherit(0)),
    ("hlim", IFLA_IPTUN_TTL, Inherit(0)),
    ("noencap", IFLA_IPTUN_ENCAP_TYPE, Bit16(u16::MAX, false)),
    ("encap", IFLA_IPTUN_ENCAP_TYPE, Choice16(CARRIERS)),
    ("encap-sport", IFLA_IPTUN_ENCAP_SPORT, Port),
    ("encap-dport", IFLA_IPTUN_ENCAP_DPORT, U16Be),
    ("encap-csum", IFLA_IPTUN_ENCAP_FLAGS, Bit16(1, true)),
    ("noencap-csum", IFLA_IPTUN_ENCAP_FLAGS, Bit16(1, false)),
    ("encap-udp6-csum", IFLA_IPTUN_ENCAP_FLAGS, Bit16(2, true)),
    ("noencap-udp6-csum", IFLA_IPTUN_ENCAP_FLAGS, Bit16(2, false)),
    ("encap-remcsum", IFLA_IPTUN_ENCAP_FLAGS, Bit16(4, true)),
    ("noencap-remcsum", IFLA_IPTUN_ENCAP_FLAGS, Bit16(4, false)),
    ("external", IFLA_IPTUN_COLLECT_METADATA, Flag),
];

pub(super) const IPTUN4: &[Row] = &[
    ("remote", IFLA_IPTUN_REMOTE, Ipv4),
    ("local", IFLA_IPTUN_LOCAL, Ipv4),
    ("mode", IFLA_IPTUN_PROTO, Choice(MODES4)),
    ("tos", IFLA_IPTUN_TOS, Tos),
    ("tclass", IFLA_IPTUN_TOS, Tos),
    ("dsfield", IFLA_IPTUN_TOS, Tos),
    ("pmtudisc", IFLA_IPTUN_PMTUDISC, Byte(1)),
    ("nopmtudisc", IFLA_IPTUN_PMTUDISC, Byte(0)),
    ("isatap", IFLA_IPTUN_FLAGS, Bit16(1, true)),
    ("6rd-prefix", IFLA_IPTUN_6RD_PREFIX, Prefix(AddressFamily::INET6, IFLA_IPTUN_6RD_PREFIXLEN)),
    (
        "6rd-relay_prefix",
        IFLA_IPTUN_6RD_RELAY_PREFIX,
        Prefix(AddressFamily::INET, IFLA_IPTUN_6RD_RELAY_PREFIXLEN),
    ),
    ("6rd-reset", IFLA_IPTUN_6RD_PREFIX, Reset),
    ("fwmark", IFLA_IPTUN_FWMARK, U32),
];

pub(super) const IPTUN6: &[Row] = &[
    ("remote", IFLA_IPTUN_REMOTE, Ipv6),
    ("local", IFLA_IPTUN_LOCAL, Ipv6),
    ("mode", IFLA_IPTUN_PROTO, Choice(MODES6)),
    ("encaplimit", IFLA_IPTUN_ENCAP_LIMIT, Unless("none", IFLA_IPTUN_FLAGS, IGN_ENCAP_LIMIT)),
    ("tclass", IFLA_IPTUN_FLOWINFO, Flow(TCLASS, 20, IFLA_IPTUN_FLAGS, USE_ORIG_TCLASS)),
    ("tc", IFLA_IPTUN_FLOWINFO, Flow(TCLASS, 20, IFLA_IPTUN_FLAGS, USE_ORIG_TCLASS)),
    ("tos", IFLA_IPTUN_FLOWINFO, Flow(TCLASS, 20, IFLA_IPTUN_FLAGS, USE_ORIG_TCLASS)),
    ("dsfield", IFLA_IPTUN_FLOWINFO, Flow(TCLASS, 20, IFLA_IPTUN_FLAGS, USE_ORIG_TCLASS)),
    ("flowlabel", IFLA_IPTUN_FLOWINFO, Flow(FLOW_LABEL, 0, IFLA_IPTUN_FLAGS, USE_ORIG_FLOWLABEL)),
    ("fl", IFLA_IPTUN_FLOWINFO, Flow(FLOW_LABEL, 0, IFLA_IPTUN_FLAGS, USE_ORIG_FLOWLABEL)),
    ("dscp", IFLA_IPTUN_FLAGS, Inherited(RCV_DSCP_COPY)),
    ("fwmark", IFLA_IPTUN_FWMARK, Unless("inherit", IFLA_IPTUN_FLAGS, USE_ORIG_FWMARK)),
    ("allow-localremote", IFLA_IPTUN_FLAGS, Bit32(ALLOW_LOCAL_REMOTE, true)),
    ("noallow-localremote", IFLA_IPTUN_FLAGS, Bit32(ALLOW_LOCAL_REMOTE, false)),
];

pub(super) const IPTUN4_PRESETS: &[Preset] = &[
    (IFLA_IPTUN_PROTO, &[0]),
    (IFLA_IPTUN_LINK, &[0; 4]),
    (IFLA_IPTUN_TTL, &[0]),
    (IFLA_IPTUN_TOS, &[0]),
    (IFLA_IPTUN_PMTUDISC, &[1]),
    (IFLA_IPTUN_FWMARK, &[0; 4]),
    (IFLA_IPTUN_ENCAP_TYPE, &[0; 2]),
    (IFLA_IPTUN_ENCAP_FLAGS, &[0; 2]),
    (IFLA_IPTUN_ENCAP_SPORT, &[0; 2]),
    (IFLA_IPTUN_ENCAP_DPORT, &[0; 2]),
];

pub(super) const IPTUN6_PRESETS: &[Preset] = &[
    (IFLA_IPTUN_PROTO, &[0]),
    (IFLA_IPTUN_LINK, &[0; 4]),
    (IFLA_IPTUN_TTL, &[64]),
    (IFLA_IPTUN_ENCAP_LIMIT, &[4]),
    (IFLA_IPTUN_FLOWINFO, &[0; 4]),
    (IFLA_IPTUN_FLAGS, &[0; 4]),
    (IFLA_IPTUN_FWMARK, &[0; 4]),
    (IFLA_IPTUN_ENCAP_TYPE, &[0; 2]),
    (IFLA_IPTUN_ENCAP_FLAGS, CSUM6),
    (IFLA_IPTUN_ENCAP_SPORT, &[0; 2]),
    (IFLA_IPTUN_ENCAP_DPORT, &[0; 2]),
];

pub(super) const VTI: &[Row] = &[
    ("key", IFLA_VTI_IKEY, Keys(IFLA_VTI_OKEY)),
    ("ikey", IFLA_VTI_IKEY, Key),
    ("okey", IFLA_VTI_OKEY, Key),
    ("dev", IFLA_VTI_LINK, Link),
    ("fwmark", IFLA_VTI_FWMARK, U32),
];

pub(super) const VTI4: &[Row] =
    &[("remote", IFLA_VTI_REMOTE, Ipv4), ("local", IFLA_VTI_LOCAL, Ipv4)];

pub(super) const VTI6: &[Row] =
    &[("remote", IFLA_VTI_REMOTE, Ipv6), ("local", IFLA_VTI_LOCAL, Ipv6)];

pub(super) const VTI4_PRESETS: &[Preset] =
    &[(IFLA_VTI_IKEY, &[0; 4]), (IFLA_VTI_OKEY, &[0; 4]), (IFLA_VTI_FWMARK, &[0; 4])];

pub(super) const VTI6_PRESETS: &[Preset] =
    &[(IFLA_VTI_IKEY, &[0; 4]), (IFLA_VTI_OKEY, &[0; 4]), (IFLA_VTI_FWMARK, &[0; 4])];

/// The prefix that 6to4 has without 6rd.
pub(super) fn reset(data: &mut Data) {
    let mut prefix = [0; 16];
    prefix[..2].copy_from_slice(&[0x20, 2]);
    data.insert(IFLA_IPTUN_6RD_PREFIX, prefix.into());
    data.insert(IFLA_IPTUN_6RD_PREFIXLEN, 16_u16.to_ne_bytes().into());
    data.insert(IFLA_IPTUN_6RD_RELAY_PREFIX, [0; 4].into());
    data.insert(IFLA_IPTUN_6RD_RELAY_PREFIXLEN, [0; 2].into());
}

/// What follows from other options, once all are read.
pub(super) fn finish(kind: &str, data: &mut Data) {
    match kind {
        "gre" | "gretap" | "erspan" | "ip6gre" | "ip6gretap" | "ip6erspan" => {
            gre(kind.starts_with("ip6"), data);
        }
        "ipip" | "sit" | "ip6tnl" if data.contains_key(&IFLA_IPTUN_COLLECT_METADATA) => {
            data.retain(|number, _| {
                matches!(*number, IFLA_IPTUN_COLLECT_METADATA | IFLA_IPTUN_PROTO)
            });
        }
        "sit" => {
            if !data.is_empty() {
                data.entry(IFLA_IPTUN_FLAGS).or_insert_with(|| [0; 2].into());
            }
            if data.contains_key(&IFLA_IPTUN_6RD_PREFIX) {
                data.entry(IFLA_IPTUN_6RD_RELAY_PREFIX).or_insert_with(|| [0; 4].into());
                data.entry(IFLA_IPTUN_6RD_RELAY_PREFIXLEN).or_insert_with(|| [0; 2].into());
            }
        }
        "vxlan" => {
            // Who is told by each packet where to go has nothing to learn.
            if data.get(&IFLA_VXLAN_COLLECT_METADATA).is_some_and(|on| on == &[1]) {
                data.insert(IFLA_VXLAN_LEARNING, [0].into());
            }
            if data.contains_key(&IFLA_VXLAN_GPE) {
                data.entry(IFLA_VXLAN_PORT).or_insert_with(|| 4790_u16.to_be_bytes().into());
            }
            // 0 is the usual one.
            data.retain(|number, port| *number != IFLA_VXLAN_PORT || port != &[0; 2]);
        }
        _ => {}
    }
}

fn gre(six: bool, data: &mut Data) {
    if data.contains_key(&IFLA_GRE_COLLECT_METADATA) {
        data.retain(|number, _| *number == IFLA_GRE_COLLECT_METADATA);
        return;
    }
    // A key that was given is a key that packets have. A group is the key where none is given.
    let group = data
        .get(&IFLA_GRE_REMOTE)
        .filter(|remote| !six && remote.first().is_some_and(|first| (224..240).contains(first)));
    let group = group.cloned();
    for (key, flags) in [(IFLA_GRE_IKEY, IFLA_GRE_IFLAGS), (IFLA_GRE_OKEY, IFLA_GRE_OFLAGS)] {
        let given = data.get(&key).is_some_and(|key| key.iter().any(|byte| *byte != 0));
        if let (Some(group), false) = (&group, given) {
            data.insert(key, group.clone());
        } else if !given {
            continue;
        }
        let old = data.get(&flags).and_then(|bytes| bytes.first_chunk()).copied();
        let new = u16::from_be_bytes(old.unwrap_or_default()) | KEY;
        data.insert(flags, new.to_be_bytes().into());
    }
    // Of ERSPAN each version has fields of its own.
    match data.get(&IFLA_GRE_ERSPAN_VER).and_then(|version| version.first()) {
        Some(1) => {
            data.retain(|number, _| !matches!(*number, IFLA_GRE_ERSPAN_DIR | IFLA_GRE_ERSPAN_HWID));
        }
        Some(2) => {
            data.remove(&IFLA_GRE_ERSPAN_INDEX);
            data.entry(IFLA_GRE_ERSPAN_DIR).or_insert_with(|| [0].into());
            data.entry(IFLA_GRE_ERSPAN_HWID).or_insert_with(|| [0; 2].into());
        }
        _ => {}
    }
}
