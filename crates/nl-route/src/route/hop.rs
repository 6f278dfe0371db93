//! Next hops: `struct rtnexthop` (linux/rtnetlink.h) and what hops and single-hop routes share.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::net::IpAddr;

use nl_wire::attr::{Attr, Attrs};
use nl_wire::error::Problem;
use nl_wire::value::AddressFamily;
use nl_wire::{Error, RawAttr, Writer, shape};

use crate::tables::route::{RTA_ENCAP, RTA_ENCAP_TYPE, RTA_FLOW, RTA_GATEWAY, RTA_VIA};
use crate::value::{EncapType, HopFlags};

/// Length of `struct rtnexthop` in bytes.
pub(crate) const RTNEXTHOP_LEN: usize = 8;

/// Routing realms (`RTA_FLOW`): classes of traffic for accounting and traffic control.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Realms {
    /// The realm of the source; 0 is none.
    pub from: u16,
    /// The realm of the destination.
    pub to: u16,
}

impl From<u32> for Realms {
    #[inline]
    fn from(number: u32) -> Self {
        let [f0, f1, t0, t1] = number.to_be_bytes();
        Self { from: u16::from_be_bytes([f0, f1]), to: u16::from_be_bytes([t0, t1]) }
    }
}

impl From<Realms> for u32 {
    #[inline]
    fn from(realms: Realms) -> Self {
        Self::from(realms.from) << 16 | Self::from(realms.to)
    }
}

/// How the packets of a route are wrapped: `RTA_ENCAP_TYPE` and `RTA_ENCAP`.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Encap {
    /// The kind of wrapping.
    pub kind: EncapType,
    /// The bytes of `RTA_ENCAP`; what they mean depends on the kind.
    pub payload: Vec<u8>,
}

impl Encap {
    /// The attributes in the payload; their numbers depend on the kind.
    pub fn attributes(&self) -> Attrs<'_> {
        Attrs::new(&self.payload)
    }

    pub(crate) fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.bytes(RTA_ENCAP, &self.payload)?;
        writer.u16(RTA_ENCAP_TYPE, self.kind.0);
        Ok(())
    }
}

/// One of several next hops of a route (`RTA_MULTIPATH`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Hop {
    /// The interface's index.
    pub ifindex: u32,
    /// Its flags.
    pub flags: HopFlags,
    /// Its share of the traffic, 1 to 256; the wire has one less (`rtnh_hops`).
    pub weight: u16,
    /// The gateway; of another family than the route's it goes as `RTA_VIA`.
    pub gateway: Option<IpAddr>,
    /// Its realms.
    pub realms: Option<Realms>,
    /// How packets are wrapped.
    pub encap: Option<Box<Encap>>,
    /// Attributes that this crate does not know, in order.
    pub unknown: Vec<RawAttr>,
}

impl Default for Hop {
    /// A hop of weight 1 without interface or gateway.
    #[inline]
    fn default() -> Self {
        Self {
            ifindex: 0,
            flags: HopFlags(0),
            weight: 1,
            gateway: None,
            realms: None,
            encap: None,
            unknown: Vec::new(),
        }
    }
}

impl Hop {
    /// Reads all records, if each has a gateway of the route's family and nothing else, and there is
    /// one at all.
    #[inline(never)]
    pub(super) fn usual(payload: &[u8], family: AddressFamily) -> Option<Vec<Self>> {
        match family {
            AddressFamily::INET => Self::gateways::<16, 4>(payload),
            AddressFamily::INET6 => Self::gateways::<28, 16>(payload),
            _ => None,
        }
    }

    /// Records of N bytes with gateways of A bytes. First all are compared: then there is nothing
    /// left that could keep the list from being made at once.
    #[inline]
    fn gateways<const N: usize, const A: usize>(payload: &[u8]) -> Option<Vec<Self>>
    where
        IpAddr: From<[u8; A]>,
    {
        let is_usual = |record: &[u8]| {
            record.first_chunk::<N>().is_some_and(|record| {
                usize::from(u16::from_ne_bytes(shape::bytes(record, 0))) == N
                    && shape::is(record, [(RTNEXTHOP_LEN, N - RTNEXTHOP_LEN, RTA_GATEWAY)])
            })
        };
        let records = payload.chunks_exact(N);
        if payload.is_empty() || !records.remainder().is_empty() || !records.clone().all(is_usual) {
            return None;
        }
        let hop = |record: &[u8]| match record.first_chunk::<N>() {
            Some(record) => {
                let gateway = Some(shape::bytes::<N, A>(record, RTNEXTHOP_LEN + 4).into());
                Self { gateway, ..Self::of(shape::bytes(record, 0)) }
            }
            None => Self::default(),
        };
        Some(records.map(hop).collect())
    }

