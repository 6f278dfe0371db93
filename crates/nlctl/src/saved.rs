//! Whole lists: routes and rules written to files that ip reads too, read back, and flushed.

use std::io::{self, IsTerminal as _, Read as _, Write as _};

use nl_route::parse::saved::{self, Saved};
use nl_route::{AddressFamily, Change, Context, Object, Route, Rule, parse};
use nl_wire::Errno;

use crate::args::Options;
use crate::error::{Error, FAILED, REFUSED, USAGE, say};
use crate::names;
use crate::object::Session;
use crate::out::Out;
use crate::rule;

/// The routes that the words of a session select.
fn selected(session: &mut Session<'_>) -> Result<Vec<Route>, Error> {
    let selector = parse::selector(&session.words, session.family, &session.names)?;
    session.all(selector.filter)
}

/// `nlctl route flush`
pub(crate) fn flush_routes(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    if session.words.is_empty() {
        return Err(Error::new(FAILED, "\"ip route flush\" requires arguments."));
    }
    let selector = parse::selector(&session.words, session.family, &session.names)?;
    let routes: Vec<Route> = session.all(selector.filter).map_err(|error| match error {
        Error::Told { code, text } => {
            Error::Told { code, text: text.replace("\nDump terminated", "\nFlush terminated") }
        }
        other @ Error::Output(_) => other,
    })?;
    let told = options.list("statistics").count();
    if told > 1 {
        let context = names::context(&session.names, options);
        let context = Context { hidden: selector.hidden, ..context };
        for route in &routes {
            nl_route::text::route(out.text(), route, &context);
        }
    }
    let found = routes.len();
    let mut first = None;
    for result in session.connection.batch(routes.into_iter().map(Change::delete)) {
        match result {
            // It went with another.
            Err(error) if error.errno() != Some(Errno::ESRCH) => {
                first.get_or_insert(Error::rtnetlink(&error));
            }
            _ => {}
        }
    }
    match (told, found) {
        (0, _) => {}
        (_, 0) => out.append(format_args!("Nothing to flush.\n")),
        _ => out.append(format_args!(
            "\n*** Round 1, deleting {found} entries ***\n*** Flush is complete after 1 round ***\n"
        )),
    }
    first.map_or(Ok(0), Err)
}

/// `nlctl route save`
pub(crate) fn save_routes(options: &Options, out: &mut Out) -> Result<u8, Error> {
    save(options, out, selected)
}

/// `nlctl rule save`
pub(crate) fn save_rules(options: &Options, out: &mut Out) -> Result<u8, Error> {
    save(options, out, |session| {
        let filter = parse::rule::selector(&session.words, session.family, &session.names)?;
        session.all::<Rule>(filter)
    })
}

/// Writes what a session's words select to standard output.
pub(crate) fn save<T: Saved>(
    options: &Options,
    out: &mut Out,
    select: impl FnOnce(&mut Session<'_>) -> Result<Vec<T>, Error>,
) -> Result<u8, Error> {
    if io::stdout().is_terminal() {
        return Err(Error::new(USAGE, "Not sending a binary stream to stdout"));
    }
    let mut session = Session::start(options)?;
    let bytes = saved::write(&select(&mut session)?).map_err(|error| Error::new(FAILED, error))?;
    out.flush()?;
    io::stdout().write_all(&bytes).map_err(Error::Output)?;
    Ok(0)
}

/// Reads what was saved from standard input; `code` is for a file that holds something else.
pub(crate) fn saved<T: Saved>(what: &str, code: u8) -> Result<Vec<T>, Error> {
    if io::stdin().is_terminal() {
        return Err(Error::new(USAGE, format_args!("Can't restore {what} dump from a terminal")));
    }
    let mut bytes = Vec::new();
    let read = io::stdin().read_to_end(&mut bytes);
    read.map_err(|error| Error::io(format_args!("cannot read {what}s"), &error))?;
    let objects = saved::read(&bytes).map_err(|error| Error::new(code, error))?;
    let number = |(index, object): (usize, Result<T, _>)| {
        object.map_err(|error| Error::new(FAILED, format_args!("{what} {}: {error}", index + 1)))
    };
    objects.enumerate().map(number).collect()
}

/// Makes what was saved; what is there already is as good.
pub(crate) fn restore<T: Object>(
    session: &mut Session<'_>,
    changes: impl Iterator<Item = Change<T>>,
) -> u8 {
    let mut code = 0;
    for result in session.connection.batch(changes) {
        match result {
            Err(error) if error.errno() != Some(Errno::EEXIST) => {
                if let Error::Told { text, .. } = Error::rtnetlink(&error) {
                    say(text);
                }
                code = REFUSED;
            }
            _ => {}
        }
    }
    code
}

/// `nlctl route restore`
pub(crate) fn restore_routes(options: &Options, _: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let mut routes: Vec<Route> = saved("route", USAGE)?;
    // A gateway must be reachable before a route can lead over it.
    routes.sort_by_key(|route| {
        route.gateway.is_some() || route.multipath.iter().any(|hop| hop.gateway.is_some())
    });
    Ok(restore(&mut session, routes.into_iter().map(Change::prepend)))
}

/// `nlctl rule restore`
pub(crate) fn restore_rules(options: &Options, _: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let mut rules: Vec<Rule> = saved("rule", USAGE)?;
    let mut code = 0;
    for rule in &mut rules {
        // One read without has this, and would get another if it were left out.
        rule.priority.get_or_insert(0);
        if let Err(error) = rule::make(&mut session.connection, rule, true) {
            say(error);
            code = REFUSED;
        }
    }
    Ok(code)
}

/// `nlctl route showdump`
pub(crate) fn show_routes(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut session = Session::start(options)?;
    let mut routes: Vec<Route> = saved("route", FAILED)?;
    // As of ip the family narrows what is shown, not what is restored.
    let family = session.family;
    routes.retain(|route| family == AddressFamily::UNSPEC || route.family == family);
    if options.has("details") {
        names::learn_nexthops(&mut session.names, &mut session.connection);
    }
    let context: Context<'_> = names::context(&session.names, options);
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    for route in &routes {
        rows.add(
            |json| nl_route::json::route(json, route, &context),
            |text| nl_route::text::route(text, route, &context),
        )?;
    }
    rows.end()?;
    Ok(0)
}
