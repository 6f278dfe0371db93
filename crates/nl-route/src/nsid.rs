//! Ids of network namespaces: the numbers by which one namespace knows others
//! (`struct rtgenmsg`, `NETNSA_*`, linux/net_namespace.h).
//!
//! An id means something in one namespace only: two may number a third differently, and most give
//! it none. Ids are given by a request ([`AssignNsid`]) or by the kernel when a link spans
//! namespaces; the lowest free one, so that an id is soon that of another namespace.

use nl_wire::error::Problem;
use nl_wire::request::{Mode, Request};
use nl_wire::table::Protocol;
use nl_wire::{Attrs, Error, Message, Writer};

use crate::tables::other::{
    NETNSA, NETNSA_CURRENT_NSID, NETNSA_FD, NETNSA_NSID, NETNSA_PID, NETNSA_TARGET_NSID,
};
use crate::tables::{NSIDS, RTM_DELNSID, RTM_GETNSID, RTM_NEWNSID};

/// `struct rtgenmsg` and its padding: strict checking takes no less.
const RTGENMSG_LEN: usize = 4;

/// What the kernel says for "no id" (`NETNSA_NSID_NOT_ASSIGNED`).
const NOT_ASSIGNED: i32 = -1;

/// The id of a namespace, as a reply or an event tells it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Nsid {
    /// `NETNSA_NSID`: the id; `None` if the namespace has none.
    pub id: Option<i32>,
    /// `NETNSA_CURRENT_NSID`: the id of the same namespace in the one that asks, if ids of another
    /// were asked for.
    pub current: Option<i32>,
}

/// What became of an id (group [`NSID`](crate::Group::NSID)).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NsidEvent {
    /// A namespace was given this id.
    Assigned(i32),
    /// The namespace with this id ended; the id may be given anew at once.
    Released(i32),
}

/// How a request says which namespace it means.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum NsidTarget {
    /// By an open descriptor of it, in the process that sends (`NETNSA_FD`).
    Fd(i32),
    /// By a process in it (`NETNSA_PID`).
    Process(u32),
    /// By its id (`NETNSA_NSID`).
    Id(i32),
}

impl NsidTarget {
    fn write(self, writer: &mut Writer<'_>) {
        match self {
            Self::Fd(fd) => writer.i32(NETNSA_FD, fd),
            Self::Process(pid) => writer.u32(NETNSA_PID, pid),
            Self::Id(id) => writer.i32(NETNSA_NSID, id),
        }
    }
}

impl Nsid {
    /// Reads an `RTM_NEWNSID` or `RTM_DELNSID`.
    ///
    /// # Errors
    /// [`Problem::MessageType`] for any other message, [`Problem::Missing`] without an id.
    pub fn decode(message: &Message<'_>) -> Result<Self, Error> {
        match message.header.message_type {
            RTM_NEWNSID | RTM_DELNSID => {}
            found => return Err(Problem::MessageType { found }.into()),
        }
        Self::decode_body(message.body()).map_err(|error| error.in_table(&NETNSA))
    }

    fn decode_body(body: &[u8]) -> Result<Self, Error> {
        let (_, mut attrs) = Attrs::behind(body, RTGENMSG_LEN)?;
        let (mut id, mut current) = (None, None);
        while let Some(attr) = attrs.step() {
            match attr.number() {
                NETNSA_NSID => id = Some(attr.i32()?),
                NETNSA_CURRENT_NSID => current = Some(attr.i32()?),
                _ => {}
            }
        }
        attrs.finish()?;
        let assigned = |id: &i32| *id != NOT_ASSIGNED;
        let id = id.ok_or(Error::missing(NETNSA_NSID))?;
        Ok(Self { id: Some(id).filter(assigned), current: current.filter(assigned) })
    }
}

impl Nsid {
    /// Writes `struct rtgenmsg` and the attributes, as the kernel orders them.
    pub fn encode(&self, writer: &mut Writer<'_>) {
        writer.fixed(&[0; RTGENMSG_LEN]);
        writer.i32(NETNSA_NSID, self.id.unwrap_or(NOT_ASSIGNED));
        if let Some(current) = self.current {
            writer.i32(NETNSA_CURRENT_NSID, current);
        }
    }
}

impl NsidEvent {
    /// Reads an event; `None` if it is about another kind of object.
    ///
    /// # Errors
    /// If the message is damaged.
    pub fn decode(message: &Message<'_>) -> Result<Option<Self>, Error> {
        let event = match message.header.message_type {
            RTM_NEWNSID => Self::Assigned,
            RTM_DELNSID => Self::Released,
            _ => return Ok(None),
        };
        Ok(Nsid::decode(message)?.id.map(event))
    }
}

fn read(message: &Message<'_>) -> Result<Option<Nsid>, Error> {
    if message.header.message_type == RTM_NEWNSID {
        Nsid::decode(message).map(Some)
    } else {
        Ok(None)
    }
}

/// Asks for the id of a namespace.
///
/// One without an id is no error, but an id that is not given is the kernel's `EINVAL`.
///
/// ```
/// use nl_route::nsid::{GetNsid, NsidTarget};
/// use nl_wire::Request;
///
/// let mut bytes = Vec::new();
/// GetNsid { of: NsidTarget::Process(1) }.encode(1, &mut bytes)?;
/// assert_eq!(bytes.len(), 16 + 4 + 8);
/// # Ok::<(), nl_wire::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GetNsid {
    /// Which namespace.
    pub of: NsidTarget,
}

