//! Event filters at random: programs and decisions in user space agree.

// To make random values takes minutes under Miri.
#![cfg(not(miri))]

mod event_filter_common;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use event_filter_common::{judge, keeps, message};
use nl_conntrack::event_filter::{End, EventFilter, FlowSampler, Share};
use nl_conntrack::{
    Dccp, DccpState, EventKind, Flow, Helper, IpProtocol, L4, Labels, Masked, ProtocolInfo, Sctp,
    SctpState, Status, TcpState, Tuple,
};
use nl_testkit::Rng;
use nl_wire::bpf::{ACCEPT, run_with_random};
use nl_wire::value::AddressFamily;
use nl_wire::{Message, Prefix};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

/// Few values, so that conditions meet flows.
fn address() -> impl Strategy<Value = (bool, u8, u8)> {
    (any::<bool>(), 0..4_u8, 0..4_u8)
}

fn to_ip((six, high, low): (bool, u8, u8)) -> IpAddr {
    if six {
        // The words differ one by one.
        let words = [0xfd00, 0, u16::from(high & 1), 0, u16::from(high >> 1), 0, 0, low.into()];
        Ipv6Addr::from(words).into()
    } else {
        Ipv4Addr::new(10, 0, high, low).into()
    }
}

fn prefix() -> impl Strategy<Value = Prefix> {
    let length = prop_oneof![Just(128_u8), 0..=128_u8, Just(32), Just(64), 126..=128_u8];
    (address(), length).prop_map(|(address, length)| {
        let address = to_ip(address);
        let length = if address.is_ipv4() { length / 4 } else { length };
        Prefix::new(address, length).unwrap()
    })
}

fn number() -> impl Strategy<Value = u32> {
    prop_oneof![0..4_u32, any::<u32>(), Just(u32::MAX)]
}

fn port() -> impl Strategy<Value = u16> {
    prop_oneof![0..6_u16, any::<u16>(), Just(u16::MAX)]
}

fn protocol() -> impl Strategy<Value = IpProtocol> {
    prop_oneof![Just(IpProtocol::TCP), Just(IpProtocol::UDP), (0..4_u8).prop_map(IpProtocol)]
}

prop_compose! {
    fn tuple(six: bool)(
        (source, destination) in (address(), address()),
        protocol in protocol(),
        l4 in prop_oneof![
            Just(L4::None),
            (port(), port()).prop_map(|(source, destination)| L4::Ports { source, destination }),
            (port(), any::<u8>()).prop_map(|(id, kind)| L4::Icmp { id, kind, code: 0 }),
        ],
        zone in of(0..4_u16),
    ) -> Tuple {
        let at = |(_, high, low)| to_ip((six, high, low));
        Tuple { zone, ..Tuple::new(protocol, at(source), at(destination), l4) }
    }
}

prop_compose! {
    fn flow_of(six: bool)(
        (original, reply, master) in (tuple(six).boxed(), tuple(six).boxed(), of(any::<bool>().prop_flat_map(|six| tuple(six).boxed()))),
        protocol_info in of(prop_oneof![
            (0..4_u8).prop_map(|state| ProtocolInfo::tcp(TcpState(state))),
            of(0..4_u8).prop_map(|state| {
                ProtocolInfo::Sctp(Sctp { state: state.map(SctpState), ..Sctp::default() })
            }),
            of(0..4_u8).prop_map(|state| {
                ProtocolInfo::Dccp(Dccp { state: state.map(DccpState), ..Dccp::default() })
            }),
        ]),
        (mark, status, id, zone) in (of(number()), of(number()), of(any::<u32>()), of(0..4_u16)),
        (timeout, helper) in (of(number()), of(vec(1_u8.., 0..9))),
        labels in of(vec(any::<u8>(), 0..16)),
    ) -> Flow {
        Flow {
            family: original.family(),
            original,
            reply,
            protocol_info,
            mark,
            status: status.map(Status),
            id,
            zone,
            timeout,
            labels: labels.map(|bytes| Labels::from(bytes.as_slice())),
            helper: helper.map(|name| {
                Box::new(Helper { name: name.as_slice().into(), info: None })
            }),
            master: master.map(Box::new),
            ..Flow::default()
        }
    }
}

