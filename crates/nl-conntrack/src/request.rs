//! Requests: list, get, flush. What changes single flows is in [`change`](crate::change).

use nl_wire::Writer;
use nl_wire::datagram::Message;
use nl_wire::error::Error;
use nl_wire::request::{Mode, Request};
use nl_wire::table::Protocol;
use nl_wire::value::AddressFamily;

use crate::encode::nfgenmsg;
use crate::expect::Expectation;
use crate::flow::Flow;
use crate::tables::{
    CTA_EXPECT_MASTER, CTA_EXPECT_ZONE, CTA_MARK, CTA_MARK_MASK, CTA_STATUS, CTA_STATUS_MASK,
    CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, CTA_ZONE, IPCTNL_MSG_CT_DELETE, IPCTNL_MSG_CT_GET,
    IPCTNL_MSG_CT_GET_CTRZERO, IPCTNL_MSG_EXP_GET, PROTOCOL,
};
use crate::tuple::Tuple;
use crate::value::Status;

/// The version in `struct nfgenmsg` with which a flush keeps to the family that it names. With
/// version 0 it ignores the family.
pub(crate) const HONOUR_FAMILY: u8 = 1;

/// A value and the bits of it that count: `x` matches if `x & mask == value`, as the kernel
/// compares. So a value with bits outside the mask matches nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct Masked<T> {
    /// What the masked number must be.
    pub value: T,
    /// The bits that count.
    pub mask: T,
}

impl Masked<u32> {
    /// All bits count.
    pub const fn exact(value: u32) -> Self {
        Self { value, mask: u32::MAX }
    }
}

impl Masked<Status> {
    /// All these bits must be set; others do not matter.
    pub const fn all(bits: Status) -> Self {
        Self { value: bits, mask: bits }
    }
}

/// What of the table is meant, as far as the kernel can tell flows apart by other things than
/// their tuples. All that is given must match.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct Filter {
    /// `CTA_MARK`, `CTA_MARK_MASK`; a flow without a mark has mark 0.
    pub mark: Option<Masked<u32>>,
    /// `CTA_STATUS`, `CTA_STATUS_MASK` (Linux 5.15).
    pub status: Option<Masked<Status>>,
    /// `CTA_ZONE` (Linux 6.8): the zone of both directions or of one, see [`Flow::zone_id`].
    pub zone: Option<u16>,
}

impl Filter {
    /// Whether the flow is one of those meant.
    pub fn matches(&self, flow: &Flow) -> bool {
        let status = flow.status.unwrap_or_default().0;
        self.mark.is_none_or(|mark| flow.mark.unwrap_or_default() & mark.mask == mark.value)
            && self.status.is_none_or(|filter| status & filter.mask.0 == filter.value.0)
            && self.zone.is_none_or(|zone| flow.zone_id() == zone)
    }

    fn write(&self, w: &mut Writer<'_>) {
        if let Some(mark) = self.mark {
            w.u32_be(CTA_MARK, mark.value);
            w.u32_be(CTA_MARK_MASK, mark.mask);
        }
        // The kernel refuses an empty mask, which tells nothing apart anyway.
        if let Some(status) = self.status.filter(|status| !status.mask.is_empty()) {
            w.u32_be(CTA_STATUS, status.value.0);
            w.u32_be(CTA_STATUS_MASK, status.mask.0);
        }
        if let Some(zone) = self.zone {
            w.u16_be(CTA_ZONE, zone);
        }
    }
}

/// Lists the table, or a part of it.
///
/// The kernel filters as far as it can, and each entry is checked again here: kernels too old for
/// a filter ignore it and send everything.
///
/// ```
/// use nl_conntrack::request::{Filter, List, Masked};
/// use nl_wire::{Request, value::AddressFamily};
///
/// let filter = Filter { mark: Some(Masked::exact(5)), ..Filter::default() };
/// let list = List { family: AddressFamily::INET, filter, ..List::default() };
/// let mut bytes = Vec::new();
/// list.encode(1, &mut bytes)?;
/// assert_eq!(bytes.len(), 16 + 4 + 8 + 8);
/// # Ok::<(), nl_wire::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct List {
    /// `AF_INET`, `AF_INET6`, or `AF_UNSPEC` for both.
    pub family: AddressFamily,
    /// Which flows.
    pub filter: Filter,
    /// Sets the counters to zero while they are read (`IPCTNL_MSG_CT_GET_CTRZERO`). The kernel
    /// does so for all flows that it sends, be they kept here or not.
    pub zero_counters: bool,
}

impl Request for List {
    type Item = Flow;
    const MODE: Mode = Mode::Dump;

    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn message_type(&self) -> u16 {
        if self.zero_counters { IPCTNL_MSG_CT_GET_CTRZERO } else { IPCTNL_MSG_CT_GET }
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        nfgenmsg(writer, self.family, 0);
        self.filter.write(writer);
        Ok(())
    }

