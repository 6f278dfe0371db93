//! Messages for the benchmarks, and the floor to measure against.
//!
//! Streams are made of captured messages of one kind, with addresses and ports that differ, so that
//! no branch predictor learns one message by heart. The floor is a walk over the same bytes written
//! by hand, as safe code as the rest: what no decoder can be faster than.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use nl_conntrack::{Flow, L4, Tuple};
use nl_route::{Link, Prefix, Route};
use nl_testkit::fixture;
use nl_wire::{Error, Flags, Header, Message, Messages, Writer, write};

pub mod cases;
pub mod floor;
pub mod nat;
pub mod paired;

/// Messages in a stream: times of one iteration in µs are ns a message.
pub const COUNT: usize = 1000;

/// Captured flows, by what they hold; of the mixed ones every message is one of the others.
pub const FLOWS: [&str; 6] =
    ["flow_tcp", "flow_tcp_snat", "flow_udp", "flow_udp_v6", "flow_icmp", "flows_mixed"];
/// Captured routes, and a mixture.
pub const ROUTES: [&str; 5] =
    ["route_v4", "route_v6", "route_v4_metrics", "route_multipath", "routes_mixed"];

/// The bytes of a captured message.
///
/// # Panics
/// If there is no such fixture.
pub fn captured(name: &str) -> Vec<u8> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let codecs = ["../crates/nl-conntrack/tests/fixtures", "../crates/nl-route/tests/fixtures"];
    let folders = ["fixtures"].into_iter().chain(codecs);
    let mut paths = folders.map(|folder| own.join(folder).join(name).with_extension("hex"));
    fixture(paths.find(|path| path.exists()).unwrap_or_else(|| panic!("no fixture {name}")))
}

/// The flow of a captured message.
///
/// # Panics
/// If it does not decode.
pub fn flow(name: &str) -> Flow {
    Flow::decode(&Message::decode(&captured(name)).expect("a message")).expect("a flow")
}

/// The route of a captured message.
///
/// # Panics
/// If it does not decode.
pub fn route(name: &str) -> Route {
    Route::decode(&Message::decode(&captured(name)).expect("a message")).expect("a route")
}

/// One of several, by what looks like chance.
fn any<T>(of: &[T], index: u16) -> &T {
    let hash = u32::from(index).wrapping_mul(0x9e37_79b9) >> 16;
    &of[hash as usize % of.len()]
}

/// [`COUNT`] messages as a dump has them, each a variation of the captured flow.
pub fn flows(name: &str) -> Vec<u8> {
    let names = if name == "flows_mixed" { &FLOWS[..FLOWS.len() - 1] } else { &[name] };
    let firsts: Vec<Flow> = names.iter().copied().map(flow).collect();
    stream(0x100, |index, writer| {
        let first = any(&firsts, index);
        let vary = |mut tuple: Tuple| {
            tuple.source = vary_address(tuple.source, index);
            if let L4::Ports { source, .. } = &mut tuple.l4 {
                *source = source.wrapping_add(index);
            }
            tuple
        };
        let flow = Flow {
            original: vary(first.original),
            reply: vary(first.reply),
            timeout: first.timeout.map(|seconds| seconds + u32::from(index)),
            id: Some(u32::from(index).wrapping_mul(0x9e37_79b9)),
            ..first.clone()
        };
        flow.write(writer)
    })
}

/// [`COUNT`] messages as a dump has them, each a variation of the captured route.
pub fn routes(name: &str) -> Vec<u8> {
    let names = if name == "routes_mixed" { &ROUTES[..ROUTES.len() - 1] } else { &[name] };
    let firsts: Vec<Route> = names.iter().copied().map(route).collect();
    stream(24, |index, writer| {
        let first = any(&firsts, index);
        let vary = |prefix: Prefix| {
            let address = vary_address(prefix.address, index);
            Prefix { address, ..prefix }.masked()
        };
        let destination = first.destination.map(vary);
        Route { destination, ..first.clone() }.encode(writer)
    })
}

/// [`COUNT`] messages as a dump has them, each a variation of the captured link.
///
/// # Panics
/// If it does not decode.
pub fn links() -> Vec<u8> {
    let bytes = captured("link");
    let first = Link::decode(&Message::decode(&bytes).expect("a message")).expect("a link");
    stream(16, |index, writer| Link { index: u32::from(index), ..first.clone() }.encode(writer))
}

/// Writes [`COUNT`] messages.
fn stream(
    message_type: u16,
    mut body: impl FnMut(u16, &mut Writer<'_>) -> Result<(), Error>,
) -> Vec<u8> {
    let mut out = Vec::new();
    for index in 0..COUNT {
        let index = u16::try_from(index).unwrap_or_default();
        let header = Header { message_type, flags: Flags::MULTI, sequence: 1, ..Header::default() };
        write::message(&mut out, header, |writer| body(index, writer)).expect("a message");
    }
    assert_eq!(Messages::new(&out).flatten().count(), COUNT);
    out
}

fn vary_address(address: IpAddr, by: u16) -> IpAddr {
    match address {
        IpAddr::V4(v4) => Ipv4Addr::from(u32::from(v4) ^ (u32::from(by) << 8)).into(),
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) ^ (u128::from(by) << 80)).into(),
    }
}
