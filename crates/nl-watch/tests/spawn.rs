//! A watch on a thread of its own.

mod common;

use std::time::{Duration, Instant};

use common::udp;
use nl_conntrack::{Change, Flush};
use nl_socket::Connection;
use nl_testkit::live;
use nl_watch::{Flows, Item, Watch};
use nl_wire::value::Family;

fn count(directory: &str) -> usize {
    std::fs::read_dir(directory).unwrap().count()
}

/// Waits until as many threads and descriptors are left as before.
fn wait_for(before: (usize, usize)) {
    let limit = Instant::now() + Duration::from_secs(5);
    while (count("/proc/self/task"), count("/proc/self/fd")) != before {
        assert!(Instant::now() < limit, "threads or descriptors are left");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn items_come_and_the_handle_ends_it() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        let before = (count("/proc/self/task"), count("/proc/self/fd"));
        let handle = Watch::open(Flows::default()).unwrap().spawn(16).unwrap();
        let first = handle.next(Duration::from_secs(5)).unwrap().unwrap();
        assert!(matches!(first, Item::Listed { entries: 0, .. }));
        connection.run(Change::create(udp(1))).unwrap();
        let second = handle.iter().next().unwrap().unwrap();
        assert!(matches!(second, Item::Change(nl_watch::Change::Added(_))), "{second:?}");
        assert!(handle.next(Duration::from_millis(20)).is_none());
        let started = Instant::now();
        let watch = handle.stop();
        assert!(started.elapsed() < Duration::from_secs(20));
        assert_eq!((watch.mirror().len(), watch.is_converged()), (1, true));
        drop(watch);
        wait_for(before);
    });
}

/// Nobody takes items: the thread stands still, and still ends with its handle.
#[test]
fn a_full_channel_keeps_nobody() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        let before = (count("/proc/self/task"), count("/proc/self/fd"));
        for capacity in [0, 1, 8] {
            let handle = Watch::open(Flows::default()).unwrap().spawn(capacity).unwrap();
            for result in connection.batch((1..=100).map(|port| Change::create(udp(port)))) {
                result.unwrap();
            }
            std::thread::sleep(Duration::from_millis(10));
            drop(handle);
            wait_for(before);
            // And while it waits for events.
            let handle = Watch::open(Flows::default()).unwrap().spawn(1000).unwrap();
            assert!(handle.next(Duration::from_secs(5)).is_some());
            drop(handle);
            wait_for(before);
            connection.run(Flush::default()).unwrap();
        }
    });
}
