//! `nlctl`: routes and tracked connections from the command line, with the words of ip(8) and
//! conntrack(8).

use std::io;
use std::process::ExitCode;

use args::{Command, Flag, Kind, Parsed, help, parse};
use error::{Error, FAILED, USAGE, say};
use out::Out;

mod addr;
mod args;
mod batch;
mod bridge;
mod completions;
mod conntrack;
mod decode;
mod demo;
mod doctor;
mod error;
mod feed;
mod kernel;
mod link;
mod maddr;
mod manual;
mod message;
mod metrics;
mod monitor;
mod names;
mod nat;
mod neigh;
mod nexthop;
mod object;
mod out;
mod outline;
mod route;
mod rule;
mod saved;
mod settings;
mod traffic;
mod tunnel;
mod vrf;

/// The options of all commands.
static FLAGS: [Flag; 26] = [
    switch('j', &["json"], "print JSON"),
    switch('p', &["pretty"], "lay JSON out for people"),
    switch('d', &["details"], "show more"),
    switch('s', &["statistics", "stats"], "show counters and times"),
    switch('o', &["oneline"], "join the lines of an object"),
    Flag {
        short: Some('c'),
        long: &["color", "colour"],
        value: Some("[always|auto|never]"),
        help: "colours as of ip, or on a terminal only",
    },
    switch('N', &["numeric", "Numeric"], "print numbers where they have names"),
    switch(
        'h',
        &["human", "human-readable"],
        "round large counters, before a command; else --help",
    ),
    Flag { short: None, long: &["iec"], value: None, help: "round them to powers of 1,024" },
    Flag {
        short: None,
        long: &["brief", "br"],
        value: None,
        help: "one line for a link and its addresses",
    },
    Flag {
        short: Some('f'),
        long: &["family"],
        value: Some("inet|inet6|mpls|bridge|link"),
        help: "one family alone, as -4, -6, -M, -B, -0",
    },
    switch('4', &["4"], "IPv4 only"),
    switch('6', &["6"], "IPv6 only"),
    switch('M', &["M"], "MPLS only"),
    switch('B', &["B"], "bridges only"),
    switch('0', &["0"], "links only"),
    Flag {
        short: Some('n'),
        long: &["netns"],
        value: Some("NAME|PATH|PID"),
        help: "work in another network namespace",
    },
    switch('t', &["timestamp"], "print a line with the time before each event"),
    Flag {
        short: None,
        long: &["tshort", "ts"],
        value: None,
        help: "print the time before each event",
    },
    Flag {
        short: None,
        long: &["rcvbuf", "rc"],
        value: Some("BYTES"),
        help: "ask for a receive buffer of this size",
    },
    Flag {
        short: Some('l'),
        long: &["loops"],
        value: Some("COUNT"),
        help: "rounds of flushing addresses; 10 without this, 0 until none is left",
    },
    Flag {
        short: None,
        long: &["trace"],
        value: None,
        help: "show every message sent and received on stderr",
    },
    Flag {
        short: Some('b'),
        long: &["batch"],
        value: Some("FILE"),
        help: "carry out the commands in FILE, - being standard input, a line each",
    },
    Flag {
        short: None,
        long: &["force"],
        value: None,
        help: "go on where a command of a batch failed",
    },
    Flag { short: None, long: &["help"], value: None, help: "print this" },
    switch('V', &["version", "Version"], "print the version"),
];

const fn switch(short: char, long: &'static [&'static str], help: &'static str) -> Flag {
    Flag { short: Some(short), long, value: None, help }
}

/// All that nlctl understands.
pub(crate) static COMMANDS: Command = Command {
    names: &["nlctl"],
    arguments: "OBJECT COMMAND",
    about: "Routes and tracked connections, live and recorded.",
    text: "\
nlctl help OBJECT [COMMAND] tells more. Beginnings of words will do, as in nlctl r g 192.0.2.7.
Exit codes are those of ip: 0 success; 1 something that was named is not there; 2 the kernel
refused; 255 what was typed makes no sense. Those of nlctl conntrack are conntrack's.
",
    flags: &FLAGS,
    kind: Kind::Group {
        commands: &[
            ROUTE,
            rule::COMMAND,
            neigh::COMMAND,
            nexthop::COMMAND,
            link::COMMAND,
            addr::COMMAND,
            conntrack::COMMAND,
            MONITOR,
            DECODE,
            DEMO,
            doctor::COMMAND,
            nat::COMMAND,
            metrics::COMMAND,
            settings::ADDRESS_LABELS,
            settings::NEIGHBOUR_TABLES,
            settings::NAMESPACES,
            settings::NETCONF,
            settings::MULTICAST_ROUTES,
            traffic::QDISCS,
            traffic::CLASSES,
            bridge::COMMAND,
            maddr::COMMAND,
            tunnel::COMMAND,
            vrf::ROUTERS,
            vrf::TOKENS,
            completions::COMMAND,
            manual::COMMAND,
        ],
        default: false,
    },
};

