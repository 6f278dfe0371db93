//! Routes, by the Rust crates: whole messages, and what their sockets make of them.

use std::hint::black_box;
use std::io::Cursor;

use benches::floor;
use neli::FromBytesWithInput;
use neli::attr::Attribute;
use neli::consts::rtnl::Rta;
use netlink_bindings::rt_route as nb;
use netlink_packet_core::{NetlinkDeserializable, NetlinkHeader};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage};
use nl_route::Route;
use nl_route::route::RouteView;
use nl_wire::Message;
use nlink::netlink::messages;
use nlink::netlink::parse::FromNetlink;

use super::v4;
use crate::fields::RouteFields;

/// Every field is decoded; those compared are looked at.
pub fn ours_route(message: &[u8]) -> RouteFields {
    let message = Message::decode(message).expect("a message");
    let route = Route::decode(&message);
    let Ok(route) = black_box(&route) else { panic!("no route") };
    of_ours(route)
}

pub fn of_ours(route: &Route) -> RouteFields {
    let (length, destination) = route.destination.map_or((0, 0), |it| (it.length, v4(it.address)));
    RouteFields {
        length,
        destination,
        gateway: route.gateway.map_or(0, v4),
        oif: route.oif.unwrap_or(0),
        priority: route.priority.unwrap_or(0),
        table: route.table.0,
    }
}

/// Those compared alone.
pub fn ours_route_view(message: &[u8]) -> RouteFields {
    let message = Message::decode(message).expect("a message");
    of_ours_view(&message).expect("a route")
}

pub fn of_ours_view(message: &Message<'_>) -> Result<RouteFields, nl_wire::Error> {
    let route = RouteView::new(message)?;
    let destination = route.destination()?;
    Ok(RouteFields {
        length: destination.map_or(0, |it| it.length),
        destination: destination.map_or(0, |it| v4(it.address)),
        gateway: route.gateway()?.map_or(0, v4),
        oif: route.oif()?.unwrap_or(0),
        priority: route.priority()?.unwrap_or(0),
        table: route.table()?.0,
    })
}

/// Every field, by hand.
pub fn floor_route(message: &[u8]) -> RouteFields {
    let route = floor::route(message);
    let route = black_box(&route);
    let address = |bytes: [u8; 16]| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    RouteFields {
        length: route.head[1],
        destination: address(route.destination),
        gateway: address(route.gateway),
        oif: route.oif,
        priority: route.priority,
        table: route.table,
    }
}

pub fn netlink_bindings_route(message: &[u8]) -> RouteFields {
    of_netlink_bindings(message[17], nb::RouteAttrs::new(&message[28..]))
}

pub fn of_netlink_bindings(length: u8, attrs: nb::IterableRouteAttrs<'_>) -> RouteFields {
    let mut fields = RouteFields { length, ..RouteFields::default() };
    for attr in attrs.flatten() {
        match attr {
            nb::RouteAttrs::Dst(address) => fields.destination = v4(address),
            nb::RouteAttrs::Gateway(address) => fields.gateway = v4(address),
            nb::RouteAttrs::Oif(index) => fields.oif = index,
            nb::RouteAttrs::Priority(priority) => fields.priority = priority,
            nb::RouteAttrs::Table(table) => fields.table = table,
            _ => {}
        }
    }
    fields
}

pub fn netlink_packet_route(message: &[u8]) -> RouteFields {
    let mut header = NetlinkHeader::default();
    header.message_type = u16::from_ne_bytes([message[4], message[5]]);
    let decoded = RouteNetlinkMessage::deserialize(&header, &message[16..]).expect("a route");
    let RouteNetlinkMessage::NewRoute(route) = &decoded else { panic!("no route") };
    of_netlink_packet(route)
}

pub fn of_netlink_packet(route: &RouteMessage) -> RouteFields {
    let address = |address: &RouteAddress| match address {
        RouteAddress::Inet(address) => (*address).into(),
        _ => 0,
    };
    let length = route.header.destination_prefix_length;
    let mut fields = RouteFields { length, ..RouteFields::default() };
    for attr in &route.attributes {
        match attr {
            RouteAttribute::Destination(to) => fields.destination = address(to),
            RouteAttribute::Gateway(gateway) => fields.gateway = address(gateway),
            RouteAttribute::Oif(index) => fields.oif = *index,
            RouteAttribute::Priority(priority) => fields.priority = *priority,
            RouteAttribute::Table(table) => fields.table = *table,
            _ => {}
        }
    }
    fields
}

pub fn nlink_route(message: &[u8]) -> RouteFields {
    of_nlink(&messages::RouteMessage::from_bytes(&message[16..]).expect("a route"))
}

pub fn of_nlink(route: &messages::RouteMessage) -> RouteFields {
    RouteFields {
        length: route.dst_len(),
        destination: route.destination().map_or(0, |address| v4(*address)),
        gateway: route.gateway().map_or(0, |address| v4(*address)),
        oif: route.oif().unwrap_or(0),
        priority: route.priority().unwrap_or(0),
        table: route.table_id(),
    }
}

pub fn neli_route(message: &[u8]) -> RouteFields {
    let body = &message[16..];
    let route = neli::rtnl::Rtmsg::from_bytes_with_input(&mut Cursor::new(body), body.len());
    of_neli(&route.expect("a route"))
}

pub fn of_neli(route: &neli::rtnl::Rtmsg) -> RouteFields {
    let mut fields = RouteFields { length: *route.rtm_dst_len(), ..RouteFields::default() };
    for attr in route.rtattrs().iter() {
        let payload = attr.payload().as_ref();
        let Some(bytes) = payload.first_chunk::<4>() else { continue };
        match attr.rta_type() {
            Rta::Dst => fields.destination = u32::from_be_bytes(*bytes),
            Rta::Gateway => fields.gateway = u32::from_be_bytes(*bytes),
            Rta::Oif => fields.oif = u32::from_ne_bytes(*bytes),
            Rta::Priority => fields.priority = u32::from_ne_bytes(*bytes),
            Rta::Table => fields.table = u32::from_ne_bytes(*bytes),
            _ => {}
        }
    }
    fields
}
