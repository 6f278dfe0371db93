//! Many changes in few datagrams.

use std::collections::VecDeque;
use std::io;

use nl_wire::{Errno, Flags, Messages, Mode, Request};

use super::{Connection, deadline, outcome};
use crate::error::Error;
use crate::exchange::{End, Output};

/// Iterates over the results of many changes, in their order; see [`Connection::batch`].
///
/// An item is the result of one request; the iterator ends with the requests. A request that can't
/// be encoded gives its error and is not sent. [`Error::WouldBlock`] alone belongs to no request: ask
/// again when the descriptor is readable.
#[derive(Debug)]
#[must_use = "requests are sent as results are asked for"]
pub struct Batch<'c, I> {
    connection: &'c mut Connection,
    requests: I,
    /// A request taken and encoded that did not fit the datagram before.
    carried: Vec<u8>,
    /// Of the requests of one datagram: the number of the next whose result is given, and how many
    /// are left. They are numbered through, those that could not be encoded with the others.
    next: u32,
    left: usize,
    /// Those of them that failed, in order. Success is not noted.
    failures: Failures,
    /// Whether the answers to the datagram are still to come.
    open: bool,
    /// The last request whose end is known meanwhile.
    ended: u32,
    /// Whether to end at the first failure, before anything behind it is sent.
    stop: bool,
    /// Whether there was one.
    failed: bool,
}

type Failures = VecDeque<(u32, Error)>;

impl<'c, I: Iterator<Item: Request>> Batch<'c, I> {
    pub(super) fn new(connection: &'c mut Connection, requests: I) -> Self {
        const {
            assert!(matches!(<I::Item as Request>::MODE, Mode::Change), "batch() takes changes");
        }
        Self {
            connection,
            requests,
            carried: Vec::new(),
            next: 0,
            left: 0,
            failures: Failures::new(),
            open: false,
            ended: 0,
            stop: false,
            failed: false,
        }
    }

    /// Ends at the first failure: the request that failed gives the last item, and none behind it is
    /// sent or even taken.
    ///
    /// The kernel carries out all that it finds in a datagram, so each request goes in one of its
    /// own: this costs about twice the time.
    pub fn stop_at_failure(mut self) -> Self {
        self.stop = true;
        self
    }

    /// Encodes and sends the next datagram's worth of requests. What keeps them all from being sent
    /// is the result of each.
    fn send(&mut self) {
        let connection = &mut *self.connection;
        self.failures.clear();
        let (send_limit, ack_limit) = match connection.settle().and_then(|()| connection.limits()) {
            Ok((bytes, _)) if self.stop => (bytes, 1),
            Ok(limits) => limits,
            Err(error) => {
                if !self.carried.is_empty() || self.requests.next().is_some() {
                    self.carried.clear();
                    self.failures.push_back((self.next, error));
                    self.left = 1;
                }
                return;
            }
        };
        connection.sent.append(&mut self.carried);
        let mut count = usize::from(!connection.sent.is_empty());
        let mut first = connection.sequence;
        // The last request that is sent, and where it begins.
        let mut last = (count > 0).then_some((first, 0));
        // Within a datagram numbers ascend.
        while count < ack_limit && (count == 0 || connection.sequence != u32::MAX) {
            let Some(request) = self.requests.next() else { break };
            let start = connection.sent.len();
            let pushed = connection.push(&request, Flags(0));
            if pushed.is_ok() && start > 0 && connection.sent.len() > send_limit {
                self.carried = connection.sent.split_off(start);
                break;
            }
            let sequence = connection.sequence;
            if count == 0 {
                first = sequence;
            }
            count += 1;
            match pushed {
                Ok(()) => {
                    if let Some((before, _)) = last.replace((sequence, start)) {
                        connection.exchange.expect(before, Mode::Change, false);
                    }
                }
                Err(error) => self.failures.push_back((sequence, error)),
            }
        }
        (self.next, self.left, self.ended) = (first, count, 0);
        let Some((last, start)) = last else { return };
        connection.exchange.expect(last, Mode::Change, true);
        set_ack(connection.sent.get_mut(start..).unwrap_or_default());
        match connection.transmit() {
            Ok(()) => self.open = true,
            Err(error) => self.fail(|| Error::Io(again(&error))),
        }
    }

    /// Waits until all requests sent have ended.
    fn collect(&mut self) -> Result<(), Error> {
        let deadline = Some(deadline(self.connection.timeout));
        let (failures, known) = (&mut self.failures, &mut self.ended);
        // Requests fail in their order: those of one datagram are looked for but once.
        let mut place = 0;
        loop {
            let protocol = self.connection.protocol;
            let more = self.connection.pump(deadline, &mut |output, sent| {
                let Output::End { first, sequence, end } = output else { return };
                *known = *sequence;
                let (failed, Some(protocol)) = (failed(end), protocol) else { return };
                for sequence in (*first..=*sequence).filter(|_| failed) {
                    let request = find(sent, &mut place, sequence);
                    if let Err(error) = outcome(end, protocol, request) {
                        note(failures, sequence, error);
                    }
                }
            })?;
            if !more {
                self.open = false;
                return Ok(());
            }
        }
    }

