//! Output as ip prints it: one description of each object, written as text or as JSON.

use alloc::string::String;
use core::fmt::{self, Write as _};

use nl_wire::json::{Json, ToJson};

use crate::names::Names;

/// Lets types that display nothing that others chose stand in JSON as they display.
macro_rules! words {
    ($($type:ty)*) => { $(
        impl nl_wire::json::ToJson for $type {
            fn to_json(&self, json: &mut nl_wire::json::Json<'_>) {
                json.display(self);
            }
        }
    )* };
}

mod address;
mod block;
mod bridge;
mod colors;
pub(crate) mod encap;
mod kind;
mod link;
mod membership;
mod multicast;
mod neighbour;
mod nexthop;
mod offload;
mod route;
mod rule;
mod settings;
mod traffic;

pub(crate) use address::{address, saved_address};
pub use block::Layout;
pub(crate) use block::{brief_link, link_with_addresses};
pub(crate) use bridge::{all_groups, forwarding, groups, vlans};
pub use colors::Colors;
pub(crate) use colors::Ink;
pub(crate) use kind::listed_tunnel as tunnel;
pub(crate) use link::link;
pub(crate) use membership::memberships;
pub(crate) use neighbour::{brief_neighbour, neighbour};
pub(crate) use nexthop::{bucket, nexthop};
pub(crate) use route::{METRICS, route};
pub(crate) use rule::rule;
pub use settings::Date;
pub(crate) use settings::{address_label, neighbour_table, netconf, nsid, router_prefix, token};
pub(crate) use traffic::{class, qdisc};

nl_wire::flag_set! {
    /// What a list's selector has settled, so that ip leaves it out of each line.
    pub struct Hidden(u16) "" {
        TABLE = 0x1,
        OIF = 0x2,
        IIF = 0x4,
        PROTOCOL = 0x8,
        SCOPE = 0x10,
        TOS = 0x20,
        GATEWAY = 0x40,
        PREFSRC = 0x80,
        PRIORITY = 0x100,
        REALMS = 0x200,
        /// Of programs and virtual functions of links what ip tells only in lists of links alone.
        PROGRAMS = 0x400,
        /// The link, of a list of addresses.
        LINK = 0x400,
    }
}

/// How to print.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The names of links, tables and so on.
    pub names: &'a Names,
    /// `ip -d`: also what is as usual, and what is technical.
    pub details: bool,
    /// How often `ip -s` is given: counters, and with two also rare ones.
    pub statistics: u8,
    /// `ip -o`: an object's lines are joined by backslashes.
    pub oneline: bool,
    /// `ip -c`: text in colours; JSON has none.
    pub colors: Colors,
    /// `ip -h`: large counters of links with three digits and a letter.
    pub units: Option<Units>,
    /// Whether the object is gone: ip puts `Deleted` before it.
    pub deleted: bool,
    /// What is not to be printed.
    pub hidden: Hidden,
    /// The local time in seconds since 1970, for dates that are told as times ago; without it they
    /// are left out.
    pub now: Option<i64>,
}

impl<'a> Context<'a> {
    /// As ip prints without options.
    pub const fn new(names: &'a Names) -> Self {
        Self {
            names,
            details: false,
            statistics: 0,
            oneline: false,
            colors: Colors::None,
            units: None,
            deleted: false,
            hidden: Hidden(0),
            now: None,
        }
    }

    fn shows(&self, what: Hidden) -> bool {
        !self.hidden.contains(what)
    }
}

/// What the letters behind large counters mean.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Units {
    /// `k` is a thousand.
    Decimal,
    /// `Ki` is 1,024.
    Binary,
}

/// What prints as a string: escaped for a terminal in text, as it is in JSON, which escapes by
/// itself.
pub(crate) trait Word: fmt::Display + ToJson {}

impl<T: fmt::Display + ToJson> Word for T {}

/// Where the description of an object goes.
pub(crate) enum Out<'a, 'b> {
    Text(&'a mut String),
    Json(&'a mut Json<'b>),
}

impl Out<'_, '_> {
    /// Text only; a `String` takes everything.
    pub(crate) fn text(&mut self, text: impl fmt::Display) {
        if let Self::Text(out) = self {
            let _ = write!(out, "{text}");
        }
    }

    /// A string: in text behind `label`, with a blank after it.
    pub(crate) fn string(&mut self, key: &str, label: &str, value: impl Word) {
        match self {
            Self::Text(out) => {
                let _ = write!(out, "{label}{value} ");
            }
            Self::Json(json) => {
                json.field(key, value);
            }
        }
    }

