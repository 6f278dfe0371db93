//! The kinds of links: whatever they hold is printed as ip prints it, whether or not the kernel at
//! hand knows them.

// Bits of random numbers are as good as any.
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]

mod common;

use std::collections::BTreeMap;
use std::fs;

use common::beside::{beside_ip, forms, same_text};
use nl_route::link::LinkInfo;
use nl_route::link::kind::KindData;
use nl_route::names::Names;
use nl_route::tables::link::IFLA_INFO;
use nl_route::value::{LinkEvent, LinkFlags, LinkType, OperState};
use nl_route::{Hidden, Link, parse, tables, text};
use nl_testkit::{Rng, live, need, parse_hex, tool};
use nl_wire::attr::Attrs;
use nl_wire::datagram::Messages;
use nl_wire::json::Json;
use nl_wire::table::{Key, Payload, Table};
use nl_wire::{Header, Writer, write};
use proptest::prelude::*;

/// The kinds of which ip prints more than the name, and how their data is laid out.
fn kinds(attribute: &str) -> impl Iterator<Item = (&'static str, &'static Table)> {
    let row = IFLA_INFO.rows().find(|row| row.name == attribute).unwrap();
    let Payload::Choice { cases, .. } = row.payload else { panic!("{attribute}") };
    cases.iter().filter_map(|case| match case {
        (Key::Text(kind), Payload::Nest(table)) => Some((*kind, *table)),
        _ => None,
    })
}

/// Kinds of which this crate knows more than ip, or less.
const OTHER: [&str; 7] = ["netkit", "xfrm", "macsec", "hsr", "bareudp", "gtp", "vxcan"];

/// Ends of names of attributes that are indexes of links.
const LINKS: [&str; 4] = ["_LINK", "_ACTIVE_SLAVE", "_PRIMARY", "_BACKUP_PORT"];

/// A number that is often small, so that words are met.
fn number(rng: &mut Rng) -> u64 {
    match rng.below(4) {
        0 => rng.next_u64(),
        1 => rng.below(256) as u64,
        _ => rng.below(5) as u64,
    }
}

fn value(rng: &mut Rng, payload: &Payload, name: &str, six: bool) -> Vec<u8> {
    let number = number(rng);
    let bytes = number.to_le_bytes();
    match payload {
        Payload::Flag if name.ends_with("_TTL_INHERIT") => bytes[..1].to_vec(),
        Payload::Flag => Vec::new(),
        Payload::U8 | Payload::I8 => bytes[..1].to_vec(),
        Payload::U16 => (number as u16).to_ne_bytes().to_vec(),
        // ip names protocols that are no VLANs too.
        Payload::U16Be if name.contains("PROTOCOL") => {
            if number % 2 == 0 {
                vec![0x81, 0]
            } else {
                vec![0x88, 0xa8]
            }
        }
        Payload::U16Be => (number as u16).to_be_bytes().to_vec(),
        Payload::Array(_) if name.contains("QOS") => {
            [number as u32, number as u32 / 2].map(u32::to_ne_bytes).concat()
        }
        // Of links that it does not know ip asks the kernel, one by one.
        Payload::U32 if LINKS.iter().any(|end| name.ends_with(end)) => {
            (number as u32 % 2).to_ne_bytes().to_vec()
        }
        Payload::U32 | Payload::I32 | Payload::Array(_) => (number as u32).to_ne_bytes().to_vec(),
        Payload::U32Be | Payload::Ipv4 => (number as u32).to_be_bytes().to_vec(),
        // ip computes times beyond a few years wrongly.
        Payload::U64 if name.ends_with("_TIMER") => (number % (1 << 32)).to_ne_bytes().to_vec(),
        Payload::U64 | Payload::U64Be => number.to_ne_bytes().to_vec(),
        Payload::Ip if !six => value(rng, &Payload::Ipv4, name, six),
        Payload::Ip => value(rng, &Payload::Ipv6, name, six),
        Payload::Ipv6 => [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0], number.to_be_bytes()].concat(),
        Payload::LinkAddress => bytes[..6].to_vec(),
        // ip prints the one for the other.
        Payload::Struct(_) if name.ends_with("_ROOT_ID") || name.ends_with("_BRIDGE_ID") => {
            vec![0x80, 0, 2, 0, 0, 0x10, 0xff, 7]
        }
        Payload::Struct(_) => rng.next_u64().to_ne_bytes().to_vec(),
        Payload::List(item) => {
            let mut out = Vec::new();
            let mut writer = Writer::attributes(&mut out);
            for index in 0..rng.below(4) as u16 {
                writer.bytes(index, &value(rng, item, name, six)).unwrap();
            }
            out
        }
        Payload::Nest(table) => data(rng, table, six),
        Payload::Bytes => rng.bytes(8),
        other => panic!("{name}: {other:?}"),
    }
}

