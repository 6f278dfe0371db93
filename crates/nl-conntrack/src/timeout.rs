//! Timeout policies: how long flows are remembered (linux/netfilter/nfnetlink_cttimeout.h).
//!
//! A named policy is attached to flows by rules (`ct timeout set` of nft); the defaults of a
//! protocol hold for all others.

use alloc::collections::BTreeMap;

use nl_wire::attr::Attrs;
use nl_wire::datagram::Message;
use nl_wire::error::{Error, Problem};
use nl_wire::request::{Mode, Request};
use nl_wire::table::{Protocol, Table};
use nl_wire::text::Text;
use nl_wire::value::AddressFamily;
use nl_wire::{Flags, Writer};

use crate::encode::nfgenmsg;
use crate::flow::nfgenmsg as read_nfgenmsg;
use crate::tables::{
    CTA_TIMEOUT_DATA, CTA_TIMEOUT_L3PROTO, CTA_TIMEOUT_L4PROTO, CTA_TIMEOUT_NAME, CTA_TIMEOUT_USE,
    IPCTNL_MSG_TIMEOUT_DEFAULT_GET, IPCTNL_MSG_TIMEOUT_DEFAULT_SET, IPCTNL_MSG_TIMEOUT_DELETE,
    IPCTNL_MSG_TIMEOUT_GET, IPCTNL_MSG_TIMEOUT_NEW, TIMEOUT, TIMEOUT_DCCP, TIMEOUT_GENERIC,
    TIMEOUT_GRE, TIMEOUT_ICMP, TIMEOUT_ICMPV6, TIMEOUT_SCTP, TIMEOUT_TCP, TIMEOUT_UDP,
    TIMEOUT_UDPLITE, TIMEOUTS,
};
use crate::value::{IpProtocol, UnknownWord};

/// Timeouts of a protocol, by state.
///
/// ```
/// use nl_conntrack::{IpProtocol, Timeouts};
/// use nl_wire::value::AddressFamily;
///
/// let mut policy = Timeouts::new("web", AddressFamily::INET, IpProtocol::TCP);
/// policy.set("established", 7200)?;
/// policy.set("close_wait", 10)?;
/// assert_eq!(policy.get("established"), Some(7200));
/// assert!(policy.set("replied", 5).is_err()); // that is UDP's
/// # Ok::<(), nl_conntrack::value::UnknownWord>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Timeouts {
    /// `CTA_TIMEOUT_NAME`, at most 31 bytes; empty for the defaults of a protocol.
    pub name: Text,
    /// `CTA_TIMEOUT_L3PROTO`.
    pub family: AddressFamily,
    /// `CTA_TIMEOUT_L4PROTO`; 255 ([`IpProtocol::RAW`]) stands for all that are not tracked by
    /// state.
    pub protocol: IpProtocol,
    /// `CTA_TIMEOUT_DATA`: seconds, by the number of the protocol's attribute, such as
    /// [`CTA_TIMEOUT_TCP_ESTABLISHED`](crate::tables::CTA_TIMEOUT_TCP_ESTABLISHED).
    pub seconds: BTreeMap<u16, u32>,
    /// `CTA_TIMEOUT_USE`: how many rules use it; reported only.
    pub use_count: Option<u32>,
}

/// The attributes of a protocol's timeouts.
fn table(protocol: IpProtocol) -> &'static Table {
    match protocol {
        IpProtocol::TCP => &TIMEOUT_TCP,
        IpProtocol::UDP => &TIMEOUT_UDP,
        IpProtocol::UDPLITE => &TIMEOUT_UDPLITE,
        IpProtocol::ICMP => &TIMEOUT_ICMP,
        IpProtocol::ICMPV6 => &TIMEOUT_ICMPV6,
        IpProtocol::DCCP => &TIMEOUT_DCCP,
        IpProtocol::SCTP => &TIMEOUT_SCTP,
        IpProtocol::GRE => &TIMEOUT_GRE,
        _ => &TIMEOUT_GENERIC,
    }
}

