//! The same messages read and written by other libraries; `benches/peers/run` builds and runs this.
//!
//! Every candidate reads the same fields of the same messages, and what it read is summed up: a sum
//! that differs ends the program. Candidates run in turns: first in memory, then with a kernel's table
//! of routes, in a namespace of their own.

mod c;
mod fields;
mod live;
mod rust;

use std::hint::black_box;

use benches::floor::each_message;
use benches::paired::paired;
use benches::{COUNT, flow, flows, route, routes};
use fields::{FlowFields, RouteFields};
use nl_wire::Request;

/// One way to do the work.
struct Candidate<'a> {
    name: &'static str,
    /// Of everything that it reads or writes in one run.
    sum: u64,
    /// What is timed: the same run, without summing up.
    run: Box<dyn FnMut() + 'a>,
}

fn reading<'a, T: 'a>(
    name: &'static str,
    bytes: &'a [u8],
    read: impl Fn(&[u8]) -> T + 'a,
    sum: impl Fn(&T) -> u64,
) -> Candidate<'a> {
    let mut total = 0_u64;
    each_message(bytes, |message| total = total.wrapping_add(sum(&read(message))));
    let run = move || each_message(black_box(bytes), |message| _ = black_box(&read(message)));
    Candidate { name, sum: total, run: Box::new(run) }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (first, second) = (words.first().map_or("", |it| it), words.get(1).map_or("", |it| it));
    if first == live::MEMORY {
        return live::memory(second.parse()?);
    }
    let (rounds, profile) = (first.parse().unwrap_or(199), second);
    println!("\n### {profile}\n");
    for name in ["flow_tcp", "flow_udp"] {
        read_flows(rounds, name);
    }
    read_routes(rounds);
    write_flows(rounds);
    write_routes(rounds);
    live::run()
}

fn read_flows(rounds: usize, name: &str) {
    let bytes = flows(name);
    let (sum, reused) = (FlowFields::sum, c::Reused::new());
    let each = |name, read: fn(&[u8]) -> FlowFields| reading(name, &bytes, read, sum);
    table(
        &format!("decode {name}, {} bytes", bytes.len() / COUNT),
        rounds,
        vec![
            each("nl-conntrack, every field", rust::flow::ours_flow),
            each("nl-conntrack, these fields", rust::flow::ours_flow_view),
            each("walk by hand, every field", rust::flow::floor_flow),
            each("netlink-bindings", rust::flow::netlink_bindings_flow),
            each("libmnl", c::libmnl_flow),
            each("netlink-packet-netfilter", rust::flow::netlink_packet_flow),
            reading("libnetfilter_conntrack, object used again", &bytes, |m| reused.read(m), sum),
            each("libnetfilter_conntrack", c::libnetfilter_conntrack),
        ],
    );
}

fn read_routes(rounds: usize) {
    let bytes = routes("route_v4");
    let each = |name, read: fn(&[u8]) -> RouteFields| reading(name, &bytes, read, RouteFields::sum);
    table(
        &format!("decode route_v4, {} bytes", bytes.len() / COUNT),
        rounds,
        vec![
            each("nl-route, every field", rust::route::ours_route),
            each("nl-route, these fields", rust::route::ours_route_view),
            each("walk by hand, every field", rust::route::floor_route),
            each("netlink-bindings", rust::route::netlink_bindings_route),
            each("nlink", rust::route::nlink_route),
            each("libmnl", c::libmnl_route),
            each("netlink-packet-route", rust::route::netlink_packet_route),
            each("neli", rust::route::neli_route),
        ],
    );
}

/// [`COUNT`] requests; the sum is of their lengths.
fn writing<'a>(name: &'static str, mut write: impl FnMut(u32) -> usize + 'a) -> Candidate<'a> {
    let mut run = move || (1..=COUNT as u32).map(|sequence| write(sequence) as u64).sum();
    Candidate { name, sum: run(), run: Box::new(move || _ = black_box(run())) }
}

fn write_flows(rounds: usize) {
    let mut wanted = flow("flow_tcp");
    wanted.timeout = Some(60);
    wanted.synproxy = None;
    let request = nl_conntrack::Change::create(wanted);
    let mut out = Vec::new();
    request.encode(1, &mut out).expect("it encodes");
    let fields = rust::flow::ours_flow(&out);
    let mut buffer: c::Buffer = [0; 512];
    let length = c::encode_flow(&mut buffer, 1, &fields);
    assert_eq!(rust::flow::floor_flow(&buffer[..length]), fields, "both say the same");
    table(
        &format!("encode the making of a flow, {length} bytes"),
        rounds,
        vec![
            writing("nl-conntrack", |sequence| ours(&request, sequence, &mut out)),
            writing("libmnl", |sequence| {
                black_box(c::encode_flow(black_box(&mut buffer), sequence, black_box(&fields)))
            }),
        ],
    );
}

fn write_routes(rounds: usize) {
    let request = nl_route::Change::add(route("route_v4"));
    let mut out = Vec::new();
    request.encode(1, &mut out).expect("it encodes");
    let fields = rust::route::ours_route(&out);
    let mut buffer: c::Buffer = [0; 512];
    let length = c::encode_route(&mut buffer, 1, &fields);
    assert_eq!(rust::route::floor_route(&buffer[..length]), fields, "both say the same");
    table(
        &format!("encode the adding of a route, {length} bytes"),
        rounds,
        vec![
            writing("nl-route", |sequence| ours(&request, sequence, &mut out)),
            writing("libmnl", |sequence| {
                black_box(c::encode_route(black_box(&mut buffer), sequence, black_box(&fields)))
            }),
        ],
    );
}

fn ours(request: &impl Request, sequence: u32, out: &mut Vec<u8>) -> usize {
    out.clear();
    black_box(request).encode(sequence, out).expect("it encodes");
    black_box(&*out).len()
}

/// Runs the candidates in turns and prints what each costs, the first being the measure.
fn table(title: &str, rounds: usize, mut candidates: Vec<Candidate<'_>>) {
    let sum = candidates[0].sum;
    for candidate in &candidates {
        assert_eq!(candidate.sum, sum, "{} read something else", candidate.name);
    }
    let mut turns: Vec<&mut dyn FnMut()> = Vec::new();
    for candidate in &mut candidates {
        turns.push(&mut candidate.run);
    }
    let times = paired(rounds, &mut turns);
    println!("| {title} | ns | times ours |\n|---|---|---|");
    for (candidate, time) in candidates.iter().zip(&times) {
        let each = time.least().as_secs_f64() * 1e9 / COUNT as f64;
        println!("| {} | {each:.1} | {:.2} |", candidate.name, time.ratio(&times[0]));
    }
    println!("\nsum {sum:016x}\n");
}
