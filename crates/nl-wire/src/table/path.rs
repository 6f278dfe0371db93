//! Where in a message an attribute stands.

use core::fmt;

use super::{Payload, Protocol, Table};
use crate::attr::{ATTR_HEADER_LEN, Attrs, NLA_TYPE_MASK, Records};
use crate::datagram::Message;
use crate::header::{HEADER_LEN, align};

/// How many steps a [`Path`] keeps; of a deeper one the outermost.
pub const MAX_DEPTH: usize = 10;

/// Step kinds live in the two bits that an attribute number leaves free.
const INDEX: u16 = 0x8000;
/// Chooses a case of a [`Payload::Choice`]; prints nothing.
const CASE: u16 = 0xc000;

/// The way from a message to one of its attributes: numbers and array indexes.
///
/// With a table it prints names: `RTA_MULTIPATH[1]/RTA_GATEWAY`; without one, or where the table
/// has no such row, numbers.
#[derive(Clone, Copy, Default)]
pub struct Path {
    steps: [u16; MAX_DEPTH],
    len: usize,
    table: Option<&'static Table>,
}

impl Path {
    /// An empty path into attributes of `table`.
    pub const fn new(table: &'static Table) -> Self {
        Self { steps: [0; MAX_DEPTH], len: 0, table: Some(table) }
    }

    /// Whether the path has no step.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn steps(&self) -> &[u16] {
        self.steps.get(..self.len).unwrap_or_default()
    }

    fn front(mut self, step: u16) -> Self {
        self.steps.copy_within(..MAX_DEPTH - 1, 1);
        self.steps[0] = step;
        self.len = MAX_DEPTH.min(self.len + 1);
        self
    }

    fn push(&mut self, step: u16) {
        if let Some(slot) = self.steps.get_mut(self.len) {
            *slot = step;
            self.len += 1;
        }
    }

    /// This path, seen from outside the attribute `number`.
    #[must_use]
    pub fn within(self, number: u16) -> Self {
        self.front(number & NLA_TYPE_MASK)
    }

    /// This path, seen from outside the array entry `index` (entries beyond 16,383 count as that).
    #[must_use]
    pub fn within_index(self, index: usize) -> Self {
        self.front(INDEX | limited(index))
    }

    /// This path, its names from `table`.
    #[must_use]
    pub const fn in_table(self, table: &'static Table) -> Self {
        Self { table: Some(table), ..self }
    }

    /// The attribute numbers and indexes from the outermost inwards; an index is `Err`.
    pub fn numbers(&self) -> impl Iterator<Item = Result<u16, u16>> {
        self.steps()
            .iter()
            .filter(|step| **step & CASE != CASE)
            .map(|&step| if step & INDEX != 0 { Err(step & NLA_TYPE_MASK) } else { Ok(step) })
    }

    /// The innermost attribute of `message` that contains the byte at `offset`, counted from the
    /// message header's first byte: what the kernel's `NLMSGERR_ATTR_OFFS` points to.
    ///
    /// `None` if the offset is in no attribute or the message type is unknown to `protocol`.
    pub fn locate(protocol: &Protocol, message: &[u8], offset: u32) -> Option<Self> {
        Self::resolve(protocol, message, Some(offset))
    }

    /// As [`Path::locate`]; without an offset the empty path of the message itself.
    #[doc(hidden)]
    pub fn resolve(protocol: &Protocol, message: &[u8], offset: Option<u32>) -> Option<Self> {
        let kind = protocol.message(Message::decode(message).ok()?.header.message_type)?;
        let start = HEADER_LEN + align(kind.header.width());
        let mut path = Self::new(kind.attributes);
        let Some(offset) = offset else { return Some(path) };
        let relative = (offset as usize).checked_sub(start)?;
        path.descend(Attrs::new(message.get(start..)?), Payload::Nest(kind.attributes), relative);
        (!path.is_empty()).then_some(path)
    }

    /// Follows `offset`, counted from the first of `attrs`, inwards. Each turn goes one level
    /// deeper; a full path ends it.
    fn descend(&mut self, mut attrs: Attrs<'_>, mut payload: Payload, mut offset: usize) {
        while self.len < MAX_DEPTH {
            let level = attrs.clone();
            let mut end = 0;
            let (attr, at) = loop {
                let Some(attr) = attrs.step() else { return };
                let at = end;
                end = at + align(ATTR_HEADER_LEN + attr.payload.len());
                if offset < end {
                    break (attr, at);
                }
            };
            self.push(attr.number());
            let inner = match payload {
                Payload::Nest(table) | Payload::Headed(_, table) | Payload::Records(_, table) => {
                    table.row(attr.number()).map(|row| row.payload)
                }
                Payload::List(each) => Some(*each),
                _ => None,
            };
            let (Some(inner), Some(into)) = (inner, offset.checked_sub(at + ATTR_HEADER_LEN))
            else {
                return;
            };
            let (inner, case) = inner.resolve(&level);
            if let Some(case) = case {
                self.push(CASE | limited(case));
            }
            let Some((next, skipped)) = self.enter(inner, attr.payload, into) else { return };
            (attrs, payload, offset) = (next, inner, into - skipped);
        }
    }

    /// The attributes inside `bytes`, and how far behind its start they begin.
    fn enter<'a>(
        &mut self,
        payload: Payload,
        bytes: &'a [u8],
        offset: usize,
    ) -> Option<(Attrs<'a>, usize)> {
        match payload {
            Payload::Nest(_) | Payload::List(_) => Some((Attrs::new(bytes), 0)),
            Payload::Headed(layout, _) => {
                let skip = align(layout.width());
                (offset >= skip).then_some((Attrs::new(bytes.get(skip..)?), skip))
            }
            Payload::Records(layout, _) => {
                let mut start = 0;
                for (index, record) in Records::new(bytes, layout.width()).enumerate() {
                    let record = record.ok()?;
                    let end = start + align(record.len());
                    if offset < end {
                        self.push(INDEX | limited(index));
                        let skip = align(layout.width());
                        let attrs = Attrs::new(record.get(skip..)?);
                        return (offset >= start + skip).then_some((attrs, start + skip));
                    }
                    start = end;
                }
                None
            }
            _ => None,
        }
    }

    /// Adds the attribute `number`, missing in the nest that this path names.
    pub(crate) fn missing(mut self, number: u16) -> Self {
        self.push(number & NLA_TYPE_MASK);
        self
    }
}

