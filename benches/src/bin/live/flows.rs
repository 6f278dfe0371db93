//! Listing tracked connections.

use std::fs;
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

use nl_conntrack::{Change, Flow, Get, IpProtocol, List, ProtocolInfo, Status, TcpState, Tuple};
use nl_socket::{Connection, Replies, parallel};
use nl_wire::Errno;
use nl_wire::value::Family;

use crate::measure::{self, Candidate, Result, Row, Sample};
use crate::{Setup, has};

/// Tables larger than this do not fit what a host tracks by default.
const MOST: usize = 250_000;

pub(crate) fn open() -> std::result::Result<Connection, nl_socket::Error> {
    Connection::open(Family::NETFILTER)
}

/// Whether the kernel tracks connections and tells of them; says so if not.
pub(crate) fn are_tracked() -> bool {
    // The answer of a kernel that does is that there is no such flow.
    let answer = open().and_then(|mut connection| connection.get(Get::PROBE).map(drop));
    match answer {
        Err(error) if error.errno() != Some(Errno::ENOENT) => {
            println!("left out: tracked connections: {error}");
            false
        }
        _ => true,
    }
}

/// Flow `number`: of IPv4 and IPv6, TCP and UDP in turns.
pub(crate) fn flow(number: usize) -> Flow {
    let bytes = u32::try_from(number).unwrap_or_default().to_be_bytes();
    let [_, a, b, c] = bytes;
    let ends = if number % 2 == 0 {
        ([10, a, b, c].into(), [192, 0, 2, 1].into())
    } else {
        let low = u16::from_be_bytes([b, c]);
        ([0xfd00, 0, 0, 0, 0, 0, a.into(), low].into(), [0xfd00, 0, 0, 0, 0, 0, 1, 1].into())
    };
    let tcp = number % 4 < 2;
    let protocol = if tcp { IpProtocol::TCP } else { IpProtocol::UDP };
    let tuple = Tuple::with_ports(protocol, (ends.0, 1024 + u16::from(c)), (ends.1, 443));
    Flow {
        timeout: Some(100_000),
        status: Some(Status::SEEN_REPLY | Status::ASSURED),
        protocol_info: tcp.then_some(ProtocolInfo::tcp(TcpState::ESTABLISHED)),
        ..Flow::new(tuple)
    }
}

/// Makes flows.
pub(crate) fn fill(numbers: std::ops::Range<usize>) -> Result<()> {
    let mut connection = open()?;
    for result in connection.batch(numbers.map(|number| Change::create(flow(number)))) {
        result?;
    }
    Ok(())
}

/// As gateways have it.
pub(crate) fn account() {
    for name in ["acct", "timestamp"] {
        let _ = fs::write(format!("/proc/sys/net/netfilter/nf_conntrack_{name}"), "1");
    }
}

/// How many flows a dump gives, each decoded.
fn count(replies: Replies<'_, List>) -> Result<usize> {
    let mut count = 0;
    for item in replies {
        // Looked at where it is: a `?` alone would move it.
        match black_box(&item) {
            Ok(flow) => count += usize::from(flow.timeout.is_some()),
            Err(_) => drop(item?),
        }
    }
    Ok(count)
}

fn list() -> Result<(Sample, usize)> {
    measure::here(|| count(open()?.dump(List::default())?))
}

fn list_ahead() -> Result<(Sample, usize)> {
    let mut connection = open()?;
    connection.read_ahead()?;
    measure::threads(|| count(connection.dump(List::default())?))
}

fn list_in_parallel() -> Result<(Sample, usize)> {
    let begin = Instant::now();
    let read = |replies: Replies<'_, List>| {
        // Errors of this program are not sent between threads.
        measure::here(|| count(replies)).map_err(|error| error.to_string())
    };
    let mut total = (Sample::default(), 0);
    for part in parallel(List::default().by_family(), open, read) {
        let (sample, count) = part??;
        total.0.cpu += sample.cpu;
        total.1 += count;
    }
    total.0.wall = begin.elapsed();
    Ok(total)
}

pub(crate) fn run(setup: &Setup, end: Instant) -> Result<Vec<(usize, Vec<Row>)>> {
    let fits = fs::read_to_string("/proc/sys/net/netfilter/nf_conntrack_max");
    let fits = fits.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(MOST).min(MOST);
    let conntrack = has("conntrack");
    account();
    measure::heading("Listing tracked connections, both families, counters and times on");
    let (mut tables, mut filled) = (Vec::new(), 0);
    for size in setup.sizes_to(fits) {
        fill(filled..size)?;
        filled = size;
        let mut candidates = Vec::new();
        if let Some(floor) = &setup.floor {
            candidates.push(Candidate::new("receive and discard (C)", move || {
                measure::told(Command::new(floor).args(["dump", "12", "257"]))
                    .map(|it| (it.0, size))
            }));
        }
        candidates.push(Candidate::new("Connection::dump, all fields", list));
        candidates.push(Candidate::new("the same, read_ahead", list_ahead));
        candidates.push(Candidate::new("parallel, two families", list_in_parallel));
        if let Some(peer) = &setup.peer {
            candidates.push(Candidate::new("libnetfilter_conntrack (C)", move || {
                measure::told(Command::new(peer).arg("list"))
            }));
        }
        let run = |command: &mut Command| measure::program(command).map(|sample| (sample, size));
        if conntrack {
            candidates.push(Candidate::new("conntrack -L", move || {
                run(Command::new("conntrack").arg("-L"))
            }));
        }
        if let Some(nlctl) = &setup.nlctl {
            candidates.push(Candidate::new("nlctl conntrack list", move || {
                run(Command::new(nlctl).args(["conntrack", "list"]))
            }));
            candidates.push(Candidate::new("nlctl -j conntrack list", move || {
                run(Command::new(nlctl).args(["-j", "conntrack", "list"]))
            }));
        }
        let rows = measure::rounds(setup.rounds, end, &mut candidates)?;
        measure::print(size, &rows);
        if let Some(row) = rows.iter().find(|row| row.entries != size) {
            return Err(format!("{} saw {} of {size} flows", row.name, row.entries).into());
        }
        tables.push((size, rows));
    }
    open()?.run(nl_conntrack::Flush::default())?;
    Ok(tables)
}
