//! Subscribe, list, merge, follow; on loss list again and tell the difference.

use std::collections::VecDeque;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nl_socket::{Connection, Error, Event, Events, Loss, Netns, Wait};

use crate::mirror::{Ambiguous, Change, Mirror};
use crate::object::{Notice, Object};

/// One item of a watch's stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item<T> {
    /// The first list is complete and [`Watch::mirror`] holds it; from here on changes follow.
    Listed {
        /// How many entries there are.
        entries: usize,
        /// How long it took.
        took: Duration,
    },
    /// An entry came, went or changed.
    Change(Change<T>),
    /// Something was lost; the mirror may be wrong until [`Item::Resynced`].
    Lost(Loss),
    /// The table was listed again. The differences were told as changes before this item.
    Resynced {
        /// Entries found that nobody had announced.
        added: usize,
        /// Entries gone without announcement.
        removed: usize,
        /// Entries found in another state.
        changed: usize,
        /// How long it took.
        took: Duration,
    },
}

/// How often [`Watch`] lists anew, within one attempt, if the table changes under the dump.
const ATTEMPTS: usize = 10;

/// How many events are kept that arrive while the table is listed, so that memory stays bounded.
const BACKLOG: usize = 1 << 20;

/// How many entries are listed between two looks at the events.
const STRIDE: usize = 128;

/// Keeps a [`Mirror`] of one of the kernel's tables, and tells every change.
///
/// Events come first: the sockets are subscribed before the table is listed, and what arrives
/// meanwhile is applied behind the list. When events are lost, when a dump is interrupted, or when
/// the kernel is known to change entries without announcing it, the table is listed again and
/// exactly the differences are told.
///
/// Pull-based: nothing happens outside [`Watch::next`]. No thread is started.
pub struct Watch<O: Object> {
    object: O,
    events: Events,
    connection: Connection,
    mirror: Mirror<O>,
    queue: VecDeque<Item<O::Item>>,
    listed: bool,
    stale: bool,
}

/// What came of looking at the events once.
enum Heard<T> {
    Notice(Notice<T>),
    Lost(Loss),
}

impl<O: Object> Watch<O> {
    /// Watches a table of the calling thread's network namespace.
    ///
    /// # Errors
    /// If the sockets can't be opened or the groups not be joined ([`Error::is_permission`]).
    pub fn open(object: O) -> Result<Self, Error> {
        let events = Events::open(O::FAMILY, O::GROUPS).map_err(Error::Io)?;
        Ok(Self::new(object, events, Connection::open(O::FAMILY)?))
    }

    /// Watches a table of another network namespace.
    ///
    /// # Errors
    /// As [`Watch::open`], and if the namespace can't be entered.
    pub fn open_in(object: O, netns: &Netns) -> Result<Self, Error> {
        let events = Events::open_in(O::FAMILY, netns, O::GROUPS).map_err(Error::Io)?;
        Ok(Self::new(object, events, Connection::open_in(O::FAMILY, netns)?))
    }

    /// Watches with sockets of the caller's, which may have sized their buffers. Both must be of one
    /// namespace; `events` must have joined the object's groups.
    pub fn new(object: O, events: Events, connection: Connection) -> Self {
        Self {
            object,
            events,
            connection,
            mirror: Mirror::default(),
            queue: VecDeque::new(),
            listed: false,
            stale: true,
        }
    }

    /// The table as far as it is known.
    pub fn mirror(&self) -> &Mirror<O> {
        &self.mirror
    }

    /// Whether the mirror is right up to the last event received: nothing was lost since the last
    /// list, and every change was told.
    pub fn is_converged(&self) -> bool {
        !self.stale && self.queue.is_empty()
    }

    /// The event socket, to size its buffer or see its counters.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// The connection that lists, to set its timeout or tracer.
    pub fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// The next item; `None` if there is none within `wait`. The first call lists the table,
    /// whatever `wait` says: a list is bounded by the connection's timeout.
    ///
    /// # Errors
    /// If a socket fails or the kernel refuses the list. The next call tries again.
    pub fn next(&mut self, wait: Wait) -> Result<Option<Item<O::Item>>, Error> {
        loop {
            if let Some(item) = self.queue.pop_front() {
                return Ok(Some(item));
            }
            // What is queued precedes a loss; so the list starts when the queue is empty.
            let patience = if self.stale { Wait::Never } else { wait };
            match self.hear(patience)? {
                Some(heard) => {
                    let item = self.apply(heard);
                    self.queue.extend(item);
                }
                None if self.stale => self.resync()?,
                None => return Ok(None),
            }
        }
    }

    /// Lists the table again with the next call of [`Watch::next`], and tells the difference: for
    /// what the kernel changes without announcing it.
    pub fn relist(&mut self) {
        self.stale = true;
    }

    /// Lists the table once more, aside, and compares: what the mirror lacks or has too much. Events
    /// still queued are applied first, and told by the next calls of [`Watch::next`].
    ///
    /// # Errors
    /// As [`Watch::next`].
    pub fn compare(&mut self) -> Result<Vec<Change<O::Item>>, Error> {
        let request = self.object.list();
        let list = list(&mut self.connection, &mut self.object, &request, |_| Ok(()))?;
        while let Some(heard) = self.hear(Wait::Never)? {
            let item = self.apply(heard);
            self.queue.extend(item);
        }
        Ok(self.mirror.difference(&list.mirror))
    }

