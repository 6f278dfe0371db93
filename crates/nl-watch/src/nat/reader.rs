//! Lookups, from as many threads as there are readers.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use nl_conntrack::Tuple;

use super::dump::NatEntry;
use super::index::{CLAIMED, Entry, Found, Index, USED};
use super::key::{Hash, HashKey, KIND, Record, Seed, Side, is_ipv6};
use super::memory::Slots;
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
    pub(super) fn new(entries: u32, slots: u32) -> Self {
        Self {
            key: HashKey::random(),
            index: Index::new(entries),
            slots: Slots::new(slots),
            tallies: Mutex::default(),
        }
    }

    /// Finds a direction and the record it belongs to.
    pub(super) fn find(&self, namespace: u64, side: &Side) -> Option<(Found, Record)> {
        let hash = self.key.hash(namespace, side);
        let entry = self.index.get(self.index.find(&hash)?);
        let found = entry.owner().filter(|_| entry.is_of(&hash))?.found();
        let (record, _) = self.record(found.slot)?;
        let is_it = record.namespace == namespace && record.sides[found.direction] == *side;
        is_it.then_some((found, record))
    }

    /// The record of a slot and the places of its directions; `None` if the slot is free.
    pub(super) fn record(&self, number: u32) -> Option<(Record, [u32; 2])> {
        loop {
            let (moves, head) = (self.index.moves(), self.slots.get(number).head());
            let record = self.record_at(number);
            // It may be found no more because it is elsewhere by now.
            let is_same = || self.slots.get(number).head() == head && self.index.is_unmoved(moves);
            if record.is_some() || is_same() {
                return record;
            }
        }
    }

    /// As [`Shared::record`]; `None` also if one of its directions moves meanwhile.
    fn record_at(&self, number: u32) -> Option<(Record, [u32; 2])> {
        loop {
            let slot = self.slots.get(number);
            let head = slot.head();
            let original = self.index.at(head.place())?;
            let owner = original.owner()?;
            if owner.found() != (Found { slot: number, direction: 0 }) {
                return None;
            }
            let namespace = slot.namespace();
            // Each direction is the answer of the other.
            let reply_side = self.side(original, head.kind())?;
            let hash = self.key.hash(namespace, &reply_side);
            let place = self.index.find(&hash)?;
            let reply = self.index.get(place);
            let Some(replier) = reply.owner() else { continue };
            if replier.found() == (Found { slot: number, direction: 1 }) {
                let sides = [self.side(reply, head.kind())?, reply_side];
                let is_still = reply.is_still(replier) && original.is_still(owner);
                if is_still && slot.head() == head {
                    return Some((Record { namespace, sides }, [head.place(), place]));
                }
            } else if reply.has_tag(&hash) && reply.is_still(replier) {
                return None;
            }
        }
    }

    /// The answer of an entry, for one of this kind. Nonsense if it is written meanwhile.
    #[inline]
    fn side(&self, entry: Entry<'_>, kind: u64) -> Option<Side> {
        let (descriptor, word) = entry.answer();
        let addresses =
            if is_ipv6(kind) { self.slots.at(word)?.addresses() } else { [word, 0, 0, 0] };
        Some(Side { descriptor: descriptor | kind & KIND, addresses })
    }

    /// All records, each as it is at some moment.
    pub(super) fn entries(&self) -> Vec<NatEntry> {
        let records = (0..self.slots.used()).filter_map(|number| self.record(number));
        records.map(|(record, _)| NatEntry::from(&record)).collect()
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
    /// The namespace of the last lookup.
    here: (u64, Seed),
}

