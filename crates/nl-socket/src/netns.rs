//! Network namespaces: name them, run inside them, make private ones
//! (`network_namespaces(7)`, `user_namespaces(7)`).

use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use nl_wire::value::Family;

use crate::connection::Connection;
use crate::error::Error;
#[cfg(feature = "events")]
use crate::events::Events;
use crate::socket::Socket;
use crate::sys;
use crate::sys::process::Isolation;

/// Where ip-netns(8) keeps the names, the first being what it uses today.
const NAME_DIRECTORIES: [&str; 2] = ["/run/netns", "/var/run/netns"];

/// The calling thread's namespace; `/proc/self` would be the first thread's.
const OF_THIS_THREAD: &str = "/proc/thread-self/ns/net";

/// A network namespace, held open: it lives at least as long as this value.
#[derive(Debug)]
pub struct Netns {
    file: File,
}

/// Device and inode: equal if and only if two handles name one namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NetnsId {
    /// Device number of the namespace file system.
    pub device: u64,
    /// Inode number, shown by `ls -l /proc/PID/ns/net` and lsns(8).
    pub inode: u64,
}

impl Netns {
    /// The calling thread's network namespace.
    ///
    /// # Errors
    /// As open(2); `ENOENT` where `/proc` is not mounted.
    pub fn current() -> io::Result<Self> {
        Self::path(OF_THIS_THREAD)
    }

    /// A namespace named by ip-netns(8), a file in `/run/netns`.
    ///
    /// # Errors
    /// `InvalidInput`: an empty name or one with a slash. `NotFound`: no such
    /// name. Else as [`Netns::path`].
    pub fn named(name: &str) -> io::Result<Self> {
        if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
            let text = format!("{name:?} cannot be the name of a network namespace");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        for directory in NAME_DIRECTORIES {
            match Self::path(Path::new(directory).join(name)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => return other,
            }
        }
        let text = format!(
            "no network namespace is named {name:?} (looked in {})",
            NAME_DIRECTORIES.join(" and ")
        );
        Err(io::Error::new(io::ErrorKind::NotFound, text))
    }

    /// The network namespace of a process.
    ///
    /// # Errors
    /// `NotFound`: no such process. `PermissionDenied`: not yours to look at.
    pub fn of_process(pid: u32) -> io::Result<Self> {
        Self::path(format!("/proc/{pid}/ns/net")).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                io::Error::new(io::ErrorKind::NotFound, format!("there is no process {pid}"))
            }
            _ => error,
        })
    }

    /// The namespace behind a file: `/proc/PID/ns/net` or a bind mount of one.
    ///
    /// # Errors
    /// As open(2), with the path named. Whether the file is a network namespace
    /// shows when it is entered: [`Netns::run`].
    pub fn path(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|source| {
            let kind = source.kind();
            io::Error::new(kind, FileError { path: path.to_owned(), source })
        })?;
        Ok(Self { file })
    }

    /// A new, empty network namespace, which ends with the last handle, socket
    /// or process in it.
    ///
    /// # Errors
    /// `EPERM` without `CAP_SYS_ADMIN` (which root of a user namespace has);
    /// `ENOSPC`: more than `user.max_net_namespaces`.
    pub fn create() -> io::Result<Self> {
        on_thread(|| {
            sys::process::unshare_network()?;
            Self::current()
        })?
    }

    /// What tells this namespace from others.
    ///
    /// # Errors
    /// As fstat(2).
    pub fn id(&self) -> io::Result<NetnsId> {
        let metadata = self.file.metadata()?;
        Ok(NetnsId { device: metadata.dev(), inode: metadata.ino() })
    }

    /// Runs a closure on a thread of its own inside this namespace and gives
    /// what it returns. The calling thread does not move; a panic is passed on.
    ///
    /// # Errors
    /// `EPERM` without `CAP_SYS_ADMIN` both here and there; `InvalidInput`: no
    /// network namespace; `EAGAIN`: no thread left.
    pub fn run<T: Send>(&self, action: impl FnOnce() -> T + Send) -> io::Result<T> {
        on_thread(|| {
            sys::process::enter_network(self.as_fd()).map_err(|error| match error.kind() {
                kind @ io::ErrorKind::InvalidInput => {
                    io::Error::new(kind, "what was opened as one is no network namespace")
                }
                _ => error,
            })?;
            Ok(action())
        })?
    }
}