    #[inline]
    fn read(&self, message: &Message<'_>) -> Result<Option<Flow>, Error> {
        let flow = Flow::decode(message)?;
        let family = self.family == AddressFamily::UNSPEC || self.family == flow.family;
        Ok((family && self.filter.matches(&flow)).then_some(flow))
    }
}

/// What a single flow is found by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Lookup {
    /// `CTA_TUPLE_ORIG`. The kernel finds a flow by either of its directions, whichever of the two
    /// attributes holds it.
    Original(Tuple),
    /// `CTA_TUPLE_REPLY`.
    Reply(Tuple),
}

/// Gets one flow. The kernel answers `ENOENT` if there is none.
///
/// ```
/// use nl_conntrack::{IpProtocol, Tuple, request::Get};
/// use nl_wire::Request;
///
/// let client = ("10.0.0.1".parse()?, 4000);
/// let get = Get::original(Tuple::with_ports(IpProtocol::UDP, client, ("10.0.0.2".parse()?, 53)));
/// let mut bytes = Vec::new();
/// get.encode(1, &mut bytes)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Get {
    /// By which direction to find it.
    pub lookup: Lookup,
    /// The zone of both directions; that of one is in the tuple.
    pub zone: Option<u16>,
}

impl Get {
    /// The flow with this original direction, in no zone.
    pub const fn original(tuple: Tuple) -> Self {
        Self { lookup: Lookup::Original(tuple), zone: None }
    }

    /// The flow with this reply direction, in no zone.
    pub const fn reply(tuple: Tuple) -> Self {
        Self { lookup: Lookup::Reply(tuple), zone: None }
    }
}

impl Request for Get {
    type Item = Flow;
    const MODE: Mode = Mode::Get;

    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn message_type(&self) -> u16 {
        IPCTNL_MSG_CT_GET
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let (number, tuple) = match &self.lookup {
            Lookup::Original(tuple) => (CTA_TUPLE_ORIG, tuple),
            Lookup::Reply(tuple) => (CTA_TUPLE_REPLY, tuple),
        };
        nfgenmsg(writer, tuple.family(), 0);
        tuple.write(writer, number)?;
        if let Some(zone) = self.zone {
            writer.u16_be(CTA_ZONE, zone);
        }
        Ok(())
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<Flow>, Error> {
        Flow::decode(message).map(Some)
    }
}

/// Empties the table, or deletes all flows of a family or that match a filter, in one request.
///
/// Kernels that do not know a part of it delete without it, and so more: a zone is honoured since
/// Linux 6.8, a status since 5.15; very old ones ignore the family. Where that matters, list the
/// flows and delete each by [`Change`](crate::Change).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct Flush {
    /// `AF_INET`, `AF_INET6`, or `AF_UNSPEC` for both.
    pub family: AddressFamily,
    /// Which flows.
    pub filter: Filter,
}

impl Request for Flush {
    type Item = ();
    const MODE: Mode = Mode::Change;

    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn message_type(&self) -> u16 {
        IPCTNL_MSG_CT_DELETE
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        nfgenmsg(writer, self.family, HONOUR_FAMILY);
        self.filter.write(writer);
        Ok(())
    }

    fn read(&self, _: &Message<'_>) -> Result<Option<()>, Error> {
        Ok(None)
    }
}

/// Lists expectations.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct ListExpectations {
    /// `AF_INET`, `AF_INET6`, or `AF_UNSPEC` for both. With a master its family counts.
    pub family: AddressFamily,
    /// Only those of this flow: its original direction, and its zone.
    pub master: Option<(Tuple, Option<u16>)>,
}

impl Request for ListExpectations {
    type Item = Expectation;
    const MODE: Mode = Mode::Dump;

    fn protocol(&self) -> &'static Protocol {
        &PROTOCOL
    }

    fn message_type(&self) -> u16 {
        IPCTNL_MSG_EXP_GET
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let Some((master, zone)) = &self.master else {
            nfgenmsg(writer, self.family, 0);
            return Ok(());
        };
        nfgenmsg(writer, master.family(), 0);
        master.write(writer, CTA_EXPECT_MASTER)?;
        if let Some(zone) = *zone {
            writer.u16_be(CTA_EXPECT_ZONE, zone);
        }
        Ok(())
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<Expectation>, Error> {
        let expectation = Expectation::decode(message)?;
        let wanted = match &self.master {
            Some((master, _)) => expectation.master == *master,
            None => self.family == AddressFamily::UNSPEC || self.family == expectation.family,
        };
        Ok(wanted.then_some(expectation))
    }
}
