//! One socket for the events of all namespaces.
//!
//! An event comes with the id of its namespace, and the kernel gives the id of one that ended to the
//! next. What became of ids is told by another socket; so events are heard in two steps: first all
//! that one receive brought is kept, then the other socket is read empty. If an id did not change
//! hands up to then, its events since the time before can be of one namespace only.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use nl_route::nsid::NsidEvent;
use nl_socket::{Error, Event, Events, Loss, Wait};
use nl_wire::{Header, Message};

use super::{Consumer, Key, Told};
use crate::object::Object;

/// The shared socket, and what its last receive brought.
pub(super) struct Shared {
    events: Events,
    kept: Vec<Kept>,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Kept {
    Message { nsid: Option<i32>, header: Header, start: usize, end: usize },
    Loss(Loss),
}

/// What became of an id between two receives.
#[derive(Clone, Copy, Default)]
struct Fate {
    released: bool,
    /// Given, after it was released if it was.
    assigned: bool,
}

impl Shared {
    pub(super) fn new(events: Events) -> Self {
        Self { events, kept: Vec::new(), bytes: Vec::new() }
    }

    pub(super) fn events(&self) -> &Events {
        &self.events
    }

    /// Keeps what one receive brings.
    fn receive(&mut self) -> Result<(), Error> {
        self.kept.clear();
        self.bytes.clear();
        loop {
            let Some(event) = self.events.next(Wait::Never).map_err(Error::Io)? else {
                return Ok(());
            };
            self.kept.push(match event {
                Event::Message { message, nsid } => {
                    let start = self.bytes.len();
                    self.bytes.extend_from_slice(message.bytes);
                    Kept::Message { nsid, header: message.header, start, end: self.bytes.len() }
                }
                Event::Loss(loss) => Kept::Loss(loss),
            });
            if !self.events.has_received() {
                return Ok(());
            }
        }
    }
}

impl AsFd for Shared {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }
}

impl<O: Object + Clone> Consumer<O> {
    /// Hears the shared socket, and what became of ids.
    pub(super) fn pump_shared(&mut self) -> Result<bool, Error> {
        let Some(mut shared) = self.shared.take() else { return self.hear_ids(None) };
        let any = shared.receive().and_then(|()| self.hear_ids(Some(&shared)));
        self.shared = Some(shared);
        any
    }

    /// Reads what became of ids, and attributes what the shared socket brought before.
    fn hear_ids(&mut self, shared: Option<&Shared>) -> Result<bool, Error> {
        let (mut fates, mut lost) = (BTreeMap::<i32, Fate>::new(), false);
        while let Some(event) = self.ids.next(Wait::Never).map_err(Error::Io)? {
            let Event::Message { message, .. } = event else {
                lost = true;
                continue;
            };
            match NsidEvent::decode(&message) {
                Ok(Some(NsidEvent::Assigned(id))) => fates.entry(id).or_default().assigned = true,
                Ok(Some(NsidEvent::Released(id))) => {
                    fates.insert(id, Fate { released: true, assigned: false });
                }
                Ok(None) => {}
                Err(_) => lost = true,
            }
        }
        let kept = shared.map_or(0, |shared| shared.kept.len());
        if fates.is_empty() && !lost {
            // Nearly always.
            self.attribute(shared, &fates);
            return Ok(kept > 0);
        }
        for (id, _) in fates.iter().filter(|(_, fate)| fate.assigned && !fate.released) {
            self.met_id(*id);
        }
        self.attribute(shared, &fates);
        for (id, fate) in &fates {
            if fate.released {
                self.released(*id);
            }
            if fate.released && fate.assigned {
                self.met_id(*id);
            }
        }
        if lost {
            self.read_ids()?;
        }
        Ok(true)
    }

    /// Gives each event to the namespace that it is of.
    fn attribute(&mut self, shared: Option<&Shared>, fates: &BTreeMap<i32, Fate>) {
        let Some(shared) = shared else { return };
        let now = Instant::now();
        let mut unattributed = BTreeMap::<i32, usize>::new();
        // Events come in runs of one namespace.
        let mut last: (Option<i32>, Option<Key>) = (None, None);
        for kept in &shared.kept {
            match *kept {
                Kept::Loss(loss) => self.lose(loss),
                Kept::Message { nsid, header, start, end } => {
                    let fate = nsid.and_then(|id| fates.get(&id)).copied().unwrap_or_default();
                    if let (Some(id), true) = (nsid, fate.released && fate.assigned) {
                        *unattributed.entry(id).or_default() += 1;
                        continue;
                    }
                    if last.1.is_none() || last.0 != nsid {
                        last = (nsid, self.of_nsid(nsid));
                    }
                    let Some(key) = last.1 else { continue };
                    let bytes = shared.bytes.get(start..end).unwrap_or_default();
                    let message = Message { header, bytes };
                    if let Some(slot) = self.slots.get_mut(&key) {
                        slot.engine.hear(&Event::Message { message, nsid }, now);
                    }
                    self.has_items(key);
                }
            }
        }
        for (nsid, events) in unattributed {
            self.queue.push_back(Told::Unattributed { nsid, events });
            let key = self.by_nsid.get(&nsid);
            if let Some(slot) = key.and_then(|key| self.slots.get_mut(key)) {
                slot.engine.relist();
            }
        }
    }

    /// Something was lost that may be of any namespace without a socket of its own.
    fn lose(&mut self, loss: Loss) {
        self.queue.push_back(Told::Lost(loss));
        if matches!(loss, Loss::Foreign { .. }) {
            return;
        }
        for slot in self.slots.values_mut().filter(|slot| slot.events.is_none() && !slot.unlistable)
        {
            slot.engine.relist();
        }
    }
}
