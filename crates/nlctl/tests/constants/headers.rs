//! Numbers of C headers: those of enumerations, and of macros that are a number.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

/// Names and their numbers.
pub(crate) type Numbers = BTreeMap<String, i64>;

/// The numbers of all headers in a folder, in one namespace, as C has it.
pub(crate) fn read(folders: &[&Path]) -> io::Result<Numbers> {
    let mut numbers = Numbers::new();
    let mut macros = Vec::new();
    for folder in folders {
        let mut files: Vec<_> = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|it| it == "h")) {
            let text = String::from_utf8_lossy(&fs::read(file)?).replace("\\\n", " ");
            let text = without_comments(&text);
            enumerations(&text, &mut numbers);
            for line in text.lines() {
                let Some(rest) = line.trim().strip_prefix('#') else { continue };
                let Some(rest) = rest.trim_start().strip_prefix("define ") else { continue };
                if let Some((name, value)) = rest.trim().split_once(char::is_whitespace) {
                    macros.push((name.to_owned(), value.to_owned()));
                }
            }
        }
    }
    // Macros may be made of others that come later.
    for _ in 0..4 {
        for (name, value) in &macros {
            if let Some(number) = evaluate(value, &numbers) {
                numbers.entry(name.clone()).or_insert(number);
            }
        }
    }
    Ok(numbers)
}

fn without_comments(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("/*") {
        out += before;
        out.push(' ');
        let comment = behind.split_once("*/").unwrap_or((behind, ""));
        out.extend(comment.0.chars().filter(|it| *it == '\n'));
        rest = comment.1;
    }
    out += rest;
    out.lines().flat_map(|line| [line.split("//").next().unwrap_or_default(), "\n"]).collect()
}

/// The members of each `enum … { … }`.
fn enumerations(text: &str, numbers: &mut Numbers) {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    for piece in text.split("enum").skip(1) {
        let Some((head, body)) = piece.split_once('{') else { continue };
        if !head.trim().chars().all(|it| it.is_ascii_alphanumeric() || it == '_') {
            continue; // a use of the word, not a definition
        }
        let body = body.split('}').next().unwrap_or_default();
        let mut next = Some(0);
        for member in body.split(',').map(str::trim).filter(|member| !member.is_empty()) {
            let (name, value) = match member.split_once('=') {
                Some((name, value)) => (name.trim(), evaluate(value, numbers)),
                None => (member, next),
            };
            next = value.map(|value| value + 1);
            if let Some(value) = value {
                numbers.insert(name.to_owned(), value);
            }
        }
    }
}

/// The number of a constant expression; `None` for what is none, or too much of C.
fn evaluate(text: &str, numbers: &Numbers) -> Option<i64> {
    let mut words = words(text)?.into_iter().rev().collect();
    let number = binary(&mut words, numbers, 0)?;
    words.is_empty().then_some(number)
}

/// Operators, the weakest first.
const OPERATORS: [&[&str]; 5] = [&["|"], &["&"], &["<<", ">>"], &["+", "-"], &["*", "/"]];

fn binary(words: &mut Vec<String>, numbers: &Numbers, level: usize) -> Option<i64> {
    let Some(operators) = OPERATORS.get(level) else { return unary(words, numbers) };
    let mut left = binary(words, numbers, level + 1)?;
    while words.last().is_some_and(|word| operators.contains(&word.as_str())) {
        let operator = words.pop()?;
        let right = binary(words, numbers, level + 1)?;
        left = match operator.as_str() {
            "|" => left | right,
            "&" => left & right,
            "<<" => left.checked_shl(u32::try_from(right).ok()?)?,
            ">>" => left.checked_shr(u32::try_from(right).ok()?)?,
            "+" => left.checked_add(right)?,
            "-" => left.checked_sub(right)?,
            "*" => left.checked_mul(right)?,
            _ => left.checked_div(right)?,
        };
    }
    Some(left)
}

fn unary(words: &mut Vec<String>, numbers: &Numbers) -> Option<i64> {
    let word = words.pop()?;
    match word.as_str() {
        "-" => unary(words, numbers)?.checked_neg(),
        "~" => Some(!unary(words, numbers)?),
        "(" => {
            let inner = binary(words, numbers, 0)?;
            (words.pop()? == ")").then_some(inner)
        }
        word if word.starts_with(|it: char| it.is_ascii_digit()) => {
            let digits = word.trim_end_matches(['u', 'U', 'l', 'L']);
            match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
                Some(digits) => i64::from_str_radix(digits, 16).ok(),
                None if digits.len() > 1 && digits.starts_with('0') => {
                    i64::from_str_radix(digits, 8).ok()
                }
                None => digits.parse().ok(),
            }
        }
        name => numbers.get(name).copied(),
    }
}

fn words(text: &str) -> Option<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |it: char| it.is_ascii_alphanumeric() || it == '_';
        let length = match first {
            _ if is_word(first) => rest.find(|it| !is_word(it)).unwrap_or(rest.len()),
            '<' | '>' => 2,
            '(' | ')' | '|' | '&' | '+' | '-' | '*' | '/' | '~' => 1,
            _ => return None,
        };
        let (word, behind) = rest.split_at_checked(length)?;
        found.push(word.to_owned());
        rest = behind.trim_start();
    }
    Some(found)
}

#[test]
fn constant_expressions() {
    let numbers = Numbers::from([("FOUR".to_owned(), 4)]);
    for (text, number) in [
        ("0x10", Some(16)),
        ("010", Some(8)),
        (" (1 << FOUR) | 2U", Some(18)),
        ("~0", Some(-1)),
        ("FOUR + 1 << 1", Some(10)),
        ("(FOUR - 1) * -2", Some(-6)),
        ("FIVE", None),
        ("f(1)", None),
        ("\"text\"", None),
        ("(1", None),
    ] {
        assert_eq!(evaluate(text, &numbers), number, "{text}");
    }
    let mut numbers = Numbers::new();
    let text =
        without_comments("enum x {A, /* no, */ B,\n#define B B\nC = 7, // D,\nE = C << 1, F,};");
    enumerations(&text, &mut numbers);
    let found: Vec<_> = numbers.iter().map(|(name, number)| (name.as_str(), *number)).collect();
    assert_eq!(found, [("A", 0), ("B", 1), ("C", 7), ("E", 14), ("F", 15)]);
}
