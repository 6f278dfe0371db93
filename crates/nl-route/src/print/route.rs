//! Routes as `ip route` prints them.

use core::fmt;
use core::net::IpAddr;

use nl_wire::prefix::Shown;
use nl_wire::text::Escaped;
use nl_wire::value::AddressFamily;

pub(super) use super::encap::encap;
use super::{Context, Hidden, Ink, Out};
use crate::names::NameKind;
use crate::prefix::Prefix;
use crate::route::ip_family;
use crate::route::{CacheInfo, Hop, Metrics, Realms, Route, TICKS_PER_SECOND};
use crate::tables::route::{
    RTA_DST, RTA_NEWDST, RTA_SRC, RTAX_CC_ALGO, RTAX_FEATURES, RTAX_HOPLIMIT, RTAX_RTO_MIN,
    RTAX_RTT, RTAX_RTTVAR,
};
use crate::value::{CacheFlags, Preference, RouteFlags, RouteProtocol, RouteType, Scope, TableId};

/// The words of flags in the order in which ip prints them.
const FLAGS: [(RouteFlags, &str); 11] = [
    (RouteFlags::HOP_DEAD, "dead"),
    (RouteFlags::HOP_ONLINK, "onlink"),
    (RouteFlags::HOP_PERVASIVE, "pervasive"),
    (RouteFlags::HOP_OFFLOAD, "offload"),
    (RouteFlags::HOP_TRAP, "trap"),
    (RouteFlags::NOTIFY, "notify"),
    (RouteFlags::HOP_LINKDOWN, "linkdown"),
    (RouteFlags::HOP_UNRESOLVED, "unresolved"),
    (RouteFlags::OFFLOAD, "rt_offload"),
    (RouteFlags::TRAP, "rt_trap"),
    (RouteFlags::OFFLOAD_FAILED, "rt_offload_failed"),
];

/// The words of the cache's flags in the order in which ip prints them.
const CACHE_FLAGS: [(CacheFlags, &str); 14] = [
    (CacheFlags::LOCAL, "local"),
    (CacheFlags::REJECT, "reject"),
    (CacheFlags::MULTICAST, "mc"),
    (CacheFlags::BROADCAST, "brd"),
    (CacheFlags::DNAT, "dst-nat"),
    (CacheFlags::SNAT, "src-nat"),
    (CacheFlags::MASQ, "masq"),
    (CacheFlags::DIRECTDST, "dst-direct"),
    (CacheFlags::DIRECTSRC, "src-direct"),
    (CacheFlags::REDIRECTED, "redirected"),
    (CacheFlags::DOREDIRECT, "redirect"),
    (CacheFlags::FAST, "fastroute"),
    (CacheFlags::NOTIFY, "notify"),
    (CacheFlags::TPROXY, "proxy"),
];

/// ip's words of the metrics, by number; the first two have none.
pub(crate) const METRICS: [&str; 18] = [
    "",
    "",
    "mtu",
    "window",
    "rtt",
    "rttvar",
    "ssthresh",
    "cwnd",
    "advmss",
    "reordering",
    "hoplimit",
    "initcwnd",
    "features",
    "rto_min",
    "initrwnd",
    "quickack",
    "congctl",
    "fastopen_no_cookie",
];

/// ip's word of a route's type.
pub(super) const TYPES: [&str; 12] = [
    "none",
    "unicast",
    "local",
    "broadcast",
    "anycast",
    "multicast",
    "blackhole",
    "unreachable",
    "prohibit",
    "throw",
    "nat",
    "xresolve",
];

