//! Options to requests.

use core::net::IpAddr;

use super::options::Nat;
use super::{Command, Options, ParseError};
use crate::change::{Change, NatRange};
use crate::expect::Expectation;
use crate::extension::{LABEL_BITS, Labels};
use crate::flow::Flow;
use crate::protocol_info::ProtocolInfo;
use crate::request::Get;
use crate::tuple::{L4, Tuple};
use crate::value::{IpProtocol, Status};

impl Options {
    /// A tuple of these addresses and ports, the protocol being that of the options.
    fn tuple_of(&self, addresses: [Option<IpAddr>; 2], ports: [Option<u16>; 2]) -> Option<Tuple> {
        let [source, destination] = addresses;
        let protocol = self.protocol.unwrap_or_default();
        let l4 = match protocol {
            IpProtocol::ICMP | IpProtocol::ICMPV6 => L4::Icmp {
                id: self.icmp_id.unwrap_or_default(),
                kind: self.icmp_type.unwrap_or_default(),
                code: self.icmp_code.unwrap_or_default(),
            },
            _ if protocol.has_ports() => L4::Ports {
                source: ports[0].unwrap_or_default(),
                destination: ports[1].unwrap_or_default(),
            },
            _ => L4::None,
        };
        Some(Tuple::new(protocol, source?, destination?, l4))
    }

    /// The original direction: what is given of it, the rest by turning the reply direction round.
    fn original(&self) -> Result<Tuple, ParseError> {
        let [source, destination, reply_source, reply_destination] = self.addresses;
        let turned = |pair: [Option<u16>; 2], reply: [Option<u16>; 2]| match pair {
            [Some(_), Some(_)] => pair,
            [one, other] => [one.or(reply[1]), other.or(reply[0])],
        };
        let addresses = [source.or(reply_destination), destination.or(reply_source)];
        self.tuple_of(addresses, turned(self.ports, self.reply_ports))
            .ok_or_else(|| ParseError::new("you have to specify `--src' and `--dst'"))
    }

    /// The flow to create or add, and how its addresses are translated.
    ///
    /// The reply direction is the original one turned round, but for what is given of it. Where
    /// addresses are translated (`-n`, `-g`) the kernel works it out; ports given of the reply
    /// direction are then those to translate to, so that what `-o save` prints is made again.
    ///
    /// # Errors
    /// If an address is missing, which [`Line::parse`](super::Line::parse) has found before.
    pub fn create(&self, command: Command) -> Result<Change, ParseError> {
        let mut original = self.original()?;
        let mut reply = original.reversed();
        let [.., reply_source, reply_destination] = self.addresses;
        if let (Some(address), None) = (reply_source, self.destination_nat) {
            reply.source = address;
        }
        if let (Some(address), None) = (reply_destination, self.source_nat) {
            reply.destination = address;
        }
        if let L4::Ports { source, destination } = &mut reply.l4 {
            if let (Some(port), None) = (self.reply_ports[0], self.destination_nat) {
                *source = port;
            }
            if let (Some(port), None) = (self.reply_ports[1], self.source_nat) {
                *destination = port;
            }
        }
        let nat = |nat: Option<Nat>, reply: Option<u16>, own: Option<u16>| {
            let nat = nat?;
            let port = nat.port.or(reply.filter(|port| Some(*port) != own));
            let range = NatRange {
                addresses: nat.address.map(|address| address..=address),
                ports: port.map(|port| port..=port),
            };
            // To nothing it is not translated.
            Some(range).filter(|range| range.addresses.is_some() || range.ports.is_some())
        };
        let nat_source = nat(self.source_nat, self.reply_ports[1], original.source_port());
        let nat_destination =
            nat(self.destination_nat, self.reply_ports[0], original.destination_port());
        [original.zone, reply.zone] = self.zones;
        let flow = Flow {
            reply,
            timeout: self.timeout,
            mark: self.mark.map(|mark| mark.value),
            status: self.status.map(|status| status.value),
            protocol_info: self.state,
            zone: self.zone,
            labels: (!self.label_add.is_empty()).then(|| self.label_add.iter().copied().collect()),
            ..Flow::new(original)
        };
        let change =
            if command == Command::Add { Change::upsert(flow) } else { Change::create(flow) };
        Ok(Change { nat_source, nat_destination, ..change })
    }

    /// What finds the flow to get: its original direction, or its reply direction if only that is
    /// given.
    ///
    /// # Errors
    /// If an address is missing, which [`Line::parse`](super::Line::parse) has found before.
    pub fn get(&self) -> Result<Get, ParseError> {
        let [source, destination, reply_source, reply_destination] = self.addresses;
        let whole = |ports: [Option<u16>; 2]| {
            !self.protocol.is_some_and(IpProtocol::has_ports) || ports.iter().all(Option::is_some)
        };
        let original = self.tuple_of([source, destination], self.ports);
        let reply = self.tuple_of([reply_source, reply_destination], self.reply_ports);
        match (original.filter(|_| whole(self.ports)), reply.filter(|_| whole(self.reply_ports))) {
            (None, Some(reply)) => Ok(Get::reply(reply)),
            (Some(original), _) => Ok(Get::original(original)),
            (None, None) => Ok(Get::original(self.original()?)),
        }
    }

