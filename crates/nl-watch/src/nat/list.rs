//! Slots in order of time: those that wait to be claimed, those that ended.

use super::index::NONE;
use super::memory::Slots;

/// A doubly linked list through the slots.
pub(super) struct List {
    first: u32,
    last: u32,
    pub(super) len: usize,
}

impl List {
    pub(super) const fn new() -> Self {
        Self { first: NONE, last: NONE, len: 0 }
    }

    pub(super) fn first(&self) -> Option<u32> {
        (self.first != NONE).then_some(self.first)
    }

    pub(super) fn push(&mut self, slots: &Slots, number: u32) {
        slots.get(number).set_links((self.last, NONE));
        match self.last {
            NONE => self.first = number,
            last => {
                let slot = slots.get(last);
                slot.set_links((slot.links().0, number));
            }
        }
        self.last = number;
        self.len += 1;
    }

    pub(super) fn remove(&mut self, slots: &Slots, number: u32) {
        let (before, after) = slots.get(number).links();
        match before {
            NONE => self.first = after,
            before => {
                let slot = slots.get(before);
                slot.set_links((slot.links().0, after));
            }
        }
        match after {
            NONE => self.last = before,
            after => {
                let slot = slots.get(after);
                slot.set_links((before, slot.links().1));
            }
        }
        self.len -= 1;
    }
}
