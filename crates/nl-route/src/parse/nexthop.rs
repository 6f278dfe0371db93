//! The words of `ip nexthop`.

use alloc::boxed::Box;
use alloc::vec::Vec;

use nl_wire::value::AddressFamily;

use super::{WordError, Words, wrong};
use crate::names::{NameKind, Names, parse_number};
use crate::nexthop::{
    GetNexthopBucket, Member, Nexthop, NexthopBucketFilter, NexthopFilter, Resilience,
};
use crate::route::TICKS_PER_SECOND;
use crate::value::{GroupType, RouteFlags, RouteProtocol};

/// What `ip nexthop list` and `flush` ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Selector {
    /// The one of this id.
    Id(u32),
    /// All that a filter admits.
    Filter(NexthopFilter),
}

/// Reads the words behind `ip nexthop add`, `replace` or `delete`.
///
/// # Errors
/// At the first word that ip would not take either, and at `encap bpf`: programs are not loaded here.
pub fn change<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
) -> Result<Nexthop, WordError> {
    let mut words = Words::new(words, names);
    let mut nexthop = Nexthop { family, ..Nexthop::default() };
    while let Some(word) = words.next() {
        match word {
            "id" => nexthop.id = Some(id(&mut words)?),
            "via" => nexthop.gateway = Some(words.gateway(family)?),
            "dev" => nexthop.oif = Some(link(&mut words)?),
            "encap" => nexthop.encap = Some(Box::new(super::encap::encap(&mut words)?)),
            "blackhole" => nexthop.blackhole = true,
            "fdb" => nexthop.fdb = true,
            "onlink" => nexthop.flags |= RouteFlags::HOP_ONLINK,
            "group" => nexthop.group = group(words.value()?)?,
            "type" => {
                let word = words.value()?;
                nexthop.group_type = Some(match word {
                    "mpath" => GroupType::MPATH,
                    "resilient" => GroupType::RES,
                    _ => return Err(wrong(word, "\"type\" value is invalid")),
                });
                if word == "resilient" {
                    nexthop.resilience = resilience(&mut words)?;
                }
            }
            "hw_stats" => {
                let word = words.value()?;
                nexthop.hw_stats = Some(match word {
                    "on" => 1,
                    "off" => 0,
                    _ => return Err(wrong(word, "\"hw_stats\" must be \"on\" or \"off\"")),
                });
            }
            word if !word.is_empty() && "protocol".starts_with(word) => {
                let reason = "\"protocol\" value is invalid";
                nexthop.protocol = RouteProtocol(words.named_byte(NameKind::Protocol, reason)?);
            }
            word => return Err(wrong(word, "")),
        }
    }
    Ok(nexthop)
}

/// `ID[,WEIGHT][/ID[,WEIGHT]…]`
fn group(word: &str) -> Result<Vec<Member>, WordError> {
    let member = |member: &str| {
        let (id, weight) = member.split_once(',').map_or((member, None), |(i, w)| (i, Some(w)));
        let first = word.split(['/', ',']).next().unwrap_or_default();
        let id = parse_number(id).ok_or_else(|| wrong(first, "\"group\" value is invalid"))?;
        let weight = weight.map_or(Ok(1), |weight| {
            let number = parse_number(weight).filter(|number| (1..=65_536).contains(number));
            number.ok_or_else(|| wrong(weight, "\"weight\" is invalid"))
        });
        Ok(Member { id, weight: weight? })
    };
    word.split('/').map(member).collect()
}

/// What stands behind `type resilient`.
fn resilience<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<Option<Resilience>, WordError> {
    let mut resilience = Resilience::default();
    loop {
        let (slot, reason) = match words.peek() {
            Some("buckets") => {
                words.next();
                resilience.buckets = Some(words.port("invalid buckets value")?);
                continue;
            }
            Some("idle_timer") => (&mut resilience.idle_timer, "invalid idle timer value"),
            Some("unbalanced_timer") => {
                (&mut resilience.unbalanced_timer, "invalid unbalanced timer value")
            }
            _ => break,
        };
        words.next();
        let word = words.value()?;
        let ticks = parse_number(word).and_then(|number| number.checked_mul(TICKS_PER_SECOND));
        *slot = Some(ticks.ok_or_else(|| wrong(word, reason))?);
    }
    Ok(Some(resilience).filter(|resilience| *resilience != Resilience::default()))
}

