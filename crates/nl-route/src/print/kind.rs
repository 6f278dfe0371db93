//! What `ip -d link` prints of the kind of a link.

use core::fmt;

use nl_wire::attr::{Attr, Attrs};
use nl_wire::text::Colons;

use super::{Context, Out};
use crate::link::LinkInfo;
// The tables below name nearly every one of them.
#[allow(clippy::wildcard_imports)]
use crate::tables::{bridge::*, kind::*, tunnel::*};

/// How the value of an attribute is printed.
#[derive(Clone, Copy)]
enum How {
    /// A number of the attribute's own width.
    Number,
    /// The same, a string of hexadecimal digits with `0x`.
    Hex,
    /// The same, a string of hexadecimal digits.
    BareHex,
    /// `true` or `false`; in text `on` or `off`.
    OnOff,
    /// `true` or `false`; in text the label, with `no` before it if it is off.
    Prefixed,
    /// As `Prefixed`, but nothing in text where it is the usual.
    Unless(bool),
    /// As `Prefixed`, but nothing at all where it is off.
    IfSet,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A time in hundredths of a second.
    Time,
    /// `prio.address` of a bridge.
    BridgeId,
    /// A link-layer address.
    LinkAddress,
    /// A number in network byte order.
    Port,
    /// A link by its index.
    Link,
    /// An IP address other than all zeros.
    Ip,
}

/// A row of a kind's table: the attribute, its key in JSON, its label in text.
type Row = (u16, &'static str, &'static str, How);

use How::{
    BareHex, BridgeId, Hex, IfSet, Ip, Link, LinkAddress, Number, OnOff, Port, Prefixed, Time,
    Unless, Word,
};

const BRIDGE: &[Row] = &[
    (IFLA_BR_FORWARD_DELAY, "forward_delay", "forward_delay ", Number),
    (IFLA_BR_HELLO_TIME, "hello_time", "hello_time ", Number),
    (IFLA_BR_MAX_AGE, "max_age", "max_age ", Number),
    (IFLA_BR_AGEING_TIME, "ageing_time", "ageing_time ", Number),
    (IFLA_BR_STP_STATE, "stp_state", "stp_state ", Number),
    (IFLA_BR_PRIORITY, "priority", "priority ", Number),
    (IFLA_BR_VLAN_FILTERING, "vlan_filtering", "vlan_filtering ", Number),
    (IFLA_BR_VLAN_PROTOCOL, "vlan_protocol", "vlan_protocol ", Word(&[])),
    (IFLA_BR_BRIDGE_ID, "bridge_id", "bridge_id ", BridgeId),
    (IFLA_BR_ROOT_ID, "root_id", "designated_root ", BridgeId),
    (IFLA_BR_ROOT_PORT, "root_port", "root_port ", Number),
    (IFLA_BR_ROOT_PATH_COST, "root_path_cost", "root_path_cost ", Number),
    (IFLA_BR_TOPOLOGY_CHANGE, "topology_change", "topology_change ", Number),
    (
        IFLA_BR_TOPOLOGY_CHANGE_DETECTED,
        "topology_change_detected",
        "topology_change_detected ",
        Number,
    ),
    (IFLA_BR_HELLO_TIMER, "hello_timer", "hello_timer ", Time),
    (IFLA_BR_TCN_TIMER, "tcn_timer", "tcn_timer ", Time),
    (IFLA_BR_TOPOLOGY_CHANGE_TIMER, "topology_change_timer", "topology_change_timer ", Time),
    (IFLA_BR_GC_TIMER, "gc_timer", "gc_timer ", Time),
    (IFLA_BR_VLAN_DEFAULT_PVID, "vlan_default_pvid", "vlan_default_pvid ", Number),
    (IFLA_BR_VLAN_STATS_ENABLED, "vlan_stats_enabled", "vlan_stats_enabled ", Number),
    (IFLA_BR_VLAN_STATS_PER_PORT, "vlan_stats_per_port", "vlan_stats_per_port ", Number),
    (IFLA_BR_GROUP_FWD_MASK, "group_fwd_mask", "group_fwd_mask ", BareHex),
    (IFLA_BR_GROUP_ADDR, "group_addr", "group_address ", LinkAddress),
    (IFLA_BR_MCAST_SNOOPING, "mcast_snooping", "mcast_snooping ", Number),
    (IFLA_BR_MULTI_BOOLOPT, "", "", Number),
    (IFLA_BR_MCAST_ROUTER, "mcast_router", "mcast_router ", Number),
    (IFLA_BR_MCAST_QUERY_USE_IFADDR, "mcast_query_use_ifaddr", "mcast_query_use_ifaddr ", Number),
    (IFLA_BR_MCAST_QUERIER, "mcast_querier", "mcast_querier ", Number),
    (IFLA_BR_MCAST_HASH_ELASTICITY, "mcast_hash_elasticity", "mcast_hash_elasticity ", Number),
    (IFLA_BR_MCAST_HASH_MAX, "mcast_hash_max", "mcast_hash_max ", Number),
    (IFLA_BR_MCAST_LAST_MEMBER_CNT, "mcast_last_member_cnt", "mcast_last_member_count ", Number),
    (
        IFLA_BR_MCAST_STARTUP_QUERY_CNT,
        "mcast_startup_query_cnt",
        "mcast_startup_query_count ",
        Number,
    ),
    (
        IFLA_BR_MCAST_LAST_MEMBER_INTVL,
        "mcast_last_member_intvl",
        "mcast_last_member_interval ",
        Number,
    ),
    (
        IFLA_BR_MCAST_MEMBERSHIP_INTVL,
        "mcast_membership_intvl",
        "mcast_membership_interval ",
        Number,
    ),
    (IFLA_BR_MCAST_QUERIER_INTVL, "mcast_querier_intvl", "mcast_querier_interval ", Number),
    (IFLA_BR_MCAST_QUERY_INTVL, "mcast_query_intvl", "mcast_query_interval ", Number),
    (
        IFLA_BR_MCAST_QUERY_RESPONSE_INTVL,
        "mcast_query_response_intvl",
        "mcast_query_response_interval ",
        Number,
    ),
    (
        IFLA_BR_MCAST_STARTUP_QUERY_INTVL,
        "mcast_startup_query_intvl",
        "mcast_startup_query_interval ",
        Number,
    ),
    (IFLA_BR_MCAST_STATS_ENABLED, "mcast_stats_enabled", "mcast_stats_enabled ", Number),
    (IFLA_BR_MCAST_IGMP_VERSION, "mcast_igmp_version", "mcast_igmp_version ", Number),
    (IFLA_BR_MCAST_MLD_VERSION, "mcast_mld_version", "mcast_mld_version ", Number),
    (IFLA_BR_NF_CALL_IPTABLES, "nf_call_iptables", "nf_call_iptables ", Number),
    (IFLA_BR_NF_CALL_IP6TABLES, "nf_call_ip6tables", "nf_call_ip6tables ", Number),
    (IFLA_BR_NF_CALL_ARPTABLES, "nf_call_arptables", "nf_call_arptables ", Number),
];

