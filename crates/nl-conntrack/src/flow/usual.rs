//! Flows of the usual shape: what the kernel writes of most, in its order.
//!
//! First all stretches are compared and only where they begin is kept; then a flow is made of them at
//! once. One that is filled step by step is made in one place and moved to another, and a move right
//! behind the stores waits for them.

use nl_wire::attr::{Attrs, NLA_F_NESTED};
use nl_wire::shape::{self, Expected, Stretch};
use nl_wire::value::AddressFamily;

use super::Flow;
use crate::extension::{Counters, Synproxy};
use crate::protocol_info::{ProtocolInfo, Tcp};
use crate::tables::{
    CTA_COUNTERS_BYTES, CTA_COUNTERS_ORIG, CTA_COUNTERS_PACKETS, CTA_COUNTERS_REPLY, CTA_ID,
    CTA_MARK, CTA_STATUS, CTA_SYNPROXY, CTA_SYNPROXY_ISN, CTA_SYNPROXY_ITS, CTA_SYNPROXY_TSOFF,
    CTA_TIMEOUT, CTA_TIMESTAMP, CTA_TIMESTAMP_START, CTA_USE, CTA_ZONE,
};
use crate::tuple::Tuple;
use crate::value::Status;

/// The zone of both directions.
pub(crate) const ZONE: [Expected; 1] = [(0, 6, CTA_ZONE)];

/// Of listings: status, mark, id, use count and timeout.
pub(crate) const LISTED: [Expected; 5] =
    [(0, 8, CTA_STATUS), (8, 8, CTA_MARK), (16, 8, CTA_ID), (24, 8, CTA_USE), (32, 8, CTA_TIMEOUT)];

/// The counters of both directions.
pub(crate) const COUNTERS: [Expected; 6] = [
    (0, 28, CTA_COUNTERS_ORIG | NLA_F_NESTED),
    (4, 12, CTA_COUNTERS_PACKETS),
    (16, 12, CTA_COUNTERS_BYTES),
    (28, 28, CTA_COUNTERS_REPLY | NLA_F_NESTED),
    (32, 12, CTA_COUNTERS_PACKETS),
    (44, 12, CTA_COUNTERS_BYTES),
];

/// The counters whose attribute begins at `at`.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(crate) fn counters(bytes: &[u8; 56], at: usize) -> Counters {
    Counters { packets: shape::u64_be(bytes, at + 8), bytes: shape::u64_be(bytes, at + 20) }
}

/// Skips what stands behind the state of a protocol, whatever is in it.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(crate) fn skip_end(attrs: &mut Attrs<'_>) {
    let counters =
        [(0, 28, CTA_COUNTERS_ORIG | NLA_F_NESTED), (28, 28, CTA_COUNTERS_REPLY | NLA_F_NESTED)];
    Stretch::<56>::take(attrs, counters);
    Stretch::<16>::take(attrs, [(0, 16, CTA_TIMESTAMP | NLA_F_NESTED)]);
    Stretch::<28>::take(attrs, [(0, 28, CTA_SYNPROXY | NLA_F_NESTED)]);
}

/// The stretches of a flow.
#[derive(Clone, Copy)]
pub(crate) struct Usual<'a> {
    zone: Stretch<'a, 8>,
    listed: Stretch<'a, 40>,
    status: Stretch<'a, 8>,
    id: Stretch<'a, 8>,
    timeout: Stretch<'a, 8>,
    tcp: Stretch<'a, 48>,
    counters: Stretch<'a, 56>,
    start: Stretch<'a, 16>,
    synproxy: Stretch<'a, 28>,
}

impl<'a> Usual<'a> {
    /// Takes what is of the usual shape behind the tuples.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub(crate) fn take(attrs: &mut Attrs<'a>) -> Self {
        let zone = Stretch::take(attrs, ZONE);
        let listed = Stretch::take(attrs, LISTED);
        let (status, id, timeout);
        if listed.is_there() {
            (status, id, timeout) = (listed.part(0), listed.part(16), listed.part(32));
        } else {
            // As events have them.
            id = Stretch::take(attrs, [(0, 8, CTA_ID)]);
            status = Stretch::take(attrs, [(0, 8, CTA_STATUS)]);
            timeout = Stretch::take(attrs, [(0, 8, CTA_TIMEOUT)]);
        }
        let tcp = Stretch::take(attrs, Tcp::USUAL);
        let counters = Stretch::take(attrs, COUNTERS);
        let start = [(0, 16, CTA_TIMESTAMP | NLA_F_NESTED), (4, 12, CTA_TIMESTAMP_START)];
        let start = Stretch::take(attrs, start);
        let synproxy = [
            (0, 28, CTA_SYNPROXY | NLA_F_NESTED),
            (4, 8, CTA_SYNPROXY_ISN),
            (12, 8, CTA_SYNPROXY_ITS),
            (20, 8, CTA_SYNPROXY_TSOFF),
        ];
        let synproxy = Stretch::take(attrs, synproxy);
        Self { zone, listed, status, id, timeout, tcp, counters, start, synproxy }
    }

    /// The flow with these tuples.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub(super) fn flow(self, family: AddressFamily, original: Tuple, reply: Tuple) -> Flow {
        let number = |bytes: &[u8; 8]| shape::u32_be(bytes, 4);
        let direction = |at| self.counters.read(|bytes| counters(bytes, at));
        Flow {
            family,
            original,
            reply,
            protocol_info: self.tcp.read(Tcp::usual).map(ProtocolInfo::Tcp),
            status: self.status.read(number).map(Status),
            timeout: self.timeout.read(number),
            mark: self.listed.read(|bytes| shape::u32_be(bytes, 12)),
            id: self.id.read(number),
            zone: self.zone.read(|bytes| shape::u16_be(bytes, 4)),
            use_count: self.listed.read(|bytes| shape::u32_be(bytes, 28)),
            original_counters: direction(0),
            reply_counters: direction(28),
            start: self.start.read(|bytes| shape::u64_be(bytes, 8)),
            synproxy: self.synproxy.read(|bytes| Synproxy {
                isn: shape::u32_be(bytes, 8),
                its: shape::u32_be(bytes, 16),
                ts_offset: shape::u32_be(bytes, 24),
            }),
            ..Flow::default()
        }
    }
}
