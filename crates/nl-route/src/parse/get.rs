//! The words of `ip route get`.

use nl_wire::value::AddressFamily;

use super::{Keyword, WordError, Words, keyword, wrong};
use crate::names::{NameKind, Names};
use crate::request::GetRoute;

#[derive(Clone, Copy)]
enum Key {
    To,
    From,
    Iif,
    Oif,
    Mark,
    Uid,
    Tos,
    Protocol,
    SourcePort,
    DestinationPort,
    FlowLabel,
    FibMatch,
    Notify,
    Vrf,
}

const KEYWORDS: &[Keyword<Key>] = &[
    ("tos", true, Key::Tos),
    ("dsfield", false, Key::Tos),
    ("from", false, Key::From),
    ("iif", false, Key::Iif),
    ("mark", false, Key::Mark),
    ("oif", false, Key::Oif),
    ("dev", true, Key::Oif),
    ("notify", false, Key::Notify),
    ("vrf", false, Key::Vrf),
    ("uid", false, Key::Uid),
    ("fibmatch", false, Key::FibMatch),
    ("ipproto", true, Key::Protocol),
    ("sport", true, Key::SourcePort),
    ("dport", true, Key::DestinationPort),
    ("flowlabel", true, Key::FlowLabel),
    ("to", true, Key::To),
];

/// Reads the words behind `ip route get`.
///
/// # Errors
/// At the first word that ip would not take either.
pub fn get<S: AsRef<str>>(
    words: &[S],
    family: AddressFamily,
    names: &Names,
) -> Result<GetRoute, WordError> {
    let zero = if family == AddressFamily::INET6 {
        core::net::IpAddr::V6(core::net::Ipv6Addr::UNSPECIFIED)
    } else {
        core::net::IpAddr::V4(core::net::Ipv4Addr::UNSPECIFIED)
    };
    let mut get = GetRoute::new(zero);
    let mut family = family;
    let mut target = false;
    let mut words = Words::new(words, names);
    while let Some(word) = words.peek() {
        let key = keyword(word, KEYWORDS);
        if key.is_some() {
            words.next();
        }
        match key {
            Some(Key::To) | None => {
                get.destination = words.prefix(family)?.address;
                family = AddressFamily::of(get.destination);
                target = true;
            }
            Some(Key::From) => {
                let address = words.prefix(family)?.address;
                get.source = Some(address);
                family = AddressFamily::of(address);
            }
            Some(Key::Iif) => get.iif = Some(words.link()?),
            Some(Key::Oif) => get.oif = Some(words.link()?),
            Some(Key::Mark) => get.mark = Some(words.number(u32::MAX, "invalid mark value")?),
            Some(Key::Uid) => get.uid = Some(words.number(u32::MAX, "invalid UID")?),
            Some(Key::Tos) => get.tos = words.tos("TOS value is invalid")?,
            Some(Key::SourcePort) => get.source_port = Some(words.port("invalid sport")?),
            Some(Key::DestinationPort) => {
                get.destination_port = Some(words.port("invalid dport")?);
            }
            Some(Key::Protocol) => {
                let reason = "Invalid \"ipproto\" value";
                get.ip_proto = Some(words.named_byte(NameKind::IpProtocol, reason)?);
            }
            Some(Key::FlowLabel) => {
                get.flow_label = Some(words.number(0xf_ffff, "invalid flowlabel")?);
            }
            Some(Key::FibMatch) => get.fib_match = true,
            Some(Key::Notify) => get.notify = true,
            Some(Key::Vrf) => {
                // A lookup in a VRF is one by its link.
                let word = words.value()?;
                if names.vrf_table(word).is_none() {
                    return Err(wrong(word, "Invalid VRF"));
                }
                get.oif = names.link_index(word);
            }
        }
    }
    if target {
        Ok(get)
    } else {
        Err(WordError { text: "need at least a destination address".into(), code: 1 })
    }
}
