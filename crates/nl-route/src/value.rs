//! Numbers with names, as rtnetlink uses them (linux/rtnetlink.h, linux/if.h, linux/if_addr.h).

use nl_wire::{flag_set, open_enum};

#[cfg(feature = "link")]
mod objects;
#[cfg(feature = "link")]
pub use objects::*;

open_enum! {
    /// The type of a route: what happens to a packet that it matches (`rtm_type`).
    pub struct RouteType(u8) "RTN_" {
        /// Not given: any type where a route is deleted, `UNICAST` where one is made.
        UNSPEC = 0,
        /// Sent on to a gateway or a neighbour.
        UNICAST = 1,
        /// Delivered to this host.
        LOCAL = 2,
        /// Delivered to this host, sent as broadcast.
        BROADCAST = 3,
        /// Delivered to this host, sent as unicast.
        ANYCAST = 4,
        MULTICAST = 5,
        /// Dropped silently.
        BLACKHOLE = 6,
        /// Answered with ICMP host unreachable.
        UNREACHABLE = 7,
        /// Answered with ICMP administratively prohibited.
        PROHIBIT = 8,
        /// Sought in the next table.
        THROW = 9,
        NAT = 10,
        XRESOLVE = 11,
    }
}

open_enum! {
    /// Who made a route (`rtm_protocol`); names beyond these stand in iproute2's `rt_protos`.
    pub struct RouteProtocol(u8) "RTPROT_" {
        /// Not given: any protocol where a route is deleted, `BOOT` where one is made.
        UNSPEC = 0,
        REDIRECT = 1,
        KERNEL = 2,
        /// What `ip route add` writes unless told otherwise.
        BOOT = 3,
        STATIC = 4,
        GATED = 8,
        /// Router advertisements.
        RA = 9,
        MRT = 10,
        ZEBRA = 11,
        BIRD = 12,
        DNROUTED = 13,
        XORP = 14,
        NTK = 15,
        DHCP = 16,
        MROUTED = 17,
        KEEPALIVED = 18,
        BABEL = 42,
        OVN = 84,
        OPENR = 99,
        BGP = 186,
        ISIS = 187,
        OSPF = 188,
        RIP = 189,
        EIGRP = 192,
    }
}

open_enum! {
    /// How far away a destination is (`rtm_scope`, `ifa_scope`).
    pub struct Scope(u8) "RT_SCOPE_" {
        /// Anywhere; printed `global`.
        UNIVERSE = 0,
        SITE = 200,
        /// On a link of this host.
        LINK = 253,
        /// This host itself.
        HOST = 254,
        /// Not given: any scope where a route is deleted; where one is made, what fits its type
        /// and gateway.
        NOWHERE = 255,
    }
}

open_enum! {
    /// The number of a routing table (`RTA_TABLE`); numbers above 255 do not fit `rtm_table`.
    pub struct TableId(u32) "RT_TABLE_" {
        /// Not given: `MAIN` or, for local, broadcast and anycast routes, `LOCAL`.
        UNSPEC = 0,
        /// What the header's byte says of a table above 255.
        COMPAT = 252,
        DEFAULT = 253,
        MAIN = 254,
        LOCAL = 255,
    }
}

open_enum! {
    /// The preference of an IPv6 router (`RTA_PREF`, RFC 4191).
    pub struct Preference(u8) "ICMPV6_ROUTER_PREF_" {
        MEDIUM = 0,
        HIGH = 1,
        INVALID = 2,
        LOW = 3,
    }
}

open_enum! {
    /// How packets of a route are wrapped (`RTA_ENCAP_TYPE`, linux/lwtunnel.h).
    pub struct EncapType(u16) "LWTUNNEL_ENCAP_" {
        NONE = 0,
        MPLS = 1,
        IP = 2,
        ILA = 3,
        IP6 = 4,
        SEG6 = 5,
        BPF = 6,
        SEG6_LOCAL = 7,
        RPL = 8,
        IOAM6 = 9,
        XFRM = 10,
    }
}

