//! What decoders and views read by its shape is what the walk reads, whatever the bytes.

use alloc::vec::Vec;
use core::net::IpAddr;

use nl_wire::value::AddressFamily;
use nl_wire::{Attr, Attrs, Error, Writer};
use proptest::collection;
use proptest::prelude::*;

use crate::flow::usual::Usual;
use crate::tables::{
    CTA_COUNTERS_ORIG, CTA_COUNTERS_REPLY, CTA_ID, CTA_MARK, CTA_PROTOINFO, CTA_STATUS,
    CTA_TIMEOUT, CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, CTA_ZONE, FLOW,
};
use crate::tuple::by_form;
use crate::{
    Counters, Flow, FlowView, IpProtocol, L4, ProtocolInfo, Status, Synproxy, Tcp, TcpFlagChange,
    TcpFlags, TcpState, Tuple,
};

/// The payload of the one attribute that `write` makes, as it is and with each byte changed to
/// each value.
pub(crate) fn every_change(
    write: impl FnOnce(&mut Writer<'_>) -> Result<(), Error>,
    check: impl Fn(&Attr<'_>),
) {
    let mut bytes = Vec::new();
    write(&mut Writer::attributes(&mut bytes)).unwrap();
    let mut payload = bytes.split_off(4);
    for index in 0..payload.len() {
        let before = payload[index];
        for value in (0..=u8::MAX).step_by(if cfg!(miri) { 64 } else { 1 }) {
            payload[index] = value;
            check(&Attr { raw_type: 1, payload: &payload });
        }
        payload[index] = before;
    }
}

/// Flows of all usual shapes, with all that is usual and without.
fn flows() -> Vec<Flow> {
    let v4: [IpAddr; 2] = [[10, 0, 0, 1].into(), [10, 0, 0, 2].into()];
    let v6: [IpAddr; 2] = [[1; 16].into(), [2; 16].into()];
    let ports = L4::Ports { source: 0x1234, destination: 80 };
    let icmp = L4::Icmp { id: 7, kind: 8, code: 1 };
    let flags = Some(TcpFlagChange { flags: TcpFlags(1), mask: TcpFlags(2) });
    let tcp = ProtocolInfo::Tcp(Tcp {
        state: Some(TcpState::ESTABLISHED),
        window_scale_original: Some(7),
        window_scale_reply: Some(8),
        flags_original: flags,
        flags_reply: flags,
    });
    let mut flows = Vec::new();
    for (protocol, [source, destination], l4, info) in [
        (IpProtocol::TCP, v4, ports, Some(tcp)),
        (IpProtocol::UDP, v6, ports, None),
        (IpProtocol::ICMP, v4, icmp, None),
        (IpProtocol::ICMPV6, v6, icmp, None),
    ] {
        let tuple = Tuple::new(protocol, source, destination, l4);
        let listed = Flow {
            protocol_info: info,
            status: Some(Status::ASSURED),
            timeout: Some(60),
            mark: Some(1),
            id: Some(0x0102_0304),
            use_count: Some(2),
            ..Flow::new(tuple)
        };
        flows.push(Flow {
            zone: Some(5),
            original_counters: Some(Counters { packets: 1, bytes: 2 }),
            reply_counters: Some(Counters { packets: 3, bytes: 4 }),
            start: Some(5),
            synproxy: Some(Synproxy { isn: 1, its: 2, ts_offset: 3 }),
            ..listed.clone()
        });
        flows.push(listed);
    }
    flows
}

/// The attributes of all [`flows`], and those of an event, which the kernel orders in another way.
fn messages() -> Vec<Vec<u8>> {
    let mut messages: Vec<Vec<u8>> = flows()
        .iter()
        .map(|flow| {
            let mut bytes = Vec::new();
            flow.write_attributes(&mut Writer::attributes(&mut bytes)).unwrap();
            bytes
        })
        .collect();
    let mut event = Vec::new();
    let mut writer = Writer::attributes(&mut event);
    let flow = &flows()[0];
    flow.original.write(&mut writer, 1).unwrap();
    flow.reply.write(&mut writer, 2).unwrap();
    writer.u32_be(CTA_ID, 1);
    writer.u32_be(CTA_STATUS, 2);
    writer.u32_be(CTA_TIMEOUT, 3);
    flow.protocol_info.unwrap().write(&mut writer).unwrap();
    Counters::default().write(&mut writer, CTA_COUNTERS_ORIG).unwrap();
    writer.u32_be(CTA_MARK, 4);
    messages.push(event);
    messages
}

/// By the shape, and by the walk alone.
fn both(bytes: &[u8]) -> [Result<Flow, Error>; 2] {
    let mut walked = Flow::default();
    let walk = walked.walk(Attrs::new(bytes), false, false);
    [
        Flow::from_attributes(walked.family, Attrs::new(bytes)),
        walk.map(|()| walked).map_err(|error| error.in_table(&FLOW)),
    ]
}

/// Both ways to read flows and single fields give the same.
#[allow(clippy::redundant_closure_for_method_calls)] // a method's path is of one lifetime
fn check(bytes: &[u8]) {
    let [shape, walk] = both(bytes);
    assert_eq!(shape, walk);
    let view = FlowView::from_attributes(AddressFamily::INET, Attrs::new(bytes));
    macro_rules! first {
        ($($name:ident = $number:ident, $read:expr;)*) => {
            $( assert_eq!(view.$name(), first(bytes, $number, $read), stringify!($name)); )*
        };
    }
    let tuple = |attr: &Attr<'_>| {
        Tuple::read(attr.payload, &mut false).map_err(|error| error.within(attr.number()))
    };
    let counters = |attr: &Attr<'_>| {
        Counters::read(attr, &mut false).map_err(|error| error.within(attr.number()))
    };
    let info = |attr: &Attr<'_>| {
        ProtocolInfo::read(attr, &mut false).map_err(|error| error.within(attr.number()))
    };
    first! {
        original = CTA_TUPLE_ORIG, tuple;
        reply = CTA_TUPLE_REPLY, tuple;
        status = CTA_STATUS, |attr| attr.u32_be().map(Status);
        timeout = CTA_TIMEOUT, |attr| attr.u32_be();
        mark = CTA_MARK, |attr| attr.u32_be();
        id = CTA_ID, |attr| attr.u32_be();
        zone = CTA_ZONE, |attr| attr.u16_be();
        original_counters = CTA_COUNTERS_ORIG, counters;
        reply_counters = CTA_COUNTERS_REPLY, counters;
    }
    assert_eq!(view.protocol_info(), first(bytes, CTA_PROTOINFO, info).map(Option::flatten));
    let one = |tuple: Result<Option<Tuple>, Error>, number| {
        tuple.and_then(|tuple| tuple.ok_or(Error::missing(number).in_table(&FLOW)))
    };
    let original = one(view.original(), CTA_TUPLE_ORIG);
    let tuples = original.and_then(|it| Ok((it, one(view.reply(), CTA_TUPLE_REPLY)?)));
    assert_eq!(view.tuples(), tuples);
}

