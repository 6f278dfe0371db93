//! Flows, events and expectations as JSON.
//!
//! Keys are the names of the fields of [`Flow`]; what is absent has no key. Times are nanoseconds
//! since 1970, timeouts seconds. Protocols are conntrack(8)'s names, or decimal numbers where it
//! has none; families are `ipv4`, `ipv6`, or a decimal number. Numbers that have no name in a list
//! of words stand in it as hexadecimal strings.
//!
//! | key | value |
//! |-|-|
//! | `family` | string |
//! | `original`, `reply`, `master` | tuple |
//! | `protocol_info` | `{"tcp": {"state", "window_scale_original", "window_scale_reply", "flags_original", "flags_reply"}}`, `{"dccp": {"state", "role", "handshake_sequence"}}` or `{"sctp": {"state", "tag_original", "tag_reply"}}`; states, roles: strings, flags: lists of words |
//! | `status` | list of words: `SEEN_REPLY`, `ASSURED`, … |
//! | `timeout`, `mark`, `id`, `zone`, `use_count`, `secmark` | number |
//! | `original_counters`, `reply_counters` | `{"packets", "bytes"}` |
//! | `start`, `stop`, `event_time` | number |
//! | `labels` | list of bit numbers |
//! | `helper` | `{"name", "info"}`; the latter in hexadecimal |
//! | `secctx` | string |
//! | `original_seq_adj`, `reply_seq_adj` | `{"correction_pos", "offset_before", "offset_after"}` |
//! | `synproxy` | `{"isn", "its", "ts_offset"}` |
//! | `unknown` | list of `{"type", "payload"}`; the latter in hexadecimal |
//!
//! A tuple is `{"source", "destination", "protocol"}` and, by protocol, `source_port` and
//! `destination_port`; of GRE `source_key` and `destination_key`; of ICMP and `ICMPv6` `icmp_type`,
//! `icmp_code` and `icmp_id`; then `zone`.
//!
//! An event is the flow's object with the keys `event` (`new`, `update` or `destroy`) and `port`
//! before the others. An expectation has the keys `family`, `tuple`, `mask`, `master`, `timeout`,
//! `id`, `helper` (a string), `zone`, `flags`, `class`, `nat` (`{"direction", "tuple"}`),
//! `function` and `unknown`; its events are like those of flows.

use alloc::string::ToString as _;

use nl_wire::RawAttr;
use nl_wire::json::{Json, ToJson};
use nl_wire::text::Hex;
use nl_wire::value::{AddressFamily, Names};

use crate::event::{Event, ExpectationEvent};
use crate::expect::{ExpectNat, Expectation};
use crate::extension::{Counters, Helper, Labels, SeqAdj, Synproxy};
use crate::flow::Flow;
use crate::protocol_info::{Dccp, ProtocolInfo, Sctp, Tcp};
use crate::timeout::Timeouts;
use crate::tuple::{L4, Tuple};
use crate::value::{ExpectFlags, IpProtocol, Status};

/// The object of a flow.
impl ToJson for Flow {
    fn to_json(&self, json: &mut Json<'_>) {
        object(json, |json| flow_fields(json, self));
    }
}

/// The object of an event.
impl ToJson for Event {
    fn to_json(&self, json: &mut Json<'_>) {
        object(json, |json| {
            json.field("event", self.kind.word());
            json.field("port", self.port);
            flow_fields(json, &self.flow);
        });
    }
}

/// The object of an expectation.
impl ToJson for Expectation {
    fn to_json(&self, json: &mut Json<'_>) {
        object(json, |json| expectation_fields(json, self));
    }
}

/// The object of an event.
impl ToJson for ExpectationEvent {
    fn to_json(&self, json: &mut Json<'_>) {
        object(json, |json| {
            json.field("event", self.kind.word());
            json.field("port", self.port);
            expectation_fields(json, &self.expectation);
        });
    }
}

