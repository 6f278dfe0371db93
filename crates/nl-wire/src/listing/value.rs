//! Payloads as text.

use core::fmt;

use super::escaped;
use crate::attr::Attr;
use crate::errno::Errno;
use crate::error::Expected;
use crate::table::{Layout, Payload};
use crate::text::{Colons, Hex};

/// A payload with the table's word on what it holds; `Display` prints its value on one line.
///
/// A payload too short for its kind prints as bytes, with the length that was expected.
#[derive(Clone, Copy, Debug)]
pub struct Value<'a> {
    payload: Payload,
    attr: Attr<'a>,
    is_errno: bool,
}

impl<'a> Value<'a> {
    /// `bytes` read as `payload`.
    pub const fn new(payload: Payload, bytes: &'a [u8]) -> Self {
        Self { payload, attr: Attr { raw_type: 0, payload: bytes }, is_errno: false }
    }

    /// The negative errno of an ack.
    pub(super) const fn errno(bytes: &'a [u8]) -> Self {
        Self { is_errno: true, ..Self::new(Payload::I32, bytes) }
    }

    /// The value, if it is a number.
    pub fn number(&self) -> Option<u64> {
        let attr = &self.attr;
        match self.payload {
            Payload::Named(inner, _) => Self::new(*inner, attr.payload).number(),
            Payload::U8 => attr.u8().ok().map(u64::from),
            Payload::U16 => attr.u16().ok().map(u64::from),
            Payload::U32 => attr.u32().ok().map(u64::from),
            Payload::U64 => attr.u64().ok(),
            Payload::U16Be => attr.u16_be().ok().map(u64::from),
            Payload::U32Be => attr.u32_be().ok().map(u64::from),
            Payload::U64Be => attr.u64_be().ok(),
            Payload::Uint => attr.uint().ok(),
            _ => None,
        }
    }

    fn signed(&self) -> Option<i64> {
        match self.payload {
            Payload::I8 => self.attr.u8().ok().map(|byte| i64::from(i8::from_ne_bytes([byte]))),
            Payload::I32 => self.attr.i32().ok().map(i64::from),
            Payload::I64 => self.attr.i64().ok(),
            Payload::Sint => self.attr.sint().ok(),
            _ => None,
        }
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.attr.payload;
        if let Some(number) = self.number() {
            return match self.payload {
                Payload::Named(_, names) if names.flags || names.name(number).is_none() => {
                    names.display(number).fmt(f)
                }
                Payload::Named(_, names) => write!(f, "{number} {}", names.display(number)),
                _ => write!(f, "{number}"),
            };
        }
        if let Some(number) = self.signed() {
            if self.is_errno && number != 0 {
                return write!(
                    f,
                    "{number} {}",
                    Errno::from_wire(i32::try_from(number).unwrap_or(i32::MIN))
                );
            }
            return write!(f, "{number}");
        }
        match self.payload {
            Payload::Flag if bytes.is_empty() => f.write_str("set"),
            Payload::Text => write!(f, "\"{}\"", escaped(self.attr.text())),
            Payload::LinkAddress if !bytes.is_empty() => write!(f, "{}", Colons(bytes)),
            Payload::Ipv4 | Payload::Ipv6 | Payload::Ip => match self.attr.ip() {
                Ok(address) => write!(f, "{address}"),
                Err(_) => write_bytes(f, bytes, expected(self.payload)),
            },
            Payload::Bitfield32 if bytes.len() >= 8 => {
                let half = |at: usize| Self::new(Payload::U32, bytes.get(at..).unwrap_or_default());
                write!(f, "{} of {}", half(0), half(4))
            }
            Payload::Struct(layout) => write_struct(f, layout, bytes),
            Payload::Array(each) => write_array(f, *each, bytes),
            other => write_bytes(f, bytes, expected(other)),
        }
    }
}

/// What length would have been right, for payloads that were not.
fn expected(payload: Payload) -> Option<Expected> {
    match payload {
        Payload::Ip => Some(Expected::Either(4, 16)),
        Payload::Uint | Payload::Sint => Some(Expected::Either(4, 8)),
        other => other.width().map(Expected::AtLeast),
    }
}

fn write_bytes(
    f: &mut fmt::Formatter<'_>,
    bytes: &[u8],
    expected: Option<Expected>,
) -> fmt::Result {
    match (bytes, expected) {
        ([], None) => f.write_str("empty"),
        (_, None) => write!(f, "{}", Hex(bytes)),
        ([], Some(expected)) => write!(f, "(0 bytes, expected {expected})"),
        (_, Some(expected)) => {
            write!(f, "{} ({} bytes, expected {expected})", Hex(bytes), bytes.len())
        }
    }
}

fn write_struct(f: &mut fmt::Formatter<'_>, layout: &Layout, bytes: &[u8]) -> fmt::Result {
    let mut rest = bytes;
    let mut separator = "";
    for field in layout.fields {
        let width = field.payload.width().unwrap_or(0);
        let Some((here, behind)) = rest.split_at_checked(width) else { break };
        rest = behind;
        if !field.name.is_empty() {
            write!(f, "{separator}{} {}", field.name, Value::new(field.payload, here))?;
            separator = ", ";
        }
    }
    if rest.is_empty() { Ok(()) } else { write!(f, "{separator}{}", Hex(rest)) }
}

fn write_array(f: &mut fmt::Formatter<'_>, each: Payload, bytes: &[u8]) -> fmt::Result {
    let width = each.width().unwrap_or(1).max(1);
    let mut separator = "";
    for chunk in bytes.chunks(width) {
        write!(f, "{separator}{}", Value::new(each, chunk))?;
        separator = " ";
    }
    Ok(())
}
