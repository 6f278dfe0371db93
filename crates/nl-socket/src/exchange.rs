//! The exchange of requests and replies, without I/O.
//!
//! [`Exchange`] is told which requests went out and is fed the datagrams that come in; it says what
//! each message is: a reply, the end of a request, an event, or a loss. It opens no socket and reads
//! no clock, so every order of messages that a kernel or an impostor can think of is a unit test.
//!
//! What it knows of the kernel:
//!
//! - A dump ends with `NLMSG_DONE`, which may carry an errno; `NLM_F_DUMP_INTR` is set on one message
//!   only, so it is collected over all of them. Refusals of strict checking come in `NLMSG_DONE` too.
//! - A single get ends with its first reply, which may be flagged `NLM_F_MULTI` with no
//!   `NLMSG_DONE` to follow.
//! - Requests of one datagram are handled in order. So an ack or a refusal tells that those before
//!   it which asked for no ack, and of which no refusal was seen, succeeded.
//! - Acks can overflow the receive buffer. What is queued then precedes what was lost; after the
//!   queue is drained, the outcome of the requests still open is unknown.
//! - Events may be mixed in. They carry sequence 0 or somebody else's port.
//!
//! ```
//! use nl_socket::Datagram;
//! use nl_socket::exchange::{End, Exchange, Output};
//! use nl_wire::{Flags, Header, Mode};
//!
//! let mut exchange = Exchange::new(4711);
//! exchange.expect(1, Mode::Dump, false);
//!
//! // What the kernel might send: an entry, then NLMSG_DONE with errno 0.
//! let entry = Header { length: 16, message_type: 24, flags: Flags::MULTI, sequence: 1, port: 4711 };
//! let done = Header { length: 20, message_type: 3, ..entry };
//! let bytes = [&entry.encode()[..], &done.encode(), &[0; 4]].concat();
//! let datagram = Datagram { bytes: &bytes, length: bytes.len(), ..Datagram::default() };
//!
//! let mut offset = 0;
//! let first = exchange.next(&datagram, &mut offset);
//! assert!(matches!(first, Some(Output::Reply { sequence: 1, .. })));
//! let second = exchange.next(&datagram, &mut offset);
//! let Some(Output::End { sequence: 1, end: End::Ack { ack, interrupted: false }, .. }) = second
//! else {
//!     panic!("{second:?}")
//! };
//! assert_eq!(ack.errno.0, 0);
//! assert_eq!(exchange.next(&datagram, &mut offset), None);
//! assert!(exchange.is_idle());
//! ```

use std::mem;

use nl_wire::header::{NLMSG_DONE, NLMSG_ERROR, NLMSG_MIN_TYPE, NLMSG_OVERRUN};
use nl_wire::{Ack, Flags, Message, Messages, Mode};

use crate::error::Loss;
use crate::ring::Datagram;

/// What one message turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // acks are rare, and boxing them would allocate
pub enum Output<'a> {
    /// A reply to the request `sequence`.
    Reply {
        /// The request's sequence number.
        sequence: u32,
        /// The reply, to be decoded by the request.
        message: Message<'a>,
    },
    /// The request `sequence` is over; nothing more comes for it. Changes that ended without a word
    /// and are numbered through are told together.
    End {
        /// The sequence number of the first of them: `sequence` itself, unless `end` is
        /// [`End::Silent`] or [`End::Unknown`].
        first: u32,
        /// The request's sequence number, or that of the last of them.
        sequence: u32,
        /// How it ended, or each of them.
        end: End<'a>,
    },
    /// A message that answers none of our requests: a notification.
    Event(Message<'a>),
    /// Something was lost, or not what it claimed to be.
    Loss(Loss),
}

/// How a request ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // as above
pub enum End<'a> {
    /// By the kernel's word: success or refusal.
    Ack {
        /// What the kernel said.
        ack: Ack<'a>,
        /// The table changed while it was dumped (`NLM_F_DUMP_INTR` on any message).
        interrupted: bool,
    },
    /// Successfully, without a word: a get by its reply, a request without ack by the ack of a
    /// later one.
    Silent,
    /// Nobody can tell: the answer was among those lost by an overrun.
    Unknown,
    /// Nobody can tell: the ack that ended it can't be read.
    Damaged(nl_wire::Error),
}

/// A request, or changes numbered through of which none asked for an ack.
#[derive(Clone, Copy, Debug)]
struct Pending {
    first: u32,
    last: u32,
    mode: Mode,
    acked: bool,
    interrupted: bool,
    abandoned: bool,
    replied: bool,
}

/// Tells the most common case apart quickly: entries of a dump; see [`Exchange::entries`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entries {
    sequence: u32,
    port: u32,
}

