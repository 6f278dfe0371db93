//! What `ip -d link` prints of the kind of a link.

use core::fmt;

use nl_wire::attr::{Attr, Attrs};
use nl_wire::text::Colons;

use super::{Context, Out};
use crate::link::LinkInfo;

mod bridge;
mod listed;
mod other;
mod tunnel;

pub(crate) use listed::tunnel as listed_tunnel;

/// The attributes of a kind, of which the last of each number counts.
struct View<'a>(Attrs<'a>);

impl<'a> View<'a> {
    fn get(&self, number: u16) -> Option<Attr<'a>> {
        self.0.clone().flatten().filter(|attr| attr.number() == number).last()
    }

    /// A number in host byte order, as wide as the payload is; 0 if it is not there.
    fn number(&self, number: u16) -> u64 {
        self.get(number).map_or(0, |attr| host(&attr))
    }
}

/// How the value of an attribute is printed.
#[derive(Clone, Copy)]
enum How {
    /// A number of the attribute's own width.
    Number,
    /// The same with a sign.
    Signed,
    /// The same, but nothing where it is 0.
    NonZero,
    /// A number in network byte order.
    Port,
    /// A string of hexadecimal digits with `0x`, unless it is `0`.
    Hex,
    /// The same, but nothing where it is 0.
    HexNonZero,
    /// `true` or `false`; in text `on` or `off`.
    OnOff,
    /// `true` or `false`; in text the label, with `no` before it if it is off.
    Prefixed,
    /// `true` and the label, nothing where it is off.
    IfSet,
    /// One of these words; what has none is a number.
    Word(&'static [&'static str]),
    /// The same; what has none is this word.
    WordOr(&'static [&'static str], &'static str),
    /// A VLAN protocol.
    VlanProtocol,
    /// A time in hundredths of a second.
    Time,
    /// `prio.address` of a bridge.
    BridgeId,
    /// A link-layer address.
    LinkAddress,
    /// A link by its index, unless that is 0.
    Link,
    /// The same, `*` where it is 0.
    LinkOrAny,
    /// In its own way.
    With(fn(&mut Out<'_, '_>, &View<'_>)),
}

/// A row of a kind's table: the attribute, its key in JSON, its label in text.
type Row = (u16, &'static str, &'static str, How);

/// What prints the attributes of a kind.
#[derive(Clone, Copy)]
enum Printer {
    Rows(&'static [Row]),
    Function(fn(&mut Out<'_, '_>, &View<'_>, &Context<'_>)),
}

use Printer::{Function, Rows};

const KINDS: [(&str, Printer); 23] = [
    ("bridge", Rows(bridge::BRIDGE)),
    ("vlan", Function(other::vlan)),
    ("bond", Rows(other::BOND)),
    ("macvlan", Function(other::macvlan)),
    ("macvtap", Function(other::macvlan)),
    ("ipvlan", Function(other::ipvlan)),
    ("ipvtap", Function(other::ipvlan)),
    ("tun", Function(other::tun)),
    ("vrf", Rows(other::VRF)),
    ("netkit", Rows(other::NETKIT)),
    ("vxlan", Function(tunnel::vxlan)),
    ("geneve", Function(tunnel::geneve)),
    ("gre", Function(tunnel::gre)),
    ("gretap", Function(tunnel::gre)),
    ("erspan", Function(tunnel::gre)),
    ("ip6gre", Function(tunnel::gre6)),
    ("ip6gretap", Function(tunnel::gre6)),
    ("ip6erspan", Function(tunnel::gre6)),
    ("ipip", Function(tunnel::ipip)),
    ("sit", Function(tunnel::ipip)),
    ("ip6tnl", Function(tunnel::ip6tnl)),
    ("vti", Function(tunnel::vti)),
    ("vti6", Function(tunnel::vti)),
];

const MASTERS: [(&str, Printer); 3] = [
    ("bridge", Rows(bridge::BRIDGE_PORT)),
    ("bond", Rows(other::BOND_PORT)),
    ("vrf", Rows(other::VRF)),
];

/// Appends what a link of `kind` has of its own, if that kind has a table here.
pub(super) fn info_data(
    out: &mut Out<'_, '_>,
    kind: &[u8],
    info: &LinkInfo,
    context: &Context<'_>,
) {
    let attrs = info.raw_data.as_ref().map(|_| info.data());
    data(out, "info_data", (&KINDS, kind), attrs, context);
}

/// Appends what the master of `kind` keeps of its port.
pub(super) fn slave_data(
    out: &mut Out<'_, '_>,
    kind: &[u8],
    info: &LinkInfo,
    context: &Context<'_>,
) {
    let attrs = info.raw_slave_data.as_ref().map(|_| info.slave_data());
    data(out, "info_slave_data", (&MASTERS, kind), attrs, context);
}

fn data(
    out: &mut Out<'_, '_>,
    key: &str,
    (printers, kind): (&[(&str, Printer)], &[u8]),
    attrs: Option<Attrs<'_>>,
    context: &Context<'_>,
) {
    let Some((_, printer)) = printers.iter().find(|row| row.0.as_bytes() == kind) else { return };
    out.begin_object(key);
    if let Some(view) = attrs.map(View) {
        match printer {
            Rows(table) => rows(out, table, &view, context),
            Function(print) => print(out, &view, context),
        }
    }
    out.end_object();
}

fn rows(out: &mut Out<'_, '_>, rows: &[Row], view: &View<'_>, context: &Context<'_>) {
    for row in rows {
        if let Some(attr) = view.get(row.0) {
            field(out, row, view, &attr, context);
        }
    }
}

fn field(
    out: &mut Out<'_, '_>,
    &(_, key, label, how): &Row,
    view: &View<'_>,
    attr: &Attr<'_>,
    context: &Context<'_>,
) {
    let number = host(attr);
    let on = attr.payload.is_empty() || number != 0;
    match how {
        How::NonZero | How::HexNonZero | How::Link if number == 0 => {}
        How::IfSet if !on => {}
        How::Number | How::NonZero => out.number(key, label, number),
        How::Signed => out.number(key, label, attr.i32().unwrap_or(0)),
        How::Port => out.number(key, label, attr.u16_be().unwrap_or(0)),
        How::Hex if number == 0 => out.string(key, label, "0"),
        How::Hex | How::HexNonZero => out.string(key, label, format_args!("{number:#x}")),
        How::OnOff => {
            out.text(format_args!("{label}{} ", if on { "on" } else { "off" }));
            if !key.is_empty() {
                out.json(|json| json.field(key, on));
            }
        }
        How::Prefixed => {
            out.text(if on { "" } else { "no" });
            out.either(key, on, label, label);
        }
        How::IfSet => out.either(key, true, label, ""),
        How::Word(words) => match word(words, number) {
            Some(word) => out.string(key, label, word),
            None => out.string(key, label, format_args!("{number}")),
        },
        How::WordOr(words, other) => out.string(key, label, word(words, number).unwrap_or(other)),
        How::VlanProtocol => {
            let protocol = attr.u16_be().unwrap_or(0);
            out.string(key, label, VlanProtocol(protocol, context.names.is_numeric()));
        }
        How::Time => {
            let (seconds, rest) = (number / 100, number % 100);
            out.json(|json| {
                json.key(key);
                json.number(format_args!("{seconds}.{rest:02}"));
            });
            out.text(format_args!("{label}{seconds:>4}.{rest:02} "));
        }
        How::BridgeId => out.string(key, label, Id(attr.payload)),
        How::LinkAddress => out.string(key, label, Colons(attr.payload)),
        How::LinkOrAny if number == 0 => out.string(key, label, "*"),
        How::Link | How::LinkOrAny => {
            let index = u32::try_from(number).unwrap_or(0);
            out.string(key, label, context.names.link(index));
        }
        How::With(print) => print(out, view),
    }
}

fn word(words: &[&'static str], number: u64) -> Option<&'static str> {
    let word = usize::try_from(number).ok().and_then(|index| words.get(index));
    word.copied().filter(|word| !word.is_empty())
}

/// A number in host byte order, as wide as the payload is.
fn host(attr: &Attr<'_>) -> u64 {
    match attr.payload.len() {
        0 => Ok(0),
        1 => attr.u8().map(u64::from),
        2 | 3 => attr.u16().map(u64::from),
        4..=7 => attr.u32().map(u64::from),
        _ => attr.u64(),
    }
    .unwrap_or(0)
}

/// Two 32-bit numbers.
fn pair(attr: &Attr<'_>) -> Option<(u32, u32)> {
    let (first, rest) = attr.payload.split_first_chunk()?;
    Some((u32::from_ne_bytes(*first), u32::from_ne_bytes(*rest.first_chunk()?)))
}

/// A VLAN protocol as ip writes it, or its number.
pub(super) struct VlanProtocol(pub(super) u16, pub(super) bool);

words!(VlanProtocol Id<'_>);

impl fmt::Display for VlanProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0x8100 if !self.1 => f.write_str("802.1Q"),
            0x88a8 if !self.1 => f.write_str("802.1ad"),
            other => write!(f, "[{other}]"),
        }
    }
}

/// `struct ifla_bridge_id` as ip writes it: the address without leading zeros.
struct Id<'a>(&'a [u8]);

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((priority, address)) = self.0.split_first_chunk::<2>() else { return Ok(()) };
        write!(f, "{:x}.", u16::from_be_bytes(*priority))?;
        for (index, byte) in address.iter().take(6).enumerate() {
            write!(f, "{}{byte:x}", if index == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}
