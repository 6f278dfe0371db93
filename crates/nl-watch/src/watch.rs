//! Subscribe, list, merge, follow; on loss list again and tell the difference.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use nl_socket::{Connection, Error, Event, Events, Netns, Socket, Trace, Wait};

use crate::engine::{Counters, Engine, Item};
use crate::mirror::{Budget, Change, Mirror};
use crate::object::{Object, protocol};
use crate::pressure::{EventFilter, Governor, GovernorOptions, Level, Valve};

/// How many entries are listed between two looks at the events.
pub(crate) const STRIDE: usize = 128;

/// The receive buffer that a [`Watch`] and a [`Consumer`](crate::Consumer) ask for, in bytes: room
/// for some thousand events. The kernel may grant less ([`Socket::set_receive_buffer`]).
pub const RECEIVE_BUFFER: usize = 8 << 20;

/// Keeps a [`Mirror`] of one of the kernel's tables, and tells every change.
///
/// Events come first: the sockets are subscribed before the table is listed, and what arrives
/// meanwhile is applied behind the list. When events are lost, when a dump is interrupted, or when
/// the kernel is known to change entries without announcing it, the table is listed again and
/// exactly the differences are told. A list that can't be trusted removes nothing from the mirror
/// and is repeated after a pause that grows.
///
/// Where events can be filtered in the kernel ([`Object::GATE`]: tracked connections) and are more
/// than [`GovernorOptions`] allow, fewer entries are followed until the load falls
/// ([`Item::Filtered`]); see [`Watch::set_pressure`].
///
/// Pull-based: nothing happens outside [`Watch::next`]. No thread is started, unless by
/// [`Watch::spawn`].
///
/// ```no_run
/// use nl_socket::Wait;
/// use nl_watch::{Item, Routes, Watch};
///
/// let mut watch = Watch::open(Routes::default())?;
/// while let Some(item) = watch.next(Wait::Forever)? {
///     match item {
///         Item::Change(change) => println!("{change:?}"),
///         Item::Lost(loss) => eprintln!("{loss}"),
///         other => eprintln!("{other:?}, {} routes", watch.mirror().len()),
///     }
/// }
/// # Ok::<(), nl_socket::Error>(())
/// ```
pub struct Watch<O: Object> {
    engine: Engine<O>,
    events: Events,
    connection: Connection,
    valve: Option<Valve>,
    /// The last call of [`Watch::next`] gave an item.
    more: bool,
}

impl<O: Object> Watch<O> {
    /// Watches a table of the calling thread's network namespace.
    ///
    /// # Errors
    /// If the sockets can't be opened or the groups not be joined ([`Error::is_permission`]).
    pub fn open(object: O) -> Result<Self, Error> {
        let events = Events::open(O::FAMILY, O::GROUPS).map_err(Error::Io)?;
        Ok(Self::new(object, events, Connection::open(O::FAMILY)?).governed())
    }

    /// Watches a table of another network namespace.
    ///
    /// # Errors
    /// As [`Watch::open`], and if the namespace can't be entered.
    pub fn open_in(object: O, netns: &Netns) -> Result<Self, Error> {
        let events = Events::open_in(O::FAMILY, netns, O::GROUPS).map_err(Error::Io)?;
        Ok(Self::new(object, events, Connection::open_in(O::FAMILY, netns)?).governed())
    }

    /// Watches with sockets of the caller's, which may have sized their buffers. Both must be of one
    /// namespace; `events` must have joined the object's groups. Its filter is the caller's: there is
    /// no overload control before [`Watch::set_pressure`].
    pub fn new(object: O, events: Events, connection: Connection) -> Self {
        Self { engine: Engine::new(object), events, connection, valve: None, more: false }
    }

    fn governed(self) -> Self {
        // Less room means more losses, which are told.
        let _ = self.events.socket().set_receive_buffer(RECEIVE_BUFFER);
        let valve = Valve::new::<O>(Some(GovernorOptions::default()));
        Self { valve, ..self }
    }

    /// How many events may come before fewer entries are followed; `None`: they may overrun the
    /// queue, and whoever reads. Without effect on tables whose events can't be filtered.
    ///
    /// Takes the place of a filter of the caller's.
    ///
    /// # Errors
    /// As [`Socket::attach_filter`] and [`Socket::detach_filter`].
    pub fn set_pressure(&mut self, options: Option<GovernorOptions>) -> Result<(), Error> {
        let socket = self.events.socket();
        let narrow = self.engine.filter().level() != Level::Everything;
        self.valve = Valve::new::<O>(options);
        let filter = match &self.valve {
            Some(valve) => *valve.governor().filter(),
            None => EventFilter::open(0),
        };
        if filter.level() != Level::Everything {
            filter.attach(socket).map_err(Error::Io)?;
        } else if narrow {
            socket.detach_filter().map_err(Error::Io)?;
        }
        self.engine.set_filter(filter);
        Ok(())
    }

