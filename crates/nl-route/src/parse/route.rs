//! The words of `ip route add` and its like.

use alloc::boxed::Box;
use alloc::format;

use nl_wire::RawAttr;
use nl_wire::value::AddressFamily;

use super::{Keyword, WordError, Words, escaped, is_default, keyword, kind, prefix, wrong};
use crate::encap::label_stack;
use crate::names::{NameKind, Names, parse_number};
use crate::route::{Hop, Metrics, Route};
use crate::tables::route::{
    RTA_DST, RTA_NEWDST, RTAX_ADVMSS, RTAX_CC_ALGO, RTAX_CWND, RTAX_FASTOPEN_NO_COOKIE,
    RTAX_FEATURES, RTAX_HOPLIMIT, RTAX_INITCWND, RTAX_INITRWND, RTAX_MTU, RTAX_QUICKACK,
    RTAX_REORDERING, RTAX_RTO_MIN, RTAX_RTT, RTAX_RTTVAR, RTAX_SSTHRESH, RTAX_WINDOW,
};
use crate::value::{HopFlags, PathFeatures, Preference, RouteFlags, RouteProtocol, Scope, TableId};

#[derive(Clone, Copy)]
enum Key {
    Source,
    Via,
    NewDestination,
    From,
    Tos,
    Expires,
    Metric,
    Scope,
    /// A metric of the path: its number and the greatest value.
    Path(u16, u32),
    /// The same, a time, with its units a millisecond.
    Time(u16, u32),
    Features,
    Congestion,
    Realms,
    Onlink,
    Pervasive,
    Nexthop,
    NexthopId,
    Protocol,
    Table,
    Vrf,
    Link,
    TtlPropagate,
    Preference,
    Encap,
}

/// In the order in which ip looks for them, which decides what a word cut short means.
const KEYWORDS: &[Keyword<Key>] = &[
    ("src", true, Key::Source),
    ("as", true, Key::NewDestination),
    ("via", true, Key::Via),
    ("from", true, Key::From),
    ("tos", true, Key::Tos),
    ("dsfield", false, Key::Tos),
    ("expires", true, Key::Expires),
    ("metric", false, Key::Metric),
    ("priority", false, Key::Metric),
    ("preference", true, Key::Metric),
    ("scope", true, Key::Scope),
    ("mtu", true, Key::Path(RTAX_MTU, u32::MAX)),
    ("hoplimit", true, Key::Path(RTAX_HOPLIMIT, 255)),
    ("advmss", true, Key::Path(RTAX_ADVMSS, u32::MAX)),
    ("reordering", false, Key::Path(RTAX_REORDERING, u32::MAX)),
    ("rtt", true, Key::Time(RTAX_RTT, 8)),
    ("rto_min", true, Key::Time(RTAX_RTO_MIN, 1)),
    ("window", false, Key::Path(RTAX_WINDOW, u32::MAX)),
    ("cwnd", false, Key::Path(RTAX_CWND, u32::MAX)),
    ("initcwnd", false, Key::Path(RTAX_INITCWND, u32::MAX)),
    ("initrwnd", false, Key::Path(RTAX_INITRWND, u32::MAX)),
    ("features", false, Key::Features),
    ("quickack", false, Key::Path(RTAX_QUICKACK, 1)),
    ("congctl", false, Key::Congestion),
    ("rttvar", false, Key::Time(RTAX_RTTVAR, 4)),
    ("ssthresh", false, Key::Path(RTAX_SSTHRESH, u32::MAX)),
    ("realms", false, Key::Realms),
    ("onlink", true, Key::Onlink),
    ("nexthop", true, Key::Nexthop),
    ("nhid", true, Key::NexthopId),
    ("protocol", false, Key::Protocol),
    ("table", false, Key::Table),
    ("vrf", true, Key::Vrf),
    ("dev", true, Key::Link),
    ("oif", true, Key::Link),
    ("pervasive", false, Key::Pervasive),
    ("encap", false, Key::Encap),
    ("ttl-propagate", true, Key::TtlPropagate),
    ("fastopen_no_cookie", false, Key::Path(RTAX_FASTOPEN_NO_COOKIE, 1)),
    ("pref", true, Key::Preference),
];

/// Reads the words behind `ip route add`, `replace`, `change`, `append`, `prepend` or `del`.
///
/// What is not said stays open, for [`Change`](crate::request::Change) to choose.
///
/// # Errors
/// At the first word that ip would not take either, and at `encap bpf`: programs are not loaded here.
pub fn route<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
) -> Result<Route, WordError> {
    let mut words = Words::new(words, names);
    let mut route = Route { family, ..Route::default() };
    let mut target = false;
    if words.peek().is_none() {
        words.value()?;
    }
    while let Some(word) = words.next() {
        let Some(key) = keyword(word, KEYWORDS) else {
            if target {
                let word = escaped(if word == "to" { words.value()? } else { word });
                let text =
                    format!("Error: either \"to\" is duplicate, or \"{word}\" is a garbage.");
                return Err(WordError { text, code: 255 });
            }
            destination(&mut route, word, &mut words)?;
            target = true;
            continue;
        };
        word_of(key, &mut route, &mut words)?;
    }
    if !target && route.kind.0 == 0 {
        words.value()?;
    }
    Ok(route)
}

