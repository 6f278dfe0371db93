//! Bytes to values and back: fixtures, arbitrary flows, hostile bytes.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nl_conntrack::text::{self, LabelNames, Options};
use nl_conntrack::{
    Change, Counters, Dccp, DccpRole, DccpState, Event, ExpectFlags, Expectation, ExpectationEvent,
    Flow, FlowView, Helper, IpProtocol, L4, Labels, ProtocolInfo, Sctp, SctpState, SeqAdj, Status,
    Synproxy, Tcp, TcpFlagChange, TcpFlags, TcpState, Tuple,
};
use nl_conntrack::{NatRange, expect::ExpectNat, tables};
use nl_testkit::every_truncation;
use nl_wire::header::{Flags, Header};
use nl_wire::json::Json;
use nl_wire::text::Text;
use nl_wire::value::AddressFamily;
use nl_wire::{Attrs, Message, RawAttr, Request, Writer, write};
use proptest::collection;
use proptest::option::of;
use proptest::prelude::*;

/// Under Miri a case takes seconds, and there is no directory to keep failures in.
fn config() -> ProptestConfig {
    if cfg!(miri) {
        ProptestConfig { cases: 3, failure_persistence: None, ..ProptestConfig::default() }
    } else {
        ProptestConfig::default()
    }
}

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

fn message(message_type: u16, body: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    let header = Header { message_type, ..Header::default() };
    write::message(&mut out, header, |writer| {
        body(writer);
        Ok(())
    })
    .unwrap();
    out
}

fn report(flow: &Flow) -> Vec<u8> {
    message(tables::IPCTNL_MSG_CT_NEW, |writer| flow.write(writer).unwrap())
}

/// Everything that reads messages, on bytes of whatever kind: it must not panic, and what it
/// understands it must be able to write and to print.
fn read_all(bytes: &[u8]) {
    let Ok(message) = Message::decode(bytes) else { return };
    let mut out = String::new();
    let names = LabelNames::parse("0 a\n1 b").unwrap();
    let options =
        Options { extended: true, ktimestamp: true, labels: Some(&names), ..Options::default() };
    if let Ok(flow) = Flow::decode(&message) {
        text::flow(&mut out, &flow, &options);
        Json::pretty(&mut out).value(&flow);
        let written = report(&flow);
        assert_eq!(Flow::decode(&Message::decode(&written).unwrap()).as_ref(), Ok(&flow));
    }
    if let Ok(view) = FlowView::new(&message) {
        let _ = (view.original(), view.reply(), view.status(), view.protocol_info(), view.zone());
        let _ = view.original_counters();
    }
    if let Ok(Some(event)) = Event::decode(&message) {
        text::event(&mut out, &event, None, Some(b"a\n"), &options);
        Json::new(&mut out).value(&event);
    }
    if let Ok(Some(event)) = ExpectationEvent::decode(&message) {
        text::expectation_event(&mut out, &event, None);
        Json::new(&mut out).value(&event);
        let again = self::message(tables::IPCTNL_MSG_EXP_NEW, |writer| {
            event.expectation.write(writer).unwrap();
        });
        let again = Expectation::decode(&Message::decode(&again).unwrap());
        assert_eq!(again.as_ref(), Ok(&event.expectation));
    }
    assert!(!out.replace('\n', "").contains(char::is_control));
}

#[cfg(target_endian = "little")]
mod captured {
    use super::*;

