//! One message of any protocol, as JSON or as text: what `decode` and `monitor` print.

use std::time::Duration;

use nl_conntrack::tables::{
    IPCTNL_MSG_CT_DELETE, IPCTNL_MSG_CT_NEW, IPCTNL_MSG_EXP_DELETE, IPCTNL_MSG_EXP_NEW,
};
use nl_conntrack::{Event, Expectation, ExpectationEvent, Flow, text};
use nl_route::nsid::Nsid;
use nl_route::tables::{
    RTM_DELADDRLABEL, RTM_DELNSID, RTM_NEWADDRLABEL, RTM_NEWNEIGHTBL, RTM_NEWNSID, RTM_SETNEIGHTBL,
};
use nl_route::{
    Address, AddressLabel, Class, Context, Link, Neighbour, NeighbourTable, Netconf, Nexthop,
    NexthopBucket, Qdisc, Route, RouterPrefix, Rule,
};
use nl_wire::ack::Ack;
use nl_wire::error::Problem;
use nl_wire::header::Verb;
use nl_wire::header::{Flags, NLMSG_DONE, NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN};
use nl_wire::json::{Json, ToJson};
use nl_wire::table::Protocol;
use nl_wire::text::Text;
use nl_wire::value::Family;
use nl_wire::{Error, Message};

use crate::conntrack::{Format, now};

/// A message, and where it comes from.
#[derive(Debug)]
pub(crate) struct Item<'a> {
    /// The netlink protocol.
    pub(crate) family: Family,
    /// When it was recorded, since 1970.
    pub(crate) time: Option<Duration>,
    /// Its number in the file, from 1 on.
    pub(crate) number: u64,
    /// The network namespace that it comes from, if that is not our own.
    pub(crate) nsid: Option<i32>,
    /// The message.
    pub(crate) message: Message<'a>,
}

static UNKNOWN: Protocol = Protocol::unknown(Family(u16::MAX));

/// What message types are called that all protocols share.
const CONTROL: [(u16, &str); 4] = [
    (NLMSG_NOOP, "NLMSG_NOOP"),
    (NLMSG_ERROR, "NLMSG_ERROR"),
    (NLMSG_DONE, "NLMSG_DONE"),
    (NLMSG_OVERRUN, "NLMSG_OVERRUN"),
];

/// What a message is about.
#[derive(Debug)]
pub(crate) enum Object {
    /// A route.
    Route(Route),
    /// A link.
    Link(Box<Link>),
    /// An address.
    Address(Address),
    /// A neighbour.
    Neighbour(Box<Neighbour>),
    /// A rule.
    Rule(Box<Rule>),
    /// A nexthop object.
    Nexthop(Box<Nexthop>),
    /// A bucket of a resilient group.
    NexthopBucket(NexthopBucket),
    /// Settings of an interface.
    Netconf(Box<Netconf>),
    /// A prefix that a router advertised.
    RouterPrefix(Box<RouterPrefix>),
    /// A queueing discipline.
    Qdisc(Box<Qdisc>),
    /// A class of one.
    Class(Box<Class>),
    /// An address label.
    AddressLabel(AddressLabel),
    /// A neighbour table.
    NeighbourTable(Box<NeighbourTable>),
    /// The id of a network namespace.
    Nsid(Nsid),
    /// A flow that was listed.
    Flow(Box<Flow>),
    /// What happened to a flow.
    Event(Box<Event>),
    /// An expectation that was listed.
    Expectation(Box<Expectation>),
    /// What happened to an expectation.
    ExpectationEvent(Box<ExpectationEvent>),
    /// Nothing that this program knows.
    None,
}

