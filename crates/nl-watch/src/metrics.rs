//! Every number there is to tell of a stream, a table and their filter.
//!
//! [`Metrics`] is a plain struct: fill it from what you use, read it, or print it in Prometheus' text
//! format.

mod histogram;
mod prometheus;

use std::collections::BTreeMap;
use std::time::Duration;

use nl_conntrack::EventKind;
use nl_socket::{Error, Loss, Received, Socket};

use crate::consumer::{self, Consumer, Told};
use crate::nat::{Lookups, NatCounters, NatTable};
use crate::pressure::{Governor, Level};
use crate::{Change, Item, Object, Watch};

pub use histogram::Histogram;

/// Counters since the start, and gauges as they were when they were taken.
///
/// ```
/// use nl_conntrack::EventKind;
/// use nl_watch::metrics::Metrics;
///
/// let mut metrics = Metrics::default();
/// metrics.event(4_026_531_840, EventKind::New);
/// let text = metrics.to_string();
/// assert!(text.contains("nl_events_total{namespace=\"4026531840\",kind=\"new\"} 1\n"));
/// ```
#[derive(Clone, PartialEq, Debug, Default)]
#[non_exhaustive]
pub struct Metrics {
    /// What the event sockets received.
    pub received: Received,
    /// Losses of event streams.
    pub losses: Losses,
    /// First lists.
    pub lists: Lists,
    /// Lists made after the first.
    pub resyncs: Resyncs,
    /// Which namespaces are watched.
    pub coverage: Coverage,
    /// Events, by the number of their namespace.
    pub namespaces: BTreeMap<u64, Namespace>,
    /// Events of namespaces that are no more.
    pub gone: Namespace,
    /// Overload control.
    pub filter: Filter,
    /// The receive queue.
    pub queue: Queue,
    /// The translation table.
    pub nat: Nat,
}

/// What was lost, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Losses {
    /// How often the receive queue overran (`ENOBUFS`).
    pub overruns: u64,
    /// How many messages the kernel dropped for it, by the socket's drop counter.
    pub dropped: u64,
    /// Datagrams longer than the buffer.
    pub truncated: u64,
    /// Datagrams from others than the kernel, refused.
    pub foreign: u64,
    /// Dumps under which the table changed.
    pub interrupted: u64,
    /// Replies that nobody waited for.
    pub stale: u64,
    /// Datagrams whose lengths can't be.
    pub damaged: u64,
    /// Messages that could not be decoded.
    pub undecodable: u64,
    /// Receiving failed for another reason.
    pub read_errors: u64,
    /// Times that a mirror reached its budget.
    pub full: u64,
}

/// The first lists: one of each namespace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Lists {
    /// How many.
    pub count: u64,
    /// Entries in these.
    pub entries: u64,
    /// How long they took, all together.
    pub took: Duration,
    /// How long the longest took.
    pub longest: Duration,
}

/// What a consumer reaches of the host's namespaces.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Coverage {
    /// Namespaces that are followed.
    pub namespaces: u64,
    /// Whether all mirrors are right up to the last event received, but for what is filtered out.
    pub converged: bool,
    /// Times that something could not be done in a namespace, such as entering it.
    pub failures: u64,
    /// Events that may be of either of two namespaces.
    pub unattributed: u64,
    /// Processes that could not be asked for their namespace.
    pub hidden_processes: u64,
}

/// Lists made to repair a loss.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Resyncs {
    /// How many.
    pub count: u64,
    /// How long they took, all together.
    pub took: Duration,
    /// How long the last one took.
    pub last: Duration,
    /// Entries found that nobody had announced.
    pub added: u64,
    /// Entries gone without announcement.
    pub removed: u64,
    /// Entries found in another state.
    pub changed: u64,
}

/// Events of one namespace.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Namespace {
    /// What to call it in the text; by its number if this is empty.
    pub name: String,
    /// Flows that appeared.
    pub new: u64,
    /// Flows that changed.
    pub update: u64,
    /// Flows that ended.
    pub destroy: u64,
}

/// What overload control does.
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub struct Filter {
    /// How much passes.
    pub level: Level,
    /// Which share of the flows of this level, from 0 to 1.
    pub rate: f64,
    /// Events per second that arrive.
    pub measured: f64,
    /// How often the filter was changed.
    pub steps: u64,
    /// How many entries were given up because their ends no longer passed.
    pub forgotten: u64,
}

impl Default for Filter {
    /// No filter.
    fn default() -> Self {
        Self { level: Level::Everything, rate: 1.0, measured: 0.0, steps: 0, forgotten: 0 }
    }
}

/// The receive queue of an event socket, or of several together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Queue {
    /// Bytes of kernel memory in use.
    pub used: u64,
    /// Bytes it may have.
    pub limit: u64,
}

/// A translation table.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Nat {
    /// Flows.
    pub flows: u64,
    /// Flows that wait for their first lookup.
    pub orphans: u64,
    /// Flows that ended and can still be looked up.
    pub leaving: u64,
    /// Bytes of memory.
    pub bytes: u64,
    /// What happened to it.
    pub counters: NatCounters,
    /// Lookups.
    pub lookups: Lookups,
}

impl Metrics {
    /// Counts an event.
    pub fn event(&mut self, namespace: u64, kind: EventKind) {
        let namespace = self.namespaces.entry(namespace).or_default();
        *match kind {
            EventKind::New => &mut namespace.new,
            EventKind::Update => &mut namespace.update,
            EventKind::Destroy => &mut namespace.destroy,
        } += 1;
    }

