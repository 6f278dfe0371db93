//! The soak program for some seconds: every fault, and nothing lost uncounted.

use std::process::Command;

/// Exit code where the host forbids namespaces.
const SKIPPED: i32 = 77;

#[test]
fn a_short_soak_loses_nothing_uncounted() {
    let soak = env!("CARGO_BIN_EXE_soak");
    let options = ["--flows", "150000", "--routes", "50000", "--namespaces", "30", "--seed", "3"];
    let output = Command::new(soak).args(options).output().expect("the program starts");
    let (text, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.code() == Some(SKIPPED) {
        return nl_testkit::skip(&errors);
    }
    assert!(output.status.success(), "{text}{errors}");
    let rows: Vec<Vec<&str>> =
        text.lines().skip(2).map(|line| line.split('|').map(str::trim).collect()).collect();
    assert_eq!(rows.len(), 3, "{text}");
    for row in &rows {
        assert_eq!(row[6], "0", "lost uncounted: {text}");
    }
    // Whoever is stopped while more comes than he has room for loses something.
    assert!(rows[0][12].contains("Stop"), "{text}");
    assert_ne!(rows[0][5], "0", "{text}");
}
