//! The words of `ip addrlabel`, `ip netconf`, `ip ntable`, `ip maddress` and `ip token`.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use core::net::Ipv6Addr;

use nl_wire::value::AddressFamily;
use nl_wire::{RawAttr, Writer};

use super::{Keyword, WordError, Words, address, duplicate, keyword, prefix, wrong};
use crate::address_label::{AddressLabel, GetAddressLabel};
use crate::link::Link;
use crate::names::{Names, parse_number};
use crate::neighbour_table::{NeighbourParameters, NeighbourTable, NeighbourTableFilter};
use crate::netconf::NetconfFilter;
use crate::tables::link::{AF_INET6, IFLA_AF_SPEC, IFLA_INET6_TOKEN};

/// Reads the words behind `ip addrlabel add` or `del`.
///
/// # Errors
/// At the first word that ip would not take either, and where the prefix or the label is missing.
pub fn address_label<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
) -> Result<AddressLabel, WordError> {
    let mut words = Words::new(words, names);
    let mut label = AddressLabel { family, ..AddressLabel::default() };
    while let Some(word) = words.next() {
        match word {
            "prefix" => label.prefix = Some(prefix(words.value()?, family)?),
            "dev" => {
                let word = words.value()?;
                let index = names.link_index(word);
                label.index = index.ok_or_else(|| wrong(word, "dev is invalid"))?;
            }
            "label" => {
                let word = words.value()?;
                // The greatest number says that there is none.
                let number = parse_number(word).filter(|number| *number != u32::MAX);
                label.label = Some(number.ok_or_else(|| wrong(word, "label is invalid"))?);
            }
            // ip passes over words that it does not know.
            _ => return Err(unknown(word)),
        }
    }
    if label.prefix.is_none() {
        return Err(missing("prefix"));
    }
    if label.label.is_none() {
        return Err(missing("label"));
    }
    Ok(label)
}

/// Reads the words behind `nlctl addrlabel get`: an address, and perhaps `dev LINK`.
///
/// # Errors
/// If they are something else.
pub fn get_address_label<S: AsRef<str>>(
    words: &[S],
    names: &Names,
) -> Result<GetAddressLabel, WordError> {
    let mut words = Words::new(words, names);
    let mut get =
        GetAddressLabel { address: address(words.value()?, AddressFamily::INET6)?, index: 0 };
    while let Some(word) = words.next() {
        match word {
            "dev" => get.index = words.link()?,
            _ => return Err(unknown(word)),
        }
    }
    Ok(get)
}

fn unknown(word: &str) -> WordError {
    wrong(word, "unknown")
}

fn missing(what: &str) -> WordError {
    WordError { text: format!("Not enough information: \"{what}\" argument is required."), code: 1 }
}

/// Reads the words behind `ip netconf show`.
///
/// # Errors
/// If they are anything but `dev LINK`.
pub fn netconf<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
) -> Result<NetconfFilter, WordError> {
    let mut words = Words::new(words, names);
    let mut filter = NetconfFilter { family, index: None };
    while let Some(word) = words.next() {
        if word != "dev" {
            return Err(unknown(word));
        }
        let word = words.value()?;
        let index = names.link_index(word).and_then(|index| i32::try_from(index).ok());
        filter.index = Some(index.ok_or_else(|| WordError {
            text: format!("Device \"{}\" does not exist.", super::escaped(word)),
            code: 1,
        })?);
    }
    Ok(filter)
}

/// Reads the words behind `ip maddress show`: the name of a link, if there is one.
///
/// # Errors
/// If they are anything but `[dev] LINK`.
pub fn memberships<'w, S: AsRef<str>>(
    words: &'w [S],
    names: &'w Names,
) -> Result<Option<&'w str>, WordError> {
    let mut words = Words::new(words, names);
    let mut link = None;
    while let Some(word) = words.next() {
        let word = if word == "dev" { words.value()? } else { word };
        if link.replace(word).is_some() {
            return Err(super::garbage("dev", word));
        }
    }
    Ok(link)
}

/// Reads the words behind `ip token list`: a link, if `dev` names one; all else is passed over.
///
/// # Errors
/// If there is no such link.
pub fn tokens<S: AsRef<str>>(words: &[S], names: &Names) -> Result<Option<u32>, WordError> {
    Ok(token_words(words, names)?.1)
}

/// Reads the words behind `ip token set` and, with `delete`, `del`: what is to change of a link. No
/// token is the token `::`.
///
/// # Errors
/// If the link or the token is missing, or makes no sense.
pub fn token<S: AsRef<str>>(words: &[S], names: &Names, delete: bool) -> Result<Link, WordError> {
    let (word, index) = token_words(words, names)?;
    let token = match word {
        Some(word) => prefix(word, AddressFamily::INET6)?.address,
        None if delete => Ipv6Addr::UNSPECIFIED.into(),
        None => {
            let text = "Not enough information: token is required.".into();
            return Err(WordError { text, code: 1 });
        }
    };
    let index = index.ok_or_else(|| missing("dev"))?;
    let mut spec = Vec::new();
    let nested = Writer::attributes(&mut spec).nest(AF_INET6, |writer| {
        writer.ip(IFLA_INET6_TOKEN, token);
        Ok(())
    });
    nested.map_err(|_| wrong(word.unwrap_or_default(), "no token"))?;
    let unknown = vec![RawAttr { raw_type: IFLA_AF_SPEC, payload: spec }];
    Ok(Link { family: AddressFamily::INET6, index, unknown, ..Link::default() })
}