impl Item<'_> {
    /// The tables of the message's protocol.
    pub(crate) fn protocol(&self) -> &'static Protocol {
        match self.family {
            Family::ROUTE => &nl_route::PROTOCOL,
            Family::NETFILTER => &nl_conntrack::tables::PROTOCOL,
            _ => &UNKNOWN,
        }
    }

    /// The kernel's name of the message type, or its number.
    pub(crate) fn type_name(&self) -> String {
        type_name(self.protocol(), self.message.header.message_type)
    }

    /// Whether the object is gone.
    pub(crate) fn is_delete(&self) -> bool {
        let kind = self.protocol().message(self.message.header.message_type);
        self.family == Family::ROUTE && kind.is_some_and(|kind| kind.verb == Verb::Delete)
    }

    /// Reads what the message is about.
    ///
    /// # Errors
    /// If it is damaged.
    pub(crate) fn object(&self) -> Result<Object, Error> {
        match self.read() {
            // A request may say less than a whole object: one to delete all says nothing.
            Err(Error { problem: Problem::Missing, .. })
                if self.message.header.flags.contains(Flags::REQUEST) =>
            {
                Ok(Object::None)
            }
            object => object,
        }
    }

    fn read(&self) -> Result<Object, Error> {
        let message = &self.message;
        let listed = message.header.flags.contains(Flags::MULTI);
        Ok(match (self.family, message.header.message_type) {
            (Family::ROUTE, RTM_NEWADDRLABEL | RTM_DELADDRLABEL) => {
                Object::AddressLabel(AddressLabel::decode(message)?)
            }
            (Family::ROUTE, RTM_NEWNEIGHTBL | RTM_SETNEIGHTBL) => {
                Object::NeighbourTable(Box::new(NeighbourTable::decode(message)?))
            }
            (Family::ROUTE, RTM_NEWNSID | RTM_DELNSID) => Object::Nsid(Nsid::decode(message)?),
            (Family::ROUTE, _) => match nl_route::Event::decode(message)? {
                None => Object::None,
                Some(nl_route::Event::Route(change)) => Object::Route(change.object),
                Some(nl_route::Event::Link(change)) => Object::Link(Box::new(change.object)),
                Some(nl_route::Event::Address(change)) => Object::Address(change.object),
                Some(nl_route::Event::Neighbour(change)) => {
                    Object::Neighbour(Box::new(change.object))
                }
                Some(nl_route::Event::Rule(change)) => Object::Rule(Box::new(change.object)),
                Some(nl_route::Event::Nexthop(change)) => Object::Nexthop(Box::new(change.object)),
                Some(nl_route::Event::NexthopBucket(change)) => {
                    Object::NexthopBucket(change.object)
                }
                Some(nl_route::Event::Netconf(change)) => Object::Netconf(Box::new(change.object)),
                Some(nl_route::Event::RouterPrefix(prefix)) => Object::RouterPrefix(prefix),
                Some(nl_route::Event::Qdisc(change)) => Object::Qdisc(Box::new(change.object)),
                Some(nl_route::Event::Class(change)) => Object::Class(Box::new(change.object)),
            },
            (Family::NETFILTER, IPCTNL_MSG_CT_NEW | IPCTNL_MSG_CT_DELETE) if listed => {
                Object::Flow(Box::new(Flow::decode(message)?))
            }
            (Family::NETFILTER, IPCTNL_MSG_EXP_NEW | IPCTNL_MSG_EXP_DELETE) if listed => {
                Object::Expectation(Box::new(Expectation::decode(message)?))
            }
            // Either of these is none for messages of the other kind.
            (Family::NETFILTER, _) => match Event::decode(message)? {
                Some(event) => Object::Event(Box::new(event)),
                None => ExpectationEvent::decode(message)?
                    .map_or(Object::None, |event| Object::ExpectationEvent(Box::new(event))),
            },
            _ => Object::None,
        })
    }
}

fn type_name(protocol: &Protocol, number: u16) -> String {
    let control = CONTROL.iter().find(|row| row.0 == number).map(|row| row.1);
    match control.or_else(|| protocol.message(number).map(|kind| kind.name)) {
        Some(name) => name.to_owned(),
        None => number.to_string(),
    }
}

/// Appends `{"type":…,"object":…}` with the newline at the end.
///
/// # Errors
/// If the message is damaged; nothing was appended then.
pub(crate) fn json_line(
    out: &mut String,
    item: &Item<'_>,
    object: &Object,
    context: &Context<'_>,
) -> Result<(), Error> {
    let ack = match item.message.header.message_type {
        NLMSG_ERROR | NLMSG_DONE => Some(Ack::decode(&item.message)?),
        _ => None,
    };
    let json = &mut Json::new(out);
    json.begin_object();
    json.field("type", item.type_name());
    json.optional("nsid", item.nsid);
    json.key("object");
    match (object, ack) {
        (Object::Route(route), _) => nl_route::json::route(json, route, context),
        (Object::Link(link), _) => nl_route::json::link(json, link, context),
        (Object::Address(address), _) => nl_route::json::address(json, address, context),
        (Object::Neighbour(entry), _) => nl_route::json::neighbour(json, entry, context),
        (Object::Rule(rule), _) => nl_route::json::rule(json, rule, context),
        (Object::Nexthop(nexthop), _) => nl_route::json::nexthop(json, nexthop, context),
        (Object::NexthopBucket(bucket), _) => nl_route::json::nexthop_bucket(json, bucket, context),
        (Object::Netconf(netconf), _) => nl_route::json::netconf(json, netconf, context),
        (Object::RouterPrefix(prefix), _) => nl_route::json::router_prefix(json, prefix, context),
        (Object::Qdisc(qdisc), _) => nl_route::json::qdisc(json, qdisc, context),
        (Object::Class(class), _) => nl_route::json::class(json, class, context),
        (Object::AddressLabel(label), _) => nl_route::json::address_label(json, label, context),
        (Object::NeighbourTable(table), _) => nl_route::json::neighbour_table(json, table, context),
        (Object::Nsid(nsid), _) => nl_route::json::nsid(json, nsid, context),
        (Object::Flow(flow), _) => json.value(&**flow),
        (Object::Event(event), _) => json.value(&**event),
        (Object::Expectation(expectation), _) => json.value(&**expectation),
        (Object::ExpectationEvent(event), _) => json.value(&**event),
        (Object::None, Some(ack)) => ack_fields(json, &ack, item),
        (Object::None, None) => {
            json.begin_object();
            json.end_object();
        }
    }
    json.end_object();
    json.buffer().push('\n');
    Ok(())
}