/// Attributes of which ip takes for granted that all come where one comes.
fn together(name: &str) -> Option<usize> {
    match name {
        _ if name.contains("_6RD_") => Some(0),
        _ if name.contains("_ENCAP_") && !name.ends_with("_LIMIT") => Some(1),
        _ if name.ends_with("_ROOT_ID") || name.ends_with("_BRIDGE_ID") => Some(2),
        _ => None,
    }
}

/// Some of the attributes of a table, each with something in it.
fn data(rng: &mut Rng, table: &Table, six: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::attributes(&mut out);
    let much = 1 + rng.below(6);
    let coins = [rng.one_in(2), rng.one_in(2), rng.one_in(2)];
    for row in table.rows().filter(|row| !row.name.ends_with("_PAD")) {
        let chosen = rng.below(6) < much;
        let chosen = together(row.name).map_or(chosen, |group| coins[group]);
        if chosen && !matches!(row.payload, Payload::Headed(..)) {
            writer.bytes(row.number, &value(rng, &row.payload, row.name, six)).unwrap();
        }
    }
    out
}

fn any_link(rng: &mut Rng, index: u32) -> Link {
    Link {
        index,
        name: Some(format!("link{index}").as_str().into()),
        flags: LinkFlags::UP | LinkFlags::LOWER_UP | LinkFlags::RUNNING,
        mtu: Some(1500),
        txqlen: Some(0),
        address: Some(rng.next_u64().to_be_bytes()[..6].to_vec()),
        ..Link::default()
    }
}

/// Asserts that links print as ip prints them from a file.
fn as_ip(links: &[Link], names: &mut Names) {
    let mut bytes = Vec::new();
    let header = Header { message_type: tables::RTM_NEWLINK, ..Header::default() };
    for link in links {
        write::message(&mut bytes, header, |writer| link.encode(writer)).unwrap();
        names.learn(link);
    }
    fs::write("/run/links", bytes).unwrap();
    for (options, context) in forms(nl_route::Context::new(names)) {
        let theirs = tool("ip", &[&options[..], &["monitor", "file", "/run/links"]].concat());
        let mut ours = String::new();
        for link in links {
            text::link(&mut ours, link, &context);
        }
        same_text(&ours, &theirs, &options.join(" "));
    }
}

#[test]
fn any_kind_is_printed_as_ip_prints_it() {
    beside_ip("", |(_, mut names)| {
        let mut rng = Rng::new(1);
        let mut links = Vec::new();
        for round in 0..30 {
            for (kind, table) in kinds("IFLA_INFO_DATA").filter(|row| !OTHER.contains(&row.0)) {
                let mut link = any_link(&mut rng, 1000 + links.len() as u32);
                let raw_data = (round > 0).then(|| data(&mut rng, table, kind.contains('6')));
                let kind = Some(kind.into());
                link.info = Some(Box::new(LinkInfo { kind, raw_data, ..LinkInfo::default() }));
                links.push(link);
            }
            for (kind, table) in kinds("IFLA_INFO_SLAVE_DATA") {
                let mut link = any_link(&mut rng, 1000 + links.len() as u32);
                let raw_slave_data = (round > 0).then(|| data(&mut rng, table, false));
                let slave_kind = Some(kind.into());
                let info = LinkInfo { slave_kind, raw_slave_data, ..LinkInfo::default() };
                link.info = Some(Box::new(info));
                links.push(link);
            }
        }
        as_ip(&links, &mut names);
    });
}

/// The data of a kind by its numbers, with what is nested as it comes.
fn by_number(data: &[u8]) -> BTreeMap<u16, Vec<u8>> {
    let attrs = Attrs::new(data).map(Result::unwrap);
    attrs.map(|attr| (attr.number(), attr.payload.to_vec())).collect()
}