/// The first token and the first link among words.
fn token_words<'w, S: AsRef<str>>(
    words: &'w [S],
    names: &'w Names,
) -> Result<(Option<&'w str>, Option<u32>), WordError> {
    let mut words = Words::new(words, names);
    let (mut token, mut link) = (None, None);
    while let Some(word) = words.next() {
        if word == "dev" {
            let word = words.value()?;
            let index = names.link_index(word).ok_or_else(|| wrong(word, "dev is invalid"))?;
            link.get_or_insert(index);
        } else {
            token.get_or_insert(word);
        }
    }
    Ok((token, link))
}

/// Reads the words behind `ip ntable show`.
///
/// # Errors
/// At the first word that ip would not take either.
pub fn neighbour_tables<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
) -> Result<NeighbourTableFilter, WordError> {
    let mut words = Words::new(words, names);
    let mut filter = NeighbourTableFilter { family, ..NeighbourTableFilter::default() };
    while let Some(word) = words.next() {
        match word {
            "dev" => filter.index = Some(link(&mut words)?),
            "name" => filter.name = Some(words.value()?.into()),
            _ => return Err(unknown(word)),
        }
    }
    Ok(filter)
}

fn link<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<u32, WordError> {
    let word = words.value()?;
    words.names.link_index(word).ok_or_else(|| wrong(word, "\"DEV\" is invalid"))
}

/// A word of `ip ntable change` and what it sets.
#[derive(Clone, Copy)]
enum Key {
    Name,
    Link,
    Limit(fn(&mut NeighbourTable) -> &mut Option<u32>),
    Interval,
    Number(fn(&mut NeighbourParameters) -> &mut Option<u32>),
    Time(fn(&mut NeighbourParameters) -> &mut Option<u64>),
}

const KEYWORDS: &[Keyword<Key>] = &[
    ("name", true, Key::Name),
    ("dev", true, Key::Link),
    ("thresh1", true, Key::Limit(|table| &mut table.threshold1)),
    ("thresh2", true, Key::Limit(|table| &mut table.threshold2)),
    ("thresh3", true, Key::Limit(|table| &mut table.threshold3)),
    ("gc_int", true, Key::Interval),
    ("base_reachable", true, Key::Time(|it| &mut it.base_reachable_time)),
    ("retrans", true, Key::Time(|it| &mut it.retrans_time)),
    ("gc_stale", true, Key::Time(|it| &mut it.gc_stale_time)),
    ("delay_probe", true, Key::Time(|it| &mut it.delay_probe_time)),
    ("queue", true, Key::Number(|it| &mut it.queue_length)),
    ("app_probes", true, Key::Number(|it| &mut it.app_probes)),
    ("ucast_probes", true, Key::Number(|it| &mut it.ucast_probes)),
    ("mcast_probes", true, Key::Number(|it| &mut it.mcast_probes)),
    ("anycast_delay", true, Key::Time(|it| &mut it.anycast_delay)),
    ("proxy_delay", true, Key::Time(|it| &mut it.proxy_delay)),
    ("proxy_queue", true, Key::Number(|it| &mut it.proxy_queue_length)),
    ("locktime", true, Key::Time(|it| &mut it.lock_time)),
];

/// Reads the words behind `ip ntable change`.
///
/// # Errors
/// At the first word that ip would not take either, and where the name or what is to be changed is
/// missing.
pub fn neighbour_table<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
) -> Result<NeighbourTable, WordError> {
    let mut words = Words::new(words, names);
    let mut table = NeighbourTable { family, ..NeighbourTable::default() };
    let mut parameters = NeighbourParameters::default();
    let (mut index, mut changes) = (None, false);
    while let Some(word) = words.next() {
        let key = keyword(word, KEYWORDS).ok_or_else(|| unknown(word))?;
        let reason = format!("\"{word}\" value is invalid");
        changes |= !matches!(key, Key::Name | Key::Link);
        match key {
            Key::Name => {
                let value = words.value()?;
                if table.name.replace(value.into()).is_some() {
                    return Err(duplicate("NAME", value));
                }
            }
            Key::Link => index = Some(link(&mut words)?),
            Key::Limit(field) => {
                *field(&mut table) = Some(words.number(u32::MAX, &reason)?);
            }
            Key::Interval => table.gc_interval = Some(words.number(u32::MAX, &reason)?.into()),
            Key::Number(field) => {
                *field(&mut parameters) = Some(words.number(u32::MAX, &reason)?);
            }
            Key::Time(field) => {
                *field(&mut parameters) = Some(words.number(u32::MAX, &reason)?.into());
            }
        }
    }
    if table.name.is_none() {
        let text = "Error: argument \"NAME\" is required".into();
        return Err(WordError { text, code: 255 });
    }
    if !changes {
        let text = "Not enough information: changeable attributes required.".into();
        return Err(WordError { text, code: 255 });
    }
    if parameters != NeighbourParameters::default() {
        parameters.index = index;
        table.parameters = Some(parameters.into());
    }
    Ok(table)
}
