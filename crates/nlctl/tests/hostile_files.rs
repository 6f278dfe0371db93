//! Files that others wrote: names in them reach a terminal as text that it only shows, and nonsense
//! in them is refused in words.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::harmless::{harmless, harmless_json};
use common::{Ran, command, nlctl, run, run_with};
use nl_route::names::NameKind;
use nl_testkit::{Rng, Running, live, need, quiet, sh, tool, wait_until};
use nl_wire::pcap::{ByteOrder, HOST, Precision, Writer as Capture};
use nl_wire::value::Family;

/// A name without blanks: colours, a bell, DEL, quotes, C1 controls, what turns the direction of
/// writing, and what is no UTF-8.
const HOSTILE: &[u8] = b"\x1b[31mx\x07\x7f\"\\'<&>\xc2\x9b1m\xe2\x80\xae\xff";

/// The kinds of names that iproute2's own files give.
const IN_FILES: [NameKind; 7] = [
    NameKind::Protocol,
    NameKind::Table,
    NameKind::Scope,
    NameKind::Realm,
    NameKind::Tos,
    NameKind::Group,
    NameKind::AddressProtocol,
];

/// Gives every number that the objects below have a hostile name; only this process and its children
/// see these files. False if there is no place for them.
fn write_names() -> bool {
    let folders = NameKind::Table.folders();
    let Some(folder) = folders.iter().find(|folder| Path::new(folder).is_dir()) else {
        return false;
    };
    sh(&format!("mount -t tmpfs tmpfs {folder}"));
    for kind in IN_FILES {
        let mut file = b"# \x1b[2J\n\xff\xfe\n77 two words\n".to_vec();
        for number in ["5", "8", "77"] {
            file.extend([number.as_bytes(), b" ", HOSTILE, number.as_bytes(), b"\n"].concat());
        }
        fs::write(Path::new(folder).join(kind.file()), file).unwrap();
    }
    fs::write("/run/protocols", [HOSTILE, b" 77 X\n"].concat()).unwrap();
    if Path::new("/etc/protocols").exists() {
        sh("mount --bind /run/protocols /etc/protocols");
    }
    true
}

#[test]
fn names_of_tables_and_protocols() {
    live(|| {
        if !need(&["ip", "mount"]) {
            return;
        }
        quiet();
        sh("ip link set lo up
            ip link add v0 group 5 type veth peer name v1
            ip link set v0 up; ip link set v1 up
            ip address add 192.0.2.1/24 dev v0
            ip route add 198.51.100.0/24 via 192.0.2.9 proto 77 table 77 realm 5/8
            ip route add 198.51.100.0/24 dev v0 scope 77 tos 0x08
            ip rule add fwmark 7 tos 0x08 ipproto 77 lookup 77 realms 5/77 protocol 77
            ip neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev v0 protocol 77
            ip nexthop add id 5 via 192.0.2.9 dev v0 protocol 77");
        nlctl(&["address", "change", "192.0.2.1/24", "dev", "v0", "proto", "77"]);
        if !write_names() {
            return nl_testkit::skip("there is no folder of names");
        }
        let mut named = 0;
        for line in [
            "link",
            "-d link",
            "-br link",
            "address",
            "-d address",
            "route show table all",
            "-d route show table all",
            "rule",
            "-d rule",
            "neigh",
            "nexthop",
            "-d nexthop",
            "qdisc",
            "netconf",
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            let text = nlctl(&words);
            harmless(line, &text);
            named += text.matches(r"\x1b[31mx\x07\x7f").count();
            harmless_json(line, &nlctl(&[&["-j"], &words[..]].concat()));
        }
        // Group, protocol of the address, protocol, table, realm, scope and service of the routes …
        assert!(named >= 15, "only {named} names were shown");
        // The name is the name, wherever it is typed and for whatever it stands.
        let name = format!("{}77", String::from_utf8_lossy(HOSTILE));
        assert_eq!(nlctl(&["route", "show", "table", &name]).lines().count(), 1);
        let refused = run(&["route", "show", "table", &name[1..]]);
        assert_ne!(refused.code, 0);
        harmless("a name that there is not", &refused.err);

        let file = fs::File::create("/run/heard").unwrap();
        let monitor =
            Running::start(command(&["monitor", "all"]).stdout(file).stderr(Stdio::null()));
        wait_until("the monitor", || nl_testkit::listeners(0, 1 << 6) > 0);
        sh("ip route add 203.0.113.0/24 via 192.0.2.9 proto 77 table 77
            ip rule add fwmark 8 lookup 77
            ip neigh del 192.0.2.9 dev v0
            ip link set v0 down
            ip link set v0 mtu 1400");
        wait_until("what it heard", || {
            String::from_utf8_lossy(&fs::read("/run/heard").unwrap()).contains("mtu 1400")
        });
        drop(monitor);
        let heard = String::from_utf8(fs::read("/run/heard").unwrap()).expect("UTF-8");
        harmless("monitor", &heard);
        assert!(heard.contains(r"table \x1b[31mx"), "{heard}");
    });
}

#[test]
fn names_of_namespaces_and_policies() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        // Whatever may stand in the name of a file may stand in that of a namespace.
        let name = "\u{1b}[31mn\u{7}\"\\<\u{202e}\u{9b}";
        tool("ip", &["netns", "add", name]);
        sh("ip link add v0 type veth peer name v1");
        tool("ip", &["link", "set", "v1", "netns", name]);
        for line in ["netns", "link", "-d link", "netns list-id"] {
            let words: Vec<&str> = line.split(' ').collect();
            let text = nlctl(&words);
            harmless(line, &text);
            assert!(text.contains(r"\x1b[31mn"), "{line}: {text}");
            let found = harmless_json(line, &nlctl(&[&["-j"], &words[..]].concat()));
            // As in ip's JSON, a link has the number alone.
            let named = found[0].to_string().contains("[31mn");
            assert_eq!(named, line.starts_with("netns"), "{line}: {found:?}");
        }
        let there = run(&["--netns", name, "link", "show", "v1"]);
        assert_eq!(there.code, 0, "{}", there.err);

        let policy = "\u{1b}[31mp\u{7}\"\\<\u{202e}";
        let words = ["conntrack", "timeout", "add", policy, "ipv4", "udp", "replied=7"];
        let made = run(&words);
        if made.code != 0 && made.err.contains("not supported") {
            return nl_testkit::skip("this kernel has no timeout policies");
        }
        assert_eq!(made.code, 0, "{}", made.err);
        let text = nlctl(&["conntrack", "timeout"]);
        harmless("timeout policies", &text);
        assert!(text.starts_with(r"\x1b[31mp"), "{text}");
        let found = harmless_json("timeout policies", &nlctl(&["-j", "conntrack", "timeout"]));
        assert_eq!(found[0][0]["name"], policy);
        let missing = run(&["conntrack", "timeout", "get", "\u{1b}[31m"]);
        assert_ne!(missing.code, 0);
        harmless("a policy that there is not", &missing.err);
    });
}

