//! `nlctl route`: routes with the words of `ip route`.

use std::net::IpAddr;

use nl_route::names::Names;
use nl_route::parse::{self, WordError};
use nl_route::route::Hop;
use nl_route::tables::route::{RTA, RTA_ENCAP, RTA_GATEWAY, RTA_MULTIPATH};
use nl_route::value::HopFlags;
use nl_route::{
    Action, Change, Context, GetLink, GetRoute, List, Prefix, Route, RouteType, TableId,
};
use nl_socket::{Connection, Loss};
use nl_wire::Errno;
use nl_wire::table::Path;
use nl_wire::text::Text;
use nl_wire::value::Family;

use crate::args::Options;
use crate::error::{Error, REFUSED, USAGE, say, say_warning};
use crate::kernel;
use crate::names;
use crate::out::Out;

/// What there is to say of `list`.
pub(crate) const LIST_HELP: &str = "\
SELECTOR is as in ip route show: [root|match|exact] PREFIX, table TABLE|all|cache, proto PROTOCOL,
type TYPE, scope SCOPE, dev LINK, iif LINK, via PREFIX, src PREFIX, from PREFIX, metric NUMBER,
tos TOS, realms [REALM/]REALM, mark NUMBER, vrf LINK.
Without a table it is the main one, without -4, -6 or a prefix IPv4; with table all, all families.";

/// What there is to say of `get`.
pub(crate) const GET_HELP: &str = "\
As in ip route get: ADDRESS [from ADDRESS] [iif LINK] [oif LINK] [mark NUMBER] [tos TOS]
[uid NUMBER] [vrf LINK] [ipproto PROTOCOL] [sport PORT] [dport PORT] [flowlabel NUMBER] [connected]
[fibmatch] [notify].";

/// What there is to say of the commands that change something.
pub(crate) const CHANGE_HELP: &str = "\
ROUTE is as in ip route add: [TYPE] PREFIX [tos TOS] [table TABLE] [proto PROTOCOL] [scope SCOPE]
[metric METRIC] [src ADDRESS] [via [inet|inet6] ADDRESS] [dev LINK] [weight NUMBER] [onlink]
[nhid ID] [nexthop via ADDRESS dev LINK weight NUMBER]… [mtu [lock] NUMBER] [advmss NUMBER] …
[realms REALM] [pref low|medium|high] [expires SECONDS].";

impl From<WordError> for Error {
    fn from(error: WordError) -> Self {
        Self::new(error.code, &error)
    }
}

/// `nlctl route list`
pub(crate) fn list(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let words = options.text_words()?;
    let mut connection = kernel::connect(Family::ROUTE, options)?;
    let mut names = names::from_files(options);
    names::learn_links(&mut names, &mut connection)?;
    let selector = parse::selector(&words, options.family()?, &names)?;
    if options.has("details") {
        names::learn_nexthops(&mut names, &mut connection);
    }
    let request = List::<Route> { filter: selector.filter };
    let context = names::context(&names, options);
    let context = Context { hidden: selector.hidden, ..context };
    kernel::read_ahead(&mut connection);
    let routes = connection.dump(request).map_err(|error| terminated(&error))?;
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    let main = selector.filter.table == Some(TableId::MAIN);
    let mut whole = true;
    for route in routes {
        match route {
            Ok(route) => rows.add(
                |json| nl_route::json::route(json, &route, &context),
                |text| nl_route::text::route(text, &route, &context),
            )?,
            Err(nl_socket::Error::Lost(Loss::Interrupted)) => {
                say("Dump was interrupted and may be inconsistent.");
            }
            Err(nl_socket::Error::Lost(loss)) => {
                say(format_args!("nlctl: WARNING: {loss}"));
                whole = false;
            }
            // Without any route there is not even the main table; that is no error to ip(8).
            Err(error) if main && error.errno() == Some(Errno::ENOENT) => {}
            Err(error) => return Err(terminated(&error)),
        }
    }
    rows.end()?;
    Ok(if whole { 0 } else { REFUSED })
}

/// A list that the kernel refused or broke off, as ip(8) tells it.
pub(crate) fn terminated(error: &nl_socket::Error) -> Error {
    match Error::rtnetlink(error) {
        Error::Told { code, text } => Error::Told { code, text: text + "\nDump terminated" },
        other @ Error::Output(_) => other,
    }
}

