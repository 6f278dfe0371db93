//! Prefixes: an address and how many of its leading bits count, as nl-wire has them.

pub use nl_wire::prefix::{Prefix, PrefixError, parse_address};
