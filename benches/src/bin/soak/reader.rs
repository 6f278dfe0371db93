//! The process that watches, and answers what it is asked.

use std::fs;
use std::io::{self, BufRead as _, Write as _};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use nl_route::{List, Route};
use nl_socket::{Connection, Error, Events, Loss, Netns, Wait};
use nl_watch::consumer::{Consumer, Options, Told};
use nl_watch::{Flows, Item, Object, Routes, Watch};
use nl_wire::value::Family;

use crate::report::Report;

/// Nothing came for so long: all was read.
const REST: Wait = Wait::Never;

/// How long to follow before looking for a command.
const TURN: Duration = Duration::from_millis(1);

/// How often to look while there is always something to read.
const ITEMS: usize = 4096;

/// How long what differs may do so, if word of it is still to come: the kernel tells of a carrier up
/// to a second late.
const PATIENCE: Duration = Duration::from_secs(20);

/// What can be asked of whatever watches.
trait Subject {
    /// Follows for a moment; whether there was something.
    fn follow(&mut self, wait: Wait) -> bool;
    fn is_converged(&self) -> bool;
    fn events(&self) -> &Events;
    fn report(&self) -> Report;
    /// How many entries differ from those of the kernel; `None` while it can't be told.
    fn compare(&mut self) -> Option<usize>;
}

/// Watches a table until stdin ends.
///
/// # Panics
/// If a socket fails.
pub(crate) fn run(table: &str) {
    match table {
        "flows" => answer(watch::<Flows>()),
        "routes" => answer(watch::<Routes>()),
        _ => answer(Everywhere::open()),
    }
}

fn answer(mut subject: impl Subject) {
    let commands = commands();
    loop {
        for _ in 0..ITEMS {
            if !subject.follow(Wait::at_most(TURN)) {
                break;
            }
        }
        let line = match commands.try_recv() {
            Ok(line) => line,
            Err(TryRecvError::Empty) => continue,
            Err(TryRecvError::Disconnected) => return,
        };
        let report = match line.split_once(' ') {
            Some(("buffer", bytes)) => {
                let bytes = bytes.parse().expect("a number of bytes");
                let socket = subject.events().socket();
                let buffer = socket.set_receive_buffer(bytes).expect("a buffer can be resized");
                Report { buffer: buffer as u64, ..Report::default() }
            }
            None if line == "sync" => {
                while subject.follow(REST) {}
                Report::default()
            }
            _ => compared(&mut subject),
        };
        let mut stdout = io::stdout();
        let told = writeln!(stdout, "{}", report.line()).and_then(|()| stdout.flush());
        if told.is_err() {
            return;
        }
    }
}

/// The lines of stdin, read by a thread of their own.
fn commands() -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Follows until all is read and right, then compares with the kernel.
fn compared(subject: &mut impl Subject) -> Report {
    let deadline = Instant::now() + PATIENCE;
    loop {
        while subject.follow(Wait::at_most(TURN)) {}
        let late = Instant::now() >= deadline;
        let different = match subject.compare() {
            Some(0) if subject.is_converged() => 0,
            None | Some(0) if !late => continue,
            Some(different) if !late && different > 0 => continue,
            different => different.unwrap_or(usize::MAX),
        };
        // What the comparison brought with it.
        while subject.follow(REST) {}
        let memory = status("VmRSS:");
        let descriptors = fs::read_dir("/proc/self/fd").expect("descriptors are listed").count();
        return Report {
            different: different as u64,
            memory,
            descriptors: descriptors as u64,
            ..subject.report()
        };
    }
}

