//! How far a long command is, on a terminal.

use std::io::{IsTerminal as _, Write as _, stderr, stdout};
use std::time::{Duration, Instant};

/// Before this a command is not long.
const PATIENCE: Duration = Duration::from_millis(500);

/// After so many steps the clock is looked at.
const STRIDE: u64 = 256;

/// Counts, and shows the count on stderr now and then if that is a terminal and standard output is
/// none.
pub(super) struct Progress {
    what: &'static str,
    count: u64,
    /// When to show the count; `None` for never.
    next: Option<Instant>,
    shown: bool,
}

impl Progress {
    pub(super) fn new(what: &'static str) -> Self {
        let wanted = stderr().is_terminal() && !stdout().is_terminal();
        Self { what, count: 0, next: wanted.then(|| Instant::now() + PATIENCE), shown: false }
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// One more.
    pub(super) fn step(&mut self) {
        self.count += 1;
        let Some(next) = self.next.filter(|_| self.count % STRIDE == 0) else { return };
        let now = Instant::now();
        if now >= next {
            self.next = Some(now + PATIENCE);
            self.shown = true;
            // That stderr is closed is no reason to fail.
            let _ = write!(stderr(), "\r{} {} ", self.count, self.what);
        }
    }

    /// Takes the count away again; gives it.
    pub(super) fn end(self) -> u64 {
        if self.shown {
            let _ = write!(stderr(), "\r\x1b[K");
        }
        self.count
    }
}
