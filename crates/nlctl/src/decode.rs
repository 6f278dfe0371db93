//! `nlctl decode`: recorded messages in every form.

use nl_route::Context;
use nl_wire::header::Flags;
use nl_wire::listing::Listing;
use nl_wire::value::Family;

use crate::args::{Flag, Options};
use crate::conntrack::Format;
use crate::error::{Error, USAGE, word};
use crate::message::{self, Object};
use crate::names;
use crate::out::Out;

mod input;
use input::Input;

/// The options of this command.
pub(crate) static FLAGS: [Flag; 2] = [
    Flag {
        short: Some('o'),
        long: &["output"],
        value: Some("listing|hex|json|text|conntrack"),
        help: "the first without this; text and conntrack\nalso with ,extended,id,ktimestamp,timestamp,labels",
    },
    Flag {
        short: None,
        long: &["protocol"],
        value: Some("PROTOCOL"),
        help: "route, netfilter, generic, … or a number; of a pcap file only these",
    },
];

/// What there is to say of this command.
pub(crate) const HELP: &str = "\
FILE is a pcap file of link type 253 (netlink), as tcpdump and Wireshark write it for an nlmon
interface, or messages back to back, for which --protocol says what they are; - is stdin.

  listing    a tree, one attribute a line
  hex        every byte, with the name of its field behind #
  json       one object a message: {\"type\":\"RTM_NEWROUTE\",\"object\":{…}}; the inner object is
             what ip -j and nlctl conntrack list -j print, of addresses index, dev and what ip
             puts into addr_info. An ack has errno, name, text and what the kernel says of the
             reason; messages without an object, and types not known, have an empty one
  text       routes, links, addresses as ip monitor prints them, flows as conntrack does
  conntrack  flows and expectations: a message with NLM_F_MULTI as a line of conntrack -L, one
             without as a line of conntrack -E

Links are called what link messages anywhere in the file call them, or if7. Everything before a
damage is printed; a listing, which shows the damage, and requests, which the kernel has judged,
go on behind it.";

/// A form of output.
enum Form {
    Listing,
    Hex,
    Json,
    Text(Format),
    Conntrack(Format),
}

impl Form {
    fn new(options: &Options) -> Result<Self, Error> {
        let mut words = options.list("output").chain(["listing"]);
        let first = words.next().unwrap_or_default();
        let alone = options.list("output").nth(1).is_none();
        Ok(match first {
            "conntrack" => Self::Conntrack(Format::new(options, &["conntrack"])?),
            "text" => Self::Text(Format::new(options, &["text"])?),
            "listing" if alone => Self::Listing,
            "hex" if alone => Self::Hex,
            "json" if alone => Self::Json,
            _ => {
                let typed = options.value("output").unwrap_or_default();
                let text = "must be listing, hex, json, text or conntrack[,WORDS]";
                return Err(usage(format_args!("output form \"{}\" {text}", word(typed))));
            }
        })
    }
}

fn usage(text: impl std::fmt::Display) -> Error {
    Error::new(USAGE, format_args!("nlctl: {text}, try \"nlctl decode --help\"."))
}

/// `nlctl decode`
pub(crate) fn run(options: &Options, out: &mut Out) -> Result<u8, Error> {
    // -j is what it is elsewhere.
    let form = if options.has("json") { Form::Json } else { Form::new(options)? };
    let [file] = options.words() else {
        return Err(usage("name one file, or - for stdin"));
    };
    let protocol = options.value("protocol").map(protocol).transpose()?;
    let input = Input::read(file, protocol)?;
    let mut names = names::from_files(options);
    if matches!(form, Form::Json | Form::Text(_)) {
        // Links may be named later than they are used. A damage shows when it is reached.
        let _ = input.each(|item| {
            if let Ok(Object::Link(link)) = item.object() {
                if names.known_link(link.index).is_none() {
                    names.learn(&link);
                }
            }
            Ok(())
        });
    }
    let mut first_damage = None;
    input.each(|item| {
        let damaged = |error| input.undecodable(item, &error);
        if let Form::Listing | Form::Hex = form {
            let listing = Listing::new(&item.message, item.protocol());
            match form {
                Form::Hex => out.append(format_args!("{}", listing.hex())),
                _ => out.append(format_args!("{listing}")),
            }
            // It shows where the damage is, and what follows is whole again.
            if let Some(error) = listing.damage() {
                first_damage.get_or_insert_with(|| damaged(error));
            }
            return out.relieve();
        }
        if matches!(form, Form::Conntrack(_)) && item.family != Family::NETFILTER {
            return Ok(());
        }
        let object = match item.object() {
            Ok(object) => object,
            // Whoever sent it may have meant it: the kernel has judged it, and what follows is whole.
            Err(error) if item.message.header.flags.contains(Flags::REQUEST) => {
                first_damage.get_or_insert_with(|| damaged(error));
                Object::None
            }
            Err(error) => return Err(damaged(error)),
        };
        if let Object::Link(link) = &object {
            names.learn(link);
        }
        let context = names::context(&names, options);
        let context = Context { deleted: item.is_delete(), ..context };
        let text = out.text();
        match &form {
            Form::Json => message::json_line(text, item, &object, &context).map_err(damaged)?,
            Form::Text(_) if message::ip_text(text, &object, &context) => {}
            Form::Text(format) | Form::Conntrack(format) => {
                message::conntrack_line(text, &object, item.time, format);
            }
            Form::Listing | Form::Hex => {}
        }
        out.relieve()
    })?;
    first_damage.map_or(Ok(0), Err)
}

/// `route`, `netfilter`, …: a netlink protocol by its name in linux/netlink.h, or a number.
fn protocol(typed: &str) -> Result<Family, Error> {
    let named = Family::NAMES.number(typed).and_then(|number| u16::try_from(number).ok());
    named
        .or_else(|| typed.parse().ok())
        .map(Family)
        .ok_or_else(|| usage(format_args!("\"{}\" is no netlink protocol", word(typed))))
}
