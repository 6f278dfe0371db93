//! Numbers with names: protocols, status bits, connection states.

use core::fmt;
use core::str::FromStr;

use nl_wire::{flag_set, open_enum};

/// A word that names nothing of its kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownWord;

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown word")
    }
}

impl core::error::Error for UnknownWord {}

open_enum! {
    /// A layer 4 protocol: `CTA_PROTO_NUM` (linux/in.h).
    ///
    /// Parses from conntrack(8)'s names (`tcp`, `icmpv6`), from those below in any case, and from
    /// numbers.
    #[allow(missing_docs)]
    pub struct IpProtocol(u8) "IPPROTO_" {
        IP = 0,
        ICMP = 1,
        IGMP = 2,
        IPIP = 4,
        TCP = 6,
        UDP = 17,
        DCCP = 33,
        IPV6 = 41,
        GRE = 47,
        ESP = 50,
        AH = 51,
        ICMPV6 = 58,
        OSPF = 89,
        SCTP = 132,
        UDPLITE = 136,
        RAW = 255,
    }
}

/// The protocols that conntrack(8) calls by name.
pub(crate) const PROTOCOL_WORDS: [(&str, IpProtocol); 8] = [
    ("tcp", IpProtocol::TCP),
    ("udp", IpProtocol::UDP),
    ("udplite", IpProtocol::UDPLITE),
    ("icmp", IpProtocol::ICMP),
    ("icmpv6", IpProtocol::ICMPV6),
    ("sctp", IpProtocol::SCTP),
    ("gre", IpProtocol::GRE),
    ("dccp", IpProtocol::DCCP),
];

impl IpProtocol {
    /// The name that conntrack(8) prints and takes; for all other numbers it prints `unknown`.
    pub fn conntrack_name(self) -> Option<&'static str> {
        PROTOCOL_WORDS.iter().find(|row| row.1 == self).map(|row| row.0)
    }

    /// Whether tuples of this protocol hold ports (of GRE: keys).
    pub const fn has_ports(self) -> bool {
        matches!(self, Self::TCP | Self::UDP | Self::UDPLITE | Self::SCTP | Self::DCCP | Self::GRE)
    }
}

impl FromStr for IpProtocol {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let named = PROTOCOL_WORDS.iter().find(|row| row.0.eq_ignore_ascii_case(word));
        match named {
            Some(row) => Ok(row.1),
            None => match Self::NAMES.number(word).and_then(|number| u8::try_from(number).ok()) {
                Some(number) => Ok(Self(number)),
                None => word.parse().map(Self).map_err(|_| UnknownWord),
            },
        }
    }
}

flag_set! {
    /// `CTA_STATUS`, the state of a flow in bits (`enum ip_conntrack_status`,
    /// linux/netfilter/nf_conntrack_common.h).
    ///
    /// Whether a flow is NATed is told by `SRC_NAT` and `DST_NAT`; the `DONE` bits are set without
    /// NAT too. Parses from words of conntrack(8) joined by commas (`SEEN_REPLY,ASSURED`; `UNSET`
    /// is the empty set).
    pub struct Status(u32) "IPS_" {
        /// Announced by a helper.
        EXPECTED = 0x1,
        /// Packets were seen in both directions. Can be set, not cleared.
        SEEN_REPLY = 0x2,
        /// Not dropped early when the table is full. Can be set, not cleared.
        ASSURED = 0x4,
        /// In the table. Must be set wherever a request holds a status.
        CONFIRMED = 0x8,
        /// The source is translated.
        SRC_NAT = 0x10,
        /// The destination is translated.
        DST_NAT = 0x20,
        SEQ_ADJUST = 0x40,
        /// Translation of the source has been decided, perhaps for none.
        SRC_NAT_DONE = 0x80,
        /// Translation of the destination has been decided, perhaps for none.
        DST_NAT_DONE = 0x100,
        DYING = 0x200,
        /// The timeout is not renewed by packets.
        FIXED_TIMEOUT = 0x400,
        TEMPLATE = 0x800,
        UNTRACKED = 0x1000,
        /// The helper was chosen by a rule or by user space.
        HELPER = 0x2000,
        /// In a flowtable of nftables.
        OFFLOAD = 0x4000,
        /// In a flowtable of the network card.
        HW_OFFLOAD = 0x8000,
    }
}

impl Status {
    /// Both NAT bits.
    pub const NAT: Self = Self(Self::SRC_NAT.0 | Self::DST_NAT.0);
}

impl FromStr for Status {
    type Err = UnknownWord;

    fn from_str(words: &str) -> Result<Self, UnknownWord> {
        words.split(',').try_fold(Self(0), |status, word| {
            if word.eq_ignore_ascii_case("UNSET") {
                return Ok(status);
            }
            let number = Self::NAMES.number(word).ok_or(UnknownWord)?;
            Ok(status | Self(u32::try_from(number).map_err(|_| UnknownWord)?))
        })
    }
}

