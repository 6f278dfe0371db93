//! A table of the kernel, as far as its events tell.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::iter::Peekable;

use crate::object::Object;

/// The entries of one of the kernel's tables.
///
/// A [`Watch`](crate::Watch) keeps it; see there for when it is right.
pub struct Mirror<O: Object> {
    slots: BTreeMap<O::Key, Slot<O::Item>>,
    len: usize,
    bytes: usize,
    budget: Budget,
    /// Which list is being read, to tell what it holds from what it lacks.
    round: u32,
}

/// How much a mirror may hold: what is there stays, what would come on top is not taken in, and
/// [`Item::Full`](crate::Item::Full) tells so. Without limit by default.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// The most entries.
    pub entries: usize,
    /// The most bytes, as [`Mirror::bytes`] counts them.
    pub bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { entries: usize::MAX, bytes: usize::MAX }
    }
}

/// The entries that share a key.
struct Slot<T> {
    items: Items<T>,
    /// The list that touched this slot last.
    round: u32,
    /// How many entries it held: they stand first.
    fresh: usize,
}

/// Nearly always one.
enum Items<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> Items<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::One(item) => std::slice::from_ref(item),
            Self::Many(items) => items,
        }
    }

    fn as_mut_slice(&mut self) -> &mut [T] {
        match self {
            Self::One(item) => std::slice::from_mut(item),
            Self::Many(items) => items,
        }
    }

    fn into_vec(self) -> Vec<T> {
        match self {
            Self::One(item) => vec![item],
            Self::Many(items) => items,
        }
    }

    fn push(&mut self, item: T) {
        let mut items = std::mem::replace(self, Self::Many(Vec::new())).into_vec();
        items.push(item);
        *self = Self::Many(items);
    }
}

impl<T> Slot<T> {
    /// The entry at `index` is in the list that is being read.
    fn is_listed(&mut self, index: usize, round: u32) {
        if self.round != round {
            (self.round, self.fresh) = (round, 0);
        }
        if index >= self.fresh {
            self.items.as_mut_slice().swap(index, self.fresh);
            self.fresh += 1;
        }
    }
}

/// What became of an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change<T> {
    /// It is new.
    Added(T),
    /// It was there and is different now.
    Changed {
        /// As it was.
        old: T,
        /// As it is.
        new: T,
    },
    /// It is gone; as it was last known, with what the kernel said of it at its end
    /// ([`Object::conclude`]).
    Removed(T),
}

/// What putting an entry in its place did, without a copy for those who need none.
#[derive(Debug)]
pub(crate) enum Outcome<'m, T> {
    Same,
    Added(&'m T),
    Changed {
        old: T,
        new: &'m T,
    },
    Removed(T),
    /// There is no room for it.
    Refused,
}

impl<T: Clone> Outcome<'_, T> {
    /// What there is to tell.
    pub(crate) fn change(self) -> Option<Change<T>> {
        match self {
            Self::Same | Self::Refused => None,
            Self::Added(item) => Some(Change::Added(item.clone())),
            Self::Changed { old, new } => Some(Change::Changed { old, new: new.clone() }),
            Self::Removed(item) => Some(Change::Removed(item)),
        }
    }
}

/// An event does not say which entry it means: only listing again can tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ambiguous;

impl<O: Object> Default for Mirror<O> {
    fn default() -> Self {
        Self { slots: BTreeMap::new(), len: 0, bytes: 0, budget: Budget::default(), round: 0 }
    }
}

impl<O: Object> Mirror<O> {
    /// What an entry costs: itself, its key and its slot, in a tree whose nodes are three quarters
    /// full.
    fn cost(item: &O::Item) -> usize {
        let slot = size_of::<O::Key>() + size_of::<Slot<()>>();
        let bytes = O::bytes(item).saturating_add(slot);
        bytes.saturating_add(bytes / 3)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// About how many bytes of memory the entries take, keys and tree included, by [`Object::bytes`].
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// What it may hold at most.
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// All entries, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = &O::Item> {
        self.slots.values().flat_map(|slot| slot.items.as_slice())
    }

    /// The entries with this key; several only where the kernel allows it (routes that differ in
    /// their nexthop alone).
    pub fn get(&self, key: &O::Key) -> &[O::Item] {
        self.slots.get(key).map_or(&[], |slot| slot.items.as_slice())
    }

    pub(crate) fn set_budget(&mut self, budget: Budget) {
        self.budget = budget;
    }

    /// Whether so much was removed that there is room again for what was refused.
    pub(crate) fn has_room(&self) -> bool {
        let Budget { entries, bytes } = self.budget;
        self.len < entries - entries / 8 && self.bytes < bytes - bytes / 8
    }

