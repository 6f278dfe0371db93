//! Requests: list, get, flush. What changes single flows is in [`change`](crate::change), what is
//! about expectations in [`expect_request`](crate::expect_request).

use core::net::{IpAddr, Ipv4Addr};

use nl_wire::Writer;
use nl_wire::datagram::Message;
use nl_wire::error::Error;
use nl_wire::request::{Mode, Request};
use nl_wire::table::Protocol;
use nl_wire::value::AddressFamily;

use crate::encode::nfgenmsg;
use crate::flow::Flow;
use crate::tables::{
    CTA_MARK, CTA_MARK_MASK, CTA_STATUS, CTA_STATUS_MASK, CTA_TUPLE_ORIG, CTA_TUPLE_REPLY,
    CTA_ZONE, FLOWS, IPCTNL_MSG_CT_DELETE, IPCTNL_MSG_CT_GET, IPCTNL_MSG_CT_GET_CTRZERO,
    IPCTNL_MSG_CT_GET_DYING, IPCTNL_MSG_CT_GET_UNCONFIRMED,
};
use crate::tuple::{L4, Tuple};
use crate::tuple_filter::{TupleFilter, write_filters};
use crate::value::{IpProtocol, Status};

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

    /// What matches both.
    fn and(self, other: Self) -> Self {
        let [(a, b), (c, d)] = [self, other].map(|it| (it.value.0, it.mask.0));
        // A bit of which they want different things, or that one of them wants though it does not
        // count: nothing matches.
        let impossible = (a ^ c) & b & d | a & !b | c & !d;
        if impossible == 0 {
            Self { value: Status(a | c), mask: Status(b | d) }
        } else {
            Self { value: Status::SRC_NAT, mask: Status::DST_NAT }
        }
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
    /// What their original direction must be like.
    pub original: TupleFilter,
    /// What their reply direction must be like.
    pub reply: TupleFilter,
    /// Sets the counters to zero while they are read (`IPCTNL_MSG_CT_GET_CTRZERO`). The kernel
    /// does so for all flows that it sends, be they kept here or not.
    pub zero_counters: bool,
}

impl List {
    /// Lists the flows with translated addresses or ports: two requests, each of which the kernel
    /// filters, that together give every such flow once. One request can't say "this bit or that".
    ///
    /// The bits do not change while a flow lives, so none moves from one list to the other. They
    /// say that translation was asked for, also where it changed nothing.
    pub fn translated(family: AddressFamily) -> [Self; 2] {
        let [_, source, destination] = Self { family, ..Self::default() }.by_translation();
        [source, destination]
    }

    /// The same list in two parts, which can be listed side by side on sockets of their own: IPv4
    /// and IPv6; in one if it is of one family already. Every flow has one of these families for
    /// life, so the parts have no flow in common, and all flows that this list gives.
    ///
    /// The kernel walks the table once a part, which costs an eighth of sending it. With about as
    /// many flows of each family two processors take little more than half of the time.
    pub fn by_family(self) -> impl Iterator<Item = Self> {
        let own = self.family();
        let families = [AddressFamily::INET, AddressFamily::INET6].into_iter();
        families
            .filter(move |family| own == AddressFamily::UNSPEC || own == *family)
            .map(move |family| Self { family, ..self })
    }

    /// The same list in three parts, which can be listed side by side: flows not translated, those
    /// whose source is (and perhaps the destination too), those whose destination alone is. The bits
    /// that tell ([`Status::SRC_NAT`], [`Status::DST_NAT`]) do not change while a flow lives, so the
    /// parts have no flow in common, and all flows that this list gives.
    ///
    /// For gateways, where [`List::by_family`] leaves nearly all in one part. Kernels before 5.15
    /// send every part whole; it is filtered here then.
    #[must_use]
    pub fn by_translation(self) -> [Self; 3] {
        let (source, destination) = (Status::SRC_NAT, Status::DST_NAT);
        let both = source | destination;
        [(Status::default(), both), (source, source), (destination, both)].map(|(value, mask)| {
            let part = Masked { value, mask };
            let status = self.filter.status.map_or(part, |own| own.and(part));
            Self { filter: Filter { status: Some(status), ..self.filter }, ..self }
        })
    }

