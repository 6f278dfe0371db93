//! Which options there are, and which command takes which.

use super::Command;
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

macro_rules! ids {
    ($($id:ident $letter:literal $takes:ident $($name:literal)+;)*) => {
        /// The options, in the order in which conntrack(8) finds fault with them.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub(super) enum Id { $($id,)* }

        impl Id {
            pub(super) const ALL: [Self; [$(Self::$id),*].len()] = [$(Self::$id),*];
        }

        /// Letter (or 0), whether there is a value, names, the first for messages.
        static OPTIONS: [(Id, char, Takes, &[&str]); Id::ALL.len()] =
            [$((Id::$id, $letter, Takes::$takes, &[$($name),+])),*];
    };
}

ids! {
    Source 's' Value "src" "orig-src";
    Destination 'd' Value "dst" "orig-dst";
    ReplySource 'r' Value "reply-src";
    ReplyDestination 'q' Value "reply-dst";
    Protocol 'p' Value "protonum" "proto";
    Timeout 't' Value "timeout";
    Status 'u' Value "status";
    Zero 'z' Nothing "zero";
    EventMask 'e' Value "event-mask";
    TupleSource '\0' Value "tuple-src";
    TupleDestination '\0' Value "tuple-dst";
    MaskSource '\0' Value "mask-src";
    MaskDestination '\0' Value "mask-dst";
    NatRange 'a' Value "nat-range";
    Mark 'm' Value "mark";
    Number 'i' Value "id";
    Family 'f' Value "family";
    SourceNat 'n' Maybe "src-nat";
    DestinationNat 'g' Maybe "dst-nat";
    Output 'o' Value "output";
    Secmark 'c' Value "secmark";
    BufferSize 'b' Value "buffer-size";
    AnyNat 'j' Maybe "any-nat";
    Zone 'w' Value "zone";
    Label 'l' Value "label";
    LabelAdd '\0' Value "label-add";
    LabelDel '\0' Maybe "label-del";
    OriginalZone '\0' Value "orig-zone";
    ReplyZone '\0' Value "reply-zone";
}

impl Id {
    /// The name by which messages call it.
    pub(super) fn name(self) -> &'static str {
        OPTIONS
            .iter()
            .find(|row| row.0 == self)
            .and_then(|row| row.3.first())
            .copied()
            .unwrap_or("")
    }
}

/// Letters, names and whether a table may follow.
static COMMANDS: [(Command, char, bool, &[&str]); 12] = [
    (Command::List, 'L', true, &["dump"]),
    (Command::Create, 'I', true, &["create"]),
    (Command::Add, 'A', true, &["add"]),
    (Command::Update, 'U', true, &["update"]),
    (Command::Delete, 'D', true, &["delete"]),
    (Command::Get, 'G', true, &["get"]),
    (Command::Flush, 'F', true, &["flush"]),
    (Command::Event, 'E', true, &["event"]),
    (Command::Count, 'C', true, &["counter", "count"]),
    (Command::Stats, 'S', true, &["stats"]),
    (Command::Version, 'V', false, &["version"]),
    (Command::Help, 'h', false, &["help"]),
];

/// The letter of a command.
pub(super) fn letter_of(command: Command) -> char {
    COMMANDS.iter().find(|row| row.0 == command).map_or(' ', |row| row.1)
}

/// The name of a command, written out.
pub(super) fn long_of(command: Command) -> &'static str {
    let row = COMMANDS.iter().find(|row| row.0 == command);
    row.and_then(|row| row.3.first()).copied().unwrap_or("")
}

/// Every name of a command or an option that does not depend on the protocol.
pub(super) fn names() -> impl Iterator<Item = (&'static str, Common)> {
    let commands =
        COMMANDS.iter().flat_map(|row| row.3.iter().map(|name| (*name, Common::Command(row.0))));
    let options =
        OPTIONS.iter().flat_map(|row| row.3.iter().map(|name| (*name, Common::Option(row.0))));
    commands.chain(options)
}

pub(super) fn by_letter(letter: char) -> Option<Common> {
    let command = COMMANDS.iter().find(|row| row.1 == letter).map(|row| Common::Command(row.0));
    let letter = Some(letter).filter(|letter| *letter != '\0');
    let option =
        || OPTIONS.iter().find(|row| Some(row.1) == letter).map(|row| Common::Option(row.0));
    command.or_else(option)
}

impl Common {
    pub(super) fn is_command(self) -> bool {
        matches!(self, Self::Command(_))
    }

    pub(super) fn takes(self) -> Takes {
        match self {
            Self::Command(command) => {
                let table = COMMANDS.iter().any(|row| row.0 == command && row.2);
                if table { Takes::Maybe } else { Takes::Nothing }
            }
            Self::Option(id) => {
                OPTIONS.iter().find(|row| row.0 == id).map_or(Takes::Value, |row| row.2)
            }
        }
    }
}

/// Which options some commands take: a character an option, in the order of [`Id::ALL`]. `.` illegal,
/// `o` optional, `c` compulsory.
pub(super) struct Legal {
    pub(super) commands: &'static [Command],
    pub(super) expect: bool,
    pub(super) rules: &'static str,
}

const fn row(commands: &'static [Command], expect: bool, rules: &'static str) -> Legal {
    assert!(rules.len() == Id::ALL.len(), "a rule for each option");
    Legal { commands, expect, rules }
}

/// What conntrack(8) 1.4.7 takes.
pub(super) static LEGAL: [Legal; 13] = [
    //                                              sdrqptuze[]{}amifngocbjwl+-OR
    row(&[Command::List], false, "ooooo.oo...oooo.ooooo.ooo..oo"),
    row(&[Command::Create, Command::Add], false, "oooocco......oo..oo....o.o.oo"),
    row(&[Command::Update], false, "ooooooo....ooooooooo....ooo.."),
    row(&[Command::Delete], false, "ooooooo....ooooooooo...oo..oo"),
    row(&[Command::Get], false, "ooooc........o.o...o....o...."),
    row(&[Command::Flush], false, ".............o..o............"),
    row(&[Command::Event], false, "ooooo...o..oooo.ooooooooo..oo"),
    row(&[Command::Count, Command::Stats], false, ".............o..............."),
    row(&[Command::List], true, ".............o..o..o........."),
    row(&[Command::Create], true, "ccoocco..cccco..............."),
    row(&[Command::Get, Command::Delete], true, "ccooc........o..............."),
    row(&[Command::Flush, Command::Count, Command::Stats], true, ".............o..............."),
    row(&[Command::Event], true, ".............o.....o........."),
];

/// An option that a protocol has of its own, in the order in which conntrack(8) finds fault with
/// them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum ProtoOption {
    SourcePort,
    DestinationPort,
    ReplySourcePort,
    ReplyDestinationPort,
    MaskSourcePort,
    MaskDestinationPort,
    State,
    OriginalTag,
    ReplyTag,
    Role,
    TupleSourcePort,
    TupleDestinationPort,
    IcmpType,
    IcmpCode,
    IcmpId,
}

impl ProtoOption {
    pub(super) const ALL: [Self; 15] = [
        Self::SourcePort,
        Self::DestinationPort,
        Self::ReplySourcePort,
        Self::ReplyDestinationPort,
        Self::MaskSourcePort,
        Self::MaskDestinationPort,
        Self::State,
        Self::OriginalTag,
        Self::ReplyTag,
        Self::Role,
        Self::TupleSourcePort,
        Self::TupleDestinationPort,
        Self::IcmpType,
        Self::IcmpCode,
        Self::IcmpId,
    ];
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
