//! The machine: runs a program as the kernel would.

use super::program::{AluKind, MEMORY, Op, Program, TestKind, operation};
use super::{FIND_ATTRIBUTE, FIND_NESTED, RANDOM, REJECT};

/// The mask of `nla_type`, without `NLA_F_NESTED` and `NLA_F_NET_BYTEORDER`.
const TYPE_MASK: u16 = 0x3fff;

/// The verdict of a program on a datagram: the number of bytes to keep, 0 to
/// drop it. The oracle for what the kernel does; random loads give 0.
pub fn run(program: &Program, packet: &[u8]) -> u32 {
    run_with_random(program, packet, || 0)
}

/// The same with a source for random loads.
pub fn run_with_random(program: &Program, packet: &[u8], mut random: impl FnMut() -> u32) -> u32 {
    let length = u32::try_from(packet.len()).unwrap_or(u32::MAX);
    let (mut a, mut x) = (0_u32, 0_u32);
    let mut memory = [0_u32; MEMORY];
    let mut next = 0_usize;
    // Ends: every jump leads forward, and the last instruction returns.
    while let Some(insn) = program.instructions().get(next) {
        let k = insn.k;
        next += 1;
        let Some((op, _)) = operation(insn.code) else { return REJECT };
        match op {
            Op::Load { width, indexed } => {
                let loaded = match (indexed, k) {
                    (false, FIND_ATTRIBUTE) => Some(find(packet, a, x)),
                    (false, FIND_NESTED) => Some(find_nested(packet, a, x)),
                    (false, RANDOM) => Some(random()),
                    (false, _) => load(packet, k, width),
                    (true, _) => load(packet, x.wrapping_add(k), width),
                };
                let Some(value) = loaded else { return REJECT };
                a = value;
            }
            Op::LoadImmediate => a = k,
            Op::LoadLength => a = length,
            Op::LoadMemory => a = memory.get(k as usize).copied().unwrap_or(0),
            Op::LoadXImmediate => x = k,
            Op::LoadXLength => x = length,
            Op::LoadXMemory => x = memory.get(k as usize).copied().unwrap_or(0),
            Op::LoadXNibble => match load(packet, k, 1) {
                Some(byte) => x = (byte & 0xf) * 4,
                None => return REJECT,
            },
            Op::Store | Op::StoreX => {
                if let Some(word) = memory.get_mut(k as usize) {
                    *word = if op == Op::Store { a } else { x };
                }
            }
            Op::Alu { kind, by_x } => match calculate(kind, a, if by_x { x } else { k }) {
                Some(value) => a = value,
                None => return REJECT,
            },
            Op::Negate => a = a.wrapping_neg(),
            Op::Jump => next += k as usize,
            Op::Test { kind, by_x } => {
                let holds = compare(kind, a, if by_x { x } else { k });
                next += usize::from(if holds { insn.jt } else { insn.jf });
            }
            Op::Return { a: false } => return k,
            Op::Return { a: true } => return a,
            Op::MoveToX => x = a,
            Op::MoveToA => a = x,
        }
    }
    REJECT
}

/// `width` bytes at `offset`, big-endian; `None` beyond the end.
fn load(packet: &[u8], offset: u32, width: u8) -> Option<u32> {
    let bytes = packet.get(offset as usize..)?.get(..width.into())?;
    Some(bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
}

/// `None` for a division by 0, which makes the program reject.
fn calculate(kind: AluKind, a: u32, b: u32) -> Option<u32> {
    Some(match kind {
        AluKind::Add => a.wrapping_add(b),
        AluKind::Sub => a.wrapping_sub(b),
        AluKind::Mul => a.wrapping_mul(b),
        AluKind::Div => return a.checked_div(b),
        AluKind::Mod => return a.checked_rem(b),
        AluKind::Or => a | b,
        AluKind::And => a & b,
        AluKind::Xor => a ^ b,
        AluKind::Lsh => a.wrapping_shl(b),
        AluKind::Rsh => a.wrapping_shr(b),
    })
}

fn compare(kind: TestKind, a: u32, b: u32) -> bool {
    match kind {
        TestKind::Equal => a == b,
        TestKind::Greater => a > b,
        TestKind::GreaterOrEqual => a >= b,
        TestKind::Set => a & b != 0,
    }
}

/// The header of an attribute at the start of `bytes`, if it fits in them:
/// length with the header, and type.
fn attribute(bytes: &[u8]) -> Option<(usize, u16)> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let (kind, _) = rest.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_ne_bytes(*length));
    let kind = u16::from_ne_bytes(*kind) & TYPE_MASK;
    (4..=bytes.len()).contains(&length).then_some((length, kind))
}

/// The offset of the attribute of type `wanted` in the series that starts at
/// `start`, or 0.
fn find(packet: &[u8], start: u32, wanted: u32) -> u32 {
    let mut offset = start as usize;
    while let Some((length, kind)) = packet.get(offset..).and_then(attribute) {
        if u32::from(kind) == wanted {
            return u32::try_from(offset).unwrap_or(0);
        }
        offset += length.next_multiple_of(4);
    }
    0
}

/// The offset of the attribute of type `wanted` inside the attribute at `outer`,
/// or 0.
fn find_nested(packet: &[u8], outer: u32, wanted: u32) -> u32 {
    let outer = outer as usize;
    let Some((length, _)) = packet.get(outer..).and_then(attribute) else { return 0 };
    let Some(inside) = packet.get(..outer + length) else { return 0 };
    u32::try_from(outer + 4).map_or(0, |start| find(inside, start, wanted))
}
