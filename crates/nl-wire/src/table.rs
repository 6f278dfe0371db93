//! Attribute tables: what each attribute number of a namespace is called and holds.
//!
//! One row per attribute: number, kernel name, payload. The [`attributes!`](crate::attributes)
//! macro makes from the rows both the constants that decoders match on and the [`Table`] that
//! listings, error messages and the resolution of the kernel's error offsets read. So a number is
//! written once.
//!
//! A [`Protocol`] joins the tables of one netlink protocol, or of one object of it: which message
//! types it has, the fixed header of each and the table of its attributes.

use core::fmt;

use crate::header::Verb;
use crate::value::{Family, Names};
use crate::words::Words;

mod path;
pub use path::{MAX_DEPTH, Path};

/// The attributes of one namespace, ordered by number.
pub struct Table {
    /// The table's name: the common prefix of its attributes (`RTA`). Empty without the feature
    /// `names`, as all names here.
    pub name: &'static str,
    /// The attributes' numbers, ascending.
    pub numbers: &'static [u16],
    /// The name of each.
    pub names: Words,
    /// What each holds.
    pub payloads: &'static [Payload],
}

impl Table {
    /// A table without rows, for payloads whose attributes nobody has named yet.
    pub const EMPTY: &'static Self =
        &Self { name: "", numbers: &[], names: Words::NONE, payloads: &[] };

    /// The row of attribute `number`.
    pub fn row(&self, number: u16) -> Option<Row> {
        self.at(self.numbers.binary_search(&number).ok()?)
    }

    /// All rows, their numbers ascending.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.numbers.len()).map_while(|index| self.at(index))
    }

    fn at(&self, index: usize) -> Option<Row> {
        let name = self.names.get(index).unwrap_or_default();
        Some(Row { number: *self.numbers.get(index)?, name, payload: *self.payloads.get(index)? })
    }
}

impl fmt::Debug for Table {
    /// The name alone: tables may contain themselves.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({})", self.name)
    }
}

/// One attribute of a table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The number, without flag bits.
    pub number: u16,
    /// The kernel's name (`RTA_GATEWAY`); empty without the feature `names`.
    pub name: &'static str,
    /// What the payload holds.
    pub payload: Payload,
}

