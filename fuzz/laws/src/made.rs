//! Messages made from the attribute tables: structure that random bytes seldom have.

use nl_wire::table::{Key, Layout, MessageKind, Payload, Protocol, Row, Table};
use nl_wire::{Error, Writer};

use crate::{
    Script, conntrack, conntrack_text, message, peers, route, settings, wire, write_message,
};

/// The law of the bodies of messages of a type.
type BodyLaw = (&'static Protocol, u16, fn(&[u8]));

const LAWS: [BodyLaw; 21] = [
    (&nl_conntrack::tables::PROTOCOL, 0x100, conntrack::flow),
    (&nl_conntrack::tables::PROTOCOL, 0x100, conntrack_text::flow_text),
    (&nl_conntrack::tables::PROTOCOL, 0x200, conntrack::expectation),
    (&nl_conntrack::tables::PROTOCOL, 0x800, conntrack::timeouts),
    (&nl_conntrack::tables::PROTOCOL, 0x104, conntrack::statistics),
    (&nl_route::tables::PROTOCOL, 16, route::link),
    (&nl_route::tables::PROTOCOL, 16, route::link),
    (&nl_route::tables::PROTOCOL, 20, route::address),
    (&nl_route::tables::PROTOCOL, 24, route::route),
    (&nl_route::tables::PROTOCOL, 28, route::neighbour),
    (&nl_route::tables::PROTOCOL, 32, route::rule),
    (&nl_route::tables::PROTOCOL, 88, route::nsid),
    (&nl_route::tables::PROTOCOL, 104, route::nexthop),
    (&nl_route::tables::PROTOCOL, 116, route::bucket),
    (&nl_route::tables::PROTOCOL, 36, settings::qdisc),
    (&nl_route::tables::PROTOCOL, 40, settings::class),
    (&nl_route::tables::PROTOCOL, 84, settings::groups),
    (&nl_route::tables::PROTOCOL, 52, settings::router_prefix),
    (&nl_route::tables::PROTOCOL, 64, settings::neighbour_table),
    (&nl_route::tables::PROTOCOL, 72, settings::address_label),
    (&nl_route::tables::PROTOCOL, 80, settings::netconf),
];

/// How deep attributes nest; tables may contain themselves.
const DEPTH: usize = 6;

/// A script makes a message whose attributes have names, mostly the right length and their place in
/// nests; whatever law such messages have must hold, and the listing's, and the peer decoder's.
pub fn made(bytes: &[u8]) {
    let mut script = Script(bytes);
    let (protocol, number, law) = script.pick(&LAWS);
    let kind = protocol.message(number).expect("a message that has a name");
    let Ok(body) = body(&mut script, kind) else { return };
    law(&body);
    let whole = message(number, &body);
    wire::listing(&whole);
    peers::peers(&whole);
}

fn body(script: &mut Script<'_>, kind: &MessageKind) -> Result<Vec<u8>, Error> {
    let mut whole = write_message(kind.number, |writer| {
        writer.fixed(&fixed(script, kind.header));
        attributes(script, writer, kind.attributes, DEPTH)
    })?;
    Ok(whole.split_off(nl_wire::header::HEADER_LEN))
}

/// A fixed part that begins with a family.
fn fixed(script: &mut Script<'_>, layout: &Layout) -> Vec<u8> {
    let mut bytes = script.bytes(layout.width()).to_vec();
    bytes.resize(layout.width(), 0);
    if let Some(family) = bytes.first_mut() {
        *family = [2, 10, 7, 0, 28, 128, 129, *family][usize::from(*family % 8)];
    }
    bytes
}

fn attributes(
    script: &mut Script<'_>,
    writer: &mut Writer<'_>,
    table: &Table,
    depth: usize,
) -> Result<(), Error> {
    let rows: Vec<_> = table.rows().collect();
    if rows.is_empty() || depth == 0 {
        return Ok(());
    }
    for _ in 0..script.below(if depth == DEPTH { 16 } else { 8 }) {
        let row = &rows[script.below(rows.len())];
        attribute(script, writer, row.number, row.payload, &rows, depth - 1)?;
    }
    Ok(())
}

fn attribute(
    script: &mut Script<'_>,
    writer: &mut Writer<'_>,
    number: u16,
    payload: Payload,
    siblings: &[Row],
    depth: usize,
) -> Result<(), Error> {
    if script.byte().is_none_or(|byte| byte >= 0xf8) {
        // Any length, where it is not the right one.
        let length = script.below(20);
        return writer.bytes(number, script.bytes(length));
    }
    match payload {
        Payload::Nest(table) => {
            writer.nest(number, |writer| attributes(script, writer, table, depth))
        }
        Payload::Headed(layout, table) => writer.nest(number, |writer| {
            writer.fixed(&fixed(script, layout));
            attributes(script, writer, table, depth)
        }),
        Payload::Records(layout, table) => writer.nest(number, |writer| {
            (0..script.below(4)).try_for_each(|_| {
                writer.record(|writer| {
                    writer.unpadded(&fixed(script, layout)[2..]);
                    attributes(script, writer, table, depth)
                })
            })
        }),
        Payload::List(each) => writer.nest(number, |writer| {
            let count = if depth == 0 { 0 } else { script.below(4) };
            (0..count).try_for_each(|_| {
                let index = u16::from(script.byte().unwrap_or_default() % 8);
                attribute(script, writer, index, *each, &[], depth - 1)
            })
        }),
        Payload::Choice { by, cases } => {
            let (key, case) = cases[script.below(cases.len())];
            match key {
                Key::Text(text) => writer.text(by, text.as_bytes())?,
                Key::Number(key) => {
                    let row = siblings.iter().find(|row| row.number == by);
                    match row.and_then(|row| row.payload.width()) {
                        Some(1) => writer.u8(by, u8::try_from(key).unwrap_or_default()),
                        Some(2) => writer.u16(by, u16::try_from(key).unwrap_or_default()),
                        _ => writer.u32(by, key),
                    }
                }
            }
            attribute(script, writer, number, case, &[], depth.saturating_sub(1))
        }
        Payload::Text => {
            let texts: [&[u8]; 5] =
                [b"eth0", b"lo", b"\x1b[31m\n", b"<\"'\\>", "\u{202e}".as_bytes()];
            writer.text(number, script.pick(&texts))
        }
        other => {
            let length = match other {
                Payload::Ip => script.pick(&[4, 16]),
                Payload::LinkAddress => script.pick(&[6, 4, 8, 16, 20]),
                Payload::Array(each) => each.width().unwrap_or(1) * script.below(5),
                other => other.width().unwrap_or_else(|| script.below(24)),
            };
            let mut bytes = script.bytes(length).to_vec();
            bytes.resize(length, 0);
            writer.bytes(number, &bytes)
        }
    }
}
