//! How packets of a route are wrapped: `RTA_ENCAP` and `NHA_ENCAP` read by their kind
//! (linux/lwtunnel.h and the headers that each type names).
//!
//! A route keeps the bytes as they came ([`Encap`]); [`Encap::decode`] reads them where somebody
//! wants to know, and [`Encapsulation::encode`] makes them. So nothing is lost of kinds and
//! attributes that this crate does not know.
//!
//! ```
//! use nl_route::encap::{Encapsulation, Mpls};
//!
//! let labels = Encapsulation::Mpls(Mpls { labels: vec![100, 200], ttl: None });
//! let encap = labels.encode()?;
//! assert_eq!(encap.decode()?, Some(labels));
//! # Ok::<(), nl_wire::Error>(())
//! ```

use alloc::vec::Vec;
use core::net::Ipv6Addr;

use nl_wire::attr::Attrs;
use nl_wire::error::{Expected, Problem};
use nl_wire::text::Text;
use nl_wire::{Attr, Error, Writer};

pub use crate::route::Encap;
use crate::tables::encap::{
    ILA, ILA_ATTR_CSUM_MODE, ILA_ATTR_HOOK_TYPE, ILA_ATTR_IDENT_TYPE, ILA_ATTR_LOCATOR,
    IOAM6_IPTUNNEL, IOAM6_IPTUNNEL_DST, IOAM6_IPTUNNEL_FREQ_K, IOAM6_IPTUNNEL_FREQ_N,
    IOAM6_IPTUNNEL_MODE, IOAM6_IPTUNNEL_SRC, IOAM6_IPTUNNEL_TRACE, LWT_BPF, LWT_BPF_IN,
    LWT_BPF_OUT, LWT_BPF_PROG_FD, LWT_BPF_PROG_NAME, LWT_BPF_XMIT, LWT_BPF_XMIT_HEADROOM, LWT_XFRM,
    LWT_XFRM_IF_ID, LWT_XFRM_LINK, LWTUNNEL_IP, LWTUNNEL_IP6, MPLS_IPTUNNEL, MPLS_IPTUNNEL_DST,
    MPLS_IPTUNNEL_TTL, RPL_IPTUNNEL, RPL_IPTUNNEL_SRH, SEG6_IPTUNNEL, SEG6_LOCAL,
};
use crate::value::EncapType;

mod ip;
mod seg6;

pub use ip::{IpTunnel, TunnelFlags, TunnelOption};
pub use seg6::{
    Flavours, Seg6, Seg6Action, Seg6Counters, Seg6Flavours, Seg6Local, Seg6Mode, SegmentHeader,
};

/// What an [`Encap`] holds, by its kind.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum Encapsulation {
    /// Labels before the packet.
    Mpls(Mpls),
    /// The packet in a tunnel over IPv4.
    Ip(IpTunnel),
    /// The packet in a tunnel over IPv6.
    Ip6(IpTunnel),
    /// Identifier-locator addressing.
    Ila(Ila),
    /// A segment routing header.
    Seg6(Seg6),
    /// BPF programs.
    Bpf(Bpf),
    /// What a segment routing endpoint does.
    Seg6Local(Seg6Local),
    /// An RPL source routing header.
    Rpl(Rpl),
    /// In-situ OAM data.
    Ioam6(Ioam6),
    /// An IPsec interface.
    Xfrm(Xfrm),
}

/// Labels of MPLS (linux/mpls_iptunnel.h).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Mpls {
    /// The labels, outermost first, each of 20 bits.
    pub labels: Vec<u32>,
    /// The time to live to write into them.
    pub ttl: Option<u8>,
}

