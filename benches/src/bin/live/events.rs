//! Events of connection tracking: reading what is queued, and keeping up.

use std::hint::black_box;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nl_conntrack::event::groups;
use nl_conntrack::{Change, Event, Flush};
use nl_socket::{Event as Item, Events, Loss, NetlinkOption, Socket, Wait};
use nl_wire::value::Family;

use crate::Setup;
use crate::flows::{account, fill, flow, open};
use crate::measure::{self, Candidate, Result, Sample, number};

/// Events that a queue of the size that any host allows can hold, with some to spare.
const QUEUED: usize = 3000;

/// Receive buffers asked for, in bytes; the kernel keeps book of twice as much.
const BUFFER: usize = 4 << 20;
const SMALL_BUFFER: usize = 1 << 20;

/// How long a flood lasts.
const FLOOD: Duration = Duration::from_secs(2);

fn listen(buffer: usize) -> Result<Events> {
    let socket = Socket::open(Family::NETFILTER.0)?;
    socket.set_option(NetlinkOption::NoEnobufs, true)?;
    socket.set_receive_buffer(buffer)?;
    Ok(Events::new(socket, &groups::FLOWS)?)
}

/// Reads and decodes events until none comes within `wait`; their number, and that of the lost.
fn read(events: &mut Events, wait: Duration, until: &AtomicBool) -> Result<(usize, u64)> {
    let (mut count, mut lost) = (0, 0);
    loop {
        let wait = if until.load(Ordering::Relaxed) { Wait::Never } else { Wait::at_most(wait) };
        match events.next(wait)? {
            Some(Item::Message { message, .. }) => {
                count += usize::from(black_box(Event::decode(&message)?).is_some());
            }
            Some(Item::Loss(Loss::Overrun { dropped })) => lost += u64::from(dropped),
            Some(Item::Loss(loss)) => return Err(loss.to_string().into()),
            None if until.load(Ordering::Relaxed) => return Ok((count, lost)),
            None => {}
        }
    }
}

/// The C program, listening.
fn peer(program: &Path, verb: &str, buffer: usize) -> Result<Child> {
    let mut child = Command::new(program)
        .args([verb, &buffer.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    // It says nothing else before it is told to go on, so nothing is lost in this reader.
    let mut line = String::new();
    BufReader::with_capacity(1, child.stdout.as_mut().ok_or("no output")?).read_line(&mut line)?;
    if line == "ready\n" { Ok(child) } else { Err(format!("peer says {line:?}").into()) }
}

fn told(mut child: Child) -> Result<(Sample, usize)> {
    child.stdin.take().ok_or("no input")?.write_all(b"\n")?;
    measure::report(&mut child)
}

pub(crate) fn run(setup: &Setup, end: Instant) -> Result<()> {
    account();
    drain(setup, end)?;
    flood(setup, end)
}

fn drain(setup: &Setup, end: Instant) -> Result<()> {
    measure::heading("Reading queued events, each decoded");
    let at_once = AtomicBool::new(true);
    let mut candidates = Vec::new();
    if let Some(program) = &setup.peer {
        candidates.push(Candidate::new("poll + recv + libnetfilter_conntrack (C)", || {
            let child = peer(program, "drain", BUFFER)?;
            fill(0..QUEUED)?;
            let result = told(child);
            open()?.run(Flush::default())?;
            result
        }));
    }
    candidates.push(Candidate::new("Events, Event::decode", || {
        let mut events = listen(BUFFER)?;
        fill(0..QUEUED)?;
        let result = measure::here(|| Ok(read(&mut events, Duration::ZERO, &at_once)?.0));
        drop(events);
        open()?.run(Flush::default())?;
        result
    }));
    let rows = measure::rounds(3 * setup.rounds, end, &mut candidates)?;
    measure::print(QUEUED, &rows);
    match rows.iter().find(|row| row.entries != QUEUED) {
        Some(row) => Err(format!("{} saw {} of {QUEUED} events", row.name, row.entries).into()),
        None => Ok(()),
    }
}

/// What one listener made of a flood.
struct Flood {
    made: usize,
    seen: usize,
    lost: Option<u64>,
    sample: Sample,
}

/// Makes and deletes flows on two threads until told to stop; the number of events.
fn make(stop: &AtomicBool) -> Result<usize> {
    const AT_ONCE: usize = 500;
    let made = AtomicUsize::new(0);
    let write = |base: usize| -> Result<()> {
        let mut connection = open()?;
        while !stop.load(Ordering::Relaxed) {
            for change in
                [Change::create, |it: nl_conntrack::Flow| Change::delete_tuple(it.original, None)]
            {
                let changes = (base..base + AT_ONCE).map(|number| change(flow(number)));
                let done = connection.batch(changes).flatten().count();
                made.fetch_add(done, Ordering::Relaxed);
            }
        }
        Ok(())
    };
    thread::scope(|scope| {
        let writers = [0, AT_ONCE]
            .map(|base| scope.spawn(move || write(base).map_err(|error| error.to_string())));
        writers
            .into_iter()
            .try_for_each(|writer| writer.join().unwrap_or_else(|_| Err("panic".into())))
    })?;
    Ok(made.into_inner())
}

fn flood(setup: &Setup, end: Instant) -> Result<()> {
    println!(
        "\n## A flood of events: two writers as fast as they can, for {} s\n",
        FLOOD.as_secs()
    );
    println!("| | made | seen | lost | known to be lost | seen in a second | CPU µs an event |");
    println!("|---|---|---|---|---|---|---|");
    for round in 0..setup.rounds.min(3) {
        if round > 0 && Instant::now() > end {
            break;
        }
        if let Some(program) = &setup.peer {
            print("libnetfilter_conntrack (C)", &flood_peer(program)?);
        }
        print("Events, Event::decode", &flood_own()?);
    }
    Ok(())
}

fn print(name: &str, flood: &Flood) {
    let Flood { made, seen, lost, sample } = flood;
    let (made, seen) = (*made, *seen);
    let share = 100.0 * number(made.saturating_sub(seen)) / number(made);
    let known = lost.map_or("–".into(), |lost| lost.to_string());
    let rate = number(seen) / FLOOD.as_secs_f64();
    let cpu = sample.cpu.as_secs_f64() * 1e6 / number(seen);
    println!("| {name} | {made} | {seen} | {share:.1} % | {known} | {rate:.0} | {cpu:.2} |");
}

/// Makes a flood for its time.
fn storm() -> Result<usize> {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(FLOOD);
            stop.store(true, Ordering::Relaxed);
        });
        make(&stop)
    })
}

fn flood_peer(program: &Path) -> Result<Flood> {
    let child = peer(program, "follow", SMALL_BUFFER)?;
    let made = storm()?;
    let (sample, seen) = told(child)?;
    Ok(Flood { made, seen, lost: None, sample })
}

fn flood_own() -> Result<Flood> {
    let mut events = listen(SMALL_BUFFER)?;
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let read = || read(&mut events, Duration::from_millis(10), &over);
            measure::here(read).map_err(|error| error.to_string())
        });
        let made = storm();
        over.store(true, Ordering::Relaxed);
        let (sample, (seen, lost)) = reader.join().map_err(|_| "a panic")??;
        Ok(Flood { made: made?, seen, lost: Some(lost), sample })
    })
}
