//! Samples: which share of events or flows, and which flows.

use core::fmt;

/// The numbers of 32 bits: a share counts how many of them it takes.
const NUMBERS: u64 = 1 << 32;

/// The golden ratio of 2³², odd: multiplying permutes the 32-bit numbers and spreads their low bits
/// over the high ones. Kernels before 5.2 make ids of addresses, whose low bits are alike.
pub(super) const SPREAD: u32 = 0x9e37_79b1;

/// A share of something, from nothing to all, in steps of 2⁻³².
///
/// ```
/// use nl_conntrack::event_filter::Share;
///
/// let quarter = Share::new(0.25)?;
/// assert_eq!((quarter.cutoff(), quarter.rate()), (1 << 30, 0.25));
/// assert!(Share::NONE < quarter && quarter < Share::ALL);
/// assert!(Share::new(1.5).is_err());
/// # Ok::<(), nl_conntrack::event_filter::InvalidRate>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Share(u64);

/// Not a share of something.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct InvalidRate(pub f64);

impl fmt::Display for InvalidRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sampling rate {} is not between 0 and 1", self.0)
    }
}

impl core::error::Error for InvalidRate {}

impl Share {
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// Everything.
    pub const ALL: Self = Self(NUMBERS);

    /// A rate from 0 (nothing) to 1 (everything), rounded down to a multiple of 2⁻³².
    ///
    /// # Errors
    /// If the rate is not between 0 and 1.
    // A product of up to 2³² that is meant to be cut.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn new(rate: f64) -> Result<Self, InvalidRate> {
        if (0.0..=1.0).contains(&rate) {
            Ok(Self((rate * 4_294_967_296.0) as u64))
        } else {
            Err(InvalidRate(rate))
        }
    }

    /// The share as a rate from 0 to 1.
    // At most 2³²: exact.
    #[allow(clippy::cast_precision_loss)]
    pub fn rate(self) -> f64 {
        self.0 as f64 / NUMBERS as f64
    }

    /// Below which of 2³² equally likely numbers this share takes: 0 takes none, 2³² all.
    pub const fn cutoff(self) -> u64 {
        self.0
    }
}

/// A sample of flows by their id.
///
/// The kernel's `CTA_ID` stays the same for the life of a flow and is in every event, whichever
/// direction the packet had: so a flow is in the sample with all its events or with none. Smaller
/// samples are parts of larger ones of the same key.
///
/// ```
/// use nl_conntrack::event_filter::{FlowSampler, Share};
///
/// let small = FlowSampler { key: 7, share: Share::new(0.1)? };
/// let large = small.at(0.2)?;
/// let ids = (0..1000).map(Some);
/// assert!(ids.clone().all(|id| large.takes(id) || !small.takes(id)));
/// assert_eq!(ids.filter(|id| small.takes(*id)).count(), 100);
/// # Ok::<(), nl_conntrack::event_filter::InvalidRate>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FlowSampler {
    /// Decides which flows are taken. Two listeners with one key take the same.
    pub key: u32,
    /// How many.
    pub share: Share,
}

impl FlowSampler {
    /// Takes everything.
    pub const fn all(key: u32) -> Self {
        Self { key, share: Share::ALL }
    }

    /// The same sampler at another rate, from 0 to 1.
    ///
    /// # Errors
    /// As [`Share::new`].
    pub fn at(self, rate: f64) -> Result<Self, InvalidRate> {
        Ok(Self { share: Share::new(rate)?, ..self })
    }

    /// The share of flows in the sample, from 0 to 1.
    pub fn rate(&self) -> f64 {
        self.share.rate()
    }

    /// Whether a flow of this id is in the sample. One without an id can't be judged: only the
    /// empty sample does not take it.
    pub fn takes(&self, id: Option<u32>) -> bool {
        let number = id.map_or(0, |id| (id ^ self.key).wrapping_mul(SPREAD));
        u64::from(number) < self.share.0
    }
}
