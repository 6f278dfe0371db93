//! Laws of nl-watch's overload control.

use std::time::{Duration, Instant};

use nl_watch::pressure::{
    Breaker, EventFilter, Gate, Governor, GovernorOptions, Level, Share, throttled,
};

use crate::Script;

/// Whatever the load: the breaker's rate lies between the last one and that of the interval, and it
/// opens exactly above its limit and stays so; the governor lets ends of all flows pass that it lets
/// begin, says when its filter changed and when to list, and each filter is a program.
pub fn pressure(bytes: &[u8]) {
    let mut script = Script(bytes);
    if script.flip() { breaker(&mut script) } else { governor(&mut script) }
}

/// A number of any size.
fn large(script: &mut Script<'_>) -> i64 {
    let shift = script.below(64);
    i64::from_be_bytes(script.array().unwrap_or_default()) >> shift
}

// What is compared is as precise as a float.
#[allow(clippy::cast_precision_loss)]
fn breaker(script: &mut Script<'_>) {
    let mut now = Instant::now();
    let limit = large(script).max(-1);
    let mut breaker = Breaker::new(limit, now);
    let mut events = 0_i64;
    while let Some(operation) = script.byte() {
        match operation % 8 {
            0..=3 => {
                let more = large(script).max(0);
                breaker.add(more);
                events = events.saturating_add(more);
            }
            7 => {
                breaker.reset(now);
                events = 0;
                assert!(!breaker.is_open() && breaker.rate() == 0);
            }
            _ => {
                let (before, was_open) = (breaker.rate(), breaker.is_open());
                let elapsed = Duration::from_millis(script.number().into());
                now += elapsed;
                breaker.update(now);
                if was_open {
                    assert!(breaker.is_open() && breaker.rate() == before);
                    continue;
                }
                let latest = events as f64 / elapsed.as_secs_f64().max(1.0);
                let (low, high) = (latest.min(before as f64), latest.max(before as f64));
                let (low, high) = if before == 0 { (latest, latest) } else { (low, high) };
                let (rate, slack) = (breaker.rate() as f64, 1.0 + high * 1e-12);
                assert!((low - slack..=high + slack).contains(&rate), "{low} {rate} {high}");
                assert_eq!(breaker.is_open(), limit != -1 && breaker.rate() > limit);
                events = 0;
                if breaker.is_open() && limit > 0 {
                    let share = throttled(limit, breaker.rate(), 1.0);
                    assert!(share > 0.0 && share < 1.0 && Share::new(share).is_ok(), "{share}");
                }
            }
        }
    }
}

fn governor(script: &mut Script<'_>) {
    let mut now = Instant::now();
    let options = GovernorOptions {
        limit: f64::from(script.number().max(1)),
        interval: Duration::from_millis(u64::from(script.byte().unwrap_or_default()) * 10),
        nat_only: script.flip(),
    };
    let mut governor = Governor::with_filter(options, EventFilter::open(script.number()), now);
    let (mut received, mut steps) = (0_u64, 0);
    for _ in 0..2000 {
        let Some(operation) = script.byte() else { break };
        now += Duration::from_millis(u64::from(operation) * 20);
        received = received.saturating_add(u64::from(script.number()) >> script.below(32));
        let before = *governor.filter();
        let step = governor.poll(now, received);
        let after = *governor.filter();
        steps += u64::from(step.is_some());
        assert_eq!(governor.steps(), steps);
        assert_eq!(step.is_some(), before != after);
        assert!(after.deaths.covers(&after.births), "{after:?}");
        assert!(governor.rate() > 0.0 && governor.rate() <= 1.0);
        assert!(!options.nat_only || governor.level() != Level::Everything);
        assert_eq!(before.births.sampler.key, after.births.sampler.key);
        if let Some(step) = step {
            assert_eq!(step.filter, after);
            // Flows live of which nothing was told, or whose end will not be told.
            let widened = !before.births.covers(&after.births);
            let narrowed = !after.deaths.covers(&before.deaths);
            assert_eq!(step.relist, widened || narrowed);
            check_union(after.births, before.deaths);
            assert!(after.program().is_ok());
        }
    }
}

/// The union of two gates covers both.
fn check_union(one: Gate, other: Gate) {
    let both = one.union(other);
    assert!(both.covers(&one) && both.covers(&other) && both.covers(&both));
    assert_eq!(both, other.union(one));
}
