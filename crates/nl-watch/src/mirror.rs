//! A table of the kernel, as far as its events tell.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::object::Object;

/// The entries of one of the kernel's tables.
///
/// A [`Watch`](crate::Watch) keeps it; see there for when it is right.
#[derive(Debug)]
pub struct Mirror<O: Object> {
    slots: BTreeMap<O::Key, Slot<O::Item>>,
    len: usize,
}

/// The entries that share a key: nearly always one.
#[derive(Debug)]
enum Slot<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> Slot<T> {
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
    /// It is gone; as it was last known.
    Removed(T),
}

/// An event does not say which entry it means: only listing again can tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ambiguous;

impl<O: Object> Default for Mirror<O> {
    fn default() -> Self {
        Self { slots: BTreeMap::new(), len: 0 }
    }
}

impl<O: Object> Mirror<O> {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All entries, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = &O::Item> {
        self.slots.values().flat_map(Slot::as_slice)
    }

    /// The entries with this key; several only where the kernel allows it (routes that differ in
    /// their nexthop alone).
    pub fn get(&self, key: &O::Key) -> &[O::Item] {
        self.slots.get(key).map_or(&[], Slot::as_slice)
    }

    /// Adds an entry, or changes the one that is the same.
    pub(crate) fn put(&mut self, item: O::Item) -> Option<Change<O::Item>> {
        match self.slots.entry(O::key(&item)) {
            Entry::Vacant(slot) => {
                slot.insert(Slot::One(item.clone()));
                self.len += 1;
                Some(Change::Added(item))
            }
            Entry::Occupied(mut slot) => {
                let items = slot.get_mut().as_mut_slice();
                if let Some(old) = items.iter_mut().find(|old| O::is_same(old, &item)) {
                    return change::<O>(old, item);
                }
                let mut items =
                    std::mem::replace(slot.get_mut(), Slot::Many(Vec::new())).into_vec();
                items.push(item.clone());
                slot.insert(Slot::Many(items));
                self.len += 1;
                Some(Change::Added(item))
            }
        }
    }

    /// Puts an entry in the place of the one that has its key. `Err` if there are several: the
    /// kernel does not say which.
    pub(crate) fn replace(&mut self, item: O::Item) -> Result<Option<Change<O::Item>>, Ambiguous> {
        match self.slots.get_mut(&O::key(&item)).map(Slot::as_mut_slice) {
            None => Ok(self.put(item)),
            Some([old]) => {
                let before = std::mem::replace(old, item.clone());
                let same = O::is_same(&before, &item) && O::is_equal(&before, &item);
                Ok((!same).then_some(Change::Changed { old: before, new: item }))
            }
            Some(_) => Err(Ambiguous),
        }
    }

    /// Removes the entry that is the same. `Err` if there is none, but others have its key: what
    /// the kernel removed may be a part of one of these.
    pub(crate) fn remove(&mut self, item: &O::Item) -> Result<Option<Change<O::Item>>, Ambiguous> {
        let Entry::Occupied(mut slot) = self.slots.entry(O::key(item)) else { return Ok(None) };
        let found = slot.get().as_slice().iter().position(|old| O::is_same(old, item));
        let Some(index) = found else { return Err(Ambiguous) };
        self.len -= 1;
        let old = match slot.get_mut() {
            Slot::Many(items) if items.len() > 1 => items.remove(index),
            _ => slot.remove().into_vec().swap_remove(0),
        };
        Ok(Some(Change::Removed(old)))
    }

    /// Makes this mirror hold exactly what `list` holds, and tells the difference.
    pub(crate) fn adopt(&mut self, list: Self) -> Vec<Change<O::Item>> {
        let old = std::mem::replace(self, list);
        old.difference(self)
    }

    /// What would have to happen to this mirror to make it equal to `other`.
    pub fn difference(&self, other: &Self) -> Vec<Change<O::Item>> {
        let mut changes = Vec::new();
        for (key, slot) in &self.slots {
            let now = other.get(key);
            for old in slot.as_slice() {
                match now.iter().find(|new| O::is_same(old, new)) {
                    None => changes.push(Change::Removed(old.clone())),
                    Some(new) if !O::is_equal(old, new) => {
                        changes.push(Change::Changed { old: old.clone(), new: new.clone() });
                    }
                    Some(_) => {}
                }
            }
        }
        for (key, slot) in &other.slots {
            let before = self.get(key);
            let added =
                slot.as_slice().iter().filter(|new| !before.iter().any(|old| O::is_same(old, new)));
            changes.extend(added.cloned().map(Change::Added));
        }
        changes
    }
}

/// Merges `new` into `old`; tells of it if that made a difference.
fn change<O: Object>(old: &mut O::Item, new: O::Item) -> Option<Change<O::Item>> {
    let before = old.clone();
    O::merge(old, new);
    (!O::is_equal(&before, old)).then(|| Change::Changed { old: before, new: old.clone() })
}
