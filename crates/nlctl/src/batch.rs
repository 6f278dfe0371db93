//! Batches of commands as of `ip -batch`.

use std::fs::File;
use std::io::{self, BufRead, BufReader};

use nl_route::parse::batch::{Lines, route_change};
use nl_route::parse::{self, WordError};
use nl_route::{Change, Route};

use crate::COMMANDS;
use crate::args::{Options, Parsed, parse_line};
use crate::error::{Error, FAILED, USAGE, say, word};
use crate::object::Session;
use crate::out::Out;
use crate::route::blame;

/// So many routes are sent together.
const WINDOW: usize = 1000;

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
    let mut reader: Box<dyn BufRead> = if file == "-" {
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
    let (mut lines, mut text) = (Lines::default(), String::new());
    loop {
        text.clear();
        let read = reader.read_line(&mut text);
        if read.is_err() {
            batch.send();
        }
        let read = read.map_err(|error| {
            let place = format!("in line {} of {}", lines.number() + 1, word(&batch.file));
            Error::io("cannot read the batch", &error).with_place(&place)
        })?;
        let ended = read == 0;
        let words = if ended { lines.end().map(|()| Vec::new()) } else { lines.push(&text) };
        let go_on = batch.line(lines.number(), words, &prefix, out)?;
        if ended || !go_on {
            break;
        }
    }
    batch.send();
    Ok(if batch.failed { FAILED } else { 0 })
}

impl Batch<'_> {
    /// Carries out a line behind the words `prefix`, which those may leave out that name an object;
    /// false if the batch is to end.
    fn line(
        &mut self,
        number: usize,
        words: Result<Vec<String>, WordError>,
        prefix: &[String],
        out: &mut Out,
    ) -> Result<bool, Error> {
        let words = match words {
            Ok(words) => words,
            Err(error) => return Ok(self.send() && self.fail(number, &error.into())),
        };
        let Some(first) = words.first() else { return Ok(true) };
        let names_object =
            OBJECTS.iter().any(|object| object.starts_with(&**first)) || first.starts_with('-');
        if names_object || prefix.is_empty() {
            self.command(number, &words, out)
        } else {
            self.command(number, &[prefix, &words].concat(), out)
        }
    }

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
