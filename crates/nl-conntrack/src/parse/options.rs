//! The options, typed, and which flows they mean.

use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::net::IpAddr;

use nl_wire::value::AddressFamily;

use super::table::{self, Id, LEGAL_OF_PROTOCOLS, ProtoOption};
use super::{Command, ParseError, Table, illegal, required, value};
use crate::flow::Flow;
use crate::protocol_info::{Dccp, ProtocolInfo, Sctp, Tcp};
use crate::request::{Filter, List, Masked};
use crate::text::LabelNames;
use crate::tuple::{L4, Tuple};
use crate::tuple_filter::TupleFilter;
use crate::value::{DccpRole, DccpState, IpProtocol, SctpState, Status, TcpState};

/// Where addresses are translated to, as it was typed: `[ADDRESS][:PORT]`. Neither means anywhere.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
pub struct Nat {
    /// The address.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: Option<u16>,
}

/// The words of `-o`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
#[allow(missing_docs)]
pub struct Output {
    pub xml: bool,
    pub extended: bool,
    pub timestamp: bool,
    pub id: bool,
    pub ktimestamp: bool,
    pub labels: bool,
    /// Of no effect, as with conntrack(8).
    pub userspace: bool,
    pub save: bool,
    /// Our own: as `save`, with mark and labels.
    pub restore: bool,
    /// Our own.
    pub json: bool,
}

/// The options of a command line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    given: u64,
    /// `-f`, or that of the addresses.
    pub family: AddressFamily,
    /// `-p`
    pub protocol: Option<IpProtocol>,
    /// `-s`, `-d`, `-r`, `-q`.
    pub addresses: [Option<IpAddr>; 4],
    /// `--mask-src`, `--mask-dst`, or what the `/N` of `-s` and `-d` means.
    pub masks: [Option<IpAddr>; 2],
    /// `--tuple-src`, `--tuple-dst`.
    pub tuple: [Option<IpAddr>; 2],
    /// `-t`, in seconds.
    pub timeout: Option<u32>,
    /// `-m`
    pub mark: Option<Masked<u32>>,
    /// `-u`: the bits that are set, of those that count.
    pub status: Option<Masked<Status>>,
    /// `-z`
    pub zero: bool,
    /// `-e`: new, updates, destroy.
    pub events: Option<[bool; 3]>,
    /// `-n`
    pub source_nat: Option<Nat>,
    /// `-g`
    pub destination_nat: Option<Nat>,
    /// `-j`
    pub any_nat: Option<Nat>,
    /// `-o`
    pub output: Output,
    /// `-c`
    pub secmark: Option<u32>,
    /// `-i`
    pub id: Option<u32>,
    /// `-b`, in bytes.
    pub buffer_size: Option<usize>,
    /// `-w`
    pub zone: Option<u16>,
    /// `--orig-zone`, `--reply-zone`.
    pub zones: [Option<u16>; 2],
    /// `-l`: bits, all of which must be set.
    pub labels: Vec<u32>,
    /// `--label-add`
    pub label_add: Vec<u32>,
    /// `--label-del`; empty means all.
    pub label_del: Option<Vec<u32>>,
    /// Ports (of GRE: keys) of the original direction.
    pub ports: [Option<u16>; 2],
    /// Ports of the reply direction.
    pub reply_ports: [Option<u16>; 2],
    /// Masks of ports.
    pub mask_ports: [Option<u16>; 2],
    /// Ports of the expected tuple.
    pub tuple_ports: [Option<u16>; 2],
    /// `--state`, `--orig-vtag`, `--reply-vtag`, `--role`.
    pub state: Option<ProtocolInfo>,
    /// `--icmp-type`
    pub icmp_type: Option<u8>,
    /// `--icmp-code`
    pub icmp_code: Option<u8>,
    /// `--icmp-id`
    pub icmp_id: Option<u16>,
    /// What to say on stderr before anything is done.
    pub warnings: Vec<String>,
}

