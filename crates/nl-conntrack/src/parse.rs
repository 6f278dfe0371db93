//! The command line of conntrack(8): words to a typed [`Line`], and from there to requests.
//!
//! What conntrack(8) 1.4.7 takes is taken, and refused in its words what it refuses; but numbers
//! with rubbish behind them and words that belong to nothing, which it overlooks, are refused too.
//!
//! ```
//! use nl_conntrack::parse::{Command, Line, words};
//!
//! let line = "-A -t 60 -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 4000 --dport 53";
//! let line = Line::parse(words(line)?, None)?;
//! assert_eq!(line.command, Command::Add);
//! let change = line.options.create(line.command)?;
//! assert_eq!(change.flow.timeout, Some(60));
//! # Ok::<(), nl_conntrack::parse::ParseError>(())
//! ```

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use nl_wire::text::Escaped;

use crate::text::LabelNames;

mod event;
mod file;
mod make;
mod options;
mod spelled;
mod table;
mod value;
pub use file::lines;
pub use options::{Nat, Options, Output};
pub use spelled::Spelled;
use table::{Common, Id, LEGAL, Takes};

/// Why a command line is none, in the words of conntrack(8).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError {
    /// One line; what the user typed is escaped.
    pub text: String,
    /// Whether it is about how options are written, so that help would help: exit code 2. Else 1.
    pub usage: bool,
}

impl ParseError {
    fn new(text: impl fmt::Display) -> Self {
        Self { text: text.to_string(), usage: true }
    }

    fn quoted(before: &str, word: &str, behind: &str) -> Self {
        Self::new(format_args!("{before}`{}'{behind}", Escaped(word.as_bytes())))
    }

    fn plain(text: &str) -> Self {
        Self { text: text.into(), usage: false }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl core::error::Error for ParseError {}

/// What to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[allow(missing_docs)]
pub enum Command {
    /// `-L`
    List,
    /// `-I`
    Create,
    /// `-A`
    Add,
    /// `-U`
    Update,
    /// `-D`
    Delete,
    /// `-G`
    Get,
    /// `-F`
    Flush,
    /// `-E`
    Event,
    /// `-C`
    Count,
    /// `-S`
    Stats,
    /// `-V`
    Version,
    /// `-h`
    Help,
}

impl Command {
    /// The letter behind the dash.
    pub fn letter(self) -> char {
        table::letter_of(self)
    }
}

/// A table of conntrack(8).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
#[allow(missing_docs)]
pub enum Table {
    #[default]
    Conntrack,
    Expect,
    Dying,
    Unconfirmed,
}

/// Names of tables; beginnings will do.
const TABLES: [(&str, Table); 4] = [
    ("conntrack", Table::Conntrack),
    ("expect", Table::Expect),
    ("dying", Table::Dying),
    ("unconfirmed", Table::Unconfirmed),
];

impl Table {
    /// The table of this name or beginning of one.
    ///
    /// # Errors
    /// If there is none.
    pub fn named(word: &str) -> Result<Self, ParseError> {
        let found = TABLES.iter().find(|row| !word.is_empty() && row.0.starts_with(word));
        found.map(|row| row.1).ok_or_else(|| ParseError::quoted("unknown type ", word, ""))
    }

    /// Whether a command can be about it.
    fn is_of(self, command: Command) -> bool {
        match self {
            Self::Conntrack => true,
            Self::Expect => !matches!(command, Command::Update | Command::Add),
            Self::Dying | Self::Unconfirmed => command == Command::List,
        }
    }
}

/// A command, the table it is about, and its options.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// What to do.
    pub command: Command,
    /// With what.
    pub table: Table,
    /// How.
    pub options: Options,
}

/// Splits a line as a shell would: blanks separate words, quotes join them, a backslash takes what
/// follows as it is, a word that begins with `#` ends the line.
///
/// # Errors
/// If a quote has no end.
pub fn words(line: &str) -> Result<Vec<String>, ParseError> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '"' | '\'') => {
                word.get_or_insert_default();
                quote = Some(character);
            }
            (None | Some('"'), '\\') => {
                word.get_or_insert_default().extend(characters.next());
            }
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            (None, '#') if word.is_none() => break,
            _ => word.get_or_insert_default().push(character),
        }
    }
    if quote.is_some() {
        return Err(ParseError::new("a quote without an end"));
    }
    words.extend(word);
    Ok(words)
}

/// The words behind the program's name, while they are read.
struct Reader<'a> {
    words: core::slice::Iter<'a, String>,
    /// What is left of letters that stand together.
    letters: String,
}

impl Reader<'_> {
    /// The value of the option just read: attached to it, or the next word.
    fn value(
        &mut self,
        takes: Takes,
        attached: Option<String>,
        typed: &str,
    ) -> Result<Option<String>, ParseError> {
        if takes == Takes::Nothing {
            return Ok(None);
        }
        let letters = Some(core::mem::take(&mut self.letters)).filter(|rest| !rest.is_empty());
        let attached = attached.or(letters);
        let next = self.words.as_slice().first();
        match (takes, attached, next) {
            (_, Some(value), _) => Ok(Some(value)),
            (Takes::Value, None, Some(_)) => Ok(self.words.next().cloned()),
            (Takes::Value, None, None) => {
                Err(ParseError::quoted("option ", typed, " requires an argument"))
            }
            (Takes::Maybe, None, Some(next)) if !next.starts_with(['-', '!']) => {
                Ok(self.words.next().cloned())
            }
            (Takes::Maybe | Takes::Nothing, ..) => Ok(None),
        }
    }
}

