//! What allocates nothing, however often it is done: decoding and encoding of what is ordinary, and
//! translations looked up.

use std::net::IpAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use benches::cases;
use nl_conntrack::{Flow, IpProtocol, Tuple};
use nl_route::request::{Change, List};
use nl_route::{Context, Prefix, Route, Scope};
use nl_socket::Connection;
use nl_testkit::{live, sh, skip};
use nl_watch::nat::{NatOptions, NatTable, Origin};
use nl_wire::json::Json;
use nl_wire::value::Family;
use nl_wire::{Errno, Request};

/// What allocates, because what it reads or writes is kept in boxes or lists.
const ALLOCATE: [&str; 8] = [
    "decode/route_multipath", // the list of hops
    "decode/routes_mixed",
    "decode/link",     // names, addresses, statistics
    "decode/address4", // the label
    "decode/rule",     // names of interfaces
    "decode/neighbour",
    "listing/",
    "/floor",
];

#[test]
fn no_message_costs_an_allocation() {
    let (mut free, mut costly) = (0, 0);
    for mut case in cases::all() {
        case.run(); // buffers grow once
        let allocations = measure(|| case.run()).count_total;
        if ALLOCATE
            .iter()
            .any(|part| case.name.contains(part) && !case.name.ends_with("/destination"))
        {
            costly += u32::from(allocations > 0);
        } else {
            assert_eq!(allocations, 0, "{}", case.name);
            free += 1;
        }
    }
    // The counter counts, and something was looked at.
    assert!(free > 20 && costly > 4, "{free} {costly}");
}

/// What a dump costs beside its entries, with the text of each as `nlctl` lists it; the number of these.
fn listed<R: Request>(
    connection: &mut Connection,
    request: R,
    mut line: impl FnMut(&mut String, &R::Item),
) -> (u64, usize) {
    let mut text = String::with_capacity(64 << 10);
    let mut count = 0;
    let allocations = measure(|| {
        for item in connection.dump(request).unwrap() {
            text.clear();
            line(&mut text, &item.unwrap());
            assert!(text.len() > 10);
            count += 1;
        }
    });
    (allocations.count_total, count)
}

/// However many entries a table has, listing it allocates as often.
#[test]
fn no_route_listed_costs_an_allocation() {
    live(|| {
        sh("ip link set lo up");
        let mut connection = Connection::open(Family::ROUTE).unwrap();
        let names = nl_route::names::Names::default();
        let (text, json) = (nl_route::text::route, nl_route::json::route);
        let mut made = 0_u32;
        for size in [10, 5000] {
            let changes = (made..size).map(|number| {
                let address = (0x0a00_0000 + number).to_be_bytes().into();
                let destination = Some(Prefix { address, length: 32 });
                let scope = Scope::LINK;
                Change::add(Route { destination, oif: Some(1), scope, ..Route::default() })
            });
            connection.batch(changes).for_each(Result::unwrap);
            made = size;
            for ahead in [false, true] {
                let mut connection = Connection::open(Family::ROUTE).unwrap();
                if ahead {
                    connection.read_ahead().unwrap();
                }
                let context = Context::new(&names);
                for _ in 0..2 {
                    let list = List::<Route>::default;
                    let lines = |out: &mut String, route: &Route| text(out, route, &context);
                    let (cost, count) = listed(&mut connection, list(), lines);
                    assert!(count >= size as usize);
                    // The buffer of the request, and nodes of channels.
                    assert!(cost < 16, "{cost} for {count} lines of text");
                    let (cost, _) = listed(&mut connection, list(), |out, route| {
                        json(&mut Json::new(out), route, &context);
                    });
                    assert!(cost < 16, "{cost} for {count} objects of JSON");
                }
            }
        }
    });
}

/// As above.
#[test]
fn no_flow_listed_costs_an_allocation() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        if let Err(error) = connection.get(nl_conntrack::Get::PROBE) {
            if error.errno() != Some(Errno::ENOENT) {
                return skip(&format!("connections are not tracked: {error}"));
            }
        }
        let changes = (0..2000_u16).map(|number| {
            let client = (IpAddr::from([10, 0, 0, 1]), 1024 + number);
            let tuple = Tuple::with_ports(IpProtocol::UDP, client, ([10, 0, 0, 2].into(), 53));
            let flow = Flow { timeout: Some(1000), ..Flow::new(tuple) };
            nl_conntrack::Change::create(flow)
        });
        connection.batch(changes).for_each(Result::unwrap);
        let options = nl_conntrack::text::Options::default();
        for _ in 0..2 {
            let list = nl_conntrack::List::default;
            let (cost, count) = listed(&mut connection, list(), |out, flow| {
                nl_conntrack::text::flow(out, flow, &options);
            });
            assert!(cost < 16 && count >= 2000, "{cost} for {count} lines of text");
            let (cost, _) = listed(&mut connection, list(), |out, flow| Json::new(out).value(flow));
            assert!(cost < 16, "{cost} for {count} objects of JSON");
        }
    });
}

/// A table of translations that is full: look-ups, and inserts that displace the oldest.
#[test]
fn a_steady_translation_table_allocates_nothing() {
    let flow = |number: u16| {
        let client = (IpAddr::from([10, 0, 0, 1]), number);
        let seen = Tuple::with_ports(IpProtocol::TCP, client, ([100, 64, 0, 1].into(), 443));
        let real = Tuple::with_ports(IpProtocol::TCP, client, ([172, 16, 0, 1].into(), 8443));
        Flow { reply: real.reversed(), ..Flow::new(seen) }
    };
    let options = NatOptions { bytes: 96 * 1024, grace: Duration::ZERO, orphan_lifetime: None };
    let mut table = NatTable::new(options);
    let mut reader = table.reader();
    let now = Instant::now();
    let mut insert = |range: Range<u16>| {
        for number in range {
            assert!(table.insert(0, &flow(number), Origin::Announced, now));
        }
        table.len()
    };
    let full = insert(0..4096);
    assert_eq!(measure(|| assert_eq!(insert(4096..16_384), full)).count_total, 0);
    let found = |number| reader.lookup(0, 0, &flow(number).original).is_some();
    let mut count = 0;
    assert_eq!(measure(|| count = (0..16_384).map(found).filter(|it| *it).count()).count_total, 0);
    assert_eq!(count, full);
}
