//! What routes, links, addresses and later objects have in common.

use nl_wire::table::Protocol;
use nl_wire::{Error, Flags, Message, Writer};

use crate::filter::Filter;
use crate::route::Route;
use crate::tables::{ROUTES, RTM_DELROUTE, RTM_GETROUTE, RTM_NEWROUTE};

/// An object of rtnetlink: what one message of three types carries.
///
/// [`List`](crate::request::List) and [`Change`](crate::request::Change) work for every one.
pub trait Object: Sized {
    /// What narrows a list of these objects.
    type Filter: Filter<Self>;
    /// The tables of its messages.
    const PROTOCOL: &'static Protocol;
    /// The message type that makes one, and reports one.
    const NEW: u16;
    /// The message type that deletes one, and reports its end.
    const DELETE: u16;
    /// The message type that asks for them.
    const GET: u16;
    /// The message type that changes one: for nearly all that which makes one.
    const CHANGE: u16 = Self::NEW;

    /// The flags of a request that does `action` to one.
    fn flags(action: Action) -> Flags {
        action.flags()
    }

    /// Reads one from a message of any of the three types.
    ///
    /// # Errors
    /// If the message is of another type or damaged.
    fn decode(message: &Message<'_>) -> Result<Self, Error>;

    /// What `make` makes of [`Object::decode`]: made at once, where the caller wants it.
    #[inline]
    fn decode_as<O>(message: &Message<'_>, make: impl FnOnce(Result<Self, Error>) -> O) -> O {
        make(Self::decode(message))
    }

    /// Writes everything known of it: the body of a message that reports it.
    ///
    /// # Errors
    /// If a value can't be expressed on the wire.
    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error>;

    /// Writes the body of a request that does `action` to it.
    ///
    /// # Errors
    /// As [`Object::encode`].
    fn encode_change(&self, action: Action, writer: &mut Writer<'_>) -> Result<(), Error>;
}

/// What a request does to an object, and what an event tells of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// Makes it, unless it exists.
    Add,
    /// Makes it, in the place of what is there.
    Replace,
    /// Makes it behind those of the same key.
    Append,
    /// Makes it before those of the same key.
    Prepend,
    /// Changes it; it must exist. As an event: it is so now, whether new or changed.
    Change,
    /// Deletes it.
    Delete,
}

/// The flags that say each action; a delete says it by the message type.
const FLAGS: [(Action, Flags); 6] = [
    (Action::Add, Flags(Flags::CREATE.0 | Flags::EXCL.0)),
    (Action::Replace, Flags(Flags::CREATE.0 | Flags::REPLACE.0)),
    (Action::Append, Flags(Flags::CREATE.0 | Flags::APPEND.0)),
    (Action::Prepend, Flags::CREATE),
    (Action::Change, Flags::REPLACE),
    (Action::Delete, Flags(0)),
];

impl Action {
    /// The flags of a request for this action.
    pub fn flags(self) -> Flags {
        FLAGS.iter().find(|row| row.0 == self).map_or(Flags(0), |row| row.1)
    }

    /// The action that an event's message type and flags tell.
    ///
    /// The kernel writes `NLM_F_REPLACE` alone into events of replaced routes; other objects'
    /// events have no flags, which is a [`Action::Change`].
    pub fn of_event(message: &Message<'_>, delete: u16) -> Self {
        if message.header.message_type == delete {
            return Self::Delete;
        }
        let all = Flags::CREATE | Flags::EXCL | Flags::APPEND | Flags::REPLACE;
        let found = Flags(message.header.flags.0 & all.0);
        match FLAGS.iter().find(|row| row.1 == found) {
            Some((Self::Change, _)) => Self::Replace,
            Some((Self::Delete, _)) | None => Self::Change,
            Some((action, _)) => *action,
        }
    }
}

impl Object for Route {
    type Filter = crate::filter::RouteFilter;
    const PROTOCOL: &'static Protocol = &ROUTES;
    const NEW: u16 = RTM_NEWROUTE;
    const DELETE: u16 = RTM_DELROUTE;
    const GET: u16 = RTM_GETROUTE;

    #[inline]
    fn decode(message: &Message<'_>) -> Result<Self, Error> {
        Self::decode(message)
    }

    #[inline]
    fn decode_as<O>(message: &Message<'_>, make: impl FnOnce(Result<Self, Error>) -> O) -> O {
        Self::decode_as(message, make)
    }

    fn encode(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.encode(writer)
    }

    fn encode_change(&self, action: Action, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.encode_change(writer, action != Action::Delete)
    }
}
