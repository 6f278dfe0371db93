//! Decides how much passes.

use std::time::{Duration, Instant};

use super::gate::{EventFilter, Level};

/// How much of the limit to aim at when sampling begins or tightens.
const AIM: f64 = 0.95;

/// How far the rate of events must have fallen below the limit before more is let through.
const CALM: f64 = 0.5;

/// By how much the sample grows at a time. Not more than 1/[`CALM`]: then a load that stays as it is
/// stays below the limit.
const GROWTH: f64 = 2.0;

/// For how many intervals in a row the load must be low before more is let through.
const PATIENCE: u32 = 3;

/// For how many intervals at most: after letting everything through proved too much, the patience
/// doubles up to here.
const PATIENCE_MAX: u32 = 256;

/// The least share that is sampled, so that there is something left to measure.
const RATE_MIN: f64 = 1.0 / 65_536.0;

/// What a [`Governor`] keeps to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct GovernorOptions {
    /// Events per second that may arrive.
    pub limit: f64,
    /// How long to measure before deciding; the load must be low for several intervals before more
    /// is let through.
    pub interval: Duration,
    /// Whether flows that are not translated are not wanted at all: then not everything passes, but
    /// [`Level::NatOnly`] at the most.
    pub nat_only: bool,
}

impl Default for GovernorOptions {
    /// 10,000 events per second, which cost about a hundredth of a CPU to receive and decode; one
    /// second; all flows.
    fn default() -> Self {
        Self { limit: 10_000.0, interval: Duration::from_secs(1), nat_only: false }
    }
}

/// A change of the filter.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Step {
    /// What to attach to the event sockets.
    pub filter: EventFilter,
    /// Whether to list the table again, once the filter is attached. More passes now: flows live of
    /// which nothing was told. Or ends pass less freely now: flows that [`EventFilter::deaths`] does
    /// not let pass are to be forgotten, because nobody will tell of their end.
    pub relist: bool,
}

/// Keeps the rate of events below a limit by telling the kernel which to drop.
///
/// Time and counts are arguments: nothing happens but in [`Governor::poll`].
///
/// - *Above the limit*, at the end of an interval: first only translated flows pass, then a sample
///   of these, as large as the measured rate allows. Ends of flows go on passing as they did before,
///   so that every flow that was told to begin is told to end. If even so the rate stays above the
///   limit in the next interval, ends are held to the same sample, and the table has to be listed
///   again ([`Step::relist`]) to forget what is no longer followed.
/// - *Below half of the limit* for three intervals in a row: the sample doubles, then all
///   translated flows pass, then everything. A load that stays as it is stays below the limit when
///   the sample doubles. How much *everything* is can't be known before: if it proves too much
///   within the time waited before, the next attempt waits twice as long.
/// - In between nothing changes.
///
/// ```
/// use std::time::{Duration, Instant};
/// use nl_watch::pressure::{Governor, GovernorOptions, Level};
///
/// let mut now = Instant::now();
/// let mut governor = Governor::new(GovernorOptions { limit: 500.0, ..Default::default() }, now);
/// now += Duration::from_secs(1);
/// let step = governor.poll(now, 4000).expect("4000 a second are too many");
/// assert_eq!(governor.level(), Level::NatOnly);
/// let program = step.filter.program()?; // or step.filter.attach(events.socket())
/// # assert!(program.instructions().len() > 10);
/// # Ok::<(), nl_conntrack::event_filter::FilterError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Governor {
    options: GovernorOptions,
    filter: EventFilter,
    since: Instant,
    counted: u64,
    measured: f64,
    /// Intervals in a row with a low rate.
    calm: u32,
    /// How many of them it takes to let everything pass.
    patience: u32,
    /// Intervals since everything passes.
    settled: u32,
    steps: u64,
}

