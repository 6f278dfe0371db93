//! Kinds that are neither bridges nor tunnels.

use nl_wire::prefix::Shown;
use nl_wire::text::Colons;

use super::How::{Link, LinkAddress, NonZero, Number, OnOff, Signed, With, Word, WordOr};
use super::{Row, View, VlanProtocol, pair, rows, word};
use crate::link::words;
use crate::names::NameKind;
use crate::print::{Context, Out};
// The tables below name nearly every one of them.
#[allow(clippy::wildcard_imports)]
use crate::tables::kind::*;

const UNKNOWN: &str = "UNKNOWN";

pub(super) const BOND: &[Row] = &[
    (IFLA_BOND_MODE, "mode", "mode ", WordOr(&words::BOND_MODES, UNKNOWN)),
    (IFLA_BOND_ACTIVE_SLAVE, "active_slave", "active_slave ", Link),
    (IFLA_BOND_MIIMON, "miimon", "miimon ", Number),
    (IFLA_BOND_UPDELAY, "updelay", "updelay ", Number),
    (IFLA_BOND_DOWNDELAY, "downdelay", "downdelay ", Number),
    (IFLA_BOND_PEER_NOTIF_DELAY, "peer_notify_delay", "peer_notify_delay ", Number),
    (IFLA_BOND_USE_CARRIER, "use_carrier", "use_carrier ", Number),
    (IFLA_BOND_ARP_INTERVAL, "arp_interval", "arp_interval ", Number),
    (IFLA_BOND_MISSED_MAX, "arp_missed_max", "arp_missed_max ", Number),
    (IFLA_BOND_ARP_IP_TARGET, "", "", With(arp_targets)),
    (IFLA_BOND_NS_IP6_TARGET, "", "", With(ns_targets)),
    (IFLA_BOND_ARP_VALIDATE, "", "", With(arp_validate)),
    (
        IFLA_BOND_ARP_ALL_TARGETS,
        "arp_all_targets",
        "arp_all_targets ",
        WordOr(&words::ARP_ALL_TARGETS, UNKNOWN),
    ),
    (IFLA_BOND_PRIMARY, "primary", "primary ", Link),
    (
        IFLA_BOND_PRIMARY_RESELECT,
        "primary_reselect",
        "primary_reselect ",
        WordOr(&words::PRIMARY_RESELECT, UNKNOWN),
    ),
    (
        IFLA_BOND_FAIL_OVER_MAC,
        "fail_over_mac",
        "fail_over_mac ",
        WordOr(&words::FAIL_OVER_MAC, UNKNOWN),
    ),
    (
        IFLA_BOND_XMIT_HASH_POLICY,
        "xmit_hash_policy",
        "xmit_hash_policy ",
        WordOr(&words::XMIT_HASH_POLICIES, UNKNOWN),
    ),
    (IFLA_BOND_RESEND_IGMP, "resend_igmp", "resend_igmp ", Number),
    (IFLA_BOND_NUM_PEER_NOTIF, "num_peer_notif", "num_grat_arp ", Number),
    (IFLA_BOND_ALL_SLAVES_ACTIVE, "all_slaves_active", "all_slaves_active ", Number),
    (IFLA_BOND_MIN_LINKS, "min_links", "min_links ", Number),
    (IFLA_BOND_LP_INTERVAL, "lp_interval", "lp_interval ", Number),
    (IFLA_BOND_PACKETS_PER_SLAVE, "packets_per_slave", "packets_per_slave ", Number),
    (IFLA_BOND_AD_LACP_ACTIVE, "ad_lacp_active", "lacp_active ", WordOr(&words::OFF_ON, UNKNOWN)),
    (IFLA_BOND_AD_LACP_RATE, "ad_lacp_rate", "lacp_rate ", WordOr(&words::LACP_RATE, UNKNOWN)),
    (IFLA_BOND_AD_SELECT, "ad_select", "ad_select ", WordOr(&words::AD_SELECT, UNKNOWN)),
    (IFLA_BOND_AD_INFO, "", "", With(ad_info)),
    (IFLA_BOND_AD_ACTOR_SYS_PRIO, "ad_actor_sys_prio", "ad_actor_sys_prio ", Number),
    (IFLA_BOND_AD_USER_PORT_KEY, "ad_user_port_key", "ad_user_port_key ", Number),
    (IFLA_BOND_AD_ACTOR_SYSTEM, "ad_actor_system", "ad_actor_system ", LinkAddress),
    (IFLA_BOND_TLB_DYNAMIC_LB, "tlb_dynamic_lb", "tlb_dynamic_lb ", Number),
];

