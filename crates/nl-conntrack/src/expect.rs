//! Expectations: flows that a helper announced (`CTA_EXPECT_*`).

use alloc::vec::Vec;

use nl_wire::Writer;
use nl_wire::attr::{Attr, Attrs, RawAttr};
use nl_wire::datagram::Message;
use nl_wire::error::{Error, Problem};
use nl_wire::text::Text;
use nl_wire::value::AddressFamily;

use crate::encode;
use crate::flow::nfgenmsg;
use crate::tables::{
    self, CTA_EXPECT_CLASS, CTA_EXPECT_FLAGS, CTA_EXPECT_FN, CTA_EXPECT_HELP_NAME, CTA_EXPECT_ID,
    CTA_EXPECT_MASK, CTA_EXPECT_MASTER, CTA_EXPECT_NAT, CTA_EXPECT_NAT_DIR, CTA_EXPECT_NAT_TUPLE,
    CTA_EXPECT_TIMEOUT, CTA_EXPECT_TUPLE, CTA_EXPECT_ZONE, EXPECT,
};
use crate::tuple::Tuple;
use crate::unknown;
use crate::value::ExpectFlags;

/// A flow that is expected, as the kernel reports it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Expectation {
    /// `nfgen_family`.
    pub family: AddressFamily,
    /// `CTA_EXPECT_TUPLE`: what the flow's first packet will look like, where `mask` has ones.
    pub tuple: Tuple,
    /// `CTA_EXPECT_MASK`.
    pub mask: Tuple,
    /// `CTA_EXPECT_MASTER`: the original direction of the flow that announced it.
    pub master: Tuple,
    /// `CTA_EXPECT_TIMEOUT`, in seconds.
    pub timeout: Option<u32>,
    /// `CTA_EXPECT_ID`.
    pub id: Option<u32>,
    /// `CTA_EXPECT_HELP_NAME`: the helper of the master.
    pub helper: Option<Text>,
    /// `CTA_EXPECT_ZONE`.
    pub zone: Option<u16>,
    /// `CTA_EXPECT_FLAGS`.
    pub flags: Option<ExpectFlags>,
    /// `CTA_EXPECT_CLASS`.
    pub class: Option<u32>,
    /// `CTA_EXPECT_NAT`.
    pub nat: Option<ExpectNat>,
    /// `CTA_EXPECT_FN`: what is called when it comes, such as `nat-follow-master`.
    pub function: Option<Text>,
    /// Attributes without a field here, as in [`Flow::unknown`](crate::Flow::unknown).
    pub unknown: Vec<RawAttr>,
}

/// How an expected flow will be translated: `CTA_EXPECT_NAT`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ExpectNat {
    /// `CTA_EXPECT_NAT_DIR`: the direction of the master that it comes in; 0 original, 1 reply.
    pub direction: u32,
    /// `CTA_EXPECT_NAT_TUPLE`: the source address and port before translation.
    pub tuple: Tuple,
}

impl Expectation {
    /// Reads a message of [`tables::PROTOCOL`] that holds an expectation.
    ///
    /// # Errors
    /// [`Problem::MessageType`] for other messages, [`Problem::Missing`] without tuple, mask or
    /// master, and whatever is wrong with an attribute, its path named.
    pub fn decode(message: &Message<'_>) -> Result<Self, Error> {
        match message.header.message_type {
            tables::IPCTNL_MSG_EXP_NEW
            | tables::IPCTNL_MSG_EXP_GET
            | tables::IPCTNL_MSG_EXP_DELETE => {
                let (family, attrs) = nfgenmsg(message.body())?;
                Self::from_attributes(family, attrs)
            }
            found => Err(Problem::MessageType { found }.into()),
        }
    }

    /// Reads the attributes of an expectation.
    ///
    /// # Errors
    /// As [`Expectation::decode`].
    pub fn from_attributes(family: AddressFamily, attrs: Attrs<'_>) -> Result<Self, Error> {
        Self::read(family, attrs).map_err(|error| error.in_table(&EXPECT))
    }

    fn read(family: AddressFamily, attrs: Attrs<'_>) -> Result<Self, Error> {
        let mut expectation = Self { family, ..Self::default() };
        let mut missing = [CTA_EXPECT_MASTER, CTA_EXPECT_TUPLE, CTA_EXPECT_MASK];
        for attr in attrs {
            let attr = attr?;
            for number in &mut missing {
                if *number == attr.number() {
                    *number = 0;
                }
            }
            expectation.read_attr(&attr)?;
        }
        if let Some(&number) = missing.iter().find(|number| **number != 0) {
            return Err(Error::missing(number));
        }
        expectation.unknown.sort_by_key(|attr| attr.as_attr().number());
        Ok(expectation)
    }

