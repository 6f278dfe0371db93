//! Error numbers of the kernel: names and texts.
//!
//! The numbers are those of `asm-generic/errno-base.h` and `asm-generic/errno.h`, which x86, arm,
//! riscv, s390, powerpc and loongarch share (powerpc tells `EDEADLOCK`, 58, from `EDEADLK`).
//! **mips, sparc, alpha and parisc number most errors from 35 on differently**: there the number in
//! an [`Errno`] is still the one the kernel sent, but its name and text are not to be trusted.
//!
//! The texts are those of glibc's `strerror`, so that what a user reads equals what `ip` and
//! `conntrack` print. From 512 on stand the numbers of `linux/errno.h` that the kernel means to
//! keep to itself; netlink lets some of them out, `ENOTSUPP` (524) most of all. libc has no text
//! for those, so the texts here are our own.

use core::fmt;

use crate::words::Words;

/// An error number of the kernel, positive; 0 is success. Any number is kept, known or not.
///
/// ```
/// # use nl_wire::errno::Errno;
/// let error = Errno::from_wire(-17);
/// assert_eq!(error, Errno::EEXIST);
/// assert_eq!(error.to_string(), "File exists (EEXIST)");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Errno(pub i32);

macro_rules! errnos {
    ($($number:literal $name:ident $text:literal,)*) => {
        impl Errno {
            $(#[doc = concat!($number, ": ", $text, ".")] pub const $name: Self = Self($number);)*
        }

        /// Every known error, ascending.
        const NUMBERS: &[u16] = &[$($number),*];
        /// The name of each.
        const NAMES: Words = crate::words![$(stringify!($name)),*];
        /// The text of each.
        const TEXTS: Words = crate::words![$($text),*];
    };
}

errnos! {
    1 EPERM "Operation not permitted",
    2 ENOENT "No such file or directory",
    3 ESRCH "No such process",
    4 EINTR "Interrupted system call",
    5 EIO "Input/output error",
    6 ENXIO "No such device or address",
    7 E2BIG "Argument list too long",
    8 ENOEXEC "Exec format error",
    9 EBADF "Bad file descriptor",
    10 ECHILD "No child processes",
    11 EAGAIN "Resource temporarily unavailable",
    12 ENOMEM "Cannot allocate memory",
    13 EACCES "Permission denied",
    14 EFAULT "Bad address",
    15 ENOTBLK "Block device required",
    16 EBUSY "Device or resource busy",
    17 EEXIST "File exists",
    18 EXDEV "Invalid cross-device link",
    19 ENODEV "No such device",
    20 ENOTDIR "Not a directory",
    21 EISDIR "Is a directory",
    22 EINVAL "Invalid argument",
    23 ENFILE "Too many open files in system",
    24 EMFILE "Too many open files",
    25 ENOTTY "Inappropriate ioctl for device",
    26 ETXTBSY "Text file busy",
    27 EFBIG "File too large",
    28 ENOSPC "No space left on device",
    29 ESPIPE "Illegal seek",
    30 EROFS "Read-only file system",
    31 EMLINK "Too many links",
    32 EPIPE "Broken pipe",
    33 EDOM "Numerical argument out of domain",
    34 ERANGE "Numerical result out of range",
    35 EDEADLK "Resource deadlock avoided",
    36 ENAMETOOLONG "File name too long",
    37 ENOLCK "No locks available",
    38 ENOSYS "Function not implemented",
    39 ENOTEMPTY "Directory not empty",
    40 ELOOP "Too many levels of symbolic links",
    42 ENOMSG "No message of desired type",
    43 EIDRM "Identifier removed",
    44 ECHRNG "Channel number out of range",
    45 EL2NSYNC "Level 2 not synchronized",
    46 EL3HLT "Level 3 halted",
    47 EL3RST "Level 3 reset",
    48 ELNRNG "Link number out of range",
    49 EUNATCH "Protocol driver not attached",
    50 ENOCSI "No CSI structure available",
    51 EL2HLT "Level 2 halted",
    52 EBADE "Invalid exchange",
    53 EBADR "Invalid request descriptor",
    54 EXFULL "Exchange full",
    55 ENOANO "No anode",
    56 EBADRQC "Invalid request code",
    57 EBADSLT "Invalid slot",
    59 EBFONT "Bad font file format",
    60 ENOSTR "Device not a stream",
    61 ENODATA "No data available",
    62 ETIME "Timer expired",
    63 ENOSR "Out of streams resources",
    64 ENONET "Machine is not on the network",
    65 ENOPKG "Package not installed",
    66 EREMOTE "Object is remote",
    67 ENOLINK "Link has been severed",
    68 EADV "Advertise error",
    69 ESRMNT "Srmount error",
    70 ECOMM "Communication error on send",
    71 EPROTO "Protocol error",
    72 EMULTIHOP "Multihop attempted",
    73 EDOTDOT "RFS specific error",
    74 EBADMSG "Bad message",
    75 EOVERFLOW "Value too large for defined data type",
    76 ENOTUNIQ "Name not unique on network",
    77 EBADFD "File descriptor in bad state",
    78 EREMCHG "Remote address changed",
    79 ELIBACC "Can not access a needed shared library",
    80 ELIBBAD "Accessing a corrupted shared library",
    81 ELIBSCN ".lib section in a.out corrupted",
    82 ELIBMAX "Attempting to link in too many shared libraries",
    83 ELIBEXEC "Cannot exec a shared library directly",
    84 EILSEQ "Invalid or incomplete multibyte or wide character",
    85 ERESTART "Interrupted system call should be restarted",
    86 ESTRPIPE "Streams pipe error",
    87 EUSERS "Too many users",
    88 ENOTSOCK "Socket operation on non-socket",
    89 EDESTADDRREQ "Destination address required",
    90 EMSGSIZE "Message too long",
    91 EPROTOTYPE "Protocol wrong type for socket",
    92 ENOPROTOOPT "Protocol not available",
    93 EPROTONOSUPPORT "Protocol not supported",
    94 ESOCKTNOSUPPORT "Socket type not supported",
    95 EOPNOTSUPP "Operation not supported",
    96 EPFNOSUPPORT "Protocol family not supported",
    97 EAFNOSUPPORT "Address family not supported by protocol",
    98 EADDRINUSE "Address already in use",
    99 EADDRNOTAVAIL "Cannot assign requested address",
    100 ENETDOWN "Network is down",
    101 ENETUNREACH "Network is unreachable",
    102 ENETRESET "Network dropped connection on reset",
    103 ECONNABORTED "Software caused connection abort",
    104 ECONNRESET "Connection reset by peer",
    105 ENOBUFS "No buffer space available",
    106 EISCONN "Transport endpoint is already connected",
    107 ENOTCONN "Transport endpoint is not connected",
    108 ESHUTDOWN "Cannot send after transport endpoint shutdown",
    109 ETOOMANYREFS "Too many references: cannot splice",
    110 ETIMEDOUT "Connection timed out",
    111 ECONNREFUSED "Connection refused",
    112 EHOSTDOWN "Host is down",
    113 EHOSTUNREACH "No route to host",
    114 EALREADY "Operation already in progress",
    115 EINPROGRESS "Operation now in progress",
    116 ESTALE "Stale file handle",
    117 EUCLEAN "Structure needs cleaning",
    118 ENOTNAM "Not a XENIX named type file",
    119 ENAVAIL "No XENIX semaphores available",
    120 EISNAM "Is a named type file",
    121 EREMOTEIO "Remote I/O error",
    122 EDQUOT "Disk quota exceeded",
    123 ENOMEDIUM "No medium found",
    124 EMEDIUMTYPE "Wrong medium type",
    125 ECANCELED "Operation canceled",
    126 ENOKEY "Required key not available",
    127 EKEYEXPIRED "Key has expired",
    128 EKEYREVOKED "Key has been revoked",
    129 EKEYREJECTED "Key was rejected by service",
    130 EOWNERDEAD "Owner died",
    131 ENOTRECOVERABLE "State not recoverable",
    132 ERFKILL "Operation not possible due to RF-kill",
    133 EHWPOISON "Memory page has hardware error",
    512 ERESTARTSYS "Interrupted; the kernel restarts the call",
    513 ERESTARTNOINTR "Interrupted; the kernel always restarts the call",
    514 ERESTARTNOHAND "Interrupted; the kernel restarts the call where no handler ran",
    515 ENOIOCTLCMD "No such ioctl command",
    516 ERESTART_RESTARTBLOCK "Interrupted; restarted by restart_syscall",
    517 EPROBE_DEFER "Driver asks to be probed later",
    518 EOPENSTALE "Stale directory entry met while opening",
    519 ENOPARAM "Parameter not supported",
    521 EBADHANDLE "Illegal NFS file handle",
    522 ENOTSYNC "Update synchronization mismatch",
    523 EBADCOOKIE "Stale directory cookie",
    524 ENOTSUPP "Operation not supported by this driver or protocol",
    525 ETOOSMALL "Buffer or request too small",
    526 ESERVERFAULT "Untranslatable error of a server",
    527 EBADTYPE "Type not supported by the server",
    528 EJUKEBOX "Request begun, not yet finished",
    529 EIOCBQUEUED "I/O request queued",
    530 ERECALLCONFLICT "Conflict with a recalled state",
    531 ENOGRACE "NFS reclaim refused",
}

impl Errno {
    /// No error: the number of an acknowledgement.
    pub const SUCCESS: Self = Self(0);
    /// Another name of [`Errno::EAGAIN`].
    pub const EWOULDBLOCK: Self = Self::EAGAIN;
    /// Another name of [`Errno::EDEADLK`].
    pub const EDEADLOCK: Self = Self::EDEADLK;
    /// The name that libc gives to [`Errno::EOPNOTSUPP`]; not [`Errno::ENOTSUPP`], which is 524.
    pub const ENOTSUP: Self = Self::EOPNOTSUPP;

    /// The error in the first four bytes (host byte order) of `NLMSG_ERROR` or `NLMSG_DONE`, where
    /// the kernel puts the number negated (`struct nlmsgerr`, `linux/netlink.h`).
    ///
    /// A positive number, which no sane kernel sends, counts as that error and not as success.
    /// `i32::MIN` becomes `i32::MAX`.
    #[must_use]
    pub const fn from_wire(number: i32) -> Self {
        Self(number.saturating_abs())
    }

    /// Whether this is 0, an acknowledgement.
    #[must_use]
    pub const fn is_success(self) -> bool {
        self.0 == 0
    }

    /// The name of the constant, such as `EEXIST`; `None` for 0 and for unknown numbers.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        NAMES.get(self.index()?)
    }

    /// What the error means, in the words of `strerror`; `Success` for 0, `None` for unknown
    /// numbers.
    #[must_use]
    pub fn text(self) -> Option<&'static str> {
        if self.is_success() { Some("Success") } else { TEXTS.get(self.index()?) }
    }

    fn index(self) -> Option<usize> {
        NUMBERS.binary_search(&u16::try_from(self.0).ok()?).ok()
    }
}

