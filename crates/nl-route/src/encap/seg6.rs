//! Segment routing over IPv6 (linux/seg6_iptunnel.h, linux/seg6_local.h).

use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use nl_wire::attr::Attrs;
use nl_wire::error::{Expected, Problem};
use nl_wire::text::Text;
use nl_wire::{Attr, Error, Writer};

use super::addresses;
use crate::tables::encap::{
    SEG6_IPTUNNEL_SRC, SEG6_IPTUNNEL_SRH, SEG6_LOCAL_ACTION, SEG6_LOCAL_BPF,
    SEG6_LOCAL_BPF_PROG_ID, SEG6_LOCAL_BPF_PROG_NAME, SEG6_LOCAL_CNT_BYTES, SEG6_LOCAL_CNT_ERRORS,
    SEG6_LOCAL_CNT_PACKETS, SEG6_LOCAL_COUNTERS, SEG6_LOCAL_FLAVORS, SEG6_LOCAL_FLV_LCBLOCK_BITS,
    SEG6_LOCAL_FLV_LCNODE_FN_BITS, SEG6_LOCAL_FLV_OPERATION, SEG6_LOCAL_IIF, SEG6_LOCAL_NH4,
    SEG6_LOCAL_NH6, SEG6_LOCAL_OIF, SEG6_LOCAL_SRH, SEG6_LOCAL_TABLE, SEG6_LOCAL_VRFTABLE,
};
use crate::value::TableId;

nl_wire::open_enum! {
    /// Where the routing header goes.
    pub struct Seg6Mode(u32) "SEG6_IPTUN_MODE_" {
        /// Into the packet itself.
        INLINE = 0,
        /// Into an IPv6 packet around it.
        ENCAP = 1,
        /// Into an IPv6 packet around the whole frame.
        L2ENCAP = 2,
        /// As `ENCAP`, the first segment only as the destination.
        ENCAP_RED = 3,
        /// As `L2ENCAP`, the first segment only as the destination.
        L2ENCAP_RED = 4,
    }
}

nl_wire::open_enum! {
    /// What an endpoint does with a packet.
    pub struct Seg6Action(u32) "SEG6_LOCAL_ACTION_" {
        UNSPEC = 0,
        END = 1,
        END_X = 2,
        END_T = 3,
        END_DX2 = 4,
        END_DX6 = 5,
        END_DX4 = 6,
        END_DT6 = 7,
        END_DT4 = 8,
        END_B6 = 9,
        END_B6_ENCAP = 10,
        END_BM = 11,
        END_S = 12,
        END_AS = 13,
        END_AM = 14,
        END_BPF = 15,
        END_DT46 = 16,
    }
}

nl_wire::flag_set! {
    /// Flavours of an endpoint's behaviour, by the bits of their numbers.
    pub struct Flavours(u32) "SEG6_LOCAL_FLV_OP_" {
        /// Penultimate segment pop.
        PSP = 0x2,
        /// Ultimate segment pop.
        USP = 0x4,
        /// Ultimate segment decapsulation.
        USD = 0x8,
        /// Compressed segments.
        NEXT_CSID = 0x10,
    }
}

/// A routing header to be put into or before packets.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Seg6 {
    /// Where it goes.
    pub mode: Seg6Mode,
    /// The header.
    pub header: SegmentHeader,
    /// Where the outer packet comes from (Linux 7).
    pub source: Option<Ipv6Addr>,
}

/// A segment routing header (RFC 8754).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct SegmentHeader {
    /// The way, first segment first. Of an inline header the last is all zeros and stands for the
    /// packet's own destination.
    pub segments: Vec<Ipv6Addr>,
    /// The id of the key that it is authenticated with.
    pub hmac: Option<u32>,
}

/// What a segment routing endpoint does.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Seg6Local {
    /// What it does.
    pub action: Seg6Action,
    /// The header that it adds.
    pub header: Option<SegmentHeader>,
    /// The table that it looks the packet up in.
    pub table: Option<TableId>,
    /// The table of the VRF that it looks the packet up in.
    pub vrf_table: Option<TableId>,
    /// The IPv4 hop that it sends the packet to.
    pub next_hop4: Option<Ipv4Addr>,
    /// The IPv6 hop that it sends the packet to.
    pub next_hop6: Option<Ipv6Addr>,
    /// The index of the interface that the packet seems to come in by.
    pub iif: Option<u32>,
    /// The index of the interface that it sends the packet by.
    pub oif: Option<u32>,
    /// The program that it runs: its descriptor or id, and its name.
    pub program: Option<(Option<u32>, Option<Text>)>,
    /// Counters; in a request their presence turns counting on.
    pub counters: Option<Seg6Counters>,
    /// Flavours of the action.
    pub flavours: Option<Seg6Flavours>,
}

