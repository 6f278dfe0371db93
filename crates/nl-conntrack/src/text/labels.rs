//! What the bits of [`Labels`](crate::Labels) are called.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use nl_wire::text::Text;

use crate::extension::LABEL_BITS;

/// The names of labels, as connlabel.conf gives them: lines of a bit's number and its name.
///
/// ```
/// let names = nl_conntrack::text::LabelNames::parse("# comment\n0 web\n17 customer-2\n")?;
/// assert_eq!(names.name(17).map(|name| name.to_string()).as_deref(), Some("customer-2"));
/// assert_eq!(names.bit("web"), Some(0));
/// # Ok::<(), nl_conntrack::text::LabelError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LabelNames {
    names: BTreeMap<u32, Text>,
}

/// A line of connlabel.conf that is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LabelError {
    /// The line's number, from 1 on.
    pub line: usize,
}

impl fmt::Display for LabelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = LABEL_BITS - 1;
        write!(f, "line {}: expected a number from 0 to {last} and a name", self.line)
    }
}

impl core::error::Error for LabelError {}

impl LabelNames {
    /// Reads connlabel.conf. Empty lines and those that begin with `#` are skipped; of two names of
    /// a bit the first counts.
    ///
    /// # Errors
    /// The first line that is not a number below 128 and a name.
    pub fn parse(text: &str) -> Result<Self, LabelError> {
        let mut names = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                [] => {}
                [first, ..] if first.starts_with('#') => {}
                [bit, name] => {
                    let bit = bit.parse().ok().filter(|bit| *bit < LABEL_BITS);
                    let bit = bit.ok_or(LabelError { line: index + 1 })?;
                    names.entry(bit).or_insert_with(|| Text::from(name));
                }
                _ => return Err(LabelError { line: index + 1 }),
            }
        }
        Ok(Self { names })
    }

    /// What the bit is called.
    pub fn name(&self, bit: u32) -> Option<&Text> {
        self.names.get(&bit)
    }

    /// The bit that is called `name`.
    pub fn bit(&self, name: &str) -> Option<u32> {
        self.names.iter().find(|row| *row.1 == name).map(|row| *row.0)
    }
}