#[test]
#[cfg(target_endian = "little")]
fn the_same_words_ask_for_the_same() {
    let mut names = Names::default();
    names.set_link(2, "v1");
    names.set_link(3, "v0");
    let lines: Vec<&str> =
        include_str!("kinds_data/requests.txt").lines().filter(|l| !l.starts_with('#')).collect();
    for pair in lines.chunks(2) {
        let words: Vec<&str> = std::iter::once("x0").chain(pair[0].split(' ')).collect();
        let change = parse::link::add(&words, &names);
        let link = change.unwrap_or_else(|error| panic!("{}: {error}", pair[0])).finish().unwrap();
        let ours = link.info.unwrap().raw_data.unwrap_or_default();
        let theirs = by_number(&parse_hex(pair[1]).unwrap());
        assert_eq!(by_number(&ours), theirs, "{}", pair[0]);
    }
    assert!(lines.len() > 100);
}

/// The kernel gives tunnels anew what a change does not name.
#[test]
fn changes_of_tunnels_keep_what_they_do_not_name() {
    let mut names = Names::default();
    names.set_link(4, "x0");
    let words = |line: &'static str| line.split(' ').collect::<Vec<_>>();
    let add =
        "x0 type ip6gre local 2001:db8::1 remote 2001:db8::2 key 7 csum tclass 12 dscp inherit";
    let made = parse::link::add(&words(add), &names).unwrap().finish().unwrap();
    let set = words("x0 type ip6gre hoplimit 9 flowlabel 5 seq encaplimit none");
    let change = parse::link::set(&set, &names, Some(&made)).unwrap().finish().unwrap();
    let all = "x0 type ip6gre local 2001:db8::1 remote 2001:db8::2 key 7 csum tclass 12 dscp inherit \
               hoplimit 9 flowlabel 5 seq encaplimit none";
    let all = parse::link::add(&words(all), &names).unwrap().finish().unwrap();
    assert_eq!(change.info, all.info);
    assert!(parse::link::set(&set, &names, None).unwrap().replaces_all());
    let bridge = parse::link::set(&words("x0 type bridge priority 7"), &names, None).unwrap();
    assert!(!bridge.replaces_all());
}

/// All kinds with data at random, as links and as ports.
fn infos(rng: &mut Rng) -> Vec<LinkInfo> {
    let links = kinds("IFLA_INFO_DATA").map(|(kind, table)| {
        let raw_data = Some(data(rng, table, kind.contains('6')));
        LinkInfo { kind: Some(kind.into()), raw_data, ..LinkInfo::default() }
    });
    let mut all: Vec<_> = links.collect();
    all.extend(kinds("IFLA_INFO_SLAVE_DATA").map(|(kind, table)| {
        let raw_slave_data = Some(data(rng, table, false));
        LinkInfo { slave_kind: Some(kind.into()), raw_slave_data, ..LinkInfo::default() }
    }));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 1 } else { 48 }))]

    #[test]
    fn all_that_a_kind_has_comes_back(seed: u64) {
        let mut rng = Rng::new(seed);
        let mut known = 0;
        for info in infos(&mut rng) {
            let (typed, port) = (info.kind_data().unwrap(), info.port_data().unwrap());
            let again = match (&info.kind, &info.slave_kind, typed, port) {
                (Some(kind), _, Some(typed), None) => {
                    LinkInfo::of_kind(&kind.to_string(), &typed).unwrap()
                }
                (_, Some(kind), None, Some(port)) => {
                    LinkInfo::of_port(&kind.to_string(), &port).unwrap()
                }
                _ => continue,
            };
            known += 1;
            let sorted = |info: &LinkInfo| {
                let bytes = info.raw_data.as_ref().or(info.raw_slave_data.as_ref());
                by_number(bytes.unwrap())
            };
            prop_assert_eq!(sorted(&again), sorted(&info), "{:?}", info);
            prop_assert_eq!(again.kind_data().unwrap(), info.kind_data().unwrap());
            prop_assert_eq!(again.port_data().unwrap(), info.port_data().unwrap());
        }
        prop_assert_eq!(known, 28);
    }
}

