//! An annotated listing of any message.
//!
//! [`Listing`] prints a message as a tree, one attribute a line, with the names of a
//! [`Protocol`]'s tables and hex for what they do not know. [`Listing::hex`] prints the same
//! message as annotated hex: every byte exactly once, each field with its name behind `#`.
//! Damaged messages are listed up to the damage and say what it is.

use alloc::format;
use core::fmt;

use crate::ack::EXTENDED_ACK;
use crate::attr::{ATTR_HEADER_LEN, Attr, Attrs, Records};
use crate::datagram::Message;
use crate::error::Error;
use crate::header::{
    Flags, HEADER_LEN, Header, NLMSG_DONE, NLMSG_ERROR, NLMSG_MIN_TYPE, Verb, align,
};
use crate::table::{Layout, MessageKind, Payload, Protocol, Table};
use crate::text::{Escaped, Hex};

mod value;
pub use value::Value;

/// How deep nests are followed; below, payloads are listed as bytes. The kernel's own policies nest
/// no deeper than 10.
const MAX_DEPTH: usize = 16;

/// A message with the tables that name its parts; `Display` prints the tree.
///
/// ```
/// use nl_wire::{Message, listing::Listing, table::Protocol, value::Family};
///
/// let bytes: Vec<u8> = [
///     &20_u32.to_ne_bytes()[..], &3_u16.to_ne_bytes(), &2_u16.to_ne_bytes(), // NLMSG_DONE, MULTI
///     &7_u32.to_ne_bytes(), &0_u32.to_ne_bytes(), &0_i32.to_ne_bytes(),
/// ].concat();
/// let message = Message::decode(&bytes)?;
/// let protocol = Protocol::unknown(Family::ROUTE);
/// assert_eq!(
///     Listing::new(&message, &protocol).to_string(),
///     "NLMSG_DONE, 20 bytes, flags MULTI, sequence 7, port 0\n    error: 0\n",
/// );
/// # Ok::<(), nl_wire::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    bytes: &'a [u8],
    protocol: &'a Protocol,
}

/// One part of a message, in order of its bytes.
struct Part<'a> {
    depth: usize,
    /// The bytes that this part accounts for; those of its children are not among them.
    bytes: &'a [u8],
    what: What<'a>,
}

enum What<'a> {
    Header(Header, &'static str),
    /// A structure begins; its fields follow.
    Struct(&'static str),
    Field(&'static str, Value<'a>),
    /// An attribute's header and, if it is a leaf, its value.
    Attribute(Attr<'a>, Option<&'static str>, Option<Value<'a>>),
    /// One entry of an array of records begins.
    Record(usize),
    Padding,
    /// What no table describes.
    Bytes,
    Damage(Error),
}

type Visit<'v, 'a> = &'v mut dyn FnMut(Part<'a>) -> fmt::Result;

impl<'a> Listing<'a> {
    /// The listing of `message` by the tables of `protocol`.
    pub const fn new(message: &Message<'a>, protocol: &'a Protocol) -> Self {
        Self { bytes: message.bytes, protocol }
    }

    /// The message as annotated hex. Without the comments these are exactly the message's bytes.
    pub fn hex(self) -> impl fmt::Display + 'a {
        AnnotatedHex(self)
    }

    /// The first damage in the message; `None` if all of it can be listed.
    pub fn damage(&self) -> Option<Error> {
        let mut found = None;
        // Ends early with a damage, and for no other reason.
        let _ = self.visit(&mut |part| {
            if let What::Damage(error) = part.what {
                found = Some(error);
                return Err(fmt::Error);
            }
            Ok(())
        });
        found
    }

    fn visit(&self, visit: Visit<'_, 'a>) -> fmt::Result {
        walk_message(self.bytes, self.protocol, 0, visit)
    }
}

/// What every protocol's control messages look like.
fn control(message_type: u16) -> &'static str {
    ["", "NLMSG_NOOP", "NLMSG_ERROR", "NLMSG_DONE", "NLMSG_OVERRUN"]
        .get(usize::from(message_type))
        .copied()
        .unwrap_or_default()
}

