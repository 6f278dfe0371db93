//! XDP programs and virtual functions of links as `ip link` prints them.

use nl_wire::text::Colons;

use super::kind::VlanProtocol;
use super::link::TypeWord;
use super::{Context, Hidden, Ink, Out};
use crate::link::{Link, VirtualFunction, VirtualFunctionStats, Xdp};
use crate::value::{LinkFlags, LinkType};

/// What stands in a link's first line.
pub(super) fn xdp_head(out: &mut Out<'_, '_>, xdp: &Xdp, context: &Context<'_>) {
    let word = match xdp.attached {
        0 => return,
        1 => "xdp",
        2 => "xdpgeneric",
        3 => "xdpoffload",
        _ => "xdpmulti",
    };
    out.text(word);
    if let Some(id) = xdp.program.filter(|id| *id != 0 && !context.shows(Hidden::PROGRAMS)) {
        out.text(format_args!("/id:{id}"));
    }
    out.text(" ");
    out.json(|json| {
        json.key("xdp");
        json.begin_object();
        json.field("mode", xdp.attached);
        let mut program = |id: u32| {
            json.key("prog");
            json.begin_object();
            json.field("id", id);
            json.end_object();
        };
        if let Some(id) = xdp.program {
            program(id);
        }
        json.key("attached");
        json.begin_array();
        for (mode, id) in programs(xdp) {
            json.begin_object();
            json.field("mode", mode);
            json.key("prog");
            json.begin_object();
            json.field("id", id);
            json.end_object();
            json.end_object();
        }
        json.end_array();
        json.end_object();
    });
}

/// Each program with where it is, in ip's order.
fn programs(xdp: &Xdp) -> impl Iterator<Item = (u8, u32)> {
    let single = xdp.program.filter(|_| xdp.attached != 4).map(|id| (xdp.attached, id));
    let several = [(2, xdp.generic), (1, xdp.driver), (3, xdp.device)];
    let several = several.into_iter().filter(|_| xdp.attached == 4);
    single.into_iter().chain(several.filter_map(|(mode, id)| Some((mode, id?))))
}

/// A line for each program.
pub(super) fn xdp_programs(out: &mut Out<'_, '_>, xdp: &Xdp, context: &Context<'_>) {
    for (mode, id) in programs(xdp) {
        let word = match (xdp.attached, mode) {
            (4, 1) => "xdpdrv",
            (4, 2) => "xdpgeneric",
            (4, _) => "xdpoffload",
            _ => "xdp",
        };
        out.line(context);
        out.text(format_args!("    prog/{word} id {id} "));
    }
}

/// A line for each virtual function.
pub(super) fn virtual_functions(out: &mut Out<'_, '_>, link: &Link, context: &Context<'_>) {
    let all = link.virtual_functions();
    if all.is_empty() || link.num_vf.is_none() {
        return;
    }
    out.begin_array("vfinfo_list");
    for function in &all {
        out.begin_entry();
        out.line(context);
        virtual_function(out, function, link, context);
        if let (Some(stats), 1..) = (&function.stats, context.statistics) {
            statistics(out, stats, context);
        }
        out.end_object();
    }
    out.end_array();
}