macro_rules! states {
    ($($(#[$meta:meta])* $name:ident $prefix:literal { $($word:ident = $number:literal,)* })*) => {
        $(
            open_enum! {
                $(#[$meta])*
                #[allow(missing_docs)]
                pub struct $name(u8) $prefix { $($word = $number,)* }
            }

            /// Letter case is ignored.
            impl FromStr for $name {
                type Err = UnknownWord;

                fn from_str(word: &str) -> Result<Self, UnknownWord> {
                    let number = Self::NAMES.number(word).and_then(|n| u8::try_from(n).ok());
                    number.map(Self).ok_or(UnknownWord)
                }
            }
        )*
    };
}

states! {
    /// `CTA_PROTOINFO_TCP_STATE` (linux/netfilter/nf_conntrack_tcp.h).
    TcpState "TCP_CONNTRACK_" {
        NONE = 0,
        SYN_SENT = 1,
        SYN_RECV = 2,
        ESTABLISHED = 3,
        FIN_WAIT = 4,
        CLOSE_WAIT = 5,
        LAST_ACK = 6,
        TIME_WAIT = 7,
        CLOSE = 8,
        SYN_SENT2 = 9,
    }
    /// `CTA_PROTOINFO_SCTP_STATE` (linux/netfilter/nf_conntrack_sctp.h).
    SctpState "SCTP_CONNTRACK_" {
        NONE = 0,
        CLOSED = 1,
        COOKIE_WAIT = 2,
        COOKIE_ECHOED = 3,
        ESTABLISHED = 4,
        SHUTDOWN_SENT = 5,
        SHUTDOWN_RECD = 6,
        SHUTDOWN_ACK_SENT = 7,
        HEARTBEAT_SENT = 8,
        HEARTBEAT_ACKED = 9,
    }
    /// `CTA_PROTOINFO_DCCP_STATE`; kernels from 6.17 on do not track DCCP.
    DccpState "CT_DCCP_" {
        NONE = 0,
        REQUEST = 1,
        RESPOND = 2,
        PARTOPEN = 3,
        OPEN = 4,
        CLOSEREQ = 5,
        CLOSING = 6,
        TIMEWAIT = 7,
        IGNORE = 8,
        INVALID = 9,
    }
    /// `CTA_PROTOINFO_DCCP_ROLE`: what the original direction's sender is.
    DccpRole "CT_DCCP_ROLE_" {
        CLIENT = 0,
        SERVER = 1,
    }
}

flag_set! {
    /// `IP_CT_TCP_FLAG_*`: what conntrack knows of one side of a TCP connection
    /// (linux/netfilter/nf_conntrack_tcp.h).
    pub struct TcpFlags(u8) "IP_CT_TCP_FLAG_" {
        /// This side announced window scaling.
        WINDOW_SCALE = 0x1,
        /// This side permitted selective acks.
        SACK_PERM = 0x2,
        /// This side sent the first FIN.
        CLOSE_INIT = 0x4,
        /// Packets outside the window are let through.
        BE_LIBERAL = 0x8,
        /// This side has data that is not acknowledged yet.
        DATA_UNACKNOWLEDGED = 0x10,
        MAXACK_SET = 0x20,
        CHALLENGE_ACK = 0x40,
        SIMULTANEOUS_OPEN = 0x80,
    }
}

flag_set! {
    /// `CTA_EXPECT_FLAGS` (linux/netfilter/nf_conntrack_common.h).
    pub struct ExpectFlags(u32) "NF_CT_EXPECT_" {
        /// Stays when a flow matched it.
        PERMANENT = 0x1,
        /// Matches nothing for now.
        INACTIVE = 0x2,
        /// Made by user space.
        USERSPACE = 0x4,
    }
}

flag_set! {
    /// `CTA_FILTER_ORIG_FLAGS`, `CTA_FILTER_REPLY_FLAGS`: which parts of the tuple a dump is
    /// filtered by.
    pub struct FilterFlags(u32) "CTA_FILTER_F_" {
        IP_SRC = 0x1,
        IP_DST = 0x2,
        /// Accepted by the kernel, and ignored.
        TUPLE_ZONE = 0x4,
        PROTO_NUM = 0x8,
        PROTO_SRC_PORT = 0x10,
        PROTO_DST_PORT = 0x20,
        PROTO_ICMP_TYPE = 0x40,
        PROTO_ICMP_CODE = 0x80,
        PROTO_ICMP_ID = 0x100,
        PROTO_ICMPV6_TYPE = 0x200,
        PROTO_ICMPV6_CODE = 0x400,
        PROTO_ICMPV6_ID = 0x800,
    }
}