/// Identifier-locator addressing (linux/ila.h).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Ila {
    /// The upper half of the address to be written.
    pub locator: Option<u64>,
    /// How checksums are kept right: 0 adj-transport, 1 neutral-map, 2 no-action,
    /// 3 neutral-map-auto.
    pub checksum_mode: Option<u8>,
    /// The type of identifier: 0 iid, 1 luid, 2 virt-v4, 3 virt-uni-v6, 4 virt-multi-v6,
    /// 5 nonlocal-addr.
    pub identifier_type: Option<u8>,
    /// Where packets are rewritten: 0 output, 1 input.
    pub hook: Option<u8>,
}

/// BPF programs (linux/lwtunnel.h).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Bpf {
    /// For packets coming in.
    pub input: Option<BpfProgram>,
    /// For packets going out.
    pub output: Option<BpfProgram>,
    /// For packets about to be sent.
    pub transmit: Option<BpfProgram>,
    /// How many bytes the transmit program may put before the packet.
    pub headroom: Option<u32>,
}

/// A loaded BPF program.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct BpfProgram {
    /// Its file descriptor, in a request.
    pub fd: Option<u32>,
    /// What it is called.
    pub name: Option<Text>,
}

/// A source route of RPL (linux/rpl.h).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Rpl {
    /// The way in the order in which ip takes and shows it; the header has the last one first.
    pub segments: Vec<Ipv6Addr>,
}

/// In-situ OAM data in IPv6 packets (linux/ioam6.h).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Ioam6 {
    /// 1 inline, 2 encap, 3 auto.
    pub mode: Option<u8>,
    /// Where the outer packet goes to.
    pub destination: Option<Ipv6Addr>,
    /// Where it comes from (Linux 6.9).
    pub source: Option<Ipv6Addr>,
    /// What is recorded.
    pub trace: Option<Trace>,
    /// Of every this many packets …
    pub frequency_of: Option<u32>,
    /// … so many are marked.
    pub frequency: Option<u32>,
}

/// A pre-allocated trace of in-situ OAM (`struct ioam6_trace_hdr`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Trace {
    /// The namespace.
    pub namespace: u16,
    /// What each hop records, a bit each, of 24.
    pub kind: u32,
    /// The room for it in bytes; a multiple of 4, at most 244 are of use.
    pub size: u16,
}

/// An IPsec interface (linux/lwtunnel.h).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Xfrm {
    /// Its id.
    pub if_id: Option<u32>,
    /// The index of the link below.
    pub link: Option<u32>,
}

impl Encap {
    /// Reads the payload by its kind; `None` for a kind that this crate does not know.
    ///
    /// # Errors
    /// What is wrong with the bytes, and where.
    pub fn decode(&self) -> Result<Option<Encapsulation>, Error> {
        let attrs = self.attributes();
        let (read, table) = match self.kind {
            EncapType::MPLS => (Mpls::decode(attrs).map(Encapsulation::Mpls), &MPLS_IPTUNNEL),
            EncapType::IP => (IpTunnel::decode(attrs).map(Encapsulation::Ip), &LWTUNNEL_IP),
            EncapType::IP6 => (IpTunnel::decode(attrs).map(Encapsulation::Ip6), &LWTUNNEL_IP6),
            EncapType::ILA => (Ila::decode(attrs).map(Encapsulation::Ila), &ILA),
            EncapType::SEG6 => (Seg6::decode(attrs).map(Encapsulation::Seg6), &SEG6_IPTUNNEL),
            EncapType::BPF => (Bpf::decode(attrs).map(Encapsulation::Bpf), &LWT_BPF),
            EncapType::SEG6_LOCAL => {
                (Seg6Local::decode(attrs).map(Encapsulation::Seg6Local), &SEG6_LOCAL)
            }
            EncapType::RPL => (Rpl::decode(attrs).map(Encapsulation::Rpl), &RPL_IPTUNNEL),
            EncapType::IOAM6 => (Ioam6::decode(attrs).map(Encapsulation::Ioam6), &IOAM6_IPTUNNEL),
            EncapType::XFRM => (Xfrm::decode(attrs).map(Encapsulation::Xfrm), &LWT_XFRM),
            _ => return Ok(None),
        };
        read.map(Some).map_err(|error| error.in_table(table))
    }
}

