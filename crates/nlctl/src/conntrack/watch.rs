//! `nlctl conntrack watch`: events as `conntrack -E` prints them, and losses as events.

use nl_conntrack::parse::{Command, Line, Table};
use nl_conntrack::text::{XML_HEAD, XML_TAIL};
use nl_conntrack::{Event, EventFilter, ExpectationEvent, groups, tables, text};
use nl_socket::host::{Interrupts, Woken};
use nl_socket::{Events, Loss, Wait};
use nl_wire::Message;
use nl_wire::json::Json;
use nl_wire::value::Family;

use super::program::program;
use super::{Context, Format};
use crate::error::{CONNTRACK, Error, say, say_loss};
use crate::kernel;
use crate::out::Out;

/// After so many events in a row a signal is looked for.
const PATIENCE: u32 = 256;

/// Shows events until a signal comes.
pub(super) fn watch(context: &Context, line: &Line, out: &mut Out) -> Result<u8, Error> {
    let options = &context.options;
    let expectations = line.table == Table::Expect;
    let mut watch = Watch {
        line,
        format: context.format(line),
        json: options.has("json"),
        expectations,
        begun: false,
    };
    let failed = |error: std::io::Error| Error::io("cannot follow events", &error);
    let interrupts = Interrupts::new().map_err(failed)?;
    let mut events = open(context, line)?;
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
    if watch.begun {
        out.text().push_str(XML_TAIL);
        out.flush()?;
    }
    let what = if expectations { "expectation" } else { "flow" };
    say(format_args!("{CONNTRACK}{shown} {what} events have been shown."));
    Ok(0)
}

fn open(context: &Context, line: &Line) -> Result<Events, Error> {
    let all = if line.table == Table::Expect { groups::EXPECTATIONS } else { groups::FLOWS };
    let wanted = line.options.events.unwrap_or([true; 3]);
    let groups: Vec<u32> =
        all.into_iter().zip(wanted).filter(|row| row.1).map(|row| row.0).collect();
    kernel::follow(Family::NETFILTER, &groups, &context.options, |socket| {
        // What is not wanted costs nothing then: no place in the queue, no wake-up.
        let filter = line.options.event_filter();
        if line.table != Table::Expect && filter != EventFilter::default() {
            let program = filter.compile().map_err(Error::parameter)?;
            let attached = socket.attach_filter(&program);
            attached.map_err(|error| Error::io("cannot attach a filter", &error))?;
        }
        if let Some(size) = line.options.buffer_size {
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

struct Watch<'a> {
    line: &'a Line,
    format: Format,
    json: bool,
    expectations: bool,
    /// What stands before the first flow of XML was printed.
    begun: bool,
}

impl Watch<'_> {
    /// Reads an event, if it is one of those wanted.
    fn read(&self, message: &Message<'_>) -> Result<Option<Seen>, nl_wire::Error> {
        Ok(if self.expectations {
            ExpectationEvent::decode(message)?.map(Seen::Expectation)
        } else {
            let event = Event::decode(message)?;
            event
                .filter(|event| self.line.options.matches(&event.flow, Command::Event))
                .map(Seen::Flow)
        })
    }

    fn show(&mut self, out: &mut Out, seen: &Seen) -> Result<(), Error> {
        if self.json {
            return out.json_line(|json| match seen {
                Seen::Flow(event) => json.value(event),
                Seen::Expectation(event) => json.value(event),
            });
        }
        match seen {
            Seen::Flow(event) => {
                if self.format.output.xml && !self.begun {
                    self.begun = true;
                    out.text().push_str(XML_HEAD);
                }
                let program = if event.port == 0 { None } else { program(event.port) };
                self.format.event(out.text(), event, program.as_deref());
            }
            Seen::Expectation(event) => {
                text::expectation_event(out.text(), event, self.format.received(super::now()));
            }
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
