//! nl-socket
