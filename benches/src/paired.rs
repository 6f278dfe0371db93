//! Comparisons that a busy machine cannot spoil: candidates run one after another in one process,
//! in turns, and what counts is the ratio.

use std::time::{Duration, Instant};

/// How long single runs of a candidate took, turn by turn.
#[derive(Clone, Debug)]
pub struct Times(Vec<Duration>);

impl Times {
    /// The median of all turns.
    pub fn median(&self) -> Duration {
        self.sorted().get(self.0.len() / 2).copied().unwrap_or_default()
    }

    /// The shortest turn: the one that other programs disturbed least.
    pub fn least(&self) -> Duration {
        self.0.iter().min().copied().unwrap_or_default()
    }

    /// The median of the ratios of turns that followed each other: both were disturbed alike.
    pub fn ratio(&self, other: &Self) -> f64 {
        let ratios = self.0.iter().zip(&other.0).map(|(a, b)| a.as_secs_f64() / b.as_secs_f64());
        let mut ratios: Vec<f64> = ratios.collect();
        ratios.sort_by(f64::total_cmp);
        ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
    }

    fn sorted(&self) -> Vec<Duration> {
        let mut times = self.0.clone();
        times.sort_unstable();
        times
    }
}

/// Runs each candidate `rounds` times, in an order that turns round each time; the times in the
/// order of the candidates.
///
/// A turn repeats the candidate until about 0.2 ms are over: long enough for the clock, short enough
/// to fit between two interruptions.
pub fn paired(rounds: usize, candidates: &mut [&mut dyn FnMut()]) -> Vec<Times> {
    let repeats: Vec<u32> = candidates.iter_mut().map(|run| repeats(run)).collect();
    let mut times = vec![Times(Vec::with_capacity(rounds)); candidates.len()];
    for round in 0..rounds {
        for turn in 0..candidates.len() {
            let index = if round % 2 == 0 { turn } else { candidates.len() - 1 - turn };
            times[index].0.push(time(candidates[index], repeats[index]));
        }
    }
    times
}

/// How many runs take about 0.2 ms; also warms up.
fn repeats(run: &mut dyn FnMut()) -> u32 {
    let mut repeats = 1;
    loop {
        let took = time(run, repeats) * repeats;
        if took > Duration::from_micros(200) || repeats > 1 << 20 {
            return repeats;
        }
        repeats *= 2;
    }
}

fn time(run: &mut dyn FnMut(), repeats: u32) -> Duration {
    let begin = Instant::now();
    for _ in 0..repeats {
        run();
    }
    begin.elapsed() / repeats
}
