//! Event filters: the program, run by the machine, against the decision in user space.

mod event_filter_common;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use event_filter_common::{judge, keeps, message};
use nl_conntrack::event_filter::{DEPTH_MAX, End, EventFilter, FilterError, FlowSampler, Share};
use nl_conntrack::{
    Dccp, DccpState, Event, EventKind, Flow, Helper, IpProtocol, Labels, Masked, ProtocolInfo,
    Sctp, SctpState, Status, Synproxy, TcpState, Tuple,
};
use nl_testkit::Rng;
use nl_wire::Message;
use nl_wire::bpf::{ACCEPT, run_with_random};
use nl_wire::header::HEADER_LEN;
use nl_wire::value::AddressFamily;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn at(end: End, prefix: &str) -> EventFilter {
    EventFilter::address(end, prefix.parse().unwrap())
}

fn tcp(source: &str, destination: &str) -> Flow {
    let ends = ((ip(source), 4000), (ip(destination), 80));
    Flow {
        id: Some(77),
        status: Some(Status::CONFIRMED | Status::SEEN_REPLY),
        protocol_info: Some(ProtocolInfo::tcp(TcpState::ESTABLISHED)),
        ..Flow::new(Tuple::with_ports(IpProtocol::TCP, ends.0, ends.1))
    }
}

/// A flow of everything that has a number like one that filters look for.
fn decoys(flow: Flow) -> Flow {
    Flow {
        helper: Some(Box::new(Helper { name: "ftp".into(), info: None })),
        labels: Some(Labels::from([1_u8; 16].as_slice())),
        synproxy: Some(Synproxy { isn: 1, its: 2, ts_offset: 3 }),
        master: Some(Box::new(Tuple {
            zone: Some(9),
            ..Tuple::with_ports(IpProtocol::UDP, (ip("fd00::1"), 1), (ip("fd00::2"), 2))
        })),
        ..flow
    }
}

/// Each condition on a flow that it holds for, and on one that it does not.
#[test]
fn every_condition() {
    use EventFilter as F;
    let (four, six) = (tcp("10.0.0.1", "10.0.0.2"), tcp("fd00::1", "fd00::2"));
    let new = |flow: &Flow| message(EventKind::New, flow);
    let cases: [(EventFilter, Flow, Flow); 18] = [
        (F::Family(AddressFamily::INET6), six.clone(), four.clone()),
        (
            F::Protocol(IpProtocol::TCP),
            four.clone(),
            Flow::new(Tuple { protocol: IpProtocol::UDP, ..four.original }),
        ),
        (at(End::OriginalSource, "10.0.0.0/30"), four.clone(), tcp("10.0.0.4", "10.0.0.2")),
        (at(End::OriginalDestination, "10.0.0.2"), four.clone(), tcp("10.0.0.2", "10.0.0.1")),
        (at(End::ReplySource, "10.0.0.2/31"), four.clone(), tcp("10.0.0.2", "10.0.0.1")),
        (at(End::ReplyDestination, "fd00::/127"), six.clone(), tcp("fd00::2", "fd00::1")),
        (at(End::OriginalSource, "0.0.0.0/0"), four.clone(), six.clone()),
        (at(End::OriginalSource, "::/0"), six.clone(), four.clone()),
        (F::Port(End::OriginalSource, 4000..=4001), four.clone(), Flow::new(Tuple::default())),
        (F::port(End::ReplySource, 80), four.clone(), Flow::default()),
        (F::TcpState(TcpState::ESTABLISHED), four.clone(), Flow::default()),
        (
            F::SctpState(SctpState::CLOSED),
            Flow {
                protocol_info: Some(ProtocolInfo::Sctp(Sctp {
                    state: Some(SctpState::CLOSED),
                    ..Sctp::default()
                })),
                ..four.clone()
            },
            Flow { protocol_info: Some(ProtocolInfo::tcp(TcpState::SYN_SENT)), ..four.clone() },
        ),
        (
            F::DccpState(DccpState::OPEN),
            Flow {
                protocol_info: Some(ProtocolInfo::Dccp(Dccp {
                    state: Some(DccpState::OPEN),
                    ..Dccp::default()
                })),
                ..four.clone()
            },
            four.clone(),
        ),
        (F::Mark(Masked::exact(0)), four.clone(), Flow { mark: Some(1), ..four.clone() }),
        (
            F::Mark(Masked { value: 0x20, mask: 0x30 }),
            Flow { mark: Some(0xaf), ..six.clone() },
            Flow { mark: Some(0xb0), ..six.clone() },
        ),
        (F::Status(Masked::all(Status::SEEN_REPLY)), four.clone(), Flow::default()),
        (F::nat(), Flow { status: Some(Status::DST_NAT), ..four.clone() }, four.clone()),
        (
            F::Zone(9),
            Flow { reply: Tuple { zone: Some(9), ..four.reply }, ..four.clone() },
            four.clone(),
        ),
    ];
    for (filter, holds, fails) in cases {
        for (flow, holds) in [(holds, true), (fails, false)] {
            for flow in [decoys(flow.clone()), flow] {
                assert_eq!(judge(&filter, &new(&flow)), holds, "{filter:?} {flow:?}");
                assert_eq!(judge(&!filter.clone(), &new(&flow)), !holds, "not {filter:?}");
            }
        }
    }
    for kind in [EventKind::New, EventKind::Update, EventKind::Destroy] {
        for wanted in [EventKind::New, EventKind::Update, EventKind::Destroy] {
            assert_eq!(judge(&F::Kind(wanted), &message(kind, &four)), kind == wanted);
        }
    }
    assert!(judge(&F::default(), &new(&four)) && judge(&F::All(vec![]), &new(&six)));
    assert!(!judge(&F::Any(vec![]), &new(&four)));
}

