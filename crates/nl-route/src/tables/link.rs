//! `IFLA_*` (linux/if_link.h): links, without what is particular to a kind.

use nl_wire::layouts;
use nl_wire::table::{Key, Payload, Table};

use super::{bridge, kind};
use crate::value::{AddrGenMode, ExtMask, LinkEvent, LinkMode, OperState};

/// What `IFLA_INFO_DATA` holds, by kind.
static KINDS: [(Key, Payload); 30] = [
    (Key::Text("vlan"), Payload::Nest(&kind::VLAN)),
    (Key::Text("bridge"), Payload::Nest(&bridge::BR)),
    (Key::Text("bond"), Payload::Nest(&kind::BOND)),
    (Key::Text("vxlan"), Payload::Nest(&kind::VXLAN)),
    (Key::Text("geneve"), Payload::Nest(&kind::GENEVE)),
    (Key::Text("gre"), Payload::Nest(&kind::GRE)),
    (Key::Text("gretap"), Payload::Nest(&kind::GRE)),
    (Key::Text("ip6gre"), Payload::Nest(&kind::GRE)),
    (Key::Text("ip6gretap"), Payload::Nest(&kind::GRE)),
    (Key::Text("erspan"), Payload::Nest(&kind::GRE)),
    (Key::Text("ip6erspan"), Payload::Nest(&kind::GRE)),
    (Key::Text("ipip"), Payload::Nest(&kind::IPTUN)),
    (Key::Text("sit"), Payload::Nest(&kind::IPTUN)),
    (Key::Text("ip6tnl"), Payload::Nest(&kind::IPTUN)),
    (Key::Text("vti"), Payload::Nest(&kind::VTI)),
    (Key::Text("vti6"), Payload::Nest(&kind::VTI)),
    (Key::Text("macvlan"), Payload::Nest(&kind::MACVLAN)),
    (Key::Text("macvtap"), Payload::Nest(&kind::MACVLAN)),
    (Key::Text("ipvlan"), Payload::Nest(&kind::IPVLAN)),
    (Key::Text("ipvtap"), Payload::Nest(&kind::IPVLAN)),
    (Key::Text("veth"), Payload::Nest(&kind::VETH)),
    (Key::Text("vxcan"), Payload::Nest(&kind::VETH)),
    (Key::Text("netkit"), Payload::Nest(&kind::NETKIT)),
    (Key::Text("vrf"), Payload::Nest(&kind::VRF)),
    (Key::Text("xfrm"), Payload::Nest(&kind::XFRM)),
    (Key::Text("macsec"), Payload::Nest(&kind::MACSEC)),
    (Key::Text("tun"), Payload::Nest(&kind::TUN)),
    (Key::Text("hsr"), Payload::Nest(&kind::HSR)),
    (Key::Text("bareudp"), Payload::Nest(&kind::BAREUDP)),
    (Key::Text("gtp"), Payload::Nest(&kind::GTP)),
];

/// What `IFLA_INFO_SLAVE_DATA` holds, by the master's kind.
static SLAVE_KINDS: [(Key, Payload); 3] = [
    (Key::Text("bridge"), Payload::Nest(&bridge::BRPORT)),
    (Key::Text("bond"), Payload::Nest(&kind::BOND_SLAVE)),
    (Key::Text("vrf"), Payload::Nest(&kind::VRF_PORT)),
];

