//! What a trace prints.

use std::fmt::{self, Write as _};

use nl_wire::listing::Listing;

use super::{Direction, Trace};

impl fmt::Display for Trace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.direction {
            Direction::Sent => "> ",
            Direction::Received => "< ",
        };
        write!(Marked { f, mark, fresh: true }, "{}", Listing::new(&self.message, self.protocol))
    }
}

/// Writes `mark` at the start of each line.
struct Marked<'f, 'g> {
    f: &'f mut fmt::Formatter<'g>,
    mark: &'static str,
    fresh: bool,
}

impl fmt::Write for Marked<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for line in text.split_inclusive('\n') {
            if self.fresh {
                self.f.write_str(self.mark)?;
            }
            self.f.write_str(line)?;
            self.fresh = line.ends_with('\n');
        }
        Ok(())
    }
}
