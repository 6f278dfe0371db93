//! Numbers and addresses, printed faster than `core::fmt` does: they are most of a line.

use alloc::string::String;
use core::fmt;
use core::net::{IpAddr, Ipv4Addr};

/// Appends `number` in decimal.
pub(super) fn decimal(out: &mut String, mut number: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend(digits[first..].iter().map(|digit| char::from(*digit)));
}

/// Appends `number` in lowercase hexadecimal.
fn hexadecimal(out: &mut String, number: u16) {
    let digits = [12, 8, 4, 0].map(|shift| b"0123456789abcdef"[usize::from(number >> shift & 0xf)]);
    let first = digits.iter().take(3).take_while(|digit| **digit == b'0').count();
    out.extend(digits[first..].iter().map(|digit| char::from(*digit)));
}

/// An address as `inet_ntop` of glibc writes it: unlike `Display` of `Ipv6Addr` it writes
/// IPv4-compatible addresses (`::1.2.3.4`) with dots.
#[derive(Debug)]
pub(crate) struct Ntop(pub(crate) IpAddr);

impl fmt::Display for Ntop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V6(v6) => match v6.segments() {
                [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
                    let v4 = u32::from(high) << 16 | u32::from(low);
                    write!(f, "::{}", Ipv4Addr::from(v4))
                }
                _ => v6.fmt(f),
            },
            IpAddr::V4(v4) => v4.fmt(f),
        }
    }
}

/// Appends an address as [`Ntop`] prints it.
pub(super) fn address(out: &mut String, address: IpAddr) {
    let address = match address {
        IpAddr::V4(address) => return dotted(out, address.octets()),
        IpAddr::V6(address) => address,
    };
    let (words, octets) = (address.segments(), address.octets());
    let (start, end) = longest_zeros(&words);
    if start == 0 && (end == 6 || end == 5 && words[5] == 0xffff) {
        out.push_str(if end == 6 { "::" } else { "::ffff:" });
        return dotted(out, [octets[12], octets[13], octets[14], octets[15]]);
    }
    for (index, word) in words.into_iter().enumerate() {
        if index == start && start < end {
            out.push_str("::");
        } else if index < start || index >= end {
            if index > 0 && index != end {
                out.push(':');
            }
            hexadecimal(out, word);
        }
    }
}

/// Begin and end of the first longest run of at least two zeros; (8, 8) if there is none.
fn longest_zeros(words: &[u16; 8]) -> (usize, usize) {
    let mut best = (8, 8);
    let mut start = 0;
    for (index, word) in words.iter().enumerate() {
        if *word != 0 {
            start = index + 1;
        } else if index + 1 - start > (best.1 - best.0).max(1) {
            best = (start, index + 1);
        }
    }
    best
}

fn dotted(out: &mut String, octets: [u8; 4]) {
    for (index, octet) in octets.into_iter().enumerate() {
        if index > 0 {
            out.push('.');
        }
        decimal(out, octet.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;
    use core::net::Ipv6Addr;

    #[test]
    fn numbers() {
        for number in [0, 9, 10, 4_294_967_295, u64::MAX] {
            let mut out = String::new();
            decimal(&mut out, number);
            assert_eq!(out, number.to_string());
        }
    }

    #[test]
    fn addresses() {
        assert_eq!(Ntop(Ipv4Addr::new(10, 0, 255, 1).into()).to_string(), "10.0.255.1");
        for text in [
            "::",
            "::1",
            "1::",
            "::1.2.3.4",
            "::ffff:1.2.3.4",
            "::ffff:0:0:1",
            "1:0:2::3:0",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7:0",
            "0:2:3:4:5:6:7:8",
            "2001:db8::1:0:0:1",
            "fe80::abcd:ef01:203:4050",
            "::1:2:3",
            "1:2:3::",
        ] {
            let address: Ipv6Addr = text.parse().unwrap();
            assert_eq!(Ntop(address.into()).to_string(), text);
        }
    }

    /// But for IPv4-compatible addresses both print the same.
    #[test]
    fn as_the_standard_library() {
        for bits in 0..=u16::from(u8::MAX) {
            let words = core::array::from_fn(|index| (bits >> index & 1) * 0x1f0);
            let address = Ipv6Addr::from(words);
            if words[..6] != [0; 6] || words[6] == 0 {
                assert_eq!(Ntop(address.into()).to_string(), address.to_string());
            }
        }
    }
}
