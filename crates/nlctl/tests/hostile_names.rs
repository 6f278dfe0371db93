//! Names that others chose reach a terminal as text that a terminal only shows, and JSON as the
//! strings that they are.

mod common;

use std::io::Read as _;
use std::process::Stdio;
use std::time::Duration;

use common::beside::words;
use common::harmless::harmless;
use common::{command, nlctl, run_with};
use nl_testkit::{Running, listeners, live, need, settle, sh, tool, wait_until};
use nl_wire::header::{Flags, Header};
use nl_wire::pcap::{ByteOrder, HOST, Precision, Writer as Capture};
use nl_wire::table::{Key, Layout, Payload, Row, Table};
use nl_wire::{Error, Writer, write};
use serde_json::Value;

/// Colours, a clear screen, a title, a new line, a NUL's neighbour, C1 controls, what turns the
/// direction of writing, quotes, a backslash, and what is no UTF-8.
const HOSTILE: &[u8] =
    b"\x1b[31ma\x1b[2J\x1b]0;t\x07\n\r\t\x01\x7f\"\\'<&>\xc2\x9b1m\xe2\x80\xae\xff";

/// That a text is harmless and has so many lines.
fn check(what: &str, text: &str, lines: Option<usize>) {
    harmless(what, text);
    if let Some(lines) = lines {
        assert_eq!(text.lines().count(), lines, "{what}: {text:?}");
    }
}

/// That no string of a JSON text was made safe for terminals before it became a JSON string.
fn unescaped(text: &str) {
    assert!(!text.contains("\\\\x"), "{text}");
}

#[test]
fn names_of_a_living_kernel() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        // Blanks, slashes and colons are no names; anything else is.
        let name = "\u{1b}[31m\u{7}\"\\<\u{202e}";
        let altname = "\u{1b}[2J\u{9b}31m'&";
        let alias = "line\nline\u{1b}]0;t\u{7}\t\"\\";
        tool("ip", &["link", "add", name, "type", "veth", "peer", "name", "v1"]);
        tool("ip", &["link", "set", name, "alias", alias, "up"]);
        tool("ip", &["link", "set", "v1", "up"]);
        settle();
        tool("ip", &["link", "property", "add", "dev", name, "altname", altname]);
        tool("ip", &["address", "add", "192.0.2.1/24", "dev", name]);
        tool("ip", &["route", "add", "198.51.100.0/24", "dev", name]);
        tool("ip", &["rule", "add", "iif", name, "oif", "\u{1b}[1m", "lookup", "100"]);
        let neighbour = ["192.0.2.9", "lladdr", "02:00:00:00:00:09", "dev", name];
        tool("ip", &[&["neigh", "add"][..], &neighbour].concat());
        tool("ip", &["nexthop", "add", "id", "5", "via", "192.0.2.9", "dev", name]);

        let links = sh("ip -o link").matches(": <").count();
        for (arguments, lines) in [
            (&["-o", "link"][..], Some(links)),
            (&["-d", "link"], None),
            (&["-br", "link"], Some(links)),
            (&["-o", "address"], None),
            (&["address"], None),
            (&["route"], Some(2)),
            (&["rule"], Some(4)),
            (&["neigh", "show", "192.0.2.9"], Some(1)),
            (&["nexthop"], Some(1)),
        ] {
            check(&arguments.join(" "), &nlctl(arguments), lines);
            let json = [&["-j"], arguments].concat();
            let text = nlctl(&json);
            check(&json.join(" "), &text, Some(1));
            unescaped(&text);
            let found: Value = serde_json::from_str(&text).expect("JSON");
            assert!(found.is_array(), "{text}");
        }
        // What is a name in one list is the same name in every other.
        for (line, key) in [
            ("route show 198.51.100.0/24", "dev"),
            ("rule show iif", "iif"),
            ("neigh show 192.0.2.9", "dev"),
            ("nexthop show id 5", "dev"),
            ("link show v1", "link"),
            ("netconf show dev", "interface"),
        ] {
            let mut words = [&["-j"], &words(line)[..]].concat();
            words.extend((line.ends_with("iif") || line.ends_with("dev")).then_some(name));
            let found: Value = serde_json::from_str(&nlctl(&words)).unwrap();
            assert_eq!(found[0][key], name, "{line}: {found}");
        }
        let shown: Value = serde_json::from_str(&nlctl(&["-d", "-j", "link"])).unwrap();
        let link = shown.as_array().unwrap().iter().find(|link| link["ifname"] == name);
        let link = link.expect("the name is the name");
        assert_eq!((&link["ifalias"], &link["altnames"][0]), (&alias.into(), &altname.into()));
        // And it can be asked for.
        check("show dev", &nlctl(&["-o", "link", "show", "dev", name]), Some(1));

        let mut monitor = Running::start(command(&["monitor", "link"]).stdout(Stdio::piped()));
        wait_until("the monitor", || listeners(0, 1) > 0);
        tool("ip", &["link", "set", name, "down"]);
        tool("ip", &["link", "set", name, "mtu", "1400"]);
        let mut out = monitor.stdout.take().unwrap();
        let mut heard = Vec::new();
        while !heard.windows(8).any(|text| text == b"mtu 1400") {
            let mut bytes = [0; 4096];
            let length = out.read(&mut bytes).unwrap();
            assert_ne!(length, 0, "the monitor ended");
            heard.extend(&bytes[..length]);
        }
        check("monitor", &String::from_utf8_lossy(&heard), None);
    });
}

