//! Slots: what is known of a flow besides the answers, which are in the index.
//!
//! Only the writer stores. What readers read here belongs to an entry of the index, and is believed
//! if that is still the same afterwards.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use nl_socket::{Pages, Zeroed};

use super::index::NONE;
use super::key::KIND;

/// Words of a slot, which is half of a cache line:
///
/// - the namespace;
/// - the place of the original direction in the index, and what the descriptors of both directions
///   have in common ([`KIND`]);
/// - for the writer alone: the slots before and after this one in a list;
/// - for the writer alone: when it is due (32 bits), whether it was announced (1 bit from 31), the
///   list (7 bits from 24), the age (24 bits).
///
/// An IPv6 flow has two more slots, each filled with the addresses of a direction.
const WORDS: usize = 4;
const NAMESPACE: usize = 0;
const HEAD: usize = 1;
const LINK: usize = 2;
const STATE: usize = 3;

/// Bytes of a slot.
pub(super) const SLOT_BYTES: usize = size_of::<[AtomicU64; WORDS]>();

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

/// Where the original direction of a flow is, and the kind of both.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Head(u64);

impl Head {
    // Half of a word.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) const fn place(self) -> u32 {
        self.0 as u32
    }

    /// The bits of [`KIND`].
    pub(super) const fn kind(self) -> u64 {
        self.0 & KIND
    }
}

/// A slot.
#[derive(Clone, Copy)]
pub(super) struct Slot<'a>(&'a [AtomicU64; WORDS]);

impl Slot<'_> {
    #[inline]
    fn load(self, word: usize) -> u64 {
        self.0[word].load(Ordering::Relaxed)
    }

    fn store(self, word: usize, value: u64) {
        self.0[word].store(value, Ordering::Relaxed);
    }

    pub(super) fn namespace(self) -> u64 {
        self.load(NAMESPACE)
    }

    /// Who learns a place from it sees the entry there, or a later one.
    pub(super) fn head(self) -> Head {
        Head(self.0[HEAD].load(Ordering::Acquire))
    }

    /// Says where the original direction is, once it is there.
    pub(super) fn set_place(self, place: u32) {
        let head = self.load(HEAD) & KIND | u64::from(place);
        self.0[HEAD].store(head, Ordering::Release);
    }

    /// Begins a flow whose place is not yet known.
    pub(super) fn begin(self, namespace: u64, kind: u64) {
        self.store(NAMESPACE, namespace);
        self.store(HEAD, kind & KIND | u64::from(NONE));
    }

    /// The addresses of a direction.
    #[inline]
    pub(super) fn addresses(self) -> [u64; WORDS] {
        std::array::from_fn(|word| self.load(word))
    }

    pub(super) fn set_addresses(self, addresses: &[u64; WORDS]) {
        for (word, address) in addresses.iter().enumerate() {
            self.store(word, *address);
        }
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
        let memory = Zeroed::new(capacity as usize, Pages::Large).expect("memory for slots");
        Self { memory, used: AtomicU32::new(0) }
    }

    #[inline]
    pub(super) fn get(&self, number: u32) -> Slot<'_> {
        Slot(&self.memory[number as usize])
    }

    /// The slot of a number that may be nonsense.
    #[inline]
    pub(super) fn at(&self, number: u64) -> Option<Slot<'_>> {
        Some(Slot(self.memory.get(usize::try_from(number).ok()?)?))
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
        let left = (number as usize) < self.memory.len();
        left.then(|| {
            self.used.store(number + 1, Ordering::Relaxed);
            number
        })
    }
}
