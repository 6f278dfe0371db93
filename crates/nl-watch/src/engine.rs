//! What makes a mirror right, without a socket: events and lists go in, items come out.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use nl_socket::{Event, Loss};

use crate::mirror::{Budget, Mirror, Outcome};
use crate::object::{Notice, Object};
use crate::pressure::{EventFilter, Level};

mod item;
mod list;

pub use item::{Counters, Item};
use list::{Found, Listing};

/// How often a mirror that is full is listed again: what was refused may be gone, unnoticed.
const FULL: Duration = Duration::from_secs(60);

/// How many events are heard, in hope of their end, before a list that is due begins: those that
/// tell of one cause shall cause one list.
const PATIENCE: u32 = 4096;

/// How much memory events may take that arrive while the table is listed, in bytes.
const BACKLOG: usize = 64 << 20;

/// What was heard.
#[derive(Debug)]
enum Heard<T> {
    Notice(Notice<T>),
    Lost(Loss),
}

/// The state machine behind [`Watch`](crate::Watch): keeps a [`Mirror`] right and tells every
/// change, but opens no socket and knows no clock.
///
/// Events are given to [`Engine::hear`] in their order, from before the first list on. When
/// [`Engine::until_list`] says so, and best when no event is left to be read, the table is listed:
/// [`Engine::begin`], each entry to [`Engine::listed`], each loss to [`Engine::list_lost`], then
/// [`Engine::end`], or [`Engine::fail`]. Events heard meanwhile are applied behind the list.
/// Whenever no event is left to be read [`Engine::caught_up`] should be told so, which saves lists.
/// [`Engine::next`] gives what there is to tell.
///
/// ```
/// use std::time::{Duration, Instant};
/// use nl_conntrack::{Flow, IpProtocol, Tuple};
/// use nl_watch::{Engine, Flows, Item};
///
/// let mut engine = Engine::new(Flows::default());
/// assert_eq!(engine.until_list(Instant::now()), Some(Duration::ZERO));
/// engine.begin(Instant::now());
/// let client = ("192.0.2.1".parse()?, 4000);
/// let server = ("192.0.2.2".parse()?, 53);
/// engine.listed(Flow::new(Tuple::with_ports(IpProtocol::UDP, client, server)));
/// engine.end(Instant::now());
/// assert!(matches!(engine.next(), Some(Item::Listed { entries: 1, .. })));
/// assert!(engine.is_converged());
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
pub struct Engine<O: Object> {
    object: O,
    mirror: Mirror<O>,
    filter: EventFilter,
    queue: VecDeque<Item<O::Item>>,
    backlog: Vec<Heard<O::Item>>,
    listing: Option<Listing>,
    found: Found,
    /// The first list was told.
    told: bool,
    /// The mirror may be wrong.
    stale: bool,
    /// The last list lacked entries that can't be decoded, or there is none.
    incomplete: bool,
    full: bool,
    /// Events may be queued that are older than the end of the last list.
    behind: bool,
    /// Events heard since a list is due.
    patience: u32,
    /// Lists in a row that failed or can't be trusted.
    failures: u32,
    not_before: Option<Instant>,
    relist: Option<Duration>,
    last_list: Option<Instant>,
    last_event: Option<Instant>,
    counters: Counters,
}

impl<O: Object> Engine<O> {
    /// An engine that knows nothing of the table yet.
    pub fn new(object: O) -> Self {
        Self {
            object,
            mirror: Mirror::default(),
            filter: EventFilter::open(0),
            queue: VecDeque::new(),
            backlog: Vec::new(),
            listing: None,
            found: Found::default(),
            told: false,
            stale: true,
            incomplete: false,
            full: false,
            behind: false,
            patience: PATIENCE,
            failures: 0,
            not_before: None,
            relist: O::RELIST,
            last_list: None,
            last_event: None,
            counters: Counters::default(),
        }
    }

    /// The table as far as it is known.
    pub fn mirror(&self) -> &Mirror<O> {
        &self.mirror
    }

    /// What is mirrored.
    pub fn object(&self) -> &O {
        &self.object
    }

    /// Which events pass: everything, unless [`Engine::set_filter`] said otherwise.
    pub fn filter(&self) -> &EventFilter {
        &self.filter
    }

