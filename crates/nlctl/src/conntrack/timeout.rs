//! `nlctl conntrack timeout`: how long flows are remembered.

use nl_conntrack::parse::Spelled;
use nl_conntrack::{GetTimeouts, IpProtocol, ListTimeouts, TimeoutChange, Timeouts};
use nl_socket::Connection;
use nl_wire::value::{AddressFamily, Family};

use super::help::Section;
use crate::args::{self, Options};
use crate::error::{Error, word};
use crate::kernel;
use crate::out::Out;
use crate::outline::{self, Place, grammar};

/// What these are.
pub(super) const ABOUT: &str = "timeout policies, which rules of nftables attach to flows";

/// A command: its name, what stands behind it, what it does, and how.
type Row = (&'static str, &'static str, &'static str, Run);

/// Carries out a command; gives what it shows.
type Run = fn(&mut Connection, &[&str]) -> Result<Vec<Timeouts>, Error>;

static COMMANDS: [Row; 7] = [
    ("list", "", "show all policies", list),
    ("get", "NAME", "show one", get),
    ("add", "NAME ipv4|ipv6 PROTOCOL STATE=SECONDS …", "make one", add),
    ("replace", "NAME ipv4|ipv6 PROTOCOL STATE=SECONDS …", "make one, or change it", replace),
    ("delete", "NAME", "delete one", delete),
    ("flush", "", "delete all that no rule uses", flush),
    (
        "default",
        "PROTOCOL [STATE=SECONDS …]",
        "show what holds without a policy, or set it",
        default,
    ),
];

/// What there is to say of their words.
const WORDS: &str = "\
PROTOCOL is tcp, udp, udplite, sctp, dccp, icmp, icmpv6, gre, or generic for all others.
STATE is a state of the protocol (established, time_wait, …), unreplied or replied of udp, udplite
and gre, timeout of icmp, icmpv6 and generic.
A policy is shown as NAME FAMILY PROTOCOL STATE=SECONDS … use=RULES, or with --json as an object
with the keys name, family, protocol, timeouts, use_count.
";

/// How the commands are used, and what they do.
pub(super) fn section() -> Section {
    let rows = COMMANDS.iter().map(|(name, arguments, about, _)| {
        let left = format!("timeout {name} {arguments}");
        (left.trim_end().to_owned(), (*about).to_owned())
    });
    Section { title: "Timeouts (ct timeout set)", rows: rows.collect() }
}

/// What can stand where.
pub(super) fn places(path: &str) -> Vec<Place> {
    let words = |arguments: &str| {
        let protocols = Spelled::of_protocols().map(|row| outline::Row::word(row.0, "-"));
        let protocols = protocols.chain([outline::Row::word("generic", "-")]);
        let families =
            grammar(arguments).into_iter().map(|(name, _)| outline::Row::word(&name, "-"));
        let named = arguments.contains("PROTOCOL");
        families.chain(protocols.filter(move |_| named)).collect()
    };
    let commands = COMMANDS.iter().map(|row| outline::Row::command(row.0, row.0, row.2)).collect();
    let mut all = vec![Place { path: path.into(), rows: commands }];
    all.extend(
        COMMANDS.iter().map(|row| Place { path: format!("{path} {}", row.0), rows: words(row.1) }),
    );
    all
}

/// `nlctl conntrack timeout`, `words` being what stands behind.
pub(super) fn run(options: &Options, words: &[String], out: &mut Out) -> Result<u8, Error> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (name, behind) =
        words.split_first().map_or(("list", &words[..]), |(name, rest)| (*name, rest));
    if matches!(name, "help" | "-h" | "--help") {
        help(out.text());
        return Ok(0);
    }
    let row = COMMANDS.iter().find(|row| row.0 == name).ok_or_else(bad_words)?;
    let mut connection = kernel::connect(Family::NETFILTER, options)?;
    let found = row.3(&mut connection, behind)?;
    if !found.is_empty() || name == "list" {
        let mut rows = out.rows(options.has("json"), options.has("pretty"));
        for timeouts in &found {
            rows.add(|json| json.value(timeouts), |line| text(line, timeouts))?;
        }
        rows.end()?;
    }
    Ok(0)
}

fn help(out: &mut String) {
    out.push_str("Timeout policies, which rules of nftables attach to flows, and the defaults.\n");
    out.push_str("\nUsage: nlctl conntrack timeout [COMMAND]\n\nCommands:\n");
    for (name, arguments, about, _) in &COMMANDS {
        args::row(out, format!("{name} {arguments}").trim_end(), about);
    }
    out.push('\n');
    out.push_str(WORDS);
}

