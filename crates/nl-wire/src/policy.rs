//! What the kernel demands of an attribute: `NL_POLICY_TYPE_ATTR_*` (linux/netlink.h).
//!
//! The kernel sends such a nest in an extended ack about an attribute that it refused, and in the
//! policy dumps of generic netlink.

use core::fmt;

use crate::attr::Attrs;
use crate::error::{Error, Expected};

crate::attributes! {
    /// The attributes of one attribute's policy.
    pub static POLICY: "NL_POLICY_TYPE_ATTR" {
        NL_POLICY_TYPE_ATTR_TYPE = 1: Named(&U32, PolicyType::NAMES);
        NL_POLICY_TYPE_ATTR_MIN_VALUE_S = 2: I64;
        NL_POLICY_TYPE_ATTR_MAX_VALUE_S = 3: I64;
        NL_POLICY_TYPE_ATTR_MIN_VALUE_U = 4: U64;
        NL_POLICY_TYPE_ATTR_MAX_VALUE_U = 5: U64;
        NL_POLICY_TYPE_ATTR_MIN_LENGTH = 6: U32;
        NL_POLICY_TYPE_ATTR_MAX_LENGTH = 7: U32;
        NL_POLICY_TYPE_ATTR_POLICY_IDX = 8: U32;
        NL_POLICY_TYPE_ATTR_POLICY_MAXTYPE = 9: U32;
        NL_POLICY_TYPE_ATTR_BITFIELD32_MASK = 10: U32;
        NL_POLICY_TYPE_ATTR_PAD = 11: Bytes;
        NL_POLICY_TYPE_ATTR_MASK = 12: U64;
    }
}

crate::open_enum! {
    /// The kind of an attribute's payload (`enum netlink_attribute_type`).
    pub struct PolicyType(u32) "NL_ATTR_TYPE_" {
        INVALID = 0,
        FLAG = 1,
        U8 = 2,
        U16 = 3,
        U32 = 4,
        U64 = 5,
        S8 = 6,
        S16 = 7,
        S32 = 8,
        S64 = 9,
        BINARY = 10,
        STRING = 11,
        NUL_STRING = 12,
        NESTED = 13,
        NESTED_ARRAY = 14,
        BITFIELD32 = 15,
        SINT = 16,
        UINT = 17,
    }
}

/// What the kernel demands of one attribute; a limit it does not state is `None`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// The kind of payload.
    pub kind: Option<PolicyType>,
    /// Least value of a signed number.
    pub min_signed: Option<i64>,
    /// Greatest value of a signed number.
    pub max_signed: Option<i64>,
    /// Least value of an unsigned number.
    pub min_unsigned: Option<u64>,
    /// Greatest value of an unsigned number.
    pub max_unsigned: Option<u64>,
    /// Least length in bytes.
    pub min_length: Option<u32>,
    /// Greatest length in bytes.
    pub max_length: Option<u32>,
    /// Index of the policy of the nested attributes, in a policy dump.
    pub policy_index: Option<u32>,
    /// Greatest number among the nested attributes.
    pub policy_max_type: Option<u32>,
    /// Bits allowed in a bitfield.
    pub bitfield_mask: Option<u32>,
    /// Bits allowed in an unsigned number.
    pub mask: Option<u64>,
}

