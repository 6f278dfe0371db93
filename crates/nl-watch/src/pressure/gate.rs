//! Which events of flows pass: in the kernel as classic BPF, and here by the same arithmetic.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::io;

use nl_conntrack::event_filter::{self, FilterError, FlowSampler, Share};
use nl_conntrack::{EventKind, Flow, Status};
use nl_socket::Socket;
use nl_socket::filter::Program;

/// A condition on flows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gate {
    /// Only flows with a translated source or destination, by their status, which the kernel
    /// reports in every event.
    pub nat_only: bool,
    /// A sample of these.
    pub sampler: FlowSampler,
}

impl Gate {
    /// Lets everything pass.
    pub const fn open(key: u32) -> Self {
        Self { nat_only: false, sampler: FlowSampler::all(key) }
    }

    /// Whether a flow passes: what the kernel does with the program of [`EventFilter`].
    pub fn passes(&self, flow: &Flow) -> bool {
        let translated = flow.status.is_some_and(|status| status.intersects(Status::NAT));
        (translated || !self.nat_only) && self.sampler.takes(flow.id)
    }

    /// Whether everything that passes `other`, of the same key, passes here.
    pub fn covers(&self, other: &Self) -> bool {
        (!self.nat_only || other.nat_only) && self.sampler.share >= other.sampler.share
    }

    /// The narrowest gate that covers both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        let share = self.sampler.share.max(other.sampler.share);
        Self {
            nat_only: self.nat_only && other.nat_only,
            sampler: FlowSampler { share, ..self.sampler },
        }
    }

    /// The gate as a condition on events, to be joined with others.
    pub fn condition(&self) -> event_filter::EventFilter {
        use event_filter::EventFilter as Condition;
        let sample = Condition::Sample(self.sampler);
        if self.nat_only { Condition::nat() & sample } else { sample }
    }
}

impl fmt::Display for Gate {
    /// `everything`, `translated flows`, `12.500 % of the translated flows`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.sampler.share == Share::ALL;
        match (self.nat_only, all) {
            (false, true) => return f.write_str("everything"),
            (true, true) => return f.write_str("translated flows"),
            _ => {}
        }
        let of = if self.nat_only { "translated" } else { "tracked" };
        write!(f, "{:.3} % of the {of} flows", self.sampler.rate() * 100.0)
    }
}

/// How much passes, from most to least.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Every event.
    Everything,
    /// Events of translated flows.
    NatOnly,
    /// Events of some translated flows; how many, [`EventFilter::rate`] says.
    Sampled,
}

impl Level {
    /// In lower case, as in metrics: `everything`, `nat_only`, `sampled`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Everything => "everything",
            Self::NatOnly => "nat_only",
            Self::Sampled => "sampled",
        }
    }
}

/// Which events pass: one gate for beginnings and changes, one for ends.
///
/// Ends have a gate of their own because what was told to begin must be told to end: while the
/// first gate narrows, flows that came through it before are still alive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventFilter {
    /// For flows that appear or change.
    pub births: Gate,
    /// For flows that end; covers all that `births` let through while they lived.
    pub deaths: Gate,
}

impl EventFilter {
    /// Lets everything pass. The key decides which flows are sampled; two listeners with one key
    /// sample the same.
    pub const fn open(key: u32) -> Self {
        Self { births: Gate::open(key), deaths: Gate::open(key) }
    }

    /// Lets everything pass, with a random key.
    pub fn open_at_random() -> Self {
        let hash = RandomState::new().hash_one(());
        Self::open(u32::try_from(hash >> 32).unwrap_or_default())
    }

    /// How much passes of flows that appear.
    pub fn level(&self) -> Level {
        let Gate { nat_only, sampler } = self.births;
        match nat_only {
            _ if sampler.rate() < 1.0 => Level::Sampled,
            true => Level::NatOnly,
            false => Level::Everything,
        }
    }

    /// Which share of the flows of this level passes, from 0 to 1.
    pub fn rate(&self) -> f64 {
        self.births.sampler.rate()
    }

    /// The filter as a condition on events, to be joined with others.
    pub fn condition(&self) -> event_filter::EventFilter {
        let death = event_filter::EventFilter::Kind(EventKind::Destroy);
        !death.clone() & self.births.condition() | death & self.deaths.condition()
    }

    /// The filter as a program for an event socket. What is no event of a flow passes.
    ///
    /// # Errors
    /// None that a filter could give.
    pub fn program(&self) -> Result<Program, FilterError> {
        self.condition().compile()
    }

    /// Puts the filter in the place of the one that an open socket has. What is queued stays, and
    /// nothing is lost in between.
    ///
    /// # Errors
    /// As [`Socket::attach_filter`].
    pub fn attach(&self, socket: &Socket) -> io::Result<()> {
        let program = self.program().map_err(io::Error::other)?;
        socket.attach_filter(&program)
    }
}

impl fmt::Display for EventFilter {
    /// In a line: `everything`, `translated flows; ends of everything`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.births)?;
        if self.deaths == self.births { Ok(()) } else { write!(f, "; ends of {}", self.deaths) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_say_what_passes() {
        let all = EventFilter::open(7);
        assert_eq!(all.to_string(), "everything");
        let nat = Gate { nat_only: true, ..all.births };
        let narrowed = EventFilter { births: nat, ..all };
        assert_eq!(narrowed.to_string(), "translated flows; ends of everything");
        let eighth = nat.sampler.at(0.125).unwrap();
        let sampled = Gate { sampler: eighth, ..nat };
        let sampled = EventFilter { births: sampled, deaths: sampled };
        assert_eq!(sampled.to_string(), "12.500 % of the translated flows");
    }
}
