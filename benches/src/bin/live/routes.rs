//! Listing routes.

use std::hint::black_box;
use std::ops::Range;
use std::process::Command;
use std::time::{Duration, Instant};

use nl_route::request::{Change, List};
use nl_route::{Prefix, Route, RouteProtocol, Scope};
use nl_socket::Connection;
use nl_wire::value::Family;

use crate::measure::{self, Candidate, Result, Row, Sample};
use crate::{Setup, has};

pub(crate) fn open() -> std::result::Result<Connection, nl_socket::Error> {
    Connection::open(Family::ROUTE)
}

/// Route `number`, of one host each, by the loopback device.
pub(crate) fn route(number: usize, protocol: RouteProtocol) -> Route {
    let address = 0x0a00_0000 + u32::try_from(number).unwrap_or_default();
    Route {
        destination: Some(Prefix { address: address.to_be_bytes().into(), length: 32 }),
        oif: Some(1),
        scope: Scope::LINK,
        protocol,
        ..Route::default()
    }
}

/// Brings the loopback device up, which takes no further program where `ip` is missing.
pub(crate) fn loopback() -> Result<()> {
    use nl_route::Link;
    use nl_route::value::LinkFlags;
    let link = Link { index: 1, flags: LinkFlags::UP, change: LinkFlags::UP, ..Link::default() };
    Ok(open()?.run(Change::change(link))?)
}

/// Adds routes.
pub(crate) fn fill(numbers: Range<usize>) -> Result<()> {
    let mut connection = open()?;
    for result in
        connection.batch(numbers.map(|number| Change::add(route(number, RouteProtocol::STATIC))))
    {
        result?;
    }
    Ok(())
}

/// Deletes them.
pub(crate) fn clear(numbers: Range<usize>, protocol: RouteProtocol) -> Result<()> {
    let mut connection = open()?;
    for result in connection.batch(numbers.map(|number| Change::delete(route(number, protocol)))) {
        result?;
    }
    Ok(())
}

/// Walks the table and counts the routes that were made here.
fn count(connection: &mut Connection) -> Result<usize> {
    let mut count = 0;
    for item in connection.dump(List::<Route>::default())? {
        // Looked at where it is: a `?` alone would move it.
        match black_box(&item) {
            Ok(route) => count += usize::from(route.protocol == RouteProtocol::STATIC),
            Err(_) => drop(item?),
        }
    }
    Ok(count)
}

pub(crate) fn list() -> Result<usize> {
    count(&mut open()?)
}

/// A connection with the thread that receives for it.
pub(crate) fn open_ahead() -> Result<Connection> {
    let mut connection = open()?;
    connection.read_ahead()?;
    Ok(connection)
}

fn list_ahead() -> Result<(Sample, usize)> {
    let mut connection = open_ahead()?;
    measure::threads(|| count(&mut connection))
}

/// The least time from the request to the first route, of many dumps.
pub(crate) fn first() -> Result<Duration> {
    let mut least = Duration::MAX;
    for _ in 0..50 {
        let mut connection = open()?;
        let begin = Instant::now();
        let first = connection.dump(List::<Route>::default())?.next().transpose()?;
        least = least.min(begin.elapsed());
        black_box(first);
    }
    Ok(least)
}

pub(crate) fn run(setup: &Setup, end: Instant) -> Result<Vec<(usize, Vec<Row>)>> {
    loopback()?;
    let ip = has("ip");
    measure::heading("Listing routes");
    let (mut tables, mut filled, mut firsts) = (Vec::new(), 0, Vec::new());
    for size in setup.sizes_to(1_000_000) {
        fill(filled..size)?;
        filled = size;
        let mut candidates = Vec::new();
        if let Some(floor) = &setup.floor {
            candidates.push(Candidate::new("receive and discard (C)", move || {
                measure::told(Command::new(floor).args(["dump", "0", "26"])).map(|it| (it.0, size))
            }));
        }
        candidates.push(Candidate::new("Connection::dump, all fields", || measure::here(list)));
        candidates.push(Candidate::new("the same, read_ahead", list_ahead));
        let run = |command: &mut Command| measure::program(command).map(|sample| (sample, size));
        let programs = [("ip", ip.then(|| "ip".into())), ("nlctl", setup.nlctl.clone())];
        for (program, path) in programs.into_iter().filter_map(|(name, path)| Some((name, path?))) {
            let (text, json) = match program {
                "ip" => ("ip route list", "ip -j route list"),
                _ => ("nlctl route list", "nlctl -j route list"),
            };
            let json_path = path.clone();
            candidates.push(Candidate::new(text, move || {
                run(Command::new(&path).args(["route", "list"]))
            }));
            candidates.push(Candidate::new(json, move || {
                run(Command::new(&json_path).args(["-j", "route", "list"]))
            }));
        }
        let rows = measure::rounds(setup.rounds, end, &mut candidates)?;
        measure::print(size, &rows);
        if let Some(row) = rows.iter().find(|row| row.entries != size) {
            return Err(format!("{} saw {} of {size} routes", row.name, row.entries).into());
        }
        firsts.push((size, first()?));
        tables.push((size, rows));
    }
    println!("\nFrom the request to the first route, least of 50:");
    for (size, first) in firsts {
        println!("- {size} routes: {:.1} µs", first.as_secs_f64() * 1e6);
    }
    clear(0..filled, RouteProtocol::STATIC)?;
    Ok(tables)
}
