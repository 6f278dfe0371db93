//! Tracked connections, with the words and in the format of conntrack(8).

use std::fs;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use nl_conntrack::expect_request::ListExpectations;
use nl_conntrack::request::{Filter, List, Masked};
use nl_conntrack::text::{self, LabelNames};
use nl_conntrack::{Flow, IpProtocol};
use nl_route::Prefix;
use nl_socket::host;
use nl_wire::Request;
use nl_wire::json::ToJson;
use nl_wire::value::{AddressFamily, Family};

use crate::args::{Flag, Options};
use crate::error::{CONNTRACK, Error, FAILED, io_text, say, say_loss, word};
use crate::kernel;
use crate::out::Out;

mod program;
mod watch;
pub(crate) use watch::{WATCH_FLAGS, loss_fields, watch};

/// The options that choose flows, and how to print them.
pub(crate) static FLAGS: [Flag; 11] = [
    flag(
        'o',
        &["output"],
        "WORDS",
        "extended, id, ktimestamp, timestamp, labels, joined by commas",
    ),
    flag('f', &["family"], "FAMILY", "ipv4 or ipv6; without it both"),
    flag('p', &["protonum", "proto"], "PROTOCOL", "a name (tcp, udp, icmp, …) or a number"),
    flag('m', &["mark"], "MARK[/MASK]", "those whose mark is MARK, of the bits in MASK"),
    flag('w', &["zone"], "ZONE", "those of this zone"),
    flag('s', &["src", "orig-src"], "ADDRESS[/N]", "source of the original direction"),
    flag('d', &["dst", "orig-dst"], "ADDRESS[/N]", "destination of the original direction"),
    flag('r', &["reply-src"], "ADDRESS[/N]", "source of the reply direction"),
    flag('q', &["reply-dst"], "ADDRESS[/N]", "destination of the reply direction"),
    long(&["sport", "orig-port-src"], "PORT", "source port of the original direction"),
    long(&["dport", "orig-port-dst"], "PORT", "destination port of the original direction"),
];

const fn flag(
    short: char,
    long: &'static [&'static str],
    value: &'static str,
    help: &'static str,
) -> Flag {
    Flag { short: Some(short), long, value: Some(value), help }
}

const fn long(long: &'static [&'static str], value: &'static str, help: &'static str) -> Flag {
    Flag { short: None, long, value: Some(value), help }
}

/// Which flows to show.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    family: AddressFamily,
    filter: Filter,
    protocol: Option<IpProtocol>,
    /// Source and destination of the original, then of the reply direction.
    addresses: [Option<Prefix>; 4],
    ports: [Option<u16>; 2],
}

impl Selection {
    /// Reads the options.
    ///
    /// # Errors
    /// Bad parameters.
    pub(crate) fn new(options: &Options) -> Result<Self, Error> {
        let mut selection = Self { family: options.family()?, ..Self::default() };
        for (slot, name) in
            selection.addresses.iter_mut().zip(["src", "dst", "reply-src", "reply-dst"])
        {
            let Some(typed) = options.value(name) else { continue };
            let prefix = prefix(typed)?;
            let family = AddressFamily::of(prefix.address);
            if selection.family != AddressFamily::UNSPEC && selection.family != family {
                return Err(Error::parameter("mismatched address family"));
            }
            (selection.family, *slot) = (family, Some(prefix));
        }
        if let Some(typed) = options.value("protonum") {
            let protocol = typed.parse().map_err(|_| {
                Error::parameter(format_args!("`{}' unsupported protocol", word(typed)))
            })?;
            selection.protocol = Some(protocol);
        }
        if let Some(typed) = options.value("mark") {
            let (value, mask) = typed.split_once('/').unwrap_or((typed, "0xffffffff"));
            selection.filter.mark =
                Some(Masked { value: number(value, typed)?, mask: number(mask, typed)? });
        }
        if let Some(typed) = options.value("zone") {
            selection.filter.zone = Some(number(typed, typed)?);
        }
        for (slot, name) in selection.ports.iter_mut().zip(["sport", "dport"]) {
            if let Some(typed) = options.value(name) {
                *slot = Some(number(typed, typed)?);
            }
        }
        Ok(selection)
    }

    /// Whether the flow is one of those to show; all that the kernel may have left undone.
    pub(crate) fn admits(&self, flow: &Flow) -> bool {
        let tuples = [&flow.original, &flow.reply];
        let mut addresses = tuples.into_iter().flat_map(|tuple| [tuple.source, tuple.destination]);
        let ports = [flow.original.source_port(), flow.original.destination_port()];
        (self.family == AddressFamily::UNSPEC || self.family == flow.family)
            && self.filter.matches(flow)
            && self.protocol.is_none_or(|protocol| protocol == flow.original.protocol)
            && self.addresses.iter().all(|wanted| {
                let address = addresses.next();
                wanted.is_none_or(|prefix| address.is_some_and(|address| prefix.contains(address)))
            })
            && self
                .ports
                .iter()
                .zip(ports)
                .all(|(wanted, port)| wanted.is_none() || *wanted == port)
    }
}

/// `ADDRESS[/N]`, the address in full.
fn prefix(typed: &str) -> Result<Prefix, Error> {
    let (address, length) = typed.split_once('/').map_or((typed, None), |(a, n)| (a, Some(n)));
    let address: IpAddr = address
        .parse()
        .map_err(|_| Error::parameter(format_args!("Invalid IP address `{}'", word(typed))))?;
    match length {
        None => Some(Prefix::host(address)),
        Some(length) => length.parse().ok().and_then(|length| Prefix::new(address, length)),
    }
    .ok_or_else(|| Error::parameter("Invalid netmask"))
}

