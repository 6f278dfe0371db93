//! The kind of a link: `IFLA_LINKINFO` (linux/if_link.h).

use alloc::vec::Vec;

use nl_wire::attr::Attrs;
use nl_wire::text::Text;
use nl_wire::{Error, RawAttr, Writer};

use crate::tables::link::{
    IFLA_INFO_DATA, IFLA_INFO_KIND, IFLA_INFO_SLAVE_DATA, IFLA_INFO_SLAVE_KIND, IFLA_LINKINFO,
};

/// What kind of link it is, with that kind's own attributes.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct LinkInfo {
    /// The kind: `veth`, `bridge`, `vxlan`, ….
    pub kind: Option<Text>,
    /// The kind's attributes, to be walked with [`LinkInfo::data`]; numbers as in
    /// [`crate::tables::kind`].
    pub raw_data: Option<Vec<u8>>,
    /// The kind of the master: `bridge`, `bond`, `vrf`, ….
    pub slave_kind: Option<Text>,
    /// What the master keeps of this port, to be walked with [`LinkInfo::slave_data`].
    pub raw_slave_data: Option<Vec<u8>>,
    /// Attributes that this crate does not read (`IFLA_INFO_XSTATS`), in order.
    pub unknown: Vec<RawAttr>,
}

impl LinkInfo {
    /// The kind's attributes.
    pub fn data(&self) -> Attrs<'_> {
        Attrs::new(self.raw_data.as_deref().unwrap_or_default())
    }

    /// What the master keeps of this port.
    pub fn slave_data(&self) -> Attrs<'_> {
        Attrs::new(self.raw_slave_data.as_deref().unwrap_or_default())
    }

    pub(crate) fn decode(mut attrs: Attrs<'_>) -> Result<Self, Error> {
        let mut info = Self::default();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                IFLA_INFO_KIND => info.kind = Some(attr.text().into()),
                IFLA_INFO_DATA => info.raw_data = Some(attr.payload.to_vec()),
                IFLA_INFO_SLAVE_KIND => info.slave_kind = Some(attr.text().into()),
                IFLA_INFO_SLAVE_DATA => info.raw_slave_data = Some(attr.payload.to_vec()),
                _ => info.unknown.push(attr.into()),
            }
        }
        attrs.finish()?;
        Ok(info)
    }

    pub(crate) fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.nest(IFLA_LINKINFO, |writer| {
            if let Some(kind) = &self.kind {
                writer.text(IFLA_INFO_KIND, kind.as_bytes())?;
            }
            if let Some(data) = &self.raw_data {
                writer.bytes(IFLA_INFO_DATA | nl_wire::attr::NLA_F_NESTED, data)?;
            }
            if let Some(kind) = &self.slave_kind {
                writer.text(IFLA_INFO_SLAVE_KIND, kind.as_bytes())?;
            }
            if let Some(data) = &self.raw_slave_data {
                writer.bytes(IFLA_INFO_SLAVE_DATA | nl_wire::attr::NLA_F_NESTED, data)?;
            }
            self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
        })
    }
}
