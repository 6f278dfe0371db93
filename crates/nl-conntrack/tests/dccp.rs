//! DCCP, which Linux tracks up to 6.16: in bytes everywhere, and live where the kernel does.

use std::net::Ipv4Addr;

use nl_conntrack::text::{self, Options, SaveCommand};
use nl_conntrack::{
    Change, Dccp, DccpRole, DccpState, Flow, IpProtocol, ProtocolInfo, TimeoutChange, Timeouts,
    Tuple, tables,
};
use nl_wire::json::Json;
use nl_wire::value::AddressFamily;
use nl_wire::{Header, Message, Request as _, write};

const STATES: [&str; 7] =
    ["request", "respond", "partopen", "open", "closereq", "closing", "timewait"];

fn flow() -> Flow {
    let host = |last| Ipv4Addr::new(10, 0, 0, last).into();
    Flow {
        timeout: Some(600),
        protocol_info: Some(ProtocolInfo::Dccp(Dccp {
            state: Some(DccpState::OPEN),
            role: Some(DccpRole::SERVER),
            handshake_sequence: Some(0x0102_0304_0506),
        })),
        ..Flow::new(Tuple::with_ports(IpProtocol::DCCP, (host(1), 5001), (host(2), 5002)))
    }
}

fn policy() -> Timeouts {
    let mut policy = Timeouts::new("calls", AddressFamily::INET, IpProtocol::DCCP);
    for (seconds, state) in (10..).zip(STATES) {
        policy.set(state, seconds).unwrap();
    }
    policy
}

#[test]
fn connections_in_bytes_text_and_json() {
    let header = Header { message_type: tables::IPCTNL_MSG_CT_NEW, ..Header::default() };
    let mut bytes = Vec::new();
    write::message(&mut bytes, header, |writer| flow().write(writer)).unwrap();
    // CTA_PROTOINFO, CTA_PROTOINFO_DCCP: 2 is the server, and the number has eight bytes.
    let state = [&[4, 0, 0, 0][..], &[1, 0, 0, 0], &[0, 0, 1, 2, 3, 4, 5, 6]];
    for payload in state {
        assert!(bytes.windows(payload.len()).any(|found| found == payload), "{payload:?}");
    }
    let read = Flow::decode(&Message::decode(&bytes).unwrap()).unwrap();
    assert_eq!(read, flow());
    let (mut line, mut saved, mut json) = (String::new(), String::new(), String::new());
    text::flow(&mut line, &read, &Options::default());
    assert_eq!(
        line,
        "dccp     33 600 OPEN src=10.0.0.1 dst=10.0.0.2 sport=5001 dport=5002 src=10.0.0.2 \
         dst=10.0.0.1 sport=5002 dport=5001"
    );
    text::save(&mut saved, &read, SaveCommand::Add);
    assert!(saved.contains(" -p dccp --sport 5001 --dport 5002 "), "{saved}");
    assert!(saved.ends_with(" --state OPEN --role server"), "{saved}");
    Json::new(&mut json).value(&read);
    assert!(json.contains("{\"dccp\":{\"state\":\"OPEN\",\"role\":\"SERVER\""), "{json}");
}

#[test]
fn timeouts_in_bytes() {
    let mut bytes = Vec::new();
    TimeoutChange::Create(policy()).encode(1, &mut bytes).unwrap();
    let read = Timeouts::decode(&Message::decode(&bytes).unwrap()).unwrap();
    assert_eq!(read, policy());
    let numbers: Vec<u16> = read.seconds.keys().copied().collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
}

#[cfg(all(target_os = "linux", not(miri)))]
#[test]
fn the_kernel_takes_what_it_tracks() {
    use nl_conntrack::{Get, GetTimeouts};
    use nl_socket::Connection;
    use nl_wire::Errno;
    use nl_wire::value::Family;

    nl_testkit::live(|| {
        const SETTING: &str = "/proc/sys/net/netfilter/nf_conntrack_dccp_timeout_open";
        let mut connection = Connection::open(Family::NETFILTER).unwrap();
        connection.run(Change::create(flow())).unwrap();
        let found = connection.get(Get::original(flow().original)).unwrap();
        let made = connection.run(TimeoutChange::Create(policy()));
        if std::fs::exists(SETTING).unwrap() {
            let Some(ProtocolInfo::Dccp(info)) = found.protocol_info else { panic!("no state") };
            assert_eq!((info.state, info.role), (Some(DccpState::OPEN), Some(DccpRole::SERVER)));
            made.unwrap();
            let found = connection.get(GetTimeouts::Named("calls".into())).unwrap();
            assert_eq!(found.seconds, policy().seconds);
        } else {
            // To it this is one of the protocols without ports.
            assert_eq!((found.original.source_port(), found.protocol_info), (None, None));
            assert_eq!(made.unwrap_err().errno(), Some(Errno::EOPNOTSUPP));
        }
    });
}
