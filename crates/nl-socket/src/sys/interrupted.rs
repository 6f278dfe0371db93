//! Signals that interrupt every call that waits: nothing fails, nothing is lost, no time is cut
//! short or drawn out.

use std::os::fd::AsFd as _;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nl_testkit::live;
use nl_wire::table::Protocol;
use nl_wire::value::Family;
use nl_wire::{Error, Flags, Message, Mode, Request, Writer};

use crate::host::{Interrupts, Woken, wait_readable};
use crate::{Connection, Event, Events, Poller, Socket, Wait};

static HANDLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn handle(_: libc::c_int) {
    HANDLED.fetch_add(1, Ordering::Relaxed);
}

/// Has a signal that would end the program run a handler that does nothing. Calls that it
/// interrupts are not taken up again by the kernel (no `SA_RESTART`).
fn install() {
    // SAFETY: all zeros is a valid sigaction: no flags, an empty mask, the default handler.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handle as extern "C" fn(libc::c_int) as libc::sighandler_t;
    // SAFETY: the action is live, and its handler only adds to an atomic number.
    let result = unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()) };
    assert_eq!(result, 0);
}

/// Runs `work` while this thread gets thousands of signals a second.
fn under_fire(work: impl FnOnce()) {
    install();
    // SAFETY: takes nothing and cannot fail.
    let target = unsafe { libc::pthread_self() };
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // However the work ends, the other thread does, too.
        struct End<'a>(&'a AtomicBool);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _end = End(&over);
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                // SAFETY: the target waits for this thread to end, so it lives.
                assert_eq!(unsafe { libc::pthread_kill(target, libc::SIGUSR1) }, 0);
                std::thread::sleep(Duration::from_micros(50));
            }
        });
        work();
    });
}

const RTM_GETLINK: u16 = 18;
const RTM_NEWROUTE: u16 = 24;
const RTM_DELROUTE: u16 = 25;
const RTM_GETROUTE: u16 = 26;
const RTNLGRP_IPV4_ROUTE: u32 = 7;
const RTA_DST: u16 = 1;

static ROUTE: Protocol = Protocol::unknown(Family::ROUTE);

/// A route to nowhere, to be made or deleted.
struct Blackhole {
    delete: bool,
    number: u8,
}

impl Request for Blackhole {
    type Item = ();
    const MODE: Mode = Mode::Change;

    fn protocol(&self) -> &'static Protocol {
        &ROUTE
    }

    fn message_type(&self) -> u16 {
        if self.delete { RTM_DELROUTE } else { RTM_NEWROUTE }
    }

    fn flags(&self) -> Flags {
        if self.delete { Flags(0) } else { Flags::CREATE | Flags::EXCL }
    }

    /// `struct rtmsg`: IPv4, 32 bits, table main, protocol boot, scope universe, blackhole.
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&[2, 32, 0, 0, 254, 3, 0, 6, 0, 0, 0, 0]);
        writer.ip(RTA_DST, [192, 0, 2, self.number].into());
        Ok(())
    }

    fn read(&self, _: &Message<'_>) -> Result<Option<()>, Error> {
        Ok(None)
    }
}

/// All links, or all IPv4 routes: how long the message of each is.
struct All(u16);

impl Request for All {
    type Item = usize;
    const MODE: Mode = Mode::Dump;

    fn protocol(&self) -> &'static Protocol {
        &ROUTE
    }

    fn message_type(&self) -> u16 {
        self.0
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let length = if self.0 == RTM_GETLINK { 16 } else { 12 };
        writer.fixed(&[&[2][..], &[0; 15]].concat()[..length]);
        Ok(())
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<usize>, Error> {
        Ok(Some(message.bytes.len()))
    }
}

#[test]
#[cfg_attr(miri, ignore = "no kernel")]
fn requests_batches_and_events_go_on() {
    live(|| {
        under_fire(|| {
            let mut connection = Connection::open(Family::ROUTE).unwrap();
            let mut events = Events::open(Family::ROUTE, &[RTNLGRP_IPV4_ROUTE]).unwrap();
            let mut rounds = 0;
            while rounds < 20 || HANDLED.load(Ordering::Relaxed) < 500 {
                rounds += 1;
                for delete in [false, true] {
                    let changes = (0..100).map(|number| Blackhole { delete, number });
                    let results: Vec<_> = connection.batch(changes).collect();
                    assert!(results.iter().all(Result::is_ok), "{results:?}");
                    let routes = connection.dump(All(RTM_GETROUTE)).unwrap();
                    let routes: Vec<_> = routes.map(Result::unwrap).collect();
                    assert_eq!(routes.len(), if delete { 0 } else { 100 });
                    let mut heard = 0;
                    while heard < 100 {
                        match events.next(Wait::at_most(Duration::from_secs(30))).unwrap() {
                            Some(Event::Message { .. }) => heard += 1,
                            other => panic!("{other:?} after {heard} events"),
                        }
                    }
                }
                assert_eq!(connection.dump(All(RTM_GETLINK)).unwrap().count(), 1);
            }
            assert_eq!(connection.counters(), crate::Counters::default());
        });
    });
}

#[test]
#[cfg_attr(miri, ignore = "no kernel")]
fn waits_last_as_long_as_they_shall() {
    live(|| {
        let socket = Socket::open(Family::ROUTE.0).unwrap();
        let poller = Poller::new().unwrap();
        poller.add(&socket, 1).unwrap();
        let interrupts = Interrupts::new().unwrap();
        let mut events = Events::open(Family::ROUTE, &[RTNLGRP_IPV4_ROUTE]).unwrap();
        let mut ready = Vec::new();
        under_fire(|| {
            let time = Duration::from_millis(20);
            let checked = |what: &str, wait: &mut dyn FnMut(Wait) -> bool| {
                let (start, before) = (Instant::now(), HANDLED.load(Ordering::Relaxed));
                // A wait in which no signal came proves nothing.
                while HANDLED.load(Ordering::Relaxed) < before + 10 {
                    let begun = Instant::now();
                    assert!(!wait(Wait::at_most(time)), "{what}: there is nothing to read");
                    assert!(begun.elapsed() >= time, "{what}: {:?}", begun.elapsed());
                    assert!(start.elapsed() < Duration::from_secs(60), "{what} never ends");
                }
            };
            checked("a socket", &mut |wait| socket.wait_readable(wait).unwrap());
            checked("events", &mut |wait| events.next(wait).unwrap().is_some());
            checked("interrupts", &mut |wait| {
                interrupts.wait(&socket, wait).unwrap() != Woken::TimedOut
            });
            checked("several", &mut |wait| {
                wait_readable([socket.as_fd()], wait).unwrap() != [false]
            });
            checked("a set", &mut |wait| {
                poller.wait(wait, &mut ready).unwrap();
                !ready.is_empty()
            });
        });
    });
}
