//! Sets of numbers and of IPv6 prefixes, and the search for one of them.

use alloc::vec::Vec;

use nl_wire::bpf::{ATTRIBUTE_HEADER, Alu, Assembler, Label, Test};

/// So many tests in a row are made one after the other; longer lists are halved.
const ROW: usize = 16;

/// The word of scratch memory that holds a number while masks change A.
const NUMBER: u32 = 0;

/// Numbers that a field may have.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Set {
    /// First and last.
    ranges: Vec<(u32, u32)>,
    /// A value and the bits that count, where these are not the leading ones.
    masked: Vec<(u32, u32)>,
}

impl Set {
    /// The numbers from `first` to `last`.
    pub(super) fn range(first: u32, last: u32) -> Self {
        let mut set = Self::default();
        if first <= last {
            set.ranges.push((first, last));
        }
        set
    }

    /// The numbers below a limit of up to 2³².
    pub(super) fn below(limit: u64) -> Self {
        match limit.checked_sub(1) {
            Some(last) => Self::range(0, u32::try_from(last).unwrap_or(u32::MAX)),
            None => Self::default(),
        }
    }

    /// The numbers of which the bits in `mask` are `value`.
    pub(super) fn masked(value: u32, mask: u32) -> Self {
        if value & !mask != 0 {
            return Self::default();
        }
        if mask.leading_ones() + mask.trailing_zeros() == u32::BITS {
            return Self::range(value, value | !mask);
        }
        Self { ranges: Vec::new(), masked: [(value, mask)].into() }
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.ranges.extend(other.ranges);
        self.masked.extend(other.masked);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ranges.is_empty() && self.masked.is_empty()
    }

    /// Whether the set has a number, where this is known while compiling. Masks are not asked.
    pub(super) fn contains(&self, number: u32) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&number))
    }

    /// Brings the set into order: afterwards ranges ascend and do not touch.
    pub(super) fn sort(&mut self) {
        self.masked.sort_unstable();
        self.masked.dedup();
        self.ranges.sort_unstable();
        self.ranges.dedup_by(|next, kept| {
            let touch = next.0 <= kept.1.saturating_add(1);
            if touch {
                kept.1 = kept.1.max(next.1);
            }
            touch
        });
    }

    /// Jumps to `yes` if A is in the set, else to `no`. X is kept.
    pub(super) fn search(&self, program: &mut Assembler, yes: Label, no: Label) {
        if !self.masked.is_empty() {
            program.store(NUMBER);
            for (index, (value, mask)) in self.masked.iter().enumerate() {
                if index > 0 {
                    program.load_memory(NUMBER);
                }
                program.alu(Alu::And, *mask);
                program.branch(Test::Equal, *value, Some(yes), None);
            }
            program.load_memory(NUMBER);
        }
        let case = |&(first, last): &(u32, u32)| Case { first, last, deeper: None };
        let cases: Vec<_> = self.ranges.iter().map(case).collect();
        search(program, &cases, cases.len() > ROW, yes, no);
    }
}

/// A range, and what to do in it: search on, or be done.
struct Case<'a> {
    first: u32,
    last: u32,
    deeper: Option<Word<'a>>,
}

