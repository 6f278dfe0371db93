//! Traffic control: queueing disciplines and their classes (`struct tcmsg`, `TCA_*`,
//! linux/rtnetlink.h, linux/pkt_sched.h).
//!
//! The header and counters are typed; what each kind has for options is kept as bytes, which
//! [`options`] reads and makes.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use nl_wire::attr::{Attr, Attrs};
use nl_wire::error::{Error, Problem};
use nl_wire::request::{Mode, Request};
use nl_wire::table::Protocol;
use nl_wire::text::Text;
use nl_wire::{Flags, Message, RawAttr, Writer};

use crate::filter::{Filter, agrees};
use crate::object::{Action, Object};
use crate::tables::other::{
    TCA, TCA_EGRESS_BLOCK, TCA_HW_OFFLOAD, TCA_INGRESS_BLOCK, TCA_KIND, TCA_OPTIONS,
    TCA_STATS_BASIC, TCA_STATS_PKT64, TCA_STATS_QUEUE, TCA_STATS_RATE_EST, TCA_STATS_RATE_EST64,
    TCA_STATS2,
};
use crate::tables::{
    RTM_DELQDISC, RTM_DELTCLASS, RTM_GETQDISC, RTM_GETTCLASS, RTM_NEWQDISC, RTM_NEWTCLASS, TRAFFIC,
};

pub mod counters;
pub mod options;
mod value;

/// Length of `struct tcmsg` in bytes.
const TCMSG_LEN: usize = 20;

/// The number of a queueing discipline or class: a major and a minor one, 16 bits each.
///
/// A discipline has minor 0. Printed as tc(8) writes it: `1:`, `1:20`, `root`, `none`.
///
/// ```
/// use nl_route::traffic::Handle;
///
/// assert_eq!(Handle::new(1, 0x20).to_string(), "1:20");
/// assert_eq!("1:20".parse(), Ok(Handle(0x1_0020)));
/// assert_eq!(Handle::ROOT.to_string(), "root");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Handle(pub u32);

impl Handle {
    /// None (`TC_H_UNSPEC`).
    pub const NONE: Self = Self(0);
    /// What the discipline of a link hangs on (`TC_H_ROOT`).
    pub const ROOT: Self = Self(u32::MAX);
    /// What the discipline of packets that come in hangs on (`TC_H_INGRESS`, `TC_H_CLSACT`).
    pub const INGRESS: Self = Self(0xffff_fff1);

    /// The number of this major and minor part.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self((major as u32) << 16 | minor as u32)
    }

    /// The major part: the discipline's.
    pub const fn major(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The minor part: the class's.
    #[allow(clippy::cast_possible_truncation)]
    pub const fn minor(self) -> u16 {
        self.0 as u16
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (*self, self.major(), self.minor()) {
            (Self::ROOT, ..) => f.write_str("root"),
            (Self::NONE, ..) => f.write_str("none"),
            (_, 0, minor) => write!(f, ":{minor:x}"),
            (_, major, 0) => write!(f, "{major:x}:"),
            (_, major, minor) => write!(f, "{major:x}:{minor:x}"),
        }
    }
}

/// A word that is no [`Handle`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HandleError;

impl fmt::Display for HandleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a handle is expected: MAJOR:[MINOR] in hexadecimal digits")
    }
}

impl core::error::Error for HandleError {}

impl core::str::FromStr for Handle {
    type Err = HandleError;

    fn from_str(word: &str) -> Result<Self, HandleError> {
        match word {
            "root" => return Ok(Self::ROOT),
            "none" => return Ok(Self::NONE),
            _ => {}
        }
        let part = |digits: &str| match digits {
            "" => Ok(0),
            _ if digits.starts_with('+') => Err(HandleError),
            _ => u16::from_str_radix(digits, 16).map_err(|_| HandleError),
        };
        let (major, minor) = word.split_once(':').unwrap_or((word, ""));
        if major.is_empty() && minor.is_empty() {
            return Err(HandleError);
        }
        Ok(Self::new(part(major)?, part(minor)?))
    }
}

