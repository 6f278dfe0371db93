//! One socket for the events of all namespaces.
//!
//! An event comes with the id of its namespace, and the kernel gives the id of one that ended to the
//! next. What became of ids is told by another socket, and nothing orders what two sockets bring.
//! But all that was sent before a word of an id was read is received once the event socket has been
//! found empty after that. Until then an id that was released still means what it meant before; and
//! if it was given anew meanwhile, its events can be of either namespace.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use nl_route::nsid::NsidEvent;
use nl_socket::{Error, Event, Events, Loss, Wait};
use nl_wire::{Header, Message};

use super::{Consumer, Key, Told};
use crate::object::Object;
use crate::pressure::Valve;

/// The shared socket, and what its last receive brought.
pub(super) struct Shared {
    events: Events,
    kept: Vec<Kept>,
    bytes: Vec<u8>,
    /// Ids that were released, while events from before may still be queued.
    fates: BTreeMap<i32, Fate>,
}

#[derive(Clone, Copy)]
enum Kept {
    Message { nsid: Option<i32>, header: Header, start: usize, end: usize },
    Loss(Loss),
}

/// What became of an id that was released.
#[derive(Clone, Copy, Default)]
struct Fate {
    /// Given anew.
    assigned: bool,
}

impl Shared {
    pub(super) fn new(events: Events) -> Self {
        Self { events, kept: Vec::new(), bytes: Vec::new(), fates: BTreeMap::new() }
    }

    pub(super) fn events(&self) -> &Events {
        &self.events
    }

    /// Keeps what one receive brings.
    fn receive(&mut self, mut valve: Option<&mut Valve>) -> Result<(), Error> {
        self.kept.clear();
        self.bytes.clear();
        loop {
            let Some(event) = self.events.next(Wait::Never).map_err(Error::Io)? else {
                return Ok(());
            };
            if let Some(valve) = &mut valve {
                valve.count(&event);
            }
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
        let Some(mut shared) = self.shared.take() else {
            let mut fates = BTreeMap::new();
            let any = self.hear_ids(&mut fates)?;
            self.settle(fates);
            return Ok(any);
        };
        let any = self.pump_both(&mut shared);
        self.shared = Some(shared);
        any
    }

    fn pump_both(&mut self, shared: &mut Shared) -> Result<bool, Error> {
        shared.receive(self.valve.as_mut())?;
        if shared.kept.is_empty() {
            self.settle(std::mem::take(&mut shared.fates));
        }
        let any = self.hear_ids(&mut shared.fates)?;
        self.attribute(shared);
        // What is left to be settled is so as soon as nothing is received.
        Ok(any || !shared.kept.is_empty() || !shared.fates.is_empty())
    }

    /// Reads what became of ids; whether there was anything.
    fn hear_ids(&mut self, fates: &mut BTreeMap<i32, Fate>) -> Result<bool, Error> {
        let (mut any, mut lost, mut given) = (false, false, Vec::new());
        while let Some(event) = self.ids.next(Wait::Never).map_err(Error::Io)? {
            any = true;
            let Event::Message { message, .. } = event else {
                lost = true;
                continue;
            };
            match NsidEvent::decode(&message) {
                Ok(Some(NsidEvent::Assigned(id))) => match fates.get_mut(&id) {
                    Some(fate) => fate.assigned = true,
                    None => given.push(id),
                },
                Ok(Some(NsidEvent::Released(id))) => {
                    fates.insert(id, Fate::default());
                }
                Ok(None) => {}
                Err(_) => lost = true,
            }
        }
        for id in given {
            self.met_id(id);
        }
        if lost {
            self.read_ids()?;
        }
        Ok(any)
    }

    /// No event from before these ids were released is to come any more.
    fn settle(&mut self, fates: BTreeMap<i32, Fate>) {
        for (id, fate) in fates {
            self.released(id);
            if fate.assigned {
                self.met_id(id);
            }
        }
    }

    /// Gives each event to the namespace that it is of.
    fn attribute(&mut self, shared: &Shared) {
        let now = Instant::now();
        let mut unattributed = BTreeMap::<i32, usize>::new();
        // Events come in runs of one namespace.
        let mut last: (Option<i32>, Option<Key>) = (None, None);
        for kept in &shared.kept {
            match *kept {
                Kept::Loss(loss) => self.lose(loss),
                Kept::Message { nsid, header, start, end } => {
                    let fate = nsid.and_then(|id| shared.fates.get(&id)).copied();
                    if let (Some(id), Some(Fate { assigned: true })) = (nsid, fate) {
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
