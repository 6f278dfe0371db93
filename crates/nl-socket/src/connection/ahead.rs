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
    /// without, and memory is as constant, but three times as much. With a timeout of zero nothing is
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
    results: Receiver<(Ring, usize, io::Result<usize>)>,
    thread: Option<JoinHandle<()>>,
    /// The rings that the thread does not have.
    spare: Vec<Ring>,
}

/// Rings besides that being read: while one is handed over the thread has another one to fill, so it
/// never waits for the reader, as long as that is the faster one.
const RINGS: usize = 2;

impl Ahead {
    fn new(socket: Socket) -> io::Result<Self> {
        let (orders, taken) = sync_channel::<(Ring, usize)>(RINGS);
        let (given, results) = sync_channel(RINGS);
        let work = move || {
            for (mut ring, most) in taken {
                let received = ring.receive_some(&socket, Wait::Never, most);
                if given.send((ring, most, received)).is_err() {
                    break;
                }
            }
        };
        let thread = thread::Builder::new().name("read ahead".into()).spawn(work)?;
        let spare = (0..RINGS).map(|_| Ring::default()).collect();
        Ok(Self { orders: Some(orders), results, thread: Some(thread), spare })
    }
}

impl ReadAhead for Ahead {
    fn order(&mut self, most: usize) {
        let Some(orders) = &self.orders else { return };
        for ring in self.spare.drain(..) {
            // The thread ends with us alone.
            let _ = orders.send((ring, most));
        }
    }

    fn take(&mut self, ring: &mut Ring) -> Option<(usize, io::Result<usize>)> {
        if self.spare.len() == RINGS {
            return None;
        }
        let (other, most, received) = self.results.recv().ok()?;
        self.spare.push(mem::replace(ring, other));
        Some((most, received))
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.orders = None;
        // It may have results to give, for which there is room, and ends behind them.
        self.thread.take().map(JoinHandle::join);
    }
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::os::unix::net::UnixDatagram;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use nl_wire::header::{NLMSG_DONE, NLMSG_NOOP};
    use nl_wire::table::{Layout, Protocol, Table};
    use nl_wire::value::Family;
    use nl_wire::{Error as WireError, Flags, Header, Message, Mode, Request, Writer};

    use super::super::{Counters, Replies};
    use super::*;
    use crate::error::Loss;

    nl_wire::protocol! {
        static MADE_UP: Family::ROUTE { ENTRY = 24: New, Layout::NONE, Table::EMPTY; }
    }

    /// Asks for entries that are numbers, and refuses to read some.
    struct Numbers;

    impl Request for Numbers {
        type Item = u32;
        const MODE: Mode = Mode::Dump;

        fn protocol(&self) -> &'static Protocol {
            &MADE_UP
        }

        fn message_type(&self) -> u16 {
            ENTRY
        }

        fn write(&self, _: &mut Writer<'_>) -> Result<(), WireError> {
            Ok(())
        }

