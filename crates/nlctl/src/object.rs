//! What the commands on rtnetlink's objects share: lists, single objects, changes.

use nl_route::names::Names;
use nl_route::{AddressFamily, Change, Context, Hidden, List, Object};
use nl_socket::{Connection, Loss};
use nl_wire::json::Json;
use nl_wire::value::Family;
use nl_wire::{Errno, Request};

use crate::args::Options;
use crate::error::{Error, REFUSED, say, say_warning};
use crate::kernel;
use crate::names;
use crate::out::Out;
use crate::route::terminated;

/// How objects of a kind are printed.
pub(crate) struct Printer<T> {
    /// As JSON.
    pub(crate) json: fn(&mut Json<'_>, &T, &Context<'_>),
    /// As text.
    pub(crate) text: fn(&mut String, &T, &Context<'_>),
}

/// A command under way.
pub(crate) struct Session<'o> {
    /// Its options.
    pub(crate) options: &'o Options,
    /// The words behind it.
    pub(crate) words: Vec<&'o str>,
    /// The address family that was asked for.
    pub(crate) family: AddressFamily,
    /// The names of this host and of all links.
    pub(crate) names: Names,
    /// To the kernel.
    pub(crate) connection: Connection,
}

impl<'o> Session<'o> {
    /// Reads the words, connects and learns names.
    ///
    /// # Errors
    /// If a word is not UTF-8, or the kernel can't be asked.
    pub(crate) fn start(options: &'o Options) -> Result<Self, Error> {
        let words = options.text_words()?;
        let family = options.family()?;
        let mut connection = kernel::connect(Family::ROUTE, options)?;
        let mut names = names::from_files(options);
        names::learn_links(&mut names, &mut connection)?;
        Ok(Self { options, words, family, names, connection })
    }

    /// Lists what `request` asks for.
    ///
    /// # Errors
    /// If the kernel refuses, or output can't be written.
    pub(crate) fn list<R: Request>(
        &mut self,
        out: &mut Out,
        printer: &Printer<R::Item>,
        request: R,
        hidden: Hidden,
    ) -> Result<u8, Error> {
        let context = Context { hidden, ..names::context(&self.names, self.options) };
        let objects = self.connection.dump(request).map_err(|error| terminated(&error))?;
        let mut rows = out.rows(self.options.has("json"), self.options.has("pretty"));
        let mut whole = true;
        for object in objects {
            match object {
                Ok(object) => rows.add(
                    |json| (printer.json)(json, &object, &context),
                    |text| (printer.text)(text, &object, &context),
                )?,
                Err(error) => whole &= tolerable(&error)?,
            }
        }
        rows.end()?;
        Ok(if whole { 0 } else { REFUSED })
    }

    /// Shows the answer to a request for one.
    ///
    /// # Errors
    /// As [`Session::list`].
    pub(crate) fn get<R: Request>(
        &mut self,
        out: &mut Out,
        printer: &Printer<R::Item>,
        request: R,
    ) -> Result<u8, Error> {
        let object = self.connection.get(request).map_err(|error| Error::rtnetlink(&error))?;
        let context = names::context(&self.names, self.options);
        let mut rows = out.rows(self.options.has("json"), self.options.has("pretty"));
        rows.add(
            |json| (printer.json)(json, &object, &context),
            |text| (printer.text)(text, &object, &context),
        )?;
        rows.end()?;
        Ok(0)
    }

    /// Changes something.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub(crate) fn change<T: Object>(&mut self, change: &Change<T>) -> Result<u8, Error> {
        self.connection.run(change).map_err(|error| Error::rtnetlink(&error))?;
        say_warning(&self.connection);
        Ok(0)
    }

    /// All that a filter admits.
    ///
    /// # Errors
    /// If the kernel refuses to list.
    pub(crate) fn all<T: Object>(&mut self, filter: T::Filter) -> Result<Vec<T>, Error> {
        self.answers(List::<T> { filter })
    }

    /// All answers to a request, but for those that are tolerably wrong.
    ///
    /// # Errors
    /// If the kernel refuses to list.
    pub(crate) fn answers<R: Request>(&mut self, request: R) -> Result<Vec<R::Item>, Error> {
        let items = self.connection.dump(request).map_err(|e| terminated(&e))?;
        let mut all = Vec::new();
        for item in items {
            match item {
                Ok(item) => all.push(item),
                Err(error) => {
                    tolerable(&error)?;
                }
            }
        }
        Ok(all)
    }

    /// Deletes objects; what is gone already is as good.
    ///
    /// # Errors
    /// The first refusal; the others were asked for nevertheless.
    pub(crate) fn delete<T: Object>(
        &mut self,
        objects: impl IntoIterator<Item = T>,
    ) -> Result<(), Error> {
        let mut first = Ok(());
        for result in self.connection.batch(objects.into_iter().map(Change::delete)) {
            match result {
                Err(error) if error.errno() != Some(Errno::ENOENT) && first.is_ok() => {
                    first = Err(Error::rtnetlink(&error));
                }
                _ => {}
            }
        }
        first
    }
}

/// Tells of an error in a list that may go on; whether nothing is missing.
///
/// # Errors
/// If it is a refusal.
fn tolerable(error: &nl_socket::Error) -> Result<bool, Error> {
    match error {
        nl_socket::Error::Lost(Loss::Interrupted) => {
            say("Dump was interrupted and may be inconsistent.");
            Ok(true)
        }
        nl_socket::Error::Lost(loss) => {
            say(format_args!("nlctl: WARNING: {loss}"));
            Ok(false)
        }
        error => Err(terminated(error)),
    }
}
