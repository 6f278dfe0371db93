//! Laws of what conntrack(8) reads and writes: XML, save lines, command lines.

use nl_conntrack::parse::{Command, Line, Table, words};
use nl_conntrack::text::{self, LabelNames, Options, SaveCommand};
use nl_conntrack::{Event, Flow, IpProtocol, L4, ProtocolInfo, Status, tables};

use crate::conntrack::{decode, line};
use crate::{check_printable, check_request, message};

/// Names for some labels.
pub(crate) fn labels() -> LabelNames {
    LabelNames::parse("0 web\n1 d<&>s\n17 customer-2\n").expect("names of labels")
}

/// A flow as XML is well formed and has the addresses; its save line is read again, as the command
/// that makes a flow of the same directions.
pub fn flow_text(body: &[u8]) {
    let bytes = message(tables::IPCTNL_MSG_CT_NEW, body);
    let Ok(flow) = decode(&bytes, Flow::decode) else { return };
    let Ok(Some(event)) = decode(&bytes, Event::decode) else { panic!("a flow is an event") };
    let labels = labels();
    let options =
        Options { ktimestamp: true, labels: Some(&labels), now: 1 << 40, ..Options::default() };
    let mut document = text::XML_HEAD.to_owned();
    text::xml(&mut document, &flow, &options);
    document.push('\n');
    text::xml_event(&mut document, &event, Some(1_700_000_000), &options);
    document.push_str(text::XML_TAIL);
    check_printable(&document, true);
    let tree =
        roxmltree::Document::parse(&document).unwrap_or_else(|error| panic!("{error}: {document}"));
    let texts = |name| tree.descendants().filter(move |node| node.has_tag_name(name));
    let sources: Vec<std::net::IpAddr> =
        texts("src").filter_map(|node| node.text()?.parse().ok()).collect();
    let (original, reply) = (flow.original.source, flow.reply.source);
    assert_eq!(sources, [original, reply, original, reply]);

    for command in [SaveCommand::Add, SaveCommand::Update, SaveCommand::Delete] {
        line(|out| text::save(out, &flow, command));
    }
    line(|out| text::save_event(out, &event));
    let mut saved = String::new();
    text::save_all(&mut saved, &flow, Some(&labels));
    check_printable(&saved, false);
    if is_plain(&flow) {
        check_saved(&saved, &flow, &labels);
    }
}

/// Whether a flow is as the kernel has them, and has nothing that save lines leave out.
pub(crate) fn is_plain(flow: &Flow) -> bool {
    let (original, reply) = (&flow.original, &flow.reply);
    let fits = match original.protocol {
        IpProtocol::ICMP | IpProtocol::ICMPV6 => matches!(original.l4, L4::Icmp { .. }),
        protocol if protocol.has_ports() => matches!(original.l4, L4::Ports { .. }),
        _ => original.l4 == L4::None,
    };
    let kind = std::mem::discriminant;
    let states = match flow.protocol_info {
        None => true,
        Some(ProtocolInfo::Tcp(_)) => original.protocol == IpProtocol::TCP,
        Some(ProtocolInfo::Sctp(_)) => original.protocol == IpProtocol::SCTP,
        Some(ProtocolInfo::Dccp(_)) => original.protocol == IpProtocol::DCCP,
    };
    let one_family = [original.destination, reply.source, reply.destination]
        .iter()
        .all(|address| address.is_ipv4() == original.source.is_ipv4());
    flow.timeout.is_some()
        && fits
        && states
        && flow.family == original.family()
        && original.protocol == reply.protocol
        && kind(&original.l4) == kind(&reply.l4)
        && one_family
}

/// A save line makes a flow between the same addresses and ports.
pub(crate) fn check_saved(saved: &str, flow: &Flow, labels: &LabelNames) {
    let words = words(saved).unwrap_or_else(|error| panic!("{error}: {saved}"));
    let read = Line::parse(words, Some(labels));
    // What no command can make is refused, in words.
    let Ok(read) = read.map_err(|error| check_printable(&error.to_string(), false)) else { return };
    assert_eq!((read.command, read.table), (Command::Add, Table::Conntrack));
    let change = read.options.create(read.command).expect("addresses are given");
    let made = &change.flow;
    assert_eq!(made.timeout, flow.timeout, "{saved}");
    assert_eq!(made.mark.unwrap_or_default(), flow.mark.unwrap_or_default(), "{saved}");
    assert_eq!((made.zone, made.original.zone), (flow.zone, flow.original.zone), "{saved}");
    let (ends, wanted) = (made.original, flow.original);
    assert_eq!((ends.source, ends.destination), (wanted.source, wanted.destination), "{saved}");
    assert_eq!((ends.protocol, ends.l4), (wanted.protocol, wanted.l4), "{saved}");
    if change.nat_source.is_none() {
        assert_eq!(made.reply.destination, flow.reply.destination, "{saved}");
        assert_eq!(made.reply.destination_port(), flow.reply.destination_port(), "{saved}");
    }
    if change.nat_destination.is_none() {
        assert_eq!(made.reply.source, flow.reply.source, "{saved}");
        assert_eq!(made.reply.source_port(), flow.reply.source_port(), "{saved}");
    }
    let known = Status::SEEN_REPLY | Status::ASSURED | Status::FIXED_TIMEOUT | Status::EXPECTED;
    let status = flow.status.unwrap_or_default().0 & known.0;
    assert_eq!(made.status.unwrap_or_default().0 & known.0, status, "{saved}");
}

/// A line that has these words.
pub(crate) fn quoted(words: &[String]) -> String {
    let quote = |word: &String| format!("'{}'", word.replace('\'', r#"'"'"'"#));
    words.iter().map(quote).collect::<Vec<_>>().join(" ")
}

/// Words are split as they were joined; a line of options is read into requests that can be written
/// or refused in one harmless line.
pub fn conntrack_words(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let found = words(text);
    let Ok(found) = found.map_err(|error| check_printable(&error.to_string(), false)) else {
        return;
    };
    assert_eq!(words(&quoted(&found)).as_ref(), Ok(&found));

    let names = labels();
    for labels in [None, Some(&names)] {
        match Line::parse(&found, labels) {
            Ok(read) => check_line(&read),
            Err(error) => check_printable(&error.to_string(), false),
        }
    }
}

pub(crate) fn check_line(read: &Line) {
    let (options, command) = (&read.options, read.command);
    let refused = |error: nl_conntrack::parse::ParseError| {
        check_printable(&error.to_string(), false);
    };
    options.create(command).map_or_else(refused, |change| check_request(&change));
    options.get().map_or_else(refused, |get| check_request(&get));
    options.expected_tuple().map_or_else(refused, drop);
    if let Ok(expectation) = options.expectation() {
        check_request(&nl_conntrack::ExpectationChange::Create(expectation));
    }
    check_request(&options.list(command));
    // A flow that the line makes is one that it is about, but for what it only sets.
    if let Ok(change) = options.create(command) {
        let _ = options.matches(&change.flow, command);
        check_request(&options.update(&change.flow));
    }
}
