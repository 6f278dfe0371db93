//! The floor to measure against: what anybody could write in an afternoon, as safe code as the rest,
//! without names, kinds or errors.
//!
//! [`messages`] walks and counts. [`flow`] and [`route`] read every field that the crates' decoders
//! read, into plain structures without optional values: bits tell which fields there were. Damage
//! ends a walk without a word.

mod flow;
mod route;

pub use flow::{Plain as PlainFlow, PlainTuple, flow, tuples};
pub use route::{Plain as PlainRoute, PlainHop, route};

/// What a walk saw; benches compare it with what the crates' walk saw.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// Messages.
    pub messages: usize,
    /// Attributes, those that hold attributes included.
    pub attributes: usize,
    /// Payload bytes of those that hold none.
    pub bytes: usize,
}

#[inline]
fn u16_at(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at..) {
        Some([first, second, ..]) => u16::from_ne_bytes([*first, *second]).into(),
        _ => 0,
    }
}

/// Calls `see` with each message of a datagram, its header included.
#[inline]
pub fn each_message(mut rest: &[u8], mut see: impl FnMut(&[u8])) {
    while let Some([a, b, c, d, ..]) = rest.get(..16) {
        let length = u32::from_ne_bytes([*a, *b, *c, *d]) as usize;
        let Some(message) = rest.get(..length).filter(|message| message.len() >= 16) else { break };
        see(message);
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
}

/// Calls `see` with the type and the payload of each attribute.
#[inline]
pub fn each_attribute(mut rest: &[u8], mut see: impl FnMut(usize, &[u8])) {
    while rest.len() >= 4 {
        let length = u16_at(rest, 0);
        let Some(payload) = rest.get(4..length) else { break };
        see(u16_at(rest, 2), payload);
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
}

/// Walks the messages of a datagram; attributes begin `fixed` bytes behind each header.
pub fn messages(bytes: &[u8], fixed: Option<usize>) -> Seen {
    let mut seen = Seen::default();
    each_message(bytes, |message| {
        seen.messages += 1;
        if let Some(body) = fixed.and_then(|fixed| message.get(16 + fixed..)) {
            attributes(body, &mut seen);
        }
    });
    seen
}

/// Walks attributes and what is nested in them.
pub fn attributes(bytes: &[u8], seen: &mut Seen) {
    each_attribute(bytes, |raw_type, payload| {
        seen.attributes += 1;
        if raw_type & 0x8000 == 0 {
            seen.bytes += payload.len();
        } else {
            attributes(payload, seen);
        }
    });
}

/// The first bytes of a payload; zeros if there are fewer.
#[inline]
fn first<const N: usize>(payload: &[u8]) -> [u8; N] {
    payload.first_chunk().copied().unwrap_or([0; N])
}
