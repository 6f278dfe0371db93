//! `nlctl monitor`: changes as they happen, as `ip monitor` prints them.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::os::fd::AsFd as _;
use std::time::SystemTime;

use nl_conntrack::groups;
use nl_route::names::Names;
use nl_route::nsid::Nsid;
use nl_route::text::Date;
use nl_route::{AddressFamily, Context, GetLink, GetNexthop, Group, Hidden, Route};
use nl_socket::host::{utc_offset, wait_readable};
use nl_socket::{Connection, Event, Events, Loss, NetlinkOption, Wait};
use nl_wire::value::Family;

use crate::args::{Flag, Options};
use crate::conntrack::{Format, loss_fields};
use crate::error::{Error, USAGE, say, word};
use crate::kernel;
use crate::message::{self, Item, Object};
use crate::names;
use crate::out::Out;
use crate::settings::learn_namespaces;

/// What there is to say of this command.
pub(crate) const HELP: &str = "\
OBJECT is link, address, route, mroute, prefix, neigh, netconf, rule, nsid, nexthop, qdisc, class or
conntrack; without one, and with all, all but the last three are shown. The words label and all put
[LINK], [ADDR], [ROUTE] and so on before each. The kernel does not tell of proxy entries, nor of
address labels.

all-nsid, or the option --all-netns, shows also what happens in the other network namespaces that
have an id here, with [nsid ID] before each. dev LINK leaves out what is of other links.

With -j one object a line, as of nlctl decode -o json, with \"nsid\":ID where it is of another
namespace. Lost events are told on stderr and, with -j, as an object:
{\"type\":\"loss\",\"reason\":\"overrun\",\"dropped\":NUMBER,\"text\":TEXT}";

/// The options of this command.
pub(crate) static FLAGS: [Flag; 1] = [Flag {
    short: None,
    long: &["all-netns"],
    value: None,
    help: "all network namespaces that have an id here",
}];

/// Something to follow.
#[derive(Debug)]
struct Subject {
    name: &'static str,
    label: &'static str,
    family: Family,
    /// Whether it is shown where nothing is named.
    usual: bool,
    /// Multicast groups, each with the address family that it is about.
    groups: &'static [(u32, AddressFamily)],
}

const fn subject(
    name: &'static str,
    label: &'static str,
    groups: &'static [(u32, AddressFamily)],
) -> Subject {
    Subject { name, label, family: Family::ROUTE, usual: true, groups }
}

const ANY: AddressFamily = AddressFamily::UNSPEC;
const V4: AddressFamily = AddressFamily::INET;
const V6: AddressFamily = AddressFamily::INET6;

/// In the order in which ip looks for what was cut short.
const SUBJECTS: [Subject; 13] = [
    subject("link", "[LINK]", &[(Group::LINK.0, ANY)]),
    subject("address", "[ADDR]", &[(Group::IPV4_IFADDR.0, V4), (Group::IPV6_IFADDR.0, V6)]),
    subject(
        "route",
        "[ROUTE]",
        &[
            (Group::IPV4_ROUTE.0, V4),
            (Group::IPV6_ROUTE.0, V6),
            (Group::MPLS_ROUTE.0, AddressFamily::MPLS),
        ],
    ),
    subject("mroute", "[MROUTE]", &[(Group::IPV4_MROUTE.0, V4), (Group::IPV6_MROUTE.0, V6)]),
    subject("prefix", "[PREFIX]", &[(Group::IPV6_PREFIX.0, V6)]),
    subject("neigh", "[NEIGH]", &[(Group::NEIGH.0, ANY)]),
    subject(
        "netconf",
        "[NETCONF]",
        &[
            (Group::IPV4_NETCONF.0, V4),
            (Group::IPV6_NETCONF.0, V6),
            (Group::MPLS_NETCONF.0, AddressFamily::MPLS),
        ],
    ),
    subject("rule", "[RULE]", &[(Group::IPV4_RULE.0, V4), (Group::IPV6_RULE.0, V6)]),
    subject("nsid", "[NSID]", &[(Group::NSID.0, ANY)]),
    subject("nexthop", "[NEXTHOP]", &[(Group::NEXTHOP.0, ANY)]),
    Subject { usual: false, ..subject("qdisc", "[QDISC]", &[(Group::TC.0, ANY)]) },
    Subject { usual: false, ..subject("class", "[CLASS]", &[(Group::TC.0, ANY)]) },
    Subject {
        name: "conntrack",
        label: "[CONNTRACK]",
        family: Family::NETFILTER,
        usual: false,
        groups: &[(groups::NEW, ANY), (groups::UPDATE, ANY), (groups::DESTROY, ANY)],
    },
];

/// The name of the subject that an object belongs to.
fn subject_of(object: &Object) -> Option<&'static str> {
    Some(match object {
        Object::Link(_) => "link",
        Object::Address(_) => "address",
        Object::Route(route) if is_multicast(route.family) => "mroute",
        Object::Route(_) => "route",
        Object::RouterPrefix(_) => "prefix",
        Object::Neighbour(_) => "neigh",
        Object::Netconf(_) => "netconf",
        Object::Rule(_) => "rule",
        Object::Nsid(_) => "nsid",
        Object::Nexthop(_) | Object::NexthopBucket(_) => "nexthop",
        Object::Qdisc(_) => "qdisc",
        Object::Class(_) => "class",
        Object::Flow(_) | Object::Event(_) => "conntrack",
        Object::AddressLabel(_)
        | Object::NeighbourTable(_)
        | Object::Expectation(_)
        | Object::ExpectationEvent(_)
        | Object::None => return None,
    })
}

