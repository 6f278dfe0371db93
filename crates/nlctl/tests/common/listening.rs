//! Programs that print events, side by side.

use std::fs::{self, File};
use std::process::Command;

use nl_testkit::{Running, wait_until};

use super::beside;
use super::command;

/// A program that writes to a file, ended with the test.
pub struct Listening {
    child: Running,
    file: String,
}

impl Listening {
    /// Starts a program; the file is called `name`.
    pub fn start(mut program: Command, name: &str) -> Self {
        let file = format!("/run/{name}");
        let out = File::create(&file).unwrap();
        Self { child: Running::start(program.env("LC_ALL", "C").stdout(out)), file }
    }

    /// The id of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has printed so far.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.file).unwrap()
    }
}

/// A program with the words of a line.
pub fn program(name: &str, line: &str) -> Command {
    let mut command = Command::new(name);
    command.args(beside::words(line));
    command
}

/// Numbers that no address can hold by chance.
const MARKS: [u32; 3] = [775_000_001, 776_000_001, 777_000_001];

/// What ours and ip print of some changes, and what ours prints with `-j`. `mark` makes both tell of
/// something that the number stands in.
///
/// What is told at first or at the end may be told to one alone; so only what stands between two
/// marks counts.
pub fn both_tell(line: &str, mark: impl Fn(u32), changes: impl FnOnce()) -> [String; 3] {
    let ours = Listening::start(command(&beside::words(line)), "ours");
    let theirs = Listening::start(program("ip", line), "theirs");
    let json = Listening::start(command(&[&["-j"], &beside::words(line)[..]].concat()), "json");
    let all = [&ours, &theirs, &json];
    let words = MARKS.map(|mark| mark.to_string());
    // ip forgets what comes while it lists links at first.
    wait_until("all to tell", || {
        mark(MARKS[0]);
        all.iter().all(|listening| listening.said().contains(&words[0]))
    });
    mark(MARKS[1]);
    changes();
    mark(MARKS[2]);
    wait_until("the end of it", || {
        all.iter().all(|listening| listening.said().contains(&words[2]))
    });
    all.map(|listening| {
        let said = listening.said();
        let lines: Vec<_> = said.split_inclusive('\n').collect();
        let first = lines.iter().rposition(|line| line.contains(&words[1])).expect("a mark");
        let last = lines.iter().position(|line| line.contains(&words[2])).expect("a mark");
        lines[first + 1..last].concat()
    })
}