/// What an endpoint counted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Seg6Counters {
    /// Packets.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packets that something was wrong with.
    pub errors: u64,
}

/// Flavours of an endpoint.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Seg6Flavours {
    /// Which.
    pub operations: Option<Flavours>,
    /// Length of the locator's block in bits.
    pub block_bits: Option<u8>,
    /// Length of node and function in bits.
    pub node_function_bits: Option<u8>,
}

/// `SR6_FLAG1_HMAC`: a TLV with the key's id is behind the segments.
const FLAG_HMAC: u8 = 0x08;
/// The type of that TLV, and its length behind the two bytes of type and length.
const HMAC: [u8; 2] = [5, 38];
/// The whole of it.
const HMAC_LEN: usize = 40;

impl SegmentHeader {
    fn decode(bytes: &[u8], attr: &Attr<'_>) -> Result<Self, Error> {
        let Some((&[_, _, _, _, last, flags, _, _], rest)) = bytes.split_first_chunk::<8>() else {
            return Err(attr.wrong_length(Expected::AtLeast(attr.payload.len() + 8 - bytes.len())));
        };
        let length = (usize::from(last) + 1) * 16;
        let hmac_length = if flags & FLAG_HMAC == 0 { 0 } else { HMAC_LEN };
        let (Some(segments), Some(tlv)) =
            (rest.get(..length), rest.get(length..length + hmac_length))
        else {
            let more = length + hmac_length - rest.len();
            return Err(attr.wrong_length(Expected::AtLeast(attr.payload.len() + more)));
        };
        let hmac = match tlv {
            [_, _, _, _, a, b, c, d, ..] => Some(u32::from_be_bytes([*a, *b, *c, *d])),
            _ => None,
        };
        Ok(Self { segments: addresses(segments).rev().collect(), hmac })
    }

    /// Appends the bytes of the header.
    fn write(&self, out: &mut Vec<u8>, number: u16) -> Result<(), Error> {
        let hmac = if self.hmac.is_some() { HMAC_LEN } else { 0 };
        let length = self.segments.len() * 16 + hmac;
        let last = self.segments.len().checked_sub(1).and_then(|last| u8::try_from(last).ok());
        // In units of 8 bytes, without the first.
        let (Some(last), Ok(units)) = (last, u8::try_from(length / 8)) else {
            let problem = if last.is_none() && self.segments.is_empty() {
                Problem::Value
            } else {
                Problem::TooLong { length }
            };
            return Err(Error::at(problem, number));
        };
        let flags = if self.hmac.is_some() { FLAG_HMAC } else { 0 };
        out.extend([0, units, 4, last, last, flags, 0, 0]);
        out.extend(self.segments.iter().rev().flat_map(Ipv6Addr::octets));
        if let Some(key) = self.hmac {
            out.extend(HMAC);
            out.extend([0; 2]);
            out.extend(key.to_be_bytes());
            out.extend([0; 32]);
        }
        Ok(())
    }
}

impl Seg6 {
    pub(super) fn decode(mut attrs: Attrs<'_>) -> Result<Self, Error> {
        let mut seg6 = Self::default();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                SEG6_IPTUNNEL_SRH => {
                    seg6.mode = Seg6Mode(attr.u32()?);
                    let header = attr.payload.get(4..).unwrap_or_default();
                    seg6.header = SegmentHeader::decode(header, &attr)?;
                }
                SEG6_IPTUNNEL_SRC => seg6.source = Some(attr.ipv6()?),
                _ => {}
            }
        }
        attrs.finish()?;
        Ok(seg6)
    }

    pub(super) fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let mut bytes = Vec::from(self.mode.0.to_ne_bytes());
        self.header.write(&mut bytes, SEG6_IPTUNNEL_SRH)?;
        writer.bytes(SEG6_IPTUNNEL_SRH, &bytes)?;
        if let Some(source) = self.source {
            writer.ip(SEG6_IPTUNNEL_SRC, source.into());
        }
        Ok(())
    }
}

