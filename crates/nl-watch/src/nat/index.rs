//! From a direction of a flow to the other one: a table of answers.
//!
//! A direction has its answer in one of two lines of memory, both known from its hash: a lookup
//! reads the two at the same time, and nothing else. Each has room for two; if all four places are
//! taken, entries move to the other one of their own two lines until a place is free (a cuckoo
//! table). The few that find no place wait in a small overflow.
//!
//! Only the writer stores (but for the marks of use), so readers need no lock. An entry has a
//! version that is odd while it is in use: a reader believes what it read if the version before and
//! after is the same. An entry that moves is written anew before it is removed, and moves are
//! counted: who finds nothing while one moved looks again.
//!
//! Why that holds on machines that reorder loads and stores:
//!
//! - *Nothing older than the version is read.* [`Entry::write`] stores the words before the version
//!   (`Release`), [`Entry::owner`] loads the version (`Acquire`) before the words. What the words lead
//!   to (slots with addresses, namespace and kind) is stored before the entry is written. Marks are set
//!   by operations that read and write: they prolong the release sequence of the version, so that who
//!   loads the version with marks of another reader has acquired the words, too.
//! - *Nothing newer is believed.* [`Entry::clear`] makes the version even, then come a fence
//!   (`Release`) and every later store, to the entry or to slots that it led to. If one of these was
//!   read, the fence (`Acquire`) of [`Entry::is_still`] meets that fence, and the load behind it sees
//!   the even version or a later one.
//! - *What moves is found.* [`Index::shift`] writes the new entry, counts the move (`Release`), and
//!   clears the old one behind a fence (`Release`). A reader loads the count first (`Acquire`). If the
//!   move is in it, the new entry is seen. If not, and the old entry was seen cleared, in whichever
//!   word, then the fences of `shift` and [`Index::is_unmoved`] meet, the count is seen to have changed,
//!   and the reader looks again. If the move is in the count, a reader may still find the old entry by
//!   its tag and then see it cleared, or in use by others, or by the same again: so who finds an entry
//!   that is no answer looks again, too. That ends without the writer, because `clear` takes the tag
//!   away before it changes the version: each turn was a step of the writer.
//! - *Who finds a tag finds its owner*, because the tag is stored last (`Release`, `Acquire`). It would
//!   be right without, as such an entry counts as not yet written; then it would be looked for twice.
//! - *A slot's place leads to its entry*: stored (`Release`) behind the entry, loaded (`Acquire`)
//!   before it.
//! - Everything else is the writer's alone, or immutable since before the first reader.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use nl_socket::{Pages, Zeroed};

use super::key::{Hash, KIND};
use super::memory::Slots;

/// Words of an entry, which is half of a cache line:
///
/// - the tag: 64 bits of the hash of this direction; 0 if the entry is free;
/// - the descriptor of the other direction, in which bits of the hash take the place of what both
///   have in common;
/// - the addresses of the other direction (IPv4), or the number of the slot that has them (IPv6);
/// - from the top: the version (32 bits), the slot of the flow (29), the direction (1), the marks
///   (2, written by readers too).
const WORDS: usize = 4;
const TAG: usize = 0;
const DESCRIPTOR: usize = 1;
const ADDRESSES: usize = 2;
const OWNER: usize = 3;

/// Bytes of an entry.
pub(super) const ENTRY_BYTES: usize = size_of::<[AtomicU64; WORDS]>();

/// Entries of a line.
const WAYS: u32 = 2;

/// Entries of the overflow. Even tables of a few dozen flows hardly ever need one.
const OVERFLOW: u32 = 16;

/// How many entries are looked at to find a free place.
const SEARCH: usize = 256;

/// One more version, one more move: the upper half of a word.
const STEP: u64 = 1 << 32;

/// No entry, no slot.
pub(super) const NONE: u32 = u32::MAX;

/// A mark: looked up at least once.
pub(super) const CLAIMED: u64 = 1;
/// A mark: looked up since the search for something to evict came by last.
pub(super) const USED: u64 = 2;
/// The bits of an owner below the direction.
const MARKS: u32 = 2;