/// `nlctl route get`
pub(crate) fn get(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let mut words = options.text_words()?;
    // Asks once more, from the address that the first answer gives.
    let connected = words.contains(&"connected");
    words.retain(|word| *word != "connected");
    let mut connection = kernel::connect(Family::ROUTE, options)?;
    let mut names = names::from_files(options);
    learn_named(&mut names, &mut connection, &words)?;
    let mut request = parse::get(&words, options.family()?, &names)?;
    // The route of a single packet: ip passes over a length, too.
    let lengths = words.iter().filter_map(|word| word.parse::<Prefix>().ok());
    for prefix in lengths.filter(|it| !it.is_host() && it.address == request.destination) {
        let whole = Prefix::host(prefix.address).length;
        say(format_args!(
            "Warning: /{} as prefix is invalid, only /{whole} (or none) is supported.",
            prefix.length
        ));
    }
    let mut ask = |request| connection.get(request).map_err(|error| Error::rtnetlink(&error));
    let mut routes = vec![ask(request)?];
    if let (true, None, [first]) = (connected, request.source, &*routes) {
        let given = first.prefsrc.or(first.source.map(|source| source.address));
        let none = || Error::new(USAGE, "Failed to connect the route");
        request.source = Some(given.ok_or_else(none)?);
        routes.push(ask(request)?);
    }
    for route in &routes {
        let hops = route.multipath.iter().map(|hop| hop.ifindex);
        for index in route.oif.into_iter().chain(route.iif).chain(hops) {
            // A link that went away meanwhile has no name.
            if let Ok(link) = connection.get(GetLink::Index(index)) {
                names.learn(&link);
            }
        }
        if options.has("details") && route.nexthop_id.is_some() {
            names::learn_nexthops(&mut names, &mut connection);
        }
    }
    let context = names::context(&names, options);
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

/// Learns the links that the words name, be it by an alternative name.
fn learn_named(
    names: &mut Names,
    connection: &mut Connection,
    words: &[&str],
) -> Result<(), Error> {
    for pair in words.windows(2) {
        let &[key, name] = pair else { continue };
        // A word too many is only asked for in vain.
        if !["dev", "oif", "iif"].iter().any(|word| word.starts_with(key)) || name.is_empty() {
            continue;
        }
        // Of a label of addresses the link counts.
        let link = name.split_once(':').map_or(name, |(link, _)| link);
        match connection.get(GetLink::Name(Text::from(link))) {
            Ok(link) => names.set_link(link.index, name),
            // That there is none is told where the word is read.
            Err(nl_socket::Error::Refused(_)) => {}
            Err(error) => return Err(Error::rtnetlink(&error)),
        }
    }
    Ok(())
}

macro_rules! changes {
    ($($name:ident = $action:ident;)*) => { $(
        pub(crate) fn $name(options: &Options, _: &mut Out) -> Result<u8, Error> {
            change(Action::$action, options)
        }
    )* };
}

changes! {
    add = Add;
    replace = Replace;
    append = Append;
    prepend = Prepend;
    modify = Change;
    delete = Delete;
}

fn change(action: Action, options: &Options) -> Result<u8, Error> {
    let words = options.text_words()?;
    let mut connection = kernel::connect(Family::ROUTE, options)?;
    let mut names = names::from_files(options);
    learn_named(&mut names, &mut connection, &words)?;
    let object = parse::route(&words, options.family()?, &names)?;
    let change = Change { action, object };
    if let Err(error) = connection.run(&change) {
        return Err(Error::rtnetlink(&blame(error, &change.object, &mut connection)));
    }
    say_warning(&connection);
    Ok(0)
}

/// The same refusal, with the hop at fault where the kernel does not tell it: of several, the first
/// whose gateway is no neighbour, which the kernel can be asked.
pub(crate) fn blame(
    error: nl_socket::Error,
    route: &Route,
    connection: &mut Connection,
) -> nl_socket::Error {
    let mut failure = match error {
        nl_socket::Error::Refused(failure) if failure.path.is_none() => failure,
        other => return other,
    };
    let hops = &route.multipath;
    let (number, found) = if failure.errno == Errno::EOPNOTSUPP {
        // Only wrappings can be unknown to a kernel that knows of routes over several hops.
        (RTA_ENCAP, hops.iter().position(|hop| hop.encap.is_some()))
    } else {
        let at_fault = |hop: &Hop| match (hop.gateway, hop.ifindex) {
            (Some(gateway), link) if !hop.flags.contains(HopFlags::ONLINK) => {
                let oif = Some(link).filter(|link| *link != 0);
                !is_neighbour(gateway, oif, connection)
            }
            _ => false,
        };
        let about = [Errno::EINVAL, Errno::EHOSTUNREACH, Errno::ENETUNREACH, Errno::ENODEV];
        let known = about.contains(&failure.errno);
        (RTA_GATEWAY, hops.iter().position(at_fault).filter(|_| known))
    };
    if let Some(index) = found {
        let path = Path::default().within(number).within_index(index);
        failure.path = Some(path.within(RTA_MULTIPATH).in_table(&RTA));
    }
    nl_socket::Error::Refused(failure)
}

/// Whether packets to an address go there directly.
fn is_neighbour(address: IpAddr, oif: Option<u32>, connection: &mut Connection) -> bool {
    let way = connection.get(GetRoute { oif, ..GetRoute::new(address) });
    way.is_ok_and(|way| way.kind == RouteType::UNICAST && way.gateway.is_none())
}
