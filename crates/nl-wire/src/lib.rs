//! nl-wire