fn flow_fields(json: &mut Json<'_>, flow: &Flow) {
    family(json, flow.family);
    json.field("original", flow.original);
    json.field("reply", flow.reply);
    json.optional("protocol_info", flow.protocol_info);
    json.optional("status", flow.status.map(|status| Words(Status::NAMES, status.0)));
    json.optional("timeout", flow.timeout);
    json.optional("mark", flow.mark);
    json.optional("id", flow.id);
    json.optional("zone", flow.zone);
    json.optional("use_count", flow.use_count);
    json.optional("secmark", flow.secmark);
    json.optional("original_counters", flow.original_counters);
    json.optional("reply_counters", flow.reply_counters);
    json.optional("start", flow.start);
    json.optional("stop", flow.stop);
    json.optional("event_time", flow.event_time);
    json.optional("labels", flow.labels.as_ref());
    json.optional("helper", flow.helper.as_deref());
    json.optional("secctx", flow.secctx.as_ref());
    json.optional("original_seq_adj", flow.original_seq_adj);
    json.optional("reply_seq_adj", flow.reply_seq_adj);
    json.optional("synproxy", flow.synproxy);
    json.optional("master", flow.master.as_deref());
    unknown(json, &flow.unknown);
}

fn expectation_fields(json: &mut Json<'_>, expectation: &Expectation) {
    family(json, expectation.family);
    json.field("tuple", expectation.tuple);
    json.field("mask", expectation.mask);
    json.field("master", expectation.master);
    json.optional("timeout", expectation.timeout);
    json.optional("id", expectation.id);
    json.optional("helper", expectation.helper.as_ref());
    json.optional("zone", expectation.zone);
    json.optional("flags", expectation.flags.map(|flags| Words(ExpectFlags::NAMES, flags.0)));
    json.optional("class", expectation.class);
    json.optional("nat", expectation.nat.as_ref());
    json.optional("function", expectation.function.as_ref());
    unknown(json, &expectation.unknown);
}

pub(crate) fn family(json: &mut Json<'_>, family: AddressFamily) {
    match family {
        AddressFamily::INET => json.field("family", "ipv4"),
        AddressFamily::INET6 => json.field("family", "ipv6"),
        AddressFamily(number) => json.field("family", format_args!("{number}")),
    }
}

fn unknown(json: &mut Json<'_>, attributes: &[RawAttr]) {
    if attributes.is_empty() {
        return;
    }
    json.key("unknown");
    json.begin_array();
    for attr in attributes {
        object(json, |json| {
            json.field("type", attr.as_attr().number());
            json.field("payload", format_args!("{:#}", Hex(&attr.payload)));
        });
    }
    json.end_array();
}

fn object(json: &mut Json<'_>, fields: impl FnOnce(&mut Json<'_>)) {
    json.begin_object();
    fields(json);
    json.end_object();
}

