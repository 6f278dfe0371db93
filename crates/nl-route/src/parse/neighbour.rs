//! The words of `ip neighbour`.

use alloc::format;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use nl_wire::value::AddressFamily;

use super::{Keyword, WordError, Words, duplicate, escaped, garbage, is_default, keyword, wrong};
use crate::names::{NameKind, Names, parse_number};
use crate::neighbour::{GetNeighbour, Neighbour, NeighbourFilter};
use crate::print::Hidden;
use crate::value::{NeighbourExtFlags, NeighbourFlags, NeighbourState, RouteProtocol};

/// What `ip neighbour show` lists, and what it leaves out of each line as it is settled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Selector {
    /// Which neighbours.
    pub filter: NeighbourFilter,
    /// What is not printed.
    pub hidden: Hidden,
}

/// In the order in which ip looks for them.
const STATES: &[Keyword<NeighbourState>] = &[
    ("permanent", false, NeighbourState::PERMANENT),
    ("reachable", false, NeighbourState::REACHABLE),
    ("noarp", true, NeighbourState::NOARP),
    ("none", true, NeighbourState(0)),
    ("stale", true, NeighbourState::STALE),
    ("incomplete", true, NeighbourState::INCOMPLETE),
    ("delay", true, NeighbourState::DELAY),
    ("probe", true, NeighbourState::PROBE),
    ("failed", false, NeighbourState::FAILED),
];

/// A state by its word, or as a number of one byte with one bit at most.
fn state(word: &str) -> Option<NeighbourState> {
    let number = || {
        let number = parse_number(word).and_then(|number| u8::try_from(number).ok());
        number.filter(|number| number.count_ones() <= 1)
    };
    keyword(word, STATES).or_else(|| number().map(|number| NeighbourState(number.into())))
}

#[derive(Clone, Copy)]
enum Key {
    LinkAddress,
    State,
    Proxy,
    Flag(NeighbourFlags),
    ExtFlag(NeighbourExtFlags),
    Link,
    Protocol,
    To,
}

const KEYWORDS: &[Keyword<Key>] = &[
    ("lladdr", false, Key::LinkAddress),
    ("nud", true, Key::State),
    ("proxy", false, Key::Proxy),
    ("router", true, Key::Flag(NeighbourFlags::ROUTER)),
    ("use", true, Key::Flag(NeighbourFlags::USE)),
    ("managed", true, Key::ExtFlag(NeighbourExtFlags::MANAGED)),
    ("extern_learn", false, Key::Flag(NeighbourFlags::EXT_LEARNED)),
    ("extern_valid", true, Key::ExtFlag(NeighbourExtFlags::EXT_VALIDATED)),
    ("dev", true, Key::Link),
    ("protocol", false, Key::Protocol),
    ("to", true, Key::To),
];

/// Reads the words behind `ip neighbour add`, `change`, `replace` or `delete`.
///
/// # Errors
/// At the first word that ip would not take either.
pub fn change<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
) -> Result<Neighbour, WordError> {
    let mut words = Words::new(words, names);
    let mut neighbour = Neighbour::default();
    let mut link = None;
    let mut lladdr = None;
    while let Some(word) = words.peek() {
        let key = keyword(word, KEYWORDS);
        if key.is_some() {
            words.next();
        }
        match key {
            Some(Key::LinkAddress) => {
                let word = words.value()?;
                if lladdr.replace(word).is_some() {
                    return Err(duplicate("lladdr", word));
                }
            }
            Some(Key::State) => {
                let word = words.value()?;
                neighbour.state = state(word).ok_or_else(|| wrong(word, "nud state is bad"))?;
            }
            Some(Key::Proxy) => {
                let word = words.value()?;
                if neighbour.destination.is_some() {
                    return Err(duplicate("address", word));
                }
                neighbour.destination = Some(super::address(word, family)?);
                neighbour.flags |= NeighbourFlags::PROXY;
            }
            Some(Key::Flag(flag)) => neighbour.flags |= flag,
            Some(Key::ExtFlag(flag)) => {
                neighbour.ext_flags = Some(neighbour.ext_flags.unwrap_or_default() | flag);
                if flag == NeighbourExtFlags::MANAGED {
                    neighbour.state = NeighbourState(0);
                }
            }
            Some(Key::Link) => link = Some(words.value()?),
            Some(Key::Protocol) => {
                let reason = "\"protocol\" value is invalid";
                let number = words.named_byte(NameKind::Protocol, reason)?;
                neighbour.protocol = Some(RouteProtocol(number));
            }
            Some(Key::To) | None => {
                let word = words.value()?;
                if neighbour.destination.is_some() {
                    return Err(garbage("to", word));
                }
                if !is_default(word) {
                    neighbour.destination = Some(super::address(word, family)?);
                }
            }
        }
    }
    if neighbour.destination.is_none() || (link.is_none() && !neighbour.is_proxy()) {
        let text = "Device and destination are required arguments.".into();
        return Err(WordError { text, code: 255 });
    }
    neighbour.link_address = lladdr.filter(|word| *word != "null").map(link_address).transpose()?;
    neighbour.index = link.map_or(Ok(0), |word| words.link_of(word))?;
    Ok(neighbour)
}

