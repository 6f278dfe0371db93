//! Recorded bytes and what they mean: vectors that other projects test with
//! (`fixtures/peers.json`), and requests and answers of a living kernel (`fixtures/exchanges.json`).
//! Headers in both are little-endian.

#![cfg(target_endian = "little")]

use std::net::IpAddr;

use nl_conntrack::stats::{CpuStats, ExpectStats, GlobalStats};
use nl_conntrack::tables::{self, PROTOCOL};
use nl_conntrack::{
    Event, EventKind, Expectation, Flow, FlowView, IpProtocol, L4, ProtocolInfo, Status,
    TcpFlagChange, Tuple,
};
use nl_wire::header::{Flags, HEADER_LEN, Header};
use nl_wire::listing::Listing;
use nl_wire::value::AddressFamily;
use nl_wire::{Attrs, Error, Message, Messages, Writer};
use serde_json::Value;

fn load(text: &str) -> Vec<Value> {
    serde_json::from_str::<Vec<Value>>(text).unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    nl_testkit::parse_hex(hex.as_str().unwrap()).unwrap()
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// `None` where the key is absent.
fn number(value: &Value, key: &str) -> Option<u64> {
    value.get(key).map(|value| value.as_u64().unwrap())
}

fn tuple(value: &Value) -> Tuple {
    let ip = |key| text(value, key).parse::<IpAddr>().unwrap();
    let port = |key| u16::try_from(number(value, key).unwrap()).unwrap();
    let protocol = IpProtocol(u8::try_from(number(value, "proto").unwrap()).unwrap());
    let tuple = Tuple::with_ports(protocol, (ip("src"), port("sport")), (ip("dst"), port("dport")));
    Tuple { zone: number(value, "zone").map(|zone| zone.try_into().unwrap()), ..tuple }
}

/// Vectors often hold part of a flow: attributes that it lacks stand before it.
fn complete(attrs: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::attributes(&mut out);
    for number in [tables::CTA_TUPLE_ORIG, tables::CTA_TUPLE_REPLY] {
        Tuple::default().write(&mut writer, number).unwrap();
    }
    out.extend(attrs);
    out
}

fn flow(attrs: &[u8]) -> Result<Flow, Error> {
    let attrs = complete(attrs);
    let flow = Flow::from_attributes(AddressFamily::INET, Attrs::new(&attrs))?;
    again(&flow);
    Ok(flow)
}

/// Written and read again it is the same.
fn again(flow: &Flow) {
    let mut out = Vec::new();
    flow.write_attributes(&mut Writer::attributes(&mut out)).unwrap();
    assert_eq!(Flow::from_attributes(flow.family, Attrs::new(&out)).as_ref(), Ok(flow));
}

fn hex(bytes: &[u8]) -> String {
    format!("{:#}", nl_wire::text::Hex(bytes))
}

/// The payload of a top-level attribute that flows keep unread: those of requests.
fn unread(flow: &Flow, number: u16) -> Option<&[u8]> {
    let found = flow.unknown.iter().find(|attr| attr.as_attr().number() == number)?;
    Some(&found.payload)
}

fn check_flow(id: &str, flow: &Flow, expected: &Value) {
    let mut checked = 0;
    for (key, value) in expected.as_object().unwrap() {
        let same = |found: Option<u64>| assert_eq!(found, value.as_u64(), "{id}: {key}");
        let raw = |number| {
            let found = unread(flow, number).unwrap();
            u64::from(u32::from_be_bytes(found.try_into().unwrap()))
        };
        checked += 1;
        match key.as_str() {
            "orig" => assert_eq!(flow.original, tuple(value), "{id}"),
            "reply" => assert_eq!(flow.reply, tuple(value), "{id}"),
            "master" => assert_eq!(flow.master.as_deref(), Some(&tuple(value)), "{id}"),
            "status" => same(flow.status.map(|status| status.0.into())),
            "timeout" => same(flow.timeout.map(Into::into)),
            "mark" => same(flow.mark.map(Into::into)),
            "use" => same(flow.use_count.map(Into::into)),
            "id" => same(flow.id.map(Into::into)),
            "zone" => same(flow.zone.map(Into::into)),
            "mark_mask" => same(Some(raw(tables::CTA_MARK_MASK))),
            "status_mask" => same(Some(raw(tables::CTA_STATUS_MASK))),
            "labels" => {
                let labels = flow.labels.as_ref().unwrap();
                assert_eq!(hex(labels.as_bytes()), value.as_str().unwrap(), "{id}");
            }
            "labels_mask" => {
                let mask = unread(flow, tables::CTA_LABELS_MASK).unwrap();
                assert_eq!(hex(mask), value.as_str().unwrap(), "{id}");
            }
            "counters_orig" | "counters_reply" => {
                let original = key == "counters_orig";
                let found = if original { flow.original_counters } else { flow.reply_counters };
                let found = found.unwrap();
                assert_eq!(Some(found.packets), number(value, "packets"), "{id}");
                assert_eq!(Some(found.bytes), number(value, "bytes"), "{id}");
            }
            "timestamp" => {
                assert_eq!(flow.start, number(value, "start"), "{id}");
                assert_eq!(flow.stop, number(value, "stop"), "{id}");
            }
            "protoinfo" => check_protocol_info(id, flow.protocol_info.unwrap(), value),
            "help" => {
                let helper = flow.helper.as_ref().unwrap();
                assert_eq!(helper.name, text(value, "name"), "{id}");
                let info = helper.info.as_deref().map(hex);
                assert_eq!(info.as_deref(), value["info"].as_str(), "{id}");
            }
            "secctx" => assert_eq!(*flow.secctx.as_ref().unwrap(), text(value, "name"), "{id}"),
            "seqadj_orig" | "seqadj_reply" => {
                let original = key == "seqadj_orig";
                let found = if original { flow.original_seq_adj } else { flow.reply_seq_adj };
                let found = found.unwrap();
                let numbers = [
                    ("correction_pos", found.correction_pos),
                    ("offset_before", found.offset_before),
                    ("offset_after", found.offset_after),
                ];
                for (key, found) in numbers {
                    assert_eq!(u64::from(found), number(value, key).unwrap_or(0), "{id}: {key}");
                }
            }
            "synproxy" => {
                let found = flow.synproxy.unwrap();
                let numbers = [("isn", found.isn), ("its", found.its), ("tsoff", found.ts_offset)];
                for (key, found) in numbers {
                    assert_eq!(Some(found.into()), number(value, key), "{id}: {key}");
                }
            }
            "is_nat" => assert_eq!(flow.is_nat(), value.as_bool().unwrap(), "{id}"),
            "status_bits" => {
                let words: Vec<_> = value.as_array().unwrap().iter().collect();
                let words: Vec<_> = words.iter().map(|word| word.as_str().unwrap()).collect();
                assert_eq!(words.join(",").parse(), Ok(flow.status.unwrap()), "{id}");
                assert_eq!(format!("{:?}", flow.status.unwrap()), words.join("|"), "{id}");
            }
            // For readers.
            "nfgen" | "nat_kind" | "attr_types" | "note" => checked -= 1,
            other => panic!("{id}: {other}"),
        }
    }
    let fields_only_for_readers = checked == 0 && expected.get("nfgen").is_none();
    assert!(!fields_only_for_readers, "{id}: nothing checked");
}

fn check_protocol_info(id: &str, info: ProtocolInfo, expected: &Value) {
    let same = |value: &Value, pairs: &[(&str, Option<u64>)]| {
        // Some vectors name the state alone; the kernel's zeros are left out.
        for (key, found) in pairs {
            let found = found.filter(|found| *found != 0 || value.get(key).is_some());
            assert_eq!(found, number(value, key), "{id}: {key}");
        }
    };
    match info {
        ProtocolInfo::Tcp(tcp) => {
            let value = &expected["tcp"];
            same(
                value,
                &[
                    ("state", tcp.state.map(|state| state.0.into())),
                    ("wscale_orig", tcp.window_scale_original.map(Into::into)),
                    ("wscale_reply", tcp.window_scale_reply.map(Into::into)),
                ],
            );
            let flags = [("flags_orig", tcp.flags_original), ("flags_reply", tcp.flags_reply)];
            for (key, found) in flags {
                let found = found.filter(|found| *found != TcpFlagChange::default());
                let given = value.get(key).filter(|flags| number(flags, "flags") != Some(0));
                assert!(found.is_some() || given.is_none(), "{id}: {key}");
                if let Some(found) = found {
                    assert_eq!(Some(found.flags.0.into()), number(&value[key], "flags"), "{id}");
                    assert_eq!(Some(found.mask.0.into()), number(&value[key], "mask"), "{id}");
                }
            }
        }
        ProtocolInfo::Dccp(dccp) => same(
            &expected["dccp"],
            &[
                ("state", dccp.state.map(|state| state.0.into())),
                ("role", dccp.role.map(|role| role.0.into())),
                ("handshake_seq", dccp.handshake_sequence),
            ],
        ),
        ProtocolInfo::Sctp(sctp) => same(
            &expected["sctp"],
            &[
                ("state", sctp.state.map(|state| state.0.into())),
                ("vtag_orig", sctp.tag_original.map(Into::into)),
                ("vtag_reply", sctp.tag_reply.map(Into::into)),
            ],
        ),
    }
}

/// The vectors that must fail, and how. Of those in which the source is stricter than the kernel,
/// all others are read: an empty nest, flagged or not, is an empty nest, unknown attributes are
/// kept, of a value that is too long the first bytes count.
const REFUSED: [(&str, &str); 7] = [
    ("ct-flow-err-not-nested-orig", "CTA_TUPLE_ORIG/CTA_TUPLE_IP: missing"),
    ("ct-flow-err-not-nested-reply", "CTA_TUPLE_REPLY/CTA_TUPLE_IP: missing"),
    ("ct-flow-err-not-nested-master", "CTA_TUPLE_MASTER/CTA_TUPLE_IP: missing"),
    ("ct-iptuple-err-len", "CTA_TUPLE_IP/CTA_IP_V4_SRC: 5 bytes, expected 4"),
    ("ct-iptuple-err-one-child", "CTA_TUPLE_IP/CTA_IP_V4_SRC: missing"),
    ("ct-iptuple-unknown-child", "CTA_TUPLE_IP/CTA_IP_V4_SRC: missing"),
    ("ct-status-err-short", "CTA_STATUS: 2 bytes, expected 4"),
];

#[test]
fn vectors_of_other_projects() {
    let vectors = load(include_str!("fixtures/peers.json"));
    assert_eq!(vectors.len(), 76);
    let mut refused = Vec::new();
    for vector in &vectors {
        let id = text(vector, "id");
        let data = bytes(&vector["hex"]);
        let expected = &vector["expected"];
        let refuse = |error: Error| (id, error.to_string());
        match (text(vector, "layer"), text(vector, "protocol")) {
            ("nlmsg-stream", _) => messages(id, &data, expected),
            ("attrs", "ctnetlink") if text(vector, "scope") == "tuple" => {
                refused.extend(part_of_tuple(id, &data, expected).err().map(refuse));
            }
            ("attrs", "ctnetlink") => match flow(&data) {
                Err(error) => refused.push(refuse(error)),
                Ok(_) if expected.get("error").is_some() => {
                    assert!(expected["lenient_ok"].as_bool().unwrap(), "{id}");
                }
                Ok(flow) => check_flow(id, &flow, expected),
            },
            ("attrs", "ctnetlink-exp") => expectation(id, &data, expected),
            ("attrs", _) => statistics(id, &data, expected),
            ("nfgen-payload", _) => match flow(&data[4..]) {
                Err(error) => assert!(expected.get("error").is_some(), "{id}: {error}"),
                Ok(flow) => check_flow(id, &flow, expected),
            },
            other => panic!("{id}: {other:?}"),
        }
    }
    let refused: Vec<_> = refused.iter().map(|(id, error)| (*id, error.as_str())).collect();
    assert_eq!(refused, REFUSED);
}

fn part_of_tuple(id: &str, data: &[u8], expected: &Value) -> Result<(), Error> {
    // The other half of the tuple, so that there is one.
    let mut whole = Vec::new();
    let mut writer = Writer::attributes(&mut whole);
    Tuple::default().write(&mut writer, 1).unwrap();
    let mut whole = whole.split_off(4);
    whole.extend(data);
    let tuple = Tuple::decode(&whole)?;
    if let Some(ip) = expected.get("tuple_ip") {
        assert_eq!(tuple.source, text(ip, "src").parse::<IpAddr>().unwrap(), "{id}");
        assert_eq!(tuple.destination, text(ip, "dst").parse::<IpAddr>().unwrap(), "{id}");
    } else {
        let proto = &expected["tuple_proto"];
        assert_eq!(Some(tuple.protocol.0.into()), number(proto, "proto"), "{id}");
        let icmp = proto.get("icmp").or_else(|| proto.get("icmpv6")).unwrap();
        let L4::Icmp { id: icmp_id, kind, code } = tuple.l4 else { panic!("{id}") };
        let found = [("id", u64::from(icmp_id)), ("type", kind.into()), ("code", code.into())];
        for (key, found) in found {
            assert_eq!(Some(found), number(icmp, key), "{id}: {key}");
        }
    }
    Ok(())
}

fn expectation(id: &str, data: &[u8], expected: &Value) {
    let mut whole = Vec::new();
    let mut writer = Writer::attributes(&mut whole);
    let tuples = [tables::CTA_EXPECT_MASTER, tables::CTA_EXPECT_TUPLE, tables::CTA_EXPECT_MASK];
    for number in tuples {
        Tuple::default().write(&mut writer, number).unwrap();
    }
    whole.extend(data);
    let found = Expectation::from_attributes(AddressFamily::INET, Attrs::new(&whole)).unwrap();
    let mut out = Vec::new();
    found.write(&mut Writer::attributes(&mut out)).unwrap();
    let again = Expectation::from_attributes(found.family, Attrs::new(&out[4..]));
    assert_eq!(again.as_ref(), Ok(&found), "{id}");
    for (key, value) in expected.as_object().unwrap() {
        let same = |found: Option<u32>| {
            assert_eq!(found.map(u64::from), value.as_u64(), "{id}: {key}");
        };
        match key.as_str() {
            "master" => assert_eq!(found.master, tuple(value), "{id}"),
            "tuple" => assert_eq!(found.tuple, tuple(value), "{id}"),
            "mask" => assert_eq!(found.mask, tuple(value), "{id}"),
            "nat" => {
                let nat = found.nat.unwrap();
                assert_eq!(Some(nat.direction.into()), number(value, "dir"), "{id}");
                assert_eq!(nat.tuple, tuple(&value["tuple"]), "{id}");
            }
            "id" => same(found.id),
            "timeout" => same(found.timeout),
            "zone" => same(found.zone.map(Into::into)),
            "flags" => same(found.flags.map(|flags| flags.0)),
            "class" => same(found.class),
            "help_name" => assert_eq!(*found.helper.as_ref().unwrap(), *value.as_str().unwrap()),
            "fn" => assert_eq!(*found.function.as_ref().unwrap(), *value.as_str().unwrap()),
            other => panic!("{id}: {other}"),
        }
    }
}

fn statistics(id: &str, data: &[u8], expected: &Value) {
    let message_of = |message_type| {
        let body = [&[0, 0, 0, 3], data].concat();
        let length = u32::try_from(HEADER_LEN + body.len()).unwrap();
        let header = Header { length, message_type, ..Header::default() };
        [&header.encode()[..], &body].concat()
    };
    let check = |found: Vec<(&str, u32)>, cpu: u16, key: &str| {
        assert_eq!(cpu, 3, "{id}");
        let expected = expected[key].as_object().unwrap();
        assert_eq!(found.len(), expected.len(), "{id}");
        for (key, found) in found {
            assert_eq!(Some(found.into()), expected[key].as_u64(), "{id}: {key}");
        }
    };
    if expected.get("stats_cpu").is_some() {
        let message = message_of(tables::IPCTNL_MSG_CT_GET_STATS_CPU);
        let found = CpuStats::decode(&Message::decode(&message).unwrap()).unwrap();
        check(found.iter().collect(), found.cpu, "stats_cpu");
    } else if expected.get("stats_exp").is_some() {
        let message = message_of(tables::IPCTNL_MSG_EXP_GET_STATS_CPU);
        let found = ExpectStats::decode(&Message::decode(&message).unwrap()).unwrap();
        check(found.iter().collect(), found.cpu, "stats_exp");
    } else {
        let message = message_of(tables::IPCTNL_MSG_CT_GET_STATS);
        let found = GlobalStats::decode(&Message::decode(&message).unwrap()).unwrap();
        check(found.iter().collect(), found.cpu, "stats_global");
    }
}

fn messages(id: &str, data: &[u8], expected: &Value) {
    let expected = expected["messages"].as_array().unwrap();
    let found: Vec<_> = Messages::new(data).collect::<Result<_, _>>().unwrap();
    assert_eq!(found.len(), expected.len(), "{id}");
    for (message, expected) in found.iter().zip(expected) {
        assert_eq!(Some(message.header.message_type.into()), number(expected, "type"), "{id}");
        if let Some(event) = expected.get("event") {
            let kind = EventKind::of(&message.header).unwrap();
            let event = event.as_str().unwrap().trim_start_matches("exp-");
            // The source tells appearance from change by the flags for flows alone.
            let known = event == kind.word() || message.header.message_type == 0x200;
            assert!(known, "{id}: {kind:?}");
        } else if id.starts_with("ct-event") {
            assert_eq!(EventKind::of(&message.header), None, "{id}");
        }
        if let Some(stats) = expected.get("stats_global") {
            let found = GlobalStats::decode(message).unwrap();
            assert_eq!(found.entries.map(u64::from), number(stats, "entries"), "{id}");
            assert_eq!(found.max_entries.map(u64::from), number(stats, "max_entries"), "{id}");
        }
        if let Some(body) = expected.get("body") {
            let attrs = FlowView::new(message).unwrap().attributes();
            check_flow(id, &flow(attrs.rest()).unwrap(), body);
        }
    }
}

#[test]
fn exchanges_with_a_kernel() {
    let exchanges = load(include_str!("fixtures/exchanges.json"));
    let (mut flows, mut events, mut expectations, mut statistics) = (0, 0, 0, 0);
    for exchange in &exchanges {
        let name = text(exchange, "name");
        for datagram in exchange["reply_hex"].as_array().unwrap() {
            for message in Messages::new(&bytes(datagram)) {
                let message = message.unwrap();
                let number = message.header.message_type;
                let body = &message.bytes[HEADER_LEN..];
                match number {
                    tables::IPCTNL_MSG_CT_NEW | tables::IPCTNL_MSG_CT_DELETE => {
                        let flow = Flow::decode(&message).unwrap();
                        assert_eq!(flow.unknown, [], "{name}");
                        assert!(flow.status.is_some() && flow.id.is_some(), "{name}");
                        again(&flow);
                        let event = Event::decode(&message).unwrap().unwrap();
                        assert_eq!(event.flow, flow, "{name}");
                        events += usize::from(event.kind != EventKind::Update);
                        let view = FlowView::new(&message).unwrap();
                        assert_eq!(view.original(), Ok(Some(flow.original)), "{name}");
                        assert_eq!(view.reply(), Ok(Some(flow.reply)), "{name}");
                        assert_eq!(view.status(), Ok(flow.status), "{name}");
                        assert_eq!(view.timeout(), Ok(flow.timeout), "{name}");
                        assert_eq!(view.mark(), Ok(flow.mark), "{name}");
                        assert_eq!(view.id(), Ok(flow.id), "{name}");
                        assert_eq!(view.zone(), Ok(flow.zone), "{name}");
                        assert_eq!(view.protocol_info(), Ok(flow.protocol_info), "{name}");
                        assert_eq!(view.original_counters(), Ok(flow.original_counters), "{name}");
                        assert_eq!(view.reply_counters(), Ok(flow.reply_counters), "{name}");
                        assert_eq!(view.to_flow().as_ref(), Ok(&flow), "{name}");
                        if message.header.flags.contains(Flags::MULTI) {
                            // A listed entry: the very same bytes.
                            let mut out = Vec::new();
                            flow.write(&mut Writer::attributes(&mut out)).unwrap();
                            assert_eq!(hex(&out), hex(body), "{name}");
                        }
                        let nat = flow.status.unwrap().intersects(Status::NAT);
                        assert_eq!(nat, flow.is_nat(), "{name}: {flow:?}");
                        flows += 1;
                    }
                    tables::IPCTNL_MSG_EXP_NEW | tables::IPCTNL_MSG_EXP_DELETE => {
                        let expectation = Expectation::decode(&message).unwrap();
                        assert_eq!(expectation.unknown, [], "{name}");
                        let mut out = Vec::new();
                        expectation.write(&mut Writer::attributes(&mut out)).unwrap();
                        let again = Attrs::new(&out[4..]);
                        let again = Expectation::from_attributes(expectation.family, again);
                        assert_eq!(again.as_ref(), Ok(&expectation), "{name}");
                        expectations += 1;
                    }
                    tables::IPCTNL_MSG_CT_GET_STATS_CPU => {
                        assert!(CpuStats::decode(&message).unwrap().iter().count() >= 10);
                        statistics += 1;
                    }
                    tables::IPCTNL_MSG_CT_GET_STATS => {
                        assert_eq!(GlobalStats::decode(&message).unwrap().iter().count(), 2);
                        statistics += 1;
                    }
                    tables::IPCTNL_MSG_CT_GET_CTRZERO => {
                        assert_eq!(ExpectStats::decode(&message).unwrap().iter().count(), 3);
                        statistics += 1;
                    }
                    _ => assert!(number < 16 || number >> 8 == 8, "{name}: {number:#x}"),
                }
            }
        }
    }
    assert_eq!((flows, events, expectations, statistics), (64, 15, 3, 5));
}

/// Everything in the recorded messages has a name in the tables.
#[test]
fn listings_name_everything() {
    let mut attributes = 0;
    for exchange in load(include_str!("fixtures/exchanges.json")) {
        let name = text(&exchange, "name");
        for datagram in exchange["reply_hex"].as_array().unwrap() {
            for message in Messages::new(&bytes(datagram)) {
                let message = message.unwrap();
                if matches!(message.header.message_type, 0x103) {
                    continue; // Statistics of expectations, sent under another message's number.
                }
                let listing = Listing::new(&message, &PROTOCOL).to_string();
                for line in listing.lines().skip(1) {
                    let first = line.trim_start().chars().next().unwrap();
                    assert!(!first.is_ascii_digit(), "{name}: {line}\n{listing}");
                    attributes += 1;
                }
            }
        }
    }
    assert!(attributes > 2500, "{attributes}");
}
