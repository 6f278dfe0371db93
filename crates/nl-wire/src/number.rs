//! Numbers and addresses, appended to a `String` faster than `core::fmt` does: they are most of what
//! listings of tables have.

use alloc::string::String;
use core::net::IpAddr;

/// The numbers below 100, two digits each.
const PAIRS: &str = "\
    00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748\
    495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/// Appends `number` in decimal.
pub fn decimal(out: &mut String, number: u64) {
    match number {
        // Ports and octets of addresses are most of all numbers.
        0..10 => pair(out, number, 1),
        10..100 => pair(out, number, 0),
        _ => {
            decimal(out, number / 100);
            pair(out, number, 0);
        }
    }
}

/// Appends the last two digits of `number` but for the first `skipped` of them.
#[inline]
fn pair(out: &mut String, number: u64, skipped: usize) {
    let at = 2 * usize::from((number % 100) as u8);
    out.push_str(&PAIRS[at + skipped..at + 2]);
}

/// Appends `number` in lowercase hexadecimal.
fn hexadecimal(out: &mut String, number: u16) {
    let digits = [12, 8, 4, 0].map(|shift| b"0123456789abcdef"[usize::from(number >> shift & 0xf)]);
    let first = digits.iter().take(3).take_while(|digit| **digit == b'0').count();
    out.extend(digits[first..].iter().map(|digit| char::from(*digit)));
}

/// Appends an address as `inet_ntop` of glibc writes it: unlike `Display` of `Ipv6Addr` it writes
/// IPv4-compatible addresses (`::1.2.3.4`) with dots.
///
/// ```
/// let mut out = String::new();
/// nl_wire::number::address(&mut out, "2001:db8:0::1".parse()?);
/// assert_eq!(out, "2001:db8::1");
/// # Ok::<(), core::net::AddrParseError>(())
/// ```
pub fn address(out: &mut String, address: IpAddr) {
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
    use core::net::{Ipv4Addr, Ipv6Addr};

    fn ntop(ip: impl Into<IpAddr>) -> String {
        let mut out = String::new();
        address(&mut out, ip.into());
        out
    }

    #[test]
    fn numbers() {
        for number in (0..=10_000).chain([65_535, 4_294_967_295, 10_000_000_000, u64::MAX]) {
            let mut out = String::new();
            decimal(&mut out, number);
            assert_eq!(out, number.to_string());
        }
    }

    #[test]
    fn addresses() {
        for octet in 0..=u8::MAX {
            let address = Ipv4Addr::new(octet, 0, 255, octet);
            assert_eq!(ntop(address), address.to_string());
        }
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
            assert_eq!(ntop(address), text);
        }
    }

    /// But for IPv4-compatible addresses both print the same.
    #[test]
    fn as_the_standard_library() {
        for bits in 0..=u16::from(u8::MAX) {
            let words = core::array::from_fn(|index| (bits >> index & 1) * 0x1f0);
            let address = Ipv6Addr::from(words);
            if words[..6] != [0; 6] || words[6] == 0 {
                assert_eq!(ntop(address), address.to_string());
            }
        }
    }
}
