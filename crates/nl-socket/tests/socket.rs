//! Opening, groups, waiting.
#![cfg(not(miri))] // Miri has no kernel.

mod socket_common;

use std::fs;
use std::io::ErrorKind;
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::thread;
use std::time::{Duration, Instant};

use nl_socket::{NetlinkOption, Netns, Ring, Socket, Wait};
use nl_testkit::{live, need, sh, skip, try_sh};

use socket_common::*;

#[test]
fn each_socket_has_a_port_of_its_own() {
    let (first, second) = (Socket::open(USERSOCK).unwrap(), Socket::open(USERSOCK).unwrap());
    assert_ne!(first.port(), 0);
    assert_ne!(first.port(), second.port());
    assert_eq!(first.protocol(), USERSOCK);
}

#[test]
fn an_unknown_protocol_is_an_error_with_its_errno() {
    let error = Socket::open(31).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(93), "EPROTONOSUPPORT");
}

#[test]
fn sockets_are_closed_on_exec() {
    let socket = Socket::open(ROUTE).unwrap();
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", socket.as_fd().as_raw_fd()));
    let flags =
        info.unwrap().lines().find_map(|line| Some(line.strip_prefix("flags:")?.trim().to_owned()));
    let flags = u32::from_str_radix(&flags.unwrap(), 8).unwrap();
    assert_eq!(flags & 0o2_000_000, 0o2_000_000);
}

