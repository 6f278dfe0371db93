//! Which options there are, and which command takes which.

use super::{Command, Table};
use crate::value::IpProtocol;

/// Whether an option has a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Takes {
    Nothing,
    Value,
    /// Attached, or in the next word unless that begins with a dash.
    Maybe,
}

/// A command or an option that does not depend on the protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Common {
    Command(Command),
    Option(Id),
}

/// A command or an option: how it is written, and what it means.
pub(super) struct Row<T> {
    pub(super) of: T,
    pub(super) letter: Option<char>,
    pub(super) takes: Takes,
    /// Written out, the first for messages.
    pub(super) names: &'static [&'static str],
    /// What its value is called.
    pub(super) value: &'static str,
    pub(super) about: &'static str,
}

macro_rules! ids {
    (@letter -) => { None };
    (@letter $letter:literal) => { Some($letter) };
    ($(
        $id:ident $letter:tt $takes:ident $value:literal [$($name:literal)+] $about:literal;
    )*) => {
        /// The options, in the order in which conntrack(8) finds fault with them.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub(super) enum Id { $($id,)* }

        impl Id {
            pub(super) const ALL: [Self; [$(Self::$id),*].len()] = [$(Self::$id),*];
        }

        /// The options, in the same order.
        pub(super) static OPTIONS: [Row<Id>; Id::ALL.len()] = [$(Row {
            of: Id::$id,
            letter: ids!(@letter $letter),
            takes: Takes::$takes,
            names: &[$($name),+],
            value: $value,
            about: $about,
        }),*];
    };
}

ids! {
    Source 's' Value "ADDRESS[/N]" ["src" "orig-src"] "source of the original direction";
    Destination 'd' Value "ADDRESS[/N]" ["dst" "orig-dst"] "its destination";
    ReplySource 'r' Value "ADDRESS" ["reply-src"] "source of the reply direction";
    ReplyDestination 'q' Value "ADDRESS" ["reply-dst"] "its destination";
    Protocol 'p' Value "PROTOCOL" ["protonum" "proto"]
        "tcp, udp, udplite, sctp, dccp, icmp, icmpv6, gre, or a number";
    Timeout 't' Value "SECONDS" ["timeout"] "until the entry is forgotten";
    Status 'u' Value "LIST" ["status"]
        "ASSURED, SEEN_REPLY, FIXED_TIMEOUT, EXPECTED, OFFLOAD, HW_OFFLOAD; to\nchoose also \
         UNREPLIED and !WORD; UNSET is none";
    Zero 'z' Nothing "" ["zero"] "set the counters to zero while they are listed";
    EventMask 'e' Value "LIST" ["event-mask"] "ALL, NEW, UPDATES, DESTROY";
    TupleSource - Value "ADDRESS" ["tuple-src"] "source of what is expected";
    TupleDestination - Value "ADDRESS" ["tuple-dst"] "its destination";
    MaskSource - Value "MASK" ["mask-src"] "which bits of the source count";
    MaskDestination - Value "MASK" ["mask-dst"] "which bits of the destination count";
    NatRange 'a' Value "RANGE" ["nat-range"] "of no effect";
    Mark 'm' Value "MARK[/MASK]" ["mark"] "update makes of the old mark (old & ~MASK) ^ MARK";
    Number 'i' Value "NUMBER" ["id"] "id of the entry";
    Family 'f' Value "FAMILY" ["family"] "ipv4 or ipv6";
    SourceNat 'n' Maybe "ADDRESS[:PORT]" ["src-nat"] "the source is translated, to this";
    DestinationNat 'g' Maybe "ADDRESS[:PORT]" ["dst-nat"] "the destination is translated, to this";
    Output 'o' Value "LIST" ["output"]
        "extended, id, timestamp, ktimestamp, labels, userspace, xml, save; and\nours: restore (as \
         save, with mark and labels), json";
    Secmark 'c' Value "NUMBER" ["secmark"] "security mark";
    BufferSize 'b' Value "BYTES" ["buffer-size"] "of the socket of watch";
    AnyNat 'j' Maybe "ADDRESS" ["any-nat"] "either is translated, to this";
    Zone 'w' Value "ZONE" ["zone"] "zone of both directions";
    Label 'l' Value "LIST" ["label"] "names of /etc/xtables/connlabel.conf, all of which are set";
    LabelAdd - Value "LIST" ["label-add"] "labels to set";
    LabelDel - Maybe "LIST" ["label-del"] "labels to take away, without a list all";
    OriginalZone - Value "ZONE" ["orig-zone"] "zone of the original direction";
    ReplyZone - Value "ZONE" ["reply-zone"] "zone of the reply direction";
}

