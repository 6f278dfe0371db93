//! Requests as values.
//!
//! A request says what it sends and how to read what comes back; a connection runs it. So adding a
//! capability means adding a type that implements [`Request`], and a request can be printed,
//! compared, encoded and tested without a socket.

use alloc::vec::Vec;

use crate::datagram::Message;
use crate::error::Error;
use crate::header::{Flags, Header};
use crate::table::Protocol;
use crate::write::{self, Writer};

/// How a request is answered, and so how it is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Many replies, then `NLMSG_DONE`. `NLM_F_DUMP` is added.
    Dump,
    /// One reply; it alone ends the exchange, whatever its flags: conntrack marks single replies
    /// `NLM_F_MULTI` and sends no `NLMSG_DONE`.
    Get,
    /// An ack. `NLM_F_ACK` is added where one is asked for.
    Change,
}

/// Something to ask of the kernel.
pub trait Request {
    /// What a reply decodes to; `()` where only an ack comes.
    type Item;

    /// How the request is answered.
    const MODE: Mode;

    /// The protocol that it speaks, with the tables of its own messages and replies: they name
    /// attributes in errors, refusals and traces. All values of a type give the same.
    fn protocol(&self) -> &'static Protocol;

    /// The message type of the request.
    fn message_type(&self) -> u16;

    /// Flags beyond `NLM_F_REQUEST` and those that [`Mode`] adds.
    fn flags(&self) -> Flags {
        Flags(0)
    }

    /// Writes what follows the message header.
    ///
    /// # Errors
    /// If a value can't be expressed on the wire.
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error>;

    /// Reads one reply. `None` if it is none of those asked for: the kernel ignores filters that it
    /// does not know, so a request checks each entry itself.
    ///
    /// # Errors
    /// If the reply can't be decoded. Replies before and after are not affected.
    fn read(&self, message: &Message<'_>) -> Result<Option<Self::Item>, Error>;

    /// Whether of this reply [`Request::read`] gives an item or an error, and surely not `None`, as far
    /// as can be told at a glance; `false`, as here, says nothing. Then a connection asks
    /// [`Request::read_as`].
    #[inline]
    fn is_plain(&self, message: &Message<'_>) -> bool {
        let _ = message;
        false
    }

    /// What `make` makes of [`Request::read`].
    ///
    /// For large objects, which take longer to move than to read: one who has the result made by the
    /// same expression as the object needs not to move it.
    #[inline]
    fn read_as<O>(
        &self,
        message: &Message<'_>,
        make: impl FnOnce(Result<Option<Self::Item>, Error>) -> O,
    ) -> O {
        make(self.read(message))
    }

    /// Appends the whole request message to `out`.
    ///
    /// # Errors
    /// As [`Request::write`]; `out` is then as before.
    fn encode(&self, sequence: u32, out: &mut Vec<u8>) -> Result<(), Error> {
        self.encode_with(sequence, Flags(0), out)
    }

    /// As [`Request::encode`], with further flags.
    ///
    /// # Errors
    /// As [`Request::write`]; `out` is then as before.
    fn encode_with(&self, sequence: u32, more: Flags, out: &mut Vec<u8>) -> Result<(), Error> {
        let mode = if matches!(Self::MODE, Mode::Dump) { Flags::DUMP } else { Flags(0) };
        let header = Header {
            length: 0,
            message_type: self.message_type(),
            flags: Flags::REQUEST | mode | self.flags() | more,
            sequence,
            port: 0,
        };
        write::message(out, header, |writer| self.write(writer)).map_err(|error| {
            match self.protocol().message(header.message_type) {
                Some(kind) => error.in_table(kind.attributes),
                None => error,
            }
        })
    }
}

impl<R: Request + ?Sized> Request for &R {
    type Item = R::Item;
    const MODE: Mode = R::MODE;

    fn protocol(&self) -> &'static Protocol {
        (**self).protocol()
    }

    fn message_type(&self) -> u16 {
        (**self).message_type()
    }

    fn flags(&self) -> Flags {
        (**self).flags()
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        (**self).write(writer)
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<Self::Item>, Error> {
        (**self).read(message)
    }

    #[inline]
    fn is_plain(&self, message: &Message<'_>) -> bool {
        (**self).is_plain(message)
    }

    #[inline]
    fn read_as<O>(
        &self,
        message: &Message<'_>,
        make: impl FnOnce(Result<Option<Self::Item>, Error>) -> O,
    ) -> O {
        (**self).read_as(message, make)
    }
}
