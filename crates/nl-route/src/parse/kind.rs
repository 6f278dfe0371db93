//! Options of the kinds of links, behind `type KIND`: a table a kind.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr};

use nl_wire::Writer;
use nl_wire::value::AddressFamily;

use super::{WordError, Words, escaped, wrong};
use crate::link::Link;
use crate::names::{NameKind, parse_number};
use crate::tables::kind::{IFLA_MACVLAN_MACADDR, IFLA_VLAN_QOS_MAPPING};

mod other;
mod tunnel;

/// How the value of an option is read and written.
#[derive(Clone, Copy)]
enum Value {
    /// A number of one, two, four or eight bytes.
    U8,
    U16,
    U32,
    U64,
    /// The same in network byte order.
    U16Be,
    U32Be,
    /// A number of four bytes; this word is 0.
    U32Or(&'static str),
    /// A number with a sign.
    I32,
    /// `on` or `off`, a byte.
    OnOff,
    /// The word itself means this byte.
    Byte(u8),
    /// The word itself means this number of four bytes.
    Long(u32),
    /// The word itself is all; the attribute is empty.
    Flag,
    /// One of these words, or its number; a byte, two or four.
    Word(&'static [&'static str]),
    Word16(&'static [&'static str]),
    Word32(&'static [&'static str]),
    /// One of these words, which means this byte.
    Choice(&'static [(&'static str, u8)]),
    /// The same with two bytes.
    Choice16(&'static [(&'static str, u16)]),
    /// A link.
    Link,
    /// An address: this attribute for IPv4, that for IPv6.
    Ip(u16),
    /// An address of IPv4, or of IPv6.
    Ipv4,
    Ipv6,
    /// Up to 16 addresses with commas between, of IPv4 or IPv6.
    List(AddressFamily),
    /// A link-layer address.
    LinkAddress,
    /// A VLAN protocol.
    VlanProtocol,
    /// Priorities of a VLAN.
    Priorities,
    /// A number of one byte; `inherit` is this one.
    Inherit(u8),
    /// The same; `inherit` is an attribute of its own, `auto` is 0.
    Lifetime(u16, &'static [u8]),
    /// A type of service; `inherit` is 1.
    Tos,
    /// Two ports.
    PortRange,
    /// A port, or `auto`, in network byte order.
    Port,
    /// A routing table.
    Table,
    /// A key, plain or dotted.
    Key,
    /// Both keys, this and that.
    Keys(u16),
    /// Sets bits of a number of two bytes in network byte order, in this attribute and that.
    BitsBe(u16, u16),
    /// Sets or clears a bit of a number of two bytes.
    Bit16(u16, bool),
    /// The same with four bytes.
    Bit32(u32, bool),
    /// `on` or `off`: a bit among flags, behind which stands their mask.
    Masked(u32),
    /// The same with a number.
    MaskedNumber(u32),
    /// A hexadecimal number that is a part of a flow label: its mask and its place; `inherit` sets a
    /// bit of the flags in the attribute.
    Flow(u32, u8, u16, u32),
    /// A number of one or four bytes; this word sets a bit of the flags in the attribute.
    Unless(&'static str, u16, u32),
    /// The word `inherit`, which sets a bit.
    Inherited(u32),
    /// A prefix, whose length is another attribute.
    Prefix(AddressFamily, u16),
    /// A prefix of 6to4.
    Reset,
    /// The sources of a MACVLAN: what to do, and link-layer addresses.
    Sources,
}

/// An option: its word, its attribute, its value.
type Row = (&'static str, u16, Value);

/// What ip sends of a new link where nothing was said.
type Preset = (u16, &'static [u8]);

/// A kind: its options, and what it has without them.
struct Kind {
    names: &'static [&'static str],
    rows: &'static [&'static [Row]],
    presets: &'static [Preset],
}

const fn kind(names: &'static [&'static str], rows: &'static [&'static [Row]]) -> Kind {
    Kind { names, rows, presets: &[] }
}

