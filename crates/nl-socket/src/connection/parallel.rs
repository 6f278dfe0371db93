//! Several dumps side by side.

use std::thread;

use nl_wire::Request;

use super::{Connection, Replies};
use crate::error::Error;

/// Carries out several dumps at the same time, each on a thread and a connection of its own, and
/// gives what `read` made of each, in the order of the requests.
///
/// One dump keeps one processor busy, nearly all of it in the kernel. A table that can be asked for
/// in parts, each of which the kernel picks out, comes as many times as fast as there are processors
/// for it; that the parts are disjoint and together whole is the requests' matter, see
/// `nl_conntrack::request::List::by_family`.
///
/// `open` opens each connection, on its thread, which is in the caller's network namespace. `read`
/// runs there too, so decoding is spread as well; it sees losses and interruptions as items.
///
/// ```
/// use nl_socket::{Connection, parallel};
/// use nl_wire::value::Family;
/// # use nl_wire::table::{Layout, Protocol, Table};
/// # use nl_wire::{Error as WireError, Message, Mode, Request, Writer};
/// # nl_wire::protocol! {
/// #     static RTNETLINK: Family::ROUTE { RTM_GETADDR = 22: Get, Layout::NONE, Table::EMPTY; }
/// # }
/// # struct Addresses(u8);
/// # impl Request for Addresses {
/// #     type Item = usize;
/// #     const MODE: Mode = Mode::Dump;
/// #     fn protocol(&self) -> &'static Protocol { &RTNETLINK }
/// #     fn message_type(&self) -> u16 { RTM_GETADDR }
/// #     fn write(&self, writer: &mut Writer<'_>) -> Result<(), WireError> {
/// #         writer.fixed(&[self.0, 0, 0, 0, 0, 0, 0, 0]);
/// #         Ok(())
/// #     }
/// #     fn read(&self, message: &Message<'_>) -> Result<Option<usize>, WireError> {
/// #         Ok(Some(message.bytes.len()))
/// #     }
/// # }
///
/// let families = [Addresses(2), Addresses(10)]; // AF_INET, AF_INET6
/// let open = || Connection::open(Family::ROUTE);
/// let parts = parallel(families, open, |replies| replies.collect::<Result<Vec<_>, _>>());
/// for part in parts {
///     println!("{} addresses", part??.len());
/// }
/// # Ok::<(), nl_socket::Error>(())
/// ```
///
/// # Errors
/// Of a part: of `open`, and of [`Connection::dump`]; [`Error::Io`] too if there is no thread for it.
///
/// # Panics
/// If `open` or `read` do.
pub fn parallel<R, T>(
    requests: impl IntoIterator<Item = R>,
    open: impl Fn() -> Result<Connection, Error> + Sync,
    read: impl Fn(Replies<'_, R>) -> T + Sync,
) -> Vec<Result<T, Error>>
where
    R: Request + Send,
    T: Send,
{
    let run = |request| open()?.dump(request).map(&read);
    thread::scope(|scope| {
        let start = |request| {
            let run = &run;
            thread::Builder::new().name("dump".into()).spawn_scoped(scope, move || run(request))
        };
        let parts: Vec<_> = requests.into_iter().map(start).collect();
        let join = |part: thread::ScopedJoinHandle<'_, _>| {
            part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        parts.into_iter().map(|part| part.map_err(Error::Io).and_then(join)).collect()
    })
}
