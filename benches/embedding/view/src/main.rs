//! Routes that have a destination and a device, counted by a request of one's own: it reads of each
//! route what it needs.

use nl_route::route::RouteView;
use nl_route::{Object as _, Route, tables};
use nl_socket::Connection;
use nl_wire::table::Protocol;
use nl_wire::value::Family;
use nl_wire::{Error, Message, Mode, Request, Writer};

/// Asks of every route whether it has both.
struct Reachable;

impl Request for Reachable {
    type Item = bool;
    const MODE: Mode = Mode::Dump;

    fn protocol(&self) -> &'static Protocol {
        Route::PROTOCOL
    }

    fn message_type(&self) -> u16 {
        tables::RTM_GETROUTE
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&[0; 12]); // struct rtmsg: all of them
        Ok(())
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<bool>, Error> {
        let route = RouteView::new(message)?;
        Ok(Some(route.destination()?.is_some() && route.oif()?.is_some()))
    }
}

fn main() -> Result<(), nl_socket::Error> {
    let mut connection = Connection::open(Family::ROUTE)?;
    let mut count = 0;
    for reachable in connection.dump(Reachable)? {
        count += u32::from(reachable?);
    }
    println!("{count}");
    Ok(())
}
