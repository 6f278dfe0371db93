//! The lines of conntrack(8) 1.4.7, byte for byte: `conntrack -L`, `conntrack -E`,
//! `conntrack -L expect`, and `-o xml` and `-o save` of flows and their events.
//!
//! Everything is appended to a `String` that the caller keeps, without the newline at the end.
//! Control characters in names are escaped, where conntrack(8) prints them.
//!
//! ```
//! use nl_conntrack::{Flow, IpProtocol, Status, Tuple, text};
//!
//! let client = ("10.0.0.1".parse()?, 4000);
//! let tuple = Tuple::with_ports(IpProtocol::UDP, client, ("10.0.0.2".parse()?, 53));
//! let flow = Flow { status: Some(Status::CONFIRMED), timeout: Some(30), ..Flow::new(tuple) };
//! let mut line = String::new();
//! text::flow(&mut line, &flow, &text::Options::default());
//! assert_eq!(
//!     line,
//!     "udp      17 30 src=10.0.0.1 dst=10.0.0.2 sport=4000 dport=53 [UNREPLIED] \
//!      src=10.0.0.2 dst=10.0.0.1 sport=53 dport=4000",
//! );
//! # Ok::<(), core::net::AddrParseError>(())
//! ```

use alloc::string::String;
use core::fmt::{self, Write as _};
use core::time::Duration;

use nl_wire::number::{address, decimal};
use nl_wire::text::Escaped;
use nl_wire::value::AddressFamily;

use crate::event::{Event, EventKind, ExpectationEvent};
use crate::expect::Expectation;
use crate::extension::{Counters, Labels};
use crate::flow::Flow;
use crate::stats::{CpuStats, ExpectStats};
use crate::tuple::{L4, Tuple};
use crate::value::{ExpectFlags, IpProtocol, Status};

mod labels;
mod save;
mod time;
mod xml;
pub use labels::{LabelError, LabelNames};
pub use save::{SaveCommand, save, save_all, save_event};
use time::{NANOSECONDS, ctime};
pub use xml::{XML_HEAD, XML_TAIL, xml, xml_event};

/// How to print: the words of `conntrack -o`.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// `-o extended`: begin with the address family.
    pub extended: bool,
    /// `-o id`.
    pub id: bool,
    /// `-o ktimestamp`: begin and end in words.
    pub ktimestamp: bool,
    /// `-o labels`: what the labels are called. Labels without a name are left out.
    pub labels: Option<&'a LabelNames>,
    /// The present time, in seconds since 1970: the end of `delta-time` of flows that go on.
    pub now: u64,
    /// How many seconds local time is ahead of UTC at a moment, given in seconds since 1970.
    /// For `ktimestamp`; [`utc`] by default.
    pub utc_offset: fn(i64) -> i32,
}

/// No local time: 0 seconds ahead of UTC at any moment.
pub fn utc(_: i64) -> i32 {
    0
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            extended: false,
            id: false,
            ktimestamp: false,
            labels: None,
            now: 0,
            utc_offset: utc,
        }
    }
}

/// Appends a flow as `conntrack -L` prints it.
pub fn flow(out: &mut String, flow: &Flow, options: &Options<'_>) {
    if options.extended {
        let (name, number) = match flow.family {
            AddressFamily::INET => ("ipv4", 2),
            AddressFamily::INET6 => ("ipv6", 10),
            AddressFamily(number) => ("unknown", number),
        };
        name_and_number(out, name, number);
    }
    let protocol = flow.original.protocol;
    name_and_number(out, protocol.conntrack_name().unwrap_or("unknown"), protocol.0);
    if let Some(timeout) = flow.timeout {
        decimal(out, timeout.into());
        out.push(' ');
    }
    if let Some(word) = flow.protocol_info.and_then(|info| info.state_word()) {
        out.push_str(word);
        out.push(' ');
    }
    direction(out, &flow.original, "zone-orig=", flow.original_counters);
    if flow.status.is_some_and(|status| !status.contains(Status::SEEN_REPLY)) {
        out.push_str("[UNREPLIED] ");
    }
    direction(out, &flow.reply, "zone-reply=", flow.reply_counters);
    let status = flow.status.unwrap_or_default();
    let shown = [
        (Status::HW_OFFLOAD, "[HW_OFFLOAD] "),
        (Status::OFFLOAD, "[OFFLOAD] "),
        (Status::ASSURED, "[ASSURED] "),
    ];
    if let Some((_, word)) = shown.iter().find(|(bit, _)| status.contains(*bit)) {
        out.push_str(word);
    }
    number(out, "mark=", flow.mark);
    number(out, "secmark=", flow.secmark);
    if let Some(secctx) = &flow.secctx {
        append(out, format_args!("secctx={secctx} "));
    }
    number(out, "zone=", flow.zone);
    times(out, flow, options);
    if let Some(helper) = &flow.helper {
        append(out, format_args!("helper={} ", helper.name));
    }
    number(out, "use=", flow.use_count);
    if options.id {
        number(out, "id=", flow.id);
    }
    if let (Some(set), Some(names)) = (&flow.labels, options.labels) {
        label_words(out, set, names);
    }
    trim(out);
}

