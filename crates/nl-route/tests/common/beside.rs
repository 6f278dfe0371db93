//! Our output and ip's, side by side.

use std::fmt::Debug;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use nl_route::{Context, List, Object};
use nl_socket::Connection;
use nl_testkit::tool;
use nl_wire::json::Json;
use serde_json::Value;

use super::list;

/// How an object is printed.
pub(crate) struct Printer<T> {
    /// As text.
    pub(crate) text: fn(&mut String, &T, &Context<'_>),
    /// As JSON.
    pub(crate) json: fn(&mut Json<'_>, &T, &Context<'_>),
}

/// The words of a line.
pub(crate) fn split(line: &str) -> Vec<&str> {
    line.split_ascii_whitespace().collect()
}

impl<T: Object + Debug> Printer<T> {
    fn texts(&self, items: &[T], context: &Context<'_>) -> String {
        let mut out = String::new();
        for item in items {
            (self.text)(&mut out, item, context);
        }
        out
    }

    fn values(&self, items: &[T], context: &Context<'_>) -> Value {
        let mut out = String::new();
        let mut json = Json::new(&mut out);
        json.begin_array();
        for item in items {
            (self.json)(&mut json, item, context);
        }
        json.end_array();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
    }

    /// Asserts that what is listed prints as `ip LINE` does, in all forms. Both look until they
    /// agree, as clocks run on between two looks.
    pub(crate) fn compare(
        &self,
        connection: &mut Connection,
        filter: impl Fn() -> T::Filter,
        context: Context<'_>,
        line: &str,
    ) -> usize {
        let forms = [
            (&[][..], context),
            (&["-d"], Context { details: true, ..context }),
            (&["-s"], Context { statistics: 1, ..context }),
            (&["-d", "-s", "-s"], Context { details: true, statistics: 2, ..context }),
            (&["-o"], Context { oneline: true, ..context }),
        ];
        let mut count = 0;
        for (options, context) in forms {
            for attempt in 0..=20 {
                let items = list(connection, List::<T> { filter: filter() });
                count = items.len();
                let theirs = tool("ip", &[options, &split(line)].concat());
                let ours = self.texts(&items, &context);
                let json = tool("ip", &[options, &["-j"], &split(line)].concat());
                // ip prints nothing at all where it looked at an object and left it out.
                let json = if json.trim().is_empty() { "[]" } else { &json };
                let json: Value = serde_json::from_str(json).unwrap();
                let values = self.values(&items, &context);
                if ours == theirs && values == json {
                    break;
                }
                if attempt == 20 {
                    assert_eq!(ours, theirs, "{options:?} {line}");
                    assert_eq!(values, json, "{options:?} {line}");
                }
                sleep(Duration::from_millis(30));
            }
        }
        count
    }
}

/// ip's exit code and the first line that it complains with.
pub(crate) fn refusal(arguments: &[&str]) -> (i32, String) {
    let output = Command::new("ip").args(arguments).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    let line = text.lines().find(|line| !line.is_empty()).unwrap_or_default();
    (output.status.code().unwrap(), line.to_owned())
}
