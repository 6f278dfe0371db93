//! Which nexthop objects and buckets a list holds.

use nl_wire::value::AddressFamily;
use nl_wire::{Error, Writer};

use super::{Head, Nexthop, NexthopBucket, OP_STATISTICS};
use crate::filter::{Filter, agrees, known};
use crate::tables::other::{
    NHA_FDB, NHA_GROUPS, NHA_ID, NHA_MASTER, NHA_OIF, NHA_OP_FLAGS, NHA_RES_BUCKET,
    NHA_RES_BUCKET_NH_ID,
};
use crate::value::RouteProtocol;

/// Which nexthop objects; by default all.
///
/// The kernel filters by family, interface, master and groups, the rest is done here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct NexthopFilter {
    /// The family; `UNSPEC` is all. Groups have none.
    pub family: AddressFamily,
    /// The index of the interface that packets leave by.
    pub oif: Option<u32>,
    /// The index of the bridge, bond or VRF that the interface belongs to. Only the kernel knows
    /// this, so entries are not checked.
    pub master: Option<u32>,
    /// Only groups.
    pub groups: bool,
    /// Only those for forwarding entries.
    pub fdb: bool,
    /// Who made it.
    pub protocol: Option<RouteProtocol>,
    /// Whether the statistics of groups shall come with them. Kernels before 6.9 refuse to be
    /// asked.
    pub statistics: bool,
}

impl Filter<Nexthop> for NexthopFilter {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&Head { family: self.family, ..Head::default() }.encode());
        for (number, value) in [(NHA_OIF, self.oif), (NHA_MASTER, self.master)] {
            if let Some(value) = value {
                writer.u32(number, value);
            }
        }
        for (number, value) in [(NHA_GROUPS, self.groups), (NHA_FDB, self.fdb)] {
            if value {
                writer.flag(number);
            }
        }
        if self.statistics {
            writer.u32(NHA_OP_FLAGS, OP_STATISTICS);
        }
        Ok(())
    }

    fn admits(&self, nexthop: &Nexthop) -> bool {
        agrees(known(self.family), &nexthop.family)
            && agrees(self.oif.map(Some), &nexthop.oif)
            && (!self.groups || nexthop.is_group())
            && (!self.fdb || nexthop.fdb)
            && agrees(self.protocol, &nexthop.protocol)
    }
}

/// Which buckets; by default those of all resilient groups.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct NexthopBucketFilter {
    /// The id of the group. One that does not exist is the kernel's `ENOENT`.
    pub id: Option<u32>,
    /// The id of the nexthop object.
    pub nexthop_id: Option<u32>,
    /// The index of the interface that packets leave by; only the kernel knows it, so entries are
    /// not checked.
    pub oif: Option<u32>,
    /// The index of the bridge, bond or VRF that the interface belongs to; it is not checked
    /// either.
    pub master: Option<u32>,
}

impl Filter<NexthopBucket> for NexthopBucketFilter {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&Head::default().encode());
        for (number, value) in [(NHA_ID, self.id), (NHA_OIF, self.oif), (NHA_MASTER, self.master)] {
            if let Some(value) = value {
                writer.u32(number, value);
            }
        }
        let Some(id) = self.nexthop_id else { return Ok(()) };
        writer.nest(NHA_RES_BUCKET, |writer| {
            writer.u32(NHA_RES_BUCKET_NH_ID, id);
            Ok(())
        })
    }

    fn admits(&self, bucket: &NexthopBucket) -> bool {
        agrees(self.id.map(Some), &bucket.id)
            && agrees(self.nexthop_id.map(Some), &bucket.nexthop_id)
    }
}