fn is_multicast(family: AddressFamily) -> bool {
    matches!(family, AddressFamily::IPMR | AddressFamily::IP6MR)
}

/// Whether an object is of a link, or of none at all.
fn is_of(object: &Object, link: u32) -> bool {
    match object {
        Object::Link(it) => it.index == link,
        Object::Address(it) => it.index == link,
        Object::Route(it) if is_multicast(it.family) => it.iif == Some(link),
        Object::Route(it) => it.oif == Some(link),
        Object::Neighbour(it) => it.index == link,
        Object::Netconf(it) => it.index.and_then(|index| u32::try_from(index).ok()) == Some(link),
        Object::Qdisc(it) => it.0.index == link,
        Object::Class(it) => it.0.index == link,
        _ => true,
    }
}

/// The links that an object names by their index alone.
fn links(object: &Object) -> Vec<u32> {
    let of_netconf = |index: i32| u32::try_from(index).ok();
    match object {
        Object::Address(it) => vec![it.index],
        Object::Route(it) => {
            let hops = it.multipath.iter().map(|hop| hop.ifindex);
            it.oif.into_iter().chain(it.iif).chain(hops).collect()
        }
        Object::Neighbour(it) => [it.index].into_iter().chain(it.via).collect(),
        Object::Netconf(it) => it.index.and_then(of_netconf).into_iter().collect(),
        Object::Nexthop(it) => it.oif.into_iter().collect(),
        Object::RouterPrefix(it) => vec![it.index],
        Object::Qdisc(it) => vec![it.0.index],
        Object::Class(it) => vec![it.0.index],
        _ => Vec::new(),
    }
}

/// What the words ask for.
struct Monitor<'o> {
    options: &'o Options,
    wanted: [bool; SUBJECTS.len()],
    family: AddressFamily,
    label: bool,
    everywhere: bool,
    link: Option<u32>,
    /// The names that files give.
    common: Names,
    /// Those and the links of each namespace, `None` being our own.
    names: BTreeMap<Option<i32>, Names>,
    /// For names that are missing.
    connection: Connection,
    format: Format,
}

/// `nlctl monitor`
pub(crate) fn run(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut monitor = Monitor {
        options,
        wanted: [false; SUBJECTS.len()],
        family: options.family()?,
        label: false,
        everywhere: options.has("all-netns"),
        link: None,
        common: names::from_files(options),
        names: BTreeMap::new(),
        connection: kernel::connect(Family::ROUTE, options)?,
        format: Format::default(),
    };
    let words = options.text_words()?;
    let mut words = words.into_iter();
    let mut link = None;
    while let Some(typed) = words.next() {
        let found = SUBJECTS.iter().position(|subject| subject.name.starts_with(typed));
        match (typed, found) {
            ("dev", _) => {
                let none = "Command line is not complete. Try option \"help\"";
                link = Some(words.next().ok_or_else(|| Error::new(USAGE, none))?);
            }
            (_, Some(index)) => {
                if let Some(wanted) = monitor.wanted.get_mut(index) {
                    *wanted = true;
                }
            }
            _ if "label".starts_with(typed) || "all".starts_with(typed) => monitor.label = true,
            _ if "all-nsid".starts_with(typed) => monitor.everywhere = true,
            (_, None) => {
                let text = "is unknown, try \"nlctl monitor help\".";
                return Err(Error::new(USAGE, format_args!("Argument \"{}\" {text}", word(typed))));
            }
        }
    }
    if monitor.wanted == [false; SUBJECTS.len()] {
        for (wanted, subject) in monitor.wanted.iter_mut().zip(&SUBJECTS) {
            *wanted = subject.usual;
        }
    }
    monitor.follow(out, link)
}

