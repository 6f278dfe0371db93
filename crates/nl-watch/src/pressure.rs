//! Overload: measure the rate of events, and have the kernel drop what matters least.
//!
//! Two answers. [`Breaker`] is the circuit breaker that other agents use, number for number, for
//! those who compare or migrate. [`Governor`] is the better one: it filters in the kernel on the
//! socket that is open, keeps or drops whole flows instead of single messages, and lets more through
//! again when the load falls. A [`Watch`](crate::Watch) and a [`Consumer`](crate::Consumer) have one
//! at work for tables whose events can be filtered so ([`Object::GATE`](crate::Object::GATE)).

mod breaker;
mod gate;
mod governor;
mod valve;

pub use breaker::{Breaker, throttled};
pub use gate::{EventFilter, Gate, Level};
pub use governor::{Governor, GovernorOptions, Step};
pub use nl_conntrack::event_filter::{FlowSampler, InvalidRate, Share};
pub(crate) use valve::Valve;
