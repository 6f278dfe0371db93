//! `nlctl monitor`: changes as they happen, as `ip monitor` prints them.

use std::io;
use std::os::fd::AsFd as _;

use nl_conntrack::groups;
use nl_route::names::Names;
use nl_route::{AddressFamily, Context, Group};
use nl_socket::host::wait_readable;
use nl_socket::{Event, Events, Loss, Wait};
use nl_wire::value::Family;

use crate::args::Options;
use crate::conntrack::{Format, loss_fields};
use crate::error::{Error, USAGE, say, word};
use crate::kernel;
use crate::message::{self, Item, Object};
use crate::names;
use crate::out::Out;

/// What there is to say of this command.
pub(crate) const HELP: &str = "\
OBJECT is link, address, route, neigh, rule, nexthop or conntrack; without one, and with all, all
but conntrack are shown. The words label and all put [LINK], [ADDR], [ROUTE], [NEIGH], [RULE],
[NEXTHOP], [CONNTRACK] before each. The kernel does not tell of proxy entries.

With -j one object a line, as of nlctl decode -o json. Lost events are told on stderr and, with
-j, as an object:
{\"type\":\"loss\",\"reason\":\"overrun\",\"dropped\":NUMBER,\"text\":TEXT}";

/// Something to follow.
#[derive(Debug)]
struct Subject {
    name: &'static str,
    label: &'static str,
    family: Family,
    /// Multicast groups, each with the address family that it is about.
    groups: &'static [(u32, AddressFamily)],
}

const SUBJECTS: [Subject; 7] = [
    Subject {
        name: "link",
        label: "[LINK]",
        family: Family::ROUTE,
        groups: &[(Group::LINK.0, AddressFamily::UNSPEC)],
    },
    Subject {
        name: "address",
        label: "[ADDR]",
        family: Family::ROUTE,
        groups: &[
            (Group::IPV4_IFADDR.0, AddressFamily::INET),
            (Group::IPV6_IFADDR.0, AddressFamily::INET6),
        ],
    },
    Subject {
        name: "route",
        label: "[ROUTE]",
        family: Family::ROUTE,
        groups: &[
            (Group::IPV4_ROUTE.0, AddressFamily::INET),
            (Group::IPV6_ROUTE.0, AddressFamily::INET6),
        ],
    },
    Subject {
        name: "neigh",
        label: "[NEIGH]",
        family: Family::ROUTE,
        groups: &[(Group::NEIGH.0, AddressFamily::UNSPEC)],
    },
    Subject {
        name: "rule",
        label: "[RULE]",
        family: Family::ROUTE,
        groups: &[
            (Group::IPV4_RULE.0, AddressFamily::INET),
            (Group::IPV6_RULE.0, AddressFamily::INET6),
        ],
    },
    Subject {
        name: "nexthop",
        label: "[NEXTHOP]",
        family: Family::ROUTE,
        groups: &[(Group::NEXTHOP.0, AddressFamily::UNSPEC)],
    },
    Subject {
        name: "conntrack",
        label: "[CONNTRACK]",
        family: Family::NETFILTER,
        groups: &[
            (groups::NEW, AddressFamily::UNSPEC),
            (groups::UPDATE, AddressFamily::UNSPEC),
            (groups::DESTROY, AddressFamily::UNSPEC),
        ],
    },
];

/// The index of the subject that an object belongs to.
fn subject(object: &Object) -> Option<usize> {
    match object {
        Object::Link(_) => Some(0),
        Object::Address(_) => Some(1),
        Object::Route(_) => Some(2),
        Object::Neighbour(_) => Some(3),
        Object::Rule(_) => Some(4),
        Object::Nexthop(_) | Object::NexthopBucket(_) => Some(5),
        Object::Flow(_) | Object::Event(_) => Some(6),
        Object::Expectation(_) | Object::ExpectationEvent(_) | Object::None => None,
    }
}

/// What the words ask for.
struct Monitor<'o> {
    options: &'o Options,
    wanted: [bool; SUBJECTS.len()],
    family: AddressFamily,
    label: bool,
    names: Names,
    format: Format,
}

/// `nlctl monitor`
pub(crate) fn run(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut monitor = Monitor {
        options,
        wanted: [false; SUBJECTS.len()],
        family: options.family()?,
        label: false,
        names: names::from_files(),
        format: Format::default(),
    };
    for typed in options.text_words()? {
        let found = SUBJECTS.iter().position(|subject| subject.name.starts_with(typed));
        match (typed, found) {
            ("all" | "label", _) => monitor.label = true,
            (_, Some(index)) => {
                if let Some(wanted) = monitor.wanted.get_mut(index) {
                    *wanted = true;
                }
            }
            (_, None) => {
                let text = "is unknown, try \"nlctl monitor help\".";
                return Err(Error::new(USAGE, format_args!("Argument \"{}\" {text}", word(typed))));
            }
        }
    }
    if monitor.wanted == [false; SUBJECTS.len()] {
        monitor.wanted = [true, true, true, true, true, true, false];
    }
    monitor.follow(out)
}

