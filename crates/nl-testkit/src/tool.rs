//! Reference tools and set-up commands: ip(8), conntrack(8), nft(8), sh(1).

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::process::{Command, Output};

use crate::live::skip;

/// Whether the tools are installed. Where one is missing the test is skipped
/// ([`skip`]): return if this is false.
///
/// # Panics
/// If one is missing and the environment variable `CI` is set.
pub fn need(tools: &[&str]) -> bool {
    for tool in tools {
        if !is_installed(tool) {
            skip(&format!("{tool} is not installed"));
            return false;
        }
    }
    true
}

/// The version of the kernel that runs, of two numbers, for what only some can do.
///
/// # Panics
/// If the kernel does not tell.
#[must_use]
pub fn linux() -> (u32, u32) {
    let release =
        fs::read_to_string("/proc/sys/kernel/osrelease").expect("the kernel has a version");
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|n| n.parse().ok());
    numbers.next().zip(numbers.next()).expect("a version begins with two numbers")
}

/// Directories to look in besides `PATH`, which often lacks them for users.
const SYSTEM_DIRECTORIES: [&str; 2] = ["/usr/sbin", "/sbin"];

fn is_installed(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(SYSTEM_DIRECTORIES.map(Into::into))
        .any(|directory| directory.join(tool).is_file())
}

/// What a tool prints to stdout.
///
/// # Panics
/// If it cannot be started or fails, with all that it printed.
pub fn tool(name: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(name);
    command.args(arguments);
    finish(command).unwrap_or_else(|failure| panic!("{failure}"))
}

/// Runs a line of shell, which stops at the first command that fails, and gives
/// what it prints to stdout.
///
/// # Panics
/// If it fails, with all that it printed.
pub fn sh(script: &str) -> String {
    try_sh(script).unwrap_or_else(|failure| panic!("{failure}"))
}

/// [`sh`] for what a kernel may not be able to do.
///
/// # Errors
/// If it fails: the script and all that it printed.
pub fn try_sh(script: &str) -> Result<String, String> {
    let mut command = Command::new("sh");
    command.args(["-e", "-c", script]);
    finish(command)
}

fn finish(mut command: Command) -> Result<String, String> {
    let mut path = env::var_os("PATH").unwrap_or_default();
    for directory in SYSTEM_DIRECTORIES {
        path.push(":");
        path.push(directory);
    }
    let line: Vec<_> = [command.get_program()].into_iter().chain(command.get_args()).collect();
    let line = line.join(OsStr::new(" ")).to_string_lossy().into_owned();
    let output = command
        .env("PATH", path)
        .env("LC_ALL", "C")
        .output()
        .map_err(|error| format!("{line}: {error}"))?;
    let Output { status, stdout, stderr } = output;
    let stdout = String::from_utf8_lossy(&stdout).into_owned();
    if status.success() {
        return Ok(stdout);
    }
    Err(format!("{line}: {status}\n{stdout}{}", String::from_utf8_lossy(&stderr)))
}
