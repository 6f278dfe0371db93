//! What comes out of files: batches, saved routes and lines of conntrack(8), beside ip(8) and
//! conntrack(8); and which line or entry it is that something is wrong with.
#![cfg(target_os = "linux")]

mod common;
mod conntrack_common;

use std::fs;

use common::beside::ip;
use common::{Ran, nlctl, run, run_with};
use conntrack_common::{OURS, anonymous, shell, without_places};
use nl_testkit::{live, need, quiet, sh, tool};

/// A line of shell that starts with this program.
fn piped(line: &str) -> Ran {
    shell(env!("CARGO_BIN_EXE_nlctl"), line)
}

/// Lines of a batch, what ip says of them, and whether it goes on where one fails.
const BATCHES: [(&str, &str); 9] = [
    ("route add 10.1.0.0/16 dev lo # \"\n\n \t\nroute add '10.2.0.0/16' dev \"lo\"\n", ""),
    ("route add 10.1.0.0/16 \\\n dev lo\\\n\nroute add 10.2.0.0/16 dev \\\n lo # end", ""),
    // A comment takes the backslash along.
    ("route add 10.1.0.0/16 dev lo # \\\nroute add 10.2.0.0/16 dev lo\n", ""),
    (
        "route add 10.1.0.0/16 dev lo\nroute add '10.2.0.0/16 dev lo\nroute add 10.3.0.0/16 dev lo\n",
        "Unterminated quoted string",
    ),
    (
        "route add 10.1.0.0/16 dev lo\nroute add 10.2.0.0/16 dev lo \\\n",
        "Missing continuation line",
    ),
    ("route add \"10.1.0.0/16\"dev lo\n", ""),
    // No blank to ip.
    ("route add 10.1.0.0/16 dev lo\nroute add 10.2.0.0/16 \u{a0}dev lo\n", "is a garbage"),
    (
        "route add 10.1.0.0/16 dev lo\nroute add 10.1.0.0/16 dev lo\nroute add 10.3.0.0/16 dev lo\n",
        "File exists",
    ),
    ("frobnicate\nroute add 10.1.0.0/16 dev lo\n", "Object \"frobnicate\" is unknown"),
];

#[test]
fn batches_do_what_they_do_in_ip() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        quiet();
        sh("ip link set lo up");
        for (batch, wrong) in BATCHES {
            fs::write("/run/batch", batch).unwrap();
            let routes = || {
                let routes = sh("ip route show");
                sh("ip route flush table main");
                routes
            };
            let theirs = (ip("-batch /run/batch"), routes());
            let ours = (run(&["-batch", "/run/batch"]), routes());
            assert_eq!(ours.1, theirs.1, "{batch}\n{ours:?}\n{theirs:?}");
            assert!(theirs.0.err.contains(wrong), "{batch}\n{theirs:?}");
            assert!(ours.0.err.contains(wrong), "{batch}\n{ours:?}");
            // ip calls what lacks its end a success.
            assert_eq!(ours.0.code == 0, wrong.is_empty(), "{batch}\n{ours:?}");
            let named = ours.0.err.contains("Command failed /run/batch:");
            assert_eq!(named, !wrong.is_empty(), "{batch}\n{ours:?}");
        }
        // Ours goes on, as it does behind what else is wrong with a line.
        let batch = b"route add \"10.1.0.0/16 dev lo\nroute add 10.2.0.0/16 dev lo\n";
        let ran = run_with(&["-force", "-batch", "-"], batch);
        assert_eq!((ran.code, sh("ip -o route | wc -l").trim()), (1, "1"), "{ran:?}");
        assert!(ran.err.ends_with("Command failed -:1\n"), "{ran:?}");
        // What stands before a line that can't be read is carried out.
        let ran = run_with(&["-batch", "-"], b"route del 10.2.0.0/16\n\xff\n");
        assert_eq!((ran.code, sh("ip route").as_str()), (1, ""), "{ran:?}");
        assert!(ran.err.ends_with("\n  in line 2 of -\n"), "{ran:?}");
    });
}

