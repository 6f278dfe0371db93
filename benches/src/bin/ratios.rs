//! What decoding costs beside a walk written by hand: `cargo run --release -p benches --bin ratios`.
//!
//! An argument is the number of rounds (299 by default). Both of a pair run in turns, so what else
//! the machine does hits both.

use benches::cases::{self, Case, FLOOR};
use benches::paired::{Times, paired};

fn main() {
    let rounds = std::env::args().nth(1).and_then(|word| word.parse().ok()).unwrap_or(299);
    println!("| case | ns a message | by hand | median ratio | ratio of shortest | GB/s |");
    println!("|---|---|---|---|---|---|");
    let mut cases = cases::all();
    let floors: Vec<usize> = (0..cases.len()).filter(|&i| cases[i].name.ends_with(FLOOR)).collect();
    // Pairs in the order of the list, though floors stand beside what they are the floor of.
    for mut floor in floors.into_iter().rev().map(|index| cases.remove(index)).collect::<Vec<_>>() {
        let name = floor.name.trim_end_matches(FLOOR).to_owned();
        let case = cases.iter_mut().find(|case| case.name == name).expect("what the floor is of");
        compare(rounds, case, &mut floor);
    }
}

#[allow(clippy::cast_precision_loss)] // sizes and times are far below 2^52
fn compare(rounds: usize, case: &mut Case, floor: &mut Case) {
    let Case { ref name, wire, messages, .. } = *case;
    let name = name.clone();
    let times = paired(rounds, &mut [&mut || case.run(), &mut || floor.run()]);
    let [ours, by_hand] = &times[..] else { return };
    let each = |times: &Times| times.least().as_secs_f64() * 1e9 / messages as f64;
    println!(
        "| {name} | {:.1} | {:.1} | {:.2} | {:.2} | {:.1} |",
        each(ours),
        each(by_hand),
        ours.ratio(by_hand),
        ours.least().as_secs_f64() / by_hand.least().as_secs_f64(),
        wire as f64 / ours.least().as_secs_f64() / 1e9,
    );
}
