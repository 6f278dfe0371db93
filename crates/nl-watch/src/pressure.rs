//! Overload: measure the rate of events, and have the kernel drop what matters least.
//!
//! Two answers. [`Breaker`] is the circuit breaker that other agents use, number for number, for
//! those who compare or migrate. [`Governor`] is the better one: it filters in the kernel on the
//! socket that is open, keeps or drops whole flows instead of single messages, and lets more through
//! again when the load falls.

mod breaker;
mod gate;
mod governor;

pub use breaker::{Breaker, throttled};
pub use gate::{EventFilter, Gate};
pub use governor::{Governor, GovernorOptions, Level, Step};
pub use nl_conntrack::event_filter::{FlowSampler, InvalidRate, Share};
