//! Laws of nl-conntrack.

use std::fmt::Debug;
use std::net::IpAddr;

use nl_conntrack::stats::{CpuStats, ExpectStats, GlobalStats};
use nl_conntrack::tables;
use nl_conntrack::text::{self, LabelNames, Options};
use nl_conntrack::{
    DccpState, Event, Expectation, ExpectationEvent, Flow, FlowView, IpProtocol, L4, SctpState,
    Status, TcpState, TimeoutChange, Timeouts, Tuple,
};
use nl_wire::attr::Attrs;
use nl_wire::json::ToJson;
use nl_wire::table::Table;
use nl_wire::{Error, Message, Request as _, Writer};

use crate::{check_json, check_printable, has_duplicates, message, write_message};

/// `IPCTNL_MSG_CT_NEW`, `IPCTNL_MSG_EXP_NEW`.
const FLOW: u16 = tables::IPCTNL_MSG_CT_NEW;
const EXPECTATION: u16 = tables::IPCTNL_MSG_EXP_NEW;

/// A flow that decodes survives writing and reading; the view agrees; text is harmless and JSON
/// parses.
pub fn flow(body: &[u8]) {
    let bytes = message(FLOW, body);
    let view = decode(&bytes, FlowView::new);
    let Ok(flow) = decode(&bytes, Flow::decode) else {
        return;
    };
    round_trip(FLOW, &flow, Flow::decode, Flow::write);

    let view = view.expect("whatever decodes can be viewed");
    if !has_duplicates(view.attributes()) {
        assert_eq!(view.original(), Ok(Some(flow.original)));
        assert_eq!(view.reply(), Ok(Some(flow.reply)));
        assert_eq!(view.status(), Ok(flow.status));
        assert_eq!(view.timeout(), Ok(flow.timeout));
        assert_eq!(view.mark(), Ok(flow.mark));
        assert_eq!(view.id(), Ok(flow.id));
        assert_eq!(view.zone(), Ok(flow.zone));
        assert_eq!(view.original_counters(), Ok(flow.original_counters));
        assert_eq!(view.reply_counters(), Ok(flow.reply_counters));
        assert_eq!(view.protocol_info(), Ok(flow.protocol_info));
    }
    assert_eq!(view.to_flow().as_ref(), Ok(&flow));
    check_tuple(view.attributes(), tables::CTA_TUPLE_ORIG, &flow.original);
    check_tuple(view.attributes(), tables::CTA_TUPLE_REPLY, &flow.reply);
    assert_eq!(flow.is_nat(), flow.is_source_nat() || flow.is_destination_nat());
    let _ = (flow.duration(), flow.zone_id());

    let names = LabelNames::parse("0 web\n1 mail").expect("a list of names");
    let everything = Options {
        extended: true,
        id: true,
        ktimestamp: true,
        labels: Some(&names),
        ..Options::default()
    };
    for options in [Options::default(), everything] {
        line(|out| text::flow(out, &flow, &options));
    }
    let event = decode(&bytes, Event::decode);
    let Ok(Some(event)) = event else { panic!("a flow is an event: {event:?}") };
    line(|out| text::event(out, &event, None, Some(b"a\x1b"), &Options::default()));
    check_json(&flow);
    check_json(&event);
}

/// Tuples are read by their usual shape, at once; the slow walk must find the same.
fn check_tuple(attrs: Attrs<'_>, number: u16, tuple: &Tuple) {
    let last = |attrs: Attrs<'_>, numbers: &[u16]| {
        attrs
            .flatten()
            .filter(|attr| numbers.contains(&attr.number()))
            .last()
            .map(|a| a.payload.to_vec())
    };
    let nest = |number, inside: &[u8]| last(Attrs::new(inside), &[number]).unwrap_or_default();
    let payload = last(attrs, &[number]).expect("a tuple");
    let (ip, proto) =
        (nest(tables::CTA_TUPLE_IP, &payload), nest(tables::CTA_TUPLE_PROTO, &payload));
    let octets = |address| match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    let source = last(Attrs::new(&ip), &[tables::CTA_IP_V4_SRC, tables::CTA_IP_V6_SRC]);
    let destination = last(Attrs::new(&ip), &[tables::CTA_IP_V4_DST, tables::CTA_IP_V6_DST]);
    assert_eq!(
        (source, destination),
        (Some(octets(tuple.source)), Some(octets(tuple.destination)))
    );
    let field = |number| last(Attrs::new(&proto), &[number]);
    let protocol = field(tables::CTA_PROTO_NUM).and_then(|payload| payload.first().copied());
    assert_eq!(tuple.protocol.0, protocol.unwrap_or_default());
    if let L4::Ports { source, destination } = tuple.l4 {
        let port = |number| field(number).map_or(0, |b| u16::from_be_bytes([b[0], b[1]]));
        let ports = (port(tables::CTA_PROTO_SRC_PORT), port(tables::CTA_PROTO_DST_PORT));
        assert_eq!((source, destination), ports);
    }
    let zone = last(Attrs::new(&payload), &[tables::CTA_TUPLE_ZONE]);
    assert_eq!(tuple.zone, zone.map(|b| u16::from_be_bytes([b[0], b[1]])));
}

/// As [`flow`] for expectations.
pub fn expectation(body: &[u8]) {
    let bytes = message(EXPECTATION, body);
    let Ok(expectation) = decode(&bytes, Expectation::decode) else { return };
    round_trip(EXPECTATION, &expectation, Expectation::decode, |expectation, writer| {
        expectation.write(writer)
    });
    line(|out| text::expectation(out, &expectation));
    let event = decode(&bytes, ExpectationEvent::decode);
    let Ok(Some(event)) = event else { panic!("an expectation is an event: {event:?}") };
    line(|out| text::expectation_event(out, &event, None));
    check_json(&expectation);
    check_json(&event);
}

