//! The words of `ip tunnel`, which mean links of four kinds.

use alloc::format;
use alloc::vec::Vec;

use super::{WordError, escaped, garbage};

/// What the words behind `ip tunnel add`, `change`, `del` or `show` say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TunnelWords<'w> {
    /// The name of the tunnel.
    pub name: Option<&'w str>,
    /// The options but for the mode, as `ip link add … type KIND` has them.
    pub options: Vec<&'w str>,
    mode: Option<Mode>,
}

impl<'w> TunnelWords<'w> {
    /// The words of `ip link add` that make the tunnel; none without a name, and where neither a mode
    /// nor the beginning of the name tells of which kind it is.
    pub fn of_link(&self) -> Option<Vec<&'w str>> {
        let name = self.name?;
        let named = || MODES.iter().find(|mode| mode.0 != "any" && name.starts_with(mode.0));
        let (_, kind, more) = self.mode.or_else(|| named().copied())?;
        Some([&[name, "type", kind], more, &self.options].concat())
    }
}

/// The word of a mode, the kind of its links, and the words that make a link be of that mode.
type Mode = (&'static str, &'static str, &'static [&'static str]);

const MODES: [Mode; 10] = [
    ("ipip", "ipip", &["mode", "ipip"]),
    ("ip/ip", "ipip", &["mode", "ipip"]),
    ("gre", "gre", &[]),
    ("gre/ip", "gre", &[]),
    ("sit", "sit", &["mode", "ip6ip"]),
    ("ipv6/ip", "sit", &["mode", "ip6ip"]),
    ("isatap", "sit", &["mode", "ip6ip", "isatap"]),
    ("vti", "vti", &[]),
    ("any", "ipip", &["mode", "any"]),
    ("any/ip", "ipip", &["mode", "any"]),
];

/// Words that a value follows, with those of links.
const VALUES: [(&str, &str); 12] = [
    ("key", "key"),
    ("ikey", "ikey"),
    ("okey", "okey"),
    ("remote", "remote"),
    ("local", "local"),
    ("dev", "dev"),
    ("ttl", "ttl"),
    ("hoplimit", "ttl"),
    ("hlim", "ttl"),
    ("tos", "tos"),
    ("tclass", "tos"),
    ("dsfield", "tos"),
];

/// Words that stand alone, as they do in those of links.
const ALONE: [&str; 8] =
    ["seq", "iseq", "oseq", "csum", "icsum", "ocsum", "nopmtudisc", "pmtudisc"];

fn unknown_mode(word: &str) -> WordError {
    WordError { text: format!("Unknown tunnel mode \"{}\"", escaped(word)), code: 255 }
}

/// Reads the words behind `ip tunnel add`, `change`, `del` or `show`.
///
/// ```
/// # use nl_route::parse::tunnel;
/// let words = ["t0", "mode", "gre", "remote", "192.0.2.9", "hlim", "64"];
/// let of_link = ["t0", "type", "gre", "remote", "192.0.2.9", "ttl", "64"];
/// assert_eq!(tunnel::words(&words)?.of_link(), Some(of_link.to_vec()));
/// # Ok::<(), nl_route::parse::WordError>(())
/// ```
///
/// # Errors
/// At a mode that is none, a value that is missing and a second name.
pub fn words<'w>(words: &[&'w str]) -> Result<TunnelWords<'w>, WordError> {
    let mut read = TunnelWords::default();
    let mut rest = words.iter().copied();
    while let Some(word) = rest.next() {
        let mut value = || {
            rest.next().ok_or_else(|| WordError {
                text: "Command line is not complete. Try option \"help\"".into(),
                code: 255,
            })
        };
        if word == "mode" {
            let word = value()?;
            let found = MODES.iter().find(|mode| mode.0 == word);
            read.mode = Some(*found.ok_or_else(|| unknown_mode(word))?);
        } else if let Some((_, of_link)) = VALUES.iter().find(|row| row.0 == word) {
            read.options.extend([of_link, value()?]);
        } else if ALONE.contains(&word) {
            read.options.push(word);
        } else {
            let name = if word == "name" { value()? } else { word };
            if read.name.replace(name).is_some() {
                return Err(garbage("name", name));
            }
        }
    }
    Ok(read)
}
