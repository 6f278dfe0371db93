//! Our output and ip's, side by side.

use std::cell::RefCell;
use std::fmt::Debug;
use std::process::Command;

use nl_route::names::Names;
use nl_route::parse::WordError;
use nl_route::{Context, List, Object};
use nl_socket::Connection;
use nl_testkit::{agree, live_with, need, quiet, settle, sh, tool};
use nl_wire::json::Json;
use nl_wire::value::Family;
use serde_json::Value;

use super::{list, names};

/// How an object is printed.
pub(crate) struct Printer<T> {
    /// As text.
    pub(crate) text: fn(&mut String, &T, &Context<'_>),
    /// As JSON.
    pub(crate) json: fn(&mut Json<'_>, &T, &Context<'_>),
}

/// Runs a test in a quiet namespace that a script has set up, with the names that ip would use there.
/// Without ip it is skipped.
pub(crate) fn beside_ip(setup: &str, test: impl FnOnce((Connection, Names))) {
    let prepare = || {
        need(&["ip"]).then(|| {
            quiet();
            sh(setup);
            settle();
            let mut connection = Connection::open(Family::ROUTE).unwrap();
            let names = names(&mut connection);
            (connection, names)
        })
    };
    live_with(prepare, test);
}

/// The words of a line.
pub(crate) fn split(line: &str) -> Vec<&str> {
    line.split_ascii_whitespace().collect()
}

impl<T> Printer<T> {
    /// What we print of some.
    pub(crate) fn texts(&self, items: &[T], context: &Context<'_>) -> String {
        let mut out = String::new();
        for item in items {
            (self.text)(&mut out, item, context);
        }
        out
    }

    /// What we write of some.
    pub(crate) fn values(&self, items: &[T], context: &Context<'_>) -> Value {
        let mut out = String::new();
        let mut json = Json::new(&mut out);
        json.begin_array();
        for item in items {
            (self.json)(&mut json, item, context);
        }
        json.end_array();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }
}

impl<T: Object + Debug> Printer<T> {
    /// Asserts that what is listed prints as `ip LINE` does, in all forms; says how many there are.
    pub(crate) fn compare(
        &self,
        connection: &mut Connection,
        filter: impl Fn() -> T::Filter,
        context: Context<'_>,
        line: &str,
    ) -> usize {
        let connection = &RefCell::new(connection);
        let items = || list(&mut connection.borrow_mut(), List::<T> { filter: filter() });
        for (options, context) in forms(context) {
            let what = format!("ip {} {line}", options.join(" "));
            let arguments = [&options, &split(line)[..]].concat();
            let (ours, theirs) =
                agree(|| self.texts(&items(), &context), || tool("ip", &arguments));
            same_text(&ours, &theirs, &what);
            let arguments = [&["-j"], &arguments[..]].concat();
            let (ours, theirs) =
                agree(|| self.values(&items(), &context), || value(&tool("ip", &arguments)));
            same_values(&ours, &theirs, &what);
        }
        items().len()
    }
}

/// The options of ip that change output, as arguments and as a context.
pub(crate) fn forms(context: Context<'_>) -> Vec<(Vec<&'static str>, Context<'_>)> {
    vec![
        (vec![], context),
        (vec!["-d"], Context { details: true, ..context }),
        (vec!["-s"], Context { statistics: 1, ..context }),
        (vec!["-d", "-s", "-s"], Context { details: true, statistics: 2, ..context }),
        (vec!["-o"], Context { oneline: true, ..context }),
    ]
}

/// JSON, read. ip prints nothing at all where it looked at an object and left it out.
pub(crate) fn value(text: &str) -> Value {
    let text = if text.trim().is_empty() { "[]" } else { text };
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Asserts that two texts are the same, naming the first line that is not.
pub(crate) fn same_text(ours: &str, theirs: &str, what: &str) {
    for (line, (ours, theirs)) in ours.lines().zip(theirs.lines()).enumerate() {
        assert_eq!(ours, theirs, "{what}, line {}", line + 1);
    }
    assert_eq!(ours, theirs, "{what}");
}

/// Asserts that two arrays are the same, showing the first item that is not.
pub(crate) fn same_values(ours: &Value, theirs: &Value, what: &str) {
    let (ours, theirs) = (ours.as_array().unwrap(), theirs.as_array().unwrap());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(ours, theirs, "{what}");
    }
    assert_eq!(ours.len(), theirs.len(), "{what}");
}

/// Asserts that `ip LINE` is refused with the words and the exit code of an error of ours.
pub(crate) fn refused(line: &str, error: Option<WordError>) {
    let output = Command::new("ip").args(split(line)).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let error = error.unwrap_or_else(|| panic!("{line}: taken; ip says {text}"));
    let ours = error.to_string();
    // What ip says behind it is how it would have it.
    let said = text.lines().filter(|line| !line.is_empty()).take(ours.lines().count());
    assert_eq!(ours, said.collect::<Vec<_>>().join("\n"), "{line}");
    assert_eq!(output.status.code(), Some(error.code.into()), "{line}");
}
