//! `nlctl addrlabel`, `netconf`, `ntable`, `mroute`, `netns`: with the words of ip.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use nl_route::address_label::AddressLabelFilter;
use nl_route::names::Names;
use nl_route::nsid::{AssignNsid, GetNsid, ListNsids, Nsid, NsidTarget};
use nl_route::parse::settings as parse;
use nl_route::{
    Action, AddressLabel, Change, Hidden, List, NeighbourTable, Netconf, Route, json, text,
};
use nl_socket::Connection;
use nl_socket::netns::Netns;
use nl_wire::text::Text;

use crate::args::{Command, Kind, Options, command};
use crate::error::{Error, FAILED, USAGE, word};
use crate::object::{Printer, Session};
use crate::out::Out;

const fn group(
    names: &'static [&'static str],
    about: &'static str,
    commands: &'static [Command],
) -> Command {
    Command {
        names,
        arguments: "COMMAND",
        about,
        text: "",
        flags: &[],
        kind: Kind::Group { commands, default: true },
    }
}

/// Address labels.
pub(crate) const ADDRESS_LABELS: Command = group(
    &["addrlabel"],
    "Address labels, with the words of ip addrlabel.",
    &[
        command(&["list", "show", "lst"], "List labels.", "No WORDS.", labels),
        command(&["add"], "Add a label.", LABEL_HELP, add_label),
        command(&["delete"], "Delete a label.", LABEL_HELP, delete_label),
        command(&["flush"], "Delete all labels.", "No WORDS.", flush_labels),
        command(&["get"], "Show an address's label.", "WORDS are ADDRESS [dev LINK].", get_label),
    ],
);

const LABEL_HELP: &str = "WORDS are as of ip addrlabel add: prefix PREFIX [dev LINK] label NUMBER.";

const LABEL: Printer<AddressLabel> =
    Printer { json: json::address_label, text: text::address_label };

/// Refuses words where there can be none, with ip's line.
fn nothing(session: &Session<'_>, line: &str) -> Result<(), Error> {
    if session.words.is_empty() { Ok(()) } else { Err(Error::new(FAILED, line)) }
}

fn labels(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    nothing(&session, "\"ip addrlabel show\" does not take any arguments.")?;
    let filter = AddressLabelFilter { family: session.family, ..AddressLabelFilter::default() };
    let listed = session.list(out, &LABEL, List::<AddressLabel> { filter }, Hidden(0));
    listed.map_err(|error| error.with_code(USAGE))
}

fn change_label(action: Action, options: &Options) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let object = parse::address_label(&session.words, session.family, &session.names)?;
    session.change(&Change { action, object })
}

fn add_label(options: &Options, _: &mut Out) -> Result<u8, Error> {
    change_label(Action::Add, options)
}

fn delete_label(options: &Options, _: &mut Out) -> Result<u8, Error> {
    change_label(Action::Delete, options)
}

fn flush_labels(options: &Options, _: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    nothing(&session, "\"ip addrlabel flush\" does not allow extra arguments")?;
    let all: Vec<AddressLabel> = session.all(AddressLabelFilter::default())?;
    session.delete(all)?;
    Ok(0)
}

fn get_label(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let request = parse::get_address_label(&session.words, &session.names)?;
    session.get(out, &LABEL, request)
}

/// Settings of interfaces.
pub(crate) const NETCONF: Command = group(
    &["netconf"],
    "Settings of interfaces, with the words of ip netconf.",
    &[command(&["show", "list", "lst"], "List settings.", "WORDS are [dev LINK].", netconf)],
);

const SETTINGS: Printer<Netconf> = Printer { json: json::netconf, text: text::netconf };

fn netconf(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let filter = parse::netconf(&session.words, session.family, &session.names)?;
    session.list(out, &SETTINGS, List::<Netconf> { filter }, Hidden(0))
}

/// Neighbour tables.
pub(crate) const NEIGHBOUR_TABLES: Command = group(
    &["ntable", "ntbl"],
    "Neighbour tables, with the words of ip ntable.",
    &[
        command(
            &["show", "list", "lst"],
            "List tables.",
            "WORDS are as of ip ntable show: [dev LINK] [name NAME].",
            tables,
        ),
        command(&["change", "chg"], "Change a table.", TABLE_HELP, change_table),
    ],
);

const TABLE_HELP: &str = "\
WORDS are as of ip ntable change: name NAME [dev LINK] [thresh1 NUMBER] [thresh2 NUMBER]
[thresh3 NUMBER] [gc_int MSEC] [base_reachable MSEC] [retrans MSEC] [gc_stale MSEC]
[delay_probe MSEC] [queue LENGTH] [app_probes NUMBER] [ucast_probes NUMBER] [mcast_probes NUMBER]
[anycast_delay MSEC] [proxy_delay MSEC] [proxy_queue LENGTH] [locktime MSEC].";

const TABLE: Printer<NeighbourTable> =
    Printer { json: json::neighbour_table, text: text::neighbour_table };

fn tables(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let filter = parse::neighbour_tables(&session.words, session.family, &session.names)?;
    session.list(out, &TABLE, List::<NeighbourTable> { filter }, Hidden(0))
}

