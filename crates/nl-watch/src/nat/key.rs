//! Tuples packed into words, and their hash.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;

use nl_conntrack::{Flow, IpProtocol, L4, Tuple};

/// Bits of a descriptor: what [`L4`] holds (16), zone (16 from 48), protocol (8 from 40), shape
/// (8 from 32), and the layer 4 word.
const ZONE: u32 = 48;
const PROTOCOL: u32 = 40;
const SHAPE: u32 = 32;

/// The shape's bit for IPv6, and its values for what the layer 4 word holds.
const IPV6: u64 = 1;
const PORTS: u64 = 2;
const ICMP: u64 = 4;

/// The bits of a descriptor that both directions of a flow have in common: protocol and shape.
pub(super) const KIND: u64 = 0xffff << SHAPE;

/// One direction of a flow, packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Side {
    /// Zone, protocol, shape, layer 4.
    pub(super) descriptor: u64,
    /// Source and destination: the first word for IPv4, all four for IPv6.
    pub(super) addresses: [u64; 4],
}

impl Side {
    /// Packs a tuple; `None` if its addresses are of two families. IPv6 addresses that stand for
    /// IPv4 ones are taken as these.
    #[inline]
    pub(super) fn pack(tuple: &Tuple, zone: u16) -> Option<Self> {
        let ends = (tuple.source.to_canonical(), tuple.destination.to_canonical());
        let (addresses, family) = match ends {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                let word = u64::from(source.to_bits()) << 32 | u64::from(destination.to_bits());
                ([word, 0, 0, 0], 0)
            }
            (IpAddr::V6(source), IpAddr::V6(destination)) => {
                let [a, b] = words(source.to_bits());
                let [c, d] = words(destination.to_bits());
                ([a, b, c, d], IPV6)
            }
            _ => return None,
        };
        let (shape, l4) = match tuple.l4 {
            L4::None => (0, 0),
            L4::Ports { source, destination } => {
                (PORTS, u64::from(source) << 16 | u64::from(destination))
            }
            L4::Icmp { id, kind, code } => {
                (ICMP, u64::from(id) << 16 | u64::from(kind) << 8 | u64::from(code))
            }
        };
        let descriptor = u64::from(zone) << ZONE
            | u64::from(tuple.protocol.0) << PROTOCOL
            | (family | shape) << SHAPE
            | l4;
        Some(Self { descriptor, addresses })
    }

    /// The tuple and its zone.
    #[inline]
    // Each number is taken from the bits that hold it.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn unpack(&self) -> (Tuple, u16) {
        let bits = self.descriptor;
        let [a, b, c, d] = self.addresses;
        let (source, destination) = if is_ipv6(bits) {
            let address =
                |high, low| IpAddr::from((u128::from(high) << 64 | u128::from(low)).to_be_bytes());
            (address(a, b), address(c, d))
        } else {
            let address = |word: u32| IpAddr::from(word.to_be_bytes());
            (address((a >> 32) as u32), address(a as u32))
        };
        let (high, low) = ((bits >> 16) as u16, bits as u16);
        let l4 = match bits >> SHAPE & (PORTS | ICMP) {
            PORTS => L4::Ports { source: high, destination: low },
            ICMP => {
                let [kind, code] = low.to_be_bytes();
                L4::Icmp { id: high, kind, code }
            }
            _ => L4::None,
        };
        let protocol = IpProtocol((bits >> PROTOCOL) as u8);
        (Tuple::new(protocol, source, destination, l4), (bits >> ZONE) as u16)
    }
}

/// Whether a descriptor is of IPv6.
#[inline]
pub(super) const fn is_ipv6(descriptor: u64) -> bool {
    descriptor >> SHAPE & IPV6 != 0
}

// The halves of a number.
#[allow(clippy::cast_possible_truncation)]
const fn words(bits: u128) -> [u64; 2] {
    [(bits >> 64) as u64, bits as u64]
}

