//! Recorded messages, decoded in every form.
#![cfg(target_endian = "little")]

mod common;

use std::fs;
use std::time::Duration;

use common::{Ran, fixture, run, run_with};
use nl_wire::pcap::{ByteOrder, HOST, Precision, Writer};
use nl_wire::{Message, Messages};
use serde_json::Value;

/// When the recorded flows were young.
const TIME: Duration = Duration::from_secs(1_795_219_000);

fn recorded(name: &str) -> Vec<u8> {
    nl_testkit::fixture(fixture(name))
}

fn messages(bytes: &[u8]) -> Vec<Message<'_>> {
    Messages::new(bytes).collect::<Result<_, _>>().unwrap()
}

/// A pcap file of these messages, one a record.
fn pcap(parts: &[(u16, &[u8])]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = Writer::new(&mut file, Precision::Microseconds, ByteOrder::NATIVE);
    for (protocol, bytes) in parts {
        for message in messages(bytes) {
            writer.record(TIME, HOST, *protocol, message.bytes);
        }
    }
    file
}

fn both() -> Vec<u8> {
    pcap(&[(0, &recorded("route.hex")), (12, &recorded("netfilter.hex"))])
}

fn decode(arguments: &[&str], file: &[u8]) -> Ran {
    let all: Vec<&str> = ["decode"].iter().chain(arguments).chain(&["-"]).copied().collect();
    run_with(&all, file)
}

fn printed(arguments: &[&str], file: &[u8]) -> String {
    let ran = decode(arguments, file);
    assert_eq!((ran.code, &*ran.err), (0, ""), "{arguments:?}");
    ran.out
}

fn golden(name: &str) -> String {
    fs::read_to_string(fixture(name)).unwrap()
}

#[test]
fn json_and_text_of_routes_links_and_addresses() {
    let file = pcap(&[(0, &recorded("route.hex"))]);
    assert_eq!(printed(&["-o", "json"], &file), golden("route.json"));
    assert_eq!(printed(&["-o", "text"], &file), golden("route.txt"));
}

#[test]
fn json_and_lines_of_flows() {
    let file = pcap(&[(12, &recorded("netfilter.hex"))]);
    assert_eq!(printed(&["-o", "json"], &file), golden("netfilter.json"));
    assert_eq!(printed(&["-o", "conntrack"], &file), golden("netfilter.txt"));
    let extended = printed(&["-o", "conntrack,extended,id,timestamp"], &file);
    let first = extended.lines().next().unwrap();
    assert!(first.starts_with("ipv4     2 udp      17 600 ") && first.ends_with(" id=3688965203"));
    let event = extended.lines().find(|line| line.contains("[NEW]")).unwrap();
    assert!(event.starts_with("[1795219000.000000]\t    [NEW] ipv4 "), "{event}");
}

#[test]
fn every_message_is_one_object() {
    let file = both();
    let out = printed(&["-j"], &file);
    let bytes = [recorded("route.hex"), recorded("netfilter.hex")].concat();
    let lines: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), messages(&bytes).len());
    for line in &lines {
        assert!(line["type"].is_string() && line["object"].is_object(), "{line}");
        assert_eq!(line.as_object().unwrap().len(), 2);
    }
}

#[test]
fn details_and_links_named_later() {
    let bytes = recorded("route.hex");
    let link = messages(&bytes).into_iter().find(|m| m.header.message_type == 16).unwrap();
    let route = messages(&bytes)
        .into_iter()
        .find(|m| m.header.message_type == 24 && m.bytes.windows(4).any(|w| w == [127, 0, 0, 1]))
        .unwrap();
    let object = |arguments: &[&str], file: &[u8]| -> Value {
        let out = printed(arguments, file);
        serde_json::from_str::<Value>(out.lines().next().unwrap()).unwrap()["object"].take()
    };
    let later = [route.bytes, link.bytes].concat();
    let raw = ["--protocol", "route", "-o", "json"];
    assert_eq!(object(&raw, &later)["dev"], "lo");
    assert_eq!(object(&raw, route.bytes)["dev"], "if1");
    let plain = object(&raw, route.bytes);
    let details = object(&[&raw[..], &["-d"]].concat(), route.bytes);
    assert!(details.as_object().unwrap().len() >= plain.as_object().unwrap().len());
    assert_eq!(details["type"], "local");
    let statistics = object(&[&raw[..], &["-s"]].concat(), link.bytes);
    assert!(statistics.get("stats64").is_none() || statistics["stats64"].is_object());
}