const BRIDGE_PORT: &[Row] = &[
    (
        IFLA_BRPORT_STATE,
        "state",
        "state ",
        Word(&["disabled", "listening", "learning", "forwarding", "blocking"]),
    ),
    (IFLA_BRPORT_PRIORITY, "priority", "priority ", Number),
    (IFLA_BRPORT_COST, "cost", "cost ", Number),
    (IFLA_BRPORT_MODE, "hairpin", "hairpin ", OnOff),
    (IFLA_BRPORT_GUARD, "guard", "guard ", OnOff),
    (IFLA_BRPORT_PROTECT, "root_block", "root_block ", OnOff),
    (IFLA_BRPORT_FAST_LEAVE, "fastleave", "fastleave ", OnOff),
    (IFLA_BRPORT_LEARNING, "learning", "learning ", OnOff),
    (IFLA_BRPORT_UNICAST_FLOOD, "flood", "flood ", OnOff),
    (IFLA_BRPORT_ID, "id", "port_id ", Hex),
    (IFLA_BRPORT_NO, "no", "port_no ", Hex),
    (IFLA_BRPORT_DESIGNATED_PORT, "designated_port", "designated_port ", Number),
    (IFLA_BRPORT_DESIGNATED_COST, "designated_cost", "designated_cost ", Number),
    (IFLA_BRPORT_BRIDGE_ID, "bridge_id", "designated_bridge ", BridgeId),
    (IFLA_BRPORT_ROOT_ID, "root_id", "designated_root ", BridgeId),
    (IFLA_BRPORT_HOLD_TIMER, "hold_timer", "hold_timer ", Time),
    (IFLA_BRPORT_MESSAGE_AGE_TIMER, "message_age_timer", "message_age_timer ", Time),
    (IFLA_BRPORT_FORWARD_DELAY_TIMER, "forward_delay_timer", "forward_delay_timer ", Time),
    (IFLA_BRPORT_TOPOLOGY_CHANGE_ACK, "topology_change_ack", "topology_change_ack ", Number),
    (IFLA_BRPORT_CONFIG_PENDING, "config_pending", "config_pending ", Number),
    (IFLA_BRPORT_PROXYARP, "proxy_arp", "proxy_arp ", OnOff),
    (IFLA_BRPORT_PROXYARP_WIFI, "proxy_arp_wifi", "proxy_arp_wifi ", OnOff),
    (IFLA_BRPORT_MULTICAST_ROUTER, "multicast_router", "mcast_router ", Number),
    // In text once more, under its other name.
    (IFLA_BRPORT_FAST_LEAVE, "", "mcast_fast_leave ", OnOff),
    (IFLA_BRPORT_MCAST_FLOOD, "mcast_flood", "mcast_flood ", OnOff),
    (IFLA_BRPORT_BCAST_FLOOD, "bcast_flood", "bcast_flood ", OnOff),
    (IFLA_BRPORT_MCAST_TO_UCAST, "mcast_to_unicast", "mcast_to_unicast ", OnOff),
    (IFLA_BRPORT_NEIGH_SUPPRESS, "neigh_suppress", "neigh_suppress ", OnOff),
    (IFLA_BRPORT_GROUP_FWD_MASK, "group_fwd_mask", "group_fwd_mask ", BareHex),
    (IFLA_BRPORT_GROUP_FWD_MASK, "group_fwd_mask_str", "group_fwd_mask_str ", Hex),
    (IFLA_BRPORT_VLAN_TUNNEL, "vlan_tunnel", "vlan_tunnel ", OnOff),
    (IFLA_BRPORT_ISOLATED, "isolated", "isolated ", OnOff),
    (IFLA_BRPORT_LOCKED, "locked", "locked ", OnOff),
    (IFLA_BRPORT_BACKUP_PORT, "backup_port", "backup_port ", Link),
];

