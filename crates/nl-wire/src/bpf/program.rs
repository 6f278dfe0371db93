//! Instructions, the check of a program, and its listing.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::{FIND_ATTRIBUTE, FIND_NESTED, RANDOM};

/// One instruction: `struct sock_filter` of linux/filter.h.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Insn {
    /// Operation (`BPF_*` of `linux/bpf_common.h`).
    pub code: u16,
    /// Instructions to skip when a test holds.
    pub jt: u8,
    /// Instructions to skip when a test fails.
    pub jf: u8,
    /// Operand.
    pub k: u32,
}

impl Insn {
    /// An instruction that does not jump.
    pub const fn new(code: u16, k: u32) -> Self {
        Self { code, jt: 0, jf: 0, k }
    }
}

/// What an operation does. The machine, the check and the listing share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    /// Load from the packet, `width` bytes at k (`indexed`: at X + k).
    Load {
        width: u8,
        indexed: bool,
    },
    /// A = k, A = length.
    LoadImmediate,
    LoadLength,
    LoadMemory,
    /// X = k, X = length, X = M\[k\], X = 4 × (low half of the byte at k).
    LoadXImmediate,
    LoadXLength,
    LoadXMemory,
    LoadXNibble,
    Store,
    StoreX,
    /// A = A op k, or op X.
    Alu {
        kind: AluKind,
        by_x: bool,
    },
    Negate,
    Jump,
    /// Compare A with k, or X.
    Test {
        kind: TestKind,
        by_x: bool,
    },
    /// Return k, or A.
    Return {
        a: bool,
    },
    MoveToX,
    MoveToA,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AluKind {
    Add,
    Sub,
    Mul,
    Div,
    Or,
    And,
    Lsh,
    Rsh,
    Mod,
    Xor,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TestKind {
    Equal,
    Greater,
    GreaterOrEqual,
    Set,
}

const ALU: [(u16, AluKind, &str); 10] = [
    (0x00, AluKind::Add, "add"),
    (0x10, AluKind::Sub, "sub"),
    (0x20, AluKind::Mul, "mul"),
    (0x30, AluKind::Div, "div"),
    (0x40, AluKind::Or, "or"),
    (0x50, AluKind::And, "and"),
    (0x60, AluKind::Lsh, "lsh"),
    (0x70, AluKind::Rsh, "rsh"),
    (0x90, AluKind::Mod, "mod"),
    (0xa0, AluKind::Xor, "xor"),
];

const TESTS: [(u16, TestKind, &str); 4] = [
    (0x10, TestKind::Equal, "jeq"),
    (0x20, TestKind::Greater, "jgt"),
    (0x30, TestKind::GreaterOrEqual, "jge"),
    (0x40, TestKind::Set, "jset"),
];

/// Every operation that is neither arithmetic nor a test.
const OTHERS: [(u16, Op, &str); 19] = [
    (0x00, Op::LoadImmediate, "ld"),
    (0x20, Op::Load { width: 4, indexed: false }, "ld"),
    (0x28, Op::Load { width: 2, indexed: false }, "ldh"),
    (0x30, Op::Load { width: 1, indexed: false }, "ldb"),
    (0x40, Op::Load { width: 4, indexed: true }, "ld"),
    (0x48, Op::Load { width: 2, indexed: true }, "ldh"),
    (0x50, Op::Load { width: 1, indexed: true }, "ldb"),
    (0x60, Op::LoadMemory, "ld"),
    (0x80, Op::LoadLength, "ld"),
    (0x01, Op::LoadXImmediate, "ldx"),
    (0x61, Op::LoadXMemory, "ldx"),
    (0x81, Op::LoadXLength, "ldx"),
    (0xb1, Op::LoadXNibble, "ldxb"),
    (0x02, Op::Store, "st"),
    (0x03, Op::StoreX, "stx"),
    (0x84, Op::Negate, "neg"),
    (0x05, Op::Jump, "ja"),
    (0x06, Op::Return { a: false }, "ret"),
    (0x16, Op::Return { a: true }, "ret"),
];

/// The class of an operation, its low three bits.
const CLASS: u16 = 0x07;
const CLASS_ALU: u16 = 0x04;
const CLASS_JUMP: u16 = 0x05;
const CLASS_MISC: u16 = 0x07;
/// Set where the operand is X instead of k.
const BY_X: u16 = 0x08;

/// The operation of a code and its name; `None` for what the kernel refuses.
pub(super) fn operation(code: u16) -> Option<(Op, &'static str)> {
    if let Some((_, op, name)) = OTHERS.iter().find(|(number, ..)| *number == code) {
        return Some((*op, name));
    }
    let (class, by_x, action) = (code & CLASS, code & BY_X != 0, code & !(CLASS | BY_X));
    match class {
        CLASS_ALU => ALU
            .iter()
            .find(|(number, ..)| *number == action)
            .map(|&(_, kind, name)| (Op::Alu { kind, by_x }, name)),
        CLASS_JUMP => TESTS
            .iter()
            .find(|(number, ..)| *number == action)
            .map(|&(_, kind, name)| (Op::Test { kind, by_x }, name)),
        CLASS_MISC if code == CLASS_MISC => Some((Op::MoveToX, "tax")),
        CLASS_MISC if code == CLASS_MISC | 0x80 => Some((Op::MoveToA, "txa")),
        _ => None,
    }
}

/// Words of scratch memory.
pub(super) const MEMORY: usize = 16;

/// A program that the kernel will accept (and that makes sense for netlink).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    instructions: Vec<Insn>,
}

