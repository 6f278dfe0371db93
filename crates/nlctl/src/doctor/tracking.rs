//! Connection tracking and nf_tables: whether they answer, and how they are set.

use nl_conntrack::request::Get;
use nl_conntrack::tables;
use nl_socket::Error;
use nl_wire::request::Mode;
use nl_wire::table::Protocol;
use nl_wire::value::Family;
use nl_wire::{Errno, Message, Request, Writer};

use super::host::number;
use super::{Check, connect};
use crate::kernel::Tracer;

const SOCKET: &str = "NETLINK_NETFILTER";
const TRACKING: &str = "nf_conntrack_netlink";
const TABLES: &str = "nf_tables";

const PRIVILEGE: &str =
    "run as root, or with CAP_NET_ADMIN in the user namespace that owns the network namespace";

/// Beyond this share of its maximum the table is nearly full, in hundredths.
const FULL: u64 = 80;

/// Asks nf_tables for its generation: the least there is to ask (linux/netfilter/nf_tables.h).
struct Generation;

impl Request for Generation {
    type Item = ();
    const MODE: Mode = Mode::Get;

    fn protocol(&self) -> &'static Protocol {
        &tables::PROTOCOL
    }

    fn message_type(&self) -> u16 {
        // NFNL_SUBSYS_NFTABLES, NFT_MSG_GETGEN
        0x0a10
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), nl_wire::Error> {
        // nfgenmsg: any family, version 0, no resource.
        writer.fixed(&[0; 4]);
        Ok(())
    }

    fn read(&self, _: &Message<'_>) -> Result<Option<()>, nl_wire::Error> {
        Ok(Some(()))
    }
}

pub(super) fn check(tracer: Option<Tracer>) -> Vec<Check> {
    let mut connection = match connect(Family::NETFILTER, tracer) {
        Ok(connection) => connection,
        Err(error) => {
            let remedy = "modprobe nfnetlink, or a kernel with CONFIG_NETFILTER_NETLINK";
            return vec![Check::missing(SOCKET, error.to_string(), remedy)];
        }
    };
    let mut checks = vec![Check::ok(SOCKET, "opens")];
    // A flow that can't be: that there is none is what shows that somebody looked.
    checks.push(tracking(connection.get(Get::PROBE).map(drop)));
    checks.extend(SETTINGS.iter().map(|setting| setting.check(setting.read())));
    checks.push(fill(number(path("max")), number(path("count"))));
    checks.push(match connection.get(Generation) {
        Ok(()) => Check::ok(TABLES, "answers"),
        Err(error) if error.is_permission() => {
            Check::warn(TABLES, "can't be asked without privilege", PRIVILEGE)
        }
        Err(error) => {
            let remedy = "modprobe nf_tables; without it nft(8) can make no rules";
            Check::warn(TABLES, error.to_string(), remedy)
        }
    });
    checks
}

fn tracking(answer: Result<(), Error>) -> Check {
    let error = match answer {
        Ok(()) => return Check::ok(TRACKING, "answers"),
        Err(error) => error,
    };
    match error.errno() {
        Some(Errno::ENOENT) => Check::ok(TRACKING, "answers"),
        _ if error.is_permission() => {
            Check::missing(TRACKING, "refuses for want of a privilege", PRIVILEGE)
        }
        _ => Check::missing(
            TRACKING,
            error.to_string(),
            "modprobe nf_conntrack_netlink, or a kernel with CONFIG_NF_CT_NETLINK",
        ),
    }
}

fn path(name: &str) -> String {
    format!("/proc/sys/net/netfilter/nf_conntrack_{name}")
}

