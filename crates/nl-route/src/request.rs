//! Requests: to list, to get one, to change.

use core::net::IpAddr;

use nl_wire::request::{Mode, Request};
use nl_wire::table::Protocol;
use nl_wire::value::AddressFamily;
use nl_wire::{Error, Flags, Message, Writer};

use crate::filter::Filter as _;
use crate::object::{Action, Object};
use crate::prefix::Prefix;
use crate::route::{RTMSG_LEN, Route};
use crate::tables::route::{
    RTA_DPORT, RTA_DST, RTA_FLOWLABEL, RTA_IIF, RTA_IP_PROTO, RTA_MARK, RTA_OIF, RTA_SPORT,
    RTA_SRC, RTA_UID,
};
use crate::tables::{ROUTES, RTM_GETROUTE};
use crate::value::RouteFlags;

#[cfg(feature = "link")]
pub use crate::link::request::{GetLink, LinkNames, NAME_LENGTH_MAX};

/// Asks for all objects of a kind that a filter admits.
///
/// ```
/// use nl_route::{AddressFamily, Route, filter::RouteFilter, request::List};
///
/// let all = List::<Route>::default();
/// let ipv6 = List::<Route> {
///     filter: RouteFilter { family: AddressFamily::INET6, ..RouteFilter::default() },
/// };
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct List<T: Object> {
    /// What narrows the list.
    pub filter: T::Filter,
}

impl<T: Object> Default for List<T> {
    /// All of them.
    fn default() -> Self {
        Self { filter: T::Filter::default() }
    }
}

impl<T: Object> Request for List<T> {
    type Item = T;
    const MODE: Mode = Mode::Dump;

    fn protocol(&self) -> &'static Protocol {
        T::PROTOCOL
    }

    fn message_type(&self) -> u16 {
        T::GET
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.filter.write(writer)
    }

    #[inline]
    fn read(&self, message: &Message<'_>) -> Result<Option<T>, Error> {
        // The dump of one family may bring another's messages; only those asked for count.
        if message.header.message_type != T::NEW {
            return Ok(None);
        }
        let object = T::decode(message)?;
        // Not by `then_some`, which moves the object whether it is wanted or not.
        if self.filter.admits(&object) { Ok(Some(object)) } else { Ok(None) }
    }

    #[inline]
    fn is_plain(&self, message: &Message<'_>) -> bool {
        message.header.message_type == T::NEW && self.filter.admits_any(message)
    }

    #[inline]
    fn read_as<O>(
        &self,
        message: &Message<'_>,
        make: impl FnOnce(Result<Option<T>, Error>) -> O,
    ) -> O {
        if self.is_plain(message) {
            T::decode_as(message, |object| make(object.map(Some)))
        } else {
            make(self.read(message))
        }
    }
}

/// Does something to an object; as an event, tells what was done to it.
///
/// One type for all actions, so that a batch can mix them.
///
/// ```
/// use nl_route::{Route, request::Change};
///
/// let destination = Some("10.0.0.0/8".parse()?);
/// let route = Route { destination, oif: Some(2), ..Route::default() };
/// let batch = [Change::replace(route.clone()), Change::delete(route)];
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Change<T> {
    /// What is done.
    pub action: Action,
    /// To what.
    pub object: T,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident = $action:ident;)*) => {
        // The word of ip.
        #[allow(clippy::self_named_constructors)]
        impl<T> Change<T> {
            $(
                $(#[$doc])*
                pub const fn $name(object: T) -> Self {
                    Self { action: Action::$action, object }
                }
            )*
        }
    };
}

constructors! {
    /// Makes it; one that exists is the kernel's `EEXIST`.
    add = Add;
    /// Makes it, in the place of the first of the same key.
    ///
    /// The key of an IPv4 route is prefix, type of service and metric: with another metric this
    /// adds.
    replace = Replace;
    /// Makes it behind those of the same key. An IPv6 route becomes a further hop of the one there.
    append = Append;
    /// Makes it before those of the same key.
    prepend = Prepend;
    /// Changes the first of the same key; none is the kernel's `ENOENT`.
    change = Change;
    /// Deletes it; none is the kernel's `ESRCH` (routes), `ENODEV` or `EADDRNOTAVAIL`.
    ///
    /// Of a route only what is given counts: without a metric the first of its prefix goes. A route
    /// that was read is deleted exactly.
    delete = Delete;
}

