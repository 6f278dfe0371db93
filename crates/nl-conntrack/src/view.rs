//! Single fields straight out of the bytes.

use nl_wire::attr::{Attr, Attrs};
use nl_wire::datagram::Message;
use nl_wire::error::Error;
use nl_wire::shape::{self, Stretch};
use nl_wire::value::AddressFamily;

use crate::extension::Counters;
use crate::flow::{self, Flow, usual};
use crate::protocol_info::{ProtocolInfo, Tcp};
use crate::tables::{
    CTA_COUNTERS_ORIG, CTA_COUNTERS_REPLY, CTA_ID, CTA_MARK, CTA_PROTOINFO, CTA_STATUS,
    CTA_TIMEOUT, CTA_TUPLE_ORIG, CTA_TUPLE_REPLY, CTA_ZONE, FLOW,
};
use crate::tuple::{Tuple, by_form};
use crate::value::Status;

/// A message that holds a flow, for those who want a field or two of it.
///
/// Nothing is decoded in advance. A getter compares where the kernel usually writes its field with
/// what should be there; whatever looks different is walked. It gives the first attribute of its
/// number, where [`Flow`] gives the last; the kernel never sends two.
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
    /// What is behind both tuples; all of them, unless these come first.
    behind: Attrs<'a>,
}

