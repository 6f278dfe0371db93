//! Socket filters.

use std::io;
use std::os::fd::AsFd as _;

use super::Socket;
use crate::filter::Program;
use crate::sys;

impl Socket {
    /// Installs or replaces a socket filter (`SO_ATTACH_FILTER`). It sees each
    /// whole datagram once: also acks and dumps, so filter event sockets only.
    /// What it refuses counts nowhere. What is queued already stays.
    ///
    /// # Errors
    /// `EPERM`: the filter is locked. `ENOMEM`: beyond `net.core.optmem_max`.
    pub fn attach_filter(&self, program: &Program) -> io::Result<()> {
        let mut instructions: Vec<libc::sock_filter> = program
            .instructions()
            .iter()
            .map(|insn| libc::sock_filter { code: insn.code, jt: insn.jt, jf: insn.jf, k: insn.k })
            .collect();
        sys::filter::attach_filter(self.fd.as_fd(), &mut instructions)
    }

    /// Removes the socket filter.
    ///
    /// # Errors
    /// `ENOENT`: there is none. `EPERM`: it is locked.
    pub fn detach_filter(&self) -> io::Result<()> {
        sys::socket::set_option(self.fd.as_fd(), libc::SOL_SOCKET, libc::SO_DETACH_FILTER, 0)
    }

    /// Makes the filter, or its absence, final for the life of this socket.
    ///
    /// # Errors
    /// As setsockopt(2) for `SO_LOCK_FILTER`.
    pub fn lock_filter(&self) -> io::Result<()> {
        sys::socket::set_option(self.fd.as_fd(), libc::SOL_SOCKET, libc::SO_LOCK_FILTER, 1)
    }
}
