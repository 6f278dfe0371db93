//! Prometheus' text format, version 0.0.4.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

use super::{Histogram, Metrics};
use crate::pressure::Level;

impl Metrics {
    /// What to put into the `Content-Type` field of an answer that has the text.
    pub const CONTENT_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";
}

/// A label's value: backslashes, quotes and line ends are escaped, other control characters are
/// replaced.
struct Label<'a>(&'a str);

impl Display for Label<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                c if c.is_control() => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

fn head(f: &mut Formatter<'_>, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(f, "# HELP nl_{name} {help}\n# TYPE nl_{name} {kind}")
}

fn histogram(f: &mut Formatter<'_>, name: &str, help: &str, from: &Histogram) -> fmt::Result {
    head(f, name, "histogram", help)?;
    let mut sum = 0;
    for (bound, count) in Histogram::BOUNDS.iter().zip(&from.buckets) {
        sum += count;
        writeln!(f, "nl_{name}_bucket{{le=\"{bound}\"}} {sum}")?;
    }
    let count = from.count();
    writeln!(f, "nl_{name}_bucket{{le=\"+Inf\"}} {count}")?;
    writeln!(f, "nl_{name}_sum {}\nnl_{name}_count {count}", from.nanoseconds)
}

/// Prometheus' text format. Durations are in seconds, but for the histograms in nanoseconds, which
/// their names say.
impl Display for Metrics {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { received, losses, lists, resyncs, coverage, filter, queue, nat, .. } = self;
        let counters = &nat.counters;
        #[rustfmt::skip]
        let numbers: [(&str, &str, &dyn Display); 51] = [
            ("received_datagrams_total", "Datagrams that the event sockets received.", &received.datagrams),
            ("received_messages_total", "Messages in these.", &received.messages),
            ("received_bytes_total", "Bytes of these.", &received.bytes),
            ("overruns_total", "Times that a receive queue overran (ENOBUFS).", &losses.overruns),
            ("dropped_messages_total", "Messages that the kernel dropped for it.", &losses.dropped),
            ("truncated_total", "Datagrams longer than the buffer.", &losses.truncated),
            ("foreign_total", "Datagrams from others than the kernel, refused.", &losses.foreign),
            ("interrupted_total", "Dumps under which the table changed.", &losses.interrupted),
            ("stale_total", "Replies that nobody waited for.", &losses.stale),
            ("damaged_total", "Datagrams whose lengths can't be.", &losses.damaged),
            ("undecodable_total", "Messages that could not be decoded.", &losses.undecodable),
            ("read_errors_total", "Receiving failed for another reason.", &losses.read_errors),
            ("mirror_full_total", "Times that a mirror reached its budget.", &losses.full),
            ("lists_total", "First lists.", &lists.count),
            ("list_entries_total", "Entries in these.", &lists.entries),
            ("list_seconds_total", "Time that these took.", &lists.took.as_secs_f64()),
            ("list_longest_seconds", "Time that the longest took.", &lists.longest.as_secs_f64()),
            ("namespaces", "Network namespaces that are followed.", &coverage.namespaces),
            ("converged", "Whether the mirrors are right, but for what is filtered out.", &u8::from(coverage.converged)),
            ("namespace_failures_total", "Times that something could not be done in a namespace.", &coverage.failures),
            ("unattributed_events_total", "Events that may be of either of two namespaces.", &coverage.unattributed),
            ("hidden_processes", "Processes that could not be asked for their namespace.", &coverage.hidden_processes),
            ("resyncs_total", "Lists made to repair a loss.", &resyncs.count),
            ("resync_seconds_total", "Time that these took.", &resyncs.took.as_secs_f64()),
            ("resync_last_seconds", "Time that the last one took.", &resyncs.last.as_secs_f64()),
            ("resync_added_total", "Entries found that nobody had announced.", &resyncs.added),
            ("resync_removed_total", "Entries gone without announcement.", &resyncs.removed),
            ("resync_changed_total", "Entries found in another state.", &resyncs.changed),
            ("sampling_ratio", "Share of flows that pass the filter, 0 to 1.", &filter.rate),
            ("event_rate", "Events per second that arrive.", &filter.measured),
            ("filter_steps_total", "Changes of the filter.", &filter.steps),
            ("filter_forgotten_total", "Entries given up because their ends no longer passed the filter.", &filter.forgotten),
            ("queue_bytes", "Memory of receive queues in use.", &queue.used),
            ("queue_limit_bytes", "Memory that receive queues may have.", &queue.limit),
            ("nat_flows", "Translated flows in the table.", &nat.flows),
            ("nat_orphans", "Flows that wait for their first lookup.", &nat.orphans),
            ("nat_leaving", "Flows that ended and can still be looked up.", &nat.leaving),
            ("nat_bytes", "Memory of the table.", &nat.bytes),
            ("nat_registers_total", "Flows entered.", &counters.registered),
            ("nat_known_total", "Flows that were there already.", &counters.known),
            ("nat_registers_dropped_total", "Flows not entered: not translated.", &counters.not_translated),
            ("nat_unregisters_total", "Entries removed because their flow ended.", &counters.unregistered),
            ("nat_replaced_total", "Entries removed because another took their place.", &counters.replaced),
            ("nat_swept_total", "Entries removed because a list lacked them.", &counters.swept),
            ("nat_orphans_expired_total", "Entries removed because nobody looked them up.", &counters.orphans_expired),
            ("nat_evicts_total", "Entries removed for want of room.", &counters.evicted),
            ("nat_gets_total", "Lookups.", &nat.lookups.total),
            ("nat_hits_total", "Lookups that found a translation.", &nat.lookups.hits),
            ("filter_everything", "Whether everything passes the filter.", &u8::from(filter.level == Level::Everything)),
            ("filter_nat_only", "Whether translated flows alone pass the filter.", &u8::from(filter.level == Level::NatOnly)),
            ("filter_sampled", "Whether a sample of these passes the filter.", &u8::from(filter.level == Level::Sampled)),
        ];
        for (name, help, value) in numbers {
            let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
            head(f, name, kind, help)?;
            writeln!(f, "nl_{name} {value}")?;
        }
        head(
            f,
            "events_total",
            "counter",
            "Events by namespace; those that are no more together.",
        )?;
        // Several may have one name.
        let mut events = BTreeMap::<String, [u64; 3]>::new();
        let gone =
            (self.gone != super::Namespace::default()).then(|| ("(gone)".to_owned(), &self.gone));
        let there = self.namespaces.iter().map(|(number, namespace)| match &*namespace.name {
            "" => (number.to_string(), namespace),
            name => (name.to_owned(), namespace),
        });
        for (name, namespace) in there.chain(gone) {
            let counts = [namespace.new, namespace.update, namespace.destroy];
            let sums = events.entry(name).or_default();
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        for (name, counts) in &events {
            for (kind, count) in ["new", "update", "destroy"].iter().zip(counts) {
                let name = Label(name);
                writeln!(f, "nl_events_total{{namespace=\"{name}\",kind=\"{kind}\"}} {count}")?;
            }
        }
        let durations = [
            ("nat_gets", "Time of every 64th lookup.", &nat.lookups.durations),
            ("nat_registers", "Time of entering every 64th flow.", &counters.register_durations),
            (
                "nat_unregisters",
                "Time of removing every 64th flow.",
                &counters.unregister_durations,
            ),
        ];
        for (name, help, from) in durations {
            histogram(f, &format!("{name}_duration_nanoseconds"), help, from)?;
        }
        Ok(())
    }
}
