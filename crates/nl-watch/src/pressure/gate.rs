//! Which events of flows pass: in the kernel as classic BPF, and here by the same arithmetic.

use std::hash::{BuildHasher as _, RandomState};
use std::io;

use nl_conntrack::tables::{
    CTA_ID, CTA_STATUS, IPCTNL_MSG_CT_DELETE, IPCTNL_MSG_CT_NEW, NFGENMSG_LEN,
};
use nl_conntrack::{Flow, Status};
use nl_socket::Socket;
use nl_socket::filter::{
    ACCEPT, ATTRIBUTE_HEADER, Alu, Assembler, Label, MESSAGE_TYPE, Program, ProgramError, REJECT,
    Test, host_u16,
};
use nl_wire::header::HEADER_LEN;

use super::breaker::{InvalidRate, cutoff};

/// Where the attributes of a flow's message start. Searches that start elsewhere find nothing.
#[allow(clippy::cast_possible_truncation)]
const ATTRIBUTES: u32 = (HEADER_LEN + NFGENMSG_LEN) as u32;

/// The golden ratio of 2³², odd: multiplying permutes the 32-bit numbers and spreads their low bits
/// over the high ones. Kernels before 5.2 make ids of addresses, whose low bits are alike.
const SPREAD: u32 = 0x9e37_79b1;

/// All 2³² values of a hash: a sample that takes everything.
const ALL: u64 = 1 << 32;

/// A sample of flows by their id.
///
/// The kernel's `CTA_ID` stays the same for the life of a flow and is in every event, whichever
/// direction the packet had: so a flow is in the sample with all its events or with none. Smaller
/// samples are parts of larger ones of the same key. 0 takes nothing, 1 takes everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlowSampler {
    key: u32,
    cutoff: u64,
}

impl FlowSampler {
    /// Takes everything. `key` decides which flows smaller samples take.
    pub const fn all(key: u32) -> Self {
        Self { key, cutoff: ALL }
    }

    /// The same sampler at another rate, rounded down to a multiple of 2⁻³².
    ///
    /// # Errors
    /// If the rate is not between 0 and 1.
    pub fn at(self, rate: f64) -> Result<Self, InvalidRate> {
        Ok(Self { cutoff: cutoff(rate)?, ..self })
    }

    /// The share of flows in the sample.
    #[allow(clippy::cast_precision_loss)]
    pub fn rate(&self) -> f64 {
        self.cutoff as f64 / ALL as f64
    }

    /// Whether a flow of this id is in the sample. One without an id can't be judged: only the
    /// empty sample does not take it.
    pub fn takes(&self, id: Option<u32>) -> bool {
        match id {
            Some(id) => u64::from((id ^ self.key).wrapping_mul(SPREAD)) < self.cutoff,
            None => self.cutoff > 0,
        }
    }
}

/// A condition on flows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gate {
    /// Only flows with a translated source or destination, by their status. The kernel reports the
    /// status in every event; a flow without one passes.
    pub nat_only: bool,
    /// A sample of these.
    pub sampler: FlowSampler,
}

impl Gate {
    /// Lets everything pass.
    pub const fn open(key: u32) -> Self {
        Self { nat_only: false, sampler: FlowSampler::all(key) }
    }

    /// Whether a flow passes: what the kernel does with the program of [`EventFilter`].
    pub fn passes(&self, flow: &Flow) -> bool {
        let translated = flow.status.is_none_or(|status| status.intersects(Status::NAT));
        (translated || !self.nat_only) && self.sampler.takes(flow.id)
    }

    /// Whether everything that passes `other`, of the same key, passes here.
    pub fn covers(&self, other: &Self) -> bool {
        (!self.nat_only || other.nat_only) && self.sampler.cutoff >= other.sampler.cutoff
    }

    /// The narrowest gate that covers both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        let cutoff = self.sampler.cutoff.max(other.sampler.cutoff);
        Self {
            nat_only: self.nat_only && other.nat_only,
            sampler: FlowSampler { cutoff, ..self.sampler },
        }
    }

    /// Writes the condition; jumps to one of the labels.
    fn assemble(&self, program: &mut Assembler, yes: Label, no: Label) {
        if self.sampler.cutoff == 0 {
            return program.jump(no);
        }
        if self.nat_only {
            let translated = program.label();
            program.find_path(ATTRIBUTES, &[CTA_STATUS], translated);
            program.load_u32_at_x(ATTRIBUTE_HEADER);
            program.branch(Test::Set, Status::NAT.0, None, Some(no));
            program.bind(translated);
        }
        // Everything would be 2³², which has no place in 32 bits.
        if let Ok(cutoff) = u32::try_from(self.sampler.cutoff) {
            program.find_path(ATTRIBUTES, &[CTA_ID], yes);
            program.load_u32_at_x(ATTRIBUTE_HEADER);
            program.alu(Alu::Xor, self.sampler.key);
            program.alu(Alu::Mul, SPREAD);
            program.branch(Test::GreaterOrEqual, cutoff, Some(no), Some(yes));
        } else {
            program.jump(yes);
        }
    }
}

/// Which events pass: one gate for beginnings and changes, one for ends.
///
/// Ends have a gate of their own because what was told to begin must be told to end: while the
/// first gate narrows, flows that came through it before are still alive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventFilter {
    /// For flows that appear or change.
    pub births: Gate,
    /// For flows that end; covers all that `births` let through while they lived.
    pub deaths: Gate,
}

impl EventFilter {
    /// Lets everything pass. The key decides which flows are sampled; two listeners with one key
    /// sample the same.
    pub const fn open(key: u32) -> Self {
        Self { births: Gate::open(key), deaths: Gate::open(key) }
    }

    /// Lets everything pass, with a random key.
    pub fn open_at_random() -> Self {
        let hash = RandomState::new().hash_one(());
        Self::open(u32::try_from(hash >> 32).unwrap_or_default())
    }

    /// The filter as a program for an event socket. What is no event of a flow passes.
    ///
    /// # Errors
    /// None that a filter could give.
    pub fn program(&self) -> Result<Program, ProgramError> {
        let mut program = Assembler::new();
        let [birth, death, pass, drop] = std::array::from_fn(|_| program.label());
        program.load_u16(MESSAGE_TYPE);
        program.branch(Test::Equal, host_u16(IPCTNL_MSG_CT_NEW), Some(birth), None);
        program.branch(Test::Equal, host_u16(IPCTNL_MSG_CT_DELETE), Some(death), Some(pass));
        program.bind(birth);
        self.births.assemble(&mut program, pass, drop);
        program.bind(death);
        self.deaths.assemble(&mut program, pass, drop);
        program.bind(pass);
        // Whole: a shorter length would cut the datagram.
        program.ret(ACCEPT);
        program.bind(drop);
        program.ret(REJECT);
        program.finish()
    }

    /// Puts the filter in the place of the one that an open socket has. What is queued stays, and
    /// nothing is lost in between.
    ///
    /// # Errors
    /// As [`Socket::attach_filter`].
    pub fn attach(&self, socket: &Socket) -> io::Result<()> {
        let program = self.program().map_err(io::Error::other)?;
        socket.attach_filter(&program)
    }
}
