//! Many short strings as one.
//!
//! A slice of strings takes 16 bytes for each, and a position-independent program 24 more to correct
//! its address when it starts. Tables of names are many such slices: so their strings lie one behind
//! the other in one, with an offset of two bytes each.

/// Strings, found by their index.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    text: &'static str,
    /// Where each ends in `text`.
    ends: &'static [u16],
}

impl Words {
    /// None.
    pub const NONE: Self = Self { text: "", ends: &[] };

    /// Those that stand one behind the other in `text`, each up to one of `ends`: what
    /// [`words!`](macro@crate::words) makes.
    pub const fn new(text: &'static str, ends: &'static [u16]) -> Self {
        Self { text, ends }
    }

    /// The string at `index`.
    pub fn get(&self, index: usize) -> Option<&'static str> {
        let end = *self.ends.get(index)?;
        let start =
            index.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end);
        self.text.get(usize::from(start)..usize::from(end))
    }

    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = &'static str> + use<> {
        let words = *self;
        (0..words.ends.len()).map_while(move |index| words.get(index))
    }
}

/// Makes [`Words`] of literals; none without the feature `names`.
///
/// ```
/// use nl_wire::words::Words;
///
/// const DIRECTIONS: Words = nl_wire::words!["in", concat!("o", "ut")];
/// # #[cfg(feature = "names")]
/// assert_eq!(DIRECTIONS.get(1), Some("out"));
/// ```
#[cfg(feature = "names")]
#[macro_export]
macro_rules! words {
    ($($word:expr),* $(,)?) => {
        $crate::words::Words::new(concat!($($word),*), &$crate::words::ends([$($word.len()),*]))
    };
}

/// None, for want of the feature `names`.
#[cfg(not(feature = "names"))]
#[macro_export]
macro_rules! words {
    ($($word:expr),* $(,)?) => {
        $crate::words::Words::NONE
    };
}

/// A name that is printed; empty without the feature `names`.
#[cfg(feature = "names")]
#[doc(hidden)]
#[macro_export]
macro_rules! name {
    ($name:expr) => {
        $name
    };
}

#[cfg(not(feature = "names"))]
#[doc(hidden)]
#[macro_export]
macro_rules! name {
    ($name:expr) => {
        ""
    };
}

/// The numbers that names belong to; none without the feature `names`.
#[cfg(feature = "names")]
#[doc(hidden)]
#[macro_export]
macro_rules! named_numbers {
    ($($number:expr),*) => {
        &[$($number),*]
    };
}

#[cfg(not(feature = "names"))]
#[doc(hidden)]
#[macro_export]
macro_rules! named_numbers {
    ($($number:expr),*) => {
        &[]
    };
}

/// What only names need, or what stands for it without the feature `names`.
#[cfg(feature = "names")]
#[doc(hidden)]
#[macro_export]
macro_rules! named_or {
    ($named:expr, $other:expr) => {
        $named
    };
}

#[cfg(not(feature = "names"))]
#[doc(hidden)]
#[macro_export]
macro_rules! named_or {
    ($named:expr, $other:expr) => {
        if false { $named } else { $other }
    };
}

/// What only names need; `None` without the feature `names`.
#[cfg(feature = "names")]
#[doc(hidden)]
#[macro_export]
macro_rules! if_named {
    ($value:expr) => {
        Some($value)
    };
}

#[cfg(not(feature = "names"))]
#[doc(hidden)]
#[macro_export]
macro_rules! if_named {
    ($value:expr) => {
        None
    };
}

/// Where each of the strings of these lengths ends when they stand one behind the other.
#[doc(hidden)]
pub const fn ends<const N: usize>(lengths: [usize; N]) -> [u16; N] {
    let mut ends = [0; N];
    let (mut index, mut end) = (0, 0);
    while index < N {
        end += lengths[index];
        assert!(end <= u16::MAX as usize, "too many words for offsets of two bytes");
        #[allow(clippy::cast_possible_truncation)] // as checked
        {
            ends[index] = end as u16;
        }
        index += 1;
    }
    ends
}
