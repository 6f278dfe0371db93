//! Receiving the next part of a dump on a thread while the caller reads the one before.

use std::io;
use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::ring::Ring;
use crate::socket::{Socket, Wait};

/// A thread that receives when told to, what is there and without waiting.
///
/// It decides nothing: every datagram and every error is handed over in order, and read as if it had
/// been received here. The kernel makes the next datagram of a dump while one is received, so a
/// queue that is found empty holds nothing back, and the thread never has a reason to wait: deadlines
/// and the end of an exchange are none of its business.
pub(super) struct Ahead {
    /// `None` while being dropped, which ends the thread.
    orders: Option<SyncSender<(Ring, usize)>>,
    results: Receiver<(Ring, io::Result<usize>)>,
    thread: Option<JoinHandle<()>>,
    /// The other ring; `None` while the thread has it.
    spare: Option<Ring>,
}

impl Ahead {
    pub(super) fn new(socket: Socket) -> io::Result<Self> {
        let (orders, taken) = sync_channel::<(Ring, usize)>(1);
        let (given, results) = sync_channel(1);
        let work = move || {
            for (mut ring, most) in taken {
                let received = ring.receive_some(&socket, Wait::Never, most);
                if given.send((ring, received)).is_err() {
                    break;
                }
            }
        };
        let thread = thread::Builder::new().name("read ahead".into()).spawn(work)?;
        let spare = Some(Ring::default());
        Ok(Self { orders: Some(orders), results, thread: Some(thread), spare })
    }

    /// Has up to `most` datagrams received into the other ring.
    pub(super) fn order(&mut self, most: usize) {
        if let (Some(orders), Some(ring)) = (&self.orders, self.spare.take()) {
            // The thread ends with us alone.
            let _ = orders.send((ring, most));
        }
    }

    /// What came of the last order, if there is one whose outcome was not taken: then `ring` is
    /// exchanged for that with the datagrams.
    pub(super) fn take(&mut self, ring: &mut Ring) -> Option<io::Result<usize>> {
        if self.spare.is_some() {
            return None;
        }
        let (other, received) = self.results.recv().ok()?;
        self.spare = Some(mem::replace(ring, other));
        Some(received)
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.orders = None;
        // It may have a result to give, for which there is room, and ends behind it.
        self.thread.take().map(JoinHandle::join);
    }
}
