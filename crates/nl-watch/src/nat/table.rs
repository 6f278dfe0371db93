//! The table, as its writer sees it.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nl_conntrack::{Flow, Tuple};

use super::dump::NatEntry;
use super::ended::Ended;
use super::index::{ENTRY_BYTES, NONE};
use super::key::{Record, Side};
use super::list::List;
use super::memory::{AGES, Place, SLOT_BYTES, State};
use super::options::{NatCounters, NatOptions};
use super::reader::{Lookups, NatReader, Shared};

mod flows;

/// Of so many changes one is timed.
const TIMED: u64 = 64;

/// Bytes of the budget for each flow: 64 of answers, in an index of which four in five entries are
/// used; the others for slots, of which IPv4 flows use one and IPv6 flows, half as many, three.
const FLOW_BYTES: usize = 128;
const FLOW_INDEX_BYTES: usize = 80;

/// Where a flow comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Origin {
    /// A list of what there is.
    Listed,
    /// The kernel announced it.
    Announced,
}

/// A list that is being entered.
#[derive(Debug)]
#[must_use = "end it with `NatTable::end_list`"]
pub struct Listing {
    pub(super) namespace: u64,
    age: u32,
}

/// Translations of flows, within a byte budget.
///
/// ```
/// use std::time::Instant;
/// use nl_conntrack::{Flow, IpProtocol, Tuple};
/// use nl_watch::nat::{NatOptions, NatTable, Origin};
///
/// // A client reaches 192.0.2.80 by the name of 203.0.113.1.
/// let client = ("10.0.0.1".parse()?, 4000);
/// let seen = Tuple::with_ports(IpProtocol::TCP, client, ("203.0.113.1".parse()?, 80));
/// let real = Tuple::with_ports(IpProtocol::TCP, client, ("192.0.2.80".parse()?, 8080));
/// let flow = Flow { reply: real.reversed(), ..Flow::new(seen) };
///
/// let mut table = NatTable::new(NatOptions::default());
/// let mut reader = table.reader(); // for another thread
/// table.insert(1, &flow, Origin::Announced, Instant::now());
/// assert_eq!(reader.lookup(1, 0, &seen), Some(real.reversed()));
/// assert_eq!(reader.lookup(1, 0, &real.reversed()), Some(seen));
/// assert_eq!(reader.lookup(2, 0, &seen), None);
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub struct NatTable {
    shared: Arc<Shared>,
    own: NatReader,
    options: NatOptions,
    started: Instant,
    live: usize,
    /// How many there may be.
    capacity: usize,
    orphans: List,
    leaving: List,
    /// Slots that were in use and are not, linked.
    free: u32,
    /// Where the search for something to evict goes on.
    hand: u32,
    age: u32,
    listings: usize,
    ended: Ended,
    counters: NatCounters,
}

impl NatTable {
    /// An empty table.
    ///
    /// # Panics
    /// If the address space has no room for it.
    pub fn new(options: NatOptions) -> Self {
        // Slots are numbered in 29 bits.
        let capacity = (options.bytes.max(4096) / FLOW_BYTES).min(1 << 28);
        let room = |bytes: usize, each| u32::try_from(capacity * bytes / each).unwrap_or(u32::MAX);
        let entries = room(FLOW_INDEX_BYTES, ENTRY_BYTES);
        let slots = room(FLOW_BYTES - FLOW_INDEX_BYTES, SLOT_BYTES);
        let shared = Arc::new(Shared::new(entries, slots));
        let own = NatReader::new(Arc::clone(&shared));
        let ended = Ended::new(shared.key, capacity);
        Self {
            shared,
            own,
            options,
            started: Instant::now(),
            live: 0,
            capacity,
            orphans: List::new(),
            leaving: List::new(),
            free: NONE,
            hand: 0,
            age: 0,
            listings: 0,
            ended,
            counters: NatCounters::default(),
        }
    }

    /// A reader for another thread.
    pub fn reader(&self) -> NatReader {
        self.own.clone()
    }

    /// As [`NatReader::lookup`].
    pub fn lookup(&mut self, namespace: u64, zone: u16, tuple: &Tuple) -> Option<Tuple> {
        self.own.lookup(namespace, zone, tuple)
    }

    /// Every entry, in no order.
    pub fn entries(&self) -> Vec<NatEntry> {
        self.shared.entries()
    }

