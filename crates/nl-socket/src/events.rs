//! Following what the kernel announces.

use std::fmt;
use std::io;
use std::ops::AddAssign;
use std::os::fd::{AsFd, BorrowedFd};

use nl_wire::table::Protocol;
use nl_wire::value::Family;
use nl_wire::{Errno, Message, Messages};

use crate::error::Loss;
use crate::ring::Ring;
use crate::socket::{Socket, Wait};
use crate::trace::{Direction, Trace, Tracer};

/// One item of an event stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event<'a> {
    /// An announcement of the kernel.
    Message {
        /// The message; its protocol's codec reads it.
        message: Message<'a>,
        /// The network namespace it comes from, as ours numbers it; `None` is our own. Set with
        /// [`NetlinkOption::ListenAllNsid`](crate::NetlinkOption::ListenAllNsid) only.
        nsid: Option<i32>,
    },
    /// Announcements were lost here: those before this item precede the loss, those after follow it.
    Loss(Loss),
}

/// What a stream brought so far, up to the item given last; what was lost is not in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Received {
    /// Datagrams of the kernel's.
    pub datagrams: u64,
    /// Messages in these; an event is one.
    pub messages: u64,
    /// Bytes of these datagrams, as the kernel sent them: those that a buffer cut off included.
    pub bytes: u64,
}

impl AddAssign for Received {
    fn add_assign(&mut self, other: Self) {
        self.datagrams += other.datagrams;
        self.messages += other.messages;
        self.bytes += other.bytes;
    }
}

