//! Which rules a list holds.

use core::ops::RangeInclusive;

use nl_wire::text::Text;
use nl_wire::value::AddressFamily;
use nl_wire::{Error, Writer};

use super::{FIB_RULE_HDR_LEN, Rule};
use crate::filter::{Filter, agrees, known};
use crate::prefix::Prefix;
use crate::value::{RouteProtocol, TableId};

/// Which rules; by default all of all families.
///
/// The kernel filters by family only, the rest is done here.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct RuleFilter {
    /// The family; `UNSPEC` is all.
    pub family: AddressFamily,
    /// The table.
    pub table: Option<TableId>,
    /// The preference; that of a rule without one is 0.
    pub priority: Option<u32>,
    /// What the source lies in.
    pub source_within: Option<Prefix>,
    /// What the destination lies in.
    pub within: Option<Prefix>,
    /// Only rules for the packets that they do not describe.
    pub inverted: bool,
    /// The type of service.
    pub tos: Option<u8>,
    /// The firewall mark; that of a rule without one is 0.
    pub fwmark: Option<u32>,
    /// Which bits of the mark count.
    pub fwmask: Option<u32>,
    /// The name of the link that packets come in by.
    pub iif: Option<Text>,
    /// The name of the link that packets leave by.
    pub oif: Option<Text>,
    /// Only rules with the table of the packet's VRF.
    pub l3mdev: bool,
    /// The users.
    pub uid_range: Option<RangeInclusive<u32>>,
    /// The transport protocol.
    pub ip_proto: Option<u8>,
    /// The source ports.
    pub source_ports: Option<RangeInclusive<u16>>,
    /// The destination ports.
    pub destination_ports: Option<RangeInclusive<u16>>,
    /// The id of the tunnel.
    pub tun_id: Option<u64>,
    /// Who made the rule.
    pub protocol: Option<RouteProtocol>,
}

/// Whether what a filter asks for, if it does, is there and the same.
fn has<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> bool {
    wanted.is_none() || wanted == found
}

impl Filter<Rule> for RuleFilter {
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        let mut header = [0; FIB_RULE_HDR_LEN];
        header[0] = self.family.0;
        writer.fixed(&header);
        Ok(())
    }

    fn admits(&self, rule: &Rule) -> bool {
        let lies = |wanted: Option<Prefix>, found: Option<Prefix>| {
            wanted.is_none_or(|wanted| match found {
                Some(found) => wanted.covers(&found),
                None => wanted.length == 0 && AddressFamily::of(wanted.address) == rule.family,
            })
        };
        agrees(known(self.family), &rule.family)
            && agrees(self.table, &rule.table)
            && agrees(self.priority, &rule.priority.unwrap_or(0))
            && lies(self.source_within, rule.source)
            && lies(self.within, rule.destination)
            && (!self.inverted || rule.is_inverted())
            && agrees(self.tos, &rule.tos)
            && agrees(self.fwmark, &rule.fwmark.unwrap_or(0))
            && agrees(self.fwmask, &rule.fwmask.unwrap_or(0))
            && has(self.iif.as_ref(), rule.iif.as_ref())
            && has(self.oif.as_ref(), rule.oif.as_ref())
            && (!self.l3mdev || rule.l3mdev)
            && has(self.uid_range.as_ref(), rule.uid_range.as_ref())
            && has(self.ip_proto.as_ref(), rule.ip_proto.as_ref())
            && has(self.source_ports.as_ref(), rule.source_ports.as_ref())
            && has(self.destination_ports.as_ref(), rule.destination_ports.as_ref())
            && has(self.tun_id.as_ref(), rule.tun_id.as_ref())
            && agrees(self.protocol, &rule.protocol.unwrap_or_default())
    }
}
