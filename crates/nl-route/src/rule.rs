//! Routing rules: `struct fib_rule_hdr` and `FRA_*` (linux/fib_rules.h).

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use nl_wire::attr::{Attr, Attrs};
use nl_wire::error::{Error, Problem};
use nl_wire::table::Protocol;
use nl_wire::text::Text;
use nl_wire::value::AddressFamily;
use nl_wire::{Message, RawAttr, Writer};

use crate::object::{Action, Object};
use crate::prefix::Prefix;
use crate::route::{Realms, has_ip, prefix, zeros};
use crate::tables::other::{
    FRA, FRA_DPORT_MASK, FRA_DPORT_RANGE, FRA_DSCP, FRA_DSCP_MASK, FRA_DST, FRA_FLOW,
    FRA_FLOWLABEL, FRA_FLOWLABEL_MASK, FRA_FWMARK, FRA_FWMASK, FRA_GOTO, FRA_IIFNAME, FRA_IP_PROTO,
    FRA_L3MDEV, FRA_OIFNAME, FRA_PRIORITY, FRA_PROTOCOL, FRA_SPORT_MASK, FRA_SPORT_RANGE, FRA_SRC,
    FRA_SUPPRESS_IFGROUP, FRA_SUPPRESS_PREFIXLEN, FRA_TABLE, FRA_TUN_ID, FRA_UID_RANGE,
};
use crate::tables::{RTM_DELRULE, RTM_GETRULE, RTM_NEWRULE, RULES};
use crate::value::{RouteProtocol, RuleAction, RuleFlags, TableId};

mod filter;
mod made;

pub use filter::RuleFilter;
pub use made::MakeRule;

/// Length of `struct fib_rule_hdr` in bytes.
const FIB_RULE_HDR_LEN: usize = 12;

/// `FRA_SUPPRESS_PREFIXLEN` where no route is passed over for its length.
const NO_SUPPRESSION: u32 = u32::MAX;

/// A rule of the routing policy: which packets look into which table.
///
/// The default is a rule of which nothing is said: made so, it sends all packets to the main table,
/// as ip does; deleted so, it is the first of its family.
///
/// Linux before 6.12 ignores what it does not know, without a word: a rule with a code point, a flow
/// label or a mask of ports then matches more than it says. [`MakeRule`] tells what was made, and
/// [`Rule::missing_in`] what is missing.
///
/// What is `None` is not asked for: a prefix that could not be read must not become one (`.ok()`), or
/// the rule is for all packets.
///
/// ```
/// use nl_route::{Rule, TableId, request::Change};
///
/// let rule = Rule {
///     source: Some("10.0.0.0/8".parse()?),
///     destination_ports: Some(8000..=8999),
///     table: TableId(100),
///     priority: Some(1000),
///     ..Rule::default()
/// };
/// let request = Change::add(rule);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Rule {
    /// The address family; where it is `UNSPEC` a request takes that of the prefixes, else IPv4.
    pub family: AddressFamily,
    /// Where packets go to; `None` is anywhere.
    pub destination: Option<Prefix>,
    /// Where packets come from; `None` is anywhere.
    pub source: Option<Prefix>,
    /// The type of service that packets must have; 0 is any.
    pub tos: u8,
    /// The table to look into: `FRA_TABLE`, or without it the header's byte. Where it is `UNSPEC`
    /// a rule to be made looks into the main one.
    pub table: TableId,
    /// What is done with the packets. Where it is `UNSPEC` a rule to be made looks into its table,
    /// or goes to the rule that [`Rule::goto`] names.
    pub action: RuleAction,
    /// Its flags. Requests say `INVERT` only, the others are the kernel's.
    pub flags: RuleFlags,
    /// The preference: rules with lower ones come first. A rule that is made without gets one below
    /// those that are there; one that was read without has 0.
    pub priority: Option<u32>,
    /// The name of the link that packets come in by; `lo` is this host.
    pub iif: Option<Text>,
    /// The name of the link that packets leave by, where a socket is bound to one.
    pub oif: Option<Text>,
    /// The preference of the rule to go on with.
    pub goto: Option<u32>,
    /// The firewall mark.
    pub fwmark: Option<u32>,
    /// Which bits of the mark count.
    pub fwmask: Option<u32>,
    /// The realms that packets get.
    pub realms: Option<Realms>,
    /// The id of the tunnel that packets come through.
    pub tun_id: Option<u64>,
    /// Routes over links of this group are passed over.
    pub suppress_ifgroup: Option<u32>,
    /// Routes with prefixes of this length or less are passed over.
    pub suppress_prefix_length: Option<u32>,
    /// The table is that of the VRF which the packet belongs to.
    pub l3mdev: bool,
    /// The users whose packets are meant.
    pub uid_range: Option<RangeInclusive<u32>>,
    /// Who made the rule.
    pub protocol: Option<RouteProtocol>,
    /// The transport protocol.
    pub ip_proto: Option<u8>,
    /// The source ports.
    pub source_ports: Option<RangeInclusive<u16>>,
    /// The destination ports.
    pub destination_ports: Option<RangeInclusive<u16>>,
    /// Which bits of the source port count, where there is one only.
    pub source_port_mask: Option<u16>,
    /// Which bits of the destination port count, where there is one only.
    pub destination_port_mask: Option<u16>,
    /// The differentiated services code point, all 6 bits of it.
    pub dscp: Option<u8>,
    /// Which bits of the code point count.
    pub dscp_mask: Option<u8>,
    /// The IPv6 flow label.
    pub flow_label: Option<u32>,
    /// Which bits of the flow label count.
    pub flow_label_mask: Option<u32>,
    /// Attributes that this crate does not know, in order.
    pub unknown: Vec<RawAttr>,
}