    fn read_attr(&mut self, attr: &Attr<'_>) -> Result<(), Error> {
        let mut strange = false;
        let number = attr.number();
        let mut tuple =
            || Tuple::read(attr.payload, &mut strange).map_err(|error| error.within(number));
        match number {
            CTA_EXPECT_MASTER => self.master = tuple()?,
            CTA_EXPECT_TUPLE => self.tuple = tuple()?,
            CTA_EXPECT_MASK => self.mask = tuple()?,
            CTA_EXPECT_TIMEOUT => self.timeout = Some(attr.u32_be()?),
            CTA_EXPECT_ID => self.id = Some(attr.u32_be()?),
            CTA_EXPECT_HELP_NAME => self.helper = Some(Text::from(attr.text())),
            CTA_EXPECT_ZONE => self.zone = Some(attr.u16_be()?),
            CTA_EXPECT_FLAGS => self.flags = Some(ExpectFlags(attr.u32_be()?)),
            CTA_EXPECT_CLASS => self.class = Some(attr.u32_be()?),
            CTA_EXPECT_NAT => {
                let nat = ExpectNat::read(attr, &mut strange);
                self.nat = Some(nat.map_err(|error| error.within(number))?);
            }
            CTA_EXPECT_FN => self.function = Some(Text::from(attr.text())),
            _ => strange = true,
        }
        if strange {
            unknown::keep(&mut self.unknown, attr, &EXPECT);
        }
        Ok(())
    }

    /// Writes the body of a message that reports this expectation. Decoding it gives the same.
    ///
    /// # Errors
    /// If unknown attributes are too long, or a name contains a NUL.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), Error> {
        encode::nfgenmsg(writer, self.family, 0);
        let mut known = Vec::new();
        self.write_known(&mut Writer::attributes(&mut known))
            .and_then(|()| {
                let unknown: Vec<Attr<'_>> = self.unknown.iter().map(RawAttr::as_attr).collect();
                unknown::merge(writer, &Attrs::new(&known), &unknown, &EXPECT)
            })
            .map_err(|error| error.in_table(&EXPECT))
    }

    fn write_known(&self, w: &mut Writer<'_>) -> Result<(), Error> {
        self.tuple.write(w, CTA_EXPECT_TUPLE)?;
        self.mask.write(w, CTA_EXPECT_MASK)?;
        self.master.write(w, CTA_EXPECT_MASTER)?;
        if let Some(nat) = &self.nat {
            w.nest(CTA_EXPECT_NAT, |w| {
                w.u32_be(CTA_EXPECT_NAT_DIR, nat.direction);
                nat.tuple.write(w, CTA_EXPECT_NAT_TUPLE)
            })?;
        }
        if let Some(timeout) = self.timeout {
            w.u32_be(CTA_EXPECT_TIMEOUT, timeout);
        }
        if let Some(id) = self.id {
            w.u32_be(CTA_EXPECT_ID, id);
        }
        if let Some(flags) = self.flags {
            w.u32_be(CTA_EXPECT_FLAGS, flags.0);
        }
        if let Some(class) = self.class {
            w.u32_be(CTA_EXPECT_CLASS, class);
        }
        if let Some(zone) = self.zone {
            w.u16_be(CTA_EXPECT_ZONE, zone);
        }
        if let Some(helper) = &self.helper {
            w.text(CTA_EXPECT_HELP_NAME, helper.as_bytes())?;
        }
        if let Some(function) = &self.function {
            w.text(CTA_EXPECT_FN, function.as_bytes())?;
        }
        Ok(())
    }
}

impl ExpectNat {
    fn read(attr: &Attr<'_>, strange: &mut bool) -> Result<Self, Error> {
        let mut nat = Self::default();
        for attr in attr.nested() {
            let attr = attr?;
            match attr.number() {
                CTA_EXPECT_NAT_DIR => nat.direction = attr.u32_be()?,
                CTA_EXPECT_NAT_TUPLE => {
                    nat.tuple = Tuple::read(attr.payload, strange)
                        .map_err(|error| error.within(CTA_EXPECT_NAT_TUPLE))?;
                }
                _ => *strange = true,
            }
        }
        Ok(nat)
    }
}
