//! Options and words: what the tables of commands say, read from the command line.
//!
//! The table in [`COMMANDS`](crate::COMMANDS) is all there is: the parser, the help texts at every
//! level and the error messages derive from it.

use std::ffi::{OsStr, OsString};

use lexopt::Arg;
use nl_wire::value::AddressFamily;

use crate::addr;
use crate::error::{Error, FAILED, USAGE, word};
use crate::out::Out;

mod help;
pub(crate) use help::{help, row, spelled};

/// One option.
#[derive(Debug)]
pub(crate) struct Flag {
    /// Its letter, if it has one.
    pub(crate) short: Option<char>,
    /// Its names; the first is the one that programs ask for. ip's way of writing them with a
    /// single dash is understood as well.
    pub(crate) long: &'static [&'static str],
    /// What its value is called, if it has one; in brackets if it is one of these words
    /// behind `=`, or left out.
    pub(crate) value: Option<&'static str>,
    /// What it does.
    pub(crate) help: &'static str,
}

/// One command, or a group of them.
#[derive(Debug)]
pub(crate) struct Command {
    /// Its names; the first is the proper one. Beginnings of a name will do.
    pub(crate) names: &'static [&'static str],
    /// What follows it.
    pub(crate) arguments: &'static str,
    /// What it does, in one line.
    pub(crate) about: &'static str,
    /// What else there is to say of it. Where words follow it, it begins with their grammar: see
    /// [`crate::outline`].
    pub(crate) text: &'static str,
    /// Its options, besides those of the groups it is in.
    pub(crate) flags: &'static [Flag],
    /// What it runs or contains.
    pub(crate) kind: Kind,
}

/// A command that takes the words of ip(8), and no options of its own.
pub(crate) const fn command(
    names: &'static [&'static str],
    about: &'static str,
    text: &'static str,
    run: Run,
) -> Command {
    let kind = Kind::Run(run);
    Command { names, arguments: "WORDS", about, text, flags: &[], kind }
}

/// What runs a command.
pub(crate) type Run = fn(&Options, &mut Out) -> Result<u8, Error>;

/// What a command is.
#[derive(Debug)]
pub(crate) enum Kind {
    /// Something to run; gives the exit code.
    Run(Run),
    /// Something to run that reads what stands behind it by itself: all of it is words.
    Raw(Run),
    /// A group of commands, the first of which is meant where none is named if `default` is set.
    Group {
        /// The commands.
        commands: &'static [Command],
        /// Whether the first is the default.
        default: bool,
    },
}

/// What was typed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    given: Vec<(&'static str, String)>,
    words: Vec<OsString>,
}

