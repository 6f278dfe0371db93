//! Requests and their answers on one socket.

use std::fmt;
use std::io;
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nl_wire::header::align;
use nl_wire::table::Protocol;
use nl_wire::text::Text;
use nl_wire::value::Family;
use nl_wire::{Errno, Flags, Message, Messages, Mode, Request};

use crate::error::{Error, Loss};
use crate::exchange::{End, Entries, Exchange, Output};
use crate::options::NetlinkOption;
use crate::ring::Ring;
use crate::socket::{Socket, Wait};
use crate::sys;
use crate::trace::{Direction, Trace, Tracer};

#[cfg(feature = "threads")]
mod ahead;
mod batch;
#[cfg(feature = "threads")]
mod parallel;
mod replies;

pub use batch::Batch;
#[cfg(feature = "threads")]
pub use parallel::parallel;
pub use replies::Replies;

/// Runs [`Request`]s on a socket of its own.
///
/// A connection joins no multicast group: events would share the queue with replies. To follow
/// events use [`Events`](crate::Events).
///
/// Extended acks, capped acks and strict checking are on where the kernel has them. Every wait is
/// bounded by [`Connection::set_timeout`]: some malformed requests get no answer at all.
pub struct Connection {
    socket: Socket,
    ring: Ring,
    exchange: Exchange,
    /// The request or requests under way, for resolving offsets in refusals.
    sent: Vec<u8>,
    sequence: u32,
    /// The datagrams received and not yet read: which is next, and from which byte on.
    received: usize,
    slot: usize,
    offset: usize,
    /// What tells the entries of the dump that alone is under way, and where in the ring those at
    /// hand are looked for: in the rest of the datagram that brought one. Meanwhile `offset` rests.
    entries: Option<(Entries, Range<usize>)>,
    /// How many datagrams to receive with the next call: one for the first part of an answer, which
    /// is there at once, then more and more.
    at_once: usize,
    /// Receives dumps ahead, where that is wanted.
    ahead: Option<Box<dyn ReadAhead + Send>>,
    timeout: Option<Duration>,
    counters: Counters,
    tracer: Option<TraceAll>,
    protocol: Option<&'static Protocol>,
    /// What the kernel said with a success since the last request began.
    warning: Option<Text>,
}

/// Shows each message of a datagram to a [`Tracer`]: made where one is set, as the walk is not linked
/// without.
type TraceAll = Box<dyn FnMut(&'static Protocol, Direction, &[u8]) + Send>;

/// What receives ahead. Known by its vtable alone: in a program that never wants it nothing of it is
/// linked.
trait ReadAhead {
    /// Has up to `most` datagrams received into each of the other rings that are free.
    fn order(&mut self, most: usize);

    /// How many datagrams were ordered, and what came of it: of the oldest order whose outcome was not
    /// taken, if there is one. Then `ring` is exchanged for that with the datagrams.
    fn take(&mut self, ring: &mut Ring) -> Option<(usize, io::Result<usize>)>;
}

/// What a connection met that concerned none of its requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Datagrams from others than the kernel, refused.
    pub foreign: u64,
    /// Replies to requests that had timed out.
    pub stale: u64,
    /// Notifications (echoes of changes).
    pub events: u64,
    /// Times that the kernel told of an overrun of the receive queue.
    pub overruns: u64,
}

/// The receive buffer asked for, in bytes: what bounds a batch, should all its requests fail.
const RECEIVE_BUFFER: usize = 1 << 20;

/// What a refusal takes from the receive buffer, in bytes, as measured on Linux 6.18: 832, and this
/// with a long text. An ack takes no more.
const ACK_COST: usize = 1280;

/// The kernel takes datagrams of up to the send buffer less this.
const SEND_MARGIN: usize = 32;

impl Connection {
    /// The timeout of a new connection.
    pub const TIMEOUT: Duration = Duration::from_secs(10);

    /// How often one call receives without waiting before it gives [`Error::WouldBlock`] though
    /// there is more: strangers could keep it busy for ever. More than any queue holds, so that all
    /// that was there at the call is read, and what comes later makes the descriptor readable anew.
    const TURNS: u64 = 4096;

    /// Opens a connection in the calling thread's network namespace.
    ///
    /// # Errors
    /// [`Error::Io`], see [`Socket::open`].
    pub fn open(family: Family) -> Result<Self, Error> {
        Self::new(Socket::open(family).map_err(Error::Io)?)
    }