#[test]
#[cfg_attr(miri, ignore = "prints some thousand links")]
fn nothing_breaks_where_data_ends_early() {
    let names = Names::default();
    let context = nl_route::Context { details: true, ..nl_route::Context::new(&names) };
    for info in infos(&mut Rng::new(3)) {
        let bytes = info.raw_data.as_ref().or(info.raw_slave_data.as_ref()).unwrap().clone();
        for length in 0..bytes.len() {
            let cut = Some(bytes[..length].to_vec());
            let mut info = info.clone();
            if info.kind.is_some() {
                info.raw_data = cut;
            } else {
                info.raw_slave_data = cut;
            }
            let _ = (info.kind_data(), info.port_data());
            let link = Link { info: Some(Box::new(info)), ..Link::default() };
            let (mut out, mut json) = (String::new(), String::new());
            text::link(&mut out, &link, &context);
            nl_route::json::link(&mut Json::new(&mut json), &link, &context);
            assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
        }
    }
}

#[test]
fn the_other_of_a_pair_is_a_link() {
    let words = ["v0", "type", "veth", "peer", "name", "v1", "mtu", "1300"];
    let change = parse::link::add(&words, &Names::default()).unwrap();
    let info = change.finish().unwrap().info.unwrap();
    let Some(KindData::Pair(Some(peer))) = info.kind_data().unwrap() else { panic!("{info:?}") };
    assert_eq!((peer.name.clone(), peer.mtu), (Some("v1".into()), Some(1300)));
    let again = LinkInfo::of_kind("veth", &KindData::Pair(Some(peer))).unwrap();
    assert_eq!(again.kind_data().unwrap(), info.kind_data().unwrap());
    let netkit = KindData::Netkit(Box::default(), None);
    let again = LinkInfo::of_kind("netkit", &netkit).unwrap();
    assert_eq!(again.kind_data().unwrap(), Some(netkit));
}

/// Links of which ip prints as much as it can.
fn any_details(rng: &mut Rng, index: u32) -> Link {
    let mut link = any_link(rng, index);
    let some = |rng: &mut Rng| (!rng.one_in(3)).then(|| number(rng) as u32);
    link.promiscuity = some(rng);
    link.allmulti = some(rng);
    link.min_mtu = some(rng);
    link.max_mtu = some(rng);
    link.num_tx_queues = some(rng);
    link.num_rx_queues = some(rng);
    link.gso_max_size = some(rng);
    link.gso_max_segs = some(rng);
    link.tso_max_size = some(rng);
    link.tso_max_segs = some(rng);
    link.gro_max_size = some(rng);
    link.group = some(rng).map(|group| group >> 1);
    link.carrier_changes = some(rng);
    link.event = some(rng).map(|event| LinkEvent(event % 9));
    link.operstate = some(rng).map(|state| OperState(state as u8 % 7));
    link.proto_down = some(rng).map(|down| down as u8 % 2);
    link.link_type = *rng.pick(&[LinkType::ETHER, LinkType::LOOPBACK, LinkType::IPGRE]);
    link.flags = LinkFlags(rng.next_u32() & 0x7ffff);
    link.link_netnsid = some(rng).map(|id| (id % 50) as i32 - 1);
    link.new_netnsid = some(rng).map(|id| (id % 50) as i32 - 1);
    link.new_index = some(rng).map(|index| index as i32);
    link.netns_fd = some(rng).map(|fd| (fd % 1024) as i32);
    link.netns_pid = some(rng);
    link.qdisc = some(rng).map(|_| "noqueue".into());
    link.phys_port_name = some(rng).map(|n| format!("p{n}").as_str().into());
    link.phys_port_id = some(rng).map(|n| n.to_be_bytes().to_vec());
    link.phys_switch_id = some(rng).map(|n| n.to_be_bytes().to_vec());
    link.parent_name = some(rng).map(|n| format!("0000:{n}").as_str().into());
    link.parent_bus = some(rng).map(|_| "pci".into());
    link.permanent_address = some(rng).map(|_| rng.bytes(6));
    link.broadcast = some(rng).map(|_| rng.bytes(6));
    link.altnames = (0..rng.below(3)).map(|n| format!("alt{n}").as_str().into()).collect();
    link
}

#[test]
fn any_link_is_printed_as_ip_prints_it() {
    beside_ip("", |(_, mut names)| {
        let mut rng = Rng::new(2);
        let links: Vec<_> = (0..200).map(|n| any_details(&mut rng, 1000 + n)).collect();
        as_ip(&links, &mut names);
    });
}