impl NatReader {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let tally = Arc::<Tally>::default();
        let mut tallies = shared.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        tallies.live.push(Arc::clone(&tally));
        drop(tallies);
        let here = (0, shared.key.seed(0));
        Self { shared, tally, here }
    }

    /// The other direction of the flow of which `tuple` is one direction, in this namespace and
    /// zone; `None` if no translated flow has it.
    ///
    /// For the tuple that a client sees, the result's source is the peer in truth, and its
    /// destination what the peer takes the client for. The result has a zone of its own
    /// ([`Tuple::zone`]) if it is not the one asked in. The zone of `tuple` itself is not looked at.
    #[inline]
    pub fn lookup(&mut self, namespace: u64, zone: u16, tuple: &Tuple) -> Option<Tuple> {
        if count(&self.tally.lookups, 1) % TIMED == 0 {
            self.lookup_timed(namespace, zone, tuple)
        } else {
            self.lookup_one(namespace, zone, tuple)
        }
    }

    #[cold]
    fn lookup_timed(&mut self, namespace: u64, zone: u16, tuple: &Tuple) -> Option<Tuple> {
        let started = Instant::now();
        let translation = self.lookup_one(namespace, zone, tuple);
        let took = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        count(&self.tally.buckets[Histogram::bucket(took)], 1);
        count(&self.tally.nanoseconds, took);
        translation
    }

    /// The fewer instructions this takes, the more of the next lookup the processor has begun while
    /// the memory of this one is fetched.
    #[inline]
    fn lookup_one(&mut self, namespace: u64, zone: u16, tuple: &Tuple) -> Option<Tuple> {
        let seed = self.seed(namespace);
        let side = Side::pack(tuple, zone)?;
        let translation = self.shared.translate(zone, &side, &seed.hash(&side))?;
        count(&self.tally.hits, 1);
        Some(translation)
    }

    #[inline]
    fn seed(&mut self, namespace: u64) -> Seed {
        if self.here.0 != namespace {
            self.here = (namespace, self.shared.key.seed(namespace));
        }
        self.here.1
    }

    /// Looks many tuples up and calls `found` with each and its translation, in order. In a table
    /// larger than the caches this is twice as fast as one by one: the memory of several lookups is
    /// fetched at the same time.
    pub fn lookup_all<'t>(
        &mut self,
        namespace: u64,
        zone: u16,
        tuples: &'t [Tuple],
        mut found: impl FnMut(&'t Tuple, Option<Tuple>),
    ) {
        let seed = self.seed(namespace);
        let shared = &*self.shared;
        let mut hits = 0;
        for tuples in tuples.chunks(AT_ONCE) {
            let mut sides = [None; AT_ONCE];
            let mut hashes = [Hash::default(); AT_ONCE];
            for ((side, hash), tuple) in sides.iter_mut().zip(&mut hashes).zip(tuples) {
                *side = Side::pack(tuple, zone);
                *hash = side.as_ref().map_or(*hash, |side| seed.hash(side));
            }
            // So little is to be done for each of these that the processor has as many on their way
            // as it can.
            let hashes = &hashes[..tuples.len()];
            let mut fetched = hashes.iter().fold(0, |sum, hash| sum ^ shared.index.touch(hash));
            std::hint::black_box(fetched);
            let sides = &sides[..tuples.len()];
            // The addresses of IPv6 answers are in a line of their own.
            for (side, hash) in sides.iter().zip(hashes) {
                if side.is_some_and(|side| is_ipv6(side.descriptor)) {
                    fetched ^= shared.touch(hash);
                }
            }
            std::hint::black_box(fetched);
            for ((tuple, side), hash) in tuples.iter().zip(sides).zip(hashes) {
                let side = side.as_ref();
                let translation = side.and_then(|side| shared.translate(zone, side, hash));
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
    /// The other direction of the one that has this hash.
    #[inline]
    fn translate(&self, zone: u16, side: &Side, hash: &Hash) -> Option<Tuple> {
        loop {
            let moves = self.index.moves();
            let Some(place) = self.index.find(hash) else {
                if self.index.is_unmoved(moves) {
                    return None;
                }
                continue;
            };
            if let Some(other) = self.answer(place, side, hash) {
                let (other, other_zone) = other.unpack();
                return Some(Tuple { zone: (other_zone != zone).then_some(other_zone), ..other });
            }
            // What was found and is no answer may have been the old one of two entries, whose move was
            // counted before.
            if self.index.is_taken(*hash, moves) {
                return None;
            }
        }
    }

    #[inline]
    fn answer(&self, place: u32, side: &Side, hash: &Hash) -> Option<Side> {
        let entry = self.index.get(place);
        let owner = entry.owner().filter(|_| entry.is_of(hash))?;
        let answer = self.side(entry, side.descriptor)?;
        if !entry.is_still(owner) {
            return None;
        }
        // Mostly set: then the cache line stays shared. Should the entry be another's by now, that
        // one lives a little longer, and this one is looked for where it is.
        if !owner.has_marks(CLAIMED | USED) && !entry.set_marks(owner, CLAIMED | USED) {
            return None;
        }
        Some(answer)
    }

    /// Has the memory of the addresses of an IPv6 answer fetched.
    #[inline]
    fn touch(&self, hash: &Hash) -> u64 {
        let entry = self.index.find(hash).map(|place| self.index.get(place));
        let slot = entry.and_then(|entry| self.slots.at(entry.answer().1));
        slot.map_or(0, |slot| slot.addresses()[0])
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

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use nl_conntrack::IpProtocol;

    use super::*;

    /// Entries of two lines, which all hashes here share.
    const PLACES: u32 = 4;

    fn hash(tag: u64) -> Hash {
        Hash { home: 0, tag: 1 << 62 | tag, check: 0 }
    }

    fn tuple(v6: bool, address: u64, port: u16) -> Tuple {
        let address = if v6 {
            IpAddr::from((u128::from(address) << 64 | u128::from(address)).to_be_bytes())
        } else {
            IpAddr::from(u32::try_from(address).unwrap().to_be_bytes())
        };
        Tuple::with_ports(IpProtocol::UDP, (address, port), (address, port))
    }

    /// A writer may stop anywhere: what moves is found none the less, at the place that is left.
    #[test]
    fn a_writer_that_stopped_amid_a_move_hides_nothing() {
        for from in 0..PLACES {
            for to in (0..PLACES).filter(|to| *to != from) {
                let shared = Shared::new(2 * PLACES, 8);
                let answer = tuple(false, 7, 7);
                let side = Side::pack(&answer, 0).unwrap();
                let found = Found { slot: 0, direction: 1 };
                let words = (side.descriptor, side.addresses[0]);
                let first = shared.index.insert(&hash(1), found, words, |_, _| ()).unwrap();
                if first != from {
                    shared.index.shift(first, from, &|_, _| ());
                }
                shared.index.double(from, to);
                let moves = shared.index.moves();
                assert_eq!(shared.translate(0, &side, &hash(1)), Some(answer));
                for part in 0..2 {
                    shared.index.clear_in_part(from, part);
                    assert!(shared.index.is_unmoved(moves));
                    let found = shared.translate(0, &side, &hash(1));
                    assert_eq!(found, Some(answer), "{from} to {to}, {part}");
                }
            }
        }
    }

    /// What is found is of one moment, though its place is another's a moment later; and what is there
    /// all the time is found all the time, though it moves. Miri, which lets threads see stores late,
    /// finds most of what is wrong with an ordering here (`-Zmiri-many-seeds`).
    #[test]
    fn what_is_read_is_of_one_moment() {
        let shared = Shared::new(2 * PLACES, 8);
        for v6 in [false, true] {
            let [stays, comes] = [hash(1), hash(2)];
            let fixed = tuple(v6, 7, 7);
            // The answer of an entry; that of IPv6 has its addresses in a slot.
            let answer = |tuple: &Tuple, slot: u32| {
                let side = Side::pack(tuple, 0).unwrap();
                if v6 {
                    shared.slots.get(slot).set_addresses(&side.addresses);
                }
                (side.descriptor, if v6 { slot.into() } else { side.addresses[0] })
            };
            let enter = |hash, slot, answer| {
                shared.index.insert(hash, Found { slot, direction: 1 }, answer, |_, _| ()).unwrap()
            };
            let mut place = enter(&stays, 0, answer(&fixed, 0));
            let done = AtomicBool::new(false);
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        let side = Side::pack(&fixed, 0).unwrap();
                        while !done.load(Ordering::Relaxed) {
                            assert_eq!(shared.translate(0, &side, &stays), Some(fixed));
                            if let Some(found) = shared.translate(0, &side, &comes) {
                                let port = found.source_port().unwrap();
                                assert_eq!(found, tuple(v6, port.into(), port));
                            }
                        }
                    });
                }
                for round in 0..if cfg!(miri) { 25_u16 } else { 60_000 } {
                    let free = |place: &u32| shared.index.get(*place).owner().is_none();
                    let to = (0..PLACES).rev().find(free).unwrap();
                    shared.index.shift(place, to, &|_, _| ());
                    place = to;
                    // Where it was. Slots are used in turns, as they are freed.
                    let slot = 1 + u32::from(round % 2);
                    let came = enter(&comes, slot, answer(&tuple(v6, round.into(), round), slot));
                    shared.index.remove(came);
                    if v6 {
                        shared.slots.get(slot).set_links((1, 2));
                    }
                    let to = (0..PLACES).find(free).unwrap();
                    shared.index.shift(place, to, &|_, _| ());
                    place = to;
                }
                done.store(true, Ordering::Relaxed);
            });
            shared.index.remove(place);
        }
    }
}
