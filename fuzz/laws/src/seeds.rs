//! Seeds for the fuzzer: captured messages from the crates' fixtures, and messages made from the
//! attribute tables, which hold every attribute that has a name. Also the fuzzer's dictionary.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nl_route::tables::link::IFLA_INFO;
use nl_route::tables::route as tables;
use nl_testkit::{Rng, fixture};
use nl_wire::attr::{ATTR_HEADER_LEN, NLA_F_NESTED};
use nl_wire::header::{Flags, Header};
use nl_wire::pcap::{self, ByteOrder, Precision};
use nl_wire::table::{Key, Layout, MessageKind, Payload, Protocol, Row, Table};
use nl_wire::text::Hex;
use nl_wire::{Error, Message, Writer, write};

use crate::{Seeds, Target, messages};

/// How deep made messages nest; tables may contain themselves.
const DEPTH: usize = 6;
/// The longest seed: what is longer slows the fuzzer down and teaches it nothing.
const LONGEST: usize = 4096;

const PROTOCOLS: [&Protocol; 2] = [&nl_route::tables::PROTOCOL, &nl_conntrack::tables::PROTOCOL];

/// Every seed of a target, by a name that is a file name.
#[must_use]
pub fn of(target: &Target) -> BTreeMap<String, Vec<u8>> {
    let mut seeds = BTreeMap::new();
    let mut add = |name: String, seed: Vec<u8>| {
        if seed.len() <= LONGEST {
            seeds.insert(name, seed);
        }
    };
    match target.seeds {
        Seeds::Texts(texts) => {
            for (index, text) in texts.iter().enumerate() {
                add(format!("text-{index}"), text.as_bytes().to_vec());
            }
        }
        Seeds::Encapsulations => {
            for (kind, payload) in encapsulations() {
                add(format!("kind-{kind}"), [&[kind][..], &payload].concat());
            }
        }
        Seeds::Kinds => {
            for (index, payload) in (0..).zip(kinds()) {
                add(format!("kind-{index}"), [&[index][..], &payload].concat());
            }
        }
        Seeds::Scripts => {
            let mut rng = Rng::new(1);
            for index in 0..64 {
                add(format!("random-{index}"), rng.bytes(16 << (index % 4)));
            }
        }
        _ => {
            for (name, datagram) in datagrams() {
                match target.seeds {
                    Seeds::Captures => add(name, capture(&datagram)),
                    Seeds::Matches => add(name, [&[1, 1, 1, 0], &datagram[..]].concat()),
                    Seeds::Datagrams => add(name, datagram),
                    Seeds::Bodies(types) => {
                        for (index, message) in messages(&datagram).enumerate() {
                            if types.contains(&message.header.message_type) {
                                add(format!("{name}-{index}"), message.body().to_vec());
                            }
                        }
                    }
                    _ => {
                        for (index, message) in messages(&datagram).enumerate() {
                            add(format!("{name}-{index}"), attributes(&message).to_vec());
                        }
                    }
                }
            }
        }
    }
    seeds
}

/// An encapsulation of each kind, with every attribute that it has.
fn encapsulations() -> Vec<(u8, Vec<u8>)> {
    let row = tables::RTA.row(tables::RTA_ENCAP);
    let Some(Row { payload: Payload::Choice { cases, .. }, .. }) = row else { return Vec::new() };
    let made = cases.iter().filter_map(|(key, case)| {
        let Key::Number(kind) = key else { return None };
        let mut out = Vec::new();
        let mut writer = Writer::attributes(&mut out);
        attribute(&mut writer, tables::RTA_ENCAP, *case, &[], DEPTH).ok()?;
        Some((u8::try_from(*kind).ok()?, out.split_off(ATTR_HEADER_LEN)))
    });
    made.collect()
}

/// What each kind of link in [`crate::settings::KINDS`] keeps, with every attribute that it has.
fn kinds() -> Vec<Vec<u8>> {
    let made = crate::settings::KINDS.iter().map(|(kind, number)| {
        let Some(Row { payload: Payload::Choice { cases, .. }, .. }) = IFLA_INFO.row(*number)
        else {
            return Vec::new();
        };
        let case = cases.iter().find(|(key, _)| matches!(key, Key::Text(text) if text == kind));
        let (_, payload) = case.unwrap_or_else(|| panic!("{kind} has no table"));
        let mut out = Vec::new();
        let mut writer = Writer::attributes(&mut out);
        let written = attribute(&mut writer, *number, *payload, &[], DEPTH);
        written.expect("a short attribute can be written");
        out.split_off(ATTR_HEADER_LEN)
    });
    made.collect()
}

/// The bytes of all fixtures, and messages made from the tables.
fn datagrams() -> Vec<(String, Vec<u8>)> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates");
    let benches = crates.join("../benches");
    let mut files = Vec::new();
    hex_files(&crates, &mut files);
    hex_files(&benches, &mut files);
    files.sort();
    let name = |path: &Path| {
        let path = path.strip_prefix(&crates).unwrap_or(path).with_extension("");
        path.to_string_lossy().replace(['/', '\\'], "-")
    };
    let mut found: Vec<_> = files.iter().map(|path| (name(path), fixture(path))).collect();
    for protocol in PROTOCOLS {
        for kind in protocol.messages {
            let rows: Vec<_> = kind.attributes.rows().collect();
            let made = rows.iter().map(|row| (row.name, std::slice::from_ref(row)));
            for (name, rows) in made.chain([("all", &rows[..])]) {
                if let Ok(bytes) = made_message(kind, rows) {
                    found.push((format!("{}-{name}", kind.name), bytes));
                }
            }
        }
    }
    found
}