fn change_table(options: &Options, _: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let object = parse::neighbour_table(&session.words, session.family, &session.names)?;
    session.change(&Change::change(object))
}

/// Multicast routes.
pub(crate) const MULTICAST_ROUTES: Command = group(
    &["mroute"],
    "Multicast routes, with the words of ip mroute.",
    &[command(
        &["show", "list", "lst"],
        "List multicast routes.",
        "WORDS are as of ip mroute show: [[to] PREFIX] [from PREFIX] [iif LINK] [table TABLE|all].",
        multicast_routes,
    )],
);

const ROUTE: Printer<Route> = Printer { json: json::route, text: text::route };

fn multicast_routes(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let words = &session.words;
    let selector = nl_route::parse::multicast(words, session.family, &session.names)?;
    session.list(out, &ROUTE, List::<Route> { filter: selector.filter }, selector.hidden)
}

/// Network namespaces and their ids.
pub(crate) const NAMESPACES: Command = group(
    &["netns"],
    "Network namespaces, with the words of ip netns.",
    &[
        command(&["list", "show", "lst"], "List named namespaces.", "No WORDS.", namespaces),
        command(
            &["list-id"],
            "List the ids that this namespace gives others.",
            "WORDS are as of ip netns list-id: [target-nsid ID] [nsid ID].",
            ids,
        ),
        command(&["set"], "Give a namespace an id.", "WORDS are NAME ID|auto.", set),
    ],
);

const NSID: Printer<Nsid> = Printer { json: json::nsid, text: text::nsid };

/// Where ip keeps named namespaces.
const NAMED: &str = "/run/netns";

/// The names of namespaces, sorted as ip finds them: not at all.
fn named() -> Vec<OsString> {
    fs::read_dir(NAMED).into_iter().flatten().flatten().map(|entry| entry.file_name()).collect()
}

/// The id of a named namespace, if it is one and has an id.
fn id_of(name: &OsStr, connection: &mut Connection) -> Option<i32> {
    let netns = Netns::path(Path::new(NAMED).join(name)).ok()?;
    let of = NsidTarget::Fd(netns.as_fd().as_raw_fd());
    connection.get(GetNsid { of }).ok()?.id
}

/// Learns the names of the namespaces that have an id.
pub(crate) fn learn_namespaces(names: &mut Names, connection: &mut Connection) {
    for name in named() {
        if let Some(id) = id_of(&name, connection) {
            names.set_netns(id, Some(name.as_bytes().into()));
        }
    }
}

fn namespaces(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    nothing(&session, "\"ip netns list\" does not take any arguments.")?;
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    for name in named() {
        let id = id_of(&name, &mut session.connection);
        let name = Text::from(name.as_bytes());
        rows.add(
            |json| {
                json.begin_object();
                json.field("name", &name);
                json.optional("id", id);
                json.end_object();
            },
            |text| {
                let id = id.map_or_else(String::new, |id| format!(" (id: {id})"));
                text.extend([&*name.to_string(), &*id, "\n"]);
            },
        )?;
    }
    rows.end()?;
    Ok(0)
}

fn wrong(typed: &str, reason: &str) -> Error {
    Error::new(USAGE, format_args!("Error: argument \"{}\" is wrong: {reason}", word(typed)))
}

fn ids(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let (mut target, mut only) = (None, None);
    let mut words = session.words.iter();
    while let Some(key) = words.next() {
        let (slot, reason) = match *key {
            "target-nsid" => (&mut target, "\"target-nsid\" value is invalid"),
            "nsid" => (&mut only, "\"nsid\" value is invalid"),
            other => return Err(wrong(other, "unknown")),
        };
        let value = words.next().copied().unwrap_or_default();
        let id = value.parse().ok().filter(|id: &i32| *id >= 0);
        *slot = Some(id.ok_or_else(|| wrong(value, reason))?);
    }
    learn_namespaces(&mut session.names, &mut session.connection);
    if let Some(id) = only {
        return session.get(out, &NSID, GetNsid { of: NsidTarget::Id(id) });
    }
    let listed = session.list(out, &NSID, ListNsids { target }, Hidden(0));
    listed.map_err(|error| error.with_code(FAILED))
}

fn set(options: &Options, _: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let (name, id) = match session.words[..] {
        [] => return Err(Error::new(FAILED, "No netns name specified")),
        [_] => return Err(Error::new(FAILED, "No nsid specified")),
        [name, id, ..] => (name, id),
    };
    let parsed = id.parse::<i32>().ok().filter(|id| *id >= 0);
    if id != "auto" && parsed.is_none() {
        return Err(wrong(id, "Invalid \"netnsid\" value"));
    }
    let netns = Netns::named(name).map_err(|error| {
        let name = word(name).to_string();
        Error::io(format_args!("Cannot open network namespace \"{name}\""), &error)
    })?;
    let to = NsidTarget::Fd(netns.as_fd().as_raw_fd());
    let request = AssignNsid { to, id: parsed };
    session.connection.run(request).map_err(|error| Error::rtnetlink(&error))?;
    Ok(0)
}
