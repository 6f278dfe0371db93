//! This program and conntrack(8), side by side.

// Every test program has a copy of this, and none uses all of it.
#![allow(dead_code, unreachable_pub)]

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nl_testkit::{Running, is_between, sh, wait_until};

use crate::common::Ran;

/// How this program is called in the place of conntrack(8).
pub const OURS: &str = concat!(env!("CARGO_BIN_EXE_nlctl"), " conntrack");

/// Runs a line of shell that begins with conntrack(8), or us in its place.
pub fn shell(program: &str, line: &str) -> Ran {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{program} {line}")]).stdin(Stdio::null());
    command.env("LC_ALL", "C").output().unwrap().into()
}

/// What may differ: who speaks, and which program it was that changed something, for whether that
/// is still there to be named is a matter of luck.
pub fn anonymous(text: &str) -> String {
    let name = format!("nlctl v{} (conntrack)", env!("CARGO_PKG_VERSION"));
    let text = text.replace(&name, "conntrack").replace("nlctl conntrack", "conntrack");
    let text = text.replace("conntrack v1.4.7 (conntrack-tools)", "conntrack");
    let lines = text.lines().map(|line| match line.split_once(" [USERSPACE] portid=") {
        Some((before, _)) => format!("{before} [USERSPACE]\n"),
        None => format!("{line}\n"),
    });
    lines.collect()
}

/// Without the indented lines in which ours says where, or why.
pub fn without_places(err: &str) -> String {
    err.split_inclusive('\n').filter(|line| !line.starts_with("  ")).collect()
}

/// Whether both programs say and end the same, whoever speaks. Seconds run on meanwhile, so
/// what conntrack(8) shows before and after is compared; if it differs, all look again for a while.
///
/// # Errors
/// How they differ.
pub fn same(line: &str) -> Result<Ran, String> {
    let look = |program: &str| {
        let Ran { code, out, err } = shell(program, line);
        Ran { code, out, err: without_places(&anonymous(&err)) }
    };
    let deadline = Instant::now() + PATIENCE;
    let mut before = look("conntrack");
    loop {
        let ours = look(OURS);
        let after = look("conntrack");
        let fits = |theirs: &Ran| (ours.code, &ours.err) == (theirs.code, &theirs.err);
        if fits(&before) && fits(&after) && is_between(&before.out, &ours.out, &after.out) {
            return Ok(ours);
        }
        if Instant::now() >= deadline {
            return Err(format!("{line}\n{before:#?}\n{ours:#?}\n{after:#?}\n"));
        }
        before = after;
    }
}

/// How long to look again.
const PATIENCE: Duration = Duration::from_secs(10);

/// conntrack(8) and we find the names of labels in /etc, which the mount namespace makes our own.
pub fn own_etc() {
    sh(
        "mkdir -p /run/etc/xtables; cp -L /etc/ld.so.cache /etc/localtime /etc/protocols /run/etc || true",
    );
    fs::write("/run/etc/xtables/connlabel.conf", "0 foo\n1 bar\n2 baz\n").unwrap();
    sh("mount --bind /run/etc /etc");
}

/// A program that follows events and prints them to a file.
pub struct Watcher {
    child: Running,
    out: PathBuf,
    err: PathBuf,
}

impl Watcher {
    /// Starts a line of shell that begins with conntrack(8), or us in its place. It listens as soon
    /// as [`masks`] has its groups.
    pub fn start(program: &str, line: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let file = |what: &str| PathBuf::from(format!("/run/{number}.{what}"));
        let (out, err) = (file("out"), file("err"));
        let mut command = Command::new("sh");
        command.args(["-c", &format!("exec {program} {line}")]).env("LC_ALL", "C");
        command.stdin(Stdio::null());
        command.stdout(File::create(&out).unwrap()).stderr(File::create(&err).unwrap());
        Self { child: Running::start(&mut command), out, err }
    }

    /// What it printed so far.
    pub fn out(&self) -> String {
        fs::read_to_string(&self.out).unwrap()
    }

    /// How many lines that are.
    pub fn lines(&self) -> usize {
        self.out().matches('\n').count()
    }

    /// What it said so far.
    pub fn err(&self) -> String {
        fs::read_to_string(&self.err).unwrap()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: &str) {
        self.child.signal(signal);
    }

    /// Stops it, and waits until it stands.
    pub fn stop(&self) {
        self.signal("STOP");
        let stat = format!("/proc/{}/stat", self.child.id());
        wait_until("a stopped program", || {
            let stat = fs::read_to_string(&stat).unwrap();
            stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
        });
    }

    /// How many bytes wait in its socket, and how many events were lost there.
    pub fn queue(&self) -> (usize, usize) {
        let port = self.child.id();
        let mine: Vec<_> = sockets().into_iter().filter(|socket| socket.port == port).collect();
        assert_eq!(mine.len(), 1, "sockets of {port}");
        (mine[0].bytes, mine[0].drops)
    }

    /// Ends it; gives what it printed and said.
    pub fn end(mut self) -> Ran {
        self.signal("INT");
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        Ran { code, out: self.out(), err: self.err() }
    }
}

/// A conntrack socket that listens.
struct Listener {
    port: u32,
    /// The groups that it joined, the first as bit 0.
    mask: u32,
    /// What waits to be read.
    bytes: usize,
    drops: usize,
}

/// Those of this namespace.
fn sockets() -> Vec<Listener> {
    let table = fs::read_to_string("/proc/thread-self/net/netlink").unwrap();
    let socket = |line: &str| {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, "12", port, mask, bytes, _, _, _, drops, _] = words[..] else { return None };
        let mask = u32::from_str_radix(mask, 16).unwrap();
        let number = |word: &str| word.parse().unwrap();
        let port = port.parse().unwrap();
        Some(Listener { port, mask, bytes: number(bytes), drops: number(drops) })
    };
    table.lines().filter_map(socket).filter(|socket| socket.mask != 0).collect()
}

/// The groups of each of those that listen in this namespace, sorted.
pub fn masks() -> Vec<u32> {
    let mut masks: Vec<u32> = sockets().iter().map(|socket| socket.mask).collect();
    masks.sort_unstable();
    masks
}

/// How many bytes wait in the sockets of those that listen in this namespace, and how many events
/// were lost there.
pub fn queues() -> Vec<(usize, usize)> {
    sockets().iter().map(|socket| (socket.bytes, socket.drops)).collect()
}

/// Waits until all that listen in this namespace have read what was sent to them.
pub fn all_read() {
    wait_until("empty queues", || sockets().iter().all(|socket| socket.bytes == 0));
}
