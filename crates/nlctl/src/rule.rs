//! `nlctl rule`: routing rules with the words of `ip rule`.

use nl_route::parse::rule as parse;
use nl_route::rule::MakeRule;
use nl_route::tables::other::FRA;
use nl_route::{Change, Hidden, List, Rule, json, text};
use nl_socket::Connection;
use nl_wire::Errno;
use nl_wire::table::Path;

use crate::args::{Command, Kind, Options, command};
use crate::error::{Error, FAILED, REFUSED, say_warning};
use crate::object::{Printer, Session};
use crate::out::Out;
use crate::saved::{restore_rules, save_rules};

/// The command with all that it understands.
pub(crate) const COMMAND: Command = Command {
    names: &["rule"],
    arguments: "COMMAND",
    about: "Routing rules, with the words of ip rule.",
    text: "",
    flags: &[],
    // In the order in which ip looks for what was cut short.
    kind: Kind::Group {
        commands: &[
            command(&["list", "lst", "show"], "List rules.", LIST_HELP, list),
            command(&["add"], "Add a rule.", CHANGE_HELP, add),
            command(&["delete"], "Delete the first rule that fits.", CHANGE_HELP, delete),
            command(&["flush"], "Delete all that a selector names.", FLUSH_HELP, flush),
            command(&["save"], "Write rules to standard output.", SAVE_HELP, save_rules),
            command(&["restore"], "Make the rules of standard input.", RESTORE_HELP, restore_rules),
        ],
        default: true,
    },
};

const LIST_HELP: &str = "\
WORDS are as of ip rule show: [not] [from PREFIX] [to PREFIX] [tos TOS] [fwmark MARK[/MASK]]
[iif LINK] [oif LINK] [pref NUMBER] [uidrange FIRST-LAST] [ipproto PROTOCOL] [sport PORT[-LAST]]
[dport PORT[-LAST]] [tun_id ID] [l3mdev] [lookup TABLE] [protocol PROTOCOL].
Without -6 they are those of IPv4.";

const CHANGE_HELP: &str = "\
WORDS are as of ip rule add: those of list, dscp NUMBER[/MASK], flowlabel NUMBER[/MASK],
lookup TABLE [suppress_prefixlength NUMBER] [suppress_ifgroup GROUP], realms [FROM/]TO, goto NUMBER,
nop, blackhole, unreachable, prohibit.";

const FLUSH_HELP: &str = "WORDS are as of list. Rules with preference 0 stay.";

const SAVE_HELP: &str = "WORDS are as of list. What is written is for restore and ip rule restore.";

const RESTORE_HELP: &str = "\
No WORDS. What save or ip rule save wrote is read. Rules that are there already stay single (ip makes
them twice).";

const PRINTER: Printer<Rule> = Printer { json: json::rule, text: text::rule };

fn list(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let filter = parse::selector(&session.words, session.family, &session.names)?;
    session.list(out, &PRINTER, List::<Rule> { filter }, Hidden(0))
}

/// The rule that the words of a change describe.
fn described(session: &Session<'_>, name: &str) -> Result<Rule, Error> {
    if session.words.is_empty() {
        return Err(Error::new(FAILED, format_args!("\"nlctl rule {name}\" requires arguments.")));
    }
    Ok(parse::change(&session.words, session.family, &session.names)?)
}

fn add(options: &Options, _: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let rule = described(&session, "add")?;
    make(&mut session.connection, &rule, false)?;
    Ok(0)
}

/// Makes a rule; `again` if it may be there already.
///
/// A rule for more packets than is meant could lead all of a host's traffic astray: the kernel tells
/// what it made, and what lacks something is taken back.
///
/// # Errors
/// If the kernel refuses, or took the rule for another one.
pub(crate) fn make(connection: &mut Connection, rule: &Rule, again: bool) -> Result<(), Error> {
    let made = match connection.get(MakeRule(rule)) {
        Ok(made) => made,
        // The rule is there, and nothing more is known.
        Err(nl_socket::Error::NoReply) => return Ok(()),
        Err(error) if again && error.errno() == Some(Errno::EEXIST) => return Ok(()),
        Err(error) => return Err(Error::rtnetlink(&error)),
    };
    say_warning(connection);
    let Some(missing) = unknown_to_kernel(rule, &made) else { return Ok(()) };
    let now = match connection.run(Change::delete(made)) {
        Ok(()) => "it is deleted again".to_owned(),
        Err(error) => format!("it is still there: {error}"),
    };
    Err(Error::new(
        REFUSED,
        format_args!(
            "Error: The kernel made the rule without {missing}, which it does not know; {now}."
        ),
    ))
}

/// The names of what the kernel passed over, if there is any.
fn unknown_to_kernel(rule: &Rule, made: &Rule) -> Option<String> {
    let name = |number| Path::default().within(number).in_table(&FRA).to_string();
    let names: Vec<_> = rule.missing_in(made).map(name).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn delete(options: &Options, _: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let object = described(&session, "del")?;
    session.change(&Change::delete(object))
}

fn flush(options: &Options, _: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let filter = parse::selector(&session.words, session.family, &session.names)?;
    let mut rules: Vec<Rule> = session.all(filter)?;
    rules.retain(|rule| rule.priority.is_some());
    session.delete(rules)?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_kernel_does_not_know_is_named() {
        let rule = Rule { dscp: Some(5), flow_label: Some(1), ..Rule::default() };
        assert_eq!(unknown_to_kernel(&rule, &rule), None);
        let old = unknown_to_kernel(&rule, &Rule::default());
        assert_eq!(old.as_deref(), Some("FRA_DSCP, FRA_FLOWLABEL"));
    }
}
