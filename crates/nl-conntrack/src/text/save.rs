//! `conntrack -o save`: flows as options of the command that makes them.

use alloc::string::String;

use super::{LabelNames, address, append};
use crate::event::{Event, EventKind};
use crate::flow::Flow;
use crate::protocol_info::ProtocolInfo;
use crate::tuple::{L4, Tuple};
use crate::value::{IpProtocol, Status};

/// What stands before the options.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SaveCommand {
    /// `-A`: a flow that is there.
    Add,
    /// `-U`: one that changed.
    Update,
    /// `-D`: one that ended or was deleted.
    Delete,
}

/// The bits of a status that `-u` takes, in the order in which conntrack(8) prints them.
const STATUS: [(Status, &str); 4] = [
    (Status::EXPECTED, "EXPECTED"),
    (Status::SEEN_REPLY, "SEEN_REPLY"),
    (Status::ASSURED, "ASSURED"),
    (Status::FIXED_TIMEOUT, "FIXED_TIMEOUT"),
];

/// Appends a flow as `conntrack -L -o save` prints it: a line that `conntrack --load-file` takes.
///
/// Like there, mark, labels and helper are left out.
pub fn save(out: &mut String, flow: &Flow, command: SaveCommand) {
    line(out, flow, command, false);
}

/// As [`save`], with the mark and those labels that have a name; conntrack(8) takes this too.
pub fn save_all(out: &mut String, flow: &Flow, labels: Option<&LabelNames>) {
    line(out, flow, SaveCommand::Add, true);
    let (Some(set), Some(names)) = (&flow.labels, labels) else { return };
    let mut separator = " --label-add ";
    for name in set.bits().filter_map(|bit| names.name(bit)) {
        append(out, format_args!("{separator}{name}"));
        separator = ",";
    }
}

fn line(out: &mut String, flow: &Flow, command: SaveCommand, all: bool) {
    out.push_str(match command {
        SaveCommand::Add => "-A",
        SaveCommand::Update => "-U",
        SaveCommand::Delete => "-D",
    });
    if let Some(timeout) = flow.timeout {
        append(out, format_args!(" -t {timeout}"));
    }
    status(out, flow.status.unwrap_or_default());
    if all {
        if let Some(mark) = flow.mark.filter(|mark| *mark != 0) {
            append(out, format_args!(" -m {mark}"));
        }
    }
    for (option, zone) in [
        (" -w", flow.zone),
        (" --orig-zone", flow.original.zone),
        (" --reply-zone", flow.reply.zone),
    ] {
        if let Some(zone) = zone {
            append(out, format_args!("{option} {zone}"));
        }
    }
    let has = |bit| flow.status.is_some_and(|status| status.contains(bit));
    let source_nat = has(Status::SRC_NAT_DONE) && flow.reply.destination != flow.original.source;
    let destination_nat =
        has(Status::DST_NAT_DONE) && flow.reply.source != flow.original.destination;
    for (option, ip) in [
        (" -s ", flow.original.source),
        (" -d ", flow.original.destination),
        (if destination_nat { " -g " } else { " -r " }, flow.reply.source),
        (if source_nat { " -n " } else { " -q " }, flow.reply.destination),
    ] {
        out.push_str(option);
        address(out, ip);
    }
    let protocol = flow.original.protocol;
    match protocol.conntrack_name() {
        Some(name) => append(out, format_args!(" -p {name}")),
        None => append(out, format_args!(" -p {}", protocol.0)),
    }
    layer4(out, &flow.original, &flow.reply);
    if let Some(info) = &flow.protocol_info {
        state(out, info);
    }
}

/// Appends an event as `conntrack -E -o save` prints it, without what it tells of user space.
pub fn save_event(out: &mut String, event: &Event) {
    let command = match event.kind {
        EventKind::New => SaveCommand::Add,
        EventKind::Update => SaveCommand::Update,
        EventKind::Destroy => SaveCommand::Delete,
    };
    save(out, &event.flow, command);
}

fn status(out: &mut String, status: Status) {
    out.push_str(" -u ");
    let mut separator = "";
    for (_, word) in STATUS.iter().filter(|(bit, _)| status.contains(*bit)) {
        append(out, format_args!("{separator}{word}"));
        separator = ",";
    }
    if separator.is_empty() {
        out.push_str("UNSET");
    }
}

fn layer4(out: &mut String, original: &Tuple, reply: &Tuple) {
    let protocol = original.protocol;
    match (original.l4, reply.l4) {
        (L4::Icmp { id, kind, code }, _) => {
            let name = if protocol == IpProtocol::ICMPV6 { "icmpv6" } else { "icmp" };
            append(
                out,
                format_args!(" --{name}-type {kind} --{name}-code {code} --{name}-id {id}"),
            );
        }
        (L4::Ports { source, destination }, reply) => {
            let names = match protocol {
                IpProtocol::GRE => ["srckey", "dstkey", "reply-key-src", "reply-key-dst"],
                _ => ["sport", "dport", "reply-port-src", "reply-port-dst"],
            };
            let numbers = match reply {
                L4::Ports { source: from, destination: to } => {
                    [Some(source), Some(destination), Some(from), Some(to)]
                }
                _ => [Some(source), Some(destination), None, None],
            };
            for (name, number) in names.into_iter().zip(numbers) {
                if let Some(number) = number {
                    append(out, format_args!(" --{name} {number}"));
                }
            }
        }
        (L4::None, _) => {}
    }
}

fn state(out: &mut String, info: &ProtocolInfo) {
    if let Some(word) = info.state_word() {
        append(out, format_args!(" --state {word}"));
    }
    match info {
        ProtocolInfo::Tcp(_) => {}
        ProtocolInfo::Sctp(sctp) => {
            for (name, tag) in [("orig", sctp.tag_original), ("reply", sctp.tag_reply)] {
                if let Some(tag) = tag {
                    // In the byte order of the machine, as conntrack(8) reads it again.
                    let tag = u32::from_be(tag);
                    append(out, format_args!(" --{name}-vtag {tag}"));
                }
            }
        }
        ProtocolInfo::Dccp(dccp) => {
            if let Some(word) = dccp.role.and_then(crate::DccpRole::word) {
                append(out, format_args!(" --role {}", word.to_ascii_lowercase()));
            }
        }
    }
}