/// The table of each kind; kinds without one take no options.
const KINDS: &[Kind] = &[
    kind(&["bridge"], &[other::BRIDGE]),
    kind(&["bridge_slave"], &[other::BRIDGE_PORT]),
    kind(&["macvlan", "macvtap"], &[other::MACVLAN]),
    kind(&["ipvlan", "ipvtap"], &[other::IPVLAN]),
    kind(&["vlan"], &[other::VLAN]),
    kind(&["bond"], &[other::BOND]),
    kind(&["bond_slave"], &[other::BOND_PORT]),
    kind(&["vrf"], &[other::VRF]),
    kind(&["netkit"], &[other::NETKIT]),
    Kind { names: &["vxlan"], rows: &[tunnel::VXLAN], presets: tunnel::VXLAN_PRESETS },
    Kind { names: &["geneve"], rows: &[tunnel::GENEVE], presets: tunnel::GENEVE_PRESETS },
    Kind {
        names: &["gre", "gretap", "erspan"],
        rows: &[tunnel::GRE, tunnel::GRE4],
        presets: tunnel::GRE4_PRESETS,
    },
    Kind {
        names: &["ip6gre", "ip6gretap", "ip6erspan"],
        rows: &[tunnel::GRE, tunnel::GRE6],
        presets: tunnel::GRE6_PRESETS,
    },
    Kind {
        names: &["ipip", "sit"],
        rows: &[tunnel::IPTUN, tunnel::IPTUN4],
        presets: tunnel::IPTUN4_PRESETS,
    },
    Kind {
        names: &["ip6tnl"],
        rows: &[tunnel::IPTUN, tunnel::IPTUN6],
        presets: tunnel::IPTUN6_PRESETS,
    },
    Kind { names: &["vti"], rows: &[tunnel::VTI, tunnel::VTI4], presets: tunnel::VTI4_PRESETS },
    Kind { names: &["vti6"], rows: &[tunnel::VTI, tunnel::VTI6], presets: tunnel::VTI6_PRESETS },
];

/// Whether a change of such a link sets what it does not say to what is usual, so that all that it
/// has must be said.
pub(super) fn is_replaced(kind: &str) -> bool {
    let row = KINDS.iter().find(|row| row.names.contains(&kind));
    row.is_some_and(|row| row.rows.len() > 1)
}

/// What there is before the first option is read.
#[derive(Clone, Copy)]
pub(super) enum Start<'a> {
    /// A new link.
    New,
    /// A link that is changed, if it is known.
    Existing(Option<&'a Link>),
}

/// Attributes by their number.
type Data = BTreeMap<u16, Vec<u8>>;

/// Reads the options of `kind` up to the end; `None` if there are none. What is in no table is
/// offered to `other`.
pub(super) fn data<'a, S: AsRef<str>>(
    kind: &str,
    start: Start<'_>,
    words: &mut Words<'a, S>,
    mut other: impl FnMut(&str, &mut Words<'a, S>) -> Result<bool, WordError>,
) -> Result<Option<Vec<u8>>, WordError> {
    let table = KINDS.iter().find(|row| row.names.contains(&kind));
    let mut data = Data::new();
    match (start, table) {
        (Start::New, Some(table)) if words.peek().is_some() => {
            data.extend(table.presets.iter().map(|(number, bytes)| (*number, bytes.to_vec())));
        }
        (Start::Existing(Some(link)), _) if is_replaced(kind) => {
            let info = link.info.as_ref().filter(|info| info.kind.as_ref() == Some(&kind.into()));
            let attrs = info.into_iter().flat_map(|info| info.data().flatten());
            data.extend(attrs.map(|attr| (attr.number(), attr.payload.to_vec())));
        }
        _ => {}
    }
    while let Some(word) = words.next() {
        if other(word, words)? {
            continue;
        }
        let mut rows = table.into_iter().flat_map(|table| table.rows.iter().copied().flatten());
        let Some(row) = rows.find(|row| row.0 == word) else {
            let text = format!(
                "{}: unknown command \"{}\"?",
                escaped(kind.strip_suffix("_slave").unwrap_or(kind)),
                escaped(word)
            );
            return Err(WordError { text, code: 255 });
        };
        option(row, words, &mut data)?;
    }
    tunnel::finish(kind, &mut data);
    let mut bytes = Vec::new();
    let mut writer = Writer::attributes(&mut bytes);
    for (number, payload) in &data {
        writer.bytes(*number, payload).map_err(|_| wrong(kind, "options are too long"))?;
    }
    Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
}

