//! What all tests of event filters share.

use nl_conntrack::event_filter::EventFilter;
use nl_conntrack::{EventKind, Flow, tables};
use nl_wire::bpf::{ACCEPT, Program, REJECT, run};
use nl_wire::header::{Flags, Header};
use nl_wire::{Message, write};

/// The bytes of an event.
pub(crate) fn message(kind: EventKind, flow: &Flow) -> Vec<u8> {
    let (message_type, flags) = match kind {
        EventKind::New => (tables::IPCTNL_MSG_CT_NEW, Flags::CREATE | Flags::EXCL),
        EventKind::Update => (tables::IPCTNL_MSG_CT_NEW, Flags::default()),
        EventKind::Destroy => (tables::IPCTNL_MSG_CT_DELETE, Flags::default()),
    };
    let mut out = Vec::new();
    let header = Header { message_type, flags, ..Header::default() };
    write::message(&mut out, header, |writer| flow.write(writer)).unwrap();
    out
}

/// Whether a program keeps a message, which must not be cut.
pub(crate) fn keeps(program: &Program, bytes: &[u8]) -> bool {
    match run(program, bytes) {
        ACCEPT => true,
        REJECT => false,
        length => panic!("cut to {length}"),
    }
}

/// Program and user space must say the same, which is returned.
pub(crate) fn judge(filter: &EventFilter, bytes: &[u8]) -> bool {
    let kept = keeps(&filter.compile().unwrap(), bytes);
    assert_eq!(filter.passes(&Message::decode(bytes).unwrap()), Ok(kept), "{filter:?}");
    kept
}
