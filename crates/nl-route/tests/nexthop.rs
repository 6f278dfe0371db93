//! Nexthop objects beside ip: the same lists, the same words, the same refusals.

mod common;

use common::beside::{Printer, beside_ip, refused, split, value};
use common::{list, names};
use nl_route::filter::Filter;
use nl_route::nexthop::{GetNexthopBucket, Member, NexthopBucketFilter, NexthopFilter};
use nl_route::parse::nexthop::Selector;
use nl_route::{
    AddressFamily, Change, Context, GetNexthop, List, Nexthop, NexthopBucket, json, parse, text,
};
use nl_socket::Connection;
use nl_testkit::{agree, live, need, quiet, settle, sh, try_sh};
use nl_wire::Errno;
use nl_wire::value::Family;

const PRINTER: Printer<Nexthop> = Printer { text: text::nexthop, json: json::nexthop };
const BUCKET: Printer<NexthopBucket> =
    Printer { text: text::nexthop_bucket, json: json::nexthop_bucket };

const SETUP: &str = "ip link set lo up; ip link add v0 type veth peer name v1
    ip link add br0 type bridge; ip link add v2 type veth peer name v3; ip link set v2 master br0
    for link in v0 v1 v2 v3 br0; do
        echo 1 > /proc/sys/net/ipv6/conf/$link/addr_gen_mode; ip link set $link up
    done
    ip addr add 10.0.0.1/24 dev v0; ip addr add 2001:db8::1/64 dev v0 nodad";

/// What `ip nexthop add` is told, each line after those before.
const WORDS: &[&str] = &[
    "id 1 via 10.0.0.2 dev v0",
    "id 2 via 10.0.0.3 dev v0 proto static",
    "id 3 dev v0",
    "id 4 blackhole",
    "id 5 via 192.168.7.1 dev v0 onlink",
    "id 6 via 2001:db8::2 dev v0",
    "id 7 via inet6 fe80::1 dev v0 proto 77",
    "id 8 via 10.0.0.4 fdb",
    "id 9 via inet 10.0.0.5 fdb",
    "id 0x70 dev v2 protocol bgp",
    "id 10 group 1/2",
    "id 11 group 1,5/2,3",
    "id 12 group 8/9 fdb",
    "id 13 group 1/2 type resilient buckets 8 idle_timer 60 unbalanced_timer 300",
    "id 14 group 1,3/2 type mpath proto 4",
    WIDE,
    "id 18 type resilient buckets 4 group 1,2/2 proto bgp",
];

const WORDS6: &[&str] = &[
    "id 63 encap seg6 mode encap segs fc00::1,fc00::2 via 2001:db8::3 dev v0",
    "id 60 blackhole",
    "id 61 dev v0",
    "id 62 via fe80::9 dev v0",
];

/// A weight above 255, which Linux has since 6.12.
const WIDE: &str = "id 17 group 1,256/2";

/// Whether ip can make it here.
fn added(option: &str, line: &str) -> bool {
    let added = try_sh(&format!("ip {option} nexthop add {line}"));
    assert!(added.is_ok() || line == WIDE, "{added:?}");
    added.is_ok()
}

fn all() -> Vec<(&'static str, AddressFamily, &'static str)> {
    let plain = WORDS.iter().map(|line| ("", AddressFamily::UNSPEC, *line));
    plain.chain(WORDS6.iter().map(|line| ("-6", AddressFamily::INET6, *line))).collect()
}

fn make() {
    quiet();
    sh(SETUP);
    for (option, _, line) in all() {
        added(option, line);
    }
}

#[test]
fn nexthops_are_listed_as_ip_lists_them() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        make();
        settle();
        let mut connection = Connection::open(Family::ROUTE).unwrap();
        let names = names(&mut connection);
        let plain = Context::new(&names);
        for (option, family) in
            [("", AddressFamily::UNSPEC), ("-4", AddressFamily::INET), ("-6", AddressFamily::INET6)]
        {
            for line in
                ["", "dev v0", "groups", "proto 4", "prot 77", "proto 0", "master br0", "proto 99"]
            {
                let selector = parse::nexthop::selector(&split(line), family, &names).unwrap();
                let Selector::Filter(filter) = selector else { panic!("{line}") };
                let line = format!("{option} nexthop list {line}");
                PRINTER.compare(&mut connection, || filter, plain, &line);
            }
        }
        for line in ["", "id 13", "nhid 1", "dev v0", "id 13 nhid 2"] {
            let filter = parse::nexthop::buckets(&split(line), &names).unwrap();
            // Time goes on between two looks.
            let timeless = |text: &str| -> String {
                let words = text.split_inclusive([' ', ',']).filter(|word| {
                    !word.starts_with("\"idle_time\"")
                        && !word.starts_with(|c: char| c.is_ascii_digit())
                });
                words.collect()
            };
            let mut buckets = || list(&mut connection, List::<NexthopBucket> { filter });
            let (ours, theirs) = agree(
                || timeless(&BUCKET.texts(&buckets(), &plain)),
                || timeless(&sh(&format!("ip nexthop bucket list {line}"))),
            );
            assert!(!ours.is_empty());
            assert_eq!(ours, theirs, "{line}");
            let (ours, theirs) = agree(
                || timeless(&BUCKET.values(&buckets(), &plain).to_string()),
                || timeless(&value(&sh(&format!("ip -j nexthop bucket list {line}"))).to_string()),
            );
            assert_eq!(ours, theirs, "{line}");
        }
        // The kernel ignores the flag, ip does not look either.
        let filter = NexthopFilter { fdb: true, ..NexthopFilter::default() };
        let found = list(&mut connection, List::<Nexthop> { filter });
        let ids: Vec<_> = found.iter().filter_map(|nexthop| nexthop.id).collect();
        assert_eq!(ids, [8, 9, 12]);
        assert!(found.iter().all(|nexthop| filter.admits(nexthop)));

        let got = connection.get(GetNexthop { id: 13, statistics: false }).unwrap();
        let mut out = String::new();
        text::nexthop(&mut out, &got, &plain);
        assert_eq!(out, sh("ip nexthop get id 13"));
        let got = connection.get(GetNexthopBucket { id: 13, index: 3 }).unwrap();
        assert_eq!((got.id, got.index, got.nexthop_id.is_some()), (Some(13), Some(3), true));
        let filter = NexthopBucketFilter { id: Some(99), ..NexthopBucketFilter::default() };
        let mut dump = connection.dump(List::<NexthopBucket> { filter }).unwrap();
        let error = dump.next().unwrap().unwrap_err();
        assert_eq!(error.errno(), Some(Errno::ENOENT));
    });
}

