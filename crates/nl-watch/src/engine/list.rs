//! Lists: merged into the mirror as they come, and told at their end.

use std::time::{Duration, Instant};

use nl_socket::Loss;

use super::{Engine, Heard, Item};
use crate::mirror::{Change, Outcome};
use crate::object::{Notice, Object};

/// An untrustworthy list is told as [`Item::Listed`] only after this many attempts.
const ATTEMPTS: u32 = 10;

/// The pause after the first attempt that failed; it doubles with each further one …
const PAUSE: Duration = Duration::from_millis(1);

/// … this often.
const DOUBLINGS: u32 = 12;

/// A list that is being read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listing {
    started: Instant,
    /// The list can't be trusted.
    pub(super) upset: bool,
    /// An entry could not be decoded, …
    undecodable: bool,
    /// … or found no room.
    refused: bool,
}

/// What the lists since the last resync found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Found {
    added: usize,
    removed: usize,
    changed: usize,
    since: Option<Instant>,
}

impl<O: Object> Engine<O> {
    /// A list begins.
    pub fn begin(&mut self, now: Instant) {
        let listing = Listing { started: now, upset: false, undecodable: false, refused: false };
        self.listing = Some(listing);
        self.found.since.get_or_insert(now);
        (self.stale, self.behind) = (false, true);
        self.counters.lists += 1;
        self.mirror.begin_round();
    }

    /// Takes in an entry of the list.
    pub fn listed(&mut self, item: O::Item) {
        // Of one that the filter has kept back since, the end is told still.
        if !self.follows(&item) && self.held(&item).is_none() {
            return;
        }
        let told = self.told;
        match self.mirror.put_listed(item) {
            Outcome::Refused => {
                self.refuse();
                if let Some(listing) = &mut self.listing {
                    listing.refused = true;
                }
            }
            outcome if told => {
                let change = outcome.change();
                match change {
                    Some(Change::Added(_)) => self.found.added += 1,
                    Some(Change::Changed { .. }) => self.found.changed += 1,
                    Some(Change::Removed(_)) | None => {}
                }
                self.queue.extend(change.map(Item::Change));
            }
            _ => {}
        }
    }

    /// Something was lost in the list. Entries may still follow.
    pub fn list_lost(&mut self, loss: Loss) {
        if let Some(listing) = &mut self.listing {
            match loss {
                // Told at the end of the list, together with other reasons to distrust it.
                Loss::Interrupted => return listing.upset = true,
                // It will be no better next time.
                Loss::Undecodable(_) => listing.undecodable = true,
                Loss::Foreign { .. } | Loss::Stale { .. } => {}
                _ => listing.upset = true,
            }
        }
        self.lose(loss);
    }

    /// The list is complete.
    pub fn end(&mut self, now: Instant) {
        let Some(listing) = self.listing.take() else { return };
        if listing.upset {
            self.counters.interrupted += 1;
            self.lose(Loss::Interrupted);
            self.retry(listing.started, now);
        } else {
            self.failures = 0;
            (self.incomplete, self.full) = (listing.undecodable, listing.refused);
            self.last_list = Some(now);
            self.not_before = now.checked_add(now.saturating_duration_since(listing.started));
            // What ended meanwhile is not in the list. Its end is told with what the kernel said of it.
            for heard in &self.backlog {
                if let Heard::Notice(Notice::Remove(end)) = heard {
                    self.mirror.end_unlisted(end);
                }
            }
            let gone = self.mirror.sweep();
            if self.full && self.mirror.has_room() {
                // What was refused may find room now that what is gone has made some.
                self.doubt();
            }
            if self.told {
                self.found.removed += gone.len();
                self.queue.extend(gone.into_iter().map(Change::Removed).map(Item::Change));
                self.tell_resync(now);
            }
        }
        self.finish_first(!listing.upset || self.failures >= ATTEMPTS, now);
    }

    /// Tells the first list, with what was announced meanwhile, as a whole; later events one by one.
    fn finish_first(&mut self, good: bool, now: Instant) {
        for heard in std::mem::take(&mut self.backlog) {
            self.apply(heard, true);
        }
        if good && !self.told {
            self.told = true;
            let started = std::mem::take(&mut self.found).since.unwrap_or(now);
            let took = now.saturating_duration_since(started);
            let listed = Item::Listed { entries: self.mirror.len(), took };
            self.queue.push_back(listed);
        }
    }

    fn tell_resync(&mut self, now: Instant) {
        let Found { added, removed, changed, since } = std::mem::take(&mut self.found);
        let took = now.saturating_duration_since(since.unwrap_or(now));
        self.counters.resyncs += 1;
        self.counters.resync_time += took;
        self.counters.repaired += (added + removed + changed) as u64;
        self.queue.push_back(Item::Resynced { added, removed, changed, took });
    }

    /// The list failed: it will be tried again after a pause.
    pub fn fail(&mut self, now: Instant) {
        let Some(listing) = self.listing.take() else { return };
        self.counters.failed += 1;
        self.retry(listing.started, now);
        self.finish_first(false, now);
    }

    fn retry(&mut self, started: Instant, now: Instant) {
        let pause = PAUSE * (1 << self.failures.min(DOUBLINGS));
        self.failures = self.failures.saturating_add(1);
        self.not_before = now.checked_add(pause.max(now.saturating_duration_since(started)));
        self.doubt();
    }
}