#[test]
fn listings_show_everything() {
    let file = both();
    let bytes = [recorded("route.hex"), recorded("netfilter.hex")].concat();
    let listing = printed(&[], &file);
    assert_eq!(listing, printed(&["-o", "listing"], &file));
    for part in ["RTM_NEWROUTE, ", "    RTA_MULTIPATH\n", "CTA_TUPLE_ORIG\n", "NLMSGERR_ATTR_MSG"] {
        assert!(listing.contains(part), "{part}");
    }
    let heads = listing.lines().filter(|line| !line.starts_with(' ')).count();
    assert_eq!(heads, messages(&bytes).len());
    // The hex of each message, without its comments, is the message.
    let hex = nl_testkit::parse_hex(&printed(&["-o", "hex"], &file)).unwrap();
    assert!(hex == messages(&bytes).iter().flat_map(|m| m.bytes).copied().collect::<Vec<u8>>());
}

#[test]
fn bare_messages_need_a_protocol() {
    let bytes = recorded("netfilter.hex");
    let ran = decode(&[], &bytes);
    assert_eq!((ran.code, &*ran.out), (1, ""));
    assert!(ran.err.starts_with("nlctl: stdin: not a pcap file"), "{}", ran.err);
    assert!(ran.err.contains("--protocol") && ran.err.lines().count() == 1, "{}", ran.err);
    let flows = printed(&["-o", "conntrack"], &pcap(&[(12, &bytes)]));
    assert_eq!(flows, printed(&["-o", "conntrack"], &both()));
    let listing = printed(&["--protocol", "netfilter"], &bytes);
    assert_eq!(listing, printed(&["--protocol", "12"], &bytes));
    assert_eq!(listing, printed(&[], &pcap(&[(12, &bytes)])));
    // Of a protocol without tables: the header, and all else as bytes.
    let generic = printed(&["--protocol", "generic"], &bytes);
    assert!(generic.starts_with("message type 256, 192 bytes, flags MULTI"), "{generic}");
    let json = printed(&["--protocol", "generic", "-o", "json"], &bytes);
    assert!(json.starts_with("{\"type\":\"256\",\"object\":{}}\n"), "{json}");
    // Of a capture the protocol chooses records.
    assert_eq!(listing, printed(&["--protocol", "netfilter"], &both()));
    assert_eq!(decode(&["--protocol", "x"], &bytes).code, 255);
    assert_eq!(decode(&["-o", "x"], &bytes).code, 255);
    assert_eq!(decode(&["-o", "json,id"], &bytes).code, 255);
    assert_eq!(run(&["decode"]).code, 255);
    assert_eq!(run(&["decode", "a", "b"]).code, 255);
    let ran = run(&["decode", "/no/such/file"]);
    assert_eq!(ran.err, "nlctl: cannot read /no/such/file: No such file or directory\n");
    assert_eq!(ran.code, 1);
}

#[test]
fn everything_before_a_damage_is_printed() {
    for form in ["listing", "hex", "json", "text", "conntrack"] {
        let (route, netfilter) = (recorded("route.hex"), recorded("netfilter.hex"));
        let bytes = if form == "text" { route } else { netfilter };
        let protocol = if form == "text" { "route" } else { "netfilter" };
        let arguments = ["--protocol", protocol, "-o", form];
        let first: Vec<_> = messages(&bytes).into_iter().take(3).collect();
        let whole = first.iter().map(|message| message.bytes.len()).sum::<usize>();
        let two = whole - first[2].bytes.len();
        let before = printed(&arguments, &bytes[..two]);
        assert!(!before.is_empty());
        for cut in (two + 1..whole).step_by(7).chain([whole - 1]) {
            let ran = decode(&arguments, &bytes[..cut]);
            assert_eq!(ran.code, 1);
            assert!(ran.out.starts_with(&before), "{form}, {cut} bytes");
            let text = ran.err.trim_end();
            assert!(text.starts_with("nlctl: stdin: message 3: message"), "{text}");
            assert!(text.contains("cut short") && text.lines().count() == 1, "{text}");
        }
    }
}

