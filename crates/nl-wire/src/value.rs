//! Numbers with names: open enumerations and flag sets.
//!
//! The kernel may send numbers younger than this crate. So an enumeration is a newtype over its
//! integer with named constants: an unknown number is a value like any other, and survives a round
//! trip. [`open_enum!`](crate::open_enum) and [`flag_set!`](crate::flag_set) make both kinds, each
//! with a [`Names`] table from which listings, `Debug` and text output take their words.

use core::fmt;

use crate::words::Words;

/// The names of an enumeration's or flag set's numbers, in the kernel's spelling.
#[derive(Debug)]
pub struct Names {
    /// What all names begin with (`RTN_`); [`Names::word`] leaves it out. Empty, as all else here,
    /// without the feature `names`.
    pub prefix: &'static str,
    /// Whether the numbers are bits that combine.
    pub flags: bool,
    /// The numbers, in the order of the header file.
    pub numbers: &'static [u64],
    /// The full name of each.
    pub names: Words,
}

impl Names {
    /// The kernel's name of `number` (`RTN_UNICAST`).
    pub fn name(&self, number: u64) -> Option<&'static str> {
        let index = self.numbers.iter().position(|known| *known == number)?;
        self.names.get(index)
    }

    /// Each number with its full name.
    pub fn rows(&self) -> impl Iterator<Item = (u64, &'static str)> + use<> {
        self.numbers.iter().copied().zip(self.names.iter())
    }

    /// The name of `number` without the common prefix (`UNICAST`).
    pub fn word(&self, number: u64) -> Option<&'static str> {
        self.name(number).map(|name| name.strip_prefix(self.prefix).unwrap_or(name))
    }

    /// The number whose word is `word`, letter case ignored.
    #[inline] // in programs that read text
    pub fn number(&self, word: &str) -> Option<u64> {
        let strip = |name: &'static str| name.strip_prefix(self.prefix).unwrap_or(name);
        self.rows().find(|row| strip(row.1).eq_ignore_ascii_case(word)).map(|row| row.0)
    }

    /// Formats `number` with this table: a name or the number, for flags all bits joined by `|`.
    pub fn display(&'static self, number: u64) -> impl fmt::Display {
        Named { names: self, number }
    }
}

struct Named {
    names: &'static Names,
    number: u64,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.names.flags {
            return match self.names.word(self.number) {
                Some(word) => f.write_str(word),
                None => write!(f, "{}", self.number),
            };
        }
        let mut rest = self.number;
        let mut separator = "";
        for (bits, name) in self.names.rows() {
            if bits != 0 && rest & bits == bits {
                let word = name.strip_prefix(self.names.prefix).unwrap_or(name);
                write!(f, "{separator}{word}")?;
                rest &= !bits;
                separator = "|";
            }
        }
        if rest != 0 || separator.is_empty() { write!(f, "{separator}{rest:#x}") } else { Ok(()) }
    }
}

