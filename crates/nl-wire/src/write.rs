//! Writing messages and attributes.
//!
//! A [`Writer`] appends to a `Vec<u8>` that the caller keeps, so that a warm buffer is written
//! without allocation. Lengths are patched when a nest or message ends; padding is zero. Whatever
//! fails leaves no trace: a nest or message whose closure gives an error is cut off again.

use alloc::vec::Vec;
use core::net::IpAddr;

use crate::attr::{ATTR_HEADER_LEN, Attr, NLA_F_NESTED};
use crate::error::{Error, Problem};
use crate::header::{Header, align};

/// Appends one message to `out`: its header with the length filled in, and what `body` writes.
///
/// `header.length` is ignored. The message begins and ends at a multiple of 4 bytes of `out`; the
/// padding at its end is not part of its length.
///
/// # Errors
/// What `body` returns; `out` is then as before.
///
/// ```
/// use nl_wire::{header::{Flags, Header}, write};
///
/// let mut out = Vec::new();
/// let header = Header { message_type: 24, flags: Flags::REQUEST, ..Header::default() };
/// write::message(&mut out, header, |w| {
///     w.fixed(&[2, 0, 0, 0, 254, 0, 0, 0, 0, 0, 0, 0]); // struct rtmsg
///     w.u32(4, 2); // RTA_OIF
///     w.nest(8, |w| Ok(w.u32(2, 1400))) // RTA_METRICS, RTAX_MTU
/// })?;
/// assert_eq!(out.len(), 16 + 12 + 8 + 12);
/// # Ok::<(), nl_wire::Error>(())
/// ```
pub fn message(
    out: &mut Vec<u8>,
    header: Header,
    body: impl FnOnce(&mut Writer<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let before = out.len();
    out.resize(align(before), 0);
    let start = out.len();
    out.extend_from_slice(&header.encode());
    let result = body(&mut Writer { out }).and_then(|()| {
        let length = out.len() - start;
        u32::try_from(length).map_err(|_| Problem::TooLong { length }.into())
    });
    match result {
        Ok(length) => {
            out[start..start + 4].copy_from_slice(&length.to_ne_bytes());
            out.resize(align(out.len()), 0);
            Ok(())
        }
        Err(error) => {
            out.truncate(before);
            Err(error)
        }
    }
}

/// Appends attributes to a message or nest.
#[derive(Debug)]
pub struct Writer<'b> {
    out: &'b mut Vec<u8>,
}

