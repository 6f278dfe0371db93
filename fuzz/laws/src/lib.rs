//! What must hold for any bytes.
//!
//! Each function here takes arbitrary bytes and panics if a law is broken. libFuzzer runs them
//! (`fuzz/run`), and so does a plain test on the stable compiler, over the fixtures, all their
//! beginnings and random changes of them (`cargo test` in this folder). `fuzz/README.md` lists the
//! laws.

pub mod bpf;
pub mod conntrack;
pub mod conntrack_text;
pub mod event_filter;
pub mod files;
pub mod made;
pub mod mirror;
pub mod mirrors;
pub mod nat;
pub mod pcap_peer;
pub mod peers;
pub mod pressure;
pub mod route;
pub mod route_words;
pub mod seeds;
pub mod settings;
pub mod socket;
pub mod wire;

use nl_wire::attr::Attrs;
use nl_wire::header::{Flags, HEADER_LEN, Header};
use nl_wire::json::{Json, ToJson};
use nl_wire::{Error, Message, Messages, Request, Writer, write};

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
    /// A byte for the kind of encapsulation, then its attributes.
    Encapsulations,
    /// A byte for the kind of link, then its attributes.
    Kinds,
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

/// Command lines of `ip link`, `ip address` and `ip nexthop`.
const OBJECT_WORDS: &[&str] = &[
    "name v0 mtu 1400 address 02:00:00:00:00:01 type veth peer name v1 txqueuelen 10",
    "link eth0 name v.5 type vlan id 5 protocol 802.1ad reorder_hdr off egress-qos-map 1:2 3:4",
    "name x type vxlan id 7 remote 192.0.2.1 dev eth0 dstport 4789 ttl 64 nolearning",
    "name b type bridge vlan_filtering 1 stp_state 1 forward_delay 400",
    "dev eth0 up master eth0 alias word group 5 arp off promisc on netns 1",
    "dev eth0 altname long-name altname other",
    "192.0.2.1/24 brd + dev eth0 scope link label eth0:1 valid_lft 60 preferred_lft forever",
    "2001:db8::1/64 peer 2001:db8::2/64 dev eth0 nodad home noprefixroute metric 5 proto 7",
    "up to 10.0.0.0/8 scope global permanent dynamic -deprecated type veth dev eth0 master eth0",
    "id 5 via 192.0.2.1 dev eth0 onlink encap mpls 100/200 protocol static",
    "id 6 group 5,2/7,3 type resilient buckets 8 idle_timer 5 unbalanced_timer 9 fdb",
    "id 7 index 3 dev eth0 nhid 5 master eth0 vrf eth0 groups",
];

/// Command lines of `ip addrlabel`, `ip netconf`, `ip ntable`, `tc qdisc` and `tc class`.
const SETTINGS_WORDS: &[&str] = &[
    "prefix 2001:db8::/32 dev eth0 label 99",
    "2001:db8::1 dev eth0",
    "dev eth0",
    "name arp_cache dev eth0",
    "name arp_cache dev eth0 base_reachable 30000 retrans 1000 gc_stale 60000 delay_probe 5000 \
     queue 31 app_probes 0 ucast_probes 3 mcast_probes 3 anycast_delay 1000 proxy_delay 800 \
     proxy_queue 64 locktime 1000",
    "name arp_cache thresh1 128 thresh2 512 thresh3 1024 gc_int 30000",
    "dev eth0 root handle 1: pfifo limit 1000",
    "dev eth0 parent 1:1 classid 1:10 htb options 0c000200",
    "dev eth0 clsact",
    "dev eth0 ingress",
    "dev eth0 parent ffff:fff1 invisible",
    "root none :1 1: ffff:ffff",
];

/// Files of names: numbers first, or names first, or users.
const NAME_FILES: &[&str] = &[
    "0 unspec\n255 local # the host's\n0x10 sixteen\n",
    "tcp 6 TCP\nudp 17 UDP\n",
    "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:\n",
    "100 a\u{1b}[31mb\n101 \u{202e}x\n102 \\\n",
];

/// Command lines of conntrack(8).
const CONNTRACK_WORDS: &[&str] = &[
    "-L -p tcp --state ESTABLISHED -s 10.0.0.0/8 --dport 80 -o id,extended,labels -l web,dns",
    "-A -t 60 -u SEEN_REPLY,ASSURED -s 10.0.0.1 -d 10.0.0.2 -r 10.0.0.2 -q 10.0.0.9 -p tcp \
     --sport 1 --dport 2 --reply-port-src 2 --reply-port-dst 1 --state ESTABLISHED",
    "-U -p udp -m 0x7/0xff --label-del 'web' -w 5",
    "-D -f ipv6 -s 2001:db8::/32 --any-nat 192.0.2.1:80",
    "-I expect --orig-src 1.1.1.1 --orig-dst 2.2.2.2 --tuple-src 3.3.3.3 --tuple-dst 4.4.4.4 \
     --mask-src 255.255.255.255 --mask-dst 255.255.255.255 -p tcp --orig-port-src 1 \
     --orig-port-dst 2 --tuple-port-src 3 --tuple-port-dst 4 --mask-port-src 5 -t 60",
    "-I -p sctp -t 9 -s ::1 -d ::2 --sport 1 --dport 2 --state COOKIE_WAIT --orig-vtag 7 \
     --reply-vtag 8 --src-nat 2001:db8::9",
    "-A -p icmp -s 1.1.1.1 -d 2.2.2.2 --icmp-type 8 --icmp-code 0 --icmp-id 5 -t 3 \"q\\\"\" # end",
    "-E -e NEW,DESTROY -o timestamp,xml --buffer-size 8192 -n -g",
];