/// What went through a queueing discipline or class (`TCA_STATS2`).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct TrafficStatistics {
    /// Bytes and packets (`struct gnet_stats_basic`).
    pub basic: Option<(u64, u32)>,
    /// Packets, all bits of the number; there if they are too many for 32.
    pub packets: Option<u64>,
    /// What waits and what did not pass.
    pub queue: Option<QueueStatistics>,
    /// Estimated bytes and packets a second (`struct gnet_stats_rate_est`).
    pub rate: Option<(u32, u32)>,
    /// The same in 64 bits, where 32 do not do.
    pub rate64: Option<(u64, u64)>,
    /// Attributes that this crate does not know, those of the kind among them, in order.
    pub unknown: Vec<RawAttr>,
}

/// `struct gnet_stats_queue`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct QueueStatistics {
    /// Packets that wait.
    pub length: u32,
    /// Bytes that wait.
    pub backlog: u32,
    /// Packets dropped.
    pub drops: u32,
    /// Packets put back to be sent once more.
    pub requeues: u32,
    /// Times that a limit was reached.
    pub overlimits: u32,
}

/// A word of 32 bits in a payload, in host byte order.
fn word(bytes: &[u8], at: usize) -> u32 {
    let word = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    word.map_or(0, |word| u32::from_ne_bytes(*word))
}

/// The same of 64 bits.
fn long(bytes: &[u8], at: usize) -> u64 {
    let long = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
    long.map_or(0, |long| u64::from_ne_bytes(*long))
}

impl TrafficStatistics {
    fn read(&mut self, attr: &Attr<'_>) -> Result<(), Error> {
        match attr.number() {
            TCA_STATS_BASIC => {
                let bytes = attr.array::<12>()?;
                self.basic = Some((long(&bytes, 0), word(&bytes, 8)));
            }
            TCA_STATS_QUEUE => {
                let bytes = attr.array::<20>()?;
                self.queue = Some(QueueStatistics {
                    length: word(&bytes, 0),
                    backlog: word(&bytes, 4),
                    drops: word(&bytes, 8),
                    requeues: word(&bytes, 12),
                    overlimits: word(&bytes, 16),
                });
            }
            TCA_STATS_RATE_EST => {
                let bytes = attr.array::<8>()?;
                self.rate = Some((word(&bytes, 0), word(&bytes, 4)));
            }
            TCA_STATS_RATE_EST64 => {
                let bytes = attr.array::<16>()?;
                self.rate64 = Some((long(&bytes, 0), long(&bytes, 8)));
            }
            TCA_STATS_PKT64 => self.packets = Some(attr.u64()?),
            _ => self.unknown.push((*attr).into()),
        }
        Ok(())
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        if let Some((bytes, packets)) = self.basic {
            // The struct ends with 4 bytes of padding.
            let parts = [&bytes.to_ne_bytes()[..], &packets.to_ne_bytes(), &[0; 4]];
            writer.bytes(TCA_STATS_BASIC, &parts.concat())?;
        }
        if let Some(packets) = self.packets {
            writer.u64(TCA_STATS_PKT64, packets);
        }
        if let Some((bytes, packets)) = self.rate {
            let parts = [bytes, packets].map(u32::to_ne_bytes);
            writer.bytes(TCA_STATS_RATE_EST, parts.as_flattened())?;
        }
        if let Some((bytes, packets)) = self.rate64 {
            let parts = [bytes, packets].map(u64::to_ne_bytes);
            writer.bytes(TCA_STATS_RATE_EST64, parts.as_flattened())?;
        }
        if let Some(QueueStatistics { length, backlog, drops, requeues, overlimits }) = self.queue {
            let parts = [length, backlog, drops, requeues, overlimits].map(u32::to_ne_bytes);
            writer.bytes(TCA_STATS_QUEUE, parts.as_flattened())?;
        }
        self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
    }
}

