//! Changes of single flows: create, update, delete.

use core::net::IpAddr;
use core::ops::RangeInclusive;

use nl_wire::datagram::Message;
use nl_wire::error::{Error, Problem};
use nl_wire::request::{Mode, Request};
use nl_wire::table::Protocol;
use nl_wire::{Flags, Writer};

use crate::encode::nfgenmsg;
use crate::extension::Labels;
use crate::flow::Flow;
use crate::request::HONOUR_FAMILY;
use crate::tables::{
    CTA_ID, CTA_LABELS, CTA_LABELS_MASK, CTA_MARK, CTA_MARK_MASK, CTA_NAT_DST, CTA_NAT_PROTO,
    CTA_NAT_SRC, CTA_NAT_V4_MAXIP, CTA_NAT_V4_MINIP, CTA_NAT_V6_MAXIP, CTA_NAT_V6_MINIP,
    CTA_PROTONAT_PORT_MAX, CTA_PROTONAT_PORT_MIN, CTA_SEQ_ADJ_ORIG, CTA_SEQ_ADJ_REPLY, CTA_STATUS,
    CTA_TIMEOUT, CTA_TUPLE_MASTER, CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, CTA_ZONE, FLOWS,
    IPCTNL_MSG_CT_DELETE, IPCTNL_MSG_CT_NEW,
};
use crate::tuple::Tuple;
use crate::value::Status;

/// What to do with a flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Action {
    /// Make it; `EEXIST` if it is there.
    Create,
    /// Make it, or update the one that is there.
    Upsert,
    /// Update it; `ENOENT` if it is not there.
    Update,
    /// Delete it; `ENOENT` if it is not there.
    Delete,
}

/// A change of one flow. Changes of all kinds can be mixed in a batch.
///
/// The kernel finds the flow by the original direction (the reply direction in its place will do)
/// and the zone. What else is written depends on the action:
///
/// - *Create*, *upsert*: both directions, timeout (must be there), status, protocol state, mark,
///   labels, helper, sequence adjustment, SYN proxy, master and NAT. TCP without a state
///   is in state `NONE`. The kernel drops NAT and offload bits of a status silently, and answers
///   `EBUSY` to `EXPECTED` and `DYING`.
/// - *Update*: status, timeout, mark, protocol state, labels, helper, sequence adjustment, SYN
///   proxy; `None` leaves as is. The status given must hold the bits that are set already: the
///   kernel answers `EBUSY` to clearing `SEEN_REPLY` or `ASSURED`. A timeout is `EPERM` once
///   `FIXED_TIMEOUT` is set, a helper `EOPNOTSUPP` unless the flow has it. Master and NAT can't be
///   changed and are not written.
/// - *Delete*: the original direction, zone, and the id if there is one: then the kernel answers
///   `ENOENT` rather than delete another flow of the same tuple. A delete always holds a tuple;
///   the request without one, which empties the table, is [`Flush`](crate::request::Flush).
///
/// `CONFIRMED` is added to every status, as the kernel demands.
///
/// ```
/// use nl_conntrack::{Change, Flow, IpProtocol, Tuple};
/// use nl_wire::Request;
///
/// let client = ("10.0.0.1".parse()?, 4000);
/// let tuple = Tuple::with_ports(IpProtocol::UDP, client, ("10.0.0.2".parse()?, 53));
/// let create = Change::create(Flow { timeout: Some(60), ..Flow::new(tuple) });
/// let mark = Change {
///     mark_mask: Some(0xff),
///     ..Change::update(Flow { mark: Some(5), ..Flow::new(tuple) })
/// };
/// let delete = Change::delete_tuple(tuple, None);
/// let mut bytes = Vec::new();
/// for (change, sequence) in [create, mark, delete].iter().zip(1..) {
///     change.encode(sequence, &mut bytes)?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// What to do.
    pub action: Action,
    /// The flow; its family is taken from its original direction.
    pub flow: Flow,
    /// `CTA_MARK_MASK`: the new mark is `(old & !mask) ^ mark`.
    pub mark_mask: Option<u32>,
    /// `CTA_LABELS_MASK`: which bits of the labels to change; as long as the labels.
    pub labels_mask: Option<Labels>,
    /// `CTA_NAT_SRC`, create and upsert: translate the source. The flow's reply direction must be
    /// the one without translation; the kernel works out the real one.
    pub nat_source: Option<NatRange>,
    /// `CTA_NAT_DST`, create and upsert: translate the destination.
    pub nat_destination: Option<NatRange>,
}

