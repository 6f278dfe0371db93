//! What a flow may have beside tuples and state: counters, labels, helper and the like.

use alloc::boxed::Box;
use alloc::vec::Vec;

use nl_wire::attr::Attr;
use nl_wire::text::Text;
use nl_wire::{Error, Writer, shape};

use crate::tables::{
    CTA_COUNTERS_BYTES, CTA_COUNTERS_PACKETS, CTA_COUNTERS_PAD, CTA_COUNTERS32_BYTES,
    CTA_COUNTERS32_PACKETS, CTA_HELP, CTA_HELP_INFO, CTA_HELP_NAME, CTA_SEQADJ_CORRECTION_POS,
    CTA_SEQADJ_OFFSET_AFTER, CTA_SEQADJ_OFFSET_BEFORE, CTA_SYNPROXY, CTA_SYNPROXY_ISN,
    CTA_SYNPROXY_ITS, CTA_SYNPROXY_TSOFF,
};

/// What passed in one direction: `CTA_COUNTERS_ORIG`, `CTA_COUNTERS_REPLY`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct Counters {
    /// Packets.
    pub packets: u64,
    /// Bytes, IP headers included.
    pub bytes: u64,
}

impl Counters {
    #[inline]
    pub(crate) fn read(attr: &Attr<'_>, strange: &mut bool) -> Result<Self, Error> {
        if let Ok(bytes) = <&[u8; 24]>::try_from(attr.payload) {
            if shape::is(bytes, [(0, 12, CTA_COUNTERS_PACKETS), (12, 12, CTA_COUNTERS_BYTES)]) {
                return Ok(Self::usual(bytes));
            }
        }
        Self::walk(attr, strange)
    }

    /// From a payload of the usual shape.
    #[inline]
    pub(crate) fn usual(bytes: &[u8; 24]) -> Self {
        Self { packets: shape::u64_be(bytes, 4), bytes: shape::u64_be(bytes, 16) }
    }

    #[inline(never)]
    fn walk(attr: &Attr<'_>, strange: &mut bool) -> Result<Self, Error> {
        let mut counters = Self::default();
        let mut attrs = attr.nested();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                CTA_COUNTERS_PACKETS => counters.packets = attr.u64_be()?,
                CTA_COUNTERS_BYTES => counters.bytes = attr.u64_be()?,
                CTA_COUNTERS32_PACKETS => counters.packets = attr.u32_be()?.into(),
                CTA_COUNTERS32_BYTES => counters.bytes = attr.u32_be()?.into(),
                CTA_COUNTERS_PAD => {}
                _ => *strange = true,
            }
        }
        attrs.finish()?;
        Ok(counters)
    }

    pub(crate) fn write(self, writer: &mut Writer<'_>, number: u16) -> Result<(), Error> {
        writer.nest(number, |w| {
            w.u64_be(CTA_COUNTERS_PACKETS, self.packets);
            w.u64_be(CTA_COUNTERS_BYTES, self.bytes);
            Ok(())
        })
    }
}

/// How sequence numbers of one direction are shifted: `CTA_SEQ_ADJ_ORIG`, `CTA_SEQ_ADJ_REPLY`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct SeqAdj {
    /// `CTA_SEQADJ_CORRECTION_POS`: the sequence number from which on `offset_after` holds.
    pub correction_pos: u32,
    /// `CTA_SEQADJ_OFFSET_BEFORE`: a signed shift, in two's complement.
    pub offset_before: u32,
    /// `CTA_SEQADJ_OFFSET_AFTER`: a signed shift, in two's complement.
    pub offset_after: u32,
}

impl SeqAdj {
    #[cold]
    pub(crate) fn read(attr: &Attr<'_>, strange: &mut bool) -> Result<Self, Error> {
        let mut adj = Self::default();
        let mut attrs = attr.nested();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                CTA_SEQADJ_CORRECTION_POS => adj.correction_pos = attr.u32_be()?,
                CTA_SEQADJ_OFFSET_BEFORE => adj.offset_before = attr.u32_be()?,
                CTA_SEQADJ_OFFSET_AFTER => adj.offset_after = attr.u32_be()?,
                _ => *strange = true,
            }
        }
        attrs.finish()?;
        Ok(adj)
    }

    pub(crate) fn write(self, writer: &mut Writer<'_>, number: u16) -> Result<(), Error> {
        writer.nest(number, |w| {
            w.u32_be(CTA_SEQADJ_CORRECTION_POS, self.correction_pos);
            w.u32_be(CTA_SEQADJ_OFFSET_BEFORE, self.offset_before);
            w.u32_be(CTA_SEQADJ_OFFSET_AFTER, self.offset_after);
            Ok(())
        })
    }
}

