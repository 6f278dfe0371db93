//! Batches of commands as of `ip -batch`.

use std::fs::File;
use std::io::{self, BufRead, BufReader};

use nl_route::parse;
use nl_route::{Action, Change, Route};

use crate::COMMANDS;
use crate::args::{Options, Parsed, parse_line};
use crate::error::{Error, FAILED, USAGE, say, word};
use crate::object::Session;
use crate::out::Out;
use crate::route::blame;

/// So many routes are sent together.
const WINDOW: usize = 1000;

/// The commands that change a route, in the order in which ip looks for what was cut short; those
/// without an action are none.
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

/// The objects that a line may begin with.
const OBJECTS: [&str; 7] = ["route", "rule", "neighbour", "neighbor", "nexthop", "link", "address"];

/// A batch on its way.
struct Batch<'o> {
    options: &'o Options,
    file: String,
    force: bool,
    failed: bool,
    /// Names as of the last command that was not about routes.
    session: Option<Session<'o>>,
    /// Routes to be sent, with the numbers of their lines.
    routes: Vec<(usize, Change<Route>)>,
}

/// `nlctl [COMMAND] --batch FILE`
pub(crate) fn run(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let file = options.value("batch").unwrap_or("-").to_owned();
    let reader: Box<dyn BufRead> = if file == "-" {
        Box::new(io::stdin().lock())
    } else {
        let opened = File::open(&file);
        Box::new(BufReader::new(opened.map_err(|error| {
            let text = format_args!("Cannot open file \"{}\" for reading", word(&file)).to_string();
            Error::io(text, &error)
        })?))
    };
    let prefix: Vec<String> = options.text_words()?.into_iter().map(str::to_owned).collect();
    let force = options.has("force");
    let mut batch =
        Batch { options, file, force, failed: false, session: None, routes: Vec::new() };
    let mut lines = Lines { reader, number: 0 };
    while let Some((number, line)) = lines.next()? {
        let names_object = line.first().is_some_and(|first| {
            OBJECTS.iter().any(|object| object.starts_with(&**first)) || first.starts_with('-')
        });
        let words = if names_object || prefix.is_empty() {
            line
        } else {
            prefix.iter().cloned().chain(line).collect()
        };
        if !batch.command(number, &words, out)? {
            break;
        }
    }
    batch.send();
    Ok(if batch.failed { FAILED } else { 0 })
}

impl Batch<'_> {
    /// Carries out a command, or keeps it to be sent with others; false if the batch is to end.
    fn command(&mut self, number: usize, words: &[String], out: &mut Out) -> Result<bool, Error> {
        if let Some((action, rest)) = route_change(words) {
            let session = match &mut self.session {
                Some(session) => session,
                none => none.insert(Session::start(self.options)?),
            };
            match parse::route(rest, session.family, &session.names) {
                Ok(object) => self.routes.push((number, Change { action, object })),
                Err(error) => {
                    return Ok(self.send() && self.fail(number, &error.into()));
                }
            }
            return if self.routes.len() < WINDOW { Ok(true) } else { Ok(self.send()) };
        }
        // Links may come and go now.
        if !self.send() {
            return Ok(false);
        }
        self.session = None;
        let result = match parse_line(&COMMANDS, words, self.options) {
            Ok(Parsed::Run(run, options)) => run(&options, out),
            Ok(_) => Err(Error::new(USAGE, "Command line is not complete.")),
            Err(error) => Err(error),
        };
        match result {
            Ok(0) => Ok(true),
            Ok(_) => Ok(self.fail(number, &Error::new(FAILED, ""))),
            Err(error @ Error::Output(_)) => Err(error),
            Err(error) => Ok(self.fail(number, &error)),
        }
    }

    /// Sends the routes kept; false if the batch is to end.
    fn send(&mut self) -> bool {
        let routes = std::mem::take(&mut self.routes);
        let Some(session) = &mut self.session else { return true };
        let batch = session.connection.batch(routes.iter().map(|(_, change)| change));
        // Without -force nothing behind a failure may be carried out.
        let batch = if self.force { batch } else { batch.stop_at_failure() };
        let refused: Vec<_> = routes
            .iter()
            .zip(batch)
            .filter_map(|(row, result)| Some((row, result.err()?)))
            .collect();
        let mut told = Vec::new();
        for ((number, change), error) in refused {
            let error = blame(error, &change.object, &mut session.connection);
            told.push((*number, Error::rtnetlink(&error)));
        }
        told.iter().fold(true, |go_on, (number, error)| go_on & self.fail(*number, error))
    }

    /// Tells of a command that failed; whether to go on.
    fn fail(&mut self, number: usize, error: &Error) -> bool {
        if let Error::Told { text, .. } = error {
            if !text.is_empty() {
                say(text);
            }
        }
        say(format_args!("Command failed {}:{number}", word(&self.file)));
        self.failed = true;
        self.force
    }
}

/// What a line does to a route, and the words of the route.
fn route_change(words: &[String]) -> Option<(Action, &[String])> {
    let [object, verb, rest @ ..] = words else { return None };
    if object.is_empty() || !"route".starts_with(&**object) || verb.is_empty() {
        return None;
    }
    let action = VERBS.iter().find(|row| row.0.starts_with(&**verb))?.1?;
    Some((action, rest))
}

/// The lines of a batch.
struct Lines {
    reader: Box<dyn BufRead>,
    number: usize,
}

impl Lines {
    /// The words of the next line that has any, and its number: that of its last part where
    /// backslashes at the ends join several. `#` begins a comment; quotes keep blanks together.
    fn next(&mut self) -> Result<Option<(usize, Vec<String>)>, Error> {
        let mut text = String::new();
        loop {
            let mut line = String::new();
            let read = self.reader.read_line(&mut line);
            if read.map_err(|error| Error::io("cannot read the batch", &error))? == 0 {
                let words = split(&text);
                return Ok(Some((self.number, words)).filter(|(_, words)| !words.is_empty()));
            }
            self.number += 1;
            let line = line.trim_end_matches(['\n', '\r']);
            let line = line.split_once('#').map_or(line, |(before, _)| before);
            if let Some(begun) = line.strip_suffix('\\') {
                text.push_str(begun);
                continue;
            }
            text.push_str(line);
            let words = split(&text);
            if !words.is_empty() {
                return Ok(Some((self.number, words)));
            }
            text.clear();
        }
    }
}

fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let quoted = matches!(first, '"' | '\'');
        let start = if quoted { rest.get(1..).unwrap_or_default() } else { rest };
        let end = if quoted {
            start.find(first)
        } else {
            start.find(|letter: char| letter.is_ascii_whitespace())
        };
        let (word, behind) = start.split_at(end.unwrap_or(start.len()));
        words.push(word.to_owned());
        let behind = if quoted { behind.get(1..).unwrap_or_default() } else { behind };
        rest = behind.trim_start();
    }
    words
}
