//! nl-watch