/// The stream of events of a socket that joined multicast groups.
///
/// Lossy by nature: when the receive queue is full the kernel drops. Every loss is an item at its
/// place in the stream. After an overrun the kernel accepts nothing until the queue was read empty;
/// so [`Loss::Overrun`] is told then, behind all that was still queued, with the number that the
/// socket's drop counter gives, and from there on the stream is whole again.
///
/// ```
/// use nl_socket::{Event, Events, Wait};
/// use nl_wire::value::Family;
///
/// let mut events = Events::open(Family::ROUTE, &[1_u32])?; // RTNLGRP_LINK
/// while let Some(event) = events.next(Wait::Never)? {
///     match event {
///         Event::Message { message, .. } => println!("type {}", message.header.message_type),
///         Event::Loss(loss) => println!("{loss}: time to list again"),
///     }
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Events {
    socket: Socket,
    ring: Ring,
    received: usize,
    slot: usize,
    offset: usize,
    /// The drop counter up to which losses were told.
    dropped: u32,
    /// The drop counter when the queue was last found empty.
    seen: u32,
    /// The kernel told of an overrun that is not told on yet.
    overrun: bool,
    total: Received,
    tracer: Option<(Tracer, &'static Protocol)>,
}

impl Events {
    /// Opens a socket in the calling thread's network namespace and joins `groups`: those that a codec
    /// names, or their numbers.
    ///
    /// # Errors
    /// As [`Socket::open`] and [`Socket::join`]: `EPERM` for groups that ask for a privilege.
    pub fn open<G: Into<u32> + Copy>(family: Family, groups: &[G]) -> io::Result<Self> {
        Self::new(Socket::open(family)?, groups)
    }

    /// Follows events on an open socket, for which options, buffers and filter are set already.
    ///
    /// # Errors
    /// As [`Socket::join`].
    pub fn new<G: Into<u32> + Copy>(socket: Socket, groups: &[G]) -> io::Result<Self> {
        Self::with_ring(socket, groups, Ring::default())
    }

    /// As [`Events::new`], with a ring of another size: for programs with very many sockets. Events
    /// longer than its slots are [`Loss::Truncated`].
    ///
    /// # Errors
    /// As [`Socket::join`].
    pub fn with_ring<G: Into<u32> + Copy>(
        socket: Socket,
        groups: &[G],
        ring: Ring,
    ) -> io::Result<Self> {
        let dropped = socket.drops()?;
        groups.iter().try_for_each(|group| socket.join((*group).into()))?;
        Ok(Self {
            socket,
            ring,
            received: 0,
            slot: 0,
            offset: 0,
            dropped,
            seen: dropped,
            overrun: false,
            total: Received::default(),
            tracer: None,
        })
    }

    /// The socket, to size its buffer, join further groups or exchange its filter while it runs.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Calls `tracer` for every message as it is given; `protocol` names its parts.
    pub fn set_tracer(&mut self, tracer: Tracer, protocol: &'static Protocol) {
        self.tracer = Some((tracer, protocol));
    }

    /// How much it brought so far.
    pub const fn received(&self) -> Received {
        self.total
    }

    /// Whether events were received that [`Events::next`] has not given yet: it will not look at
    /// the socket before these.
    pub fn has_received(&mut self) -> bool {
        self.find()
    }

    /// The next event; `None` if none comes within `wait`.
    ///
    /// Neither a loss nor a damaged datagram ends the stream.
    ///
    /// # Errors
    /// If receiving fails for a reason other than loss, which then will not pass by itself.
    pub fn next(&mut self, wait: Wait) -> io::Result<Option<Event<'_>>> {
        loop {
            // Found again below, outside the loop, because the borrow must not outlive a turn.
            if self.find() {
                return Ok(self.take());
            }
            (self.received, self.slot, self.offset) = (0, 0, 0);
            match self.ring.receive(&self.socket, Wait::Never) {
                Ok(received) => self.received = received,
                Err(error) if error.raw_os_error() == Some(Errno::ENOBUFS.0) => {
                    self.overrun = true;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let drops = self.socket.drops()?;
                    if drops != self.seen {
                        // Since the queue was found empty, it may have been filled to overflowing:
                        // what it holds comes first.
                        self.seen = drops;
                        continue;
                    }
                    if let Some(loss) = self.drained() {
                        return Ok(Some(Event::Loss(loss)));
                    }
                    if !self.socket.wait_readable(wait)? {
                        return Ok(None);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Moves to the next datagram that has something left; false if there is none.
    fn find(&mut self) -> bool {
        while let Some(datagram) = self.ring.datagram(self.slot) {
            if self.slot >= self.received {
                return false;
            }
            let end = datagram.bytes.len();
            let foreign = datagram.sender_port != 0 && self.offset == 0;
            if self.offset < end || (self.offset == end && datagram.truncated) || foreign {
                return true;
            }
            (self.slot, self.offset) = (self.slot + 1, 0);
        }
        false
    }

    /// Takes the next message or loss of the current datagram.
    fn take(&mut self) -> Option<Event<'_>> {
        let datagram = self.ring.datagram(self.slot)?;
        let end = datagram.bytes.len();
        let truncated = Loss::Truncated { length: datagram.length, kept: end };
        let rest = datagram.bytes.get(self.offset..).unwrap_or_default();
        let mut messages = Messages::new(rest);
        if datagram.sender_port != 0 {
            self.offset = usize::MAX;
            return Some(Event::Loss(Loss::Foreign { port: datagram.sender_port }));
        }
        if self.offset == 0 {
            self.total.datagrams += 1;
            self.total.bytes += datagram.length as u64;
        }
        match messages.next() {
            Some(Ok(message)) => {
                self.total.messages += 1;
                self.offset = end - messages.rest().len();
                if let Some((tracer, protocol)) = &mut self.tracer {
                    tracer(&Trace { direction: Direction::Received, message, protocol });
                }
                Some(Event::Message { message, nsid: datagram.nsid })
            }
            Some(Err(error)) if !datagram.truncated => {
                self.offset = usize::MAX;
                Some(Event::Loss(Loss::Damaged(error)))
            }
            _ => {
                self.offset = usize::MAX;
                Some(Event::Loss(truncated))
            }
        }
    }

    /// The queue is empty: what the drop counter said more than before was lost since.
    fn drained(&mut self) -> Option<Loss> {
        let dropped = self.seen.wrapping_sub(self.dropped);
        self.dropped = self.seen;
        let lost = std::mem::take(&mut self.overrun) || dropped > 0;
        lost.then_some(Loss::Overrun { dropped })
    }
}

impl AsFd for Events {
    /// The socket's descriptor: readable when there are events or a loss to be told.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("socket", &self.socket)
            .field("dropped", &self.dropped)
            .field("overrun", &self.overrun)
            .finish_non_exhaustive()
    }
}