/// What the SYN proxy keeps of a connection: `CTA_SYNPROXY`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct Synproxy {
    /// `CTA_SYNPROXY_ISN`: initial sequence number.
    pub isn: u32,
    /// `CTA_SYNPROXY_ITS`: initial timestamp.
    pub its: u32,
    /// `CTA_SYNPROXY_TSOFF`: shift of timestamps.
    pub ts_offset: u32,
}

impl Synproxy {
    #[inline]
    pub(crate) fn read(attr: &Attr<'_>, strange: &mut bool) -> Result<Self, Error> {
        let mut proxy = Self::default();
        let mut attrs = attr.nested();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                CTA_SYNPROXY_ISN => proxy.isn = attr.u32_be()?,
                CTA_SYNPROXY_ITS => proxy.its = attr.u32_be()?,
                CTA_SYNPROXY_TSOFF => proxy.ts_offset = attr.u32_be()?,
                _ => *strange = true,
            }
        }
        attrs.finish()?;
        Ok(proxy)
    }

    pub(crate) fn write(self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.nest(CTA_SYNPROXY, |w| {
            w.u32_be(CTA_SYNPROXY_ISN, self.isn);
            w.u32_be(CTA_SYNPROXY_ITS, self.its);
            w.u32_be(CTA_SYNPROXY_TSOFF, self.ts_offset);
            Ok(())
        })
    }
}

/// The helper of a flow: `CTA_HELP`.
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct Helper {
    /// `CTA_HELP_NAME`, such as `ftp`; at most 15 bytes.
    pub name: Text,
    /// `CTA_HELP_INFO`: what a helper in user space keeps of the flow.
    pub info: Option<Vec<u8>>,
}

impl Helper {
    #[cold]
    pub(crate) fn read(attr: &Attr<'_>, strange: &mut bool) -> Result<Self, Error> {
        let mut helper = Self::default();
        let mut attrs = attr.nested();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                CTA_HELP_NAME => helper.name = Text::from(attr.text()),
                CTA_HELP_INFO => helper.info = Some(attr.payload.to_vec()),
                _ => *strange = true,
            }
        }
        attrs.finish()?;
        Ok(helper)
    }

    pub(crate) fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.nest(CTA_HELP, |w| {
            w.text(CTA_HELP_NAME, self.name.as_bytes())?;
            match &self.info {
                Some(info) => w.bytes(CTA_HELP_INFO, info),
                None => Ok(()),
            }
        })
    }
}

/// Labels: bits, usually 128 of them (`CTA_LABELS`, `CTA_LABELS_MASK`). What a bit is called stands
/// in connlabel.conf, see [`LabelNames`](crate::text::LabelNames).
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct Labels {
    /// Words of 32 bits in host byte order, the first holding bits 0 to 31.
    bytes: Box<[u8]>,
}

/// How many labels a flow can have: `NF_CT_LABELS_MAX_SIZE` is 16 bytes.
pub const LABEL_BITS: u32 = 128;

/// Takes the bytes as they stand on the wire.
impl From<&[u8]> for Labels {
    fn from(bytes: &[u8]) -> Self {
        Self { bytes: bytes.into() }
    }
}

/// Sets the bits; 16 bytes long. Bits from 128 on, for which the kernel has no room, are left out.
impl FromIterator<u32> for Labels {
    fn from_iter<T: IntoIterator<Item = u32>>(bits: T) -> Self {
        let mut words = [[0; 4]; LABEL_BITS as usize / 32];
        for bit in bits {
            if let Some(word) = words.get_mut((bit / 32) as usize) {
                *word = (u32::from_ne_bytes(*word) | 1 << (bit % 32)).to_ne_bytes();
            }
        }
        Self { bytes: words.as_flattened().into() }
    }
}

impl Labels {
    /// The bytes as they stand on the wire.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The numbers of the bits that are set, ascending.
    pub fn bits(&self) -> impl Iterator<Item = u32> {
        let words = self.bytes.chunks_exact(4).zip((0..).step_by(32));
        words.flat_map(|(bytes, first)| {
            let word = bytes.try_into().map_or(0, u32::from_ne_bytes);
            (0..32).filter(move |bit| (word >> bit) & 1 != 0).map(move |bit| first + bit)
        })
    }

    /// Whether the bit is set.
    pub fn contains(&self, bit: u32) -> bool {
        self.bits().any(|set| set == bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shaped::every_change;

    /// The quick way reads what the walk reads, whatever the bytes.
    #[test]
    fn quick_and_thorough_agree() {
        every_change(
            |writer| Counters { packets: 1, bytes: 2 }.write(writer, 1),
            |attr| {
                let mut strange = [false; 2];
                let quick = Counters::read(attr, &mut strange[0]);
                assert_eq!(quick, Counters::walk(attr, &mut strange[1]));
                assert_eq!(strange[0], strange[1]);
            },
        );
    }
}
