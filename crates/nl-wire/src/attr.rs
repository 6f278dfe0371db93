//! Attributes: `struct nlattr` (linux/netlink.h), their walk and their typed payloads.
//!
//! An attribute is a length (u16, header included, padding not), a type (u16) and a payload; the
//! next begins at a multiple of 4. The two top bits of the type are flags. Whether a payload is
//! nested is decided by the schema and never by the flag, which old senders leave out.
//!
//! The kernel keeps the last of several attributes of one number; decoders of this workspace do the
//! same by assigning as they go.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::error::{Error, Expected, Problem};
use crate::header::align;

/// Length of an attribute header in bytes.
pub const ATTR_HEADER_LEN: usize = 4;
/// `NLA_F_NESTED`: the payload is a sequence of attributes.
pub const NLA_F_NESTED: u16 = 0x8000;
/// `NLA_F_NET_BYTEORDER`: the payload is in network byte order.
pub const NLA_F_NET_BYTEORDER: u16 = 0x4000;
/// `NLA_TYPE_MASK`: the bits of the type that are its number.
pub const NLA_TYPE_MASK: u16 = 0x3fff;

/// One attribute, borrowed from its message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attr<'a> {
    /// The type with its two flag bits, as sent.
    pub raw_type: u16,
    /// The payload, without padding.
    pub payload: &'a [u8],
}

macro_rules! getters {
    ($($(#[$meta:meta])* $name:ident: $type:ty = $convert:ident;)*) => {
        $(
            $(#[$meta])*
            ///
            /// # Errors
            /// [`Problem::PayloadLength`] if the payload is shorter; of a longer one the first
            /// bytes are read, as the kernel does.
            #[inline]
            pub fn $name(&self) -> Result<$type, Error> {
                Ok(<$type>::$convert(self.array()?))
            }
        )*
    };
}

impl<'a> Attr<'a> {
    /// The attribute's number: its type without the flag bits.
    #[inline]
    pub const fn number(&self) -> u16 {
        self.raw_type & NLA_TYPE_MASK
    }

    /// Whether the sender flagged the payload as nested.
    pub const fn is_flagged_nested(&self) -> bool {
        self.raw_type & NLA_F_NESTED != 0
    }

    getters! {
        /// An 8-bit number.
        u8: u8 = from_ne_bytes;
        /// A 16-bit number in host byte order.
        u16: u16 = from_ne_bytes;
        /// A 32-bit number in host byte order.
        u32: u32 = from_ne_bytes;
        /// A 64-bit number in host byte order, aligned to 4 bytes only.
        u64: u64 = from_ne_bytes;
        /// A signed 32-bit number in host byte order.
        i32: i32 = from_ne_bytes;
        /// A signed 64-bit number in host byte order.
        i64: i64 = from_ne_bytes;
        /// A 16-bit number in network byte order.
        u16_be: u16 = from_be_bytes;
        /// A 32-bit number in network byte order.
        u32_be: u32 = from_be_bytes;
        /// A 64-bit number in network byte order.
        u64_be: u64 = from_be_bytes;
    }

    /// The 32-bit number in host byte order, if the payload is that long: for decoders that tell of
    /// all that are not in one place, as the way out with an error is longer than all else.
    #[inline]
    pub(crate) fn word(&self) -> Option<u32> {
        self.payload.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
    }

    /// The first `N` bytes of the payload.
    ///
    /// # Errors
    /// [`Problem::PayloadLength`] if there are fewer.
    #[inline]
    pub fn array<const N: usize>(&self) -> Result<[u8; N], Error> {
        match self.payload.first_chunk::<N>() {
            Some(bytes) => Ok(*bytes),
            None => Err(self.wrong_length(Expected::AtLeast(N))),
        }
    }

    /// An unsigned number of 4 or 8 bytes in host byte order (`NLA_UINT`).
    ///
    /// # Errors
    /// [`Problem::PayloadLength`] for any other length.
    pub fn uint(&self) -> Result<u64, Error> {
        match self.payload.len() {
            4 => self.u32().map(u64::from),
            8 => self.u64(),
            _ => Err(self.wrong_length(Expected::Either(4, 8))),
        }
    }

    /// A signed number of 4 or 8 bytes in host byte order (`NLA_SINT`).
    ///
    /// # Errors
    /// [`Problem::PayloadLength`] for any other length.
    pub fn sint(&self) -> Result<i64, Error> {
        match self.payload.len() {
            4 => self.i32().map(i64::from),
            8 => self.i64(),
            _ => Err(self.wrong_length(Expected::Either(4, 8))),
        }
    }

    /// An IPv4 address (4 bytes).
    ///
    /// # Errors
    /// [`Problem::PayloadLength`] for any other length.
    #[inline]
    pub fn ipv4(&self) -> Result<Ipv4Addr, Error> {
        match <[u8; 4]>::try_from(self.payload) {
            Ok(bytes) => Ok(Ipv4Addr::from(bytes)),
            Err(_) => Err(self.wrong_length(Expected::AtLeast(4))),
        }
    }

    /// An IPv6 address (16 bytes).
    ///
    /// # Errors
    /// [`Problem::PayloadLength`] for any other length.
    #[inline]
    pub fn ipv6(&self) -> Result<Ipv6Addr, Error> {
        match <[u8; 16]>::try_from(self.payload) {
            Ok(bytes) => Ok(Ipv6Addr::from(bytes)),
            Err(_) => Err(self.wrong_length(Expected::AtLeast(16))),
        }
    }

    /// An IP address; the length tells the family.
    ///
    /// # Errors
    /// [`Problem::PayloadLength`] unless there are 4 or 16 bytes.
    #[inline]
    pub fn ip(&self) -> Result<IpAddr, Error> {
        match self.payload.len() {
            4 => self.ipv4().map(IpAddr::V4),
            16 => self.ipv6().map(IpAddr::V6),
            _ => Err(self.wrong_length(Expected::Either(4, 16))),
        }
    }

    /// The bytes of a string, up to the first NUL or the end: the NUL may be missing.
    #[inline]
    pub fn text(&self) -> &'a [u8] {
        let end = self.payload.iter().position(|&byte| byte == 0);
        self.payload.get(..end.unwrap_or(self.payload.len())).unwrap_or_default()
    }

    /// The attributes nested in the payload.
    #[inline]
    pub const fn nested(&self) -> Attrs<'a> {
        Attrs::new(self.payload)
    }

    /// The error that this payload has the wrong length.
    #[cold]
    pub fn wrong_length(&self, expected: Expected) -> Error {
        Error::at(Problem::PayloadLength { expected, actual: self.payload.len() }, self.number())
    }
}

/// An attribute of its own: how decoders keep what they do not know, so that writing it again
/// loses nothing.
#[derive(Clone, PartialEq, Eq, Debug, Hash)]
pub struct RawAttr {
    /// The type with its two flag bits, as sent.
    pub raw_type: u16,
    /// The payload, without padding.
    pub payload: alloc::vec::Vec<u8>,
}

impl From<Attr<'_>> for RawAttr {
    fn from(attr: Attr<'_>) -> Self {
        Self { raw_type: attr.raw_type, payload: attr.payload.to_vec() }
    }
}

