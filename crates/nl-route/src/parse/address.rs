//! The words of `ip address`.

use alloc::format;
use core::net::{IpAddr, Ipv4Addr};

use nl_wire::text::Text;
use nl_wire::value::AddressFamily;

use super::{Keyword, WordError, Words, duplicate, escaped, garbage, keyword, wrong};
use crate::address::{Address, AddressCacheInfo};
use crate::link::Link;
use crate::names::{NameKind, Names, parse_number};
use crate::object::Action;
use crate::prefix::Prefix;
use crate::value::{AddressFlags, AddressProtocol, LinkFlags, Scope};

#[derive(Clone, Copy)]
enum Key {
    Peer,
    Broadcast,
    Anycast,
    Scope,
    Link,
    Label,
    Metric,
    Valid,
    Preferred,
    Flag(AddressFlags),
    /// One that the kernel sets.
    Told(&'static str),
    Protocol,
    Local,
}

/// In the order in which ip looks for them.
const KEYWORDS: &[Keyword<Key>] = &[
    ("peer", true, Key::Peer),
    ("remote", true, Key::Peer),
    ("broadcast", false, Key::Broadcast),
    ("brd", true, Key::Broadcast),
    ("anycast", true, Key::Anycast),
    ("scope", true, Key::Scope),
    ("dev", true, Key::Link),
    ("label", true, Key::Label),
    ("metric", true, Key::Metric),
    ("priority", true, Key::Metric),
    ("preference", true, Key::Metric),
    ("valid_lft", false, Key::Valid),
    ("preferred_lft", false, Key::Preferred),
    ("home", true, Key::Flag(AddressFlags::HOMEADDRESS)),
    ("nodad", true, Key::Flag(AddressFlags::NODAD)),
    ("mngtmpaddr", true, Key::Flag(AddressFlags::MANAGETEMPADDR)),
    ("noprefixroute", true, Key::Flag(AddressFlags::NOPREFIXROUTE)),
    ("autojoin", true, Key::Flag(AddressFlags::MCAUTOJOIN)),
    ("optimistic", true, Key::Flag(AddressFlags::OPTIMISTIC)),
    ("secondary", true, Key::Told("secondary")),
    ("temporary", true, Key::Told("temporary")),
    ("dadfailed", true, Key::Told("dadfailed")),
    ("deprecated", true, Key::Told("deprecated")),
    ("tentative", true, Key::Told("tentative")),
    ("permanent", true, Key::Told("permanent")),
    ("stable-privacy", true, Key::Told("stable-privacy")),
    ("proto", true, Key::Protocol),
    ("local", true, Key::Local),
];

/// Reads the words behind `ip address add`, `change`, `replace` or `delete`.
///
/// An address to be deleted whose prefix length is not told has no [`Address::address`]: the first of
/// that local address is meant, whatever its length is.
///
/// # Errors
/// At the first word that ip would not take either.
pub fn change<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
    action: Action,
) -> Result<Address, WordError> {
    change_and_warn(words, family, names, action, &mut |_| ())
}

