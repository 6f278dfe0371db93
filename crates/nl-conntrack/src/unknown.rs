//! What decoders do not know, kept so that writing it again loses nothing.
//!
//! An unknown attribute on the top level is kept as it is. One inside a known nest is kept within a
//! nest of that number which holds nothing else; writing puts it back into the nest that the known
//! fields make. Lists are ordered by number, the order of equal numbers being that of the message.

use alloc::vec::Vec;

use nl_wire::attr::{Attr, Attrs, NLA_F_NESTED, RawAttr};
use nl_wire::table::{Payload, Table};
use nl_wire::{Error, Writer};

/// The table inside the attribute `number`, if it is a nest.
fn nest(table: &Table, number: u16) -> Option<&'static Table> {
    match table.row(number)?.payload {
        Payload::Nest(inner) => Some(inner),
        _ => None,
    }
}

/// Adds to `list` what of `attr` has no row in `table`. Of a nest that comes twice the last counts,
/// as for what is known.
///
/// Recursion ends with the tables, which hold no cycle.
#[cold]
pub(crate) fn keep(list: &mut Vec<RawAttr>, attr: &Attr<'_>, table: &Table) {
    let number = attr.number();
    if table.row(number).is_none() {
        list.push(RawAttr::from(*attr));
    }
    let Some(inner) = nest(table, number) else { return };
    let mut children = Vec::new();
    for child in attr.nested().flatten() {
        keep(&mut children, &child, inner);
    }
    if children.is_empty() {
        return;
    }
    children.sort_by_key(|child| child.as_attr().number());
    let mut payload = Vec::with_capacity(attr.payload.len());
    let mut writer = Writer::attributes(&mut payload);
    for child in &children {
        // They stood in one attribute, so they fit into one.
        let _ = writer.attr(&child.as_attr());
    }
    list.retain(|kept| kept.as_attr().number() != number);
    list.push(RawAttr { raw_type: number | NLA_F_NESTED, payload });
}

/// Writes the attributes `known` and puts those of `unknown` to where they belong among them.
///
/// # Errors
/// If a nest grows too long.
#[cold]
pub(crate) fn merge(
    writer: &mut Writer<'_>,
    known: &Attrs<'_>,
    unknown: &[Attr<'_>],
    table: &Table,
) -> Result<(), Error> {
    let partner = |attr: &Attr<'_>| {
        let number = attr.number();
        let inner = nest(table, number)?;
        let other = unknown.iter().rfind(|other| other.number() == number)?;
        Some((inner, other.nested().flatten().collect::<Vec<_>>()))
    };
    let is_known = |number| known.clone().flatten().any(|other| other.number() == number);
    // Where alternatives exclude each other the last one counts: a nest of which only strange parts
    // were kept stands before the one that was understood.
    let is_nest = |attr: &Attr<'_>| nest(table, attr.number()).is_some();
    for attr in unknown.iter().filter(|attr| is_nest(attr) && !is_known(attr.number())) {
        writer.attr(attr)?;
    }
    for attr in known.clone().flatten() {
        match partner(&attr) {
            Some((inner, others)) => {
                writer.nest(attr.number(), |w| merge(w, &attr.nested(), &others, inner))?;
            }
            None => writer.attr(&attr)?,
        }
    }
    for attr in unknown.iter().filter(|attr| !is_nest(attr)) {
        writer.attr(attr)?;
    }
    Ok(())
}
