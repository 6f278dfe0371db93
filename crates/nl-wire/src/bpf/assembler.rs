//! An assembler with labels and the words that netlink filters need.

use alloc::vec::Vec;

use super::program::{Insn, Program, ProgramError, Reason};
use super::{ATTRIBUTE_HEADER, FIND_ATTRIBUTE, FIND_NESTED, MESSAGE_TYPE, RANDOM, host_u16};

/// A place in the program, bound once by [`Assembler::bind`], behind every jump
/// to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Label(usize);

/// How a jump compares the accumulator with a constant, without sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Test {
    /// A = k.
    Equal = 0x15,
    /// A > k.
    Greater = 0x25,
    /// A ≥ k.
    GreaterOrEqual = 0x35,
    /// A and k have a set bit in common.
    Set = 0x45,
}

/// Arithmetic on the accumulator and a constant, wrapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum Alu {
    /// A + k.
    Add = 0x04,
    /// A − k.
    Sub = 0x14,
    /// A × k.
    Mul = 0x24,
    /// A ÷ k, k not 0.
    Div = 0x34,
    /// A or k.
    Or = 0x44,
    /// A and k.
    And = 0x54,
    /// A shifted left by k below 32.
    Lsh = 0x64,
    /// A shifted right by k below 32.
    Rsh = 0x74,
    /// Remainder of A ÷ k, k not 0.
    Mod = 0x94,
    /// A exclusive-or k.
    Xor = 0xa4,
}

/// What was written down; jumps become instructions in [`Assembler::finish`].
#[derive(Debug, Clone, Copy)]
enum Item {
    Plain(Insn),
    Goto(Label),
    /// A conditional jump; `None` goes on with the next item.
    Branch {
        code: u16,
        k: u32,
        yes: Option<Label>,
        no: Option<Label>,
        far: Far,
    },
}

/// Which ways of a branch are too long for its 8 bits and lead over an
/// unconditional jump placed right behind it.
#[derive(Debug, Clone, Copy, Default)]
struct Far {
    yes: bool,
    no: bool,
}

impl Item {
    fn length(&self) -> usize {
        match self {
            Self::Branch { far, .. } => 1 + usize::from(far.yes) + usize::from(far.no),
            _ => 1,
        }
    }
}

/// Writes a program instruction by instruction.
///
/// "A" is the accumulator, "X" the index register; both start as 0.
#[derive(Debug, Clone, Default)]
pub struct Assembler {
    items: Vec<Item>,
    /// For each label the index of the item it stands before.
    labels: Vec<Option<usize>>,
}

impl Assembler {
    /// An empty program.
    pub fn new() -> Self {
        Self::default()
    }

    /// A new label, to be bound later.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Puts a label here. The first binding of a label counts; labels belong to
    /// the assembler which made them.
    pub fn bind(&mut self, label: Label) {
        if let Some(place) = self.labels.get_mut(label.0) {
            place.get_or_insert(self.items.len());
        }
    }

    /// Any instruction that is no jump.
    pub fn instruction(&mut self, insn: Insn) {
        self.items.push(Item::Plain(insn));
    }

    fn plain(&mut self, code: u16, k: u32) {
        self.instruction(Insn::new(code, k));
    }

    /// A = k.
    pub fn load(&mut self, k: u32) {
        self.plain(0x00, k);
    }

    /// A = the length of the datagram in bytes.
    pub fn load_length(&mut self) {
        self.plain(0x80, 0);
    }

    /// A = the byte at an offset.
    pub fn load_u8(&mut self, offset: u32) {
        self.plain(0x30, offset);
    }

    /// A = the two bytes at an offset, big-endian.
    pub fn load_u16(&mut self, offset: u32) {
        self.plain(0x28, offset);
    }

    /// A = the four bytes at an offset, big-endian.
    pub fn load_u32(&mut self, offset: u32) {
        self.plain(0x20, offset);
    }

    /// A = the byte at X + offset.
    pub fn load_u8_at_x(&mut self, offset: u32) {
        self.plain(0x50, offset);
    }

    /// A = the two bytes at X + offset, big-endian.
    pub fn load_u16_at_x(&mut self, offset: u32) {
        self.plain(0x48, offset);
    }

