//! `nlctl man`: the manual page, made from the table of commands.

use std::fmt::Write as _;

use nl_route::names::NameKind;

use crate::COMMANDS;
use crate::args::{Command, Flag, Kind, Options, spelled};
use crate::conntrack::{self, help};
use crate::error::Error;
use crate::out::Out;

/// The command.
pub(crate) const COMMAND: Command = Command {
    names: &["man"],
    arguments: "",
    about: "Print the manual page.",
    text: "\
  nlctl man | man -l -                                 reads it
  nlctl man > /usr/local/share/man/man8/nlctl.8        makes man nlctl find it
",
    flags: &[],
    kind: Kind::Run(run),
};

/// What to try: what it does, and how it is typed.
const EXAMPLES: [(&str, &str); 8] = [
    ("Which way a packet would go:", "nlctl route get 192.0.2.7"),
    ("All routes as JSON, for people:", "nlctl -j -p route list table all"),
    ("Follow links and addresses, the time before each:", "nlctl -t monitor link address"),
    (
        "End all connections to a backend, and show which:",
        "nlctl conntrack delete -d 10.0.0.2 -p tcp --dport 8080",
    ),
    ("Follow translated connections:", "nlctl conntrack watch --any-nat -o timestamp"),
    ("Who is behind a translated address:", "nlctl nat get tcp 192.0.2.1:7000 10.0.0.2:8080"),
    ("Look at what another program said to the kernel:", "nlctl decode netlink.pcap"),
    ("What this host allows, and what would help:", "nlctl doctor"),
];

/// What is read, beside what the commands name.
const FILES: [(&str, &str); 2] = [
    (conntrack::LABELS, "Names of the labels of connections."),
    ("/run/netns/NAME", "The network namespace of this name, as ip netns makes it."),
];

/// What files of names are for.
const NAMES: &str = "Names of numbers, the first of these files that there is.";

const SEE_ALSO: &str = "ip(8), ip-route(8), conntrack(8), tc(8), nft(8), tcpdump(8), netlink(7)";

fn run(_: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut page = Page(out.text());
    let name = concat!("nlctl ", env!("CARGO_PKG_VERSION"));
    page.line(".TH", &["NLCTL", "8", "", name, ""]);
    // Words that are to be typed are neither parted nor spread.
    page.0.push_str(".nh\n.ad l\n");
    page.section("NAME");
    let _ = writeln!(page.0, "nlctl \\- {}", escaped(COMMANDS.about.trim_end_matches('.')));
    page.section("SYNOPSIS");
    page.usage(&format!("nlctl [OPTIONS] {}", COMMANDS.arguments));
    let (description, exit) = COMMANDS.text.split_once("Exit codes").unwrap_or((COMMANDS.text, ""));
    page.section("DESCRIPTION");
    page.text(
        "It speaks netlink with the kernel: the words are those of ip(8), tc(8) and conntrack(8).",
    );
    page.text(description);
    page.section("OPTIONS");
    page.flags(COMMANDS.flags, &[]);
    page.section("OBJECTS");
    if let Kind::Group { commands, .. } = &COMMANDS.kind {
        commands.iter().for_each(|command| page.object(command, "nlctl"));
    }
    page.section("EXIT STATUS");
    page.text(&format!("Exit codes{exit}"));
    page.section("FILES");
    for kind in NameKind::ALL {
        let paths = kind.folders().iter().map(|folder| format!("{folder}/{}", kind.file()));
        page.row(&paths.collect::<Vec<_>>().join(", "), NAMES);
    }
    for (file, what) in FILES {
        page.row(file, what);
    }
    page.section("EXAMPLES");
    for (what, typed) in EXAMPLES {
        page.text(&format!("{what}\n\n  {typed}"));
    }
    page.section("SEE ALSO");
    page.text(SEE_ALSO);
    out.relieve()?;
    Ok(0)
}

/// A page of the macros of man(7).
struct Page<'a>(&'a mut String);

