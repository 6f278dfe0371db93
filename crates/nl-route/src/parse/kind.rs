//! Options of the kinds of links, behind `type KIND`: a table a kind.

use alloc::format;
use alloc::vec::Vec;
use core::net::IpAddr;

use nl_wire::Writer;
use nl_wire::value::AddressFamily;

use super::{WordError, Words, escaped, wrong};
use crate::names::{NameKind, parse_number};
// The tables below name most of them.
#[allow(clippy::wildcard_imports)]
use crate::tables::{bridge::*, kind::*, tunnel::*};

/// How the value of an option is read and written.
#[derive(Clone, Copy)]
enum Value {
    /// A number of one, two or four bytes.
    U8,
    U16,
    U32,
    U64,
    /// The same in network byte order.
    U16Be,
    U32Be,
    /// `on` or `off`, a byte.
    OnOff,
    /// The word itself means this byte.
    Byte(u8),
    /// The word itself is all; the attribute is empty.
    Flag,
    /// One of these words, or its number; a byte or four.
    Word(&'static [&'static str]),
    Word16(&'static [&'static str]),
    Word32(&'static [&'static str]),
    /// A link.
    Link,
    /// An address: this attribute for IPv4, that for IPv6.
    Ip(u16),
    /// A link-layer address.
    LinkAddress,
    /// A VLAN protocol.
    VlanProtocol,
    /// Type of service or time to live: a number, or `inherit` for the other byte.
    Inherit(u8),
    /// Two ports.
    PortRange,
    /// A routing table.
    Table,
    /// A key, plain or dotted; with the flags that it turns on.
    Key(u16, u16),
}

use Value::{
    Byte, Flag, Inherit, Ip, Key, Link, LinkAddress, OnOff, PortRange, Table, U8, U16, U16Be, U32,
    U32Be, U64, VlanProtocol, Word, Word16, Word32,
};

