//! Numbers with names, as rtnetlink uses them (linux/rtnetlink.h, linux/if.h, linux/if_addr.h).

use nl_wire::{flag_set, open_enum};

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

flag_set! {
    /// Flags of a link (`ifi_flags`, linux/if.h).
    pub struct LinkFlags(u32) "IFF_" {
        /// Switched on by the administrator.
        UP = 0x1,
        BROADCAST = 0x2,
        DEBUG = 0x4,
        LOOPBACK = 0x8,
        POINTOPOINT = 0x10,
        NOTRAILERS = 0x20,
        /// Operationally up.
        RUNNING = 0x40,
        NOARP = 0x80,
        PROMISC = 0x100,
        ALLMULTI = 0x200,
        MASTER = 0x400,
        SLAVE = 0x800,
        MULTICAST = 0x1000,
        PORTSEL = 0x2000,
        AUTOMEDIA = 0x4000,
        DYNAMIC = 0x8000,
        /// The carrier is there.
        LOWER_UP = 0x1_0000,
        DORMANT = 0x2_0000,
        ECHO = 0x4_0000,
    }
}

open_enum! {
    /// The operational state of a link (`IFLA_OPERSTATE`, RFC 2863).
    pub struct OperState(u8) "IF_OPER_" {
        UNKNOWN = 0,
        NOTPRESENT = 1,
        DOWN = 2,
        LOWERLAYERDOWN = 3,
        TESTING = 4,
        DORMANT = 5,
        UP = 6,
    }
}

open_enum! {
    /// How a link comes up (`IFLA_LINKMODE`).
    pub struct LinkMode(u8) "IF_LINK_MODE_" {
        DEFAULT = 0,
        DORMANT = 1,
        TESTING = 2,
    }
}

open_enum! {
    /// Why a link message was sent (`IFLA_EVENT`).
    pub struct LinkEvent(u32) "IFLA_EVENT_" {
        NONE = 0,
        REBOOT = 1,
        FEATURES = 2,
        BONDING_FAILOVER = 3,
        NOTIFY_PEERS = 4,
        IGMP_RESEND = 5,
        BONDING_OPTIONS = 6,
    }
}

open_enum! {
    /// How IPv6 makes its link-local address (`IFLA_INET6_ADDR_GEN_MODE`).
    pub struct AddrGenMode(u8) "IN6_ADDR_GEN_MODE_" {
        EUI64 = 0,
        NONE = 1,
        STABLE_PRIVACY = 2,
        RANDOM = 3,
    }
}

open_enum! {
    /// The hardware type of a link (`ifi_type`, linux/if_arp.h).
    pub struct LinkType(u16) "ARPHRD_" {
        NETROM = 0,
        ETHER = 1,
        EETHER = 2,
        AX25 = 3,
        PRONET = 4,
        CHAOS = 5,
        IEEE802 = 6,
        ARCNET = 7,
        APPLETLK = 8,
        DLCI = 15,
        ATM = 19,
        METRICOM = 23,
        IEEE1394 = 24,
        EUI64 = 27,
        INFINIBAND = 32,
        SLIP = 256,
        CSLIP = 257,
        SLIP6 = 258,
        CSLIP6 = 259,
        RSRVD = 260,
        ADAPT = 264,
        ROSE = 270,
        X25 = 271,
        HWX25 = 272,
        CAN = 280,
        MCTP = 290,
        PPP = 512,
        HDLC = 513,
        LAPB = 516,
        DDCMP = 517,
        RAWHDLC = 518,
        RAWIP = 519,
        TUNNEL = 768,
        TUNNEL6 = 769,
        FRAD = 770,
        SKIP = 771,
        LOOPBACK = 772,
        LOCALTLK = 773,
        FDDI = 774,
        BIF = 775,
        SIT = 776,
        IPDDP = 777,
        IPGRE = 778,
        PIMREG = 779,
        HIPPI = 780,
        ASH = 781,
        ECONET = 782,
        IRDA = 783,
        FCPP = 784,
        FCAL = 785,
        FCPL = 786,
        FCFABRIC = 787,
        IEEE802_TR = 800,
        IEEE80211 = 801,
        IEEE80211_PRISM = 802,
        IEEE80211_RADIOTAP = 803,
        IEEE802154 = 804,
        IEEE802154_MONITOR = 805,
        PHONET = 820,
        PHONET_PIPE = 821,
        CAIF = 822,
        IP6GRE = 823,
        NETLINK = 824,
        SIXLOWPAN = 825,
        VSOCKMON = 826,
        NONE = 0xfffe,
        VOID = 0xffff,
    }
}

