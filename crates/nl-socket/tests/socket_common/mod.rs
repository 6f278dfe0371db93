//! Messages made by hand, so that these tests rest on nothing but the socket.
#![allow(dead_code, reason = "each test file uses its part")]

use std::time::Duration;

use nl_socket::{Ring, Socket, Wait};

pub(crate) const ROUTE: u16 = 0;
pub(crate) const USERSOCK: u16 = 2;

pub(crate) const NLMSG_DONE: u16 = 3;
pub(crate) const RTM_NEWLINK: u16 = 16;
pub(crate) const RTM_GETLINK: u16 = 18;
pub(crate) const RTM_NEWNSID: u16 = 88;

pub(crate) const REQUEST: u16 = 1;
pub(crate) const ACK: u16 = 4;
pub(crate) const DUMP: u16 = 0x300;

pub(crate) fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).unwrap();
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(1_u32.to_ne_bytes());
    bytes.extend(0_u32.to_ne_bytes());
    bytes.extend(body);
    bytes
}

pub(crate) fn attribute(kind: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + payload.len()).unwrap();
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(payload);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// A dump request for all links: `struct ifinfomsg` is 16 bytes of nothing, and
/// `IFLA_EXT_MASK` asks for no statistics. Without that attribute the kernel does
/// not make room for long link messages and silently ends the dump before one.
pub(crate) fn link_dump() -> Vec<u8> {
    let body = [vec![0; 16], attribute(29, &8_u32.to_ne_bytes())].concat();
    message(RTM_GETLINK, REQUEST | DUMP, &body)
}

/// Types and bytes of the messages in one datagram.
pub(crate) fn messages(mut bytes: &[u8]) -> Vec<(u16, Vec<u8>)> {
    let mut found = Vec::new();
    while let Some((length, _)) = bytes.split_first_chunk() {
        let length = usize::try_from(u32::from_ne_bytes(*length)).unwrap();
        let message = &bytes[..length];
        found.push((u16::from_ne_bytes([message[4], message[5]]), message.to_vec()));
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    found
}

/// A second is long on any machine, and short for a test that fails.
pub(crate) fn soon() -> Wait {
    Wait::at_most(Duration::from_secs(5))
}

/// All link messages of a dump.
pub(crate) fn dump_links(socket: &Socket, ring: &mut Ring) -> Vec<Vec<u8>> {
    socket.send(&link_dump()).unwrap();
    let mut links = Vec::new();
    loop {
        ring.receive(socket, soon()).unwrap();
        for datagram in ring.datagrams() {
            assert!(!datagram.truncated);
            assert_eq!(datagram.sender_port, 0);
            for (kind, message) in messages(datagram.bytes) {
                match kind {
                    RTM_NEWLINK => links.push(message),
                    NLMSG_DONE => return links,
                    other => panic!("message type {other} in a link dump"),
                }
            }
        }
    }
}

/// Whether a link message is of the device of this name.
pub(crate) fn is_link(message: &[u8], name: &str) -> bool {
    let wanted = attribute(3, &[name.as_bytes(), b"\0"].concat());
    message[32..].windows(wanted.len()).any(|window| window == wanted)
}

/// Everything queued, datagram by datagram: bytes, group and namespace id.
pub(crate) type Queued = Vec<(Vec<u8>, Option<u32>, Option<i32>)>;

/// Reads the queue until it is empty.
pub(crate) fn drain(socket: &Socket, ring: &mut Ring) -> Queued {
    let mut queued = Vec::new();
    while let Ok(count) = ring.receive(socket, Wait::Never) {
        assert!(count > 0);
        queued.extend(ring.datagrams().map(|d| (d.bytes.to_vec(), d.group, d.nsid)));
    }
    queued
}
