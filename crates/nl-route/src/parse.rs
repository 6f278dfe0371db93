//! The words of `ip route`, read into routes, lookups and selectors.
//!
//! No I/O: links and other names are looked up in [`Names`]. Errors are one line in ip's words,
//! with the exit code that ip ends with.
//!
//! ```
//! use nl_route::{AddressFamily, names::Names, parse};
//!
//! let mut names = Names::default();
//! names.set_link(2, "eth0");
//! let words = ["10.1.0.0/16", "via", "192.0.2.1", "dev", "eth0", "mtu", "1400"];
//! let route = parse::route(&words, AddressFamily::UNSPEC, &names)?;
//! assert_eq!((route.oif, route.metrics.mtu()), (Some(2), Some(1400)));
//!
//! let error = parse::route(&["10.1.0.0/99"], AddressFamily::UNSPEC, &names).unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     r#"Error: any valid prefix is expected rather than "10.1.0.0/99"."#,
//! );
//! # Ok::<(), parse::WordError>(())
//! ```

use alloc::format;
use alloc::string::String;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nl_wire::text::Escaped;
use nl_wire::value::AddressFamily;

use crate::names::{NameKind, Names, parse_number};
use crate::prefix::{Prefix, parse_address};
use crate::route::Realms;
use crate::value::RouteType;

pub mod address;
pub mod batch;
mod encap;
mod function;
mod get;
mod kind;
pub mod link;
pub mod neighbour;
pub mod nexthop;
mod route;
pub mod rule;
pub mod saved;
mod selector;
pub mod settings;
pub mod traffic;
pub mod tunnel;

pub use get::get;
pub use route::route;
pub use selector::{Selector, multicast, selector};

/// Words that make no sense, in one line as ip says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WordError {
    text: String,
    /// The exit code that ip ends with: 1 or 255.
    pub code: u8,
}

impl fmt::Display for WordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl core::error::Error for WordError {}

fn escaped(word: &str) -> Escaped<'_> {
    Escaped(word.as_bytes())
}

/// A value that its word can't have.
fn wrong(word: &str, reason: &str) -> WordError {
    WordError {
        text: format!("Error: argument \"{}\" is wrong: {reason}", escaped(word)),
        code: 255,
    }
}

fn expected(family: AddressFamily, what: &str, word: &str) -> WordError {
    let family = match family {
        AddressFamily::INET => "inet",
        AddressFamily::INET6 => "inet6",
        _ => "any valid",
    };
    let word = escaped(word);
    WordError {
        text: format!("Error: {family} {what} is expected rather than \"{word}\"."),
        code: 1,
    }
}

/// A second value where there can be one.
fn duplicate(key: &str, word: &str) -> WordError {
    let text = format!("Error: duplicate \"{key}\": \"{}\" is the second value.", escaped(word));
    WordError { text, code: 255 }
}

/// A word that makes no sense unless `key` is given twice.
fn garbage(key: &str, word: &str) -> WordError {
    let word = escaped(word);
    let text = format!("Error: either \"{key}\" is duplicate, or \"{word}\" is a garbage.");
    WordError { text, code: 255 }
}

/// An address of `family`.
fn address(word: &str, family: AddressFamily) -> Result<IpAddr, WordError> {
    parse_address(word)
        .filter(|&address| family == AddressFamily::UNSPEC || AddressFamily::of(address) == family)
        .ok_or_else(|| expected(family, "address", word))
}

/// A word of a command; those that are not `exact` may be cut short.
type Keyword<T> = (&'static str, bool, T);

/// The first keyword that `word` is or begins, as ip looks for it.
fn keyword<T: Copy>(word: &str, keywords: &[Keyword<T>]) -> Option<T> {
    let fits = |row: &&Keyword<T>| {
        if row.1 { row.0 == word } else { !word.is_empty() && row.0.starts_with(word) }
    };
    keywords.iter().find(fits).map(|row| row.2)
}

/// The words yet to be read.
struct Words<'a, S> {
    rest: core::slice::Iter<'a, S>,
    names: &'a Names,
}

impl<'a, S: AsRef<str>> Words<'a, S> {
    fn new(words: &'a [S], names: &'a Names) -> Self {
        Self { rest: words.iter(), names }
    }

