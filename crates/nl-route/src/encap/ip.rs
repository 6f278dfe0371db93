//! Tunnels over IP: `LWTUNNEL_IP_*` and `LWTUNNEL_IP6_*`, whose numbers are the same.

use alloc::vec::Vec;
use core::net::IpAddr;

use nl_wire::attr::Attrs;
use nl_wire::{Attr, Error, Writer};

use crate::tables::encap::{
    LWTUNNEL_IP_DST, LWTUNNEL_IP_FLAGS, LWTUNNEL_IP_ID, LWTUNNEL_IP_OPT_ERSPAN_DIR,
    LWTUNNEL_IP_OPT_ERSPAN_HWID, LWTUNNEL_IP_OPT_ERSPAN_INDEX, LWTUNNEL_IP_OPT_ERSPAN_VER,
    LWTUNNEL_IP_OPT_GENEVE_CLASS, LWTUNNEL_IP_OPT_GENEVE_DATA, LWTUNNEL_IP_OPT_GENEVE_TYPE,
    LWTUNNEL_IP_OPT_VXLAN_GBP, LWTUNNEL_IP_OPTS, LWTUNNEL_IP_OPTS_ERSPAN, LWTUNNEL_IP_OPTS_GENEVE,
    LWTUNNEL_IP_OPTS_VXLAN, LWTUNNEL_IP_SRC, LWTUNNEL_IP_TOS, LWTUNNEL_IP_TTL,
};

nl_wire::flag_set! {
    /// What the header of a tunnel contains (linux/if_tunnel.h).
    pub struct TunnelFlags(u16) "TUNNEL_" {
        /// A checksum.
        CSUM = 0x1,
        ROUTING = 0x2,
        /// A key.
        KEY = 0x4,
        /// Sequence numbers.
        SEQ = 0x8,
    }
}

/// A tunnel over IPv4 or IPv6, for links that take what to do from the route (`external`).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct IpTunnel {
    /// The key or network identifier.
    pub id: Option<u64>,
    /// Where the outer packet comes from.
    pub source: Option<IpAddr>,
    /// Where it goes to.
    pub destination: Option<IpAddr>,
    /// Its time to live or hop limit.
    pub ttl: Option<u8>,
    /// Its type of service or traffic class.
    pub tos: Option<u8>,
    /// What its tunnel header contains.
    pub flags: Option<TunnelFlags>,
    /// Options of the tunnel header: any number for Geneve, one of the others.
    pub options: Vec<TunnelOption>,
}

/// An option of a tunnel's header.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum TunnelOption {
    /// An option of Geneve.
    Geneve {
        /// Who defines it.
        class: u16,
        /// Which of theirs.
        kind: u8,
        /// What it says; a multiple of 4 bytes, at most 124.
        data: Vec<u8>,
    },
    /// The group of VXLAN's group policy.
    Vxlan {
        /// Its id and flags.
        group: u32,
    },
    /// The header of ERSPAN.
    Erspan {
        /// 1 or 2.
        version: u8,
        /// The port index, of version 1.
        index: u32,
        /// 0 ingress, 1 egress, of version 2.
        direction: u8,
        /// The id of the hardware, of version 2.
        hardware: u8,
    },
}

impl IpTunnel {
    pub(super) fn decode(mut attrs: Attrs<'_>) -> Result<Self, Error> {
        let mut tunnel = Self::default();
        while let Some(attr) = attrs.step() {
            match attr.number() {
                LWTUNNEL_IP_ID => tunnel.id = Some(attr.u64_be()?),
                LWTUNNEL_IP_DST => tunnel.destination = Some(attr.ip()?),
                LWTUNNEL_IP_SRC => tunnel.source = Some(attr.ip()?),
                LWTUNNEL_IP_TTL => tunnel.ttl = Some(attr.u8()?),
                LWTUNNEL_IP_TOS => tunnel.tos = Some(attr.u8()?),
                LWTUNNEL_IP_FLAGS => tunnel.flags = Some(TunnelFlags(attr.u16_be()?)),
                LWTUNNEL_IP_OPTS => {
                    for option in attr.nested() {
                        option
                            .and_then(|option| {
                                TunnelOption::decode(&option, &mut tunnel.options)
                                    .map_err(|error| error.within(option.number()))
                            })
                            .map_err(|error| error.within(LWTUNNEL_IP_OPTS))?;
                    }
                }
                _ => {}
            }
        }
        attrs.finish()?;
        Ok(tunnel)
    }

