//! One netlink socket: open, join, send, wait.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use nl_wire::value::Family;

use crate::sys;

#[cfg(feature = "bpf")]
mod filter;

/// How long to wait for something to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wait {
    /// Not at all.
    Never,
    /// Until there is something.
    #[default]
    Forever,
    /// Until this time at the latest.
    Until(Instant),
}

impl Wait {
    /// For at most `time` from now; a time beyond the clock's range is for ever.
    pub fn at_most(time: Duration) -> Self {
        Instant::now().checked_add(time).map_or(Self::Forever, Self::Until)
    }

    /// What poll(2) wants: milliseconds rounded up, so that it never returns
    /// early; −1 for ever.
    fn poll_timeout(self) -> i32 {
        match self {
            Self::Never => 0,
            Self::Forever => -1,
            Self::Until(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                let part = u64::from(left.subsec_nanos().div_ceil(1_000_000));
                let whole = left.as_secs().saturating_mul(1_000).saturating_add(part);
                i32::try_from(whole).unwrap_or(i32::MAX)
            }
        }
    }

    /// Repeats a poll until something is readable or the time is over, whatever
    /// signals interrupt it.
    pub(crate) fn poll<const N: usize>(
        self,
        mut poll: impl FnMut(i32) -> io::Result<[bool; N]>,
    ) -> io::Result<[bool; N]> {
        loop {
            match poll(self.poll_timeout()) {
                // One poll cannot wait for more than 24 days.
                Ok(readable) if !readable.contains(&true) && !self.is_over() => {}
                Err(error) if sys::is(&error, libc::EINTR) => {}
                other => return other,
            }
        }
    }

    fn is_over(self) -> bool {
        match self {
            Self::Never => true,
            Self::Forever => false,
            Self::Until(deadline) => deadline <= Instant::now(),
        }
    }
}

/// A bound netlink socket (netlink(7)).
///
/// It stays in the network namespace it was opened in, whatever becomes of the
/// thread that opened it. All methods take `&self`: threads may share a socket,
/// but two receivers steal each other's replies.
///
/// Never ask such a socket for `SO_ERROR`: that takes away the pending `ENOBUFS`,
/// the only word of events that were lost.
#[derive(Debug)]
pub struct Socket {
    fd: OwnedFd,
    protocol: u16,
    port: u32,
}

impl Socket {
    /// Opens a socket of a netlink protocol ([`Family`], or its number in
    /// linux/netlink.h) in the calling thread's network namespace, closed on
    /// exec, and binds it to a port which the kernel chooses.
    ///
    /// # Errors
    /// `EPROTONOSUPPORT`: the kernel has no such protocol. `EMFILE`, `ENFILE`:
    /// no descriptor left.
    pub fn open(protocol: impl Into<Family>) -> io::Result<Self> {
        Self::bound(protocol.into().0)
    }

    fn bound(protocol: u16) -> io::Result<Self> {
        let fd = sys::socket::open(protocol)?;
        sys::socket::bind(fd.as_fd())?;
        let port = sys::socket::port(fd.as_fd())?;
        Ok(Self { fd, protocol, port })
    }

    /// The same socket by another descriptor: what one receives the other does not.
    ///
    /// # Errors
    /// `EMFILE`, `ENFILE`: no descriptor is left.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { fd: self.fd.try_clone()?, protocol: self.protocol, port: self.port })
    }

    /// The netlink protocol it was opened for.
    pub fn protocol(&self) -> u16 {
        self.protocol
    }

    /// The port id that the kernel gave this socket: the destination of replies.
    /// Only a process's first socket has its process id as port.
    pub fn port(&self) -> u32 {
        self.port
    }

    /// Joins a multicast group by its number (`RTNLGRP_*`, `NFNLGRP_*`; not a
    /// mask), also above 32. Joining twice is no error.
    ///
    /// # Errors
    /// `EPERM`: the group asks for a privilege. `EINVAL`: no such group.
    pub fn join(&self, group: u32) -> io::Result<()> {
        self.membership(libc::NETLINK_ADD_MEMBERSHIP, group)
    }

    /// Leaves a multicast group. Events queued already stay queued.
    ///
    /// # Errors
    /// `EINVAL`: no such group.
    pub fn leave(&self, group: u32) -> io::Result<()> {
        self.membership(libc::NETLINK_DROP_MEMBERSHIP, group)
    }

    fn membership(&self, action: i32, group: u32) -> io::Result<()> {
        let group = i32::try_from(group).map_err(|_| io::ErrorKind::InvalidInput)?;
        sys::socket::set_option(self.fd.as_fd(), libc::SOL_NETLINK, action, group)
    }

    /// The multicast groups joined, in ascending order.
    ///
    /// # Errors
    /// As getsockopt(2) for `NETLINK_LIST_MEMBERSHIPS` (Linux 4.2).
    #[inline] // rarely asked, and not small
    pub fn memberships(&self) -> io::Result<Vec<u32>> {
        let mut words = vec![0_u32; 4];
        // The kernel says how many bytes it has; it may have grown between two calls.
        let length = loop {
            let length =
                self.option_words(libc::SOL_NETLINK, libc::NETLINK_LIST_MEMBERSHIPS, &mut words)?;
            if length <= size_of_val(&*words) {
                break length;
            }
            words = vec![0; length.div_ceil(4)];
        };
        words.truncate(length / 4);
        let bits = words.iter().zip((1_u32..).step_by(32));
        Ok(bits
            .flat_map(|(word, first)| {
                (0..32).filter(move |bit| word >> bit & 1 == 1).map(move |bit| first + bit)
            })
            .collect())
    }

    /// Sends one datagram, of one or several messages, to the kernel. The kernel
    /// handles every request in it before the call returns.
    ///
    /// # Errors
    /// `EMSGSIZE`: longer than the send buffer less 32 bytes. `ENOBUFS`: no
    /// memory. `ENODATA`: no bytes.
    pub fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.send_to(bytes, 0, 0)
    }

    /// Sends one datagram to a port and to the groups of a mask (bit 0 is group
    /// 1): for sockets that talk to each other, as on `NETLINK_USERSOCK`.
    ///
    /// # Errors
    /// `ECONNREFUSED`: nobody has this port. `EPERM`: the protocol leaves this
    /// to the kernel. Else as [`Socket::send`].
    pub fn send_to(&self, bytes: &[u8], port: u32, groups: u32) -> io::Result<usize> {
        sys::socket::send_to(self.fd.as_fd(), bytes, port, groups)
    }

    /// Waits until a datagram or an error is ready to be received; false if the
    /// time is over before. Signals do not lengthen the wait.
    ///
    /// # Errors
    /// As poll(2), but never `EINTR`.
    pub fn wait_readable(&self, wait: Wait) -> io::Result<bool> {
        let [readable] =
            wait.poll(|timeout| sys::socket::poll_readable([self.fd.as_fd()], timeout))?;
        Ok(readable)
    }

    pub(crate) fn set_option_value(&self, level: i32, name: i32, value: i32) -> io::Result<()> {
        sys::socket::set_option(self.fd.as_fd(), level, name, value)
    }

    pub(crate) fn option_words(
        &self,
        level: i32,
        name: i32,
        words: &mut [u32],
    ) -> io::Result<usize> {
        sys::socket::option_words(self.fd.as_fd(), level, name, words)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
impl Socket {
    /// Another kind of socket, whose other end speaks as the kernel.
    pub(crate) fn fake(fd: OwnedFd) -> Self {
        Self { fd, protocol: 0, port: 0 }
    }
}
