//! The words of `ip tunnel` make the links that they mean, and those are listed as `ip tunnel` lists
//! them.

use nl_route::names::Names;
use nl_route::parse::{link, tunnel};
use nl_route::text::{self, Colors};
use nl_route::{Context, json};
use nl_wire::json::Json;
use serde_json::Value;

fn names() -> Names {
    let mut names = Names::default();
    names.set_link(1, "lo");
    names.set_link(7, "t0");
    names
}

/// The link that words mean.
fn made(words: &str) -> nl_route::Link {
    let words: Vec<&str> = words.split_ascii_whitespace().collect();
    let read = tunnel::words(&words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    let words = read.of_link().expect("a kind");
    let change = link::add(&words, &names()).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    nl_route::Link { index: 7, ..change.finish().unwrap() }
}

/// Words, what iproute2 6.1 prints of such a tunnel, and its JSON.
const TUNNELS: [(&str, &str, &str); 9] = [
    (
        "t0 mode gre remote 10.0.0.2 local 10.0.0.1 ttl 64 dev lo",
        "t0: gre/ip remote 10.0.0.2 local 10.0.0.1 dev lo ttl 64\n",
        r#"{"ifname":"t0","mode":"gre/ip","remote":"10.0.0.2","local":"10.0.0.1","dev":"lo",
            "ttl":64,"flags":[]}"#,
    ),
    (
        "gre5 key 5 nopmtudisc",
        "t0: gre/ip remote any local any ttl inherit nopmtudisc key 5\n",
        r#"{"ifname":"t0","mode":"gre/ip","remote":"0.0.0.0","local":"0.0.0.0","nopmtudisc":null,
            "key":5,"flags":[]}"#,
    ),
    (
        "t0 remote 10.0.0.2 local 10.0.0.1 hlim 64 tclass inherit ikey 5 iseq icsum oseq ocsum mode gre",
        "t0: gre/ip remote 10.0.0.2 local 10.0.0.1 ttl 64 tos inherit ikey 5\n  \
         Drop packets out of sequence.\n  Checksum in received packet is required.\n  \
         Sequence packets on output.\n  Checksum output packets.\n",
        r#"{"ifname":"t0","mode":"gre/ip","remote":"10.0.0.2","local":"10.0.0.1","ttl":64,"ikey":5,
            "flags":["rx_drop_ooseq","rx_csum","tx_seq","tx_csum"]}"#,
    ),
    (
        "name t0 mode gre/ip remote 10.0.0.2 local 10.0.0.1 hoplimit 64 tos 0x10 ikey 5 okey 6",
        "t0: gre/ip remote 10.0.0.2 local 10.0.0.1 ttl 64 tos 0x10 ikey 5 okey 6\n",
        r#"{"ifname":"t0","mode":"gre/ip","remote":"10.0.0.2","local":"10.0.0.1","ttl":64,
            "tos":"0x10","ikey":5,"okey":6,"flags":[]}"#,
    ),
    (
        "t0 mode gre remote 10.0.0.2 local 10.0.0.1 ttl 64 dsfield 0x11 key 0.0.0.5",
        "t0: gre/ip remote 10.0.0.2 local 10.0.0.1 ttl 64 tos inherit/0x10 key 5\n",
        r#"{"ifname":"t0","mode":"gre/ip","remote":"10.0.0.2","local":"10.0.0.1","ttl":64,
            "tos":"0x11","key":5,"flags":[]}"#,
    ),
    (
        "t0 mode ipip remote 10.0.0.2 local 10.0.0.1 ttl 255 tos 8",
        "t0: ip/ip remote 10.0.0.2 local 10.0.0.1 ttl 255 tos 0x08\n",
        r#"{"ifname":"t0","mode":"ip/ip","remote":"10.0.0.2","local":"10.0.0.1","ttl":255,
            "tos":"0x08"}"#,
    ),
    (
        "t0 mode any",
        "t0: any/ip remote any local any ttl inherit\n",
        r#"{"ifname":"t0","mode":"any/ip","remote":"0.0.0.0","local":"0.0.0.0"}"#,
    ),
    (
        "sit9 remote 10.0.0.2 local 10.0.0.1 ttl 255 nopmtudisc",
        "t0: ipv6/ip remote 10.0.0.2 local 10.0.0.1 ttl 255 nopmtudisc\n",
        r#"{"ifname":"t0","mode":"ipv6/ip","remote":"10.0.0.2","local":"10.0.0.1","ttl":255,
            "nopmtudisc":null}"#,
    ),
    (
        "t0 mode vti remote 10.0.0.2 local 10.0.0.1 ikey 7 okey 8",
        "t0: ip/ip remote 10.0.0.2 local 10.0.0.1 ttl inherit nopmtudisc ikey 7 okey 8\n",
        r#"{"ifname":"t0","mode":"ip/ip","remote":"10.0.0.2","local":"10.0.0.1",
            "nopmtudisc":null,"ikey":7,"okey":8}"#,
    ),
];

#[test]
fn tunnels_are_listed_as_ip_lists_them() {
    let names = names();
    let context = Context::new(&names);
    for (words, expected, object) in TUNNELS {
        let link = made(words);
        let mut out = String::new();
        text::tunnel(&mut out, &link, &context);
        assert_eq!(out, expected, "{words}");
        let mut out = String::new();
        json::tunnel(&mut Json::new(&mut out), &link, &context);
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&out), read(object), "{words}");
        let mut out = String::new();
        text::tunnel(&mut out, &link, &Context { oneline: true, ..context });
        assert_eq!(out, expected.replace("\n  ", "\\  "), "{words}");
    }
    let link = made("t0 mode gre local 10.0.0.1");
    let mut out = String::new();
    text::tunnel(&mut out, &link, &Context { colors: Colors::Light, ..context });
    assert_eq!(
        out,
        "\x1b[36mt0: \x1b[0mgre/ip remote \x1b[35many \x1b[0mlocal \x1b[35m10.0.0.1\x1b[0m \
         ttl inherit\n"
    );
}

#[test]
fn words_without_sense_are_refused() {
    for (words, text) in [
        (&["t0", "mode", "x"][..], "Unknown tunnel mode \"x\""),
        (&["t0", "t1"], "Error: either \"name\" is duplicate, or \"t1\" is a garbage."),
        (&["t0", "ttl"], "Command line is not complete. Try option \"help\""),
    ] {
        assert_eq!(tunnel::words(words).unwrap_err().to_string(), text);
    }
    assert_eq!(tunnel::words(&["t0", "ttl", "5"]).unwrap().of_link(), None);
    assert_eq!(tunnel::words(&["mode", "gre"]).unwrap().of_link(), None);
}
