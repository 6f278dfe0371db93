//! `RTA_*`, `RTAX_*` (linux/rtnetlink.h) and the encapsulations of linux/lwtunnel.h.

use nl_wire::layouts;
use nl_wire::table::{Key, Payload};
use nl_wire::value::AddressFamily;

use crate::value::{EncapType, HopFlags, PathFeatures, Preference, TableId};

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

layouts! {
    /// `struct rtnexthop`.
    pub static RTNEXTHOP: "rtnexthop" {
        "rtnh_len": U16;
        "rtnh_flags": Named(&U8, HopFlags::NAMES);
        "rtnh_hops": U8;
        "rtnh_ifindex": I32;
    }
    /// `struct rta_cacheinfo`; times in clock ticks, of which there are 100 a second.
    pub static RTA_CACHEINFO_LAYOUT: "rta_cacheinfo" {
        "rta_clntref": U32;
        "rta_lastuse": U32;
        "rta_expires": I32;
        "rta_error": U32;
        "rta_used": U32;
        "rta_id": U32;
        "rta_ts": U32;
        "rta_tsage": U32;
    }
    /// `struct rta_mfc_stats`.
    pub static RTA_MFC_STATS_LAYOUT: "rta_mfc_stats" {
        "mfcs_packets": U64;
        "mfcs_bytes": U64;
        "mfcs_wrong_if": U64;
    }
    /// `struct rtvia`: the address follows.
    pub static RTVIA: "rtvia" {
        "rtvia_family": Named(&U16, AddressFamily::NAMES);
    }
}

nl_wire::attributes! {
    /// Attributes of a route and of its next hops.
    pub static RTA: "RTA" {
        /// Destination address; for MPLS a stack of labels.
        RTA_DST = 1: Ip;
        /// Source address (IPv6 source routing, or the source of a lookup).
        RTA_SRC = 2: Ip;
        /// Interface that a looked-up packet came in by.
        RTA_IIF = 3: U32;
        /// Interface of the only next hop.
        RTA_OIF = 4: U32;
        /// Gateway of the route's own family.
        RTA_GATEWAY = 5: Ip;
        /// The metric: among routes of one prefix the lowest wins.
        RTA_PRIORITY = 6: U32;
        /// Source address for packets of this host.
        RTA_PREFSRC = 7: Ip;
        /// Properties of the path; never flagged as nested.
        RTA_METRICS = 8: Nest(&RTAX);
        /// Several next hops; never flagged as nested.
        RTA_MULTIPATH = 9: Records(&RTNEXTHOP, &RTA);
        RTA_PROTOINFO = 10: Bytes;
        /// Realms: from in the upper, to in the lower 16 bits.
        RTA_FLOW = 11: U32;
        RTA_CACHEINFO = 12: Struct(&RTA_CACHEINFO_LAYOUT);
        RTA_SESSION = 13: Bytes;
        RTA_MP_ALGO = 14: Bytes;
        /// The table; wins over `rtm_table`.
        RTA_TABLE = 15: Named(&U32, TableId::NAMES);
        RTA_MARK = 16: U32;
        RTA_MFC_STATS = 17: Struct(&RTA_MFC_STATS_LAYOUT);
        /// Gateway of another family.
        RTA_VIA = 18: Struct(&RTVIA);
        /// MPLS: the labels to write instead.
        RTA_NEWDST = 19: Ip;
        RTA_PREF = 20: Named(&U8, Preference::NAMES);
        RTA_ENCAP_TYPE = 21: Named(&U16, EncapType::NAMES);
        RTA_ENCAP = 22: Choice { by: RTA_ENCAP_TYPE, cases: &ENCAPS };
        /// IPv6 requests: lifetime in seconds.
        RTA_EXPIRES = 23: U32;
        RTA_PAD = 24: Bytes;
        RTA_UID = 25: U32;
        RTA_TTL_PROPAGATE = 26: U8;
        RTA_IP_PROTO = 27: U8;
        RTA_SPORT = 28: U16Be;
        RTA_DPORT = 29: U16Be;
        /// The nexthop object that the route uses.
        RTA_NH_ID = 30: U32;
        RTA_FLOWLABEL = 31: U32Be;
    }

    /// Metrics of a route.
    pub static RTAX: "RTAX" {
        /// Bit n: metric n is not to be changed by the protocols.
        RTAX_LOCK = 1: U32;
        /// Bytes.
        RTAX_MTU = 2: U32;
        /// Bytes.
        RTAX_WINDOW = 3: U32;
        /// Eighths of a millisecond.
        RTAX_RTT = 4: U32;
        /// Quarters of a millisecond.
        RTAX_RTTVAR = 5: U32;
        RTAX_SSTHRESH = 6: U32;
        RTAX_CWND = 7: U32;
        /// Bytes.
        RTAX_ADVMSS = 8: U32;
        RTAX_REORDERING = 9: U32;
        RTAX_HOPLIMIT = 10: U32;
        RTAX_INITCWND = 11: U32;
        RTAX_FEATURES = 12: Named(&U32, PathFeatures::NAMES);
        /// Milliseconds.
        RTAX_RTO_MIN = 13: U32;
        RTAX_INITRWND = 14: U32;
        RTAX_QUICKACK = 15: U32;
        /// Congestion control algorithm.
        RTAX_CC_ALGO = 16: Text;
        RTAX_FASTOPEN_NO_COOKIE = 17: U32;
    }

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
