//! Namespaces by name, process, thread.
#![cfg(not(miri))] // Miri has no kernel.

mod socket_common;

use std::io::ErrorKind;
use std::process::{self, Command};

use nl_socket::{Netns, netns};
use nl_testkit::{live, sh};

#[test]
fn one_namespace_has_one_id() {
    let here = Netns::current().unwrap().id().unwrap();
    assert_eq!(Netns::of_process(process::id()).unwrap().id().unwrap(), here);
    assert_eq!(Netns::path("/proc/self/ns/net").unwrap().id().unwrap(), here);
    assert_ne!(here.inode, 0);
}

#[test]
fn names_are_found_and_missing_ones_named() {
    live(|| {
        let error = Netns::named("blue").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(
            error.to_string(),
            "no network namespace is named \"blue\" (looked in /run/netns and /var/run/netns)"
        );
        sh("ip netns add blue");
        let blue = Netns::named("blue").unwrap();
        assert_ne!(blue.id().unwrap(), Netns::current().unwrap().id().unwrap());
        assert_eq!(
            blue.run(|| Netns::current().unwrap().id().unwrap()).unwrap(),
            blue.id().unwrap()
        );
    });
}

#[test]
fn what_cannot_be_a_name_is_refused() {
    for name in ["", ".", "..", "a/b", "a\0", "/etc/passwd"] {
        let error = Netns::named(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{name:?}");
    }
    let error = Netns::named("\x1b[2J").unwrap_err().to_string();
    assert!(error.contains("\\u{1b}[2J"), "{error}");
}

#[test]
fn missing_files_and_processes_are_named() {
    let error = Netns::path("/nowhere/at all\n").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().starts_with("cannot open /nowhere/at all\\n: "), "{error}");
    let error = Netns::of_process(u32::MAX).unwrap_err();
    assert_eq!(error.to_string(), "there is no process 4294967295");
}

#[test]
fn what_is_no_namespace_cannot_be_entered() {
    let error = Netns::path("/dev/null").unwrap().run(|| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), "what was opened as one is no network namespace");
}

#[test]
fn running_elsewhere_gives_back_and_stays_here() {
    live(|| {
        let (here, there) = (Netns::current().unwrap().id().unwrap(), Netns::create().unwrap());
        let mut local = 1;
        let answer = there.run(|| {
            local += 1;
            sh("ip -o link").lines().count()
        });
        assert_eq!((answer.unwrap(), local), (1, 2));
        assert_eq!(Netns::current().unwrap().id().unwrap(), here);
        let panic = std::panic::catch_unwind(|| there.run(|| panic!("passed on")));
        assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "passed on");
    });
}

#[test]
fn a_private_command_leaves_its_parent_alone() {
    live(|| {
        let here = Netns::current().unwrap().id().unwrap();
        let mut command = Command::new("stat");
        command.args(["-L", "-c", "%i", "/proc/self/ns/net"]);
        netns::private_command(&mut command);
        let output = command.output().map_err(netns::refusal).unwrap();
        let inode: u64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
        assert_ne!(inode, here.inode);
        assert_eq!(Netns::current().unwrap().id().unwrap(), here);
    });
}

#[test]
fn only_a_single_thread_may_enter_a_private_namespace() {
    live(|| {
        let here = Netns::current().unwrap().id().unwrap();
        // The harness runs this beside its first thread.
        let error = netns::enter_private().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert_eq!(Netns::current().unwrap().id().unwrap(), here);
    });
}

#[test]
fn root_does_without_a_user_namespace_where_it_is_refused() {
    live(|| {
        sh("echo 0 > /proc/sys/user/max_user_namespaces");
        let inodes = "stat -L -c %i /proc/self/ns/user /proc/self/ns/net";
        let mut command = Command::new("sh");
        command.args(["-c", inodes]);
        netns::private_command(&mut command);
        let output = command.output().map_err(netns::refusal).unwrap();
        let (outside, inside) = (sh(inodes), String::from_utf8(output.stdout).unwrap());
        let pairs: Vec<_> = outside.lines().zip(inside.lines()).collect();
        assert_eq!(pairs.iter().map(|(a, b)| a == b).collect::<Vec<_>>(), [true, false]);
    });
}

#[test]
fn a_forbidden_namespace_names_the_remedy() {
    live(|| {
        // A limit of this user namespace alone; its own root may lower it.
        sh(
            "echo 0 > /proc/sys/user/max_user_namespaces; echo 0 > /proc/sys/user/max_net_namespaces",
        );
        let mut command = Command::new("true");
        netns::private_command(&mut command);
        let error = netns::refusal(command.status().unwrap_err()).to_string();
        assert!(error.contains("run as root"), "{error}");
        assert!(error.contains("sysctl -w user.max_user_namespaces="), "{error}");
        assert_eq!(Netns::create().unwrap_err().raw_os_error(), Some(28), "ENOSPC");
    });
}
