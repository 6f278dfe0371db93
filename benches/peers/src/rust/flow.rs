//! Flows, by the Rust crates.

use std::hint::black_box;

use benches::floor;
use netlink_bindings::conntrack as nb;
use netlink_packet_core::{NetlinkDeserializable, NetlinkHeader};
use netlink_packet_netfilter::conntrack as np;
use netlink_packet_netfilter::{NetfilterMessage, NetfilterMessageInner};
use nl_conntrack::{Flow, FlowView, L4, ProtocolInfo, Tuple};
use nl_wire::Message;

use super::v4;
use crate::fields::FlowFields;

/// Every field is decoded; those compared are looked at.
pub fn ours_flow(message: &[u8]) -> FlowFields {
    let message = Message::decode(message).expect("a message");
    let flow = Flow::decode(&message);
    let Ok(flow) = black_box(&flow) else { panic!("no flow") };
    FlowFields {
        status: flow.status.map_or(0, |status| status.0),
        timeout: flow.timeout.unwrap_or(0),
        mark: flow.mark.unwrap_or(0),
        ..of_ours((&flow.original, &flow.reply), flow.protocol_info.as_ref())
    }
}

/// Those compared alone.
pub fn ours_flow_view(message: &[u8]) -> FlowFields {
    let message = Message::decode(message).expect("a message");
    let flow = FlowView::new(&message).expect("a flow");
    let (original, reply) = flow.tuples().expect("tuples");
    let info = flow.protocol_info().expect("a state");
    FlowFields {
        status: flow.status().expect("a status").map_or(0, |status| status.0),
        timeout: flow.timeout().expect("a timeout").unwrap_or(0),
        mark: flow.mark().expect("a mark").unwrap_or(0),
        ..of_ours((&original, &reply), info.as_ref())
    }
}

fn of_ours((original, reply): (&Tuple, &Tuple), info: Option<&ProtocolInfo>) -> FlowFields {
    let ports = |tuple: &Tuple| match tuple.l4 {
        L4::Ports { source, destination } => [source, destination],
        _ => [0; 2],
    };
    let ([a, b], [c, d]) = (ports(original), ports(reply));
    let addresses = [original.source, original.destination, reply.source, reply.destination];
    FlowFields {
        addresses: addresses.map(v4),
        ports: [a, b, c, d],
        protocol: original.protocol.0,
        tcp_state: match info {
            Some(ProtocolInfo::Tcp(tcp)) => tcp.state.map_or(0, |state| state.0),
            _ => 0,
        },
        ..FlowFields::default()
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
