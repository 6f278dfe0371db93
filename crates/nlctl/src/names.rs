//! The names of tables, protocols, links …: files of iproute2 and the kernel's list of links.

use std::io::{IsTerminal as _, stdout};
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{env, fs};

use nl_route::filter::LinkFilter;
use nl_route::names::{NameKind, Names};
use nl_route::text::{Colors, Units};
use nl_route::{Context, Link, List, Nexthop};
use nl_socket::Connection;
use nl_socket::host::utc_offset;

use crate::args::Options;
use crate::error::Error;

/// The names that files give.
pub(crate) fn from_files(options: &Options) -> Names {
    let mut names = Names::default();
    names.set_numeric(options.has("numeric"));
    for kind in NameKind::ALL {
        let file = kind
            .folders()
            .iter()
            .find_map(|directory| read(&Path::new(directory).join(kind.file())));
        let more = kind.folders().iter().rev().flat_map(|directory| {
            let folder = Path::new(directory).join(format!("{}.d", kind.file()));
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            let paths = entries.map(|entry| entry.path());
            let mut paths: Vec<PathBuf> =
                paths.filter(|path| path.extension().is_some_and(|end| end == "conf")).collect();
            paths.sort();
            paths.into_iter().filter_map(|path| read(&path))
        });
        file.into_iter().chain(more).for_each(|text| names.read(kind, &text));
    }
    names
}

/// A file of names; bytes that are no UTF-8 spoil the word that they stand in, not the file.
pub(crate) fn read(path: &Path) -> Option<String> {
    fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Learns the names of all links.
///
/// # Errors
/// If the kernel refuses to list them.
pub(crate) fn learn_links(names: &mut Names, connection: &mut Connection) -> Result<(), Error> {
    let request = List::<Link> { filter: LinkFilter::default() };
    let links = connection.dump(request).map_err(|error| Error::rtnetlink(&error))?;
    for link in links {
        match link {
            Ok(link) => names.learn(&link),
            // A name that is missing is a number then.
            Err(nl_socket::Error::Lost(_)) => {}
            Err(error) => return Err(Error::rtnetlink(&error)),
        }
    }
    Ok(())
}

/// Learns all nexthop objects, which routes show with `-d`; kernels before 5.3 have none.
pub(crate) fn learn_nexthops(names: &mut Names, connection: &mut Connection) {
    // What is missing is left out.
    if let Ok(nexthops) = connection.dump(List::<Nexthop>::default()) {
        nexthops.flatten().for_each(|nexthop| names.learn_nexthop(nexthop));
    }
}

/// The local time in seconds since 1970.
fn local_time() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or_default();
    seconds + i64::from(utc_offset(seconds))
}

/// The colours that were asked for, for a background that is dark if `COLORFGBG` says so.
fn colors(options: &Options) -> Colors {
    let wanted = match options.value("color") {
        None | Some("never") => false,
        Some("auto") => stdout().is_terminal(),
        Some(_) => true,
    };
    if !wanted || options.has("json") {
        return Colors::None;
    }
    let ground = env::var("COLORFGBG").unwrap_or_default();
    match ground.rsplit_once(';').map(|(_, ground)| ground) {
        Some("0" | "1" | "2" | "3" | "4" | "5" | "6" | "8") => Colors::Dark,
        _ => Colors::Light,
    }
}

/// How to round counters, if they are to be.
fn units(options: &Options) -> Option<Units> {
    let units = if options.has("iec") { Units::Binary } else { Units::Decimal };
    options.has("human").then_some(units)
}

/// How to print, as the options say.
pub(crate) fn context<'a>(names: &'a Names, options: &Options) -> Context<'a> {
    Context {
        details: options.has("details"),
        oneline: options.has("oneline"),
        statistics: u8::try_from(options.list("statistics").count()).unwrap_or(u8::MAX),
        colors: colors(options),
        units: units(options),
        now: Some(local_time()),
        ..Context::new(names)
    }
}