/// The outcome of a request, with all that the kernel says about it.
fn ack_fields(json: &mut Json<'_>, ack: &Ack<'_>, item: &Item<'_>) {
    json.begin_object();
    json.field("errno", ack.errno.0);
    json.optional("name", ack.errno.name());
    json.optional("text", ack.errno.text());
    if let Some(request) = ack.request {
        json.key("request");
        json.begin_object();
        json.field("type", type_name(item.protocol(), request.message_type));
        json.field("sequence", request.sequence);
        json.end_object();
    }
    let extended = &ack.extended;
    json.optional("message", extended.message.map(Text::from));
    json.optional("offset", extended.offset);
    // The request as far as the kernel repeats it, behind the error number.
    let request = item.message.body().get(4..).unwrap_or_default();
    if let Some(failure) = ack.failure(item.protocol(), request) {
        json.optional("path", failure.path.map(|path| Shown(path.to_string())));
        json.optional("policy", failure.policy.map(|policy| Shown(policy.to_string())));
        json.optional("missing", failure.missing.map(|path| Shown(path.to_string())));
    }
    json.optional("missing_type", extended.missing_type);
    json.end_object();
}

struct Shown(String);

impl ToJson for Shown {
    fn to_json(&self, json: &mut Json<'_>) {
        json.string(&self.0);
    }
}

/// Appends an object of rtnetlink as ip(8) prints it, with the newline at the end; false if
/// it is none.
pub(crate) fn ip_text(out: &mut String, object: &Object, context: &Context<'_>) -> bool {
    match object {
        Object::Route(route) => nl_route::text::route(out, route, context),
        Object::Link(link) => nl_route::text::link(out, link, context),
        Object::Address(address) => nl_route::text::address(out, address, context),
        Object::Neighbour(entry) => nl_route::text::neighbour(out, entry, context),
        Object::Rule(rule) => nl_route::text::rule(out, rule, context),
        Object::Nexthop(nexthop) => nl_route::text::nexthop(out, nexthop, context),
        Object::NexthopBucket(bucket) => nl_route::text::nexthop_bucket(out, bucket, context),
        Object::Netconf(netconf) => nl_route::text::netconf(out, netconf, context),
        Object::RouterPrefix(prefix) => nl_route::text::router_prefix(out, prefix, context),
        Object::Qdisc(qdisc) => nl_route::text::qdisc(out, qdisc, context),
        Object::Class(class) => nl_route::text::class(out, class, context),
        Object::AddressLabel(label) => nl_route::text::address_label(out, label, context),
        Object::NeighbourTable(table) => nl_route::text::neighbour_table(out, table, context),
        Object::Nsid(nsid) => nl_route::text::nsid(out, nsid, context),
        _ => return false,
    }
    true
}

/// Appends a line for a flow or an expectation as conntrack(8) prints it; false if it is none.
pub(crate) fn conntrack_line(
    out: &mut String,
    object: &Object,
    time: Option<Duration>,
    format: &Format,
) -> bool {
    let options = format.at(time.unwrap_or_else(now));
    let received = time.and_then(|time| format.received(time));
    match object {
        Object::Flow(flow) => text::flow(out, flow, &options),
        Object::Event(event) => text::event(out, event, received, None, &options),
        Object::Expectation(expectation) => text::expectation(out, expectation),
        Object::ExpectationEvent(event) => text::expectation_event(out, event, received),
        _ => return false,
    }
    out.push('\n');
    true
}
