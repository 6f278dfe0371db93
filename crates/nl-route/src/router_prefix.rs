//! Prefixes that routers advertise (`struct prefixmsg`, `PREFIX_*`, linux/if_addr.h).

use alloc::vec::Vec;
use core::net::Ipv6Addr;

use nl_wire::attr::Attrs;
use nl_wire::error::{Error, Problem};
use nl_wire::value::AddressFamily;
use nl_wire::{Message, RawAttr, Writer};

use crate::tables::RTM_NEWPREFIX;
use crate::tables::other::{PREFIX_ADDRESS, PREFIX_CACHEINFO, PREFIXA};

/// Length of `struct prefixmsg` in bytes.
const PREFIXMSG_LEN: usize = 12;

/// A prefix that a router advertised: an event of group
/// [`IPV6_PREFIX`](crate::Group::IPV6_PREFIX), never listed.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct RouterPrefix {
    /// The address family: IPv6.
    pub family: AddressFamily,
    /// The index of the link that it came in by.
    pub index: u32,
    /// The type of the option (3, prefix information).
    pub kind: u8,
    /// How many bits of the address count.
    pub length: u8,
    /// [`RouterPrefix::ON_LINK`], [`RouterPrefix::AUTOCONF`]; Linux 6.18 gives the byte as the router
    /// sent it (0x80 on the link, 0x40 to choose addresses of), which ip shows nothing of.
    pub flags: u8,
    /// The address.
    pub address: Option<Ipv6Addr>,
    /// For how many seconds addresses of it are preferred and valid; 4,294,967,295 is for ever.
    pub lifetimes: Option<[u32; 2]>,
    /// Attributes that this crate does not know, in order.
    pub unknown: Vec<RawAttr>,
}

impl RouterPrefix {
    /// Its addresses are on the link (`IF_PREFIX_ONLINK`).
    pub const ON_LINK: u8 = 1;
    /// Hosts may choose addresses of it (`IF_PREFIX_AUTOCONF`).
    pub const AUTOCONF: u8 = 2;

    /// Reads an `RTM_NEWPREFIX`.
    ///
    /// # Errors
    /// [`Problem::MessageType`] for any other message; else what is wrong with the bytes, and
    /// where.
    pub fn decode(message: &Message<'_>) -> Result<Self, Error> {
        match message.header.message_type {
            RTM_NEWPREFIX => {}
            found => return Err(Problem::MessageType { found }.into()),
        }
        Self::decode_body(message.body()).map_err(|error| error.in_table(&PREFIXA))
    }

    fn decode_body(body: &[u8]) -> Result<Self, Error> {
        let (_, attrs) = Attrs::behind(body, PREFIXMSG_LEN)?;
        let Some(&[family, _, _, _, i0, i1, i2, i3, kind, length, flags, _]) =
            body.first_chunk::<PREFIXMSG_LEN>()
        else {
            let actual = body.len();
            return Err(Problem::FixedHeader { expected: PREFIXMSG_LEN, actual }.into());
        };
        let index = u32::from_ne_bytes([i0, i1, i2, i3]);
        let family = AddressFamily(family);
        let mut prefix = Self { family, index, kind, length, flags, ..Self::default() };
        for attr in attrs {
            let attr = attr?;
            match attr.number() {
                PREFIX_ADDRESS => prefix.address = Some(attr.ipv6()?),
                PREFIX_CACHEINFO => {
                    let [p0, p1, p2, p3, v0, v1, v2, v3] = attr.array::<8>()?;
                    let preferred = u32::from_ne_bytes([p0, p1, p2, p3]);
                    prefix.lifetimes = Some([preferred, u32::from_ne_bytes([v0, v1, v2, v3])]);
                }
                _ => prefix.unknown.push(attr.into()),
            }
        }
        Ok(prefix)
    }

    /// Writes `struct prefixmsg` and all attributes, as the kernel orders them.
    ///
    /// # Errors
    /// If an attribute is too long.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let Self { family, kind, length, flags, .. } = *self;
        let [i0, i1, i2, i3] = self.index.to_ne_bytes();
        writer.fixed(&[family.0, 0, 0, 0, i0, i1, i2, i3, kind, length, flags, 0]);
        if let Some(address) = self.address {
            writer.ip(PREFIX_ADDRESS, address.into());
        }
        if let Some(lifetimes) = self.lifetimes {
            writer.bytes(PREFIX_CACHEINFO, lifetimes.map(u32::to_ne_bytes).as_flattened())?;
        }
        self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
    }
}