#[test]
fn the_same_words_make_the_same_nexthops() {
    beside_ip(SETUP, |(mut connection, names)| {
        let nexthops = |connection: &mut Connection| -> Vec<Nexthop> {
            let mut all = list(connection, List::<Nexthop>::default());
            for nexthop in &mut all {
                if let Some(resilience) = &mut nexthop.resilience {
                    resilience.unbalanced_time = None;
                }
            }
            all
        };
        for (option, family, line) in all() {
            let before = nexthops(&mut connection);
            if !added(option, line) {
                continue;
            }
            let theirs = nexthops(&mut connection);
            let words = split(line);
            let id = words.iter().position(|word| *word == "id").unwrap();
            sh(&format!("ip nexthop del id {}", words[id + 1]));
            assert_eq!(nexthops(&mut connection), before, "{line}");

            let nexthop = parse::nexthop::change(&words, family, &names).unwrap();
            let mut run = |change: Change<Nexthop>| {
                connection.run(&change).unwrap_or_else(|e| panic!("{line}: {e}"));
                nexthops(&mut connection)
            };
            assert_eq!(run(Change::add(nexthop.clone())), theirs, "{line}");
            // What was read can be deleted exactly, made again, and replaced by itself.
            let made = theirs.iter().find(|made| !before.contains(made)).unwrap().clone();
            assert_eq!(run(Change::delete(made.clone())), before, "{line}");
            assert_eq!(run(Change::add(made.clone())), theirs, "{line}");
            assert_eq!(run(Change::replace(made)), theirs, "{line}");
            let error = connection.run(Change::add(nexthop)).unwrap_err();
            assert_eq!(error.errno(), Some(Errno::EEXIST), "{line}");
        }
        let group = Nexthop {
            group: vec![Member::new(1), Member { weight: 300, ..Member::new(2) }],
            ..Nexthop::default()
        };
        // Weights beyond 256 and statistics are for younger kernels.
        let wide = Nexthop { id: Some(200), ..group };
        if connection.run(Change::add(wide.clone())).is_ok() {
            let got = connection.get(GetNexthop { id: 200, statistics: true }).unwrap();
            assert_eq!(got.group, wide.group);
            assert_eq!(got.statistics.len(), 2);
            assert_eq!(got.hw_stats, Some(0));
            let filter = NexthopFilter { statistics: true, ..NexthopFilter::default() };
            let all = list(&mut connection, List::<Nexthop> { filter });
            assert!(all.contains(&got));
        }
        let error = connection.run(Change::delete(Nexthop::default())).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::EINVAL), "{error}");
    });
}

#[test]
fn the_same_words_are_refused() {
    const ADD: &[&str] = &[
        "id",
        "id x",
        "id 1 via",
        "id 1 via x",
        "id 1 via 10.0.0.2 dev nope",
        "id 1 dev",
        "id 1 proto x",
        "id 1 protocol 300",
        "id 1 group x",
        "id 1 group 1,x",
        "id 1 group 1,0",
        "id 1 group 1,",
        "id 1 group ,",
        "id 1 group 1//2",
        "id 1 group 1/2/",
        "id 1 group",
        "id 1 type x",
        "id 1 type",
        "id 1 type resilient x",
        "id 1 group 1 type resilient buckets x",
        "id 1 group 1 type resilient idle_timer x",
        "id 1 group 1 type resilient idle_timer 1.5",
        "id 1 group 1 type resilient unbalanced_timer x",
        "id 1 bogus",
        "id 1 encap",
        "id 1 encap x",
        "id 1 via 10.0.0.0/8 dev v0",
        "id 1 via 10.0.0.2 oif v0",
        "id 1 bl",
    ];
    const LIST: &[&str] =
        &["id x", "bogus", "dev", "dev nope", "master nope", "vrf nope", "proto x", "via 10.0.0.2"];
    const BUCKET: &[&str] = &["id x", "bogus", "nhid x", "dev nope"];
    beside_ip(SETUP, |(_, names)| {
        let family = AddressFamily::UNSPEC;
        let check = |command: &str, line: &str, error: Option<parse::WordError>| {
            refused(&format!("nexthop {command} {line}"), error);
        };
        for line in ADD {
            check("add", line, parse::nexthop::change(&split(line), family, &names).err());
        }
        for line in LIST {
            check("list", line, parse::nexthop::selector(&split(line), family, &names).err());
        }
        for line in BUCKET {
            check("bucket list", line, parse::nexthop::buckets(&split(line), &names).err());
        }
        let error = parse::nexthop::bucket(&split("id 13 index x"), &names).err();
        check("bucket get", "id 13 index x", error);
        let error = parse::nexthop::get(&split("id x"), &names).err();
        check("get", "id x", error);
    });
}
