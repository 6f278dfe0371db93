//! Kinds that are neither bridges nor tunnels.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::kinds;
// The structures below name nearly every one of them.
#[allow(clippy::wildcard_imports)]
use crate::tables::kind::*;

kinds! {
    /// A VLAN.
    Vlan {
        /// The number of the VLAN
        id: u16 = IFLA_VLAN_ID, u16;
        /// Flags, and which of them are meant: 1 reorder headers, 2 GVRP, 4 loose binding, 8 MVRP, 16 bridge binding
        flags: [u32; 2] = IFLA_VLAN_FLAGS, pair;
        /// Which priority of a packet becomes which of the VLAN
        egress_qos: Vec<[u32; 2]> = IFLA_VLAN_EGRESS_QOS, pairs;
        /// Which priority of the VLAN becomes which of a packet
        ingress_qos: Vec<[u32; 2]> = IFLA_VLAN_INGRESS_QOS, pairs;
        /// The Ethernet type
        protocol: u16 = IFLA_VLAN_PROTOCOL, u16_be;
    }
    /// A bond; times in milliseconds.
    Bond {
        /// 0 balance-rr, 1 active-backup, 2 balance-xor, 3 broadcast, 4 802.3ad, 5 balance-tlb, 6 balance-alb
        mode: u8 = IFLA_BOND_MODE, u8;
        /// The index of the port in use; 0 is none
        active_slave: u32 = IFLA_BOND_ACTIVE_SLAVE, u32;
        /// Between looks at the carriers of ports; 0 is never
        miimon: u32 = IFLA_BOND_MIIMON, u32;
        /// How long a port must be up to be used
        updelay: u32 = IFLA_BOND_UPDELAY, u32;
        /// How long it must be down not to be used
        downdelay: u32 = IFLA_BOND_DOWNDELAY, u32;
        /// Whether the carrier is asked for in the new way
        use_carrier: u8 = IFLA_BOND_USE_CARRIER, u8;
        /// Between ARP requests that watch the ports; 0 is never
        arp_interval: u32 = IFLA_BOND_ARP_INTERVAL, u32;
        /// Who is asked
        arp_ip_target: Vec<IpAddr> = IFLA_BOND_ARP_IP_TARGET, list;
        /// Which answers count: 0 none, 1 active, 2 backup, 3 all, 4 filter, 5 and 6 both
        arp_validate: u32 = IFLA_BOND_ARP_VALIDATE, u32;
        /// Whether any (0) or all (1) must answer
        arp_all_targets: u32 = IFLA_BOND_ARP_ALL_TARGETS, u32;
        /// The index of the port to prefer; 0 is none
        primary: u32 = IFLA_BOND_PRIMARY, u32;
        /// When it is chosen again: 0 always, 1 if better, 2 on failure
        primary_reselect: u8 = IFLA_BOND_PRIMARY_RESELECT, u8;
        /// Whose address is used: 0 one for all, 1 the active port's, 2 it follows
        fail_over_mac: u8 = IFLA_BOND_FAIL_OVER_MAC, u8;
        /// What ports are chosen by: 0 layer2, 1 layer3+4, 2 layer2+3, 3 encap2+3, 4 encap3+4, 5 vlan+srcmac
        xmit_hash_policy: u8 = IFLA_BOND_XMIT_HASH_POLICY, u8;
        /// Membership reports after a change
        resend_igmp: u32 = IFLA_BOND_RESEND_IGMP, u32;
        /// Announcements after a change
        num_peer_notif: u8 = IFLA_BOND_NUM_PEER_NOTIF, u8;
        /// Whether idle ports receive
        all_slaves_active: u8 = IFLA_BOND_ALL_SLAVES_ACTIVE, u8;
        /// Ports that must be up for a carrier
        min_links: u32 = IFLA_BOND_MIN_LINKS, u32;
        /// Seconds between learning packets
        lp_interval: u32 = IFLA_BOND_LP_INTERVAL, u32;
        /// Packets sent by a port before the next one's turn
        packets_per_slave: u32 = IFLA_BOND_PACKETS_PER_SLAVE, u32;
        /// How often partners shall speak: 0 slowly, 1 fast
        ad_lacp_rate: u8 = IFLA_BOND_AD_LACP_RATE, u8;
        /// How aggregators are chosen: 0 stable, 1 bandwidth, 2 count
        ad_select: u8 = IFLA_BOND_AD_SELECT, u8;
        /// The aggregator in use
        ad_info: BondAggregator = IFLA_BOND_AD_INFO, aggregator;
        /// The priority of this system
        ad_actor_sys_prio: u16 = IFLA_BOND_AD_ACTOR_SYS_PRIO, u16;
        /// The user's part of port keys
        ad_user_port_key: u16 = IFLA_BOND_AD_USER_PORT_KEY, u16;
        /// The address of this system
        ad_actor_system: Vec<u8> = IFLA_BOND_AD_ACTOR_SYSTEM, bytes;
        /// Whether load is spread anew
        tlb_dynamic_lb: u8 = IFLA_BOND_TLB_DYNAMIC_LB, u8;
        /// Between announcements
        peer_notif_delay: u32 = IFLA_BOND_PEER_NOTIF_DELAY, u32;
        /// Whether it speaks first
        ad_lacp_active: u8 = IFLA_BOND_AD_LACP_ACTIVE, u8;
        /// Missed answers until a port is down
        missed_max: u8 = IFLA_BOND_MISSED_MAX, u8;
        /// Who is solicited in IPv6
        ns_ip6_target: Vec<IpAddr> = IFLA_BOND_NS_IP6_TARGET, list;
        /// Whether collecting and distributing go together
        coupled_control: u8 = IFLA_BOND_COUPLED_CONTROL, u8;
        /// Whether ARP and neighbour discovery go to all ports
        broadcast_neigh: u8 = IFLA_BOND_BROADCAST_NEIGH, u8;
        /// Whether ports without a partner are not used
        lacp_strict: u8 = IFLA_BOND_LACP_STRICT, u8;
    }
    /// The aggregator that an 802.3ad bond uses.
    BondAggregator {
        /// Its id
        id: u16 = IFLA_BOND_AD_INFO_AGGREGATOR, u16;
        /// Its ports
        num_ports: u16 = IFLA_BOND_AD_INFO_NUM_PORTS, u16;
        /// The key on this side
        actor_key: u16 = IFLA_BOND_AD_INFO_ACTOR_KEY, u16;
        /// The key on the other side
        partner_key: u16 = IFLA_BOND_AD_INFO_PARTNER_KEY, u16;
        /// The address of the other system
        partner_mac: Vec<u8> = IFLA_BOND_AD_INFO_PARTNER_MAC, bytes;
    }
    /// A port of a bond.
    BondPort {
        /// 0 active, 1 backup
        state: u8 = IFLA_BOND_SLAVE_STATE, u8;
        /// 0 up, 1 going down, 2 down, 3 going back
        mii_status: u8 = IFLA_BOND_SLAVE_MII_STATUS, u8;
        /// How often it failed
        link_failure_count: u32 = IFLA_BOND_SLAVE_LINK_FAILURE_COUNT, u32;
        /// The address that it had before
        perm_hwaddr: Vec<u8> = IFLA_BOND_SLAVE_PERM_HWADDR, bytes;
        /// The queue that is sent by it
        queue_id: u16 = IFLA_BOND_SLAVE_QUEUE_ID, u16;
        /// Its aggregator
        ad_aggregator_id: u16 = IFLA_BOND_SLAVE_AD_AGGREGATOR_ID, u16;
        /// What its own side says, in bits
        ad_actor_oper_port_state: u8 = IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE, u8;
        /// What the other side says, in bits
        ad_partner_oper_port_state: u16 = IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE, u16;
        /// How much it is preferred
        prio: i32 = IFLA_BOND_SLAVE_PRIO, i32;
        /// Its priority in the protocol
        actor_port_prio: u16 = IFLA_BOND_SLAVE_ACTOR_PORT_PRIO, u16;
        /// Whether its own side is out of step
        ad_churn_actor_state: u8 = IFLA_BOND_SLAVE_AD_CHURN_ACTOR_STATE, u8;
        /// Whether the other side is out of step
        ad_churn_partner_state: u8 = IFLA_BOND_SLAVE_AD_CHURN_PARTNER_STATE, u8;
    }
    /// A link with an address of its own on another (`macvlan`, `macvtap`).
    Macvlan {
        /// 1 private, 2 vepa, 4 bridge, 8 passthru, 16 source
        mode: u32 = IFLA_MACVLAN_MODE, u32;
        /// 1 not promiscuous, 2 not by destination
        flags: u16 = IFLA_MACVLAN_FLAGS, u16;
        /// In a request: 0 add, 1 delete, 2 flush, 3 set the sources
        macaddr_mode: u32 = IFLA_MACVLAN_MACADDR_MODE, u32;
        /// In a request: the source to add or delete
        macaddr: Vec<u8> = IFLA_MACVLAN_MACADDR, bytes;
        /// The sources that it accepts
        macaddr_data: Vec<Vec<u8>> = IFLA_MACVLAN_MACADDR_DATA, addresses;
        /// How many these are
        macaddr_count: u32 = IFLA_MACVLAN_MACADDR_COUNT, u32;
        /// Packets that the broadcast queue shall hold
        bc_queue_len: u32 = IFLA_MACVLAN_BC_QUEUE_LEN, u32;
        /// Packets that it does hold
        bc_queue_len_used: u32 = IFLA_MACVLAN_BC_QUEUE_LEN_USED, u32;
        /// Receivers from which on multicast is queued
        bc_cutoff: i32 = IFLA_MACVLAN_BC_CUTOFF, i32;
    }
    /// A link that shares another's address (`ipvlan`, `ipvtap`).
    Ipvlan {
        /// 0 l2, 1 l3, 2 l3s
        mode: u16 = IFLA_IPVLAN_MODE, u16;
        /// 1 private, 2 vepa
        flags: u16 = IFLA_IPVLAN_FLAGS, u16;
    }
    /// A link of a program; it is made with another interface.
    Tun {
        /// The user who may open it
        owner: u32 = IFLA_TUN_OWNER, u32;
        /// The group of users who may open it
        group: u32 = IFLA_TUN_GROUP, u32;
        /// 1 IP (tun), 2 Ethernet (tap)
        kind: u8 = IFLA_TUN_TYPE, u8;
        /// Whether packets have a header of flags and protocol
        pi: u8 = IFLA_TUN_PI, u8;
        /// Whether packets have a header of virtio
        vnet_hdr: u8 = IFLA_TUN_VNET_HDR, u8;
        /// Whether it stays when the program ends
        persist: u8 = IFLA_TUN_PERSIST, u8;
        /// Whether it has several queues
        multi_queue: u8 = IFLA_TUN_MULTI_QUEUE, u8;
        /// Queues
        num_queues: u32 = IFLA_TUN_NUM_QUEUES, u32;
        /// Queues that are not used
        num_disabled_queues: u32 = IFLA_TUN_NUM_DISABLED_QUEUES, u32;
    }
    /// One of a pair of links with BPF programs.
    Netkit {
        /// Whether it is the first of the pair
        primary: u8 = IFLA_NETKIT_PRIMARY, u8;
        /// Without a program: 0 forward, 2 drop
        policy: u32 = IFLA_NETKIT_POLICY, u32;
        /// The same of the other
        peer_policy: u32 = IFLA_NETKIT_PEER_POLICY, u32;
        /// 0 Ethernet, 1 IP
        mode: u32 = IFLA_NETKIT_MODE, u32;
        /// Whether packets keep mark and priority (0) or not (1)
        scrub: u32 = IFLA_NETKIT_SCRUB, u32;
        /// The same of the other
        peer_scrub: u32 = IFLA_NETKIT_PEER_SCRUB, u32;
        /// Bytes kept free before packets
        headroom: u16 = IFLA_NETKIT_HEADROOM, u16;
        /// Bytes kept free behind packets
        tailroom: u16 = IFLA_NETKIT_TAILROOM, u16;
        /// Whether it is a pair (0) or alone
        pairing: u32 = IFLA_NETKIT_PAIRING, u32;
    }
    /// A VRF.
    Vrf {
        /// Its routing table
        table: u32 = IFLA_VRF_TABLE, u32;
    }
    /// A port of a VRF.
    VrfPort {
        /// The VRF's routing table
        table: u32 = IFLA_VRF_PORT_TABLE, u32;
    }
}