flag_set! {
    /// Flags of a route (`rtm_flags`).
    ///
    /// The low byte holds those of the only next hop, see [`HopFlags`]; the bits above 0xffff of
    /// an IPv4 route that is `CLONED` are `RTCF_*`, see [`CacheFlags`].
    pub struct RouteFlags(u32) "RTM_F_" {
        /// The only next hop is dead.
        HOP_DEAD = 0x1,
        HOP_PERVASIVE = 0x2,
        /// The gateway counts as reachable on the link though no route says so.
        HOP_ONLINK = 0x4,
        HOP_OFFLOAD = 0x8,
        HOP_LINKDOWN = 0x10,
        HOP_UNRESOLVED = 0x20,
        HOP_TRAP = 0x40,
        NOTIFY = 0x100,
        /// Not of the table but of the cache: a lookup's answer, a path MTU.
        CLONED = 0x200,
        EQUALIZE = 0x400,
        PREFIX = 0x800,
        /// In a lookup: say which table it was.
        LOOKUP_TABLE = 0x1000,
        /// In a lookup: answer with the table's entry instead of the way taken.
        FIB_MATCH = 0x2000,
        OFFLOAD = 0x4000,
        TRAP = 0x8000,
        OFFLOAD_FAILED = 0x2000_0000,
    }
}

flag_set! {
    /// Flags of a next hop (`rtnh_flags`, `nh_flags`, low byte of `rtm_flags`).
    pub struct HopFlags(u8) "RTNH_F_" {
        /// Not used: its link is gone or down.
        DEAD = 0x1,
        PERVASIVE = 0x2,
        /// The gateway counts as reachable on the link though no route says so.
        ONLINK = 0x4,
        OFFLOAD = 0x8,
        LINKDOWN = 0x10,
        UNRESOLVED = 0x20,
        TRAP = 0x40,
    }
}

flag_set! {
    /// What the kernel says of a cached IPv4 route in the upper half of `rtm_flags`
    /// (linux/in_route.h).
    pub struct CacheFlags(u32) "RTCF_" {
        NOTIFY = 0x0001_0000,
        DIRECTDST = 0x0002_0000,
        REDIRECTED = 0x0004_0000,
        TPROXY = 0x0008_0000,
        FAST = 0x0020_0000,
        MASQ = 0x0040_0000,
        SNAT = 0x0080_0000,
        DOREDIRECT = 0x0100_0000,
        DIRECTSRC = 0x0400_0000,
        DNAT = 0x0800_0000,
        BROADCAST = 0x1000_0000,
        MULTICAST = 0x2000_0000,
        REJECT = 0x4000_0000,
        LOCAL = 0x8000_0000,
    }
}

flag_set! {
    /// Features of a path (`RTAX_FEATURES`).
    pub struct PathFeatures(u32) "RTAX_FEATURE_" {
        ECN = 0x1,
        SACK = 0x2,
        TIMESTAMP = 0x4,
        ALLFRAG = 0x8,
        TCP_USEC_TS = 0x10,
    }
}

open_enum! {
    /// A multicast group of rtnetlink, to be joined by number (linux/rtnetlink.h).
    ///
    /// Numbers above 31 can't be given in the bit mask of `bind`, only by
    /// `NETLINK_ADD_MEMBERSHIP`.
    pub struct Group(u32) "RTNLGRP_" {
        LINK = 1,
        NOTIFY = 2,
        NEIGH = 3,
        TC = 4,
        IPV4_IFADDR = 5,
        IPV4_MROUTE = 6,
        IPV4_ROUTE = 7,
        IPV4_RULE = 8,
        IPV6_IFADDR = 9,
        IPV6_MROUTE = 10,
        IPV6_ROUTE = 11,
        IPV6_IFINFO = 12,
        IPV6_PREFIX = 18,
        IPV6_RULE = 19,
        ND_USEROPT = 20,
        PHONET_IFADDR = 21,
        PHONET_ROUTE = 22,
        DCB = 23,
        IPV4_NETCONF = 24,
        IPV6_NETCONF = 25,
        MDB = 26,
        MPLS_ROUTE = 27,
        NSID = 28,
        MPLS_NETCONF = 29,
        IPV4_MROUTE_R = 30,
        IPV6_MROUTE_R = 31,
        NEXTHOP = 32,
        BRVLAN = 33,
        MCTP_IFADDR = 34,
        TUNNEL = 35,
        STATS = 36,
        IPV4_MCADDR = 37,
        IPV6_MCADDR = 38,
        IPV6_ACADDR = 39,
    }
}
