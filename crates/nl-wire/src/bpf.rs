//! Socket filters: programs of classic BPF (linux/filter.h) which the kernel
//! runs over each datagram before it is queued.
//!
//! An [`Assembler`] makes a [`Program`], `Socket::attach_filter` of nl-socket
//! installs it, and [`run`] gives the verdict without a kernel. Facts to know:
//!
//! - A filter sees the whole datagram once, from its first `nlmsghdr` on; also
//!   acks and dumps, which it must let pass if the socket needs them. So give
//!   event sockets filters and no others.
//! - The verdict is the number of bytes to keep: [`REJECT`] drops the datagram
//!   and counts nowhere, [`ACCEPT`] keeps all of it.
//! - A load beyond the end rejects.
//! - Loads are big-endian. Numbers in host order, such as the message type, must
//!   be compared with what [`host_u16`] and [`host_u32`] give.
//!
//! ```
//! use nl_wire::bpf::{self, ACCEPT, Assembler, REJECT};
//!
//! // Keep new flows (type 0x100) of which the mark (attribute 8) is 7.
//! let mut program = Assembler::new();
//! let (is_new, marked, no) = (program.label(), program.label(), program.label());
//! program.match_type(&[0x100], is_new, no);
//! program.bind(is_new);
//! program.match_u32(20, &[8], &[7], marked, no);
//! program.bind(marked);
//! program.ret(ACCEPT);
//! program.bind(no);
//! program.ret(REJECT);
//! let program = program.finish()?;
//! assert_eq!(bpf::run(&program, &[0; 28]), REJECT);
//! # Ok::<(), bpf::ProgramError>(())
//! ```

mod assembler;
mod machine;
mod program;

pub use assembler::{Alu, Assembler, Label, Test};
pub use machine::{run, run_with_random};
pub use program::{Insn, Program, ProgramError, Reason};

/// Verdict: keep the datagram whole.
pub const ACCEPT: u32 = u32::MAX;

/// Verdict: drop the datagram.
pub const REJECT: u32 = 0;

/// Offset of `nlmsg_type`, two bytes in host order.
pub const MESSAGE_TYPE: u32 = 4;

/// Offset of `nlmsg_flags`, two bytes in host order.
pub const MESSAGE_FLAGS: u32 = 6;

/// Length of an attribute's header: the payload starts so far behind it.
pub const ATTRIBUTE_HEADER: u32 = 4;

/// Where ancillary data starts among load offsets (`SKF_AD_OFF`, −4096).
const ANCILLARY: u32 = 0xffff_f000;

/// `SKF_AD_NLATTR`: load the offset of the attribute of type X at or after
/// offset A, 0 if there is none.
pub const FIND_ATTRIBUTE: u32 = ANCILLARY + 12;

/// `SKF_AD_NLATTR_NEST`: load the offset of the attribute of type X inside the
/// attribute at offset A, 0 if there is none.
pub const FIND_NESTED: u32 = ANCILLARY + 16;

/// `SKF_AD_RANDOM`: load a random number of 32 bits.
pub const RANDOM: u32 = ANCILLARY + 56;

/// What a load finds where the kernel wrote this `u16` in host order.
pub const fn host_u16(value: u16) -> u32 {
    value.to_be() as u32
}

/// What a load finds where the kernel wrote this `u32` in host order.
pub const fn host_u32(value: u32) -> u32 {
    value.to_be()
}
