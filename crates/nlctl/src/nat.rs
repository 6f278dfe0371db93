//! `nlctl nat`: translated connections.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use nl_conntrack::request::{Get, List};
use nl_conntrack::{IpProtocol, L4, Tuple};
use nl_socket::Error as SocketError;
use nl_watch::nat::NatEntry;
use nl_wire::Errno;
use nl_wire::json::Json;
use nl_wire::value::Family;

use crate::args::{Command, Flag, Kind, Options};
use crate::error::{Error, FAILED, USAGE, say, word};
use crate::feed;
use crate::kernel;
use crate::out::Out;

mod watch;

/// The commands.
pub(crate) const COMMAND: Command = Command {
    names: &["nat"],
    arguments: "COMMAND",
    about: "Connections whose addresses or ports are translated.",
    text: "\
A line has both directions of a connection: as it was begun, and as its answers come. With -j
{\"nat\":[\"source\",\"destination\"],\"original\":TUPLE,\"reply\":TUPLE}, where \"nat\" tells what is
translated.
",
    flags: &[],
    kind: Kind::Group {
        commands: &[
            Command {
                names: &["list", "show"],
                arguments: "",
                about: "List translated connections.",
                text: "",
                flags: &[ZONE],
                kind: Kind::Run(list),
            },
            Command {
                names: &["get"],
                arguments: "PROTOCOL SOURCE[:PORT] DESTINATION[:PORT] [ICMP-ID]",
                about: "Tell what a connection is translated to.",
                text: "\
By either direction: tcp, udp, sctp … with ports (\"[ADDRESS]:PORT\" for IPv6), gre with keys in
their place, icmp and icmpv6 with the id of echo requests. With -j the object has
\"given\":\"original\" or \"reply\" as well: which direction the words are. Exit code 1 if there is no
such connection, or if it is not translated.
",
                flags: &[ZONE],
                kind: Kind::Run(get),
            },
            Command {
                names: &["watch"],
                arguments: "",
                about: "List translated connections, then show those that begin and end.",
                text: watch::HELP,
                flags: &[feed::ALL_NETNS, feed::LIMIT, feed::BUFFER_SIZE],
                kind: Kind::Run(watch::run),
            },
        ],
        default: true,
    },
};

const ZONE: Flag = Flag {
    short: Some('w'),
    long: &["zone"],
    value: Some("ZONE"),
    help: "those of this conntrack zone",
};

/// The fields of an entry, in an object that is open.
fn fields(json: &mut Json<'_>, entry: &NatEntry) {
    let NatEntry { original, reply, .. } = entry;
    let ends = |tuple: &Tuple| match tuple.l4 {
        L4::Ports { source, destination } => {
            [(tuple.source, source), (tuple.destination, destination)]
        }
        L4::Icmp { id, .. } => [(tuple.source, id), (tuple.destination, id)],
        L4::None => [(tuple.source, 0), (tuple.destination, 0)],
    };
    let ([from, to], [answers_from, answers_to]) = (ends(original), ends(reply));
    json.key("nat");
    json.begin_array();
    for (name, translated) in [("source", from != answers_to), ("destination", to != answers_from)]
    {
        if translated {
            json.string(name);
        }
    }
    json.end_array();
    json.field("original", original);
    json.field("reply", reply);
}

fn zone(options: &Options) -> Result<Option<u16>, Error> {
    let zone = options.value("zone").map(|typed| typed.parse().map_err(|_| wrong(typed, "a zone")));
    zone.transpose()
}

fn wrong(typed: &str, what: &str) -> Error {
    let typed = word(typed);
    Error::new(USAGE, format_args!("Error: argument \"{typed}\" is wrong: not {what}"))
}

/// `nlctl nat list`
fn list(options: &Options, out: &mut Out) -> Result<u8, Error> {
    if let [typed, ..] = *options.text_words()? {
        return Err(wrong(typed, "known"));
    }
    let zone = zone(options)?;
    let mut connection = kernel::connect(Family::NETFILTER, options)?;
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    let mut whole = true;
    for mut request in List::translated(options.family()?) {
        request.filter.zone = zone;
        for flow in connection.dump(request).map_err(|error| Error::operation(&error))? {
            let flow = match flow {
                Ok(flow) => flow,
                Err(SocketError::Lost(loss)) => {
                    say(format_args!("nlctl: WARNING: {loss}"));
                    whole = false;
                    continue;
                }
                Err(error) => return Err(Error::operation(&error)),
            };
            // Where translation was asked for and changed nothing there is nothing to show.
            let Some(entry) = NatEntry::of(0, &flow) else { continue };
            rows.add(
                |json| {
                    json.begin_object();
                    fields(json, &entry);
                    json.end_object();
                },
                |line| {
                    // A String takes everything.
                    let _ = writeln!(line, "{entry}");
                },
            )?;
        }
    }
    rows.end()?;
    Ok(if whole { 0 } else { FAILED })
}

/// `ADDRESS`, `ADDRESS:PORT`, `[ADDRESS]:PORT`
fn end(typed: &str) -> Result<(IpAddr, Option<u16>), Error> {
    match (typed.parse::<IpAddr>(), typed.parse::<SocketAddr>()) {
        (Ok(address), _) => Ok((address, None)),
        (_, Ok(end)) => Ok((end.ip(), Some(end.port()))),
        _ => Err(wrong(typed, "an address, or an address and a port")),
    }
}

/// The tuples that the words may mean.
fn tuples(words: &[&str]) -> Result<Vec<Tuple>, Error> {
    let &[protocol, source, destination, ref id @ ..] = words else {
        let text =
            "Error: a protocol, a source and a destination are needed, try \"nlctl nat get help\".";
        return Err(Error::new(USAGE, text));
    };
    let (from, to) = (end(source)?, end(destination)?);
    if from.0.is_ipv4() != to.0.is_ipv4() {
        return Err(wrong(destination, "of the same address family"));
    }
    let protocol: IpProtocol = protocol.parse().map_err(|_| wrong(protocol, "a protocol"))?;
    let shapes = match (from.1, to.1, id) {
        (Some(source), Some(destination), []) => vec![L4::Ports { source, destination }],
        (None, None, []) => vec![L4::None],
        (None, None, [id]) => {
            let id = id.parse().map_err(|_| wrong(id, "an id"))?;
            // Echo request, echo reply.
            let kinds = if from.0.is_ipv4() { [8, 0] } else { [128, 129] };
            kinds.map(|kind| L4::Icmp { id, kind, code: 0 }).to_vec()
        }
        (_, _, [.., last]) => return Err(wrong(last, "known")),
        (Some(_), None, _) => return Err(wrong(destination, "an address and a port")),
        (None, Some(_), _) => return Err(wrong(source, "an address and a port")),
    };
    Ok(shapes.into_iter().map(|l4| Tuple::new(protocol, from.0, to.0, l4)).collect())
}

/// `nlctl nat get`
fn get(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let zone = zone(options)?;
    let tuples = tuples(&options.text_words()?)?;
    let mut connection = kernel::connect(Family::NETFILTER, options)?;
    for tuple in tuples {
        // The kernel finds a connection by either direction.
        let flow = match connection.get(Get { zone, ..Get::original(tuple) }) {
            Ok(flow) => flow,
            Err(error) if error.errno() == Some(Errno::ENOENT) => continue,
            Err(error) => return Err(Error::operation(&error)),
        };
        let Some(entry) = NatEntry::of(0, &flow) else {
            return Err(Error::new(FAILED, "nlctl: this connection is not translated"));
        };
        let bare = |tuple: &Tuple| Tuple { zone: None, ..*tuple };
        let given = if bare(&entry.original) == tuple { "original" } else { "reply" };
        if options.has("json") {
            let new = if options.has("pretty") { Json::pretty } else { Json::new };
            let mut json = new(out.text());
            json.begin_object();
            json.field("given", given);
            fields(&mut json, &entry);
            json.end_object();
        } else {
            out.append(format_args!("{entry}"));
        }
        out.end_line()?;
        return Ok(0);
    }
    Err(Error::new(FAILED, "nlctl: there is no such connection"))
}
