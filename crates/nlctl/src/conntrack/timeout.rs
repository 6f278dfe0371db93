//! `nlctl conntrack timeout`: how long flows are remembered.

use nl_conntrack::{GetTimeouts, IpProtocol, ListTimeouts, TimeoutChange, Timeouts};
use nl_wire::value::{AddressFamily, Family};

use crate::args::Options;
use crate::error::{Error, word};
use crate::kernel;
use crate::out::Out;

const HELP: &str = "\
Timeout policies, which rules of nftables attach to flows (ct timeout set), and the defaults.

Usage: nlctl conntrack timeout [list]
       nlctl conntrack timeout get NAME
       nlctl conntrack timeout add|replace NAME ipv4|ipv6 PROTOCOL STATE=SECONDS …
       nlctl conntrack timeout delete NAME
       nlctl conntrack timeout flush
       nlctl conntrack timeout default PROTOCOL [STATE=SECONDS …]

PROTOCOL is tcp, udp, udplite, sctp, dccp, icmp, icmpv6, gre, or generic for all others.
STATE is a state of the protocol (established, time_wait, …), unreplied or replied of udp, udplite
and gre, timeout of icmp, icmpv6 and generic.
A policy is shown as NAME FAMILY PROTOCOL STATE=SECONDS … use=RULES, or with --json as an object
with the keys name, family, protocol, timeouts, use_count.
";

/// `nlctl conntrack timeout`, `words` being what stands behind.
pub(super) fn run(options: &Options, words: &[String], out: &mut Out) -> Result<u8, Error> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let failed = |error: nl_socket::Error| Error::operation(&error);
    let mut connection = kernel::connect(Family::NETFILTER, options)?;
    let found = match words[..] {
        [] | ["list"] => {
            let list = connection.dump(ListTimeouts).map_err(failed)?;
            list.collect::<Result<Vec<_>, _>>().map_err(failed)?
        }
        ["get", name] => vec![connection.get(GetTimeouts::Named(name.into())).map_err(failed)?],
        ["default", name] => {
            let protocol = protocol(name)?;
            let request = GetTimeouts::Defaults(family_of(protocol), protocol);
            vec![connection.get(request).map_err(failed)?]
        }
        ["help" | "-h" | "--help", ..] => {
            out.text().push_str(HELP);
            return Ok(0);
        }
        _ => {
            connection.run(change(&words)?).map_err(failed)?;
            return Ok(0);
        }
    };
    let mut rows = out.rows(options.has("json"), options.has("pretty"));
    for timeouts in &found {
        rows.add(|json| json.value(timeouts), |line| text(line, timeouts))?;
    }
    rows.end()?;
    Ok(0)
}

fn change(words: &[&str]) -> Result<TimeoutChange, Error> {
    Ok(match words {
        ["add", name, family, name_of_protocol, states @ ..] => {
            TimeoutChange::Create(policy(name, family, name_of_protocol, states)?)
        }
        ["replace", name, family, name_of_protocol, states @ ..] => {
            TimeoutChange::Replace(policy(name, family, name_of_protocol, states)?)
        }
        ["delete", name] if !name.is_empty() => TimeoutChange::Delete((*name).into()),
        ["flush"] => TimeoutChange::Flush,
        ["default", name, states @ ..] => {
            let protocol = protocol(name)?;
            let mut timeouts = Timeouts::new("", family_of(protocol), protocol);
            set(&mut timeouts, states)?;
            TimeoutChange::SetDefaults(timeouts)
        }
        _ => return Err(Error::parameter("bad words, try \"nlctl conntrack timeout help\"")),
    })
}

fn policy(name: &str, family: &str, typed: &str, states: &[&str]) -> Result<Timeouts, Error> {
    let family = match family {
        "ipv4" => AddressFamily::INET,
        "ipv6" => AddressFamily::INET6,
        _ => return Err(bad(family)),
    };
    if name.is_empty() || name.len() > 31 {
        return Err(bad(name));
    }
    let mut timeouts = Timeouts::new(name, family, protocol(typed)?);
    set(&mut timeouts, states)?;
    Ok(timeouts)
}

fn set(timeouts: &mut Timeouts, states: &[&str]) -> Result<(), Error> {
    for typed in states {
        let (state, seconds) = typed.split_once('=').ok_or_else(|| bad(typed))?;
        let seconds = seconds.parse().map_err(|_| bad(typed))?;
        timeouts.set(state, seconds).map_err(|_| bad(typed))?;
    }
    Ok(())
}

fn protocol(typed: &str) -> Result<IpProtocol, Error> {
    if typed == "generic" { Ok(IpProtocol::RAW) } else { typed.parse().map_err(|_| bad(typed)) }
}

/// The defaults of a protocol are the same for both families, but one must be named.
fn family_of(protocol: IpProtocol) -> AddressFamily {
    if protocol == IpProtocol::ICMPV6 { AddressFamily::INET6 } else { AddressFamily::INET }
}

fn bad(typed: &str) -> Error {
    Error::parameter(format_args!("Bad parameter `{}'", word(typed)))
}

/// Appends a line.
fn text(line: &mut String, timeouts: &Timeouts) {
    use std::fmt::Write as _;
    let family = match timeouts.family {
        AddressFamily::INET6 => "ipv6",
        _ => "ipv4",
    };
    if !timeouts.name.as_bytes().is_empty() {
        let _ = write!(line, "{} {family} ", timeouts.name);
    }
    line.push_str(timeouts.protocol.conntrack_name().unwrap_or("generic"));
    for (state, seconds) in timeouts.iter() {
        let _ = write!(line, " {}={seconds}", state.unwrap_or("unknown").to_ascii_lowercase());
    }
    if let Some(count) = timeouts.use_count {
        let _ = write!(line, " use={count}");
    }
    line.push('\n');
}
