//! One table of every network namespace of a host.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nl_route::Group;
use nl_socket::netns::NetnsId;
use nl_socket::{
    Connection, Error, Events, NetlinkOption, Netns, Poller, Received, Ring, Socket, Wait,
};
use nl_wire::value::Family;

use crate::engine::Engine;
use crate::object::{Object, protocol};
use crate::pressure::{Governor, Valve};
use crate::watch::{is_over, sooner};

mod discovery;
mod ids;
mod list;
mod namespace;
mod shared;
mod told;

use discovery::Discovery;
pub use namespace::{Doing, Namespace, NamespaceError};
use shared::Shared;
pub use told::{Options, Strategy, Told};

/// A namespace and what is known of its table.
struct Slot<O: Object> {
    namespace: Arc<Namespace>,
    engine: Engine<O>,
    /// Its own socket, if its events do not come by the shared one.
    events: Option<Events>,
    /// It can't be entered, so it is never listed.
    unlistable: bool,
    /// It waits in [`Consumer::ready`].
    is_ready: bool,
}

type Key = u64;

/// The slot of the consumer's own namespace.
const OWN: Key = 0;

/// What the poller calls the other descriptors.
const SHARED: u64 = u64::MAX;
const IDS: u64 = u64::MAX - 1;
const MOUNTS: u64 = u64::MAX - 2;

/// How often in a row events come before lists and scans that are due.
const TURNS: u32 = 64;

/// When to look again for what was not to be found.
const SOON: Duration = Duration::from_millis(10);

/// How many events of one socket are heard before those of others.
const SHARE: usize = 256;

/// Keeps a mirror of one table for every network namespace of the host: its own, those mounted
/// (ip-netns(8), container runtimes), those of processes, and with [`Strategy::Shared`] those with
/// an id.
///
/// Each namespace is subscribed first, then listed, then followed, as by a
/// [`Watch`](crate::Watch). Every event is told with the [`Namespace`] that it is of; where that
/// can't be known, which takes an id that changes hands, that is an item.
///
/// Pull-based: nothing happens outside [`Consumer::next`]; no thread is left running.
///
/// ```no_run
/// use nl_socket::Wait;
/// use nl_watch::consumer::{Consumer, Options, Told};
/// use nl_watch::Flows;
///
/// let mut consumer = Consumer::open(Flows::default(), Options::default())?;
/// while let Some(told) = consumer.next(Wait::Forever)? {
///     match told {
///         Told::Item { namespace, item } => println!("{namespace}: {item:?}"),
///         Told::Failed { namespace, error } => eprintln!("{namespace}: {error}"),
///         other => println!("{other:?}"),
///     }
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Consumer<O: Object> {
    prototype: O,
    options: Options,
    slots: BTreeMap<Key, Slot<O>>,
    by_id: BTreeMap<NetnsId, Key>,
    by_nsid: BTreeMap<i32, Key>,
    next_key: Key,
    queue: VecDeque<Told<O::Item>>,
    ready: VecDeque<Key>,
    shared: Option<Shared>,
    /// The events of ids, …
    ids: Events,
    /// … what asks for them and gives them, …
    route: Connection,
    /// … and what lists the own table.
    own: Option<Connection>,
    poller: Poller,
    tokens: Vec<u64>,
    /// Those whose sockets may have more to say, readable or not: what was received with other
    /// events, or a loss.
    unread: Vec<Key>,
    /// What wakes who waits for the poller, when mounts change. Being waited for takes that away, so
    /// that a caller who waits for our descriptor leaves none of it to us …
    mounts: File,
    /// … but we have one of our own, to see that they did.
    mounts_changed: Poller,
    mounts_seen: File,
    discovery: Discovery,
    valve: Option<Valve>,
    /// What was received by sockets that are no more.
    received: Received,
    /// Look for namespaces again, …
    rescan: bool,
    /// … in any case at this time.
    next_scan: Instant,
    turns: u32,
    /// The last call gave an item.
    more: bool,
    /// The filter lets more pass, and what was queued before has not been heard.
    undrained: bool,
}