impl Id {
    /// The name by which messages call it.
    pub(super) fn name(self) -> &'static str {
        let row = OPTIONS.iter().find(|row| row.of == self);
        row.and_then(|row| row.names.first()).copied().unwrap_or("")
    }
}

const fn command(
    of: Command,
    letter: char,
    names: &'static [&'static str],
    about: &'static str,
) -> Row<Command> {
    Row { of, letter: Some(letter), takes: Takes::Maybe, names, value: "TABLE", about }
}

/// The commands; behind most of them a table may follow.
pub(super) static COMMANDS: [Row<Command>; 12] = [
    command(Command::List, 'L', &["dump"], "show the table"),
    command(Command::Get, 'G', &["get"], "show one entry"),
    command(Command::Create, 'I', &["create"], "make an entry; it is an error if it is there"),
    command(Command::Add, 'A', &["add"], "make an entry, or update the one that is there"),
    command(Command::Update, 'U', &["update"], "change entries"),
    command(Command::Delete, 'D', &["delete"], "delete entries, under their ids, and show them"),
    command(Command::Flush, 'F', &["flush"], "delete all, or all of a family"),
    command(Command::Event, 'E', &["event"], "show events as they happen; SIGINT ends it"),
    command(Command::Count, 'C', &["counter", "count"], "show how many entries there are"),
    command(Command::Stats, 'S', &["stats"], "show the statistics of each CPU"),
    Row { takes: Takes::Nothing, ..command(Command::Help, 'h', &["help"], "print this") },
    Row {
        takes: Takes::Nothing,
        ..command(Command::Version, 'V', &["version"], "print the version")
    },
];

fn row_of(command: Command) -> Option<&'static Row<Command>> {
    COMMANDS.iter().find(|row| row.of == command)
}

/// The letter of a command.
pub(super) fn letter_of(command: Command) -> char {
    row_of(command).and_then(|row| row.letter).unwrap_or(' ')
}

/// The name of a command, written out.
pub(super) fn long_of(command: Command) -> &'static str {
    row_of(command).and_then(|row| row.names.first()).copied().unwrap_or("")
}

/// Every name of a command or an option that does not depend on the protocol.
pub(super) fn names() -> impl Iterator<Item = (&'static str, Common)> {
    let commands = COMMANDS
        .iter()
        .flat_map(|row| row.names.iter().map(|name| (*name, Common::Command(row.of))));
    let options =
        OPTIONS.iter().flat_map(|row| row.names.iter().map(|name| (*name, Common::Option(row.of))));
    commands.chain(options)
}

pub(super) fn by_letter(letter: char) -> Option<Common> {
    let command = COMMANDS.iter().find(|row| row.letter == Some(letter));
    let option = || OPTIONS.iter().find(|row| row.letter == Some(letter));
    let command = command.map(|row| Common::Command(row.of));
    command.or_else(|| option().map(|row| Common::Option(row.of)))
}

impl Common {
    pub(super) fn is_command(self) -> bool {
        matches!(self, Self::Command(_))
    }

