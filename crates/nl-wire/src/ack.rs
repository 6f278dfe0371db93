//! Acks, refusals and the ends of dumps: `NLMSG_ERROR` and `NLMSG_DONE`, both with the extended ack
//! (`NLMSGERR_ATTR_*`, linux/netlink.h).
//!
//! Both begin with an errno: 0 is success. A dump that fails under way or is refused by the
//! kernel's strict checking tells so in `NLMSG_DONE`. The extended ack may stand behind either, and
//! behind successes too, as a warning.

use alloc::vec::Vec;
use core::fmt;

use crate::attr::Attrs;
use crate::datagram::Message;
use crate::errno::Errno;
use crate::error::{Error, Expected, Problem};
use crate::header::{Flags, HEADER_LEN, Header, NLMSG_DONE, NLMSG_ERROR, align};
use crate::policy::{POLICY, Policy};
use crate::table::{Path, Protocol};
use crate::text::Text;

crate::attributes! {
    /// The attributes of an extended ack.
    pub static EXTENDED_ACK: "NLMSGERR_ATTR" {
        /// Text in the kernel's words.
        NLMSGERR_ATTR_MSG = 1: Text;
        /// Where the refused attribute stands, in bytes from the start of the request's header.
        NLMSGERR_ATTR_OFFS = 2: U32;
        /// What a subsystem says of the object that it made.
        NLMSGERR_ATTR_COOKIE = 3: Bytes;
        /// The policy that the refused attribute violates.
        NLMSGERR_ATTR_POLICY = 4: Nest(&POLICY);
        /// The number of an attribute that must be there and is not.
        NLMSGERR_ATTR_MISS_TYPE = 5: U32;
        /// Where the nest stands that lacks it, in bytes from the start of the request's header;
        /// absent if it is lacking at the top.
        NLMSGERR_ATTR_MISS_NEST = 6: U32;
    }
}

/// A decoded `NLMSG_ERROR` or `NLMSG_DONE`, borrowed from its message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ack<'a> {
    /// The outcome; 0 is success.
    pub errno: Errno,
    /// The header of the request; none in `NLMSG_DONE`.
    pub request: Option<Header>,
    /// What the kernel repeats of the request behind its header: nothing in successes and with
    /// `NETLINK_CAP_ACK`.
    pub repeated: &'a [u8],
    /// The extended ack; all `None` unless `NETLINK_EXT_ACK` is on.
    pub extended: ExtendedAck<'a>,
    /// Set if the extended ack could not be read to its end; errno and what came before are
    /// still right.
    pub damage: Option<Error>,
}

/// The attributes of an extended ack.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ExtendedAck<'a> {
    /// `NLMSGERR_ATTR_MSG`, without its NUL.
    pub message: Option<&'a [u8]>,
    /// `NLMSGERR_ATTR_OFFS`, in bytes from the start of the request's header.
    pub offset: Option<u32>,
    /// `NLMSGERR_ATTR_COOKIE`.
    pub cookie: Option<&'a [u8]>,
    /// `NLMSGERR_ATTR_POLICY`.
    pub policy: Option<Policy>,
    /// `NLMSGERR_ATTR_MISS_TYPE`.
    pub missing_type: Option<u32>,
    /// `NLMSGERR_ATTR_MISS_NEST`, in bytes from the start of the request's header.
    pub missing_nest: Option<u32>,
}

impl<'a> Ack<'a> {
    /// Reads an `NLMSG_ERROR` or `NLMSG_DONE`. An empty `NLMSG_DONE` is a success.
    ///
    /// # Errors
    /// [`Problem::MessageType`] for any other message, [`Problem::FixedHeader`] if the errno or the
    /// repeated request is cut short. Damage behind these is told in [`Ack::damage`].
    pub fn decode(message: &Message<'a>) -> Result<Self, Error> {
        let body = message.body();
        let kind = message.header.message_type;
        if kind == NLMSG_DONE && body.is_empty() {
            return Ok(Self::from_parts(0, None, &[], &[]));
        }
        if kind != NLMSG_DONE && kind != NLMSG_ERROR {
            return Err(Problem::MessageType { found: kind }.into());
        }
        let Some((errno, rest)) = body.split_first_chunk::<4>() else {
            return Err(Problem::FixedHeader { expected: 4, actual: body.len() }.into());
        };
        let errno = i32::from_ne_bytes(*errno);
        let has_tlvs = message.header.flags.contains(Flags::ACK_TLVS);
        if kind == NLMSG_DONE {
            return Ok(Self::from_parts(errno, None, &[], if has_tlvs { rest } else { &[] }));
        }
        let request = Header::decode(rest)?;
        let rest = rest.get(HEADER_LEN..).unwrap_or_default();
        // The kernel repeats the payload of a refused request unless it says CAPPED.
        let capped = message.header.flags.contains(Flags::CAPPED) || errno == 0;
        let payload = (request.length as usize).saturating_sub(HEADER_LEN);
        let length = if capped { 0 } else { payload.min(rest.len()) };
        let repeated = rest.get(..length).unwrap_or_default();
        let tlvs = rest.get(align(length)..).filter(|_| has_tlvs).unwrap_or_default();
        Ok(Self::from_parts(errno, Some(request), repeated, tlvs))
    }

