//! Others on the same machine who wish us ill: what the kernel lets them do, and what becomes of it.
#![cfg(not(miri))] // Miri has no kernel.

mod requests;
mod socket_common;

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::process::{Command, Stdio};
use std::time::Duration;

use nl_socket::exchange::{Exchange, Output};
use nl_socket::filter::{Insn, Program};
use nl_socket::{Connection, Error, Event, Events, Loss, Ring, Socket, Wait};
use nl_testkit::{Running, live, need, sh};
use nl_wire::header::NLMSG_ERROR;
use nl_wire::value::Family;
use nl_wire::{Errno, Mode};

use requests::*;
use socket_common::{DUMP, REQUEST, RTM_GETLINK, message};

/// Tells the attacker what to do: protocol, port, groups, how many datagrams.
const ATTACK: &str = "NL_ATTACK";

/// `NETLINK_USERSOCK`: the one protocol on which everybody may send to everybody.
const USERSOCK: Family = Family::USERSOCK;

const SHORT: Duration = Duration::from_millis(200);

/// `struct sock_filter` `ret #k`.
const RETURN: u16 = 0x06;

/// The other side: a process without any privilege, started by the tests below. Its exit code is the
/// errno of the first datagram that was refused, or 0.
#[test]
fn attacker() {
    let Ok(attack) = env::var(ATTACK) else { return };
    let numbers: Vec<u32> = attack.split(' ').map(|word| word.parse().unwrap()).collect();
    let [protocol, port, groups, count] = numbers[..] else { panic!("{attack}") };
    let socket = Socket::open(u16::try_from(protocol).unwrap()).unwrap();
    let mut forged = Vec::new();
    for number in 0..count {
        // An ack of every sequence number that may be under way, and a change announced.
        forged.clear();
        let ack = [&[0; 4][..], &message(RTM_GETLINK, REQUEST, &[])].concat();
        forged.extend(message(NLMSG_ERROR, 0, &ack));
        forged[8..12].copy_from_slice(&(number % 4).to_ne_bytes());
        forged[12..16].copy_from_slice(&port.to_ne_bytes());
        forged.extend(message(16, REQUEST, &[0; 16]));
        match socket.send_to(&forged, port, groups) {
            // A multicast goes to port 0 besides, where nobody is on a protocol without a kernel side.
            Err(error) if port != 0 || error.kind() != ErrorKind::ConnectionRefused => {
                std::process::exit(error.raw_os_error().unwrap_or(255));
            }
            _ => {}
        }
    }
    std::process::exit(0);
}

fn attack(protocol: Family, port: u32, groups: u32, count: u32) -> Running {
    let program = env::current_exe().unwrap();
    let mut command = Command::new("setpriv");
    command
        .args(["--no-new-privs", "--bounding-set", "-all", "--inh-caps", "-all", "--"])
        .arg(program)
        .args(["--exact", "attacker", "--nocapture", "--test-threads", "1"])
        .env(ATTACK, format!("{} {port} {groups} {count}", protocol.0))
        .stdout(Stdio::null());
    Running::start(&mut command)
}

fn resident_kib() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_ascii_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn where_we_listen_the_unprivileged_may_not_speak() {
    live(|| {
        if !need(&["setpriv"]) {
            return;
        }
        sh("ip link set lo up");
        for family in [Family::ROUTE, Family::NETFILTER] {
            let mut connection = Connection::open(family).unwrap();
            let mut events = Events::open(family, &[1_u32]).unwrap();
            for (port, groups) in [(connection.socket().port(), 0), (0, 1)] {
                let mut child = attack(family, port, groups, 1);
                let code = child.wait().unwrap().code();
                assert_eq!(code, Some(Errno::EPERM.0), "{family:?} port {port} groups {groups}");
            }
            assert_eq!(events.next(Wait::Never).unwrap(), None);
            match family {
                Family::ROUTE => assert_eq!(links(&mut connection).len(), 1),
                _ => assert_eq!(connection.dump(ListFlows).unwrap().count(), 0),
            }
            assert_eq!(connection.counters(), nl_socket::Counters::default());
        }
    });
}

