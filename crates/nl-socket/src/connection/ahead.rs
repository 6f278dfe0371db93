//! Receiving the next part of a dump on a thread while the caller reads the one before.

use std::io;
use std::mem;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::{Connection, ReadAhead};
use crate::error::Error;
use crate::ring::Ring;
use crate::socket::{Socket, Wait};

impl Connection {
    /// Has dumps received ahead from now on: a thread of this connection receives the next datagrams
    /// while the caller reads those before. With two processors a large dump then takes as long as
    /// the kernel or the reader needs, whichever is slower, instead of both one after the other; on
    /// one it costs a little more than without.
    ///
    /// Nothing else changes: order, losses, the end, timeouts, and dropping the iterator early are as
    /// without, and memory is as constant, but twice as much. With a timeout of zero nothing is
    /// received ahead, as the descriptor would not tell of it.
    ///
    /// # Errors
    /// [`Error::Io`] if there is no thread or no descriptor left.
    pub fn read_ahead(&mut self) -> Result<(), Error> {
        if self.ahead.is_none() {
            self.ahead = Some(Box::new(Ahead::new(self.socket.try_clone()?)?));
        }
        Ok(())
    }
}

/// A thread that receives when told to, what is there and without waiting.
///
/// It decides nothing: every datagram and every error is handed over in order, and read as if it had
/// been received here. The kernel makes the next datagram of a dump while one is received, so a
/// queue that is found empty holds nothing back, and the thread never has a reason to wait: deadlines
/// and the end of an exchange are none of its business.
struct Ahead {
    /// `None` while being dropped, which ends the thread.
    orders: Option<SyncSender<(Ring, usize)>>,
    results: Receiver<(Ring, io::Result<usize>)>,
    thread: Option<JoinHandle<()>>,
    /// The other ring; `None` while the thread has it.
    spare: Option<Ring>,
}

impl Ahead {
    fn new(socket: Socket) -> io::Result<Self> {
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
}

impl ReadAhead for Ahead {
    fn order(&mut self, most: usize) {
        if let (Some(orders), Some(ring)) = (&self.orders, self.spare.take()) {
            // The thread ends with us alone.
            let _ = orders.send((ring, most));
        }
    }

    fn take(&mut self, ring: &mut Ring) -> Option<io::Result<usize>> {
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
