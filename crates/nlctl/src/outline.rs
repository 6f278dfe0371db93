//! What can stand where in a command line, as the table of commands and its help texts say: for
//! the completion of command lines.

use crate::args::{Command, Flag, Kind};
use crate::conntrack;

/// The words that lead somewhere in a command line, and what can stand behind them.
pub(crate) struct Place {
    /// The proper names, with blanks between. That of options which only come with a value of
    /// another is that value behind `+`.
    pub(crate) path: String,
    /// What can stand there.
    pub(crate) rows: Vec<Row>,
}

/// Something that can be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// `c` a command; `r` one that does not take the options of those it is in; `o` an option;
    /// `w` a word; `a` an argument without a name.
    pub(crate) kind: char,
    /// How it is written.
    pub(crate) name: String,
    /// Of a command its proper name, of all else what its value can be: `-` there is none, `?`
    /// anything, or some of these between bars: words, `@link`, `@netns`, `@file`, `@path` if it has a
    /// slash, `@` and a file of names of iproute2. Behind `=` if only attached to it; behind `+` if
    /// options come with it.
    pub(crate) leads: String,
    /// What it means, in one line.
    pub(crate) about: String,
}

impl Row {
    fn new(kind: char, name: &str, leads: &str, about: &str) -> Self {
        let about = about.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        Self { kind, name: name.into(), leads: leads.into(), about }
    }

    pub(crate) fn command(name: &str, proper: &str, about: &str) -> Self {
        Self::new('c', name, proper, about)
    }

    pub(crate) fn option(name: String, values: String, about: &str) -> Self {
        Self { name, leads: values, ..Self::new('o', "", "", about) }
    }

    pub(crate) fn word(name: &str, values: &str) -> Self {
        Self::new('w', name, values, "")
    }

    pub(crate) fn argument(values: &str) -> Self {
        Self::new('a', "-", values, "")
    }

    /// An option in all its spellings.
    pub(crate) fn of_flag(flag: &Flag) -> Vec<Self> {
        let values = match flag.value {
            None => "-".to_owned(),
            Some(value) => match value.strip_prefix('[') {
                Some(words) => format!("={}", words.trim_end_matches(']')),
                None => values_of(value),
            },
        };
        let letter = flag.short.map(|letter| format!("-{letter}"));
        // A name of one character is the letter once more.
        let names = flag.long.iter().filter(|name| name.len() > 1).map(|name| format!("--{name}"));
        let option = |name| Self::option(name, values.clone(), flag.help);
        letter.into_iter().chain(names).map(option).collect()
    }
}

/// What a value can be that help texts call this.
pub(crate) fn values_of(placeholder: &str) -> String {
    let known = match placeholder {
        "FILE" => "@file",
        _ if placeholder.starts_with("NAME|") && placeholder.ends_with("PID") => "@netns|@path",
        _ => "",
    };
    if !known.is_empty() {
        return known.into();
    }
    let parts = placeholder.split('|').filter_map(|part| match part {
        "LINK" => Some("@link"),
        "TABLE" => Some("@rt_tables"),
        "SCOPE" => Some("@rt_scopes"),
        "GROUP" => Some("@group"),
        _ => Some(part).filter(|part| is_word(part)),
    });
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() { "?".into() } else { parts.join("|") }
}

/// What is typed as it stands, in difference to what stands for something.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-'))
}

/// The words of a grammar, such as `[dev] LINK [arp on|off], up`, each with what its value can be.
pub(crate) fn grammar(text: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    // The word whose value is next: one that stands alone, if what follows does not open a bracket.
    let mut waits: Option<usize> = None;
    for chunk in text.split_ascii_whitespace() {
        let bare = chunk.trim_matches(['[', ']', '…', ',', '.']);
        let words: Vec<_> = bare.split('|').filter(|word| is_word(word)).collect();
        let is_value = !chunk.starts_with('[') && (words.is_empty() || bare.contains('|'));
        if let Some(index) = waits.take().filter(|_| is_value) {
            if let Some((_, value)) = found.get_mut(index).filter(|word| word.1 == "-") {
                *value = values_of(bare);
            }
            continue;
        }
        for word in words.into_iter().filter(|word| !matches!(*word, "or" | "and")) {
            let known = found.iter().position(|known| known.0 == word);
            let index = known.unwrap_or(found.len());
            if known.is_none() {
                found.push((word.to_owned(), "-".to_owned()));
            }
            waits = Some(index).filter(|_| word == bare && !chunk.ends_with(','));
        }
    }
    found
}