/// [`change`], with what ip warns of without an error: a line each.
///
/// # Errors
/// As [`change`].
pub fn change_and_warn<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
    action: Action,
    warn: &mut dyn FnMut(&str),
) -> Result<Address, WordError> {
    let mut words = Words::new(words, names);
    let mut address = Address { family, ..Address::default() };
    let (mut local, mut peer): (Option<Prefix>, Option<Prefix>) = (None, None);
    let mut local_word: Option<&str> = None;
    let (mut link, mut label, mut broadcast, mut scope) = (None, None, None, None);
    let mut lifetimes = AddressCacheInfo::default();
    while let Some(word) = words.peek() {
        let key = keyword(word, KEYWORDS);
        if key.is_some() {
            words.next();
        }
        match key {
            Some(Key::Peer) => {
                let word = words.value()?;
                if peer.is_some() {
                    return Err(duplicate("peer", word));
                }
                peer = Some(super::prefix(word, address.family)?);
            }
            Some(Key::Broadcast) => {
                let word = words.value()?;
                if broadcast.replace(word).is_some() {
                    return Err(duplicate("broadcast", word));
                }
            }
            Some(Key::Anycast) => address.anycast = Some(words.address(address.family)?),
            Some(Key::Scope) => {
                scope = Some(Scope(words.named_byte(NameKind::Scope, "invalid scope value.")?));
            }
            Some(Key::Link) => link = Some(words.value()?),
            Some(Key::Label) => label = Some(words.value()?),
            Some(Key::Metric) => {
                let metric = words.number(u32::MAX, "\"metric\" value is invalid")?;
                address.rt_priority = Some(metric);
            }
            Some(Key::Valid) => {
                lifetimes.valid = lifetime(words.value()?, "valid_lft value")?;
                address.cache_info = Some(lifetimes);
            }
            Some(Key::Preferred) => {
                lifetimes.preferred = lifetime(words.value()?, "preferred_lft value")?;
                address.cache_info = Some(lifetimes);
            }
            Some(Key::Flag(flag)) => address.flags |= flag,
            Some(Key::Told(word)) => {
                warn(&format!("Warning: {word} option is not mutable from userspace"));
            }
            Some(Key::Protocol) => {
                let reason = "\"proto\" value is invalid";
                let number = words.named_byte(NameKind::AddressProtocol, reason)?;
                address.protocol = Some(AddressProtocol(number));
            }
            Some(Key::Local) | None => {
                let word = words.value()?;
                if local_word.replace(word).is_some() {
                    return Err(garbage("local", word));
                }
                // An address of all is none.
                if !super::is_default(word) {
                    local = Some(super::prefix(word, address.family)?);
                }
            }
        }
        for prefix in [local, peer].into_iter().flatten() {
            if address.family == AddressFamily::UNSPEC {
                address.family = AddressFamily::of(prefix.address);
            }
        }
    }
    if address.family != AddressFamily::INET6 {
        for (flag, word) in ONLY_IPV6 {
            if address.flags.contains(flag) {
                warn(&format!("Warning: {word} option can be set only for IPv6 addresses"));
            }
        }
    }
    if address.cache_info.is_some() && lifetimes.valid == 0 {
        return Err(WordError { text: "valid_lft is zero".into(), code: 1 });
    }
    if lifetimes.valid < lifetimes.preferred && lifetimes.valid != AddressCacheInfo::FOREVER {
        if lifetimes.preferred != AddressCacheInfo::FOREVER {
            let text = "preferred_lft is greater than valid_lft".into();
            return Err(WordError { text, code: 1 });
        }
        // Without a word of it, an address is not preferred for longer than it is valid.
        lifetimes.preferred = lifetimes.valid;
        address.cache_info = Some(lifetimes);
    }
    let missing = |text: &str| WordError { text: text.into(), code: 1 };
    let link =
        link.ok_or_else(|| missing("Not enough information: \"dev\" argument is required."))?;
    if let Some(label) = label {
        address.label = Some(Text::from(label));
    }
    address.local = local.map(|prefix| prefix.address);
    let multicast = address.local.is_some_and(|local| local.is_multicast());
    if address.flags.contains(AddressFlags::MCAUTOJOIN) && !multicast {
        return Err(missing("autojoin needs multicast address"));
    }
    let any_length = action == Action::Delete
        && address.family == AddressFamily::INET
        && local_word.is_some_and(|word| !word.contains('/'));
    address.address = peer.or(local.filter(|_| !any_length)).map(|prefix| prefix.address);
    if let (None, Some(local)) = (address.address, address.local) {
        warn(&format!(
            "Warning: Executing wildcard deletion to stay compatible with old scripts.\n         \
             Explicitly specify the prefix length ({local}/32) to avoid this warning.\n         \
             This special behaviour is likely to disappear in further releases,\n         \
             fix your scripts!"
        ));
    }
    if let Some(prefix) = peer.or(local) {
        address.prefix_length = prefix.length;
    }
    address.broadcast = broadcast_of(broadcast, &address, peer)?;
    let loopback = match address.local {
        Some(IpAddr::V4(own)) => own.octets()[0] == 127,
        _ => false,
    };
    let usual = if loopback && action != Action::Delete { Scope::HOST } else { Scope(0) };
    address.scope = scope.unwrap_or(usual);
    address.index = words.link_of(link)?;
    Ok(address)
}

/// Flags that IPv4 has no use for.
const ONLY_IPV6: [(AddressFlags, &str); 4] = [
    (AddressFlags::NODAD, "nodad"),
    (AddressFlags::OPTIMISTIC, "optimistic"),
    (AddressFlags::HOMEADDRESS, "home"),
    (AddressFlags::MANAGETEMPADDR, "mngtmpaddr"),
];

