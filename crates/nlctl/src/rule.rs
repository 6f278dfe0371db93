//! `nlctl rule`: routing rules with the words of `ip rule`.

use nl_route::parse::rule as parse;
use nl_route::{Action, Change, Hidden, List, Rule, json, text};

use crate::args::{Command, Kind, Options, command};
use crate::error::{Error, FAILED};
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
WORDS are as of ip rule add: those of list, dscp NUMBER[/MASK], flowlabel NUMBER[/MASK], and what
to do: lookup TABLE [suppress_prefixlength NUMBER] [suppress_ifgroup GROUP], realms [FROM/]TO,
goto NUMBER, nop, blackhole, unreachable, prohibit.";

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

fn change(action: Action, name: &str, options: &Options) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    if session.words.is_empty() {
        return Err(Error::new(FAILED, format_args!("\"nlctl rule {name}\" requires arguments.")));
    }
    let object = parse::change(&session.words, session.family, &session.names)?;
    session.change(&Change { action, object })
}

fn add(options: &Options, _: &mut Out) -> Result<u8, Error> {
    change(Action::Add, "add", options)
}

fn delete(options: &Options, _: &mut Out) -> Result<u8, Error> {
    change(Action::Delete, "del", options)
}

fn flush(options: &Options, _: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let filter = parse::selector(&session.words, session.family, &session.names)?;
    let mut rules: Vec<Rule> = session.all(filter)?;
    rules.retain(|rule| rule.priority.is_some());
    session.delete(rules)?;
    Ok(0)
}
