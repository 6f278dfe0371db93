//! The metrics of a route: `RTA_METRICS` (linux/rtnetlink.h).

use alloc::boxed::Box;
use alloc::vec::Vec;

use nl_wire::attr::{Attr, Attrs};
use nl_wire::text::Text;
use nl_wire::{Error, RawAttr, Writer};

use crate::tables::route::{RTA_METRICS, RTAX_CC_ALGO, RTAX_FEATURES, RTAX_LOCK};
use crate::value::PathFeatures;

/// Declares the metrics that are plain numbers once, for reading, writing and listing.
macro_rules! metrics {
    ($($(#[$doc:meta])* $field:ident = $number:ident;)*) => {
        use crate::tables::route::{$($number),*};

        /// Properties of the path behind a route.
        #[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
        pub struct Metrics {
            $(
                $(#[$doc])*
                #[doc = concat!("`", stringify!($number), "`.")]
                pub $field: Option<u32>,
            )*
            /// `RTAX_FEATURES`.
            pub features: Option<PathFeatures>,
            /// The congestion control algorithm, `RTAX_CC_ALGO`.
            pub congestion_control: Option<Text>,
            /// Bit n set: the metric of number n is fixed, as `RTAX_LOCK` says.
            pub lock: Option<u32>,
            /// Attributes that this crate does not know, in order.
            pub unknown: Vec<RawAttr>,
        }

        impl Metrics {
            #[inline]
            fn field_mut(&mut self, number: u16) -> Option<&mut Option<u32>> {
                match number {
                    $($number => Some(&mut self.$field),)*
                    _ => None,
                }
            }

            /// The plain number that metric `number` (`RTAX_*`) has, or the bits of the features.
            pub fn get(&self, number: u16) -> Option<u32> {
                match number {
                    $($number => self.$field,)*
                    RTAX_FEATURES => self.features.map(PathFeatures::bits),
                    _ => None,
                }
            }
        }
    };
}

metrics! {
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
    /// Reads what `RTA_METRICS` holds.
    #[inline(never)]
    pub(super) fn decode(mut attrs: Attrs<'_>) -> Result<Box<Self>, Error> {
        let mut metrics = Box::new(Self::default());
        while let Some(attr) = attrs.step() {
            metrics.read(&attr)?;
        }
        attrs.finish()?;
        Ok(metrics)
    }

    #[inline]
    fn read(&mut self, attr: &Attr<'_>) -> Result<(), Error> {
        match attr.number() {
            RTAX_LOCK => self.lock = Some(attr.u32()?),
            RTAX_FEATURES => self.features = Some(PathFeatures(attr.u32()?)),
            RTAX_CC_ALGO => self.congestion_control = Some(attr.text().into()),
            number => match self.field_mut(number) {
                Some(field) => *field = Some(attr.u32()?),
                None => self.unknown.push((*attr).into()),
            },
        }
        Ok(())
    }

    /// Writes `RTA_METRICS`, in the kernel's order: by number.
    pub(crate) fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.nest_unflagged(RTA_METRICS, |writer| {
            if let Some(lock) = self.lock {
                writer.u32(RTAX_LOCK, lock);
            }
            for number in RTAX_MTU..=RTAX_FASTOPEN_NO_COOKIE {
                match (&self.congestion_control, self.get(number)) {
                    (Some(name), _) if number == RTAX_CC_ALGO => {
                        writer.text(number, name.as_bytes())?;
                    }
                    (_, Some(value)) => writer.u32(number, value),
                    _ => {}
                }
            }
            self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
        })
    }

    /// Whether metric `number` (`RTAX_*`) is locked.
    pub fn is_locked(&self, number: u16) -> bool {
        let bit = 1_u32.checked_shl(number.into()).unwrap_or(0);
        self.lock.unwrap_or(0) & bit != 0
    }

    /// Sets the plain metric `number` (`RTAX_*`); `false` if there is none of that number.
    pub fn set(&mut self, number: u16, value: u32) -> bool {
        if number == RTAX_FEATURES {
            self.features = Some(PathFeatures(value));
            return true;
        }
        self.field_mut(number).map(|field| *field = Some(value)).is_some()
    }

    /// Locks metric `number` (`RTAX_*`): the kernel does not change it by what it learns.
    pub fn lock(&mut self, number: u16) {
        let bit = 1_u32.checked_shl(number.into()).unwrap_or(0);
        self.lock = Some(self.lock.unwrap_or(0) | bit);
    }
}
