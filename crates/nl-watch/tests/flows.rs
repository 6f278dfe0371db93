//! A mirror of tracked connections against a living kernel.

mod common;

use common::{all, udp};
use nl_conntrack::{Change, Flow, IpProtocol, ProtocolInfo, Status, TcpState, Tuple};
use nl_socket::Connection;
use nl_testkit::live;
use nl_watch::{Change as Told, Flows, Item, Object, Watch};
use nl_wire::value::Family;

fn tcp6(number: u16) -> Flow {
    let tuple = Tuple::with_ports(
        IpProtocol::TCP,
        ("2001:db8::1".parse().unwrap(), number),
        ("2001:db8::2".parse().unwrap(), 443),
    );
    Flow {
        timeout: Some(600),
        status: Some(Status::SEEN_REPLY | Status::ASSURED),
        protocol_info: Some(ProtocolInfo::tcp(TcpState::ESTABLISHED)),
        zone: Some(7),
        ..Flow::new(tuple)
    }
}

fn run(connection: &mut Connection, changes: impl IntoIterator<Item = Change>) {
    for result in connection.batch(changes) {
        result.unwrap();
    }
}

#[test]
fn every_change_is_told_and_the_mirror_follows() {
    live(|| {
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        run(&mut connection, (1..=300).map(|n| Change::create(udp(n))));
        let mut watch = Watch::open(Flows::default()).unwrap();
        let items = all(&mut watch);
        assert!(matches!(items[..], [Item::Listed { entries: 300, .. }]), "{items:?}");
        assert!(watch.is_converged());

        run(&mut connection, [Change::create(tcp6(1)), Change::create(udp(301))]);
        let items = all(&mut watch);
        assert_eq!(items.len(), 2);
        assert!(matches!(&items[0], Item::Change(Told::Added(flow)) if flow.zone == Some(7)));
        assert_eq!(watch.mirror().len(), 302);

        let marked = Flow { mark: Some(5), timeout: None, ..udp(301) };
        run(&mut connection, [Change::update(marked)]);
        let items = all(&mut watch);
        let [Item::Change(Told::Changed { old, new })] = &items[..] else { panic!("{items:?}") };
        assert_eq!((old.mark.unwrap_or(0), new.mark), (0, Some(5)));
        assert!(new.timeout.is_some(), "a partial event takes nothing away");

        // The mark back to 0: the event leaves it out.
        let unmarked = Flow { mark: Some(0), timeout: None, ..udp(301) };
        run(&mut connection, [Change::update(unmarked)]);
        assert_eq!(all(&mut watch).len(), 1);

        run(&mut connection, [Change::delete(tcp6(1))]);
        let items = all(&mut watch);
        assert!(matches!(&items[..], [Item::Change(Told::Removed(_))]), "{items:?}");
        assert!(watch.mirror().get(&Flows::key(&tcp6(1))).is_empty());
        assert_eq!(watch.compare().unwrap(), []);
    });
}
