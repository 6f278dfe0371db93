//! `nlctl conntrack watch --all-netns`: the connections of every network namespace of the host.

use std::sync::Arc;
use std::time::Duration;

use nl_conntrack::parse::{self, Command, Line, Table};
use nl_conntrack::{Event, EventFilter, EventKind, Flow, List};
use nl_watch::consumer::{Namespace, Told};
use nl_watch::{Change, Flows, Item, Notice, Object};
use nl_wire::Message;
use nl_wire::value::Family;

use super::watch::loss_fields;
use super::{Context, Format};
use crate::error::{Error, REFUSED, say};
use crate::feed::{Wanted, follow, namespace_json};
use crate::out::Out;

/// The flows that the options name by what a flow keeps as long as it lives: tuples, zones, id. The
/// kernel is asked for them alone.
///
/// What changes (mark, status, state, labels) is looked at when something is told: of a flow that
/// is not wanted yet, or no more, the mirror must know nonetheless.
#[derive(Clone)]
struct Chosen {
    flows: Flows,
    options: Arc<parse::Options>,
}

impl Chosen {
    fn new(options: &parse::Options) -> Self {
        Self { flows: Flows { family: options.family }, options: Arc::new(options.lasting()) }
    }

    /// What of their events is wanted: beginnings and ends, which the mirror needs, and changes
    /// unless `-e` leaves them out.
    fn events(&self) -> EventFilter {
        let all = self.options.event_filter();
        match self.options.events {
            Some([_, false, _]) => all & !EventFilter::Kind(EventKind::Update),
            _ => all,
        }
    }
}

impl Object for Chosen {
    type Item = Flow;
    type Key = <Flows as Object>::Key;
    type List = List;

    const FAMILY: Family = Flows::FAMILY;
    const GROUPS: &'static [u32] = Flows::GROUPS;
    const RELIST: Option<Duration> = Flows::RELIST;

    fn list(&self) -> List {
        self.options.list(Command::Event)
    }

    fn covers(&self, flow: &Flow) -> bool {
        self.options.matches(flow, Command::Event)
    }

    fn key(flow: &Flow) -> Self::Key {
        Flows::key(flow)
    }

    fn is_equal(a: &Flow, b: &Flow) -> bool {
        Flows::is_equal(a, b)
    }

    fn merge(old: &mut Flow, new: Flow) {
        Flows::merge(old, new);
    }

    fn conclude(flow: &mut Flow, end: &Flow) {
        Flows::conclude(flow, end);
    }

    fn bytes(flow: &Flow) -> usize {
        Flows::bytes(flow)
    }

    fn notice(&mut self, message: &Message<'_>) -> Result<Notice<Flow>, nl_wire::Error> {
        let notice = self.flows.notice(message)?;
        Ok(match &notice {
            // What was queued before the filter was there, and what that cannot tell.
            Notice::Put(flow) | Notice::Replace(flow) | Notice::Remove(flow)
                if !self.covers(flow) =>
            {
                Notice::Nothing
            }
            _ => notice,
        })
    }
}

/// Shows what happens to connections until a signal comes, each line behind its namespace. The
/// connections that are there at the beginning are not shown.
///
/// What is shown are changes of a mirror of each namespace: so what a loss hid is shown too, once
/// the namespace was listed again.
pub(super) fn watch(context: &Context, line: &Line, out: &mut Out) -> Result<u8, Error> {
    if line.table == Table::Expect {
        return Err(Error::new(REFUSED, "nlctl: --all-netns follows flows, not expectations"));
    }
    let (format, json) = (context.format(line), context.options.has("json"));
    let object = Chosen::new(&line.options);
    let events = object.events();
    let program = if events == EventFilter::default() {
        None
    } else {
        Some(events.compile().map_err(Error::parameter)?)
    };
    // Every event was asked for: who can't keep up is told of losses.
    let wanted = Wanted { object, program, pressure: None };
    let mut options = context.options.clone();
    if let Some(size) = line.options.buffer_size {
        options.give("buffer-size", size.to_string());
    }
    follow(&options, wanted, out, |out, _, told| match told {
        Told::Item { namespace, item } => match item {
            Item::Change(change) => {
                let (kind, flow) = match change {
                    Change::Added(flow) => (EventKind::New, flow),
                    Change::Changed { new, .. } => (EventKind::Update, new),
                    Change::Removed(flow) => (EventKind::Destroy, flow),
                };
                let wanted = line.options.events.unwrap_or([true; 3])[kind as usize];
                if !wanted || !line.options.matches(flow, Command::Event) {
                    return Ok(());
                }
                show(out, namespace, kind, flow, json, &format)
            }
            Item::Lost(loss) => {
                say(format_args!("nlctl: WARNING: {namespace}: {loss}"));
                if !json {
                    return Ok(());
                }
                out.json_line(|json| {
                    json.begin_object();
                    json.key("namespace");
                    namespace_json(json, namespace);
                    json.key("object");
                    loss_fields(json, "event", *loss);
                    json.end_object();
                })
            }
            Item::Full { .. } => {
                say(format_args!("nlctl: WARNING: {namespace}: no memory for more connections"));
                Ok(())
            }
            _ => Ok(()),
        },
        Told::Failed { namespace, error } => {
            say(format_args!("nlctl: WARNING: {namespace}: {error}"));
            Ok(())
        }
        Told::Lost(loss) => {
            say(format_args!("nlctl: WARNING: all namespaces: {loss}; listing again"));
            Ok(())
        }
        Told::Unattributed { nsid, events } => {
            let text = "events of an nsid that changed hands; listing again";
            say(format_args!("nlctl: WARNING: {events} {text} (nsid {nsid})"));
            Ok(())
        }
        _ => Ok(()),
    })
}

fn show(
    out: &mut Out,
    namespace: &Namespace,
    kind: EventKind,
    flow: &Flow,
    json: bool,
    format: &Format,
) -> Result<(), Error> {
    let event = Event { kind, port: 0, flow: flow.clone() };
    if json {
        return out.json_line(|json| {
            json.begin_object();
            json.key("namespace");
            namespace_json(json, namespace);
            json.field("object", &event);
            json.end_object();
        });
    }
    out.append(format_args!("{namespace}: "));
    format.event(out.text(), &event, None);
    out.end_line()
}
