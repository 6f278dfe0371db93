//! Neighbours beside ip: the same lists, the same words, the same refusals.

mod common;

use std::cell::RefCell;

use common::beside::{Printer, beside_ip, refused, split, value};
use common::{list, names};
use nl_route::filter::Filter;
use nl_route::neighbour::NeighbourFilter;
use nl_route::{
    AddressFamily, Change, Context, GetNeighbour, List, Neighbour, Prefix, json, parse, text,
};
use nl_socket::Connection;
use nl_testkit::{agree, live, need, quiet, settle, sh};
use nl_wire::Errno;
use nl_wire::value::Family;

const PRINTER: Printer<Neighbour> = Printer { text: text::neighbour, json: json::neighbour };

const SETUP: &str = "ip link set lo up
    ip link add v0 type veth peer name v1; ip link add v2 type veth peer name v3
    ip link add br0 type bridge; ip link set v3 master br0; ip link set v2 address 02:00:00:00:02:02
    for link in v0 v1 v2 v3 br0; do
        # States stay as they are, but for a minute.
        echo 60000 > /proc/sys/net/ipv4/neigh/$link/retrans_time_ms || true
        echo 600000 > /proc/sys/net/ipv4/neigh/$link/base_reachable_time_ms || true
        ip link set $link up
    done
    ip addr add 10.0.0.1/24 dev v0; ip addr add 2001:db8::1/64 dev v0 nodad
    ip addr add 10.0.3.1/24 dev br0";

/// What `ip neighbour add` is told.
const WORDS: &[&str] = &[
    "10.0.0.9 lladdr 02:00:00:00:00:09 dev v0",
    "to 10.0.0.10 lladdr 2:0:0:0:0:a dev v0 nud reachable",
    "10.0.0.11 ll 02:00:00:00:00:0b dev v0 nud stale prot static",
    "10.0.0.12 dev v0 nud failed",
    "10.0.0.13 lladdr 02:00:00:00:00:0d dev v0 nud noarp router",
    "10.0.0.14 lladdr 02:00:00:00:00:0e dev v0 extern",
    "10.0.0.15 dev v0 managed",
    "10.0.0.16 dev v0 use",
    "10.0.0.17 lladdr 02:00:00:00:00:11 dev v0 nud 0x80",
    "10.0.0.18 lladdr 02:00:00:00:00:12 dev v0 nud perm protocol 77",
    "10.0.0.19 lladdr 02:00:00:00:00:13 dev v0 nud none",
    "10.0.3.7 lladdr 02:00:00:00:00:13 dev br0",
    "10.0.9.7 lladdr 02:00:00:00:00:13 dev v3",
    "proxy 10.0.0.20 dev v0",
    "proxy 10.0.0.21 dev v0 protocol 77",
    "2001:db8::9 lladdr 02:00:00:00:00:09 dev v0 router",
    "2001:db8::10 lladdr 02:00:00:00:00:10 dev v2 nud stale",
    "proxy 2001:db8::20 dev v0",
];

/// Linux 6.18 forgets to remove proxy entries for all links with their namespace: a later one may
/// inherit them.
const INHERITED: &str =
    "ip neigh show proxy | while read address rest; do ip neigh del proxy $address || true; done";

#[test]
fn neighbours_are_listed_as_ip_lists_them() {
    const SHOW: &[&str] = &[
        "",
        "nud all",
        "nud permanent",
        "nud permanent nud stale",
        "nud none",
        "nud 4",
        "dev v0",
        "dev v0 nud all",
        "proxy",
        "proxy dev v0",
        "to 10.0.0.9",
        "10.0.0.0/28",
        "2001:db8::/32",
        "default",
        "unused",
        "master br0",
        "nomaster",
        "protocol static",
        "proto 77",
        "proto all",
        "prot 0",
    ];
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        quiet();
        sh(SETUP);
        sh(INHERITED);
        for line in WORDS {
            sh(&format!("ip neighbour add {line}"));
        }
        settle();
        let mut connection = Connection::open(Family::ROUTE).unwrap();
        let names = names(&mut connection);
        for (option, family) in
            [("", AddressFamily::UNSPEC), ("-4", AddressFamily::INET), ("-6", AddressFamily::INET6)]
        {
            for line in SHOW {
                if line.contains(':') && option == "-4" {
                    continue;
                }
                if option == "-6" && line.contains("10.0") {
                    continue;
                }
                let selector =
                    parse::neighbour::selector(&split(line), family, &names, false).unwrap();
                let context = Context { hidden: selector.hidden, ..Context::new(&names) };
                let line = format!("{option} neighbour show {line}");
                let count = PRINTER.compare(&mut connection, || selector.filter, context, &line);
                assert!(count > 0 || !option.is_empty() || line.ends_with("nud none"), "{line}");
            }
        }
    });
}

