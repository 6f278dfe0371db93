//! nlctl
fn main() {}
