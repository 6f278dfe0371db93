//! Laws of nl-wire's classic BPF.

use std::cell::RefCell;

use nl_socket::{Ring, Socket, Wait};
use nl_wire::attr::{ATTR_HEADER_LEN, Attrs};
use nl_wire::bpf::{
    self, ACCEPT, Alu, Assembler, Insn, Program, ProgramError, REJECT, Reason, Test,
};
use nl_wire::header::HEADER_LEN;
use nl_wire::value::Family;
use socket2::{SockFilter, SockRef};

use crate::Script;

/// Operations that the check accepts, so that random programs get through it.
const CODES: [u16; 46] = [
    0x00, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x60, 0x80, 0x01, 0x61, 0x81, 0xb1, 0x02, 0x03, 0x84,
    0x05, 0x06, 0x16, 0x07, 0x87, 0x15, 0x25, 0x35, 0x45, 0x1d, 0x2d, 0x3d, 0x4d, 0x04, 0x14, 0x24,
    0x34, 0x44, 0x54, 0x64, 0x74, 0x94, 0xa4, 0x0c, 0x1c, 0x2c, 0x3c, 0x6c, 0x7c, 0x9c,
];

/// A program that the check often accepts.
fn instructions(script: &mut Script<'_>) -> Vec<Insn> {
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
    instructions
}