/// Seconds, or `forever`; 0 is refused where the kernel would.
fn lifetime(word: &str, what: &str) -> Result<u32, WordError> {
    if word == "forever" {
        return Ok(AddressCacheInfo::FOREVER);
    }
    parse_number(word).ok_or_else(|| wrong(word, what))
}

/// The broadcast address that a word means: `+` and `-` are all ones and all zeros in the host's
/// part.
fn broadcast_of(
    word: Option<&str>,
    address: &Address,
    peer: Option<Prefix>,
) -> Result<Option<IpAddr>, WordError> {
    let Some(word) = word else { return Ok(None) };
    if !matches!(word, "+" | "-") {
        return super::address(word, address.family).map(Some);
    }
    let broad = |text: &str| WordError { text: text.into(), code: 255 };
    let Some(IpAddr::V4(own)) = peer.map(|prefix| prefix.address).or(address.local) else {
        return Err(broad("Broadcast can be set only for IPv4 addresses"));
    };
    if address.prefix_length > 30 {
        return Ok(None);
    }
    let host = u32::MAX.checked_shr(address.prefix_length.into()).unwrap_or(0);
    let bits = u32::from(own);
    Ok(Some(Ipv4Addr::from(if word == "+" { bits | host } else { bits & !host }).into()))
}

/// What `ip address show` and `flush` choose: links, and addresses of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Selector {
    /// The family; `UNSPEC` is all.
    pub family: AddressFamily,
    /// The link's index.
    pub index: Option<u32>,
    /// How far away they are valid.
    pub scope: Option<Scope>,
    /// What they lie in.
    pub within: Option<Prefix>,
    /// A pattern of labels, with `*` and `?`.
    pub label: Option<Text>,
    /// Flags that must be there.
    pub flags: AddressFlags,
    /// Flags that must not be there.
    pub without: AddressFlags,
    /// Only of links that are switched on.
    pub up: bool,
    /// Only of links of this master; [`Selector::NO_MASTER`] are those without.
    pub master: Option<u32>,
    /// Only of links of this kind.
    pub kind: Option<Text>,
    /// Only of links of this group.
    pub group: Option<u32>,
}

impl Selector {
    /// As [`Selector::master`]: links that belong to none.
    pub const NO_MASTER: u32 = u32::MAX;

    /// Whether a link is one of those asked for.
    pub fn admits_link(&self, link: &Link) -> bool {
        self.index.is_none_or(|index| index == link.index)
            && (!self.up || link.flags.contains(LinkFlags::UP))
            && self.master.is_none_or(|master| link.master.unwrap_or(Self::NO_MASTER) == master)
            && self.kind.as_ref().is_none_or(|kind| is_of_kind(link, kind))
            && self.group.is_none_or(|group| link.group == Some(group))
    }

    /// Whether an address is one of those asked for; of its link nothing but the index counts.
    pub fn admits(&self, address: &Address, names: &Names) -> bool {
        let family = self.family == AddressFamily::UNSPEC || self.family == address.family;
        family
            && self.index.is_none_or(|index| index == address.index)
            && self.scope.is_none_or(|scope| scope == address.scope)
            && self
                .within
                .is_none_or(|prefix| address.own().is_some_and(|own| prefix.contains(own)))
            && address.flags.contains(self.flags)
            && (address.flags.0 & self.without.0) == 0
            && self.label.as_ref().is_none_or(|pattern| {
                let name = || names.known_link(address.index);
                let label = address.label.as_ref().or_else(name);
                label.is_some_and(|label| matches(pattern.as_bytes(), label.as_bytes()))
            })
    }

    /// Whether links without a fitting address are left out.
    pub fn needs_address(&self) -> bool {
        self.family != AddressFamily::UNSPEC
            || self.scope.is_some()
            || self.within.is_some()
            || self.label.is_some()
            || !self.flags.is_empty()
            || !self.without.is_empty()
    }
}

/// Whether a link is of a kind, or, for `bridge_slave` and the like, of a master of one.
fn is_of_kind(link: &Link, kind: &Text) -> bool {
    match kind.as_bytes().strip_suffix(b"_slave") {
        None => link.info_kind() == Some(kind),
        Some(master) => {
            let kind = link.info.as_ref().and_then(|info| info.slave_kind.as_ref());
            kind.is_some_and(|kind| kind.as_bytes() == master)
        }
    }
}