impl Rule {
    /// Reads an `RTM_NEWRULE`, `RTM_DELRULE` or `RTM_GETRULE`.
    ///
    /// # Errors
    /// [`Problem::MessageType`] for any other message; else what is wrong with the bytes, and
    /// where.
    pub fn decode(message: &Message<'_>) -> Result<Self, Error> {
        match message.header.message_type {
            RTM_NEWRULE | RTM_DELRULE | RTM_GETRULE => {}
            found => return Err(Problem::MessageType { found }.into()),
        }
        Self::decode_body(message.body()).map_err(|error| error.in_table(&FRA))
    }

    fn decode_body(body: &[u8]) -> Result<Self, Error> {
        let (_, mut attrs) = Attrs::behind(body, FIB_RULE_HDR_LEN)?;
        let Some(&[family, dst_len, src_len, tos, table, _, _, action, f0, f1, f2, f3]) =
            body.first_chunk::<FIB_RULE_HDR_LEN>()
        else {
            let actual = body.len();
            return Err(Problem::FixedHeader { expected: FIB_RULE_HDR_LEN, actual }.into());
        };
        let family = AddressFamily(family);
        let mut rule = Self {
            family,
            tos,
            table: TableId(table.into()),
            action: RuleAction(action),
            flags: RuleFlags(u32::from_ne_bytes([f0, f1, f2, f3])),
            ..Self::default()
        };
        while let Some(attr) = attrs.step() {
            rule.read(&attr, dst_len, src_len)?;
        }
        attrs.finish()?;
        // A length alone means that many zero bits.
        if dst_len != 0 && rule.destination.is_none() {
            rule.destination = zeros(family, dst_len, FRA_DST)?;
        }
        if src_len != 0 && rule.source.is_none() {
            rule.source = zeros(family, src_len, FRA_SRC)?;
        }
        Ok(rule)
    }

