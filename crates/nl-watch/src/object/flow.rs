//! Tracked connections.

use std::time::Duration;

use nl_conntrack::protocol_info::{Sctp, Tcp};
use nl_conntrack::{Event, EventKind, Flow, List, ProtocolInfo, Tuple, groups};
use nl_wire::value::{AddressFamily, Family};
use nl_wire::{Error, Message, RawAttr};

use super::{Notice, Object};
use crate::pressure::Gate;

/// The tracked connections of a namespace.
///
/// The kernel announces nothing of a flow that was made before anybody listened for events, if
/// `net.netfilter.nf_conntrack_events` is 2 (the default): such flows end silently. So the table is
/// listed again every five minutes. Set it to 1 if that is not often enough, or change the time
/// ([`Watch::set_relist`](crate::Watch::set_relist)).
///
/// A flow whose end the kernel announced is told as [`Change::Removed`](crate::Change::Removed) with
/// what that event says: [`Status::DYING`](nl_conntrack::Status::DYING), the last state of its
/// protocol, and, where they are on when the flow begins, its final counters
/// (`net.netfilter.nf_conntrack_acct`) and times (`net.netfilter.nf_conntrack_timestamp`). One
/// without that bit was missed by a list: of its end nothing is known, and its counters, if it has
/// any, are those of the list before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flows {
    /// `INET`, `INET6`, or `UNSPEC` for both.
    pub family: AddressFamily,
}

impl Object for Flows {
    type Item = Flow;
    /// Zone and original tuple. The id does not tell flows apart: made again, the same flow gets
    /// the same.
    type Key = (u16, Tuple);
    type List = List;

    const FAMILY: Family = Family::NETFILTER;
    const GROUPS: &'static [u32] = &groups::FLOWS;
    const RELIST: Option<Duration> = Some(Duration::from_secs(300));
    const GATE: Option<fn(&Gate, &Flow) -> bool> = Some(Gate::passes);

    fn list(&self) -> List {
        List { family: self.family, ..List::default() }
    }

    fn key(flow: &Flow) -> Self::Key {
        (flow.zone.unwrap_or_default(), flow.original)
    }

    fn is_equal(a: &Flow, b: &Flow) -> bool {
        a.reply == b.reply
            && a.status == b.status
            // Left out when it is 0.
            && a.mark.unwrap_or_default() == b.mark.unwrap_or_default()
            && state(a) == state(b)
            && a.labels == b.labels
            && a.helper.as_deref().map(|helper| &helper.name)
                == b.helper.as_deref().map(|helper| &helper.name)
    }

    fn merge(old: &mut Flow, new: Flow) {
        fn take<T>(old: &mut Option<T>, new: Option<T>) {
            if new.is_some() {
                *old = new;
            }
        }
        old.reply = new.reply;
        old.mark = new.mark;
        take(&mut old.protocol_info, new.protocol_info);
        take(&mut old.status, new.status);
        take(&mut old.timeout, new.timeout);
        take(&mut old.id, new.id);
        take(&mut old.use_count, new.use_count);
        take(&mut old.original_counters, new.original_counters);
        take(&mut old.reply_counters, new.reply_counters);
        take(&mut old.start, new.start);
        take(&mut old.stop, new.stop);
        take(&mut old.event_time, new.event_time);
        take(&mut old.labels, new.labels);
        take(&mut old.helper, new.helper);
        take(&mut old.secctx, new.secctx);
        take(&mut old.original_seq_adj, new.original_seq_adj);
        take(&mut old.reply_seq_adj, new.reply_seq_adj);
        take(&mut old.synproxy, new.synproxy);
        take(&mut old.master, new.master);
    }

    fn conclude(flow: &mut Flow, end: &Flow) {
        let before = flow.protocol_info;
        Self::merge(flow, end.clone());
        // What is left of it, if it was ended before its time.
        flow.timeout = end.timeout;
        // Of the protocol's information the kernel repeats the state alone.
        flow.protocol_info = match (before, end.protocol_info) {
            (Some(ProtocolInfo::Tcp(old)), Some(ProtocolInfo::Tcp(new))) => {
                Some(ProtocolInfo::Tcp(Tcp { state: new.state.or(old.state), ..old }))
            }
            (Some(ProtocolInfo::Sctp(old)), Some(ProtocolInfo::Sctp(new))) => {
                Some(ProtocolInfo::Sctp(Sctp { state: new.state.or(old.state), ..old }))
            }
            _ => flow.protocol_info,
        };
    }

    fn bytes(flow: &Flow) -> usize {
        let unknown: usize = flow.unknown.iter().map(|attr| attr.payload.len()).sum();
        size_of::<Flow>()
            + flow.helper.as_deref().map_or(0, size_of_val)
            + flow.master.as_deref().map_or(0, size_of_val)
            + flow.unknown.len() * size_of::<RawAttr>()
            + unknown
    }

    fn notice(&mut self, message: &Message<'_>) -> Result<Notice<Flow>, Error> {
        let Some(event) = Event::decode(message)? else { return Ok(Notice::Nothing) };
        if self.family != AddressFamily::UNSPEC && self.family != event.flow.family {
            return Ok(Notice::Nothing);
        }
        Ok(match event.kind {
            EventKind::New => Notice::Replace(event.flow),
            EventKind::Update => Notice::Put(event.flow),
            EventKind::Destroy => Notice::Remove(event.flow),
        })
    }
}

/// The state number of whichever protocol: what is announced of the protocol's information.
fn state(flow: &Flow) -> Option<u8> {
    match flow.protocol_info? {
        ProtocolInfo::Tcp(tcp) => tcp.state.map(|state| state.0),
        ProtocolInfo::Dccp(dccp) => dccp.state.map(|state| state.0),
        ProtocolInfo::Sctp(sctp) => sctp.state.map(|state| state.0),
    }
}
