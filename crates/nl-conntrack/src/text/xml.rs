//! `conntrack -o xml`.

use alloc::string::String;
use core::fmt::{self, Write as _};

use nl_wire::text::Escaped;
use nl_wire::value::AddressFamily;

use super::time::{NANOSECONDS, civil_time};
use super::{Options, address, append};
use crate::event::{Event, EventKind};
use crate::extension::Counters;
use crate::flow::Flow;
use crate::protocol_info::ProtocolInfo;
use crate::tuple::{L4, Tuple};
use crate::value::{IpProtocol, Status, TcpState};

/// What stands before the first flow; conntrack(8) prints nothing at all where there is none.
pub const XML_HEAD: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<conntrack>\n";

/// What stands behind the last flow, if there was one.
pub const XML_TAIL: &str = "</conntrack>\n";

/// Appends a flow as `conntrack -L -o xml` prints it.
///
/// Like there, the id is always part of it, ICMP's type, code and id never, and the state of SCTP
/// has the name that its number has among the states of TCP.
pub fn xml(out: &mut String, flow: &Flow, options: &Options<'_>) {
    out.push_str("<flow>");
    body(out, flow, options);
    end(out, flow);
}

/// Appends an event as `conntrack -E -o xml` prints it; with `received`, in seconds since 1970, the
/// local time at which it was received is part of it.
pub fn xml_event(out: &mut String, event: &Event, received: Option<u64>, options: &Options<'_>) {
    let kind = match event.kind {
        EventKind::New => "new",
        EventKind::Update => "update",
        EventKind::Destroy => "destroy",
    };
    append(out, format_args!("<flow type=\"{kind}\">"));
    body(out, &event.flow, options);
    if let Some(time) = received {
        let time = civil_time(time, options.utc_offset);
        out.push_str("<when>");
        let fields = [
            ("hour", time.hour),
            ("min", time.minute),
            ("sec", time.second),
            ("wday", time.weekday + 1),
            ("day", time.day),
            ("month", time.month + 1),
            ("year", time.year),
        ];
        for (name, number) in fields {
            // Of all these conntrack(8) fills up minutes and seconds alone.
            let width = if matches!(name, "min" | "sec") { 2 } else { 1 };
            append(out, format_args!("<{name}>{number:0width$}</{name}>"));
        }
        out.push_str("</when>");
    }
    end(out, &event.flow);
}

/// What conntrack(8) prints behind the time.
fn end(out: &mut String, flow: &Flow) {
    if let Some(helper) = &flow.helper {
        append(out, format_args!("<helper>{}</helper>", Xml(helper.name.as_bytes())));
    }
    out.push_str("</flow>");
}

fn body(out: &mut String, flow: &Flow, options: &Options<'_>) {
    let status = flow.status.unwrap_or_default();
    direction(out, "original", &flow.original, flow.original_counters);
    direction(out, "reply", &flow.reply, flow.reply_counters);
    out.push_str("<meta direction=\"independent\">");
    if let Some(word) = flow.protocol_info.and_then(state) {
        append(out, format_args!("<state>{word}</state>"));
    }
    number(out, "timeout", flow.timeout);
    number(out, "mark", flow.mark);
    if let (Some(set), Some(names)) = (&flow.labels, options.labels) {
        let mut names = set.bits().filter_map(|bit| names.name(bit)).peekable();
        if names.peek().is_some() {
            out.push_str("<labels>");
            for name in names {
                append(out, format_args!("<label>{}</label>", Xml(name.as_bytes())));
            }
            out.push_str("</labels>");
        }
    }
    number(out, "secmark", flow.secmark);
    if let Some(context) = &flow.secctx {
        append(out, format_args!("<secctx>{}</secctx>", Xml(context.as_bytes())));
    }
    number(out, "zone", flow.zone);
    number(out, "use", flow.use_count);
    number(out, "id", flow.id);
    if status.contains(Status::ASSURED) {
        out.push_str("<assured/>");
    }
    if flow.status.is_some() && !status.contains(Status::SEEN_REPLY) {
        out.push_str("<unreplied/>");
    }
    if options.ktimestamp && (flow.start.is_some() || flow.stop.is_some()) {
        out.push_str("<timestamp>");
        number(out, "start", flow.start);
        number(out, "stop", flow.stop);
        out.push_str("</timestamp>");
    }
    if let Some(start) = flow.start {
        let end = flow.stop.map_or(options.now, |stop| stop / NANOSECONDS);
        number(out, "deltatime", Some(end.wrapping_sub(start / NANOSECONDS)));
    }
    out.push_str("</meta>");
}

