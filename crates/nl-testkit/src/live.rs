//! Tests against a living kernel, each in a namespace of its own.

use std::any::type_name;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use nl_socket::netns;

use crate::running::Home;

/// How long a live test may run.
pub const LIMIT: Duration = Duration::from_secs(180);

/// Has a number by which limits are multiplied, for machines that are so much slower.
const PATIENCE: &str = "NL_TEST_PATIENCE";

/// Names the test which a child process is to run.
const CHILD: &str = "NL_LIVE_TEST";

/// Printed by the child when it has reached the test's body.
const REACHED: &str = "live test reached";

/// Starts a line about a test that could not be run.
const SKIPPED: &str = "skipped: ";

/// Runs the body of a test inside a user, network and mount namespace of its
/// own, as root there, with an empty `/run` and a loopback device that is down.
///
/// The test's binary starts itself again for exactly this test, with one thread
/// at the time of entering, and the body runs in that child. Its output is shown
/// if it fails. Call it as the only statement of the test, with a closure
/// written there: the closure's type tells the test's name.
///
/// ```no_run
/// #[test]
/// fn loopback_is_down() {
///     nl_testkit::live(|| {
///         assert!(!nl_testkit::sh("ip link show lo").contains("LOWER_UP"));
///     });
/// }
/// ```
///
/// The namespace tells of each of its tracked connections, however old. By default a kernel tells
/// only of those that began while somebody on the machine followed such events: what a test sees
/// would depend on which others run beside it. A namespace that the test makes itself has that
/// default.
///
/// Where the host forbids such namespaces the test is skipped, see [`skip`].
///
/// What the body started and left running is killed when it has ended, however it ended. Before that a
/// [`Running`](crate::Running) sees to it.
///
/// # Panics
/// If the body panics, or runs for longer than [`LIMIT`], which the environment variable
/// `NL_TEST_PATIENCE` multiplies.
pub fn live<F: FnOnce()>(body: F) {
    live_within(LIMIT, body);
}

/// [`live`] with a limit of its own.
///
/// # Panics
/// If the body panics, or runs for longer than `limit`.
pub fn live_within<F: FnOnce()>(limit: Duration, body: F) {
    run(test_of(type_name::<F>()), limit, body);
}

/// [`live`] for what prepares several tests: the test is the one in which `written`, a closure, was
/// written, and that is called with what `prepare` made.
///
/// # Panics
/// As [`live`].
pub fn live_with<T, F: FnOnce(T)>(prepare: impl FnOnce() -> Option<T>, written: F) {
    run(test_of(type_name::<F>()), LIMIT, || {
        if let Some(prepared) = prepare() {
            written(prepared);
        }
    });
}

fn run(test: &str, limit: Duration, body: impl FnOnce()) {
    let patience = env::var(PATIENCE).ok().and_then(|factor| factor.parse().ok());
    let limit = limit * patience.unwrap_or(1);
    if env::var_os(CHILD).is_some_and(|wanted| wanted == *test) {
        println!("{REACHED}");
        // Should the parent die, nobody else would end a test that hangs.
        thread::spawn(move || {
            thread::sleep(limit + Duration::from_secs(5));
            process::abort();
        });
        tell_all();
        body();
        return;
    }
    let mut output = unnamed_file();
    let child = match start(test, &output) {
        Ok(child) => child,
        Err(error) => return skip(&error.to_string()),
    };
    // Where the kernel does not let us look the test itself must see to what it started.
    let home = Home::of(child.id()).ok();
    let status = wait(child, limit);
    home.iter().for_each(Home::end);
    let mut text = Vec::new();
    output.rewind().and_then(|()| output.read_to_end(&mut text)).expect("the output file reads");
    let text = String::from_utf8_lossy(&text);
    match status {
        None => panic!("{test} ran for more than {limit:?}; its output:\n{text}"),
        Some(status) if !status.success() => panic!("{test} failed ({status}):\n{text}"),
        Some(_) => {}
    }
    assert!(text.contains(REACHED), "no test is called {test}:\n{text}");
    for line in text.lines().filter(|line| line.starts_with(SKIPPED)) {
        print_uncaptured(line);
    }
}

/// Has the kernel tell of all tracked connections of this network namespace.
fn tell_all() {
    // Not there where connections are not tracked; nothing needs it then.
    let _ = fs::write("/proc/sys/net/netfilter/nf_conntrack_events", "1");
}

/// Says why a test, or the rest of it, cannot be run here; return after it.
///
/// # Panics
/// If the environment variable `CI` is set: there everything must run.
pub fn skip(reason: &str) {
    assert!(env::var_os("CI").is_none(), "cannot be skipped where CI is set: {reason}");
    print_uncaptured(&format!("{SKIPPED}{reason}"));
}

/// Past the test harness, which keeps what successful tests print to itself.
fn print_uncaptured(line: &str) {
    // A closed stderr is no reason to fail a test.
    let _ = writeln!(io::stderr(), "{line}");
}

/// The test in which a closure was written: its path without the crate's name.
fn test_of(closure: &str) -> &str {
    let path = closure.split("::{{closure}}").next().unwrap_or(closure);
    path.split_once("::").map_or(path, |(_, rest)| rest)
}

/// A file without a name, for what the child prints. Unlike a pipe it needs no
/// reader and is not held open by what the child leaves running.
fn unnamed_file() -> File {
    static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let path = env::temp_dir().join(format!("nl-live-{}-{count}", process::id()));
    let file = File::options().read(true).write(true).create_new(true).open(&path);
    let file = file.unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
    fs::remove_file(&path).expect("the file just made can be removed");
    file
}

fn start(test: &str, output: &File) -> io::Result<Child> {
    let mut command = Command::new(env::current_exe()?);
    command
        .args(["--exact", test, "--nocapture", "--include-ignored", "--test-threads", "1"])
        .env(CHILD, test)
        .env_remove("RUST_TEST_THREADS")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output.try_clone()?);
    netns::private_command(&mut command);
    command.spawn().map_err(netns::refusal)
}

/// Waits for the child; kills it when the time is over.
fn wait(mut child: Child, limit: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            return Some(status);
        }
        if Instant::now() >= deadline {
            child.kill().expect("the child can be killed");
            child.wait().expect("the child can be waited for");
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name<F: FnOnce()>(_: F) -> &'static str {
        test_of(type_name::<F>())
    }

    #[test]
    fn a_closure_names_its_test() {
        assert_eq!(test_of("socket::opens::{{closure}}"), "opens");
        assert_eq!(test_of("nl_x::a::tests::opens::{{closure}}::{{closure}}"), "a::tests::opens");
        assert_eq!(name(|| ()), "live::tests::a_closure_names_its_test");
    }
}