/// A link-layer address: bytes in hexadecimal between colons, or of a tunnel an IPv4 address.
pub(crate) fn link_address(word: &str) -> Result<Vec<u8>, WordError> {
    let wrong = |part: &str| WordError {
        text: format!("\"{}\" is invalid lladdr.", escaped(part)),
        code: 1,
    };
    if word.contains('.') {
        let address: Ipv4Addr = word.parse().map_err(|_| wrong(word))?;
        return Ok(address.octets().to_vec());
    }
    let byte = |part: &str| {
        let plain = part.bytes().all(|byte| byte.is_ascii_hexdigit());
        u8::from_str_radix(part, 16).ok().filter(|_| plain).ok_or_else(|| wrong(part))
    };
    word.split(':').map(byte).collect()
}

/// Reads the words behind `ip neighbour get`.
///
/// # Errors
/// At the first word that ip would not take either.
pub fn get<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
) -> Result<GetNeighbour, WordError> {
    let mut words = Words::new(words, names);
    let (mut proxy, mut destination, mut link): (bool, Option<IpAddr>, _) = (false, None, None);
    while let Some(word) = words.next() {
        match word {
            "dev" => link = Some(words.value()?),
            "proxy" => {
                let word = words.value()?;
                if destination.is_some() {
                    return Err(duplicate("address", word));
                }
                (proxy, destination) = (true, Some(super::address(word, family)?));
            }
            word => {
                let word = if word == "to" { words.value()? } else { word };
                if destination.is_some() {
                    return Err(garbage("to", word));
                }
                destination = Some(super::address(word, family)?);
            }
        }
    }
    match (destination, link) {
        (Some(destination), Some(link)) => {
            let index = words.link_of(link)?;
            Ok(if proxy {
                GetNeighbour::Proxy { index, destination }
            } else {
                GetNeighbour::Neighbour { index, destination }
            })
        }
        (Some(destination), None) if proxy => Ok(GetNeighbour::Proxy { index: 0, destination }),
        _ => Err(WordError { text: "Device and address are required arguments.".into(), code: 1 }),
    }
}

/// The states that a list shows where none is named: all but `NOARP`.
const SHOWN: NeighbourState = NeighbourState(0xff & !NeighbourState::NOARP.0);
/// The states that a flush deletes where none is named.
const FLUSHED: NeighbourState = SHOWN.without(NeighbourState::PERMANENT);

/// Reads the words behind `ip neighbour show` or, with `flush`, `ip neighbour flush`.
///
/// # Errors
/// At the first word that ip would not take either.
pub fn selector<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
    flush: bool,
) -> Result<Selector, WordError> {
    if flush && words.is_empty() {
        return Err(WordError { text: "Flush requires arguments.".into(), code: 1 });
    }
    let mut words = Words::new(words, names);
    let mut filter = NeighbourFilter { family, ..NeighbourFilter::default() };
    filter.states = if flush { FLUSHED } else { SHOWN };
    let mut stated = NeighbourState(0);
    let mut link = None;
    while let Some(word) = words.next() {
        match word {
            "dev" => {
                let word = words.value()?;
                if link.replace(word).is_some() {
                    return Err(duplicate("dev", word));
                }
            }
            "master" => {
                let value = words.value()?;
                let index = words.names.link_index(value);
                filter.master = Some(index.ok_or_else(|| wrong(value, "Device does not exist"))?);
            }
            "vrf" => filter.master = Some(words.vrf_link("Not a valid VRF name")?),
            "nomaster" => filter.master = Some(NeighbourFilter::NO_MASTER),
            "unused" => filter.unused = true,
            "proxy" => filter.proxy = true,
            "nud" => {
                let value = words.value()?;
                stated |= match state(value) {
                    Some(NeighbourState(0)) => NeighbourFilter::STATELESS,
                    Some(state) => state,
                    None if value == "all" && flush => NeighbourState(!NeighbourState::NOARP.0),
                    None if value == "all" => NeighbourState(!0),
                    None => return Err(wrong(value, "nud state is bad")),
                };
                filter.states = stated;
            }
            word if !word.is_empty() && "protocol".starts_with(word) => {
                if words.peek() == Some("all") {
                    words.next();
                    filter.protocol = None;
                } else {
                    let number = words.named_byte(NameKind::Protocol, "invalid \"protocol\"")?;
                    filter.protocol = Some(RouteProtocol(number)).filter(|_| number != 0);
                }
            }
            word => {
                let word = if word == "to" { words.value()? } else { word };
                let prefix = super::prefix(word, filter.family)?;
                if is_default(word) && filter.family == AddressFamily::UNSPEC {
                    filter.within = None;
                } else {
                    filter.within = Some(prefix);
                    filter.family = AddressFamily::of(prefix.address);
                }
            }
        }
    }
    let mut hidden = Hidden(0);
    if let Some(word) = link {
        filter.index = Some(words.link_of(word)?);
        hidden = Hidden::OIF;
    }
    Ok(Selector { filter, hidden })
}
