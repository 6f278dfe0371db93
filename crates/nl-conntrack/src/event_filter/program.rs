//! From a plan to instructions.

use nl_wire::Flags;
use nl_wire::bpf::{
    ACCEPT, ATTRIBUTE_HEADER, Alu, Assembler, Label, MESSAGE_FLAGS, MESSAGE_TYPE, REJECT, Test,
    host_u16,
};
use nl_wire::header::HEADER_LEN;
use nl_wire::value::AddressFamily;

use super::End;
use super::plan::{Check, Field, Group, Node, kind_number};
use super::share::SPREAD;
use crate::event::EventKind;
use crate::tables::{
    CTA_ID, CTA_IP_V4_DST, CTA_IP_V4_SRC, CTA_IP_V6_DST, CTA_IP_V6_SRC, CTA_MARK,
    CTA_PROTO_DST_PORT, CTA_PROTO_NUM, CTA_PROTO_SRC_PORT, CTA_PROTOINFO, CTA_PROTOINFO_DCCP,
    CTA_PROTOINFO_DCCP_STATE, CTA_PROTOINFO_SCTP, CTA_PROTOINFO_SCTP_STATE, CTA_PROTOINFO_TCP,
    CTA_PROTOINFO_TCP_STATE, CTA_STATUS, CTA_TUPLE_IP, CTA_TUPLE_ORIG, CTA_TUPLE_PROTO,
    CTA_TUPLE_REPLY, CTA_TUPLE_ZONE, CTA_ZONE, IPCTNL_MSG_CT_DELETE, IPCTNL_MSG_CT_NEW,
    NFGENMSG_LEN,
};

/// Offset of `nfgen_family`, one byte.
#[allow(clippy::cast_possible_truncation)]
const FAMILY: u32 = HEADER_LEN as u32;

/// Offset of the first attribute. Searches that start elsewhere find nothing.
#[allow(clippy::cast_possible_truncation)]
const ATTRIBUTES: u32 = (HEADER_LEN + NFGENMSG_LEN) as u32;

/// The program of a plan.
pub(super) fn assemble(plan: &Group) -> Assembler {
    let mut program = Assembler::new();
    let [judge, accept, reject] = core::array::from_fn(|_| program.label());
    program.load_u16(MESSAGE_TYPE);
    program.branch(Test::Equal, host_u16(IPCTNL_MSG_CT_NEW), Some(judge), None);
    program.branch(Test::Equal, host_u16(IPCTNL_MSG_CT_DELETE), Some(judge), Some(accept));
    program.bind(judge);
    group(&mut program, plan, accept, reject);
    program.bind(accept);
    program.ret(ACCEPT);
    program.bind(reject);
    program.ret(REJECT);
    program
}

/// Asks the nodes in turn, until the answer is known. Plans are as deep as a description may be.
fn group(program: &mut Assembler, plan: &Group, yes: Label, no: Label) {
    let Some((last, others)) = plan.nodes.split_last() else {
        return program.jump(if plan.all { yes } else { no });
    };
    for other in others {
        let next = program.label();
        if plan.all {
            node(program, other, next, no);
        } else {
            node(program, other, yes, next);
        }
        program.bind(next);
    }
    node(program, last, yes, no);
}

fn node(program: &mut Assembler, node: &Node, yes: Label, no: Label) {
    match node {
        Node::Group(plan) => group(program, plan, yes, no),
        Node::Check(plan) if plan.wanted => check(program, plan, yes, no),
        Node::Check(plan) => check(program, plan, no, yes),
    }
}