/// Neighbours of which nobody but the kernel's clock changes anything between two looks.
fn neighbours(connection: &mut Connection) -> Vec<Neighbour> {
    let both = [false, true].map(|proxy| {
        let filter = NeighbourFilter { proxy, ..NeighbourFilter::default() };
        list(connection, List::<Neighbour> { filter })
    });
    let mut all = both.concat();
    // What links do by themselves is none of ours: groups that they join, link-local addresses.
    let ours = ["10.0.0.0/8", "2001:db8::/32"].map(|text| text.parse::<Prefix>().unwrap());
    all.retain(|neighbour| {
        ours.iter().any(|prefix| neighbour.destination.is_some_and(|it| prefix.contains(it)))
    });
    for neighbour in &mut all {
        (neighbour.cache_info, neighbour.probes) = (None, None);
    }
    all.sort_by_key(|neighbour| (neighbour.is_proxy(), neighbour.destination, neighbour.index));
    all
}

#[test]
fn the_same_words_make_the_same_neighbours() {
    beside_ip(SETUP, |(mut connection, names)| {
        let unspec = AddressFamily::UNSPEC;
        sh(INHERITED);
        let before = neighbours(&mut connection);
        for line in WORDS.iter().chain(&["proxy 10.0.0.22"]) {
            sh(&format!("ip neighbour add {line}"));
            let theirs = neighbours(&mut connection);
            sh(&format!("ip neighbour del {line}"));
            // Deleting an entry without a state leaves it to the kernel when it goes.
            let gone = neighbours(&mut connection);
            let lingers = gone != before;
            assert!(!lingers || line.contains("use") || line.contains("none"), "{line}");

            let neighbour = parse::neighbour::change(&split(line), unspec, &names).unwrap();
            let add = if lingers { Change::replace } else { Change::add };
            let add = |connection: &mut Connection, object: Neighbour| {
                connection.run(add(object)).unwrap_or_else(|error| panic!("{line}: {error}"));
            };
            add(&mut connection, neighbour.clone());
            assert_eq!(neighbours(&mut connection), theirs, "{line}");
            let made = theirs.iter().find(|made| !before.contains(made)).unwrap().clone();
            if made.index != 0 {
                let (index, destination) = (made.index, made.destination.unwrap());
                let get = if made.is_proxy() {
                    GetNeighbour::Proxy { index, destination }
                } else {
                    GetNeighbour::Neighbour { index, destination }
                };
                let got = connection.get(get).unwrap_or_else(|error| panic!("{line}: {error}"));
                assert_eq!(Neighbour { cache_info: None, probes: None, ..got }, made, "{line}");
            }

            // What was read can be deleted exactly, and made again.
            connection.run(Change::delete(made.clone())).unwrap();
            assert_eq!(neighbours(&mut connection), gone, "{line}");
            add(&mut connection, made.clone());
            if !line.contains("use") {
                assert_eq!(neighbours(&mut connection), theirs, "{line}");
            }
            connection.run(Change::delete(made)).unwrap();
        }
        for (words, errno) in [
            ("10.0.0.99 dev v0 lladdr 2:0:0:0:0:1", Errno::ENOENT),
            ("10.0.0.99 dev v0 lladdr 2:0", Errno::EINVAL),
        ] {
            let object = parse::neighbour::change(&split(words), unspec, &names).unwrap();
            let error = connection.run(Change::change(object)).unwrap_err();
            assert_eq!(error.errno(), Some(errno), "{words}: {error}");
        }
    });
}

#[test]
fn the_same_words_are_refused() {
    const ADD: &[&str] = &[
        "",
        "10.0.0.9",
        "dev v0",
        "x dev v0",
        "default dev v0",
        "10.0.0.0/24 dev v0",
        "10.0.0.9 dev nope",
        "10.0.0.9 10.0.0.8 dev v0",
        "10.0.0.9 dev v0 nud x",
        "10.0.0.9 dev v0 nud PERMANENT",
        "10.0.0.9 dev v0 nud 300",
        "10.0.0.9 dev v0 nud 3",
        "10.0.0.9 dev v0 nud",
        "10.0.0.9 dev v0 nud stal",
        "10.0.0.9 dev v0 lladdr x",
        "10.0.0.9 dev v0 lladdr 1:2:3:x",
        "10.0.0.9 dev v0 lladdr 1:2:3:100",
        "10.0.0.9 dev v0 lladdr 1:2:3:4:5:",
        "10.0.0.9 dev v0 lladdr 1.2.3.x",
        "10.0.0.9 dev v0 lladdr 1:2:3:4:5:6 lladdr 1:2:3:4:5:6",
        "10.0.0.9 dev v0 protocol x",
        "proxy",
        "proxy 10.0.0.19 proxy 10.0.0.9",
        "to proxy 10.0.0.9 dev v0",
        "bogus 10.0.0.9 dev v0",
    ];
    const GET: &[&str] =
        &["", "10.0.0.9", "dev v0", "10.0.0.9 dev nope", "bogus", "10.0.0.9 dev v0 bogus", "proxy"];
    const SHOW: &[&str] = &[
        "dev nope",
        "bogus",
        "nud bogus",
        "master nope",
        "vrf nope",
        "protocol bogus",
        "dev v0 dev v0",
        "to",
        "to 10.0.0.0/33",
    ];
    beside_ip(SETUP, |(_, names)| {
        let family = AddressFamily::UNSPEC;
        let check = |command: &str, line: &str, error: Option<parse::WordError>| {
            refused(&format!("neighbour {command} {line}"), error);
        };
        for line in ADD {
            check("add", line, parse::neighbour::change(&split(line), family, &names).err());
        }
        for line in GET {
            check("get", line, parse::neighbour::get(&split(line), family, &names).err());
        }
        for line in SHOW {
            let error = parse::neighbour::selector(&split(line), family, &names, false).err();
            check("show", line, error);
        }
        let error = parse::neighbour::selector(&split(""), family, &names, true).err();
        check("flush", "", error);
    });
}