    fn next(&mut self) -> Option<&'a str> {
        self.rest.next().map(AsRef::as_ref)
    }

    fn peek(&self) -> Option<&'a str> {
        self.rest.as_slice().first().map(AsRef::as_ref)
    }

    /// The value that must follow.
    fn value(&mut self) -> Result<&'a str, WordError> {
        self.next().ok_or_else(|| WordError {
            text: "Command line is not complete. Try option \"help\"".into(),
            code: 255,
        })
    }

    /// A number up to `most`.
    fn number(&mut self, most: u32, reason: &str) -> Result<u32, WordError> {
        let word = self.value()?;
        parse_number(word).filter(|number| *number <= most).ok_or_else(|| wrong(word, reason))
    }

    fn port(&mut self, reason: &str) -> Result<u16, WordError> {
        let word = self.value()?;
        let number = parse_number(word).and_then(|number| u16::try_from(number).ok());
        number.ok_or_else(|| wrong(word, reason))
    }

    fn named(&mut self, kind: NameKind, reason: &str) -> Result<u32, WordError> {
        let word = self.value()?;
        self.names.number(kind, word).ok_or_else(|| wrong(word, reason))
    }

    /// A name or number of one byte.
    fn named_byte(&mut self, kind: NameKind, reason: &str) -> Result<u8, WordError> {
        let word = self.value()?;
        let number = self.names.number(kind, word).and_then(|number| u8::try_from(number).ok());
        number.ok_or_else(|| wrong(word, reason))
    }

    /// A type of service: a name, or a number with `0x` or without, always hexadecimal.
    fn tos(&mut self, reason: &str) -> Result<u8, WordError> {
        let word = self.value()?;
        let digits = word.trim_start_matches("0x");
        let named = self.names.number(NameKind::Tos, word).filter(|_| parse_number(word).is_none());
        let number = named.and_then(|number| u8::try_from(number).ok());
        number
            .or_else(|| u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+')))
            .ok_or_else(|| wrong(word, reason))
    }

    fn link(&mut self) -> Result<u32, WordError> {
        let word = self.value()?;
        self.link_of(word)
    }

    fn link_of(&self, word: &str) -> Result<u32, WordError> {
        self.names.link_index(word).ok_or_else(|| WordError {
            text: format!("Cannot find device \"{}\"", escaped(word)),
            code: 1,
        })
    }

    /// The table of a VRF by its name.
    fn vrf(&mut self) -> Result<u32, WordError> {
        let word = self.value()?;
        self.names.vrf_table(word).ok_or_else(|| wrong(word, "Invalid VRF"))
    }

    /// A VRF as a link.
    fn vrf_link(&mut self, reason: &str) -> Result<u32, WordError> {
        let word = self.value()?;
        let index = self.names.link_index(word).filter(|_| self.names.vrf_table(word).is_some());
        index.ok_or_else(|| wrong(word, reason))
    }

    fn address(&mut self, family: AddressFamily) -> Result<IpAddr, WordError> {
        address(self.value()?, family)
    }

    /// An address behind the family that may be said first.
    fn gateway(&mut self, family: AddressFamily) -> Result<IpAddr, WordError> {
        let said = match self.peek() {
            Some("inet") => AddressFamily::INET,
            Some("inet6") => AddressFamily::INET6,
            _ => return self.address(family),
        };
        self.next();
        self.address(said)
    }

    fn prefix(&mut self, family: AddressFamily) -> Result<Prefix, WordError> {
        let word = self.value()?;
        prefix(word, family)
    }

    fn realms(&mut self, reason: &str) -> Result<Realms, WordError> {
        let word = self.value()?;
        let realm = |name: &str| {
            let number = self.names.number(NameKind::Realm, name);
            number.and_then(|number| u16::try_from(number).ok())
        };
        let (from, to) = word.split_once('/').map_or((None, word), |(from, to)| (Some(from), to));
        let to = if to.is_empty() && from.is_some() { Some(0) } else { realm(to) };
        match (from.map_or(Some(0), realm), to) {
            (Some(from), Some(to)) => Ok(Realms { from, to }),
            _ => Err(wrong(word, reason)),
        }
    }
}

/// A prefix of `family`; `default` is all of it, by default of IPv4.
fn prefix(word: &str, family: AddressFamily) -> Result<Prefix, WordError> {
    if is_default(word) {
        let zero = if family == AddressFamily::INET6 {
            IpAddr::V6(Ipv6Addr::UNSPECIFIED)
        } else {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED)
        };
        return Ok(Prefix { address: zero, length: 0 });
    }
    let fits = |prefix: &Prefix| {
        family == AddressFamily::UNSPEC || AddressFamily::of(prefix.address) == family
    };
    word.parse().ok().filter(fits).ok_or_else(|| expected(family, "prefix", word))
}

fn is_default(word: &str) -> bool {
    matches!(word, "default" | "any" | "all")
}

/// In the order in which ip looks for them.
const KINDS: &[Keyword<RouteType>] = &[
    ("local", true, RouteType::LOCAL),
    ("nat", false, RouteType::NAT),
    ("broadcast", false, RouteType::BROADCAST),
    ("brd", true, RouteType::BROADCAST),
    ("anycast", false, RouteType::ANYCAST),
    ("multicast", false, RouteType::MULTICAST),
    ("prohibit", false, RouteType::PROHIBIT),
    ("unreachable", false, RouteType::UNREACHABLE),
    ("blackhole", false, RouteType::BLACKHOLE),
    ("xresolve", false, RouteType::XRESOLVE),
    ("unicast", false, RouteType::UNICAST),
    ("throw", true, RouteType::THROW),
];

/// A type of route, by its word or number.
fn kind(word: &str) -> Option<RouteType> {
    let number = || parse_number(word).and_then(|number| u8::try_from(number).ok());
    keyword(word, KINDS).or_else(|| number().map(RouteType))
}