    /// What `struct rtnexthop` says.
    #[inline]
    fn of([_, _, flags, hops, i0, i1, i2, i3]: [u8; RTNEXTHOP_LEN]) -> Self {
        Self {
            ifindex: u32::from_ne_bytes([i0, i1, i2, i3]),
            flags: HopFlags(flags),
            weight: u16::from(hops) + 1,
            ..Self::default()
        }
    }

    /// Reads one record of `RTA_MULTIPATH`.
    pub(crate) fn decode(record: &[u8], family: AddressFamily) -> Result<Self, Error> {
        let Some((&head, attrs)) = record.split_first_chunk() else {
            let actual = record.len();
            return Err(Problem::FixedHeader { expected: RTNEXTHOP_LEN, actual }.into());
        };
        let mut hop = Self::of(head);
        let mut attrs = Attrs::new(attrs);
        while let Some(attr) = attrs.step() {
            match attr.number() {
                RTA_GATEWAY => hop.gateway = Some(attr.ip()?),
                RTA_VIA => match via(&attr, family)? {
                    Some(address) => hop.gateway = Some(address),
                    None => hop.unknown.push(attr.into()),
                },
                RTA_FLOW => hop.realms = Some(attr.u32()?.into()),
                RTA_ENCAP_TYPE => encap(&mut hop.encap).kind = EncapType(attr.u16()?),
                RTA_ENCAP => encap(&mut hop.encap).payload = attr.payload.to_vec(),
                _ => hop.unknown.push(attr.into()),
            }
        }
        attrs.finish()?;
        Ok(hop)
    }

    /// Writes one record of `RTA_MULTIPATH`; `flags` are those to be sent.
    pub(crate) fn encode(
        &self,
        writer: &mut Writer<'_>,
        family: AddressFamily,
        flags: HopFlags,
    ) -> Result<(), Error> {
        let hops = self.weight.checked_sub(1).and_then(|hops| u8::try_from(hops).ok());
        let hops = hops.ok_or(Problem::Value)?;
        writer.record(|writer| {
            writer.unpadded(&[flags.0, hops]);
            writer.unpadded(&self.ifindex.to_ne_bytes());
            if let Some(gateway) = self.gateway {
                write_gateway(writer, gateway, family);
            }
            if let Some(realms) = self.realms {
                writer.u32(RTA_FLOW, realms.into());
            }
            if let Some(encap) = &self.encap {
                encap.encode(writer)?;
            }
            self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
        })
    }
}

/// The encap to be filled, made on first use.
#[cold]
pub(crate) fn encap(slot: &mut Option<Box<Encap>>) -> &mut Encap {
    slot.get_or_insert_default()
}

/// Reads `RTA_VIA`: `None` if it is not an IP address of another family than the route's; such a
/// one is kept raw.
#[cold]
pub(crate) fn via(attr: &Attr<'_>, family: AddressFamily) -> Result<Option<IpAddr>, Error> {
    let [f0, f1] = attr.array::<2>()?;
    let via_family = u16::from_ne_bytes([f0, f1]);
    let address = attr.payload.get(2..).unwrap_or_default();
    let address = Attr { raw_type: attr.raw_type, payload: address }.ip().ok();
    Ok(address.filter(|&address| {
        let found = AddressFamily::of(address);
        via_family == u16::from(found.0) && found != ip_family(family)
    }))
}

/// Writes a gateway: `RTA_GATEWAY`, or `RTA_VIA` if it is not of the route's family.
#[inline]
pub(crate) fn write_gateway(writer: &mut Writer<'_>, gateway: IpAddr, family: AddressFamily) {
    let found = AddressFamily::of(gateway);
    if found == ip_family(family) {
        writer.ip(RTA_GATEWAY, gateway);
        return;
    }
    let mut payload = [0; 18];
    payload[..2].copy_from_slice(&u16::from(found.0).to_ne_bytes());
    let length = match gateway {
        IpAddr::V4(address) => {
            payload[2..6].copy_from_slice(&address.octets());
            6
        }
        IpAddr::V6(address) => {
            payload[2..18].copy_from_slice(&address.octets());
            18
        }
    };
    // At most 18 bytes: never too long for an attribute.
    let _ = writer.bytes(RTA_VIA, &payload[..length]);
}

/// The family of a route's addresses: multicast routing has families of its own.
#[inline]
pub(crate) const fn ip_family(family: AddressFamily) -> AddressFamily {
    match family {
        AddressFamily::IPMR => AddressFamily::INET,
        AddressFamily::IP6MR => AddressFamily::INET6,
        other => other,
    }
}
