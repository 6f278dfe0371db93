//! Connections to a living kernel.

mod requests;

use std::fs;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use nl_socket::{Connection, Direction, Error, Loss, Netns, Poller, Socket, Wait};
use nl_testkit::{LIMIT, linux, live, live_within, sh};
use nl_wire::header::NLMSG_DONE;
use nl_wire::value::Family;
use nl_wire::{Errno, Flags, Header};

use requests::*;

const SHORT: Duration = Duration::from_millis(200);

/// By when a busy machine too comes to something that takes no time.
const LATE: Duration = Duration::from_secs(20);

#[test]
fn dump_get_and_run() {
    live(|| {
        let mut connection = rtnetlink();
        connection.run(AddLink::bridge("b0")).unwrap();
        let found = links(&mut connection);
        assert_eq!(found.iter().map(|link| &*link.name).collect::<Vec<_>>(), ["lo", "b0"]);
        let b0 = GetLink { index: found[1].index, ..GetLink::default() };
        assert_eq!(connection.get(b0).unwrap().name, "b0");
        assert_eq!(connection.counters(), nl_socket::Counters::default());
    });
}

#[test]
fn what_may_be_there_and_what_may_not() {
    live(|| {
        let mut connection = rtnetlink();
        let absent = GetLink { index: 999_999, ..GetLink::default() };
        assert_eq!(connection.find(absent).unwrap(), None);
        let lo = GetLink { index: 1, ..GetLink::default() };
        assert_eq!(connection.find(lo).unwrap().unwrap().name, "lo");
        let deaf = GetLink { index: 1, deaf: true, ..GetLink::default() };
        assert!(matches!(connection.find(deaf), Err(Error::NoReply)));

        let b0 = || AddLink::bridge("b0");
        assert!(connection.run_unless(b0(), Errno::EEXIST).unwrap());
        assert!(!connection.run_unless(b0(), Errno::EEXIST).unwrap());
        let error = connection.run_unless(b0(), Errno::ENOENT).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::EEXIST));
    });
}

#[test]
fn a_get_that_asks_for_an_ack() {
    let mut connection = rtnetlink();
    let lo = || GetLink { index: 1, acked: true, ..GetLink::default() };
    for _ in 0..3 {
        assert_eq!(connection.get(lo()).unwrap().name, "lo");
    }
    let absent = GetLink { index: 999_999, ..lo() };
    assert_eq!(connection.get(absent).unwrap_err().errno(), Some(Errno::ENODEV));
    links(&mut connection);
    assert_eq!(connection.counters().stale, 0);
}

#[test]
fn a_get_without_a_fitting_reply() {
    let mut connection = rtnetlink();
    let lo = || GetLink { index: 1, ..GetLink::default() };
    let error = connection.get(GetLink { deaf: true, ..lo() }).unwrap_err();
    assert!(matches!(error, Error::NoReply), "{error:?}");
    let error = connection.get(GetLink { picky: true, ..lo() }).unwrap_err();
    assert!(matches!(error, Error::Lost(Loss::Undecodable(_))), "{error:?}");
    assert_eq!(connection.get(lo()).unwrap().name, "lo");
    assert_eq!(connection.counters().stale, 0);
}

#[test]
fn a_refusal_tells_text_and_place() {
    live(|| {
        let mut connection = rtnetlink();
        sh("ip link set lo up");
        let Error::Refused(failure) = connection.run(AddRoute::misfit(1)).unwrap_err() else {
            panic!("not refused")
        };
        assert_eq!(failure.errno, Errno::ERANGE);
        assert_eq!(failure.path.unwrap().to_string(), "RTA_GATEWAY");
        assert_eq!(failure.message.unwrap().to_string(), "Attribute failed policy validation");
        let kind = AddLink { kind: "nosuchkind", ..AddLink::bridge("x") };
        let error = connection.run(kind).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::EOPNOTSUPP));
        assert_eq!(error.to_string(), "Operation not supported (EOPNOTSUPP): Unknown device type");
        connection.run(AddLink::bridge("b")).unwrap();
        let error = connection.run(AddLink::bridge("b")).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::EEXIST));
    });
}

