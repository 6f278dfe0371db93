//! What listing, changing and following live tables costs, beside `ip`, `conntrack`, a C program that
//! only receives, and libnetfilter_conntrack:
//!
//! ```text
//! cargo build --release -p nlctl && cargo run --release -p benches --bin live
//! ```
//!
//! Runs in a user and network namespace of its own. Candidates run in turns; the tables printed have
//! medians and least times, the diagram the medians. Options: `--parts flows,routes,changes,events,table`,
//! `--sizes 1000,100000`, `--rounds 9`, `--seconds 300` (then the rounds left are left out),
//! `--svg FILE`.

mod changes;
mod events;
mod flows;
mod measure;
mod plot;
mod routes;
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};
use std::{env, fs, process};

use nl_socket::netns;

use measure::{Result, Row};
use plot::{Curve, Plot};

/// Set in the process that is in the namespace.
const INSIDE: &str = "NL_BENCH_LIVE";

const PARTS: [&str; 5] = ["flows", "routes", "changes", "events", "table"];

/// What there is to measure with, and how much.
struct Setup {
    parts: Vec<String>,
    sizes: Vec<usize>,
    rounds: usize,
    end: Instant,
    svg: PathBuf,
    /// The C program that only receives.
    floor: Option<PathBuf>,
    /// The C program with libnetfilter_conntrack.
    peer: Option<PathBuf>,
    nlctl: Option<PathBuf>,
}

impl Setup {
    fn read(folder: &Path) -> Result<Self> {
        let own = env::current_exe()?;
        let nlctl = own.with_file_name("nlctl");
        let mut setup = Self {
            parts: PARTS.map(String::from).to_vec(),
            sizes: vec![1000, 10_000, 100_000, 250_000, 1_000_000],
            rounds: 9,
            end: Instant::now() + Duration::from_secs(300),
            svg: own.with_file_name("live.svg"),
            floor: compile(folder, "floor", include_str!("floor.c"), &[]),
            peer: compile(folder, "peer", include_str!("peer.c"), &["-lnetfilter_conntrack"]),
            nlctl: nlctl.exists().then_some(nlctl),
        };
        if setup.nlctl.is_none() {
            println!("left out: nlctl, not built with `cargo build --release -p nlctl`");
        }
        let mut words = env::args().skip(1);
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| format!("{name} wants a value"))?;
            match name.as_str() {
                "--parts" => setup.parts = value.split(',').map(String::from).collect(),
                "--sizes" => {
                    setup.sizes =
                        value.split(',').map(str::parse).collect::<std::result::Result<_, _>>()?;
                    setup.sizes.sort_unstable();
                }
                "--rounds" => setup.rounds = value.parse()?,
                "--seconds" => setup.end = Instant::now() + Duration::from_secs(value.parse()?),
                "--svg" => setup.svg = value.into(),
                _ => return Err(format!("there is no option {name}").into()),
            }
        }
        if let Some(part) = setup.parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
            return Err(format!("there is no part {part}; there are {}", PARTS.join(", ")).into());
        }
        Ok(setup)
    }

    /// The sizes up to a limit, which is one of them if any is above.
    fn sizes_to(&self, limit: usize) -> Vec<usize> {
        let mut sizes: Vec<usize> = self.sizes.iter().map(|size| (*size).min(limit)).collect();
        sizes.dedup();
        sizes
    }

    /// When a part should end that is one of `parts` that are left.
    fn share(&self, parts: u32) -> Instant {
        let now = Instant::now();
        now + self.end.saturating_duration_since(now) / parts
    }
}

/// A C program; without a compiler or what it wants, says so and goes without.
fn compile(folder: &Path, name: &str, source: &str, libraries: &[&str]) -> Option<PathBuf> {
    let (file, program) = (folder.join(name).with_extension("c"), folder.join(name));
    let written = fs::write(&file, source);
    let mut compiler = Command::new("cc");
    compiler.arg("-O2").arg("-o").arg(&program).arg(&file).args(libraries);
    let failure = match written.and_then(|()| compiler.output()) {
        Ok(output) if output.status.success() => return Some(program),
        Ok(output) => String::from_utf8_lossy(&output.stderr).lines().next().map(str::to_owned),
        Err(error) => Some(error.to_string()),
    };
    println!("left out: {name}.c, which did not compile: {}", failure.unwrap_or_default());
    None
}

/// Whether a tool is there; says so if not.
fn has(tool: &str) -> bool {
    let found = Command::new(tool).arg("--version").output().is_ok()
        || Command::new(tool).arg("-V").output().is_ok();
    if !found {
        println!("left out: {tool}, not installed");
    }
    found
}

/// Curves of rows of several sizes: cost of an entry against size.
fn curves(title: &str, tables: &[(usize, Vec<Row>)]) -> Plot {
    let mut curves: Vec<Curve> = Vec::new();
    for (size, rows) in tables {
        for row in rows {
            let point = (measure::number(*size), row.median() * 1e6 / measure::number(*size));
            match curves.iter_mut().find(|curve| curve.name == row.name) {
                Some(curve) => curve.points.push(point),
                None => curves.push(Curve { name: row.name.to_owned(), points: vec![point] }),
            }
        }
    }
    Plot { title: title.to_owned(), curves }
}

fn inside(folder: &Path) -> Result<()> {
    let setup = Setup::read(folder)?;
    let mut plots = Vec::new();
    let mut wanted: Vec<&str> =
        PARTS.into_iter().filter(|name| setup.parts.iter().any(|part| part == name)).collect();
    let of_flows = |part: &&str| matches!(*part, "flows" | "events");
    if wanted.iter().any(of_flows) && !flows::are_tracked() {
        wanted.retain(|part| !of_flows(part));
    }
    let mut left = u32::try_from(wanted.len())?;
    for part in wanted {
        let end = setup.share(left);
        match part {
            "flows" => plots.push(curves("Listing flows", &flows::run(&setup, end)?)),
            "routes" => plots.push(curves("Listing routes", &routes::run(&setup, end)?)),
            "changes" => plots.extend(changes::run(&setup, end)?),
            "events" => events::run(&setup, end)?,
            _ => table::run(&setup)?,
        }
        left -= 1;
    }
    if !plots.is_empty() {
        fs::write(&setup.svg, plot::svg(&plots))?;
        println!("\nDiagram: {}", setup.svg.display());
    }
    Ok(())
}

/// Starts this program once more, in a namespace of its own.
fn outside(folder: &Path) -> Result<ExitCode> {
    let mut command = Command::new(env::current_exe()?);
    command.args(env::args_os().skip(1)).env(INSIDE, folder);
    netns::private_command(&mut command);
    let status = command.spawn().map_err(netns::refusal)?.wait()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn main() -> ExitCode {
    let result = if let Some(folder) = env::var_os(INSIDE) {
        inside(Path::new(&folder)).map(|()| ExitCode::SUCCESS)
    } else {
        let folder = env::temp_dir().join(format!("nl-bench-{}", process::id()));
        let result = fs::create_dir(&folder).map_err(Into::into).and_then(|()| outside(&folder));
        let _ = fs::remove_dir_all(&folder);
        result
    };
    result.unwrap_or_else(|error| {
        eprintln!("live: {error}");
        ExitCode::FAILURE
    })
}
