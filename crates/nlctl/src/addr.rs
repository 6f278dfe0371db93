//! `nlctl address`: addresses with the words of `ip address`.

use std::collections::{BTreeMap, BTreeSet};

use nl_route::filter::{AddressFilter, LinkFilter};
use nl_route::parse::address::{self as parse, Selector};
use nl_route::text::Layout;
use nl_route::{Action, Address, AddressFamily, Change, Context, Hidden, Link, json, text};
use nl_wire::Errno;

use crate::args::{Command, Kind, Options, command};
use crate::error::{Error, FAILED, USAGE, say, word};
use crate::link;
use crate::names;
use crate::object::Session;
use crate::out::Out;
use crate::saved;
use crate::settings::learn_namespaces;

/// The command with all that it understands.
pub(crate) const COMMAND: Command = Command {
    names: &["address"],
    arguments: "COMMAND",
    about: "Addresses, with the words of ip address.",
    text: "",
    flags: &[],
    // In the order in which ip looks for what was cut short.
    kind: Kind::Group {
        commands: &[
            command(&["list", "show", "lst"], "List links and addresses.", LIST_HELP, list),
            command(&["add"], "Add an address.", CHANGE_HELP, add),
            command(&["change", "chg"], "Change one that exists.", CHANGE_HELP, modify),
            command(&["replace"], "Add one, or change it if it exists.", CHANGE_HELP, replace),
            command(&["delete"], "Delete an address.", CHANGE_HELP, delete),
            command(&["flush"], "Delete all that a selector names.", LIST_HELP, flush),
            command(&["save"], "Write addresses to standard output.", LIST_HELP, save),
            command(&["showdump"], "List saved addresses.", "", show_saved),
            command(&["restore"], "Add saved addresses.", "", restore),
        ],
        default: true,
    },
};

const LIST_HELP: &str = "\
WORDS are as of ip address show: [dev] LINK, to PREFIX, scope SCOPE, label PATTERN, up, master LINK,
nomaster, vrf LINK, type KIND, group GROUP, permanent, dynamic, secondary, primary, tentative,
deprecated, dadfailed, temporary, home, nodad, optimistic, mngtmpaddr, noprefixroute, autojoin; with
- before one of these, those without it.";

const CHANGE_HELP: &str = "\
WORDS are as of ip address add: [local] PREFIX dev LINK [peer PREFIX] [broadcast ADDRESS|+|-]
[anycast ADDRESS] [label NAME] [scope SCOPE] [metric NUMBER] [valid_lft SECONDS]
[preferred_lft SECONDS] [nodad] [home] [mngtmpaddr] [noprefixroute] [autojoin] [optimistic].";

fn list(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let selector = parse::selector(&session.words, session.family, &session.names)?;
    let statistics = options.has("statistics");
    let filter = LinkFilter { statistics, ..LinkFilter::default() };
    let mut links: Vec<Link> = session.all(filter)?;
    if links.iter().any(|link| link.link_netnsid.is_some()) {
        learn_namespaces(&mut session.names, &mut session.connection);
    }
    links.retain(|link| selector.admits_link(link));
    // Of a single link it asks for all.
    if session.family == AddressFamily::INET6 && selector.index.is_none() {
        links = links.into_iter().map(of_ipv6).collect();
    }
    let alone = selector.label.is_some();
    if selector.family == AddressFamily::PACKET && !alone {
        let links = links.into_iter().map(|link| without_mode(link, options.has("details")));
        return link::show(&session, out, links);
    }
    let (mut addresses, with_any) = by_link(&mut session, &selector)?;
    // Who asks by label wants addresses: ip shows nothing of their links.
    let hidden = if alone { Hidden::LINK } else { Hidden(0) };
    let context = Context { hidden, ..names::context(&session.names, options) };
    let layout = if options.has("brief") {
        Layout::Brief
    } else if selector.family == AddressFamily::UNSPEC {
        Layout::Full
    } else {
        Layout::OneFamily
    };
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    for link in &links {
        let of_link = addresses.remove(&link.index).unwrap_or_default();
        // Of all families, a link that has none at all is shown whatever is asked of addresses.
        let bare = selector.family == AddressFamily::UNSPEC && !with_any.contains(&link.index);
        if of_link.is_empty() && selector.needs_address() && !bare {
            continue;
        }
        rows.add(
            |json| json::link_with_addresses(json, link, &of_link, layout, &context),
            |text| text::link_with_addresses(text, link, &of_link, layout, &context),
        )?;
    }
    rows.end()?;
    Ok(0)
}

/// Addresses by the index of their link.
type ByLink = BTreeMap<u32, Vec<Address>>;

/// What IPv6 knows of a link, which is all that ip asks for with `-6`.
fn of_ipv6(link: Link) -> Link {
    Link {
        family: link.family,
        link_type: link.link_type,
        index: link.index,
        flags: link.flags,
        name: link.name,
        mtu: link.mtu,
        link: link.link,
        address: link.address,
        operstate: link.operstate,
        txqlen: link.txqlen,
        ..Link::default()
    }
}