impl Entries {
    /// The message that `rest` of a datagram of the kernel's begins with, if it is such an entry:
    /// what [`Exchange::next`] would give as [`Output::Reply`]. `None` says nothing: ask that.
    #[inline]
    pub fn next<'a>(&self, rest: &'a [u8]) -> Option<Message<'a>> {
        let message = Messages::new(rest).next()?.ok()?;
        let header = message.header;
        let entry = header.sequence == self.sequence
            && header.port == self.port
            && header.message_type >= NLMSG_MIN_TYPE
            && !header.flags.contains(Flags::DUMP_INTR);
        entry.then_some(message)
    }
}

/// The state of all requests under way on one socket.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    port: u32,
    /// Few: of changes numbered through there is one entry.
    pending: Vec<Pending>,
    /// An overrun was told and the queue has not been empty since.
    overrun: bool,
}

impl Exchange {
    /// For a socket whose port id is `port`.
    pub fn new(port: u32) -> Self {
        Self { port, ..Self::default() }
    }

    /// Notes that a request went out. `acked` says whether it carries `NLM_F_ACK`: a change without
    /// is over when the ack of a later one arrives, a get with only when its ack arrives.
    ///
    /// Requests must be noted in the order in which they stand in their datagram.
    #[inline]
    pub fn expect(&mut self, sequence: u32, mode: Mode, acked: bool) {
        if let (Mode::Change, false, Some(back)) = (mode, acked, self.pending.last_mut()) {
            if back.is_silent() && back.last.checked_add(1) == Some(sequence) {
                back.last = sequence;
                return;
            }
        }
        self.pending.push(Pending {
            first: sequence,
            last: sequence,
            mode,
            acked,
            interrupted: false,
            abandoned: false,
            replied: false,
        });
    }

    /// Nobody wants the replies of `sequence` any more. A dump goes on in the kernel and must be
    /// read to its end before another can start; other requests are forgotten at once, but for a
    /// get whose only reply is being given.
    pub fn abandon(&mut self, sequence: u32) {
        let Some(index) = self.position(sequence) else { return };
        match self.pending.get_mut(index) {
            Some(pending) if pending.mode == Mode::Dump || pending.replied => {
                pending.abandoned = true;
            }
            _ => self.remove(index, sequence),
        }
    }

    /// Whether no request is under way.
    pub fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    /// Forgets every request: nothing was sent after all, or nobody cares any more.
    pub fn forget_all(&mut self) {
        self.pending.clear();
    }

    /// Whether an overrun was told and the queue has not been empty since.
    pub fn is_overrun(&self) -> bool {
        self.overrun
    }

    /// `recv` gave `ENOBUFS`: answers were lost. What is queued still counts; call
    /// [`Exchange::drained`] behind it.
    pub fn overrun(&mut self) {
        self.overrun = true;
    }

