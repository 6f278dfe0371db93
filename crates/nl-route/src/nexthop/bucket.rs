//! Buckets of resilient groups.

use alloc::vec::Vec;

use nl_wire::attr::Attr;
use nl_wire::error::{Error, Problem};
use nl_wire::request::{Mode, Request};
use nl_wire::table::Protocol;
use nl_wire::value::AddressFamily;
use nl_wire::{Message, RawAttr, Writer};

use super::{Head, NexthopBucketFilter};
use crate::object::{Action, Object};
use crate::tables::other::{
    NHA, NHA_ID, NHA_RES_BUCKET, NHA_RES_BUCKET_IDLE_TIME, NHA_RES_BUCKET_INDEX,
    NHA_RES_BUCKET_NH_ID,
};
use crate::tables::{NEXTHOPS, RTM_DELNEXTHOPBUCKET, RTM_GETNEXTHOPBUCKET, RTM_NEWNEXTHOPBUCKET};
use crate::value::{RouteFlags, RouteProtocol, Scope};

/// A bucket of a resilient group: those flows that are hashed into it use its nexthop object.
///
/// Buckets are listed and got only; the kernel fills them.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct NexthopBucket {
    /// The address family of the nexthop object.
    pub family: AddressFamily,
    /// The flags of the nexthop object.
    pub flags: RouteFlags,
    /// The id of the group.
    pub id: Option<u32>,
    /// Which of its buckets, from 0 on.
    pub index: Option<u16>,
    /// For how long it was not used, in clock ticks, of which there are
    /// [`TICKS_PER_SECOND`](crate::route::TICKS_PER_SECOND).
    pub idle_time: Option<u64>,
    /// The id of the nexthop object.
    pub nexthop_id: Option<u32>,
    /// Attributes that this crate does not know, in order.
    pub unknown: Vec<RawAttr>,
}

impl NexthopBucket {
    /// Reads an `RTM_NEWNEXTHOPBUCKET`, `RTM_DELNEXTHOPBUCKET` or `RTM_GETNEXTHOPBUCKET`.
    ///
    /// # Errors
    /// [`Problem::MessageType`] for any other message; else what is wrong with the bytes, and
    /// where.
    pub fn decode(message: &Message<'_>) -> Result<Self, Error> {
        match message.header.message_type {
            RTM_NEWNEXTHOPBUCKET | RTM_DELNEXTHOPBUCKET | RTM_GETNEXTHOPBUCKET => {}
            found => return Err(Problem::MessageType { found }.into()),
        }
        Self::decode_body(message.body()).map_err(|error| error.in_table(&NHA))
    }

    fn decode_body(body: &[u8]) -> Result<Self, Error> {
        let (Head { family, flags, .. }, attrs) = Head::decode(body)?;
        let mut bucket = Self { family, flags, ..Self::default() };
        for attr in attrs {
            let attr = attr?;
            match attr.number() {
                NHA_ID => bucket.id = Some(attr.u32()?),
                NHA_RES_BUCKET => {
                    let read = attr.nested().try_for_each(|part| bucket.read(&part?));
                    read.map_err(|error| error.within(NHA_RES_BUCKET))?;
                }
                _ => bucket.unknown.push(attr.into()),
            }
        }
        Ok(bucket)
    }

    fn read(&mut self, attr: &Attr<'_>) -> Result<(), Error> {
        match attr.number() {
            NHA_RES_BUCKET_INDEX => self.index = Some(attr.u16()?),
            NHA_RES_BUCKET_IDLE_TIME => self.idle_time = Some(attr.u64()?),
            NHA_RES_BUCKET_NH_ID => self.nexthop_id = Some(attr.u32()?),
            _ => {}
        }
        Ok(())
    }

    /// Writes `struct nhmsg` and all attributes, as the kernel orders them.
    ///
    /// # Errors
    /// If an attribute is too long.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let Self { family, flags, .. } = *self;
        let (scope, protocol) = (Scope::UNIVERSE, RouteProtocol::UNSPEC);
        writer.fixed(&Head { family, scope, protocol, flags }.encode());
        if let Some(id) = self.id {
            writer.u32(NHA_ID, id);
        }
        writer.nest(NHA_RES_BUCKET, |writer| {
            if let Some(index) = self.index {
                writer.u16(NHA_RES_BUCKET_INDEX, index);
            }
            if let Some(id) = self.nexthop_id {
                writer.u32(NHA_RES_BUCKET_NH_ID, id);
            }
            if let Some(time) = self.idle_time {
                writer.u64(NHA_RES_BUCKET_IDLE_TIME, time);
            }
            Ok(())
        })?;
        self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
    }
}

impl Object for NexthopBucket {
    type Filter = NexthopBucketFilter;
    const PROTOCOL: &'static Protocol = &NEXTHOPS;
    const NEW: u16 = RTM_NEWNEXTHOPBUCKET;
    const DELETE: u16 = RTM_DELNEXTHOPBUCKET;
    const GET: u16 = RTM_GETNEXTHOPBUCKET;

    fn decode(message: &Message<'_>) -> Result<Self, Error> {
        Self::decode(message)
    }

    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.encode(writer)
    }

    /// Any change of a bucket is the kernel's `EOPNOTSUPP`.
    fn encode_change(&self, _: Action, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.encode(writer)
    }
}

/// Asks for one bucket of a resilient group.
///
/// No such group, or a bucket beyond its last, is the kernel's `ENOENT`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GetNexthopBucket {
    /// The id of the group.
    pub id: u32,
    /// Which of its buckets, from 0 on.
    pub index: u16,
}

impl Request for GetNexthopBucket {
    type Item = NexthopBucket;
    const MODE: Mode = Mode::Get;

    fn protocol(&self) -> &'static Protocol {
        &NEXTHOPS
    }

    fn message_type(&self) -> u16 {
        RTM_GETNEXTHOPBUCKET
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&Head::default().encode());
        writer.u32(NHA_ID, self.id);
        writer.nest(NHA_RES_BUCKET, |writer| {
            writer.u16(NHA_RES_BUCKET_INDEX, self.index);
            Ok(())
        })
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<NexthopBucket>, Error> {
        NexthopBucket::decode(message).map(Some)
    }
}