#[test]
fn the_family_narrows_what_was_saved() {
    live(|| {
        if !need(&["ip", "tail"]) {
            return;
        }
        quiet();
        sh("ip link set lo up
            ip address add 192.0.2.1/24 dev lo
            ip route add 198.51.100.0/24 dev lo; ip -6 route add 2001:db8:1::/48 dev lo
            ip rule add fwmark 1 lookup 9; ip -6 rule add fwmark 2 lookup 9
            (ip route save; ip -6 route save | tail -c +5) > /run/routes
            (ip rule save; ip -6 rule save | tail -c +5) > /run/rules");
        for family in ["", "-4", "-6", "-d -6"] {
            let show = format!("{family} route showdump < /run/routes");
            let [ours, theirs] = [piped(&show), shell("ip", &show)];
            assert_eq!(ours.out, theirs.out, "{family}");
            assert_eq!((ours.code, &ours.err), (theirs.code, &theirs.err), "{family}");
            assert!(ours.out.contains("198.51.100.0/24") != family.ends_with("-6"), "{ours:?}");
        }
        // What is restored it does not narrow.
        for family in ["-4", "-6"] {
            for program in ["ip", env!("CARGO_BIN_EXE_nlctl")] {
                sh("ip route del 198.51.100.0/24; ip -6 route del 2001:db8:1::/48
                    ip rule flush; ip -6 rule flush");
                // ip says of each route that is there that it is.
                sh(&format!(
                    "{program} {family} route restore < /run/routes 2> /dev/null
                    {program} {family} rule restore < /run/rules"
                ));
                let [four, six] = ["", "-6"].map(|family| {
                    sh(&format!("ip {family} route; ip {family} rule | grep fwmark"))
                });
                assert!(four.contains("198.51.100.0/24") && four.contains("0x1 "), "{four}");
                assert!(six.contains("2001:db8:1::/48") && six.contains("0x2 "), "{six}");
            }
        }
        // Which of the routes it is that is damaged.
        let mut file = fs::read("/run/routes").unwrap();
        let first = usize::from(u16::from_ne_bytes([file[4], file[5]]));
        file[4 + first + 16 + 12..][..2].copy_from_slice(&[0xff, 0xff]);
        let ran = run_with(&["route", "showdump"], &file);
        assert_eq!((ran.code, &*ran.out), (1, ""), "{ran:?}");
        assert!(ran.err.starts_with("route 2: "), "{ran:?}");
    });
}

/// One flow of each family.
const FLOWS: &str = "\
# IPv6 first
-A -t 600 -s fc00::1 -d fc00::2 -p udp --sport 1 --dport 53

-A -t 600 -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 1 --dport 53
";

/// How many flows of IPv4 and IPv6 there are.
fn counts() -> [usize; 2] {
    ["ipv4", "ipv6"]
        .map(|family| sh(&format!("conntrack -L -f {family} 2> /dev/null")).lines().count())
}

#[test]
fn the_family_holds_for_each_line() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        let load = |words: &str, file: &str, before: &str| {
            sh("conntrack -F");
            fs::write("/run/before", before).unwrap();
            sh("conntrack -R /run/before");
            fs::write("/run/file", file).unwrap();
            let ran = piped(words);
            (ran.code, counts(), ran)
        };
        let refused = |words: &str, file: &str, line: usize| {
            let (code, counts, ran) = load(words, file, "");
            let text = format!(
                "mismatched address family\nTry `conntrack -h' or 'conntrack --help' \
                for more information.\n  in line {line} of /run/file\n"
            );
            assert_eq!((code, anonymous(&ran.err)), (2, format!("conntrack: {text}")), "{words}");
            assert_eq!(counts, [0, 0], "{words}");
        };
        let done = |words: &str, file: &str, before: &str| {
            let (code, counts, ran) = load(words, file, before);
            assert_eq!((code, &*ran.err), (0, ""), "{words}");
            counts
        };
        assert_eq!(done("conntrack load /run/file", FLOWS, ""), [1, 1]);
        assert_eq!(done("conntrack -R /run/file -o xml", FLOWS, ""), [1, 1]);
        // No line is carried out if one of them makes no sense.
        refused("-4 conntrack load /run/file", FLOWS, 2);
        refused("-6 conntrack load /run/file", FLOWS, 4);
        refused("-6 conntrack -R /run/file", FLOWS, 4);
        refused("conntrack --load-file /run/file -f ipv6", FLOWS, 4);
        refused("-6 conntrack -R /run/file", "-D -f ipv4\n", 1);
        // What names no family means the one that was named before.
        let own = "-U -p udp -t 9\n-D -p udp\n";
        assert_eq!(done("-6 conntrack load /run/file", own, FLOWS), [1, 0]);
        assert_eq!(done("-4 conntrack load /run/file", own, FLOWS), [0, 1]);
        assert_eq!(load("-6 conntrack load /run/file", "-F\n", FLOWS).1, [1, 0]);
        assert_eq!(load("conntrack load /run/file", "-F\n", FLOWS).1, [0, 0]);
        // It is the same for a flow that is made without a file.
        let [four, six] = ["10.0.0.1 -d 10.0.0.2", "fc00::1 -d fc00::2"]
            .map(|ends| format!("conntrack -I -t 9 -p 99 -s {ends}"));
        assert_eq!(piped(&format!("-4 {four}")).code, 0);
        assert_eq!(piped(&format!("-6 {six}")).code, 0);
        assert_eq!(piped(&format!("-6 {four}")).code, 2);
        assert_eq!(piped(&format!("-4 {six}")).code, 2);
    });
}

