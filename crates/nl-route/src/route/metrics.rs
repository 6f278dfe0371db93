//! The metrics of a route: `RTA_METRICS` (linux/rtnetlink.h).

use alloc::boxed::Box;
use alloc::vec::Vec;

use nl_wire::attr::{Attr, Attrs};
use nl_wire::text::Text;
use nl_wire::{Error, RawAttr, Writer};

use crate::tables::route::{RTA_METRICS, RTAX_CC_ALGO, RTAX_FEATURES};
use crate::value::PathFeatures;

/// As many numbers are kept in place: most routes with metrics have one or two.
const FEW: usize = 3;

/// Properties of the path behind a route.
///
/// What is plain numbers has a getter for each, and all go by their numbers (`RTAX_*`, in
/// [`tables::route`](crate::tables::route)) too:
///
/// ```
/// use nl_route::route::Metrics;
/// use nl_route::tables::route::{RTAX_ADVMSS, RTAX_MTU};
///
/// let mut metrics = Metrics::from([(RTAX_MTU, 1400)]);
/// metrics.set(RTAX_ADVMSS, 1360);
/// metrics.lock(RTAX_MTU);
/// assert_eq!((metrics.mtu(), metrics.advmss(), metrics.window()), (Some(1400), Some(1360), None));
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Metrics {
    /// Bit n: there is a number for metric n.
    present: u32,
    /// The numbers in the order of their metrics, if there are no more; then zeros.
    few: [u32; FEW],
    /// What does not fit there.
    more: Option<Box<More>>,
}

/// Why a route's metrics may need memory of their own.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
struct More {
    /// All numbers, in the order of their metrics, if there are more than few.
    numbers: Vec<u32>,
    congestion_control: Option<Text>,
    unknown: Vec<RawAttr>,
}

/// Declares the metrics that are plain numbers once, for their getters and for telling them.
macro_rules! metrics {
    ($($(#[$doc:meta])* $name:ident = $number:ident;)*) => {
        use crate::tables::route::{$($number),*};

        /// Bit n: metric n is a number.
        const NUMBERS: u32 = 1 << RTAX_FEATURES $(| 1 << $number)*;

        impl Metrics {
            $(
                $(#[$doc])*
                #[doc = concat!("`", stringify!($number), "`.")]
                #[inline]
                pub fn $name(&self) -> Option<u32> {
                    self.get($number)
                }
            )*
        }
    };
}

metrics! {
    /// Bit n set: the metric of number n is fixed,
    locks = RTAX_LOCK;
    /// Largest packet in bytes,
    mtu = RTAX_MTU;
    /// Largest TCP window in bytes,
    window = RTAX_WINDOW;
    /// Round trip time in eighths of a millisecond,
    rtt = RTAX_RTT;
    /// Its variation in quarters of a millisecond,
    rttvar = RTAX_RTTVAR;
    /// Slow start threshold in segments,
    ssthresh = RTAX_SSTHRESH;
    /// Congestion window in segments,
    cwnd = RTAX_CWND;
    /// Largest TCP segment to advertise in bytes,
    advmss = RTAX_ADVMSS;
    /// How far segments may overtake each other,
    reordering = RTAX_REORDERING;
    /// Hop limit; 4,294,967,295 means the interface's,
    hoplimit = RTAX_HOPLIMIT;
    /// Congestion window of new connections in segments,
    initcwnd = RTAX_INITCWND;
    /// Least retransmission timeout in milliseconds,
    rto_min = RTAX_RTO_MIN;
    /// Window that new connections advertise, in segments,
    initrwnd = RTAX_INITRWND;
    /// Whether acks are sent at once,
    quickack = RTAX_QUICKACK;
    /// Whether TCP fast open does without a cookie,
    fastopen_no_cookie = RTAX_FASTOPEN_NO_COOKIE;
}

impl Metrics {
    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.present == 0 && self.more.is_none()
    }

    /// The number that metric `number` (`RTAX_*`) has; of [`Metrics::features`] the bits.
    #[inline]
    pub fn get(&self, number: u16) -> Option<u32> {
        let bit = bit(number) & self.present;
        if bit == 0 { None } else { self.numbers().get(self.before(bit)).copied() }
    }

    /// Sets the number of metric `number` (`RTAX_*`); `false` if that is none that has a number.
    #[inline]
    pub fn set(&mut self, number: u16, value: u32) -> bool {
        let bit = bit(number) & NUMBERS;
        if bit == 0 {
            return false;
        }
        let (at, count) = (self.before(bit), self.present.count_ones() as usize);
        if self.present & bit == 0 {
            self.present |= bit;
            if count < FEW {
                self.few.copy_within(at..FEW - 1, at + 1);
            } else {
                let few = core::mem::take(&mut self.few);
                let numbers = &mut self.more.get_or_insert_default().numbers;
                if numbers.is_empty() {
                    numbers.extend(few);
                }
                numbers.insert(at, value);
            }
        }
        let numbers = match &mut self.more {
            Some(more) if !more.numbers.is_empty() => &mut more.numbers[..],
            _ => &mut self.few,
        };
        if let Some(slot) = numbers.get_mut(at) {
            *slot = value;
        }
        true
    }

    /// All numbers there are, in the order of their metrics.
    #[inline]
    fn numbers(&self) -> &[u32] {
        match &self.more {
            Some(more) if !more.numbers.is_empty() => &more.numbers,
            _ => &self.few,
        }
    }

    /// How many numbers stand before that of a metric.
    #[inline]
    fn before(&self, bit: u32) -> usize {
        (self.present & (bit - 1)).count_ones() as usize
    }

    /// `RTAX_FEATURES`.
    pub fn features(&self) -> Option<PathFeatures> {
        self.get(RTAX_FEATURES).map(PathFeatures)
    }

    /// The congestion control algorithm, `RTAX_CC_ALGO`.
    pub fn congestion_control(&self) -> Option<&Text> {
        self.more.as_ref()?.congestion_control.as_ref()
    }

    /// Sets the congestion control algorithm.
    pub fn set_congestion_control(&mut self, name: impl Into<Text>) {
        self.more.get_or_insert_default().congestion_control = Some(name.into());
    }

    /// Attributes that this crate does not know, in order.
    pub fn unknown(&self) -> &[RawAttr] {
        self.more.as_ref().map_or(&[], |more| &more.unknown)
    }

    /// Adds an attribute that this crate does not know.
    pub fn push_unknown(&mut self, attr: RawAttr) {
        self.more.get_or_insert_default().unknown.push(attr);
    }

    /// Whether metric `number` (`RTAX_*`) is locked.
    pub fn is_locked(&self, number: u16) -> bool {
        self.locks().unwrap_or(0) & bit(number) != 0
    }

    /// Locks metric `number` (`RTAX_*`): the kernel does not change it by what it learns.
    pub fn lock(&mut self, number: u16) {
        self.set(RTAX_LOCK, self.locks().unwrap_or(0) | bit(number));
    }

    /// Bytes that it takes besides its own size.
    pub fn allocated(&self) -> usize {
        let more = |more: &More| size_of_val(more) + size_of_val(more.numbers.as_slice());
        self.more.as_deref().map_or(0, more)
    }

    /// Of what [`Few::read`] read.
    #[inline]
    pub(super) fn few(Few { present, few }: Few) -> Self {
        Self { present, few, more: None }
    }

    /// Reads what `RTA_METRICS` holds.
    #[inline(never)]
    pub(super) fn decode(mut attrs: Attrs<'_>) -> Result<Self, Error> {
        let mut metrics = Self::default();
        while let Some(attr) = attrs.step() {
            metrics.read(&attr)?;
        }
        attrs.finish()?;
        Ok(metrics)
    }

    fn read(&mut self, attr: &Attr<'_>) -> Result<(), Error> {
        match attr.number() {
            RTAX_CC_ALGO => self.set_congestion_control(attr.text()),
            number if bit(number) & NUMBERS != 0 => _ = self.set(number, attr.u32()?),
            _ => self.push_unknown((*attr).into()),
        }
        Ok(())
    }

    /// Writes `RTA_METRICS`, in the kernel's order: by number. Nothing if there are none.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        if self.is_empty() {
            return Ok(());
        }
        writer.nest_unflagged(RTA_METRICS, |writer| {
            for number in RTAX_LOCK..=RTAX_FASTOPEN_NO_COOKIE {
                match (self.congestion_control(), self.get(number)) {
                    (Some(name), _) if number == RTAX_CC_ALGO => {
                        writer.text(number, name.as_bytes())?;
                    }
                    (_, Some(value)) => writer.u32(number, value),
                    _ => {}
                }
            }
            self.unknown().iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
        })
    }
}

