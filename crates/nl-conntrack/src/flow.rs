//! A flow: `CTA_*`.

use alloc::boxed::Box;
use alloc::vec::Vec;

use nl_wire::attr::{Attr, Attrs, RawAttr};
use nl_wire::datagram::Message;
use nl_wire::error::{Error, Problem};
use nl_wire::text::Text;
use nl_wire::value::AddressFamily;

use crate::extension::{Counters, Helper, Labels, SeqAdj, Synproxy};
use crate::protocol_info::ProtocolInfo;
use crate::tables::{
    self, CTA_COUNTERS_ORIG, CTA_COUNTERS_REPLY, CTA_HELP, CTA_ID, CTA_LABELS, CTA_MARK,
    CTA_PROTOINFO, CTA_SECCTX, CTA_SECCTX_NAME, CTA_SECMARK, CTA_SEQ_ADJ_ORIG, CTA_SEQ_ADJ_REPLY,
    CTA_STATUS, CTA_SYNPROXY, CTA_TIMEOUT, CTA_TIMESTAMP, CTA_TIMESTAMP_EVENT, CTA_TIMESTAMP_PAD,
    CTA_TIMESTAMP_START, CTA_TIMESTAMP_STOP, CTA_TUPLE_MASTER, CTA_TUPLE_ORIG, CTA_TUPLE_REPLY,
    CTA_USE, CTA_ZONE, FLOW, NFGENMSG_LEN,
};
use crate::tuple::{L4, Tuple, by_form};
use crate::unknown;
use crate::value::Status;

pub(crate) mod usual;

use usual::Usual;

/// A flow as the kernel reports it and takes it.
///
/// Absent is `None`. Which fields a report has depends on its kind: a listing has status, mark,
/// id and use count always, timeout unless the flow is offloaded, counters and times where they are
/// switched on (`nf_conntrack_acct`, `nf_conntrack_timestamp`); an event has the mark if it is not
/// 0, and of protocol state, counters and times what the kernel finds fit.
///
/// ```
/// use nl_conntrack::{Flow, IpProtocol, Tuple};
///
/// let tuple = Tuple::with_ports(
///     IpProtocol::UDP,
///     ("10.0.0.1".parse()?, 4000),
///     ("10.0.0.2".parse()?, 53),
/// );
/// let flow = Flow { timeout: Some(30), mark: Some(7), ..Flow::new(tuple) };
/// assert_eq!(flow.reply.source, flow.original.destination);
/// assert!(!flow.is_nat());
/// # Ok::<(), core::net::AddrParseError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Flow {
    /// `nfgen_family`: the address family of the tuples.
    pub family: AddressFamily,
    /// `CTA_TUPLE_ORIG`: the direction of the first packet.
    pub original: Tuple,
    /// `CTA_TUPLE_REPLY`: what packets of the other direction look like, before any translation.
    pub reply: Tuple,
    /// `CTA_PROTOINFO`.
    pub protocol_info: Option<ProtocolInfo>,
    /// `CTA_STATUS`.
    pub status: Option<Status>,
    /// `CTA_TIMEOUT`: seconds until the flow is forgotten.
    pub timeout: Option<u32>,
    /// `CTA_MARK`.
    pub mark: Option<u32>,
    /// `CTA_ID`: a keyed hash. The same flow made again may get the same.
    pub id: Option<u32>,
    /// `CTA_ZONE`: the zone of both directions; that of one alone is in [`Tuple::zone`].
    pub zone: Option<u16>,
    /// `CTA_USE`: references that the kernel holds.
    pub use_count: Option<u32>,
    /// `CTA_SECMARK`, of kernels before 2.6.37.
    pub secmark: Option<u32>,
    /// `CTA_COUNTERS_ORIG`.
    pub original_counters: Option<Counters>,
    /// `CTA_COUNTERS_REPLY`.
    pub reply_counters: Option<Counters>,
    /// `CTA_TIMESTAMP_START`: when the flow began, in nanoseconds since 1970.
    pub start: Option<u64>,
    /// `CTA_TIMESTAMP_STOP`: when it ended, in nanoseconds since 1970.
    pub stop: Option<u64>,
    /// `CTA_TIMESTAMP_EVENT`: when the event was made, in nanoseconds since 1970.
    pub event_time: Option<u64>,
    /// `CTA_LABELS`.
    pub labels: Option<Labels>,
    /// `CTA_HELP`.
    pub helper: Option<Box<Helper>>,
    /// `CTA_SECCTX_NAME`: the security context.
    pub secctx: Option<Text>,
    /// `CTA_SEQ_ADJ_ORIG`.
    pub original_seq_adj: Option<SeqAdj>,
    /// `CTA_SEQ_ADJ_REPLY`.
    pub reply_seq_adj: Option<SeqAdj>,
    /// `CTA_SYNPROXY`.
    pub synproxy: Option<Synproxy>,
    /// `CTA_TUPLE_MASTER`: the original direction of the flow whose helper announced this one.
    pub master: Option<Box<Tuple>>,
    /// Attributes without a field here, ordered by number. Those inside a known nest stand within
    /// a nest of its number, alone; [`Flow::write`] puts all of them back.
    pub unknown: Vec<RawAttr>,
}

