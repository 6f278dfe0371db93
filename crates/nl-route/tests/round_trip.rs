//! Whatever a route can hold comes back from its bytes, and no bytes at all make a decoder panic.

#[path = "common/routes.rs"]
mod routes;

use nl_route::filter::{Filter, RouteFilter};
use nl_route::names::Names;
use nl_route::object::Object;
use nl_route::request::{Change, GetLink, GetRoute, List};
use nl_route::route::{CacheInfo, RouteView};
use nl_route::tables::*;
use nl_route::{
    Action, Address, AddressFamily, Context, Event, Link, Prefix, Route, RouteFlags, RouteProtocol,
    RouteType, Scope, TableId, json, text,
};
use nl_wire::json::Json;
use nl_wire::{Flags, Header, Message, Request, Writer, write};
use proptest::collection::vec;
use proptest::prelude::*;
use routes::route;

fn message<T: Object>(message_type: u16, object: &T) -> Vec<u8> {
    let mut out = Vec::new();
    let header = Header { message_type, ..Header::default() };
    write::message(&mut out, header, |writer| object.encode(writer)).unwrap();
    out
}

/// Decodes and prints as every kind of object; only panics matter.
fn exercise(bytes: &[u8]) {
    let Ok(message) = Message::decode(bytes) else { return };
    let names = Names::default();
    let context = Context { details: true, statistics: 2, ..Context::new(&names) };
    let (mut text, mut json) = (String::new(), String::new());
    if let Ok(view) = RouteView::new(&message) {
        let _ = (view.gateway(), view.destination(), view.multipath().map(Iterator::count));
    }
    macro_rules! print {
        ($print:ident, $change:ident) => {{
            text::$print(&mut text, &$change.object, &context);
            json::$print(&mut Json::new(&mut json), &$change.object, &context);
            let _ = $change.encode(1, &mut Vec::new());
        }};
    }
    match Event::decode(&message) {
        Ok(Some(Event::Route(change))) => print!(route, change),
        Ok(Some(Event::Link(change))) => print!(link, change),
        Ok(Some(Event::Address(change))) => print!(address, change),
        Ok(Some(Event::Neighbour(change))) => print!(neighbour, change),
        Ok(Some(Event::Rule(change))) => print!(rule, change),
        Ok(Some(Event::Nexthop(change))) => print!(nexthop, change),
        Ok(Some(Event::NexthopBucket(change))) => print!(nexthop_bucket, change),
        Ok(Some(Event::Netconf(change))) => print!(netconf, change),
        Ok(Some(Event::Qdisc(change))) => print!(qdisc, change),
        Ok(Some(Event::Class(change))) => print!(class, change),
        Ok(Some(Event::RouterPrefix(prefix))) => {
            text::router_prefix(&mut text, &prefix, &context);
            json::router_prefix(&mut Json::new(&mut json), &prefix, &context);
        }
        Ok(None) | Err(_) => return,
    }
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 512 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn routes_come_back(route in route()) {
        let bytes = message(RTM_NEWROUTE, &route);
        let read = Route::decode(&Message::decode(&bytes).unwrap());
        prop_assert_eq!(read, Ok(route));
    }

    #[test]
    fn requests_to_change_come_back(route in route()) {
        for action in [Action::Add, Action::Replace, Action::Append, Action::Delete] {
            let change = Change { action, object: route.clone() };
            let mut bytes = Vec::new();
            change.encode(1, &mut bytes).unwrap();
            let sent = Message::decode(&bytes).unwrap();
            let read = Route::decode(&sent).unwrap();
            prop_assert_eq!(read.destination, route.destination);
            prop_assert_eq!(read.table, route.table);
            prop_assert_eq!(read.priority, route.priority);
            prop_assert_eq!(read.cache_info, None);
            prop_assert_eq!(sent.header.flags, Flags::REQUEST | action.flags());
        }
    }

    #[test]
    fn no_bytes_panic(
        message_type in 16_u16..27,
        body in vec(any::<u8>(), 0..200),
    ) {
        let length = 16 + u32::try_from(body.len()).unwrap();
        let header = Header { length, message_type, ..Header::default() };
        exercise(&[&header.encode()[..], &body].concat());
    }

    #[test]
    fn no_mutation_panics(
        route in route(),
        at in any::<prop::sample::Index>(),
        value in any::<u8>(),
        message_type in prop::sample::select(&[RTM_NEWROUTE, RTM_NEWLINK, RTM_NEWADDR][..]),
    ) {
        let mut bytes = message(message_type, &route);
        let at = at.index(bytes.len());
        bytes[at] = value;
        exercise(&bytes);
    }
}

