//! Rules beside ip: the same lists, the same words, the same refusals.

mod common;

use common::beside::{Printer, beside_ip, refused, split};
use common::{list, names};
use nl_route::rule::{MakeRule, RuleFilter};
use nl_route::tables::other::{
    FRA_DPORT_MASK, FRA_DPORT_RANGE, FRA_DSCP, FRA_FLOWLABEL, FRA_FLOWLABEL_MASK, FRA_L3MDEV,
};
use nl_route::{AddressFamily, Change, Context, List, Rule, json, parse, text};
use nl_socket::Connection;
use nl_testkit::{linux, live, need, sh};
use nl_wire::Errno;
use nl_wire::value::Family;

const PRINTER: Printer<Rule> = Printer { text: text::rule, json: json::rule };

const SETUP: &str = "ip link set lo up; ip link add v0 type veth peer name v1";

/// What `ip rule add` is told.
const WORDS: &[&str] = &[
    "from 10.0.0.0/8 table 100 pref 10",
    "not to 10.1.2.3 lookup main pref 11",
    "from all tos 0x10 table 101 pref 12",
    "fwmark 0x10/0xff iif v0 oif v1 table 5000 pref 13",
    "fwmark 7 iif nope table 5000 pref 14",
    "fwmark 0/3 dev lo table 5000 priority 15",
    "ipproto tcp sport 80 dport 1000-2000 table 7 pref 16",
    "ipproto 143 table 7 pref 17",
    "ipproto 253 table 7 pref 18",
    "tun_id 0x6300000000 table 7 pref 18",
    "l3mdev pref 19",
    "from 10.0.0.1 goto 30 pref 20",
    "from 10.0.0.2 goto 99999 pref 21",
    "from 10.0.0.3 nop pref 22",
    "from 10.0.0.4 blackhole pref 23",
    "from 10.0.0.4 type unreachable order 24",
    "from 10.0.0.4 prohibit pref 25",
    "from all table main suppress_prefixlength 0 pref 26",
    "from all table main sup_group 5 pref 27",
    "from 10.0.0.9 table 7 realms 3/5 pref 28",
    "from 10.0.0.9 table 7 realm 5 pref 29",
    "from 10.0.0.9 table 7 proto static pref 30",
    "from 0/0 to 0/0 table local protocol 99 pref 31",
    "from 10.0.0.1/16 table 7 dsfield 8 pref 32",
    "type blackhole pref 33",
    "uidrange 0-0 pref 34",
    "from any to default pref 35",
    "not table 300",
    "iif v0",
];

/// What `ip -6 rule add` is told.
const WORDS6: &[&str] = &[
    "from 2001:db8::/32 table 100 pref 10",
    "to 2001:db8::1 iif lo table 100 pref 11",
    "table 9 tos 4 pref 12",
    "from 2001:db8::/32 unreachable pref 13",
    "from default lookup 300",
];

fn all() -> Vec<(&'static str, AddressFamily, &'static str)> {
    let ipv4 = WORDS.iter().map(|line| ("", AddressFamily::UNSPEC, *line));
    ipv4.chain(WORDS6.iter().map(|line| ("-6", AddressFamily::INET6, *line))).collect()
}

#[test]
fn rules_are_listed_as_ip_lists_them() {
    const SHOW: &[&str] = &[
        "",
        "from 10.0.0.0/8",
        "from all",
        "to 10.1.2.3",
        "10.0.0.0/8",
        "default",
        "table 7",
        "lookup main",
        "pref 20",
        "priority 0",
        "iif v0",
        "dev nope",
        "oif v1",
        "fwmark 7",
        "fwmark 0x10/0xff",
        "not",
        "sport 80",
        "dport 1000-2000",
        "uidrange 0-0",
        "tos 0x10",
        "ipproto tcp",
        "tun_id 425201762304",
        "l3mdev",
    ];
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh(SETUP);
        for (option, _, line) in all() {
            sh(&format!("ip {option} rule add {line}"));
        }
        let mut connection = Connection::open(Family::ROUTE).unwrap();
        let names = names(&mut connection);
        for line in SHOW {
            let filter = parse::rule::selector(&split(line), AddressFamily::UNSPEC, &names);
            let filter = filter.unwrap();
            let line = format!("rule show {line}");
            let plain = Context::new(&names);
            let count = PRINTER.compare(&mut connection, || filter.clone(), plain, &line);
            assert!(count > 0, "{line}");
        }
        let filter = RuleFilter { family: AddressFamily::INET6, ..RuleFilter::default() };
        let plain = Context::new(&names);
        PRINTER.compare(&mut connection, || filter.clone(), plain, "-6 rule show");
    });
}