fn flags32(data: &mut Data, number: u16, change: impl FnOnce(u32) -> u32) {
    let old = data.get(&number).and_then(|bytes| bytes.first_chunk()).copied();
    data.insert(number, change(u32::from_ne_bytes(old.unwrap_or_default())).to_ne_bytes().into());
}

fn set_or_clear(bits: u32, on: bool) -> impl FnOnce(u32) -> u32 {
    move |old| if on { old | bits } else { old & !bits }
}

/// Flags and the mask of those that are meant.
fn masked(data: &mut Data, number: u16, bits: u32, on: bool) {
    let old = data.entry(number).or_insert_with(|| [0; 8].into());
    let (flags, mask) = old.split_at(4);
    let read = |bytes: &[u8]| u32::from_ne_bytes(bytes.first_chunk().copied().unwrap_or_default());
    let flags = set_or_clear(bits, on)(read(flags));
    let mask = read(mask) | bits;
    *old = [flags, mask].into_iter().flat_map(u32::to_ne_bytes).collect();
}

/// The position of a word, or the number that it is.
fn choice(choices: &[&str], word: &str) -> Option<u32> {
    let named = choices.iter().position(|choice| !choice.is_empty() && *choice == word);
    named.and_then(|index| u32::try_from(index).ok()).or_else(|| {
        parse_number(word)
            .filter(|index| usize::try_from(*index).is_ok_and(|index| index < choices.len()))
    })
}

