//! Filters: the machine against recorded verdicts and against the kernel.

mod socket_common;

use std::collections::BTreeMap;

use nl_socket::filter::{
    self, ACCEPT, Alu, Assembler, FIND_ATTRIBUTE, FIND_NESTED, Insn, Program, RANDOM, REJECT, Test,
    run,
};
use nl_socket::{Ring, Socket, Wait};
use nl_testkit::{Rng, parse_hex};
use serde_json::Value;

use socket_common::*;

/// Programs, the conntrack messages they were run over, and the verdicts of a
/// kernel.
const RECORDED: &str = include_str!("fixtures/filters.json");

struct Recorded {
    messages: BTreeMap<String, Vec<u8>>,
    programs: Vec<(String, Program, Vec<Value>)>,
    searches: Vec<Value>,
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

fn recorded() -> Recorded {
    let file: Value = serde_json::from_str(RECORDED).unwrap();
    let insn = |insn: &Value| Insn {
        code: u16::try_from(number(&insn[0])).unwrap(),
        jt: u8::try_from(number(&insn[1])).unwrap(),
        jf: u8::try_from(number(&insn[2])).unwrap(),
        k: number(&insn[3]),
    };
    let program = |entry: &Value| {
        let insns = entry["insns"].as_array().unwrap().iter().map(insn).collect();
        let id = entry["id"].as_str().unwrap().to_owned();
        (id, Program::new(insns).unwrap(), entry["cases"].as_array().unwrap().clone())
    };
    let message =
        |(name, hex): (&String, &Value)| (name.clone(), parse_hex(hex.as_str().unwrap()).unwrap());
    Recorded {
        messages: file["messages"].as_object().unwrap().iter().map(message).collect(),
        programs: file["programs"].as_array().unwrap().iter().map(program).collect(),
        searches: file["searches"].as_array().unwrap().clone(),
    }
}

/// Two sockets: what one sends to the other goes through the other's filter.
struct Pair {
    from: Socket,
    to: Socket,
    ring: Ring,
}

impl Pair {
    fn new() -> Self {
        let (from, to) = (Socket::open(USERSOCK).unwrap(), Socket::open(USERSOCK).unwrap());
        Self { from, to, ring: Ring::new(2, 4096) }
    }

    /// How many bytes of the packet the kernel lets through.
    fn send(&mut self, packet: &[u8]) -> usize {
        self.from.send_to(packet, self.to.port(), 0).unwrap();
        match self.ring.receive(&self.to, Wait::Never) {
            Ok(1) => self.ring.datagram(0).unwrap().length,
            Ok(more) => panic!("{more} datagrams"),
            Err(_) => 0,
        }
    }

