//! This program and ip(8), side by side.

use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use super::{Ran, run};

/// The words of a line.
pub fn words(line: &str) -> Vec<&str> {
    line.split_ascii_whitespace().collect()
}

/// What ip gives, without the empty line that it puts behind some errors.
pub fn ip(line: &str) -> Ran {
    let output = Command::new("ip").args(words(line)).env("LC_ALL", "C").output().unwrap();
    let mut ran = Ran::from(output);
    ran.err = ran.err.replace("\n\n", "\n");
    ran
}

/// JSON, read.
pub fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Asserts that two texts are the same, showing the lines of each that the other has not.
pub fn same(ours: &str, theirs: &str, what: &str) {
    if ours != theirs {
        let only = |one: &str, other: &str| -> Vec<String> {
            one.lines()
                .filter(|line| !other.lines().any(|l| l == *line))
                .map(str::to_owned)
                .collect()
        };
        panic!(
            "{what}\nours: {:#?}\ntheirs: {:#?}\n{ours}",
            only(ours, theirs),
            only(theirs, ours)
        );
    }
}

/// Runs both until they agree: times run on between the two.
pub fn agree(line: &str) -> Ran {
    let run_both = || (run(&words(line)), ip(line));
    for _ in 0..20 {
        let (ours, theirs) = run_both();
        if (ours.code, &ours.out, &ours.err) == (theirs.code, &theirs.out, &theirs.err) {
            return ours;
        }
        sleep(Duration::from_millis(30));
    }
    let (ours, theirs) = run_both();
    assert_eq!((ours.code, &ours.err), (theirs.code, &theirs.err), "{line}");
    same(&ours.out, &theirs.out, line);
    ours
}
