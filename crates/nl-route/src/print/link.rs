//! Links as `ip link` prints them.

use alloc::format;
use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr};

use nl_wire::prefix::Shown;
use nl_wire::text::{Colons, Escaped, Hex};

use super::kind::{info_data, slave_data};
use super::{Context, Hidden, Ink, Out, Units, offload};
use crate::link::{Link, Stats64};
use crate::names::NameKind;
use crate::value::{AddrGenMode, LinkFlags, LinkType, OperState};

/// The flags that ip names, in its order; `RUNNING` shows by what is missing.
const FLAGS: [(LinkFlags, &str); 18] = [
    (LinkFlags::LOOPBACK, "LOOPBACK"),
    (LinkFlags::BROADCAST, "BROADCAST"),
    (LinkFlags::POINTOPOINT, "POINTOPOINT"),
    (LinkFlags::MULTICAST, "MULTICAST"),
    (LinkFlags::NOARP, "NOARP"),
    (LinkFlags::ALLMULTI, "ALLMULTI"),
    (LinkFlags::PROMISC, "PROMISC"),
    (LinkFlags::MASTER, "MASTER"),
    (LinkFlags::SLAVE, "SLAVE"),
    (LinkFlags::DEBUG, "DEBUG"),
    (LinkFlags::DYNAMIC, "DYNAMIC"),
    (LinkFlags::AUTOMEDIA, "AUTOMEDIA"),
    (LinkFlags::PORTSEL, "PORTSEL"),
    (LinkFlags::NOTRAILERS, "NOTRAILERS"),
    (LinkFlags::UP, "UP"),
    (LinkFlags::LOWER_UP, "LOWER_UP"),
    (LinkFlags::DORMANT, "DORMANT"),
    (LinkFlags::ECHO, "ECHO"),
];

/// ip's words of hardware types, where they are not the kernel's in small letters.
const TYPES: [(LinkType, &str); 12] = [
    (LinkType::INFINIBAND, "infiniband"),
    (LinkType::TUNNEL, "ipip"),
    (LinkType::TUNNEL6, "tunnel6"),
    (LinkType::LOCALTLK, "ltalk"),
    (LinkType::IPDDP, "ip/ddp"),
    (LinkType::IPGRE, "gre"),
    (LinkType::IP6GRE, "gre6"),
    (LinkType::IEEE80211, "ieee802.11"),
    (LinkType::IEEE80211_PRISM, "ieee802.11/prism"),
    (LinkType::IEEE80211_RADIOTAP, "ieee802.11/radiotap"),
    (LinkType::IEEE802154, "ieee802.15.4"),
    (LinkType::IEEE802154_MONITOR, "ieee802.15.4/monitor"),
];

/// Appends one link.
pub(crate) fn link(out: &mut Out<'_, '_>, link: &Link, context: &Context<'_>) {
    out.begin(context);
    head(out, link, context);
    rest(out, link, context);
    out.text("\n");
    out.end_object();
}

/// The first line.
pub(super) fn head(out: &mut Out<'_, '_>, link: &Link, context: &Context<'_>) {
    out.number_with("ifindex", "", link.index, ": ");
    let lower_down = name(out, link, context);
    flags(out, link.flags, lower_down);
    if let Some(mtu) = link.mtu {
        out.number("mtu", "mtu ", mtu);
    }
    if let Some(xdp) = link.xdp() {
        offload::xdp_head(out, &xdp, context);
    }
    if let Some(qdisc) = &link.qdisc {
        out.string("qdisc", "qdisc ", qdisc);
    }
    if let Some(master) = link.master {
        out.string("master", "master ", context.names.link(master));
    }
    if let Some(state) = link.operstate {
        if let Some(word) = state.word() {
            out.inked("operstate", "state ", state_ink(state), word, context);
        } else {
            out.text(format_args!("state {:#x} ", state.0));
            out.json(|json| json.field("operstate_index", state.0));
        }
    }
    if let Some(mode) = link.link_mode {
        if let Some(word) = mode.word() {
            out.string("linkmode", "mode ", word);
        } else {
            out.text(format_args!("mode {} ", mode.0));
            out.json(|json| json.field("linkmode_index", mode.0));
        }
    }
    if let Some(group) = link.group {
        out.string("group", "group ", context.names.name(NameKind::Group, group));
    }
    if let Some(length) = link.txqlen.filter(|length| *length != 0) {
        out.number_with("txqlen", "qlen ", length, "");
    }
    if let Some(event) = link.event.filter(|event| event.0 != 0) {
        let words = [
            "",
            "REBOOT",
            "FEATURE CHANGE",
            "BONDING FAILOVER",
            "NOTIFY PEERS",
            "RESEND IGMP",
            "BONDING OPTION",
        ];
        match words.get(event.0 as usize) {
            Some(word) => out.string("event", "event ", word),
            None => out.number("event", "event ", event.0),
        }
    }
}