/// `[to] [TYPE] PREFIX`
fn destination<'a, S: AsRef<str>>(
    route: &mut Route,
    mut word: &'a str,
    words: &mut Words<'a, S>,
) -> Result<(), WordError> {
    if word == "to" {
        word = words.value()?;
    }
    let named = Some(word).filter(|word| !word.starts_with(|first: char| first.is_ascii_digit()));
    if let Some(kind) = named.and_then(kind) {
        route.kind = kind;
        word = words.value()?;
    }
    if route.family == AddressFamily::MPLS {
        put_labels(route, RTA_DST, word)?;
    } else if !is_default(word) {
        let prefix = prefix(word, route.family)?;
        route.destination = Some(prefix);
        learn(route, AddressFamily::of(prefix.address));
    }
    Ok(())
}

/// Labels of an MPLS route, which are kept raw.
fn put_labels(route: &mut Route, raw_type: u16, word: &str) -> Result<(), WordError> {
    let labels = super::encap::labels(word)?;
    let payload = label_stack(&labels, raw_type).map_err(|_| wrong(word, "invalid labels"))?;
    route.unknown.push(RawAttr { raw_type, payload });
    Ok(())
}

/// The first address tells the family.
fn learn(route: &mut Route, family: AddressFamily) {
    if route.family == AddressFamily::UNSPEC {
        route.family = family;
    }
}

fn word_of<S: AsRef<str>>(
    key: Key,
    route: &mut Route,
    words: &mut Words<'_, S>,
) -> Result<(), WordError> {
    match key {
        Key::Source => {
            let address = words.address(route.family)?;
            route.prefsrc = Some(address);
            learn(route, AddressFamily::of(address));
        }
        Key::Via => {
            if route.gateway.is_some() {
                return Err(wrong("via", "use nexthop syntax to specify multiple via"));
            }
            let address = words.gateway(route.family)?;
            route.gateway = Some(address);
            learn(route, AddressFamily::of(address));
        }
        Key::From => {
            let prefix = words.prefix(route.family)?;
            route.source = Some(prefix);
            learn(route, AddressFamily::of(prefix.address));
        }
        Key::Tos => route.tos = words.tos("\"tos\" value is invalid")?,
        Key::Expires => {
            route.expires = Some(words.number(u32::MAX, "\"expires\" value is invalid")?);
        }
        Key::Metric => {
            route.priority = Some(words.number(u32::MAX, "\"metric\" value is invalid")?);
        }
        Key::Scope => {
            route.scope = Scope(words.named_byte(NameKind::Scope, "invalid \"scope\" value")?);
        }
        Key::Path(number, most) => {
            lock(&mut route.metrics, number, words);
            let name = crate::print::METRICS.get(usize::from(number)).copied().unwrap_or_default();
            let reason = if most == 1 {
                format!("\"{name}\" value should be 0 or 1")
            } else {
                format!("\"{name}\" value is invalid")
            };
            route.metrics.set(number, words.number(most, &reason)?);
        }
        Key::Time(number, units) => {
            lock(&mut route.metrics, number, words);
            let name = crate::print::METRICS.get(usize::from(number)).copied().unwrap_or_default();
            let value = words.value()?;
            let time = time(value, units);
            let time = time.ok_or_else(|| wrong(value, &format!("\"{name}\" value is invalid")))?;
            route.metrics.set(number, time);
            if number == RTAX_RTO_MIN {
                route.metrics.lock(number);
            }
        }
        Key::Features => {
            lock(&mut route.metrics, RTAX_FEATURES, words);
            let feature = match words.value()? {
                "ecn" => PathFeatures::ECN,
                "tcp_usec_ts" => PathFeatures::TCP_USEC_TS,
                other => return Err(wrong(other, "\"features\" value not valid")),
            };
            let features = route.metrics.features().unwrap_or_default() | feature;
            route.metrics.set(RTAX_FEATURES, features.0);
        }
        Key::Congestion => {
            lock(&mut route.metrics, RTAX_CC_ALGO, words);
            route.metrics.set_congestion_control(words.value()?);
        }
        Key::Realms => route.realms = Some(words.realms("\"realm\" value is invalid")?),
        Key::Onlink => route.flags |= RouteFlags::HOP_ONLINK,
        Key::Pervasive => route.flags |= RouteFlags::HOP_PERVASIVE,
        Key::Nexthop => {
            let hop = hop(route, words)?;
            route.multipath.push(hop);
        }
        Key::NexthopId => {
            route.nexthop_id = Some(words.number(u32::MAX, "\"id\" value is invalid")?);
        }
        Key::Protocol => {
            let reason = "\"protocol\" value is invalid";
            route.protocol = RouteProtocol(words.named_byte(NameKind::Protocol, reason)?);
        }
        Key::Table => {
            route.table = TableId(words.named(NameKind::Table, "\"table\" value is invalid")?);
        }
        Key::Vrf => route.table = TableId(words.vrf()?),
        Key::NewDestination => {
            if words.peek() == Some("to") {
                words.next();
            }
            put_labels(route, RTA_NEWDST, words.value()?)?;
        }
        Key::Link => route.oif = Some(words.link()?),
        Key::TtlPropagate => {
            route.ttl_propagate = Some(match words.value()? {
                "enabled" => 1,
                "disabled" => 0,
                other => return Err(wrong(other, "\"ttl-propagate\" value is invalid")),
            });
        }
        Key::Preference => {
            let value = words.value()?;
            let named = match value {
                "low" => Some(Preference::LOW),
                "medium" => Some(Preference::MEDIUM),
                "high" => Some(Preference::HIGH),
                _ => parse_number(value).and_then(|n| u8::try_from(n).ok()).map(Preference),
            };
            let wrong = || wrong(value, "\"pref\" value is invalid");
            route.preference = Some(named.ok_or_else(wrong)?);
        }
        Key::Encap => route.encap = Some(Box::new(super::encap::encap(words)?)),
    }
    Ok(())
}

