//! Requests about expectations.

use nl_wire::datagram::Message;
use nl_wire::error::Error;
use nl_wire::request::{Mode, Request};
use nl_wire::table::Protocol;
use nl_wire::text::Text;
use nl_wire::value::AddressFamily;
use nl_wire::{Flags, Writer};

use crate::encode::nfgenmsg;
use crate::expect::Expectation;
use crate::tables::{
    CTA_EXPECT_HELP_NAME, CTA_EXPECT_ID, CTA_EXPECT_MASTER, CTA_EXPECT_TUPLE, CTA_EXPECT_ZONE,
    EXPECTATIONS, IPCTNL_MSG_EXP_DELETE, IPCTNL_MSG_EXP_GET, IPCTNL_MSG_EXP_NEW,
};
use crate::tuple::Tuple;

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
        &EXPECTATIONS
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

/// Which expectation is meant.
///
/// The kernel finds the expectation that a packet with this tuple would fulfil, so any tuple that
/// the mask lets pass will do, not only the one announced.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct ExpectationKey {
    /// `CTA_EXPECT_TUPLE`.
    pub tuple: Tuple,
    /// `CTA_EXPECT_ZONE`.
    pub zone: Option<u16>,
    /// `CTA_EXPECT_ID`: if it is given and another expectation is found, the answer is `ENOENT`.
    pub id: Option<u32>,
}

impl ExpectationKey {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        nfgenmsg(writer, self.tuple.family(), 0);
        self.tuple.write(writer, CTA_EXPECT_TUPLE)?;
        if let Some(zone) = self.zone {
            writer.u16_be(CTA_EXPECT_ZONE, zone);
        }
        if let Some(id) = self.id {
            writer.u32_be(CTA_EXPECT_ID, id);
        }
        Ok(())
    }
}

/// The key of an expectation in no zone, whatever its id.
impl From<Tuple> for ExpectationKey {
    fn from(tuple: Tuple) -> Self {
        Self { tuple, zone: None, id: None }
    }
}

/// The key of an expectation that was listed: this one and no other.
impl From<&Expectation> for ExpectationKey {
    fn from(expectation: &Expectation) -> Self {
        let Expectation { tuple, zone, id, .. } = *expectation;
        Self { tuple, zone, id }
    }
}

/// Gets one expectation. The kernel answers `ENOENT` if there is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct GetExpectation(pub ExpectationKey);

impl Request for GetExpectation {
    type Item = Expectation;
    const MODE: Mode = Mode::Get;

    fn protocol(&self) -> &'static Protocol {
        &EXPECTATIONS
    }

    fn message_type(&self) -> u16 {
        IPCTNL_MSG_EXP_GET
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.0.write(writer)
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<Expectation>, Error> {
        Expectation::decode(message).map(Some)
    }
}

/// A change of the table of expectations. Changes of all kinds can be mixed in a batch. The kernel
/// can't change an expectation that is there.
///
/// Those of one flow are deleted by listing them ([`ListExpectations::master`]) and deleting each:
/// the kernel takes a deletion that names a master alone for one of everything, so that there is no
/// such request here.
///
/// ```
/// use nl_conntrack::{Expectation, ExpectationChange, IpProtocol, Tuple};
/// use nl_wire::Request;
///
/// let (client, server) = (("10.0.0.1".parse()?, 4000), ("10.0.0.2".parse()?, 21));
/// let master = Tuple::with_ports(IpProtocol::TCP, client, server);
/// let all = "255.255.255.255".parse()?;
/// let expected = Expectation {
///     tuple: Tuple::with_ports(IpProtocol::TCP, (server.0, 0), (client.0, 5000)),
///     mask: Tuple::with_ports(IpProtocol::TCP, (all, 0), (all, 0xffff)),
///     master,
///     timeout: Some(60),
///     ..Expectation::default()
/// };
/// let mut bytes = Vec::new();
/// ExpectationChange::Create(expected.clone()).encode(1, &mut bytes)?;
/// ExpectationChange::Delete((&expected).into()).encode(2, &mut bytes)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
// Most changes are the large one, and few are kept.
#[allow(clippy::large_enum_variant)]
pub enum ExpectationChange {
    /// Makes it. The master must be there, else `ENOENT`, and have a helper, else `EOPNOTSUPP`. If
    /// the helper was chosen by user space the timeout must be given, else `EINVAL`; otherwise that
    /// of the helper counts. Of more than the helper allows for a master the oldest go.
    Create(Expectation),
    /// Deletes one; `ENOENT` if it is not there.
    Delete(ExpectationKey),
    /// Deletes those that a helper of this name made.
    DeleteOfHelper(Text),
    /// Deletes all, of both families.
    Flush,
}

impl Request for ExpectationChange {
    type Item = ();
    const MODE: Mode = Mode::Change;

    fn protocol(&self) -> &'static Protocol {
        &EXPECTATIONS
    }

    fn message_type(&self) -> u16 {
        match self {
            Self::Create(_) => IPCTNL_MSG_EXP_NEW,
            Self::Delete(_) | Self::DeleteOfHelper(_) | Self::Flush => IPCTNL_MSG_EXP_DELETE,
        }
    }

    fn flags(&self) -> Flags {
        match self {
            Self::Create(_) => Flags::CREATE | Flags::EXCL,
            _ => Flags(0),
        }
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        match self {
            Self::Create(expectation) => {
                // The kernel gives the id.
                let family = expectation.tuple.family();
                Expectation { family, id: None, ..expectation.clone() }.write(writer)
            }
            Self::Delete(key) => key.write(writer),
            // Without a name the kernel would delete all.
            Self::DeleteOfHelper(name) if name.as_bytes().is_empty() => {
                Err(Error::missing(CTA_EXPECT_HELP_NAME))
            }
            Self::DeleteOfHelper(name) => {
                nfgenmsg(writer, AddressFamily::UNSPEC, 0);
                writer.text(CTA_EXPECT_HELP_NAME, name.as_bytes())
            }
            Self::Flush => {
                nfgenmsg(writer, AddressFamily::UNSPEC, 0);
                Ok(())
            }
        }
    }

    fn read(&self, _: &Message<'_>) -> Result<Option<()>, Error> {
        Ok(None)
    }
}
