//! Files of command lines: what conntrack(8)'s `--load-file` reads.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Command, Line, ParseError, words};
use crate::text::LabelNames;

/// The words of each line of a file that has any, and the line's number, from 1; a line may begin
/// with the name of the program.
///
/// ```
/// let file = "# comment\nconntrack -A -t 60 -p udp\n\n-D -s '10.0.0.1\n-F";
/// let mut lines = nl_conntrack::parse::lines(file);
/// let (number, words) = lines.next().unwrap();
/// assert_eq!((number, words.unwrap().join(" ")), (2, "-A -t 60 -p udp".into()));
/// // What is wrong with a line does not end the others.
/// assert!(matches!(lines.next(), Some((4, Err(_)))));
/// assert!(matches!(lines.next(), Some((5, Ok(_)))));
/// ```
///
/// # Errors
/// As of [`words`], for the line alone.
pub fn lines(
    file: &str,
) -> impl Iterator<Item = (usize, Result<Vec<String>, ParseError>)> + use<'_> {
    file.lines().enumerate().filter_map(|(index, typed)| {
        let found = words(typed).map(|mut words| {
            if words.first().is_some_and(|first| first == "conntrack") {
                words.remove(0);
            }
            words
        });
        let is_empty = found.as_ref().is_ok_and(Vec::is_empty);
        (!is_empty).then_some((index + 1, found))
    })
}

impl Line {
    /// Reads the words of a [line](lines()) of a file: as [`Line::parse`], for those commands that change
    /// something.
    ///
    /// # Errors
    /// As of [`Line::parse`]; if it is another command.
    pub fn load<W: AsRef<[String]>>(
        words: W,
        labels: Option<&LabelNames>,
    ) -> Result<Self, ParseError> {
        let line = Self::parse(words, labels)?;
        match line.command {
            Command::Create | Command::Add | Command::Update | Command::Delete | Command::Flush => {
                Ok(line)
            }
            other => Err(ParseError::new(format_args!(
                "Cannot use command `-{}' with --load-file",
                other.letter()
            ))),
        }
    }
}
