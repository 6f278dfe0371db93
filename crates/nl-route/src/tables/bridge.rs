//! `IFLA_BR_*`, `IFLA_BRPORT_*` (linux/if_link.h) and `IFLA_BRIDGE_*` (linux/if_bridge.h).

use nl_wire::layouts;
use nl_wire::table::Table;

use super::record::structs;
use crate::value::RouteProtocol;

structs! {
    /// A multicast group of a port
    BridgeGroup = BR_MDB_ENTRY "br_mdb_entry" {
        /// The index of the port.
        ifindex: u32,
        /// 1 it stays.
        state: u8,
        /// What it is besides.
        flags: u8,
        /// The VLAN; 0 is none.
        vid: u16,
        /// The group, in network byte order, as long as its protocol has it.
        addr: [u8; 16],
        /// The Ethernet type of its protocol in network byte order; 0 is a link-layer address.
        proto: u16,
        /// Nothing.
        pad: u16,
    }
}

layouts! {
    /// What stands before the attributes of a port with a router.
    pub static ROUTER_PORT: "" { "ifindex": U32; }
    /// `struct ifla_bridge_id`.
    pub static IFLA_BRIDGE_ID: "ifla_bridge_id" {
        "prio": U16Be;
        "addr[0]": U8;
        "addr[1]": U8;
        "addr[2]": U8;
        "addr[3]": U8;
        "addr[4]": U8;
        "addr[5]": U8;
    }
    /// `struct br_boolopt_multi`.
    pub static BR_BOOLOPT_MULTI: "br_boolopt_multi" {
        "optval": U32;
        "optmask": U32;
    }
    /// `struct bridge_vlan_info`.
    pub static BRIDGE_VLAN_INFO: "bridge_vlan_info" {
        "flags": U16;
        "vid": U16;
    }
}