/// Appends an event as `conntrack -E` prints it.
///
/// With `received`, the time since 1970 at which it was received, it begins as `-o timestamp` does.
/// An event caused by a netlink request ends in the port id of the requester's socket, and in the
/// name of its program where one is given.
pub fn event(
    out: &mut String,
    event: &Event,
    received: Option<Duration>,
    program: Option<&[u8]>,
    options: &Options<'_>,
) {
    if let Some(time) = received {
        append(out, format_args!("[{:08}.{:06}]\t", time.as_secs(), time.subsec_micros()));
    }
    tag(out, event.kind);
    flow(out, &event.flow, options);
    user_space(out, event.port, program);
}

/// Appends what `conntrack -E` tells, in every format, of an event that a netlink request caused:
/// the port id of the requester's socket and the name of its program. Nothing for port 0.
pub fn user_space(out: &mut String, port: u32, program: Option<&[u8]>) {
    if port != 0 {
        append(out, format_args!(" [USERSPACE] portid={port}"));
        if let Some(program) = program {
            append(out, format_args!(" progname={}", Escaped(program)));
        }
    }
}

/// Appends an expectation as `conntrack -L expect` prints it.
pub fn expectation(out: &mut String, expectation: &Expectation) {
    if let Some(timeout) = expectation.timeout {
        decimal(out, timeout.into());
        out.push(' ');
    }
    append(out, format_args!("proto={} ", expectation.tuple.protocol.0));
    addresses(out, &expectation.tuple, ["src=", "dst="]);
    layer4(out, &expectation.tuple);
    addresses(out, &expectation.mask, ["mask-src=", "mask-dst="]);
    layer4(out, &expectation.mask);
    addresses(out, &expectation.master, ["master-src=", "master-dst="]);
    layer4(out, &expectation.master);
    number(out, "zone=", expectation.zone);
    let flags = expectation.flags.unwrap_or_default();
    let mut separator = "";
    for (bit, name) in ExpectFlags::NAMES.rows() {
        if u64::from(flags.0) & bit != 0 {
            let word = name.strip_prefix(ExpectFlags::NAMES.prefix).unwrap_or(name);
            append(out, format_args!("{separator}{word}"));
            separator = ",";
        }
    }
    if !separator.is_empty() {
        out.push(' ');
    }
    number(out, "class=", expectation.class);
    if let Some(helper) = &expectation.helper {
        append(out, format_args!("helper={helper} "));
    }
    trim(out);
}

/// Appends an event as `conntrack -E expect` prints it; `received` as in [`event`].
pub fn expectation_event(out: &mut String, event: &ExpectationEvent, received: Option<Duration>) {
    if let Some(time) = received {
        expectation_time(out, time);
    }
    tag(out, event.kind);
    expectation(out, &event.expectation);
}

/// Appends what stands before an expectation with `-o timestamp`, in lists too: a time since 1970,
/// its microseconds not filled up with zeros as those of [`event`] are but with blanks behind.
pub fn expectation_time(out: &mut String, time: Duration) {
    append(out, format_args!("[{:<8}.{:<6}]\t", time.as_secs(), time.subsec_micros()));
}

/// Appends the statistics of a CPU as `conntrack -S` prints them, with a blank at the end.
pub fn cpu_stats(out: &mut String, stats: &CpuStats) {
    append(out, format_args!("cpu={:<4}\t", stats.cpu));
    for (name, value) in stats.iter() {
        out.push_str(if name == "chain_toolong" { "chaintoolong" } else { name });
        append(out, format_args!("={value} "));
    }
}

/// Appends the statistics of expectations as `conntrack -S expect` prints them, with a blank at the
/// end.
pub fn expect_stats(out: &mut String, stats: &ExpectStats) {
    append(out, format_args!("cpu={:<4}\t", stats.cpu));
    for (name, value) in stats.iter() {
        append(out, format_args!("expect_{name}={value} "));
    }
}

fn tag(out: &mut String, kind: EventKind) {
    out.push_str(match kind {
        EventKind::New => "    [NEW] ",
        EventKind::Update => " [UPDATE] ",
        EventKind::Destroy => "[DESTROY] ",
    });
}

/// `%-8s %u `.
fn name_and_number(out: &mut String, name: &str, number: u8) {
    out.push_str(name);
    out.push_str("        ".get(name.len()..).unwrap_or_default());
    out.push(' ');
    decimal(out, number.into());
    out.push(' ');
}

fn direction(out: &mut String, tuple: &Tuple, zone: &str, counters: Option<Counters>) {
    addresses(out, tuple, ["src=", "dst="]);
    layer4(out, tuple);
    number(out, zone, tuple.zone);
    if let Some(counters) = counters {
        number(out, "packets=", Some(counters.packets));
        number(out, "bytes=", Some(counters.bytes));
    }
}

