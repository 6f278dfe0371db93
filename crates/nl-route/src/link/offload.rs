//! What a link has of programs and virtual functions: `IFLA_XDP` and `IFLA_VFINFO_LIST`
//! (linux/if_link.h).

use alloc::vec::Vec;

use nl_wire::attr::{Attr, Attrs};

use super::Link;
use crate::tables::link::{
    IFLA_VF_BROADCAST, IFLA_VF_IB_NODE_GUID, IFLA_VF_IB_PORT_GUID, IFLA_VF_INFO,
    IFLA_VF_LINK_STATE, IFLA_VF_MAC, IFLA_VF_RATE, IFLA_VF_RSS_QUERY_EN, IFLA_VF_SPOOFCHK,
    IFLA_VF_STATS, IFLA_VF_STATS_BROADCAST, IFLA_VF_STATS_MULTICAST, IFLA_VF_STATS_RX_BYTES,
    IFLA_VF_STATS_RX_DROPPED, IFLA_VF_STATS_RX_PACKETS, IFLA_VF_STATS_TX_BYTES,
    IFLA_VF_STATS_TX_DROPPED, IFLA_VF_STATS_TX_PACKETS, IFLA_VF_TRUST, IFLA_VF_TX_RATE,
    IFLA_VF_VLAN, IFLA_VF_VLAN_LIST, IFLA_VFINFO_LIST, IFLA_XDP, IFLA_XDP_ATTACHED,
    IFLA_XDP_DRV_PROG_ID, IFLA_XDP_HW_PROG_ID, IFLA_XDP_PROG_ID, IFLA_XDP_SKB_PROG_ID,
};

/// XDP programs of a link (`IFLA_XDP`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Xdp {
    /// Where programs are: 0 nowhere, 1 in the driver, 2 behind it, 3 in the device, 4 in several
    /// of these.
    pub attached: u8,
    /// The program's id, if there is one only.
    pub program: Option<u32>,
    /// The id of the program in the driver.
    pub driver: Option<u32>,
    /// The id of the program behind the driver.
    pub generic: Option<u32>,
    /// The id of the program in the device.
    pub device: Option<u32>,
}

/// A virtual function of a link (`IFLA_VF_INFO`).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct VirtualFunction {
    /// Its number.
    pub number: u32,
    /// The link-layer address, with zeros behind it up to 32 bytes.
    pub address: Vec<u8>,
    /// The broadcast address, likewise.
    pub broadcast: Option<Vec<u8>>,
    /// The VLAN of its packets and their priority; VLAN 0 is none.
    pub vlan: Option<(u32, u32)>,
    /// The same where there may be several: VLAN, priority, Ethernet type.
    pub vlans: Option<Vec<(u32, u32, u16)>>,
    /// Megabits a second that it may send; 0 is unlimited.
    pub tx_rate: Option<u32>,
    /// Least and most megabits a second; 0 is unlimited.
    pub rate: Option<(u32, u32)>,
    /// Whether its source addresses are checked; -1 where that is not known.
    pub spoof_check: Option<u32>,
    /// Its link: 0 as that of the device, 1 up, 2 down.
    pub link_state: Option<u32>,
    /// Whether it may do what needs trust; -1 where that is not known.
    pub trust: Option<u32>,
    /// Whether it may ask how packets are spread; -1 where that is not known.
    pub rss_query: Option<u32>,
    /// The id of an InfiniBand node.
    pub node_guid: Option<u64>,
    /// The id of an InfiniBand port.
    pub port_guid: Option<u64>,
    /// Counters.
    pub stats: Option<VirtualFunctionStats>,
}

/// Counters of a virtual function (`IFLA_VF_STATS`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct VirtualFunctionStats {
    /// Packets received.
    pub rx_packets: u64,
    /// Packets sent.
    pub tx_packets: u64,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
    /// Broadcasts received.
    pub broadcast: u64,
    /// Multicast packets received.
    pub multicast: u64,
    /// Packets dropped instead of received.
    pub rx_dropped: u64,
    /// Packets dropped instead of sent.
    pub tx_dropped: u64,
}

/// A 32-bit number at its place in a structure.
fn word(attr: &Attr<'_>, place: usize) -> Option<u32> {
    let bytes = attr.payload.get(4 * place..)?.first_chunk()?;
    Some(u32::from_ne_bytes(*bytes))
}