nl_wire::attributes! {
    /// A bridge; times in hundredths of a second.
    pub static BR: "IFLA_BR" {
        IFLA_BR_FORWARD_DELAY = 1: U32;
        IFLA_BR_HELLO_TIME = 2: U32;
        IFLA_BR_MAX_AGE = 3: U32;
        IFLA_BR_AGEING_TIME = 4: U32;
        IFLA_BR_STP_STATE = 5: U32;
        IFLA_BR_PRIORITY = 6: U16;
        IFLA_BR_VLAN_FILTERING = 7: U8;
        IFLA_BR_VLAN_PROTOCOL = 8: U16Be;
        IFLA_BR_GROUP_FWD_MASK = 9: U16;
        IFLA_BR_ROOT_ID = 10: Struct(&IFLA_BRIDGE_ID);
        IFLA_BR_BRIDGE_ID = 11: Struct(&IFLA_BRIDGE_ID);
        IFLA_BR_ROOT_PORT = 12: U16;
        IFLA_BR_ROOT_PATH_COST = 13: U32;
        IFLA_BR_TOPOLOGY_CHANGE = 14: U8;
        IFLA_BR_TOPOLOGY_CHANGE_DETECTED = 15: U8;
        IFLA_BR_HELLO_TIMER = 16: U64;
        IFLA_BR_TCN_TIMER = 17: U64;
        IFLA_BR_TOPOLOGY_CHANGE_TIMER = 18: U64;
        IFLA_BR_GC_TIMER = 19: U64;
        IFLA_BR_GROUP_ADDR = 20: LinkAddress;
        IFLA_BR_FDB_FLUSH = 21: Flag;
        IFLA_BR_MCAST_ROUTER = 22: U8;
        IFLA_BR_MCAST_SNOOPING = 23: U8;
        IFLA_BR_MCAST_QUERY_USE_IFADDR = 24: U8;
        IFLA_BR_MCAST_QUERIER = 25: U8;
        IFLA_BR_MCAST_HASH_ELASTICITY = 26: U32;
        IFLA_BR_MCAST_HASH_MAX = 27: U32;
        IFLA_BR_MCAST_LAST_MEMBER_CNT = 28: U32;
        IFLA_BR_MCAST_STARTUP_QUERY_CNT = 29: U32;
        IFLA_BR_MCAST_LAST_MEMBER_INTVL = 30: U64;
        IFLA_BR_MCAST_MEMBERSHIP_INTVL = 31: U64;
        IFLA_BR_MCAST_QUERIER_INTVL = 32: U64;
        IFLA_BR_MCAST_QUERY_INTVL = 33: U64;
        IFLA_BR_MCAST_QUERY_RESPONSE_INTVL = 34: U64;
        IFLA_BR_MCAST_STARTUP_QUERY_INTVL = 35: U64;
        IFLA_BR_NF_CALL_IPTABLES = 36: U8;
        IFLA_BR_NF_CALL_IP6TABLES = 37: U8;
        IFLA_BR_NF_CALL_ARPTABLES = 38: U8;
        IFLA_BR_VLAN_DEFAULT_PVID = 39: U16;
        IFLA_BR_PAD = 40: Bytes;
        IFLA_BR_VLAN_STATS_ENABLED = 41: U8;
        IFLA_BR_MCAST_STATS_ENABLED = 42: U8;
        IFLA_BR_MCAST_IGMP_VERSION = 43: U8;
        IFLA_BR_MCAST_MLD_VERSION = 44: U8;
        IFLA_BR_VLAN_STATS_PER_PORT = 45: U8;
        IFLA_BR_MULTI_BOOLOPT = 46: Struct(&BR_BOOLOPT_MULTI);
        IFLA_BR_MCAST_QUERIER_STATE = 47: Nest(&BRIDGE_QUERIER);
        IFLA_BR_FDB_N_LEARNED = 48: U32;
        IFLA_BR_FDB_MAX_LEARNED = 49: U32;
        IFLA_BR_STP_MODE = 50: U32;
    }

    /// A port of a bridge.
    pub static BRPORT: "IFLA_BRPORT" {
        IFLA_BRPORT_STATE = 1: U8;
        IFLA_BRPORT_PRIORITY = 2: U16;
        IFLA_BRPORT_COST = 3: U32;
        IFLA_BRPORT_MODE = 4: U8;
        IFLA_BRPORT_GUARD = 5: U8;
        IFLA_BRPORT_PROTECT = 6: U8;
        IFLA_BRPORT_FAST_LEAVE = 7: U8;
        IFLA_BRPORT_LEARNING = 8: U8;
        IFLA_BRPORT_UNICAST_FLOOD = 9: U8;
        IFLA_BRPORT_PROXYARP = 10: U8;
        IFLA_BRPORT_LEARNING_SYNC = 11: U8;
        IFLA_BRPORT_PROXYARP_WIFI = 12: U8;
        IFLA_BRPORT_ROOT_ID = 13: Struct(&IFLA_BRIDGE_ID);
        IFLA_BRPORT_BRIDGE_ID = 14: Struct(&IFLA_BRIDGE_ID);
        IFLA_BRPORT_DESIGNATED_PORT = 15: U16;
        IFLA_BRPORT_DESIGNATED_COST = 16: U16;
        IFLA_BRPORT_ID = 17: U16;
        IFLA_BRPORT_NO = 18: U16;
        IFLA_BRPORT_TOPOLOGY_CHANGE_ACK = 19: U8;
        IFLA_BRPORT_CONFIG_PENDING = 20: U8;
        IFLA_BRPORT_MESSAGE_AGE_TIMER = 21: U64;
        IFLA_BRPORT_FORWARD_DELAY_TIMER = 22: U64;
        IFLA_BRPORT_HOLD_TIMER = 23: U64;
        IFLA_BRPORT_FLUSH = 24: Flag;
        IFLA_BRPORT_MULTICAST_ROUTER = 25: U8;
        IFLA_BRPORT_PAD = 26: Bytes;
        IFLA_BRPORT_MCAST_FLOOD = 27: U8;
        IFLA_BRPORT_MCAST_TO_UCAST = 28: U8;
        IFLA_BRPORT_VLAN_TUNNEL = 29: U8;
        IFLA_BRPORT_BCAST_FLOOD = 30: U8;
        IFLA_BRPORT_GROUP_FWD_MASK = 31: U16;
        IFLA_BRPORT_NEIGH_SUPPRESS = 32: U8;
        IFLA_BRPORT_ISOLATED = 33: U8;
        IFLA_BRPORT_BACKUP_PORT = 34: U32;
        IFLA_BRPORT_MRP_RING_OPEN = 35: U8;
        IFLA_BRPORT_MRP_IN_OPEN = 36: U8;
        IFLA_BRPORT_MCAST_EHT_HOSTS_LIMIT = 37: U32;
        IFLA_BRPORT_MCAST_EHT_HOSTS_CNT = 38: U32;
        IFLA_BRPORT_LOCKED = 39: U8;
        IFLA_BRPORT_MAB = 40: U8;
        IFLA_BRPORT_MCAST_N_GROUPS = 41: U32;
        IFLA_BRPORT_MCAST_MAX_GROUPS = 42: U32;
        IFLA_BRPORT_NEIGH_VLAN_SUPPRESS = 43: U8;
        IFLA_BRPORT_BACKUP_NHID = 44: U32;
        IFLA_BRPORT_NEIGH_FORWARD_GRAT = 45: U8;
    }

    /// The multicast querier that a bridge has seen.
    pub static BRIDGE_QUERIER: "BRIDGE_QUERIER" {
        BRIDGE_QUERIER_IP_ADDRESS = 1: Ipv4;
        BRIDGE_QUERIER_IP_PORT = 2: U32;
        BRIDGE_QUERIER_IP_OTHER_TIMER = 3: U64;
        BRIDGE_QUERIER_PAD = 4: Bytes;
        BRIDGE_QUERIER_IPV6_ADDRESS = 5: Ipv6;
        BRIDGE_QUERIER_IPV6_PORT = 6: U32;
        BRIDGE_QUERIER_IPV6_OTHER_TIMER = 7: U64;
    }

    /// `IFLA_AF_SPEC` of the bridge family.
    pub static IFLA_BRIDGE: "IFLA_BRIDGE" {
        IFLA_BRIDGE_FLAGS = 0: U16;
        IFLA_BRIDGE_MODE = 1: U16;
        IFLA_BRIDGE_VLAN_INFO = 2: Struct(&BRIDGE_VLAN_INFO);
        IFLA_BRIDGE_VLAN_TUNNEL_INFO = 3: Nest(Table::EMPTY);
        IFLA_BRIDGE_MRP = 4: Nest(Table::EMPTY);
        IFLA_BRIDGE_CFM = 5: Nest(Table::EMPTY);
        IFLA_BRIDGE_MST = 6: Nest(Table::EMPTY);
    }

    /// Multicast groups of bridges.
    pub static MDBA: "MDBA" {
        MDBA_MDB = 1: Nest(&MDBA_MDB_TABLE);
        MDBA_ROUTER = 2: Nest(&MDBA_ROUTER_TABLE);
    }

    /// Those of a bridge.
    pub static MDBA_MDB_TABLE: "MDBA_MDB" {
        MDBA_MDB_ENTRY = 1: Nest(&MDBA_MDB_ENTRY_TABLE);
    }

    /// Ports that have joined a group.
    pub static MDBA_MDB_ENTRY_TABLE: "MDBA_MDB_ENTRY" {
        MDBA_MDB_ENTRY_INFO = 1: Headed(&BR_MDB_ENTRY, &MDBA_MDB_EATTR);
    }

    /// A port that has; times in hundredths of a second.
    pub static MDBA_MDB_EATTR: "MDBA_MDB_EATTR" {
        MDBA_MDB_EATTR_TIMER = 1: U32;
        MDBA_MDB_EATTR_SRC_LIST = 2: Nest(&MDBA_MDB_SRCLIST);
        MDBA_MDB_EATTR_GROUP_MODE = 3: U8;
        MDBA_MDB_EATTR_SOURCE = 4: Ip;
        MDBA_MDB_EATTR_RTPROT = 5: Named(&U8, RouteProtocol::NAMES);
    }

    /// Sources of a group.
    pub static MDBA_MDB_SRCLIST: "MDBA_MDB_SRCLIST" {
        MDBA_MDB_SRCLIST_ENTRY = 1: Nest(&MDBA_MDB_SRCATTR);
    }

    /// A source.
    pub static MDBA_MDB_SRCATTR: "MDBA_MDB_SRCATTR" {
        MDBA_MDB_SRCATTR_ADDRESS = 1: Ip;
        MDBA_MDB_SRCATTR_TIMER = 2: U32;
    }

    /// Ports with multicast routers.
    pub static MDBA_ROUTER_TABLE: "MDBA_ROUTER" {
        MDBA_ROUTER_PORT = 1: Headed(&ROUTER_PORT, &MDBA_ROUTER_PATTR);
    }

    /// A port with one; times in hundredths of a second.
    pub static MDBA_ROUTER_PATTR: "MDBA_ROUTER_PATTR" {
        MDBA_ROUTER_PATTR_TIMER = 1: U32;
        MDBA_ROUTER_PATTR_TYPE = 2: U8;
        MDBA_ROUTER_PATTR_INET_TIMER = 3: U32;
        MDBA_ROUTER_PATTR_INET6_TIMER = 4: U32;
        MDBA_ROUTER_PATTR_VID = 5: U16;
    }
}
