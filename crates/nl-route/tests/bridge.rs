//! What bridges know: VLANs, multicast groups and forwarding entries, beside bridge(8) whether or not
//! the kernel at hand has them.

use std::fs;

use nl_route::bridge::{
    BridgeGroups, GroupAddress, ListGroups, ListVlans, PortVlans, VlanFlags, VlanRange,
};
use nl_route::names::Names;
use nl_route::tables::bridge::*;
use nl_route::tables::link::{IFLA_AF_SPEC, IFLA_EXT_MASK, IFLA_MASTER};
use nl_route::tables::{RTM_GETMDB, RTM_NEWLINK, RTM_NEWMDB, RTM_NEWNEIGH};
use nl_route::value::{ExtMask, NeighbourFlags, NeighbourState, RouteProtocol};
use nl_route::{AddressFamily, Context, Neighbour, json, neighbour, text};
use nl_testkit::{Rng, live, need, tool};
use nl_wire::json::Json;
use nl_wire::{Header, Message, Request, Writer, write};
use serde_json::{Value, json};

fn names() -> Names {
    let mut names = Names::default();
    for (index, name) in [(1, "lo"), (2, "v1"), (3, "v0"), (4, "br0")] {
        names.set_link(index, name);
    }
    names
}

fn message(bytes: &mut Vec<u8>, message_type: u16, body: impl FnOnce(&mut Writer<'_>)) {
    let header = Header { message_type, ..Header::default() };
    write::message(bytes, header, |writer| {
        body(writer);
        Ok(())
    })
    .unwrap();
}

/// A port with VLANs, as Linux lists it.
fn port(index: u32, vlans: &[(u16, u16)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    message(&mut bytes, RTM_NEWLINK, |writer| {
        let mut head = [0; 16];
        head[0] = AddressFamily::BRIDGE.0;
        head[4..8].copy_from_slice(&index.to_ne_bytes());
        writer.fixed(&head);
        writer.u32(IFLA_MASTER, 4);
        writer
            .nest(IFLA_AF_SPEC, |writer| {
                vlans.iter().try_for_each(|(flags, vlan)| {
                    writer.bytes(
                        IFLA_BRIDGE_VLAN_INFO,
                        &[flags.to_ne_bytes(), vlan.to_ne_bytes()].concat(),
                    )
                })
            })
            .unwrap();
    });
    bytes
}

fn read<R: Request>(request: &R, bytes: &[u8]) -> Option<R::Item> {
    request.read(&Message::decode(bytes).unwrap()).unwrap()
}

#[test]
fn vlans_are_read_and_printed() {
    let ports = [
        port(2, &[(6, 1), (0, 5)]),
        port(3, &[(6, 30), (8, 10), (16, 20), (12, 100), (20, 102), (4, 4094)]),
        port(4, &[(6, 1), (8, 10), (16, 12)]),
        port(1, &[]),
    ];
    let all = ListVlans::default();
    let vlans: Vec<PortVlans> = ports.iter().filter_map(|bytes| read(&all, bytes)).collect();
    let both = VlanFlags::PVID | VlanFlags::UNTAGGED;
    let range = |first, last, flags| VlanRange { first, last, flags };
    assert_eq!(
        vlans[1].vlans,
        [
            range(30, 30, both),
            range(10, 20, VlanFlags(0)),
            range(100, 102, VlanFlags::UNTAGGED),
            range(4094, 4094, VlanFlags::UNTAGGED),
        ]
    );
    // What bridge(8) of iproute2 6.1 prints of the same messages.
    let names = names();
    let context = Context::new(&names);
    let mut out = String::new();
    for port in &vlans {
        text::vlans(&mut out, port, &context);
    }
    assert_eq!(
        out,
        "\
v1                1 PVID Egress Untagged
                  5
v0                30 PVID Egress Untagged
                  10-20
                  100-102 Egress Untagged
                  4094 Egress Untagged
br0               1 PVID Egress Untagged
                  10-12
"
    );
    let mut out = String::new();
    json::vlans(&mut Json::new(&mut out), &vlans[1], &context);
    assert_eq!(
        serde_json::from_str::<Value>(&out).unwrap(),
        json!({"ifname": "v0", "vlans": [
            {"vlan": 30, "flags": ["PVID", "Egress Untagged"]},
            {"vlan": 10, "vlanEnd": 20, "flags": []},
            {"vlan": 100, "vlanEnd": 102, "flags": ["Egress Untagged"]},
            {"vlan": 4094, "flags": ["Egress Untagged"]},
        ]})
    );
    // Filters.
    let one = ListVlans { vlan: Some(11), ..all };
    let found: Vec<_> = ports.iter().filter_map(|bytes| read(&one, bytes)).collect();
    assert_eq!(found.iter().map(|port| port.index).collect::<Vec<_>>(), [3, 4]);
    assert_eq!(found[0].vlans, [range(10, 20, VlanFlags(0))]);
    assert!(read(&ListVlans { index: Some(2), ..all }, &ports[1]).is_none());
}

#[test]
fn requests_say_what_is_wanted() {
    let mut bytes = Vec::new();
    ListVlans::default().encode(1, &mut bytes).unwrap();
    let mut mask = Vec::new();
    Writer::attributes(&mut mask).u32(IFLA_EXT_MASK, ExtMask::BRVLAN_COMPRESSED.0);
    assert_eq!((bytes[16], &bytes[32..]), (AddressFamily::BRIDGE.0, &mask[..]));
    let mut bytes = Vec::new();
    ListGroups::default().encode(1, &mut bytes).unwrap();
    assert_eq!(bytes[16..], [AddressFamily::BRIDGE.0, 0, 0, 0, 0, 0, 0, 0]);
}

/// A number that is often small.
fn number(rng: &mut Rng) -> u32 {
    let number = rng.next_u64().to_ne_bytes();
    let number = u32::from_ne_bytes([number[0], number[1], number[2], number[3]]);
    if rng.one_in(2) { number % 5 } else { number % (1 << 24) }
}

fn byte(rng: &mut Rng) -> u8 {
    number(rng).to_le_bytes()[0]
}

fn group(rng: &mut Rng) -> Vec<u8> {
    let mut base = Vec::new();
    base.extend(1_u32.to_ne_bytes());
    base.extend([byte(rng) % 2, byte(rng) % 16]);
    base.extend((u16::from(byte(rng)) % 3).to_ne_bytes());
    let of = rng.below(3);
    let group = match of {
        0 => [&[239, 1, 1, byte(rng)][..], &[0; 12], &0x0800_u16.to_be_bytes()].concat(),
        1 => [&[0xff, 5][..], &[0; 13], &[byte(rng)], &0x86dd_u16.to_be_bytes()].concat(),
        _ => [&[1, 0, 0x5e, 0, 0, byte(rng)][..], &[0; 12]].concat(),
    };
    base.extend(group);
    base.extend([0, 0]);
    let mut writer = Writer::attributes(&mut base);
    let address: std::net::IpAddr =
        if of == 1 { [0x20, 1, 0, 0, 0, 0, 0, 7].into() } else { [10, 0, 0, byte(rng)].into() };
    writer.u32(MDBA_MDB_EATTR_TIMER, number(rng));
    if of != 2 && rng.one_in(2) {
        let count = rng.below(4);
        let list = writer.nest_unflagged(MDBA_MDB_EATTR_SRC_LIST, |writer| {
            (0..count).try_for_each(|_| {
                writer.nest_unflagged(MDBA_MDB_SRCLIST_ENTRY, |writer| {
                    writer.ip(MDBA_MDB_SRCATTR_ADDRESS, address);
                    writer.u32(MDBA_MDB_SRCATTR_TIMER, number(rng));
                    Ok(())
                })
            })
        });
        list.unwrap();
    }
    if rng.one_in(2) {
        writer.u8(MDBA_MDB_EATTR_GROUP_MODE, byte(rng) % 2);
    }
    // Of link-layer addresses there are no sources.
    if of != 2 && rng.one_in(2) {
        writer.ip(MDBA_MDB_EATTR_SOURCE, address);
    }
    if rng.one_in(2) {
        writer.u8(MDBA_MDB_EATTR_RTPROT, byte(rng) % 5);
    }
    base
}

/// Groups of a bridge, in one message.
fn groups(rng: &mut Rng) -> Vec<u8> {
    let mut bytes = Vec::new();
    message(&mut bytes, RTM_NEWMDB, |writer| {
        writer.fixed(&[&[AddressFamily::BRIDGE.0, 0, 0, 0][..], &1_u32.to_ne_bytes()].concat());
        let all = writer.nest_unflagged(MDBA_MDB, |writer| {
            (0..=rng.below(4)).try_for_each(|_| {
                let info = group(rng);
                writer.nest_unflagged(MDBA_MDB_ENTRY, |writer| {
                    writer.bytes(MDBA_MDB_ENTRY_INFO, &info)
                })
            })
        });
        all.unwrap();
    });
    bytes
}

/// The forms in which bridge prints, and what they are called here.
fn forms(names: &Names) -> [(&'static [&'static str], Context<'_>); 5] {
    let plain = Context::new(names);
    [
        (&[], plain),
        (&["-d"], Context { details: true, ..plain }),
        (&["-s"], Context { statistics: 1, ..plain }),
        (&["-s", "-d"], Context { statistics: 1, details: true, ..plain }),
        (&["-o"], Context { oneline: true, ..plain }),
    ]
}

/// Asserts that what stands in a file prints as bridge prints it.
fn as_bridge(kind: &str, bytes: &[u8], print: impl Fn(&mut String, &Message<'_>, &Context<'_>)) {
    fs::write("/run/bridge", bytes).unwrap();
    let mut names = Names::default();
    names.set_link(1, "lo");
    // The words of protocols that are always there.
    names.read(nl_route::names::NameKind::Protocol, "");
    for (options, context) in forms(&names) {
        let arguments = [options, &["monitor", kind, "file", "/run/bridge"]].concat();
        let theirs = tool("bridge", &arguments);
        let mut ours = String::new();
        for message in nl_wire::Messages::new(bytes) {
            print(&mut ours, &message.unwrap(), &context);
        }
        for (ours, theirs) in ours.lines().zip(theirs.lines()) {
            assert_eq!(ours, theirs, "{options:?}");
        }
        assert_eq!(ours, theirs, "{options:?}");
    }
}

#[test]
fn any_groups_are_printed_as_bridge_prints_them() {
    live(|| {
        if need(&["bridge"]) {
            let mut rng = Rng::new(1);
            let bytes: Vec<u8> = (0..500).flat_map(|_| groups(&mut rng)).collect();
            as_bridge("mdb", &bytes, |out, message, context| {
                text::groups(out, &BridgeGroups::decode(message).unwrap(), context);
            });
        }
    });
}

/// A forwarding entry; ip addresses of either family.
fn forwarding(rng: &mut Rng) -> Neighbour {
    let some = |rng: &mut Rng| rng.one_in(2).then(|| number(rng));
    let states = [0x80, 0x40, 4, 2, 0, 0x20];
    Neighbour {
        family: AddressFamily::BRIDGE,
        index: 1,
        state: NeighbourState(states[rng.below(states.len())]),
        flags: NeighbourFlags(byte(rng)),
        link_address: rng.one_in(4).then(|| vec![2, 0, 0, 0, 0, 1]).or(Some(vec![0; 6])),
        destination: match rng.below(3) {
            0 => None,
            1 => Some([10, 0, 0, byte(rng)].into()),
            _ => Some([0x20, 1, 0, 0, 0, 0, 0, u16::from(byte(rng))].into()),
        },
        vlan: some(rng).map(|vlan| u16::try_from(vlan % 4096).unwrap()),
        port: some(rng).map(|port| u16::try_from(port % 65536).unwrap()),
        vni: some(rng),
        source_vni: some(rng),
        via: rng.one_in(2).then_some(1),
        link_netnsid: rng.one_in(2).then_some(3),
        nexthop_id: some(rng),
        master: rng.one_in(2).then_some(1),
        cache_info: rng.one_in(2).then(|| neighbour::NeighbourCacheInfo {
            used: number(rng),
            updated: number(rng),
            ..neighbour::NeighbourCacheInfo::default()
        }),
        ..Neighbour::default()
    }
}

#[test]
fn any_forwarding_entries_are_printed_as_bridge_prints_them() {
    live(|| {
        if need(&["bridge"]) {
            let mut rng = Rng::new(1);
            let mut bytes = Vec::new();
            for _ in 0..1000 {
                let entry = forwarding(&mut rng);
                let header = Header { message_type: RTM_NEWNEIGH, ..Header::default() };
                write::message(&mut bytes, header, |writer| entry.encode(writer)).unwrap();
            }
            as_bridge("fdb", &bytes, |out, message, context| {
                text::forwarding(out, &Neighbour::decode(message).unwrap(), context);
            });
        }
    });
}

/// Groups and routers that Linux 6.18 lists.
#[test]
#[cfg(target_endian = "little")]
fn groups_hold_what_was_sent() {
    let bytes = nl_testkit::parse_hex(include_str!("bridge_data/groups.hex")).unwrap();
    let message = Message::decode(&bytes).unwrap();
    assert_eq!(message.header.message_type, RTM_GETMDB);
    let all = read(&ListGroups::default(), &bytes).unwrap();
    assert_eq!((all.index, all.entries.len(), all.routers.len()), (2, 6, 1));
    let link = GroupAddress::Link([1, 0, 0x5e, 0, 0, 0x99]);
    assert_eq!((all.entries[0].group, all.entries[0].permanent), (link, true));
    assert_eq!(all.entries[2].source, Some([10, 0, 0, 1].into()));
    assert_eq!(all.entries[2].protocol, Some(RouteProtocol::STATIC));
    assert_eq!(all.entries[4].timer, Some(25925));
    assert_eq!((all.routers[0].port, all.routers[0].kind), (4, Some(2)));
    assert!(read(&ListGroups { index: Some(7), vlan: None }, &bytes).is_none());
    let none = read(&ListGroups { index: None, vlan: Some(3) }, &bytes).unwrap();
    assert!(none.entries.is_empty());

    let mut names = Names::default();
    names.set_link(2, "br0");
    names.set_link(4, "v0");
    let context = Context { details: true, statistics: 1, ..Context::new(&names) };
    let mut out = String::new();
    json::groups(&mut Json::new(&mut out), &[all], &context);
    let out: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        out["mdb"][2],
        json!({"index": 2, "dev": "br0", "port": "v0", "grp": "239.1.1.7", "src": "10.0.0.1",
            "state": "permanent", "filter_mode": "include", "protocol": "static", "flags": [],
            "timer": "   0.00"})
    );
    let router = json!({"br0": [{"port": "v0", "timer": "   0.00", "type": "permanent"}]});
    assert_eq!(out["router"], router);
}

#[test]
fn nothing_breaks_where_answers_end_early() {
    let names = names();
    let context = Context { details: true, statistics: 1, ..Context::new(&names) };
    let mut rng = Rng::new(2);
    let vlans = port(3, &[(6, 30), (8, 10), (16, 20)]);
    let answers = [groups(&mut rng), vlans];
    for whole in answers {
        for length in 24..whole.len() {
            let mut bytes = whole[..length].to_vec();
            bytes[..4].copy_from_slice(&u32::try_from(length).unwrap().to_ne_bytes());
            let Ok(message) = Message::decode(&bytes) else { continue };
            if let Ok(groups) = BridgeGroups::decode(&message) {
                text::groups(&mut String::new(), &groups, &context);
            }
            if let Ok(Some(port)) = ListVlans::default().read(&message) {
                text::vlans(&mut String::new(), &port, &context);
            }
        }
    }
}
