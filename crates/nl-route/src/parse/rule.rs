//! The words of `ip rule`.

use alloc::format;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use nl_wire::text::Text;
use nl_wire::value::AddressFamily;
use nl_wire::{Attrs, RawAttr, Writer};

use super::{Keyword, WordError, Words, is_default, keyword, kind, wrong};
use crate::names::{NameKind, Names, parse_number};
use crate::prefix::Prefix;
use crate::request::NAME_LENGTH_MAX;
use crate::rule::{Rule, RuleFilter};
use crate::tables::route::RTA_GATEWAY;
use crate::value::{RouteProtocol, RuleAction, RuleFlags, TableId};

/// The action of addresses translated by routes, which kernels take but do no more.
const NAT: RuleAction = RuleAction(10);

#[derive(Clone, Copy)]
enum Key {
    Not,
    From,
    To,
    Preference,
    Tos,
    Dscp,
    Mark,
    Realms,
    Protocol,
    Table,
    PrefixLength,
    LinkGroup,
    Iif,
    Oif,
    L3mdev,
    Users,
    IpProtocol,
    SourcePort,
    DestinationPort,
    Tunnel,
    FlowLabel,
    Type,
    Goto,
    Nop,
    Nat,
}

/// In the order in which ip looks for them, which decides what a word cut short means.
const KEYWORDS: &[Keyword<Key>] = &[
    ("not", true, Key::Not),
    ("from", true, Key::From),
    ("to", true, Key::To),
    ("preference", false, Key::Preference),
    ("order", false, Key::Preference),
    ("priority", false, Key::Preference),
    ("tos", true, Key::Tos),
    ("dsfield", false, Key::Tos),
    ("dscp", true, Key::Dscp),
    ("fwmark", true, Key::Mark),
    ("realms", false, Key::Realms),
    ("protocol", false, Key::Protocol),
    ("table", false, Key::Table),
    ("lookup", true, Key::Table),
    ("suppress_prefixlength", false, Key::PrefixLength),
    ("sup_pl", true, Key::PrefixLength),
    ("suppress_ifgroup", false, Key::LinkGroup),
    ("sup_group", true, Key::LinkGroup),
    ("dev", true, Key::Iif),
    ("iif", true, Key::Iif),
    ("oif", true, Key::Oif),
    ("l3mdev", true, Key::L3mdev),
    ("uidrange", true, Key::Users),
    ("ipproto", true, Key::IpProtocol),
    ("sport", true, Key::SourcePort),
    ("dport", true, Key::DestinationPort),
    ("tun_id", true, Key::Tunnel),
    ("flowlabel", true, Key::FlowLabel),
    ("type", true, Key::Type),
    ("nat", false, Key::Nat),
    ("map-to", true, Key::Nat),
    ("goto", false, Key::Goto),
    ("nop", false, Key::Nop),
];