/// Metrics of the usual kind, before they are part of a route: owning nothing, they stay in registers.
#[derive(Clone, Copy, Default)]
pub(super) struct Few {
    present: u32,
    few: [u32; FEW],
}

impl Few {
    /// Reads what `RTA_METRICS` holds if it is a few numbers in the kernel's order.
    #[inline(never)]
    pub(super) fn read(mut attrs: Attrs<'_>) -> Option<Self> {
        let Self { mut present, mut few } = Self::default();
        for slot in &mut few {
            let Some(attr) = attrs.step() else { break };
            let bit = bit(attr.number());
            // Behind those before, of which none is as large.
            if bit & NUMBERS == 0 || bit <= present {
                return None;
            }
            *slot = u32::from_ne_bytes(attr.payload.try_into().ok()?);
            present |= bit;
        }
        attrs.rest().is_empty().then_some(Self { present, few })
    }
}

/// The bit of a metric; 0 if there is none of that number.
#[inline]
fn bit(number: u16) -> u32 {
    1_u32.checked_shl(number.into()).unwrap_or(0)
}

impl<const N: usize> From<[(u16, u32); N]> for Metrics {
    /// Of numbers (`RTAX_*`) and their values; those that have no number are left out.
    fn from(numbers: [(u16, u32); N]) -> Self {
        let mut metrics = Self::default();
        for (number, value) in numbers {
            metrics.set(number, value);
        }
        metrics
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// As a map would keep them, in whatever order they come.
        #[test]
        fn metrics_are_a_map(sets in proptest::collection::vec((0..40_u16, any::<u32>()), 0..24)) {
            let (mut metrics, mut map) = (Metrics::default(), BTreeMap::new());
            for (number, value) in sets {
                if metrics.set(number, value) {
                    map.insert(number, value);
                } else {
                    prop_assert!(number == 0 || number == RTAX_CC_ALGO || number > RTAX_FASTOPEN_NO_COOKIE);
                }
            }
            for number in 0..40 {
                prop_assert_eq!(metrics.get(number), map.get(&number).copied());
            }
            prop_assert_eq!(metrics.is_empty(), map.is_empty());
            // Of the same numbers the same value.
            let mut sorted = Metrics::default();
            for (number, value) in map {
                sorted.set(number, value);
            }
            prop_assert_eq!(metrics, sorted);
        }
    }
}