impl Options {
    pub(super) fn has(&self, id: Id) -> bool {
        self.given & 1 << id as u32 != 0
    }

    fn has_own(&self, option: ProtoOption) -> bool {
        self.given & 1 << (option as u32 + 32) != 0
    }

    fn of_family(&mut self, address: IpAddr) -> Result<IpAddr, ParseError> {
        self.set_family(AddressFamily::of(address)).map(|()| address)
    }

    fn set_family(&mut self, family: AddressFamily) -> Result<(), ParseError> {
        if self.family != AddressFamily::UNSPEC && self.family != family {
            return Err(ParseError::new("mismatched address family"));
        }
        self.family = family;
        Ok(())
    }

    fn network(&mut self, index: usize, id: Id, typed: &str) -> Result<IpAddr, ParseError> {
        let (address, mask) = value::network(typed)?;
        if let (Some(mask), Some(slot)) = (mask, self.masks.get_mut(index)) {
            self.given |= 1 << id as u32;
            *slot = Some(mask);
        }
        self.of_family(address)
    }

    fn plain_address(&mut self, id: Id, typed: &str) -> Result<Option<IpAddr>, ParseError> {
        if typed.contains('/') {
            return Err(ParseError::new(format_args!(
                "CIDR notation unavailable for `--{}'",
                id.name()
            )));
        }
        self.of_family(value::address(typed)?).map(Some)
    }

    pub(super) fn set(
        &mut self,
        id: Id,
        typed: Option<String>,
        labels: Option<&LabelNames>,
    ) -> Result<(), ParseError> {
        let maybe = typed;
        let typed = maybe.as_deref().unwrap_or_default();
        self.given |= 1 << id as u32;
        match id {
            Id::Source => self.addresses[0] = Some(self.network(0, Id::MaskSource, typed)?),
            Id::Destination => {
                self.addresses[1] = Some(self.network(1, Id::MaskDestination, typed)?);
            }
            Id::ReplySource => self.addresses[2] = self.plain_address(id, typed)?,
            Id::ReplyDestination => self.addresses[3] = self.plain_address(id, typed)?,
            Id::TupleSource => self.tuple[0] = self.plain_address(id, typed)?,
            Id::TupleDestination => self.tuple[1] = self.plain_address(id, typed)?,
            Id::MaskSource => self.masks[0] = self.plain_address(id, typed)?,
            Id::MaskDestination => self.masks[1] = self.plain_address(id, typed)?,
            Id::Protocol => {
                let number = typed.starts_with(|first: char| first.is_ascii_digit());
                let protocol = if number {
                    value::number(typed).ok().map(IpProtocol)
                } else {
                    typed.parse().ok()
                };
                let unknown = || ParseError::quoted("", typed, " unsupported protocol");
                let protocol = protocol.ok_or_else(unknown)?;
                if self.protocol.is_some_and(|before| before != protocol) {
                    let own = self.given >> 32 != 0;
                    if own {
                        return Err(ParseError::new("two protocols"));
                    }
                }
                self.protocol = Some(protocol);
            }
            Id::Family => {
                let found = value::FAMILIES.iter().find(|row| row.0 == typed);
                let unknown = || ParseError::quoted("", typed, " unsupported protocol");
                self.set_family(found.ok_or_else(unknown)?.1)?;
            }
            Id::Timeout => self.timeout = Some(value::decimal(typed)?),
            Id::Status => {
                let warnings = &mut self.warnings;
                let new = value::status(typed, &mut |text| warnings.push(text))?;
                let status = self.status.get_or_insert_default();
                status.value |= new.value;
                status.mask |= new.mask;
            }
            Id::Zero => self.zero = true,
            Id::EventMask => {
                let new = value::events(typed)?;
                for (slot, new) in self.events.get_or_insert_default().iter_mut().zip(new) {
                    *slot |= new;
                }
            }
            Id::NatRange => {
                self.warnings.push("WARNING: ignoring -a, deprecated option.".to_string());
            }
            Id::Mark => self.mark = Some(value::masked(typed)?),
            Id::Number => self.id = Some(value::number(typed)?),
            Id::SourceNat => self.source_nat = Some(self.nat(maybe.as_deref())?),
            Id::DestinationNat => self.destination_nat = Some(self.nat(maybe.as_deref())?),
            Id::AnyNat => self.any_nat = Some(self.nat(maybe.as_deref())?),
            Id::Output => value::output(typed, &mut self.output)?,
            Id::Secmark => self.secmark = Some(value::number(typed)?),
            Id::BufferSize => self.buffer_size = Some(value::decimal(typed)?),
            Id::Zone => self.zone = Some(value::number(typed)?),
            Id::OriginalZone => self.zones[0] = Some(value::number(typed)?),
            Id::ReplyZone => self.zones[1] = Some(value::number(typed)?),
            Id::Label => self.labels.extend(bits(typed, labels)?),
            Id::LabelAdd => self.label_add.extend(bits(typed, labels)?),
            Id::LabelDel => {
                let new = maybe.as_deref().map(|typed| bits(typed, labels)).transpose()?;
                self.label_del.get_or_insert_default().extend(new.unwrap_or_default());
            }
        }
        Ok(())
    }

