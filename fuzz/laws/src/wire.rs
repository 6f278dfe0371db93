//! Laws of nl-wire.

use core::time::Duration;

use nl_wire::attr::{ATTR_HEADER_LEN, Attrs, Records};
use nl_wire::header::{HEADER_LEN, Header, align};
use nl_wire::json::Json;
use nl_wire::listing::Listing;
use nl_wire::pcap::{self, ByteOrder, PcapError, Reader};
use nl_wire::policy::{
    NL_POLICY_TYPE_ATTR_BITFIELD32_MASK, NL_POLICY_TYPE_ATTR_MASK, NL_POLICY_TYPE_ATTR_MAX_LENGTH,
    NL_POLICY_TYPE_ATTR_MAX_VALUE_S, NL_POLICY_TYPE_ATTR_MAX_VALUE_U,
    NL_POLICY_TYPE_ATTR_MIN_LENGTH, NL_POLICY_TYPE_ATTR_MIN_VALUE_S,
    NL_POLICY_TYPE_ATTR_MIN_VALUE_U, NL_POLICY_TYPE_ATTR_POLICY_IDX,
    NL_POLICY_TYPE_ATTR_POLICY_MAXTYPE, NL_POLICY_TYPE_ATTR_TYPE, Policy,
};
use nl_wire::table::Protocol;
use nl_wire::value::Family;
use nl_wire::{Ack, Errno, Message, Messages, Writer, write};

use crate::{check_json, check_printable, messages};

/// The walk takes every byte once and in order, says at most one error and that last, and each
/// message written again is what was read.
pub fn datagram(bytes: &[u8]) {
    let mut walk = Messages::new(bytes);
    let mut at = 0;
    let mut failed = false;
    while let Some(item) = walk.next() {
        assert!(!failed, "something behind an error");
        let Ok(message) = item else {
            failed = true;
            assert!(walk.rest().is_empty());
            continue;
        };
        let length = message.bytes.len();
        assert_eq!(message.bytes, &bytes[at..at + length]);
        assert_eq!(message.header.length as usize, length);
        assert_eq!(message.header.encode(), message.bytes[..HEADER_LEN]);
        assert_eq!(Message::decode(&bytes[at..]), Ok(message));
        at = bytes.len().min(at + align(length));
        assert_eq!(walk.rest(), &bytes[at..]);

        let mut again = Vec::new();
        let header = Header { length: 0, ..message.header };
        let body = message.body();
        let written = write::message(&mut again, header, |writer| {
            writer.unpadded(body);
            Ok(())
        });
        assert_eq!(written, Ok(()));
        assert_eq!(&again[..length], message.bytes);
        assert!(again[length..].iter().all(|byte| *byte == 0), "padding");
    }
    assert!(walk.next().is_none());
    assert!(failed || at == bytes.len());
}

/// As [`datagram`] for attributes; typed getters read what is there or say what is missing; records
/// stay within their bytes.
pub fn attributes(bytes: &[u8]) {
    walk_attributes(bytes, 0);
    for least in [0, 8, 12] {
        let mut total = 0;
        for record in Records::new(bytes, least).flatten() {
            assert!(record.len() >= least.max(2));
            total += record.len();
        }
        assert!(total <= bytes.len());
    }
}

