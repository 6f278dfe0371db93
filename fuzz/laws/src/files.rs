//! Laws of the files that `nlctl` reads: batches, what ip saved, command lines of conntrack(8).

use nl_conntrack::parse::{Command, Line, lines};
use nl_conntrack::text;
use nl_route::parse::batch::{Lines, route_change};
use nl_route::parse::saved::{self, NotSaved, Saved};
use nl_route::parse::{self};
use nl_route::{Address, AddressFamily, Change, Route, Rule};

use crate::conntrack_text::{check_line, check_saved, is_plain, labels, quoted};
use crate::{check_printable, check_request};

/// Each command of a batch is read again from one line that has the same words; the numbers count
/// the lines; changes of routes become requests, or are refused in harmless words.
pub fn batch(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let names = crate::route_words::names();
    let mut reader = Lines::default();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let read = reader.push(line);
        assert_eq!(reader.number(), index + 1);
        let words = match read {
            Ok(words) => words,
            Err(error) => {
                check_printable(&error.to_string(), false);
                continue;
            }
        };
        // A quote that a word holds is another one than that around it; a blank ends a backslash.
        let quote = |word: &String| match word.contains('"') {
            true if word.contains('\'') => word.clone(),
            true => format!("'{word}'"),
            false => format!("\"{word}\""),
        };
        let joined: Vec<_> = words.iter().map(quote).collect();
        assert_eq!(Lines::default().push(&(joined.join(" ") + " ")).as_ref(), Ok(&words));
        let Some((action, rest)) = route_change(&words) else { continue };
        match parse::route(rest, AddressFamily::UNSPEC, &names) {
            Ok(object) => check_request(&Change { action, object }),
            Err(error) => check_printable(&error.to_string(), true),
        }
    }
    let _ = reader.end().map_err(|error| check_printable(&error.to_string(), false));
}

/// What is read from a file is written to a file that holds the same; a file of something else is
/// told by its beginning alone.
pub fn saved(messages: &[u8]) {
    of::<Route>(messages);
    of::<Rule>(messages);
    of::<Address>(messages);
}

fn of<T: Saved + PartialEq + std::fmt::Debug>(messages: &[u8]) {
    let found = messages.first_chunk().map(|magic| u32::from_ne_bytes(*magic));
    match saved::read::<T>(messages) {
        Ok(_) => assert_eq!(found, Some(T::MAGIC)),
        Err(error) => {
            assert_eq!(error, NotSaved { found });
            check_printable(&error.to_string(), false);
        }
    }
    let file = [&T::MAGIC.to_ne_bytes(), messages].concat();
    let items = saved::read::<T>(&file).expect("its beginning is right");
    let mut objects = Vec::new();
    for item in items {
        match item {
            Ok(object) => objects.push(object),
            Err(error) => check_printable(&error.to_string(), false),
        }
    }
    // What a message held that no message can hold is refused, whole.
    let Ok(written) = saved::write(&objects) else { return };
    let again: Result<Vec<T>, _> = saved::read(&written).expect("its beginning is right").collect();
    assert_eq!(again.as_ref(), Ok(&objects));
}

/// The words of a line of a file are those of the line alone, under its number; what a line makes is
/// saved as a line that makes the same.
pub fn conntrack_file(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let all: Vec<&str> = text.lines().collect();
    let names = labels();
    let mut before = 0;
    for (number, words) in lines(text) {
        assert!(before < number && number <= all.len(), "line {number} behind {before}");
        before = number;
        let words = match words {
            Ok(words) => words,
            Err(error) => {
                assert!(nl_conntrack::parse::words(all[number - 1]).is_err());
                check_printable(&error.to_string(), false);
                continue;
            }
        };
        assert!(!words.is_empty());
        let again = format!("conntrack {}", quoted(&words));
        // A word may hold the end of a line, behind a backslash in none.
        assert_eq!(lines(&again).next(), Some((1, Ok(words.clone()))));
        match Line::load(&words, Some(&names)) {
            Ok(line) => check_loaded(&line),
            Err(error) => check_printable(&error.to_string(), false),
        }
    }
}

fn check_loaded(line: &Line) {
    let changes = [Command::Create, Command::Add, Command::Update, Command::Delete, Command::Flush];
    assert!(changes.contains(&line.command), "{line:?}");
    check_line(line);
    let Ok(change) = line.options.create(line.command) else { return };
    let mut flow = change.flow;
    if change.nat_source.is_some() || change.nat_destination.is_some() || !is_plain(&flow) {
        return;
    }
    let names = labels();
    // What the kernel would add of its own accord.
    flow.status.get_or_insert_default();
    let mut saved = String::new();
    text::save_all(&mut saved, &flow, Some(&names));
    check_printable(&saved, false);
    check_saved(&saved, &flow, &names);
}
