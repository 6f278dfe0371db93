//! Our decoders, the walk by hand and the other Rust crates.

use std::hint::black_box;
use std::io::Cursor;
use std::net::IpAddr;

use benches::floor;
use neli::FromBytesWithInput;
use neli::attr::Attribute;
use neli::consts::rtnl::Rta;
use netlink_bindings::{conntrack as nb, rt_route as nbr};
use netlink_packet_core::{NetlinkDeserializable, NetlinkHeader};
use netlink_packet_netfilter::conntrack as np;
use netlink_packet_netfilter::{NetfilterMessage, NetfilterMessageInner};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::{RouteAddress, RouteAttribute};
use nl_conntrack::{Flow, L4, ProtocolInfo, Tuple};
use nl_route::Route;
use nl_wire::Message;
use nlink::netlink::parse::FromNetlink;

use crate::fields::{FlowFields, RouteFields};

fn v4(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(_) => 0,
    }
}

/// Every field is decoded; those compared are looked at.
pub fn ours_flow(message: &[u8]) -> FlowFields {
    let message = Message::decode(message).expect("a message");
    let flow = Flow::decode(&message);
    let Ok(flow) = black_box(&flow) else { panic!("no flow") };
    let ports = |tuple: &Tuple| match tuple.l4 {
        L4::Ports { source, destination } => [source, destination],
        _ => [0; 2],
    };
    let ([a, b], [c, d]) = (ports(&flow.original), ports(&flow.reply));
    FlowFields {
        addresses: [
            v4(flow.original.source),
            v4(flow.original.destination),
            v4(flow.reply.source),
            v4(flow.reply.destination),
        ],
        ports: [a, b, c, d],
        protocol: flow.original.protocol.0,
        tcp_state: match &flow.protocol_info {
            Some(ProtocolInfo::Tcp(tcp)) => tcp.state.map_or(0, |state| state.0),
            _ => 0,
        },
        status: flow.status.map_or(0, |status| status.0),
        timeout: flow.timeout.unwrap_or(0),
        mark: flow.mark.unwrap_or(0),
    }
}

/// Every field, by hand.
pub fn floor_flow(message: &[u8]) -> FlowFields {
    let flow = floor::flow(message);
    let flow = black_box(&flow);
    let address = |bytes: &[u8; 16]| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let (a, b) = (&flow.original, &flow.reply);
    FlowFields {
        addresses: [&a.source, &a.destination, &b.source, &b.destination].map(address),
        ports: [a.source_port, a.destination_port, b.source_port, b.destination_port],
        protocol: a.protocol,
        tcp_state: flow.tcp.state,
        status: flow.status,
        timeout: flow.timeout,
        mark: flow.mark,
    }
}

pub fn netlink_bindings_flow(message: &[u8]) -> FlowFields {
    let mut fields = FlowFields::default();
    for attr in nb::ConntrackAttrs::new(&message[20..]).flatten() {
        match attr {
            nb::ConntrackAttrs::TupleOrig(tuple) => bindings_tuple(tuple, &mut fields, 0),
            nb::ConntrackAttrs::TupleReply(tuple) => bindings_tuple(tuple, &mut fields, 2),
            nb::ConntrackAttrs::Status(status) => fields.status = status,
            nb::ConntrackAttrs::Timeout(timeout) => fields.timeout = timeout,
            nb::ConntrackAttrs::Mark(mark) => fields.mark = mark,
            nb::ConntrackAttrs::Protoinfo(info) => {
                for info in info.flatten() {
                    let nb::ProtoinfoAttrs::ProtoinfoTcp(tcp) = info else { continue };
                    for attr in tcp.flatten() {
                        if let nb::ProtoinfoTcpAttrs::TcpState(state) = attr {
                            fields.tcp_state = state;
                        }
                    }
                }
            }
            _ => {}
        }
    }
    fields
}

