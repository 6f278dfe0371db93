//! Bridges and their ports.

use alloc::string::String;
use core::fmt::Write as _;

use super::How::{
    BridgeId, Hex, LinkAddress, LinkOrAny, Number, OnOff, Signed, Time, VlanProtocol, With,
};
use super::{Row, View, pair, word};
use crate::print::Out;
// The tables below name nearly every one of them.
#[allow(clippy::wildcard_imports)]
use crate::tables::bridge::*;

pub(super) const BRIDGE: &[Row] = &[
    (IFLA_BR_FORWARD_DELAY, "forward_delay", "forward_delay ", Number),
    (IFLA_BR_HELLO_TIME, "hello_time", "hello_time ", Number),
    (IFLA_BR_MAX_AGE, "max_age", "max_age ", Number),
    (IFLA_BR_AGEING_TIME, "ageing_time", "ageing_time ", Number),
    (IFLA_BR_STP_STATE, "stp_state", "stp_state ", Number),
    (IFLA_BR_PRIORITY, "priority", "priority ", Number),
    (IFLA_BR_VLAN_FILTERING, "vlan_filtering", "vlan_filtering ", Number),
    (IFLA_BR_VLAN_PROTOCOL, "vlan_protocol", "vlan_protocol ", VlanProtocol),
    (IFLA_BR_BRIDGE_ID, "bridge_id", "bridge_id ", BridgeId),
    // iproute2 6.1 prints the bridge's own once more.
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
    (IFLA_BR_GROUP_FWD_MASK, "group_fwd_mask", "group_fwd_mask ", Hex),
    (IFLA_BR_GROUP_ADDR, "group_addr", "group_address ", LinkAddress),
    (IFLA_BR_MCAST_SNOOPING, "mcast_snooping", "mcast_snooping ", Number),
    (IFLA_BR_MULTI_BOOLOPT, "", "", With(options)),
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

pub(super) const BRIDGE_PORT: &[Row] = &[
    (IFLA_BRPORT_STATE, "", "", With(state)),
    (IFLA_BRPORT_PRIORITY, "priority", "priority ", Number),
    (IFLA_BRPORT_COST, "cost", "cost ", Signed),
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
    (IFLA_BRPORT_GROUP_FWD_MASK, "group_fwd_mask", "group_fwd_mask ", Hex),
    (IFLA_BRPORT_GROUP_FWD_MASK, "", "", With(forwarded)),
    (IFLA_BRPORT_VLAN_TUNNEL, "vlan_tunnel", "vlan_tunnel ", OnOff),
    (IFLA_BRPORT_ISOLATED, "isolated", "isolated ", OnOff),
    (IFLA_BRPORT_LOCKED, "locked", "locked ", OnOff),
    (IFLA_BRPORT_BACKUP_PORT, "backup_port", "backup_port ", LinkOrAny),
];

/// The switches of a bridge: those that the mask says it has.
fn options(out: &mut Out<'_, '_>, view: &View<'_>) {
    // iproute2 6.1 knows two of them.
    const WORDS: [&str; 2] = ["no_linklocal_learn", "mcast_vlan_snooping"];
    let attr = view.get(IFLA_BR_MULTI_BOOLOPT);
    let Some((set, known)) = attr.and_then(|attr| pair(&attr)) else { return };
    for (bit, word) in WORDS.iter().enumerate() {
        if known >> bit & 1 != 0 {
            out.text(format_args!("{word} "));
            out.number(word, "", set >> bit & 1);
        }
    }
}

fn state(out: &mut Out<'_, '_>, view: &View<'_>) {
    const WORDS: [&str; 5] = ["disabled", "listening", "learning", "forwarding", "blocking"];
    let number = view.number(IFLA_BRPORT_STATE);
    if let Some(word) = word(&WORDS, number) {
        out.string("state", "state ", word);
    } else {
        out.text(format_args!("state ({number}) "));
        out.json(|json| json.field("state_index", number));
    }
}

/// Which link-local groups are forwarded, by the last digit of their addresses.
fn forwarded(out: &mut Out<'_, '_>, view: &View<'_>) {
    const WORDS: [(u64, &str); 3] = [(1, "stp"), (4, "lacp"), (0x4000, "lldp")];
    let mask = view.number(IFLA_BRPORT_GROUP_FWD_MASK);
    let mut words = String::new();
    for bit in (0..16).map(|bit| 1 << bit).filter(|bit| mask & bit != 0) {
        let separator = if words.is_empty() { "" } else { "," };
        let _ = match WORDS.iter().find(|row| row.0 == bit) {
            Some((_, word)) => write!(words, "{separator}{word}"),
            None => write!(words, "{separator}{bit:#x}"),
        };
    }
    out.string("group_fwd_mask_str", "group_fwd_mask_str ", if mask == 0 { "0x0" } else { &words });
}
