//! What can go wrong between a program and the kernel.

use std::fmt;
use std::io;

use nl_wire::{Errno, Failure};

/// Something that did not arrive, or arrived and can't be trusted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Loss {
    /// The receive queue was full; the kernel dropped what it had to say.
    Overrun {
        /// How many messages, by the socket's drop counter; 0 where the kernel gives no number.
        dropped: u32,
    },
    /// A datagram was longer than the buffer; its end is gone.
    Truncated {
        /// Bytes that the datagram had.
        length: usize,
        /// Bytes that were received.
        kept: usize,
    },
    /// The table changed while it was dumped: entries may be missing or doubled.
    Interrupted,
    /// A datagram that is not from the kernel; refused.
    Foreign {
        /// The port id of the sender.
        port: u32,
    },
    /// A reply to a request that nobody waits for any more.
    Stale {
        /// Its sequence number.
        sequence: u32,
    },
    /// A datagram whose message lengths can't be; what follows in it is gone.
    Damaged(nl_wire::Error),
    /// One message could not be decoded; those around it are not affected.
    Undecodable(nl_wire::Error),
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overrun { dropped: 0 } => f.write_str("receive queue overrun: messages lost"),
            Self::Overrun { dropped } => {
                write!(f, "receive queue overrun: {dropped} messages lost")
            }
            Self::Truncated { length, kept } => {
                write!(f, "datagram truncated: {kept} bytes of {length} received")
            }
            Self::Interrupted => f.write_str("dump interrupted by a change of the table"),
            Self::Foreign { port } => write!(f, "datagram from port {port} instead of the kernel"),
            Self::Stale { sequence } => write!(f, "reply to the forgotten request {sequence}"),
            Self::Damaged(error) => write!(f, "damaged datagram: {error}"),
            Self::Undecodable(error) => write!(f, "undecodable message: {error}"),
        }
    }
}

/// Why a request did not succeed.
#[non_exhaustive]
pub enum Error {
    /// A system call failed.
    Io(io::Error),
    /// The kernel refused.
    Refused(Box<Failure>),
    /// The request can't be expressed on the wire; nothing was sent.
    Unencodable(nl_wire::Error),
    /// Something was lost on the way. In a dump, later items are still to be had.
    Lost(Loss),
    /// The kernel gave no answer within the connection's timeout.
    TimedOut,
    /// Non-blocking use: no answer yet. Wait until the descriptor is readable and ask again.
    WouldBlock,
    /// The kernel's answer was lost in an overrun of the receive queue: a change was carried out or
    /// refused, and only a look at the table tells which.
    OutcomeUnknown,
    /// A get was acknowledged without a reply, or with none of those asked for.
    NoReply,
    /// The request speaks another netlink protocol than the connection.
    WrongProtocol,
}

impl Error {
    /// The error number of a refusal or of a failed system call.
    pub fn errno(&self) -> Option<Errno> {
        match self {
            Self::Refused(failure) => Some(failure.errno),
            Self::Io(error) => error.raw_os_error().map(Errno),
            _ => None,
        }
    }

    /// Whether the kernel refused for want of a privilege (`EPERM`, `EACCES`): the remedy is to run
    /// as root or with `CAP_NET_ADMIN` in the user namespace that owns the network namespace.
    pub fn is_permission(&self) -> bool {
        matches!(self.errno(), Some(Errno::EPERM | Errno::EACCES))
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::WouldBlock => Self::WouldBlock,
            io::ErrorKind::TimedOut => Self::TimedOut,
            _ => Self::Io(error),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Refused(Box::new(failure))
    }
}

impl From<Loss> for Error {
    fn from(loss: Loss) -> Self {
        Self::Lost(loss)
    }
}

/// The same line as `Display`: `fn main() -> Result<(), Error>` prints it, and need not link a
/// second text of everything that an error is made of.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => fmt::Display::fmt(error, f),
            Self::Refused(failure) => fmt::Display::fmt(failure, f),
            Self::Unencodable(error) => write!(f, "request can't be written: {error}"),
            Self::Lost(loss) => fmt::Display::fmt(loss, f),
            Self::TimedOut => f.write_str("no answer from the kernel in time"),
            Self::WouldBlock => f.write_str("no answer yet"),
            Self::OutcomeUnknown => f.write_str("outcome unknown: the answer was lost"),
            Self::NoReply => f.write_str("the kernel gave no reply that was asked for"),
            Self::WrongProtocol => f.write_str("request of another netlink protocol"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Refused(failure) => Some(failure),
            Self::Unencodable(error) => Some(error),
            _ => None,
        }
    }
}
