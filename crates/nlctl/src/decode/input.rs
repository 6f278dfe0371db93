//! The messages of a file.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read as _};
use std::time::Duration;

use nl_wire::error::Problem;
use nl_wire::pcap::{Header, PcapError, Reader};
use nl_wire::value::Family;
use nl_wire::{Messages, header};

use crate::error::{Error, FAILED, io_text, word};
use crate::message::Item;

/// A file in memory.
pub(crate) struct Input {
    name: String,
    bytes: Vec<u8>,
    protocol: Option<Family>,
}

/// The magic of pcapng, which is told from back-to-back messages by its reader's error.
const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

impl Input {
    /// Reads a file, `-` being stdin.
    ///
    /// # Errors
    /// If it can't be read.
    pub(crate) fn read(file: &OsString, protocol: Option<Family>) -> Result<Self, Error> {
        let stdin = file == OsStr::new("-");
        let read = || -> io::Result<Vec<u8>> {
            if !stdin {
                return fs::read(file);
            }
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let name = if stdin { "stdin".to_owned() } else { word(file).to_string() };
        match read() {
            Ok(bytes) => Ok(Self { name, bytes, protocol }),
            Err(error) => Err(Error::new(
                FAILED,
                format_args!("nlctl: cannot read {name}: {}", io_text(&error)),
            )),
        }
    }

    /// Calls `visit` with each message in order, up to the first damage.
    ///
    /// # Errors
    /// The damage, or what `visit` gives.
    pub(crate) fn each(
        &self,
        mut visit: impl FnMut(&Item<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut number = 0;
        let mut datagram = |family, time: Option<Duration>, bytes| {
            let mut messages = Messages::new(bytes);
            loop {
                let rest = messages.rest();
                let Some(message) = messages.next() else { return Ok(()) };
                number += 1;
                let message = message.map_err(|error| {
                    if is_foreign(error.problem, rest) {
                        self.bad(format_args!(
                            "message {number} is in the byte order of another kind of host; \
                             decode it on such a host"
                        ))
                    } else {
                        self.bad(format_args!("message {number}: {error}"))
                    }
                })?;
                visit(&Item { family, time, number, nsid: None, message })?;
            }
        };
        if !self.is_pcap() {
            let Some(family) = self.protocol else {
                let text = match Reader::new(&self.bytes).map(|_| ()) {
                    Err(error) => error.to_string(),
                    Ok(()) => String::new(),
                };
                return Err(self.bad(format_args!("{text}; for bare messages give --protocol")));
            };
            return datagram(family, None, &self.bytes);
        }
        let records = Reader::new(&self.bytes).map_err(|error| self.bad(error))?;
        for (index, record) in records.enumerate() {
            let at = |error: PcapError| self.bad(format_args!("record {}: {error}", index + 1));
            let record = record.map_err(at)?;
            let family = Family(record.protocol);
            if self.protocol.is_none_or(|wanted| wanted == family) {
                datagram(family, Some(record.time), record.payload)?;
            }
        }
        Ok(())
    }

    fn is_pcap(&self) -> bool {
        self.bytes
            .first_chunk()
            .is_some_and(|magic| *magic == PCAPNG || Header::from_magic(*magic).is_some())
    }

    /// The error about a message that can't be decoded.
    pub(crate) fn undecodable(&self, item: &Item<'_>, error: &nl_wire::Error) -> Error {
        self.bad(format_args!("message {} ({}): {error}", item.number, item.type_name()))
    }

    fn bad(&self, text: impl std::fmt::Display) -> Error {
        Error::new(FAILED, format_args!("nlctl: {}: {text}", self.name))
    }
}

/// Whether a length that can't be would be right with its bytes turned round.
fn is_foreign(problem: Problem, rest: &[u8]) -> bool {
    let Problem::MessageLength { stated, left } = problem else { return false };
    let turned = stated.swap_bytes() as usize;
    (header::HEADER_LEN..=left).contains(&turned) && rest.len() == left
}