flag_set! {
    /// What a link dump shall contain (`IFLA_EXT_MASK`).
    pub struct ExtMask(u32) "RTEXT_FILTER_" {
        /// Virtual functions.
        VF = 0x1,
        BRVLAN = 0x2,
        BRVLAN_COMPRESSED = 0x4,
        /// No statistics: a third off each message.
        SKIP_STATS = 0x8,
        MRP = 0x10,
        CFM_CONFIG = 0x20,
        CFM_STATUS = 0x40,
        MST = 0x80,
        NAME_ONLY = 0x100,
    }
}

flag_set! {
    /// Flags of an address (`IFA_FLAGS`, linux/if_addr.h).
    pub struct AddressFlags(u32) "IFA_F_" {
        /// IPv4: not the first of its subnet; IPv6: temporary (RFC 4941).
        SECONDARY = 0x1,
        NODAD = 0x2,
        OPTIMISTIC = 0x4,
        DADFAILED = 0x8,
        HOMEADDRESS = 0x10,
        DEPRECATED = 0x20,
        TENTATIVE = 0x40,
        /// Set by an administrator, without a lifetime.
        PERMANENT = 0x80,
        MANAGETEMPADDR = 0x100,
        NOPREFIXROUTE = 0x200,
        MCAUTOJOIN = 0x400,
        STABLE_PRIVACY = 0x800,
    }
}

impl AddressFlags {
    /// `IFA_F_TEMPORARY`: what `SECONDARY` is called for IPv6.
    pub const TEMPORARY: Self = Self::SECONDARY;
}

open_enum! {
    /// Where an address comes from (`IFA_PROTO`); further names stand in `rt_addrprotos`.
    pub struct AddressProtocol(u8) "IFAPROT_" {
        UNSPEC = 0,
        /// The loopback addresses.
        KERNEL_LO = 1,
        /// Router advertisements.
        KERNEL_RA = 2,
        /// Link-local addresses.
        KERNEL_LL = 3,
    }
}

open_enum! {
    /// What a routing rule does (`fib_rule_hdr.action`).
    pub struct RuleAction(u8) "FR_ACT_" {
        UNSPEC = 0,
        TO_TBL = 1,
        GOTO = 2,
        NOP = 3,
        BLACKHOLE = 6,
        UNREACHABLE = 7,
        PROHIBIT = 8,
    }
}

flag_set! {
    /// Flags of a routing rule (`fib_rule_hdr.flags`).
    pub struct RuleFlags(u32) "FIB_RULE_" {
        PERMANENT = 0x1,
        INVERT = 0x2,
        UNRESOLVED = 0x4,
        IIF_DETACHED = 0x8,
        OIF_DETACHED = 0x10,
    }
}

flag_set! {
    /// The state of a neighbour (`ndm_state`, linux/neighbour.h).
    pub struct NeighbourState(u16) "NUD_" {
        INCOMPLETE = 0x1,
        REACHABLE = 0x2,
        STALE = 0x4,
        DELAY = 0x8,
        PROBE = 0x10,
        FAILED = 0x20,
        NOARP = 0x40,
        PERMANENT = 0x80,
    }
}

flag_set! {
    /// Flags of a neighbour (`ndm_flags`).
    pub struct NeighbourFlags(u8) "NTF_" {
        USE = 0x1,
        SELF = 0x2,
        MASTER = 0x4,
        PROXY = 0x8,
        EXT_LEARNED = 0x10,
        OFFLOADED = 0x20,
        STICKY = 0x40,
        ROUTER = 0x80,
    }
}

flag_set! {
    /// Further flags of a neighbour (`NDA_FLAGS_EXT`).
    pub struct NeighbourExtFlags(u32) "NTF_EXT_" {
        MANAGED = 0x1,
        LOCKED = 0x2,
        EXT_VALIDATED = 0x4,
    }
}

open_enum! {
    /// How a group of nexthops shares the load (`NHA_GROUP_TYPE`).
    pub struct GroupType(u16) "NEXTHOP_GRP_TYPE_" {
        MPATH = 0,
        RES = 1,
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
