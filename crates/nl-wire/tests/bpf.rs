//! Classic BPF: what the check refuses, where jumps arrive, listings. The machine is compared with
//! the kernel in nl-socket, which has sockets to attach programs to.

use nl_wire::bpf::{
    ACCEPT, Alu, Assembler, Insn, Program, REJECT, Reason, Test, host_u16, host_u32, run,
};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 3 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Long lists of values need branches over branches over their limit.
    #[test]
    fn long_lists_match(
        values in prop::collection::btree_set(any::<u16>(), 0..if cfg!(miri) { 40 } else { 700 }),
        probes in prop::collection::vec(any::<u16>(), 20),
    ) {
        let list: Vec<u32> = values.iter().copied().map(u32::from).collect();
        let mut program = Assembler::new();
        let (yes, no) = (program.label(), program.label());
        program.load_u16(0);
        program.match_values(&list, yes, no);
        program.bind(no);
        program.ret(REJECT);
        program.bind(yes);
        program.ret(ACCEPT);
        let program = program.finish().unwrap();
        for probe in probes.iter().chain(values.iter()) {
            let verdict = run(&program, &probe.to_be_bytes());
            prop_assert_eq!(verdict == ACCEPT, values.contains(probe));
        }
    }

    /// Whatever the instructions are, nothing panics, and what passes the check
    /// ends.
    #[test]
    fn no_instructions_panic(
        raw in prop::collection::vec(any::<(u16, u8, u8, u32)>(), 0..20),
        bytes in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let insns = raw.into_iter().map(|(code, jt, jf, k)| Insn { code, jt, jf, k }).collect();
        match Program::new(insns) {
            Ok(program) => { run(&program, &bytes); program.to_string(); }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}

#[test]
fn wrong_programs_are_refused_with_the_place() {
    let ret = Insn::new(0x06, 0);
    let branch = |jt, jf| Insn { code: 0x15, jt, jf, k: 0 };
    let cases = [
        (vec![], 0, Reason::Empty),
        (vec![ret; 4097], 4096, Reason::TooLong),
        (vec![ret, Insn::new(0x00, 1)], 1, Reason::NoReturn),
        (vec![Insn::new(0xff, 0), ret], 0, Reason::UnknownOperation(0xff)),
        (vec![branch(0, 0), branch(1, 0), ret], 1, Reason::JumpOutOfRange),
        (vec![branch(0, 255), ret], 0, Reason::JumpOutOfRange),
        (vec![Insn::new(0x05, u32::MAX), ret], 0, Reason::JumpOutOfRange),
        (vec![Insn::new(0x34, 0), ret], 0, Reason::BadConstant(0)),
        (vec![Insn::new(0x64, 32), ret], 0, Reason::BadConstant(32)),
        (vec![Insn::new(0x02, 16), ret], 0, Reason::NoSuchMemory(16)),
        (vec![Insn::new(0x60, 3), ret], 0, Reason::UninitialisedMemory(3)),
        // One of two ways to the load has written nothing.
        (
            vec![branch(1, 0), Insn::new(0x02, 1), Insn::new(0x60, 1), ret],
            2,
            Reason::UninitialisedMemory(1),
        ),
        (vec![Insn::new(0x20, 0xffff_f000), ret], 0, Reason::NoSuchAncillary(0xffff_f000)),
    ];
    for (insns, index, reason) in cases {
        let error = Program::new(insns).unwrap_err();
        assert_eq!((error.index, error.reason), (index, reason));
    }
    assert!(Program::new(vec![ret; 4096]).is_ok());
}

#[test]
fn labels_must_be_bound_behind_their_jumps() {
    let mut never = Assembler::new();
    let label = never.label();
    never.load(1);
    never.jump(label);
    let error = never.finish().unwrap_err();
    assert_eq!((error.index, error.reason), (1, Reason::UnboundLabel));

    let mut backwards = Assembler::new();
    let label = backwards.label();
    backwards.bind(label);
    backwards.branch(Test::Equal, 0, Some(label), None);
    backwards.ret(ACCEPT);
    assert_eq!(backwards.finish().unwrap_err().reason, Reason::UnboundLabel);
}

#[test]
fn a_listing_names_operations_and_targets() {
    let mut program = Assembler::new();
    let (yes, no) = (program.label(), program.label());
    program.load_u16(4);
    program.branch(Test::Equal, 0x100, None, Some(no));
    program.find_path(20, &[8], no);
    program.load_u32_at_x(4);
    program.alu(Alu::And, 0xff);
    program.load_random();
    program.branch(Test::GreaterOrEqual, 7, Some(yes), Some(no));
    program.bind(yes);
    program.ret(ACCEPT);
    program.bind(no);
    program.ret(REJECT);
    let listing = program.finish().unwrap().to_string();
    let expected = "   0 ldh [4]
   1 jeq #0x100 then 2 else 12
   2 ld #0x14
   3 ldx #0x8
   4 ld attribute
   5 jeq #0x0 then 12 else 6
   6 tax
   7 ld [x + 4]
   8 and #0xff
   9 ld random
  10 jge #0x7 then 11 else 12
  11 ret #0xffffffff
  12 ret #0x0
";
    assert_eq!(listing, expected);
}

#[test]
fn host_order_numbers_are_seen_big_endian() {
    let mut program = Assembler::new();
    let (yes, no) = (program.label(), program.label());
    program.load_u16(0);
    program.branch(Test::Equal, host_u16(0x1234), None, Some(no));
    program.load_u32(2);
    program.branch(Test::Equal, host_u32(0x1234_5678), Some(yes), Some(no));
    program.bind(yes);
    program.ret(ACCEPT);
    program.bind(no);
    program.ret(REJECT);
    let mut packet = 0x1234_u16.to_ne_bytes().to_vec();
    packet.extend(0x1234_5678_u32.to_ne_bytes());
    assert_eq!(run(&program.finish().unwrap(), &packet), ACCEPT);
}