/// Reads the words behind `ip rule add` or `delete`.
///
/// What is not said stays open, for [`Change`](crate::request::Change) to choose. Unlike ip, the
/// first prefix tells the family.
///
/// # Errors
/// At the first word that ip would not take either.
pub fn change<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
) -> Result<Rule, WordError> {
    let mut words = Words::new(words, names);
    let mut rule = Rule { family, ..Rule::default() };
    while let Some(word) = words.peek() {
        let key = keyword(word, KEYWORDS);
        if key.is_some() {
            words.next();
        }
        match key {
            Some(Key::Not) => rule.flags |= RuleFlags::INVERT,
            Some(Key::From) => rule.source = prefix(&mut words, &mut rule.family)?,
            Some(Key::To) => rule.destination = prefix(&mut words, &mut rule.family)?,
            Some(Key::Preference) => rule.priority = Some(preference(&mut words)?),
            Some(Key::Tos) => rule.tos = words.tos("TOS value is invalid")?,
            Some(Key::Dscp) => {
                let (value, mask) = masked(&mut words, "invalid dscp value", dscp)?;
                (rule.dscp, rule.dscp_mask) = (Some(value), mask);
            }
            Some(Key::Mark) => (rule.fwmark, rule.fwmask) = mark(&mut words)?,
            Some(Key::Realms) => {
                rule.realms = Some(words.realms("invalid realms")?);
            }
            Some(Key::Protocol) => {
                let reason = "\"protocol\" value is invalid";
                rule.protocol = Some(RouteProtocol(words.named_byte(NameKind::Protocol, reason)?));
            }
            Some(Key::Table) => {
                rule.table = TableId(words.named(NameKind::Table, "invalid table ID")?);
            }
            Some(Key::PrefixLength) => {
                let reason = "suppress_prefixlength value is invalid";
                rule.suppress_prefix_length = Some(words.number(u32::MAX, reason)?);
            }
            Some(Key::LinkGroup) => {
                let reason = "Invalid \"suppress_ifgroup\" value";
                rule.suppress_ifgroup = Some(words.named(NameKind::Group, reason)?);
            }
            Some(Key::Iif) => rule.iif = Some(link(&mut words, "\"iif\"/\"dev\"")?),
            Some(Key::Oif) => rule.oif = Some(link(&mut words, "\"oif\"")?),
            Some(Key::L3mdev) => rule.l3mdev = true,
            Some(Key::Users) => rule.uid_range = Some(users(&mut words)?),
            Some(Key::IpProtocol) => rule.ip_proto = Some(ip_protocol(&mut words)?),
            Some(Key::SourcePort) => {
                let (range, mask) = ports(&mut words, "invalid port range")?;
                (rule.source_ports, rule.source_port_mask) = (Some(range), mask);
            }
            Some(Key::DestinationPort) => {
                let (range, mask) = ports(&mut words, "invalid dport range")?;
                (rule.destination_ports, rule.destination_port_mask) = (Some(range), mask);
            }
            Some(Key::Tunnel) => rule.tun_id = Some(tunnel(&mut words)?),
            Some(Key::FlowLabel) => {
                let label = |word: &str| parse_number(word).filter(|label| *label <= 0xf_ffff);
                let (value, mask) = masked(&mut words, "invalid flowlabel value", label)?;
                (rule.flow_label, rule.flow_label_mask) = (Some(value), mask.or(Some(0xf_ffff)));
            }
            Some(Key::Goto) => {
                rule.action = RuleAction::GOTO;
                rule.goto = Some(words.number(u32::MAX, "invalid target")?);
            }
            Some(Key::Nop) => rule.action = RuleAction::NOP,
            Some(Key::Nat) => {
                let address = words.address(AddressFamily::INET)?;
                rule.action = NAT;
                let mut payload = Vec::new();
                Writer::attributes(&mut payload).ip(RTA_GATEWAY, address);
                rule.unknown.extend(Attrs::new(&payload).flatten().map(RawAttr::from));
            }
            // What stands behind it is looked at next, as if it stood alone.
            Some(Key::Type)
                if matches!(
                    words.peek().and_then(|word| keyword(word, KEYWORDS)),
                    Some(Key::Goto | Key::Nop | Key::Nat)
                ) => {}
            Some(Key::Type) | None => {
                let word = words.value()?;
                let kind = kind(word).ok_or_else(|| wrong(word, "Failed to parse rule type"))?;
                rule.action = RuleAction(kind.0);
            }
        }
    }
    if rule.l3mdev && rule.table != TableId::UNSPEC {
        let text = "table can not be specified for l3mdev rules".into();
        return Err(WordError { text, code: 22 });
    }
    Ok(rule)
}

/// Reads the words behind `ip rule show` or `ip rule flush`.
///
/// Without a family it is IPv4. (Unlike ip, which forgets about it, `show` heeds `protocol` too.)
///
/// # Errors
/// At the first word that ip would not take either.
pub fn selector<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
) -> Result<RuleFilter, WordError> {
    let mut words = Words::new(words, names);
    let family = if family == AddressFamily::UNSPEC { AddressFamily::INET } else { family };
    let mut filter = RuleFilter { family, ..RuleFilter::default() };
    while let Some(word) = words.peek() {
        let key = keyword(word, KEYWORDS);
        if key.is_some() {
            words.next();
        }
        match key {
            Some(Key::Not) => filter.inverted = true,
            Some(Key::From) => filter.source_within = prefix(&mut words, &mut filter.family)?,
            Some(Key::Preference) => filter.priority = Some(preference(&mut words)?),
            Some(Key::Tos) => filter.tos = Some(words.tos("TOS value is invalid")?),
            Some(Key::Mark) => (filter.fwmark, filter.fwmask) = mark(&mut words)?,
            Some(Key::Iif) => filter.iif = Some(link(&mut words, "\"iif\"/\"dev\"")?),
            Some(Key::Oif) => filter.oif = Some(link(&mut words, "\"oif\"")?),
            Some(Key::L3mdev) => filter.l3mdev = true,
            Some(Key::Users) => filter.uid_range = Some(users(&mut words)?),
            Some(Key::Tunnel) => filter.tun_id = Some(tunnel(&mut words)?),
            Some(Key::IpProtocol) => filter.ip_proto = Some(ip_protocol(&mut words)?),
            Some(Key::SourcePort) => {
                filter.source_ports = Some(ports(&mut words, "invalid port range")?.0);
            }
            Some(Key::DestinationPort) => {
                filter.destination_ports = Some(ports(&mut words, "invalid dport range")?.0);
            }
            Some(Key::Table) => {
                let table = words.named(NameKind::Table, "table id value is invalid")?;
                filter.table = Some(TableId(table));
            }
            Some(Key::Protocol) => {
                filter.protocol = if words.peek() == Some("all") {
                    words.next();
                    None
                } else {
                    let number = words.named_byte(NameKind::Protocol, "invalid \"protocol\"")?;
                    Some(RouteProtocol(number))
                };
            }
            // What no list can be narrowed by is taken for a prefix, as ip does.
            _ => {
                let said = matches!(key, Some(Key::To) | None);
                let word = if said { words.value()? } else { word };
                filter.within =
                    Some(super::prefix(word, filter.family)?).filter(|_| !is_default(word));
            }
        }
    }
    Ok(filter)
}