/// Every attribute that holds text, wherever it is, in messages of every type.
#[test]
fn names_in_captures() {
    let (mut whole, mut hostile) = (0, 0);
    for protocol in [&nl_route::tables::PROTOCOL, &nl_conntrack::tables::PROTOCOL] {
        for kind in protocol.messages {
            let mut bytes = Vec::new();
            let header = Header { message_type: kind.number, flags: Flags(0), ..Header::default() };
            let written = write::message(&mut bytes, header, |writer| {
                writer.fixed(&fixed(kind.header));
                attributes(writer, kind.attributes, 5)
            });
            written.expect("a message");
            let mut file = Vec::new();
            Capture::new(&mut file, Precision::Microseconds, ByteOrder::NATIVE).record(
                Duration::ZERO,
                HOST,
                protocol.family.0,
                &bytes,
            );
            let has = bytes.windows(HOSTILE.len()).any(|it| it == HOSTILE);
            for form in ["listing", "hex", "json", "text", "conntrack"] {
                let ran = run_with(&["decode", "-o", form, "-"], &file);
                check(kind.name, &ran.out, None);
                check(kind.name, &ran.err, None);
                if form == "json" {
                    unescaped(&ran.out);
                    for line in ran.out.lines() {
                        serde_json::from_str::<Value>(line)
                            .unwrap_or_else(|error| panic!("{error}: {line}"));
                    }
                }
                // What can't be read as an object can be listed.
                assert!(ran.code == 0 || !["listing", "hex"].contains(&form), "{}", ran.err);
                whole += u32::from(ran.code == 0);
                hostile += u32::from(has && ran.out.contains("[31ma"));
            }
        }
    }
    println!("{whole} were printed, {hostile} with text of others");
    assert!(whole > 150 && hostile > 20, "{whole}, {hostile}");
}

/// A fixed part about IPv4.
fn fixed(layout: &Layout) -> Vec<u8> {
    let mut bytes = vec![0; layout.width()];
    if let Some(family) = bytes.first_mut() {
        *family = 2;
    }
    bytes
}

fn attributes(writer: &mut Writer<'_>, table: &Table, depth: usize) -> Result<(), Error> {
    let Some(depth) = depth.checked_sub(1) else { return Ok(()) };
    let rows: Vec<_> = table.rows().collect();
    rows.iter().try_for_each(|row| attribute(writer, row, &rows, depth))
}

fn attribute(writer: &mut Writer<'_>, row: &Row, rows: &[Row], depth: usize) -> Result<(), Error> {
    let number = row.number;
    match row.payload {
        Payload::Nest(table) => writer.nest(number, |writer| attributes(writer, table, depth)),
        Payload::Headed(layout, table) => writer.nest(number, |writer| {
            writer.fixed(&fixed(layout));
            attributes(writer, table, depth)
        }),
        Payload::Records(layout, table) => writer.nest(number, |writer| {
            writer.record(|writer| {
                writer.unpadded(&fixed(layout)[2..]);
                attributes(writer, table, depth)
            })
        }),
        Payload::List(each) => writer.nest(number, |writer| {
            let row = Row { number: 1, name: row.name, payload: *each };
            if depth == 0 { Ok(()) } else { attribute(writer, &row, &[], depth - 1) }
        }),
        Payload::Choice { by, cases } => {
            // One that text chooses, with what it chooses.
            let case = cases.iter().find_map(|(key, case)| match key {
                Key::Text(text) => Some((*text, *case)),
                Key::Number(_) => None,
            });
            let Some((text, payload)) = case else { return Ok(()) };
            if rows.iter().any(|sibling| sibling.number == by) {
                writer.text(by, text.as_bytes())?;
            }
            attribute(writer, &Row { payload, ..*row }, &[], depth)
        }
        Payload::Text => writer.text(number, HOSTILE),
        other => writer.bytes(number, &vec![1; other.width().unwrap_or(4)]),
    }
}