    /// Lists the flows of a host: those that it opened, and those that it answers, after translation.
    /// One that it opened to itself is in both.
    ///
    /// Deleting them makes connections of a container forget where they went:
    ///
    /// ```no_run
    /// use nl_conntrack::{Change, Flow, List};
    /// use nl_socket::{Connection, Error};
    /// use nl_wire::{Errno, value::Family};
    ///
    /// let mut kernel = Connection::open(Family::NETFILTER)?;
    /// for list in List::of_host([10, 0, 0, 5].into()) {
    ///     let flows = kernel.dump(list)?.collect::<Result<Vec<Flow>, _>>()?;
    ///     for result in kernel.batch(flows.into_iter().map(Change::delete)) {
    ///         match result {
    ///             Err(error) if error.errno() == Some(Errno::ENOENT) => {} // ended meanwhile
    ///             other => other?,
    ///         }
    ///     }
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn of_host(address: IpAddr) -> [Self; 2] {
        let host = TupleFilter { source: Some(address), ..TupleFilter::default() };
        [Self { original: host, ..Self::default() }, Self { reply: host, ..Self::default() }]
    }

    /// The family asked for: the kernel refuses to filter by tuples without one.
    fn family(&self) -> AddressFamily {
        let families = [self.family, self.original.family(), self.reply.family()];
        let family = families.into_iter().find(|family| *family != AddressFamily::UNSPEC);
        family.unwrap_or_default()
    }
}

impl Request for List {
    type Item = Flow;
    const MODE: Mode = Mode::Dump;

    fn protocol(&self) -> &'static Protocol {
        &FLOWS
    }

    fn message_type(&self) -> u16 {
        if self.zero_counters { IPCTNL_MSG_CT_GET_CTRZERO } else { IPCTNL_MSG_CT_GET }
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let family = self.family();
        nfgenmsg(writer, family, 0);
        self.filter.write(writer);
        write_filters(writer, family, &self.original, &self.reply)
    }

    #[inline]
    fn read(&self, message: &Message<'_>) -> Result<Option<Flow>, Error> {
        let flow = Flow::decode(message)?;
        let wanted = (self.family == AddressFamily::UNSPEC || self.family == flow.family)
            && self.filter.matches(&flow)
            && self.original.matches(&flow.original)
            && self.reply.matches(&flow.reply);
        // Not by `then_some`, which moves the flow whether it is wanted or not.
        if wanted { Ok(Some(flow)) } else { Ok(None) }
    }

    // Most lists have no filter.
    #[inline]
    fn is_plain(&self, _: &Message<'_>) -> bool {
        self.family == AddressFamily::UNSPEC
            && self.filter == Filter::default()
            && self.original == TupleFilter::default()
            && self.reply == TupleFilter::default()
    }

    #[inline]
    fn read_as<O>(
        &self,
        message: &Message<'_>,
        make: impl FnOnce(Result<Option<Flow>, Error>) -> O,
    ) -> O {
        if self.is_plain(message) {
            Flow::decode_as(message, |flow| make(flow.map(Some)))
        } else {
            make(self.read(message))
        }
    }
}

macro_rules! special_lists {
    ($($(#[$meta:meta])* $name:ident = $message:ident;)*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
            pub struct $name {
                /// `AF_INET`, `AF_INET6`, or `AF_UNSPEC` for both.
                pub family: AddressFamily,
            }

            impl Request for $name {
                type Item = Flow;
                const MODE: Mode = Mode::Dump;

                fn protocol(&self) -> &'static Protocol {
                    &FLOWS
                }

                fn message_type(&self) -> u16 {
                    $message
                }

                fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
                    nfgenmsg(writer, self.family, 0);
                    Ok(())
                }

                fn read(&self, message: &Message<'_>) -> Result<Option<Flow>, Error> {
                    let flow = Flow::decode(message)?;
                    let any = self.family == AddressFamily::UNSPEC;
                    Ok((any || self.family == flow.family).then_some(flow))
                }
            }
        )*
    };
}