/// `lock` before the value of a metric.
fn lock<S: AsRef<str>>(metrics: &mut Metrics, number: u16, words: &mut Words<'_, S>) {
    if words.peek() == Some("lock") {
        words.next();
        metrics.lock(number);
    }
}

/// What follows `nexthop`, up to the next one or the end.
fn hop<S: AsRef<str>>(route: &mut Route, words: &mut Words<'_, S>) -> Result<Hop, WordError> {
    if words.peek().is_none() {
        let text = "Error: unexpected end of line after \"nexthop\"".into();
        return Err(WordError { text, code: 255 });
    }
    let mut hop = Hop::default();
    while let Some(word) = words.peek() {
        match word {
            "nexthop" => break,
            "via" => {
                words.next();
                let address = words.gateway(route.family)?;
                hop.gateway = Some(address);
                learn(route, AddressFamily::of(address));
            }
            "dev" | "oif" => {
                words.next();
                let word = words.value()?;
                hop.ifindex = words.link_of(word).map_err(|error| WordError {
                    text: error.text + "\nError: cannot parse nexthop",
                    code: 255,
                })?;
            }
            "weight" => {
                words.next();
                let value = words.value()?;
                let weight = parse_number(value);
                hop.weight = weight
                    .and_then(|weight| u16::try_from(weight).ok())
                    .filter(|weight| (1..=256).contains(weight))
                    .ok_or_else(|| wrong(value, "\"weight\" is invalid"))?;
            }
            "onlink" => {
                words.next();
                hop.flags |= HopFlags::ONLINK;
            }
            "pervasive" => {
                words.next();
                hop.flags |= HopFlags::PERVASIVE;
            }
            word if !word.is_empty() && "realms".starts_with(word) => {
                words.next();
                hop.realms = Some(words.realms("\"realm\" value is invalid")?);
            }
            "encap" => {
                words.next();
                hop.encap = Some(Box::new(super::encap::encap(words)?));
            }
            other => {
                let text = format!(
                    "Error: \"nexthop\" or end of line is expected instead of \"{}\"",
                    escaped(other)
                );
                return Err(WordError { text, code: 255 });
            }
        }
    }
    Ok(hop)
}

/// A time: a plain number as it is, or seconds (`s`, `sec`, `secs`) or milliseconds (`ms`, `msec`,
/// `msecs`), perhaps with a fraction, rounded up, in `units` a millisecond.
fn time(word: &str, units: u32) -> Option<u32> {
    let end = word.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
    let (number, suffix) = word.split_at(end.unwrap_or(word.len()));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: u64 =
        if whole.is_empty() && !fraction.is_empty() { 0 } else { whole.parse().ok()? };
    if fraction.bytes().any(|byte| !byte.is_ascii_digit()) {
        return None;
    }
    // Thousandths, with a further one if anything is behind them.
    let mut thousandths = 0_u64;
    for index in 0..3 {
        let digit = fraction.as_bytes().get(index).map_or(0, |byte| u64::from(byte - b'0'));
        thousandths = thousandths * 10 + digit;
    }
    let more = fraction.bytes().skip(3).any(|byte| byte != b'0');
    thousandths = whole.checked_mul(1000)?.checked_add(thousandths + u64::from(more))?;
    let milliseconds = match suffix {
        "s" | "sec" | "secs" => thousandths.checked_mul(u64::from(units))?,
        "ms" | "msec" | "msecs" => thousandths.div_ceil(1000).checked_mul(u64::from(units))?,
        "" => thousandths.div_ceil(1000),
        _ => return None,
    };
    u32::try_from(milliseconds).ok()
}