/// What queueing disciplines and classes have in common.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Traffic {
    /// The address family, which nothing has.
    pub family: u8,
    /// The index of the link.
    pub index: u32,
    /// Its own number.
    pub handle: Handle,
    /// What it hangs on.
    pub parent: Handle,
    /// Of a discipline, how many use it; of a class, the number of its inner discipline.
    pub info: u32,
    /// Its kind: `pfifo`, `htb`, ….
    pub kind: Option<Text>,
    /// Its options, as its kind writes them; [`Qdisc::options`] and [`Class::options`] read them. The
    /// type tells whether they are flagged as nested.
    pub options: Option<RawAttr>,
    /// Whether hardware does it.
    pub hw_offload: Option<u8>,
    /// The shared block of filters for packets that come in.
    pub ingress_block: Option<u32>,
    /// The shared block of filters for packets that go out.
    pub egress_block: Option<u32>,
    /// What went through.
    pub statistics: Option<Box<TrafficStatistics>>,
    /// Attributes that this crate does not know, in order: among them the statistics in the older
    /// form and those of the kind.
    pub unknown: Vec<RawAttr>,
}

impl Traffic {
    fn decode(message: &Message<'_>, types: [u16; 3]) -> Result<Self, Error> {
        let found = message.header.message_type;
        if !types.contains(&found) {
            return Err(Problem::MessageType { found }.into());
        }
        Self::decode_body(message.body()).map_err(|error| error.in_table(&TCA))
    }

    fn decode_body(body: &[u8]) -> Result<Self, Error> {
        let (head, mut attrs) = Attrs::behind(body, TCMSG_LEN)?;
        let mut traffic = Self {
            family: head.first().copied().unwrap_or_default(),
            index: word(head, 4),
            handle: Handle(word(head, 8)),
            parent: Handle(word(head, 12)),
            info: word(head, 16),
            ..Self::default()
        };
        while let Some(attr) = attrs.step() {
            match attr.number() {
                TCA_KIND => traffic.kind = Some(attr.text().into()),
                TCA_OPTIONS => traffic.options = Some(attr.into()),
                TCA_HW_OFFLOAD => traffic.hw_offload = Some(attr.u8()?),
                TCA_INGRESS_BLOCK => traffic.ingress_block = Some(attr.u32()?),
                TCA_EGRESS_BLOCK => traffic.egress_block = Some(attr.u32()?),
                TCA_STATS2 => {
                    let statistics = traffic.statistics.get_or_insert_default();
                    let read = attr.nested().try_for_each(|part| statistics.read(&part?));
                    read.map_err(|error| error.within(TCA_STATS2))?;
                }
                _ => traffic.unknown.push(attr.into()),
            }
        }
        attrs.finish()?;
        Ok(traffic)
    }

    fn head(&self) -> [u8; TCMSG_LEN] {
        let words = [u32::from_ne_bytes([self.family, 0, 0, 0]), self.index];
        let words = [words[0], words[1], self.handle.0, self.parent.0, self.info];
        let mut head = [0; TCMSG_LEN];
        for (bytes, word) in head.chunks_exact_mut(4).zip(words) {
            bytes.copy_from_slice(&word.to_ne_bytes());
        }
        head
    }

    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&self.head());
        if let Some(kind) = &self.kind {
            writer.text(TCA_KIND, kind.as_bytes())?;
        }
        let blocks =
            [(TCA_INGRESS_BLOCK, self.ingress_block), (TCA_EGRESS_BLOCK, self.egress_block)];
        for (number, block) in blocks {
            if let Some(block) = block {
                writer.u32(number, block);
            }
        }
        if let Some(options) = &self.options {
            writer.attr(&options.as_attr())?;
        }
        if let Some(offload) = self.hw_offload {
            writer.u8(TCA_HW_OFFLOAD, offload);
        }
        if let Some(statistics) = &self.statistics {
            writer.nest_unflagged(TCA_STATS2, |writer| statistics.write(writer))?;
        }
        self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
    }
}

/// Which queueing disciplines; by default those of all links.
///
/// The kernel lists them all, whatever it is asked for.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct TrafficFilter {
    /// The index of the link. Classes are listed of one link only: without it there are none.
    pub index: Option<u32>,
    /// The number; of classes that of their discipline, which has minor 0.
    pub handle: Option<Handle>,
    /// What they hang on.
    pub parent: Option<Handle>,
    /// The kind.
    pub kind: Option<Text>,
    /// Also disciplines that the kernel does not show unasked, such as those of a multi-queue link.
    pub invisible: bool,
}