macro_rules! getters {
    ($($(#[$meta:meta])* $name:ident: $type:ty = $find:ident, $usual:expr, $number:ident, $read:expr;)*) => {
        $(
            $(#[$meta])*
            ///
            /// # Errors
            /// If the attribute, or the walk to it, finds a length that can't be.
            #[inline(always)]
            #[allow(clippy::inline_always)] // a few comparisons, or a call
            pub fn $name(&self) -> Result<Option<$type>, Error> {
                match self.$find() {
                    Some(bytes) => Ok(Some($usual(bytes))),
                    None => find_late(self.behind.clone(), $number, $read),
                }
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
        Ok(Self::from_attributes(family, attrs))
    }

    /// A view of a flow's attributes.
    #[inline]
    pub fn from_attributes(family: AddressFamily, attrs: Attrs<'a>) -> Self {
        let mut behind = attrs.clone();
        let tuples = [CTA_TUPLE_ORIG, CTA_TUPLE_REPLY]
            .into_iter()
            .all(|number| behind.step().is_some_and(|attr| attr.number() == number));
        let behind = if tuples { behind } else { attrs.clone() };
        Self { family, attrs, behind }
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

    /// `CTA_TUPLE_ORIG`.
    ///
    /// # Errors
    /// If the attribute, or the walk to it, finds a length that can't be.
    #[inline]
    pub fn original(&self) -> Result<Option<Tuple>, Error> {
        find(self.attrs.clone(), CTA_TUPLE_ORIG, read_tuple)
    }

    /// `CTA_TUPLE_REPLY`.
    ///
    /// # Errors
    /// If the attribute, or the walk to it, finds a length that can't be.
    #[inline]
    pub fn reply(&self) -> Result<Option<Tuple>, Error> {
        find(self.attrs.clone(), CTA_TUPLE_REPLY, read_tuple)
    }

    getters! {
        /// `CTA_STATUS`.
        status: Status = listed, |bytes| Status(shape::u32_be(bytes, 4)),
            CTA_STATUS, |attr| attr.u32_be().map(Status);
        /// `CTA_TIMEOUT`, in seconds.
        timeout: u32 = listed, |bytes| shape::u32_be(bytes, 36), CTA_TIMEOUT, Attr::u32_be;
        /// `CTA_MARK`.
        mark: u32 = listed, |bytes| shape::u32_be(bytes, 12), CTA_MARK, Attr::u32_be;
        /// `CTA_ID`.
        id: u32 = listed, |bytes| shape::u32_be(bytes, 20), CTA_ID, Attr::u32_be;
        /// `CTA_ZONE`.
        zone: u16 = own_zone, |bytes| shape::u16_be(bytes, 4), CTA_ZONE, Attr::u16_be;
        /// `CTA_COUNTERS_ORIG`.
        original_counters: Counters = counters, |bytes| usual::counters(bytes, 0),
            CTA_COUNTERS_ORIG, read_counters;
        /// `CTA_COUNTERS_REPLY`.
        reply_counters: Counters = counters, |bytes| usual::counters(bytes, 28),
            CTA_COUNTERS_REPLY, read_counters;
    }

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn own_zone(&self) -> Option<&'a [u8; 8]> {
        shape::take(&mut self.behind.clone(), usual::ZONE)
    }

    /// The numbers of a listing, and what is behind them.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn listed_and_rest(&self) -> Option<(&'a [u8; 40], Attrs<'a>)> {
        let mut rest = self.behind.clone();
        Stretch::<8>::take(&mut rest, usual::ZONE);
        let listed = shape::take(&mut rest, usual::LISTED)?;
        Some((listed, rest))
    }

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn listed(&self) -> Option<&'a [u8; 40]> {
        Some(self.listed_and_rest()?.0)
    }

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn counters(&self) -> Option<&'a [u8; 56]> {
        let (_, mut rest) = self.listed_and_rest()?;
        Stretch::<48>::take(&mut rest, Tcp::USUAL);
        shape::take(&mut rest, usual::COUNTERS)
    }

    /// Both directions, `CTA_TUPLE_ORIG` and `CTA_TUPLE_REPLY`: faster than one after the other.
    ///
    /// # Errors
    /// [`Problem::Missing`](nl_wire::Problem::Missing) unless there are both; else as
    /// [`FlowView::original`].
    #[inline]
    pub fn tuples(&self) -> Result<(Tuple, Tuple), Error> {
        by_form!(self.attrs, Self::usual_tuples(self), else find_tuples(self.attrs.clone()))
    }

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn usual_tuples<const A: usize, const ICMP: bool, const N: usize>(
        &self,
    ) -> Result<(Tuple, Tuple), Error> {
        match Tuple::take_both::<A, ICMP, N>(&mut self.attrs.clone()) {
            Some(bytes) => Ok(Tuple::both::<A, ICMP, N>(bytes)),
            None => find_tuples(self.attrs.clone()),
        }
    }

    /// `CTA_PROTOINFO`.
    ///
    /// # Errors
    /// If the attribute, or the walk to it, finds a length that can't be.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    pub fn protocol_info(&self) -> Result<Option<ProtocolInfo>, Error> {
        let Some((_, mut rest)) = self.listed_and_rest() else {
            return find_protocol_info(self.behind.clone());
        };
        if let Some(bytes) = shape::take(&mut rest, Tcp::USUAL) {
            return Ok(Some(ProtocolInfo::Tcp(Tcp::usual(bytes))));
        }
        usual::skip_end(&mut rest);
        if rest.rest().is_empty() { Ok(None) } else { find_protocol_info(rest) }
    }
}

/// Walks up to the first attribute of a number and reads it.
#[inline]
fn find<'a, T>(
    mut attrs: Attrs<'a>,
    number: u16,
    read: impl FnOnce(&Attr<'a>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
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

/// The same for what is not where it usually is.
#[inline(never)]
fn find_late<'a, T>(
    rest: Attrs<'a>,
    number: u16,
    read: impl FnOnce(&Attr<'a>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    find(rest, number, read)
}

#[inline(never)]
fn find_protocol_info(rest: Attrs<'_>) -> Result<Option<ProtocolInfo>, Error> {
    let read = |attr: &Attr<'_>| {
        ProtocolInfo::read(attr, &mut false).map_err(|error| error.within(CTA_PROTOINFO))
    };
    Ok(find(rest, CTA_PROTOINFO, read)?.flatten())
}

// By value, and no method: a view whose address is taken is kept in memory by everybody who asks for
// tuples.
#[allow(clippy::needless_pass_by_value)]
#[inline(never)]
fn find_tuples(attrs: Attrs<'_>) -> Result<(Tuple, Tuple), Error> {
    let find = |number| match find(attrs.clone(), number, read_tuple) {
        Ok(None) => Err(Error::missing(number).in_table(&FLOW)),
        Ok(Some(tuple)) => Ok(tuple),
        Err(error) => Err(error),
    };
    Ok((find(CTA_TUPLE_ORIG)?, find(CTA_TUPLE_REPLY)?))
}

#[inline]
fn read_tuple(attr: &Attr<'_>) -> Result<Tuple, Error> {
    Tuple::read(attr.payload, &mut false).map_err(|error| error.within(attr.number()))
}

#[inline]
fn read_counters(attr: &Attr<'_>) -> Result<Counters, Error> {
    Counters::read(attr, &mut false).map_err(|error| error.within(attr.number()))
}
