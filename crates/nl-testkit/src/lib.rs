//! What the tests of this workspace share: private namespaces for tests that
//! talk to a kernel, reference tools, annotated fixtures, a small random number
//! generator.
//!
//! Not published, and never used by a library outside its tests.

mod hex;
mod live;
mod rng;
mod running;
mod steady;
mod tool;

pub use hex::{every_truncation, fixture, fixtures, parse_hex};
pub use live::{LIMIT, live, live_with, live_within, skip};
pub use rng::Rng;
pub use running::Running;
pub use steady::{agree, between, is_between, listeners, quiet, settle, wait_until};
pub use tool::{linux, need, sh, tool, try_sh};
