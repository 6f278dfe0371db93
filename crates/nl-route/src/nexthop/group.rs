//! Groups of nexthop objects.

use alloc::vec::Vec;

use nl_wire::attr::{Attr, Attrs};
use nl_wire::error::{Error, Problem};
use nl_wire::{RawAttr, Writer};

use crate::tables::other::{
    NHA_GROUP, NHA_GROUP_STATS, NHA_GROUP_STATS_ENTRY, NHA_GROUP_STATS_ENTRY_ID,
    NHA_GROUP_STATS_ENTRY_PACKETS, NHA_GROUP_STATS_ENTRY_PACKETS_HW, NHA_RES_GROUP,
    NHA_RES_GROUP_BUCKETS, NHA_RES_GROUP_IDLE_TIMER, NHA_RES_GROUP_UNBALANCED_TIME,
    NHA_RES_GROUP_UNBALANCED_TIMER,
};

/// A member of a group.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Member {
    /// The id of the nexthop object.
    pub id: u32,
    /// Its share of the load, 1 to 65,536; kernels before 6.12 take no more than 256. The wire has
    /// one less.
    pub weight: u32,
}

impl Member {
    /// A member of weight 1.
    pub const fn new(id: u32) -> Self {
        Self { id, weight: 1 }
    }
}

/// Length of `struct nexthop_grp` in bytes.
const MEMBER_LEN: usize = 8;

/// Reads `NHA_GROUP`.
pub(super) fn members(attr: &Attr<'_>) -> Result<Vec<Member>, Error> {
    let members = attr.payload.chunks(MEMBER_LEN).map(|bytes| match *bytes {
        [i0, i1, i2, i3, low, high, _, _] => Ok(Member {
            id: u32::from_ne_bytes([i0, i1, i2, i3]),
            weight: u32::from(u16::from_le_bytes([low, high])) + 1,
        }),
        _ => Err(Error::at(Problem::Value, NHA_GROUP)),
    });
    members.collect()
}

/// Writes `NHA_GROUP`.
pub(super) fn write(writer: &mut Writer<'_>, members: &[Member]) -> Result<(), Error> {
    let mut payload = Vec::with_capacity(members.len() * MEMBER_LEN);
    for member in members {
        let weight = member.weight.checked_sub(1).and_then(|weight| u16::try_from(weight).ok());
        let [low, high] = weight.ok_or(Error::at(Problem::Value, NHA_GROUP))?.to_le_bytes();
        payload.extend_from_slice(&member.id.to_ne_bytes());
        payload.extend_from_slice(&[low, high, 0, 0]);
    }
    writer.bytes(NHA_GROUP, &payload)
}

/// How a resilient group keeps flows with their members (`NHA_RES_GROUP`).
///
/// Times are in clock ticks, of which there are
/// [`TICKS_PER_SECOND`](crate::route::TICKS_PER_SECOND).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Resilience {
    /// How many buckets flows are hashed into.
    pub buckets: Option<u16>,
    /// For how long a bucket must be unused before another member may get it.
    pub idle_timer: Option<u32>,
    /// For how long the group may be out of balance before buckets in use are taken too; 0 is for
    /// ever.
    pub unbalanced_timer: Option<u32>,
    /// For how long the group has been out of balance; the kernel's to tell.
    pub unbalanced_time: Option<u64>,
    /// Attributes that this crate does not know, in order.
    pub unknown: Vec<RawAttr>,
}

impl Resilience {
    pub(super) fn decode(attrs: Attrs<'_>) -> Result<Self, Error> {
        let mut resilience = Self::default();
        for attr in attrs {
            let attr = attr?;
            match attr.number() {
                NHA_RES_GROUP_BUCKETS => resilience.buckets = Some(attr.u16()?),
                NHA_RES_GROUP_IDLE_TIMER => resilience.idle_timer = Some(attr.u32()?),
                NHA_RES_GROUP_UNBALANCED_TIMER => {
                    resilience.unbalanced_timer = Some(attr.u32()?);
                }
                NHA_RES_GROUP_UNBALANCED_TIME => resilience.unbalanced_time = Some(attr.u64()?),
                _ => resilience.unknown.push(attr.into()),
            }
        }
        Ok(resilience)
    }

    /// Writes `NHA_RES_GROUP`, with `state` also what only the kernel can know.
    pub(super) fn encode(&self, writer: &mut Writer<'_>, state: bool) -> Result<(), Error> {
        writer.nest(NHA_RES_GROUP, |writer| {
            if let Some(buckets) = self.buckets {
                writer.u16(NHA_RES_GROUP_BUCKETS, buckets);
            }
            if let Some(timer) = self.idle_timer {
                writer.u32(NHA_RES_GROUP_IDLE_TIMER, timer);
            }
            if let Some(timer) = self.unbalanced_timer {
                writer.u32(NHA_RES_GROUP_UNBALANCED_TIMER, timer);
            }
            if let (Some(time), true) = (self.unbalanced_time, state) {
                writer.u64(NHA_RES_GROUP_UNBALANCED_TIME, time);
            }
            self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
        })
    }
}

/// How much a member of a group was used.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct MemberStatistics {
    /// The id of the nexthop object.
    pub id: Option<u32>,
    /// How many packets it got, those of hardware included.
    pub packets: Option<u64>,
    /// How many it got by hardware.
    pub packets_hw: Option<u64>,
    /// Attributes that this crate does not know, in order.
    pub unknown: Vec<RawAttr>,
}

/// Reads what `NHA_GROUP_STATS` holds.
pub(super) fn statistics(attrs: Attrs<'_>) -> Result<Vec<MemberStatistics>, Error> {
    let mut all = Vec::new();
    for entry in attrs {
        let entry = entry?;
        let mut member = MemberStatistics::default();
        let mut read = |attr: Attr<'_>| -> Result<(), Error> {
            match attr.number() {
                NHA_GROUP_STATS_ENTRY_ID => member.id = Some(attr.u32()?),
                NHA_GROUP_STATS_ENTRY_PACKETS => member.packets = Some(attr.uint()?),
                NHA_GROUP_STATS_ENTRY_PACKETS_HW => member.packets_hw = Some(attr.uint()?),
                _ => member.unknown.push(attr.into()),
            }
            Ok(())
        };
        let read = entry.nested().try_for_each(|attr| read(attr?));
        read.map_err(|error| error.within(entry.number()))?;
        all.push(member);
    }
    Ok(all)
}

/// Writes `NHA_GROUP_STATS`; numbers take 4 bytes where they can, as the kernel's do.
pub(super) fn write_statistics(
    writer: &mut Writer<'_>,
    all: &[MemberStatistics],
) -> Result<(), Error> {
    writer.nest(NHA_GROUP_STATS, |writer| {
        all.iter().try_for_each(|member| {
            writer.nest(NHA_GROUP_STATS_ENTRY, |writer| {
                if let Some(id) = member.id {
                    writer.u32(NHA_GROUP_STATS_ENTRY_ID, id);
                }
                let counters = [
                    (NHA_GROUP_STATS_ENTRY_PACKETS, member.packets),
                    (NHA_GROUP_STATS_ENTRY_PACKETS_HW, member.packets_hw),
                ];
                for (number, value) in counters {
                    match value.map(u32::try_from) {
                        Some(Ok(small)) => writer.u32(number, small),
                        Some(Err(_)) => writer.u64(number, value.unwrap_or(0)),
                        None => {}
                    }
                }
                member.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
            })
        })
    })
}