    /// Each decodes, makes the same bytes, survives being cut anywhere, and prints the line that
    /// conntrack(8) printed of it.
    #[test]
    fn fixtures() {
        let lines: BTreeMap<_, _> = include_str!("fixtures/lines.txt")
            .lines()
            .map(|line| line.split_once(": ").unwrap())
            .collect();
        let options = Options {
            extended: true,
            id: true,
            ktimestamp: true,
            now: 1_795_225_464,
            ..Options::default()
        };
        let fixtures = nl_testkit::fixtures(FIXTURES);
        for (name, bytes) in &fixtures {
            let message = Message::decode(bytes).unwrap();
            let mut body = Vec::new();
            let mut writer = Writer::attributes(&mut body);
            let mut line = String::new();
            if name.starts_with("expectation") {
                let expectation = Expectation::decode(&message).unwrap();
                expectation.write(&mut writer).unwrap();
                text::expectation(&mut line, &expectation);
            } else {
                let flow = Flow::decode(&message).unwrap();
                flow.write(&mut writer).unwrap();
                text::flow(&mut line, &flow, &options);
            }
            assert_eq!(body, message.body(), "{name}");
            assert_eq!(lines.get(name.as_str()), Some(&line.as_str()), "{name}");
            if cfg!(miri) && name != "flow_gre" {
                continue; // Minutes each.
            }
            every_truncation(bytes, read_all);
            // Cut inside, with the length put right: as if the sender had been cut short.
            every_truncation(bytes, |cut| {
                let mut cut = cut.to_vec();
                let length = u32::try_from(cut.len()).unwrap().to_ne_bytes();
                if let Some(field) = cut.first_chunk_mut() {
                    *field = length;
                }
                read_all(&cut);
            });
        }
        assert_eq!(lines.len(), fixtures.len());
    }

    proptest! {
        #![proptest_config(config())]
        #[test]
        fn mutated_fixtures_do_not_panic(
            index in 0_usize..100,
            changes in  collection::vec((0_usize..400, any::<u8>()), 1..8),
        ) {
            let fixtures = nl_testkit::fixtures(FIXTURES);
            let (_, mut bytes) = fixtures[index % fixtures.len()].clone();
            let length = bytes.len();
            for (at, byte) in changes {
                // The message's own length stays.
                bytes[4 + at % (length - 4)] = byte;
            }
            read_all(&bytes);
        }
    }
}

fn ip(six: bool) -> BoxedStrategy<IpAddr> {
    if six {
        any::<[u8; 16]>().prop_map(|bytes| Ipv6Addr::from(bytes).into()).boxed()
    } else {
        any::<[u8; 4]>().prop_map(|bytes| Ipv4Addr::from(bytes).into()).boxed()
    }
}

fn l4() -> impl Strategy<Value = L4> {
    prop_oneof![
        Just(L4::None),
        (any::<u16>(), any::<u16>())
            .prop_map(|(source, destination)| L4::Ports { source, destination }),
        (any::<u16>(), any::<u8>(), any::<u8>()).prop_map(|(id, kind, code)| L4::Icmp {
            id,
            kind,
            code
        }),
    ]
}

fn tuple() -> impl Strategy<Value = Tuple> {
    let addresses = any::<bool>().prop_flat_map(|six| (ip(six), ip(six)));
    (addresses, any::<u8>(), l4(), of(any::<u16>())).prop_map(
        |((source, destination), protocol, l4, zone)| Tuple {
            zone,
            ..Tuple::new(IpProtocol(protocol), source, destination, l4)
        },
    )
}

fn protocol_info() -> impl Strategy<Value = ProtocolInfo> {
    let flags = || {
        of((any::<u8>(), any::<u8>()).prop_map(|(flags, mask)| TcpFlagChange {
            flags: TcpFlags(flags),
            mask: TcpFlags(mask),
        }))
    };
    let byte = || of(any::<u8>());
    prop_oneof![
        (byte(), byte(), byte(), flags(), flags()).prop_map(|(state, a, b, c, d)| {
            ProtocolInfo::Tcp(Tcp {
                state: state.map(TcpState),
                window_scale_original: a,
                window_scale_reply: b,
                flags_original: c,
                flags_reply: d,
            })
        }),
        (byte(), byte(), of(any::<u64>())).prop_map(|(state, role, handshake_sequence)| {
            ProtocolInfo::Dccp(Dccp {
                state: state.map(DccpState),
                role: role.map(DccpRole),
                handshake_sequence,
            })
        }),
        (byte(), of(any::<u32>()), of(any::<u32>())).prop_map(|(state, a, b)| {
            ProtocolInfo::Sctp(Sctp { state: state.map(SctpState), tag_original: a, tag_reply: b })
        }),
    ]
}

