//! What a program that follows events needs of its host besides sockets: to be
//! interrupted while it waits, and the local time.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::socket::Wait;
use crate::sys;
use crate::sys::host::Signals;

/// `SIGINT` and `SIGTERM` as something to wait for (signalfd(2)).
///
/// As long as this value lives the signals neither end the program nor run a
/// handler; they are kept for [`Interrupts::wait`]. That holds for the thread
/// that made it and those that it starts: make it before any other thread.
#[derive(Debug)]
pub struct Interrupts {
    fd: OwnedFd,
    before: Signals,
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// There is something to read.
    Readable,
    /// This signal came.
    Signal(i32),
    /// The time is over.
    TimedOut,
}

impl Interrupts {
    /// Holds the signals back from now on.
    ///
    /// # Errors
    /// As signalfd(2): no descriptor left.
    pub fn new() -> io::Result<Self> {
        let signals = Signals::of(&[libc::SIGINT, libc::SIGTERM]);
        let fd = signals.descriptor()?;
        Ok(Self { fd, before: signals.block()? })
    }

    /// Waits until `fd` is readable or a signal comes. A signal counts first.
    ///
    /// # Errors
    /// As poll(2), but never `EINTR`.
    pub fn wait(&self, fd: impl AsFd, wait: Wait) -> io::Result<Woken> {
        let fds = [self.fd.as_fd(), fd.as_fd()];
        match wait_readable(fds, wait)? {
            [true, _] => sys::host::take_signal(self.fd.as_fd()).map(Woken::Signal),
            [_, true] => Ok(Woken::Readable),
            [false, false] => Ok(Woken::TimedOut),
        }
    }
}

impl AsFd for Interrupts {
    /// Readable while a signal is pending.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        // It was the mask before, so it can be the mask again.
        let _ = self.before.restore();
    }
}

/// Waits until at least one of several descriptors is readable; tells which are. None is if the
/// time is over.
///
/// # Errors
/// As poll(2), but never `EINTR`.
pub fn wait_readable<const N: usize>(
    fds: [BorrowedFd<'_>; N],
    wait: Wait,
) -> io::Result<[bool; N]> {
    wait.poll(|timeout| sys::socket::poll_readable(fds, timeout))
}

/// How many seconds local time is ahead of UTC at this time, given in seconds
/// since 1970 (localtime_r(3)); 0 where that can't be told.
pub fn utc_offset(time: i64) -> i32 {
    sys::host::utc_offset(time)
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use super::*;
    use crate::Socket;

    #[test]
    fn signals_and_data_end_a_wait() {
        let interrupts = Interrupts::new().unwrap();
        let (socket, other) = (Socket::open(2).unwrap(), Socket::open(2).unwrap());
        let soon = || Wait::at_most(Duration::from_millis(20));
        assert_eq!(interrupts.wait(&socket, soon()).unwrap(), Woken::TimedOut);
        other.send_to(b"x", socket.port(), 0).unwrap();
        assert_eq!(interrupts.wait(&socket, Wait::Forever).unwrap(), Woken::Readable);
        assert_eq!(interrupts.wait(&socket, Wait::Never).unwrap(), Woken::Readable);
        let fds = [other.as_fd(), socket.as_fd()];
        assert_eq!(wait_readable(fds, Wait::Forever).unwrap(), [false, true]);
        sys::host::tests::raise_here(libc::SIGTERM);
        assert_eq!(interrupts.wait(&socket, Wait::Forever).unwrap(), Woken::Signal(libc::SIGTERM));
        assert_eq!(interrupts.wait(&socket, Wait::Never).unwrap(), Woken::Readable);
    }

    #[test]
    fn local_time_is_that_of_date() {
        let output = Command::new("date").args(["-d", "@1700000000", "+%z"]).output().unwrap();
        let zone: i32 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        assert_eq!(utc_offset(1_700_000_000), (zone / 100 * 60 + zone % 100) * 60);
    }
}
