//! Lookups, from as many threads as there are readers.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use nl_conntrack::Tuple;

use super::dump::NatEntry;
use super::key::{HashKey, Record, Side};
use super::memory::{CLAIMED, Found, Index, Slots, USED};
use crate::metrics::Histogram;

/// Of so many lookups one is timed: reading the clock twice takes longer than a lookup.
const TIMED: u64 = 64;

/// Of so many lookups the memory is fetched at the same time.
const AT_ONCE: usize = 32;

/// What the writer and its readers have in common.
pub(super) struct Shared {
    pub(super) key: HashKey,
    pub(super) index: Index,
    pub(super) slots: Slots,
    tallies: Mutex<Tallies>,
}

#[derive(Default)]
struct Tallies {
    live: Vec<Arc<Tally>>,
    /// Of readers that are gone.
    gone: Lookups,
}

/// What one reader counted. Only the reader stores.
#[derive(Default)]
struct Tally {
    lookups: AtomicU64,
    hits: AtomicU64,
    buckets: [AtomicU64; Histogram::BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// What readers counted.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Lookups {
    /// Lookups.
    pub total: u64,
    /// Those that found a translation.
    pub hits: u64,
    /// How long they took: of every 64th single one.
    pub durations: Histogram,
}

impl Lookups {
    fn add(&mut self, tally: &Tally) {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        self.total += load(&tally.lookups);
        self.hits += load(&tally.hits);
        for (sum, bucket) in self.durations.buckets.iter_mut().zip(&tally.buckets) {
            *sum += load(bucket);
        }
        self.durations.nanoseconds += load(&tally.nanoseconds);
    }
}

impl Shared {
    pub(super) fn new(slots: u32) -> Self {
        Self {
            key: HashKey::random(),
            index: Index::new(slots),
            slots: Slots::new(slots),
            tallies: Mutex::default(),
        }
    }

    /// Finds a direction and the record it belongs to.
    #[inline]
    pub(super) fn find(&self, namespace: u64, side: &Side) -> Option<(Found, Record)> {
        let hash = self.key.hash(namespace, side);
        let mut record = None;
        let found = self.index.find(hash, |found| {
            record = self.slots.read(found.slot).filter(|record| {
                record.namespace == namespace && record.sides[found.direction] == *side
            });
            record.is_some()
        });
        found.zip(record)
    }

    /// All records, each as it is at some moment.
    pub(super) fn entries(&self) -> Vec<NatEntry> {
        let records = (0..self.slots.used()).filter_map(|number| self.slots.read(number));
        records.map(|record| NatEntry::from(&record)).collect()
    }

