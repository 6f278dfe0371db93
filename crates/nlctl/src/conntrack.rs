//! Tracked connections, with the words and in the formats of conntrack(8).

use std::fs;
use std::time::{Duration, SystemTime};

use nl_conntrack::parse::{self, Line, Output, ParseError, Table};
use nl_conntrack::text::{self, LabelNames, SaveCommand};
use nl_conntrack::{Event, Flow};
use nl_socket::host;
use nl_wire::value::AddressFamily;

use crate::args::{Command, Kind, Options};
use crate::error::{CONNTRACK, Error, FAILED, REFUSED, io_text, say, word};
use crate::out::Out;

mod act;
mod everywhere;
pub(crate) mod help;
mod load;
mod program;
mod progress;
mod timeout;
mod watch;
mod words;
pub(crate) use watch::loss_fields;
pub(crate) use words::places;
use words::{own_options, translate, with_protocols};

/// `nlctl conntrack`
pub(crate) const COMMAND: Command = Command {
    names: &["conntrack"],
    arguments: "COMMAND [TABLE] [OPTIONS]",
    about: "Tracked connections, with the words of conntrack(8).",
    text: "",
    flags: &[],
    kind: Kind::Raw(run),
};

/// A run of `nlctl conntrack`.
struct Context {
    options: Options,
    /// The family that was named elsewhere than in the command line itself.
    family: AddressFamily,
    labels: Option<LabelNames>,
}

fn run(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut own = Vec::new();
    let words = own_options(options.words(), &mut own)?;
    let mut options = options.clone();
    for (name, value) in own {
        options.give(name, value);
    }
    let mut typed = Vec::new();
    for typed_word in words {
        typed.push(
            typed_word
                .into_string()
                .map_err(|bad| Error::parameter(format_args!("Bad parameter `{}'", word(&bad))))?,
        );
    }
    if let Some(behind) = words::of_timeouts(&typed) {
        return timeout::run(&options, behind, out);
    }
    translate(&mut typed)?;
    let family = options.family()?;
    let mut context = Context { options, family, labels: None };
    context.family_word()?;
    match typed.first().map(String::as_str) {
        Some("-R" | "--load-file") => {
            let Some(file) = typed.get(1) else {
                return Err(missing(typed.first().map_or("-R", String::as_str)));
            };
            // What stands behind it counts for nothing there but the family, and that here alone.
            let mut behind = vec!["-L".to_owned()];
            behind.extend_from_slice(typed.get(2..).unwrap_or_default());
            context.family = context.line(Line::parse, &behind)?.options.family;
            load::run(context, file, out)
        }
        Some(_) => context.command(&typed, out),
        None => {
            help::help(out.text());
            Ok(0)
        }
    }
}

/// An option without its value.
fn missing(option: &str) -> Error {
    bad_line(&ParseError { text: format!("option `{option}' requires an argument"), usage: true })
}

/// What conntrack(8) says of a command line that is none.
fn bad_line(error: &ParseError) -> Error {
    if !error.usage {
        return Error::new(FAILED, format_args!("{CONNTRACK}{error}"));
    }
    let help = "Try `nlctl conntrack -h' or 'nlctl conntrack --help' for more information.";
    Error::new(REFUSED, format_args!("{CONNTRACK}{error}\n{help}"))
}

/// What reads a command line.
type Read = fn(Vec<String>, Option<&LabelNames>) -> Result<Line, ParseError>;

impl Context {
    /// What `-f` calls the family.
    fn family_word(&self) -> Result<Option<&'static str>, Error> {
        match self.family {
            AddressFamily::UNSPEC => Ok(None),
            AddressFamily::INET => Ok(Some("ipv4")),
            AddressFamily::INET6 => Ok(Some("ipv6")),
            _ => Err(Error::parameter("unsupported protocol family")),
        }
    }

    /// Reads a command line, as if `-f` stood in it where the family was named elsewhere, and the
    /// names of labels if it needs them.
    fn line(&mut self, read: Read, words: &[String]) -> Result<Line, Error> {
        let needs = |word: &String| word.contains("label") || word.starts_with("-l");
        if self.labels.is_none() && words.iter().any(needs) {
            self.labels = labels();
        }
        let known = self.labels.as_ref();
        let words = &with_protocols(words)[..];
        let mut line = read(words.to_vec(), known).map_err(|error| bad_line(&error))?;
        // Commands that take addresses and no `-f` have the right family, or are refused.
        if let Some(family) = self.family_word()?.filter(|_| line.options.family != self.family) {
            let words = [words, &["-f".into(), family.into()]].concat();
            line = read(words, known).map_err(|error| bad_line(&error))?;
        }
        for warning in &line.options.warnings {
            say(warning);
        }
        let output = line.options.output;
        if self.labels.is_none() && (output.labels || output.restore || words_label(words)) {
            self.labels = labels();
        }
        Ok(line)
    }

    fn command(mut self, words: &[String], out: &mut Out) -> Result<u8, Error> {
        let line = self.line(Line::parse, words)?;
        if line.options.output.json {
            self.options.give("json", "json".into());
        }
        if self.options.has("all-netns") && line.command != parse::Command::Event {
            let text = "Illegal option `--all-netns' with this command";
            return Err(bad_line(&ParseError { text: text.into(), usage: true }));
        }
        match line.command {
            parse::Command::Help => help::help(out.text()),
            parse::Command::Version => {
                let version = CONNTRACK.trim_end().trim_end_matches(':');
                out.append(format_args!("{version}\n"));
            }
            parse::Command::Event if self.options.has("all-netns") => {
                return everywhere::watch(&self, &line, out);
            }
            parse::Command::Event => return watch::watch(&self, &line, out),
            _ => return act::run(&self, &line, out),
        }
        Ok(0)
    }

    fn format(&self, line: &Line) -> Format {
        let output = line.options.output;
        // As with conntrack(8), who speaks of labels is shown them, unless the flows are deleted.
        let options = &line.options;
        let named = !options.labels.is_empty()
            || !options.label_add.is_empty()
            || options.label_del.is_some();
        let wanted =
            output.labels || output.restore || named && line.command != parse::Command::Delete;
        Format { output, labels: self.labels.clone().filter(|_| wanted) }
    }
}

