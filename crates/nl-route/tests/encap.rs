//! Wrappings: bytes beside ip, words, round trips, hostile bytes.
//!
//! Routes with `encap ip` and `encap ip6` are never made in a kernel here: some kernels hang for
//! good on them. ip prints them from a file.
#![cfg(target_os = "linux")]

use std::fs;
use std::net::Ipv6Addr;

use nl_route::encap::{
    Bpf, BpfProgram, Encap, Encapsulation, Flavours, Ila, Ioam6, IpTunnel, Mpls, Rpl, Seg6,
    Seg6Action, Seg6Counters, Seg6Flavours, Seg6Local, Seg6Mode, SegmentHeader, Trace, TunnelFlags,
    TunnelOption, Xfrm,
};
use nl_route::names::Names;
use nl_route::value::EncapType;
use nl_route::{
    AddressFamily, Change, Context, Hidden, List, Route, RouteProtocol, RouteType, Scope, TableId,
    filter::RouteFilter, json, parse, tables, text,
};
use nl_socket::Connection;
use nl_testkit::{live, need, sh, tool};
use nl_wire::json::Json;
use nl_wire::value::Family;
use nl_wire::{Header, write};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

/// Words, and whether this kernel may be asked to make such a route.
const WORDS: [(&str, &str); 22] = [
    ("mpls", "mpls 100/200"),
    ("mpls", "mpls 16 ttl 9"),
    ("ip", "ip id 42 dst 192.0.2.1 src 192.0.2.2 ttl 64 tos 0x10 key csum seq"),
    ("ip", "ip id 1 dst 192.0.2.1 geneve_opts 271:143:0001020304050607"),
    ("ip", "ip dst 192.0.2.1 vxlan_opts 77"),
    ("ip", "ip dst 192.0.2.1 erspan_opts 1:123:0:0"),
    ("ip", "ip dst 192.0.2.1 erspan_opts 2:0:1:33"),
    ("ip6", "ip6 id 0x2a dst 2001:db8::1 src 2001:db8::2 hoplimit 64 tc 0x4 key"),
    ("ila", "ila 2001:db8:1:2"),
    ("ila", "ila 0:0:0:20 csum-mode neutral-map-auto ident-type virt-uni-v6 hook-type input"),
    ("seg6", "seg6 mode encap segs fc00::1,fc00::2"),
    ("seg6", "seg6 mode inline segs fc00::1,fc00::2 hmac 77"),
    ("seg6", "seg6 mode l2encap.red segs fc00::1"),
    ("seg6local", "seg6local action End"),
    ("seg6local", "seg6local action End.X nh6 fc00:9::2 count"),
    ("seg6local", "seg6local action End flavors psp,next-csid lblen 48 nflen 16"),
    ("seg6local", "seg6local action End.B6.Encaps srh segs fc00::5,fc00::6"),
    ("seg6local", "seg6local action End.T table 100"),
    ("rpl", "rpl segs fc00::1,fc00::2"),
    ("ioam6", "ioam6 trace prealloc type 0x800000 ns 123 size 12"),
    ("ioam6", "ioam6 freq 1/3 mode encap tundst fc00::1 trace prealloc type 0x12 ns 1 size 244"),
    ("xfrm", "xfrm if_id 99 link_dev lo"),
];

fn names() -> Names {
    let mut names = Names::default();
    names.set_link(1, "lo");
    names
}

fn read(words: &str) -> Route {
    let line = format!("2001:db8:9::/48 encap {words} dev lo");
    let words: Vec<&str> = line.split(' ').collect();
    let route = parse::route(&words, AddressFamily::UNSPEC, &names());
    Route {
        table: TableId::MAIN,
        protocol: RouteProtocol::BOOT,
        scope: Scope::UNIVERSE,
        kind: RouteType::UNICAST,
        ..route.unwrap_or_else(|error| panic!("{line}: {error}"))
    }
}

/// What ip prints of a message in a file.
fn ip_prints(name: &str, route: &Route) -> String {
    let mut bytes = Vec::new();
    let header = Header { message_type: tables::RTM_NEWROUTE, ..Header::default() };
    write::message(&mut bytes, header, |writer| route.encode(writer)).unwrap();
    let path = std::env::temp_dir().join(format!("nl-route-{name}-{}", std::process::id()));
    fs::write(&path, bytes).unwrap();
    let out = tool("ip", &["-d", "-s", "monitor", "file", path.to_str().unwrap()]);
    fs::remove_file(path).unwrap();
    out
}

