//! System calls behind safe signatures: the only unsafe code of the workspace.
//!
//! Every function takes borrowed descriptors and slices and gives owned
//! descriptors and values. Errors keep the kernel's errno
//! ([`io::Error::raw_os_error`]). Each block holds one unsafe operation, and
//! its comment says why that one is sound.

#[cfg(feature = "bpf")]
pub(crate) mod filter;
#[cfg(feature = "host")]
pub(crate) mod host;
#[cfg(all(test, feature = "events", feature = "host"))]
mod interrupted;
pub(crate) mod memory;
#[cfg(feature = "host")]
pub(crate) mod poll;
#[cfg(feature = "netns")]
pub(crate) mod process;
pub(crate) mod recv;
pub(crate) mod socket;

use std::io;

/// Turns the "−1 and errno" of a system call into a result.
fn check(returned: libc::c_int) -> io::Result<libc::c_int> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(returned) }
}

/// The same for calls which return a length.
fn check_length(returned: libc::ssize_t) -> io::Result<usize> {
    usize::try_from(returned).map_err(|_| io::Error::last_os_error())
}

/// Repeats a call as long as a signal handler interrupts it.
///
/// Only for calls without a timeout of their own: those must work out the time
/// that is left before they wait again.
fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if is(&error, libc::EINTR) => {}
            other => return other,
        }
    }
}

/// Whether a system call failed for the reason `errno`. `io::Error::kind` is a table of all reasons.
pub(crate) fn is(error: &io::Error, errno: i32) -> bool {
    error.raw_os_error() == Some(errno)
}

/// The length of a C structure as the kernel wants it.
///
/// Every structure passed here is far smaller than 2³² bytes.
#[allow(clippy::cast_possible_truncation)]
const fn socklen_of<T>() -> libc::socklen_t {
    size_of::<T>() as libc::socklen_t
}
