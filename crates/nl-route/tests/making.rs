//! Links and addresses made in few words, moved between namespaces, and made again.

#![cfg(all(target_os = "linux", not(miri)))]

use std::os::fd::{AsFd as _, AsRawFd as _};

use nl_route::filter::AddressFilter;
use nl_route::{Address, Change, GetLink, Link, LinkFlags, List};
use nl_socket::{Connection, Netns};
use nl_testkit::live;
use nl_wire::{Errno, value::Family};

fn find(kernel: &mut Connection, name: &str) -> Option<Link> {
    kernel.find(GetLink::named(name)).unwrap()
}

#[test]
fn a_pair_across_namespaces() {
    live(|| {
        let there = Netns::create().unwrap();
        let mut here = Connection::open(Family::ROUTE).unwrap();
        let mut inside = Connection::open_in(Family::ROUTE, &there).unwrap();
        let fd = Some(there.as_fd().as_raw_fd());

        let bridge = || Change::add(Link::of_kind("br0", "bridge").up());
        assert!(here.run_unless(bridge(), Errno::EEXIST).unwrap());
        assert!(!here.run_unless(bridge(), Errno::EEXIST).unwrap());
        let br0 = find(&mut here, "br0").unwrap();
        assert_eq!(br0.info_kind().unwrap(), "bridge");
        assert!(br0.flags.contains(LinkFlags::UP));

        let peer = || Link { netns_fd: fd, mtu: Some(1300), ..Link::named("in0") };
        let pair = Link::veth("out0", peer()).unwrap().up();
        let pair = Link { mtu: Some(1400), master: Some(br0.index), ..pair };
        here.run(Change::add(pair)).unwrap();
        let out0 = find(&mut here, "out0").unwrap();
        assert_eq!((out0.mtu, out0.master), (Some(1400), Some(br0.index)));
        assert_eq!(find(&mut inside, "in0").unwrap().mtu, Some(1300));
        assert_eq!(find(&mut here, "in0"), None);

        // A peer can't be up before there is a link to be its peer.
        let early = Link { name: Some("in1".into()), ..peer().up() };
        let early = Link::veth("out1", early).unwrap();
        assert_eq!(here.run(Change::add(early)).unwrap_err().errno(), Some(Errno::ENOTCONN));

        here.run(Change::change(Link::named("out0").down())).unwrap();
        assert!(!find(&mut here, "out0").unwrap().flags.contains(LinkFlags::UP));
        assert!(here.run_unless(Change::delete(Link::named("out0")), Errno::ENODEV).unwrap());
        assert!(!here.run_unless(Change::delete(Link::named("out0")), Errno::ENODEV).unwrap());
    });
}

#[test]
fn a_link_moves_there_and_back() {
    live(|| {
        let there = Netns::create().unwrap();
        let mut here = Connection::open(Family::ROUTE).unwrap();
        let mut inside = Connection::open_in(Family::ROUTE, &there).unwrap();
        here.run(Change::add(Link::veth("v0", Link::named("v1")).unwrap())).unwrap();
        let v1 = find(&mut here, "v1").unwrap().index;

        // It is renamed while it moves.
        let fd = Some(there.as_fd().as_raw_fd());
        let to = Link { netns_fd: fd, name: Some("eth0".into()), ..Link::indexed(v1) };
        here.run(Change::change(to)).unwrap();
        assert_eq!(find(&mut here, "v1"), None);
        assert!(find(&mut inside, "eth0").is_some());

        let back = Link { netns_pid: Some(std::process::id()), ..Link::named("eth0") };
        inside.run(Change::change(back)).unwrap();
        assert_eq!(find(&mut inside, "eth0"), None);
        assert!(find(&mut here, "eth0").is_some());
    });
}

#[test]
fn an_address_is_given_again_and_again() {
    live(|| {
        let mut kernel = Connection::open(Family::ROUTE).unwrap();
        let prefixes = ["192.0.2.1/24", "2001:db8::1/64"].map(|text| text.parse().unwrap());
        for _ in 0..2 {
            for prefix in prefixes {
                kernel.run(Change::replace(Address::new(1, prefix))).unwrap();
            }
        }
        let filter = AddressFilter { index: Some(1), ..AddressFilter::default() };
        let addresses: Vec<Address> =
            kernel.dump(List { filter }).unwrap().collect::<Result<_, _>>().unwrap();
        let own = addresses.iter().map(|it| (it.own().unwrap(), it.prefix_length));
        assert_eq!(own.collect::<Vec<_>>(), prefixes.map(|it| (it.address, it.length)));
        for prefix in prefixes {
            kernel.run(Change::delete(Address::new(1, prefix))).unwrap();
        }
    });
}