/// Jumps to `yes` if the field is in the set.
fn check(program: &mut Assembler, plan: &Check, yes: Label, no: Label) {
    let state = |protocol, state| [CTA_PROTOINFO, protocol, state];
    let [one, two, four]: [Load; 3] =
        [Assembler::load_u8_at_x, Assembler::load_u16_at_x, Assembler::load_u32_at_x];
    match plan.field {
        Field::Kind => return kind(program, plan, yes, no),
        Field::Address(end) => return address(program, end, plan, yes, no),
        Field::Family => program.load_u8(FAMILY),
        Field::Random => program.load_random(),
        Field::Status => number(program, &[&[CTA_STATUS]], four, Ok(0)),
        Field::Mark => number(program, &[&[CTA_MARK]], four, Ok(0)),
        Field::Sample(key) => {
            // Of a flow without an id the hash is 0.
            number(program, &[&[CTA_ID]], four, Ok(key));
            program.alu(Alu::Xor, key);
            program.alu(Alu::Mul, SPREAD);
        }
        Field::Protocol => {
            number(program, &[&[CTA_TUPLE_ORIG, CTA_TUPLE_PROTO, CTA_PROTO_NUM]], one, Err(no));
        }
        Field::Port(end) => {
            let (tuple, is_source) = place(end);
            let port = if is_source { CTA_PROTO_SRC_PORT } else { CTA_PROTO_DST_PORT };
            number(program, &[&[tuple, CTA_TUPLE_PROTO, port]], two, Err(no));
        }
        Field::TcpState => {
            let path = state(CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP_STATE);
            number(program, &[&path], one, Err(no));
        }
        Field::SctpState => {
            let path = state(CTA_PROTOINFO_SCTP, CTA_PROTOINFO_SCTP_STATE);
            number(program, &[&path], one, Err(no));
        }
        Field::DccpState => {
            let path = state(CTA_PROTOINFO_DCCP, CTA_PROTOINFO_DCCP_STATE);
            number(program, &[&path], one, Err(no));
        }
        Field::Zone => {
            let of = |tuple| [tuple, CTA_TUPLE_ZONE];
            let paths: [&[u16]; 3] = [&[CTA_ZONE], &of(CTA_TUPLE_ORIG), &of(CTA_TUPLE_REPLY)];
            number(program, &paths, two, Ok(0));
        }
    }
    plan.set.search(program, yes, no);
}

/// Loads a number in network order from an offset behind X.
type Load = fn(&mut Assembler, u32);

/// A = the number at the first of the paths that leads anywhere; if none does, A = a number, or
/// jumps.
fn number(program: &mut Assembler, paths: &[&[u16]], load: Load, absent: Result<u32, Label>) {
    let found = program.label();
    let Some((last, others)) = paths.split_last() else { return };
    for path in others {
        let next = program.label();
        program.find_path(ATTRIBUTES, path, next);
        load(program, ATTRIBUTE_HEADER);
        program.jump(found);
        program.bind(next);
    }
    match absent {
        Err(absent) => {
            program.find_path(ATTRIBUTES, last, absent);
            load(program, ATTRIBUTE_HEADER);
        }
        Ok(value) => {
            let next = program.label();
            program.find_path(ATTRIBUTES, last, next);
            load(program, ATTRIBUTE_HEADER);
            program.jump(found);
            program.bind(next);
            program.load(value);
        }
    }
    program.bind(found);
}

fn kind(program: &mut Assembler, plan: &Check, yes: Label, no: Label) {
    let leads = |kind| Some(if plan.set.contains(kind_number(kind)) { yes } else { no });
    program.load_u16(MESSAGE_TYPE);
    program.branch(Test::Equal, host_u16(IPCTNL_MSG_CT_DELETE), leads(EventKind::Destroy), None);
    program.load_u16(MESSAGE_FLAGS);
    let new = host_u16((Flags::CREATE | Flags::EXCL).0);
    program.branch(Test::Set, new, leads(EventKind::New), leads(EventKind::Update));
}

/// The family decides which attributes are addresses of the flow.
fn address(program: &mut Assembler, end: End, plan: &Check, yes: Label, no: Label) {
    let (tuple, is_source) = place(end);
    let path =
        |source, destination| [tuple, CTA_TUPLE_IP, if is_source { source } else { destination }];
    program.load_u8(FAMILY);
    if !plan.set.is_empty() {
        let other = program.label();
        program.branch(Test::Equal, u32::from(AddressFamily::INET.0), None, Some(other));
        program.find_path(ATTRIBUTES, &path(CTA_IP_V4_SRC, CTA_IP_V4_DST), no);
        program.load_u32_at_x(ATTRIBUTE_HEADER);
        plan.set.search(program, yes, no);
        program.bind(other);
    }
    if plan.prefixes.is_empty() {
        return program.jump(no);
    }
    program.branch(Test::Equal, u32::from(AddressFamily::INET6.0), None, Some(no));
    program.find_path(ATTRIBUTES, &path(CTA_IP_V6_SRC, CTA_IP_V6_DST), no);
    plan.prefixes.search(program, yes, no);
}

/// The tuple that an end is in, and whether it is the source there.
const fn place(end: End) -> (u16, bool) {
    match end {
        End::OriginalSource => (CTA_TUPLE_ORIG, true),
        End::OriginalDestination => (CTA_TUPLE_ORIG, false),
        End::ReplySource => (CTA_TUPLE_REPLY, true),
        End::ReplyDestination => (CTA_TUPLE_REPLY, false),
    }
}
