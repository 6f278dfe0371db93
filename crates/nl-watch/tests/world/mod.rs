//! A kernel's table, an engine that mirrors it, and somebody who believes what he is told.
//!
//! The table has several entries with one key, changes while it is dumped, loses events and changes
//! silently. At the end the mirror must equal it, and whoever applied what was told, one by one, must
//! have the same. The fuzzer runs this too.

use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use nl_socket::{Event, Loss};
use nl_watch::{Budget, Change, Engine, Item, Notice, Object};
use nl_wire::request::Mode;
use nl_wire::table::Protocol;
use nl_wire::value::Family;
use nl_wire::{Error, Flags, Header, Message, Request, Writer};

/// An entry: its key is the number modulo 4, the state is what changes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Entry {
    number: u8,
    state: u8,
}

/// `COUNTS`: its dump finds its place again by counting entries.
#[derive(Clone)]
struct Table<const COUNTS: bool>;

struct List;

impl Request for List {
    type Item = Entry;
    const MODE: Mode = Mode::Dump;

    fn protocol(&self) -> &'static Protocol {
        &nl_route::PROTOCOL
    }

    fn message_type(&self) -> u16 {
        18
    }

    fn write(&self, _: &mut Writer<'_>) -> Result<(), Error> {
        Ok(())
    }

    fn read(&self, _: &Message<'_>) -> Result<Option<Entry>, Error> {
        Ok(None)
    }
}

impl<const COUNTS: bool> Object for Table<COUNTS> {
    type Item = Entry;
    type Key = u8;
    type List = List;

    const FAMILY: Family = Family::ROUTE;
    const GROUPS: &'static [u32] = &[];
    const REMOVAL_UPSETS_LIST: bool = COUNTS;

    fn list(&self) -> List {
        List
    }

    fn key(entry: &Entry) -> u8 {
        entry.number % 4
    }

    fn is_same(a: &Entry, b: &Entry) -> bool {
        a.number == b.number
    }

    fn is_equal(a: &Entry, b: &Entry) -> bool {
        a == b
    }

    fn merge(old: &mut Entry, new: Entry) {
        *old = new;
    }

    fn notice(&mut self, message: &Message<'_>) -> Result<Notice<Entry>, Error> {
        let [kind, number, state, _] = message.body()[..4].try_into().unwrap();
        let entry = Entry { number, state };
        Ok(match kind {
            0 => Notice::Put(entry),
            1 => Notice::Replace(entry),
            2 => Notice::Remove(entry),
            3 => Notice::Stale,
            _ => return Err(nl_wire::Problem::Value.into()),
        })
    }
}

/// What happens next.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Put(u8, u8),
    Replace(u8),
    Remove(u8),
    /// Removed silently; later an event hints at it.
    Vanish(u8),
    /// A message that can't be read tells of a change.
    Garbled(u8, u8),
    /// That many events are heard.
    Hear(usize),
    /// The first two events queued change places, as those of two processors may.
    Swap,
    /// The first event queued comes twice.
    Repeat,
    /// All but so many of the events queued are lost.
    Overrun(usize),
    /// A list begins if one is due, perhaps after all events were heard.
    Begin(bool),
    /// That many entries are dumped.
    Dump(usize),
    End,
    /// The list ends, but what was announced during it comes behind it. Not where dumps count: there
    /// the kernel announces a removal before it goes on with the dump.
    Late,
    Interrupt,
    Fail,
}

#[derive(Clone, Copy, Debug)]
enum Queued {
    Message([u8; 4]),
    Loss(u32),
}

/// A kernel, an engine, and somebody who believes what he is told.
struct World<const COUNTS: bool> {
    table: BTreeSet<Entry>,
    queue: VecDeque<Queued>,
    engine: Engine<Table<COUNTS>>,
    /// Where the dump is: how many entries were passed, and the number of the last.
    dump: Option<(usize, Option<u8>)>,
    now: Instant,
    believed: Option<BTreeSet<Entry>>,
    dropped: u64,
    told: u64,
}

impl<const COUNTS: bool> World<COUNTS> {
    fn new(entries: u8, budget: usize) -> Self {
        let mut engine = Engine::new(Table);
        engine.set_budget(Budget { entries: budget, ..Budget::default() });
        let table = (0..entries).map(|number| Entry { number, state: 0 }).collect();
        let (queue, now) = (VecDeque::new(), Instant::now());
        Self { table, queue, engine, dump: None, now, believed: None, dropped: 0, told: 0 }
    }

    fn find(&self, number: u8) -> Option<Entry> {
        self.table.iter().copied().find(|entry| entry.number == number)
    }

    fn announce(&mut self, kind: u8, entry: Entry) {
        self.queue.push_back(Queued::Message([kind, entry.number, entry.state, 0]));
    }

