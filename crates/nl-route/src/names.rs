//! Names of numbers that this host gives: links by index, and iproute2's files of names.
//!
//! No file is read here: [`Names::read`] takes the text of one.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;

use nl_wire::json::{Json, ToJson};
use nl_wire::text::{Escaped, Text};

use crate::link::Link;
use crate::nexthop::Nexthop;
use crate::value::{LinkFlags, LinkType};

/// A kind of names, each with a file of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum NameKind {
    /// Who made a route.
    Protocol,
    /// Routing tables.
    Table,
    /// How far away a destination is.
    Scope,
    /// Routing realms.
    Realm,
    /// Types of service.
    Tos,
    /// Groups of links.
    Group,
    /// Where an address comes from.
    AddressProtocol,
    /// Transport protocols.
    IpProtocol,
    /// Users of this host.
    User,
    /// Groups of users of this host.
    UserGroup,
}

impl NameKind {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Protocol,
        Self::Table,
        Self::Scope,
        Self::Realm,
        Self::Tos,
        Self::Group,
        Self::AddressProtocol,
        Self::IpProtocol,
        Self::User,
        Self::UserGroup,
    ];

    /// Where the file is sought: the administrator's before the distribution's.
    pub const fn folders(self) -> &'static [&'static str] {
        match self {
            Self::IpProtocol | Self::User | Self::UserGroup => &["/etc"],
            _ => &["/etc/iproute2", "/usr/share/iproute2"],
        }
    }

    /// The name of the file; beside it there may be a folder of that name and `.d`, whose files
    /// ending in `.conf` count too.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Protocol => "rt_protos",
            Self::Table => "rt_tables",
            Self::Scope => "rt_scopes",
            Self::Realm => "rt_realms",
            Self::Tos => "rt_dsfield",
            Self::Group | Self::UserGroup => "group",
            Self::AddressProtocol => "rt_addrprotos",
            Self::IpProtocol => "protocols",
            Self::User => "passwd",
        }
    }

    /// The names that ip knows without a file.
    const fn built_in(self) -> &'static [(u32, &'static str)] {
        match self {
            Self::Protocol => &[
                (0, "unspec"),
                (1, "redirect"),
                (2, "kernel"),
                (3, "boot"),
                (4, "static"),
                (8, "gated"),
                (9, "ra"),
                (10, "mrt"),
                (11, "zebra"),
                (12, "bird"),
                (13, "dnrouted"),
                (14, "xorp"),
                (15, "ntk"),
                (16, "dhcp"),
                (18, "keepalived"),
                (42, "babel"),
                (99, "openr"),
                (186, "bgp"),
                (187, "isis"),
                (188, "ospf"),
                (189, "rip"),
                (192, "eigrp"),
            ],
            Self::Table => &[(0, "unspec"), (253, "default"), (254, "main"), (255, "local")],
            Self::Scope => {
                &[(0, "global"), (200, "site"), (253, "link"), (254, "host"), (255, "nowhere")]
            }
            Self::Realm => &[(0, "cosmos")],
            Self::Tos | Self::Group => &[(0, "default")],
            Self::AddressProtocol => {
                &[(0, "unspec"), (1, "kernel_lo"), (2, "kernel_ra"), (3, "kernel_ll")]
            }
            Self::IpProtocol => &[
                (1, "icmp"),
                (2, "igmp"),
                (6, "tcp"),
                (17, "udp"),
                (33, "dccp"),
                (47, "gre"),
                (50, "esp"),
                (51, "ah"),
                (58, "ipv6-icmp"),
                (132, "sctp"),
                (136, "udplite"),
            ],
            Self::User | Self::UserGroup => &[],
        }
    }

    /// How many numbers there are; a name for a greater one is ignored.
    const fn limit(self) -> u32 {
        match self {
            Self::Table | Self::Group | Self::User | Self::UserGroup => u32::MAX,
            _ => 255,
        }
    }
}