/// What of an attribute's name tells the state: `ESTABLISHED`.
fn state(table: &Table, name: &'static str) -> &'static str {
    name.strip_prefix(table.name).and_then(|rest| rest.strip_prefix('_')).unwrap_or(name)
}

impl Timeouts {
    /// A policy without timeouts of its own: what it does not set is as the defaults are.
    pub fn new(name: &str, family: AddressFamily, protocol: IpProtocol) -> Self {
        Self { name: name.into(), family, protocol, ..Self::default() }
    }

    /// Sets the timeout of a state, in seconds: `established`, `replied`, `timeout`; letter case is
    /// ignored.
    ///
    /// # Errors
    /// If the protocol has no such state.
    pub fn set(&mut self, name: &str, seconds: u32) -> Result<(), UnknownWord> {
        let number = self.number(name).ok_or(UnknownWord)?;
        self.seconds.insert(number, seconds);
        Ok(())
    }

    /// The timeout of a state, in seconds.
    pub fn get(&self, name: &str) -> Option<u32> {
        self.seconds.get(&self.number(name)?).copied()
    }

    fn number(&self, name: &str) -> Option<u16> {
        let table = table(self.protocol);
        let row = table.rows().find(|row| state(table, row.name).eq_ignore_ascii_case(name))?;
        Some(row.number)
    }

    /// States and seconds, in the kernel's order; a number that is not known has no name.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&'static str>, u32)> {
        let table = table(self.protocol);
        self.seconds.iter().map(move |(number, seconds)| {
            let name = table.row(*number).map(|row| state(table, row.name));
            (name.filter(|name| !name.is_empty()), *seconds)
        })
    }

    /// Reads the kernel's answer.
    ///
    /// # Errors
    /// [`Problem::MessageType`] for other messages, and whatever is wrong with an attribute, its
    /// path named.
    pub fn decode(message: &Message<'_>) -> Result<Self, Error> {
        let found = message.header.message_type;
        if !(IPCTNL_MSG_TIMEOUT_NEW..=IPCTNL_MSG_TIMEOUT_DEFAULT_GET).contains(&found) {
            return Err(Problem::MessageType { found }.into());
        }
        let (_, attrs) = read_nfgenmsg(message.body())?;
        Self::read(attrs).map_err(|error| error.in_table(&TIMEOUT))
    }

    fn read(attrs: Attrs<'_>) -> Result<Self, Error> {
        let mut timeouts = Self::default();
        for attr in attrs {
            let attr = attr?;
            match attr.number() {
                CTA_TIMEOUT_NAME => timeouts.name = Text::from(attr.text()),
                CTA_TIMEOUT_L3PROTO => {
                    let [_, family] = attr.u16_be()?.to_be_bytes();
                    timeouts.family = AddressFamily(family);
                }
                CTA_TIMEOUT_L4PROTO => timeouts.protocol = IpProtocol(attr.u8()?),
                CTA_TIMEOUT_DATA => {
                    for attr in attr.nested() {
                        let attr = attr.map_err(|error| error.within(CTA_TIMEOUT_DATA))?;
                        let seconds = attr.u32_be();
                        let seconds = seconds.map_err(|error| error.within(CTA_TIMEOUT_DATA))?;
                        timeouts.seconds.insert(attr.number(), seconds);
                    }
                }
                CTA_TIMEOUT_USE => timeouts.use_count = Some(attr.u32_be()?),
                _ => {}
            }
        }
        Ok(timeouts)
    }

    fn write_protocol(&self, w: &mut Writer<'_>) {
        w.u16_be(CTA_TIMEOUT_L3PROTO, self.family.0.into());
        w.u8(CTA_TIMEOUT_L4PROTO, self.protocol.0);
    }

    fn write_seconds(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        w.nest(CTA_TIMEOUT_DATA, |w| {
            for (number, seconds) in &self.seconds {
                w.u32_be(*number, *seconds);
            }
            Ok(())
        })
    }
}

