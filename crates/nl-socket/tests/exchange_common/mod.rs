//! Messages by hand and outputs in short, for tests of the engine.
#![allow(dead_code, reason = "each test file uses its part")]

use nl_socket::exchange::{End, Exchange, Output};
use nl_socket::{Datagram, Loss};
use nl_wire::header::{NLMSG_DONE, NLMSG_ERROR};
use nl_wire::{Errno, Flags, Header};

/// The port of our socket.
pub(crate) const PORT: u32 = 4711;

/// Any message type that is no control message.
pub(crate) const ENTRY: u16 = 24;

pub(crate) const MULTI: Flags = Flags::MULTI;
pub(crate) const PLAIN: Flags = Flags(0);

/// One output, without what borrows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Got {
    /// A reply to the request of this number.
    Reply(u32),
    /// Ended by an ack or a clean `NLMSG_DONE`.
    Acked(u32),
    /// The same, after an interrupted dump.
    Interrupted(u32),
    /// Ended by a refusal.
    Refused(u32, Errno),
    Silent(u32),
    Unknown(u32),
    Damaged(u32),
    /// An event of this port and sequence.
    Event(u32, u32),
    Loss(Loss),
}

impl From<Output<'_>> for Got {
    fn from(output: Output<'_>) -> Self {
        match output {
            Output::Reply { sequence, message } => {
                assert_eq!(message.header.sequence, sequence);
                Self::Reply(sequence)
            }
            Output::Event(message) => Self::Event(message.header.port, message.header.sequence),
            Output::Loss(loss) => Self::Loss(loss),
            Output::End { sequence, end, .. } => match end {
                End::Ack { ack, interrupted } if ack.errno == Errno(0) => {
                    if interrupted {
                        Self::Interrupted(sequence)
                    } else {
                        Self::Acked(sequence)
                    }
                }
                End::Ack { ack, .. } => Self::Refused(sequence, ack.errno),
                End::Silent => Self::Silent(sequence),
                End::Unknown => Self::Unknown(sequence),
                End::Damaged(_) => Self::Damaged(sequence),
            },
        }
    }
}

/// An output, or one for each of the requests that it ends.
pub(crate) fn each(output: &Output<'_>) -> Vec<Got> {
    let Output::End { first, sequence: last, end } = *output else { return vec![(*output).into()] };
    assert!(first == last || (first < last && matches!(end, End::Silent | End::Unknown)));
    let one = |sequence| Output::End { first: sequence, sequence, end }.into();
    (first..=last).map(one).collect()
}

/// A message; its padding included.
pub(crate) fn message(kind: u16, flags: Flags, sequence: u32, port: u32, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).unwrap();
    let mut bytes = Header { length, message_type: kind, flags, sequence, port }.encode().to_vec();
    bytes.extend(body);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// A reply to `sequence`.
pub(crate) fn entry(flags: Flags, sequence: u32) -> Vec<u8> {
    message(ENTRY, flags, sequence, PORT, b"entry")
}

/// `NLMSG_ERROR` about `sequence`, 0 being an ack.
pub(crate) fn error(sequence: u32, errno: i32) -> Vec<u8> {
    let request = Header { length: 16, message_type: ENTRY, sequence, ..Header::default() };
    let body = [&(-errno).to_ne_bytes()[..], &request.encode()].concat();
    message(NLMSG_ERROR, Flags::CAPPED, sequence, PORT, &body)
}

pub(crate) fn ack(sequence: u32) -> Vec<u8> {
    error(sequence, 0)
}

/// `NLMSG_DONE` of the dump `sequence`.
pub(crate) fn done(flags: Flags, sequence: u32, errno: i32) -> Vec<u8> {
    message(NLMSG_DONE, MULTI | flags, sequence, PORT, &(-errno).to_ne_bytes())
}

/// A whole datagram from the kernel.
pub(crate) fn whole(bytes: &[u8]) -> Datagram<'_> {
    Datagram { bytes, length: bytes.len(), ..Datagram::default() }
}

/// A datagram from the kernel, cut to its first `kept` bytes.
pub(crate) fn cut(bytes: &[u8], kept: usize) -> Datagram<'_> {
    Datagram { bytes: &bytes[..kept], truncated: true, ..whole(bytes) }
}

/// A datagram from the socket of another process.
pub(crate) fn foreign(bytes: &[u8], sender_port: u32) -> Datagram<'_> {
    Datagram { sender_port, ..whole(bytes) }
}

/// Feeds one datagram and gives all that comes out. Each message gives one output at most, and ends
/// besides it the requests before it; more would be a loop.
pub(crate) fn feed(exchange: &mut Exchange, datagram: &Datagram<'_>, requests: usize) -> Vec<Got> {
    let limit = datagram.bytes.len() / 16 + requests + 2;
    let (mut offset, mut got) = (0, Vec::new());
    while let Some(output) = exchange.next(datagram, &mut offset) {
        got.extend(each(&output));
        assert!(got.len() <= limit, "no end of outputs: {got:?}");
    }
    assert_eq!(exchange.next(datagram, &mut offset), None, "the end stays the end");
    got
}

/// Everything that [`Exchange::drained`] gives.
pub(crate) fn drain(exchange: &mut Exchange) -> Vec<Got> {
    let outputs = std::iter::from_fn(|| exchange.drained());
    let got: Vec<Got> = outputs.take(10_000).flat_map(|output| each(&output)).collect();
    assert!(!exchange.is_overrun());
    got
}
