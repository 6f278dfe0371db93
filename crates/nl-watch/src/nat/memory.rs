//! The memory that a table's writer and readers share: an index of both directions, and slots.
//!
//! Only the writer stores (but for the marks of use), so readers need no lock. A slot has a version
//! that is even while the slot is free or written: a reader copies the words and believes them if
//! the version before and after is the same odd number. Entries of the index never move, so a reader
//! that walks it misses nothing that stays.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use nl_socket::{Pages, Zeroed};

use super::key::{Record, Side, is_ipv6};

/// Words of a slot, which are a cache line:
///
/// - the version (upper half) and the marks (lower half, written by readers too);
/// - the namespace;
/// - the descriptors of both sides;
/// - of an IPv4 record the addresses of both sides; of an IPv6 one the number of a second slot, and
///   the first word of the addresses, the rest of which fills the seven last words of that slot;
/// - for the writer alone: the slots before and after this one in a list;
/// - for the writer alone: when it is due (32 bits), whether it was announced (1 bit from 31), the
///   list (7 bits from 24), the age (24 bits).
const WORDS: usize = 8;
const VERSION: usize = 0;
const NAMESPACE: usize = 1;
const DESCRIPTORS: usize = 2;
const ADDRESSES: usize = 4;
const LINK: usize = 6;
const STATE: usize = 7;

/// One more version.
const STEP: u64 = 1 << 32;

/// Bytes of a slot.
pub(super) const SLOT_BYTES: usize = size_of::<[AtomicU64; WORDS]>();

/// Buckets of the index per slot: at most half of them are in use.
const BUCKETS: usize = 4;

/// Bytes that the index has per slot.
pub(super) const INDEX_BYTES: usize = BUCKETS * size_of::<AtomicU64>();

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// A mark: looked up at least once.
pub(super) const CLAIMED: u64 = 1;
/// A mark: looked up since the search for something to evict came by last.
pub(super) const USED: u64 = 2;

/// Which list a slot is in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// None.
    Settled = 0,
    /// Of those to be claimed by a lookup.
    Orphan = 1,
    /// Of those that ended.
    Leaving = 2,
}

/// What only the writer knows of a slot.
#[derive(Clone, Copy)]
pub(super) struct State {
    pub(super) due: u32,
    pub(super) place: Place,
    /// At least once; else it is of a list.
    pub(super) announced: bool,
    /// When it was last told.
    pub(super) age: u32,
}

impl State {
    /// Whether it was last told before this age. Ages go in a circle: the half of it behind one is
    /// older.
    pub(super) fn is_older(self, age: u32) -> bool {
        (1..AGES / 2).contains(&((age + AGES - self.age) % AGES))
    }
}

/// Ages are counted modulo this.
pub(super) const AGES: u32 = 1 << 24;

/// The bit of [`State::announced`].
const ANNOUNCED: u32 = 31;

/// A slot.
#[derive(Clone, Copy)]
pub(super) struct Slot<'a>(&'a [AtomicU64; WORDS]);

impl Slot<'_> {
    #[inline]
    fn load(self, word: usize) -> u64 {
        self.0[word].load(Ordering::Relaxed)
    }

    #[inline]
    fn store(self, word: usize, value: u64) {
        self.0[word].store(value, Ordering::Relaxed);
    }

    /// The version, if it is one of a record: odd.
    #[inline]
    fn version(self) -> Option<u64> {
        let version = self.0[VERSION].load(Ordering::Acquire) / STEP;
        (version % 2 == 1).then_some(version)
    }

    /// Whether the version still is this one, after all that was read.
    #[inline]
    fn is_still(self, version: u64) -> bool {
        fence(Ordering::Acquire);
        self.load(VERSION) / STEP == version
    }

    /// Whether it holds a record; for the writer.
    pub(super) fn is_live(self) -> bool {
        self.version().is_some()
    }

    #[inline]
    pub(super) fn has_marks(self, marks: u64) -> bool {
        self.load(VERSION) & marks == marks
    }

    pub(super) fn set_marks(self, marks: u64) {
        self.0[VERSION].fetch_or(marks, Ordering::Relaxed);
    }

    pub(super) fn clear_marks(self, marks: u64) {
        self.0[VERSION].fetch_and(!marks, Ordering::Relaxed);
    }

    // Halves of a word.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn links(self) -> (u32, u32) {
        let word = self.load(LINK);
        ((word >> 32) as u32, word as u32)
    }

    pub(super) fn set_links(self, (before, after): (u32, u32)) {
        self.store(LINK, u64::from(before) << 32 | u64::from(after));
    }

    // Parts of a word.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn state(self) -> State {
        let word = self.load(STATE);
        let place = match word >> 24 & 0x7f {
            0 => Place::Settled,
            1 => Place::Orphan,
            _ => Place::Leaving,
        };
        let announced = word >> ANNOUNCED & 1 != 0;
        State { due: (word >> 32) as u32, place, announced, age: word as u32 % AGES }
    }

    pub(super) fn set_state(self, state: State) {
        let word = u64::from(state.due) << 32
            | u64::from(state.announced) << ANNOUNCED
            | (state.place as u64) << 24
            | u64::from(state.age);
        self.store(STATE, word);
    }

    /// The second slot of an IPv6 record. Nonsense if the slot is written meanwhile.
    #[inline]
    fn second(self) -> Option<u32> {
        let ipv6 = is_ipv6(self.load(DESCRIPTORS));
        u32::try_from(self.load(ADDRESSES)).ok().filter(|_| ipv6)
    }
}