/// What reads a file from its standard input, and how such a file may look.
const READERS: [(&str, &str); 7] = [
    (
        "-force -batch -",
        "link show lo # comment\nroute add 192.0.2.0/24 \\\n dev lo metric 5\nrule list\n\
         address add '192.0.2.1/24' dev \"lo\"\n-6 route list\nneigh show dev lo\nlink set lo up\n",
    ),
    ("conntrack -R -", "-A -t 60 -s 192.0.2.1 -d 192.0.2.2 -p udp --sport 1 --dport 53\n-L \"x\n"),
    ("route restore", ""),
    ("route showdump", ""),
    ("rule restore", ""),
    ("address restore", ""),
    ("address showdump", ""),
];

/// The program without any capability: whatever it reads, it changes nothing.
fn weak(line: &str, input: &[u8]) -> Ran {
    let file = "/run/input";
    fs::write(file, input).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-all", "--inh-caps=-all", env!("CARGO_BIN_EXE_nlctl")]);
    command.args(line.split(' ')).stdin(fs::File::open(file).unwrap());
    command.output().expect("setpriv starts").into()
}

#[test]
fn nonsense_is_refused_in_words() {
    live(|| {
        if !need(&["setpriv", "ip", "sh"]) {
            return;
        }
        sh("ip link set lo up; ip address add 192.0.2.1/24 dev lo; ip rule add fwmark 1 lookup 9
            ip route add 198.51.100.0/24 dev lo; ip route add 203.0.113.0/24 via 192.0.2.9");
        let mut rng = Rng::new(8);
        for (line, sample) in READERS {
            let sample = match line.split_once(' ') {
                Some((object @ ("route" | "rule" | "address"), _)) => {
                    let program = env!("CARGO_BIN_EXE_nlctl");
                    sh(&format!("{program} {object} save > /run/saved"));
                    fs::read("/run/saved").unwrap()
                }
                _ => sample.as_bytes().to_vec(),
            };
            assert!(sample.len() > 40, "{line}: {sample:?}");
            for round in 0..10 {
                let input = if round == 0 { sample.clone() } else { spoilt(&mut rng, &sample) };
                let ran = weak(line, &input);
                assert!(is_orderly(&ran), "{line}: {ran:?} of {input:02x?}");
                harmless(line, &ran.out);
                harmless(line, &ran.err);
            }
        }
        assert!(!sh("ip route show table all").contains("metric 5"));
    });
}

/// Whether the program ended as it does where something is wrong; a panic is 101, a signal −1.
fn is_orderly(ran: &Ran) -> bool {
    matches!(ran.code, 0..=3 | 255) && !ran.err.contains("panicked")
}

/// A few bytes changed, taken away, or hostile text put in.
fn spoilt(rng: &mut Rng, sample: &[u8]) -> Vec<u8> {
    let mut bytes = sample.to_vec();
    for _ in 0..=rng.below(4) {
        let at = rng.below(bytes.len() + 1);
        match rng.below(4) {
            0 => bytes.truncate(at.max(4)),
            1 => drop(bytes.splice(at..at, HOSTILE.iter().copied())),
            2 => drop(
                bytes.drain(at..(at + rng.below(9)).min(sample.len()).max(at).min(bytes.len())),
            ),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = rng.bytes(1)[0];
                }
            }
        }
    }
    bytes
}

#[test]
fn captures_that_are_nonsense() {
    let mut rng = Rng::new(9);
    for (name, family) in [("route.hex", Family::ROUTE), ("netfilter.hex", Family::NETFILTER)] {
        let (mut capture, datagram) = (Vec::new(), nl_testkit::fixture(common::fixture(name)));
        let mut writer = Capture::new(&mut capture, Precision::Nanoseconds, ByteOrder::NATIVE);
        writer.record(Duration::ZERO, HOST, family.0, &datagram);
        for form in ["listing", "hex", "json", "text"] {
            for _ in 0..5 {
                let ran = run_with(&["decode", "-o", form, "-"], &spoilt(&mut rng, &capture));
                assert!(is_orderly(&ran), "{form}: {ran:?}");
                harmless(form, &ran.out);
                harmless(form, &ran.err);
            }
        }
    }
}