impl Options {
    /// Whether the option was given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    /// The value of the option, the last one if there are several.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.given.iter().rev().find(|(given, _)| *given == name).map(|(_, value)| &**value)
    }

    /// The parts of an option's value that stand between commas, of all times that it was given.
    pub(crate) fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.given
            .iter()
            .filter(move |(given, _)| *given == name)
            .flat_map(|(_, value)| value.split(','))
    }

    /// Gives an option that was read elsewhere.
    pub(crate) fn give(&mut self, name: &'static str, value: String) {
        self.given.push((name, value));
    }

    /// The words behind the command.
    pub(crate) fn words(&self) -> &[OsString] {
        &self.words
    }

    /// The same as text.
    ///
    /// # Errors
    /// If one is not UTF-8.
    pub(crate) fn text_words(&self) -> Result<Vec<&str>, Error> {
        self.words.iter().map(|word| utf8(word)).collect()
    }

    /// The address family that was asked for by `-4`, `-6`, `-f` and so on, the last of these; else
    /// `AF_UNSPEC`.
    ///
    /// # Errors
    /// If it is none.
    pub(crate) fn family(&self) -> Result<AddressFamily, Error> {
        let last = self
            .given
            .iter()
            .rev()
            .find(|given| matches!(given.0, "4" | "6" | "M" | "B" | "0" | "family"));
        match last {
            None => Ok(AddressFamily::UNSPEC),
            Some((_, name)) => match &**name {
                "4" | "inet" | "ipv4" => Ok(AddressFamily::INET),
                "6" | "inet6" | "ipv6" => Ok(AddressFamily::INET6),
                "M" | "mpls" => Ok(AddressFamily::MPLS),
                "B" | "bridge" => Ok(AddressFamily::BRIDGE),
                "0" | "link" => Ok(AddressFamily::PACKET),
                _ => Err(Error::new(
                    USAGE,
                    format_args!(
                        "Error: argument \"{}\" is wrong: invalid protocol family",
                        word(name)
                    ),
                )),
            },
        }
    }
}

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Parsed {
    /// To run a command.
    Run(Run, Options),
    /// To print the help of the last of these commands, of which each contains the next.
    Help(Vec<&'static Command>),
    /// A group was named without a command of it.
    Incomplete(Vec<&'static Command>),
    /// To print the version.
    Version,
}

/// Reads the command line by the table `root`.
///
/// # Errors
/// Usage errors.
pub(crate) fn parse(root: &'static Command) -> Result<Parsed, Error> {
    read(root, lexopt::Parser::from_env(), Options::default())
}

/// Reads a line of a batch as if it were typed behind the options that the batch was given.
///
/// # Errors
/// Usage errors.
pub(crate) fn parse_line(
    root: &'static Command,
    line: &[String],
    options: &Options,
) -> Result<Parsed, Error> {
    let given = options.given.iter().filter(|(name, _)| *name != "batch").cloned().collect();
    let options = Options { given, ..Options::default() };
    read(root, lexopt::Parser::from_args(line), options)
}

fn read(
    root: &'static Command,
    mut parser: lexopt::Parser,
    mut options: Options,
) -> Result<Parsed, Error> {
    let mut path = vec![root];
    let (mut ended, mut help) = (false, false);
    loop {
        let here = *path.last().unwrap_or(&root);
        // ip's options have long names behind a single dash.
        let single = parser.try_raw_args().and_then(|mut raw| {
            ended |= raw.peek() == Some(OsStr::new("--"));
            let dashed = |next: &OsStr| !ended && is_word(&path, next);
            options.words.extend(std::iter::from_fn(|| raw.next_if(dashed)));
            let single = raw.next_if(|next| !ended && single_dash(&path, next).is_some());
            single.and_then(|next| single_dash(&path, &next))
        });
        let (flag, attached) = if let Some(single) = single {
            single
        } else {
            let typed = parser.next().map_err(|error| usage(&path, error))?;
            let (flag, typed) = match typed {
                None => break,
                Some(Arg::Value(next)) => {
                    match &here.kind {
                        Kind::Run(_) if next == "help" && options.words.is_empty() => {
                            return Ok(Parsed::Help(path));
                        }
                        Kind::Run(_) | Kind::Raw(_) => options.words.push(next),
                        // What it is wanted for may follow.
                        Kind::Group { .. } if next == "help" => help = true,
                        Kind::Group { commands, .. } => {
                            path.push(find(commands, &next).ok_or_else(|| unknown(&path, &next))?);
                            if let Some(Kind::Raw(run)) = path.last().map(|last| &last.kind) {
                                let rest =
                                    parser.raw_args().map_err(|error| usage(&path, error))?;
                                options.words.extend(rest);
                                if help {
                                    options.words = vec!["help".into()];
                                }
                                return Ok(Parsed::Run(*run, options));
                            }
                        }
                    }
                    continue;
                }
                Some(Arg::Short(letter)) => {
                    (flag(&path, |flag| flag.short == Some(letter)), format!("-{letter}"))
                }
                Some(Arg::Long(name)) => (long(&path, name), format!("--{name}")),
            };
            let flag = flag.ok_or_else(|| unknown_option(&path, &typed))?;
            (flag, is_optional(flag).then(|| parser.optional_value()).flatten())
        };
        let name = flag.long.first().copied().unwrap_or_default();
        match name {
            "help" => return Ok(Parsed::Help(path)),
            // ip has no use for it there, and those who type it want to know more.
            "human" if path.len() > 1 => return Ok(Parsed::Help(path)),
            "version" => return Ok(Parsed::Version),
            _ => {}
        }
        let value = match (flag.value, attached) {
            (None, _) => name.to_owned(),
            (_, Some(attached)) => one_of(flag, &attached).ok_or_else(|| {
                unknown_option(&path, &format!("--{name}={}", attached.to_string_lossy()))
            })?,
            (Some(_), None) if is_optional(flag) => name.to_owned(),
            (Some(_), None) => {
                let value = parser.value().map_err(|error| match error {
                    // Of ip's long names behind a single dash the parser knows nothing.
                    lexopt::Error::MissingValue { option: None } => {
                        let option = Some(format!("--{name}"));
                        usage(&path, lexopt::Error::MissingValue { option })
                    }
                    error => usage(&path, error),
                });
                utf8(&value?)?.to_owned()
            }
        };
        options.given.push((name, value));
    }
    if help {
        return Ok(Parsed::Help(path));
    }
    if options.has("batch") {
        // What stands before it begins each line that names no object itself.
        let names = path.iter().skip(1).filter_map(|command| command.names.first());
        options.words.splice(0..0, names.map(OsString::from));
        return Ok(Parsed::Run(crate::batch::run, options));
    }
    while let Some(Kind::Group { commands, default: true }) = path.last().map(|last| &last.kind) {
        path.extend(commands.first());
    }
    Ok(match path.last().map(|last| &last.kind) {
        Some(Kind::Run(run)) => Parsed::Run(*run, options),
        _ if path.len() == 1 && options.has("human") => Parsed::Help(path),
        _ => Parsed::Incomplete(path),
    })
}

/// The innermost option that fits.
fn flag(path: &[&'static Command], fits: impl Fn(&Flag) -> bool) -> Option<&'static Flag> {
    path.iter().rev().flat_map(|command| command.flags).find(|flag| fits(flag))
}

/// The option that is written with its long name behind a single dash, and a value behind `=` if
/// that may be left out.
fn single_dash(
    path: &[&'static Command],
    typed: &OsStr,
) -> Option<(&'static Flag, Option<OsString>)> {
    let name = typed.to_str()?.strip_prefix('-').filter(|name| name.len() > 1)?;
    if let Some(flag) = long(path, name) {
        return Some((flag, None));
    }
    let (name, value) = name.split_once('=')?;
    let flag = long(path, name).filter(|flag| is_optional(flag))?;
    Some((flag, Some(value.into())))
}

/// The option of this long name, or, of two letters or more, the first with a name that begins so.
fn long(path: &[&'static Command], typed: &str) -> Option<&'static Flag> {
    let begins = |flag: &Flag| flag.long.iter().any(|name| name.starts_with(typed));
    flag(path, |flag| flag.long.contains(&typed))
        .or_else(|| flag(path, begins).filter(|_| typed.len() > 1))
}

/// Whether this is a word of the command though it begins as options do.
fn is_word(path: &[&'static Command], typed: &OsStr) -> bool {
    let addresses = path.iter().any(|command| command.names == addr::COMMAND.names);
    addresses && typed.to_str().is_some_and(nl_route::parse::address::is_dashed)
}

/// The value that was typed, if it is one of those in brackets.
fn one_of(flag: &Flag, typed: &OsStr) -> Option<String> {
    let known = flag.value?.trim_matches(['[', ']']);
    known.split('|').find(|known| typed == *known).map(str::to_owned)
}

/// Whether the option's value may be left out.
fn is_optional(flag: &Flag) -> bool {
    flag.value.is_some_and(|value| value.starts_with('['))
}

/// The command of this name, or the first with a name that begins so.
fn find(commands: &'static [Command], typed: &OsStr) -> Option<&'static Command> {
    let typed = typed.to_str().filter(|typed| !typed.is_empty())?;
    let by = |fits: &dyn Fn(&str) -> bool| {
        commands.iter().find(|command| command.names.iter().any(|name| fits(name)))
    };
    by(&|name| name == typed).or_else(|| by(&|name| name.starts_with(typed)))
}

/// The words that lead to a command: `nlctl route`.
fn line(path: &[&'static Command]) -> String {
    let names: Vec<_> = path.iter().filter_map(|command| command.names.first().copied()).collect();
    names.join(" ")
}

fn unknown(path: &[&'static Command], typed: &OsStr) -> Error {
    let (what, code) = if path.len() == 1 { ("Object", FAILED) } else { ("Command", USAGE) };
    let (typed, line) = (word(typed), line(path));
    Error::new(code, format_args!("{what} \"{typed}\" is unknown, try \"{line} help\"."))
}

fn unknown_option(path: &[&'static Command], typed: &str) -> Error {
    let (typed, line) = (word(typed), line(path));
    Error::new(USAGE, format_args!("Option \"{typed}\" is unknown, try \"{line} --help\"."))
}

/// What lexopt finds wrong: a value that is missing or superfluous.
fn usage(path: &[&'static Command], error: lexopt::Error) -> Error {
    let text = match error {
        lexopt::Error::MissingValue { option: Some(option) } => {
            format!("Option \"{}\" requires an argument", word(&option))
        }
        error => format!("Error: {}", word(&error.to_string())),
    };
    Error::new(USAGE, format_args!("{text}, try \"{} --help\".", line(path)))
}

fn utf8(typed: &OsStr) -> Result<&str, Error> {
    typed.to_str().ok_or_else(|| {
        Error::new(USAGE, format_args!("Error: argument \"{}\" is wrong: not UTF-8", word(typed)))
    })
}
