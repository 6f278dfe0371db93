//! The words of `ip route show`.

use nl_wire::value::AddressFamily;

use super::{Keyword, WordError, Words, keyword, kind, wrong};
use crate::filter::RouteFilter;
use crate::names::{NameKind, Names};
use crate::prefix::Prefix;
use crate::print::Hidden;
use crate::value::{RouteProtocol, Scope, TableId};

/// What `ip route show` lists, and what it leaves out of each line as it is settled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Selector {
    /// Which routes.
    pub filter: RouteFilter,
    /// What is not printed.
    pub hidden: Hidden,
}

#[derive(Clone, Copy)]
enum Key {
    Table,
    Vrf,
    Cached,
    Tos,
    Protocol,
    Scope,
    Type,
    Link,
    Iif,
    Mark,
    Metric,
    Via,
    Source,
    Realms,
    From,
    To,
}

const KEYWORDS: &[Keyword<Key>] = &[
    ("table", false, Key::Table),
    ("vrf", true, Key::Vrf),
    ("cached", false, Key::Cached),
    ("cloned", false, Key::Cached),
    ("tos", true, Key::Tos),
    ("dsfield", false, Key::Tos),
    ("protocol", false, Key::Protocol),
    ("scope", false, Key::Scope),
    ("type", false, Key::Type),
    ("dev", true, Key::Link),
    ("oif", true, Key::Link),
    ("iif", true, Key::Iif),
    ("mark", true, Key::Mark),
    ("metric", false, Key::Metric),
    ("priority", false, Key::Metric),
    ("preference", true, Key::Metric),
    ("via", true, Key::Via),
    ("src", true, Key::Source),
    ("realms", false, Key::Realms),
    ("from", false, Key::From),
    ("to", false, Key::To),
];

/// Reads the words behind `ip route show`.
///
/// Without a table it is the main one. Without a family it is that of the first prefix, else IPv4,
/// but all of them with `table all`. (ip keeps to IPv4 even where it is given an IPv6 prefix, and
/// so shows nothing.)
///
/// # Errors
/// At the first word that ip would not take either.
pub fn selector<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
) -> Result<Selector, WordError> {
    let mut filter = RouteFilter { family, table: Some(TableId::MAIN), ..RouteFilter::default() };
    let mut hidden = Hidden(0);
    let mut words = Words::new(words, names);
    while let Some(word) = words.peek() {
        let key = keyword(word, KEYWORDS);
        if key.is_some() {
            words.next();
        }
        match key {
            Some(Key::Table) => match words.peek() {
                Some("all") => {
                    words.next();
                    filter.table = None;
                }
                Some("cache") => {
                    words.next();
                    filter.cloned = true;
                }
                _ => {
                    let table = words.named(NameKind::Table, "table id value is invalid")?;
                    filter.table = Some(TableId(table)).filter(|_| table != 0);
                }
            },
            Some(Key::Vrf) => filter.table = Some(TableId(words.vrf()?)),
            Some(Key::Cached) => filter.cloned = true,
            Some(Key::Tos) => {
                filter.tos = Some(words.tos("TOS value is invalid")?);
                hidden |= Hidden::TOS;
            }
            Some(Key::Protocol) => {
                if words.peek() == Some("all") {
                    words.next();
                    filter.protocol = None;
                } else {
                    let number = words.named_byte(NameKind::Protocol, "invalid \"protocol\"")?;
                    filter.protocol = Some(RouteProtocol(number));
                    hidden |= Hidden::PROTOCOL;
                }
            }
            Some(Key::Scope) => {
                if words.peek() == Some("all") {
                    words.next();
                    filter.scope = None;
                } else {
                    let number = words.named_byte(NameKind::Scope, "invalid \"scope\"")?;
                    filter.scope = Some(Scope(number));
                    hidden |= Hidden::SCOPE;
                }
            }
            Some(Key::Type) => {
                let word = words.value()?;
                let kind = kind(word).ok_or_else(|| wrong(word, "node type value is invalid"))?;
                filter.kind = Some(kind);
            }
            Some(Key::Link) => {
                filter.oif = Some(words.link()?);
                hidden |= Hidden::OIF;
            }
            Some(Key::Iif) => {
                filter.iif = Some(words.link()?);
                hidden |= Hidden::IIF;
            }
            Some(Key::Mark) => {
                filter.mark = Some(words.number(u32::MAX, "invalid mark value")?);
            }
            Some(Key::Realms) => realms(&mut words, &mut filter, &mut hidden)?,
            Some(Key::Metric) => {
                let metric = words.number(u32::MAX, "\"metric\" value is invalid")?;
                filter.priority = Some(metric);
                hidden |= Hidden::PRIORITY;
            }
            Some(Key::Via) => {
                let gateway = words.prefix(filter.family)?;
                filter.gateway = Some(gateway);
                hidden |= if gateway.is_host() { Hidden::GATEWAY } else { Hidden(0) };
            }
            Some(Key::Source) => {
                let source = words.prefix(filter.family)?;
                filter.prefsrc = Some(source);
                hidden |= if source.is_host() { Hidden::PREFSRC } else { Hidden(0) };
            }
            Some(Key::From) => {
                let (within, covering) = target(&mut words, &mut filter.family)?;
                filter.source_within = within.or(filter.source_within);
                filter.source_covering = covering.or(filter.source_covering);
            }
            Some(Key::To) | None => {
                let (within, covering) = target(&mut words, &mut filter.family)?;
                filter.within = within.or(filter.within);
                filter.covering = covering.or(filter.covering);
            }
        }
    }
    if filter.cloned {
        filter.table = None;
    }
    if filter.table.is_some() {
        hidden |= Hidden::TABLE;
        if filter.family == AddressFamily::UNSPEC {
            filter.family = AddressFamily::INET;
        }
    }
    Ok(Selector { filter, hidden })
}