impl Encapsulation {
    /// The number of the kind.
    pub const fn kind(&self) -> EncapType {
        match self {
            Self::Mpls(_) => EncapType::MPLS,
            Self::Ip(_) => EncapType::IP,
            Self::Ip6(_) => EncapType::IP6,
            Self::Ila(_) => EncapType::ILA,
            Self::Seg6(_) => EncapType::SEG6,
            Self::Bpf(_) => EncapType::BPF,
            Self::Seg6Local(_) => EncapType::SEG6_LOCAL,
            Self::Rpl(_) => EncapType::RPL,
            Self::Ioam6(_) => EncapType::IOAM6,
            Self::Xfrm(_) => EncapType::XFRM,
        }
    }

    /// Writes the payload.
    ///
    /// # Errors
    /// [`Problem::TooLong`] if there are more segments or options than an attribute holds, and
    /// [`Problem::Value`] for a number that does not fit its field.
    pub fn encode(&self) -> Result<Encap, Error> {
        let mut payload = Vec::new();
        let writer = &mut Writer::attributes(&mut payload);
        match self {
            Self::Mpls(mpls) => mpls.encode(writer)?,
            Self::Ip(tunnel) | Self::Ip6(tunnel) => tunnel.encode(writer)?,
            Self::Ila(ila) => ila.encode(writer),
            Self::Seg6(seg6) => seg6.encode(writer)?,
            Self::Bpf(bpf) => bpf.encode(writer)?,
            Self::Seg6Local(local) => local.encode(writer)?,
            Self::Rpl(rpl) => rpl.encode(writer)?,
            Self::Ioam6(ioam) => ioam.encode(writer)?,
            Self::Xfrm(xfrm) => xfrm.encode(writer),
        }
        Ok(Encap { kind: self.kind(), payload })
    }
}

/// The bottom of a stack of labels.
const BOTTOM: u32 = 0x100;

impl Mpls {
    fn decode(mut attrs: Attrs<'_>) -> Result<Self, Error> {
        let mut mpls = Self::default();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                MPLS_IPTUNNEL_DST => mpls.labels = labels(&attr)?,
                MPLS_IPTUNNEL_TTL => mpls.ttl = Some(attr.u8()?),
                _ => {}
            }
        }
        attrs.finish()?;
        Ok(mpls)
    }

    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.bytes(MPLS_IPTUNNEL_DST, &label_stack(&self.labels, MPLS_IPTUNNEL_DST)?)?;
        if let Some(ttl) = self.ttl {
            writer.u8(MPLS_IPTUNNEL_TTL, ttl);
        }
        Ok(())
    }
}

/// The labels of a stack, up to its bottom.
fn labels(attr: &Attr<'_>) -> Result<Vec<u32>, Error> {
    if attr.payload.len() % 4 != 0 {
        return Err(attr.wrong_length(Expected::MultipleOf(4)));
    }
    let mut labels = Vec::new();
    for entry in attr.payload.chunks_exact(4) {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(entry);
        let entry = u32::from_be_bytes(bytes);
        labels.push(entry >> 12);
        if entry & BOTTOM != 0 {
            break;
        }
    }
    Ok(labels)
}

/// The bytes of a stack of labels.
pub(crate) fn label_stack(labels: &[u32], number: u16) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(labels.len().saturating_mul(4));
    for (index, &label) in labels.iter().enumerate() {
        if label >= 1 << 20 {
            return Err(Error::at(Problem::Value, number));
        }
        let bottom = if index + 1 == labels.len() { BOTTOM } else { 0 };
        bytes.extend((label << 12 | bottom).to_be_bytes());
    }
    Ok(bytes)
}

