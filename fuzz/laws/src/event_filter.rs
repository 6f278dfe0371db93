//! Laws of event filters.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nl_conntrack::event_filter::{End, EventFilter, FlowSampler, Share};
use nl_conntrack::{
    Dccp, DccpState, EventKind, Flow, Helper, IpProtocol, L4, Labels, Masked, ProtocolInfo, Sctp,
    SctpState, Status, TcpState, Tuple, tables,
};
use nl_wire::bpf::{self, ACCEPT, Program, REJECT};
use nl_wire::header::{Flags, Header};
use nl_wire::prefix::Prefix;
use nl_wire::value::AddressFamily;
use nl_wire::{Message, write};

use crate::Script;

/// The program of a description keeps exactly the events that the description holds for, and that of
/// its negation exactly the others; of damaged ones it keeps all bytes or none. With random numbers
/// it keeps nothing that may not match.
pub fn event_filter(bytes: &[u8]) {
    let mut script = Script(bytes);
    let mut nodes = 0;
    let filter = tree(&mut script, 6, &mut nodes);
    let (program, turned) = (filter.compile(), (!filter.clone()).compile());
    let (Ok(program), Ok(turned)) = (&program, &turned) else {
        panic!("{nodes} conditions are too many: {program:?}")
    };
    let random = is_random(&filter);
    while !script.0.is_empty() {
        let (kind, flow) = (script.pick(&KINDS), flow(&mut script));
        let mut event = message(kind, &flow);
        let passes = filter.passes(&Message::decode(&event).expect("a whole message"));
        let passes = passes.expect("what was written can be read");
        if random {
            let numbers = script.bytes(8).to_vec();
            let mut next = numbers.iter().map(|byte| u32::from(*byte) << 24 | 0x7f_ffff);
            let verdict = bpf::run_with_random(program, &event, || next.next().unwrap_or_default());
            assert!(verdict == REJECT || passes, "{filter:?}: {flow:?}");
        } else {
            assert_eq!(keeps(program, &event), passes, "{filter:?}: {flow:?}");
            assert_eq!(keeps(turned, &event), !passes, "{filter:?}: {flow:?}");
        }
        let (at, byte) = (script.number() as usize % event.len(), script.byte());
        event[at] = byte.unwrap_or_default();
        let _ = keeps(program, &event);
    }
}

/// A program keeps an event or not; it never cuts one.
fn keeps(program: &Program, event: &[u8]) -> bool {
    let verdict = bpf::run(program, event);
    assert!([ACCEPT, REJECT].contains(&verdict), "cut to {verdict}");
    verdict == ACCEPT
}

const KINDS: [EventKind; 3] = [EventKind::New, EventKind::Update, EventKind::Destroy];

fn message(kind: EventKind, flow: &Flow) -> Vec<u8> {
    let (message_type, flags) = match kind {
        EventKind::New => (tables::IPCTNL_MSG_CT_NEW, Flags::CREATE | Flags::EXCL),
        EventKind::Update => (tables::IPCTNL_MSG_CT_NEW, Flags::default()),
        EventKind::Destroy => (tables::IPCTNL_MSG_CT_DELETE, Flags::default()),
    };
    let mut out = Vec::new();
    let header = Header { message_type, flags, ..Header::default() };
    write::message(&mut out, header, |writer| flow.write(writer)).expect("a flow can be written");
    out
}

/// A description of few conditions.
fn tree(script: &mut Script<'_>, depth: usize, nodes: &mut usize) -> EventFilter {
    *nodes += 1;
    let joined = depth > 0 && *nodes < 60;
    match script.below(if joined { 24 } else { 18 }) {
        group @ 18..=21 => {
            let count = script.below(6);
            let parts = (0..count).map(|_| tree(script, depth - 1, nodes)).collect();
            if group % 2 == 0 { EventFilter::All(parts) } else { EventFilter::Any(parts) }
        }
        22.. => !tree(script, depth - 1, nodes),
        leaf => condition(script, leaf),
    }
}

