//! Any interleaving of changes, events, losses and lists against a plain reference model.

mod world;

use proptest::collection::vec;
use proptest::prelude::*;

use world::{Step, converges};

fn step() -> impl Strategy<Value = Step> {
    let (number, state) = (0_u8..12, 0_u8..3);
    prop_oneof![
        4 => (number.clone(), state.clone()).prop_map(|(n, s)| Step::Put(n, s)),
        2 => number.clone().prop_map(Step::Replace),
        4 => number.clone().prop_map(Step::Remove),
        1 => number.clone().prop_map(Step::Vanish),
        1 => (number, state).prop_map(|(n, s)| Step::Garbled(n, s)),
        5 => (1_usize..6).prop_map(Step::Hear),
        1 => Just(Step::Swap),
        1 => Just(Step::Repeat),
        1 => (0_usize..4).prop_map(Step::Overrun),
        3 => any::<bool>().prop_map(Step::Begin),
        4 => (1_usize..6).prop_map(Step::Dump),
        3 => Just(Step::End),
        1 => Just(Step::Late),
        1 => Just(Step::Interrupt),
        1 => Just(Step::Fail),
    ]
}

/// What a replacement during a list displaced may not be in the list, and what is, may be another.
#[test]
fn a_replacement_during_a_list_displaces_nobody_else() {
    let steps =
        [Step::Remove(1), Step::Hear(1), Step::Begin(false), Step::Dump(2), Step::Replace(1)];
    converges::<false>(10, &steps, usize::MAX);
}

/// Heard behind the list that knew, a replacement has nothing to displace, be it that it was removed
/// before, or after, or that it came twice.
#[test]
fn a_late_replacement_displaces_nobody_else() {
    let removed_before = [Step::Begin(true), Step::Remove(5), Step::Replace(5), Step::Late];
    converges::<false>(10, &removed_before, usize::MAX);
    let removed_after = [Step::Begin(true), Step::Replace(9), Step::Remove(9), Step::Late];
    converges::<false>(6, &removed_after, usize::MAX);
    let first = [Step::Replace(9), Step::Repeat, Step::Hear(1)];
    let then = [Step::Remove(9), Step::Begin(false), Step::Late];
    converges::<false>(6, &[first, then].concat(), usize::MAX);
}

/// Steps of which half are of one kind, and the others of all.
fn mostly(kind: Step) -> impl Strategy<Value = Vec<Step>> {
    vec(prop_oneof![step(), Just(kind)], 0..80)
}

/// Replacements among few entries, late and repeated.
fn replacing() -> impl Strategy<Value = Vec<Step>> {
    let number = (0_u8..3).prop_map(|number| 4 * number);
    let step = prop_oneof![
        2 => number.clone().prop_map(|number| Step::Put(number, 1)),
        3 => number.clone().prop_map(Step::Remove),
        5 => number.prop_map(Step::Replace),
        2 => (1_usize..3).prop_map(Step::Hear),
        1 => Just(Step::Repeat),
        2 => any::<bool>().prop_map(Step::Begin),
        2 => (1_usize..3).prop_map(Step::Dump),
        3 => Just(Step::Late),
        1 => Just(Step::End),
    ];
    vec(step, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 8 } else { 400 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_interleaving_converges(entries in 0_u8..12, steps in vec(step(), 0..60)) {
        converges::<false>(entries, &steps, usize::MAX);
    }

    #[test]
    fn every_interleaving_converges_though_dumps_count(entries in 0_u8..12, steps in vec(step(), 0..60)) {
        converges::<true>(entries, &steps, usize::MAX);
    }

    #[test]
    fn events_that_come_twice_change_nothing(entries in 0_u8..12, steps in mostly(Step::Repeat)) {
        converges::<false>(entries, &steps, usize::MAX);
        converges::<true>(entries, &steps, usize::MAX);
    }

    #[test]
    fn events_of_two_processors_may_change_places(entries in 0_u8..12, steps in mostly(Step::Swap)) {
        converges::<false>(entries, &steps, usize::MAX);
        converges::<true>(entries, &steps, usize::MAX);
    }

    #[test]
    fn events_may_come_behind_the_list_that_knew(entries in 0_u8..12, steps in mostly(Step::Late)) {
        converges::<false>(entries, &steps, usize::MAX);
    }

    #[test]
    fn replacements_may_come_late_and_twice(entries in 0_u8..12, steps in replacing()) {
        converges::<false>(entries, &steps, usize::MAX);
        converges::<true>(entries, &steps, usize::MAX);
    }

    #[test]
    fn a_budget_is_kept(entries in 0_u8..12, steps in vec(step(), 0..60), budget in 1_usize..9) {
        converges::<true>(entries, &steps, budget);
    }
}
