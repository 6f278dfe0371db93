//! `IFLA_INFO_DATA` of tunnels (linux/if_link.h, linux/if_tunnel.h).

nl_wire::attributes! {
    /// A VXLAN.
    pub static VXLAN: "IFLA_VXLAN" {
        IFLA_VXLAN_ID = 1: U32;
        IFLA_VXLAN_GROUP = 2: Ipv4;
        IFLA_VXLAN_LINK = 3: U32;
        IFLA_VXLAN_LOCAL = 4: Ipv4;
        IFLA_VXLAN_TTL = 5: U8;
        IFLA_VXLAN_TOS = 6: U8;
        IFLA_VXLAN_LEARNING = 7: U8;
        IFLA_VXLAN_AGEING = 8: U32;
        IFLA_VXLAN_LIMIT = 9: U32;
        IFLA_VXLAN_PORT_RANGE = 10: Array(&U16Be);
        IFLA_VXLAN_PROXY = 11: U8;
        IFLA_VXLAN_RSC = 12: U8;
        IFLA_VXLAN_L2MISS = 13: U8;
        IFLA_VXLAN_L3MISS = 14: U8;
        IFLA_VXLAN_PORT = 15: U16Be;
        IFLA_VXLAN_GROUP6 = 16: Ipv6;
        IFLA_VXLAN_LOCAL6 = 17: Ipv6;
        IFLA_VXLAN_UDP_CSUM = 18: U8;
        IFLA_VXLAN_UDP_ZERO_CSUM6_TX = 19: U8;
        IFLA_VXLAN_UDP_ZERO_CSUM6_RX = 20: U8;
        IFLA_VXLAN_REMCSUM_TX = 21: U8;
        IFLA_VXLAN_REMCSUM_RX = 22: U8;
        IFLA_VXLAN_GBP = 23: Flag;
        IFLA_VXLAN_REMCSUM_NOPARTIAL = 24: Flag;
        IFLA_VXLAN_COLLECT_METADATA = 25: U8;
        IFLA_VXLAN_LABEL = 26: U32Be;
        IFLA_VXLAN_GPE = 27: Flag;
        IFLA_VXLAN_TTL_INHERIT = 28: Flag;
        IFLA_VXLAN_DF = 29: U8;
        IFLA_VXLAN_VNIFILTER = 30: U8;
        IFLA_VXLAN_LOCALBYPASS = 31: U8;
        IFLA_VXLAN_LABEL_POLICY = 32: U32;
        IFLA_VXLAN_RESERVED_BITS = 33: Bytes;
        IFLA_VXLAN_MC_ROUTE = 34: U8;
    }

    /// A Geneve tunnel.
    pub static GENEVE: "IFLA_GENEVE" {
        IFLA_GENEVE_ID = 1: U32;
        IFLA_GENEVE_REMOTE = 2: Ipv4;
        IFLA_GENEVE_TTL = 3: U8;
        IFLA_GENEVE_TOS = 4: U8;
        IFLA_GENEVE_PORT = 5: U16Be;
        IFLA_GENEVE_COLLECT_METADATA = 6: Flag;
        IFLA_GENEVE_REMOTE6 = 7: Ipv6;
        IFLA_GENEVE_UDP_CSUM = 8: U8;
        IFLA_GENEVE_UDP_ZERO_CSUM6_TX = 9: U8;
        IFLA_GENEVE_UDP_ZERO_CSUM6_RX = 10: U8;
        IFLA_GENEVE_LABEL = 11: U32Be;
        IFLA_GENEVE_TTL_INHERIT = 12: U8;
        IFLA_GENEVE_DF = 13: U8;
        IFLA_GENEVE_INNER_PROTO_INHERIT = 14: Flag;
        IFLA_GENEVE_PORT_RANGE = 15: Array(&U16Be);
        IFLA_GENEVE_GRO_HINT = 16: Flag;
        IFLA_GENEVE_LOCAL = 17: Ipv4;
        IFLA_GENEVE_LOCAL6 = 18: Ipv6;
    }

    /// A GRE tunnel, also of Ethernet and ERSPAN.
    pub static GRE: "IFLA_GRE" {
        IFLA_GRE_LINK = 1: U32;
        IFLA_GRE_IFLAGS = 2: U16Be;
        IFLA_GRE_OFLAGS = 3: U16Be;
        IFLA_GRE_IKEY = 4: U32Be;
        IFLA_GRE_OKEY = 5: U32Be;
        IFLA_GRE_LOCAL = 6: Ip;
        IFLA_GRE_REMOTE = 7: Ip;
        IFLA_GRE_TTL = 8: U8;
        IFLA_GRE_TOS = 9: U8;
        IFLA_GRE_PMTUDISC = 10: U8;
        IFLA_GRE_ENCAP_LIMIT = 11: U8;
        IFLA_GRE_FLOWINFO = 12: U32Be;
        IFLA_GRE_FLAGS = 13: U32;
        IFLA_GRE_ENCAP_TYPE = 14: U16;
        IFLA_GRE_ENCAP_FLAGS = 15: U16;
        IFLA_GRE_ENCAP_SPORT = 16: U16Be;
        IFLA_GRE_ENCAP_DPORT = 17: U16Be;
        IFLA_GRE_COLLECT_METADATA = 18: Flag;
        IFLA_GRE_IGNORE_DF = 19: U8;
        IFLA_GRE_FWMARK = 20: U32;
        IFLA_GRE_ERSPAN_INDEX = 21: U32;
        IFLA_GRE_ERSPAN_VER = 22: U8;
        IFLA_GRE_ERSPAN_DIR = 23: U8;
        IFLA_GRE_ERSPAN_HWID = 24: U16;
    }

    /// A tunnel of IP in IP.
    pub static IPTUN: "IFLA_IPTUN" {
        IFLA_IPTUN_LINK = 1: U32;
        IFLA_IPTUN_LOCAL = 2: Ip;
        IFLA_IPTUN_REMOTE = 3: Ip;
        IFLA_IPTUN_TTL = 4: U8;
        IFLA_IPTUN_TOS = 5: U8;
        IFLA_IPTUN_ENCAP_LIMIT = 6: U8;
        IFLA_IPTUN_FLOWINFO = 7: U32Be;
        IFLA_IPTUN_FLAGS = 8: U32;
        IFLA_IPTUN_PROTO = 9: U8;
        IFLA_IPTUN_PMTUDISC = 10: U8;
        IFLA_IPTUN_6RD_PREFIX = 11: Ipv6;
        IFLA_IPTUN_6RD_RELAY_PREFIX = 12: Ipv4;
        IFLA_IPTUN_6RD_PREFIXLEN = 13: U16;
        IFLA_IPTUN_6RD_RELAY_PREFIXLEN = 14: U16;
        IFLA_IPTUN_ENCAP_TYPE = 15: U16;
        IFLA_IPTUN_ENCAP_FLAGS = 16: U16;
        IFLA_IPTUN_ENCAP_SPORT = 17: U16Be;
        IFLA_IPTUN_ENCAP_DPORT = 18: U16Be;
        IFLA_IPTUN_COLLECT_METADATA = 19: Flag;
        IFLA_IPTUN_FWMARK = 20: U32;
    }

    /// A tunnel for IPsec.
    pub static VTI: "IFLA_VTI" {
        IFLA_VTI_LINK = 1: U32;
        IFLA_VTI_IKEY = 2: U32Be;
        IFLA_VTI_OKEY = 3: U32Be;
        IFLA_VTI_LOCAL = 4: Ip;
        IFLA_VTI_REMOTE = 5: Ip;
        IFLA_VTI_FWMARK = 6: U32;
    }
}
