//! Requests against a living kernel, with the state before and after as conntrack(8) sees it.

#![cfg(all(target_os = "linux", not(miri)))]

use std::collections::BTreeSet;
use std::net::IpAddr;

use nl_conntrack::{
    Change, Expectation, ExpectationChange, ExpectationKey, Filter, Flow, Get, GetExpectation,
    GetTimeouts, Helper, IpProtocol, List, ListDying, ListExpectations, ListTimeouts,
    ListUnconfirmed, ProtocolInfo, TcpState, TimeoutChange, Timeouts, Tuple, TupleFilter,
};
use nl_socket::{Connection, Replies, parallel};
use nl_testkit::{live, need, sh, skip};
use nl_wire::value::{AddressFamily, Family};
use nl_wire::{Errno, Request};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn open() -> Connection {
    Connection::open(Family::NETFILTER).unwrap()
}

fn all<R: Request>(connection: &mut Connection, request: R) -> Vec<R::Item> {
    connection.start(request).unwrap().collect::<Result<_, _>>().unwrap()
}

fn errno<T: std::fmt::Debug>(result: Result<T, nl_socket::Error>) -> Errno {
    result.unwrap_err().errno().unwrap()
}

fn lines(command: &str) -> usize {
    sh(&format!("{command} 2>/dev/null")).lines().count()
}

/// Flows of both families that differ in one thing each.
fn many(connection: &mut Connection) -> Vec<Tuple> {
    let mut tuples = Vec::new();
    for (source, destination) in [
        (["10.0.0.1", "10.0.0.3"], ["10.0.0.2", "10.0.0.4"]),
        (["2001:db8::1", "2001:db8::3"], ["2001:db8::2", "2001:db8::4"]),
    ] {
        for bits in 0..16_usize {
            let protocol = [IpProtocol::UDP, IpProtocol::TCP][bits & 1];
            tuples.push(Tuple::with_ports(
                protocol,
                (ip(source[bits >> 1 & 1]), [100, 101][bits >> 2 & 1]),
                (ip(destination[bits >> 3 & 1]), 53),
            ));
        }
    }
    for tuple in &tuples {
        let flow = Flow { timeout: Some(10_000), ..Flow::new(*tuple) };
        connection.run(Change::create(flow)).unwrap();
    }
    tuples
}

#[test]
fn lists_by_tuple_are_right_whatever_the_kernel_makes_of_them() {
    live(|| {
        let mut connection = open();
        let tuples = many(&mut connection);
        for like in &tuples {
            for bits in 0..16 {
                let on = |bit: usize| bits >> bit & 1 == 1;
                let filter = TupleFilter {
                    source: on(0).then_some(like.source),
                    destination: on(1).then_some(like.destination),
                    protocol: on(2).then_some(like.protocol),
                    source_port: if on(3) { like.source_port() } else { None },
                    ..TupleFilter::default()
                };
                for family in [AddressFamily::UNSPEC, like.family()] {
                    let list = List { family, original: filter, ..List::default() };
                    let found: BTreeSet<_> =
                        all(&mut connection, list).iter().map(|flow| flow.original).collect();
                    let wanted = tuples.iter().filter(|tuple| {
                        filter.matches(tuple)
                            && (family == AddressFamily::UNSPEC || family == tuple.family())
                    });
                    assert_eq!(found, wanted.copied().collect(), "{list:?}");
                    let reply = TupleFilter {
                        source: filter.destination,
                        destination: filter.source,
                        source_port: None,
                        destination_port: filter.source_port,
                        ..filter
                    };
                    let list = List { family, reply, ..List::default() };
                    assert_eq!(all(&mut connection, list).len(), found.len(), "{list:?}");
                }
            }
        }
    });
}