fn virtual_function(
    out: &mut Out<'_, '_>,
    function: &VirtualFunction,
    link: &Link,
    context: &Context<'_>,
) {
    out.number("vf", "    vf ", function.number);
    out.string("link_type", "    link/", TypeWord(link.link_type, context.names.is_numeric()));
    let length = if link.link_type == LinkType::ETHER { 6 } else { 20 };
    let address = |out: &mut Out<'_, '_>, key: &str, bytes: &[u8]| {
        let bytes = bytes.get(..length).unwrap_or(bytes);
        out.colored(Ink::LinkAddress, context, |out| out.value(key, "", Colons(bytes)));
    };
    address(out, "address", &function.address);
    if let Some(broadcast) = &function.broadcast {
        let peer = link.flags.contains(LinkFlags::POINTOPOINT);
        if peer {
            out.json(|json| json.field("link_pointtopoint", true));
        }
        out.text(if peer { " peer " } else { " brd " });
        address(out, "broadcast", broadcast);
    }
    if let Some(vlans) = &function.vlans {
        out.begin_array("vlan_list");
        for (vlan, qos, protocol) in vlans {
            out.begin_entry();
            tagged(out, *vlan, *qos);
            if !matches!(protocol, 0 | 0x8100) {
                let protocol = VlanProtocol(*protocol, context.names.is_numeric());
                out.value("protocol", ", vlan protocol ", protocol);
            }
            out.end_object();
        }
        out.end_array();
    } else if let Some((vlan, qos)) = function.vlan {
        tagged(out, vlan, qos);
    }
    if let Some(rate) = function.tx_rate.filter(|rate| *rate != 0) {
        out.number_with("tx_rate", ", tx rate ", rate, " (Mbps)");
    }
    if let Some((least, most)) = function.rate {
        out.begin_object("rate");
        for (key, label, rate) in
            [("max_tx", ", max_tx_rate ", most), ("min_tx", ", min_tx_rate ", least)]
        {
            out.json(|json| json.field(key, rate));
            if rate != 0 {
                out.text(format_args!("{label}{rate}Mbps"));
            }
        }
        out.end_object();
    }
    switch(out, function.spoof_check, "spoofchk", ", spoof checking ");
    for (key, label, guid) in [
        ("node guid", ", NODE_GUID ", function.node_guid),
        ("port guid", ", PORT_GUID ", function.port_guid),
    ] {
        if let Some(guid) = guid {
            out.value(key, label, Colons(&guid.to_be_bytes()));
        }
    }
    if let Some(state) = function.link_state {
        let word = match state {
            0 => "auto",
            1 => "enable",
            _ => "disable",
        };
        out.value("link_state", ", link-state ", word);
    }
    switch(out, function.trust, "trust", ", trust ");
    switch(out, function.rss_query, "query_rss_en", ", query_rss ");
}

fn tagged(out: &mut Out<'_, '_>, vlan: u32, qos: u32) {
    if vlan != 0 {
        out.number_with("vlan", ", vlan ", vlan, "");
    }
    if qos != 0 {
        out.number_with("qos", ", qos ", qos, "");
    }
}

fn switch(out: &mut Out<'_, '_>, setting: Option<u32>, key: &str, label: &str) {
    if let Some(setting) = setting.filter(|setting| *setting != u32::MAX) {
        let on = setting != 0;
        out.text(format_args!("{label}{}", if on { "on" } else { "off" }));
        out.json(|json| json.field(key, on));
    }
}

fn statistics(out: &mut Out<'_, '_>, stats: &VirtualFunctionStats, context: &Context<'_>) {
    let s = stats;
    out.json(|json| {
        json.key("stats");
        json.begin_object();
        let rx = [
            ("bytes", s.rx_bytes),
            ("packets", s.rx_packets),
            ("multicast", s.multicast),
            ("broadcast", s.broadcast),
            ("dropped", s.rx_dropped),
        ];
        let tx =
            [("tx_bytes", s.tx_bytes), ("tx_packets", s.tx_packets), ("dropped", s.tx_dropped)];
        for (key, rows) in [("rx", &rx[..]), ("tx", &tx[..])] {
            json.key(key);
            json.begin_object();
            for (key, value) in rows {
                json.field(key, *value);
            }
            json.end_object();
        }
        json.end_object();
    });
    out.line(context);
    out.text("    RX: bytes  packets  mcast   bcast   dropped ");
    out.line(context);
    out.text(format_args!("    {:10} {:8} ", s.rx_bytes, s.rx_packets));
    out.text(format_args!("{:7} {:7} {:8} ", s.multicast, s.broadcast, s.rx_dropped));
    out.line(context);
    out.text("    TX: bytes  packets   dropped ");
    out.line(context);
    out.text(format_args!("    {:10} {:8} {:8} ", s.tx_bytes, s.tx_packets, s.tx_dropped));
}