/// What a value of a setting means.
#[derive(Clone, Copy)]
enum Means {
    Good(&'static str),
    Poor(&'static str),
    Bad(&'static str),
}

/// A setting of connection tracking, `net.netfilter.nf_conntrack_…`.
struct Setting {
    name: &'static str,
    key: &'static str,
    /// What its values mean, from 0 on.
    /// 1 is the value to have.
    values: &'static [Means],
}

const SETTINGS: [Setting; 3] = [
    Setting {
        name: "nf_conntrack_events",
        key: "events",
        values: &[
            Means::Bad("never any event"),
            Means::Good("every flow has events"),
            Means::Poor("no event, not even of its end, of a flow made while nobody listened"),
        ],
    },
    Setting {
        name: "nf_conntrack_acct",
        key: "acct",
        values: &[
            Means::Poor("flows have no counters of packets and bytes"),
            Means::Good("flows made from then on have counters"),
        ],
    },
    Setting {
        name: "nf_conntrack_timestamp",
        key: "timestamp",
        values: &[
            Means::Poor("flows and events have no times"),
            Means::Good("flows made from then on have times"),
        ],
    },
];

impl Setting {
    fn read(&self) -> Option<u64> {
        number(path(self.key))
    }

    fn check(&self, value: Option<u64>) -> Check {
        let Some(value) = value else {
            return Check::warn(self.name, "not there", "modprobe nf_conntrack");
        };
        let means = usize::try_from(value).ok().and_then(|value| self.values.get(value));
        let remedy = format!("sysctl -w net.netfilter.{}=1", self.name);
        match means {
            Some(Means::Good(text)) => Check::ok(self.name, format!("{value}: {text}")),
            Some(Means::Poor(text)) => Check::warn(self.name, format!("{value}: {text}"), remedy),
            Some(Means::Bad(text)) => Check::missing(self.name, format!("{value}: {text}"), remedy),
            None => Check::warn(self.name, format!("{value}: unknown"), remedy),
        }
    }
}

fn fill(max: Option<u64>, count: Option<u64>) -> Check {
    const NAME: &str = "nf_conntrack_max";
    let (Some(max), Some(count)) = (max, count) else {
        return Check::warn(NAME, "not there", "modprobe nf_conntrack");
    };
    match max {
        0 => Check::ok(NAME, format!("{count} flows, no limit")),
        _ if u128::from(count) * 100 < u128::from(max) * u128::from(FULL) => {
            let none = "; tracking begins with the first rule that asks for it";
            Check::ok(NAME, format!("{count} flows of {max}{}", if count == 0 { none } else { "" }))
        }
        _ => Check::warn(
            NAME,
            format!("{count} flows of {max}: beyond it packets of new ones are dropped"),
            format!("sysctl -w net.netfilter.{NAME}={}", max.saturating_mul(2)),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn values_of_settings_mean_something() {
        use State::{Missing, Ok, Warn};
        let states = |setting: &Setting| {
            [None, Some(0), Some(1), Some(2), Some(u64::MAX)]
                .map(|value| setting.check(value).state)
        };
        let [events, counters, times] = &SETTINGS;
        assert_eq!(states(events), [Warn, Missing, Ok, Warn, Warn]);
        assert_eq!(states(counters), [Warn, Warn, Ok, Warn, Warn]);
        assert_eq!(states(times), [Warn, Warn, Ok, Warn, Warn]);
        let remedy = events.check(Some(0)).remedy.unwrap();
        assert_eq!(remedy, "sysctl -w net.netfilter.nf_conntrack_events=1");
    }

    #[test]
    fn a_table_that_fills_up_is_warned_of() {
        assert_eq!(fill(Some(1000), Some(799)).state, State::Ok);
        assert_eq!(fill(Some(1000), Some(800)).state, State::Warn);
        assert_eq!(fill(Some(0), Some(800)).state, State::Ok);
        assert_eq!(fill(Some(u64::MAX), Some(u64::MAX)).state, State::Warn);
        assert_eq!(fill(None, Some(1)).state, State::Warn);
    }

    #[test]
    fn refusals_are_told_apart() {
        let answer =
            |errno: Errno| tracking(Err(Error::Io(std::io::Error::from_raw_os_error(errno.0))));
        assert_eq!(answer(Errno::ENOENT).state, State::Ok);
        assert_eq!(answer(Errno::EPERM).remedy.as_deref(), Some(PRIVILEGE));
        assert_eq!(answer(Errno::EINVAL).state, State::Missing);
        assert_eq!(tracking(Err(Error::TimedOut)).state, State::Missing);
    }
}