impl RawAttr {
    /// The borrowed form, for its getters and for writing it.
    pub fn as_attr(&self) -> Attr<'_> {
        Attr { raw_type: self.raw_type, payload: &self.payload }
    }
}

/// Iterates over a sequence of attributes.
///
/// Lazy, without allocation. A header that is cut short, or a length below 4 or beyond the end,
/// gives one error and then nothing. Padding behind the last attribute may be missing.
///
/// ```
/// use nl_wire::attr::Attrs;
///
/// let mut bytes = vec![];
/// bytes.extend(8_u16.to_ne_bytes()); // length
/// bytes.extend(4_u16.to_ne_bytes()); // type: RTA_OIF
/// bytes.extend(2_u32.to_ne_bytes()); // interface 2
/// for attr in Attrs::new(&bytes) {
///     let attr = attr?;
///     assert_eq!((attr.number(), attr.u32()?), (4, 2));
/// }
/// # Ok::<(), nl_wire::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Attrs<'a> {
    rest: &'a [u8],
}

/// Length and type. Read as one number, for compilers load four single bytes otherwise.
#[inline]
#[allow(clippy::cast_possible_truncation)] // the halves are what is wanted
const fn header(bytes: [u8; ATTR_HEADER_LEN]) -> (u16, u16) {
    let both = u32::from_ne_bytes(bytes);
    let (low, high) = (both as u16, (both >> 16) as u16);
    if cfg!(target_endian = "little") { (low, high) } else { (high, low) }
}

