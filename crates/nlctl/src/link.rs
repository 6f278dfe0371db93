//! `nlctl link`: links with the words of `ip link`.

use std::os::fd::{AsFd as _, AsRawFd as _};
use std::path::Path;

use nl_route::filter::LinkFilter;
use nl_route::parse::address::{self, Selector};
use nl_route::parse::link::{self as parse, LinkChange};
use nl_route::request::LinkNames;
use nl_route::tables::link::{IFLA_NET_NS_FD, IFLA_NET_NS_PID};
use nl_route::{Action, Change, GetLink, Link, json, text};
use nl_socket::netns::Netns;
use nl_wire::RawAttr;
use nl_wire::text::Text;

use crate::args::{Command, Kind, Options, command};
use crate::error::{Error, FAILED, USAGE, word};
use crate::names;
use crate::object::{Printer, Session};
use crate::out::Out;
use crate::settings::learn_namespaces;

/// The command with all that it understands.
pub(crate) const COMMAND: Command = Command {
    names: &["link"],
    arguments: "COMMAND",
    about: "Links, with the words of ip link.",
    text: "",
    flags: &[],
    // In the order in which ip looks for what was cut short.
    kind: Kind::Group {
        commands: &[
            command(&["list", "show", "lst"], "List links.", LIST_HELP, list),
            command(&["add"], "Add a link.", ADD_HELP, add),
            // To ip `s` is this one, though for other objects it is `show`.
            command(&["set", "change", "s"], "Change a link.", SET_HELP, set),
            command(&["replace"], "Add a link, or change it if it exists.", ADD_HELP, replace),
            command(&["delete"], "Delete a link.", "WORDS are [dev] LINK or group GROUP.", delete),
            Command {
                names: &["property"],
                arguments: "COMMAND",
                about: "Give a link further names, or take them.",
                text: "",
                flags: &[],
                kind: Kind::Group {
                    commands: &[
                        command(&["add"], "Give names.", PROPERTY_HELP, name),
                        command(&["delete"], "Take names.", PROPERTY_HELP, unname),
                    ],
                    default: false,
                },
            },
        ],
        default: true,
    },
};

const LIST_HELP: &str = "\
WORDS are as of ip link show: [dev] LINK, group GROUP, up, master LINK, type KIND.";

const ADD_HELP: &str = "\
WORDS are as of ip link add: [link LINK] [name] NAME [mtu NUMBER] [address ADDRESS]
[txqueuelen NUMBER] [numtxqueues NUMBER] [numrxqueues NUMBER] [netns NAME|PID] type KIND OPTIONS;
KIND is one of bridge, bond, dummy, geneve, gre, gretap, erspan, ip6gre, ip6gretap, ip6erspan, ifb,
ipip, ip6tnl, ipvlan, macvlan, netkit, sit, veth, vlan, vrf, vxlan, wireguard, or any other without
options.";

const SET_HELP: &str = "\
WORDS are as of ip link set: [dev] LINK [up|down] [name NAME] [mtu NUMBER] [address ADDRESS]
[master LINK] [nomaster] [netns NAME|PID] [alias NAME] [txqueuelen NUMBER] [group GROUP]
[arp on|off] [multicast on|off] [promisc on|off] [addrgenmode MODE] [carrier on|off]
[vf NUMBER OPTIONS] [type KIND OPTIONS].";

const PROPERTY_HELP: &str = "WORDS are dev LINK altname NAME….";

const FULL: Printer<Link> = Printer { json: json::link, text: text::link };
const BRIEF: Printer<Link> = Printer { json: json::brief_link, text: text::brief_link };

fn list(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let selector = address::selector(&session.words, session.family, &session.names)?;
    let statistics = options.has("statistics");
    let master = selector.master.filter(|master| *master != Selector::NO_MASTER);
    let filter = LinkFilter { statistics, master, ..LinkFilter::default() };
    let links: Vec<Link> = session.all(filter)?;
    if links.iter().any(|link| link.link_netnsid.is_some()) {
        learn_namespaces(&mut session.names, &mut session.connection);
    }
    show(&session, out, links.into_iter().filter(|link| selector.admits_link(link)))
}

