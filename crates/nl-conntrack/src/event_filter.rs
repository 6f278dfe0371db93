//! Filters that the kernel runs over events before it queues them: a description as a value,
//! compiled to classic BPF.
//!
//! What a socket does not want costs it nothing then: no place in its queue, no wake-up, no decoding.
//! An [`EventFilter`] says which events are wanted; [`EventFilter::compile`] makes the program,
//! `Socket::attach_filter` of nl-socket installs or exchanges it, [`EventFilter::matches`] decides
//! the same about a decoded event.
//!
//! ```
//! use nl_conntrack::event_filter::{End, EventFilter};
//! use nl_conntrack::{EventKind, IpProtocol};
//!
//! // Beginnings and ends of web connections into our network, but for those of one prober.
//! let inside = EventFilter::Any(vec![
//!     EventFilter::address(End::OriginalDestination, "10.0.0.0/8".parse()?),
//!     EventFilter::address(End::OriginalDestination, "2001:db8::/32".parse()?),
//! ]);
//! let web = EventFilter::Protocol(IpProtocol::TCP)
//!     & (EventFilter::port(End::OriginalDestination, 80)
//!         | EventFilter::port(End::OriginalDestination, 443));
//! let prober = EventFilter::address(End::OriginalSource, "10.9.9.9".parse()?);
//! let wanted = !EventFilter::Kind(EventKind::Update) & inside & web & !prober;
//!
//! let program = wanted.compile()?;
//! println!("{program}"); // a listing, to see what it costs
//! # assert_eq!(program.instructions().len(), 82);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is judged
//!
//! Events of flows: messages of the types `IPCTNL_MSG_CT_NEW` and `IPCTNL_MSG_CT_DELETE`.
//! **Everything else passes**: acks and refusals, the end of a dump, expectations, other
//! subsystems. Listed flows look like updates and are judged as such, and of a datagram with many
//! messages, as dumps have them, the first decides for all. So give filters to event sockets, and
//! list on another.
//!
//! Attributes are looked for where they belong and nowhere else: an IPv6 source only in the
//! addresses of the tuple, and only if the event's family is IPv6. What a flow does not have does
//! not match, and its negation does; a flow without a mark, a status or a zone has 0. This is what
//! the decoders say too, for all that the kernel sends: attributes once each, both addresses of one
//! family.
//!
//! A filter drops silently: nothing counts what it refused, and whoever mirrors a table has to apply
//! the same filter to what is listed.
//!
//! # What it costs
//!
//! A program has at most 4,096 instructions; what needs more is [`FilterError::TooLong`], never a
//! part of it. Conditions that are cheap are asked first, whatever the order in the description; all
//! conditions on one field that stand side by side in an [`EventFilter::Any`], or negated in an
//! [`EventFilter::All`], become one look-up and a search.
//!
//! | condition | instructions |
//! |---|---|
//! | the frame around all | 5 |
//! | kind, family, random | 2 to 4 |
//! | a look-up in the flow: mark, status, sample | 8 to 10 |
//! | a look-up in a tuple or a protocol's state: protocol, port, state | 12 |
//! | a look-up of an address, for each family | 15 |
//! | a look-up of the zone, in three places | 28 |
//! | each value or IPv4 host in a list | 1 to 1.3 |
//! | each range or IPv4 prefix in a list | 2 to 2.3 |
//! | each mark or status under a mask | 3 to 4 |
//! | each IPv6 host or prefix in a list | 1 to 2.3, and 2 for each 32 bits before that no other begins with |
//!
//! So 3,200 hosts of IPv4 or of one IPv6 subnet fit, or 500 unrelated IPv6 hosts. Lists are ordered
//! and searched by halving: to look into one of 3,000 takes up to 25 tests.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::ops::{BitAnd, BitOr, Not, RangeInclusive};

use nl_wire::bpf::{Program, ProgramError};
use nl_wire::prefix::Prefix;
use nl_wire::value::AddressFamily;
use nl_wire::{Error, Message};

use crate::event::{Event, EventKind};
use crate::flow::Flow;
use crate::protocol_info::ProtocolInfo;
use crate::request::Masked;
use crate::value::{DccpState, IpProtocol, SctpState, Status, TcpState};

mod plan;
mod program;
mod set;
mod share;

pub use share::{FlowSampler, InvalidRate, Share};

/// How many levels deep a description may be nested.
pub const DEPTH_MAX: usize = 64;

/// One of the four addresses of a flow, or the port that belongs to it.
///
/// Without translation the reply comes from where the original direction goes, and goes to where
/// that comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum End {
    /// Who opened the flow.
    OriginalSource,
    /// To whom, before translation.
    OriginalDestination,
    /// To whom, after translation: who answers.
    ReplySource,
    /// Where the answers go: who opened the flow, after translation.
    ReplyDestination,
}

