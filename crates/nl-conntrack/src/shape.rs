//! Nests of the usual shape.
//!
//! The kernel writes most nests always alike: the same attributes in the same order. Where that is
//! so a look at their headers tells where all values are, and the walk, which costs more than all
//! else in decoding, is saved. Whatever looks different is walked.

/// An attribute header that should be in a nest: where, with which length, and of which type.
pub(crate) type Expected = (usize, usize, u16);

/// Whether all headers are where they should be.
#[inline]
pub(crate) fn is<const N: usize, const H: usize>(bytes: &[u8; N], headers: [Expected; H]) -> bool {
    headers.into_iter().all(|(at, length, raw_type)| {
        let ([l0, l1], [t0, t1]) = (length_bytes(length), raw_type.to_ne_bytes());
        bytes[at..at + 4] == [l0, l1, t0, t1]
    })
}

/// The length of an attribute of such a nest: all are short.
#[inline]
const fn length_bytes(length: usize) -> [u8; 2] {
    debug_assert!(length < 256);
    #[allow(clippy::cast_possible_truncation)]
    (length as u16).to_ne_bytes()
}

#[cfg(test)]
pub(crate) mod tests {
    use alloc::vec::Vec;
    use nl_wire::{Attr, Error, Writer};

    /// The payload of the one attribute that `write` makes, as it is and with each byte changed to
    /// each value.
    pub(crate) fn every_change(
        write: impl FnOnce(&mut Writer<'_>) -> Result<(), Error>,
        check: impl Fn(&Attr<'_>),
    ) {
        let mut bytes = Vec::new();
        write(&mut Writer::attributes(&mut bytes)).unwrap();
        let mut payload = bytes.split_off(4);
        for index in 0..payload.len() {
            let before = payload[index];
            for value in (0..=u8::MAX).step_by(if cfg!(miri) { 64 } else { 1 }) {
                payload[index] = value;
                check(&Attr { raw_type: 1, payload: &payload });
            }
            payload[index] = before;
        }
    }
}
