//! Other decoders of the same bytes, as oracles.
//!
//! They refuse what we read and the other way round, and for good reasons; but what both read must
//! be the same.

use std::mem::discriminant;
use std::net::IpAddr;

use netlink_packet_core::{DecodeError, NetlinkBuffer, NetlinkMessage, NetlinkPayload};
use netlink_packet_netfilter::conntrack::{
    ConntrackAttribute, ConntrackMessage, IPTuple, ProtoTuple, Tuple as PeerTuple,
};
use netlink_packet_netfilter::{NetfilterMessage, NetfilterMessageInner};
use netlink_packet_route::address::AddressAttribute;
use netlink_packet_route::link::LinkAttribute;
use netlink_packet_route::neighbour::{NeighbourAddress, NeighbourAttribute};
use netlink_packet_route::nsid::NsidAttribute;
use netlink_packet_route::route::{RouteAddress, RouteAttribute};
use netlink_packet_route::rule::RuleAttribute;
use netlink_packet_route::{RouteNetlinkMessage, route as peer_route, rule};
use nl_conntrack::{Flow, Tuple};
use nl_route::nsid::Nsid;
use nl_route::{Address, Link, Neighbour, Route, Rule};
use nl_wire::attr::Attrs;
use nl_wire::{Message, Messages};

use crate::has_duplicates;

/// Messages have the same headers and bodies for netlink-packet-core; routes, links, addresses,
/// neighbours, rules and ids of namespaces the same values for netlink-packet-route, and flows for
/// netlink-packet-netfilter.
pub fn peers(bytes: &[u8]) {
    let mut walk = Messages::new(bytes);
    loop {
        let rest = walk.rest();
        let Some(Ok(message)) = walk.next() else { return };
        let peer = NetlinkBuffer::new_checked(rest);
        let peer = peer.expect("a message that is a buffer for the peer too");
        let header = message.header;
        assert_eq!(peer.length(), header.length);
        assert_eq!(peer.message_type(), header.message_type);
        assert_eq!(peer.flags(), header.flags.0);
        assert_eq!((peer.sequence_number(), peer.port_number()), (header.sequence, header.port));
        assert_eq!(peer.payload(), message.body());
        // Decoders keep the last of an attribute that comes twice, or the first.
        let fixed = match header.message_type {
            16 | 17 => 16,
            20 | 21 => 8,
            24 | 25 | 28 | 29 | 32 | 33 => 12,
            88 | 89 | 0x100 | 0x102 => 4,
            _ => continue,
        };
        let attributes = message.body().get(fixed..).map(Attrs::new);
        if attributes.is_none_or(has_duplicates) {
            continue;
        }
        if header.message_type < 0x100 {
            route(&message);
        } else {
            flow(&message);
        }
    }
}

/// The payload, if the peer reads it.
fn payload<T: netlink_packet_core::NetlinkDeserializable>(message: &Message<'_>) -> Option<T> {
    let read: Result<NetlinkMessage<T>, DecodeError> = NetlinkMessage::deserialize(message.bytes);
    match read.ok()?.payload {
        NetlinkPayload::InnerMessage(inner) => Some(inner),
        _ => None,
    }
}

/// Compares each attribute that the peer found with what we have for it.
macro_rules! agree {
    ($attributes:expr, $($pattern:pat => ($ours:expr, $theirs:expr),)*) => {
        for attribute in $attributes {
            match attribute {
                $($pattern => assert_eq!($ours, Some($theirs)),)*
                _ => {}
            }
        }
    };
}

