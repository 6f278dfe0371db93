//! Inputs that broke a law once.

use nl_route::encap::{Encap, Encapsulation, IpTunnel, TunnelOption};
use nl_route::names::Names;
use nl_route::tables::encap::{
    LWTUNNEL_IP_OPT_ERSPAN_DIR, LWTUNNEL_IP_OPT_ERSPAN_HWID, LWTUNNEL_IP_OPT_ERSPAN_INDEX,
    LWTUNNEL_IP_OPT_ERSPAN_VER, LWTUNNEL_IP_OPTS, LWTUNNEL_IP_OPTS_ERSPAN,
};
use nl_route::value::EncapType;
use nl_route::{Context, Route, text};
use nl_wire::Writer;

/// Options of tunnels stood on lines of their own where one line was asked for.
#[test]
fn options_of_tunnels_in_one_line() {
    let tunnel = IpTunnel {
        options: vec![
            TunnelOption::Geneve { class: 1, kind: 2, data: vec![3; 4] },
            TunnelOption::Vxlan { group: 5 },
            TunnelOption::Erspan { version: 1, index: 6, direction: 0, hardware: 0 },
        ],
        ..IpTunnel::default()
    };
    let encap = Encapsulation::Ip(tunnel).encode().unwrap();
    let route = Route { encap: Some(Box::new(encap)), ..Route::default() };
    let names = Names::default();
    let mut lines = String::new();
    text::route(&mut lines, &route, &Context::new(&names));
    assert!(
        lines.contains("\n\tgeneve_opts 1:2:03030303 \n\tvxlan_opts 5 \n\terspan_opts 1:6:0:0 ")
    );
    let mut line = String::new();
    text::route(&mut line, &route, &Context { oneline: true, ..Context::new(&names) });
    assert_eq!(line.trim_end(), lines.trim_end().replace('\n', "\\"));
}

/// The kernel looks at the fields of the version only; those of the other were kept, and lost when
/// the option was written.
#[test]
fn erspan_of_both_versions() {
    for version in [1, 2] {
        let mut payload = Vec::new();
        let writer = &mut Writer::attributes(&mut payload);
        let written = writer.nest(LWTUNNEL_IP_OPTS, |writer| {
            writer.nest(LWTUNNEL_IP_OPTS_ERSPAN, |writer| {
                writer.u8(LWTUNNEL_IP_OPT_ERSPAN_VER, version);
                writer.u32_be(LWTUNNEL_IP_OPT_ERSPAN_INDEX, 7);
                writer.u8(LWTUNNEL_IP_OPT_ERSPAN_DIR, 1);
                writer.u8(LWTUNNEL_IP_OPT_ERSPAN_HWID, 9);
                Ok(())
            })
        });
        written.unwrap();
        let read = Encap { kind: EncapType::IP, payload }.decode().unwrap().unwrap();
        assert_eq!(read.encode().unwrap().decode(), Ok(Some(read)));
    }
}
