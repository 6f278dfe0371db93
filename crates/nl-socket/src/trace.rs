//! Seeing every message that passes.

use nl_wire::Message;
use nl_wire::table::Protocol;

#[cfg(feature = "listing")]
mod listing;

/// Which way a message went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// To the kernel.
    Sent,
    /// From the kernel, or from whoever claims to be it.
    Received,
}

/// One message on its way, as a [`Tracer`] sees it. `Display` is the message's listing, each line
/// marked with `>` (sent) or `<` (received).
///
/// ```
/// use nl_socket::{Connection, Trace};
/// use nl_wire::value::Family;
///
/// let mut connection = Connection::open(Family::ROUTE)?;
/// connection.set_tracer(Some(Box::new(|trace: &Trace<'_>| eprint!("{trace}"))));
/// # Ok::<(), nl_socket::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    /// Which way it went.
    pub direction: Direction,
    /// The message.
    pub message: Message<'a>,
    /// The tables that name its parts.
    pub protocol: &'a Protocol,
}

/// What is called for every message; see [`Connection::set_tracer`](crate::Connection::set_tracer).
pub type Tracer = Box<dyn FnMut(&Trace<'_>) + Send>;