    fn nat(&mut self, typed: Option<&str>) -> Result<Nat, ParseError> {
        let Some(typed) = typed else { return Ok(Nat::default()) };
        let nat = value::nat(typed)?;
        if let Some(address) = nat.address {
            self.of_family(address)?;
        }
        Ok(nat)
    }

    pub(super) fn set_protocol_option(
        &mut self,
        option: ProtoOption,
        typed: &str,
    ) -> Result<(), ParseError> {
        self.given |= 1 << (option as u32 + 32);
        // Keys of GRE are numbers as C writes them.
        let is_key = self.protocol == Some(IpProtocol::GRE);
        let port = || if is_key { value::number(typed) } else { value::decimal(typed) };
        match option {
            ProtoOption::SourcePort => self.ports[0] = Some(port()?),
            ProtoOption::DestinationPort => self.ports[1] = Some(port()?),
            ProtoOption::ReplySourcePort => self.reply_ports[0] = Some(port()?),
            ProtoOption::ReplyDestinationPort => self.reply_ports[1] = Some(port()?),
            ProtoOption::MaskSourcePort => self.mask_ports[0] = Some(port()?),
            ProtoOption::MaskDestinationPort => self.mask_ports[1] = Some(port()?),
            ProtoOption::TupleSourcePort => self.tuple_ports[0] = Some(port()?),
            ProtoOption::TupleDestinationPort => self.tuple_ports[1] = Some(port()?),
            ProtoOption::IcmpType => self.icmp_type = Some(value::decimal(typed)?),
            ProtoOption::IcmpCode => self.icmp_code = Some(value::decimal(typed)?),
            ProtoOption::IcmpId => self.icmp_id = Some(value::decimal(typed)?),
            ProtoOption::State => self.set_state(typed)?,
            ProtoOption::OriginalTag | ProtoOption::ReplyTag => {
                let ProtocolInfo::Sctp(sctp) = self.info() else { return Ok(()) };
                // conntrack(8) reads and prints tags in the byte order of the machine.
                let tag = Some(u32::from_be(value::number(typed)?));
                match option {
                    ProtoOption::OriginalTag => sctp.tag_original = tag,
                    _ => sctp.tag_reply = tag,
                }
            }
            ProtoOption::Role => {
                let role: DccpRole = typed
                    .parse()
                    .map_err(|_| ParseError::quoted("Unknown DCCP role ", typed, ""))?;
                if let ProtocolInfo::Dccp(dccp) = self.info() {
                    dccp.role = Some(role);
                }
            }
        }
        Ok(())
    }

