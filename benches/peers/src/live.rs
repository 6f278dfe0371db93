//! A table of the kernel, listed and changed through the sockets of each library.

mod change;
pub mod list;

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use benches::paired::{Times, paired};
use nl_route::value::LinkFlags;
use nl_route::{Change, Link, Prefix, Route, RouteProtocol, Scope, TableId};
use nl_socket::{Connection, netns};
use nl_wire::value::Family;
use tokio::runtime::{Builder, Runtime};

use crate::rust::route::of_ours;
use list::Seen;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Routes listed.
const LISTED: u32 = 100_000;
/// Routes added and deleted.
const CHANGED: u32 = 5_000;
/// The table they are in; no other route is.
const TABLE: u32 = 1000;
/// Times that each candidate does it: one takes milliseconds, not microseconds.
const ROUNDS: usize = 15;
/// Asks this program, started in the namespace, how much memory a listing takes.
pub const MEMORY: &str = "--memory";

/// Measures in a namespace of its own; where there can't be one, says why and goes without.
///
/// # Panics
/// If a candidate fails or sees other routes than there are.
pub fn run() -> Result<()> {
    if let Err(error) = netns::enter_private() {
        println!("left out: tables of a kernel: {error}\n");
        return Ok(());
    }
    let lo = Link { index: 1, flags: LinkFlags::UP, change: LinkFlags::UP, ..Link::default() };
    Connection::open(Family::ROUTE)?.run(Change::change(lo))?;
    changes()?;
    lists()
}

/// Route `number`, of one host each, by the loopback device.
fn route(number: u32) -> Route {
    Route {
        destination: Some(Prefix { address: address(number).into(), length: 32 }),
        oif: Some(1),
        scope: Scope::LINK,
        protocol: RouteProtocol::STATIC,
        table: TableId(TABLE),
        priority: Some(priority(number)),
        ..Route::default()
    }
}

fn address(number: u32) -> Ipv4Addr {
    (0x0a00_0000 + number).into()
}

fn priority(number: u32) -> u32 {
    number % 7 + 1
}

/// What each candidate must see of the first routes.
fn expected(count: u32) -> Seen {
    let mut seen = Seen::new();
    (0..count).for_each(|number| seen.see(of_ours(&route(number))));
    seen
}

/// Blocks on the one runtime of this thread: no candidate pays for making it.
fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    thread_local! {
        static RUNTIME: Runtime =
            Builder::new_current_thread().enable_all().build().expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}

fn lists() -> Result<()> {
    change::batch(change::Verb::Add, LISTED)?;
    let expected = expected(LISTED);
    let least = RefCell::new(vec![Duration::MAX; list::CANDIDATES.len()]);
    let runs = list::CANDIDATES.iter().enumerate().map(|(index, candidate)| {
        let (least, expected) = (&least, &expected);
        move || {
            let mut seen = Seen::new();
            (candidate.list)(&mut seen).unwrap_or_else(|e| panic!("{}: {e}", candidate.name));
            if let Some(first) = seen.first {
                let least = &mut least.borrow_mut()[index];
                *least = first.min(*least);
                assert_eq!(seen, *expected, "{} read something else", candidate.name);
            }
        }
    });
    let times = turns(runs);
    let size = format!("list {LISTED} routes");
    println!(
        "| {size} | ms | times ours | least ms | µs to the first | KiB |\n|---|---|---|---|---|---|"
    );
    for (index, candidate) in list::CANDIDATES.iter().enumerate() {
        let first = match least.borrow()[index] {
            Duration::MAX => String::new(),
            first => format!("{:.0}", first.as_secs_f64() * 1e6),
        };
        let memory = memory_of(index)?;
        println!("{} {first} | {memory} |", line(candidate.name, &times, index, list::OURS));
    }
    println!("\nsum {:016x}\n", expected.sum);
    Ok(())
}

fn changes() -> Result<()> {
    let runs = change::CANDIDATES.iter().map(|(name, change)| {
        move || {
            for verb in [change::Verb::Add, change::Verb::Delete] {
                change(verb, CHANGED).unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    });
    // What is added is what was meant to be, and what is deleted is gone.
    for (name, change) in change::CANDIDATES {
        for (verb, left) in [(change::Verb::Add, CHANGED), (change::Verb::Delete, 0)] {
            change(verb, CHANGED).map_err(|error| format!("{name}: {error}"))?;
            let mut seen = Seen::new();
            list::ours(&mut seen)?;
            assert_eq!(seen, expected(left), "{name} did something else");
        }
    }
    let times = turns(runs);
    println!("| add and delete {CHANGED} routes | ms | times ours | least ms |\n|---|---|---|---|");
    for (index, (name, _)) in change::CANDIDATES.iter().enumerate() {
        println!("{}", line(name, &times, index, 0));
    }
    println!();
    Ok(())
}

fn turns(runs: impl Iterator<Item = impl FnMut()>) -> Vec<Times> {
    let mut runs: Vec<_> = runs.collect();
    let mut turns: Vec<&mut dyn FnMut()> = Vec::new();
    for run in &mut runs {
        turns.push(run);
    }
    paired(ROUNDS, &mut turns)
}

fn line(name: &str, times: &[Times], index: usize, ours: usize) -> String {
    let time = &times[index];
    let [median, least] = [time.median(), time.least()].map(|time| time.as_secs_f64() * 1e3);
    format!("| {name} | {median:.1} | {:.2} | {least:.1} |", time.ratio(&times[ours]))
}

/// By how many KiB a listing makes a process grow that has done nothing before: the median, for the
/// kernel counts pages by and by.
fn memory_of(index: usize) -> Result<u64> {
    let once = |_| {
        let program = Command::new(env::current_exe()?).args([MEMORY, &index.to_string()]).output();
        let text = String::from_utf8(program?.stdout)?;
        Ok(text.trim().parse().map_err(|error| format!("{error}: {text:?}"))?)
    };
    let mut all = (0..5).map(once).collect::<Result<Vec<u64>>>()?;
    all.sort_unstable();
    Ok(all[all.len() / 2])
}

/// Lists in this process and tells by how much it grew.
pub fn memory(index: usize) -> Result<()> {
    let resident = |name: &str| -> Result<u64> {
        let status = fs::read_to_string("/proc/self/status")?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).ok_or("no such line")?;
        Ok(line.trim_end_matches("kB").trim().parse()?)
    };
    let candidate = list::CANDIDATES.get(index).ok_or("no such candidate")?;
    block_on(async { Ok(()) })?;
    let before = resident("VmRSS:")?;
    (candidate.list)(&mut Seen::new())?;
    println!("{}", resident("VmHWM:")?.saturating_sub(before));
    Ok(())
}
