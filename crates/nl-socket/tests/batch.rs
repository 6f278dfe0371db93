//! Many changes in few datagrams, on a living kernel.

mod requests;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nl_socket::filter::{Insn, Program, REJECT};
use nl_socket::{Connection, Direction, Error, Socket};
use nl_testkit::{live, sh};
use nl_wire::table::Protocol;
use nl_wire::value::Family;
use nl_wire::{Errno, Flags, Message, Mode, Request, Writer};

use requests::*;

/// `BPF_RET` of a constant (linux/bpf_common.h).
const BPF_RET: u16 = 6;

/// A connection, and an interface for routes.
fn ready() -> Connection {
    sh("ip link set lo up");
    rtnetlink()
}

/// The routes that exist, by the number that [`AddRoute::number`] made them from.
fn routes(connection: &mut Connection) -> BTreeSet<u32> {
    let number = |address: Ipv4Addr| u32::from(address) - 0x0a00_0000;
    connection.dump(ListRoutes).unwrap().map(|route| number(route.unwrap())).collect()
}

/// Notes how many messages each datagram sent has.
fn count_messages(connection: &mut Connection) -> Arc<Mutex<Vec<usize>>> {
    let counts = Arc::<Mutex<Vec<usize>>>::default();
    let (sink, mut before) = (Arc::clone(&counts), Direction::Received);
    connection.set_tracer(Some(Box::new(move |trace| {
        if trace.direction == Direction::Sent {
            let mut counts = sink.lock().unwrap();
            if before == Direction::Received {
                counts.push(0);
            }
            *counts.last_mut().unwrap() += 1;
        }
        before = trace.direction;
    })));
    counts
}

#[test]
fn each_of_a_thousand_has_its_own_result() {
    live(|| {
        let mut connection = ready();
        connection.run(AddRoute::number(501)).unwrap();
        let requests: Vec<AddRoute> = (0..1000)
            .map(|n| if n % 7 == 3 { AddRoute::misfit(n) } else { AddRoute::number(n) })
            .collect();
        let datagrams = count_messages(&mut connection);
        let results: Vec<_> = connection.batch(&requests).collect();
        assert_eq!(*datagrams.lock().unwrap(), [1000]);
        assert_eq!(results.len(), 1000);
        let mut expected = BTreeSet::new();
        for (n, result) in (0..).zip(results) {
            match result {
                Ok(()) => assert!(expected.insert(n)),
                Err(Error::Refused(failure)) if n % 7 == 3 => {
                    assert_eq!(failure.errno, Errno::ERANGE);
                    assert_eq!(failure.path.unwrap().to_string(), "RTA_GATEWAY", "{n}");
                }
                Err(error) => {
                    assert_eq!((n, error.errno()), (501, Some(Errno::EEXIST)));
                    expected.insert(n);
                }
            }
        }
        assert_eq!(expected.len(), 1000 - 143);
        assert!(routes(&mut connection) == expected);
    });
}

#[test]
fn the_last_of_a_batch_may_fail_and_so_may_all() {
    live(|| {
        let mut connection = ready();
        for failing in [vec![9], vec![0, 9], (0..10).collect(), vec![0], vec![]] {
            let requests = (0..10).map(|n| AddRoute {
                interface: if failing.contains(&n) { 99 } else { 1 },
                ..AddRoute::number(n)
            });
            let results: Vec<_> = connection.batch(requests).collect();
            for (n, result) in (0..).zip(results) {
                let errno = result.err().map(|error| error.errno().unwrap());
                assert_eq!(
                    errno,
                    failing.contains(&n).then_some(Errno::ENODEV),
                    "{n} of {failing:?}"
                );
            }
            sh("ip route flush dev lo");
        }
    });
}

#[test]
fn every_one_of_many_refusals_fits_the_receive_buffer() {
    live(|| {
        let mut connection = ready();
        let datagrams = count_messages(&mut connection);
        let results: Vec<_> = connection.batch((0..5000).map(AddRoute::misfit)).collect();
        assert_eq!(results.len(), 5000);
        for result in results {
            assert_eq!(result.unwrap_err().errno(), Some(Errno::ERANGE));
        }
        assert!(datagrams.lock().unwrap().len() > 1);
        assert_eq!(connection.counters().overruns, 0);
    });
}

#[test]
fn a_small_receive_buffer_makes_small_batches() {
    live(|| {
        let mut connection = ready();
        connection.socket().set_receive_buffer(4096).unwrap();
        let results: Vec<_> = connection.batch((0..500).map(AddRoute::misfit)).collect();
        assert!(results.iter().all(|result| {
            result.as_ref().is_err_and(|error| error.errno() == Some(Errno::ERANGE))
        }));
        assert_eq!(connection.counters().overruns, 0);
    });
}