    /// Adds an entry, or changes the one that is the same.
    pub(crate) fn put(&mut self, item: O::Item) -> Outcome<'_, O::Item> {
        self.insert(item, false)
    }

    /// As [`Mirror::put`], for an entry of a list: see [`Mirror::sweep`].
    pub(crate) fn put_listed(&mut self, item: O::Item) -> Outcome<'_, O::Item> {
        self.insert(item, true)
    }

    fn insert(&mut self, item: O::Item, listed: bool) -> Outcome<'_, O::Item> {
        let (round, room) = (self.round, self.len < self.budget.entries);
        let cost = Self::cost(&item);
        let room = room && self.bytes.saturating_add(cost) <= self.budget.bytes;
        let slot = match self.slots.entry(O::key(&item)) {
            Entry::Vacant(_) if !room => return Outcome::Refused,
            Entry::Vacant(place) => {
                let slot = Slot { items: Items::One(item), round, fresh: usize::from(listed) };
                (self.len, self.bytes) = (self.len + 1, self.bytes + cost);
                let [item] = place.insert(slot).items.as_mut_slice() else { return Outcome::Same };
                return Outcome::Added(item);
            }
            Entry::Occupied(slot) => slot.into_mut(),
        };
        let found = slot.items.as_slice().iter().position(|old| O::is_same(old, &item));
        let index = found.unwrap_or(slot.items.as_slice().len());
        let mut before = None;
        if found.is_none() {
            if !room {
                return Outcome::Refused;
            }
            slot.items.push(item);
            (self.len, self.bytes) = (self.len + 1, self.bytes + cost);
        } else if let Some(old) = slot.items.as_mut_slice().get_mut(index) {
            let bytes = Self::cost(old);
            before = merge::<O>(old, item);
            self.bytes = self.bytes.saturating_add(Self::cost(old)).saturating_sub(bytes);
        }
        let mut place = index;
        if listed {
            slot.is_listed(index, round);
            place = index.min(slot.fresh - 1);
        }
        match (slot.items.as_slice().get(place), before) {
            (Some(new), Some(old)) => Outcome::Changed { old, new },
            (Some(new), None) if found.is_none() => Outcome::Added(new),
            _ => Outcome::Same,
        }
    }

    /// Puts an entry in the place of the one that has its key. `Err` if there are several: the
    /// kernel does not say which.
    pub(crate) fn replace(&mut self, item: O::Item) -> Result<Outcome<'_, O::Item>, Ambiguous> {
        let key = O::key(&item);
        if self.get(&key).is_empty() {
            return Ok(self.insert(item, false));
        }
        let Some(slot) = self.slots.get_mut(&key) else { return Err(Ambiguous) };
        let [old] = slot.items.as_mut_slice() else { return Err(Ambiguous) };
        let before = std::mem::replace(old, item);
        self.bytes = self.bytes.saturating_add(Self::cost(old)).saturating_sub(Self::cost(&before));
        let same = O::is_same(&before, old) && O::is_equal(&before, old);
        Ok(if same { Outcome::Same } else { Outcome::Changed { old: before, new: old } })
    }

    /// Removes the entry that is the same. `Err` if there is none, but others have its key: what
    /// the kernel removed may be a part of one of these.
    pub(crate) fn remove(&mut self, item: &O::Item) -> Result<Outcome<'_, O::Item>, Ambiguous> {
        let Entry::Occupied(mut slot) = self.slots.entry(O::key(item)) else {
            return Ok(Outcome::Same);
        };
        let found = slot.get().items.as_slice().iter().position(|old| O::is_same(old, item));
        let Some(index) = found else { return Err(Ambiguous) };
        let old = match &mut slot.get_mut().items {
            Items::Many(items) if items.len() > 1 => items.remove(index),
            _ => slot.remove().items.into_vec().swap_remove(0),
        };
        self.forget(&old);
        Ok(Outcome::Removed(old))
    }

    /// As [`Mirror::remove`], with what the event of the end says.
    pub(crate) fn end(&mut self, end: &O::Item) -> Result<Outcome<'_, O::Item>, Ambiguous> {
        self.remove(end).map(|outcome| match outcome {
            Outcome::Removed(mut item) => {
                O::conclude(&mut item, end);
                Outcome::Removed(item)
            }
            other => other,
        })
    }

    /// Brings the entry that is the same up to date with what the event of its end says, if the list
    /// that is being read does not hold it: [`Mirror::sweep`] will give it so.
    pub(crate) fn end_unlisted(&mut self, end: &O::Item) {
        let Some(slot) = self.slots.get_mut(&O::key(end)) else { return };
        let fresh = if slot.round == self.round { slot.fresh } else { 0 };
        let unlisted = slot.items.as_mut_slice().iter_mut().skip(fresh);
        for item in unlisted.filter(|item| O::is_same(item, end)) {
            let before = Self::cost(item);
            O::conclude(item, end);
            self.bytes = self.bytes.saturating_add(Self::cost(item)).saturating_sub(before);
        }
    }

    fn forget(&mut self, old: &O::Item) {
        self.len -= 1;
        self.bytes = self.bytes.saturating_sub(Self::cost(old));
    }

    /// Removes the entries that are not to be kept, and gives them.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&O::Item) -> bool) -> Vec<O::Item> {
        let mut gone = Vec::new();
        self.slots.retain(|_, slot| {
            if slot.items.as_slice().iter().all(&mut keep) {
                return true;
            }
            let items = std::mem::replace(&mut slot.items, Items::Many(Vec::new())).into_vec();
            let fresh = slot.fresh;
            let (kept, lost): (Vec<_>, Vec<_>) =
                items.into_iter().enumerate().partition(|(_, item)| keep(item));
            slot.fresh = kept.iter().filter(|(index, _)| *index < fresh).count();
            slot.items = Items::Many(kept.into_iter().map(|(_, item)| item).collect());
            gone.extend(lost.into_iter().map(|(_, item)| item));
            !slot.items.as_slice().is_empty()
        });
        for item in &gone {
            self.forget(item);
        }
        gone
    }

    /// From here on the entries of a list are put, until [`Mirror::sweep`].
    pub(crate) fn begin_round(&mut self) {
        self.round = self.round.wrapping_add(1);
    }

    /// Removes what the list that was read did not hold, and gives it.
    pub(crate) fn sweep(&mut self) -> Vec<O::Item> {
        let (round, mut gone) = (self.round, Vec::new());
        self.slots.retain(|_, slot| {
            let fresh = if slot.round == round { slot.fresh } else { 0 };
            if fresh == slot.items.as_slice().len() {
                return true;
            }
            let mut items = std::mem::replace(&mut slot.items, Items::Many(Vec::new())).into_vec();
            gone.extend(items.drain(fresh..));
            slot.items = match items.len() {
                1 => Items::One(items.swap_remove(0)),
                _ => Items::Many(items),
            };
            fresh > 0
        });
        for item in &gone {
            self.forget(item);
        }
        gone
    }

    /// What would have to happen to this mirror to make it equal to `other`.
    pub fn difference(&self, other: &Self) -> Vec<Change<O::Item>> {
        let mut changes = Vec::new();
        let (mut ours, mut theirs) = (self.slots.iter().peekable(), other.slots.iter().peekable());
        loop {
            let order = match (ours.peek(), theirs.peek()) {
                (None, None) => return changes,
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some((a, _)), Some((b, _))) => a.cmp(b),
            };
            let old = if order.is_le() { take(&mut ours) } else { &[] };
            let new = if order.is_ge() { take(&mut theirs) } else { &[] };
            differences::<O>(old, new, &mut changes);
        }
    }
}

