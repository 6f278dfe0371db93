//! `nlctl tunnel`: tunnels over IPv4, with the words of `ip tunnel`.

use nl_route::filter::LinkFilter;
use nl_route::parse::{link as link_words, tunnel as parse};
use nl_route::{Action, AddressFamily, Change, GetLink, Link, json, text};

use crate::args::{Command, Kind, Options, command};
use crate::error::{Error, FAILED, USAGE, word};
use crate::link::send;
use crate::names;
use crate::object::Session;
use crate::out::Out;

/// The command with all that it understands.
pub(crate) const COMMAND: Command = Command {
    names: &["tunnel", "tunl"],
    arguments: "COMMAND",
    about: "Tunnels over IPv4, with the words of ip tunnel.",
    text: "",
    flags: &[],
    // In the order in which ip looks for what was cut short.
    kind: Kind::Group {
        commands: &[
            command(&["show", "lst", "list"], "List tunnels.", SHOW_HELP, list),
            command(&["add"], "Add a tunnel.", ADD_HELP, add),
            command(&["change"], "Change a tunnel.", ADD_HELP, modify),
            command(&["delete"], "Delete a tunnel.", "WORDS are NAME.", delete),
        ],
        default: true,
    },
};

const SHOW_HELP: &str = "\
WORDS are as of ip tunnel show: [NAME] [mode MODE] [remote ADDRESS] [local ADDRESS] [dev LINK].";

const ADD_HELP: &str = "\
WORDS are as of ip tunnel add: NAME mode gre|ipip|sit|isatap|vti|any [remote ADDRESS]
[local ADDRESS] [ttl NUMBER|inherit] [tos TOS|inherit] [key KEY] [ikey KEY] [okey KEY] [seq] [iseq]
[oseq] [csum] [icsum] [ocsum] [pmtudisc] [nopmtudisc] [dev LINK].";

/// The kinds of links that are tunnels here.
const KINDS: [&str; 4] = ["gre", "ipip", "sit", "vti"];

/// Those over IPv6 are other ones.
fn start(options: &Options) -> Result<Session<'_>, Error> {
    let session = Session::start(options)?;
    if session.family == AddressFamily::INET6 {
        let text = "nlctl: tunnels over IPv6 are links: see nlctl link show type ip6tnl";
        return Err(Error::new(USAGE, text));
    }
    Ok(session)
}

fn list(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = start(options)?;
    let words = parse::words(&session.words)?;
    if let [option, ..] = *words.options {
        let option = word(option);
        return Err(Error::new(USAGE, format_args!("nlctl: tunnel show takes NAME, not {option}")));
    }
    let links: Vec<Link> = session.all(LinkFilter::default())?;
    let context = names::context(&session.names, options);
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    for link in &links {
        let known = link.info_kind().is_some_and(|kind| KINDS.iter().any(|it| *kind == *it));
        let named =
            words.name.is_none_or(|name| session.names.link_index(name) == Some(link.index));
        if known && named {
            rows.add(
                |json| json::tunnel(json, link, &context),
                |text| text::tunnel(text, link, &context),
            )?;
        }
    }
    rows.end()?;
    Ok(0)
}

/// What ip says where it is not told of which kind a tunnel is.
fn undetermined() -> Error {
    Error::new(FAILED, "cannot determine tunnel mode (ipip, gre, vti or sit)")
}

fn add(options: &Options, _: &mut Out) -> Result<u8, Error> {
    let mut session = start(options)?;
    let read = parse::words(&session.words)?;
    let words = read.of_link().ok_or_else(undetermined)?;
    let change = link_words::add(&words, &session.names)?;
    send(&mut session, Action::Add, change)
}

/// What is not named stays as it is.
fn modify(options: &Options, _: &mut Out) -> Result<u8, Error> {
    let mut session = start(options)?;
    let read = parse::words(&session.words)?;
    let index = read.name.and_then(|name| session.names.link_index(name));
    let (Some(name), Some(index)) = (read.name, index) else { return Err(undetermined()) };
    let link = session.connection.get(GetLink::Index(index));
    let link = link.map_err(|error| Error::rtnetlink(&error))?;
    let kind = link.info_kind().and_then(|kind| KINDS.into_iter().find(|it| *kind == **it));
    let kind = kind.ok_or_else(undetermined)?;
    let words = [&[name, "type", kind], &*read.options].concat();
    let change = link_words::set(&words, &session.names, Some(&link))?;
    send(&mut session, Action::Change, change)
}

fn delete(options: &Options, _: &mut Out) -> Result<u8, Error> {
    let mut session = start(options)?;
    let read = parse::words(&session.words)?;
    let name = read.name.ok_or_else(undetermined)?;
    let object = link_words::delete(&[name], &session.names)?;
    session.change(&Change { action: Action::Delete, object })
}
