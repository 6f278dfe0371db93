//! One direction of a flow: `CTA_TUPLE_*`.

use core::net::{IpAddr, Ipv4Addr};

use nl_wire::attr::{Attr, Attrs, NLA_F_NESTED};
use nl_wire::value::AddressFamily;
use nl_wire::{Error, Writer, shape};

use crate::tables::{
    CTA_IP_V4_DST, CTA_IP_V4_SRC, CTA_IP_V6_DST, CTA_IP_V6_SRC, CTA_PROTO_DST_PORT,
    CTA_PROTO_ICMP_CODE, CTA_PROTO_ICMP_ID, CTA_PROTO_ICMP_TYPE, CTA_PROTO_ICMPV6_CODE,
    CTA_PROTO_ICMPV6_ID, CTA_PROTO_ICMPV6_TYPE, CTA_PROTO_NUM, CTA_PROTO_SRC_PORT, CTA_TUPLE_IP,
    CTA_TUPLE_PROTO, CTA_TUPLE_ZONE, TUPLE,
};
use crate::value::IpProtocol;

/// One direction of a flow, as its packets look on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tuple {
    /// `CTA_IP_V4_SRC`, `CTA_IP_V6_SRC`.
    pub source: IpAddr,
    /// `CTA_IP_V4_DST`, `CTA_IP_V6_DST`.
    pub destination: IpAddr,
    /// `CTA_PROTO_NUM`.
    pub protocol: IpProtocol,
    /// What the protocol tells flows apart by.
    pub l4: L4,
    /// `CTA_TUPLE_ZONE`: the zone of this direction, where the other one has none or another. The
    /// zone of both directions is in [`Flow::zone`](crate::Flow::zone).
    pub zone: Option<u16>,
}

/// What the packets of one direction are told apart by, beside addresses and protocol.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum L4 {
    /// Nothing: the protocol is tracked by its addresses alone.
    #[default]
    None,
    /// TCP, UDP, `UDPlite`, SCTP and DCCP: ports. GRE: keys (call ids).
    Ports {
        /// `CTA_PROTO_SRC_PORT`.
        source: u16,
        /// `CTA_PROTO_DST_PORT`.
        destination: u16,
    },
    /// ICMP and `ICMPv6`.
    Icmp {
        /// `CTA_PROTO_ICMP_ID`, `CTA_PROTO_ICMPV6_ID`.
        id: u16,
        /// `CTA_PROTO_ICMP_TYPE`, `CTA_PROTO_ICMPV6_TYPE`.
        kind: u8,
        /// `CTA_PROTO_ICMP_CODE`, `CTA_PROTO_ICMPV6_CODE`.
        code: u8,
    },
}

/// ICMP types that ask, and those that answer.
const ICMP_PAIRS: [(u8, u8); 4] = [(8, 0), (13, 14), (15, 16), (17, 18)];
/// `ICMPv6` types that ask, and those that answer.
const ICMPV6_PAIRS: [(u8, u8); 2] = [(128, 129), (139, 140)];

impl Default for Tuple {
    /// All zero, IPv4.
    fn default() -> Self {
        let none = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Self::new(IpProtocol::default(), none, none, L4::None)
    }
}

impl Tuple {
    /// A tuple without a zone of its own.
    pub const fn new(protocol: IpProtocol, source: IpAddr, destination: IpAddr, l4: L4) -> Self {
        Self { source, destination, protocol, l4, zone: None }
    }

    /// A tuple of a protocol with ports (TCP, UDP, …).
    pub const fn with_ports(
        protocol: IpProtocol,
        source: (IpAddr, u16),
        destination: (IpAddr, u16),
    ) -> Self {
        let l4 = L4::Ports { source: source.1, destination: destination.1 };
        Self::new(protocol, source.0, destination.0, l4)
    }

    /// The address family, by the source.
    pub const fn family(&self) -> AddressFamily {
        AddressFamily::of(self.source)
    }

    /// The source port; `None` for protocols without ports.
    pub const fn source_port(&self) -> Option<u16> {
        match self.l4 {
            L4::Ports { source, .. } => Some(source),
            _ => None,
        }
    }

    /// The destination port; `None` for protocols without ports.
    pub const fn destination_port(&self) -> Option<u16> {
        match self.l4 {
            L4::Ports { destination, .. } => Some(destination),
            _ => None,
        }
    }

