//! `nlctl vrf` and `nlctl token`: virtual routers, and the tokens of links, with the words of ip.

use nl_route::filter::LinkFilter;
use nl_route::parse::settings as parse;
use nl_route::value::LinkFlags;
use nl_route::{Change, Link, json, text};
use nl_wire::text::Text;

use crate::args::{Command, Kind, Options, command};
use crate::error::{Error, USAGE};
use crate::names;
use crate::object::Session;
use crate::out::Out;

/// Virtual routers.
pub(crate) const ROUTERS: Command = Command {
    names: &["vrf"],
    arguments: "COMMAND",
    about: "Virtual routers (VRF), with the words of ip vrf.",
    text: "",
    flags: &[],
    kind: Kind::Group {
        commands: &[command(
            &["show", "lst", "list"],
            "List virtual routers with their tables.",
            "WORDS are as of ip vrf show: [NAME].",
            routers,
        )],
        default: true,
    },
};

fn routers(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    if let [name, rest @ ..] = &*session.words {
        let table = session.names.vrf_table(name).filter(|_| rest.is_empty());
        let table = table.ok_or_else(|| Error::new(USAGE, "Invalid VRF"))?;
        out.append(format_args!("{} {table}\n", crate::error::word(name)));
        return Ok(0);
    }
    let filter = LinkFilter { kind: Some(Text::from("vrf")), ..LinkFilter::default() };
    let links: Vec<Link> = session.all(filter)?;
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    let head = format!("{:<16}  {:>5}\n{:-<23}\n", "Name", "Table", "");
    rows.add(|_| {}, |text| text.push_str(&head))?;
    let mut none = true;
    for link in &links {
        let (Some(name), Some(table)) = (&link.name, link.vrf_table()) else { continue };
        none = false;
        let line = format!("{:<16} {table:>5}\n", name.to_string());
        rows.add(
            |json| {
                json.begin_object();
                json.field("name", name);
                json.field("table", table);
                json.end_object();
            },
            |text| text.push_str(&line),
        )?;
    }
    if none {
        rows.add(|_| {}, |text| text.push_str("No VRF has been configured\n"))?;
    }
    rows.end()?;
    Ok(0)
}

/// Tokens.
pub(crate) const TOKENS: Command = Command {
    names: &["token"],
    arguments: "COMMAND",
    about: "The host's part of addresses that IPv6 makes, with the words of ip token.",
    text: "",
    flags: &[],
    // In the order in which ip looks for what was cut short.
    kind: Kind::Group {
        commands: &[
            command(&["list", "lst", "show"], "List tokens.", LIST_HELP, tokens),
            command(&["set", "add"], "Give a link a token.", "WORDS are TOKEN dev LINK.", set),
            command(&["delete"], "Take a link's token.", "WORDS are dev LINK.", delete),
            command(&["get"], "Show the token of a link.", LIST_HELP, tokens),
        ],
        default: true,
    },
};

const LIST_HELP: &str = "WORDS are as of ip token list: [dev LINK].";

fn tokens(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let index = parse::tokens(&session.words, &session.names)?;
    let links: Vec<Link> = session.all(LinkFilter::default())?;
    let context = names::context(&session.names, options);
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    for link in links {
        // Nothing on these has addresses of routers' prefixes.
        let without = LinkFlags::LOOPBACK | LinkFlags::NOARP;
        if link.flags.without(without) != link.flags || index.is_some_and(|it| it != link.index) {
            continue;
        }
        rows.add(
            |json| json::token(json, &link, &context),
            |text| text::token(text, &link, &context),
        )?;
    }
    rows.end()?;
    Ok(0)
}

fn set(options: &Options, _: &mut Out) -> Result<u8, Error> {
    change(options, false)
}

fn delete(options: &Options, _: &mut Out) -> Result<u8, Error> {
    change(options, true)
}

fn change(options: &Options, delete: bool) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let object = parse::token(&session.words, &session.names, delete)?;
    session.change(&Change::change(object))
}