/// The entries of the next slot.
fn take<'m, K: 'm, T: 'm>(
    slots: &mut Peekable<impl Iterator<Item = (&'m K, &'m Slot<T>)>>,
) -> &'m [T] {
    slots.next().map_or(&[], |(_, slot)| slot.items.as_slice())
}

/// What became of the entries of one key.
fn differences<O: Object>(old: &[O::Item], new: &[O::Item], changes: &mut Vec<Change<O::Item>>) {
    for before in old {
        match new.iter().find(|now| O::is_same(before, now)) {
            None => changes.push(Change::Removed(before.clone())),
            Some(now) if !O::is_equal(before, now) => {
                changes.push(Change::Changed { old: before.clone(), new: now.clone() });
            }
            Some(_) => {}
        }
    }
    let added = new.iter().filter(|now| !old.iter().any(|before| O::is_same(before, now)));
    changes.extend(added.cloned().map(Change::Added));
}

/// Merges `new` into `old`; gives what was there before if that made a difference.
fn merge<O: Object>(old: &mut O::Item, new: O::Item) -> Option<O::Item> {
    // Nearly all entries of a list that is read again are as they were.
    if O::is_equal(old, &new) {
        O::merge(old, new);
        return None;
    }
    let before = old.clone();
    O::merge(old, new);
    (!O::is_equal(&before, old)).then_some(before)
}

impl<O: Object> fmt::Debug for Mirror<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