#[test]
fn forged_acks_of_the_unprivileged_end_nothing() {
    live(|| {
        if !need(&["setpriv"]) {
            return;
        }
        // Not a connection: nothing can be sent where there is no kernel side.
        let (socket, mut ring) = (Socket::open(USERSOCK.0).unwrap(), Ring::default());
        let mut exchange = Exchange::new(socket.port());
        for (sequence, mode) in [(1, Mode::Change), (2, Mode::Get), (3, Mode::Dump)] {
            exchange.expect(sequence, mode, true);
        }
        let status = attack(USERSOCK, socket.port(), 0, FORGED).wait().unwrap();
        assert!(status.success(), "{status}");
        let mut refused = 0;
        while ring.receive(&socket, Wait::Never).is_ok() {
            for datagram in ring.datagrams() {
                let mut offset = 0;
                while let Some(output) = exchange.next(&datagram, &mut offset) {
                    assert!(matches!(output, Output::Loss(Loss::Foreign { .. })), "{output:?}");
                    refused += 1;
                }
            }
        }
        assert_eq!(refused, FORGED);
        assert!(!exchange.is_idle());
    });
}

/// As many as the default receive buffer holds.
const FORGED: u32 = 100;

/// More than any receive buffer holds.
const FLOOD: u32 = 100_000;

#[test]
fn a_flood_of_the_unprivileged_is_counted_and_takes_no_memory() {
    live(|| {
        if !need(&["setpriv"]) {
            return;
        }
        let mut events = Events::open(USERSOCK, &[1_u32]).unwrap();
        let before = resident_kib();
        let mut child = attack(USERSOCK, 0, 1, FLOOD);
        let (mut foreign, mut dropped, mut over) = (0, 0, false);
        loop {
            match events.next(Wait::at_most(Duration::from_millis(20))).unwrap() {
                Some(Event::Loss(Loss::Foreign { port })) => {
                    assert_ne!(port, 0);
                    foreign += 1;
                }
                Some(Event::Loss(Loss::Overrun { dropped: lost })) => dropped += lost,
                Some(other) => panic!("believed: {other:?}"),
                // All that was sent is in the queue once the sender has ended.
                None if over => break,
                None => {
                    let status = child.try_wait().unwrap();
                    assert!(status.is_none_or(|status| status.success()), "{status:?}");
                    over = status.is_some();
                }
            }
        }
        assert_eq!(foreign + dropped, FLOOD);
        assert_eq!(dropped, events.socket().drops().unwrap());
        let grown = resident_kib().saturating_sub(before);
        // The slots of the ring that were touched, and no more.
        assert!(grown < 8192, "{grown} KiB more");
    });
}

#[test]
fn a_dump_amid_a_dump_is_busy_and_disturbs_neither() {
    live(|| {
        sh("ip link set lo up");
        let mut connection = rtnetlink();
        let made: Result<Vec<()>, _> = connection.batch((1..=8000).map(AddRoute::number)).collect();
        assert_eq!(made.unwrap().len(), 8000);
        // Somebody else in this process, with the same socket and a sequence number of his own.
        let mut second = message(RTM_GETLINK, REQUEST | DUMP, &[0; 16]);
        second[8..12].copy_from_slice(&0xdead_beef_u32.to_ne_bytes());
        let mut replies = connection.dump(ListRoutes).unwrap();
        replies.next().unwrap().unwrap();
        drop(replies);
        connection.socket().send(&second).unwrap();
        // The rest of the first is read, the refusal with it.
        assert_eq!(links(&mut connection).len(), 1);
        assert_eq!(connection.counters().stale, 1);
        assert_eq!(connection.counters().foreign, 0);
    });
}

/// A filter of somebody who has the descriptor (`SCM_RIGHTS`, fork) makes every message lie about its
/// length, or keeps the end of a dump back.
#[test]
fn cut_messages_are_losses_and_a_missing_end_is_a_timeout() {
    live(|| {
        let mut connection = rtnetlink();
        connection.set_timeout(Some(SHORT));
        for kept in [1, 15, 16, 17, 40, 100] {
            let cut = Program::new(vec![Insn::new(RETURN, kept)]).unwrap();
            connection.socket().attach_filter(&cut).unwrap();
            let found: Vec<_> = connection.dump(ListLinks).unwrap().collect();
            assert!(found.iter().all(Result::is_err), "{kept} bytes kept: {found:?}");
            assert!(
                found.iter().any(|item| matches!(item, Err(Error::Lost(Loss::Damaged(_))))),
                "{kept} bytes kept: {found:?}"
            );
            connection.socket().detach_filter().unwrap();
            connection.set_timeout(Some(Duration::from_secs(10)));
            assert_eq!(links(&mut connection).len(), 1, "{kept} bytes kept");
            connection.set_timeout(Some(SHORT));
        }
        let nothing = Program::new(vec![Insn::new(RETURN, 0)]).unwrap();
        connection.socket().attach_filter(&nothing).unwrap();
        for _ in 0..3 {
            let found: Vec<_> = connection.dump(ListLinks).unwrap().collect();
            assert!(matches!(found[..], [Err(Error::TimedOut)]), "{found:?}");
        }
    });
}