    /// The tuple of the answers, if nothing is translated: source and destination change places, an
    /// ICMP question becomes its answer and the other way round. ICMP types that have no answer
    /// stay. The zone, which belongs to a direction, is left out.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let l4 = match self.l4 {
            L4::None => L4::None,
            L4::Ports { source, destination } => {
                L4::Ports { source: destination, destination: source }
            }
            L4::Icmp { id, kind, code } => {
                let pairs = match self.protocol {
                    IpProtocol::ICMPV6 => &ICMPV6_PAIRS[..],
                    _ => &ICMP_PAIRS[..],
                };
                let kind = pairs
                    .iter()
                    .find_map(|&(asks, answers)| match kind {
                        _ if kind == asks => Some(answers),
                        _ if kind == answers => Some(asks),
                        _ => None,
                    })
                    .unwrap_or(kind);
                L4::Icmp { id, kind, code }
            }
        };
        Self::new(self.protocol, self.destination, self.source, l4)
    }

    /// Reads the payload of a `CTA_TUPLE_*`.
    ///
    /// # Errors
    /// If an address or the protocol number is missing, or anything is of the wrong length; the
    /// path begins inside the tuple.
    #[inline]
    pub fn decode(payload: &[u8]) -> Result<Self, Error> {
        match Self::read(payload, &mut false) {
            Ok(tuple) => Ok(tuple),
            Err(error) => Err(error.in_table(&TUPLE)),
        }
    }

    /// Reads the payload of a `CTA_TUPLE_*`; sets `strange` if something in it is not known.
    #[inline]
    pub(crate) fn read(payload: &[u8], strange: &mut bool) -> Result<Self, Error> {
        Self::usual(payload).map_or_else(|| Self::walk(payload, strange), Ok)
    }

    /// Takes the attribute `number` off the front of a walk, if it is a tuple of the usual shape.
    // Inlined, so that no tuple is written only to be moved.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub(crate) fn take(number: u16, attrs: &mut Attrs<'_>) -> Option<Self> {
        let (header, rest) = attrs.rest().split_first_chunk()?;
        let header = u32::from_ne_bytes(*header);
        macro_rules! usual {
            ($($length:literal $read:ident $address:literal)*) => {$(
                if header == shape::header($length + 4, number | NLA_F_NESTED) {
                    let (bytes, rest) = rest.split_first_chunk()?;
                    let tuple = Self::$read::<$address, $length>(bytes)?;
                    *attrs = Attrs::new(rest);
                    return Some(tuple);
                }
            )*};
        }
        usual! { 48 ports 4  72 ports 16  56 icmp 4  80 icmp 16 }
        None
    }

    /// A tuple with ports or of ICMP and without a zone, if all is as the kernel writes it.
    #[inline]
    fn usual(payload: &[u8]) -> Option<Self> {
        match payload.len() {
            48 => Self::ports::<4, 48>(payload.first_chunk()?),
            72 => Self::ports::<16, 72>(payload.first_chunk()?),
            56 => Self::icmp::<4, 56>(payload.first_chunk()?),
            80 => Self::icmp::<16, 80>(payload.first_chunk()?),
            _ => None,
        }
    }

    /// `A` is the length of an address, `N` that of the tuple.
    #[inline]
    fn ports<const A: usize, const N: usize>(bytes: &[u8; N]) -> Option<Self> {
        let usual = shape::is(
            bytes,
            [
                (12 + 2 * A, 28, CTA_TUPLE_PROTO | NLA_F_NESTED),
                (24 + 2 * A, 6, CTA_PROTO_SRC_PORT),
                (32 + 2 * A, 6, CTA_PROTO_DST_PORT),
            ],
        );
        let port = |at| shape::u16_be(bytes, at);
        let l4 = L4::Ports { source: port(28 + 2 * A), destination: port(36 + 2 * A) };
        if usual { Self::addresses::<A, N>(bytes, l4) } else { None }
    }

    #[inline]
    fn icmp<const A: usize, const N: usize>(bytes: &[u8; N]) -> Option<Self> {
        let [id, kind, code] = if A == 4 { ICMP_NUMBERS } else { ICMPV6_NUMBERS };
        let usual = shape::is(
            bytes,
            [
                (12 + 2 * A, 36, CTA_TUPLE_PROTO | NLA_F_NESTED),
                (24 + 2 * A, 6, id),
                (32 + 2 * A, 5, kind),
                (40 + 2 * A, 5, code),
            ],
        );
        let id = shape::u16_be(bytes, 28 + 2 * A);
        let l4 = L4::Icmp { id, kind: bytes[36 + 2 * A], code: bytes[44 + 2 * A] };
        if usual { Self::addresses::<A, N>(bytes, l4) } else { None }
    }

    /// Addresses and protocol, which all usual tuples have in the same places.
    #[inline]
    fn addresses<const A: usize, const N: usize>(bytes: &[u8; N], l4: L4) -> Option<Self> {
        let (source, destination) =
            if A == 4 { (CTA_IP_V4_SRC, CTA_IP_V4_DST) } else { (CTA_IP_V6_SRC, CTA_IP_V6_DST) };
        let usual = shape::is(
            bytes,
            [
                (0, 12 + 2 * A, CTA_TUPLE_IP | NLA_F_NESTED),
                (4, 4 + A, source),
                (8 + A, 4 + A, destination),
                (16 + 2 * A, 5, CTA_PROTO_NUM),
            ],
        );
        let address = |at: usize| {
            if A == 4 {
                IpAddr::from(shape::bytes::<N, 4>(bytes, at))
            } else {
                IpAddr::from(shape::bytes::<N, 16>(bytes, at))
            }
        };
        let protocol = IpProtocol(bytes[20 + 2 * A]);
        usual.then(|| Self::new(protocol, address(8), address(12 + A), l4))
    }

    #[inline(never)]
    fn walk(payload: &[u8], strange: &mut bool) -> Result<Self, Error> {
        let mut addresses = None;
        let mut layer4 = None;
        let mut zone = None;
        let mut attrs = Attrs::new(payload);
        while let Some(attr) = attrs.step() {
            match attr.number() {
                CTA_TUPLE_IP => {
                    addresses = Some(read_ip(&attr, strange).map_err(|e| e.within(CTA_TUPLE_IP))?);
                }
                CTA_TUPLE_PROTO => {
                    layer4 =
                        Some(read_proto(&attr, strange).map_err(|e| e.within(CTA_TUPLE_PROTO))?);
                }
                CTA_TUPLE_ZONE => zone = Some(attr.u16_be()?),
                _ => *strange = true,
            }
        }
        attrs.finish()?;
        let Some((source, destination)) = addresses else {
            return Err(Error::missing(CTA_TUPLE_IP));
        };
        let Some((protocol, l4)) = layer4 else {
            return Err(Error::missing(CTA_TUPLE_PROTO));
        };
        Ok(Self { source, destination, protocol, l4, zone })
    }

    /// Writes the tuple as the attribute `number`.
    ///
    /// # Errors
    /// None that a tuple could give.
    #[inline]
    pub fn write(&self, writer: &mut Writer<'_>, number: u16) -> Result<(), Error> {
        writer.nest(number, |w| {
            w.nest(CTA_TUPLE_IP, |w| {
                let number = |address: IpAddr, v4, v6| if address.is_ipv4() { v4 } else { v6 };
                w.ip(number(self.source, CTA_IP_V4_SRC, CTA_IP_V6_SRC), self.source);
                w.ip(number(self.destination, CTA_IP_V4_DST, CTA_IP_V6_DST), self.destination);
                Ok(())
            })?;
            w.nest(CTA_TUPLE_PROTO, |w| {
                w.u8(CTA_PROTO_NUM, self.protocol.0);
                match self.l4 {
                    L4::None => {}
                    L4::Ports { source, destination } => {
                        w.u16_be(CTA_PROTO_SRC_PORT, source);
                        w.u16_be(CTA_PROTO_DST_PORT, destination);
                    }
                    L4::Icmp { id, kind, code } => {
                        let numbers = match self.protocol {
                            IpProtocol::ICMPV6 => ICMPV6_NUMBERS,
                            _ => ICMP_NUMBERS,
                        };
                        w.u16_be(numbers[0], id);
                        w.u8(numbers[1], kind);
                        w.u8(numbers[2], code);
                    }
                }
                Ok(())
            })?;
            if let Some(zone) = self.zone {
                w.u16_be(CTA_TUPLE_ZONE, zone);
            }
            Ok(())
        })
    }
}

