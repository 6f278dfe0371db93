//! `nlctl metrics`: the counters of the watcher of tracked connections, as Prometheus reads them.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{Duration, Instant};

use nl_conntrack::Flow;
use nl_socket::Wait;
use nl_socket::host::{Interrupts, Woken};
use nl_watch::Item;
use nl_watch::consumer::{Namespace, Told};
use nl_watch::metrics::Metrics;
use nl_watch::nat::{NatOptions, Tracker};

use crate::args::{Command, Flag, Kind, Options};
use crate::error::{Error, FAILED, USAGE, say, word};
use crate::feed::{self, Feed, Wanted, earlier, say_filter, survive};
use crate::out::Out;

mod server;
use server::Server;

/// The command.
pub(crate) const COMMAND: Command = Command {
    names: &["metrics"],
    arguments: "",
    about: "Watch tracked connections and tell the counters, as Prometheus reads them.",
    text: "\
Without an option the connections are listed once and the counters printed. With --listen or
--textfile they are followed until SIGINT: --listen answers GET /metrics, --textfile writes the file
at once and then every --interval, for the node exporter's textfile collector; it is replaced as a
whole, so that no reader sees a part of it.

While more events come than --limit allows, the kernel is told to keep back those of connections
that are not translated, then a part of the others: see the counters about the filter. When the load
falls, all are followed again, and what was missed is listed.

Whoever can reach the address can read the counters, so only loopback addresses are listened on,
unless --public is given. Port 0 takes any that is free; the address is told on stderr.
",
    flags: &[
        feed::ALL_NETNS,
        feed::LIMIT,
        feed::BUFFER_SIZE,
        Flag {
            short: None,
            long: &["listen"],
            value: Some("ADDRESS:PORT"),
            help: "serve http://ADDRESS:PORT/metrics",
        },
        Flag {
            short: None,
            long: &["public"],
            value: None,
            help: "allow --listen addresses that others can reach",
        },
        Flag { short: None, long: &["textfile"], value: Some("FILE"), help: "write to this file" },
        Flag {
            short: None,
            long: &["interval"],
            value: Some("SECONDS"),
            help: "how often to write it; 15 without this",
        },
    ],
    kind: Kind::Run(run),
};

/// How often a file is written.
const INTERVAL: Duration = Duration::from_secs(15);

/// How long at most to list before the counters are printed once.
const LIST_MAX: Duration = Duration::from_secs(30);

/// How many items in a row are taken before requests are looked for.
const PATIENCE: u32 = 256;

/// What is followed and counted.
struct Counting {
    feed: Feed,
    tracker: Tracker,
    metrics: Metrics,
}

/// `nlctl metrics`
fn run(options: &Options, out: &mut Out) -> Result<u8, Error> {
    if let Some(typed) = options.words().first() {
        let text = "is unknown, try \"nlctl metrics help\".";
        return Err(Error::new(USAGE, format_args!("Argument \"{}\" {text}", word(typed))));
    }
    let address = options.value("listen").map(|typed| address(typed, options.has("public")));
    let address = address.transpose()?;
    let interval = options.value("interval").map_or(Ok(INTERVAL), |typed| {
        let seconds = typed.parse().ok().filter(|seconds| *seconds > 0);
        seconds.map(Duration::from_secs).ok_or_else(|| wrong(typed, "a number of seconds"))
    })?;
    let file = options.value("textfile").map(PathBuf::from);
    let interrupts = Interrupts::new().map_err(|error| cannot("wait", &error))?;
    // Before the table is listed: an address that is taken is told at once.
    let server = address.map(|address| {
        let listener = TcpListener::bind(address)?;
        Server::new(listener)
    });
    let mut server = server.transpose().map_err(|error| cannot("listen", &error))?;
    if let Some(server) = &server {
        say(format_args!("nlctl: http://{}/metrics", server.address()));
    }
    // Nobody looks up here, so nothing is to expire for that.
    let nat = NatOptions { orphan_lifetime: None, ..NatOptions::default() };
    let mut counting = Counting {
        feed: Feed::open(options, Wanted::all(options, feed::limit(options)?)?)?,
        tracker: Tracker::new(nat),
        metrics: Metrics::default(),
    };
    counting.list(&interrupts)?;
    if server.is_none() && file.is_none() {
        out.append(format_args!("{}", counting.text()));
        return Ok(0);
    }
    let mut due = Instant::now();
    loop {
        let more = counting.hear()?;
        if let Some(server) = &mut server {
            server.serve(|| counting.text()).map_err(|error| cannot("serve", &error))?;
        }
        if let Some(file) = file.as_ref().filter(|_| due <= Instant::now()) {
            replace(file, &counting.text())?;
            due = Instant::now() + interval;
        }
        let mut wait = if more { Wait::Never } else { counting.feed.wait() };
        if file.is_some() {
            wait = earlier(wait, due);
        }
        let woken = match &server {
            Some(server) => {
                if let Some(deadline) = server.deadline() {
                    wait = earlier(wait, deadline);
                }
                server.wait(&interrupts, &counting.feed, wait)
            }
            None => interrupts.wait(&counting.feed, wait),
        };
        if let Woken::Signal(_) = woken.map_err(|error| cannot("wait", &error))? {
            if let Some(file) = &file {
                replace(file, &counting.text())?;
            }
            return Ok(0);
        }
    }
}