impl End {
    /// All four: for what has an address anywhere in it.
    ///
    /// ```
    /// use nl_conntrack::event_filter::{End, EventFilter};
    ///
    /// let host = "192.0.2.1".parse()?;
    /// let concerned = EventFilter::Any(End::ALL.map(|end| EventFilter::address(end, host)).into());
    /// # concerned.compile()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const ALL: [Self; 4] = [
        Self::OriginalSource,
        Self::OriginalDestination,
        Self::ReplySource,
        Self::ReplyDestination,
    ];

    /// The address and the port at this end; without ports `None`.
    pub fn of(self, flow: &Flow) -> (IpAddr, Option<u16>) {
        let (original, reply) = (&flow.original, &flow.reply);
        match self {
            Self::OriginalSource => (original.source, original.source_port()),
            Self::OriginalDestination => (original.destination, original.destination_port()),
            Self::ReplySource => (reply.source, reply.source_port()),
            Self::ReplyDestination => (reply.destination, reply.destination_port()),
        }
    }
}

/// Which events of flows are wanted.
///
/// Conditions are joined by `&`, `|` and `!`, or by the variants behind these:
///
/// ```
/// use nl_conntrack::event_filter::EventFilter;
/// use nl_conntrack::{EventKind, Masked};
///
/// let marked = EventFilter::Mark(Masked { value: 0x10, mask: 0xf0 });
/// let filter = !(EventFilter::Kind(EventKind::New) & marked) | EventFilter::nat();
/// assert_eq!(filter.clone() & EventFilter::default(), EventFilter::All(vec![filter]));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum EventFilter {
    /// What happened.
    Kind(EventKind),
    /// The address family of the flow (`nfgen_family`).
    Family(AddressFamily),
    /// The layer 4 protocol (`CTA_PROTO_NUM` of the original direction).
    Protocol(IpProtocol),
    /// An address of a flow of the prefix's family lies in the prefix. Bits behind the prefix's
    /// length do not count.
    Address(End, Prefix),
    /// A port lies in the range; also a key of GRE. Protocols without ports match no range.
    Port(End, RangeInclusive<u16>),
    /// The state of a TCP connection. Also ends of connections tell it (`CTA_PROTOINFO_TCP_STATE`).
    TcpState(TcpState),
    /// The state of an SCTP association.
    SctpState(SctpState),
    /// The state of a DCCP connection.
    DccpState(DccpState),
    /// The mark under a mask.
    Mark(Masked<u32>),
    /// The status under a mask, as `Masked::all(Status::ASSURED)`.
    Status(Masked<Status>),
    /// The zone of both directions or of one, see [`Flow::zone_id`].
    Zone(u16),
    /// A random share of the events, by a number drawn for each of them.
    Random(Share),
    /// A sample of flows, each with all its events or with none.
    Sample(FlowSampler),
    /// All of these; of none, everything.
    All(Vec<Self>),
    /// At least one of these; of none, nothing.
    Any(Vec<Self>),
    /// What this does not match.
    Not(Box<Self>),
}

/// Everything.
impl Default for EventFilter {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl BitAnd for EventFilter {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self::All(join(self, other, |filter| match filter {
            Self::All(filters) => Ok(filters),
            filter => Err(filter),
        }))
    }
}

impl BitOr for EventFilter {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self::Any(join(self, other, |filter| match filter {
            Self::Any(filters) => Ok(filters),
            filter => Err(filter),
        }))
    }
}

/// Two filters as one list: that of the same kind which `open` finds in them, or themselves.
fn join(
    left: EventFilter,
    right: EventFilter,
    open: fn(EventFilter) -> Result<Vec<EventFilter>, EventFilter>,
) -> Vec<EventFilter> {
    let mut filters = open(left).unwrap_or_else(|filter| vec![filter]);
    filters.extend(open(right).unwrap_or_else(|filter| vec![filter]));
    filters
}

impl Not for EventFilter {
    type Output = Self;

    fn not(self) -> Self {
        Self::Not(Box::new(self))
    }
}

/// Why there is no program for a description.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum FilterError {
    /// It is nested deeper than [`DEPTH_MAX`] levels.
    TooDeep,
    /// It takes more than [`Program::INSTRUCTIONS_MAX`] instructions.
    TooLong(ProgramError),
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooDeep => write!(f, "the event filter is nested deeper than {DEPTH_MAX} levels"),
            Self::TooLong(_) => write!(
                f,
                "the event filter takes more than the {} instructions that a program may have",
                Program::INSTRUCTIONS_MAX
            ),
        }
    }
}

impl core::error::Error for FilterError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::TooDeep => None,
            Self::TooLong(error) => Some(error),
        }
    }
}

