//! Receiving many datagrams, long ones, cut ones.
#![cfg(not(miri))] // Miri has no kernel.

mod socket_common;

use std::io::ErrorKind;

use nl_socket::{Datagram, Ring, Socket, Wait};
use nl_testkit::{LIMIT, live, live_within, sh};

use socket_common::*;

#[test]
fn a_dump_takes_few_calls() {
    live(|| {
        let (socket, mut ring) = (Socket::open(ROUTE).unwrap(), Ring::default());
        // One link message has more than a kilobyte, the first datagram at most 4.
        sh("for n in $(seq 60); do ip link add b$n type bridge; done");
        let links = dump_links(&socket, &mut ring);
        assert_eq!(links.len(), 61);
        assert!(ring.datagrams().count() > 2);
        assert!((1..=60).all(|n| links.iter().any(|link| is_link(link, &format!("b{n}")))));
    });
}

#[test]
fn a_cut_datagram_tells_its_true_length() {
    live(|| {
        let (socket, mut ring) = (Socket::open(ROUTE).unwrap(), Ring::new(4, 64));
        socket.send(&link_dump()).unwrap();
        ring.receive(&socket, soon()).unwrap();
        let datagram = ring.datagram(0).unwrap();
        assert!(datagram.truncated);
        assert_eq!(datagram.bytes.len(), 64);
        // The only link's message says its length itself.
        let stated = u32::from_ne_bytes(*datagram.bytes.first_chunk().unwrap());
        assert_eq!(datagram.length, usize::try_from(stated).unwrap());
        let done = ring.datagram(1).unwrap();
        assert!(!done.truncated);
        assert_eq!((done.length, done.bytes.len()), (20, 20));
    });
}

#[test]
fn a_link_message_longer_than_any_dump_datagram_fits() {
    live_within(LIMIT * 2, || {
        // Alternative names are the cheapest way to a very long link message.
        sh("seq 1000 1330 | sed 's/.*/link property add dev lo altname &'$(printf %0120d)/ |
            ip -batch -");
        let (socket, mut ring) = (Socket::open(ROUTE).unwrap(), Ring::default());
        let links = dump_links(&socket, &mut ring);
        let longest = links.iter().map(Vec::len).max().unwrap();
        assert!(longest > 41_000, "{longest}");
    });
}

#[test]
fn datagrams_are_in_order_and_whole() {
    let (from, to) = (Socket::open(USERSOCK).unwrap(), Socket::open(USERSOCK).unwrap());
    let mut ring = Ring::new(8, 100);
    let sent: Vec<Vec<u8>> = (1..=30_u8).map(|n| vec![n; usize::from(n) * 5]).collect();
    for bytes in &sent {
        from.send_to(bytes, to.port(), 0).unwrap();
    }
    let mut got = Vec::new();
    let mut counts = Vec::new();
    while let Ok(count) = ring.receive(&to, Wait::Never) {
        counts.push(count);
        assert_eq!(ring.datagrams().count(), count);
        for datagram in ring.datagrams() {
            assert_eq!(datagram.sender_port, from.port());
            assert_eq!(datagram.truncated, datagram.length > 100);
            let mut bytes = datagram.bytes.to_vec();
            bytes.resize(datagram.length, bytes.first().copied().unwrap_or_default());
            got.push(bytes);
        }
    }
    assert_eq!(counts, [8, 8, 8, 6]);
    assert_eq!(got, sent);
}

#[test]
fn a_failed_receive_forgets_the_datagrams_before() {
    let (from, to) = (Socket::open(USERSOCK).unwrap(), Socket::open(USERSOCK).unwrap());
    let mut ring = Ring::new(2, 16);
    from.send_to(b"x", to.port(), 0).unwrap();
    ring.receive(&to, Wait::Never).unwrap();
    assert_eq!(ring.datagram(0).unwrap().bytes, b"x");
    assert_eq!(ring.receive(&to, Wait::Never).unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(ring.datagram(0), None);
}

#[test]
fn sizes_are_brought_into_range() {
    let (from, to) = (Socket::open(USERSOCK).unwrap(), Socket::open(USERSOCK).unwrap());
    for (mut ring, slots) in [(Ring::new(0, 0), 1), (Ring::new(usize::MAX, 1), Ring::SLOTS_MAX)] {
        assert!(format!("{ring:?}").contains(&format!("slots: {slots},")), "{ring:?}");
        from.send_to(b"ab", to.port(), 0).unwrap();
        ring.receive(&to, Wait::Never).unwrap();
        let expected = Datagram {
            bytes: b"a",
            length: 2,
            truncated: true,
            sender_port: from.port(),
            ..Datagram::default()
        };
        assert_eq!(ring.datagram(0), Some(expected));
    }
}

#[test]
fn a_ring_moves_between_threads() {
    fn is_send_and_sync<T: Send + Sync>() {}
    is_send_and_sync::<Ring>();
    is_send_and_sync::<Socket>();
}