    /// How many flows there are, those that ended a moment ago included.
    pub const fn len(&self) -> usize {
        self.live
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// How many flows wait for their first lookup. Those that had it count until they would have
    /// expired.
    pub const fn orphans(&self) -> usize {
        self.orphans.len
    }

    /// How many flows ended and can still be looked up.
    pub const fn leaving(&self) -> usize {
        self.leaving.len
    }

    /// Bytes of memory in use, free ones between included; grows up to the budget and stays. (Half a
    /// kilobyte may come on top of it, and while flows are listed a byte for each of which there is
    /// room, for those that end meanwhile: half a megabyte at most.)
    pub fn bytes(&self) -> usize {
        self.shared.index.bytes() + self.shared.slots.bytes()
    }

    /// What happened so far.
    pub const fn counters(&self) -> &NatCounters {
        &self.counters
    }

    /// What the readers counted, this table's own lookups included.
    pub fn lookups(&self) -> Lookups {
        self.shared.lookups()
    }

    /// Enters a flow, if it is translated; whether it is there then.
    ///
    /// The same flow again changes nothing. What else has one of its directions gives way, also to a
    /// flow that is not translated: the kernel has each direction once only, so that is gone.
    pub fn insert(&mut self, namespace: u64, flow: &Flow, origin: Origin, now: Instant) -> bool {
        self.put(namespace, flow, origin, None, now)
    }

    /// Enters a flow of a list, as [`NatTable::insert`] does. But what was announced since the list
    /// began does not give way: the list may be older, and if it is not, this flow is yet to be
    /// announced.
    pub fn listed(&mut self, listing: &Listing, flow: &Flow, now: Instant) -> bool {
        self.put(listing.namespace, flow, Origin::Listed, Some(listing.age), now)
    }

    /// Enters a flow, of the list that began at the age of `begun` if that is known.
    fn put(
        &mut self,
        namespace: u64,
        flow: &Flow,
        origin: Origin,
        begun: Option<u32>,
        now: Instant,
    ) -> bool {
        let started = timed(self.counters.registered);
        let Some(record) = Record::new(namespace, flow) else { return false };
        if begun.is_none() {
            self.ended.forget(&record);
        }
        let [original, reply] =
            [0, 1].map(|direction| self.shared.find(namespace, &record.sides[direction]));
        if let (Some((found, there)), true) = (original, flow.is_nat()) {
            if there == record && found.direction == 0 {
                self.counters.known += 1;
                self.announce_again(found.slot, origin, now);
                return true;
            }
        }
        if begun.is_some() && self.ended.has(&record) {
            return false;
        }
        let in_the_way = original.into_iter().chain(reply);
        if begun.is_some_and(|begun| {
            in_the_way.clone().any(|(found, _)| {
                let state = self.shared.slots.get(found.slot).state();
                state.announced && !state.is_older(begun)
            })
        }) {
            return false;
        }
        let mut dropped = NONE;
        for (found, there) in in_the_way {
            // Both may be of one flow.
            if found.slot != dropped {
                dropped = found.slot;
                self.displace(dropped, there);
            }
        }
        if !flow.is_nat() {
            self.counters.not_translated += 1;
            return false;
        }
        let slot = self.enter(&record, origin);
        self.counters.registered += 1;
        match self.options.orphan_lifetime {
            Some(lifetime) if origin == Origin::Announced => {
                self.wait(slot, Place::Orphan, now, lifetime);
            }
            _ => {}
        }
        if let Some(started) = started {
            self.counters.register_durations.observe(started.elapsed());
        }
        true
    }

    /// Takes note that a flow ended; whether it was there. It can be looked up for the time of grace
    /// still, if nothing takes its place.
    pub fn end(&mut self, namespace: u64, flow: &Flow, now: Instant) -> bool {
        let started = timed(self.counters.unregistered);
        let Some(record) = Record::new(namespace, flow) else { return false };
        let mut found = self.shared.find(namespace, &record.sides[0]);
        if let Some((other, there)) = found.filter(|(_, there)| *there != record) {
            // Its end was lost. Better no answer than a wrong one.
            self.displace(other.slot, there);
            found = None;
        }
        match found {
            Some((found, _)) => {
                self.counters.unregistered += 1;
                self.leave(found.slot, now);
            }
            // A list may be under way that has it still: remember that it ended.
            None if self.listings > 0 && flow.is_nat() => self.remember_end(&record, now),
            None => {}
        }
        if let Some(started) = started {
            self.counters.unregister_durations.observe(started.elapsed());
        }
        found.is_some()
    }

    /// Removes the flow that has this direction, at once; whether there was one.
    pub fn remove(&mut self, namespace: u64, zone: u16, tuple: &Tuple) -> bool {
        let side = Side::pack(tuple, zone);
        let Some((found, _)) = side.and_then(|side| self.shared.find(namespace, &side)) else {
            return false;
        };
        self.counters.unregistered += 1;
        self.drop_slot(found.slot);
        true
    }

    /// Removes all flows of a namespace, at once: it is no more. Gives their number. Walks the whole
    /// table.
    pub fn remove_namespace(&mut self, namespace: u64) -> usize {
        let removed = self.drop_where(|of, _| of == namespace);
        self.counters.unregistered += removed as u64;
        removed
    }

    /// Drops what is due: orphans, and flows whose grace is over. Gives their number. Call it now
    /// and then; [`Tracker`](super::Tracker) does.
    pub fn expire(&mut self, now: Instant) -> usize {
        let due = self.ticks(now, Duration::ZERO);
        let mut dropped = 0;
        while let Some(slot) = self.orphans.first() {
            if self.shared.slots.get(slot).state().due > due {
                break;
            }
            if self.is_claimed(slot) {
                self.settle(slot);
            } else {
                self.counters.orphans_expired += 1;
                dropped += 1;
                self.drop_slot(slot);
            }
        }
        // Until a list is complete the ends of what it may still hold must be known.
        while let Some(slot) = self.leaving.first().filter(|_| self.listings == 0) {
            if self.shared.slots.get(slot).state().due > due {
                break;
            }
            dropped += 1;
            self.drop_slot(slot);
        }
        dropped
    }

    /// Begins to enter a list of all flows of a namespace, by [`NatTable::listed`]. Announcements
    /// that come meanwhile are entered as always; what they said to have ended is not entered from
    /// the list. Subscribe before listing.
    pub fn begin_list(&mut self, namespace: u64) -> Listing {
        self.age = (self.age + 1) % AGES;
        self.listings += 1;
        Listing { namespace, age: self.age }
    }

    /// Ends a list. If it was complete, flows that were there before and neither listed nor
    /// announced meanwhile are gone: gives their number. Walks the whole table.
    // By value: a list ends once.
    #[allow(clippy::needless_pass_by_value)]
    pub fn end_list(&mut self, listing: Listing, complete: bool) -> usize {
        let Listing { namespace, age } = listing;
        self.listings -= 1;
        if self.listings == 0 {
            self.ended.clear();
        }
        if !complete {
            return 0;
        }
        let removed = self.drop_where(|of, state| {
            of == namespace && state.place != Place::Leaving && state.is_older(age)
        });
        self.counters.swept += removed as u64;
        removed
    }

    /// Enters a flow that ended. If another one has its answers, that is newer if it was told since
    /// the list began; else the end of that was lost.
    fn remember_end(&mut self, record: &Record, now: Instant) {
        if let Some((found, there)) = self.shared.find(record.namespace, &record.sides[1]) {
            if self.shared.slots.get(found.slot).state().age == self.age {
                return self.ended.note(record);
            }
            self.displace(found.slot, there);
        }
        let slot = self.enter(record, Origin::Announced);
        self.leave(slot, now);
    }

    /// The same flow again.
    fn announce_again(&mut self, number: u32, origin: Origin, now: Instant) {
        let slot = self.shared.slots.get(number);
        let state = slot.state();
        let announced = state.announced || origin == Origin::Announced;
        slot.set_state(State { age: self.age, announced, ..state });
        // It ended and began anew. A list, though, may be older than the end.
        if state.place == Place::Leaving && origin == Origin::Announced {
            let claimed = self.is_claimed(number);
            self.settle(number);
            match self.options.orphan_lifetime {
                Some(lifetime) if !claimed => self.wait(number, Place::Orphan, now, lifetime),
                _ => {}
            }
        }
    }
}

/// The time, if this change is one to be timed.
fn timed(count: u64) -> Option<Instant> {
    (count % TIMED == 0).then(Instant::now)
}

impl fmt::Debug for NatTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatTable")
            .field("options", &self.options)
            .field("flows", &self.live)
            .field("bytes", &self.bytes())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}
