//! A table of a million routes: filled, listed in constant memory, replaced in part, flushed.

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use nl_route::request::{Change, List};
use nl_route::{Route, RouteProtocol, Scope};

use crate::Setup;
use crate::measure::{self, Result};
use crate::routes::{fill, list, loopback, open, open_ahead, route};

/// Of so many routes one is replaced.
const PART: usize = 10;

/// Who makes those that replace others.
const OTHER: RouteProtocol = RouteProtocol(99);

fn timed<T>(what: &str, count: usize, work: impl FnOnce() -> Result<T>) -> Result<T> {
    measure::forget_peak();
    let (before, begin) = (measure::memory("VmRSS"), Instant::now());
    let result = work()?;
    let took = begin.elapsed().as_secs_f64();
    let peak = measure::memory("VmHWM");
    println!(
        "| {what} | {count} | {:.0} | {:.2} | {before} | {peak} | {} |",
        took * 1e3,
        took * 1e6 / measure::number(count),
        peak.saturating_sub(before)
    );
    Ok(result)
}

/// The routes made here, by who made them: the others, and these.
fn census() -> Result<[usize; 2]> {
    let mut counts = [0; 2];
    for route in open()?.dump(List::<Route>::default())? {
        let route = route?;
        if route.scope == Scope::LINK && route.kind == nl_route::RouteType::UNICAST {
            counts[usize::from(route.protocol == OTHER)] += 1;
        }
    }
    Ok(counts)
}

/// A list whose reader pauses: the kernel waits for it, and neither side stores up.
fn slowly() -> Result<usize> {
    let mut count = 0;
    for route in open()?.dump(List::<Route>::default())? {
        black_box(route?);
        count += 1;
        if count % 10_000 == 0 {
            thread::sleep(Duration::from_millis(2));
        }
    }
    Ok(count)
}

fn expect<T: PartialEq + std::fmt::Debug>(found: &T, wanted: &T) -> Result<()> {
    if found == wanted { Ok(()) } else { Err(format!("{found:?} instead of {wanted:?}").into()) }
}

pub(crate) fn run(setup: &Setup) -> Result<()> {
    loopback()?;
    let size = setup.sizes.last().copied().unwrap_or_default();
    println!("\n## A table of {size} routes\n");
    println!("| | routes | ms | µs each | KiB resident before | at most | growth |");
    println!("|---|---|---|---|---|---|---|");
    timed("filled", size, || fill(0..size))?;
    let count = timed("listed", size, list)?;
    expect(&count, &size)?;
    timed("listed once more", size, list)?;
    timed("listed slowly", size, slowly)?;
    timed("listed with read_ahead", size, || {
        Ok(open_ahead()?.dump(List::<Route>::default())?.try_for_each(|route| route.map(drop))?)
    })?;
    let part = (0..size).step_by(PART);
    timed("replaced in part", part.len(), || {
        let changes = part.clone().map(|number| Change::replace(route(number, OTHER)));
        open()?.batch(changes).try_for_each(|result| Ok(result?))
    })?;
    expect(&census()?, &[size - part.len(), part.len()])?;
    timed("flushed", size, || {
        // Listed by one connection, deleted by another as they come.
        let (mut lister, mut deleter) = (open()?, open()?);
        let listed = lister.dump(List::<Route>::default())?.filter_map(|route| {
            let ours = |route: &Route| route.scope == Scope::LINK && route.oif == Some(1);
            route.ok().filter(ours).map(Change::delete)
        });
        deleter.batch(listed).try_for_each(|result| Ok(result?))
    })?;
    expect(&census()?, &[0, 0])
}
