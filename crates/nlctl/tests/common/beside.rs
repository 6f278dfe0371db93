//! This program and ip(8), side by side.

use std::process::Command;

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

/// What ours gives, without the indented line that it adds to refusals.
fn ours(line: &str) -> Ran {
    let ran = run(&words(line));
    let lines = ran.err.split_inclusive('\n').filter(|line| !line.starts_with("  "));
    Ran { err: lines.collect(), ..ran }
}

/// Asserts that ours and ip say, and end, the same, but for what ours adds to refusals; gives what
/// ours did. Both look until they agree: counters and times run on.
pub fn agree(line: &str) -> Ran {
    agree_but_for(line, str::to_owned)
}

/// [`agree`] on what is left of the output by `still`.
pub fn agree_but_for(line: &str, still: impl Fn(&str) -> String) -> Ran {
    let keep = |ran: Ran| Ran { out: still(&ran.out), ..ran };
    let (ours, theirs) = nl_testkit::agree(|| keep(ours(line)), || keep(ip(line)));
    assert_eq!((ours.code, &ours.err), (theirs.code, &theirs.err), "{line}");
    same(&ours.out, &theirs.out, line);
    ours
}

/// Asserts that ours and ip give the same JSON, in whatever order of keys.
pub fn agree_json(line: &str) -> Value {
    // ip prints nothing at all where it found nothing.
    let read = |ran: Ran| {
        let value = value(if ran.out.is_empty() { "[]" } else { &ran.out });
        (ran.code, ran.err, value)
    };
    let (ours, theirs) = nl_testkit::agree(|| read(ours(line)), || read(ip(line)));
    assert_eq!((ours.0, ours.1), (theirs.0, theirs.1), "{line}");
    let (ours, theirs) = (ours.2, theirs.2);
    let lines = |value: &Value| {
        let items = value.as_array().into_iter().flatten();
        items.map(Value::to_string).collect::<Vec<_>>().join("\n")
    };
    if ours != theirs {
        same(&lines(&ours), &lines(&theirs), line);
    }
    assert_eq!(ours, theirs, "{line}");
    ours
}