impl Monitor<'_> {
    fn follow(&mut self, out: &mut Out, link: Option<&str>) -> Result<u8, Error> {
        let mut streams: Vec<(Family, Events)> = Vec::new();
        for family in [Family::ROUTE, Family::NETFILTER] {
            let groups = self.groups(family);
            if !groups.is_empty() {
                let everywhere = self.everywhere;
                let events = kernel::follow(family, &groups, self.options, |socket| {
                    let set = |option| socket.set_option(option, true);
                    let set = if everywhere { set(NetlinkOption::ListenAllNsid) } else { Ok(()) };
                    set.map_err(failed)
                })?;
                streams.push((family, events));
            }
        }
        self.learn()?;
        if let Some(link) = link {
            let found = self.own().link_index(link);
            let link = word(link).to_string();
            self.link = Some(found.ok_or_else(|| {
                let reason = "Device does not exist";
                Error::new(USAGE, format_args!("Error: argument \"{link}\" is wrong: {reason}"))
            })?);
        }
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
            .filter(|(_, of)| [*of, ANY].contains(&self.family) || *of == ANY)
            .map(|(group, _)| *group)
            .collect();
        if !groups.is_empty() && family == Family::ROUTE {
            groups.push(Group::LINK.0);
        }
        groups
    }

    fn own(&mut self) -> &mut Names {
        self.names.entry(None).or_insert_with(|| self.common.clone())
    }

    /// Learns links and named namespaces of our own.
    fn learn(&mut self) -> Result<(), Error> {
        let own = self.names.entry(None).or_insert_with(|| self.common.clone());
        names::learn_links(own, &mut self.connection)?;
        learn_namespaces(own, &mut self.connection);
        Ok(())
    }

    /// Learns what an event names by number alone: a link that the kernel tells of later, or a
    /// namespace that has a name. What it does not know any more stays a number.
    fn look_up(&mut self, object: &Object) {
        let own = self.names.entry(None).or_insert_with(|| self.common.clone());
        for index in links(object) {
            if own.known_link(index).is_none() {
                if let Ok(link) = self.connection.get(GetLink::Index(index)) {
                    own.learn(&link);
                }
            }
        }
        if let (Object::Route(Route { nexthop_id: Some(id), .. }), true) =
            (object, self.options.has("details"))
        {
            match self.connection.get(GetNexthop { id: *id, statistics: false }) {
                Ok(nexthop) => own.learn_nexthop(nexthop),
                Err(_) => own.forget_nexthop(*id),
            }
        }
        if let Object::Nsid(Nsid { id: Some(id), .. }) = object {
            if own.netns(*id).is_none() {
                learn_namespaces(own, &mut self.connection);
            }
        }
    }

    /// Shows the next event; false if there is none now.
    fn next(&mut self, out: &mut Out, family: Family, events: &mut Events) -> Result<bool, Error> {
        match events.next(Wait::Never).map_err(failed)? {
            None => return Ok(false),
            Some(Event::Message { message, nsid }) => {
                let item = Item { family, time: None, number: 0, nsid, message };
                kernel::trace(self.options, message, item.protocol());
                if let Err(error) = self.show(out, &item) {
                    self.loss(out, Loss::Undecodable(error))?;
                }
            }
            Some(Event::Loss(loss)) => {
                self.loss(out, loss)?;
                // Among what was lost may have been names.
                self.learn()?;
            }
        }
        out.relieve()?;
        Ok(true)
    }

    fn show(&mut self, out: &mut Out, item: &Item<'_>) -> Result<(), nl_wire::Error> {
        let mut object = item.object()?;
        let names = self.names.entry(item.nsid).or_insert_with(|| self.common.clone());
        match &object {
            Object::Link(link) if item.is_delete() => names.remove_link(link.index),
            Object::Link(link) => names.learn(link),
            _ => {}
        }
        let wanted = subject_of(&object).and_then(|name| {
            SUBJECTS
                .iter()
                .zip(self.wanted)
                .find(|(subject, wanted)| *wanted && subject.name == name)
        });
        let Some((subject, _)) = wanted else { return Ok(()) };
        // Neighbours of all families are one group.
        if let Object::Neighbour(entry) = &object {
            if ![ANY, entry.family].contains(&self.family) {
                return Ok(());
            }
        }
        if self.link.is_some_and(|link| !is_of(&object, link)) {
            return Ok(());
        }
        if item.nsid.is_none() {
            self.look_up(&object);
        }
        let names = self.names.get(&item.nsid).unwrap_or(&self.common);
        let context = names::context(names, self.options);
        // What is the same in each line is left out.
        let hidden = if self.link.is_some() { Hidden::OIF } else { Hidden(0) };
        let context = Context { deleted: item.is_delete(), hidden, ..context };
        let text = out.text();
        if self.options.has("json") {
            message::json_line(text, item, &object, &context)?;
        } else {
            self.header(text, item, subject, &object);
            if let Object::Link(link) = &mut object {
                // ip monitor leaves these out, and lines of programs.
                (link.link_mode, link.txqlen) = (None, None);
                (link.af_spec, link.stats, link.alias) = (None, None, None);
            }
            let context = Context { hidden: context.hidden | Hidden::PROGRAMS, ..context };
            if !message::ip_text(text, &object, &context) {
                message::conntrack_line(text, &object, None, &self.format);
            }
        }
        if let (Object::Nsid(nsid), true) = (&object, item.is_delete()) {
            nsid.id.into_iter().for_each(|id| self.own().set_netns(id, None));
        }
        Ok(())
    }

    /// What stands before an event: the time, its namespace, the label.
    fn header(&self, text: &mut String, item: &Item<'_>, subject: &Subject, object: &Object) {
        time(text, self.options);
        if self.everywhere {
            match item.nsid {
                Some(id) => put(text, format_args!("[nsid {id}]")),
                None => text.push_str("[nsid current]"),
            }
        }
        if self.label {
            let bucket = matches!(object, Object::NexthopBucket(_));
            text.push_str(if bucket { "[NEXTHOPBUCKET]" } else { subject.label });
        }
    }

    fn loss(&self, out: &mut Out, loss: Loss) -> Result<(), Error> {
        say(format_args!("nlctl: WARNING: {loss}"));
        if self.options.has("json") {
            return out.json_line(|json| loss_fields(json, "type", loss));
        }
        Ok(())
    }
}