fn targets(out: &mut Out<'_, '_>, view: &View<'_>, number: u16, key: &str) {
    let Some(list) = view.get(number) else { return };
    let mut some = list.nested().flatten().filter_map(|attr| attr.ip().ok()).peekable();
    if some.peek().is_none() {
        return;
    }
    out.text(format_args!("{key} "));
    out.begin_array(key);
    let mut separator = "";
    for address in some {
        out.text(format_args!("{separator}{}", Shown(address)));
        out.json(|json| json.value(address));
        separator = ",";
    }
    out.end_array();
    out.text(" ");
}

fn arp_targets(out: &mut Out<'_, '_>, view: &View<'_>) {
    targets(out, view, IFLA_BOND_ARP_IP_TARGET, "arp_ip_target");
}

fn ns_targets(out: &mut Out<'_, '_>, view: &View<'_>) {
    targets(out, view, IFLA_BOND_NS_IP6_TARGET, "ns_ip6_target");
}

fn arp_validate(out: &mut Out<'_, '_>, view: &View<'_>) {
    match view.number(IFLA_BOND_ARP_VALIDATE) {
        0 => out.null("arp_validate", "arp_validate none "),
        // iproute2 6.1 knows no word of those that filter.
        number => {
            let word = word(&words::ARP_VALIDATE, number).unwrap_or(UNKNOWN);
            out.string("arp_validate", "arp_validate ", word);
        }
    }
}

fn ad_info(out: &mut Out<'_, '_>, view: &View<'_>) {
    let Some(attr) = view.get(IFLA_BOND_AD_INFO) else { return };
    let info = View(attr.nested());
    out.begin_object("ad_info");
    for (number, key, label) in [
        (IFLA_BOND_AD_INFO_AGGREGATOR, "aggregator", "ad_aggregator "),
        (IFLA_BOND_AD_INFO_NUM_PORTS, "num_ports", "ad_num_ports "),
        (IFLA_BOND_AD_INFO_ACTOR_KEY, "actor_key", "ad_actor_key "),
        (IFLA_BOND_AD_INFO_PARTNER_KEY, "partner_key", "ad_partner_key "),
    ] {
        if info.get(number).is_some() {
            out.number(key, label, info.number(number));
        }
    }
    if let Some(attr) = info.get(IFLA_BOND_AD_INFO_PARTNER_MAC) {
        out.string("partner_mac", "ad_partner_mac ", Colons(attr.payload));
    }
    out.end_object();
}

pub(super) const BOND_PORT: &[Row] = &[
    (IFLA_BOND_SLAVE_STATE, "", "", With(port_state)),
    (IFLA_BOND_SLAVE_MII_STATUS, "", "", With(mii_status)),
    (IFLA_BOND_SLAVE_LINK_FAILURE_COUNT, "link_failure_count", "link_failure_count ", Signed),
    (IFLA_BOND_SLAVE_PERM_HWADDR, "perm_hwaddr", "perm_hwaddr ", LinkAddress),
    (IFLA_BOND_SLAVE_QUEUE_ID, "queue_id", "queue_id ", Number),
    (IFLA_BOND_SLAVE_PRIO, "prio", "prio ", Signed),
    (IFLA_BOND_SLAVE_AD_AGGREGATOR_ID, "ad_aggregator_id", "ad_aggregator_id ", Number),
    (IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE, "", "", With(actor_state)),
    (IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE, "", "", With(partner_state)),
];

