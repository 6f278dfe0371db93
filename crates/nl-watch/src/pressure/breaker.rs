//! The circuit breaker of older agents, and the sampling rate that follows when it opens.

use std::time::Instant;

/// How much the latest interval counts in the average.
const WEIGHT: f64 = 0.2;

/// Shorter intervals, in seconds, count as this long.
const INTERVAL_MIN: f64 = 1.0;

/// The new sampling rate aims below the limit by this factor.
const OVERSHOOT: f64 = 0.95;

/// Opens when events come faster than a limit; stays open until it is reset.
///
/// The rate is a moving average that is cut to an integer at each update. The first interval, and
/// the first after the rate fell to 0, is taken as it is.
///
/// ```
/// use std::time::{Duration, Instant};
/// use nl_watch::pressure::Breaker;
///
/// let start = Instant::now();
/// let mut breaker = Breaker::new(100, start);
/// breaker.add(110);
/// breaker.update(start + Duration::from_secs(1));
/// assert!(breaker.is_open() && breaker.rate() == 110);
/// ```
#[derive(Clone, Debug)]
pub struct Breaker {
    limit: i64,
    events: i64,
    rate: i64,
    open: bool,
    updated: Instant,
}

impl Breaker {
    /// A closed breaker. `limit` is in events per second; -1 is none.
    pub const fn new(limit: i64, now: Instant) -> Self {
        let limit = if limit == -1 { i64::MAX } else { limit };
        Self { limit, events: 0, rate: 0, open: false, updated: now }
    }

    /// Counts events.
    pub const fn add(&mut self, events: i64) {
        self.events = self.events.saturating_add(events);
    }

    /// Ends an interval; agents do so every three seconds. Changes nothing while the breaker is
    /// open.
    // Numbers of this arithmetic are far below 2⁵², and cutting them is what is meant.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    pub fn update(&mut self, now: Instant) {
        if self.open {
            return;
        }
        let seconds = now.saturating_duration_since(self.updated).as_secs_f64().max(INTERVAL_MIN);
        let latest = self.events as f64 / seconds;
        let rate = match self.rate {
            0 => latest,
            rate => WEIGHT * latest + (1.0 - WEIGHT) * rate as f64,
        };
        *self = Self { rate: rate as i64, events: 0, updated: now, ..*self };
        self.open = self.rate > self.limit;
    }

    /// Whether the rate was above the limit at an update.
    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// Events per second as of the last update.
    pub const fn rate(&self) -> i64 {
        self.rate
    }

    /// Closes it and forgets events and rate.
    pub const fn reset(&mut self, now: Instant) {
        *self = Self { events: 0, rate: 0, open: false, updated: now, ..*self };
    }
}

/// The sampling rate to go on with after a breaker of this limit opened at `rate` events per second
/// while `current` (1.0 is everything) was sampled.
///
/// ```
/// use nl_watch::pressure::{Share, throttled};
///
/// let rate = throttled(500, 1000, 1.0);
/// assert!((rate - 0.475).abs() < 1e-9);
/// // A random number of 32 bits below this is sampled.
/// assert_eq!(Share::new(rate)?.cutoff(), 2_040_109_465);
/// # Ok::<(), nl_watch::pressure::InvalidRate>(())
/// ```
#[allow(clippy::cast_precision_loss)]
pub fn throttled(limit: i64, rate: i64, current: f64) -> f64 {
    limit as f64 / rate as f64 * current * OVERSHOOT
}