fn walk_message<'a>(
    bytes: &'a [u8],
    protocol: &Protocol,
    depth: usize,
    visit: Visit<'_, 'a>,
) -> fmt::Result {
    let header = match Header::decode(bytes) {
        Ok(header) => header,
        Err(error) => return visit(Part { depth, bytes, what: What::Damage(error) }),
    };
    let kind = protocol.message(header.message_type).filter(|kind| kind.number >= NLMSG_MIN_TYPE);
    let name = kind.map_or_else(|| control(header.message_type), |kind| kind.name);
    let (head, body) = bytes.split_at(HEADER_LEN);
    visit(Part { depth, bytes: head, what: What::Header(header, name) })?;
    let depth = depth + 1;
    match (header.message_type, kind) {
        (NLMSG_ERROR | NLMSG_DONE, _) => walk_ack(&header, body, protocol, depth, visit),
        (_, Some(MessageKind { header: layout, attributes, .. })) => {
            walk_payload(Payload::Headed(layout, attributes), body, depth, visit)
        }
        _ if body.is_empty() => Ok(()),
        _ => visit(Part { depth, bytes: body, what: What::Bytes }),
    }
}

fn walk_ack<'a>(
    header: &Header,
    body: &'a [u8],
    protocol: &Protocol,
    depth: usize,
    visit: Visit<'_, 'a>,
) -> fmt::Result {
    let Some((errno, mut rest)) = body.split_at_checked(4) else {
        return visit(Part { depth, bytes: body, what: What::Bytes });
    };
    visit(Part { depth, bytes: errno, what: What::Field("error", Value::errno(errno)) })?;
    if header.message_type == NLMSG_ERROR {
        let request = Header::decode(rest).unwrap_or_default();
        let success = errno == [0; 4];
        let length = if success || header.flags.contains(Flags::CAPPED) {
            HEADER_LEN
        } else {
            (request.length as usize).max(HEADER_LEN)
        };
        let (repeated, behind) = rest.split_at(length.min(rest.len()));
        // An ack about an ack would be repeated bytes of a hostile peer: one level is enough.
        if depth == 1 && repeated.len() >= HEADER_LEN {
            if repeated.len() == HEADER_LEN {
                let what = What::Header(request, request_name(protocol, &request));
                visit(Part { depth, bytes: repeated, what })?;
            } else {
                walk_message(repeated, protocol, depth, visit)?;
            }
        } else if !repeated.is_empty() {
            visit(Part { depth, bytes: repeated, what: What::Bytes })?;
        }
        let padding = align(length).saturating_sub(length).min(behind.len());
        let (padding, tlvs) = behind.split_at(padding);
        if !padding.is_empty() {
            visit(Part { depth, bytes: padding, what: What::Padding })?;
        }
        rest = tlvs;
    }
    if header.flags.contains(Flags::ACK_TLVS) {
        return walk_attrs(Payload::Nest(&EXTENDED_ACK), rest, depth, visit);
    }
    if rest.is_empty() { Ok(()) } else { visit(Part { depth, bytes: rest, what: What::Bytes }) }
}

fn request_name(protocol: &Protocol, request: &Header) -> &'static str {
    protocol.message(request.message_type).map_or_else(|| control(request.message_type), |k| k.name)
}

/// Whether a payload is listed as lines of its own below its attribute.
const fn is_container(payload: Payload) -> bool {
    matches!(
        payload,
        Payload::Nest(_) | Payload::List(_) | Payload::Headed(..) | Payload::Records(..)
    )
}

fn walk_payload<'a>(
    payload: Payload,
    bytes: &'a [u8],
    depth: usize,
    visit: Visit<'_, 'a>,
) -> fmt::Result {
    match payload {
        Payload::Headed(layout, table) => {
            let rest = walk_struct(layout, bytes, depth, visit)?;
            walk_attrs(Payload::Nest(table), rest, depth, visit)
        }
        Payload::Records(layout, table) => {
            let mut end = 0;
            for (index, record) in Records::new(bytes, layout.width()).enumerate() {
                let record = match record {
                    Ok(record) => record,
                    Err(error) => {
                        let bytes = bytes.get(end..).unwrap_or_default();
                        return visit(Part { depth, bytes, what: What::Damage(error) });
                    }
                };
                visit(Part { depth, bytes: &[], what: What::Record(index) })?;
                let rest = walk_struct(layout, record, depth + 1, visit)?;
                walk_attrs(Payload::Nest(table), rest, depth + 1, visit)?;
                end = pad(bytes, end + record.len(), depth + 1, visit)?;
            }
            Ok(())
        }
        _ => walk_attrs(payload, bytes, depth, visit),
    }
}

