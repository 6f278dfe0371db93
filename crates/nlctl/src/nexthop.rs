//! `nlctl nexthop`: nexthop objects with the words of `ip nexthop`.

use nl_route::parse::nexthop::{self as parse, Selector};
use nl_route::{Action, Change, GetNexthop, Hidden, List, Nexthop, NexthopBucket, json, text};

use crate::args::{Command, Kind, Options, command};
use crate::error::{Error, FAILED};
use crate::object::{Printer, Session};
use crate::out::Out;

/// The command with all that it understands.
pub(crate) const COMMAND: Command = Command {
    names: &["nexthop"],
    arguments: "COMMAND",
    about: "Nexthop objects, with the words of ip nexthop.",
    text: "",
    flags: &[],
    // In the order in which ip looks for what was cut short.
    kind: Kind::Group {
        commands: &[
            command(&["list", "lst", "show"], "List nexthop objects.", LIST_HELP, list),
            command(&["add"], "Add a nexthop object.", CHANGE_HELP, add),
            command(&["replace"], "Add one, or change it if it exists.", CHANGE_HELP, replace),
            command(&["delete"], "Delete a nexthop object.", GET_HELP, delete),
            command(&["get"], "Show one nexthop object.", GET_HELP, get),
            command(&["flush"], "Delete all that a selector names.", LIST_HELP, flush),
            Command {
                kind: Kind::Group {
                    commands: &[
                        command(&["list", "show"], "List buckets.", BUCKETS_HELP, buckets),
                        command(&["get"], "Show one bucket.", BUCKET_HELP, bucket),
                    ],
                    default: true,
                },
                ..command(&["bucket"], "Buckets of resilient groups.", "", buckets)
            },
        ],
        default: true,
    },
};

const LIST_HELP: &str = "\
WORDS are as of ip nexthop list: [id ID] [dev LINK] [master LINK] [groups] [fdb]
[protocol PROTOCOL].";

const CHANGE_HELP: &str = "\
WORDS are as of ip nexthop add: [id ID] [via [inet|inet6] ADDRESS] [dev LINK] [onlink] [blackhole]
[fdb] [protocol PROTOCOL], or [id ID] group ID[,WEIGHT][/ID[,WEIGHT]…] [type mpath|resilient
[buckets NUMBER] [idle_timer SECONDS] [unbalanced_timer SECONDS]] [hw_stats on|off] [fdb].";

const GET_HELP: &str = "WORDS are id ID.";

const BUCKETS_HELP: &str = "\
WORDS are as of ip nexthop bucket list: [id ID] [nhid ID] [dev LINK] [master LINK].";

const BUCKET_HELP: &str = "WORDS are id ID index NUMBER.";

const PRINTER: Printer<Nexthop> = Printer { json: json::nexthop, text: text::nexthop };
const BUCKETS: Printer<NexthopBucket> =
    Printer { json: json::nexthop_bucket, text: text::nexthop_bucket };

fn list(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    match parse::selector(&session.words, session.family, &session.names)? {
        Selector::Id(id) => session.get(out, &PRINTER, GetNexthop { id, statistics: false }),
        Selector::Filter(filter) => {
            session.list(out, &PRINTER, List::<Nexthop> { filter }, Hidden(0))
        }
    }
}

fn get(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let id = parse::get(&session.words, &session.names)?;
    session.get(out, &PRINTER, GetNexthop { id, statistics: options.has("statistics") })
}

fn change(action: Action, options: &Options) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let object = parse::change(&session.words, session.family, &session.names)?;
    session.change(&Change { action, object })
}

fn add(options: &Options, _: &mut Out) -> Result<u8, Error> {
    change(Action::Add, options)
}

fn replace(options: &Options, _: &mut Out) -> Result<u8, Error> {
    change(Action::Replace, options)
}

fn delete(options: &Options, _: &mut Out) -> Result<u8, Error> {
    change(Action::Delete, options)
}

fn flush(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let found = match parse::selector(&session.words, session.family, &session.names)? {
        Selector::Id(id) => {
            let one = Nexthop { id: Some(id), ..Nexthop::default() };
            let gone = session.change(&Change::delete(one));
            return gone.map_err(|error| error.with_code(FAILED));
        }
        Selector::Filter(filter) => session.all::<Nexthop>(filter)?,
    };
    let count = found.len();
    // A group that loses its last member is gone before its turn comes.
    session.delete(found)?;
    match count {
        0 => out.append(format_args!("Nothing to flush\n")),
        count => out.append(format_args!("Flushed {count} nexthops\n")),
    }
    Ok(0)
}

fn buckets(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let filter = parse::buckets(&session.words, &session.names)?;
    session.list(out, &BUCKETS, List::<NexthopBucket> { filter }, Hidden(0))
}

fn bucket(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let request = parse::bucket(&session.words, &session.names)?;
    session.get(out, &BUCKETS, request)
}