impl Ila {
    fn decode(mut attrs: Attrs<'_>) -> Result<Self, Error> {
        let mut ila = Self::default();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                ILA_ATTR_LOCATOR => ila.locator = Some(attr.u64_be()?),
                ILA_ATTR_CSUM_MODE => ila.checksum_mode = Some(attr.u8()?),
                ILA_ATTR_IDENT_TYPE => ila.identifier_type = Some(attr.u8()?),
                ILA_ATTR_HOOK_TYPE => ila.hook = Some(attr.u8()?),
                _ => {}
            }
        }
        attrs.finish()?;
        Ok(ila)
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        if let Some(locator) = self.locator {
            writer.u64_be(ILA_ATTR_LOCATOR, locator);
        }
        for (number, value) in [
            (ILA_ATTR_IDENT_TYPE, self.identifier_type),
            (ILA_ATTR_CSUM_MODE, self.checksum_mode),
            (ILA_ATTR_HOOK_TYPE, self.hook),
        ] {
            if let Some(value) = value {
                writer.u8(number, value);
            }
        }
    }
}

impl BpfProgram {
    fn decode(attr: &Attr<'_>) -> Result<Self, Error> {
        let mut program = Self::default();
        for inner in attr.nested() {
            let inner = inner.map_err(|error| error.within(attr.number()))?;
            match inner.number() {
                LWT_BPF_PROG_FD => {
                    let fd = inner.u32().map_err(|error| error.within(attr.number()))?;
                    program.fd = Some(fd);
                }
                LWT_BPF_PROG_NAME => program.name = Some(inner.text().into()),
                _ => {}
            }
        }
        Ok(program)
    }

    fn encode(&self, writer: &mut Writer<'_>, number: u16) -> Result<(), Error> {
        writer.nest(number, |writer| {
            if let Some(fd) = self.fd {
                writer.u32(LWT_BPF_PROG_FD, fd);
            }
            match &self.name {
                Some(name) => writer.text(LWT_BPF_PROG_NAME, name.as_bytes()),
                None => Ok(()),
            }
        })
    }
}

impl Bpf {
    fn decode(mut attrs: Attrs<'_>) -> Result<Self, Error> {
        let mut bpf = Self::default();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                LWT_BPF_IN => bpf.input = Some(BpfProgram::decode(&attr)?),
                LWT_BPF_OUT => bpf.output = Some(BpfProgram::decode(&attr)?),
                LWT_BPF_XMIT => bpf.transmit = Some(BpfProgram::decode(&attr)?),
                LWT_BPF_XMIT_HEADROOM => bpf.headroom = Some(attr.u32()?),
                _ => {}
            }
        }
        attrs.finish()?;
        Ok(bpf)
    }

    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        for (number, program) in
            [(LWT_BPF_IN, &self.input), (LWT_BPF_OUT, &self.output), (LWT_BPF_XMIT, &self.transmit)]
        {
            if let Some(program) = program {
                program.encode(writer, number)?;
            }
        }
        if let Some(headroom) = self.headroom {
            writer.u32(LWT_BPF_XMIT_HEADROOM, headroom);
        }
        Ok(())
    }
}

/// `segments` addresses from the front of `bytes`.
fn addresses(bytes: &[u8]) -> impl DoubleEndedIterator<Item = Ipv6Addr> + '_ {
    bytes.chunks_exact(16).map(|chunk| {
        let mut octets = [0; 16];
        octets.copy_from_slice(chunk);
        Ipv6Addr::from(octets)
    })
}