const VXLAN: &[Row] = &[
    (IFLA_VXLAN_COLLECT_METADATA, "external", "external ", IfSet),
    (IFLA_VXLAN_ID, "id", "id ", Number),
    (IFLA_VXLAN_GROUP, "", "", Ip),
    (IFLA_VXLAN_GROUP6, "6", "", Ip),
    (IFLA_VXLAN_LOCAL, "local", "local ", Ip),
    (IFLA_VXLAN_LOCAL6, "local6", "local ", Ip),
    (IFLA_VXLAN_LINK, "link", "dev ", Link),
    (IFLA_VXLAN_PORT_RANGE, "port_range", "srcport ", Port),
    (IFLA_VXLAN_PORT, "port", "dstport ", Port),
    (IFLA_VXLAN_LEARNING, "learning", "learning ", Unless(true)),
    (IFLA_VXLAN_PROXY, "proxy", "proxy ", IfSet),
    (IFLA_VXLAN_RSC, "rsc", "rsc ", IfSet),
    (IFLA_VXLAN_L2MISS, "l2miss", "l2miss ", IfSet),
    (IFLA_VXLAN_L3MISS, "l3miss", "l3miss ", IfSet),
    (IFLA_VXLAN_TOS, "tos", "tos ", Hex),
    (IFLA_VXLAN_TTL, "ttl", "ttl ", Number),
    (IFLA_VXLAN_DF, "df", "df ", Word(&["unset", "set", "inherit"])),
    (IFLA_VXLAN_LABEL, "label", "flowlabel ", Hex),
    (IFLA_VXLAN_AGEING, "ageing", "ageing ", Number),
    (IFLA_VXLAN_LIMIT, "limit", "maxaddr ", Number),
    (IFLA_VXLAN_UDP_CSUM, "udp_csum", "udpcsum ", Prefixed),
    (IFLA_VXLAN_UDP_ZERO_CSUM6_TX, "udp_zero_csum6_tx", "udp6zerocsumtx ", Prefixed),
    (IFLA_VXLAN_UDP_ZERO_CSUM6_RX, "udp_zero_csum6_rx", "udp6zerocsumrx ", Prefixed),
    (IFLA_VXLAN_REMCSUM_TX, "remcsum_tx", "remcsumtx ", IfSet),
    (IFLA_VXLAN_REMCSUM_RX, "remcsum_rx", "remcsumrx ", IfSet),
    (IFLA_VXLAN_GBP, "gbp", "gbp ", IfSet),
    (IFLA_VXLAN_GPE, "gpe", "gpe ", IfSet),
];

const MACVLAN_MODES: &[&str] = &["", "private", "vepa", "", "bridge", "", "", "", "passthru"];