/// An index as far as a step can hold it.
fn limited(index: usize) -> u16 {
    u16::try_from(index).unwrap_or(u16::MAX).min(NLA_TYPE_MASK)
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.steps() == other.steps()
    }
}

impl Eq for Path {}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Path({self})")
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without names there is nothing to look up.
        let table = self.table.filter(|_| cfg!(feature = "names"));
        let mut scope = table.map(Payload::Nest);
        let mut separator = "";
        for &step in self.steps() {
            let number = u32::from(step & NLA_TYPE_MASK);
            if step & CASE == CASE {
                scope = match scope {
                    Some(Payload::Choice { cases, .. }) => {
                        cases.get(number as usize).map(|case| case.1)
                    }
                    _ => None,
                };
                continue;
            }
            let mut name = "";
            let mut index = step & INDEX != 0;
            if !index {
                scope = match scope {
                    Some(
                        Payload::Nest(table)
                        | Payload::Headed(_, table)
                        | Payload::Records(_, table),
                    ) => table.row(step).map(|row| {
                        name = row.name;
                        row.payload
                    }),
                    Some(Payload::List(each)) => {
                        index = true;
                        Some(*each)
                    }
                    _ => None,
                };
            }
            if index {
                write!(f, "[{number}]")?;
            } else {
                f.write_str(separator)?;
                match name {
                    "" => write!(f, "{number}")?,
                    name => f.write_str(name)?,
                }
                separator = "/";
            }
        }
        Ok(())
    }
}
