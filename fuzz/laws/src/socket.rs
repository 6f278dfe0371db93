//! Laws of nl-socket.

use std::collections::BTreeMap;

use nl_socket::exchange::{Exchange, Output};
use nl_socket::{Datagram, Loss};
use nl_wire::header::{Flags, Header};
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
            Output::End { first, sequence, .. } => {
                for sequence in first..=sequence {
                    assert!(open.remove(&sequence).is_some(), "{sequence} ends again");
                }
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
        let Output::End { first, sequence, .. } = output else { panic!("{output:?}") };
        for sequence in first..=sequence {
            let mode = open.remove(&sequence);
            assert!(mode.is_none_or(|mode| mode != Mode::Dump), "a dump ended by an overrun");
        }
    }
    assert!(!engine.is_overrun());
}