/// All behind the first line.
pub(super) fn rest(out: &mut Out<'_, '_>, link: &Link, context: &Context<'_>) {
    addresses(out, link, context);
    namespaces(out, link, context);
    if link.proto_down.is_some_and(|down| down != 0) {
        out.either("proto_down", true, " protodown on ", "");
    }
    if context.details {
        details(out, link, context);
    }
    let all = context.details || context.shows(Hidden::PROGRAMS);
    if let Some(xdp) = link.xdp().filter(|_| all) {
        offload::xdp_programs(out, &xdp, context);
    }
    if let Some(alias) = &link.alias {
        out.line(context);
        out.text(format_args!("    alias {alias}"));
        out.json(|json| json.field("ifalias", alias));
    }
    if let (Some(stats), 1..) = (&link.stats, context.statistics) {
        statistics(out, stats, link, context);
    }
    if all {
        offload::virtual_functions(out, link, context);
    }
    altnames(out, link, context);
}

pub(super) fn altnames(out: &mut Out<'_, '_>, link: &Link, context: &Context<'_>) {
    if !link.altnames.is_empty() {
        out.begin_array("altnames");
        for name in &link.altnames {
            out.line(context);
            out.text(format_args!("    altname {name}"));
            out.json(|json| json.value(name));
        }
        out.end_array();
    }
}

/// The name and that of the link below; whether the latter is known to be down.
fn name(out: &mut Out<'_, '_>, link: &Link, context: &Context<'_>) -> bool {
    let mut down = false;
    out.colored(Ink::Link, context, |out| {
        down = link_name(out, link, context);
        out.text(": ");
    });
    down
}

/// The colour of an operational state.
pub(super) fn state_ink(state: OperState) -> Ink {
    match state {
        OperState::UP => Ink::Up,
        OperState::DOWN => Ink::Down,
        _ => Ink::Plain,
    }
}

/// The same without what follows it in a list.
pub(super) fn link_name(out: &mut Out<'_, '_>, link: &Link, context: &Context<'_>) -> bool {
    let name = link.name.as_ref().map_or(&b"<nil>"[..], |name| name.as_bytes());
    out.text(Escaped(name));
    let mut down = false;
    match link.link {
        Some(0) => {
            out.text("@NONE");
            out.json(|json| {
                json.key("link");
                json.null();
            });
        }
        Some(lower) if link.link_netnsid.is_some() => {
            out.text(format_args!("@if{lower}"));
            out.json(|json| json.field("link_index", lower));
        }
        Some(lower) => {
            let word = context.names.link(lower);
            out.text(format_args!("@{word}"));
            out.json(|json| json.field("link", &word));
            down = context.names.is_down(lower);
        }
        None => {}
    }
    out.json(|json| {
        json.key("ifname");
        json.bytes(name);
    });
    down
}

pub(super) fn flags(out: &mut Out<'_, '_>, flags: LinkFlags, lower_down: bool) {
    let no_carrier = flags.contains(LinkFlags::UP) && !flags.contains(LinkFlags::RUNNING);
    let mut rest = flags.without(LinkFlags::RUNNING);
    out.text("<");
    out.begin_array("flags");
    let mut separator = "";
    let mut entry = |out: &mut Out<'_, '_>, word: fmt::Arguments<'_>| {
        out.text(format_args!("{separator}{word}"));
        out.json(|json| json.display(word));
        separator = ",";
    };
    if no_carrier {
        entry(out, format_args!("NO-CARRIER"));
    }
    for (flag, word) in FLAGS {
        if rest.contains(flag) {
            rest = rest.without(flag);
            entry(out, format_args!("{word}"));
        }
    }
    if !rest.is_empty() {
        entry(out, format_args!("{:x}", rest.0));
    }
    if lower_down {
        entry(out, format_args!("M-DOWN"));
    }
    out.end_array();
    out.text("> ");
}

