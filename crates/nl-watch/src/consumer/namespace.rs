//! What is known of a network namespace, and what may go wrong with one.

use std::fmt;
use std::path::PathBuf;

use nl_socket::Error;
use nl_socket::netns::NetnsId;

/// A network namespace, as the consumer's own one knows it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Namespace {
    /// Whether it is the consumer's own. That has nothing to do with id 0, which is another one's.
    pub own: bool,
    /// Device and inode. `None` if it is known by its id alone: no path leads to it, so it can't be
    /// entered nor listed, but its events are heard.
    pub id: Option<NetnsId>,
    /// The number that the consumer's namespace has for it; one that ended may have had the same.
    pub nsid: Option<i32>,
    /// Files that are this namespace: mounts (`/run/netns/NAME`) first, then a process of it
    /// (`/proc/PID/ns/net`). They may be gone, or be another one by now.
    pub paths: Vec<PathBuf>,
}

impl Namespace {
    /// A number that no other namespace of this host has, for [`Tracker`](crate::nat::Tracker) and
    /// [`Metrics`](crate::metrics::Metrics): its inode, which has 32 bits; 2³² and its
    /// [id](Namespace::nsid) where that is all that is known.
    ///
    /// One of which more becomes known is found anew ([`Told::Found`](super::Told::Found)), and has
    /// another number from then on.
    pub fn number(&self) -> u64 {
        let nsid = u64::from(self.nsid.unwrap_or_default().unsigned_abs());
        self.id.map_or(1 << 32 | nsid, |id| id.inode)
    }

    /// Its number as long as its id was all that was known of it.
    pub(crate) fn number_before(&self) -> u64 {
        Self { nsid: self.nsid, ..Self::default() }.number()
    }

    /// The last part of the first path that is a mount: what ip-netns(8) calls its name.
    pub fn name(&self) -> Option<&std::ffi::OsStr> {
        let path = self.paths.iter().find(|path| !path.starts_with("/proc"))?;
        path.file_name()
    }
}

impl fmt::Display for Namespace {
    /// One line: what tells it from others.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.own, self.name(), self.paths.first()) {
            (true, ..) => f.write_str("own namespace")?,
            (_, Some(name), _) => write!(f, "namespace {}", name.to_string_lossy().escape_debug())?,
            (_, None, Some(path)) => {
                write!(f, "namespace {}", path.to_string_lossy().escape_debug())?;
            }
            (_, None, None) => f.write_str("namespace")?,
        }
        if let Some(nsid) = self.nsid {
            write!(f, " nsid {nsid}")?;
        }
        if let Some(id) = self.id {
            write!(f, " inode {}", id.inode)?;
        }
        Ok(())
    }
}

/// What a consumer does that the kernel may refuse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Doing {
    /// Opening sockets and joining the groups of events.
    Subscribe,
    /// Asking for the events of other namespaces (`NETLINK_LISTEN_ALL_NSID`).
    Hear,
    /// Asking for the ids of namespaces, and being told of them.
    Ask,
    /// Giving a namespace an id, without which its events are not heard.
    Assign,
    /// Opening a socket in another namespace.
    Enter,
    /// Listing the table of a namespace.
    List,
}

impl Doing {
    /// What is being done, and the capability that it takes.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Subscribe => ("subscribing to events", "CAP_NET_ADMIN"),
            Self::Hear => ("hearing the events of other namespaces", "CAP_NET_BROADCAST"),
            Self::Ask => ("asking for ids of namespaces", "CAP_NET_ADMIN"),
            Self::Assign => ("giving a namespace an id", "CAP_NET_ADMIN"),
            Self::Enter => ("entering a namespace", "CAP_SYS_ADMIN there and here"),
            Self::List => ("listing", "CAP_NET_ADMIN"),
        }
    }
}

/// Something failed, and what would allow it if it is for want of a privilege.
#[derive(Debug)]
pub struct NamespaceError {
    /// What was being done.
    pub doing: Doing,
    /// Why it failed.
    pub source: Error,
}

impl NamespaceError {
    pub(super) fn new(doing: Doing) -> impl Fn(Error) -> Self {
        move |source| Self { doing, source }
    }

    pub(super) fn io(doing: Doing) -> impl Fn(std::io::Error) -> Self {
        move |source| Self { doing, source: Error::Io(source) }
    }

    /// Whether it is for want of a privilege.
    pub fn is_permission(&self) -> bool {
        self.source.is_permission()
    }
}

impl fmt::Display for NamespaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (words, capability) = self.doing.words();
        write!(f, "{words}: {}", self.source)?;
        if self.is_permission() {
            write!(f, ": needs {capability}; run as root, or give the program ")?;
            f.write_str("cap_net_admin,cap_net_broadcast,cap_sys_admin with setcap")?;
        }
        Ok(())
    }
}

impl std::error::Error for NamespaceError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_what_would_help() {
        let refused = std::io::Error::from_raw_os_error(1);
        let text = NamespaceError::io(Doing::Hear)(refused).to_string();
        assert!(text.contains("needs CAP_NET_BROADCAST; run as root"), "{text}");
        let other = NamespaceError::io(Doing::Enter)(std::io::Error::from_raw_os_error(2));
        assert!(!other.to_string().contains("CAP"), "{other}");
    }

    #[test]
    fn namespaces_say_who_they_are() {
        let own = Namespace { own: true, ..Namespace::default() };
        assert_eq!(own.to_string(), "own namespace");
        let named = Namespace {
            nsid: Some(0),
            id: Some(NetnsId { device: 4, inode: 77 }),
            paths: vec!["/proc/9/ns/net".into(), "/run/netns/a\x1bb".into()],
            ..Namespace::default()
        };
        assert_eq!(named.to_string(), "namespace a\\u{1b}b nsid 0 inode 77");
        assert_eq!((named.number(), named.number_before()), (77, 1 << 32));
    }
}
