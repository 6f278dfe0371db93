//! What becomes of a watch when something goes wrong.

mod common;

use std::time::{Duration, Instant};

use common::{all, udp};
use nl_conntrack::{Change, Flow, Flush, tables};
use nl_socket::{Connection, Events, Loss, Ring, Socket, Wait};
use nl_testkit::live;
use nl_watch::{Budget, Flows, Item, Notice, Object, Watch};
use nl_wire::request::Mode;
use nl_wire::table::Protocol;
use nl_wire::value::{AddressFamily, Family};
use nl_wire::{Error, Message, Problem, Request, Writer};

/// Tracked connections, but the list is nonsense or events can't be read.
struct Faulty {
    nonsense: bool,
    undecodable: bool,
}

/// A list that the kernel refuses, if it is nonsense.
struct FaultyList(bool);

impl Request for FaultyList {
    type Item = Flow;
    const MODE: Mode = Mode::Dump;

    fn protocol(&self) -> &'static Protocol {
        &tables::PROTOCOL
    }

    fn message_type(&self) -> u16 {
        tables::IPCTNL_MSG_CT_GET
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&[AddressFamily::INET.0, 0, 0, 0]);
        if self.0 {
            // A mark has four bytes.
            writer.u8(tables::CTA_MARK, 1);
        }
        Ok(())
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<Flow>, Error> {
        Flow::decode(message).map(Some)
    }
}

impl Object for Faulty {
    type Item = Flow;
    type Key = <Flows as Object>::Key;
    type List = FaultyList;

    const FAMILY: Family = Family::NETFILTER;
    const GROUPS: &'static [u32] = Flows::GROUPS;

    fn list(&self) -> FaultyList {
        FaultyList(self.nonsense)
    }

    fn key(flow: &Flow) -> Self::Key {
        Flows::key(flow)
    }

    fn is_equal(a: &Flow, b: &Flow) -> bool {
        Flows::is_equal(a, b)
    }

    fn merge(old: &mut Flow, new: Flow) {
        Flows::merge(old, new);
    }

    fn notice(&mut self, message: &Message<'_>) -> Result<Notice<Flow>, Error> {
        if self.undecodable {
            return Err(Problem::Value.into());
        }
        Flows::default().notice(message)
    }
}

fn create(connection: &mut Connection, ports: impl IntoIterator<Item = u16>) {
    for result in connection.batch(ports.into_iter().map(|port| Change::create(udp(port)))) {
        result.unwrap();
    }
}

/// A refusal is an error at once, not a wait for an end of the dump that never comes; events are
/// still heard, and the next attempts come at growing intervals.
#[test]
fn a_refused_list_blocks_nothing() {
    live(|| {
        let started = Instant::now();
        let mut watch = Watch::open(Faulty { nonsense: true, undecodable: false }).unwrap();
        let mut refusals = 0;
        while started.elapsed() < Duration::from_millis(300) || refusals < 3 {
            match watch.next(Wait::at_most(Duration::from_millis(10))) {
                Ok(item) => assert_eq!(item, None),
                Err(nl_socket::Error::Refused(_)) => refusals += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!((3..15).contains(&refusals), "{refusals}");
        assert!(!watch.is_converged() && watch.last_list().is_none());
        assert!(watch.deadline().is_some());
        assert_eq!(watch.counters().failed, refusals);
    });
}

#[test]
fn what_cannot_be_read_is_told_and_listed() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        let mut watch = Watch::open(Faulty { nonsense: false, undecodable: true }).unwrap();
        all(&mut watch);
        create(&mut connection, [1, 2]);
        let items = all(&mut watch);
        let lost = |item: &&Item<Flow>| matches!(item, Item::Lost(Loss::Undecodable(_)));
        assert_eq!(items.iter().filter(lost).count(), 2);
        assert!(matches!(items.last(), Some(Item::Resynced { added: 2, .. })), "{items:?}");
        assert_eq!((watch.mirror().len(), watch.counters().undecodable), (2, 2));
    });
}

#[test]
fn truncated_events_are_told_and_repaired() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        let socket = Socket::open(Family::NETFILTER.0).unwrap();
        let events = Events::with_ring(socket, Flows::GROUPS, Ring::new(4, 64)).unwrap();
        let list = Connection::open(Family::NETFILTER).unwrap();
        let mut watch = Watch::new(Flows::default(), events, list);
        all(&mut watch);
        create(&mut connection, 1..=3);
        let items = all(&mut watch);
        let lost = |item: &&Item<Flow>| matches!(item, Item::Lost(Loss::Truncated { .. }));
        assert_eq!(items.iter().filter(lost).count(), 3, "{items:?}");
        assert_eq!(watch.mirror().len(), 3);
        assert_eq!(watch.compare().unwrap(), []);
    });
}

#[test]
fn a_full_mirror_says_so() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        create(&mut connection, 1..=30);
        let mut watch = Watch::open(Flows::default()).unwrap();
        watch.set_budget(Budget { entries: 40, ..Budget::default() });
        assert!(matches!(all(&mut watch)[..], [Item::Listed { entries: 30, .. }]));
        create(&mut connection, 31..=60);
        let mut items = Vec::new();
        while let Some(item) = watch.next(Wait::at_most(Duration::from_millis(50))).unwrap() {
            items.push(item);
        }
        let full = |item: &&Item<Flow>| matches!(item, Item::Full { entries: 40, .. });
        assert_eq!(items.iter().filter(full).count(), 1, "{items:?}");
        assert!(watch.is_full() && !watch.is_converged());
        assert_eq!((watch.mirror().len(), watch.counters().refused), (40, 20));
        assert!(watch.mirror().bytes() > 40 * size_of::<Flow>());
        // There is room again as soon as enough is gone.
        for result in connection.batch((1..=40).map(|port| Change::delete(udp(port)))) {
            result.unwrap();
        }
        all(&mut watch);
        assert!(!watch.is_full());
        assert_eq!((watch.mirror().len(), watch.compare().unwrap()), (20, vec![]));
        // By bytes.
        let bytes = watch.mirror().bytes();
        watch.set_budget(Budget { bytes: bytes + 1, ..Budget::default() });
        create(&mut connection, 1..=1);
        assert!(matches!(watch.next(Wait::Forever), Ok(Some(Item::Full { entries: 20, .. }))));
        connection.run(Flush::default()).unwrap();
        all(&mut watch);
        assert!(watch.mirror().is_empty() && watch.mirror().bytes() == 0);
    });
}

/// Flows made before anybody listened may end without an event: only listing again finds that.
#[test]
fn a_period_finds_what_nothing_tells() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        create(&mut connection, 1..=5);
        // Heard by nobody, because this watch has joined no group.
        let events = Events::new::<u32>(Socket::open(Family::NETFILTER).unwrap(), &[]).unwrap();
        let list = Connection::open(Family::NETFILTER).unwrap();
        let mut watch = Watch::new(Flows::default(), events, list);
        watch.set_relist(Some(Duration::from_millis(30)));
        assert!(matches!(watch.next(Wait::Forever), Ok(Some(Item::Listed { entries: 5, .. }))));
        connection.run(Change::delete(udp(3))).unwrap();
        assert!(matches!(watch.next(Wait::Forever), Ok(Some(Item::Change(_)))));
        assert!(matches!(watch.next(Wait::Forever), Ok(Some(Item::Resynced { removed: 1, .. }))));
        assert!(watch.age() <= watch.last_list().map(|list| list.elapsed()));
        assert!(watch.last_list().is_some() && watch.last_event().is_none());
    });
}