/// The names that output is printed and input is read with.
///
/// The default holds what ip knows by itself and no link.
///
/// ```
/// use nl_route::names::{NameKind, Names};
///
/// let mut names = Names::default();
/// names.read(NameKind::Table, "# a comment\n100 blue\n0x65\tgreen # another\n");
/// names.set_link(2, "eth0");
/// assert_eq!(names.name(NameKind::Table, 101).to_string(), "green");
/// assert_eq!(names.number(NameKind::Table, "blue"), Some(100));
/// assert_eq!(names.link(2).to_string(), "eth0");
/// assert_eq!(names.link(7).to_string(), "if7");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Names {
    links: BTreeMap<u32, (Text, Option<(LinkFlags, LinkType)>)>,
    altnames: BTreeMap<Text, u32>,
    vrfs: BTreeMap<u32, u32>,
    namespaces: BTreeMap<i32, Text>,
    nexthops: BTreeMap<u32, Nexthop>,
    words: BTreeMap<(NameKind, u32), String>,
    numeric: bool,
}

impl Default for Names {
    fn default() -> Self {
        let built_in = |kind: NameKind| {
            kind.built_in().iter().map(move |&(number, name)| ((kind, number), name.into()))
        };
        Self {
            links: BTreeMap::new(),
            altnames: BTreeMap::new(),
            vrfs: BTreeMap::new(),
            namespaces: BTreeMap::new(),
            nexthops: BTreeMap::new(),
            words: NameKind::ALL.into_iter().flat_map(built_in).collect(),
            numeric: false,
        }
    }
}

impl Names {
    /// Adds the names of a file: a number, in decimal or with `0x`, and a name on each line; for
    /// transport protocols name, number and aliases; for users and their groups the name, a field
    /// that does not matter, and the number, with colons between. What is no such line is ignored,
    /// as ip does; `#` starts a comment.
    pub fn read(&mut self, kind: NameKind, file: &str) {
        if matches!(kind, NameKind::User | NameKind::UserGroup) {
            for line in file.lines() {
                let mut fields = line.split(':');
                if let (Some(name), Some(Ok(id))) = (fields.next(), fields.nth(1).map(str::parse)) {
                    // The first of several is the proper one.
                    self.words.entry((kind, id)).or_insert_with(|| name.into());
                }
            }
            return;
        }
        for line in file.lines() {
            let mut words = line.split_ascii_whitespace().take_while(|word| !word.starts_with('#'));
            let (Some(first), Some(second)) = (words.next(), words.next()) else { continue };
            let protocol = kind == NameKind::IpProtocol;
            let (number, name) = if protocol { (second, first) } else { (first, second) };
            if !protocol && words.next().is_some() {
                continue;
            }
            if let Some(number) = parse_number(number).filter(|&number| number <= kind.limit()) {
                let slot = self.words.entry((kind, number));
                if protocol {
                    // The first of several is the proper one.
                    slot.or_insert_with(|| name.into());
                } else {
                    *slot.or_default() = name.into();
                }
            }
        }
    }

    /// `ip -N`: prints numbers where they have names, but for those of links. Names are read all
    /// the same.
    pub fn set_numeric(&mut self, numeric: bool) {
        self.numeric = numeric;
    }

    /// Whether numbers are printed where they have names.
    pub(crate) fn is_numeric(&self) -> bool {
        self.numeric
    }

    /// The name of a number to be printed, if it has one.
    pub fn known(&self, kind: NameKind, number: u32) -> Option<&str> {
        self.words.get(&(kind, number)).map(String::as_str).filter(|_| !self.numeric)
    }

