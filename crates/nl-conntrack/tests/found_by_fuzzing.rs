//! Inputs that broke a law once.

use nl_conntrack::tables::*;
use nl_conntrack::{Flow, IpProtocol, L4, ProtocolInfo, Timeouts, Tuple};
use nl_wire::json::{Json, ToJson as _};
use nl_wire::value::AddressFamily;
use nl_wire::{Attrs, Writer};

fn round_trip(flow: &Flow) {
    let mut bytes = Vec::new();
    flow.write_attributes(&mut Writer::attributes(&mut bytes)).unwrap();
    assert_eq!(Flow::from_attributes(flow.family, Attrs::new(&bytes)).as_ref(), Ok(flow));
}

/// The kernel sends no such tuple; the destination was written under the number of the source's
/// family.
#[test]
fn addresses_of_two_families() {
    let tuple = Tuple {
        source: "192.0.2.1".parse().unwrap(),
        destination: "2001:db8::1".parse().unwrap(),
        protocol: IpProtocol::UDP,
        l4: L4::Ports { source: 1, destination: 2 },
        zone: None,
    };
    round_trip(&Flow::new(tuple));
}

/// The kernel sends the state of one protocol. Of two the last counts; what was strange in the first
/// was written behind it, and then counted.
#[test]
fn states_of_two_protocols() {
    let tuple = Tuple::with_ports(
        IpProtocol::SCTP,
        ("192.0.2.1".parse().unwrap(), 1),
        ("192.0.2.2".parse().unwrap(), 2),
    );
    let mut bytes = Vec::new();
    let mut writer = Writer::attributes(&mut bytes);
    Flow::new(tuple).write_attributes(&mut writer).unwrap();
    writer
        .nest(CTA_PROTOINFO, |w| {
            w.nest(CTA_PROTOINFO_DCCP, |w| w.bytes(99, b"strange"))?;
            w.nest(CTA_PROTOINFO_SCTP, |w| {
                w.u8(CTA_PROTOINFO_SCTP_STATE, 3);
                Ok(())
            })
        })
        .unwrap();
    let flow = Flow::from_attributes(tuple.family(), Attrs::new(&bytes)).unwrap();
    assert!(matches!(flow.protocol_info, Some(ProtocolInfo::Sctp(_))) && !flow.unknown.is_empty());
    round_trip(&flow);
}

/// Timeouts of states without a name all had the same key.
#[test]
fn timeouts_without_names() {
    let mut timeouts = Timeouts::new("", AddressFamily::INET, IpProtocol(250));
    timeouts.seconds = [(1, 5), (40, 6), (41, 7)].into();
    let mut out = String::new();
    timeouts.to_json(&mut Json::new(&mut out));
    assert!(out.contains(r#"{"timeout":5,"40":6,"41":7}"#), "{out}");
}
