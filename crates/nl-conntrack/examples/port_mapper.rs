//! What a container runtime that maps ports asks of connection tracking: which flows came through a
//! mapping, mark them, forget those of a container that ends, and hear what they carried. Runs in a
//! network namespace of its own, without privilege:
//!
//! ```sh
//! cargo run -p nl-conntrack --example port_mapper
//! ```

use std::error::Error;
use std::fs;
use std::net::IpAddr;
use std::time::Duration;

use nl_conntrack::event_filter::{End, EventFilter};
use nl_conntrack::{
    Change, Event, EventKind, Filter, Flow, IpProtocol, List, Masked, Status, Tuple, TupleFilter,
    groups,
};
use nl_socket::{Connection, Events, Socket, Wait, netns};
use nl_wire::{Errno, value::Family};

/// The mark of flows through a mapping, in the bits that are ours.
const MARK: Masked<u32> = Masked { value: 0x20, mask: 0xf0 };

fn show(what: &str, flow: &Flow) {
    let packets = [flow.original_counters, flow.reply_counters].map(|it| it.map(|it| it.packets));
    let mark = flow.mark.unwrap_or_default();
    println!("{what}: {}, answered as {}; mark {mark}, {packets:?}", flow.original, flow.reply);
}

/// Flows to `port` whose destination is translated: the kernel picks them out.
fn mapped(port: u16) -> List {
    let to_port = TupleFilter {
        protocol: Some(IpProtocol::TCP),
        destination_port: Some(port),
        ..TupleFilter::default()
    };
    let status = Some(Masked::all(Status::DST_NAT));
    List { filter: Filter { status, ..Filter::default() }, original: to_port, ..List::default() }
}

/// Hears of the ends of a host's flows, and of no others: the filter is there before the first event.
fn ends(host: IpAddr) -> Result<Events, Box<dyn Error>> {
    let concerned = End::ALL.map(|end| EventFilter::address(end, host.into()));
    let socket = Socket::open(Family::NETFILTER)?;
    socket.attach_filter(&EventFilter::Any(concerned.into()).compile()?)?;
    socket.set_receive_buffer(1 << 20)?;
    Ok(Events::new(socket, &[groups::DESTROY])?)
}

/// Forgets the flows of a host, and gives how many these were.
fn forget(kernel: &mut Connection, host: IpAddr) -> Result<usize, nl_socket::Error> {
    let mut forgotten = 0;
    for list in List::of_host(host) {
        let flows = kernel.dump(list)?.collect::<Result<Vec<_>, _>>()?;
        for result in kernel.batch(flows.into_iter().map(Change::delete)) {
            match result {
                Ok(()) => forgotten += 1,
                Err(error) if error.errno() == Some(Errno::ENOENT) => {} // ended meanwhile
                Err(error) => return Err(error),
            }
        }
    }
    Ok(forgotten)
}

fn main() -> Result<(), Box<dyn Error>> {
    netns::enter_private()?;
    // Counters are a setting of each namespace.
    if let Err(error) = fs::write("/proc/sys/net/netfilter/nf_conntrack_acct", "1") {
        println!("flows are not counted: {error}");
    }
    let pod: IpAddr = [10, 0, 0, 5].into();
    let mut kernel = Connection::open(Family::NETFILTER)?;

    // Flows as traffic would make them: two through the mapping of port 8080, one that the container
    // opened, one of somebody else.
    let flow = |client: [u8; 4], server: [u8; 4], port| {
        let tuple =
            Tuple::with_ports(IpProtocol::TCP, (client.into(), 4000), (server.into(), port));
        Change::create(Flow { timeout: Some(600), ..Flow::new(tuple) })
    };
    let to_pod = Some(pod.into());
    let flows = [
        Change { nat_destination: to_pod.clone(), ..flow([10, 0, 0, 7], [192, 0, 2, 1], 8080) },
        Change { nat_destination: to_pod, ..flow([10, 0, 0, 8], [192, 0, 2, 1], 8080) },
        flow([10, 0, 0, 5], [192, 0, 2, 9], 443),
        flow([10, 0, 0, 7], [192, 0, 2, 9], 8080),
    ];
    for result in kernel.batch(flows) {
        result?;
    }

    let through: Vec<Flow> = kernel.dump(mapped(8080))?.collect::<Result<_, _>>()?;
    let marks = through
        .iter()
        .map(|flow| Change { mark_mask: Some(MARK.mask), ..Change::mark(flow, MARK.value) });
    for (flow, result) in through.iter().zip(kernel.batch(marks)) {
        match result {
            Ok(()) => show("marked", flow),
            Err(error) => println!("{}: {error}", flow.original.source),
        }
    }
    let marked =
        List { filter: Filter { mark: Some(MARK), ..Filter::default() }, ..List::default() };
    for flow in kernel.dump(marked)? {
        show("listed by its mark", &flow?);
    }

    let mut ends = ends(pod)?;
    println!("forgotten: {}", forget(&mut kernel, pod)?);
    println!("again: {}", forget(&mut kernel, pod)?);
    while let Some(event) = ends.next(Wait::at_most(Duration::from_millis(200)))? {
        match event {
            nl_socket::Event::Message { message, .. } => {
                if let Some(Event { kind: EventKind::Destroy, flow, .. }) = Event::decode(&message)?
                {
                    show("ended", &flow);
                }
            }
            // Which flows ended unheard, only a list can tell.
            nl_socket::Event::Loss(loss) => println!("{loss}"),
        }
    }
    println!("left: {}", kernel.dump(List::default())?.count());
    Ok(())
}