/// The time, where `-t` or `--tshort` asks for it: what stands before an event.
pub(crate) fn time(text: &mut String, options: &Options) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(now.as_secs()).unwrap_or_default();
    let local = seconds + i64::from(utc_offset(seconds));
    if options.has("tshort") {
        let date = Date(local).to_string().replace(' ', "T");
        put(text, format_args!("[{date}.{:06}] ", now.subsec_micros()));
    } else if options.has("timestamp") {
        let (second, micros) = (spoken(local), now.subsec_micros());
        put(text, format_args!("Timestamp: {second} {micros} usec\n"));
    }
}

/// A local time as asctime(3) writes it.
fn spoken(local: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let date = Date(local).to_string();
    let part = |at: usize, length: usize| date.get(at..at + length).unwrap_or_default();
    let pick = |words: &[&'static str], index: Option<usize>| {
        index.and_then(|index| words.get(index).copied()).unwrap_or_default()
    };
    let day = pick(&DAYS, usize::try_from(local.div_euclid(86_400).rem_euclid(7)).ok());
    let month = pick(&MONTHS, part(5, 2).parse::<usize>().ok().and_then(|it| it.checked_sub(1)));
    let of_month = part(8, 2).trim_start_matches('0');
    format!("{day} {month}{of_month:>3} {} {}", part(11, 8), part(0, 4))
}

// By value, as map_err hands it over.
#[allow(clippy::needless_pass_by_value)]
fn failed(error: io::Error) -> Error {
    Error::io("cannot follow events", &error)
}

/// Appends what `format!` would make anew.
fn put(text: &mut String, arguments: fmt::Arguments<'_>) {
    // A String takes everything.
    let _ = fmt::Write::write_fmt(text, arguments);
}