    pub(super) fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        if let Some(id) = self.id {
            writer.u64_be(LWTUNNEL_IP_ID, id);
        }
        for (number, address) in
            [(LWTUNNEL_IP_DST, self.destination), (LWTUNNEL_IP_SRC, self.source)]
        {
            if let Some(address) = address {
                writer.ip(number, address);
            }
        }
        for (number, value) in [(LWTUNNEL_IP_TOS, self.tos), (LWTUNNEL_IP_TTL, self.ttl)] {
            if let Some(value) = value {
                writer.u8(number, value);
            }
        }
        if let Some(flags) = self.flags {
            writer.u16_be(LWTUNNEL_IP_FLAGS, flags.0);
        }
        if self.options.is_empty() {
            return Ok(());
        }
        writer.nest(LWTUNNEL_IP_OPTS, |writer| {
            self.options.iter().try_for_each(|option| option.encode(writer))
        })
    }
}

impl TunnelOption {
    /// Reads one nest: the kernel tells all options of Geneve in one, and takes each in its own.
    fn decode(nest: &Attr<'_>, options: &mut Vec<Self>) -> Result<(), Error> {
        let first = options.len();
        let mut attrs = nest.nested();
        while let Some(attr) = attrs.step() {
            let known = options.len() > first;
            match (nest.number(), attr.number()) {
                (LWTUNNEL_IP_OPTS_GENEVE, LWTUNNEL_IP_OPT_GENEVE_CLASS) => {
                    options.push(Self::Geneve { class: attr.u16_be()?, kind: 0, data: Vec::new() });
                    continue;
                }
                (LWTUNNEL_IP_OPTS_VXLAN, LWTUNNEL_IP_OPT_VXLAN_GBP) => {
                    options.push(Self::Vxlan { group: attr.u32()? });
                    continue;
                }
                (LWTUNNEL_IP_OPTS_ERSPAN, _) if !known => {
                    options.push(Self::Erspan { version: 0, index: 0, direction: 0, hardware: 0 });
                }
                _ => {}
            }
            match options.get_mut(first..).and_then(<[Self]>::last_mut) {
                Some(Self::Geneve { kind, data, .. }) => match attr.number() {
                    LWTUNNEL_IP_OPT_GENEVE_TYPE => *kind = attr.u8()?,
                    LWTUNNEL_IP_OPT_GENEVE_DATA => *data = attr.payload.to_vec(),
                    _ => {}
                },
                Some(Self::Erspan { version, index, direction, hardware }) => match attr.number() {
                    LWTUNNEL_IP_OPT_ERSPAN_VER => *version = attr.u8()?,
                    LWTUNNEL_IP_OPT_ERSPAN_INDEX => *index = attr.u32_be()?,
                    LWTUNNEL_IP_OPT_ERSPAN_DIR => *direction = attr.u8()?,
                    LWTUNNEL_IP_OPT_ERSPAN_HWID => *hardware = attr.u8()?,
                    _ => {}
                },
                _ => {}
            }
        }
        attrs.finish()?;
        // Each version has fields of its own, which the other does not look at.
        if let Some(Self::Erspan { version, index, direction, hardware }) = options.last_mut() {
            if *version == 2 {
                *index = 0;
            } else {
                (*direction, *hardware) = (0, 0);
            }
        }
        Ok(())
    }

    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        match self {
            Self::Geneve { class, kind, data } => writer.nest(LWTUNNEL_IP_OPTS_GENEVE, |writer| {
                writer.u16_be(LWTUNNEL_IP_OPT_GENEVE_CLASS, *class);
                writer.u8(LWTUNNEL_IP_OPT_GENEVE_TYPE, *kind);
                writer.bytes(LWTUNNEL_IP_OPT_GENEVE_DATA, data)
            }),
            Self::Vxlan { group } => writer.nest(LWTUNNEL_IP_OPTS_VXLAN, |writer| {
                writer.u32(LWTUNNEL_IP_OPT_VXLAN_GBP, *group);
                Ok(())
            }),
            Self::Erspan { version, index, direction, hardware } => {
                writer.nest(LWTUNNEL_IP_OPTS_ERSPAN, |writer| {
                    writer.u8(LWTUNNEL_IP_OPT_ERSPAN_VER, *version);
                    // Each version has fields of its own; the kernel refuses the other's.
                    if *version == 2 {
                        writer.u8(LWTUNNEL_IP_OPT_ERSPAN_DIR, *direction);
                        writer.u8(LWTUNNEL_IP_OPT_ERSPAN_HWID, *hardware);
                    } else {
                        writer.u32_be(LWTUNNEL_IP_OPT_ERSPAN_INDEX, *index);
                    }
                    Ok(())
                })
            }
        }
    }
}