    /// Makes a connection of an open socket, which should be in no group.
    ///
    /// # Errors
    /// [`Error::Io`] if its buffer sizes can't be read.
    pub fn new(socket: Socket) -> Result<Self, Error> {
        for option in [NetlinkOption::ExtAck, NetlinkOption::CapAck, NetlinkOption::GetStrictCheck]
        {
            turn_on(&socket, option);
        }
        // The kernel keeps book of twice what is asked for.
        if socket.receive_buffer().map_err(Error::Io)? < 2 * RECEIVE_BUFFER {
            socket.set_receive_buffer(RECEIVE_BUFFER).map_err(Error::Io)?;
        }
        Ok(Self {
            exchange: Exchange::new(socket.port()),
            socket,
            ring: Ring::default(),
            sent: Vec::new(),
            sequence: 0,
            received: 0,
            slot: 0,
            offset: 0,
            entries: None,
            at_once: 1,
            ahead: None,
            timeout: Some(Self::TIMEOUT),
            counters: Counters::default(),
            tracer: None,
            protocol: None,
            warning: None,
        })
    }

    /// How long to wait for the kernel: for a dump from one datagram to the next, else for the whole
    /// answer, or that to one datagram of a batch, from sending on. `None` waits for ever; zero does
    /// not wait, and gives [`Error::WouldBlock`].
    pub fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.timeout = timeout;
    }

    /// Calls `tracer` for every message sent and received from now on; `None` ends that.
    #[inline] // linked where it is wanted
    pub fn set_tracer(&mut self, tracer: Option<Tracer>) {
        self.tracer = tracer.map(|mut tracer| -> TraceAll {
            Box::new(move |protocol, direction, datagram| {
                for message in Messages::new(datagram).flatten() {
                    tracer(&Trace { direction, message, protocol });
                }
            })
        });
    }

    /// What the kernel said about the last request, or the last datagram of a batch, though it
    /// succeeded: the text of the extended ack that came with the success (ip's `Warning:`).
    ///
    /// Of the requests in one datagram only the last is acknowledged, so only its text is told.
    pub fn warning(&self) -> Option<&Text> {
        self.warning.as_ref()
    }

    /// What was met besides replies.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// The socket, for its options. Whoever receives from it steals replies.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Asks for many objects and iterates over them as they come in, in constant memory.
    ///
    /// An error is an item like others: after [`Error::Lost`] the entries that did arrive still
    /// follow. The last item is [`Loss::Interrupted`] if the table changed meanwhile. So collecting
    /// into a `Result` gives the whole table or an error. Dropping the iterator early is fine; what
    /// remains is read and thrown away before the next request.
    ///
    /// # Errors
    /// If the request can't be sent. A refusal is an item.
    pub fn dump<R: Request>(&mut self, request: R) -> Result<Replies<'_, R>, Error> {
        const { assert!(matches!(R::MODE, Mode::Dump), "dump() takes requests for many objects") }
        self.start(request)
    }

    /// Asks for one object.
    ///
    /// # Errors
    /// [`Error::Refused`] (`ENOENT`, `ESRCH`, `ENODEV` … if there is none), [`Error::NoReply`] if
    /// the reply is not what was asked for, and whatever befalls the sending.
    pub fn get<R: Request>(&mut self, request: R) -> Result<R::Item, Error> {
        const { assert!(matches!(R::MODE, Mode::Get), "get() takes requests for one object") }
        let mut replies = self.start(request)?;
        let item = replies.next().unwrap_or(Err(Error::NoReply))?;
        replies.finish()?;
        Ok(item)
    }

    /// Asks for one object that may not be there: `None` if the kernel refuses with `ENOENT`,
    /// `ESRCH` or `ENODEV`.
    ///
    /// # Errors
    /// As [`Connection::get`], for any other reason.
    pub fn find<R: Request>(&mut self, request: R) -> Result<Option<R::Item>, Error> {
        const NONE: [Errno; 3] = [Errno::ENOENT, Errno::ESRCH, Errno::ENODEV];
        match self.get(request) {
            Ok(item) => Ok(Some(item)),
            Err(Error::Refused(failure)) if NONE.contains(&failure.errno) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Carries out a change and waits for the kernel's ack.
    ///
    /// # Errors
    /// [`Error::Refused`], and whatever befalls the sending. After [`Error::OutcomeUnknown`],
    /// [`Error::TimedOut`] or [`Error::WouldBlock`] the change may have been carried out.
    pub fn run<R: Request>(&mut self, request: R) -> Result<(), Error> {
        const { assert!(matches!(R::MODE, Mode::Change), "run() takes changes") }
        self.start(request)?.finish()
    }

    /// Carries out a change for which the refusal `errno` says that there is nothing to do: `EEXIST`
    /// where something is made that may be there already, `ENOENT`, `ESRCH` or `ENODEV` where
    /// something is deleted that may be gone. Gives whether the change was carried out.
    ///
    /// # Errors
    /// As [`Connection::run`], for any other reason.
    pub fn run_unless<R: Request>(&mut self, request: R, errno: Errno) -> Result<bool, Error> {
        match self.run(request) {
            Ok(()) => Ok(true),
            Err(Error::Refused(failure)) if failure.errno == errno => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Carries out many changes, as many in one datagram as the socket's buffers allow, and iterates
    /// over their results in order.
    ///
    /// Lazy: requests are taken and sent as results are asked for, a datagram at a time, in constant
    /// memory. Each request stands for itself: one that fails stops no other. Only the last of a
    /// datagram asks for an ack; that those before it succeeded follows from the silence of the
    /// kernel, which tells every failure unasked.
    pub fn batch<I>(&mut self, requests: I) -> Batch<'_, I::IntoIter>
    where
        I: IntoIterator<Item: Request>,
    {
        Batch::new(self, requests.into_iter())
    }

    /// Sends any request and gives the iterator over its replies: the form for non-blocking use.
    ///
    /// With a timeout of zero the iterator gives [`Error::WouldBlock`] when nothing is there; wait
    /// until the descriptor is readable and go on. It ends when the exchange is over; for a change
    /// that is with no item at all, or with one error.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use nl_socket::{Connection, Error};
    /// use nl_wire::value::Family;
    /// # use nl_wire::table::{Layout, Protocol, Table};
    /// # use nl_wire::{Error as WireError, Message, Mode, Request, Writer};
    /// # nl_wire::protocol! {
    /// #     static RTNETLINK: Family::ROUTE { RTM_GETLINK = 18: Get, Layout::NONE, Table::EMPTY; }
    /// # }
    /// # struct Indexes;
    /// # impl Request for Indexes {
    /// #     type Item = usize;
    /// #     const MODE: Mode = Mode::Dump;
    /// #     fn protocol(&self) -> &'static Protocol { &RTNETLINK }
    /// #     fn message_type(&self) -> u16 { RTM_GETLINK }
    /// #     fn write(&self, writer: &mut Writer<'_>) -> Result<(), WireError> {
    /// #         writer.fixed(&[0; 16]);
    /// #         Ok(())
    /// #     }
    /// #     fn read(&self, message: &Message<'_>) -> Result<Option<usize>, WireError> {
    /// #         Ok(Some(message.bytes.len()))
    /// #     }
    /// # }
    ///
    /// let mut connection = Connection::open(Family::ROUTE)?;
    /// connection.set_timeout(Some(Duration::ZERO));
    /// let mut replies = connection.start(Indexes)?; // as in the example of this crate
    /// loop {
    ///     match replies.next() {
    ///         Some(Ok(_)) => {}
    ///         // Back to the event loop, which waits for the descriptor of `replies.as_fd()`.
    ///         Some(Err(Error::WouldBlock)) => break,
    ///         Some(Err(error)) => return Err(error),
    ///         None => break,
    ///     }
    /// }
    /// # Ok::<(), nl_socket::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Unencodable`], [`Error::WrongProtocol`], [`Error::Io`]. The last also if reading the
    /// rest of a dump whose iterator was dropped fails.
    pub fn start<R: Request>(&mut self, request: R) -> Result<Replies<'_, R>, Error> {
        // A dump may take as long as it goes on; any other answer is one thing.
        let deadline = (R::MODE != Mode::Dump).then(|| deadline(self.timeout));
        self.settle()?;
        let ack = if R::MODE == Mode::Change { Flags::ACK } else { Flags(0) };
        let acked = (request.flags() | ack).contains(Flags::ACK);
        self.push(&request, ack)?;
        let sequence = self.sequence;
        self.exchange.expect(sequence, R::MODE, acked);
        self.transmit().map_err(Error::Io)?;
        Ok(Replies::new(self, request, sequence, deadline))
    }

    /// Reads what is left of an abandoned dump: the kernel starts no second one before its end.
    ///
    /// This never waits. The kernel makes the next part of a dump while the one before is received;
    /// so an empty queue means that it has nothing more to say, and perhaps never had.
    fn settle(&mut self) -> Result<(), Error> {
        while !self.exchange.is_idle() {
            match self.pump(Some(Wait::Never), &mut |_, _| {}) {
                Ok(_) => {}
                Err(Error::WouldBlock) => self.exchange.forget_all(),
                Err(error) => return Err(error),
            }
        }
        // What was ordered behind the end of a dump must not take what is asked for now.
        loop {
            while self.slot < self.received && self.pump(Some(Wait::Never), &mut |_, _| {})? {}
            let late = self.ahead.as_mut().and_then(|ahead| ahead.take(&mut self.ring));
            let Some((_, late)) = late else { break };
            (self.received, self.slot, self.offset) = (late.unwrap_or(0), 0, 0);
        }
        self.sent.clear();
        Ok(())
    }

    /// Appends a request to those to be sent, under a new sequence number: even if this fails.
    fn push<R: Request>(&mut self, request: &R, flags: Flags) -> Result<(), Error> {
        // 0 is the sequence of events.
        self.sequence = self.sequence.checked_add(1).unwrap_or(1);
        let protocol = request.protocol();
        if protocol.family.0 != self.socket.protocol() {
            return Err(Error::WrongProtocol);
        }
        self.protocol = Some(protocol);
        request.encode_with(self.sequence, flags, &mut self.sent).map_err(Error::Unencodable)
    }

    /// Sends all requests pushed, in one datagram.
    fn transmit(&mut self) -> io::Result<()> {
        self.warning = None;
        if let (Some(tracer), Some(protocol)) = (&mut self.tracer, self.protocol) {
            tracer(protocol, Direction::Sent, &self.sent);
        }
        self.at_once = 1;
        let sent = self.socket.send(&self.sent);
        if sent.is_err() {
            self.exchange.forget_all();
        }
        sent.map(drop)
    }

    /// How many bytes one datagram may have, and how many requests, so that all may be refused.
    /// Asked for each datagram: the buffers may be changed at any time.
    fn limits(&self) -> Result<(usize, usize), Error> {
        let (send, receive) = (self.socket.send_buffer()?, self.socket.receive_buffer()?);
        Ok((send.saturating_sub(SEND_MARGIN), (receive / ACK_COST).max(1)))
    }

    /// The next entry of a dump, if it is at hand and nothing else is to be thought of.
    #[inline]
    fn entry(&mut self) -> Option<Message<'_>> {
        let (entries, place) = self.entries.as_mut()?;
        let message = entries.next(self.ring.bytes(place.clone()))?;
        // Padding behind the last message may be missing.
        place.start = place.end.min(place.start + align(message.bytes.len()));
        Some(message)
    }

    /// Takes the next output out of the datagrams at hand, receiving more if there are none, and has
    /// `handle` look at it while it is borrowed from the ring. False once no request is under way.
    /// Without a `wait`, the timeout begins with the first receive.
    ///
    /// # Errors
    /// [`Error::WouldBlock`] and [`Error::TimedOut`] if nothing comes, [`Error::Io`].
    fn pump(
        &mut self,
        mut wait: Option<Wait>,
        handle: &mut dyn FnMut(&Output<'_>, &[u8]),
    ) -> Result<bool, Error> {
        if let Some((_, place)) = self.entries.take() {
            self.offset = place.start - self.ring.place(self.slot).start;
        }
        for turn in 0_u64.. {
            while self.slot < self.received {
                let Some(datagram) = self.ring.datagram(self.slot) else { break };
                match self.exchange.next(&datagram, &mut self.offset) {
                    None => (self.slot, self.offset) = (self.slot + 1, 0),
                    Some(Output::Event(_)) => self.counters.events += 1,
                    Some(Output::Loss(Loss::Foreign { .. })) => self.counters.foreign += 1,
                    Some(Output::Loss(Loss::Stale { .. })) => self.counters.stale += 1,
                    Some(output) => {
                        if let Output::Reply { sequence, .. } = output {
                            let Range { start, end } = self.ring.place(self.slot);
                            let entries = self.exchange.entries(sequence);
                            self.entries = entries.map(|it| (it, start + self.offset..end));
                        }
                        if let Output::End { end, .. } = &output {
                            self.warning = said(end).or(self.warning.take());
                        }
                        handle(&output, &self.sent);
                        return Ok(true);
                    }
                }
            }
            if self.exchange.is_idle() {
                return Ok(false);
            }
            let wait = *wait.get_or_insert_with(|| deadline(self.timeout));
            // Strangers and events must not lengthen the wait.
            match wait {
                Wait::Until(end) if turn > 0 && end <= Instant::now() => break,
                Wait::Never if turn >= Self::TURNS => return Err(Error::WouldBlock),
                _ => {}
            }
            if self.receive(wait)? {
                if let Some(output) = self.exchange.drained() {
                    handle(&output, &self.sent);
                    return Ok(true);
                }
            }
        }
        Err(Error::TimedOut)
    }

    /// Fills the ring. True if the queue was found empty after an overrun.
    fn receive(&mut self, wait: Wait) -> Result<bool, Error> {
        (self.received, self.slot, self.offset) = (0, 0, 0);
        // After an overrun the queue is read empty without waiting: what was lost won't come.
        let overrun = self.exchange.is_overrun();
        let wait = if overrun { Wait::Never } else { wait };
        let nothing = |error: &io::Error| sys::is(error, libc::EAGAIN);
        // Nobody else receives while this does: orders that found nothing are taken first.
        let (most, received) = loop {
            match self.ahead.as_mut().and_then(|ahead| ahead.take(&mut self.ring)) {
                Some((_, Err(error))) if nothing(&error) => {}
                Some((most, received)) => break (most, received.map(Some)),
                None => {
                    let received = self.ring.receive_in_time(&self.socket, wait, self.at_once);
                    break (self.at_once, received);
                }
            }
        };
        match received {
            Ok(None) => return Err(Error::TimedOut),
            Ok(Some(received)) => {
                self.received = received;
                if received >= most {
                    self.at_once = (2 * received).clamp(self.at_once, Ring::SLOTS);
                    let dump = self.exchange.entries(self.sequence).is_some();
                    if let (Some(ahead), true) = (&mut self.ahead, dump && wait != Wait::Never) {
                        ahead.order(self.at_once);
                    }
                }
                if let (Some(tracer), Some(protocol)) = (&mut self.tracer, self.protocol) {
                    for datagram in self.ring.datagrams() {
                        tracer(protocol, Direction::Received, datagram.bytes);
                    }
                }
            }
            Err(error) if error.raw_os_error() == Some(Errno::ENOBUFS.0) => {
                self.counters.overruns += 1;
                self.exchange.overrun();
            }
            Err(error) if nothing(&error) && overrun => return Ok(true),
            Err(error) if nothing(&error) => return Err(Error::WouldBlock),
            Err(error) => return Err(Error::Io(error)),
        }
        Ok(false)
    }
}

/// Kernels older than an option do without: its absence only costs texts and kernel filters.
#[inline(never)]
fn turn_on(socket: &Socket, option: NetlinkOption) {
    let _ = socket.set_option(option, true);
}

/// Until when to wait, from now on.
fn deadline(timeout: Option<Duration>) -> Wait {
    match timeout {
        None => Wait::Forever,
        Some(Duration::ZERO) => Wait::Never,
        Some(timeout) => Wait::at_most(timeout),
    }
}

/// What was said with a success.
fn said(end: &End<'_>) -> Option<Text> {
    match end {
        End::Ack { ack, .. } if ack.errno.0 == 0 => ack.extended.message.map(Text::from),
        _ => None,
    }
}

/// The result of a request that ended.
fn outcome(end: &End<'_>, protocol: &Protocol, request: &[u8]) -> Result<(), Error> {
    match end {
        End::Ack { ack, interrupted } => match ack.failure(protocol, request) {
            Some(failure) => Err(failure.into()),
            None if *interrupted => Err(Loss::Interrupted.into()),
            None => Ok(()),
        },
        End::Silent => Ok(()),
        End::Unknown => Err(Error::OutcomeUnknown),
        End::Damaged(error) => Err(Loss::Damaged(*error).into()),
    }
}

impl AsFd for Connection {
    /// The socket's descriptor: readable when there is an answer.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("socket", &self.socket)
            .field("exchange", &self.exchange)
            .field("timeout", &self.timeout)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}