impl<O: Object + Clone> Consumer<O> {
    /// Consumes the table of the calling thread's namespace and of all others that are found;
    /// `prototype` says which part of each.
    ///
    /// # Errors
    /// With what would help, if the sockets can't be opened, or events of other namespaces not be
    /// heard.
    pub fn open(prototype: O, options: Options) -> Result<Self, NamespaceError> {
        let subscribe = NamespaceError::io(Doing::Subscribe);
        let ask = NamespaceError::io(Doing::Ask);
        let netns = Netns::current().and_then(|own| own.id()).map_err(&ask)?;
        let mut ids = Events::open(Family::ROUTE, &[Group::NSID.0]).map_err(&ask)?;
        let mut route = Connection::open(Family::ROUTE).map_err(NamespaceError::new(Doing::Ask))?;
        let mut own = Connection::open(O::FAMILY).map_err(NamespaceError::new(Doing::List))?;
        if let Some(tracer) = options.tracer {
            ids.set_tracer(Box::new(tracer), protocol(Family::ROUTE));
            route.set_tracer(Some(Box::new(tracer)));
            own.set_tracer(Some(Box::new(tracer)));
        }
        let socket = Socket::open(O::FAMILY.0).map_err(&subscribe)?;
        if options.strategy == Strategy::Shared {
            let hear = NamespaceError::io(Doing::Hear);
            socket.set_option(NetlinkOption::ListenAllNsid, true).map_err(hear)?;
        }
        let valve = Valve::new::<O>(options.pressure);
        let ring = Ring::default();
        let events = follow::<O>(socket, &options, valve.as_ref(), ring);
        let events = events.map_err(&subscribe)?;
        let poller = Poller::new().map_err(&subscribe)?;
        let mounts = Discovery::open_mounts().map_err(&ask)?;
        let mounts_seen = Discovery::open_mounts().map_err(&ask)?;
        let mounts_changed = Poller::new().map_err(&subscribe)?;
        mounts_changed.add_urgent(&mounts_seen, MOUNTS).map_err(&subscribe)?;
        poller.add(&ids, IDS).map_err(&subscribe)?;
        poller.add_urgent(&mounts, MOUNTS).map_err(&subscribe)?;
        let (shared, events) = match options.strategy {
            Strategy::Shared => (Some(Shared::new(events)), None),
            Strategy::Separate => (None, Some(events)),
        };
        if let Some(shared) = &shared {
            poller.add(shared, SHARED).map_err(&subscribe)?;
        }
        let mut consumer = Self {
            prototype,
            options,
            slots: BTreeMap::new(),
            by_id: BTreeMap::new(),
            by_nsid: BTreeMap::new(),
            next_key: OWN,
            queue: VecDeque::new(),
            ready: VecDeque::new(),
            shared,
            ids,
            route,
            own: Some(own),
            poller,
            tokens: Vec::new(),
            unread: Vec::new(),
            mounts,
            mounts_changed,
            mounts_seen,
            discovery: Discovery::new(netns),
            valve,
            received: Received::default(),
            rescan: true,
            next_scan: Instant::now(),
            turns: 0,
            more: false,
            undrained: false,
        };
        let own = Namespace { own: true, id: Some(netns), ..Namespace::default() };
        consumer.add(own, events).map_err(&subscribe)?;
        consumer.read_ids().map_err(NamespaceError::new(Doing::Ask))?;
        Ok(consumer)
    }

    /// The next item; `None` if there is none within `wait`. Lists that are due are read whatever
    /// `wait` says.
    ///
    /// # Errors
    /// If a socket that serves all namespaces fails. What befalls a single one is an item.
    pub fn next(&mut self, wait: Wait) -> Result<Option<Told<O::Item>>, Error> {
        self.more = false;
        let told = self.wait(wait)?;
        self.more = told.is_some();
        Ok(told)
    }

