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
#[inline(never)]
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
#[inline(never)]
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

/// `poll(fds, POLLIN, timeout)`: which are readable when the first one is, or none
/// when the time (milliseconds, negative for ever) ran out. Errors count as
/// readable: the next receive tells them.
///
/// Not repeated after a signal: the caller knows how much time is left.
pub(crate) fn poll_readable<const N: usize>(
    fds: [BorrowedFd<'_>; N],
    timeout_ms: libc::c_int,
) -> io::Result<[bool; N]> {
    let mut entries =
        fds.map(|fd| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 });
    let count = libc::nfds_t::try_from(N).map_err(|_| io::ErrorKind::InvalidInput)?;
    // SAFETY: the pointer names `count` live, writable `pollfd`s.
    check(unsafe { libc::poll(entries.as_mut_ptr(), count, timeout_ms) })?;
    Ok(entries.map(|entry| entry.revents != 0))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::filter::{Insn, Program, ProgramError, Reason};
    use crate::{Ring, Socket, Wait};

    /// `NETLINK_USERSOCK`: no kernel behind it, everybody may use it.
    const USERSOCK: u16 = 2;

    static SIGNALS: AtomicUsize = AtomicUsize::new(0);

    extern "C" fn count_signal(_: libc::c_int) {
        SIGNALS.fetch_add(1, Ordering::Relaxed);
    }

    #[test]
    #[cfg_attr(miri, ignore = "no kernel")]
    fn signals_neither_end_nor_lengthen_a_wait() {
        // SAFETY: null pointers, empty sets and zero flags (without SA_RESTART,
        // so that poll(2) is interrupted) are values of every field.
        let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
        action.sa_sigaction = count_signal as *const () as usize;
        // SAFETY: the handler is async-signal-safe and lives as long as the program.
        let set =
            unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()) };
        assert_eq!(set, 0);
        let (waiting, other) = (Socket::open(USERSOCK).unwrap(), Socket::open(USERSOCK).unwrap());
        // SAFETY: takes nothing and cannot fail.
        let waiter = unsafe { libc::pthread_self() };
        // With musl it is a pointer, which would not go to another thread as such.
        #[allow(clippy::cast_possible_truncation)] // It has a word's size.
        let waiter = waiter as usize;
        let over = AtomicBool::new(false);
        let mut ring = Ring::new(1, 64);
        thread::scope(|scope| {
            scope.spawn(|| {
                // Waits that began anew after each signal would never end.
                while !over.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(4));
                    // SAFETY: the waiter outlives this thread, which it joins.
                    unsafe { libc::pthread_kill(waiter as libc::pthread_t, libc::SIGUSR1) };
                }
                other.send_to(b"at last", waiting.port(), 0).unwrap();
            });
            let (time, start) = (Duration::from_millis(200), Instant::now());
            assert!(!waiting.wait_readable(Wait::at_most(time)).unwrap());
            assert!(start.elapsed() >= time);
            assert!(SIGNALS.load(Ordering::Relaxed) > 1);
            let error = ring.receive(&waiting, Wait::at_most(time)).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
            over.store(true, Ordering::Relaxed);
            assert_eq!(ring.receive(&waiting, Wait::Forever).unwrap(), 1);
        });
        assert_eq!(ring.datagram(0).unwrap().bytes, b"at last");
    }

    /// The kernel's own check beside ours, over random programs.
    #[test]
    #[cfg_attr(miri, ignore = "no kernel")]
    fn the_kernel_accepts_what_the_check_accepts() {
        let socket = Socket::open(USERSOCK).unwrap();
        let mut state = 1_u32;
        let mut below = |limit: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % limit
        };
        let (mut accepted, mut refused) = (0, 0);
        for _ in 0..20_000 {
            let length = below(5) + 1;
            let insns: Vec<Insn> = (0..length)
                .map(|index| Insn {
                    // Few codes beyond 0xb1 exist, and most programs should end well.
                    code: if index + 1 == length && below(8) > 0 {
                        [0x06, 0x16][below(2) as usize]
                    } else {
                        u16::try_from(below(0xc0)).unwrap()
                    },
                    jt: u8::try_from(below(4)).unwrap(),
                    jf: u8::try_from(below(4)).unwrap(),
                    k: [0, 1, 2, 15, 16, 31, 32, u32::MAX, 0xffff_f00c][below(9) as usize],
                })
                .collect();
            let ours = Program::new(insns.clone());
            if let Err(ProgramError { reason: Reason::NoSuchAncillary(_), .. }) = ours {
                continue; // Stricter than the kernel, on purpose.
            }
            let mut raw: Vec<_> = insns
                .iter()
                .map(|i| libc::sock_filter { code: i.code, jt: i.jt, jf: i.jf, k: i.k })
                .collect();
            let kernels = super::super::filter::attach_filter(socket.as_fd(), &mut raw);
            assert_eq!(ours.is_ok(), kernels.is_ok(), "{insns:x?}: {ours:?}, {kernels:?}");
            *if ours.is_ok() { &mut accepted } else { &mut refused } += 1;
        }
        assert!(accepted > 1_000 && refused > 1_000, "{accepted} accepted, {refused} refused");
    }
}