fn walk_attributes(bytes: &[u8], depth: usize) {
    let mut walk = Attrs::new(bytes);
    let mut again = Vec::new();
    let mut at = 0;
    let mut failed = false;
    while let Some(item) = walk.next() {
        assert!(!failed, "something behind an error");
        let Ok(attr) = item else {
            failed = true;
            assert!(walk.rest().is_empty());
            continue;
        };
        let payload = attr.payload;
        let end = at + ATTR_HEADER_LEN + payload.len();
        assert_eq!(payload, &bytes[at + ATTR_HEADER_LEN..end]);
        at = bytes.len().min(align(end));
        assert_eq!(walk.rest(), &bytes[at..]);

        let start = again.len();
        assert_eq!(Writer::attributes(&mut again).attr(&attr), Ok(()));
        let copy = Attrs::new(&again[start..]).next();
        assert_eq!(copy, Some(Ok(attr)));

        assert_eq!(attr.u8().is_ok(), !payload.is_empty());
        assert_eq!(attr.u16().ok().map(u16::from_be), attr.u16_be().ok());
        assert_eq!(attr.u32().ok().map(u32::from_be), attr.u32_be().ok());
        assert_eq!(attr.u64().ok().map(u64::from_be), attr.u64_be().ok());
        assert_eq!(attr.u64_be().is_ok(), payload.len() >= 8);
        assert_eq!(attr.i32().ok(), attr.u32().ok().map(u32::cast_signed));
        assert_eq!(attr.uint().is_ok(), matches!(payload.len(), 4 | 8));
        assert_eq!(attr.sint().is_ok(), attr.uint().is_ok());
        assert_eq!(attr.ip().is_ok(), matches!(payload.len(), 4 | 16));
        assert!(payload.starts_with(attr.text()) && !attr.text().contains(&0));
        if let Ok(address) = attr.ip() {
            let mut out = Vec::new();
            Writer::attributes(&mut out).ip(attr.number(), address);
            assert_eq!(&out[ATTR_HEADER_LEN..], payload);
        }
        if depth < 8 {
            walk_attributes(payload, depth + 1);
        }
    }
    assert!(walk.next().is_none());
    assert!(failed || at == bytes.len());

    // A nest holds what was written into it, or nothing is left of it.
    let mut nest = vec![0xa5; 4];
    let written = Writer::attributes(&mut nest).nest(1, |writer| {
        writer.unpadded(&again);
        Ok(())
    });
    match written {
        Ok(()) => {
            let Some(Ok(outer)) = Attrs::new(&nest[4..]).next() else { panic!("no nest") };
            assert!(outer.is_flagged_nested() && outer.payload == again);
        }
        Err(_) => assert!(again.len() > 65_531 && nest.len() == 4),
    }
}

/// Acks and refusals: a success is no failure; offsets resolve to attributes that the request has;
/// what is printed is one harmless line.
///
/// Of several messages the first is the request and the last what answers it; one alone repeats its
/// request.
pub fn extended_ack(bytes: &[u8]) {
    let all: Vec<_> = messages(bytes).collect();
    let Some(answer) = all.last() else { return };
    let Ok(ack) = Ack::decode(answer) else { return };
    let mut request = all[0].bytes.to_vec();
    if all.len() == 1 {
        let Some(header) = ack.request else { return };
        request = header.encode().to_vec();
        request.extend(ack.repeated);
    }
    for protocol in protocols() {
        let Some(failure) = ack.failure(protocol, &request) else {
            assert_eq!(ack.errno, Errno(0));
            continue;
        };
        assert_ne!(failure.errno, Errno(0));
        check_printable(&failure.to_string(), false);
        if let Some(damage) = ack.damage {
            check_printable(&damage.to_string(), false);
        }
        let Some(path) = failure.path else { continue };
        let offset = failure.offset.expect("a path comes from an offset") as usize;
        // An attribute ends behind its padding, which the last one may lack.
        assert!((HEADER_LEN..align(request.len())).contains(&offset), "{offset} in {path:?}");
        let message = Message::decode(&request).expect("a path needs a message");
        let kind = protocol.message(message.header.message_type).expect("and its table");
        let attrs = Attrs::behind(message.body(), kind.header.width());
        let first = path.numbers().next().expect("a path has a step");
        let mut attrs = attrs.expect("and attributes").1.flatten();
        assert!(attrs.any(|attr| Ok(attr.number()) == first), "{path:?}");
    }
}

/// The tree of any message is harmless text; its annotated hex holds every byte once, in order.
pub fn listing(bytes: &[u8]) {
    for message in messages(bytes) {
        for protocol in protocols() {
            let listing = Listing::new(&message, protocol);
            check_printable(&listing.to_string(), true);
            let hex = listing.hex().to_string();
            check_printable(&hex, true);
            let parsed = nl_testkit::parse_hex(&hex);
            assert_eq!(parsed.as_deref(), Ok(message.bytes), "{hex}");
        }
    }
}

fn protocols() -> [&'static Protocol; 3] {
    static UNKNOWN: Protocol = Protocol::unknown(Family::USERSOCK);
    [&nl_route::tables::PROTOCOL, &nl_conntrack::tables::PROTOCOL, &UNKNOWN]
}