    /// The state of the protocol in question, nothing of it given at first.
    fn info(&mut self) -> &mut ProtocolInfo {
        let protocol = self.protocol;
        self.state.get_or_insert_with(|| match protocol {
            Some(IpProtocol::SCTP) => ProtocolInfo::Sctp(Sctp::default()),
            Some(IpProtocol::DCCP) => ProtocolInfo::Dccp(Dccp::default()),
            _ => ProtocolInfo::Tcp(Tcp::default()),
        })
    }

    fn set_state(&mut self, typed: &str) -> Result<(), ParseError> {
        let unknown = |text| move |_| ParseError::quoted(text, typed, "");
        // conntrack(8)'s names are in upper case, and no others will do.
        let upper = if typed.chars().any(|c| c.is_ascii_lowercase()) { "" } else { typed };
        match self.info() {
            ProtocolInfo::Tcp(tcp) => {
                let state = match upper {
                    "LISTEN" => Ok(TcpState::SYN_SENT2),
                    _ => upper.parse(),
                };
                tcp.state = Some(state.map_err(unknown("unknown TCP state "))?);
            }
            ProtocolInfo::Sctp(sctp) => {
                let state: Result<SctpState, _> = upper.parse();
                sctp.state = Some(state.map_err(unknown("unknown SCTP state "))?);
            }
            ProtocolInfo::Dccp(dccp) => {
                let state: Result<DccpState, _> = upper.parse();
                dccp.state = Some(state.map_err(unknown("Unknown DCCP state "))?);
            }
        }
        Ok(())
    }

    /// What no command takes together.
    pub(super) fn check_combinations(&self) -> Result<(), ParseError> {
        if self.any_nat.is_some() && (self.source_nat.is_some() || self.destination_nat.is_some()) {
            let text = "cannot specify `--src-nat' or `--dst-nat' with `--any-nat'";
            return Err(ParseError::new(text));
        }
        if self.has(Id::LabelAdd) && self.has(Id::LabelDel) {
            let text = "cannot use --label-add and --label-del at the same time";
            return Err(ParseError::plain(text));
        }
        Ok(())
    }

    /// What a command needs beyond single options.
    pub(super) fn check_meaning(&self, command: Command, table: Table) -> Result<(), ParseError> {
        for (mask, address, name) in
            [(Id::MaskSource, Id::Source, "src"), (Id::MaskDestination, Id::Destination, "dst")]
        {
            if self.has(mask) && !self.has(address) {
                return Err(ParseError::new(format_args!(
                    "Can't use --mask-{name} without --{name}"
                )));
            }
        }
        let nat = [Id::SourceNat, Id::DestinationNat, Id::AnyNat];
        let harmless = [Id::Zero, Id::NatRange, Id::Family, Id::Output].iter().chain(&nat);
        let harmless = harmless.fold(0_u64, |bits, id| bits | 1 << *id as u32);
        if self.zero && self.given & !harmless != 0 {
            return Err(ParseError::new("Can't use -z with filtering parameters"));
        }
        let makes = matches!(command, Command::Create | Command::Add | Command::Get);
        let of_ipv6 = self.family == AddressFamily::INET6;
        let other = if of_ipv6 { IpProtocol::ICMP } else { IpProtocol::ICMPV6 };
        if makes && command != Command::Get && self.protocol == Some(other) {
            return Err(ParseError::plain("Operation failed: invalid parameters"));
        }
        if makes && table == Table::Conntrack {
            pair(self.addresses, ["src", "dst"], ["reply-src", "reply-dst"])?;
        }
        let own = table::of_protocol(self.protocol);
        let name = |option| own.iter().find(|row| row.1 == option).map(|row| row.0);
        if let Some(legal) = LEGAL_OF_PROTOCOLS.iter().find(|legal| legal.is_of(command, table)) {
            for (option, rule) in ProtoOption::ALL.into_iter().zip(legal.rules.bytes()) {
                match (rule, name(option), self.has_own(option)) {
                    (b'c', Some(name), false) => return Err(required(name)),
                    (b'.', Some(name), true) => return Err(illegal(name)),
                    _ => {}
                }
            }
        }
        if makes && table == Table::Conntrack && self.protocol.is_some_and(IpProtocol::has_ports) {
            let ports = [self.ports, self.reply_ports];
            let names = if self.protocol == Some(IpProtocol::GRE) {
                [["srckey", "dstkey"], ["reply-key-src", "reply-key-dst"]]
            } else {
                [["sport", "dport"], ["reply-src-port", "reply-dst-port"]]
            };
            let [[source, destination], [reply_source, reply_destination]] = ports;
            pair([source, destination, reply_source, reply_destination], names[0], names[1])?;
        }
        Ok(())
    }