/// One direction of one slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) slot: u32,
    /// 0: the original one; 1: the reply.
    pub(super) direction: usize,
}

impl Found {
    /// Takes note of where it is. Of a reply nobody needs to know: its answer tells.
    pub(super) fn tell(self, slots: &Slots, place: u32) {
        if self.direction == 0 {
            slots.get(self.slot).set_place(place);
        }
    }
}

/// Whose an entry is, as read at some moment.
#[derive(Clone, Copy)]
pub(super) struct Owner(u64);

impl Owner {
    // Parts of a word.
    #[allow(clippy::cast_possible_truncation)]
    #[inline]
    pub(super) fn found(self) -> Found {
        let bits = self.0 as u32 >> MARKS;
        Found { slot: bits >> 1, direction: (bits & 1) as usize }
    }

    #[inline]
    pub(super) const fn has_marks(self, marks: u64) -> bool {
        self.0 & marks == marks
    }
}

/// An entry.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a>(&'a [AtomicU64; WORDS]);

impl Entry<'_> {
    #[inline]
    fn load(self, word: usize) -> u64 {
        self.0[word].load(Ordering::Relaxed)
    }

    fn store(self, word: usize, value: u64) {
        self.0[word].store(value, Ordering::Relaxed);
    }

    #[inline]
    fn tag(self) -> u64 {
        self.0[TAG].load(Ordering::Acquire)
    }

    fn is_free(self) -> bool {
        self.tag() == 0
    }

    /// Whose it is, if it is in use.
    #[inline]
    pub(super) fn owner(self) -> Option<Owner> {
        let owner = self.0[OWNER].load(Ordering::Acquire);
        (owner & STEP != 0).then_some(Owner(owner))
    }

    /// Whether it still is the owner's, after all that was read.
    #[inline]
    pub(super) fn is_still(self, owner: Owner) -> bool {
        fence(Ordering::Acquire);
        self.load(OWNER) / STEP == owner.0 / STEP
    }

    /// Whether it is found by this hash, …
    #[inline]
    pub(super) fn has_tag(self, hash: &Hash) -> bool {
        self.tag() == hash.tag
    }

    /// … but is of another one.
    fn is_of_another(self, hash: &Hash) -> bool {
        let Some(owner) = self.owner() else { return false };
        self.has_tag(hash) && !self.is_of(hash) && self.is_still(owner)
    }

    /// Whether it is of a direction with this hash.
    #[inline]
    pub(super) fn is_of(self, hash: &Hash) -> bool {
        self.has_tag(hash) && self.load(DESCRIPTOR) & KIND == hash.check
    }

    /// The descriptor of the other direction, but for the kind, and its addresses or their slot.
    #[inline]
    pub(super) fn answer(self) -> (u64, u64) {
        (self.load(DESCRIPTOR) & !KIND, self.load(ADDRESSES))
    }

    pub(super) fn has_marks(self, marks: u64) -> bool {
        Owner(self.load(OWNER)).has_marks(marks)
    }

    /// Marks it; whether it still was the owner's then, so that the mark is where it belongs.
    pub(super) fn set_marks(self, owner: Owner, marks: u64) -> bool {
        // Part of the release sequence that the writer's store of the version began: who acquires the
        // version after this has acquired it from there.
        self.0[OWNER].fetch_or(marks, Ordering::Relaxed) / STEP == owner.0 / STEP
    }

    pub(super) fn clear_marks(self, marks: u64) {
        self.0[OWNER].fetch_and(!marks, Ordering::Relaxed);
    }

    /// Fills a free entry: tag, descriptor, addresses, and the lower half of the owner. The tag comes
    /// last: who sees it sees all.
    fn write(self, [tag, descriptor, addresses, owner]: [u64; WORDS]) {
        self.store(DESCRIPTOR, descriptor);
        self.store(ADDRESSES, addresses);
        let version = (self.load(OWNER) / STEP).wrapping_add(1) * STEP;
        self.0[OWNER].store(version | (owner % STEP), Ordering::Release);
        self.0[TAG].store(tag, Ordering::Release);
    }

    /// Makes an entry free, and gives the marks that it had. Who sees the even version (`Acquire`)
    /// does not find the tag again.
    fn clear(self) -> u64 {
        self.store(TAG, 0);
        let owner = self.0[OWNER].fetch_add(STEP, Ordering::Release);
        // Whoever sees a later store sees the even version too.
        fence(Ordering::Release);
        owner & (CLAIMED | USED)
    }
}

