//! How commands and options are written, for help texts and the completion of command lines.

use alloc::vec::Vec;

use super::table::{COMMANDS, Id, LEGAL, OPTIONS, ProtoOption, Row, Takes, of_protocol};
use super::{Command, TABLES, Table, value};
use crate::value::{DccpRole, DccpState, IpProtocol, PROTOCOL_WORDS, SctpState, TcpState};

/// A command or an option of conntrack(8): how it is written, and what it means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spelled {
    /// The letter behind one dash.
    pub letter: Option<char>,
    /// The names behind two dashes.
    pub names: Vec<&'static str>,
    /// What its value is called, if it takes one.
    pub value: Option<&'static str>,
    /// Whether the value may be left out.
    pub optional: bool,
    /// What it means, in one line or more.
    pub about: &'static str,
    /// The values that have names, some of which may be joined by commas.
    pub words: Vec<&'static str>,
}

impl<T> Row<T> {
    fn spelled(&self, words: Vec<&'static str>) -> Spelled {
        let takes = self.takes != Takes::Nothing;
        Spelled {
            letter: self.letter,
            names: self.names.to_vec(),
            value: takes.then_some(self.value),
            optional: self.takes == Takes::Maybe,
            about: self.about,
            words: if takes { words } else { Vec::new() },
        }
    }
}

impl Command {
    /// All commands, as help texts order them.
    pub fn all() -> impl Iterator<Item = Self> {
        COMMANDS.iter().map(|row| row.of)
    }

    /// How it is written.
    pub fn spelled(self) -> Option<Spelled> {
        let tables = TABLES.iter().filter(|row| row.1.is_of(self)).map(|row| row.0);
        COMMANDS.iter().find(|row| row.of == self).map(|row| row.spelled(tables.collect()))
    }

    /// The options that it takes with a table, but for those of protocols.
    pub fn options(self, table: Table) -> impl Iterator<Item = Spelled> {
        let legal = LEGAL.iter().find(|legal| legal.is_of(self, table));
        let rules = legal.map_or("", |legal| legal.rules);
        OPTIONS.iter().zip(rules.bytes()).filter(|row| row.1 != b'.').map(|row| option(row.0))
    }
}

impl Spelled {
    /// All options but those of protocols.
    pub fn options() -> impl Iterator<Item = Self> {
        OPTIONS.iter().map(option)
    }

    /// The options that each protocol has of its own.
    pub fn of_protocols() -> impl Iterator<Item = (&'static str, Vec<Self>)> {
        PROTOCOL_WORDS.iter().map(|(name, protocol)| {
            let own = of_protocol(Some(*protocol));
            let options = ProtoOption::ALL.into_iter().filter_map(|option| {
                let names: Vec<_> =
                    own.iter().filter(|row| row.1 == option).map(|row| row.0).collect();
                let (value, about) = option.about();
                let words = words_of(option, *protocol);
                let of =
                    Self { letter: None, names, value: Some(value), optional: false, about, words };
                Some(of).filter(|of| !of.names.is_empty())
            });
            (*name, options.collect())
        })
    }
}

fn option(row: &Row<Id>) -> Spelled {
    row.spelled(match row.of {
        Id::Protocol => PROTOCOL_WORDS.iter().map(|row| row.0).collect(),
        Id::Family => value::FAMILIES.iter().map(|row| row.0).collect(),
        Id::Status => value::STATUS.iter().filter(|row| !row.2).map(|row| row.0).collect(),
        Id::EventMask => value::EVENTS.to_vec(),
        Id::Output => value::OUTPUTS.to_vec(),
        _ => Vec::new(),
    })
}

fn words_of(option: ProtoOption, protocol: IpProtocol) -> Vec<&'static str> {
    let names = match (option, protocol) {
        (ProtoOption::State, IpProtocol::TCP) => TcpState::NAMES,
        (ProtoOption::State, IpProtocol::SCTP) => SctpState::NAMES,
        (ProtoOption::State, IpProtocol::DCCP) => DccpState::NAMES,
        (ProtoOption::Role, _) => DccpRole::NAMES,
        _ => return Vec::new(),
    };
    names.rows().filter_map(|(number, _)| names.word(number)).collect()
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;

    use super::*;
    use crate::parse::Line;

    /// What is wrong with a command that is given an option.
    fn fault(command: Command, table: &str, option: &Spelled, name: &str) -> String {
        let value = option.words.first().copied().unwrap_or("1");
        let mut words = Vec::from([format!("-{}", command.letter()), table.into()]);
        words.push(if option.value.is_some() { format!("{name}={value}") } else { name.into() });
        Line::parse(words, None).err().map_or(String::new(), |error| error.text)
    }

    #[test]
    fn what_is_told_of_commands_is_what_they_take() {
        let with_tables = Command::all().filter(|c| c.spelled().is_some_and(|s| s.value.is_some()));
        for command in with_tables {
            for (name, table) in TABLES.iter().filter(|row| row.1.is_of(command)) {
                let legal: Vec<_> = command.options(*table).collect();
                for option in Spelled::options() {
                    for long in &option.names {
                        let fault = fault(command, name, &option, &format!("--{long}"));
                        let about = format!("{command:?} {name} --{long}: {fault}");
                        assert!(!fault.starts_with("unknown option"), "{about}");
                        // Other faults may come first; a value that is wrong comes before all.
                        if legal.contains(&option) {
                            let illegal = format!("Illegal option `--{}'", option.names[0]);
                            assert!(!fault.starts_with(&illegal), "{about}");
                        } else {
                            assert!(!fault.is_empty(), "{about}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn letters_and_names_are_unique() {
        let mut letters: Vec<_> = Spelled::options()
            .chain(Command::all().filter_map(Command::spelled))
            .filter_map(|row| row.letter)
            .collect();
        let all = letters.len();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!((letters.len(), all > 30), (all, true));
        assert_eq!(Spelled::of_protocols().count(), 8);
        assert!(Spelled::of_protocols().all(|row| row.1.iter().all(|own| !own.about.is_empty())));
    }
}
