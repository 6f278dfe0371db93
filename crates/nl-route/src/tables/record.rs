//! C structures that are typed: their layout for listings, and their fields for programs, both from
//! one declaration.

use alloc::vec::Vec;

use nl_wire::table::{Field, Layout, Payload};

/// A C structure of the kernel, or a field of one: numbers in host byte order, back to back.
pub trait Record: Sized {
    /// How listings tell it.
    const PAYLOAD: Payload;

    /// Its length in bytes.
    const WIDTH: usize = match Self::PAYLOAD.width() {
        Some(width) => width,
        None => 0,
    };

    /// Takes it from the front of `bytes`. What is not there is 0: older kernels send less.
    fn take(bytes: &mut &[u8]) -> Self;

    /// Appends it.
    fn put(&self, out: &mut Vec<u8>);
}

macro_rules! numbers {
    ($($type:ident = $payload:ident;)*) => {$(
        impl Record for $type {
            const PAYLOAD: Payload = Payload::$payload;

            fn take(bytes: &mut &[u8]) -> Self {
                let (number, rest) = bytes.split_first_chunk().unwrap_or((&[0; size_of::<Self>()], &[]));
                *bytes = rest;
                Self::from_ne_bytes(*number)
            }

            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_ne_bytes());
            }
        }
    )*};
}

numbers! {
    u8 = U8;
    u16 = U16;
    i16 = U16;
    u32 = U32;
    i32 = I32;
    u64 = U64;
    i64 = I64;
}

/// The names of the fields that an array is listed as.
const INDEXES: [&str; 16] =
    ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"];

const fn fields<const N: usize>(payload: Payload) -> [Field; N] {
    let mut fields = [const { Field { name: "", payload: Payload::U8 } }; N];
    let mut index = 0;
    while index < N {
        fields[index] = Field {
            name: if cfg!(feature = "names") { INDEXES[index % INDEXES.len()] } else { "" },
            payload,
        };
        index += 1;
    }
    fields
}

struct Array<T, const N: usize>(T);

impl<T: Record, const N: usize> Array<T, N> {
    const FIELDS: &'static [Field] = &fields::<N>(T::PAYLOAD);
    const LAYOUT: &'static Layout = &Layout { name: "", fields: Self::FIELDS };
}

impl<T: Record, const N: usize> Record for [T; N] {
    const PAYLOAD: Payload = Payload::Struct(Array::<T, N>::LAYOUT);

    fn take(bytes: &mut &[u8]) -> Self {
        core::array::from_fn(|_| T::take(bytes))
    }

    fn put(&self, out: &mut Vec<u8>) {
        for item in self {
            item.put(out);
        }
    }
}

/// Declares C structures: the type, and the layout that tables name.
macro_rules! structs {
    ($(
        $(#[$doc:meta])* $name:ident = $layout:ident $label:literal {
            $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
        }
    )*) => {$(
        #[doc = concat!("`struct ", $label, "`.")]
        pub static $layout: nl_wire::table::Layout = nl_wire::table::Layout {
            name: nl_wire::name!($label),
            fields: &[$(nl_wire::table::Field {
                name: nl_wire::name!(stringify!($field)),
                payload: <$type as $crate::tables::record::Record>::PAYLOAD,
            },)*],
        };

        $(#[$doc])*
        #[doc = concat!("(`struct ", $label, "`)")]
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
        #[allow(non_snake_case)] // the kernel's names
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl $crate::tables::record::Record for $name {
            const PAYLOAD: nl_wire::table::Payload = nl_wire::table::Payload::Struct(&$layout);

            #[allow(non_snake_case)]
            fn take(bytes: &mut &[u8]) -> Self {
                // In the order of the structure.
                $(let $field = $crate::tables::record::Record::take(bytes);)*
                Self { $($field,)* }
            }

            fn put(&self, out: &mut alloc::vec::Vec<u8>) {
                $(self.$field.put(out);)*
            }
        }
    )*};
}

pub(crate) use structs;