/// The first attribute of a number, by the walk alone.
fn first<T>(
    bytes: &[u8],
    number: u16,
    read: impl Fn(&Attr<'_>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    for attr in Attrs::new(bytes) {
        let attr = attr.map_err(|error| error.in_table(&FLOW))?;
        if attr.number() == number {
            return read(&attr).map(Some).map_err(|error| error.in_table(&FLOW));
        }
    }
    Ok(None)
}

impl Flow {
    /// How many bytes are left to the walk.
    fn left<const A: usize, const ICMP: bool, const N: usize>(
        mut attrs: Attrs<'_>,
    ) -> Option<usize> {
        Tuple::take_both::<A, ICMP, N>(&mut attrs)?;
        Usual::take(&mut attrs);
        Some(attrs.rest().len())
    }
}

/// What the shape is for is read by it: nothing of these is left to the walk.
#[test]
fn usual_flows_are_read_whole() {
    for (flow, bytes) in flows().into_iter().zip(messages()) {
        let attrs = Attrs::new(&bytes);
        assert_eq!(Flow::from_attributes(flow.family, attrs.clone()).as_ref(), Ok(&flow));
        let left = by_form!(attrs, Flow::left(attrs.clone()), else None);
        assert_eq!(left, Some(0), "{flow:?}");
    }
}

#[test]
fn any_bit_changed() {
    for mut bytes in messages() {
        for index in (0..bytes.len()).step_by(if cfg!(miri) { 16 } else { 1 }) {
            for bit in 0..8 {
                bytes[index] ^= 1 << bit;
                check(&bytes);
                bytes[index] ^= 1 << bit;
            }
        }
    }
}

/// A change to a message: of a byte, or of the order of its attributes.
#[derive(Clone, Debug)]
enum Mutation {
    Byte(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Repeat(prop::sample::Index, prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Cut(prop::sample::Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, to)| Mutation::Byte(at, to)),
        any::<prop::sample::Index>().prop_map(Mutation::Remove),
        any::<[prop::sample::Index; 2]>().prop_map(|[of, to]| Mutation::Repeat(of, to)),
        any::<[prop::sample::Index; 2]>().prop_map(|[a, b]| Mutation::Swap(a, b)),
        any::<prop::sample::Index>().prop_map(Mutation::Cut),
    ]
}

impl Mutation {
    fn apply(&self, bytes: &[u8]) -> Vec<u8> {
        let mut attrs: Vec<Vec<u8>> = Vec::new();
        let mut walk = Attrs::new(bytes);
        loop {
            let before = walk.rest();
            if walk.step().is_none() {
                attrs.push(before.to_vec());
                break;
            }
            attrs.push(before[..before.len() - walk.rest().len()].to_vec());
        }
        let mut whole = bytes.to_vec();
        match self {
            Self::Byte(at, to) if !whole.is_empty() => *at.get_mut(&mut whole) = *to,
            Self::Byte(..) => {}
            Self::Cut(at) => whole.truncate(at.index(whole.len() + 1)),
            Self::Remove(at) => {
                attrs.remove(at.index(attrs.len()));
                whole = attrs.concat();
            }
            Self::Repeat(of, to) => {
                let attr = of.get(&attrs).clone();
                attrs.insert(to.index(attrs.len()), attr);
                whole = attrs.concat();
            }
            Self::Swap(a, b) => {
                let (a, b) = (a.index(attrs.len()), b.index(attrs.len()));
                attrs.swap(a, b);
                whole = attrs.concat();
            }
        }
        whole
    }
}

fn config() -> ProptestConfig {
    let cases = if cfg!(miri) { 20 } else { 3_000 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_mutation(
        message in prop::sample::select(messages()),
        mutations in collection::vec(mutation(), 0..4),
    ) {
        let bytes = mutations.iter().fold(message, |bytes, mutation| mutation.apply(&bytes));
        check(&bytes);
    }

    /// Payloads padded with other bytes than zeros are the same to both.
    #[test]
    fn any_padding(padding in any::<[u8; 3]>()) {
        for mut bytes in messages() {
            let tuple = bytes.get_mut(37..40).unwrap();
            tuple.copy_from_slice(&padding);
            check(&bytes);
        }
    }
}