/// Which timeouts are meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum GetTimeouts {
    /// The policy of this name; `ENOENT` if there is none.
    Named(Text),
    /// The defaults of a protocol. The family is not looked at but must be given.
    Defaults(AddressFamily, IpProtocol),
}

impl Request for GetTimeouts {
    type Item = Timeouts;
    const MODE: Mode = Mode::Get;

    fn protocol(&self) -> &'static Protocol {
        &TIMEOUTS
    }

    fn message_type(&self) -> u16 {
        match self {
            Self::Named(_) => IPCTNL_MSG_TIMEOUT_GET,
            Self::Defaults(..) => IPCTNL_MSG_TIMEOUT_DEFAULT_GET,
        }
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        nfgenmsg(writer, AddressFamily::UNSPEC, 0);
        match self {
            Self::Named(name) => writer.text(CTA_TIMEOUT_NAME, name.as_bytes()),
            Self::Defaults(family, protocol) => {
                Timeouts { family: *family, protocol: *protocol, ..Timeouts::default() }
                    .write_protocol(writer);
                Ok(())
            }
        }
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<Timeouts>, Error> {
        Timeouts::decode(message).map(Some)
    }
}

/// Lists all policies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct ListTimeouts;

impl Request for ListTimeouts {
    type Item = Timeouts;
    const MODE: Mode = Mode::Dump;

    fn protocol(&self) -> &'static Protocol {
        &TIMEOUTS
    }

    fn message_type(&self) -> u16 {
        IPCTNL_MSG_TIMEOUT_GET
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        nfgenmsg(writer, AddressFamily::UNSPEC, 0);
        Ok(())
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<Timeouts>, Error> {
        Timeouts::decode(message).map(Some)
    }
}

/// A change of timeouts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TimeoutChange {
    /// Makes a policy; `EEXIST` if it is there.
    Create(Timeouts),
    /// Makes a policy, or sets the timeouts of the one that is there; `EINVAL` if that is of another
    /// family or protocol.
    Replace(Timeouts),
    /// Deletes a policy: `ENOENT` if there is none, `EBUSY` if a rule uses it.
    Delete(Text),
    /// Deletes all policies that no rule uses.
    Flush,
    /// Sets the defaults of a protocol; what is not given stays. The name is not looked at.
    SetDefaults(Timeouts),
}

impl Request for TimeoutChange {
    type Item = ();
    const MODE: Mode = Mode::Change;

    fn protocol(&self) -> &'static Protocol {
        &TIMEOUTS
    }

    fn message_type(&self) -> u16 {
        match self {
            Self::Create(_) | Self::Replace(_) => IPCTNL_MSG_TIMEOUT_NEW,
            Self::Delete(_) | Self::Flush => IPCTNL_MSG_TIMEOUT_DELETE,
            Self::SetDefaults(_) => IPCTNL_MSG_TIMEOUT_DEFAULT_SET,
        }
    }

    fn flags(&self) -> Flags {
        match self {
            Self::Create(_) => Flags::CREATE | Flags::EXCL,
            Self::Replace(_) => Flags::CREATE | Flags::REPLACE,
            _ => Flags(0),
        }
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        nfgenmsg(writer, AddressFamily::UNSPEC, 0);
        match self {
            Self::Create(timeouts) | Self::Replace(timeouts) => {
                writer.text(CTA_TIMEOUT_NAME, timeouts.name.as_bytes())?;
                timeouts.write_protocol(writer);
                timeouts.write_seconds(writer)
            }
            // A policy can't be called so.
            Self::Delete(name) if name.as_bytes().is_empty() => {
                Err(Error::missing(CTA_TIMEOUT_NAME))
            }
            Self::Delete(name) => writer.text(CTA_TIMEOUT_NAME, name.as_bytes()),
            Self::Flush => Ok(()),
            Self::SetDefaults(timeouts) => {
                timeouts.write_protocol(writer);
                timeouts.write_seconds(writer)
            }
        }
    }

    fn read(&self, _: &Message<'_>) -> Result<Option<()>, Error> {
        Ok(None)
    }
}
