//! Listing the table of one namespace while those of all others are followed.

use std::sync::Arc;
use std::time::Instant;

use nl_socket::{Connection, Error};
use nl_wire::request::Mode;
use nl_wire::table::Protocol;
use nl_wire::{Flags, Message, Request, Writer};

use super::{Consumer, Doing, Key, Namespace, NamespaceError, OWN, TURNS, ids};
use crate::object::Object;
use crate::watch::STRIDE;

/// A request whose replies are counted and not looked at.
struct Discard<R>(R);

impl<R: Request> Request for Discard<R> {
    type Item = ();
    const MODE: Mode = R::MODE;

    fn protocol(&self) -> &'static Protocol {
        self.0.protocol()
    }

    fn message_type(&self) -> u16 {
        self.0.message_type()
    }

    fn flags(&self) -> Flags {
        self.0.flags()
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), nl_wire::Error> {
        self.0.write(writer)
    }

    fn read(&self, _: &Message<'_>) -> Result<Option<()>, nl_wire::Error> {
        Ok(Some(()))
    }
}

impl<O: Object + Clone> Consumer<O> {
    /// Lists the table of a namespace.
    ///
    /// # Errors
    /// Not of the list, which are told, but of following the events meanwhile.
    pub(super) fn list(&mut self, key: Key) -> Result<(), Error> {
        let Some(slot) = self.slots.get_mut(&key) else { return Ok(()) };
        slot.engine.begin(Instant::now());
        let request = slot.engine.object().list();
        let result = self.read(key, request, |slot, item| match item {
            Ok(item) => slot.engine.listed(item),
            Err(loss) => slot.engine.list_lost(loss),
        });
        let result = result.and_then(|result| Ok((result, self.pump_all()?)));
        let (result, all, fatal) = match result {
            Ok((result, all)) => (result, all, Ok(())),
            Err(error) => (Ok(()), false, Err(error)),
        };
        if let Some(slot) = self.slots.get_mut(&key) {
            match &result {
                Ok(()) if fatal.is_ok() => slot.engine.end(Instant::now()),
                _ => slot.engine.fail(Instant::now()),
            }
            if all {
                slot.engine.caught_up();
            }
        }
        match result {
            // Its paths may be out of date, and its end be told soon.
            Err(None) => self.rescan_soon(),
            Err(Some(error)) => self.fail(key, error),
            Ok(()) => {}
        }
        self.has_items(key);
        fatal
    }

    /// Lists the tables of all namespaces and throws away what comes, unread: for those who want the
    /// kernel to walk its tables. Gives the number of messages for each namespace that can be
    /// entered. Events are followed meanwhile.
    ///
    /// # Errors
    /// As [`Consumer::next`].
    #[expect(clippy::type_complexity, reason = "a list of pairs")]
    pub fn discard(&mut self) -> Result<Vec<(Arc<Namespace>, Result<u64, NamespaceError>)>, Error> {
        let keys: Vec<Key> = self.slots.keys().copied().collect();
        let mut counts = Vec::new();
        for key in keys {
            let Some(slot) = self.slots.get(&key) else { continue };
            let (namespace, mut count) = (Arc::clone(&slot.namespace), 0_u64);
            let request = Discard(slot.engine.object().list());
            match self.read(key, request, |_, item| count += u64::from(item.is_ok()))? {
                Ok(()) => counts.push((namespace, Ok(count))),
                Err(Some(error)) => counts.push((namespace, Err(error))),
                Err(None) => {}
            }
        }
        Ok(counts)
    }

    /// Reads a dump of a namespace's, and hears what there is to hear meanwhile. Without an error in
    /// the inner result there is no way in.
    fn read<R: Request>(
        &mut self,
        key: Key,
        request: R,
        mut take: impl FnMut(&mut super::Slot<O>, Result<R::Item, nl_socket::Loss>),
    ) -> Result<Result<(), Option<NamespaceError>>, Error> {
        let mut connection = match self.connect(key) {
            Ok(connection) => connection,
            Err(error) => return Ok(Err(error)),
        };
        let result = self.read_from(key, &mut connection, request, &mut take);
        if key == OWN {
            self.own = Some(connection);
        }
        Ok(result?.map_err(NamespaceError::new(Doing::List)).map_err(Some))
    }

    fn read_from<R: Request>(
        &mut self,
        key: Key,
        connection: &mut Connection,
        request: R,
        take: &mut impl FnMut(&mut super::Slot<O>, Result<R::Item, nl_socket::Loss>),
    ) -> Result<Result<(), Error>, Error> {
        let started = self.prototype.settle(connection).and_then(|()| connection.start(request));
        let replies = match started {
            Ok(replies) => replies,
            Err(error) => return Ok(Err(error)),
        };
        for (index, item) in replies.enumerate() {
            // It may have ended meanwhile.
            let Some(slot) = self.slots.get_mut(&key) else { return Ok(Ok(())) };
            match item {
                Ok(item) => take(slot, Ok(item)),
                Err(Error::Lost(loss)) => take(slot, Err(loss)),
                Err(error) => return Ok(Err(error)),
            }
            if index % STRIDE == STRIDE - 1 {
                self.pump_all()?;
            }
        }
        Ok(Ok(()))
    }

    /// Hears all that there is, unless it does not end; whether it did.
    fn pump_all(&mut self) -> Result<bool, Error> {
        let mut all = false;
        for _ in 0..TURNS {
            all = !self.pump()?;
            if all {
                break;
            }
        }
        self.govern(Instant::now())?;
        Ok(all)
    }

    /// A connection in a namespace; without an error if no way leads there.
    fn connect(&mut self, key: Key) -> Result<Connection, Option<NamespaceError>> {
        let enter = NamespaceError::new(Doing::Enter);
        let timeout = Some(self.options.timeout);
        let connection = if let Some(own) = self.own.take_if(|_| key == OWN) {
            Ok(own)
        } else {
            let namespace = self.slots.get(&key).map(|slot| &slot.namespace);
            let netns = namespace.and_then(|this| ids::open(this.id, &this.paths));
            Connection::open_in(O::FAMILY, &netns.ok_or(None)?)
        };
        let mut connection = connection.map_err(enter).map_err(Some)?;
        connection.set_timeout(timeout);
        if let Some(tracer) = self.options.tracer {
            connection.set_tracer(Some(Box::new(tracer)));
        }
        Ok(connection)
    }
}
