//! Which program a port id belongs to.

use std::fs;
use std::path::{Path, PathBuf};

/// The name of the program whose netlink socket has this port; `None` if it is gone.
///
/// The kernel tells the port's socket (`/proc/net/netlink`), the programs tell their sockets. A
/// program's first socket has its process id as port, so that process is looked at first.
pub(super) fn program(port: u32) -> Option<Vec<u8>> {
    let inode = inode(port)?;
    let link = PathBuf::from(format!("socket:[{inode}]"));
    let holds = |process: &Path| {
        let files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
        files
            .filter_map(|file| fs::read_link(file.path()).ok())
            .any(|file| file == Path::new(&link))
    };
    let first = Path::new("/proc").join(port.to_string());
    let process = if holds(&first) {
        first
    } else {
        let processes = fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
        let is_process = |path: &Path| {
            path.file_name()
                .is_some_and(|name| name.as_encoded_bytes().iter().all(u8::is_ascii_digit))
        };
        processes.filter(|path| is_process(path)).find(|path| holds(path))?
    };
    let mut name = fs::read(process.join("comm")).ok()?;
    if name.last() == Some(&b'\n') {
        name.pop();
    }
    Some(name)
}

/// The inode of the conntrack socket with this port.
fn inode(port: u32) -> Option<u64> {
    const NETFILTER: &str = "12";
    let table = fs::read_to_string("/proc/thread-self/net/netlink").ok()?;
    // Columns: sk, Eth (the protocol), Pid (the port), …, the last of them Inode.
    table.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let (protocol, found) = (words.nth(1)?, words.next()?);
        (protocol == NETFILTER && found.parse() == Ok(port)).then(|| words.last()?.parse().ok())?
    })
}
