//! Laws of nl-socket.

use std::collections::BTreeMap;

use nl_socket::exchange::{Exchange, Output};
use nl_socket::filter::{self, ACCEPT, Assembler, Insn, Program, REJECT};
use nl_socket::{Datagram, Loss};
use nl_wire::attr::{ATTR_HEADER_LEN, Attrs};
use nl_wire::header::{Flags, HEADER_LEN, Header};
use nl_wire::{Mode, write};

use crate::{Script, messages};

/// The port of the engine in [`exchange`].
const PORT: u32 = 77;

/// The engine under any script of requests, datagrams, overruns and abandonments: every request
/// ends at most once and gives nothing afterwards, and a datagram gives no more outputs than its
/// messages and the open requests allow.
pub fn exchange(bytes: &[u8]) {
    let mut script = Script(bytes);
    let mut engine = Exchange::new(PORT);
    // Sequence numbers that somebody waits for.
    let mut open: BTreeMap<u32, Mode> = BTreeMap::new();
    let mut last = 0;
    while let Some(operation) = script.byte() {
        match operation % 8 {
            0 | 1 => {
                let kind = script.byte().unwrap_or_default();
                let mode = [Mode::Dump, Mode::Get, Mode::Change][usize::from(kind % 3)];
                last += 1;
                engine.expect(last, mode, kind & 0x80 != 0);
                open.insert(last, mode);
            }
            2 => {
                let sequence = u32::from(script.byte().unwrap_or_default() % 16);
                engine.abandon(sequence);
                open.remove(&sequence);
            }
            3 => {
                engine.overrun();
                assert!(engine.is_overrun());
            }
            4 => drain(&mut engine, &mut open),
            5 => {
                let length = usize::from(script.byte().unwrap_or_default());
                feed(&mut engine, &mut open, 0, false, script.bytes(length));
            }
            6 if operation == 0xfe => {
                engine.forget_all();
                open.clear();
            }
            _ => {
                let how = script.byte().unwrap_or_default();
                let mut datagram = Vec::new();
                for _ in 0..how % 8 {
                    let Some(head) = script.array::<4>() else { break };
                    append(&mut datagram, head, &mut script);
                }
                let sender = u32::from(how >= 0xf0);
                feed(&mut engine, &mut open, sender, how & 0x40 != 0, &datagram);
            }
        }
        assert!(!engine.is_idle() || open.is_empty(), "forgotten: {open:?}");
    }
    engine.overrun();
    drain(&mut engine, &mut open);
    assert!(open.values().all(|mode| *mode == Mode::Dump), "never ended: {open:?}");
    engine.forget_all();
    assert!(engine.is_idle());
}

/// Appends a message that the engine is likely to understand.
fn append(datagram: &mut Vec<u8>, [kind, flags, sequence, body]: [u8; 4], script: &mut Script<'_>) {
    let message_type = [24, 2, 3, 24, 2, 3, 4, 1][usize::from(kind % 8)];
    let header = Header {
        length: 0,
        message_type,
        flags: Flags(u16::from(flags & 0x3f) | u16::from(flags & 0xc0) << 2),
        sequence: u32::from(sequence % 16),
        port: if kind >= 0xf0 { PORT + 1 } else { PORT },
    };
    // Mostly an errno and a repeated header, at times cut short.
    let mut payload = vec![0; usize::from(body % 32)];
    payload.extend(script.bytes(usize::from(body >> 5)));
    let written = write::message(datagram, header, |writer| {
        writer.unpadded(&payload);
        Ok(())
    });
    assert_eq!(written, Ok(()));
}

fn feed(
    engine: &mut Exchange,
    open: &mut BTreeMap<u32, Mode>,
    sender_port: u32,
    truncated: bool,
    bytes: &[u8],
) {
    let length = bytes.len() + usize::from(truncated);
    let datagram = Datagram {
        bytes,
        sender_port,
        sender_groups: 0,
        length,
        truncated,
        nsid: None,
        group: None,
    };
    let limit = 2 * messages(bytes).count() + open.len() + 2;
    let mut offset = 0;
    let mut count = 0;
    while let Some(output) = engine.next(&datagram, &mut offset) {
        count += 1;
        assert!(count <= limit, "more than {limit} outputs");
        match output {
            Output::Reply { sequence, message } => {
                assert!(open.contains_key(&sequence), "a reply nobody asked for: {sequence}");
                assert_eq!((message.header.sequence, message.header.port), (sequence, PORT));
            }
            Output::End { sequence, .. } => {
                assert!(open.remove(&sequence).is_some(), "{sequence} ends again");
            }
            Output::Event(message) => {
                assert!(message.header.port != PORT || message.header.sequence == 0);
            }
            Output::Loss(Loss::Foreign { .. }) => assert!(sender_port != 0 && count == 1),
            Output::Loss(Loss::Truncated { kept, .. }) => {
                assert!(truncated && kept == bytes.len());
            }
            Output::Loss(Loss::Damaged(_)) => assert!(!truncated),
            Output::Loss(_) => {}
        }
        assert!(sender_port == 0 || matches!(output, Output::Loss(_)));
    }
    assert!(engine.next(&datagram, &mut offset).is_none(), "something behind the end");
}

