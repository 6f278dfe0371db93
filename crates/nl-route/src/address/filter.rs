//! Which addresses a list shall have.

use nl_wire::table::Protocol;
use nl_wire::value::AddressFamily;
use nl_wire::{Error, Message, Writer};

use super::{Address, IFADDRMSG_LEN};
use crate::filter::{Filter, agrees, known};
use crate::object::{Action, Object};
use crate::tables::{ADDRESSES, RTM_DELADDR, RTM_GETADDR, RTM_NEWADDR};

/// Which addresses; by default all.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct AddressFilter {
    /// The family; `UNSPEC` is all.
    pub family: AddressFamily,
    /// The link's index. One that does not exist is the kernel's `ENODEV`.
    pub index: Option<u32>,
}

impl Filter<Address> for AddressFilter {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let mut header = [0; IFADDRMSG_LEN];
        header[0] = self.family.0;
        header[4..].copy_from_slice(&self.index.unwrap_or(0).to_ne_bytes());
        writer.fixed(&header);
        Ok(())
    }

    fn admits(&self, address: &Address) -> bool {
        agrees(known(self.family), &address.family) && agrees(self.index, &address.index)
    }
}

impl Object for Address {
    type Filter = AddressFilter;
    const PROTOCOL: &'static Protocol = &ADDRESSES;
    const NEW: u16 = RTM_NEWADDR;
    const DELETE: u16 = RTM_DELADDR;
    const GET: u16 = RTM_GETADDR;

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
