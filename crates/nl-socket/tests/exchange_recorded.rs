//! Every recorded exchange with a kernel, replayed through the engine.
#![cfg(target_endian = "little")]

mod exchange_common;

use nl_socket::Loss;
use nl_socket::exchange::Exchange;
use nl_testkit::parse_hex;
use nl_wire::header::{NLMSG_DONE, NLMSG_ERROR};
use nl_wire::{Flags, Message, Messages, Mode};

use exchange_common::*;

const RECORDED: &str = include_str!("fixtures/exchanges.txt");

#[derive(Default)]
struct Recorded {
    name: &'static str,
    /// The sequence number that was answered, if it is not the request's.
    answered: Option<u32>,
    outcome: &'static str,
    requests: Vec<u8>,
    datagrams: Vec<Vec<u8>>,
}

fn recorded() -> Vec<Recorded> {
    let mut found = Vec::<Recorded>::new();
    for line in RECORDED.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let hex = |text| parse_hex(text).unwrap();
        let last = found.last_mut();
        match (line.split_at(1), last) {
            ((">", text), Some(last)) => last.requests = hex(text),
            (("<", text), Some(last)) => last.datagrams.push(hex(text)),
            _ => {
                let (head, outcome) = line.split_once(" = ").unwrap();
                let (name, answered) = match head.split_once(" as ") {
                    Some((name, number)) => (name, Some(number.parse().unwrap())),
                    None => (head, None),
                };
                found.push(Recorded { name, answered, outcome, ..Recorded::default() });
            }
        }
    }
    found
}

/// The mode that a request of this type and these flags is run in.
fn mode(request: &Message<'_>) -> Mode {
    let kind = request.header.message_type;
    // Message types of rtnetlink come in fours, the third being the question. Those of nfnetlink
    // are questions by their number in the subsystem: flows, expectations, timeouts.
    let asks = match kind.to_be_bytes() {
        [0, _] => kind % 4 == 2,
        [1, number] => [1, 3, 4, 5, 6, 7].contains(&number),
        [2, number] => [1, 3].contains(&number),
        [8, number] => [1, 4].contains(&number),
        _ => false,
    };
    match asks {
        true if request.header.flags.contains(Flags::DUMP) => Mode::Dump,
        true => Mode::Get,
        false => Mode::Change,
    }
}

/// Messages that follow each other, all in one.
fn messages(datagrams: &[Vec<u8>]) -> impl Iterator<Item = Message<'_>> {
    datagrams.iter().flat_map(|bytes| Messages::new(bytes).map(Result::unwrap))
}

/// The engine behind the requests, and their sequence numbers.
fn ask(recorded: &Recorded) -> (Exchange, Vec<u32>) {
    let requests: Vec<Message<'_>> = Messages::new(&recorded.requests).flatten().collect();
    let sequences: Vec<u32> =
        requests.iter().map(|it| recorded.answered.unwrap_or(it.header.sequence)).collect();
    let answer = |it: &Message<'_>| sequences.contains(&it.header.sequence);
    let port = messages(&recorded.datagrams).find(answer).map_or(1, |it| it.header.port);
    let mut exchange = Exchange::new(port);
    for (request, &sequence) in requests.iter().zip(&sequences) {
        exchange.expect(sequence, mode(request), request.header.flags.contains(Flags::ACK));
    }
    (exchange, sequences)
}

