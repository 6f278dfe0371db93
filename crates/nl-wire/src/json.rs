//! Writing JSON, in the layout of `ip -j` and `ip -p -j`.
//!
//! ```
//! # use nl_wire::json::Json;
//! let mut out = String::new();
//! let mut json = Json::new(&mut out);
//! json.begin_object();
//! json.field("dst", "default");
//! json.field("metric", 100);
//! json.field("prefsrc", format_args!("{}.{}.{}.{}", 10, 0, 0, 1));
//! json.field("flags", ["linkdown"]);
//! json.end_object();
//! assert_eq!(out, r#"{"dst":"default","metric":100,"prefsrc":"10.0.0.1","flags":["linkdown"]}"#);
//! ```

use alloc::string::String;
use core::fmt::{self, Write as _};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::number;
use crate::prefix::{Prefix, Shown};
use crate::text::{Colons, Escaped, Text, is_control};

/// Appends one JSON value to a `String`, piece by piece; allocates nothing else, and ends without a
/// newline.
///
/// It puts commas, quotes and layout. That begins and ends match, and that objects hold keys, is
/// the caller's part: it keeps no stack.
///
/// `"`, `\`, backspace, form feed, newline, carriage return and tab are escaped with a backslash as
/// iproute2 does. Every other character that could steer a terminal (see
/// [`Escaped`]) becomes `\uNNNN`, which means the same to every reader of
/// JSON; `/` and `'` stay.
#[derive(Debug)]
pub struct Json<'a> {
    out: &'a mut String,
    /// A value stands before the next one, so a comma must come between.
    comma: bool,
    pretty: bool,
    depth: usize,
}

impl<'a> Json<'a> {
    /// A writer without any blanks, like `ip -j`.
    pub fn new(out: &'a mut String) -> Self {
        Self { out, comma: false, pretty: false, depth: 0 }
    }

    /// A writer with a line for each key, indented by four blanks a level, like `ip -p -j`.
    pub fn pretty(out: &'a mut String) -> Self {
        Self { out, comma: false, pretty: true, depth: 0 }
    }

    /// What is written so far and not yet taken away. Between two calls a caller may write it out
    /// and clear it, so that a long list needs little memory.
    pub fn buffer(&mut self) -> &mut String {
        self.out
    }

    /// `{`
    pub fn begin_object(&mut self) {
        self.begin("{");
    }

    /// `}`
    pub fn end_object(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        if self.comma && self.pretty {
            self.line();
        }
        self.out.push('}');
        self.comma = true;
    }

    /// `[`
    pub fn begin_array(&mut self) {
        self.begin(if self.pretty { "[ " } else { "[" });
    }

    /// `]`
    pub fn end_array(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.out.push_str(if self.pretty && self.comma { " ]" } else { "]" });
        self.comma = true;
    }

    /// The key of the value that comes next.
    pub fn key(&mut self, key: &str) {
        self.separate();
        if self.pretty {
            self.line();
        }
        self.text(key);
        self.out.push_str(if self.pretty { ": " } else { ":" });
        self.comma = false;
    }

    /// Any value.
    // By value, so that numbers and strings need no `&`; references are values as well.
    #[allow(clippy::needless_pass_by_value)]
    pub fn value(&mut self, value: impl ToJson) {
        value.to_json(self);
    }

    /// A key and its value.
    pub fn field(&mut self, key: &str, value: impl ToJson) {
        self.key(key);
        self.value(value);
    }

    /// A key and its value, or nothing at all for `None`.
    pub fn optional(&mut self, key: &str, value: Option<impl ToJson>) {
        if let Some(value) = value {
            self.field(key, value);
        }
    }

    /// A string.
    pub fn string(&mut self, value: &str) {
        self.separate();
        self.text(value);
    }

    /// A string out of what `value` displays.
    pub fn display(&mut self, value: impl fmt::Display) {
        self.separate();
        self.quoted(|quoted| write!(quoted, "{value}"));
    }

    /// A string out of bytes; U+FFFD stands for what is not UTF-8.
    pub fn bytes(&mut self, value: &[u8]) {
        self.separate();
        self.quoted(|quoted| {
            value.utf8_chunks().try_for_each(|chunk| {
                quoted.write_str(chunk.valid())?;
                quoted.write_str(if chunk.invalid().is_empty() { "" } else { "\u{fffd}" })
            })
        });
    }

    /// A number, as `value` displays it: an integer, or `format_args!` of a decimal fraction.
    pub fn number(&mut self, value: impl fmt::Display) {
        self.separate();
        // A `String` takes everything; only a Display that fails of itself is left, and what it
        // wrote stays.
        let _ = write!(self.out, "{value}");
    }

    /// `null`
    pub fn null(&mut self) {
        self.literal("null");
    }

    fn literal(&mut self, word: &str) {
        self.separate();
        self.out.push_str(word);
    }

    fn integer(&mut self, negative: bool, magnitude: u64) {
        self.literal(if negative { "-" } else { "" });
        number::decimal(self.out, magnitude);
    }

    fn begin(&mut self, bracket: &str) {
        self.separate();
        self.out.push_str(bracket);
        self.depth += 1;
        self.comma = false;
    }

    fn separate(&mut self) {
        if self.comma {
            self.out.push(',');
        }
        self.comma = true;
    }