fn drain(engine: &mut Exchange, open: &mut BTreeMap<u32, Mode>) {
    while let Some(output) = engine.drained() {
        let Output::End { sequence, .. } = output else { panic!("{output:?}") };
        let mode = open.remove(&sequence);
        assert!(mode.is_none_or(|mode| mode != Mode::Dump), "a dump ended by an overrun");
    }
    assert!(!engine.is_overrun());
}

/// Operations that the check accepts, so that random programs get through it.
const CODES: [u16; 46] = [
    0x00, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, 0x01, 0x61, 0x81, 0xb1, 0x02, 0x03, 0x84,
    0x05, 0x06, 0x16, 0x07, 0x87, 0x15, 0x25, 0x35, 0x45, 0x1d, 0x2d, 0x3d, 0x4d, 0x04, 0x14, 0x24,
    0x34, 0x44, 0x54, 0x64, 0x74, 0x94, 0xa4, 0x0c, 0x1c, 0x2c, 0x3c, 0x6c, 0x7c, 0x9c,
];

/// Any program that the check accepts runs to a verdict, the same one behind a jump to its start;
/// its listing has a line for each instruction.
pub fn filter(bytes: &[u8]) {
    let mut script = Script(bytes);
    let count = usize::from(script.byte().unwrap_or_default() % 64);
    let mut instructions = Vec::new();
    for _ in 0..count {
        let Some([code, jt, jf, k]) = script.array() else { break };
        let code = CODES.get(usize::from(code)).copied().unwrap_or_else(|| u16::from(code));
        let (k, jt, jf) = match k {
            0xfb => (filter::FIND_ATTRIBUTE, 0, 0),
            0xfc => (filter::FIND_NESTED, 0, 0),
            0xfd => (filter::RANDOM, jt, jf),
            0xfe => ((1 << 31) - 1 - u32::from(jt), 0, 0),
            0xff => (u32::MAX - u32::from(jt), 0, 0),
            k => (u32::from(k), jt % 16, jf % 16),
        };
        instructions.push(Insn { code, jt, jf, k });
    }
    let packet = script.0;
    let program = match Program::new(instructions.clone()) {
        Ok(program) => program,
        Err(error) => {
            assert!(error.index <= instructions.len());
            assert!(!error.to_string().contains('\n'));
            return;
        }
    };
    assert_eq!(program.instructions(), instructions);
    assert_eq!(program.to_string().lines().count(), instructions.len());
    let verdict = filter::run(&program, packet);
    instructions.insert(0, Insn::new(0x05, 0));
    let behind = Program::new(instructions).expect("a jump to the next instruction is harmless");
    assert_eq!(filter::run(&behind, packet), verdict);
}

/// A filter that the assembler makes for an attribute keeps exactly the datagrams in which the walk
/// of attributes finds it.
///
/// The first bytes say what to look for: one or two numbers, and where values differ.
pub fn filter_match(bytes: &[u8]) {
    let mut script = Script(bytes);
    let Some([depth, outer, inner, flip]) = script.array::<4>() else { return };
    let packet = script.0;
    let start = HEADER_LEN + 4;
    let path = [u16::from(outer % 32), u16::from(inner % 16)];
    let path = &path[..=usize::from(depth % 2)];

    let found = find(packet, start, path);
    let payload = found.and_then(|at| packet.get(at + ATTR_HEADER_LEN..));
    let value =
        payload.and_then(|payload| payload.first_chunk::<4>()).map(|b| u32::from_be_bytes(*b));
    // Half of the runs look for the value that is there.
    let wanted = value.unwrap_or_default() ^ u32::from(flip & 1);
    // Enough other values to make the jumps long.
    let mut values = vec![!wanted; usize::from(flip) * 2];
    values.push(wanted);

    let mut assembler = Assembler::new();
    let (yes, no) = (assembler.label(), assembler.label());
    assembler.match_u32(u32::try_from(start).unwrap_or_default(), path, &values, yes, no);
    assembler.bind(yes);
    assembler.ret(ACCEPT);
    assembler.bind(no);
    assembler.ret(REJECT);
    let program = assembler.finish().expect("a program");
    let expected = if value.is_some_and(|value| values.contains(&value)) { ACCEPT } else { REJECT };
    assert_eq!(filter::run(&program, packet), expected, "{path:?} in\n{program}");
}

/// Where in `packet` the attribute of this path begins.
fn find(packet: &[u8], start: usize, path: &[u16]) -> Option<usize> {
    let (wanted, deeper) = path.split_first()?;
    let mut attrs = Attrs::new(packet.get(start..)?);
    loop {
        let at = packet.len() - attrs.rest().len();
        let attr = attrs.next()?.ok()?;
        if attr.number() != *wanted {
            continue;
        }
        if deeper.is_empty() {
            return Some(at);
        }
        let inside = packet.get(..at + ATTR_HEADER_LEN + attr.payload.len())?;
        return find(inside, at + ATTR_HEADER_LEN, deeper);
    }
}