impl Monitor<'_> {
    fn follow(&mut self, out: &mut Out) -> Result<u8, Error> {
        let mut streams: Vec<(Family, Events)> = Vec::new();
        for family in [Family::ROUTE, Family::NETFILTER] {
            let groups = self.groups(family);
            if !groups.is_empty() {
                let events = kernel::follow(family, &groups, self.options, |_| Ok(()))?;
                streams.push((family, events));
            }
        }
        self.learn_links()?;
        loop {
            for (family, events) in &mut streams {
                while self.next(out, *family, events)? {}
            }
            out.flush()?;
            let waited = match &*streams {
                [(_, one), (_, two)] => {
                    wait_readable([one.as_fd(), two.as_fd()], Wait::Forever).map(drop)
                }
                [(_, one)] => wait_readable([one.as_fd()], Wait::Forever).map(drop),
                _ => return Ok(0),
            };
            waited.map_err(failed)?;
        }
    }

    /// The groups to join for what is wanted of this protocol. Links are always followed where
    /// their names are needed.
    fn groups(&self, family: Family) -> Vec<u32> {
        let wanted = SUBJECTS
            .iter()
            .zip(self.wanted)
            .filter(|(subject, wanted)| subject.family == family && *wanted);
        let mut groups: Vec<u32> = wanted
            .flat_map(|(subject, _)| subject.groups)
            .filter(|(_, of)| {
                [*of, AddressFamily::UNSPEC].contains(&self.family) || *of == AddressFamily::UNSPEC
            })
            .map(|(group, _)| *group)
            .collect();
        if !groups.is_empty() && family == Family::ROUTE {
            groups.push(Group::LINK.0);
        }
        groups
    }

    fn learn_links(&mut self) -> Result<(), Error> {
        let mut connection = kernel::connect(Family::ROUTE, self.options)?;
        names::learn_links(&mut self.names, &mut connection)
    }

    /// Shows the next event; false if there is none now.
    fn next(&mut self, out: &mut Out, family: Family, events: &mut Events) -> Result<bool, Error> {
        match events.next(Wait::Never).map_err(failed)? {
            None => return Ok(false),
            Some(Event::Message { message, .. }) => {
                let item = Item { family, time: None, number: 0, message };
                kernel::trace(self.options, message, item.protocol());
                if let Err(error) = self.show(out, &item) {
                    self.loss(out, Loss::Undecodable(error))?;
                }
            }
            Some(Event::Loss(loss)) => {
                self.loss(out, loss)?;
                // Among what was lost may have been names.
                self.learn_links()?;
            }
        }
        out.relieve()?;
        Ok(true)
    }

    fn show(&mut self, out: &mut Out, item: &Item<'_>) -> Result<(), nl_wire::Error> {
        let mut object = item.object()?;
        if let Object::Link(link) = &object {
            self.names.learn(link);
        }
        let Some((index, subject)) =
            subject(&object).and_then(|index| SUBJECTS.get(index).map(|subject| (index, subject)))
        else {
            return Ok(());
        };
        if !self.wanted.get(index).copied().unwrap_or_default() {
            return Ok(());
        }
        // Neighbours of all families are one group.
        if let Object::Neighbour(entry) = &object {
            if ![AddressFamily::UNSPEC, entry.family].contains(&self.family) {
                return Ok(());
            }
        }
        let context = names::context(&self.names, self.options);
        let context = Context { deleted: item.is_delete(), ..context };
        let text = out.text();
        if self.options.has("json") {
            return message::json_line(text, item, &object, &context);
        }
        if self.label {
            text.push_str(subject.label);
        }
        if let Object::Link(link) = &mut object {
            // ip monitor leaves these out.
            (link.link_mode, link.txqlen) = (None, None);
        }
        if !message::ip_text(text, &object, &context) {
            message::conntrack_line(text, &object, None, &self.format);
        }
        Ok(())
    }

    fn loss(&self, out: &mut Out, loss: Loss) -> Result<(), Error> {
        say(format_args!("nlctl: WARNING: {loss}"));
        if self.options.has("json") {
            return out.json_line(|json| loss_fields(json, "type", loss));
        }
        Ok(())
    }
}

// By value, as map_err hands it over.
#[allow(clippy::needless_pass_by_value)]
fn failed(error: io::Error) -> Error {
    Error::io("cannot follow events", &error)
}