    /// Overload control, to read how much passes; `None` where there is none.
    pub fn governor(&self) -> Option<&Governor> {
        self.valve.as_ref().map(Valve::governor)
    }

    /// Which entries are followed: all, or what overload control lets pass.
    pub fn filter(&self) -> &EventFilter {
        self.engine.filter()
    }

    /// Calls `tracer` for every message, events and lists.
    pub fn set_tracer(&mut self, tracer: fn(&Trace<'_>)) {
        self.events.set_tracer(Box::new(tracer), protocol(O::FAMILY));
        self.connection.set_tracer(Some(Box::new(tracer)));
    }

    /// The table as far as it is known.
    pub fn mirror(&self) -> &Mirror<O> {
        self.engine.mirror()
    }

    /// Whether the mirror is right up to the last event received: nothing was lost since the last
    /// list, that list held every entry, there was room for all, and every change was told. Under
    /// overload control that is said of the entries that [`Watch::filter`] lets pass.
    pub fn is_converged(&self) -> bool {
        self.engine.is_converged()
    }

    /// Whether entries are missing because the mirror has reached its [`Budget`].
    pub fn is_full(&self) -> bool {
        self.engine.is_full()
    }

    /// What befell the mirror.
    pub fn counters(&self) -> Counters {
        self.engine.counters()
    }

    /// When the last event came.
    pub fn last_event(&self) -> Option<Instant> {
        self.engine.last_event()
    }

    /// When the last list ended that could be trusted.
    pub fn last_list(&self) -> Option<Instant> {
        self.engine.last_list()
    }

    /// How long ago the kernel told of the table last, see [`Engine::age`].
    pub fn age(&self) -> Option<Duration> {
        self.engine.age(Instant::now())
    }

    /// Bounds the mirror; without this it grows with the table.
    pub fn set_budget(&mut self, budget: Budget) {
        self.engine.set_budget(budget);
    }

    /// How often the table is listed though nothing hints at a change; the default is
    /// [`Object::RELIST`].
    pub fn set_relist(&mut self, every: Option<Duration>) {
        self.engine.set_relist(every);
    }

    /// The event socket, to size its buffer or see its counters.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// The connection that lists, to set its timeout or tracer.
    pub fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// When [`Watch::next`] has something to do though the descriptor is not readable: at once, if its
    /// last call gave an item, for there may be more; `None`: not before it is.
    pub fn deadline(&self) -> Option<Instant> {
        let now = Instant::now();
        if self.more {
            return Some(now);
        }
        let list = self.engine.until_list(now).and_then(|left| now.checked_add(left));
        list.into_iter().chain(self.valve.as_ref().and_then(Valve::deadline)).min()
    }

    /// The next item; `None` if there is none within `wait`. The first call lists the table,
    /// whatever `wait` says: a list is bounded by the connection's timeout.
    ///
    /// # Errors
    /// If a socket fails or the kernel refuses the list. A list is tried again after a pause.
    pub fn next(&mut self, wait: Wait) -> Result<Option<Item<O::Item>>, Error> {
        self.more = false;
        let item = self.wait(wait)?;
        self.more = item.is_some();
        Ok(item)
    }

    fn wait(&mut self, wait: Wait) -> Result<Option<Item<O::Item>>, Error> {
        loop {
            if let Some(item) = self.engine.next() {
                return Ok(Some(item));
            }
            let now = Instant::now();
            if govern(&mut self.engine, self.events.socket(), self.valve.as_mut(), now)? {
                continue;
            }
            let left = self.engine.until_list(now);
            if left == Some(Duration::ZERO) && self.engine.is_impatient() {
                self.list()?;
                continue;
            }
            let decide = self.valve.as_ref().and_then(Valve::deadline);
            let decide = decide.map(|time| time.saturating_duration_since(now));
            let until = left.into_iter().chain(decide).min();
            if let Some(event) = self.events.next(sooner(wait, until, now)).map_err(Error::Io)? {
                hear(&mut self.engine, &event, self.valve.as_mut());
                continue;
            }
            self.engine.caught_up();
            if left == Some(Duration::ZERO) {
                self.list()?;
            } else if is_over(wait) {
                return Ok(None);
            }
        }
    }

    /// Lists the table again with the next call of [`Watch::next`], and tells the difference: for
    /// what the kernel changes without announcing it.
    pub fn relist(&mut self) {
        self.engine.relist();
    }

    /// Lists the table once more, aside, and compares: what the mirror lacks or has too much. Events
    /// still queued are applied first, and told by the next calls of [`Watch::next`].
    ///
    /// Takes the memory of a second mirror. Of use only where the table is at rest.
    ///
    /// # Errors
    /// As [`Watch::next`]; [`Loss::Interrupted`](nl_socket::Loss::Interrupted) if the table is not at rest.
    pub fn compare(&mut self) -> Result<Vec<Change<O::Item>>, Error> {
        let mut list = Mirror::<O>::default();
        self.engine.object().settle(&mut self.connection)?;
        for item in self.connection.dump(self.engine.object().list())? {
            let item = item?;
            if self.engine.follows(&item) {
                list.put(item);
            } else if let Some(held) = self.engine.held(&item) {
                // Its end is told, and nothing else.
                list.put(held.clone());
            }
        }
        while let Some(event) = self.events.next(Wait::Never).map_err(Error::Io)? {
            hear(&mut self.engine, &event, self.valve.as_mut());
        }
        Ok(self.engine.mirror().difference(&list))
    }

    fn list(&mut self) -> Result<(), Error> {
        let (events, valve) = (&mut self.events, &mut self.valve);
        read_list(&mut self.engine, &mut self.connection, |engine| {
            let mut all = false;
            // Without room, events wait in the socket's queue, which tells if it overruns.
            while !all && engine.has_room() {
                match events.next(Wait::Never).map_err(Error::Io)? {
                    Some(event) => hear(engine, &event, valve.as_mut()),
                    None => all = true,
                }
            }
            govern(engine, events.socket(), valve.as_mut(), Instant::now())?;
            Ok(all)
        })
    }
}

/// Takes in an event, and counts it.
fn hear<O: Object>(engine: &mut Engine<O>, event: &Event<'_>, valve: Option<&mut Valve>) {
    if let Some(valve) = valve {
        valve.count(event);
    }
    engine.hear(event, Instant::now());
}

/// Lets more or less pass, if it is time to; whether it did.
fn govern<O: Object>(
    engine: &mut Engine<O>,
    socket: &Socket,
    valve: Option<&mut Valve>,
    now: Instant,
) -> Result<bool, Error> {
    let Some(filter) = valve.and_then(|valve| valve.poll(now)) else { return Ok(false) };
    filter.attach(socket).map_err(Error::Io)?;
    engine.set_filter(filter);
    Ok(true)
}

/// Lists a table into its engine, calling `between` now and then and at the end: it hears events, and
/// says whether these were all.
pub(crate) fn read_list<O: Object>(
    engine: &mut Engine<O>,
    connection: &mut Connection,
    mut between: impl FnMut(&mut Engine<O>) -> Result<bool, Error>,
) -> Result<(), Error> {
    engine.begin(Instant::now());
    let mut read = || -> Result<bool, Error> {
        engine.object().settle(connection)?;
        for (index, item) in connection.dump(engine.object().list())?.enumerate() {
            match item {
                Ok(item) => engine.listed(item),
                Err(Error::Lost(loss)) => engine.list_lost(loss),
                Err(error) => return Err(error),
            }
            if index % STRIDE == STRIDE - 1 {
                between(engine)?;
            }
        }
        between(engine)
    };
    let result = read();
    match result {
        Ok(_) => engine.end(Instant::now()),
        Err(_) => engine.fail(Instant::now()),
    }
    if result? {
        engine.caught_up();
    }
    Ok(())
}

/// Until `wait` is over, or until `left` has passed since `now`, whichever is sooner.
pub(crate) fn sooner(wait: Wait, left: Option<Duration>, now: Instant) -> Wait {
    let Some(end) = left.and_then(|left| now.checked_add(left)) else { return wait };
    match wait {
        Wait::Never => Wait::Never,
        Wait::Forever => Wait::Until(end),
        Wait::Until(time) => Wait::Until(time.min(end)),
    }
}

/// Whether the time of `wait` is over.
pub(crate) fn is_over(wait: Wait) -> bool {
    match wait {
        Wait::Never => true,
        Wait::Forever => false,
        Wait::Until(time) => time <= Instant::now(),
    }
}

impl<O: Object> AsFd for Watch<O> {
    /// The event socket's descriptor: when it is readable, or [`Watch::deadline`] has passed,
    /// [`Watch::next`] has something to do.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }
}

impl<O: Object> fmt::Debug for Watch<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("engine", &self.engine)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}