    fn read(&mut self, attr: &Attr<'_>, dst_len: u8, src_len: u8) -> Result<(), Error> {
        match attr.number() {
            FRA_DST if has_ip(self.family) => self.destination = Some(prefix(attr, dst_len)?),
            FRA_SRC if has_ip(self.family) => self.source = Some(prefix(attr, src_len)?),
            FRA_IIFNAME => self.iif = Some(attr.text().into()),
            FRA_OIFNAME => self.oif = Some(attr.text().into()),
            FRA_GOTO => self.goto = Some(attr.u32()?),
            FRA_PRIORITY => self.priority = Some(attr.u32()?),
            FRA_FWMARK => self.fwmark = Some(attr.u32()?),
            FRA_FWMASK => self.fwmask = Some(attr.u32()?),
            FRA_FLOW => self.realms = Some(attr.u32()?.into()),
            FRA_TUN_ID => self.tun_id = Some(attr.u64_be()?),
            FRA_SUPPRESS_IFGROUP => self.suppress_ifgroup = Some(attr.u32()?),
            FRA_SUPPRESS_PREFIXLEN => {
                let length = attr.u32()?;
                self.suppress_prefix_length = Some(length).filter(|it| *it != NO_SUPPRESSION);
            }
            FRA_TABLE => self.table = TableId(attr.u32()?),
            FRA_L3MDEV => self.l3mdev = attr.u8()? != 0,
            FRA_UID_RANGE => {
                let [s0, s1, s2, s3, e0, e1, e2, e3] = attr.array::<8>()?;
                let start = u32::from_ne_bytes([s0, s1, s2, s3]);
                self.uid_range = Some(start..=u32::from_ne_bytes([e0, e1, e2, e3]));
            }
            FRA_PROTOCOL => self.protocol = Some(RouteProtocol(attr.u8()?)),
            FRA_IP_PROTO => self.ip_proto = Some(attr.u8()?),
            FRA_SPORT_RANGE => self.source_ports = Some(ports(attr)?),
            FRA_DPORT_RANGE => self.destination_ports = Some(ports(attr)?),
            FRA_SPORT_MASK => self.source_port_mask = Some(attr.u16()?),
            FRA_DPORT_MASK => self.destination_port_mask = Some(attr.u16()?),
            FRA_DSCP => self.dscp = Some(attr.u8()?),
            FRA_DSCP_MASK => self.dscp_mask = Some(attr.u8()?),
            FRA_FLOWLABEL => self.flow_label = Some(attr.u32_be()?),
            FRA_FLOWLABEL_MASK => self.flow_label_mask = Some(attr.u32_be()?),
            _ => self.unknown.push((*attr).into()),
        }
        Ok(())
    }