/// Batches of `ip -batch`.
const BATCHES: &[&str] = &[
    "# comment\nroute add 10.1.0.0/16 via 192.0.2.1 dev eth0 # and more\n\nlink show lo\n",
    "ro repl default \\\n  via '192.0.2.1' \\\n  dev \"eth0\"\naddress add '192.0.2.1/24' dev lo",
    "route del unreachable 2001:db8::/32 table 100\r\nroute add 'a b\nrule list \\",
];

/// Files of `conntrack --load-file`.
const CONNTRACK_FILES: &[&str] = &[
    "-A -t 60 -u SEEN_REPLY,ASSURED -s 10.0.0.1 -d 10.0.0.2 -r 10.0.0.2 -q 10.0.0.1 -p tcp \
     --sport 1 --dport 2 --reply-port-src 2 --reply-port-dst 1 --state ESTABLISHED -w 5\n\
     conntrack -D -f ipv6 -s '2001:db8::/32'\n# end\n",
    "-I -t 9 -p icmp -s 1.1.1.1 -d 2.2.2.2 --icmp-type 8 --icmp-code 0 --icmp-id 5 -m 7\n\n-L\n-F\r\n",
    "-U -p udp -m 0x7/0xff --label-add web\n-A -t 1 -s ::1 -d ::2 -p 99 -l \"x\n-D -p udp",
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
    pcap_peer = pcap_peer::pcap_peer, Seeds::Captures;
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
    multicast_route = route::multicast_route, Seeds::Bodies(&[24, 25]);
    rule = route::rule, Seeds::Bodies(&[32, 33]);
    nexthop = route::nexthop, Seeds::Bodies(&[104, 105]);
    nsid = route::nsid, Seeds::Bodies(&[88, 89]);
    bucket = route::bucket, Seeds::Bodies(&[116, 117]);
    qdisc = settings::qdisc, Seeds::Bodies(&[36, 37]);
    class = settings::class, Seeds::Bodies(&[40, 41]);
    groups = settings::groups, Seeds::Bodies(&[84, 86]);
    vlans = settings::vlans, Seeds::Bodies(&[16, 28]);
    router_prefix = settings::router_prefix, Seeds::Bodies(&[52]);
    neighbour_table = settings::neighbour_table, Seeds::Bodies(&[64, 67]);
    address_label = settings::address_label, Seeds::Bodies(&[72, 73]);
    netconf = settings::netconf, Seeds::Bodies(&[80, 81]);
    settings_words = settings::words, Seeds::Texts(SETTINGS_WORDS);
    names = settings::names, Seeds::Texts(NAME_FILES);
    encapsulation = route::encapsulation, Seeds::Encapsulations;
    kind = settings::kind, Seeds::Kinds;
    route_words = route_words::words, Seeds::Texts(ROUTE_WORDS);
    object_words = route_words::object_words, Seeds::Texts(OBJECT_WORDS);
    timeouts = conntrack::timeouts, Seeds::Bodies(&[0x800, 0x803]);
    statistics = conntrack::statistics, Seeds::Bodies(&[0x104, 0x105, 0x203]);
    flow_text = conntrack_text::flow_text, Seeds::Bodies(&[0x100]);
    conntrack_words = conntrack_text::conntrack_words, Seeds::Texts(CONNTRACK_WORDS);
    conntrack_file = files::conntrack_file, Seeds::Texts(CONNTRACK_FILES);
    batch = files::batch, Seeds::Texts(BATCHES);
    saved = files::saved, Seeds::Datagrams;
    event_filter = event_filter::event_filter, Seeds::Scripts;
    assembler = bpf::assembler, Seeds::Scripts;
    filter_kernel = bpf::filter_kernel, Seeds::Scripts;
    policy = wire::policy, Seeds::Attributes;
    peers = peers::peers, Seeds::Datagrams;
    made = made::made, Seeds::Scripts;
    mirror = mirror::mirror, Seeds::Scripts;
    mirrors = mirrors::mirrors, Seeds::Datagrams;
    nat = nat::nat, Seeds::Scripts;
    pressure = pressure::pressure, Seeds::Scripts;
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

/// A request is written whole or not at all.
fn check_request(request: &impl Request) {
    let mut bytes = Vec::new();
    match request.encode(1, &mut bytes) {
        Ok(()) => {
            let message = Message::decode(&bytes).expect("a whole message");
            let kind = request.protocol().message(message.header.message_type);
            let fixed = kind.expect("a message with a table").header.width();
            let (_, mut attrs) = Attrs::behind(message.body(), fixed).expect("a fixed part");
            assert!(attrs.all(|attr| attr.is_ok()));
        }
        Err(error) => {
            check_printable(&error.to_string(), false);
            assert!(bytes.is_empty());
        }
    }
}

/// Text for a terminal: one line, or `lines`, and nothing that steers it.
fn check_printable(text: &str, lines: bool) {
    for character in text.chars() {
        // Line separators, and what turns the direction of writing.
        let steers = matches!(character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let harmless = !(character.is_control() || steers) || (lines && character == '\n');
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

    /// A number below `limit`; 0 at the end of the script.
    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte().unwrap_or_default()) % limit
    }

    /// One of these; the first at the end of the script.
    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A number that is often small, and often none of the others.
    fn number(&mut self) -> u32 {
        match self.byte().unwrap_or_default() {
            0xff => u32::MAX,
            small @ 0..0x80 => u32::from(small % 4),
            _ => u32::from_be_bytes(self.array().unwrap_or_default()),
        }
    }

    /// True for half of the bytes.
    fn flip(&mut self) -> bool {
        self.below(2) == 1
    }

    /// What `make` makes of the script, or nothing.
    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flip().then(|| make(self))
    }

    /// Up to this many bytes.
    fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (first, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        first
    }
}