    fn wait(&mut self, wait: Wait) -> Result<Option<Told<O::Item>>, Error> {
        loop {
            if let Some(told) = self.pop() {
                return Ok(Some(told));
            }
            let heard = self.pump()?;
            self.undrained &= heard;
            if !heard {
                self.slots.values_mut().for_each(|slot| slot.engine.caught_up());
            }
            if heard && self.turns < TURNS {
                self.turns += 1;
                continue;
            }
            self.turns = 0;
            self.mounts_changed.wait(Wait::Never, &mut self.tokens).map_err(Error::Io)?;
            self.rescan |= !self.tokens.is_empty();
            let now = Instant::now();
            if self.govern(now)? {
                continue;
            }
            if self.rescan || self.next_scan <= now {
                self.scan()?;
                continue;
            }
            if let Some(key) = self.due(now).filter(|_| !self.undrained) {
                self.list(key)?;
                continue;
            }
            if !self.queue.is_empty() || !self.ready.is_empty() {
                continue;
            }
            let left = self.until_due(now);
            self.poller.wait(sooner(wait, Some(left), now), &mut self.tokens).map_err(Error::Io)?;
            if self.tokens.is_empty() && is_over(wait) {
                return Ok(None);
            }
        }
    }

    /// When [`Consumer::next`] has something to do though the descriptor is not readable: at once, if
    /// its last call gave an item, for there may be more.
    pub fn deadline(&self) -> Instant {
        let now = Instant::now();
        if self.more {
            return now;
        }
        now.checked_add(self.until_due(now)).unwrap_or(now)
    }

    /// Every namespace known, and what is known of its table.
    pub fn namespaces(&self) -> impl Iterator<Item = (&Arc<Namespace>, &Engine<O>)> {
        self.slots.values().map(|slot| (&slot.namespace, &slot.engine))
    }

    /// What is known of the table of a namespace; `None` if it is no more.
    ///
    /// What is told in the end of one that is gone ([`Told::Item`]s before [`Told::Gone`]) comes when
    /// its table is known no longer.
    pub fn engine(&self, namespace: &Namespace) -> Option<&Engine<O>> {
        let key = match (namespace.own, namespace.id, namespace.nsid) {
            (true, ..) => &OWN,
            (false, Some(id), _) => self.by_id.get(&id)?,
            (false, None, nsid) => self.by_nsid.get(&nsid?)?,
        };
        Some(&self.slots.get(key)?.engine)
    }

    /// Whether the tables of all namespaces that can be entered are right up to the last event
    /// received. Those that can't are told by [`Told::Failed`], or have no path, and their engines
    /// are never converged.
    pub fn is_converged(&self) -> bool {
        !self.rescan
            && self.queue.is_empty()
            && self.slots.values().all(|slot| slot.unlistable || slot.engine.is_converged())
    }

    /// How many processes could not be asked for their namespace, for want of `CAP_SYS_PTRACE`.
    pub fn hidden_processes(&self) -> usize {
        self.discovery.hidden()
    }

    /// The shared event socket, or that of the own namespace: to see its counters, exchange its
    /// filter. See [`Consumer::sockets`] for all.
    pub fn events(&self) -> Option<&Events> {
        match &self.shared {
            Some(shared) => Some(shared.events()),
            None => self.slots.get(&OWN)?.events.as_ref(),
        }
    }

    /// Every event socket: one, or with [`Strategy::Separate`] one for each namespace that can be
    /// entered. To see their queues and drop counters.
    pub fn sockets(&self) -> impl Iterator<Item = &Socket> {
        let separate = self.slots.values().filter_map(|slot| slot.events.as_ref());
        separate.chain(self.shared.as_ref().map(Shared::events)).map(Events::socket)
    }

    /// Overload control, to read how much passes; `None` where there is none.
    pub fn governor(&self) -> Option<&Governor> {
        self.valve.as_ref().map(Valve::governor)
    }