#[test]
fn dumps_are_checked_strictly() {
    let mut connection = rtnetlink();
    let replies: Vec<_> = connection.dump(ListLinksLoosely).unwrap().collect();
    let [Err(error @ Error::Refused(_))] = &replies[..] else { panic!("{replies:?}") };
    assert_eq!(error.errno(), Some(Errno::EINVAL));
    assert!(error.to_string().contains("Filter by device index"), "{error}");
    links(&mut connection);
}

#[test]
fn a_want_of_privilege_is_told_apart() {
    let refused = |errno| Error::from(nl_wire::Failure::from_errno(errno));
    assert!(refused(Errno::EPERM).is_permission());
    assert!(!refused(Errno::EEXIST).is_permission());
    assert!(Error::from(std::io::Error::from_raw_os_error(13)).is_permission());
    assert!(!Error::TimedOut.is_permission());
}

#[test]
fn an_echo_is_an_item_before_the_ack() {
    live(|| {
        let mut connection = rtnetlink();
        let flags = Flags::CREATE | Flags::EXCL | Flags::ECHO;
        let made: Vec<Link> = connection
            .start(AddLink { flags, ..AddLink::bridge("b") })
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        // Linux echoes links since 6.2.
        let expected: &[&str] = if linux() < (6, 2) { &[] } else { &["b"] };
        assert_eq!(made.iter().map(|link| &*link.name).collect::<Vec<_>>(), expected);
        connection.run(AddLink { flags, ..AddLink::bridge("c") }).unwrap();
        // That it can't be read changes nothing about the change.
        connection.run(AddLink { flags, picky: true, ..AddLink::bridge("d") }).unwrap();
        let again = AddLink { flags, picky: true, ..AddLink::bridge("d") };
        assert_eq!(connection.run(again).unwrap_err().errno(), Some(Errno::EEXIST));
        assert_eq!(links(&mut connection).len(), 4);
        assert_eq!(connection.counters().stale, 0);
    });
}

/// Bridges whose dump takes several datagrams.
fn many_bridges() {
    let lines: Vec<String> = (0..120).map(|n| format!("link add b{n} type bridge")).collect();
    sh(&format!("ip -batch - <<E\n{}\nE", lines.join("\n")));
}

#[test]
fn a_dump_dropped_early_does_not_disturb_the_next_request() {
    live(|| {
        many_bridges();
        let mut connection = rtnetlink();
        for taken in [0, 1, 2, 5, 60] {
            let some: Vec<_> = connection.dump(ListLinks).unwrap().take(taken).collect();
            assert_eq!(some.len(), taken);
            assert_eq!(links(&mut connection).len(), 121);
            drop(connection.dump(ListLinks).unwrap());
            assert_eq!(
                connection.get(GetLink { index: 1, ..GetLink::default() }).unwrap().index,
                1
            );
        }
        connection.dump(ListLinks).unwrap().next().unwrap().unwrap();
        connection.run(AddLink::bridge("last")).unwrap();
        assert_eq!(connection.counters().stale, 0);
    });
}

#[test]
fn a_request_without_an_answer_times_out_and_leaves_no_trace() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        for _ in 0..2 {
            connection.set_timeout(Some(SHORT));
            let start = Instant::now();
            let replies: Vec<_> = connection.dump(Unanswered).unwrap().collect();
            assert!(matches!(replies[..], [Err(Error::TimedOut)]), "{replies:?}");
            assert!((SHORT..LATE).contains(&start.elapsed()), "{:?}", start.elapsed());
            // Nothing waits for the answer that did not come.
            connection.set_timeout(Some(LATE * 2));
            let start = Instant::now();
            let flows: Result<Vec<()>, _> = connection.dump(ListFlows).unwrap().collect();
            assert_eq!(flows.unwrap(), []);
            assert!(start.elapsed() < LATE, "{:?}", start.elapsed());
        }
        // Dropped instead of waited for: the same.
        drop(connection.dump(Unanswered).unwrap());
        let start = Instant::now();
        assert_eq!(connection.dump(ListFlows).unwrap().count(), 0);
        assert!(start.elapsed() < LATE, "{:?}", start.elapsed());
    });
}