impl Socket {
    /// Opens a socket in another network namespace. The calling thread does not
    /// move: a thread made for this enters the namespace, opens and ends.
    ///
    /// # Errors
    /// As [`Socket::open`] and [`Netns::run`]; `EPERM` without `CAP_SYS_ADMIN`.
    pub fn open_in(protocol: impl Into<Family>, netns: &Netns) -> io::Result<Self> {
        let protocol = protocol.into();
        netns.run(|| Self::open(protocol))?
    }
}

impl Connection {
    /// Opens a connection in another network namespace; the calling thread stays where it is.
    ///
    /// # Errors
    /// [`Error::Io`], see [`Socket::open_in`].
    pub fn open_in(family: Family, netns: &Netns) -> Result<Self, Error> {
        Self::new(Socket::open_in(family, netns)?)
    }
}

#[cfg(feature = "events")]
impl Events {
    /// As [`Events::open`], in another network namespace; the calling thread stays where it is.
    ///
    /// # Errors
    /// As [`Socket::open_in`] and [`Socket::join`].
    pub fn open_in<G: Into<u32> + Copy>(
        family: Family,
        netns: &Netns,
        groups: &[G],
    ) -> io::Result<Self> {
        Self::new(Socket::open_in(family, netns)?, groups)
    }
}

impl AsFd for Netns {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Runs a closure on a thread of its own, which may change namespaces freely.
fn on_thread<T: Send>(action: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let name = thread::current().name().unwrap_or("netns").to_owned();
        let helper = thread::Builder::new().name(name).spawn_scoped(scope, action)?;
        Ok(helper.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Moves this process into a user and network namespace of its own, where it is
/// root and only a loopback device exists, down. For programs that have not yet
/// started a thread. Root goes without the user namespace where it is refused.
///
/// # Errors
/// `InvalidInput`: the process has several threads. Else the host forbids it:
/// the error's text says how to allow it.
pub fn enter_private() -> io::Result<()> {
    let threads = std::fs::read_dir("/proc/self/task")?.count();
    if threads > 1 {
        let text = format!("one of {threads} threads cannot move a process to other namespaces");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    Isolation::new(false).enter().map_err(refusal)
}

/// Lets `command` start its program in a user and network namespace of its own,
/// as [`enter_private`], with private mounts and an empty `/run` besides, so that
/// `ip netns add` inside names nothing outside.
///
/// Where the host forbids it, starting fails: pass the error to [`refusal`].
pub fn private_command(command: &mut Command) {
    Isolation::new(true).enter_before_exec(command);
}

/// Explains why a private namespace was refused, with the remedies; other errors
/// pass unchanged.
pub fn refusal(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES | libc::ENOSPC | libc::EUSERS | libc::ENOSYS) => {
            io::Error::new(error.kind(), Refusal { source: error })
        }
        _ => error,
    }
}

/// A file that could not be opened.
#[derive(Debug)]
struct FileError {
    path: PathBuf,
    source: io::Error,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot open {}: {}", self.path.display().to_string().escape_debug(), self.source)
    }
}

impl std::error::Error for FileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// The host forbids private namespaces.
#[derive(Debug)]
struct Refusal {
    source: io::Error,
}

/// Settings that forbid user namespaces, and the value that does so.
const SWITCHES: [(&str, &str, &str); 3] = [
    ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces=10000"),
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "kernel.apparmor_restrict_unprivileged_userns=0",
    ),
];

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this host forbids private user and network namespaces ({}): ", self.source)?;
        let closed = |path: &str, forbidding: &str| {
            std::fs::read_to_string(path).is_ok_and(|value| value.trim() == forbidding)
        };
        let found = SWITCHES.iter().filter(|(path, value, _)| closed(path, value));
        let mut remedies: Vec<&str> = found.map(|(_, _, remedy)| *remedy).collect();
        if remedies.is_empty() {
            remedies = SWITCHES.iter().map(|(_, _, remedy)| *remedy).collect();
        }
        write!(
            f,
            "run as root with CAP_SYS_ADMIN, or allow them with sysctl -w {}",
            remedies.join(" ")
        )
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
