//! The tables of rtnetlink: every message type with its fixed part, and the attributes of each.
//!
//! Numbers are those of the kernel's own headers. What a table does not name is listed by number
//! and kept raw by decoders.

use nl_wire::layouts;
use nl_wire::value::{AddressFamily, Family};

use crate::value::{RouteFlags, RouteProtocol, RouteType, Scope, TableId};

#[cfg(feature = "link")]
pub mod bridge;
#[cfg(feature = "link")]
pub mod counters;
#[cfg(feature = "objects")]
pub mod encap;
#[cfg(feature = "link")]
pub mod kind;
#[cfg(feature = "link")]
pub mod link;
#[cfg(feature = "link")]
mod objects;
#[cfg(feature = "link")]
pub mod other;
#[cfg(feature = "link")]
pub mod record;
pub mod route;
#[cfg(feature = "link")]
pub mod traffic;
#[cfg(feature = "link")]
pub mod tunnel;

#[cfg(feature = "link")]
pub use objects::*;
use route::RTA;

layouts! {
    /// `struct rtmsg`, of routes.
    pub static RTMSG: "rtmsg" {
        "rtm_family": Named(&U8, AddressFamily::NAMES);
        "rtm_dst_len": U8;
        "rtm_src_len": U8;
        "rtm_tos": U8;
        "rtm_table": Named(&U8, TableId::NAMES);
        "rtm_protocol": Named(&U8, RouteProtocol::NAMES);
        "rtm_scope": Named(&U8, Scope::NAMES);
        "rtm_type": Named(&U8, RouteType::NAMES);
        "rtm_flags": Named(&U32, RouteFlags::NAMES);
    }
}

nl_wire::protocol! {
    /// Routes.
    pub static ROUTES: Family::ROUTE {
        RTM_NEWROUTE = 24: New, &RTMSG, &RTA;
        RTM_DELROUTE = 25: Delete, &RTMSG, &RTA;
        RTM_GETROUTE = 26: Get, &RTMSG, &RTA;
    }
}