/// Any program that the check accepts runs to a verdict, the same one behind a jump to its start;
/// its listing has a line for each instruction.
pub fn filter(bytes: &[u8]) {
    let mut script = Script(bytes);
    let mut instructions = instructions(&mut script);
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

/// What the assembler makes of blocks and labels does what these say, however far apart the labels
/// are.
///
/// Each block has straight operations, some many times so that jumps get long, and ends with a
/// branch to later blocks.
pub fn assembler(bytes: &[u8]) {
    let mut script = Script(bytes);
    let packet = [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0];
    let count = 1 + script.below(8);
    let blocks: Vec<Block> =
        (0..count).map(|index| Block::read(&mut script, index, count)).collect();

    let mut assembler = Assembler::new();
    let labels: Vec<_> = blocks.iter().map(|_| assembler.label()).collect();
    for (block, label) in blocks.iter().zip(&labels) {
        assembler.bind(*label);
        for _ in 0..block.times {
            block.operations.iter().for_each(|operation| operation.assemble(&mut assembler));
        }
        let label = |target: usize| labels.get(target).copied();
        match block.end {
            Ending::Return(keep) => assembler.ret(keep),
            Ending::ReturnA => assembler.instruction(Insn::new(0x16, 0)),
            Ending::Jump(to) => assembler.jump(labels[to]),
            Ending::Branch(test, k, yes, no) => {
                assembler.branch(test, k, yes.and_then(label), no.and_then(label));
            }
        }
    }
    let expected = Machine::run(&blocks, &packet);
    match assembler.finish() {
        Ok(program) => assert_eq!(bpf::run(&program, &packet), expected, "\n{program}"),
        Err(error) => {
            // An operation and a branch take three instructions at most.
            let length = |block: &Block| 3 * (block.times * block.operations.len() + 1);
            let longest: usize = blocks.iter().map(length).sum();
            assert!(
                longest > Program::INSTRUCTIONS_MAX && error.reason == Reason::TooLong,
                "{error}"
            );
        }
    }
}

#[derive(Debug)]
struct Block {
    operations: Vec<Operation>,
    times: usize,
    end: Ending,
}

#[derive(Debug)]
enum Ending {
    Return(u32),
    ReturnA,
    Jump(usize),
    Branch(Test, u32, Option<usize>, Option<usize>),
}

#[derive(Debug)]
enum Operation {
    Load(u32),
    LoadX(u32),
    Packet {
        width: usize,
        offset: u32,
        indexed: bool,
    },
    Length,
    Swap {
        to_x: bool,
    },
    Alu(Alu, u32),
    /// Stored, something else loaded, and loaded again: so nothing is read before it is written.
    Memory(u32),
}

const ALU: [Alu; 10] = [
    Alu::Add,
    Alu::Sub,
    Alu::Mul,
    Alu::Div,
    Alu::Or,
    Alu::And,
    Alu::Lsh,
    Alu::Rsh,
    Alu::Mod,
    Alu::Xor,
];
const TESTS: [Test; 4] = [Test::Equal, Test::Greater, Test::GreaterOrEqual, Test::Set];

impl Block {
    fn read(script: &mut Script<'_>, index: usize, count: usize) -> Self {
        let operations = (0..script.below(4)).map(|_| Operation::read(script)).collect();
        let times = script.pick(&[1, 1, 1, 2, 70, 255, 256, 600]);
        let later = |script: &mut Script<'_>| index + 1 + script.below((count - index - 1).max(1));
        let end = match script.below(6) {
            _ if index + 1 == count => Ending::Return(script.number()),
            0 => Ending::Return(script.number()),
            1 => Ending::ReturnA,
            2 => Ending::Jump(later(script)),
            _ => {
                let (test, k) = (script.pick(&TESTS), script.number());
                Ending::Branch(test, k, script.maybe(later), script.maybe(later))
            }
        };
        Self { operations, times, end }
    }
}

impl Operation {
    fn read(script: &mut Script<'_>) -> Self {
        match script.below(8) {
            0 => Self::Load(script.number()),
            1 => Self::LoadX(u32::from(script.byte().unwrap_or_default() % 16)),
            2 | 3 => Self::Packet {
                width: script.pick(&[1, 2, 4]),
                offset: u32::from(script.byte().unwrap_or_default() % 12),
                indexed: script.flip(),
            },
            4 => Self::Length,
            5 => Self::Swap { to_x: script.flip() },
            6 => Self::Memory(u32::from(script.byte().unwrap_or_default() % 16)),
            _ => {
                let kind = script.pick(&ALU);
                let k = match kind {
                    Alu::Lsh | Alu::Rsh => script.number() % 32,
                    Alu::Div | Alu::Mod => script.number().max(1),
                    _ => script.number(),
                };
                Self::Alu(kind, k)
            }
        }
    }

    fn assemble(&self, assembler: &mut Assembler) {
        match *self {
            Self::Load(k) => assembler.load(k),
            Self::LoadX(k) => assembler.load_x(k),
            Self::Packet { width: 1, offset, indexed: false } => assembler.load_u8(offset),
            Self::Packet { width: 2, offset, indexed: false } => assembler.load_u16(offset),
            Self::Packet { offset, indexed: false, .. } => assembler.load_u32(offset),
            Self::Packet { width: 1, offset, .. } => assembler.load_u8_at_x(offset),
            Self::Packet { width: 2, offset, .. } => assembler.load_u16_at_x(offset),
            Self::Packet { offset, .. } => assembler.load_u32_at_x(offset),
            Self::Length => assembler.load_length(),
            Self::Swap { to_x: true } => assembler.move_to_x(),
            Self::Swap { to_x: false } => assembler.move_to_a(),
            Self::Alu(kind, k) => assembler.alu(kind, k),
            Self::Memory(word) => {
                assembler.store(word);
                assembler.load(77);
                assembler.load_memory(word);
            }
        }
    }
}

/// What blocks mean.
#[derive(Default)]
struct Machine {
    a: u32,
    x: u32,
}

impl Machine {
    fn run(blocks: &[Block], packet: &[u8]) -> u32 {
        let mut machine = Self::default();
        let mut index = 0;
        while let Some(block) = blocks.get(index) {
            for _ in 0..block.times {
                for operation in &block.operations {
                    if machine.step(operation, packet).is_none() {
                        return REJECT;
                    }
                }
            }
            index = match block.end {
                Ending::Return(keep) => return keep,
                Ending::ReturnA => return machine.a,
                Ending::Jump(to) => to,
                Ending::Branch(test, k, yes, no) => {
                    let holds = match test {
                        Test::Equal => machine.a == k,
                        Test::Greater => machine.a > k,
                        Test::GreaterOrEqual => machine.a >= k,
                        Test::Set => machine.a & k != 0,
                    };
                    if holds { yes } else { no }.unwrap_or(index + 1)
                }
            };
        }
        unreachable!("the last block returns")
    }

    /// `None` if a load leaves the packet.
    fn step(&mut self, operation: &Operation, packet: &[u8]) -> Option<()> {
        match *operation {
            Operation::Load(k) => self.a = k,
            Operation::LoadX(k) => self.x = k,
            Operation::Packet { width, offset, indexed } => {
                // The sum wraps, as in the kernel.
                let from = offset.wrapping_add(if indexed { self.x } else { 0 }) as usize;
                let bytes = packet.get(from..from.checked_add(width)?)?;
                self.a = bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
            }
            Operation::Length => self.a = u32::try_from(packet.len()).ok()?,
            Operation::Swap { to_x: true } => self.x = self.a,
            Operation::Swap { to_x: false } => self.a = self.x,
            Operation::Alu(kind, k) => {
                self.a = match kind {
                    Alu::Add => self.a.wrapping_add(k),
                    Alu::Sub => self.a.wrapping_sub(k),
                    Alu::Mul => self.a.wrapping_mul(k),
                    Alu::Div => self.a / k,
                    Alu::Or => self.a | k,
                    Alu::And => self.a & k,
                    Alu::Lsh => self.a << k,
                    Alu::Rsh => self.a >> k,
                    Alu::Mod => self.a % k,
                    Alu::Xor => self.a ^ k,
                }
            }
            Operation::Memory(_) => {}
        }
        Some(())
    }
}

/// The running kernel accepts the programs that the check accepts, refuses those that it refuses,
/// and lets through of a datagram what the machine says.
pub fn filter_kernel(bytes: &[u8]) {
    let mut script = Script(bytes);
    let instructions = instructions(&mut script);
    let packet = script.bytes(512);
    KERNEL.with_borrow_mut(|kernel| {
        // Where there is no netlink to be had, there is nothing to compare.
        let Some(kernel) = kernel else { return };
        let raw: Vec<_> = instructions
            .iter()
            .map(|insn| SockFilter::new(insn.code, insn.jt, insn.jf, insn.k))
            .collect();
        let attached = SockRef::from(&kernel.to).attach_filter(&raw);
        match Program::new(instructions) {
            Ok(program) => {
                attached.unwrap_or_else(|error| panic!("the kernel: {error}\n{program}"));
                let random = |insn: &Insn| insn.k == bpf::RANDOM && insn.code & 0x67 == 0x20;
                if !packet.is_empty() && !program.instructions().iter().any(random) {
                    let kept = usize::try_from(bpf::run(&program, packet)).unwrap_or(usize::MAX);
                    assert_eq!(kernel.send(packet), kept.min(packet.len()), "\n{program}");
                }
            }
            // Stricter than the kernel: what has no meaning for netlink.
            Err(ProgramError { reason: Reason::NoSuchAncillary(_), .. }) => {}
            Err(error) => assert!(attached.is_err(), "the kernel takes it: {error}"),
        }
    });
}

/// Two sockets: what one sends goes through the filter of the other.
struct Kernel {
    from: Socket,
    to: Socket,
    ring: Ring,
}

thread_local! {
    static KERNEL: RefCell<Option<Kernel>> = RefCell::new(Kernel::open());
}

impl Kernel {
    fn open() -> Option<Self> {
        let open = || Socket::open(Family::USERSOCK.0).ok();
        Some(Self { from: open()?, to: open()?, ring: Ring::new(1, 4096) })
    }

    /// How many bytes get through.
    fn send(&mut self, packet: &[u8]) -> usize {
        self.from.send_to(packet, self.to.port(), 0).expect("a datagram to ourselves");
        match self.ring.receive(&self.to, Wait::Never) {
            Ok(_) => self.ring.datagram(0).map_or(0, |datagram| datagram.length),
            Err(_) => 0,
        }
    }
}
