//! Completion scripts, as shells run them, and the manual page.

mod common;

use std::io::Write as _;
use std::process::{Command, Stdio};

use common::{nlctl, run};
use nl_testkit::{live, need, sh};

/// What bash offers, as `words => candidates`, for command lines of which the last word is typed.
fn completed(lines: &[&str]) -> Vec<String> {
    let mut script = nlctl(&["completions", "bash"]);
    script.push_str(
        "\ntry() { COMP_WORDS=(\"$@\") COMP_CWORD=$(($# - 1)) COMPREPLY=(); _nlctl; \
         echo \"${COMPREPLY[*]}\"; }\n",
    );
    for line in lines {
        let words: Vec<_> = line.split(' ').map(|word| format!("'{word}'")).collect();
        script += &["try ", &words.join(" "), "\n"].concat();
    }
    let mut bash = Command::new("bash");
    bash.arg("-u").env("LC_ALL", "C").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut bash = bash.spawn().unwrap();
    bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = bash.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes() {
    if !need(&["bash"]) {
        return;
    }
    // What is offered, or behind + one of these.
    let cases = [
        // Objects, commands behind what is cut short, and options between.
        ("nlctl ro", "route"),
        ("/usr/bin/nlctl neighb", "neighbour neighbor"),
        ("nlctl -j r ap", "append"),
        ("nlctl --color = al", "always"),
        ("nlctl --color =", "always auto never"),
        ("nlctl -f inet6 r g", "get"),
        ("nlctl --family in", "inet inet6"),
        ("nlctl help rule f", "flush"),
        // Words of ip, and what they can be.
        ("nlctl link set lo arp ", "on off"),
        ("nlctl link add x type v", "+veth"),
        ("nlctl route add default dev l", "+lo"),
        ("nlctl route add default pref ", "low medium high"),
        ("nlctl addr flush s", "+scope"),
        ("nlctl route list table c", "+cache"),
        ("nlctl monitor ne", "+neigh"),
        // Those of conntrack, by our names and by letters.
        ("nlctl conntrack de", "delete"),
        ("nlctl conntrack -L e", "expect"),
        ("nlctl conntrack list --reply-", "--reply-src --reply-dst --reply-zone"),
        ("nlctl conntrack -L -p tcp --reply-p", "--reply-port-src --reply-port-dst"),
        ("nlctl conntrack -L --proto = icmp --icmp-t", "--icmp-type"),
        ("nlctl conntrack -L -p sctp --state CO", "COOKIE_WAIT COOKIE_ECHOED"),
        ("nlctl conntrack -L -u ASSURED,SE", "ASSURED,SEEN_REPLY"),
        ("nlctl conntrack expect -", "--json --pretty -4 -6 --netns --all-netns --trace"),
        ("nlctl conntrack expect a", ""),
        ("nlctl conntrack timeout re", "replace"),
        ("nlctl --json conntrack watch -e NEW,D", "NEW,DESTROY"),
        // Of conntrack's options none that stands before it is one.
        ("nlctl conntrack -G --b", ""),
        // An alias.
        ("conntrack cou", "count"),
        ("nlctl nat get --z", "--zone"),
        ("nlctl completions ", "bash zsh fish"),
        ("nlctl no-such-object ", "+route"),
    ];
    let found = completed(&cases.map(|case| case.0));
    assert_eq!(found.len(), cases.len());
    for ((line, expected), found) in cases.iter().zip(found) {
        let same = match expected.strip_prefix('+') {
            None => found == *expected,
            Some(one) => found.split(' ').any(|other| other == one),
        };
        assert!(same, "{line}: {found:?}, not {expected:?}");
    }
}

#[test]
fn names_of_namespaces_are_completed() {
    live(|| {
        if !need(&["bash", "ip"]) {
            return;
        }
        sh("ip netns add blue; ip netns add black; ip netns add green");
        let found =
            completed(&["nlctl -n b", "nlctl --netns = g", "nlctl conntrack -C --netns bl"]);
        assert_eq!(found, ["black blue", "green", "black blue"]);
    });
}

/// Where these shells are, they find nothing wrong with their scripts.
#[test]
fn scripts_are_read_by_their_shells() {
    for shell in ["bash", "zsh", "fish"] {
        let mut command = Command::new(shell);
        let Ok(mut child) = command.arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn()
        else {
            eprintln!("no {shell} here");
            continue;
        };
        let script = nlctl(&["completions", shell]);
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The scripts of all shells have the same rows, and rows for whatever the help tells.
#[test]
fn scripts_are_of_one_table() {
    let [bash, zsh, fish] = ["bash", "zsh", "fish"].map(|shell| nlctl(&["completions", shell]));
    let rows = bash.split_once("\n_nlctl_rows() {").unwrap().1;
    assert!(zsh.contains(rows));
    let of_fish: Vec<_> = fish
        .split_once("\nfunction __nlctl_rows\n")
        .unwrap()
        .1
        .lines()
        .filter_map(|line| {
            line.trim().strip_suffix(" \\").unwrap_or(line.trim()).strip_prefix('\'')
        })
        .map(|line| line.strip_suffix('\'').unwrap().replace("\\'", "'").replace(r"\\", r"\"))
        .collect();
    let of_bash: Vec<_> = rows
        .lines()
        .filter_map(|line| {
            let line = line.rsplit_once("rows='").map_or(line, |row| row.1);
            let line = line.strip_suffix("' ;;").unwrap_or(line).replace(r"'\''", "'");
            let kind = line.split_once(' ').map_or("", |row| row.0);
            matches!(kind, "a" | "c" | "o" | "r" | "w").then_some(line)
        })
        .collect();
    assert!(of_bash.len() > 500, "{}", of_bash.len());
    assert_eq!(of_bash, of_fish);
    // Words are those of grammars, not of the sentences that stand around them.
    let prose = ["a", "as", "be", "is", "of", "one", "the", "those", "what", "which", "with"];
    for row in of_bash.iter().filter_map(|row| row.strip_prefix("w ")) {
        assert!(!prose.contains(&row.split(' ').next().unwrap()), "{row}");
    }
    for object in commands(&[]) {
        let begins = |kind| rows.contains(&format!("{kind} {object} {object} "));
        assert!(begins('c') || begins('r'), "{object}");
    }
    let (code, err) = (run(&["completions"]).code, run(&["completions", "tcsh"]).err);
    assert_eq!((code, &*err), (255, "Error: argument \"tcsh\" is wrong: not bash, zsh, fish\n"));
}

/// The names of the commands that the help of a group tells.
fn commands(group: &[&str]) -> Vec<String> {
    let help = nlctl(&[group, &["--help"]].concat());
    let title = if group.is_empty() { "\nObjects:\n" } else { "\nCommands:\n" };
    let Some((_, list)) = help.split_once(title) else { return Vec::new() };
    let names = list.split("\n\n").next().unwrap_or_default().lines();
    let names = names.filter(|line| !line.starts_with("   "));
    names.map(|line| line.trim().split(['|', ' ', ',']).next().unwrap().to_owned()).collect()
}

#[test]
fn manual_page() {
    let page = nlctl(&["man"]);
    assert!(page.is_ascii());
    let plain = page.replace("\\-", "-").replace("\\(aq", "'").replace("\\(dq", "\"");
    // All that is said at all levels of help is in it.
    for object in commands(&[]) {
        assert!(plain.contains(&format!(".SS \"nlctl {object}\"\n")), "{object}");
        let section = plain.split_once(&format!(".SS \"nlctl {object}\"\n")).unwrap().1;
        let section = section.split("\n.S").next().unwrap();
        for command in commands(&[&object]) {
            let (begin, word) = (format!("\n\\fB{command}"), format!("\n\\fBtimeout {command}"));
            assert!(section.contains(&begin) || section.contains(&word), "{object} {command}");
        }
    }
    for part in ["NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "FILES", "EXAMPLES", "SEE ALSO"] {
        assert!(plain.contains(&format!(".SH \"{part}\"\n")), "{part}");
    }
    for part in ["\\fB-s, --src, --orig-src ADDRESS[/N]\\fR", "--icmpv6-type", "255 what was typed"]
    {
        assert!(plain.contains(part), "{part}");
    }
    let known = [".TH", ".SH", ".SS", ".PP", ".TP", ".nf", ".fi", ".nh", ".ad"];
    for line in page.lines().filter(|line| line.starts_with(['.', '\''])) {
        assert!(known.iter().any(|name| line.split(' ').next() == Some(name)), "{line}");
    }
    // What roff finds wrong, where there is one.
    let mut groff = Command::new("groff");
    groff
        .args(["-ww", "-man", "-Wbreak", "-Tutf8", "-z"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped());
    match groff.spawn() {
        Err(error) => eprintln!("not read by groff: {error}"),
        Ok(mut child) => {
            child.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
            let output = child.wait_with_output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        }
    }
}
