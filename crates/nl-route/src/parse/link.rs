//! The words of `ip link`.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString as _;
use alloc::vec::Vec;

use nl_wire::attr::NLA_F_NESTED;
use nl_wire::text::Text;
use nl_wire::{RawAttr, Writer};

use super::address::existing;
use super::kind::{Start, data, is_replaced};
use super::{WordError, Words, duplicate, escaped, garbage, wrong};
use crate::link::{Link, LinkInfo};
use crate::names::{NameKind, Names, parse_number};
use crate::request::NAME_LENGTH_MAX;
use crate::tables::link::{
    AF_INET6, IFLA_AF_SPEC, IFLA_CARRIER, IFLA_GRO_MAX_SIZE, IFLA_GSO_MAX_SEGS, IFLA_GSO_MAX_SIZE,
    IFLA_INET6_ADDR_GEN_MODE, IFLA_LINK_NETNSID, IFLA_LINKMODE, IFLA_OPERSTATE, IFLA_PROTO_DOWN,
    IFLA_VFINFO_LIST,
};
use crate::value::LinkFlags;

/// What `ip link add`, `set` or `delete` asks for.
///
/// What is of namespaces is left open: they are opened by whoever sends the request, who then puts
/// [`Link::netns_fd`] or [`Link::netns_pid`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LinkChange {
    /// The link, with its kind's data.
    pub link: Link,
    /// The namespace that it goes to, a name or a process id.
    pub netns: Option<Text>,
    /// The peer of a pair, to be put into the kind's data by [`LinkChange::finish`].
    pub peer: Option<Box<LinkChange>>,
}

impl LinkChange {
    /// Whether the kernel sets to what is usual all that this change does not name, as it does
    /// with tunnels. Then the words are to be read again by [`set`] with the link as it is.
    pub fn replaces_all(&self) -> bool {
        self.link.info_kind().is_some_and(|kind| is_replaced(&kind.to_string()))
    }

    /// The link with its peer.
    ///
    /// # Errors
    /// If a value does not fit its attribute.
    pub fn finish(self) -> Result<Link, nl_wire::Error> {
        let mut link = self.link;
        if let (Some(peer), Some(info)) = (self.peer, &mut link.info) {
            let peer = peer.finish()?;
            let mut bytes = Vec::new();
            // VETH_INFO_PEER and IFLA_NETKIT_PEER_INFO alike.
            let writer = &mut Writer::attributes(&mut bytes);
            writer
                .nest(crate::tables::kind::VETH_INFO_PEER, |writer| peer.encode_change(writer))?;
            info.raw_data.get_or_insert_default().extend(bytes);
        }
        Ok(link)
    }
}

/// A value of one byte among words.
pub(super) fn on_off<S: AsRef<str>>(
    words: &mut Words<'_, S>,
    key: &str,
) -> Result<bool, WordError> {
    match words.value()? {
        "on" => Ok(true),
        "off" => Ok(false),
        other => Err(WordError {
            text: format!(
                "Error: argument of \"{key}\" must be \"on\" or \"off\", not \"{}\"",
                escaped(other)
            ),
            code: 1,
        }),
    }
}

/// A name that a link can have.
fn checked(word: &str) -> Result<Text, WordError> {
    let bad = |byte: u8| byte == b'/' || byte.is_ascii_whitespace();
    if word.is_empty() || word.len() > NAME_LENGTH_MAX || word.bytes().any(bad) {
        return Err(WordError {
            text: format!(
                "Error: argument \"{}\" is wrong: \"name\" not a valid ifname",
                escaped(word)
            ),
            code: 255,
        });
    }
    Ok(Text::from(word))
}

/// Words that switch a flag of the link on and off.
const SWITCHES: [(&str, LinkFlags, bool); 6] = [
    ("multicast", LinkFlags::MULTICAST, true),
    ("allmulticast", LinkFlags::ALLMULTI, true),
    ("promisc", LinkFlags::PROMISC, true),
    ("trailers", LinkFlags::NOTRAILERS, false),
    ("arp", LinkFlags::NOARP, false),
    ("dynamic", LinkFlags::DYNAMIC, true),
];

fn set_flag(link: &mut Link, flag: LinkFlags, on: bool) {
    link.change |= flag;
    link.flags = if on { link.flags | flag } else { link.flags.without(flag) };
}

fn raw(link: &mut Link, raw_type: u16, payload: Vec<u8>) {
    link.unknown.push(RawAttr { raw_type, payload });
}

/// A value that can be given once.
fn once<'a, T, S: AsRef<str>>(
    slot: &mut Option<T>,
    key: &str,
    words: &mut Words<'a, S>,
    read: impl FnOnce(&mut Words<'a, S>) -> Result<T, WordError>,
) -> Result<(), WordError> {
    if slot.is_some() {
        return Err(duplicate(key, words.value()?));
    }
    *slot = Some(read(words)?);
    Ok(())
}