/// A prefix, `None` being all; the first tells the family.
fn prefix<S: AsRef<str>>(
    words: &mut Words<'_, S>,
    family: &mut AddressFamily,
) -> Result<Option<Prefix>, WordError> {
    let word = words.value()?;
    let prefix = super::prefix(word, *family)?;
    if is_default(word) {
        return Ok(None);
    }
    if *family == AddressFamily::UNSPEC {
        *family = AddressFamily::of(prefix.address);
    }
    Ok(Some(prefix).filter(|prefix| prefix.length != 0))
}

fn preference<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<u32, WordError> {
    words.number(u32::MAX, "preference value is invalid")
}

/// A code point by its number.
fn dscp(word: &str) -> Option<u8> {
    let number = parse_number(word).and_then(|number| u8::try_from(number).ok());
    number.filter(|number| *number < 64)
}

/// A value, perhaps with a mask behind `/`.
fn masked<S: AsRef<str>, T>(
    words: &mut Words<'_, S>,
    reason: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<(T, Option<T>), WordError> {
    let word = words.value()?;
    let (value, mask) = word.split_once('/').map_or((word, None), |(v, m)| (v, Some(m)));
    let value = read(value).ok_or_else(|| wrong(value, reason))?;
    let mask = mask.map(|mask| read(mask).ok_or_else(|| wrong(mask, reason))).transpose()?;
    Ok((value, mask))
}

/// A firewall mark and perhaps its mask.
fn mark<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<(Option<u32>, Option<u32>), WordError> {
    let word = words.value()?;
    let (value, mask) = word.split_once('/').map_or((word, None), |(v, m)| (v, Some(m)));
    let value = parse_number(value).ok_or_else(|| wrong(value, "fwmark value is invalid"))?;
    let number = |mask| parse_number(mask).ok_or_else(|| wrong(mask, "fwmask value is invalid"));
    Ok((Some(value), mask.map(number).transpose()?))
}

/// The name of a link, which need not exist.
fn link<S: AsRef<str>>(words: &mut Words<'_, S>, key: &str) -> Result<Text, WordError> {
    let word = words.value()?;
    let bad = |byte: u8| byte == b'/' || byte.is_ascii_whitespace();
    if word.is_empty() || word.len() > NAME_LENGTH_MAX || word.bytes().any(bad) {
        return Err(wrong(word, &format!("{key} not a valid ifname")));
    }
    Ok(word.into())
}

fn users<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<RangeInclusive<u32>, WordError> {
    let word = words.value()?;
    let ends = word
        .split_once('-')
        .and_then(|(start, end)| Some(start.parse::<u32>().ok()?..=end.parse::<u32>().ok()?));
    ends.ok_or_else(|| wrong(word, "invalid UID range"))
}

fn ip_protocol<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<u8, WordError> {
    words.named_byte(NameKind::IpProtocol, "Invalid \"ipproto\" value")
}

fn tunnel<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<u64, WordError> {
    let word = words.value()?;
    let digits = word.strip_prefix("0x").map(|digits| u64::from_str_radix(digits, 16).ok());
    digits
        .unwrap_or_else(|| word.parse().ok())
        .ok_or_else(|| wrong(word, "\"tun_id\" value is invalid"))
}

/// `PORT`, `FIRST-LAST` or `PORT/MASK`.
fn ports<S: AsRef<str>>(
    words: &mut Words<'_, S>,
    reason: &str,
) -> Result<(RangeInclusive<u16>, Option<u16>), WordError> {
    let word = words.value()?;
    let port = |word: &str| parse_number(word).and_then(|number| u16::try_from(number).ok());
    let read = || {
        if let Some((value, mask)) = word.split_once('/') {
            let value = port(value)?;
            return Some((value..=value, Some(port(mask)?)));
        }
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        Some((port(first)?..=port(last)?, None))
    };
    read().ok_or_else(|| wrong(word, reason))
}