#[test]
fn zones_are_found_in_three_places() {
    let flow = tcp("10.0.0.1", "10.0.0.2");
    let zone = |zone, original, reply| Flow {
        zone,
        original: Tuple { zone: original, ..flow.original },
        reply: Tuple { zone: reply, ..flow.reply },
        ..flow.clone()
    };
    for (flow, number) in [
        (zone(None, None, None), 0),
        (zone(Some(5), None, None), 5),
        (zone(None, Some(5), None), 5),
        (zone(None, None, Some(5)), 5),
        (zone(Some(5), Some(6), Some(7)), 5),
        (zone(None, Some(6), Some(7)), 6),
    ] {
        let bytes = message(EventKind::New, &decoys(flow));
        for asked in 0..10 {
            assert_eq!(judge(&EventFilter::Zone(asked), &bytes), asked == number);
        }
    }
}

/// An address counts in a flow of its family only, whatever else the message holds.
#[test]
fn the_family_decides_which_addresses_count() {
    for (source, prefix) in [("10.0.0.1", "0.0.0.0/0"), ("fd00::1", "::/0")] {
        let flow = tcp(source, source);
        for end in End::ALL {
            assert!(judge(&at(end, prefix), &message(EventKind::New, &flow)));
            for family in [0, 2, 10, 77].map(AddressFamily) {
                let flow = Flow { family, ..flow.clone() };
                let found = judge(&at(end, prefix), &message(EventKind::New, &flow));
                assert_eq!(found, family == flow.original.family());
            }
        }
    }
}

/// Acks, the end of a dump, expectations and other subsystems are not for an event filter.
#[test]
fn what_is_no_event_of_a_flow_passes() {
    let nothing = EventFilter::Any(vec![]).compile().unwrap();
    for message_type in
        (0..0x1000).step_by(if cfg!(miri) { 0x80 } else { 1 }).chain([0x102, u16::MAX])
    {
        let mut bytes = message(EventKind::New, &tcp("10.0.0.1", "10.0.0.2"));
        bytes[4..6].copy_from_slice(&message_type.to_ne_bytes());
        assert_eq!(keeps(&nothing, &bytes), ![0x100, 0x102].contains(&message_type));
        let event = Event::decode(&Message::decode(&bytes).unwrap()).unwrap();
        assert_eq!(event.is_none(), keeps(&nothing, &bytes));
    }
}

