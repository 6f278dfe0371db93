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
        let rows = [
            (
                "route add 10.9.0.0/16 nexthop via 10.0.0.2 nexthop via 192.0.2.1",
                "Error: Nexthop has invalid gateway.",
            ),
            ("route add 10.9.0.0/16 via 192.0.2.1", "Error: Nexthop has invalid gateway."),
            ("-6 route add 2001:db8:9::/48 via 2001:db8:8::1", ""),
            ("route add 10.9.0.0/16 via 10.0.0.2 mtu 1400 congctl nosuch", ""),
            ("route add 10.9.0.1/16 via 10.0.0.2", ""),
            ("route del 10.9.0.0/16", "RTNETLINK answers: No such process"),
            ("route add 10.0.0.0/24 dev v0 scope link src 10.0.0.1", ""),
            ("route add 10.9.0.0/16 nhid 77", ""),
            ("route add 10.9.0.0/16 encap mpls 100 via 10.0.0.2 table 4294967295 src 10.0.0.7", ""),
            ("nexthop add id 7 group 99", ""),
            ("rule add from 10.0.0.0/8 l3mdev prohibit", ""),
        ];
        for (line, first) in rows {
            let (ours, theirs) = (run(&words(line)), ip(line));
            assert_eq!(ours.code, theirs.code, "{line}: {}", ours.err);
            assert!(ours.err.starts_with(first), "{line}: {}", ours.err);
            let lead = |text: &str| text.lines().next().unwrap_or_default().to_owned();
            assert!(lead(&ours.err).starts_with(&lead(&theirs.err)), "{line}: {}", ours.err);
            println!("{line}\n{}", ours.err);
        }
        agree("route");
    });
}
