//! The harness of live tests, tested with itself.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::parent_id;
use std::panic::catch_unwind;
use std::process::{self, Command};
use std::time::Duration;
use std::{env, thread};

use nl_socket::netns;
use nl_testkit::{Running, live, live_within, need, sh, tool, try_sh, wait_until};

#[test]
fn body_runs_as_root_of_an_empty_namespace() {
    live(|| {
        assert_eq!(sh("id -u").trim(), "0");
        assert_eq!(sh("ls -A /run"), "");
        if !need(&["ip"]) {
            return;
        }
        assert_eq!(tool("ip", &["-o", "link"]).lines().count(), 1);
        assert!(tool("ip", &["link", "show", "lo"]).contains("DOWN"));
        sh("ip link set lo up; ip netns add here; ip netns exec here ip link");
        assert!(try_sh("ip link set nowhere up").unwrap_err().contains("nowhere"));
    });
}

mod nested {
    use super::*;

    #[test]
    fn tests_in_modules_are_found() {
        live(|| assert_eq!(sh("echo here"), "here\n"));
    }
}

/// Where the host forbids namespaces a live test does not fail as it should.
fn fail_where_skipped(as_expected: &str) {
    let mut command = Command::new("true");
    netns::private_command(&mut command);
    assert!(command.status().is_ok(), "{as_expected}");
}

#[test]
#[should_panic(expected = "failed (exit status: 3):")]
fn a_body_that_fails_fails_the_test() {
    live(|| process::exit(3));
    fail_where_skipped("failed (exit status: 3):");
}

#[test]
#[should_panic(expected = "the output")]
fn output_of_a_failed_body_is_shown() {
    live(|| {
        println!("the output");
        process::exit(3);
    });
    fail_where_skipped("the output");
}

#[test]
#[should_panic(expected = "ran for more than")]
fn a_body_that_hangs_is_killed() {
    live_within(Duration::from_millis(300), || thread::sleep(Duration::from_secs(30)));
    fail_where_skipped("ran for more than");
}

/// A test that is killed ends nothing that it started itself.
#[test]
fn what_a_killed_test_left_is_ended() {
    let ids = |process| env::temp_dir().join(format!("nl-left-{process}"));
    let failure = catch_unwind(|| {
        live(|| {
            // One has a network namespace of its own.
            for options in ["-m", "-n"] {
                let child = Running::start(Command::new("unshare").args([options, "sleep", "60"]));
                let name = format!("/proc/{}/comm", child.id());
                wait_until("it to sleep", || fs::read_to_string(&name).unwrap() == "sleep\n");
                let mut file = File::options().create(true).append(true).open(ids(parent_id()));
                writeln!(file.as_mut().unwrap(), "{}", child.id()).unwrap();
                std::mem::forget(child);
            }
            process::exit(3);
        });
    });
    let Ok(left) = fs::read_to_string(ids(process::id())) else {
        assert!(failure.is_ok(), "it was skipped");
        return;
    };
    fs::remove_file(ids(process::id())).unwrap();
    assert!(failure.is_err() && left.lines().count() == 2, "{left}");
    // Who takes such processes over may take its time to wait for them.
    let lives = |id: &str| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        stat.contains("(sleep) ") && !stat.contains(") Z ")
    };
    wait_until("their end", || !left.lines().any(lives));
}

#[test]
#[should_panic(expected = "no test is called")]
fn a_name_that_is_no_test_is_noticed() {
    fn elsewhere() {
        live(|| ());
    }
    elsewhere();
    fail_where_skipped("no test is called");
}
