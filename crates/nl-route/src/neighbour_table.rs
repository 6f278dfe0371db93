//! Neighbour tables: how many entries they take and how neighbours are asked for
//! (`struct ndtmsg`, `NDTA_*`, `NDTPA_*`, linux/neighbour.h).

use alloc::boxed::Box;
use alloc::vec::Vec;

use nl_wire::attr::{Attr, Attrs};
use nl_wire::error::{Error, Problem};
use nl_wire::table::Protocol;
use nl_wire::text::Text;
use nl_wire::value::AddressFamily;
use nl_wire::{Message, RawAttr, Writer};

use crate::filter::{Filter, agrees, known};
use crate::object::{Action, Object};
use crate::tables::other::{
    NDTA, NDTA_CONFIG, NDTA_GC_INTERVAL, NDTA_NAME, NDTA_PARMS, NDTA_STATS, NDTA_THRESH1,
    NDTA_THRESH2, NDTA_THRESH3, NDTPA_ANYCAST_DELAY, NDTPA_APP_PROBES, NDTPA_BASE_REACHABLE_TIME,
    NDTPA_DELAY_PROBE_TIME, NDTPA_GC_STALETIME, NDTPA_IFINDEX, NDTPA_INTERVAL_PROBE_TIME_MS,
    NDTPA_LOCKTIME, NDTPA_MCAST_PROBES, NDTPA_MCAST_REPROBES, NDTPA_PROXY_DELAY, NDTPA_PROXY_QLEN,
    NDTPA_QUEUE_LEN, NDTPA_QUEUE_LENBYTES, NDTPA_REACHABLE_TIME, NDTPA_REFCNT, NDTPA_RETRANS_TIME,
    NDTPA_UCAST_PROBES,
};
use crate::tables::{NEIGHBOUR_TABLES, RTM_GETNEIGHTBL, RTM_NEWNEIGHTBL, RTM_SETNEIGHTBL};

/// Length of `struct ndtmsg` in bytes.
const NDTMSG_LEN: usize = 4;

/// A neighbour table, or its parameters for one interface.
///
/// A list tells each table first, with its limits and the parameters that interfaces to come get,
/// and then, under the same name, its parameters for each interface.
///
/// A [`Change`](crate::Change) of one names the table and what is to be so; without an interface in
/// the parameters they are those of interfaces to come. Only the initial network namespace may set
/// limits and the interval (`ENOENT` elsewhere). Tables are not made or deleted.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct NeighbourTable {
    /// The address family.
    pub family: AddressFamily,
    /// The name: `arp_cache`, `ndisc_cache`.
    pub name: Option<Text>,
    /// Below so many entries none is removed for being old.
    pub threshold1: Option<u32>,
    /// Above so many entries unused ones are removed after 5 seconds.
    pub threshold2: Option<u32>,
    /// There are never more entries.
    pub threshold3: Option<u32>,
    /// Milliseconds between two clearances.
    pub gc_interval: Option<u64>,
    /// How the table is laid out.
    pub config: Option<NeighbourTableConfig>,
    /// Parameters.
    pub parameters: Option<Box<NeighbourParameters>>,
    /// What happened to the table.
    pub statistics: Option<Box<NeighbourTableStatistics>>,
    /// Attributes that this crate does not know, in order.
    pub unknown: Vec<RawAttr>,
}

/// Makes a struct whose fields stand back to back on the wire, in host byte order.
macro_rules! layout {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl $name {
            /// The fields that are there; what an older kernel lacks is 0.
            fn read(mut bytes: &[u8]) -> Self {
                let mut value = Self::default();
                $(
                    if let Some((field, rest)) = bytes.split_first_chunk() {
                        value.$field = <$type>::from_ne_bytes(*field);
                        bytes = rest;
                    }
                )*
                let _ = bytes;
                value
            }

            fn bytes(&self) -> Vec<u8> {
                let mut bytes = Vec::new();
                $(bytes.extend_from_slice(&self.$field.to_ne_bytes());)*
                bytes
            }
        }
    };
}

layout! {
    /// `struct ndt_config`: how a table is laid out.
    NeighbourTableConfig {
        /// Bytes of an address.
        key_length: u16,
        /// Bytes of an entry.
        entry_size: u16,
        /// How many entries there are.
        entries: u32,
        /// Milliseconds since it was last emptied.
        last_flush: u32,
        /// Milliseconds since reachable times were last drawn.
        last_rand: u32,
        /// What addresses are hashed with.
        hash_rnd: u32,
        /// Which bits of a hash name the chain.
        hash_mask: u32,
        /// The chain to be cleared next.
        hash_chain_gc: u32,
        /// How many packets wait to be answered for others.
        proxy_queue_length: u32,
    }
}

