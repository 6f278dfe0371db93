//! `nlctl conntrack --load-file`: lines of options, such as `-o save` prints.

use std::fs;
use std::io::{Read as _, stdin};

use nl_conntrack::parse::{Command, ParseError, words};

use super::{Context, act, bad_line, refused};
use crate::error::Error;
use crate::kernel;
use crate::out::Out;

/// Carries out the lines of a file, or of standard input for `-`, in their order, up to the first
/// that fails; only failures are told.
pub(super) fn run(mut context: Context, file: &str, out: &mut Out) -> Result<u8, Error> {
    let text = if file == "-" {
        let mut text = String::new();
        stdin().read_to_string(&mut text).map(|_| text)
    } else {
        fs::read_to_string(file)
    };
    let usage = |text: String| bad_line(&ParseError { text, usage: true });
    let text = text.map_err(|_| {
        usage(format!("Failed to open file {} for reading", crate::error::word(file)))
    })?;
    let mut connection = kernel::connect(nl_wire::value::Family::NETFILTER, &context.options)?;
    for typed in text.lines() {
        let mut words = words(typed).map_err(|error| bad_line(&error))?;
        // A line may begin with the name of the program.
        if words.first().is_some_and(|first| first == "conntrack") {
            words.remove(0);
        }
        if words.is_empty() {
            continue;
        }
        let line = context.line(&words)?;
        let command = line.command;
        match command {
            Command::Create | Command::Add
                if line.table == nl_conntrack::parse::Table::Conntrack =>
            {
                let change = line.options.create(command).map_err(|error| bad_line(&error))?;
                act::add(&mut connection, change, command)
                    .map_err(|error| refused(&line, &error))?;
            }
            Command::Create | Command::Add | Command::Update | Command::Delete | Command::Flush => {
                act::run(&context, &line, out)?;
            }
            _ => {
                let letter = command.letter();
                return Err(usage(format!("Cannot use command `-{letter}' with --load-file")));
            }
        }
    }
    Ok(0)
}