/// A set of flags as a list of words.
struct Words(&'static Names, u32);

impl ToJson for Words {
    fn to_json(&self, json: &mut Json<'_>) {
        let Self(names, flags) = self;
        let bits = (0..u32::BITS).map(|bit| flags & (1 << bit)).filter(|bit| *bit != 0);
        json.begin_array();
        for bit in bits {
            match names.word(bit.into()) {
                Some(word) => json.string(word),
                None => json.display(format_args!("{bit:#x}")),
            }
        }
        json.end_array();
    }
}

impl ToJson for IpProtocol {
    fn to_json(&self, json: &mut Json<'_>) {
        match self.conntrack_name() {
            Some(name) => json.string(name),
            None => json.display(self.0),
        }
    }
}

impl ToJson for Tuple {
    fn to_json(&self, json: &mut Json<'_>) {
        object(json, |json| {
            json.field("source", self.source);
            json.field("destination", self.destination);
            json.field("protocol", self.protocol);
            match (self.l4, self.protocol) {
                (L4::None, _) => {}
                (L4::Ports { source, destination }, IpProtocol::GRE) => {
                    json.field("source_key", source);
                    json.field("destination_key", destination);
                }
                (L4::Ports { source, destination }, _) => {
                    json.field("source_port", source);
                    json.field("destination_port", destination);
                }
                (L4::Icmp { id, kind, code }, _) => {
                    json.field("icmp_type", kind);
                    json.field("icmp_code", code);
                    json.field("icmp_id", id);
                }
            }
            json.optional("zone", self.zone);
        });
    }
}

impl ToJson for ProtocolInfo {
    fn to_json(&self, json: &mut Json<'_>) {
        object(json, |json| match self {
            Self::Tcp(tcp) => json.field("tcp", tcp),
            Self::Dccp(dccp) => json.field("dccp", dccp),
            Self::Sctp(sctp) => json.field("sctp", sctp),
        });
    }
}

impl ToJson for Tcp {
    fn to_json(&self, json: &mut Json<'_>) {
        object(json, |json| {
            word(json, "state", self.state.map(|state| (state.word(), state.0)));
            json.optional("window_scale_original", self.window_scale_original);
            json.optional("window_scale_reply", self.window_scale_reply);
            let flags =
                [("flags_original", self.flags_original), ("flags_reply", self.flags_reply)];
            for (key, change) in flags {
                let names = crate::value::TcpFlags::NAMES;
                json.optional(key, change.map(|change| Words(names, change.flags.0.into())));
            }
        });
    }
}

impl ToJson for Dccp {
    fn to_json(&self, json: &mut Json<'_>) {
        object(json, |json| {
            word(json, "state", self.state.map(|state| (state.word(), state.0)));
            word(json, "role", self.role.map(|role| (role.word(), role.0)));
            json.optional("handshake_sequence", self.handshake_sequence);
        });
    }
}

impl ToJson for Sctp {
    fn to_json(&self, json: &mut Json<'_>) {
        object(json, |json| {
            word(json, "state", self.state.map(|state| (state.word(), state.0)));
            json.optional("tag_original", self.tag_original);
            json.optional("tag_reply", self.tag_reply);
        });
    }
}

/// A number of an enumeration: its word, or in decimal, a string either way.
fn word(json: &mut Json<'_>, key: &str, value: Option<(Option<&str>, u8)>) {
    match value {
        None => {}
        Some((Some(word), _)) => json.field(key, word),
        Some((None, number)) => json.field(key, format_args!("{number}")),
    }
}

impl ToJson for Counters {
    fn to_json(&self, json: &mut Json<'_>) {
        object(json, |json| {
            json.field("packets", self.packets);
            json.field("bytes", self.bytes);
        });
    }
}

impl ToJson for Labels {
    fn to_json(&self, json: &mut Json<'_>) {
        json.begin_array();
        self.bits().for_each(|bit| json.value(bit));
        json.end_array();
    }
}

impl ToJson for Helper {
    fn to_json(&self, json: &mut Json<'_>) {
        object(json, |json| {
            json.field("name", &self.name);
            if let Some(info) = &self.info {
                json.field("info", format_args!("{:#}", Hex(info)));
            }
        });
    }
}

impl ToJson for SeqAdj {
    fn to_json(&self, json: &mut Json<'_>) {
        object(json, |json| {
            json.field("correction_pos", self.correction_pos);
            json.field("offset_before", self.offset_before);
            json.field("offset_after", self.offset_after);
        });
    }
}

impl ToJson for Synproxy {
    fn to_json(&self, json: &mut Json<'_>) {
        object(json, |json| {
            json.field("isn", self.isn);
            json.field("its", self.its);
            json.field("ts_offset", self.ts_offset);
        });
    }
}

impl ToJson for ExpectNat {
    fn to_json(&self, json: &mut Json<'_>) {
        object(json, |json| {
            json.field("direction", self.direction);
            json.field("tuple", self.tuple);
        });
    }
}

/// `{"name", "family", "protocol", "timeouts": {"established": seconds, …}, "use_count"}`; the
/// defaults have no name, and states without a name are called by their number.
impl ToJson for Timeouts {
    fn to_json(&self, json: &mut Json<'_>) {
        json.begin_object();
        json.optional("name", Some(&self.name).filter(|name| !name.as_bytes().is_empty()));
        family(json, self.family);
        json.field("protocol", self.protocol);
        json.key("timeouts");
        json.begin_object();
        for ((name, seconds), number) in self.iter().zip(self.seconds.keys()) {
            match name {
                Some(name) => json.field(&name.to_ascii_lowercase(), seconds),
                None => json.field(&number.to_string(), seconds),
            }
        }
        json.end_object();
        json.optional("use_count", self.use_count);
        json.end_object();
    }
}
