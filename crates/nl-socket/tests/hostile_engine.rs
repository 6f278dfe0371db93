//! What no kernel sends: the engine under endless dumps, lies about lengths, and a stream that loses,
//! repeats and swaps its messages.

mod exchange_common;

use std::collections::BTreeSet;
use std::mem::size_of_val;

use nl_socket::exchange::{End, Exchange, Output};
use nl_socket::{Datagram, Loss};
use nl_wire::header::NLMSG_ERROR;
use nl_wire::table::Protocol;
use nl_wire::value::Family;
use nl_wire::{Errno, Flags, Mode};
use proptest::collection::vec;
use proptest::prelude::*;

use exchange_common::*;

fn cases(many: u32) -> ProptestConfig {
    let cases = if cfg!(miri) { 4 } else { many };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// The engine keeps nothing of what it was fed: its text, which has every field, stays as long.
#[test]
fn an_endless_dump_takes_no_memory_and_can_be_left() {
    let mut exchange = Exchange::new(PORT);
    exchange.expect(1, Mode::Dump, false);
    let datagram: Vec<u8> = (0..100).flat_map(|_| entry(MULTI, 1)).collect();
    let before = format!("{exchange:?}");
    for _ in 0..if cfg!(miri) { 10 } else { 10_000 } {
        let (mut offset, mut replies) = (0, 0);
        while let Some(output) = exchange.next(&whole(&datagram), &mut offset) {
            assert!(matches!(output, Output::Reply { sequence: 1, .. }), "{output:?}");
            replies += 1;
        }
        assert_eq!(replies, 100);
    }
    assert_eq!(format!("{exchange:?}"), before);
    assert_eq!(size_of_val(&exchange), size_of_val(&Exchange::new(0)));
    // Nobody wants it any more: it goes on unheard, beside what is asked meanwhile.
    exchange.abandon(1);
    exchange.expect(2, Mode::Get, false);
    assert_eq!(feed(&mut exchange, &whole(&datagram), 2), []);
    let reply = entry(PLAIN, 2);
    assert_eq!(feed(&mut exchange, &whole(&reply), 2), [Got::Reply(2), Got::Silent(2)]);
    assert!(!exchange.is_idle());
    exchange.forget_all();
    assert!(exchange.is_idle());
    assert_eq!(feed(&mut exchange, &whole(&reply), 2), [Got::Loss(Loss::Stale { sequence: 2 })]);
}

#[test]
fn what_comes_behind_the_end_is_stale_and_counted() {
    let mut exchange = Exchange::new(PORT);
    exchange.expect(7, Mode::Dump, false);
    let stale = Got::Loss(Loss::Stale { sequence: 7 });
    let bytes = [
        entry(MULTI, 7),
        done(PLAIN, 7, 0),
        entry(MULTI, 7),
        done(PLAIN, 7, 5),
        error(7, 1),
        entry(PLAIN, 7),
    ]
    .concat();
    let got = feed(&mut exchange, &whole(&bytes), 1);
    assert_eq!(got, [Got::Reply(7), Got::Acked(7), stale, stale, stale, stale]);
    // An error for somebody, of nobody.
    assert_eq!(feed(&mut exchange, &whole(&error(0, 1)), 1), []);
}

/// Attributes of an ack whose lengths lie: what can be read is read, and the text is one line.
#[test]
fn extended_acks_may_lie_about_every_length() {
    let tlv = |length: u16, kind: u16, payload: &[u8]| {
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(payload);
        bytes
    };
    let flags = Flags::CAPPED | Flags::ACK_TLVS;
    let header = [0; 16];
    for length in [0, 1, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 255, 256, 0x7fff, 0x8000, 0xfffc, 0xffff]
    {
        for kind in [0_u16, 1, 2, 3, 4, 5, 6, 7, 0x8004, 0xffff] {
            let attribute = tlv(length, kind, b"\x1b[2Jtext\xff");
            let nested = tlv(u16::try_from(4 + attribute.len()).unwrap(), kind, &attribute);
            for attributes in [&attribute, &nested] {
                let errno = (-22_i32).to_ne_bytes();
                let body = [&errno[..], &header, attributes].concat();
                let bytes = message(NLMSG_ERROR, flags, 1, PORT, &body);
                let mut exchange = Exchange::new(PORT);
                exchange.expect(1, Mode::Change, true);
                let mut offset = 0;
                let output = exchange.next(&whole(&bytes), &mut offset);
                let Some(Output::End { sequence: 1, end: End::Ack { ack, .. }, .. }) = output
                else {
                    panic!("{length} {kind}: {output:?}")
                };
                assert_eq!(ack.errno, Errno(22));
                let request = message(ENTRY, PLAIN, 1, 0, &[0; 8]);
                let failure = ack.failure(&Protocol::unknown(Family::ROUTE), &request).unwrap();
                let text = failure.to_string();
                assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
            }
        }
    }
}

/// A fault of the stream.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Drop(prop::sample::Index),
    Repeat(prop::sample::Index, prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Garble(prop::sample::Index, prop::sample::Index, u8),
}

fn fault() -> impl Strategy<Value = Fault> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        3 => index().prop_map(Fault::Drop),
        3 => (index(), index()).prop_map(|(from, to)| Fault::Repeat(from, to)),
        3 => (index(), index()).prop_map(|(a, b)| Fault::Swap(a, b)),
        1 => (index(), index(), any::<u8>()).prop_map(|(at, byte, value)| Fault::Garble(at, byte, value)),
    ]
}