/// What is said of the words behind a command, where its text begins so.
const SUBJECTS: [&str; 5] = ["WORDS are ", "SELECTOR is ", "ROUTE is ", "OBJECT is ", "As "];

/// The words that can stand behind a command, as its help says.
///
/// The first sentence of its text is their grammar, if it says what the `WORDS` are: words in lower
/// case are typed as they stand, those in capitals stand for something. `as of list` means the
/// words of the command `list` beside it; `KIND is one of …` tells what stands for that.
fn words(command: &Command, beside: &[Command]) -> Vec<Row> {
    let mut found = grammar(command.arguments);
    let text = SUBJECTS.iter().find_map(|subject| command.text.strip_prefix(subject));
    let (sentence, rest) = sentence(text.unwrap_or_default());
    let refers = ["as ", "in "].iter().any(|way| sentence.starts_with(way));
    let own = if refers { sentence.split_once(": ").map_or("", |row| row.1) } else { sentence };
    if sentence.contains("of list") {
        let list = beside.iter().find(|other| other.names.contains(&"list"));
        let list = list.map_or(Vec::new(), |list| words(list, &[]));
        found.extend(list.into_iter().map(|row| (row.name, row.leads)));
    }
    for word in grammar(own.strip_prefix("those of list, ").unwrap_or(own)) {
        if found.iter().all(|known| known.0 != word.0) {
            found.push(word);
        }
    }
    let kinds =
        rest.split_once("KIND is one of ").and_then(|row| row.1.split_once(", or any other"));
    let kinds = kinds.map(|row| row.0.split_ascii_whitespace().map(|kind| kind.trim_matches(',')));
    let kinds = kinds.map(|kinds| kinds.filter(|kind| is_word(kind)).collect::<Vec<_>>().join("|"));
    let rows = found.iter().map(|(name, values)| match &kinds {
        Some(kinds) if name == "type" => Row::word(name, kinds),
        _ => Row::word(name, values),
    });
    rows.collect()
}

/// The first sentence, or what is said up to a semicolon, and what stands behind it.
fn sentence(text: &str) -> (&str, &str) {
    let ends = [";", ". ", ".\n"].iter().filter_map(|end| text.find(end));
    text.split_at(ends.min().unwrap_or(text.len()))
}

/// What can stand where, behind the command that all begin with.
pub(crate) fn places(root: &'static Command) -> Vec<Place> {
    let mut all = Vec::new();
    of(root, "", &[], &mut all);
    all
}

fn of(command: &'static Command, before: &str, beside: &'static [Command], all: &mut Vec<Place>) {
    let name = command.names.first().copied().unwrap_or_default();
    let path = format!("{before}{name}");
    let mut rows = Vec::new();
    match &command.kind {
        Kind::Raw(_) => return all.extend(conntrack::places(&path)),
        Kind::Run(_) => {
            rows.extend(words(command, beside));
            if command.arguments.contains("FILE") {
                rows.push(Row::argument("@file"));
            }
        }
        Kind::Group { commands, .. } => {
            for inner in *commands {
                let kind = if matches!(inner.kind, Kind::Raw(_)) { 'r' } else { 'c' };
                let proper = inner.names.first().copied().unwrap_or_default();
                let named =
                    inner.names.iter().map(|name| Row::new(kind, name, proper, inner.about));
                rows.extend(named);
            }
            rows.push(Row::command("help", ".", "tell more of a command"));
        }
    }
    rows.extend(command.flags.iter().flat_map(Row::of_flag));
    all.push(Place { path: path.clone(), rows });
    if let Kind::Group { commands, .. } = &command.kind {
        commands.iter().for_each(|inner| of(inner, &format!("{path} "), commands, all));
    }
}