    /// The name of a number, or the number where it has none: decimal, a type of service `0x10`, a
    /// transport protocol `ipproto-10`.
    pub fn name(&self, kind: NameKind, number: u32) -> impl fmt::Display + ToJson + '_ {
        Name { kind, number, word: self.known(kind, number) }
    }

    /// The number of a name, or of digits: decimal or with `0x`.
    pub fn number(&self, kind: NameKind, name: &str) -> Option<u32> {
        let rows = self.words.range((kind, 0)..=(kind, u32::MAX));
        let named = rows.filter(|row| row.1 == name).map(|row| row.0.1).next();
        named.or_else(|| parse_number(name)).filter(|&number| number <= kind.limit())
    }

    /// Gives a link its name.
    pub fn set_link(&mut self, index: u32, name: impl Into<Text>) {
        self.links.insert(index, (name.into(), None));
    }

    /// Forgets a link.
    pub fn remove_link(&mut self, index: u32) {
        self.links.remove(&index);
        self.vrfs.remove(&index);
        self.altnames.retain(|_, known| *known != index);
    }

    /// Learns the names of a link that was read, and whether it is up.
    pub fn learn(&mut self, link: &Link) {
        self.altnames.retain(|_, known| *known != link.index);
        self.altnames.extend(link.altnames.iter().map(|name| (name.clone(), link.index)));
        match link.vrf_table() {
            Some(table) => self.vrfs.insert(link.index, table),
            None => self.vrfs.remove(&link.index),
        };
        if let Some(name) = &link.name {
            self.links.insert(link.index, (name.clone(), Some((link.flags, link.link_type))));
        }
    }

    /// The name of a link; of an unknown one `if` and its index, of index 0 `*`. Displayed, control
    /// characters are escaped; JSON has the name as it is.
    pub fn link(&self, index: u32) -> impl fmt::Display + ToJson + '_ {
        LinkName { index, name: self.known_link(index) }
    }

    /// The name of a link, if it is known.
    pub fn known_link(&self, index: u32) -> Option<&Text> {
        self.links.get(&index).map(|link| &link.0)
    }

    /// Whether the link is known to be switched off.
    pub(crate) fn is_down(&self, index: u32) -> bool {
        let flags = self.links.get(&index).and_then(|link| link.1);
        flags.is_some_and(|(flags, _)| !flags.contains(LinkFlags::UP))
    }

    /// The hardware type of a link; of an unknown one Ethernet's.
    pub(crate) fn link_type(&self, index: u32) -> LinkType {
        let known = self.links.get(&index).and_then(|link| link.1);
        known.map_or(LinkType::ETHER, |(_, kind)| kind)
    }

    /// The index of the link of that name or alternative name; also of `if7`, if no link is called so,
    /// and of `eth0:1`, which is a label of addresses of `eth0`.
    pub fn link_index(&self, name: &str) -> Option<u32> {
        let known = |name: &str| {
            let known = self.links.iter().find(|link| link.1.0 == *name).map(|link| *link.0);
            known.or_else(|| self.altnames.get(&Text::from(name)).copied())
        };
        // No name of a link has a colon.
        let known = known(name).or_else(|| known(name.split_once(':')?.0));
        let digits = |name: &str| name.strip_prefix("if")?.parse().ok();
        known.or_else(|| digits(name).filter(|index| *index != 0))
    }
}

impl Names {
    /// Gives the namespace with an id (see [`nsid`](crate::nsid)) its name, or takes it.
    pub fn set_netns(&mut self, id: i32, name: Option<Text>) {
        match name {
            Some(name) => self.namespaces.insert(id, name),
            None => self.namespaces.remove(&id),
        };
    }

    /// The name of the namespace with an id, if it is known.
    pub fn netns(&self, id: i32) -> Option<&Text> {
        self.namespaces.get(&id)
    }

    /// Learns a nexthop object, which details of the routes that use it show.
    pub fn learn_nexthop(&mut self, nexthop: Nexthop) {
        if let Some(id) = nexthop.id {
            self.nexthops.insert(id, nexthop);
        }
    }

    /// Forgets a nexthop object.
    pub fn forget_nexthop(&mut self, id: u32) {
        self.nexthops.remove(&id);
    }

    /// The nexthop object of an id, if it is known.
    pub fn nexthop(&self, id: u32) -> Option<&Nexthop> {
        self.nexthops.get(&id)
    }