// A line for each field.
#[allow(clippy::too_many_lines)]
fn route(message: &Message<'_>) {
    use RouteNetlinkMessage as Peer;
    let Some(peer) = payload::<Peer>(message) else { return };
    match peer {
        Peer::NewRoute(peer) | Peer::DelRoute(peer) => {
            let Ok(ours) = Route::decode(message) else { return };
            assert_eq!(u8::from(peer.header.address_family), ours.family.0);
            assert_eq!(u8::from(peer.header.protocol), ours.protocol.0);
            assert_eq!(u8::from(peer.header.scope), ours.scope.0);
            assert_eq!(u8::from(peer.header.kind), ours.kind.0);
            let destination = ours.destination.map(|prefix| prefix.address);
            let source = ours.source.map(|prefix| prefix.address);
            agree! { &peer.attributes,
                RouteAttribute::Oif(oif) => (ours.oif, *oif),
                RouteAttribute::Iif(iif) => (ours.iif, *iif),
                RouteAttribute::Priority(priority) => (ours.priority, *priority),
                RouteAttribute::Table(table) => (Some(ours.table.0), *table),
                RouteAttribute::Mark(mark) => (ours.mark, *mark),
                RouteAttribute::Uid(uid) => (ours.uid, *uid),
                RouteAttribute::NhId(id) => (ours.nexthop_id, *id),
                RouteAttribute::IpProto(protocol) => (ours.ip_proto, *protocol),
                RouteAttribute::Sport(port) => (ours.source_port, *port),
                RouteAttribute::Dport(port) => (ours.destination_port, *port),
                RouteAttribute::Realm(realm) =>
                    (ours.realms.map(|realms| (realms.from, realms.to)),
                        (realm.source, realm.destination)),
                RouteAttribute::Destination(address @ (RouteAddress::Inet(_) | RouteAddress::Inet6(_))) =>
                    (destination, ip(address)),
                RouteAttribute::Source(address @ (RouteAddress::Inet(_) | RouteAddress::Inet6(_))) =>
                    (source, ip(address)),
                RouteAttribute::Gateway(address @ (RouteAddress::Inet(_) | RouteAddress::Inet6(_))) =>
                    (ours.gateway, ip(address)),
                RouteAttribute::PrefSource(address @ (RouteAddress::Inet(_) | RouteAddress::Inet6(_))) =>
                    (ours.prefsrc, ip(address)),
                RouteAttribute::MultiPath(hops) =>
                    (Some(ours.multipath.iter().map(|hop| (hop.ifindex, hop.weight)).collect::<Vec<_>>()),
                        hops.iter().map(hop).collect::<Vec<_>>()),
            }
        }
        Peer::NewLink(peer) | Peer::DelLink(peer) => {
            let Ok(ours) = Link::decode(message) else { return };
            assert_eq!(peer.header.index, ours.index);
            assert_eq!(peer.header.flags.bits(), ours.flags.0);
            agree! { &peer.attributes,
                LinkAttribute::IfName(name) => (ours.name.as_ref().and_then(|name| name.to_str()), until_nul(name)),
                LinkAttribute::Mtu(mtu) => (ours.mtu, *mtu),
                LinkAttribute::Controller(index) => (ours.master, *index),
                LinkAttribute::TxQueueLen(length) => (ours.txqlen, *length),
                LinkAttribute::Address(bytes) => (ours.address.as_deref(), &bytes[..]),
                LinkAttribute::Group(group) => (ours.group, *group),
            }
        }
        Peer::NewAddress(peer) | Peer::DelAddress(peer) => {
            let Ok(ours) = Address::decode(message) else { return };
            assert_eq!(u8::from(peer.header.family), ours.family.0);
            assert_eq!(peer.header.prefix_len, ours.prefix_length);
            assert_eq!(peer.header.index, ours.index);
            agree! { &peer.attributes,
                AddressAttribute::Address(address) => (ours.address, *address),
                AddressAttribute::Local(address) => (ours.local, *address),
                AddressAttribute::Broadcast(address) => (ours.broadcast, IpAddr::V4(*address)),
                AddressAttribute::Label(label) => (ours.label.as_ref().and_then(|label| label.to_str()), until_nul(label)),
                AddressAttribute::Flags(flags) => (Some(ours.flags.0), flags.bits()),
                AddressAttribute::RoutePriority(metric) => (ours.rt_priority, *metric),
            }
        }
        Peer::NewNeighbour(peer) | Peer::DelNeighbour(peer) => {
            let Ok(ours) = Neighbour::decode(message) else { return };
            assert_eq!(peer.header.ifindex, ours.index);
            assert_eq!(u16::from(peer.header.state), ours.state.0);
            agree! { &peer.attributes,
                NeighbourAttribute::Destination(NeighbourAddress::Inet(address)) =>
                    (ours.destination, IpAddr::V4(*address)),
                NeighbourAttribute::Destination(NeighbourAddress::Inet6(address)) =>
                    (ours.destination, IpAddr::V6(*address)),
                NeighbourAttribute::LinkLayerAddress(bytes) => (ours.link_address.as_deref(), &bytes[..]),
                NeighbourAttribute::Probes(probes) => (ours.probes, *probes),
                NeighbourAttribute::Vlan(vlan) => (ours.vlan, *vlan),
                NeighbourAttribute::Port(port) => (ours.port, *port),
                NeighbourAttribute::Vni(vni) => (ours.vni, *vni),
                NeighbourAttribute::Controller(index) => (ours.master, *index),
            }
        }
        Peer::NewRule(peer) | Peer::DelRule(peer) => {
            let Ok(ours) = Rule::decode(message) else { return };
            if ![2, 10].contains(&ours.family.0) {
                return; // addresses are unknown then
            }
            let destination = ours.destination.map(|prefix| prefix.address);
            let source = ours.source.map(|prefix| prefix.address);
            agree! { &peer.attributes,
                RuleAttribute::Destination(address) => (destination, *address),
                RuleAttribute::Source(address) => (source, *address),
                RuleAttribute::Iifname(name) => (ours.iif.as_ref().and_then(|name| name.to_str()), until_nul(name)),
                RuleAttribute::Oifname(name) => (ours.oif.as_ref().and_then(|name| name.to_str()), until_nul(name)),
                RuleAttribute::Goto(priority) => (ours.goto, *priority),
                RuleAttribute::Priority(priority) => (ours.priority, *priority),
                RuleAttribute::FwMark(mark) => (ours.fwmark, *mark),
                RuleAttribute::FwMask(mask) => (ours.fwmask, *mask),
                RuleAttribute::Table(table) => (Some(ours.table.0), *table),
                RuleAttribute::TunId(id) => (ours.tun_id, *id),
                RuleAttribute::UidRange(rule::RuleUidRange { start, end, .. }) =>
                    (ours.uid_range.clone(), *start..=*end),
            }
        }
        Peer::NewNsId(peer) | Peer::DelNsId(peer) => {
            let Ok(ours) = Nsid::decode(message) else { return };
            agree! { &peer.attributes,
                NsidAttribute::Id(id) => (Some(ours.id.unwrap_or(-1)), *id),
                NsidAttribute::CurrentNsid(id) => (Some(ours.current.unwrap_or(-1)), *id),
            }
        }
        _ => {}
    }
}