/// The outputs in the words of the fixture.
fn words(got: &[Got], sequences: &[u32]) -> String {
    // Requests of one number are told apart by their order: each refused one is another.
    let mut ended = Vec::new();
    let mut place = |sequence: u32, ends: bool| {
        let same = (0..sequences.len()).filter(|&index| sequences[index] == sequence);
        let index = same.into_iter().find(|index| !ended.contains(index)).unwrap();
        if ends {
            ended.push(index);
        }
        if sequences.len() > 1 { format!("{}:", index + 1) } else { String::new() }
    };
    let mut all: Vec<String> = got
        .iter()
        .map(|got| match *got {
            Got::Reply(n) => place(n, false) + "reply",
            Got::Acked(n) => place(n, true) + "acked",
            Got::Interrupted(n) => place(n, true) + "interrupted",
            Got::Refused(n, errno) => format!("{}refused {}", place(n, true), errno.0),
            Got::Silent(n) => place(n, true) + "silent",
            Got::Event(..) => "event".into(),
            other => panic!("{other:?}"),
        })
        .collect();
    for index in (0..sequences.len()).filter(|index| !ended.contains(index)) {
        let place = if sequences.len() > 1 { format!("{}:", index + 1) } else { String::new() };
        all.push(place + "open");
    }
    let runs = all.chunk_by(|a, b| a == b).map(|run| match run.len() {
        1 => run[0].clone(),
        times => format!("{} x{times}", run[0]),
    });
    let text = runs.collect::<Vec<_>>().join(", ");
    if text.is_empty() { "nothing".into() } else { text }
}

#[test]
fn every_recorded_exchange_ends_as_the_kernel_meant() {
    let all = recorded();
    assert_eq!(all.len(), 296);
    for recorded in &all {
        let (mut exchange, sequences) = ask(recorded);
        let got: Vec<Got> = recorded
            .datagrams
            .iter()
            .flat_map(|bytes| feed(&mut exchange, &whole(bytes), sequences.len()))
            .collect();
        assert_eq!(words(&got, &sequences), recorded.outcome, "{}", recorded.name);
        assert_eq!(exchange.is_idle(), !recorded.outcome.contains("open"), "{}", recorded.name);
    }
}

#[test]
fn it_does_not_matter_how_messages_are_spread_over_datagrams() {
    for recorded in recorded() {
        let (mut exchange, sequences) = ask(&recorded);
        let one = messages(&recorded.datagrams).flat_map(|it| padded(&it)).collect::<Vec<u8>>();
        let got = feed(&mut exchange, &whole(&one), sequences.len());
        assert_eq!(words(&got, &sequences), recorded.outcome, "{}", recorded.name);

        let (mut exchange, sequences) = ask(&recorded);
        let got: Vec<Got> = messages(&recorded.datagrams)
            .flat_map(|it| feed(&mut exchange, &whole(it.bytes), sequences.len()))
            .collect();
        assert_eq!(words(&got, &sequences), recorded.outcome, "{}", recorded.name);
    }
}

fn padded(message: &Message<'_>) -> Vec<u8> {
    let mut bytes = message.bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

#[test]
fn a_stranger_with_the_kernel_s_own_words_changes_nothing() {
    for recorded in recorded() {
        let (mut exchange, sequences) = ask(&recorded);
        let mut got = Vec::new();
        for bytes in &recorded.datagrams {
            // The answer is known to the stranger before the kernel gives it.
            let loss = feed(&mut exchange, &foreign(bytes, 1234), 0);
            assert_eq!(loss, [Got::Loss(Loss::Foreign { port: 1234 })]);
            got.extend(feed(&mut exchange, &whole(bytes), sequences.len()));
        }
        assert_eq!(words(&got, &sequences), recorded.outcome, "{}", recorded.name);
    }
}

#[test]
fn recorded_acks_decode_at_every_truncation() {
    for recorded in recorded() {
        let (exchange, _) = ask(&recorded);
        for bytes in &recorded.datagrams {
            let kind = Message::decode(bytes).unwrap().header.message_type;
            if ![NLMSG_ERROR, NLMSG_DONE].contains(&kind) {
                continue;
            }
            for kept in 0..bytes.len() {
                let got = feed(&mut exchange.clone(), &cut(bytes, kept), 1);
                let loss = Loss::Truncated { length: bytes.len(), kept };
                assert_eq!(got.last(), Some(&Got::Loss(loss)), "{}", recorded.name);
            }
        }
    }
}