impl TrafficFilter {
    fn write(&self, writer: &mut Writer<'_>, by_parent: bool) {
        let parent = self.parent.filter(|_| by_parent).unwrap_or_default();
        let index = self.index.unwrap_or(0);
        writer.fixed(&Traffic { index, parent, ..Traffic::default() }.head());
        if self.invisible {
            writer.flag(crate::tables::other::TCA_DUMP_INVISIBLE);
        }
    }

    fn admits(&self, traffic: &Traffic) -> bool {
        agrees(self.index, &traffic.index)
            && agrees(self.parent, &traffic.parent)
            && agrees(self.kind.as_ref().map(Some), &traffic.kind.as_ref())
    }
}

impl Filter<Qdisc> for TrafficFilter {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.write(writer, false);
        Ok(())
    }

    fn admits(&self, Qdisc(traffic): &Qdisc) -> bool {
        self.admits(traffic) && agrees(self.handle, &traffic.handle)
    }
}

impl Filter<Class> for TrafficFilter {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.write(writer, true);
        Ok(())
    }

    fn admits(&self, Class(traffic): &Class) -> bool {
        self.admits(traffic) && agrees(self.handle.map(Handle::major), &traffic.handle.major())
    }
}

macro_rules! object {
    (
        $(#[$doc:meta])*
        $name:ident: $new:ident, $delete:ident, $get:ident;
        $(#[$get_doc:meta])*
        $request:ident;
    ) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
        pub struct $name(
            /// All that is known of it.
            pub Traffic,
        );

        impl Object for $name {
            type Filter = TrafficFilter;
            const PROTOCOL: &'static Protocol = &TRAFFIC;
            const NEW: u16 = $new;
            const DELETE: u16 = $delete;
            const GET: u16 = $get;

            /// A change has no flags.
            fn flags(action: Action) -> Flags {
                if action == Action::Change { Flags(0) } else { action.flags() }
            }

            fn decode(message: &Message<'_>) -> Result<Self, Error> {
                Traffic::decode(message, [$new, $delete, $get]).map(Self)
            }

            /// Writes `struct tcmsg` and all attributes, as the kernel orders them.
            fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
                self.0.encode(writer)
            }

            fn encode_change(&self, _: Action, writer: &mut Writer<'_>) -> Result<(), Error> {
                self.0.encode(writer)
            }
        }

        $(#[$get_doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub struct $request {
            /// The index of the link.
            pub index: u32,
            /// Its number, unless `parent` tells which is meant.
            pub handle: Handle,
            /// What it hangs on, unless `handle` tells which is meant.
            pub parent: Handle,
        }

        impl Request for $request {
            type Item = $name;
            const MODE: Mode = Mode::Get;

            fn protocol(&self) -> &'static Protocol {
                &TRAFFIC
            }

            fn message_type(&self) -> u16 {
                $get
            }

            /// The kernel answers as it tells of a change: only who asks for an echo hears it.
            fn flags(&self) -> Flags {
                Flags::ECHO
            }

            fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
                let Self { index, handle, parent } = *self;
                writer.fixed(&Traffic { index, handle, parent, ..Traffic::default() }.head());
                Ok(())
            }

            fn read(&self, message: &Message<'_>) -> Result<Option<$name>, Error> {
                <$name as Object>::decode(message).map(Some)
            }
        }
    };
}

object! {
    /// A queueing discipline: what decides in which order a link sends its packets.
    ///
    /// ```
    /// use nl_route::Change;
    /// use nl_route::traffic::{Handle, Qdisc, Traffic};
    ///
    /// let discipline = Qdisc(Traffic {
    ///     index: 2,
    ///     parent: Handle::ROOT,
    ///     handle: Handle::new(1, 0),
    ///     kind: Some("pfifo".into()),
    ///     ..Traffic::default()
    /// });
    /// let request = Change::replace(discipline);
    /// ```
    Qdisc: RTM_NEWQDISC, RTM_DELQDISC, RTM_GETQDISC;
    /// Asks for one queueing discipline.
    ///
    /// None there is the kernel's `ENOENT`.
    GetQdisc;
}

object! {
    /// A class of a queueing discipline: one of several ways through it.
    Class: RTM_NEWTCLASS, RTM_DELTCLASS, RTM_GETTCLASS;
    /// Asks for one class.
    ///
    /// None there is the kernel's `ENOENT`.
    GetClass;
}
