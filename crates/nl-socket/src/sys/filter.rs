//! Socket filters.

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd};

use super::{check, socklen_of};

/// `SO_ATTACH_FILTER` with a program of classic BPF.
pub(crate) fn attach_filter(
    fd: BorrowedFd<'_>,
    program: &mut [libc::sock_filter],
) -> io::Result<()> {
    let description = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        filter: program.as_mut_ptr(),
    };
    let length = socklen_of::<libc::sock_fprog>();
    // SAFETY: `description` is live and of the stated length; it names `len`
    // instructions that stay borrowed for the call. The kernel copies them.
    check(unsafe {
        libc::setsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const description).cast(),
            length,
        )
    })?;
    Ok(())
}
