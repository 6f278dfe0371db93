//! Single fields straight out of the bytes.

use nl_wire::attr::{Attr, Attrs};
use nl_wire::datagram::Message;
use nl_wire::error::Error;
use nl_wire::value::AddressFamily;

use crate::extension::Counters;
use crate::flow::{self, Flow};
use crate::protocol_info::ProtocolInfo;
use crate::tables::{
    CTA_COUNTERS_ORIG, CTA_COUNTERS_REPLY, CTA_ID, CTA_MARK, CTA_PROTOINFO, CTA_STATUS,
    CTA_TIMEOUT, CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, CTA_ZONE, FLOW,
};
use crate::tuple::{Tuple, by_form};
use crate::value::Status;

/// A message that holds a flow, for those who want a field or two of it.
///
/// Nothing is decoded in advance; each getter walks the attributes up to the one it wants. It gives
/// the first attribute of its number, where [`Flow`] gives the last; the kernel never sends two.
///
/// ```
/// # use nl_conntrack::{Flow, FlowView, Status, Tuple};
/// # let flow = Flow { status: Some(Status::ASSURED), ..Flow::new(Tuple::default()) };
/// # let mut bytes = Vec::new();
/// # flow.write_attributes(&mut nl_wire::Writer::attributes(&mut bytes))?;
/// # let attributes = nl_wire::Attrs::new(&bytes);
/// let view = FlowView::from_attributes(flow.family, attributes);
/// assert_eq!(view.original()?, Some(flow.original));
/// assert!(view.status()?.is_some_and(|status| status.contains(Status::ASSURED)));
/// # Ok::<(), nl_wire::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FlowView<'a> {
    /// `nfgen_family`.
    pub family: AddressFamily,
    attrs: Attrs<'a>,
}

macro_rules! getters {
    ($($(#[$meta:meta])* $name:ident: $type:ty = $number:ident, $read:expr;)*) => {
        $(
            $(#[$meta])*
            ///
            /// # Errors
            /// If the attribute, or the walk to it, finds a length that can't be.
            #[inline]
            pub fn $name(&self) -> Result<Option<$type>, Error> {
                self.find($number, $read)
            }
        )*
    };
}

impl<'a> FlowView<'a> {
    /// A view of a message of [`tables::PROTOCOL`](crate::tables::PROTOCOL) that holds a flow.
    ///
    /// # Errors
    /// [`Problem::MessageType`](nl_wire::Problem::MessageType) for other messages,
    /// [`Problem::FixedHeader`](nl_wire::Problem::FixedHeader) if `struct nfgenmsg` is cut short.
    #[inline]
    pub fn new(message: &Message<'a>) -> Result<Self, Error> {
        let (family, attrs) = flow::body(message)?;
        Ok(Self { family, attrs })
    }

    /// A view of a flow's attributes.
    #[inline]
    pub const fn from_attributes(family: AddressFamily, attrs: Attrs<'a>) -> Self {
        Self { family, attrs }
    }

    /// The attributes.
    pub fn attributes(&self) -> Attrs<'a> {
        self.attrs.clone()
    }

    /// All fields.
    ///
    /// # Errors
    /// As [`Flow::decode`].
    #[inline]
    pub fn to_flow(&self) -> Result<Flow, Error> {
        Flow::from_attributes(self.family, self.attrs.clone())
    }

    getters! {
        /// `CTA_TUPLE_ORIG`.
        original: Tuple = CTA_TUPLE_ORIG, read_tuple;
        /// `CTA_TUPLE_REPLY`.
        reply: Tuple = CTA_TUPLE_REPLY, read_tuple;
        /// `CTA_STATUS`.
        status: Status = CTA_STATUS, |attr| attr.u32_be().map(Status);
        /// `CTA_TIMEOUT`, in seconds.
        timeout: u32 = CTA_TIMEOUT, Attr::u32_be;
        /// `CTA_MARK`.
        mark: u32 = CTA_MARK, Attr::u32_be;
        /// `CTA_ID`.
        id: u32 = CTA_ID, Attr::u32_be;
        /// `CTA_ZONE`.
        zone: u16 = CTA_ZONE, Attr::u16_be;
        /// `CTA_COUNTERS_ORIG`.
        original_counters: Counters = CTA_COUNTERS_ORIG, read_counters;
        /// `CTA_COUNTERS_REPLY`.
        reply_counters: Counters = CTA_COUNTERS_REPLY, read_counters;
    }

    /// Both directions, `CTA_TUPLE_ORIG` and `CTA_TUPLE_REPLY`: faster than one after the other.
    ///
    /// # Errors
    /// [`Problem::Missing`](nl_wire::Problem::Missing) unless there are both; else as
    /// [`FlowView::original`].
    #[inline]
    pub fn tuples(&self) -> Result<(Tuple, Tuple), Error> {
        by_form!(self.attrs, Self::usual_tuples(self), else self.find_tuples())
    }

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn usual_tuples<const A: usize, const ICMP: bool, const N: usize>(
        &self,
    ) -> Result<(Tuple, Tuple), Error> {
        match Tuple::take_both::<A, ICMP, N>(&mut self.attrs.clone()) {
            Some(bytes) => Ok(Tuple::both::<A, ICMP, N>(bytes)),
            None => self.find_tuples(),
        }
    }

    #[inline(never)]
    fn find_tuples(&self) -> Result<(Tuple, Tuple), Error> {
        let missing = |number| move || Error::missing(number).in_table(&FLOW);
        let original = self.original()?.ok_or_else(missing(CTA_TUPLE_ORIG))?;
        let reply = self.reply()?.ok_or_else(missing(CTA_TUPLE_REPLY))?;
        Ok((original, reply))
    }

    /// `CTA_PROTOINFO`.
    ///
    /// # Errors
    /// If the attribute, or the walk to it, finds a length that can't be.
    #[inline]
    pub fn protocol_info(&self) -> Result<Option<ProtocolInfo>, Error> {
        let read = |attr: &Attr<'a>| {
            ProtocolInfo::read(attr, &mut false).map_err(|error| error.within(CTA_PROTOINFO))
        };
        Ok(self.find(CTA_PROTOINFO, read)?.flatten())
    }

    #[inline]
    fn find<T>(
        &self,
        number: u16,
        read: impl FnOnce(&Attr<'a>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let mut attrs = self.attrs.clone();
        while let Some(attr) = attrs.step() {
            if attr.number() == number {
                return match read(&attr) {
                    Ok(value) => Ok(Some(value)),
                    Err(error) => Err(error.in_table(&FLOW)),
                };
            }
        }
        match attrs.finish() {
            Ok(()) => Ok(None),
            Err(error) => Err(error.in_table(&FLOW)),
        }
    }
}

#[inline]
fn read_tuple(attr: &Attr<'_>) -> Result<Tuple, Error> {
    Tuple::read(attr.payload, &mut false).map_err(|error| error.within(attr.number()))
}

#[inline]
fn read_counters(attr: &Attr<'_>) -> Result<Counters, Error> {
    Counters::read(attr, &mut false).map_err(|error| error.within(attr.number()))
}
