//! nl-route
