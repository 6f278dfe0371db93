//! What several tests need.
#![allow(dead_code)] // Each test takes what it needs.

use std::time::{Duration, Instant};

use nl_conntrack::{Change, Flow, IpProtocol, NatRange, Tuple};
use nl_socket::{Error, Loss, Wait};
use nl_watch::{Item, Object, Watch};

/// Everything there is to tell, until the watch has nothing more for a while and is right.
pub(crate) fn all<O: Object>(watch: &mut Watch<O>) -> Vec<Item<O::Item>> {
    let mut items = Vec::new();
    let limit = Instant::now() + Duration::from_secs(20);
    loop {
        match watch.next(Wait::at_most(Duration::from_millis(5))).unwrap() {
            Some(item) => items.push(item),
            None if watch.is_converged() => return items,
            None => assert!(Instant::now() < limit, "never right: {watch:?}"),
        }
    }
}

/// [`all`], until the mirror is the kernel's table.
///
/// The kernel does some things later: a link's carrier is told up to a second after it came, and its
/// link-local address is made by a worker. So what differs may differ for a while, but word of it must
/// come.
pub(crate) fn proven<O: Object>(watch: &mut Watch<O>, what: &str) -> Vec<Item<O::Item>> {
    let mut items = Vec::new();
    loop {
        items.extend(all(watch));
        let different = match watch.compare() {
            Ok(different) if different.is_empty() => return items,
            Ok(different) => different,
            // Something changed at this very moment.
            Err(Error::Lost(Loss::Interrupted)) => continue,
            Err(error) => panic!("{what}: {error}"),
        };
        let socket = watch.events().socket();
        let word = || socket.wait_readable(Wait::at_most(Duration::from_secs(10))).unwrap();
        assert!(!watch.is_converged() || word(), "{what}: {different:#?}");
    }
}

/// A flow to port 53; each number has one of its own.
pub(crate) fn udp(number: u16) -> Flow {
    let tuple = Tuple::with_ports(
        IpProtocol::UDP,
        ([10, 0, 0, 1].into(), number),
        ([10, 0, 0, 2].into(), 53),
    );
    Flow { timeout: Some(600), ..Flow::new(tuple) }
}

/// A flow for the kernel's table; those of odd numbers are translated.
pub(crate) fn mixed(number: u32) -> Change {
    let [_, third, high, low] = number.to_be_bytes();
    let tuple = Tuple::with_ports(
        IpProtocol::UDP,
        ([10, third, high, low].into(), 1000),
        ([192, 0, 2, 1].into(), 53),
    );
    let create = Change::create(Flow { timeout: Some(600), ..Flow::new(tuple) });
    if number % 2 == 0 {
        return create;
    }
    let address = std::net::IpAddr::from([198, 51, high, low]);
    Change { nat_source: Some(NatRange::from(address)), ..create }
}
