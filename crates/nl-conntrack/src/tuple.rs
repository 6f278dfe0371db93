//! One direction of a flow: `CTA_TUPLE_*`.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use nl_wire::attr::{ATTR_HEADER_LEN, Attr, Attrs, NLA_F_NESTED};
use nl_wire::value::AddressFamily;
use nl_wire::{Error, Writer, shape};

use crate::tables::{
    CTA_IP_V4_DST, CTA_IP_V4_SRC, CTA_IP_V6_DST, CTA_IP_V6_SRC, CTA_PROTO_DST_PORT,
    CTA_PROTO_ICMP_CODE, CTA_PROTO_ICMP_ID, CTA_PROTO_ICMP_TYPE, CTA_PROTO_ICMPV6_CODE,
    CTA_PROTO_ICMPV6_ID, CTA_PROTO_ICMPV6_TYPE, CTA_PROTO_NUM, CTA_PROTO_SRC_PORT, CTA_TUPLE_IP,
    CTA_TUPLE_ORIG, CTA_TUPLE_PROTO, CTA_TUPLE_REPLY, CTA_TUPLE_ZONE, TUPLE,
};
use crate::value::IpProtocol;

/// One direction of a flow, as its packets look on the wire. `Display` is for logs; conntrack(8)'s
/// form is that of `text`.
///
/// ```
/// use nl_conntrack::{IpProtocol, Tuple};
///
/// let client = ("2001:db8::1".parse()?, 4000);
/// let tuple = Tuple::with_ports(IpProtocol::UDP, client, ("2001:db8::2".parse()?, 53));
/// assert_eq!(tuple.to_string(), "UDP [2001:db8::1]:4000 -> [2001:db8::2]:53");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

