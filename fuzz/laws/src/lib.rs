//! What must hold for any bytes.
//!
//! Each function here takes arbitrary bytes and panics if a law is broken. libFuzzer runs them
//! (`fuzz/run`), and so does a plain test on the stable compiler, over the fixtures, all their
//! beginnings and random changes of them (`cargo test` in this folder). `fuzz/README.md` lists the
//! laws.

pub mod bpf;
pub mod conntrack;
pub mod route;
pub mod seeds;
pub mod socket;
pub mod wire;

use nl_wire::attr::Attrs;
use nl_wire::header::{Flags, HEADER_LEN, Header};
use nl_wire::json::{Json, ToJson};
use nl_wire::{Error, Message, Messages, Writer, write};

/// A fuzz target: a name, the law, and which fixtures are its seeds.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of the libFuzzer binary.
    pub name: &'static str,
    /// Panics if the law is broken.
    pub law: fn(&[u8]),
    /// How a fixture becomes a seed.
    pub seeds: Seeds,
}

/// What a target's input looks like, and so how seeds are made from captured datagrams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seeds {
    /// Whole datagrams.
    Datagrams,
    /// Four bytes that say what to look for, then a datagram.
    Matches,
    /// What follows the header of messages of these types.
    Bodies(&'static [u16]),
    /// Attributes: what follows header and fixed part.
    Attributes,
    /// Captures that hold the datagrams.
    Captures,
    /// Texts.
    Texts(&'static [&'static str]),
    /// None: the input is a script of its own.
    Scripts,
}

/// Command lines of `ip route`, `ip rule` and `ip neighbour`.
const ROUTE_WORDS: &[&str] = &[
    "default via 192.0.2.1 dev eth0 proto static metric 100 onlink",
    "10.1.0.0/16 nexthop via 192.0.2.1 weight 2 nexthop via inet6 2001:db8::1 dev eth0",
    "unreachable 2001:db8::/32 table 100 scope link src 2001:db8::1 expires 30s mtu lock 1400",
    "198.51.100.7 from 192.0.2.9 iif eth0 mark 0x7 uid 5 ipproto tcp sport 1 dport 2 fibmatch",
    "root 10/8 match 10.1/16 exact 10.1.1/24 type local tos 0x10 realms 3/4 cache",
    "not from 10.0.0.0/8 to 10.1.0.0/16 fwmark 1/0xff iif eth0 lookup 100 pref 5 sport 1-2",
    "192.0.2.7 lladdr 02:00:00:00:00:01 dev eth0 nud permanent router",
    "proxy 192.0.2.8 dev eth0 nomaster unused",
];

macro_rules! targets {
    ($($name:ident = $law:path, $seeds:expr;)*) => {
        /// Every target.
        pub const TARGETS: &[Target] =
            &[$(Target { name: stringify!($name), law: $law, seeds: $seeds }),*];
    };
}

targets! {
    datagram = wire::datagram, Seeds::Datagrams;
    attributes = wire::attributes, Seeds::Attributes;
    extended_ack = wire::extended_ack, Seeds::Datagrams;
    listing = wire::listing, Seeds::Datagrams;
    pcap = wire::pcap, Seeds::Captures;
    json = wire::json, Seeds::Texts(&["eth0", "a\"b\\c\n\u{1b}[31m\u{202e}\u{fffd}"]);
    exchange = socket::exchange, Seeds::Scripts;
    filter = bpf::filter, Seeds::Scripts;
    filter_match = bpf::filter_match, Seeds::Matches;
    flow = conntrack::flow, Seeds::Bodies(&[0x100]);
    expectation = conntrack::expectation, Seeds::Bodies(&[0x200]);
    route = route::route, Seeds::Bodies(&[24, 25]);
    link = route::link, Seeds::Bodies(&[16, 17]);
    address = route::address, Seeds::Bodies(&[20, 21]);
    neighbour = route::neighbour, Seeds::Bodies(&[28, 29]);
    rule = route::rule, Seeds::Bodies(&[32, 33]);
    nexthop = route::nexthop, Seeds::Bodies(&[104, 105]);
    route_words = route::words, Seeds::Texts(ROUTE_WORDS);
    words = conntrack::words, Seeds::Texts(&["tcp", "ASSURED", "0 web\n# x\n17 customer-2\n"]);
    prefix = route::prefix, Seeds::Texts(&["10/8", "192.0.2.1/255.255.0.0", "2001:db8::/32", "1"]);
}

/// The messages that `bytes` begin with, up to the first damage.
fn messages(bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    Messages::new(bytes).map_while(Result::ok)
}

/// A message of this type around `body`.
fn message(message_type: u16, body: &[u8]) -> Vec<u8> {
    write_message(message_type, |writer| {
        writer.unpadded(body);
        Ok(())
    })
    .expect("a short message can be written")
}

/// A message of this type with what `body` writes; without padding behind.
fn write_message(
    message_type: u16,
    body: impl FnOnce(&mut Writer<'_>) -> Result<(), Error>,
) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    let header = Header { message_type, flags: Flags(0), sequence: 1, ..Header::default() };
    write::message(&mut out, header, body)?;
    let length = Header::decode(&out)?.length as usize;
    assert!((HEADER_LEN..=out.len()).contains(&length) && out.len() - length < 4);
    out.truncate(length);
    Ok(out)
}

/// Text for a terminal: one line, or `lines`, and nothing that steers it.
fn check_printable(text: &str, lines: bool) {
    for character in text.chars() {
        let harmless = !character.is_control() || (lines && character == '\n');
        assert!(harmless, "{character:?} in {text:?}");
    }
}

/// The JSON of a value, which must parse.
fn check_json(value: &impl ToJson) -> serde_json::Value {
    let (mut plain, mut pretty) = (String::new(), String::new());
    Json::new(&mut plain).value(value);
    Json::pretty(&mut pretty).value(value);
    let parse = |text: &str| {
        serde_json::from_str::<serde_json::Value>(text)
            .unwrap_or_else(|error| panic!("{error}: {text}"))
    };
    let parsed = parse(&plain);
    assert_eq!(parsed, parse(&pretty), "layout changes the value");
    check_printable(&plain, false);
    parsed
}

/// Whether an attribute number comes twice: decoders keep the last, views give the first.
fn has_duplicates(attrs: Attrs<'_>) -> bool {
    let mut numbers: Vec<u16> = attrs.flatten().map(|attr| attr.number()).collect();
    let count = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len() != count
}

/// A cursor over the bytes of a script.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    /// The next byte; `None` ends the script.
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    /// Up to this many bytes.
    fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (first, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        first
    }
}
