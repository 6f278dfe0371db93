//! The engine against random orders, and against a naive model of the kernel.

mod exchange_common;

use std::collections::{BTreeMap, BTreeSet};

use nl_socket::Datagram;
use nl_socket::exchange::{Exchange, Output};
use nl_wire::header::align;
use nl_wire::{Errno, Flags, Mode};
use proptest::collection::vec;
use proptest::prelude::*;

use exchange_common::*;

/// Failing cases are printed whole; no file is needed to see them again.
fn config() -> ProptestConfig {
    let cases = if cfg!(miri) { 4 } else { 1024 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Change), Just(Mode::Get), Just(Mode::Dump)]
}

/// What may befall an engine.
#[derive(Clone, Debug)]
enum Step {
    Expect(Mode, bool),
    Feed { bytes: Vec<u8>, cut: Option<prop::sample::Index>, sender: u32 },
    Abandon(u32),
    ForgetAll,
    Overrun,
    Drained,
}

/// Sequence numbers that are asked for, and some that are not.
fn sequence() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0_u32..12, 1 => any::<u32>()]
}

fn any_message() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![4 => 0_u16..6, 3 => Just(ENTRY), 1 => any::<u16>()];
    let port = prop_oneof![6 => Just(PORT), 1 => Just(0), 1 => any::<u32>()];
    let body = prop_oneof![Just(vec![0; 20]), vec(any::<u8>(), 0..40)];
    let length = prop_oneof![9 => Just(None), 1 => any::<u32>().prop_map(Some)];
    (kind, any::<u16>(), sequence(), port, body, length).prop_map(
        |(kind, flags, sequence, port, body, length)| {
            let mut bytes = message(kind, Flags(flags), sequence, port, &body);
            if let Some(length) = length {
                bytes[..4].copy_from_slice(&length.to_ne_bytes());
            }
            bytes
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = prop_oneof![
        6 => vec(any_message(), 0..6).prop_map(|messages| messages.concat()),
        1 => vec(any::<u8>(), 0..80),
    ];
    let sender = prop_oneof![9 => Just(0), 1 => any::<u32>()];
    prop_oneof![
        6 => (mode(), any::<bool>()).prop_map(|(mode, acked)| Step::Expect(mode, acked)),
        8 => (bytes, any::<Option<prop::sample::Index>>(), sender)
            .prop_map(|(bytes, cut, sender)| Step::Feed { bytes, cut, sender }),
        1 => sequence().prop_map(Step::Abandon),
        1 => Just(Step::ForgetAll),
        2 => Just(Step::Overrun),
        2 => Just(Step::Drained),
    ]
}

/// What the short path for entries of dumps says is what the engine says, message by message.
fn shortcuts_agree(exchange: &Exchange, datagram: &Datagram<'_>) -> Result<(), TestCaseError> {
    let (mut engine, mut offset) = (exchange.clone(), 0);
    loop {
        let short = (0..16).find_map(|sequence| {
            let entries = engine.entries(sequence).filter(|_| datagram.sender_port == 0)?;
            let message = entries.next(datagram.bytes.get(offset..)?)?;
            let end = datagram.bytes.len().min(offset + align(message.bytes.len()));
            Some((Output::Reply { sequence, message }, end))
        });
        let Some(output) = engine.next(datagram, &mut offset) else {
            prop_assert_eq!(short, None);
            return Ok(());
        };
        if let Some((reply, end)) = short {
            prop_assert_eq!((output, offset), (reply, end));
        }
    }
}

proptest! {
    #![proptest_config(config())]

    /// Whatever comes: no panic, no endless output, no reply or end for what nobody waits for.
    #[test]
    fn nothing_ends_twice(steps in vec(step(), 0..40)) {
        let mut exchange = Exchange::new(PORT);
        let (mut next, mut open) = (1, BTreeSet::new());
        for step in steps {
            let got = match step {
                Step::Expect(mode, acked) => {
                    exchange.expect(next, mode, acked);
                    open.insert(next);
                    next += 1;
                    continue;
                }
                Step::Abandon(sequence) => {
                    exchange.abandon(sequence);
                    open.remove(&sequence);
                    continue;
                }
                Step::ForgetAll => {
                    exchange.forget_all();
                    prop_assert!(exchange.is_idle());
                    open.clear();
                    continue;
                }
                Step::Overrun => {
                    exchange.overrun();
                    continue;
                }
                Step::Drained => drain(&mut exchange),
                Step::Feed { bytes, cut, sender } => {
                    let kept = cut.map_or(bytes.len(), |at| at.index(bytes.len() + 1));
                    let datagram = Datagram {
                        bytes: &bytes[..kept],
                        length: bytes.len(),
                        truncated: kept < bytes.len(),
                        sender_port: sender,
                        ..Datagram::default()
                    };
                    shortcuts_agree(&exchange, &datagram)?;
                    feed(&mut exchange, &datagram, open.len())
                }
            };
            for got in got {
                match got {
                    Got::Reply(sequence) => prop_assert!(open.contains(&sequence)),
                    Got::Acked(n) | Got::Interrupted(n) | Got::Refused(n, _) | Got::Silent(n)
                    | Got::Unknown(n) | Got::Damaged(n) => prop_assert!(open.remove(&n)),
                    Got::Event(..) | Got::Loss(_) => {}
                }
            }
            if exchange.is_idle() {
                prop_assert!(open.is_empty());
            }
        }
    }
}

/// A request, and what the kernel will do with it.
#[derive(Clone, Debug)]
struct Planned {
    mode: Mode,
    acked: bool,
    /// Entries of a dump, echoes of a change.
    entries: usize,
    errno: Option<i32>,
    /// Which message of a dump tells of an interruption.
    interrupted: Option<usize>,
    /// A dump is refused by `NLMSG_ERROR` instead of `NLMSG_DONE`.
    by_error: bool,
}

fn planned() -> impl Strategy<Value = Planned> {
    let errno = prop_oneof![2 => Just(None), 1 => (1..133_i32).prop_map(Some)];
    (mode(), any::<bool>(), 0..4_usize, errno, prop::option::of(0..5_usize), any::<bool>())
        .prop_map(|(mode, acked, entries, errno, interrupted, by_error)| Planned {
            mode,
            acked,
            entries,
            errno,
            interrupted,
            by_error,
        })
}

impl Planned {
    fn refused_by_error(&self) -> bool {
        self.errno.is_some() && (self.mode != Mode::Dump || self.by_error)
    }

    /// The messages made while the request is sent: none but these can be lost by an overrun.
    fn at_once(&self, sequence: u32) -> Answers {
        let mut made = Vec::new();
        if self.refused_by_error() {
            return vec![(sequence, error(sequence, self.errno.unwrap_or(0)))];
        }
        match self.mode {
            Mode::Dump => {}
            Mode::Get => {
                let flags = if self.by_error { MULTI } else { PLAIN };
                made.push(entry(flags, sequence));
            }
            Mode::Change => made.extend((0..self.entries).map(|_| entry(PLAIN, sequence))),
        }
        if self.acked && self.mode != Mode::Dump {
            made.push(ack(sequence));
        }
        made.into_iter().map(|bytes| (sequence, bytes)).collect()
    }

    /// The messages of a dump, made as they are read.
    fn later(&self, sequence: u32) -> Answers {
        if self.mode != Mode::Dump || self.refused_by_error() {
            return Vec::new();
        }
        let flags = |n| if self.interrupted == Some(n) { Flags::DUMP_INTR } else { PLAIN };
        let mut made: Vec<_> =
            (0..self.entries).map(|n| entry(MULTI | flags(n), sequence)).collect();
        made.push(done(flags(self.entries), sequence, self.errno.unwrap_or(0)));
        made.into_iter().map(|bytes| (sequence, bytes)).collect()
    }

    /// What the engine must say in the end.
    fn end(&self, sequence: u32) -> Got {
        let interrupted = self.interrupted.is_some_and(|n| n <= self.entries);
        match (self.errno, self.mode) {
            (Some(errno), _) => Got::Refused(sequence, Errno(errno)),
            (None, Mode::Dump) if interrupted => Got::Interrupted(sequence),
            (None, Mode::Dump) => Got::Acked(sequence),
            (None, _) if self.acked => Got::Acked(sequence),
            (None, _) => Got::Silent(sequence),
        }
    }

    fn replies(&self) -> usize {
        match self.mode {
            _ if self.refused_by_error() => 0,
            Mode::Get => 1,
            Mode::Change | Mode::Dump => self.entries,
        }
    }
}

/// What comes between the answers.
#[derive(Clone, Copy, Debug)]
enum Noise {
    Event,
    Stranger,
    Noop,
    Stale,
}

/// Where a message is taken from next, whether it shares a datagram with the one before, and what
/// noise comes first.
type Choice = (prop::sample::Index, bool, Option<Noise>);

fn choice() -> impl Strategy<Value = Choice> {
    let noise = prop_oneof![
        Just(Noise::Event),
        Just(Noise::Stranger),
        Just(Noise::Noop),
        Just(Noise::Stale)
    ];
    (any::<prop::sample::Index>(), any::<bool>(), prop::option::weighted(0.3, noise))
}

/// Messages, each with the request that it answers.
type Answers = Vec<(u32, Vec<u8>)>;

/// The stream of messages in an order that the kernel may choose: the answers made at once in the
/// order of the requests, the dumps anywhere behind the answers to the requests before them.
fn merge(at_once: Answers, dumps: Vec<Answers>, choices: &[Choice]) -> Vec<(bool, Vec<u8>)> {
    let queue = |answers: Answers| answers.into_iter().peekable();
    let mut at_once = queue(at_once);
    let mut dumps: Vec<_> = dumps.into_iter().map(queue).collect();
    let mut choices = choices.iter().cycle();
    let mut stream = Vec::new();
    loop {
        let next = at_once.peek().map(|answer| answer.0);
        let mut ready: Vec<_> = dumps
            .iter_mut()
            .filter_map(|dump| {
                let sequence = dump.peek()?.0;
                next.is_none_or(|next| next > sequence).then_some(dump)
            })
            .collect();
        if next.is_some() {
            ready.push(&mut at_once);
        }
        let Some((from, joined, noise)) = choices.next().filter(|_| !ready.is_empty()) else {
            return stream;
        };
        let noise = noise.map(|noise| match noise {
            Noise::Event => message(ENTRY, PLAIN, 0, 99, b"event"),
            Noise::Noop => message(1, PLAIN, 1, PORT, &[]),
            Noise::Stale => ack(1_000_000),
            // Told by its port; see below.
            Noise::Stranger => message(ENTRY, MULTI, 1, STRANGER, b"lie"),
        });
        stream.extend(noise.map(|bytes| (*joined, bytes)));
        let from = from.index(ready.len());
        stream.extend(ready[from].next().map(|(_, bytes)| (*joined, bytes)));
    }
}

const STRANGER: u32 = 666;

/// Feeds a stream, joined into datagrams as it says.
fn play(exchange: &mut Exchange, stream: &[(bool, Vec<u8>)], requests: usize) -> Vec<Got> {
    let mut datagrams: Vec<(u32, Vec<u8>)> = Vec::new();
    for (joined, bytes) in stream {
        let lie = bytes[12..16] == STRANGER.to_ne_bytes();
        let sender = if lie { STRANGER } else { 0 };
        match datagrams.last_mut() {
            Some((last, datagram)) if *joined && *last == sender => datagram.extend(bytes),
            _ => datagrams.push((sender, bytes.clone())),
        }
    }
    let play =
        |(sender, bytes): &(u32, Vec<u8>)| feed(exchange, &foreign(bytes, *sender), requests);
    datagrams.iter().flat_map(play).collect()
}

/// The ends by request, and how many replies each had.
fn ends(got: &[Got]) -> Result<BTreeMap<u32, (usize, Got)>, TestCaseError> {
    let (mut ends, mut replies) = (BTreeMap::new(), BTreeMap::<u32, usize>::new());
    for &got in got {
        match got {
            Got::Reply(n) => *replies.entry(n).or_default() += 1,
            Got::Acked(n)
            | Got::Interrupted(n)
            | Got::Refused(n, _)
            | Got::Silent(n)
            | Got::Unknown(n)
            | Got::Damaged(n) => {
                let replies = replies.get(&n).copied().unwrap_or(0);
                prop_assert!(ends.insert(n, (replies, got)).is_none(), "{n} ended twice");
            }
            Got::Event(..) | Got::Loss(_) => {}
        }
    }
    Ok(ends)
}

/// All requests of a run, an acked change at the end, numbered from 1.
fn number(mut requests: Vec<Planned>, last_errno: Option<i32>) -> Vec<(u32, Planned)> {
    requests.push(Planned {
        mode: Mode::Change,
        acked: true,
        entries: 0,
        errno: last_errno,
        interrupted: None,
        by_error: false,
    });
    (1..).zip(requests).collect()
}

fn expecting(requests: &[(u32, Planned)]) -> Exchange {
    let mut exchange = Exchange::new(PORT);
    for (sequence, planned) in requests {
        exchange.expect(*sequence, planned.mode, planned.acked);
    }
    exchange
}

proptest! {
    #![proptest_config(config())]

    /// Answers in any order that a kernel may choose end each request once, rightly.
    #[test]
    fn every_order_of_right_answers_gives_right_ends(
        requests in vec(planned(), 0..8),
        last_errno in prop::option::of(1..133_i32),
        choices in vec(choice(), 1..60),
    ) {
        let requests = number(requests, last_errno);
        let mut exchange = expecting(&requests);
        let at_once = requests.iter().flat_map(|(n, it)| it.at_once(*n)).collect();
        let dumps = requests.iter().map(|(n, it)| it.later(*n)).collect();
        let got = play(&mut exchange, &merge(at_once, dumps, &choices), requests.len());
        prop_assert!(exchange.is_idle());
        let ends = ends(&got)?;
        for (n, planned) in &requests {
            let right = (planned.replies(), planned.end(*n));
            prop_assert_eq!(ends.get(n), Some(&right));
        }
    }

    /// After an overrun each request ends once: rightly, or unknown if nobody can know.
    #[test]
    fn an_overrun_never_gives_a_wrong_end(
        requests in vec(planned(), 0..8),
        last_errno in prop::option::of(1..133_i32),
        choices in vec(choice(), 1..60),
        kept in any::<prop::sample::Index>(),
    ) {
        let requests = number(requests, last_errno);
        let mut exchange = expecting(&requests);
        let mut at_once: Answers = requests.iter().flat_map(|(n, it)| it.at_once(*n)).collect();
        let kept = kept.index(at_once.len());
        // The first request that lost something: of those before, all is known.
        let hit = at_once[kept].0;
        at_once.truncate(kept);
        let dumps = requests.iter().map(|(n, it)| it.later(*n)).collect();
        let stream = merge(at_once, dumps, &choices);
        exchange.overrun();
        let mut got = play(&mut exchange, &stream, requests.len());
        got.extend(drain(&mut exchange));
        let ends = ends(&got)?;
        for (n, planned) in &requests {
            let told = ends.get(n).map(|(_, got)| *got);
            let right = planned.end(*n);
            let lost = planned.mode == Mode::Dump && planned.refused_by_error() && *n >= hit;
            match told {
                // The refusal of a dump was lost; the connection's timeout ends that.
                None => prop_assert!(lost, "{n} has no end"),
                Some(Got::Unknown(_)) => {
                    let silent = planned.mode == Mode::Change && right == Got::Silent(*n);
                    prop_assert!(*n >= hit || silent, "{n} is known");
                }
                Some(told) => prop_assert_eq!(told, right),
            }
        }
    }
}