    /// A = the four bytes at X + offset, big-endian.
    pub fn load_u32_at_x(&mut self, offset: u32) {
        self.plain(0x40, offset);
    }

    /// A = a random number.
    pub fn load_random(&mut self) {
        self.plain(0x20, RANDOM);
    }

    /// X = k.
    pub fn load_x(&mut self, k: u32) {
        self.plain(0x01, k);
    }

    /// X = A.
    pub fn move_to_x(&mut self) {
        self.plain(0x07, 0);
    }

    /// A = X.
    pub fn move_to_a(&mut self) {
        self.plain(0x87, 0);
    }

    /// Puts A into a word of scratch memory, of which there are 16.
    pub fn store(&mut self, word: u32) {
        self.plain(0x02, word);
    }

    /// A = a word of scratch memory.
    pub fn load_memory(&mut self, word: u32) {
        self.plain(0x60, word);
    }

    /// A = the offset of the attribute of type X at or behind offset A, 0 if
    /// there is none. A must be where an attribute starts.
    pub fn find_attribute(&mut self) {
        self.plain(0x20, FIND_ATTRIBUTE);
    }

    /// A = the offset of the attribute of type X inside the attribute at offset
    /// A, 0 if there is none.
    pub fn find_nested(&mut self) {
        self.plain(0x20, FIND_NESTED);
    }

    /// A = A with k.
    pub fn alu(&mut self, operation: Alu, k: u32) {
        self.plain(operation as u16, k);
    }

    /// Ends with a verdict: the bytes to keep.
    pub fn ret(&mut self, keep: u32) {
        self.plain(0x06, keep);
    }

    /// Jumps.
    pub fn jump(&mut self, to: Label) {
        self.items.push(Item::Goto(to));
    }

    /// Jumps to `yes` if A and k pass the test, else to `no`; `None` goes on
    /// with the next instruction. Any distance is allowed.
    pub fn branch(&mut self, test: Test, k: u32, yes: Option<Label>, no: Option<Label>) {
        self.items.push(Item::Branch { code: test as u16, k, yes, no, far: Far::default() });
    }

    /// Jumps to `yes` if A is one of the values, else to `no`.
    pub fn match_values(&mut self, values: &[u32], yes: Label, no: Label) {
        for value in values {
            self.branch(Test::Equal, *value, Some(yes), None);
        }
        self.jump(no);
    }

    /// Jumps to `yes` if the (first) message's type is one of these, else to
    /// `no`.
    pub fn match_type(&mut self, types: &[u16], yes: Label, no: Label) {
        self.load_u16(MESSAGE_TYPE);
        for message_type in types {
            self.branch(Test::Equal, host_u16(*message_type), Some(yes), None);
        }
        self.jump(no);
    }

    /// Finds an attribute by its path of types: the first from offset `start`
    /// on (header and family header, 20 for nfnetlink), each further one inside
    /// the one before. Leaves its offset in A and X, jumps to `absent` if one
    /// step finds nothing.
    ///
    /// Only the first step looks on to the end of the datagram; the others stop
    /// where the outer attribute does.
    pub fn find_path(&mut self, start: u32, path: &[u16], absent: Label) {
        self.load(start);
        for (depth, attribute) in path.iter().enumerate() {
            self.load_x(u32::from(*attribute));
            if depth == 0 {
                self.find_attribute();
            } else {
                self.find_nested();
            }
            self.branch(Test::Equal, 0, Some(absent), None);
        }
        self.move_to_x();
    }

    /// Jumps to `yes` if the attribute's payload of one byte is one of these, to
    /// `no` if it is not, or absent.
    pub fn match_u8(&mut self, start: u32, path: &[u16], values: &[u8], yes: Label, no: Label) {
        self.find_path(start, path, no);
        self.load_u8_at_x(ATTRIBUTE_HEADER);
        let values: Vec<u32> = values.iter().copied().map(u32::from).collect();
        self.match_values(&values, yes, no);
    }

    /// The same for two bytes in network order.
    pub fn match_u16(&mut self, start: u32, path: &[u16], values: &[u16], yes: Label, no: Label) {
        self.find_path(start, path, no);
        self.load_u16_at_x(ATTRIBUTE_HEADER);
        let values: Vec<u32> = values.iter().copied().map(u32::from).collect();
        self.match_values(&values, yes, no);
    }

