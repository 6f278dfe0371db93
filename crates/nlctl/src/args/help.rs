//! Help texts, made from the table.

use std::fmt::Write as _;

use super::{Command, Flag, Kind, line};

/// Where the second column begins.
const COLUMN: usize = 26;

/// Appends the help of the last of these commands, of which each contains the next.
pub(crate) fn help(out: &mut String, path: &[&'static Command]) {
    let Some(command) = path.last() else { return };
    let options =
        if path.iter().any(|command| !command.flags.is_empty()) { " [OPTIONS]" } else { "" };
    let arguments = match command.arguments {
        "" => String::new(),
        arguments => format!(" {arguments}"),
    };
    let _ = writeln!(out, "{}\n\nUsage: {}{options}{arguments}", command.about, line(path));
    if let Kind::Group { commands, default } = &command.kind {
        out.push_str(if path.len() == 1 { "\nObjects:\n" } else { "\nCommands:\n" });
        for (index, command) in commands.iter().enumerate() {
            let mark = if *default && index == 0 { " (default)" } else { "" };
            row(out, &command.names.join("|"), &format!("{}{mark}", command.about));
        }
    }
    if !command.text.is_empty() {
        let _ = write!(out, "\n{}\n", command.text.trim_end());
    }
    for (index, command) in path.iter().enumerate().rev() {
        if !command.flags.is_empty() {
            let title = match index {
                _ if index + 1 == path.len() => "Options:".to_owned(),
                0 => "Options of all commands:".to_owned(),
                _ => format!("Options of {}:", line(path.get(..=index).unwrap_or_default())),
            };
            let _ = writeln!(out, "\n{title}");
            let inner: Vec<&Flag> =
                path.iter().skip(index + 1).flat_map(|command| command.flags).collect();
            for flag in command.flags {
                let left = spelled(flag, &inner);
                if !left.is_empty() {
                    row(out, &left, flag.help);
                }
            }
        }
    }
}

/// How an option is typed, by those of its names that no option of an `inner` command takes; empty
/// if none is left.
pub(crate) fn spelled(flag: &Flag, inner: &[&Flag]) -> String {
    let letter = flag.short.filter(|_| inner.iter().all(|other| other.short != flag.short));
    let letter = letter.map(|letter| format!("-{letter}"));
    // A name of one character is the letter once more.
    let names = flag
        .long
        .iter()
        .filter(|name| name.len() > 1 && !inner.iter().any(|other| other.long.contains(name)));
    let names = names.map(|name| format!("--{name}"));
    let mut left = letter.into_iter().chain(names).collect::<Vec<_>>().join(", ");
    match flag.value {
        Some(value) if !left.is_empty() => {
            let _ = match value.strip_prefix('[') {
                Some(words) => write!(left, "[={words}"),
                None => write!(left, " {value}"),
            };
        }
        _ => {}
    }
    left
}

/// Appends what is typed and, in a second column, what that means.
pub(crate) fn row(out: &mut String, left: &str, right: &str) {
    let mut left = format!("  {left}");
    for line in right.lines() {
        if left.len() + 1 < COLUMN {
            let _ = writeln!(out, "{left:COLUMN$}{line}");
        } else {
            let _ = writeln!(out, "{left}\n{:COLUMN$}{line}", "");
        }
        left.clear();
    }
}
