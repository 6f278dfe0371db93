//! Programs that run beside a test, and end with it.

use std::fs::{self, File};
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, Command, Output};

use crate::tool::{sh, try_sh};

/// A child process that ends with the test: when this value is dropped, be it by a panic, the process
/// is killed and waited for.
#[derive(Debug)]
pub struct Running(Option<Child>);

impl Running {
    /// Starts a program.
    ///
    /// # Panics
    /// If it can't be started.
    pub fn start(command: &mut Command) -> Self {
        let child = command.spawn();
        Self(Some(child.unwrap_or_else(|error| panic!("{command:?}: {error}"))))
    }

    /// Sends it a signal, by a name such as `INT`.
    ///
    /// # Panics
    /// If it has ended and was waited for.
    pub fn signal(&self, signal: &str) {
        sh(&format!("kill -{signal} {}", self.id()));
    }

    /// Waits for its end; gives that, and what it printed to pipes that nobody took.
    ///
    /// # Panics
    /// If it can't be waited for.
    pub fn output(mut self) -> Output {
        let child = self.0.take().expect("it is there until it is dropped");
        child.wait_with_output().expect("a child can be waited for")
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        self.0.as_mut().expect("it is there until it is dropped")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // It may have ended.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The namespaces of a process, held, so that nobody else gets their numbers.
pub(crate) struct Home {
    file: File,
    /// Which of them tells its descendants from other processes.
    kind: &'static str,
}

impl Home {
    /// Of a process that has a user namespace of its own, or else one of mounts.
    ///
    /// # Errors
    /// If it has neither, or the kernel does not let us look.
    pub(crate) fn of(process: u32) -> io::Result<Self> {
        let number = |process: &str, kind| {
            fs::metadata(format!("/proc/{process}/ns/{kind}")).map(|namespace| namespace.ino())
        };
        for kind in ["user", "mnt"] {
            if number("self", kind)? != number(&process.to_string(), kind)? {
                return Ok(Self { file: File::open(format!("/proc/{process}/ns/{kind}"))?, kind });
            }
        }
        Err(io::ErrorKind::InvalidInput.into())
    }

    /// Kills what is left there: what a test that was killed had started, for instance.
    pub(crate) fn end(&self) {
        let Ok(home) = self.file.metadata() else { return };
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let left: Vec<String> = processes
            .filter(|entry| {
                let namespace = fs::metadata(entry.path().join("ns").join(self.kind));
                namespace.is_ok_and(|it| (it.dev(), it.ino()) == (home.dev(), home.ino()))
            })
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|name| name.parse::<u32>().is_ok())
            .collect();
        if !left.is_empty() {
            // They may end meanwhile.
            let _ = try_sh(&format!("kill -KILL {}", left.join(" ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;
    use std::process::Stdio;
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn it_ends_with_a_panic() {
        let id = Mutex::new(0);
        let failed = catch_unwind(|| {
            let child = Running::start(Command::new("sleep").arg("60"));
            *id.lock().unwrap() = child.id();
            panic!("on purpose");
        });
        assert!(failed.is_err());
        let id = id.into_inner().unwrap();
        assert!(id != 0 && fs::metadata(format!("/proc/{id}")).is_err(), "{id} goes on");
    }

    #[test]
    fn its_end_is_waited_for() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo here; kill -TERM $$; sleep 60"]).stdout(Stdio::piped());
        let output = Running::start(&mut command).output();
        assert_eq!((output.status.code(), &*output.stdout), (None, &b"here\n"[..]));
        let child = Running::start(Command::new("sleep").arg("60"));
        child.signal("TERM");
        assert_eq!(child.output().status.code(), None);
    }
}