    /// How much all event sockets received so far.
    pub fn received(&self) -> Received {
        let mut all = self.received;
        let own = self.slots.values().filter_map(|slot| slot.events.as_ref());
        own.chain(self.shared.as_ref().map(Shared::events)).for_each(|it| all += it.received());
        all
    }

    /// Looks for namespaces with the next call of [`Consumer::next`].
    pub fn rescan(&mut self) {
        self.rescan = true;
    }

    /// Lists the tables of all namespaces again, and tells the differences.
    pub fn relist(&mut self) {
        for slot in self.slots.values_mut() {
            slot.engine.relist();
        }
    }

    /// Looks for namespaces a little later: what is to be found is about to change.
    fn rescan_soon(&mut self) {
        let soon = Instant::now().checked_add(SOON);
        self.next_scan = soon.map_or(self.next_scan, |soon| soon.min(self.next_scan));
    }

    fn pop(&mut self) -> Option<Told<O::Item>> {
        if let Some(told) = self.queue.pop_front() {
            return Some(told);
        }
        while let Some(key) = self.ready.front() {
            if let Some(slot) = self.slots.get_mut(key) {
                if let Some(item) = slot.engine.next() {
                    return Some(Told::Item { namespace: Arc::clone(&slot.namespace), item });
                }
                slot.is_ready = false;
            }
            self.ready.pop_front();
        }
        None
    }

    /// Hears what there is to hear without waiting; whether there was anything.
    fn pump(&mut self) -> Result<bool, Error> {
        let mut any = self.pump_shared()?;
        if self.slots.values().all(|slot| slot.events.is_none()) {
            return Ok(any);
        }
        let mut tokens = std::mem::take(&mut self.tokens);
        self.poller.wait(Wait::Never, &mut tokens).map_err(Error::Io)?;
        let unread = std::mem::take(&mut self.unread);
        for key in tokens.iter().chain(unread.iter().filter(|key| !tokens.contains(key))) {
            any |= self.pump_slot(*key)?;
        }
        self.tokens = tokens;
        Ok(any)
    }

    /// Hears what a socket of a namespace's own has to say.
    fn pump_slot(&mut self, key: Key) -> Result<bool, Error> {
        let Some(slot) = self.slots.get_mut(&key) else { return Ok(false) };
        let Some(events) = &mut slot.events else { return Ok(false) };
        let mut heard = 0;
        while heard < SHARE {
            let Some(event) = events.next(Wait::Never).map_err(Error::Io)? else { break };
            if let Some(valve) = &mut self.valve {
                valve.count(&event);
            }
            slot.engine.hear(&event, Instant::now());
            heard += 1;
        }
        if heard == SHARE {
            self.unread.push(key);
        }
        self.has_items(key);
        Ok(heard > 0)
    }

    /// There may be something to tell of this namespace.
    fn has_items(&mut self, key: Key) {
        if let Some(slot) = self.slots.get_mut(&key) {
            if !std::mem::replace(&mut slot.is_ready, true) {
                self.ready.push_back(key);
            }
        }
    }

    fn add(&mut self, namespace: Namespace, events: Option<Events>) -> std::io::Result<Key> {
        let key = self.next_key;
        if let Some(events) = &events {
            self.poller.add(events, key)?;
        }
        self.next_key += 1;
        self.by_id.extend(namespace.id.map(|id| (id, key)));
        self.by_nsid.extend(namespace.nsid.map(|nsid| (nsid, key)));
        let namespace = Arc::new(namespace);
        let mut engine = Engine::new(self.prototype.clone());
        engine.set_budget(self.options.budget);
        if let Some(valve) = &self.valve {
            engine.set_filter(*valve.governor().filter());
        }
        self.queue.push_back(Told::Found(Arc::clone(&namespace)));
        let slot = Slot { namespace, engine, events, unlistable: false, is_ready: false };
        self.slots.insert(key, slot);
        Ok(key)
    }