/// Visits the fields of a structure as far as the bytes go; gives what is behind.
fn walk_struct<'a>(
    layout: &Layout,
    bytes: &'a [u8],
    depth: usize,
    visit: Visit<'_, 'a>,
) -> Result<&'a [u8], fmt::Error> {
    if layout.width() == 0 {
        return Ok(bytes);
    }
    visit(Part { depth, bytes: &[], what: What::Struct(layout.name) })?;
    let mut rest = bytes;
    for field in layout.fields {
        let width = field.payload.width().unwrap_or(0).min(rest.len());
        let (here, behind) = rest.split_at(width);
        let what = match field.name {
            "" => What::Padding,
            name => What::Field(name, Value::new(field.payload, here)),
        };
        visit(Part { depth: depth + 1, bytes: here, what })?;
        rest = behind;
    }
    let end = pad(bytes, bytes.len() - rest.len(), depth + 1, visit)?;
    Ok(bytes.get(end..).unwrap_or_default())
}

/// Visits the padding behind `end`; gives the offset behind it.
fn pad<'a>(
    bytes: &'a [u8],
    end: usize,
    depth: usize,
    visit: Visit<'_, 'a>,
) -> Result<usize, fmt::Error> {
    let next = align(end).min(bytes.len());
    match bytes.get(end..next) {
        Some(padding) if !padding.is_empty() => {
            visit(Part { depth, bytes: padding, what: What::Padding })?;
        }
        _ => {}
    }
    Ok(next)
}

fn walk_attrs<'a>(
    scope: Payload,
    bytes: &'a [u8],
    depth: usize,
    visit: Visit<'_, 'a>,
) -> fmt::Result {
    let level = Attrs::new(bytes);
    let mut end = 0;
    for attr in level.clone() {
        let attr = match attr {
            Ok(attr) => attr,
            Err(error) => {
                let bytes = bytes.get(end..).unwrap_or_default();
                return visit(Part { depth, bytes, what: What::Damage(error) });
            }
        };
        let (name, payload) = match scope {
            Payload::Nest(table) => match table.row(attr.number()) {
                Some(row) => (Some(row.name), row.payload),
                None if attr.is_flagged_nested() => (None, Payload::Nest(Table::EMPTY)),
                None => (None, Payload::Bytes),
            },
            Payload::List(each) => (None, *each),
            _ => (None, Payload::Bytes),
        };
        let (payload, _) = payload.resolve(&level);
        let head = bytes.get(end..end + ATTR_HEADER_LEN).unwrap_or_default();
        if is_container(payload) && depth < MAX_DEPTH {
            visit(Part { depth, bytes: head, what: What::Attribute(attr, name, None) })?;
            walk_payload(payload, attr.payload, depth + 1, visit)?;
        } else {
            let value = Value::new(payload, attr.payload);
            let all = bytes.get(end..end + ATTR_HEADER_LEN + attr.payload.len());
            let what = What::Attribute(attr, name, Some(value));
            visit(Part { depth, bytes: all.unwrap_or_default(), what })?;
        }
        end = pad(bytes, end + ATTR_HEADER_LEN + attr.payload.len(), depth + 1, visit)?;
    }
    Ok(())
}

fn verb(listing: &Listing<'_>, header: &Header) -> Verb {
    match header.message_type {
        NLMSG_ERROR | NLMSG_DONE => Verb::Ack,
        other => listing.protocol.message(other).map_or(Verb::New, |kind| kind.verb),
    }
}

fn write_header(
    f: &mut fmt::Formatter<'_>,
    listing: &Listing<'_>,
    header: &Header,
    name: &str,
) -> fmt::Result {
    match name {
        "" => write!(f, "message type {}", header.message_type)?,
        name => f.write_str(name)?,
    }
    write!(
        f,
        ", {} bytes, flags {}, sequence {}, port {}",
        header.length,
        header.flags.display(verb(listing, header)),
        header.sequence,
        header.port
    )
}