#[test]
fn errors_name_the_way_to_the_attribute() {
    let mut hops = Vec::new();
    let mut writer = Writer::attributes(&mut hops);
    for length in [4, 3] {
        writer
            .record(|writer| {
                writer.unpadded(&[0, 0, 0, 0, 0, 0]);
                writer.bytes(5, &[1, 2, 3, 4][..length])
            })
            .unwrap();
    }
    let body = |number: u16, payload: &[u8]| {
        let mut out = Vec::new();
        let header = Header { message_type: RTM_NEWROUTE, ..Header::default() };
        write::message(&mut out, header, |writer| {
            writer.fixed(&[2, 33, 0, 0, 254, 3, 0, 1, 0, 0, 0, 0]);
            writer.bytes(number, payload)
        })
        .unwrap();
        Route::decode(&Message::decode(&out).unwrap()).unwrap_err().to_string()
    };
    assert_eq!(body(9, &hops), "RTA_MULTIPATH[1]/RTA_GATEWAY: 3 bytes, expected 4 or 16");
    assert_eq!(
        body(8, &[6_u16.to_ne_bytes(), 2_u16.to_ne_bytes(), [1, 2]].concat()),
        "RTA_METRICS/RTAX_MTU: 2 bytes, expected 4"
    );
    assert_eq!(body(4, &[1]), "RTA_OIF: 1 bytes, expected 4");
    assert_eq!(body(1, &[10, 0, 0, 0]), "RTA_DST: value out of range");
}

fn sent(request: &impl Request) -> Vec<u8> {
    let mut out = Vec::new();
    request.encode(1, &mut out).unwrap();
    out
}

#[test]
fn what_is_left_open_is_chosen_as_ip_chooses() {
    let to = |text: &str| text.parse::<Prefix>().ok();
    let change = |action, route: Route| {
        let bytes = sent(&Change { action, object: route });
        Route::decode(&Message::decode(&bytes).unwrap()).unwrap()
    };
    let direct = Route { destination: to("10.0.0.0/8"), oif: Some(2), ..Route::default() };
    let added = change(Action::Add, direct.clone());
    assert_eq!(added.family, AddressFamily::INET);
    assert_eq!((added.scope, added.kind), (Scope::LINK, RouteType::UNICAST));
    assert_eq!((added.protocol, added.table), (RouteProtocol::BOOT, TableId::MAIN));
    let via = Route { gateway: "10.0.0.1".parse().ok(), ..direct.clone() };
    assert_eq!(change(Action::Add, via).scope, Scope::UNIVERSE);
    let local = Route { kind: RouteType::LOCAL, ..direct.clone() };
    let local = change(Action::Replace, local);
    assert_eq!((local.scope, local.table), (Scope::HOST, TableId::LOCAL));
    let six = Route { destination: to("2001:db8::/32"), oif: Some(2), ..Route::default() };
    assert_eq!(change(Action::Add, six).scope, Scope::UNIVERSE);
    // Deleting leaves open what was left open.
    let deleted = change(Action::Delete, direct);
    assert_eq!((deleted.scope, deleted.kind), (Scope::NOWHERE, RouteType::UNSPEC));
    assert_eq!((deleted.protocol, deleted.table), (RouteProtocol::UNSPEC, TableId::MAIN));
    // What only the kernel knows is not sent; a rest of a life is.
    let read = Route {
        destination: to("2001:db8::/32"),
        flags: RouteFlags::HOP_DEAD | RouteFlags::HOP_ONLINK | RouteFlags::OFFLOAD,
        cache_info: Some(CacheInfo { expires: 12_345, ..CacheInfo::default() }),
        nexthop_id: Some(7),
        oif: Some(3),
        ..Route::default()
    };
    let made = change(Action::Add, read);
    assert_eq!(made.flags, RouteFlags::HOP_ONLINK);
    assert_eq!((made.expires, made.oif, made.nexthop_id), (Some(124), None, Some(7)));
}

