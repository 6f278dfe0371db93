//! Flows of the usual shape: what the kernel writes of most, in its order.
//!
//! First all stretches are compared and only where they begin is kept; then a flow is made of them at
//! once. One that is filled step by step is made in one place and moved to another, and a move right
//! behind the stores waits for them.

use nl_wire::attr::{Attrs, NLA_F_NESTED};
use nl_wire::shape::{self, Stretch};
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

/// What stands behind the tuples: numbers.
#[derive(Clone, Copy)]
pub(crate) struct Numbers<'a> {
    zone: Stretch<'a, 8>,
    /// Of listings: status, mark, id, use count and timeout.
    listed: Stretch<'a, 40>,
    status: Stretch<'a, 8>,
    id: Stretch<'a, 8>,
    timeout: Stretch<'a, 8>,
}

impl<'a> Numbers<'a> {
    /// Takes what is of the usual shape behind the tuples.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub(crate) fn take(attrs: &mut Attrs<'a>) -> Self {
        let zone = Stretch::take(attrs, [(0, 6, CTA_ZONE)]);
        let listed = [
            (0, 8, CTA_STATUS),
            (8, 8, CTA_MARK),
            (16, 8, CTA_ID),
            (24, 8, CTA_USE),
            (32, 8, CTA_TIMEOUT),
        ];
        let listed = Stretch::take(attrs, listed);
        let (status, id, timeout);
        if listed.is_there() {
            (status, id, timeout) = (listed.part(0), listed.part(16), listed.part(32));
        } else {
            // As events have them.
            id = Stretch::take(attrs, [(0, 8, CTA_ID)]);
            status = Stretch::take(attrs, [(0, 8, CTA_STATUS)]);
            timeout = Stretch::take(attrs, [(0, 8, CTA_TIMEOUT)]);
        }
        Self { zone, listed, status, id, timeout }
    }
}

/// The counters of both directions.
#[derive(Clone, Copy)]
pub(crate) struct BothCounters<'a>(Stretch<'a, 56>);

impl<'a> BothCounters<'a> {
    /// Takes them off the front of a walk.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub(crate) fn take(attrs: &mut Attrs<'a>) -> Self {
        let headers = [
            (0, 28, CTA_COUNTERS_ORIG | NLA_F_NESTED),
            (4, 12, CTA_COUNTERS_PACKETS),
            (16, 12, CTA_COUNTERS_BYTES),
            (28, 28, CTA_COUNTERS_REPLY | NLA_F_NESTED),
            (32, 12, CTA_COUNTERS_PACKETS),
            (44, 12, CTA_COUNTERS_BYTES),
        ];
        Self(Stretch::take(attrs, headers))
    }
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
    numbers: Numbers<'a>,
    tcp: Stretch<'a, 48>,
    counters: BothCounters<'a>,
    start: Stretch<'a, 16>,
    synproxy: Stretch<'a, 28>,
}

impl<'a> Usual<'a> {
    /// Takes what is of the usual shape behind the tuples.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub(crate) fn take(attrs: &mut Attrs<'a>) -> Self {
        let numbers = Numbers::take(attrs);
        let tcp = Stretch::take(attrs, Tcp::USUAL);
        let counters = BothCounters::take(attrs);
        let start = [(0, 16, CTA_TIMESTAMP | NLA_F_NESTED), (4, 12, CTA_TIMESTAMP_START)];
        let start = Stretch::take(attrs, start);
        let synproxy = [
            (0, 28, CTA_SYNPROXY | NLA_F_NESTED),
            (4, 8, CTA_SYNPROXY_ISN),
            (12, 8, CTA_SYNPROXY_ITS),
            (20, 8, CTA_SYNPROXY_TSOFF),
        ];
        let synproxy = Stretch::take(attrs, synproxy);
        Self { numbers, tcp, counters, start, synproxy }
    }

    /// The flow with these tuples.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub(super) fn flow(self, family: AddressFamily, original: Tuple, reply: Tuple) -> Flow {
        Flow {
            family,
            original,
            reply,
            protocol_info: self.tcp.read(Tcp::usual).map(ProtocolInfo::Tcp),
            status: self.numbers.status(),
            timeout: self.numbers.timeout(),
            mark: self.numbers.mark(),
            id: self.numbers.id(),
            zone: self.numbers.zone(),
            use_count: self.numbers.use_count(),
            original_counters: self.counters.original_counters(),
            reply_counters: self.counters.reply_counters(),
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

/// Fields of a stretch; absent where the stretch is, which says nothing of what is left of the walk.
macro_rules! fields {
    ($of:ident: $($name:ident: $type:ty = $stretch:tt, $read:expr;)*) => {
        impl $of<'_> {
            $(
                #[inline(always)]
                #[allow(clippy::inline_always)]
                pub(crate) fn $name(self) -> Option<$type> {
                    self.$stretch.read($read)
                }
            )*
        }
    };
}

fields! { Numbers:
    zone: u16 = zone, |bytes| shape::u16_be(bytes, 4);
    status: Status = status, |bytes| Status(shape::u32_be(bytes, 4));
    timeout: u32 = timeout, |bytes| shape::u32_be(bytes, 4);
    mark: u32 = listed, |bytes| shape::u32_be(bytes, 12);
    id: u32 = id, |bytes| shape::u32_be(bytes, 4);
    use_count: u32 = listed, |bytes| shape::u32_be(bytes, 28);
}

fields! { BothCounters:
    original_counters: Counters = 0, |bytes| counters(bytes, 0);
    reply_counters: Counters = 0, |bytes| counters(bytes, 28);
}

/// The counters whose attribute begins at `at`.
#[inline(always)]
#[allow(clippy::inline_always)]
fn counters(bytes: &[u8; 56], at: usize) -> Counters {
    Counters { packets: shape::u64_be(bytes, at + 8), bytes: shape::u64_be(bytes, at + 20) }
}
