//! What a reader says of itself, and what becomes of it.

use std::fmt;
use std::time::{Duration, Instant};

/// What a reader says at a checkpoint.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Report {
    /// Events received.
    pub events: u64,
    /// Events lost, as the items of the stream told.
    pub lost: u64,
    /// The drop counter of the socket.
    pub drops: u64,
    /// Entries of the mirror, or of all of them.
    pub entries: u64,
    /// How often the table was listed anew.
    pub resyncs: u64,
    /// Messages that could not be read.
    pub unreadable: u64,
    /// Entries that the mirror has too many, too few or otherwise than the kernel.
    pub different: u64,
    /// Resident memory, in KiB.
    pub memory: u64,
    /// Open descriptors.
    pub descriptors: u64,
    /// The receive buffer, in bytes.
    pub buffer: u64,
}

impl Report {
    fn fields(&mut self) -> [&mut u64; 10] {
        [
            &mut self.events,
            &mut self.lost,
            &mut self.drops,
            &mut self.entries,
            &mut self.resyncs,
            &mut self.unreadable,
            &mut self.different,
            &mut self.memory,
            &mut self.descriptors,
            &mut self.buffer,
        ]
    }

    /// A line for the pipe.
    pub(crate) fn line(mut self) -> String {
        self.fields().map(|field| field.to_string()).join(" ")
    }

    /// Reads [`Report::line`].
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let mut report = Self::default();
        let mut words = line.split_ascii_whitespace();
        for field in report.fields() {
            *field = words.next()?.parse().ok()?;
        }
        Some(report)
    }
}

/// What may befall a reader while a table changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Nothing: it is waited for, and must lose nothing.
    None,
    /// Changes come as fast as they can.
    Flood,
    /// It is stopped (`SIGSTOP`) meanwhile.
    Stop,
    /// Its receive buffer is tiny.
    Tiny,
    /// The table is flushed.
    Flush,
    /// An interface goes down, or is removed.
    Interface,
    /// A namespace is removed.
    Namespace,
}

/// So many checkpoints tell growth from what a fault takes once.
const ENOUGH: u64 = 20;

/// What a part of the run gave.
#[derive(Debug)]
pub(crate) struct Row {
    name: &'static str,
    start: Instant,
    /// Changes asked for.
    pub changes: u64,
    /// Events that the kernel announced, if somebody counted them.
    pub announced: u64,
    faults: Vec<(Fault, u64)>,
    checkpoints: u64,
    last: Report,
    /// The most memory in the first and in the second half of the run.
    memory: [u64; 2],
    took: Duration,
}

impl Row {
    pub(crate) const HEAD: &'static str = "\
        | table | changes | events | received | lost, counted | lost, uncounted | resyncs | checkpoints \
        | KiB, both halves | descriptors | seconds | rounds of faults |\n\
        |-|-:|-:|-:|-:|-:|-:|-:|-:|-:|-:|-|";

    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            start: Instant::now(),
            changes: 0,
            announced: 0,
            faults: Vec::new(),
            checkpoints: 0,
            last: Report::default(),
            memory: [0; 2],
            took: Duration::ZERO,
        }
    }

    /// Counts a round.
    pub(crate) fn fault(&mut self, fault: Fault) {
        match self.faults.iter_mut().find(|(known, _)| *known == fault) {
            Some((_, rounds)) => *rounds += 1,
            None => self.faults.push((fault, 1)),
        }
    }

    /// Whether as many were announced as the reader knows of.
    pub(crate) fn adds_up(&self, report: &Report) -> bool {
        self.announced == report.events + report.lost
    }

    /// Takes in what a reader said at rest; `late`: in the second half of the run.
    ///
    /// # Panics
    /// If a promise is broken.
    pub(crate) fn check(&mut self, report: Report, late: bool) {
        let name = self.name;
        assert_eq!(report.different, 0, "{name}: the mirror is wrong: {report:?}");
        assert_eq!(report.unreadable, 0, "{name}: {report:?}");
        assert_eq!(report.lost, report.drops, "{name}: told and counted: {report:?}");
        assert!(self.adds_up(&report), "{name}: {} announced: {report:?}", self.announced);
        if self.checkpoints > 0 {
            assert_eq!(report.descriptors, self.last.descriptors, "{name}: {report:?}");
        }
        self.checkpoints += 1;
        self.last = report;
        let most = &mut self.memory[usize::from(late)];
        *most = report.memory.max(*most);
        self.took = self.start.elapsed();
    }

    /// The end of the part.
    ///
    /// # Panics
    /// If memory has grown.
    pub(crate) fn finish(self) -> Self {
        let [early, late] = self.memory;
        // A short run may see the first of some fault in its second half only.
        assert!(
            self.checkpoints < ENOUGH || late <= early + early / 4 + 8192,
            "{}: memory grew: {self:?}",
            self.name
        );
        self
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, changes, announced, checkpoints, memory: [early, late], .. } = self;
        let Report { events, lost, resyncs, descriptors, .. } = self.last;
        let uncounted = announced - events - lost;
        let seconds = self.took.as_secs();
        write!(
            f,
            "| {name} | {changes} | {announced} | {events} | {lost} | {uncounted} | {resyncs} \
             | {checkpoints} | {early}, {late} | {descriptors} | {seconds} | "
        )?;
        for (index, (fault, rounds)) in self.faults.iter().enumerate() {
            write!(f, "{}{fault:?} × {rounds}", if index > 0 { ", " } else { "" })?;
        }
        f.write_str(" |")
    }
}