fn name() -> impl Strategy<Value = Text> {
    collection::vec(1_u8.., 0..20).prop_map(|bytes| Text::from(bytes.as_slice()))
}

fn counters() -> impl Strategy<Value = Option<Counters>> {
    of((any::<u64>(), any::<u64>()).prop_map(|(packets, bytes)| Counters { packets, bytes }))
}

fn seq_adj() -> impl Strategy<Value = Option<SeqAdj>> {
    of(any::<[u32; 3]>().prop_map(|[correction_pos, offset_before, offset_after]| SeqAdj {
        correction_pos,
        offset_before,
        offset_after,
    }))
}

/// Unknown attributes: on the top level, and inside a tuple.
fn unknown() -> impl Strategy<Value = Vec<RawAttr>> {
    let raw = |raw_type, payload| RawAttr { raw_type, payload };
    (collection::vec((28_u16..0x3fff, collection::vec(any::<u8>(), 0..9)), 0..3), any::<bool>())
        .prop_map(move |(list, nested)| {
            let mut all = Vec::new();
            if nested {
                let mut inside = Vec::new();
                let mut writer = Writer::attributes(&mut inside);
                writer
                    .nest(tables::CTA_TUPLE_PROTO, |w| {
                        w.u32(77, 1);
                        Ok(())
                    })
                    .unwrap();
                writer.u32(99, 2);
                all.push(raw(tables::CTA_TUPLE_REPLY | 0x8000, inside));
            }
            all.extend(list.into_iter().map(|(number, payload)| raw(number, payload)));
            all.sort_by_key(|attr| attr.as_attr().number());
            all
        })
}

prop_compose! {
    fn flow()(
        (family, original, reply, master) in (any::<u8>(), tuple(), tuple(), of(tuple())),
        protocol_info in of(protocol_info()),
        (status, timeout, mark, id) in any::<[Option<u32>; 4]>().prop_map(<(_, _, _, _)>::from),
        (use_count, secmark, zone) in (of(any::<u32>()), of(any::<u32>()), of(any::<u16>())),
        (original_counters, reply_counters) in (counters(), counters()),
        (start, stop, event_time) in any::<[Option<u64>; 3]>().prop_map(<(_, _, _)>::from),
        labels in of(collection::vec(any::<u8>(), 0..24)),
        helper in of((name(), of(collection::vec(any::<u8>(), 0..9)))),
        secctx in of(name()),
        (original_seq_adj, reply_seq_adj) in (seq_adj(), seq_adj()),
        synproxy in of(any::<[u32; 3]>()),
        unknown in unknown(),
    ) -> Flow {
        Flow {
            family: AddressFamily(family),
            original,
            reply,
            protocol_info,
            status: status.map(Status),
            timeout,
            mark,
            id,
            zone,
            use_count,
            secmark,
            original_counters,
            reply_counters,
            start,
            stop,
            event_time,
            labels: labels.map(|bytes| Labels::from(bytes.as_slice())),
            helper: helper.map(|(name, info)| Box::new(Helper { name, info })),
            secctx,
            original_seq_adj,
            reply_seq_adj,
            synproxy: synproxy.map(|[isn, its, ts_offset]| Synproxy { isn, its, ts_offset }),
            master: master.map(Box::new),
            unknown,
        }
    }
}

prop_compose! {
    fn expectation()(
        family: u8,
        [tuple, mask, master] in [tuple(), tuple(), tuple()],
        (timeout, id, class, flags) in any::<[Option<u32>; 4]>().prop_map(<(_, _, _, _)>::from),
        (helper, function, zone) in (of(name()), of(name()), of(any::<u16>())),
        nat in of((any::<u32>(), tuple())),
    ) -> Expectation {
        Expectation {
            family: AddressFamily(family),
            tuple,
            mask,
            master,
            timeout,
            id,
            helper,
            zone,
            flags: flags.map(ExpectFlags),
            class,
            nat: nat.map(|(direction, tuple)| ExpectNat { direction, tuple }),
            function,
            unknown: Vec::new(),
        }
    }
}