/// All entries.
pub(super) struct Index {
    entries: Zeroed<[AtomicU64; WORDS]>,
    /// Lines, but for the overflow, which is behind them.
    lines: u32,
    /// How many entries moved so far (upper half), how many are in the overflow (lower half).
    moves: AtomicU64,
    /// The line that each of the overflow would be in.
    homes: [AtomicU32; OVERFLOW as usize],
}

impl Index {
    /// Room for so many entries, of which four in five can be used.
    ///
    /// # Panics
    /// If there is no memory.
    pub(super) fn new(entries: u32) -> Self {
        let lines = entries.div_ceil(WAYS);
        let entries = lines as usize * WAYS as usize + OVERFLOW as usize;
        Self {
            entries: Zeroed::new(entries, Pages::Large).expect("memory for the index"),
            lines,
            moves: AtomicU64::new(0),
            homes: [const { AtomicU32::new(0) }; OVERFLOW as usize],
        }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.entries)
    }

    /// Entries, the overflow included: fewer than 2³².
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn len(&self) -> u32 {
        self.entries.len() as u32
    }

    #[inline]
    pub(super) fn get(&self, place: u32) -> Entry<'_> {
        Entry(&self.entries[place as usize])
    }

    /// The entry at a place that may be nonsense.
    pub(super) fn at(&self, place: u32) -> Option<Entry<'_>> {
        Some(Entry(self.entries.get(place as usize)?))
    }

    /// A number scaled to that of a line.
    #[inline]
    // The product's upper half is less than the number of lines.
    #[allow(clippy::cast_possible_truncation)]
    fn line(&self, bits: u64) -> u32 {
        ((u128::from(bits) * u128::from(self.lines)) >> 64) as u32
    }

    /// The other line of an entry: the two add up to what the tag says.
    #[inline]
    fn other(&self, line: u32, tag: u64) -> u32 {
        let sum = self.line(tag);
        if sum >= line { sum - line } else { sum + (self.lines - line) }
    }

    /// The first places of both lines of a hash.
    #[inline]
    fn places(&self, hash: &Hash) -> [u32; 2] {
        let line = self.line(hash.home);
        [line * WAYS, self.other(line, hash.tag) * WAYS]
    }

    /// Has the memory fetched that [`Index::find`] reads.
    #[inline]
    pub(super) fn touch(&self, hash: &Hash) -> u64 {
        let [a, b] = self.places(hash);
        self.get(a).load(TAG) ^ self.get(b).load(TAG)
    }

    /// The entry of a hash. Which one it is can't be foreseen, so nothing branches on it.
    #[inline]
    pub(super) fn find(&self, hash: &Hash) -> Option<u32> {
        let [a, b] = self.places(hash);
        let mut found = NONE;
        for place in [a, a + 1, b, b + 1] {
            found = if self.get(place).tag() == hash.tag { place } else { found };
        }
        if found == NONE { self.find_in_overflow(hash) } else { Some(found) }
    }

    #[inline]
    fn find_in_overflow(&self, hash: &Hash) -> Option<u32> {
        if self.moves.load(Ordering::Relaxed) % STEP == 0 {
            return None;
        }
        self.overflow().find(|place| self.get(*place).tag() == hash.tag)
    }

    fn overflow(&self) -> std::ops::Range<u32> {
        self.lines * WAYS..self.len()
    }

    /// What to compare with later, see [`Index::is_unmoved`].
    #[inline]
    pub(super) fn moves(&self) -> u64 {
        self.moves.load(Ordering::Acquire)
    }

    /// Whether nothing moved since, so that what was not found was not there.
    #[inline]
    pub(super) fn is_unmoved(&self, since: u64) -> bool {
        fence(Ordering::Acquire);
        self.moves.load(Ordering::Relaxed) == since
    }

    /// Whether what is found is another one's, which as good as never is so, and nothing moved since.
    /// By value: who need not ask this keeps the hash in registers.
    #[cold]
    #[inline(never)]
    pub(super) fn is_taken(&self, hash: Hash, since: u64) -> bool {
        let found = self.find(&hash);
        found.is_some_and(|place| self.get(place).is_of_another(&hash)) && self.is_unmoved(since)
    }

    /// Enters a direction; gives its place, or `None` if there is none. `moved` is told of entries
    /// that make room: whose, and where they are now.
    pub(super) fn insert(
        &self,
        hash: &Hash,
        found: Found,
        (descriptor, addresses): (u64, u64),
        moved: impl Fn(Found, u32),
    ) -> Option<u32> {
        let owner = (u64::from(found.slot) << 1 | found.direction as u64) << MARKS;
        let words = [hash.tag, descriptor & !KIND | hash.check, addresses, owner];
        let places = self.places(hash);
        let place = self.room(places).or_else(|| self.make_room(places, moved)).or_else(|| {
            let place = self.overflow().find(|place| self.get(*place).is_free())?;
            self.homes[(place - self.lines * WAYS) as usize]
                .store(places[0] / WAYS, Ordering::Relaxed);
            self.moves.store(self.moves.load(Ordering::Relaxed) + 1, Ordering::Release);
            Some(place)
        })?;
        self.get(place).write(words);
        Some(place)
    }

    /// Removes an entry.
    pub(super) fn remove(&self, place: u32) {
        self.get(place).clear();
        if self.overflow().contains(&place) {
            self.moves.store(self.moves.load(Ordering::Relaxed) - 1, Ordering::Release);
        }
    }

    /// Takes out of the overflow what has room elsewhere by now.
    pub(super) fn drain_overflow(&self, moved: impl Fn(Found, u32)) {
        if self.moves.load(Ordering::Relaxed) % STEP == 0 {
            return;
        }
        for (place, home) in self.overflow().zip(&self.homes) {
            let (tag, home) = (self.get(place).tag(), home.load(Ordering::Relaxed));
            if tag == 0 {
                continue;
            }
            if let Some(room) = self.room([home * WAYS, self.other(home, tag) * WAYS]) {
                self.shift(place, room, &moved);
                self.moves.store(self.moves.load(Ordering::Relaxed) - 1, Ordering::Release);
            }
        }
    }

    /// Someone else than this slot who has a place in the overflow.
    pub(super) fn someone_else(&self, slot: u32) -> Option<u32> {
        let owners = self.overflow().filter_map(|place| self.get(place).owner());
        owners.map(|owner| owner.found().slot).find(|other| *other != slot)
    }

    /// A free place in two lines.
    fn room(&self, [a, b]: [u32; 2]) -> Option<u32> {
        [a, a + 1, b, b + 1].into_iter().find(|place| self.get(*place).is_free())
    }

    /// Frees a place in two full lines by moving entries: the shortest way there is.
    fn make_room(&self, [a, b]: [u32; 2], moved: impl Fn(Found, u32)) -> Option<u32> {
        // Places to be made free, each with the step that would move there.
        let mut steps = [(NONE, usize::MAX); SEARCH];
        for (step, place) in steps.iter_mut().zip([a, a + 1, b, b + 1]) {
            step.0 = place;
        }
        let mut len = 4;
        for number in 0..SEARCH {
            let (place, _) = *steps.get(number).filter(|_| number < len)?;
            let other = self.other(place / WAYS, self.get(place).tag()) * WAYS;
            for mut room in [other, other + 1] {
                if self.get(room).is_free() {
                    let mut at = number;
                    while let Some((place, before)) = steps.get(at) {
                        self.shift(*place, room, &moved);
                        (room, at) = (*place, *before);
                    }
                    return Some(room);
                }
                if let Some(step) = steps.get_mut(len) {
                    *step = (room, number);
                    len += 1;
                }
            }
        }
        None
    }

    /// Moves an entry. Readers find it at both places for a moment, and never at none.
    pub(super) fn shift(&self, from: u32, to: u32, moved: &impl Fn(Found, u32)) {
        let (old, new) = (self.get(from), self.get(to));
        let Some(owner) = old.owner() else { return };
        new.write([old.tag(), old.load(DESCRIPTOR), old.load(ADDRESSES), owner.0]);
        moved(owner.found(), to);
        self.moves.store(self.moves.load(Ordering::Relaxed).wrapping_add(STEP), Ordering::Release);
        // Whoever sees the old one cleared sees that something moved.
        fence(Ordering::Release);
        let marks = old.clear();
        new.0[OWNER].fetch_or(marks, Ordering::Relaxed);
    }
}

