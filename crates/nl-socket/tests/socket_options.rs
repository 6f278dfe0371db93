//! Options, buffer sizes, counters of losses.
#![cfg(not(miri))] // Miri has no kernel.

mod socket_common;

use std::fs;

use nl_socket::{NetlinkOption, Ring, Socket, Wait};
use nl_testkit::{live, sh, skip};

use socket_common::*;

#[test]
fn options_are_off_and_can_be_turned_on_and_off() {
    live(|| {
        let socket = Socket::open(ROUTE).unwrap();
        for option in NetlinkOption::ALL {
            match socket.option(option) {
                Ok(on) => assert!(!on, "{option:?}"),
                Err(error) if error.raw_os_error() == Some(92) => {
                    skip(&format!("this kernel cannot be asked for {option:?}"));
                    socket.set_option(option, true).unwrap();
                    continue;
                }
                Err(error) => panic!("{option:?}: {error}"),
            }
            for on in [true, false, true] {
                socket.set_option(option, on).unwrap();
                assert_eq!(socket.option(option).unwrap(), on, "{option:?}");
            }
        }
    });
}

#[test]
fn buffers_report_their_size_in_effect() {
    let socket = Socket::open(USERSOCK).unwrap();
    assert_eq!(socket.set_receive_buffer(100_000).unwrap(), 200_000);
    assert_eq!(socket.receive_buffer().unwrap(), 200_000);
    assert_eq!(socket.set_send_buffer(50_000).unwrap(), 100_000);
    assert_eq!(socket.send_buffer().unwrap(), 100_000);
    let info = socket.mem_info().unwrap();
    assert_eq!((info.receive_buffer, info.send_buffer), (200_000, 100_000));
    assert_eq!((info.receive_queued, info.drops), (0, 0));
    let least = socket.set_receive_buffer(0).unwrap();
    assert!((2_000..10_000).contains(&least), "{least}");
    assert_eq!(socket.send(&vec![0; 100_000]).unwrap_err().raw_os_error(), Some(90), "EMSGSIZE");
}

#[test]
fn a_buffer_beyond_the_limit_is_cut_without_privilege() {
    live(|| {
        let Ok(limit) = fs::read_to_string("/proc/sys/net/core/rmem_max") else {
            return skip("net.core.rmem_max is hidden here");
        };
        let limit: usize = limit.trim().parse().unwrap();
        let effective = Socket::open(ROUTE).unwrap().set_receive_buffer(limit * 4).unwrap();
        // Root who was refused the user namespace has the privilege.
        let forced = fs::read_to_string("/proc/self/uid_map").unwrap().contains("4294967295");
        assert_eq!(effective, if forced { limit * 8 } else { limit * 2 });
    });
}

/// Joins IPv4 address events and lets `count` addresses come.
fn overrun(socket: &Socket, count: usize) {
    socket.set_receive_buffer(4_000).unwrap();
    socket.join(5).unwrap();
    sh(&format!("seq {count} | sed 's|.*|address add 10.0.0.&/32 dev lo|' | ip -batch -"));
}

#[test]
fn an_overrun_is_told_once_and_counted() {
    live(|| {
        let (socket, mut ring) = (Socket::open(ROUTE).unwrap(), Ring::default());
        overrun(&socket, 50);
        let error = ring.receive(&socket, Wait::Never).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(105), "ENOBUFS");
        let kept = drain(&socket, &mut ring).len();
        let drops = socket.drops().unwrap();
        assert!(kept > 0 && drops > 0);
        assert_eq!(kept + usize::try_from(drops).unwrap(), 50);
        sh("ip address del 10.0.0.1/32 dev lo");
        assert_eq!(drain(&socket, &mut ring).len(), 1, "once drained it hears again");
    });
}

#[test]
fn until_drained_a_socket_that_overran_stays_mute() {
    live(|| {
        let (socket, mut one) = (Socket::open(ROUTE).unwrap(), Ring::new(1, Ring::SLOT_BYTES));
        overrun(&socket, 50);
        one.receive(&socket, Wait::Never).unwrap_err();
        assert_eq!(one.receive(&socket, Wait::Never).unwrap(), 1);
        let drops = socket.drops().unwrap();
        sh("ip address del 10.0.0.1/32 dev lo");
        assert_eq!(socket.drops().unwrap(), drops + 1);
        drain(&socket, &mut one);
        sh("ip address add 10.0.0.1/32 dev lo");
        assert_eq!(drain(&socket, &mut one).len(), 1);
    });
}

#[test]
fn without_enobufs_only_the_counter_tells() {
    live(|| {
        let (socket, mut ring) = (Socket::open(ROUTE).unwrap(), Ring::default());
        socket.set_option(NetlinkOption::NoEnobufs, true).unwrap();
        overrun(&socket, 50);
        let kept = drain(&socket, &mut ring).len();
        assert_eq!(kept + usize::try_from(socket.drops().unwrap()).unwrap(), 50);
        assert!(kept < 50);
    });
}
