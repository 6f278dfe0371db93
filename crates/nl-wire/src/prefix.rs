//! Prefixes: an address and how many of its leading bits count.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

/// An IP prefix: `10.0.0.0/8`, `2001:db8::/32`, a host `192.0.2.1`.
///
/// Bits behind the length are kept as they are, see [`Prefix::masked`]: the kernel refuses them in
/// IPv4 routes and clears them in IPv6 ones.
///
/// ```
/// use nl_wire::Prefix;
///
/// let prefix: Prefix = "10.1.2.0/24".parse().unwrap();
/// assert!(prefix.contains([10, 1, 2, 9].into()));
/// assert_eq!(prefix.to_string(), "10.1.2.0/24");
/// assert_eq!("10.1/16".parse::<Prefix>().unwrap().to_string(), "10.1.0.0/16");
/// assert_eq!("::1/128".parse::<Prefix>().unwrap().to_string(), "::1");
/// assert!("10.0.0.0/33".parse::<Prefix>().is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Prefix {
    /// The address.
    pub address: IpAddr,
    /// How many leading bits count: at most 32 or 128.
    pub length: u8,
}

impl Prefix {
    /// A prefix, unless `length` is more than the address has bits. Where no prefix means everything,
    /// as in routes and rules, `None` must not be taken for one: look at it first.
    pub const fn new(address: IpAddr, length: u8) -> Option<Self> {
        if length <= bits(address) { Some(Self { address, length }) } else { None }
    }

    /// The prefix that holds `address` alone.
    pub const fn host(address: IpAddr) -> Self {
        Self { address, length: bits(address) }
    }

    /// Whether all bits count, so that there is one address only.
    pub const fn is_host(&self) -> bool {
        self.length == bits(self.address)
    }

    /// The same prefix with the bits behind its length cleared.
    #[must_use]
    pub fn masked(self) -> Self {
        let address = match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32_u32.saturating_sub(self.length.into()));
                IpAddr::V4(Ipv4Addr::from(u32::from(address) & mask.unwrap_or(0)))
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128_u32.saturating_sub(self.length.into()));
                IpAddr::V6(Ipv6Addr::from(u128::from(address) & mask.unwrap_or(0)))
            }
        };
        Self { address, ..self }
    }

    /// Whether a bit behind the length is set.
    pub fn has_host_bits(&self) -> bool {
        self.masked() != *self
    }

    /// Whether `address` lies in the prefix; never, if it is of the other family.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.covers(&Self::host(address))
    }

    /// Whether all of `other` lies in this prefix; never, if it is of the other family.
    pub fn covers(&self, other: &Self) -> bool {
        self.address.is_ipv4() == other.address.is_ipv4()
            && self.length <= other.length
            && Self { address: other.address, length: self.length }.masked() == self.masked()
    }
}

const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

impl From<IpAddr> for Prefix {
    fn from(address: IpAddr) -> Self {
        Self::host(address)
    }
}

impl fmt::Display for Prefix {
    /// As ip prints it: without the length if all bits count.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Shown(self.address).fmt(f)?;
        if self.is_host() { Ok(()) } else { write!(f, "/{}", self.length) }
    }
}

/// An address that displays as `inet_ntop` of glibc writes it: unlike `Display` of `Ipv6Addr` it
/// writes IPv4-compatible addresses with dots.
///
/// ```
/// use nl_wire::prefix::Shown;
///
/// let shown = |text: &str| Shown(text.parse().unwrap()).to_string();
/// assert_eq!((shown("::102:304"), shown("::1")), ("::1.2.3.4".into(), "::1".into()));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shown(pub IpAddr);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V6(address) => match address.segments() {
                // One of the many that end in a small number is not that of an IPv4 one.
                [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
                    let bits = u32::from(high) << 16 | u32::from(low);
                    write!(f, "::{}", Ipv4Addr::from(bits))
                }
                _ => address.fmt(f),
            },
            IpAddr::V4(address) => address.fmt(f),
        }
    }
}

