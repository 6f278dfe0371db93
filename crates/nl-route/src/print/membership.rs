//! Multicast groups as `ip maddress` prints them.

use nl_wire::prefix::Shown;
use nl_wire::text::Colons;

use super::{Context, Ink, Out};
use crate::membership::{Group, Membership};

/// Appends the groups of one link.
pub(crate) fn memberships(
    out: &mut Out<'_, '_>,
    index: u32,
    groups: &[Membership],
    context: &Context<'_>,
) {
    out.begin_entry();
    out.number_with("ifindex", "", index, ":");
    out.colored(Ink::Link, context, |out| out.value("ifname", "\t", context.names.link(index)));
    out.line(context);
    out.begin_array("maddr");
    for membership in groups {
        out.text("\t");
        out.begin_entry();
        match &membership.group {
            Group::Link(bytes) => {
                out.text("link  ");
                out.colored(Ink::LinkAddress, context, |out| out.value("link", "", Colons(bytes)));
            }
            Group::Ip(address) => {
                let family = if address.is_ipv4() { "inet" } else { "inet6" };
                out.json(|json| json.field("family", family));
                out.text(format_args!("{family:<5} "));
                out.colored(Ink::of(*address), context, |out| {
                    out.value("address", "", Shown(*address));
                });
            }
        }
        if membership.users != 1 {
            out.number_with("users", " users ", membership.users, "");
        }
        if membership.is_static {
            out.value("features", " ", "static");
        }
        out.text("\n");
        out.end_object();
    }
    out.end_array();
    out.end_object();
}
