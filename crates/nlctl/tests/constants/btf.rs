//! What a kernel says of its own types: the BPF type format (linux/btf.h).

use std::collections::{BTreeMap, BTreeSet};

/// Enumerators and the fields of structures, by name.
#[derive(Default)]
pub(crate) struct Btf {
    /// The numbers that a name has; the same name may be in several enumerations.
    pub(crate) numbers: BTreeMap<String, BTreeSet<i64>>,
    /// Structures, each with the offsets of its fields in bytes; several may have one name.
    pub(crate) structs: BTreeMap<String, Vec<BTreeMap<String, u32>>>,
}

/// The kinds of types that something follows, per member or once.
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
const ENUM: u32 = 6;
const ENUM64: u32 = 19;

/// Bytes behind a type of this kind: once, and for each member.
const TAILS: [(u32, usize, usize); 11] = [
    (1, 4, 0),
    (ARRAY, 12, 0),
    (STRUCT, 0, 12),
    (UNION, 0, 12),
    (ENUM, 0, 8),
    (13, 0, 8),
    (14, 4, 0),
    (15, 0, 12),
    (17, 4, 0),
    (ENUM64, 0, 12),
    (u32::MAX, 0, 0),
];

/// Reads a file of the format in this machine's byte order; `None` if it is none.
pub(crate) fn read(file: &[u8]) -> Option<Btf> {
    if u16::from_ne_bytes(*file.first_chunk()?) != 0xeb9f {
        return None;
    }
    let head = |index: usize| Some(word(file, 4 + 4 * index)? as usize);
    let (header, types, types_length) = (head(0)?, head(1)?, head(2)?);
    let (strings, strings_length) = (head(3)?, head(4)?);
    let strings = file.get(header + strings..)?.get(..strings_length)?;
    let name = |offset: u32| {
        let rest = strings.get(offset as usize..)?;
        Some(String::from_utf8_lossy(rest.split(|byte| *byte == 0).next()?).into_owned())
    };
    let mut rest = file.get(header + types..)?.get(..types_length)?;
    let mut btf = Btf::default();
    while !rest.is_empty() {
        let (own, info) = (word(rest, 0)?, word(rest, 4)?);
        let (kind, count, flag) = (info >> 24 & 0x1f, (info & 0xffff) as usize, info >> 31 == 1);
        let row = TAILS.iter().find(|row| row.0 == kind).or(TAILS.last())?;
        let (members, behind) = rest.get(12..)?.split_at_checked(row.1 + row.2 * count)?;
        let members = members.chunks_exact(row.2.max(1));
        match kind {
            ENUM | ENUM64 => {
                for member in members {
                    let low = word(member, 4)?;
                    let number = match kind {
                        ENUM if flag => i32::from_ne_bytes(low.to_ne_bytes()).into(),
                        ENUM => low.into(),
                        _ => i64::from(low) | i64::from(word(member, 8)?) << 32,
                    };
                    btf.numbers.entry(name(word(member, 0)?)?).or_default().insert(number);
                }
            }
            STRUCT => {
                let mut fields = BTreeMap::new();
                for member in members {
                    // With bit fields the upper byte is their width.
                    let bits = word(member, 8)? & if flag { 0xff_ffff } else { u32::MAX };
                    fields.insert(name(word(member, 0)?)?, bits / 8);
                }
                btf.structs.entry(name(own)?).or_default().push(fields);
            }
            _ => {}
        }
        rest = behind;
    }
    Some(btf)
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}