impl Line {
    /// Reads the words behind the program's name. Label names are looked up in `labels`; without
    /// them no label has a name.
    ///
    /// # Errors
    /// What is wrong, in the words of conntrack(8).
    pub fn parse<W: AsRef<[String]>>(
        words: W,
        labels: Option<&LabelNames>,
    ) -> Result<Self, ParseError> {
        let mut reader = Reader { words: words.as_ref().iter(), letters: String::new() };
        let mut parsing =
            Parsing { labels, command: None, table: None, options: Options::default() };
        loop {
            if !reader.letters.is_empty() {
                let letter = reader.letters.remove(0);
                let typed = format!("-{letter}");
                let Some(option) = table::by_letter(letter) else {
                    return Err(ParseError::quoted("unknown option ", &typed, ""));
                };
                // -Lz: letters go on behind a command, but for -Lexpect.
                let is_table = Table::named(&reader.letters).is_ok() && reader.letters.len() > 2;
                let alone = option.is_command() && !reader.letters.is_empty() && !is_table;
                let takes = if alone { Takes::Nothing } else { option.takes() };
                let value = reader.value(takes, None, &typed)?;
                parsing.common(option, value)?;
                continue;
            }
            let Some(word) = reader.words.next() else { break };
            if let Some(long) = word.strip_prefix("--") {
                if long.is_empty() {
                    if let Some(stray) = reader.words.next() {
                        return Err(ParseError::quoted("Bad parameter ", stray, ""));
                    }
                    break;
                }
                parsing.long(&mut reader, long)?;
            } else if let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.is_empty()) {
                reader.letters = letters.into();
            } else {
                return Err(ParseError::quoted("Bad parameter ", word, ""));
            }
        }
        parsing.finish()
    }
}

/// What was read of a line so far.
struct Parsing<'a> {
    labels: Option<&'a LabelNames>,
    command: Option<Command>,
    table: Option<Table>,
    options: Options,
}

impl Parsing<'_> {
    /// An option with its name written out, or a beginning of it that no other option has.
    fn long(&mut self, reader: &mut Reader<'_>, typed: &str) -> Result<(), ParseError> {
        let (name, attached) = match typed.split_once('=') {
            Some((name, value)) => (name, Some(value.to_string())),
            None => (typed, None),
        };
        let typed = format!("--{typed}");
        let unknown = || ParseError::quoted("unknown option ", &typed, "");
        let own = table::of_protocol(self.options.protocol);
        let all = || {
            let common = table::names().map(|(name, option)| (name, Ok(option)));
            common.chain(own.iter().map(|(name, option)| (*name, Err(*option))))
        };
        let exact = all().find(|row| row.0 == name).map(|row| row.1);
        let found = if let Some(found) = exact {
            found
        } else {
            let mut like = all().filter(|row| row.0.starts_with(name)).map(|row| row.1);
            let first = like.next().ok_or_else(unknown)?;
            if like.any(|other| other != first) {
                return Err(unknown());
            }
            first
        };
        let takes = found.map_or(Takes::Value, Common::takes);
        if takes == Takes::Nothing && attached.is_some() {
            return Err(unknown());
        }
        let value = reader.value(takes, attached, &typed)?;
        match found {
            Ok(option) => self.common(option, value),
            Err(option) => self.options.set_protocol_option(option, &value.unwrap_or_default()),
        }
    }

    fn common(&mut self, option: Common, value: Option<String>) -> Result<(), ParseError> {
        match option {
            Common::Command(command) => {
                if self.command.is_some() {
                    return Err(ParseError::new("Invalid commands combination"));
                }
                self.command = Some(command);
                self.table = value.as_deref().map(Table::named).transpose()?;
                Ok(())
            }
            Common::Option(id) => self.options.set(id, value, self.labels),
        }
    }

    fn finish(self) -> Result<Line, ParseError> {
        let Self { command, table, options, .. } = self;
        let (command, table) = (command.unwrap_or(Command::Help), table.unwrap_or_default());
        let long = table::long_of(command);
        match table {
            _ if table.is_of(command) => {}
            Table::Dying | Table::Unconfirmed => {
                let text = "Can't do that command with tables `dying' and `unconfirmed'";
                return Err(ParseError::new(text));
            }
            _ => return Err(ParseError::new(format_args!("Can't do --{long} on expectations"))),
        }
        options.check_combinations()?;
        if let Some(legal) = LEGAL.iter().find(|legal| legal.is_of(command, table)) {
            for (id, rule) in Id::ALL.into_iter().zip(legal.rules.bytes()) {
                let name = id.name();
                match (rule, options.has(id)) {
                    (b'c', false) => return Err(required(name)),
                    (b'.', true) => return Err(illegal(name)),
                    _ => {}
                }
            }
        }
        options.check_meaning(command, table)?;
        Ok(Line { command, table, options })
    }
}

fn required(name: &str) -> ParseError {
    ParseError::new(format_args!("You need to supply the `--{name}' option for this command"))
}

fn illegal(name: &str) -> ParseError {
    ParseError::new(format_args!("Illegal option `--{name}' with this command"))
}
