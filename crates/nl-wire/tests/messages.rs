//! The walk, the writer and the listing against each other, on a protocol made up for the test.

use nl_wire::header::{HEADER_LEN, NLMSG_ERROR, align};
use nl_wire::listing::Listing;
use nl_wire::table::{Layout, Path, Protocol};
use nl_wire::value::Family;
use nl_wire::write;
use nl_wire::{
    Ack, Attr, Attrs, Errno, Error, Expected, Flags, Header, Message, Messages, Problem, RawAttr,
    Writer,
};
use proptest::prelude::*;

/// Every beginning of a message is tried; under Miri, some hundred times slower, a few.
const STEP: usize = if cfg!(miri) { 61 } else { 1 };

nl_wire::layouts! {
    static HEAD: "toymsg" { "family": U8; "": U8; "index": U16Be; }
    static HOP: "toyhop" { "len": U16; "flags": U8; "weight": U8; }
    static TIMES: "toytimes" { "used": U32; "age": U64; }
}

nl_wire::attributes! {
    static TOY: "TOY" {
        TOY_ADDRESS = 1: Ip;
        TOY_NEST = 2: Nest(&INNER);
        TOY_HOPS = 3: Records(&HOP, &TOY);
        TOY_KIND = 4: Text;
        TOY_DATA = 5: Choice { by: TOY_KIND, cases: &[(Key::Text("inner"), Nest(&INNER)), (Key::Text("number"), U32)] };
        TOY_LIST = 6: List(&Nest(&INNER));
        TOY_TIMES = 7: Struct(&TIMES);
        TOY_PEER = 8: Headed(&HEAD, &TOY);
    }
    static INNER: "TOYI" {
        TOYI_PORT = 1: U16Be;
        TOYI_DEEPER = 2: Nest(&INNER);
    }
}

nl_wire::protocol! {
    static PROTOCOL: Family::USERSOCK {
        TOY_NEW = 16: New, &HEAD, &TOY;
        TOY_GET = 18: Get, &HEAD, &TOY;
        TOY_BARE = 20: Get, Layout::NONE, &TOY;
    }
}

fn sample() -> Vec<u8> {
    let mut out = Vec::new();
    let header = Header {
        message_type: TOY_NEW,
        flags: Flags::REQUEST | Flags::CREATE,
        sequence: 5,
        ..Header::default()
    };
    write::message(&mut out, header, |w| {
        w.fixed(&[2, 0, 0, 9]);
        w.ip(TOY_ADDRESS, "192.0.2.1".parse().unwrap());
        w.nest(TOY_NEST, |w| {
            w.u16_be(TOYI_PORT, 443);
            w.nest(TOYI_DEEPER, |w| {
                w.u16_be(TOYI_PORT, 80);
                Ok(())
            })
        })?;
        w.nest_unflagged(TOY_HOPS, |w| {
            for last in [1, 2] {
                w.record(|w| {
                    w.unpadded(&[0, last]);
                    w.ip(TOY_ADDRESS, [198, 51, 100, last].into());
                    Ok(())
                })?;
            }
            Ok(())
        })?;
        w.nest(TOY_DATA, |w| {
            w.u16_be(TOYI_PORT, 22);
            Ok(())
        })?;
        w.text(TOY_KIND, b"inner")?;
        w.nest(TOY_LIST, |w| {
            w.nest(1, |w| {
                w.u16_be(TOYI_PORT, 1);
                Ok(())
            })
        })?;
        w.bytes(TOY_TIMES, &[0; 12])?;
        w.nest(TOY_PEER, |w| {
            w.fixed(&[10, 0, 0, 1]);
            w.ip(TOY_ADDRESS, "2001:db8::1".parse().unwrap());
            Ok(())
        })?;
        w.bytes(77, &[1, 2, 3])
    })
    .unwrap();
    out
}

fn one(bytes: &[u8]) -> Message<'_> {
    Message::decode(bytes).unwrap()
}

/// The bytes of an annotated hex text.
fn unhex(text: &str) -> Vec<u8> {
    text.lines()
        .flat_map(|line| line.split('#').next().unwrap_or_default().split_whitespace())
        .map(|pair| u8::from_str_radix(pair, 16).unwrap())
        .collect()
}

