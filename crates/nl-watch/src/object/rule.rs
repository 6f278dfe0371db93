//! Rules.

use nl_route::value::RuleFlags;
use nl_route::{Action, AddressFamily, Event, Group, List, Rule};
use nl_wire::value::Family;
use nl_wire::{Error, Message};

use super::{Notice, Object};

/// The IPv4 and IPv6 rules of a namespace.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rules;

/// Flags that follow other objects, without a word.
const SILENT: u32 = RuleFlags::UNRESOLVED.0 | RuleFlags::IIF_DETACHED.0 | RuleFlags::OIF_DETACHED.0;

impl Object for Rules {
    type Item = Rule;
    /// Family and priority, which several may share.
    type Key = (AddressFamily, u32);
    type List = List<Rule>;

    const FAMILY: Family = Family::ROUTE;
    const GROUPS: &'static [u32] = &[Group::IPV4_RULE.0, Group::IPV6_RULE.0];
    /// The dump counts rules.
    const REMOVAL_UPSETS_LIST: bool = true;

    fn list(&self) -> List<Rule> {
        List::default()
    }

    fn covers(&self, rule: &Rule) -> bool {
        matches!(rule.family, AddressFamily::INET | AddressFamily::INET6)
    }

    fn key(rule: &Rule) -> Self::Key {
        (rule.family, rule.priority.unwrap_or_default())
    }

    fn is_same(a: &Rule, b: &Rule) -> bool {
        let lasting =
            |rule: &Rule| Rule { flags: RuleFlags(rule.flags.0 & !SILENT), ..rule.clone() };
        a == b || lasting(a) == lasting(b)
    }

    fn is_equal(a: &Rule, b: &Rule) -> bool {
        Self::is_same(a, b)
    }

    fn merge(old: &mut Rule, new: Rule) {
        *old = new;
    }

    fn notice(&mut self, message: &Message<'_>) -> Result<Notice<Rule>, Error> {
        Ok(match Event::decode(message)? {
            Some(Event::Rule(change)) if self.covers(&change.object) => match change.action {
                Action::Delete => Notice::Remove(change.object),
                _ => Notice::Put(change.object),
            },
            _ => Notice::Nothing,
        })
    }
}
