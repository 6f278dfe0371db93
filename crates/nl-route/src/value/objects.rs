//! Numbers of everything but routes.

use nl_wire::{flag_set, open_enum};

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