fn hex_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            hex_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "hex") {
            found.push(path);
        }
    }
}

fn capture(datagram: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = pcap::Writer::new(&mut file, Precision::Microseconds, ByteOrder::NATIVE);
    for message in messages(datagram) {
        writer.record(Duration::new(1, 5000), pcap::OUTGOING, 0, message.bytes);
    }
    file
}

/// What follows the header and the fixed part.
fn attributes<'a>(message: &Message<'a>) -> &'a [u8] {
    let kinds = PROTOCOLS.iter().filter_map(|it| it.message(message.header.message_type));
    let fixed = kinds.map(|kind| kind.header.width()).next().unwrap_or_default();
    message.body().get(fixed..).unwrap_or_default()
}

/// A message with these attributes.
fn made_message(kind: &MessageKind, rows: &[Row]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let header = Header { message_type: kind.number, flags: Flags(0), ..Header::default() };
    write::message(&mut out, header, |writer| {
        writer.fixed(&fixed(kind.header));
        rows.iter().try_for_each(|row| attribute(writer, row.number, row.payload, rows, DEPTH))
    })?;
    Ok(out)
}

/// The fixed part of a message about IPv4.
fn fixed(layout: &Layout) -> Vec<u8> {
    let mut bytes = vec![0; layout.width()];
    if let Some(family) = bytes.first_mut() {
        *family = 2;
    }
    bytes
}

fn attribute(
    writer: &mut Writer<'_>,
    number: u16,
    payload: Payload,
    siblings: &[Row],
    depth: usize,
) -> Result<(), Error> {
    let nest = |writer: &mut Writer<'_>, table: &'static Table| {
        let Some(depth) = depth.checked_sub(1) else { return Ok(()) };
        let rows: Vec<_> = table.rows().collect();
        rows.iter().try_for_each(|row| attribute(writer, row.number, row.payload, &rows, depth))
    };
    match payload {
        Payload::Nest(table) => writer.nest(number, |writer| nest(writer, table)),
        Payload::Headed(layout, table) => writer.nest(number, |writer| {
            writer.fixed(&fixed(layout));
            nest(writer, table)
        }),
        Payload::Records(layout, table) => writer.nest(number, |writer| {
            writer.record(|writer| {
                writer.unpadded(&fixed(layout)[2..]);
                nest(writer, table)
            })
        }),
        Payload::List(each) => writer.nest(number, |writer| match depth {
            0 => Ok(()),
            _ => attribute(writer, 1, *each, &[], depth - 1),
        }),
        Payload::Choice { by, cases } => cases.iter().try_for_each(|(key, case)| {
            // Each case behind the sibling that chooses it.
            match key {
                Key::Text(text) => writer.text(by, text.as_bytes())?,
                Key::Number(key) => match siblings.iter().find(|row| row.number == by) {
                    Some(row) => {
                        let width = row.payload.width().unwrap_or(4).min(4);
                        let bytes = key.to_ne_bytes();
                        let start = if cfg!(target_endian = "big") { 4 - width } else { 0 };
                        writer.bytes(by, &bytes[start..start + width])?;
                    }
                    None => writer.u32(by, *key),
                },
            }
            attribute(writer, number, *case, &[], depth.saturating_sub(1))
        }),
        Payload::Text => writer.text(number, b"word"),
        Payload::LinkAddress => writer.bytes(number, &[2, 0, 0, 0, 0, 1]),
        Payload::Array(each) => writer.bytes(number, &vec![1; 2 * each.width().unwrap_or(1)]),
        other => writer.bytes(number, &vec![1; other.width().unwrap_or(4)]),
    }
}

/// A dictionary for libFuzzer: the header of every attribute and message type that has a name.
#[must_use]
pub fn dictionary() -> String {
    let mut entries = BTreeMap::new();
    let mut seen = Vec::new();
    for protocol in PROTOCOLS {
        for kind in protocol.messages {
            entries.insert(kind.number.to_ne_bytes().to_vec(), kind.name);
            collect(kind.attributes, &mut entries, &mut seen);
        }
    }
    let mut text = String::new();
    for (bytes, name) in entries {
        let hex = format!("{}", Hex(&bytes)).replace(' ', "\\x");
        text += &[name, "=\"\\x", &hex, "\"\n"].concat();
    }
    text
}

fn collect(
    table: &'static Table,
    entries: &mut BTreeMap<Vec<u8>, &'static str>,
    seen: &mut Vec<*const Table>,
) {
    if seen.contains(&std::ptr::from_ref(table)) {
        return;
    }
    seen.push(table);
    for row in table.rows() {
        let nested = is_nest(row.payload);
        let length = 4 + row.payload.width().unwrap_or(if nested { 8 } else { 4 });
        let number = if nested { row.number | NLA_F_NESTED } else { row.number };
        let length = u16::try_from(length).unwrap_or(u16::MAX);
        let header = [length.to_ne_bytes(), number.to_ne_bytes()].concat();
        entries.entry(header).or_insert(row.name);
        for table in inner(row.payload) {
            collect(table, entries, seen);
        }
    }
}

fn is_nest(payload: Payload) -> bool {
    matches!(payload, Payload::Nest(_) | Payload::List(_))
}

fn inner(payload: Payload) -> Vec<&'static Table> {
    match payload {
        Payload::Nest(table) | Payload::Headed(_, table) | Payload::Records(_, table) => {
            vec![table]
        }
        Payload::List(each) => inner(*each),
        Payload::Choice { cases, .. } => cases.iter().flat_map(|case| inner(case.1)).collect(),
        _ => Vec::new(),
    }
}