fn ours(route: &Route) -> String {
    let names = names();
    let mut out = String::new();
    let context = Context { details: true, statistics: 1, ..Context::new(&names) };
    text::route(&mut out, route, &context);
    out
}

fn our_json(route: &Route) -> serde_json::Value {
    let names = names();
    let mut out = String::new();
    let context = Context { statistics: 1, hidden: Hidden::TABLE, ..Context::new(&names) };
    json::route(&mut Json::new(&mut out), route, &context);
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error}: {out}"))
}

#[test]
fn words_are_read_and_printed_as_ip_prints_them() {
    let beside = need(&["ip"]);
    for (name, words) in WORDS {
        let route = read(words);
        let encap = route.encap.as_ref().unwrap();
        let typed = encap.decode().unwrap().unwrap();
        assert_eq!(&typed.encode().unwrap(), &**encap, "{words}");
        assert_eq!(our_json(&route)["encap"], name, "{words}");
        if beside {
            assert_eq!(ours(&route), ip_prints(name, &route), "{words}");
        }
    }
}

#[test]
fn json_has_the_keys_of_ip() {
    let json = our_json(&read("ip id 1 geneve_opts 271:143:0001020304050607,1:2:01020304"));
    assert_eq!(json["id"], 1);
    assert_eq!(json["geneve_opts"][1]["class"], 1);
    assert_eq!(json["geneve_opts"][1]["data"], "01020304");
    let json = our_json(&read(WORDS[16].1));
    assert_eq!(json["srh"]["segs"][1], "fc00::6");
    let json = our_json(&read(WORDS[20].1));
    assert_eq!((&json["freqk"], &json["freqn"], &json["ns"]), (&1.into(), &3.into(), &1.into()));
    let json = our_json(&read(WORDS[0].1));
    assert_eq!(json["dst"], "100/200");
}

#[test]
fn wrong_words_are_refused() {
    for words in [
        "nonsense",
        "none",
        "bpf in obj x",
        "mpls 100/",
        "mpls 1048576",
        "mpls 1 ttl 256",
        "ip id x",
        "ip dst 2001:db8::1",
        "ip6 dst 192.0.2.1",
        "ip geneve_opts 1:2:012",
        "ip geneve_opts 1:256:01020304",
        "ip erspan_opts 1:2:3:4:5",
        "ila 1:2:3",
        "ila 1:2:3:4 csum-mode x",
        "seg6 segs fc00::1",
        "seg6 mode encap",
        "seg6 mode encap segs 10.0.0.1",
        "seg6 mode other segs fc00::1",
        "seg6local",
        "seg6local action Start",
        "seg6local action End flavors psp,x",
        "rpl fc00::1",
        "ioam6 mode encap trace prealloc type 1 ns 1 size 4",
        "ioam6 tundst fc00::1 trace prealloc type 1 ns 1 size 4",
        "ioam6 freq 3/1 trace prealloc type 1 ns 1 size 4",
        "ioam6 trace prealloc type 1 ns 1 size 5",
        "ioam6 trace prealloc type 1 ns 1 size 248",
        "xfrm if_id x",
    ] {
        let line = format!("2001:db8:9::/48 encap {words}");
        let words: Vec<&str> = line.split(' ').collect();
        assert!(parse::route(&words, AddressFamily::UNSPEC, &names()).is_err(), "{line}");
    }
}

#[test]
fn hops_are_wrapped_each_in_its_own_way() {
    let line = "2001:db8:9::/48 nexthop encap seg6 mode encap segs fc00::1 dev lo \
        nexthop encap rpl segs fc00::2 dev lo weight 2";
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let route = parse::route(&words, AddressFamily::UNSPEC, &names()).unwrap();
    let kinds: Vec<_> =
        route.multipath.iter().map(|hop| hop.encap.as_ref().unwrap().kind).collect();
    assert_eq!(kinds, [EncapType::SEG6, EncapType::RPL]);
    assert_eq!(route.multipath[1].weight, 2);
}

#[test]
fn labels_of_mpls_routes_are_read() {
    let words = ["100", "as", "to", "200/300", "dev", "lo"];
    let route = parse::route(&words, AddressFamily::MPLS, &names()).unwrap();
    let names = names();
    let mut out = String::new();
    text::route(&mut out, &route, &Context::new(&names));
    assert!(out.starts_with("none 100 as to 200/300 dev lo"), "{out}");
}

