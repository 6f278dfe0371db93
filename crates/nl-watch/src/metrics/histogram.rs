//! Durations, counted by how long they were.

use std::time::Duration;

/// How many durations were how long.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Histogram {
    /// How many fell between the bound before and this one; the last: above all bounds.
    pub buckets: [u64; Self::BOUNDS.len() + 1],
    /// The sum of all, in nanoseconds.
    pub nanoseconds: u64,
}

impl Histogram {
    /// The bounds of the buckets in nanoseconds; each counts what is at most so long.
    pub const BOUNDS: [u64; 9] = [10, 25, 50, 75, 100, 250, 500, 1000, 10_000];

    /// Which bucket a number of nanoseconds falls into.
    #[inline]
    pub(crate) fn bucket(nanoseconds: u64) -> usize {
        Self::BOUNDS.partition_point(|bound| *bound < nanoseconds)
    }

    /// Counts a duration.
    pub fn observe(&mut self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[Self::bucket(nanoseconds)] += 1;
        self.nanoseconds = self.nanoseconds.saturating_add(nanoseconds);
    }

    /// How many were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}