/// Jumps to `yes` or searches on if A lies in one of the cases, which ascend and do not overlap;
/// else jumps to `no`.
///
/// In a `crowded` program the ends are too far for conditional jumps, and a detour of one
/// instruction for each would double the size: there each row of tests has its own way to them.
fn search(program: &mut Assembler, cases: &[Case<'_>], crowded: bool, yes: Label, no: Label) {
    if cases.len() > ROW {
        let (lower, upper) = cases.split_at(cases.len() / 2);
        let right = program.label();
        let first = upper.first().map_or(u32::MAX, |case| case.first);
        program.branch(Test::GreaterOrEqual, first, Some(right), None);
        search(program, lower, crowded, yes, no);
        program.bind(right);
        return search(program, upper, crowded, yes, no);
    }
    if !crowded || cases.len() < 2 {
        return row(program, cases, yes, no);
    }
    let (near_yes, near_no) = (program.label(), program.label());
    row(program, cases, near_yes, near_no);
    program.bind(near_yes);
    program.jump(yes);
    program.bind(near_no);
    program.jump(no);
}

/// The cases one after the other.
fn row(program: &mut Assembler, cases: &[Case<'_>], yes: Label, no: Label) {
    let Some(last) = cases.len().checked_sub(1) else { return program.jump(no) };
    let mut deeper = Vec::new();
    for (index, case) in cases.iter().enumerate() {
        let mut inside = yes;
        if let Some(word) = case.deeper {
            inside = program.label();
            deeper.push((inside, word));
        }
        let (inside, above) = (Some(inside), (index == last).then_some(no));
        match (case.first, case.last) {
            (first, last) if first == last => program.branch(Test::Equal, first, inside, above),
            (0, last) => program.branch(Test::Greater, last, above, inside),
            (first, last) => {
                // All further cases are above this one: what is below it is in none.
                program.branch(Test::GreaterOrEqual, first, None, Some(no));
                program.branch(Test::Greater, last, above, inside);
            }
        }
    }
    for (label, word) in deeper {
        program.bind(label);
        word.search(program, yes, no);
    }
}

/// IPv6 prefixes: the address as a number, bits behind the length cleared, and the length.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Prefixes(Vec<(u128, u8)>);

impl Prefixes {
    pub(super) fn one(address: u128, length: u8) -> Self {
        Self([(address, length)].into())
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Brings them into order: afterwards they ascend and none lies in another.
    pub(super) fn sort(&mut self) {
        self.0.sort_unstable();
        self.0.dedup_by(|next, kept| {
            let rest = u128::MAX.checked_shr(kept.1.into()).unwrap_or(0);
            next.0 & !rest == kept.0
        });
    }

    /// Jumps to `yes` if the address in the attribute at X lies in one of them, else to `no`.
    pub(super) fn search(&self, program: &mut Assembler, yes: Label, no: Label) {
        Word { index: 0, prefixes: &self.0 }.search(program, yes, no);
    }
}

/// One of the four words of an IPv6 address, and the prefixes that are equal up to it.
#[derive(Clone, Copy)]
struct Word<'a> {
    index: u8,
    prefixes: &'a [(u128, u8)],
}

impl Word<'_> {
    fn search(self, program: &mut Assembler, yes: Label, no: Label) {
        let end = 32 * (self.index + 1);
        let of = |address: u128| u32::try_from(address >> (128 - end) & 0xffff_ffff).unwrap_or(0);
        let mut cases: Vec<Case<'_>> = Vec::new();
        let goes_on = |prefix: &(u128, u8)| (prefix.1 > end).then(|| of(prefix.0));
        let same = |a: &_, b: &_| goes_on(a).is_some() && goes_on(a) == goes_on(b);
        for prefixes in self.prefixes.chunk_by(same) {
            let Some(&(address, length)) = prefixes.first() else { continue };
            let first = of(address);
            if length > end {
                let deeper = Some(Word { index: self.index + 1, prefixes });
                cases.push(Case { first, last: first, deeper });
                continue;
            }
            let rest = 1_u32.checked_shl((end - length).into()).map_or(u32::MAX, |bit| bit - 1);
            let last = first | rest;
            match cases.last_mut() {
                Some(case) if case.deeper.is_none() && case.last.checked_add(1) == Some(first) => {
                    case.last = last;
                }
                _ => cases.push(Case { first, last, deeper: None }),
            }
        }
        program.load_u32_at_x(ATTRIBUTE_HEADER + 4 * u32::from(self.index));
        search(program, &cases, self.prefixes.len() > ROW, yes, no);
    }
}