fn option<S: AsRef<str>>(
    &(key, number, value): &Row,
    words: &mut Words<'_, S>,
    data: &mut Data,
) -> Result<(), WordError> {
    let reason = format!("invalid {key}");
    let bytes: Vec<u8> = match value {
        Value::U8 => words.number(255, &reason)?.to_le_bytes()[..1].into(),
        Value::U16 => words.port(&reason)?.to_ne_bytes().into(),
        Value::U64 => u64::from(words.number(u32::MAX, &reason)?).to_ne_bytes().into(),
        Value::U32Be => words.number(u32::MAX, &reason)?.to_be_bytes().into(),
        Value::U32Or(zero) if words.peek() == Some(zero) => {
            words.next();
            [0; 4].into()
        }
        Value::U32 | Value::U32Or(_) => words.number(u32::MAX, &reason)?.to_ne_bytes().into(),
        Value::I32 => {
            let word = words.value()?;
            let number: i32 = word.parse().map_err(|_| wrong(word, &reason))?;
            number.to_ne_bytes().into()
        }
        Value::OnOff => [u8::from(on_off(words, &reason)?)].into(),
        Value::Byte(byte) => [byte].into(),
        Value::Long(number) => number.to_ne_bytes().into(),
        Value::Flag => Vec::new(),
        Value::Word(choices) | Value::Word16(choices) | Value::Word32(choices) => {
            let word = words.value()?;
            let found = choice(choices, word).ok_or_else(|| wrong(word, &reason))?;
            match value {
                Value::Word(_) => found.to_le_bytes()[..1].into(),
                Value::Word16(_) => u16::try_from(found).unwrap_or(0).to_ne_bytes().into(),
                _ => found.to_ne_bytes().into(),
            }
        }
        Value::Choice(choices) => [chosen(words, choices, &reason)?].into(),
        Value::Choice16(choices) => chosen(words, choices, &reason)?.to_ne_bytes().into(),
        Value::Link => words.link()?.to_ne_bytes().into(),
        Value::Ip(other) => {
            let address = words.address(AddressFamily::UNSPEC)?;
            let number = if address.is_ipv4() { number } else { other };
            data.insert(number, octets(address));
            return Ok(());
        }
        Value::Ipv4 => octets(words.address(AddressFamily::INET)?),
        Value::Ipv6 => octets(words.address(AddressFamily::INET6)?),
        Value::List(family) => {
            let mut bytes = Vec::new();
            let mut writer = Writer::attributes(&mut bytes);
            for (index, word) in (0_u16..16).zip(words.next().unwrap_or_default().split(',')) {
                if !word.is_empty() {
                    writer.ip(index, super::address(word, family)?);
                }
            }
            bytes
        }
        Value::LinkAddress => super::neighbour::link_address(words.value()?)?,
        Value::VlanProtocol => {
            let word = words.value()?;
            let protocol: u16 = match word.to_ascii_lowercase().as_str() {
                "802.1q" => 0x8100,
                "802.1ad" => 0x88a8,
                _ => return Err(wrong(word, "protocol is invalid")),
            };
            protocol.to_be_bytes().into()
        }
        Value::Priorities => priorities(words, &reason)?,
        Value::Inherit(inherited) => [byte_or(words, &[("inherit", inherited)], &reason)?].into(),
        Value::Lifetime(other, payload) => {
            if words.peek() == Some("inherit") {
                words.next();
                data.insert(other, payload.into());
                return Ok(());
            }
            [byte_or(words, &[("auto", 0)], &reason)?].into()
        }
        Value::Tos => match words.peek() {
            Some("inherit") => {
                words.next();
                [1].into()
            }
            _ => [words.tos("bad TOS value")?].into(),
        },
        Value::PortRange => {
            [words.port("min port")?.to_be_bytes(), words.port("max port")?.to_be_bytes()].concat()
        }
        Value::Port if words.peek() == Some("auto") => {
            words.next();
            [0; 2].into()
        }
        Value::U16Be | Value::Port => words.port(&reason)?.to_be_bytes().into(),
        Value::Table => words.named(NameKind::Table, "invalid table ID")?.to_ne_bytes().into(),
        Value::Key | Value::Keys(_) => {
            let word = words.value()?;
            let dotted = word.parse().map(Ipv4Addr::to_bits).ok();
            let bits = dotted.or_else(|| parse_number(word)).ok_or_else(|| wrong(word, &reason))?;
            if let Value::Keys(other) = value {
                data.insert(other, bits.to_be_bytes().into());
            }
            bits.to_be_bytes().into()
        }
        Value::BitsBe(other, bits) => {
            for number in [number, other] {
                let old = data.get(&number).and_then(|bytes| bytes.first_chunk()).copied();
                let new = u16::from_be_bytes(old.unwrap_or_default()) | bits;
                data.insert(number, new.to_be_bytes().into());
            }
            return Ok(());
        }
        Value::Bit16(bits, on) => {
            let old = data.get(&number).and_then(|bytes| bytes.first_chunk()).copied();
            let old = u16::from_ne_bytes(old.unwrap_or_default());
            (if on { old | bits } else { old & !bits }).to_ne_bytes().into()
        }
        Value::Bit32(bits, on) => {
            flags32(data, number, set_or_clear(bits, on));
            return Ok(());
        }
        Value::Masked(bits) => {
            let on = on_off(words, &reason)?;
            masked(data, number, bits, on);
            return Ok(());
        }
        Value::MaskedNumber(bits) => {
            let on = words.number(255, &reason)? != 0;
            masked(data, number, bits, on);
            return Ok(());
        }
        Value::Flow(mask, shift, flags, inherited) => {
            let word = words.value()?;
            let inherit = word == "inherit";
            let digits = word.trim_start_matches("0x");
            let part = u32::from_str_radix(if inherit { "0" } else { digits }, 16);
            let part = part.ok().filter(|part| *part <= mask >> shift);
            let part = part.ok_or_else(|| wrong(word, &reason))?;
            flags32(data, flags, set_or_clear(inherited, inherit));
            let old = data.get(&number).and_then(|bytes| bytes.first_chunk()).copied();
            let old = u32::from_be_bytes(old.unwrap_or_default());
            (old & !mask | part << shift).to_be_bytes().into()
        }
        Value::Unless(other, flags, bit) => {
            let instead = words.peek() == Some(other);
            flags32(data, flags, set_or_clear(bit, instead));
            if instead {
                words.next();
                if other == "inherit" {
                    data.insert(number, [0; 4].into());
                }
                return Ok(());
            }
            if other == "inherit" {
                words.number(u32::MAX, &reason)?.to_ne_bytes().into()
            } else {
                words.number(255, &reason)?.to_le_bytes()[..1].into()
            }
        }
        Value::Inherited(bit) => {
            let word = words.value()?;
            if word != "inherit" {
                return Err(wrong(word, "not inherit"));
            }
            flags32(data, number, set_or_clear(bit, true));
            return Ok(());
        }
        Value::Prefix(family, length) => {
            let prefix = words.prefix(family)?;
            data.insert(length, u16::from(prefix.length).to_ne_bytes().into());
            octets(prefix.address)
        }
        Value::Reset => {
            tunnel::reset(data);
            return Ok(());
        }
        Value::Sources => return sources(words, data),
    };
    data.insert(number, bytes);
    Ok(())
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().into(),
        IpAddr::V6(address) => address.octets().into(),
    }
}

