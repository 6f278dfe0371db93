//! Values of options.

use alloc::string::String;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nl_wire::value::AddressFamily;

use super::ParseError;
use super::options::{Nat, Output};
use crate::event::groups;
use crate::request::Masked;
use crate::value::Status;

/// A number as C writes it: decimal, `0x…` or `0…`.
pub(super) fn number<N: TryFrom<u64>>(typed: &str) -> Result<N, ParseError> {
    let parsed = match typed.strip_prefix("0x").or_else(|| typed.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16),
        None if typed.len() > 1 && typed.starts_with('0') => u64::from_str_radix(typed, 8),
        None => typed.parse(),
    };
    let parsed = parsed.ok().filter(|_| !typed.starts_with('+') && !typed.contains("x+"));
    parsed
        .and_then(|number| N::try_from(number).ok())
        .ok_or_else(|| ParseError::quoted("Bad parameter ", typed, ""))
}

/// A number that begins with zeros all the same: decimal, or `0x…`. So conntrack(8) reads ports,
/// fields of ICMP, seconds and sizes.
pub(super) fn decimal<N: TryFrom<u64>>(typed: &str) -> Result<N, ParseError> {
    let digits = typed.trim_start_matches('0');
    let is_zero = digits.is_empty() && !typed.is_empty();
    let is_decimal = digits.starts_with(|first: char| first.is_ascii_digit());
    number(if is_zero {
        "0"
    } else if is_decimal {
        digits
    } else {
        typed
    })
    .map_err(|_| ParseError::quoted("Bad parameter ", typed, ""))
}

/// `NUMBER[/MASK]`
pub(super) fn masked(typed: &str) -> Result<Masked<u32>, ParseError> {
    let (value, mask) = typed.split_once('/').map_or((typed, None), |(v, m)| (v, Some(m)));
    let bad = |_| ParseError::quoted("Bad parameter ", typed, "");
    let value = number(value).map_err(bad)?;
    match mask {
        None => Ok(Masked::exact(value)),
        Some(mask) => Ok(Masked { value, mask: number(mask).map_err(bad)? }),
    }
}

/// An address, an IPv4 one also with fewer than four parts as `inet_aton` reads it.
pub(super) fn address(typed: &str) -> Result<IpAddr, ParseError> {
    let full = typed.parse().ok();
    full.or_else(|| short_ipv4(typed).map(IpAddr::V4))
        .ok_or_else(|| ParseError::quoted("Invalid IP address ", typed, ""))
}

fn short_ipv4(typed: &str) -> Option<Ipv4Addr> {
    let mut parts = typed.split('.').map(|part| number::<u32>(part).ok()).rev();
    let last = parts.next()??;
    let mut address = 0_u32;
    let mut shift = 32_u32;
    for part in parts.rev() {
        shift = shift.checked_sub(8).filter(|shift| *shift > 0)?;
        address |= u32::from(u8::try_from(part?).ok()?) << shift;
    }
    (shift == 32 || last >> shift == 0).then(|| Ipv4Addr::from(address | last))
}

/// `ADDRESS[/N]` as address and mask.
pub(super) fn network(typed: &str) -> Result<(IpAddr, Option<IpAddr>), ParseError> {
    let Some((ip, length)) = typed.split_once('/') else { return Ok((address(typed)?, None)) };
    let ip = address(ip)?;
    let bits = if ip.is_ipv4() { 32 } else { 128 };
    let length = length.parse().ok().filter(|length| *length <= bits);
    let length: u32 = length.ok_or_else(|| ParseError::new("Invalid netmask"))?;
    Ok((ip, Some(mask(ip.is_ipv4(), length))))
}

fn mask(ipv4: bool, length: u32) -> IpAddr {
    if ipv4 {
        IpAddr::V4(Ipv4Addr::from(u32::MAX.checked_shl(32 - length).unwrap_or(0)))
    } else {
        IpAddr::V6(Ipv6Addr::from(u128::MAX.checked_shl(128 - length).unwrap_or(0)))
    }
}

