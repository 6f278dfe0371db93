//! Laws of the words of ip(8).

use nl_route::names::Names;
use nl_route::parse::{self, WordError, address, link, neighbour, nexthop, rule};
use nl_route::{Action, AddressFamily, Change};

use crate::{check_printable, check_request};

const FAMILIES: [AddressFamily; 3] =
    [AddressFamily::UNSPEC, AddressFamily::INET, AddressFamily::INET6];

pub(crate) fn names() -> Names {
    let mut names = Names::default();
    names.set_link(2, "eth0");
    names
}

// By value, as `map_or_else` hands it over.
#[allow(clippy::needless_pass_by_value)]
fn refused(error: WordError) {
    // Of a hop's link ip says two things.
    check_printable(&error.to_string(), true);
}

/// Any words are read into something that can be asked of the kernel, or refused in harmless
/// words.
pub fn words(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let words: Vec<&str> = text.split(' ').collect();
    let names = names();
    for family in FAMILIES {
        match parse::route(&words, family, &names) {
            Ok(route) => check_request(&Change::add(route)),
            Err(error) => refused(error),
        }
        match parse::get(&words, family, &names) {
            Ok(get) => check_request(&get),
            Err(error) => refused(error),
        }
        match rule::change(&words, family, &names) {
            Ok(rule) => check_request(&Change::add(rule)),
            Err(error) => refused(error),
        }
        match neighbour::change(&words, family, &names) {
            Ok(neighbour) => check_request(&Change::add(neighbour)),
            Err(error) => refused(error),
        }
        match neighbour::get(&words, family, &names) {
            Ok(get) => check_request(&get),
            Err(error) => refused(error),
        }
        parse::selector(&words, family, &names).map_or_else(refused, drop);
        rule::selector(&words, family, &names).map_or_else(refused, drop);
        for flush in [false, true] {
            neighbour::selector(&words, family, &names, flush).map_or_else(refused, drop);
        }
    }
}

/// The same for `ip link`, `ip address` and `ip nexthop`.
pub fn object_words(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let words: Vec<&str> = text.split(' ').collect();
    let names = names();
    // A tunnel, of which changes keep what they do not name.
    let tunnel = ["name", "g", "type", "gre", "remote", "192.0.2.1", "ttl", "5"];
    let tunnel = link::add(&tunnel, &names).map(link::LinkChange::finish);
    let Ok(Ok(tunnel)) = tunnel else { panic!("{tunnel:?}") };
    for read in [
        link::add(&words, &names),
        link::set(&words, &names, None),
        link::set(&words, &names, Some(&tunnel)),
    ] {
        match read.map(link::LinkChange::finish) {
            Ok(Ok(link)) => check_request(&Change::add(link)),
            Ok(Err(error)) => check_printable(&error.to_string(), false),
            Err(error) => refused(error),
        }
    }
    for read in [link::delete(&words, &names), link::property(&words, &names)] {
        read.map_or_else(refused, |link| check_request(&Change::delete(link)));
    }
    for family in FAMILIES {
        for action in [Action::Add, Action::Change, Action::Replace, Action::Delete] {
            let read = address::change(&words, family, &names, action);
            read.map_or_else(refused, |address| {
                check_request(&Change { action, ..Change::add(address) });
            });
        }
        address::selector(&words, family, &names).map_or_else(refused, drop);
        nexthop::change(&words, family, &names)
            .map_or_else(refused, |nexthop| check_request(&Change::add(nexthop)));
        nexthop::selector(&words, family, &names).map_or_else(refused, drop);
    }
    nexthop::get(&words, &names).map_or_else(refused, drop);
    nexthop::buckets(&words, &names).map_or_else(refused, drop);
    nexthop::bucket(&words, &names).map_or_else(refused, |get| check_request(&get));
}
