//! The encapsulations of linux/lwtunnel.h.

use nl_wire::table::{Key, Payload};

/// What `RTA_ENCAP` holds, by `RTA_ENCAP_TYPE`; nexthop objects use it as well.
pub(super) static ENCAPS: [(Key, Payload); 10] = [
    (Key::Number(1), Payload::Nest(&MPLS_IPTUNNEL)),
    (Key::Number(2), Payload::Nest(&LWTUNNEL_IP)),
    (Key::Number(3), Payload::Nest(&ILA)),
    (Key::Number(4), Payload::Nest(&LWTUNNEL_IP6)),
    (Key::Number(5), Payload::Nest(&SEG6_IPTUNNEL)),
    (Key::Number(6), Payload::Nest(&LWT_BPF)),
    (Key::Number(7), Payload::Nest(&SEG6_LOCAL)),
    (Key::Number(8), Payload::Nest(&RPL_IPTUNNEL)),
    (Key::Number(9), Payload::Nest(&IOAM6_IPTUNNEL)),
    (Key::Number(10), Payload::Nest(&LWT_XFRM)),
];

nl_wire::attributes! {
    /// Encapsulation in MPLS labels.
    pub static MPLS_IPTUNNEL: "MPLS_IPTUNNEL" {
        MPLS_IPTUNNEL_DST = 1: Array(&U32Be);
        MPLS_IPTUNNEL_TTL = 2: U8;
    }

    /// Encapsulation in IPv4.
    pub static LWTUNNEL_IP: "LWTUNNEL_IP" {
        LWTUNNEL_IP_ID = 1: U64Be;
        LWTUNNEL_IP_DST = 2: Ipv4;
        LWTUNNEL_IP_SRC = 3: Ipv4;
        LWTUNNEL_IP_TTL = 4: U8;
        LWTUNNEL_IP_TOS = 5: U8;
        LWTUNNEL_IP_FLAGS = 6: U16Be;
        LWTUNNEL_IP_PAD = 7: Bytes;
        LWTUNNEL_IP_OPTS = 8: Nest(&LWTUNNEL_IP_OPTS_TABLE);
    }

    /// Encapsulation in IPv6.
    pub static LWTUNNEL_IP6: "LWTUNNEL_IP6" {
        LWTUNNEL_IP6_ID = 1: U64Be;
        LWTUNNEL_IP6_DST = 2: Ipv6;
        LWTUNNEL_IP6_SRC = 3: Ipv6;
        LWTUNNEL_IP6_HOPLIMIT = 4: U8;
        LWTUNNEL_IP6_TC = 5: U8;
        LWTUNNEL_IP6_FLAGS = 6: U16Be;
        LWTUNNEL_IP6_PAD = 7: Bytes;
        LWTUNNEL_IP6_OPTS = 8: Nest(&LWTUNNEL_IP_OPTS_TABLE);
    }

    /// Options of the tunnel header.
    pub static LWTUNNEL_IP_OPTS_TABLE: "LWTUNNEL_IP_OPTS" {
        LWTUNNEL_IP_OPTS_GENEVE = 1: Nest(&LWTUNNEL_IP_OPT_GENEVE_TABLE);
        LWTUNNEL_IP_OPTS_VXLAN = 2: Nest(&LWTUNNEL_IP_OPT_VXLAN_TABLE);
        LWTUNNEL_IP_OPTS_ERSPAN = 3: Nest(&LWTUNNEL_IP_OPT_ERSPAN_TABLE);
    }

    /// A Geneve option.
    pub static LWTUNNEL_IP_OPT_GENEVE_TABLE: "LWTUNNEL_IP_OPT_GENEVE" {
        LWTUNNEL_IP_OPT_GENEVE_CLASS = 1: U16Be;
        LWTUNNEL_IP_OPT_GENEVE_TYPE = 2: U8;
        LWTUNNEL_IP_OPT_GENEVE_DATA = 3: Bytes;
    }

    /// The VXLAN group policy.
    pub static LWTUNNEL_IP_OPT_VXLAN_TABLE: "LWTUNNEL_IP_OPT_VXLAN" {
        LWTUNNEL_IP_OPT_VXLAN_GBP = 1: U32;
    }

    /// The ERSPAN header.
    pub static LWTUNNEL_IP_OPT_ERSPAN_TABLE: "LWTUNNEL_IP_OPT_ERSPAN" {
        LWTUNNEL_IP_OPT_ERSPAN_VER = 1: U8;
        LWTUNNEL_IP_OPT_ERSPAN_INDEX = 2: U32Be;
        LWTUNNEL_IP_OPT_ERSPAN_DIR = 3: U8;
        LWTUNNEL_IP_OPT_ERSPAN_HWID = 4: U8;
    }

    /// Identifier-locator addressing.
    pub static ILA: "ILA_ATTR" {
        ILA_ATTR_LOCATOR = 1: U64Be;
        ILA_ATTR_IDENTIFIER = 2: U64Be;
        ILA_ATTR_LOCATOR_MATCH = 3: U64Be;
        ILA_ATTR_IFINDEX = 4: I32;
        ILA_ATTR_DIR = 5: U32;
        ILA_ATTR_PAD = 6: Bytes;
        ILA_ATTR_CSUM_MODE = 7: U8;
        ILA_ATTR_IDENT_TYPE = 8: U8;
        ILA_ATTR_HOOK_TYPE = 9: U8;
    }

    /// Segment routing over IPv6.
    pub static SEG6_IPTUNNEL: "SEG6_IPTUNNEL" {
        /// The mode (s32), then the routing header.
        SEG6_IPTUNNEL_SRH = 1: Bytes;
        SEG6_IPTUNNEL_SRC = 2: Ipv6;
    }

    /// Encapsulation by BPF programs.
    pub static LWT_BPF: "LWT_BPF" {
        LWT_BPF_IN = 1: Nest(&LWT_BPF_PROG);
        LWT_BPF_OUT = 2: Nest(&LWT_BPF_PROG);
        LWT_BPF_XMIT = 3: Nest(&LWT_BPF_PROG);
        LWT_BPF_XMIT_HEADROOM = 4: U32;
    }

    /// One BPF program.
    pub static LWT_BPF_PROG: "LWT_BPF_PROG" {
        LWT_BPF_PROG_FD = 1: U32;
        LWT_BPF_PROG_NAME = 2: Text;
    }

    /// What a segment routing endpoint does.
    pub static SEG6_LOCAL: "SEG6_LOCAL" {
        SEG6_LOCAL_ACTION = 1: U32;
        SEG6_LOCAL_SRH = 2: Bytes;
        SEG6_LOCAL_TABLE = 3: U32;
        SEG6_LOCAL_NH4 = 4: Ipv4;
        SEG6_LOCAL_NH6 = 5: Ipv6;
        SEG6_LOCAL_IIF = 6: U32;
        SEG6_LOCAL_OIF = 7: U32;
        SEG6_LOCAL_BPF = 8: Nest(&SEG6_LOCAL_BPF_PROG);
        SEG6_LOCAL_VRFTABLE = 9: U32;
        SEG6_LOCAL_COUNTERS = 10: Nest(&SEG6_LOCAL_CNT);
        SEG6_LOCAL_FLAVORS = 11: Nest(&SEG6_LOCAL_FLV);
    }

    /// The BPF program of an endpoint.
    pub static SEG6_LOCAL_BPF_PROG: "SEG6_LOCAL_BPF_PROG" {
        SEG6_LOCAL_BPF_PROG_ID = 1: U32;
        SEG6_LOCAL_BPF_PROG_NAME = 2: Text;
    }

    /// Counters of an endpoint.
    pub static SEG6_LOCAL_CNT: "SEG6_LOCAL_CNT" {
        SEG6_LOCAL_CNT_PAD = 1: Bytes;
        SEG6_LOCAL_CNT_PACKETS = 2: U64;
        SEG6_LOCAL_CNT_BYTES = 3: U64;
        SEG6_LOCAL_CNT_ERRORS = 4: U64;
    }

    /// Flavours of an endpoint.
    pub static SEG6_LOCAL_FLV: "SEG6_LOCAL_FLV" {
        SEG6_LOCAL_FLV_OPERATION = 1: U32;
        SEG6_LOCAL_FLV_LCBLOCK_BITS = 2: U8;
        SEG6_LOCAL_FLV_LCNODE_FN_BITS = 3: U8;
    }

    /// The RPL source routing header.
    pub static RPL_IPTUNNEL: "RPL_IPTUNNEL" {
        RPL_IPTUNNEL_SRH = 1: Bytes;
    }

    /// In-situ OAM.
    pub static IOAM6_IPTUNNEL: "IOAM6_IPTUNNEL" {
        IOAM6_IPTUNNEL_MODE = 1: U8;
        IOAM6_IPTUNNEL_DST = 2: Ipv6;
        IOAM6_IPTUNNEL_TRACE = 3: Bytes;
        IOAM6_IPTUNNEL_FREQ_K = 4: U32;
        IOAM6_IPTUNNEL_FREQ_N = 5: U32;
        IOAM6_IPTUNNEL_SRC = 6: Ipv6;
    }

    /// IPsec interface of the packets.
    pub static LWT_XFRM: "LWT_XFRM" {
        LWT_XFRM_IF_ID = 1: U32;
        LWT_XFRM_LINK = 2: U32;
    }
}