/// Why a program is refused, and at which instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgramError {
    /// Index of the instruction.
    pub index: usize,
    /// What is wrong with it.
    pub reason: Reason,
}

/// What is wrong with a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// There is no instruction.
    Empty,
    /// More than 4,096 instructions.
    TooLong,
    /// No such operation.
    UnknownOperation(u16),
    /// A jump beyond the end.
    JumpOutOfRange,
    /// Division by the constant 0, or a shift by 32 or more.
    BadConstant(u32),
    /// Scratch memory has 16 words.
    NoSuchMemory(u32),
    /// A word of scratch memory is read which not every way to here has written.
    UninitialisedMemory(u32),
    /// Ancillary data, or an offset from a link or network header, that netlink
    /// datagrams do not have.
    NoSuchAncillary(u32),
    /// The last instruction is no return.
    NoReturn,
    /// A label of the assembler was bound nowhere, or before the jump to it:
    /// classic BPF jumps forward only.
    UnboundLabel,
}

impl Program {
    /// Most instructions of a program (`BPF_MAXINSNS`).
    pub const INSTRUCTIONS_MAX: usize = 4096;

    /// Checks a program by the kernel's rules.
    ///
    /// # Errors
    /// The first broken rule. Two are stricter than the kernel's: ancillary data
    /// and header offsets without meaning for netlink are refused.
    pub fn new(instructions: Vec<Insn>) -> Result<Self, ProgramError> {
        let length = instructions.len();
        let wrong = |index, reason| Err(ProgramError { index, reason });
        if length > Self::INSTRUCTIONS_MAX {
            return wrong(Self::INSTRUCTIONS_MAX, Reason::TooLong);
        }
        // For each instruction the words of memory which every way to it has
        // written. All jumps lead forward, so one pass knows all ways.
        let mut written_before = vec![u16::MAX; length];
        let mut written = 0_u16;
        for (index, insn) in instructions.iter().enumerate() {
            let Some((op, _)) = operation(insn.code) else {
                return wrong(index, Reason::UnknownOperation(insn.code));
            };
            written &= written_before[index];
            let mut jump_by = |skip: usize, written: u16| {
                let target = index.saturating_add(1).saturating_add(skip);
                let entry = written_before.get_mut(target);
                entry
                    .map(|before| *before &= written)
                    .ok_or(ProgramError { index, reason: Reason::JumpOutOfRange })
            };
            match op {
                Op::Load { indexed: false, .. }
                    if insn.k > i32::MAX as u32
                        && ![FIND_ATTRIBUTE, FIND_NESTED, RANDOM].contains(&insn.k) =>
                {
                    return wrong(index, Reason::NoSuchAncillary(insn.k));
                }
                Op::Alu { kind: AluKind::Div | AluKind::Mod, by_x: false } if insn.k == 0 => {
                    return wrong(index, Reason::BadConstant(insn.k));
                }
                Op::Alu { kind: AluKind::Lsh | AluKind::Rsh, by_x: false } if insn.k >= 32 => {
                    return wrong(index, Reason::BadConstant(insn.k));
                }
                Op::LoadMemory | Op::LoadXMemory | Op::Store | Op::StoreX => {
                    let bit = 1_u16
                        .checked_shl(insn.k)
                        .ok_or(ProgramError { index, reason: Reason::NoSuchMemory(insn.k) })?;
                    if matches!(op, Op::Store | Op::StoreX) {
                        written |= bit;
                    } else if written & bit == 0 {
                        return wrong(index, Reason::UninitialisedMemory(insn.k));
                    }
                }
                Op::Jump => {
                    jump_by(insn.k as usize, written)?;
                    written = u16::MAX;
                }
                Op::Test { .. } => {
                    jump_by(insn.jt.into(), written)?;
                    jump_by(insn.jf.into(), written)?;
                    written = u16::MAX;
                }
                _ => {}
            }
        }
        match instructions.last().map(|last| operation(last.code)) {
            None => wrong(0, Reason::Empty),
            Some(Some((Op::Return { .. }, _))) => Ok(Self { instructions }),
            Some(_) => wrong(length - 1, Reason::NoReturn),
        }
    }

