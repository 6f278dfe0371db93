//! Text that a terminal only shows.

use serde_json::Value;

/// That nothing but what appears, and line breaks and tabs of the program's own, is in the text.
pub fn harmless(what: &str, text: &str) {
    for character in text.chars() {
        let steers = matches!(character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        let ours = matches!(character, '\n' | '\t');
        assert!(ours || !(character.is_control() || steers), "{what}: {character:?} in {text:?}");
    }
}

/// The same, for JSON: one document, or one a line.
pub fn harmless_json(what: &str, text: &str) -> Vec<Value> {
    harmless(what, text);
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{what}: {e}: {line}"));
    text.lines().map(parse).collect()
}