/// Makes an open enumeration: a newtype over an integer with named constants.
///
/// The constants are the kernel's names without their common prefix, which is given once.
///
/// ```
/// nl_wire::open_enum! {
///     /// Direction of a packet.
///     pub struct Direction(u8) "DIR_" {
///         IN = 0,
///         /// Leaving this host.
///         OUT = 1,
///     }
/// }
/// assert_eq!(Direction::OUT.name(), Some("DIR_OUT"));
/// assert_eq!(Direction(7).name(), None);
/// assert_eq!(format!("{:?} {:?}", Direction::IN, Direction(7)), "IN 7");
/// ```
#[macro_export]
macro_rules! open_enum {
    ($(#[$meta:meta])* $vis:vis struct $name:ident($int:ty) $prefix:literal {
        $($(#[$row:meta])* $word:ident = $number:expr),* $(,)?
    }) => {
        $crate::open_enum!(@type $(#[$meta])* $vis $name $int, $prefix, false,
            [$($(#[$row])* $word = $number),*]);

        impl $name {
            /// The kernel's full name, where this crate knows one.
            #[inline]
            pub fn name(self) -> Option<&'static str> {
                Self::NAMES.name(u64::from(self.0))
            }

            /// The kernel's name without its prefix, where this crate knows one.
            #[inline]
            pub fn word(self) -> Option<&'static str> {
                Self::NAMES.word(u64::from(self.0))
            }
        }
    };
    (@type $(#[$meta:meta])* $vis:vis $name:ident $int:ty, $prefix:literal, $flags:literal,
        [$($(#[$row:meta])* $word:ident = $number:expr),*]) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        $vis struct $name(pub $int);

        impl $name {
            $(
                #[doc = concat!("`", $prefix, stringify!($word), "`.")]
                ///
                $(#[$row])*
                pub const $word: Self = Self($number);
            )*

            /// All names, in the kernel's spelling.
            pub const NAMES: &'static $crate::value::Names = &$crate::value::Names {
                prefix: $crate::name!($prefix),
                flags: $flags,
                numbers: $crate::named_numbers!($($number as u64),*),
                names: $crate::words![$(concat!($prefix, stringify!($word))),*],
            };
        }

        impl ::core::fmt::Debug for $name {
            #[inline]
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(&Self::NAMES.display(u64::from(self.0)), f)
            }
        }

        impl From<$int> for $name {
            #[inline]
            fn from(number: $int) -> Self {
                Self(number)
            }
        }

        impl From<$name> for $int {
            #[inline]
            fn from(value: $name) -> $int {
                value.0
            }
        }
    };
}

/// Makes a set of flags: a newtype over an integer whose named bits combine with `|`.
///
/// ```
/// nl_wire::flag_set! {
///     /// What a door allows.
///     pub struct Door(u8) "DOOR_" {
///         OPEN = 1,
///         LOCKED = 2,
///     }
/// }
/// let door = Door::LOCKED | Door(0x40);
/// assert!(door.contains(Door::LOCKED) && !door.contains(Door::OPEN));
/// assert_eq!(format!("{door:?}"), "LOCKED|0x40");
/// ```
#[macro_export]
macro_rules! flag_set {
    ($(#[$meta:meta])* $vis:vis struct $name:ident($int:ty) $prefix:literal {
        $($(#[$row:meta])* $word:ident = $number:expr),* $(,)?
    }) => {
        $crate::open_enum!(@type $(#[$meta])* $vis $name $int, $prefix, true,
            [$($(#[$row])* $word = $number),*]);

        impl $name {
            /// The numeric value.
            pub const fn bits(self) -> $int {
                self.0
            }

            /// Whether no bit is set.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Whether all bits of `other` are set.
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether any bit of `other` is set.
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// The bits of both.
            #[must_use]
            pub const fn union(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// The bits of `self` that are not in `other`.
            #[must_use]
            pub const fn without(self, other: Self) -> Self {
                Self(self.0 & !other.0)
            }
        }

        impl ::core::ops::BitOr for $name {
            type Output = Self;
            fn bitor(self, other: Self) -> Self {
                self.union(other)
            }
        }

        impl ::core::ops::BitOrAssign for $name {
            fn bitor_assign(&mut self, other: Self) {
                *self = self.union(other);
            }
        }
    };
}

open_enum! {
    /// A netlink protocol: the third argument of `socket(AF_NETLINK, …)` (linux/netlink.h).
    pub struct Family(u16) "NETLINK_" {
        /// Links, addresses, routes, neighbours, rules: rtnetlink.
        ROUTE = 0,
        USERSOCK = 2,
        SOCK_DIAG = 4,
        NFLOG = 5,
        XFRM = 6,
        SELINUX = 7,
        ISCSI = 8,
        AUDIT = 9,
        FIB_LOOKUP = 10,
        CONNECTOR = 11,
        /// Connection tracking, nftables, ipset: nfnetlink.
        NETFILTER = 12,
        KOBJECT_UEVENT = 15,
        GENERIC = 16,
        SCSITRANSPORT = 18,
        ECRYPTFS = 19,
        RDMA = 20,
        CRYPTO = 21,
        SMC = 22,
    }
}

open_enum! {
    /// An address family, as the one-byte family fields of netlink headers hold it
    /// (linux/socket.h).
    pub struct AddressFamily(u8) "AF_" {
        UNSPEC = 0,
        UNIX = 1,
        INET = 2,
        BRIDGE = 7,
        INET6 = 10,
        NETLINK = 16,
        PACKET = 17,
        MPLS = 28,
        /// Multicast routes of IPv4 (linux/mroute.h).
        IPMR = 128,
        /// Multicast routes of IPv6 (linux/mroute6.h).
        IP6MR = 129,
    }
}

impl AddressFamily {
    /// The family of an IP address.
    pub const fn of(address: core::net::IpAddr) -> Self {
        match address {
            core::net::IpAddr::V4(_) => Self::INET,
            core::net::IpAddr::V6(_) => Self::INET6,
        }
    }
}
