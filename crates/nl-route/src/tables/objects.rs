//! Message types, fixed parts and tables of everything but routes.

use nl_wire::layouts;
use nl_wire::table::Table;
use nl_wire::value::{AddressFamily, Family};

use crate::value::{
    AddressFlags, LinkFlags, LinkType, NeighbourFlags, NeighbourState, RouteFlags, RouteProtocol,
    RouteType, RuleAction, RuleFlags, Scope, TableId,
};

use super::ROUTES;
use super::bridge::MDBA;
use super::link::{IFLA, IFLA_AF_SPEC_TABLE};
use super::other::{
    FRA, IFA, IFAL, IFLA_STATS_TABLE, NDA, NDTA, NETCONFA, NETNSA, NHA, PREFIXA, TCA,
};
use super::route::RTA;

layouts! {
    /// `struct ifinfomsg`, of links.
    pub static IFINFOMSG: "ifinfomsg" {
        "ifi_family": Named(&U8, AddressFamily::NAMES);
        "": U8;
        "ifi_type": Named(&U16, LinkType::NAMES);
        "ifi_index": I32;
        "ifi_flags": Named(&U32, LinkFlags::NAMES);
        "ifi_change": Named(&U32, LinkFlags::NAMES);
    }
    /// `struct ifaddrmsg`, of addresses.
    pub static IFADDRMSG: "ifaddrmsg" {
        "ifa_family": Named(&U8, AddressFamily::NAMES);
        "ifa_prefixlen": U8;
        "ifa_flags": Named(&U8, AddressFlags::NAMES);
        "ifa_scope": Named(&U8, Scope::NAMES);
        "ifa_index": U32;
    }
    /// `struct ndmsg`, of neighbours.
    pub static NDMSG: "ndmsg" {
        "ndm_family": Named(&U8, AddressFamily::NAMES);
        "": U8;
        "": U16;
        "ndm_ifindex": I32;
        "ndm_state": Named(&U16, NeighbourState::NAMES);
        "ndm_flags": Named(&U8, NeighbourFlags::NAMES);
        "ndm_type": Named(&U8, RouteType::NAMES);
    }
    /// `struct fib_rule_hdr`, of routing rules.
    pub static FIB_RULE_HDR: "fib_rule_hdr" {
        "family": Named(&U8, AddressFamily::NAMES);
        "dst_len": U8;
        "src_len": U8;
        "tos": U8;
        "table": Named(&U8, TableId::NAMES);
        "res1": U8;
        "res2": U8;
        "action": Named(&U8, RuleAction::NAMES);
        "flags": Named(&U32, RuleFlags::NAMES);
    }
    /// `struct tcmsg`, of queueing disciplines, classes and filters.
    pub static TCMSG: "tcmsg" {
        "tcm_family": U8;
        "": U8;
        "": U16;
        "tcm_ifindex": I32;
        "tcm_handle": U32;
        "tcm_parent": U32;
        "tcm_info": U32;
    }
    /// `struct prefixmsg`, of router advertisements.
    pub static PREFIXMSG: "prefixmsg" {
        "prefix_family": Named(&U8, AddressFamily::NAMES);
        "": U8;
        "": U16;
        "prefix_ifindex": I32;
        "prefix_type": U8;
        "prefix_len": U8;
        "prefix_flags": U8;
        "": U8;
    }
    /// `struct nduseroptmsg`, of neighbour discovery options.
    pub static NDUSEROPTMSG: "nduseroptmsg" {
        "nduseropt_family": Named(&U8, AddressFamily::NAMES);
        "": U8;
        "nduseropt_opts_len": U16;
        "nduseropt_ifindex": I32;
        "nduseropt_icmp_type": U8;
        "nduseropt_icmp_code": U8;
        "": U16;
        "": U32;
    }
    /// `struct rtgenmsg`, padded: a family alone.
    pub static RTGENMSG: "rtgenmsg" {
        "rtgen_family": Named(&U8, AddressFamily::NAMES);
        "": U8;
        "": U16;
    }
    /// `struct ifaddrlblmsg`, of address labels.
    pub static IFADDRLBLMSG: "ifaddrlblmsg" {
        "ifal_family": Named(&U8, AddressFamily::NAMES);
        "": U8;
        "ifal_prefixlen": U8;
        "ifal_flags": U8;
        "ifal_index": U32;
        "ifal_seq": U32;
    }
    /// `struct br_port_msg`, of multicast groups of bridges.
    pub static BR_PORT_MSG: "br_port_msg" {
        "family": Named(&U8, AddressFamily::NAMES);
        "": U8;
        "": U16;
        "ifindex": U32;
    }
    /// `struct if_stats_msg`, of statistics.
    pub static IF_STATS_MSG: "if_stats_msg" {
        "family": Named(&U8, AddressFamily::NAMES);
        "": U8;
        "": U16;
        "ifindex": U32;
        "filter_mask": U32;
    }
    /// `struct nhmsg`, of nexthop objects.
    pub static NHMSG: "nhmsg" {
        "nh_family": Named(&U8, AddressFamily::NAMES);
        "nh_scope": Named(&U8, Scope::NAMES);
        "nh_protocol": Named(&U8, RouteProtocol::NAMES);
        "resvd": U8;
        "nh_flags": Named(&U32, RouteFlags::NAMES);
    }
    /// `struct tcamsg`, of traffic control actions.
    pub static TCAMSG: "tcamsg" { "tca_family": U8; "": U8; "": U16; }
    /// `struct dcbmsg`, of data centre bridging.
    pub static DCBMSG: "dcbmsg" { "dcb_family": U8; "cmd": U8; "dcb_pad": U16; }
    /// `struct br_vlan_msg`, of VLANs of bridges.
    pub static BR_VLAN_MSG: "br_vlan_msg" {
        "family": Named(&U8, AddressFamily::NAMES);
        "": U8;
        "": U16;
        "ifindex": U32;
    }
    /// `struct tunnel_msg`, of VXLAN filters.
    pub static TUNNEL_MSG: "tunnel_msg" {
        "family": Named(&U8, AddressFamily::NAMES);
        "flags": U8;
        "reserved2": U16;
        "ifindex": U32;
    }
}