/// Appends one route.
pub(crate) fn route(out: &mut Out<'_, '_>, route: &Route, context: &Context<'_>) {
    if matches!(route.family, AddressFamily::IPMR | AddressFamily::IP6MR) {
        return super::multicast::route(out, route, context);
    }
    let names = context.names;
    let cloned = route.flags.contains(RouteFlags::CLONED);
    out.begin(context);
    if route.kind != RouteType::UNICAST || context.details {
        match TYPES.get(usize::from(route.kind.0)).filter(|_| !names.is_numeric()) {
            Some(word) => out.string("type", "", word),
            None => out.string("type", "", format_args!("{}", route.kind.0)),
        }
    }
    target(out, ["dst", ""], route, route.destination, RTA_DST, context);
    if route.source.is_some() {
        target(out, ["from", "from "], route, route.source, RTA_SRC, context);
    }
    if let Some(id) = route.nexthop_id {
        out.number("nhid", "nhid ", id);
    }
    if let Some(labels) = raw(route, RTA_NEWDST) {
        out.string("to", "as to ", labels);
    }
    if let Some(info) = &route.encap {
        encap(out, info, context);
    }
    if route.tos != 0 && context.shows(Hidden::TOS) {
        out.string("tos", "tos ", names.name(NameKind::Tos, route.tos.into()));
    }
    if context.shows(Hidden::GATEWAY) {
        gateway(out, route.gateway, route.family, context);
    }
    if let (Some(oif), true) = (route.oif, context.shows(Hidden::OIF)) {
        out.inked("dev", "dev ", Ink::Link, names.link(oif), context);
    }
    // A lookup of no destination finds no table.
    let usual = route.table == TableId::UNSPEC || route.table == TableId::MAIN && !context.details;
    if !usual && context.shows(Hidden::TABLE) {
        out.string("table", "table ", names.name(NameKind::Table, route.table.0));
    }
    if !cloned {
        let usual = route.protocol == RouteProtocol::BOOT && !context.details;
        if !usual && context.shows(Hidden::PROTOCOL) {
            let name = names.name(NameKind::Protocol, route.protocol.0.into());
            out.string("protocol", "proto ", name);
        }
        let usual = route.scope == Scope::UNIVERSE && !context.details;
        if !usual && context.shows(Hidden::SCOPE) {
            out.string("scope", "scope ", names.name(NameKind::Scope, route.scope.0.into()));
        }
    }
    if let (Some(address), true) = (route.prefsrc, context.shows(Hidden::PREFSRC)) {
        out.inked("prefsrc", "src ", Ink::of(address), Shown(address), context);
    }
    if let (Some(priority), true) = (route.priority, context.shows(Hidden::PRIORITY)) {
        out.number("metric", "metric ", priority);
    }
    flags(out, route.flags);
    if let Some(mark) = route.mark.filter(|mark| *mark != 0) {
        out.json(|json| json.field("mark", mark));
        if mark >= 16 {
            out.text(format_args!("mark {mark:#x} "));
        } else {
            out.text(format_args!("mark {mark} "));
        }
    }
    if let (Some(pair), true) = (route.realms, context.shows(Hidden::REALMS)) {
        realms(out, pair, context);
    }
    if let Some(uid) = route.uid {
        out.number("uid", "uid ", uid);
    }
    if cloned && route.family == AddressFamily::INET {
        cache_flags(out, route.flags, context);
    }
    if let Some(info) = &route.cache_info {
        cache_info(out, info, context);
    }
    if !route.metrics.is_empty() {
        metrics(out, &route.metrics);
    }
    if let (Some(iif), true) = (route.iif, context.shows(Hidden::IIF)) {
        out.inked("iif", "iif ", Ink::Link, names.link(iif), context);
    }
    if let Some(value) = route.preference {
        preference(out, value);
    }
    if let Some(value) = route.ttl_propagate {
        // Misspelt by ip, and so by those who read its output.
        out.either("ttl-propogate", value != 0, "ttl-propogate enabled", "ttl-propogate disabled");
    }
    super::nexthop::info(out, route.nexthop_id, context);
    if !route.multipath.is_empty() {
        out.begin_array("nexthops");
        for hop in &route.multipath {
            out.begin_entry();
            next_hop(out, route, hop, context);
            out.end_object();
        }
        out.end_array();
    }
    out.text("\n");
    out.end_object();
}

fn next_hop(out: &mut Out<'_, '_>, route: &Route, hop: &Hop, context: &Context<'_>) {
    let multicast = route.flags.contains(RouteFlags::CLONED) && route.kind == RouteType::MULTICAST;
    if !multicast {
        out.line(context);
        out.text("\tnexthop ");
    }
    if let Some(info) = &hop.encap {
        encap(out, info, context);
    }
    gateway(out, hop.gateway, route.family, context);
    if let Some(pair) = hop.realms {
        realms(out, pair, context);
    }
    let link = context.names.link(hop.ifindex);
    if multicast {
        out.json(|json| json.field("dev", &link));
        out.text(format_args!("{link}"));
        if hop.weight != 2 {
            out.number_with("ttl", "(ttl>", hop.weight - 1, ")");
        }
        out.text(" ");
    } else {
        out.string("dev", "dev ", link);
        if route.family != AddressFamily::MPLS {
            out.number("weight", "weight ", hop.weight);
        }
    }
    flags(out, RouteFlags(hop.flags.0.into()));
}