    pub(super) fn takes(self) -> Takes {
        let takes = match self {
            Self::Command(command) => row_of(command).map(|row| row.takes),
            Self::Option(id) => OPTIONS.iter().find(|row| row.of == id).map(|row| row.takes),
        };
        takes.unwrap_or(Takes::Value)
    }
}

/// Which options some commands take: a character an option, in the order of [`Id::ALL`]. `.` illegal,
/// `o` optional, `c` compulsory.
pub(super) struct Legal {
    pub(super) commands: &'static [Command],
    pub(super) expect: bool,
    pub(super) rules: &'static str,
}

impl Legal {
    /// Whether it says so of this command.
    pub(super) fn is_of(&self, command: Command, table: Table) -> bool {
        self.commands.contains(&command) && self.expect == (table == Table::Expect)
    }
}

const fn row(commands: &'static [Command], expect: bool, rules: &'static str) -> Legal {
    assert!(rules.len() == Id::ALL.len(), "a rule for each option");
    Legal { commands, expect, rules }
}

/// What conntrack(8) 1.4.7 takes.
pub(super) static LEGAL: [Legal; 14] = [
    //                                              sdrqptuze[]{}amifngocbjwl+-OR
    row(&[Command::List], false, "ooooo.oo...oooo.ooooo.ooo..oo"),
    row(&[Command::Create, Command::Add], false, "oooocco......oo..oo....o.o.oo"),
    row(&[Command::Update], false, "ooooooo....ooooooooo....ooo.."),
    row(&[Command::Delete], false, "ooooooo....ooooooooo...oo..oo"),
    row(&[Command::Get], false, "ooooc........o.o...o....o...."),
    row(&[Command::Flush], false, ".............o..o............"),
    row(&[Command::Event], false, "ooooo...o..oooo.ooooooooo..oo"),
    row(&[Command::Count, Command::Stats], false, ".............o..............."),
    row(&[Command::Help, Command::Version], false, "............................."),
    row(&[Command::List], true, ".............o..o..o........."),
    row(&[Command::Create], true, "ccoocco..cccco..............."),
    row(&[Command::Get, Command::Delete], true, "ccooc........o..............."),
    row(&[Command::Flush, Command::Count, Command::Stats], true, ".............o..............."),
    row(&[Command::Event], true, ".............o.....o........."),
];

macro_rules! protocol_options {
    ($($id:ident $value:literal $about:literal;)*) => {
        /// An option that a protocol has of its own, in the order in which conntrack(8) finds fault
        /// with them.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub(super) enum ProtoOption { $($id,)* }

        impl ProtoOption {
            pub(super) const ALL: [Self; [$(Self::$id),*].len()] = [$(Self::$id),*];

            /// What its value is called, and what it means.
            pub(super) fn about(self) -> (&'static str, &'static str) {
                match self { $(Self::$id => ($value, $about),)* }
            }
        }
    };
}

protocol_options! {
    SourcePort "NUMBER" "port or key of the source, in the original direction";
    DestinationPort "NUMBER" "port or key of its destination";
    ReplySourcePort "NUMBER" "port or key of the source, in the reply direction";
    ReplyDestinationPort "NUMBER" "port or key of its destination";
    MaskSourcePort "NUMBER" "which bits of the expected source port or key count";
    MaskDestinationPort "NUMBER" "which bits of the expected destination port or key count";
    State "STATE" "state of the connection";
    OriginalTag "NUMBER" "verification tag of the original direction";
    ReplyTag "NUMBER" "verification tag of the reply direction";
    Role "ROLE" "what the original direction's sender is: client, server";
    TupleSourcePort "NUMBER" "port or key of the expected source";
    TupleDestinationPort "NUMBER" "port or key of the expected destination";
    IcmpType "NUMBER" "type of the message";
    IcmpCode "NUMBER" "its code";
    IcmpId "NUMBER" "its id";
}

