//! Namespaces and their ids: which there are, which is which, which have ended.

use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use nl_route::nsid::{AssignNsid, GetNsid, ListNsids, NsidTarget};
use nl_socket::netns::NetnsId;
use nl_socket::{Error, Loss, Netns, Ring, Socket};

use super::{Consumer, Doing, Key, Namespace, NamespaceError, OWN, Strategy, Told, follow};
use crate::object::Object;

/// Slots of the ring of one namespace's socket, of which there may be many, and their bytes.
const RING: (usize, usize) = (4, 64 * 1024);

/// Opens a namespace by one of the files that were it; `None` if none of them is any more.
pub(super) fn open(id: Option<NetnsId>, paths: &[PathBuf]) -> Option<Netns> {
    let is_it = |netns: &Netns| netns.id().ok() == id;
    paths.iter().filter_map(|path| Netns::path(path).ok()).find(is_it)
}

fn target(netns: &Netns) -> NsidTarget {
    NsidTarget::Fd(netns.as_fd().as_raw_fd())
}

impl<O: Object + Clone> Consumer<O> {
    /// Looks for namespaces that are new, and for those to which nothing leads any more.
    pub(super) fn scan(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        self.rescan = false;
        self.discovery.scan_mounts().map_err(Error::Io)?;
        if self.options.processes && self.next_scan <= now {
            self.discovery.scan_processes().map_err(Error::Io)?;
        }
        if self.next_scan <= now {
            self.next_scan = now.checked_add(self.options.scan).unwrap_or(now);
        }
        let mut found = self.discovery.found();
        let known: Vec<_> = self.by_id.iter().map(|(id, key)| (*id, *key)).collect();
        for (id, key) in known {
            let paths = found.remove(&id).unwrap_or_default();
            let Some(slot) = self.slots.get_mut(&key) else { continue };
            // Without an id nobody tells its end; and a socket of ours would keep it from ending.
            let silent = slot.events.is_some() || slot.namespace.nsid.is_none();
            if paths.is_empty() && silent && key != OWN {
                self.end(key);
            } else if !paths.is_empty() && slot.namespace.paths != paths {
                // What led to it last still says what it was, as long as it lives.
                Arc::make_mut(&mut slot.namespace).paths = paths;
            }
        }
        for (id, paths) in found {
            self.meet(id, paths);
        }
        Ok(())
    }

    /// Takes in a namespace that was not known.
    fn meet(&mut self, id: NetnsId, paths: Vec<PathBuf>) {
        let Some(netns) = open(Some(id), &paths) else { return };
        let mut namespace = Namespace { own: false, id: Some(id), nsid: None, paths };
        match self.route.get(GetNsid { of: target(&netns) }) {
            Ok(nsid) => namespace.nsid = nsid.id,
            Err(source) => {
                let error = NamespaceError { doing: Doing::Ask, source };
                let namespace = Arc::new(namespace);
                return self.queue.push_back(Told::Failed { namespace, error });
            }
        }
        let (mut error, shared) = (None, self.options.strategy == Strategy::Shared);
        if shared && namespace.nsid.is_none() {
            match self.assign(&netns) {
                Ok(nsid) => namespace.nsid = nsid,
                Err(source) => error = Some(NamespaceError { doing: Doing::Assign, source }),
            }
        }
        if let Some(key) = namespace.nsid.and_then(|nsid| self.by_nsid.get(&nsid).copied()) {
            return self.identify(key, namespace);
        }
        let mut events = None;
        if !shared || namespace.nsid.is_none() {
            let socket = Socket::open_in(O::FAMILY.0, &netns);
            match socket.and_then(|socket| {
                let ring = Ring::new(RING.0, RING.1);
                follow::<O>(socket, &self.options, self.valve.as_ref(), ring)
            }) {
                Ok(own) => (events, error) = (Some(own), None),
                Err(failure) => error = Some(NamespaceError::io(Doing::Enter)(failure)),
            }
        }
        match self.add(namespace, events) {
            Ok(key) => {
                if let Some(error) = error {
                    self.give_up(key);
                    self.fail(key, error);
                }
            }
            Err(_) => self.rescan = true,
        }
    }

    /// What was known by its id alone has a path now.
    fn identify(&mut self, key: Key, namespace: Namespace) {
        let Some(slot) = self.slots.get_mut(&key) else { return };
        let Some(id) = namespace.id.filter(|_| slot.namespace.id.is_none()) else {
            // The one that had this id has ended; it will be told.
            return self.rescan_soon();
        };
        slot.namespace = Arc::new(namespace);
        slot.unlistable = false;
        slot.engine.relist();
        self.by_id.insert(id, key);
        self.queue.push_back(Told::Found(Arc::clone(&slot.namespace)));
    }

    /// Gives a namespace an id, if nobody else was faster.
    fn assign(&mut self, netns: &Netns) -> Result<Option<i32>, Error> {
        let assigned = self.route.run(AssignNsid { to: target(netns), id: None });
        let nsid = self.route.get(GetNsid { of: target(netns) })?.id;
        match assigned {
            Err(error) if nsid.is_none() => Err(error),
            _ => Ok(nsid),
        }
    }

    /// The namespace that an event is of.
    pub(super) fn of_nsid(&mut self, nsid: Option<i32>) -> Option<Key> {
        let Some(nsid) = nsid else { return Some(OWN) };
        match self.by_nsid.get(&nsid) {
            Some(key) => Some(*key),
            None => self.met_id(nsid),
        }
    }

    /// An id was given, perhaps by others: finds out to whom.
    pub(super) fn met_id(&mut self, nsid: i32) -> Option<Key> {
        if !self.by_nsid.contains_key(&nsid) && self.scan().is_err() {
            self.rescan = true;
        }
        if let Some(key) = self.by_nsid.get(&nsid) {
            return Some(*key);
        }
        let namespace = Namespace { nsid: Some(nsid), ..Namespace::default() };
        let key = self.add(namespace, None).ok()?;
        self.give_up(key);
        Some(key)
    }

    /// An id is free again. If its namespace still has it, that was about one before.
    pub(super) fn released(&mut self, nsid: i32) {
        let Some(&key) = self.by_nsid.get(&nsid) else { return };
        let Some(slot) = self.slots.get(&key) else { return };
        if let Some(netns) = open(slot.namespace.id, &slot.namespace.paths) {
            let now = self.route.get(GetNsid { of: target(&netns) });
            if now.is_ok_and(|now| now.id == Some(nsid)) {
                return;
            }
        }
        self.end(key);
    }

    /// Asks which ids there are, and who has them: at first, and when events of ids were lost.
    pub(super) fn read_ids(&mut self) -> Result<(), Error> {
        let mut ids = Vec::new();
        loop {
            let mut interrupted = false;
            for nsid in self.route.dump(ListNsids::default())? {
                match nsid {
                    Ok(nsid) => ids.extend(nsid.id),
                    Err(Error::Lost(Loss::Interrupted)) => interrupted = true,
                    Err(error) => return Err(error),
                }
            }
            if !interrupted {
                break;
            }
            ids.clear();
        }
        let known: Vec<_> = self.by_nsid.keys().copied().collect();
        for nsid in known {
            self.released(nsid);
        }
        for slot in self.slots.values_mut().filter(|slot| !slot.unlistable) {
            slot.engine.relist();
        }
        for nsid in ids {
            self.met_id(nsid);
        }
        Ok(())
    }
}