/// Lists links, as the options say.
pub(crate) fn show(
    session: &Session<'_>,
    out: &mut Out,
    links: impl Iterator<Item = Link>,
) -> Result<u8, Error> {
    let options = session.options;
    let context = names::context(&session.names, options);
    let printer = if options.has("brief") { &BRIEF } else { &FULL };
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    for link in links {
        rows.add(
            |json| (printer.json)(json, &link, &context),
            |text| (printer.text)(text, &link, &context),
        )?;
    }
    rows.end()?;
    Ok(0)
}

/// Opens the namespaces that a change names, which must stay open until it is sent.
fn open_namespaces(change: &mut LinkChange, open: &mut Vec<Netns>) -> Result<(), Error> {
    if let Some(name) = change.netns.take() {
        let attr = namespace(&name, open)?;
        change.link.unknown.push(attr);
    }
    match &mut change.peer {
        Some(peer) => open_namespaces(peer, open),
        None => Ok(()),
    }
}

/// A namespace by its name, its path, or the id of a process in it.
fn namespace(name: &Text, open: &mut Vec<Netns>) -> Result<RawAttr, Error> {
    let name = name.to_string();
    let named =
        if name.contains('/') { Netns::path(Path::new(&name)) } else { Netns::named(&name) };
    match (named, name.parse::<u32>()) {
        (Ok(netns), _) => {
            let fd = netns.as_fd().as_raw_fd();
            open.push(netns);
            Ok(RawAttr { raw_type: IFLA_NET_NS_FD, payload: fd.to_ne_bytes().to_vec() })
        }
        (Err(_), Ok(process)) => {
            let payload = process.to_ne_bytes().to_vec();
            Ok(RawAttr { raw_type: IFLA_NET_NS_PID, payload })
        }
        (Err(_), Err(_)) => Err(Error::new(
            USAGE,
            format_args!("Error: argument \"{}\" is wrong: Invalid \"netns\" value", word(&name)),
        )),
    }
}

/// Makes or changes a link, in whatever namespace it is.
///
/// # Errors
/// If a namespace can't be opened, or the kernel refuses.
pub(crate) fn send(
    session: &mut Session<'_>,
    action: Action,
    mut change: LinkChange,
) -> Result<u8, Error> {
    let mut open = Vec::new();
    open_namespaces(&mut change, &mut open)?;
    let object = change.finish().map_err(|error| Error::new(USAGE, error))?;
    session.change(&Change { action, object })
}

fn add(options: &Options, _: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let change = parse::add(&session.words, &session.names)?;
    send(&mut session, Action::Add, change)
}

fn replace(options: &Options, _: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let change = parse::add(&session.words, &session.names)?;
    send(&mut session, Action::Replace, change)
}

fn set(options: &Options, _: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let mut change = parse::set(&session.words, &session.names, None)?;
    if change.replaces_all() {
        let link = session.connection.get(GetLink::Index(change.link.index));
        let link = link.map_err(|error| Error::rtnetlink(&error))?;
        change = parse::set(&session.words, &session.names, Some(&link))?;
    }
    // Of a group of links each would have to be asked.
    if let (Some(address), 1..) = (&change.link.address, change.link.index) {
        let filter = GetLink::Index(change.link.index);
        let link = session.connection.get(filter).map_err(|error| Error::rtnetlink(&error))?;
        // The kernel would only say that it is invalid.
        let (given, needed) = (address.len(), link.address.map_or(address.len(), |it| it.len()));
        if given != needed {
            return Err(Error::new(
                FAILED,
                format_args!("Invalid address length {given} - must be {needed} bytes"),
            ));
        }
    }
    send(&mut session, Action::Change, change)
}

fn delete(options: &Options, _: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let object = parse::delete(&session.words, &session.names)?;
    session.change(&Change { action: Action::Delete, object })
}

fn name(options: &Options, _: &mut Out) -> Result<u8, Error> {
    property(options, true)
}

fn unname(options: &Options, _: &mut Out) -> Result<u8, Error> {
    property(options, false)
}

fn property(options: &Options, add: bool) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let link = parse::property(&session.words, &session.names)?;
    let request = LinkNames { link, add };
    session.connection.run(request).map_err(|error| Error::rtnetlink(&error))?;
    Ok(0)
}
