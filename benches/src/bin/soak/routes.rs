//! Routes, whose interfaces go down and away. What the kernel announces then is counted by a
//! listener beside, which reads after every few changes and loses nothing.

use std::net::{Ipv4Addr, Ipv6Addr};

use nl_route::request::Change;
use nl_route::{Prefix, Route};
use nl_socket::{Connection, Event, Events, Socket, Wait};
use nl_testkit::{Rng, sh, wait_until};
use nl_watch::{Object as _, Routes};
use nl_wire::value::{AddressFamily, Family};

use crate::child::Reader;
use crate::report::{Fault, Row};

/// Changes of a round.
const BURST: usize = 2000;

/// Changes between two looks of the listener beside.
const STRIDE: usize = 100;

/// Rounds after which the table has its full size, and faults begin.
const FULL: u64 = 3;

/// Rounds from one checkpoint to the next.
const ROUNDS: u64 = 20;

const FAULTS: [Fault; 5] = [Fault::Flood, Fault::Stop, Fault::Tiny, Fault::Flush, Fault::Interface];

/// Interfaces, each one end of a pair.
const INTERFACES: [&str; 2] = ["east", "west"];

struct World {
    connection: Connection,
    listener: Events,
    heard: u64,
    /// The index of each interface, and the routes through it.
    interfaces: [(u32, Vec<u32>); INTERFACES.len()],
    next: u32,
    /// As many routes as the receive buffer has room for events: all may go at once.
    most: usize,
}

fn route(number: u32, interface: u32) -> Route {
    let (family, address, length) = if number % 2 == 0 {
        let bits = u32::from(Ipv4Addr::new(10, 0, 0, 0)) | (number & 0xff_ffff);
        (AddressFamily::INET, Ipv4Addr::from(bits).into(), 32)
    } else {
        let bits = u128::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0)) | u128::from(number);
        (AddressFamily::INET6, Ipv6Addr::from(bits).into(), 128)
    };
    let destination = Some(Prefix { address, length });
    Route { family, destination, oif: Some(interface), ..Route::default() }
}

impl World {
    /// Makes an interface; gives its index.
    fn make(name: &str) -> u32 {
        sh(&format!("ip link add {name} type veth peer name {name}1; ip link set {name} up"));
        let index =
            sh(&format!("cat /sys/class/net/{name}/ifindex 2>/dev/null || ip -o link show {name}"));
        let index = index.split([':', '\n']).next().and_then(|word| word.trim().parse().ok());
        index.expect("an interface has an index")
    }

    /// Counts what was announced since the last look.
    fn listen(&mut self) {
        while let Some(event) = self.listener.next(Wait::Never).expect("events") {
            assert!(matches!(event, Event::Message { .. }), "the listener beside: {event:?}");
            self.heard += 1;
        }
    }

    fn count(&self) -> usize {
        self.interfaces.iter().map(|(_, routes)| routes.len()).sum()
    }

    fn change(&mut self, rng: &mut Rng) -> Change<Route> {
        let full = self.count() >= self.most;
        let index = rng.below(INTERFACES.len());
        let (interface, routes) = &mut self.interfaces[index];
        let choice = rng.below(10);
        if !routes.is_empty() && (full || choice < 5) {
            let position = rng.below(routes.len());
            if choice < 2 {
                // The same route through the other interface.
                let number = routes.swap_remove(position);
                let (interface, routes) = &mut self.interfaces[(index + 1) % INTERFACES.len()];
                routes.push(number);
                return Change::replace(route(number, *interface));
            }
            return Change::delete(route(routes.swap_remove(position), *interface));
        }
        self.next += 1;
        routes.push(self.next);
        Change::add(route(self.next, *interface))
    }

    fn run(&mut self, changes: Vec<Change<Route>>, row: &mut Row) {
        row.changes += changes.len() as u64;
        for result in self.connection.batch(changes) {
            result.expect("a change of a route that is as it was left");
        }
        self.listen();
    }

    /// Takes an interface down or away, and its routes with it.
    fn lose(&mut self, rng: &mut Rng) {
        let index = rng.below(INTERFACES.len());
        let name = INTERFACES[index];
        if rng.one_in(2) {
            sh(&format!("ip link set {name} down; ip link set {name} up"));
        } else {
            sh(&format!("ip link del {name}"));
            self.interfaces[index].0 = Self::make(name);
        }
        self.interfaces[index].1.clear();
        self.listen();
    }

    fn flush(&mut self, row: &mut Row) {
        for index in 0..INTERFACES.len() {
            let (interface, routes) = &mut self.interfaces[index];
            let interface = *interface;
            let routes = std::mem::take(routes);
            for part in routes.chunks(STRIDE) {
                let delete = |number: &u32| Change::delete(route(*number, interface));
                self.run(part.iter().map(delete).collect(), row);
            }
        }
    }
}

/// Makes that many changes.
pub(crate) fn run(changes: u64, rng: &mut Rng) -> Row {
    let _ = std::fs::write("/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1");
    let mut reader = Reader::start("routes");
    let socket = Socket::open(Family::ROUTE.0).expect("a socket");
    socket.set_receive_buffer(4 << 20).expect("a buffer");
    let connection = Connection::open(Family::ROUTE).expect("a connection");
    let listener = Events::new(socket, Routes::GROUPS).expect("events");
    // Both listen before anything happens, or one would hear more.
    sh("ip link set lo up");
    let interfaces = INTERFACES.map(|name| (World::make(name), Vec::new()));
    let (next, most) = (0, reader.room * 3 / 4);
    let mut world = World { connection, listener, heard: 0, interfaces, next, most };
    let (mut row, mut round) = (Row::new("routes"), 0);
    while row.changes < changes {
        round += 1;
        let fault = if round > FULL && rng.one_in(3) { *rng.pick(&FAULTS) } else { Fault::None };
        row.fault(fault);
        reader.begin(fault);
        let left = usize::try_from(changes - row.changes).unwrap_or(usize::MAX).min(BURST);
        for start in (0..left).step_by(STRIDE) {
            if fault == Fault::Interface && start == left / 2 / STRIDE * STRIDE {
                world.lose(rng);
            }
            let batch = (start..left.min(start + STRIDE)).map(|_| world.change(rng)).collect();
            world.run(batch, &mut row);
            if fault == Fault::None {
                reader.ask("sync");
            }
        }
        if fault == Fault::Flush {
            world.flush(&mut row);
        }
        reader.end(fault);
        if round % ROUNDS == 0 || row.changes >= changes {
            // Carriers are told of late; both must have heard the same.
            let mut report = reader.ask("compare");
            wait_until("listeners to agree", || {
                world.listen();
                row.announced = world.heard;
                row.adds_up(&report) || {
                    report = reader.ask("compare");
                    false
                }
            });
            row.check(report, row.changes > changes / 2);
        }
    }
    row.finish()
}