/// As [`LEGAL`], of the options of protocols, in their order; what a protocol does not have does
/// not count.
pub(super) static LEGAL_OF_PROTOCOLS: [Legal; 6] = [
    proto(&[Command::List, Command::Delete, Command::Event], false, "oooo..o.....ooo"),
    proto(&[Command::Update], false, "oooo..ooo...ooo"),
    proto(&[Command::Get], false, "oooo..ooo...cco"),
    proto(&[Command::Create, Command::Add], false, "oooo..cccc..cco"),
    proto(&[Command::Create], true, "ccooccoooocc..."),
    proto(&[Command::Get, Command::Delete], true, "ccoo..oooo....."),
];

const fn proto(commands: &'static [Command], expect: bool, rules: &'static str) -> Legal {
    assert!(rules.len() == ProtoOption::ALL.len(), "a rule for each option");
    Legal { commands, expect, rules }
}

type Named = (&'static str, ProtoOption);

macro_rules! ports {
    ($($more:expr),*) => {
        [
            ("sport", ProtoOption::SourcePort),
            ("orig-port-src", ProtoOption::SourcePort),
            ("dport", ProtoOption::DestinationPort),
            ("orig-port-dst", ProtoOption::DestinationPort),
            ("reply-port-src", ProtoOption::ReplySourcePort),
            ("reply-port-dst", ProtoOption::ReplyDestinationPort),
            ("mask-port-src", ProtoOption::MaskSourcePort),
            ("mask-port-dst", ProtoOption::MaskDestinationPort),
            ("tuple-port-src", ProtoOption::TupleSourcePort),
            ("tuple-port-dst", ProtoOption::TupleDestinationPort),
            $($more),*
        ]
    };
}

static PORTS: [Named; 10] = ports!();
static TCP: [Named; 11] = ports!(("state", ProtoOption::State));
static SCTP: [Named; 13] = ports!(
    ("state", ProtoOption::State),
    ("orig-vtag", ProtoOption::OriginalTag),
    ("reply-vtag", ProtoOption::ReplyTag)
);
static DCCP: [Named; 12] = ports!(("state", ProtoOption::State), ("role", ProtoOption::Role));
static GRE: [Named; 10] = [
    ("srckey", ProtoOption::SourcePort),
    ("orig-key-src", ProtoOption::SourcePort),
    ("dstkey", ProtoOption::DestinationPort),
    ("orig-key-dst", ProtoOption::DestinationPort),
    ("reply-key-src", ProtoOption::ReplySourcePort),
    ("reply-key-dst", ProtoOption::ReplyDestinationPort),
    ("mask-key-src", ProtoOption::MaskSourcePort),
    ("mask-key-dst", ProtoOption::MaskDestinationPort),
    ("tuple-key-src", ProtoOption::TupleSourcePort),
    ("tuple-key-dst", ProtoOption::TupleDestinationPort),
];
static ICMP: [Named; 3] = [
    ("icmp-type", ProtoOption::IcmpType),
    ("icmp-code", ProtoOption::IcmpCode),
    ("icmp-id", ProtoOption::IcmpId),
];
static ICMPV6: [Named; 3] = [
    ("icmpv6-type", ProtoOption::IcmpType),
    ("icmpv6-code", ProtoOption::IcmpCode),
    ("icmpv6-id", ProtoOption::IcmpId),
];

/// The options of a protocol, the first of its names for messages.
pub(super) fn of_protocol(protocol: Option<IpProtocol>) -> &'static [Named] {
    match protocol {
        Some(IpProtocol::UDP | IpProtocol::UDPLITE) => &PORTS,
        Some(IpProtocol::TCP) => &TCP,
        Some(IpProtocol::SCTP) => &SCTP,
        Some(IpProtocol::DCCP) => &DCCP,
        Some(IpProtocol::GRE) => &GRE,
        Some(IpProtocol::ICMP) => &ICMP,
        Some(IpProtocol::ICMPV6) => &ICMPV6,
        _ => &[],
    }
}
