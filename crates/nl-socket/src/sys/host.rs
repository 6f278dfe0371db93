//! pthread_sigmask(3), signalfd(2), localtime_r(3).

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};

use super::{check, check_length, retry};

/// A set of signals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signals(libc::sigset_t);

impl Signals {
    /// These signals; numbers that are none are left out.
    pub(crate) fn of(signals: &[i32]) -> Self {
        let mut set = MaybeUninit::uninit();
        // SAFETY: the pointer names writable room for a set, which the call fills.
        unsafe { libc::sigemptyset(set.as_mut_ptr()) };
        // SAFETY: the call before initialised the whole set.
        let mut set = unsafe { set.assume_init() };
        for signal in signals {
            // SAFETY: the pointer names a live, initialised set.
            unsafe { libc::sigaddset(&raw mut set, *signal) };
        }
        Self(set)
    }

    /// Adds these signals to those that the calling thread holds back; gives
    /// those that it held back before.
    pub(crate) fn block(&self) -> io::Result<Self> {
        self.change_mask(libc::SIG_BLOCK)
    }

    /// Makes these the signals that the calling thread holds back.
    pub(crate) fn restore(&self) -> io::Result<()> {
        self.change_mask(libc::SIG_SETMASK).map(drop)
    }

    fn change_mask(&self, how: libc::c_int) -> io::Result<Self> {
        let mut before = Self::of(&[]);
        // SAFETY: both pointers name live sets; the kernel reads the first and
        // writes the second.
        match unsafe { libc::pthread_sigmask(how, &raw const self.0, &raw mut before.0) } {
            0 => Ok(before),
            errno => Err(io::Error::from_raw_os_error(errno)),
        }
    }

    /// A descriptor that is readable while one of these signals is pending.
    pub(crate) fn descriptor(&self) -> io::Result<OwnedFd> {
        let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
        // SAFETY: the pointer names a live set, which is only read.
        let fd = check(unsafe { libc::signalfd(-1, &raw const self.0, flags) })?;
        // SAFETY: the kernel has just given us this descriptor and nobody else knows it.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

/// Takes the number of a pending signal from a descriptor of [`Signals::descriptor`].
pub(crate) fn take_signal(fd: BorrowedFd<'_>) -> io::Result<i32> {
    let mut info = MaybeUninit::<libc::signalfd_siginfo>::zeroed();
    let room = size_of::<libc::signalfd_siginfo>();
    retry(|| {
        // SAFETY: the pointer names writable memory of `room` bytes.
        check_length(unsafe { libc::read(fd.as_raw_fd(), info.as_mut_ptr().cast(), room) })
    })?;
    // SAFETY: it was zeroed, holds integers only, and the kernel wrote integers.
    let info = unsafe { info.assume_init() };
    Ok(i32::try_from(info.ssi_signo).unwrap_or_default())
}

/// How many seconds local time is ahead of UTC at this time; 0 where that can't
/// be told.
pub(crate) fn utc_offset(time: i64) -> i32 {
    // Where a time has 32 bits, those beyond have no local time.
    #[allow(clippy::cast_possible_truncation)]
    let narrow = time as libc::time_t;
    #[allow(clippy::unnecessary_cast)]
    if narrow as i64 != time {
        return 0;
    }
    let mut broken_down = MaybeUninit::<libc::tm>::uninit();
    // SAFETY: both pointers name live memory of their types; the function is
    // thread-safe as long as nobody writes to the environment, which is unsafe.
    let result = unsafe { libc::localtime_r(&raw const narrow, broken_down.as_mut_ptr()) };
    if result.is_null() {
        return 0;
    }
    // SAFETY: the function succeeded, so it filled the whole structure.
    let broken_down = unsafe { broken_down.assume_init() };
    i32::try_from(broken_down.tm_gmtoff).unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests {
    /// Sends a signal to the calling thread alone: other threads of a test
    /// program do not hold it back.
    pub(crate) fn raise_here(signal: i32) {
        // SAFETY: the calling thread exists; the signal is held back by the caller.
        assert_eq!(unsafe { libc::raise(signal) }, 0);
    }
}
