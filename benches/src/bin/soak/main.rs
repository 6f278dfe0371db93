//! Millions of changes, with faults thrown in, told to a mirror that may lose nothing uncounted.
//!
//! ```sh
//! cargo run --release -p benches --bin soak -- --flows 10000000 --routes 1000000
//! ```
//!
//! This process changes tables in namespaces of its own; a child watches them as any program
//! would. Meanwhile the child is stopped, its receive buffer is made tiny, tables are flushed,
//! interfaces and namespaces are removed. At every checkpoint three things must hold, or the program
//! fails:
//!
//! - what the mirror holds is what the kernel holds;
//! - what was received and what was told to be lost is together what was announced, and the latter is
//!   the drop counter of the socket;
//! - memory and descriptors of the child have not grown.

use std::env;
use std::process::{Command, ExitCode};

use nl_socket::netns;
use nl_testkit::{Rng, need, quiet};

mod child;
mod flows;
mod namespaces;
mod reader;
mod report;
mod routes;

use report::Row;

/// What the command line may set, and what it is otherwise.
const OPTIONS: [(&str, u64); 4] =
    [("--flows", 10_000_000), ("--routes", 1_000_000), ("--namespaces", 400), ("--seed", 1)];

/// Says that this process has its namespaces.
const INSIDE: &str = "inside";

/// Exit code where the host forbids such namespaces.
const SKIPPED: u8 = 77;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["reader", table] => reader::run(table),
        [INSIDE, options @ ..] => soak(&parse(options).expect("these were read before")),
        options => {
            if let Err(problem) = parse(options) {
                eprintln!("{problem}");
                return ExitCode::from(2);
            }
            return outside(options);
        }
    }
    ExitCode::SUCCESS
}

fn parse(words: &[&str]) -> Result<[u64; OPTIONS.len()], String> {
    let mut values = OPTIONS.map(|(_, value)| value);
    for pair in words.chunks(2) {
        let index = OPTIONS.iter().position(|(name, _)| *name == pair[0]);
        let value = pair.get(1).and_then(|word| word.parse().ok());
        let (Some(index), Some(value)) = (index, value) else {
            let usage = OPTIONS.map(|(name, value)| format!("[{name} {value}]")).join(" ");
            return Err(format!("{}: usage: soak {usage}", pair.join(" ").escape_debug()));
        };
        values[index] = value;
    }
    Ok(values)
}

/// Starts this program again, in namespaces of its own.
fn outside(options: &[&str]) -> ExitCode {
    let mut command = Command::new(env::current_exe().expect("this program has a path"));
    command.arg(INSIDE).args(options);
    netns::private_command(&mut command);
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{}", netns::refusal(error));
            ExitCode::from(SKIPPED)
        }
    }
}

fn soak(&[flows, routes, namespaces, seed]: &[u64; OPTIONS.len()]) {
    if !need(&["ip"]) {
        return;
    }
    quiet();
    let mut rng = Rng::new(seed);
    println!("{}", Row::HEAD);
    println!("{}", flows::run(flows, &mut rng));
    println!("{}", routes::run(routes, &mut rng));
    println!("{}", namespaces::run(namespaces, &mut rng));
}
