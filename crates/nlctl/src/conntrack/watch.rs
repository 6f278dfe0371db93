//! `nlctl conntrack watch`: events as `conntrack -E` prints them, and losses as events.

use nl_conntrack::{Event, ExpectationEvent, groups, tables, text};
use nl_socket::host::{Interrupts, Woken};
use nl_socket::{Events, Loss, Wait};
use nl_wire::Message;
use nl_wire::json::Json;
use nl_wire::value::Family;

use super::program::program;
use super::{Format, Selection, expectations, flag, number};
use crate::args::{Flag, Options};
use crate::error::{CONNTRACK, Error, say, say_loss, word};
use crate::kernel;
use crate::out::Out;

/// The options that choose events.
pub(crate) static WATCH_FLAGS: [Flag; 2] = [
    flag('e', &["event-mask"], "EVENTS", "ALL, NEW, UPDATES, DESTROY, joined by commas"),
    flag('b', &["buffer-size"], "BYTES", "receive buffer; a larger one loses events later"),
];

/// After so many events in a row a signal is looked for.
const PATIENCE: u32 = 256;

/// `nlctl conntrack watch`
pub(crate) fn watch(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let expectations = expectations(options)?;
    let watch = Watch {
        selection: Selection::new(options)?,
        format: Format::new(options, &[])?,
        json: options.has("json"),
        expectations,
    };
    let failed = |error: std::io::Error| Error::io("cannot follow events", &error);
    let interrupts = Interrupts::new().map_err(failed)?;
    let mut events = open(options, expectations)?;
    let (mut shown, mut in_a_row) = (0_u64, 0);
    loop {
        match events.next(Wait::Never).map_err(failed)? {
            Some(nl_socket::Event::Message { message, .. }) => {
                kernel::trace(options, message, &tables::PROTOCOL);
                match watch.read(&message) {
                    Ok(None) => {}
                    Ok(Some(seen)) => {
                        watch.show(out, &seen)?;
                        shown += 1;
                    }
                    Err(error) => watch.loss(out, Loss::Undecodable(error))?,
                }
                in_a_row += 1;
                if in_a_row < PATIENCE {
                    continue;
                }
            }
            Some(nl_socket::Event::Loss(loss)) => {
                watch.loss(out, loss)?;
                continue;
            }
            None => {}
        }
        out.flush()?;
        let wait = if in_a_row < PATIENCE { Wait::Forever } else { Wait::Never };
        in_a_row = 0;
        if let Woken::Signal(_) = interrupts.wait(&events, wait).map_err(failed)? {
            break;
        }
    }
    let what = if expectations { "expectation" } else { "flow" };
    say(format_args!("{CONNTRACK}{shown} {what} events have been shown."));
    Ok(0)
}

fn open(options: &Options, expectations: bool) -> Result<Events, Error> {
    let all = if expectations { groups::EXPECTATIONS } else { groups::FLOWS };
    let [new, update, destroy] = all;
    let mut wanted = Vec::new();
    for typed in options.list("event-mask") {
        match &*typed.to_ascii_uppercase() {
            "ALL" => wanted.extend(all),
            "NEW" => wanted.push(new),
            "UPDATES" => wanted.push(update),
            "DESTROY" => wanted.push(destroy),
            _ => return Err(Error::parameter(format_args!("Bad parameter `{}'", word(typed)))),
        }
    }
    if wanted.is_empty() {
        wanted.extend(all);
    }
    let size: Option<usize> =
        options.value("buffer-size").map(|typed| number(typed, typed)).transpose()?;
    kernel::follow(Family::NETFILTER, &wanted, options, |socket| {
        if let Some(size) = size {
            let set = socket.set_receive_buffer(size);
            let size = set.map_err(|error| Error::io("cannot set the buffer size", &error))?;
            say(format_args!("NOTICE: Netlink socket buffer size has been set to {size} bytes."));
        }
        Ok(())
    })
}

enum Seen {
    Flow(Event),
    Expectation(ExpectationEvent),
}

struct Watch {
    selection: Selection,
    format: Format,
    json: bool,
    expectations: bool,
}

impl Watch {
    /// Reads an event, if it is one of those wanted.
    fn read(&self, message: &Message<'_>) -> Result<Option<Seen>, nl_wire::Error> {
        Ok(if self.expectations {
            ExpectationEvent::decode(message)?.map(Seen::Expectation)
        } else {
            let event = Event::decode(message)?;
            event.filter(|event| self.selection.admits(&event.flow)).map(Seen::Flow)
        })
    }

    fn show(&self, out: &mut Out, seen: &Seen) -> Result<(), Error> {
        if self.json {
            return out.json_line(|json| match seen {
                Seen::Flow(event) => json.value(event),
                Seen::Expectation(event) => json.value(event),
            });
        }
        let now = super::now();
        let received = self.format.received(now);
        match seen {
            Seen::Flow(event) => {
                let program = if event.port == 0 { None } else { program(event.port) };
                let options = self.format.at(now);
                text::event(out.text(), event, received, program.as_deref(), &options);
            }
            Seen::Expectation(event) => text::expectation_event(out.text(), event, received),
        }
        out.end_line()
    }

    fn loss(&self, out: &mut Out, loss: Loss) -> Result<(), Error> {
        say_loss(loss);
        if self.json { out.json_line(|json| loss_fields(json, "event", loss)) } else { Ok(()) }
    }
}

/// A loss as an item among others: `{"event": "loss", "reason": …}`, with the number of messages
/// lost where the kernel gives one.
pub(crate) fn loss_fields(json: &mut Json<'_>, key: &str, loss: Loss) {
    let reason = match loss {
        Loss::Overrun { .. } => "overrun",
        Loss::Truncated { .. } => "truncated",
        Loss::Foreign { .. } => "foreign",
        Loss::Damaged(_) => "damaged",
        Loss::Undecodable(_) => "undecodable",
        _ => "other",
    };
    json.begin_object();
    json.field(key, "loss");
    json.field("reason", reason);
    if let Loss::Overrun { dropped: dropped @ 1.. } = loss {
        json.field("dropped", dropped);
    }
    json.field("text", format_args!("{loss}"));
    json.end_object();
}
