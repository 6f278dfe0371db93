//! A watch on a thread of its own.

use std::fmt;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nl_socket::{Error, Poller, Wait};

use crate::engine::Item;
use crate::object::Object;
use crate::watch::Watch;

/// The pause after an error, so that one that stays does not keep a processor busy.
const PAUSE: Duration = Duration::from_millis(50);

/// What the poller calls the end of the handle; the event socket is the other descriptor.
const STOP: u64 = 1;

/// A [`Watch`] that runs on a thread of its own and sends its items through a bounded channel.
///
/// When the channel is full the thread waits, events pile up in the socket, and if they are too many
/// that is an item like any other loss. Dropping the handle ends the thread, also while it waits for
/// events or for room in the channel; a list that is being read is read to its end.
///
/// ```no_run
/// use nl_watch::{Addresses, Watch};
///
/// let handle = Watch::open(Addresses)?.spawn(1024)?;
/// for item in handle.iter().take(10) {
///     println!("{:?}", item?);
/// }
/// let watch = handle.stop();
/// println!("{} addresses", watch.mirror().len());
/// # Ok::<(), nl_socket::Error>(())
/// ```
pub struct Handle<O: Object> {
    items: Option<Receiver<Told<O>>>,
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<Watch<O>>>,
}

type Told<O> = Result<Item<<O as Object>::Item>, Error>;

impl<O: Object + Send + 'static> Watch<O>
where
    O::Item: Send,
    O::Key: Send,
{
    /// Runs this watch on a thread of its own, with a channel for `capacity` items.
    ///
    /// # Errors
    /// `EMFILE`: no descriptor left. `EAGAIN`: no thread left.
    pub fn spawn(self, capacity: usize) -> io::Result<Handle<O>> {
        let (stop, stopped) = UnixStream::pair()?;
        let poller = Poller::new()?;
        poller.add(&self, 0)?;
        poller.add(&stopped, STOP)?;
        let (sender, items) = mpsc::sync_channel(capacity);
        let body = move || {
            let mut watch = self;
            // The descriptor leaves the poller when it is closed, which must not be before.
            let _stopped = stopped;
            run(&mut watch, &poller, &sender);
            watch
        };
        let thread = thread::Builder::new().name("nl-watch".to_owned()).spawn(body)?;
        Ok(Handle { items: Some(items), stop: Some(stop), thread: Some(thread) })
    }
}

fn run<O: Object>(watch: &mut Watch<O>, poller: &Poller, sender: &SyncSender<Told<O>>) {
    let mut ready = Vec::new();
    loop {
        let (told, wait) = match watch.next(Wait::Never).transpose() {
            Some(Ok(item)) => (Some(Ok(item)), None),
            None => (None, Some(watch.deadline().map_or(Wait::Forever, Wait::Until))),
            Some(Err(error)) => (Some(Err(error)), Some(Wait::at_most(PAUSE))),
        };
        // Nobody takes items any more once the handle is gone.
        if told.is_some_and(|told| sender.send(told).is_err()) {
            return;
        }
        let Some(wait) = wait else { continue };
        if poller.wait(wait, &mut ready).is_err() || ready.contains(&STOP) {
            return;
        }
    }
}

impl<O: Object> Handle<O> {
    /// The next item, or error; `None` if none comes within `time`, or the thread has ended.
    pub fn next(&self, time: Duration) -> Option<Result<Item<O::Item>, Error>> {
        self.items.as_ref()?.recv_timeout(time).ok()
    }

    /// The items and errors as they come, waiting for each. An error ends nothing.
    pub fn iter(&self) -> impl Iterator<Item = Result<Item<O::Item>, Error>> {
        self.items.iter().flat_map(Receiver::iter)
    }

    /// Ends the thread and gives the watch back, with its mirror. Items that were sent and not
    /// taken are lost: compare with [`Watch::mirror`].
    ///
    /// # Panics
    /// If the thread did.
    pub fn stop(mut self) -> Watch<O> {
        let thread = self.end();
        let watch = thread.map(JoinHandle::join);
        match watch {
            Some(Ok(watch)) => watch,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => unreachable!("the thread is there until the handle ends"),
        }
    }

    /// Wakes the thread, whatever it waits for.
    fn end(&mut self) -> Option<JoinHandle<Watch<O>>> {
        drop(self.items.take());
        drop(self.stop.take());
        self.thread.take()
    }
}

impl<O: Object> Drop for Handle<O> {
    fn drop(&mut self) {
        drop(self.end());
    }
}

impl<O: Object> fmt::Debug for Handle<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("thread", &self.thread).finish_non_exhaustive()
    }
}
