//! Candidates run in turns; what counts is their ratio.

use std::error::Error;
use std::fs;
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A count as a number to divide by; counts here are small.
pub(crate) fn number(count: usize) -> f64 {
    u32::try_from(count).unwrap_or(u32::MAX).into()
}

/// What one run took.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) wall: Duration,
    /// Of all processors together.
    pub(crate) cpu: Duration,
}

/// Something to measure; a run gives what it took and how many entries it saw.
pub(crate) struct Candidate<'a> {
    pub(crate) name: &'static str,
    pub(crate) run: Box<dyn FnMut() -> Result<(Sample, usize)> + 'a>,
}

impl<'a> Candidate<'a> {
    pub(crate) fn new(
        name: &'static str,
        run: impl FnMut() -> Result<(Sample, usize)> + 'a,
    ) -> Self {
        Self { name, run: Box::new(run) }
    }
}

/// All runs of a candidate.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) entries: usize,
    samples: Vec<Sample>,
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Row {
    fn walls(&self) -> impl Iterator<Item = f64> {
        self.samples.iter().map(|sample| sample.wall.as_secs_f64())
    }

    /// The median of wall times, in seconds.
    pub(crate) fn median(&self) -> f64 {
        median(self.walls().collect())
    }

    /// The median of the ratios of neighbouring runs.
    fn ratio(&self, to: &Self) -> f64 {
        median(self.walls().zip(to.walls()).map(|(own, other)| own / other).collect())
    }

    fn least(&self, of: impl Fn(&Sample) -> Duration) -> f64 {
        self.samples.iter().map(of).min().unwrap_or_default().as_secs_f64()
    }
}

/// Runs each candidate `rounds` times, in turns and in alternating order; fewer times, but at least
/// once, if the time is over before.
pub(crate) fn rounds(
    rounds: usize,
    end: Instant,
    candidates: &mut [Candidate<'_>],
) -> Result<Vec<Row>> {
    let row =
        |candidate: &Candidate<'_>| Row { name: candidate.name, entries: 0, samples: Vec::new() };
    let mut rows: Vec<Row> = candidates.iter().map(row).collect();
    for round in 0..rounds {
        if round > 0 && Instant::now() > end {
            break;
        }
        for turn in 0..candidates.len() {
            let index = if round % 2 == 0 { turn } else { candidates.len() - 1 - turn };
            let (candidate, row) = (&mut candidates[index], &mut rows[index]);
            let (sample, entries) =
                (candidate.run)().map_err(|error| format!("{}: {error}", candidate.name))?;
            row.samples.push(sample);
            row.entries = entries;
        }
    }
    Ok(rows)
}

/// The heading of tables of [`print()`].
pub(crate) fn heading(title: &str) {
    println!("\n## {title}\n");
    println!(
        "| | entries | runs | median ms | µs an entry | ratio | least ms | ratio | CPU ms | ratio |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
}

/// Prints rows: wall times, and the ratio to the first row; the least, with theirs; CPU times.
pub(crate) fn print(size: usize, rows: &[Row]) {
    let Some(first) = rows.first() else { return };
    for row in rows {
        let (wall, cpu) = (|row: &Row| row.least(|it| it.wall), |row: &Row| row.least(|it| it.cpu));
        println!(
            "| {} | {size} | {} | {:.2} | {:.3} | {:.2} | {:.2} | {:.2} | {} |",
            row.name,
            row.samples.len(),
            row.median() * 1e3,
            row.median() * 1e6 / number(size.max(1)),
            row.ratio(first),
            wall(row) * 1e3,
            wall(row) / wall(first),
            // The scheduler's account of a thread that runs lags behind by some milliseconds.
            if cpu(row).min(cpu(first)) < 0.02 {
                "– | –".to_owned()
            } else {
                format!("{:.0} | {:.2}", cpu(row) * 1e3, cpu(row) / cpu(first))
            }
        );
    }
}

/// Time on a processor, of the calling thread.
pub(crate) fn thread_cpu() -> Duration {
    run_time("/proc/thread-self/schedstat")
}

/// The first number of a `schedstat` file.
fn run_time(path: &str) -> Duration {
    let text = fs::read_to_string(path).unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|word| word.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or_default())
}

/// Time on processors, of all threads that there are.
fn threads_cpu() -> Duration {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let files = threads.map(|thread| thread.path().join("schedstat"));
    files.map(|file| run_time(&file.to_string_lossy())).sum()
}

fn timed<T>(cpu: impl Fn() -> Duration, work: impl FnOnce() -> Result<T>) -> Result<(Sample, T)> {
    let (before, begin) = (cpu(), Instant::now());
    let result = work()?;
    Ok((Sample { wall: begin.elapsed(), cpu: cpu().saturating_sub(before) }, result))
}

/// Measures a closure on this thread.
pub(crate) fn here<T>(work: impl FnOnce() -> Result<T>) -> Result<(Sample, T)> {
    timed(thread_cpu, work)
}

/// Measures a closure that has work done by threads which are still there when it returns.
pub(crate) fn threads<T>(work: impl FnOnce() -> Result<T>) -> Result<(Sample, T)> {
    timed(threads_cpu, work)
}

/// Measures a program from its start to its end, its output thrown away.
pub(crate) fn program(command: &mut Command) -> Result<Sample> {
    let begin = Instant::now();
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    // As long as nobody waits for it, a program that ended still tells how long it ran.
    let stat = loop {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
        // What stands behind the name.
        let stat = stat.rsplit(')').next().unwrap_or_default().trim_start().to_owned();
        if stat.is_empty() || stat.starts_with('Z') {
            break stat;
        }
        thread::sleep(Duration::from_micros(100));
    };
    let sample = Sample { wall: begin.elapsed(), cpu: program_cpu(&stat) };
    let status = child.wait()?;
    if status.success() { Ok(sample) } else { Err(format!("{command:?}: {status}").into()) }
}

/// Time on processors of all threads of a program, those that ended too: in hundredths of a second,
/// which is all that the kernel tells of these. `stat` is proc_pid_stat(5) from the state on.
fn program_cpu(stat: &str) -> Duration {
    // utime and stime.
    let fields = stat.split_ascii_whitespace().skip(11).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// What a C program prints: wall ns, CPU ns and a count.
pub(crate) fn report(child: &mut Child) -> Result<(Sample, usize)> {
    let mut text = String::new();
    child.stdout.take().ok_or("no output")?.read_to_string(&mut text)?;
    let status = child.wait()?;
    let numbers: Vec<u64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [wall, cpu, count] = numbers[..] else {
        return Err(format!("printed {text:?} and ended with {status}").into());
    };
    let sample = Sample { wall: Duration::from_nanos(wall), cpu: Duration::from_nanos(cpu) };
    Ok((sample, usize::try_from(count)?))
}

/// Runs a C program and takes its word.
pub(crate) fn told(command: &mut Command) -> Result<(Sample, usize)> {
    report(&mut command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?)
}

/// A line of `/proc/self/status`, in KiB.
pub(crate) fn memory(name: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.trim_start_matches(':').split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or_default()
}

/// Begins a new account of the most memory that this process had at a time (`VmHWM`).
pub(crate) fn forget_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}