    fn step(&mut self, step: Step) {
        self.now += Duration::from_secs(30);
        match step {
            Step::Put(number, state) | Step::Garbled(number, state) => {
                let entry = Entry { number, state };
                self.find(number).map(|old| self.table.remove(&old));
                self.table.insert(entry);
                self.announce(if matches!(step, Step::Put(..)) { 0 } else { 9 }, entry);
            }
            Step::Replace(number) => {
                // The first with the key makes way.
                let first = self.table.iter().copied().find(|old| old.number % 4 == number % 4);
                let Some(old) = first.filter(|_| self.find(number).is_none()) else { return };
                self.table.remove(&old);
                let entry = Entry { number, state: 7 };
                self.table.insert(entry);
                self.announce(1, entry);
            }
            Step::Remove(number) => {
                let Some(old) = self.find(number) else { return };
                self.table.remove(&old);
                self.announce(2, old);
            }
            Step::Vanish(number) => {
                let Some(old) = self.find(number) else { return };
                self.table.remove(&old);
                self.announce(3, old);
            }
            Step::Hear(events) => self.hear(events),
            Step::Swap => {
                let [Some(Queued::Message(first)), Some(Queued::Message(second))] =
                    [0, 1].map(|place| self.queue.get(place).copied())
                else {
                    return;
                };
                // Those of one entry keep their order, and what takes another's place does, too.
                if first[1] != second[1] && first[0] != 1 && second[0] != 1 {
                    self.queue.swap(0, 1);
                }
            }
            Step::Repeat => {
                if let Some(Queued::Message(first)) = self.queue.front().copied() {
                    self.queue.push_front(Queued::Message(first));
                }
            }
            Step::Overrun(kept) => {
                let lost = self.queue.split_off(kept.min(self.queue.len()));
                let dropped = lost.iter().map(|queued| match queued {
                    Queued::Message(_) => 1,
                    Queued::Loss(dropped) => *dropped,
                });
                self.queue.push_back(Queued::Loss(dropped.sum()));
            }
            Step::Begin(heard) => {
                if heard {
                    self.hear(usize::MAX);
                }
                if self.dump.is_none() && self.engine.until_list(self.now) == Some(Duration::ZERO) {
                    self.engine.begin(self.now);
                    self.dump = Some((0, None));
                }
            }
            Step::Dump(entries) => (0..entries).for_each(|_| _ = self.dump_one()),
            Step::Interrupt => {
                if self.dump.is_some() {
                    self.engine.list_lost(Loss::Interrupted);
                }
            }
            Step::End | Step::Late => {
                while self.dump.is_some() && self.dump_one() {}
                if self.dump.take().is_some() {
                    if COUNTS || matches!(step, Step::End) {
                        self.hear(usize::MAX);
                    }
                    self.engine.end(self.now);
                }
            }
            Step::Fail => {
                if self.dump.take().is_some() {
                    self.engine.fail(self.now);
                }
            }
        }
        self.listen();
        // Nothing wrong is ever shown as certain.
        if self.queue.is_empty() && self.engine.is_converged() {
            assert_eq!(self.mirror(), self.table);
        }
    }

    fn mirror(&self) -> BTreeSet<Entry> {
        self.engine.mirror().iter().copied().collect()
    }

    fn dump_one(&mut self) -> bool {
        let Some((passed, last)) = self.dump else { return false };
        let next = if COUNTS {
            self.table.iter().nth(passed)
        } else {
            self.table.iter().find(|entry| last.is_none_or(|last| entry.number > last))
        };
        let Some(entry) = next.copied() else { return false };
        self.dump = Some((passed + 1, Some(entry.number)));
        self.engine.listed(entry);
        true
    }

    fn hear(&mut self, events: usize) {
        for _ in 0..events {
            let Some(queued) = self.queue.pop_front() else { return self.engine.caught_up() };
            match queued {
                Queued::Loss(dropped) => {
                    self.dropped += u64::from(dropped);
                    self.engine.hear(&Event::Loss(Loss::Overrun { dropped }), self.now);
                }
                Queued::Message(body) => {
                    let flags = Flags(0);
                    let header =
                        Header { length: 20, message_type: 16, flags, sequence: 0, port: 0 };
                    let mut bytes = header.encode().to_vec();
                    bytes.extend(body);
                    let message = Message { header, bytes: &bytes };
                    self.engine.hear(&Event::Message { message, nsid: None }, self.now);
                }
            }
        }
    }

    /// Believes what is told; each change must fit what was told before.
    fn listen(&mut self) {
        while let Some(item) = self.engine.next() {
            let change = match item {
                Item::Listed { entries, .. } => {
                    assert!(self.believed.is_none());
                    let mirror = self.mirror();
                    assert_eq!((mirror.len(), self.engine.mirror().len()), (entries, entries));
                    self.believed = Some(mirror);
                    continue;
                }
                Item::Change(change) => change,
                Item::Lost(loss) => {
                    if let Loss::Overrun { dropped } = loss {
                        self.told += u64::from(dropped);
                    }
                    continue;
                }
                _ => continue,
            };
            let believed = self.believed.as_mut().expect("changes follow the first list");
            match change {
                Change::Added(new) => assert!(believed.insert(new), "{new:?}"),
                Change::Removed(old) => assert!(believed.remove(&old), "{old:?}"),
                Change::Changed { old, new } => {
                    assert!(believed.remove(&old), "{old:?}");
                    assert!(believed.insert(new), "{new:?}");
                }
            }
        }
    }

    /// The kernel comes to rest.
    fn rest(&mut self) {
        for _ in 0..12 {
            self.step(Step::End);
            self.step(Step::Hear(usize::MAX));
            // However long the pause may be.
            self.now += self.engine.until_list(self.now).unwrap_or_default();
            self.step(Step::Begin(true));
        }
        self.step(Step::End);
    }
}

/// All of it, then rest: the mirror must equal the table.
pub(crate) fn converges<const COUNTS: bool>(entries: u8, steps: &[Step], budget: usize) {
    let mut world = World::<COUNTS>::new(entries, budget);
    for step in steps {
        world.step(*step);
    }
    world.rest();
    let mirror = world.mirror();
    assert_eq!(world.believed.as_ref(), Some(&mirror));
    assert_eq!(world.told, world.dropped);
    assert_eq!(world.engine.counters().dropped, world.dropped);
    if world.engine.is_full() {
        assert!(mirror.is_subset(&world.table) && mirror.len() < world.table.len());
        assert!((budget - budget / 8..=budget).contains(&mirror.len()));
        assert!(!world.engine.is_converged());
    } else {
        assert_eq!(mirror, world.table);
        assert!(world.engine.is_converged());
    }
}