layouts! {
    /// `struct rtnl_link_stats`.
    pub static RTNL_LINK_STATS: "rtnl_link_stats" {
        "rx_packets": U32;
        "tx_packets": U32;
        "rx_bytes": U32;
        "tx_bytes": U32;
        "rx_errors": U32;
        "tx_errors": U32;
        "rx_dropped": U32;
        "tx_dropped": U32;
        "multicast": U32;
        "collisions": U32;
        "rx_length_errors": U32;
        "rx_over_errors": U32;
        "rx_crc_errors": U32;
        "rx_frame_errors": U32;
        "rx_fifo_errors": U32;
        "rx_missed_errors": U32;
        "tx_aborted_errors": U32;
        "tx_carrier_errors": U32;
        "tx_fifo_errors": U32;
        "tx_heartbeat_errors": U32;
        "tx_window_errors": U32;
        "rx_compressed": U32;
        "tx_compressed": U32;
        "rx_nohandler": U32;
    }
    /// `struct rtnl_link_stats64`.
    pub static RTNL_LINK_STATS64: "rtnl_link_stats64" {
        "rx_packets": U64;
        "tx_packets": U64;
        "rx_bytes": U64;
        "tx_bytes": U64;
        "rx_errors": U64;
        "tx_errors": U64;
        "rx_dropped": U64;
        "tx_dropped": U64;
        "multicast": U64;
        "collisions": U64;
        "rx_length_errors": U64;
        "rx_over_errors": U64;
        "rx_crc_errors": U64;
        "rx_frame_errors": U64;
        "rx_fifo_errors": U64;
        "rx_missed_errors": U64;
        "tx_aborted_errors": U64;
        "tx_carrier_errors": U64;
        "tx_fifo_errors": U64;
        "tx_heartbeat_errors": U64;
        "tx_window_errors": U64;
        "rx_compressed": U64;
        "tx_compressed": U64;
        "rx_nohandler": U64;
        "rx_otherhost_dropped": U64;
    }
    /// `struct rtnl_link_ifmap`.
    pub static RTNL_LINK_IFMAP: "rtnl_link_ifmap" {
        "mem_start": U64;
        "mem_end": U64;
        "base_addr": U64;
        "irq": U16;
        "dma": U8;
        "port": U8;
        "": U32;
    }
    /// `struct ifla_cacheinfo`.
    pub static IFLA_CACHEINFO: "ifla_cacheinfo" {
        "max_reasm_len": U32;
        "tstamp": U32;
        "reachable_time": U32;
        "retrans_time": U32;
    }
}

