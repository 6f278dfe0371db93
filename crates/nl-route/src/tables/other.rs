//! Addresses, neighbours, rules, nexthops, namespaces, settings and statistics:
//! `IFA_*`, `NDA_*`, `FRA_*`, `NHA_*`, `NETNSA_*`, `NETCONFA_*` and more.

use nl_wire::layouts;
use nl_wire::table::Table;

use super::link::RTNL_LINK_STATS64;
use super::route::ENCAPS;
use super::traffic::{DISCIPLINES, STAB};
use crate::value::{
    AddressFlags, AddressProtocol, EncapType, GroupType, NeighbourExtFlags, RouteProtocol, TableId,
};

layouts! {
    /// `struct ifa_cacheinfo`: lifetimes in seconds, 4,294,967,295 being for ever; times in
    /// hundredths of a second since the system started.
    pub static IFA_CACHEINFO_LAYOUT: "ifa_cacheinfo" {
        "ifa_prefered": U32;
        "ifa_valid": U32;
        "cstamp": U32;
        "tstamp": U32;
    }
    /// `struct nda_cacheinfo`; times in clock ticks, of which there are 100 a second.
    pub static NDA_CACHEINFO_LAYOUT: "nda_cacheinfo" {
        "ndm_confirmed": U32;
        "ndm_used": U32;
        "ndm_updated": U32;
        "ndm_refcnt": U32;
    }
    /// `struct ndt_config`: how a neighbour table is laid out; times in milliseconds.
    pub static NDT_CONFIG_LAYOUT: "ndt_config" {
        "ndtc_key_len": U16;
        "ndtc_entry_size": U16;
        "ndtc_entries": U32;
        "ndtc_last_flush": U32;
        "ndtc_last_rand": U32;
        "ndtc_hash_rnd": U32;
        "ndtc_hash_mask": U32;
        "ndtc_hash_chain_gc": U32;
        "ndtc_proxy_qlen": U32;
    }
    /// `struct gnet_stats_basic`.
    pub static GNET_STATS_BASIC_LAYOUT: "gnet_stats_basic" { "bytes": U64; "packets": U32; }
    /// `struct gnet_stats_queue`.
    pub static GNET_STATS_QUEUE_LAYOUT: "gnet_stats_queue" {
        "qlen": U32;
        "backlog": U32;
        "drops": U32;
        "requeues": U32;
        "overlimits": U32;
    }
}

