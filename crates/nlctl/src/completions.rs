//! `nlctl completions`: what makes a shell complete command lines of this program.
//!
//! What can stand where is data, made from the table of commands ([`places`]); each shell has a
//! function that reads it.

use std::fmt::Write as _;

use crate::COMMANDS;
use crate::args::{Command, Kind, Options};
use crate::error::{Error, USAGE, word};
use crate::out::Out;
use crate::outline::{Place, Row, places};

/// The command.
pub(crate) const COMMAND: Command = Command {
    names: &["completions"],
    arguments: "bash|zsh|fish",
    about: "Print a script that makes a shell complete command lines.",
    text: "\
  source <(nlctl completions bash)       in ~/.bashrc
  source <(nlctl completions zsh)        in ~/.zshrc, behind compinit
  nlctl completions fish | source        in ~/.config/fish/config.fish

Commands, options and words are completed, names of links behind dev and the like, and those of
network namespaces.
",
    flags: &[],
    kind: Kind::Run(run),
};

/// A shell: its name, what stands before and behind the rows, and how it writes these.
struct Shell {
    name: &'static str,
    head: &'static [&'static str],
    tail: &'static str,
    rows: fn(&mut String, &[Place]),
}

const FIND: &str = include_str!("completions/find.sh");

const SHELLS: [Shell; 3] = [
    Shell {
        name: "bash",
        head: &[include_str!("completions/bash.sh"), FIND],
        tail: "",
        rows: posix,
    },
    Shell {
        name: "zsh",
        head: &[include_str!("completions/zsh.sh"), FIND],
        tail: include_str!("completions/zsh_end.sh"),
        rows: posix,
    },
    Shell { name: "fish", head: &[include_str!("completions/fish.fish")], tail: "", rows: fish },
];

fn run(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let words = options.text_words()?;
    let [name] = words[..] else {
        return Err(Error::new(USAGE, "Error: one shell must be named: bash, zsh or fish."));
    };
    let shell = SHELLS.iter().find(|shell| shell.name == name).ok_or_else(|| {
        let name = word(name);
        Error::new(USAGE, format_args!("Error: argument \"{name}\" is wrong: not bash, zsh, fish"))
    })?;
    let text = out.text();
    shell.head.iter().for_each(|part| text.push_str(part));
    (shell.rows)(text, &places(&COMMANDS));
    text.push_str(shell.tail);
    Ok(0)
}

/// The rows of all places where something can stand, each with the paths of those.
fn groups(places: &[Place]) -> Vec<(Vec<&str>, Vec<String>)> {
    let mut groups: Vec<(Vec<&str>, Vec<String>)> = Vec::new();
    for Place { path, rows } in places.iter().filter(|place| !place.rows.is_empty()) {
        let line = |row: &Row| format!("{} {} {} {}", row.kind, row.name, row.leads, row.about);
        let lines: Vec<_> = rows.iter().map(|row| line(row).trim_end().to_owned()).collect();
        match groups.iter_mut().find(|group| group.1 == lines) {
            Some(group) => group.0.push(path),
            None => groups.push((vec![path], lines)),
        }
    }
    groups
}

fn posix(out: &mut String, places: &[Place]) {
    out.push_str(
        "\n# What can stand behind the words $1: kind, name, where it leads, what it means.\n\
         _nlctl_rows() {\n    rows=\n    case $1 in\n",
    );
    for (paths, lines) in groups(places) {
        let (paths, lines) = (paths.join("' | '"), lines.join("\n").replace('\'', r"'\''"));
        let _ = writeln!(out, "    '{paths}') rows='{lines}' ;;");
    }
    out.push_str("    esac\n}\n");
}

fn fish(out: &mut String, places: &[Place]) {
    out.push_str(
        "\n# What can stand behind words: kind, name, where it leads, what it means.\n\
         function __nlctl_rows\n    switch $argv[1]\n",
    );
    for (paths, lines) in groups(places) {
        let _ = write!(out, "        case '{}'\n            printf '%s\\n'", paths.join("' '"));
        for line in lines {
            let line = line.replace('\\', r"\\").replace('\'', r"\'");
            let _ = write!(out, " \\\n                '{line}'");
        }
        out.push('\n');
    }
    out.push_str("    end\nend\n");
}
