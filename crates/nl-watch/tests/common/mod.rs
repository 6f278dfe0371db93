//! What several tests need.
#![allow(dead_code)] // Each test takes what it needs.

use std::time::{Duration, Instant};

use nl_conntrack::{Flow, IpProtocol, Tuple};
use nl_socket::Wait;
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

/// A flow to port 53; each number has one of its own.
pub(crate) fn udp(number: u16) -> Flow {
    let tuple = Tuple::with_ports(
        IpProtocol::UDP,
        ([10, 0, 0, 1].into(), number),
        ([10, 0, 0, 2].into(), 53),
    );
    Flow { timeout: Some(600), ..Flow::new(tuple) }
}