impl Rpl {
    fn decode(mut attrs: Attrs<'_>) -> Result<Self, Error> {
        let mut rpl = Self::default();
        while let Some(attr) = attrs.step() {
            if attr.number() == RPL_IPTUNNEL_SRH {
                let [_, _, _, left, ..] = attr.array::<8>()?;
                let all = attr.payload.get(8..).unwrap_or_default();
                let length = usize::from(left) * 16;
                let segments = all
                    .get(..length)
                    .ok_or_else(|| attr.wrong_length(Expected::AtLeast(8 + length)))?;
                rpl.segments = addresses(segments).rev().collect();
            }
        }
        attrs.finish()?;
        Ok(rpl)
    }

    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let count = self.segments.len();
        let too_many = || Error::at(Problem::TooLong { length: count * 16 }, RPL_IPTUNNEL_SRH);
        let left = u8::try_from(count).map_err(|_| too_many())?;
        // In units of 8 bytes, without the first.
        let length = left.checked_mul(2).ok_or_else(too_many)?;
        let mut header = Vec::from([0, length, 3, left, 0, 0, 0, 0]);
        header.extend(self.segments.iter().rev().flat_map(Ipv6Addr::octets));
        writer.bytes(RPL_IPTUNNEL_SRH, &header)
    }
}

impl Ioam6 {
    fn decode(mut attrs: Attrs<'_>) -> Result<Self, Error> {
        let mut ioam = Self::default();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                IOAM6_IPTUNNEL_MODE => ioam.mode = Some(attr.u8()?),
                IOAM6_IPTUNNEL_DST => ioam.destination = Some(attr.ipv6()?),
                IOAM6_IPTUNNEL_SRC => ioam.source = Some(attr.ipv6()?),
                IOAM6_IPTUNNEL_TRACE => {
                    let [n0, n1, _, length, k0, k1, k2, _] = attr.array::<8>()?;
                    ioam.trace = Some(Trace {
                        namespace: u16::from_be_bytes([n0, n1]),
                        kind: u32::from_be_bytes([0, k0, k1, k2]),
                        size: u16::from(length & 0x7f) * 4,
                    });
                }
                IOAM6_IPTUNNEL_FREQ_K => ioam.frequency = Some(attr.u32()?),
                IOAM6_IPTUNNEL_FREQ_N => ioam.frequency_of = Some(attr.u32()?),
                _ => {}
            }
        }
        attrs.finish()?;
        Ok(ioam)
    }

    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let frequency =
            [(IOAM6_IPTUNNEL_FREQ_K, self.frequency), (IOAM6_IPTUNNEL_FREQ_N, self.frequency_of)];
        for (number, value) in frequency {
            if let Some(value) = value {
                writer.u32(number, value);
            }
        }
        if let Some(mode) = self.mode {
            writer.u8(IOAM6_IPTUNNEL_MODE, mode);
        }
        for (number, address) in
            [(IOAM6_IPTUNNEL_SRC, self.source), (IOAM6_IPTUNNEL_DST, self.destination)]
        {
            if let Some(address) = address {
                writer.ip(number, address.into());
            }
        }
        if let Some(trace) = self.trace {
            let [n0, n1] = trace.namespace.to_be_bytes();
            let [over, k0, k1, k2] = trace.kind.to_be_bytes();
            let length = u8::try_from(trace.size / 4).ok().filter(|length| *length < 0x80);
            let fits = over == 0 && trace.size % 4 == 0;
            let wrong = Error::at(Problem::Value, IOAM6_IPTUNNEL_TRACE);
            let length = length.filter(|_| fits).ok_or(wrong)?;
            writer.bytes(IOAM6_IPTUNNEL_TRACE, &[n0, n1, 0, length, k0, k1, k2, 0])?;
        }
        Ok(())
    }
}

impl Xfrm {
    fn decode(mut attrs: Attrs<'_>) -> Result<Self, Error> {
        let mut xfrm = Self::default();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                LWT_XFRM_IF_ID => xfrm.if_id = Some(attr.u32()?),
                LWT_XFRM_LINK => xfrm.link = Some(attr.u32()?),
                _ => {}
            }
        }
        attrs.finish()?;
        Ok(xfrm)
    }

    fn encode(&self, writer: &mut Writer<'_>) {
        for (number, value) in [(LWT_XFRM_IF_ID, self.if_id), (LWT_XFRM_LINK, self.link)] {
            if let Some(value) = value {
                writer.u32(number, value);
            }
        }
    }
}
