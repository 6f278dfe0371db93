//! Laws of nl-route.

use std::fmt::Debug;

use nl_route::names::Names;
use nl_route::parse::{self, WordError};
use nl_route::route::RouteView;
use nl_route::tables::{
    RTM_NEWADDR, RTM_NEWLINK, RTM_NEWNEIGH, RTM_NEWNEXTHOP, RTM_NEWROUTE, RTM_NEWRULE,
};
use nl_route::{
    Address, AddressFamily, Change, Context, Event, Link, Neighbour, Nexthop, Object, Prefix,
    Route, Rule, json, text,
};
use nl_wire::attr::Attrs;
use nl_wire::json::Json;
use nl_wire::{Error, Message, Request, Writer};

use crate::{check_printable, message, write_message};

/// A route that decodes survives writing and reading; the view agrees; it can be told as an event
/// and asked for again.
pub fn route(body: &[u8]) {
    let bytes = message(RTM_NEWROUTE, body);
    let Some(route) = object(&bytes, Route::decode, Route::encode, text::route, json::route) else {
        return;
    };
    let view = RouteView::new(&whole(&bytes)).expect("whatever decodes can be viewed");
    assert_eq!(view.table(), Ok(route.table));
    assert_eq!(view.destination(), Ok(route.destination));
    assert_eq!(view.source(), Ok(route.source));
    assert_eq!(view.gateway(), Ok(route.gateway));
    assert_eq!(view.oif(), Ok(route.oif));
    assert_eq!(view.iif(), Ok(route.iif));
    assert_eq!(view.priority(), Ok(route.priority));
    assert_eq!(view.prefsrc(), Ok(route.prefsrc));
    assert_eq!(view.nexthop_id(), Ok(route.nexthop_id));
    let hops: Result<Vec<_>, _> = view.multipath().and_then(Iterator::collect);
    assert_eq!(hops, Ok(route.multipath.clone()));
    let head = (view.family(), view.tos(), view.protocol(), view.scope(), view.kind());
    assert_eq!(head, (route.family, route.tos, route.protocol, route.scope, route.kind));
    assert_eq!(view.flags(), route.flags);
}

/// A link that decodes survives writing and reading.
pub fn link(body: &[u8]) {
    object(&message(RTM_NEWLINK, body), Link::decode, Link::encode, text::link, json::link);
}

/// An address that decodes survives writing and reading.
pub fn address(body: &[u8]) {
    let bytes = message(RTM_NEWADDR, body);
    object(&bytes, Address::decode, Address::encode, text::address, json::address);
}

/// A neighbour that decodes survives writing and reading.
pub fn neighbour(body: &[u8]) {
    let bytes = message(RTM_NEWNEIGH, body);
    object(&bytes, Neighbour::decode, Neighbour::encode, text::neighbour, json::neighbour);
}

/// A rule that decodes survives writing and reading.
pub fn rule(body: &[u8]) {
    object(&message(RTM_NEWRULE, body), Rule::decode, Rule::encode, text::rule, json::rule);
}

/// A nexthop object that decodes survives writing and reading.
pub fn nexthop(body: &[u8]) {
    let bytes = message(RTM_NEWNEXTHOP, body);
    object(&bytes, Nexthop::decode, Nexthop::encode, text::nexthop, json::nexthop);
}

fn whole(bytes: &[u8]) -> Message<'_> {
    Message::decode(bytes).expect("a whole message")
}