/// `File exists (EEXIST)`, `Success`, or `error 4711`.
impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.text(), self.name()) {
            (Some(text), Some(name)) => write!(f, "{text} ({name})"),
            (Some(text), None) => f.write_str(text),
            _ => write!(f, "error {}", self.0),
        }
    }
}

/// `EEXIST`, or `Errno(4711)` where there is no name.
impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "Errno({})", self.0),
        }
    }
}

impl core::error::Error for Errno {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn the_table_ascends_and_knows_every_row() {
        assert!(NUMBERS.windows(2).all(|pair| pair[0] < pair[1]));
        for (index, &number) in NUMBERS.iter().enumerate() {
            assert_eq!(Errno(number.into()).name(), NAMES.get(index));
            assert_eq!(Errno(number.into()).text(), TEXTS.get(index));
        }
        // 1..=133 without the holes 41 and 58, and 512..=531 without 520.
        assert_eq!(NUMBERS.len(), 131 + 19);
        assert_eq!((NAMES.iter().count(), TEXTS.iter().count()), (150, 150));
    }

    #[test]
    fn wire_numbers_are_negated_and_never_overflow() {
        assert_eq!(Errno::from_wire(0), Errno::SUCCESS);
        assert!(Errno::from_wire(0).is_success());
        assert_eq!(Errno::from_wire(-105), Errno::ENOBUFS);
        assert_eq!(Errno::from_wire(2), Errno::ENOENT);
        assert_eq!(Errno::from_wire(i32::MIN), Errno(i32::MAX));
    }

    #[test]
    fn known_and_unknown_numbers_print() {
        assert_eq!(Errno::EEXIST.to_string(), "File exists (EEXIST)");
        assert_eq!(alloc::format!("{:?}", Errno::EEXIST), "EEXIST");
        assert_eq!(Errno(4711).to_string(), "error 4711");
        assert_eq!(Errno(-3).to_string(), "error -3");
        assert_eq!(alloc::format!("{:?}", Errno(4711)), "Errno(4711)");
        assert_eq!(Errno::SUCCESS.to_string(), "Success");
        assert_eq!(Errno::SUCCESS.name(), None);
        assert_eq!(Errno::ENOTSUP, Errno(95));
        assert_eq!(Errno::ENOTSUPP, Errno(524));
    }
}
