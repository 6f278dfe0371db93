//! Every message of the recorded exchanges, through the codecs and listings that it belongs to.
#![cfg(target_endian = "little")] // as the recordings are

use nl_conntrack::tables::IPCTNL_MSG_CT_GET_CTRZERO;
use nl_conntrack::{Expectation, Flow};
use nl_route::{Address, Link, Neighbour, Nexthop, NexthopBucket, Object, Route, Rule};
use nl_wire::header::{NLMSG_DONE, NLMSG_ERROR};
use nl_wire::listing::Listing;
use nl_wire::table::Protocol;
use nl_wire::{Ack, Message, Messages, write};

const RECORDED: &str = include_str!("../../nl-socket/tests/fixtures/exchanges.txt");

fn unhex(digits: &str) -> Vec<u8> {
    (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
        .collect()
}

/// The recordings name no protocol: only connection tracking has these message types.
fn protocol(message: &Message<'_>) -> &'static Protocol {
    if message.header.message_type >= 0x100 {
        &nl_conntrack::tables::PROTOCOL
    } else {
        &nl_route::PROTOCOL
    }
}

/// Decodes, writes, decodes: both values must be equal. True if it was such an object.
fn again<T: Object + PartialEq + std::fmt::Debug>(message: &Message<'_>) -> bool {
    if message.header.message_type != T::NEW && message.header.message_type != T::DELETE {
        return false;
    }
    let value = T::decode(message).unwrap();
    let mut bytes = Vec::new();
    write::message(&mut bytes, message.header, |w| value.encode(w)).unwrap();
    assert_eq!(T::decode(&Message::decode(&bytes).unwrap()).unwrap(), value);
    true
}

#[test]
fn every_recorded_answer_decodes_and_lists() {
    let (mut messages, mut objects) = (0, 0);
    for datagram in RECORDED.lines().filter_map(|line| line.strip_prefix("< ")) {
        for message in Messages::new(&unhex(datagram)) {
            let message = message.unwrap();
            messages += 1;
            let kind = message.header.message_type;
            if kind == NLMSG_ERROR || kind == NLMSG_DONE {
                assert_eq!(Ack::decode(&message).unwrap().damage, None);
                continue;
            }
            // The kernel answers for statistics of expectations with the number of another request.
            if kind == IPCTNL_MSG_CT_GET_CTRZERO {
                continue;
            }
            let protocol = protocol(&message);
            let listing = Listing::new(&message, protocol);
            assert!(listing.damage().is_none(), "{listing}");
            assert!(protocol.message(kind).is_some(), "{listing}");
            assert!(!listing.to_string().contains(" attribute "), "unnamed: {listing}");
            let known = match kind {
                0x100 | 0x102 => Flow::decode(&message).is_ok(),
                0x200 | 0x202 => Expectation::decode(&message).is_ok(),
                _ => {
                    again::<Route>(&message)
                        || again::<Link>(&message)
                        || again::<Address>(&message)
                        || again::<Neighbour>(&message)
                        || again::<Rule>(&message)
                        || again::<Nexthop>(&message)
                        || again::<NexthopBucket>(&message)
                }
            };
            assert!(known || kind >= 36, "{listing}");
            objects += usize::from(known);
        }
    }
    assert!(messages > 800 && objects > 400, "{messages} messages, {objects} objects");
}
