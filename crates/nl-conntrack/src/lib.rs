//! nl-conntrack