/// A destination or source, whose colour is that of an address.
fn target(
    out: &mut Out<'_, '_>,
    [key, label]: [&str; 2],
    route: &Route,
    prefix: Option<Prefix>,
    number: u16,
    context: &Context<'_>,
) {
    let ink = prefix.map_or(Ink::Plain, |prefix| Ink::of(prefix.address));
    // Of all labels ip colours this one.
    out.colored(ink, context, |out| out.string(key, label, Target::new(route, prefix, number)));
}

fn gateway(
    out: &mut Out<'_, '_>,
    gateway: Option<IpAddr>,
    family: AddressFamily,
    context: &Context<'_>,
) {
    let Some(address) = gateway else { return };
    let ink = Ink::of(address);
    if AddressFamily::of(address) == ip_family(family) {
        return out.inked("gateway", "via ", ink, Shown(address), context);
    }
    let word = if address.is_ipv4() { "inet" } else { "inet6" };
    out.text(format_args!("via {word} "));
    out.colored(ink, context, |out| out.text(format_args!("{} ", Shown(address))));
    out.begin_object("via");
    out.json(|json| {
        json.field("family", word);
        json.field("host", address);
    });
    out.end_object();
}

pub(super) fn flags(out: &mut Out<'_, '_>, flags: RouteFlags) {
    out.begin_array("flags");
    for (_, word) in FLAGS.iter().filter(|row| flags.contains(row.0)) {
        out.entry(word);
    }
    out.end_array();
}

fn realms(out: &mut Out<'_, '_>, realms: Realms, context: &Context<'_>) {
    let name = |realm: u16| context.names.name(NameKind::Realm, realm.into());
    out.text(if realms.from == 0 { "realm " } else { "realms " });
    out.begin_object("flow");
    if realms.from != 0 {
        out.text(format_args!("{}/", name(realms.from)));
        out.json(|json| json.field("from", name(realms.from)));
    }
    out.string("to", "", name(realms.to));
    out.end_object();
}

fn cache_flags(out: &mut Out<'_, '_>, flags: RouteFlags, context: &Context<'_>) {
    let mut rest = CacheFlags(flags.0 & !0xffff);
    out.line(context);
    out.text("    cache ");
    out.begin_array("cache");
    if !rest.is_empty() {
        out.text("<");
    }
    for &(flag, word) in &CACHE_FLAGS {
        if rest.contains(flag) {
            rest = rest.without(flag);
            out.text(format_args!("{word}{}", if rest.is_empty() { "> " } else { "," }));
            out.json(|json| json.string(word));
        }
    }
    if !rest.is_empty() {
        out.text(format_args!("{:x}> ", rest.0));
        out.json(|json| json.display(format_args!("{:x}", rest.0)));
    }
    out.end_array();
}

fn cache_info(out: &mut Out<'_, '_>, info: &CacheInfo, context: &Context<'_>) {
    if info.expires != 0 {
        let seconds = info.expires / 100;
        out.number_with("expires", "expires ", seconds, "sec ");
    }
    if info.error != 0 {
        // As ip: the negative number without its sign.
        out.number("error", "error ", u32::from_ne_bytes(info.error.to_ne_bytes()));
    }
    if context.statistics > 0 {
        if info.references != 0 {
            out.number("users", "users ", info.references);
        }
        if info.used != 0 {
            out.number("used", "used ", info.used);
        }
        if info.last_use != 0 {
            out.number_with("age", "age ", info.last_use / TICKS_PER_SECOND, "sec ");
        }
    }
    if info.id != 0 {
        out.string("ipid", "ipid ", format_args!("{:#06x}", info.id));
    }
    if info.timestamp != 0 || info.timestamp_age != 0 {
        // As ip: no blank between the two.
        out.text(format_args!("ts {:#x}", info.timestamp));
        out.json(|json| json.field("ts", format_args!("{:#x}", info.timestamp)));
        out.number_with("tsage", "tsage ", info.timestamp_age, "sec ");
    }
}

