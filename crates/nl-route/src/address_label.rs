//! Address labels: the policy table by which IPv6 source addresses are chosen
//! (`struct ifaddrlblmsg`, `IFAL_*`, linux/if_addrlabel.h; RFC 6724).

use alloc::vec::Vec;
use core::net::IpAddr;

use nl_wire::attr::Attrs;
use nl_wire::error::{Error, Problem};
use nl_wire::request::{Mode, Request};
use nl_wire::table::Protocol;
use nl_wire::value::AddressFamily;
use nl_wire::{Message, RawAttr, Writer};

use crate::filter::{Filter, agrees, known};
use crate::object::{Action, Object};
use crate::prefix::Prefix;
use crate::route::{has_ip, prefix};
use crate::tables::other::{IFAL, IFAL_ADDRESS, IFAL_LABEL};
use crate::tables::{ADDRESS_LABELS, RTM_DELADDRLABEL, RTM_GETADDRLABEL, RTM_NEWADDRLABEL};

/// Length of `struct ifaddrlblmsg` in bytes.
const IFADDRLBLMSG_LEN: usize = 12;

/// A label: of addresses that share one, sources and destinations suit each other.
///
/// The kernel announces no changes of them.
///
/// ```
/// use nl_route::{AddressLabel, Change};
///
/// let label = AddressLabel {
///     prefix: Some("2001:db8::/32".parse()?),
///     label: Some(99),
///     ..AddressLabel::default()
/// };
/// let request = Change::add(label);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct AddressLabel {
    /// The address family; where it is `UNSPEC` a request says IPv6, the only one there is.
    pub family: AddressFamily,
    /// The addresses that get the label.
    pub prefix: Option<Prefix>,
    /// Flags, of which there are none yet.
    pub flags: u8,
    /// The index of the only link on which the label counts; 0 is every link.
    pub index: u32,
    /// How often the table had been changed when it was listed; `ip` calls it nothing.
    pub sequence: u32,
    /// The label; 4,294,967,295 is none and can't be given.
    pub label: Option<u32>,
    /// Attributes that this crate does not know, in order.
    pub unknown: Vec<RawAttr>,
}

impl AddressLabel {
    /// Reads an `RTM_NEWADDRLABEL`, `RTM_DELADDRLABEL` or `RTM_GETADDRLABEL`.
    ///
    /// # Errors
    /// [`Problem::MessageType`] for any other message; else what is wrong with the bytes, and
    /// where.
    pub fn decode(message: &Message<'_>) -> Result<Self, Error> {
        match message.header.message_type {
            RTM_NEWADDRLABEL | RTM_DELADDRLABEL | RTM_GETADDRLABEL => {}
            found => return Err(Problem::MessageType { found }.into()),
        }
        Self::decode_body(message.body()).map_err(|error| error.in_table(&IFAL))
    }

    fn decode_body(body: &[u8]) -> Result<Self, Error> {
        let (_, attrs) = Attrs::behind(body, IFADDRLBLMSG_LEN)?;
        let Some(&[family, _, length, flags, i0, i1, i2, i3, s0, s1, s2, s3]) =
            body.first_chunk::<IFADDRLBLMSG_LEN>()
        else {
            let actual = body.len();
            return Err(Problem::FixedHeader { expected: IFADDRLBLMSG_LEN, actual }.into());
        };
        let mut label = Self {
            family: AddressFamily(family),
            flags,
            index: u32::from_ne_bytes([i0, i1, i2, i3]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            ..Self::default()
        };
        for attr in attrs {
            let attr = attr?;
            match attr.number() {
                IFAL_ADDRESS if has_ip(label.family) => label.prefix = Some(prefix(&attr, length)?),
                IFAL_LABEL => label.label = Some(attr.u32()?),
                _ => label.unknown.push(attr.into()),
            }
        }
        Ok(label)
    }

    fn write(&self, family: AddressFamily, writer: &mut Writer<'_>) -> Result<(), Error> {
        let [i0, i1, i2, i3] = self.index.to_ne_bytes();
        let [s0, s1, s2, s3] = self.sequence.to_ne_bytes();
        let length = self.prefix.map_or(0, |prefix| prefix.length);
        writer.fixed(&[family.0, 0, length, self.flags, i0, i1, i2, i3, s0, s1, s2, s3]);
        if let Some(prefix) = self.prefix {
            writer.ip(IFAL_ADDRESS, prefix.address);
        }
        if let Some(label) = self.label {
            writer.u32(IFAL_LABEL, label);
        }
        self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
    }
}

/// What requests say where no family is given.
fn or_inet6(family: AddressFamily) -> AddressFamily {
    known(family).unwrap_or(AddressFamily::INET6)
}

impl Object for AddressLabel {
    type Filter = AddressLabelFilter;
    const PROTOCOL: &'static Protocol = &ADDRESS_LABELS;
    const NEW: u16 = RTM_NEWADDRLABEL;
    const DELETE: u16 = RTM_DELADDRLABEL;
    const GET: u16 = RTM_GETADDRLABEL;

    fn decode(message: &Message<'_>) -> Result<Self, Error> {
        Self::decode(message)
    }

    /// Writes `struct ifaddrlblmsg` and all attributes, as the kernel orders them.
    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.write(self.family, writer)
    }

    fn encode_change(&self, _: Action, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.write(or_inet6(self.family), writer)
    }
}

/// Which address labels; by default all. The kernel filters by nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct AddressLabelFilter {
    /// The family; `UNSPEC` is IPv6, the only one there is.
    pub family: AddressFamily,
    /// The index of the link.
    pub index: Option<u32>,
}

impl Filter<AddressLabel> for AddressLabelFilter {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        AddressLabel::default().write(or_inet6(self.family), writer)
    }

    fn admits(&self, label: &AddressLabel) -> bool {
        agrees(Some(or_inet6(self.family)), &label.family) && agrees(self.index, &label.index)
    }
}

/// Asks which label an address has.
///
/// The answer is the entry that decides: the one with the longest prefix.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GetAddressLabel {
    /// The address, of IPv6.
    pub address: IpAddr,
    /// The index of the link that it is on; 0 is any.
    pub index: u32,
}

impl Request for GetAddressLabel {
    type Item = AddressLabel;
    const MODE: Mode = Mode::Get;

    fn protocol(&self) -> &'static Protocol {
        &ADDRESS_LABELS
    }

    fn message_type(&self) -> u16 {
        RTM_GETADDRLABEL
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let prefix = Some(Prefix::host(self.address));
        AddressLabel { prefix, index: self.index, ..AddressLabel::default() }
            .write(AddressFamily::of(self.address), writer)
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<AddressLabel>, Error> {
        AddressLabel::decode(message).map(Some)
    }
}
