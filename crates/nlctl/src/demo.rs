//! `nlctl demo`: the whole stack on a living kernel, in namespaces of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nl_conntrack::{Change as FlowChange, Flow, IpProtocol, ProtocolInfo, Tuple, text};
use nl_socket::{Connection, Events, Loss, Socket, Wait, netns};
use nl_watch::{Change, Flows, Item, Object, Routes, Watch};
use nl_wire::value::Family;

use crate::args::Options;
use crate::error::{Error, FAILED};
use crate::kernel::connect;
use crate::out::Out;

mod lab;
mod nft;
mod traffic;

use lab::{ELSEWHERE, HERE, Lab, SERVER, SERVER6};
use traffic::CONNECTIONS;

/// How long the kernel must be silent for a step to count as finished.
const SILENCE: Duration = Duration::from_millis(200);

/// The receive buffer for events, in bytes: enough not to lose any.
const BUFFER: usize = 8 << 20;

/// How many flows are marked, deleted, and made to provoke an overrun.
const MARKED: usize = 50;
const DELETED: usize = 25;
const FLOOD: u16 = 2000;

/// Runs the demonstration.
///
/// # Errors
/// If the host forbids private namespaces, something needed is missing, or, which would be a fault
/// of this program, a mirror differs from the kernel's table.
pub(crate) fn run(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let started = Instant::now();
    netns::enter_private()
        .map_err(|error| Error::new(FAILED, format_args!("nlctl demo: {error}")))?;
    say(out, "", "in network namespaces of its own; nothing of this host is touched")?;

    let mut lab = Lab::build(connect(Family::ROUTE, options)?).map_err(failed("links"))?;
    say(out, "links", format_args!("{} (veth) to a server's namespace", lab::CABLE))?;
    let mut routes = Watch::open(Routes::default()).map_err(failed("routes"))?;
    follow(&mut routes, |_| {}).map_err(failed("routes"))?;
    add_routes(out, &mut lab, &mut routes)?;

    nft::install(HERE[1], (SERVER, traffic::PORT)).map_err(failed("nf_tables"))?;
    say(out, "NAT", "two rules of nf_tables: a source and a destination translated")?;
    traffic::serve(&lab.server).map_err(|error| Error::io("server", &error))?;

    let socket = Socket::open(Family::NETFILTER.0).map_err(|error| Error::io("socket", &error))?;
    let buffer = socket.set_receive_buffer(BUFFER).map_err(|error| Error::io("socket", &error))?;
    let events = Events::new(socket, Flows::GROUPS).map_err(|error| Error::io("events", &error))?;
    let listing = connect(Family::NETFILTER, options)?;
    let mut flows = Watch::new(Flows::default(), events, listing);
    let mut changes = connect(Family::NETFILTER, options)?;
    connections(out, &mut flows, buffer)?;
    summary(out, &flows)?;
    mark_and_delete(out, &mut flows, &mut changes)?;
    overrun(out, &mut flows, &mut changes)?;

    let flows_equal = prove(out, "flows", &mut flows)?;
    let routes_equal = prove(out, "routes", &mut routes)?;
    let took = started.elapsed();
    if !flows_equal || !routes_equal {
        return Err(Error::new(FAILED, "nlctl demo: a mirror differs from the kernel's table"));
    }
    say(out, "done", format_args!("in {:.1} s", took.as_secs_f64()))?;
    Ok(0)
}

/// One line, shown at once.
fn say(out: &mut Out, label: &str, text: impl std::fmt::Display) -> Result<(), Error> {
    let _ = match label {
        "" => write!(out.text(), "nlctl demo: {text}"),
        label => write!(out.text(), "  {label:<11} {text}"),
    };
    out.end_line()?;
    out.flush()
}

fn failed(what: &'static str) -> impl Fn(nl_socket::Error) -> Error {
    move |error| Error::new(FAILED, format_args!("nlctl demo: {what}: {error}"))
}

