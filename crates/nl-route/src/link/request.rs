//! Requests about one link.

use nl_wire::error::Problem;
use nl_wire::request::{Mode, Request};
use nl_wire::table::Protocol;
use nl_wire::text::Text;
use nl_wire::{Error, Flags, Message, Writer};

use super::filter::ext_mask;
use super::{IFINFOMSG_LEN, Link};
use crate::tables::link::{IFLA_ALT_IFNAME, IFLA_EXT_MASK, IFLA_IFNAME};
use crate::tables::{LINKS, RTM_DELLINKPROP, RTM_GETLINK, RTM_NEWLINKPROP};

/// Gives a link further names, or takes them (`ip link property`).
///
/// Of the link only the index and [`Link::altnames`] count.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct LinkNames {
    /// The link and the names.
    pub link: Link,
    /// Whether they are given, or taken.
    pub add: bool,
}

impl Request for LinkNames {
    type Item = ();
    const MODE: Mode = Mode::Change;

    fn protocol(&self) -> &'static Protocol {
        &LINKS
    }

    fn message_type(&self) -> u16 {
        if self.add { RTM_NEWLINKPROP } else { RTM_DELLINKPROP }
    }

    fn flags(&self) -> Flags {
        if self.add { Flags::CREATE | Flags::EXCL | Flags::APPEND } else { Flags(0) }
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let link = &self.link;
        Link { index: link.index, altnames: link.altnames.clone(), ..Link::default() }
            .encode_change(writer)
    }

    fn read(&self, _: &Message<'_>) -> Result<Option<()>, Error> {
        Ok(None)
    }
}

/// Asks for one link.
///
/// None of that index or name is the kernel's `ENODEV`; `Connection::find` of nl-socket makes `None`
/// of it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum GetLink {
    /// By its index.
    Index(u32),
    /// By its name, or one of its alternative names.
    Name(Text),
}

/// The longest name of a link in bytes (`IFNAMSIZ` without the NUL); alternative names may be
/// longer.
pub const NAME_LENGTH_MAX: usize = 15;

impl GetLink {
    /// The link of this name, or of this alternative name.
    pub fn named(name: impl Into<Text>) -> Self {
        Self::Name(name.into())
    }
}

impl Request for GetLink {
    type Item = Link;
    const MODE: Mode = Mode::Get;

    fn protocol(&self) -> &'static Protocol {
        &LINKS
    }

    fn message_type(&self) -> u16 {
        RTM_GETLINK
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let mut header = [0; IFINFOMSG_LEN];
        if let Self::Index(index) = self {
            header[4..8].copy_from_slice(&index.to_ne_bytes());
        }
        writer.fixed(&header);
        writer.u32(IFLA_EXT_MASK, ext_mask(true).0);
        match self {
            Self::Name(name) if name.is_empty() => Err(Error::at(Problem::Value, IFLA_IFNAME)),
            Self::Name(name) if name.as_bytes().len() <= NAME_LENGTH_MAX => {
                writer.text(IFLA_IFNAME, name.as_bytes())
            }
            Self::Name(name) => writer.text(IFLA_ALT_IFNAME, name.as_bytes()),
            Self::Index(_) => Ok(()),
        }
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<Link>, Error> {
        Link::decode(message).map(Some)
    }
}
