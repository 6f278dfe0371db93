//! A governor at work on event sockets.

use std::io;
use std::time::Instant;

use nl_socket::{Event, Loss, Socket};

use super::gate::{EventFilter, Level};
use super::governor::{Governor, GovernorOptions};
use crate::object::Object;

/// Counts the events of a stream and keeps them below a limit.
#[derive(Debug)]
pub(crate) struct Valve {
    governor: Governor,
    received: u64,
}

impl Valve {
    /// `None` if the events of this table can't be filtered, or nobody wants that.
    pub(crate) fn new<O: Object>(options: Option<GovernorOptions>) -> Option<Self> {
        let governor = Governor::new(options.filter(|_| O::GATE.is_some())?, Instant::now());
        Some(Self { governor, received: 0 })
    }

    pub(crate) const fn governor(&self) -> &Governor {
        &self.governor
    }

    /// Counts an event, or what an overrun cost.
    pub(crate) fn count(&mut self, event: &Event<'_>) {
        self.received += match event {
            Event::Loss(Loss::Overrun { dropped }) => u64::from(*dropped),
            _ => 1,
        };
    }

    /// Decides, if it is time to; gives the filter if there is another one now.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<EventFilter> {
        Some(self.governor.poll(now, self.received)?.filter)
    }

    /// When to decide though no event came: as long as something is filtered out.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let narrow = self.governor.filter().level() != Level::Everything;
        narrow.then(|| self.governor.deadline())
    }

    /// Attaches the filter to a socket that has none yet.
    pub(crate) fn attach(&self, socket: &Socket) -> io::Result<()> {
        match self.governor.level() {
            Level::Everything => Ok(()),
            _ => self.governor.filter().attach(socket),
        }
    }
}