#[test]
fn truncated_captures_are_told_with_the_record() {
    let bytes = recorded("netfilter.hex");
    let file = pcap(&[(12, &bytes)]);
    let whole = printed(&["-o", "json"], &file);
    for cut in (0..file.len()).step_by(13) {
        let ran = decode(&["-o", "json"], &file[..cut]);
        assert!(whole.starts_with(&ran.out), "{cut}");
        let lines = ran.err.lines().count();
        assert!((ran.code, lines) == (1, 1) || (ran.code, lines) == (0, 0), "{cut}: {}", ran.err);
        if cut < 24 {
            assert_eq!(ran.code, 1);
        }
    }
    let ran = decode(&[], &file[..file.len() - 1]);
    assert!(ran.err.contains(": record ") && ran.err.contains("cut short"), "{}", ran.err);
}

#[test]
fn damage_within_a_message() {
    // RTA_GATEWAY of three bytes.
    let mut bytes = recorded("route.hex");
    let at = messages(&bytes)
        .iter()
        .map(|message| message.bytes.as_ptr().addr() - bytes.as_ptr().addr())
        .nth(6)
        .unwrap();
    // Links have the names that the whole file tells.
    let whole = printed(&["--protocol", "route", "-o", "json"], &bytes);
    let before: String = whole.split_inclusive('\n').take(6).collect();
    // The length of the first attribute behind nlmsghdr and rtmsg.
    bytes[at + 28] = 7;
    let ran = decode(&["--protocol", "route", "-o", "json"], &bytes);
    assert_eq!((ran.code, &ran.out), (1, &before));
    assert!(ran.err.starts_with("nlctl: stdin: message 7 (RTM_NEWROUTE): RTA_"), "{}", ran.err);
    // A request was for the kernel to judge: the others are shown all the same.
    bytes[at + 6] |= 1;
    let ran = decode(&["--protocol", "route", "-o", "json"], &bytes);
    assert_eq!((ran.code, ran.err.lines().count()), (1, 1), "{}", ran.err);
    assert!(
        ran.out.starts_with(&format!("{before}{{\"type\":\"RTM_NEWROUTE\",\"object\":{{}}}}\n"))
    );
    assert_eq!(ran.out.lines().count(), messages(&bytes).len());
    // A listing shows what it is, and goes on if the messages are whole.
    bytes[at + 28] = 255;
    let ran = decode(&["--protocol", "route"], &bytes);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("    damaged: ") && ran.out.contains("RTM_NEWNETCONF"), "{}", ran.out);
    assert!(ran.err.starts_with("nlctl: stdin: message 7 (RTM_NEWROUTE): "), "{}", ran.err);
}

#[test]
fn other_files_are_refused_in_one_line() {
    let mut foreign = Vec::new();
    let order = match ByteOrder::NATIVE {
        ByteOrder::Little => ByteOrder::Big,
        ByteOrder::Big => ByteOrder::Little,
    };
    let mut writer = Writer::new(&mut foreign, Precision::Nanoseconds, order);
    let mut message = 20_u32.to_be_bytes().to_vec();
    message.extend([0; 16]);
    writer.record(TIME, HOST, 0, &message);
    let mut ethernet = pcap(&[]);
    ethernet[20] = 1;
    let pcapng = [0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 0];
    for (file, text) in [
        (&foreign[..], "message 1 is in the byte order of another kind of host"),
        (&ethernet, "a capture of link type 1; netlink is 253"),
        (&pcapng, "a pcapng file; convert it to pcap first (editcap -F pcap)"),
        (b"", "not a pcap file: 0 bytes, and the header alone has 24; for bare messages"),
    ] {
        let ran = decode(&["-o", "json"], file);
        assert_eq!((ran.code, &*ran.out), (1, ""));
        assert!(ran.err.starts_with(&format!("nlctl: stdin: {text}")), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), 1);
    }
    let ran = decode(&["--protocol", "route"], &message);
    assert!(ran.err.contains("byte order"), "{}", ran.err);
}

/// Names come from whoever made the interface.
#[test]
fn names_are_escaped() {
    let mut message = vec![0; 16 + 16];
    message.extend([10, 0, 3, 0]);
    message.extend(b"a\x1b[2J\0\0\0");
    let length = u32::try_from(message.len()).unwrap();
    message[..4].copy_from_slice(&length.to_ne_bytes());
    message[4..6].copy_from_slice(&16_u16.to_ne_bytes());
    for form in ["listing", "hex", "json", "text"] {
        let out = printed(&["--protocol", "route", "-o", form], &message);
        assert!(!out.contains('\x1b'), "{form}: {out:?}");
        assert!(out.contains("[2J") || form == "hex", "{form}: {out}");
    }
}
