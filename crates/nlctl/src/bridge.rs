//! `nlctl bridge`: VLANs, multicast groups and forwarding entries with the words of bridge(8).

use nl_route::bridge::{BridgeGroups, ListGroups, ListVlans, PortVlans};
use nl_route::names::Names;
use nl_route::neighbour::NeighbourFilter;
use nl_route::value::NeighbourState;
use nl_route::{AddressFamily, Hidden, Neighbour, json, text};

use crate::args::{Command, Kind, Options, command};
use crate::error::{Error, FAILED, USAGE, word};
use crate::names;
use crate::object::Session;
use crate::out::Out;

/// The command with all that it understands.
pub(crate) const COMMAND: Command = Command {
    names: &["bridge"],
    arguments: "OBJECT COMMAND",
    about: "What bridges know, with the words of bridge(8).",
    text: "",
    flags: &[],
    kind: Kind::Group {
        commands: &[
            object(
                &["vlan"],
                "VLANs of ports.",
                &[command(&SHOW, "List VLANs.", VLAN_HELP, vlans)],
            ),
            object(
                &["mdb"],
                "Multicast groups that ports have joined.",
                &[command(&SHOW, "List groups.", GROUPS_HELP, groups)],
            ),
            object(
                &["fdb"],
                "Forwarding entries.",
                &[command(&SHOW, "List entries.", FORWARDING_HELP, forwarding)],
            ),
        ],
        default: false,
    },
};

/// What can be done with an object.
const fn object(
    names: &'static [&'static str],
    about: &'static str,
    commands: &'static [Command],
) -> Command {
    let kind = Kind::Group { commands, default: true };
    Command { names, arguments: "COMMAND", about, text: "", flags: &[], kind }
}

const SHOW: [&str; 3] = ["show", "list", "lst"];

const VLAN_HELP: &str = "WORDS are as of bridge vlan show: [dev LINK] [vid NUMBER].";

const GROUPS_HELP: &str = "\
WORDS are as of bridge mdb show: [dev LINK] [vid NUMBER]. With -d it also tells ports that have
routers.";

const FORWARDING_HELP: &str = "\
WORDS are as of bridge fdb show: [br LINK] [brport LINK] [dev LINK] [vlan NUMBER] [state STATE]
[dynamic]. STATE is permanent, static, stale, reachable or all.";

/// What the words of a list choose.
#[derive(Default)]
struct Selector {
    index: Option<u32>,
    master: Option<u32>,
    vlan: Option<u16>,
    state: NeighbourState,
    dynamic: bool,
}

impl Selector {
    /// Reads the words; `known` are those that the object has.
    fn read(words: &[&str], known: &[&str], names: &Names) -> Result<Self, Error> {
        let mut selector = Self::default();
        let mut words = words.iter();
        while let Some(key) = words.next() {
            if !known.contains(key) {
                let text = format!("What is \"{}\"? Try \"nlctl bridge help\".", word(key));
                return Err(Error::new(USAGE, text));
            }
            if *key == "dynamic" {
                selector.dynamic = true;
                continue;
            }
            let Some(value) = words.next() else {
                return Err(Error::new(USAGE, "Command line is not complete. Try option \"help\""));
            };
            let link = |what: &str| {
                names.link_index(value).ok_or_else(|| {
                    let text = format!("Cannot find {what} \"{}\"", word(value));
                    Error::new(FAILED, text)
                })
            };
            match *key {
                "br" => selector.master = Some(link("bridge device")?),
                "dev" | "brport" => selector.index = Some(link("device")?),
                "state" => selector.state |= state(value)?,
                // As bridge reads numbers, 0 being none.
                _ => selector.vlan = value.parse().ok().filter(|vlan| *vlan != 0),
            }
        }
        Ok(selector)
    }
}

fn state(value: &str) -> Result<NeighbourState, Error> {
    let rows = [
        ("permanent", NeighbourState::PERMANENT),
        ("static", NeighbourState::NOARP),
        ("temp", NeighbourState::NOARP),
        ("stale", NeighbourState::STALE),
        ("reachable", NeighbourState::REACHABLE),
        ("dynamic", NeighbourState::REACHABLE),
        ("all", NeighbourState(u16::MAX)),
    ];
    let row = rows.into_iter().find(|(name, _)| name.starts_with(value) && !value.is_empty());
    row.map(|(_, state)| state).ok_or_else(|| {
        let text = format!("Error: argument \"{}\" is wrong: invalid state", word(value));
        Error::new(USAGE, text)
    })
}

fn vlans(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let selector = Selector::read(&session.words, &["dev", "vid"], &session.names)?;
    let request = ListVlans { index: selector.index, vlan: selector.vlan };
    let ports: Vec<PortVlans> = session.answers(request)?;
    let context = names::context(&session.names, options);
    if !options.has("json") {
        out.text().push_str("port              vlan-id  ");
        out.end_line()?;
    }
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    for port in &ports {
        rows.add(
            |json| json::vlans(json, port, &context),
            |text| text::vlans(text, port, &context),
        )?;
    }
    rows.end()?;
    Ok(0)
}

fn groups(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let selector = Selector::read(&session.words, &["dev", "vid"], &session.names)?;
    let request = ListGroups { index: selector.index, vlan: selector.vlan };
    let bridges: Vec<BridgeGroups> = session.answers(request)?;
    let context = names::context(&session.names, options);
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    rows.add(
        |json| json::groups(json, &bridges, &context),
        |text| bridges.iter().for_each(|groups| text::groups(text, groups, &context)),
    )?;
    rows.end()?;
    Ok(0)
}

fn forwarding(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let known = ["br", "brport", "dev", "vlan", "state", "dynamic"];
    let selector = Selector::read(&session.words, &known, &session.names)?;
    let Selector { index, master, vlan, state, dynamic } = selector;
    let filter = NeighbourFilter {
        family: AddressFamily::BRIDGE,
        index,
        master,
        ..NeighbourFilter::default()
    };
    let mut entries: Vec<Neighbour> = session.all(filter)?;
    entries.retain(|entry| {
        (vlan.is_none() || entry.vlan == vlan)
            && (state.is_empty() || entry.state.intersects(state))
            && !(dynamic && entry.state.contains(NeighbourState::PERMANENT))
    });
    let hidden = if index.is_some() { Hidden::OIF } else { Hidden(0) };
    let context = nl_route::Context { hidden, ..names::context(&session.names, options) };
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    for entry in &entries {
        rows.add(
            |json| json::forwarding(json, entry, &context),
            |text| text::forwarding(text, entry, &context),
        )?;
    }
    rows.end()?;
    Ok(0)
}