proptest! {
    #![proptest_config(config())]
    #[test]
    fn flows_survive(flow in flow()) {
        let bytes = report(&flow);
        let message = Message::decode(&bytes).unwrap();
        let found = Flow::decode(&message);
        prop_assert_eq!(found.as_ref(), Ok(&flow));
        let view = FlowView::new(&message).unwrap();
        prop_assert_eq!(view.original(), Ok(Some(flow.original)));
        prop_assert_eq!(view.reply(), Ok(Some(flow.reply)));
        prop_assert_eq!(view.mark(), Ok(flow.mark));
        read_all(&bytes);
    }

    #[test]
    fn expectations_survive(expectation in expectation()) {
        let bytes = message(tables::IPCTNL_MSG_EXP_NEW, |w| expectation.write(w).unwrap());
        let message = Message::decode(&bytes).unwrap();
        let found = Expectation::decode(&message);
        prop_assert_eq!(found.as_ref(), Ok(&expectation));
        read_all(&bytes);
    }

    #[test]
    fn bytes_do_not_panic(
        message_type in prop_oneof![0x100_u16..0x108, 0x200_u16..0x204],
        body in  collection::vec(any::<u8>(), 0..300),
    ) {
        read_all(&message(message_type, |writer| writer.unpadded(&body)));
    }

    /// Bytes that are attributes, so that more of them is understood.
    #[test]
    fn attributes_do_not_panic(
        attrs in  collection::vec((any::<bool>(), 0_u16..30, 0_u16..12,  collection::vec(any::<u8>(), 0..20)), 0..6),
    ) {
        let whole = message(tables::IPCTNL_MSG_CT_NEW, |writer| {
            Flow::default().write(writer).unwrap();
            for (nested, outer, inner, payload) in attrs {
                let attr = RawAttr { raw_type: inner, payload };
                let attr = attr.as_attr();
                if nested {
                    writer.nest(outer, |w| w.nest(inner, |w| w.attr(&attr))).unwrap();
                } else {
                    writer.nest(outer, |w| w.attr(&attr)).unwrap();
                }
            }
        });
        read_all(&whole);
    }

    /// No delete without a tuple, whatever the flow.
    #[test]
    fn deletes_name_a_tuple(flow in flow()) {
        let mut bytes = Vec::new();
        Change::delete(flow.clone()).encode(1, &mut bytes).unwrap();
        let message = Message::decode(&bytes).unwrap();
        prop_assert_eq!(message.header.message_type, tables::IPCTNL_MSG_CT_DELETE);
        let view = FlowView::new(&message).unwrap();
        prop_assert_eq!(view.original(), Ok(Some(flow.original)));
        prop_assert_eq!(view.zone(), Ok(flow.zone));
        prop_assert_eq!(view.id(), Ok(flow.id));
        prop_assert_eq!(view.family, flow.original.family());
        prop_assert_eq!(message.body()[1], 1);
        prop_assert_eq!(view.attributes().count(),
            1 + usize::from(flow.zone.is_some()) + usize::from(flow.id.is_some()));
    }

    #[test]
    fn reversing_twice_changes_nothing(tuple in tuple()) {
        let tuple = Tuple { zone: None, ..tuple };
        prop_assert_eq!(tuple.reversed().reversed(), tuple);
        let flow = Flow::new(tuple);
        prop_assert!(!flow.is_nat());
    }
}

fn numbers(change: &Change) -> (Flags, Vec<u16>) {
    let mut bytes = Vec::new();
    change.encode(1, &mut bytes).unwrap();
    let message = Message::decode(&bytes).unwrap();
    let attrs = FlowView::new(&message).unwrap().attributes();
    (message.header.flags, attrs.map(|attr| attr.unwrap().number()).collect())
}

