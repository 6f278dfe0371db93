//! Text as ip prints it, appended to a string.
//!
//! Every line ends with a newline, and where ip leaves a blank before it, so does this. Names that
//! others chose are escaped.
//!
//! ```
//! use nl_route::{AddressFamily, Context, Route, RouteType, Scope, TableId, names::Names, text};
//!
//! let route = Route {
//!     family: AddressFamily::INET,
//!     destination: "10.1.0.0/16".parse().ok(),
//!     kind: RouteType::UNICAST,
//!     table: TableId::MAIN,
//!     scope: Scope::LINK,
//!     oif: Some(2),
//!     ..Route::default()
//! };
//! let mut names = Names::default();
//! names.set_link(2, "eth0");
//! let mut out = String::new();
//! text::route(&mut out, &route, &Context::new(&names));
//! assert_eq!(out, "10.1.0.0/16 dev eth0 proto unspec scope link \n");
//! ```

use alloc::string::String;

use crate::address::Address;
use crate::address_label::AddressLabel;
use crate::bridge::{BridgeGroups, PortVlans};
use crate::link::Link;
use crate::membership::Membership;
use crate::neighbour::Neighbour;
use crate::neighbour_table::NeighbourTable;
use crate::netconf::Netconf;
use crate::nexthop::{Nexthop, NexthopBucket};
use crate::nsid::Nsid;
use crate::print::{self, Context, Out};
pub use crate::print::{Colors, Date, Layout, Units};
use crate::route::Route;
use crate::router_prefix::RouterPrefix;
use crate::rule::Rule;
use crate::traffic::{Class, Qdisc};

/// Appends a route as `ip route` prints it, a multicast route as `ip mroute` does.
pub fn route(out: &mut String, route: &Route, context: &Context<'_>) {
    print::route(&mut Out::Text(out), route, context);
}

/// Appends a link as `ip link` prints it: two lines, or more with details and statistics.
pub fn link(out: &mut String, link: &Link, context: &Context<'_>) {
    print::link(&mut Out::Text(out), link, context);
}

/// Appends a link as `ip -br link` prints it: one line.
pub fn brief_link(out: &mut String, link: &Link, context: &Context<'_>) {
    print::brief_link(&mut Out::Text(out), link, context);
}

/// Appends a link and its addresses as `ip address` prints them: a few lines for the link, where
/// addresses of all families are listed, and two lines an address; with `brief` one line for all.
pub fn link_with_addresses(
    out: &mut String,
    link: &Link,
    addresses: &[Address],
    layout: Layout,
    context: &Context<'_>,
) {
    print::link_with_addresses(&mut Out::Text(out), link, addresses, layout, context);
}

/// Appends an address as `ip monitor` prints it: two lines.
pub fn address(out: &mut String, address: &Address, context: &Context<'_>) {
    print::address(&mut Out::Text(out), address, context);
}

/// Appends one of those addresses that were saved, as `ip address showdump` prints it.
pub fn saved_address(out: &mut String, address: &Address, context: &Context<'_>) {
    print::saved_address(&mut Out::Text(out), address, context);
}

/// Appends a neighbour as `ip neighbour` prints it.
pub fn neighbour(out: &mut String, neighbour: &Neighbour, context: &Context<'_>) {
    print::neighbour(&mut Out::Text(out), neighbour, context);
}

/// Appends a neighbour as `ip -br neighbour` prints it: one line.
pub fn brief_neighbour(out: &mut String, neighbour: &Neighbour, context: &Context<'_>) {
    print::brief_neighbour(&mut Out::Text(out), neighbour, context);
}

/// Appends a tunnel over IPv4 as `ip tunnel` prints it; nothing, if the link is none of the kinds
/// `gre`, `ipip`, `sit` and `vti`.
pub fn tunnel(out: &mut String, link: &Link, context: &Context<'_>) {
    print::tunnel(&mut Out::Text(out), link, context);
}

/// Appends the multicast groups of a link as `ip maddress` prints them, a line each behind one for
/// the link.
pub fn memberships(out: &mut String, index: u32, groups: &[Membership], context: &Context<'_>) {
    print::memberships(&mut Out::Text(out), index, groups, context);
}

/// Appends a rule as `ip rule` prints it.
pub fn rule(out: &mut String, rule: &Rule, context: &Context<'_>) {
    print::rule(&mut Out::Text(out), rule, context);
}

/// Appends a nexthop object as `ip nexthop` prints it.
pub fn nexthop(out: &mut String, nexthop: &Nexthop, context: &Context<'_>) {
    print::nexthop(&mut Out::Text(out), nexthop, context);
}

/// Appends a bucket of a resilient group as `ip nexthop bucket` prints it.
pub fn nexthop_bucket(out: &mut String, bucket: &NexthopBucket, context: &Context<'_>) {
    print::bucket(&mut Out::Text(out), bucket, context);
}

/// Appends an address label as `ip addrlabel` prints it.
pub fn address_label(out: &mut String, label: &AddressLabel, context: &Context<'_>) {
    print::address_label(&mut Out::Text(out), label, context);
}

/// Appends the settings of an interface as `ip netconf` prints them.
pub fn netconf(out: &mut String, netconf: &Netconf, context: &Context<'_>) {
    print::netconf(&mut Out::Text(out), netconf, context);
}

/// Appends a neighbour table as `ip ntable` prints it: several lines and an empty one.
pub fn neighbour_table(out: &mut String, table: &NeighbourTable, context: &Context<'_>) {
    print::neighbour_table(&mut Out::Text(out), table, context);
}

/// Appends the token of a link as `ip token` prints it; nothing, if IPv6 has none.
pub fn token(out: &mut String, link: &Link, context: &Context<'_>) {
    print::token(&mut Out::Text(out), link, context);
}

/// Appends a prefix that a router advertised as `ip monitor` prints it.
pub fn router_prefix(out: &mut String, prefix: &RouterPrefix, context: &Context<'_>) {
    print::router_prefix(&mut Out::Text(out), prefix, context);
}

/// Appends an entry of a forwarding database as `bridge fdb` prints it.
pub fn forwarding(out: &mut String, entry: &Neighbour, context: &Context<'_>) {
    print::forwarding(&mut Out::Text(out), entry, context);
}

/// Appends the VLANs of a port as `bridge vlan` prints them.
pub fn vlans(out: &mut String, port: &PortVlans, context: &Context<'_>) {
    print::vlans(&mut Out::Text(out), port, context);
}

/// Appends multicast groups of a bridge as `bridge mdb` prints them; with details also ports that
/// have routers.
pub fn groups(out: &mut String, groups: &BridgeGroups, context: &Context<'_>) {
    print::groups(&mut Out::Text(out), groups, context);
}

/// Appends a queueing discipline as `tc qdisc` prints it; options of kinds that are not read here
/// are hexadecimal digits.
pub fn qdisc(out: &mut String, qdisc: &Qdisc, context: &Context<'_>) {
    print::qdisc(&mut Out::Text(out), qdisc, context);
}

/// Appends a class as `tc class` prints it; options of kinds that are not read here are hexadecimal
/// digits.
pub fn class(out: &mut String, class: &Class, context: &Context<'_>) {
    print::class(&mut Out::Text(out), class, context);
}

/// Appends the id of a namespace as `ip netns list-id` prints it; its name is what
/// [`Names::set_netns`](crate::names::Names::set_netns) was told.
pub fn nsid(out: &mut String, nsid: &Nsid, context: &Context<'_>) {
    print::nsid(&mut Out::Text(out), nsid, context);
}