/// A timeout policy that decodes comes back from the request that makes it; each of its timeouts has
/// a name that leads to it, and a place in the JSON.
pub fn timeouts(body: &[u8]) {
    let bytes = message(tables::IPCTNL_MSG_TIMEOUT_NEW, body);
    let Ok(timeouts) = decode(&bytes, Timeouts::decode) else { return };
    let json = check_json(&timeouts);
    let count = json["timeouts"].as_object().map(serde_json::Map::len);
    assert_eq!(count, Some(timeouts.seconds.len()), "{json}");
    for (name, seconds) in timeouts.iter() {
        let Some(name) = name else { continue };
        assert_eq!(timeouts.get(name), Some(seconds));
        let mut copy = timeouts.clone();
        assert_eq!(copy.set(&name.to_ascii_lowercase(), seconds), Ok(()));
        assert_eq!(copy, timeouts);
    }
    let known = Timeouts { use_count: None, ..timeouts };
    for change in [TimeoutChange::Replace(known.clone()), TimeoutChange::SetDefaults(known.clone())]
    {
        let mut out = Vec::new();
        change.encode(1, &mut out).expect("what was read can be written");
        let again = decode(&out, Timeouts::decode).expect("and read again");
        let named = matches!(change, TimeoutChange::Replace(_));
        let name = if named { known.name.clone() } else { "".into() };
        assert_eq!(again, Timeouts { name, ..known.clone() });
    }
}

/// Statistics are what the walk of attributes finds under their names, of several the last.
pub fn statistics(body: &[u8]) {
    let bytes = message(tables::IPCTNL_MSG_CT_GET_STATS_CPU, body);
    if let Ok(stats) = decode(&bytes, CpuStats::decode) {
        line(|out| text::cpu_stats(out, &stats));
        check_counters(body, stats.cpu, stats.iter(), &tables::STATS);
    }
    let bytes = message(tables::IPCTNL_MSG_CT_GET_STATS, body);
    if let Ok(stats) = decode(&bytes, GlobalStats::decode) {
        check_counters(body, stats.cpu, stats.iter(), &tables::STATS_GLOBAL);
    }
    let bytes = message(tables::IPCTNL_MSG_EXP_GET_STATS_CPU, body);
    if let Ok(stats) = decode(&bytes, ExpectStats::decode) {
        line(|out| text::expect_stats(out, &stats));
        check_counters(body, stats.cpu, stats.iter(), &tables::STATS_EXP);
    }
}

fn check_counters(
    body: &[u8],
    cpu: u16,
    found: impl Iterator<Item = (&'static str, u32)>,
    table: &Table,
) {
    assert_eq!(cpu.to_be_bytes(), body[2..4]);
    let attrs: Vec<_> = Attrs::new(&body[4..]).flatten().collect();
    let expected = table.rows().filter_map(|row| {
        let mut of_number = attrs.iter().rev().filter(|attr| attr.number() == row.number);
        let value = of_number.find_map(|attr| attr.payload.first_chunk())?;
        let name = row.name.strip_prefix(table.name)?.strip_prefix('_')?.to_ascii_lowercase();
        Some((name, u32::from_be_bytes(*value)))
    });
    let found = found.map(|(name, value)| (name.to_owned(), value));
    assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

/// Decodes the one message in `bytes`; an error prints as one harmless line.
pub(crate) fn decode<'a, T>(
    bytes: &'a [u8],
    decode: impl FnOnce(&Message<'a>) -> Result<T, Error>,
) -> Result<T, Error> {
    let message = Message::decode(bytes).expect("a whole message");
    let result = decode(&message);
    if let Err(error) = &result {
        check_printable(&error.to_string(), false);
    }
    result
}

/// What decoded is written, and decodes to the same; written again it is the same bytes.
fn round_trip<T: PartialEq + Debug + ToJson>(
    message_type: u16,
    value: &T,
    read: impl Fn(&Message<'_>) -> Result<T, Error>,
    write: impl Fn(&T, &mut Writer<'_>) -> Result<(), Error>,
) {
    let written = write_message(message_type, |writer| write(value, writer)).expect("writable");
    let again = decode(&written, &read);
    assert_eq!(again.as_ref(), Ok(value), "written as {written:02x?}");
    let twice = write_message(message_type, |writer| write(value, writer)).expect("writable");
    assert_eq!(twice, written);
    let body = Message::decode(&written).expect("a whole message").body();
    assert!(Attrs::new(&body[4..]).all(|attr| attr.is_ok()));
}

/// What is written is one harmless line.
pub(crate) fn line(write: impl FnOnce(&mut String)) {
    let mut out = String::new();
    write(&mut out);
    check_printable(&out.strip_suffix('\n').unwrap_or(&out).replace('\t', " "), false);
}

/// A word that reads as a value prints as one that reads the same; names of labels find their bits.
pub fn words(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(protocol) = text.parse::<IpProtocol>() {
        let name = protocol.conntrack_name().map_or_else(|| protocol.0.to_string(), str::to_owned);
        assert_eq!(name.parse(), Ok(protocol));
    }
    let _ = text.parse::<Status>();
    let _ = text.parse::<TcpState>();
    let _ = text.parse::<SctpState>();
    let _ = text.parse::<DccpState>();
    match LabelNames::parse(text) {
        Ok(names) => {
            for bit in 0..128 {
                let Some(name) = names.name(bit).and_then(|name| name.to_str()) else { continue };
                assert!(names.bit(name).is_some_and(|first| first <= bit));
            }
        }
        Err(error) => assert!((1..=text.lines().count()).contains(&error.line)),
    }
}