    /// Counts a loss.
    pub fn loss(&mut self, loss: &Loss) {
        let losses = &mut self.losses;
        *match loss {
            Loss::Overrun { dropped } => {
                losses.dropped += u64::from(*dropped);
                &mut losses.overruns
            }
            Loss::Truncated { .. } => &mut losses.truncated,
            Loss::Interrupted => &mut losses.interrupted,
            Loss::Foreign { .. } => &mut losses.foreign,
            Loss::Stale { .. } => &mut losses.stale,
            Loss::Damaged(_) => &mut losses.damaged,
            // What may be told of later can't be worse than that.
            _ => &mut losses.undecodable,
        } += 1;
    }

    /// Counts an error of a watch or of an event socket.
    pub fn error(&mut self, error: &Error) {
        match error {
            Error::Lost(loss) => self.loss(loss),
            _ => self.losses.read_errors += 1,
        }
    }

    /// Counts an item of a watch; its changes as events.
    pub fn item<T>(&mut self, namespace: u64, item: &Item<T>) {
        match item {
            Item::Filtered(_) => {}
            Item::Listed { entries, took } => {
                let lists = &mut self.lists;
                lists.count += 1;
                lists.entries += *entries as u64;
                lists.took += *took;
                lists.longest = lists.longest.max(*took);
            }
            Item::Forgotten(_) => self.filter.forgotten += 1,
            Item::Change(change) => self.event(
                namespace,
                match change {
                    Change::Added(_) => EventKind::New,
                    Change::Changed { .. } => EventKind::Update,
                    Change::Removed(_) => EventKind::Destroy,
                },
            ),
            Item::Lost(loss) => self.loss(loss),
            Item::Full { .. } => self.losses.full += 1,
            Item::Resynced { added, removed, changed, took } => {
                let resyncs = &mut self.resyncs;
                resyncs.count += 1;
                resyncs.took += *took;
                resyncs.last = *took;
                resyncs.added += *added as u64;
                resyncs.removed += *removed as u64;
                resyncs.changed += *changed as u64;
            }
        }
    }

    /// Counts an item of a consumer; `number` is the number that its namespace shall have, such as
    /// [`Namespace::number`](consumer::Namespace::number).
    pub fn told<T>(&mut self, number: impl Fn(&consumer::Namespace) -> u64, told: &Told<T>) {
        match told {
            Told::Found(namespace) => {
                let entry = self.namespaces.entry(number(namespace)).or_default();
                if let Some(name) = namespace.name() {
                    entry.name = name.to_string_lossy().into_owned();
                }
                // One that was known by its id alone has another number now.
                let before =
                    consumer::Namespace { id: None, ..consumer::Namespace::clone(namespace) };
                let before = number(&before);
                if before != number(namespace) {
                    self.namespace_gone(before);
                }
            }
            Told::Item { namespace, item } => {
                self.namespaces.entry(number(namespace)).or_default();
                self.item(number(namespace), item);
            }
            Told::Gone { namespace, .. } => self.namespace_gone(number(namespace)),
            Told::Failed { error, .. } => {
                self.coverage.failures += 1;
                if let Error::Lost(loss) = &error.source {
                    self.loss(loss);
                }
            }
            Told::Lost(loss) => self.loss(loss),
            Told::Unattributed { events, .. } => self.coverage.unattributed += *events as u64,
        }
        self.coverage.namespaces = self.namespaces.len() as u64;
    }

    /// A namespace is no more: its events count as those of the others that are gone.
    pub fn namespace_gone(&mut self, number: u64) {
        let Namespace { new, update, destroy, .. } =
            self.namespaces.remove(&number).unwrap_or_default();
        self.gone.new += new;
        self.gone.update += update;
        self.gone.destroy += destroy;
    }

    /// Takes what a consumer knows of itself: how much it received, the depth of its queues, whether
    /// its tables are right, what it could not look into, and its overload control. With
    /// [`Metrics::told`] for each item, and [`Metrics::take_nat`], that is all.
    pub fn take_consumer<O: Object + Clone>(&mut self, consumer: &Consumer<O>) {
        self.received = consumer.received();
        self.take_queue(consumer.sockets());
        self.coverage.converged = consumer.is_converged();
        self.coverage.hidden_processes = consumer.hidden_processes() as u64;
        if let Some(governor) = consumer.governor() {
            self.take_filter(governor);
        }
    }

    /// Takes what a watch knows of itself, as [`Metrics::take_consumer`].
    pub fn take_watch<O: Object>(&mut self, watch: &Watch<O>) {
        self.received = watch.events().received();
        self.take_queue([watch.events().socket()]);
        self.coverage.converged = watch.is_converged();
        if let Some(governor) = watch.governor() {
            self.take_filter(governor);
        }
    }

    /// Takes the state of overload control.
    pub fn take_filter(&mut self, governor: &Governor) {
        self.filter = Filter {
            level: governor.level(),
            rate: governor.rate(),
            measured: governor.measured(),
            steps: governor.steps(),
            forgotten: self.filter.forgotten,
        };
    }

    /// Takes the state of a translation table.
    pub fn take_nat(&mut self, table: &NatTable) {
        self.nat = Nat {
            flows: table.len() as u64,
            orphans: table.orphans() as u64,
            leaving: table.leaving() as u64,
            bytes: table.bytes() as u64,
            counters: table.counters().clone(),
            lookups: table.lookups(),
        };
    }

    /// Takes the depth of the receive queues of these sockets. One that does not tell counts
    /// nothing.
    pub fn take_queue<'a>(&mut self, sockets: impl IntoIterator<Item = &'a Socket>) {
        self.queue = Queue::default();
        for info in sockets.into_iter().filter_map(|socket| socket.mem_info().ok()) {
            self.queue.used += u64::from(info.receive_queued);
            self.queue.limit += u64::from(info.receive_buffer);
        }
    }
}