#[test]
fn the_same_words_make_the_same_rules() {
    beside_ip(SETUP, |(mut connection, names)| {
        let rules = |connection: &mut Connection| list(connection, List::<Rule>::default());
        let before = rules(&mut connection);
        for (option, family, line) in all() {
            sh(&format!("ip {option} rule add {line}"));
            let theirs = rules(&mut connection);
            sh(&format!("ip {option} rule del {line}"));
            assert_eq!(rules(&mut connection), before, "{line}");

            let rule = parse::rule::change(&split(line), family, &names).unwrap();
            let made = connection.get(MakeRule(&rule)).unwrap_or_else(|e| panic!("{line}: {e}"));
            assert_eq!(rules(&mut connection), theirs, "{line}");
            assert!(theirs.contains(&made), "{line}: {made:?}");
            assert_eq!(rule.missing_in(&made).next(), None, "{line}: {made:?}");
            let error = connection.run(Change::add(rule.clone()));
            let exists = error.is_err_and(|error| error.errno() == Some(Errno::EEXIST));
            assert!(exists || !line.contains("pref"), "{line}");

            // What was read can be deleted exactly, and made again.
            let mut ours = rules(&mut connection);
            while let Some(made) = ours.iter().find(|rule| !before.contains(rule)).cloned() {
                connection.run(Change::delete(made.clone())).unwrap();
                connection.run(Change::add(made.clone())).unwrap();
                assert_eq!(rules(&mut connection), ours, "{line}");
                connection.run(Change::delete(made)).unwrap();
                ours = rules(&mut connection);
            }
            assert_eq!(ours, before, "{line}");
            let error = connection.run(Change::delete(rule)).unwrap_err();
            assert_eq!(error.errno(), Some(Errno::ENOENT), "{line}");
        }
        // What this version of ip has no words for.
        let newer = [
            ("dscp 5 table 9", AddressFamily::INET),
            ("flowlabel 5/255 table 9", AddressFamily::INET6),
            ("ipproto tcp dport 80/0xff table 9", AddressFamily::INET),
        ];
        for (line, family) in newer {
            let rule = parse::rule::change(&split(line), family, &names).unwrap();
            let Ok(told) = connection.get(MakeRule(&rule)) else { continue };
            let ours = rules(&mut connection);
            let made = ours.into_iter().find(|rule| !before.contains(rule)).unwrap();
            assert_eq!(told, made, "{line}");
            let mut out = String::new();
            text::rule(&mut out, &made, &Context::new(&names));
            let key = line.split(" table").next().unwrap();
            // Older ones ignore what they don't know.
            let known = out.contains(key) || linux() < (6, 12);
            assert!(known || line.contains('/'), "{line}: {out}");
            // What is ignored is told.
            let missing = rule.missing_in(&made).next().is_some();
            assert!(!missing || linux() < (6, 12), "{line}: {out}");
            connection.run(Change::delete(made)).unwrap();
            assert_eq!(rules(&mut connection), before, "{line}");
        }
    });
}

#[test]
fn what_is_missing_in_a_rule_is_told() {
    let made = |words: &str| {
        let names = nl_route::names::Names::default();
        parse::rule::change(&split(words), AddressFamily::INET6, &names).unwrap()
    };
    let asked = made("from 2001:db8::/32 flowlabel 5/255 dscp 5 ipproto tcp dport 80/255 table 9");
    let missing = |found: &str| asked.missing_in(&made(found)).collect::<Vec<_>>();
    assert!(missing("flowlabel 5/255 dscp 5 ipproto tcp dport 80/255 table 9").is_empty());
    // More than was asked for, and other values: a kernel says what it likes.
    assert!(
        missing("flowlabel 1/1 dscp 9/1 ipproto udp dport 80/1 uidrange 0-7 table 9").is_empty()
    );
    assert_eq!(
        missing("dscp 5 ipproto tcp dport 80 table 9"),
        [FRA_FLOWLABEL, FRA_FLOWLABEL_MASK, FRA_DPORT_MASK]
    );
    assert_eq!(
        missing("ipproto tcp table 9"),
        [FRA_DPORT_RANGE, FRA_DSCP, FRA_FLOWLABEL, FRA_FLOWLABEL_MASK, FRA_DPORT_MASK]
    );
    assert!(made("l3mdev").missing_in(&Rule::default()).eq([FRA_L3MDEV]));
    // What stands for any is not told by the kernel.
    assert_eq!(made("tun_id 0 ipproto 0 table 9").missing_in(&Rule::default()).next(), None);
    let all =
        made("l3mdev uidrange 0-9 tun_id 1 ipproto 6 sport 1/1 dport 1/1 dscp 1/1 flowlabel 1/1");
    let missing: Vec<u16> = all.missing_in(&Rule::default()).collect();
    assert!(missing.is_sorted() && missing.len() == 12, "{missing:?}");
}

#[test]
fn the_same_words_are_refused() {
    const ADD: &[&str] = &[
        "from x",
        "from",
        "to 10.0.0.0/33",
        "pref x",
        "tos x",
        "fwmark x",
        "fwmark 1/x",
        "realms x",
        "table x",
        "protocol x",
        "suppress_prefixlength x",
        "suppress_ifgroup x",
        "iif",
        "iif waytoolonginterfacename",
        "oif waytoolonginterfacename",
        "uidrange x",
        "uidrange 5",
        "ipproto x",
        "sport x",
        "dport x",
        "tun_id x",
        "goto x",
        "goto",
        "type goto",
        "type bogus",
        "bogus",
        "10.0.0.0/8",
        "table 5 l3mdev",
        "l3mdev table 5",
    ];
    const SHOW: &[&str] = &[
        "from x",
        "pref x",
        "tos x",
        "table x",
        "protocol x",
        "iif",
        "fwmark x",
        "uidrange x",
        "ipproto x",
        "tun_id x",
        "bogus",
        "suppress_prefixlength 0",
        "from 2001:db8::/32",
    ];
    beside_ip(SETUP, |(_, names)| {
        let family = AddressFamily::UNSPEC;
        let check = |command: &str, line: &str, error: Option<parse::WordError>| {
            refused(&format!("rule {command} {line}"), error);
        };
        for line in ADD {
            check("add", line, parse::rule::change(&split(line), family, &names).err());
        }
        for line in SHOW {
            check("show", line, parse::rule::selector(&split(line), family, &names).err());
        }
    });
}
