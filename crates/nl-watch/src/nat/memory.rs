//! The memory that a table's writer and readers share: an index of both directions, and slots.
//!
//! Only the writer stores (but for the marks of use), so readers need no lock. A slot has a version
//! that is odd while the slot is free or written: a reader copies the words and believes them if the
//! version before and after is the same even number. Entries of the index never move, so a reader
//! that walks it misses nothing that stays.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use super::key::{Record, Side, is_ipv6};

/// Slots of a chunk: 256 KiB are allocated at a time.
const CHUNK: usize = 4096;

/// Bytes of a slot: a cache line.
pub(super) const SLOT_BYTES: usize = size_of::<Slot>();

/// Buckets of the index per slot: at most half of them are in use.
const BUCKETS: usize = 4;

/// Bytes that the index has per slot.
pub(super) const INDEX_BYTES: usize = BUCKETS * size_of::<AtomicU64>();

/// No slot.
pub(super) const NONE: u32 = u32::MAX;

/// A mark: looked up at least once.
pub(super) const CLAIMED: u32 = 1;
/// A mark: looked up since the search for something to evict came by last.
pub(super) const USED: u32 = 2;

/// An IPv4 record; or of an IPv6 one, the first half: the rest of its addresses fills the seven
/// words of a second slot, whose version stays odd.
#[repr(align(64))]
pub(super) struct Slot {
    version: AtomicU32,
    /// Written by readers too.
    pub(super) marks: AtomicU32,
    namespace: AtomicU64,
    descriptors: [AtomicU64; 2],
    /// IPv4: the addresses of both sides. IPv6: the second slot, and the first word.
    addresses: [AtomicU64; 2],
    /// For the writer alone: the slots before and after this one in a list.
    link: AtomicU64,
    /// For the writer alone: when it is due (32 bits), the list (8 bits from 24), the age (24 bits).
    state: AtomicU64,
}

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
    pub(super) age: u32,
}

/// Ages are counted modulo this.
pub(super) const AGES: u32 = 1 << 24;

impl Slot {
    fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            version: AtomicU32::new(1),
            marks: AtomicU32::new(0),
            namespace: zero(),
            descriptors: [zero(), zero()],
            addresses: [zero(), zero()],
            link: zero(),
            state: zero(),
        }
    }

    /// Whether it holds a record; for the writer.
    pub(super) fn is_live(&self) -> bool {
        self.version.load(Ordering::Relaxed) % 2 == 0
    }

    // Halves of a word.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn links(&self) -> (u32, u32) {
        let word = self.link.load(Ordering::Relaxed);
        ((word >> 32) as u32, word as u32)
    }

    pub(super) fn set_links(&self, (before, after): (u32, u32)) {
        self.link.store(u64::from(before) << 32 | u64::from(after), Ordering::Relaxed);
    }

    // Parts of a word.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn state(&self) -> State {
        let word = self.state.load(Ordering::Relaxed);
        let place = match word >> 24 & 0xff {
            0 => Place::Settled,
            1 => Place::Orphan,
            _ => Place::Leaving,
        };
        State { due: (word >> 32) as u32, place, age: word as u32 % AGES }
    }

    pub(super) fn set_state(&self, state: State) {
        let word = u64::from(state.due) << 32 | (state.place as u64) << 24 | u64::from(state.age);
        self.state.store(word, Ordering::Relaxed);
    }

    /// All seven words, for the addresses of an IPv6 record.
    fn words(&self) -> [&AtomicU64; 7] {
        let [a, b] = &self.descriptors;
        let [c, d] = &self.addresses;
        [&self.namespace, a, b, c, d, &self.link, &self.state]
    }
}

/// All slots. They are allocated chunk by chunk as they are needed, and stay.
pub(super) struct Slots {
    chunks: Box<[OnceLock<Box<[Slot]>>]>,
    capacity: u32,
}

impl Slots {
    pub(super) fn new(capacity: u32) -> Self {
        let chunks = (capacity as usize).div_ceil(CHUNK);
        Self { chunks: (0..chunks).map(|_| OnceLock::new()).collect(), capacity }
    }

    pub(super) const fn capacity(&self) -> u32 {
        self.capacity
    }

    /// A slot that was allocated.
    #[inline]
    pub(super) fn get(&self, number: u32) -> &Slot {
        let number = number as usize;
        let chunk = self.chunks[number / CHUNK].get().expect("slots in use are allocated");
        &chunk[number % CHUNK]
    }

    /// A slot, allocated if need be.
    pub(super) fn allocate(&self, number: u32) -> &Slot {
        let chunk = number as usize / CHUNK;
        let length = (self.capacity as usize - chunk * CHUNK).min(CHUNK);
        self.chunks[chunk].get_or_init(|| (0..length).map(|_| Slot::new()).collect());
        self.get(number)
    }

    /// Bytes allocated.
    pub(super) fn bytes(&self) -> usize {
        let slots: usize =
            self.chunks.iter().filter_map(OnceLock::get).map(|chunk| chunk.len()).sum();
        slots * SLOT_BYTES + size_of_val(&*self.chunks)
    }

    /// How many slots are allocated, from the first on.
    pub(super) fn allocated(&self) -> u32 {
        let slots: usize =
            self.chunks.iter().map_while(OnceLock::get).map(|chunk| chunk.len()).sum();
        u32::try_from(slots).unwrap_or(u32::MAX)
    }

