//! JSON as `ip -j` prints it, key for key.
//!
//! ```
//! use nl_route::{Context, Route, json, names::Names};
//! use nl_wire::json::Json;
//!
//! let route = Route { destination: "10.1.0.0/16".parse().ok(), ..Route::default() };
//! let names = Names::default();
//! let mut out = String::new();
//! json::route(&mut Json::new(&mut out), &route, &Context::new(&names));
//! assert!(out.starts_with(r#"{"type":"none","dst":"10.1.0.0/16","#));
//! ```

use nl_wire::json::Json;

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
use crate::print::{self, Context, Layout, Out};
use crate::route::Route;
use crate::router_prefix::RouterPrefix;
use crate::rule::Rule;
use crate::traffic::{Class, Qdisc};

/// Appends a route: an object as in the array of `ip -j route`.
pub fn route(json: &mut Json<'_>, route: &Route, context: &Context<'_>) {
    print::route(&mut Out::Json(json), route, context);
}

/// Appends a link: an object as in the array of `ip -j link`.
pub fn link(json: &mut Json<'_>, link: &Link, context: &Context<'_>) {
    print::link(&mut Out::Json(json), link, context);
}

/// Appends a link: an object as in the array of `ip -j -br link`.
pub fn brief_link(json: &mut Json<'_>, link: &Link, context: &Context<'_>) {
    print::brief_link(&mut Out::Json(json), link, context);
}

/// Appends a link and its addresses: an object as in the array of `ip -j address`.
pub fn link_with_addresses(
    json: &mut Json<'_>,
    link: &Link,
    addresses: &[Address],
    layout: Layout,
    context: &Context<'_>,
) {
    print::link_with_addresses(&mut Out::Json(json), link, addresses, layout, context);
}

/// Appends an address with its link: an object as in `addr_info` of `ip -j -o address`.
pub fn address(json: &mut Json<'_>, address: &Address, context: &Context<'_>) {
    print::address(&mut Out::Json(json), address, context);
}

/// Appends one of those addresses that were saved, as `ip address showdump` prints it.
pub fn saved_address(json: &mut Json<'_>, address: &Address, context: &Context<'_>) {
    print::saved_address(&mut Out::Json(json), address, context);
}

/// Appends a neighbour: an object as in the array of `ip -j neighbour`.
pub fn neighbour(json: &mut Json<'_>, neighbour: &Neighbour, context: &Context<'_>) {
    print::neighbour(&mut Out::Json(json), neighbour, context);
}

/// Appends a neighbour: an object as in the array of `ip -j -br neighbour`.
pub fn brief_neighbour(json: &mut Json<'_>, neighbour: &Neighbour, context: &Context<'_>) {
    print::brief_neighbour(&mut Out::Json(json), neighbour, context);
}

/// Appends a tunnel over IPv4: an object as in the array of `ip -j tunnel`; nothing, if the link is
/// none of the kinds `gre`, `ipip`, `sit` and `vti`.
pub fn tunnel(json: &mut Json<'_>, link: &Link, context: &Context<'_>) {
    print::tunnel(&mut Out::Json(json), link, context);
}

/// Appends the multicast groups of a link: an object as in the array of `ip -j maddress`.
pub fn memberships(json: &mut Json<'_>, index: u32, groups: &[Membership], context: &Context<'_>) {
    print::memberships(&mut Out::Json(json), index, groups, context);
}

/// Appends a rule: an object as in the array of `ip -j rule`.
pub fn rule(json: &mut Json<'_>, rule: &Rule, context: &Context<'_>) {
    print::rule(&mut Out::Json(json), rule, context);
}

/// Appends a nexthop object: an object as in the array of `ip -j nexthop`.
pub fn nexthop(json: &mut Json<'_>, nexthop: &Nexthop, context: &Context<'_>) {
    print::nexthop(&mut Out::Json(json), nexthop, context);
}

/// Appends a bucket of a resilient group: an object as in the array of `ip -j nexthop bucket`.
pub fn nexthop_bucket(json: &mut Json<'_>, bucket: &NexthopBucket, context: &Context<'_>) {
    print::bucket(&mut Out::Json(json), bucket, context);
}

/// Appends an address label: an object as in the array of `ip -j addrlabel`.
pub fn address_label(json: &mut Json<'_>, label: &AddressLabel, context: &Context<'_>) {
    print::address_label(&mut Out::Json(json), label, context);
}

/// Appends the settings of an interface: an object as in the array of `ip -j netconf`.
pub fn netconf(json: &mut Json<'_>, netconf: &Netconf, context: &Context<'_>) {
    print::netconf(&mut Out::Json(json), netconf, context);
}

/// Appends a neighbour table: an object as in the array of `ip -j ntable`.
pub fn neighbour_table(json: &mut Json<'_>, table: &NeighbourTable, context: &Context<'_>) {
    print::neighbour_table(&mut Out::Json(json), table, context);
}

/// Appends the token of a link: an object as in the array of `ip -j token`; nothing, if IPv6 has none.
pub fn token(json: &mut Json<'_>, link: &Link, context: &Context<'_>) {
    print::token(&mut Out::Json(json), link, context);
}

/// Appends a prefix that a router advertised, with the words of `ip monitor` for keys.
pub fn router_prefix(json: &mut Json<'_>, prefix: &RouterPrefix, context: &Context<'_>) {
    print::router_prefix(&mut Out::Json(json), prefix, context);
}

/// Appends an entry of a forwarding database: an object as in the array of `bridge -j fdb`.
pub fn forwarding(json: &mut Json<'_>, entry: &Neighbour, context: &Context<'_>) {
    print::forwarding(&mut Out::Json(json), entry, context);
}

/// Appends the VLANs of a port: an object as in the array of `bridge -j vlan`.
pub fn vlans(json: &mut Json<'_>, port: &PortVlans, context: &Context<'_>) {
    print::vlans(&mut Out::Json(json), port, context);
}

/// Appends multicast groups of all bridges: the one object in the array of `bridge -j mdb`; with
/// details also ports that have routers.
pub fn groups(json: &mut Json<'_>, all: &[BridgeGroups], context: &Context<'_>) {
    print::all_groups(&mut Out::Json(json), all, context);
}

/// Appends a queueing discipline: an object as in the array of `tc -j qdisc`; options of kinds that
/// are not read here are hexadecimal digits (`raw`).
pub fn qdisc(json: &mut Json<'_>, qdisc: &Qdisc, context: &Context<'_>) {
    print::qdisc(&mut Out::Json(json), qdisc, context);
}

/// Appends a class: an object with the keys of `tc -j class`; options of kinds that are not read here
/// are hexadecimal digits (`raw`).
pub fn class(json: &mut Json<'_>, class: &Class, context: &Context<'_>) {
    print::class(&mut Out::Json(json), class, context);
}

/// Appends the id of a namespace: an object as in the array of `ip -j netns list-id`; its name is what
/// [`Names::set_netns`](crate::names::Names::set_netns) was told.
pub fn nsid(json: &mut Json<'_>, nsid: &Nsid, context: &Context<'_>) {
    print::nsid(&mut Out::Json(json), nsid, context);
}