#[test]
fn a_request_for_links_always_has_a_mask() {
    for bytes in [
        sent(&List::<Link>::default()),
        sent(&GetLink::Index(1)),
        sent(&GetLink::Name("eth0".into())),
    ] {
        let attrs = nl_wire::Attrs::new(&bytes[32..]);
        let mask = attrs.flatten().find(|attr| attr.number() == 29).unwrap();
        assert_ne!(mask.u32().unwrap(), 0);
    }
    assert!(GetLink::Name("".into()).encode(1, &mut Vec::new()).is_err());
}

#[test]
fn events_tell_what_was_done() {
    let route = Route { family: AddressFamily::INET, ..Route::default() };
    for (flags, action) in [
        (0x600, Action::Add),
        (0x100, Action::Replace),
        (0xc00, Action::Append),
        (0x400, Action::Prepend),
        (0, Action::Change),
    ] {
        let mut out = Vec::new();
        let header =
            Header { message_type: RTM_NEWROUTE, flags: Flags(flags), ..Header::default() };
        write::message(&mut out, header, |writer| route.encode(writer)).unwrap();
        let event = Event::decode(&Message::decode(&out).unwrap()).unwrap();
        assert_eq!(event, Some(Event::Route(Change { action, object: route.clone() })));
    }
    let gone = message(RTM_DELADDR, &Address::default());
    let event = Event::decode(&Message::decode(&gone).unwrap()).unwrap();
    assert_eq!(event, Some(Event::Address(Change::delete(Address::default()))));
    let other = Header { length: 16, message_type: RTM_NEWTFILTER, ..Header::default() }.encode();
    assert_eq!(Event::decode(&Message::decode(&other).unwrap()), Ok(None));
}

#[test]
fn lists_check_every_entry() {
    let route = Route {
        family: AddressFamily::INET,
        table: TableId(100),
        destination: "10.1.0.0/16".parse().ok(),
        ..Route::default()
    };
    let admits = |filter: RouteFilter| filter.admits(&route);
    let all = RouteFilter::default();
    assert!(admits(all));
    assert!(admits(RouteFilter { table: Some(TableId(100)), ..all }));
    assert!(!admits(RouteFilter { table: Some(TableId(101)), ..all }));
    assert!(!admits(RouteFilter { family: AddressFamily::INET6, ..all }));
    assert!(!admits(RouteFilter { cloned: true, ..all }));
    assert!(!admits(RouteFilter { oif: Some(1), ..all }));
    assert!(admits(RouteFilter { within: "10.0.0.0/8".parse().ok(), ..all }));
    assert!(!admits(RouteFilter { covering: "10.0.0.0/8".parse().ok(), ..all }));
    let default = Route { destination: None, ..route.clone() };
    let covering = RouteFilter { covering: "10.0.0.0/8".parse().ok(), ..all };
    assert!(covering.admits(&default));
    // A dump of one family may hold messages that are not its own.
    let link = message(RTM_NEWLINK, &Link::default());
    let list = List::<Route>::default();
    assert_eq!(list.read(&Message::decode(&link).unwrap()), Ok(None));
    assert!(GetRoute::new([10, 0, 0, 1].into()).encode(1, &mut Vec::new()).is_ok());
}
