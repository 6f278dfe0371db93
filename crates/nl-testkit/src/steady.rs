//! Comparing and waiting where something changes by itself: counters, timers, addresses that
//! are checked for duplicates, programs that start.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::tool::tool;

/// How long to wait for what must come. Only a test that fails waits as long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Makes links that are made from now on say little by themselves: no router solicitations, which
/// raise counters for ever, and no detection of duplicate addresses, which changes flags a second
/// later. `lo` and other links that are there already are included where the kernel allows.
///
/// What is left (membership reports) ends soon; compare with [`agree`].
pub fn quiet() {
    for scope in ["all", "default", "lo"] {
        for setting in ["router_solicitations", "accept_dad", "dad_transmits"] {
            // Without IPv6 there is nothing to silence.
            let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{scope}/{setting}"), "0");
        }
    }
}

/// Waits until the kernel has worked off that links got or lost their carrier, which it does up to a
/// second later: flags of routes, ports of bridges and states of links hang on it.
///
/// # Panics
/// If that takes more than 20 seconds, or there is no ip.
pub fn settle() {
    let settled = |line: &str| {
        let carrier = line.contains(",LOWER_UP");
        !line.contains(",UP") || carrier != line.contains("NO-CARRIER")
    };
    wait_until("carriers", || tool("ip", &["-o", "link"]).lines().all(settled));
}

/// Looks at something that changes by itself in two ways until both see the same: a look of `ours`
/// is compared with those of `theirs` before and behind it. After 20 seconds the last pair is given
/// as it is, so that the caller's assertion shows how it differs.
pub fn agree<T: PartialEq>(mut ours: impl FnMut() -> T, mut theirs: impl FnMut() -> T) -> (T, T) {
    let deadline = Instant::now() + PATIENCE;
    let mut before = theirs();
    loop {
        let mine = ours();
        if mine == before {
            return (mine, before);
        }
        let after = theirs();
        if mine == after || Instant::now() >= deadline {
            return (mine, after);
        }
        sleep(PAUSE);
        before = theirs();
    }
}

/// A text cut into numbers and what stands between them.
fn pieces(text: &str) -> Vec<&str> {
    text.as_bytes()
        .chunk_by(|one, next| one.is_ascii_digit() == next.is_ascii_digit())
        .map(|piece| std::str::from_utf8(piece).unwrap_or("not ASCII"))
        .collect()
}

/// Whether a text is the same as two others, each number of it as that of the one, or that of the
/// other, or between the two.
#[must_use]
pub fn is_between(before: &str, text: &str, after: &str) -> bool {
    let [before, text, after] = [before, text, after].map(pieces);
    let number = |piece: &str| piece.parse::<u128>();
    let fits = |((before, piece), after): ((&&str, &&str), &&str)| {
        piece == before
            || piece == after
            || match (number(before), number(piece), number(after)) {
                (Ok(before), Ok(piece), Ok(after)) => {
                    (before.min(after)..=before.max(after)).contains(&piece)
                }
                _ => false,
            }
    };
    before.len() == text.len()
        && text.len() == after.len()
        && before.iter().zip(&text).zip(&after).all(fits)
}

/// What `ours` shows as soon as it is between what `theirs` shows before and after, by
/// [`is_between`]: many things count down at moments of their own, some of which will fall between
/// any two looks.
///
/// # Panics
/// If it is not within 20 seconds.
pub fn between(mut ours: impl FnMut() -> String, mut theirs: impl FnMut() -> String) -> String {
    let deadline = Instant::now() + PATIENCE;
    let mut before = theirs();
    loop {
        let mine = ours();
        let after = theirs();
        if is_between(&before, &mine, &after) {
            return mine;
        }
        assert!(Instant::now() < deadline, "ours:\n{mine}\ntheirs:\n{after}");
        before = after;
    }
}

/// Waits until something is so.
///
/// # Panics
/// If it is not within 20 seconds.
pub fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} for {what}");
        sleep(PAUSE);
    }
}

/// How many sockets of a netlink protocol in this namespace have joined all the groups of a mask (bit
/// 0 is group 1): a program that shall listen listens when it is counted.
///
/// # Panics
/// If `/proc/net/netlink` cannot be read.
#[must_use]
pub fn listeners(protocol: u8, groups: u32) -> usize {
    let table = fs::read_to_string("/proc/thread-self/net/netlink").expect("sockets are listed");
    let joined = |line: &&str| {
        let columns: Vec<_> = line.split_ascii_whitespace().collect();
        let [_, number, _, mask, ..] = columns[..] else { return false };
        let mask = u32::from_str_radix(mask, 16).unwrap_or_default();
        number.parse() == Ok(protocol) && mask != 0 && mask & groups == groups
    };
    table.lines().filter(joined).count()
}
