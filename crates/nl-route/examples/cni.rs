//! Connects a container to a bridge as a CNI plugin does: ADD, CHECK and DEL, each of which may be
//! repeated. Runs in network namespaces of its own, without privilege:
//!
//! ```sh
//! cargo run -p nl-route --example cni
//! ```

use std::error::Error;
use std::os::fd::{AsFd as _, AsRawFd as _};

use nl_route::filter::AddressFilter;
use nl_route::{
    Address, Change, GetLink, GetRoute, Link, LinkFlags, List, Neighbour, Prefix, Route,
};
use nl_socket::{Connection, Netns, netns};
use nl_wire::{Errno, value::Family};

/// What a plugin is told.
struct Attachment<'a> {
    bridge: &'a str,
    gateway: Prefix,
    outer: &'a str,
    container: &'a Netns,
    inner: &'a str,
    address: Prefix,
    mtu: u32,
}

/// Both ends of the wire. The thread stays where it is.
fn open(container: &Netns) -> Result<(Connection, Connection), nl_socket::Error> {
    Ok((Connection::open(Family::ROUTE)?, Connection::open_in(Family::ROUTE, container)?))
}

fn add(to: &Attachment<'_>) -> Result<(), Box<dyn Error>> {
    let (mut host, mut container) = open(to.container)?;

    host.run_unless(Change::add(Link::of_kind(to.bridge, "bridge")), Errno::EEXIST)?;
    let bridge = host.get(GetLink::named(to.bridge))?;
    host.run(Change::replace(Address::new(bridge.index, to.gateway)))?;
    host.run(Change::change(Link::indexed(bridge.index).up()))?;

    // The peer is made in the container, so that its name disturbs nobody here.
    if container.find(GetLink::named(to.inner))?.is_none() {
        let peer = Link {
            mtu: Some(to.mtu),
            netns_fd: Some(to.container.as_fd().as_raw_fd()),
            ..Link::named(to.inner)
        };
        let wire = Link::veth(to.outer, peer)?.up();
        let wire = Link { mtu: Some(to.mtu), master: Some(bridge.index), ..wire };
        host.run(Change::add(wire))?;
    }

    let inner = container.get(GetLink::named(to.inner))?.index;
    container.run(Change::replace(Address::new(inner, to.address)))?;
    for link in [1, inner] {
        container.run(Change::change(Link::indexed(link).up()))?;
    }
    let gateway = Some(to.gateway.address);
    container.run(Change::replace(Route { gateway, oif: Some(inner), ..Route::default() }))?;
    // A bridge takes the address of a port unless it has one of its own: ask again.
    let neighbour = Neighbour {
        index: inner,
        destination: gateway,
        link_address: host.get(GetLink::named(to.bridge))?.address,
        ..Neighbour::default()
    };
    container.run(Change::replace(neighbour))?;
    Ok(())
}

fn check(to: &Attachment<'_>) -> Result<(), Box<dyn Error>> {
    let (mut host, mut container) = open(to.container)?;
    let bridge = host.find(GetLink::named(to.bridge))?.ok_or("the bridge is gone")?;
    let outer = host.find(GetLink::named(to.outer))?.ok_or("the wire is gone")?;
    let inner = container.find(GetLink::named(to.inner))?.ok_or("the container's link is gone")?;

    let filter = AddressFilter { index: Some(inner.index), ..AddressFilter::default() };
    let addresses: Vec<Address> = container.dump(List { filter })?.collect::<Result<_, _>>()?;
    let way = container.get(GetRoute::new([192, 0, 2, 1].into()))?;
    let facts = [
        ("a port of the bridge", outer.master == Some(bridge.index)),
        ("the MTU", inner.mtu == Some(to.mtu)),
        ("up", inner.flags.contains(LinkFlags::UP)),
        ("the address", addresses.iter().any(|it| it.own() == Some(to.address.address))),
        ("the default route", way.gateway == Some(to.gateway.address)),
    ];
    match facts.into_iter().find(|(_, holds)| !holds) {
        Some((what, _)) => Err(format!("not as it was made: {what}").into()),
        None => Ok(()),
    }
}

fn delete(to: &Attachment<'_>) -> Result<bool, nl_socket::Error> {
    // The peer goes with it, and with that its addresses and routes.
    Connection::open(Family::ROUTE)?
        .run_unless(Change::delete(Link::named(to.outer)), Errno::ENODEV)
}

fn main() -> Result<(), Box<dyn Error>> {
    netns::enter_private()?;
    let container = Netns::create()?;
    let to = Attachment {
        bridge: "cni0",
        gateway: "10.22.0.1/24".parse()?,
        outer: "veth0",
        container: &container,
        inner: "eth0",
        address: "10.22.0.5/24".parse()?,
        mtu: 1400,
    };
    for _ in 0..2 {
        add(&to)?;
        check(&to)?;
        println!("{} has {} on {}", to.inner, to.address, to.bridge);
    }
    println!("with another MTU: {}", check(&Attachment { mtu: 1500, ..to }).unwrap_err());
    for _ in 0..2 {
        println!("deleted: {}", delete(&to)?);
    }
    println!("then: {}", check(&to).unwrap_err());

    // A refusal tells what the kernel said of which attribute.
    let nowhere = Route { gateway: Some([203, 0, 113, 9].into()), ..Route::default() };
    let refused = Connection::open(Family::ROUTE)?.run(Change::add(nowhere));
    println!("refused: {}", refused.unwrap_err());
    Ok(())
}