fn kind() -> impl Strategy<Value = EventKind> {
    prop_oneof![Just(EventKind::New), Just(EventKind::Update), Just(EventKind::Destroy)]
}

/// Boxed: such a strategy is too large for the stack of a test.
fn event() -> BoxedStrategy<Vec<u8>> {
    let flow = any::<bool>().prop_flat_map(|six| flow_of(six).boxed()).boxed();
    (kind(), flow).prop_map(|(kind, flow)| message(kind, &flow)).boxed()
}

fn end() -> impl Strategy<Value = End> {
    (0..4_usize).prop_map(|index| End::ALL[index])
}

fn masked() -> impl Strategy<Value = Masked<u32>> {
    let mask =
        prop_oneof![Just(u32::MAX), 0..4_u32, any::<u32>(), (0..32).prop_map(|n| u32::MAX << n)];
    (number(), mask, any::<bool>()).prop_map(|(value, mask, inside)| Masked {
        value: if inside { value & mask } else { value },
        mask,
    })
}

fn share() -> impl Strategy<Value = Share> {
    prop_oneof![
        Just(Share::NONE),
        Just(Share::ALL),
        (0.0..=1.0).prop_map(|r| Share::new(r).unwrap())
    ]
}

/// A condition; random ones only where wanted.
fn leaf(random: bool) -> BoxedStrategy<EventFilter> {
    use EventFilter as F;
    let all = prop_oneof![
        2 => kind().prop_map(F::Kind),
        2 => prop_oneof![Just(2_u8), Just(10), any::<u8>()].prop_map(|f| F::Family(AddressFamily(f))),
        2 => protocol().prop_map(F::Protocol),
        8 => (end(), prefix()).prop_map(|(end, prefix)| F::Address(end, prefix)),
        4 => (end(), port(), port()).prop_map(|(end, a, b)| F::Port(end, a..=b)),
        2 => (end(), port()).prop_map(|(end, port)| F::port(end, port)),
        1 => (0..4_u8).prop_map(|state| F::TcpState(TcpState(state))),
        1 => (0..4_u8).prop_map(|state| F::SctpState(SctpState(state))),
        1 => (0..4_u8).prop_map(|state| F::DccpState(DccpState(state))),
        4 => masked().prop_map(F::Mark),
        4 => masked().prop_map(|m| {
            F::Status(Masked { value: Status(m.value), mask: Status(m.mask) })
        }),
        2 => (0..4_u16).prop_map(F::Zone),
        1 => (0..3_u32, share()).prop_map(|(key, share)| F::Sample(FlowSampler { key, share })),
    ];
    if random {
        prop_oneof![9 => all, 1 => share().prop_map(F::Random)].boxed()
    } else {
        all.boxed()
    }
}