nl_wire::attributes! {
    /// Attributes of an address (linux/if_addr.h).
    pub static IFA: "IFA" {
        /// The address; of a point-to-point link the peer's.
        IFA_ADDRESS = 1: Ip;
        /// The local address.
        IFA_LOCAL = 2: Ip;
        IFA_LABEL = 3: Text;
        IFA_BROADCAST = 4: Ipv4;
        IFA_ANYCAST = 5: Ip;
        IFA_CACHEINFO = 6: Struct(&IFA_CACHEINFO_LAYOUT);
        IFA_MULTICAST = 7: Ip;
        /// All flags; the header has room for the first eight only.
        IFA_FLAGS = 8: Named(&U32, AddressFlags::NAMES);
        /// Metric of the route to the prefix.
        IFA_RT_PRIORITY = 9: U32;
        IFA_TARGET_NETNSID = 10: I32;
        IFA_PROTO = 11: Named(&U8, AddressProtocol::NAMES);
    }

    /// Attributes of a neighbour (linux/neighbour.h).
    pub static NDA: "NDA" {
        NDA_DST = 1: Ip;
        NDA_LLADDR = 2: LinkAddress;
        NDA_CACHEINFO = 3: Struct(&NDA_CACHEINFO_LAYOUT);
        NDA_PROBES = 4: U32;
        NDA_VLAN = 5: U16;
        NDA_PORT = 6: U16Be;
        NDA_VNI = 7: U32;
        NDA_IFINDEX = 8: U32;
        NDA_MASTER = 9: U32;
        NDA_LINK_NETNSID = 10: I32;
        NDA_SRC_VNI = 11: U32;
        NDA_PROTOCOL = 12: Named(&U8, RouteProtocol::NAMES);
        NDA_NH_ID = 13: U32;
        NDA_FDB_EXT_ATTRS = 14: Nest(&NFEA);
        NDA_FLAGS_EXT = 15: Named(&U32, NeighbourExtFlags::NAMES);
        NDA_NDM_STATE_MASK = 16: U16;
        NDA_NDM_FLAGS_MASK = 17: U8;
    }

    /// Further attributes of a forwarding entry.
    pub static NFEA: "NFEA" {
        NFEA_ACTIVITY_NOTIFY = 1: U8;
        NFEA_DONT_REFRESH = 2: Flag;
    }

    /// Attributes of a routing rule (linux/fib_rules.h).
    pub static FRA: "FRA" {
        FRA_DST = 1: Ip;
        FRA_SRC = 2: Ip;
        FRA_IIFNAME = 3: Text;
        FRA_GOTO = 4: U32;
        FRA_PRIORITY = 6: U32;
        FRA_FWMARK = 10: U32;
        FRA_FLOW = 11: U32;
        FRA_TUN_ID = 12: U64Be;
        FRA_SUPPRESS_IFGROUP = 13: U32;
        /// -1 is none.
        FRA_SUPPRESS_PREFIXLEN = 14: I32;
        FRA_TABLE = 15: Named(&U32, TableId::NAMES);
        FRA_FWMASK = 16: U32;
        FRA_OIFNAME = 17: Text;
        FRA_PAD = 18: Bytes;
        FRA_L3MDEV = 19: U8;
        FRA_UID_RANGE = 20: Array(&U32);
        FRA_PROTOCOL = 21: Named(&U8, RouteProtocol::NAMES);
        FRA_IP_PROTO = 22: U8;
        FRA_SPORT_RANGE = 23: Array(&U16);
        FRA_DPORT_RANGE = 24: Array(&U16);
        FRA_DSCP = 25: U8;
        FRA_FLOWLABEL = 26: U32Be;
        FRA_FLOWLABEL_MASK = 27: U32Be;
        FRA_SPORT_MASK = 28: U16;
        FRA_DPORT_MASK = 29: U16;
        FRA_DSCP_MASK = 30: U8;
    }

    /// Attributes of a nexthop object (linux/nexthop.h).
    pub static NHA: "NHA" {
        NHA_ID = 1: U32;
        /// `struct nexthop_grp` back to back: id u32, weight - 1 u8, weight_high u8, u16.
        NHA_GROUP = 2: Bytes;
        NHA_GROUP_TYPE = 3: Named(&U16, GroupType::NAMES);
        NHA_BLACKHOLE = 4: Flag;
        NHA_OIF = 5: U32;
        NHA_GATEWAY = 6: Ip;
        NHA_ENCAP_TYPE = 7: Named(&U16, EncapType::NAMES);
        NHA_ENCAP = 8: Choice { by: NHA_ENCAP_TYPE, cases: &ENCAPS };
        NHA_GROUPS = 9: Flag;
        NHA_MASTER = 10: U32;
        NHA_FDB = 11: Flag;
        NHA_RES_GROUP = 12: Nest(&NHA_RES_GROUP_TABLE);
        NHA_RES_BUCKET = 13: Nest(&NHA_RES_BUCKET_TABLE);
        NHA_OP_FLAGS = 14: U32;
        NHA_GROUP_STATS = 15: Nest(&NHA_GROUP_STATS_TABLE);
        NHA_HW_STATS_ENABLE = 16: U32;
        NHA_HW_STATS_USED = 17: U32;
    }

    /// A resilient group.
    pub static NHA_RES_GROUP_TABLE: "NHA_RES_GROUP" {
        NHA_RES_GROUP_PAD = 0: Bytes;
        NHA_RES_GROUP_BUCKETS = 1: U16;
        /// Clock ticks, of which there are 100 a second.
        NHA_RES_GROUP_IDLE_TIMER = 2: U32;
        NHA_RES_GROUP_UNBALANCED_TIMER = 3: U32;
        NHA_RES_GROUP_UNBALANCED_TIME = 4: U64;
    }

    /// A bucket of a resilient group.
    pub static NHA_RES_BUCKET_TABLE: "NHA_RES_BUCKET" {
        NHA_RES_BUCKET_PAD = 0: Bytes;
        NHA_RES_BUCKET_INDEX = 1: U16;
        NHA_RES_BUCKET_IDLE_TIME = 2: U64;
        NHA_RES_BUCKET_NH_ID = 3: U32;
    }

    /// Statistics of a group.
    pub static NHA_GROUP_STATS_TABLE: "NHA_GROUP_STATS" {
        NHA_GROUP_STATS_ENTRY = 1: Nest(&NHA_GROUP_STATS_ENTRY_TABLE);
    }

    /// Statistics of a group member.
    pub static NHA_GROUP_STATS_ENTRY_TABLE: "NHA_GROUP_STATS_ENTRY" {
        NHA_GROUP_STATS_ENTRY_ID = 1: U32;
        NHA_GROUP_STATS_ENTRY_PACKETS = 2: Uint;
        NHA_GROUP_STATS_ENTRY_PACKETS_HW = 3: Uint;
    }

    /// Attributes of a namespace id (linux/net_namespace.h).
    pub static NETNSA: "NETNSA" {
        NETNSA_NSID = 1: I32;
        NETNSA_PID = 2: U32;
        NETNSA_FD = 3: U32;
        NETNSA_TARGET_NSID = 4: I32;
        NETNSA_CURRENT_NSID = 5: I32;
    }

    /// Settings of an interface (linux/netconf.h).
    pub static NETCONFA: "NETCONFA" {
        NETCONFA_IFINDEX = 1: I32;
        NETCONFA_FORWARDING = 2: I32;
        NETCONFA_RP_FILTER = 3: I32;
        NETCONFA_MC_FORWARDING = 4: I32;
        NETCONFA_PROXY_NEIGH = 5: I32;
        NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN = 6: I32;
        NETCONFA_INPUT = 7: I32;
        NETCONFA_BC_FORWARDING = 8: I32;
        NETCONFA_FORCE_FORWARDING = 9: I32;
    }

    /// Attributes of a neighbour table (linux/neighbour.h).
    pub static NDTA: "NDTA" {
        NDTA_NAME = 1: Text;
        NDTA_THRESH1 = 2: U32;
        NDTA_THRESH2 = 3: U32;
        NDTA_THRESH3 = 4: U32;
        NDTA_CONFIG = 5: Struct(&NDT_CONFIG_LAYOUT);
        NDTA_PARMS = 6: Nest(&NDTPA);
        NDTA_STATS = 7: Array(&U64);
        NDTA_GC_INTERVAL = 8: U64;
    }

    /// Parameters of a neighbour table; times in milliseconds.
    pub static NDTPA: "NDTPA" {
        NDTPA_IFINDEX = 1: U32;
        NDTPA_REFCNT = 2: U32;
        NDTPA_REACHABLE_TIME = 3: U64;
        NDTPA_BASE_REACHABLE_TIME = 4: U64;
        NDTPA_RETRANS_TIME = 5: U64;
        NDTPA_GC_STALETIME = 6: U64;
        NDTPA_DELAY_PROBE_TIME = 7: U64;
        NDTPA_QUEUE_LEN = 8: U32;
        NDTPA_APP_PROBES = 9: U32;
        NDTPA_UCAST_PROBES = 10: U32;
        NDTPA_MCAST_PROBES = 11: U32;
        NDTPA_ANYCAST_DELAY = 12: U64;
        NDTPA_PROXY_DELAY = 13: U64;
        NDTPA_PROXY_QLEN = 14: U32;
        NDTPA_LOCKTIME = 15: U64;
        NDTPA_QUEUE_LENBYTES = 16: U32;
        NDTPA_MCAST_REPROBES = 17: U32;
        NDTPA_PAD = 18: Bytes;
        NDTPA_INTERVAL_PROBE_TIME_MS = 19: U64;
    }

    /// Statistics of a link (`RTM_GETSTATS`).
    pub static IFLA_STATS_TABLE: "IFLA_STATS" {
        IFLA_STATS_LINK_64 = 1: Struct(&RTNL_LINK_STATS64);
        IFLA_STATS_LINK_XSTATS = 2: Nest(Table::EMPTY);
        IFLA_STATS_LINK_XSTATS_SLAVE = 3: Nest(Table::EMPTY);
        IFLA_STATS_LINK_OFFLOAD_XSTATS = 4: Nest(Table::EMPTY);
        IFLA_STATS_AF_SPEC = 5: Nest(Table::EMPTY);
    }

    /// An entry of the address label table (linux/if_addrlabel.h).
    pub static IFAL: "IFAL" {
        IFAL_ADDRESS = 1: Ip;
        IFAL_LABEL = 2: U32;
    }

    /// A prefix of a router advertisement.
    pub static PREFIXA: "PREFIX" {
        PREFIX_ADDRESS = 1: Ipv6;
        PREFIX_CACHEINFO = 2: Array(&U32);
    }

    /// Statistics of queueing disciplines, classes and filters (linux/gen_stats.h).
    pub static TCA_STATS2_TABLE: "TCA_STATS" {
        TCA_STATS_BASIC = 1: Struct(&GNET_STATS_BASIC_LAYOUT);
        TCA_STATS_RATE_EST = 2: Array(&U32);
        TCA_STATS_QUEUE = 3: Struct(&GNET_STATS_QUEUE_LAYOUT);
        TCA_STATS_APP = 4: Bytes;
        TCA_STATS_RATE_EST64 = 5: Array(&U64);
        TCA_STATS_PAD = 6: Bytes;
        TCA_STATS_BASIC_HW = 7: Struct(&GNET_STATS_BASIC_LAYOUT);
        TCA_STATS_PKT64 = 8: U64;
    }

    /// Attributes of queueing disciplines, classes and filters.
    pub static TCA: "TCA" {
        TCA_KIND = 1: Text;
        TCA_OPTIONS = 2: Choice { by: TCA_KIND, cases: &DISCIPLINES };
        TCA_STATS = 3: Bytes;
        TCA_XSTATS = 4: Bytes;
        TCA_RATE = 5: Bytes;
        TCA_FCNT = 6: Bytes;
        TCA_STATS2 = 7: Nest(&TCA_STATS2_TABLE);
        TCA_STAB = 8: Nest(&STAB);
        TCA_PAD = 9: Bytes;
        TCA_DUMP_INVISIBLE = 10: Flag;
        TCA_CHAIN = 11: U32;
        TCA_HW_OFFLOAD = 12: U8;
        TCA_INGRESS_BLOCK = 13: U32;
        TCA_EGRESS_BLOCK = 14: U32;
        TCA_DUMP_FLAGS = 15: Bitfield32;
        TCA_EXT_WARN_MSG = 16: Text;
    }
}