/// A text that is no prefix.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PrefixError;

impl fmt::Display for PrefixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an IP prefix")
    }
}

impl core::error::Error for PrefixError {}

impl FromStr for Prefix {
    type Err = PrefixError;

    /// Reads `ADDRESS` or `ADDRESS/LENGTH`, the length also as an IPv4 mask.
    ///
    /// As with ip, an IPv4 address may leave out trailing zeros: `10/8`, `192.168.1/24`. Without a
    /// length all bits count, however short the address.
    #[inline] // in programs that read text
    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address = parse_address(address).ok_or(PrefixError)?;
        let Some(length) = length else { return Ok(Self::host(address)) };
        let length = match (address, length.parse::<Ipv4Addr>()) {
            (IpAddr::V4(_), Ok(mask)) => {
                let mask = u32::from(mask);
                let length = mask.leading_ones();
                let rest = mask.checked_shl(length).unwrap_or(0);
                u8::try_from(length).ok().filter(|_| rest == 0)
            }
            _ if length.starts_with(|first: char| first.is_ascii_digit()) => length.parse().ok(),
            _ => None,
        };
        length.and_then(|length| Self::new(address, length)).ok_or(PrefixError)
    }
}

/// An address as ip(8) reads it: IPv4 also with fewer than four numbers, the rest being zero.
#[inline] // as above
pub fn parse_address(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        return text.parse().ok().map(IpAddr::V6);
    }
    let mut octets = [0; 4];
    let mut parts = text.split('.');
    for (slot, part) in octets.iter_mut().zip(&mut parts) {
        if !part.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        *slot = part.parse().ok()?;
    }
    parts.next().is_none().then_some(IpAddr::V4(octets.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn text_goes_both_ways() {
        for text in ["0.0.0.0/0", "10.0.0.0/8", "192.0.2.1", "::/0", "2001:db8::/32", "fe80::1"] {
            assert_eq!(prefix(text).to_string(), text);
        }
        assert_eq!(prefix("10/8").to_string(), "10.0.0.0/8");
        assert_eq!(prefix("10.0.0.0/255.255.0.0").to_string(), "10.0.0.0/16");
        assert_eq!(prefix("10.0.0.0/0.0.0.0").length, 0);
        for text in [
            "",
            "/8",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.256",
            "1.2.3.4.5",
            "::/129",
            "10.0.0.0/255.0.255.0",
            "fe80::1%eth0",
            "default",
            "10..1",
            "+1",
            "::/255.0.0.0",
        ] {
            assert_eq!(text.parse::<Prefix>(), Err(PrefixError), "{text}");
        }
    }

    #[test]
    fn masking_and_containing() {
        assert_eq!(prefix("10.1.2.3/8").masked(), prefix("10.0.0.0/8"));
        assert_eq!(prefix("10.1.2.3/0").masked(), prefix("0.0.0.0/0"));
        assert_eq!(prefix("10.1.2.3").masked(), prefix("10.1.2.3"));
        assert_eq!(prefix("2001:db8::1/32").masked(), prefix("2001:db8::/32"));
        assert!(prefix("10.0.0.1/8").has_host_bits() && !prefix("10.0.0.0/8").has_host_bits());
        assert!(prefix("0.0.0.0/0").contains([1, 2, 3, 4].into()));
        assert!(!prefix("0.0.0.0/0").contains(IpAddr::V6(Ipv6Addr::LOCALHOST)));
        assert!(prefix("10.0.0.0/8").covers(&prefix("10.2.0.0/16")));
        assert!(!prefix("10.2.0.0/16").covers(&prefix("10.0.0.0/8")));
        assert!(!prefix("10.2.0.0/16").contains([10, 3, 0, 1].into()));
        assert_eq!(Prefix::new([1, 2, 3, 4].into(), 33), None);
    }
}
