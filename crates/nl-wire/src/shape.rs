//! Attributes of the usual shape, for decoders that must be fast.
//!
//! The kernel writes most objects always alike: the same attributes of the same lengths in the same
//! order. Where that is so a comparison of their headers tells where all values are, and the walk,
//! which costs more than all else in decoding, is saved. Whatever looks different is walked.
//!
//! Shapes are those of stretches of a message, and known when the decoder is compiled. One that
//! learned the shape of the last whole message would have to keep it between calls, and would miss
//! wherever a table holds TCP and UDP side by side, as most tables do.
//!
//! ```
//! use nl_wire::{Attrs, Writer, shape};
//!
//! let mut bytes = Vec::new();
//! let mut writer = Writer::attributes(&mut bytes);
//! writer.u32(15, 254); // RTA_TABLE
//! writer.u32(4, 3); // RTA_OIF
//!
//! let mut attrs = Attrs::new(&bytes);
//! let usual = shape::take::<16, 2>(&mut attrs, [(0, 8, 15), (8, 8, 4)]).expect("both");
//! assert_eq!((shape::u32(usual, 4), shape::u32(usual, 12)), (254, 3));
//! assert!(attrs.rest().is_empty());
//! ```

use crate::attr::{ATTR_HEADER_LEN, Attrs};

/// An attribute header that should be there: where, with which length (itself included, the padding
/// behind the payload not), and of which type, flag bits included.
pub type Expected = (usize, usize, u16);

/// Whether all headers are where they should be.
///
/// # Panics
/// If one should be beyond the end of `bytes`.
#[inline(always)]
#[allow(clippy::inline_always)] // the numbers must be constants where the bytes are compared
pub fn is<const N: usize, const H: usize>(bytes: &[u8; N], headers: [Expected; H]) -> bool {
    // No way out within the loop, so that it becomes a row of comparisons.
    let mut difference = 0;
    for (at, length, raw_type) in headers {
        let found = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
        difference |= u32::from_ne_bytes(found) ^ header(length, raw_type);
    }
    difference == 0
}

/// Takes the next `N` bytes off a walk if all headers are where they should be in them: whole
/// attributes, the first of which begins the walk. Otherwise the walk stays where it is.
///
/// # Panics
/// If a header should be beyond `N` bytes.
#[inline(always)]
#[allow(clippy::inline_always)]
pub fn take<'a, const N: usize, const H: usize>(
    attrs: &mut Attrs<'a>,
    headers: [Expected; H],
) -> Option<&'a [u8; N]> {
    const { assert!(N % ATTR_HEADER_LEN == 0) };
    let (bytes, rest) = attrs.rest().split_first_chunk::<N>()?;
    if !is(bytes, headers) {
        return None;
    }
    *attrs = Attrs::new(rest);
    Some(bytes)
}

/// A stretch of attributes that may be at the front of a walk: its bytes, or zeros.
///
/// For objects of many optional values: first all stretches are taken, then the object is made at
/// once, where it is returned. Values are read whether they are there or not, which costs no branch;
/// an object that is filled step by step is made in one place and moved to another, and a move right
/// behind the stores waits for them.
///
/// ```
/// use nl_wire::{Attrs, Writer, shape};
///
/// let mut bytes = Vec::new();
/// Writer::attributes(&mut bytes).u32(4, 3); // RTA_OIF
///
/// let mut attrs = Attrs::new(&bytes);
/// let priority = shape::Stretch::take(&mut attrs, [(0, 8, 6)]);
/// let oif = shape::Stretch::take(&mut attrs, [(0, 8, 4)]);
/// assert_eq!(oif.read(|bytes: &[u8; 8]| shape::u32(bytes, 4)), Some(3));
/// assert_eq!(priority.read(|bytes: &[u8; 8]| shape::u32(bytes, 4)), None);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Stretch<'a, const N: usize>(&'a [u8; N]);

impl<'a, const N: usize> Stretch<'a, N> {
    /// No such stretch.
    pub const NONE: Self = Self(&[0; N]);

    /// Takes the stretch off the front of a walk if it is there, as [`take`] does.
    ///
    /// # Panics
    /// If a header should be beyond `N` bytes.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub fn take<const H: usize>(attrs: &mut Attrs<'a>, headers: [Expected; H]) -> Self {
        match take(attrs, headers) {
            Some(bytes) => Self(bytes),
            None => Self::NONE,
        }
    }

    /// Whether it is there: no attribute begins with a length of 0.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub fn is_there(self) -> bool {
        u32(self.0, 0) != 0
    }

    /// What `read` makes of the bytes, if they are there; it is asked either way.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub fn read<T>(self, read: impl FnOnce(&'a [u8; N]) -> T) -> Option<T> {
        let value = read(self.0);
        if self.is_there() { Some(value) } else { None }
    }

    /// The part of it that begins at `at`, where another attribute does.
    ///
    /// # Panics
    /// If that part ends beyond `N` bytes.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub fn part<const M: usize>(self, at: usize) -> Stretch<'a, M> {
        Stretch(self.0[at..].first_chunk().expect("a part"))
    }
}

/// The header of an attribute with such a length (below 256) and type, as a number in host byte order.
#[inline(always)]
#[allow(clippy::inline_always)]
pub const fn header(length: usize, raw_type: u16) -> u32 {
    debug_assert!(length < 256); // all are short
    #[allow(clippy::cast_possible_truncation)]
    let ([l0, l1], [t0, t1]) = ((length as u16).to_ne_bytes(), raw_type.to_ne_bytes());
    u32::from_ne_bytes([l0, l1, t0, t1])
}

/// The `M` bytes at `at`.
///
/// # Panics
/// If they end beyond the end of `bytes`.
#[inline(always)]
#[allow(clippy::inline_always)]
pub fn bytes<const N: usize, const M: usize>(bytes: &[u8; N], at: usize) -> [u8; M] {
    let mut found = [0; M];
    found.copy_from_slice(&bytes[at..at + M]);
    found
}

macro_rules! numbers {
    ($($(#[$meta:meta])* $name:ident: $type:ty = $convert:ident;)*) => {
        $(
            $(#[$meta])*
            ///
            /// # Panics
            /// If it ends beyond the end of `bytes`.
            #[inline(always)]
            #[allow(clippy::inline_always)]
            pub fn $name<const N: usize>(bytes: &[u8; N], at: usize) -> $type {
                <$type>::$convert(self::bytes(bytes, at))
            }
        )*
    };
}

numbers! {
    /// The 16-bit number in network byte order at `at`.
    u16_be: u16 = from_be_bytes;
    /// The 32-bit number in network byte order at `at`.
    u32_be: u32 = from_be_bytes;
    /// The 64-bit number in network byte order at `at`.
    u64_be: u64 = from_be_bytes;
    /// The 32-bit number in host byte order at `at`.
    u32: u32 = from_ne_bytes;
}