const DEMO: Command = Command {
    names: &["demo"],
    arguments: "",
    about: "Watch the whole stack at work, in network namespaces of its own.",
    text: "\
Needs no privilege and touches nothing of this host: in user and network namespaces of its own it
lays a cable to a server, adds routes, makes 1,000 connections, part of them with translated
addresses, follows them by its own event stream, changes and deletes some, provokes an overrun,
and compares its mirrors with the kernel's tables entry by entry.
",
    flags: &[],
    kind: Kind::Run(demo::run),
};

const ROUTE: Command = Command {
    names: &["route"],
    arguments: "COMMAND",
    about: "Routes, with the words of ip route.",
    text: "",
    flags: &[],
    // In the order in which ip looks for what was cut short.
    kind: Kind::Group {
        commands: &[
            Command {
                names: &["list", "show", "lst"],
                arguments: "[SELECTOR]",
                about: "List routes.",
                text: route::LIST_HELP,
                ..ROUTE_COMMAND
            },
            Command {
                names: &["get"],
                arguments: "ADDRESS …",
                about: "Show which way a packet would go.",
                text: route::GET_HELP,
                kind: Kind::Run(route::get),
                ..ROUTE_COMMAND
            },
            route_change(&["add"], "Add a route.", route::add),
            route_change(&["change", "chg"], "Change a route that exists.", route::modify),
            route_change(&["replace"], "Add a route, or change it if it exists.", route::replace),
            route_change(&["prepend"], "Add a route before those of its prefix.", route::prepend),
            route_change(&["append"], "Add a route behind those of its prefix.", route::append),
            route_change(&["delete"], "Delete a route.", route::delete),
            Command {
                names: &["flush"],
                arguments: "SELECTOR",
                about: "Delete all routes that a selector names.",
                text: route::LIST_HELP,
                kind: Kind::Run(saved::flush_routes),
                ..ROUTE_COMMAND
            },
            Command {
                names: &["save"],
                arguments: "[SELECTOR]",
                about: "Write routes to standard output, for restore and ip route restore.",
                text: route::LIST_HELP,
                kind: Kind::Run(saved::save_routes),
                ..ROUTE_COMMAND
            },
            Command {
                names: &["restore"],
                arguments: "",
                about: "Make the routes that save or ip route save wrote, from standard input.",
                text: "",
                kind: Kind::Run(saved::restore_routes),
                ..ROUTE_COMMAND
            },
            Command {
                names: &["showdump"],
                arguments: "",
                about: "List the routes that save or ip route save wrote, from standard input.",
                text: "",
                kind: Kind::Run(saved::show_routes),
                ..ROUTE_COMMAND
            },
        ],
        default: true,
    },
};

const ROUTE_COMMAND: Command = Command {
    names: &[],
    arguments: "ROUTE",
    about: "",
    text: route::CHANGE_HELP,
    flags: &[],
    kind: Kind::Run(route::list),
};

const fn route_change(
    names: &'static [&'static str],
    about: &'static str,
    run: args::Run,
) -> Command {
    Command { names, about, kind: Kind::Run(run), ..ROUTE_COMMAND }
}

const MONITOR: Command = Command {
    names: &["monitor"],
    arguments: "[OBJECT…|all] [label] [all-nsid] [dev LINK]",
    about: "Show changes as they happen, as ip monitor does.",
    text: monitor::HELP,
    flags: &monitor::FLAGS,
    kind: Kind::Run(monitor::run),
};

const DECODE: Command = Command {
    names: &["decode"],
    arguments: "FILE",
    about: "Show recorded messages.",
    text: decode::HELP,
    flags: &decode::FLAGS,
    kind: Kind::Run(decode::run),
};

fn main() -> ExitCode {
    match run() {
        Ok(code) => ExitCode::from(code),
        // Whoever read our output has seen enough.
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Error::Output(error)) => {
            say(format_args!("nlctl: cannot write: {}", error::io_text(&error)));
            ExitCode::from(FAILED)
        }
        Err(Error::Told { code, text }) => {
            say(text);
            ExitCode::from(code)
        }
    }
}

fn run() -> Result<u8, Error> {
    let parsed = parse(&COMMANDS)?;
    let mut out = Out::new()?;
    let code = match parsed {
        Parsed::Run(run, options) => run(&options, &mut out),
        Parsed::Version => {
            out.text().push_str(concat!("nlctl ", env!("CARGO_PKG_VERSION"), "\n"));
            Ok(0)
        }
        Parsed::Help(path) => {
            help(out.text(), &path);
            Ok(0)
        }
        Parsed::Incomplete(path) => {
            let mut text = String::new();
            help(&mut text, &path);
            return Err(Error::new(USAGE, text.trim_end()));
        }
    };
    // What was found before an error is shown before it.
    out.flush()?;
    code
}