    /// The change that `-U` makes to a flow that was listed.
    pub fn update(&self, flow: &Flow) -> Change {
        let all = || (0..LABEL_BITS).collect::<Labels>();
        let (labels, labels_mask) = match &self.label_del {
            Some(bits) if bits.is_empty() => (Some(Labels::from_iter([])), Some(all())),
            Some(bits) => (Some(Labels::from_iter([])), Some(bits.iter().copied().collect())),
            None if self.label_add.is_empty() => (None, None),
            None => {
                let bits: Labels = self.label_add.iter().copied().collect();
                (Some(bits.clone()), Some(bits))
            }
        };
        let old = flow.status.unwrap_or_default();
        let update = Change::update(Flow {
            family: flow.family,
            original: flow.original,
            reply: flow.reply,
            zone: flow.zone,
            timeout: self.timeout,
            mark: self.mark.map(|mark| mark.value),
            // The kernel refuses to clear bits.
            status: self.status.map(|status| keep(old) | status.value),
            protocol_info: self.state,
            labels,
            ..Flow::default()
        });
        Change { mark_mask: self.mark.map(|mark| mark.mask), labels_mask, ..update }
    }

    /// Whether [`Options::update`] means another state than the flow was listed with, as far as
    /// that shows: a timeout and labels are always set anew.
    pub fn changes(&self, flow: &Flow) -> bool {
        let (mark, status) = (flow.mark.unwrap_or_default(), flow.status.unwrap_or_default());
        self.timeout.is_some()
            || !self.label_add.is_empty()
            || self.label_del.is_some()
            || self.mark.is_some_and(|new| mark & !new.mask ^ new.value != mark)
            || self.status.is_some_and(|new| !status.contains(new.value))
            || self.state.is_some_and(|new| !is_told_by(new, flow.protocol_info))
    }

    /// The expectation to create.
    ///
    /// # Errors
    /// If an address is missing, which [`Line::parse`](super::Line::parse) has found before.
    pub fn expectation(&self) -> Result<Expectation, ParseError> {
        let missing = || ParseError::new("you have to specify `--src' and `--dst'");
        let master = self.original()?;
        let tuple = self.tuple_of(self.tuple, self.tuple_ports).ok_or_else(missing)?;
        let mask = self.tuple_of(self.masks, self.mask_ports).ok_or_else(missing)?;
        Ok(Expectation {
            family: master.family(),
            tuple,
            mask,
            master,
            timeout: self.timeout,
            ..Expectation::default()
        })
    }

    /// The tuple of the expectation to get or delete.
    ///
    /// # Errors
    /// If an address is missing, which [`Line::parse`](super::Line::parse) has found before.
    pub fn expected_tuple(&self) -> Result<Tuple, ParseError> {
        self.original()
    }
}

/// Whether what is given of a protocol's information is what a flow has.
fn is_told_by(given: ProtocolInfo, found: Option<ProtocolInfo>) -> bool {
    fn is<T: Copy + PartialEq>(given: Option<T>, found: Option<T>) -> bool {
        given.is_none() || given == found
    }
    match (given, found) {
        (ProtocolInfo::Tcp(given), Some(ProtocolInfo::Tcp(found))) => is(given.state, found.state),
        (ProtocolInfo::Sctp(given), Some(ProtocolInfo::Sctp(found))) => {
            is(given.state, found.state)
                && is(given.tag_original, found.tag_original)
                && is(given.tag_reply, found.tag_reply)
        }
        (ProtocolInfo::Dccp(given), Some(ProtocolInfo::Dccp(found))) => {
            is(given.state, found.state) && is(given.role, found.role)
        }
        _ => false,
    }
}

/// The bits that the kernel wants to see again.
fn keep(status: Status) -> Status {
    Status(status.0 & (Status::SEEN_REPLY | Status::ASSURED | Status::EXPECTED).0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{Line, words};
    use crate::protocol_info::Tcp;
    use crate::value::TcpState;

    #[test]
    fn what_is_so_already_is_no_change() {
        let tuple = Tuple::with_ports(
            IpProtocol::TCP,
            ([10, 0, 0, 1].into(), 1),
            ([10, 0, 0, 2].into(), 80),
        );
        let state = Some(TcpState::ESTABLISHED);
        let flow = Flow {
            mark: Some(5),
            status: Some(Status::ASSURED | Status::SEEN_REPLY),
            protocol_info: Some(ProtocolInfo::Tcp(Tcp { state, ..Tcp::default() })),
            ..Flow::new(tuple)
        };
        for (line, changes) in [
            ("-U", false),
            ("-U -m 5", false),
            ("-U -m 4", true),
            ("-U -m 0/0", false),
            ("-U -m 4/4", false),
            ("-U -m 1/1", false),
            ("-U -m 0/1", true),
            ("-U -u ASSURED", false),
            ("-U -u UNSET", false),
            ("-U -u FIXED_TIMEOUT", true),
            ("-U -p tcp --state ESTABLISHED", false),
            ("-U -p tcp --state CLOSE", true),
            ("-U -p sctp --orig-vtag 1", true),
            ("-U -t 0", true),
            ("-U --label-del", true),
        ] {
            let parsed = Line::parse(words(line).unwrap(), None).unwrap();
            assert_eq!(parsed.options.changes(&flow), changes, "{line}");
        }
        // Without a mark it is 0.
        let unmarked = Line::parse(words("-U -m 0").unwrap(), None).unwrap();
        assert!(!unmarked.options.changes(&Flow::new(tuple)));
    }
}