impl EventFilter {
    /// [`EventFilter::Address`], for a prefix or a single host.
    pub fn address(end: End, prefix: Prefix) -> Self {
        Self::Address(end, prefix)
    }

    /// [`EventFilter::Port`] of a single port.
    pub const fn port(end: End, port: u16) -> Self {
        Self::Port(end, port..=port)
    }

    /// Flows whose source or destination is translated, by the bits of the status. The kernel sets
    /// them when the translation changes something.
    pub fn nat() -> Self {
        !Self::Status(Masked { value: Status::default(), mask: Status::NAT })
    }

    /// The program of this description.
    ///
    /// ```
    /// use nl_conntrack::event_filter::{EventFilter, FilterError};
    ///
    /// assert_eq!(EventFilter::default().compile()?.instructions().len(), 6);
    /// let too_many = (0..=u16::MAX).step_by(2).map(EventFilter::Zone).collect();
    /// assert!(matches!(EventFilter::Any(too_many).compile(), Err(FilterError::TooLong(_))));
    /// # Ok::<(), FilterError>(())
    /// ```
    ///
    /// # Errors
    /// [`FilterError::TooLong`], [`FilterError::TooDeep`].
    pub fn compile(&self) -> Result<Program, FilterError> {
        let plan = plan::Group::of(self)?;
        program::assemble(&plan).finish().map_err(FilterError::TooLong)
    }

    /// Whether the kernel may deliver this event: certainly or, where the description draws random
    /// numbers, for some of them.
    ///
    /// For checking again what was queued before a filter was attached, or listed without one.
    /// What lies deeper than [`DEPTH_MAX`] levels, and so has no program, may always match.
    ///
    /// ```
    /// use nl_conntrack::event_filter::EventFilter;
    /// use nl_conntrack::{Event, EventKind, Flow, Masked, Tuple};
    ///
    /// let flow = Flow { mark: Some(7), ..Flow::new(Tuple::default()) };
    /// let event = Event { kind: EventKind::New, port: 0, flow };
    /// assert!(EventFilter::Mark(Masked::exact(7)).matches(&event));
    /// assert!(!EventFilter::nat().matches(&event));
    /// ```
    pub fn matches(&self, event: &Event) -> bool {
        self.holds(event, true, DEPTH_MAX)
    }

    /// Whether the kernel may deliver this message: as [`EventFilter::matches`] for events of
    /// flows, and always for what is none.
    ///
    /// # Errors
    /// As [`Event::decode`].
    pub fn passes(&self, message: &Message<'_>) -> Result<bool, Error> {
        Ok(Event::decode(message)?.is_none_or(|event| self.matches(&event)))
    }

    /// Whether the condition comes out as wanted. Negations are carried inwards, because a random
    /// share and its negation may both match.
    fn holds(&self, event: &Event, wanted: bool, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else { return true };
        let flow = &event.flow;
        let found = match self {
            Self::Not(filter) => return filter.holds(event, !wanted, depth),
            Self::All(filters) | Self::Any(filters) => {
                let all = matches!(self, Self::All(_)) == wanted;
                let mut each = filters.iter().map(|filter| filter.holds(event, wanted, depth));
                return if all { each.all(|holds| holds) } else { each.any(|holds| holds) };
            }
            Self::Random(share) => {
                return *share != if wanted { Share::NONE } else { Share::ALL };
            }
            Self::Kind(kind) => event.kind == *kind,
            Self::Family(family) => flow.family == *family,
            Self::Protocol(protocol) => flow.original.protocol == *protocol,
            Self::Address(end, prefix) => {
                flow.family == AddressFamily::of(prefix.address) && prefix.contains(end.of(flow).0)
            }
            Self::Port(end, ports) => end.of(flow).1.is_some_and(|port| ports.contains(&port)),
            Self::TcpState(wanted) => matches!(
                &flow.protocol_info,
                Some(ProtocolInfo::Tcp(info)) if info.state == Some(*wanted)
            ),
            Self::SctpState(wanted) => matches!(
                &flow.protocol_info,
                Some(ProtocolInfo::Sctp(info)) if info.state == Some(*wanted)
            ),
            Self::DccpState(wanted) => matches!(
                &flow.protocol_info,
                Some(ProtocolInfo::Dccp(info)) if info.state == Some(*wanted)
            ),
            Self::Mark(mark) => flow.mark.unwrap_or_default() & mark.mask == mark.value,
            Self::Status(status) => {
                flow.status.unwrap_or_default().0 & status.mask.0 == status.value.0
            }
            Self::Zone(zone) => flow.zone_id() == *zone,
            Self::Sample(sampler) => sampler.takes(flow.id),
        };
        found == wanted
    }
}