#[test]
fn both_see_what_the_other_made() {
    live(|| {
        if !need(&["ip"]) {
            return;
        }
        sh("ip link set lo up");
        let mut connection = Connection::open(Family::ROUTE).unwrap();
        let mut made = 0;
        // Only kinds that have never been seen to harm a kernel.
        for (kind, words) in
            WORDS.iter().filter(|row| ["seg6", "seg6local", "rpl"].contains(&row.0))
        {
            let line = format!("2001:db8:9::/48 encap {words} dev lo");
            let arguments: Vec<&str> = line.split(' ').collect();
            let route = parse::route(&arguments, AddressFamily::UNSPEC, &names()).unwrap();
            // Not every kernel knows all of them.
            if let Err(error) = connection.run(Change::add(route.clone())) {
                eprintln!("{words}: {error}");
                continue;
            }
            let shown = tool("ip", &["-6", "-d", "-s", "route", "show", "2001:db8:9::/48"]);
            assert!(shown.contains(&format!("encap {kind} ")), "{words}: {shown}");
            let filter = RouteFilter { within: route.destination, ..RouteFilter::default() };
            let ours_now = || {
                let mut connection = Connection::open(Family::ROUTE).unwrap();
                let found: Vec<Route> = connection
                    .dump(List::<Route> { filter })
                    .unwrap()
                    .map(Result::unwrap)
                    .collect();
                assert_eq!(found.len(), 1, "{words}");
                found.into_iter().next().unwrap()
            };
            let ours_made = ours_now();
            let their_json = tool("ip", &["-6", "-j", "-s", "route", "show", "2001:db8:9::/48"]);
            let theirs: serde_json::Value = serde_json::from_str(&their_json).unwrap();
            assert_eq!(our_json(&ours_made), theirs[0], "{words}");
            tool("ip", &["-6", "route", "del", "2001:db8:9::/48"]);
            let add = format!("-6 route add {line}");
            tool("ip", &add.split(' ').collect::<Vec<_>>());
            assert_eq!(ours_now().encap, ours_made.encap, "{words}");
            connection.run(Change::delete(ours_now())).unwrap();
            made += 1;
        }
        assert!(made > 3, "only {made}");
    });
}

fn v6() -> impl Strategy<Value = Ipv6Addr> {
    any::<u128>().prop_map(Ipv6Addr::from)
}

fn header() -> impl Strategy<Value = SegmentHeader> {
    (vec(v6(), 1..6), of(any::<u32>()))
        .prop_map(|(segments, hmac)| SegmentHeader { segments, hmac })
}

fn tunnel() -> impl Strategy<Value = IpTunnel> {
    let geneve = (any::<u16>(), any::<u8>(), vec(any::<u8>(), 0..12))
        .prop_map(|(class, kind, data)| TunnelOption::Geneve { class, kind, data });
    let one = prop_oneof![
        any::<u32>().prop_map(|group| TunnelOption::Vxlan { group }),
        any::<u32>().prop_map(|index| TunnelOption::Erspan {
            version: 1,
            index,
            direction: 0,
            hardware: 0
        }),
        any::<[u8; 2]>().prop_map(|[direction, hardware]| TunnelOption::Erspan {
            version: 2,
            index: 0,
            direction,
            hardware
        }),
    ];
    let options = prop_oneof![vec(geneve, 0..4), vec(one, 1)];
    (
        of(any::<u64>()),
        of(v6()),
        of(any::<[u8; 4]>()),
        of(any::<[u8; 2]>()),
        of(any::<u16>()),
        options,
    )
        .prop_map(|(id, source, destination, bytes, flags, options)| IpTunnel {
            id,
            source: source.map(Into::into),
            destination: destination.map(Into::into),
            ttl: bytes.map(|bytes| bytes[0]),
            tos: bytes.map(|bytes| bytes[1]),
            flags: flags.map(TunnelFlags),
            options,
        })
}

fn local() -> impl Strategy<Value = Seg6Local> {
    let flavours =
        (of(any::<u32>()), of(any::<[u8; 2]>())).prop_map(|(operations, bits)| Seg6Flavours {
            operations: operations.map(Flavours),
            block_bits: bits.map(|bits| bits[0]),
            node_function_bits: bits.map(|bits| bits[1]),
        });
    let program = (of(any::<u32>()), of("[a-z]{1,9}".prop_map(|name| name.as_str().into())));
    let counters = any::<[u64; 3]>().prop_map(|[packets, bytes, errors]| Seg6Counters {
        packets,
        bytes,
        errors,
    });
    let addresses = (of(any::<[u8; 4]>()), of(v6()));
    (vec(any::<u32>(), 5), of(header()), addresses, of(program), of(counters), of(flavours))
        .prop_map(|(n, header, (v4, v6), program, counters, flavours)| Seg6Local {
            action: Seg6Action(n[0]),
            header,
            table: Some(TableId(n[1])),
            vrf_table: Some(TableId(n[2])),
            next_hop4: v4.map(Into::into),
            next_hop6: v6,
            iif: Some(n[3]),
            oif: Some(n[4]),
            program,
            counters,
            flavours,
        })
}

