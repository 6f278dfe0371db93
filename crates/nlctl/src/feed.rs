//! Tracked connections followed, those of one network namespace or of all, for the commands that
//! tell of them.

use std::os::fd::{AsFd, BorrowedFd};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nl_conntrack::Flow;
use nl_socket::filter::Program;
use nl_socket::host::{Interrupts, Woken};
use nl_socket::netns::Netns;
use nl_socket::{Loss, Socket, Wait};
use nl_watch::consumer::{self, Consumer, Namespace, Told};
use nl_watch::pressure::{EventFilter, GovernorOptions, Level};
use nl_watch::{Engine, Flows, Mirror, Object, RECEIVE_BUFFER, Watch};
use nl_wire::json::Json;

use crate::args::{Flag, Options};
use crate::error::{Error, FAILED, USAGE, say, word};
use crate::kernel;
use crate::out::Out;

/// The option to follow all namespaces.
pub(crate) const ALL_NETNS: Flag = Flag {
    short: None,
    long: &["all-netns"],
    value: None,
    help: "of every network namespace of this host",
};

/// The option to set or switch off overload control.
pub(crate) const LIMIT: Flag = Flag {
    short: None,
    long: &["limit"],
    value: Some("EVENTS"),
    help: "follow fewer connections while more events than this come in a\nsecond; 10000 without \
           this, 0 never",
};

/// The option to size receive buffers.
pub(crate) const BUFFER_SIZE: Flag = Flag {
    short: None,
    long: &["buffer-size"],
    value: Some("BYTES"),
    help: "ask for a receive buffer of this size; 8388608 without this",
};

/// How long to wait at the end for what is missing.
const PATIENCE_AT_END: Duration = Duration::from_secs(2);

/// After so many items in a row a signal is looked for.
const PATIENCE: u32 = 256;

/// Which connections are followed.
pub(crate) struct Wanted<O = Flows> {
    /// What tells which.
    pub(crate) object: O,
    /// What lets no others pass, in the kernel; without overload control, which would take its
    /// place.
    pub(crate) program: Option<Program>,
    /// How many events may come.
    pub(crate) pressure: Option<GovernorOptions>,
}

impl Wanted {
    /// All of a family, as `--family` says; within what is given for the number of events.
    ///
    /// # Errors
    /// If there is no such family.
    pub(crate) fn all(options: &Options, pressure: Option<GovernorOptions>) -> Result<Self, Error> {
        Ok(Self { object: Flows { family: options.family()? }, program: None, pressure })
    }
}

/// The connections of one namespace or of all.
pub(crate) enum Feed<O: Object<Item = Flow> = Flows> {
    /// Of one.
    One(Box<Watch<O>>, Arc<Namespace>),
    /// Of all.
    All(Box<Consumer<O>>),
}

impl<O: Object<Item = Flow> + Clone> Feed<O> {
    /// Begins to follow, as `--netns` and `--all-netns` say.
    ///
    /// # Errors
    /// If the sockets can't be opened, or the namespace not be entered.
    pub(crate) fn open(options: &Options, wanted: Wanted<O>) -> Result<Self, Error> {
        let Wanted { object, program, pressure } = wanted;
        let feed = Self::unfiltered(options, object, pressure)?;
        if let Some((program, socket)) = program.zip(feed.socket()) {
            let attached = socket.attach_filter(&program);
            attached.map_err(|error| Error::io("cannot attach a filter", &error))?;
        }
        Ok(feed)
    }

    fn unfiltered(
        options: &Options,
        flows: O,
        pressure: Option<GovernorOptions>,
    ) -> Result<Self, Error> {
        let buffer = options.value("buffer-size").map_or(Ok(RECEIVE_BUFFER), number_of)?;
        let netns = kernel::netns(options)?;
        if !options.has("all-netns") {
            let opened = match &netns {
                Some(netns) => Watch::open_in(flows, netns),
                None => Watch::open(flows),
            };
            let mut watch = opened.map_err(|error| Error::operation(&error))?;
            let sized = watch.events().socket().set_receive_buffer(buffer);
            sized.map_err(|error| Error::io("cannot set the buffer size", &error))?;
            watch.set_pressure(pressure).map_err(|error| Error::operation(&error))?;
            if let Some(tracer) = kernel::tracer(options) {
                watch.set_tracer(tracer);
            }
            let netns = netns.map_or_else(Netns::current, Ok);
            let id = netns.and_then(|netns| netns.id()).ok();
            let namespace = Namespace { own: true, id, ..Namespace::default() };
            return Ok(Self::One(Box::new(watch), Arc::new(namespace)));
        }
        if netns.is_some() {
            let text = "Error: --netns and --all-netns exclude each other.";
            return Err(Error::new(USAGE, text));
        }
        let tracer = kernel::tracer(options);
        let receive_buffer = Some(buffer);
        let how = consumer::Options { receive_buffer, pressure, tracer, ..Default::default() };
        let consumer = Consumer::open(flows, how)
            .map_err(|error| Error::new(FAILED, format_args!("nlctl: {error}")))?;
        Ok(Self::All(Box::new(consumer)))
    }

    /// The next item, without waiting for it.
    ///
    /// # Errors
    /// Those that [`survive`] judges.
    pub(crate) fn next(&mut self) -> Result<Option<Told<Flow>>, nl_socket::Error> {
        match self {
            Self::One(watch, namespace) => {
                let item = watch.next(Wait::Never)?;
                Ok(item.map(|item| Told::Item { namespace: Arc::clone(namespace), item }))
            }
            Self::All(consumer) => consumer.next(Wait::Never),
        }
    }