nl_wire::protocol! {
    /// Links and their alternative names.
    pub static LINKS: Family::ROUTE {
        RTM_NEWLINK = 16: New, &IFINFOMSG, &IFLA;
        RTM_DELLINK = 17: Delete, &IFINFOMSG, &IFLA;
        RTM_GETLINK = 18: Get, &IFINFOMSG, &IFLA;
        RTM_SETLINK = 19: New, &IFINFOMSG, &IFLA;
        RTM_NEWLINKPROP = 108: New, &IFINFOMSG, &IFLA;
        RTM_DELLINKPROP = 109: Delete, &IFINFOMSG, &IFLA;
        RTM_GETLINKPROP = 110: Get, &IFINFOMSG, &IFLA;
    }
    /// Addresses, those of multicast groups and anycast among them.
    pub static ADDRESSES: Family::ROUTE {
        RTM_NEWADDR = 20: New, &IFADDRMSG, &IFA;
        RTM_DELADDR = 21: Delete, &IFADDRMSG, &IFA;
        RTM_GETADDR = 22: Get, &IFADDRMSG, &IFA;
        RTM_NEWMULTICAST = 56: New, &IFADDRMSG, &IFA;
        RTM_DELMULTICAST = 57: Delete, &IFADDRMSG, &IFA;
        RTM_GETMULTICAST = 58: Get, &IFADDRMSG, &IFA;
        RTM_NEWANYCAST = 60: New, &IFADDRMSG, &IFA;
        RTM_DELANYCAST = 61: Delete, &IFADDRMSG, &IFA;
        RTM_GETANYCAST = 62: Get, &IFADDRMSG, &IFA;
    }
    /// Neighbours and forwarding entries.
    pub static NEIGHBOURS: Family::ROUTE {
        RTM_NEWNEIGH = 28: New, &NDMSG, &NDA;
        RTM_DELNEIGH = 29: Delete, &NDMSG, &NDA;
        RTM_GETNEIGH = 30: Get, &NDMSG, &NDA;
    }
    /// Routing rules.
    pub static RULES: Family::ROUTE {
        RTM_NEWRULE = 32: New, &FIB_RULE_HDR, &FRA;
        RTM_DELRULE = 33: Delete, &FIB_RULE_HDR, &FRA;
        RTM_GETRULE = 34: Get, &FIB_RULE_HDR, &FRA;
    }
    /// Queueing disciplines, classes and what filters and handles packets there.
    pub static TRAFFIC: Family::ROUTE {
        RTM_NEWQDISC = 36: New, &TCMSG, &TCA;
        RTM_DELQDISC = 37: Delete, &TCMSG, &TCA;
        RTM_GETQDISC = 38: Get, &TCMSG, &TCA;
        RTM_NEWTCLASS = 40: New, &TCMSG, &TCA;
        RTM_DELTCLASS = 41: Delete, &TCMSG, &TCA;
        RTM_GETTCLASS = 42: Get, &TCMSG, &TCA;
        RTM_NEWTFILTER = 44: New, &TCMSG, &TCA;
        RTM_DELTFILTER = 45: Delete, &TCMSG, &TCA;
        RTM_GETTFILTER = 46: Get, &TCMSG, &TCA;
        RTM_NEWACTION = 48: New, &TCAMSG, Table::EMPTY;
        RTM_DELACTION = 49: Delete, &TCAMSG, Table::EMPTY;
        RTM_GETACTION = 50: Get, &TCAMSG, Table::EMPTY;
        RTM_NEWCHAIN = 100: New, &TCMSG, &TCA;
        RTM_DELCHAIN = 101: Delete, &TCMSG, &TCA;
        RTM_GETCHAIN = 102: Get, &TCMSG, &TCA;
    }
    /// Tables of neighbours.
    pub static NEIGHBOUR_TABLES: Family::ROUTE {
        RTM_NEWNEIGHTBL = 64: New, &RTGENMSG, &NDTA;
        RTM_GETNEIGHTBL = 66: Get, &RTGENMSG, &NDTA;
        RTM_SETNEIGHTBL = 67: New, &RTGENMSG, &NDTA;
    }
    /// Address labels.
    pub static ADDRESS_LABELS: Family::ROUTE {
        RTM_NEWADDRLABEL = 72: New, &IFADDRLBLMSG, &IFAL;
        RTM_DELADDRLABEL = 73: Delete, &IFADDRLBLMSG, &IFAL;
        RTM_GETADDRLABEL = 74: Get, &IFADDRLBLMSG, &IFAL;
    }
    /// Settings of interfaces.
    pub static NETCONF: Family::ROUTE {
        RTM_NEWNETCONF = 80: New, &RTGENMSG, &NETCONFA;
        RTM_DELNETCONF = 81: Delete, &RTGENMSG, &NETCONFA;
        RTM_GETNETCONF = 82: Get, &RTGENMSG, &NETCONFA;
    }
    /// Ids of network namespaces.
    pub static NSIDS: Family::ROUTE {
        RTM_NEWNSID = 88: New, &RTGENMSG, &NETNSA;
        RTM_DELNSID = 89: Delete, &RTGENMSG, &NETNSA;
        RTM_GETNSID = 90: Get, &RTGENMSG, &NETNSA;
    }
    /// Nexthop objects and the buckets of resilient groups.
    pub static NEXTHOPS: Family::ROUTE {
        RTM_NEWNEXTHOP = 104: New, &NHMSG, &NHA;
        RTM_DELNEXTHOP = 105: Delete, &NHMSG, &NHA;
        RTM_GETNEXTHOP = 106: Get, &NHMSG, &NHA;
        RTM_NEWNEXTHOPBUCKET = 116: New, &NHMSG, &NHA;
        RTM_DELNEXTHOPBUCKET = 117: Delete, &NHMSG, &NHA;
        RTM_GETNEXTHOPBUCKET = 118: Get, &NHMSG, &NHA;
    }
    /// Multicast groups of bridges.
    pub static MULTICAST_GROUPS: Family::ROUTE {
        RTM_NEWMDB = 84: New, &BR_PORT_MSG, &MDBA;
        RTM_DELMDB = 85: Delete, &BR_PORT_MSG, &MDBA;
        RTM_GETMDB = 86: Get, &BR_PORT_MSG, &MDBA;
    }
    /// What nothing in this crate asks for.
    pub static OTHERS: Family::ROUTE {
        RTM_NEWPREFIX = 52: New, &PREFIXMSG, &PREFIXA;
        RTM_NEWNDUSEROPT = 68: New, &NDUSEROPTMSG, Table::EMPTY;
        RTM_GETDCB = 78: Get, &DCBMSG, Table::EMPTY;
        RTM_SETDCB = 79: New, &DCBMSG, Table::EMPTY;
        RTM_NEWSTATS = 92: New, &IF_STATS_MSG, &IFLA_STATS_TABLE;
        RTM_GETSTATS = 94: Get, &IF_STATS_MSG, &IFLA_STATS_TABLE;
        RTM_SETSTATS = 95: New, &IF_STATS_MSG, &IFLA_STATS_TABLE;
        RTM_NEWCACHEREPORT = 96: New, &RTGENMSG, Table::EMPTY;
        RTM_NEWVLAN = 112: New, &BR_VLAN_MSG, Table::EMPTY;
        RTM_DELVLAN = 113: Delete, &BR_VLAN_MSG, Table::EMPTY;
        RTM_GETVLAN = 114: Get, &BR_VLAN_MSG, Table::EMPTY;
        RTM_NEWTUNNEL = 120: New, &TUNNEL_MSG, Table::EMPTY;
        RTM_DELTUNNEL = 121: Delete, &TUNNEL_MSG, Table::EMPTY;
        RTM_GETTUNNEL = 122: Get, &TUNNEL_MSG, Table::EMPTY;
    }
}

nl_wire::protocol! {
    /// rtnetlink (`NETLINK_ROUTE`): every message type of it.
    pub static PROTOCOL: Family::ROUTE = [
        LINKS, ADDRESSES, ROUTES, NEIGHBOURS, RULES, TRAFFIC, NEIGHBOUR_TABLES, ADDRESS_LABELS,
        NETCONF, NSIDS, NEXTHOPS, MULTICAST_GROUPS, OTHERS,
    ];
}

/// Every table that a message of rtnetlink begins with or that stands alone, for listings of parts
/// and for fuzzing dictionaries.
pub static TABLES: &[&Table] = &[
    &IFLA,
    &IFLA_AF_SPEC_TABLE,
    &IFA,
    &RTA,
    &NDA,
    &FRA,
    &NHA,
    &TCA,
    &NDTA,
    &NETNSA,
    &NETCONFA,
    &IFLA_STATS_TABLE,
    &IFAL,
    &PREFIXA,
];
