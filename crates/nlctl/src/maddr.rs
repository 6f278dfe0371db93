//! `nlctl maddress`: multicast groups with the words of `ip maddress`.

use std::path::Path;

use nl_route::AddressFamily;
use nl_route::membership::Membership;
use nl_route::parse::settings as parse;
use nl_route::{json, text};

use crate::args::{Command, Kind, Options, command};
use crate::error::Error;
use crate::kernel;
use crate::names;
use crate::object::Session;
use crate::out::Out;

/// The command with all that it understands.
pub(crate) const COMMAND: Command = Command {
    names: &["maddress"],
    arguments: "COMMAND",
    about: "Multicast groups, with the words of ip maddress.",
    text: "",
    flags: &[],
    kind: Kind::Group {
        commands: &[command(
            &["show", "list", "lst"],
            "List the groups that links listen to.",
            "WORDS are as of ip maddress show: [[dev] LINK].",
            list,
        )],
        default: true,
    },
};

/// The groups of a family, which a file of `/proc/net` lists.
type Source = (AddressFamily, &'static str, fn(&str) -> Vec<Membership>);

const SOURCES: [Source; 3] = [
    (AddressFamily::PACKET, "dev_mcast", |file| Membership::of_links(file).collect()),
    (AddressFamily::INET, "igmp", |file| Membership::of_ipv4(file).collect()),
    (AddressFamily::INET6, "igmp6", |file| Membership::of_ipv6(file).collect()),
];

fn list(options: &Options, out: &mut Out) -> Result<u8, Error> {
    let session = Session::start(options)?;
    let link = parse::memberships(&session.words, &session.names)?;
    // As of ip a link that is not there has no groups.
    let link = link.map(|name| session.names.link_index(name));
    let mut all: Vec<Membership> = Vec::new();
    for (of, file, read) in SOURCES {
        if ![AddressFamily::UNSPEC, of].contains(&session.family) {
            continue;
        }
        // The first thread's namespace is not that of a thread that went elsewhere; a file that is
        // missing is that of a protocol which this kernel has not.
        let read =
            || names::read(&Path::new("/proc/thread-self/net").join(file)).map(|it| read(&it));
        let found = match kernel::netns(options)? {
            Some(netns) => netns
                .run(read)
                .map_err(|error| Error::io("cannot enter the network namespace", &error))?,
            None => read(),
        };
        all.extend(found.into_iter().flatten());
    }
    all.retain(|group| link.is_none_or(|link| link == Some(group.index)));
    // Of each link in the order of the files.
    all.sort_by_key(|group| group.index);
    let context = names::context(&session.names, options);
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    for groups in all.chunk_by(|one, next| one.index == next.index && !context.oneline) {
        let index = groups.first().map_or(0, |group| group.index);
        rows.add(
            |json| json::memberships(json, index, groups, &context),
            |text| text::memberships(text, index, groups, &context),
        )?;
    }
    rows.end()?;
    Ok(0)
}