    fn from_parts(errno: i32, request: Option<Header>, repeated: &'a [u8], tlvs: &'a [u8]) -> Self {
        let extended = ExtendedAck::default();
        let errno = Errno::from_wire(errno);
        let mut ack = Self { errno, request, repeated, extended, damage: None };
        if let Err(error) = ack.extended.read(Attrs::new(tlvs)) {
            ack.damage = Some(error.in_table(&EXTENDED_ACK));
        }
        ack
    }

    /// The refusal as a value of its own, its offsets resolved to attribute paths in `request`, the
    /// bytes that were sent. `None` for a success.
    pub fn failure(&self, protocol: &Protocol, request: &[u8]) -> Option<Failure> {
        if self.errno == Errno(0) {
            return None;
        }
        let extended = &self.extended;
        let place =
            |offset| protocol.resolve.and_then(|resolve| resolve(protocol, request, offset));
        let missing = extended.missing_type.and_then(|number| {
            Some(place(extended.missing_nest)?.missing(u16::try_from(number).ok()?))
        });
        Some(Failure {
            errno: self.errno,
            message: extended.message.map(Text::from),
            offset: extended.offset,
            path: extended.offset.and_then(|offset| place(Some(offset))),
            policy: extended.policy,
            missing_type: extended.missing_type,
            missing,
            cookie: extended.cookie.unwrap_or_default().to_vec(),
        })
    }
}

impl<'a> ExtendedAck<'a> {
    #[inline(never)]
    fn read(&mut self, mut attrs: Attrs<'a>) -> Result<(), Error> {
        while let Some(attr) = attrs.step() {
            let word = match attr.number() {
                NLMSGERR_ATTR_OFFS => &mut self.offset,
                NLMSGERR_ATTR_MISS_TYPE => &mut self.missing_type,
                NLMSGERR_ATTR_MISS_NEST => &mut self.missing_nest,
                other => {
                    match other {
                        NLMSGERR_ATTR_MSG => self.message = Some(attr.text()),
                        NLMSGERR_ATTR_COOKIE => self.cookie = Some(attr.payload),
                        NLMSGERR_ATTR_POLICY => match Policy::decode(attr.nested()) {
                            Ok(policy) => self.policy = Some(policy),
                            Err(error) => return Err(error.within(NLMSGERR_ATTR_POLICY)),
                        },
                        _ => {}
                    }
                    continue;
                }
            };
            let found = attr.word();
            if found.is_none() {
                return Err(attr.wrong_length(Expected::AtLeast(4)));
            }
            *word = found;
        }
        attrs.finish()
    }
}

/// A refusal by the kernel, with all that it says about the reason.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    /// The error number; never 0.
    pub errno: Errno,
    /// The kernel's own words.
    pub message: Option<Text>,
    /// Where the refused attribute stands, in bytes from the start of the request's header.
    pub offset: Option<u32>,
    /// The refused attribute. Without the feature `names` the offset is told instead.
    pub path: Option<Path>,
    /// What the kernel demands of the refused attribute.
    pub policy: Option<Policy>,
    /// The number of an attribute that must be there and is not.
    pub missing_type: Option<u32>,
    /// The path of that attribute.
    pub missing: Option<Path>,
    /// What a subsystem adds; empty if nothing.
    pub cookie: Vec<u8>,
}

impl Failure {
    /// A failure of which nothing but the number is known.
    pub fn from_errno(errno: Errno) -> Self {
        Self {
            errno,
            message: None,
            offset: None,
            path: None,
            policy: None,
            missing_type: None,
            missing: None,
            cookie: Vec::new(),
        }
    }
}

impl fmt::Display for Failure {
    /// One line: `Network is unreachable (ENETUNREACH): Nexthop has invalid gateway, at RTA_GATEWAY`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.errno, f)?;
        if let Some(message) = &self.message {
            write!(f, ": {message}")?;
        }
        match (&self.path, self.offset) {
            (Some(path), _) => write!(f, ", at {path}")?,
            (None, Some(offset)) => write!(f, ", at byte {offset} of the request")?,
            (None, None) => {}
        }
        if let Some(policy) = &self.policy {
            write!(f, ", expected {policy}")?;
        }
        match (&self.missing, self.missing_type) {
            (Some(path), _) => write!(f, ", missing {path}"),
            (None, Some(number)) => write!(f, ", missing attribute {number}"),
            (None, None) => Ok(()),
        }
    }
}

/// The same line as `Display`: who keeps errors as `dyn Error` links both.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Failure {}