/// Of a link what ip shows with `-0`, which asks for no address.
fn without_mode(link: Link, details: bool) -> Link {
    let alias = link.alias.filter(|_| details);
    Link { link_mode: None, af_spec: None, alias, ..link }
}

/// The addresses that the selector names, by the index of their link, and the links that have any.
fn by_link(
    session: &mut Session<'_>,
    selector: &Selector,
) -> Result<(ByLink, BTreeSet<u32>), Error> {
    let filter = AddressFilter { family: selector.family, index: None };
    let mut all = ByLink::new();
    let mut any = BTreeSet::new();
    for address in session.all::<Address>(filter)? {
        any.insert(address.index);
        if selector.admits(&address, &session.names) {
            all.entry(address.index).or_default().push(address);
        }
    }
    Ok((all, any))
}

fn flush(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    if session.words.is_empty() && session.family == AddressFamily::UNSPEC {
        return Err(Error::new(FAILED, "Flush requires arguments."));
    }
    let selector = parse::selector(&session.words, session.family, &session.names)?;
    if selector.family == AddressFamily::PACKET {
        return Err(Error::new(FAILED, "Cannot flush link addresses."));
    }
    let links: Vec<Link> = session.all(LinkFilter::default())?;
    let mut deleted = 0_usize;
    let rounds: u32 = options.value("loops").map_or(Ok(10), |typed| {
        let text = format_args!("Invalid number of loops '{}'", word(typed)).to_string();
        typed.parse().map_err(|_| Error::new(USAGE, text))
    })?;
    let endless = (rounds == 0).then_some(u32::MAX);
    // With an address its secondary ones may go, or take its place.
    for _ in 0..endless.unwrap_or(rounds) {
        let (mut addresses, _) = by_link(&mut session, &selector)?;
        addresses.retain(|index, _| {
            links.iter().any(|link| link.index == *index && selector.admits_link(link))
        });
        let all: Vec<Address> = addresses.into_values().flatten().collect();
        if all.is_empty() {
            if options.has("statistics") {
                out.append(format_args!("Deleted {deleted} addresses\n"));
            }
            return Ok(0);
        }
        deleted += all.len();
        for result in session.connection.batch(all.into_iter().map(Change::delete)) {
            match result {
                // It went with another.
                Err(error) if error.errno() != Some(Errno::EADDRNOTAVAIL) => {
                    return Err(Error::rtnetlink(&error));
                }
                _ => {}
            }
        }
    }
    let text = format!("*** Flush remains incomplete after {rounds} rounds. ***");
    Err(Error::new(USAGE, text))
}

fn save(options: &Options, out: &mut Out) -> Result<u8, Error> {
    saved::save(options, out, |session| {
        let selector = parse::selector(&session.words, session.family, &session.names)?;
        let links: Vec<Link> = session.all(LinkFilter::default())?;
        let filter = AddressFilter { family: selector.family, index: selector.index };
        let mut addresses: Vec<Address> = session.all(filter)?;
        addresses.retain(|address| {
            let of = |link: &&Link| link.index == address.index;
            selector.admits(address, &session.names)
                && links.iter().find(of).is_some_and(|link| selector.admits_link(link))
        });
        Ok(addresses)
    })
}

fn restore(options: &Options, _: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let addresses: Vec<Address> = saved::saved("address", USAGE)?;
    Ok(saved::restore(&mut session, addresses.into_iter().map(Change::add)))
}

fn show_saved(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let session = Session::start(options)?;
    let addresses: Vec<Address> = saved::saved("address", USAGE)?;
    let context = names::context(&session.names, options);
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    // In JSON they are one list, as those of a link are.
    rows.add(
        |json| {
            json.begin_object();
            json.key("addr_info");
            json.begin_array();
            for address in &addresses {
                json::saved_address(json, address, &context);
            }
            json.end_array();
            json.end_object();
        },
        |text| {
            for address in &addresses {
                text::saved_address(text, address, &context);
            }
        },
    )?;
    rows.end()?;
    Ok(0)
}

fn add(options: &Options, _: &mut Out) -> Result<u8, Error> {
    change(Action::Add, options)
}

fn modify(options: &Options, _: &mut Out) -> Result<u8, Error> {
    change(Action::Change, options)
}

fn replace(options: &Options, _: &mut Out) -> Result<u8, Error> {
    change(Action::Replace, options)
}

fn delete(options: &Options, _: &mut Out) -> Result<u8, Error> {
    change(Action::Delete, options)
}

fn change(action: Action, options: &Options) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let warn = &mut |text: &str| say(text);
    let (words, family) = (&session.words, session.family);
    let object = parse::change_and_warn(words, family, &session.names, action, warn)?;
    session.change(&Change { action, object })
}
