//! conntrack(8)'s options, read.

use nl_conntrack::event_filter::{End, EventFilter};
use nl_conntrack::parse::{Command, Line, Table, words};
use nl_conntrack::text::{SaveCommand, save};
use nl_conntrack::{Flow, IpProtocol, L4, List, Status, Tuple};
use nl_wire::value::AddressFamily;
use proptest::prelude::*;

fn parse(line: &str) -> Result<Line, String> {
    let words = words(line).map_err(|error| error.text)?;
    Line::parse(words, None).map_err(|error| error.text)
}

#[test]
fn words_are_those_of_a_shell() {
    for (line, expected) in [
        ("", &[][..]),
        ("  a  b ", &["a", "b"]),
        ("'a b' \"c'd\" e\\ f", &["a b", "c'd", "e f"]),
        ("a# b #c", &["a#", "b"]),
        ("'' \"\"", &["", ""]),
        ("a'b'c", &["abc"]),
        ("\"a\\\"b\"", &["a\"b"]),
    ] {
        assert_eq!(words(line).unwrap(), expected, "{line}");
    }
    assert!(words("'a").is_err() && words("a \"b").is_err());
}

#[test]
fn commands_tables_and_letters() {
    for (line, command, table) in [
        ("-L", Command::List, Table::Conntrack),
        ("-L exp", Command::List, Table::Expect),
        ("--dump d", Command::List, Table::Dying),
        ("-zL", Command::List, Table::Conntrack),
        ("-D -p udp", Command::Delete, Table::Conntrack),
        ("--event", Command::Event, Table::Conntrack),
        ("", Command::Help, Table::Conntrack),
    ] {
        let line = parse(line).unwrap();
        assert_eq!((line.command, line.table), (command, table));
    }
    assert_eq!(parse("-L -D").unwrap_err(), "Invalid commands combination");
    assert_eq!(parse("-L x").unwrap_err(), "unknown type `x'");
    assert_eq!(parse("-L -m").unwrap_err(), "option `-m' requires an argument");
    assert_eq!(parse("-L -s a\x1bb").unwrap_err(), "Invalid IP address `a\\x1bb'");
    assert_eq!(parse("-L -p udp -p udp --sport 1 -p tcp").unwrap_err(), "two protocols");
}

/// What `-s A/N` means the kernel can't filter by, and is not asked to.
#[test]
fn lists_ask_the_kernel_for_what_it_can() {
    let list = |line: &str| parse(line).unwrap().options.list(Command::List);
    assert_eq!(list("-L"), List::default());
    assert_eq!(list("-L -s 10.0.0.0/8").original, List::default().original);
    assert_eq!(list("-L -s 10.0.0.1").original.source, Some("10.0.0.1".parse().unwrap()));
    assert_eq!(list("-L -p udp --sport 5").original.source_port, Some(5));
    assert_eq!(list("-L -w 0").filter.zone, None);
    let status = list("-L -n -u '!ASSURED'").filter.status.unwrap();
    assert_eq!((status.value, status.mask), (Status::SRC_NAT, Status::SRC_NAT | Status::ASSURED));
}

/// What the kernel can't tell is left to user space; a zone of 0 says nothing of other zones.
#[test]
fn events_are_filtered_by_what_the_kernel_can_tell() {
    let filter = |line: &str| parse(&format!("-E {line}")).unwrap().options.event_filter();
    let all = EventFilter::default();
    for line in ["", "-e NEW", "-o id", "-w 0 --reply-zone 0", "-p icmp --icmp-type 8 -c 0"] {
        let protocol = EventFilter::Protocol(IpProtocol::ICMP);
        let expected =
            if line.contains("icmp") { EventFilter::All(vec![protocol]) } else { all.clone() };
        assert_eq!(filter(line), expected, "{line}");
    }
    let family = EventFilter::Family(AddressFamily::INET);
    let address = |prefix: &str| EventFilter::address(End::OriginalSource, prefix.parse().unwrap());
    for (line, prefix) in [
        ("-s 10.0.0.1", Some("10.0.0.1")),
        ("-s 10.0.0.1/8", Some("10.0.0.1/8")),
        ("-s 10.0.0.1/0", Some("10.0.0.1/0")),
        ("-s 10.0.0.1 --mask-src 255.255.0.0", Some("10.0.0.1/16")),
        ("-s 10.0.0.1 --mask-src 255.0.255.0", None),
    ] {
        let expected = [family.clone()].into_iter().chain(prefix.map(address)).collect();
        assert_eq!(filter(line), EventFilter::All(expected), "{line}");
    }
    let any = filter("-j :80");
    let source = EventFilter::port(End::ReplyDestination, 80);
    assert!(matches!(any, EventFilter::All(all) if matches!(&all[..],
        [EventFilter::Any(any)] if matches!(&any[0], EventFilter::All(all) if all[1] == source))));
}

proptest! {
    /// Whatever is typed, there is an answer.
    #[test]
    fn never_panics(typed in prop::collection::vec(
        prop_oneof![
            "-[a-zA-Z]{1,3}", "--[a-z-]{1,12}", "--(src|mask-src|sport|state|label-del)",
            "[0-9./:a-f\\[\\],!x]{0,12}", "\\PC{0,6}", "(tcp|udp|sctp|dccp|gre|icmp|expect)",
        ], 0..12)) {
        if let Ok(line) = Line::parse(&typed, None) {
            let _ = (line.options.create(line.command), line.options.get());
            let _ = (line.options.expectation(), line.options.list(line.command));
            let _ = line.options.matches(&Flow::default(), line.command);
            prop_assert!(line.options.event_filter().compile().is_ok());
        }
        let _ = words(&typed.join(" "));
    }

    /// What is saved is read as the same flow.
    #[test]
    fn saved_flows_come_back(
        source in any::<u32>(), destination in any::<u32>(), ports in any::<(u16, u16)>(),
        timeout in any::<u32>(), zone in proptest::option::of(any::<u16>()), bits in 0..8_u32,
        protocol in 0..=u8::MAX,
    ) {
        let protocol = IpProtocol(protocol);
        prop_assume!(!matches!(protocol, IpProtocol::TCP | IpProtocol::SCTP | IpProtocol::DCCP));
        prop_assume!(!matches!(protocol, IpProtocol::ICMP | IpProtocol::ICMPV6));
        let mut tuple = Tuple::with_ports(
            protocol,
            (source.to_be_bytes().into(), ports.0),
            (destination.to_be_bytes().into(), ports.1),
        );
        if !protocol.has_ports() {
            tuple = Tuple::new(protocol, tuple.source, tuple.destination, L4::None);
        }
        let status = Some(Status(bits & (Status::SEEN_REPLY | Status::ASSURED).bits()));
        let flow = Flow { timeout: Some(timeout), zone, status, ..Flow::new(tuple) };
        let mut line = String::new();
        save(&mut line, &flow, SaveCommand::Add);
        let line = parse(&line).unwrap();
        prop_assert_eq!(line.command, Command::Add);
        prop_assert_eq!(line.options.create(Command::Add).unwrap().flow, flow);
    }
}