        fn read(&self, message: &Message<'_>) -> Result<Option<u32>, WireError> {
            let number = message.body().first_chunk().map(|word| u32::from_ne_bytes(*word));
            if number.is_some_and(|number| number % 101 == 7) {
                return Err(WireError::missing(1));
            }
            Ok(number)
        }
    }

    const SLOT_BYTES: usize = 512;

    fn message(message_type: u16, flags: Flags, sequence: u32, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(16 + body.len()).unwrap();
        let header = Header { length, message_type, flags, sequence, port: 0 };
        [&header.encode()[..], body].concat()
    }

    /// A dump of which some datagrams are longer than a slot, and some hold what is no entry.
    fn dump(interrupted: bool) -> Vec<Vec<u8>> {
        let mut numbers = 0_u32..;
        // Any numbers will do, as long as they are many and differ.
        let mut random =
            iter::successors(Some(1_u32), |it| Some(it.wrapping_mul(48271) % 0x7fff_ffff));
        let mut datagrams = Vec::new();
        for turn in 0..300 {
            let mut datagram = Vec::new();
            for number in numbers.by_ref().take(random.next().unwrap() as usize % 24 + 1) {
                let mut body = number.to_ne_bytes().to_vec();
                body.resize(4 + 4 * (random.next().unwrap() as usize % 9), 0);
                let changed = interrupted && (1200..1300).contains(&number);
                let flags = if changed { Flags::MULTI | Flags::DUMP_INTR } else { Flags::MULTI };
                datagram.extend(message(ENTRY, flags, 1, &body));
            }
            match turn % 40 {
                17 => datagram.extend(message(ENTRY, Flags(0), 0, b"an event")),
                23 => datagram.extend(message(ENTRY, Flags::MULTI, 9, b"stale")),
                31 => datagram.extend(message(NLMSG_NOOP, Flags(0), 1, &[])),
                // A length that can't be.
                37 => datagram.extend([3, 0, 0, 0]),
                _ => {}
            }
            datagrams.push(datagram);
        }
        datagrams.push(message(NLMSG_DONE, Flags::MULTI, 1, &[0; 4]));
        datagrams
    }

    /// Counts how often something was received ahead.
    struct Counted(Ahead, Arc<AtomicUsize>);

    impl ReadAhead for Counted {
        fn order(&mut self, most: usize) {
            self.0.order(most);
        }

        fn take(&mut self, ring: &mut Ring) -> Option<(usize, io::Result<usize>)> {
            let taken = self.0.take(ring);
            self.1.fetch_add(usize::from(matches!(taken, Some((_, Ok(_))))), Ordering::Relaxed);
            taken
        }
    }

    /// All items of a dump that comes so, what else was met, and how often it was received ahead.
    fn items(
        datagrams: &[Vec<u8>],
        ahead: bool,
        take: usize,
    ) -> (Vec<Result<u32, Loss>>, Counters, usize) {
        let (kernel, ours) = UnixDatagram::pair().unwrap();
        let mut connection = Connection::new(Socket::fake(ours.into())).unwrap();
        let ring = || Ring::new(Ring::SLOTS, SLOT_BYTES);
        connection.ring = ring();
        let count = Arc::default();
        if ahead {
            let mut ahead = Ahead::new(connection.socket.try_clone().unwrap()).unwrap();
            ahead.spare = (0..RINGS).map(|_| ring()).collect();
            connection.ahead = Some(Box::new(Counted(ahead, Arc::clone(&count))));
        }
        connection.sequence = 1;
        connection.exchange.expect(1, Mode::Dump, false);
        // Some are there before anybody reads, so there is something to receive ahead; no queue is
        // shorter than this.
        let (first, others) = datagrams.split_at(8);
        let send = |datagram: &Vec<u8>| kernel.send(datagram).map(drop);
        first.iter().try_for_each(send).unwrap();
        let (items, counters) = thread::scope(|scope| {
            // Ends early where nobody reads any more.
            scope.spawn(|| others.iter().try_for_each(send));
            let mut connection = connection;
            let item = |item| match item {
                Ok(number) => Ok(number),
                Err(Error::Lost(loss)) => Err(loss),
                Err(error) => panic!("{error}"),
            };
            let replies = Replies::new(&mut connection, Numbers, 1, None);
            let items = replies.map(item).take(take).collect();
            (items, connection.counters())
        });
        (items, counters, count.load(Ordering::Relaxed))
    }

    #[test]
    #[cfg_attr(miri, ignore = "no kernel")]
    fn losses_stand_where_they_stand_without() {
        for interrupted in [false, true] {
            let datagrams = dump(interrupted);
            let (expected, counters, _) = items(&datagrams, false, usize::MAX);
            let truncated = |it: &&Result<u32, Loss>| matches!(it, Err(Loss::Truncated { .. }));
            let long = datagrams.iter().filter(|datagram| datagram.len() > SLOT_BYTES).count();
            assert!(long > 50 && long < 250, "{long}");
            assert_eq!(expected.iter().filter(truncated).count(), long);
            let last = Some(&Err(Loss::Interrupted)).filter(|_| interrupted);
            assert!(last.is_none() || expected.last() == last, "{:?}", expected.last());
            assert!(counters.events > 0 && counters.stale > 0, "{counters:?}");
            for take in [usize::MAX, 0, 1, 100, 1000, usize::MAX] {
                let (found, met, ahead) = items(&datagrams, true, take);
                assert!(found.iter().eq(expected.iter().take(take)));
                // The first datagram was received here, and has not so many.
                assert!(ahead > 0 || take < 100, "nothing was received ahead");
                assert!(take != usize::MAX || met == counters, "{met:?} {counters:?}");
            }
        }
    }
}