/// Both directions of a flow in a namespace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Record {
    pub(super) namespace: u64,
    /// The original direction, then the reply direction.
    pub(super) sides: [Side; 2],
}

impl Record {
    /// `None` if the tuples are not of one family and protocol, or the same.
    pub(super) fn new(namespace: u64, flow: &Flow) -> Option<Self> {
        // Each direction is looked up in its own zone, if it has one.
        let zone = |tuple: &Tuple| flow.zone.or(tuple.zone).unwrap_or_default();
        let original = Side::pack(&flow.original, zone(&flow.original))?;
        let reply = Side::pack(&flow.reply, zone(&flow.reply))?;
        let alike = (original.descriptor ^ reply.descriptor) & KIND == 0;
        (alike && original != reply).then_some(Self { namespace, sides: [original, reply] })
    }

    #[inline]
    pub(super) fn is_ipv6(&self) -> bool {
        is_ipv6(self.sides[0].descriptor)
    }
}

/// The secret that decides where keys are found: without it nobody can make flows that collide.
#[derive(Clone, Copy)]
pub(super) struct HashKey([u64; 2]);

impl HashKey {
    pub(super) fn random() -> Self {
        let state = RandomState::new();
        Self([state.hash_one(0), state.hash_one(1)])
    }

    /// The rounds of SipHash-1-3, the function of the standard library's maps, over whole words. Of
    /// the last state more is taken than its 64 bits. The length is not hashed: the descriptor
    /// tells it.
    #[inline]
    pub(super) fn hash(self, namespace: u64, side: &Side) -> Hash {
        self.seed(namespace).hash(side)
    }

    /// The first word is the namespace: the same for many lookups.
    #[inline]
    pub(super) fn seed(self, namespace: u64) -> Seed {
        let [k0, k1] = self.0;
        let state = [
            k0 ^ 0x736f_6d65_7073_6575,
            k1 ^ 0x646f_7261_6e64_6f6d,
            k0 ^ 0x6c79_6765_6e65_7261,
            k1 ^ 0x7465_6462_7974_6573,
        ];
        Seed(absorb(state, namespace))
    }
}

/// The state of a hash behind the namespace.
#[derive(Clone, Copy)]
pub(super) struct Seed([u64; 4]);

impl Seed {
    /// See [`HashKey::hash`].
    #[inline]
    pub(super) fn hash(self, side: &Side) -> Hash {
        let [first, rest @ ..] = side.addresses;
        let mut state = absorb(absorb(self.0, side.descriptor), first);
        if is_ipv6(side.descriptor) {
            state = rest.into_iter().fold(state, absorb);
        }
        state[2] ^= 0xff;
        let [a, b, c, d] = round(round(round(state)));
        Hash { home: a ^ b, tag: (c ^ d).max(1), check: a.wrapping_add(c) & KIND }
    }
}

/// Takes a word in.
#[inline]
fn absorb(mut state: [u64; 4], word: u64) -> [u64; 4] {
    state[3] ^= word;
    state = round(state);
    state[0] ^= word;
    state
}

/// What is known of a direction by its hash.
#[derive(Clone, Copy, Default)]
pub(super) struct Hash {
    /// Where it is looked for first.
    pub(super) home: u64,
    /// What tells it from others, and where else it is looked for: not 0.
    pub(super) tag: u64,
    /// More of what tells it from others: bits of [`KIND`].
    pub(super) check: u64,
}

/// A round of SipHash.
#[inline]
const fn round([mut a, mut b, mut c, mut d]: [u64; 4]) -> [u64; 4] {
    a = a.wrapping_add(b);
    b = b.rotate_left(13) ^ a;
    a = a.rotate_left(32);
    c = c.wrapping_add(d);
    d = d.rotate_left(16) ^ c;
    a = a.wrapping_add(d);
    d = d.rotate_left(21) ^ a;
    c = c.wrapping_add(b);
    b = b.rotate_left(17) ^ c;
    c = c.rotate_left(32);
    [a, b, c, d]
}