macro_rules! numbers {
    ($($(#[$meta:meta])* $name:ident: $type:ty = $convert:ident;)*) => {
        $(
            $(#[$meta])*
            #[inline]
            pub fn $name(&mut self, number: u16, value: $type) {
                self.small(number, value.$convert());
            }
        )*
    };
}

impl<'b> Writer<'b> {
    /// A writer of attributes alone, without a message around them.
    pub const fn attributes(out: &'b mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Appends the fixed part of a message or nest, padded to a multiple of 4 bytes.
    #[inline]
    pub fn fixed(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
        self.pad();
    }

    numbers! {
        /// An 8-bit number.
        u8: u8 = to_ne_bytes;
        /// A 16-bit number in host byte order.
        u16: u16 = to_ne_bytes;
        /// A 32-bit number in host byte order.
        u32: u32 = to_ne_bytes;
        /// A 64-bit number in host byte order.
        u64: u64 = to_ne_bytes;
        /// A signed 32-bit number in host byte order.
        i32: i32 = to_ne_bytes;
        /// A 16-bit number in network byte order.
        u16_be: u16 = to_be_bytes;
        /// A 32-bit number in network byte order.
        u32_be: u32 = to_be_bytes;
        /// A 64-bit number in network byte order.
        u64_be: u64 = to_be_bytes;
    }

    /// An IP address, 4 or 16 bytes in network order.
    #[inline]
    pub fn ip(&mut self, number: u16, address: IpAddr) {
        match address {
            IpAddr::V4(address) => self.small(number, address.octets()),
            IpAddr::V6(address) => self.small(number, address.octets()),
        }
    }

    /// An attribute without payload, whose presence says it all.
    #[inline]
    pub fn flag(&mut self, number: u16) {
        self.small(number, []);
    }

    /// Bytes as they are.
    ///
    /// # Errors
    /// [`Problem::TooLong`] beyond 65,531 bytes.
    #[inline]
    pub fn bytes(&mut self, number: u16, bytes: &[u8]) -> Result<(), Error> {
        let length = attribute_length(number, bytes.len())?;
        self.header(length, number);
        self.out.extend_from_slice(bytes);
        self.pad();
        Ok(())
    }

    /// A string, with the NUL at its end that the kernel asks for.
    ///
    /// # Errors
    /// [`Problem::TooLong`] beyond 65,530 bytes; [`Problem::Value`] if the string contains a NUL.
    pub fn text(&mut self, number: u16, text: &[u8]) -> Result<(), Error> {
        if text.contains(&0) {
            return Err(Error::at(Problem::Value, number));
        }
        let length = attribute_length(number, text.len() + 1)?;
        self.header(length, number);
        self.out.extend_from_slice(text);
        self.out.push(0);
        self.pad();
        Ok(())
    }

    /// An attribute as it was read, its flag bits included.
    ///
    /// # Errors
    /// [`Problem::TooLong`], which an attribute that was read can't give.
    pub fn attr(&mut self, attr: &Attr<'_>) -> Result<(), Error> {
        self.bytes(attr.raw_type, attr.payload)
    }

    /// A nest, flagged as such, holding what `body` writes.
    ///
    /// # Errors
    /// What `body` returns, seen from outside this attribute, and [`Problem::TooLong`]; the nest is
    /// then cut off again.
    pub fn nest(
        &mut self,
        number: u16,
        body: impl FnOnce(&mut Writer<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.nest_unflagged(number | NLA_F_NESTED, body)
    }

    /// A nest without `NLA_F_NESTED`, for attributes older than the flag (`RTA_METRICS`,
    /// `RTA_MULTIPATH`).
    ///
    /// # Errors
    /// As [`Writer::nest`].
    pub fn nest_unflagged(
        &mut self,
        number: u16,
        body: impl FnOnce(&mut Writer<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let start = self.out.len();
        self.header(0, number);
        self.sized(start, body).map_err(|error| error.within(number))
    }

    /// A record that begins with its own u16 length: `body` writes what follows these two bytes.
    ///
    /// # Errors
    /// As [`Writer::nest`].
    pub fn record(
        &mut self,
        body: impl FnOnce(&mut Writer<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let start = self.out.len();
        self.out.extend_from_slice(&[0, 0]);
        self.sized(start, body)
    }

    /// Appends bytes without padding: the rest of a [`Writer::record`]'s fixed part.
    pub fn unpadded(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    /// Runs `body`, then patches the u16 length at `start`; on an error cuts back to `start`.
    fn sized(
        &mut self,
        start: usize,
        body: impl FnOnce(&mut Writer<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let result = body(&mut Writer { out: self.out }).and_then(|()| {
            let length = self.out.len() - start;
            u16::try_from(length).map_err(|_| Problem::TooLong { length }.into())
        });
        match result {
            Ok(length) => {
                self.out[start..start + 2].copy_from_slice(&length.to_ne_bytes());
                self.pad();
                Ok(())
            }
            Err(error) => {
                self.out.truncate(start);
                Err(error)
            }
        }
    }

    /// An attribute whose payload is surely short enough: header, payload and padding at one go.
    #[inline]
    fn small<const N: usize>(&mut self, number: u16, payload: [u8; N]) {
        const { assert!(N <= 16) };
        #[allow(clippy::cast_possible_truncation)] // at most 20, by the assertion
        let length = (ATTR_HEADER_LEN + N) as u16;
        let mut bytes = [0; ATTR_HEADER_LEN + 16];
        bytes[..2].copy_from_slice(&length.to_ne_bytes());
        bytes[2..4].copy_from_slice(&number.to_ne_bytes());
        bytes[4..4 + N].copy_from_slice(&payload);
        self.out.extend_from_slice(&bytes[..align(ATTR_HEADER_LEN + N)]);
    }

    #[inline]
    fn header(&mut self, length: u16, raw_type: u16) {
        let ([l0, l1], [t0, t1]) = (length.to_ne_bytes(), raw_type.to_ne_bytes());
        self.out.extend_from_slice(&[l0, l1, t0, t1]);
    }

    #[inline]
    fn pad(&mut self) {
        self.out.resize(align(self.out.len()), 0);
    }
}

#[inline]
fn attribute_length(number: u16, payload: usize) -> Result<u16, Error> {
    let length = ATTR_HEADER_LEN + payload;
    u16::try_from(length).map_err(|_| Error::at(Problem::TooLong { length }, number))
}
