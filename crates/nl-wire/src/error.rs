//! What can be wrong with bytes, and where.

use core::fmt;

use crate::table::{Path, Table};

/// Why bytes could not be read or written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Problem {
    /// Fewer bytes than a message header are left.
    MessageHeader {
        /// Bytes left.
        left: usize,
    },
    /// A message states a length below 16 or beyond the bytes at hand.
    MessageLength {
        /// The length that its header states.
        stated: u32,
        /// Bytes left, header included.
        left: usize,
    },
    /// The message is of another type than the decoder reads.
    MessageType {
        /// The type found.
        found: u16,
    },
    /// The fixed part behind the message header is cut short.
    FixedHeader {
        /// Bytes needed.
        expected: usize,
        /// Bytes found.
        actual: usize,
    },
    /// Fewer bytes than an attribute header (4) are left.
    AttributeHeader {
        /// Bytes left.
        left: usize,
    },
    /// An attribute states a length below 4 or beyond its surroundings.
    AttributeLength {
        /// The length that its header states, header included.
        stated: u16,
        /// Bytes left, header included.
        left: usize,
    },
    /// A payload is of the wrong length.
    PayloadLength {
        /// What would be right.
        expected: Expected,
        /// Bytes found.
        actual: usize,
    },
    /// The attribute must be there and is not.
    Missing,
    /// The attribute holds a value that can't be.
    Value,
    /// To be written: longer than the 65,535 bytes that an attribute can hold, or a message of
    /// more than 4 GiB.
    TooLong {
        /// Bytes that would be needed.
        length: usize,
    },
}

/// A payload length that would be right, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expected {
    /// This many, or more: the kernel's structures grow.
    AtLeast(usize),
    /// One of two.
    Either(usize, usize),
    /// A multiple of this.
    MultipleOf(usize),
    /// At most this many.
    AtMost(usize),
}

/// A problem and the path of the attribute that has it.
///
/// Small and `Copy`: nothing is allocated on bad input. The one-line `Display` names the attribute
/// once the error has passed through a decoder, which knows the table:
/// `RTA_MULTIPATH[1]/RTA_GATEWAY: 3 bytes, expected 4 or 16`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub problem: Problem,
    /// Where, from the outermost attribute inwards; empty for the message itself.
    pub path: Path,
}

impl Error {
    /// `problem` at the attribute `number`.
    #[cold]
    #[inline(never)]
    pub fn at(problem: Problem, number: u16) -> Self {
        Self { problem, path: Path::default().within(number) }
    }

    /// A required attribute is missing.
    #[cold]
    #[inline(never)]
    pub fn missing(number: u16) -> Self {
        Self::at(Problem::Missing, number)
    }

    /// The same error, seen from outside the attribute `number`.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn within(self, number: u16) -> Self {
        Self { path: self.path.within(number), ..self }
    }

    /// The same error, seen from outside the array entry `index`.
    #[cold]
    #[inline(never)]
    #[must_use]
    pub fn within_index(self, index: usize) -> Self {
        Self { path: self.path.within_index(index), ..self }
    }

    /// The same error, its path named by `table`; without the feature `names` it tells numbers, and
    /// the table is not linked.
    #[inline]
    #[must_use]
    pub fn in_table(self, table: &'static Table) -> Self {
        if cfg!(feature = "names") { self.named(table) } else { self }
    }

    #[cold]
    #[inline(never)]
    fn named(self, table: &'static Table) -> Self {
        Self { path: self.path.in_table(table), ..self }
    }
}

impl From<Problem> for Error {
    #[cold]
    fn from(problem: Problem) -> Self {
        Self { problem, path: Path::default() }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        fmt::Display::fmt(&self.problem, f)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A text with its numbers in the places of `#`: one writer for all is less code.
        let (text, numbers) = match *self {
            Self::MessageHeader { left } => {
                ("message header cut short: # bytes, expected 16", [left, 0, 0])
            }
            Self::MessageLength { stated, left } if stated < 16 => {
                let text = "message length # of # bytes left is below its header's 16";
                (text, [stated as usize, left, 0])
            }
            Self::MessageLength { stated, left } => {
                ("message cut short: # bytes of #", [left, stated as usize, 0])
            }
            Self::MessageType { found } => ("unexpected message type #", [found.into(), 0, 0]),
            Self::FixedHeader { expected, actual } => {
                ("fixed header cut short: # bytes, expected #", [actual, expected, 0])
            }
            Self::AttributeHeader { left } => {
                ("attribute header cut short: # bytes, expected 4", [left, 0, 0])
            }
            Self::AttributeLength { stated, left } => {
                ("attribute length #, expected 4 to #", [stated.into(), left, 0])
            }
            Self::PayloadLength { expected, actual } => match expected {
                Expected::AtLeast(n) => ("# bytes, expected #", [actual, n, 0]),
                Expected::Either(a, b) => ("# bytes, expected # or #", [actual, a, b]),
                Expected::MultipleOf(n) => ("# bytes, expected a multiple of #", [actual, n, 0]),
                Expected::AtMost(n) => ("# bytes, expected at most #", [actual, n, 0]),
            },
            Self::Missing => ("missing", [0; 3]),
            Self::Value => ("value out of range", [0; 3]),
            Self::TooLong { length } => ("too long: # bytes", [length, 0, 0]),
        };
        let (mut rest, mut numbers) = (text, numbers.iter());
        while let Some(at) = rest.bytes().position(|byte| byte == b'#') {
            f.write_str(rest.get(..at).unwrap_or_default())?;
            numbers.next().map_or(Ok(()), |number| fmt::Display::fmt(number, f))?;
            rest = rest.get(at + 1..).unwrap_or_default();
        }
        f.write_str(rest)
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::AtLeast(n) => write!(f, "{n}"),
            Self::Either(a, b) => write!(f, "{a} or {b}"),
            Self::MultipleOf(n) => write!(f, "a multiple of {n}"),
            Self::AtMost(n) => write!(f, "at most {n}"),
        }
    }
}

impl core::error::Error for Error {}
