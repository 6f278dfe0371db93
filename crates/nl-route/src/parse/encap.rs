//! The words behind `encap`.

use alloc::format;
use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv6Addr};

use nl_wire::value::AddressFamily;

use super::{WordError, Words, wrong};
use crate::encap::{
    Encap, Encapsulation, Flavours, Ila, Ioam6, IpTunnel, Mpls, Rpl, Seg6, Seg6Action,
    Seg6Counters, Seg6Flavours, Seg6Local, Seg6Mode, SegmentHeader, Trace, TunnelFlags,
    TunnelOption, Xfrm,
};
use crate::names::{NameKind, parse_number};
use crate::print::encap::{
    CHECKSUM_MODES, FLAVOURS, HOOKS, IDENTIFIERS, IOAM6_MODES, KINDS, SEG6_ACTIONS, SEG6_MODES,
};
use crate::value::{EncapType, TableId};

/// What follows `encap`, up to the first word that is none of it.
pub(super) fn encap<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<Encap, WordError> {
    let word = words.value()?;
    let kind = KINDS.iter().skip(1).position(|known| *known == word);
    let kind = kind.and_then(|kind| u16::try_from(kind + 1).ok()).map(EncapType);
    let read = match kind {
        Some(EncapType::MPLS) => mpls(words).map(Encapsulation::Mpls)?,
        Some(EncapType::IP) => {
            Encapsulation::Ip(tunnel(words, AddressFamily::INET, ["ttl", "tos"])?)
        }
        Some(EncapType::IP6) => {
            Encapsulation::Ip6(tunnel(words, AddressFamily::INET6, ["hoplimit", "tc"])?)
        }
        Some(EncapType::ILA) => ila(words).map(Encapsulation::Ila)?,
        Some(EncapType::SEG6) => seg6(words).map(Encapsulation::Seg6)?,
        Some(EncapType::SEG6_LOCAL) => seg6_local(words).map(Encapsulation::Seg6Local)?,
        Some(EncapType::RPL) => {
            let segments = segments(words)?;
            Encapsulation::Rpl(Rpl { segments })
        }
        Some(EncapType::IOAM6) => ioam6(words).map(Encapsulation::Ioam6)?,
        Some(EncapType::XFRM) => xfrm(words).map(Encapsulation::Xfrm)?,
        Some(EncapType::BPF) => {
            return Err(wrong(word, "programs are loaded by ip; only what is loaded is shown"));
        }
        _ => return Err(wrong(word, "\"encap type\" value is invalid")),
    };
    read.encode().map_err(|error| wrong(word, &error.to_string()))
}

/// The next word, if it is one of these.
fn one_of<'a, S: AsRef<str>>(words: &mut Words<'a, S>, keys: &[&str]) -> Option<&'a str> {
    let word = words.peek().filter(|word| keys.contains(word))?;
    words.next();
    Some(word)
}

/// The number of one of these words.
fn choice<S: AsRef<str>>(
    words: &mut Words<'_, S>,
    choices: &[&str],
    reason: &str,
) -> Result<u8, WordError> {
    let word = words.value()?;
    let found = choices.iter().position(|choice| !choice.is_empty() && *choice == word);
    found.and_then(|index| u8::try_from(index).ok()).ok_or_else(|| wrong(word, reason))
}

fn byte<S: AsRef<str>>(words: &mut Words<'_, S>, reason: &str) -> Result<u8, WordError> {
    let word = words.value()?;
    let number = parse_number(word).and_then(|number| u8::try_from(number).ok());
    number.ok_or_else(|| wrong(word, reason))
}

/// Labels between slashes.
pub(super) fn labels(word: &str) -> Result<Vec<u32>, WordError> {
    let label = |part: &str| parse_number(part).filter(|label| *label < 1 << 20);
    let all: Option<Vec<u32>> = word.split('/').map(label).collect();
    all.ok_or_else(|| WordError {
        text: format!(
            "Error: an inet address is expected rather than \"{}\".",
            super::escaped(word)
        ),
        code: 1,
    })
}

fn mpls<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<Mpls, WordError> {
    let labels = labels(words.value()?)?;
    let ttl = match one_of(words, &["ttl"]) {
        Some(_) => Some(byte(words, "\"ttl\" value is invalid")?),
        None => None,
    };
    Ok(Mpls { labels, ttl })
}

