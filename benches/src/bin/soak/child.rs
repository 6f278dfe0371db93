//! The reader's process, as the one that changes tables sees it.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use nl_testkit::sh;

use crate::report::{Fault, Report};

/// A receive buffer in which a few events find room, in bytes.
const TINY: u64 = 8192;

/// What to ask for otherwise; the kernel gives what it allows.
const LARGE: u64 = 4 << 20;

/// What an event takes from a receive buffer at most, in bytes: 1,280 were measured, 2,304 for
/// long ones.
const EVENT_COST: u64 = 2560;

/// A reader. It is killed when this is dropped.
pub(crate) struct Reader {
    child: Child,
    commands: ChildStdin,
    reports: BufReader<ChildStdout>,
    /// How many events its receive buffer holds.
    pub room: usize,
}

impl Reader {
    /// Starts one for a table, and waits until it follows.
    pub(crate) fn start(table: &str) -> Self {
        let program = env::current_exe().expect("this program has a path");
        let mut child = Command::new(program)
            .args(["reader", table])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the reader starts");
        let commands = child.stdin.take().expect("stdin is piped");
        let reports = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut reader = Self { child, commands, reports, room: 0 };
        let report = reader.ask(&format!("buffer {LARGE}"));
        reader.room = usize::try_from(report.buffer / EVENT_COST).expect("a room").max(1);
        reader
    }

    /// Gives a command and waits for its answer.
    pub(crate) fn ask(&mut self, command: &str) -> Report {
        writeln!(self.commands, "{command}").expect("the reader listens");
        let mut line = String::new();
        self.reports.read_line(&mut line).expect("the reader answers");
        Report::parse(&line).unwrap_or_else(|| panic!("{command}: the reader said {line:?}"))
    }

    fn signal(&self, signal: &str) {
        sh(&format!("kill -{signal} {}", self.child.id()));
    }

    /// Lets a fault befall it …
    pub(crate) fn begin(&mut self, fault: Fault) {
        match fault {
            Fault::Stop => self.signal("STOP"),
            Fault::Tiny => drop(self.ask(&format!("buffer {TINY}"))),
            _ => {}
        }
    }

    /// … and ends it.
    pub(crate) fn end(&mut self, fault: Fault) {
        match fault {
            Fault::Stop => self.signal("CONT"),
            Fault::Tiny => drop(self.ask(&format!("buffer {LARGE}"))),
            _ => {}
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
