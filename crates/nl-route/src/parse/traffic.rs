//! The words of `tc qdisc` and `tc class`.

use alloc::format;
use alloc::vec::Vec;

use nl_wire::RawAttr;

use super::{WordError, Words, duplicate, escaped, wrong};
use crate::names::{Names, parse_number};
use crate::tables::other::TCA_OPTIONS;
use crate::traffic::{Handle, Traffic, TrafficFilter};

/// Reads the words behind `tc qdisc add`, `tc class add` and the like.
///
/// Behind the kind there may be `limit NUMBER` (kinds `pfifo`, `bfifo`), or `options DIGITS`: all
/// that the kind writes behind the header of `TCA_OPTIONS`, in hexadecimal digits. Other words of
/// kinds are not read here.
///
/// # Errors
/// At the first word that is none of these, and where the link is missing.
pub fn change<S: AsRef<str>>(words: &[S], names: &Names) -> Result<Traffic, WordError> {
    let mut words = Words::new(words, names);
    let mut traffic = Traffic::default();
    while let Some(word) = words.next() {
        match word {
            "dev" => traffic.index = words.link()?,
            "root" => hang(&mut traffic, Handle::ROOT, word)?,
            "ingress" | "clsact" => {
                hang(&mut traffic, Handle::INGRESS, word)?;
                traffic.handle = Handle::new(u16::MAX, 0);
                traffic.kind = Some(word.into());
            }
            "parent" => {
                let word = words.value()?;
                hang(&mut traffic, handle(word, "invalid parent ID")?, word)?;
            }
            "handle" => traffic.handle = handle(words.value()?, "invalid qdisc ID")?,
            "classid" => traffic.handle = handle(words.value()?, "invalid class ID")?,
            kind => {
                if kind.len() >= 16 {
                    return Err(wrong(kind, "kind is too long"));
                }
                traffic.kind = Some(kind.into());
                let payload = options(kind, &mut words)?;
                traffic.options = payload.map(|payload| RawAttr { raw_type: TCA_OPTIONS, payload });
                break;
            }
        }
    }
    if traffic.index == 0 {
        let text = "Not enough information: \"dev\" argument is required.".into();
        return Err(WordError { text, code: 1 });
    }
    Ok(traffic)
}

fn hang(traffic: &mut Traffic, parent: Handle, word: &str) -> Result<(), WordError> {
    if traffic.parent != Handle::NONE {
        return Err(duplicate("parent", word));
    }
    traffic.parent = parent;
    Ok(())
}

fn handle(word: &str, reason: &str) -> Result<Handle, WordError> {
    word.parse().map_err(|_| wrong(word, reason))
}

/// What stands behind the kind.
fn options<S: AsRef<str>>(
    kind: &str,
    words: &mut Words<'_, S>,
) -> Result<Option<Vec<u8>>, WordError> {
    let Some(word) = words.next() else { return Ok(None) };
    let payload = match (kind, word) {
        ("pfifo" | "bfifo" | "pfifo_head_drop", "limit") => {
            let value = words.value()?;
            let limit = parse_number(value).ok_or_else(|| wrong(value, "limit is invalid"))?;
            limit.to_ne_bytes().to_vec()
        }
        (_, "options") => {
            let value = words.value()?;
            hex(value).ok_or_else(|| wrong(value, "hexadecimal digits are expected"))?
        }
        _ => {
            let (kind, word) = (escaped(kind), escaped(word));
            let text = format!("Unknown qdisc \"{kind}\", hence option \"{word}\" is unparsable");
            return Err(WordError { text, code: 1 });
        }
    };
    match words.next() {
        Some(word) => Err(wrong(word, "nothing may follow the options")),
        None => Ok(Some(payload)),
    }
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    pairs.map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)).collect()
}

/// Reads the words behind `tc qdisc show` and `tc class show`.
///
/// # Errors
/// At the first word that tc would not take either.
pub fn selector<S: AsRef<str>>(words: &[S], names: &Names) -> Result<TrafficFilter, WordError> {
    let mut words = Words::new(words, names);
    let mut filter = TrafficFilter::default();
    while let Some(word) = words.next() {
        match word {
            "dev" => filter.index = Some(words.link()?),
            "root" => filter.parent = Some(Handle::ROOT),
            "ingress" | "clsact" => filter.parent = Some(Handle::INGRESS),
            "parent" => filter.parent = Some(handle(words.value()?, "invalid parent ID")?),
            "handle" | "qdisc" | "classid" => {
                filter.handle = Some(handle(words.value()?, "invalid qdisc ID")?);
            }
            "invisible" => filter.invisible = true,
            _ => {
                let text = format!("What is \"{}\"? Try \"nlctl qdisc help\".", escaped(word));
                return Err(WordError { text, code: 1 });
            }
        }
    }
    Ok(filter)
}
