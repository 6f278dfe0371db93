//! What a flow's end tells of it.

mod common;

use std::fs;
use std::net::UdpSocket;
use std::time::Instant;

use common::{all, udp};
use nl_conntrack::tables::{IPCTNL_MSG_CT_DELETE, IPCTNL_MSG_CT_NEW};
use nl_conntrack::{Change, Counters, Flow, ProtocolInfo, Status, Tcp, TcpState};
use nl_socket::{Connection, Event};
use nl_testkit::{live, need, sh, skip, try_sh};
use nl_watch::{Change as Told, Engine, Flows, Item, Watch};
use nl_wire::value::Family;
use nl_wire::{Flags, Header, Message, write};

/// Has an engine hear that a flow began or ended.
fn hear(engine: &mut Engine<Flows>, message_type: u16, flow: &Flow) {
    let flags =
        if message_type == IPCTNL_MSG_CT_NEW { Flags::CREATE | Flags::EXCL } else { Flags(0) };
    let header = Header { message_type, flags, ..Header::default() };
    let mut bytes = Vec::new();
    write::message(&mut bytes, header, |writer| flow.write(writer)).unwrap();
    let message = Message::decode(&bytes).unwrap();
    engine.hear(&Event::Message { message, nsid: None }, Instant::now());
}

/// Lists flows; `meanwhile` comes before the end of the list.
fn list(engine: &mut Engine<Flows>, flows: &[Flow], meanwhile: impl FnOnce(&mut Engine<Flows>)) {
    engine.begin(Instant::now());
    for flow in flows {
        engine.listed(flow.clone());
    }
    meanwhile(engine);
    engine.end(Instant::now());
}

/// A flow of TCP, and its end as the kernel tells it.
fn tcp(number: u16) -> (Flow, Flow) {
    let info = Tcp {
        state: Some(TcpState::ESTABLISHED),
        window_scale_original: Some(7),
        ..Tcp::default()
    };
    let counters = |packets| Some(Counters { packets, bytes: 100 * packets });
    let flow = Flow {
        protocol_info: Some(ProtocolInfo::Tcp(info)),
        status: Some(Status::CONFIRMED | Status::SEEN_REPLY),
        original_counters: counters(1),
        mark: Some(9),
        ..udp(number)
    };
    let end = Flow {
        protocol_info: Some(ProtocolInfo::tcp(TcpState::CLOSE)),
        status: Some(Status::CONFIRMED | Status::SEEN_REPLY | Status::DYING),
        original_counters: counters(10),
        reply_counters: counters(20),
        start: Some(5),
        stop: Some(8),
        timeout: None,
        ..flow.clone()
    };
    (flow, end)
}

/// The end as it is told, of a flow that was known as in [`tcp`].
fn whole(end: &Flow) -> Flow {
    let info =
        Tcp { state: Some(TcpState::CLOSE), window_scale_original: Some(7), ..Tcp::default() };
    Flow { protocol_info: Some(ProtocolInfo::Tcp(info)), ..end.clone() }
}

/// What an engine tells to be gone.
fn gone(engine: &mut Engine<Flows>) -> Vec<Flow> {
    let items = std::iter::from_fn(|| engine.next());
    items
        .filter_map(|item| match item {
            Item::Change(Told::Removed(flow)) => Some(flow),
            _ => None,
        })
        .collect()
}

/// The last word on a flow is that of its end: heard when nothing else happens, or while the table is
/// listed, be the flow in the list already or not. One that a list lacks ended without a word.
#[test]
fn the_last_word_is_that_of_the_end() {
    let mut engine = Engine::new(Flows::default());
    let flows: Vec<_> = (1..=4).map(tcp).collect();
    let known: Vec<Flow> = flows.iter().map(|(flow, _)| flow.clone()).collect();
    list(&mut engine, &known, |_| {});
    assert_eq!(gone(&mut engine), []);

    let (_, end) = &flows[0];
    hear(&mut engine, IPCTNL_MSG_CT_DELETE, end);
    assert_eq!(gone(&mut engine), [whole(end)]);

    // The second is in the list, the third is not, and the fourth goes without a word.
    list(&mut engine, &known[1..2], |engine| {
        for (_, end) in &flows[1..3] {
            hear(engine, IPCTNL_MSG_CT_DELETE, end);
        }
    });
    let mut gone = gone(&mut engine);
    gone.sort_by_key(|flow| flow.original.source_port());
    let ends = [1, 2].map(|number: usize| whole(&flows[number].1));
    assert_eq!(gone, [&ends[..], &known[3..]].concat());
    assert!(engine.mirror().is_empty() && engine.is_converged());
    assert_eq!(engine.mirror().bytes(), 0);
}

/// What ended and began anew while the table was listed is told as both.
#[test]
fn an_end_amid_a_list_before_a_beginning() {
    let mut engine = Engine::new(Flows::default());
    let (flow, end) = tcp(1);
    list(&mut engine, std::slice::from_ref(&flow), |_| {});
    list(&mut engine, &[], |engine| {
        hear(engine, IPCTNL_MSG_CT_DELETE, &end);
        hear(engine, IPCTNL_MSG_CT_NEW, &flow);
    });
    assert_eq!(gone(&mut engine), [whole(&end)]);
    assert_eq!(engine.mirror().iter().collect::<Vec<_>>(), [&flow]);
}

/// A living kernel counts to the last packet.
#[test]
fn final_counters_of_a_living_kernel() {
    live(|| {
        if !need(&["ip", "nft"]) {
            return;
        }
        let track = "nft 'add table ip t
            add chain ip t c { type filter hook output priority 0; }
            add rule ip t c ct state new accept'";
        sh("ip link set lo up");
        if let Err(failure) = try_sh(track) {
            return skip(&format!("the kernel can't track: {failure}"));
        }
        for switch in ["acct", "timestamp"] {
            fs::write(format!("/proc/sys/net/netfilter/nf_conntrack_{switch}"), "1").unwrap();
        }
        let mut watch = Watch::open(Flows::default()).unwrap();
        all(&mut watch);
        let [client, server] = [0; 2].map(|_| UdpSocket::bind("127.0.0.1:0").unwrap());
        for _ in 0..10 {
            client.send_to(&[0; 72], server.local_addr().unwrap()).unwrap();
        }
        server.send_to(&[0; 22], client.local_addr().unwrap()).unwrap();
        let items = all(&mut watch);
        let [Item::Change(Told::Added(flow)), ..] = &items[..] else { panic!("{items:?}") };
        let mut kernel = Connection::open(Family::NETFILTER).unwrap();
        kernel.run(Change::delete(flow.clone())).unwrap();
        let items = all(&mut watch);
        let [Item::Change(Told::Removed(flow))] = &items[..] else { panic!("{items:?}") };
        assert!(flow.status.unwrap().contains(Status::DYING), "{flow:?}");
        assert_eq!(flow.original_counters, Some(Counters { packets: 10, bytes: 1000 }));
        assert_eq!(flow.reply_counters, Some(Counters { packets: 1, bytes: 50 }));
        assert!(flow.duration().is_some(), "{flow:?}");
    });
}
