//! Bridges and their ports.

use alloc::vec::Vec;

use super::kinds;
// The structures below name nearly every one of them.
#[allow(clippy::wildcard_imports)]
use crate::tables::bridge::*;

kinds! {
    /// A bridge; times of its protocol in hundredths of a second.
    Bridge {
        /// How long a port listens, and how long it learns, before it forwards
        forward_delay: u32 = IFLA_BR_FORWARD_DELAY, u32;
        /// Between two greetings
        hello_time: u32 = IFLA_BR_HELLO_TIME, u32;
        /// How long a greeting counts
        max_age: u32 = IFLA_BR_MAX_AGE, u32;
        /// How long a forwarding entry is kept unused
        ageing_time: u32 = IFLA_BR_AGEING_TIME, u32;
        /// Whether the spanning tree protocol runs: 0 no, 1 in the kernel, 2 in a program
        stp_state: u32 = IFLA_BR_STP_STATE, u32;
        /// The priority in its id
        priority: u16 = IFLA_BR_PRIORITY, u16;
        /// Whether VLANs are told apart
        vlan_filtering: u8 = IFLA_BR_VLAN_FILTERING, u8;
        /// The Ethernet type of its VLANs
        vlan_protocol: u16 = IFLA_BR_VLAN_PROTOCOL, u16_be;
        /// Which link-local groups are forwarded, a bit each
        group_fwd_mask: u16 = IFLA_BR_GROUP_FWD_MASK, u16;
        /// The id of the root: the priority in network byte order, then the address
        root_id: Vec<u8> = IFLA_BR_ROOT_ID, bytes;
        /// Its own id, laid out likewise
        bridge_id: Vec<u8> = IFLA_BR_BRIDGE_ID, bytes;
        /// The number of the port towards the root
        root_port: u16 = IFLA_BR_ROOT_PORT, u16;
        /// What the way to the root costs
        root_path_cost: u32 = IFLA_BR_ROOT_PATH_COST, u32;
        /// Whether it tells of a change
        topology_change: u8 = IFLA_BR_TOPOLOGY_CHANGE, u8;
        /// Whether it saw a change
        topology_change_detected: u8 = IFLA_BR_TOPOLOGY_CHANGE_DETECTED, u8;
        /// Until the next greeting
        hello_timer: u64 = IFLA_BR_HELLO_TIMER, u64;
        /// Until a change is told again
        tcn_timer: u64 = IFLA_BR_TCN_TIMER, u64;
        /// Until a change is over
        topology_change_timer: u64 = IFLA_BR_TOPOLOGY_CHANGE_TIMER, u64;
        /// Until old forwarding entries are sought
        gc_timer: u64 = IFLA_BR_GC_TIMER, u64;
        /// The group that its protocol speaks to
        group_addr: Vec<u8> = IFLA_BR_GROUP_ADDR, bytes;
        /// In a request: forget all forwarding entries
        fdb_flush: () = IFLA_BR_FDB_FLUSH, flag;
        /// Whether it is a multicast router: 0 never, 1 as queries tell, 2 always
        mcast_router: u8 = IFLA_BR_MCAST_ROUTER, u8;
        /// Whether it learns who wants which group
        mcast_snooping: u8 = IFLA_BR_MCAST_SNOOPING, u8;
        /// Whether queries carry its own address
        mcast_query_use_ifaddr: u8 = IFLA_BR_MCAST_QUERY_USE_IFADDR, u8;
        /// Whether it sends queries
        mcast_querier: u8 = IFLA_BR_MCAST_QUERIER, u8;
        /// Without effect since Linux 4.20
        mcast_hash_elasticity: u32 = IFLA_BR_MCAST_HASH_ELASTICITY, u32;
        /// Most groups that it keeps
        mcast_hash_max: u32 = IFLA_BR_MCAST_HASH_MAX, u32;
        /// Queries sent when a member leaves
        mcast_last_member_cnt: u32 = IFLA_BR_MCAST_LAST_MEMBER_CNT, u32;
        /// Queries sent at first
        mcast_startup_query_cnt: u32 = IFLA_BR_MCAST_STARTUP_QUERY_CNT, u32;
        /// Between queries when a member leaves
        mcast_last_member_intvl: u64 = IFLA_BR_MCAST_LAST_MEMBER_INTVL, u64;
        /// How long a member counts
        mcast_membership_intvl: u64 = IFLA_BR_MCAST_MEMBERSHIP_INTVL, u64;
        /// How long another querier counts
        mcast_querier_intvl: u64 = IFLA_BR_MCAST_QUERIER_INTVL, u64;
        /// Between queries
        mcast_query_intvl: u64 = IFLA_BR_MCAST_QUERY_INTVL, u64;
        /// How long members may take to answer
        mcast_query_response_intvl: u64 = IFLA_BR_MCAST_QUERY_RESPONSE_INTVL, u64;
        /// Between queries at first
        mcast_startup_query_intvl: u64 = IFLA_BR_MCAST_STARTUP_QUERY_INTVL, u64;
        /// Whether iptables sees its IPv4
        nf_call_iptables: u8 = IFLA_BR_NF_CALL_IPTABLES, u8;
        /// Whether ip6tables sees its IPv6
        nf_call_ip6tables: u8 = IFLA_BR_NF_CALL_IP6TABLES, u8;
        /// Whether arptables sees its ARP
        nf_call_arptables: u8 = IFLA_BR_NF_CALL_ARPTABLES, u8;
        /// The VLAN of packets without one
        vlan_default_pvid: u16 = IFLA_BR_VLAN_DEFAULT_PVID, u16;
        /// Whether packets are counted by VLAN
        vlan_stats_enabled: u8 = IFLA_BR_VLAN_STATS_ENABLED, u8;
        /// Whether multicast is counted
        mcast_stats_enabled: u8 = IFLA_BR_MCAST_STATS_ENABLED, u8;
        /// The version of IGMP: 2 or 3
        mcast_igmp_version: u8 = IFLA_BR_MCAST_IGMP_VERSION, u8;
        /// The version of MLD: 1 or 2
        mcast_mld_version: u8 = IFLA_BR_MCAST_MLD_VERSION, u8;
        /// Whether packets are counted by VLAN and port
        vlan_stats_per_port: u8 = IFLA_BR_VLAN_STATS_PER_PORT, u8;
        /// Switches, and which of them are meant: 1 no learning of link-local addresses, 2 multicast by VLAN, 4 multiple spanning trees
        multi_boolopt: [u32; 2] = IFLA_BR_MULTI_BOOLOPT, pair;
        /// Other queriers seen; attributes of [`BRIDGE_QUERIER`]
        mcast_querier_state: Vec<u8> = IFLA_BR_MCAST_QUERIER_STATE, bytes;
        /// Forwarding entries that were learned
        fdb_n_learned: u32 = IFLA_BR_FDB_N_LEARNED, u32;
        /// Most that may be learned; 0 is unlimited
        fdb_max_learned: u32 = IFLA_BR_FDB_MAX_LEARNED, u32;
        /// Who may run the spanning tree protocol
        stp_mode: u32 = IFLA_BR_STP_MODE, u32;
    }
    /// A port of a bridge; times in hundredths of a second.
    BridgePort {
        /// 0 disabled, 1 listening, 2 learning, 3 forwarding, 4 blocking
        state: u8 = IFLA_BRPORT_STATE, u8;
        /// The priority in its id
        priority: u16 = IFLA_BRPORT_PRIORITY, u16;
        /// What it costs to send by it
        cost: u32 = IFLA_BRPORT_COST, u32;
        /// Whether packets may leave where they came in
        hairpin: u8 = IFLA_BRPORT_MODE, u8;
        /// Whether greetings are ignored
        guard: u8 = IFLA_BRPORT_GUARD, u8;
        /// Whether the root may not be behind it
        root_block: u8 = IFLA_BRPORT_PROTECT, u8;
        /// Whether members leave without a query
        fast_leave: u8 = IFLA_BRPORT_FAST_LEAVE, u8;
        /// Whether addresses are learned
        learning: u8 = IFLA_BRPORT_LEARNING, u8;
        /// Whether it gets packets to unknown addresses
        unicast_flood: u8 = IFLA_BRPORT_UNICAST_FLOOD, u8;
        /// Whether ARP is answered for others
        proxyarp: u8 = IFLA_BRPORT_PROXYARP, u8;
        /// Whether what the device learned is taken over
        learning_sync: u8 = IFLA_BRPORT_LEARNING_SYNC, u8;
        /// The same as 802.11 wants it
        proxyarp_wifi: u8 = IFLA_BRPORT_PROXYARP_WIFI, u8;
        /// The id of the root: the priority in network byte order, then the address
        root_id: Vec<u8> = IFLA_BRPORT_ROOT_ID, bytes;
        /// The id of the bridge towards the root
        bridge_id: Vec<u8> = IFLA_BRPORT_BRIDGE_ID, bytes;
        /// The id of that bridge's port
        designated_port: u16 = IFLA_BRPORT_DESIGNATED_PORT, u16;
        /// What the way to the root costs that bridge
        designated_cost: u16 = IFLA_BRPORT_DESIGNATED_COST, u16;
        /// Its id
        id: u16 = IFLA_BRPORT_ID, u16;
        /// Its number
        no: u16 = IFLA_BRPORT_NO, u16;
        /// Whether a change is to be acknowledged
        topology_change_ack: u8 = IFLA_BRPORT_TOPOLOGY_CHANGE_ACK, u8;
        /// Whether a greeting waits
        config_pending: u8 = IFLA_BRPORT_CONFIG_PENDING, u8;
        /// Until the last greeting is too old
        message_age_timer: u64 = IFLA_BRPORT_MESSAGE_AGE_TIMER, u64;
        /// Until the next state
        forward_delay_timer: u64 = IFLA_BRPORT_FORWARD_DELAY_TIMER, u64;
        /// Until it may greet again
        hold_timer: u64 = IFLA_BRPORT_HOLD_TIMER, u64;
        /// In a request: forget its forwarding entries
        flush: () = IFLA_BRPORT_FLUSH, flag;
        /// Whether a multicast router is behind it: 0 never, 1 as queries tell, 2 always, 3 for a while
        multicast_router: u8 = IFLA_BRPORT_MULTICAST_ROUTER, u8;
        /// Whether it gets multicast of unknown groups
        mcast_flood: u8 = IFLA_BRPORT_MCAST_FLOOD, u8;
        /// Whether each member gets a copy of its own
        mcast_to_ucast: u8 = IFLA_BRPORT_MCAST_TO_UCAST, u8;
        /// Whether VLANs are mapped to tunnels
        vlan_tunnel: u8 = IFLA_BRPORT_VLAN_TUNNEL, u8;
        /// Whether it gets broadcasts
        bcast_flood: u8 = IFLA_BRPORT_BCAST_FLOOD, u8;
        /// Which link-local groups are forwarded, a bit each
        group_fwd_mask: u16 = IFLA_BRPORT_GROUP_FWD_MASK, u16;
        /// Whether ARP and neighbour discovery are answered instead of flooded
        neigh_suppress: u8 = IFLA_BRPORT_NEIGH_SUPPRESS, u8;
        /// Whether it reaches only ports that are not isolated
        isolated: u8 = IFLA_BRPORT_ISOLATED, u8;
        /// The index of the port that takes over; 0 is none
        backup_port: u32 = IFLA_BRPORT_BACKUP_PORT, u32;
        /// Whether its media redundancy ring is open
        mrp_ring_open: u8 = IFLA_BRPORT_MRP_RING_OPEN, u8;
        /// Whether the ring between rings is open
        mrp_in_open: u8 = IFLA_BRPORT_MRP_IN_OPEN, u8;
        /// Most hosts whose groups are kept
        mcast_eht_hosts_limit: u32 = IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT, u32;
        /// Hosts whose groups are kept
        mcast_eht_hosts_cnt: u32 = IFLA_BRPORT_MCAST_EHT_HOSTS_CNT, u32;
        /// Whether only known addresses may send
        locked: u8 = IFLA_BRPORT_LOCKED, u8;
        /// Whether unknown ones are noted, to be let in
        mab: u8 = IFLA_BRPORT_MAB, u8;
        /// Groups that it has
        mcast_n_groups: u32 = IFLA_BRPORT_MCAST_N_GROUPS, u32;
        /// Most groups that it may have; 0 is unlimited
        mcast_max_groups: u32 = IFLA_BRPORT_MCAST_MAX_GROUPS, u32;
        /// As `neigh_suppress`, where the VLAN says so
        neigh_vlan_suppress: u8 = IFLA_BRPORT_NEIGH_VLAN_SUPPRESS, u8;
        /// The nexthop object that the backup sends by
        backup_nhid: u32 = IFLA_BRPORT_BACKUP_NHID, u32;
        /// Whether unasked announcements are forwarded though answers are given
        neigh_forward_grat: u8 = IFLA_BRPORT_NEIGH_FORWARD_GRAT, u8;
    }
}
