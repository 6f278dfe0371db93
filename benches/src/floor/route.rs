//! A route, read by hand.

use super::{each_attribute, first, u16_at};

/// A next hop of several.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct PlainHop {
    /// The interface.
    pub ifindex: u32,
    /// The flags.
    pub flags: u8,
    /// The weight less one.
    pub hops: u8,
    /// The gateway; of an IPv4 address the first four bytes.
    pub gateway: [u8; 16],
    /// How many bytes of it count.
    pub gateway_length: usize,
}

/// All fields; bit n of `seen` tells whether attribute n was there.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Plain {
    /// Bits by the numbers of attributes.
    pub seen: u32,
    /// `struct rtmsg`.
    pub head: [u8; 12],
    /// The destination; of an IPv4 address the first four bytes.
    pub destination: [u8; 16],
    /// The source.
    pub source: [u8; 16],
    /// The gateway.
    pub gateway: [u8; 16],
    /// How many bytes of it count.
    pub gateway_length: usize,
    /// The preferred source.
    pub prefsrc: [u8; 16],
    /// Its length.
    pub prefsrc_length: usize,
    /// The table.
    pub table: u32,
    /// The interface.
    pub oif: u32,
    /// The interface of a lookup.
    pub iif: u32,
    /// The metric.
    pub priority: u32,
    /// The realms.
    pub realms: u32,
    /// The mark.
    pub mark: u32,
    /// The user.
    pub uid: u32,
    /// The nexthop object.
    pub nexthop_id: u32,
    /// The preference.
    pub preference: u8,
    /// The eight numbers of `struct rta_cacheinfo`.
    pub cache_info: [u32; 8],
    /// The metrics by number.
    pub metrics: [u32; 18],
    /// The next hops.
    pub multipath: Vec<PlainHop>,
}

/// Reads a message.
#[inline]
pub fn route(message: &[u8]) -> Plain {
    let head = message.get(16..28).map(first).unwrap_or_default();
    let mut route = Plain { head, ..Plain::default() };
    each_attribute(message.get(28..).unwrap_or_default(), |raw_type, payload| {
        let number = raw_type & 0x3fff;
        route.seen |= 1 << (number & 31);
        match number {
            1 => _ = address(payload, &mut route.destination),
            2 => _ = address(payload, &mut route.source),
            3 => route.iif = u32::from_ne_bytes(first(payload)),
            4 => route.oif = u32::from_ne_bytes(first(payload)),
            5 => route.gateway_length = address(payload, &mut route.gateway),
            6 => route.priority = u32::from_ne_bytes(first(payload)),
            7 => route.prefsrc_length = address(payload, &mut route.prefsrc),
            8 => each_attribute(payload, |raw_type, payload| {
                if let Some(slot) = route.metrics.get_mut(raw_type & 0x3fff) {
                    *slot = u32::from_ne_bytes(first(payload));
                }
            }),
            9 => hops(payload, &mut route.multipath),
            11 => route.realms = u32::from_ne_bytes(first(payload)),
            12 => {
                for (slot, word) in route.cache_info.iter_mut().zip(payload.chunks_exact(4)) {
                    *slot = u32::from_ne_bytes(first(word));
                }
            }
            15 => route.table = u32::from_ne_bytes(first(payload)),
            16 => route.mark = u32::from_ne_bytes(first(payload)),
            20 => [route.preference] = first(payload),
            25 => route.uid = u32::from_ne_bytes(first(payload)),
            30 => route.nexthop_id = u32::from_ne_bytes(first(payload)),
            _ => {}
        }
    });
    route
}

#[inline]
fn address(payload: &[u8], out: &mut [u8; 16]) -> usize {
    match payload.len() {
        4 => out[..4].copy_from_slice(&first::<4>(payload)),
        16 => *out = first(payload),
        _ => return 0,
    }
    payload.len()
}

#[inline]
fn hops(mut rest: &[u8], hops: &mut Vec<PlainHop>) {
    while rest.len() >= 8 {
        let Some(record) = rest.get(..u16_at(rest, 0)).filter(|record| record.len() >= 8) else {
            break;
        };
        let [_, _, flags, weight, i0, i1, i2, i3] = first(record);
        let ifindex = u32::from_ne_bytes([i0, i1, i2, i3]);
        let mut hop = PlainHop { ifindex, flags, hops: weight, ..PlainHop::default() };
        each_attribute(&record[8..], |raw_type, payload| {
            if raw_type & 0x3fff == 5 {
                hop.gateway_length = address(payload, &mut hop.gateway);
            }
        });
        hops.push(hop);
        rest = rest.get(record.len().next_multiple_of(4)..).unwrap_or_default();
    }
}