fn metrics(out: &mut Out<'_, '_>, metrics: &Metrics) {
    out.begin_array("metrics");
    out.begin_entry();
    for (number, word) in (0_u16..).zip(METRICS).skip(2) {
        let locked = metrics.is_locked(number);
        let name = metrics.congestion_control().filter(|_| number == RTAX_CC_ALGO);
        let value = metrics.get(number);
        let absent = value.is_none() && name.is_none() && !locked;
        if absent || (number == RTAX_HOPLIMIT && value == Some(u32::MAX)) {
            continue;
        }
        out.text(format_args!("{word} {}", if locked { "lock " } else { "" }));
        let value = value.unwrap_or(0);
        match number {
            RTAX_FEATURES => features(out, value),
            RTAX_CC_ALGO => {
                let name = name.map_or(&[][..], |name| name.as_bytes());
                out.string("congestion", "", Escaped(name));
            }
            RTAX_RTT => milliseconds(out, word, value / 8),
            RTAX_RTTVAR => milliseconds(out, word, value / 4),
            RTAX_RTO_MIN => milliseconds(out, word, value),
            _ => out.number(word, "", value),
        }
    }
    out.end_object();
    out.end_array();
}

fn features(out: &mut Out<'_, '_>, bits: u32) {
    let ecn = bits & 1 != 0;
    if ecn {
        out.text("ecn ");
        out.json(|json| {
            json.key("ecn");
            json.null();
        });
    }
    let rest = bits & !1;
    if rest != 0 {
        out.string("features", "", format_args!("{bits:#x}"));
    }
}

/// Milliseconds; in text, from a second on, seconds with at most six digits, as `%g` prints them.
fn milliseconds(out: &mut Out<'_, '_>, key: &str, value: u32) {
    out.json(|json| json.field(key, value));
    if value < 1000 {
        return out.text(format_args!("{value}ms "));
    }
    let Out::Text(text) = out else { return };
    let seconds = f64::from(value) / 1e3;
    let (mantissa, exponent) =
        if seconds < 999_999.5 { (seconds, "") } else { (seconds / 1e6, "e+06") };
    let digits = value.checked_ilog10().map_or(0, |digits| digits as usize);
    let decimals = if exponent.is_empty() { 8_usize.saturating_sub(digits) } else { 5 };
    let decimals = decimals.min(5);
    let start = text.len();
    let _ = fmt::Write::write_fmt(text, format_args!("{mantissa:.decimals$}"));
    if text[start..].contains('.') {
        let kept = text.trim_end_matches('0').trim_end_matches('.').len();
        text.truncate(kept);
    }
    text.push_str(exponent);
    text.push_str("s ");
}

fn preference(out: &mut Out<'_, '_>, value: Preference) {
    let word = match value {
        Preference::LOW => "low",
        Preference::MEDIUM => "medium",
        Preference::HIGH => "high",
        other => {
            out.json(|json| json.field("pref", other.0));
            return out.text(other.0);
        }
    };
    out.json(|json| json.field("pref", word));
    out.text(format_args!("pref {word}"));
}

/// A destination or source: `default`, a prefix, an address, or the labels of an MPLS route.
struct Target<'a> {
    prefix: Option<Prefix>,
    labels: Option<Labels<'a>>,
}

impl<'a> Target<'a> {
    fn new(route: &'a Route, prefix: Option<Prefix>, number: u16) -> Self {
        Self { prefix, labels: raw(route, number) }
    }
}

words!(Target<'_> Labels<'_>);

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.prefix, &self.labels) {
            (Some(prefix), _) => write!(f, "{prefix}"),
            (None, Some(labels)) => write!(f, "{labels}"),
            (None, None) => f.write_str("default"),
        }
    }
}

/// The labels of an MPLS route's attribute, which is kept raw.
fn raw(route: &Route, number: u16) -> Option<Labels<'_>> {
    let mut attrs = route.unknown.iter().rev().map(nl_wire::RawAttr::as_attr);
    attrs.find(|attr| attr.number() == number).map(|attr| Labels(attr.payload))
}

/// A stack of MPLS labels, outermost first: `100/200`.
struct Labels<'a>(&'a [u8]);

impl fmt::Display for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.0.chunks_exact(4).enumerate() {
            let mut bytes = [0; 4];
            bytes.copy_from_slice(entry);
            let entry = u32::from_be_bytes(bytes);
            write!(f, "{}{}", if index == 0 { "" } else { "/" }, entry >> 12)?;
            // The bottom of the stack.
            if entry & 0x100 != 0 {
                break;
            }
        }
        Ok(())
    }
}