/// `[FROM/]TO`: an end of which nothing is said, or 0, may be any, unless the other one is missing.
fn realms<S: AsRef<str>>(
    words: &mut Words<'_, S>,
    filter: &mut RouteFilter,
    hidden: &mut Hidden,
) -> Result<(), WordError> {
    let word = words.peek().unwrap_or_default();
    let realms = words.realms("invalid realms")?;
    let open = (!word.contains('/') || word.starts_with('/'), word.ends_with('/'));
    filter.realm_from = Some(realms.from).filter(|realm| *realm != 0 || !open.0);
    filter.realm_to = Some(realms.to).filter(|realm| *realm != 0 || !open.1);
    if filter.realm_from.is_some() && filter.realm_to.is_some() {
        *hidden |= Hidden::REALMS;
    }
    Ok(())
}

/// Reads the words behind `ip mroute show`.
///
/// Without a table it is the default one. Without a family it is that of the first prefix, else
/// IPv4. (ip takes no prefix without being told the family.)
///
/// # Errors
/// At the first word that ip would not take either.
pub fn multicast<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
) -> Result<Selector, WordError> {
    let (mut filter, mut family) = (RouteFilter::default(), family);
    let mut table = None;
    let mut words = Words::new(words, names);
    while let Some(word) = words.peek() {
        let key = keyword(word, MULTICAST_KEYWORDS);
        if key.is_some() {
            words.next();
        }
        match key {
            Some(Key::Table) if words.peek() == Some("all") => {
                words.next();
                table = Some(None);
            }
            Some(Key::Table) => {
                let number = words.named(NameKind::Table, "table id value is invalid")?;
                table = Some(Some(TableId(number)));
            }
            Some(Key::Iif) => filter.iif = Some(words.link()?),
            Some(Key::From) => {
                let prefix = words.prefix(family)?;
                filter.source_within = Some(prefix);
                family = AddressFamily::of(prefix.address);
            }
            _ => {
                let prefix = words.prefix(family)?;
                filter.within = Some(prefix);
                family = AddressFamily::of(prefix.address);
            }
        }
    }
    let (family, usual) = match family {
        AddressFamily::INET6 => (AddressFamily::IP6MR, TableId::MAIN),
        _ => (AddressFamily::IPMR, TableId::DEFAULT),
    };
    (filter.family, filter.table) = (family, table.unwrap_or(Some(usual)));
    let hidden = if filter.table.is_some() { Hidden::TABLE } else { Hidden(0) };
    Ok(Selector { filter, hidden })
}

const MULTICAST_KEYWORDS: &[Keyword<Key>] = &[
    ("table", false, Key::Table),
    ("iif", true, Key::Iif),
    ("from", false, Key::From),
    ("to", false, Key::To),
];

/// `[root | match | exact] PREFIX`: what the prefix shall lie in, and what it shall cover.
fn target<S: AsRef<str>>(
    words: &mut Words<'_, S>,
    family: &mut AddressFamily,
) -> Result<(Option<Prefix>, Option<Prefix>), WordError> {
    let how = words.peek().filter(|word| matches!(*word, "root" | "match" | "exact"));
    if how.is_some() {
        words.next();
    }
    if *family == AddressFamily::UNSPEC && matches!(words.peek(), Some("all" | "any")) {
        words.next();
        return Ok((None, None));
    }
    let prefix = words.prefix(*family)?;
    if *family == AddressFamily::UNSPEC {
        *family = AddressFamily::of(prefix.address);
    }
    Ok(match how {
        Some("root") => (Some(prefix), None),
        Some("match") => (None, Some(prefix)),
        _ => (Some(prefix), Some(prefix)),
    })
}