impl Seg6Local {
    pub(super) fn decode(mut attrs: Attrs<'_>) -> Result<Self, Error> {
        let mut local = Self::default();
        while let Some(attr) = attrs.step() {
            let within = |error: Error| error.within(attr.number());
            match attr.number() {
                SEG6_LOCAL_ACTION => local.action = Seg6Action(attr.u32()?),
                SEG6_LOCAL_SRH => {
                    local.header = Some(SegmentHeader::decode(attr.payload, &attr)?);
                }
                SEG6_LOCAL_TABLE => local.table = Some(TableId(attr.u32()?)),
                SEG6_LOCAL_VRFTABLE => local.vrf_table = Some(TableId(attr.u32()?)),
                SEG6_LOCAL_NH4 => local.next_hop4 = Some(attr.ipv4()?),
                SEG6_LOCAL_NH6 => local.next_hop6 = Some(attr.ipv6()?),
                SEG6_LOCAL_IIF => local.iif = Some(attr.u32()?),
                SEG6_LOCAL_OIF => local.oif = Some(attr.u32()?),
                SEG6_LOCAL_BPF => {
                    let mut program = (None, None);
                    for inner in attr.nested() {
                        let inner = inner.map_err(within)?;
                        match inner.number() {
                            SEG6_LOCAL_BPF_PROG_ID => {
                                program.0 = Some(inner.u32().map_err(within)?);
                            }
                            SEG6_LOCAL_BPF_PROG_NAME => program.1 = Some(inner.text().into()),
                            _ => {}
                        }
                    }
                    local.program = Some(program);
                }
                SEG6_LOCAL_COUNTERS => {
                    local.counters = Some(Seg6Counters::decode(attr.nested()).map_err(within)?);
                }
                SEG6_LOCAL_FLAVORS => {
                    local.flavours = Some(Seg6Flavours::decode(attr.nested()).map_err(within)?);
                }
                _ => {}
            }
        }
        attrs.finish()?;
        Ok(local)
    }

    pub(super) fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.u32(SEG6_LOCAL_ACTION, self.action.0);
        if let Some(header) = &self.header {
            let mut bytes = Vec::new();
            header.write(&mut bytes, SEG6_LOCAL_SRH)?;
            writer.bytes(SEG6_LOCAL_SRH, &bytes)?;
        }
        if let Some(table) = self.table {
            writer.u32(SEG6_LOCAL_TABLE, table.0);
        }
        if let Some(address) = self.next_hop4 {
            writer.ip(SEG6_LOCAL_NH4, address.into());
        }
        if let Some(address) = self.next_hop6 {
            writer.ip(SEG6_LOCAL_NH6, address.into());
        }
        let vrf = self.vrf_table.map(|table| table.0);
        for (number, value) in
            [(SEG6_LOCAL_IIF, self.iif), (SEG6_LOCAL_OIF, self.oif), (SEG6_LOCAL_VRFTABLE, vrf)]
        {
            if let Some(value) = value {
                writer.u32(number, value);
            }
        }
        if let Some((id, name)) = &self.program {
            writer.nest(SEG6_LOCAL_BPF, |writer| {
                if let Some(id) = id {
                    writer.u32(SEG6_LOCAL_BPF_PROG_ID, *id);
                }
                match name {
                    Some(name) => writer.text(SEG6_LOCAL_BPF_PROG_NAME, name.as_bytes()),
                    None => Ok(()),
                }
            })?;
        }
        if let Some(counters) = self.counters {
            writer.nest(SEG6_LOCAL_COUNTERS, |writer| {
                for (number, value) in [
                    (SEG6_LOCAL_CNT_PACKETS, counters.packets),
                    (SEG6_LOCAL_CNT_BYTES, counters.bytes),
                    (SEG6_LOCAL_CNT_ERRORS, counters.errors),
                ] {
                    writer.u64(number, value);
                }
                Ok(())
            })?;
        }
        let Some(flavours) = self.flavours else { return Ok(()) };
        writer.nest(SEG6_LOCAL_FLAVORS, |writer| {
            if let Some(Flavours(operations)) = flavours.operations {
                writer.u32(SEG6_LOCAL_FLV_OPERATION, operations);
            }
            for (number, bits) in [
                (SEG6_LOCAL_FLV_LCBLOCK_BITS, flavours.block_bits),
                (SEG6_LOCAL_FLV_LCNODE_FN_BITS, flavours.node_function_bits),
            ] {
                if let Some(bits) = bits {
                    writer.u8(number, bits);
                }
            }
            Ok(())
        })
    }
}

impl Seg6Counters {
    fn decode(mut attrs: Attrs<'_>) -> Result<Self, Error> {
        let mut counters = Self::default();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                SEG6_LOCAL_CNT_PACKETS => counters.packets = attr.u64()?,
                SEG6_LOCAL_CNT_BYTES => counters.bytes = attr.u64()?,
                SEG6_LOCAL_CNT_ERRORS => counters.errors = attr.u64()?,
                _ => {}
            }
        }
        attrs.finish()?;
        Ok(counters)
    }
}

impl Seg6Flavours {
    fn decode(mut attrs: Attrs<'_>) -> Result<Self, Error> {
        let mut flavours = Self::default();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                SEG6_LOCAL_FLV_OPERATION => flavours.operations = Some(Flavours(attr.u32()?)),
                SEG6_LOCAL_FLV_LCBLOCK_BITS => flavours.block_bits = Some(attr.u8()?),
                SEG6_LOCAL_FLV_LCNODE_FN_BITS => flavours.node_function_bits = Some(attr.u8()?),
                _ => {}
            }
        }
        attrs.finish()?;
        Ok(flavours)
    }
}
