//! Events: what the kernel multicasts when a flow or an expectation appears, changes or ends.

use nl_wire::datagram::Message;
use nl_wire::error::Error;
use nl_wire::header::{Flags, Header};

use crate::expect::Expectation;
use crate::flow::Flow;
use crate::tables::{
    IPCTNL_MSG_CT_DELETE, IPCTNL_MSG_CT_NEW, IPCTNL_MSG_EXP_DELETE, IPCTNL_MSG_EXP_NEW,
};

/// The multicast groups of connection tracking (linux/netfilter/nfnetlink.h), as
/// `NETLINK_ADD_MEMBERSHIP` counts them.
pub mod groups {
    /// `NFNLGRP_CONNTRACK_NEW`: flows that appear.
    pub const NEW: u32 = 1;
    /// `NFNLGRP_CONNTRACK_UPDATE`: flows that change.
    pub const UPDATE: u32 = 2;
    /// `NFNLGRP_CONNTRACK_DESTROY`: flows that end.
    pub const DESTROY: u32 = 3;
    /// `NFNLGRP_CONNTRACK_EXP_NEW`: expectations that appear.
    pub const EXPECT_NEW: u32 = 4;
    /// `NFNLGRP_CONNTRACK_EXP_UPDATE`: expectations that change; the kernel sends none.
    pub const EXPECT_UPDATE: u32 = 5;
    /// `NFNLGRP_CONNTRACK_EXP_DESTROY`: expectations that end.
    pub const EXPECT_DESTROY: u32 = 6;
    /// All groups of flows.
    pub const FLOWS: [u32; 3] = [NEW, UPDATE, DESTROY];
    /// All groups of expectations.
    pub const EXPECTATIONS: [u32; 3] = [EXPECT_NEW, EXPECT_UPDATE, EXPECT_DESTROY];
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum EventKind {
    /// It appeared.
    New,
    /// It changed.
    Update,
    /// It ended.
    Destroy,
}

impl EventKind {
    /// What a message with this header reports; `None` if it is no event of flows or expectations.
    ///
    /// Appearance and change are one message type, told apart by the flags `NLM_F_CREATE` and
    /// `NLM_F_EXCL`; the listed entries of a dump look like changes.
    pub fn of(header: &Header) -> Option<Self> {
        match header.message_type {
            IPCTNL_MSG_CT_NEW | IPCTNL_MSG_EXP_NEW => {
                Some(if header.flags.intersects(Flags::CREATE | Flags::EXCL) {
                    Self::New
                } else {
                    Self::Update
                })
            }
            IPCTNL_MSG_CT_DELETE | IPCTNL_MSG_EXP_DELETE => Some(Self::Destroy),
            _ => None,
        }
    }

    /// The kind in lower case: `new`, `update`, `destroy`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Update => "update",
            Self::Destroy => "destroy",
        }
    }
}

/// Something that happened to a flow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// `nlmsg_pid`: the port id of the socket whose request caused it; 0 if packets or time did.
    pub port: u32,
    /// The flow, as far as the kernel reports it: with the id and the status always, with other
    /// fields as the kernel finds fit. A flow that ended has no timeout if it ran out.
    pub flow: Flow,
}

impl Event {
    /// Reads a message of the groups [`groups::FLOWS`]; `None` for any other message.
    ///
    /// # Errors
    /// As [`Flow::decode`].
    #[inline]
    pub fn decode(message: &Message<'_>) -> Result<Option<Self>, Error> {
        if !matches!(message.header.message_type, IPCTNL_MSG_CT_NEW | IPCTNL_MSG_CT_DELETE) {
            return Ok(None);
        }
        let Some(kind) = EventKind::of(&message.header) else { return Ok(None) };
        let flow = Flow::decode(message)?;
        Ok(Some(Self { kind, port: message.header.port, flow }))
    }
}

/// Something that happened to an expectation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpectationEvent {
    /// What happened.
    pub kind: EventKind,
    /// `nlmsg_pid`: the port id of the socket whose request caused it; 0 if packets or time did.
    pub port: u32,
    /// The expectation.
    pub expectation: Expectation,
}

impl ExpectationEvent {
    /// Reads a message of the groups [`groups::EXPECTATIONS`]; `None` for any other message.
    ///
    /// # Errors
    /// As [`Expectation::decode`].
    pub fn decode(message: &Message<'_>) -> Result<Option<Self>, Error> {
        if !matches!(message.header.message_type, IPCTNL_MSG_EXP_NEW | IPCTNL_MSG_EXP_DELETE) {
            return Ok(None);
        }
        let Some(kind) = EventKind::of(&message.header) else { return Ok(None) };
        let expectation = Expectation::decode(message)?;
        Ok(Some(Self { kind, port: message.header.port, expectation }))
    }
}
