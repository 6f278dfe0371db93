//! The attribute tables of connection tracking (`linux/netfilter/nfnetlink_conntrack.h`), of timeout
//! policies (`nfnetlink_cttimeout.h`) and of user-space helpers (`nfnetlink_cthelper.h`).
//!
//! Numbers are in network byte order, whatever the flag bit says, but for the flags of
//! `CTA_FILTER`.

use nl_wire::value::{AddressFamily, Family};

use crate::value::{
    DccpRole, DccpState, ExpectFlags, FilterFlags, IpProtocol, SctpState, Status, TcpFlags,
    TcpState,
};

mod helper;
mod timeout;
pub use helper::*;
pub use timeout::*;

/// Length of `struct nfgenmsg` in bytes.
pub const NFGENMSG_LEN: usize = NFGENMSG.width();

nl_wire::layouts! {
    /// `struct nfgenmsg` (linux/netfilter/nfnetlink.h).
    pub static NFGENMSG: "nfgenmsg" {
        "nfgen_family": Named(&U8, AddressFamily::NAMES);
        "version": U8;
        "res_id": U16Be;
    }
    /// `struct nf_ct_tcp_flags` (linux/netfilter/nf_conntrack_tcp.h).
    pub static TCP_FLAGS: "nf_ct_tcp_flags" {
        "flags": Named(&U8, TcpFlags::NAMES);
        "mask": Named(&U8, TcpFlags::NAMES);
    }
}

nl_wire::protocol! {
    /// Flows.
    pub static FLOWS: Family::NETFILTER {
        /// Creates or updates a flow; reports one.
        IPCTNL_MSG_CT_NEW = 0x100: New, &NFGENMSG, &FLOW;
        IPCTNL_MSG_CT_GET = 0x101: Get, &NFGENMSG, &FLOW;
        /// Deletes a flow, or without a tuple all that match; reports the end of one.
        IPCTNL_MSG_CT_DELETE = 0x102: Delete, &NFGENMSG, &FLOW;
        /// A dump that sets all counters to zero.
        IPCTNL_MSG_CT_GET_CTRZERO = 0x103: Get, &NFGENMSG, &FLOW;
        /// Flows whose end could not be reported yet.
        IPCTNL_MSG_CT_GET_DYING = 0x106: Get, &NFGENMSG, &FLOW;
        /// Always empty since Linux 5.19.
        IPCTNL_MSG_CT_GET_UNCONFIRMED = 0x107: Get, &NFGENMSG, &FLOW;
    }
    /// Statistics.
    pub static STATISTICS: Family::NETFILTER {
        /// Statistics of each CPU; the CPU's number is in `res_id`.
        IPCTNL_MSG_CT_GET_STATS_CPU = 0x104: Get, &NFGENMSG, &STATS;
        IPCTNL_MSG_CT_GET_STATS = 0x105: Get, &NFGENMSG, &STATS_GLOBAL;
        IPCTNL_MSG_EXP_GET_STATS_CPU = 0x203: Get, &NFGENMSG, &STATS_EXP;
    }
    /// Expectations.
    pub static EXPECTATIONS: Family::NETFILTER {
        IPCTNL_MSG_EXP_NEW = 0x200: New, &NFGENMSG, &EXPECT;
        IPCTNL_MSG_EXP_GET = 0x201: Get, &NFGENMSG, &EXPECT;
        IPCTNL_MSG_EXP_DELETE = 0x202: Delete, &NFGENMSG, &EXPECT;
    }
    /// Timeout policies.
    pub static TIMEOUTS: Family::NETFILTER {
        IPCTNL_MSG_TIMEOUT_NEW = 0x800: New, &NFGENMSG, &TIMEOUT;
        IPCTNL_MSG_TIMEOUT_GET = 0x801: Get, &NFGENMSG, &TIMEOUT;
        IPCTNL_MSG_TIMEOUT_DELETE = 0x802: Delete, &NFGENMSG, &TIMEOUT;
        IPCTNL_MSG_TIMEOUT_DEFAULT_SET = 0x803: New, &NFGENMSG, &TIMEOUT;
        IPCTNL_MSG_TIMEOUT_DEFAULT_GET = 0x804: Get, &NFGENMSG, &TIMEOUT;
    }
    /// What nothing in this crate asks for.
    pub static OTHERS: Family::NETFILTER {
        /// Begins a batch; connection tracking takes none.
        NFNL_MSG_BATCH_BEGIN = 0x10: New, &NFGENMSG, &BATCH;
        NFNL_MSG_BATCH_END = 0x11: New, &NFGENMSG, &BATCH;
        NFNL_MSG_CTHELPER_NEW = 0x900: New, &NFGENMSG, &CTHELPER;
        NFNL_MSG_CTHELPER_GET = 0x901: Get, &NFGENMSG, &CTHELPER;
        NFNL_MSG_CTHELPER_DEL = 0x902: Delete, &NFGENMSG, &CTHELPER;
    }
}

