//! nl-testkit
