//! The replies of one request.

use std::os::fd::{AsFd, BorrowedFd};

use nl_wire::Request;

use super::{Connection, outcome};
use crate::error::{Error, Loss};
use crate::exchange::Output;
use crate::socket::Wait;

/// Iterates over the replies of one request; see [`Connection::dump`] and [`Connection::start`].
#[derive(Debug)]
#[must_use = "the answer is read by iterating"]
pub struct Replies<'c, R: Request> {
    connection: &'c mut Connection,
    request: R,
    sequence: u32,
    /// Until when the whole answer must be there; `None` if each datagram has a timeout.
    deadline: Option<Wait>,
    over: bool,
}

impl<'c, R: Request> Replies<'c, R> {
    pub(super) fn new(
        connection: &'c mut Connection,
        request: R,
        sequence: u32,
        deadline: Option<Wait>,
    ) -> Self {
        Self { connection, request, sequence, deadline, over: false }
    }

    /// Waits for the end of the exchange, passing over replies still to come: neither they nor
    /// their loss change how it ends.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        while let Some(item) = self.next() {
            match item {
                Err(Error::Lost(_)) if !self.over => {}
                other => other.map(drop)?,
            }
        }
        Ok(())
    }

    /// The next item beyond entries at hand.
    #[inline(never)]
    fn rest(&mut self) -> Option<Result<R::Item, Error>> {
        if self.over { None } else { self.step().transpose() }
    }

    fn step(&mut self) -> Result<Option<R::Item>, Error> {
        loop {
            let (request, sequence) = (&self.request, self.sequence);
            // An item or an error, and whether the exchange is over with it.
            let (mut result, mut over) = (Ok(None), false);
            let pumped = self.connection.pump(self.deadline, &mut |output, sent| match output {
                Output::Reply { message, .. } => {
                    result = request.read(message).map_err(undecodable);
                }
                Output::End { sequence: ended, end, .. } if *ended == sequence => {
                    over = true;
                    if let Err(error) = outcome(end, request.protocol(), sent) {
                        result = Err(error);
                    }
                }
                Output::Loss(loss) => result = Err((*loss).into()),
                Output::End { .. } | Output::Event(_) => {}
            });
            match pumped {
                Ok(true) if over || !matches!(result, Ok(None)) => {
                    self.over = over;
                    return result;
                }
                Ok(true) => {}
                Ok(false) => {
                    self.over = true;
                    return Err(Error::NoReply);
                }
                Err(Error::WouldBlock) => return Err(Error::WouldBlock),
                Err(error) => {
                    self.give_up();
                    return Err(error);
                }
            }
        }
    }

    fn give_up(&mut self) {
        self.over = true;
        self.connection.exchange.abandon(self.sequence);
    }
}

#[cold]
fn undecodable(error: nl_wire::Error) -> Error {
    Loss::Undecodable(error).into()
}

impl<R: Request> Iterator for Replies<'_, R> {
    type Item = Result<R::Item, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.connection.entry() {
                // Of a large table nearly all turns end here, with an item made where it is returned.
                Some(message) if self.request.is_plain(&message) => {
                    return self.request.read_as(&message, item);
                }
                Some(message) => {
                    let item = item(self.request.read(&message));
                    if item.is_some() {
                        return item;
                    }
                }
                None => return self.rest(),
            }
        }
    }
}

/// What a reply gives.
#[inline]
fn item<T>(read: Result<Option<T>, nl_wire::Error>) -> Option<Result<T, Error>> {
    match read {
        Ok(Some(item)) => Some(Ok(item)),
        Ok(None) => None,
        Err(error) => Some(Err(undecodable(error))),
    }
}

impl<R: Request> Drop for Replies<'_, R> {
    fn drop(&mut self) {
        if !self.over {
            self.give_up();
        }
    }
}

impl<R: Request> AsFd for Replies<'_, R> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}
