//! Tunnels.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::kinds;
// The structures below name nearly every one of them.
#[allow(clippy::wildcard_imports)]
use crate::tables::tunnel::*;

kinds! {
    /// A VXLAN.
    Vxlan {
        /// Its number, the VNI
        id: u32 = IFLA_VXLAN_ID, u32;
        /// Where packets go to whose receiver is not known, in IPv4
        group: IpAddr = IFLA_VXLAN_GROUP, ip;
        /// The index of the link to send by
        link: u32 = IFLA_VXLAN_LINK, u32;
        /// The own address, in IPv4
        local: IpAddr = IFLA_VXLAN_LOCAL, ip;
        /// Time to live outside; 0 is automatic
        ttl: u8 = IFLA_VXLAN_TTL, u8;
        /// Type of service outside; 1 is the packet's
        tos: u8 = IFLA_VXLAN_TOS, u8;
        /// Whether addresses are learned
        learning: u8 = IFLA_VXLAN_LEARNING, u8;
        /// Seconds that a learned one is kept; 0 is for ever
        ageing: u32 = IFLA_VXLAN_AGEING, u32;
        /// Most that are learned; 0 is unlimited
        limit: u32 = IFLA_VXLAN_LIMIT, u32;
        /// Least and greatest source port
        port_range: [u16; 2] = IFLA_VXLAN_PORT_RANGE, ports;
        /// Whether ARP is answered
        proxy: u8 = IFLA_VXLAN_PROXY, u8;
        /// Whether routes are short-cut
        rsc: u8 = IFLA_VXLAN_RSC, u8;
        /// Whether unknown link addresses are told
        l2miss: u8 = IFLA_VXLAN_L2MISS, u8;
        /// Whether unknown neighbours are told
        l3miss: u8 = IFLA_VXLAN_L3MISS, u8;
        /// The destination port
        port: u16 = IFLA_VXLAN_PORT, u16_be;
        /// As `group`, in IPv6
        group6: IpAddr = IFLA_VXLAN_GROUP6, ip;
        /// As `local`, in IPv6
        local6: IpAddr = IFLA_VXLAN_LOCAL6, ip;
        /// Whether UDP over IPv4 has a checksum
        udp_csum: u8 = IFLA_VXLAN_UDP_CSUM, u8;
        /// Whether UDP over IPv6 is sent without one
        udp_zero_csum6_tx: u8 = IFLA_VXLAN_UDP_ZERO_CSUM6_TX, u8;
        /// Whether it is taken without one
        udp_zero_csum6_rx: u8 = IFLA_VXLAN_UDP_ZERO_CSUM6_RX, u8;
        /// Whether checksums are left to the receiver
        remcsum_tx: u8 = IFLA_VXLAN_REMCSUM_TX, u8;
        /// Whether those left here are computed
        remcsum_rx: u8 = IFLA_VXLAN_REMCSUM_RX, u8;
        /// Whether packets carry a group policy
        gbp: () = IFLA_VXLAN_GBP, flag;
        /// Whether such checksums are computed at once
        remcsum_nopartial: () = IFLA_VXLAN_REMCSUM_NOPARTIAL, flag;
        /// Whether each packet brings its own addresses
        collect_metadata: u8 = IFLA_VXLAN_COLLECT_METADATA, u8;
        /// The flow label outside
        label: u32 = IFLA_VXLAN_LABEL, u32_be;
        /// Whether packets say what they carry
        gpe: () = IFLA_VXLAN_GPE, flag;
        /// Whether the time to live is the packet's; one byte from the kernel, none to it
        ttl_inherit: Vec<u8> = IFLA_VXLAN_TTL_INHERIT, bytes;
        /// Whether fragments are forbidden: 0 no, 1 yes, 2 as inside
        df: u8 = IFLA_VXLAN_DF, u8;
        /// Whether only some VNIs are taken
        vnifilter: u8 = IFLA_VXLAN_VNIFILTER, u8;
        /// Whether packets to this host take a short way
        localbypass: u8 = IFLA_VXLAN_LOCALBYPASS, u8;
        /// Where the flow label comes from
        label_policy: u32 = IFLA_VXLAN_LABEL_POLICY, u32;
        /// Bits of the header that are ignored, 8 bytes
        reserved_bits: Vec<u8> = IFLA_VXLAN_RESERVED_BITS, bytes;
        /// Whether multicast routes are asked
        mc_route: u8 = IFLA_VXLAN_MC_ROUTE, u8;
    }
    /// A Geneve tunnel.
    Geneve {
        /// Its number, the VNI
        id: u32 = IFLA_GENEVE_ID, u32;
        /// The other end, in IPv4
        remote: IpAddr = IFLA_GENEVE_REMOTE, ip;
        /// Time to live outside; 0 is automatic
        ttl: u8 = IFLA_GENEVE_TTL, u8;
        /// Type of service outside; 1 is the packet's
        tos: u8 = IFLA_GENEVE_TOS, u8;
        /// The destination port
        port: u16 = IFLA_GENEVE_PORT, u16_be;
        /// Each packet brings its own addresses
        collect_metadata: () = IFLA_GENEVE_COLLECT_METADATA, flag;
        /// The other end, in IPv6
        remote6: IpAddr = IFLA_GENEVE_REMOTE6, ip;
        /// Whether UDP over IPv4 has a checksum
        udp_csum: u8 = IFLA_GENEVE_UDP_CSUM, u8;
        /// Whether UDP over IPv6 is sent without one
        udp_zero_csum6_tx: u8 = IFLA_GENEVE_UDP_ZERO_CSUM6_TX, u8;
        /// Whether it is taken without one
        udp_zero_csum6_rx: u8 = IFLA_GENEVE_UDP_ZERO_CSUM6_RX, u8;
        /// The flow label outside
        label: u32 = IFLA_GENEVE_LABEL, u32_be;
        /// Whether the time to live is the packet's
        ttl_inherit: u8 = IFLA_GENEVE_TTL_INHERIT, u8;
        /// Whether fragments are forbidden: 0 no, 1 yes, 2 as inside
        df: u8 = IFLA_GENEVE_DF, u8;
        /// Packets need no Ethernet header
        inner_proto_inherit: () = IFLA_GENEVE_INNER_PROTO_INHERIT, flag;
        /// Least and greatest source port
        port_range: [u16; 2] = IFLA_GENEVE_PORT_RANGE, ports;
        /// Packets carry hints for merging
        gro_hint: () = IFLA_GENEVE_GRO_HINT, flag;
        /// The own address, in IPv4
        local: IpAddr = IFLA_GENEVE_LOCAL, ip;
        /// The own address, in IPv6
        local6: IpAddr = IFLA_GENEVE_LOCAL6, ip;
    }
    /// A GRE tunnel (`gre`, `gretap`, `erspan`, and these with `ip6` before).
    Gre {
        /// The index of the link to send by
        link: u32 = IFLA_GRE_LINK, u32;
        /// What packets must have: 0x8000 checksum, 0x2000 key, 0x1000 sequence
        iflags: u16 = IFLA_GRE_IFLAGS, u16_be;
        /// What packets get, the same bits
        oflags: u16 = IFLA_GRE_OFLAGS, u16_be;
        /// The key that packets must have
        ikey: u32 = IFLA_GRE_IKEY, u32_be;
        /// The key that packets get
        okey: u32 = IFLA_GRE_OKEY, u32_be;
        /// The own address
        local: IpAddr = IFLA_GRE_LOCAL, ip;
        /// The other end
        remote: IpAddr = IFLA_GRE_REMOTE, ip;
        /// Time to live outside; 0 is the packet's
        ttl: u8 = IFLA_GRE_TTL, u8;
        /// Type of service outside; 1 is the packet's
        tos: u8 = IFLA_GRE_TOS, u8;
        /// Whether the path's MTU is sought
        pmtudisc: u8 = IFLA_GRE_PMTUDISC, u8;
        /// How deep tunnels may be nested
        encap_limit: u8 = IFLA_GRE_ENCAP_LIMIT, u8;
        /// Traffic class and flow label outside
        flowinfo: u32 = IFLA_GRE_FLOWINFO, u32_be;
        /// `IP6_TNL_F_*`
        flags: u32 = IFLA_GRE_FLAGS, u32;
        /// What carries it: 0 nothing, 1 FOU, 2 GUE
        encap_type: u16 = IFLA_GRE_ENCAP_TYPE, u16;
        /// 1 checksum over IPv4, 2 over IPv6, 4 left to the receiver
        encap_flags: u16 = IFLA_GRE_ENCAP_FLAGS, u16;
        /// Its source port; 0 is automatic
        encap_sport: u16 = IFLA_GRE_ENCAP_SPORT, u16_be;
        /// Its destination port
        encap_dport: u16 = IFLA_GRE_ENCAP_DPORT, u16_be;
        /// Each packet brings its own addresses
        collect_metadata: () = IFLA_GRE_COLLECT_METADATA, flag;
        /// Whether packets that forbid fragments are taken nevertheless
        ignore_df: u8 = IFLA_GRE_IGNORE_DF, u8;
        /// The mark that its route is sought with
        fwmark: u32 = IFLA_GRE_FWMARK, u32;
        /// Of ERSPAN 1: the mirrored port
        erspan_index: u32 = IFLA_GRE_ERSPAN_INDEX, u32;
        /// The version of ERSPAN: 1 or 2
        erspan_ver: u8 = IFLA_GRE_ERSPAN_VER, u8;
        /// Of ERSPAN 2: 0 received, 1 sent packets
        erspan_dir: u8 = IFLA_GRE_ERSPAN_DIR, u8;
        /// Of ERSPAN 2: the device
        erspan_hwid: u16 = IFLA_GRE_ERSPAN_HWID, u16;
    }
    /// A tunnel of IP in IP (`ipip`, `sit`, `ip6tnl`).
    IpTunnel {
        /// The index of the link to send by
        link: u32 = IFLA_IPTUN_LINK, u32;
        /// The own address
        local: IpAddr = IFLA_IPTUN_LOCAL, ip;
        /// The other end
        remote: IpAddr = IFLA_IPTUN_REMOTE, ip;
        /// Time to live outside; 0 is the packet's
        ttl: u8 = IFLA_IPTUN_TTL, u8;
        /// Type of service outside; 1 is the packet's
        tos: u8 = IFLA_IPTUN_TOS, u8;
        /// How deep tunnels may be nested
        encap_limit: u8 = IFLA_IPTUN_ENCAP_LIMIT, u8;
        /// Traffic class and flow label outside
        flowinfo: u32 = IFLA_IPTUN_FLOWINFO, u32_be;
        /// Of `ip6tnl` `IP6_TNL_F_*`, four bytes; of `sit` 1 is ISATAP, two bytes
        flags: Vec<u8> = IFLA_IPTUN_FLAGS, bytes;
        /// What is carried: 4 IPv4, 41 IPv6, 137 MPLS, 0 any
        proto: u8 = IFLA_IPTUN_PROTO, u8;
        /// Whether the path's MTU is sought
        pmtudisc: u8 = IFLA_IPTUN_PMTUDISC, u8;
        /// The prefix that embeds IPv4 addresses
        prefix_6rd: IpAddr = IFLA_IPTUN_6RD_PREFIX, ip;
        /// The part of those addresses that is left out
        relay_prefix_6rd: IpAddr = IFLA_IPTUN_6RD_RELAY_PREFIX, ip;
        /// The length of the first in bits
        prefix_length_6rd: u16 = IFLA_IPTUN_6RD_PREFIXLEN, u16;
        /// The length of the second in bits
        relay_prefix_length_6rd: u16 = IFLA_IPTUN_6RD_RELAY_PREFIXLEN, u16;
        /// What carries it: 0 nothing, 1 FOU, 2 GUE
        encap_type: u16 = IFLA_IPTUN_ENCAP_TYPE, u16;
        /// 1 checksum over IPv4, 2 over IPv6, 4 left to the receiver
        encap_flags: u16 = IFLA_IPTUN_ENCAP_FLAGS, u16;
        /// Its source port; 0 is automatic
        encap_sport: u16 = IFLA_IPTUN_ENCAP_SPORT, u16_be;
        /// Its destination port
        encap_dport: u16 = IFLA_IPTUN_ENCAP_DPORT, u16_be;
        /// Each packet brings its own addresses
        collect_metadata: () = IFLA_IPTUN_COLLECT_METADATA, flag;
        /// The mark that its route is sought with
        fwmark: u32 = IFLA_IPTUN_FWMARK, u32;
    }
    /// A tunnel for IPsec (`vti`, `vti6`).
    Vti {
        /// The index of the link to send by
        link: u32 = IFLA_VTI_LINK, u32;
        /// The mark of packets received
        ikey: u32 = IFLA_VTI_IKEY, u32_be;
        /// The mark of packets sent
        okey: u32 = IFLA_VTI_OKEY, u32_be;
        /// The own address
        local: IpAddr = IFLA_VTI_LOCAL, ip;
        /// The other end
        remote: IpAddr = IFLA_VTI_REMOTE, ip;
        /// The mark that its route is sought with
        fwmark: u32 = IFLA_VTI_FWMARK, u32;
    }
}