impl Page<'_> {
    /// A macro and its arguments.
    fn line(&mut self, name: &str, arguments: &[&str]) {
        self.0.push_str(name);
        for argument in arguments {
            let _ = write!(self.0, " \"{}\"", escaped(argument));
        }
        self.0.push('\n');
    }

    fn section(&mut self, title: &str) {
        self.line(".SH", &[title]);
    }

    fn usage(&mut self, typed: &str) {
        let _ = writeln!(self.0, ".PP\n\\fB{}\\fR", escaped(typed));
    }

    /// What is typed, and what that means.
    fn row(&mut self, left: &str, right: &str) {
        let _ = writeln!(self.0, ".TP\n\\fB{}\\fR\n{}", escaped(left), escaped(right));
    }

    /// Paragraphs, with an empty line between; lines that begin with blanks stay as they are.
    fn text(&mut self, text: &str) {
        for paragraph in text.trim_end().split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
            let kept = paragraph.starts_with("  ");
            self.0.push_str(if kept { ".PP\n.nf\n" } else { ".PP\n" });
            let _ = writeln!(self.0, "{}", escaped(paragraph));
            if kept {
                self.0.push_str(".fi\n");
            }
        }
    }

    fn flags(&mut self, flags: &[Flag], inner: &[&Flag]) {
        for flag in flags {
            let left = spelled(flag, inner);
            if !left.is_empty() {
                self.row(&left, flag.help);
            }
        }
    }

    fn object(&mut self, command: &Command, before: &str) {
        let path = format!("{before} {}", command.names.first().copied().unwrap_or_default());
        self.line(".SS", &[&path]);
        self.text(command.about);
        match &command.kind {
            Kind::Raw(_) => {
                for usage in help::USAGE {
                    self.usage(usage);
                }
                self.text(help::TABLES);
                for section in help::sections() {
                    self.text(&format!("{}:", section.title));
                    section.rows.iter().for_each(|(left, right)| self.row(left, right));
                }
                self.text(&format!("Exit codes: {}", help::EXIT_CODES));
            }
            Kind::Run(_) => {
                self.usage(format!("{path} {}", command.arguments).trim_end());
                self.text(command.text);
                self.flags(command.flags, &[]);
            }
            Kind::Group { commands, .. } => {
                self.text(command.text);
                self.group(commands, &path);
            }
        }
    }

    /// The commands of a group, and behind them what there is to say of their words: once, where
    /// several have the same.
    fn group(&mut self, commands: &[Command], path: &str) {
        let mut texts: Vec<(&str, Vec<&str>)> = Vec::new();
        for command in commands {
            let left = format!("{} {}", command.names.join("|"), command.arguments);
            self.row(left.trim_end(), command.about);
            let name = command.names.first().copied().unwrap_or_default();
            match texts.iter_mut().find(|text| text.0 == command.text) {
                _ if command.text.is_empty() => {}
                Some(text) => text.1.push(name),
                None => texts.push((command.text, vec![name])),
            }
        }
        for (text, names) in texts {
            self.text(&format!("Of {}:", names.join(", ")));
            self.text(text);
        }
        for command in commands {
            let path = format!("{path} {}", command.names.first().copied().unwrap_or_default());
            if !command.flags.is_empty() {
                self.text(&format!("Options of {path}:"));
                self.flags(command.flags, &[]);
            }
            if let Kind::Group { commands, .. } = &command.kind {
                self.text(&format!("Commands of {path}:"));
                self.group(commands, &path);
            }
        }
    }
}

/// Text as roff reads it: ASCII, nothing taken for a macro.
fn escaped(text: &str) -> String {
    let mut line_begins = true;
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '.' | '\'' if line_begins => escaped.push_str("\\&"),
            _ => {}
        }
        line_begins = character == '\n';
        match character {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '\'' => escaped.push_str("\\(aq"),
            '"' => escaped.push_str("\\(dq"),
            '`' => escaped.push_str("\\(ga"),
            '^' => escaped.push_str("\\(ha"),
            '~' => escaped.push_str("\\(ti"),
            _ if character.is_ascii() => escaped.push(character),
            _ => drop(write!(escaped, "\\[u{:04X}]", u32::from(character))),
        }
    }
    escaped
}