const MACVLAN_ROWS: &[Row] = &[
    (IFLA_MACVLAN_MODE, "mode", "mode ", Word(MACVLAN_MODES)),
    (IFLA_MACVLAN_BC_QUEUE_LEN, "bcqueuelen", "bcqueuelen ", Number),
    (IFLA_MACVLAN_BC_QUEUE_LEN_USED, "usedbcqueuelen", "usedbcqueuelen ", Number),
];

const TUN_ROWS: &[Row] = &[
    (IFLA_TUN_TYPE, "type", "type ", Word(&["", "tun", "tap"])),
    (IFLA_TUN_PI, "pi", "pi ", OnOff),
    (IFLA_TUN_VNET_HDR, "vnet_hdr", "vnet_hdr ", OnOff),
    (IFLA_TUN_MULTI_QUEUE, "multi_queue", "multi_queue ", IfSet),
    (IFLA_TUN_NUM_QUEUES, "numqueues", "numqueues ", Number),
    (IFLA_TUN_NUM_DISABLED_QUEUES, "numdisabled", "numdisabled ", Number),
    (IFLA_TUN_PERSIST, "persist", "persist ", OnOff),
];

const VLAN_ROWS: &[Row] = &[
    (IFLA_VLAN_PROTOCOL, "protocol", "protocol ", Word(&[])),
    (IFLA_VLAN_ID, "id", "id ", Number),
];

const VRF_ROWS: &[Row] = &[(IFLA_VRF_TABLE, "table", "table ", Number)];
const VRF_PORT_ROWS: &[Row] = &[(IFLA_VRF_PORT_TABLE, "table", "table ", Number)];

/// Appends what a link of `kind` has of its own, if that kind has a table here.
pub(super) fn info_data(
    out: &mut Out<'_, '_>,
    kind: &[u8],
    info: &LinkInfo,
    context: &Context<'_>,
) {
    let rows = match kind {
        b"bridge" => BRIDGE,
        b"vxlan" => VXLAN,
        b"macvlan" | b"macvtap" => MACVLAN_ROWS,
        b"tun" => TUN_ROWS,
        b"vlan" => VLAN_ROWS,
        b"vrf" => VRF_ROWS,
        _ => return,
    };
    if info.raw_data.is_some() {
        data(out, "info_data", rows, &info.data(), context);
    }
}

/// Appends what the master of `kind` keeps of its port.
pub(super) fn slave_data(
    out: &mut Out<'_, '_>,
    kind: &[u8],
    info: &LinkInfo,
    context: &Context<'_>,
) {
    let rows = match kind {
        b"bridge" => BRIDGE_PORT,
        b"vrf" => VRF_PORT_ROWS,
        _ => return,
    };
    if info.raw_slave_data.is_some() {
        data(out, "info_slave_data", rows, &info.slave_data(), context);
    }
}

fn data(out: &mut Out<'_, '_>, key: &str, rows: &[Row], attrs: &Attrs<'_>, context: &Context<'_>) {
    out.begin_object(key);
    for row in rows {
        let found = attrs.clone().flatten().filter(|attr| attr.number() == row.0).last();
        if let Some(attr) = found {
            field(out, row, &attr, context);
        }
    }
    out.end_object();
}