/// Files of lines, for which both programs do and say the same but for the line that fails.
const LINES: [&str; 8] = [
    FLOWS,
    "-D -s 10.9.9.9\n-U -p udp -s 10.9.9.9 -t 5\n-I -t 60 -s 1.1.1.1 -d 1.1.1.2 -p 99\n",
    "-I -t 60 -s 1.1.1.1 -d 1.1.1.2 -p 99\n-I -t 60 -s 1.1.1.1 -d 1.1.1.2 -p 99\n-F\n",
    "conntrack -I -t 60 -s 1.1.1.1 -d 1.1.1.2 -p 99\n-D -p 99 -o id\n-D -p 99\n",
    "-I -t 60 -s 1.1.1.1 -d 1.1.1.2 -p 99\n-F\n",
    "-I -t 60 -s 1.1.1.1 -d 1.1.1.2 -p 99\n-L\n",
    "-I -t 60 -s 1.1.1.1 -d 1.1.1.2 -p 99 --frobnicate\n",
    "-I -t 60 -s 1.1.1.1 -p 99\n",
];

#[test]
fn lines_do_what_they_do_in_conntrack() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        for lines in LINES {
            fs::write("/run/file", lines).unwrap();
            let both = ["conntrack", OURS].map(|program| {
                sh("conntrack -F");
                let ran = shell(program, "-R /run/file");
                // The seconds, and what flow it was.
                let stable = |text: &str| -> Vec<String> {
                    let words = |line: &str| {
                        line.split_whitespace()
                            .skip(3)
                            .filter(|word| !word.starts_with("id="))
                            .collect::<Vec<_>>()
                            .join(" ")
                    };
                    let mut lines: Vec<_> = text.lines().map(words).collect();
                    lines.sort();
                    lines
                };
                (ran.code, stable(&ran.out), anonymous(&ran.err), counts())
            });
            let [theirs, ours] = &both;
            let said = without_places(&ours.2);
            assert_eq!(
                (ours.0, &ours.1, &said, ours.3),
                (theirs.0, &theirs.1, &theirs.2, theirs.3),
                "{lines}"
            );
            assert_eq!(ours.2.contains("  in line "), ours.0 != 0, "{lines}\n{ours:?}");
        }
        let ran = run(&["conntrack", "load", "/nonexistent"]);
        assert!(ran.err.ends_with("\n  No such file or directory\n"), "{ran:?}");
    });
}

#[test]
fn names_of_namespaces_are_the_same_in_both_lists() {
    live(|| {
        if !need(&["ip", "sh"]) {
            return;
        }
        quiet();
        // ip prints the last two as they are, which is no JSON: a control character, and no UTF-8.
        let names = ["plain", "q\"uo", "ap'o", "back\\slash", "č<&>", "\\033[31mred", "inv\\377id"];
        for (index, name) in names.iter().enumerate() {
            fs::write("/run/name", name.replace("\\s", "\\\\s")).unwrap();
            sh(&format!(
                "ip netns add \"$(printf \"$(cat /run/name)\")\"
                ip link add v{index} type veth peer name w{index}
                ip link set w{index} netns \"$(printf \"$(cat /run/name)\")\""
            ));
        }
        let listed = |line: &str, id: &str| {
            let found = common::beside::value(&nlctl(&common::beside::words(line)));
            let pair = |item: &serde_json::Value| {
                let name = item["name"].as_str().unwrap().to_owned();
                (item[id].as_i64().unwrap(), name)
            };
            let mut pairs: Vec<_> = found.as_array().unwrap().iter().map(pair).collect();
            pairs.sort();
            pairs
        };
        let ours = listed("-j netns", "id");
        assert_eq!(ours, listed("-j netns list-id", "nsid"));
        let raw = "plain q\"uo ap'o back\\slash č<&> \u{1b}[31mred inv\u{fffd}id".split(' ');
        let wanted: Vec<_> = (0..).zip(raw.map(str::to_owned)).collect();
        assert_eq!(ours, wanted);
        // In text nothing reaches the terminal that could steer it.
        for line in [&["netns"][..], &["netns", "list-id"], &["link"]] {
            let text = nlctl(line);
            common::harmless::harmless("netns", &text);
            assert!(text.contains("\\x1b[31mred") && text.contains("inv\\xffid"), "{text}");
        }
        // Where ip's list is JSON, it is the same.
        sh("for file in /run/netns/*; do case $file in
                *[[:cntrl:]]*|*inv*) ip netns del \"${file##*/}\" ;;
            esac; done");
        let theirs = common::beside::value(&tool("ip", &["-j", "netns"]));
        assert_eq!(common::beside::value(&nlctl(&["-j", "netns"])), theirs);
    });
}
