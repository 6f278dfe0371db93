//! Our decoders, the walk by hand and the other Rust crates.

pub mod flow;
pub mod route;

use std::net::IpAddr;

fn v4(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(_) => 0,
    }
}
