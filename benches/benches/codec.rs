//! Walking, decoding, encoding and listing of messages in memory, by the clock.
//!
//! Most cases handle [`COUNT`](benches::COUNT) messages a run: µs a run are ns a message, and the
//! rate is that of the bytes on the wire. The ratios of `cargo run --release -p benches --bin ratios`
//! are more to be trusted on a busy machine, and counts of instructions (`benches/instructions`)
//! most.

use std::time::Duration;

use criterion::{Criterion, Throughput};

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    for mut case in benches::cases::all() {
        let (group, name) = case.name.split_once('/').expect("a group and a name");
        let mut group = criterion.benchmark_group(group.to_owned());
        group.throughput(Throughput::Bytes(case.wire as u64));
        let name = name.to_owned();
        group.bench_function(name, |bencher| bencher.iter(|| case.run()));
        group.finish();
    }
    criterion.final_summary();
}
