//! `nlctl conntrack --load-file`: lines of options, such as `-o save` prints.

use std::fs;
use std::io::{Read as _, stdin};

use nl_conntrack::parse::{Command, Line, ParseError, Table, lines};
use nl_socket::Connection;
use nl_wire::value::Family;

use super::{Context, act, bad_line, refused};
use crate::error::{Error, io_text, say, word};
use crate::kernel;
use crate::out::Out;

/// Carries out the lines of a file, or of standard input for `-`, in their order, up to the first
/// that fails, and none if one of them makes no sense; how many flows each changed is not told.
pub(super) fn run(mut context: Context, file: &str, out: &mut Out) -> Result<u8, Error> {
    let mut text = String::new();
    let read = if file == "-" {
        stdin().read_to_string(&mut text).map(drop)
    } else {
        fs::read_to_string(file).map(|read| text = read)
    };
    read.map_err(|error| {
        let text = format!("Failed to open file {} for reading", word(file));
        bad_line(&ParseError { text, usage: true }).with_place(&io_text(&error))
    })?;
    let place = |number| format!("in line {number} of {}", word(file));
    let mut read = Vec::new();
    for (number, words) in lines(&text) {
        let words = words.map_err(|error| bad_line(&error));
        let line = words.and_then(|words| context.line(Line::load, &words));
        read.push((number, line.map_err(|error| error.with_place(&place(number)))?));
    }
    let mut connection = kernel::connect(Family::NETFILTER, &context.options)?;
    for (number, line) in &read {
        let done = command(&context, line, &mut connection, out);
        let code = done.map_err(|error| error.with_place(&place(*number)))?;
        if code != 0 {
            say(format_args!("  {}", place(*number)));
            return Ok(code);
        }
    }
    Ok(0)
}

fn command(
    context: &Context,
    line: &Line,
    connection: &mut Connection,
    out: &mut Out,
) -> Result<u8, Error> {
    match (line.command, line.table) {
        (Command::Create | Command::Add, Table::Conntrack) => {
            let change = line.options.create(line.command).map_err(|error| bad_line(&error))?;
            let added = act::add(connection, change, line.command);
            added.map(|()| 0).map_err(|error| refused(line, &error))
        }
        _ => act::run_of_file(context, line, out),
    }
}