#[test]
fn a_listing_names_every_part() {
    let bytes = sample();
    let text = Listing::new(&one(&bytes), &PROTOCOL).to_string();
    assert_eq!(
        text,
        "\
TOY_NEW, 172 bytes, flags REQUEST|CREATE, sequence 5, port 0
    toymsg: family 2, index 9
    TOY_ADDRESS: 192.0.2.1
    TOY_NEST
        TOYI_PORT: 443
        TOYI_DEEPER
            TOYI_PORT: 80
    TOY_HOPS
        [0]
            toyhop: len 12, flags 0, weight 1
            TOY_ADDRESS: 198.51.100.1
        [1]
            toyhop: len 12, flags 0, weight 2
            TOY_ADDRESS: 198.51.100.2
    TOY_DATA
        TOYI_PORT: 22
    TOY_KIND: \"inner\"
    TOY_LIST
        attribute 1
            TOYI_PORT: 1
    TOY_TIMES: used 0, age 0
    TOY_PEER
        toymsg: family 10, index 1
        TOY_ADDRESS: 2001:db8::1
    attribute 77: 01 02 03
"
    );
}

#[test]
fn annotated_hex_is_the_message() {
    let bytes = sample();
    let text = Listing::new(&one(&bytes), &PROTOCOL).hex().to_string();
    assert_eq!(unhex(&text), bytes);
    assert!(text.contains("08 00 01 00  # TOY_ADDRESS, 8 bytes") || cfg!(target_endian = "big"));
}

#[test]
fn every_offset_resolves_to_the_attribute_around_it() {
    let bytes = sample();
    let at = |offset: usize| {
        let offset = u32::try_from(offset).unwrap();
        Path::locate(&PROTOCOL, &bytes, offset).map(|path| path.to_string())
    };
    assert_eq!(at(0), None);
    assert_eq!(at(19), None);
    assert_eq!(at(20).as_deref(), Some("TOY_ADDRESS"));
    assert_eq!(at(28).as_deref(), Some("TOY_NEST"));
    assert_eq!(at(32).as_deref(), Some("TOY_NEST/TOYI_PORT"));
    assert_eq!(at(44).as_deref(), Some("TOY_NEST/TOYI_DEEPER/TOYI_PORT"));
    assert_eq!(at(52).as_deref(), Some("TOY_HOPS"));
    assert_eq!(at(56).as_deref(), Some("TOY_HOPS[0]"));
    assert_eq!(at(60).as_deref(), Some("TOY_HOPS[0]/TOY_ADDRESS"));
    assert_eq!(at(72).as_deref(), Some("TOY_HOPS[1]/TOY_ADDRESS"));
    assert_eq!(at(84).as_deref(), Some("TOY_DATA/TOYI_PORT"));
    assert_eq!(at(bytes.len()), None);
    assert_eq!(at(usize::try_from(u32::MAX).unwrap()), None);
}

#[test]
fn truncated_anywhere_nothing_panics_and_whole_attributes_survive() {
    let bytes = sample();
    let whole = Attrs::new(&bytes[20..]).count();
    for end in (0..bytes.len()).step_by(STEP) {
        let cut = &bytes[..end];
        assert!(Messages::new(cut).all(|message| message.is_err()), "cut at {end}");
        // A message that states its true, shorter length is listed up to the damage.
        if end >= HEADER_LEN {
            let mut short = cut.to_vec();
            short[..4].copy_from_slice(&u32::try_from(end).unwrap().to_ne_bytes());
            let message = one(&short);
            let listing = Listing::new(&message, &PROTOCOL);
            assert!(!listing.to_string().is_empty());
            assert_eq!(unhex(&listing.hex().to_string()), short);
            let attrs = Attrs::new(message.body().get(4..).unwrap_or_default());
            let errors = attrs.clone().filter(Result::is_err).count();
            assert!(errors <= 1 && attrs.count() <= whole + errors);
        }
    }
}

#[test]
fn a_failed_nest_leaves_no_trace() {
    let mut out = Vec::new();
    write::message(&mut out, Header { message_type: TOY_BARE, ..Header::default() }, |w| {
        w.u32(9, 1);
        let failed = w.nest(TOY_NEST, |w| {
            w.u32(1, 7);
            w.text(TOYI_PORT, b"a\0b")
        });
        let expected = Error::at(Problem::Value, TOYI_PORT).within(TOY_NEST);
        assert_eq!(failed, Err(expected));
        assert_eq!(
            failed.unwrap_err().in_table(&TOY).to_string(),
            "TOY_NEST/TOYI_PORT: value out of range"
        );
        w.u32(10, 2);
        Ok(())
    })
    .unwrap();
    let numbers: Vec<_> = Attrs::new(one(&out).body()).map(|attr| attr.unwrap().number()).collect();
    assert_eq!(numbers, [9, 10]);

    let before = out.clone();
    let failed = write::message(&mut out, Header::default(), |w| {
        w.fixed(&[1, 2, 3, 4]);
        w.bytes(1, &vec![0; 65_532])
    });
    assert_eq!(failed, Err(Error::at(Problem::TooLong { length: 65_536 }, 1)));
    assert_eq!(out, before);

    // A nest may outgrow an attribute though each of its children fits.
    let failed = write::message(&mut out, Header::default(), |w| {
        w.nest(TOY_NEST, |w| (0..3).try_for_each(|_| w.bytes(1, &vec![0; 30_000])))
    });
    assert_eq!(failed.unwrap_err().path.in_table(&TOY).to_string(), "TOY_NEST");
    assert_eq!(out, before);
}

