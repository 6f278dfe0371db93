//! epoll(7).

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use super::check;

/// What to wait for: data, or (for files of `/proc`) an exceptional condition.
#[allow(clippy::cast_sign_loss)] // Single low bits.
pub(crate) const READABLE: u32 = libc::EPOLLIN as u32;
#[allow(clippy::cast_sign_loss)]
pub(crate) const URGENT: u32 = libc::EPOLLPRI as u32;

/// How many descriptors one wait tells of.
const MOST: usize = 64;

/// `epoll_create1(EPOLL_CLOEXEC)`.
pub(crate) fn create() -> io::Result<OwnedFd> {
    // SAFETY: takes no pointers.
    let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
    // SAFETY: the kernel has just given us this descriptor and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// `EPOLL_CTL_ADD`.
pub(crate) fn add(
    epoll: BorrowedFd<'_>,
    fd: BorrowedFd<'_>,
    interest: u32,
    token: u64,
) -> io::Result<()> {
    let mut event = libc::epoll_event { events: interest, u64: token };
    // SAFETY: the pointer names a live event, which is only read; both descriptors
    // are borrowed, hence open.
    check(unsafe {
        libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), &raw mut event)
    })?;
    Ok(())
}

/// `EPOLL_CTL_DEL`.
pub(crate) fn remove(epoll: BorrowedFd<'_>, fd: BorrowedFd<'_>) -> io::Result<()> {
    let none = std::ptr::null_mut();
    // SAFETY: a deletion reads no event, so the pointer may be null.
    check(unsafe {
        libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_DEL, fd.as_raw_fd(), none)
    })?;
    Ok(())
}

/// Appends the tokens of what is ready; none when the time (milliseconds, negative
/// for ever) ran out. Not repeated after a signal.
pub(crate) fn wait(
    epoll: BorrowedFd<'_>,
    timeout_ms: libc::c_int,
    ready: &mut Vec<u64>,
) -> io::Result<()> {
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; MOST];
    let room = libc::c_int::try_from(MOST).unwrap_or(1);
    // SAFETY: the pointer names `room` live, writable events.
    let count = check(unsafe {
        libc::epoll_wait(epoll.as_raw_fd(), events.as_mut_ptr(), room, timeout_ms)
    })?;
    let count = usize::try_from(count).unwrap_or_default();
    ready.extend(events.iter().take(count).map(|event| event.u64));
    Ok(())
}