/// A number as C writes it: decimal, `0x…` or `0…`.
fn number<N: TryFrom<u64>>(typed: &str, all: &str) -> Result<N, Error> {
    let parsed = match typed.strip_prefix("0x").or_else(|| typed.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16),
        None if typed.len() > 1 && typed.starts_with('0') => u64::from_str_radix(typed, 8),
        None => typed.parse(),
    };
    parsed
        .ok()
        .and_then(|number| N::try_from(number).ok())
        .ok_or_else(|| Error::parameter(format_args!("Bad parameter `{}'", word(all))))
}

/// How to print: the words of `-o`.
#[derive(Debug, Default)]
pub(crate) struct Format {
    extended: bool,
    id: bool,
    ktimestamp: bool,
    timestamp: bool,
    labels: Option<LabelNames>,
}

/// Where conntrack(8) looks for the names of labels.
const LABELS: &str = "/etc/xtables/connlabel.conf";

impl Format {
    /// Reads the words of `-o`; those in `others` are not for here.
    ///
    /// # Errors
    /// A word that is none.
    pub(crate) fn new(options: &Options, others: &[&str]) -> Result<Self, Error> {
        let mut format = Self::default();
        for typed in options.list("output") {
            match &*typed.to_ascii_lowercase() {
                "extended" => format.extended = true,
                "id" => format.id = true,
                "ktimestamp" => format.ktimestamp = true,
                "timestamp" => format.timestamp = true,
                "labels" => format.labels = labels(),
                // What events show of user space they always show.
                "userspace" => {}
                other if others.contains(&other) => {}
                _ => return Err(Error::parameter(format_args!("Bad parameter `{}'", word(typed)))),
            }
        }
        Ok(format)
    }

    /// The same for the printer, at a moment.
    pub(crate) fn at(&self, now: Duration) -> text::Options<'_> {
        text::Options {
            extended: self.extended,
            id: self.id,
            ktimestamp: self.ktimestamp,
            labels: self.labels.as_ref(),
            now: now.as_secs(),
            utc_offset: host::utc_offset,
        }
    }

    /// The moment with which an event begins, if that is wanted.
    pub(crate) fn received(&self, now: Duration) -> Option<Duration> {
        self.timestamp.then_some(now)
    }
}

/// The names of labels; without them a listing goes on, as conntrack(8)'s does.
fn labels() -> Option<LabelNames> {
    let text = match fs::read_to_string(LABELS) {
        Ok(text) => text,
        Err(error) => {
            say(format_args!("nfct_labelmap_new: {}", io_text(&error)));
            return None;
        }
    };
    LabelNames::parse(&text)
        .inspect_err(|error| say(format_args!("{CONNTRACK}{LABELS}: {error}")))
        .ok()
}

/// The time since 1970.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Whether the table that was named is that of expectations.
fn expectations(options: &Options) -> Result<bool, Error> {
    match *options.text_words()? {
        [] => Ok(false),
        [table] if !table.is_empty() && "conntrack".starts_with(table) => Ok(false),
        [table] if !table.is_empty() && "expect".starts_with(table) => Ok(true),
        [table] => Err(Error::parameter(format_args!("unknown type `{}'", word(table)))),
        [_, other, ..] => Err(Error::parameter(format_args!("Bad parameter `{}'", word(other)))),
    }
}

/// `nlctl conntrack list`
pub(crate) fn list(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let selection = Selection::new(options)?;
    let format = Format::new(options, &[])?;
    if expectations(options)? {
        let request = ListExpectations { family: selection.family, master: None };
        let shown = show(
            options,
            out,
            request,
            |_| true,
            |line, expectation| {
                text::expectation(line, expectation);
            },
        )?;
        say(format_args!("{CONNTRACK}{shown} expectations have been shown."));
        return Ok(0);
    }
    let Selection { family, filter, .. } = selection;
    let request = List { family, filter, ..List::default() };
    let format = format.at(now());
    let admits = |flow: &Flow| selection.admits(flow);
    let shown = show(options, out, request, admits, |line, flow| text::flow(line, flow, &format))?;
    say(format_args!("{CONNTRACK}{shown} flow entries have been shown."));
    Ok(0)
}

/// Lists objects, as JSON if that is wanted; gives how many.
fn show<R: Request<Item: ToJson>>(
    options: &Options,
    out: &mut Out,
    request: R,
    admits: impl Fn(&R::Item) -> bool,
    print: impl Fn(&mut String, &R::Item),
) -> Result<u64, Error> {
    const { assert!(matches!(R::MODE, nl_wire::Mode::Dump)) }
    let mut connection = kernel::connect(Family::NETFILTER, options)?;
    let items = connection.start(request).map_err(|error| Error::operation(&error))?;
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    let (mut shown, mut whole) = (0, true);
    for item in items {
        match item {
            Ok(item) if admits(&item) => {
                rows.add(
                    |json| json.value(&item),
                    |line| {
                        print(line, &item);
                        line.push('\n');
                    },
                )?;
                shown += 1;
            }
            Ok(_) => {}
            Err(nl_socket::Error::Lost(loss)) => {
                say_loss(loss);
                whole = false;
            }
            Err(error) => return Err(Error::operation(&error)),
        }
    }
    rows.end()?;
    if whole {
        return Ok(shown);
    }
    let text = format!("{CONNTRACK}{shown} entries have been shown, others were lost.");
    Err(Error::new(FAILED, text))
}