#[test]
fn a_timeout_of_zero_never_waits() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        connection.set_timeout(Some(Duration::ZERO));
        let mut replies = connection.dump(Unanswered).unwrap();
        for _ in 0..3 {
            assert!(matches!(replies.next(), Some(Err(Error::WouldBlock))));
        }
        drop(replies);
        // The kernel answers while it is asked.
        let (poller, mut ready) = (Poller::new().unwrap(), Vec::new());
        let mut replies = connection.dump(ListFlows).unwrap();
        poller.add(&replies, 7).unwrap();
        poller.wait(Wait::Never, &mut ready).unwrap();
        assert_eq!(ready, [7]);
        assert!(replies.next().is_none());
        poller.wait(Wait::Never, &mut ready).unwrap();
        assert_eq!(ready, []);
        drop(replies);
        assert!(!is_readable(&connection));

        let mut connection = rtnetlink();
        connection.set_timeout(Some(Duration::ZERO));
        connection.run(AddLink::bridge("b")).unwrap();
        let error = connection.run(AddLink::bridge("b")).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::EEXIST));
        assert_eq!(links(&mut connection).len(), 2);
    });
}

fn is_readable(connection: &Connection) -> bool {
    connection.socket().wait_readable(Wait::Never).unwrap()
}

#[test]
fn another_protocol_s_request_is_not_sent() {
    let mut connection = rtnetlink();
    let error = connection.dump(ListFlows).map(drop).unwrap_err();
    assert!(matches!(error, Error::WrongProtocol), "{error:?}");
    assert!(!is_readable(&connection));
    assert!(!links(&mut connection).is_empty());
}

#[test]
fn what_can_t_be_written_is_not_sent() {
    let mut connection = rtnetlink();
    let request = AddRoute { unencodable: true, ..AddRoute::number(1) };
    let error = connection.run(request).unwrap_err();
    assert_eq!(error.to_string(), "request can't be written: RTA_DST: value out of range");
    assert!(!is_readable(&connection));
    assert!(!links(&mut connection).is_empty());
}

#[test]
fn a_request_beyond_the_send_buffer_fails_alone() {
    live(|| {
        sh("ip link set lo up");
        let connection = rtnetlink();
        let size = connection.socket().set_send_buffer(4608).unwrap();
        let mut connection = Connection::new(Socket::open(0).unwrap()).unwrap();
        connection.socket().set_send_buffer(4608).unwrap();
        let long = AddRoute { ballast: size, ..AddRoute::number(1) };
        assert_eq!(connection.run(long).unwrap_err().errno(), Some(Errno::EMSGSIZE));
        connection.run(AddRoute::number(1)).unwrap();
    });
}

#[test]
fn a_tracer_sees_every_message_once() {
    live(|| {
        sh("ip link set lo up");
        let mut connection = rtnetlink();
        let (sender, seen) = mpsc::channel();
        connection.set_tracer(Some(Box::new(move |trace| {
            let text = trace.to_string();
            let mark = if trace.direction == Direction::Sent { "> " } else { "< " };
            assert!(text.lines().all(|line| line.starts_with(mark)), "{text}");
            let first = text.split(',').next().unwrap().to_owned();
            sender.send((first, trace.message.header.sequence)).unwrap();
        })));
        let expect = |expected: &[(&str, u32)]| {
            let seen: Vec<(String, u32)> = seen.try_iter().collect();
            let seen: Vec<(&str, u32)> = seen.iter().map(|(text, n)| (&**text, *n)).collect();
            assert_eq!(seen, expected);
        };
        connection.get(GetLink { index: 1, ..GetLink::default() }).unwrap();
        expect(&[("> RTM_GETLINK", 1), ("< RTM_NEWLINK", 1)]);
        links(&mut connection);
        expect(&[("> RTM_GETLINK", 2), ("< RTM_NEWLINK", 2), ("< NLMSG_DONE", 2)]);
        let routes = [1, 2, 1, 3].map(AddRoute::number);
        let failed = connection.batch(&routes).filter(Result::is_err).count();
        assert_eq!(failed, 1);
        let sent = [3, 4, 5, 6].map(|n| ("> RTM_NEWROUTE", n));
        expect(&[&sent[..], &[("< NLMSG_ERROR", 5), ("< NLMSG_ERROR", 6)]].concat());
        connection.set_tracer(None);
        links(&mut connection);
        expect(&[]);
    });
}

