//! Many changes at once, and what is said of those that are refused.
#![cfg(target_os = "linux")]

mod common;

use common::beside::{agree, ip, same, words};
use common::{run, run_with};
use nl_testkit::{live, need, quiet, sh};

const LINK: &str = "ip link add v0 type veth peer name v1; ip link set v0 up; ip link set v1 up
    ip addr add 10.0.0.1/24 dev v0; ip addr add 2001:db8::1/64 dev v0 nodad";

#[test]
fn a_batch_stops_where_that_of_ip_stops() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        quiet();
        sh(LINK);
        let lines: Vec<String> = (0..1500)
            .map(|n| match n {
                1200 => "route add 10.99.0.0/16 via 192.0.2.1\n".into(),
                n => format!("route add 10.{}.{}.0/24 via 10.0.0.2\n", 100 + n / 250, n % 250),
            })
            .collect();
        let batch = lines.concat();
        let ran = run_with(&["-b", "-"], batch.as_bytes());
        assert_eq!(ran.code, 1);
        assert!(ran.err.ends_with("Command failed -:1201\n"), "{}", ran.err);
        let ours = ip("route").out;
        assert_eq!(ours.matches("via 10.0.0.2").count(), 1200);
        sh("ip route flush root 10.0.0.0/8 proto boot");
        let file = std::env::temp_dir().join(format!("nlctl-batch-{}", std::process::id()));
        std::fs::write(&file, &batch).unwrap();
        let theirs = ip(&format!("-b {}", file.display()));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(theirs.code, 1);
        same(&ours, &ip("route").out, "the routes of both");

        // With -force all but the one are there, thousands in a datagram.
        sh("ip route flush root 10.0.0.0/8 proto boot");
        let ran = run_with(&["--trace", "-force", "route", "replace", "-b", "-"], batch.as_bytes());
        assert_eq!(ran.code, 1);
        assert_eq!(ran.err.matches("Command failed -:").count(), 1);
        assert_eq!(ip("route").out.matches("via 10.0.0.2").count(), 1499);
    });
}

#[test]
fn a_refusal_names_the_attribute_and_the_hop() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        quiet();
        sh(LINK);
        // What is said behind ip's line.
        let rows = [
            (
                "route add 10.9.0.0/16 nexthop via 10.0.0.2 nexthop via 192.0.2.1",
                "ENETUNREACH, at RTA_MULTIPATH[1]/RTA_GATEWAY",
            ),
            (
                "-6 route add 2001:db8:9::/48 nexthop via fe80::2 dev v0
                 nexthop via 2001:db8:8::1 dev v0 nexthop via 2001:db8::3 dev v0",
                "EHOSTUNREACH, at RTA_MULTIPATH[1]/RTA_GATEWAY",
            ),
            ("route add 10.9.0.0/16 via 192.0.2.1", "ENETUNREACH"),
            ("route add 10.9.0.1/16 via 10.0.0.2", "EINVAL"),
            ("route del 10.9.0.0/16", "ESRCH"),
            ("route add 10.0.0.0/24 dev v0 scope link src 10.0.0.1 proto kernel", "EEXIST"),
            ("route add 10.9.0.0/16 nhid 77", "EINVAL"),
            ("nexthop add id 7 group 99", "EINVAL"),
            ("rule del from 10.77.0.0/16", "ENOENT"),
            ("addrlabel add prefix 10.0.0.0/8 label 3", "ERANGE, at IFAL_ADDRESS"),
        ];
        for (line, more) in rows {
            let (ours, theirs) = (run(&words(line)), ip(&words(line).join(" ")));
            assert_eq!(ours.code, theirs.code, "{line}: {}", ours.err);
            let mut lines = ours.err.lines();
            assert_eq!(lines.next(), theirs.err.lines().next(), "{line}");
            let said = lines.next().unwrap_or_default().trim_start();
            // What the kernel demands of an attribute may follow.
            assert!(said.starts_with(more), "{line}: {}", ours.err);
            assert!(said.len() == more.len() || said[more.len()..].starts_with(", expected"));
        }
        // The kernel tells of attributes by their place; the hop is found here, in batches too.
        let batch = "route add 10.9.0.0/16 nexthop via 192.0.2.1 nexthop via 10.0.0.2\n";
        let ran = run_with(&["-b", "-"], batch.as_bytes());
        assert!(ran.err.contains("at RTA_MULTIPATH[0]/RTA_GATEWAY"), "{}", ran.err);
        agree("route");
    });
}
