//! Addresses of links: `struct ifaddrmsg` and `IFA_*` (linux/if_addr.h).

use alloc::vec::Vec;
use core::net::IpAddr;

use nl_wire::attr::{Attr, Attrs};
use nl_wire::error::{Error, Problem};
use nl_wire::text::Text;
use nl_wire::value::AddressFamily;
use nl_wire::{Message, RawAttr, Writer};

use crate::prefix::Prefix;
use crate::tables::other::{
    IFA, IFA_ADDRESS, IFA_ANYCAST, IFA_BROADCAST, IFA_CACHEINFO, IFA_FLAGS, IFA_LABEL, IFA_LOCAL,
    IFA_MULTICAST, IFA_PROTO, IFA_RT_PRIORITY, IFA_TARGET_NETNSID,
};
use crate::tables::{RTM_DELADDR, RTM_GETADDR, RTM_NEWADDR};
use crate::value::{AddressFlags, AddressProtocol, Scope};

pub(crate) mod filter;

/// Length of `struct ifaddrmsg` in bytes.
pub(crate) const IFADDRMSG_LEN: usize = 8;

/// An address of a link.
///
/// To give one that may be there already, [`replace`](crate::Change::replace) it.
///
/// ```
/// use nl_route::{Address, Change};
///
/// let give = Change::replace(Address::new(7, "192.0.2.1/24".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Address {
    /// The address family; where it is `UNSPEC` a request takes that of the address.
    pub family: AddressFamily,
    /// How many leading bits the subnet has.
    pub prefix_length: u8,
    /// The flags: `IFA_FLAGS`, or without it the header's byte.
    pub flags: AddressFlags,
    /// How far away the address is valid.
    pub scope: Scope,
    /// The link's index.
    pub index: u32,
    /// `IFA_ADDRESS`: the address; where [`Address::local`] is another, the peer's.
    pub address: Option<IpAddr>,
    /// `IFA_LOCAL`: the link's own address. IPv6 sends it only where there is a peer.
    pub local: Option<IpAddr>,
    /// The broadcast address (IPv4).
    pub broadcast: Option<IpAddr>,
    /// The anycast address.
    pub anycast: Option<IpAddr>,
    /// The multicast address.
    pub multicast: Option<IpAddr>,
    /// The name of the address (IPv4): the link's, perhaps with `:` and more.
    pub label: Option<Text>,
    /// Lifetimes.
    pub cache_info: Option<AddressCacheInfo>,
    /// The metric of the route to the subnet (`IFA_RT_PRIORITY`).
    pub rt_priority: Option<u32>,
    /// Where the address comes from.
    pub protocol: Option<AddressProtocol>,
    /// The id of the namespace that was asked about.
    pub target_netnsid: Option<i32>,
    /// Attributes that this crate does not know, in order.
    pub unknown: Vec<RawAttr>,
}

/// `struct ifa_cacheinfo`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AddressCacheInfo {
    /// For how many seconds the address is preferred; [`AddressCacheInfo::FOREVER`] is without end.
    pub preferred: u32,
    /// For how many seconds the address is valid.
    pub valid: u32,
    /// When it was made, in hundredths of a second since the system started.
    pub created: u32,
    /// When it last changed, in hundredths of a second since the system started.
    pub updated: u32,
}

impl AddressCacheInfo {
    /// A lifetime without end (`INFINITY_LIFE_TIME`).
    pub const FOREVER: u32 = u32::MAX;

    fn decode(attr: &Attr<'_>) -> Result<Self, Error> {
        let [p0, p1, p2, p3, v0, v1, v2, v3, c0, c1, c2, c3, u0, u1, u2, u3] =
            attr.array::<16>()?;
        Ok(Self {
            preferred: u32::from_ne_bytes([p0, p1, p2, p3]),
            valid: u32::from_ne_bytes([v0, v1, v2, v3]),
            created: u32::from_ne_bytes([c0, c1, c2, c3]),
            updated: u32::from_ne_bytes([u0, u1, u2, u3]),
        })
    }

    fn encode(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        let numbers = [self.preferred, self.valid, self.created, self.updated];
        for (slot, number) in bytes.chunks_exact_mut(4).zip(numbers) {
            slot.copy_from_slice(&number.to_ne_bytes());
        }
        bytes
    }
}

impl Default for AddressCacheInfo {
    /// Preferred and valid for ever.
    fn default() -> Self {
        Self { preferred: Self::FOREVER, valid: Self::FOREVER, created: 0, updated: 0 }
    }
}

impl Address {
    /// An address of the link of this index, in the subnet of `prefix`'s length.
    pub fn new(index: u32, prefix: Prefix) -> Self {
        let own = Some(prefix.address);
        Self { index, prefix_length: prefix.length, address: own, local: own, ..Self::default() }
    }