    /// A namespace is no more: tells what is left to be told, then that.
    fn end(&mut self, key: Key) {
        let Some(mut slot) = self.slots.remove(&key) else { return };
        let namespace = slot.namespace;
        self.received += slot.events.map_or_else(Received::default, |it| it.received());
        self.by_id.retain(|_, other| *other != key);
        self.by_nsid.retain(|_, other| *other != key);
        while let Some(item) = slot.engine.next() {
            self.queue.push_back(Told::Item { namespace: Arc::clone(&namespace), item });
        }
        self.queue.push_back(Told::Gone { namespace, entries: slot.engine.mirror().len() });
    }

    /// A namespace that can't be listed.
    fn give_up(&mut self, key: Key) {
        if let Some(slot) = self.slots.get_mut(&key) {
            slot.unlistable = true;
            slot.engine.follow_only();
        }
    }

    /// Tells that something could not be done.
    fn fail(&mut self, key: Key, error: NamespaceError) {
        if error.is_permission() {
            self.give_up(key);
        }
        let Some(slot) = self.slots.get(&key) else { return };
        self.queue.push_back(Told::Failed { namespace: Arc::clone(&slot.namespace), error });
    }

    /// How long it is until a list or a scan is due.
    fn until_due(&self, now: Instant) -> Duration {
        let scan = self.next_scan.saturating_duration_since(now);
        let lists = self.slots.values().filter_map(|slot| slot.engine.until_list(now));
        let decide = self.valve.as_ref().and_then(Valve::deadline);
        let decide = decide.map(|time| time.saturating_duration_since(now));
        lists.chain(decide).fold(scan, Duration::min)
    }

    /// Lets more or less pass, in all namespaces, if it is time to; whether it did.
    fn govern(&mut self, now: Instant) -> Result<bool, Error> {
        let filter = self.valve.as_mut().and_then(|valve| valve.poll(now));
        let Some(filter) = filter else { return Ok(false) };
        // See `Engine::set_filter`.
        self.undrained = true;
        for socket in self.sockets() {
            filter.attach(socket).map_err(Error::Io)?;
        }
        let keys: Vec<Key> = self.slots.keys().copied().collect();
        for key in keys {
            if let Some(slot) = self.slots.get_mut(&key) {
                slot.engine.set_filter(filter);
                if slot.unlistable {
                    slot.engine.follow_only();
                }
            }
            self.has_items(key);
        }
        Ok(true)
    }

    /// A namespace whose list is due.
    fn due(&self, now: Instant) -> Option<Key> {
        let due = |slot: &Slot<O>| slot.engine.until_list(now) == Some(Duration::ZERO);
        self.slots.iter().find(|(_, slot)| due(slot)).map(|(key, _)| *key)
    }
}

/// Follows the events of an object on a socket, with the buffer that is wished and the filter that
/// all have.
fn follow<O: Object>(
    socket: Socket,
    options: &Options,
    valve: Option<&Valve>,
    ring: Ring,
) -> std::io::Result<Events> {
    if let Some(bytes) = options.receive_buffer {
        socket.set_receive_buffer(bytes)?;
    }
    if let Some(valve) = valve {
        valve.attach(&socket)?;
    }
    let mut events = Events::with_ring(socket, O::GROUPS, ring)?;
    if let Some(tracer) = options.tracer {
        events.set_tracer(Box::new(tracer), protocol(O::FAMILY));
    }
    Ok(events)
}

impl<O: Object> AsFd for Consumer<O> {
    /// One descriptor for all sockets: readable when there are events. [`Consumer::deadline`] must be
    /// heeded beside it.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.poller.as_fd()
    }
}

impl<O: Object> fmt::Debug for Consumer<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slots = self.slots.values().map(|slot| (&slot.namespace, &slot.engine));
        f.debug_struct("Consumer")
            .field("options", &self.options)
            .field("namespaces", &slots.collect::<Vec<_>>())
            .field("rescan", &self.rescan)
            .field("mounts", &(&self.mounts, &self.mounts_seen))
            .finish_non_exhaustive()
    }
}
