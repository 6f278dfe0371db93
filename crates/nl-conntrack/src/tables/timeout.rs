//! Timeout policies (`linux/netfilter/nfnetlink_cttimeout.h`).

use nl_wire::table::{Key, Payload, Table};

use crate::value::IpProtocol;

const fn of(protocol: IpProtocol, table: &'static Table) -> (Key, Payload) {
    (Key::Number(protocol.0 as u32), Payload::Nest(table))
}

/// What `CTA_TIMEOUT_DATA` holds, by `CTA_TIMEOUT_L4PROTO`.
static DATA: [(Key, Payload); 9] = [
    of(IpProtocol::TCP, &TIMEOUT_TCP),
    of(IpProtocol::UDP, &TIMEOUT_UDP),
    of(IpProtocol::UDPLITE, &TIMEOUT_UDPLITE),
    of(IpProtocol::ICMP, &TIMEOUT_ICMP),
    of(IpProtocol::ICMPV6, &TIMEOUT_ICMPV6),
    of(IpProtocol::DCCP, &TIMEOUT_DCCP),
    of(IpProtocol::SCTP, &TIMEOUT_SCTP),
    of(IpProtocol::GRE, &TIMEOUT_GRE),
    of(IpProtocol::RAW, &TIMEOUT_GENERIC),
];

nl_wire::attributes! {
    /// A timeout policy.
    pub static TIMEOUT: "CTA_TIMEOUT" {
        CTA_TIMEOUT_NAME = 1: Text;
        CTA_TIMEOUT_L3PROTO = 2: U16Be;
        CTA_TIMEOUT_L4PROTO = 3: Named(&U8, IpProtocol::NAMES);
        CTA_TIMEOUT_DATA = 4: Choice { by: 3, cases: &DATA };
        CTA_TIMEOUT_USE = 5: U32Be;
    }

    /// Seconds, for protocols without states.
    pub static TIMEOUT_GENERIC: "CTA_TIMEOUT_GENERIC" {
        CTA_TIMEOUT_GENERIC_TIMEOUT = 1: U32Be;
    }

    /// Seconds, by state.
    pub static TIMEOUT_TCP: "CTA_TIMEOUT_TCP" {
        CTA_TIMEOUT_TCP_SYN_SENT = 1: U32Be;
        CTA_TIMEOUT_TCP_SYN_RECV = 2: U32Be;
        CTA_TIMEOUT_TCP_ESTABLISHED = 3: U32Be;
        CTA_TIMEOUT_TCP_FIN_WAIT = 4: U32Be;
        CTA_TIMEOUT_TCP_CLOSE_WAIT = 5: U32Be;
        CTA_TIMEOUT_TCP_LAST_ACK = 6: U32Be;
        CTA_TIMEOUT_TCP_TIME_WAIT = 7: U32Be;
        CTA_TIMEOUT_TCP_CLOSE = 8: U32Be;
        CTA_TIMEOUT_TCP_SYN_SENT2 = 9: U32Be;
        CTA_TIMEOUT_TCP_RETRANS = 10: U32Be;
        CTA_TIMEOUT_TCP_UNACK = 11: U32Be;
    }

    /// Seconds.
    pub static TIMEOUT_UDP: "CTA_TIMEOUT_UDP" {
        CTA_TIMEOUT_UDP_UNREPLIED = 1: U32Be;
        CTA_TIMEOUT_UDP_REPLIED = 2: U32Be;
    }

    /// Seconds.
    pub static TIMEOUT_UDPLITE: "CTA_TIMEOUT_UDPLITE" {
        CTA_TIMEOUT_UDPLITE_UNREPLIED = 1: U32Be;
        CTA_TIMEOUT_UDPLITE_REPLIED = 2: U32Be;
    }

    /// Seconds.
    pub static TIMEOUT_ICMP: "CTA_TIMEOUT_ICMP" {
        CTA_TIMEOUT_ICMP_TIMEOUT = 1: U32Be;
    }

    /// Seconds.
    pub static TIMEOUT_ICMPV6: "CTA_TIMEOUT_ICMPV6" {
        CTA_TIMEOUT_ICMPV6_TIMEOUT = 1: U32Be;
    }

    /// Seconds, by state.
    pub static TIMEOUT_DCCP: "CTA_TIMEOUT_DCCP" {
        CTA_TIMEOUT_DCCP_REQUEST = 1: U32Be;
        CTA_TIMEOUT_DCCP_RESPOND = 2: U32Be;
        CTA_TIMEOUT_DCCP_PARTOPEN = 3: U32Be;
        CTA_TIMEOUT_DCCP_OPEN = 4: U32Be;
        CTA_TIMEOUT_DCCP_CLOSEREQ = 5: U32Be;
        CTA_TIMEOUT_DCCP_CLOSING = 6: U32Be;
        CTA_TIMEOUT_DCCP_TIMEWAIT = 7: U32Be;
    }

    /// Seconds, by state.
    pub static TIMEOUT_SCTP: "CTA_TIMEOUT_SCTP" {
        CTA_TIMEOUT_SCTP_CLOSED = 1: U32Be;
        CTA_TIMEOUT_SCTP_COOKIE_WAIT = 2: U32Be;
        CTA_TIMEOUT_SCTP_COOKIE_ECHOED = 3: U32Be;
        CTA_TIMEOUT_SCTP_ESTABLISHED = 4: U32Be;
        CTA_TIMEOUT_SCTP_SHUTDOWN_SENT = 5: U32Be;
        CTA_TIMEOUT_SCTP_SHUTDOWN_RECD = 6: U32Be;
        CTA_TIMEOUT_SCTP_SHUTDOWN_ACK_SENT = 7: U32Be;
        CTA_TIMEOUT_SCTP_HEARTBEAT_SENT = 8: U32Be;
        /// No longer used.
        CTA_TIMEOUT_SCTP_HEARTBEAT_ACKED = 9: U32Be;
    }

    /// Seconds.
    pub static TIMEOUT_GRE: "CTA_TIMEOUT_GRE" {
        CTA_TIMEOUT_GRE_UNREPLIED = 1: U32Be;
        CTA_TIMEOUT_GRE_REPLIED = 2: U32Be;
    }
}
