//! Connections and event streams as the options ask for them.

use std::path::Path;
use std::thread;

use nl_socket::netns::Netns;
use nl_socket::{Connection, Direction, Events, Socket, Trace};
use nl_wire::Message;
use nl_wire::table::Protocol;
use nl_wire::value::Family;

use crate::args::Options;
use crate::error::{Error, FAILED, USAGE, say, word};

/// The network namespace that `--netns` names: a name of ip-netns(8), a path, or a process id.
pub(crate) fn netns(options: &Options) -> Result<Option<Netns>, Error> {
    let Some(name) = options.value("netns") else { return Ok(None) };
    let found = if name.contains('/') {
        Netns::path(Path::new(name))
    } else {
        match (Netns::named(name), name.parse()) {
            (Err(_), Ok(process)) => Netns::of_process(process),
            (named, _) => named,
        }
    };
    // The error's own text names what it is about.
    let found = found.map_err(|error| Error::new(USAGE, format_args!("nlctl: {error}")))?;
    Ok(Some(found))
}

/// A socket in the namespace that was asked for.
fn socket(family: Family, options: &Options) -> Result<Socket, Error> {
    let socket = match netns(options)? {
        Some(netns) => Socket::open_in(family.0, &netns),
        None => Socket::open(family.0),
    };
    let socket = socket.map_err(|error| Error::io("cannot open a netlink socket", &error))?;
    if let Some(typed) = options.value("rcvbuf") {
        let size = typed.parse().map_err(|_| {
            Error::new(USAGE, format_args!("Invalid rcvbuf size '{}'", word(typed)))
        })?;
        let sized = socket.set_receive_buffer(size);
        sized.map_err(|error| Error::io("cannot set the buffer size", &error))?;
    }
    Ok(socket)
}

/// A connection for requests; with `--trace` it shows its messages.
pub(crate) fn connect(family: Family, options: &Options) -> Result<Connection, Error> {
    let opened = Connection::new(socket(family, options)?);
    let mut connection =
        opened.map_err(|error| Error::new(FAILED, format_args!("nlctl: {error}")))?;
    if let Some(tracer) = tracer(options) {
        connection.set_tracer(Some(Box::new(tracer)));
    }
    Ok(connection)
}

/// Has a list that may be long received while what came is printed, where there is a second
/// processor and a thread to be had.
pub(crate) fn read_ahead(connection: &mut Connection) {
    if thread::available_parallelism().is_ok_and(|processors| processors.get() > 1) {
        // Without a thread it is received as it is read.
        let _ = connection.read_ahead();
    }
}

/// What shows a message.
pub(crate) type Tracer = fn(&Trace<'_>);

/// With `--trace`, what shows a message.
pub(crate) fn tracer(options: &Options) -> Option<Tracer> {
    options.has("trace").then_some(show as Tracer)
}

/// A stream of the events of some multicast groups. `prepare` sees the socket before it joins.
pub(crate) fn follow(
    family: Family,
    groups: &[u32],
    options: &Options,
    prepare: impl FnOnce(&Socket) -> Result<(), Error>,
) -> Result<Events, Error> {
    let socket = socket(family, options)?;
    prepare(&socket)?;
    Events::new(socket, groups).map_err(|error| Error::io("cannot follow events", &error))
}

/// With `--trace`, shows a received event.
pub(crate) fn trace(options: &Options, message: Message<'_>, protocol: &Protocol) {
    if options.has("trace") {
        show(&Trace { direction: Direction::Received, message, protocol });
    }
}

fn show(trace: &Trace<'_>) {
    say(trace.to_string().trim_end());
}
