//! Laws of the smaller tables of nl-route, of the kinds of links, and of names.

use nl_route::bridge::{ListGroups, ListVlans};
use nl_route::link::kind::{KindData, PortData};
use nl_route::link::{Link, LinkInfo};
use nl_route::names::{NameKind, Names};
use nl_route::parse::{WordError, settings, traffic};
use nl_route::tables::link::{IFLA_INFO_DATA, IFLA_INFO_SLAVE_DATA};
use nl_route::tables::{
    RTM_NEWADDRLABEL, RTM_NEWLINK, RTM_NEWMDB, RTM_NEWNEIGH, RTM_NEWNEIGHTBL, RTM_NEWNETCONF,
    RTM_NEWPREFIX, RTM_NEWQDISC, RTM_NEWTCLASS,
};
use nl_route::traffic::Handle;
use nl_route::{
    Action, AddressFamily, AddressLabel, Change, Class, Context, Event, List, Neighbour,
    NeighbourTable, Netconf, Object, Qdisc, RouterPrefix, json, text,
};
use nl_wire::json::Json;
use nl_wire::{Error, Request};

use crate::route::{object, survives, whole};
use crate::{Script, check_printable, check_request, message};

/// An address label that decodes survives writing and reading; none is announced.
pub fn address_label(body: &[u8]) {
    let bytes = message(RTM_NEWADDRLABEL, body);
    let (decode, encode) = (AddressLabel::decode, AddressLabel::encode);
    let read = survives(&bytes, decode, encode, text::address_label, json::address_label);
    assert_eq!(Event::decode(&whole(&bytes)), Ok(None));
    if let Ok(label) = read {
        check_request(&Change::add(label));
    }
}

/// Settings of an interface that decode survive writing and reading.
pub fn netconf(body: &[u8]) {
    let bytes = message(RTM_NEWNETCONF, body);
    let (decode, encode) = (Netconf::decode, Netconf::encode);
    object(&bytes, decode, encode, text::netconf, json::netconf);
}

/// A neighbour table that decodes survives writing and reading; none is announced.
pub fn neighbour_table(body: &[u8]) {
    let bytes = message(RTM_NEWNEIGHTBL, body);
    let (decode, encode) = (NeighbourTable::decode, NeighbourTable::encode);
    let read = survives(&bytes, decode, encode, text::neighbour_table, json::neighbour_table);
    assert_eq!(Event::decode(&whole(&bytes)), Ok(None));
    if let Ok(table) = read {
        check_request(&Change::change(table));
    }
}

/// A prefix that a router advertised survives writing and reading; the event is the prefix.
pub fn router_prefix(body: &[u8]) {
    let bytes = message(RTM_NEWPREFIX, body);
    let (decode, encode) = (RouterPrefix::decode, RouterPrefix::encode);
    let read = survives(&bytes, decode, encode, text::router_prefix, json::router_prefix);
    let event = read.map(|prefix| Some(Event::RouterPrefix(prefix.into())));
    assert_eq!(Event::decode(&whole(&bytes)), event);
}

/// Multicast groups of a bridge print harmlessly, and none of them is of a VLAN that was not asked for.
pub fn groups(body: &[u8]) {
    let bytes = message(RTM_NEWMDB, body);
    let all = ListGroups::default().read(&whole(&bytes));
    let Ok(Some(groups)) = prints(all, text::groups, |json, groups, context| {
        json::groups(json, std::slice::from_ref(groups), context);
    }) else {
        return;
    };
    let vlan = groups.entries.first().map(|entry| entry.vlan);
    let some = ListGroups { vlan, index: Some(groups.index) }.read(&whole(&bytes));
    let some = some.expect("it was read before").expect("it is of this bridge");
    assert!(some.entries.iter().all(|entry| vlan == Some(entry.vlan)));
}

/// VLANs of a port print harmlessly; no range is empty. The same message as a neighbour is a
/// forwarding entry that prints harmlessly.
pub fn vlans(body: &[u8]) {
    let bytes = message(RTM_NEWLINK, body);
    let read = ListVlans::default().read(&whole(&bytes));
    if let Ok(Some(port)) = prints(read, text::vlans, json::vlans) {
        assert!(!port.vlans.is_empty());
    }
    let entry = Neighbour::decode(&whole(&message(RTM_NEWNEIGH, body)));
    let _ = prints(entry.map(Some), text::forwarding, json::forwarding);
}