    /// A string: in text behind `label`, with nothing after it.
    pub(crate) fn value(&mut self, key: &str, label: &str, value: impl Word) {
        match self {
            Self::Text(out) => {
                let _ = write!(out, "{label}{value}");
            }
            Self::Json(json) => {
                json.field(key, value);
            }
        }
    }

    /// A number: in text behind `label`, with a blank after it.
    pub(crate) fn number(&mut self, key: &str, label: &str, value: impl fmt::Display) {
        self.number_with(key, label, value, " ");
    }

    /// A number: in text between `label` and `end`.
    pub(crate) fn number_with(
        &mut self,
        key: &str,
        label: &str,
        value: impl fmt::Display,
        end: &str,
    ) {
        match self {
            Self::Text(out) => {
                let _ = write!(out, "{label}{value}{end}");
            }
            Self::Json(json) => {
                json.key(key);
                json.number(value);
            }
        }
    }

    /// What is `true` or `false` in JSON and one of two words in text.
    pub(crate) fn either(&mut self, key: &str, value: bool, yes: &str, no: &str) {
        match self {
            Self::Text(out) => out.push_str(if value { yes } else { no }),
            Self::Json(json) => json.field(key, value),
        }
    }

    /// [`Out::string`] with the value, and the blank after it, in a colour.
    pub(crate) fn inked(
        &mut self,
        key: &str,
        label: &str,
        ink: Ink,
        value: impl Word,
        context: &Context<'_>,
    ) {
        if context.colors.code(ink).is_empty() {
            return self.string(key, label, value);
        }
        self.text(label);
        self.colored(ink, context, |out| out.string(key, "", value));
    }

    /// Text in a colour.
    pub(crate) fn colored(
        &mut self,
        ink: Ink,
        context: &Context<'_>,
        write: impl FnOnce(&mut Self),
    ) {
        match context.colors.code(ink) {
            "" => write(self),
            code => {
                self.text(code);
                write(self);
                self.text(colors::PLAIN);
            }
        }
    }

    /// An entry of an array of strings, in text followed by a blank.
    pub(crate) fn entry(&mut self, value: impl Word) {
        match self {
            Self::Text(out) => {
                let _ = write!(out, "{value} ");
            }
            Self::Json(json) => json.value(value),
        }
    }

    /// What is `null` in JSON, the key saying it all, and a word in text.
    pub(crate) fn null(&mut self, key: &str, text: impl fmt::Display) {
        self.text(text);
        self.json(|json| {
            json.key(key);
            json.null();
        });
    }

    /// Does something to the JSON only.
    pub(crate) fn json(&mut self, write: impl FnOnce(&mut Json<'_>)) {
        if let Self::Json(json) = self {
            write(json);
        }
    }

    pub(crate) fn begin_array(&mut self, key: &str) {
        self.json(|json| {
            json.key(key);
            json.begin_array();
        });
    }

    pub(crate) fn end_array(&mut self) {
        if let Self::Json(json) = self {
            json.end_array();
        }
    }

    pub(crate) fn begin_object(&mut self, key: &str) {
        self.json(|json| {
            json.key(key);
            json.begin_object();
        });
    }

    /// The start of an object in an array.
    pub(crate) fn begin_entry(&mut self) {
        if let Self::Json(json) = self {
            json.begin_object();
        }
    }

    pub(crate) fn end_object(&mut self) {
        if let Self::Json(json) = self {
            json.end_object();
        }
    }

    /// How much text there is, for [`Out::pad`].
    pub(crate) fn length(&self) -> usize {
        if let Self::Text(out) = self { out.len() } else { 0 }
    }

    /// Fills the text written since `start` up to a width, and adds a blank.
    pub(crate) fn pad(&mut self, start: usize, width: usize) {
        if let Self::Text(out) = self {
            let written = out.get(start..).map_or(0, |word| word.chars().count());
            out.extend(core::iter::repeat_n(' ', width.saturating_sub(written) + 1));
        }
    }

    /// A line break inside an object.
    pub(crate) fn line(&mut self, context: &Context<'_>) {
        self.text(if context.oneline { "\\" } else { "\n" });
    }

    /// The start of an object.
    pub(crate) fn begin(&mut self, context: &Context<'_>) {
        self.begin_entry();
        if context.deleted {
            self.either("deleted", true, "Deleted ", "");
        }
    }
}