fn object<T: Object + Clone + PartialEq + Debug>(
    bytes: &[u8],
    decode: impl Fn(&Message<'_>) -> Result<T, Error>,
    encode: impl Fn(&T, &mut Writer<'_>) -> Result<(), Error>,
    text: impl Fn(&mut String, &T, &Context<'_>),
    json: impl Fn(&mut Json<'_>, &T, &Context<'_>),
) -> Option<T>
where
    Change<T>: Request,
{
    let message = whole(bytes);
    let event = Event::decode(&message);
    let value = match decode(&message) {
        Ok(value) => value,
        Err(error) => {
            assert_eq!(event, Err(error));
            check_printable(&error.to_string(), false);
            return None;
        }
    };
    assert!(matches!(event, Ok(Some(_))), "{event:?}");
    let message_type = message.header.message_type;
    let written = write_message(message_type, |writer| encode(&value, writer)).expect("writable");
    assert_eq!(decode(&whole(&written)).as_ref(), Ok(&value), "written as {written:02x?}");
    check_request(&Change::add(value.clone()));

    let names = Names::default();
    let plain = Context::new(&names);
    let full = Context { details: true, statistics: 2, deleted: true, ..plain };
    for context in [plain, full, Context { oneline: true, ..full }] {
        let mut out = String::new();
        text(&mut out, &value, &context);
        let lines = out.strip_suffix('\n').unwrap_or(&out).replace('\t', " ");
        check_printable(&lines, !context.oneline);
        let mut out = String::new();
        let mut writer = Json::new(&mut out);
        writer.begin_array();
        json(&mut writer, &value, &context);
        writer.end_array();
        check_printable(&out, false);
        let parsed = serde_json::from_str::<serde_json::Value>(&out);
        assert!(parsed.is_ok(), "{parsed:?}: {out}");
    }
    Some(value)
}

/// A request is written whole or not at all.
fn check_request(request: &impl Request) {
    let mut bytes = Vec::new();
    match request.encode(1, &mut bytes) {
        Ok(()) => {
            let message = Message::decode(&bytes).expect("a whole message");
            let kind = request.protocol().message(message.header.message_type);
            let fixed = kind.expect("a message with a table").header.width();
            let (_, mut attrs) = Attrs::behind(message.body(), fixed).expect("a fixed part");
            assert!(attrs.all(|attr| attr.is_ok()));
        }
        Err(error) => {
            check_printable(&error.to_string(), false);
            assert!(bytes.is_empty());
        }
    }
}

/// Any words are read into something that can be asked of the kernel, or refused in one harmless
/// line.
pub fn words(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let words: Vec<&str> = text.split(' ').collect();
    let mut names = Names::default();
    names.set_link(2, "eth0");
    let refused = |error: WordError| check_printable(&error.to_string(), false);
    for family in [AddressFamily::UNSPEC, AddressFamily::INET, AddressFamily::INET6] {
        match parse::route(&words, family, &names) {
            Ok(route) => check_request(&Change::add(route)),
            Err(error) => refused(error),
        }
        match parse::get(&words, family, &names) {
            Ok(get) => check_request(&get),
            Err(error) => refused(error),
        }
        match parse::rule::change(&words, family, &names) {
            Ok(rule) => check_request(&Change::add(rule)),
            Err(error) => refused(error),
        }
        match parse::neighbour::change(&words, family, &names) {
            Ok(neighbour) => check_request(&Change::add(neighbour)),
            Err(error) => refused(error),
        }
        match parse::neighbour::get(&words, family, &names) {
            Ok(get) => check_request(&get),
            Err(error) => refused(error),
        }
        parse::selector(&words, family, &names).map_or_else(refused, drop);
        parse::rule::selector(&words, family, &names).map_or_else(refused, drop);
        for flush in [false, true] {
            parse::neighbour::selector(&words, family, &names, flush).map_or_else(refused, drop);
        }
    }
}

/// A text that reads as a prefix prints as one that reads the same.
pub fn prefix(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let Ok(prefix) = text.parse::<Prefix>() else { return };
    assert_eq!(prefix.to_string().parse(), Ok(prefix));
    let masked = prefix.masked();
    assert!(!masked.has_host_bits() && masked.covers(&prefix) && prefix.covers(&masked));
    assert_eq!(prefix.has_host_bits(), masked != prefix);
}