    /// Notes that the requests sent of which no end is known have failed.
    fn fail(&mut self, mut error: impl FnMut() -> Error) {
        for message in Messages::new(&self.connection.sent).flatten() {
            if message.header.sequence > self.ended {
                note(&mut self.failures, message.header.sequence, error());
            }
        }
    }

    /// What no answer came for is unknown.
    fn give_up(&mut self, error: Error) {
        let mut error = Some(error);
        self.fail(|| error.take().unwrap_or(Error::OutcomeUnknown));
        self.open = false;
        self.connection.exchange.forget_all();
    }
}

/// The request `sequence` in what was sent, from `place` on, which is moved there.
fn find<'a>(sent: &'a [u8], place: &mut usize, sequence: u32) -> &'a [u8] {
    let mut messages = Messages::new(sent.get(*place..).unwrap_or_default());
    while let Some(Ok(message)) = messages.next() {
        if message.header.sequence == sequence {
            return message.bytes;
        }
        *place = sent.len() - messages.rest().len();
    }
    &[]
}

/// Notes a failure; behind it there may be requests that could not be encoded.
fn note(failures: &mut Failures, sequence: u32, error: Error) {
    let place = failures.partition_point(|(before, _)| *before < sequence);
    failures.insert(place, (sequence, error));
}

/// Whether a request that ended so did not succeed.
fn failed(end: &End<'_>) -> bool {
    match end {
        End::Ack { ack, .. } => ack.errno != Errno(0),
        End::Silent => false,
        End::Unknown | End::Damaged(_) => true,
    }
}

/// The same error once more.
fn again(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => error.kind().into(),
    }
}

/// Sets `NLM_F_ACK` in an encoded message.
fn set_ack(message: &mut [u8]) {
    if let Some(flags) = message.get_mut(6..8) {
        let value = u16::from_ne_bytes([flags[0], flags[1]]) | Flags::ACK.0;
        flags.copy_from_slice(&value.to_ne_bytes());
    }
}

impl<I: Iterator<Item: Request>> Iterator for Batch<'_, I> {
    type Item = Result<(), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        if self.left == 0 {
            self.send();
        }
        if self.open {
            match self.collect() {
                Ok(()) => {}
                Err(Error::WouldBlock) => return Some(Err(Error::WouldBlock)),
                Err(error) => self.give_up(error),
            }
        }
        self.left = self.left.checked_sub(1)?;
        let number = self.next;
        self.next = number.wrapping_add(1);
        if self.failures.front().is_none_or(|(failed, _)| *failed != number) {
            return Some(Ok(()));
        }
        self.failed = self.stop;
        self.failures.pop_front().map(|(_, error)| Err(error))
    }
}

impl<I> Drop for Batch<'_, I> {
    fn drop(&mut self) {
        if self.open {
            self.connection.exchange.forget_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use nl_testkit::live;
    use nl_wire::table::{Layout, Protocol, Table};
    use nl_wire::value::Family;
    use nl_wire::{Error as WireError, Message, Writer};

    use super::*;

    nl_wire::protocol! {
        static RTNETLINK: Family::ROUTE { RTM_DELROUTE = 25: Delete, Layout::NONE, Table::EMPTY; }
    }

    /// The end of a route that was never there.
    struct DeleteRoute;

    impl Request for DeleteRoute {
        type Item = ();
        const MODE: Mode = Mode::Change;

        fn protocol(&self) -> &'static Protocol {
            &RTNETLINK
        }

        fn message_type(&self) -> u16 {
            RTM_DELROUTE
        }

        fn write(&self, writer: &mut Writer<'_>) -> Result<(), WireError> {
            writer.fixed(&[2, 0, 0, 0, 254, 0, 0, 0, 0, 0, 0, 0]);
            Ok(())
        }

        fn read(&self, _: &Message<'_>) -> Result<Option<()>, WireError> {
            Ok(None)
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "no kernel")]
    fn numbers_begin_again_at_1() {
        live(|| {
            for before in 0..8 {
                let mut connection = Connection::open(Family::ROUTE).unwrap();
                connection.sequence = u32::MAX - before;
                let results: Vec<_> = connection.batch((0..6).map(|_| DeleteRoute)).collect();
                assert_eq!(results.len(), 6);
                for result in results {
                    assert_eq!(result.unwrap_err().errno(), Some(Errno::ESRCH));
                }
                // There is no number 0.
                let after = connection.sequence;
                assert_eq!(after, if before < 6 { 6 - before } else { u32::MAX - before + 6 });
                assert_eq!(connection.counters().stale, 0);
            }
        });
    }
}