/// Reads one word that `add` and `set` share; false if it is none.
fn shared<S: AsRef<str>>(
    change: &mut LinkChange,
    word: &str,
    words: &mut Words<'_, S>,
) -> Result<bool, WordError> {
    let link = &mut change.link;
    if let Some((_, flag, set)) = SWITCHES.iter().find(|row| row.0 == word) {
        let on = on_off(words, word)?;
        set_flag(link, *flag, on == *set);
        return Ok(true);
    }
    match word {
        "up" => set_flag(link, LinkFlags::UP, true),
        "down" => set_flag(link, LinkFlags::UP, false),
        "name" => once(&mut link.name, word, words, |words| checked(words.value()?))?,
        "alias" | "ifalias" => link.alias = Some(Text::from(words.value()?)),
        "address" => {
            link.address = Some(super::neighbour::link_address(words.value()?)?);
        }
        "broadcast" | "brd" => {
            link.broadcast = Some(super::neighbour::link_address(words.value()?)?);
        }
        "mtu" | "txqueuelen" | "txqlen" | "qlen" | "numtxqueues" | "numrxqueues" => {
            let (slot, key) = match word {
                "mtu" => (&mut link.mtu, word),
                "numtxqueues" => (&mut link.num_tx_queues, word),
                "numrxqueues" => (&mut link.num_rx_queues, word),
                _ => (&mut link.txqlen, "txqueuelen"),
            };
            let reason = format!("Invalid \"{key}\" value");
            once(slot, key, words, |words| words.number(u32::MAX, &reason))?;
        }
        "index" => {
            let word = words.value()?;
            let index = parse_number(word).filter(|index| *index != 0);
            link.index = index.ok_or_else(|| wrong(word, "Invalid \"index\" value"))?;
        }
        "group" => {
            link.group = Some(words.named(NameKind::Group, "Invalid \"group\" value")?);
        }
        "master" | "vrf" => {
            let word = words.value()?;
            let index = words.names.link_index(word);
            link.master = Some(index.ok_or_else(|| wrong(word, "Device does not exist"))?);
        }
        "nomaster" => link.master = Some(0),
        "vf" => {
            let list = super::function::function(words)?;
            raw(link, IFLA_VFINFO_LIST | NLA_F_NESTED, list);
        }
        "netns" => once(&mut change.netns, word, words, |words| words.value().map(Text::from))?,
        "link-netnsid" => {
            let id = words.number(i32::MAX.unsigned_abs(), "Invalid \"link-netnsid\" value")?;
            raw(link, IFLA_LINK_NETNSID, id.to_ne_bytes().to_vec());
        }
        "carrier" => {
            let on = on_off(words, word)?;
            raw(link, IFLA_CARRIER, Vec::from([u8::from(on)]));
        }
        "protodown" => {
            let on = on_off(words, word)?;
            raw(link, IFLA_PROTO_DOWN, Vec::from([u8::from(on)]));
        }
        "mode" => {
            let word = words.value()?;
            let mode =
                ["default", "dormant"].iter().position(|known| known.eq_ignore_ascii_case(word));
            let mode = mode.ok_or_else(|| wrong(word, "Invalid link mode"))?;
            raw(link, IFLA_LINKMODE, Vec::from([u8::from(mode == 1)]));
        }
        "state" => {
            let word = words.value()?;
            let state = STATES.iter().position(|known| known.eq_ignore_ascii_case(word));
            let state = state.and_then(|state| u8::try_from(state).ok());
            let state = state.ok_or_else(|| wrong(word, "Invalid operstate"))?;
            raw(link, IFLA_OPERSTATE, Vec::from([state]));
        }
        "gso_max_size" | "gso_max_segs" | "gro_max_size" => {
            let size = words.number(u32::MAX, &format!("Invalid \"{word}\" value"))?;
            let number = match word {
                "gso_max_size" => IFLA_GSO_MAX_SIZE,
                "gso_max_segs" => IFLA_GSO_MAX_SEGS,
                _ => IFLA_GRO_MAX_SIZE,
            };
            raw(link, number, size.to_ne_bytes().to_vec());
        }
        "addrgenmode" => {
            let word = words.value()?;
            let mode = ["eui64", "none", "stable_secret", "random"]
                .iter()
                .position(|known| *known == word)
                .and_then(|mode| u8::try_from(mode).ok())
                .ok_or_else(|| wrong(word, "Invalid address generation mode"))?;
            let mut spec = Vec::new();
            let nested = Writer::attributes(&mut spec).nest(AF_INET6, |writer| {
                writer.u8(IFLA_INET6_ADDR_GEN_MODE, mode);
                Ok(())
            });
            nested.map_err(|_| wrong(word, "Invalid address generation mode"))?;
            raw(link, IFLA_AF_SPEC, spec);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Operational states by number (RFC 2863).
const STATES: [&str; 7] =
    ["unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up"];

/// `type KIND …` and what follows it, up to the end.
fn kind<S: AsRef<str>>(
    change: &mut LinkChange,
    words: &mut Words<'_, S>,
    slave: bool,
    start: Start<'_>,
) -> Result<(), WordError> {
    let word = words.value()?;
    let mut info = LinkInfo::default();
    if slave || word.ends_with("_slave") {
        info.slave_kind = Some(Text::from(word.strip_suffix("_slave").unwrap_or(word)));
        let name = format!("{}_slave", word.strip_suffix("_slave").unwrap_or(word));
        info.raw_slave_data = data(&name, start, words, |_, _| Ok(false))?;
    } else {
        info.kind = Some(Text::from(word));
        let peer = &mut change.peer;
        info.raw_data = data(word, start, words, |key, words| {
            if key != "peer" || !matches!(word, "veth" | "vxcan" | "netkit") {
                return Ok(false);
            }
            let mut other = LinkChange::default();
            while let Some(word) = words.next() {
                if word == "type" {
                    words.value()?;
                } else if !shared(&mut other, word, words)? {
                    other.link.name = Some(checked(word)?);
                }
            }
            *peer = Some(Box::new(other));
            Ok(true)
        })?;
    }
    change.link.info = Some(Box::new(info));
    Ok(())
}

/// Reads the words behind `ip link add`.
///
/// # Errors
/// At the first word that ip would not take either, and at options of kinds that are not known
/// here.
pub fn add<S: AsRef<str>>(words: &[S], names: &Names) -> Result<LinkChange, WordError> {
    let mut words = Words::new(words, names);
    let mut change = LinkChange::default();
    let mut named = false;
    while let Some(word) = words.next() {
        match word {
            "link" => change.link.link = Some(words.link()?),
            "type" => kind(&mut change, &mut words, false, Start::New)?,
            _ if shared(&mut change, word, &mut words)? => named |= word == "name",
            _ => {
                let word = if word == "dev" { words.value()? } else { word };
                if named {
                    return Err(garbage("dev", word));
                }
                change.link.name = Some(checked(word)?);
                named = true;
            }
        }
    }
    if change.link.info.is_none() {
        let text = "Not enough information: \"type\" argument is required".into();
        return Err(WordError { text, code: 1 });
    }
    Ok(change)
}

/// Reads the words behind `ip link set`; `existing` is the link as it is, which tunnels need, see
/// [`LinkChange::replaces_all`].
///
/// # Errors
/// At the first word that ip would not take either.
pub fn set<S: AsRef<str>>(
    words: &[S],
    names: &Names,
    existing: Option<&Link>,
) -> Result<LinkChange, WordError> {
    let start = Start::Existing(existing);
    let mut words = Words::new(words, names);
    let mut change = LinkChange::default();
    let mut dev = None;
    // `group` in front selects; behind a name it sets.
    let mut group = None;
    while let Some(word) = words.next() {
        match word {
            "type" => kind(&mut change, &mut words, false, start)?,
            "type_slave" => kind(&mut change, &mut words, true, start)?,
            "group" if dev.is_none() && group.is_none() => {
                group = Some(words.named(NameKind::Group, "Invalid \"group\" value")?);
            }
            _ if word != "dev" && shared(&mut change, word, &mut words)? => {}
            _ => {
                let word = if word == "dev" { words.value()? } else { word };
                if dev.replace(word).is_some() {
                    return Err(garbage("dev", word));
                }
            }
        }
    }
    match (dev, group) {
        (Some(dev), _) => {
            change.link.index = words.link_of(dev)?;
            change.link.group = group.or(change.link.group);
        }
        // All links of the group.
        (None, Some(_)) => change.link.group = group,
        (None, None) => {
            let text = "Not enough information: \"dev\" argument is required.".into();
            return Err(WordError { text, code: 255 });
        }
    }
    Ok(change)
}

/// Reads the words behind `ip link delete`.
///
/// # Errors
/// At the first word that ip would not take either.
pub fn delete<S: AsRef<str>>(words: &[S], names: &Names) -> Result<Link, WordError> {
    let change = set(words, names, None)?;
    Ok(change.link)
}

/// Reads the words behind `ip link property add` or `delete`: the link's index and the names.
///
/// # Errors
/// At the first word that ip would not take either.
pub fn property<S: AsRef<str>>(words: &[S], names: &Names) -> Result<Link, WordError> {
    let mut words = Words::new(words, names);
    let mut link = Link::default();
    let mut dev = None;
    while let Some(word) = words.next() {
        if word == "altname" {
            link.altnames.push(Text::from(words.value()?));
            continue;
        }
        let word = if word == "dev" { words.value()? } else { word };
        if dev.replace(word).is_some() {
            return Err(garbage("dev", word));
        }
    }
    let missing = |what: &str| WordError {
        text: format!("Not enough of information: \"{what}\" argument is required."),
        code: 255,
    };
    let dev = dev.ok_or_else(|| missing("dev"))?;
    if link.altnames.is_empty() {
        return Err(missing("altname"));
    }
    link.index = existing(&words, dev)?;
    Ok(link)
}
