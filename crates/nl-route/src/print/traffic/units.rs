//! Numbers with units, as tc(8) writes them.

use alloc::format;
use core::fmt;

/// Numbers that tc prints with a sign.
pub(super) const fn signed(number: u32) -> i32 {
    i32::from_ne_bytes(number.to_ne_bytes())
}

/// Ticks in whole microseconds.
#[allow(clippy::cast_possible_truncation)] // a twelfth of the ticks
pub(super) fn microseconds(ticks: u32) -> u32 {
    (u64::from(ticks) * 64 / 1000) as u32
}

/// Bytes, in the unit in which they are nearly a whole number.
pub(super) struct Size(pub(super) u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let near = |unit: u64, slack: u64| {
            let count = (self.0 + unit / 2) / unit;
            // More than six digits are not told.
            #[allow(clippy::cast_precision_loss)]
            (self.0 >= unit && (count * unit).abs_diff(self.0) < slack)
                .then_some(General(count as f64, 6))
        };
        if let Some(count) = near(1 << 20, 1024) {
            write!(f, "{count}Mb")
        } else if let Some(count) = near(1 << 10, 16) {
            write!(f, "{count}Kb")
        } else {
            write!(f, "{}b", self.0)
        }
    }
}

/// Bytes a second, told as bits a second.
pub(super) struct Rate(pub(super) u64);

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 5] = ["", "K", "M", "G", "T"];
        let mut bits = u128::from(self.0) * 8;
        let mut unit = 0;
        // As tc does: a greater unit where nothing is lost by it, or the number is long.
        while unit + 1 < UNITS.len() && bits >= 1000 && (bits % 1000 == 0 || bits >= 1_000_000) {
            bits /= 1000;
            unit += 1;
        }
        write!(f, "{bits}{}bit", UNITS[unit])
    }
}

/// Nanoseconds in a unit of which there is at least one, with three digits.
pub(super) struct Nanoseconds(pub(super) u64);

/// The same of microseconds.
pub(super) struct Microseconds(pub(super) u32);

impl fmt::Display for Nanoseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 3] = [(1_000_000_000, "s"), (1_000_000, "ms"), (1000, "us")];
        match UNITS.iter().find(|(unit, _)| self.0 >= *unit) {
            #[allow(clippy::cast_precision_loss)] // three digits are told
            Some((unit, name)) => write!(f, "{}{name}", General(self.0 as f64 / *unit as f64, 3)),
            None => write!(f, "{}ns", self.0),
        }
    }
}

impl fmt::Display for Microseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Nanoseconds of which there are at least a thousand.
        if self.0 == 0 { f.write_str("0us") } else { Nanoseconds(u64::from(self.0) * 1000).fmt(f) }
    }
}

/// Without zeros at the end of a fraction.
fn shorten(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// A number with so many significant digits, as C's `%g` writes it.
pub(super) struct General(pub(super) f64, pub(super) usize);

impl fmt::Display for General {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, digits) = *self;
        let scientific = format!("{number:.*e}", digits - 1);
        let Some((mantissa, exponent)) = scientific.split_once('e') else {
            return f.write_str(&scientific);
        };
        let exponent: i32 = exponent.parse().unwrap_or_default();
        match usize::try_from(exponent) {
            Ok(exponent) if exponent < digits => {
                f.write_str(shorten(&format!("{number:.*}", digits - 1 - exponent)))
            }
            Err(_) if exponent >= -4 => {
                let places = digits - 1 + usize::try_from(-exponent).unwrap_or_default();
                f.write_str(shorten(&format!("{number:.places$}")))
            }
            _ => {
                let sign = if exponent < 0 { '-' } else { '+' };
                write!(f, "{}e{sign}{:02}", shorten(mantissa), exponent.unsigned_abs())
            }
        }
    }
}