/// Whether two addresses are the same where the mask has ones.
pub(super) fn same(one: IpAddr, other: IpAddr, mask: Option<IpAddr>) -> bool {
    match (one, other, mask) {
        (_, _, None) => one == other,
        (IpAddr::V4(one), IpAddr::V4(other), Some(IpAddr::V4(mask))) => {
            (u32::from(one) ^ u32::from(other)) & u32::from(mask) == 0
        }
        (IpAddr::V6(one), IpAddr::V6(other), Some(IpAddr::V6(mask))) => {
            (u128::from(one) ^ u128::from(other)) & u128::from(mask) == 0
        }
        _ => false,
    }
}

/// `[ADDRESS][:PORT]`, an IPv6 address with a port in brackets.
pub(super) fn nat(typed: &str) -> Result<Nat, ParseError> {
    let (ip, port) = match typed.strip_prefix('[') {
        Some(rest) => {
            let bad = || ParseError::quoted("Invalid IP address ", typed, "");
            let (ip, rest) = rest.split_once(']').ok_or_else(bad)?;
            match rest.strip_prefix(':') {
                Some(port) => (ip, Some(port)),
                None if rest.is_empty() => (ip, None),
                None => return Err(bad()),
            }
        }
        None => match typed.split_once(':') {
            Some((ip, port)) if !port.contains(':') && !ip.is_empty() => (ip, Some(port)),
            Some(("", port)) if !port.contains(':') => ("", Some(port)),
            _ => (typed, None),
        },
    };
    let port = match port {
        None => None,
        Some("") => return Err(ParseError::new("No port specified after `:'")),
        Some(port) => {
            Some(decimal(port).map_err(|_| ParseError::quoted("Invalid port ", port, ""))?)
        }
    };
    let address = if ip.is_empty() && port.is_some() { None } else { Some(address(ip)?) };
    Ok(Nat { address, port })
}

/// Words joined by commas, each of them a beginning of one of `words`, in any case. `take` is
/// given the index, and whether a `!` stood before.
fn list(typed: &str, words: &[&str], mut take: impl FnMut(usize, bool)) -> Result<(), ParseError> {
    let mut rest = Some(typed);
    while let Some(text) = rest {
        let (word, behind) = text.split_once(',').map_or((text, None), |(w, b)| (w, Some(b)));
        let (negated, name) = word.strip_prefix('!').map_or((false, word), |name| (true, name));
        let begins = |full: &str| {
            full.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name))
        };
        let index = words.iter().position(|full| begins(full)).filter(|_| !name.is_empty());
        take(index.ok_or_else(|| ParseError::quoted("Bad parameter ", text, ""))?, negated);
        rest = behind;
    }
    Ok(())
}

/// The words of `-f`.
pub(super) const FAMILIES: [(&str, AddressFamily); 2] =
    [("ipv4", AddressFamily::INET), ("ipv6", AddressFamily::INET6)];

/// The words of `-u`, and whether they are told to be left out.
pub(super) const STATUS: [(&str, Status, bool); 10] = [
    ("ASSURED", Status::ASSURED, false),
    ("SEEN_REPLY", Status::SEEN_REPLY, false),
    ("UNSET", Status(0), false),
    ("FIXED_TIMEOUT", Status::FIXED_TIMEOUT, false),
    ("EXPECTED", Status::EXPECTED, false),
    ("OFFLOAD", Status::OFFLOAD, false),
    ("HW_OFFLOAD", Status::HW_OFFLOAD, false),
    ("UNREPLIED", Status::SEEN_REPLY, false),
    ("SRC_NAT", Status(0), true),
    ("DST_NAT", Status(0), true),
];

/// The words of `-e`.
pub(super) const EVENTS: [&str; 4] = ["ALL", "NEW", "UPDATES", "DESTROY"];

/// The words of `-o`.
pub(super) const OUTPUTS: [&str; 10] = [
    "xml",
    "extended",
    "timestamp",
    "id",
    "ktimestamp",
    "labels",
    "userspace",
    "save",
    "restore",
    "json",
];