    /// Has the memory of a slot fetched; the second slot, if there is one.
    #[inline]
    pub(super) fn touch(&self, number: u32) -> Option<u32> {
        let slot = self.get(number);
        let second = u32::try_from(slot.addresses[0].load(Ordering::Relaxed)).ok();
        let ipv6 = is_ipv6(slot.descriptors[0].load(Ordering::Relaxed));
        second.filter(|second| ipv6 && *second < self.capacity)
    }

    /// Copies the record out of a slot; `None` if the slot is free or was written meanwhile.
    #[inline]
    pub(super) fn read(&self, number: u32) -> Option<Record> {
        let slot = self.get(number);
        let version = slot.version.load(Ordering::Acquire);
        if version % 2 == 1 {
            return None;
        }
        let load = |word: &AtomicU64| word.load(Ordering::Relaxed);
        let mut sides = [Side::default(); 2];
        for (side, descriptor) in sides.iter_mut().zip(&slot.descriptors) {
            side.descriptor = load(descriptor);
        }
        let addresses = [load(&slot.addresses[0]), load(&slot.addresses[1])];
        if is_ipv6(sides[0].descriptor) {
            // May be nonsense if the slot is written meanwhile: then so is what is read there.
            let second =
                u32::try_from(addresses[0]).ok().filter(|second| *second < self.capacity)?;
            let [original, reply] = &mut sides;
            original.addresses[0] = addresses[1];
            let rest = original.addresses[1..].iter_mut().chain(&mut reply.addresses);
            for (address, word) in rest.zip(self.get(second).words()) {
                *address = load(word);
            }
        } else {
            sides[0].addresses[0] = addresses[0];
            sides[1].addresses[0] = addresses[1];
        }
        let namespace = load(&slot.namespace);
        fence(Ordering::Acquire);
        (slot.version.load(Ordering::Relaxed) == version).then_some(Record { namespace, sides })
    }

    /// The other direction, if the one found is this one: what [`Slots::read`] would say, without
    /// reading more than is needed.
    #[inline]
    pub(super) fn other(&self, found: Found, namespace: u64, side: &Side) -> Option<Side> {
        let slot = self.get(found.slot);
        let version = slot.version.load(Ordering::Acquire);
        let load = |word: &AtomicU64| word.load(Ordering::Relaxed);
        let (this, other) = (found.direction & 1, 1 - (found.direction & 1));
        if version % 2 == 1
            || load(&slot.descriptors[this]) != side.descriptor
            || load(&slot.namespace) != namespace
        {
            return None;
        }
        let descriptor = load(&slot.descriptors[other]);
        let mut answer = Side { descriptor, addresses: [0; 4] };
        if is_ipv6(side.descriptor) {
            let second = u32::try_from(load(&slot.addresses[0])).ok();
            let words = self.get(second.filter(|second| *second < self.capacity)?).words();
            let word = |number: usize| match number.checked_sub(1) {
                None => load(&slot.addresses[1]),
                Some(number) => load(words[number]),
            };
            if (0..4).any(|number| word(4 * this + number) != side.addresses[number]) {
                return None;
            }
            answer.addresses = std::array::from_fn(|number| word(4 * other + number));
        } else {
            if load(&slot.addresses[this]) != side.addresses[0] {
                return None;
            }
            answer.addresses[0] = load(&slot.addresses[other]);
        }
        fence(Ordering::Acquire);
        (slot.version.load(Ordering::Relaxed) == version).then_some(answer)
    }

    /// Fills a free slot. `second` is for IPv6.
    pub(super) fn write(&self, number: u32, second: u32, record: &Record) {
        let slot = self.get(number);
        let store = |word: &AtomicU64, value| word.store(value, Ordering::Relaxed);
        let [original, reply] = &record.sides;
        store(&slot.namespace, record.namespace);
        store(&slot.descriptors[0], original.descriptor);
        store(&slot.descriptors[1], reply.descriptor);
        if record.is_ipv6() {
            let rest = original.addresses[1..].iter().chain(&reply.addresses);
            for (word, address) in self.get(second).words().into_iter().zip(rest) {
                store(word, *address);
            }
            store(&slot.addresses[0], second.into());
            store(&slot.addresses[1], original.addresses[0]);
        } else {
            store(&slot.addresses[0], original.addresses[0]);
            store(&slot.addresses[1], reply.addresses[0]);
        }
        slot.version.fetch_add(1, Ordering::Release);
    }

    /// Makes a slot free, and gives the second one of an IPv6 record.
    pub(super) fn clear(&self, number: u32) -> Option<u32> {
        let slot = self.get(number);
        slot.version.fetch_add(1, Ordering::Relaxed);
        // Whoever sees a later store in a slot sees the odd version too.
        fence(Ordering::Release);
        let ipv6 = is_ipv6(slot.descriptors[0].load(Ordering::Relaxed));
        let second = u32::try_from(slot.addresses[0].load(Ordering::Relaxed)).ok();
        second.filter(|_| ipv6)
    }
}

/// From hashes to directions: open addressing, linear probing.
pub(super) struct Index {
    /// Zero, a grave, or the low half of the hash above a direction.
    buckets: Box<[AtomicU64]>,
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
    pub(super) fn new(slots: u32) -> Self {
        let buckets = slots as usize * BUCKETS;
        Self { buckets: (0..buckets).map(|_| AtomicU64::new(0)).collect() }
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