#[test]
fn after_an_overrun_no_result_is_wrong() {
    live(|| {
        let mut connection = ready();
        let port = connection.socket().port();
        let impostor = Socket::open(0).unwrap();
        // Strangers fill most of the queue; the answers find room for a few only.
        let room = connection.socket().receive_buffer().unwrap();
        let filled = || connection.socket().mem_info().unwrap().receive_queued as usize;
        while filled() + 40_000 < room {
            impostor.send_to(&[0; 16], port, 0).unwrap();
        }
        let requests: Vec<AddRoute> = (0..600)
            .map(|n| if n % 2 == 1 { AddRoute::misfit(n) } else { AddRoute::number(n) })
            .collect();
        let results: Vec<_> = connection.batch(&requests).collect();
        let made = routes(&mut connection);
        assert_eq!(made.len(), 300, "all were carried out");
        let known = results.iter().position(|it| matches!(it, Err(Error::OutcomeUnknown))).unwrap();
        for (n, result) in (0..).zip(&results) {
            match result {
                Ok(()) => assert!(made.contains(&n), "{n}"),
                Err(Error::Refused(_)) => assert!(!made.contains(&n), "{n}"),
                Err(Error::OutcomeUnknown) => assert!(n as usize >= known),
                Err(error) => panic!("{n}: {error}"),
            }
        }
        assert!(results[known..].iter().all(|it| matches!(it, Err(Error::OutcomeUnknown))));
        // What there was room for is known: 40,000 bytes hold 48 refusals of 832.
        assert!((60..200).contains(&known), "{known}");
        assert!(connection.counters().foreign > 1000);
        assert_eq!(connection.counters().overruns, 1);
        // And the connection is as good as before.
        connection.run(AddRoute::number(1)).unwrap();
        assert_eq!(connection.run(AddRoute::number(1)).unwrap_err().errno(), Some(Errno::EEXIST));
    });
}

#[test]
fn an_overrun_in_the_midst_of_many_batches_stops_none() {
    live(|| {
        let mut connection = ready();
        let results: Vec<_> = connection.batch((0..5000).map(AddRoute::number)).collect();
        assert!(results.iter().all(Result::is_ok));
        let port = connection.socket().port();
        let impostor = Socket::open(0).unwrap();
        let room = connection.socket().receive_buffer().unwrap();
        while connection.socket().mem_info().unwrap().receive_queued as usize + 40_000 < room {
            impostor.send_to(&[0; 16], port, 0).unwrap();
        }
        let results: Vec<_> = connection.batch((0..5000).map(AddRoute::number)).collect();
        let unknown = results.iter().filter(|it| matches!(it, Err(Error::OutcomeUnknown))).count();
        let exists = |it: &&Result<(), Error>| {
            it.as_ref().is_err_and(|error| error.errno() == Some(Errno::EEXIST))
        };
        assert_eq!(results.iter().filter(exists).count() + unknown, 5000);
        assert!((1000..2000).contains(&unknown), "only in the first datagram: {unknown}");
    });
}

#[test]
fn requests_larger_than_the_send_buffer_are_split() {
    live(|| {
        let mut connection = ready();
        let size = connection.socket().set_send_buffer(4608).unwrap();
        let datagrams = count_messages(&mut connection);
        let requests = (0..100).map(|n| AddRoute { ballast: 1000, ..AddRoute::number(n) });
        for result in connection.batch(requests) {
            result.unwrap();
        }
        let counts = datagrams.lock().unwrap().clone();
        let most = (size - 32) / 1052;
        assert!(counts.iter().all(|&count| count <= most), "{counts:?}");
        assert_eq!(counts.len(), 100_usize.div_ceil(most), "{counts:?}");
        assert_eq!(routes(&mut connection).len(), 100);
    });
}

#[test]
fn a_request_that_no_datagram_can_hold_fails_alone() {
    live(|| {
        let mut connection = ready();
        let size = connection.socket().set_send_buffer(4608).unwrap();
        let requests: Vec<AddRoute> = (0..9)
            .map(|n| AddRoute { ballast: if n % 4 == 0 { size } else { 0 }, ..AddRoute::number(n) })
            .collect();
        let results: Vec<_> = connection.batch(&requests).collect();
        for (n, result) in results.into_iter().enumerate() {
            let errno = result.err().map(|error| error.errno().unwrap());
            assert_eq!(errno, (n % 4 == 0).then_some(Errno::EMSGSIZE), "{n}");
        }
        assert_eq!(routes(&mut connection), [1, 2, 3, 5, 6, 7].into());
    });
}