/// An option: its word, its attribute, its value.
type Row = (&'static str, u16, Value);

const BRIDGE: &[Row] = &[
    ("forward_delay", IFLA_BR_FORWARD_DELAY, U32),
    ("hello_time", IFLA_BR_HELLO_TIME, U32),
    ("max_age", IFLA_BR_MAX_AGE, U32),
    ("ageing_time", IFLA_BR_AGEING_TIME, U32),
    ("stp_state", IFLA_BR_STP_STATE, U32),
    ("priority", IFLA_BR_PRIORITY, U16),
    ("vlan_filtering", IFLA_BR_VLAN_FILTERING, U8),
    ("vlan_protocol", IFLA_BR_VLAN_PROTOCOL, VlanProtocol),
    ("vlan_default_pvid", IFLA_BR_VLAN_DEFAULT_PVID, U16),
    ("vlan_stats_enabled", IFLA_BR_VLAN_STATS_ENABLED, U8),
    ("vlan_stats_per_port", IFLA_BR_VLAN_STATS_PER_PORT, U8),
    ("group_fwd_mask", IFLA_BR_GROUP_FWD_MASK, U16),
    ("group_address", IFLA_BR_GROUP_ADDR, LinkAddress),
    ("fdb_flush", IFLA_BR_FDB_FLUSH, Flag),
    ("mcast_router", IFLA_BR_MCAST_ROUTER, U8),
    ("mcast_snooping", IFLA_BR_MCAST_SNOOPING, U8),
    ("mcast_query_use_ifaddr", IFLA_BR_MCAST_QUERY_USE_IFADDR, U8),
    ("mcast_querier", IFLA_BR_MCAST_QUERIER, U8),
    ("mcast_hash_elasticity", IFLA_BR_MCAST_HASH_ELASTICITY, U32),
    ("mcast_hash_max", IFLA_BR_MCAST_HASH_MAX, U32),
    ("mcast_last_member_count", IFLA_BR_MCAST_LAST_MEMBER_CNT, U32),
    ("mcast_startup_query_count", IFLA_BR_MCAST_STARTUP_QUERY_CNT, U32),
    ("mcast_last_member_interval", IFLA_BR_MCAST_LAST_MEMBER_INTVL, U64),
    ("mcast_membership_interval", IFLA_BR_MCAST_MEMBERSHIP_INTVL, U64),
    ("mcast_querier_interval", IFLA_BR_MCAST_QUERIER_INTVL, U64),
    ("mcast_query_interval", IFLA_BR_MCAST_QUERY_INTVL, U64),
    ("mcast_query_response_interval", IFLA_BR_MCAST_QUERY_RESPONSE_INTVL, U64),
    ("mcast_startup_query_interval", IFLA_BR_MCAST_STARTUP_QUERY_INTVL, U64),
    ("mcast_stats_enabled", IFLA_BR_MCAST_STATS_ENABLED, U8),
    ("mcast_igmp_version", IFLA_BR_MCAST_IGMP_VERSION, U8),
    ("mcast_mld_version", IFLA_BR_MCAST_MLD_VERSION, U8),
    ("nf_call_iptables", IFLA_BR_NF_CALL_IPTABLES, U8),
    ("nf_call_ip6tables", IFLA_BR_NF_CALL_IP6TABLES, U8),
    ("nf_call_arptables", IFLA_BR_NF_CALL_ARPTABLES, U8),
];

const BRIDGE_PORT: &[Row] = &[
    ("fdb_flush", IFLA_BRPORT_FLUSH, Flag),
    ("state", IFLA_BRPORT_STATE, U8),
    ("priority", IFLA_BRPORT_PRIORITY, U16),
    ("cost", IFLA_BRPORT_COST, U32),
    ("hairpin", IFLA_BRPORT_MODE, OnOff),
    ("guard", IFLA_BRPORT_GUARD, OnOff),
    ("root_block", IFLA_BRPORT_PROTECT, OnOff),
    ("fastleave", IFLA_BRPORT_FAST_LEAVE, OnOff),
    ("learning", IFLA_BRPORT_LEARNING, OnOff),
    ("flood", IFLA_BRPORT_UNICAST_FLOOD, OnOff),
    ("proxy_arp", IFLA_BRPORT_PROXYARP, OnOff),
    ("proxy_arp_wifi", IFLA_BRPORT_PROXYARP_WIFI, OnOff),
    ("mcast_router", IFLA_BRPORT_MULTICAST_ROUTER, U8),
    ("mcast_fast_leave", IFLA_BRPORT_FAST_LEAVE, OnOff),
    ("mcast_flood", IFLA_BRPORT_MCAST_FLOOD, OnOff),
    ("bcast_flood", IFLA_BRPORT_BCAST_FLOOD, OnOff),
    ("mcast_to_unicast", IFLA_BRPORT_MCAST_TO_UCAST, OnOff),
    ("group_fwd_mask", IFLA_BRPORT_GROUP_FWD_MASK, U16),
    ("neigh_suppress", IFLA_BRPORT_NEIGH_SUPPRESS, OnOff),
    ("vlan_tunnel", IFLA_BRPORT_VLAN_TUNNEL, OnOff),
    ("isolated", IFLA_BRPORT_ISOLATED, OnOff),
    ("locked", IFLA_BRPORT_LOCKED, OnOff),
    ("mab", IFLA_BRPORT_MAB, OnOff),
    ("backup_port", IFLA_BRPORT_BACKUP_PORT, Link),
];

const VXLAN: &[Row] = &[
    ("id", IFLA_VXLAN_ID, U32),
    ("vni", IFLA_VXLAN_ID, U32),
    ("group", IFLA_VXLAN_GROUP, Ip(IFLA_VXLAN_GROUP6)),
    ("remote", IFLA_VXLAN_GROUP, Ip(IFLA_VXLAN_GROUP6)),
    ("local", IFLA_VXLAN_LOCAL, Ip(IFLA_VXLAN_LOCAL6)),
    ("dev", IFLA_VXLAN_LINK, Link),
    ("ttl", IFLA_VXLAN_TTL, Inherit(0)),
    ("hoplimit", IFLA_VXLAN_TTL, Inherit(0)),
    ("tos", IFLA_VXLAN_TOS, Inherit(1)),
    ("dsfield", IFLA_VXLAN_TOS, Inherit(1)),
    ("df", IFLA_VXLAN_DF, Word(&["unset", "set", "inherit"])),
    ("label", IFLA_VXLAN_LABEL, U32Be),
    ("flowlabel", IFLA_VXLAN_LABEL, U32Be),
    ("ageing", IFLA_VXLAN_AGEING, U32),
    ("maxaddress", IFLA_VXLAN_LIMIT, U32),
    ("srcport", IFLA_VXLAN_PORT_RANGE, PortRange),
    ("port", IFLA_VXLAN_PORT_RANGE, PortRange),
    ("dstport", IFLA_VXLAN_PORT, U16Be),
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

const GENEVE_ROWS: &[Row] = &[
    ("id", IFLA_GENEVE_ID, U32),
    ("vni", IFLA_GENEVE_ID, U32),
    ("remote", IFLA_GENEVE_REMOTE, Ip(IFLA_GENEVE_REMOTE6)),
    ("ttl", IFLA_GENEVE_TTL, Inherit(0)),
    ("tos", IFLA_GENEVE_TOS, Inherit(1)),
    ("df", IFLA_GENEVE_DF, Word(&["unset", "set", "inherit"])),
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

const MACVLAN_ROWS: &[Row] = &[
    (
        "mode",
        IFLA_MACVLAN_MODE,
        // Bits, not numbers.
        Word32(&["", "private", "vepa", "", "bridge", "", "", "", "passthru"]),
    ),
    ("bcqueuelen", IFLA_MACVLAN_BC_QUEUE_LEN, U32),
];

const IPVLAN_ROWS: &[Row] = &[("mode", IFLA_IPVLAN_MODE, Word16(&["l2", "l3", "l3s"]))];

const VLAN_ROWS: &[Row] =
    &[("protocol", IFLA_VLAN_PROTOCOL, VlanProtocol), ("id", IFLA_VLAN_ID, U16)];

const BOND_MODES: &[&str] = &[
    "balance-rr",
    "active-backup",
    "balance-xor",
    "broadcast",
    "802.3ad",
    "balance-tlb",
    "balance-alb",
];

const BOND_ROWS: &[Row] = &[
    ("mode", IFLA_BOND_MODE, Word(BOND_MODES)),
    ("active_slave", IFLA_BOND_ACTIVE_SLAVE, Link),
    ("miimon", IFLA_BOND_MIIMON, U32),
    ("updelay", IFLA_BOND_UPDELAY, U32),
    ("downdelay", IFLA_BOND_DOWNDELAY, U32),
    ("peer_notify_delay", IFLA_BOND_PEER_NOTIF_DELAY, U32),
    ("use_carrier", IFLA_BOND_USE_CARRIER, U8),
    ("arp_interval", IFLA_BOND_ARP_INTERVAL, U32),
    (
        "arp_validate",
        IFLA_BOND_ARP_VALIDATE,
        Word32(&["none", "active", "backup", "all", "filter", "filter_active", "filter_backup"]),
    ),
    ("arp_all_targets", IFLA_BOND_ARP_ALL_TARGETS, Word32(&["any", "all"])),
    ("primary", IFLA_BOND_PRIMARY, Link),
    ("primary_reselect", IFLA_BOND_PRIMARY_RESELECT, Word(&["always", "better", "failure"])),
    ("fail_over_mac", IFLA_BOND_FAIL_OVER_MAC, Word(&["none", "active", "follow"])),
    (
        "xmit_hash_policy",
        IFLA_BOND_XMIT_HASH_POLICY,
        Word(&["layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"]),
    ),
    ("resend_igmp", IFLA_BOND_RESEND_IGMP, U32),
    ("num_grat_arp", IFLA_BOND_NUM_PEER_NOTIF, U8),
    ("num_unsol_na", IFLA_BOND_NUM_PEER_NOTIF, U8),
    ("all_slaves_active", IFLA_BOND_ALL_SLAVES_ACTIVE, U8),
    ("min_links", IFLA_BOND_MIN_LINKS, U32),
    ("lp_interval", IFLA_BOND_LP_INTERVAL, U32),
    ("packets_per_slave", IFLA_BOND_PACKETS_PER_SLAVE, U32),
    ("lacp_rate", IFLA_BOND_AD_LACP_RATE, Word(&["slow", "fast"])),
    ("lacp_active", IFLA_BOND_AD_LACP_ACTIVE, Word(&["off", "on"])),
    ("ad_select", IFLA_BOND_AD_SELECT, Word(&["stable", "bandwidth", "count"])),
    ("ad_actor_sys_prio", IFLA_BOND_AD_ACTOR_SYS_PRIO, U16),
    ("ad_user_port_key", IFLA_BOND_AD_USER_PORT_KEY, U16),
    ("ad_actor_system", IFLA_BOND_AD_ACTOR_SYSTEM, LinkAddress),
    ("tlb_dynamic_lb", IFLA_BOND_TLB_DYNAMIC_LB, U8),
    ("arp_missed_max", IFLA_BOND_MISSED_MAX, U8),
];

const BOND_PORT: &[Row] =
    &[("queue_id", IFLA_BOND_SLAVE_QUEUE_ID, U16), ("prio", IFLA_BOND_SLAVE_PRIO, U32)];

const VRF_ROWS: &[Row] = &[("table", IFLA_VRF_TABLE, Table)];

const GRE_ROWS: &[Row] = &[
    ("remote", IFLA_GRE_REMOTE, Ip(IFLA_GRE_REMOTE)),
    ("local", IFLA_GRE_LOCAL, Ip(IFLA_GRE_LOCAL)),
    ("dev", IFLA_GRE_LINK, Link),
    ("ttl", IFLA_GRE_TTL, Inherit(0)),
    ("hoplimit", IFLA_GRE_TTL, Inherit(0)),
    ("tos", IFLA_GRE_TOS, Inherit(1)),
    ("key", IFLA_GRE_IKEY, Key(IFLA_GRE_OKEY, 0x2000)),
    ("ikey", IFLA_GRE_IKEY, Key(0, 0x2000)),
    ("okey", IFLA_GRE_OKEY, Key(0, 0x2000)),
    ("pmtudisc", IFLA_GRE_PMTUDISC, Byte(1)),
    ("nopmtudisc", IFLA_GRE_PMTUDISC, Byte(0)),
    ("external", IFLA_GRE_COLLECT_METADATA, Flag),
    ("fwmark", IFLA_GRE_FWMARK, U32),
    ("erspan", IFLA_GRE_ERSPAN_INDEX, U32),
    ("erspan_ver", IFLA_GRE_ERSPAN_VER, U8),
];

const IPTUN_ROWS: &[Row] = &[
    ("remote", IFLA_IPTUN_REMOTE, Ip(IFLA_IPTUN_REMOTE)),
    ("local", IFLA_IPTUN_LOCAL, Ip(IFLA_IPTUN_LOCAL)),
    ("dev", IFLA_IPTUN_LINK, Link),
    ("ttl", IFLA_IPTUN_TTL, Inherit(0)),
    ("hoplimit", IFLA_IPTUN_TTL, Inherit(0)),
    ("tos", IFLA_IPTUN_TOS, Inherit(1)),
    ("pmtudisc", IFLA_IPTUN_PMTUDISC, Byte(1)),
    ("nopmtudisc", IFLA_IPTUN_PMTUDISC, Byte(0)),
    ("encaplimit", IFLA_IPTUN_ENCAP_LIMIT, U8),
    ("external", IFLA_IPTUN_COLLECT_METADATA, Flag),
    ("fwmark", IFLA_IPTUN_FWMARK, U32),
];

const NETKIT_ROWS: &[Row] = &[("mode", IFLA_NETKIT_MODE, Word32(&["l2", "l3"]))];

/// The table of each kind; kinds without one take no options.
const KINDS: [(&str, &[Row]); 24] = [
    ("bridge", BRIDGE),
    ("bridge_slave", BRIDGE_PORT),
    ("vxlan", VXLAN),
    ("geneve", GENEVE_ROWS),
    ("macvlan", MACVLAN_ROWS),
    ("macvtap", MACVLAN_ROWS),
    ("ipvlan", IPVLAN_ROWS),
    ("ipvtap", IPVLAN_ROWS),
    ("vlan", VLAN_ROWS),
    ("bond", BOND_ROWS),
    ("bond_slave", BOND_PORT),
    ("vrf", VRF_ROWS),
    ("gre", GRE_ROWS),
    ("gretap", GRE_ROWS),
    ("ip6gre", GRE_ROWS),
    ("ip6gretap", GRE_ROWS),
    ("erspan", GRE_ROWS),
    ("ip6erspan", GRE_ROWS),
    ("ipip", IPTUN_ROWS),
    ("sit", IPTUN_ROWS),
    ("ip6tnl", IPTUN_ROWS),
    ("netkit", NETKIT_ROWS),
    ("veth", &[]),
    ("vxcan", &[]),
];

/// Reads the options of `kind` up to the end; `None` if there are none. What is in no table is
/// offered to `other`.
pub(super) fn data<'a, S: AsRef<str>>(
    kind: &str,
    words: &mut Words<'a, S>,
    mut other: impl FnMut(&str, &mut Words<'a, S>) -> Result<bool, WordError>,
) -> Result<Option<Vec<u8>>, WordError> {
    let rows = KINDS.iter().find(|row| row.0 == kind).map_or(&[][..], |row| row.1);
    let mut bytes = Vec::new();
    while let Some(word) = words.next() {
        if other(word, words)? {
            continue;
        }
        let Some(row) = rows.iter().find(|row| row.0 == word) else {
            let text = format!(
                "{}: unknown command \"{}\"?",
                escaped(kind.strip_suffix("_slave").unwrap_or(kind)),
                escaped(word)
            );
            return Err(WordError { text, code: 255 });
        };
        option(row, words, &mut Writer::attributes(&mut bytes))?;
    }
    Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
}

fn option<S: AsRef<str>>(
    &(key, number, value): &Row,
    words: &mut Words<'_, S>,
    writer: &mut Writer<'_>,
) -> Result<(), WordError> {
    let reason = format!("invalid {key}");
    let small = |number: u32, word: &str| u16::try_from(number).map_err(|_| wrong(word, &reason));
    match value {
        U8 => {
            let value = words.number(255, &reason)?;
            writer.u8(number, value.to_le_bytes()[0]);
        }
        U16 => writer.u16(number, words.port(&reason)?),
        U16Be => writer.u16_be(number, words.port(&reason)?),
        U32 => writer.u32(number, words.number(u32::MAX, &reason)?),
        U64 => writer.u64(number, words.number(u32::MAX, &reason)?.into()),
        U32Be => writer.u32_be(number, words.number(u32::MAX, &reason)?),
        OnOff => {
            let word = words.value()?;
            match word {
                "on" | "1" => writer.u8(number, 1),
                "off" | "0" => writer.u8(number, 0),
                _ => return Err(wrong(word, &reason)),
            }
        }
        Byte(byte) => writer.u8(number, byte),
        Flag => writer.flag(number),
        Word(choices) | Word16(choices) | Word32(choices) => {
            let word = words.value()?;
            let named = choices.iter().position(|choice| !choice.is_empty() && *choice == word);
            let found = named.and_then(|index| u32::try_from(index).ok());
            let found = found.or_else(|| {
                parse_number(word)
                    .filter(|index| usize::try_from(*index).is_ok_and(|i| i < choices.len()))
            });
            let found = found.ok_or_else(|| wrong(word, &reason))?;
            match value {
                Word(_) => writer.u8(number, found.to_le_bytes()[0]),
                Word16(_) => writer.u16(number, small(found, word)?),
                _ => writer.u32(number, found),
            }
        }
        Link => writer.u32(number, words.link()?),
        Ip(other) => {
            let address = words.address(AddressFamily::UNSPEC)?;
            writer.ip(if matches!(address, IpAddr::V4(_)) { number } else { other }, address);
        }
        LinkAddress => {
            let word = words.value()?;
            let bytes = super::neighbour::link_address(word)?;
            writer.bytes(number, &bytes).map_err(|_| wrong(word, &reason))?;
        }
        VlanProtocol => {
            let word = words.value()?;
            let protocol = match word.to_ascii_lowercase().as_str() {
                "802.1q" => 0x8100,
                "802.1ad" => 0x88a8,
                _ => return Err(wrong(word, "protocol is invalid")),
            };
            writer.u16_be(number, protocol);
        }
        Inherit(inherited) => {
            let word = words.value()?;
            let byte = match word {
                "inherit" => Some(inherited),
                "auto" => Some(0),
                _ => parse_number(word).and_then(|number| u8::try_from(number).ok()),
            };
            writer.u8(number, byte.ok_or_else(|| wrong(word, &reason))?);
        }
        PortRange => {
            let [low0, low1] = words.port("min port")?.to_be_bytes();
            let [high0, high1] = words.port("max port")?.to_be_bytes();
            let written = writer.bytes(number, &[low0, low1, high0, high1]);
            written.map_err(|_| wrong(key, &reason))?;
        }
        Table => writer.u32(number, words.named(NameKind::Table, "invalid table ID")?),
        Key(other, flag) => {
            let word = words.value()?;
            let dotted = word.parse().map(core::net::Ipv4Addr::to_bits).ok();
            let bits = dotted.or_else(|| parse_number(word));
            let bits = bits.ok_or_else(|| wrong(word, &reason))?;
            writer.u32_be(number, bits);
            let flags =
                |number| if number == IFLA_GRE_IKEY { IFLA_GRE_IFLAGS } else { IFLA_GRE_OFLAGS };
            writer.u16_be(flags(number), flag);
            if other != 0 {
                writer.u32_be(other, bits);
                writer.u16_be(flags(other), flag);
            }
        }
    }
    Ok(())
}