impl Flow {
    /// A flow without translation: the reply direction is the original one reversed, all else
    /// absent.
    pub fn new(original: Tuple) -> Self {
        let family = original.family();
        Self { family, original, reply: original.reversed(), ..Self::default() }
    }

    /// Reads a message of [`tables::PROTOCOL`] that holds a flow: a listed entry, the answer to a
    /// query, an event.
    ///
    /// # Errors
    /// [`Problem::MessageType`] for other messages, [`Problem::Missing`] without both tuples, and
    /// whatever is wrong with an attribute, its path named:
    /// `CTA_TUPLE_ORIG/CTA_TUPLE_IP/CTA_IP_V4_SRC: 3 bytes, expected 4`.
    #[inline]
    pub fn decode(message: &Message<'_>) -> Result<Self, Error> {
        let (family, attrs) = body(message)?;
        Self::from_attributes(family, attrs)
    }

    /// What `make` makes of [`Flow::decode`].
    #[inline]
    pub(crate) fn decode_as<O>(
        message: &Message<'_>,
        make: impl FnOnce(Result<Self, Error>) -> O,
    ) -> O {
        match body(message) {
            Ok((family, attrs)) => Self::read_whole(family, attrs, make),
            Err(error) => make(Err(error)),
        }
    }

    /// Reads the attributes of a flow.
    ///
    /// # Errors
    /// As [`Flow::decode`].
    #[inline]
    pub fn from_attributes(family: AddressFamily, attrs: Attrs<'_>) -> Result<Self, Error> {
        Self::read_whole(family, attrs, |flow| flow)
    }

    // Not inlined: what it returns is made where the caller wants it, and only there.
    #[inline(never)]
    fn read_whole<O>(
        family: AddressFamily,
        attrs: Attrs<'_>,
        make: impl FnOnce(Result<Self, Error>) -> O,
    ) -> O {
        by_form!(attrs, Self::usual<O>(family, attrs, make), else make(Self::unusual(family, attrs)))
    }

    /// Reads a flow whose tuples begin as [`by_form`] found.
    #[inline(always)]
    #[allow(clippy::inline_always)] // so that all is written where it is returned
    fn usual<const A: usize, const ICMP: bool, const N: usize, O>(
        family: AddressFamily,
        mut attrs: Attrs<'_>,
        make: impl FnOnce(Result<Self, Error>) -> O,
    ) -> O {
        let all = attrs.clone();
        let Some(tuples) = Tuple::take_both::<A, ICMP, N>(&mut attrs) else {
            return make(Self::unusual(family, all));
        };
        let usual = Usual::take(&mut attrs);
        let (original, reply) = Tuple::both::<A, ICMP, N>(tuples);
        if attrs.rest().is_empty() {
            make(Ok(usual.flow(family, original, reply)))
        } else {
            make(Self::rest(family, (original, reply), usual, attrs))
        }
    }