fn wrong(typed: &str, what: &str) -> Error {
    let typed = word(typed);
    Error::new(USAGE, format_args!("Error: argument \"{typed}\" is wrong: not {what}"))
}

fn cannot(what: &str, error: &io::Error) -> Error {
    Error::io(format_args!("cannot {what}"), error)
}

/// Where to listen.
fn address(typed: &str, public: bool) -> Result<SocketAddr, Error> {
    let address: SocketAddr =
        typed.parse().map_err(|_| wrong(typed, "an address and a port, as in 127.0.0.1:9100"))?;
    if public || address.ip().to_canonical().is_loopback() {
        return Ok(address);
    }
    let text = "Error: others can reach this address: give --public as well if they are to.";
    Err(Error::new(USAGE, text))
}

impl Counting {
    /// Takes what there is until the tables are known.
    fn list(&mut self, interrupts: &Interrupts) -> Result<(), Error> {
        let end = Instant::now() + LIST_MAX;
        while Instant::now() < end {
            let more = self.hear()?;
            if self.feed.is_converged() {
                break;
            }
            let wait = if more { Wait::Never } else { earlier(self.feed.wait(), end) };
            let woken = interrupts.wait(&self.feed, wait);
            if let Woken::Signal(_) = woken.map_err(|error| cannot("wait", &error))? {
                return Err(Error::new(FAILED, "nlctl: interrupted"));
            }
        }
        Ok(())
    }

    /// Takes items that are there; whether there may be more.
    fn hear(&mut self) -> Result<bool, Error> {
        for _ in 0..PATIENCE {
            match self.feed.next() {
                Ok(Some(told)) => self.count(&told),
                Ok(None) => return Ok(false),
                Err(error) => {
                    self.metrics.error(&error);
                    survive(&error)?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn count(&mut self, told: &Told<Flow>) {
        let Self { feed, tracker, metrics } = self;
        let now = Instant::now();
        metrics.told(Namespace::number, told);
        match (feed, told) {
            (Feed::All(consumer), _) => tracker.told(told, consumer, now),
            (Feed::One(watch, _), Told::Item { namespace, item }) => {
                tracker.item(namespace.number(), item, watch.mirror(), now);
            }
            _ => {}
        }
        match told {
            Told::Item { namespace, item: Item::Filtered(filter) } if namespace.own => {
                say_filter(filter);
            }
            Told::Failed { namespace, error } => {
                say(format_args!("nlctl: WARNING: {namespace}: {error}"));
            }
            _ => {}
        }
    }

    fn text(&mut self) -> String {
        self.tracker.expire(Instant::now());
        self.metrics.take_nat(self.tracker.table());
        match &self.feed {
            Feed::One(watch, _) => self.metrics.take_watch(watch),
            Feed::All(consumer) => self.metrics.take_consumer(consumer),
        }
        self.metrics.to_string()
    }
}

/// Writes a file beside, then puts it in the place of the old one.
fn replace(path: &Path, text: &str) -> Result<(), Error> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", process::id()));
    let beside = PathBuf::from(beside);
    let write = || -> io::Result<()> {
        // Not through a link that somebody put there.
        let mut file = File::options().write(true).create_new(true).open(&beside)?;
        let written = file.write_all(text.as_bytes()).and_then(|()| fs::rename(&beside, path));
        written.inspect_err(|_| drop(fs::remove_file(&beside)))
    };
    write().map_err(|error| Error::io(format_args!("cannot write {}", word(path)), &error))
}