fn tree(random: bool) -> BoxedStrategy<EventFilter> {
    leaf(random)
        .prop_recursive(6, 60, 8, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..8).prop_map(EventFilter::All),
                vec(inner.clone(), 0..8).prop_map(EventFilter::Any),
                inner.prop_map(|filter| !filter),
            ]
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn conditions_and_programs_agree(filter in leaf(false), events in vec(event(), 20)) {
        let turned = (!filter.clone()).compile().unwrap();
        for event in events {
            prop_assert_eq!(keeps(&turned, &event), !judge(&filter, &event));
        }
    }

    #[test]
    fn trees_and_programs_agree(filter in tree(false), events in vec(event(), 20)) {
        let program = filter.compile().unwrap();
        for event in events {
            let message = Message::decode(&event).unwrap();
            prop_assert_eq!(Ok(keeps(&program, &event)), filter.passes(&message));
        }
    }

    /// Whatever the numbers drawn: what can't match is never kept.
    #[test]
    fn random_trees_keep_only_what_may_match(
        filter in tree(true),
        events in vec(event(), 10),
        seed: u64,
    ) {
        let program = filter.compile().unwrap();
        let mut rng = Rng::new(seed);
        for event in events {
            let may = filter.passes(&Message::decode(&event).unwrap()).unwrap();
            for _ in 0..8 {
                let kept = run_with_random(&program, &event, || rng.next_u32()) == ACCEPT;
                prop_assert!(may || !kept);
            }
        }
    }

}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Lists long enough for halving and detours, with prefixes in one another.
    #[test]
    fn long_lists_and_programs_agree(
        bases in vec((any::<bool>(), any::<u128>(), 0..=128_u8, 0..3_usize), 1..300),
        end in end(),
        probes in vec((0..300_usize, any::<u128>(), 0..=128_u8), 40),
    ) {
        let to_ip = |six, bits: u128| -> IpAddr {
            let four = u32::try_from(bits >> 96).unwrap();
            if six { Ipv6Addr::from(bits).into() } else { Ipv4Addr::from(four).into() }
        };
        // Words of all ones, or shared with the first base.
        let first = bases[0].1;
        let bits = |bits: u128, how| [bits, bits | u128::MAX << 64, first ^ (bits >> 96)][how];
        let list: Vec<_> = bases
            .iter()
            .map(|&(six, number, length, how)| {
                let length = if six { length } else { length / 4 };
                EventFilter::Address(end, Prefix::new(to_ip(six, bits(number, how)), length).unwrap())
            })
            // Short prefixes would hold everything else.
            .filter(|filter| matches!(filter, EventFilter::Address(_, p) if p.length > 3))
            .collect();
        let filter = EventFilter::Any(list) & EventFilter::Kind(EventKind::New);
        let program = filter.compile().unwrap();
        let turned = (!filter.clone()).compile().unwrap();
        for (index, noise, length) in probes {
            let (six, number, _, how) = bases[index % bases.len()];
            let near = bits(number, how) ^ noise.checked_shr(length.into()).unwrap_or(0);
            let ip = to_ip(six, near);
            let flow = Flow { family: AddressFamily::of(ip), ..Flow::new(
                Tuple::with_ports(IpProtocol::TCP, (ip, 1), (ip, 2)),
            ) };
            let bytes = message(EventKind::New, &flow);
            let expected = filter.passes(&Message::decode(&bytes).unwrap()).unwrap();
            prop_assert_eq!(keeps(&program, &bytes), expected);
            prop_assert_eq!(keeps(&turned, &bytes), !expected);
        }
    }

    /// Ranges that touch, overlap and lie in one another.
    #[test]
    fn long_lists_of_ranges_agree(
        ranges in vec((any::<u16>(), 0..300_u16), 0..200),
        masks in vec(masked(), 0..40),
        probes in vec((0..200_usize, -2..302_i32, number()), 30),
    ) {
        let end = End::ReplyDestination;
        let ports = |(first, more): &(u16, u16)| {
            EventFilter::Port(end, *first..=first.saturating_add(*more))
        };
        let filter = EventFilter::Any(ranges.iter().map(ports).collect());
        let marks = EventFilter::Any(masks.iter().copied().map(EventFilter::Mark).collect());
        let ip = |last| IpAddr::from([10, 0, 0, last]);
        let joined = filter.clone() | marks.clone();
        let programs = [&filter, &marks, &joined].map(|filter| filter.compile().unwrap());
        for (index, offset, mark) in probes {
            let base = ranges.get(index).map_or(0, |range| range.0);
            let port = u16::try_from(i32::from(base) + offset).unwrap_or(u16::MAX);
            let flow = Flow {
                mark: Some(masks.get(index).map_or(mark, |masked| masked.value | mark & !masked.mask)),
                ..Flow::new(Tuple::with_ports(IpProtocol::TCP, (ip(1), port), (ip(2), 1)))
            };
            let bytes = message(EventKind::Update, &flow);
            let [by_port, by_mark, by_either] = [0, 1, 2].map(|index| keeps(&programs[index], &bytes));
            prop_assert_eq!(by_port | by_mark, by_either);
            prop_assert_eq!(Ok(by_either), joined.passes(&Message::decode(&bytes).unwrap()));
        }
    }
}

#[cfg(target_endian = "little")]
proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Flows that a kernel reported.
    #[test]
    fn trees_and_programs_agree_on_captures(filter in tree(false)) {
        let program = filter.compile().unwrap();
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");
        for (name, bytes) in nl_testkit::fixtures(fixtures) {
            let message = Message::decode(&bytes).unwrap();
            prop_assert_eq!(Ok(keeps(&program, &bytes)), filter.passes(&message), "{}", name);
        }
    }
}
