//! ip's words of the numbers that options of links have; a number's word stands at its place.

pub(crate) const ARP_VALIDATE: [&str; 7] =
    ["none", "active", "backup", "all", "filter", "filter_active", "filter_backup"];
pub(crate) const ARP_ALL_TARGETS: [&str; 2] = ["any", "all"];
pub(crate) const AD_SELECT: [&str; 3] = ["stable", "bandwidth", "count"];
pub(crate) const BOND_MODES: [&str; 7] = [
    "balance-rr",
    "active-backup",
    "balance-xor",
    "broadcast",
    "802.3ad",
    "balance-tlb",
    "balance-alb",
];
pub(crate) const DF: [&str; 3] = ["unset", "set", "inherit"];
pub(crate) const FAIL_OVER_MAC: [&str; 3] = ["none", "active", "follow"];
pub(crate) const IPVLAN_MODES: [&str; 3] = ["l2", "l3", "l3s"];
pub(crate) const LACP_RATE: [&str; 2] = ["slow", "fast"];
/// Bits, not numbers.
pub(crate) const MACVLAN_MODES: [&str; 17] = [
    "", "private", "vepa", "", "bridge", "", "", "", "passthru", "", "", "", "", "", "", "",
    "source",
];
pub(crate) const NETKIT_MODES: [&str; 2] = ["l2", "l3"];
pub(crate) const NETKIT_POLICIES: [&str; 3] = ["forward", "", "blackhole"];
pub(crate) const NETKIT_SCRUB: [&str; 2] = ["none", "default"];
pub(crate) const OFF_ON: [&str; 2] = ["off", "on"];
pub(crate) const PRIMARY_RESELECT: [&str; 3] = ["always", "better", "failure"];
/// With their bits, in ip's order.
pub(crate) const VLAN_FLAGS: [(&str, u32); 5] =
    [("reorder_hdr", 1), ("gvrp", 2), ("mvrp", 8), ("loose_binding", 4), ("bridge_binding", 0x10)];
pub(crate) const XMIT_HASH_POLICIES: [&str; 6] =
    ["layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"];
