//! `nlctl nat watch`: translated connections as they begin and end.

use nl_conntrack::Flow;
use nl_watch::consumer::{Namespace, Told};
use nl_watch::nat::NatEntry;
use nl_watch::{Change, Item, Mirror};
use nl_wire::json::Json;

use super::fields;
use crate::args::Options;
use crate::conntrack::loss_fields;
use crate::error::{Error, USAGE, say, word};
use crate::feed::{Feed, Wanted, follow, limit, namespace_json, say_filter};
use crate::monitor;
use crate::out::Out;

/// What there is to say of this command.
pub(super) const HELP: &str = "\
[LIST] begins the line of a connection that was there before, [NEW] of one that began, [END] of one
that ended. What was lost is told on stderr; then the table is listed again, and the differences are
shown as if they had been heard. SIGINT ends it: exit code 0, or 1 if what was lost could not be
repaired within two seconds.

While more events come than --limit allows, the kernel is told to keep some back: those of
connections that are not translated, which are not shown anyway, then those of a part of the
others. [FORGOTTEN] begins the line of one whose end would not be told any more. stderr tells what
is followed; when the load falls, all is again, and what was missed is listed.

With -t a line with the time stands before each, with --tshort the time in the same line.

With --all-netns the namespace follows, as in \"[NEW] namespace blue nsid 0 inode 4026532281: \", and
[FOUND] and [GONE] tell namespaces; with one that is gone all its connections are.

With -j one object a line: \"event\" is \"list\", \"new\", \"end\", \"forgotten\", \"found\", \"gone\"; or
\"loss\", with \"loss\" as of nlctl conntrack watch; \"resync\", with the number of differences;
\"filter\", with \"passes\" being \"everything\", \"nat_only\" or \"sampled\", the last of so many \"ppm\";
\"namespace\" is {\"own\":BOOL,\"name\":TEXT,\"nsid\":NUMBER,\"inode\":NUMBER}, as far as known.
";

/// A share from 0 to 1 in millionths.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1,000,000")]
fn ppm(share: f64) -> u32 {
    (share * 1e6).round() as u32
}

struct Show<'a> {
    options: &'a Options,
    json: bool,
    /// Whether namespaces are named.
    all: bool,
}

/// `nlctl nat watch`
pub(super) fn run(options: &Options, out: &mut Out) -> Result<u8, Error> {
    if let Some(typed) = options.words().first() {
        let text = "is unknown, try \"nlctl nat watch help\".";
        return Err(Error::new(USAGE, format_args!("Argument \"{}\" {text}", word(typed))));
    }
    let show = Show { options, json: options.has("json"), all: options.has("all-netns") };
    let limit = limit(options)?;
    follow(options, Wanted::all(options, limit)?, out, |out, feed, told| show.told(out, feed, told))
}

impl Show<'_> {
    fn told(&self, out: &mut Out, feed: &Feed, told: &Told<Flow>) -> Result<(), Error> {
        match told {
            Told::Found(namespace) => self.line(out, "found", namespace, |_| {}, ""),
            Told::Gone { namespace, .. } => self.line(out, "gone", namespace, |_| {}, ""),
            Told::Item { namespace, item } => self.item(out, feed, namespace, item),
            Told::Failed { namespace, error } => {
                say(format_args!("nlctl: WARNING: {namespace}: {error}"));
                Ok(())
            }
            Told::Lost(loss) => {
                say(format_args!("nlctl: WARNING: {loss}{}", feed.room(loss)));
                if !self.json {
                    return Ok(());
                }
                out.json_line(|json| {
                    json.begin_object();
                    json.field("event", "loss");
                    json.key("loss");
                    loss_fields(json, "type", *loss);
                    json.end_object();
                })
            }
            Told::Unattributed { nsid, events } => {
                say(format_args!(
                    "nlctl: WARNING: {events} events of the namespace that had, or of that which \
                     has, nsid {nsid}; listing again"
                ));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn item(
        &self,
        out: &mut Out,
        feed: &Feed,
        namespace: &Namespace,
        item: &Item<Flow>,
    ) -> Result<(), Error> {
        let entry = |flow: &Flow| NatEntry::of(0, flow);
        match item {
            Item::Listed { .. } => {
                let flows = feed.mirror(namespace).into_iter().flat_map(Mirror::iter);
                for entry in flows.filter_map(entry) {
                    self.entry(out, "list", namespace, &entry)?;
                    out.relieve()?;
                }
                Ok(())
            }
            Item::Change(change) => {
                let (old, new) = match change {
                    Change::Added(new) => (None, entry(new)),
                    Change::Changed { old, new } => (entry(old), entry(new)),
                    Change::Removed(old) => (entry(old), None),
                };
                if old == new {
                    return Ok(());
                }
                if let Some(old) = old {
                    self.entry(out, "end", namespace, &old)?;
                }
                new.map_or(Ok(()), |new| self.entry(out, "new", namespace, &new))
            }
            Item::Lost(loss) => {
                self.warn(namespace, &format_args!("{loss}{}", feed.room(loss)));
                let write = |json: &mut Json<'_>| {
                    json.key("loss");
                    loss_fields(json, "type", *loss);
                };
                if self.json { self.line(out, "loss", namespace, write, "") } else { Ok(()) }
            }
            Item::Resynced { added, removed, changed, .. } => {
                let write = |json: &mut Json<'_>| {
                    json.field("added", *added as u64);
                    json.field("removed", *removed as u64);
                    json.field("changed", *changed as u64);
                };
                if self.json { self.line(out, "resync", namespace, write, "") } else { Ok(()) }
            }
            Item::Full { .. } => {
                self.warn(namespace, &"no memory for more connections; others are missing");
                Ok(())
            }
            Item::Forgotten(flow) => {
                entry(flow).map_or(Ok(()), |entry| self.entry(out, "forgotten", namespace, &entry))
            }
            // All namespaces have the same.
            Item::Filtered(filter) if namespace.own => {
                say_filter(filter);
                let write = |json: &mut Json<'_>| {
                    json.field("passes", filter.level().word());
                    json.field("ppm", ppm(filter.rate()));
                };
                if self.json { self.line(out, "filter", namespace, write, "") } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    fn warn(&self, namespace: &Namespace, text: &dyn std::fmt::Display) {
        if self.all {
            say(format_args!("nlctl: WARNING: {namespace}: {text}"));
        } else {
            say(format_args!("nlctl: WARNING: {text}"));
        }
    }

    fn entry(
        &self,
        out: &mut Out,
        event: &str,
        namespace: &Namespace,
        entry: &NatEntry,
    ) -> Result<(), Error> {
        self.line(out, event, namespace, |json| fields(json, entry), &format!("{entry}"))
    }

    fn line(
        &self,
        out: &mut Out,
        event: &str,
        namespace: &Namespace,
        write: impl FnOnce(&mut Json<'_>),
        text: &str,
    ) -> Result<(), Error> {
        if self.json {
            return out.json_line(|json| {
                json.begin_object();
                json.field("event", event);
                if self.all {
                    json.key("namespace");
                    namespace_json(json, namespace);
                }
                write(json);
                json.end_object();
            });
        }
        monitor::time(out.text(), self.options);
        out.append(format_args!("{:<6} ", format!("[{}]", event.to_ascii_uppercase())));
        if self.all {
            let colon = if text.is_empty() { "" } else { ": " };
            out.append(format_args!("{namespace}{colon}"));
        }
        out.append(format_args!("{text}"));
        out.end_line()
    }
}
