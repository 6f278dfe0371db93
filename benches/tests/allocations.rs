//! What allocates nothing, however often it is done: decoding and encoding of what is ordinary, and
//! translations looked up.

use std::net::IpAddr;
use std::ops::Range;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use benches::cases;
use nl_conntrack::{Flow, IpProtocol, Tuple};
use nl_watch::nat::{NatOptions, NatTable, Origin};

/// What allocates, because what it reads or writes is kept in boxes or lists.
const ALLOCATE: [&str; 6] = [
    "decode/route_v4_metrics", // a box of metrics
    "decode/route_multipath",  // the list of hops
    "decode/routes_mixed",
    "decode/link", // names, addresses, statistics
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