fn bad_words() -> Error {
    Error::parameter("bad words, try \"nlctl conntrack timeout help\"")
}

fn list(connection: &mut Connection, words: &[&str]) -> Result<Vec<Timeouts>, Error> {
    let [] = words else { return Err(bad_words()) };
    connection
        .dump(ListTimeouts)
        .map_err(|error| Error::operation(&error))?
        .collect::<Result<_, _>>()
        .map_err(|error| Error::operation(&error))
}

fn get(connection: &mut Connection, words: &[&str]) -> Result<Vec<Timeouts>, Error> {
    let [name] = words else { return Err(bad_words()) };
    Ok(vec![
        connection
            .get(GetTimeouts::Named((*name).into()))
            .map_err(|error| Error::operation(&error))?,
    ])
}

fn change(connection: &mut Connection, change: TimeoutChange) -> Result<Vec<Timeouts>, Error> {
    connection.run(change).map_err(|error| Error::operation(&error))?;
    Ok(Vec::new())
}

fn add(connection: &mut Connection, words: &[&str]) -> Result<Vec<Timeouts>, Error> {
    change(connection, TimeoutChange::Create(policy(words)?))
}

fn replace(connection: &mut Connection, words: &[&str]) -> Result<Vec<Timeouts>, Error> {
    change(connection, TimeoutChange::Replace(policy(words)?))
}

fn delete(connection: &mut Connection, words: &[&str]) -> Result<Vec<Timeouts>, Error> {
    match words {
        [name] if !name.is_empty() => change(connection, TimeoutChange::Delete((*name).into())),
        _ => Err(bad_words()),
    }
}

fn flush(connection: &mut Connection, words: &[&str]) -> Result<Vec<Timeouts>, Error> {
    let [] = words else { return Err(bad_words()) };
    change(connection, TimeoutChange::Flush)
}

fn default(connection: &mut Connection, words: &[&str]) -> Result<Vec<Timeouts>, Error> {
    let (name, states) = words.split_first().ok_or_else(bad_words)?;
    let protocol = protocol(name)?;
    if states.is_empty() {
        let request = GetTimeouts::Defaults(family_of(protocol), protocol);
        return Ok(vec![connection.get(request).map_err(|error| Error::operation(&error))?]);
    }
    let mut timeouts = Timeouts::new("", family_of(protocol), protocol);
    set(&mut timeouts, states)?;
    change(connection, TimeoutChange::SetDefaults(timeouts))
}

fn policy(words: &[&str]) -> Result<Timeouts, Error> {
    let [name, family, typed, states @ ..] = words else { return Err(bad_words()) };
    let family = match *family {
        "ipv4" => AddressFamily::INET,
        "ipv6" => AddressFamily::INET6,
        _ => return Err(bad(family)),
    };
    if name.is_empty() || name.len() > 31 {
        return Err(bad(name));
    }
    let mut timeouts = Timeouts::new(name, family, protocol(typed)?);
    set(&mut timeouts, states)?;
    Ok(timeouts)
}

fn set(timeouts: &mut Timeouts, states: &[&str]) -> Result<(), Error> {
    for typed in states {
        let (state, seconds) = typed.split_once('=').ok_or_else(|| bad(typed))?;
        let seconds = seconds.parse().map_err(|_| bad(typed))?;
        timeouts.set(state, seconds).map_err(|_| bad(typed))?;
    }
    Ok(())
}

fn protocol(typed: &str) -> Result<IpProtocol, Error> {
    if typed == "generic" { Ok(IpProtocol::RAW) } else { typed.parse().map_err(|_| bad(typed)) }
}

/// The defaults of a protocol are the same for both families, but one must be named.
fn family_of(protocol: IpProtocol) -> AddressFamily {
    if protocol == IpProtocol::ICMPV6 { AddressFamily::INET6 } else { AddressFamily::INET }
}

fn bad(typed: &str) -> Error {
    Error::parameter(format_args!("Bad parameter `{}'", word(typed)))
}

/// Appends a line.
fn text(line: &mut String, timeouts: &Timeouts) {
    use std::fmt::Write as _;
    let family = match timeouts.family {
        AddressFamily::INET6 => "ipv6",
        _ => "ipv4",
    };
    if !timeouts.name.as_bytes().is_empty() {
        let _ = write!(line, "{} {family} ", timeouts.name);
    }
    line.push_str(timeouts.protocol.conntrack_name().unwrap_or("generic"));
    for (state, seconds) in timeouts.iter() {
        let _ = write!(line, " {}={seconds}", state.unwrap_or("unknown").to_ascii_lowercase());
    }
    if let Some(count) = timeouts.use_count {
        let _ = write!(line, " use={count}");
    }
    line.push('\n');
}