/// Sends bytes to the connection's port from a socket of its own, as root may.
fn forge(connection: &Connection, bytes: &[u8]) {
    let impostor = Socket::open(connection.socket().protocol()).unwrap();
    impostor.send_to(bytes, connection.socket().port(), 0).unwrap();
}

/// `NLMSG_DONE` as the kernel would send it to this connection.
fn done(connection: &Connection, sequence: u32, errno: i32) -> Vec<u8> {
    let port = connection.socket().port();
    let flags = Flags::MULTI;
    let header = Header { length: 20, message_type: NLMSG_DONE, flags, sequence, port };
    [&header.encode()[..], &(-errno).to_ne_bytes()].concat()
}

#[test]
fn forged_replies_are_refused_and_counted() {
    live(|| {
        many_bridges();
        let mut connection = rtnetlink();
        for sequence in 1..=2 {
            forge(&connection, &done(&connection, sequence, 0));
            forge(&connection, &done(&connection, sequence, 1));
        }
        assert_eq!(links(&mut connection).len(), 121);
        connection.run(AddLink::bridge("b")).unwrap();
        assert_eq!(connection.counters().foreign, 4);
    });
}

/// Routes whose dump takes more datagrams than the ring has slots.
const MANY_ROUTES: u32 = 12_000;

#[test]
fn a_forged_end_amid_a_dump_is_refused() {
    live(|| {
        sh("ip link set lo up");
        let mut connection = rtnetlink();
        let routes = (1..=MANY_ROUTES).map(AddRoute::number);
        let made: Result<Vec<()>, _> = connection.batch(routes).collect();
        assert_eq!(made.unwrap().len(), MANY_ROUTES as usize);
        let forged = done(&connection, MANY_ROUTES + 1, 0);
        let (impostor, port) = (Socket::open(0).unwrap(), connection.socket().port());
        let mut replies = connection.dump(ListRoutes).unwrap();
        replies.next().unwrap().unwrap();
        impostor.send_to(&forged, port, 0).unwrap();
        let rest: Result<Vec<_>, _> = replies.collect();
        assert_eq!(rest.unwrap().len(), MANY_ROUTES as usize - 1);
        assert_eq!(connection.counters().foreign, 1);
    });
}

#[test]
fn strangers_do_not_lengthen_the_wait() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        let port = connection.socket().port();
        let impostor = Socket::open(Family::NETFILTER.0).unwrap();
        let (stop, stopped) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let impostor = scope.spawn(move || {
                while stopped.try_recv() == Err(mpsc::TryRecvError::Empty) {
                    let _ = impostor.send_to(&[0; 16], port, 0);
                }
            });
            for timeout in [SHORT, SHORT * 2] {
                connection.set_timeout(Some(timeout));
                let start = Instant::now();
                let replies: Vec<_> = connection.dump(Unanswered).unwrap().collect();
                assert!(matches!(replies[..], [Err(Error::TimedOut)]), "{replies:?}");
                let took = start.elapsed();
                assert!((timeout..LATE).contains(&took), "{took:?}");
            }
            connection.set_timeout(Some(Duration::ZERO));
            let mut replies = connection.dump(Unanswered).unwrap();
            let start = Instant::now();
            assert!(matches!(replies.next(), Some(Err(Error::WouldBlock))));
            assert!(start.elapsed() < LATE, "{:?}", start.elapsed());
            drop(replies);
            drop(stop);
            // It may be waiting for room in our queue.
            while !impostor.is_finished() {
                drop(connection.dump(Unanswered).unwrap().next());
            }
        });
        assert!(connection.counters().foreign > 0);
    });
}