    /// The request for the flows that are meant, filtered by the kernel as far as it can.
    pub fn list(&self, command: Command) -> List {
        let sets = command == Command::Update;
        let exact = |index: usize| {
            let masked = self.masks.get(index).is_some_and(Option::is_some);
            self.addresses.get(index).copied().flatten().filter(|_| !masked)
        };
        let tuple = |first: usize, ports: [Option<u16>; 2]| TupleFilter {
            source: exact(first),
            destination: exact(first + 1),
            protocol: self.protocol,
            source_port: ports[0],
            destination_port: ports[1],
            ..TupleFilter::default()
        };
        let nat = [(self.source_nat, Status::SRC_NAT), (self.destination_nat, Status::DST_NAT)];
        let nat = nat.iter().filter(|row| row.0.is_some()).fold(Status(0), |all, row| all | row.1);
        let status = self.status.filter(|_| !sets).unwrap_or_default();
        let status = Masked { value: status.value | nat, mask: status.mask | nat };
        let filter = Filter {
            mark: self.mark.filter(|_| !sets),
            status: Some(status).filter(|status| !status.mask.is_empty()),
            // The kernel's zone 0 leaves out flows with a zone of one direction.
            zone: self.zone.filter(|zone| *zone != 0),
        };
        List {
            family: self.family,
            filter,
            original: tuple(0, self.ports),
            reply: tuple(2, self.reply_ports),
            zero_counters: self.zero,
        }
    }

    /// Whether a flow is one of those meant. What `-U` sets does not count there.
    pub fn matches(&self, flow: &Flow, command: Command) -> bool {
        let sets = command == Command::Update;
        let zones = [flow.zone, flow.original.zone, flow.reply.zone];
        let wanted = [self.zone, self.zones[0], self.zones[1]];
        (self.family == AddressFamily::UNSPEC || self.family == flow.family)
            && Filter {
                mark: self.mark.filter(|_| !sets),
                status: self.status.filter(|_| !sets),
                zone: None,
            }
            .matches(flow)
            && self.protocol.is_none_or(|protocol| protocol == flow.original.protocol)
            && self.matches_addresses(flow)
            && ports(&flow.original, self.ports)
            && ports(&flow.reply, self.reply_ports)
            && self.matches_icmp(&flow.original)
            && wanted.iter().zip(zones).all(|(wanted, zone)| is(*wanted, zone.unwrap_or_default()))
            && is(self.id, flow.id.unwrap_or_default())
            && is(self.secmark, flow.secmark.unwrap_or_default())
            && (sets || is(self.timeout, flow.timeout.unwrap_or_default()))
            && (sets || self.matches_state(flow.protocol_info))
            && self
                .labels
                .iter()
                .all(|bit| flow.labels.as_ref().is_some_and(|labels| labels.contains(*bit)))
            && self.source_nat.is_none_or(|nat| nat.is_source_of(flow))
            && self.destination_nat.is_none_or(|nat| nat.is_destination_of(flow))
            && self.any_nat.is_none_or(|nat| nat.is_source_of(flow) || nat.is_destination_of(flow))
    }

