//! `nlctl neigh`: neighbours with the words of `ip neighbour`.

use std::fmt::Write as _;

use nl_route::neighbour::NeighbourFilter;
use nl_route::parse::neighbour as parse;
use nl_route::value::NeighbourState;
use nl_route::{Action, AddressFamily, Change, Context, Hidden, List, Neighbour, json, text};

use crate::args::{Command, Kind, Options, command};
use crate::error::{Error, FAILED};
use crate::names;
use crate::object::{Printer, Session};
use crate::out::Out;

/// The command with all that it understands.
pub(crate) const COMMAND: Command = Command {
    names: &["neighbour", "neighbor"],
    arguments: "COMMAND",
    about: "Neighbours, with the words of ip neighbour.",
    text: "",
    flags: &[],
    // In the order in which ip looks for what was cut short.
    kind: Kind::Group {
        commands: &[
            command(&["list", "show", "lst"], "List neighbours.", LIST_HELP, list),
            command(&["add"], "Add a neighbour.", CHANGE_HELP, add),
            command(&["change", "chg"], "Change one that exists.", CHANGE_HELP, modify),
            command(&["replace"], "Add one, or change it if it exists.", CHANGE_HELP, replace),
            command(&["delete"], "Delete a neighbour.", CHANGE_HELP, delete),
            command(&["get"], "Show one neighbour.", GET_HELP, get),
            command(&["flush"], "Delete all that a selector names.", FLUSH_HELP, flush),
            command(
                &["fdb"],
                "List the forwarding entries of bridges and tunnels.",
                FDB_HELP,
                forwarding,
            ),
        ],
        default: true,
    },
};

const LIST_HELP: &str = "\
WORDS are as of ip neighbour show: [to] PREFIX, dev LINK, nud STATE, master LINK, nomaster, proxy,
unused, protocol PROTOCOL. Without nud all states but noarp are shown.";

const CHANGE_HELP: &str = "\
WORDS are as of ip neighbour add: [to] ADDRESS lladdr ADDRESS dev LINK [nud STATE] [router] [use]
[managed] [extern_learn] [protocol PROTOCOL], or proxy ADDRESS [dev LINK].";

const GET_HELP: &str = "WORDS are [to] ADDRESS dev LINK, or proxy ADDRESS dev LINK.";

const FLUSH_HELP: &str = "\
WORDS are as of list. Without nud permanent entries stay, and those of the state noarp. With -s it
tells how many went, with -s -s which.";

const FDB_HELP: &str = "WORDS are dev LINK and br LINK.";

const FULL: Printer<Neighbour> = Printer { json: json::neighbour, text: text::neighbour };
const BRIEF: Printer<Neighbour> =
    Printer { json: json::brief_neighbour, text: text::brief_neighbour };

/// How to print, as the options say.
fn printer(options: &Options) -> &'static Printer<Neighbour> {
    if options.has("brief") { &BRIEF } else { &FULL }
}

/// After this many rounds a flush gives up: as ip does.
const ROUNDS: usize = 10;

fn list(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let selector = parse::selector(&session.words, session.family, &session.names, false)?;
    let request = List::<Neighbour> { filter: selector.filter };
    session.list(out, printer(options), request, selector.hidden)
}

fn forwarding(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let mut filter =
        NeighbourFilter { family: AddressFamily::BRIDGE, ..NeighbourFilter::default() };
    for pair in session.words.chunks(2) {
        let link = |name: &str| {
            session.names.link_index(name).ok_or_else(|| {
                let name = crate::error::word(name);
                Error::new(FAILED, format_args!("Cannot find device \"{name}\""))
            })
        };
        match *pair {
            ["dev", name] => filter.index = Some(link(name)?),
            ["br" | "master", name] => filter.master = Some(link(name)?),
            _ => {
                let text = "nlctl: neigh fdb takes dev LINK and br LINK";
                return Err(Error::new(crate::error::USAGE, text));
            }
        }
    }
    session.list(out, &FULL, List::<Neighbour> { filter }, Hidden(0))
}

fn get(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let request = parse::get(&session.words, session.family, &session.names)?;
    session.get(out, printer(options), request)
}

fn change(action: Action, options: &Options) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let object = parse::change(&session.words, session.family, &session.names)?;
    session.change(&Change { action, object })
}

fn add(options: &Options, _: &mut Out) -> Result<u8, Error> {
    change(Action::Add, options)
}

fn modify(options: &Options, _: &mut Out) -> Result<u8, Error> {
    change(Action::Change, options)
}

fn replace(options: &Options, _: &mut Out) -> Result<u8, Error> {
    change(Action::Replace, options)
}

fn delete(options: &Options, _: &mut Out) -> Result<u8, Error> {
    change(Action::Delete, options)
}

fn flush(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let selector = parse::selector(&session.words, session.family, &session.names, true)?;
    let mut filter = selector.filter;
    let told = options.list("statistics").count();
    for round in 0..ROUNDS {
        let found: Vec<Neighbour> = session.all(filter)?;
        let context = names::context(&session.names, options);
        let context = Context { hidden: selector.hidden, ..context };
        if told > 1 {
            for neighbour in &found {
                text::neighbour(out.text(), neighbour, &context);
            }
        }
        if found.is_empty() {
            if told > 0 {
                // A String takes everything.
                let _ = match round {
                    0 => writeln!(out.text(), "Nothing to flush."),
                    1 => writeln!(out.text(), "*** Flush is complete after 1 round ***"),
                    n => writeln!(out.text(), "*** Flush is complete after {n} rounds ***"),
                };
            }
            return Ok(0);
        }
        if told > 0 {
            let (round, count) = (round + 1, found.len());
            out.append(format_args!("\n*** Round {round}, deleting {count} entries ***\n"));
        }
        session.delete(found)?;
        // Entries in use stay for a while as failed ones.
        filter.states = filter.states.without(NeighbourState::FAILED);
    }
    out.append(format_args!("*** Flush not complete bailing out after {ROUNDS} rounds\n"));
    Ok(FAILED)
}