impl Change {
    const fn new(action: Action, flow: Flow) -> Self {
        Self {
            action,
            flow,
            mark_mask: None,
            labels_mask: None,
            nat_source: None,
            nat_destination: None,
        }
    }

    /// Makes the flow.
    pub const fn create(flow: Flow) -> Self {
        Self::new(Action::Create, flow)
    }

    /// Makes the flow, or updates it.
    pub const fn upsert(flow: Flow) -> Self {
        Self::new(Action::Upsert, flow)
    }

    /// Updates the flow: a listed one to all that was listed, so see [`Change::mark`].
    pub const fn update(flow: Flow) -> Self {
        Self::new(Action::Update, flow)
    }

    /// Deletes the flow; a listed one is deleted under its id.
    pub const fn delete(flow: Flow) -> Self {
        Self::new(Action::Delete, flow)
    }

    /// Deletes the flow that has this tuple in either direction, whatever its id.
    pub fn delete_tuple(tuple: Tuple, zone: Option<u16>) -> Self {
        Self::delete(Flow { zone, ..Flow::new(tuple) })
    }

    /// Marks the flow, however it was found, and leaves all else of it as is. (To update a listed
    /// flow as it stands would give it its old timeout and state again.)
    ///
    /// ```
    /// use nl_conntrack::{Change, Flow, IpProtocol, Tuple};
    ///
    /// let client = ("10.0.0.1".parse()?, 4000);
    /// let tuple = Tuple::with_ports(IpProtocol::UDP, client, ("10.0.0.2".parse()?, 53));
    /// let listed = Flow { timeout: Some(7), id: Some(99), ..Flow::new(tuple) };
    /// // The lowest byte of the mark becomes 5.
    /// let change = Change { mark_mask: Some(0xff), ..Change::mark(&listed, 5) };
    /// assert_eq!(change.flow.timeout, None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn mark(flow: &Flow, mark: u32) -> Self {
        Self::update(Flow { mark: Some(mark), zone: flow.zone, ..Flow::new(flow.original) })
    }

    /// What only a new flow can be given.
    fn write_birth(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        if self.flow.timeout.is_none() {
            return Err(Error::missing(CTA_TIMEOUT));
        }
        self.flow.reply.write(w, CTA_TUPLE_REPLY)?;
        if let Some(master) = &self.flow.master {
            master.write(w, CTA_TUPLE_MASTER)?;
        }
        if let Some(nat) = &self.nat_source {
            nat.write(w, CTA_NAT_SRC, &self.flow.original)?;
        }
        if let Some(nat) = &self.nat_destination {
            nat.write(w, CTA_NAT_DST, &self.flow.original)?;
        }
        Ok(())
    }

    /// What can be given to any flow.
    fn write_state(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        let flow = &self.flow;
        if let Some(status) = flow.status {
            w.u32_be(CTA_STATUS, (status | Status::CONFIRMED).0);
        }
        if let Some(timeout) = flow.timeout {
            w.u32_be(CTA_TIMEOUT, timeout);
        }
        if let Some(mark) = flow.mark {
            w.u32_be(CTA_MARK, mark);
        }
        if let Some(mask) = self.mark_mask {
            w.u32_be(CTA_MARK_MASK, mask);
        }
        if let Some(info) = &flow.protocol_info {
            info.write(w)?;
        }
        if let Some(helper) = &flow.helper {
            helper.write(w)?;
        }
        if let Some(labels) = &flow.labels {
            w.bytes(CTA_LABELS, labels.as_bytes())?;
        }
        if let Some(mask) = &self.labels_mask {
            w.bytes(CTA_LABELS_MASK, mask.as_bytes())?;
        }
        if let Some(adj) = flow.original_seq_adj {
            adj.write(w, CTA_SEQ_ADJ_ORIG)?;
        }
        if let Some(adj) = flow.reply_seq_adj {
            adj.write(w, CTA_SEQ_ADJ_REPLY)?;
        }
        if let Some(synproxy) = flow.synproxy {
            synproxy.write(w)?;
        }
        Ok(())
    }
}