impl Request for GetNsid {
    type Item = Nsid;
    const MODE: Mode = Mode::Get;

    fn protocol(&self) -> &'static Protocol {
        &NSIDS
    }

    fn message_type(&self) -> u16 {
        RTM_GETNSID
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&[0; RTGENMSG_LEN]);
        self.of.write(writer);
        Ok(())
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<Nsid>, Error> {
        read(message)
    }
}

/// Lists the ids that this namespace, or another, gives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct ListNsids {
    /// `NETNSA_TARGET_NSID`: the namespace whose ids are meant; `None` is this one.
    pub target: Option<i32>,
}

impl Request for ListNsids {
    type Item = Nsid;
    const MODE: Mode = Mode::Dump;

    fn protocol(&self) -> &'static Protocol {
        &NSIDS
    }

    fn message_type(&self) -> u16 {
        RTM_GETNSID
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&[0; RTGENMSG_LEN]);
        if let Some(target) = self.target {
            writer.i32(NETNSA_TARGET_NSID, target);
        }
        Ok(())
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<Nsid>, Error> {
        read(message)
    }
}

/// Gives a namespace an id in this one, for as long as both live: it can't be changed or taken away.
///
/// `EEXIST` if it has one, or another has this id. Needs `CAP_NET_ADMIN`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct AssignNsid {
    /// Which namespace: by descriptor or process.
    pub to: NsidTarget,
    /// The id; `None` leaves it to the kernel, which takes the lowest free.
    pub id: Option<i32>,
}

impl Request for AssignNsid {
    type Item = ();
    const MODE: Mode = Mode::Change;

    fn protocol(&self) -> &'static Protocol {
        &NSIDS
    }

    fn message_type(&self) -> u16 {
        RTM_NEWNSID
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        writer.fixed(&[0; RTGENMSG_LEN]);
        self.to.write(writer);
        writer.i32(NETNSA_NSID, self.id.unwrap_or(NOT_ASSIGNED));
        Ok(())
    }

    fn read(&self, _: &Message<'_>) -> Result<Option<()>, Error> {
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use nl_wire::header::Header;
    use nl_wire::{Flags, write};

    use super::*;

    fn message(message_type: u16, attrs: &[(u16, i32)]) -> Vec<u8> {
        let header = Header { length: 0, message_type, flags: Flags(0), sequence: 0, port: 0 };
        let mut bytes = Vec::new();
        write::message(&mut bytes, header, |writer| {
            writer.fixed(&[0; RTGENMSG_LEN]);
            for (number, value) in attrs {
                writer.i32(*number, *value);
            }
            Ok(())
        })
        .unwrap();
        bytes
    }

    #[test]
    fn replies_and_events_are_read() {
        let bytes = message(RTM_NEWNSID, &[(NETNSA_NSID, 7), (NETNSA_CURRENT_NSID, -1)]);
        let decoded = Message::decode(&bytes).unwrap();
        assert_eq!(Nsid::decode(&decoded), Ok(Nsid { id: Some(7), current: None }));
        assert_eq!(NsidEvent::decode(&decoded), Ok(Some(NsidEvent::Assigned(7))));

        let bytes = message(RTM_DELNSID, &[(NETNSA_NSID, 0)]);
        let decoded = Message::decode(&bytes).unwrap();
        assert_eq!(NsidEvent::decode(&decoded), Ok(Some(NsidEvent::Released(0))));
        assert_eq!(ListNsids::default().read(&decoded), Ok(None));

        let bytes = message(RTM_NEWNSID, &[(NETNSA_NSID, -1)]);
        let get = GetNsid { of: NsidTarget::Fd(3) };
        assert_eq!(get.read(&Message::decode(&bytes).unwrap()), Ok(Some(Nsid::default())));

        let bytes = message(RTM_NEWNSID, &[]);
        assert!(Nsid::decode(&Message::decode(&bytes).unwrap()).is_err());
        for length in 0..bytes.len() {
            assert!(Message::decode(&bytes[..length]).is_err());
        }
        let bytes = message(16, &[(NETNSA_NSID, 1)]);
        assert_eq!(NsidEvent::decode(&Message::decode(&bytes).unwrap()), Ok(None));
    }

    #[test]
    fn requests_are_written() {
        let encode = |request: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = Vec::new();
            request(&mut bytes);
            bytes.split_off(16 + RTGENMSG_LEN)
        };
        let attr = |number: u16, value: i32| {
            [&8_u16.to_ne_bytes()[..], &number.to_ne_bytes(), &value.to_ne_bytes()].concat()
        };
        let assign = AssignNsid { to: NsidTarget::Fd(9), id: None };
        let bytes = encode(&|out| assign.encode(1, out).unwrap());
        assert_eq!(bytes, [attr(NETNSA_FD, 9), attr(NETNSA_NSID, -1)].concat());
        let assign = AssignNsid { to: NsidTarget::Process(2), id: Some(5) };
        let bytes = encode(&|out| assign.encode(1, out).unwrap());
        assert_eq!(bytes, [attr(NETNSA_PID, 2), attr(NETNSA_NSID, 5)].concat());
        let list = ListNsids { target: Some(4) };
        assert_eq!(encode(&|out| list.encode(1, out).unwrap()), attr(NETNSA_TARGET_NSID, 4));
        let get = GetNsid { of: NsidTarget::Id(6) };
        assert_eq!(encode(&|out| get.encode(1, out).unwrap()), attr(NETNSA_NSID, 6));
    }
}
