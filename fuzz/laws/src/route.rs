//! Laws of nl-route.

use std::fmt::Debug;

use nl_route::encap::Encap;
use nl_route::names::Names;
use nl_route::nsid::{Nsid, NsidEvent};
use nl_route::route::RouteView;
use nl_route::tables::other::{NETNSA_CURRENT_NSID, NETNSA_NSID};
use nl_route::tables::{
    RTM_DELNSID, RTM_NEWADDR, RTM_NEWLINK, RTM_NEWNEIGH, RTM_NEWNEXTHOP, RTM_NEWNEXTHOPBUCKET,
    RTM_NEWNSID, RTM_NEWROUTE, RTM_NEWRULE,
};
use nl_route::{
    Address, Change, Context, Event, Link, Neighbour, Nexthop, NexthopBucket, Object, Prefix,
    Route, Rule, json, text,
};
use nl_wire::attr::Attrs;
use nl_wire::json::Json;
use nl_wire::{Error, Message, Request, Writer};

use crate::{Script, check_printable, check_request, message, write_message};

/// The families of multicast routes: `RTNL_FAMILY_IPMR`, `RTNL_FAMILY_IP6MR`.
const MULTICAST: [u8; 2] = [128, 129];

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

/// The same for routes of multicast, which have families of their own.
pub fn multicast_route(body: &[u8]) {
    let mut body = body.to_vec();
    if let Some(family) = body.first_mut() {
        *family = MULTICAST[usize::from(*family % 2)];
    }
    route(&body);
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

/// A bucket of a resilient group that decodes survives writing and reading.
pub fn bucket(body: &[u8]) {
    let bytes = message(RTM_NEWNEXTHOPBUCKET, body);
    let decode = NexthopBucket::decode;
    object(&bytes, decode, NexthopBucket::encode, text::nexthop_bucket, json::nexthop_bucket);
}

/// The id of a namespace is what the walk of attributes finds, and the events agree.
pub fn nsid(body: &[u8]) {
    let bytes = message(RTM_NEWNSID, body);
    let event = NsidEvent::decode(&whole(&bytes));
    let found = match Nsid::decode(&whole(&bytes)) {
        Ok(found) => found,
        Err(error) => {
            assert_eq!(event, Err(error));
            return check_printable(&error.to_string(), false);
        }
    };
    let number = |wanted| {
        let attrs = Attrs::new(&body[4..]).flatten().filter(|attr| attr.number() == wanted);
        attrs.last().and_then(|attr| attr.i32().ok()).filter(|id| *id != -1)
    };
    let expected = Nsid { id: number(NETNSA_NSID), current: number(NETNSA_CURRENT_NSID) };
    assert_eq!(found, expected);
    assert_eq!(event, Ok(found.id.map(NsidEvent::Assigned)));
    let bytes = message(RTM_DELNSID, body);
    assert_eq!(NsidEvent::decode(&whole(&bytes)), Ok(found.id.map(NsidEvent::Released)));
}

/// An encapsulation that decodes survives writing and reading; the first byte is its kind.
pub fn encapsulation(bytes: &[u8]) {
    let mut script = Script(bytes);
    let kind = u16::from(script.byte().unwrap_or_default() % 12);
    let encap = Encap { kind: kind.into(), payload: script.0.to_vec() };
    let read = match encap.decode() {
        Ok(Some(read)) => read,
        Ok(None) => return,
        Err(error) => return check_printable(&error.to_string(), false),
    };
    assert_eq!(read.kind(), encap.kind);
    let written = match read.encode() {
        Ok(written) => written,
        // Source routes without a way: the kernel would refuse them.
        Err(error) => return check_printable(&error.to_string(), false),
    };
    assert_eq!(written.decode(), Ok(Some(read.clone())), "written as {written:02x?}");
    assert_eq!(read.encode(), Ok(written));
}

pub(crate) fn whole(bytes: &[u8]) -> Message<'_> {
    Message::decode(bytes).expect("a whole message")
}

/// What holds of objects that are announced: the event is the object.
pub(crate) fn object<T: Object + Clone + PartialEq + Debug>(
    bytes: &[u8],
    decode: impl Fn(&Message<'_>) -> Result<T, Error>,
    encode: impl Fn(&T, &mut Writer<'_>) -> Result<(), Error>,
    text: impl Fn(&mut String, &T, &Context<'_>),
    json: impl Fn(&mut Json<'_>, &T, &Context<'_>),
) -> Option<T>
where
    Change<T>: Request,
{
    let event = Event::decode(&whole(bytes));
    let value = match survives(bytes, decode, encode, text, json) {
        Ok(value) => value,
        Err(error) => {
            assert_eq!(event, Err(error));
            return None;
        }
    };
    assert!(matches!(event, Ok(Some(_))), "{event:?}");
    check_request(&Change::add(value.clone()));
    Some(value)
}

/// What decodes is written to bytes that decode to the same; its text is harmless, its JSON parses.
pub(crate) fn survives<T: PartialEq + Debug>(
    bytes: &[u8],
    decode: impl Fn(&Message<'_>) -> Result<T, Error>,
    encode: impl Fn(&T, &mut Writer<'_>) -> Result<(), Error>,
    text: impl Fn(&mut String, &T, &Context<'_>),
    json: impl Fn(&mut Json<'_>, &T, &Context<'_>),
) -> Result<T, Error> {
    let message = whole(bytes);
    let value = decode(&message).inspect_err(|error| check_printable(&error.to_string(), false))?;
    let message_type = message.header.message_type;
    let written = write_message(message_type, |writer| encode(&value, writer)).expect("writable");
    assert_eq!(decode(&whole(&written)).as_ref(), Ok(&value), "written as {written:02x?}");

    let names = Names::default();
    let plain = Context::new(&names);
    // A time that dates of the past and of the future can be compared with.
    let now = Some(1 << 30);
    let full = Context { details: true, statistics: 2, deleted: true, now, ..plain };
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
    Ok(value)
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