    /// What all readers counted.
    pub(super) fn lookups(&self) -> Lookups {
        let tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sum = tallies.gone.clone();
        for tally in &tallies.live {
            sum.add(tally);
        }
        sum
    }
}

/// Looks translations up. Each thread clones one for itself; none waits for another or for the
/// writer.
pub struct NatReader {
    shared: Arc<Shared>,
    tally: Arc<Tally>,
}

impl NatReader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let tally = Arc::<Tally>::default();
        let mut tallies = shared.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        tallies.live.push(Arc::clone(&tally));
        drop(tallies);
        Self { shared, tally }
    }

    /// The other direction of the flow of which `tuple` is one direction, in this namespace and
    /// zone; `None` if no translated flow has it.
    ///
    /// For the tuple that a client sees, the result's source is the peer in truth, and its
    /// destination what the peer takes the client for. The result has a zone of its own
    /// ([`Tuple::zone`]) if it is not the one asked in. The zone of `tuple` itself is not looked at.
    #[inline]
    pub fn lookup(&mut self, namespace: u64, zone: u16, tuple: &Tuple) -> Option<Tuple> {
        let tally = &*self.tally;
        let timed = count(&tally.lookups, 1) % TIMED == 0;
        let started = timed.then(Instant::now);
        let translation = self.shared.lookup(namespace, zone, tuple);
        if translation.is_some() {
            count(&tally.hits, 1);
        }
        if let Some(started) = started {
            let took = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
            count(&tally.buckets[Histogram::bucket(took)], 1);
            count(&tally.nanoseconds, took);
        }
        translation
    }

    /// Looks many tuples up and calls `found` with each and its translation, in order. In a table
    /// larger than the caches this is several times as fast as one by one: the memory of several
    /// lookups is fetched at the same time.
    pub fn lookup_all<'t>(
        &mut self,
        namespace: u64,
        zone: u16,
        tuples: &'t [Tuple],
        mut found: impl FnMut(&'t Tuple, Option<Tuple>),
    ) {
        let shared = &*self.shared;
        let mut hits = 0;
        for tuples in tuples.chunks(AT_ONCE) {
            let mut sides = [None; AT_ONCE];
            let mut hashes = [0; AT_ONCE];
            for ((side, hash), tuple) in sides.iter_mut().zip(&mut hashes).zip(tuples) {
                *side = Side::pack(tuple, zone);
                *hash = side.as_ref().map_or(0, |side| shared.key.hash(namespace, side));
            }
            // Each step fetches what the next one needs; none waits for a single lookup.
            let hashes = &hashes[..tuples.len()];
            std::hint::black_box(
                hashes.iter().fold(0, |sum, hash| sum ^ shared.index.touch(*hash)),
            );
            let mut likely = [None; AT_ONCE];
            for (likely, hash) in likely.iter_mut().zip(hashes) {
                *likely = shared.index.find(*hash, |_| true);
            }
            for found in likely.iter().flatten() {
                if let Some(second) = shared.slots.touch(found.slot) {
                    std::hint::black_box(shared.slots.touch(second));
                }
            }
            for (((tuple, side), hash), likely) in tuples.iter().zip(&sides).zip(hashes).zip(likely)
            {
                // Mostly it is the likely one; else another of the same hash.
                let translation = side.as_ref().zip(likely).and_then(|(side, likely)| {
                    let answer = shared.answer(namespace, zone, side, likely);
                    answer.or_else(|| shared.translate(namespace, zone, side, *hash))
                });
                hits += u64::from(translation.is_some());
                found(tuple, translation);
            }
        }
        count(&self.tally.lookups, tuples.len() as u64);
        count(&self.tally.hits, hits);
    }

    /// Every entry, in no order. Entries that come or go meanwhile may be there or not.
    pub fn entries(&self) -> Vec<NatEntry> {
        self.shared.entries()
    }
}

/// Only one reader counts here, so there is nothing to be lost between load and store.
#[inline]
fn count(counter: &AtomicU64, by: u64) -> u64 {
    let value = counter.load(Ordering::Relaxed).wrapping_add(by);
    counter.store(value, Ordering::Relaxed);
    value
}

impl Shared {
    #[inline]
    fn lookup(&self, namespace: u64, zone: u16, tuple: &Tuple) -> Option<Tuple> {
        let side = Side::pack(tuple, zone)?;
        self.translate(namespace, zone, &side, self.key.hash(namespace, &side))
    }

    #[inline]
    fn translate(&self, namespace: u64, zone: u16, side: &Side, hash: u64) -> Option<Tuple> {
        let mut answer = None;
        self.index.find(hash, |found| {
            answer = self.answer(namespace, zone, side, found);
            answer.is_some()
        })?;
        answer
    }

    /// The other direction of this one, if it is this one.
    #[inline]
    fn answer(&self, namespace: u64, zone: u16, side: &Side, found: Found) -> Option<Tuple> {
        let other = self.slots.other(found, namespace, side)?;
        let slot = self.slots.get(found.slot);
        // Mostly set: then the cache line stays shared. Should the slot be another's by now, that
        // one lives a little longer.
        if !slot.has_marks(CLAIMED | USED) {
            slot.set_marks(CLAIMED | USED);
        }
        let (other, other_zone) = other.unpack();
        Some(Tuple { zone: (other_zone != zone).then_some(other_zone), ..other })
    }
}

impl Clone for NatReader {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.shared))
    }
}

impl Drop for NatReader {
    fn drop(&mut self) {
        let mut tallies = self.shared.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        tallies.live.retain(|tally| !Arc::ptr_eq(tally, &self.tally));
        tallies.gone.add(&self.tally);
    }
}

impl fmt::Debug for NatReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatReader").finish_non_exhaustive()
    }
}