impl<T: Object> Request for Change<T> {
    type Item = ();
    const MODE: Mode = Mode::Change;

    fn protocol(&self) -> &'static Protocol {
        T::PROTOCOL
    }

    fn message_type(&self) -> u16 {
        match self.action {
            Action::Delete => T::DELETE,
            Action::Change => T::CHANGE,
            _ => T::NEW,
        }
    }

    fn flags(&self) -> Flags {
        T::flags(self.action)
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        self.object.encode_change(self.action, writer)
    }

    fn read(&self, _: &Message<'_>) -> Result<Option<()>, Error> {
        Ok(None)
    }
}

/// Asks which way a packet would go (`ip route get`).
///
/// Without a way the kernel refuses: `ENETUNREACH`, `EHOSTUNREACH` or what the route's type says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GetRoute {
    /// Where the packet goes to.
    pub destination: IpAddr,
    /// Where it comes from.
    pub source: Option<IpAddr>,
    /// The index of the interface that it comes in by; without one it is this host's own.
    pub iif: Option<u32>,
    /// The index of the interface that it shall leave by.
    pub oif: Option<u32>,
    /// Its firewall mark.
    pub mark: Option<u32>,
    /// The user that sends it.
    pub uid: Option<u32>,
    /// Its type of service.
    pub tos: u8,
    /// Its transport protocol.
    pub ip_proto: Option<u8>,
    /// Its source port.
    pub source_port: Option<u16>,
    /// Its destination port.
    pub destination_port: Option<u16>,
    /// The IPv6 flow label.
    pub flow_label: Option<u32>,
    /// Whether to answer with the entry of the table instead of the way taken.
    pub fib_match: bool,
    /// Whether to tell of changes of the way (`RTM_F_NOTIFY`), which only old kernels do.
    pub notify: bool,
}

impl GetRoute {
    /// The way of this host's own packets to `destination`.
    pub const fn new(destination: IpAddr) -> Self {
        Self {
            destination,
            source: None,
            iif: None,
            oif: None,
            mark: None,
            uid: None,
            tos: 0,
            ip_proto: None,
            source_port: None,
            destination_port: None,
            flow_label: None,
            fib_match: false,
            notify: false,
        }
    }
}

impl Request for GetRoute {
    type Item = Route;
    const MODE: Mode = Mode::Get;

    fn protocol(&self) -> &'static Protocol {
        &ROUTES
    }

    fn message_type(&self) -> u16 {
        RTM_GETROUTE
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        // IPv6 always tells the table, and refuses to be asked.
        let mut flags =
            if self.destination.is_ipv4() { RouteFlags::LOOKUP_TABLE } else { RouteFlags(0) };
        if self.fib_match {
            flags |= RouteFlags::FIB_MATCH;
        }
        if self.notify {
            flags |= RouteFlags::NOTIFY;
        }
        let mut header = [0; RTMSG_LEN];
        header[0] = AddressFamily::of(self.destination).0;
        header[1] = Prefix::host(self.destination).length;
        header[2] = self.source.map_or(0, |source| Prefix::host(source).length);
        header[3] = self.tos;
        header[8..].copy_from_slice(&flags.0.to_ne_bytes());
        writer.fixed(&header);
        writer.ip(RTA_DST, self.destination);
        if let Some(source) = self.source {
            writer.ip(RTA_SRC, source);
        }
        let numbers =
            [(RTA_IIF, self.iif), (RTA_OIF, self.oif), (RTA_MARK, self.mark), (RTA_UID, self.uid)];
        for (number, value) in numbers {
            if let Some(value) = value {
                writer.u32(number, value);
            }
        }
        if let Some(protocol) = self.ip_proto {
            writer.u8(RTA_IP_PROTO, protocol);
        }
        for (number, port) in [(RTA_SPORT, self.source_port), (RTA_DPORT, self.destination_port)] {
            if let Some(port) = port {
                writer.u16_be(number, port);
            }
        }
        if let Some(label) = self.flow_label {
            writer.u32_be(RTA_FLOWLABEL, label);
        }
        Ok(())
    }

    fn read(&self, message: &Message<'_>) -> Result<Option<Route>, Error> {
        Route::decode(message).map(Some)
    }
}