impl Request for Change {
    type Item = ();
    const MODE: Mode = Mode::Change;

    fn protocol(&self) -> &'static Protocol {
        &FLOWS
    }

    fn message_type(&self) -> u16 {
        match self.action {
            Action::Delete => IPCTNL_MSG_CT_DELETE,
            Action::Create | Action::Upsert | Action::Update => IPCTNL_MSG_CT_NEW,
        }
    }

    fn flags(&self) -> Flags {
        match self.action {
            Action::Create => Flags::CREATE | Flags::EXCL,
            Action::Upsert => Flags::CREATE,
            Action::Update | Action::Delete => Flags(0),
        }
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let original = &self.flow.original;
        let version = if self.action == Action::Delete { HONOUR_FAMILY } else { 0 };
        nfgenmsg(writer, original.family(), version);
        original.write(writer, CTA_TUPLE_ORIG)?;
        if let Some(zone) = self.flow.zone {
            writer.u16_be(CTA_ZONE, zone);
        }
        match self.action {
            Action::Delete => {
                if let Some(id) = self.flow.id {
                    writer.u32_be(CTA_ID, id);
                }
                Ok(())
            }
            Action::Update => self.write_state(writer),
            Action::Create | Action::Upsert => {
                self.write_birth(writer)?;
                self.write_state(writer)
            }
        }
    }

    fn read(&self, _: &Message<'_>) -> Result<Option<()>, Error> {
        Ok(None)
    }
}

/// Where to translate an address to: `CTA_NAT_SRC`, `CTA_NAT_DST`.
///
/// ```
/// use nl_conntrack::NatRange;
/// use std::net::IpAddr;
///
/// let address: NatRange = "192.0.2.1".parse::<IpAddr>()?.into();
/// let with_ports = NatRange { ports: Some(1024..=2047), ..address };
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Hash, Default)]
pub struct NatRange {
    /// The addresses to choose from, of the flow's family; `None` keeps the address.
    pub addresses: Option<RangeInclusive<IpAddr>>,
    /// The ports (or ICMP ids) to choose from; `None` keeps the port if it is free. A single port
    /// that is taken is `EEXIST`.
    pub ports: Option<RangeInclusive<u16>>,
}

impl From<IpAddr> for NatRange {
    fn from(address: IpAddr) -> Self {
        Self { addresses: Some(address..=address), ports: None }
    }
}

impl NatRange {
    /// # Errors
    /// [`Problem::Missing`] if there is neither address nor port, [`Problem::Value`] if an address
    /// is not of the flow's family: the kernel would ignore either, and make a flow without NAT.
    fn write(&self, writer: &mut Writer<'_>, number: u16, flow: &Tuple) -> Result<(), Error> {
        if self.addresses.is_none() && self.ports.is_none() {
            return Err(Error::missing(number));
        }
        writer.nest(number, |w| {
            if let Some(addresses) = &self.addresses {
                let ends = [*addresses.start(), *addresses.end()];
                let numbers = match flow.source {
                    IpAddr::V4(_) => [CTA_NAT_V4_MINIP, CTA_NAT_V4_MAXIP],
                    IpAddr::V6(_) => [CTA_NAT_V6_MINIP, CTA_NAT_V6_MAXIP],
                };
                for (number, address) in numbers.into_iter().zip(ends) {
                    if address.is_ipv4() != flow.source.is_ipv4() {
                        return Err(Error::at(Problem::Value, number));
                    }
                    w.ip(number, address);
                }
            }
            if let Some(ports) = &self.ports {
                w.nest(CTA_NAT_PROTO, |w| {
                    w.u16_be(CTA_PROTONAT_PORT_MIN, *ports.start());
                    w.u16_be(CTA_PROTONAT_PORT_MAX, *ports.end());
                    Ok(())
                })?;
            }
            Ok(())
        })
    }
}