    /// What is known of the connections of a namespace.
    pub(crate) fn mirror(&self, namespace: &Namespace) -> Option<&Mirror<O>> {
        match self {
            Self::One(watch, _) => Some(watch.mirror()),
            Self::All(consumer) => consumer.engine(namespace).map(Engine::mirror),
        }
    }

    /// Whether all is known up to the last event.
    pub(crate) fn is_converged(&self) -> bool {
        match self {
            Self::One(watch, _) => watch.is_converged(),
            Self::All(consumer) => consumer.is_converged(),
        }
    }

    /// How long to wait for the descriptor.
    pub(crate) fn wait(&self) -> Wait {
        let deadline = match self {
            Self::One(watch, _) => watch.deadline(),
            Self::All(consumer) => Some(consumer.deadline()),
        };
        deadline.map_or(Wait::Forever, Wait::Until)
    }

    /// What there is to say of the receive buffer beside a loss.
    pub(crate) fn room(&self, loss: &Loss) -> String {
        match (loss, self.socket().map(Socket::receive_buffer)) {
            (Loss::Overrun { .. }, Some(Ok(bytes))) => {
                format!("; the receive buffer has {bytes} bytes (--buffer-size)")
            }
            _ => String::new(),
        }
    }

    /// An event socket: the only one, or the one for all namespaces.
    pub(crate) fn socket(&self) -> Option<&Socket> {
        match self {
            Self::One(watch, _) => Some(watch.events().socket()),
            Self::All(consumer) => consumer.events().map(nl_socket::Events::socket),
        }
    }
}

impl<O: Object<Item = Flow>> AsFd for Feed<O> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::One(watch, _) => watch.as_fd(),
            Self::All(consumer) => consumer.as_fd(),
        }
    }
}

/// Whichever is sooner.
pub(crate) fn earlier(wait: Wait, time: Instant) -> Wait {
    match wait {
        Wait::Never => Wait::Never,
        Wait::Forever => Wait::Until(time),
        Wait::Until(other) => Wait::Until(other.min(time)),
    }
}

/// A namespace as an object.
pub(crate) fn namespace_json(json: &mut Json<'_>, namespace: &Namespace) {
    json.begin_object();
    json.field("own", namespace.own);
    json.optional(
        "name",
        namespace.name().map(|name| format!("{}", name.to_string_lossy())).as_deref(),
    );
    json.optional("nsid", namespace.nsid);
    json.optional("inode", namespace.id.map(|id| id.inode));
    json.end_object();
}

/// Says what was lost but will be had again.
///
/// # Errors
/// All other errors.
pub(crate) fn survive(error: &nl_socket::Error) -> Result<(), Error> {
    match error {
        nl_socket::Error::Lost(_) | nl_socket::Error::TimedOut => {
            say(format_args!("nlctl: WARNING: {error}"));
            Ok(())
        }
        _ => Err(Error::operation(error)),
    }
}

fn number_of<T: FromStr>(typed: &str) -> Result<T, Error> {
    typed.parse().map_err(|_| {
        let typed = word(typed);
        Error::new(USAGE, format_args!("Error: argument \"{typed}\" is wrong: not a number"))
    })
}

/// How many events may come, as `--limit` says.
///
/// # Errors
/// If that is no number.
pub(crate) fn limit(options: &Options) -> Result<Option<GovernorOptions>, Error> {
    let Some(typed) = options.value("limit") else { return Ok(Some(GovernorOptions::default())) };
    let limit: u32 = number_of(typed)?;
    let options = GovernorOptions { limit: limit.into(), ..GovernorOptions::default() };
    Ok(Some(options).filter(|_| limit > 0))
}

/// What passes the filter of overload control, in words.
pub(crate) fn say_filter(filter: &EventFilter) {
    match filter.level() {
        Level::Everything => say("nlctl: all connections are followed again"),
        Level::NatOnly => {
            say("nlctl: WARNING: too many events: only translated connections are followed");
        }
        _ => say(format_args!(
            "nlctl: WARNING: too many events: {:.3} % of the translated connections are followed",
            filter.rate() * 100.0
        )),
    }
}

/// Follows until a signal comes; gives the exit code: 0 if all is known up to the last event, but
/// for what was told to be left out.
///
/// # Errors
/// As of [`Feed::open`] and `show`; if following fails.
pub(crate) fn follow<O: Object<Item = Flow> + Clone>(
    options: &Options,
    wanted: Wanted<O>,
    out: &mut Out,
    mut show: impl FnMut(&mut Out, &Feed<O>, &Told<Flow>) -> Result<(), Error>,
) -> Result<u8, Error> {
    let failed = |error: std::io::Error| Error::io("cannot follow events", &error);
    let interrupts = Interrupts::new().map_err(failed)?;
    let mut feed = Feed::open(options, wanted)?;
    let (mut in_a_row, mut end) = (0, None);
    loop {
        match feed.next() {
            Ok(Some(told)) => {
                show(out, &feed, &told)?;
                out.relieve()?;
                in_a_row += 1;
                if in_a_row < PATIENCE {
                    continue;
                }
            }
            Ok(None) => {}
            Err(error) => survive(&error)?,
        }
        out.flush()?;
        let wait = if in_a_row < PATIENCE { feed.wait() } else { Wait::Until(Instant::now()) };
        in_a_row = 0;
        let wait = end.map_or(wait, |end| earlier(wait, end));
        if let Woken::Signal(_) = interrupts.wait(&feed, wait).map_err(failed)? {
            end.get_or_insert_with(|| Instant::now() + PATIENCE_AT_END);
        }
        // What was lost a moment ago is told, if that does not take long.
        match end {
            Some(_) if feed.is_converged() => return Ok(0),
            Some(end) if end <= Instant::now() => return Ok(FAILED),
            _ => {}
        }
    }
}
