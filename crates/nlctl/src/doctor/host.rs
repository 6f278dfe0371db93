//! The kernel, privileges, sockets and their buffers.

use std::fs;
use std::io;
use std::path::Path;

use nl_route::filter::LinkFilter;
use nl_route::{Link, List};
use nl_socket::{Error, NetlinkOption, Netns, Socket};
use nl_wire::value::Family;

use super::{Check, connect};
use crate::error::io_text;
use crate::kernel::Tracer;

/// The first kernel whose dumps of tracked connections can be filtered by addresses and ports.
const KERNEL: (u32, u32) = (5, 8);

/// What a socket's queue charges for one event of the usual size, in bytes.
const EVENT: usize = 1280;

/// A receive buffer that holds some thousand events.
const BUFFER: usize = 8 << 20;

/// Asked for to learn how much is granted: more than the limits that hosts have.
const LARGE: usize = 512 << 20;

/// `linux/capability.h`: number, name, what it is for, and whether nothing works without it.
const CAPABILITIES: [(u32, &str, &str); 4] = [
    (12, "CAP_NET_ADMIN", "tracked connections, changes of any kind"),
    (11, "CAP_NET_BROADCAST", "events of other namespaces by one socket"),
    (21, "CAP_SYS_ADMIN", "entering other namespaces"),
    (19, "CAP_SYS_PTRACE", "finding namespaces of other users' processes"),
];

const SETCAP: &str = "run as root, or give the program \
    cap_net_admin,cap_net_broadcast,cap_sys_admin,cap_sys_ptrace+ep with setcap";

pub(super) fn check(tracer: Option<Tracer>) -> Vec<Check> {
    let mut checks = vec![kernel(&read("/proc/sys/kernel/osrelease").unwrap_or_default())];
    checks.push(user_namespaces());
    capabilities(&mut checks);
    checks.push(enter());
    route(&mut checks, tracer);
    checks
}

/// A setting, without its line end.
pub(super) fn read(path: impl AsRef<Path>) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim_end().to_owned())
}

/// A setting that is a number.
pub(super) fn number(path: impl AsRef<Path>) -> Option<u64> {
    read(path)?.parse().ok()
}

fn kernel(release: &str) -> Check {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    let found = format!("Linux {release}");
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= KERNEL => {
            Check::ok("kernel", found)
        }
        (Some(Ok(_)), Some(Ok(_))) => Check::warn(
            "kernel",
            found,
            "before 5.8 the kernel can't filter tracked connections by tuple: lists are longer",
        ),
        _ => Check::warn("kernel", "release not told", "mount /proc"),
    }
}

/// Settings that forbid user namespaces if they have a certain value.
const FORBIDDING: [(&str, &str, u64); 3] = [
    ("/proc/sys/user/max_user_namespaces", "user.max_user_namespaces", 0),
    ("/proc/sys/kernel/unprivileged_userns_clone", "kernel.unprivileged_userns_clone", 0),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "kernel.apparmor_restrict_unprivileged_userns",
        1,
    ),
];

fn user_namespaces() -> Check {
    const NAME: &str = "user namespaces";
    if !Path::new("/proc/self/ns/user").exists() {
        return Check::warn(
            NAME,
            "not supported: no demo without privilege",
            "a kernel with CONFIG_USER_NS",
        );
    }
    for (path, setting, forbidden) in FORBIDDING {
        if number(path) == Some(forbidden) {
            let allowed =
                if forbidden == 0 && path.contains("max") { 10_000 } else { 1 - forbidden };
            return Check::warn(
                NAME,
                format!("{setting} = {forbidden}: no demo without privilege"),
                format!("sysctl -w {setting}={allowed}"),
            );
        }
    }
    let most = number("/proc/sys/user/max_user_namespaces");
    Check::ok(NAME, most.map_or("allowed".to_owned(), |most| format!("allowed, {most} at most")))
}