    /// Reads an `RTM_NEWADDR`, `RTM_DELADDR` or `RTM_GETADDR`.
    ///
    /// # Errors
    /// [`Problem::MessageType`] for any other message; else what is wrong with the bytes, and
    /// where.
    pub fn decode(message: &Message<'_>) -> Result<Self, Error> {
        match message.header.message_type {
            RTM_NEWADDR | RTM_DELADDR | RTM_GETADDR => {}
            found => return Err(Problem::MessageType { found }.into()),
        }
        Self::decode_body(message.body()).map_err(|error| error.in_table(&IFA))
    }

    fn decode_body(body: &[u8]) -> Result<Self, Error> {
        let (_, mut attrs) = Attrs::behind(body, IFADDRMSG_LEN)?;
        let Some(&[family, prefix_length, flags, scope, i0, i1, i2, i3]) =
            body.first_chunk::<IFADDRMSG_LEN>()
        else {
            let actual = body.len();
            return Err(Problem::FixedHeader { expected: IFADDRMSG_LEN, actual }.into());
        };
        let mut address = Self {
            family: AddressFamily(family),
            prefix_length,
            flags: AddressFlags(flags.into()),
            scope: Scope(scope),
            index: u32::from_ne_bytes([i0, i1, i2, i3]),
            ..Self::default()
        };
        while let Some(attr) = attrs.step() {
            address.read(&attr)?;
        }
        attrs.finish()?;
        Ok(address)
    }

    fn read(&mut self, attr: &Attr<'_>) -> Result<(), Error> {
        match attr.number() {
            IFA_ADDRESS => self.address = Some(attr.ip()?),
            IFA_LOCAL => self.local = Some(attr.ip()?),
            IFA_LABEL => self.label = Some(attr.text().into()),
            IFA_BROADCAST => self.broadcast = Some(attr.ip()?),
            IFA_ANYCAST => self.anycast = Some(attr.ip()?),
            IFA_MULTICAST => self.multicast = Some(attr.ip()?),
            IFA_CACHEINFO => self.cache_info = Some(AddressCacheInfo::decode(attr)?),
            IFA_FLAGS => self.flags = AddressFlags(attr.u32()?),
            IFA_RT_PRIORITY => self.rt_priority = Some(attr.u32()?),
            IFA_PROTO => self.protocol = Some(AddressProtocol(attr.u8()?)),
            IFA_TARGET_NETNSID => self.target_netnsid = Some(attr.i32()?),
            _ => self.unknown.push((*attr).into()),
        }
        Ok(())
    }

    /// Writes `struct ifaddrmsg` and all attributes, as the kernel orders them for IPv4.
    ///
    /// # Errors
    /// If an attribute is too long.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.write(writer, self.family, self.local)
    }

    /// Writes the body of a request that makes or deletes this address; IPv4 wants the link's own
    /// address said as such.
    pub(crate) fn encode_change(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let family = self.known_family();
        let own = if family == AddressFamily::INET { self.own() } else { self.local };
        self.write(writer, family, own)
    }

    fn write(
        &self,
        writer: &mut Writer<'_>,
        AddressFamily(family): AddressFamily,
        local: Option<IpAddr>,
    ) -> Result<(), Error> {
        let [i0, i1, i2, i3] = self.index.to_ne_bytes();
        let [flags, ..] = self.flags.0.to_le_bytes();
        writer.fixed(&[family, self.prefix_length, flags, self.scope.0, i0, i1, i2, i3]);
        if let Some(id) = self.target_netnsid {
            writer.i32(IFA_TARGET_NETNSID, id);
        }
        let addresses = [
            (IFA_ADDRESS, self.address),
            (IFA_LOCAL, local),
            (IFA_BROADCAST, self.broadcast),
            (IFA_ANYCAST, self.anycast),
            (IFA_MULTICAST, self.multicast),
        ];
        for (number, address) in addresses {
            if let Some(address) = address {
                writer.ip(number, address);
            }
        }
        if let Some(label) = &self.label {
            writer.text(IFA_LABEL, label.as_bytes())?;
        }
        if let Some(protocol) = self.protocol {
            writer.u8(IFA_PROTO, protocol.0);
        }
        writer.u32(IFA_FLAGS, self.flags.0);
        if let Some(priority) = self.rt_priority {
            writer.u32(IFA_RT_PRIORITY, priority);
        }
        if let Some(info) = &self.cache_info {
            writer.bytes(IFA_CACHEINFO, &info.encode())?;
        }
        self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
    }

    /// The link's own address: `IFA_LOCAL`, or without it `IFA_ADDRESS`.
    pub fn own(&self) -> Option<IpAddr> {
        self.local.or(self.address)
    }

    /// The family, or where it is `UNSPEC` that of the address; without any, IPv4.
    pub fn known_family(&self) -> AddressFamily {
        if self.family != AddressFamily::UNSPEC {
            return self.family;
        }
        self.own().map_or(AddressFamily::INET, AddressFamily::of)
    }
}
