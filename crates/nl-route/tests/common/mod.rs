//! What the live tests share.

// Every test program has a copy of this, and none uses all of it.
#![allow(dead_code)]

use std::fs;

use nl_route::names::{NameKind, Names};
use nl_route::{Link, List};
use nl_socket::Connection;
use nl_wire::Request;

pub(crate) mod beside;

/// A bit of everything that routes, links and addresses can have; what this kernel lacks is left
/// out.
pub(crate) const ZOO: &str = include_str!("zoo.sh");

/// All answers to a dump.
pub(crate) fn list<R: Request>(connection: &mut Connection, request: R) -> Vec<R::Item> {
    connection.dump(request).unwrap().collect::<Result<_, _>>().unwrap()
}

/// The names that ip would use here.
pub(crate) fn names(connection: &mut Connection) -> Names {
    let mut names = Names::default();
    for kind in NameKind::ALL {
        for folder in kind.folders().iter().rev() {
            if let Ok(text) = fs::read_to_string(format!("{folder}/{}", kind.file())) {
                names.read(kind, &text);
            }
        }
    }
    for link in list(connection, List::<Link>::default()) {
        names.learn(&link);
    }
    names
}
