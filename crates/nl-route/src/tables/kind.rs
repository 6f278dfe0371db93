//! `IFLA_INFO_DATA` of the kinds of links, tunnels apart (linux/if_link.h).

use nl_wire::layouts;
use nl_wire::table::Table;

use super::IFINFOMSG;
use super::link::IFLA;
pub use super::tunnel::{GENEVE, GRE, IPTUN, VTI, VXLAN};

layouts! {
    /// `struct ifla_vlan_flags`.
    pub static IFLA_VLAN_FLAGS_LAYOUT: "ifla_vlan_flags" {
        "flags": U32;
        "mask": U32;
    }
}

nl_wire::attributes! {
    /// A VLAN.
    pub static VLAN: "IFLA_VLAN" {
        IFLA_VLAN_ID = 1: U16;
        IFLA_VLAN_FLAGS = 2: Struct(&IFLA_VLAN_FLAGS_LAYOUT);
        IFLA_VLAN_EGRESS_QOS = 3: Nest(&VLAN_QOS);
        IFLA_VLAN_INGRESS_QOS = 4: Nest(&VLAN_QOS);
        IFLA_VLAN_PROTOCOL = 5: U16Be;
    }

    /// Priorities of a VLAN: from and to.
    pub static VLAN_QOS: "IFLA_VLAN_QOS" {
        IFLA_VLAN_QOS_MAPPING = 1: Array(&U32);
    }

    /// A bond.
    pub static BOND: "IFLA_BOND" {
        IFLA_BOND_MODE = 1: U8;
        IFLA_BOND_ACTIVE_SLAVE = 2: U32;
        IFLA_BOND_MIIMON = 3: U32;
        IFLA_BOND_UPDELAY = 4: U32;
        IFLA_BOND_DOWNDELAY = 5: U32;
        IFLA_BOND_USE_CARRIER = 6: U8;
        IFLA_BOND_ARP_INTERVAL = 7: U32;
        IFLA_BOND_ARP_IP_TARGET = 8: List(&Ipv4);
        IFLA_BOND_ARP_VALIDATE = 9: U32;
        IFLA_BOND_ARP_ALL_TARGETS = 10: U32;
        IFLA_BOND_PRIMARY = 11: U32;
        IFLA_BOND_PRIMARY_RESELECT = 12: U8;
        IFLA_BOND_FAIL_OVER_MAC = 13: U8;
        IFLA_BOND_XMIT_HASH_POLICY = 14: U8;
        IFLA_BOND_RESEND_IGMP = 15: U32;
        IFLA_BOND_NUM_PEER_NOTIF = 16: U8;
        IFLA_BOND_ALL_SLAVES_ACTIVE = 17: U8;
        IFLA_BOND_MIN_LINKS = 18: U32;
        IFLA_BOND_LP_INTERVAL = 19: U32;
        IFLA_BOND_PACKETS_PER_SLAVE = 20: U32;
        IFLA_BOND_AD_LACP_RATE = 21: U8;
        IFLA_BOND_AD_SELECT = 22: U8;
        IFLA_BOND_AD_INFO = 23: Nest(&BOND_AD_INFO);
        IFLA_BOND_AD_ACTOR_SYS_PRIO = 24: U16;
        IFLA_BOND_AD_USER_PORT_KEY = 25: U16;
        IFLA_BOND_AD_ACTOR_SYSTEM = 26: LinkAddress;
        IFLA_BOND_TLB_DYNAMIC_LB = 27: U8;
        IFLA_BOND_PEER_NOTIF_DELAY = 28: U32;
        IFLA_BOND_AD_LACP_ACTIVE = 29: U8;
        IFLA_BOND_MISSED_MAX = 30: U8;
        IFLA_BOND_NS_IP6_TARGET = 31: List(&Ipv6);
        IFLA_BOND_COUPLED_CONTROL = 32: U8;
        IFLA_BOND_BROADCAST_NEIGH = 33: U8;
        IFLA_BOND_LACP_STRICT = 34: U8;
    }

    /// The active aggregator of a bond.
    pub static BOND_AD_INFO: "IFLA_BOND_AD_INFO" {
        IFLA_BOND_AD_INFO_AGGREGATOR = 1: U16;
        IFLA_BOND_AD_INFO_NUM_PORTS = 2: U16;
        IFLA_BOND_AD_INFO_ACTOR_KEY = 3: U16;
        IFLA_BOND_AD_INFO_PARTNER_KEY = 4: U16;
        IFLA_BOND_AD_INFO_PARTNER_MAC = 5: LinkAddress;
    }

    /// A port of a bond.
    pub static BOND_SLAVE: "IFLA_BOND_SLAVE" {
        IFLA_BOND_SLAVE_STATE = 1: U8;
        IFLA_BOND_SLAVE_MII_STATUS = 2: U8;
        IFLA_BOND_SLAVE_LINK_FAILURE_COUNT = 3: U32;
        IFLA_BOND_SLAVE_PERM_HWADDR = 4: LinkAddress;
        IFLA_BOND_SLAVE_QUEUE_ID = 5: U16;
        IFLA_BOND_SLAVE_AD_AGGREGATOR_ID = 6: U16;
        IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE = 7: U8;
        IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE = 8: U16;
        IFLA_BOND_SLAVE_PRIO = 9: I32;
        IFLA_BOND_SLAVE_ACTOR_PORT_PRIO = 10: U16;
        IFLA_BOND_SLAVE_AD_CHURN_ACTOR_STATE = 11: U8;
        IFLA_BOND_SLAVE_AD_CHURN_PARTNER_STATE = 12: U8;
    }

    /// A MAC VLAN.
    pub static MACVLAN: "IFLA_MACVLAN" {
        IFLA_MACVLAN_MODE = 1: U32;
        IFLA_MACVLAN_FLAGS = 2: U16;
        IFLA_MACVLAN_MACADDR_MODE = 3: U32;
        IFLA_MACVLAN_MACADDR = 4: LinkAddress;
        IFLA_MACVLAN_MACADDR_DATA = 5: Nest(Table::EMPTY);
        IFLA_MACVLAN_MACADDR_COUNT = 6: U32;
        IFLA_MACVLAN_BC_QUEUE_LEN = 7: U32;
        IFLA_MACVLAN_BC_QUEUE_LEN_USED = 8: U32;
        IFLA_MACVLAN_BC_CUTOFF = 9: I32;
    }

    /// An IP VLAN.
    pub static IPVLAN: "IFLA_IPVLAN" {
        IFLA_IPVLAN_MODE = 1: U16;
        IFLA_IPVLAN_FLAGS = 2: U16;
    }

    /// A pair of virtual links.
    pub static VETH: "VETH_INFO" {
        VETH_INFO_PEER = 1: Headed(&IFINFOMSG, &IFLA);
    }

    /// A pair of links with BPF programs.
    pub static NETKIT: "IFLA_NETKIT" {
        IFLA_NETKIT_PEER_INFO = 1: Headed(&IFINFOMSG, &IFLA);
        IFLA_NETKIT_PRIMARY = 2: U8;
        IFLA_NETKIT_POLICY = 3: U32;
        IFLA_NETKIT_PEER_POLICY = 4: U32;
        IFLA_NETKIT_MODE = 5: U32;
        IFLA_NETKIT_SCRUB = 6: U32;
        IFLA_NETKIT_PEER_SCRUB = 7: U32;
        IFLA_NETKIT_HEADROOM = 8: U16;
        IFLA_NETKIT_TAILROOM = 9: U16;
        IFLA_NETKIT_PAIRING = 10: U32;
    }

    /// A VRF.
    pub static VRF: "IFLA_VRF" {
        IFLA_VRF_TABLE = 1: U32;
    }

    /// A port of a VRF.
    pub static VRF_PORT: "IFLA_VRF_PORT" {
        IFLA_VRF_PORT_TABLE = 1: U32;
    }

    /// An IPsec interface.
    pub static XFRM: "IFLA_XFRM" {
        IFLA_XFRM_LINK = 1: U32;
        IFLA_XFRM_IF_ID = 2: U32;
        IFLA_XFRM_COLLECT_METADATA = 3: Flag;
    }

    /// A MACsec link.
    pub static MACSEC: "IFLA_MACSEC" {
        IFLA_MACSEC_SCI = 1: U64Be;
        IFLA_MACSEC_PORT = 2: U16Be;
        IFLA_MACSEC_ICV_LEN = 3: U8;
        IFLA_MACSEC_CIPHER_SUITE = 4: U64;
        IFLA_MACSEC_WINDOW = 5: U32;
        IFLA_MACSEC_ENCODING_SA = 6: U8;
        IFLA_MACSEC_ENCRYPT = 7: U8;
        IFLA_MACSEC_PROTECT = 8: U8;
        IFLA_MACSEC_INC_SCI = 9: U8;
        IFLA_MACSEC_ES = 10: U8;
        IFLA_MACSEC_SCB = 11: U8;
        IFLA_MACSEC_REPLAY_PROTECT = 12: U8;
        IFLA_MACSEC_VALIDATION = 13: U8;
        IFLA_MACSEC_PAD = 14: Bytes;
        IFLA_MACSEC_OFFLOAD = 15: U8;
    }

    /// A link of a program.
    pub static TUN: "IFLA_TUN" {
        IFLA_TUN_OWNER = 1: U32;
        IFLA_TUN_GROUP = 2: U32;
        IFLA_TUN_TYPE = 3: U8;
        IFLA_TUN_PI = 4: U8;
        IFLA_TUN_VNET_HDR = 5: U8;
        IFLA_TUN_PERSIST = 6: U8;
        IFLA_TUN_MULTI_QUEUE = 7: U8;
        IFLA_TUN_NUM_QUEUES = 8: U32;
        IFLA_TUN_NUM_DISABLED_QUEUES = 9: U32;
    }

    /// A redundant ring.
    pub static HSR: "IFLA_HSR" {
        IFLA_HSR_SLAVE1 = 1: U32;
        IFLA_HSR_SLAVE2 = 2: U32;
        IFLA_HSR_MULTICAST_SPEC = 3: U8;
        IFLA_HSR_SUPERVISION_ADDR = 4: LinkAddress;
        IFLA_HSR_SEQ_NR = 5: U16;
        IFLA_HSR_VERSION = 6: U8;
        IFLA_HSR_PROTOCOL = 7: U8;
        IFLA_HSR_INTERLINK = 8: U32;
    }

    /// Bare UDP.
    pub static BAREUDP: "IFLA_BAREUDP" {
        IFLA_BAREUDP_PORT = 1: U16Be;
        IFLA_BAREUDP_ETHERTYPE = 2: U16Be;
        IFLA_BAREUDP_SRCPORT_MIN = 3: U16;
        IFLA_BAREUDP_MULTIPROTO_MODE = 4: Flag;
    }

    /// A GTP tunnel.
    pub static GTP: "IFLA_GTP" {
        IFLA_GTP_FD0 = 1: U32;
        IFLA_GTP_FD1 = 2: U32;
        IFLA_GTP_PDP_HASHSIZE = 3: U32;
        IFLA_GTP_ROLE = 4: U32;
        IFLA_GTP_CREATE_SOCKETS = 5: U8;
        IFLA_GTP_RESTART_COUNT = 6: U8;
        IFLA_GTP_LOCAL = 7: Ipv4;
        IFLA_GTP_LOCAL6 = 8: Ipv6;
    }
}
