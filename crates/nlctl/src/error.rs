//! What ends the program early: one line on stderr and an exit code, as users of ip(8) and
//! conntrack(8) expect them.

use std::ffi::OsStr;
use std::fmt::{self, Display, Write as _};
use std::io;
use std::os::unix::ffi::OsStrExt as _;

use nl_socket::{Connection, Loss};
use nl_wire::text::Escaped;
use nl_wire::{Errno, Failure};

/// Exit code of ip(8) where an object, a device or a word is missing, of conntrack(8) where an
/// operation failed, and ours for bad input.
pub(crate) const FAILED: u8 = 1;
/// Exit code of ip(8) where the kernel refused, of conntrack(8) for bad parameters.
pub(crate) const REFUSED: u8 = 2;
/// Exit code of ip(8) for usage errors and bad values.
pub(crate) const USAGE: u8 = 255;

/// How conntrack(8)'s lines on stderr begin, in our name.
pub(crate) const CONNTRACK: &str = concat!("nlctl v", env!("CARGO_PKG_VERSION"), " (conntrack): ");

const REMEDY: &str = "run as root, or with CAP_NET_ADMIN in the user namespace that owns this \
    network namespace";

/// Why the program ends early.
#[derive(Debug)]
pub(crate) enum Error {
    /// Standard output could not be written.
    Output(io::Error),
    /// All else: what to say, without anything that could steer a terminal, and the exit code.
    Told {
        /// The exit code.
        code: u8,
        /// One line, more where ip(8) has more.
        text: String,
    },
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(error) => f.write_str(&io_text(error)),
            Self::Told { text, .. } => f.write_str(text),
        }
    }
}

impl Error {
    /// A line and an exit code. Foreign strings in `text` must be [`word`]s.
    pub(crate) fn new(code: u8, text: impl Display) -> Self {
        Self::Told { code, text: text.to_string() }
    }

    /// The same with another exit code.
    pub(crate) fn with_code(self, code: u8) -> Self {
        match self {
            Self::Told { text, .. } => Self::Told { code, text },
            other @ Self::Output(_) => other,
        }
    }

    /// The same with another line, that says where it was, or why.
    pub(crate) fn with_place(self, place: &str) -> Self {
        match self {
            Self::Told { code, text } => Self::Told { code, text: format!("{text}\n  {place}") },
            other @ Self::Output(_) => other,
        }
    }

    /// A bad parameter, as conntrack(8) tells it.
    pub(crate) fn parameter(text: impl Display) -> Self {
        Self::new(REFUSED, format_args!("{CONNTRACK}{text}"))
    }

    /// A failed operation, as conntrack(8) tells it.
    pub(crate) fn operation(error: &nl_socket::Error) -> Self {
        let text = match error.errno() {
            _ if error.is_permission() => {
                "sorry, you must be root or get CAP_NET_ADMIN capability to do this"
            }
            Some(Errno::EINVAL) => "invalid parameters",
            Some(Errno::ENOENT) => "such conntrack doesn't exist",
            Some(Errno::ENOMEM) => "not enough memory",
            Some(Errno::EAFNOSUPPORT) => "protocol not supported",
            Some(Errno::ETIME) => "conntrack has expired",
            Some(Errno::ENOTSUPP) => "function not implemented",
            _ => {
                let text = reason(error);
                return Self::new(FAILED, format_args!("{CONNTRACK}Operation failed: {text}"));
            }
        };
        Self::new(FAILED, format_args!("{CONNTRACK}Operation failed: {text}"))
    }

    /// What rtnetlink refused, or why it could not be asked, as ip(8) tells it.
    pub(crate) fn rtnetlink(error: &nl_socket::Error) -> Self {
        let mut text = match error {
            nl_socket::Error::Refused(failure) => refusal(failure),
            _ if error.is_permission() => format!("RTNETLINK: {}", reason(error)),
            _ => format!("RTNETLINK: {error}"),
        };
        if error.is_permission() {
            let name = error.errno().and_then(Errno::name).unwrap_or_default();
            let _ = write!(text, " ({name}: {REMEDY})");
        }
        Self::new(REFUSED, text)
    }

    /// A file, socket or namespace that could not be opened.
    pub(crate) fn io(what: impl Display, error: &io::Error) -> Self {
        let remedy = match error.kind() {
            io::ErrorKind::PermissionDenied => format!(" ({REMEDY})"),
            _ => String::new(),
        };
        Self::new(FAILED, format_args!("nlctl: {what}: {}{remedy}", io_text(error)))
    }
}

/// An error number in the words of strerror(3), where that is all there is; else the error's own.
fn reason(error: &nl_socket::Error) -> String {
    match error.errno().and_then(Errno::text) {
        Some(text) => text.to_owned(),
        None => error.to_string(),
    }
}

/// The text of an I/O error without Rust's `(os error 2)`.
pub(crate) fn io_text(error: &io::Error) -> String {
    match error.raw_os_error().map(Errno).and_then(Errno::text) {
        Some(text) => text.to_owned(),
        None => error.to_string(),
    }
}

/// ip's line about a refusal, and one with the name of the error number and, if it is known, the
/// attribute at fault.
fn refusal(failure: &Failure) -> String {
    let mut text = match (&failure.message, failure.errno.text()) {
        (Some(message), _) => {
            let stop = if message.as_bytes().last() == Some(&b'.') { "" } else { "." };
            format!("Error: {message}{stop}")
        }
        (None, Some(text)) => format!("RTNETLINK answers: {text}"),
        (None, None) => format!("RTNETLINK answers: Unknown error {}", failure.errno.0),
    };
    let mut separator = "\n  ";
    let mut add = |part: fmt::Arguments<'_>| {
        let _ = write!(text, "{separator}{part}");
        separator = ", ";
    };
    // Of a missing privilege all is said in one line.
    if let Some(name) = failure.errno.name().filter(|_| !is_permission(failure.errno)) {
        add(format_args!("{name}"));
    }
    if let Some(path) = &failure.path {
        add(format_args!("at {path}"));
    }
    if let Some(policy) = &failure.policy {
        add(format_args!("expected {policy}"));
    }
    if let Some(missing) = &failure.missing {
        add(format_args!("missing {missing}"));
    }
    text
}

fn is_permission(errno: Errno) -> bool {
    matches!(errno, Errno::EPERM | Errno::EACCES)
}

/// A word that the user typed, safe to print.
pub(crate) fn word<S: AsRef<OsStr> + ?Sized>(word: &S) -> Escaped<'_> {
    Escaped(word.as_ref().as_bytes())
}

/// Says something on stderr; that stderr is closed is no reason to fail.
pub(crate) fn say(text: impl Display) {
    let _ = io::Write::write_all(&mut io::stderr(), format!("{text}\n").as_bytes());
}

/// Says what the kernel had to say of a change that succeeded, as ip(8) says it.
pub(crate) fn say_warning(connection: &Connection) {
    if let Some(text) = connection.warning() {
        let stop = if text.as_bytes().last() == Some(&b'.') { "" } else { "." };
        say(format_args!("Warning: {text}{stop}"));
    }
}

/// Says that something was lost, as conntrack(8) says it of events.
pub(crate) fn say_loss(loss: Loss) {
    say(format_args!("{CONNTRACK}WARNING: {loss}"));
}