nl_wire::protocol! {
    /// Connection tracking: subsystems 1, 2, 8 and 9 of nfnetlink, and what all its subsystems
    /// share.
    pub static PROTOCOL: Family::NETFILTER = [FLOWS, STATISTICS, EXPECTATIONS, TIMEOUTS, OTHERS];
}

nl_wire::attributes! {
    /// The bounds of a batch (linux/netfilter/nfnetlink.h).
    pub static BATCH: "NFNL_BATCH" {
        NFNL_BATCH_GENID = 1: U32Be;
    }

    /// A flow.
    pub static FLOW: "CTA" {
        CTA_TUPLE_ORIG = 1: Nest(&TUPLE);
        CTA_TUPLE_REPLY = 2: Nest(&TUPLE);
        CTA_STATUS = 3: Named(&U32Be, Status::NAMES);
        CTA_PROTOINFO = 4: Nest(&PROTOINFO);
        CTA_HELP = 5: Nest(&HELP);
        /// In requests to create only: how to translate the source.
        CTA_NAT_SRC = 6: Nest(&NAT);
        /// In seconds.
        CTA_TIMEOUT = 7: U32Be;
        CTA_MARK = 8: U32Be;
        CTA_COUNTERS_ORIG = 9: Nest(&COUNTERS);
        CTA_COUNTERS_REPLY = 10: Nest(&COUNTERS);
        CTA_USE = 11: U32Be;
        CTA_ID = 12: U32Be;
        /// In requests to create only: how to translate the destination.
        CTA_NAT_DST = 13: Nest(&NAT);
        CTA_TUPLE_MASTER = 14: Nest(&TUPLE);
        CTA_SEQ_ADJ_ORIG = 15: Nest(&SEQADJ);
        CTA_SEQ_ADJ_REPLY = 16: Nest(&SEQADJ);
        /// Obsolete: `CTA_SECCTX` took its place.
        CTA_SECMARK = 17: U32Be;
        CTA_ZONE = 18: U16Be;
        CTA_SECCTX = 19: Nest(&SECCTX);
        CTA_TIMESTAMP = 20: Nest(&TIMESTAMP);
        CTA_MARK_MASK = 21: U32Be;
        /// Up to 16 bytes of bits, in words of 32 bits in host byte order.
        CTA_LABELS = 22: Bytes;
        CTA_LABELS_MASK = 23: Bytes;
        CTA_SYNPROXY = 24: Nest(&SYNPROXY);
        CTA_FILTER = 25: Nest(&FILTER);
        CTA_STATUS_MASK = 26: Named(&U32Be, Status::NAMES);
        /// When an event was made, in nanoseconds since 1970.
        CTA_TIMESTAMP_EVENT = 27: U64Be;
    }

    /// One direction of a flow.
    pub static TUPLE: "CTA_TUPLE" {
        CTA_TUPLE_IP = 1: Nest(&IP);
        CTA_TUPLE_PROTO = 2: Nest(&PROTO);
        /// The zone of this direction alone.
        CTA_TUPLE_ZONE = 3: U16Be;
    }

    /// The addresses of a tuple.
    pub static IP: "CTA_IP" {
        CTA_IP_V4_SRC = 1: Ipv4;
        CTA_IP_V4_DST = 2: Ipv4;
        CTA_IP_V6_SRC = 3: Ipv6;
        CTA_IP_V6_DST = 4: Ipv6;
    }

    /// The layer 4 part of a tuple.
    pub static PROTO: "CTA_PROTO" {
        CTA_PROTO_NUM = 1: Named(&U8, IpProtocol::NAMES);
        CTA_PROTO_SRC_PORT = 2: U16Be;
        CTA_PROTO_DST_PORT = 3: U16Be;
        CTA_PROTO_ICMP_ID = 4: U16Be;
        CTA_PROTO_ICMP_TYPE = 5: U8;
        CTA_PROTO_ICMP_CODE = 6: U8;
        CTA_PROTO_ICMPV6_ID = 7: U16Be;
        CTA_PROTO_ICMPV6_TYPE = 8: U8;
        CTA_PROTO_ICMPV6_CODE = 9: U8;
    }

    /// The state of a connection, by protocol.
    pub static PROTOINFO: "CTA_PROTOINFO" {
        CTA_PROTOINFO_TCP = 1: Nest(&PROTOINFO_TCP);
        CTA_PROTOINFO_DCCP = 2: Nest(&PROTOINFO_DCCP);
        CTA_PROTOINFO_SCTP = 3: Nest(&PROTOINFO_SCTP);
    }

    /// The state of a TCP connection.
    pub static PROTOINFO_TCP: "CTA_PROTOINFO_TCP" {
        CTA_PROTOINFO_TCP_STATE = 1: Named(&U8, TcpState::NAMES);
        CTA_PROTOINFO_TCP_WSCALE_ORIGINAL = 2: U8;
        CTA_PROTOINFO_TCP_WSCALE_REPLY = 3: U8;
        CTA_PROTOINFO_TCP_FLAGS_ORIGINAL = 4: Struct(&TCP_FLAGS);
        CTA_PROTOINFO_TCP_FLAGS_REPLY = 5: Struct(&TCP_FLAGS);
    }

    /// The state of a DCCP connection.
    pub static PROTOINFO_DCCP: "CTA_PROTOINFO_DCCP" {
        CTA_PROTOINFO_DCCP_STATE = 1: Named(&U8, DccpState::NAMES);
        CTA_PROTOINFO_DCCP_ROLE = 2: Named(&U8, DccpRole::NAMES);
        CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ = 3: U64Be;
        CTA_PROTOINFO_DCCP_PAD = 4: Bytes;
    }

    /// The state of an SCTP association.
    pub static PROTOINFO_SCTP: "CTA_PROTOINFO_SCTP" {
        CTA_PROTOINFO_SCTP_STATE = 1: Named(&U8, SctpState::NAMES);
        CTA_PROTOINFO_SCTP_VTAG_ORIGINAL = 2: U32Be;
        CTA_PROTOINFO_SCTP_VTAG_REPLY = 3: U32Be;
    }

    /// What passed in one direction.
    pub static COUNTERS: "CTA_COUNTERS" {
        CTA_COUNTERS_PACKETS = 1: U64Be;
        CTA_COUNTERS_BYTES = 2: U64Be;
        CTA_COUNTERS32_PACKETS = 3: U32Be;
        CTA_COUNTERS32_BYTES = 4: U32Be;
        CTA_COUNTERS_PAD = 5: Bytes;
    }

    /// When a flow began and ended, in nanoseconds since 1970.
    pub static TIMESTAMP: "CTA_TIMESTAMP" {
        CTA_TIMESTAMP_START = 1: U64Be;
        CTA_TIMESTAMP_STOP = 2: U64Be;
        CTA_TIMESTAMP_PAD = 3: Bytes;
    }

    /// How to translate an address.
    pub static NAT: "CTA_NAT" {
        CTA_NAT_V4_MINIP = 1: Ipv4;
        CTA_NAT_V4_MAXIP = 2: Ipv4;
        CTA_NAT_PROTO = 3: Nest(&PROTONAT);
        CTA_NAT_V6_MINIP = 4: Ipv6;
        CTA_NAT_V6_MAXIP = 5: Ipv6;
    }

    /// How to translate a port.
    pub static PROTONAT: "CTA_PROTONAT" {
        CTA_PROTONAT_PORT_MIN = 1: U16Be;
        CTA_PROTONAT_PORT_MAX = 2: U16Be;
    }

    /// How sequence numbers of one direction are shifted.
    pub static SEQADJ: "CTA_SEQADJ" {
        CTA_SEQADJ_CORRECTION_POS = 1: U32Be;
        CTA_SEQADJ_OFFSET_BEFORE = 2: U32Be;
        CTA_SEQADJ_OFFSET_AFTER = 3: U32Be;
    }

    /// What the SYN proxy keeps of a connection.
    pub static SYNPROXY: "CTA_SYNPROXY" {
        CTA_SYNPROXY_ISN = 1: U32Be;
        CTA_SYNPROXY_ITS = 2: U32Be;
        CTA_SYNPROXY_TSOFF = 3: U32Be;
    }

    /// The helper of a flow.
    pub static HELP: "CTA_HELP" {
        CTA_HELP_NAME = 1: Text;
        CTA_HELP_INFO = 2: Bytes;
    }

    /// The security context of a flow.
    pub static SECCTX: "CTA_SECCTX" {
        CTA_SECCTX_NAME = 1: Text;
    }

    /// Which parts of the tuples a dump is filtered by; in host byte order.
    pub static FILTER: "CTA_FILTER" {
        CTA_FILTER_ORIG_FLAGS = 1: Named(&U32, FilterFlags::NAMES);
        CTA_FILTER_REPLY_FLAGS = 2: Named(&U32, FilterFlags::NAMES);
    }

    /// An expectation.
    pub static EXPECT: "CTA_EXPECT" {
        CTA_EXPECT_MASTER = 1: Nest(&TUPLE);
        CTA_EXPECT_TUPLE = 2: Nest(&TUPLE);
        CTA_EXPECT_MASK = 3: Nest(&TUPLE);
        /// In seconds.
        CTA_EXPECT_TIMEOUT = 4: U32Be;
        CTA_EXPECT_ID = 5: U32Be;
        CTA_EXPECT_HELP_NAME = 6: Text;
        CTA_EXPECT_ZONE = 7: U16Be;
        CTA_EXPECT_FLAGS = 8: Named(&U32Be, ExpectFlags::NAMES);
        CTA_EXPECT_CLASS = 9: U32Be;
        CTA_EXPECT_NAT = 10: Nest(&EXPECT_NAT);
        CTA_EXPECT_FN = 11: Text;
    }

    /// How the expected flow will be translated.
    pub static EXPECT_NAT: "CTA_EXPECT_NAT" {
        CTA_EXPECT_NAT_DIR = 1: U32Be;
        CTA_EXPECT_NAT_TUPLE = 2: Nest(&TUPLE);
    }

    /// Statistics of one CPU.
    pub static STATS: "CTA_STATS" {
        CTA_STATS_SEARCHED = 1: U32Be;
        CTA_STATS_FOUND = 2: U32Be;
        CTA_STATS_NEW = 3: U32Be;
        CTA_STATS_INVALID = 4: U32Be;
        CTA_STATS_IGNORE = 5: U32Be;
        CTA_STATS_DELETE = 6: U32Be;
        CTA_STATS_DELETE_LIST = 7: U32Be;
        CTA_STATS_INSERT = 8: U32Be;
        CTA_STATS_INSERT_FAILED = 9: U32Be;
        CTA_STATS_DROP = 10: U32Be;
        CTA_STATS_EARLY_DROP = 11: U32Be;
        CTA_STATS_ERROR = 12: U32Be;
        CTA_STATS_SEARCH_RESTART = 13: U32Be;
        CTA_STATS_CLASH_RESOLVE = 14: U32Be;
        CTA_STATS_CHAIN_TOOLONG = 15: U32Be;
    }

    /// Statistics of a network namespace.
    pub static STATS_GLOBAL: "CTA_STATS_GLOBAL" {
        CTA_STATS_GLOBAL_ENTRIES = 1: U32Be;
        CTA_STATS_GLOBAL_MAX_ENTRIES = 2: U32Be;
    }

    /// Statistics of expectations on one CPU.
    pub static STATS_EXP: "CTA_STATS_EXP" {
        CTA_STATS_EXP_NEW = 1: U32Be;
        CTA_STATS_EXP_CREATE = 2: U32Be;
        CTA_STATS_EXP_DELETE = 3: U32Be;
    }
}