fn tunnel<S: AsRef<str>>(
    words: &mut Words<'_, S>,
    family: AddressFamily,
    [ttl, tos]: [&str; 2],
) -> Result<IpTunnel, WordError> {
    let keys = [
        "id",
        "src",
        "dst",
        ttl,
        tos,
        "key",
        "csum",
        "seq",
        "geneve_opts",
        "vxlan_opts",
        "erspan_opts",
    ];
    let mut tunnel = IpTunnel::default();
    let mut flags = TunnelFlags(0);
    while let Some(key) = one_of(words, &keys) {
        match key {
            "id" => {
                let word = words.value()?;
                let id = number64(word).ok_or_else(|| wrong(word, "\"id\" value is invalid"))?;
                tunnel.id = Some(id);
            }
            "src" => tunnel.source = Some(words.address(family)?),
            "dst" => tunnel.destination = Some(words.address(family)?),
            "key" => flags |= TunnelFlags::KEY,
            "csum" => flags |= TunnelFlags::CSUM,
            "seq" => flags |= TunnelFlags::SEQ,
            "tos" | "tc" => tunnel.tos = Some(words.tos(&format!("\"{tos}\" value is invalid"))?),
            "geneve_opts" | "vxlan_opts" | "erspan_opts" => {
                let word = words.value()?;
                let reason = format!("\"{key}\" value is invalid");
                tunnel.options = tunnel_options(key, word).ok_or_else(|| wrong(word, &reason))?;
            }
            _ => tunnel.ttl = Some(byte(words, &format!("\"{ttl}\" value is invalid"))?),
        }
    }
    tunnel.flags = Some(flags).filter(|flags| !flags.is_empty());
    Ok(tunnel)
}

/// A number of 64 bits: decimal or with `0x`.
fn number64(word: &str) -> Option<u64> {
    match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+')),
        None => word.parse().ok().filter(|_| !word.starts_with('+')),
    }
}

fn tunnel_options(key: &str, word: &str) -> Option<Vec<TunnelOption>> {
    match key {
        "geneve_opts" => word.split(',').map(geneve_option).collect(),
        "vxlan_opts" => parse_number(word).map(|group| Vec::from([TunnelOption::Vxlan { group }])),
        _ => {
            let mut numbers = [0; 4];
            let mut parts = word.split(':');
            for (slot, part) in numbers.iter_mut().zip(&mut parts) {
                *slot = if part.is_empty() { 0 } else { parse_number(part)? };
            }
            let [version, index, direction, hardware] = numbers;
            let option = TunnelOption::Erspan {
                version: u8::try_from(version).ok()?,
                index,
                direction: u8::try_from(direction).ok()?,
                hardware: u8::try_from(hardware).ok()?,
            };
            Some(Vec::from([option])).filter(|_| parts.next().is_none())
        }
    }
}

/// `CLASS:TYPE:DATA`, data in hexadecimal.
fn geneve_option(word: &str) -> Option<TunnelOption> {
    let mut parts = word.splitn(3, ':');
    let class = u16::try_from(parse_number(parts.next()?)?).ok()?;
    let kind = u8::try_from(parse_number(parts.next()?)?).ok()?;
    let digits = parts.next()?.as_bytes();
    if digits.is_empty() || digits.len() % 8 != 0 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let data = digits.chunks_exact(2).map(|pair| {
        core::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())
    });
    Some(TunnelOption::Geneve { class, kind, data: data.collect::<Option<_>>()? })
}

fn ila<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<Ila, WordError> {
    let word = words.value()?;
    let locator = word
        .parse::<u64>()
        .ok()
        .or_else(|| {
            let parts: Option<Vec<u16>> = word
                .split(':')
                .map(|part| u16::from_str_radix(part, 16).ok().filter(|_| !part.starts_with('+')))
                .collect();
            let parts = parts.filter(|parts| parts.len() == 4)?;
            Some(parts.into_iter().fold(0, |sum, part| sum << 16 | u64::from(part)))
        })
        .ok_or_else(|| WordError {
            text: format!("Bad locator: {}", super::escaped(word)),
            code: 255,
        })?;
    let mut ila = Ila { locator: Some(locator), ..Ila::default() };
    while let Some(key) = one_of(words, &["csum-mode", "ident-type", "hook-type"]) {
        match key {
            "csum-mode" => {
                let reason = "\"csum-mode\" value is invalid";
                ila.checksum_mode = Some(choice(words, &CHECKSUM_MODES, reason)?);
            }
            "ident-type" => {
                let reason = "\"ident-type\" value is invalid";
                ila.identifier_type = Some(choice(words, &IDENTIFIERS, reason)?);
            }
            _ => {
                let reason = "\"hook-type\" value is invalid";
                ila.hook = Some(choice(words, &HOOKS, reason)?);
            }
        }
    }
    Ok(ila)
}