const ICMP_NUMBERS: [u16; 3] = [CTA_PROTO_ICMP_ID, CTA_PROTO_ICMP_TYPE, CTA_PROTO_ICMP_CODE];
const ICMPV6_NUMBERS: [u16; 3] =
    [CTA_PROTO_ICMPV6_ID, CTA_PROTO_ICMPV6_TYPE, CTA_PROTO_ICMPV6_CODE];

/// Reads a `CTA_TUPLE_IP`.
#[inline]
fn read_ip(attr: &Attr<'_>, strange: &mut bool) -> Result<(IpAddr, IpAddr), Error> {
    let (mut source, mut destination) = (None, None);
    let mut attrs = attr.nested();
    while let Some(attr) = attrs.step() {
        match attr.number() {
            CTA_IP_V4_SRC => source = Some(IpAddr::V4(attr.ipv4()?)),
            CTA_IP_V4_DST => destination = Some(IpAddr::V4(attr.ipv4()?)),
            CTA_IP_V6_SRC => source = Some(IpAddr::V6(attr.ipv6()?)),
            CTA_IP_V6_DST => destination = Some(IpAddr::V6(attr.ipv6()?)),
            _ => *strange = true,
        }
    }
    attrs.finish()?;
    match (source, destination) {
        (Some(source), Some(destination)) => Ok((source, destination)),
        (None, Some(IpAddr::V6(_))) => Err(Error::missing(CTA_IP_V6_SRC)),
        (None, _) => Err(Error::missing(CTA_IP_V4_SRC)),
        (Some(IpAddr::V4(_)), None) => Err(Error::missing(CTA_IP_V4_DST)),
        (Some(IpAddr::V6(_)), None) => Err(Error::missing(CTA_IP_V6_DST)),
    }
}

