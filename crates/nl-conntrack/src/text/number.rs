//! Numbers and addresses, printed faster than `core::fmt` does: they are most of a line.

use alloc::string::String;
use core::fmt::{self, Write as _};
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
    out.extend(digits[first..].iter().map(|&digit| char::from(digit)));
}

/// Appends an address as `inet_ntop` of glibc writes it.
pub(super) fn address(out: &mut String, address: IpAddr) {
    match address {
        IpAddr::V4(address) => dotted(out, address.octets()),
        // A String takes everything.
        IpAddr::V6(_) => {
            let _ = write!(out, "{}", Ntop(address));
        }
    }
}

/// An address as `inet_ntop` of glibc writes it: unlike `Display` of `Ipv6Addr` it writes
/// IPv4-compatible addresses (`::1.2.3.4`) with dots.
#[derive(Debug)]
pub(crate) struct Ntop(pub(crate) IpAddr);

impl fmt::Display for Ntop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let IpAddr::V6(address) = self.0 {
            let [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, tail @ ..] = address.octets() else {
                return fmt::Display::fmt(&address, f);
            };
            if tail[..2] != [0, 0] {
                return write!(f, "::{}", Ipv4Addr::from(tail));
            }
        }
        fmt::Display::fmt(&self.0, f)
    }
}

fn dotted(out: &mut String, octets: [u8; 4]) {
    for (index, octet) in octets.into_iter().enumerate() {
        if index > 0 {
            out.push('.');
        }
        decimal(out, octet.into());
    }
}
