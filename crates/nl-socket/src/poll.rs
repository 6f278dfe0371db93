//! Waiting for many descriptors at once (epoll(7)).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::socket::Wait;
use crate::sys;

/// A changing set of descriptors, each with a number of the caller's, of which those with something
/// to read are told.
///
/// It has a descriptor itself, which is readable while one of its own is: a set is waited for as
/// one. A descriptor that is closed leaves the set, if it was not duplicated.
///
/// ```
/// use std::os::unix::net::UnixStream;
/// use std::io::Write as _;
/// use nl_socket::{Poller, Wait};
///
/// let (reader, mut writer) = UnixStream::pair()?;
/// let poller = Poller::new()?;
/// poller.add(&reader, 7)?;
/// writer.write_all(b"x")?;
/// let mut ready = Vec::new();
/// poller.wait(Wait::Forever, &mut ready)?;
/// assert_eq!(ready, [7]);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Poller {
    fd: OwnedFd,
}

impl Poller {
    /// An empty set.
    ///
    /// # Errors
    /// `EMFILE`, `ENFILE`: no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self { fd: sys::poll::create()? })
    }

    /// Adds a descriptor, to be told by `token` while there is something to read.
    ///
    /// # Errors
    /// `EEXIST`: it is in the set. `EPERM`: a plain file. `ENOSPC`: the user has more than
    /// `fs.epoll.max_user_watches`.
    pub fn add(&self, fd: impl AsFd, token: u64) -> io::Result<()> {
        sys::poll::add(self.fd.as_fd(), fd.as_fd(), sys::poll::READABLE, token)
    }

    /// Adds a descriptor, to be told by `token` when an exceptional condition arises: a change of
    /// `/proc/self/mountinfo` (proc(5)). Being told takes the condition away, be it by
    /// [`Poller::wait`] or by a wait for the set's own descriptor.
    ///
    /// # Errors
    /// As [`Poller::add`].
    pub fn add_urgent(&self, fd: impl AsFd, token: u64) -> io::Result<()> {
        sys::poll::add(self.fd.as_fd(), fd.as_fd(), sys::poll::URGENT, token)
    }

    /// Removes a descriptor.
    ///
    /// # Errors
    /// `ENOENT`: it is not in the set.
    pub fn remove(&self, fd: impl AsFd) -> io::Result<()> {
        sys::poll::remove(self.fd.as_fd(), fd.as_fd())
    }

    /// Waits until a descriptor is ready, and puts the tokens of those that are in place of what is
    /// in `ready`: not always all of them, but none is passed over for ever. Nothing if the time is
    /// over.
    ///
    /// # Errors
    /// As epoll_wait(2), but never `EINTR`.
    pub fn wait(&self, wait: Wait, ready: &mut Vec<u64>) -> io::Result<()> {
        ready.clear();
        wait.poll(|timeout| {
            sys::poll::wait(self.fd.as_fd(), timeout, ready)?;
            Ok([!ready.is_empty()])
        })?;
        Ok(())
    }
}

impl AsFd for Poller {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "no kernel")]
    fn tells_what_is_ready() {
        let poller = Poller::new().unwrap();
        let pairs: Vec<_> = (0..100).map(|_| UnixStream::pair().unwrap()).collect();
        for (token, (reader, _)) in (0..).zip(&pairs) {
            poller.add(reader, token).unwrap();
        }
        let mut ready = vec![5];
        poller.wait(Wait::at_most(Duration::from_millis(5)), &mut ready).unwrap();
        assert!(ready.is_empty());
        for (_, writer) in &pairs {
            (&*writer).write_all(b"x").unwrap();
        }
        let mut seen = [false; 100];
        while seen.contains(&false) {
            poller.wait(Wait::Never, &mut ready).unwrap();
            for token in &ready {
                let token = usize::try_from(*token).unwrap();
                (&pairs[token].0).read_exact(&mut [0]).unwrap();
                assert!(!std::mem::replace(&mut seen[token], true));
            }
        }
        poller.remove(&pairs[0].0).unwrap();
        assert!(poller.remove(&pairs[0].0).is_err());
        (&pairs[0].1).write_all(b"x").unwrap();
        poller.wait(Wait::Never, &mut ready).unwrap();
        assert!(ready.is_empty());
    }
}