/// The name that conntrack(8) gives to the number of a state, whatever the protocol: that of TCP.
fn state(info: ProtocolInfo) -> Option<&'static str> {
    let number = match info {
        ProtocolInfo::Tcp(tcp) => tcp.state?.0,
        ProtocolInfo::Sctp(sctp) => sctp.state?.0,
        ProtocolInfo::Dccp(dccp) => dccp.state?.0,
    };
    Some(TcpState(number).word().unwrap_or("NONE"))
}

fn direction(out: &mut String, name: &str, tuple: &Tuple, counters: Option<Counters>) {
    let (family, family_name) = match tuple.family() {
        AddressFamily::INET6 => (AddressFamily::INET6.0, "ipv6"),
        _ => (AddressFamily::INET.0, "ipv4"),
    };
    append(
        out,
        format_args!(
            "<meta direction=\"{name}\"><layer3 protonum=\"{family}\" protoname=\"{family_name}\">"
        ),
    );
    for (key, ip) in [("src", tuple.source), ("dst", tuple.destination)] {
        append(out, format_args!("<{key}>"));
        address(out, ip);
        append(out, format_args!("</{key}>"));
    }
    let protocol = tuple.protocol;
    append(
        out,
        format_args!(
            "</layer3><layer4 protonum=\"{}\" protoname=\"{}\">",
            protocol.0,
            protocol.conntrack_name().unwrap_or("unknown")
        ),
    );
    let (source, destination) = match tuple.l4 {
        L4::Ports { source, destination } => (source, destination),
        _ => (0, 0),
    };
    if protocol == IpProtocol::GRE {
        append(out, format_args!("<srckey>{source:#x}</srckey><dstkey>{destination:#x}</dstkey>"));
    } else if protocol.has_ports() {
        append(out, format_args!("<sport>{source}</sport><dport>{destination}</dport>"));
    }
    out.push_str("</layer4>");
    number(out, "zone", tuple.zone);
    if let Some(Counters { packets, bytes }) = counters {
        append(
            out,
            format_args!("<counters><packets>{packets}</packets><bytes>{bytes}</bytes></counters>"),
        );
    }
    out.push_str("</meta>");
}

fn number<N: Into<u64>>(out: &mut String, name: &str, number: Option<N>) {
    if let Some(number) = number {
        append(out, format_args!("<{name}>{}</{name}>", number.into()));
    }
}

/// Text between tags.
struct Xml<'a>(&'a [u8]);

impl fmt::Display for Xml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Entities(f), "{}", Escaped(self.0))
    }
}

/// Writes characters that mean something to XML as entities.
struct Entities<'f, 'g>(&'f mut fmt::Formatter<'g>);

impl fmt::Write for Entities<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for piece in text.split_inclusive(['&', '<', '>']) {
            let (plain, entity) = match piece.as_bytes().last() {
                Some(b'&') => (piece.strip_suffix('&'), "&amp;"),
                Some(b'<') => (piece.strip_suffix('<'), "&lt;"),
                Some(b'>') => (piece.strip_suffix('>'), "&gt;"),
                _ => (Some(piece), ""),
            };
            self.0.write_str(plain.unwrap_or_default())?;
            self.0.write_str(entity)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    #[test]
    fn what_means_something_to_xml_becomes_entities() {
        assert_eq!(Xml(b"<a>&b\x1b\"").to_string(), r#"&lt;a&gt;&amp;b\x1b""#);
        assert_eq!(Xml(b"&&").to_string(), "&amp;&amp;");
        assert_eq!(Xml(b"").to_string(), "");
    }
}