#[test]
fn groups_below_and_above_32() {
    let socket = Socket::open(ROUTE).unwrap();
    assert_eq!(socket.memberships().unwrap(), []);
    for group in [36, 1, 33, 32, 1] {
        socket.join(group).unwrap();
    }
    assert_eq!(socket.memberships().unwrap(), [1, 32, 33, 36]);
    socket.leave(33).unwrap();
    assert_eq!(socket.memberships().unwrap(), [1, 32, 36]);
    for group in [0, 100_000] {
        assert_eq!(socket.join(group).unwrap_err().raw_os_error(), Some(22), "group {group}");
    }
    assert_eq!(socket.join(u32::MAX).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn events_tell_their_group() {
    live(|| {
        let (socket, mut ring) = (Socket::open(ROUTE).unwrap(), Ring::default());
        socket.set_option(NetlinkOption::PacketInfo, true).unwrap();
        socket.join(1).unwrap();
        sh("ip link set lo up");
        ring.receive(&socket, soon()).unwrap();
        let event = ring.datagram(0).unwrap();
        assert_eq!((event.group, event.sender_groups, event.sender_port), (Some(1), 1, 0));
        socket.leave(1).unwrap();
        drain(&socket, &mut ring);
        socket.send(&link_dump()).unwrap();
        ring.receive(&socket, soon()).unwrap();
        let reply = ring.datagram(0).unwrap();
        assert_eq!((reply.group, reply.sender_groups), (Some(0), 0));
        socket.set_option(NetlinkOption::PacketInfo, false).unwrap();
        socket.send(&link_dump()).unwrap();
        drain(&socket, &mut ring);
        socket.send(&link_dump()).unwrap();
        ring.receive(&socket, soon()).unwrap();
        assert_eq!(ring.datagram(0).unwrap().group, None);
    });
}

/// Events above group 32, whichever this kernel was built with: a bridge's VLANs
/// (`RTNLGRP_BRVLAN`), a vxlan's network ids (`RTNLGRP_TUNNEL`).
const EVENTS_ABOVE_32: [(u32, &str); 2] = [
    (33, "ip link add b type bridge vlan_filtering 1; bridge vlan add dev b vid 10 self"),
    (35, "ip link add v type vxlan external vnifilter; bridge vni add dev v vni 100"),
];

#[test]
fn events_of_groups_above_32_arrive() {
    live(|| {
        if !need(&["bridge"]) {
            return;
        }
        let mut ring = Ring::default();
        let mut failures = Vec::new();
        for (group, make) in EVENTS_ABOVE_32 {
            let socket = Socket::open(ROUTE).unwrap();
            socket.set_option(NetlinkOption::PacketInfo, true).unwrap();
            socket.join(group).unwrap();
            if let Err(failure) = try_sh(make) {
                failures.push(failure);
                continue;
            }
            ring.receive(&socket, soon()).unwrap();
            let event = ring.datagram(0).unwrap();
            assert_eq!((event.group, event.sender_groups), (Some(group), 0));
        }
        if failures.len() == EVENTS_ABOVE_32.len() {
            skip(&format!("nothing here has events above group 32: {}", failures.concat()));
        }
    });
}

#[test]
fn events_of_other_namespaces_tell_their_id() {
    live(|| {
        let (here, there, nameless) =
            (Socket::open(ROUTE).unwrap(), Netns::create().unwrap(), Netns::create().unwrap());
        let mut ring = Ring::default();
        // NETNSA_NSID 7 for NETNSA_FD, behind a struct rtgenmsg.
        let fd = there.as_fd().as_raw_fd();
        let mut body = vec![0; 4];
        body.extend(attribute(1, &7_i32.to_ne_bytes()));
        body.extend(attribute(3, &fd.to_ne_bytes()));
        here.send(&message(RTM_NEWNSID, REQUEST | ACK, &body)).unwrap();
        ring.receive(&here, soon()).unwrap();
        assert_eq!(ring.datagram(0).unwrap().bytes[16..20], [0; 4], "the ack says 0");

        here.set_option(NetlinkOption::ListenAllNsid, true).unwrap();
        here.set_option(NetlinkOption::PacketInfo, true).unwrap();
        here.join(1).unwrap();
        for (netns, nsid) in
            [(Some(&there), vec![Some(7)]), (Some(&nameless), vec![]), (None, vec![None])]
        {
            let up = || sh("ip link set lo up");
            match netns {
                Some(netns) => netns.run(up).unwrap(),
                None => up(),
            };
            let events = drain(&here, &mut ring);
            assert!(events.iter().all(|(_, group, _)| *group == Some(1)), "{events:?}");
            assert_eq!(events.iter().map(|(_, _, nsid)| *nsid).collect::<Vec<_>>(), nsid);
        }
    });
}

#[test]
fn a_socket_opened_in_another_namespace_belongs_there() {
    live(|| {
        let (before, there) = (Netns::current().unwrap(), Netns::create().unwrap());
        assert_ne!(before.id().unwrap(), there.id().unwrap());
        let mut ring = Ring::default();
        there.run(|| sh("ip link set lo alias there")).unwrap();
        let socket = Socket::open_in(ROUTE, &there).unwrap();
        assert_eq!(Netns::current().unwrap().id().unwrap(), before.id().unwrap());
        drop(there);
        let alias = attribute(20, b"there\0");
        let has_alias = |links: &[Vec<u8>]| {
            links.iter().any(|link| link.windows(alias.len()).any(|window| window == alias))
        };
        let links = dump_links(&socket, &mut ring);
        assert!(is_link(&links[0], "lo") && has_alias(&links));
        let links = dump_links(&Socket::open(ROUTE).unwrap(), &mut ring);
        assert!(is_link(&links[0], "lo") && !has_alias(&links));
    });
}

#[test]
fn waiting_ends_when_asked() {
    let (socket, mut ring) = (Socket::open(USERSOCK).unwrap(), Ring::new(2, 64));
    let mut receive = |wait| ring.receive(&socket, wait).unwrap_err().kind();
    assert_eq!(receive(Wait::Never), ErrorKind::WouldBlock);
    assert_eq!(receive(Wait::Until(Instant::now())), ErrorKind::TimedOut);
    let time = Duration::from_millis(60);
    let start = Instant::now();
    assert_eq!(receive(Wait::at_most(time)), ErrorKind::TimedOut);
    assert!(start.elapsed() >= time);
    let start = Instant::now();
    assert!(!socket.wait_readable(Wait::at_most(time)).unwrap());
    assert!(start.elapsed() >= time);
    assert!(!socket.wait_readable(Wait::Never).unwrap());
    assert_eq!(Wait::at_most(Duration::MAX), Wait::Forever);
}

#[test]
fn a_datagram_ends_the_wait() {
    let (socket, other) = (Socket::open(USERSOCK).unwrap(), Socket::open(USERSOCK).unwrap());
    let mut ring = Ring::new(4, 64);
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(50));
            other.send_to(b"hello", socket.port(), 0).unwrap();
        });
        assert_eq!(ring.receive(&socket, Wait::Forever).unwrap(), 1);
    });
    let datagram = ring.datagram(0).unwrap();
    assert_eq!((datagram.bytes, datagram.sender_port), (&b"hello"[..], other.port()));
    assert_eq!(ring.datagram(1), None);
    assert_eq!(socket.send_to(b"", other.port(), 0).unwrap_err().raw_os_error(), Some(61));
    // Neither a process id nor one of the numbers that the kernel chooses.
    let nobody = u32::MAX / 2;
    assert_eq!(socket.send_to(b"x", nobody, 0).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn no_descriptor_leaks() {
    live(|| {
        let count = || fs::read_dir("/proc/self/fd").unwrap().count();
        let there = Netns::create().unwrap();
        let before = count();
        for _ in 0..50 {
            let socket = Socket::open_in(ROUTE, &there).unwrap();
            dump_links(&socket, &mut Ring::default());
            Netns::create().unwrap();
            Netns::current().unwrap().run(|| ()).unwrap();
            Socket::open(31).unwrap_err();
        }
        assert_eq!(count(), before);
    });
}
