//! `RTA_*`, `RTAX_*` (linux/rtnetlink.h).

use nl_wire::layouts;
#[cfg(not(feature = "objects"))]
use nl_wire::table::{Key, Payload};
use nl_wire::value::AddressFamily;

use crate::value::{EncapType, HopFlags, PathFeatures, Preference, TableId};

#[cfg(feature = "objects")]
pub(super) use super::encap::ENCAPS;

/// Encapsulations have no names without the feature `objects`.
#[cfg(not(feature = "objects"))]
pub(super) static ENCAPS: [(Key, Payload); 0] = [];

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
}
