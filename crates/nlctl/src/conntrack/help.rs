//! What `nlctl conntrack -h` prints, and what the manual has of it.

use std::fmt::Write as _;

use nl_conntrack::parse::Spelled;

use super::timeout;
use super::words::{OWN, WORDS};
use crate::args;

/// Rows under a title: what is typed, and what that means.
pub(crate) struct Section {
    /// The title.
    pub(crate) title: &'static str,
    /// The rows.
    pub(crate) rows: Vec<(String, String)>,
}

/// How the command is used.
pub(crate) const USAGE: [&str; 4] = [
    "nlctl conntrack COMMAND [TABLE] [OPTIONS]",
    "nlctl conntrack expect [COMMAND] [OPTIONS]",
    "nlctl conntrack timeout [COMMAND] …",
    "alias conntrack='nlctl conntrack'",
];

/// What there is to say besides.
pub(crate) const TABLES: &str = "\
TABLE is conntrack (the default), expect, dying or unconfirmed, the last two of list only. Words may
be cut short. The options tell which entries are meant, and for create, add and update what they
shall be.";

/// What the exit codes mean.
pub(crate) const EXIT_CODES: &str =
    "0 success; 1 failed, or nothing was there to update or delete; 2 bad parameters.";

/// Appends the help.
pub(super) fn help(out: &mut String) {
    let _ = writeln!(out, "{}\n", super::COMMAND.about);
    for (index, usage) in USAGE.iter().enumerate() {
        let _ = writeln!(out, "{:7}{usage}", if index == 0 { "Usage:" } else { "" });
    }
    let _ = writeln!(out, "\n{TABLES}");
    for section in sections() {
        let _ = writeln!(out, "\n{}:", section.title);
        section.rows.iter().for_each(|(left, right)| args::row(out, left, right));
    }
    let _ = writeln!(out, "\nExit codes: {EXIT_CODES}");
}

/// All commands and options.
pub(crate) fn sections() -> Vec<Section> {
    let commands = WORDS
        .iter()
        .map(|word| {
            let spelled = word.spelled();
            let mut left = word.names.join(", ");
            let longs = spelled.iter().flat_map(|row| row.names.iter().copied());
            let mut about = spelled.as_ref().map_or("", |row| row.about);
            let longs: Vec<_> = match &word.own {
                Some(own) => {
                    about = own.about;
                    let _ = write!(left, " {}", own.value);
                    vec![own.long]
                }
                None => longs.collect(),
            };
            let _ = write!(left, ", {}", word.letter);
            for long in longs {
                let _ = write!(left, ", --{long}");
            }
            (left, about.to_owned())
        })
        .collect();
    let own = OWN.iter().map(|flag| (args::spelled(flag, &[]), flag.help.to_owned())).collect();
    vec![
        Section { title: "Commands", rows: commands },
        timeout::section(),
        Section {
            title: "Options",
            rows: Spelled::options().map(|row| left_right(&row)).collect(),
        },
        Section { title: "Options of protocols, behind -p", rows: of_protocols() },
        Section { title: "Options of nlctl", rows: own },
    ]
}

fn left_right(option: &Spelled) -> (String, String) {
    let letter = option.letter.map(|letter| format!("-{letter}"));
    let names = option.names.iter().map(|name| format!("--{name}"));
    let mut left = letter.into_iter().chain(names).collect::<Vec<_>>().join(", ");
    if let Some(value) = option.value {
        let _ = if option.optional { write!(left, " [{value}]") } else { write!(left, " {value}") };
    }
    (left, option.about.to_owned())
}

/// Each option once, with the protocols that have it by these names.
fn of_protocols() -> Vec<(String, String)> {
    let mut rows: Vec<((String, String), Vec<&str>)> = Vec::new();
    for (protocol, options) in Spelled::of_protocols() {
        for option in options {
            let row = left_right(&option);
            match rows.iter_mut().find(|known| known.0 == row) {
                Some(known) => known.1.push(protocol),
                None => rows.push((row, vec![protocol])),
            }
        }
    }
    let with_protocols = |((left, about), protocols): ((String, String), Vec<&str>)| {
        let separator = if protocols.len() > 1 { '\n' } else { ' ' };
        (left, format!("{about}{separator}({})", protocols.join(", ")))
    };
    rows.into_iter().map(with_protocols).collect()
}