    /// The same for four bytes in network order; for numbers in host order give
    /// [`host_u32`](super::host_u32) of them.
    pub fn match_u32(&mut self, start: u32, path: &[u16], values: &[u32], yes: Label, no: Label) {
        self.find_path(start, path, no);
        self.load_u32_at_x(ATTRIBUTE_HEADER);
        self.match_values(values, yes, no);
    }

    /// Resolves the labels and checks the program.
    ///
    /// # Errors
    /// [`Reason::UnboundLabel`] or any other broken rule of [`Program::new`];
    /// the index counts finished instructions.
    pub fn finish(mut self) -> Result<Program, ProgramError> {
        // Each item takes an instruction at least: labels of what can't fit need no resolving.
        if self.items.len() > Program::INSTRUCTIONS_MAX {
            let reason = Reason::TooLong;
            return Err(ProgramError { index: Program::INSTRUCTIONS_MAX, reason });
        }
        // Widening one branch may push another beyond its reach, never back: so
        // this ends after as many rounds as there are branches at most.
        loop {
            let starts = self.starts();
            let mut widened = false;
            for (index, item) in self.items.iter_mut().enumerate() {
                let Item::Branch { yes, no, far, .. } = item else { continue };
                let from = starts[index] + 1;
                for (label, far) in [(*yes, &mut far.yes), (*no, &mut far.no)] {
                    let Some(label) = label else { continue };
                    let target = place(&self.labels, &starts, label, from)?;
                    if !*far && u8::try_from(target - from).is_err() {
                        *far = true;
                        widened = true;
                    }
                }
            }
            if !widened {
                return self.emit(&starts);
            }
        }
    }

    /// The index of the first instruction of each item, and of the end.
    fn starts(&self) -> Vec<usize> {
        let mut start = 0;
        let mut starts = Vec::with_capacity(self.items.len() + 1);
        for item in &self.items {
            starts.push(start);
            start += item.length();
        }
        starts.push(start);
        starts
    }

    fn emit(&self, starts: &[usize]) -> Result<Program, ProgramError> {
        let mut instructions = Vec::with_capacity(starts.last().copied().unwrap_or(0));
        for (index, item) in self.items.iter().enumerate() {
            match *item {
                Item::Plain(insn) => instructions.push(insn),
                Item::Goto(label) => {
                    let from = starts[index] + 1;
                    instructions.push(goto(place(&self.labels, starts, label, from)? - from));
                }
                Item::Branch { code, k, yes, no, far } => {
                    let from = starts[index] + 1;
                    let end = from + item.length() - 1;
                    let mut over = Vec::with_capacity(2);
                    let mut skip = |label: Option<Label>, far: bool| {
                        let target = match label {
                            None => end,
                            Some(label) => place(&self.labels, starts, label, from)?,
                        };
                        if !far {
                            return Ok(target - from);
                        }
                        let slot = over.len();
                        over.push(goto(target - (from + slot + 1)));
                        Ok(slot)
                    };
                    let (jt, jf) = (skip(yes, far.yes)?, skip(no, far.no)?);
                    // Both fit: `finish` has widened the others.
                    let near = |skip: usize| {
                        u8::try_from(skip).map_err(|_| ProgramError {
                            index: from - 1,
                            reason: Reason::JumpOutOfRange,
                        })
                    };
                    instructions.push(Insn { code, jt: near(jt)?, jf: near(jf)?, k });
                    instructions.extend(over);
                }
            }
        }
        Program::new(instructions)
    }
}

/// An unconditional jump, which reaches any instruction of any program.
fn goto(skip: usize) -> Insn {
    Insn::new(0x05, u32::try_from(skip).unwrap_or(u32::MAX))
}

/// Where a label leads: at `from`, the instruction behind the jump, or later.
fn place(
    labels: &[Option<usize>],
    starts: &[usize],
    label: Label,
    from: usize,
) -> Result<usize, ProgramError> {
    let item = labels.get(label.0).copied().flatten();
    let start = item.and_then(|item| starts.get(item).copied());
    start
        .filter(|start| *start >= from)
        .ok_or(ProgramError { index: from - 1, reason: Reason::UnboundLabel })
}