#[test]
fn padding_is_zero_in_a_dirty_buffer() {
    let mut out = vec![0xa5; 4096];
    out.truncate(3);
    write::message(&mut out, Header::default(), |w| {
        w.u8(1, 0xff);
        w.bytes(2, &[0xff; 5])
    })
    .unwrap();
    assert_eq!(out[3], 0);
    assert_eq!(out[4 + 16 + 5..4 + 16 + 8], [0; 3]);
    assert_eq!(out.len() % 4, 0);
    assert_eq!(out[out.len() - 3..], [0; 3]);
}

#[test]
fn getters_refuse_short_payloads_and_read_the_prefix_of_long_ones() {
    let payload = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    let attr = |length: usize| Attr { raw_type: 3 | 0x8000, payload: &payload[..length] };
    assert_eq!(attr(9).u32_be(), Ok(0x0102_0304));
    assert_eq!(attr(9).u64_be(), Ok(0x0102_0304_0506_0708));
    assert_eq!(attr(2).u16_be(), Ok(0x0102));
    let short = attr(3).u32().unwrap_err();
    let problem = Problem::PayloadLength { expected: Expected::AtLeast(4), actual: 3 };
    assert_eq!(short, Error::at(problem, 3));
    assert_eq!(short.to_string(), "3: 3 bytes, expected 4");
    assert_eq!(attr(3).ip().unwrap_err().to_string(), "3: 3 bytes, expected 4 or 16");
    assert!(attr(5).uint().is_err() && attr(4).uint().is_ok() && attr(8).sint().is_ok());
    assert_eq!(attr(0).text(), b"");
    assert!(attr(0).is_flagged_nested());
    assert_eq!(attr(0).number(), 3);
}

#[test]
fn lengths_that_lie_end_the_walk_with_one_error() {
    let message = |length: u32| {
        let mut bytes = Header { length, message_type: 16, ..Header::default() }.encode().to_vec();
        bytes.extend([0; 8]);
        bytes
    };
    for length in [0, 15, 25, u32::MAX] {
        let bytes = message(length);
        let mut walk = Messages::new(&bytes);
        assert!(matches!(
            walk.next(),
            Some(Err(Error { problem: Problem::MessageLength { .. }, .. }))
        ));
        assert!(walk.next().is_none() && walk.rest().is_empty());
    }
    for stated in [0_u16, 1, 3, 13, u16::MAX] {
        let mut bytes = stated.to_ne_bytes().to_vec();
        bytes.extend([1, 0, 9, 9, 9, 9, 9, 9, 9, 9]);
        let mut walk = Attrs::new(&bytes);
        assert!(walk.next().unwrap().is_err());
        assert!(walk.next().is_none());
    }
}

/// An ack as the kernel builds it.
fn ack(errno: i32, flags: Flags, request: &[u8], repeat: bool, tlvs: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let header = Header { message_type: NLMSG_ERROR, flags, sequence: 5, ..Header::default() };
    write::message(&mut out, header, |w| {
        w.unpadded(&errno.to_ne_bytes());
        w.fixed(if repeat { request } else { &request[..16] });
        w.unpadded(tlvs);
        Ok(())
    })
    .unwrap();
    out
}

#[test]
fn a_refusal_is_told_with_everything_the_kernel_says() {
    let request = sample();
    let mut tlvs = Vec::new();
    let mut w = Writer::attributes(&mut tlvs);
    w.text(1, b"port \x1b[31m is odd").unwrap();
    w.u32(2, 72);
    w.bytes(3, &[0xc0]).unwrap();
    w.nest(4, |w| {
        w.u32(1, 3);
        w.u64(4, 1);
        w.u64(5, 1023);
        Ok(())
    })
    .unwrap();
    w.u32(5, 2);
    w.u32(6, 28);
    for repeat in [true, false] {
        let flags = if repeat { Flags::ACK_TLVS } else { Flags::ACK_TLVS | Flags::CAPPED };
        let bytes = ack(-22, flags, &request, repeat, &tlvs);
        let ack = Ack::decode(&one(&bytes)).unwrap();
        assert_eq!(ack.errno, Errno::EINVAL);
        assert_eq!(ack.request.unwrap().message_type, TOY_NEW);
        assert_eq!(ack.repeated.len(), if repeat { request.len() - 16 } else { 0 });
        assert_eq!(ack.damage, None);
        let failure = ack.failure(&PROTOCOL, &request).unwrap();
        assert_eq!(
            failure.to_string(),
            "Invalid argument (EINVAL): port \\x1b[31m is odd, at TOY_HOPS[1]/TOY_ADDRESS, \
             expected U16, value 1 to 1023, missing TOY_NEST/TOYI_DEEPER"
        );
        assert_eq!(failure.cookie, [0xc0]);
        // However it is cut, the errno stands or the cut is told.
        for end in (16..bytes.len()).step_by(STEP) {
            let mut cut = bytes[..end].to_vec();
            cut[..4].copy_from_slice(&u32::try_from(end).unwrap().to_ne_bytes());
            let message = one(&cut);
            match Ack::decode(&message) {
                Ok(ack) => assert_eq!(ack.errno, Errno::EINVAL),
                Err(_) => assert!(end < 36),
            }
            assert!(!Listing::new(&message, &PROTOCOL).to_string().is_empty());
            assert_eq!(unhex(&Listing::new(&message, &PROTOCOL).hex().to_string()), cut);
        }
    }
}