/// Prints what was read, as text and as JSON, or the error.
fn prints<T>(
    read: Result<Option<T>, Error>,
    text: impl Fn(&mut String, &T, &Context<'_>),
    json: impl Fn(&mut Json<'_>, &T, &Context<'_>),
) -> Result<Option<T>, Error> {
    match &read {
        Err(error) => check_printable(&error.to_string(), false),
        Ok(None) => {}
        Ok(Some(value)) => {
            let names = Names::default();
            let context = Context { details: true, statistics: 1, ..Context::new(&names) };
            let mut out = String::new();
            text(&mut out, value, &context);
            check_printable(out.trim_end_matches('\n'), true);
            let mut out = String::new();
            json(&mut Json::new(&mut out), value, &context);
            serde_json::from_str::<serde_json::Value>(&out).expect("JSON that parses");
        }
    }
    read
}

/// A queueing discipline that decodes survives writing and reading, and so do its options.
pub fn qdisc(body: &[u8]) {
    let bytes = message(RTM_NEWQDISC, body);
    object(&bytes, Qdisc::decode, Qdisc::encode, text::qdisc, json::qdisc);
    let Ok(mut read) = Qdisc::decode(&whole(&bytes)) else { return };
    let _ = read.0.counters();
    if let Ok(Some(options)) = read.options() {
        read.0.options = Some(options.to_attribute().expect("what was read can be written"));
        assert_eq!(read.options(), Ok(Some(options)));
    }
}

/// A class that decodes survives writing and reading, and so do its options.
pub fn class(body: &[u8]) {
    let bytes = message(RTM_NEWTCLASS, body);
    object(&bytes, Class::decode, Class::encode, text::class, json::class);
    let Ok(mut read) = Class::decode(&whole(&bytes)) else { return };
    if let Ok(Some(options)) = read.options() {
        read.0.options = Some(options.to_attribute().expect("what was read can be written"));
        assert_eq!(read.options(), Ok(Some(options)));
    }
}

/// The kinds of links whose options are read, and those of the masters of ports.
pub(crate) const KINDS: [(&str, u16); 27] = [
    ("bridge", IFLA_INFO_DATA),
    ("vlan", IFLA_INFO_DATA),
    ("bond", IFLA_INFO_DATA),
    ("vxlan", IFLA_INFO_DATA),
    ("geneve", IFLA_INFO_DATA),
    ("gre", IFLA_INFO_DATA),
    ("gretap", IFLA_INFO_DATA),
    ("erspan", IFLA_INFO_DATA),
    ("ip6gre", IFLA_INFO_DATA),
    ("ip6gretap", IFLA_INFO_DATA),
    ("ip6erspan", IFLA_INFO_DATA),
    ("ipip", IFLA_INFO_DATA),
    ("sit", IFLA_INFO_DATA),
    ("ip6tnl", IFLA_INFO_DATA),
    ("vti", IFLA_INFO_DATA),
    ("vti6", IFLA_INFO_DATA),
    ("macvlan", IFLA_INFO_DATA),
    ("macvtap", IFLA_INFO_DATA),
    ("ipvlan", IFLA_INFO_DATA),
    ("tun", IFLA_INFO_DATA),
    ("vrf", IFLA_INFO_DATA),
    ("veth", IFLA_INFO_DATA),
    ("vxcan", IFLA_INFO_DATA),
    ("netkit", IFLA_INFO_DATA),
    ("bridge", IFLA_INFO_SLAVE_DATA),
    ("bond", IFLA_INFO_SLAVE_DATA),
    ("vrf", IFLA_INFO_SLAVE_DATA),
];

/// The options of a kind of link, or what a master keeps of a port, survive writing and reading; a
/// link that has them prints harmlessly. The first byte is the kind.
pub fn kind(bytes: &[u8]) {
    let mut script = Script(bytes);
    let (kind, number) = script.pick(&KINDS);
    let raw = Some(script.0.to_vec());
    let info = if number == IFLA_INFO_DATA {
        LinkInfo { kind: Some(kind.into()), raw_data: raw, ..LinkInfo::default() }
    } else {
        LinkInfo { slave_kind: Some(kind.into()), raw_slave_data: raw, ..LinkInfo::default() }
    };
    check_kind(kind, &info);
    check_port(kind, &info);

    let link = Link { index: 2, info: Some(info.into()), ..Link::default() };
    let mut body = Vec::new();
    let mut writer = nl_wire::Writer::attributes(&mut body);
    if link.encode(&mut writer).is_ok() {
        crate::route::link(&body);
    }
}

fn check_kind(kind: &str, info: &LinkInfo) {
    let data: KindData = match info.kind_data() {
        Ok(Some(data)) => data,
        Ok(None) => return assert_eq!(info.kind, None, "a kind that is not read"),
        Err(error) => return check_printable(&error.to_string(), false),
    };
    let written = LinkInfo::of_kind(kind, &data).expect("what was read can be written");
    assert_eq!(written.kind_data(), Ok(Some(data)), "written as {written:02x?}");
}

fn check_port(master: &str, info: &LinkInfo) {
    let data: PortData = match info.port_data() {
        Ok(Some(data)) => data,
        Ok(None) => return assert_eq!(info.slave_kind, None, "a master that is not read"),
        Err(error) => return check_printable(&error.to_string(), false),
    };
    let written = LinkInfo::of_port(master, &data).expect("what was read can be written");
    assert_eq!(written.port_data(), Ok(Some(data)), "written as {written:02x?}");
}

fn refused<T>(read: Result<T, WordError>) -> Option<T> {
    read.map_err(|error| check_printable(&error.to_string(), false)).ok()
}

/// Words of `ip addrlabel`, `ip netconf`, `ip ntable` and `tc` are read into requests that can be
/// written, or refused in one harmless line; a handle prints as a word that reads the same.
pub fn words(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let words: Vec<&str> = text.split(' ').collect();
    let mut names = Names::default();
    names.set_link(2, "eth0");
    for family in [AddressFamily::UNSPEC, AddressFamily::INET, AddressFamily::INET6] {
        if let Some(label) = refused(settings::address_label(&words, family, &names)) {
            check_request(&Change::add(label.clone()));
            check_request(&Change::delete(label));
        }
        if let Some(filter) = refused(settings::netconf(&words, family, &names)) {
            check_request(&List::<Netconf> { filter });
        }
        if let Some(filter) = refused(settings::neighbour_tables(&words, family, &names)) {
            check_request(&List::<NeighbourTable> { filter });
        }
        if let Some(table) = refused(settings::neighbour_table(&words, family, &names)) {
            check_request(&Change::change(table));
        }
    }
    if let Some(get) = refused(settings::get_address_label(&words, &names)) {
        check_request(&get);
    }
    if let Some(made) = refused(traffic::change(&words, &names)) {
        for action in [Action::Add, Action::Replace, Action::Change, Action::Delete] {
            check_request(&Change { action, object: Qdisc(made.clone()) });
            check_request(&Change { action, object: Class(made.clone()) });
        }
    }
    if let Some(filter) = refused(traffic::selector(&words, &names)) {
        check_request(&List::<Qdisc> { filter: filter.clone() });
        check_request(&List::<Class> { filter });
    }
    for word in words {
        match word.parse::<Handle>() {
            Ok(handle) => assert_eq!(handle.to_string().parse(), Ok(handle)),
            Err(error) => check_printable(&error.to_string(), false),
        }
    }
}

/// Names of a file print as one harmless word each; where two numbers do not share a name, it finds
/// its number.
pub fn names(bytes: &[u8]) {
    let file = String::from_utf8_lossy(bytes);
    for kind in NameKind::ALL {
        let mut names = Names::default();
        names.read(kind, &file);
        for number in (0..=0x110).chain([u32::MAX]) {
            check_printable(&names.name(kind, number).to_string(), false);
            let Some(name) = names.known(kind, number) else { continue };
            let found = names.number(kind, name).expect("a name that is known has a number");
            assert_eq!(names.known(kind, found), Some(name));
            assert!(found <= number);
        }
    }
    let mut names = Names::default();
    names.set_link(2, &*file);
    names.set_netns(3, Some((&*file).into()));
    check_printable(&names.link(2).to_string(), false);
    let route = nl_route::Route { oif: Some(2), ..nl_route::Route::default() };
    let mut out = String::new();
    text::route(&mut out, &route, &Context::new(&names));
    check_printable(&out, true);
}
