//! Flows that ended while a list is under way which may have them still.

use super::key::{HashKey, Record};

/// Flows of the table for each that can be remembered, and how many can be at most.
const SHARE: usize = 8;
const MOST: usize = 1 << 16;

/// Those of which the table has no entry, because others have their directions. (The rest is there
/// until all lists are complete, as flows that leave.) Each has one place, by its hash, and gives way
/// to the next that has it: what is forgotten so the list may bring back, until the next list.
pub(super) struct Ended {
    key: HashKey,
    /// 64 bits of the hash; 0: none.
    flows: Vec<u64>,
    any: bool,
}

impl Ended {
    /// For a table of so many flows.
    pub(super) fn new(key: HashKey, capacity: usize) -> Self {
        Self { key, flows: vec![0; (capacity / SHARE).clamp(1, MOST)], any: false }
    }

    pub(super) fn note(&mut self, record: &Record) {
        let (hash, place) = self.place(record);
        *place = hash;
        self.any = true;
    }

    /// It began anew.
    pub(super) fn forget(&mut self, record: &Record) {
        if self.any {
            let (hash, place) = self.place(record);
            if *place == hash {
                *place = 0;
            }
        }
    }

    pub(super) fn has(&mut self, record: &Record) -> bool {
        self.any && {
            let (hash, place) = self.place(record);
            *place == hash
        }
    }

    /// No list is under way any more.
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.any) {
            self.flows.fill(0);
        }
    }

    // The remainder is an index.
    #[allow(clippy::cast_possible_truncation)]
    fn place(&mut self, record: &Record) -> (u64, &mut u64) {
        let [original, reply] = record.sides.map(|side| self.key.hash(record.namespace, &side));
        let hash = (original.tag ^ reply.home).max(1);
        let index = (hash % self.flows.len() as u64) as usize;
        (hash, &mut self.flows[index])
    }
}