fn field(out: &mut Out<'_, '_>, row: &Row, attr: &Attr<'_>, context: &Context<'_>) {
    let (_, key, label, how) = *row;
    let number = number(attr);
    let on = attr.payload.is_empty() || number != 0;
    match how {
        Number if row.0 == IFLA_BR_MULTI_BOOLOPT && key.is_empty() => {
            let words = ["no_linklocal_learn", "mcast_vlan_snooping", "mst_enabled"];
            let (set, known) = (attr.u32().unwrap_or(0), second(attr));
            // iproute2 6.1 knows two of them.
            for (bit, word) in words.iter().enumerate().take(2) {
                if known >> bit & 1 != 0 {
                    out.text(format_args!("{word} "));
                    out.number(word, "", set >> bit & 1);
                }
            }
        }
        Number if label == "ttl " && number == 0 => {
            out.json(|json| json.field(key, 0));
            out.text("ttl auto ");
        }
        Number if matches!(key, "ageing" | "limit") && number == 0 => {
            if key == "ageing" {
                out.json(|json| json.field(key, 0));
                out.text("ageing none ");
            }
        }
        Number => out.number(key, label, number),
        Hex if matches!(key, "tos" | "label") => {
            let number = if key == "label" { attr.u32_be().unwrap_or(0).into() } else { number };
            if number == 1 && key == "tos" {
                out.string(key, label, "inherit");
            } else if number != 0 {
                out.string(key, label, format_args!("{number:#x}"));
            }
        }
        Hex => out.string(key, label, format_args!("{number:#x}")),
        BareHex => out.string(key, label, format_args!("{number:x}")),
        OnOff => {
            out.text(format_args!("{label}{} ", if on { "on" } else { "off" }));
            if !key.is_empty() {
                out.json(|json| json.field(key, on));
            }
        }
        Prefixed => {
            out.text(format_args!("{}{label}", if on { "" } else { "no" }));
            out.json(|json| json.field(key, on));
        }
        Unless(usual) => {
            if on != usual {
                out.text(format_args!("{}{label}", if on { "" } else { "no" }));
            }
            out.json(|json| json.field(key, on));
        }
        IfSet => {
            if on {
                out.text(label);
            }
            if on || matches!(key, "multi_queue") {
                out.json(|json| json.field(key, on));
            }
        }
        Word([]) => match attr.u16_be() {
            Ok(0x8100) => out.string(key, label, "802.1Q"),
            Ok(0x88a8) => out.string(key, label, "802.1ad"),
            Ok(other) => out.string(key, label, format_args!("[{other:x}]")),
            Err(_) => {}
        },
        Word(words) => {
            let word = usize::try_from(number).ok().and_then(|index| words.get(index));
            let word = word.copied().filter(|word| !word.is_empty());
            if key == "df" {
                out.json(|json| json.field(key, word.unwrap_or("unknown")));
                if number != 0 {
                    out.text(format_args!("{label}{} ", word.unwrap_or("unknown")));
                }
                return;
            }
            match word {
                Some(word) => out.string(key, label, word),
                None if key == "mode" => out.string(key, label, ""),
                None => out.string(key, label, number),
            }
        }
        Time => {
            let (seconds, rest) = (number / 100, number % 100);
            out.json(|json| {
                json.key(key);
                json.number(format_args!("{seconds}.{rest:02}"));
            });
            out.text(format_args!("{label}{seconds:>4}.{rest:02} "));
        }
        BridgeId => out.string(key, label, Id(attr.payload)),
        LinkAddress => out.string(key, label, Colons(attr.payload)),
        Port => match attr.payload {
            &[l0, l1, h0, h1] => {
                let (low, high) = (u16::from_be_bytes([l0, l1]), u16::from_be_bytes([h0, h1]));
                out.begin_object(key);
                out.number("low", label, low);
                out.number("high", "", high);
                out.end_object();
            }
            _ => out.number(key, label, attr.u16_be().unwrap_or(0)),
        },
        Link => {
            if number != 0 {
                let index = u32::try_from(number).unwrap_or(0);
                out.string(key, label, context.names.link(index));
            }
        }
        Ip => ip(out, key, label, attr),
    }
}

/// An address of a VXLAN; the far one is called after whether it is a group.
fn ip(out: &mut Out<'_, '_>, key: &str, label: &str, attr: &Attr<'_>) {
    let Ok(address) = attr.ip() else { return };
    if address.is_unspecified() {
        return;
    }
    if !label.is_empty() {
        return out.string(key, label, address);
    }
    match (address.is_multicast(), key) {
        (true, "6") => out.string("group6", "group ", address),
        (true, _) => out.string("group", "group ", address),
        (false, "6") => out.string("remote6", "remote ", address),
        (false, _) => out.string("remote", "remote ", address),
    }
}

/// A number in host byte order, as wide as the payload is.
fn number(attr: &Attr<'_>) -> u64 {
    match attr.payload.len() {
        0 => Ok(0),
        1 => attr.u8().map(u64::from),
        2 | 3 => attr.u16().map(u64::from),
        4..=7 => attr.u32().map(u64::from),
        _ => attr.u64(),
    }
    .unwrap_or(0)
}

/// The second of two 32-bit numbers.
fn second(attr: &Attr<'_>) -> u32 {
    match attr.payload {
        [_, _, _, _, a, b, c, d, ..] => u32::from_ne_bytes([*a, *b, *c, *d]),
        _ => 0,
    }
}

/// `struct ifla_bridge_id` as ip writes it: the address without leading zeros.
struct Id<'a>(&'a [u8]);

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((priority, address)) = self.0.split_first_chunk::<2>() else { return Ok(()) };
        write!(f, "{:x}.", u16::from_be_bytes(*priority))?;
        for (index, byte) in address.iter().take(6).enumerate() {
            write!(f, "{}{byte:x}", if index == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}