#[test]
fn each_translated_flow_is_listed_once() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        for (number, nat) in
            ["", "-n 192.0.2.1", "-g 192.0.2.2", "-n 192.0.2.3 -g 192.0.2.4"].iter().enumerate()
        {
            for port in 1..=3 {
                sh(&format!(
                    "conntrack -I -t 100 -s 10.0.0.1 -d 10.0.0.2 -p udp --sport {port} \
                     --dport {number} {nat}"
                ));
            }
        }
        sh("conntrack -I -t 100 -s ::1 -d ::2 -p udp --sport 1 --dport 1 -n ::3");
        let mut connection = open();
        let mut count = |family| {
            let lists = List::translated(family);
            let found: Vec<_> = lists
                .into_iter()
                .flat_map(|list| all(&mut connection, list))
                .map(|flow| flow.original)
                .collect();
            assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len());
            found.len()
        };
        assert_eq!(count(AddressFamily::UNSPEC), 10);
        assert_eq!(count(AddressFamily::INET6), 1);
        assert_eq!(lines("conntrack -L --any-nat"), 10);

        // The parts of a list, side by side.
        let sorted = |flows: Vec<Flow>| {
            let mut tuples: Vec<Tuple> = flows.iter().map(|flow| flow.original).collect();
            tuples.sort();
            tuples
        };
        let whole = sorted(all(&mut connection, List::default()));
        assert_eq!(whole.len(), 13);
        let families: Vec<List> = List::default().by_family().collect();
        let translations = List::default().by_translation().to_vec();
        let both = families.iter().flat_map(|list| list.by_translation()).collect();
        for (parts, lengths) in
            [(families, vec![12, 1]), (translations, vec![3, 7, 3]), (both, vec![3, 6, 3, 0, 1, 0])]
        {
            let read = |replies: Replies<'_, List>| replies.collect::<Result<Vec<Flow>, _>>();
            let open = || Connection::open(Family::NETFILTER);
            let found = parallel(parts, open, read).into_iter().map(|part| part.unwrap().unwrap());
            let found: Vec<Vec<Flow>> = found.collect();
            assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), lengths);
            assert_eq!(sorted(found.concat()), whole);
        }
    });
}

#[test]
fn probes_and_special_lists() {
    live(|| {
        let mut connection = open();
        assert_eq!(errno(connection.get(Get::PROBE)), Errno::ENOENT);
        many(&mut connection);
        assert_eq!(errno(connection.get(Get::PROBE)), Errno::ENOENT);
        assert_eq!(all(&mut connection, ListDying::default()), []);
        assert_eq!(all(&mut connection, ListUnconfirmed::default()), []);
    });
}

/// Deletes under the ids of other flows take nothing away; a batch of listed flows exactly those.
#[test]
fn deletions_never_take_more_than_they_name() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        let mut connection = open();
        many(&mut connection);
        sh("conntrack -I -t 100 -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 100 --dport 53 -w 5
            conntrack -I -t 100 -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 100 --dport 53 -w 6");
        let flows = all(&mut connection, List::default());
        assert_eq!(flows.len(), 34);
        let wrong = flows.iter().map(|flow| Flow { id: flow.id.map(|id| !id), ..flow.clone() });
        for result in connection.batch(wrong.map(Change::delete)) {
            assert_eq!(errno(result), Errno::ENOENT);
        }
        assert_eq!(lines("conntrack -L"), 34);
        // The zone is echoed: of three flows with one tuple the one that was listed goes.
        for zone in [5, 6, 0] {
            let of = |zone| List {
                filter: Filter { zone: Some(zone), ..Filter::default() },
                original: TupleFilter {
                    source: Some(ip("10.0.0.1")),
                    destination: Some(ip("10.0.0.2")),
                    protocol: Some(IpProtocol::UDP),
                    source_port: Some(100),
                    ..TupleFilter::default()
                },
                ..List::default()
            };
            let before = lines("conntrack -L");
            let found = all(&mut connection, of(zone));
            assert_eq!(found.len(), 1);
            for result in connection.batch(found.into_iter().map(Change::delete)) {
                result.unwrap();
            }
            assert_eq!(all(&mut connection, of(zone)), []);
            assert_eq!(lines("conntrack -L"), before - 1);
        }
        let family = AddressFamily::INET6;
        let ipv6 = all(&mut connection, List { family, ..List::default() });
        for result in connection.batch(ipv6.into_iter().map(Change::delete)) {
            result.unwrap();
        }
        assert_eq!((lines("conntrack -L"), lines("conntrack -L -f ipv6")), (15, 0));
    });
}