fn addresses(out: &mut Out<'_, '_>, link: &Link, context: &Context<'_>) {
    out.line(context);
    let word = TypeWord(link.link_type, context.names.is_numeric());
    out.string("link_type", "    link/", word);
    let mut field = |key: &str, label: &str, bytes: &[u8]| {
        let address = LinkAddress(link.link_type, bytes);
        out.text(label);
        out.colored(Ink::LinkAddress, context, |out| out.value(key, "", address));
    };
    if let Some(address) = &link.address {
        field("address", "", address);
    }
    let peer = link.flags.contains(LinkFlags::POINTOPOINT);
    if let Some(address) = &link.broadcast {
        field("broadcast", if peer { " peer " } else { " brd " }, address);
    }
    if let Some(address) = &link.permanent_address {
        if Some(address) != link.address.as_ref() {
            field("permaddr", " permaddr ", address);
        }
    }
    if peer && link.broadcast.is_some() {
        out.json(|json| json.field("link_pointtopoint", true));
    }
}

fn namespaces(out: &mut Out<'_, '_>, link: &Link, context: &Context<'_>) {
    let ids =
        [("link_netnsid", "link", link.link_netnsid), ("new_netnsid", "new", link.new_netnsid)];
    for (key, which, id) in ids {
        let Some(id) = id else { continue };
        out.json(|json| json.field(key, id));
        match context.names.netns(id) {
            Some(name) => out.text(format_args!(" {which}-netns {name}")),
            None if id < 0 && which == "link" => out.text(" link-netnsid unknown"),
            None => out.text(format_args!(" {which}-netnsid {id}")),
        }
    }
    if let Some(index) = link.new_index {
        out.json(|json| json.field("new_ifindex", index));
        out.text(format_args!(" new-ifindex {index}"));
    }
}

fn details(out: &mut Out<'_, '_>, link: &Link, context: &Context<'_>) {
    let mut numbers = |rows: &[(&str, &str, Option<u32>)]| {
        for (key, label, value) in rows {
            if let Some(value) = value {
                out.number(key, label, value);
            }
        }
    };
    numbers(&[
        ("promiscuity", " promiscuity ", link.promiscuity),
        ("allmulti", " allmulti ", link.allmulti),
        ("min_mtu", "minmtu ", link.min_mtu),
        ("max_mtu", "maxmtu ", link.max_mtu),
    ]);
    if let Some(info) = &link.info {
        out.begin_object("linkinfo");
        if let Some(kind) = &info.kind {
            out.line(context);
            out.string("info_kind", "    ", kind);
            info_data(out, kind.as_bytes(), info, context);
        }
        if let Some(kind) = &info.slave_kind {
            out.line(context);
            out.text(format_args!("    {kind}_slave "));
            out.json(|json| json.field("info_slave_kind", kind));
            slave_data(out, kind.as_bytes(), info, context);
        }
        out.end_object();
    }
    if let Some(mode) = link.addr_gen_mode() {
        let word = match mode {
            AddrGenMode::EUI64 => "eui64",
            AddrGenMode::NONE => "none",
            AddrGenMode::STABLE_PRIVACY => "stable_secret",
            AddrGenMode::RANDOM => "random",
            _ => "",
        };
        if word.is_empty() {
            out.string("inet6_addr_gen_mode", "addrgenmode ", format_args!("{:#04x}", mode.0));
        } else {
            out.string("inet6_addr_gen_mode", "addrgenmode ", word);
        }
    }
    let rows = [
        ("num_tx_queues", "numtxqueues ", link.num_tx_queues),
        ("num_rx_queues", "numrxqueues ", link.num_rx_queues),
        ("gso_max_size", "gso_max_size ", link.gso_max_size),
        ("gso_max_segs", "gso_max_segs ", link.gso_max_segs),
        ("tso_max_size", "tso_max_size ", link.tso_max_size),
        ("tso_max_segs", "tso_max_segs ", link.tso_max_segs),
        ("gro_max_size", "gro_max_size ", link.gro_max_size),
    ];
    for (key, label, value) in rows {
        if let Some(value) = value {
            out.number(key, label, value);
        }
    }
    if let Some(name) = &link.phys_port_name {
        out.string("phys_port_name", "portname ", name);
    }
    if let Some(id) = &link.phys_port_id {
        out.string("phys_port_id", "portid ", format_args!("{:#}", Hex(id)));
    }
    if let Some(id) = &link.phys_switch_id {
        out.string("phys_switch_id", "switchid ", format_args!("{:#}", Hex(id)));
    }
    if let Some(bus) = &link.parent_bus {
        out.string("parentbus", "parentbus ", bus);
    }
    if let Some(parent) = &link.parent_name {
        out.string("parentdev", "parentdev ", parent);
    }
}