fn write_attribute(f: &mut fmt::Formatter<'_>, attr: &Attr<'_>, name: Option<&str>) -> fmt::Result {
    match name {
        Some(name) => f.write_str(name),
        None => write!(f, "attribute {}", attr.number()),
    }
}

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The fields of a structure share its line.
        let mut fields = 0;
        let indent = |f: &mut fmt::Formatter<'_>, depth| write!(f, "{:1$}", "", 4 * depth);
        self.visit(&mut |Part { depth, bytes, what }| {
            if let What::Padding = what {
                return Ok(());
            }
            if let What::Field(name, value) = what {
                if fields == 0 {
                    indent(f, depth)?;
                } else {
                    f.write_str(if fields == 1 { ": " } else { ", " })?;
                }
                fields = fields.max(1) + 1;
                write!(f, "{name}{} {value}", if depth == 1 { ":" } else { "" })?;
                return if depth == 1 { f.write_str("\n").map(|()| fields = 0) } else { Ok(()) };
            }
            if fields > 0 {
                f.write_str("\n")?;
                fields = 0;
            }
            indent(f, depth)?;
            match what {
                What::Header(header, name) => write_header(f, self, &header, name)?,
                What::Struct(name) => {
                    fields = 1;
                    return f.write_str(name);
                }
                What::Attribute(attr, name, value) => {
                    write_attribute(f, &attr, name)?;
                    if let Some(value) = value {
                        write!(f, ": {value}")?;
                    }
                }
                What::Record(index) => write!(f, "[{index}]")?,
                What::Bytes => write!(f, "{}", Hex(bytes))?,
                What::Damage(error) => write!(f, "damaged: {error}: {}", Hex(bytes))?,
                What::Field(..) | What::Padding => {}
            }
            f.write_str("\n")
        })?;
        if fields > 0 { f.write_str("\n") } else { Ok(()) }
    }
}

struct AnnotatedHex<'a>(Listing<'a>);

impl fmt::Display for AnnotatedHex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.visit(&mut |Part { depth, bytes, what }| {
            let (indent, inner) = (4 * depth, 4 * depth + 4);
            match what {
                What::Header(header, name) => {
                    write!(f, "{:indent$}# ", "")?;
                    write_header(f, &self.0, &header, name)?;
                    f.write_str("\n")?;
                    let verb = verb(&self.0, &header);
                    let kind = format!("{} {name}", header.message_type);
                    let flags = header.flags.display(verb);
                    let fields: [(usize, usize, &str, &dyn fmt::Display); 5] = [
                        (0, 4, "len", &header.length),
                        (4, 6, "type", &kind),
                        (6, 8, "flags", &flags),
                        (8, 12, "seq", &header.sequence),
                        (12, 16, "pid", &header.port),
                    ];
                    for (from, to, field, value) in fields {
                        let bytes = Hex(bytes.get(from..to).unwrap_or_default());
                        writeln!(f, "{:inner$}{bytes}  # nlmsg_{field} {value}", "")?;
                    }
                    Ok(())
                }
                What::Struct(name) => writeln!(f, "{:indent$}# {name}", ""),
                What::Record(index) => writeln!(f, "{:indent$}# [{index}]", ""),
                What::Field(name, value) => {
                    writeln!(f, "{:indent$}{}  # {name} {value}", "", Hex(bytes))
                }
                What::Attribute(attr, name, value) => {
                    let (head, payload) = bytes.split_at(ATTR_HEADER_LEN.min(bytes.len()));
                    write!(f, "{:indent$}{}  # ", "", Hex(head))?;
                    write_attribute(f, &attr, name)?;
                    writeln!(f, ", {} bytes", ATTR_HEADER_LEN + attr.payload.len())?;
                    let Some(value) = value else { return Ok(()) };
                    write_rows(f, inner, payload, &value)
                }
                What::Padding => writeln!(f, "{:indent$}{}  # padding", "", Hex(bytes)),
                What::Bytes => write_rows(f, indent, bytes, &""),
                What::Damage(error) => {
                    write_rows(f, indent, bytes, &format_args!("damaged: {error}"))
                }
            }
        })
    }
}

/// Writes bytes in rows of 16, with the comment behind the first.
fn write_rows(
    f: &mut fmt::Formatter<'_>,
    indent: usize,
    bytes: &[u8],
    comment: &dyn fmt::Display,
) -> fmt::Result {
    for (index, row) in bytes.chunks(16).enumerate() {
        write!(f, "{:indent$}{}", "", Hex(row))?;
        if index == 0 {
            write!(f, "  # {comment}")?;
        }
        f.write_str("\n")?;
    }
    Ok(())
}

/// Text of a foreign message for a terminal.
fn escaped(bytes: &[u8]) -> Escaped<'_> {
    Escaped(bytes)
}