#[test]
fn a_link_message_of_41_kilobytes_is_dumped_whole() {
    live_within(LIMIT * 2, || {
        sh("seq 1000 1330 | sed 's/.*/link property add dev lo altname &'$(printf %0120d)/ |
            ip -batch -");
        let mut connection = rtnetlink();
        let links = links(&mut connection);
        assert_eq!((links.len(), links[0].alternative_names), (1, 331));
        assert!(links[0].length > 41_000, "{}", links[0].length);
        // What follows arrives as usual.
        connection.run(AddLink::bridge("b")).unwrap();
        let names: Vec<_> = connection.dump(ListLinks).unwrap().map(|l| l.unwrap().name).collect();
        assert_eq!(names, ["lo", "b"]);
    });
}

#[test]
fn a_dump_amid_which_a_link_is_made_is_interrupted() {
    live(|| {
        many_bridges();
        let (mut connection, mut other) = (rtnetlink(), rtnetlink());
        // The first datagram is made while the request is sent, the others while they are received.
        let replies = connection.dump(ListLinks).unwrap();
        other.run(AddLink::bridge("late")).unwrap();
        let items: Vec<_> = replies.collect();
        let Some(Err(Error::Lost(Loss::Interrupted))) = items.last() else {
            panic!("{:?}", items.last())
        };
        assert!(items.iter().rev().skip(1).all(Result::is_ok));
        assert!(items.len() > 100);
        assert_eq!(links(&mut connection).len(), 122, "the next one is whole");
    });
}

#[test]
fn a_connection_in_another_namespace() {
    live(|| {
        let there = Netns::create().unwrap();
        let mut connection = Connection::open_in(Family::ROUTE, &there).unwrap();
        drop(there);
        connection.run(AddLink::bridge("only-there")).unwrap();
        assert_eq!(links(&mut connection).len(), 2);
        assert_eq!(links(&mut rtnetlink()).len(), 1);
    });
}

#[test]
fn nothing_leaks() {
    live(|| {
        many_bridges();
        let count = || fs::read_dir("/proc/self/fd").unwrap().count();
        let resident = || {
            let statm = fs::read_to_string("/proc/self/statm").unwrap();
            statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4
        };
        let mut connection = rtnetlink();
        for _ in 0..20 {
            links(&mut connection);
        }
        let before = (count(), resident());
        for _ in 0..300 {
            links(&mut connection);
            drop(connection.dump(ListLinks).unwrap());
            drop(rtnetlink().dump(ListLinks).unwrap());
        }
        assert_eq!(count(), before.0);
        let grown = resident().saturating_sub(before.1);
        assert!(grown < 4096, "{grown} KiB");
    });
}

#[test]
fn a_larger_receive_buffer_stays() {
    let socket = Socket::open(0).unwrap();
    let small = socket.receive_buffer().unwrap();
    let large = socket.set_receive_buffer(64 << 20).unwrap();
    let connection = Connection::new(socket).unwrap();
    assert_eq!(connection.socket().receive_buffer().unwrap(), large);
    let connection = rtnetlink();
    assert!(connection.socket().receive_buffer().unwrap() >= small);
}

#[test]
fn a_connection_moves_between_threads() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let mut connection = is_send(rtnetlink());
    std::thread::scope(|scope| {
        scope.spawn(|| assert!(!links(&mut connection).is_empty())).join().unwrap();
    });
    assert!(connection.socket().wait_readable(Wait::Never).is_ok_and(|ready| !ready));
    // A request is used by value or by reference.
    assert!(connection.dump(&ListLinks).unwrap().next().unwrap().is_ok());
}
