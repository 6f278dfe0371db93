//! unshare(2), setns(2) and what a child does between fork and exec.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::{check, check_length};

/// Effective user and group number.
fn effective_ids() -> (u32, u32) {
    // SAFETY: takes nothing and cannot fail.
    let user = unsafe { libc::geteuid() };
    // SAFETY: takes nothing and cannot fail.
    let group = unsafe { libc::getegid() };
    (user, group)
}

/// Gives the calling thread a network namespace of its own.
pub(crate) fn unshare_network() -> io::Result<()> {
    unshare(libc::CLONE_NEWNET)
}

/// Gives the calling thread (for a user namespace: the process, which must have
/// one thread only) namespaces of its own.
fn unshare(flags: i32) -> io::Result<()> {
    // SAFETY: takes no pointers; descriptors and memory stay shared as they are,
    // because neither CLONE_FILES nor CLONE_VM is ever among our flags.
    check(unsafe { libc::unshare(flags) })?;
    Ok(())
}

/// Moves the calling thread into the network namespace behind `fd`.
pub(crate) fn enter_network(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: takes no pointers; `fd` is borrowed, hence open.
    check(unsafe { libc::setns(fd.as_raw_fd(), libc::CLONE_NEWNET) })?;
    Ok(())
}

/// Writes a whole file of `/proc` with one write(2).
///
/// Async-signal-safe: no allocation, no lock.
fn write_file(path: &CStr, content: &[u8]) -> io::Result<()> {
    // SAFETY: `path` ends in a NUL and is live for the call.
    let fd = check(unsafe { libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC) })?;
    // SAFETY: the kernel has just given us this descriptor and nobody else knows it.
    let file = unsafe { OwnedFd::from_raw_fd(fd) };
    // SAFETY: `content` is live for the call and stated with its true length.
    let written = check_length(unsafe {
        libc::write(file.as_raw_fd(), content.as_ptr().cast(), content.len())
    })?;
    if written == content.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// Makes every mount of this mount namespace private, so that nothing mounted
/// here shows outside. Async-signal-safe.
fn make_mounts_private() -> io::Result<()> {
    let flags = libc::MS_REC | libc::MS_PRIVATE;
    let none = std::ptr::null();
    // SAFETY: the target ends in a NUL; a change of propagation reads neither
    // source nor type nor data, which may be null.
    check(unsafe { libc::mount(none, c"/".as_ptr(), none, flags, none.cast()) })?;
    Ok(())
}

/// Mounts an empty memory file system. Async-signal-safe.
fn mount_tmpfs(target: &CStr) -> io::Result<()> {
    let kind = c"tmpfs".as_ptr();
    let flags = libc::MS_NOSUID | libc::MS_NODEV;
    // SAFETY: source, target and type end in a NUL and are live for the call;
    // null data means no options.
    check(unsafe { libc::mount(kind, target.as_ptr(), kind, flags, std::ptr::null()) })?;
    Ok(())
}

/// The steps into a user and network namespace of one's own, with everything
/// prepared that must not be worked out between fork and exec.
pub(crate) struct Isolation {
    uid_map: Vec<u8>,
    gid_map: Vec<u8>,
    root: bool,
    own_run: bool,
}

impl Isolation {
    /// For the present user, who becomes root inside. With `own_run` there are
    /// also private mounts and an empty `/run`, so that named network namespaces
    /// made inside stay inside.
    pub(crate) fn new(own_run: bool) -> Self {
        let (user, group) = effective_ids();
        Self {
            uid_map: format!("0 {user} 1\n").into_bytes(),
            gid_map: format!("0 {group} 1\n").into_bytes(),
            root: user == 0,
            own_run,
        }
    }

    /// Takes the steps in the calling process, which must have one thread only.
    /// Root does without the user namespace where it is refused.
    ///
    /// Async-signal-safe: system calls on memory prepared before, nothing else.
    pub(crate) fn enter(&self) -> io::Result<()> {
        let mounts = if self.own_run { libc::CLONE_NEWNS } else { 0 };
        match unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET | mounts) {
            Ok(()) => {
                // Without this the kernel refuses the group map to ordinary users.
                write_file(c"/proc/self/setgroups", b"deny")?;
                write_file(c"/proc/self/uid_map", &self.uid_map)?;
                write_file(c"/proc/self/gid_map", &self.gid_map)?;
            }
            Err(error) if !self.root => return Err(error),
            Err(_) => unshare(libc::CLONE_NEWNET | mounts)?,
        }
        if self.own_run {
            make_mounts_private()?;
            mount_tmpfs(c"/run")?;
        }
        Ok(())
    }

    /// Lets the child which `command` starts take the steps before it runs.
    pub(crate) fn enter_before_exec(self, command: &mut Command) {
        // SAFETY: between fork and exec the closure makes system calls on memory
        // that was prepared before the fork; it neither allocates nor locks.
        unsafe { command.pre_exec(move || self.enter()) };
    }
}