/// How to print: the words of `-o`.
#[derive(Debug, Default)]
pub(crate) struct Format {
    output: Output,
    labels: Option<LabelNames>,
}

/// Where conntrack(8) looks for the names of labels.
pub(crate) const LABELS: &str = "/etc/xtables/connlabel.conf";

impl Format {
    /// Reads the words of `-o`; those in `others` are not for here.
    ///
    /// # Errors
    /// A word that is none.
    pub(crate) fn new(options: &Options, others: &[&str]) -> Result<Self, Error> {
        let mut format = Self::default();
        let Output { extended, id, ktimestamp, timestamp, labels: with_labels, .. } =
            &mut format.output;
        for typed in options.list("output") {
            match &*typed.to_ascii_lowercase() {
                "extended" => *extended = true,
                "id" => *id = true,
                "ktimestamp" => *ktimestamp = true,
                "timestamp" => *timestamp = true,
                "labels" => *with_labels = true,
                other if others.contains(&other) => {}
                _ => return Err(Error::parameter(format_args!("Bad parameter `{}'", word(typed)))),
            }
        }
        if *with_labels {
            format.labels = labels();
        }
        Ok(format)
    }

    /// The same for the printer, at a moment.
    pub(crate) fn at(&self, now: Duration) -> text::Options<'_> {
        text::Options {
            extended: self.output.extended,
            id: self.output.id,
            ktimestamp: self.output.ktimestamp,
            labels: self.labels.as_ref(),
            now: now.as_secs(),
            utc_offset: host::utc_offset,
        }
    }

    /// The moment with which an event begins, if that is wanted.
    pub(crate) fn received(&self, now: Duration) -> Option<Duration> {
        self.output.timestamp.then_some(now)
    }

    /// Appends a flow, without a newline; `command` is what saving it calls for.
    fn flow(&self, line: &mut String, flow: &Flow, command: SaveCommand) {
        let options = self.at(now());
        match self.output {
            Output { save: true, .. } => text::save(line, flow, command),
            Output { restore: true, .. } => text::save_all(line, flow, self.labels.as_ref()),
            Output { xml: true, .. } => text::xml(line, flow, &options),
            _ => text::flow(line, flow, &options),
        }
    }

    /// Appends an event, without a newline.
    fn event(&self, line: &mut String, event: &Event, program: Option<&[u8]>) {
        let now = now();
        let received = self.received(now);
        match self.output {
            Output { save: true, .. } | Output { restore: true, .. } => {
                text::save_event(line, event);
            }
            Output { xml: true, .. } => {
                let received = received.map(|time| time.as_secs());
                text::xml_event(line, event, received, &self.at(now));
            }
            _ => return text::event(line, event, received, program, &self.at(now)),
        }
        text::user_space(line, event.port, program);
    }
}

fn words_label(words: &[String]) -> bool {
    words.iter().any(|word| word.starts_with("--label"))
}

/// The names of labels; without them a listing goes on, as conntrack(8)'s does.
fn labels() -> Option<LabelNames> {
    let text = match fs::read_to_string(LABELS) {
        Ok(text) => text,
        Err(error) => {
            say(format_args!("nfct_labelmap_new: {}", io_text(&error)));
            return None;
        }
    };
    LabelNames::parse(&text)
        .inspect_err(|error| say(format_args!("{CONNTRACK}{LABELS}: {error}")))
        .ok()
}

/// The time since 1970.
pub(crate) fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Why the kernel refused, in the words that conntrack(8) has for this command.
fn refused(line: &Line, error: &nl_socket::Error) -> Error {
    use nl_wire::Errno;
    let text = match (line.table, line.command, error.errno()) {
        (Table::Expect, parse::Command::Create, Some(Errno::ENOENT)) => {
            "master conntrack not found"
        }
        (Table::Expect, _, Some(Errno::ENOENT)) => "No such file or directory",
        (_, parse::Command::Create, Some(Errno::EEXIST)) => {
            "Such conntrack exists, try -U to update"
        }
        _ => return Error::operation(error),
    };
    Error::new(FAILED, format_args!("{CONNTRACK}Operation failed: {text}"))
}
