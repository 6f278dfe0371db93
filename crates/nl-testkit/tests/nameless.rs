//! Without the feature `names` numbers are printed where names would be, and nothing is missing.
//!
//! Cargo builds a library once for all that are built together, so this alone is built without:
//! `NAMELESS=1 cargo test -p nl-testkit --test nameless`. With others names are right, too.

use std::env;

use nl_conntrack::{Flow, IpProtocol, ProtocolInfo, Status, TcpState, Tuple};
use nl_route::{Route, RouteProtocol};
use nl_wire::{Errno, Flags, Header, Message, write};

/// Has names or numbers, of which `found` holds all of one kind.
fn check(found: &str, names: &[&str], numbers: &[&str]) {
    let holds = |parts: &[&str]| parts.iter().all(|part| found.contains(part));
    let nameless = env::var_os("NAMELESS").is_some();
    assert!(holds(numbers) || !nameless && holds(names), "{numbers:?}: {found}");
}

#[test]
fn values() {
    let ends = (([10, 0, 0, 1].into(), 4000), ([10, 0, 0, 2].into(), 80));
    let flow = Flow {
        protocol_info: Some(ProtocolInfo::tcp(TcpState::ESTABLISHED)),
        status: Some(Status::SEEN_REPLY | Status::DYING),
        ..Flow::new(Tuple::with_ports(IpProtocol::TCP, ends.0, ends.1))
    };
    check(
        &format!("{flow:?}"),
        &["family: INET,", "protocol: TCP,", "state: Some(ESTABLISHED)", "SEEN_REPLY", "DYING"],
        &["family: 2,", "protocol: 6,", "state: Some(3)", "status: Some(0x202)"],
    );
    let flags = Flags::REQUEST | Flags::CREATE;
    let header = Header { message_type: 24, flags, ..Header::default() };
    check(&format!("{header:?}"), &["REQUEST", "CREATE"], &["message_type: 24, flags: 0x401,"]);
    check(&Errno::EPERM.to_string(), &["Operation not permitted (EPERM)"], &["error 1"]);
    check(&format!("{:?}", RouteProtocol(4)), &["STATIC"], &["4"]);
}

/// An error names attributes, or tells their numbers.
#[test]
fn errors() {
    let message = |message_type, body: &[u8]| {
        let mut bytes = Vec::new();
        let header = Header { message_type, ..Header::default() };
        write::message(&mut bytes, header, |writer| {
            writer.fixed(body);
            writer.nest(1, |outer| outer.nest(1, |inner| inner.bytes(1, &[1, 2, 3])))?;
            writer.bytes(5, &[1, 2, 3])
        })
        .unwrap();
        bytes
    };
    // IPCTNL_MSG_CT_NEW and struct nfgenmsg.
    let bytes = message(0x100, &[2, 0, 0, 0]);
    let error = Flow::decode(&Message::decode(&bytes).unwrap()).unwrap_err();
    let names = ["CTA_TUPLE_ORIG/CTA_TUPLE_IP/CTA_IP_V4_SRC: 3 bytes, expected 4"];
    check(&error.to_string(), &names, &["1/1/1: 3 bytes, expected 4"]);
    // RTM_NEWROUTE and struct rtmsg, of which attribute 1 is RTA_DST.
    let bytes = message(24, &[2, 24, 0, 0, 254, 0, 0, 1, 0, 0, 0, 0]);
    let error = Route::decode(&Message::decode(&bytes).unwrap()).unwrap_err();
    let names = ["RTA_DST: 12 bytes, expected 4 or 16"];
    check(&error.to_string(), &names, &["1: 12 bytes, expected 4 or 16"]);
}
