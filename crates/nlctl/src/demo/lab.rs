//! The demo's little world: this process's own namespace and a server's, joined by a cable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::{AsFd as _, AsRawFd as _};

use nl_route::link::LinkInfo;
use nl_route::route::{Hop, Metrics};
use nl_route::tables::kind::VETH_INFO_PEER;
use nl_route::tables::link::{IFLA_IFNAME, IFLA_NET_NS_FD};
use nl_route::tables::route::RTAX_MTU;
use nl_route::{
    Address, AddressFlags, Change, GetLink, Link, LinkFlags, Prefix, Route, RouteProtocol,
    RouteType, Scope,
};
use nl_socket::{Connection, Error, Netns};
use nl_wire::Writer;
use nl_wire::value::Family;

/// This side's addresses; the second is for translated connections.
pub(super) const HERE: [Ipv4Addr; 2] = [Ipv4Addr::new(10, 77, 0, 1), Ipv4Addr::new(10, 77, 0, 100)];
/// The server's addresses.
pub(super) const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 2);
pub(super) const SERVER6: Ipv6Addr = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 2);
const HERE6: Ipv6Addr = Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, 1);
/// Nobody has this address: connections to it are translated.
pub(super) const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(10, 77, 9, 9);

/// The name of both ends of the cable.
pub(super) const CABLE: &str = "uplink";

/// What was built.
pub(super) struct Lab {
    /// The server's namespace.
    pub(super) server: Netns,
    /// The index of this side's end of the cable.
    pub(super) cable: u32,
    /// For further changes here.
    pub(super) connection: Connection,
}

impl Lab {
    /// Builds it in the namespace that this process is in. `connection` is one of that namespace.
    pub(super) fn build(mut connection: Connection) -> Result<Self, Error> {
        let server = Netns::create()?;
        connection.run(cable(&server)?)?;
        let mut there = Connection::open_in(Family::ROUTE, &server)?;
        let here = [HERE.map(IpAddr::V4).to_vec(), vec![IpAddr::V6(HERE6)]].concat();
        let cable = settle(&mut connection, &here)?;
        settle(&mut there, &[SERVER.into(), SERVER6.into()])?;
        Ok(Self { server, cable, connection })
    }

    /// Routes as an ordinary host has them, and many more of one kind.
    pub(super) fn routes(&self) -> Vec<Change<Route>> {
        let base = Route { protocol: RouteProtocol::STATIC, ..Route::default() };
        let to = |text: &str| text.parse::<Prefix>().ok();
        let many = (0..200).map(|number| Route {
            destination: Prefix::new([10, 100, number, 0].into(), 24),
            gateway: Some(SERVER.into()),
            ..base.clone()
        });
        let many6 = (1..=48).map(|number| Route {
            destination: Prefix::new([0xfd77, number, 0, 0, 0, 0, 0, 0].into(), 48),
            gateway: Some(SERVER6.into()),
            ..base.clone()
        });
        let hop = |last, hops| Hop {
            gateway: Some([10, 77, 0, last].into()),
            ifindex: self.cable,
            weight: hops,
            ..Hop::default()
        };
        let metrics = Metrics::from([(RTAX_MTU, 1400)]);
        let few = [
            Route { gateway: Some(SERVER.into()), ..base.clone() },
            Route {
                destination: to("198.51.100.0/24"),
                multipath: vec![hop(2, 1), hop(3, 2)],
                ..base.clone()
            },
            Route {
                destination: to("203.0.113.0/24"),
                gateway: Some(SERVER.into()),
                metrics,
                ..base.clone()
            },
            Route { destination: to("192.0.2.0/24"), kind: RouteType::BLACKHOLE, ..base.clone() },
        ];
        many.chain(many6).chain(few).map(Change::add).collect()
    }

    /// A route whose second hop can't be reached.
    pub(super) fn refused_route(&self) -> Change<Route> {
        let hop = |address: [u8; 4]| Hop {
            gateway: Some(address.into()),
            ifindex: self.cable,
            ..Hop::default()
        };
        Change::add(Route {
            destination: "198.18.0.0/15".parse().ok(),
            multipath: vec![hop([10, 77, 0, 2]), hop([172, 16, 0, 1])],
            ..Route::default()
        })
    }
}

/// The request for a veth pair, one end here and one in `server`.
fn cable(server: &Netns) -> Result<Change<Link>, Error> {
    let fd = u32::try_from(server.as_fd().as_raw_fd()).unwrap_or_default();
    let mut peer = Vec::new();
    Writer::attributes(&mut peer)
        .nest(VETH_INFO_PEER, |w| {
            w.fixed(&[0; 16]); // struct ifinfomsg: nothing to say
            w.text(IFLA_IFNAME, CABLE.as_bytes())?;
            w.u32(IFLA_NET_NS_FD, fd);
            Ok(())
        })
        .map_err(Error::Unencodable)?;
    let info = LinkInfo { kind: Some("veth".into()), raw_data: Some(peer), ..LinkInfo::default() };
    let info = Some(Box::new(info));
    Ok(Change::add(Link { name: Some(CABLE.into()), info, ..Link::default() }))
}

/// Brings a namespace's loopback and its end of the cable up, with these addresses; gives the
/// index of the latter.
fn settle(connection: &mut Connection, addresses: &[IpAddr]) -> Result<u32, Error> {
    let cable = connection.get(GetLink::Name(CABLE.into()))?.index;
    for index in [1, cable] {
        let (flags, change) = (LinkFlags::UP, LinkFlags::UP);
        connection.run(Change::change(Link { index, flags, change, ..Link::default() }))?;
    }
    for &address in addresses {
        let prefix_length = if address.is_ipv4() { 24 } else { 64 };
        connection.run(Change::add(Address {
            index: cable,
            prefix_length,
            address: Some(address),
            local: Some(address),
            scope: Scope::UNIVERSE,
            // Without, an IPv6 address is unusable for a second or two.
            flags: if address.is_ipv4() { AddressFlags(0) } else { AddressFlags::NODAD },
            ..Address::default()
        }))?;
    }
    Ok(cable)
}
