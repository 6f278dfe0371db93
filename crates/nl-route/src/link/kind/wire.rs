//! How attributes of kinds are read and written.

/// Numbers in the byte order that the writer's method of the same name has.
macro_rules! numbers {
    ($($name:ident: $type:ty;)*) => {$(
        pub(in crate::link::kind) mod $name {
            use nl_wire::{Attr, Error, Writer};

            pub(in crate::link::kind) fn read(attr: &Attr<'_>) -> Result<$type, Error> {
                attr.$name()
            }

            // All have the same form, whether or not they need it.
            #[allow(clippy::unnecessary_wraps, clippy::trivially_copy_pass_by_ref)]
            pub(in crate::link::kind) fn write(
                writer: &mut Writer<'_>,
                number: u16,
                value: &$type,
            ) -> Result<(), Error> {
                writer.$name(number, *value);
                Ok(())
            }
        }
    )*};
}

numbers! {
    u8: u8;
    u16: u16;
    u16_be: u16;
    u32: u32;
    u32_be: u32;
    i32: i32;
    u64: u64;
    ip: core::net::IpAddr;
}

/// The others, each with what it reads and what it writes.
macro_rules! others {
    ($($name:ident: $type:ty {
        |$attr:ident| $read:expr;
        |$writer:ident, $number:ident, $value:ident| $write:expr;
    })*) => {$(
        pub(in crate::link::kind) mod $name {
            #[allow(clippy::wildcard_imports)]
            use super::*;

            #[allow(clippy::unnecessary_wraps)]
            pub(in crate::link::kind) fn read($attr: &Attr<'_>) -> Result<$type, Error> {
                $read
            }

            // All have the same form, whether or not they need it.
            #[allow(clippy::unnecessary_wraps, clippy::ptr_arg, clippy::trivially_copy_pass_by_ref)]
            pub(in crate::link::kind) fn write(
                $writer: &mut Writer<'_>,
                $number: u16,
                $value: &$type,
            ) -> Result<(), Error> {
                $write
            }
        }
    )*};
}

use alloc::vec::Vec;
use core::net::IpAddr;

use nl_wire::{Attr, Error, Writer};

use super::BondAggregator;
use crate::tables::kind::{IFLA_MACVLAN_MACADDR, IFLA_VLAN_QOS_MAPPING};

/// Two numbers back to back.
fn two<const HALF: usize, const ALL: usize>(attr: &Attr<'_>) -> Result<[[u8; HALF]; 2], Error> {
    let bytes: [u8; ALL] = attr.array()?;
    let mut halves = [[0; HALF]; 2];
    for (half, bytes) in halves.iter_mut().zip(bytes.chunks_exact(HALF)) {
        half.copy_from_slice(bytes);
    }
    Ok(halves)
}

others! {
    bytes: Vec<u8> {
        |attr| Ok(attr.payload.to_vec());
        |writer, number, value| writer.bytes(number, value);
    }
    flag: () {
        |_attr| Ok(());
        |writer, number, _value| {
            writer.flag(number);
            Ok(())
        };
    }
    pair: [u32; 2] {
        |attr| Ok(two::<4, 8>(attr)?.map(u32::from_ne_bytes));
        |writer, number, value| writer.bytes(number, &value.map(u32::to_ne_bytes).concat());
    }
    ports: [u16; 2] {
        |attr| Ok(two::<2, 4>(attr)?.map(u16::from_be_bytes));
        |writer, number, value| writer.bytes(number, &value.map(u16::to_be_bytes).concat());
    }
    pairs: Vec<[u32; 2]> {
        |attr| attr.nested().map(|attr| pair::read(&attr?)).collect();
        |writer, number, value| writer.nest(number, |writer| {
            value.iter().try_for_each(|value| pair::write(writer, IFLA_VLAN_QOS_MAPPING, value))
        });
    }
    list: Vec<IpAddr> {
        |attr| attr.nested().map(|attr| attr?.ip()).collect();
        |writer, number, value| writer.nest(number, |writer| {
            for (index, address) in (0_u16..).zip(value) {
                writer.ip(index, *address);
            }
            Ok(())
        });
    }
    addresses: Vec<Vec<u8>> {
        |attr| attr.nested().map(|attr| Ok(attr?.payload.to_vec())).collect();
        |writer, number, value| writer.nest(number, |writer| {
            value.iter().try_for_each(|bytes| writer.bytes(IFLA_MACVLAN_MACADDR, bytes))
        });
    }
    aggregator: BondAggregator {
        |attr| BondAggregator::decode(attr.nested());
        |writer, number, value| writer.nest(number, |writer| value.encode(writer));
    }
}