fn milliseconds(time: Duration) -> impl std::fmt::Display {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// Takes items until the kernel has been silent for a while.
fn follow<O: Object>(
    watch: &mut Watch<O>,
    mut each: impl FnMut(&Item<O::Item>),
) -> Result<(), nl_socket::Error> {
    while let Some(item) = watch.next(Wait::at_most(SILENCE))? {
        each(&item);
    }
    Ok(())
}

fn add_routes(out: &mut Out, lab: &mut Lab, watch: &mut Watch<Routes>) -> Result<(), Error> {
    let changes = lab.routes();
    let started = Instant::now();
    let results: Vec<_> = lab.connection.batch(&changes).collect();
    let took = milliseconds(started.elapsed());
    let mut added = 0;
    for result in results {
        result.map_err(failed("routes"))?;
        added += 1;
    }
    let mut told = 0;
    follow(watch, |item| told += usize::from(matches!(item, Item::Change(Change::Added(_)))))
        .map_err(failed("routes"))?;
    let text = format!("{added} added in batches, {took}; {told} events told of them");
    say(out, "routes", text)?;
    match lab.connection.run(lab.refused_route()) {
        Err(error) => say(out, "refused", format_args!("one route, as it should be: {error}")),
        Ok(()) => Err(Error::new(FAILED, "nlctl demo: the kernel took an unreachable gateway")),
    }
}

/// Has the connections made and follows them.
fn connections(out: &mut Out, watch: &mut Watch<Flows>, buffer: usize) -> Result<(), Error> {
    let made = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&made);
    let started = Instant::now();
    follow(watch, |_| {}).map_err(failed("conntrack"))?;
    let client = std::thread::spawn(move || {
        traffic::connect(SERVER.into(), SERVER6.into(), ELSEWHERE.into(), &counter)
    });
    let progress = io::stderr().is_terminal();
    let (mut told, mut shown) = (BTreeMap::<&str, usize>::new(), Instant::now());
    loop {
        let over = client.is_finished();
        let item = watch.next(Wait::at_most(SILENCE)).map_err(failed("conntrack"))?;
        let kind = match &item {
            Some(Item::Change(Change::Added(_))) => "new",
            Some(Item::Change(Change::Changed { .. })) => "changed",
            Some(Item::Change(Change::Removed(_))) => "gone",
            Some(Item::Lost(_)) => "lost",
            None if over => break,
            _ => continue,
        };
        *told.entry(kind).or_default() += 1;
        if progress && shown.elapsed() > Duration::from_millis(40) {
            shown = Instant::now();
            let made = made.load(Ordering::Relaxed);
            let bar = made * 30 / CONNECTIONS;
            let _ = write!(
                io::stderr(),
                "\r  following   [{:#<bar$}{:.<2$}] {made}/{CONNECTIONS}, {3} flows",
                "",
                "",
                30 - bar,
                watch.mirror().len()
            );
        }
    }
    if progress {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
    match client.join() {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return Err(Error::io("nlctl demo: client", &error)),
        Err(_) => return Err(Error::new(FAILED, "nlctl demo: the client failed")),
    }
    let made = made.load(Ordering::Relaxed);
    let took = started.elapsed().as_secs_f64();
    let count = |kind| told.get(kind).copied().unwrap_or_default();
    let (new, changed, lost) = (count("new"), count("changed"), count("lost"));
    say(
        out,
        "followed",
        format_args!(
            "{made} connections made in {took:.1} s: {new} flows appeared, {changed} changes, \
             {lost} losses (buffer {} KiB)",
            buffer >> 10
        ),
    )
}

/// A table of what is tracked now.
fn summary(out: &mut Out, watch: &Watch<Flows>) -> Result<(), Error> {
    let mut rows = BTreeMap::<(&str, &str, &str), [usize; 2]>::new();
    for flow in watch.mirror().iter() {
        let protocol = if flow.original.protocol == IpProtocol::TCP { "tcp" } else { "udp" };
        let family = if flow.original.source.is_ipv4() { "ipv4" } else { "ipv6" };
        let state = flow.protocol_info.as_ref().and_then(ProtocolInfo::state_word).unwrap_or("-");
        let [all, translated] = rows.entry((family, protocol, state)).or_default();
        *all += 1;
        *translated += usize::from(flow.is_nat());
    }
    let _ = writeln!(out.text(), "\n  family  protocol  state        flows   NATed");
    for ((family, protocol, state), [all, translated]) in rows {
        let row = format!("  {family:<7} {protocol:<9} {state:<11} {all:>6}  {translated:>6}\n");
        out.text().push_str(&row);
    }
    // One of each kind of translation, as conntrack(8) prints them.
    out.text().push('\n');
    let kinds: [fn(&Flow) -> bool; 2] = [Flow::is_source_nat, Flow::is_destination_nat];
    for is_kind in kinds {
        if let Some(flow) = watch.mirror().iter().find(|flow| is_kind(flow)) {
            out.text().push_str("  ");
            text::flow(out.text(), flow, &text::Options::default());
            out.text().push('\n');
        }
    }
    out.end_line()?;
    out.flush()
}

/// Changes and deletes some flows, and waits until each is told of.
fn mark_and_delete(
    out: &mut Out,
    watch: &mut Watch<Flows>,
    connection: &mut Connection,
) -> Result<(), Error> {
    let some: Vec<Flow> = watch.mirror().iter().take(MARKED + DELETED).cloned().collect();
    let (marked, deleted) = some.split_at(MARKED.min(some.len()));
    let mark = |flow: &Flow| {
        let (original, zone) = (flow.original, flow.zone);
        FlowChange::update(Flow { mark: Some(7), zone, ..Flow::new(original) })
    };
    let delete = |flow: &Flow| FlowChange::delete(flow.clone());
    let changes: Vec<_> = marked.iter().map(mark).chain(deleted.iter().map(delete)).collect();
    for result in connection.batch(&changes) {
        result.map_err(failed("changes"))?;
    }
    let (mut changed, mut gone) = (0, 0);
    follow(watch, |item| match item {
        Item::Change(Change::Changed { new, .. }) => changed += usize::from(new.mark == Some(7)),
        Item::Change(Change::Removed(_)) => gone += 1,
        _ => {}
    })
    .map_err(failed("changes"))?;
    let (asked, deleted) = (marked.len(), deleted.len());
    say(out, "marked", format_args!("{asked} flows, {changed} events told of it"))?;
    say(out, "deleted", format_args!("{deleted} flows, {gone} events told of it"))
}

/// Floods a buffer made small, and shows that the loss is told and repaired.
fn overrun(
    out: &mut Out,
    watch: &mut Watch<Flows>,
    connection: &mut Connection,
) -> Result<(), Error> {
    let shrink = |bytes| watch.events().socket().set_receive_buffer(bytes);
    let small = shrink(16 << 10).map_err(|error| Error::io("overrun", &error))?;
    let flood = (1..=FLOOD).map(|number| {
        let client = ([10, 88, 0, 1].into(), number);
        let tuple = Tuple::with_ports(IpProtocol::UDP, client, ([10, 88, 0, 2].into(), 9));
        FlowChange::create(Flow { timeout: Some(60), ..Flow::new(tuple) })
    });
    for result in connection.batch(flood) {
        result.map_err(failed("overrun"))?;
    }
    let mut text = String::new();
    follow(watch, |item| {
        let _ = match item {
            Item::Lost(Loss::Overrun { dropped }) => {
                write!(
                    text,
                    "{FLOOD} flows made past a buffer of {} KiB: {dropped} events lost; ",
                    small >> 10
                )
            }
            Item::Resynced { added, removed, changed, took } => write!(
                text,
                "listed again in {}: {added} added, {removed} removed, {changed} changed",
                milliseconds(*took)
            ),
            _ => Ok(()),
        };
    })
    .map_err(failed("overrun"))?;
    let _ = watch.events().socket().set_receive_buffer(BUFFER);
    say(out, "overrun", text)
}

/// Compares a mirror with the kernel's table, entry by entry.
fn prove<O: Object>(out: &mut Out, what: &str, watch: &mut Watch<O>) -> Result<bool, Error> {
    let differences = watch.compare().map_err(failed("proof"))?;
    let entries = watch.mirror().len();
    if differences.is_empty() {
        let text = "in the mirror and in the kernel, equal entry by entry";
        say(out, "proof", format_args!("{entries} {what} {text}"))?;
        return Ok(true);
    }
    say(out, "proof", format_args!("{} differences in {what}:", differences.len()))?;
    for difference in differences.iter().take(5) {
        say(out, "", format_args!("{difference:?}"))?;
    }
    Ok(false)
}
