//! Expectations.

use std::time::Duration;

use nl_conntrack::{EventKind, Expectation, ExpectationEvent, ListExpectations, Tuple, groups};
use nl_wire::value::{AddressFamily, Family};
use nl_wire::{Error, Message};

use super::{Notice, Object};

/// The flows that helpers expect in a namespace.
///
/// The kernel announces that they are made, met or timed out, and that their master ends; but as with
/// [`Flows`](crate::Flows) it says nothing of those whose master was made before anybody listened. So
/// they are listed again every five minutes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Expectations {
    /// `INET`, `INET6`, or `UNSPEC` for both.
    pub family: AddressFamily,
}

impl Object for Expectations {
    type Item = Expectation;
    /// Zone, tuple and mask, class, master: what the kernel tells expectations apart by.
    type Key = (u16, Tuple, Tuple, u32, Tuple);
    type List = ListExpectations;

    const FAMILY: Family = Family::NETFILTER;
    const GROUPS: &'static [u32] = &groups::EXPECTATIONS;
    const RELIST: Option<Duration> = Some(Duration::from_secs(300));

    fn list(&self) -> ListExpectations {
        ListExpectations { family: self.family, master: None }
    }

    fn key(item: &Expectation) -> Self::Key {
        let (zone, class) = (item.zone.unwrap_or_default(), item.class.unwrap_or_default());
        (zone, item.tuple, item.mask, class, item.master)
    }

    fn is_equal(a: &Expectation, b: &Expectation) -> bool {
        a.flags == b.flags && a.helper == b.helper && a.nat == b.nat && a.function == b.function
    }

    fn merge(old: &mut Expectation, new: Expectation) {
        *old = new;
    }

    fn notice(&mut self, message: &Message<'_>) -> Result<Notice<Expectation>, Error> {
        let Some(event) = ExpectationEvent::decode(message)? else { return Ok(Notice::Nothing) };
        let item = event.expectation;
        Ok(if self.family != AddressFamily::UNSPEC && self.family != item.family {
            Notice::Nothing
        } else if event.kind == EventKind::Destroy {
            Notice::Remove(item)
        } else {
            Notice::Put(item)
        })
    }
}