impl VirtualFunction {
    fn read(attrs: Attrs<'_>) -> Self {
        let mut found = Self::default();
        for attr in attrs.flatten() {
            let second = word(&attr, 1);
            let guid = || attr.payload.get(8..)?.first_chunk().copied().map(u64::from_ne_bytes);
            match attr.number() {
                IFLA_VF_MAC => {
                    found.number = word(&attr, 0).unwrap_or_default();
                    found.address = attr.payload.get(4..).unwrap_or_default().to_vec();
                }
                IFLA_VF_BROADCAST => found.broadcast = Some(attr.payload.to_vec()),
                IFLA_VF_VLAN => found.vlan = second.zip(word(&attr, 2)),
                IFLA_VF_VLAN_LIST => {
                    let vlan = |attr: Attr<'_>| {
                        let protocol = attr.payload.get(12..)?.first_chunk()?;
                        Some((word(&attr, 1)?, word(&attr, 2)?, u16::from_be_bytes(*protocol)))
                    };
                    found.vlans = Some(attr.nested().flatten().filter_map(vlan).collect());
                }
                IFLA_VF_TX_RATE => found.tx_rate = second,
                IFLA_VF_RATE => found.rate = second.zip(word(&attr, 2)),
                IFLA_VF_SPOOFCHK => found.spoof_check = second,
                IFLA_VF_LINK_STATE => found.link_state = second,
                IFLA_VF_TRUST => found.trust = second,
                IFLA_VF_RSS_QUERY_EN => found.rss_query = second,
                IFLA_VF_IB_NODE_GUID => found.node_guid = guid(),
                IFLA_VF_IB_PORT_GUID => found.port_guid = guid(),
                IFLA_VF_STATS => found.stats = Some(VirtualFunctionStats::read(attr.nested())),
                _ => {}
            }
        }
        found
    }
}

impl VirtualFunctionStats {
    fn read(attrs: Attrs<'_>) -> Self {
        let mut stats = Self::default();
        for attr in attrs.flatten() {
            let field = match attr.number() {
                IFLA_VF_STATS_RX_PACKETS => &mut stats.rx_packets,
                IFLA_VF_STATS_TX_PACKETS => &mut stats.tx_packets,
                IFLA_VF_STATS_RX_BYTES => &mut stats.rx_bytes,
                IFLA_VF_STATS_TX_BYTES => &mut stats.tx_bytes,
                IFLA_VF_STATS_BROADCAST => &mut stats.broadcast,
                IFLA_VF_STATS_MULTICAST => &mut stats.multicast,
                IFLA_VF_STATS_RX_DROPPED => &mut stats.rx_dropped,
                IFLA_VF_STATS_TX_DROPPED => &mut stats.tx_dropped,
                _ => continue,
            };
            *field = attr.u64().unwrap_or_default();
        }
        stats
    }
}

impl Link {
    fn raw(&self, number: u16) -> Option<Attr<'_>> {
        self.unknown.iter().map(nl_wire::RawAttr::as_attr).find(|attr| attr.number() == number)
    }

    /// The XDP programs, read from [`Link::unknown`].
    pub fn xdp(&self) -> Option<Xdp> {
        let mut xdp = Xdp::default();
        for attr in self.raw(IFLA_XDP)?.nested().flatten() {
            let id = attr.u32().ok();
            match attr.number() {
                IFLA_XDP_ATTACHED => xdp.attached = attr.u8().unwrap_or_default(),
                IFLA_XDP_PROG_ID => xdp.program = id,
                IFLA_XDP_DRV_PROG_ID => xdp.driver = id,
                IFLA_XDP_SKB_PROG_ID => xdp.generic = id,
                IFLA_XDP_HW_PROG_ID => xdp.device = id,
                _ => {}
            }
        }
        Some(xdp)
    }

    /// The virtual functions, read from [`Link::unknown`]; the kernel tells of them where it is
    /// asked to (`IFLA_EXT_MASK`).
    pub fn virtual_functions(&self) -> Vec<VirtualFunction> {
        let list = self.raw(IFLA_VFINFO_LIST);
        let all = list.into_iter().flat_map(|list| list.nested().flatten());
        all.filter(|attr| attr.number() == IFLA_VF_INFO)
            .map(|attr| VirtualFunction::read(attr.nested()))
            .collect()
    }
}
