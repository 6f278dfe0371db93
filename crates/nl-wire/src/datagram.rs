//! The walk of messages over one received datagram.

use crate::error::{Error, Problem};
use crate::header::{HEADER_LEN, Header, align};

/// One whole message, borrowed from the datagram.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Message<'a> {
    /// The decoded header.
    pub header: Header,
    /// Header and payload, without the padding behind.
    pub bytes: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads the one message that `bytes` begin with.
    ///
    /// # Errors
    /// As [`Messages`]; empty input is [`Problem::MessageHeader`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Error> {
        Messages::new(bytes).next().unwrap_or(Err(Problem::MessageHeader { left: 0 }.into()))
    }

    /// What follows the header: the fixed part of the message's family, then attributes.
    #[inline]
    pub fn body(&self) -> &'a [u8] {
        self.bytes.get(HEADER_LEN..).unwrap_or_default()
    }
}

/// Iterates over the messages of a datagram.
///
/// Lazy, without allocation. A header that is cut short or whose length is below 16 or beyond the
/// datagram gives one error, and then nothing: what follows a bad length can't be found. Padding
/// behind the last message may be missing.
///
/// ```
/// use nl_wire::{datagram::Messages, header::{Flags, Header}};
///
/// let done = Header { length: 20, message_type: 3, flags: Flags::MULTI, sequence: 7, port: 0 };
/// let mut datagram = done.encode().to_vec();
/// datagram.extend(0_i32.to_ne_bytes());
/// let mut messages = Messages::new(&datagram);
/// assert_eq!(messages.next().unwrap()?.header.sequence, 7);
/// assert!(messages.next().is_none());
/// # Ok::<(), nl_wire::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Messages<'a> {
    rest: &'a [u8],
}

impl<'a> Messages<'a> {
    /// The messages of `datagram`.
    #[inline]
    pub const fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram }
    }

    /// The bytes not walked yet; after an error none.
    #[inline]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let rest = core::mem::take(&mut self.rest);
        let header = match Header::decode(rest) {
            Ok(header) => header,
            Err(error) => return Some(Err(error)),
        };
        let length = header.length as usize;
        let Some(bytes) = rest.get(..length).filter(|_| length >= HEADER_LEN) else {
            let problem = Problem::MessageLength { stated: header.length, left: rest.len() };
            return Some(Err(problem.into()));
        };
        self.rest = rest.get(align(length)..).unwrap_or_default();
        Some(Ok(Message { header, bytes }))
    }
}

impl core::iter::FusedIterator for Messages<'_> {}