fn ip(address: &RouteAddress) -> IpAddr {
    match address {
        RouteAddress::Inet6(address) => (*address).into(),
        RouteAddress::Inet(address) => (*address).into(),
        other => panic!("{other:?}"),
    }
}

/// The peer keeps what is behind a NUL.
fn until_nul(text: &str) -> &str {
    text.split('\0').next().unwrap_or_default()
}

/// The link of a hop, and its weight, which is one more than the number in the message.
fn hop(hop: &peer_route::RouteNextHop) -> (u32, u16) {
    (hop.interface_index, u16::from(hop.hops) + 1)
}

fn flow(message: &Message<'_>) {
    let Some(peer) = payload::<NetfilterMessage>(message) else { return };
    let Ok(ours) = Flow::decode(message) else { return };
    assert_eq!(u8::from(peer.header.family), ours.family.0);
    let NetfilterMessageInner::Conntrack(peer) = peer.inner else { return };
    let (ConntrackMessage::New(attributes) | ConntrackMessage::Delete(attributes)) = peer else {
        return;
    };
    for attribute in &attributes {
        match attribute {
            ConntrackAttribute::CtaTupleOrig(parts) => tuple(parts, &ours.original),
            ConntrackAttribute::CtaTupleReply(parts) => tuple(parts, &ours.reply),
            ConntrackAttribute::CtaStatus(status) => {
                assert_eq!(ours.status.map(|status| status.0), Some(status.bits()));
            }
            ConntrackAttribute::CtaTimeout(timeout) => assert_eq!(ours.timeout, Some(*timeout)),
            ConntrackAttribute::CtaMark(mark) => assert_eq!(ours.mark, Some(*mark)),
            _ => {}
        }
    }
}

/// Whether each is of another variant.
fn are_different<T>(items: &[T]) -> bool {
    let mut kinds = items.iter().map(discriminant);
    (0..items.len()).all(|_| {
        let first = kinds.next();
        kinds.clone().all(|other| Some(other) != first)
    })
}

/// A tuple, where each of its parts is there once.
fn tuple(parts: &[PeerTuple], ours: &Tuple) {
    if !are_different(parts) {
        return;
    }
    for part in parts {
        match part {
            PeerTuple::Ip(addresses) => {
                if !are_different(addresses) {
                    return;
                }
                for address in addresses {
                    match address {
                        IPTuple::SourceAddress(address) => assert_eq!(ours.source, *address),
                        IPTuple::DestinationAddress(address) => {
                            assert_eq!(ours.destination, *address);
                        }
                        _ => return,
                    }
                }
            }
            PeerTuple::Proto(values) => {
                if !are_different(values) {
                    return;
                }
                for value in values {
                    match value {
                        ProtoTuple::Protocol(protocol) => {
                            assert_eq!(ours.protocol.0, u8::from(*protocol));
                        }
                        ProtoTuple::SourcePort(port) => {
                            assert!(ours.source_port().is_none_or(|ours| ours == *port));
                        }
                        ProtoTuple::DestinationPort(port) => {
                            assert!(ours.destination_port().is_none_or(|ours| ours == *port));
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}