/// The forwarding entries, as `bridge fdb` makes and lists them.
#[test]
fn forwarding_entries_are_those_of_bridge() {
    live(|| {
        if !need(&["ip", "bridge"]) {
            return;
        }
        quiet();
        sh(SETUP);
        sh("ip link add vx type vxlan id 5 local 10.0.0.1 dstport 4789; ip link set vx up
            bridge fdb add 02:00:00:00:00:01 dev v3 master static
            bridge fdb add 02:00:00:00:00:02 dev v3 master static sticky
            bridge fdb add 02:00:00:00:00:03 dev v3 master static vlan 7 || true
            bridge fdb add 02:00:00:00:00:04 dev br0 self
            bridge fdb add 02:00:00:00:00:05 dev vx dst 10.0.0.9 port 99 vni 7 via v0
            bridge fdb append 00:00:00:00:00:00 dev vx dst 10.0.0.8
            bridge fdb append 00:00:00:00:00:00 dev vx dst 10.0.0.7
            bridge fdb add 02:00:00:00:00:06 dev v2 self");
        settle();
        let mut connection = Connection::open(Family::ROUTE).unwrap();
        let names = names(&mut connection);
        let all = NeighbourFilter { family: AddressFamily::BRIDGE, ..NeighbourFilter::default() };
        let count = |line: &str| value(&sh(line)).as_array().unwrap().len();
        let connection = RefCell::new(&mut connection);
        let fetch = |filter: NeighbourFilter| {
            let mut entries = list(&mut connection.borrow_mut(), List::<Neighbour> { filter });
            for entry in &mut entries {
                entry.cache_info = None;
                assert!(filter.admits(entry) && entry.link_address.is_some());
            }
            entries
        };
        // Links join groups for some time after they went up.
        let alike = |filter: NeighbourFilter, words: &str| {
            let line = format!("bridge -j fdb show {words}");
            let (ours, theirs) = agree(|| fetch(filter).len(), || count(&line));
            assert_eq!(ours, theirs, "{line}");
        };
        alike(all, "");
        for name in ["v2", "v3", "br0", "vx"] {
            alike(NeighbourFilter { index: names.link_index(name), ..all }, &format!("dev {name}"));
        }
        let bridge = names.link_index("br0");
        alike(NeighbourFilter { master: bridge, ..all }, "br br0");

        // Each is deleted exactly, and made again.
        let made = || {
            let mut entries = fetch(all);
            entries.retain(|entry| {
                let address = entry.link_address.as_ref();
                address.is_some_and(|address| address.starts_with(&[2, 0, 0, 0, 0]))
            });
            entries
        };
        let before = made();
        assert!(before.len() >= 4, "{before:#?}");
        let change = |change: Change<Neighbour>| {
            let result = connection.borrow_mut().run(&change);
            result.unwrap_or_else(|error| panic!("{change:?}: {error}"));
        };
        for entry in &before {
            change(Change::delete(entry.clone()));
            let left = made();
            assert!(!left.contains(entry), "{entry:?}");
            // A bridge that knows VLANs has one entry for each, and takes all if none is named.
            let goes = |other: &&Neighbour| {
                *other == entry
                    || (entry.vlan.is_none()
                        && other.link_address == entry.link_address
                        && (other.index, other.master) == (entry.index, entry.master))
            };
            let gone = before.iter().filter(goes).count();
            assert_eq!(left.len() + gone, before.len(), "{entry:?}");
            change(Change::add(entry.clone()));
            assert!(made().contains(entry), "{entry:?}");
        }
        let get = GetNeighbour::Forwarding {
            index: names.link_index("v3").unwrap(),
            master: true,
            link_address: [2, 0, 0, 0, 0, 1],
            vlan: None,
        };
        assert_eq!(connection.borrow_mut().get(get).unwrap().master, bridge);
    });
}