#[test]
fn what_can_t_be_written_fails_alone() {
    live(|| {
        let mut connection = ready();
        for bad in [vec![0, 1, 5, 9], vec![4], (0..10).collect()] {
            let requests = (0..10_u32).map(|n| AddRoute {
                unencodable: bad.contains(&n),
                ..if n == 7 { AddRoute::misfit(n) } else { AddRoute::number(n) }
            });
            let results: Vec<_> = connection.batch(requests).collect();
            assert_eq!(results.len(), 10);
            for (n, result) in (0..).zip(results) {
                match result {
                    Err(Error::Unencodable(_)) => assert!(bad.contains(&n)),
                    Err(error) => assert_eq!((n, error.errno()), (7, Some(Errno::ERANGE))),
                    Ok(()) => assert!(!bad.contains(&n) && n != 7),
                }
            }
            sh("ip route flush dev lo");
        }
    });
}

#[test]
fn failures_of_all_kinds_keep_their_places_in_datagrams_of_all_sizes() {
    live(|| {
        let mut connection = ready();
        for (send, receive) in [(1 << 17, 1 << 20), (1 << 17, 1 << 14), (4608, 1 << 20)] {
            connection.socket().set_send_buffer(send).unwrap();
            connection.socket().set_receive_buffer(receive).unwrap();
            let request = |n: u32| AddRoute {
                unencodable: n % 3 == 1,
                ballast: n as usize % 11 * 4,
                ..if n % 5 == 2 { AddRoute::misfit(n) } else { AddRoute::number(n) }
            };
            let results: Vec<_> = connection.batch((0..700).map(request)).collect();
            assert_eq!(results.len(), 700);
            for (n, result) in (0..).zip(results) {
                match result {
                    Err(Error::Unencodable(_)) => assert_eq!(n % 3, 1),
                    Err(Error::Refused(failure)) => {
                        assert!(n % 3 != 1 && n % 5 == 2, "{n}");
                        assert_eq!(failure.path.unwrap().to_string(), "RTA_GATEWAY", "{n}");
                    }
                    other => assert!(other.is_ok() && n % 3 != 1 && n % 5 != 2, "{n}: {other:?}"),
                }
            }
            let made = (0..700).filter(|n| n % 3 != 1 && n % 5 != 2);
            assert!(routes(&mut connection).into_iter().eq(made));
            sh("ip route flush dev lo");
        }
    });
}

#[test]
fn a_datagram_that_can_t_be_sent_fails_each_of_its_requests() {
    live(|| {
        // A protocol without a kernel side refuses every datagram.
        let socket = Socket::open(Family::USERSOCK.0).unwrap();
        let mut connection = Connection::new(socket).unwrap();
        let results: Vec<_> = connection.batch((0..5).map(Knock)).collect();
        assert_eq!(results.len(), 5);
        for result in results {
            assert_eq!(result.unwrap_err().errno(), Some(Errno::ECONNREFUSED));
        }
    });
}

#[test]
fn an_empty_batch_and_another_protocol_send_nothing() {
    live(|| {
        let mut connection = ready();
        assert_eq!(connection.batch([] as [AddRoute; 0]).count(), 0);
        let results: Vec<_> = connection.batch((0..3).map(Knock)).collect();
        assert_eq!(results.len(), 3);
        assert!(results.iter().all(|it| matches!(it, Err(Error::WrongProtocol))));
        assert_eq!(connection.counters(), nl_socket::Counters::default());
    });
}

#[test]
fn requests_are_taken_as_results_are_asked_for() {
    live(|| {
        let mut connection = ready();
        let taken = std::cell::Cell::new(0);
        let endless = (0..).inspect(|_| taken.set(taken.get() + 1)).map(AddRoute::number);
        let mut batch = connection.batch(endless);
        assert_eq!(taken.get(), 0);
        batch.next().unwrap().unwrap();
        let first = taken.get();
        assert!((500..4000).contains(&first), "{first}");
        for _ in 0..first {
            batch.next().unwrap().unwrap();
        }
        assert!(taken.get() > first);
        // The rest of the datagram is carried out, though nobody asks.
        drop(batch);
        assert_eq!(routes(&mut connection).len(), taken.get());
        assert_eq!(connection.counters().stale, 0);
    });
}

#[test]
fn a_batch_follows_a_dump_dropped_early() {
    live(|| {
        let mut connection = ready();
        for result in connection.batch((0..20_000).map(AddRoute::number)) {
            result.unwrap();
        }
        drop(connection.dump(ListRoutes).unwrap().next());
        for result in connection.batch((20_000..20_010).map(AddRoute::number)) {
            result.unwrap();
        }
        assert_eq!(routes(&mut connection).len(), 20_010);
    });
}