/// What each action writes of a flow that has everything.
#[test]
fn changes_write_what_the_kernel_takes() {
    let flow = Flow {
        protocol_info: Some(ProtocolInfo::tcp(TcpState::ESTABLISHED)),
        status: Some(Status::ASSURED),
        timeout: Some(1),
        mark: Some(2),
        id: Some(3),
        zone: Some(4),
        use_count: Some(5),
        original_counters: Some(Counters::default()),
        start: Some(6),
        labels: Some(Labels::default()),
        helper: Some(Box::default()),
        secctx: Some(Text::default()),
        original_seq_adj: Some(SeqAdj::default()),
        reply_seq_adj: Some(SeqAdj::default()),
        synproxy: Some(Synproxy::default()),
        master: Some(Box::default()),
        unknown: vec![RawAttr { raw_type: 99, payload: vec![] }],
        ..Flow::default()
    };
    let change = |action: fn(Flow) -> Change| Change {
        mark_mask: Some(1),
        labels_mask: Some(Labels::default()),
        nat_source: Some(NatRange { addresses: None, ports: Some(1..=2) }),
        nat_destination: Some(IpAddr::from([1, 2, 3, 4]).into()),
        ..action(flow.clone())
    };
    let state = [3, 7, 8, 21, 4, 5, 22, 23, 15, 16, 24];
    let birth = [&[1, 18, 2, 14, 6, 13][..], &state].concat();
    let request = Flags::REQUEST;
    assert_eq!(numbers(&change(Change::create)), (request | Flags(0x600), birth.clone()));
    assert_eq!(numbers(&change(Change::upsert)), (request | Flags(0x400), birth));
    assert_eq!(numbers(&change(Change::update)), (request, [&[1, 18][..], &state].concat()));
    assert_eq!(numbers(&change(Change::delete)), (request, vec![1, 18, 12]));
    // A status always says that the flow is in the table.
    let mut bytes = Vec::new();
    change(Change::update).encode(1, &mut bytes).unwrap();
    let view = FlowView::new(&Message::decode(&bytes).unwrap()).unwrap().status();
    assert_eq!(view, Ok(Some(Status::ASSURED | Status::CONFIRMED)));
}

#[test]
fn errors_name_the_attribute() {
    let error = |attrs: &[u8]| {
        Flow::from_attributes(AddressFamily::INET, Attrs::new(attrs)).unwrap_err().to_string()
    };
    assert_eq!(error(&[]), "CTA_TUPLE_ORIG: missing");
    let mut out = Vec::new();
    let mut writer = Writer::attributes(&mut out);
    writer
        .nest(tables::CTA_TUPLE_ORIG, |w| {
            w.nest(tables::CTA_TUPLE_IP, |w| w.bytes(tables::CTA_IP_V4_SRC, &[10, 0, 0]))
        })
        .unwrap();
    assert_eq!(error(&out), "CTA_TUPLE_ORIG/CTA_TUPLE_IP/CTA_IP_V4_SRC: 3 bytes, expected 4");
    let short = message(0x105, |_| ());
    let message = Message::decode(&short).unwrap();
    assert_eq!(Flow::decode(&message).unwrap_err().to_string(), "unexpected message type 261");
    assert_eq!(Event::decode(&message), Ok(None));
}

#[test]
fn words_parse() {
    for word in ["tcp", "udp", "udplite", "icmp", "icmpv6", "sctp", "gre", "dccp"] {
        let protocol: IpProtocol = word.parse().unwrap();
        assert_eq!(protocol.conntrack_name(), Some(word));
    }
    assert_eq!("TCP".parse(), Ok(IpProtocol::TCP));
    assert_eq!("89".parse(), Ok(IpProtocol(89)));
    assert!("256".parse::<IpProtocol>().is_err() && "nope".parse::<IpProtocol>().is_err());
    assert_eq!("seen_reply,ASSURED".parse(), Ok(Status::SEEN_REPLY | Status::ASSURED));
    assert_eq!("UNSET".parse(), Ok(Status(0)));
    assert!("".parse::<Status>().is_err() && "ASSURED,".parse::<Status>().is_err());
    assert_eq!("time_wait".parse(), Ok(TcpState::TIME_WAIT));
    assert!("LISTENING".parse::<TcpState>().is_err());
}

