//! The demonstration proves itself; here it has to.

use std::process::Command;

#[test]
fn the_demo_ends_with_two_proofs() {
    let output = Command::new(env!("CARGO_BIN_EXE_nlctl")).arg("demo").output().unwrap();
    let (text, error) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    if error.contains("this host forbids private user and network namespaces") {
        assert_eq!((output.status.code(), error.lines().count()), (Some(1), 1));
        return nl_testkit::skip(&error);
    }
    assert!(output.status.success(), "{text}{error}");
    assert_eq!(text.matches("equal entry by entry").count(), 2, "{text}");
    assert!(text.contains("1000 connections made"), "{text}");
    assert!(text.contains("events lost; listed again"), "{text}");
    // No progress line where nobody watches.
    assert_eq!(error, "");
}
