//! Inputs that broke a law once.

use nl_conntrack::{Flow, IpProtocol, L4, Tuple};
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
