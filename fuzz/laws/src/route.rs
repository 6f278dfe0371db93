//! Laws of nl-route.

use std::fmt::Debug;

use nl_route::route::RouteView;
use nl_route::tables::{RTM_NEWADDR, RTM_NEWLINK, RTM_NEWROUTE};
use nl_route::{Address, Change, Event, Link, Object, Prefix, Route};
use nl_wire::{Error, Message, Request, Writer};

use crate::{check_printable, message, write_message};

/// A route that decodes survives writing and reading; the view agrees; it can be told as an event
/// and asked for again.
pub fn route(body: &[u8]) {
    let bytes = message(RTM_NEWROUTE, body);
    let Some(route) = object(&bytes, Route::decode, Route::encode) else { return };
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
    object(&message(RTM_NEWLINK, body), Link::decode, Link::encode);
}

/// An address that decodes survives writing and reading.
pub fn address(body: &[u8]) {
    object(&message(RTM_NEWADDR, body), Address::decode, Address::encode);
}

fn whole(bytes: &[u8]) -> Message<'_> {
    Message::decode(bytes).expect("a whole message")
}

fn object<T: Object + Clone + PartialEq + Debug>(
    bytes: &[u8],
    decode: impl Fn(&Message<'_>) -> Result<T, Error>,
    encode: impl Fn(&T, &mut Writer<'_>) -> Result<(), Error>,
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

    let mut request = Vec::new();
    if let Err(error) = Change::add(value.clone()).encode(1, &mut request) {
        check_printable(&error.to_string(), false);
        assert!(request.is_empty());
    }
    Some(value)
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
