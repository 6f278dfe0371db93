//! Bytes as text: strings of the kernel, and what is safe to print on a terminal.
//!
//! Interface names, aliases, labels, helper names and the kernel's error messages are byte strings
//! that somebody else chose. [`Text`] keeps them byte for byte; [`Escaped`] prints any bytes so
//! that a terminal only shows them.

use alloc::boxed::Box;
use core::fmt::{self, Write as _};

/// Whether a character may do something other than appear: C0 and C1 control characters and DEL,
/// line and paragraph separators, and the characters that turn the direction of writing (Unicode's
/// `Bidi_Control`).
pub(crate) const fn is_control(character: char) -> bool {
    matches!(character,
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{61c}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Prints bytes so that they cannot steer a terminal.
///
/// Printable UTF-8 stays as it is. Every byte of a control character (C0, DEL, C1), of a line or
/// paragraph separator or of a character that changes the direction of writing, and every byte that
/// is not UTF-8, becomes `\xNN`. The backslash itself stays, so that ordinary text is unchanged;
/// hence the output cannot be turned back into the bytes where they held a backslash. Width and
/// other format options are ignored.
///
/// ```
/// # use nl_wire::text::Escaped;
/// assert_eq!(Escaped(b"a\x1b[31mb \xff\\").to_string(), r"a\x1b[31mb \xff\");
/// assert_eq!(Escaped("čaj".as_bytes()).to_string(), "čaj");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            let text = chunk.valid();
            if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
                f.write_str(text)?;
            } else {
                for character in text.chars() {
                    if is_control(character) {
                        escape(f, character.encode_utf8(&mut [0; 4]).as_bytes())?;
                    } else {
                        f.write_char(character)?;
                    }
                }
            }
            escape(f, chunk.invalid())?;
        }
        Ok(())
    }
}

#[inline(never)]
fn escape(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "\\x{byte:02x}"))
}

/// A string of the kernel without its trailing NUL: bytes, usually ASCII, not always UTF-8.
///
/// Made from a slice it ends before the first NUL, as the kernel's own readers see it. `Display` is
/// [`Escaped`].
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Box<[u8]>);

impl Text {
    /// The bytes; none of them is 0.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The string, if it is UTF-8.
    #[must_use]
    pub fn to_str(&self) -> Option<&str> {
        core::str::from_utf8(&self.0).ok()
    }

    /// Whether there is not a single byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.split(|&byte| byte == 0).next().unwrap_or_default().into())
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        *self.0 == *other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(&self.0).fmt(f)
    }
}

/// Quoted as Rust writes it: `"eth0"`, or `b"\xff"` where it is not UTF-8.
impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_str() {
            Some(text) => fmt::Debug::fmt(text, f),
            None => write!(f, "b\"{}\"", self.0.escape_ascii()),
        }
    }
}

/// Prints bytes as lowercase hexadecimal pairs, `0a ff`; without the blanks, `0aff`, as `{:#}`.
#[derive(Clone, Copy, Debug)]
pub struct Hex<'a>(pub &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if f.alternate() { None } else { Some(' ') };
        pairs(f, self.0, separator)
    }
}

/// Prints bytes as a link-layer address, `0a:ff`, as `ip link` does for addresses of any length.
#[derive(Clone, Copy, Debug)]
pub struct Colons<'a>(pub &'a [u8]);

impl fmt::Display for Colons<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        pairs(f, self.0, Some(':'))
    }
}

fn pairs(f: &mut fmt::Formatter<'_>, bytes: &[u8], separator: Option<char>) -> fmt::Result {
    for (index, byte) in bytes.iter().enumerate() {
        if let (1.., Some(separator)) = (index, separator) {
            f.write_char(separator)?;
        }
        write!(f, "{byte:02x}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::String, string::ToString};

    fn escaped(bytes: &[u8]) -> String {
        Escaped(bytes).to_string()
    }

    #[test]
    fn ordinary_text_is_unchanged() {
        for text in [
            "",
            "eth0",
            r"C:\net",
            "naïve 日本 🦀 e\u{301}",
            "\u{a0}\u{2027}\u{2030}\u{2065}\u{206a}",
        ] {
            assert_eq!(escaped(text.as_bytes()), text);
        }
    }

    #[test]
    fn every_control_character_is_escaped() {
        assert_eq!(escaped(b"\0\t\n\r\x1b[2J\x7f"), r"\x00\x09\x0a\x0d\x1b[2J\x7f");
        assert_eq!(escaped("\u{80}\u{9b}\u{9f}".as_bytes()), r"\xc2\x80\xc2\x9b\xc2\x9f");
        assert_eq!(escaped("a\u{202e}b\u{2066}".as_bytes()), r"a\xe2\x80\xaeb\xe2\x81\xa6");
        assert_eq!(escaped("\u{2028}\u{200f}".as_bytes()), r"\xe2\x80\xa8\xe2\x80\x8f");
        let last = if cfg!(miri) { '\u{ff}' } else { '\u{ffff}' };
        for character in ('\0'..=last).filter(|&character| character.is_control()) {
            assert!(is_control(character), "{character:?}");
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_escaped() {
        assert_eq!(escaped(b"a\xffb"), r"a\xffb");
        // A C1 control character of an 8-bit terminal, a cut sequence, a surrogate, an overlong
        // slash.
        assert_eq!(escaped(b"\x9b"), r"\x9b");
        assert_eq!(escaped(b"x\xe2\x82"), r"x\xe2\x82");
        assert_eq!(escaped(b"\xed\xa0\x80"), r"\xed\xa0\x80");
        assert_eq!(escaped(b"\xc0\xaf"), r"\xc0\xaf");
    }

    #[test]
    fn text_ends_before_the_first_nul_and_compares() {
        let text = Text::from(&b"eth0\0junk\0"[..]);
        assert_eq!(text, "eth0");
        assert_eq!(text, *"eth0");
        assert_eq!(text, Text::from("eth0"));
        assert_eq!(text.as_bytes(), b"eth0");
        assert!(text.cmp(&Text::from("eth1")).is_lt());
        assert!(Text::default().is_empty());
        assert_eq!(Text::from("\0a"), Text::default());
    }

    #[test]
    fn text_prints_escaped_and_debugs_quoted() {
        assert_eq!(Text::from("a\nb").to_string(), r"a\x0ab");
        assert_eq!(format!("{:?}", Text::from("a\n\"b\"")), r#""a\n\"b\"""#);
        let odd = Text::from(&b"a\xff\""[..]);
        assert_eq!(odd.to_str(), None);
        assert_eq!(format!("{odd:?} {odd}"), r#"b"a\xff\"" a\xff""#);
    }

    #[test]
    fn hexadecimal_forms() {
        let bytes = [0x00, 0x0a, 0xff];
        assert_eq!(Hex(&bytes).to_string(), "00 0a ff");
        assert_eq!(format!("{:#}", Hex(&bytes)), "000aff");
        assert_eq!(Colons(&bytes).to_string(), "00:0a:ff");
        assert_eq!(Hex(&[]).to_string() + &Colons(&[]).to_string(), "");
    }
}
