//! `nlctl conntrack watch --all-netns`: the connections of every network namespace of the host.

use nl_conntrack::parse::{Command, Line, Table};
use nl_conntrack::{Event, EventKind, Flow};
use nl_watch::consumer::{Namespace, Told};
use nl_watch::{Change, Item};

use super::watch::loss_fields;
use super::{Context, Format};
use crate::error::{Error, REFUSED, say};
use crate::feed::{follow, namespace_json};
use crate::out::Out;

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
    // Every event was asked for: who can't keep up is told of losses.
    follow(&context.options, None, out, |out, _, told| match told {
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
