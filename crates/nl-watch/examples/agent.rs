//! A monitoring agent: every connection of a host, in all its network namespaces.
//!
//! ```sh
//! sudo cargo run --release -p nl-watch --example agent
//! unshare -Urn cargo run -p nl-watch --example agent    # sees what the private namespace has
//! ```
//!
//! It tells of each connection that ended, with its bytes and what NAT made of it; of namespaces
//! and links that come and go; and of everything that it missed. SIGINT or SIGTERM end it, with all
//! counters as Prometheus reads them.

use std::error::Error;
use std::fmt::Write as _;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use nl_conntrack::{Flow, Status, text};
use nl_route::Link;
use nl_socket::host::{Interrupts, Woken};
use nl_socket::{Poller, Wait};
use nl_watch::consumer::{Options, Told};
use nl_watch::metrics::Metrics;
use nl_watch::nat::{NatOptions, NatReader, Tracker};
use nl_watch::{Budget, Change, Consumer, Flows, Item, Links, Namespace};

/// A connection that ended, for those who have more to do with it than time.
type Ended = (u64, Flow);

/// How many may wait for them. What finds no room is counted: whoever follows never waits.
const WAITING: usize = 4096;

fn main() -> Result<(), Box<dyn Error>> {
    // Before any other thread: those inherit that the signals are held back.
    let interrupts = Interrupts::new()?;
    let mut agent = Agent::start()?;
    // One descriptor for both consumers.
    let poller = Poller::new()?;
    poller.add(&agent.flows, 0)?;
    poller.add(&agent.links, 1)?;
    loop {
        agent.step()?;
        // Descriptors tell of events; lists and scans are due at times.
        let deadline = agent.flows.deadline().min(agent.links.deadline());
        if let Woken::Signal(_) = interrupts.wait(&poller, Wait::Until(deadline))? {
            return agent.stop();
        }
    }
}

struct Agent {
    flows: Consumer<Flows>,
    links: Consumer<Links>,
    tracker: Tracker,
    metrics: Metrics,
    ended: SyncSender<Ended>,
    workers: Vec<thread::JoinHandle<()>>,
    /// Ends that found no room.
    unseen: u64,
}

impl Agent {
    fn start() -> Result<Self, Box<dyn Error>> {
        // Memory is bounded: each namespace's mirror, and the table of translations.
        let budget = Budget { entries: 1 << 20, ..Budget::default() };
        let options = Options { budget, ..Options::default() };
        let flows = Consumer::open(Flows::default(), options)?;
        let links = Consumer::open(Links, options)?;
        let tracker = Tracker::new(NatOptions::default());
        let (ended, waiting) = sync_channel(WAITING);
        let reader = tracker.reader(); // further threads take clones of it
        let workers = vec![thread::spawn(move || report(&waiting, reader))];
        let metrics = Metrics::default();
        Ok(Self { flows, links, tracker, metrics, ended, workers, unseen: 0 })
    }

    /// Takes what there is to be told.
    fn step(&mut self) -> Result<(), Box<dyn Error>> {
        // A bounded number, so that a signal is seen under any load.
        for _ in 0..4096 {
            let Some(told) = self.tracker.consume(&mut self.flows, Wait::Never)? else { break };
            self.metrics.told(Namespace::number, &told);
            match told {
                Told::Item { namespace, item: Item::Change(Change::Removed(flow)) } => {
                    match self.ended.try_send((namespace.number(), flow)) {
                        Ok(()) => {}
                        Err(TrySendError::Full(_)) => self.unseen += 1,
                        Err(TrySendError::Disconnected(_)) => return Err("the worker died".into()),
                    }
                }
                Told::Item { item: Item::Change(_), .. } => {}
                // Losses, their repair, changes of the filter, a full mirror.
                Told::Item { namespace, item } => note(&format!("{namespace}: "), &item),
                Told::Found(namespace) => println!("found {namespace}"),
                Told::Gone { namespace, entries } => println!("gone {namespace}: {entries} flows"),
                Told::Failed { namespace, error } => eprintln!("{namespace}: {error}"),
                Told::Lost(loss) => note("", &Item::Lost::<Flow>(loss)),
                other => println!("{other:?}"),
            }
        }
        while let Some(told) = self.links.next(Wait::Never)? {
            let Told::Item { namespace, item } = told else { continue };
            match item {
                Item::Change(Change::Added(link)) => println!("{namespace}: + {}", name(&link)),
                Item::Change(Change::Removed(link)) => println!("{namespace}: - {}", name(&link)),
                // What was there before is told as a whole: the mirror has it.
                Item::Listed { .. } => {
                    let engine = self.links.engine(&namespace);
                    for link in engine.iter().flat_map(|engine| engine.mirror().iter()) {
                        println!("{namespace}: {}", name(link));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn stop(mut self) -> Result<(), Box<dyn Error>> {
        // What is queued is heard, but not for ever.
        let limit = Instant::now() + Duration::from_secs(2);
        while !self.flows.is_converged() && Instant::now() < limit {
            self.step()?;
        }
        self.metrics.take_consumer(&self.flows);
        self.metrics.take_nat(self.tracker.table());
        drop(self.ended);
        for worker in self.workers {
            worker.join().map_err(|_| "a worker panicked")?;
        }
        print!("{}", self.metrics);
        println!("# {} ends were not reported: the reporter is slow", self.unseen);
        Ok(())
    }
}

/// What a link is called, safe for a terminal.
fn name(link: &Link) -> String {
    link.name.as_ref().map_or_else(|| format!("link {}", link.index), ToString::to_string)
}

/// Tells what befell a stream.
fn note(whose: &str, item: &Item<Flow>) {
    match item {
        Item::Lost(loss) => println!("{whose}lost: {loss}"),
        Item::Listed { entries, took } => println!("{whose}{entries} flows, listed in {took:?}"),
        Item::Resynced { added, removed, changed, took } => {
            println!("{whose}repaired in {took:?}: +{added} -{removed} ~{changed}");
        }
        Item::Filtered(filter) => println!("{whose}too busy? followed from here on: {filter}"),
        other => println!("{whose}{other:?}"),
    }
}

/// Tells of connections that ended, as slowly as it likes.
fn report(ended: &Receiver<Ended>, mut reader: NatReader) {
    let options = text::Options::default();
    for (namespace, flow) in ended {
        // With the bytes of both directions, if net.netfilter.nf_conntrack_acct is on.
        let mut line = format!("{namespace}: ended ");
        text::flow(&mut line, &flow, &options);
        // Whom the client reached in truth: a flow can be looked up for some seconds after its end.
        let peer = reader.lookup(namespace, flow.zone_id(), &flow.original);
        if let Some(peer) = peer {
            let _ = write!(line, ", served by {}", peer.source);
        }
        // Without this bit a list found it gone: its counters are those of the list before.
        if !flow.status.is_some_and(|status| status.contains(Status::DYING)) {
            line += ", its end was missed";
        }
        println!("{line}");
    }
}
