//! Options to a filter of events.

use alloc::vec::Vec;
use core::net::IpAddr;

use nl_wire::prefix::Prefix;
use nl_wire::value::AddressFamily;

use super::Options;
use super::options::Nat;
use crate::event_filter::{End, EventFilter};
use crate::protocol_info::ProtocolInfo;
use crate::request::Masked;
use crate::value::Status;

impl Options {
    /// The events that are meant, as far as the kernel can tell them from others; to be compiled and
    /// attached to the socket of `-E`.
    ///
    /// What [`Options::matches`] takes of all that a kernel sends passes, but so may some more:
    /// labels, fields of ICMP and masks with gaps are not part of it. So look at what arrives again.
    ///
    /// ```
    /// use nl_conntrack::event_filter::{End, EventFilter};
    /// use nl_conntrack::IpProtocol;
    /// use nl_conntrack::parse::{Line, words};
    ///
    /// let line = Line::parse(words("-E -p udp --dport 53")?, None)?;
    /// let dns = EventFilter::Protocol(IpProtocol::UDP)
    ///     & EventFilter::port(End::OriginalDestination, 53);
    /// assert_eq!(line.options.event_filter(), dns);
    /// # Ok::<(), nl_conntrack::parse::ParseError>(())
    /// ```
    pub fn event_filter(&self) -> EventFilter {
        let mut all = Vec::new();
        if self.family != AddressFamily::UNSPEC {
            all.push(EventFilter::Family(self.family));
        }
        all.extend(self.protocol.map(EventFilter::Protocol));
        let masks = self.masks.iter().chain(&[None, None]);
        all.extend(self.addresses.iter().zip(masks).zip(End::ALL).filter_map(
            |((address, mask), end)| Some(EventFilter::Address(end, prefix((*address)?, *mask)?)),
        ));
        let ports = self.ports.iter().chain(&self.reply_ports);
        all.extend(
            ports.zip(End::ALL).filter_map(|(port, end)| Some(EventFilter::port(end, (*port)?))),
        );
        all.extend(self.state.and_then(|info| match info {
            ProtocolInfo::Tcp(tcp) => tcp.state.map(EventFilter::TcpState),
            ProtocolInfo::Sctp(sctp) => sctp.state.map(EventFilter::SctpState),
            ProtocolInfo::Dccp(dccp) => dccp.state.map(EventFilter::DccpState),
        }));
        all.extend(self.mark.map(EventFilter::Mark));
        // 0 of one kind says nothing of the others: what has a zone of one direction has none of both.
        let zones = [self.zone, self.zones[0], self.zones[1]].into_iter().flatten();
        all.extend(zones.filter(|zone| *zone != 0).map(EventFilter::Zone));
        let source = |nat: Nat| nat.event_filter(Status::SRC_NAT, End::ReplyDestination);
        let destination = |nat: Nat| nat.event_filter(Status::DST_NAT, End::ReplySource);
        all.extend(self.source_nat.map(source));
        all.extend(self.destination_nat.map(destination));
        all.extend(self.any_nat.map(|nat| source(nat) | destination(nat)));
        EventFilter::All(all)
    }
}

impl Options {
    /// Only what tells flows apart as long as they live: families, tuples, zones, translations, ids.
    ///
    /// Whoever keeps a table by events can leave out what this leaves out. Of marks, states, bits of
    /// the status, labels and timeouts the table must hear, or flows that are chosen by them are
    /// neither found nor forgotten.
    ///
    /// ```
    /// use nl_conntrack::parse::{Line, words};
    ///
    /// let line = Line::parse(words("-E -p tcp --dport 22 --state ESTABLISHED -m 5")?, None)?;
    /// let ssh = Line::parse(words("-E -p tcp --dport 22")?, None)?;
    /// assert_eq!(line.options.lasting().event_filter(), ssh.options.event_filter());
    /// # Ok::<(), nl_conntrack::parse::ParseError>(())
    /// ```
    #[must_use]
    pub fn lasting(&self) -> Self {
        let mut lasting = self.clone();
        (lasting.mark, lasting.status, lasting.state) = (None, None, None);
        (lasting.secmark, lasting.timeout, lasting.zero) = (None, None, false);
        lasting.labels.clear();
        lasting
    }
}

impl Nat {
    /// Where a translation that changed something put this address or port.
    fn event_filter(self, changed: Status, end: End) -> EventFilter {
        let mut all = Vec::from([EventFilter::Status(Masked::all(changed))]);
        all.extend(self.address.map(|address| EventFilter::address(end, Prefix::host(address))));
        all.extend(self.port.map(|port| EventFilter::port(end, port)));
        EventFilter::All(all)
    }
}

/// An address under a mask, if that has ones and then zeros only.
fn prefix(address: IpAddr, mask: Option<IpAddr>) -> Option<Prefix> {
    let Some(mask) = mask else { return Some(Prefix::host(address)) };
    let (bits, ones, zeros) = match mask {
        IpAddr::V4(mask) => {
            let mask = u32::from(mask);
            (u32::BITS, mask.leading_ones(), mask.trailing_zeros())
        }
        IpAddr::V6(mask) => {
            let mask = u128::from(mask);
            (u128::BITS, mask.leading_ones(), mask.trailing_zeros())
        }
    };
    let length = u8::try_from(ones).ok().filter(|_| ones + zeros == bits)?;
    Prefix::new(address, length)
}