/// What the kernel answers to a request.
fn answers(sequence: u32, mode: Mode, acked: bool, refused: bool) -> Vec<Vec<u8>> {
    match (mode, refused) {
        (Mode::Dump, _) => {
            let errno = if refused { 5 } else { 0 };
            vec![entry(MULTI, sequence), entry(MULTI, sequence), done(PLAIN, sequence, errno)]
        }
        (_, true) => vec![error(sequence, 5)],
        (Mode::Get, false) => vec![entry(PLAIN, sequence)],
        (Mode::Change, false) if acked => vec![ack(sequence)],
        (Mode::Change, false) => vec![],
    }
}

proptest! {
    #![proptest_config(cases(2048))]

    /// Whatever the stream loses, repeats or swaps: nobody is told an ack or a refusal that was not
    /// said of his request, nothing ends twice, and no reply is given to what is not open.
    #[test]
    fn no_fault_of_the_stream_gives_a_false_word(
        requests in vec((0..3_u8, any::<bool>(), any::<bool>()), 1..8),
        faults in vec(fault(), 0..8),
        joined in vec(any::<bool>(), 1..40),
        overrun in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut exchange = Exchange::new(PORT);
        let (mut stream, mut acked, mut refused) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        let mut garbled = false;
        for (sequence, &(mode, wants_ack, fails)) in (1..).zip(&requests) {
            let mode = [Mode::Change, Mode::Get, Mode::Dump][usize::from(mode)];
            let wants_ack = wants_ack && mode == Mode::Change;
            exchange.expect(sequence, mode, wants_ack);
            if fails { refused.insert(sequence) } else { acked.insert(sequence) };
            stream.extend(answers(sequence, mode, wants_ack, fails));
        }
        for fault in faults {
            let length = stream.len();
            if length == 0 {
                break;
            }
            match fault {
                Fault::Drop(at) => drop(stream.remove(at.index(length))),
                Fault::Repeat(from, to) => {
                    stream.insert(to.index(length), stream[from.index(length)].clone());
                }
                Fault::Swap(a, b) => stream.swap(a.index(length), b.index(length)),
                Fault::Garble(at, byte, value) => {
                    let message = &mut stream[at.index(length)];
                    let byte = byte.index(message.len());
                    message[byte] = value;
                    garbled = true;
                }
            }
        }
        let mut datagrams: Vec<Vec<u8>> = Vec::new();
        for (bytes, joined) in stream.iter().zip(joined.iter().cycle()) {
            match datagrams.last_mut() {
                Some(last) if *joined => last.extend(bytes),
                _ => datagrams.push(bytes.clone()),
            }
        }
        let overrun = overrun.map(|at| at.index(datagrams.len() + 1));
        let mut got = Vec::new();
        for (index, datagram) in datagrams.iter().enumerate() {
            if overrun == Some(index) {
                exchange.overrun();
            }
            got.extend(feed(&mut exchange, &whole(datagram), requests.len()));
        }
        got.extend(drain(&mut exchange));
        let mut ended = BTreeSet::new();
        for told in got {
            match told {
                Got::Reply(n) => prop_assert!(!ended.contains(&n), "a reply behind the end of {n}"),
                Got::Acked(n) | Got::Interrupted(n) => {
                    prop_assert!(ended.insert(n));
                    prop_assert!(garbled || acked.contains(&n), "{n} was refused");
                }
                Got::Refused(n, errno) => {
                    prop_assert!(ended.insert(n));
                    prop_assert!(garbled || (refused.contains(&n) && errno == Errno(5)), "{n} was not refused");
                }
                Got::Silent(n) | Got::Unknown(n) | Got::Damaged(n) => prop_assert!(ended.insert(n)),
                Got::Event(..) | Got::Loss(_) => {}
            }
        }
    }

    /// A cut at any byte, of any datagram: whole messages, then one loss.
    #[test]
    fn a_cut_gives_whole_messages_and_one_loss(entries in 1..6_usize, cut_at in any::<prop::sample::Index>()) {
        let bytes: Vec<u8> = (0..entries).flat_map(|_| entry(MULTI, 1)).collect();
        let kept = cut_at.index(bytes.len());
        let mut exchange = Exchange::new(PORT);
        exchange.expect(1, Mode::Dump, false);
        let datagram = Datagram { truncated: true, ..whole(&bytes[..kept]) };
        let got = feed(&mut exchange, &Datagram { length: bytes.len(), ..datagram }, 1);
        let loss = Got::Loss(Loss::Truncated { length: bytes.len(), kept });
        // The padding of a message may be cut without loss of the message.
        let messages = got.len() - 1;
        prop_assert!(messages == kept / 24 || messages == (kept + 3) / 24, "{got:?} of {kept}");
        prop_assert_eq!(got.last(), Some(&loss));
        prop_assert!(!exchange.is_idle());
    }
}