/// Old senders leave the flags of nested attributes out, and some set others.
#[test]
fn flags_of_attributes_do_not_matter() {
    /// Sets the flags of all attributes; those of the numbers 1 and 2 are nests, two levels deep.
    fn set(attrs: &mut [u8], flags: u16, levels: usize) {
        let mut at = 0;
        while let Some(&[l0, l1, t0, t1]) = attrs.get(at..).and_then(|rest| rest.first_chunk()) {
            let length = usize::from(u16::from_ne_bytes([l0, l1]));
            let number = u16::from_ne_bytes([t0, t1]) & 0x3fff;
            attrs[at + 2..at + 4].copy_from_slice(&(number | flags).to_ne_bytes());
            if levels > 0 && [1, 2].contains(&number) {
                set(&mut attrs[at + 4..at + length], flags, levels - 1);
            }
            at += length.next_multiple_of(4);
        }
    }
    let flow = Flow { mark: Some(3), protocol_info: None, ..tcp("fd00::1", "fd00::2") };
    let filter = at(End::ReplyDestination, "fd00::1")
        & EventFilter::port(End::OriginalDestination, 80)
        & EventFilter::Mark(Masked::exact(3));
    for flags in [0, 0x4000, 0x8000, 0xc000] {
        let mut bytes = message(EventKind::New, &flow);
        set(&mut bytes[HEADER_LEN + 4..], flags, 2);
        assert!(judge(&filter, &bytes), "{flags:#x}");
        assert!(!judge(&!filter.clone(), &bytes), "{flags:#x}");
    }
}

/// How often to draw.
const DRAWS: u32 = if cfg!(miri) { 100 } else { 20_000 };

#[test]
fn samples_are_exact_at_the_ends_and_fair_between() {
    let flow = tcp("10.0.0.1", "10.0.0.2");
    let bytes = message(EventKind::Destroy, &flow);
    let mut rng = Rng::new(5);
    let mut draws = |filter: &EventFilter, count| {
        let program = filter.compile().unwrap();
        let kept = |_: &u32| run_with_random(&program, &bytes, || rng.next_u32()) == ACCEPT;
        (0..count).filter(kept).count()
    };
    let random = |rate| EventFilter::Random(Share::new(rate).unwrap());
    let all = usize::try_from(DRAWS).unwrap();
    assert_eq!(draws(&random(0.0), DRAWS), 0);
    assert_eq!(draws(&random(1.0), DRAWS), all);
    assert_eq!((draws(&!random(0.0), DRAWS), draws(&!random(1.0), DRAWS)), (all, 0));
    // Every condition draws for itself.
    for (filter, rate) in [
        (random(0.25), 0.25),
        (!random(0.25), 0.75),
        (random(0.5) & random(0.5), 0.25),
        (random(0.5) | random(0.5), 0.75),
        (!(random(0.5) | random(0.5)), 0.25),
    ] {
        let kept = u32::try_from(draws(&filter, DRAWS)).unwrap();
        let expected = rate * f64::from(DRAWS);
        let deviation = (expected * (1.0 - rate)).sqrt();
        assert!((f64::from(kept) - expected).abs() < 6.0 * deviation, "{kept}");
    }
    let event = Event { kind: EventKind::Destroy, port: 0, flow: flow.clone() };
    for (filter, may) in [
        (random(0.0), false),
        (random(0.5), true),
        (!random(0.5), true),
        (!random(1.0), false),
        (!!random(1.0), true),
    ] {
        assert_eq!(filter.matches(&event), may, "{filter:?}");
    }
}

#[test]
fn samples_of_flows_agree_over_all_their_events() {
    let mut rng = Rng::new(6);
    for rate in [0.0, 0.01, 0.1, 0.5, 0.99, 1.0] {
        let sampler = FlowSampler { key: rng.next_u32(), share: Share::new(rate).unwrap() };
        let filter = EventFilter::Sample(sampler);
        let (sample, others) = (filter.compile().unwrap(), (!filter).compile().unwrap());
        let (mut kept, count) = (0_u32, DRAWS);
        for number in 0..count {
            // Ids in a row, and ids all over.
            let id = if number % 2 == 0 { number } else { rng.next_u32() };
            let flow = Flow { id: Some(id), ..tcp("10.0.0.1", "10.0.0.2") };
            let reversed = Flow { original: flow.reply, reply: flow.original, ..flow.clone() };
            let takes = sampler.takes(Some(id));
            kept += u32::from(takes);
            if number > DRAWS / 50 {
                continue;
            }
            for kind in [EventKind::New, EventKind::Update, EventKind::Destroy] {
                for flow in [&flow, &reversed] {
                    assert_eq!(keeps(&sample, &message(kind, flow)), takes);
                    assert_eq!(keeps(&others, &message(kind, flow)), !takes);
                }
            }
        }
        let expected = rate * f64::from(count);
        let deviation = (expected * (1.0 - rate)).sqrt();
        assert!((f64::from(kept) - expected).abs() <= 6.0 * deviation, "{rate}: {kept}");
        let unknown = message(EventKind::New, &Flow { id: None, ..tcp("10.0.0.1", "10.0.0.2") });
        assert_eq!(keeps(&sample, &unknown), rate > 0.0);
        assert!(judge(&EventFilter::Sample(sampler), &unknown) == (rate > 0.0));
    }
}