fn on_off<S: AsRef<str>>(words: &mut Words<'_, S>, reason: &str) -> Result<bool, WordError> {
    let word = words.value()?;
    match word {
        "on" | "1" => Ok(true),
        "off" | "0" => Ok(false),
        _ => Err(wrong(word, reason)),
    }
}

fn chosen<S: AsRef<str>, T: Copy>(
    words: &mut Words<'_, S>,
    choices: &[(&str, T)],
    reason: &str,
) -> Result<T, WordError> {
    let word = words.value()?;
    let found = choices.iter().find(|row| row.0 == word);
    found.map(|row| row.1).ok_or_else(|| wrong(word, reason))
}

/// A number of one byte, or one of some words.
fn byte_or<S: AsRef<str>>(
    words: &mut Words<'_, S>,
    named: &[(&str, u8)],
    reason: &str,
) -> Result<u8, WordError> {
    let word = words.value()?;
    let found = named.iter().find(|row| row.0 == word).map(|row| row.1);
    let number = || parse_number(word).and_then(|number| u8::try_from(number).ok());
    found.or_else(number).ok_or_else(|| wrong(word, reason))
}

/// `FROM:TO` as often as it comes.
fn priorities<S: AsRef<str>>(words: &mut Words<'_, S>, reason: &str) -> Result<Vec<u8>, WordError> {
    let mut bytes = Vec::new();
    let mut writer = Writer::attributes(&mut bytes);
    while let Some((from, to)) = words.peek().and_then(|word| word.split_once(':')) {
        let word = words.value()?;
        let (Some(from), Some(to)) = (parse_number(from), parse_number(to)) else {
            return Err(wrong(word, reason));
        };
        let pair: Vec<u8> = [from, to].into_iter().flat_map(u32::to_ne_bytes).collect();
        writer.bytes(IFLA_VLAN_QOS_MAPPING, &pair).map_err(|_| wrong(word, reason))?;
    }
    if bytes.is_empty() {
        let word = words.value()?;
        return Err(wrong(word, reason));
    }
    Ok(bytes)
}

/// `macaddr add|del ADDRESS`, `macaddr set ADDRESS…`, `macaddr flush`.
fn sources<S: AsRef<str>>(words: &mut Words<'_, S>, data: &mut Data) -> Result<(), WordError> {
    use crate::tables::kind::{IFLA_MACVLAN_MACADDR_DATA, IFLA_MACVLAN_MACADDR_MODE};
    let mode = chosen(
        words,
        &[("add", 0_u32), ("del", 1), ("flush", 2), ("set", 3)],
        "invalid macaddr mode",
    )?;
    data.insert(IFLA_MACVLAN_MACADDR_MODE, mode.to_ne_bytes().into());
    match mode {
        0 | 1 => {
            let address = super::neighbour::link_address(words.value()?)?;
            data.insert(IFLA_MACVLAN_MACADDR, address);
        }
        3 => {
            let mut bytes = Vec::new();
            let mut writer = Writer::attributes(&mut bytes);
            while let Some(word) = words.peek().filter(|word| word.contains(':')) {
                let address = super::neighbour::link_address(word)?;
                let written = writer.bytes(IFLA_MACVLAN_MACADDR, &address);
                written.map_err(|_| wrong(word, "invalid macaddr"))?;
                words.next();
            }
            data.insert(IFLA_MACVLAN_MACADDR_DATA, bytes);
        }
        _ => {}
    }
    Ok(())
}
