//! Namespaces that come and go while their routes change, mirrored all together.

use std::net::Ipv4Addr;

use nl_route::request::Change;
use nl_route::{Prefix, Route};
use nl_socket::{Connection, Netns};
use nl_testkit::{Rng, sh};
use nl_wire::value::{AddressFamily, Family};

use crate::child::Reader;
use crate::report::{Fault, Row};

/// How many there are at once, at most.
const NAMESPACES: usize = 8;

/// Routes made in each round in each.
const BURST: u32 = 50;

/// Rounds from one checkpoint to the next.
const ROUNDS: u64 = 10;

const FAULTS: [Fault; 3] = [Fault::Stop, Fault::Tiny, Fault::Interface];

/// Makes routes through an interface, then takes every third away again.
fn churn(name: &str, interface: u32, round: u64, row: &mut Row) {
    let netns = Netns::named(name).expect("the namespace is mounted");
    let mut connection = Connection::open_in(Family::ROUTE, &netns).expect("a connection");
    let base = u32::from(Ipv4Addr::new(10, 0, 0, 0)) | (u32::try_from(round).unwrap_or(0) << 8);
    let route = |number: u32| Route {
        family: AddressFamily::INET,
        destination: Some(Prefix { address: Ipv4Addr::from(base | number).into(), length: 32 }),
        oif: Some(interface),
        ..Route::default()
    };
    let add = (0..BURST).map(|number| Change::add(route(number)));
    let delete = (0..BURST).step_by(3).map(|number| Change::delete(route(number)));
    for result in connection.batch(add.chain(delete)) {
        result.expect("a change of a route that is as it was left");
        row.changes += 1;
    }
}

/// Makes that many rounds, of which each brings a namespace and some take one away.
pub(crate) fn run(rounds: u64, rng: &mut Rng) -> Row {
    let mut reader = Reader::start("namespaces");
    let mut row = Row::new("namespaces");
    let mut names: Vec<String> = Vec::new();
    for round in 1..=rounds {
        let fault = if rng.one_in(3) { *rng.pick(&FAULTS) } else { Fault::Namespace };
        row.fault(fault);
        reader.begin(fault);
        let name = format!("n{round}");
        sh(&format!(
            "ip netns add {name}
            ip -n {name} link set lo up
            ip -n {name} link add east index 10 type veth peer name west index 11
            ip -n {name} link set east up"
        ));
        names.push(name);
        for name in &names {
            churn(name, if rng.one_in(2) { 1 } else { 10 }, round, &mut row);
        }
        if fault == Fault::Interface {
            let name = rng.pick(&names);
            sh(&format!(
                "ip -n {name} link del east
                ip -n {name} link add east index 10 type veth peer name west index 11
                ip -n {name} link set east up"
            ));
        }
        while names.len() > NAMESPACES || (fault == Fault::Namespace && names.len() > 1) {
            let name = names.swap_remove(rng.below(names.len()));
            sh(&format!("ip netns del {name}"));
            if names.len() <= NAMESPACES && rng.one_in(2) {
                break;
            }
        }
        reader.end(fault);
        if round % ROUNDS == 0 || round == rounds {
            let report = reader.ask("compare");
            // Nobody else hears all of them.
            row.announced = report.events + report.lost;
            row.check(report, round > rounds / 2);
        }
    }
    row.finish()
}