special_lists! {
    /// Lists flows that ended but whose end could not be reported yet, because a listener that asked
    /// for reliable delivery (`NETLINK_BROADCAST_ERROR`) had no room.
    ListDying = IPCTNL_MSG_CT_GET_DYING;
    /// Lists flows whose first packet is still under way. Since Linux 5.19 there are none.
    ListUnconfirmed = IPCTNL_MSG_CT_GET_UNCONFIRMED;
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

/// Gets one flow. The kernel answers `ENOENT` if there is none, which is how to ask whether there is
/// one.
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
    /// Asks for a flow that can't be: all of it zero, IPv4. A kernel with `nf_conntrack_netlink`
    /// answers `ENOENT`, after loading the module if it must; one that can't have it `EINVAL`.
    /// Changes nothing.
    pub const PROBE: Self = Self::original(Tuple::new(
        IpProtocol::IP,
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        L4::None,
    ));

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
        &FLOWS
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
        &FLOWS
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Flows of both families with all states of the bits that matter here.
    fn flows() -> impl Iterator<Item = Flow> {
        let families = [AddressFamily::INET, AddressFamily::INET6].into_iter();
        let all = families.flat_map(|family| (0..1 << 4).map(move |bits| (family, bits)));
        all.map(|(family, bits)| {
            let status = Some(Status((bits & 7) << 3 | (bits & 8) << 5));
            Flow { family, status, ..Flow::default() }
        })
    }

    /// Whether the list gives the flow, by what [`List::read`] checks of families and statuses.
    fn gives(list: &List, flow: &Flow) -> bool {
        let any = list.family == AddressFamily::UNSPEC;
        (any || list.family == flow.family) && list.filter.matches(flow)
    }

    /// Whatever a list asks for, its parts have no flow in common and all that it gives.
    #[test]
    fn parts_are_disjoint_and_whole() {
        let masks = [0, 0x8, 0x10, 0x20, 0x30, 0x118];
        let values = masks.into_iter().flat_map(|mask| masks.map(|value| (value, mask)));
        let statuses =
            values.map(|(value, mask)| Some(Masked { value: Status(value), mask: Status(mask) }));
        for status in statuses.chain([None]) {
            for family in [AddressFamily::UNSPEC, AddressFamily::INET, AddressFamily::INET6] {
                let filter = Filter { status, ..Filter::default() };
                let list = List { family, filter, ..List::default() };
                let both = list.by_family().flat_map(List::by_translation);
                let parts: [Vec<List>; 3] =
                    [list.by_family().collect(), list.by_translation().into(), both.collect()];
                for (flow, parts) in
                    flows().flat_map(|flow| parts.iter().map(move |part| (flow.clone(), part)))
                {
                    let count = parts.iter().filter(|part| gives(part, &flow)).count();
                    assert_eq!(count, usize::from(gives(&list, &flow)), "{list:?} {flow:?}");
                }
            }
        }
    }

    /// Each state of the two bits that means translation is in exactly one of the lists.
    #[test]
    fn the_lists_of_translated_flows_are_disjoint_and_whole() {
        let lists = List::translated(AddressFamily::UNSPEC);
        for bits in (0..=u32::from(u16::MAX)).step_by(if cfg!(miri) { 997 } else { 1 }) {
            let flow = Flow { status: Some(Status(bits)), ..Flow::default() };
            let count = lists.iter().filter(|list| list.filter.matches(&flow)).count();
            assert_eq!(count, usize::from(Status(bits).intersects(Status::NAT)), "{bits:#x}");
        }
    }
}