    /// The event sockets have this filter now (see [`EventFilter::attach`]). Where less passes than
    /// before, entries whose end would not be told are forgotten; where more does, a list is due, not
    /// before all events that are queued now were heard, or [`Engine::is_impatient`].
    ///
    /// Of no effect for tables without [`Object::GATE`].
    pub fn set_filter(&mut self, filter: EventFilter) {
        let before = std::mem::replace(&mut self.filter, filter);
        // Where all passes the keys of the samplers mean nothing.
        let open = [before, filter].iter().all(|it| it.level() == Level::Everything);
        let Some(passes) = O::GATE.filter(|_| filter != before && !open) else { return };
        self.queue.push_back(Item::Filtered(filter));
        if !filter.deaths.covers(&before.deaths) {
            let gone = self.mirror.retain(|item| passes(&filter.deaths, item));
            self.counters.forgotten += gone.len() as u64;
            if self.told {
                self.queue.extend(gone.into_iter().map(Item::Forgotten));
            }
        }
        if !before.births.covers(&filter.births) {
            self.doubt();
            // An end that is still queued may be that of a flow whose successor was kept back: it
            // must be heard before the list that has the successor.
            self.patience = u32::MAX;
        }
    }

    /// Whether an entry's end is told, so that it may be held.
    fn ends(&self, item: &O::Item) -> bool {
        O::GATE.is_none_or(|passes| passes(&self.filter.deaths, item))
    }

    /// Whether an entry is followed from its beginning to its end: it belongs to what is watched, and
    /// the filter lets it pass.
    pub fn follows(&self, item: &O::Item) -> bool {
        let passes = O::GATE.is_none_or(|passes| passes(&self.filter.births, item));
        passes && self.object.covers(item)
    }

    /// What the mirror has of an entry that belongs to what is watched and whose end is told.
    pub(crate) fn held(&self, item: &O::Item) -> Option<&O::Item> {
        if !self.object.covers(item) || !self.ends(item) {
            return None;
        }
        self.mirror.get(&O::key(item)).iter().find(|other| O::is_same(other, item))
    }

    /// What befell the mirror.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Whether the mirror is right up to the last event heard: nothing was lost since the last list,
    /// that list held every entry, there was room for all, and every change was told.
    pub fn is_converged(&self) -> bool {
        let known = self.told && !self.stale && self.listing.is_none() && !self.incomplete;
        known && !self.full && self.queue.is_empty()
    }

    /// Whether the first list was told.
    pub fn is_listed(&self) -> bool {
        self.told
    }

    /// Whether entries are missing because there is no room for them.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// When the last event came.
    pub fn last_event(&self) -> Option<Instant> {
        self.last_event
    }

    /// When the last list ended that could be trusted.
    pub fn last_list(&self) -> Option<Instant> {
        self.last_list
    }

    /// How long ago the kernel told of the table last, by an event or by a list that could be trusted;
    /// `None` if never. Of a table at rest that is long, and the mirror right none the less.
    pub fn age(&self, now: Instant) -> Option<Duration> {
        let last = self.last_event.max(self.last_list)?;
        Some(now.saturating_duration_since(last))
    }

    /// Bounds the mirror. Entries that it holds stay, be they too many.
    pub fn set_budget(&mut self, budget: Budget) {
        self.mirror.set_budget(budget);
        if self.full {
            self.doubt();
        }
    }

    /// How often the table is listed though nothing hints at a change; the default is
    /// [`Object::RELIST`].
    pub fn set_relist(&mut self, every: Option<Duration>) {
        self.relist = every;
    }

    /// What there is to tell next.
    #[expect(clippy::should_implement_trait, reason = "there may be more after nothing")]
    pub fn next(&mut self) -> Option<Item<O::Item>> {
        self.queue.pop_front()
    }

    /// How long it is until the table should be listed, zero if now; `None` if nothing speaks for it.
    ///
    /// Lists never take more than half of the time, and after failures the pauses grow.
    pub fn until_list(&self, now: Instant) -> Option<Duration> {
        let due = match (self.listing, self.stale) {
            (Some(_), _) => return None,
            (None, true) => self.not_before,
            (None, false) => {
                let full = self.full.then_some(FULL);
                let relist = self.relist.into_iter().chain(full).min()?;
                Some(self.last_list?.checked_add(relist)?)
            }
        };
        Some(due.map_or(Duration::ZERO, |due| due.saturating_duration_since(now)))
    }

    /// Whether a list that is due should begin though there are events still to be heard.
    pub fn is_impatient(&self) -> bool {
        self.stale && self.patience == 0
    }

    /// Asks for a list: for what the kernel changes without announcing it.
    pub fn relist(&mut self) {
        self.object.forget();
        self.doubt();
    }

    /// Whether there is room for events during a list. Without, they should stay where they are, as
    /// those that are heard none the less make the list worthless.
    pub fn has_room(&self) -> bool {
        self.backlog.len() < BACKLOG / size_of::<Heard<O::Item>>()
    }

