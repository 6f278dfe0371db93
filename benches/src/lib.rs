//! Benchmarks of the workspace; see `benches/benches`.
