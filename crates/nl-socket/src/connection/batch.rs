//! Many changes in few datagrams.

use std::collections::VecDeque;
use std::io;

use nl_wire::{Flags, Mode, Request};

use super::{Connection, deadline, outcome, said};
use crate::error::Error;
use crate::exchange::Output;

/// Iterates over the results of many changes, in their order; see [`Connection::batch`].
///
/// An item is the result of one request; the iterator ends with the requests. A request that can't
/// be encoded gives its error and is not sent. [`Error::WouldBlock`] alone belongs to no request: ask
/// again when the descriptor is readable.
#[derive(Debug)]
#[must_use = "requests are sent as results are asked for"]
pub struct Batch<'c, I: Iterator> {
    connection: &'c mut Connection,
    requests: I,
    /// A request taken that did not fit the datagram before.
    carried: Option<I::Item>,
    /// The requests of one datagram.
    slots: VecDeque<Slot>,
    /// How many of them have no result yet.
    open: usize,
    /// Whether to end at the first failure, before anything behind it is sent.
    stop: bool,
    /// Whether there was one.
    failed: bool,
}

#[derive(Debug)]
struct Slot {
    sequence: u32,
    /// Where the request begins in what was sent.
    start: usize,
    result: Option<Result<(), Error>>,
}

impl<'c, I: Iterator<Item: Request>> Batch<'c, I> {
    pub(super) fn new(connection: &'c mut Connection, requests: I) -> Self {
        const {
            assert!(matches!(<I::Item as Request>::MODE, Mode::Change), "batch() takes changes");
        }
        let slots = VecDeque::new();
        Self { connection, requests, carried: None, slots, open: 0, stop: false, failed: false }
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
        let (send_limit, ack_limit) = match connection.settle().and_then(|()| connection.limits()) {
            Ok((bytes, _)) if self.stop => (bytes, 1),
            Ok(limits) => limits,
            Err(error) => {
                if self.carried.take().or_else(|| self.requests.next()).is_some() {
                    let result = Some(Err(error));
                    self.slots.push_back(Slot { sequence: 0, start: 0, result });
                }
                return;
            }
        };
        let mut last = None;
        while self.slots.len() < ack_limit {
            let Some(request) = self.carried.take().or_else(|| self.requests.next()) else { break };
            let start = connection.sent.len();
            match connection.push(&request, Flags(0)) {
                Ok(_) if start > 0 && connection.sent.len() > send_limit => {
                    connection.sent.truncate(start);
                    self.carried = Some(request);
                    break;
                }
                Ok(sequence) => {
                    self.slots.push_back(Slot { sequence, start, result: None });
                    self.open += 1;
                    last = Some(start);
                }
                Err(error) => {
                    self.slots.push_back(Slot { sequence: 0, start, result: Some(Err(error)) });
                }
            }
        }
        let Some(last) = last else { return };
        set_ack(connection.sent.get_mut(last..).unwrap_or_default());
        for slot in self.slots.iter().filter(|slot| slot.result.is_none()) {
            connection.exchange.expect(slot.sequence, Mode::Change, slot.start == last);
        }
        if let Err(error) = connection.transmit() {
            for slot in self.slots.iter_mut().filter(|slot| slot.result.is_none()) {
                slot.result = Some(Err(Error::Io(again(&error))));
            }
            self.open = 0;
        }
    }

    /// Waits until each request sent has a result: once a datagram.
    fn collect(&mut self) -> Result<(), Error> {
        let deadline = Some(deadline(self.connection.timeout));
        // Requests end in their order: those before have a result.
        let mut first = 0;
        while self.open > 0 {
            while self.slots.get(first).is_some_and(|slot| slot.result.is_some()) {
                first += 1;
            }
            let slots = &mut self.slots;
            let protocol = self.connection.protocol;
            let mut warning = None;
            let ended = self.connection.pump(deadline, |output, sent| {
                let Output::End { sequence, end } = output else { return false };
                warning = said(&end);
                let slot = slots.range_mut(first..).find(|slot| slot.sequence == sequence);
                let (Some(slot), Some(protocol)) = (slot, protocol) else { return false };
                let request = sent.get(slot.start..).unwrap_or_default();
                slot.result = Some(outcome(&end, protocol, request));
                true
            })?;
            self.connection.warning = warning.or(self.connection.warning.take());
            match ended {
                Some(true) => self.open -= 1,
                Some(false) => {}
                None => return Err(Error::NoReply),
            }
        }
        Ok(())
    }

    /// What no answer came for is unknown.
    fn give_up(&mut self, error: Error) {
        let mut error = Some(error);
        for slot in self.slots.iter_mut().filter(|slot| slot.result.is_none()) {
            slot.result = Some(Err(error.take().unwrap_or(Error::OutcomeUnknown)));
        }
        self.open = 0;
        self.connection.exchange.forget_all();
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
        if self.slots.is_empty() {
            self.send();
        }
        if self.open > 0 {
            match self.collect() {
                Ok(()) => {}
                Err(Error::WouldBlock) => return Some(Err(Error::WouldBlock)),
                Err(error) => self.give_up(error),
            }
        }
        let result = self.slots.pop_front()?.result;
        self.failed = self.stop && matches!(result, Some(Err(_)));
        result
    }
}

impl<I: Iterator> Drop for Batch<'_, I> {
    fn drop(&mut self) {
        if self.open > 0 {
            self.connection.exchange.forget_all();
        }
    }
}
