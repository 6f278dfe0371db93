//! Listing routes.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use neli::consts::nl::NlmF;
use neli::consts::rtnl::{RtAddrFamily, RtScope, RtTable, Rtm, Rtn, Rtprot};
use neli::consts::socket::NlFamily;
use neli::nl::NlPayload;
use neli::router::synchronous::NlRouter;
use neli::rtnl::{Rtmsg, RtmsgBuilder};
use neli::utils::Groups;
use netlink_bindings::rt_route;
use netlink_packet_route::route::RouteMessage;
use netlink_socket2::NetlinkSocket;
use nl_route::{List, Object as _, Route, tables};
use nl_socket::{Connection, Ring, Socket, Wait};
use nl_wire::table::Protocol;
use nl_wire::value::Family;
use nl_wire::{Message, Mode, Request, Writer};
use nlink::netlink::message::NlMsgType;
use nlink::netlink::messages;

use super::{Result, TABLE, block_on};
use crate::c;
use crate::fields::RouteFields;
use crate::rust::route;

/// What was listed: of each route the same fields, in whatever order.
#[derive(Debug)]
pub struct Seen {
    begin: Instant,
    /// How long the first took.
    pub first: Option<Duration>,
    pub count: u32,
    pub sum: u64,
}

impl PartialEq for Seen {
    fn eq(&self, other: &Self) -> bool {
        (self.count, self.sum) == (other.count, other.sum)
    }
}

impl Seen {
    pub fn new() -> Self {
        Self { begin: Instant::now(), first: None, count: 0, sum: 0 }
    }

    /// Takes a route, unless it is one of the kernel's own.
    #[inline]
    pub fn see(&mut self, fields: RouteFields) {
        if fields.table == TABLE {
            if self.count == 0 {
                self.first = Some(self.begin.elapsed());
            }
            self.count += 1;
            self.sum = self.sum.wrapping_add(fields.sum());
        }
    }
}

/// One way to list, from opening the socket on.
pub struct Candidate {
    pub name: &'static str,
    pub list: fn(&mut Seen) -> Result<()>,
}

/// The place of ours.
pub const OURS: usize = 1;

pub const CANDIDATES: [Candidate; 9] = [
    Candidate { name: "receive and discard", list: discard },
    Candidate { name: "nl-route, every field", list: ours },
    Candidate { name: "the same, read ahead", list: ours_ahead },
    Candidate { name: "nl-route, these fields", list: ours_view },
    Candidate { name: "libmnl", list: c::socket::list },
    Candidate { name: "netlink-bindings, netlink-socket2", list: socket2 },
    Candidate { name: "nlink", list: nlink },
    Candidate { name: "neli", list: neli },
    Candidate { name: "rtnetlink", list: rtnetlink },
];

/// The end of a dump comes alone, so a look at the first header of a datagram is enough.
fn discard(_: &mut Seen) -> Result<()> {
    const NLMSG_DONE: [u8; 2] = 3_u16.to_ne_bytes();
    let (socket, mut ring) = (Socket::open(Family::ROUTE.0)?, Ring::default());
    let mut request = Vec::new();
    List::<Route>::default().encode(1, &mut request)?;
    socket.send(&request)?;
    loop {
        ring.receive(&socket, Wait::Forever)?;
        if ring.datagrams().any(|it| it.bytes.get(4..6) == Some(&NLMSG_DONE)) {
            return Ok(());
        }
    }
}

fn open() -> Result<Connection> {
    Ok(Connection::open(Family::ROUTE)?)
}

fn ours_with(mut connection: Connection, seen: &mut Seen) -> Result<()> {
    for route in connection.dump(List::<Route>::default())? {
        seen.see(route::of_ours(&route?));
    }
    Ok(())
}

pub fn ours(seen: &mut Seen) -> Result<()> {
    ours_with(open()?, seen)
}

fn ours_ahead(seen: &mut Seen) -> Result<()> {
    let mut connection = open()?;
    connection.read_ahead()?;
    ours_with(connection, seen)
}

fn ours_view(seen: &mut Seen) -> Result<()> {
    for fields in open()?.dump(Fields)? {
        seen.see(fields?);
    }
    Ok(())
}

/// Asks for what is compared of all routes.
struct Fields;

impl Request for Fields {
    type Item = RouteFields;
    const MODE: Mode = Mode::Dump;

    fn protocol(&self) -> &'static Protocol {
        Route::PROTOCOL
    }

    fn message_type(&self) -> u16 {
        tables::RTM_GETROUTE
    }

    fn write(&self, writer: &mut Writer<'_>) -> std::result::Result<(), nl_wire::Error> {
        writer.fixed(&[0; 12]); // struct rtmsg
        Ok(())
    }

    fn read(
        &self,
        message: &Message<'_>,
    ) -> std::result::Result<Option<RouteFields>, nl_wire::Error> {
        route::of_ours_view(message).map(Some)
    }
}

fn socket2(seen: &mut Seen) -> Result<()> {
    let mut socket = NetlinkSocket::new();
    let request = rt_route::Request::new().op_getroute_dump(&rt_route::Rtmsg::default());
    let mut replies = socket.request(&request)?;
    while let Some((header, attrs)) = replies.recv().transpose()? {
        seen.see(route::of_netlink_bindings(header.rtm_dst_len, attrs));
    }
    Ok(())
}

fn nlink(seen: &mut Seen) -> Result<()> {
    block_on(async {
        let connection = nlink::Connection::<nlink::Route>::new()?;
        let get = NlMsgType::RTM_GETROUTE;
        let mut routes = pin!(connection.dump_stream::<messages::RouteMessage>(get).await?);
        while let Some(route) = routes.try_next().await? {
            seen.see(route::of_nlink(&route));
        }
        Ok(())
    })
}

fn neli(seen: &mut Seen) -> Result<()> {
    let (router, _) = NlRouter::connect(NlFamily::Route, None, Groups::empty())?;
    let all = RtmsgBuilder::default()
        .rtm_family(RtAddrFamily::Unspecified)
        .rtm_dst_len(0)
        .rtm_src_len(0)
        .rtm_tos(0)
        .rtm_table(RtTable::Unspec)
        .rtm_protocol(Rtprot::Unspec)
        .rtm_scope(RtScope::Universe)
        .rtm_type(Rtn::Unspec)
        .build()?;
    let replies =
        router.send::<_, _, Rtm, Rtmsg>(Rtm::Getroute, NlmF::DUMP, NlPayload::Payload(all))?;
    for reply in replies {
        if let NlPayload::Payload(route) = reply?.nl_payload() {
            seen.see(route::of_neli(route));
        }
    }
    Ok(())
}

fn rtnetlink(seen: &mut Seen) -> Result<()> {
    block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection()?;
        tokio::spawn(connection);
        let mut routes = pin!(handle.route().get(RouteMessage::default()).execute());
        while let Some(route) = routes.try_next().await? {
            seen.see(route::of_netlink_packet(&route));
        }
        Ok(())
    })
}
