//! Our words for conntrack(8)'s commands, and the options that are ours.

use std::ffi::OsString;

use nl_conntrack::IpProtocol;
use nl_conntrack::parse::{Command, Spelled, Table};

use super::{missing, timeout};
use crate::args::Flag;
use crate::error::{Error, word};
use crate::outline::{Place, Row, values_of};

/// A command in our words.
pub(super) struct Word {
    /// Its names; beginnings will do.
    pub(super) names: &'static [&'static str],
    /// What it is called there.
    pub(super) letter: &'static str,
    /// What conntrack(8) has no name for, or another meaning: as [`Spelled`] has it.
    pub(super) own: Option<Own>,
}

/// What a command of ours is that conntrack(8) does not have as such.
pub(super) struct Own {
    pub(super) long: &'static str,
    pub(super) value: &'static str,
    pub(super) about: &'static str,
}

const fn of(names: &'static [&'static str], letter: &'static str) -> Word {
    Word { names, letter, own: None }
}

pub(super) static WORDS: [Word; 13] = [
    of(&["list", "show"], "-L"),
    of(&["get"], "-G"),
    of(&["create"], "-I"),
    of(&["add"], "-A"),
    of(&["update"], "-U"),
    of(&["delete"], "-D"),
    of(&["flush"], "-F"),
    of(&["watch", "event"], "-E"),
    of(&["count"], "-C"),
    of(&["stats"], "-S"),
    Word {
        own: Some(Own {
            long: "load-file",
            value: "FILE",
            about: "carry out lines of -I, -A, -U, -D, -F, as -o save prints them",
        }),
        ..of(&["load"], "-R")
    },
    of(&["help"], "-h"),
    of(&["version"], "-V"),
];

impl Word {
    /// The command of conntrack(8).
    fn command(&self) -> Option<Command> {
        Command::all().find(|command| self.letter.ends_with(command.letter()))
    }

    /// How it is written there.
    pub(super) fn spelled(&self) -> Option<Spelled> {
        self.command().and_then(Command::spelled)
    }

    fn is_begun(&self, typed: &str) -> bool {
        !typed.is_empty() && self.names.iter().any(|name| name.starts_with(typed))
    }
}

const fn own(
    name: &'static [&'static str],
    value: Option<&'static str>,
    help: &'static str,
) -> Flag {
    Flag { short: None, long: name, value, help }
}

/// The options that are ours, and have the same names before `conntrack`.
pub(super) static OWN: [Flag; 7] = [
    own(&["json"], None, "print JSON, one object a line for events"),
    own(&["pretty"], None, "lay it out for people"),
    Flag { short: Some('4'), ..own(&["4"], None, "IPv4 only") },
    Flag { short: Some('6'), ..own(&["6"], None, "IPv6 only") },
    own(&["netns"], Some("NAME|PATH|PID"), "work in another network namespace"),
    own(
        &["all-netns"],
        None,
        "watch: of every network namespace of this host, each\nline behind its own",
    ),
    own(&["trace"], None, "show every message on stderr"),
];

/// The command that goes by this word, or by one that begins so.
fn meaning(typed: &str) -> Option<&'static Word> {
    let exact = WORDS.iter().find(|row| row.names.contains(&typed));
    exact.or_else(|| WORDS.iter().find(|row| row.is_begun(typed)))
}

/// What stands behind `timeout`, if that is what was typed.
pub(super) fn of_timeouts(words: &[String]) -> Option<&[String]> {
    let (first, behind) = words.split_first()?;
    Some(behind).filter(|_| first.len() > 1 && "timeout".starts_with(first.as_str()))
}

/// What stands behind `nlctl conntrack`, with our words made conntrack(8)'s.
pub(super) fn translate(words: &mut Vec<String>) -> Result<(), Error> {
    let Some(first) = words.first().filter(|first| !first.starts_with('-')) else { return Ok(()) };
    let of_expectations = first.starts_with("exp") && "expect".starts_with(first.as_str());
    if of_expectations {
        words.remove(0);
    }
    let first = words.first().map_or("", String::as_str);
    let letter = if let Some(row) = WORDS.iter().find(|row| row.letter == first) {
        row.letter
    } else if words.is_empty() || first.starts_with('-') {
        words.insert(0, String::new());
        "-L"
    } else {
        let row = meaning(first).ok_or_else(|| {
            let text = "try \"nlctl conntrack help\"";
            Error::parameter(format_args!("unknown command `{}', {text}", word(first)))
        })?;
        row.letter
    };
    if let Some(first) = words.first_mut() {
        letter.clone_into(first);
    }
    if of_expectations {
        words.insert(1, "expect".into());
    }
    let asks = |word: &String| matches!(word.as_str(), "-h" | "--help");
    if words.get(1).is_some_and(|second| second == "help") || words.iter().any(asks) {
        *words = vec!["-h".into()];
    }
    Ok(())
}