    /// The table of the VRF of that name.
    pub fn vrf_table(&self, name: &str) -> Option<u32> {
        self.vrfs.get(&self.link_index(name)?).copied()
    }
}

/// A number as iproute2 reads it: decimal, `0x10` or, with a leading zero, octal.
pub(crate) fn parse_number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, radix).ok().filter(|_| plain)
}

struct Name<'a> {
    kind: NameKind,
    number: u32,
    word: Option<&'a str>,
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.word, self.kind) {
            (Some(name), _) => write!(f, "{}", Escaped(name.as_bytes())),
            (None, NameKind::Tos) => write!(f, "{:#04x}", self.number),
            (None, NameKind::IpProtocol) => write!(f, "ipproto-{}", self.number),
            (None, _) => write!(f, "{}", self.number),
        }
    }
}

impl ToJson for Name<'_> {
    fn to_json(&self, json: &mut Json<'_>) {
        match self.word {
            Some(name) => json.string(name),
            None => json.display(self),
        }
    }
}

struct LinkName<'a> {
    index: u32,
    name: Option<&'a Text>,
}

impl fmt::Display for LinkName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name, self.index) {
            (Some(name), _) => write!(f, "{name}"),
            (None, 0) => f.write_str("*"),
            (None, index) => write!(f, "if{index}"),
        }
    }
}

impl ToJson for LinkName<'_> {
    fn to_json(&self, json: &mut Json<'_>) {
        match self.name {
            Some(name) => json.value(name),
            None => json.display(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn names_and_numbers() {
        let mut names = Names::default();
        assert_eq!(names.name(NameKind::Protocol, 186).to_string(), "bgp");
        assert_eq!(names.name(NameKind::Protocol, 77).to_string(), "77");
        assert_eq!(names.name(NameKind::Tos, 8).to_string(), "0x08");
        assert_eq!(names.number(NameKind::Table, "main"), Some(254));
        assert_eq!(names.number(NameKind::Table, "0x10"), Some(16));
        assert_eq!(names.number(NameKind::Protocol, "256"), None);
        assert_eq!(names.number(NameKind::Protocol, "+1"), None);
        names
            .read(NameKind::Protocol, "77\tmine\nx y\n300 big\n5 two words\n6 six # yes\n#7 no\n8");
        assert_eq!(names.number(NameKind::Protocol, "mine"), Some(77));
        assert_eq!(names.name(NameKind::Protocol, 6).to_string(), "six");
        assert_eq!(names.name(NameKind::Protocol, 5).to_string(), "5");
        assert_eq!(names.number(NameKind::Protocol, "big"), None);
        assert_eq!(names.number(NameKind::Table, "mine"), None);
        names.read(NameKind::IpProtocol, "ip\t0\tIP\t# pseudo\nhopopt 0 HOPOPT\n#x 7\nTCP 6\n");
        assert_eq!(names.name(NameKind::IpProtocol, 0).to_string(), "ip");
        assert_eq!(names.name(NameKind::IpProtocol, 6).to_string(), "tcp");
        assert_eq!(names.name(NameKind::IpProtocol, 7).to_string(), "ipproto-7");
        // Files may hold anything.
        names.read(NameKind::Table, "9 a\x1b[31m\n");
        assert_eq!(names.name(NameKind::Table, 9).to_string(), r"a\x1b[31m");
    }

    #[test]
    fn links_go_by_name_or_number() {
        let mut names = Names::default();
        names.set_link(3, "if4");
        assert_eq!(names.link_index("if4"), Some(3));
        assert_eq!(names.link_index("if5"), Some(5));
        assert_eq!(names.link_index("if0"), None);
        assert_eq!(names.link_index("eth0"), None);
        names.remove_link(3);
        assert_eq!(names.link(3).to_string(), "if3");
        names.set_link(4, "a\x1b[");
        assert_eq!(names.link(4).to_string(), r"a\x1b[");
    }
}