impl Policy {
    /// Reads the payload of a policy nest.
    ///
    /// # Errors
    /// If an attribute is cut short; unknown ones are passed over.
    pub fn decode(mut attrs: Attrs<'_>) -> Result<Self, Error> {
        const LAST: usize = NL_POLICY_TYPE_ATTR_MASK as usize;
        let mut values = [None; LAST + 1];
        while let Some(attr) = attrs.step() {
            let (value, length) = match attr.number() {
                NL_POLICY_TYPE_ATTR_TYPE
                | NL_POLICY_TYPE_ATTR_MIN_LENGTH
                | NL_POLICY_TYPE_ATTR_MAX_LENGTH
                | NL_POLICY_TYPE_ATTR_POLICY_IDX
                | NL_POLICY_TYPE_ATTR_POLICY_MAXTYPE
                | NL_POLICY_TYPE_ATTR_BITFIELD32_MASK => (attr.word().map(u64::from), 4),
                NL_POLICY_TYPE_ATTR_MIN_VALUE_S
                | NL_POLICY_TYPE_ATTR_MAX_VALUE_S
                | NL_POLICY_TYPE_ATTR_MIN_VALUE_U
                | NL_POLICY_TYPE_ATTR_MAX_VALUE_U
                | NL_POLICY_TYPE_ATTR_MASK => {
                    let bytes = attr.payload.first_chunk();
                    (bytes.map(|bytes| u64::from_ne_bytes(*bytes)), 8)
                }
                _ => continue,
            };
            if value.is_none() {
                return Err(attr.wrong_length(Expected::AtLeast(length)));
            }
            if let Some(slot) = values.get_mut(usize::from(attr.number())) {
                *slot = value;
            }
        }
        attrs.finish()?;
        let long = |number: u16| values[usize::from(number)];
        let signed = |number| long(number).map(|it: u64| i64::from_ne_bytes(it.to_ne_bytes()));
        #[allow(clippy::cast_possible_truncation)] // these were words
        let word = |number| long(number).map(|it| it as u32);
        Ok(Self {
            kind: word(NL_POLICY_TYPE_ATTR_TYPE).map(PolicyType),
            min_signed: signed(NL_POLICY_TYPE_ATTR_MIN_VALUE_S),
            max_signed: signed(NL_POLICY_TYPE_ATTR_MAX_VALUE_S),
            min_unsigned: long(NL_POLICY_TYPE_ATTR_MIN_VALUE_U),
            max_unsigned: long(NL_POLICY_TYPE_ATTR_MAX_VALUE_U),
            min_length: word(NL_POLICY_TYPE_ATTR_MIN_LENGTH),
            max_length: word(NL_POLICY_TYPE_ATTR_MAX_LENGTH),
            policy_index: word(NL_POLICY_TYPE_ATTR_POLICY_IDX),
            policy_max_type: word(NL_POLICY_TYPE_ATTR_POLICY_MAXTYPE),
            bitfield_mask: word(NL_POLICY_TYPE_ATTR_BITFIELD32_MASK),
            mask: long(NL_POLICY_TYPE_ATTR_MASK),
        })
    }
}

impl fmt::Display for Policy {
    /// One line: `U32, value 0 to 7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.unwrap_or_default();
        // Without names there is nothing to look up.
        match if cfg!(feature = "names") { kind.word() } else { None } {
            Some(word) => f.write_str(word)?,
            None => write!(f, "{}", kind.0)?,
        }
        let signed = |limit: i64| (limit < 0, limit.unsigned_abs());
        range(f, "value", self.min_signed.map(signed), self.max_signed.map(signed))?;
        let long = |limit: u64| (false, limit);
        range(f, "value", self.min_unsigned.map(long), self.max_unsigned.map(long))?;
        let word = |limit: u32| (false, limit.into());
        range(f, "length", self.min_length.map(word), self.max_length.map(word))?;
        if let Some(greatest) = self.policy_max_type {
            write!(f, ", attributes up to {greatest}")?;
        }
        let masks = [self.bitfield_mask.map(u64::from), self.mask];
        for mask in masks.into_iter().flatten() {
            write!(f, ", bits {mask:#x}")?;
        }
        Ok(())
    }
}

/// Limits of numbers of any kind: whether they are below zero, and how far from it.
fn range(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    least: Option<(bool, u64)>,
    greatest: Option<(bool, u64)>,
) -> fmt::Result {
    if least.or(greatest).is_none() {
        return Ok(());
    }
    write!(f, ", {what} ")?;
    let limits = [
        (if greatest.is_none() { "at least " } else { "" }, least),
        (if least.is_none() { "at most " } else { " to " }, greatest.filter(|_| least != greatest)),
    ];
    for (before, limit) in limits {
        if let Some((negative, size)) = limit {
            write!(f, "{before}{}{size}", if negative { "-" } else { "" })?;
        }
    }
    Ok(())
}