    /// Writes `struct fib_rule_hdr` and all attributes, as the kernel orders them.
    ///
    /// # Errors
    /// If an attribute is too long, or a name holds a NUL.
    pub fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&self.header(self.family, self.table, self.action, self.flags));
        writer.u32(FRA_TABLE, self.table.0);
        writer.u32(FRA_SUPPRESS_PREFIXLEN, self.suppress_prefix_length.unwrap_or(NO_SUPPRESSION));
        self.write(writer)
    }

    fn header(
        &self,
        AddressFamily(family): AddressFamily,
        table: TableId,
        action: RuleAction,
        flags: RuleFlags,
    ) -> [u8; FIB_RULE_HDR_LEN] {
        let [f0, f1, f2, f3] = flags.0.to_ne_bytes();
        let length = |prefix: Option<Prefix>| prefix.map_or(0, |prefix| prefix.length);
        let [dst_len, src_len] = [self.destination, self.source].map(length);
        let TableId(compat) = TableId::COMPAT;
        let table = u8::try_from(table.0).unwrap_or(compat.to_le_bytes()[0]);
        [family, dst_len, src_len, self.tos, table, 0, 0, action.0, f0, f1, f2, f3]
    }

    /// Writes the attributes behind the first ones.
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        if let Some(protocol) = self.protocol {
            writer.u8(FRA_PROTOCOL, protocol.0);
        }
        for (number, name) in [(FRA_IIFNAME, &self.iif), (FRA_OIFNAME, &self.oif)] {
            if let Some(name) = name {
                writer.text(number, name.as_bytes())?;
            }
        }
        let numbers = [
            (FRA_PRIORITY, self.priority),
            (FRA_FWMARK, self.fwmark),
            (FRA_FWMASK, self.fwmask),
            (FRA_GOTO, self.goto),
        ];
        for (number, value) in numbers {
            if let Some(value) = value {
                writer.u32(number, value);
            }
        }
        if let Some(id) = self.tun_id {
            writer.u64_be(FRA_TUN_ID, id);
        }
        if self.l3mdev {
            writer.u8(FRA_L3MDEV, 1);
        }
        if let Some(range) = &self.uid_range {
            let ends = [range.start().to_ne_bytes(), range.end().to_ne_bytes()];
            writer.bytes(FRA_UID_RANGE, ends.as_flattened())?;
        }
        let ports = [
            (FRA_SPORT_RANGE, &self.source_ports, FRA_SPORT_MASK, self.source_port_mask),
            (FRA_DPORT_RANGE, &self.destination_ports, FRA_DPORT_MASK, self.destination_port_mask),
        ];
        for (number, range, mask_number, mask) in ports {
            if let Some(range) = range {
                let ends = [range.start().to_ne_bytes(), range.end().to_ne_bytes()];
                writer.bytes(number, ends.as_flattened())?;
            }
            if let Some(mask) = mask {
                writer.u16(mask_number, mask);
            }
        }
        if let Some(protocol) = self.ip_proto {
            writer.u8(FRA_IP_PROTO, protocol);
        }
        if let Some(group) = self.suppress_ifgroup {
            writer.u32(FRA_SUPPRESS_IFGROUP, group);
        }
        for (number, value) in [(FRA_DSCP, self.dscp), (FRA_DSCP_MASK, self.dscp_mask)] {
            if let Some(value) = value {
                writer.u8(number, value);
            }
        }
        let labels = [(FRA_FLOWLABEL, self.flow_label), (FRA_FLOWLABEL_MASK, self.flow_label_mask)];
        for (number, value) in labels {
            if let Some(value) = value {
                writer.u32_be(number, value);
            }
        }
        for (number, prefix) in [(FRA_DST, self.destination), (FRA_SRC, self.source)] {
            if let Some(prefix) = prefix {
                writer.ip(number, prefix.address);
            }
        }
        if let Some(realms) = self.realms {
            writer.u32(FRA_FLOW, realms.into());
        }
        self.unknown.iter().try_for_each(|attr| writer.attr(&attr.as_attr()))
    }

    /// The family, or where it is `UNSPEC` that of the prefixes; without any, IPv4.
    pub fn known_family(&self) -> AddressFamily {
        if self.family != AddressFamily::UNSPEC {
            return self.family;
        }
        let prefix = self.source.or(self.destination);
        prefix.map_or(AddressFamily::INET, |prefix| AddressFamily::of(prefix.address))
    }

    /// Whether it is for the packets that it does not describe.
    pub const fn is_inverted(&self) -> bool {
        self.flags.contains(RuleFlags::INVERT)
    }
}

fn ports(attr: &Attr<'_>) -> Result<RangeInclusive<u16>, Error> {
    let [s0, s1, e0, e1] = attr.array::<4>()?;
    Ok(u16::from_ne_bytes([s0, s1])..=u16::from_ne_bytes([e0, e1]))
}

impl Object for Rule {
    type Filter = RuleFilter;
    const PROTOCOL: &'static Protocol = &RULES;
    const NEW: u16 = RTM_NEWRULE;
    const DELETE: u16 = RTM_DELRULE;
    /// Rules can be listed only: one alone is the kernel's `EOPNOTSUPP`.
    const GET: u16 = RTM_GETRULE;

    fn decode(message: &Message<'_>) -> Result<Self, Error> {
        Self::decode(message)
    }

    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.encode(writer)
    }

    /// Where a rule is deleted, only what is given counts.
    fn encode_change(&self, change: Action, writer: &mut Writer<'_>) -> Result<(), Error> {
        let make = change != Action::Delete;
        let action = match self.action {
            RuleAction::UNSPEC if make && self.goto.is_some() => RuleAction::GOTO,
            RuleAction::UNSPEC if make => RuleAction::TO_TBL,
            action => action,
        };
        let open = self.table == TableId::UNSPEC;
        let table = if make && open && action == RuleAction::TO_TBL && !self.l3mdev {
            TableId::MAIN
        } else {
            self.table
        };
        let flags = RuleFlags(self.flags.0 & RuleFlags::INVERT.0);
        writer.fixed(&self.header(self.known_family(), table, action, flags));
        if table != TableId::UNSPEC {
            writer.u32(FRA_TABLE, table.0);
        }
        if let Some(length) = self.suppress_prefix_length {
            writer.u32(FRA_SUPPRESS_PREFIXLEN, length);
        }
        self.write(writer)
    }
}
