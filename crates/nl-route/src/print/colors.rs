//! The colours of ip's output.

use core::net::IpAddr;

/// The colours that text is printed in: those of `ip -c`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Colors {
    /// None at all.
    #[default]
    None,
    /// For a light background.
    Light,
    /// For a dark one: bold.
    Dark,
}

/// What has a colour of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ink {
    Plain,
    Link,
    LinkAddress,
    Inet,
    Inet6,
    Up,
    Down,
}

/// Ends a colour.
pub(super) const PLAIN: &str = "\x1b[0m";

impl Colors {
    /// What begins a colour: an escape sequence of ECMA-48, or nothing.
    pub(super) fn code(self, ink: Ink) -> &'static str {
        let codes = match ink {
            Ink::Plain => return "",
            Ink::Link => ["\x1b[36m", "\x1b[1;36m"],
            Ink::LinkAddress => ["\x1b[33m", "\x1b[1;33m"],
            Ink::Inet => ["\x1b[35m", "\x1b[1;35m"],
            Ink::Inet6 => ["\x1b[34m", "\x1b[1;34m"],
            Ink::Up => ["\x1b[32m", "\x1b[1;32m"],
            Ink::Down => ["\x1b[31m", "\x1b[1;31m"],
        };
        match self {
            Self::None => "",
            Self::Light => codes[0],
            Self::Dark => codes[1],
        }
    }
}

impl Ink {
    /// That of addresses of this kind.
    pub(super) fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::Inet } else { Self::Inet6 }
    }
}
