//! `nlctl doctor`: what this host allows, and what would help where it does not.

use nl_socket::Connection;
use nl_wire::json::{Json, ToJson};
use nl_wire::text::Escaped;
use nl_wire::value::Family;

use crate::args::{Command, Kind, Options};
use crate::error::{Error, FAILED, USAGE, word};
use crate::kernel::{self, Tracer};
use crate::out::Out;

mod host;
mod tracking;

/// The command.
pub(crate) const COMMAND: Command = Command {
    names: &["doctor"],
    arguments: "",
    about: "Tell what this host's kernel, settings and privileges allow.",
    text: "\
A line for each thing that matters here: \"ok\", \"warn\" where something is worse than it could be,
\"missing\" where something can't work; then what would help. It is looked at in the network
namespace of --netns, with the privileges of this process. Nothing is changed; but a kernel that
loads modules on demand may load those that are asked for: nfnetlink, nf_conntrack_netlink,
nf_tables.

With -j an array of {\"check\":NAME,\"state\":\"ok\"|\"warn\"|\"missing\",\"found\":TEXT,\"remedy\":TEXT},
without \"remedy\" where none is needed. Exit code 0, or 1 if anything is missing.
",
    flags: &[],
    kind: Kind::Run(run),
};

/// How it stands with something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Ok,
    /// Works, but worse than it could.
    Warn,
    /// Does not work.
    Missing,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Missing => "missing",
        }
    }
}

/// What was found out about one thing.
#[derive(PartialEq, Eq, Debug)]
struct Check {
    name: &'static str,
    state: State,
    found: String,
    /// What would help.
    remedy: Option<String>,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, state: State::Ok, found: found.into(), remedy: None }
    }

    fn warn(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        let remedy = Some(remedy.into());
        Self { name, state: State::Warn, found: found.into(), remedy }
    }

    fn missing(name: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { state: State::Missing, ..Self::warn(name, found, remedy) }
    }

    /// The line, and a second one for the remedy.
    fn line(&self, out: &mut String) {
        use std::fmt::Write as _;
        // Settings are the kernel's text.
        let found = Escaped(self.found.as_bytes());
        let _ = writeln!(out, "{:<8} {:<24} {found}", self.state.word(), self.name);
        if let Some(remedy) = &self.remedy {
            let _ = writeln!(out, "{:<8} {:<24} -> {}", "", "", Escaped(remedy.as_bytes()));
        }
    }
}

impl ToJson for Check {
    fn to_json(&self, json: &mut Json<'_>) {
        json.begin_object();
        json.field("check", self.name);
        json.field("state", self.state.word());
        json.field("found", &*self.found);
        json.optional("remedy", self.remedy.as_deref());
        json.end_object();
    }
}

/// `nlctl doctor`
fn run(options: &Options, out: &mut Out) -> Result<u8, Error> {
    if let Some(typed) = options.words().first() {
        let text = "is unknown, try \"nlctl doctor help\".";
        return Err(Error::new(USAGE, format_args!("Argument \"{}\" {text}", word(typed))));
    }
    let tracer = kernel::tracer(options);
    let checks = match kernel::netns(options)? {
        // Settings are those of the namespace that the reading thread is in.
        Some(netns) => netns
            .run(move || check(tracer))
            .map_err(|error| Error::io("cannot enter the network namespace", &error))?,
        None => check(tracer),
    };
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    for check in &checks {
        rows.add(|json| json.value(check), |line| check.line(line))?;
    }
    rows.end()?;
    let missing = checks.iter().any(|check| check.state == State::Missing);
    Ok(if missing { FAILED } else { 0 })
}

/// Looks at everything, from the calling thread's network namespace.
fn check(tracer: Option<Tracer>) -> Vec<Check> {
    let mut checks = host::check(tracer);
    checks.extend(tracking::check(tracer));
    checks
}

/// A connection whose messages are shown, with `--trace`.
fn connect(family: Family, tracer: Option<Tracer>) -> Result<Connection, nl_socket::Error> {
    let mut connection = Connection::open(family)?;
    if let Some(tracer) = tracer {
        connection.set_tracer(Some(Box::new(tracer)));
    }
    Ok(connection)
}
