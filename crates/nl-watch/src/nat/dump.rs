//! Tables as text, to be read and compared by people.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use nl_conntrack::{Flow, IpProtocol, L4, Tuple};

use super::key::Record;

/// A translated flow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NatEntry {
    /// The namespace that it was registered under.
    pub namespace: u64,
    /// The original direction. Its zone is set if it is not 0.
    pub original: Tuple,
    /// The reply direction. Its zone is set if it is not 0.
    pub reply: Tuple,
}

impl From<&Record> for NatEntry {
    fn from(record: &Record) -> Self {
        let [original, reply] = record.sides.map(|side| {
            let (tuple, zone) = side.unpack();
            Tuple { zone: Some(zone).filter(|zone| *zone != 0), ..tuple }
        });
        Self { namespace: record.namespace, original, reply }
    }
}

impl NatEntry {
    /// The entry of a flow; `None` if it is not translated.
    pub fn of(namespace: u64, flow: &Flow) -> Option<Self> {
        let record = Record::new(namespace, flow).filter(|_| flow.is_nat())?;
        Some(Self::from(&record))
    }

    /// By protocol, family, original direction, reply direction.
    fn order(&self) -> impl Ord + use<> {
        let direction = |tuple: Tuple| {
            let words = match tuple.l4 {
                L4::None => [0; 3],
                L4::Ports { source, destination } => [source, destination, 0],
                L4::Icmp { id, kind, code } => [kind.into(), code.into(), id],
            };
            (tuple.source, words[0], tuple.destination, words, tuple.zone)
        };
        let ipv6 = self.original.source.is_ipv6();
        (self.original.protocol.0, ipv6, direction(self.original), direction(self.reply))
    }
}

/// `TCP v4 src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 src=…`
impl fmt::Display for NatEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let IpProtocol(number) = self.original.protocol;
        match self.original.protocol.conntrack_name() {
            Some(name) => f.write_str(&name.to_ascii_uppercase())?,
            None => write!(f, "{number}")?,
        }
        f.write_str(if matches!(self.original.source, IpAddr::V4(_)) { " v4" } else { " v6" })?;
        for tuple in [&self.original, &self.reply] {
            write!(f, " src={} dst={}", tuple.source, tuple.destination)?;
            match tuple.l4 {
                L4::None => {}
                L4::Ports { source, destination } => {
                    write!(f, " sport={source} dport={destination}")?;
                }
                L4::Icmp { id, kind, code } => {
                    write!(f, " type={kind} code={code} id={id}")?;
                }
            }
            if let Some(zone) = tuple.zone {
                write!(f, " zone={zone}")?;
            }
        }
        Ok(())
    }
}

/// A whole table as text, the same for equal tables: a heading, then each namespace and its entries
/// in order.
///
/// ```
/// use nl_watch::nat::NatDump;
///
/// let dump = NatDump::new("cached", 4_026_531_840, []);
/// assert_eq!(dump.to_string(), "conntrack dump, kind=cached rootNS=4026531840\ntotalEntries=0\n");
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NatDump {
    kind: &'static str,
    root: u64,
    entries: BTreeMap<u64, Vec<NatEntry>>,
    /// Whether entries are missing because there was no time to list all: the text says so.
    pub partial: bool,
    /// How many entries are printed at most.
    pub limit: usize,
}

impl NatDump {
    /// How many entries are printed, if nothing else is said.
    pub const LIMIT: usize = 3000;

    /// A dump of these entries. `kind` is `cached` for what a table holds
    /// ([`NatReader::entries`](super::NatReader::entries)), `host` for what the kernel just listed
    /// ([`NatEntry::of`]). `root` is the number of the namespace where this program is.
    pub fn new(kind: &'static str, root: u64, entries: impl IntoIterator<Item = NatEntry>) -> Self {
        let mut namespaces = BTreeMap::<u64, Vec<NatEntry>>::new();
        for entry in entries {
            namespaces.entry(entry.namespace).or_default().push(entry);
        }
        for entries in namespaces.values_mut() {
            entries.sort_by_cached_key(NatEntry::order);
        }
        Self { kind, root, entries: namespaces, partial: false, limit: Self::LIMIT }
    }
}

impl fmt::Display for NatDump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "conntrack dump, kind={} rootNS={}", self.kind, self.root)?;
        let total: usize = self.entries.values().map(Vec::len).sum();
        write!(f, "totalEntries={total}")?;
        if total > self.limit {
            write!(f, ", capped to {} to reduce output size", self.limit)?;
        }
        writeln!(f)?;
        if self.partial {
            writeln!(
                f,
                "netlink table truncated due to response timeout, some entries may be missing"
            )?;
        }
        let mut left = self.limit;
        for (namespace, entries) in &self.entries {
            writeln!(f, "namespace {namespace}, size={}:", entries.len())?;
            let printed = left.min(entries.len());
            left -= printed;
            for entry in entries.iter().take(printed) {
                writeln!(f, "{entry}")?;
            }
            if entries.len() > printed {
                let skipped = entries.len() - printed;
                writeln!(f, "<reached max entries, skipping remaining {skipped} entries...>")?;
            }
        }
        Ok(())
    }
}