/// A number of `/proc/self/status`.
fn status(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").expect("the status is readable");
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn watch<O: Object + Default>() -> Watch<O> {
    let events = Events::open(O::FAMILY, O::GROUPS).expect("events can be heard");
    // Without overload control: its filters drop without counting.
    Watch::new(O::default(), events, Connection::open(O::FAMILY).expect("a connection"))
}

impl<O: Object> Subject for Watch<O> {
    fn follow(&mut self, wait: Wait) -> bool {
        match self.next(wait) {
            Ok(item) => item.is_some(),
            // A list that failed is tried again.
            Err(Error::Lost(_)) => true,
            Err(error) => panic!("{error}"),
        }
    }

    fn is_converged(&self) -> bool {
        Watch::is_converged(self)
    }

    fn events(&self) -> &Events {
        Watch::events(self)
    }

    fn report(&self) -> Report {
        let counters = self.counters();
        Report {
            events: counters.events,
            lost: counters.dropped,
            drops: self.events().socket().drops().expect("the counter is readable").into(),
            entries: self.mirror().len() as u64,
            resyncs: counters.resyncs,
            unreadable: counters.undecodable,
            ..Report::default()
        }
    }

    fn compare(&mut self) -> Option<usize> {
        match Watch::compare(self) {
            Ok(different) => Some(different.len()),
            Err(Error::Lost(Loss::Interrupted)) => None,
            Err(error) => panic!("{error}"),
        }
    }
}

/// The routes of all namespaces.
struct Everywhere {
    consumer: Consumer<Routes>,
    lost: u64,
    failures: u64,
}

impl Everywhere {
    fn open() -> Self {
        let options = Options { processes: false, ..Options::default() };
        let consumer = Consumer::open(Routes::default(), options).expect("a consumer");
        Self { consumer, lost: 0, failures: 0 }
    }
}

impl Subject for Everywhere {
    fn follow(&mut self, wait: Wait) -> bool {
        let told = self.consumer.next(wait).expect("sockets serve");
        match told {
            Some(Told::Lost(Loss::Overrun { dropped })) => self.lost += u64::from(dropped),
            Some(Told::Item { item: Item::Lost(Loss::Undecodable(_)), .. }) => self.failures += 1,
            _ => {}
        }
        told.is_some()
    }

    fn is_converged(&self) -> bool {
        self.consumer.is_converged()
    }

    fn events(&self) -> &Events {
        self.consumer.events().expect("one socket hears all")
    }

    fn report(&self) -> Report {
        let engines = || self.consumer.namespaces().map(|(_, engine)| engine);
        Report {
            events: self.events().received().messages,
            lost: self.lost,
            drops: self.events().socket().drops().expect("the counter is readable").into(),
            entries: engines().map(|engine| engine.mirror().len() as u64).sum(),
            resyncs: engines().map(|engine| engine.counters().resyncs).sum(),
            unreadable: self.failures,
            ..Report::default()
        }
    }

    /// Every mounted namespace is there, no other, and each mirror has the routes that a list has.
    fn compare(&mut self) -> Option<usize> {
        let mounted = fs::read_dir("/run/netns").map_or(0, Iterator::count);
        let mut different = 0;
        let mut named = 0;
        for (namespace, engine) in self.consumer.namespaces() {
            let Some(name) = namespace.name() else {
                different += usize::from(!namespace.own);
                continue;
            };
            named += 1;
            let Ok(netns) = Netns::named(&name.to_string_lossy()) else { return None };
            let mut connection = Connection::open_in(Family::ROUTE, &netns).ok()?;
            let routes: Result<Vec<Route>, _> = connection.dump(List::default()).ok()?.collect();
            let (routes, mirror) = (routes.ok()?, engine.mirror());
            let covered = |route: &&Route| Routes::default().covers(route);
            let routes: Vec<_> = routes.iter().filter(covered).collect();
            let is_held = |route: &Route| {
                let held = mirror.get(&Routes::key(route));
                held.iter().any(|held| Routes::is_equal(held, route))
            };
            different += routes.len().abs_diff(mirror.len());
            different += routes.iter().filter(|route| !is_held(route)).count();
        }
        Some(different + mounted.abs_diff(named))
    }
}
