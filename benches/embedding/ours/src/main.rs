//! Routes that have a destination and a device, counted.

use nl_route::{Route, request::List};
use nl_socket::{Connection, Error};
use nl_wire::value::Family;

fn main() -> Result<(), Error> {
    let mut connection = Connection::open(Family::ROUTE)?;
    let mut count = 0;
    for route in connection.dump(List::<Route>::default())? {
        let route = route?;
        count += u32::from(route.destination.is_some() && route.oif.is_some());
    }
    println!("{count}");
    Ok(())
}
