//! The message header: `struct nlmsghdr` (linux/netlink.h).

use crate::error::{Error, Problem};

/// Length of `struct nlmsghdr` in bytes; a message's length counts it.
pub const HEADER_LEN: usize = 16;

/// `NLMSG_ALIGNTO`, `NLA_ALIGNTO`: messages and attributes begin at multiples of 4 bytes.
pub const ALIGN: usize = 4;

/// `NLMSG_NOOP`: to be skipped.
pub const NLMSG_NOOP: u16 = 1;
/// `NLMSG_ERROR`: a refusal, or an ack if its errno is 0.
pub const NLMSG_ERROR: u16 = 2;
/// `NLMSG_DONE`: the end of a dump, with its status.
pub const NLMSG_DONE: u16 = 3;
/// `NLMSG_OVERRUN`: reserved; the kernel tells lost data by `ENOBUFS` instead.
pub const NLMSG_OVERRUN: u16 = 4;
/// `NLMSG_MIN_TYPE`: types below are control messages, alike in all protocols.
pub const NLMSG_MIN_TYPE: u16 = 16;

/// `length` rounded up to the next multiple of 4 (`NLMSG_ALIGN`), saturating.
#[inline]
pub const fn align(length: usize) -> usize {
    length.saturating_add(ALIGN - 1) & !(ALIGN - 1)
}

crate::flag_set! {
    /// `nlmsg_flags`.
    ///
    /// The upper byte means different things in requests to get, to make and to delete, and in
    /// acks; [`Flags::display`] takes the meaning into account, `Debug` reads it as a request that
    /// makes something.
    pub struct Flags(u16) "NLM_F_" {
        /// Set on every request to the kernel; without it the kernel acks and does nothing.
        REQUEST = 0x1,
        /// Part of an answer of several messages that `NLMSG_DONE` ends (conntrack sets it on
        /// single replies too, with no end following).
        MULTI = 0x2,
        /// Asks for an ack.
        ACK = 0x4,
        /// Asks for the notification of the change itself.
        ECHO = 0x8,
        /// The table changed while it was dumped. Set on one message only.
        DUMP_INTR = 0x10,
        /// The kernel applied a filter to the dump.
        DUMP_FILTERED = 0x20,
        /// Make: replace what exists.
        REPLACE = 0x100,
        /// Make: fail if it exists.
        EXCL = 0x200,
        /// Make: create if absent.
        CREATE = 0x400,
        /// Make: add behind what exists.
        APPEND = 0x800,
    }
}

impl Flags {
    /// `NLM_F_ROOT`, get: the whole table.
    pub const ROOT: Self = Self(0x100);
    /// `NLM_F_MATCH`, get: all that match.
    pub const MATCH: Self = Self(0x200);
    /// `NLM_F_DUMP`, get: `ROOT` and `MATCH` together.
    pub const DUMP: Self = Self(0x300);
    /// `NLM_F_NONREC`, delete: not recursively.
    pub const NONREC: Self = Self(0x100);
    /// `NLM_F_BULK`, delete: all that match.
    pub const BULK: Self = Self(0x200);
    /// `NLM_F_CAPPED`, ack: the request's payload is not repeated.
    pub const CAPPED: Self = Self(0x100);
    /// `NLM_F_ACK_TLVS`, ack: extended ack attributes follow.
    pub const ACK_TLVS: Self = Self(0x200);

    /// Formats the flags with the words that fit the message's `verb`.
    pub fn display(self, verb: Verb) -> impl core::fmt::Display {
        verb.flag_names().display(u64::from(self.0))
    }
}

/// What a message type does; decides what the upper byte of its flags means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verb {
    /// Makes or reports an object (`RTM_NEWROUTE`).
    New,
    /// Deletes an object or reports its end (`RTM_DELROUTE`).
    Delete,
    /// Asks for objects (`RTM_GETROUTE`).
    Get,
    /// `NLMSG_ERROR` and `NLMSG_DONE`.
    Ack,
}

impl Verb {
    fn flag_names(self) -> &'static crate::value::Names {
        macro_rules! names {
            ($($number:literal $word:literal)*) => {
                names!(@all
                    0x1 "REQUEST" 0x2 "MULTI" 0x4 "ACK" 0x8 "ECHO" 0x10 "DUMP_INTR"
                    0x20 "DUMP_FILTERED" $($number $word)*)
            };
            (@all $($number:literal $word:literal)*) => {{
                const NAMES: &crate::value::Names = &crate::value::Names {
                    prefix: crate::name!("NLM_F_"),
                    flags: true,
                    numbers: crate::named_numbers!($($number),*),
                    names: crate::words![$(concat!("NLM_F_", $word)),*],
                };
                NAMES
            }};
        }
        // Without names these are alike.
        #[cfg_attr(not(feature = "names"), allow(clippy::match_same_arms))]
        match self {
            Self::New => Flags::NAMES,
            Self::Delete => names!(0x100 "NONREC" 0x200 "BULK"),
            Self::Get => names!(0x300 "DUMP" 0x100 "ROOT" 0x200 "MATCH" 0x400 "ATOMIC"),
            Self::Ack => names!(0x100 "CAPPED" 0x200 "ACK_TLVS"),
        }
    }
}

/// A message header; all fields in host byte order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Header {
    /// Length of the whole message in bytes, header included, padding not.
    pub length: u32,
    /// The message type; its meaning depends on the protocol, see [`crate::table::Protocol`].
    pub message_type: u16,
    /// The flags.
    pub flags: Flags,
    /// Sequence number: a reply carries its request's, an event 0.
    pub sequence: u32,
    /// Port id: of the receiver in replies, in events of the socket that caused them, 0 for the
    /// kernel itself.
    pub port: u32,
}

impl Header {
    /// Reads a header from the first 16 bytes.
    ///
    /// # Errors
    /// [`Problem::MessageHeader`] if there are fewer. The length is not judged here but by
    /// [`crate::datagram::Messages`].
    #[inline]
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let Some(b) = bytes.first_chunk::<HEADER_LEN>() else {
            return Err(Problem::MessageHeader { left: bytes.len() }.into());
        };
        Ok(Self {
            length: u32::from_ne_bytes([b[0], b[1], b[2], b[3]]),
            message_type: u16::from_ne_bytes([b[4], b[5]]),
            flags: Flags(u16::from_ne_bytes([b[6], b[7]])),
            sequence: u32::from_ne_bytes([b[8], b[9], b[10], b[11]]),
            port: u32::from_ne_bytes([b[12], b[13], b[14], b[15]]),
        })
    }

    /// The 16 bytes of this header.
    #[inline]
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        out[0..4].copy_from_slice(&self.length.to_ne_bytes());
        out[4..6].copy_from_slice(&self.message_type.to_ne_bytes());
        out[6..8].copy_from_slice(&self.flags.0.to_ne_bytes());
        out[8..12].copy_from_slice(&self.sequence.to_ne_bytes());
        out[12..16].copy_from_slice(&self.port.to_ne_bytes());
        out
    }
}
