//! Changing many routes.

use std::cell::Cell;
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use nl_route::request::Change;
use nl_route::{Route, RouteProtocol};
use nl_socket::Error;
use nl_wire::Errno;

use crate::Setup;
use crate::measure::{self, Candidate, Result, Sample};
use crate::plot::Plot;
use crate::routes::{clear, fill, loopback, open, route};

/// What is done to all routes of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Add,
    Replace,
    Delete,
}

impl Verb {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Add, "Adding routes"),
        (Self::Replace, "Replacing routes"),
        (Self::Delete, "Deleting routes"),
    ];

    fn change(self, route: Route) -> Change<Route> {
        match self {
            Self::Add => Change::add(route),
            Self::Replace => Change::replace(route),
            Self::Delete => Change::delete(route),
        }
    }

    /// Message type and flags.
    const fn numbers(self) -> [&'static str; 2] {
        match self {
            Self::Add => ["24", "1536"],
            Self::Replace => ["24", "1280"],
            Self::Delete => ["25", "0"],
        }
    }
}

/// Routes by this are replaced by those by the other, and these by those.
const OTHER: RouteProtocol = RouteProtocol(99);

/// Puts the table into the state before `verb`, has `work` do it to all with the protocol given, and
/// puts it back.
fn between(
    verb: Verb,
    numbers: &Range<usize>,
    protocol: &Cell<RouteProtocol>,
    work: impl FnOnce(RouteProtocol) -> Result<(Sample, usize)>,
) -> Result<(Sample, usize)> {
    if verb == Verb::Replace {
        let next = if protocol.get() == OTHER { RouteProtocol::STATIC } else { OTHER };
        protocol.set(next);
    }
    let refused = work(protocol.get())?;
    match verb {
        Verb::Add => clear(numbers.clone(), protocol.get())?,
        Verb::Replace => {}
        Verb::Delete => fill(numbers.clone())?,
    }
    Ok(refused)
}

fn by_c(
    floor: &Path,
    verb: Verb,
    numbers: &Range<usize>,
    batch: &str,
    protocol: RouteProtocol,
) -> Result<(Sample, usize)> {
    let [message, flags] = verb.numbers();
    let (first, count) = (numbers.start.to_string(), numbers.len().to_string());
    let protocol = protocol.0.to_string();
    let words = ["routes", message, flags, &protocol, &first, &count, batch];
    measure::told(Command::new(floor).args(words))
}

pub(crate) fn run(setup: &Setup, end: Instant) -> Result<Vec<Plot>> {
    loopback()?;
    let mut plots = Vec::new();
    for (left, (verb, title)) in (1..=3).rev().zip(Verb::ALL) {
        let now = Instant::now();
        let end = now + end.saturating_duration_since(now) / left;
        measure::heading(title);
        let mut tables = Vec::new();
        for size in setup.sizes_to(100_000) {
            // The numbers of the refused are what candidates give.
            let (numbers, protocol) = (0..size, Cell::new(RouteProtocol::STATIC));
            let (numbers, protocol) = (&numbers, &protocol);
            if verb != Verb::Add {
                fill(numbers.clone())?;
            }
            let mut candidates = Vec::new();
            for (name, batch) in [("one by one (C)", "1"), ("last of 1024 acked (C)", "1024")] {
                let Some(floor) = &setup.floor else { continue };
                candidates.push(Candidate::new(name, move || {
                    between(verb, numbers, protocol, |it| by_c(floor, verb, numbers, batch, it))
                }));
            }
            candidates.push(Candidate::new("Connection::run", || {
                between(verb, numbers, protocol, |it| {
                    let mut changes = numbers.clone().map(|number| verb.change(route(number, it)));
                    measure::here(|| {
                        let mut connection = open()?;
                        changes.try_for_each(|change| connection.run(change))?;
                        Ok(0)
                    })
                })
            }));
            candidates.push(Candidate::new("Connection::batch", || {
                between(verb, numbers, protocol, |it| {
                    let changes = numbers.clone().map(|number| verb.change(route(number, it)));
                    measure::here(|| {
                        Ok(open()?.batch(changes).filter(std::result::Result::is_err).count())
                    })
                })
            }));
            let rows = measure::rounds(setup.rounds, end, &mut candidates)?;
            measure::print(size, &rows);
            if let Some(row) = rows.iter().find(|row| row.entries != 0) {
                return Err(format!("{}: {} were refused", row.name, row.entries).into());
            }
            drop(candidates);
            if verb != Verb::Add {
                clear(numbers.clone(), protocol.get())?;
            }
            tables.push((size, rows));
        }
        plots.push(crate::curves(title, &tables));
    }
    failures(setup.sizes_to(100_000).pop().unwrap_or_default())?;
    Ok(plots)
}

/// Adds routes of which some are there: exactly these are refused, and no ack is lost.
fn failures(size: usize) -> Result<()> {
    println!("\nRefusals in batches of {size} routes, each told by its request:");
    for (every, name) in [(997, "one of 997"), (2, "every other one"), (1, "all")] {
        let there = (0..size).step_by(every);
        let all = |number| Change::add(route(number, RouteProtocol::STATIC));
        let mut connection = open()?;
        for result in connection.batch(there.clone().map(all)) {
            result?;
        }
        let mut refused = 0;
        for (number, result) in connection.batch((0..size).map(all)).enumerate() {
            match result {
                Ok(()) if number % every != 0 => {}
                Err(Error::Refused(failure))
                    if number % every == 0 && failure.errno == Errno::EEXIST =>
                {
                    refused += 1;
                }
                other => return Err(format!("route {number}: {other:?}").into()),
            }
        }
        let overruns = connection.counters().overruns;
        println!("- {name} there already: {refused} refused, {overruns} overruns");
        if refused != there.len() || overruns != 0 {
            return Err("not what was to be".into());
        }
        clear(0..size, RouteProtocol::STATIC)?;
    }
    Ok(())
}