impl fmt::Display for Tuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, destination, protocol, .. } = *self;
        match self.l4 {
            L4::None => write!(f, "{protocol:?} {source} -> {destination}"),
            L4::Ports { source: from, destination: to } => {
                let (source, destination) =
                    (SocketAddr::new(source, from), SocketAddr::new(destination, to));
                write!(f, "{protocol:?} {source} -> {destination}")
            }
            L4::Icmp { id, kind, code } => {
                write!(f, "{protocol:?} {source} -> {destination} type {kind} code {code} id {id}")
            }
        }?;
        self.zone.map_or(Ok(()), |zone| write!(f, " zone {zone}"))
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
        Self::quick(payload).map_or_else(|| Self::walk(payload, strange), Ok)
    }

    /// Takes both tuples off the front of a walk, which are told first and always alike. `A` is the
    /// length of an address, `N` that of both: see [`by_form`].
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub(crate) fn take_both<'a, const A: usize, const ICMP: bool, const N: usize>(
        attrs: &mut Attrs<'a>,
    ) -> Option<&'a [u8; N]> {
        let (bytes, rest) = attrs.rest().split_first_chunk::<N>()?;
        let headers = [
            (0, N / 2, CTA_TUPLE_ORIG | NLA_F_NESTED),
            (N / 2, N / 2, CTA_TUPLE_REPLY | NLA_F_NESTED),
        ];
        let usual = shape::is(bytes, headers)
            && Self::is_usual::<A, ICMP, N>(bytes, ATTR_HEADER_LEN)
            && Self::is_usual::<A, ICMP, N>(bytes, N / 2 + ATTR_HEADER_LEN);
        if !usual {
            return None;
        }
        *attrs = Attrs::new(rest);
        Some(bytes)
    }

    /// Reads what [`Tuple::take_both`] took: late, so that no tuple is written only to be moved.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub(crate) fn both<const A: usize, const ICMP: bool, const N: usize>(
        bytes: &[u8; N],
    ) -> (Self, Self) {
        let usual = |at| Self::usual::<A, ICMP, N>(bytes, at + ATTR_HEADER_LEN);
        (usual(0), usual(N / 2))
    }

    /// Reads a payload of the usual shape.
    #[inline]
    fn quick(payload: &[u8]) -> Option<Self> {
        macro_rules! usual {
            ($($address:literal $icmp:literal $length:literal)*) => {
                match payload.len() {
                    $($length => {
                        let bytes = payload.first_chunk::<$length>()?;
                        Self::is_usual::<$address, $icmp, $length>(bytes, 0)
                            .then(|| Self::usual::<$address, $icmp, $length>(bytes, 0))
                    })*
                    _ => None,
                }
            };
        }
        usual! { 4 false 48  16 false 72  4 true 56  16 true 80 }
    }

    /// Whether there is a tuple at `at` as the kernel writes it: addresses, protocol and ports or
    /// what ICMP has, without a zone.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn is_usual<const A: usize, const ICMP: bool, const N: usize>(
        bytes: &[u8; N],
        at: usize,
    ) -> bool {
        let (source, destination) =
            if A == 4 { (CTA_IP_V4_SRC, CTA_IP_V4_DST) } else { (CTA_IP_V6_SRC, CTA_IP_V6_DST) };
        let proto = at + 12 + 2 * A;
        let common = [
            (at, 12 + 2 * A, CTA_TUPLE_IP | NLA_F_NESTED),
            (at + 4, 4 + A, source),
            (at + 8 + A, 4 + A, destination),
            (proto, if ICMP { 36 } else { 28 }, CTA_TUPLE_PROTO | NLA_F_NESTED),
            (proto + 4, 5, CTA_PROTO_NUM),
        ];
        if ICMP {
            let [id, kind, code] = if A == 4 { ICMP_NUMBERS } else { ICMPV6_NUMBERS };
            let own = [(proto + 12, 6, id), (proto + 20, 5, kind), (proto + 28, 5, code)];
            shape::is(bytes, common) && shape::is(bytes, own)
        } else {
            let own = [(proto + 12, 6, CTA_PROTO_SRC_PORT), (proto + 20, 6, CTA_PROTO_DST_PORT)];
            shape::is(bytes, common) && shape::is(bytes, own)
        }
    }

    /// The usual tuple at `at`.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn usual<const A: usize, const ICMP: bool, const N: usize>(bytes: &[u8; N], at: usize) -> Self {
        let address = |at: usize| {
            if A == 4 {
                IpAddr::from(shape::bytes::<N, 4>(bytes, at))
            } else {
                IpAddr::from(shape::bytes::<N, 16>(bytes, at))
            }
        };
        let proto = at + 12 + 2 * A;
        let first = shape::u16_be(bytes, proto + 16);
        let l4 = if ICMP {
            L4::Icmp { id: first, kind: bytes[proto + 24], code: bytes[proto + 32] }
        } else {
            L4::Ports { source: first, destination: shape::u16_be(bytes, proto + 24) }
        };
        let protocol = IpProtocol(bytes[proto + 8]);
        Self::new(protocol, address(at + 8), address(at + 12 + A), l4)
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

/// Calls a function, generic as [`Tuple::take_both`], by what the first header of a walk announces;
/// another expression if that is no usual tuple.
macro_rules! by_form {
    ($attrs:expr, $of:ident::$function:ident$(<$out:ty>)?($($argument:expr),*), else $other:expr) => {{
        let found = $attrs.rest().first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes));
        if found == $crate::tuple::first(52) {
            $of::$function::<4, false, 104$(, $out)?>($($argument),*)
        } else if found == $crate::tuple::first(76) {
            $of::$function::<16, false, 152$(, $out)?>($($argument),*)
        } else if found == $crate::tuple::first(60) {
            $of::$function::<4, true, 120$(, $out)?>($($argument),*)
        } else if found == $crate::tuple::first(84) {
            $of::$function::<16, true, 168$(, $out)?>($($argument),*)
        } else {
            $other
        }
    }};
}
pub(crate) use by_form;

/// The header of a `CTA_TUPLE_ORIG` of that length.
pub(crate) const fn first(length: usize) -> u32 {
    shape::header(length, CTA_TUPLE_ORIG | NLA_F_NESTED)
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