#[test]
fn a_batch_does_not_wait_beyond_its_timeout() {
    live(|| {
        let (mut connection, time) = (ready(), Duration::from_millis(200));
        connection.set_timeout(Some(time));
        // A filter that lets nothing through: the kernel's answers never arrive.
        let nothing = Program::new(vec![Insn::new(BPF_RET, REJECT)]);
        connection.socket().attach_filter(&nothing.unwrap()).unwrap();
        let start = Instant::now();
        let results: Vec<_> = connection.batch((0..100).map(AddRoute::number)).collect();
        assert!((time..time * 100).contains(&start.elapsed()), "{:?}", start.elapsed());
        assert!(matches!(results[0], Err(Error::TimedOut)));
        assert!(results[1..].iter().all(|it| matches!(it, Err(Error::OutcomeUnknown))));
        connection.set_timeout(Some(Duration::ZERO));
        let mut batch = connection.batch((0..2).map(AddRoute::number));
        for _ in 0..3 {
            assert!(matches!(batch.next(), Some(Err(Error::WouldBlock))));
        }
        drop(batch);
        connection.socket().detach_filter().unwrap();
        assert_eq!(routes(&mut connection).len(), 100);
    });
}

#[test]
fn a_batch_may_stop_at_the_first_failure() {
    live(|| {
        let mut connection = ready();
        let mut taken = 0;
        let requests = (0..1000_u32).inspect(|_| taken += 1);
        let requests =
            requests.map(|n| if n == 20 { AddRoute::misfit(n) } else { AddRoute::number(n) });
        let results: Vec<_> = connection.batch(requests).stop_at_failure().collect();
        assert_eq!((results.len(), taken), (21, 21));
        assert!(results[..20].iter().all(Result::is_ok));
        assert!(matches!(&results[20], Err(Error::Refused(_))), "{:?}", results[20]);
        assert_eq!(routes(&mut connection), (0..20).collect());

        // What can't be encoded is a failure too; what follows is not sent.
        let silent = AddRoute { unencodable: true, ..AddRoute::number(30) };
        let requests = [AddRoute::number(21), silent, AddRoute::number(22)];
        let results: Vec<_> = connection.batch(&requests).stop_at_failure().collect();
        assert!(matches!(&results[..], [Ok(()), Err(Error::Unencodable(_))]), "{results:?}");
        assert_eq!(routes(&mut connection), (0..=21).filter(|n| *n != 20).collect());

        // Without a failure it goes to the end, and without the wish past it.
        let requests: Vec<_> = (100..200).map(AddRoute::number).collect();
        assert_eq!(connection.batch(&requests).stop_at_failure().flatten().count(), 100);
        let requests = [AddRoute::misfit(1), AddRoute::number(201)];
        let results: Vec<_> = connection.batch(&requests).collect();
        assert!(matches!(&results[..], [Err(Error::Refused(_)), Ok(())]), "{results:?}");
    });
}

/// A route with two bytes too many behind it, of which the kernel speaks though it makes the route.
struct Trailing(AddRoute);

impl Request for Trailing {
    type Item = ();
    const MODE: Mode = Mode::Change;

    fn protocol(&self) -> &'static Protocol {
        self.0.protocol()
    }

    fn message_type(&self) -> u16 {
        self.0.message_type()
    }

    fn flags(&self) -> Flags {
        self.0.flags()
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), nl_wire::Error> {
        self.0.write(writer)?;
        writer.unpadded(&[0; 2]);
        Ok(())
    }

    fn read(&self, _: &Message<'_>) -> Result<Option<()>, nl_wire::Error> {
        Ok(None)
    }
}

#[test]
fn what_is_said_with_a_success_can_be_read() {
    live(|| {
        let mut connection = ready();
        let said = |connection: &Connection| connection.warning().map(ToString::to_string);
        connection.run(Trailing(AddRoute::number(1))).unwrap();
        let Some(warning) = said(&connection) else {
            return nl_testkit::skip("this kernel has nothing to say of bytes left over");
        };
        assert!(warning.contains("leftover"), "{warning}");
        // It is the last request's.
        connection.run(AddRoute::number(2)).unwrap();
        assert_eq!(said(&connection), None);
        let results: Vec<_> =
            connection.batch([3, 4].map(|n| Trailing(AddRoute::number(n)))).collect();
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_eq!(said(&connection).as_ref(), Some(&warning));
        assert_eq!(routes(&mut connection), (1..=4).collect());
        assert_eq!(said(&connection), None);
        // What comes with a refusal is told there.
        connection.run(Trailing(AddRoute::misfit(5))).unwrap_err();
        assert_eq!(said(&connection), None);
    });
}