/// The words of `-u`: bits that are set, and bits that are not.
pub(super) fn status(
    typed: &str,
    warn: &mut impl FnMut(String),
) -> Result<Masked<Status>, ParseError> {
    let mut wanted = Masked { value: Status(0), mask: Status(0) };
    list(typed, &STATUS.map(|row| row.0), |index, negated| {
        let Some((word, bit, ignored)) = STATUS.get(index) else { return };
        if *ignored {
            let option = if *word == "SRC_NAT" { "src" } else { "dst" };
            return warn(alloc::format!("WARNING: ignoring {word}, use --{option}-nat instead"));
        }
        wanted.mask |= *bit;
        if negated == (*word == "UNREPLIED") {
            wanted.value |= *bit;
        }
    })?;
    Ok(wanted)
}

/// The words of `-e`: the groups of flows, of which those of expectations differ by 3.
pub(super) fn events(typed: &str) -> Result<[bool; 3], ParseError> {
    const ALL: [u32; 3] = groups::FLOWS;
    let mut wanted = [false; 3];
    list(typed, &EVENTS, |index, _| {
        for (slot, group) in wanted.iter_mut().zip(ALL) {
            *slot |= index == 0 || u32::try_from(index) == Ok(group);
        }
    })?;
    Ok(wanted)
}

/// The words of `-o`; they add up.
pub(super) fn output(typed: &str, output: &mut Output) -> Result<(), ParseError> {
    list(typed, &OUTPUTS, |index, _| {
        let slots = [
            &mut output.xml,
            &mut output.extended,
            &mut output.timestamp,
            &mut output.id,
            &mut output.ktimestamp,
            &mut output.labels,
            &mut output.userspace,
            &mut output.save,
            &mut output.restore,
            &mut output.json,
        ];
        if let Some(slot) = slots.into_iter().nth(index) {
            *slot = true;
        }
    })?;
    let alone = Output { save: true, ..Output::default() };
    if output.save && *output != alone {
        let text = "cannot combine save output with any other output type, use -o save only";
        return Err(ParseError::plain(text));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_with_fewer_parts() {
        for (typed, full) in [
            ("1.2.3.4", Some([1, 2, 3, 4])),
            ("1.2.3", Some([1, 2, 0, 3])),
            ("1.2.300", Some([1, 2, 1, 44])),
            ("10.1", Some([10, 0, 0, 1])),
            ("16909060", Some([1, 2, 3, 4])),
            ("0x7f.1", Some([127, 0, 0, 1])),
            ("1.2.3.256", None),
            ("1.2.3.4.5", None),
            ("256.1", None),
            ("", None),
            ("1..2", None),
        ] {
            assert_eq!(address(typed).ok(), full.map(IpAddr::from), "{typed}");
        }
    }

    #[test]
    fn numbers_that_begin_with_zeros() {
        for (typed, octal, plain) in [
            ("010", Some(8), Some(10)),
            ("0x10", Some(16), Some(16)),
            ("0", Some(0), Some(0)),
            ("000", Some(0), Some(0)),
            ("080", None, Some(80)),
            ("", None, None),
            ("00x1", None, None),
            ("0+1", None, None),
            ("1x", None, None),
            ("-1", None, None),
            ("070000", Some(0o70000), None),
        ] {
            assert_eq!(number::<u16>(typed).ok(), octal, "{typed}");
            assert_eq!(decimal::<u16>(typed).ok(), plain, "{typed}");
        }
    }

    #[test]
    fn nat_targets() {
        let is = |typed: &str, address: Option<&str>, port| {
            let address = address.map(|address| address.parse().unwrap());
            assert_eq!(nat(typed), Ok(Nat { address, port }), "{typed}");
        };
        is("1.2.3.4", Some("1.2.3.4"), None);
        is("1.2.3.4:5", Some("1.2.3.4"), Some(5));
        is(":5", None, Some(5));
        is("::1", Some("::1"), None);
        is("[::1]", Some("::1"), None);
        is("[::1]:5", Some("::1"), Some(5));
        for bad in ["", "x", "1.2.3.4:", "1.2.3.4:1:2", "[::1", "[::1]5", "1.2.3.4:80-90", "[]"] {
            assert!(nat(bad).is_err(), "{bad}");
        }
    }
}