#[cfg(test)]
impl Index {
    /// A part of [`Entry::clear`], as by a writer that is stopped behind it.
    pub(super) fn clear_in_part(&self, place: u32, part: u32) {
        match part {
            0 => self.get(place).store(TAG, 0),
            _ => _ = self.get(place).0[OWNER].fetch_add(STEP, Ordering::Release),
        }
    }

    /// The same entry at another place, as it is while it moves; the move is counted.
    pub(super) fn double(&self, from: u32, to: u32) {
        let (old, new) = (self.get(from), self.get(to));
        let owner = old.load(OWNER);
        new.write([old.tag(), old.load(DESCRIPTOR), old.load(ADDRESSES), owner]);
        self.moves.store(self.moves() + STEP, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use nl_testkit::Rng;

    use super::*;

    /// Entries make room for each other up to the last, those beyond wait in the overflow, and all
    /// are found where they are said to be, until they go.
    #[test]
    fn full_to_the_last_place() {
        let mut rng = Rng::new(5);
        for _ in 0..if cfg!(miri) { 2 } else { 200 } {
            let index = Index::new(64);
            let places = RefCell::new(BTreeMap::new());
            let moved = |found: Found, place| {
                assert!(places.borrow_mut().insert(found.slot, place).is_some());
            };
            let hashes: Vec<Hash> = (0..100)
                .map(|_| Hash { home: rng.next_u64(), tag: rng.next_u64() | 1, check: 0 })
                .collect();
            let check = || {
                for (slot, hash) in (0..).zip(&hashes) {
                    let place = index.find(hash);
                    assert_eq!(place, places.borrow().get(&slot).copied(), "{slot}");
                    let owner = place.and_then(|place| index.get(place).owner());
                    assert!(
                        owner.is_none_or(|owner| owner.found() == Found { slot, direction: 0 })
                    );
                }
            };
            for (slot, hash) in (0..).zip(&hashes) {
                let found = Found { slot, direction: 0 };
                let Some(place) = index.insert(hash, found, (0, 0), moved) else { break };
                places.borrow_mut().insert(slot, place);
            }
            assert!(places.borrow().len() >= 64, "{}", places.borrow().len());
            assert!(index.someone_else(0).is_some());
            check();
            let before = index.moves() % STEP;
            for first in [0, 1] {
                for slot in (first..100).step_by(2) {
                    let place = places.borrow_mut().remove(&slot);
                    if let Some(place) = place {
                        index.remove(place);
                    }
                    index.drain_overflow(moved);
                }
                check();
                assert!(index.moves() % STEP < before, "some had room elsewhere");
            }
            assert_eq!(index.moves() % STEP, 0);
            assert!((0..index.len()).all(|place| index.get(place).owner().is_none()));
        }
    }
}
