//! Address translation for the demo's namespace: a few rules of nf_tables, written straight onto
//! the wire (linux/netfilter/nf_tables.h).
//!
//! nf_tables takes changes as one transaction: begin, changes, end, all in one datagram. It answers
//! each message that asks for an ack.

use std::net::Ipv4Addr;

use nl_socket::{Error, Ring, Socket, Wait};
use nl_wire::table::Protocol;
use nl_wire::value::Family;
use nl_wire::{Ack, Error as WireError, Flags, Header, Messages, Writer, write};

/// Connections to this port get another source address.
pub(super) const SOURCE_PORT: u16 = 8001;
/// Connections to this port get another destination.
pub(super) const DESTINATION_PORT: u16 = 8002;

const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const NEW_TABLE: u16 = 0x0a00;
const NEW_CHAIN: u16 = 0x0a03;
const NEW_RULE: u16 = 0x0a06;

const IPV4: u8 = 2;
const INET: u8 = 1;
const HOOK_OUTPUT: u32 = 3;
const HOOK_POSTROUTING: u32 = 4;
const ACCEPT: u32 = 1;
const NAT_SOURCE: u32 = 0;
const NAT_DESTINATION: u32 = 1;
/// Registers of 16 bytes; register 0 is the verdict.
const REGISTER_ADDRESS: u32 = 1;
const REGISTER_PORT: u32 = 2;

type Body<'a> = &'a dyn Fn(&mut Writer<'_>) -> Result<(), WireError>;

/// Has the namespace of the calling thread track connections of both families and translate those
/// to the two ports: `SOURCE_PORT` to come from `source`, `DESTINATION_PORT` to go to
/// `destination`.
pub(super) fn install(source: Ipv4Addr, destination: (Ipv4Addr, u16)) -> Result<(), Error> {
    let mut bytes = Vec::new();
    transaction(&mut bytes, source, destination).map_err(Error::Unencodable)?;
    let socket = Socket::open(Family::NETFILTER.0)?;
    socket.send(&bytes)?;
    let mut ring = Ring::new(4, 16 * 1024);
    let mut open = true;
    while open {
        ring.receive(&socket, Wait::at_most(nl_socket::Connection::TIMEOUT))?;
        for datagram in ring.datagrams().filter(|datagram| datagram.sender_port == 0) {
            for message in Messages::new(datagram.bytes).flatten() {
                let Ok(ack) = Ack::decode(&message) else { continue };
                if let Some(failure) = ack.failure(&Protocol::unknown(Family::NETFILTER), &[]) {
                    return Err(failure.into());
                }
                open = false;
            }
        }
    }
    Ok(())
}

fn transaction(
    out: &mut Vec<u8>,
    source: Ipv4Addr,
    destination: (Ipv4Addr, u16),
) -> Result<(), WireError> {
    // The resource id of begin and end names the subsystem, nf_tables.
    message(out, BATCH_BEGIN, Flags(0), [0, 0, 0, 10], &|_| Ok(()))?;
    for (family, table) in [(INET, b"track"), (IPV4, b"trans")] {
        message(out, NEW_TABLE, Flags::CREATE, [family, 0, 0, 0], &|w| w.text(1, table))?;
    }
    chain(out, INET, b"track", b"output", b"filter", (HOOK_OUTPUT, 0))?;
    // Reading the state of connections is what makes the kernel track them.
    rule(out, INET, b"track", b"output", &|w| {
        expression(w, b"ct", &|w| {
            w.u32_be(1, REGISTER_ADDRESS);
            w.u32_be(2, 0);
            Ok(())
        })
    })?;
    chain(out, IPV4, b"trans", b"output", b"nat", (HOOK_OUTPUT, -100))?;
    rule(out, IPV4, b"trans", b"output", &|w| {
        match_port(w, DESTINATION_PORT)?;
        immediate(w, REGISTER_ADDRESS, &destination.0.octets())?;
        immediate(w, REGISTER_PORT, &destination.1.to_be_bytes())?;
        translate(w, NAT_DESTINATION, Some(REGISTER_PORT))
    })?;
    chain(out, IPV4, b"trans", b"post", b"nat", (HOOK_POSTROUTING, 100))?;
    rule(out, IPV4, b"trans", b"post", &|w| {
        match_port(w, SOURCE_PORT)?;
        immediate(w, REGISTER_ADDRESS, &source.octets())?;
        translate(w, NAT_SOURCE, None)
    })?;
    message(out, BATCH_END, Flags(0), [0, 0, 0, 10], &|_| Ok(()))
}

fn message(
    out: &mut Vec<u8>,
    message_type: u16,
    flags: Flags,
    nfgenmsg: [u8; 4],
    body: Body<'_>,
) -> Result<(), WireError> {
    // One ack is enough: of the last rule, and refusals come unasked.
    let ack = if message_type == NEW_RULE { Flags::ACK } else { Flags(0) };
    let flags = Flags::REQUEST | flags | ack;
    let header = Header { message_type, flags, sequence: 1, ..Header::default() };
    write::message(out, header, |w| {
        w.fixed(&nfgenmsg);
        body(w)
    })
}

fn chain(
    out: &mut Vec<u8>,
    family: u8,
    table: &[u8],
    name: &[u8],
    kind: &[u8],
    (hook, priority): (u32, i32),
) -> Result<(), WireError> {
    message(out, NEW_CHAIN, Flags::CREATE, [family, 0, 0, 0], &|w| {
        w.text(1, table)?;
        w.text(3, name)?;
        w.nest(4, |w| {
            w.u32_be(1, hook);
            w.bytes(2, &priority.to_be_bytes())
        })?;
        w.u32_be(5, ACCEPT);
        w.text(7, kind)
    })
}

fn rule(
    out: &mut Vec<u8>,
    family: u8,
    table: &[u8],
    chain: &[u8],
    expressions: Body<'_>,
) -> Result<(), WireError> {
    message(out, NEW_RULE, Flags::CREATE | Flags::APPEND, [family, 0, 0, 0], &|w| {
        w.text(1, table)?;
        w.text(2, chain)?;
        w.nest(4, expressions)
    })
}

fn expression(w: &mut Writer<'_>, name: &[u8], data: Body<'_>) -> Result<(), WireError> {
    w.nest(1, |w| {
        w.text(1, name)?;
        w.nest(2, data)
    })
}

/// The destination port, which TCP and UDP have at the same place.
fn match_port(w: &mut Writer<'_>, port: u16) -> Result<(), WireError> {
    expression(w, b"payload", &|w| {
        w.u32_be(1, REGISTER_ADDRESS);
        w.u32_be(2, 2); // from the transport header on
        w.u32_be(3, 2);
        w.u32_be(4, 2);
        Ok(())
    })?;
    expression(w, b"cmp", &|w| {
        w.u32_be(1, REGISTER_ADDRESS);
        w.u32_be(2, 0);
        w.nest(3, |w| w.bytes(1, &port.to_be_bytes()))
    })
}

fn immediate(w: &mut Writer<'_>, register: u32, bytes: &[u8]) -> Result<(), WireError> {
    expression(w, b"immediate", &|w| {
        w.u32_be(1, register);
        w.nest(2, |w| w.bytes(1, bytes))
    })
}

fn translate(w: &mut Writer<'_>, which: u32, port: Option<u32>) -> Result<(), WireError> {
    expression(w, b"nat", &|w| {
        w.u32_be(1, which);
        w.u32_be(2, u32::from(IPV4));
        w.u32_be(3, REGISTER_ADDRESS);
        if let Some(port) = port {
            w.u32_be(5, port);
        }
        Ok(())
    })
}