fn bindings_tuple(tuple: nb::IterableTupleAttrs<'_>, fields: &mut FlowFields, at: usize) {
    for attr in tuple.flatten() {
        match attr {
            nb::TupleAttrs::TupleIp(ip) => {
                for attr in ip.flatten() {
                    match attr {
                        nb::TupleIpAttrs::IpV4Src(address) => fields.addresses[at] = address.into(),
                        nb::TupleIpAttrs::IpV4Dst(address) => {
                            fields.addresses[at + 1] = address.into();
                        }
                        _ => {}
                    }
                }
            }
            nb::TupleAttrs::TupleProto(proto) => {
                for attr in proto.flatten() {
                    match attr {
                        nb::TupleProtoAttrs::ProtoNum(number) => fields.protocol = number,
                        nb::TupleProtoAttrs::ProtoSrcPort(port) => fields.ports[at] = port,
                        nb::TupleProtoAttrs::ProtoDstPort(port) => fields.ports[at + 1] = port,
                        _ => {}
                    }
                }
            }
            nb::TupleAttrs::TupleZone(_) => {}
        }
    }
}

pub fn netlink_packet_flow(message: &[u8]) -> FlowFields {
    let mut header = NetlinkHeader::default();
    header.message_type = u16::from_ne_bytes([message[4], message[5]]);
    let decoded = NetfilterMessage::deserialize(&header, &message[16..]).expect("a flow");
    let NetfilterMessageInner::Conntrack(np::ConntrackMessage::New(attrs)) = &decoded.inner else {
        panic!("no flow")
    };
    let mut fields = FlowFields::default();
    for attr in attrs {
        match attr {
            np::ConntrackAttribute::CtaTupleOrig(tuple) => packet_tuple(tuple, &mut fields, 0),
            np::ConntrackAttribute::CtaTupleReply(tuple) => packet_tuple(tuple, &mut fields, 2),
            np::ConntrackAttribute::CtaStatus(status) => fields.status = status.bits(),
            np::ConntrackAttribute::CtaTimeout(timeout) => fields.timeout = *timeout,
            np::ConntrackAttribute::CtaMark(mark) => fields.mark = *mark,
            np::ConntrackAttribute::CtaProtoInfo(infos) => {
                for info in infos {
                    let np::ProtoInfo::TCP(tcp) = info else { continue };
                    for attr in tcp {
                        if let np::ProtoInfoTCP::State(state) = attr {
                            fields.tcp_state = *state;
                        }
                    }
                }
            }
            _ => {}
        }
    }
    fields
}

fn packet_tuple(tuple: &[np::Tuple], fields: &mut FlowFields, at: usize) {
    for attr in tuple {
        match attr {
            np::Tuple::Ip(ip) => {
                for attr in ip {
                    match attr {
                        np::IPTuple::SourceAddress(address) => fields.addresses[at] = v4(*address),
                        np::IPTuple::DestinationAddress(address) => {
                            fields.addresses[at + 1] = v4(*address);
                        }
                        _ => {}
                    }
                }
            }
            np::Tuple::Proto(proto) => {
                for attr in proto {
                    match attr {
                        np::ProtoTuple::Protocol(protocol) => fields.protocol = (*protocol).into(),
                        np::ProtoTuple::SourcePort(port) => fields.ports[at] = *port,
                        np::ProtoTuple::DestinationPort(port) => fields.ports[at + 1] = *port,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

/// Every field is decoded; those compared are looked at.
pub fn ours_route(message: &[u8]) -> RouteFields {
    let message = Message::decode(message).expect("a message");
    let route = Route::decode(&message);
    let Ok(route) = black_box(&route) else { panic!("no route") };
    let destination = route.destination.expect("a destination");
    RouteFields {
        length: destination.length,
        destination: v4(destination.address),
        gateway: route.gateway.map_or(0, v4),
        oif: route.oif.unwrap_or(0),
        priority: route.priority.unwrap_or(0),
        table: route.table.0,
    }
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
    let mut fields = RouteFields { length: message[17], ..RouteFields::default() };
    for attr in nbr::RouteAttrs::new(&message[28..]).flatten() {
        match attr {
            nbr::RouteAttrs::Dst(address) => fields.destination = v4(address),
            nbr::RouteAttrs::Gateway(address) => fields.gateway = v4(address),
            nbr::RouteAttrs::Oif(index) => fields.oif = index,
            nbr::RouteAttrs::Priority(priority) => fields.priority = priority,
            nbr::RouteAttrs::Table(table) => fields.table = table,
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
    let route =
        nlink::netlink::messages::RouteMessage::from_bytes(&message[16..]).expect("a route");
    RouteFields {
        length: message[17],
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
    let route = route.expect("a route");
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