fn capabilities(checks: &mut Vec<Check>) {
    let status = read("/proc/thread-self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|line| line.strip_prefix("CapEff:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default();
    for (bit, name, purpose) in CAPABILITIES {
        if effective >> bit & 1 == 1 {
            checks.push(Check::ok(name, format!("effective: {purpose}")));
            continue;
        }
        let found = format!("not effective: no {purpose}");
        checks.push(match name {
            "CAP_NET_ADMIN" => Check::missing(name, found, SETCAP),
            _ => Check::warn(name, found, SETCAP),
        });
    }
}

/// Capabilities may be those of a user namespace that has no say over this network namespace.
fn enter() -> Check {
    const NAME: &str = "entering namespaces";
    match Netns::current().and_then(|own| own.run(|| ())) {
        Ok(()) => Check::ok(NAME, "allowed"),
        Err(error) => Check::warn(
            NAME,
            format!("refused: {}", io_text(&error)),
            "CAP_SYS_ADMIN, in the user namespace that owns the network namespace too",
        ),
    }
}

/// The route socket, its options, its buffer.
fn route(checks: &mut Vec<Check>, tracer: Option<Tracer>) {
    const NAME: &str = "NETLINK_ROUTE";
    let socket = match Socket::open(Family::ROUTE.0) {
        Ok(socket) => socket,
        Err(error) => {
            let remedy = "a sandbox (seccomp, systemd's RestrictAddressFamilies=) may forbid it";
            return checks.push(Check::missing(NAME, io_text(&error), remedy));
        }
    };
    checks.push(match links(tracer) {
        Ok(count) => Check::ok(NAME, format!("answers: {count} links")),
        Err(error) => Check::missing(NAME, error.to_string(), "a sandbox may refuse its messages"),
    });
    for (option, name, without) in [
        (NetlinkOption::GetStrictCheck, "strict checking", "Linux 4.20: lists are longer without"),
        (NetlinkOption::ExtAck, "extended ack", "Linux 4.12: refusals come without a text"),
        (NetlinkOption::CapAck, "capped ack", "Linux 4.3: fewer requests can be sent at once"),
        (
            NetlinkOption::ListenAllNsid,
            "events of all namespaces",
            "CAP_NET_BROADCAST, and Linux 4.2: else a socket in each namespace",
        ),
    ] {
        checks.push(match socket.set_option(option, true) {
            Ok(()) => Check::ok(name, "available"),
            Err(error) => Check::warn(name, io_text(&error), without),
        });
    }
    checks.push(match socket.drops() {
        Ok(_) => Check::ok("drop counter", "available"),
        Err(error) => {
            Check::warn("drop counter", io_text(&error), "Linux 4.12: losses come without number")
        }
    });
    match buffer(&socket) {
        Ok(check) => checks.push(check),
        Err(error) => checks.push(Check::warn(BUFFER_NAME, io_text(&error), RMEM_MAX)),
    }
}

fn links(tracer: Option<Tracer>) -> Result<usize, Error> {
    let mut connection = connect(Family::ROUTE, tracer)?;
    let links = connection.dump(List::<Link> { filter: LinkFilter::default() })?;
    let mut count = 0;
    for link in links {
        match link {
            Ok(_) | Err(Error::Lost(_)) => count += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

const BUFFER_NAME: &str = "receive buffer";
const RMEM_MAX: &str = "sysctl -w net.core.rmem_max=8388608 (in the first network namespace)";

/// How large a receive buffer may get: of a socket of our own, which holds nothing.
fn buffer(socket: &Socket) -> io::Result<Check> {
    let before = socket.receive_buffer()?;
    let granted = socket.set_receive_buffer(LARGE)?;
    Ok(judge_buffer(before, granted, number("/proc/sys/net/core/rmem_max")))
}

fn judge_buffer(before: usize, granted: usize, limit: Option<u64>) -> Check {
    let limit = limit.map_or("not told here".to_owned(), |limit| format!("{limit}"));
    let events = |bytes: usize| format!("{bytes} bytes ({} events)", bytes / EVENT);
    let found = format!(
        "{} at first, {} at most; SO_RCVBUFFORCE {}, net.core.rmem_max {limit}",
        events(before),
        events(granted),
        if granted >= LARGE { "works" } else { "refused" },
    );
    if granted >= BUFFER {
        Check::ok(BUFFER_NAME, found)
    } else {
        Check::warn(BUFFER_NAME, found, format!("{RMEM_MAX}, or run as root of the host"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn releases_are_compared_by_numbers() {
        for (release, state) in [
            ("6.18.0-rc1", State::Ok),
            ("5.10.0-28-amd64", State::Ok),
            ("5.8", State::Ok),
            ("5.7.19", State::Warn),
            ("4.20.0", State::Warn),
            ("", State::Warn),
            ("strange", State::Warn),
        ] {
            assert_eq!(kernel(release).state, state, "{release}");
        }
    }

    #[test]
    fn small_buffers_are_warned_of() {
        let small = judge_buffer(212_992, 425_984, Some(212_992));
        assert_eq!(small.state, State::Warn);
        assert!(small.found.contains("332 events) at most"), "{}", small.found);
        assert!(small.found.contains("SO_RCVBUFFORCE refused"), "{}", small.found);
        let large = judge_buffer(212_992, 2 * LARGE, None);
        assert_eq!((large.state, large.remedy), (State::Ok, None));
        assert!(large.found.contains("works, net.core.rmem_max not told"), "{}", large.found);
    }
}
