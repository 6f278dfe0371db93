//! Which network namespaces there are: those mounted somewhere, and those of processes.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;

use nl_socket::netns::NetnsId;

/// Every mount of this process, also those of ip-netns(8) and of container runtimes. Its descriptor
/// tells when a mount comes or goes (proc(5)).
const MOUNTS: &str = "/proc/self/mountinfo";

/// A process may move to another namespace; one in so many is looked at again in each scan.
const SHARE: u32 = 8;

/// Namespaces and the files that are these.
pub(super) type Found = BTreeMap<NetnsId, Vec<PathBuf>>;

/// Looks for namespaces, the second time on only where something may have changed.
#[derive(Debug)]
pub(super) struct Discovery {
    /// The device of all namespaces.
    device: u64,
    mounts: Found,
    processes: HashMap<u32, NetnsId>,
    turn: u32,
    hidden: usize,
}

impl Discovery {
    pub(super) fn new(own: NetnsId) -> Self {
        let (mounts, processes) = (Found::new(), HashMap::new());
        Self { device: own.device, mounts, processes, turn: 0, hidden: 0 }
    }

    /// What to wait for, see [`nl_socket::Poller::add_urgent`].
    pub(super) fn open_mounts() -> io::Result<File> {
        File::open(MOUNTS)
    }

    /// How many processes could not be looked at in the last scan.
    pub(super) fn hidden(&self) -> usize {
        self.hidden
    }

    /// Reads the mounts anew.
    pub(super) fn scan_mounts(&mut self) -> io::Result<()> {
        let mut text = Vec::new();
        File::open(MOUNTS)?.read_to_end(&mut text)?;
        self.mounts.clear();
        for line in text.split(|byte| *byte == b'\n') {
            if let Some((inode, path)) = mount(line) {
                let id = NetnsId { device: self.device, inode };
                self.mounts.entry(id).or_default().push(path);
            }
        }
        Ok(())
    }

    /// Looks at the processes that were not there the last time, and at some of the others.
    pub(super) fn scan_processes(&mut self) -> io::Result<()> {
        self.turn = self.turn.wrapping_add(1);
        let before = std::mem::take(&mut self.processes);
        self.hidden = 0;
        for entry in fs::read_dir("/proc")? {
            let name = entry?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            let known = before.get(&pid).filter(|_| pid % SHARE != self.turn % SHARE);
            let id = match known {
                Some(id) => *id,
                None => match fs::metadata(process(pid)) {
                    Ok(file) => NetnsId { device: file.dev(), inode: file.ino() },
                    Err(error) => {
                        let denied = error.kind() == io::ErrorKind::PermissionDenied;
                        self.hidden += usize::from(denied);
                        continue;
                    }
                },
            };
            self.processes.insert(pid, id);
        }
        Ok(())
    }

    /// Whether a process is still in the namespace that it was last seen in.
    fn is_there(pid: u32, id: NetnsId) -> bool {
        let file = fs::metadata(process(pid));
        file.is_ok_and(|file| (file.dev(), file.ino()) == (id.device, id.inode))
    }

    /// All that was found: the mounts of each namespace, and one of its processes.
    pub(super) fn found(&mut self) -> Found {
        let mut found = self.mounts.clone();
        let mut named: BTreeMap<NetnsId, u32> = BTreeMap::new();
        self.processes.retain(|pid, id| match named.get(id) {
            Some(other) if other <= pid => true,
            // One that is known must still be there: it may stand for the namespace's life.
            _ if Self::is_there(*pid, *id) => {
                named.insert(*id, *pid);
                true
            }
            _ => false,
        });
        for (id, pid) in named {
            found.entry(id).or_default().push(process(pid));
        }
        found
    }
}

fn process(pid: u32) -> PathBuf {
    format!("/proc/{pid}/ns/net").into()
}

/// Inode and place of a mounted network namespace: `36 25 0:4 net:[4026532281] /run/netns/a rw …`.
fn mount(line: &[u8]) -> Option<(u64, PathBuf)> {
    let mut fields = line.split(|byte| *byte == b' ').skip(3);
    let root = std::str::from_utf8(fields.next()?).ok()?;
    let inode = root.strip_prefix("net:[")?.strip_suffix(']')?.parse().ok()?;
    Some((inode, unescape(fields.next()?)))
}

/// Undoes `\040` and the like, by which the kernel writes blanks and backslashes.
fn unescape(mut rest: &[u8]) -> PathBuf {
    let mut path = Vec::with_capacity(rest.len());
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = tail.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let octal = digits.and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(octal) if byte == b'\\' => {
                path.push(octal);
                rest = tail.get(3..).unwrap_or_default();
            }
            _ => {
                path.push(byte);
                rest = tail;
            }
        }
    }
    OsString::from_vec(path).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_read() {
        let line = br"36 25 0:4 net:[4026532281] /run/netns/a\040b\134 rw shared:1 - nsfs nsfs rw";
        assert_eq!(mount(line), Some((4_026_532_281, r"/run/netns/a b\".into())));
        assert_eq!(mount(b"36 25 0:4 mnt:[4026532281] /x rw - nsfs nsfs rw"), None);
        assert_eq!(mount(b"36 25 0:4 net:[x] /x"), None);
        assert_eq!(mount(b""), None);
        assert_eq!(unescape(br"\04"), PathBuf::from(r"\04"));
    }

    #[test]
    #[cfg_attr(miri, ignore = "no kernel")]
    fn processes_are_found_again() {
        let file = fs::metadata("/proc/self/ns/net").unwrap();
        let own = NetnsId { device: file.dev(), inode: file.ino() };
        let mut discovery = Discovery::new(own);
        for _ in 0..2 * SHARE {
            discovery.scan_processes().unwrap();
            assert!(discovery.found().contains_key(&own));
        }
    }
}