    fn matches_addresses(&self, flow: &Flow) -> bool {
        let found = [
            flow.original.source,
            flow.original.destination,
            flow.reply.source,
            flow.reply.destination,
        ];
        let masks = [self.masks[0], self.masks[1], None, None];
        self.addresses.iter().zip(found).zip(masks).all(|((wanted, found), mask)| {
            wanted.is_none_or(|wanted| value::same(wanted, found, mask))
        })
    }

    fn matches_icmp(&self, tuple: &Tuple) -> bool {
        if (self.icmp_type, self.icmp_code, self.icmp_id) == (None, None, None) {
            return true;
        }
        let L4::Icmp { id, kind, code } = tuple.l4 else { return false };
        is(self.icmp_type, kind) && is(self.icmp_code, code) && is(self.icmp_id, id)
    }

    fn matches_state(&self, found: Option<ProtocolInfo>) -> bool {
        let number = |info: ProtocolInfo| match info {
            ProtocolInfo::Tcp(tcp) => tcp.state.map(|state| state.0),
            ProtocolInfo::Sctp(sctp) => sctp.state.map(|state| state.0),
            ProtocolInfo::Dccp(dccp) => dccp.state.map(|state| state.0),
        };
        let wanted = self.state.and_then(number);
        wanted.is_none() || wanted == found.and_then(number)
    }
}

impl Nat {
    fn is_source_of(self, flow: &Flow) -> bool {
        let ports = [flow.reply.destination_port(), flow.original.source_port()];
        self.is(flow, Status::SRC_NAT_DONE, [flow.reply.destination, flow.original.source], ports)
    }

    fn is_destination_of(self, flow: &Flow) -> bool {
        let ports = [flow.reply.source_port(), flow.original.destination_port()];
        self.is(flow, Status::DST_NAT_DONE, [flow.reply.source, flow.original.destination], ports)
    }

    /// Whether an address or port, now the first, was the second; and is what is wanted.
    fn is(self, flow: &Flow, done: Status, ips: [IpAddr; 2], ports: [Option<u16>; 2]) -> bool {
        let (ip_changed, port_changed) = (ips[0] != ips[1], ports[0] != ports[1]);
        flow.status.is_some_and(|status| status.contains(done))
            && (ip_changed || port_changed)
            && self.address.is_none_or(|wanted| ip_changed && wanted == ips[0])
            && self.port.is_none_or(|wanted| port_changed && Some(wanted) == ports[0])
    }
}

fn is<T: PartialEq + Copy>(wanted: Option<T>, found: T) -> bool {
    wanted.is_none_or(|wanted| wanted == found)
}

fn ports(tuple: &Tuple, wanted: [Option<u16>; 2]) -> bool {
    let found = [tuple.source_port(), tuple.destination_port()];
    wanted.iter().zip(found).all(|(wanted, found)| wanted.is_none() || *wanted == found)
}

/// Of two pairs one must be whole.
fn pair<T>(values: [Option<T>; 4], names: [&str; 2], reply: [&str; 2]) -> Result<(), ParseError> {
    let [source, destination, reply_source, reply_destination] = values.map(|v| v.is_some());
    if source && destination || reply_source && reply_destination {
        return Ok(());
    }
    let begun = !source && !destination && (reply_source || reply_destination);
    let [one, other] = if begun { reply } else { names };
    Err(ParseError::new(format_args!("you have to specify `--{one}' and `--{other}'")))
}

/// The bits of labels, their names joined by commas.
fn bits(typed: &str, labels: Option<&LabelNames>) -> Result<Vec<u32>, ParseError> {
    let bit = |name: &str| {
        labels.and_then(|labels| labels.bit(name)).ok_or_else(|| {
            let name = nl_wire::text::Escaped(name.as_bytes());
            ParseError::new(format_args!("unknown label '{name}'"))
        })
    };
    typed.split(',').map(bit).collect()
}