impl Governor {
    /// Begins with the most that may pass. Attach [`Governor::filter`] at the start, unless that is
    /// everything.
    pub fn new(options: GovernorOptions, now: Instant) -> Self {
        let filter = EventFilter::open_at_random();
        Self::with_filter(options, filter, now)
    }

    /// Begins with a given filter: the key of its samplers is kept.
    pub fn with_filter(options: GovernorOptions, mut filter: EventFilter, now: Instant) -> Self {
        filter.births.nat_only |= options.nat_only;
        filter.deaths.nat_only |= options.nat_only;
        Self {
            options,
            filter,
            since: now,
            counted: 0,
            measured: 0.0,
            calm: 0,
            patience: PATIENCE,
            settled: PATIENCE + 1,
            steps: 0,
        }
    }

    /// What passes now.
    pub const fn filter(&self) -> &EventFilter {
        &self.filter
    }

    /// How much passes now.
    pub fn level(&self) -> Level {
        self.filter.level()
    }

    /// Which share of the flows of this level passes, from 0 to 1.
    pub fn rate(&self) -> f64 {
        self.filter.rate()
    }

    /// Events per second as of the last interval.
    pub const fn measured(&self) -> f64 {
        self.measured
    }

    /// How often the filter was changed.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// When [`Governor::poll`] has to be called next, events or not.
    pub fn deadline(&self) -> Instant {
        self.since + self.options.interval
    }

    /// Decides, if an interval is over. `received` is how many events have been received since the
    /// start, [`Loss::Overrun`](nl_socket::Loss::Overrun)'s number included: what was dropped was
    /// load too.
    // Counts far below 2⁵².
    #[allow(clippy::cast_precision_loss)]
    pub fn poll(&mut self, now: Instant, received: u64) -> Option<Step> {
        let elapsed = now.saturating_duration_since(self.since);
        if elapsed < self.options.interval || elapsed.is_zero() {
            return None;
        }
        self.measured = received.saturating_sub(self.counted) as f64 / elapsed.as_secs_f64();
        self.since = now;
        self.counted = received;
        let before = self.filter;
        if self.measured > self.options.limit {
            self.tighten();
        } else if self.measured < self.options.limit * CALM {
            self.loosen();
        } else {
            self.calm = 0;
        }
        self.settled = self.settled.saturating_add(1);
        if self.level() == Level::Everything && self.settled > self.patience {
            self.patience = PATIENCE;
        }
        (self.filter != before).then(|| {
            self.steps += 1;
            let filter = self.filter;
            let more = !before.births.covers(&filter.births);
            Step { filter, relist: more || !filter.deaths.covers(&before.deaths) }
        })
    }

    fn tighten(&mut self) {
        self.calm = 0;
        let EventFilter { births, deaths } = &mut self.filter;
        if !births.covers(deaths) {
            *deaths = *births;
        } else if births.nat_only {
            let share = births.sampler.rate() * self.options.limit / self.measured * AIM;
            self.sample(share.max(RATE_MIN));
        } else {
            births.nat_only = true;
            // A failed attempt: the next one waits longer.
            if self.settled <= self.patience {
                self.patience = (self.patience * 2).min(PATIENCE_MAX);
            }
        }
    }

    fn loosen(&mut self) {
        self.calm = self.calm.saturating_add(1);
        match self.level() {
            Level::Sampled if self.calm >= PATIENCE => {
                self.calm = 0;
                self.sample((self.rate() * GROWTH).min(1.0));
            }
            Level::NatOnly if self.calm >= self.patience && !self.options.nat_only => {
                self.calm = 0;
                self.settled = 0;
                self.filter.births.nat_only = false;
            }
            _ => {}
        }
        self.filter.deaths = self.filter.deaths.union(self.filter.births);
    }

    fn sample(&mut self, rate: f64) {
        // Both callers keep to shares between 0 and 1.
        if let Ok(sampler) = self.filter.births.sampler.at(rate) {
            self.filter.births.sampler = sampler;
        }
    }
}