/// Takes out the options that are ours.
pub(super) fn own_options(
    words: &[OsString],
    options: &mut Vec<(&'static str, String)>,
) -> Result<Vec<OsString>, Error> {
    let mut rest = Vec::new();
    let mut words = words.iter();
    while let Some(typed) = words.next() {
        let text = typed.to_str().unwrap_or_default();
        let (name, attached) =
            text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let found = OWN.iter().find_map(|flag| {
            let long = *flag.long.first()?;
            let short = flag.short.is_some_and(|short| {
                name.strip_prefix('-') == Some(short.encode_utf8(&mut [0; 4]))
            });
            let is_it = name.strip_prefix("--") == Some(long) || short;
            Some((long, flag.value.is_some())).filter(|row| is_it && (row.1 || attached.is_none()))
        });
        match found {
            None => rest.push(typed.clone()),
            Some((long, false)) => options.push((long, long.into())),
            Some((long, true)) => {
                let next = || words.next().and_then(|value| value.to_str());
                let value = attached.or_else(next).ok_or_else(|| missing(name))?;
                options.push((long, value.into()));
            }
        }
    }
    Ok(rest)
}

/// Where the names of protocols stand that conntrack(8) asks getprotobyname(3) for.
const PROTOCOLS: &str = "/etc/protocols";

/// The words, with numbers for the names of protocols that only a file knows.
pub(super) fn with_protocols(words: &[String]) -> Vec<String> {
    let mut words = words.to_vec();
    let mut is_next = false;
    for typed in &mut words {
        let was_next = std::mem::take(&mut is_next);
        let begin = match typed.split_once('=') {
            Some((option, _)) if is_protocol(option) => option.len() + 1,
            _ if typed.starts_with("-p") && typed.len() > 2 => 2,
            _ if was_next => 0,
            _ => {
                is_next = is_protocol(typed);
                continue;
            }
        };
        let name = typed.get(begin..).unwrap_or_default();
        let known = name.is_empty() || name.parse::<IpProtocol>().is_ok();
        if let Some(number) = Some(name).filter(|_| !known).and_then(number_of) {
            typed.replace_range(begin.., &number);
        }
    }
    words
}

/// Whether the value of this option is a protocol.
fn is_protocol(typed: &str) -> bool {
    match typed.strip_prefix("--") {
        Some(name) => name.len() > 2 && "protonum".starts_with(name),
        None => typed.starts_with('-') && typed.ends_with('p'),
    }
}

/// The number that the file has for a name or another name for it.
fn number_of(name: &str) -> Option<String> {
    let text = std::fs::read_to_string(PROTOCOLS).ok()?;
    let number = text.lines().find_map(|line| {
        let mut words = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
        let (first, number) = (words.next()?, words.next()?);
        (first == name || words.any(|other| other == name)).then_some(number)
    });
    number.filter(|number| number.parse::<u8>().is_ok()).map(str::to_owned)
}

/// An option as completion knows it.
fn option_rows(option: &Spelled) -> impl Iterator<Item = Row> {
    let values = match option.value {
        None => "-".into(),
        // Its protocol's options are at a place of their own.
        Some("PROTOCOL") => format!("+{}", option.words.join("|")),
        Some("FILE") => "@file".into(),
        Some(_) if option.words.is_empty() => "?".into(),
        Some(_) => option.words.join("|"),
    };
    let letter = option.letter.map(|letter| format!("-{letter}"));
    let names = option.names.iter().map(|name| format!("--{name}"));
    let names: Vec<_> = letter.into_iter().chain(names).collect();
    let about = option.about;
    names.into_iter().map(move |name| Row::option(name, values.clone(), about))
}

/// What can stand where, behind the words `path`.
pub(crate) fn places(path: &str) -> Vec<Place> {
    let mut all = Vec::new();
    for (prefix, table) in [("", Table::Conntrack), (" expect", Table::Expect)] {
        let of_expectations = table == Table::Expect;
        let path = format!("{path}{prefix}");
        let mut commands = Vec::new();
        if !of_expectations {
            commands.push(Row::command("expect", "expect", "expectations: any of these commands"));
            commands.push(Row::command("timeout", "timeout", timeout::ABOUT));
        }
        for word in &WORDS {
            let Some(name) = word.names.first() else { continue };
            let spelled = word.spelled();
            let about = word.own.as_ref().map(|own| own.about);
            let about = about.or(spelled.as_ref().map(|row| row.about)).unwrap_or_default();
            let mut rows = Vec::new();
            if let Some(command) = word.command() {
                let options = command.options(table);
                rows.extend(options.flat_map(|option| option_rows(&option).collect::<Vec<_>>()));
            }
            match (&spelled, &word.own) {
                (Some(spelled), _) if !of_expectations => {
                    rows.extend(spelled.words.iter().map(|table| Row::word(table, "-")));
                }
                (None, Some(own)) => rows.push(Row::argument(&values_of(own.value))),
                _ => {}
            }
            let is_of = of_expectations
                && spelled.as_ref().is_none_or(|spelled| !spelled.words.contains(&"expect"));
            if is_of && !matches!(*name, "help" | "version") {
                continue;
            }
            for name_too in word.names {
                commands.push(Row::command(name_too, name, about));
            }
            if !of_expectations {
                let longs = spelled.iter().flat_map(|row| row.names.iter().copied());
                let longs = longs.chain(word.own.as_ref().map(|own| own.long));
                commands.push(Row::command(word.letter, name, about));
                commands.extend(longs.map(|long| Row::command(&format!("--{long}"), name, about)));
            }
            all.push(Place { path: format!("{path} {name}"), rows });
        }
        if !of_expectations {
            commands.extend(OWN.iter().flat_map(Row::of_flag));
        }
        all.push(Place { path, rows: commands });
    }
    for (protocol, options) in Spelled::of_protocols() {
        let rows = options.iter().flat_map(option_rows).collect();
        all.push(Place { path: format!("+{protocol}"), rows });
    }
    all.extend(timeout::places(&format!("{path} timeout")));
    all
}