fn any_encapsulation() -> impl Strategy<Value = Encapsulation> {
    let program = || {
        of((of(any::<u32>()), of("[a-z]{1,9}"))
            .prop_map(|(fd, name)| BpfProgram { fd, name: name.map(|name| name.as_str().into()) }))
    };
    prop_oneof![
        (vec(0_u32..1 << 20, 0..5), of(any::<u8>()))
            .prop_map(|(labels, ttl)| Encapsulation::Mpls(Mpls { labels, ttl })),
        tunnel().prop_map(Encapsulation::Ip),
        tunnel().prop_map(Encapsulation::Ip6),
        (of(any::<u64>()), of(any::<[u8; 3]>())).prop_map(|(locator, bytes)| {
            Encapsulation::Ila(Ila {
                locator,
                checksum_mode: bytes.map(|bytes| bytes[0]),
                identifier_type: bytes.map(|bytes| bytes[1]),
                hook: bytes.map(|bytes| bytes[2]),
            })
        }),
        (any::<u32>(), header(), of(v6())).prop_map(|(mode, header, source)| {
            Encapsulation::Seg6(Seg6 { mode: Seg6Mode(mode), header, source })
        }),
        (program(), program(), program(), of(any::<u32>())).prop_map(
            |(input, output, transmit, headroom)| Encapsulation::Bpf(Bpf {
                input,
                output,
                transmit,
                headroom
            })
        ),
        local().prop_map(Encapsulation::Seg6Local),
        vec(v6(), 0..9).prop_map(|segments| Encapsulation::Rpl(Rpl { segments })),
        (of(any::<u8>()), of(v6()), of(v6()), of(any::<[u32; 2]>()), any::<(u16, u32, u8)>())
            .prop_map(|(mode, destination, source, n, (namespace, kind, size))| {
                Encapsulation::Ioam6(Ioam6 {
                    mode,
                    destination,
                    source,
                    trace: Some(Trace {
                        namespace,
                        kind: kind >> 8,
                        size: u16::from(size & 0x7f) * 4,
                    }),
                    frequency: n.map(|n| n[0]),
                    frequency_of: n.map(|n| n[1]),
                })
            }),
        (of(any::<u32>()), of(any::<u32>()))
            .prop_map(|(if_id, link)| Encapsulation::Xfrm(Xfrm { if_id, link })),
    ]
}

proptest! {
    #[test]
    fn all_come_back(encapsulation in any_encapsulation()) {
        let encap = encapsulation.encode().unwrap();
        prop_assert_eq!(encap.decode(), Ok(Some(encapsulation)));
        // Cut short at every byte, it is refused or means less, and is printed.
        for end in 0..encap.payload.len() {
            let cut = Encap { payload: encap.payload[..end].to_vec(), ..encap.clone() };
            let _ = cut.decode();
            let route = Route { encap: Some(Box::new(cut)), ..Route::default() };
            our_json(&route);
            ours(&route);
        }
    }

    #[test]
    fn any_bytes_are_survived(kind in 0..12_u16, payload in vec(any::<u8>(), 0..80)) {
        let encap = Encap { kind: EncapType(kind), payload };
        if let Ok(Some(typed)) = encap.decode() {
            let _ = typed.encode();
        }
        let route = Route { encap: Some(Box::new(encap)), ..Route::default() };
        our_json(&route);
        ours(&route);
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let labels = Mpls { labels: vec![1 << 20], ttl: None };
    assert!(Encapsulation::Mpls(labels).encode().is_err());
    let segments = vec![Ipv6Addr::LOCALHOST; 128];
    assert!(Encapsulation::Rpl(Rpl { segments: segments.clone() }).encode().is_err());
    let header = SegmentHeader { segments, hmac: None };
    assert!(Encapsulation::Seg6(Seg6 { header, ..Seg6::default() }).encode().is_err());
    assert!(Encapsulation::Seg6(Seg6::default()).encode().is_err());
    let trace = Trace { namespace: 0, kind: 0, size: 5 };
    assert!(
        Encapsulation::Ioam6(Ioam6 { trace: Some(trace), ..Ioam6::default() }).encode().is_err()
    );
}