#[test]
fn labels_are_bits() {
    let labels: Labels = [0, 17, 127, 128, u32::MAX].into_iter().collect();
    assert_eq!(labels.as_bytes().len(), 16);
    assert_eq!(labels.bits().collect::<Vec<_>>(), [0, 17, 127]);
    assert!(labels.contains(17) && !labels.contains(18));
    let long = Labels::from(vec![0xff; 8_200].as_slice());
    assert_eq!(long.bits().last(), Some(65_599));
    assert_eq!(LabelNames::parse("1 a\nx b").unwrap_err().line, 2);
    assert!(LabelNames::parse("128 a").is_err() && LabelNames::parse("1").is_err());
}

#[test]
fn events_print_time_and_requester() {
    let event = Event { kind: nl_conntrack::EventKind::Destroy, port: 7, flow: Flow::default() };
    let mut line = String::new();
    let time = std::time::Duration::new(1_700_000_000, 42_999);
    text::event(&mut line, &event, Some(time), Some(b"a\x1bb"), &Options::default());
    assert_eq!(
        line,
        "[1700000000.000042]\t[DESTROY] unknown  0 src=0.0.0.0 dst=0.0.0.0 src=0.0.0.0 \
         dst=0.0.0.0 [USERSPACE] portid=7 progname=a\\x1bb"
    );
    let event = ExpectationEvent {
        kind: nl_conntrack::EventKind::New,
        port: 0,
        expectation: Expectation {
            flags: Some(ExpectFlags(0x17)),
            zone: Some(3),
            ..Expectation::default()
        },
    };
    line.clear();
    text::expectation_event(&mut line, &event, Some(time));
    assert_eq!(
        line,
        "[1700000000.42    ]\t    [NEW] proto=0 src=0.0.0.0 dst=0.0.0.0 mask-src=0.0.0.0 \
         mask-dst=0.0.0.0 master-src=0.0.0.0 master-dst=0.0.0.0 zone=3 \
         PERMANENT,INACTIVE,USERSPACE"
    );
}

#[test]
fn json_has_the_documented_keys() {
    let tuple = Tuple::with_ports(
        IpProtocol::TCP,
        (Ipv4Addr::new(10, 0, 0, 1).into(), 1000),
        (Ipv4Addr::new(10, 0, 0, 2).into(), 80),
    );
    let flow = Flow {
        status: Some(Status::ASSURED | Status(1 << 20)),
        protocol_info: Some(ProtocolInfo::tcp(TcpState(77))),
        labels: Some([3, 17].into_iter().collect()),
        original_counters: Some(Counters { packets: 1, bytes: u64::MAX }),
        helper: Some(Box::new(Helper { name: "a\"b".into(), info: Some(vec![0xab]) })),
        unknown: vec![RawAttr { raw_type: 99, payload: vec![1, 2] }],
        ..Flow::new(tuple)
    };
    let event = Event { kind: nl_conntrack::EventKind::New, port: 0, flow };
    let mut out = String::new();
    Json::new(&mut out).value(&event);
    let value: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        value,
        serde_json::json!({
            "event": "new",
            "port": 0,
            "family": "ipv4",
            "original": {
                "source": "10.0.0.1", "destination": "10.0.0.2", "protocol": "tcp",
                "source_port": 1000, "destination_port": 80,
            },
            "reply": {
                "source": "10.0.0.2", "destination": "10.0.0.1", "protocol": "tcp",
                "source_port": 80, "destination_port": 1000,
            },
            "protocol_info": {"tcp": {"state": "77"}},
            "status": ["ASSURED", "0x100000"],
            "original_counters": {"packets": 1, "bytes": u64::MAX},
            "labels": [3, 17],
            "helper": {"name": "a\"b", "info": "ab"},
            "unknown": [{"type": 99, "payload": "0102"}],
        })
    );
}
