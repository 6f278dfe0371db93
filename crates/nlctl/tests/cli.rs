//! Options, words, help and exit codes.

mod common;

use common::{run, run_with};

/// Runs what must fail; gives the exit code and the one line. conntrack(8)'s second line about help
/// does not count.
fn fails(arguments: &[&str]) -> (i32, String) {
    let ran = run(arguments);
    assert_eq!(ran.out, "", "{arguments:?}");
    let text = ran.err.split("\nTry `nlctl conntrack -h'").next().unwrap().trim_end();
    assert_eq!(text.lines().count(), 1, "{arguments:?}: {}", ran.err);
    (ran.code, text.to_owned())
}

#[test]
fn unknown_words_are_told_as_ip_does() {
    assert_eq!(fails(&["x"]), (1, r#"Object "x" is unknown, try "nlctl help"."#.into()));
    assert_eq!(fails(&["-x"]), (255, r#"Option "-x" is unknown, try "nlctl --help"."#.into()));
    assert_eq!(
        fails(&["monitor", "x"]),
        (255, r#"Argument "x" is unknown, try "nlctl monitor help"."#.into())
    );
    assert_eq!(
        fails(&["-n"]),
        (255, r#"Option "-n" requires an argument, try "nlctl --help"."#.into())
    );
    let (code, text) = fails(&["--json=yes"]);
    assert!(code == 255 && text.starts_with("Error: "), "{text}");
    let (code, text) = fails(&["-n", "no-such-namespace", "conntrack", "list"]);
    assert!(code == 255 && text.contains("no-such-namespace"), "{text}");
}

#[test]
fn unknown_words_are_told_as_conntrack_does() {
    for (arguments, text) in [
        (&["x"][..], "unknown command `x', try \"nlctl conntrack help\""),
        (&["list", "--x"], "unknown option `--x'"),
        (&["list", "-s"], "option `-s' requires an argument"),
        (&["list", "-s", "x"], "Invalid IP address `x'"),
        (&["list", "-s", "1.2.3.4/33"], "Invalid netmask"),
        (&["list", "-s", "1.2.3.4", "-d", "::1"], "mismatched address family"),
        (&["list", "-6", "-s", "1.2.3.4"], "mismatched address family"),
        (&["list", "-f", "ipv5"], "`ipv5' unsupported protocol"),
        (&["list", "-p", "x"], "`x' unsupported protocol"),
        (&["list", "-p", "256"], "`256' unsupported protocol"),
        (&["list", "-m", "1/x"], "Bad parameter `1/x'"),
        (&["list", "-w", "65536"], "Bad parameter `65536'"),
        (&["list", "-o", "id,q"], "Bad parameter `q'"),
        (&["list", "x"], "unknown type `x'"),
        (&["watch", "-e", "NEW,X"], "Bad parameter `X'"),
        (&["list", "--all-netns"], "Illegal option `--all-netns' with this command"),
    ] {
        let all: Vec<&str> = ["conntrack"].iter().chain(arguments).copied().collect();
        let line = format!("nlctl v{} (conntrack): {text}", env!("CARGO_PKG_VERSION"));
        assert_eq!(fails(&all), (2, line));
    }
}

#[test]
fn what_the_user_typed_cannot_steer_the_terminal() {
    for arguments in [
        &["a\x1b[2Jb"][..],
        &["--a\x1b[2Jb"],
        &["-n", "a\x1b[2Jb", "conntrack", "list"],
        &["conntrack", "list", "-o", "a\x1b[2Jb"],
        &["conntrack", "a\x1b[2Jb"],
        &["decode", "a\x1b[2Jb"],
        &["decode", "-o", "a\x1b[2Jb", "x"],
        &["decode", "--protocol", "a\x1b[2Jb", "x"],
        &["monitor", "a\x1b[2Jb"],
    ] {
        let (_, text) = fails(arguments);
        assert!(!text.contains('\x1b') && text.contains("[2J"), "{arguments:?}: {text:?}");
    }
}

#[test]
fn help_is_everywhere() {
    for arguments in [
        &["--help"][..],
        &["help"],
        &["-h"],
        &["conntrack", "help"],
        &["conntrack", "--help"],
        &["conntrack", "list", "--help"],
        &["conntrack", "watch", "help"],
        &["monitor", "help"],
        &["decode", "--help"],
    ] {
        let ran = run(arguments);
        assert_eq!((ran.code, &*ran.err), (0, ""), "{arguments:?}");
        assert!(ran.out.contains("\nUsage: nlctl"), "{}", ran.out);
        assert!(ran.out.contains("--trace"), "{}", ran.out);
        assert!(ran.out.lines().all(|line| line.chars().count() <= 100), "{}", ran.out);
    }
    // What an inner option hides is not offered.
    let help = run(&["decode", "--help"]).out;
    assert!(help.contains("\n  -o, --output") && help.contains("\n  --oneline "), "{help}");
    // Without a command: as ip, as conntrack.
    let ran = run(&[]);
    assert_eq!((ran.code, &*ran.out), (255, ""));
    assert!(ran.err.contains("Usage: nlctl"));
    let ran = run(&["conntrack"]);
    assert_eq!((ran.code, &*ran.err), (0, ""));
}

#[test]
fn version() {
    assert_eq!(run(&["-V"]).out, concat!("nlctl ", env!("CARGO_PKG_VERSION"), "\n"));
    assert_eq!(run(&["conntrack", "--version"]).code, 0);
}

#[test]
fn names_are_abbreviated_and_written_with_one_dash_as_ip_does() {
    let file = run_with(&["decode", "--protocol", "route", "-"], b"");
    for arguments in [
        &["dec", "-protocol", "route", "-"][..],
        &["-json", "de", "--protocol=0", "-"],
        &["-jp", "-details", "-stats", "decode", "-", "--protocol", "ROUTE"],
        &["decode", "--protocol", "route", "--", "-"],
    ] {
        let ran = run_with(arguments, b"");
        assert_eq!((ran.code, ran.out, ran.err), (file.code, file.out.clone(), file.err.clone()));
    }
    assert_eq!(file.code, 0);
}
