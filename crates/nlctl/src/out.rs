//! Standard output: one buffer, written in large pieces.

use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;

use nl_wire::json::Json;

use crate::error::Error;

/// Beyond this many bytes the buffer is written.
const PIECE: usize = 64 << 10;

/// Buffered standard output. Lines are appended to one `String` that is kept, so that nothing is
/// allocated per line.
#[derive(Debug)]
pub(crate) struct Out {
    text: String,
    file: File,
}

impl Out {
    /// Standard output.
    ///
    /// # Errors
    /// If the program was started with no descriptor left.
    pub(crate) fn new() -> Result<Self, Error> {
        let fd = io::stdout().as_fd().try_clone_to_owned().map_err(Error::Output)?;
        Ok(Self { text: String::with_capacity(2 * PIECE), file: File::from(fd) })
    }

    /// Where to append text. Call [`Out::relieve`] now and then.
    pub(crate) fn text(&mut self) -> &mut String {
        &mut self.text
    }

    /// Appends text.
    pub(crate) fn append(&mut self, text: fmt::Arguments<'_>) {
        // A String takes everything.
        let _ = fmt::Write::write_fmt(&mut self.text, text);
    }

    /// Ends a line.
    ///
    /// # Errors
    /// As [`Out::flush`].
    pub(crate) fn end_line(&mut self) -> Result<(), Error> {
        self.text.push('\n');
        self.relieve()
    }

    /// Appends one line of JSON.
    ///
    /// # Errors
    /// As [`Out::flush`].
    pub(crate) fn json_line(&mut self, write: impl FnOnce(&mut Json<'_>)) -> Result<(), Error> {
        write(&mut Json::new(&mut self.text));
        self.end_line()
    }

    /// A list of objects: an array of JSON, `pretty` or not, or lines.
    pub(crate) fn rows(&mut self, json: bool, pretty: bool) -> Rows<'_> {
        if !json {
            return Rows::Lines(self);
        }
        let new = if pretty { Json::pretty } else { Json::new };
        let mut json = new(&mut self.text);
        json.begin_array();
        Rows::Array(json, &mut self.file)
    }

    /// Writes what is there if it is much.
    ///
    /// # Errors
    /// As [`Out::flush`].
    pub(crate) fn relieve(&mut self) -> Result<(), Error> {
        if self.text.len() < PIECE { Ok(()) } else { self.flush() }
    }

    /// Writes what is there.
    ///
    /// # Errors
    /// If it can't be written; a reader that went away is one of the reasons.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        write(&mut self.file, &mut self.text)
    }
}

fn write(file: &mut File, text: &mut String) -> Result<(), Error> {
    let result = file.write_all(text.as_bytes());
    text.clear();
    result.map_err(Error::Output)
}

/// A list of objects on its way out; see [`Out::rows`].
#[derive(Debug)]
pub(crate) enum Rows<'o> {
    /// As text.
    Lines(&'o mut Out),
    /// As one array.
    Array(Json<'o>, &'o mut File),
}

impl Rows<'_> {
    /// Adds one object: the line or lines that `line` appends, or its JSON.
    ///
    /// # Errors
    /// As [`Out::flush`].
    pub(crate) fn add(
        &mut self,
        object: impl FnOnce(&mut Json<'_>),
        line: impl FnOnce(&mut String),
    ) -> Result<(), Error> {
        match self {
            Self::Lines(out) => {
                line(out.text());
                out.relieve()
            }
            Self::Array(json, file) => {
                object(json);
                if json.buffer().len() < PIECE { Ok(()) } else { write(file, json.buffer()) }
            }
        }
    }

    /// Ends the list and writes it.
    ///
    /// # Errors
    /// As [`Out::flush`].
    pub(crate) fn end(self) -> Result<(), Error> {
        match self {
            Self::Lines(out) => out.flush(),
            Self::Array(mut json, file) => {
                json.end_array();
                json.buffer().push('\n');
                write(file, json.buffer())
            }
        }
    }
}