    /// Reads what is left behind the stretches of the usual shape.
    #[inline(never)]
    fn rest(
        family: AddressFamily,
        (original, reply): (Tuple, Tuple),
        usual: Usual<'_>,
        attrs: Attrs<'_>,
    ) -> Result<Self, Error> {
        usual.flow(family, original, reply).walked(attrs, true, true)
    }

    #[inline(never)]
    fn unusual(family: AddressFamily, attrs: Attrs<'_>) -> Result<Self, Error> {
        Self { family, ..Self::default() }.walked(attrs, false, false)
    }

    #[inline]
    pub(crate) fn walked(
        mut self,
        attrs: Attrs<'_>,
        original: bool,
        reply: bool,
    ) -> Result<Self, Error> {
        match self.walk(attrs, original, reply) {
            Ok(()) => Ok(self),
            Err(error) => Err(error.in_table(&FLOW)),
        }
    }

    /// Reads what is left, of whatever shape; the flags say whether the tuples were there.
    pub(crate) fn walk(
        &mut self,
        mut attrs: Attrs<'_>,
        mut original: bool,
        mut reply: bool,
    ) -> Result<(), Error> {
        while let Some(attr) = attrs.step() {
            original |= attr.number() == CTA_TUPLE_ORIG;
            reply |= attr.number() == CTA_TUPLE_REPLY;
            self.read_attr(&attr)?;
        }
        attrs.finish()?;
        if !original || !reply {
            let number = if original { CTA_TUPLE_REPLY } else { CTA_TUPLE_ORIG };
            return Err(Error::missing(number));
        }
        if !self.unknown.is_empty() {
            self.unknown.sort_by_key(|attr| attr.as_attr().number());
        }
        Ok(())
    }

    #[inline]
    fn read_attr(&mut self, attr: &Attr<'_>) -> Result<(), Error> {
        let mut strange = false;
        match attr.number() {
            CTA_STATUS => self.status = Some(Status(attr.u32_be()?)),
            CTA_TIMEOUT => self.timeout = Some(attr.u32_be()?),
            CTA_MARK => self.mark = Some(attr.u32_be()?),
            CTA_ID => self.id = Some(attr.u32_be()?),
            CTA_USE => self.use_count = Some(attr.u32_be()?),
            CTA_ZONE => self.zone = Some(attr.u16_be()?),
            CTA_SECMARK => self.secmark = Some(attr.u32_be()?),
            CTA_TIMESTAMP_EVENT => self.event_time = Some(attr.u64_be()?),
            CTA_LABELS => self.labels = Some(Labels::from(attr.payload)),
            number => {
                self.read_nest(attr, &mut strange).map_err(|error| error.within(number))?;
                if strange {
                    unknown::keep(&mut self.unknown, attr, &FLOW);
                }
            }
        }
        Ok(())
    }

    /// Reads one attribute that is a nest; errors are seen from inside it.
    #[inline]
    fn read_nest(&mut self, attr: &Attr<'_>, strange: &mut bool) -> Result<(), Error> {
        match attr.number() {
            CTA_TUPLE_ORIG => self.original = Tuple::read(attr.payload, strange)?,
            CTA_TUPLE_REPLY => self.reply = Tuple::read(attr.payload, strange)?,
            CTA_PROTOINFO => self.protocol_info = ProtocolInfo::read(attr, strange)?,
            CTA_COUNTERS_ORIG => {
                self.original_counters = Some(Counters::read(attr, strange)?);
            }
            CTA_COUNTERS_REPLY => {
                self.reply_counters = Some(Counters::read(attr, strange)?);
            }
            CTA_TIMESTAMP => self.read_times(attr, strange)?,
            CTA_SYNPROXY => self.synproxy = Some(Synproxy::read(attr, strange)?),
            CTA_HELP => self.helper = Some(Box::new(Helper::read(attr, strange)?)),
            CTA_SECCTX => self.read_secctx(attr, strange)?,
            CTA_SEQ_ADJ_ORIG => {
                self.original_seq_adj = Some(SeqAdj::read(attr, strange)?);
            }
            CTA_SEQ_ADJ_REPLY => self.reply_seq_adj = Some(SeqAdj::read(attr, strange)?),
            CTA_TUPLE_MASTER => {
                self.master = Some(Box::new(Tuple::read(attr.payload, strange)?));
            }
            // What only requests hold, and what is not known at all, is kept as it is.
            _ => self.unknown.push(RawAttr::from(*attr)),
        }
        Ok(())
    }

