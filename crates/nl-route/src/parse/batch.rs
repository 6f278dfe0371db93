//! Batches of commands as of `ip -batch`: lines into words, and which of them change a route.
//!
//! ```
//! use nl_route::parse::batch::{Lines, route_change};
//!
//! let mut lines = Lines::default();
//! assert!(lines.push("route replace 'default' \\").unwrap().is_empty());
//! let words = lines.push("  via 192.0.2.1 # the only way").unwrap();
//! assert_eq!(lines.number(), 2);
//! assert_eq!(route_change(&words).unwrap().1, ["default", "via", "192.0.2.1"]);
//! assert!(lines.push("route add \"default").is_err());
//! assert!(lines.end().is_ok());
//! ```

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;

use super::WordError;
use crate::object::Action;

/// The lines of a batch while they are read.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    /// What lines that end in a backslash began.
    begun: Option<String>,
    number: usize,
}

impl Lines {
    /// Takes the next line and gives the words of the command that ends with it: none for an empty
    /// line, and for one that ends in a backslash, which the next one goes on with. `#` begins a
    /// comment; quotes around a word keep blanks in it.
    ///
    /// # Errors
    /// If a quote has no end; the next line is read as if this one were not there.
    pub fn push(&mut self, line: &str) -> Result<Vec<String>, WordError> {
        self.number += 1;
        let line = line.trim_end_matches(['\n', '\r']);
        let line = line.split_once('#').map_or(line, |(before, _)| before);
        let mut text = self.begun.take().unwrap_or_default();
        if let Some(begun) = line.strip_suffix('\\') {
            text.push_str(begun);
            self.begun = Some(text);
            return Ok(Vec::new());
        }
        text.push_str(line);
        split(&text)
    }

    /// How many lines were taken: the number of the latest, from 1.
    pub fn number(&self) -> usize {
        self.number
    }

    /// Says that there are no more lines.
    ///
    /// # Errors
    /// If the last one was to go on: what it began is no command.
    pub fn end(&self) -> Result<(), WordError> {
        match self.begun {
            Some(_) => Err(error("Missing continuation line")),
            None => Ok(()),
        }
    }
}

fn error(text: &str) -> WordError {
    WordError { text: text.to_owned(), code: 1 }
}

fn split(line: &str) -> Result<Vec<String>, WordError> {
    const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];
    let mut words = Vec::new();
    let mut rest = line.trim_start_matches(BLANKS);
    while let Some(first) = rest.chars().next() {
        let (word, behind) = if matches!(first, '"' | '\'') {
            let quoted = rest.split_at(1).1.split_once(first);
            quoted.ok_or_else(|| error("Unterminated quoted string"))?
        } else {
            rest.split_once(BLANKS).unwrap_or((rest, ""))
        };
        words.push(word.to_owned());
        rest = behind.trim_start_matches(BLANKS);
    }
    Ok(words)
}

/// The verbs of `ip route`, in the order in which ip looks for what was cut short; those without an
/// action change no single route.
const VERBS: [(&str, Option<Action>); 13] = [
    ("list", None),
    ("show", None),
    ("lst", None),
    ("get", None),
    ("add", Some(Action::Add)),
    ("change", Some(Action::Change)),
    ("chg", Some(Action::Change)),
    ("replace", Some(Action::Replace)),
    ("prepend", Some(Action::Prepend)),
    ("append", Some(Action::Append)),
    ("delete", Some(Action::Delete)),
    ("flush", None),
    ("save", None),
];

/// What a command does to a route, and the words of the route, for [`route`](super::route()); `None`
/// for commands that do something else.
pub fn route_change(words: &[String]) -> Option<(Action, &[String])> {
    let [object, verb, rest @ ..] = words else { return None };
    if object.is_empty() || !"route".starts_with(&**object) || verb.is_empty() {
        return None;
    }
    let action = VERBS.iter().find(|row| row.0.starts_with(&**verb))?.1?;
    Some((action, rest))
}