    /// The instructions.
    pub fn instructions(&self) -> &[Insn] {
        &self.instructions
    }
}

/// One line an instruction: its number, name, operand, and for jumps the numbers
/// of the instructions they lead to.
impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, insn) in self.instructions.iter().enumerate() {
            let Some((op, name)) = operation(insn.code) else { continue };
            let k = insn.k;
            write!(f, "{index:4} {name}")?;
            match op {
                Op::Load { indexed: false, .. } => match k {
                    FIND_ATTRIBUTE => f.write_str(" attribute"),
                    FIND_NESTED => f.write_str(" nested attribute"),
                    RANDOM => f.write_str(" random"),
                    _ => write!(f, " [{k}]"),
                },
                Op::Load { indexed: true, .. } => write!(f, " [x + {k}]"),
                Op::LoadImmediate
                | Op::LoadXImmediate
                | Op::Alu { by_x: false, .. }
                | Op::Test { by_x: false, .. }
                | Op::Return { a: false } => write!(f, " #{k:#x}"),
                Op::LoadMemory | Op::LoadXMemory | Op::Store | Op::StoreX => {
                    write!(f, " m[{k}]")
                }
                Op::LoadLength | Op::LoadXLength => f.write_str(" length"),
                Op::LoadXNibble => write!(f, " 4*([{k}]&0xf)"),
                Op::Alu { by_x: true, .. } | Op::Test { by_x: true, .. } => f.write_str(" x"),
                Op::Jump => write!(f, " {}", index + 1 + k as usize),
                Op::Return { a: true } => f.write_str(" a"),
                Op::Negate | Op::MoveToX | Op::MoveToA => Ok(()),
            }?;
            if let Op::Test { .. } = op {
                let (yes, no) = (usize::from(insn.jt), usize::from(insn.jf));
                write!(f, " then {} else {}", index + 1 + yes, index + 1 + no)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "filter instruction {}: ", self.index)?;
        match self.reason {
            Reason::Empty => f.write_str("there is none"),
            Reason::TooLong => f.write_str("more than 4096"),
            Reason::UnknownOperation(code) => write!(f, "no operation {code:#x}"),
            Reason::JumpOutOfRange => f.write_str("a jump beyond the end"),
            Reason::BadConstant(k) => write!(f, "cannot divide or shift by {k}"),
            Reason::NoSuchMemory(k) => write!(f, "no memory word {k}"),
            Reason::UninitialisedMemory(k) => write!(f, "memory word {k} read before written"),
            Reason::NoSuchAncillary(k) => write!(f, "no ancillary data {k:#x} in netlink"),
            Reason::NoReturn => f.write_str("the last one must return"),
            Reason::UnboundLabel => f.write_str("a jump to a label not bound behind it"),
        }
    }
}

impl core::error::Error for ProgramError {}