    /// No event is left to be read. During a list that means nothing.
    ///
    /// Before this was said, events may be older than the list that ended last. Of most that matters
    /// not: they say how an entry is, and the latest word of it is yet to come. But a replacement
    /// ([`Notice::Replace`]) does not say what it displaced: where that is not certain nothing is
    /// displaced, and the table is listed again.
    pub fn caught_up(&mut self) {
        self.behind = self.listing.is_some();
    }

    /// There is no way to list this table: tells what events tell, and is never converged.
    pub fn follow_only(&mut self) {
        (self.told, self.stale, self.incomplete, self.relist) = (true, false, true, None);
    }

    /// Takes in an event.
    pub fn hear(&mut self, event: &Event<'_>, now: Instant) {
        match event {
            Event::Message { message, .. } => {
                self.counters.events += 1;
                self.last_event = Some(now);
                self.patience = self.patience.saturating_sub(1);
                match self.object.notice(message) {
                    Ok(Notice::Nothing) => {}
                    Ok(notice) => self.take(Heard::Notice(notice)),
                    Err(error) => {
                        self.object.forget();
                        self.take(Heard::Lost(Loss::Undecodable(error)));
                    }
                }
            }
            Event::Loss(loss) => {
                self.object.forget();
                self.take(Heard::Lost(*loss));
            }
        }
    }

    fn take(&mut self, heard: Heard<O::Item>) {
        let has_room = self.has_room();
        let Some(listing) = &mut self.listing else {
            self.apply(heard, self.behind);
            return;
        };
        let removal = matches!(heard, Heard::Notice(Notice::Remove(_)));
        listing.upset |= removal && O::REMOVAL_UPSETS_LIST;
        if has_room {
            self.backlog.push(heard);
        } else {
            listing.upset = true;
        }
    }

    /// Brings the mirror up to date, and tells. `behind`: with what may be older than the last list.
    fn apply(&mut self, heard: Heard<O::Item>, behind: bool) {
        let outcome = match heard {
            Heard::Lost(loss) => {
                self.lose(loss);
                // A stranger's datagram takes nothing away.
                if !matches!(loss, Loss::Foreign { .. }) {
                    self.doubt();
                }
                return;
            }
            // The list to come holds it.
            Heard::Notice(_) if !self.told && self.last_list.is_none() && self.failures == 0 => {
                return;
            }
            // What was queued before the filter narrowed: its end will not be told, but that of the
            // one that had its key before was not either.
            Heard::Notice(Notice::Put(item) | Notice::Replace(item)) if !self.ends(&item) => {
                self.mirror.remove(&item)
            }
            Heard::Notice(Notice::Put(item)) => Ok(self.mirror.put(item)),
            // What made way may have gone before the list came to it. Then the entry that has the
            // key here is another one, which stays.
            Heard::Notice(Notice::Replace(item)) if behind && self.has_other(&item) => {
                self.doubt();
                Ok(self.mirror.put(item))
            }
            Heard::Notice(Notice::Replace(item)) => self.mirror.replace(item),
            Heard::Notice(Notice::Remove(end)) => self.mirror.end(&end),
            Heard::Notice(Notice::Stale) => return self.doubt(),
            Heard::Notice(Notice::Nothing) => return,
        };
        match outcome {
            Err(_) => self.doubt(),
            Ok(Outcome::Refused) => self.refuse(),
            Ok(outcome) => {
                if self.told {
                    self.queue.extend(outcome.change().map(Item::Change));
                }
                if self.full && !self.stale && self.mirror.has_room() {
                    self.doubt();
                }
            }
        }
    }

    /// Whether there is an entry of the same key that is not the same.
    fn has_other(&self, item: &O::Item) -> bool {
        self.mirror.get(&O::key(item)).iter().any(|other| !O::is_same(other, item))
    }

    /// The mirror may be wrong from here on.
    fn doubt(&mut self) {
        if !self.stale {
            (self.stale, self.patience) = (true, PATIENCE);
        }
    }

    fn lose(&mut self, loss: Loss) {
        self.counters.losses += 1;
        match loss {
            Loss::Overrun { dropped } => self.counters.dropped += u64::from(dropped),
            Loss::Undecodable(_) => self.counters.undecodable += 1,
            _ => {}
        }
        self.queue.push_back(Item::Lost(loss));
    }

    fn refuse(&mut self) {
        self.counters.refused += 1;
        if !std::mem::replace(&mut self.full, true) {
            let (entries, bytes) = (self.mirror.len(), self.mirror.bytes());
            self.queue.push_back(Item::Full { entries, bytes });
        }
    }
}

impl<O: Object> fmt::Debug for Engine<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("entries", &self.mirror.len())
            .field("told", &self.told)
            .field("stale", &self.stale)
            .field("incomplete", &self.incomplete)
            .field("full", &self.full)
            .field("failures", &self.failures)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}
