//! Which multicast groups links listen to, as files of the kernel tell: `/proc/net/dev_mcast`, `igmp`
//! and `igmp6`. By netlink it tells neither how often a group was joined nor the groups of the link
//! layer.
//!
//! ```
//! use nl_route::membership::{Group, Membership};
//!
//! let file = "3    eth0            2     1     333300000001\n";
//! let all: Vec<_> = Membership::of_links(file).collect();
//! assert_eq!((all[0].index, all[0].users, all[0].is_static), (3, 2, true));
//! assert_eq!(all[0].group, Group::Link(vec![0x33, 0x33, 0, 0, 0, 1]));
//! ```

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A group that a link listens to.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Membership {
    /// The index of the link.
    pub index: u32,
    /// The group.
    pub group: Group,
    /// How often it was joined.
    pub users: u32,
    /// Whether it was also joined by hand, as `ip maddress add` does (`global_use` of
    /// `struct netdev_hw_addr`); of the link layer only.
    pub is_static: bool,
}

/// The address of a group.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Group {
    /// Of the link layer, in the order of transmission.
    Link(Vec<u8>),
    /// Of IP.
    Ip(IpAddr),
}

impl Membership {
    /// The groups of the link layer out of `/proc/net/dev_mcast`; lines that say something else are
    /// left out.
    pub fn of_links(file: &str) -> impl Iterator<Item = Self> + '_ {
        file.lines().filter_map(|line| {
            let [index, _, users, fixed, address] = fields(line)?;
            Some(Self {
                index: index.parse().ok()?,
                group: Group::Link(octets(address)?),
                users: users.parse().ok()?,
                is_static: fixed != "0",
            })
        })
    }

    /// The groups of IPv4 out of `/proc/net/igmp`: behind a line for a link one for each of its groups.
    pub fn of_ipv4(file: &str) -> impl Iterator<Item = Self> + '_ {
        let mut index = None;
        file.lines().filter_map(move |line| {
            if !line.starts_with('\t') {
                index = line.split_ascii_whitespace().next().and_then(|word| word.parse().ok());
                return None;
            }
            let [address, users] = fields(line)?;
            // The kernel prints the address as if it were a number of this host.
            let address = u32::from_str_radix(address, 16).ok()?.to_ne_bytes();
            let group = Group::Ip(Ipv4Addr::from(address).into());
            Some(Self { index: index?, group, users: users.parse().ok()?, is_static: false })
        })
    }

    /// The groups of IPv6 out of `/proc/net/igmp6`.
    pub fn of_ipv6(file: &str) -> impl Iterator<Item = Self> + '_ {
        file.lines().filter_map(|line| {
            let [index, _, address, users] = fields(line)?;
            let address = <[u8; 16]>::try_from(octets(address)?).ok()?;
            Some(Self {
                index: index.parse().ok()?,
                group: Group::Ip(Ipv6Addr::from(address).into()),
                users: users.parse().ok()?,
                is_static: false,
            })
        })
    }
}

/// The first words of a line. Names of links have no blanks.
fn fields<const N: usize>(line: &str) -> Option<[&str; N]> {
    let mut words = line.split_ascii_whitespace();
    let mut fields = [""; N];
    for field in &mut fields {
        *field = words.next()?;
    }
    Some(fields)
}

/// Octets of two digits each.
fn octets(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let digit = |at: usize| char::from(*pair.get(at)?).to_digit(16);
            u8::try_from(digit(0)? << 4 | digit(1)?).ok()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, vec};

    #[test]
    fn files_are_read() {
        let group = u32::from_ne_bytes([224, 0, 0, 1]);
        let igmp = format!(
            "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n\
             1\tlo        :     1      V3\n\t\t\t\t{group:08X}     1 0:00000000\t\t0\n\
             12\ta-long-name-000:     1      V2\n\t\t\t\t{group:08X}     7 0:00000000\t\t0\n"
        );
        let ip = |index, group: &str, users| Membership {
            index,
            group: Group::Ip(group.parse().unwrap()),
            users,
            is_static: false,
        };
        let found: Vec<_> = Membership::of_ipv4(&igmp).collect();
        assert_eq!(found, [ip(1, "224.0.0.1", 1), ip(12, "224.0.0.1", 7)]);
        let igmp6 = "4    eth0            ff0200000000000000000001ff000002     3 00000004 0\nx\n";
        let found: Vec<_> = Membership::of_ipv6(igmp6).collect();
        assert_eq!(found, [ip(4, "ff02::1:ff00:2", 3)]);
        let links = "2    ifb0            1     0     333300000001\n3 x 1 0 3\n3 x 1 0 gg\n\n";
        let found: Vec<_> = Membership::of_links(links).collect();
        let group = Group::Link(vec![0x33, 0x33, 0, 0, 0, 1]);
        assert_eq!(found, [Membership { index: 2, group, users: 1, is_static: false }]);
    }

    #[test]
    fn nonsense_is_left_out() {
        for text in ["", "\t", "\n\t\t\tFF", "\t1 1", "9999999999999 a 1 1 00", "é é é é é é"]
        {
            assert_eq!(Membership::of_links(text).count(), 0, "{text}");
            assert_eq!(Membership::of_ipv4(text).count(), 0, "{text}");
            assert_eq!(Membership::of_ipv6(text).count(), 0, "{text}");
        }
    }
}