fn addresses(out: &mut String, tuple: &Tuple, keys: [&str; 2]) {
    for (key, ip) in keys.into_iter().zip([tuple.source, tuple.destination]) {
        out.push_str(key);
        address(out, ip);
        out.push(' ');
    }
}

/// By protocol, whatever the tuple holds; what it lacks is 0.
fn layer4(out: &mut String, tuple: &Tuple) {
    let (source, destination) = match tuple.l4 {
        L4::Ports { source, destination } => (source, destination),
        _ => (0, 0),
    };
    match tuple.protocol {
        IpProtocol::GRE => {
            append(out, format_args!("srckey={source:#x} dstkey={destination:#x} "));
        }
        IpProtocol::ICMP | IpProtocol::ICMPV6 => {
            let (id, kind, code) = match tuple.l4 {
                L4::Icmp { id, kind, code } => (id, kind, code),
                _ => (0, 0, 0),
            };
            number(out, "type=", Some(kind));
            number(out, "code=", Some(code));
            number(out, "id=", Some(id));
        }
        protocol if protocol.has_ports() => {
            number(out, "sport=", Some(source));
            number(out, "dport=", Some(destination));
        }
        _ => {}
    }
}

fn times(out: &mut String, flow: &Flow, options: &Options<'_>) {
    if let Some(start) = flow.start {
        let start = start / NANOSECONDS;
        let end = flow.stop.map_or(options.now, |stop| stop / NANOSECONDS);
        number(out, "delta-time=", Some(end.wrapping_sub(start)));
    }
    if options.ktimestamp {
        for (key, time) in [("[start=", flow.start), ("[stop=", flow.stop)] {
            if let Some(time) = time {
                out.push_str(key);
                ctime(out, time, options.utc_offset);
                out.push_str("] ");
            }
        }
    }
}

fn label_words(out: &mut String, set: &Labels, names: &LabelNames) {
    let mut separator = "labels=";
    for name in set.bits().filter_map(|bit| names.name(bit)) {
        append(out, format_args!("{separator}{name}"));
        separator = ",";
    }
    if separator == "," {
        out.push(' ');
    }
}

fn number<N: Into<u64>>(out: &mut String, key: &str, number: Option<N>) {
    if let Some(number) = number {
        out.push_str(key);
        decimal(out, number.into());
        out.push(' ');
    }
}

fn append(out: &mut String, arguments: fmt::Arguments<'_>) {
    // A String takes everything.
    let _ = out.write_fmt(arguments);
}

fn trim(out: &mut String) {
    if out.ends_with(' ') {
        out.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::boxed::Box;

    use crate::extension::Helper;
    use crate::protocol_info::ProtocolInfo;
    use crate::value::TcpState;

    fn line(flow: &Flow) -> String {
        let mut line = String::new();
        super::flow(&mut line, flow, &Options::default());
        line
    }

    /// What a kernel in a test does not make.
    #[test]
    fn rare_words() {
        let tuple = Tuple { protocol: IpProtocol::TCP, ..Tuple::default() };
        let state = ProtocolInfo::tcp(TcpState(77));
        let flow = Flow { protocol_info: Some(state), ..Flow::new(tuple) };
        let ends = "src=0.0.0.0 dst=0.0.0.0 sport=0 dport=0";
        assert_eq!(line(&flow), alloc::format!("tcp      6 NONE {ends} {ends}"));
        for (bits, word) in [
            (Status(0xc004), "[HW_OFFLOAD]"),
            (Status(0x4004), "[OFFLOAD]"),
            (Status(0x0004), "[ASSURED]"),
        ] {
            let flow = Flow { status: Some(bits | Status::SEEN_REPLY), ..flow.clone() };
            assert!(line(&flow).ends_with(&alloc::format!("dport=0 {word}")), "{}", line(&flow));
        }
        let flow = Flow {
            secmark: Some(1),
            secctx: Some("a\nb".into()),
            zone: Some(2),
            start: Some(5 * NANOSECONDS),
            stop: Some(9 * NANOSECONDS),
            helper: Some(Box::new(Helper { name: "x\x1b[m".into(), info: None })),
            ..flow
        };
        let end = r" secmark=1 secctx=a\x0ab zone=2 delta-time=4 helper=x\x1b[m";
        assert!(line(&flow).ends_with(end), "{}", line(&flow));
    }

    /// Numbers below ten, as conntrack(8) has them.
    #[test]
    fn times_in_xml() {
        let event = Event { kind: EventKind::New, port: 0, flow: Flow::new(Tuple::default()) };
        let mut out = String::new();
        xml_event(&mut out, &event, Some(5 * 3600 + 7 * 60 + 9), &Options::default());
        let day = "<wday>5</wday><day>1</day><month>1</month><year>1970</year>";
        let time = "<hour>5</hour><min>07</min><sec>09</sec>";
        assert!(out.contains(&alloc::format!("<when>{time}{day}</when>")), "{out}");
    }
}
