//! Sends packets through a tunnel as a VPN client does: all but its own by a rule, into a table of
//! 5,000 routes; and follows the links and default routes beneath. Runs in a network namespace of its
//! own, without privilege:
//!
//! ```sh
//! cargo run -p nl-route --example vpn
//! ```

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use nl_route::filter::RouteFilter;
use nl_route::{
    Address, Change, Event, GetLink, GetRoute, Group, Link, LinkFlags, List, Prefix, Route, Rule,
    RuleFlags, TableId,
};
use nl_socket::{Connection, Events, Wait, netns};
use nl_wire::{Errno, value::Family};

const TABLE: TableId = TableId(51820);
/// What the tunnel's own packets are marked with.
const MARK: u32 = 0xca6c;

/// Makes the tunnel, of the first kind that this kernel has, and gives its index.
fn tunnel(kernel: &mut Connection, name: &str) -> Result<u32, nl_socket::Error> {
    let mut made = Err(nl_socket::Error::NoReply);
    for kind in ["wireguard", "dummy", "ifb"] {
        let link = Link { mtu: Some(1420), ..Link::of_kind(name, kind).up() };
        made = kernel.run_unless(Change::add(link), Errno::EEXIST);
        match &made {
            Err(error) if error.errno() == Some(Errno::EOPNOTSUPP) => println!("{kind}: {error}"),
            _ => break,
        }
    }
    made?;
    Ok(kernel.get(GetLink::named(name))?.index)
}

/// Packets without the mark look into the tunnel's table, if the main one knows no way but a default.
fn rules() -> [Rule; 2] {
    let main = Rule {
        suppress_prefix_length: Some(0),
        table: TableId::MAIN,
        priority: Some(999),
        ..Rule::default()
    };
    let tunnel = Rule {
        fwmark: Some(MARK),
        flags: RuleFlags::INVERT,
        table: TABLE,
        priority: Some(1000),
        ..Rule::default()
    };
    [main, tunnel]
}

/// 5,000 routes, some of which no kernel takes.
fn routes(tunnel: u32) -> impl Iterator<Item = Route> {
    let prefix = |number: u32| {
        let address = Ipv4Addr::from_bits((100 << 24) | (number << 8)).into();
        Prefix { address, length: 24 }
    };
    (0..5000).map(move |number| Route {
        destination: Some(prefix(number)),
        oif: Some(tunnel),
        gateway: (number % 1000 == 999).then_some([203, 0, 113, 9].into()),
        table: TABLE,
        ..Route::default()
    })
}

/// The default routes of the main table.
fn defaults(kernel: &mut Connection) -> Result<Vec<Route>, nl_socket::Error> {
    let filter = RouteFilter { table: Some(TableId::MAIN), ..RouteFilter::default() };
    let routes = kernel.dump(List::<Route> { filter })?;
    routes.filter(|it| it.as_ref().map_or(true, |it| it.destination.is_none())).collect()
}

/// Follows links and default routes for a while. Where events do not say it, the table does.
fn follow(events: &mut Events, kernel: &mut Connection) -> Result<(), Box<dyn Error>> {
    let mut stale = false;
    while let Some(event) = events.next(Wait::at_most(Duration::from_millis(200)))? {
        let message = match event {
            nl_socket::Event::Message { message, .. } => message,
            nl_socket::Event::Loss(loss) => {
                println!("{loss}");
                stale = true;
                continue;
            }
        };
        match Event::decode(&message)? {
            Some(Event::Link(link)) => {
                let Link { name, flags, .. } = link.object;
                let up = flags.contains(LinkFlags::LOWER_UP);
                println!("link {}: {}", name.unwrap_or_default(), if up { "up" } else { "down" });
                // With it go the IPv4 routes that use it, without an event.
                stale |= !up;
            }
            Some(Event::Route(Change { action, object })) if object.destination.is_none() => {
                println!("default route, {action:?}: {:?}", object.gateway);
            }
            _ => {}
        }
    }
    if stale {
        println!("listed again: {} default routes", defaults(kernel)?.len());
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    netns::enter_private()?;
    let mut kernel = Connection::open(Family::ROUTE)?;
    let endpoint: IpAddr = [192, 0, 2, 77].into();

    // The host's own way to the world: a wire, whose other end stays unused, and a default route.
    kernel.run(Change::add(Link::veth("up0", Link::named("up1"))?.up()))?;
    kernel.run(Change::change(Link::named("up1").up()))?;
    let uplink = kernel.get(GetLink::named("up0"))?.index;
    kernel.run(Change::add(Address::new(uplink, "198.51.100.2/24".parse()?)))?;
    let gateway = Some([198, 51, 100, 1].into());
    kernel.run(Change::add(Route { gateway, ..Route::default() }))?;

    let tunnel = tunnel(&mut kernel, "vpn0")?;
    kernel.run(Change::replace(Address::new(tunnel, "10.99.0.2/32".parse()?)))?;
    for rule in rules() {
        kernel.run_unless(Change::add(rule), Errno::EEXIST)?;
    }
    for (route, result) in routes(tunnel).zip(kernel.batch(routes(tunnel).map(Change::replace))) {
        if let (Some(destination), Err(error)) = (route.destination, result) {
            println!("{destination}: {error}");
        }
    }

    let way = kernel.get(GetRoute::new([100, 0, 3, 4].into()))?;
    println!("100.0.3.4 goes through the tunnel: {}", way.oif == Some(tunnel));
    let way = kernel.get(GetRoute { mark: Some(MARK), ..GetRoute::new(endpoint) })?;
    println!("the tunnel itself goes to {:?}", way.gateway);

    let groups = [Group::LINK, Group::IPV4_ROUTE, Group::IPV6_ROUTE];
    let mut events = Events::open(Family::ROUTE, &groups)?;
    let gateway = Some([198, 51, 100, 9].into());
    kernel.run(Change::replace(Route { gateway, ..Route::default() }))?;
    kernel.run(Change::change(Link::indexed(uplink).down()))?;
    follow(&mut events, &mut kernel)?;

    for result in kernel.batch(rules().map(Change::delete)) {
        result?;
    }
    kernel.run(Change::delete(Link::indexed(tunnel)))?;
    Ok(())
}