fn condition(script: &mut Script<'_>, which: usize) -> EventFilter {
    use EventFilter as F;
    let byte = |script: &mut Script<'_>| script.byte().unwrap_or_default();
    match which {
        0 => F::Kind(script.pick(&KINDS)),
        1 => F::Family(AddressFamily(script.pick(&[2, 10, 0, 7]))),
        2 => F::Protocol(protocol(script)),
        3..=5 => {
            let (end, six) = (script.pick(&End::ALL), script.flip());
            let most = if six { 128 } else { 32 };
            let length = byte(script);
            let length = if length < 64 { most } else { length % (most + 1) };
            let prefix = Prefix::new(address(script, six), length);
            F::Address(end, prefix.expect("a length that fits"))
        }
        6 => F::port(script.pick(&End::ALL), port(script)),
        7 => F::Port(script.pick(&End::ALL), port(script)..=port(script)),
        8 => F::TcpState(TcpState(byte(script) % 4)),
        9 => F::SctpState(SctpState(byte(script) % 4)),
        10 => F::DccpState(DccpState(byte(script) % 4)),
        11 | 12 => F::Mark(masked(script)),
        13 | 14 => {
            let Masked { value, mask } = masked(script);
            F::Status(Masked { value: Status(value), mask: Status(mask) })
        }
        15 => F::Zone(u16::from(byte(script) % 4)),
        16 => F::Sample(FlowSampler { key: script.number(), share: share(script) }),
        _ => F::Random(share(script)),
    }
}

fn is_random(filter: &EventFilter) -> bool {
    match filter {
        EventFilter::Random(_) => true,
        EventFilter::All(parts) | EventFilter::Any(parts) => parts.iter().any(is_random),
        EventFilter::Not(part) => is_random(part),
        _ => false,
    }
}

fn masked(script: &mut Script<'_>) -> Masked<u32> {
    let mask = match script.below(3) {
        0 => u32::MAX,
        1 => u32::MAX << script.below(32),
        _ => script.number(),
    };
    let value = script.number();
    // A value with bits outside of the mask matches nothing.
    Masked { value: if script.below(8) == 0 { value } else { value & mask }, mask }
}

fn share(script: &mut Script<'_>) -> Share {
    let rate = f64::from(script.byte().unwrap_or_default()) / 255.0;
    Share::new(rate).expect("between 0 and 1")
}

fn protocol(script: &mut Script<'_>) -> IpProtocol {
    script.pick(&[IpProtocol::TCP, IpProtocol::UDP, IpProtocol::ICMP, IpProtocol(200)])
}

fn port(script: &mut Script<'_>) -> u16 {
    script.number().to_be_bytes()[2..].try_into().map_or(0, u16::from_be_bytes)
}

/// One of few addresses, which differ in this or that word.
fn address(script: &mut Script<'_>, six: bool) -> IpAddr {
    let [high, low] = script.array().unwrap_or_default();
    if six {
        let words = [0xfd00, 0, u16::from(high & 1), 0, u16::from(high >> 6), 0, 0, low.into()];
        Ipv6Addr::from(words).into()
    } else {
        Ipv4Addr::new(10, 0, high & 3, low).into()
    }
}

fn tuple(script: &mut Script<'_>, six: bool) -> Tuple {
    let l4 = match script.below(4) {
        0 => L4::None,
        1 => L4::Icmp { id: port(script), kind: script.byte().unwrap_or_default(), code: 0 },
        _ => L4::Ports { source: port(script), destination: port(script) },
    };
    let zone = script.maybe(|script| u16::from(script.byte().unwrap_or_default() % 4));
    let (source, destination) = (address(script, six), address(script, six));
    Tuple { zone, ..Tuple::new(protocol(script), source, destination, l4) }
}

/// A flow as the kernel could report it: both addresses of one family, each attribute once.
fn flow(script: &mut Script<'_>) -> Flow {
    let six = script.flip();
    let state = script.byte().unwrap_or_default() % 4;
    let (original, reply) = (tuple(script, six), tuple(script, six));
    let protocol_info = match script.below(4) {
        0 => None,
        1 => Some(ProtocolInfo::tcp(TcpState(state))),
        2 => Some(ProtocolInfo::Sctp(Sctp { state: Some(SctpState(state)), ..Sctp::default() })),
        _ => Some(ProtocolInfo::Dccp(Dccp { state: Some(DccpState(state)), ..Dccp::default() })),
    };
    Flow {
        family: original.family(),
        original,
        reply,
        protocol_info,
        mark: script.maybe(Script::number),
        status: script.maybe(Script::number).map(Status),
        id: script.maybe(Script::number),
        zone: script.maybe(|script| u16::from(script.byte().unwrap_or_default() % 4)),
        timeout: script.maybe(Script::number),
        labels: script.maybe(|script| Labels::from(script.bytes(16))),
        helper: script
            .maybe(|script| Box::new(Helper { name: script.bytes(6).into(), info: None })),
        master: script.maybe(|script| Box::new(tuple(script, six))),
        ..Flow::default()
    }
}