impl<'a> Attrs<'a> {
    /// The attributes in `bytes`.
    #[inline]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The attributes behind a fixed part of `length` bytes (padded to 4), and that part.
    ///
    /// # Errors
    /// [`Problem::FixedHeader`] if `body` is shorter.
    #[inline]
    pub fn behind(body: &'a [u8], length: usize) -> Result<(&'a [u8], Self), Error> {
        let Some(fixed) = body.get(..length) else {
            return Err(Problem::FixedHeader { expected: length, actual: body.len() }.into());
        };
        Ok((fixed, Self::new(body.get(align(length)..).unwrap_or_default())))
    }

    /// The bytes not walked yet; after an error none.
    #[inline]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next attribute; `None` at the end and at damage alike, which [`Attrs::finish`] tells
    /// apart. For decoders that must be fast: no error is carried through the loop.
    ///
    /// ```
    /// # use nl_wire::{Attrs, Error};
    /// # fn sum(bytes: &[u8]) -> Result<u32, Error> {
    /// let mut attrs = Attrs::new(bytes);
    /// let mut sum = 0;
    /// while let Some(attr) = attrs.step() {
    ///     sum += attr.u32()?;
    /// }
    /// attrs.finish()?;
    /// # Ok(sum)
    /// # }
    /// # assert_eq!(sum(&[]), Ok(0));
    /// # assert!(sum(&[1]).is_err());
    /// ```
    #[inline]
    pub fn step(&mut self) -> Option<Attr<'a>> {
        let (length, raw_type) = header(*self.rest.first_chunk()?);
        let payload = self.rest.get(ATTR_HEADER_LEN..usize::from(length))?;
        self.rest = self.rest.get(align(length.into())..).unwrap_or_default();
        Some(Attr { raw_type, payload })
    }

    /// Whether [`Attrs::step`] came to the end.
    ///
    /// # Errors
    /// What is wrong with the attribute that it stopped at.
    #[inline]
    pub fn finish(mut self) -> Result<(), Error> {
        if self.rest.is_empty() || self.step().is_some() { Ok(()) } else { Err(self.damage()) }
    }

    /// What is wrong with the attribute that [`Attrs::step`] stopped at; nothing is left behind it.
    #[cold]
    #[inline(never)]
    fn damage(&mut self) -> Error {
        let rest = core::mem::take(&mut self.rest);
        let left = rest.len();
        match rest.first_chunk() {
            Some(bytes) => {
                let (stated, raw_type) = header(*bytes);
                Error::at(Problem::AttributeLength { stated, left }, raw_type & NLA_TYPE_MASK)
            }
            None => Problem::AttributeHeader { left }.into(),
        }
    }
}

impl<'a> Iterator for Attrs<'a> {
    type Item = Result<Attr<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let Some(bytes) = self.rest.first_chunk() else {
            return if self.rest.is_empty() { None } else { Some(Err(self.damage())) };
        };
        let (length, raw_type) = header(*bytes);
        let Some(payload) = self.rest.get(ATTR_HEADER_LEN..usize::from(length)) else {
            return Some(Err(self.damage()));
        };
        self.rest = self.rest.get(align(usize::from(length))..).unwrap_or_default();
        Some(Ok(Attr { raw_type, payload }))
    }
}

impl core::iter::FusedIterator for Attrs<'_> {}

/// Iterates over records that each begin with their own u16 length in host byte order, as
/// `struct rtnexthop` does (linux/rtnetlink.h).
///
/// An item is the whole record without the padding behind. A length below `least` (the record's
/// fixed part) or beyond the end gives one error and then nothing.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
    least: usize,
}

impl<'a> Records<'a> {
    /// The records in `bytes`, each of at least `least` bytes (and never fewer than 2).
    #[inline]
    pub fn new(bytes: &'a [u8], least: usize) -> Self {
        Self { rest: bytes, least: least.max(2) }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<&'a [u8], Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let rest = core::mem::take(&mut self.rest);
        let stated = rest.first_chunk::<2>().map_or(0, |bytes| u16::from_ne_bytes(*bytes));
        let length = usize::from(stated);
        let Some(record) = rest.get(..length).filter(|_| length >= self.least) else {
            return Some(Err(Problem::AttributeLength { stated, left: rest.len() }.into()));
        };
        self.rest = rest.get(align(length)..).unwrap_or_default();
        Some(Ok(record))
    }
}

impl core::iter::FusedIterator for Records<'_> {}
