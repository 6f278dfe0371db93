//! What the kernel demands of an attribute: `NL_POLICY_TYPE_ATTR_*` (linux/netlink.h).
//!
//! The kernel sends such a nest in an extended ack about an attribute that it refused, and in the
//! policy dumps of generic netlink.

use core::fmt;

use crate::attr::Attrs;
use crate::error::Error;

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
    pub fn decode(attrs: Attrs<'_>) -> Result<Self, Error> {
        let mut policy = Self::default();
        for attr in attrs {
            let attr = attr?;
            match attr.number() {
                NL_POLICY_TYPE_ATTR_TYPE => policy.kind = Some(PolicyType(attr.u32()?)),
                NL_POLICY_TYPE_ATTR_MIN_VALUE_S => policy.min_signed = Some(attr.i64()?),
                NL_POLICY_TYPE_ATTR_MAX_VALUE_S => policy.max_signed = Some(attr.i64()?),
                NL_POLICY_TYPE_ATTR_MIN_VALUE_U => policy.min_unsigned = Some(attr.u64()?),
                NL_POLICY_TYPE_ATTR_MAX_VALUE_U => policy.max_unsigned = Some(attr.u64()?),
                NL_POLICY_TYPE_ATTR_MIN_LENGTH => policy.min_length = Some(attr.u32()?),
                NL_POLICY_TYPE_ATTR_MAX_LENGTH => policy.max_length = Some(attr.u32()?),
                NL_POLICY_TYPE_ATTR_POLICY_IDX => policy.policy_index = Some(attr.u32()?),
                NL_POLICY_TYPE_ATTR_POLICY_MAXTYPE => policy.policy_max_type = Some(attr.u32()?),
                NL_POLICY_TYPE_ATTR_BITFIELD32_MASK => policy.bitfield_mask = Some(attr.u32()?),
                NL_POLICY_TYPE_ATTR_MASK => policy.mask = Some(attr.u64()?),
                _ => {}
            }
        }
        Ok(policy)
    }
}

impl fmt::Display for Policy {
    /// One line: `U32, value 0 to 7`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind.unwrap_or_default())?;
        range(f, "value", self.min_signed, self.max_signed)?;
        range(f, "value", self.min_unsigned, self.max_unsigned)?;
        range(f, "length", self.min_length, self.max_length)?;
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

fn range<T: fmt::Display + PartialEq>(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    least: Option<T>,
    greatest: Option<T>,
) -> fmt::Result {
    match (least, greatest) {
        (Some(least), Some(greatest)) if least == greatest => write!(f, ", {what} {least}"),
        (Some(least), Some(greatest)) => write!(f, ", {what} {least} to {greatest}"),
        (Some(least), None) => write!(f, ", {what} at least {least}"),
        (None, Some(greatest)) => write!(f, ", {what} at most {greatest}"),
        (None, None) => Ok(()),
    }
}
