//! Dumps received ahead by a thread: what comes is what comes without, whatever happens meanwhile.

mod requests;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use nl_socket::{Connection, Error, Loss, Socket, Wait};
use nl_testkit::{live, sh};
use nl_wire::header::NLMSG_DONE;
use nl_wire::value::Family;
use nl_wire::{Flags, Header};

use requests::*;

/// `RTNLGRP_NEIGH` (linux/rtnetlink.h).
const RTNLGRP_NEIGH: u32 = 3;

/// Routes whose dump takes more datagrams than both rings have slots.
const MANY: u32 = 20_000;

fn ahead() -> Connection {
    let mut connection = rtnetlink();
    connection.read_ahead().unwrap();
    connection.read_ahead().unwrap(); // once more changes nothing
    connection
}

/// Makes the routes, and a connection that reads ahead.
fn filled() -> Connection {
    sh("ip link set lo up");
    let mut connection = ahead();
    let made: Result<Vec<()>, _> = connection.batch((1..=MANY).map(AddRoute::number)).collect();
    assert_eq!(made.unwrap().len(), MANY as usize);
    connection
}

fn count(connection: &mut Connection) -> usize {
    let routes: Result<Vec<_>, _> = connection.dump(ListRoutes).unwrap().collect();
    routes.unwrap().len()
}

#[test]
fn all_entries_come_in_the_order_of_a_plain_dump() {
    live(|| {
        let mut connection = filled();
        let mut plain = rtnetlink();
        let expected: Vec<_> = plain.dump(ListRoutes).unwrap().collect::<Result<_, _>>().unwrap();
        for _ in 0..3 {
            let routes: Vec<_> =
                connection.dump(ListRoutes).unwrap().collect::<Result<_, _>>().unwrap();
            assert!(routes == expected);
        }
        assert_eq!(connection.counters(), nl_socket::Counters::default());
    });
}

#[test]
fn other_requests_are_as_without() {
    live(|| {
        let mut connection = filled();
        for turn in 0..3 {
            assert_eq!(count(&mut connection), MANY as usize);
            // What was ordered behind the end of the dump takes no answer away.
            connection.run(AddLink::bridge(["a", "b", "c"][turn])).unwrap();
            assert_eq!(links(&mut connection).len(), 2 + turn);
            assert_eq!(
                connection.get(GetLink { index: 1, ..GetLink::default() }).unwrap().name,
                "lo"
            );
            let made: Vec<_> = connection.batch((1..=500).map(AddRoute::number)).collect();
            assert!(made.iter().all(Result::is_err) && made.len() == 500);
        }
        assert_eq!(connection.counters().stale, 0);
    });
}

#[test]
fn dropped_early_or_by_a_panic_it_leaves_no_trace() {
    live(|| {
        let mut connection = filled();
        for taken in [0, 1, 450, 1000, 10_000, 19_999] {
            let some: Vec<_> = connection.dump(ListRoutes).unwrap().take(taken).collect();
            assert!(some.iter().all(Result::is_ok) && some.len() == taken);
            assert_eq!(count(&mut connection), MANY as usize);
            let panicked = catch_unwind(AssertUnwindSafe(|| {
                let position = connection.dump(ListRoutes).unwrap().nth(taken);
                assert!(position.is_none(), "as is to be");
            }));
            assert!(panicked.is_err());
            assert_eq!(
                connection.get(GetLink { index: 1, ..GetLink::default() }).unwrap().index,
                1
            );
        }
        assert_eq!(connection.counters().stale, 0);
        // A connection that goes while its thread is at work.
        for taken in [1, 100, 1000] {
            let mut connection = ahead();
            assert_eq!(connection.dump(ListRoutes).unwrap().take(taken).count(), taken);
        }
    });
}

