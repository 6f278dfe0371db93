//! Fills a table from what the kernel tells.

use std::time::Instant;

use nl_conntrack::{Event, EventKind, Flow};
use nl_socket::{Error, Wait};

use super::dump::NatEntry;
use super::options::NatOptions;
use super::reader::NatReader;
use super::table::{Listing, NatTable, Origin};
use crate::consumer::{Consumer, Told};
use crate::{Change, Engine, Item, Mirror, Object, Watch};

/// A [`NatTable`] that follows the kernel.
///
/// Fed in one of two ways, for each namespace its own:
///
/// - From a [`Watch`], by [`Tracker::follow`], or from a [`Consumer`] of all namespaces, by
///   [`Tracker::consume`]: complete, and right again after every loss. They keep a mirror of all
///   flows, translated or not.
/// - From events, by [`Tracker::event`], and lists, by [`Tracker::begin_list`], for those who do not
///   want such a mirror: list after subscribing, after each loss, and where a
///   [`Step`](crate::pressure::Step) says so.
///
/// The caller names the namespace by a number of his choice; a consumer knows one
/// ([`Namespace::number`](crate::Namespace::number)).
#[derive(Debug)]
pub struct Tracker {
    table: NatTable,
}

impl Tracker {
    /// A tracker with an empty table.
    pub fn new(options: NatOptions) -> Self {
        Self { table: NatTable::new(options) }
    }

    /// The table.
    pub const fn table(&self) -> &NatTable {
        &self.table
    }

    /// The table, for lookups and removals by the caller.
    pub const fn table_mut(&mut self) -> &mut NatTable {
        &mut self.table
    }

    /// A reader of the table for another thread.
    pub fn reader(&self) -> NatReader {
        self.table.reader()
    }

    /// The next item of a watch, after the table was brought up to date with it. Give the same
    /// namespace for the same watch.
    ///
    /// # Errors
    /// As [`Watch::next`].
    pub fn follow<O: Object<Item = Flow>>(
        &mut self,
        namespace: u64,
        watch: &mut Watch<O>,
        wait: Wait,
    ) -> Result<Option<Item<Flow>>, Error> {
        let item = watch.next(wait)?;
        let now = Instant::now();
        if let Some(item) = &item {
            self.item(namespace, item, watch.mirror(), now);
        }
        self.table.expire(now);
        Ok(item)
    }

    /// The next item of a consumer, after the table was brought up to date with it. Namespaces have
    /// their [numbers](crate::Namespace::number).
    ///
    /// # Errors
    /// As [`Consumer::next`].
    pub fn consume<O: Object<Item = Flow> + Clone>(
        &mut self,
        consumer: &mut Consumer<O>,
        wait: Wait,
    ) -> Result<Option<Told<Flow>>, Error> {
        let told = consumer.next(wait)?;
        let now = Instant::now();
        if let Some(told) = &told {
            self.told(told, consumer, now);
        }
        self.table.expire(now);
        Ok(told)
    }

    /// Takes note of what a consumer told last.
    pub fn told<O: Object<Item = Flow> + Clone>(
        &mut self,
        told: &Told<Flow>,
        consumer: &Consumer<O>,
        now: Instant,
    ) {
        match told {
            Told::Item { namespace, item } => {
                let engine = consumer.engine(namespace);
                // One that has ended holds nothing.
                let ended = engine.is_none().then(Mirror::default);
                if let Some(mirror) = engine.map(Engine::mirror).or(ended.as_ref()) {
                    self.item(namespace.number(), item, mirror, now);
                }
            }
            // Its id is no longer all that is known of it: what was announced has another number.
            Told::Found(namespace) => {
                let mirror = consumer.engine(namespace).map(Engine::mirror);
                if let Some(mirror) = mirror.filter(|mirror| !mirror.is_empty()) {
                    self.table.remove_namespace(namespace.number_before());
                    self.list(namespace.number(), mirror, now);
                }
            }
            Told::Gone { namespace, .. } => {
                self.table.remove_namespace(namespace.number());
            }
            Told::Failed { .. } | Told::Lost(_) | Told::Unattributed { .. } => {}
        }
    }

    /// Takes a mirror as the list of its namespace.
    fn list<O: Object<Item = Flow>>(&mut self, namespace: u64, mirror: &Mirror<O>, now: Instant) {
        let listing = self.begin_list(namespace);
        for flow in mirror.iter() {
            self.listed(&listing, flow, now);
        }
        self.end_list(listing, true);
    }

    /// Takes note of an item of a [`Watch`] or a [`Consumer`], and of the mirror that it is about.
    pub fn item<O: Object<Item = Flow>>(
        &mut self,
        namespace: u64,
        item: &Item<Flow>,
        mirror: &Mirror<O>,
        now: Instant,
    ) {
        match item {
            // The first list is told as a whole.
            Item::Listed { .. } => self.list(namespace, mirror, now),
            Item::Change(change) => self.change(namespace, change, now),
            // Better no answer than one that nobody corrects.
            Item::Forgotten(flow) => {
                let zone = flow.zone.or(flow.original.zone).unwrap_or_default();
                self.table.remove(namespace, zone, &flow.original);
            }
            // The differences that a loss made are told as changes.
            Item::Lost(_) | Item::Resynced { .. } | Item::Full { .. } | Item::Filtered(_) => {}
        }
    }

    /// Takes note of a change.
    pub fn change(&mut self, namespace: u64, change: &Change<Flow>, now: Instant) {
        match change {
            Change::Added(flow) | Change::Changed { new: flow, .. } => {
                self.table.insert(namespace, flow, Origin::Announced, now);
            }
            Change::Removed(flow) => {
                self.table.end(namespace, flow, now);
            }
        }
    }

    /// Takes note of an event.
    pub fn event(&mut self, namespace: u64, event: &Event, now: Instant) {
        match event.kind {
            EventKind::New | EventKind::Update => {
                self.table.insert(namespace, &event.flow, Origin::Announced, now);
            }
            EventKind::Destroy => {
                self.table.end(namespace, &event.flow, now);
            }
        }
    }

    /// Begins a list, see [`NatTable::begin_list`]. Events may go on coming meanwhile, in any order
    /// with [`Tracker::listed`].
    pub fn begin_list(&mut self, namespace: u64) -> Listing {
        self.table.begin_list(namespace)
    }

    /// Takes note of a listed flow, see [`NatTable::listed`].
    pub fn listed(&mut self, listing: &Listing, flow: &Flow, now: Instant) {
        self.table.listed(listing, flow, now);
    }

    /// Ends a list, see [`NatTable::end_list`].
    pub fn end_list(&mut self, listing: Listing, complete: bool) -> usize {
        self.table.end_list(listing, complete)
    }

    /// Drops what is due, see [`NatTable::expire`].
    pub fn expire(&mut self, now: Instant) -> usize {
        self.table.expire(now)
    }

    /// What the table holds, in no order.
    pub fn entries(&self) -> Vec<NatEntry> {
        self.table.entries()
    }
}