/// A flow with the helper ftp; `None` where there is none.
fn master(connection: &mut Connection, port: u16) -> Option<Tuple> {
    let (client, server) = (ip("10.0.0.1"), ip("10.0.0.2"));
    let tuple = Tuple::with_ports(IpProtocol::TCP, (client, port), (server, 21));
    let flow = Flow {
        timeout: Some(100),
        protocol_info: Some(ProtocolInfo::tcp(TcpState::ESTABLISHED)),
        helper: Some(Box::new(Helper { name: "ftp".into(), info: None })),
        ..Flow::new(tuple)
    };
    match connection.run(Change::create(flow)) {
        Ok(()) => Some(tuple),
        Err(error) => {
            skip(&format!("no helper ftp: {error}"));
            None
        }
    }
}

fn expected(master: Tuple, port: u16) -> Expectation {
    let (all, none) = (ip("255.255.255.255"), ip("0.0.0.0"));
    Expectation {
        family: AddressFamily::INET,
        tuple: Tuple::with_ports(IpProtocol::TCP, (none, 0), (master.source, port)),
        mask: Tuple::with_ports(IpProtocol::TCP, (none, 0), (all, 0xffff)),
        master,
        timeout: Some(100),
        ..Expectation::default()
    }
}

#[test]
fn expectations_come_and_go() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        let mut connection = open();
        let mut masters = Vec::new();
        for port in 4000..4006 {
            let Some(tuple) = master(&mut connection, port) else { return };
            masters.push(tuple);
            let create = ExpectationChange::Create(expected(tuple, port + 1000));
            connection.run(create).unwrap();
        }
        assert_eq!(lines("conntrack -L expect"), 6);
        let absent = Tuple { source: ip("10.0.0.9"), ..masters[0] };
        let create = ExpectationChange::Create(expected(absent, 1));
        assert_eq!(errno(connection.run(create)), Errno::ENOENT);
        let of = |master| ListExpectations {
            master: Some((master, None)),
            ..ListExpectations::default()
        };
        let listed = all(&mut connection, of(masters[0]));
        assert_eq!((listed.len(), listed[0].master), (1, masters[0]));
        let key = ExpectationKey::from(&listed[0]);
        assert_eq!(connection.get(GetExpectation(key)).unwrap(), listed[0]);
        // Under another id nothing is deleted.
        let other = ExpectationKey { id: key.id.map(|id| !id), ..key };
        assert_eq!(errno(connection.run(ExpectationChange::Delete(other))), Errno::ENOENT);
        assert_eq!(lines("conntrack -L expect"), 6);
        connection.run(ExpectationChange::Delete(key)).unwrap();
        assert_eq!(errno(connection.get(GetExpectation(key))), Errno::ENOENT);
        assert_eq!(lines("conntrack -L expect"), 5);
        // Those of a master.
        let rest = all(&mut connection, of(masters[1]));
        for result in connection.batch(rest.iter().map(|e| ExpectationChange::Delete(e.into()))) {
            result.unwrap();
        }
        assert_eq!(lines("conntrack -L expect"), 4);
        // Those of a helper.
        assert!(connection.run(ExpectationChange::DeleteOfHelper("".into())).is_err());
        connection.run(ExpectationChange::DeleteOfHelper("irc".into())).unwrap();
        assert_eq!(lines("conntrack -L expect"), 4);
        connection.run(ExpectationChange::DeleteOfHelper("ftp".into())).unwrap();
        assert_eq!(lines("conntrack -L expect"), 0);
        connection.run(ExpectationChange::Create(expected(masters[5], 1))).unwrap();
        assert_eq!(lines("conntrack -L expect"), 1);
        connection.run(ExpectationChange::Flush).unwrap();
        assert_eq!((lines("conntrack -L expect"), lines("conntrack -L")), (0, 6));
    });
}

