//! Fixtures: bytes as annotated hexadecimal text.

use std::fs;
use std::path::Path;

/// Reads annotated hexadecimal text: pairs of digits, with blanks between them
/// where wanted; `#` starts a comment to the end of the line.
///
/// # Errors
/// The number of the first line that is anything else, and what it holds.
///
/// ```
/// let bytes = nl_testkit::parse_hex("1400 0000 # nlmsg_len\n03 00      # NLMSG_DONE\n");
/// assert_eq!(bytes.unwrap(), [0x14, 0, 0, 0, 3, 0]);
/// ```
pub fn parse_hex(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let code = line.split('#').next().unwrap_or_default();
        for word in code.split_whitespace() {
            let digits: Option<Vec<u8>> = word
                .chars()
                .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
                .collect();
            match digits {
                Some(digits) if digits.len() % 2 == 0 => {
                    bytes.extend(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]));
                }
                _ => return Err(format!("line {}: {word:?} is no pairs of digits", index + 1)),
            }
        }
    }
    Ok(bytes)
}

/// The bytes of one `.hex` file; a test's paths start at its package.
///
/// # Panics
/// If it cannot be read, with the path and the line at fault.
pub fn fixture(path: impl AsRef<Path>) -> Vec<u8> {
    let path = path.as_ref();
    fs::read_to_string(path)
        .map_err(|error| error.to_string())
        .and_then(|text| parse_hex(&text))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every `.hex` file of a directory, by name without the ending, in order of
/// names.
///
/// # Panics
/// If one cannot be read, or there is none.
pub fn fixtures(directory: impl AsRef<Path>) -> Vec<(String, Vec<u8>)> {
    let directory = directory.as_ref();
    let entries =
        fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut found: Vec<_> = entries
        .map(|entry| entry.expect("the directory reads").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "hex"))
        .map(|path| {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            (name, fixture(path))
        })
        .collect();
    assert!(!found.is_empty(), "{}: no fixtures", directory.display());
    found.sort();
    found
}

/// Calls `check` with every shorter beginning of `bytes`, the empty one first.
pub fn every_truncation(bytes: &[u8], mut check: impl FnMut(&[u8])) {
    for length in 0..bytes.len() {
        check(&bytes[..length]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_with_comments() {
        let text = "# nothing\n14 00\t0000\r\n\n aAbB # 99\n#\n";
        assert_eq!(parse_hex(text).unwrap(), [0x14, 0, 0, 0, 0xaa, 0xbb]);
    }

    #[test]
    fn wrong_hex_names_its_line() {
        for (text, line) in [("00\n0", "line 2"), ("00\n\nzz", "line 3"), ("é", "line 1")] {
            assert!(parse_hex(text).unwrap_err().starts_with(line), "{text:?}");
        }
    }

    #[test]
    fn truncations_are_all_shorter_beginnings() {
        let mut lengths = Vec::new();
        every_truncation(&[1, 2, 3], |prefix| {
            assert_eq!(prefix, &[1, 2, 3][..prefix.len()]);
            lengths.push(prefix.len());
        });
        assert_eq!(lengths, [0, 1, 2]);
    }
}
