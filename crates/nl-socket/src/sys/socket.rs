//! socket(2), bind(2), sendto(2), setsockopt(2), poll(2).

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use super::{check, check_length, retry, socklen_of};

/// `AF_NETLINK` in the 16 bits that addresses have for it.
#[allow(clippy::cast_possible_truncation)] // It is 16.
const FAMILY: libc::sa_family_t = libc::AF_NETLINK as libc::sa_family_t;

/// A `sockaddr_nl`: port 0 is the kernel, `groups` a mask of groups 1 to 32.
fn address(port: u32, groups: u32) -> libc::sockaddr_nl {
    // SAFETY: the structure holds integers only, for which all zeros is a value.
    let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    address.nl_family = FAMILY;
    address.nl_pid = port;
    address.nl_groups = groups;
    address
}

/// `socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol)`.
pub(crate) fn open(protocol: u16) -> io::Result<OwnedFd> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
    // SAFETY: the call takes no pointers.
    let fd = check(unsafe { libc::socket(libc::AF_NETLINK, kind, protocol.into()) })?;
    // SAFETY: the kernel has just given us this descriptor and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Binds with port 0, so that the kernel chooses a free port, and no groups.
pub(crate) fn bind(fd: BorrowedFd<'_>) -> io::Result<()> {
    let address = address(0, 0);
    let length = socklen_of::<libc::sockaddr_nl>();
    // SAFETY: the pointer names a live `sockaddr_nl`, `length` is its size, and
    // the kernel only reads it during the call.
    check(unsafe { libc::bind(fd.as_raw_fd(), (&raw const address).cast(), length) })?;
    Ok(())
}

/// The port a bound socket received.
pub(crate) fn port(fd: BorrowedFd<'_>) -> io::Result<u32> {
    let mut address = address(0, 0);
    let mut length = socklen_of::<libc::sockaddr_nl>();
    // SAFETY: both pointers name live, writable locals; `length` states the room
    // behind the first, and whatever the kernel writes there is a valid value.
    check(unsafe {
        libc::getsockname(fd.as_raw_fd(), (&raw mut address).cast(), &raw mut length)
    })?;
    Ok(address.nl_pid)
}

/// Sends one datagram to a port and the groups of a mask.
pub(crate) fn send_to(
    fd: BorrowedFd<'_>,
    bytes: &[u8],
    port: u32,
    groups: u32,
) -> io::Result<usize> {
    let address = address(port, groups);
    let length = socklen_of::<libc::sockaddr_nl>();
    retry(|| {
        // SAFETY: `bytes` and `address` are live for the call, stated with their
        // true lengths, and only read.
        check_length(unsafe {
            libc::sendto(
                fd.as_raw_fd(),
                bytes.as_ptr().cast(),
                bytes.len(),
                libc::MSG_NOSIGNAL,
                (&raw const address).cast(),
                length,
            )
        })
    })
}

/// Sets an integer option.
pub(crate) fn set_option(
    fd: BorrowedFd<'_>,
    level: i32,
    name: i32,
    value: libc::c_int,
) -> io::Result<()> {
    let length = socklen_of::<libc::c_int>();
    // SAFETY: the pointer names a live integer of the stated length, only read.
    check(unsafe {
        libc::setsockopt(fd.as_raw_fd(), level, name, (&raw const value).cast(), length)
    })?;
    Ok(())
}

/// Reads an option of 32-bit words into `words`; the length in bytes that the
/// kernel reports may exceed the room, when it has more to tell.
pub(crate) fn option_words(
    fd: BorrowedFd<'_>,
    level: i32,
    name: i32,
    words: &mut [u32],
) -> io::Result<usize> {
    let room =
        libc::socklen_t::try_from(size_of_val(words)).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut length = room;
    // SAFETY: `words` is writable for `length` bytes, the kernel writes no more
    // than that, and every bit pattern is a u32.
    check(unsafe {
        libc::getsockopt(fd.as_raw_fd(), level, name, words.as_mut_ptr().cast(), &raw mut length)
    })?;
    Ok(length as usize)
}

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

/// `poll(fd, POLLIN, timeout)`: false when the time (milliseconds, negative for
/// ever) ran out. True for errors too: the next receive tells them.
///
/// Not repeated after a signal: the caller knows how much time is left.
pub(crate) fn poll_readable(fd: BorrowedFd<'_>, timeout_ms: libc::c_int) -> io::Result<bool> {
    let mut entry = libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: the pointer names one live, writable `pollfd`, as the count says.
    let ready = check(unsafe { libc::poll(&raw mut entry, 1, timeout_ms) })?;
    Ok(ready > 0)
}