/// What a payload holds.
///
/// Numbers are in host byte order unless the name ends in `Be` (network order).
#[derive(Clone, Copy, Debug)]
pub enum Payload {
    /// Nothing: presence says it all.
    Flag,
    /// An 8-bit number.
    U8,
    /// A 16-bit number.
    U16,
    /// A 32-bit number.
    U32,
    /// A 64-bit number.
    U64,
    /// A signed 8-bit number.
    I8,
    /// A signed 32-bit number.
    I32,
    /// A signed 64-bit number.
    I64,
    /// A 16-bit number in network byte order.
    U16Be,
    /// A 32-bit number in network byte order.
    U32Be,
    /// A 64-bit number in network byte order.
    U64Be,
    /// An unsigned number of 4 or 8 bytes (`NLA_UINT`).
    Uint,
    /// A signed number of 4 or 8 bytes (`NLA_SINT`).
    Sint,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// An IP address; the length tells the family.
    Ip,
    /// A link-layer address of any length.
    LinkAddress,
    /// A string, usually with a NUL at its end.
    Text,
    /// Bytes without further structure, or with one that this crate does not know.
    Bytes,
    /// `struct nla_bitfield32`: value and selector, both 32 bits.
    Bitfield32,
    /// A number whose values have names. In the tables of the macros there is none without the
    /// feature `names`, but the number itself.
    Named(&'static Payload, &'static Names),
    /// A C structure; a shorter one (older kernel) or longer one (newer kernel) is read as far as
    /// both go.
    Struct(&'static Layout),
    /// Numbers or addresses back to back.
    Array(&'static Payload),
    /// Attributes.
    Nest(&'static Table),
    /// Attributes that all hold the same, their numbers being indexes.
    List(&'static Payload),
    /// A structure, then attributes.
    Headed(&'static Layout, &'static Table),
    /// Records back to back, each a structure that begins with its u16 length, then attributes
    /// (`struct rtnexthop`).
    Records(&'static Layout, &'static Table),
    /// What a sibling attribute decides.
    Choice {
        /// The number of the sibling.
        by: u16,
        /// Its value, and what this attribute holds then.
        cases: &'static [(Key, Payload)],
    },
}

/// A value of a sibling attribute that decides what a payload holds.
#[derive(Clone, Copy, Debug)]
pub enum Key {
    /// A string.
    Text(&'static str),
    /// A number of 1, 2 or 4 bytes.
    Number(u32),
}

impl Key {
    /// Whether the sibling's payload is this value.
    pub fn matches(&self, sibling: &crate::attr::Attr<'_>) -> bool {
        match *self {
            Self::Text(text) => sibling.text() == text.as_bytes(),
            Self::Number(number) => {
                let found = match sibling.payload.len() {
                    1 => sibling.u8().map(u32::from),
                    2 => sibling.u16().map(u32::from),
                    _ => sibling.u32(),
                };
                found == Ok(number)
            }
        }
    }
}

impl Payload {
    /// The width in bytes, where it is fixed.
    pub const fn width(&self) -> Option<usize> {
        Some(match self {
            Self::Flag => 0,
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::U16Be => 2,
            Self::U32 | Self::I32 | Self::U32Be | Self::Ipv4 => 4,
            Self::U64 | Self::I64 | Self::U64Be | Self::Bitfield32 => 8,
            Self::Ipv6 => 16,
            Self::Named(payload, _) => return payload.width(),
            Self::Struct(layout) => layout.width(),
            _ => return None,
        })
    }

    /// The payload that a [`Payload::Choice`] comes to among `siblings` (its own level of
    /// attributes), with the number of the case; any other payload is itself.
    pub fn resolve(self, siblings: &crate::attr::Attrs<'_>) -> (Self, Option<usize>) {
        let Self::Choice { by, cases } = self else { return (self, None) };
        let mut siblings = siblings.clone();
        while let Some(sibling) = siblings.step() {
            if sibling.number() == by {
                if let Some(case) = cases.iter().position(|(key, _)| key.matches(&sibling)) {
                    return (cases[case].1, Some(case));
                }
            }
        }
        (Self::Bytes, None)
    }
}

/// A C structure: named fields one behind the other, padding spelled out.
#[derive(Debug)]
pub struct Layout {
    /// The structure's name (`rtmsg`); empty without the feature `names`.
    pub name: &'static str,
    /// The fields in order; those named `""` are padding.
    pub fields: &'static [Field],
}

impl Layout {
    /// No fixed part.
    pub const NONE: &'static Self = &Self { name: "", fields: &[] };

    /// The length in bytes.
    pub const fn width(&self) -> usize {
        let mut sum = 0;
        let mut index = 0;
        while index < self.fields.len() {
            if let Some(width) = self.fields[index].payload.width() {
                sum += width;
            }
            index += 1;
        }
        sum
    }
}

/// One field of a [`Layout`].
#[derive(Debug)]
pub struct Field {
    /// The field's name in the C structure; `""` for padding, and without the feature `names`.
    pub name: &'static str,
    /// What it holds; of fixed width.
    pub payload: Payload,
}

/// One netlink protocol, or as much of it as belongs to one object: its message types and their
/// tables.
#[derive(Debug)]
pub struct Protocol {
    /// The protocol number.
    pub family: Family,
    /// The message types, in ascending order.
    pub messages: &'static [MessageKind],
    /// Resolves the offsets in refusals. By its address, so that nothing of it is linked where no
    /// protocol has it: those of the macros without the feature `names`.
    #[doc(hidden)]
    pub resolve: Option<Resolve>,
}

/// [`Path::resolve`].
#[doc(hidden)]
pub type Resolve = fn(&Protocol, &[u8], Option<u32>) -> Option<Path>;

impl Protocol {
    /// What is known of messages of type `message_type`.
    pub fn message(&self, message_type: u16) -> Option<&'static MessageKind> {
        let index = self.messages.binary_search_by_key(&message_type, |kind| kind.number).ok()?;
        self.messages.get(index)
    }

    /// A protocol of which nothing but its number is known: listings show its headers, and bodies
    /// as bytes.
    pub const fn unknown(family: Family) -> Self {
        Self { family, messages: &[], resolve: None }
    }
}

/// One message type of a protocol.
#[derive(Clone, Copy, Debug)]
pub struct MessageKind {
    /// The number in `nlmsg_type`.
    pub number: u16,
    /// The kernel's name (`RTM_NEWROUTE`); empty without the feature `names`.
    pub name: &'static str,
    /// What the message does.
    pub verb: Verb,
    /// The fixed part behind the header; none without the feature `names`, as nobody can tell what
    /// is in it.
    pub header: &'static Layout,
    /// The attributes behind the fixed part; none without the feature `names`.
    pub attributes: &'static Table,
}

/// What rows are written with.
#[doc(hidden)]
pub mod rows {
    pub use super::Key;
    pub use super::Payload::*;

    /// The number itself: nobody can tell the names of its values, so nobody links them.
    #[cfg(not(feature = "names"))]
    #[allow(non_snake_case)] // stands for the variant
    pub const fn Named(
        number: &'static super::Payload,
        _: &'static super::Names,
    ) -> super::Payload {
        *number
    }
}

/// How many message types `parts` have.
#[doc(hidden)]
pub const fn count(parts: &[&Protocol]) -> usize {
    let (mut sum, mut index) = (0, 0);
    while index < parts.len() {
        sum += parts[index].messages.len();
        index += 1;
    }
    sum
}

/// The message types of all `parts`, in ascending order.
#[doc(hidden)]
pub const fn joined<const N: usize>(parts: &[&Protocol]) -> [MessageKind; N] {
    const NONE: MessageKind = MessageKind {
        number: 0,
        name: "",
        verb: Verb::New,
        header: Layout::NONE,
        attributes: Table::EMPTY,
    };
    let mut all = [NONE; N];
    let (mut len, mut part) = (0, 0);
    while part < parts.len() {
        let mut row = 0;
        while row < parts[part].messages.len() {
            all[len] = parts[part].messages[row];
            let mut at = len;
            while at > 0 && all[at - 1].number >= all[at].number {
                assert!(all[at - 1].number != all[at].number, "two parts have one message type");
                (all[at - 1], all[at]) = (all[at], all[at - 1]);
                at -= 1;
            }
            len += 1;
            row += 1;
        }
        part += 1;
    }
    all
}

/// Whether numbers ascend strictly; the macros check their rows with it while compiling.
#[doc(hidden)]
pub const fn ascends(numbers: &[u16]) -> bool {
    let mut index = 1;
    while index < numbers.len() {
        if numbers[index - 1] >= numbers[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Makes attribute tables: per row a constant of the kernel's name, and a static [`Table`], which
/// carries what the kernel begins these names with.
///
/// A row says what its payload is: a variant of [`Payload`](crate::table::Payload), without path.
///
/// ```
/// nl_wire::attributes! {
///     /// Attributes of a door.
///     pub static DOOR: "DOORA" {
///         /// Width in millimetres.
///         DOORA_WIDTH = 1: U32;
///         DOORA_NAME = 2: Text;
///         DOORA_HANDLES = 5: List(&Nest(&HANDLE));
///     }
///     /// Attributes of a handle.
///     pub static HANDLE: "HANDLEA" {
///         HANDLEA_COLOUR = 1: U8;
///     }
/// }
/// assert_eq!(DOOR.row(DOORA_NAME).unwrap().name, "DOORA_NAME");
/// assert!(DOOR.row(3).is_none());
/// ```
#[macro_export]
macro_rules! attributes {
    ($($(#[$meta:meta])* $vis:vis static $table:ident: $label:literal {
        $($(#[$row:meta])* $name:ident = $number:literal: $payload:expr;)*
    })*) => {
        $(
            $(
                #[doc = concat!("`", stringify!($name), "` = ", stringify!($number), ": `",
                    stringify!($payload), "`.")]
                ///
                $(#[$row])*
                $vis const $name: u16 = $number;
            )*

            $(#[$meta])*
            $vis static $table: $crate::table::Table = {
                #[allow(unused_imports)]
                use $crate::table::rows::*;
                const { assert!($crate::table::ascends(&[$($number),*]), "rows must ascend") };
                $crate::table::Table {
                    name: $crate::name!($label),
                    numbers: &[$($number),*],
                    names: $crate::words![$(stringify!($name)),*],
                    payloads: &[$($payload),*],
                }
            };
        )*
    };
}

/// Makes [`Layout`]s: C structures as static values.
///
/// ```
/// nl_wire::layouts! {
///     /// `struct rtgenmsg`, padded.
///     pub static RTGENMSG: "rtgenmsg" { "rtgen_family": U8; "": U8; "": U16; }
/// }
/// assert_eq!(RTGENMSG.width(), 4);
/// ```
#[macro_export]
macro_rules! layouts {
    ($($(#[$meta:meta])* $vis:vis static $layout:ident: $label:literal {
        $($name:literal: $payload:expr;)*
    })*) => {
        $(
            $(#[$meta])*
            $vis static $layout: $crate::table::Layout = {
                #[allow(unused_imports)]
                use $crate::table::rows::*;
                $crate::table::Layout {
                    name: $crate::name!($label),
                    fields: &[$($crate::table::Field {
                        name: $crate::name!($name),
                        payload: $payload,
                    }),*],
                }
            };
        )*
    };
}

/// Makes [`Protocol`]s: per message type a constant of the kernel's name, and the static tables.
///
/// Each may be small: what the requests about one object need. A program then links the tables of
/// the objects that it asks for, and no others; `=` joins them to one that knows every message.
///
/// ```
/// use nl_wire::{header::Verb, table::{Layout, Table}, value::Family};
///
/// nl_wire::protocol! {
///     /// Doors.
///     pub static DOORS: Family::USERSOCK {
///         DOOR_OPEN = 16: New, Layout::NONE, Table::EMPTY;
///         DOOR_LIST = 18: Get, Layout::NONE, Table::EMPTY;
///     }
///     /// Bells.
///     pub static BELLS: Family::USERSOCK {
///         BELL_RING = 17: New, Layout::NONE, Table::EMPTY;
///     }
/// }
/// nl_wire::protocol! {
///     /// What a house has.
///     pub static HOUSE: Family::USERSOCK = [DOORS, BELLS];
/// }
/// assert_eq!(HOUSE.message(DOOR_LIST).unwrap().verb, Verb::Get);
/// assert!(DOORS.message(BELL_RING).is_none());
/// ```
#[macro_export]
macro_rules! protocol {
    ($(#[$meta:meta])* $vis:vis static $protocol:ident: $family:path = [$($part:ident),* $(,)?];) => {
        $(#[$meta])*
        $vis static $protocol: $crate::table::Protocol = {
            const PARTS: &[&$crate::table::Protocol] = &[$(&$part),*];
            const MESSAGES: &[$crate::table::MessageKind] =
                &$crate::table::joined::<{ $crate::table::count(PARTS) }>(PARTS);
            $crate::table::Protocol {
                family: $family,
                messages: MESSAGES,
                resolve: $crate::if_named!($crate::table::Path::resolve),
            }
        };
    };
    ($($(#[$meta:meta])* $vis:vis static $protocol:ident: $family:path {
        $($(#[$row:meta])* $name:ident = $number:literal: $verb:ident, $header:expr, $attributes:expr;)*
    })*) => {
        $(
            $(
                #[doc = concat!("`", stringify!($name), "` = ", stringify!($number), ".")]
                ///
                $(#[$row])*
                $vis const $name: u16 = $number;
            )*

            $(#[$meta])*
            $vis static $protocol: $crate::table::Protocol = {
                const { assert!($crate::table::ascends(&[$($number),*]), "rows must ascend") };
                $crate::table::Protocol {
                    family: $family,
                    messages: &[$($crate::table::MessageKind {
                        number: $number,
                        name: $crate::name!(stringify!($name)),
                        verb: $crate::header::Verb::$verb,
                        header: $crate::named_or!($header, $crate::table::Layout::NONE),
                        attributes: $crate::named_or!($attributes, $crate::table::Table::EMPTY),
                    }),*],
                    resolve: $crate::if_named!($crate::table::Path::resolve),
                }
            };
        )*
    };
}
