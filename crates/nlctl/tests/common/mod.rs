//! Running the program as a user does.

// Every test program has a copy of this, and none uses all of it.
#![allow(dead_code, unreachable_pub)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub mod beside;
pub mod harmless;
pub mod listening;

/// What a run of the program gave.
#[derive(Debug, PartialEq)]
pub struct Ran {
    /// The exit code; a signal is −1.
    pub code: i32,
    /// What it printed.
    pub out: String,
    /// What it said on stderr.
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("the output is UTF-8"),
            err: String::from_utf8(output.stderr).expect("the errors are UTF-8"),
        }
    }
}

/// The program, not started yet.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nlctl"));
    command.args(arguments);
    command
}

/// Runs the program to its end, with `input` as stdin.
pub fn run_with(arguments: &[&str], input: &[u8]) -> Ran {
    let mut command = command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    // It may end without having read all.
    let _ = child.stdin.take().expect("stdin is piped").write_all(input);
    child.wait_with_output().expect("the program ends").into()
}

/// Runs the program to its end.
pub fn run(arguments: &[&str]) -> Ran {
    run_with(arguments, b"")
}

/// What the program prints.
///
/// # Panics
/// If it fails.
pub fn nlctl(arguments: &[&str]) -> String {
    let ran = run(arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    ran.out
}

/// A file beside the tests.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}