/// All slots. Memory is taken as they are used, and stays.
pub(super) struct Slots {
    memory: Zeroed<[AtomicU64; WORDS]>,
    /// How many were in use at some time, from the first on.
    used: AtomicU32,
}

impl Slots {
    /// # Panics
    /// If there is no memory.
    pub(super) fn new(capacity: u32) -> Self {
        let memory = Zeroed::new(capacity as usize, Pages::Large).expect("memory for entries");
        Self { memory, used: AtomicU32::new(0) }
    }

    /// How many there are: fewer than 2³¹.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn capacity(&self) -> u32 {
        self.memory.len() as u32
    }

    #[inline]
    pub(super) fn get(&self, number: u32) -> Slot<'_> {
        Slot(&self.memory[number as usize])
    }

    /// Bytes in use.
    pub(super) fn bytes(&self) -> usize {
        self.used() as usize * SLOT_BYTES
    }

    /// How many were in use at some time, from the first on.
    pub(super) fn used(&self) -> u32 {
        self.used.load(Ordering::Relaxed)
    }

    /// Takes the first that never was in use; `None` if all were.
    pub(super) fn take(&self) -> Option<u32> {
        let number = self.used();
        let left = number < self.capacity();
        left.then(|| {
            self.used.store(number + 1, Ordering::Relaxed);
            number
        })
    }

    /// The second slot of an IPv6 record, as far as it can be known.
    #[inline]
    fn second(&self, slot: Slot<'_>) -> Option<Slot<'_>> {
        Some(Slot(self.memory.get(slot.second()? as usize)?))
    }

    /// Has the memory of a slot fetched, and gives the second slot, if there is one.
    #[inline]
    pub(super) fn touch(&self, number: u32) -> Option<u32> {
        self.get(number).second().filter(|second| (*second as usize) < self.memory.len())
    }

    /// Copies the record out of a slot; `None` if the slot is free or was written meanwhile.
    #[inline]
    pub(super) fn read(&self, number: u32) -> Option<Record> {
        let slot = self.get(number);
        let version = slot.version()?;
        let mut sides = [Side::default(); 2];
        for (direction, side) in sides.iter_mut().enumerate() {
            side.descriptor = slot.load(DESCRIPTORS + direction);
        }
        if is_ipv6(sides[0].descriptor) {
            let second = self.second(slot)?;
            let [original, reply] = &mut sides;
            original.addresses[0] = slot.load(ADDRESSES + 1);
            let rest = original.addresses[1..].iter_mut().chain(&mut reply.addresses);
            for (address, word) in rest.zip(1..) {
                *address = second.load(word);
            }
        } else {
            for (direction, side) in sides.iter_mut().enumerate() {
                side.addresses[0] = slot.load(ADDRESSES + direction);
            }
        }
        let namespace = slot.load(NAMESPACE);
        slot.is_still(version).then_some(Record { namespace, sides })
    }

    /// The other direction, if the one found is this one: what [`Slots::read`] would say, without
    /// reading more than is needed.
    #[inline]
    pub(super) fn other(&self, found: Found, namespace: u64, side: &Side) -> Option<Side> {
        let slot = self.get(found.slot);
        let version = slot.version()?;
        let (this, other) = (found.direction & 1, 1 - (found.direction & 1));
        if slot.load(DESCRIPTORS + this) != side.descriptor || slot.load(NAMESPACE) != namespace {
            return None;
        }
        let descriptor = slot.load(DESCRIPTORS + other);
        let mut answer = Side { descriptor, addresses: [0; 4] };
        if is_ipv6(side.descriptor) {
            let second = self.second(slot)?;
            let word = |number: usize| match number {
                0 => slot.load(ADDRESSES + 1),
                number => second.load(number),
            };
            if (0..4).any(|number| word(4 * this + number) != side.addresses[number]) {
                return None;
            }
            answer.addresses = std::array::from_fn(|number| word(4 * other + number));
        } else {
            if slot.load(ADDRESSES + this) != side.addresses[0] {
                return None;
            }
            answer.addresses[0] = slot.load(ADDRESSES + other);
        }
        slot.is_still(version).then_some(answer)
    }

    /// Fills a free slot. `second` is for IPv6.
    pub(super) fn write(&self, number: u32, second: u32, record: &Record) {
        let slot = self.get(number);
        slot.store(NAMESPACE, record.namespace);
        for (direction, side) in record.sides.iter().enumerate() {
            slot.store(DESCRIPTORS + direction, side.descriptor);
            slot.store(ADDRESSES + direction, side.addresses[0]);
        }
        if record.is_ipv6() {
            let [original, reply] = &record.sides;
            let rest = original.addresses[1..].iter().chain(&reply.addresses);
            let words = self.get(second);
            for (word, address) in (1..).zip(rest) {
                words.store(word, *address);
            }
            slot.store(ADDRESSES, second.into());
            slot.store(ADDRESSES + 1, original.addresses[0]);
        }
        slot.clear_marks(CLAIMED | USED);
        slot.0[VERSION].fetch_add(STEP, Ordering::Release);
    }

    /// Makes a slot free, and gives the second one of an IPv6 record.
    pub(super) fn clear(&self, number: u32) -> Option<u32> {
        let slot = self.get(number);
        slot.0[VERSION].fetch_add(STEP, Ordering::Relaxed);
        // Whoever sees a later store in a slot sees the even version too.
        fence(Ordering::Release);
        slot.second()
    }
}