#[test]
fn timeout_policies_of_each_protocol() {
    live(|| {
        let mut connection = open();
        match connection.start(ListTimeouts).unwrap().collect::<Result<Vec<_>, _>>() {
            Ok(list) => assert_eq!(list, []),
            Err(error) => return skip(&format!("no timeout policies: {error}")),
        }
        let mut made = Vec::new();
        for (family, protocol, state) in [
            (AddressFamily::INET, IpProtocol::TCP, "established"),
            (AddressFamily::INET6, IpProtocol::TCP, "time_wait"),
            (AddressFamily::INET, IpProtocol::UDP, "replied"),
            (AddressFamily::INET, IpProtocol::UDPLITE, "unreplied"),
            (AddressFamily::INET, IpProtocol::ICMP, "timeout"),
            (AddressFamily::INET6, IpProtocol::ICMPV6, "timeout"),
            (AddressFamily::INET, IpProtocol::SCTP, "established"),
            (AddressFamily::INET, IpProtocol::GRE, "replied"),
            (AddressFamily::INET, IpProtocol::RAW, "timeout"),
        ] {
            let mut policy = Timeouts::new(&format!("p{}", made.len()), family, protocol);
            policy.set(state, 77).unwrap();
            match connection.run(TimeoutChange::Create(policy.clone())) {
                // Linux 7 has no UDP-Lite.
                Err(error) if protocol == IpProtocol::UDPLITE => {
                    assert_eq!(error.errno(), Some(Errno::EOPNOTSUPP));
                    continue;
                }
                made => made.unwrap(),
            }
            let create = TimeoutChange::Create(policy.clone());
            assert_eq!(errno(connection.run(create)), Errno::EEXIST);
            let found = connection.get(GetTimeouts::Named(policy.name.clone())).unwrap();
            assert_eq!((found.family, found.protocol), (family, protocol), "{policy:?}");
            assert_eq!((found.get(state), found.name == policy.name), (Some(77), true));
            policy.set(state, 78).unwrap();
            connection.run(TimeoutChange::Replace(policy.clone())).unwrap();
            let found = connection.get(GetTimeouts::Named(policy.name.clone())).unwrap();
            assert_eq!(found.get(state), Some(78));
            // The defaults are not touched by it, and can be set.
            let defaults = GetTimeouts::Defaults(family, protocol);
            let before = connection.get(defaults.clone()).unwrap();
            assert_ne!(before.get(state), Some(78), "{before:?}");
            connection.run(TimeoutChange::SetDefaults(policy.clone())).unwrap();
            let after = connection.get(defaults).unwrap();
            assert_eq!(after.get(state), Some(78), "{after:?}");
            made.push(policy);
        }
        assert_eq!(all(&mut connection, ListTimeouts).len(), made.len());
        assert!(connection.run(TimeoutChange::Delete("".into())).is_err());
        assert_eq!(errno(connection.run(TimeoutChange::Delete("x".into()))), Errno::ENOENT);
        assert_eq!(all(&mut connection, ListTimeouts).len(), made.len());
        connection.run(TimeoutChange::Delete(made[0].name.clone())).unwrap();
        assert_eq!(all(&mut connection, ListTimeouts).len(), made.len() - 1);
        connection.run(TimeoutChange::Flush).unwrap();
        assert_eq!(all(&mut connection, ListTimeouts), []);
        let gone = connection.get(GetTimeouts::Named("p1".into()));
        assert_eq!(errno(gone), Errno::ENOENT);
    });
}
