//! The walk that anybody could write in an afternoon, without names, kinds or errors.

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

fn u16_at(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at..) {
        Some([first, second, ..]) => u16::from_ne_bytes([*first, *second]).into(),
        _ => 0,
    }
}

/// Walks the messages of a datagram; attributes begin `fixed` bytes behind each header.
pub fn messages(mut rest: &[u8], fixed: Option<usize>) -> Seen {
    let mut seen = Seen::default();
    while let Some([a, b, c, d, ..]) = rest.get(..16) {
        let length = u32::from_ne_bytes([*a, *b, *c, *d]) as usize;
        let Some(message) = rest.get(..length).filter(|message| message.len() >= 16) else { break };
        seen.messages += 1;
        if let Some(body) = fixed.and_then(|fixed| message.get(16 + fixed..)) {
            attributes(body, &mut seen);
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    seen
}

/// Walks attributes and what is nested in them.
pub fn attributes(mut rest: &[u8], seen: &mut Seen) {
    while rest.len() >= 4 {
        let length = u16_at(rest, 0);
        let Some(payload) = rest.get(4..length) else { break };
        seen.attributes += 1;
        if u16_at(rest, 2) & 0x8000 == 0 {
            seen.bytes += payload.len();
        } else {
            attributes(payload, seen);
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
}