/// The numbers that agents use to go on with after too many events.
#[test]
fn shares_are_cut_as_elsewhere() {
    for (rate, cutoff) in [
        (0.475, 2_040_109_465),
        (0.475 * 500.0 / 750.0 * 0.95, 1_292_069_328),
        (0.2375, 1_020_054_732),
        (1.0, 1 << 32),
        (0.0, 0),
    ] {
        assert_eq!(Share::new(rate).unwrap().cutoff(), cutoff);
    }
    for rate in [-0.1, 1.000_001, f64::NAN, f64::INFINITY] {
        assert!(Share::new(rate).is_err(), "{rate}");
    }
}

/// Unlike addresses: numbers times the golden ratio.
fn hosts(count: u32) -> EventFilter {
    let host = |number: u32| IpAddr::from(Ipv4Addr::from(number.wrapping_mul(0x9e37_79b1)));
    let of = |number| EventFilter::Address(End::OriginalSource, host(number).into());
    EventFilter::Any((0..count).map(of).collect())
}

#[test]
#[cfg_attr(miri, ignore = "slow")]
fn long_lists_fit_up_to_a_limit_that_is_told() {
    let longest =
        (3200..4096).step_by(64).take_while(|count| hosts(*count).compile().is_ok()).last();
    let longest = longest.expect("3,200 hosts are said to fit");
    let error = hosts(longest + 64).compile().unwrap_err();
    assert!(matches!(error, FilterError::TooLong(_)));
    assert_eq!(
        error.to_string(),
        "the event filter takes more than the 4096 instructions that a program may have"
    );
    // Far beyond, it is told as well, and soon.
    assert!(matches!(
        hosts(if cfg!(miri) { 10_000 } else { 1_000_000 }).compile(),
        Err(FilterError::TooLong(_))
    ));
    let program = hosts(longest).compile().unwrap();
    assert!(program.instructions().len() > 3900);
    for (number, inside) in [(0, true), (longest - 1, true), (longest, false), (u32::MAX, false)] {
        let source = Ipv4Addr::from(number.wrapping_mul(0x9e37_79b1)).to_string();
        let bytes = message(EventKind::New, &tcp(&source, "10.0.0.2"));
        assert_eq!(keeps(&program, &bytes), inside, "{number}");
    }
    // What neighbours share is looked at once.
    let length =
        |list: Vec<EventFilter>| EventFilter::Any(list).compile().unwrap().instructions().len();
    let subnet = |number: u32| at(End::ReplySource, &format!("2001:db8::{number:x}"));
    assert!(length((0..10_000).map(subnet).collect()) < 40, "neighbours are one range");
    assert!(length((0..3000).map(|number| subnet(number * 2)).collect()) < 3900);
    let unlike = |number: u128| {
        let address =
            Ipv6Addr::from(number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        EventFilter::Address(End::ReplySource, IpAddr::from(address).into())
    };
    assert!(length((1..=500).map(unlike).collect()) < 4000);
}

/// What is known beforehand is not looked up.
#[test]
fn constants_cost_nothing() {
    use EventFilter as F;
    let length = |filter: F| filter.compile().unwrap().instructions().len();
    let all = || F::Sample(FlowSampler::all(3));
    let mark = || F::Mark(Masked::exact(7));
    assert_eq!(length(all() & mark()), length(mark()));
    assert_eq!(length(!all() | mark()), length(mark()));
    assert_eq!(length(mark() & (F::nat() | all())), length(mark()));
    let least = length(F::default());
    for filter in [all() | mark(), mark() & !all(), !(mark() | !F::Any(vec![])), F::Any(vec![])] {
        assert_eq!(length(filter), least);
    }
}

#[test]
fn depth_is_limited() {
    let mut filter = EventFilter::Kind(EventKind::Update);
    for _ in 1..DEPTH_MAX {
        filter = !filter;
    }
    let event = Event { kind: EventKind::New, port: 0, flow: Flow::default() };
    assert!(filter.compile().is_ok() && filter.matches(&event));
    filter = !filter;
    assert_eq!(filter.compile(), Err(FilterError::TooDeep));
    assert!(filter.matches(&event));
    assert!(FilterError::TooDeep.to_string().contains("64"));
}

#[test]
fn operators_join_flatly() {
    use EventFilter as F;
    let [a, b, c] = [1, 2, 3].map(F::Zone);
    assert_eq!(a.clone() & b.clone() & c.clone(), F::All(vec![a.clone(), b.clone(), c.clone()]));
    assert_eq!(a.clone() | (b.clone() | c.clone()), F::Any(vec![a.clone(), b.clone(), c.clone()]));
    assert_eq!(!a.clone() | b.clone(), F::Any(vec![F::Not(Box::new(a)), b]));
}

/// What others meant their programs to do, by messages that they test with.
#[cfg(target_endian = "little")]
#[test]
fn intents_of_others() {
    use EventFilter as F;
    let recorded = include_str!("../../nl-socket/tests/fixtures/filters.json");
    let recorded: serde_json::Value = serde_json::from_str(recorded).unwrap();
    let messages = recorded["messages"].as_object().unwrap();
    let protocols = |list: &[_]| F::Any(list.iter().copied().map(F::Protocol).collect());
    let marks = |list: &[u32]| F::Any(list.iter().map(|m| F::Mark(Masked::exact(*m))).collect());
    let sources =
        |list: &[&str]| F::Any(list.iter().map(|host| at(End::OriginalSource, host)).collect());
    let [tcp, udp] = [IpProtocol::TCP, IpProtocol::UDP];
    // Beside what is meant, whether the programs of others do it.
    let intents = [
        (
            "conntrack-filter-c",
            protocols(&[udp, tcp])
                & F::TcpState(TcpState::ESTABLISHED)
                & !sources(&["127.0.0.1", "::1"]),
            false,
        ),
        ("tcp-and-port-22", F::Protocol(udp) & F::port(End::OriginalDestination, 22), true),
        ("mark-positive-filter-1", marks(&[1]), true),
        ("mark-positive-filter-10-50-1000", marks(&[10, 50, 1000]), true),
        ("mark-negative-filter-10-11", !marks(&[10, 11]), true),
        ("tcp", F::Protocol(tcp), true),
        ("tcp-or-udp", protocols(&[tcp, udp]), true),
        (
            "src-127-0-0-1-or-src-127-0-0-2-or-src-127-0-0-3",
            sources(&["127.0.0.1", "127.0.0.2", "127.0.0.3"]),
            false,
        ),
    ];
    for (id, filter, works) in &intents {
        let kept: Vec<&str> = messages
            .iter()
            .filter(|(_, hex)| {
                let bytes = nl_testkit::parse_hex(hex.as_str().unwrap()).unwrap();
                judge(filter, &bytes)
            })
            .map(|(name, _)| name.as_str())
            .collect();
        match *id {
            "conntrack-filter-c" => {
                assert_eq!(kept, ["lo2", "other-subsystem", "tcp-est", "v6-est"]);
            }
            "src-127-0-0-1-or-src-127-0-0-2-or-src-127-0-0-3" => {
                assert_eq!(kept, ["lo1", "lo2", "other-subsystem"]);
            }
            _ => {}
        }
        let programs = recorded["programs"].as_array().unwrap();
        let theirs = programs.iter().find(|program| program["id"] == *id).unwrap();
        let mut verdicts: Vec<_> = theirs["cases"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|case| case["verdict"].as_u64() != Some(0))
            .map(|case| case["message"].as_str().unwrap())
            .collect();
        verdicts.sort_unstable();
        let mut kept = kept;
        kept.sort_unstable();
        assert_eq!(kept == verdicts, *works, "{id}: {kept:?}, theirs {verdicts:?}");
    }
    // Samplers: the same random numbers are taken.
    for program in recorded["programs"].as_array().unwrap() {
        let Some(rate) = program["id"].as_str().unwrap().strip_prefix("sampler-") else { continue };
        let filter = F::Random(Share::new(rate.parse().unwrap()).unwrap()).compile().unwrap();
        let bytes = message(EventKind::New, &Flow::default());
        for case in program["cases"].as_array().unwrap() {
            let number = |key: &str| u32::try_from(case[key].as_u64().unwrap()).unwrap();
            let kept = run_with_random(&filter, &bytes, || number("rand")) == ACCEPT;
            assert_eq!(kept, number("verdict") > 0, "{rate} {case}");
        }
    }
}
