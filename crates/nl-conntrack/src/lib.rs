//! Connection tracking over netlink (`nfnetlink_conntrack`): flows from bytes and back, requests as
//! values.
#![no_std]

extern crate alloc;

pub mod change;
mod encode;
pub mod event;
pub mod expect;
pub mod extension;
pub mod flow;
pub mod json;
pub mod protocol_info;
pub mod request;
pub mod stats;
pub mod tables;
pub mod text;
pub mod tuple;
mod unknown;
pub mod value;
pub mod view;

pub use change::{Action, Change, NatRange};
pub use event::{Event, EventKind, ExpectationEvent, groups};
pub use expect::Expectation;
pub use extension::{Counters, Helper, Labels, SeqAdj, Synproxy};
pub use flow::Flow;
pub use protocol_info::{Dccp, ProtocolInfo, Sctp, Tcp, TcpFlagChange};
pub use request::{Filter, Flush, Get, List, ListExpectations, Lookup, Masked};
pub use tuple::{L4, Tuple};
pub use value::{
    DccpRole, DccpState, ExpectFlags, IpProtocol, SctpState, Status, TcpFlags, TcpState,
};
pub use view::FlowView;