/// Reads the words behind `ip nexthop list` or `flush`.
///
/// # Errors
/// At the first word that ip would not take either.
pub fn selector<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
) -> Result<Selector, WordError> {
    let mut words = Words::new(words, names);
    let mut filter = NexthopFilter { family, ..NexthopFilter::default() };
    while let Some(word) = words.next() {
        match word {
            "dev" => filter.oif = Some(link(&mut words)?),
            "vrf" => filter.master = Some(words.vrf_link("Invalid VRF")?),
            "master" => filter.master = Some(link(&mut words)?),
            "fdb" => filter.fdb = true,
            "id" => return id(&mut words).map(Selector::Id),
            word if !word.is_empty() && "groups".starts_with(word) => filter.groups = true,
            word if !word.is_empty() && "protocol".starts_with(word) => {
                let number = words.named_byte(NameKind::Protocol, "invalid protocol value")?;
                filter.protocol = Some(RouteProtocol(number)).filter(|_| number != 0);
            }
            word => return Err(wrong(word, "")),
        }
    }
    Ok(Selector::Filter(filter))
}

/// Reads the words behind `ip nexthop get`.
///
/// # Errors
/// At the first word that ip would not take either, and without an id.
pub fn get<S: AsRef<str>>(words: &[S], names: &Names) -> Result<u32, WordError> {
    let mut words = Words::new(words, names);
    let mut found = None;
    while let Some(word) = words.next() {
        match word {
            "id" => found = Some(id(&mut words)?),
            word => return Err(wrong(word, "")),
        }
    }
    found.ok_or_else(|| missing("id"))
}

/// Reads the words behind `ip nexthop bucket list`.
///
/// # Errors
/// At the first word that ip would not take either.
pub fn buckets<S: AsRef<str>>(
    words: &[S],
    names: &Names,
) -> Result<NexthopBucketFilter, WordError> {
    let mut words = Words::new(words, names);
    let mut filter = NexthopBucketFilter::default();
    while let Some(word) = words.next() {
        match word {
            "dev" => filter.oif = Some(link(&mut words)?),
            "vrf" => filter.master = Some(words.vrf_link("Invalid VRF")?),
            "master" => filter.master = Some(link(&mut words)?),
            "id" => filter.id = Some(id(&mut words)?),
            "nhid" => filter.nexthop_id = Some(id(&mut words)?),
            word => return Err(wrong(word, "")),
        }
    }
    Ok(filter)
}

/// Reads the words behind `ip nexthop bucket get`.
///
/// # Errors
/// At the first word that ip would not take either, and without both numbers.
pub fn bucket<S: AsRef<str>>(words: &[S], names: &Names) -> Result<GetNexthopBucket, WordError> {
    let mut words = Words::new(words, names);
    let (mut group, mut index) = (None, None);
    while let Some(word) = words.next() {
        match word {
            "id" => group = Some(id(&mut words)?),
            "index" => index = Some(words.port("invalid bucket index value")?),
            word => return Err(wrong(word, "")),
        }
    }
    let id = group.ok_or_else(|| missing("id"))?;
    Ok(GetNexthopBucket { id, index: index.ok_or_else(|| missing("index"))? })
}

fn missing(word: &str) -> WordError {
    let text = alloc::format!("Not enough information: \"{word}\" argument is required.");
    WordError { text, code: 255 }
}

fn id<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<u32, WordError> {
    words.number(u32::MAX, "invalid id value")
}

fn link<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<u32, WordError> {
    let word = words.value()?;
    words.names.link_index(word).ok_or_else(|| wrong(word, "Device does not exist"))
}
