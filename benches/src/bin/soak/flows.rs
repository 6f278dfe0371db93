//! Tracked connections: each change asked for is one event, so what was announced is known exactly.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nl_conntrack::{Change, Flow, Flush, IpProtocol, Tuple};
use nl_socket::Connection;
use nl_testkit::Rng;
use nl_wire::value::Family;

use crate::child::Reader;
use crate::report::{Fault, Row};

/// How many flows there are about.
const FLOWS: usize = 20_000;

/// Changes of a round.
const BURST: usize = 10_000;

/// Rounds after which the table has its full size, and faults begin.
const FULL: u64 = 3;

/// Rounds from one checkpoint to the next.
const ROUNDS: u64 = 10;

const FAULTS: [Fault; 4] = [Fault::Flood, Fault::Stop, Fault::Tiny, Fault::Flush];

/// The flow that has this number; no flow lasts so long that it ends by itself.
fn flow(number: u32) -> Flow {
    let (source, destination): (IpAddr, IpAddr) = if number % 2 == 0 {
        let bits = u32::from(Ipv4Addr::new(10, 0, 0, 0)) | (number & 0xff_ffff);
        (Ipv4Addr::from(bits).into(), Ipv4Addr::new(192, 0, 2, 1).into())
    } else {
        let [.., a, b, c, d] = number.to_be_bytes().map(u16::from);
        let source = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, a, b, c, d);
        (source.into(), Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1).into())
    };
    let tuple = Tuple::with_ports(IpProtocol::UDP, (source, 1000), (destination, 53));
    Flow { timeout: Some(86_400), ..Flow::new(tuple) }
}

/// The flows there are, by number.
#[derive(Default)]
struct Table {
    flows: Vec<u32>,
    next: u32,
}

impl Table {
    fn change(&mut self, rng: &mut Rng) -> Change {
        let grow = if self.flows.len() < FLOWS { 5 } else { 3 };
        match rng.below(10) {
            _ if self.flows.is_empty() => {}
            0 | 1 => {
                let number = *rng.pick(&self.flows);
                return Change::update(Flow { mark: Some(rng.next_u32()), ..flow(number) });
            }
            choice if choice >= 2 + grow => {
                let index = rng.below(self.flows.len());
                return Change::delete(flow(self.flows.swap_remove(index)));
            }
            _ => {}
        }
        self.next += 1;
        self.flows.push(self.next);
        Change::create(flow(self.next))
    }
}

/// Makes that many events.
pub(crate) fn run(events: u64, rng: &mut Rng) -> Row {
    let mut connection = Connection::open(Family::NETFILTER).expect("a connection");
    let mut reader = Reader::start("flows");
    let (mut table, mut row, mut round) = (Table::default(), Row::new("flows"), 0);
    while row.announced < events {
        round += 1;
        let fault = if round > FULL && rng.one_in(3) { *rng.pick(&FAULTS) } else { Fault::None };
        row.fault(fault);
        reader.begin(fault);
        let left = usize::try_from(events - row.announced).unwrap_or(usize::MAX).min(BURST);
        for start in (0..left).step_by(reader.room) {
            let count = reader.room.min(left - start);
            let changes: Vec<Change> = (0..count).map(|_| table.change(rng)).collect();
            for result in connection.batch(changes) {
                result.expect("a change of a flow that is as it was left");
            }
            row.changes += count as u64;
            row.announced += count as u64;
            if fault == Fault::None {
                reader.ask("sync");
            }
        }
        if fault == Fault::Flush {
            connection.run(Flush::default()).expect("a flush");
            row.changes += 1;
            row.announced += table.flows.len() as u64;
            table.flows.clear();
        }
        reader.end(fault);
        if round % ROUNDS == 0 || row.announced >= events {
            let report = reader.ask("compare");
            assert_eq!(report.entries, table.flows.len() as u64, "{report:?}");
            row.check(report, row.announced > events / 2);
        }
    }
    connection.run(Flush::default()).expect("a flush");
    row.finish()
}
