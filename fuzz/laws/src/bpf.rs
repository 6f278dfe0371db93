//! Laws of nl-wire's classic BPF.

use nl_wire::attr::{ATTR_HEADER_LEN, Attrs};
use nl_wire::bpf::{self, ACCEPT, Assembler, Insn, Program, REJECT};
use nl_wire::header::HEADER_LEN;

use crate::Script;

/// Operations that the check accepts, so that random programs get through it.
const CODES: [u16; 46] = [
    0x00, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, 0x01, 0x61, 0x81, 0xb1, 0x02, 0x03, 0x84,
    0x05, 0x06, 0x16, 0x07, 0x87, 0x15, 0x25, 0x35, 0x45, 0x1d, 0x2d, 0x3d, 0x4d, 0x04, 0x14, 0x24,
    0x34, 0x44, 0x54, 0x64, 0x74, 0x94, 0xa4, 0x0c, 0x1c, 0x2c, 0x3c, 0x6c, 0x7c, 0x9c,
];

/// Any program that the check accepts runs to a verdict, the same one behind a jump to its start;
/// its listing has a line for each instruction.
pub fn filter(bytes: &[u8]) {
    let mut script = Script(bytes);
    let count = usize::from(script.byte().unwrap_or_default() % 64);
    let mut instructions = Vec::new();
    for _ in 0..count {
        let Some([code, jt, jf, k]) = script.array() else { break };
        let code = CODES.get(usize::from(code)).copied().unwrap_or_else(|| u16::from(code));
        let (k, jt, jf) = match k {
            0xfb => (bpf::FIND_ATTRIBUTE, 0, 0),
            0xfc => (bpf::FIND_NESTED, 0, 0),
            0xfd => (bpf::RANDOM, jt, jf),
            0xfe => ((1 << 31) - 1 - u32::from(jt), 0, 0),
            0xff => (u32::MAX - u32::from(jt), 0, 0),
            k => (u32::from(k), jt % 16, jf % 16),
        };
        instructions.push(Insn { code, jt, jf, k });
    }
    let packet = script.0;
    let program = match Program::new(instructions.clone()) {
        Ok(program) => program,
        Err(error) => {
            assert!(error.index <= instructions.len());
            assert!(!error.to_string().contains('\n'));
            return;
        }
    };
    assert_eq!(program.instructions(), instructions);
    assert_eq!(program.to_string().lines().count(), instructions.len());
    let verdict = bpf::run(&program, packet);
    instructions.insert(0, Insn::new(0x05, 0));
    let behind = Program::new(instructions).expect("a jump to the next instruction is harmless");
    assert_eq!(bpf::run(&behind, packet), verdict);
}

/// A filter that the assembler makes for an attribute keeps exactly the datagrams in which the walk
/// of attributes finds it.
///
/// The first bytes say what to look for: one or two numbers, and where values differ.
pub fn filter_match(bytes: &[u8]) {
    let mut script = Script(bytes);
    let Some([depth, outer, inner, flip]) = script.array::<4>() else { return };
    let packet = script.0;
    let start = HEADER_LEN + 4;
    let path = [u16::from(outer % 32), u16::from(inner % 16)];
    let path = &path[..=usize::from(depth % 2)];

    let found = find(packet, start, path);
    let payload = found.and_then(|at| packet.get(at + ATTR_HEADER_LEN..));
    let value =
        payload.and_then(|payload| payload.first_chunk::<4>()).map(|b| u32::from_be_bytes(*b));
    // Half of the runs look for the value that is there.
    let wanted = value.unwrap_or_default() ^ u32::from(flip & 1);
    // Enough other values to make the jumps long.
    let mut values = vec![!wanted; usize::from(flip) * 2];
    values.push(wanted);

    let mut assembler = Assembler::new();
    let (yes, no) = (assembler.label(), assembler.label());
    assembler.match_u32(u32::try_from(start).unwrap_or_default(), path, &values, yes, no);
    assembler.bind(yes);
    assembler.ret(ACCEPT);
    assembler.bind(no);
    assembler.ret(REJECT);
    let program = assembler.finish().expect("a program");
    let expected = if value.is_some_and(|value| values.contains(&value)) { ACCEPT } else { REJECT };
    assert_eq!(bpf::run(&program, packet), expected, "{path:?} in\n{program}");
}

/// Where in `packet` the attribute of this path begins.
fn find(packet: &[u8], start: usize, path: &[u16]) -> Option<usize> {
    let (wanted, deeper) = path.split_first()?;
    let mut attrs = Attrs::new(packet.get(start..)?);
    loop {
        let at = packet.len() - attrs.rest().len();
        let attr = attrs.next()?.ok()?;
        if attr.number() != *wanted {
            continue;
        }
        if deeper.is_empty() {
            return Some(at);
        }
        let inside = packet.get(..at + ATTR_HEADER_LEN + attr.payload.len())?;
        return find(inside, at + ATTR_HEADER_LEN, deeper);
    }
}
