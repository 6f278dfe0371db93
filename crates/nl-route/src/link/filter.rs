//! Which links a list shall have.

use nl_wire::table::Protocol;
use nl_wire::text::Text;
use nl_wire::{Error, Flags, Message, Writer};

use super::{IFINFOMSG_LEN, Link};
use crate::filter::{Filter, agrees};
use crate::object::{Action, Object};
use crate::tables::link::{IFLA_EXT_MASK, IFLA_INFO_KIND, IFLA_LINKINFO, IFLA_MASTER};
use crate::tables::{LINKS, RTM_DELLINK, RTM_GETLINK, RTM_NEWLINK};
use crate::value::ExtMask;

/// Which links; by default all, without their counters.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct LinkFilter {
    /// The bridge, bond or VRF that they belong to.
    pub master: Option<u32>,
    /// The kind: `veth`, `bridge`, …. The kernel returns all links for a kind that it does not
    /// know, which is why entries are checked.
    pub kind: Option<Text>,
    /// The name, or one of the alternative names.
    pub name: Option<Text>,
    /// Whether the counters shall come with them.
    pub statistics: bool,
}

/// Always something: without a mask the kernel makes no room for large links, and a list ends
/// before the first of them as if it were complete.
pub(crate) fn ext_mask(statistics: bool) -> ExtMask {
    if statistics { ExtMask::VF } else { ExtMask::VF | ExtMask::SKIP_STATS }
}

impl Filter<Link> for LinkFilter {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&[0; IFINFOMSG_LEN]);
        writer.u32(IFLA_EXT_MASK, ext_mask(self.statistics).0);
        if let Some(master) = self.master {
            writer.u32(IFLA_MASTER, master);
        }
        match &self.kind {
            Some(kind) => {
                writer.nest(IFLA_LINKINFO, |writer| writer.text(IFLA_INFO_KIND, kind.as_bytes()))
            }
            None => Ok(()),
        }
    }

    fn admits(&self, link: &Link) -> bool {
        agrees(self.master.map(Some), &link.master)
            && agrees(self.kind.as_ref().map(Some), &link.info_kind())
            && self
                .name
                .as_ref()
                .is_none_or(|name| link.name.as_ref() == Some(name) || link.altnames.contains(name))
    }
}

impl Object for Link {
    type Filter = LinkFilter;
    const PROTOCOL: &'static Protocol = &LINKS;
    const NEW: u16 = RTM_NEWLINK;
    const DELETE: u16 = RTM_DELLINK;
    const GET: u16 = RTM_GETLINK;

    /// A change of a link has no flags: the kernel refuses `NLM_F_REPLACE`.
    fn flags(action: Action) -> Flags {
        if action == Action::Change { Flags(0) } else { action.flags() }
    }

    fn decode(message: &Message<'_>) -> Result<Self, Error> {
        Self::decode(message)
    }

    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.encode(writer)
    }

    fn encode_change(&self, _: Action, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.encode_change(writer)
    }
}