#[test]
fn strangers_and_interruptions_are_told_as_without() {
    live(|| {
        let mut connection = filled();
        let (impostor, port) = (Socket::open(0).unwrap(), connection.socket().port());
        let header =
            Header { length: 20, message_type: NLMSG_DONE, flags: Flags::MULTI, sequence: 0, port };
        let forged = [&header.encode()[..], &[0; 4]].concat();
        let mut replies = connection.dump(ListRoutes).unwrap();
        replies.next().unwrap().unwrap();
        impostor.send_to(&forged, port, 0).unwrap();
        assert_eq!(replies.map(Result::unwrap).count(), MANY as usize - 1);
        assert_eq!(connection.counters().foreign, 1);

        // More than is received and made by the time that the first entry is given: one datagram
        // here, two ahead, and another.
        let lines: Vec<String> = (0..170).map(|n| format!("link add b{n} type bridge")).collect();
        sh(&format!("ip -batch - <<E\n{}\nE", lines.join("\n")));
        let bytes: usize = links(&mut connection).iter().map(|link| link.length).sum();
        assert!(bytes > 5 * 32 * 1024, "{bytes}");
        let mut replies = connection.dump(ListLinks).unwrap();
        replies.next().unwrap().unwrap();
        rtnetlink().run(AddLink::bridge("late")).unwrap();
        let last = replies.last().unwrap();
        assert!(matches!(last, Err(Error::Lost(Loss::Interrupted))), "{last:?}");
    });
}

#[test]
fn an_overrun_amid_a_dump_is_told_as_without() {
    live(|| {
        let mut connection = filled();
        let mut plain = rtnetlink();
        let expected: Vec<_> = plain.dump(ListRoutes).unwrap().collect::<Result<_, _>>().unwrap();
        sh("ip link add name near type bridge && ip link set near up");
        for (turn, connection) in [&mut connection, &mut plain].into_iter().enumerate() {
            let socket = connection.socket();
            // Room for some dozens of events.
            socket.set_receive_buffer(1 << 15).unwrap();
            socket.join(RTNLGRP_NEIGH).unwrap();
            let mut replies = connection.dump(ListRoutes).unwrap();
            let mut routes = vec![replies.next().unwrap().unwrap()];
            let neighbour = |n| {
                let (high, low) = (n / 250, n % 250 + 1);
                format!(
                    "neigh replace 192.0.{high}.{low} lladdr 2:0:0:0:0:{turn} dev near nud permanent"
                )
            };
            let lines: Vec<String> = (0..500).map(neighbour).collect();
            sh(&format!("ip -batch - <<E\n{}\nE", lines.join("\n")));
            // Neither has an entry of the dump been lost, nor does anything else than the counters tell.
            routes.extend(replies.map(Result::unwrap));
            assert!(routes == expected);
            let counters = connection.counters();
            assert!(counters.overruns > 0, "{counters:?}");
            assert_eq!((counters.foreign, counters.stale), (0, 0));
            // And it is over.
            connection.socket().leave(RTNLGRP_NEIGH).unwrap();
            assert_eq!(count(connection), MANY as usize);
            connection.run(AddLink::bridge(["a", "b"][turn])).unwrap();
        }
    });
}

#[test]
fn timeouts_hold_and_without_waiting_nothing_is_read_ahead() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        connection.read_ahead().unwrap();
        connection.set_timeout(Some(Duration::from_millis(200)));
        let replies: Vec<_> = connection.dump(Unanswered).unwrap().collect();
        assert!(matches!(replies[..], [Err(Error::TimedOut)]), "{replies:?}");

        let mut connection = filled();
        assert_eq!(count(&mut connection), MANY as usize);
        connection.set_timeout(Some(Duration::ZERO));
        let mut replies = connection.dump(ListRoutes).unwrap();
        let mut seen = 0;
        // As long as there is more, the descriptor says so.
        loop {
            match replies.next() {
                Some(Ok(_)) => seen += 1,
                Some(Err(Error::WouldBlock)) => panic!("the kernel makes all in time"),
                Some(Err(error)) => panic!("{error}"),
                None => break,
            }
        }
        drop(replies);
        assert_eq!(seen, MANY);
        assert!(!connection.socket().wait_readable(Wait::Never).unwrap());
    });
}

#[test]
fn memory_stays_constant() {
    live(|| {
        let mut connection = filled();
        let resident = || {
            let status = fs::read_to_string("/proc/self/statm").unwrap();
            status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4
        };
        let mut read = || connection.dump(ListRoutes).unwrap().map(Result::unwrap).count();
        read();
        let before = resident();
        (0..10).for_each(|_| assert_eq!(read(), MANY as usize));
        assert!(resident() < before + 2048, "KiB: {before}, then {}", resident());
    });
}