    fn hear(&mut self, wait: Wait) -> Result<Option<Heard<O::Item>>, Error> {
        hear(&mut self.events, &mut self.object, wait)
    }

    /// Brings the mirror up to date; what there is to tell.
    fn apply(&mut self, heard: Heard<O::Item>) -> Option<Item<O::Item>> {
        let change = match heard {
            Heard::Notice(Notice::Nothing) => Ok(None),
            Heard::Notice(Notice::Put(item)) => Ok(self.mirror.put(item)),
            Heard::Notice(Notice::Replace(item)) => self.mirror.replace(item),
            Heard::Notice(Notice::Remove(item)) => self.mirror.remove(&item),
            Heard::Notice(Notice::Stale) => Err(Ambiguous),
            Heard::Lost(loss) => {
                // A stranger's datagram takes nothing away.
                self.stale |= !matches!(loss, Loss::Foreign { .. });
                return Some(Item::Lost(loss));
            }
        };
        self.stale |= change.is_err();
        change.ok().flatten().map(Item::Change)
    }

    /// Lists the table, applies what was announced meanwhile, and tells the difference.
    fn resync(&mut self) -> Result<(), Error> {
        let started = Instant::now();
        let request = self.object.list();
        let mut backlog = Vec::new();
        let (events, object) = (&mut self.events, &mut self.object);
        let listed = list(&mut self.connection, object, &request, |object| {
            // Once the backlog is full, events wait in the socket's queue, which tells if it overruns.
            while backlog.len() < BACKLOG {
                match hear(events, object, Wait::Never)? {
                    Some(heard) => backlog.push(heard),
                    None => break,
                }
            }
            Ok(())
        })?;
        self.stale = listed.interrupted;
        self.queue.extend(listed.losses.into_iter().map(Item::Lost));
        let differences = self.mirror.adopt(listed.mirror);
        if self.listed {
            let mut counts = [0; 3];
            for change in &differences {
                counts[match change {
                    Change::Added(_) => 0,
                    Change::Removed(_) => 1,
                    Change::Changed { .. } => 2,
                }] += 1;
            }
            let [added, removed, changed] = counts;
            let took = started.elapsed();
            self.queue.extend(differences.into_iter().map(Item::Change));
            self.queue.push_back(Item::Resynced { added, removed, changed, took });
            for heard in backlog {
                let item = self.apply(heard);
                self.queue.extend(item);
            }
        } else {
            // The first list is told as a whole, with what was announced meanwhile.
            for heard in backlog {
                let item = self.apply(heard);
                self.queue.extend(item.filter(|item| matches!(item, Item::Lost(_))));
            }
            let entries = self.mirror.len();
            self.queue.push_back(Item::Listed { entries, took: started.elapsed() });
            self.listed = true;
        }
        Ok(())
    }
}

/// The next event; `None` if there is none within `wait`.
fn hear<O: Object>(
    events: &mut Events,
    object: &mut O,
    wait: Wait,
) -> Result<Option<Heard<O::Item>>, Error> {
    Ok(events.next(wait).map_err(Error::Io)?.map(|event| match event {
        Event::Message { message, .. } => match object.notice(&message) {
            Ok(notice) => Heard::Notice(notice),
            Err(error) => Heard::Lost(Loss::Undecodable(error)),
        },
        Event::Loss(loss) => Heard::Lost(loss),
    }))
}

/// What came of listing a table.
struct List<O: Object> {
    mirror: Mirror<O>,
    /// The table changed under every attempt.
    interrupted: bool,
    losses: Vec<Loss>,
}

/// Lists a table, again if it changes under the dump, calling `between` now and then.
fn list<O: Object>(
    connection: &mut Connection,
    object: &mut O,
    request: &O::List,
    mut between: impl FnMut(&mut O) -> Result<(), Error>,
) -> Result<List<O>, Error> {
    let mut attempt = 1;
    loop {
        let mut list = List { mirror: Mirror::default(), interrupted: false, losses: Vec::new() };
        for (index, item) in connection.dump(request)?.enumerate() {
            match item {
                Ok(item) if object.covers(&item) => drop(list.mirror.put(item)),
                Ok(_) => {}
                Err(Error::Lost(Loss::Interrupted)) => list.interrupted = true,
                Err(Error::Lost(loss)) => list.losses.push(loss),
                Err(error) => return Err(error),
            }
            if index % STRIDE == STRIDE - 1 {
                between(object)?;
            }
        }
        between(object)?;
        if !list.interrupted || attempt == ATTEMPTS {
            return Ok(list);
        }
        attempt += 1;
    }
}

impl<O: Object> AsFd for Watch<O> {
    /// The event socket's descriptor: when it is readable, [`Watch::next`] has something to do.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }
}

impl<O: Object> fmt::Debug for Watch<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("events", &self.events)
            .field("entries", &self.mirror.len())
            .field("listed", &self.listed)
            .field("stale", &self.stale)
            .finish_non_exhaustive()
    }
}