    /// The queue was found empty. After an overrun this ends, one output a call, the requests whose
    /// answer can only be among what was lost: all but dumps, which the kernel continues.
    pub fn drained(&mut self) -> Option<Output<'static>> {
        if !self.overrun {
            return None;
        }
        let open = self.pending.iter().position(|pending| pending.mode != Mode::Dump);
        let lost = open.and_then(|index| self.take(index));
        // Requests sent from now on have nothing to do with it.
        self.overrun = self.pending.iter().any(|pending| pending.mode != Mode::Dump);
        let Pending { first, last: sequence, .. } = lost?;
        Some(Output::End { first, sequence, end: End::Unknown })
    }

    /// What tells entries of the dump `sequence` quickly, if that is the only request under way and
    /// wanted: so it stays until the next call of any method that takes `&mut self`, but for
    /// [`Exchange::next`], which may end it.
    pub fn entries(&self, sequence: u32) -> Option<Entries> {
        let only = self.pending.first().filter(|_| self.pending.len() == 1)?;
        let ours = only.last == sequence && only.mode == Mode::Dump && !only.abandoned;
        (ours && sequence != 0).then_some(Entries { sequence, port: self.port })
    }

    /// The next output of `datagram`, from the message at `offset` on; `offset` is moved forward.
    /// `None` at the end of the datagram.
    ///
    /// A datagram that does not come from the kernel gives one loss and nothing else. A truncated
    /// one gives its whole messages, then the loss.
    pub fn next<'a>(&mut self, datagram: &Datagram<'a>, offset: &mut usize) -> Option<Output<'a>> {
        if datagram.sender_port != 0 {
            let first = *offset == 0;
            *offset = usize::MAX;
            return first.then_some(Output::Loss(Loss::Foreign { port: datagram.sender_port }));
        }
        loop {
            let rest = datagram.bytes.get(*offset..).filter(|rest| !rest.is_empty());
            let Some(rest) = rest else {
                let lost = datagram.truncated && *offset != usize::MAX;
                *offset = usize::MAX;
                let (length, kept) = (datagram.length, datagram.bytes.len());
                return lost.then_some(Output::Loss(Loss::Truncated { length, kept }));
            };
            let mut messages = Messages::new(rest);
            let message = match messages.next()? {
                Ok(message) => message,
                Err(_) if datagram.truncated => {
                    *offset = datagram.bytes.len();
                    continue;
                }
                Err(error) => {
                    *offset = usize::MAX;
                    return Some(Output::Loss(Loss::Damaged(error)));
                }
            };
            let before = mem::replace(offset, datagram.bytes.len() - messages.rest().len());
            let mut again = false;
            let output = self.classify(message, &mut again);
            if again {
                *offset = before;
            }
            if output.is_some() {
                return output;
            }
        }
    }

    /// What `message` is. It is given once more if it says `again`: an ack first ends the requests
    /// before it; the reply of a get ends that in a second turn.
    #[inline(never)]
    fn classify<'a>(&mut self, message: Message<'a>, again: &mut bool) -> Option<Output<'a>> {
        let header = message.header;
        let kind = header.message_type;
        let is_ack = kind == NLMSG_ERROR || kind == NLMSG_DONE;
        if kind == NLMSG_OVERRUN {
            return Some(Output::Loss(Loss::Overrun { dropped: 0 }));
        }
        if kind < NLMSG_MIN_TYPE && !is_ack {
            return None;
        }
        if header.port != self.port || header.sequence == 0 {
            return (!is_ack).then_some(Output::Event(message));
        }
        let sequence = header.sequence;
        let Some(index) = self.position(sequence) else {
            return Some(Output::Loss(Loss::Stale { sequence }));
        };
        // The end of a dump is made later than what an overrun lost, and proves nothing then.
        if kind == NLMSG_ERROR || (is_ack && !self.overrun) {
            if let Some(before) = self.silent_before(index, sequence) {
                *again = true;
                return Some(before);
            }
        }
        let pending = self.pending.get_mut(index)?;
        let Pending { mode, acked, abandoned, replied, .. } = *pending;
        pending.interrupted |= mode == Mode::Dump && header.flags.contains(Flags::DUMP_INTR);
        let interrupted = pending.interrupted;
        let end = |end| Output::End { first: sequence, sequence, end };
        if is_ack {
            self.remove(index, sequence);
            if abandoned {
                return None;
            }
            return Some(end(match Ack::decode(&message) {
                Ok(ack) => End::Ack { ack, interrupted },
                Err(error) => End::Damaged(error),
            }));
        }
        if mode == Mode::Get && !acked {
            if replied {
                self.remove(index, sequence);
                return (!abandoned).then(|| end(End::Silent));
            }
            pending.replied = true;
            *again = true;
            return Some(Output::Reply { sequence, message });
        }
        (!abandoned).then_some(Output::Reply { sequence, message })
    }

    /// Where the request `sequence` stands: mostly first.
    fn position(&self, sequence: u32) -> Option<usize> {
        self.pending.iter().position(|it| (it.first..=it.last).contains(&sequence))
    }

    /// Ends the oldest changes before `sequence`, which stands at `index`, that asked for no ack: they
    /// succeeded, or the kernel would have told.
    fn silent_before(&mut self, index: usize, sequence: u32) -> Option<Output<'static>> {
        // A queue that was full would have refused the last ack too. If it is here, the kernel had
        // no memory for something else, which may be the refusal of any request.
        let is_last = self.pending.last()?.last == sequence;
        let end = if self.overrun && is_last { End::Unknown } else { End::Silent };
        let found = self.pending.iter().take(index + 1).position(Pending::is_silent)?;
        let Pending { first, last, .. } = *self.pending.get(found)?;
        if found < index {
            self.take(found);
            return Some(Output::End { first, sequence: last, end });
        }
        let before = sequence.checked_sub(1).filter(|before| first <= *before)?;
        self.pending.get_mut(index)?.first = sequence;
        Some(Output::End { first, sequence: before, end })
    }

    /// Takes the request `sequence` out of those at `index`.
    fn remove(&mut self, index: usize, sequence: u32) {
        let Some(pending) = self.pending.get_mut(index) else { return };
        let rest = Pending { first: sequence.saturating_add(1), ..*pending };
        match (pending.first < sequence, sequence < pending.last) {
            (false, false) => {
                self.take(index);
            }
            (false, true) => *pending = rest,
            (true, more) => {
                pending.last = sequence - 1;
                if more {
                    self.pending.insert(index + 1, rest);
                }
            }
        }
    }

    /// Takes the entry at `index`.
    #[inline(never)]
    fn take(&mut self, index: usize) -> Option<Pending> {
        (index < self.pending.len()).then(|| self.pending.remove(index))
    }
}

impl Pending {
    /// Whether only what comes for others ends it, unless it is refused.
    fn is_silent(&self) -> bool {
        self.mode == Mode::Change && !self.acked
    }
}
