//! A flow, read by hand.

use super::{each_attribute, first};

/// One direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PlainTuple {
    /// The source; of an IPv4 address the first four bytes.
    pub source: [u8; 16],
    /// The destination.
    pub destination: [u8; 16],
    /// Whether the addresses have 16 bytes.
    pub v6: bool,
    /// The protocol.
    pub protocol: u8,
    /// The source port.
    pub source_port: u16,
    /// The destination port.
    pub destination_port: u16,
    /// Id, type and code of ICMP.
    pub icmp: (u16, u8, u8),
    /// The zone.
    pub zone: u16,
}

/// What the tracker of a protocol knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PlainTcp {
    /// The state.
    pub state: u8,
    /// Window scales, original and reply.
    pub scales: [u8; 2],
    /// Flags and mask, original and reply.
    pub flags: [[u8; 2]; 2],
}

/// All fields; bit n of `seen` tells whether attribute n was there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Plain {
    /// Bits by the numbers of attributes.
    pub seen: u32,
    /// The address family.
    pub family: u8,
    /// The original direction.
    pub original: PlainTuple,
    /// The reply direction.
    pub reply: PlainTuple,
    /// State of TCP.
    pub tcp: PlainTcp,
    /// Status bits.
    pub status: u32,
    /// Seconds left.
    pub timeout: u32,
    /// The mark.
    pub mark: u32,
    /// The id.
    pub id: u32,
    /// The zone.
    pub zone: u16,
    /// References.
    pub use_count: u32,
    /// Packets and bytes of the original direction.
    pub original_counters: [u64; 2],
    /// Packets and bytes of the reply direction.
    pub reply_counters: [u64; 2],
    /// Begin and end.
    pub times: [u64; 2],
    /// What the SYN proxy keeps.
    pub synproxy: [u32; 3],
}

/// Reads a message.
#[inline]
pub fn flow(message: &[u8]) -> Plain {
    let mut flow = Plain { family: message.get(16).copied().unwrap_or(0), ..Plain::default() };
    each_attribute(message.get(20..).unwrap_or_default(), |raw_type, payload| {
        let number = raw_type & 0x3fff;
        flow.seen |= 1 << (number & 31);
        match number {
            1 => tuple(payload, &mut flow.original),
            2 => tuple(payload, &mut flow.reply),
            3 => flow.status = u32::from_be_bytes(first(payload)),
            4 => each_attribute(payload, |raw_type, payload| {
                if raw_type & 0x3fff == 1 {
                    each_attribute(payload, |raw_type, payload| match raw_type & 0x3fff {
                        1 => [flow.tcp.state] = first(payload),
                        2 => [flow.tcp.scales[0]] = first(payload),
                        3 => [flow.tcp.scales[1]] = first(payload),
                        4 => flow.tcp.flags[0] = first(payload),
                        5 => flow.tcp.flags[1] = first(payload),
                        _ => {}
                    });
                }
            }),
            7 => flow.timeout = u32::from_be_bytes(first(payload)),
            8 => flow.mark = u32::from_be_bytes(first(payload)),
            9 => pair(payload, &mut flow.original_counters),
            10 => pair(payload, &mut flow.reply_counters),
            11 => flow.use_count = u32::from_be_bytes(first(payload)),
            12 => flow.id = u32::from_be_bytes(first(payload)),
            18 => flow.zone = u16::from_be_bytes(first(payload)),
            20 => pair(payload, &mut flow.times),
            24 => each_attribute(payload, |raw_type, payload| {
                if let Some(slot) = flow.synproxy.get_mut((raw_type & 0x3fff).wrapping_sub(1)) {
                    *slot = u32::from_be_bytes(first(payload));
                }
            }),
            _ => {}
        }
    });
    flow
}

/// Both directions alone.
#[inline]
pub fn tuples(message: &[u8]) -> [PlainTuple; 2] {
    let mut tuples = [PlainTuple::default(); 2];
    each_attribute(message.get(20..).unwrap_or_default(), |raw_type, payload| {
        match raw_type & 0x3fff {
            1 => tuple(payload, &mut tuples[0]),
            2 => tuple(payload, &mut tuples[1]),
            _ => {}
        }
    });
    tuples
}

#[inline]
fn tuple(payload: &[u8], tuple: &mut PlainTuple) {
    each_attribute(payload, |raw_type, payload| match raw_type & 0x3fff {
        1 => each_attribute(payload, |raw_type, payload| match raw_type & 0x3fff {
            1 => tuple.source[..4].copy_from_slice(&first::<4>(payload)),
            2 => tuple.destination[..4].copy_from_slice(&first::<4>(payload)),
            3 => (tuple.source, tuple.v6) = (first(payload), true),
            4 => (tuple.destination, tuple.v6) = (first(payload), true),
            _ => {}
        }),
        2 => each_attribute(payload, |raw_type, payload| match raw_type & 0x3fff {
            1 => [tuple.protocol] = first(payload),
            2 => tuple.source_port = u16::from_be_bytes(first(payload)),
            3 => tuple.destination_port = u16::from_be_bytes(first(payload)),
            4 | 7 => tuple.icmp.0 = u16::from_be_bytes(first(payload)),
            5 | 8 => [tuple.icmp.1] = first(payload),
            6 | 9 => [tuple.icmp.2] = first(payload),
            _ => {}
        }),
        3 => tuple.zone = u16::from_be_bytes(first(payload)),
        _ => {}
    });
}

#[inline]
fn pair(payload: &[u8], numbers: &mut [u64; 2]) {
    each_attribute(payload, |raw_type, payload| match raw_type & 0x3fff {
        1 => numbers[0] = u64::from_be_bytes(first(payload)),
        2 => numbers[1] = u64::from_be_bytes(first(payload)),
        _ => {}
    });
}