    fn read_times(&mut self, attr: &Attr<'_>, strange: &mut bool) -> Result<(), Error> {
        let mut attrs = attr.nested();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                CTA_TIMESTAMP_START => self.start = Some(attr.u64_be()?),
                CTA_TIMESTAMP_STOP => self.stop = Some(attr.u64_be()?),
                CTA_TIMESTAMP_PAD => {}
                _ => *strange = true,
            }
        }
        attrs.finish()?;
        Ok(())
    }

    #[cold]
    fn read_secctx(&mut self, attr: &Attr<'_>, strange: &mut bool) -> Result<(), Error> {
        let mut attrs = attr.nested();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                CTA_SECCTX_NAME => self.secctx = Some(Text::from(attr.text())),
                _ => *strange = true,
            }
        }
        attrs.finish()?;
        Ok(())
    }

    /// The zone that the kernel looks the flow up in: of both directions or of one; 0 by default.
    pub fn zone_id(&self) -> u16 {
        self.zone.or(self.original.zone).or(self.reply.zone).unwrap_or_default()
    }

    /// Whether the source is translated, by comparing the tuples.
    pub fn is_source_nat(&self) -> bool {
        let own = |tuple: Tuple| match tuple.l4 {
            L4::None => (tuple.source, 0),
            L4::Ports { source, .. } => (tuple.source, source),
            L4::Icmp { id, .. } => (tuple.source, id),
        };
        own(self.reply.reversed()) != own(self.original)
    }

    /// Whether the destination is translated, by comparing the tuples.
    pub fn is_destination_nat(&self) -> bool {
        self.reply.source != self.original.destination
            || self.reply.source_port() != self.original.destination_port()
    }

    /// Whether anything is translated, by comparing the tuples.
    pub fn is_nat(&self) -> bool {
        self.is_source_nat() || self.is_destination_nat()
    }

    /// How long the flow lasted, in nanoseconds, if begin and end are known.
    pub fn duration(&self) -> Option<u64> {
        self.stop?.checked_sub(self.start?)
    }
}

/// The family and the attributes of a message that holds a flow.
#[inline]
pub(crate) fn body<'a>(message: &Message<'a>) -> Result<(AddressFamily, Attrs<'a>), Error> {
    match message.header.message_type {
        tables::IPCTNL_MSG_CT_NEW
        | tables::IPCTNL_MSG_CT_GET
        | tables::IPCTNL_MSG_CT_DELETE
        | tables::IPCTNL_MSG_CT_GET_CTRZERO
        | tables::IPCTNL_MSG_CT_GET_DYING
        | tables::IPCTNL_MSG_CT_GET_UNCONFIRMED => nfgenmsg(message.body()),
        found => Err(Problem::MessageType { found }.into()),
    }
}

/// The family and the attributes behind a `struct nfgenmsg`.
#[inline]
pub(crate) fn nfgenmsg(body: &[u8]) -> Result<(AddressFamily, Attrs<'_>), Error> {
    let (fixed, attrs) = Attrs::behind(body, NFGENMSG_LEN)?;
    Ok((AddressFamily(fixed.first().copied().unwrap_or_default()), attrs))
}
