//! A translation table with flows, and lookups in it.

use std::hint::black_box;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use nl_conntrack::{Flow, IpProtocol, Tuple};
use nl_testkit::Rng;
use nl_watch::nat::{NatOptions, NatReader, NatTable, Origin};

/// The namespace.
pub const HERE: u64 = 4_026_531_840;

/// A translated flow, each number another one.
pub fn flow(number: u32, ipv6: bool) -> Flow {
    let [_, a, b, c] = number.to_be_bytes();
    let address = |net: u8, a: u8, b: u8, c: u8| -> IpAddr {
        if ipv6 {
            [0xfd00 + u16::from(net), 0, 0, 0, 0, a.into(), b.into(), c.into()].into()
        } else {
            [net, a, b, c].into()
        }
    };
    let port = 1024 + u16::from_be_bytes([b, c]) % 60_000;
    let client = (address(10, a, b, c), port);
    let seen = Tuple::with_ports(IpProtocol::TCP, client, (address(100, 64, 0, c), 443));
    let real = Tuple::with_ports(IpProtocol::TCP, client, (address(172, 16, b, a), 8443));
    Flow { reply: real.reversed(), ..Flow::new(seen) }
}

/// A table with just the room for so many flows, and they.
///
/// # Panics
/// If there is not that room.
pub fn full(flows: u32, ipv6: bool) -> NatTable {
    let bytes = if ipv6 { 256 } else { 128 } * flows as usize;
    let options = NatOptions { bytes, grace: Duration::ZERO, orphan_lifetime: None };
    let mut table = NatTable::new(options);
    let now = Instant::now();
    for number in 0..flows {
        assert!(table.insert(HERE, &flow(number, ipv6), Origin::Announced, now));
    }
    assert_eq!(table.len(), flows as usize);
    table
}

/// So many directions of flows that are there.
pub fn queries(flows: u32, ipv6: bool, count: usize) -> Vec<Tuple> {
    let mut rng = Rng::new(1);
    let number = |rng: &mut Rng| u32::try_from(rng.below(flows as usize)).unwrap_or_default();
    (0..count)
        .map(|index| {
            let flow = flow(number(&mut rng), ipv6);
            if index % 2 == 0 { flow.original } else { flow.reply }
        })
        .collect()
}

/// How many are found, asked one after another.
pub fn lookup_all(reader: &mut NatReader, queries: &[Tuple]) -> usize {
    queries.iter().filter(|tuple| black_box(reader.lookup(HERE, 0, tuple)).is_some()).count()
}

/// How many are found, asked with one call.
pub fn lookup_at_once(reader: &mut NatReader, queries: &[Tuple]) -> usize {
    let mut hits = 0;
    reader.lookup_all(HERE, 0, queries, |_, found| hits += usize::from(black_box(found).is_some()));
    hits
}

/// Tuples like these that no flow has.
pub fn absent(queries: &[Tuple]) -> Vec<Tuple> {
    queries.iter().map(|tuple| Tuple { protocol: IpProtocol::UDP, ..*tuple }).collect()
}