/// Counters: a table in text, an object in JSON.
pub(super) fn statistics(
    out: &mut Out<'_, '_>,
    stats: &Stats64,
    link: &Link,
    context: &Context<'_>,
) {
    let more = context.statistics > 1;
    let changes = link.carrier_changes.map_or(0, u64::from);
    let s = stats;
    let received =
        [s.rx_bytes, s.rx_packets, s.rx_errors, s.rx_dropped, s.rx_missed_errors, s.multicast];
    let sent =
        [s.tx_bytes, s.tx_packets, s.tx_errors, s.tx_dropped, s.tx_carrier_errors, s.collisions];
    let receive_errors = [
        s.rx_length_errors,
        s.rx_crc_errors,
        s.rx_frame_errors,
        s.rx_fifo_errors,
        s.rx_over_errors,
    ];
    let send_errors =
        [s.tx_aborted_errors, s.tx_fifo_errors, s.tx_window_errors, s.tx_heartbeat_errors, changes];
    let rx = [
        ("bytes", s.rx_bytes, true),
        ("packets", s.rx_packets, true),
        ("errors", s.rx_errors, true),
        ("dropped", s.rx_dropped, true),
        ("over_errors", s.rx_over_errors, true),
        ("multicast", s.multicast, true),
        ("compressed", s.rx_compressed, s.rx_compressed != 0),
        ("length_errors", s.rx_length_errors, more),
        ("crc_errors", s.rx_crc_errors, more),
        ("frame_errors", s.rx_frame_errors, more),
        ("fifo_errors", s.rx_fifo_errors, more),
        ("missed_errors", s.rx_missed_errors, more),
        ("nohandler", s.rx_nohandler, more && s.rx_nohandler != 0),
    ];
    let tx = [
        ("bytes", s.tx_bytes, true),
        ("packets", s.tx_packets, true),
        ("errors", s.tx_errors, true),
        ("dropped", s.tx_dropped, true),
        ("carrier_errors", s.tx_carrier_errors, true),
        ("collisions", s.collisions, true),
        ("compressed", s.tx_compressed, s.tx_compressed != 0),
        ("aborted_errors", s.tx_aborted_errors, more),
        ("fifo_errors", s.tx_fifo_errors, more),
        ("window_errors", s.tx_window_errors, more),
        ("heartbeat_errors", s.tx_heartbeat_errors, more),
        ("carrier_changes", changes, more),
    ];
    out.begin_object("stats64");
    out.json(|json| {
        for (key, rows) in [("rx", &rx[..]), ("tx", &tx[..])] {
            json.key(key);
            json.begin_object();
            for (key, value, _) in rows.iter().filter(|row| row.2) {
                json.field(key, *value);
            }
            json.end_object();
        }
    });
    out.end_object();
    let mut widths = [10, 7, 6, 7, 7, 7];
    let mut fit = |from: usize, numbers: &[u64]| {
        for (width, number) in widths.iter_mut().skip(from).zip(numbers) {
            let digits = number.checked_ilog10().unwrap_or(0) as usize + 1;
            *width = digits.max(*width);
        }
    };
    fit(0, &received);
    fit(0, &sent);
    if more {
        fit(1, &receive_errors);
        fit(1, &send_errors);
    }
    let [w0, w1, w2, w3, w4, w5] = widths;
    let mut block =
        |words: &str, heads: [&str; 5], numbers: &[u64; 6], rare: [&str; 5], errors: &[u64; 5]| {
            let [h1, h2, h3, h4, h5] = heads;
            out.line(context);
            let w = w0 - 4;
            out.text(format_args!("    {words}: {:>w$}", "bytes"));
            out.text(format_args!(" {h1:>w1$} {h2:>w2$} {h3:>w3$} {h4:>w4$} {h5:>w5$} {:10}", ""));
            out.line(context);
            out.text("    ");
            let count = |number: &u64| Count(*number, context.units);
            for (number, width) in numbers.iter().map(count).zip(widths) {
                out.text(format_args!("{number:>width$} "));
            }
            if !more {
                return;
            }
            let [h1, h2, h3, h4, h5] = rare;
            out.line(context);
            out.text(format_args!("    {words} errors:{:w$}", "", w = w0 - 10));
            out.text(format_args!(" {h1:>w1$} {h2:>w2$} {h3:>w3$} {h4:>w4$} {h5:>w5$}"));
            out.line(context);
            out.text(format_args!("    {:w0$} ", ""));
            for (number, width) in errors.iter().map(count).zip(widths.into_iter().skip(1)) {
                out.text(format_args!("{number:>width$} "));
            }
        };
    block(
        "RX",
        ["packets", "errors", "dropped", "missed", "mcast"],
        &received,
        ["length", "crc", "frame", "fifo", "overrun"],
        &receive_errors,
    );
    block(
        "TX",
        ["packets", "errors", "dropped", "carrier", "collsns"],
        &sent,
        ["aborted", "fifo", "window", "heartbt", "transns"],
        &send_errors,
    );
}

