//! Adding and deleting routes.

use std::net::Ipv4Addr;

use netlink_bindings::rt_route;
use netlink_socket2::NetlinkSocket;
use nl_route::Change;
use nl_socket::Connection;
use nl_wire::value::Family;
use nlink::netlink::route::Ipv4Route;
use nlink::netlink::types::route::{RouteProtocol, RouteScope};
use rtnetlink::RouteMessageBuilder;

use super::{Result, TABLE, address, block_on, priority, route};

#[derive(Clone, Copy)]
pub enum Verb {
    Add,
    Delete,
}

type Candidate = (&'static str, fn(Verb, u32) -> Result<()>);

pub const CANDIDATES: [Candidate; 5] = [
    ("nl-route, one by one", one_by_one),
    ("nl-route, in batches", batch),
    ("netlink-bindings, netlink-socket2", socket2),
    ("nlink", nlink),
    ("rtnetlink", rtnetlink),
];

fn ours(verb: Verb, number: u32) -> Change<nl_route::Route> {
    match verb {
        Verb::Add => Change::add(route(number)),
        Verb::Delete => Change::delete(route(number)),
    }
}

fn one_by_one(verb: Verb, count: u32) -> Result<()> {
    let mut connection = Connection::open(Family::ROUTE)?;
    (0..count).try_for_each(|number| Ok(connection.run(ours(verb, number))?))
}

pub fn batch(verb: Verb, count: u32) -> Result<()> {
    let mut connection = Connection::open(Family::ROUTE)?;
    let mut results = connection.batch((0..count).map(|number| ours(verb, number)));
    results.try_for_each(|result| Ok(result?))
}

fn socket2(verb: Verb, count: u32) -> Result<()> {
    let mut socket = NetlinkSocket::new();
    let mut header = rt_route::Rtmsg::new();
    header.rtm_family = 2;
    header.rtm_dst_len = 32;
    header.rtm_protocol = 4;
    header.rtm_scope = 253;
    header.rtm_type = 1;
    for number in 0..count {
        macro_rules! send {
            ($request:expr) => {{
                let mut request = $request;
                request
                    .encode()
                    .push_dst(address(number).into())
                    .push_priority(priority(number))
                    .push_oif(1)
                    .push_table(TABLE);
                socket.request(&request)?.recv_ack()?;
            }};
        }
        let request = rt_route::Request::new();
        match verb {
            Verb::Add => send!(request.set_create().set_excl().op_newroute_do(&header)),
            Verb::Delete => send!(request.op_delroute_do(&header)),
        }
    }
    Ok(())
}

fn nlink(verb: Verb, count: u32) -> Result<()> {
    block_on(async {
        let connection = nlink::Connection::<nlink::Route>::new()?;
        for number in 0..count {
            let route = Ipv4Route::new(address(number), 32)
                .dev_index(1)
                .scope(RouteScope::Link)
                .protocol(RouteProtocol::Static)
                .table(TABLE)
                .priority(priority(number));
            match verb {
                Verb::Add => connection.add_route(route).await?,
                Verb::Delete => connection.del_route(route).await?,
            }
        }
        Ok(())
    })
}

fn rtnetlink(verb: Verb, count: u32) -> Result<()> {
    block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection()?;
        tokio::spawn(connection);
        for number in 0..count {
            let route = RouteMessageBuilder::<Ipv4Addr>::new()
                .destination_prefix(address(number), 32)
                .output_interface(1)
                .scope(netlink_packet_route::route::RouteScope::Link)
                .table_id(TABLE)
                .priority(priority(number))
                .build();
            match verb {
                Verb::Add => handle.route().add(route).execute().await?,
                Verb::Delete => handle.route().del(route).execute().await?,
            }
        }
        Ok(())
    })
}
