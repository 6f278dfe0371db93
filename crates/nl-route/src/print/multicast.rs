//! Multicast routes as `ip mroute` prints them.

use core::fmt;

use nl_wire::attr::Attr;
use nl_wire::error::Error;
use nl_wire::prefix::Shown;

use super::{Context, Hidden, Out};
use crate::names::NameKind;
use crate::prefix::Prefix;
use crate::route::{Route, TICKS_PER_SECOND};
use crate::tables::route::{RTA_EXPIRES, RTA_MFC_STATS};
use crate::value::{RouteFlags, TableId};

/// Appends one multicast route.
pub(crate) fn route(out: &mut Out<'_, '_>, route: &Route, context: &Context<'_>) {
    let names = context.names;
    out.begin(context);
    let [source, group] = [route.source, route.destination].map(Address);
    // The columns are wider than `f`'s width can see through two values.
    let pair = Pair(&source, &group);
    let width = Width::of(&pair);
    out.text(format_args!("{pair}{:width$} Iif: ", "", width = 32_usize.saturating_sub(width)));
    for (key, address) in [("src", &source), ("dst", &group)] {
        out.json(|json| {
            json.key(key);
            json.display(address);
        });
    }
    match route.iif.filter(|index| *index != 0) {
        Some(index) => {
            let name = names.link(index);
            let width = Width::of(&name);
            out.string("iif", "", &name);
            out.text(format_args!("{:width$}", "", width = 10_usize.saturating_sub(width)));
        }
        None => out.string("iif", "", "unresolved"),
    }
    if let Some(hops) = Some(&route.multipath).filter(|hops| !hops.is_empty()) {
        out.begin_array("multipath");
        out.text("Oifs: ");
        for hop in hops {
            out.begin_entry();
            out.value("oif", "", names.link(hop.ifindex));
            match hop.weight.saturating_sub(1) {
                0 | 1 => out.text(" "),
                ttl => out.number_with("ttl", "(ttl ", ttl, ") "),
            }
            out.end_object();
        }
        out.end_array();
    } else if route.iif.is_some() {
        out.begin_array("multipath");
        out.end_array();
    }
    let unresolved = route.flags.contains(RouteFlags::HOP_UNRESOLVED);
    out.value("state", " State: ", if unresolved { "unresolved" } else { "resolved" });
    if route.flags.contains(RouteFlags::HOP_OFFLOAD) {
        out.null("offload", ", offload");
    }
    if context.statistics > 0 {
        statistics(out, route, context);
    }
    let shown = route.table != TableId::MAIN || context.details;
    if shown && context.shows(Hidden::TABLE) {
        out.value("table", " Table: ", names.name(NameKind::Table, route.table.0));
    }
    out.text("\n");
    out.end_object();
}

fn statistics(out: &mut Out<'_, '_>, route: &Route, context: &Context<'_>) {
    let find = |number| {
        let mut attrs = route.unknown.iter().map(nl_wire::RawAttr::as_attr);
        attrs.find(|attr| attr.number() == number)
    };
    if let Some(Ok([packets, bytes, wrong])) = find(RTA_MFC_STATS).map(|attr| counters(&attr)) {
        out.line(context);
        out.number_with("packets", "  ", packets, " packets,");
        out.number_with("bytes", " ", bytes, " bytes");
        if wrong != 0 {
            out.number_with("wrong_if", ", ", wrong, " arrived on wrong iif.");
        }
    }
    if let Some(Ok(ticks)) = find(RTA_EXPIRES).map(|attr| attr.u64()) {
        let per_second = u64::from(TICKS_PER_SECOND);
        let (seconds, rest) = (ticks / per_second, ticks % per_second);
        out.text(format_args!(", Age {seconds}.{rest:02}"));
        out.json(|json| {
            json.key("expires");
            json.number(format_args!("{seconds}.{rest:02}"));
        });
    }
}

/// `struct rta_mfc_stats`: packets, bytes, packets that came in by another link.
fn counters(attr: &Attr<'_>) -> Result<[u64; 3], Error> {
    let bytes = attr.array::<24>()?;
    let mut counters = [0; 3];
    for (counter, bytes) in counters.iter_mut().zip(bytes.chunks_exact(8)) {
        let mut number = [0; 8];
        number.copy_from_slice(bytes);
        *counter = u64::from_ne_bytes(number);
    }
    Ok(counters)
}

/// An address, which may be unknown.
struct Address(Option<Prefix>);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(prefix) => Shown(prefix.address).fmt(f),
            None => f.write_str("unknown"),
        }
    }
}

struct Pair<'a>(&'a Address, &'a Address);

impl fmt::Display for Pair<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({},{})", self.0, self.1)
    }
}

/// Counts what is written.
struct Width(usize);

impl Width {
    fn of(value: &impl fmt::Display) -> usize {
        let mut width = Self(0);
        // Counting never fails.
        let _ = fmt::write(&mut width, format_args!("{value}"));
        width.0
    }
}

impl fmt::Write for Width {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}