/// A capture read, written and read again is the same capture, in any of the four forms; reading
/// piece by piece gives what reading at once gives.
pub fn pcap(bytes: &[u8]) {
    let Ok(reader) = Reader::new(bytes) else { return };
    let header = reader.header();
    let mut records = Vec::new();
    let mut failed = None;
    for record in reader {
        assert_eq!(failed, None, "something behind an error");
        match record {
            Ok(record) => records.push(record),
            Err(error) => failed = Some(error),
        }
    }
    check_streaming(header, bytes, &records, failed);
    if let Some(error) = failed {
        check_printable(&error.to_string(), false);
    }

    for byte_order in [ByteOrder::Little, ByteOrder::Big] {
        let header = pcap::Header { byte_order, ..header };
        let mut file = header.encode().to_vec();
        for record in &records {
            header.append_record(&mut file, record);
        }
        let again: Vec<_> = Reader::new(&file).expect("a header").map(Result::unwrap).collect();
        assert_eq!(again.len(), records.len());
        for (again, first) in again.iter().zip(&records) {
            let kept = first.payload.len().min((pcap::SNAPSHOT_LEN as usize) - pcap::COOKED_LEN);
            assert_eq!(again.payload, &first.payload[..kept]);
            assert_eq!(again.packet_type, first.packet_type);
            assert_eq!(again.protocol, first.protocol);
            assert_eq!(again.original_len, first.original_len);
            // A file may state more than a second in its fractions; written it is normal.
            if first.time < Duration::from_secs(1 << 32) {
                assert_eq!(again.time, first.time);
            }
        }
    }
}

fn check_streaming(
    header: pcap::Header,
    bytes: &[u8],
    records: &[pcap::Record<'_>],
    failed: Option<PcapError>,
) {
    let mut rest = &bytes[pcap::HEADER_LEN..];
    for record in records {
        let (head, behind) = rest.split_first_chunk().expect("a record header");
        let head = header.parse_record(head);
        let (body, behind) = behind.split_at(head.captured_len as usize);
        assert_eq!(head.record(body), Ok(*record));
        rest = behind;
    }
    assert_eq!(failed.is_some(), !rest.is_empty());
}

/// Whatever is written as a string or key parses back to the same; bytes that are no UTF-8 do not
/// break the document.
pub fn json(bytes: &[u8]) {
    let lossy = String::from_utf8_lossy(bytes);
    let text: &str = &lossy;
    let mut out = String::new();
    let mut json = Json::new(&mut out);
    json.begin_object();
    json.field("text", text);
    json.key("bytes");
    json.bytes(bytes);
    json.field("display", format_args!("{text}{text}"));
    json.key("nested");
    json.begin_array();
    json.string(text);
    json.number(bytes.len());
    json.null();
    json.end_array();
    json.key(&format!("key {text}"));
    json.null();
    json.end_object();
    check_printable(&out, false);
    let parsed: serde_json::Value =
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"));
    assert_eq!(parsed["text"], text);
    assert_eq!(parsed["display"], format!("{text}{text}"));
    assert_eq!(parsed["nested"], serde_json::json!([text, bytes.len(), null]));
    assert!(parsed.get(format!("key {text}")).is_some_and(serde_json::Value::is_null));
    if let Ok(text) = str::from_utf8(bytes) {
        assert_eq!(parsed["bytes"], text);
    }
    assert_eq!(check_json(&text), text);
}

/// What the kernel demands of an attribute survives writing and reading, and prints as one harmless
/// line.
pub fn policy(bytes: &[u8]) {
    let Ok(policy) = Policy::decode(Attrs::new(bytes)) else { return };
    check_printable(&policy.to_string(), false);
    let mut again = Vec::new();
    let mut writer = Writer::attributes(&mut again);
    for (number, value) in [
        (NL_POLICY_TYPE_ATTR_TYPE, policy.kind.map(|kind| kind.0)),
        (NL_POLICY_TYPE_ATTR_MIN_LENGTH, policy.min_length),
        (NL_POLICY_TYPE_ATTR_MAX_LENGTH, policy.max_length),
        (NL_POLICY_TYPE_ATTR_POLICY_IDX, policy.policy_index),
        (NL_POLICY_TYPE_ATTR_POLICY_MAXTYPE, policy.policy_max_type),
        (NL_POLICY_TYPE_ATTR_BITFIELD32_MASK, policy.bitfield_mask),
    ] {
        if let Some(value) = value {
            writer.u32(number, value);
        }
    }
    for (number, value) in [
        (NL_POLICY_TYPE_ATTR_MIN_VALUE_S, policy.min_signed.map(i64::cast_unsigned)),
        (NL_POLICY_TYPE_ATTR_MAX_VALUE_S, policy.max_signed.map(i64::cast_unsigned)),
        (NL_POLICY_TYPE_ATTR_MIN_VALUE_U, policy.min_unsigned),
        (NL_POLICY_TYPE_ATTR_MAX_VALUE_U, policy.max_unsigned),
        (NL_POLICY_TYPE_ATTR_MASK, policy.mask),
    ] {
        if let Some(value) = value {
            writer.u64(number, value);
        }
    }
    assert_eq!(Policy::decode(Attrs::new(&again)), Ok(policy));
}
