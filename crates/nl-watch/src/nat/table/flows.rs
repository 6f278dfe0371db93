//! One flow of the table: it is entered, waits in a list, and goes.

use std::time::{Duration, Instant};

use super::super::index::{CLAIMED, Entry, Found, NONE, USED};
use super::super::key::Record;
use super::super::memory::{Place, State};
use super::super::reader::Shared;
use super::{NatTable, Origin};

/// A tick of the table's clock, in milliseconds.
const TICK: u128 = 100;

/// How many entries in use are passed over at most in search of one to evict.
const SPARED_MAX: u32 = 256;

impl NatTable {
    /// Fills a slot and lets both directions be found.
    pub(super) fn enter(&mut self, record: &Record, origin: Origin) -> u32 {
        while self.live >= self.capacity {
            self.evict();
        }
        let number = self.take_slot();
        let [original, reply] = record.sides;
        // What each direction answers: the addresses themselves, or where they are.
        let answers = [reply, original].map(|side| {
            let word = if record.is_ipv6() {
                let number = self.take_slot();
                self.shared.slots.get(number).set_addresses(&side.addresses);
                number.into()
            } else {
                side.addresses[0]
            };
            (side.descriptor, word)
        });
        let announced = origin == Origin::Announced;
        let state = State { due: 0, place: Place::Settled, announced, age: self.age };
        let slot = self.shared.slots.get(number);
        slot.set_state(state);
        slot.begin(record.namespace, original.descriptor);
        for (direction, (side, answer)) in record.sides.iter().zip(answers).enumerate() {
            let hash = self.shared.key.hash(record.namespace, side);
            let found = Found { slot: number, direction };
            let place = loop {
                let Shared { index, slots, .. } = &*self.shared;
                let told = |found: Found, place| found.tell(slots, place);
                if let Some(place) = index.insert(&hash, found, answer, told) {
                    break place;
                }
                // As good as never: somebody who found no place either goes.
                if let Some(other) = index.someone_else(number) {
                    self.counters.evicted += 1;
                    self.drop_slot(other);
                }
            };
            found.tell(&self.shared.slots, place);
        }
        self.live += 1;
        number
    }

    pub(super) fn leave(&mut self, slot: u32, now: Instant) {
        if self.shared.slots.get(slot).state().place != Place::Leaving {
            self.settle(slot);
            self.wait(slot, Place::Leaving, now, self.options.grace);
            if self.options.grace.is_zero() && self.listings == 0 {
                self.drop_slot(slot);
            }
        }
    }

    /// Puts a slot that is in no list into one.
    pub(super) fn wait(&mut self, number: u32, place: Place, now: Instant, time: Duration) {
        let due = self.ticks(now, time);
        let slots = &self.shared.slots;
        let slot = slots.get(number);
        slot.set_state(State { due, place, ..slot.state() });
        match place {
            Place::Settled => {}
            Place::Orphan => self.orphans.push(slots, number),
            Place::Leaving => self.leaving.push(slots, number),
        }
    }

    /// Takes a slot out of the list it is in.
    pub(super) fn settle(&mut self, number: u32) {
        let slots = &self.shared.slots;
        let slot = slots.get(number);
        match slot.state().place {
            Place::Settled => {}
            Place::Orphan => self.orphans.remove(slots, number),
            Place::Leaving => self.leaving.remove(slots, number),
        }
        slot.set_state(State { place: Place::Settled, ..slot.state() });
    }

    /// Removes a record because another one has one of its directions.
    pub(super) fn displace(&mut self, number: u32, record: Record) {
        let leaving = self.shared.slots.get(number).state().place == Place::Leaving;
        if leaving && self.listings > 0 {
            self.ended.note(&record);
        }
        self.counters.replaced += 1;
        self.drop_slot(number);
    }

    /// Removes a record.
    pub(super) fn drop_slot(&mut self, number: u32) {
        self.settle(number);
        let Shared { index, slots, .. } = &*self.shared;
        let Some((record, places)) = self.shared.record(number) else { return };
        let mut free = |number| {
            slots.get(number).set_links((NONE, self.free));
            self.free = number;
        };
        for place in places {
            let (_, addresses) = index.get(place).answer();
            index.remove(place);
            if record.is_ipv6() {
                u32::try_from(addresses).into_iter().for_each(&mut free);
            }
        }
        free(number);
        self.live -= 1;
        index.drain_overflow(|found, place| found.tell(slots, place));
    }

    /// Walks all flows, and drops those for which `is_it` holds, of their namespace and state.
    pub(super) fn drop_where(&mut self, mut is_it: impl FnMut(u64, State) -> bool) -> usize {
        let mut dropped = 0;
        // From behind: what then leaves the overflow was seen there.
        for place in (0..self.shared.index.len()).rev() {
            let Some(number) = self.original_at(place) else { continue };
            let slot = self.shared.slots.get(number);
            if is_it(slot.namespace(), slot.state()) {
                self.drop_slot(number);
                dropped += 1;
            }
        }
        dropped
    }

    /// The slot whose original direction is at this place.
    fn original_at(&self, place: u32) -> Option<u32> {
        let found = self.shared.index.get(place).owner()?.found();
        (found.direction == 0).then_some(found.slot)
    }

    /// Both directions of a flow; `None` if the slot is free.
    fn directions(&self, number: u32) -> Option<[Entry<'_>; 2]> {
        let (_, places) = self.shared.record(number)?;
        Some(places.map(|place| self.shared.index.get(place)))
    }

    /// Whether one of the directions was looked up.
    pub(super) fn is_claimed(&self, number: u32) -> bool {
        self.directions(number).into_iter().flatten().any(|entry| entry.has_marks(CLAIMED))
    }

    /// A slot for a record; evicts if there is none.
    fn take_slot(&mut self) -> u32 {
        loop {
            if self.free != NONE {
                let number = self.free;
                self.free = self.shared.slots.get(number).links().1;
                return number;
            }
            if let Some(number) = self.shared.slots.take() {
                return number;
            }
            self.evict();
        }
    }

    /// Removes a record: first of those that ended; else the first in a circle that was not used
    /// since the circle came by last. This is near enough to the least recently used, and lets
    /// lookups leave a mark instead of moving entries in a list.
    fn evict(&mut self) {
        let mut spared = 0;
        let victim = self.leaving.first().unwrap_or_else(|| {
            loop {
                let number = self.hand;
                self.hand = (self.hand + 1) % self.shared.slots.used();
                let Some(entries) = self.directions(number) else { continue };
                let used = entries.iter().any(|entry| entry.has_marks(USED));
                if !used || spared == SPARED_MAX {
                    return number;
                }
                for entry in entries {
                    entry.clear_marks(USED);
                }
                spared += 1;
            }
        });
        self.counters.evicted += 1;
        self.drop_slot(victim);
    }

    /// The tick of `now`; behind it by more than `time`, if that is not zero.
    pub(super) fn ticks(&self, now: Instant, time: Duration) -> u32 {
        let passed = now.saturating_duration_since(self.started).saturating_add(time);
        let begun = u128::from(!time.is_zero());
        u32::try_from(passed.as_millis() / TICK + begun).unwrap_or(u32::MAX)
    }
}
