//! Options of kinds that are no tunnels.

use nl_wire::value::AddressFamily;

use super::Row;
use super::Value::{
    Bit16, Flag, I32, Link, LinkAddress, List, Long, Masked, MaskedNumber, OnOff, Priorities,
    Sources, Table, U8, U16, U32, U64, VlanProtocol, Word, Word16, Word32,
};
use crate::link::words;
// The tables below name most of them.
#[allow(clippy::wildcard_imports)]
use crate::tables::{bridge::*, kind::*};

pub(super) const BRIDGE: &[Row] = &[
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
    ("no_linklocal_learn", IFLA_BR_MULTI_BOOLOPT, MaskedNumber(1)),
    ("mcast_vlan_snooping", IFLA_BR_MULTI_BOOLOPT, MaskedNumber(2)),
    ("mst_enabled", IFLA_BR_MULTI_BOOLOPT, MaskedNumber(4)),
    ("fdb_max_learned", IFLA_BR_FDB_MAX_LEARNED, U32),
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

pub(super) const BRIDGE_PORT: &[Row] = &[
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
    ("nobackup_port", IFLA_BRPORT_BACKUP_PORT, Long(0)),
    ("neigh_vlan_suppress", IFLA_BRPORT_NEIGH_VLAN_SUPPRESS, OnOff),
    ("backup_nhid", IFLA_BRPORT_BACKUP_NHID, U32),
];

pub(super) const MACVLAN: &[Row] = &[
    ("mode", IFLA_MACVLAN_MODE, Word32(&words::MACVLAN_MODES)),
    ("nopromisc", IFLA_MACVLAN_FLAGS, Bit16(1, true)),
    ("nodst", IFLA_MACVLAN_FLAGS, Bit16(2, true)),
    ("bcqueuelen", IFLA_MACVLAN_BC_QUEUE_LEN, U32),
    ("bclim", IFLA_MACVLAN_BC_CUTOFF, I32),
    ("macaddr", IFLA_MACVLAN_MACADDR_MODE, Sources),
];

pub(super) const IPVLAN: &[Row] = &[
    ("mode", IFLA_IPVLAN_MODE, Word16(&words::IPVLAN_MODES)),
    ("private", IFLA_IPVLAN_FLAGS, Bit16(1, true)),
    ("vepa", IFLA_IPVLAN_FLAGS, Bit16(2, true)),
    ("bridge", IFLA_IPVLAN_FLAGS, Bit16(3, false)),
];

pub(super) const VLAN: &[Row] = &[
    ("protocol", IFLA_VLAN_PROTOCOL, VlanProtocol),
    ("id", IFLA_VLAN_ID, U16),
    ("reorder_hdr", IFLA_VLAN_FLAGS, Masked(1)),
    ("gvrp", IFLA_VLAN_FLAGS, Masked(2)),
    ("loose_binding", IFLA_VLAN_FLAGS, Masked(4)),
    ("mvrp", IFLA_VLAN_FLAGS, Masked(8)),
    ("bridge_binding", IFLA_VLAN_FLAGS, Masked(0x10)),
    ("ingress-qos-map", IFLA_VLAN_INGRESS_QOS, Priorities),
    ("egress-qos-map", IFLA_VLAN_EGRESS_QOS, Priorities),
];

pub(super) const BOND: &[Row] = &[
    ("mode", IFLA_BOND_MODE, Word(&words::BOND_MODES)),
    ("clear_active_slave", IFLA_BOND_ACTIVE_SLAVE, Long(0)),
    ("arp_ip_target", IFLA_BOND_ARP_IP_TARGET, List(AddressFamily::INET)),
    ("ns_ip6_target", IFLA_BOND_NS_IP6_TARGET, List(AddressFamily::INET6)),
    ("coupled_control", IFLA_BOND_COUPLED_CONTROL, Word(&words::OFF_ON)),
    ("broadcast_neighbor", IFLA_BOND_BROADCAST_NEIGH, Word(&words::OFF_ON)),
    ("active_slave", IFLA_BOND_ACTIVE_SLAVE, Link),
    ("miimon", IFLA_BOND_MIIMON, U32),
    ("updelay", IFLA_BOND_UPDELAY, U32),
    ("downdelay", IFLA_BOND_DOWNDELAY, U32),
    ("peer_notify_delay", IFLA_BOND_PEER_NOTIF_DELAY, U32),
    ("use_carrier", IFLA_BOND_USE_CARRIER, U8),
    ("arp_interval", IFLA_BOND_ARP_INTERVAL, U32),
    ("arp_validate", IFLA_BOND_ARP_VALIDATE, Word32(&words::ARP_VALIDATE)),
    ("arp_all_targets", IFLA_BOND_ARP_ALL_TARGETS, Word32(&words::ARP_ALL_TARGETS)),
    ("primary", IFLA_BOND_PRIMARY, Link),
    ("primary_reselect", IFLA_BOND_PRIMARY_RESELECT, Word(&words::PRIMARY_RESELECT)),
    ("fail_over_mac", IFLA_BOND_FAIL_OVER_MAC, Word(&words::FAIL_OVER_MAC)),
    ("xmit_hash_policy", IFLA_BOND_XMIT_HASH_POLICY, Word(&words::XMIT_HASH_POLICIES)),
    ("resend_igmp", IFLA_BOND_RESEND_IGMP, U32),
    ("num_grat_arp", IFLA_BOND_NUM_PEER_NOTIF, U8),
    ("num_unsol_na", IFLA_BOND_NUM_PEER_NOTIF, U8),
    ("all_slaves_active", IFLA_BOND_ALL_SLAVES_ACTIVE, U8),
    ("min_links", IFLA_BOND_MIN_LINKS, U32),
    ("lp_interval", IFLA_BOND_LP_INTERVAL, U32),
    ("packets_per_slave", IFLA_BOND_PACKETS_PER_SLAVE, U32),
    ("lacp_rate", IFLA_BOND_AD_LACP_RATE, Word(&words::LACP_RATE)),
    ("lacp_active", IFLA_BOND_AD_LACP_ACTIVE, Word(&words::OFF_ON)),
    ("ad_select", IFLA_BOND_AD_SELECT, Word(&words::AD_SELECT)),
    ("ad_actor_sys_prio", IFLA_BOND_AD_ACTOR_SYS_PRIO, U16),
    ("ad_user_port_key", IFLA_BOND_AD_USER_PORT_KEY, U16),
    ("ad_actor_system", IFLA_BOND_AD_ACTOR_SYSTEM, LinkAddress),
    ("tlb_dynamic_lb", IFLA_BOND_TLB_DYNAMIC_LB, U8),
    ("arp_missed_max", IFLA_BOND_MISSED_MAX, U8),
];

pub(super) const BOND_PORT: &[Row] =
    &[("queue_id", IFLA_BOND_SLAVE_QUEUE_ID, U16), ("prio", IFLA_BOND_SLAVE_PRIO, I32)];

pub(super) const VRF: &[Row] = &[("table", IFLA_VRF_TABLE, Table)];

pub(super) const NETKIT: &[Row] = &[
    ("mode", IFLA_NETKIT_MODE, Word32(&words::NETKIT_MODES)),
    ("forward", IFLA_NETKIT_POLICY, Long(0)),
    ("blackhole", IFLA_NETKIT_POLICY, Long(2)),
    ("scrub", IFLA_NETKIT_SCRUB, Word32(&words::NETKIT_SCRUB)),
];