/// `segs ADDRESS,ADDRESS…`
fn segments<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<Vec<Ipv6Addr>, WordError> {
    let word = words.value()?;
    if word != "segs" {
        return Err(wrong(word, "\"segs\" is expected"));
    }
    segment_list(words.value()?)
}

fn segment_list(word: &str) -> Result<Vec<Ipv6Addr>, WordError> {
    word.split(',')
        .map(|part| match super::address(part, AddressFamily::INET6)? {
            IpAddr::V6(address) => Ok(address),
            IpAddr::V4(_) => Err(super::expected(AddressFamily::INET6, "address", part)),
        })
        .collect()
}

fn hmac<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<Option<u32>, WordError> {
    match one_of(words, &["hmac"]) {
        Some(_) => words.number(u32::MAX, "\"hmac\" value is invalid").map(Some),
        None => Ok(None),
    }
}

fn seg6<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<Seg6, WordError> {
    let mut seg6 = Seg6::default();
    let (mut moded, mut listed) = (false, false);
    while let Some(key) = one_of(words, &["mode", "segs", "hmac", "tunsrc"]) {
        match key {
            "mode" => {
                let mode = choice(words, &SEG6_MODES, "\"mode\" value is invalid")?;
                seg6.mode = Seg6Mode(mode.into());
                moded = true;
            }
            "segs" => {
                let word = words.value()?;
                if !moded {
                    return Err(wrong(word, "\"segs\" provided before \"mode\""));
                }
                seg6.header.segments = segment_list(word)?;
                listed = true;
            }
            "hmac" => {
                let key = words.number(u32::MAX, "\"hmac\" value is invalid")?;
                seg6.header.hmac = Some(key).filter(|key| *key != 0);
            }
            _ => match words.address(AddressFamily::INET6)? {
                IpAddr::V6(source) => seg6.source = Some(source),
                IpAddr::V4(_) => {}
            },
        }
    }
    if !listed {
        return Err(wrong(words.peek().unwrap_or("seg6"), "\"segs\" is expected"));
    }
    if seg6.mode == Seg6Mode::INLINE {
        seg6.header.segments.push(Ipv6Addr::UNSPECIFIED);
    }
    Ok(seg6)
}

fn seg6_local<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<Seg6Local, WordError> {
    let mut local = Seg6Local::default();
    let keys =
        ["action", "table", "vrftable", "nh4", "nh6", "iif", "oif", "srh", "count", "flavors"];
    let mut acts = false;
    while let Some(key) = one_of(words, &keys) {
        match key {
            "action" => {
                let action = choice(words, &SEG6_ACTIONS, "\"action\" value is invalid")?;
                local.action = Seg6Action(action.into());
                acts = true;
            }
            "table" => {
                let table = words.named(NameKind::Table, "invalid table id")?;
                local.table = Some(TableId(table));
            }
            "vrftable" => {
                let table = words.named(NameKind::Table, "invalid vrf table id")?;
                local.vrf_table = Some(TableId(table));
            }
            "nh4" => {
                if let IpAddr::V4(address) = words.address(AddressFamily::INET)? {
                    local.next_hop4 = Some(address);
                }
            }
            "nh6" => {
                if let IpAddr::V6(address) = words.address(AddressFamily::INET6)? {
                    local.next_hop6 = Some(address);
                }
            }
            "iif" => local.iif = Some(words.link()?),
            "oif" => local.oif = Some(words.link()?),
            "srh" => {
                let mut header = SegmentHeader { segments: segments(words)?, hmac: hmac(words)? };
                if local.action != Seg6Action::END_B6_ENCAP {
                    header.segments.push(Ipv6Addr::UNSPECIFIED);
                }
                local.header = Some(header);
            }
            "count" => local.counters = Some(Seg6Counters::default()),
            _ => local.flavours = Some(flavours(words)?),
        }
    }
    if acts { Ok(local) } else { Err(WordError { text: "Missing action type".into(), code: 255 }) }
}