#[test]
fn a_success_repeats_nothing_and_may_warn() {
    let request = sample();
    let mut tlvs = Vec::new();
    Writer::attributes(&mut tlvs).text(1, b"careful").unwrap();
    let bytes = ack(0, Flags::CAPPED | Flags::ACK_TLVS, &request, false, &tlvs);
    let ack = Ack::decode(&one(&bytes)).unwrap();
    assert_eq!(ack.errno, Errno(0));
    assert_eq!(ack.extended.message, Some(&b"careful"[..]));
    assert_eq!(ack.failure(&PROTOCOL, &request), None);
}

#[test]
fn unknown_attributes_keep_their_flag_bits() {
    let bytes = sample();
    let attr = Attrs::new(&bytes[20..]).nth(1).unwrap().unwrap();
    let raw = RawAttr::from(attr);
    assert_eq!(raw.as_attr(), attr);
    let mut out = Vec::new();
    Writer::attributes(&mut out).attr(&raw.as_attr()).unwrap();
    assert_eq!(out, &bytes[28..52]);
}

#[test]
fn unknown_protocols_are_listed_as_bytes() {
    let bytes = sample();
    let unknown = Protocol::unknown(Family::GENERIC);
    let text = Listing::new(&one(&bytes), &unknown).to_string();
    assert!(text.starts_with("message type 16, 172 bytes, flags REQUEST|CREATE, "), "{text}");
    assert_eq!(unhex(&Listing::new(&one(&bytes), &unknown).hex().to_string()), bytes);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 256 },
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for message in Messages::new(&bytes).flatten() {
            let _ = Ack::decode(&message);
            let _ = Listing::new(&message, &PROTOCOL).to_string();
        }
        let steps = Attrs::new(&bytes).count();
        prop_assert!(steps <= bytes.len() / 4 + 1);
    }

    /// Any bytes as attributes of a message: listed whole, and every byte accounted for.
    #[test]
    fn hex_accounts_for_every_byte(
        kind in prop_oneof![Just(2_u16), Just(3), Just(16), Just(18), Just(20), any::<u16>()],
        flags in any::<u16>(),
        noise in proptest::collection::vec((0_u16..12, any::<bool>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..6),
        tail in proptest::collection::vec(any::<u8>(), 0..5),
        offset in any::<u32>(),
    ) {
        let mut bytes = Vec::new();
        let header = Header { message_type: kind, flags: Flags(flags), ..Header::default() };
        write::message(&mut bytes, header, |w| {
            w.fixed(&[2, 0, 0, 0]);
            for (number, nested, payload) in &noise {
                w.bytes(number | if *nested { 0x8000 } else { 0 }, payload)?;
            }
            w.unpadded(&tail);
            Ok(())
        }).unwrap();
        let message = one(&bytes);
        let length = message.bytes.len();
        let text = Listing::new(&message, &PROTOCOL).hex().to_string();
        prop_assert_eq!(&unhex(&text), &bytes[..length]);
        let _ = Path::locate(&PROTOCOL, &bytes, offset % 256);
        prop_assert_eq!(align(length), bytes.len());
    }

    /// What is written is read again.
    #[test]
    fn written_attributes_are_read_again(
        attrs in proptest::collection::vec(
            (1_u16..0x4000, proptest::collection::vec(any::<u8>(), 0..70)), 0..20),
    ) {
        let mut out = Vec::new();
        write::message(&mut out, Header::default(), |w| {
            attrs.iter().try_for_each(|(number, payload)| w.bytes(*number, payload))
        }).unwrap();
        let read: Vec<_> = Attrs::new(one(&out).body())
            .map(|attr| attr.map(|attr| (attr.number(), attr.payload.to_vec())))
            .collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(read, attrs);
    }
}