/// A counter; with units a large one has three digits and a letter.
struct Count(u64, Option<Units>);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (base, end) = match self.1 {
            Some(Units::Decimal) => (1000, ""),
            Some(Units::Binary) => (1024, "i"),
            None => return fmt::Display::fmt(&self.0, f),
        };
        let mut unit = 1_u64;
        let mut letters = ["", "k", "M", "G", "T", "P", "E"].into_iter();
        let mut letter = letters.next().unwrap_or_default();
        while self.0 / unit >= base {
            unit *= base;
            letter = letters.next().unwrap_or_default();
        }
        if unit == 1 {
            return fmt::Display::fmt(&self.0, f);
        }
        let decimals = match self.0 / unit {
            0..10 => 2,
            10..100 => 1,
            _ => 0,
        };
        #[expect(clippy::cast_precision_loss, reason = "as ip: three digits are shown")]
        let number = self.0 as f64 / unit as f64;
        let text = format!("{number:.decimals$}{letter}{end}");
        f.pad(&text)
    }
}

/// ip's word of a hardware type, or its number.
pub(super) struct TypeWord(pub(super) LinkType, pub(super) bool);

words!(TypeWord LinkAddress<'_>);

impl fmt::Display for TypeWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((_, word)) = TYPES.iter().find(|row| row.0 == self.0 && !self.1) {
            return f.write_str(word);
        }
        let word = self.0.word().filter(|_| !self.1);
        let Some(word) = word else { return write!(f, "[{}]", self.0.0) };
        word.chars().try_for_each(|letter| fmt::Write::write_char(f, letter.to_ascii_lowercase()))
    }
}

/// A link-layer address; those of tunnels are IP addresses.
pub(super) struct LinkAddress<'a>(pub(super) LinkType, pub(super) &'a [u8]);

impl fmt::Display for LinkAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            LinkType::TUNNEL | LinkType::SIT | LinkType::IPGRE => {
                if let Ok(bytes) = <[u8; 4]>::try_from(self.1) {
                    return write!(f, "{}", Ipv4Addr::from(bytes));
                }
            }
            LinkType::TUNNEL6 | LinkType::IP6GRE => {
                if let Ok(bytes) = <[u8; 16]>::try_from(self.1) {
                    return write!(f, "{}", Shown(Ipv6Addr::from(bytes).into()));
                }
            }
            _ => {}
        }
        write!(f, "{}", Colons(self.1))
    }
}