/// A word, or a number with another key.
fn indexed(
    out: &mut Out<'_, '_>,
    number: u64,
    (key, index_key): (&str, &str),
    label: &str,
    words: &[&'static str],
) {
    match word(words, number) {
        Some(word) => out.string(key, label, word),
        None => out.number(index_key, label, number),
    }
}

fn port_state(out: &mut Out<'_, '_>, view: &View<'_>) {
    let number = view.number(IFLA_BOND_SLAVE_STATE);
    indexed(out, number, ("state", "state_index"), "state ", &["ACTIVE", "BACKUP"]);
}

fn mii_status(out: &mut Out<'_, '_>, view: &View<'_>) {
    let number = view.number(IFLA_BOND_SLAVE_MII_STATUS);
    let words = ["UP", "GOING_DOWN", "DOWN", "GOING_BACK"];
    indexed(out, number, ("mii_status", "mii_status_index"), "mii_status ", &words);
}

/// The state of a port as the link aggregation protocol sees it, as a number and in words.
fn oper_state(out: &mut Out<'_, '_>, number: u64, key: &str, words_key: &str) {
    const BITS: [&str; 8] = [
        "active",
        "short_timeout",
        "aggregating",
        "in_sync",
        "collecting",
        "distributing",
        "defaulted",
        "expired",
    ];
    out.text(format_args!("{key} "));
    out.number(key, "", number);
    out.text(format_args!("{words_key} "));
    out.begin_array(words_key);
    out.text("<");
    let mut separator = "";
    for (_, word) in BITS.iter().enumerate().filter(|(bit, _)| number >> bit & 1 != 0) {
        out.text(format_args!("{separator}{word}"));
        out.json(|json| json.display(word));
        separator = ",";
    }
    out.text("> ");
    out.end_array();
}

fn actor_state(out: &mut Out<'_, '_>, view: &View<'_>) {
    let number = view.number(IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE);
    oper_state(out, number, "ad_actor_oper_port_state", "ad_actor_oper_port_state_str");
}

fn partner_state(out: &mut Out<'_, '_>, view: &View<'_>) {
    // The attribute is wider than what it holds.
    let number = view.number(IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE) & 0xff;
    oper_state(out, number, "ad_partner_oper_port_state", "ad_partner_oper_port_state_str");
}

/// Of the table both the VRF and its ports have the same attribute.
pub(super) const VRF: &[Row] = &[(IFLA_VRF_TABLE, "table", "table ", Number)];

/// iproute2 6.1 does not know the kind; keys and words are those of later versions.
pub(super) const NETKIT: &[Row] = &[
    (IFLA_NETKIT_MODE, "mode", "mode ", Word(&words::NETKIT_MODES)),
    (IFLA_NETKIT_PRIMARY, "type", "type ", Word(&["peer", "primary"])),
    (IFLA_NETKIT_POLICY, "policy", "policy ", Word(&words::NETKIT_POLICIES)),
    (IFLA_NETKIT_PEER_POLICY, "peer_policy", "peer policy ", Word(&words::NETKIT_POLICIES)),
    (IFLA_NETKIT_SCRUB, "scrub", "scrub ", Word(&words::NETKIT_SCRUB)),
    (IFLA_NETKIT_PEER_SCRUB, "peer_scrub", "peer scrub ", Word(&words::NETKIT_SCRUB)),
    (IFLA_NETKIT_HEADROOM, "headroom", "headroom ", NonZero),
    (IFLA_NETKIT_TAILROOM, "tailroom", "tailroom ", NonZero),
];

pub(super) fn vlan(out: &mut Out<'_, '_>, view: &View<'_>, context: &Context<'_>) {
    let Some(id) = view.get(IFLA_VLAN_ID).and_then(|attr| attr.u16().ok()) else { return };
    match view.get(IFLA_VLAN_PROTOCOL) {
        Some(attr) => {
            let protocol = attr.u16_be().unwrap_or(0);
            let protocol = VlanProtocol(protocol, context.names.is_numeric());
            out.string("protocol", "protocol ", protocol);
        }
        None => out.string("protocol", "protocol ", "802.1q"),
    }
    out.number("id", "id ", id);
    if let Some(attr) = view.get(IFLA_VLAN_FLAGS) {
        let Ok(mut flags) = attr.u32() else { return };
        out.text("<");
        out.begin_array("flags");
        for (word, flag) in words::VLAN_FLAGS {
            if flags & flag != 0 {
                flags &= !flag;
                let word = word.to_ascii_uppercase();
                out.text(format_args!("{word}{}", if flags == 0 { "" } else { "," }));
                out.json(|json| json.value(&*word));
            }
        }
        if flags != 0 {
            out.text(format_args!("{flags:x}"));
            out.json(|json| json.display(format_args!("{flags:x}")));
        }
        out.end_array();
        out.text("> ");
    }
    priorities(out, view, IFLA_VLAN_INGRESS_QOS, ("ingress_qos", "ingress-qos-map"), context);
    priorities(out, view, IFLA_VLAN_EGRESS_QOS, ("egress_qos", "egress-qos-map"), context);
}

fn priorities(
    out: &mut Out<'_, '_>,
    view: &View<'_>,
    number: u16,
    (key, label): (&str, &str),
    context: &Context<'_>,
) {
    let Some(map) = view.get(number) else { return };
    out.begin_array(key);
    out.line(context);
    out.text(format_args!("      {label} {{ "));
    for attr in map.nested().flatten() {
        let Some((from, to)) = pair(&attr) else { continue };
        out.begin_entry();
        out.number_with("from", "", from, ":");
        out.number("to", "", to);
        out.end_object();
    }
    out.end_array();
    out.text("} ");
}

pub(super) fn macvlan(out: &mut Out<'_, '_>, view: &View<'_>, context: &Context<'_>) {
    const LENGTHS: &[Row] = &[
        (IFLA_MACVLAN_BC_QUEUE_LEN, "bcqueuelen", "bcqueuelen ", Number),
        (IFLA_MACVLAN_BC_QUEUE_LEN_USED, "usedbcqueuelen", "usedbcqueuelen ", Number),
    ];
    let Some(mode) = view.get(IFLA_MACVLAN_MODE).and_then(|attr| attr.u32().ok()) else { return };
    let mode = word(&words::MACVLAN_MODES, mode.into()).unwrap_or("unknown");
    out.string("mode", "mode ", mode);
    let flags = view.number(IFLA_MACVLAN_FLAGS);
    for (flag, key, label) in [(1, "nopromisc", "nopromisc "), (2, "nodst", "nodst ")] {
        if flags & flag != 0 {
            out.either(key, true, label, "");
        }
    }
    rows(out, LENGTHS, view, context);
    // Sources are those of one mode only.
    let count = view.get(IFLA_MACVLAN_MACADDR_COUNT).filter(|_| mode == "source");
    let Some(count) = count.and_then(|attr| attr.u32().ok()) else { return };
    out.text(format_args!("remotes ({count}) "));
    out.json(|json| json.field("macaddr_count", count));
    let Some(list) = view.get(IFLA_MACVLAN_MACADDR_DATA) else { return };
    out.begin_array("macaddr_data");
    for attr in list.nested().flatten().filter(|attr| attr.number() == IFLA_MACVLAN_MACADDR) {
        if let Some(address) = attr.payload.get(..6) {
            out.entry(Colons(address));
        }
    }
    out.end_array();
}

pub(super) fn ipvlan(out: &mut Out<'_, '_>, view: &View<'_>, _: &Context<'_>) {
    if let Some(mode) = view.get(IFLA_IPVLAN_MODE).and_then(|attr| attr.u16().ok()) {
        let word = word(&words::IPVLAN_MODES, mode.into()).unwrap_or("unknown");
        out.string("mode", " mode ", word);
    }
    if let Some(flags) = view.get(IFLA_IPVLAN_FLAGS).and_then(|attr| attr.u16().ok()) {
        let (key, word) = match flags {
            flags if flags & 1 != 0 => ("private", "private "),
            flags if flags & 2 != 0 => ("vepa", "vepa "),
            _ => ("bridge", "bridge "),
        };
        out.either(key, true, word, "");
    }
}

pub(super) fn tun(out: &mut Out<'_, '_>, view: &View<'_>, context: &Context<'_>) {
    const ROWS: &[Row] =
        &[(IFLA_TUN_PI, "pi", "pi ", OnOff), (IFLA_TUN_VNET_HDR, "vnet_hdr", "vnet_hdr ", OnOff)];
    const QUEUES: &[Row] = &[
        (IFLA_TUN_NUM_QUEUES, "numqueues", "numqueues ", Number),
        (IFLA_TUN_NUM_DISABLED_QUEUES, "numdisabled", "numdisabled ", Number),
    ];
    if let Some(number) = view.get(IFLA_TUN_TYPE).map(|_| view.number(IFLA_TUN_TYPE)) {
        match word(&["", "tun", "tap"], number) {
            Some(word) => out.string("type", "type ", word),
            None => out.string("type", "type ", format_args!("UNKNOWN:{number}")),
        }
    }
    rows(out, ROWS, view, context);
    let many = view.number(IFLA_TUN_MULTI_QUEUE) != 0;
    out.either("multi_queue", many, "multi_queue ", "");
    if many {
        rows(out, QUEUES, view, context);
    }
    rows(out, &[(IFLA_TUN_PERSIST, "persist", "persist ", OnOff)], view, context);
    for (number, key, label, kind) in [
        (IFLA_TUN_OWNER, "user", "user ", NameKind::User),
        (IFLA_TUN_GROUP, "group", "group ", NameKind::UserGroup),
    ] {
        let Some(id) = view.get(number).and_then(|attr| attr.u32().ok()) else { continue };
        match context.names.known(kind, id) {
            Some(name) => out.string(key, label, nl_wire::text::Escaped(name.as_bytes())),
            None => out.number(key, label, id),
        }
    }
}