fn flavours<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<Seg6Flavours, WordError> {
    let word = words.value()?;
    let mut operations = Flavours(0);
    for part in word.split(',') {
        let found = FLAVOURS.iter().find(|row| row.1 == part);
        operations |= found.ok_or_else(|| wrong(word, "invalid \"flavors\" attribute"))?.0;
    }
    let mut flavours = Seg6Flavours { operations: Some(operations), ..Seg6Flavours::default() };
    while let Some(key) = one_of(words, &["lblen", "nflen"]) {
        if key == "lblen" {
            let reason = "\"locator-block length\" value is invalid";
            flavours.block_bits = Some(byte(words, reason)?);
        } else {
            let reason = "\"locator-node function length\" value is invalid";
            flavours.node_function_bits = Some(byte(words, reason)?);
        }
    }
    Ok(flavours)
}

fn ioam6<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<Ioam6, WordError> {
    let mut ioam = Ioam6 { mode: Some(1), ..Ioam6::default() };
    (ioam.frequency, ioam.frequency_of) = (Some(1), Some(1));
    let v6 = |address| match address {
        IpAddr::V6(address) => Some(address),
        IpAddr::V4(_) => None,
    };
    while let Some(key) = one_of(words, &["freq", "mode", "tundst", "tunsrc", "trace"]) {
        match key {
            "freq" => {
                let word = words.value()?;
                let (k, n) = word.split_once('/').unwrap_or((word, ""));
                let number =
                    |part| parse_number(part).filter(|number| (1..=1_000_000).contains(number));
                let (Some(k), Some(n)) = (number(k), number(n)) else {
                    return Err(wrong(word, "Invalid frequency (malformed)"));
                };
                if k > n {
                    return Err(wrong(word, "Frequency with k > n is forbidden"));
                }
                (ioam.frequency, ioam.frequency_of) = (Some(k), Some(n));
            }
            "mode" => ioam.mode = Some(choice(words, &IOAM6_MODES, "Invalid mode")?),
            "tundst" => ioam.destination = v6(words.address(AddressFamily::INET6)?),
            "tunsrc" => ioam.source = v6(words.address(AddressFamily::INET6)?),
            _ => ioam.trace = Some(trace(words)?),
        }
    }
    match (ioam.trace, ioam.mode, ioam.destination) {
        (Some(_), Some(1), None) | (Some(_), Some(2 | 3), Some(_)) => Ok(ioam),
        (None, ..) => Err(wrong(words.peek().unwrap_or("ioam6"), "\"trace\" is expected")),
        (_, Some(1), _) => Err(wrong("inline", "Inline mode does not need tundst")),
        _ => Err(wrong(words.peek().unwrap_or("ioam6"), "\"tundst\" is expected")),
    }
}

/// `prealloc type TYPE ns NAMESPACE size SIZE`
fn trace<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<Trace, WordError> {
    let mut expect = |key: &str| {
        let word = words.value()?;
        if word == key { Ok(()) } else { Err(wrong(word, &format!("\"{key}\" is expected"))) }
    };
    expect("prealloc")?;
    expect("type")?;
    let kind = words.number((1 << 24) - 1, "Invalid trace type")?;
    one_of(words, &["ns"]).ok_or_else(|| wrong("trace", "\"ns\" is expected"))?;
    let namespace = words.port("Invalid namespace ID")?;
    one_of(words, &["size"]).ok_or_else(|| wrong("trace", "\"size\" is expected"))?;
    let word = words.value()?;
    let size = parse_number(word).and_then(|size| u16::try_from(size).ok());
    let size = size.filter(|size| *size != 0).ok_or_else(|| wrong(word, "Invalid trace size"))?;
    match size {
        _ if size % 4 != 0 => Err(wrong(word, "Trace size must be a 4-octet multiple")),
        245.. => Err(wrong(word, "Trace size is too big")),
        _ => Ok(Trace { namespace, kind, size }),
    }
}

fn xfrm<S: AsRef<str>>(words: &mut Words<'_, S>) -> Result<Xfrm, WordError> {
    let mut xfrm = Xfrm::default();
    while let Some(key) = one_of(words, &["if_id", "link_dev"]) {
        if key == "if_id" {
            xfrm.if_id = Some(words.number(u32::MAX, "\"if_id\" value is invalid")?);
        } else {
            xfrm.link = Some(words.link()?);
        }
    }
    Ok(xfrm)
}