    /// The start of a line of the pretty form.
    fn line(&mut self) {
        self.out.push('\n');
        self.out.extend((0..self.depth).map(|_| "    "));
    }

    fn text(&mut self, text: &str) {
        if is_plain(text) {
            self.out.push('"');
            self.out.push_str(text);
            self.out.push('"');
        } else {
            self.quoted(|quoted| quoted.write_str(text));
        }
    }

    fn quoted(&mut self, write: impl FnOnce(&mut Quoted<'_>) -> fmt::Result) {
        self.out.push('"');
        let _ = write(&mut Quoted(self.out));
        self.out.push('"');
    }
}

/// The inside of a JSON string: escapes what passes through.
struct Quoted<'a>(&'a mut String);

impl fmt::Write for Quoted<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if is_plain(text) {
            self.0.push_str(text);
            return Ok(());
        }
        let special = |character: char| matches!(character, '"' | '\\') || is_control(character);
        for piece in text.split_inclusive(special) {
            let Some(last) = piece.chars().next_back().filter(|&last| special(last)) else {
                self.0.push_str(piece);
                continue;
            };
            self.0.push_str(piece.strip_suffix(last).unwrap_or(piece));
            match last {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\u{8}' => self.0.push_str("\\b"),
                '\u{c}' => self.0.push_str("\\f"),
                '\n' => self.0.push_str("\\n"),
                '\r' => self.0.push_str("\\r"),
                '\t' => self.0.push_str("\\t"),
                // Every other one lies below U+10000.
                _ => write!(self.0, "\\u{:04x}", u32::from(last))?,
            }
        }
        Ok(())
    }
}

/// Which bytes are characters that stand for themselves: all that keys and words have.
const PLAIN: [bool; 256] = {
    let (mut plain, mut byte) = ([false; 256], b' ');
    while byte <= b'~' {
        plain[byte as usize] = byte != b'"' && byte != b'\\';
        byte += 1;
    }
    plain
};

#[inline]
fn is_plain(text: &str) -> bool {
    // To the end in any case: without a way out of the loop a byte costs half as much.
    text.bytes().fold(true, |all, byte| all & PLAIN[usize::from(byte)])
}

/// What [`Json::value`] and [`Json::field`] can write.
pub trait ToJson {
    /// Appends exactly one value.
    fn to_json(&self, json: &mut Json<'_>);
}

impl<T: ToJson + ?Sized> ToJson for &T {
    fn to_json(&self, json: &mut Json<'_>) {
        (**self).to_json(json);
    }
}

macro_rules! to_json {
    ($($method:ident: $($type:ty)*;)*) => { $($(
        impl ToJson for $type {
            fn to_json(&self, json: &mut Json<'_>) {
                json.$method(self);
            }
        }
    )*)* };
}

to_json! {
    number: u128 i128;
    string: str String;
    display: fmt::Arguments<'_> Prefix Colons<'_>;
}

// Some of these types are as wide as the other.
macro_rules! integers {
    ($($unsigned:ty, $signed:ty;)*) => { $(
        #[allow(clippy::cast_lossless)]
        impl ToJson for $unsigned {
            fn to_json(&self, json: &mut Json<'_>) {
                json.integer(false, *self as u64);
            }
        }

        #[allow(clippy::cast_lossless)]
        impl ToJson for $signed {
            fn to_json(&self, json: &mut Json<'_>) {
                json.integer(*self < 0, self.unsigned_abs() as u64);
            }
        }
    )* };
}

integers! {
    u8, i8;
    u16, i16;
    u32, i32;
    u64, i64;
    usize, isize;
}

impl ToJson for bool {
    fn to_json(&self, json: &mut Json<'_>) {
        json.literal(if *self { "true" } else { "false" });
    }
}

/// A string, as `inet_ntop` of glibc writes it.
impl ToJson for IpAddr {
    fn to_json(&self, json: &mut Json<'_>) {
        json.separate();
        json.out.push('"');
        number::address(json.out, *self);
        json.out.push('"');
    }
}

/// As [`IpAddr`].
impl ToJson for Shown {
    fn to_json(&self, json: &mut Json<'_>) {
        self.0.to_json(json);
    }
}

/// As [`IpAddr`].
impl ToJson for Ipv4Addr {
    fn to_json(&self, json: &mut Json<'_>) {
        IpAddr::V4(*self).to_json(json);
    }
}

/// As [`IpAddr`].
impl ToJson for Ipv6Addr {
    fn to_json(&self, json: &mut Json<'_>) {
        IpAddr::V6(*self).to_json(json);
    }
}

/// As [`Json::bytes`]: JSON has its own way of escaping.
impl ToJson for Escaped<'_> {
    fn to_json(&self, json: &mut Json<'_>) {
        json.bytes(self.0);
    }
}

/// As [`Json::bytes`].
impl ToJson for Text {
    fn to_json(&self, json: &mut Json<'_>) {
        json.bytes(self.as_bytes());
    }
}

/// An array.
impl<T: ToJson> ToJson for [T] {
    fn to_json(&self, json: &mut Json<'_>) {
        json.begin_array();
        for value in self {
            value.to_json(json);
        }
        json.end_array();
    }
}

/// An array.
impl<T: ToJson, const N: usize> ToJson for [T; N] {
    fn to_json(&self, json: &mut Json<'_>) {
        self.as_slice().to_json(json);
    }
}