/// From hashes to directions: open addressing, linear probing.
pub(super) struct Index {
    /// Zero, a grave, or the low half of the hash above a direction.
    buckets: Zeroed<AtomicU64>,
}

/// Was in use: a search goes on behind it.
const GRAVE: u64 = 1;

/// Directions are counted from here: 0 and 1 have their meaning.
const FIRST: u64 = 2;

/// One direction of one slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Found {
    pub(super) slot: u32,
    /// 0: the original one; 1: the reply.
    pub(super) direction: usize,
}

impl Index {
    /// # Panics
    /// If there is no memory.
    pub(super) fn new(slots: u32) -> Self {
        let buckets = slots as usize * BUCKETS;
        Self { buckets: Zeroed::new(buckets, Pages::Large).expect("memory for the index") }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.buckets)
    }

    /// Where the search for a hash begins.
    #[inline]
    // The product's upper half is less than the number of buckets.
    #[allow(clippy::cast_possible_truncation)]
    fn first(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.buckets.len() as u128) >> 64) as usize
    }

    /// The places where a hash may be, in order.
    #[inline]
    fn walk(&self, hash: u64) -> impl Iterator<Item = &AtomicU64> {
        let first = self.first(hash);
        self.buckets[first..].iter().chain(&self.buckets[..first])
    }

    /// Finds a direction with this hash for which `is_it` holds.
    #[inline]
    // Half of a word.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn find(&self, hash: u64, mut is_it: impl FnMut(Found) -> bool) -> Option<Found> {
        for bucket in self.walk(hash) {
            let bucket = bucket.load(Ordering::Acquire);
            if bucket == 0 {
                return None;
            }
            let number = bucket & 0xffff_ffff;
            if bucket >> 32 == hash & 0xffff_ffff && number >= FIRST {
                let number = number - FIRST;
                let found = Found { slot: (number >> 1) as u32, direction: (number & 1) as usize };
                if is_it(found) {
                    return Some(found);
                }
            }
        }
        None
    }

    /// Has the memory fetched where the search for a hash begins.
    #[inline]
    pub(super) fn touch(&self, hash: u64) -> u64 {
        self.buckets[self.first(hash)].load(Ordering::Relaxed)
    }

    fn bucket(hash: u64, Found { slot, direction }: Found) -> u64 {
        hash << 32 | ((u64::from(slot) << 1 | direction as u64) + FIRST)
    }

    pub(super) fn insert(&self, hash: u64, found: Found) {
        let free = self.walk(hash).find(|bucket| bucket.load(Ordering::Relaxed) <= GRAVE);
        if let Some(bucket) = free {
            bucket.store(Self::bucket(hash, found), Ordering::Release);
        }
    }

    pub(super) fn remove(&self, hash: u64, found: Found) {
        let wanted = Self::bucket(hash, found);
        let count = self.buckets.len();
        let first = self.first(hash);
        let mut places = (first..count).chain(0..first);
        let load = |place: usize| self.buckets[place].load(Ordering::Relaxed);
        let Some(mut place) = places.find(|place| load(*place) == wanted) else { return };
        let store = |place: usize, value| self.buckets[place].store(value, Ordering::Release);
        store(place, GRAVE);
        // At the end of a run there is nothing behind the graves to be found.
        let end = load((place + 1) % count) == 0;
        while end && load(place) == GRAVE {
            store(place, 0);
            place = (place + count - 1) % count;
        }
    }
}