    /// Attaches the program and compares kernel and machine.
    fn agree(&mut self, program: &Program, packets: &[Vec<u8>]) {
        self.to.attach_filter(program).unwrap();
        for packet in packets {
            let verdict = usize::try_from(run(program, packet)).unwrap();
            let kept = verdict.min(packet.len());
            assert_eq!(self.send(packet), kept, "{packet:x?}\n{program}");
        }
    }
}

/// Compares kernel and machine, where there is a kernel.
fn agree(program: &Program, packets: &[Vec<u8>]) {
    if !cfg!(miri) {
        Pair::new().agree(program, packets);
    }
}

/// The messages are of a little-endian machine.
#[cfg(target_endian = "little")]
#[test]
fn the_machine_agrees_with_recorded_verdicts() {
    let recorded = recorded();
    let mut count = 0;
    for (id, program, cases) in &recorded.programs {
        for case in cases {
            let verdict = match case["message"].as_str() {
                Some(name) => run(program, &recorded.messages[name]),
                None => filter::run_with_random(program, &[0; 16], || number(&case["rand"])),
            };
            assert_eq!(verdict, number(&case["verdict"]), "{id}, {case}\n{program}");
            count += 1;
        }
    }
    assert!(count > 150, "{count}");
}

#[cfg(target_endian = "little")]
#[test]
#[cfg_attr(miri, ignore = "no kernel")]
fn searches_find_what_the_kernel_finds() {
    let recorded = recorded();
    let mut pair = Pair::new();
    for search in &recorded.searches {
        let packet = &recorded.messages[search["message"].as_str().unwrap()];
        for step in search["steps"].as_array().unwrap() {
            let mut program = Assembler::new();
            program.load(number(&step["a"]));
            program.load_x(number(&step["x"]));
            match step["load"].as_str() {
                Some("NLATTR") => program.find_attribute(),
                _ => program.find_nested(),
            }
            program.instruction(Insn::new(0x16, 0)); // ret a
            let program = program.finish().unwrap();
            assert_eq!(run(&program, packet), number(&step["result"]), "{step}");
            pair.agree(&program, std::slice::from_ref(packet));
        }
    }
}

#[cfg(target_endian = "little")]
#[test]
#[cfg_attr(miri, ignore = "no kernel")]
fn the_kernel_agrees_on_recorded_programs() {
    let recorded = recorded();
    let mut pair = Pair::new();
    let packets: Vec<_> = recorded.messages.values().cloned().collect();
    for (_, program, _) in recorded.programs.iter().filter(|(id, ..)| !id.starts_with("sampler")) {
        pair.agree(program, &packets);
    }
}

/// A packet of attributes, some nested, some of wrong length, behind 20 bytes.
fn packet(rng: &mut Rng) -> Vec<u8> {
    let mut bytes = rng.bytes(20);
    for _ in 0..rng.below(6) {
        let kind = u16::try_from(rng.below(5)).unwrap() | [0, 0x8000, 0x4000][rng.below(3)];
        let mut payload = rng.bytes_below(12);
        for _ in 0..rng.below(3) {
            let kind = u16::try_from(rng.below(5)).unwrap();
            payload.resize(payload.len().next_multiple_of(4), 0);
            payload.extend(attribute(kind, &rng.bytes_below(8)));
        }
        bytes.extend(attribute(kind, &payload));
    }
    if rng.one_in(3) {
        let length = rng.below(bytes.len()) + 1;
        bytes.truncate(length);
    }
    if rng.one_in(3) {
        let place = rng.below(bytes.len());
        bytes[place] = rng.bytes(1)[0];
    }
    bytes
}

trait BytesBelow {
    fn bytes_below(&mut self, limit: usize) -> Vec<u8>;
}

impl BytesBelow for Rng {
    fn bytes_below(&mut self, limit: usize) -> Vec<u8> {
        let length = self.below(limit);
        self.bytes(length)
    }
}

/// Operations the kernel knows, by code, without the jumps.
const STRAIGHT: [u16; 41] = [
    0x00, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, 0x01, 0x61, 0x81, 0xb1, 0x02, 0x03, 0x04,
    0x14, 0x24, 0x34, 0x44, 0x54, 0x64, 0x74, 0x94, 0xa4, 0x0c, 0x1c, 0x2c, 0x3c, 0x4c, 0x5c, 0x6c,
    0x7c, 0x9c, 0xac, 0x84, 0x07, 0x87, 0x20, 0x20, 0x00,
];
const BRANCHES: [u16; 8] = [0x15, 0x25, 0x35, 0x45, 0x1d, 0x2d, 0x3d, 0x4d];

fn any_program(rng: &mut Rng) -> Vec<Insn> {
    let length = rng.below(24) + 1;
    let small = |rng: &mut Rng| u32::try_from(rng.below(40)).unwrap();
    (0..length)
        .map(|index| {
            if index + 1 == length || rng.one_in(12) {
                return Insn::new([0x06, 0x16][rng.below(2)], small(rng));
            }
            let left = length - index - 1;
            if rng.one_in(4) {
                let skip = |rng: &mut Rng| u8::try_from(rng.below(left)).unwrap();
                let (jt, jf) = (skip(rng), skip(rng));
                return Insn { code: *rng.pick(&BRANCHES), jt, jf, k: small(rng) };
            }
            if rng.one_in(12) {
                return Insn::new(0x05, u32::try_from(rng.below(left)).unwrap());
            }
            let code = *rng.pick(&STRAIGHT);
            let k = match (code, rng.below(6)) {
                (0x20 | 0x28 | 0x30, 0) => FIND_ATTRIBUTE,
                (0x20 | 0x28 | 0x30, 1) => FIND_NESTED,
                (0x00 | 0x01 | 0x04..=0x5f | 0x90.., 2) => rng.next_u32(),
                _ => small(rng),
            };
            Insn::new(code, k)
        })
        .collect()
}

#[test]
#[cfg_attr(miri, ignore = "no kernel")]
fn kernel_and_machine_agree_on_random_programs() {
    let (mut rng, mut pair) = (Rng::new(61), Pair::new());
    let (mut programs, mut kept, mut cut) = (0, 0, 0);
    while programs < 3000 {
        let Ok(program) = Program::new(any_program(&mut rng)) else { continue };
        let packets: Vec<_> = (0..6).map(|_| packet(&mut rng)).collect();
        for packet in &packets {
            match usize::try_from(run(&program, packet)).unwrap() {
                0 => {}
                verdict if verdict < packet.len() => cut += 1,
                _ => kept += 1,
            }
        }
        pair.agree(&program, &packets);
        programs += 1;
    }
    assert!(kept > 1000 && cut > 1000, "kept {kept}, cut {cut} of {programs} × 6");
}

#[test]
#[cfg_attr(miri, ignore = "no kernel")]
fn kernel_and_machine_agree_on_searches() {
    let (mut rng, mut pair) = (Rng::new(63), Pair::new());
    let mut found = 0;
    for _ in 0..500 {
        let mut program = Assembler::new();
        let (yes, no) = (program.label(), program.label());
        let path: Vec<u16> =
            (0..=rng.below(3)).map(|_| u16::try_from(rng.below(5)).unwrap()).collect();
        program.find_path(20, &path, no);
        program.load_u8_at_x(filter::ATTRIBUTE_HEADER);
        program.branch(Test::Set, 1, Some(yes), Some(no));
        program.bind(yes);
        program.ret(ACCEPT);
        program.bind(no);
        program.ret(REJECT);
        let program = program.finish().unwrap();
        let packets: Vec<_> = (0..10).map(|_| packet(&mut rng)).collect();
        found += packets.iter().filter(|packet| run(&program, packet) == ACCEPT).count();
        pair.agree(&program, &packets);
    }
    assert!(found > 100, "{found}");
}

/// A message of one type with a mark (attribute 8) and a nest 1 → 2 → 3.
fn sample(kind: u16, mark: u32, port: u16, protocol: u8) -> Vec<u8> {
    let inner = [attribute(3, &port.to_be_bytes()), attribute(1, &[protocol])].concat();
    let nest = attribute(0x8001, &attribute(0x8002, &inner));
    let body = [vec![0; 4], nest, attribute(8, &mark.to_be_bytes())].concat();
    message(kind, 0, &body)
}

#[test]
fn matches_by_type_and_attribute() {
    let verdicts = |build: &dyn Fn(&mut Assembler, filter::Label, filter::Label)| {
        let mut program = Assembler::new();
        let (yes, no) = (program.label(), program.label());
        build(&mut program, yes, no);
        program.bind(yes);
        program.ret(ACCEPT);
        program.bind(no);
        program.ret(REJECT);
        let program = program.finish().unwrap();
        let packets = [
            sample(0x100, 7, 22, 6),
            sample(0x102, 7, 443, 6),
            sample(0x100, 9, 53, 17),
            message(0x100, 0, &[0; 4]),
        ];
        agree(&program, &packets);
        packets.map(|packet| run(&program, &packet) == ACCEPT)
    };
    let (y, n) = (true, false);
    assert_eq!(verdicts(&|p, yes, no| p.match_type(&[0x100], yes, no)), [y, n, y, y]);
    assert_eq!(verdicts(&|p, yes, no| p.match_type(&[0x101, 0x102], yes, no)), [n, y, n, n]);
    assert_eq!(verdicts(&|p, yes, no| p.match_type(&[], yes, no)), [n, n, n, n]);
    assert_eq!(verdicts(&|p, yes, no| p.match_u32(20, &[8], &[7], yes, no)), [y, y, n, n]);
    assert_eq!(verdicts(&|p, yes, no| p.match_u8(20, &[1, 2, 1], &[17], yes, no)), [n, n, y, n]);
    assert_eq!(
        verdicts(&|p, yes, no| p.match_u16(20, &[1, 2, 3], &[22, 443], yes, no)),
        [y, y, n, n]
    );
    // Inside the nest there is no mark, though one follows it.
    assert_eq!(verdicts(&|p, yes, no| p.match_u32(20, &[1, 8], &[7], yes, no)), [n, n, n, n]);
    // Conditions chain: type, then attribute.
    let both = |p: &mut Assembler, yes, no| {
        let of_type = p.label();
        p.match_type(&[0x100], of_type, no);
        p.bind(of_type);
        p.match_u32(20, &[8], &[7], yes, no);
    };
    assert_eq!(verdicts(&both), [y, n, n, n]);
}

#[test]
fn jumps_of_any_length_arrive() {
    let gaps: &[u32] =
        if cfg!(miri) { &[254, 255, 256] } else { &[0, 1, 253, 254, 255, 256, 257, 600, 4000] };
    for &gap in gaps {
        let mut program = Assembler::new();
        let (far, farther) = (program.label(), program.label());
        program.load_u16(0);
        program.branch(Test::Equal, 1, Some(far), None);
        program.branch(Test::Greater, 2, None, Some(farther));
        for _ in 0..gap {
            program.alu(Alu::Add, 1);
        }
        program.instruction(Insn::new(0x16, 0));
        program.bind(far);
        program.ret(100_000);
        program.bind(farther);
        program.ret(200_000);
        let program = program.finish().unwrap();
        for (value, verdict) in [(0_u16, 200_000), (1, 100_000), (2, 200_000), (9, 9 + gap)] {
            assert_eq!(run(&program, &value.to_be_bytes()), verdict, "gap {gap}");
        }
        let packets: Vec<_> = (0..10_u8).map(|n| vec![0, n]).collect();
        agree(&program, &packets);
    }
}

#[test]
#[cfg_attr(miri, ignore = "no kernel")]
fn filters_are_replaced_detached_and_locked() {
    let mut pair = Pair::new();
    let keep = |bytes| Program::new(vec![Insn::new(0x06, bytes)]).unwrap();
    assert_eq!(pair.send(b"123456"), 6);
    pair.to.attach_filter(&keep(4)).unwrap();
    assert_eq!(pair.send(b"123456"), 4);
    pair.to.attach_filter(&keep(REJECT)).unwrap();
    assert_eq!(pair.send(b"123456"), 0);
    assert_eq!(pair.to.drops().unwrap(), 0, "what a filter refuses is not counted");
    pair.to.detach_filter().unwrap();
    assert_eq!(pair.send(b"123456"), 6);
    assert_eq!(pair.to.detach_filter().unwrap_err().raw_os_error(), Some(2), "ENOENT");
    pair.to.attach_filter(&keep(5)).unwrap();
    pair.to.lock_filter().unwrap();
    assert_eq!(pair.to.detach_filter().unwrap_err().raw_os_error(), Some(1), "EPERM");
    assert_eq!(pair.to.attach_filter(&keep(6)).unwrap_err().raw_os_error(), Some(1), "EPERM");
    assert_eq!(pair.send(b"123456"), 5);
    let longest = Program::new(vec![Insn::new(0x06, 1); Program::INSTRUCTIONS_MAX]).unwrap();
    pair.from.attach_filter(&longest).unwrap();
}

#[test]
#[cfg_attr(miri, ignore = "no kernel")]
fn a_sampler_keeps_its_share() {
    let mut program = Assembler::new();
    let no = program.label();
    program.load_random();
    program.branch(Test::GreaterOrEqual, 1 << 30, Some(no), None);
    program.ret(ACCEPT);
    program.bind(no);
    program.ret(REJECT);
    let program = program.finish().unwrap();
    assert_eq!(program.instructions()[0].k, RANDOM);
    let mut pair = Pair::new();
    pair.to.attach_filter(&program).unwrap();
    let kept = (0..4000).filter(|_| pair.send(b"x") == 1).count();
    // A quarter; six standard deviations are 164.
    assert!((836..1164).contains(&kept), "{kept}");
    let mut rng = Rng::new(1);
    let kept = (0..4000)
        .filter(|_| filter::run_with_random(&program, b"x", || rng.next_u32()) == ACCEPT)
        .count();
    assert!((836..1164).contains(&kept), "{kept}");
}
