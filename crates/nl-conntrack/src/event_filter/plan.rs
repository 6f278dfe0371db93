//! From a description to a plan: negations at the leaves, conditions on one field together, cheap
//! ones first.

use alloc::vec::Vec;
use core::net::IpAddr;

use super::set::{Prefixes, Set};
use super::{DEPTH_MAX, End, EventFilter, FilterError, FlowSampler, Share};
use crate::event::EventKind;

/// What is looked up in a message, the cheapest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Field {
    /// By [`kind_number`].
    Kind,
    Family,
    Random,
    Status,
    Mark,
    /// Of the id, for a sampler of this key.
    Sample(u32),
    Protocol,
    TcpState,
    SctpState,
    DccpState,
    Port(End),
    Address(End),
    Zone,
}

/// Kinds as numbers of a set.
pub(super) const fn kind_number(kind: EventKind) -> u32 {
    match kind {
        EventKind::New => 0,
        EventKind::Update => 1,
        EventKind::Destroy => 2,
    }
}

/// A field is in a set, or is not.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) field: Field,
    pub(super) wanted: bool,
    /// Numbers, and IPv4 addresses.
    pub(super) set: Set,
    /// IPv6 addresses.
    pub(super) prefixes: Prefixes,
}

impl Check {
    /// The condition of a leaf of the description; `None` for what is none.
    fn of(filter: &EventFilter, wanted: bool) -> Option<Self> {
        let one = |number: u32| Set::range(number, number);
        let mut prefixes = Prefixes::default();
        let (field, set) = match filter {
            EventFilter::Kind(kind) => (Field::Kind, one(kind_number(*kind))),
            EventFilter::Family(family) => (Field::Family, one(family.0.into())),
            EventFilter::Protocol(protocol) => (Field::Protocol, one(protocol.0.into())),
            EventFilter::Address(end, prefix) => {
                let prefix = prefix.masked();
                let set = match prefix.address {
                    IpAddr::V4(address) => {
                        let rest = u32::MAX.checked_shr(prefix.length.into()).unwrap_or(0);
                        Set::masked(address.into(), !rest)
                    }
                    IpAddr::V6(address) => {
                        prefixes = Prefixes::one(address.into(), prefix.length);
                        Set::default()
                    }
                };
                (Field::Address(*end), set)
            }
            EventFilter::Port(end, ports) => {
                (Field::Port(*end), Set::range((*ports.start()).into(), (*ports.end()).into()))
            }
            EventFilter::TcpState(state) => (Field::TcpState, one(state.0.into())),
            EventFilter::SctpState(state) => (Field::SctpState, one(state.0.into())),
            EventFilter::DccpState(state) => (Field::DccpState, one(state.0.into())),
            EventFilter::Mark(mark) => (Field::Mark, Set::masked(mark.value, mark.mask)),
            EventFilter::Status(status) => {
                (Field::Status, Set::masked(status.value.0, status.mask.0))
            }
            EventFilter::Zone(zone) => (Field::Zone, one((*zone).into())),
            EventFilter::Random(share) => (Field::Random, Set::below(share.cutoff())),
            EventFilter::Sample(sampler) => {
                (Field::Sample(sampler.key), Set::below(sampler.share.cutoff()))
            }
            EventFilter::All(_) | EventFilter::Any(_) | EventFilter::Not(_) => return None,
        };
        Some(Self { field, wanted, set, prefixes })
    }
}

/// A check, or several joined.
#[derive(Debug)]
pub(super) enum Node {
    Check(Check),
    Group(Group),
}

impl Node {
    /// What decides alone goes first, then checks, the cheap ones first, then groups.
    fn rank(&self) -> (u8, Option<Field>) {
        match self {
            Self::Group(group) if group.nodes.is_empty() => (0, None),
            Self::Check(check) => (1, Some(check.field)),
            Self::Group(_) => (2, None),
        }
    }
}

/// Nodes of which all must hold, or any.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) all: bool,
    pub(super) nodes: Vec<Node>,
}

impl Group {
    /// The plan of a whole description.
    pub(super) fn of(filter: &EventFilter) -> Result<Self, FilterError> {
        let mut group = Self { all: true, nodes: Vec::new() };
        group.add(filter, true, DEPTH_MAX)?;
        group.sort();
        Ok(group)
    }

    /// Adds a part of the description, or its negation.
    fn add(&mut self, filter: &EventFilter, wanted: bool, depth: usize) -> Result<(), FilterError> {
        let depth = depth.checked_sub(1).ok_or(FilterError::TooDeep)?;
        let filters = match filter {
            EventFilter::Not(filter) => return self.add(filter, !wanted, depth),
            EventFilter::All(filters) | EventFilter::Any(filters) => filters,
            EventFilter::Random(share) | EventFilter::Sample(FlowSampler { share, .. })
                if [Share::NONE, Share::ALL].contains(share) =>
            {
                self.add_constant((*share == Share::ALL) == wanted);
                return Ok(());
            }
            leaf => {
                if let Some(check) = Check::of(leaf, wanted) {
                    self.add_check(check);
                }
                return Ok(());
            }
        };
        let all = matches!(filter, EventFilter::All(_)) == wanted;
        if all == self.all {
            return filters.iter().try_for_each(|filter| self.add(filter, wanted, depth));
        }
        let mut group = Self { all, nodes: Vec::new() };
        filters.iter().try_for_each(|filter| group.add(filter, wanted, depth))?;
        group.sort();
        match group.constant() {
            Some(holds) => self.add_constant(holds),
            None => self.nodes.push(Node::Group(group)),
        }
        Ok(())
    }

    /// Adds what always holds, or never: an empty group, unless it makes no difference here.
    fn add_constant(&mut self, holds: bool) {
        if holds != self.all {
            self.nodes.push(Node::Group(Self { all: holds, nodes: Vec::new() }));
        }
    }

    /// Whether the group always holds, or never; `None` if that depends on the message.
    fn constant(&self) -> Option<bool> {
        match &self.nodes[..] {
            [] => Some(self.all),
            [Node::Group(group)] if group.nodes.is_empty() => Some(group.all),
            _ => None,
        }
    }

    /// "In one set or in another" is being in their union; so is "in neither", negated. Random
    /// numbers are drawn for each condition.
    fn add_check(&mut self, check: Check) {
        let joins = check.wanted != self.all && check.field != Field::Random;
        let same = self.nodes.iter_mut().find_map(|node| match node {
            Node::Check(known)
                if joins && (known.field, known.wanted) == (check.field, check.wanted) =>
            {
                Some(known)
            }
            _ => None,
        });
        match same {
            Some(known) => {
                known.set.extend(check.set);
                known.prefixes.extend(check.prefixes);
            }
            None => self.nodes.push(Node::Check(check)),
        }
    }

    fn sort(&mut self) {
        for node in &mut self.nodes {
            if let Node::Check(check) = node {
                check.set.sort();
                check.prefixes.sort();
            }
        }
        self.nodes.sort_by_key(Node::rank);
        if self.nodes.first().is_some_and(|node| node.rank().0 == 0) {
            self.nodes.truncate(1);
        }
    }
}