nl_wire::attributes! {
    /// Attributes of a link.
    pub static IFLA: "IFLA" {
        IFLA_ADDRESS = 1: LinkAddress;
        /// Broadcast address; of point-to-point links the peer's.
        IFLA_BROADCAST = 2: LinkAddress;
        IFLA_IFNAME = 3: Text;
        /// Bytes.
        IFLA_MTU = 4: U32;
        /// The interface below.
        IFLA_LINK = 5: I32;
        IFLA_QDISC = 6: Text;
        IFLA_STATS = 7: Struct(&RTNL_LINK_STATS);
        IFLA_COST = 8: U32;
        IFLA_PRIORITY = 9: U32;
        /// The bridge, bond or VRF that it belongs to.
        IFLA_MASTER = 10: U32;
        IFLA_WIRELESS = 11: Bytes;
        /// What the header's family knows of the link.
        IFLA_PROTINFO = 12: Nest(Table::EMPTY);
        /// Packets.
        IFLA_TXQLEN = 13: U32;
        IFLA_MAP = 14: Struct(&RTNL_LINK_IFMAP);
        IFLA_WEIGHT = 15: U32;
        IFLA_OPERSTATE = 16: Named(&U8, OperState::NAMES);
        IFLA_LINKMODE = 17: Named(&U8, LinkMode::NAMES);
        IFLA_LINKINFO = 18: Nest(&IFLA_INFO);
        IFLA_NET_NS_PID = 19: U32;
        IFLA_IFALIAS = 20: Text;
        IFLA_NUM_VF = 21: U32;
        IFLA_VFINFO_LIST = 22: Nest(&IFLA_VF_INFO_LIST);
        IFLA_STATS64 = 23: Struct(&RTNL_LINK_STATS64);
        IFLA_VF_PORTS = 24: Nest(Table::EMPTY);
        IFLA_PORT_SELF = 25: Nest(Table::EMPTY);
        IFLA_AF_SPEC = 26: Nest(&IFLA_AF_SPEC_TABLE);
        IFLA_GROUP = 27: U32;
        IFLA_NET_NS_FD = 28: U32;
        IFLA_EXT_MASK = 29: Named(&U32, ExtMask::NAMES);
        IFLA_PROMISCUITY = 30: U32;
        IFLA_NUM_TX_QUEUES = 31: U32;
        IFLA_NUM_RX_QUEUES = 32: U32;
        IFLA_CARRIER = 33: U8;
        IFLA_PHYS_PORT_ID = 34: Bytes;
        IFLA_CARRIER_CHANGES = 35: U32;
        IFLA_PHYS_SWITCH_ID = 36: Bytes;
        /// The namespace that `IFLA_LINK` counts in.
        IFLA_LINK_NETNSID = 37: I32;
        IFLA_PHYS_PORT_NAME = 38: Text;
        IFLA_PROTO_DOWN = 39: U8;
        IFLA_GSO_MAX_SEGS = 40: U32;
        IFLA_GSO_MAX_SIZE = 41: U32;
        IFLA_PAD = 42: Bytes;
        IFLA_XDP = 43: Nest(&IFLA_XDP_TABLE);
        IFLA_EVENT = 44: Named(&U32, LinkEvent::NAMES);
        IFLA_NEW_NETNSID = 45: I32;
        IFLA_TARGET_NETNSID = 46: I32;
        IFLA_CARRIER_UP_COUNT = 47: U32;
        IFLA_CARRIER_DOWN_COUNT = 48: U32;
        IFLA_NEW_IFINDEX = 49: I32;
        IFLA_MIN_MTU = 50: U32;
        IFLA_MAX_MTU = 51: U32;
        IFLA_PROP_LIST = 52: Nest(&IFLA);
        IFLA_ALT_IFNAME = 53: Text;
        IFLA_PERM_ADDRESS = 54: LinkAddress;
        IFLA_PROTO_DOWN_REASON = 55: Nest(&IFLA_PROTO_DOWN_REASON_TABLE);
        IFLA_PARENT_DEV_NAME = 56: Text;
        IFLA_PARENT_DEV_BUS_NAME = 57: Text;
        IFLA_GRO_MAX_SIZE = 58: U32;
        IFLA_TSO_MAX_SIZE = 59: U32;
        IFLA_TSO_MAX_SEGS = 60: U32;
        IFLA_ALLMULTI = 61: U32;
        IFLA_DEVLINK_PORT = 62: Nest(Table::EMPTY);
        IFLA_GSO_IPV4_MAX_SIZE = 63: U32;
        IFLA_GRO_IPV4_MAX_SIZE = 64: U32;
        IFLA_DPLL_PIN = 65: Nest(Table::EMPTY);
        IFLA_MAX_PACING_OFFLOAD_HORIZON = 66: Uint;
        IFLA_NETNS_IMMUTABLE = 67: U8;
        IFLA_HEADROOM = 68: U16;
        IFLA_TAILROOM = 69: U16;
    }

    /// The kind of a link.
    pub static IFLA_INFO: "IFLA_INFO" {
        IFLA_INFO_KIND = 1: Text;
        IFLA_INFO_DATA = 2: Choice { by: IFLA_INFO_KIND, cases: &KINDS };
        IFLA_INFO_XSTATS = 3: Bytes;
        IFLA_INFO_SLAVE_KIND = 4: Text;
        IFLA_INFO_SLAVE_DATA = 5: Choice { by: IFLA_INFO_SLAVE_KIND, cases: &SLAVE_KINDS };
    }

    /// `IFLA_AF_SPEC`: what each address family knows of the link.
    pub static IFLA_AF_SPEC_TABLE: "AF" {
        AF_INET = 2: Nest(&IFLA_INET);
        AF_BRIDGE = 7: Nest(&bridge::IFLA_BRIDGE);
        AF_INET6 = 10: Nest(&IFLA_INET6);
        AF_MPLS = 28: Nest(Table::EMPTY);
        AF_MCTP = 45: Nest(Table::EMPTY);
    }

    /// What IPv4 knows of the link.
    pub static IFLA_INET: "IFLA_INET" {
        IFLA_INET_CONF = 1: Array(&I32);
    }

    /// What IPv6 knows of the link.
    pub static IFLA_INET6: "IFLA_INET6" {
        IFLA_INET6_FLAGS = 1: U32;
        IFLA_INET6_CONF = 2: Array(&I32);
        IFLA_INET6_STATS = 3: Array(&U64);
        IFLA_INET6_MCAST = 4: Bytes;
        IFLA_INET6_CACHEINFO = 5: Struct(&IFLA_CACHEINFO);
        IFLA_INET6_ICMP6STATS = 6: Array(&U64);
        IFLA_INET6_TOKEN = 7: Ipv6;
        IFLA_INET6_ADDR_GEN_MODE = 8: Named(&U8, AddrGenMode::NAMES);
        IFLA_INET6_RA_MTU = 9: U32;
    }

    /// XDP programs.
    pub static IFLA_XDP_TABLE: "IFLA_XDP" {
        IFLA_XDP_FD = 1: I32;
        IFLA_XDP_ATTACHED = 2: U8;
        IFLA_XDP_FLAGS = 3: U32;
        IFLA_XDP_PROG_ID = 4: U32;
        IFLA_XDP_DRV_PROG_ID = 5: U32;
        IFLA_XDP_SKB_PROG_ID = 6: U32;
        IFLA_XDP_HW_PROG_ID = 7: U32;
        IFLA_XDP_EXPECTED_FD = 8: I32;
    }

    /// Why a link is held down.
    pub static IFLA_PROTO_DOWN_REASON_TABLE: "IFLA_PROTO_DOWN_REASON" {
        IFLA_PROTO_DOWN_REASON_MASK = 1: U32;
        IFLA_PROTO_DOWN_REASON_VALUE = 2: U32;
    }

    /// The virtual functions of a link.
    pub static IFLA_VF_INFO_LIST: "IFLA_VF_INFO" {
        IFLA_VF_INFO = 1: Nest(&IFLA_VF);
    }

    /// One virtual function.
    pub static IFLA_VF: "IFLA_VF" {
        IFLA_VF_MAC = 1: Bytes;
        IFLA_VF_VLAN = 2: Bytes;
        IFLA_VF_TX_RATE = 3: Bytes;
        IFLA_VF_SPOOFCHK = 4: Bytes;
        IFLA_VF_LINK_STATE = 5: Bytes;
        IFLA_VF_RATE = 6: Bytes;
        IFLA_VF_RSS_QUERY_EN = 7: Bytes;
        IFLA_VF_STATS = 8: Nest(&IFLA_VF_STATS_TABLE);
        IFLA_VF_TRUST = 9: Bytes;
        IFLA_VF_IB_NODE_GUID = 10: Bytes;
        IFLA_VF_IB_PORT_GUID = 11: Bytes;
        IFLA_VF_VLAN_LIST = 12: Bytes;
        IFLA_VF_BROADCAST = 13: Bytes;
    }

    /// Statistics of a virtual function.
    pub static IFLA_VF_STATS_TABLE: "IFLA_VF_STATS" {
        IFLA_VF_STATS_RX_PACKETS = 0: U64;
        IFLA_VF_STATS_TX_PACKETS = 1: U64;
        IFLA_VF_STATS_RX_BYTES = 2: U64;
        IFLA_VF_STATS_TX_BYTES = 3: U64;
        IFLA_VF_STATS_BROADCAST = 4: U64;
        IFLA_VF_STATS_MULTICAST = 5: U64;
        IFLA_VF_STATS_PAD = 6: Bytes;
        IFLA_VF_STATS_RX_DROPPED = 7: U64;
        IFLA_VF_STATS_TX_DROPPED = 8: U64;
    }
}