layout! {
    /// `struct ndt_stats`: what happened to a table.
    NeighbourTableStatistics {
        /// Entries made.
        allocations: u64,
        /// Entries removed.
        destroys: u64,
        /// Times that the table grew.
        hash_grows: u64,
        /// Neighbours that did not answer.
        failed: u64,
        /// Entries sought.
        lookups: u64,
        /// Entries found.
        hits: u64,
        /// Multicast questions received (IPv6).
        received_probes_mcast: u64,
        /// Unicast questions received (IPv6).
        received_probes_ucast: u64,
        /// Clearances at their time.
        periodic_gc_runs: u64,
        /// Clearances for want of room.
        forced_gc_runs: u64,
        /// Times that there was no room.
        table_fulls: u64,
    }
}

/// Makes the struct of parameters, and the order and kind of each on the wire.
macro_rules! parameters {
    ($($(#[$doc:meta])* $field:ident: $type:ident = $number:ident;)*) => {
        /// How neighbours are asked for, on one interface or on those to come.
        #[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
        pub struct NeighbourParameters {
            $($(#[$doc])* pub $field: Option<$type>,)*
            /// Attributes that this crate does not know, in order.
            pub unknown: Vec<RawAttr>,
        }

        impl NeighbourParameters {
            fn read(&mut self, attr: &Attr<'_>) -> Result<(), Error> {
                match attr.number() {
                    $($number => self.$field = Some(attr.$type()?),)*
                    _ => self.unknown.push((*attr).into()),
                }
                Ok(())
            }

            fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
                $(
                    if let Some(value) = self.$field {
                        writer.$type($number, value);
                    }
                )*
                self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
            }
        }
    };
}

// In the kernel's order.
parameters! {
    /// The index of the interface; without one they are those of interfaces to come.
    index: u32 = NDTPA_IFINDEX;
    /// How many use them.
    references: u32 = NDTPA_REFCNT;
    /// How many bytes may wait for an answer.
    queue_length_bytes: u32 = NDTPA_QUEUE_LENBYTES;
    /// How many packets may wait for an answer.
    queue_length: u32 = NDTPA_QUEUE_LEN;
    /// How many packets may wait to be answered for others.
    proxy_queue_length: u32 = NDTPA_PROXY_QLEN;
    /// How often a program is asked.
    app_probes: u32 = NDTPA_APP_PROBES;
    /// How often a neighbour known before is asked.
    ucast_probes: u32 = NDTPA_UCAST_PROBES;
    /// How often all are asked.
    mcast_probes: u32 = NDTPA_MCAST_PROBES;
    /// How often all are asked once more after those.
    mcast_reprobes: u32 = NDTPA_MCAST_REPROBES;
    /// For how many milliseconds an answer counts, drawn from around the next.
    reachable_time: u64 = NDTPA_REACHABLE_TIME;
    /// For about how many milliseconds an answer counts.
    base_reachable_time: u64 = NDTPA_BASE_REACHABLE_TIME;
    /// After how many milliseconds an entry unused is removed.
    gc_stale_time: u64 = NDTPA_GC_STALETIME;
    /// Milliseconds before an entry in doubt is asked for.
    delay_probe_time: u64 = NDTPA_DELAY_PROBE_TIME;
    /// Milliseconds between two questions.
    retrans_time: u64 = NDTPA_RETRANS_TIME;
    /// Milliseconds before an anycast address is answered for.
    anycast_delay: u64 = NDTPA_ANYCAST_DELAY;
    /// Milliseconds before another's address is answered for.
    proxy_delay: u64 = NDTPA_PROXY_DELAY;
    /// For how many milliseconds an answer is not superseded by another.
    lock_time: u64 = NDTPA_LOCKTIME;
    /// Milliseconds between two questions for managed entries.
    interval_probe_time: u64 = NDTPA_INTERVAL_PROBE_TIME_MS;
}

impl NeighbourTable {
    /// Reads an `RTM_NEWNEIGHTBL`, `RTM_SETNEIGHTBL` or `RTM_GETNEIGHTBL`.
    ///
    /// # Errors
    /// [`Problem::MessageType`] for any other message; else what is wrong with the bytes, and
    /// where.
    pub fn decode(message: &Message<'_>) -> Result<Self, Error> {
        match message.header.message_type {
            RTM_NEWNEIGHTBL | RTM_SETNEIGHTBL | RTM_GETNEIGHTBL => {}
            found => return Err(Problem::MessageType { found }.into()),
        }
        Self::decode_body(message.body()).map_err(|error| error.in_table(&NDTA))
    }

    fn decode_body(body: &[u8]) -> Result<Self, Error> {
        let (_, mut attrs) = Attrs::behind(body, NDTMSG_LEN)?;
        let family = AddressFamily(body.first().copied().unwrap_or_default());
        let mut table = Self { family, ..Self::default() };
        while let Some(attr) = attrs.step() {
            match attr.number() {
                NDTA_NAME => table.name = Some(attr.text().into()),
                NDTA_THRESH1 => table.threshold1 = Some(attr.u32()?),
                NDTA_THRESH2 => table.threshold2 = Some(attr.u32()?),
                NDTA_THRESH3 => table.threshold3 = Some(attr.u32()?),
                NDTA_GC_INTERVAL => table.gc_interval = Some(attr.u64()?),
                NDTA_CONFIG => table.config = Some(NeighbourTableConfig::read(attr.payload)),
                NDTA_STATS => {
                    table.statistics = Some(Box::new(NeighbourTableStatistics::read(attr.payload)));
                }
                NDTA_PARMS => {
                    let parameters = table.parameters.get_or_insert_default();
                    let read = attr.nested().try_for_each(|part| parameters.read(&part?));
                    read.map_err(|error| error.within(NDTA_PARMS))?;
                }
                _ => table.unknown.push(attr.into()),
            }
        }
        attrs.finish()?;
        Ok(table)
    }

    /// Writes `struct ndtmsg` and all attributes, as the kernel orders them.
    ///
    /// # Errors
    /// If an attribute is too long, or a name holds a NUL.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&[self.family.0]);
        if let Some(name) = &self.name {
            writer.text(NDTA_NAME, name.as_bytes())?;
        }
        if let Some(interval) = self.gc_interval {
            writer.u64(NDTA_GC_INTERVAL, interval);
        }
        let limits = [
            (NDTA_THRESH1, self.threshold1),
            (NDTA_THRESH2, self.threshold2),
            (NDTA_THRESH3, self.threshold3),
        ];
        for (number, value) in limits {
            if let Some(value) = value {
                writer.u32(number, value);
            }
        }
        if let Some(config) = &self.config {
            writer.bytes(NDTA_CONFIG, &config.bytes())?;
        }
        if let Some(statistics) = &self.statistics {
            writer.bytes(NDTA_STATS, &statistics.bytes())?;
        }
        if let Some(parameters) = &self.parameters {
            writer.nest_unflagged(NDTA_PARMS, |writer| parameters.write(writer))?;
        }
        self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
    }

    /// The index of the interface that the parameters are for; `None` is those to come.
    pub fn index(&self) -> Option<u32> {
        self.parameters.as_ref().and_then(|parameters| parameters.index)
    }
}

impl Object for NeighbourTable {
    type Filter = NeighbourTableFilter;
    const PROTOCOL: &'static Protocol = &NEIGHBOUR_TABLES;
    const NEW: u16 = RTM_NEWNEIGHTBL;
    /// There is no such message; the kernel answers a table made or deleted with `EOPNOTSUPP`.
    const DELETE: u16 = RTM_NEWNEIGHTBL + 1;
    const GET: u16 = RTM_GETNEIGHTBL;
    const CHANGE: u16 = RTM_SETNEIGHTBL;

    fn decode(message: &Message<'_>) -> Result<Self, Error> {
        Self::decode(message)
    }

    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.encode(writer)
    }

    fn encode_change(&self, _: Action, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.encode(writer)
    }
}

/// Which neighbour tables; by default all, for all interfaces.
///
/// The kernel filters by family, the rest is done here.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct NeighbourTableFilter {
    /// The family; `UNSPEC` is all.
    pub family: AddressFamily,
    /// The name of the table.
    pub name: Option<Text>,
    /// The index of the interface.
    pub index: Option<u32>,
}

impl Filter<NeighbourTable> for NeighbourTableFilter {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&[self.family.0]);
        Ok(())
    }

    fn admits(&self, table: &NeighbourTable) -> bool {
        agrees(known(self.family), &table.family)
            && agrees(self.name.as_ref().map(Some), &table.name.as_ref())
            && agrees(self.index.map(Some), &table.index())
    }
}
