//! Laws of nl-watch's mirrors.

use crate::Script;

// The model of the crate's own tests.
#[path = "../../../crates/nl-watch/tests/world/mod.rs"]
mod world;

use world::{Step, converges};

/// Under any interleaving of changes, events, losses and lists a mirror comes to equal its table, or
/// a part of it that fills its budget; whoever believes each change that is told has the same; all
/// that was lost is counted.
pub fn mirror(bytes: &[u8]) {
    let mut script = Script(bytes);
    let entries = u8::try_from(script.below(12)).unwrap_or_default();
    let budget = if script.flip() { usize::MAX } else { 1 + script.below(8) };
    let counts = script.flip();
    let mut steps = Vec::new();
    while let Some(operation) = script.byte() {
        if steps.len() >= 200 {
            break;
        }
        let detail = script.byte().unwrap_or_default();
        let (number, state, few) = (detail % 12, detail / 16 % 3, usize::from(detail % 5) + 1);
        steps.push(match operation % 34 {
            0..=3 => Step::Put(number, state),
            4..=5 => Step::Replace(number),
            6..=9 => Step::Remove(number),
            10 => Step::Vanish(number),
            11 => Step::Garbled(number, state),
            12..=16 => Step::Hear(few),
            17 => Step::Overrun(few - 1),
            18..=20 => Step::Begin(detail % 2 == 0),
            21..=24 => Step::Dump(few),
            25..=27 => Step::End,
            28 => Step::Interrupt,
            29 => Step::Fail,
            30 => Step::Swap,
            31 => Step::Repeat,
            _ => Step::Late,
        });
    }
    if counts {
        converges::<true>(entries, &steps, budget);
    } else {
        converges::<false>(entries, &steps, budget);
    }
}
