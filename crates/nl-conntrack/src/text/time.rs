//! Moments in words, as `ctime` writes them.

use alloc::string::String;
use core::fmt::Write as _;

/// Nanoseconds of a second.
pub(super) const NANOSECONDS: u64 = 1_000_000_000;

const SECONDS_PER_DAY: i64 = 86_400;
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment in local time.
pub(super) struct CivilTime {
    pub(super) year: i64,
    /// From 0 on.
    pub(super) month: i64,
    /// From 1 on.
    pub(super) day: i64,
    /// From 0, which is Sunday, on.
    pub(super) weekday: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
}

/// A moment, in seconds since 1970, in local time.
pub(super) fn civil_time(seconds: u64, utc_offset: fn(i64) -> i32) -> CivilTime {
    let seconds = i64::try_from(seconds).unwrap_or_default();
    let local = seconds.saturating_add(utc_offset(seconds).into());
    let (days, second) = (local.div_euclid(SECONDS_PER_DAY), local.rem_euclid(SECONDS_PER_DAY));
    let (year, month, day) = civil(days);
    let weekday = (days + 4).rem_euclid(7);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    CivilTime { year, month, day, weekday, hour, minute, second }
}

/// Appends a moment, in nanoseconds since 1970, as `Thu Jan  1 00:00:00 1970` in local time.
pub(super) fn ctime(out: &mut String, nanoseconds: u64, utc_offset: fn(i64) -> i32) {
    let time = civil_time(nanoseconds / NANOSECONDS, utc_offset);
    let name = |names: &[&'static str], index: i64| {
        usize::try_from(index).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
    };
    let (weekday, month) = (name(&WEEKDAYS, time.weekday), name(&MONTHS, time.month));
    let CivilTime { year, day, hour, minute, second, .. } = time;
    // A String takes everything.
    let _ = write!(out, "{weekday} {month} {day:2} {hour:02}:{minute:02}:{second:02} {year}");
}

/// The year, the month from 0 on and the day from 1 on of a day counted from 1970-01-01.
fn civil(mut days: i64) -> (i64, i64, i64) {
    let mut year = 1970;
    while days < 0 {
        year -= 1;
        days += days_of(year);
    }
    while days >= days_of(year) {
        days -= days_of(year);
        year += 1;
    }
    let february = days_of(year) - 337;
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (month, length) in (0..).zip(lengths) {
        if days < length {
            return (year, month, days + 1);
        }
        days -= length;
    }
    // The lengths add up to those of the year.
    (year, 0, days)
}

fn days_of(year: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if leap { 366 } else { 365 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(seconds: u64, offset: fn(i64) -> i32) -> String {
        let mut out = String::new();
        ctime(&mut out, seconds * NANOSECONDS + 999, offset);
        out
    }

    #[test]
    fn moments() {
        let utc = |_| 0;
        assert_eq!(text(0, utc), "Thu Jan  1 00:00:00 1970");
        assert_eq!(text(951_782_399, utc), "Mon Feb 28 23:59:59 2000");
        assert_eq!(text(951_782_400, utc), "Tue Feb 29 00:00:00 2000");
        assert_eq!(text(951_868_800, utc), "Wed Mar  1 00:00:00 2000");
        assert_eq!(text(1_609_459_199, utc), "Thu Dec 31 23:59:59 2020");
        assert_eq!(text(1_623_073_290, |_| 7200), "Mon Jun  7 15:41:30 2021");
        assert_eq!(text(0, |_| -3600), "Wed Dec 31 23:00:00 1969");
        assert_eq!(text(u64::MAX / NANOSECONDS, utc), "Sun Jul 21 23:34:33 2554");
    }
}
