//! What the JSON writer writes: read back by another implementation, and the layout of ip compared
//! byte for byte.

use nl_wire::json::{Json, ToJson};
use nl_wire::text::Text;
use proptest::collection::btree_map;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;

fn compact(value: impl ToJson) -> String {
    let mut out = String::new();
    Json::new(&mut out).value(value);
    out
}

/// A list with every nesting that ip has: flags, an object in an object, objects in an array in an
/// object.
struct Links;

impl ToJson for Links {
    fn to_json(&self, json: &mut Json<'_>) {
        json.begin_array();
        for (index, flags) in [(1u32, &["LOOPBACK", "UP"][..]), (2, &[])] {
            json.begin_object();
            json.field("ifindex", index);
            json.field("flags", flags);
            json.key("linkinfo");
            json.begin_object();
            json.field("info_kind", "bridge");
            json.key("info_data");
            json.begin_object();
            json.key("gc_timer");
            json.number(format_args!("{}.{:02}", 0, 7));
            json.optional("absent", None::<u8>);
            json.optional("stp", Some(false));
            json.end_object();
            json.end_object();
            json.key("addr_info");
            json.begin_array();
            for local in ["127.0.0.1", "::1"] {
                json.begin_object();
                json.field("local", local);
                json.field("scope", "host");
                json.end_object();
            }
            json.end_array();
            json.end_object();
        }
        json.end_array();
    }
}

const PRETTY: &str = r#"[ {
        "ifindex": 1,
        "flags": [ "LOOPBACK","UP" ],
        "linkinfo": {
            "info_kind": "bridge",
            "info_data": {
                "gc_timer": 0.07,
                "stp": false
            }
        },
        "addr_info": [ {
                "local": "127.0.0.1",
                "scope": "host"
            },{
                "local": "::1",
                "scope": "host"
            } ]
    },{
        "ifindex": 2,
        "flags": [ ],
        "linkinfo": {
            "info_kind": "bridge",
            "info_data": {
                "gc_timer": 0.07,
                "stp": false
            }
        },
        "addr_info": [ {
                "local": "127.0.0.1",
                "scope": "host"
            },{
                "local": "::1",
                "scope": "host"
            } ]
    } ]"#;

#[test]
fn the_pretty_layout_is_that_of_ip() {
    let mut out = String::new();
    Json::pretty(&mut out).value(Links);
    assert_eq!(out, PRETTY);
}

#[test]
fn the_compact_layout_has_no_blanks_and_the_same_meaning() {
    let out = compact(Links);
    assert!(out.starts_with(r#"[{"ifindex":1,"flags":["LOOPBACK","UP"],"linkinfo":{"#), "{out}");
    assert!(!out.contains([' ', '\n']));
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(read(&out), read(PRETTY));
}

#[test]
fn empty_values() {
    let (mut one, mut two) = (String::new(), String::new());
    for mut json in [Json::new(&mut one), Json::pretty(&mut two)] {
        json.begin_array();
        json.begin_array();
        json.end_array();
        json.begin_object();
        json.end_object();
        json.end_array();
    }
    assert_eq!((one.as_str(), two.as_str()), ("[[],{}]", "[ [ ],{} ]"));
}

#[test]
fn escapes_are_those_of_ip_and_what_a_terminal_needs() {
    // `ip -j` of an interface with this alias, but for \u0001, which ip 6.1 leaves as it is: that
    // is not JSON.
    let alias = "a\tb\u{1}c\"d\\e/f'gh\u{e9}j\nk\rl\u{c}m\u{8}n";
    assert_eq!(compact(alias), "\"a\\tb\\u0001c\\\"d\\\\e/f'gh\u{e9}j\\nk\\rl\\fm\\bn\"");
    assert_eq!(
        compact("\0\x1b\x7f\u{9b}\u{202e}\u{2028}"),
        r#""\u0000\u001b\u007f\u009b\u202e\u2028""#
    );
}

#[test]
fn every_kind_of_value() {
    assert_eq!(compact([u64::MAX]), "[18446744073709551615]");
    assert_eq!(compact([i64::MIN, -1]), "[-9223372036854775808,-1]");
    assert_eq!(compact(&[true, false][..]), "[true,false]");
    assert_eq!(compact(String::from("owned")), r#""owned""#);
    assert_eq!(compact(format_args!("{}\"{}", 1, 2)), r#""1\"2""#);
    assert_eq!(compact(Text::from(&b"a\xff\xe2\x82b\0junk"[..])), "\"a\u{fffd}\u{fffd}b\"");
    let mut out = String::new();
    let mut json = Json::new(&mut out);
    json.begin_array();
    json.null();
    json.display('"');
    json.bytes(b"x\x80");
    json.end_array();
    assert_eq!(out, "[null,\"\\\"\",\"x\u{fffd}\"]");
}

#[test]
fn a_long_list_can_be_written_out_between_two_values() {
    let (mut out, mut file) = (String::new(), String::new());
    let mut json = Json::new(&mut out);
    json.begin_array();
    for number in 0..3 {
        json.value(number);
        file.push_str(json.buffer());
        json.buffer().clear();
    }
    json.end_array();
    assert_eq!(file + &out, "[0,1,2]");
}

proptest! {
    #[test]
    #[cfg_attr(miri, ignore = "slow")]
    fn any_string_reads_back(text in any::<String>()) {
        let out = compact(text.as_str());
        prop_assert!(!out.chars().any(char::is_control));
        prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
    }

    #[test]
    #[cfg_attr(miri, ignore = "slow")]
    fn any_bytes_read_back_as_lossy_text(bytes in any::<Vec<u8>>()) {
        let mut out = String::new();
        Json::new(&mut out).bytes(&bytes);
        let read: String = serde_json::from_str(&out).unwrap();
        prop_assert_eq!(read, String::from_utf8_lossy(&bytes));
    }

    #[test]
    #[cfg_attr(miri, ignore = "slow")]
    fn any_object_reads_back(fields in btree_map(any::<String>(), any::<i64>(), 0..8)) {
        for pretty in [false, true] {
            let mut out = String::new();
            let mut json = if pretty { Json::pretty(&mut out) } else { Json::new(&mut out) };
            json.begin_object();
            for (key, value) in &fields {
                json.field(key, value);
            }
            json.end_object();
            let read: BTreeMap<String, i64> = serde_json::from_str(&out).unwrap();
            prop_assert_eq!(&read, &fields);
        }
    }
}
