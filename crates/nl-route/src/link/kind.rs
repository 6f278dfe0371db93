//! The options of each kind of link, read and made (linux/if_link.h).
//!
//! A link keeps the bytes as they came ([`LinkInfo`]); they are read where somebody wants to know.
//! So nothing is lost of kinds and attributes that this crate does not know.
//!
//! ```
//! use nl_route::link::LinkInfo;
//! use nl_route::link::kind::{KindData, Vlan};
//!
//! let vlan = KindData::Vlan(Vlan { id: Some(7), ..Vlan::default() });
//! let info = LinkInfo::of_kind("vlan", &vlan)?;
//! assert_eq!(info.kind_data()?, Some(vlan));
//! # Ok::<(), nl_wire::Error>(())
//! ```

use alloc::boxed::Box;
use alloc::vec::Vec;

use nl_wire::attr::Attrs;
use nl_wire::{Error, Writer};

use super::{Link, LinkInfo};
use crate::tables::kind::{IFLA_NETKIT_PEER_INFO, VETH_INFO_PEER};
use crate::tables::link::{IFLA_INFO_DATA, IFLA_INFO_SLAVE_DATA};

mod bridge;
mod other;
mod tunnel;
mod wire;

pub use bridge::{Bridge, BridgePort};
pub use other::{Bond, BondAggregator, BondPort, Ipvlan, Macvlan, Netkit, Tun, Vlan, Vrf, VrfPort};
pub use tunnel::{Geneve, Gre, IpTunnel, Vti, Vxlan};

/// Declares structures of optional attributes: each field with the number of its attribute and with
/// how that is read and written, in the order of the numbers.
macro_rules! kinds {
    ($(
        $(#[$doc:meta])* $name:ident {
            $($(#[$field_doc:meta])* $field:ident: $type:ty = $number:ident, $wire:ident;)*
        }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
            pub struct $name {
                $(
                    $(#[$field_doc])*
                    #[doc = concat!("(`", stringify!($number), "`)")]
                    pub $field: Option<$type>,
                )*
                /// Attributes that this crate does not read, in order.
                pub unknown: Vec<nl_wire::RawAttr>,
            }

            impl $name {
                pub(super) fn decode(
                    mut attrs: nl_wire::attr::Attrs<'_>,
                ) -> Result<Self, nl_wire::Error> {
                    let mut value = Self::default();
                    while let Some(attr) = attrs.step() {
                        match attr.number() {
                            $($number => {
                                value.$field = Some(crate::link::kind::wire::$wire::read(&attr)?);
                            })*
                            _ => value.unknown.push(attr.into()),
                        }
                    }
                    attrs.finish()?;
                    Ok(value)
                }

                pub(super) fn encode(
                    &self,
                    writer: &mut nl_wire::Writer<'_>,
                ) -> Result<(), nl_wire::Error> {
                    $(
                        if let Some(value) = &self.$field {
                            crate::link::kind::wire::$wire::write(writer, $number, value)?;
                        }
                    )*
                    self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
                }
            }
        )*
    };
}

use kinds;

/// The options of a link, by its kind (`IFLA_INFO_DATA`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum KindData {
    /// `bridge`
    Bridge(Box<Bridge>),
    /// `vlan`
    Vlan(Vlan),
    /// `bond`
    Bond(Box<Bond>),
    /// `vxlan`
    Vxlan(Box<Vxlan>),
    /// `geneve`
    Geneve(Box<Geneve>),
    /// `gre`, `gretap`, `erspan`, `ip6gre`, `ip6gretap`, `ip6erspan`
    Gre(Box<Gre>),
    /// `ipip`, `sit`, `ip6tnl`
    IpTunnel(Box<IpTunnel>),
    /// `vti`, `vti6`
    Vti(Vti),
    /// `macvlan`, `macvtap`
    Macvlan(Box<Macvlan>),
    /// `ipvlan`, `ipvtap`
    Ipvlan(Ipvlan),
    /// `tun`
    Tun(Tun),
    /// `vrf`
    Vrf(Vrf),
    /// `veth` and `vxcan`: in a request the other of the pair
    Pair(Option<Box<Link>>),
    /// `netkit`; in a request with the other of the pair
    Netkit(Box<Netkit>, Option<Box<Link>>),
}

/// What a master keeps of its port (`IFLA_INFO_SLAVE_DATA`).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum PortData {
    /// Of a `bridge`
    Bridge(Box<BridgePort>),
    /// Of a `bond`
    Bond(BondPort),
    /// Of a `vrf`
    Vrf(VrfPort),
}

impl KindData {
    fn decode(kind: &[u8], attrs: Attrs<'_>) -> Result<Option<Self>, Error> {
        Ok(Some(match kind {
            b"bridge" => Self::Bridge(Bridge::decode(attrs)?.into()),
            b"vlan" => Self::Vlan(Vlan::decode(attrs)?),
            b"bond" => Self::Bond(Bond::decode(attrs)?.into()),
            b"vxlan" => Self::Vxlan(Vxlan::decode(attrs)?.into()),
            b"geneve" => Self::Geneve(Geneve::decode(attrs)?.into()),
            b"gre" | b"gretap" | b"erspan" | b"ip6gre" | b"ip6gretap" | b"ip6erspan" => {
                Self::Gre(Gre::decode(attrs)?.into())
            }
            b"ipip" | b"sit" | b"ip6tnl" => Self::IpTunnel(IpTunnel::decode(attrs)?.into()),
            b"vti" | b"vti6" => Self::Vti(Vti::decode(attrs)?),
            b"macvlan" | b"macvtap" => Self::Macvlan(Macvlan::decode(attrs)?.into()),
            b"ipvlan" | b"ipvtap" => Self::Ipvlan(Ipvlan::decode(attrs)?),
            b"tun" => Self::Tun(Tun::decode(attrs)?),
            b"vrf" => Self::Vrf(Vrf::decode(attrs)?),
            b"veth" | b"vxcan" => Self::Pair(peer(attrs, VETH_INFO_PEER)?),
            b"netkit" => {
                let mut netkit = Netkit::decode(attrs.clone())?;
                netkit.unknown.retain(|attr| attr.as_attr().number() != IFLA_NETKIT_PEER_INFO);
                Self::Netkit(netkit.into(), peer(attrs, IFLA_NETKIT_PEER_INFO)?)
            }
            _ => return Ok(None),
        }))
    }

    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        match self {
            Self::Bridge(data) => data.encode(writer),
            Self::Vlan(data) => data.encode(writer),
            Self::Bond(data) => data.encode(writer),
            Self::Vxlan(data) => data.encode(writer),
            Self::Geneve(data) => data.encode(writer),
            Self::Gre(data) => data.encode(writer),
            Self::IpTunnel(data) => data.encode(writer),
            Self::Vti(data) => data.encode(writer),
            Self::Macvlan(data) => data.encode(writer),
            Self::Ipvlan(data) => data.encode(writer),
            Self::Tun(data) => data.encode(writer),
            Self::Vrf(data) => data.encode(writer),
            Self::Pair(peer) => write_peer(writer, VETH_INFO_PEER, peer.as_deref()),
            Self::Netkit(data, peer) => {
                write_peer(writer, IFLA_NETKIT_PEER_INFO, peer.as_deref())?;
                data.encode(writer)
            }
        }
    }
}