/// Whether `text` fits a pattern with `*` and `?`, in time of the product of their lengths.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&letter) = text.get(from) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(&wanted) if wanted == b'?' || wanted == letter => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((place, start)) => {
                    star = Some((place, start + 1));
                    at = place + 1;
                    from = start + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|rest| *rest == b'*')
}

/// Words that choose by flags.
const FLAGS: [(&str, AddressFlags); 13] = [
    ("secondary", AddressFlags::SECONDARY),
    ("temporary", AddressFlags::SECONDARY),
    ("nodad", AddressFlags::NODAD),
    ("optimistic", AddressFlags::OPTIMISTIC),
    ("dadfailed", AddressFlags::DADFAILED),
    ("home", AddressFlags::HOMEADDRESS),
    ("deprecated", AddressFlags::DEPRECATED),
    ("tentative", AddressFlags::TENTATIVE),
    ("permanent", AddressFlags::PERMANENT),
    ("mngtmpaddr", AddressFlags::MANAGETEMPADDR),
    ("noprefixroute", AddressFlags::NOPREFIXROUTE),
    ("autojoin", AddressFlags::MCAUTOJOIN),
    ("stable-privacy", AddressFlags::STABLE_PRIVACY),
];

/// Whether `ip address show` knows a word that begins as options do: `-tentative`.
pub fn is_dashed(word: &str) -> bool {
    word.starts_with('-') && flag(word).is_some()
}

/// The flag that a word chooses by, and whether it must be there: behind `-` it must not.
fn flag(word: &str) -> Option<(AddressFlags, bool)> {
    let (word, there) = word.strip_prefix('-').map_or((word, true), |word| (word, false));
    let (word, there) = match word {
        "dynamic" => ("permanent", !there),
        "primary" => ("secondary", !there),
        word => (word, there),
    };
    FLAGS.iter().find(|row| row.0 == word).map(|row| (row.1, there))
}

/// Reads the words behind `ip address show` or `flush`.
///
/// # Errors
/// At the first word that ip would not take either.
pub fn selector<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
) -> Result<Selector, WordError> {
    let mut words = Words::new(words, names);
    let mut selector = Selector { family, ..Selector::default() };
    let mut link = None;
    while let Some(word) = words.next() {
        if let Some((flag, there)) = flag(word) {
            // Of two words about one flag the last counts.
            selector.flags = selector.flags.without(flag);
            selector.without = selector.without.without(flag);
            *if there { &mut selector.flags } else { &mut selector.without } |= flag;
            continue;
        }
        match word {
            "to" => {
                let prefix = words.prefix(selector.family)?;
                selector.family = AddressFamily::of(prefix.address);
                selector.within = Some(prefix);
            }
            "scope" => {
                if words.peek() == Some("all") {
                    words.next();
                } else {
                    let scope = words.named_byte(NameKind::Scope, "invalid \"scope\"")?;
                    selector.scope = Some(Scope(scope));
                }
            }
            "up" => selector.up = true,
            "label" => selector.label = Some(Text::from(words.value()?)),
            "master" => selector.master = Some(device(&mut words)?),
            "vrf" => selector.master = Some(words.vrf_link("Not a valid VRF name")?),
            "nomaster" => selector.master = Some(Selector::NO_MASTER),
            "type" => selector.kind = Some(Text::from(words.value()?)),
            "group" => {
                selector.group = Some(words.named(NameKind::Group, "Invalid \"group\" value")?);
            }
            word => {
                let word = if word == "dev" { words.value()? } else { word };
                if link.replace(word).is_some() {
                    return Err(garbage("dev", word));
                }
            }
        }
    }
    if let Some(word) = link {
        selector.index = Some(existing(&words, word)?);
    }
    Ok(selector)
}

fn device<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<u32, WordError> {
    let word = words.value()?;
    let index = words.names.link_index(word);
    index.ok_or_else(|| wrong(word, "Device does not exist"))
}

/// A link that a list is about.
pub(super) fn existing<S: AsRef<str>>(words: &Words<'_, S>, word: &str) -> Result<u32, WordError> {
    words.names.link_index(word).ok_or_else(|| WordError {
        text: format!("Device \"{}\" does not exist.", escaped(word)),
        code: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, text, fits) in [
            ("", "", true),
            ("*", "", true),
            ("a*", "abc", true),
            ("a*c", "abcbc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b", "aab", true),
            ("*b", "aba", false),
            ("eth0:*", "eth0:1", true),
            ("**x**", "axb", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), fits, "{pattern} {text}");
        }
    }
}