/// What the kernel at hand has no device for.
#[test]
#[cfg(target_endian = "little")]
fn programs_and_virtual_functions_are_printed_as_ip_prints_them() {
    let bytes = parse_hex(include_str!("kinds_data/offload.hex")).unwrap();
    let names = Names::default();
    let context = nl_route::Context { statistics: 1, ..nl_route::Context::new(&names) };
    let (mut out, mut out_json) = (String::new(), String::new());
    let mut json = Json::new(&mut out_json);
    json.begin_array();
    for message in Messages::new(&bytes) {
        let link = Link::decode(&message.unwrap()).unwrap();
        text::link(&mut out, &link, &context);
        nl_route::json::link(&mut json, &link, &context);
        let mut again = Vec::new();
        let header = Header { message_type: tables::RTM_NEWLINK, ..Header::default() };
        write::message(&mut again, header, |writer| link.encode(writer)).unwrap();
        let again = Link::decode(&Messages::new(&again).next().unwrap().unwrap()).unwrap();
        assert_eq!(again, link);
    }
    json.end_array();
    // Counters of the links themselves are not there; ip breaks the line for them nevertheless.
    let theirs = include_str!("kinds_data/offload.txt");
    let lines = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    assert_eq!(lines(&out), lines(theirs));
    let ours: serde_json::Value = serde_json::from_str(&out_json).unwrap();
    let theirs: serde_json::Value =
        serde_json::from_str(include_str!("kinds_data/offload.json")).unwrap();
    assert_eq!(ours, theirs);
    let functions: Vec<_> = Messages::new(&bytes)
        .flat_map(|message| Link::decode(&message.unwrap()).unwrap().virtual_functions())
        .collect();
    assert_eq!(functions.len(), 4);
    assert_eq!(functions[1].vlan, Some((5, 3)));
}

/// Where links are not all that is asked for, ip tells less of programs.
#[test]
#[cfg(target_endian = "little")]
fn programs_are_printed_as_ip_monitor_prints_them() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        let bytes = parse_hex(include_str!("kinds_data/offload.hex")).unwrap();
        fs::write("/run/offload", &bytes).unwrap();
        let names = Names::default();
        let plain =
            nl_route::Context { hidden: Hidden::PROGRAMS, ..nl_route::Context::new(&names) };
        for (options, context) in [
            (&[][..], plain),
            (&["-d"], nl_route::Context { details: true, ..plain }),
            (&["-s"], nl_route::Context { statistics: 1, ..plain }),
        ] {
            let theirs = tool("ip", &[options, &["monitor", "file", "/run/offload"]].concat());
            let mut ours = String::new();
            for message in Messages::new(&bytes) {
                text::link(&mut ours, &Link::decode(&message.unwrap()).unwrap(), &context);
            }
            // Of counters that are not there ip leaves an empty line.
            let lines = |text: &str| -> Vec<String> {
                text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
            };
            assert_eq!(lines(&ours), lines(&theirs), "{options:?}");
        }
    });
}

#[test]
fn virtual_functions_are_set() {
    let mut names = Names::default();
    names.set_link(3, "v0");
    let line = "v0 vf 1 mac 02:00:00:00:00:01 vlan 5 qos 3 rate 7 max_tx_rate 9 min_tx_rate 8 \
                spoofchk on query_rss off trust on state enable up";
    let words: Vec<_> = line.split_ascii_whitespace().collect();
    let link = parse::link::set(&words, &names, None).unwrap().finish().unwrap();
    assert!(link.flags.contains(LinkFlags::UP));
    let functions = link.virtual_functions();
    let function = &functions[0];
    assert_eq!(
        (functions.len(), function.number, &function.address[..6]),
        (1, 1, &[2, 0, 0, 0, 0, 1][..])
    );
    assert_eq!(
        (function.vlan, function.tx_rate, function.rate),
        (Some((5, 3)), Some(7), Some((8, 9)))
    );
    let switches = (function.spoof_check, function.rss_query, function.trust, function.link_state);
    assert_eq!(switches, (Some(1), Some(0), Some(1), Some(1)));
    let wrong = parse::link::set(&["v0", "vf", "1", "state", "x"], &names, None).unwrap_err();
    assert!(wrong.to_string().contains("\"x\" is wrong"));
}
