//! Counters told in every way, in namespaces of their own.
#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{command, nlctl, run};
use nl_testkit::{Running, live, need, sh};

const TRANSLATED: &str =
    "conntrack -I -t 1000 -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 3 --dport 53 -g 192.0.2.2:5353";

/// Sends a request, in the pieces given, and reads all of the answer.
fn ask(address: &str, pieces: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    for piece in pieces {
        stream.write_all(piece).unwrap();
        sleep(Duration::from_millis(20));
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn value(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}

/// Waits until it is so.
fn until(mut so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !so() {
        assert!(Instant::now() < end, "waited too long");
        sleep(Duration::from_millis(20));
    }
}

fn interrupt(mut child: Running) {
    child.signal("INT");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn counters_are_printed_once() {
    live(|| {
        if !need(&["conntrack", "ip"]) {
            return;
        }
        sh(TRANSLATED);
        let text = nlctl(&["metrics"]);
        assert_eq!(value(&text, "nl_nat_flows").to_bits(), 1_f64.to_bits());
        assert!(value(&text, "nl_queue_limit_bytes") > 1000.0);
        assert_eq!(value(&nlctl(&["-6", "metrics"]), "nl_nat_flows").to_bits(), 0);
        sh(&format!("ip netns add blue; ip netns exec blue {TRANSLATED}"));
        let text = nlctl(&["metrics", "--all-netns"]);
        assert_eq!(value(&text, "nl_nat_flows").to_bits(), 2_f64.to_bits());
        assert!(text.contains("nl_events_total{namespace=\"blue\",kind=\"new\"} 0\n"), "{text}");
        assert_eq!(value(&text, "nl_namespaces").to_bits(), 2_f64.to_bits());
        assert_eq!(value(&text, "nl_converged").to_bits(), 1_f64.to_bits());
        assert_eq!(value(&text, "nl_list_entries_total").to_bits(), 2_f64.to_bits());
    });
}

#[test]
fn a_scraper_is_served() {
    live(|| {
        if !need(&["conntrack", "ip"]) {
            return;
        }
        sh("ip link set lo up");
        let mut command = command(&["metrics", "--listen", "127.0.0.1:0"]);
        let mut child = Running::start(command.stderr(Stdio::piped()));
        let mut told = String::new();
        BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut told).unwrap();
        let address = told.trim_end().strip_prefix("nlctl: http://").unwrap();
        let address = address.strip_suffix("/metrics").unwrap();
        let whole: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n";
        let scrape = || ask(address, &[whole]);
        let first = scrape();
        let (head, body) = first.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(head.contains("Content-Type: text/plain; version=0.0.4"), "{head}");
        assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
        assert_eq!(value(body, "nl_nat_flows").to_bits(), 0);
        sh(TRANSLATED);
        until(|| value(&scrape(), "nl_nat_flows") > 0.0);
        assert!(scrape().contains(",kind=\"new\"} 1\n"));
        sh("conntrack -D -p udp");
        until(|| scrape().contains(",kind=\"destroy\"} 1\n"));
        let text = scrape();
        for name in ["nl_received_messages_total", "nl_received_datagrams_total"] {
            assert_eq!(value(&text, name).to_bits(), 2_f64.to_bits(), "{text}");
        }
        assert!(value(&text, "nl_received_bytes_total") > 200.0, "{text}");
        assert_eq!(value(&text, "nl_sampling_ratio").to_bits(), 1_f64.to_bits());

        // Idle and slow clients keep nobody waiting, and are let go.
        let idle: Vec<TcpStream> = (0..10).map(|_| TcpStream::connect(address).unwrap()).collect();
        assert!(ask(address, &[&whole[..9], &whole[9..]]).starts_with("HTTP/1.1 200 "));
        assert!(ask(address, &[b"GET / HTTP/1.1\r\n\r\n"]).starts_with("HTTP/1.1 404 "));
        assert!(ask(address, &[&[b'a'; 4096]]).starts_with("HTTP/1.1 431 "));
        for mut stream in idle {
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
        }
        assert!(scrape().starts_with("HTTP/1.1 200 "));

        let taken = run(&["metrics", "--listen", address]);
        assert_eq!((taken.code, &*taken.out), (1, ""), "{}", taken.err);
        interrupt(child);
    });
}

/// Too many events: fewer connections are followed, until the load falls.
#[test]
fn load_narrows_what_is_followed() {
    live(|| {
        if !need(&["conntrack", "ip"]) {
            return;
        }
        sh("ip link set lo up");
        let mut counting = command(&["metrics", "--listen", "127.0.0.1:0", "--limit", "20"]);
        let mut counting = Running::start(counting.stderr(Stdio::piped()));
        let mut said = BufReader::new(counting.stderr.take().unwrap());
        let mut told = String::new();
        said.read_line(&mut told).unwrap();
        let address = told.trim_end().strip_prefix("nlctl: http://").unwrap();
        let address = address.strip_suffix("/metrics").unwrap();
        let scrape = |name| value(&ask(address, &[b"GET /metrics HTTP/1.1\r\n\r\n"]), name);
        let mut command = command(&["-j", "nat", "watch", "--limit", "20"]);
        let mut watching = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let lines = BufReader::new(watching.stdout.take().unwrap()).lines();
        let mut filters = lines.map(Result::unwrap).filter_map(|line| {
            let object: serde_json::Value = serde_json::from_str(&line).unwrap();
            (object["event"] == "filter").then(|| object["passes"].as_str().unwrap().to_owned())
        });
        let load = std::thread::spawn(|| {
            // Until both have had enough; connections that are not translated.
            while !std::path::Path::new("/run/enough").exists() {
                sh("for port in $(seq 1 50); do
                        flow=\"-s 10.0.0.1 -d 10.0.0.2 -p udp --sport $port --dport 53\"
                        echo \"-I -t 1000 $flow\"; echo \"-D $flow\"
                    done | conntrack -R - >/dev/null 2>&1 || true");
            }
            sh("conntrack -I -t 1000 -s 10.0.0.1 -d 10.0.0.2 -p udp --sport 99 --dport 53");
        });
        assert_eq!(filters.next().unwrap(), "nat_only");
        // The longer the load lasts, the longer it takes until all passes again.
        let end = Instant::now() + Duration::from_secs(120);
        let until = |name, from: f64, to: f64| {
            while !(from..=to).contains(&scrape(name)) {
                assert!(Instant::now() < end, "waited too long for {name}");
                sleep(Duration::from_millis(50));
            }
        };
        until("nl_filter_everything", 0.0, 0.0);
        fs::write("/run/enough", "").unwrap();
        load.join().unwrap();
        while filters.next().unwrap() != "everything" {}
        until("nl_filter_everything", 1.0, 1.0);
        until("nl_sampling_ratio", 1.0, 1.0);
        until("nl_filter_steps_total", 2.0, 1e9);
        until("nl_resyncs_total", 1.0, 1e9);
        interrupt(counting);
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        assert!(rest.starts_with("nlctl: WARNING: too many events: only translated"), "{rest}");
        assert!(rest.ends_with("nlctl: all connections are followed again\n"), "{rest}");
        interrupt(watching);
    });
}

#[test]
fn messages_are_shown() {
    live(|| {
        if !need(&["conntrack", "ip"]) {
            return;
        }
        sh(TRANSLATED);
        for arguments in [&["metrics"][..], &["metrics", "--all-netns"], &["doctor"]] {
            let ran = run(&[&["--trace"], arguments].concat());
            assert!(ran.code == 0 && !ran.out.is_empty(), "{arguments:?}");
            for mark in ["> ", "< "] {
                assert!(ran.err.lines().any(|line| line.starts_with(mark)), "{}", ran.err);
            }
            let listed = ran.err.contains("192.0.2.2");
            assert_eq!(listed, arguments[0] == "metrics", "{}", ran.err);
        }
    });
}

#[test]
fn files_are_replaced_as_a_whole() {
    live(|| {
        if !need(&["conntrack"]) {
            return;
        }
        sh("mkdir /run/m; echo old > /run/m/nl.prom");
        let file = "/run/m/nl.prom";
        let arguments = ["metrics", "--textfile", file, "--interval", "1"];
        let child = Running::start(&mut command(&arguments));
        until(|| fs::read_to_string(file).unwrap() != "old\n");
        let text = fs::read_to_string(file).unwrap();
        assert!(text.starts_with("# HELP ") && text.ends_with('\n'), "{text}");
        sh(TRANSLATED);
        until(|| value(&fs::read_to_string(file).unwrap(), "nl_nat_flows") > 0.0);
        interrupt(child);
        assert_eq!(fs::read_dir("/run/m").unwrap().count(), 1);
        let ran = run(&["metrics", "--textfile", "/run/none/nl.prom"]);
        assert_eq!(ran.code, 1);
        assert_eq!(ran.err, "nlctl: cannot write /run/none/nl.prom: No such file or directory\n");
    });
}

#[test]
fn what_is_wrong_is_told() {
    for (arguments, text) in [
        (&["metrics", "x"][..], "Argument \"x\" is unknown"),
        (&["metrics", "--listen", "9100"], "\"9100\" is wrong"),
        (&["metrics", "--listen", "0.0.0.0:9100"], "--public"),
        (&["metrics", "--listen", "[::]:9100"], "--public"),
        (&["metrics", "--textfile", "/x", "--interval", "0"], "\"0\" is wrong"),
    ] {
        let ran = run(arguments);
        assert_eq!((ran.code, ran.err.contains(text)), (255, true), "{}", ran.err);
    }
}
