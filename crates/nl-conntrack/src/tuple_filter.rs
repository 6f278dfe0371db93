//! Filters by tuple: `CTA_FILTER`.

use core::net::IpAddr;

use nl_wire::value::AddressFamily;
use nl_wire::{Error, Writer};

use crate::tables::{
    CTA_FILTER, CTA_FILTER_ORIG_FLAGS, CTA_FILTER_REPLY_FLAGS, CTA_TUPLE_ORIG, CTA_TUPLE_REPLY,
};
use crate::tuple::{L4, Tuple};
use crate::value::{FilterFlags, IpProtocol};

/// What a direction of a flow must be like; all that is given must match, exactly.
///
/// The kernel filters by it (`CTA_FILTER`, Linux 5.8) where it does so rightly: in a listing, of
/// IPv4 addresses, and of ports where the protocol is given. It lets pass exactly what it should
/// not for IPv6 addresses, so these are never sent. Every entry is checked again here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct TupleFilter {
    /// The source address.
    pub source: Option<IpAddr>,
    /// The destination address.
    pub destination: Option<IpAddr>,
    /// The protocol.
    pub protocol: Option<IpProtocol>,
    /// The source port; of GRE the source key.
    pub source_port: Option<u16>,
    /// The destination port; of GRE the destination key.
    pub destination_port: Option<u16>,
    /// The id of ICMP or `ICMPv6`.
    pub icmp_id: Option<u16>,
    /// The type of ICMP or `ICMPv6`.
    pub icmp_type: Option<u8>,
    /// The code of ICMP or `ICMPv6`.
    pub icmp_code: Option<u8>,
}

impl TupleFilter {
    /// Whether the direction is one of those meant.
    #[inline]
    pub fn matches(&self, tuple: &Tuple) -> bool {
        // Most lists have no such filter.
        *self == Self::default() || self.compare(tuple)
    }

    fn compare(&self, tuple: &Tuple) -> bool {
        fn is<T: PartialEq + Copy>(wanted: Option<T>, found: Option<T>) -> bool {
            wanted.is_none() || wanted == found
        }
        let icmp = match tuple.l4 {
            L4::Icmp { id, kind, code } => (Some(id), Some(kind), Some(code)),
            _ => (None, None, None),
        };
        is(self.source, Some(tuple.source))
            && is(self.destination, Some(tuple.destination))
            && is(self.protocol, Some(tuple.protocol))
            && is(self.source_port, tuple.source_port())
            && is(self.destination_port, tuple.destination_port())
            && is(self.icmp_id, icmp.0)
            && is(self.icmp_type, icmp.1)
            && is(self.icmp_code, icmp.2)
    }

    /// The family of the addresses, if there are any.
    pub(crate) fn family(&self) -> AddressFamily {
        self.source.or(self.destination).map_or(AddressFamily::UNSPEC, AddressFamily::of)
    }

    /// What of it the kernel filters rightly: a tuple, and which parts of it count.
    fn for_kernel(&self, family: AddressFamily) -> (Tuple, FilterFlags) {
        let (mut tuple, mut flags) = (Tuple::default(), FilterFlags::default());
        let addresses = [
            (self.source, FilterFlags::IP_SRC, &mut tuple.source),
            (self.destination, FilterFlags::IP_DST, &mut tuple.destination),
        ];
        for (wanted, flag, slot) in addresses {
            if let (AddressFamily::INET, Some(address @ IpAddr::V4(_))) = (family, wanted) {
                (*slot, flags) = (address, flags | flag);
            }
        }
        if let Some(protocol) = self.protocol {
            (tuple.protocol, flags) = (protocol, flags | FilterFlags::PROTO_NUM);
            if protocol.has_ports() {
                let (source, destination) = (self.source_port, self.destination_port);
                let ports = [
                    (source, FilterFlags::PROTO_SRC_PORT),
                    (destination, FilterFlags::PROTO_DST_PORT),
                ];
                for (_, flag) in ports.iter().filter(|row| row.0.is_some()) {
                    flags |= *flag;
                }
                tuple.l4 = L4::Ports {
                    source: source.unwrap_or_default(),
                    destination: destination.unwrap_or_default(),
                };
            }
        }
        (tuple, flags)
    }
}

/// Writes the filters of both directions, as far as the kernel can be trusted with them.
pub(crate) fn write_filters(
    writer: &mut Writer<'_>,
    family: AddressFamily,
    original: &TupleFilter,
    reply: &TupleFilter,
) -> Result<(), Error> {
    if !matches!(family, AddressFamily::INET | AddressFamily::INET6) {
        return Ok(());
    }
    let filters = [
        (original.for_kernel(family), CTA_TUPLE_ORIG, CTA_FILTER_ORIG_FLAGS),
        (reply.for_kernel(family), CTA_TUPLE_REPLY, CTA_FILTER_REPLY_FLAGS),
    ];
    if filters.iter().all(|((_, flags), ..)| flags.is_empty()) {
        return Ok(());
    }
    for ((tuple, _), number, _) in filters.iter().filter(|((_, flags), ..)| !flags.is_empty()) {
        tuple.write(writer, *number)?;
    }
    writer.nest(CTA_FILTER, |w| {
        // In host byte order, unlike all else.
        for ((_, flags), _, number) in &filters {
            w.u32(*number, flags.0);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use nl_wire::Attrs;

    fn written(filter: TupleFilter, family: AddressFamily) -> Vec<u16> {
        let mut bytes = Vec::new();
        let mut writer = Writer::attributes(&mut bytes);
        write_filters(&mut writer, family, &filter, &TupleFilter::default()).unwrap();
        Attrs::new(&bytes).map(|attr| attr.unwrap().number()).collect()
    }

    /// The kernel takes an IPv6 address for its opposite.
    #[test]
    fn ipv6_addresses_are_never_sent() {
        let address = Some(IpAddr::from([1; 16]));
        let filter =
            TupleFilter { source: address, destination: address, ..TupleFilter::default() };
        assert_eq!(written(filter, AddressFamily::INET6), []);
        let filter = TupleFilter { protocol: Some(IpProtocol::UDP), ..filter };
        assert_eq!(written(filter, AddressFamily::INET6), [CTA_TUPLE_ORIG, CTA_FILTER]);
        let (tuple, flags) = filter.for_kernel(AddressFamily::INET6);
        assert_eq!((tuple.source, flags), (Tuple::default().source, FilterFlags::PROTO_NUM));
        // Nor does the kernel take a filter without a family.
        assert_eq!(written(filter, AddressFamily::UNSPEC), []);
    }

    #[test]
    fn flags_are_those_of_what_is_given() {
        let filter = TupleFilter {
            source: Some([1; 4].into()),
            source_port: Some(5),
            ..TupleFilter::default()
        };
        assert_eq!(filter.for_kernel(AddressFamily::INET).1, FilterFlags::IP_SRC);
        let filter = TupleFilter { protocol: Some(IpProtocol::TCP), ..filter };
        let flags = FilterFlags::IP_SRC | FilterFlags::PROTO_NUM | FilterFlags::PROTO_SRC_PORT;
        assert_eq!(filter.for_kernel(AddressFamily::INET).1, flags);
    }
}