/// Reads a `CTA_TUPLE_PROTO`.
#[inline]
fn read_proto(attr: &Attr<'_>, strange: &mut bool) -> Result<(IpProtocol, L4), Error> {
    let mut protocol = None;
    let (mut source, mut destination) = (None, None);
    let (mut icmp_id, mut icmp_kind, mut icmp_code) = (None, None, None);
    let mut attrs = attr.nested();
    while let Some(attr) = attrs.step() {
        match attr.number() {
            CTA_PROTO_NUM => protocol = Some(IpProtocol(attr.u8()?)),
            CTA_PROTO_SRC_PORT => source = Some(attr.u16_be()?),
            CTA_PROTO_DST_PORT => destination = Some(attr.u16_be()?),
            CTA_PROTO_ICMP_ID | CTA_PROTO_ICMPV6_ID => icmp_id = Some(attr.u16_be()?),
            CTA_PROTO_ICMP_TYPE | CTA_PROTO_ICMPV6_TYPE => icmp_kind = Some(attr.u8()?),
            CTA_PROTO_ICMP_CODE | CTA_PROTO_ICMPV6_CODE => icmp_code = Some(attr.u8()?),
            _ => *strange = true,
        }
    }
    attrs.finish()?;
    let Some(protocol) = protocol else { return Err(Error::missing(CTA_PROTO_NUM)) };
    let l4 = match (source, destination, icmp_id, icmp_kind, icmp_code) {
        (None, None, None, None, None) => L4::None,
        (None, None, id, kind, code) => L4::Icmp {
            id: id.unwrap_or_default(),
            kind: kind.unwrap_or_default(),
            code: code.unwrap_or_default(),
        },
        (source, destination, ..) => L4::Ports {
            source: source.unwrap_or_default(),
            destination: destination.unwrap_or_default(),
        },
    };
    Ok((protocol, l4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shaped::every_change;

    /// The quick way reads what the walk reads, whatever the bytes.
    #[test]
    fn quick_and_thorough_agree() {
        let addresses = [([1; 4].into(), [2; 4].into()), ([1; 16].into(), [2; 16].into())];
        let icmp = [IpProtocol::ICMP, IpProtocol::ICMPV6];
        for ((source, destination), icmp) in addresses.into_iter().zip(icmp) {
            for (protocol, l4) in [
                (IpProtocol::TCP, L4::Ports { source: 3, destination: 4 }),
                (icmp, L4::Icmp { id: 3, kind: 8, code: 1 }),
            ] {
                let tuple = Tuple::new(protocol, source, destination, l4);
                every_change(
                    |writer| tuple.write(writer, 1),
                    |attr| {
                        let mut strange = [false; 2];
                        let quick = Tuple::read(attr.payload, &mut strange[0]);
                        assert_eq!(quick, Tuple::walk(attr.payload, &mut strange[1]));
                        assert_eq!(strange[0], strange[1]);
                    },
                );
            }
        }
    }
}