fn peer(mut attrs: Attrs<'_>, number: u16) -> Result<Option<Box<Link>>, Error> {
    let mut peer = None;
    while let Some(attr) = attrs.step() {
        if attr.number() == number {
            let link = Link::decode_body(attr.payload).map_err(|error| error.within(number))?;
            peer = Some(Box::new(link));
        }
    }
    attrs.finish()?;
    Ok(peer)
}

fn write_peer(writer: &mut Writer<'_>, number: u16, peer: Option<&Link>) -> Result<(), Error> {
    peer.map_or(Ok(()), |peer| writer.nest(number, |writer| peer.encode(writer)))
}

impl LinkInfo {
    /// The options of the kind; `None` if there are none, or this crate does not know the kind.
    ///
    /// # Errors
    /// What is wrong with the bytes, and where.
    pub fn kind_data(&self) -> Result<Option<KindData>, Error> {
        let (Some(kind), Some(_)) = (&self.kind, &self.raw_data) else { return Ok(None) };
        KindData::decode(kind.as_bytes(), self.data()).map_err(|e| e.within(IFLA_INFO_DATA))
    }

    /// What the master keeps of this port; `None` if it keeps nothing, or this crate does not know
    /// its kind.
    ///
    /// # Errors
    /// What is wrong with the bytes, and where.
    pub fn port_data(&self) -> Result<Option<PortData>, Error> {
        let (Some(kind), Some(_)) = (&self.slave_kind, &self.raw_slave_data) else {
            return Ok(None);
        };
        let attrs = self.slave_data();
        let data = match kind.as_bytes() {
            b"bridge" => BridgePort::decode(attrs).map(|data| PortData::Bridge(data.into())),
            b"bond" => BondPort::decode(attrs).map(PortData::Bond),
            b"vrf" => VrfPort::decode(attrs).map(PortData::Vrf),
            _ => return Ok(None),
        };
        data.map(Some).map_err(|error| error.within(IFLA_INFO_SLAVE_DATA))
    }

    /// A kind with its options.
    ///
    /// # Errors
    /// If a value is too long for its attribute.
    pub fn of_kind(kind: &str, data: &KindData) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        data.encode(&mut Writer::attributes(&mut bytes))?;
        Ok(Self { kind: Some(kind.into()), raw_data: Some(bytes), ..Self::default() })
    }

    /// What a port of a master of that kind shall be.
    ///
    /// # Errors
    /// If a value is too long for its attribute.
    pub fn of_port(master: &str, data: &PortData) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        let writer = &mut Writer::attributes(&mut bytes);
        match data {
            PortData::Bridge(data) => data.encode(writer)?,
            PortData::Bond(data) => data.encode(writer)?,
            PortData::Vrf(data) => data.encode(writer)?,
        }
        let slave_kind = Some(master.into());
        Ok(Self { slave_kind, raw_slave_data: Some(bytes), ..Self::default() })
    }
}
